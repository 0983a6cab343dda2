//! The RFCs' vectors, and client and server against each other.

use std::time::{Duration, Instant};

use secrecy::SecretString;
use sip_types::{Authorization, HeaderName, Method, Request, Response, StatusCode, Uri};

use super::hash::{Inputs, Protection};
use super::{Algorithm, AuthError, Credentials, DigestClient, DigestServer, Role, Verdict};
use crate::Random;

fn inputs<'a>(algorithm: Algorithm, protection: Option<Protection<'a>>) -> Inputs<'a> {
    Inputs {
        algorithm,
        username: "Mufasa",
        realm: "http-auth@example.org",
        password: b"Circle of Life",
        method: "GET",
        uri: "/dir/index.html",
        nonce: "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v",
        protection,
    }
}

const RFC_7616: Protection<'_> = Protection {
    qop: "auth",
    nc: "00000001",
    cnonce: "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
    body: b"",
};

#[test]
fn rfc_2617_section_3_5() {
    let protection = Protection { cnonce: "0a4f113b", ..RFC_7616 };
    let example = Inputs {
        realm: "testrealm@host.com",
        password: b"Circle Of Life",
        nonce: "dcd98b7102dd2f0e8b11d0f600bfb0c093",
        ..inputs(Algorithm::Md5, Some(protection))
    };
    assert_eq!(example.response(), "6629fae49393a05397450978507c4ef1");
}

#[test]
fn rfc_2069_section_2_4_as_corrected() {
    let example = Inputs {
        realm: "testrealm@host.com",
        password: b"CircleOfLife",
        nonce: "dcd98b7102dd2f0e8b11d0f600bfb0c093",
        ..inputs(Algorithm::Md5, None)
    };
    assert_eq!(example.response(), "1949323746fe6a43ef61f9606e7febea");
}

#[test]
fn rfc_7616_section_3_9_1() {
    let md5 = inputs(Algorithm::Md5, Some(RFC_7616));
    assert_eq!(md5.response(), "8ca523f5e9506fed4657c9700eebdbec");
    let sha = inputs(Algorithm::Sha256, Some(RFC_7616));
    assert_eq!(sha.response(), "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1");
}

#[test]
fn rfc_7616_section_3_9_2_as_corrected() {
    let protection =
        Protection { cnonce: "NTg6RKcb9boFIAS3KrFK9BGeh+iDa/sm6jUMp2wds69v", ..RFC_7616 };
    let example = Inputs {
        algorithm: Algorithm::Sha512_256,
        username: "J\u{e4}s\u{f8}n Doe",
        realm: "api@example.org",
        password: b"Secret, or not?",
        method: "GET",
        uri: "/doe.json",
        nonce: "5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK",
        protection: Some(protection),
    };
    assert_eq!(
        example.response(),
        "3798d4131c277846293534c3edc11bd8a5e4cdcbff78b05db9d95eeb1cec68a5"
    );
    let user = format!("{}:{}", example.username, example.realm);
    assert_eq!(
        example.algorithm.hash(user.as_bytes()),
        "793263caabb707a56211940d90411ea4a575adeccb7e360aeb624ed06ece9b0b"
    );
}

/// Values computed with Python's hashlib.
#[test]
fn sessions_and_bodies() {
    let whole = Protection { qop: "auth-int", body: b"v=0\r\n", ..RFC_7616 };
    for (algorithm, auth, auth_int) in [
        (
            Algorithm::Md5Sess,
            "e783283f46242139c486a698fec7211d",
            "4321e8772738f242cc32334079264d8c",
        ),
        (
            Algorithm::Sha256Sess,
            "2fd51b3a77ad75bad6afad6003e818d767133c46d9e2749e7f5232ae1ea3efd7",
            "cade7e5b751d9c3c2f066a95f2405c5509ad0171cf93f117e98b7f0ebb212e57",
        ),
        (
            Algorithm::Sha512_256Sess,
            "3f2a34f923c38b0fb26dce2fdfc2ce326c23cecf86fbb1444f3e51fbbc2cb92e",
            "1ba4333021256e8b4eebe5c8d20ba53b167f1dac1f6d8c916a08c17ef99eae9a",
        ),
    ] {
        assert_eq!(inputs(algorithm, Some(RFC_7616)).response(), auth);
        assert_eq!(inputs(algorithm, Some(whole)).response(), auth_int);
    }
}

#[test]
fn algorithm_names() {
    for name in ["MD5", "MD5-sess", "SHA-256", "SHA-256-sess", "SHA-512-256", "SHA-512-256-sess"] {
        let algorithm: Algorithm = name.to_lowercase().parse().unwrap();
        assert_eq!(algorithm.to_string(), name);
    }
    assert!("SHA256".parse::<Algorithm>().is_err());
    assert!(Algorithm::Sha512_256 > Algorithm::Sha256 && Algorithm::Sha256 > Algorithm::Md5Sess);
}

fn random() -> Random {
    Random::from_seed([3; 32])
}

fn client() -> DigestClient {
    let password = SecretString::from("geheim");
    DigestClient::new(Credentials { username: "201".to_owned(), password })
}

fn register() -> Request {
    let mut request = Request::new(Method::Register, Uri::parse("sip:pbx.example.com").unwrap());
    request.headers.push(HeaderName::CallId, "1");
    request
}

fn refusal(status: StatusCode, challenges: &[&str]) -> Response {
    let mut response = Response::new(status);
    let name = match status {
        StatusCode::UNAUTHORIZED => HeaderName::WwwAuthenticate,
        _ => HeaderName::ProxyAuthenticate,
    };
    for challenge in challenges {
        response.headers.push(name.clone(), *challenge);
    }
    response
}

fn refuse(challenges: &[&str]) -> Response {
    refusal(StatusCode::UNAUTHORIZED, challenges)
}

fn signed(request: &Request) -> Vec<Authorization> {
    let texts = request.headers.get_all(&HeaderName::Authorization);
    texts.map(|text| text.parse().unwrap()).collect()
}

fn param(request: &Request, name: &str) -> Option<String> {
    signed(request).first()?.params.get(name).map(str::to_owned)
}

#[test]
fn the_count_goes_up_in_hexadecimal_for_each_nonce() {
    let (mut client, mut random) = (client(), random());
    let mut request = register();
    client.authorize(&mut request, &mut random);
    assert!(signed(&request).is_empty());
    let challenge = refuse(&[r#"Digest realm="pbx", nonce="n1", qop="auth,auth-int""#]);
    client.answer(&mut request, &challenge, &mut random).unwrap();
    assert_eq!(param(&request, "nc").unwrap(), "00000001");
    assert_eq!(param(&request, "qop").unwrap(), "auth");
    assert_eq!(param(&request, "algorithm"), None);
    for _ in 0..9 {
        client.authorize(&mut request, &mut random);
    }
    assert_eq!(param(&request, "nc").unwrap(), "0000000a");
    assert_eq!(signed(&request).len(), 1);
    let next = refuse(&[r#"Digest realm="pbx", nonce="n2", qop="auth", stale=TRUE"#]);
    client.answer(&mut request, &next, &mut random).unwrap();
    assert_eq!(param(&request, "nc").unwrap(), "00000001");
    assert_eq!(param(&request, "nonce").unwrap(), "n2");
}

#[test]
fn the_strongest_algorithm_is_taken() {
    let (mut client, mut random) = (client(), random());
    let mut request = register();
    let challenge = refuse(&[
        r#"Digest realm="pbx", nonce="a", algorithm=MD5, qop="auth", Digest realm="pbx", nonce="b", algorithm=SHA-256, qop="auth""#,
        r#"Digest realm="pbx", nonce="c", algorithm=SHA-3, qop="auth""#,
        r#"Basic realm="pbx""#,
    ]);
    client.answer(&mut request, &challenge, &mut random).unwrap();
    assert_eq!(param(&request, "algorithm").unwrap(), "SHA-256");
    assert_eq!(param(&request, "nonce").unwrap(), "b");
    assert_eq!(signed(&request).len(), 1);
}

#[test]
fn a_realm_that_knew_better_is_not_answered_with_md5() {
    let (mut client, mut random) = (client(), random());
    let strong = refuse(&[r#"Digest realm="pbx", nonce="a", algorithm=SHA-256, qop="auth""#]);
    let weak = |realm: &str, nonce: &str| {
        refuse(&[&format!(r#"Digest realm="{realm}", nonce="{nonce}", algorithm=MD5, qop="auth""#)])
    };
    client.answer(&mut register(), &strong, &mut random).unwrap();
    let mut request = register();
    let refused = client.answer(&mut request, &weak("pbx", "b"), &mut random);
    assert_eq!(refused, Err(AuthError::Downgraded { realm: "pbx".to_owned() }));
    assert!(signed(&request).is_empty(), "nothing was signed");
    // Another realm has promised nothing; and the owner may say that all begins anew.
    client.answer(&mut register(), &weak("other", "c"), &mut random).unwrap();
    client.forget();
    client.answer(&mut register(), &weak("pbx", "d"), &mut random).unwrap();
    // Upwards is no harm.
    client.answer(&mut register(), &strong, &mut random).unwrap();
}

#[test]
fn a_realm_that_is_not_ours_is_not_answered() {
    let mut random = random();
    let mut client = client().for_realms(vec!["pbx".to_owned()]);
    let mut request = register();
    let foreign = refuse(&[r#"Digest realm="elsewhere", nonce="a""#]);
    let refused = client.answer(&mut request, &foreign, &mut random);
    assert_eq!(refused, Err(AuthError::ForeignRealm { realm: "elsewhere".to_owned() }));
    let both =
        refuse(&[r#"Digest realm="elsewhere", nonce="a""#, r#"Digest realm="pbx", nonce="b""#]);
    client.answer(&mut request, &both, &mut random).unwrap();
    let realms: Vec<_> =
        signed(&request).iter().map(|a| a.params.get("realm").unwrap().to_owned()).collect();
    assert_eq!(realms, ["pbx"]);
}

#[test]
fn the_realm_that_accepts_us_is_the_only_one() {
    let (mut client, mut random) = (client(), random());
    let challenge = |realm: &str| refuse(&[&format!(r#"Digest realm="{realm}", nonce="{realm}""#)]);
    let invite = || {
        let mut request = register();
        request.method = Method::Invite;
        request
    };
    // Nothing has been accepted yet: the one may be as good as the other.
    let mut request = invite();
    client.answer(&mut request, &challenge("elsewhere"), &mut random).unwrap();
    let mut request = invite();
    client.answer(&mut request, &challenge("pbx"), &mut random).unwrap();
    request.headers.remove(&HeaderName::Authorization);
    request.headers.push(HeaderName::Authorization, r#"Digest realm="pbx", nonce="pbx""#);
    client.accepted(&request, &Response::new(StatusCode::OK));
    let refused = client.answer(&mut invite(), &challenge("evil"), &mut random);
    assert_eq!(refused, Err(AuthError::ForeignRealm { realm: "evil".to_owned() }));
    client.answer(&mut invite(), &challenge("pbx"), &mut random).unwrap();
    // A REGISTER goes nowhere but to the registrar, which may have been given another name.
    client.answer(&mut register(), &challenge("renamed"), &mut random).unwrap();
    // A proxy on the way has a realm of its own.
    let proxy =
        refusal(StatusCode::PROXY_AUTHENTICATION_REQUIRED, &[r#"Digest realm="proxy", nonce="p""#]);
    client.answer(&mut invite(), &proxy, &mut random).unwrap();
}

#[test]
fn a_nonce_that_is_stale_and_comes_again_says_nothing_of_the_password() {
    let (mut client, mut random) = (client(), random());
    let mut request = register();
    let first = refuse(&[r#"Digest realm="pbx", nonce="n", qop="auth""#]);
    client.answer(&mut request, &first, &mut random).unwrap();
    let again = refuse(&[r#"Digest realm="pbx", nonce="n", qop="auth", stale=true"#]);
    let mut outcomes = Vec::new();
    for expected in ["00000002", "00000003"] {
        outcomes.push(client.answer(&mut request, &again, &mut random));
        assert_eq!(param(&request, "nc").unwrap(), expected, "counted on");
    }
    outcomes.push(client.answer(&mut request, &again, &mut random));
    let loops = Err(AuthError::StaleLoop { realm: "pbx".to_owned() });
    assert_eq!(outcomes, [Ok(()), Ok(()), loops]);
}

#[test]
fn several_realms_are_answered_at_once() {
    let (mut client, mut random) = (client(), random());
    let mut request = register();
    let mut challenge = refuse(&[
        r#"Digest realm="one", nonce="a""#,
        r#"Digest realm="two", nonce="b", opaque="o", algorithm=MD5"#,
    ]);
    challenge.headers.push(HeaderName::ProxyAuthenticate, r#"Digest realm="one", nonce="p""#);
    client.answer(&mut request, &challenge, &mut random).unwrap();
    let realms: Vec<_> =
        signed(&request).iter().map(|a| a.params.get("realm").unwrap().to_owned()).collect();
    assert_eq!(realms, ["one", "two"]);
    let proxy = request.headers.get(&HeaderName::ProxyAuthorization).unwrap();
    assert!(proxy.contains(r#"nonce="p""#), "{proxy}");
    let opaque = signed(&request)[1].params.get("opaque").map(str::to_owned);
    assert_eq!(opaque.as_deref(), Some("o"));
}

#[test]
fn without_qop_there_is_no_count() {
    let (mut client, mut random) = (client(), random());
    let mut request = register();
    let challenge = refuse(&[r#"Digest realm="pbx", nonce="a""#]);
    client.answer(&mut request, &challenge, &mut random).unwrap();
    assert_eq!(param(&request, "nc"), None);
    assert_eq!(param(&request, "cnonce"), None);
    let wrong = refuse(&[r#"Digest realm="pbx", nonce="b""#]);
    let outcome = client.answer(&mut request, &wrong, &mut random);
    assert_eq!(outcome, Err(AuthError::WrongCredentials { realm: "pbx".to_owned() }));
}

#[test]
fn wrong_credentials_are_tried_once() {
    let wrong = Err(AuthError::WrongCredentials { realm: "pbx".to_owned() });
    for second in ["a", "b"] {
        let (mut client, mut random) = (client(), random());
        let mut request = register();
        let challenge =
            |nonce: &str| refuse(&[&format!(r#"Digest realm="pbx", nonce="{nonce}", qop="auth""#)]);
        client.answer(&mut request, &challenge("a"), &mut random).unwrap();
        let outcome = client.answer(&mut request, &challenge(second), &mut random);
        assert_eq!(outcome, wrong, "second nonce {second}");
    }
}

#[test]
fn a_refused_old_nonce_gets_one_new_try_even_if_nobody_says_stale() {
    let (mut client, mut random) = (client(), random());
    let mut request = register();
    let challenge =
        |nonce: &str| refuse(&[&format!(r#"Digest realm="pbx", nonce="{nonce}", qop="auth""#)]);
    client.answer(&mut request, &challenge("a"), &mut random).unwrap();
    client.authorize(&mut request, &mut random);
    client.answer(&mut request, &challenge("b"), &mut random).unwrap();
    assert_eq!(param(&request, "nonce").unwrap(), "b");
    assert!(client.answer(&mut request, &challenge("c"), &mut random).is_err());
}

#[test]
fn a_server_that_calls_everything_stale_is_left() {
    let (mut client, mut random) = (client(), random());
    let mut request = register();
    let mut outcomes = Vec::new();
    for round in 0..5 {
        let text = format!(r#"Digest realm="pbx", nonce="n{round}", qop="auth", stale=true"#);
        outcomes.push(client.answer(&mut request, &refuse(&[&text]), &mut random));
    }
    let loops = Err(AuthError::StaleLoop { realm: "pbx".to_owned() });
    assert_eq!(outcomes, [Ok(()), Ok(()), Ok(()), loops.clone(), loops]);
}

#[test]
fn what_cannot_be_answered_is_said() {
    let (mut client, mut random) = (client(), random());
    let mut answer =
        |challenges: &[&str]| client.answer(&mut register(), &refuse(challenges), &mut random);
    assert_eq!(answer(&[]), Err(AuthError::NoChallenge));
    assert_eq!(answer(&["Digest ,,,"]), Err(AuthError::NoChallenge));
    let unsupported = |what: &str| Err(AuthError::Unsupported(what.to_owned()));
    assert_eq!(answer(&[r#"Basic realm="x""#]), unsupported("Basic"));
    let unknown = r#"Digest realm="x", nonce="n", algorithm=AKAv1-MD5"#;
    assert_eq!(answer(&[unknown]), unsupported("AKAv1-MD5"));
    let unknown = r#"Digest realm="x", nonce="n", qop="auth-conf""#;
    assert_eq!(answer(&[unknown]), unsupported("qop auth-conf"));
}

#[test]
fn the_next_nonce_is_learned_and_the_user_name_hashed() {
    let (mut client, mut random) = (client(), random());
    let mut request = register();
    let text = r#"Digest realm="pbx", nonce="a", qop="auth", algorithm=SHA-256, userhash=true"#;
    client.answer(&mut request, &refuse(&[text]), &mut random).unwrap();
    let hashed = Algorithm::Sha256.hash(b"201:pbx");
    assert_eq!(param(&request, "username").unwrap(), hashed);
    let mut ok = Response::new(StatusCode::OK);
    ok.headers.push(HeaderName::AuthenticationInfo, r#"nextnonce="b", qop=auth, nc=00000001"#);
    client.accepted(&request, &ok);
    client.authorize(&mut request, &mut random);
    assert_eq!(param(&request, "nonce").unwrap(), "b");
    assert_eq!(param(&request, "nc").unwrap(), "00000001");
}

#[test]
fn no_secret_is_printed() {
    let (mut client, mut random) = (client(), random());
    client
        .answer(&mut register(), &refuse(&[r#"Digest realm="p", nonce="a""#]), &mut random)
        .unwrap();
    assert!(!format!("{client:?}").contains("geheim"));
}

#[expect(clippy::disallowed_methods, reason = "the one real instant virtual time counts from")]
fn base() -> Instant {
    Instant::now()
}

const LIFETIME: Duration = Duration::from_secs(60);

fn server() -> DigestServer {
    let algorithms = [Algorithm::Sha256, Algorithm::Md5];
    DigestServer::new("pbx", &algorithms, LIFETIME, Random::from_seed([4; 32]))
}

fn lookup(username: &str) -> Option<SecretString> {
    (username == "201").then(|| SecretString::from("geheim"))
}

/// A client's request that the server has challenged and the client has answered.
fn answered(server: &mut DigestServer, now: Instant, client: &mut DigestClient) -> Request {
    let mut request = register();
    let mut challenge = Response::new(StatusCode::UNAUTHORIZED);
    server.challenge(now, Role::Server, false, &mut challenge);
    client.answer(&mut request, &challenge, &mut random()).unwrap();
    request
}

#[test]
fn client_and_server_agree() {
    let (mut server, mut client, now) = (server(), client(), base());
    assert_eq!(server.verify(now, Role::Server, &register(), lookup), Verdict::Missing);
    let mut request = answered(&mut server, now, &mut client);
    let accepted = Verdict::Accepted { username: "201".to_owned() };
    assert_eq!(param(&request, "algorithm").unwrap(), "SHA-256");
    assert_eq!(server.verify(now, Role::Server, &request, lookup), accepted);
    assert_eq!(server.verify(now, Role::Server, &request, lookup), Verdict::Stale, "replayed");
    client.authorize(&mut request, &mut random());
    assert_eq!(server.verify(now, Role::Server, &request, lookup), accepted);
    assert_eq!(server.verify(now, Role::Proxy, &request, lookup), Verdict::Missing);
}

#[test]
fn an_old_nonce_is_stale() {
    let (mut server, mut client, now) = (server(), client(), base());
    let request = answered(&mut server, now, &mut client);
    let late = now + LIFETIME + Duration::from_secs(1);
    assert_eq!(server.verify(late, Role::Server, &request, lookup), Verdict::Stale);
    let mut challenge = Response::new(StatusCode::UNAUTHORIZED);
    server.challenge(late, Role::Server, true, &mut challenge);
    let mut again = request.clone();
    client.answer(&mut again, &challenge, &mut random()).unwrap();
    let accepted = Verdict::Accepted { username: "201".to_owned() };
    assert_eq!(server.verify(late, Role::Server, &again, lookup), accepted);
    assert_eq!(server.verify(late, Role::Server, &request, lookup), Verdict::Stale, "forgotten");
}

#[test]
fn whoever_is_not_right_is_refused() {
    let (mut server, now) = (server(), base());
    let refused = |name: &str| Verdict::Refused { username: name.to_owned() };
    for (name, password) in [("201", "falsch"), ("999", "geheim")] {
        let password = SecretString::from(password);
        let mut client = DigestClient::new(Credentials { username: name.to_owned(), password });
        let request = answered(&mut server, now, &mut client);
        assert_eq!(server.verify(now, Role::Server, &request, lookup), refused(name));
    }
    let mut request = answered(&mut server, now, &mut client());
    request.uri = Uri::parse("sip:elsewhere.example.com").unwrap();
    assert_eq!(server.verify(now, Role::Server, &request, lookup), refused("201"));
    let mut request = answered(&mut server, now, &mut client());
    request.method = Method::Bye;
    assert_eq!(server.verify(now, Role::Server, &request, lookup), refused("201"));
}

#[test]
fn a_flood_of_challenges_is_bounded() {
    let (mut server, now) = (server(), base());
    let mut client = client();
    let request = answered(&mut server, now, &mut client);
    for _ in 0..9000 {
        let mut challenge = Response::new(StatusCode::UNAUTHORIZED);
        server.challenge(now, Role::Server, false, &mut challenge);
    }
    assert_eq!(server.verify(now, Role::Server, &request, lookup), Verdict::Stale);
}

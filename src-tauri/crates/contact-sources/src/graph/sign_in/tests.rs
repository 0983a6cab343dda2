//! Signing in by browser and by code: what is asked, what comes back, what is refused, and what a stranger sends.

use super::super::place;
use super::*;

#[expect(clippy::disallowed_methods, reason = "virtual time begins anywhere")]
fn start() -> Instant {
    Instant::now()
}

fn answer(status: u16, body: &str) -> Answer {
    Answer { status, body: body.as_bytes().to_vec(), ..Answer::default() }
}

fn random() -> Random {
    Random::from_seed([7; 32])
}

fn query(url: &Url, name: &str) -> String {
    url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned()).unwrap()
}

#[test]
fn the_page_carries_the_hash_of_what_the_exchange_proves() {
    let place = place();
    let browser = Browser::new(49_152, &mut random());
    let page = browser.page(&place).unwrap();
    assert_eq!(page.path(), "/organizations/oauth2/v2.0/authorize");
    assert_eq!(query(&page, "redirect_uri"), "http://localhost:49152/");
    assert_eq!(query(&page, "code_challenge_method"), "S256");
    assert!(query(&page, "scope").contains("Contacts.Read.Shared"));
    let ask = browser.exchange(&place, &SecretString::from("co de&x=1")).unwrap();
    let pairs: Vec<(String, String)> =
        form_urlencoded::parse(ask.body.as_bytes()).into_owned().collect();
    let value = |name: &str| &pairs.iter().find(|(key, _)| key == name).unwrap().1;
    assert_eq!(value("code"), "co de&x=1", "a code adds no parameter");
    let hash = URL_SAFE_NO_PAD.encode(Sha256::digest(value("code_verifier")));
    assert_eq!(hash, query(&page, "code_challenge"));
    assert!(value("code_verifier").len() >= 43);
    // Two sign-ins have nothing in common, and nothing secret is shown.
    let mut random = random();
    let (one, other) = (Browser::new(1, &mut random), Browser::new(1, &mut random));
    assert!(one.state != other.state);
    assert!(one.verifier.expose_secret() != other.verifier.expose_secret());
    let shown = format!("{one:?} {ask:?}");
    assert!(!shown.contains(one.verifier.expose_secret()) && !shown.contains("co+de"), "{shown}");
}

#[test]
fn the_example_of_rfc_7636_gives_its_challenge() {
    let browser = Browser {
        verifier: SecretString::from("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"),
        state: "s".into(),
        redirect: String::new(),
    };
    let challenge = query(&browser.page(&place()).unwrap(), "code_challenge");
    assert_eq!(challenge, "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
}

#[test]
fn only_who_knows_the_mark_brings_a_code() {
    let browser = Browser::new(1, &mut random());
    let state = &browser.state;
    for target in [
        "/".to_owned(),
        "/favicon.ico".to_owned(),
        "/?code=x".to_owned(),
        "/?code=x&state=".to_owned(),
        format!("/?code=x&state={state}x"),
        format!("/?state={state}"),
        format!("/?code=&state={state}"),
        format!("//evil.example/?code=x&state={state}"),
        format!("/?code={}&state={state}", "x".repeat(TOKEN)),
    ] {
        assert!(matches!(browser.arrived(&target), Arrival::Stranger), "{target}");
    }
    let Arrival::Code(code) = browser.arrived(&format!("/?code=a%26b&state={state}")) else {
        panic!()
    };
    assert_eq!(code.expose_secret(), "a&b");
    for (error, meant) in [
        ("access_denied", SourceError::Declined),
        ("access_denied&error_description=AADSTS90094%3A+admin", SourceError::Consent),
        ("server_error", SourceError::Server(500)),
        ("%3Cscript%3E", SourceError::Malformed),
    ] {
        let arrival = browser.arrived(&format!("/?error={error}&state={state}&code=x"));
        assert!(matches!(&arrival, Arrival::Refused(found) if *found == meant), "{arrival:?}");
    }
}

#[test]
fn tokens_are_read_and_never_shown() {
    // {"preferred_username":"jan@zilver.example"}
    let id = URL_SAFE_NO_PAD.encode(r#"{"preferred_username":"jan@zilver.example","sub":"x"}"#);
    let body = format!(
        r#"{{"token_type":"Bearer","access_token":"geheim-a","refresh_token":"geheim-r","expires_in":3599,"id_token":"e30.{id}.sig"}}"#
    );
    let found = tokens(&answer(200, &body)).unwrap();
    assert_eq!((found.account.as_str(), found.lasts.as_secs()), ("jan@zilver.example", 3599));
    assert!(!format!("{found:?}").contains("geheim"), "{found:?}");
    assert!(!format!("{:?}", answer(200, &body)).contains("geheim"));
    let text = r#"{"token_type":"bearer","access_token":"a","expires_in":"60"}"#;
    let short = tokens(&answer(200, text)).unwrap();
    assert!(short.refresh.is_none() && short.account.is_empty() && short.lasts.as_secs() == 60);
    for bad in [
        "",
        "<html>",
        "[]",
        "{}",
        r#"{"access_token":"a"}"#,
        r#"{"token_type":"mac","access_token":"a"}"#,
        r#"{"token_type":"Bearer","access_token":"a\r\nX: y"}"#,
        r#"{"token_type":"Bearer","access_token":5}"#,
    ] {
        assert_eq!(tokens(&answer(200, bad)).unwrap_err(), SourceError::Malformed, "{bad}");
    }
    for odd in ["x", "..", "a.!.c", "a.bnVsbA.c", "a.W10.c"] {
        assert_eq!(account(odd), "", "{odd}");
    }
}

#[test]
fn every_refusal_has_a_meaning_for_a_person() {
    for (status, body, meant) in [
        (
            400,
            r#"{"error":"invalid_grant","error_description":"AADSTS700082: expired"}"#,
            SourceError::SignIn,
        ),
        (
            400,
            r#"{"error":"invalid_grant","error_description":"AADSTS65001: consent"}"#,
            SourceError::Consent,
        ),
        (400, r#"{"error":"interaction_required"}"#, SourceError::SignIn),
        (
            400,
            r#"{"error":"unauthorized_client","error_description":"AADSTS700016"}"#,
            SourceError::BadSetting("application id"),
        ),
        (
            400,
            r#"{"error":"invalid_request","error_description":"AADSTS90002: tenant"}"#,
            SourceError::BadSetting("directory id"),
        ),
        (401, r#"{"error":"invalid_client"}"#, SourceError::BadSetting("application id")),
        (404, "<html>", SourceError::NotASource),
        (502, "<html>", SourceError::Server(502)),
        (503, "", SourceError::Overloaded { retry_after: None }),
        (302, "", SourceError::NotASource),
    ] {
        assert_eq!(tokens(&answer(status, body)).unwrap_err(), meant, "{status} {body}");
    }
    for error in [SourceError::SignIn, SourceError::Consent] {
        assert!(error.needs_a_person());
    }
}

const CODE: &str = r#"{"device_code":"d","user_code":"ABCD-EFGH","verification_uri":"https://login.example/device","expires_in":60,"interval":5}"#;

#[test]
fn a_device_code_is_asked_about_in_the_servers_time() {
    let (start, place) = (start(), place());
    let mut device = Device::begun(start, &answer(200, CODE)).unwrap();
    assert_eq!(
        (device.user_code.as_str(), device.page.as_str()),
        ("ABCD-EFGH", "https://login.example/device")
    );
    assert!(!device.look(&place).unwrap().body.contains("code_verifier"));
    assert_eq!(device.due(), start + Duration::from_secs(5));
    let pending = answer(400, r#"{"error":"authorization_pending"}"#);
    let slow = answer(400, r#"{"error":"slow_down"}"#);
    let mut now = device.due();
    assert!(device.answered(now, &pending).unwrap().is_none());
    assert_eq!(device.due(), now + Duration::from_secs(5));
    now = device.due();
    assert!(device.answered(now, &slow).unwrap().is_none());
    assert_eq!(device.due(), now + Duration::from_secs(10));
    now = device.due();
    let done = answer(200, r#"{"token_type":"Bearer","access_token":"a","refresh_token":"r"}"#);
    assert!(device.answered(now, &done).unwrap().is_some());
    // Nobody comes.
    let mut device = Device::begun(start, &answer(200, CODE)).unwrap();
    let mut rounds = 0;
    let end = loop {
        rounds += 1;
        let now = device.due();
        if let Err(error) = device.answered(now, &pending) {
            break error;
        }
    };
    assert_eq!((end, rounds), (SourceError::Timeout, 11));
    let declined = answer(400, r#"{"error":"authorization_declined"}"#);
    assert_eq!(device.answered(start, &declined).unwrap_err(), SourceError::Declined);
}

#[test]
fn a_page_that_is_no_page_is_not_shown() {
    for (what, with) in [
        ("https://login.example/device", "javascript:alert(1)"),
        ("https://login.example/device", "http://login.example/"),
        ("ABCD-EFGH", "A\\u0007"),
        ("\"d\"", "5"),
    ] {
        let body = CODE.replace(what, with);
        assert_eq!(
            Device::begun(start(), &answer(200, &body)).unwrap_err(),
            SourceError::Malformed,
            "{body}"
        );
    }
    let hurried = CODE.replace("\"interval\":5", "\"interval\":0");
    let device = Device::begun(start(), &answer(200, &hurried)).unwrap();
    assert!(device.every >= Duration::from_secs(1), "no storm");
}

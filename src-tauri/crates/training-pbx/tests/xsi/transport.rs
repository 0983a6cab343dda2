//! Who is let in, and how: passwords, tokens, cookies, versions, device files, errors.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest as _, Md5};
use training_pbx::Profile;

use crate::client::{ACTIONS, Client, EVENTS, account};
use crate::{PROFILES, desk, start};

#[tokio::test]
async fn nobody_gets_in_without_the_web_password() {
    let (pbx, client) = desk().await;
    let path = client.own("profile");
    assert_eq!(client.send_to(0, "GET", &path, &[], "").await.error(), (401, true));
    let challenge = client.send_to(0, "GET", &path, &[], "").await;
    assert!(challenge.header("www-authenticate").starts_with("Basic realm="));
    let sip = &account(&pbx, "101").password;
    let with = |secret: String| format!("Basic {}", STANDARD.encode(secret));
    for wrong in [
        with(format!("{}:{sip}", client.id)),
        with(client.id.clone()),
        "Basic ?".to_owned(),
        "Bearer abc".to_owned(),
    ] {
        let reply = client.send_to(0, "GET", &path, &[("Authorization", &wrong)], "").await;
        assert_eq!(reply.error(), (401, true), "{wrong}");
    }
    assert_eq!(client.get(&path).await.status, 200);
    pbx.stop().await;
}

#[tokio::test]
async fn the_sip_password_has_a_scheme_of_its_own_since_2020() {
    for profile in PROFILES {
        let pbx = start(profile).await;
        let client = Client::new(&pbx, "101");
        let sip = &account(&pbx, "101").password;
        let header = format!(
            "BroadWorksSIP basic=\"{}\",sipUser=\"{}\"",
            STANDARD.encode(format!("{}:{sip}", client.id)),
            STANDARD.encode("101")
        );
        let path = client.own("profile");
        let reply = client.send_to(0, "GET", &path, &[("Authorization", &header)], "").await;
        assert_eq!(reply.status, if profile == Profile::R2020 { 200 } else { 401 });
        pbx.stop().await;
    }
}

#[tokio::test]
async fn a_login_token_lets_in() {
    let (pbx, client) = desk().await;
    let reply = client.post(&client.own("profile/LoginToken"), "").await;
    assert_eq!((reply.status, reply.document().name.as_str()), (201, "LoginToken"));
    let token = format!("BroadWorksSSO {}", reply.document().value("token").unwrap());
    let path = client.own("profile");
    let reply = client.send_to(0, "GET", &path, &[("Authorization", &token)], "").await;
    assert_eq!(reply.status, 200);
    pbx.stop().await;
}

#[tokio::test]
async fn the_cookie_is_set_once_and_does_not_stand_for_the_password() {
    let (pbx, client) = desk().await;
    let path = client.own("profile");
    let reply = client.get(&path).await;
    let cookie = reply.header("set-cookie").split(';').next().unwrap().to_owned();
    assert!(cookie.starts_with("JSESSIONID="), "{cookie}");
    let both = [("Authorization", client.authorization.as_str()), ("Cookie", cookie.as_str())];
    let reply = client.send_to(0, "GET", &path, &both, "").await;
    assert_eq!((reply.status, reply.header("set-cookie")), (200, ""));
    let reply = client.send_to(0, "GET", &path, &[("Cookie", &cookie)], "").await;
    assert_eq!(reply.status, 401);
    let bye = format!("{ACTIONS}/j_logout");
    assert_eq!(client.send_to(0, "GET", &bye, &both, "").await.status, 200);
    let reply = client.send_to(0, "GET", &path, &both, "").await;
    assert!(reply.header("set-cookie").starts_with("JSESSIONID="));
    pbx.stop().await;
}

#[tokio::test]
async fn versions_are_told_and_old_clients_refused() {
    for (profile, release, too_old) in
        [(Profile::R21, "21.0", "18.0"), (Profile::R2020, "24.0", "21.0")]
    {
        let pbx = start(profile).await;
        let client = Client::new(&pbx, "101");
        for base in [ACTIONS, EVENTS] {
            let document = client.get(&format!("{base}/versions")).await.document();
            assert_eq!(document.name, "Versions");
            assert_eq!(document.at(&["commands", "baseline"]), Some(release));
        }
        let version = |version: &'static str| {
            let (client, path) = (client.clone(), client.own("profile"));
            async move {
                let headers = [
                    ("Authorization", client.authorization.as_str()),
                    ("X-BroadWorks-Protocol-Version", version),
                ];
                client.send_to(0, "GET", &path, &headers, "").await
            }
        };
        assert_eq!(version(release).await.status, 200);
        assert_eq!(version(too_old).await.error(), (405, true));
        assert_eq!(version("new").await.error(), (400, true));
        pbx.stop().await;
    }
}

fn md5(text: &str) -> String {
    Md5::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[tokio::test]
async fn the_device_fetches_its_file_with_digest() {
    let (pbx, client) = desk().await;
    let devices = client.get(&client.own("profile/Device?onlySoftClient=true")).await.document();
    let device = devices.child("accessDevice").unwrap();
    let names = device.names();
    let expected = [
        "deviceName",
        "deviceLevel",
        "deviceType",
        "deviceLinePort",
        "deviceTypeUrl",
        "deviceUserNamePassword",
        "endpointType",
    ];
    assert_eq!(names, expected);
    let url = device.value("deviceTypeUrl").unwrap();
    let path = format!("/{}config.xml", url.splitn(4, '/').nth(3).unwrap());
    let user = device.at(&["deviceUserNamePassword", "userName"]).unwrap();
    let password = device.at(&["deviceUserNamePassword", "password"]).unwrap();
    let challenge = client.send_to(0, "GET", &path, &[], "").await;
    assert_eq!(challenge.status, 401);
    let challenge = challenge.header("www-authenticate").to_owned();
    let value = |name: &str| {
        let rest = challenge.split(&format!("{name}=\"")).nth(1).unwrap();
        rest.split('"').next().unwrap().to_owned()
    };
    let (realm, nonce) = (value("realm"), value("nonce"));
    let answer = |count: &str, password: &str| {
        let first = md5(&format!("{user}:{realm}:{password}"));
        let second = md5(&format!("GET:{path}"));
        let response = md5(&format!("{first}:{nonce}:{count}:abc:auth:{second}"));
        format!(
            "Digest username=\"{user}\", realm=\"{realm}\", nonce=\"{nonce}\", uri=\"{path}\", \
             qop=auth, nc={count}, cnonce=\"abc\", response=\"{response}\""
        )
    };
    let fetch = |header: String| {
        let (client, path) = (client.clone(), path.clone());
        async move { client.send_to(0, "GET", &path, &[("Authorization", &header)], "").await }
    };
    assert_eq!(fetch(answer("00000001", "wrong")).await.status, 401);
    let reply = fetch(answer("00000001", password)).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    let config = reply.document();
    assert_eq!(config.name, "config");
    let sip = account(&pbx, "101");
    assert_eq!(config.at(&["sip", "auth-password"]), Some(sip.password.as_str()));
    // The same answer does not open twice; the next count does.
    assert_eq!(fetch(answer("00000001", password)).await.status, 401);
    assert_eq!(fetch(answer("00000002", password)).await.status, 200);
    pbx.stop().await;
}

#[tokio::test]
async fn a_flood_of_rubbish_leaves_the_server_working() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let (pbx, client) = desk().await;
    for rubbish in [
        b"\0\0\0\0".to_vec(),
        b"GET\r\n\r\n".to_vec(),
        b"POST / HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n".to_vec(),
        vec![b'x'; 200_000],
    ] {
        let mut stream = tokio::net::TcpStream::connect(&client.hosts[0]).await.unwrap();
        let _ = stream.write_all(&rubbish).await;
        let _ = stream.shutdown().await;
        let mut answer = Vec::new();
        let read = stream.read_to_end(&mut answer);
        let _ = tokio::time::timeout(crate::client::PATIENCE, read).await.expect("hangs");
    }
    let long = format!("<DoNotDisturb>{}</DoNotDisturb>", "x".repeat(200_000));
    assert_eq!(client.put(&client.own("services/DoNotDisturb"), &long).await.error(), (400, true));
    assert_eq!(client.get(&client.own("profile")).await.status, 200);
    pbx.stop().await;
}

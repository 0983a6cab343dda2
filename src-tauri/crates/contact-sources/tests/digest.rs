//! A server of address books that takes no password but only a proof of one (RFC 7616), on this machine.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};

use contact_sources::{Access, CardDavSettings, Known, Settings, Source, SourceError, open};
use md5::{Digest as _, Md5};
use secrecy::SecretString;
use sip_core::Random;

const BOOK: &str = r#"<multistatus xmlns="DAV:" xmlns:C="urn:ietf:params:xml:ns:carddav"><response><href>/jan/zaak/</href>
    <propstat><prop><resourcetype><collection/><C:addressbook/></resourcetype><displayname>Zaak</displayname></prop>
    <status>HTTP/1.1 200 OK</status></propstat></response></multistatus>"#;

fn md5(text: &str) -> String {
    Md5::digest(text).iter().fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02x}").unwrap();
        hex
    })
}

fn value<'a>(header: &'a str, name: &str) -> &'a str {
    let mut parts = header.trim_start_matches("Digest").split(',').map(str::trim);
    let part = parts.find_map(|part| part.strip_prefix(name)?.strip_prefix('='));
    part.unwrap_or_default().trim_matches('"')
}

/// Whether that proves the password for this request.
fn proves(header: &str, method: &str, target: &str, nonce: &str) -> bool {
    let secret = md5("jan:adresboek:geheim");
    let request = md5(&format!("{method}:{target}"));
    let middle = format!("{nonce}:{}:{}:auth", value(header, "nc"), value(header, "cnonce"));
    value(header, "uri") == target
        && value(header, "nonce") == nonce
        && value(header, "response") == md5(&format!("{secret}:{middle}:{request}"))
}

/// One connection; every Authorization header is told, empty where there is none.
fn serve(stream: TcpStream, told: &Sender<String>) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut stream = stream;
    // A nonce is good for two requests, so that an outdated one is seen, too.
    let (mut count, mut uses) = (0, 0);
    loop {
        let mut first = String::new();
        if reader.read_line(&mut first)? == 0 {
            return Ok(());
        }
        let (mut length, mut authorization) = (0, String::new());
        loop {
            let mut line = String::new();
            reader.read_line(&mut line)?;
            let Some((name, value)) = line.trim_end().split_once(':') else { break };
            match name.to_ascii_lowercase().as_str() {
                "content-length" => length = value.trim().parse().unwrap_or(0),
                "authorization" => authorization = value.trim().to_owned(),
                _ => {}
            }
        }
        reader.read_exact(&mut vec![0; length])?;
        let _ = told.send(authorization.clone());
        let mut words = first.split(' ');
        let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let nonce = format!("n{count}");
        let proved = proves(&authorization, method, target, &nonce);
        uses += 1;
        let (status, extra, body) = match proved && uses <= 2 {
            true => ("207 Multi-Status", String::new(), BOOK),
            false => {
                (count, uses) = (count + 1, 0);
                let challenge = format!(
                    "www-authenticate: Digest realm=\"adresboek\", nonce=\"n{count}\", qop=\"auth\", stale={proved}\r\n"
                );
                ("401 Unauthorized", challenge, "")
            }
        };
        let length = body.len();
        write!(stream, "HTTP/1.1 {status}\r\n{extra}content-length: {length}\r\n\r\n{body}")?;
    }
}

fn start() -> (String, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}/jan/zaak/", listener.local_addr().unwrap());
    let (sender, told) = channel();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let sender = sender.clone();
            std::thread::spawn(move || serve(stream, &sender));
        }
    });
    (address, told)
}

fn source(address: &str, password: &str) -> Box<dyn Source> {
    let (address, user) = (address.to_owned(), "jan".to_owned());
    let settings =
        Settings::CardDav(CardDavSettings { address, user, ..CardDavSettings::default() });
    let access = Access::with(Some(SecretString::from(password)));
    open(&settings, access, Random::from_seed([5; 32])).unwrap()
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

#[test]
fn a_password_is_proved_and_never_sent() {
    let (address, told) = start();
    let source = source(&address, "geheim");
    let found = runtime().block_on(source.test()).unwrap();
    assert_eq!(found.names, ["Zaak"]);
    // Several requests, over nonces that run out.
    let known = Known::new();
    let synced = runtime().block_on(source.sync("", &known, &|_| {})).unwrap();
    assert!(synced.put.is_empty() && synced.full);
    let headers: Vec<String> = told.try_iter().collect();
    assert!(
        headers.iter().all(|header| header.is_empty() || header.starts_with("Digest ")),
        "{headers:?}"
    );
    assert!(headers.iter().any(|header| header.starts_with("Digest ")));
    assert!(!headers.join("").contains("geheim"));
}

#[test]
fn a_wrong_password_is_told_after_one_try() {
    let (address, told) = start();
    let source = source(&address, "fout");
    assert_eq!(runtime().block_on(source.test()), Err(SourceError::Refused));
    let tries = told.try_iter().filter(|header| header.starts_with("Digest ")).count();
    assert_eq!(tries, 1, "accounts get locked");
}

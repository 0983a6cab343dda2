//! Bad answers and refused passwords: a state and a reason in the events, few tries, and what the exchange said.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use e2e::balie::Account;
use e2e::centre::{LIMIT, Scene, User};
use e2e::pause;
use e2e::xsi;
use serde_json::json;
use tempfile::TempDir;

use crate::stale::Stale;

/// A server that says the same to everybody and counts.
struct Server {
    address: SocketAddr,
    asked: Arc<AtomicUsize>,
}

impl Server {
    fn start(answer: &'static str) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let asked = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&asked);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(std::result::Result::ok) {
                let count = Arc::clone(&count);
                std::thread::spawn(move || serve(stream, answer, &count));
            }
        });
        Ok(Self { address, asked })
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

fn serve(mut stream: TcpStream, answer: &str, count: &AtomicUsize) {
    let mut request = Vec::new();
    let mut buffer = [0; 4096];
    while let Ok(length) = stream.read(&mut buffer) {
        if length == 0 {
            return;
        }
        request.extend_from_slice(buffer.get(..length).unwrap_or_default());
        if request.windows(4).any(|four| four == b"\r\n\r\n") {
            count.fetch_add(1, Ordering::SeqCst);
            let _ = stream.write_all(answer.as_bytes());
            return;
        }
    }
}

fn user(folder: &TempDir, url: &str, more: &[&str]) -> Result<User> {
    let services = xsi::settings(url, "maud@lindeboom.example", "fout");
    let mut account = Account::new("101", "geheim", "127.0.0.1:9");
    account.register = false;
    account.lines.extend(more.iter().map(|line| (*line).to_owned()));
    User::start(&account.with(&services).write(folder.path(), "127.0.0.1")?)
}

/// The event that tells why, and that it is the last one for a while.
fn told(user: &mut User, state: &str, reason: &str) -> Result<String> {
    let event = user.balie.event_within("exchange.state", LIMIT, |event| {
        event["state"] == state && event["reason"] == reason
    })?;
    let view = user.view()?;
    ensure!(view["link"]["state"] == state && view["link"]["reason"] == reason, "{view}");
    Ok(event["detail"].as_str().context("no words")?.to_owned())
}

#[test]
fn a_web_page_in_place_of_an_exchange_is_named() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let page = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 45\r\nConnection: close\r\n\r\n\
                <!DOCTYPE html><html><body>Hotel</body></html>";
    let server = Server::start(page)?;
    let mut user = user(&folder, &format!("http://{}", server.address), &[])?;
    let words = told(&mut user, "lost", "server_error")?;
    ensure!(words.contains("web page"), "{words}");
    let view = user.view()?;
    ensure!(view["link"]["retry_at_ms"].is_u64(), "{view}");
    pause(Duration::from_secs(4));
    let asked = server.asked();
    ensure!(asked <= 8, "{asked} requests in four seconds");
    Ok(())
}

#[test]
fn a_wrong_password_is_tried_once() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let refused = "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    let server = Server::start(refused)?;
    let mut user = user(&folder, &format!("http://{}", server.address), &[])?;
    told(&mut user, "refused", "auth_failed")?;
    // Neither time nor a change of network makes it try again; a person's wish does not either.
    user.balie.request("network.changed", &json!({}))?;
    user.refused("queue.join", &json!({"queue": "Klantenservice"}), "unknown_queue")?;
    pause(Duration::from_secs(3));
    ensure!(server.asked() == 1, "{} tries", server.asked());
    Ok(())
}

#[test]
fn a_wrong_password_at_the_exchange_gives_way_to_the_right_one() -> Result<()> {
    let scene = Scene::start()?;
    let mut account = scene.pbx.account_with_services("104", Some("fout"))?;
    account.register = false;
    let mut user = User::start(&account.write(scene.folder.path(), "127.0.0.1")?)?;
    told(&mut user, "refused", "auth_failed")?;
    let right = scene.pbx.known("104")?["xsi_password"].clone();
    let given = json!({"account": "main", "password": right, "exchange": true});
    user.balie.request("account.password", &given)?;
    let view = user.live()?;
    ensure!(view["link"]["reason"].is_null(), "{view}");
    Ok(())
}

#[test]
fn an_expired_password_is_named_in_the_words_of_the_exchange() -> Result<()> {
    let scene = Scene::start()?;
    let expire = |expired: bool| json!({"cmd": "xsi.password", "user": "104", "expired": expired});
    scene.pbx.turn(&expire(true))?;
    let mut account = scene.pbx.account_with_services("104", None)?;
    account.register = false;
    let mut user = User::start(&account.write(scene.folder.path(), "127.0.0.1")?)?;
    let words = told(&mut user, "refused", "auth_failed")?;
    ensure!(words.contains("expired"), "{words}");
    scene.pbx.turn(&expire(false))?;
    let right = scene.pbx.known("104")?["xsi_password"].clone();
    let given = json!({"account": "main", "password": right, "exchange": true});
    user.balie.request("account.password", &given)?;
    user.live()?;
    Ok(())
}

#[test]
fn a_server_that_is_not_there_is_named_and_tried_again() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    drop(listener);
    let mut user = user(&folder, &format!("http://{address}"), &[])?;
    told(&mut user, "lost", "connection_failed")?;
    // It comes up there after all.
    let refused = "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    let listener = TcpListener::bind(address)?;
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(std::result::Result::ok) {
            serve(stream, refused, &AtomicUsize::new(0));
        }
    });
    user.balie.request("network.changed", &json!({}))?;
    told(&mut user, "refused", "auth_failed")?;
    Ok(())
}

#[test]
fn a_certificate_that_has_expired_is_named_and_nothing_is_sent() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let server = Stale::start("localhost")?;
    let anchor = folder.path().join("anchor.pem");
    std::fs::write(&anchor, &server.pem)?;
    let trust = format!("tls_ca_file = {anchor:?}");
    let url = format!("https://localhost:{}", server.port);
    let mut user = user(&folder, &url, &[trust.as_str()])?;
    let words = told(&mut user, "lost", "tls_failure")?;
    ensure!(words.contains("expired"), "{words}");
    ensure!(server.heard() == 0, "something was sent to a server that did not prove itself");
    Ok(())
}

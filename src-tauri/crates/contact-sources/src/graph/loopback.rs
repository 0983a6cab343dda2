//! Waits on this machine for the browser that comes back from signing in (RFC 8252 section 7.3). Nobody else can reach it, but any
//! program and page on this machine can: who does not know the mark is answered with nothing, and there is a limit on everything.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tracing::debug;

use super::sign_in::{Arrival, Browser};

/// Bytes of a request.
const REQUEST: usize = 64 * 1024;
/// A request is whole within this time. Browsers open connections that they may need.
const PATIENCE: Duration = Duration::from_secs(20);
/// Connections at once.
const MOST: usize = 32;

/// What the browser shows at the end, in the words of the front end.
#[derive(Debug, Clone, Default)]
pub struct Words {
    /// It is done; the page can be closed.
    pub done: String,
    /// It was refused.
    pub refused: String,
}

/// This machine's end.
pub(crate) struct Loopback {
    four: TcpListener,
    /// Where browsers find `localhost` there.
    six: Option<TcpListener>,
    port: u16,
}

/// A browser that has brought something, and waits to be told what came of it.
pub(crate) struct Visit {
    /// What it brought; never a stranger.
    pub(crate) arrival: Arrival,
    stream: TcpStream,
}

impl Loopback {
    /// Any free port.
    pub(crate) async fn open() -> io::Result<Loopback> {
        let four = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let port = four.local_addr()?.port();
        // A machine without IPv6 has none, and another program may have it.
        let six = TcpListener::bind((Ipv6Addr::LOCALHOST, port)).await.ok();
        Ok(Loopback { four, six, port })
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Waits for the browser.
    pub(crate) async fn wait(self, browser: &Browser) -> Option<Visit> {
        let (sender, mut arrivals) = mpsc::channel::<(String, TcpStream)>(MOST);
        // Ends with this function, and everything in it.
        let mut readers = JoinSet::new();
        loop {
            let accepted = tokio::select! {
                accepted = self.four.accept() => accepted,
                accepted = accept(self.six.as_ref()) => accepted,
                Some((target, stream)) = arrivals.recv() => {
                    match browser.arrived(&target) {
                        Arrival::Stranger => {
                            debug!("a stranger knocked while somebody signs in");
                            readers.spawn(answer(stream, "404 Not Found", String::new()));
                        }
                        arrival => return Some(Visit { arrival, stream }),
                    }
                    continue;
                }
                Some(_) = readers.join_next() => continue,
            };
            let Ok((stream, from)) = accepted else { continue };
            if readers.len() >= MOST || !from.ip().is_loopback() {
                continue;
            }
            let (sender, port) = (sender.clone(), self.port);
            readers.spawn(async move {
                if let Ok(Some(arrived)) = tokio::time::timeout(PATIENCE, read(stream, port)).await
                {
                    // Nobody waits any more.
                    let _ = sender.send(arrived).await;
                }
            });
        }
    }
}

impl Visit {
    /// Shows how it ended.
    pub(crate) async fn end(self, words: &str) {
        let text = escaped(words);
        let page = format!(
            "<!doctype html><html><head><meta charset=\"utf-8\"><title>Balie</title></head>\
             <body style=\"font:18px system-ui;margin:4em\"><p>{text}</p></body></html>"
        );
        let _ = tokio::time::timeout(PATIENCE, answer(self.stream, "200 OK", page)).await;
    }
}

async fn accept(listener: Option<&TcpListener>) -> io::Result<(TcpStream, SocketAddr)> {
    match listener {
        Some(listener) => listener.accept().await,
        None => std::future::pending().await,
    }
}

/// The target of a request, if it is one for us.
async fn read(mut stream: TcpStream, port: u16) -> Option<(String, TcpStream)> {
    let mut head = Vec::new();
    let mut part = [0; 4096];
    loop {
        let count = stream.read(&mut part).await.ok().filter(|count| *count > 0)?;
        head.extend_from_slice(part.get(..count)?);
        if head.len() > REQUEST {
            return None;
        }
        if head.windows(4).any(|window| window == b"\r\n\r\n") {
            break;
        }
    }
    let target = target_of(&String::from_utf8(head).ok()?, port)?;
    Some((target, stream))
}

/// The target of a GET whose Host is this machine: a name that somebody points at this machine is another site to the browser.
fn target_of(head: &str, port: u16) -> Option<String> {
    let mut lines = head.split("\r\n");
    let mut first = lines.next()?.split(' ');
    let (method, target, version) = (first.next()?, first.next()?, first.next()?);
    let host = lines.find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("host").then(|| value.trim().to_ascii_lowercase())
    })?;
    let (name, of) = host.rsplit_once(':')?;
    let here = name == "localhost"
        || name.trim_matches(['[', ']']).parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
    let ours = method == "GET" && version.starts_with("HTTP/1.") && here && of == port.to_string();
    ours.then(|| target.to_owned())
}

async fn answer(mut stream: TcpStream, status: &str, page: String) {
    // Nothing of the address, which holds the code, is kept or passed on.
    let text = format!(
        "HTTP/1.1 {status}\r\ncontent-type: text/html; charset=utf-8\r\ncontent-length: {}\r\n\
         cache-control: no-store\r\nreferrer-policy: no-referrer\r\nx-content-type-options: nosniff\r\n\
         content-security-policy: default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'\r\n\
         connection: close\r\n\r\n{page}",
        page.len()
    );
    // Whoever asked may be gone.
    let _ = stream.write_all(text.as_bytes()).await;
    let _ = stream.shutdown().await;
}

/// Words as text of a page.
fn escaped(words: &str) -> String {
    let mut text = String::new();
    for char in words.chars().take(1_000) {
        match char {
            '<' => text.push_str("&lt;"),
            '>' => text.push_str("&gt;"),
            '&' => text.push_str("&amp;"),
            '"' => text.push_str("&quot;"),
            '\'' => text.push_str("&#39;"),
            char => text.push(char),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_get_to_this_machine_is_for_us() {
        let get = |line: &str, host: &str| {
            target_of(&format!("{line}\r\nA: b\r\nHost: {host}\r\n\r\n"), 5000)
        };
        for host in ["localhost:5000", "LOCALHOST:5000", "127.0.0.1:5000", "[::1]:5000"] {
            assert_eq!(get("GET /?a=b HTTP/1.1", host).as_deref(), Some("/?a=b"), "{host}");
        }
        for (line, host) in [
            ("GET / HTTP/1.1", "evil.example:5000"),
            ("GET / HTTP/1.1", "localhost.evil.example:5000"),
            ("GET / HTTP/1.1", "localhost:5001"),
            ("GET / HTTP/1.1", "localhost"),
            ("POST / HTTP/1.1", "localhost:5000"),
            ("GET /", "localhost:5000"),
            ("", "localhost:5000"),
        ] {
            assert_eq!(get(line, host), None, "{line} {host}");
        }
        assert_eq!(target_of("GET / HTTP/1.1\r\n\r\n", 5000), None, "no host");
    }

    #[test]
    fn words_stay_words() {
        assert_eq!(escaped("<b onload='x'>&\""), "&lt;b onload=&#39;x&#39;&gt;&amp;&quot;");
    }
}

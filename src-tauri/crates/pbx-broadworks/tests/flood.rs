//! Servers that send without end: no more is kept than one document may hold, and the channel is given up and
//! opened again after a wait.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on fails")]

mod support;

use std::time::Duration;

use pbx_broadworks::{
    Anchors, Client, ClientConfig, Credentials, DocumentError, Notice, Service, XsiError, limits,
    session::{SessionConfig, SessionState},
};
use secrecy::SecretString;
use sip_core::Random;
use support::{Reply, Server, chunk};
use tokio::{sync::mpsc, time::timeout};

/// What a test waits for at most; far more than is needed.
const PATIENCE: Duration = Duration::from_secs(60);
/// Bytes that every server would send.
const FLOOD: usize = 100 << 20;
/// What the program may grow by: one document, its copies on the way, and what the runtime keeps.
const GROWTH: usize = 40 << 20;

const GRANTED: &str = "<Channel xmlns='http://schema.broadsoft.com/xsi'><channelId>c</channelId>\
                       <expires>7200</expires></Channel>";

/// Resident memory of this process, bytes; 0 where the system does not tell.
fn resident() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = statm.split(' ').nth(1).and_then(|pages| pages.parse::<usize>().ok());
    pages.unwrap_or(0) * 4096
}

/// A channel that begins as it should and then brings this again and again.
async fn flooded(piece: Vec<u8>) -> Vec<XsiError> {
    let before = resident();
    let server = Server::start(move |request| {
        if !request.target.ends_with("/v2.0/channel") {
            return Reply::new(404, "text/plain", "");
        }
        let (sender, pieces) = mpsc::channel(4);
        let piece = piece.clone();
        tokio::spawn(async move {
            let _ = sender.send(chunk(GRANTED)).await;
            let mut sent = 0;
            while sent < FLOOD {
                sent += piece.len();
                if sender.send(chunk(&piece)).await.is_err() {
                    return;
                }
            }
        });
        Reply::channel(pieces)
    })
    .await;
    let service = Service::from_addresses(&server.url(), "").unwrap();
    let session = SessionConfig::new("jan@pbx.example", "set-1", "balie");
    let config = ClientConfig { session, service, anchors: Anchors::default(), proxies: false };
    let (client, mut notices) = Client::start(config, Random::from_seed([9; 32])).unwrap();
    client.events(true).await;
    let password = SecretString::from("geheim".to_owned());
    client.sign_in(Credentials::Basic { user: "jan@pbx.example".to_owned(), password }).await;
    let mut why = Vec::new();
    let (mut highest, mut lost) = (0, 0);
    while lost < 2 {
        highest = highest.max(resident().saturating_sub(before));
        match timeout(PATIENCE, notices.recv()).await.expect("an end").unwrap() {
            Notice::Trouble { why: reason, .. } => why.push(reason),
            Notice::Session(SessionState::Lost) => lost += 1,
            _ => {}
        }
    }
    client.close().await;
    let channels =
        server.requests().iter().filter(|one| one.target.ends_with("/v2.0/channel")).count();
    assert!(channels <= 3, "{channels} channels");
    assert!(highest < GROWTH, "the program grew by {} MiB", highest >> 20);
    why
}

// One test: the memory of the process is looked at.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_never_ends_is_given_up_within_limits() {
    // A document that never ends.
    let mut endless = b"<Event>".to_vec();
    endless.extend(vec![b'x'; 65_536]);
    let why = flooded(endless).await;
    assert!(why.contains(&XsiError::Document(DocumentError::TooLarge)), "{why:?}");
    // Ever deeper.
    let why = flooded(b"<a>".repeat(20_000)).await;
    assert!(why.contains(&XsiError::Document(DocumentError::TooLarge)), "{why:?}");
    // What is no document at all.
    let why = flooded(vec![b'x'; limits::JUNK * 4]).await;
    assert!(why.contains(&XsiError::Document(DocumentError::Malformed)), "{why:?}");
}

//! Encrypted sound between two headless programs on loopback, every policy against every other, and what becomes of
//! the keys.

use std::net::UdpSocket;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use e2e::balie::{Account, Balie, program};
use e2e::sound::{Signal, likeness};
use e2e::{pause, speech};
use serde_json::{Value, json};
use tempfile::tempdir;

const LOOPBACK: &str = "127.0.0.1";

/// A port that is free for UDP and TCP at this moment.
fn free_port() -> Result<u16> {
    for _ in 0..20 {
        let udp = UdpSocket::bind((LOOPBACK, 0))?;
        let port = udp.local_addr()?.port();
        if std::net::TcpListener::bind((LOOPBACK, port)).is_ok() {
            return Ok(port);
        }
    }
    bail!("no free port")
}

/// A telephone without a server between.
struct Desk {
    balie: Balie,
    address: String,
}

impl Desk {
    fn start(user: &str, srtp: &str, audio: &str, folder: &Path) -> Result<Self> {
        Self::start_with(user, &[&format!("srtp = \"{srtp}\"")], audio, folder)
    }

    /// The same with these lines in the account's table.
    fn start_with(user: &str, lines: &[&str], audio: &str, folder: &Path) -> Result<Self> {
        let port = free_port()?;
        let direct = Account::direct(user, LOOPBACK, port);
        let account = lines.iter().fold(direct, |account, line| account.with(line));
        let config = account.write(folder, LOOPBACK)?;
        let mut command = Command::new(program()?);
        command.env("BALIE_LOG", "trace");
        let balie = Balie::start_by(command, &config, audio)?;
        Ok(Self { balie, address: format!("sip:{user}@{LOOPBACK}:{port}") })
    }

    fn answer(&mut self) -> Result<Value> {
        let call = self.balie.ringing()?;
        self.balie.request("call.answer", &json!({"call": call}))?;
        self.balie.call_state(&call, "active")?;
        Ok(call)
    }

    fn stats(&mut self, call: &Value) -> Result<Value> {
        self.balie.request("call.stats", &json!({"call": call}))
    }
}

#[test]
fn two_desks_hear_each_other_encrypted_through_hold() -> Result<()> {
    two_desks_hear_each_other(&["srtp = \"required\""])
}

#[test]
fn two_desks_agree_on_keys_in_their_media() -> Result<()> {
    two_desks_hear_each_other(&["srtp = \"required\"", "srtp_keying = \"dtls\""])
}

#[test]
fn two_desks_find_the_way_between_them_by_checks() -> Result<()> {
    two_desks_hear_each_other(&["srtp = \"required\"", "srtp_keying = \"dtls\"", "ice = true"])
}

fn two_desks_hear_each_other(lines: &[&str]) -> Result<()> {
    let folder = tempdir()?;
    let out = folder.path().join("heard.wav");
    let says = format!("wav:{},{},loop", speech().display(), folder.path().join("x.wav").display());
    let hears = format!("wav:{},{},loop", speech().display(), out.display());
    let mut anna = Desk::start_with("101", lines, &says, folder.path())?;
    let mut bart = Desk::start_with("102", lines, &hears, folder.path())?;
    let call = anna.balie.begin(&bart.address)?;
    let theirs = bart.answer()?;
    let active = anna.balie.call_state(&call, "active")?;
    ensure!(active["secure"] == true && active["encryption"] == "keys_exposed", "{active}");
    let sent = Signal::read(&speech())?;
    pause(Duration::from_secs_f64(sent.seconds() + 4.0));
    for _ in 0..2 {
        anna.balie.request("call.hold", &json!({"call": call}))?;
        anna.balie.call_state(&call, "held")?;
        bart.balie.call_state(&theirs, "held_by_peer")?;
        anna.balie.request("call.resume", &json!({"call": call}))?;
        let back = anna.balie.call_state(&call, "active")?;
        ensure!(back["encryption"] == "keys_exposed", "{back}");
    }
    let before = bart.stats(&theirs)?["rx"]["packets"].as_u64().unwrap_or(0);
    e2e::poll("sound after the hold", Duration::from_secs(10), || {
        let stats = bart.stats(&theirs).ok()?;
        (stats["rx"]["packets"].as_u64()? > before + 50).then_some(())
    })?;
    for (desk, call) in [(&mut anna, &call), (&mut bart, &theirs)] {
        let stats = desk.stats(call)?;
        ensure!(stats["suite"] == "AEAD_AES_256_GCM" && stats["unauthenticated"] == 0, "{stats}");
    }
    anna.balie.hangup(&call)?;
    bart.balie.call_state(&theirs, "ended")?;
    ensure!(anna.balie.quit()? == 0 && bart.balie.quit()? == 0, "orderly ends");
    let likeness = likeness(&sent, &Signal::read(&out)?, 0.4)?;
    ensure!(likeness > 0.9, "what was heard resembles what was said by {likeness}");
    Ok(())
}

#[test]
fn policies_meet_or_the_call_is_refused_in_words() -> Result<()> {
    for (caller, callee, wanted) in [
        ("required", "optional", "keys_exposed"),
        ("optional", "required", "keys_exposed"),
        ("optional", "optional", "keys_exposed"),
        ("optional", "off", "none"),
        ("off", "optional", "none"),
    ] {
        let folder = tempdir()?;
        let mut anna = Desk::start("101", caller, "null", folder.path())?;
        let mut bart = Desk::start("102", callee, "null", folder.path())?;
        let call = anna.balie.begin(&bart.address)?;
        let theirs = bart.answer()?;
        let active = anna.balie.call_state(&call, "active")?;
        ensure!(active["encryption"] == wanted, "{caller} to {callee}: {active}");
        for (desk, call) in [(&mut anna, &call), (&mut bart, &theirs)] {
            let flows = |event: &Value| event["call"] == *call && event["rx_active"] == true;
            desk.balie.event("call.media", flows)?;
            let stats = desk.stats(call)?;
            ensure!(stats["encryption"] == wanted, "{caller} to {callee}: {stats}");
            ensure!(stats["secure"] == (wanted != "none"), "{caller} to {callee}: {stats}");
        }
    }
    for (caller, callee, reason) in
        [("required", "off", "no_common_encryption"), ("off", "required", "no_common_codec")]
    {
        let folder = tempdir()?;
        let mut anna = Desk::start("101", caller, "null", folder.path())?;
        let bart = Desk::start("102", callee, "null", folder.path())?;
        let call = anna.balie.begin(&bart.address)?;
        let ended = anna.balie.call_state(&call, "ended")?;
        ensure!(
            ended["status"] == 488 && ended["reason"] == reason,
            "{caller} to {callee}: {ended}"
        );
        ensure!(ended["encryption"] == "none", "{ended}");
    }
    Ok(())
}

/// A peer of the test's own that takes one INVITE and refuses it with `status`.
fn refuse(socket: &UdpSocket, status: &str) -> Result<String> {
    let mut buffer = [0; 4096];
    loop {
        let (length, from) = socket.recv_from(&mut buffer).context("no INVITE came")?;
        let request =
            String::from_utf8_lossy(buffer.get(..length).unwrap_or_default()).into_owned();
        if !request.starts_with("INVITE ") {
            continue;
        }
        let copied = request.lines().filter(|line| {
            ["Via:", "From:", "To:", "Call-ID:", "CSeq:"].iter().any(|name| line.starts_with(name))
        });
        let tagged = copied.map(|line| match line.starts_with("To:") && !line.contains(";tag=") {
            true => format!("{line};tag=them\r\n"),
            false => format!("{line}\r\n"),
        });
        let headers: String = tagged.collect();
        let answer = format!("SIP/2.0 {status}\r\n{headers}Content-Length: 0\r\n\r\n");
        socket.send_to(answer.as_bytes(), from)?;
        return Ok(request);
    }
}

/// The next INVITE that is not a repetition of the one before.
fn refuse_another(socket: &UdpSocket, status: &str, before: &str) -> Result<String> {
    let branch = |text: &str| {
        text.split("branch=").nth(1).map(|rest| rest.chars().take(30).collect::<String>())
    };
    loop {
        let request = refuse(socket, status)?;
        if branch(&request) != branch(before) {
            return Ok(request);
        }
    }
}

fn keys(request: &str) -> Vec<String> {
    let keys = request.split("inline:").skip(1);
    keys.filter_map(|rest| rest.split(['\r', '\n', '|']).next()).map(str::to_owned).collect()
}

#[test]
fn a_wish_is_asked_on_the_plain_profile_and_once_more_on_the_secure_one() -> Result<()> {
    let folder = tempdir()?;
    let socket = UdpSocket::bind((LOOPBACK, 0))?;
    socket.set_read_timeout(Some(Duration::from_secs(15)))?;
    let peer = format!("sip:peer@{}", socket.local_addr()?);
    let mut anna = Desk::start("101", "optional", "null", folder.path())?;
    let call = anna.balie.begin(&peer)?;
    let first = refuse(&socket, "488 Not Acceptable Here")?;
    ensure!(first.contains(" RTP/AVP ") && keys(&first).len() == 4, "{first}");
    let second = refuse_another(&socket, "488 Not Acceptable Here", &first)?;
    ensure!(second.contains(" RTP/SAVP ") && keys(&second).len() == 4, "{second}");
    ensure!(keys(&first).iter().all(|key| !keys(&second).contains(key)), "the keys are new ones");
    let ended = anna.balie.call_state(&call, "ended")?;
    ensure!(ended["reason"] == "no_common_codec", "{ended}");
    Ok(())
}

#[test]
fn keys_leave_the_program_in_descriptions_only() -> Result<()> {
    let folder = tempdir()?;
    let socket = UdpSocket::bind((LOOPBACK, 0))?;
    socket.set_read_timeout(Some(Duration::from_secs(15)))?;
    let peer = format!("sip:peer@{}", socket.local_addr()?);
    let mut anna = Desk::start("101", "required", "null", folder.path())?;
    let call = anna.balie.begin(&peer)?;
    let request = refuse(&socket, "486 Busy Here")?;
    let keys = keys(&request);
    ensure!(keys.len() == 4 && keys.iter().all(|key| key.len() >= 40), "{request}");
    let ended = anna.balie.call_state(&call, "ended")?;
    anna.balie.quit()?;
    let log = std::fs::read_to_string(folder.path().join("balie-101.log"))?;
    ensure!(log.contains("TRACE") || log.contains("DEBUG"), "the log is talkative");
    for key in &keys {
        ensure!(!log.contains(key.as_str()), "a key is in the log");
        ensure!(!ended.to_string().contains(key.as_str()), "a key is in an event");
    }
    ensure!(!log.contains("inline:"), "a crypto attribute is in the log");
    Ok(())
}

#[test]
fn passwords_of_checks_leave_the_program_in_descriptions_only() -> Result<()> {
    let folder = tempdir()?;
    let socket = UdpSocket::bind((LOOPBACK, 0))?;
    socket.set_read_timeout(Some(Duration::from_secs(15)))?;
    let peer = format!("sip:peer@{}", socket.local_addr()?);
    let lines = ["srtp = \"required\"", "srtp_keying = \"dtls\"", "ice = true"];
    let mut anna = Desk::start_with("101", &lines, "null", folder.path())?;
    let mut bart = Desk::start_with("102", &lines, "null", folder.path())?;
    let call = anna.balie.begin(&peer)?;
    let request = refuse(&socket, "486 Busy Here")?;
    let password = request.split("a=ice-pwd:").nth(1).and_then(|rest| rest.split('\r').next());
    let password = password.context("no password")?.to_owned();
    ensure!(password.len() >= 22 && request.contains("a=setup:actpass"), "{request}");
    anna.balie.call_state(&call, "ended")?;
    let call = anna.balie.begin(&bart.address)?;
    let theirs = bart.answer()?;
    let flows = |event: &Value| event["call"] == call && event["rx_active"] == true;
    anna.balie.event("call.media", flows)?;
    anna.balie.hangup(&call)?;
    bart.balie.call_state(&theirs, "ended")?;
    anna.balie.quit()?;
    bart.balie.quit()?;
    for user in ["101", "102"] {
        let log = std::fs::read_to_string(folder.path().join(format!("balie-{user}.log")))?;
        ensure!(log.contains("looking for a path"), "the log is talkative");
        ensure!(!log.contains(&password), "a password is in the log");
        let shown = log.split("ice-pwd:").skip(1).all(|rest| rest.starts_with('…'));
        ensure!(shown && !log.contains("remotePwd"), "a password is in the log");
    }
    Ok(())
}

/// The lines of an account with this policy and this way to agree on keys.
fn terms(srtp: &str, keying: &str) -> [String; 2] {
    [format!("srtp = \"{srtp}\""), format!("srtp_keying = \"{keying}\"")]
}

#[test]
fn ways_to_agree_on_keys_meet_or_the_call_is_refused() -> Result<()> {
    for (caller, callee, wanted) in [
        // Keys by handshake where both can.
        (("required", "both"), ("required", "dtls"), Ok(true)),
        (("optional", "both"), ("optional", "both"), Ok(true)),
        (("optional", "dtls"), ("required", "both"), Ok(true)),
        // In the descriptions where one side knows no other way.
        (("required", "both"), ("required", "sdes"), Ok(true)),
        (("required", "sdes"), ("optional", "both"), Ok(true)),
        // A wish gives way.
        (("optional", "dtls"), ("optional", "sdes"), Ok(false)),
        (("required", "dtls"), ("required", "sdes"), Err("no_common_encryption")),
        (("optional", "sdes"), ("required", "dtls"), Err("no_common_codec")),
    ] {
        let folder = tempdir()?;
        let (ours, theirs) = (terms(caller.0, caller.1), terms(callee.0, callee.1));
        let start = |user: &str, terms: &[String; 2]| {
            let [policy, keying] = terms;
            Desk::start_with(user, &[policy, keying], "null", folder.path())
        };
        let (mut anna, mut bart) = (start("101", &ours)?, start("102", &theirs)?);
        let call = anna.balie.begin(&bart.address)?;
        let secure = match wanted {
            Ok(secure) => secure,
            Err(reason) => {
                let ended = anna.balie.call_state(&call, "ended")?;
                ensure!(ended["reason"] == reason, "{caller:?} to {callee:?}: {ended}");
                continue;
            }
        };
        let theirs = bart.answer()?;
        let active = anna.balie.call_state(&call, "active")?;
        ensure!(active["secure"] == secure, "{caller:?} to {callee:?}: {active}");
        for (desk, call) in [(&mut anna, &call), (&mut bart, &theirs)] {
            let flows = |event: &Value| event["call"] == *call && event["rx_active"] == true;
            desk.balie.event("call.media", flows)?;
            e2e::poll("the keys", Duration::from_secs(10), || {
                (desk.stats(call).ok()?["secure"] == secure).then_some(())
            })?;
        }
    }
    Ok(())
}

/// A STUN server that sees everybody as 203.0.113.9:40001, and answers one question.
fn sees(socket: &UdpSocket) -> Result<()> {
    let mut request = [0; 576];
    let (length, from) = socket.recv_from(&mut request).context("nobody asked")?;
    ensure!(length >= 20 && request.starts_with(&[0, 1]), "no binding request");
    let (cookie, id) = request.get(4..20).context("a header")?.split_at(4);
    let seen = [203, 0, 113, 9, 0x9c, 0x41];
    let hidden = |at: usize, with: usize| {
        seen.get(at).zip(cookie.get(with)).map_or(0, |(byte, cookie)| byte ^ cookie)
    };
    let attribute = [
        [0, 0x20, 0, 8, 0, 1, hidden(4, 0), hidden(5, 1)],
        [hidden(0, 0), hidden(1, 1), hidden(2, 2), hidden(3, 3), 0, 0, 0, 0],
    ];
    let attribute: Vec<u8> = attribute.concat().into_iter().take(12).collect();
    let answer = [&[1, 1, 0, 12], cookie, id, attribute.as_slice()].concat();
    socket.send_to(&answer, from)?;
    Ok(())
}

#[test]
fn an_offer_tells_the_address_that_the_world_sees() -> Result<()> {
    let folder = tempdir()?;
    let (stun, socket) = (UdpSocket::bind((LOOPBACK, 0))?, UdpSocket::bind((LOOPBACK, 0))?);
    for socket in [&stun, &socket] {
        socket.set_read_timeout(Some(Duration::from_secs(15)))?;
    }
    let server = format!("stun = \"{}\"", stun.local_addr()?);
    let peer = format!("sip:peer@{}", socket.local_addr()?);
    let mut anna = Desk::start_with("101", &["ice = true", &server], "null", folder.path())?;
    let call = anna.balie.begin(&peer)?;
    sees(&stun)?;
    let request = refuse(&socket, "486 Busy Here")?;
    let line = request.lines().find(|line| line.contains(" typ srflx ")).context("no candidate")?;
    ensure!(line.contains(" 203.0.113.9 40001 typ srflx raddr 127.0.0.1 rport "), "{line}");
    anna.balie.call_state(&call, "ended")?;
    // A server that is silent costs a moment, and the call goes out without.
    let call = anna.balie.begin(&peer)?;
    let request = refuse(&socket, "486 Busy Here")?;
    ensure!(request.contains(" typ host") && !request.contains(" typ srflx "), "{request}");
    anna.balie.call_state(&call, "ended")?;
    Ok(())
}

/// A network that a stranger has his hands in: what the two ends say passes him, and he puts his own fingerprint into
/// what goes back.
#[test]
fn a_fingerprint_that_was_changed_on_the_way_ends_the_call() -> Result<()> {
    let folder = tempdir()?;
    let lines = terms("required", "dtls");
    let [policy, keying] = &lines;
    let mut anna = Desk::start_with("101", &[policy, keying], "null", folder.path())?;
    let mut bart = Desk::start_with("102", &[policy, keying], "null", folder.path())?;
    let between = UdpSocket::bind((LOOPBACK, 0))?;
    between.set_read_timeout(Some(Duration::from_millis(50)))?;
    let theirs: std::net::SocketAddr =
        bart.address.rsplit('@').next().context("an address")?.parse()?;
    let done = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let relay = {
        let (done, between) = (std::sync::Arc::clone(&done), between.try_clone()?);
        std::thread::spawn(move || lie(&between, theirs, &done))
    };
    let call = anna.balie.begin(&format!("sip:102@{}", between.local_addr()?))?;
    let incoming = bart.answer()?;
    let ended = anna.balie.call_state(&call, "ended")?;
    ensure!(ended["reason"] == "no_common_encryption", "{ended}");
    bart.balie.call_state(&incoming, "ended")?;
    done.store(true, std::sync::atomic::Ordering::Relaxed);
    ensure!(relay.join().is_ok(), "the relay stands");
    Ok(())
}

/// Passes datagrams between whoever calls and `callee`, with another fingerprint in what the callee answers.
fn lie(socket: &UdpSocket, callee: std::net::SocketAddr, done: &std::sync::atomic::AtomicBool) {
    let (mut buffer, mut caller) = ([0; 8192], None);
    while !done.load(std::sync::atomic::Ordering::Relaxed) {
        let Ok((length, from)) = socket.recv_from(&mut buffer) else { continue };
        let text = String::from_utf8_lossy(buffer.get(..length).unwrap_or_default()).into_owned();
        if from != callee {
            caller = Some(from);
            let _ = socket.send_to(text.as_bytes(), callee);
        } else if let Some(caller) = caller {
            // As long as the other, so that lengths stay right.
            let changed = match text.split_once("a=fingerprint:sha-256 ") {
                Some((head, tail)) => {
                    let rest = tail.get(95..).unwrap_or_default();
                    let own = ["AA"; 32].join(":");
                    format!("{head}a=fingerprint:sha-256 {own}{rest}")
                }
                None => text,
            };
            let _ = socket.send_to(changed.as_bytes(), caller);
        }
    }
}

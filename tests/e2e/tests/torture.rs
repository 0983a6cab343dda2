//! The torture messages of RFC 4475 and worse, sent to the running program as they are: each gets the answer the RFC
//! asks for, and the program lives on.

// Each message is answered to the address that it came from, at the port its Via names: 5060 or close to it. That
// takes an address of our own, of which only Linux' loopback has enough.
#![cfg(target_os = "linux")]

use std::collections::{BTreeMap, BTreeSet};
use std::net::{SocketAddr, UdpSocket};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use e2e::balie::Balie;
use e2e::root;
use serde_json::json;
use tempfile::{TempDir, tempdir};

/// Where Balie listens.
const THERE: &str = "127.0.0.1";
/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// What must come back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answer {
    /// A final response with one of these statuses.
    Status(&'static [u16]),
    /// A ringing telephone: a provisional response, and a call that is told of.
    Rings,
    /// Nothing at all.
    Silence,
}

use Answer::{Rings, Silence, Status};

/// One row for each message of the RFC's archive, in the order of its sections.
const RFC_4475: &[(&str, Answer)] = &[
    // 3.1.1: valid.
    // Its To has a tag: it is inside a dialog that is not there.
    ("wsinv", Status(&[481])),
    ("intmeth", Status(&[405, 501])),
    ("esc01", Rings),
    ("escnull", Status(&[405])),
    ("esc02", Status(&[405, 501])),
    ("lwsdisp", Status(&[200])),
    ("longreq", Rings),
    ("dblreq", Status(&[405])),
    ("semiuri", Status(&[200])),
    ("transports", Status(&[200])),
    ("mpart01", Status(&[405, 415])),
    ("unreason", Silence),
    ("noreason", Silence),
    // 3.1.2: invalid.
    ("badinv01", Status(&[400])),
    ("clerr", Status(&[400])),
    ("ncl", Status(&[400])),
    ("scalar02", Status(&[400])),
    ("scalarlg", Silence),
    ("quotbal", Status(&[400])),
    ("ltgtruri", Status(&[400])),
    ("lwsruri", Status(&[400])),
    ("lwsstart", Status(&[400])),
    ("trws", Status(&[400])),
    ("escruri", Status(&[400])),
    ("baddate", Status(&[400])),
    ("regbadct", Status(&[400])),
    ("badaspec", Status(&[400])),
    ("baddn", Status(&[400])),
    ("badvers", Status(&[505])),
    ("mismatch01", Status(&[400])),
    ("mismatch02", Status(&[400, 501])),
    ("bigcode", Silence),
    // 3.2: a branch of the cookie alone.
    ("badbranch", Status(&[200])),
    // 3.3: what they mean.
    ("insuf", Status(&[400])),
    ("unkscm", Status(&[416])),
    ("novelsc", Status(&[416])),
    ("unksm2", Status(&[405])),
    ("bext01", Status(&[420])),
    ("invut", Status(&[415])),
    ("regaut01", Status(&[405])),
    ("multi01", Status(&[400])),
    ("mcl01", Status(&[400])),
    ("bcast", Silence),
    ("zeromf", Status(&[200])),
    ("cparam01", Status(&[405])),
    ("cparam02", Status(&[405])),
    ("regescrt", Status(&[405])),
    ("sdp01", Status(&[406])),
    // 3.4: RFC 2543.
    ("inv2543", Rings),
    // In the archive, not in the text: no SIP version, no Via.
    ("test", Silence),
];

/// Everybody the messages ask for, so that each is judged by what it says and not by whom it is for.
const USERS: &[&str] = &[
    "vivekg",
    "user",
    "sips%3Auser%40example.com",
    "UserB",
    "t.watson",
    "remote-target",
    "kumiko",
    "j_user",
    "user;par=u%40example.net",
    "1_unusual.URI~(to-be!sure)&isn't+it$/crazy,/;;*",
];

fn corpus() -> PathBuf {
    root().join("src-tauri/crates/sip-types/tests/torture/rfc4475")
}

/// The torturer: one address with every port that is answered to.
struct Torturer {
    host: &'static str,
    /// By port. 5060 sends.
    ports: BTreeMap<u16, UdpSocket>,
    balie: SocketAddr,
    probes: u32,
}

impl Torturer {
    /// At an address of its own, so that several may be at it at once.
    fn new(host: &'static str, balie: SocketAddr) -> Result<Self> {
        let mut ports = BTreeMap::new();
        for port in [5050, 5060, 5061, 5070] {
            let socket =
                UdpSocket::bind((host, port)).with_context(|| format!("{host}:{port} is taken"))?;
            socket.set_nonblocking(true)?;
            ports.insert(port, socket);
        }
        Ok(Self { host, ports, balie, probes: 0 })
    }

    fn send(&self, bytes: &[u8]) -> Result<()> {
        let socket = self.ports.get(&5060).context("5060 is ours")?;
        socket.send_to(bytes, self.balie)?;
        Ok(())
    }

    /// All answers to what was sent before, told by an OPTIONS request sent after it: Balie takes datagrams in order.
    /// `fits` picks the answers that are wanted, `enough` ends the wait for those that take a turn more.
    fn answers(
        &mut self,
        fits: impl Fn(&Response) -> bool,
        enough: impl Fn(&[Response]) -> bool,
    ) -> Result<Vec<Response>> {
        self.probes += 1;
        let id = format!("probe-{}", self.probes);
        let (mut found, mut alive, mut round) = (Vec::new(), false, 0_u32);
        let done = e2e::poll("an answer", PATIENCE, || {
            // A datagram may be lost among huge ones; a probe is repeated as any request over UDP.
            if !alive && round.is_multiple_of(25) {
                self.send(self.probe(&id).as_bytes()).ok()?;
            }
            round += 1;
            for response in self.take() {
                match response.header("Call-ID") {
                    Some(call) if call == id => alive = true,
                    _ if fits(&response) => found.push(response),
                    _ => {}
                }
            }
            (alive && enough(&found)).then_some(())
        });
        ensure!(alive, "Balie does not answer any more");
        done.with_context(|| format!("what came: {found:?}"))?;
        Ok(found)
    }

    fn probe(&self, id: &str) -> String {
        let host = self.host;
        format!(
            "OPTIONS sip:user@{THERE} SIP/2.0\r\nVia: SIP/2.0/UDP {host}:5060;branch=z9hG4bK{id}\r\n\
             Max-Forwards: 70\r\nFrom: <sip:probe@{host}>;tag={id}\r\nTo: <sip:user@{THERE}>\r\n\
             Call-ID: {id}\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"
        )
    }

    /// Every datagram that has arrived.
    fn take(&self) -> Vec<Response> {
        let mut buffer = vec![0; 65_536];
        let mut taken = Vec::new();
        for socket in self.ports.values() {
            while let Ok(length) = socket.recv(&mut buffer) {
                let bytes = buffer.get(..length).unwrap_or_default();
                taken.push(Response(String::from_utf8_lossy(bytes).into_owned()));
            }
        }
        taken
    }
}

/// A response as text.
#[derive(Debug)]
struct Response(String);

impl Response {
    fn status(&self) -> Option<u16> {
        self.0.strip_prefix("SIP/2.0 ")?.get(..3)?.parse().ok()
    }

    fn header(&self, name: &str) -> Option<String> {
        let head = self.0.split("\r\n\r\n").next()?;
        head.lines().find_map(|line| {
            let (found, value) = line.split_once(':')?;
            found.trim().eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
        })
    }
}

/// A Balie that answers anybody, with an account for everybody the messages ask for. Another program may take the
/// chosen port before it does; it is then started with another.
fn start(folder: &TempDir) -> Result<(Balie, SocketAddr)> {
    let mut last = None;
    for _ in 0..5 {
        let (mut balie, address) = start_once(folder)?;
        match balie.request("view.get", &json!({})) {
            Ok(_) => return Ok((balie, address)),
            Err(error) => last = Some(error),
        }
    }
    Err(last.context("it was not started")?)
}

fn start_once(folder: &TempDir) -> Result<(Balie, SocketAddr)> {
    let socket = UdpSocket::bind((THERE, 0))?;
    let port = socket.local_addr()?.port();
    drop(socket);
    let mut text = String::new();
    for (number, user) in USERS.iter().enumerate() {
        text.push_str(&format!(
            "[[account]]\nid = \"account{number}\"\naor = {:?}\nregister = false\nmwi = false\n",
            format!("sip:{user}@{THERE}:{port}")
        ));
    }
    text.push_str(&format!(
        "[network]\nbind = \"{THERE}\"\nsip_port = {port}\nrtp_ports = [44000, 44999]\n\
         [paths]\ndata_dir = {:?}\n",
        folder.path().join("data")
    ));
    let config = folder.path().join("balie.toml");
    std::fs::write(&config, text)?;
    Ok((Balie::start(&config, "none")?, SocketAddr::new(THERE.parse()?, port)))
}

#[test]
fn every_torture_message_gets_its_answer_from_the_running_program() -> Result<()> {
    let named: BTreeSet<String> = RFC_4475.iter().map(|(name, _)| format!("{name}.dat")).collect();
    let there: BTreeSet<String> = std::fs::read_dir(corpus())?
        .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
        .collect::<Result<_>>()?;
    ensure!(named == there, "every message of the archive has its row");
    let folder = tempdir()?;
    let (mut balie, address) = start(&folder)?;
    let mut torturer = Torturer::new("127.77.0.1", address)?;
    let (mut wrong, mut seen) = (Vec::new(), BTreeSet::new());
    for (name, answer) in RFC_4475 {
        let bytes = std::fs::read(corpus().join(format!("{name}.dat")))?;
        if !seen.insert(transaction(&String::from_utf8_lossy(&bytes))) {
            // Some messages share a branch: to who has seen the one, the other is its repetition.
            ensure!(balie.quit()? == 0, "it ends in good order before {name}");
            (balie, torturer.balie) = start(&folder)?;
            seen = BTreeSet::from([transaction(&String::from_utf8_lossy(&bytes))]);
        }
        torturer.send(&bytes)?;
        let call = call_id(&String::from_utf8_lossy(&bytes));
        if let Err(error) = judge(&mut balie, &mut torturer, call.as_deref(), *answer) {
            wrong.push(format!("{name}: {error:#}"));
        }
    }
    ensure!(wrong.is_empty(), "{wrong:#?}");
    ensure!(balie.quit()? == 0, "it ends in good order after all that");
    Ok(())
}

/// What a transaction is known by: the method and the first Via.
fn transaction(text: &str) -> (String, String) {
    let method = text.split_whitespace().next().unwrap_or_default();
    let via = text.lines().find(|line| line.to_lowercase().starts_with("via"));
    (method.to_owned(), via.unwrap_or(text).to_owned())
}

/// The Call-ID of a message, whatever its other faults.
fn call_id(text: &str) -> Option<String> {
    text.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        let name = name.trim().to_lowercase();
        (name == "call-id" || name == "i").then(|| value.trim().to_owned())
    })
}

fn judge(
    balie: &mut Balie,
    torturer: &mut Torturer,
    call: Option<&str>,
    answer: Answer,
) -> Result<()> {
    let is_final = |response: &Response| response.status().is_some_and(|status| status >= 200);
    // Refused calls of before are told so again and again: nobody acknowledges.
    let own = |response: &Response| response.header("Call-ID").as_deref() == call;
    match answer {
        Silence => {
            let found = torturer.answers(own, |_| true)?;
            ensure!(found.is_empty(), "answered with {found:?}");
        }
        Status(allowed) => {
            let found = torturer.answers(own, |found| found.iter().any(is_final))?;
            let last = found.iter().find(|response| is_final(response)).context("an answer")?;
            ensure!(last.status().is_some_and(|status| allowed.contains(&status)), "got {found:?}");
            ensure!(told(last), "{last:?} lacks what it must tell");
        }
        Rings => {
            let rings = |response: &Response| response.status().is_some_and(|code| code > 100);
            let found = torturer.answers(own, |found| found.iter().any(rings))?;
            let status = found.iter().find(|response| rings(response)).and_then(Response::status);
            ensure!(status == Some(180), "got {found:?}");
            let call = balie.ringing()?;
            balie.request("call.reject", &json!({"call": call}))?;
            balie.call_state(&call, "ended")?;
            let refused = torturer.answers(own, |found| found.iter().any(is_final))?;
            ensure!(refused.iter().any(|response| response.status() == Some(486)), "{refused:?}");
        }
    }
    Ok(())
}

/// Whether a refusal says what the sender has to do otherwise.
fn told(response: &Response) -> bool {
    match response.status() {
        Some(405) => response.header("Allow").is_some(),
        Some(420) => {
            let unsupported = response.header("Unsupported").unwrap_or_default();
            ["nothingSupportsThis", "nothingSupportsThisEither"]
                .iter()
                .all(|tag| unsupported.to_lowercase().contains(&tag.to_lowercase()))
        }
        Some(415) => response.header("Accept").is_some(),
        _ => true,
    }
}

#[test]
fn huge_and_senseless_datagrams_change_nothing() -> Result<()> {
    let folder = tempdir()?;
    let (balie, address) = start(&folder)?;
    let mut torturer = Torturer::new("127.77.0.2", address)?;
    let before = e2e::measure::usage(balie.id())?;
    for number in 0..40_u32 {
        for bytes in senseless(torturer.host, number) {
            torturer.send(&bytes)?;
        }
        // Proves after each batch that it lives.
        torturer.answers(|_| false, |_| true)?;
    }
    let after = e2e::measure::usage(balie.id())?;
    ensure!(
        after.rss_kib < before.rss_kib + 40_960,
        "memory grew from {} to {} KiB",
        before.rss_kib,
        after.rss_kib
    );
    ensure!(!balie.has_come("call.state"), "none of them is a call");
    ensure!(balie.quit()? == 0, "it ends in good order after all that");
    Ok(())
}

/// Datagrams that are no good: as large as they get, with endless rows, endless names, no end, no sense.
fn senseless(here: &str, seed: u32) -> Vec<Vec<u8>> {
    let head = |body: usize| {
        format!(
            "INVITE sip:user@{THERE} SIP/2.0\r\nVia: SIP/2.0/UDP {here}:5060;branch=z9hG4bKhuge{seed}-{body}\r\n\
             From: <sip:a@{here}>;tag=a\r\nTo: <sip:user@{THERE}>\r\nCall-ID: huge-{seed}-{body}\r\nCSeq: 1 INVITE\r\n"
        )
    };
    let mut noise = seed.wrapping_mul(2_654_435_761);
    let random: Vec<u8> = std::iter::repeat_with(|| {
        noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (noise >> 24) as u8
    })
    .take(1_400)
    .collect();
    vec![
        format!("{}{}\r\n", head(1), "X-Row: y\r\n".repeat(5_000)).into_bytes(),
        format!("{}X-Long: {}\r\n\r\n", head(2), "a".repeat(60_000)).into_bytes(),
        format!("{}Contact: {}\r\n\r\n", head(3), "<sip:a@b>,".repeat(5_000)).into_bytes(),
        format!("{}Content-Length: 4294967295\r\n\r\nx", head(4)).into_bytes(),
        format!("{}Content-Length: -1\r\n\r\n", head(5)).into_bytes(),
        format!("INVITE sip:{}@{THERE} SIP/2.0\r\n\r\n", "%00".repeat(15_000)).into_bytes(),
        format!("{}Content-Type: multipart/mixed;boundary=\"\"\r\n\r\n--\r\n--\r\n", head(6))
            .into_bytes(),
        "\r\n".repeat(30_000).into_bytes(),
        vec![0; 60_000],
        Vec::new(),
        random,
    ]
}

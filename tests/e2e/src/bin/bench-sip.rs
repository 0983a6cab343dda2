//! What signalling costs: messages read and written a second, the time to a registration beside baresip, and a
//! thousand watched lines that change two hundred times a second.

use std::collections::BTreeMap;
use std::hint::black_box;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use e2e::balie::{Account, Balie};
use e2e::baresip::{Baresip, Settings};
use e2e::lamps::{Lamps, now};
use e2e::measure::{median, usage};
use e2e::sound::Signal;
use e2e::{PHONES, SERVER, pause, speech};
use serde_json::json;
use sip_types::{Message, validate};
use tempfile::tempdir;

const LINES: usize = 1_000;
/// Changes a second.
const RATE: u32 = 200;
/// Changes that are measured.
const CHANGES: usize = 6_000;
const ROUNDS: usize = 5;

#[expect(clippy::print_stdout, reason = "the table is what this program is for")]
fn say(line: &str) {
    println!("{line}");
}

fn main() -> Result<()> {
    let folder = tempdir()?;
    messages()?;
    registration(folder.path())?;
    watched_lines(folder.path())
}

/// Whole messages, each read with its headers, judged, and written again.
fn messages() -> Result<()> {
    say("message        bytes  read and judged/s  written/s");
    for (name, text) in [("INVITE", INVITE), ("NOTIFY", NOTIFY)] {
        let text = text.replace('\n', "\r\n");
        let bytes = text.as_bytes();
        let Message::Request(request) = Message::parse(bytes)? else {
            anyhow::bail!("{name} is a request");
        };
        let read = a_second(|| {
            if let Ok(Message::Request(request)) = Message::parse(black_box(bytes)) {
                let _ = black_box(validate(&request));
            }
        });
        let written = a_second(|| {
            black_box(request.to_bytes());
        });
        say(&format!("{name:13}  {:5}  {read:17.0}  {written:9.0}", bytes.len()));
    }
    Ok(())
}

/// How often something can be done in a second, on one core; best of three, so that others' work counts least.
fn a_second(mut work: impl FnMut()) -> f64 {
    let mut best = 0.0_f64;
    for _ in 0..3 {
        let (start, mut count) = (now(), 0_u32);
        while start.elapsed() < Duration::from_millis(700) {
            for _ in 0..100 {
                work();
            }
            count += 100;
        }
        best = best.max(f64::from(count) / start.elapsed().as_secs_f64());
    }
    best
}

/// From the start of the program to its accepted registration, challenge included; interleaved with baresip.
fn registration(folder: &Path) -> Result<()> {
    let lamps = Lamps::start(SERVER)?;
    let server = lamps.address()?.to_string();
    let microphone = folder.join("microphone.wav");
    Signal::read(&speech())?.raised_to(48_000)?.write(&microphone)?;
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let config = Account::new("101", "geheim", &server)
            .with("mwi = false")
            .with("reg_event = false")
            .write(folder, PHONES)?;
        let start = now();
        let balie = Balie::start(&config, "null")?;
        ours.push(registered(&lamps, start)?);
        balie.quit()?;
        let settings = Settings {
            user: "110".to_owned(),
            password: "geheim".to_owned(),
            server: server.clone(),
            sip_port: 5080,
            control_port: 4444,
            microphone: microphone.clone(),
            codecs: "PCMA/8000/1".to_owned(),
            encryption: String::new(),
        };
        lamps.take_registered();
        let start = now();
        let baresip = Baresip::start(&settings, folder)?;
        theirs.push(registered(&lamps, start)?);
        drop(baresip);
        lamps.take_registered();
    }
    say(&format!(
        "\nstart of the program to registered, median of {ROUNDS}: balie {:.1} ms, baresip {:.1} ms",
        median(ours),
        median(theirs)
    ));
    Ok(())
}

fn registered(lamps: &Lamps, start: Instant) -> Result<f64> {
    let at = e2e::poll("a registration", Duration::from_secs(20), || lamps.take_registered())?;
    Ok((at - start).as_secs_f64() * 1_000.0)
}

fn watched_lines(folder: &Path) -> Result<()> {
    let lamps = Lamps::start(SERVER)?;
    let server = lamps.address()?;
    let account = Account::new("101", "geheim", &server.to_string())
        .with("mwi = false")
        .with("reg_event = false");
    let mut balie = Balie::start(&account.write(folder, PHONES)?, "none")?;
    balie.registered()?;
    pause(Duration::from_secs(1));
    let empty = usage(balie.id())?;
    let users: Vec<String> = (0..LINES).map(|line| format!("{}", 20_000 + line)).collect();
    let uris: Vec<String> = users.iter().map(|user| format!("sip:{user}@{server}")).collect();
    let began = now();
    balie.request("line.watch", &json!({"uris": uris}))?;
    let mut known = BTreeMap::new();
    while known.len() < LINES {
        let event = balie.event_within("line.state", Duration::from_secs(60), |event| {
            event["state"] == "idle"
        })?;
        known.insert(event["uri"].to_string(), ());
    }
    let took = began.elapsed();
    pause(Duration::from_secs(1));
    let full = usage(balie.id())?;
    say(&format!(
        "\n{LINES} lines watched in {:.2} s; memory {} -> {} KiB, {:.1} KiB a line",
        took.as_secs_f64(),
        empty.rss_kib,
        full.rss_kib,
        (full.rss_kib.saturating_sub(empty.rss_kib)) as f64 / LINES as f64
    ));
    let mut times = change_them(&lamps, &mut balie, &users)?;
    let (accepted, refused) = lamps.answers();
    ensure!(refused == 0, "{refused} notifications were refused, {accepted} accepted");
    times.sort_by(f64::total_cmp);
    let at =
        |share: f64| times.get((times.len() as f64 * share) as usize).copied().unwrap_or(f64::NAN);
    say(&format!(
        "from NOTIFY sent to line.state printed, {} changes: p50 {:.2} ms, p99 {:.2} ms, worst {:.2} ms",
        times.len(),
        at(0.5),
        at(0.99),
        times.last().copied().unwrap_or(f64::NAN)
    ));
    balie.quit()?;
    Ok(())
}

/// Changes one line after the other at the rate, and gives back how long each took to be shown, milliseconds.
fn change_them(lamps: &Lamps, balie: &mut Balie, users: &[String]) -> Result<Vec<f64>> {
    let before = usage(balie.id())?;
    let start = now();
    let step = Duration::from_secs(1) / RATE;
    let (mut sent, mut times) = (BTreeMap::new(), Vec::with_capacity(CHANGES));
    let mut busy = vec![false; users.len()];
    let mut number = 0_u32;
    while times.len() < CHANGES {
        let due = start + step * number;
        if (number as usize) < CHANGES && now() >= due {
            // A step that is prime to the number of lines visits all of them.
            let line = (number as usize * 337) % users.len();
            let (user, state) =
                (users.get(line).context("a line")?, busy.get_mut(line).context("a line")?);
            *state = !*state;
            sent.insert((user.clone(), *state), now());
            lamps.change(user, *state)?;
            number += 1;
            continue;
        }
        let left = due
            .saturating_duration_since(now())
            .clamp(Duration::from_micros(200), Duration::from_secs(10));
        let Some(event) = balie.next_event("line.state", left)? else {
            ensure!((number as usize) < CHANGES, "{} of {CHANGES} changes were shown", times.len());
            continue;
        };
        let uri = event["uri"].as_str().unwrap_or_default();
        let user = uri.trim_start_matches("sip:").split('@').next().unwrap_or_default();
        if let Some(at) = sent.remove(&(user.to_owned(), event["state"] == "busy")) {
            times.push(at.elapsed().as_secs_f64() * 1_000.0);
        }
    }
    let after = usage(balie.id())?;
    let share = (after.cpu_seconds - before.cpu_seconds) / start.elapsed().as_secs_f64() * 100.0;
    say(&format!(
        "{CHANGES} changes at {RATE} a second: processor {share:.1} % of one core, memory {} -> {} KiB",
        before.rss_kib, after.rss_kib
    ));
    Ok(times)
}

const INVITE: &str = "INVITE sip:101@192.0.2.10:5060 SIP/2.0
Via: SIP/2.0/UDP 198.51.100.7:5060;branch=z9hG4bK74bf9.1f3a;rport
Via: SIP/2.0/TCP 198.51.100.9:5060;branch=z9hG4bK2231;received=198.51.100.9
Record-Route: <sip:198.51.100.7;lr>
Max-Forwards: 68
From: \"Mevrouw De Vries\" <sip:0302318800@example.test;user=phone>;tag=9fxced76sl
To: \"Receptie\" <sip:101@example.test>
Call-ID: 3848276298220188511@198.51.100.9
CSeq: 4711 INVITE
Contact: <sip:0302318800@198.51.100.9:5060;transport=tcp>
P-Asserted-Identity: \"Mevrouw De Vries\" <sip:+31302318800@example.test>
Diversion: <sip:0201234567@example.test>;reason=unconditional;counter=1
Allow: INVITE, ACK, BYE, CANCEL, OPTIONS, INFO, UPDATE, PRACK, REFER, NOTIFY
Supported: 100rel, timer, replaces, outbound, path
Session-Expires: 1800;refresher=uac
Min-SE: 90
User-Agent: Exchange/21.0
Content-Type: application/sdp
Content-Length: 313

v=0
o=- 1728371 1 IN IP4 198.51.100.9
s=-
c=IN IP4 198.51.100.9
t=0 0
m=audio 20010 RTP/AVP 96 9 8 0 101
a=rtpmap:96 opus/48000/2
a=fmtp:96 useinbandfec=1;maxaveragebitrate=32000
a=rtpmap:9 G722/8000
a=rtpmap:8 PCMA/8000
a=rtpmap:0 PCMU/8000
a=rtpmap:101 telephone-event/8000
a=fmtp:101 0-15
a=ptime:20
";

const NOTIFY: &str = "NOTIFY sip:101@192.0.2.10:5060 SIP/2.0
Via: SIP/2.0/UDP 198.51.100.7:5060;branch=z9hG4bK74bf9.9a1;rport
Max-Forwards: 70
From: <sip:102@example.test>;tag=as5d3
To: <sip:101@example.test>;tag=7e1
Call-ID: 22b17c9@192.0.2.10
CSeq: 1042 NOTIFY
Contact: <sip:198.51.100.7:5060>
Event: dialog
Subscription-State: active;expires=3599
Content-Type: application/dialog-info+xml
Content-Length: 278

<?xml version=\"1.0\"?>
<dialog-info xmlns=\"urn:ietf:params:xml:ns:dialog-info\" version=\"41\" state=\"full\" entity=\"sip:102@example.test\"><dialog id=\"as5d3\" direction=\"recipient\"><state>confirmed</state><remote><identity>sip:0302318800@example.test</identity></remote></dialog></dialog-info>
";

//! Somebody who calls, over plain SIP without a registrar, and sends exactly the packets that it is told, each at its
//! moment: so that several programs hear the same speech with the same losses and delays.

use std::net::UdpSocket;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use sdp::CodecKind;

use crate::{SERVER, deadline, is_over, pause};

/// How long a program may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// Payload type of Opus in our offer.
const OPUS: u8 = 111;

/// Numbers calls, so that each has names of its own.
static CALLS: AtomicU32 = AtomicU32::new(1);

/// A packet and its moment.
#[derive(Debug, Clone)]
pub struct Sound {
    /// When it arrives, in microseconds after the first sample was said.
    pub at: u64,
    /// Which packet of 20 ms, from 0.
    pub number: usize,
    /// What is in it.
    pub payload: Vec<u8>,
}

/// One call; begun, not yet answered.
pub struct Caller {
    sip: UdpSocket,
    rtp: UdpSocket,
    /// Where the program listens, and as whom.
    peer: String,
    uri: String,
    codec: CodecKind,
    number: u32,
    port: u16,
}

/// A call that was answered.
pub struct Call {
    caller: Caller,
    /// `To` with its tag, and where requests go.
    to: String,
    contact: String,
    sound_to: String,
    payload_type: u8,
}

impl Caller {
    /// Calls `user` at `peer` (host and port) with one codec.
    ///
    /// # Errors
    /// When nothing can be sent.
    pub fn begin(user: &str, peer: &str, codec: CodecKind) -> Result<Self> {
        let sip = UdpSocket::bind((SERVER, 0))?;
        sip.set_read_timeout(Some(Duration::from_millis(100)))?;
        let rtp = UdpSocket::bind((SERVER, 0))?;
        let port = sip.local_addr()?.port();
        let number = CALLS.fetch_add(1, Ordering::Relaxed);
        let uri = format!("sip:{user}@{peer}");
        let caller = Self { sip, rtp, peer: peer.to_owned(), uri, codec, number, port };
        let description = caller.description()?;
        let rest = format!(
            "Contact: <sip:speech@{SERVER}:{port}>\r\nContent-Type: application/sdp\r\n\
             Content-Length: {}\r\n\r\n{description}",
            description.len()
        );
        caller.request("INVITE", 1, &caller.uri, &format!("<{}>", caller.uri), &rest)?;
        Ok(caller)
    }

    fn payload_type(&self) -> u8 {
        self.codec.static_payload_type().unwrap_or(OPUS)
    }

    fn description(&self) -> Result<String> {
        let (port, kind, number) = (self.rtp.local_addr()?.port(), self.codec, self.payload_type());
        let map = match kind {
            CodecKind::Opus => {
                format!("opus/48000/2\r\na=fmtp:{number} useinbandfec=1")
            }
            _ => format!("{}/8000", kind.encoding_name()),
        };
        Ok(format!(
            "v=0\r\no=- 1 1 IN IP4 {SERVER}\r\ns=-\r\nc=IN IP4 {SERVER}\r\nt=0 0\r\n\
             m=audio {port} RTP/AVP {number}\r\na=rtpmap:{number} {map}\r\na=ptime:20\r\na=sendrecv\r\n"
        ))
    }

    fn request(&self, method: &str, cseq: u32, uri: &str, to: &str, rest: &str) -> Result<()> {
        let Self { number, port, .. } = self;
        let text = format!(
            "{method} {uri} SIP/2.0\r\nVia: SIP/2.0/UDP {SERVER}:{port};branch=z9hG4bK{number}{method};rport\r\n\
             Max-Forwards: 70\r\nFrom: \"Speech\" <sip:speech@{SERVER}:{port}>;tag=s{number}\r\nTo: {to}\r\n\
             Call-ID: speech-{number}-{port}\r\nCSeq: {cseq} {method}\r\n{rest}"
        );
        self.sip.send_to(text.as_bytes(), &self.peer)?;
        Ok(())
    }

    /// Waits until the program has answered.
    ///
    /// # Errors
    /// When it refuses or does not in time.
    pub fn answered(self) -> Result<Call> {
        let end = deadline(PATIENCE);
        while !is_over(end) {
            let Some(text) = self.receive() else { continue };
            let status = text.strip_prefix("SIP/2.0 ").and_then(|rest| rest.get(..3));
            match status {
                Some("200") => return self.take_answer(&text),
                Some(status) if status >= "300" => bail!("{} answers {status}", self.uri),
                _ => {}
            }
        }
        bail!("{} does not answer", self.uri)
    }

    fn receive(&self) -> Option<String> {
        let mut buffer = [0; 8_192];
        let length = self.sip.recv(&mut buffer).ok()?;
        Some(String::from_utf8_lossy(buffer.get(..length)?).into_owned())
    }

    fn take_answer(self, text: &str) -> Result<Call> {
        let to = header(text, "To").context("an answer without To")?;
        let contact = header(text, "Contact")
            .and_then(|value| Some(value.split_once('<')?.1.split_once('>')?.0.to_owned()))
            .unwrap_or_else(|| self.uri.clone());
        let line = |start: &str| text.lines().find_map(|line| line.strip_prefix(start));
        let host = line("c=IN IP4 ").context("an answer without an address")?.trim().to_owned();
        let media: Vec<&str> =
            line("m=audio ").context("an answer without sound")?.split_whitespace().collect();
        let [port, _, number, ..] = media[..] else { bail!("an odd answer: {media:?}") };
        ensure!(port != "0", "{} takes no {}", self.uri, self.codec);
        self.request("ACK", 1, &contact, &to, "Content-Length: 0\r\n\r\n")?;
        let (sound_to, payload_type) = (format!("{host}:{port}"), number.parse()?);
        Ok(Call { caller: self, to, contact, sound_to, payload_type })
    }
}

impl Call {
    /// Sends every packet at its moment after `start`; in the order of their arrival.
    ///
    /// # Errors
    /// When nothing can be sent.
    pub fn speak(&self, start: Instant, sounds: &[Sound]) -> Result<()> {
        let step = self.caller.codec.clock_rate() / 50;
        for Sound { at, number, payload } in sounds {
            wait_until(start + Duration::from_micros(*at));
            let number = u32::try_from(*number)?;
            let mut packet = vec![0x80, self.payload_type | if number == 0 { 0x80 } else { 0 }];
            packet.extend_from_slice(&u16::try_from((number + 1_000) % 65_536)?.to_be_bytes());
            packet.extend_from_slice(&(number * step + 16_000).to_be_bytes());
            packet.extend_from_slice(&self.caller.number.to_be_bytes());
            packet.extend_from_slice(payload);
            self.caller.rtp.send_to(&packet, &self.sound_to)?;
        }
        Ok(())
    }

    /// Hangs up and waits until the program has understood.
    ///
    /// # Errors
    /// When it does not.
    pub fn end(self) -> Result<()> {
        let Self { caller, to, contact, .. } = self;
        let end = deadline(PATIENCE);
        while !is_over(end) {
            caller.request("BYE", 2, &contact, &to, "Content-Length: 0\r\n\r\n")?;
            let again = deadline(Duration::from_millis(500));
            while !is_over(again) {
                let answer = caller.receive();
                let over = |text: &String| {
                    text.starts_with("SIP/2.0 ") && text.to_ascii_lowercase().contains("2 bye")
                };
                if answer.as_ref().is_some_and(over) {
                    return Ok(());
                }
            }
        }
        bail!("{} does not hang up", caller.uri)
    }
}

fn header(text: &str, name: &str) -> Option<String> {
    text.lines().find_map(|line| {
        let (key, value) = line.split_once(':')?;
        key.trim().eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
    })
}

#[expect(clippy::disallowed_methods, reason = "each packet has its moment")]
fn wait_until(at: Instant) {
    let left = at.saturating_duration_since(Instant::now());
    if !left.is_zero() {
        pause(left);
    }
}

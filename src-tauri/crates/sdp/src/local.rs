//! Writing our side: which numbers the codecs get, what the lines look like, and when the version grows.

use sdp_types::{Attribute, Connection, Media, Origin, Session, Time};

use crate::codec::{Codec, CodecKind};
use crate::crypto::CryptoAttribute;
use crate::description::SessionDescription;
use crate::dtls::Setup;
use crate::media::{Direction, LocalMedia, TelephoneEvent};

/// One media line of the dialog: its place never changes (RFC 3264, 8).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Slot {
    /// The line our audio uses; all others are refused with port 0.
    pub(crate) active: bool,
    media: String,
    protocol: String,
    formats: String,
    /// Its name, and whether it is in a bundle, as the peer has it.
    mid: Option<(String, bool)>,
}

impl Slot {
    /// Our audio line in a first offer.
    pub(crate) fn audio(protocol: &str) -> Self {
        Self {
            active: true,
            media: "audio".into(),
            protocol: protocol.into(),
            formats: String::new(),
            mid: None,
        }
    }

    /// The same line on the profile that the peer uses for it.
    pub(crate) fn carried_by(&mut self, protocol: &str) {
        protocol.clone_into(&mut self.protocol);
    }

    /// A line of the peer's, refused for the time being.
    pub(crate) fn refused(media: &Media) -> Self {
        Self {
            active: false,
            media: media.media.clone(),
            protocol: media.proto.clone(),
            formats: media.fmt.clone(),
            mid: None,
        }
    }

    /// This line is the audio, under that name.
    pub(crate) fn accept(&mut self, mid: Option<(String, bool)>) {
        self.active = true;
        self.mid = mid;
    }

    fn media(&self, port: u16, formats: String, attributes: Vec<Attribute>) -> Media {
        Media {
            media: self.media.clone(),
            port,
            num_ports: None,
            proto: self.protocol.clone(),
            fmt: formats,
            media_title: None,
            connections: Vec::new(),
            bandwidths: Vec::new(),
            key: None,
            attributes,
        }
    }
}

/// The payload types of one dialog: a number once used keeps its meaning (RFC 3264, 8.3.2).
#[derive(Debug, Clone, Default)]
pub(crate) struct Numbering {
    codecs: Vec<(CodecKind, u8)>,
    events: Vec<TelephoneEvent>,
}

impl Numbering {
    /// Remembers the peer's numbers.
    pub(crate) fn learn(&mut self, codecs: &[Codec], events: &[TelephoneEvent]) {
        for codec in codecs {
            self.codecs.retain(|(kind, _)| *kind != codec.kind);
            self.codecs.push((codec.kind, codec.payload_type));
        }
        for event in events {
            self.events.retain(|known| known.clock_rate != event.clock_rate);
            self.events.push(*event);
        }
    }

    /// Numbers for an offer: those of before, else the static ones, else free ones.
    pub(crate) fn offer(&mut self, local: &LocalMedia) -> (Vec<Codec>, Vec<TelephoneEvent>) {
        let mut codecs: Vec<Codec> = Vec::new();
        for kind in &local.codecs {
            if !codecs.iter().any(|codec| codec.kind == *kind) {
                let number = self.codec_number(*kind);
                codecs.push(codec(*kind, number, local.silence_suppression));
            }
        }
        let mut events = Vec::new();
        for (clock_rate, usual) in [(48_000, 102), (8_000, 101)] {
            let wanted = codecs.iter().any(|codec| codec.clock_rate == clock_rate);
            // 8000 is offered in any case: many peers know no other.
            if local.telephone_event && (wanted || clock_rate == 8_000) {
                let payload_type = self.event_number(clock_rate, usual);
                events.push(TelephoneEvent { payload_type, clock_rate });
            }
        }
        (codecs, events)
    }

    fn codec_number(&mut self, kind: CodecKind) -> u8 {
        if let Some((_, number)) = self.codecs.iter().find(|(known, _)| *known == kind) {
            return *number;
        }
        let number = kind.static_payload_type().unwrap_or_else(|| self.free(96));
        self.codecs.push((kind, number));
        number
    }

    fn event_number(&mut self, clock_rate: u32, usual: u8) -> u8 {
        if let Some(event) = self.events.iter().find(|known| known.clock_rate == clock_rate) {
            return event.payload_type;
        }
        let payload_type = self.free(usual);
        self.events.push(TelephoneEvent { payload_type, clock_rate });
        payload_type
    }

    /// The usual dynamic number if it is free, else the first that is.
    fn free(&self, usual: u8) -> u8 {
        let taken = |number: &u8| {
            self.codecs.iter().any(|(_, used)| used == number)
                || self.events.iter().any(|event| event.payload_type == *number)
        };
        std::iter::once(usual).chain(96..=127).find(|number| !taken(number)).unwrap_or(usual)
    }
}

/// A codec with our parameters: Opus asks for in-band FEC and, where they are wanted, for gaps in silence (RFC 7587, 6.1).
pub(crate) fn codec(kind: CodecKind, payload_type: u8, gaps: bool) -> Codec {
    let asked = if gaps { "useinbandfec=1;usedtx=1" } else { "useinbandfec=1" };
    Codec {
        kind,
        payload_type,
        clock_rate: kind.clock_rate(),
        channels: kind.channels(),
        fmtp: (kind == CodecKind::Opus).then(|| asked.to_owned()),
    }
}

/// What stands on our audio line.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Offering<'a> {
    pub(crate) codecs: &'a [Codec],
    pub(crate) events: &'a [TelephoneEvent],
    /// The peer takes comfort noise, or has not been asked yet.
    pub(crate) comfort_noise: bool,
    pub(crate) crypto: &'a [CryptoAttribute],
    /// Our part in a handshake with our certificate.
    pub(crate) setup: Option<Setup>,
    pub(crate) ice: Ice,
    pub(crate) rtcp_mux: bool,
    /// The peer is asked for VoIP metrics of what we send.
    pub(crate) voip_metrics: bool,
}

/// What is written of ICE.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ice {
    /// Nothing.
    Silent,
    /// Our candidates.
    Ours,
    /// That the address was changed on the way.
    Mismatch,
}

/// What we last wrote: the session id, and the version that counts changes.
#[derive(Debug, Clone)]
pub(crate) struct LocalDescription {
    session_id: u64,
    version: u64,
    last: Option<SessionDescription>,
}

impl LocalDescription {
    pub(crate) const fn new(session_id: u64) -> Self {
        // Some peers read the id as a signed number.
        Self { session_id: session_id >> 1, version: 1, last: None }
    }

    /// The bytes of our description; the version grows when it differs from the one before (RFC 3264, 8).
    pub(crate) fn write(
        &mut self,
        local: &LocalMedia,
        direction: Direction,
        slots: &[Slot],
        offering: Offering<'_>,
    ) -> Vec<u8> {
        let mut session = self.session(local);
        for slot in slots {
            let media = if slot.active {
                let formats = formats(local, offering);
                let mut lines = attributes(local, direction, offering);
                if let Some((mid, bundled)) = &slot.mid {
                    lines.push(Attribute::with_value("mid", mid.clone()));
                    if *bundled {
                        let group = Attribute::with_value("group", format!("BUNDLE {mid}"));
                        session.attributes.push(group);
                    }
                }
                slot.media(local.rtp_port, formats, lines)
            } else {
                slot.media(0, slot.formats.clone(), Vec::new())
            };
            session.medias.push(media);
        }
        if offering.ice == Ice::Ours {
            session.attributes.push(Attribute::with_value("ice-options", "ice2"));
        }
        if self.last.as_ref().is_some_and(|last| last.session != session) {
            self.version += 1;
            session.origin.sess_version = self.version;
        }
        self.last.insert(SessionDescription { session }).to_bytes()
    }

    fn session(&self, local: &LocalMedia) -> Session {
        let origin = Origin::with_ip_addr(self.session_id.to_string(), self.version, local.addr);
        let mut session = Session::new(origin, "-");
        session.set_connection(Connection::from_ip_addr(local.addr));
        session.times = vec![Time::new(0, 0)];
        session
    }
}

/// The payload types of the audio line.
fn formats(local: &LocalMedia, offering: Offering<'_>) -> String {
    let Offering { codecs, events, comfort_noise, .. } = offering;
    let noise = comfort_noise && local.silence_suppression;
    let codecs = codecs.iter().map(|codec| codec.payload_type);
    let events = events.iter().map(|event| event.payload_type);
    let numbers = codecs.chain(noise.then_some(13)).chain(events);
    numbers.map(|number| number.to_string()).collect::<Vec<_>>().join(" ")
}

/// The attributes of the audio line.
fn attributes(local: &LocalMedia, direction: Direction, offering: Offering<'_>) -> Vec<Attribute> {
    let Offering { codecs, events, crypto, setup, ice, rtcp_mux, voip_metrics, .. } = offering;
    let mut lines = Vec::new();
    let mut line = |name: &str, value: String| lines.push(Attribute::with_value(name, value));
    for Codec { kind, payload_type, clock_rate, channels, fmtp } in codecs {
        let channels = if *channels > 1 { format!("/{channels}") } else { String::new() };
        let name = kind.encoding_name();
        line("rtpmap", format!("{payload_type} {name}/{clock_rate}{channels}"));
        if let Some(fmtp) = fmtp {
            line("fmtp", format!("{payload_type} {fmtp}"));
        }
    }
    for TelephoneEvent { payload_type, clock_rate } in events {
        line("rtpmap", format!("{payload_type} telephone-event/{clock_rate}"));
        line("fmtp", format!("{payload_type} 0-15"));
    }
    for attribute in crypto {
        line("crypto", attribute.to_value());
    }
    if let Some((fingerprint, setup)) = local.dtls.as_ref().zip(setup) {
        line("fingerprint", fingerprint.to_string());
        line("setup", setup.as_str().to_owned());
    }
    if let (Some(ours), Ice::Ours) = (&local.ice, ice) {
        line("ice-ufrag", ours.credentials.ufrag().to_owned());
        line("ice-pwd", ours.credentials.password().to_owned());
        for candidate in &ours.candidates {
            line("candidate", candidate.to_string());
        }
    }
    line("ptime", local.ptime_ms.to_string());
    if voip_metrics {
        line("rtcp-xr", "voip-metrics".to_owned());
    }
    if local.rtcp_port != local.rtp_port.saturating_add(1) {
        line("rtcp", local.rtcp_port.to_string());
    }
    let flags = [
        (ice == Ice::Ours, "end-of-candidates"),
        (ice == Ice::Mismatch, "ice-mismatch"),
        (rtcp_mux, "rtcp-mux"),
        (true, direction.as_str()),
    ];
    lines.extend(flags.into_iter().filter(|(on, _)| *on).map(|(_, name)| Attribute::new(name)));
    lines
}

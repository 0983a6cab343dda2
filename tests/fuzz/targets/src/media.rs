//! Targets that read media: session descriptions and the keys in them, RTP and RTCP, in clear and encrypted.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use rtp::{
    EventReceiver, NtpTime, Protector, Receiver, RtcpSession, RtpPacket, Sender, SenderConfig,
    Unprotector,
};
use sdp::{
    Candidate, CandidateKind, CodecKind, CryptoAttribute, CryptoSuite, Direction, Fingerprint,
    HashFunction, IceCredentials, LocalIce, LocalMedia, MasterKey, Negotiator, SessionDescription,
    SrtpPolicy,
};

/// A session description: read, written, answered as an offer and taken as an answer to ours.
///
/// # Panics
/// When a promise of `sdp` is broken.
pub fn sdp(data: &[u8]) {
    if let Ok(description) = SessionDescription::parse(data) {
        let bytes = description.to_bytes();
        let again = SessionDescription::parse(&bytes);
        assert!(
            again.is_ok(),
            "what was written does not read: {}",
            String::from_utf8_lossy(&bytes)
        );
    }
    let local = local_media();
    let mut answerer = Negotiator::new(1);
    if let Ok((answer, _)) = answerer.answer(data, &local, Direction::SendRecv) {
        assert!(SessionDescription::parse(&answer).is_ok(), "our answer does not read");
    }
    let mut offerer = Negotiator::new(2);
    if offerer.offer(&local, Direction::SendRecv).is_ok() {
        let _ = offerer.receive_answer(data);
    }
}

/// The value of a crypto attribute: read, answered in an encrypted call, and never shown.
///
/// # Panics
/// When a promise of `sdp` is broken.
pub fn crypto(data: &[u8]) {
    let value = String::from_utf8_lossy(data);
    let read = CryptoAttribute::parse(&value);
    if let Ok(line) = &read {
        let suite = line.key.suite();
        assert_eq!(line.key.key().len(), suite.key_length());
        assert_eq!(line.key.salt().len(), suite.salt_length());
        assert!(!format!("{line:?}").contains("inline"), "a key is shown");
    }
    let lines = format!("m=audio 5000 RTP/SAVP 8\r\na=crypto:{value}\r\n");
    if !value.contains(['\r', '\n']) {
        assert_eq!(sdp::redacted(&lines), "m=audio 5000 RTP/SAVP 8\r\na=crypto:…\r\n");
    }
    let offer = format!("v=0\r\nc=IN IP4 192.0.2.1\r\n{lines}");
    let local = LocalMedia { srtp: SrtpPolicy::Required, dtls: None, ..local_media() };
    let mut answerer = Negotiator::new(1);
    if let Ok((answer, agreed)) = answerer.answer(offer.as_bytes(), &local, Direction::SendRecv) {
        assert!(agreed.srtp.is_some(), "in clear though encryption is required");
        let mut offerer = Negotiator::new(2);
        assert!(SessionDescription::parse(&answer).is_ok(), "our answer does not read");
        if offerer.offer(&local, Direction::SendRecv).is_ok() {
            let _ = offerer.receive_answer(&answer);
        }
    }
}

/// Datagrams of an encrypted stream, each after two bytes of length: none is proven, and what is ours still is.
///
/// # Panics
/// When a promise of `rtp` is broken.
pub fn srtp(data: &[u8]) {
    let (mut clear, mut wire) = (Vec::new(), Vec::new());
    for key in local_media().keys {
        let (Ok(mut ours), Ok(mut theirs)) = (Protector::new(&key), Unprotector::new(&key)) else {
            panic!("a key of the right length is refused");
        };
        for (sequence, datagram) in (0_u8..=255).zip(datagrams(data)) {
            assert!(theirs.unprotect_rtp(datagram, &mut clear).is_err() && clear.is_empty());
            assert!(theirs.unprotect_rtcp(datagram, &mut clear).is_err() && clear.is_empty());
            let header = [0x80, 8, 0, sequence, 0, 0, 0, 0, 0, 0, 0, 1];
            wire.clear();
            wire.extend(header.iter().chain(datagram));
            assert_eq!(ours.protect_rtp(&mut wire), Ok(()));
            assert_eq!(theirs.unprotect_rtp(&wire, &mut clear), Ok(()));
            assert_eq!(clear.get(header.len()..), Some(datagram));
        }
    }
}

/// Datagrams on an RTP port, each after two bytes of length: judged, counted, read for digits.
///
/// # Panics
/// When a promise of `rtp` is broken.
pub fn rtp_packet(data: &[u8]) {
    let mut now = base();
    let source = SocketAddr::from(([192, 0, 2, 1], 4000));
    let mut receiver = Receiver::new(Some(source), &[(0, 8000), (111, 48_000), (101, 8000)]);
    let mut digits = EventReceiver::default();
    for datagram in datagrams(data) {
        now += Duration::from_millis(20);
        if let Ok(packet) = RtpPacket::parse(datagram) {
            let mut out = Vec::new();
            packet.write(&mut out);
            assert_eq!(RtpPacket::parse(&out).map(|again| again.payload), Ok(packet.payload));
        }
        if let Ok(received) = receiver.handle_packet(now, source, datagram) {
            let _ = digits.handle_packet(&received.packet.header, received.packet.payload);
        }
        let _ = (receiver.stats(), receiver.report_block());
    }
}

/// Datagrams on an RTCP port, each after two bytes of length, and the report that answers them.
///
/// # Panics
/// When a promise of `rtp` is broken.
pub fn rtcp(data: &[u8]) {
    let mut now = base();
    let mut session = RtcpSession::new(now, NtpTime(1 << 40), "fuzz", 7);
    let config = SenderConfig {
        ssrc: 1,
        first_sequence: 0,
        first_timestamp: 0,
        payload_type: 0,
        clock_rate: 8000,
    };
    let sender = Sender::new(config);
    let mut receiver = Receiver::new(None, &[(0, 8000)]);
    let mut out = Vec::new();
    for datagram in datagrams(data) {
        now += Duration::from_secs(3);
        let _ = session.handle_packet(now, 1, datagram);
        let _ = (session.remote_report(), session.round_trip());
        // What a peer says of us goes back to it.
        session.set_metrics(session.remote_metrics());
        if session.handle_timeout(now, &sender, &mut receiver, &mut out) {
            assert!(rtp::is_rtcp(&out), "our report is no RTCP");
        }
    }
}

/// Splits data into pieces of at most 2047 bytes, each after its length; what is left over is the last.
pub(super) fn datagrams(mut data: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let (length, rest) = data.split_first_chunk::<2>()?;
        let length = usize::from(u16::from_be_bytes(*length)) % 2048;
        let (datagram, after) = rest.split_at_checked(length).unwrap_or((rest, &[]));
        data = after;
        Some(datagram)
    })
}

fn local_media() -> LocalMedia {
    LocalMedia {
        addr: IpAddr::V4(Ipv4Addr::new(192, 0, 2, 9)),
        rtp_port: 40_000,
        rtcp_port: 40_001,
        codecs: vec![CodecKind::Opus, CodecKind::G722, CodecKind::Pcma, CodecKind::Pcmu],
        telephone_event: true,
        silence_suppression: true,
        ptime_ms: 20,
        srtp: SrtpPolicy::Optional,
        keys: CryptoSuite::ALL
            .into_iter()
            .filter_map(|suite| {
                MasterKey::new(suite, vec![0x5a; suite.key_length() + suite.salt_length()])
            })
            .collect(),
        dtls: Fingerprint::new(HashFunction::Sha256, vec![0x5a; 32]),
        feedback: true,
        ice: Some(LocalIce {
            credentials: IceCredentials::from_random(&[0x5a; 32]),
            candidates: vec![Candidate::new(
                CandidateKind::Host,
                SocketAddr::from(([192, 0, 2, 9], 40_000)),
                None,
            )],
        }),
    }
}

#[expect(clippy::disallowed_methods, reason = "the cores want some instant to count from")]
fn base() -> Instant {
    Instant::now()
}

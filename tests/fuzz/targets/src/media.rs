//! Targets that read media: session descriptions, RTP and RTCP.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use rtp::{EventReceiver, NtpTime, Receiver, RtcpSession, RtpPacket, Sender, SenderConfig};
use sdp::{CodecKind, Direction, LocalMedia, Negotiator, SessionDescription};

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
        if session.handle_timeout(now, &sender, &mut receiver, &mut out) {
            assert!(rtp::is_rtcp(&out), "our report is no RTCP");
        }
    }
}

/// Splits data into pieces of at most 2047 bytes, each after its length; what is left over is the last.
fn datagrams(mut data: &[u8]) -> impl Iterator<Item = &[u8]> {
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
        comfort_noise: true,
        ptime_ms: 20,
    }
}

#[expect(clippy::disallowed_methods, reason = "the cores want some instant to count from")]
fn base() -> Instant {
    Instant::now()
}

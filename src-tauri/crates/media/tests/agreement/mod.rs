//! What tests and measurements take as agreed by two descriptions: sound both ways in one codec, and nothing besides. What a
//! test is about it changes itself.

use std::net::SocketAddr;

use sdp::{Codec, CodecKind, Direction, Negotiated};

/// Packets of 20 ms in clear between here and `remote`, reports on the port above, no keys, no checks.
pub(crate) fn plain(kind: CodecKind, remote: SocketAddr) -> Negotiated {
    let codec = Codec {
        kind,
        payload_type: kind.static_payload_type().unwrap_or(111),
        clock_rate: kind.clock_rate(),
        channels: kind.channels(),
        fmtp: None,
    };
    Negotiated {
        remote,
        remote_rtcp: SocketAddr::new(remote.ip(), remote.port() + 1),
        codec: codec.clone(),
        receive: vec![codec],
        telephone_event: None,
        telephone_event_receive: Vec::new(),
        comfort_noise_pt: None,
        ptime_ms: 20,
        max_ptime_ms: None,
        voip_metrics: false,
        send: true,
        receive_active: true,
        remote_direction: Direction::SendRecv,
        remote_held: false,
        rtcp_mux: false,
        srtp: None,
        dtls: None,
        ice: None,
    }
}

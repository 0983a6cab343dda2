//! What the fuzz targets do: each takes bytes as the network would bring them, uses everything that
//! reads them, and panics where a promise is broken. The fuzzer's binaries in `../fuzz_targets` and the
//! replay of the committed corpora (`tests/replay.rs`) call the same functions.

mod broadworks;
mod centre;
mod events;
mod media;
mod people;
mod session;
mod sip;
mod transport;

pub use broadworks::{badgerfish, xsi_stream};
pub use centre::ami;
pub use events::{dialog_info, feature_event, multipart, presence, sipfrag};
pub use media::{crypto, rtcp, rtp_packet, sdp, srtp};
pub use people::{free_busy, multistatus};
pub use session::sip_session;
pub use sip::{sip_message, stream_framing, stun_answer};
pub use transport::media_transport;

/// A target by its name, which is also the name of its corpus folder and its binary.
pub type Target = (&'static str, fn(&[u8]));

/// All targets.
pub const TARGETS: &[Target] = &[
    ("sip_message", sip_message),
    ("stream_framing", stream_framing),
    ("sdp", sdp),
    ("rtp_packet", rtp_packet),
    ("rtcp", rtcp),
    ("crypto", crypto),
    ("srtp", srtp),
    ("media_transport", media_transport),
    ("dialog_info", dialog_info),
    ("presence", presence),
    ("multipart", multipart),
    ("feature_event", feature_event),
    ("sipfrag", sipfrag),
    ("stun_answer", stun_answer),
    ("sip_session", sip_session),
    ("xsi_stream", xsi_stream),
    ("badgerfish", badgerfish),
    ("ami", ami),
    ("multistatus", multistatus),
    ("free_busy", free_busy),
];

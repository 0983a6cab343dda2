//! RTP and SRTP streams, RTCP, telephone events and the jitter buffer, without I/O (RFC 3550, 3711, 4733).
//!
//! Owns everything between a datagram and a block of sound except the codecs: [`RtpPacket`] reads and writes
//! packets, [`Receiver`] judges a source, [`Sender`] numbers what is sent,
//! [`Protector`] and [`Unprotector`] keep it secret and prove it, [`RtcpSession`] keeps the reports,
//! [`EventSender`] and [`EventReceiver`] carry keypad digits, [`JitterBuffer`] turns packets into an unbroken
//! sequence of 10 ms blocks through a [`FrameDecoder`], and [`quality`] estimates what a listener thinks of it.
//! No clock, no sockets, no randomness but what is injected.

mod comfort_noise;
mod concealment;
mod delay_estimator;
mod extended_report;
mod fifo;
mod frame_decoder;
mod jitter_buffer;
mod loss_pattern;
mod packet;
mod packet_store;
pub mod quality;
mod receiver;
mod rtcp;
mod sender;
mod srtp;
mod telephone_event;
mod time_stretch;
mod upsample;

pub use extended_report::{LossShares, VoipMetrics};
pub use frame_decoder::{DecodeError, FrameDecoder};
pub use jitter_buffer::{BLOCK_SAMPLES, Inserted, JitterBuffer, JitterConfig, JitterStats, Pulled};
pub use loss_pattern::{LossPattern, LossSummary};
pub use packet::{PacketError, RtpHeader, RtpPacket, is_rtcp};
pub use receiver::{Dropped, Received, Receiver, ReceiverStats};
pub use rtcp::{NtpTime, RemoteReport, ReportBlock, RtcpError, RtcpSession};
pub use sender::{Sender, SenderConfig, SenderStats};
pub use srtp::{Protector, SrtpError, Unprotector};
pub use telephone_event::{Digit, EventPacket, EventReceiver, EventSender};

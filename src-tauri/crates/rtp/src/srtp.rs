//! SRTP and SRTCP: packets encrypted and proved (RFC 3711, RFC 6188, RFC 7714).
//!
//! [`Protector`] does it with the key we send with, [`Unprotector`] undoes it with the peer's. The ciphers are those of
//! `rtc-crypto`; what is here is how a packet is cut, numbered and judged. `rtc-srtp` of the same project does that
//! too, but makes a new buffer for every packet and remembers every source that anybody pretends to be; the tests hold
//! the two against each other. Once a source is known nothing here allocates.
//!
//! Judging an incoming packet, in this order: its length, its number against what was seen of that source (a replay is
//! dropped before any work), its proof. Only a proven packet changes any state.

mod replay;
mod transform;

use sdp::MasterKey;

use self::replay::{Index, Source, Sources};
use self::transform::Transform;

/// The most SRTCP packets under one key (RFC 3711, 9.2).
const MAX_REPORTS: u32 = 0x7fff_ffff;
/// The most packets of one source under one key.
const MAX_PACKETS: u64 = (1 << 48) - 1;
/// Set in the word after a report that is encrypted.
const ENCRYPTED: u32 = 0x8000_0000;

/// Why a packet is not protected, or not to be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SrtpError {
    /// Shorter than its header and its proof.
    #[error("truncated packet")]
    Truncated,
    /// Forged, damaged, or protected with another key.
    #[error("the packet is not proven to be the peer's")]
    Unproven,
    /// It came before, or so long ago that this cannot be told.
    #[error("a packet that came before")]
    Replayed,
    /// A report in clear, which was not agreed on.
    #[error("a report that is not encrypted")]
    Unencrypted,
    /// As many packets as a key may protect.
    #[error("the key is used up")]
    UsedUp,
    /// A second source to send under one key, whose numbers could meet those of the first.
    #[error("a key protects one source only")]
    SecondSource,
    /// The cipher refuses its key or its input.
    #[error("the cipher failed")]
    Cipher,
}

impl From<rtc_crypto::CryptoError> for SrtpError {
    fn from(error: rtc_crypto::CryptoError) -> Self {
        match error {
            rtc_crypto::CryptoError::AuthenticationFailed => Self::Unproven,
            _ => Self::Cipher,
        }
    }
}

/// Protects what one source sends.
pub struct Protector {
    rtp: Transform,
    rtcp: Transform,
    sent: Option<Sent>,
    /// Reports sent.
    reports: u32,
}

/// The source that is protected and its last packet.
#[derive(Clone, Copy)]
struct Sent {
    ssrc: u32,
    index: u64,
}

impl Protector {
    /// With the key that we told the peer.
    ///
    /// # Errors
    /// [`SrtpError::Cipher`] when the ciphers do not take it.
    pub fn new(key: &MasterKey) -> Result<Self, SrtpError> {
        let (rtp, rtcp) = (Transform::rtp(key)?, Transform::rtcp(key)?);
        Ok(Self { rtp, rtcp, sent: None, reports: 0 })
    }

    /// Encrypts an RTP packet in place and appends its proof. Packets come in the order of their numbers.
    ///
    /// # Errors
    /// [`SrtpError`]: the packet must not be sent.
    pub fn protect_rtp(&mut self, packet: &mut Vec<u8>) -> Result<(), SrtpError> {
        let header = Header::read(packet)?;
        let sequence = u64::from(header.sequence);
        let index = match self.sent {
            None => sequence,
            Some(sent) if sent.ssrc != header.ssrc => return Err(SrtpError::SecondSource),
            Some(sent) => {
                let same_round = (sent.index & !0xffff) | sequence;
                if same_round > sent.index { same_round } else { same_round + 0x1_0000 }
            }
        };
        if index > MAX_PACKETS {
            return Err(SrtpError::UsedUp);
        }
        self.rtp.seal_rtp(header.ssrc, index, header.length, packet)?;
        self.sent = Some(Sent { ssrc: header.ssrc, index });
        Ok(())
    }

    /// Encrypts an RTCP packet in place and appends its number and its proof.
    ///
    /// # Errors
    /// [`SrtpError`]: the packet must not be sent.
    pub fn protect_rtcp(&mut self, packet: &mut Vec<u8>) -> Result<(), SrtpError> {
        let ssrc = report_source(packet)?;
        if self.reports >= MAX_REPORTS {
            return Err(SrtpError::UsedUp);
        }
        self.reports += 1;
        self.rtcp.seal_rtcp(ssrc, self.reports, packet)
    }
}

/// Proves and decrypts what the peer sends.
pub struct Unprotector {
    rtp: Transform,
    rtcp: Transform,
    sources: Sources,
    reporters: Sources,
}

impl Unprotector {
    /// With the key that the peer told.
    ///
    /// # Errors
    /// [`SrtpError::Cipher`] when the ciphers do not take it.
    pub fn new(key: &MasterKey) -> Result<Self, SrtpError> {
        Ok(Self {
            rtp: Transform::rtp(key)?,
            rtcp: Transform::rtcp(key)?,
            sources: Sources::default(),
            reporters: Sources::default(),
        })
    }

    /// Writes the RTP packet in `datagram` in clear to `out`, which is left empty on error.
    ///
    /// # Errors
    /// [`SrtpError`]: drop and count.
    pub fn unprotect_rtp(&mut self, datagram: &[u8], out: &mut Vec<u8>) -> Result<(), SrtpError> {
        out.clear();
        let header = Header::read(datagram)?;
        match self.sources.find(header.ssrc) {
            Some(source) => {
                let index = source.seen.estimate(header.sequence)?;
                source.seen.check(index)?;
                open(out, |out| {
                    self.rtp.open_rtp(header.ssrc, index, header.length, datagram, out)
                })?;
                source.seen.accept(index);
                self.sources.touched(header.ssrc);
            }
            None => {
                // Its numbers may have begun anew before we heard of it: the first packets of a call are easily lost.
                let first = u64::from(header.sequence);
                let index = [first, first + 0x1_0000].into_iter().find(|index| {
                    open(out, |out| {
                        self.rtp.open_rtp(header.ssrc, *index, header.length, datagram, out)
                    })
                    .is_ok()
                });
                let index = index.ok_or(SrtpError::Unproven)?;
                self.sources.insert(Source::new(header.ssrc, Index::first(index)));
            }
        }
        Ok(())
    }

    /// Writes the RTCP packet in `datagram` in clear to `out`, which is left empty on error.
    ///
    /// # Errors
    /// [`SrtpError`]: drop and count.
    pub fn unprotect_rtcp(&mut self, datagram: &[u8], out: &mut Vec<u8>) -> Result<(), SrtpError> {
        out.clear();
        let ssrc = report_source(datagram)?;
        let word = self.rtcp.report_word(datagram)?;
        if word & ENCRYPTED == 0 {
            return Err(SrtpError::Unencrypted);
        }
        let index = u64::from(word & !ENCRYPTED);
        if let Some(source) = self.reporters.find(ssrc) {
            source.seen.check(index)?;
        }
        open(out, |out| self.rtcp.open_rtcp(ssrc, word, datagram, out))?;
        match self.reporters.find(ssrc) {
            Some(source) => {
                source.seen.accept(index);
                self.reporters.touched(ssrc);
            }
            None => self.reporters.insert(Source::new(ssrc, Index::first(index))),
        }
        Ok(())
    }
}

/// Leaves nothing behind of a packet that is not proven.
fn open(
    out: &mut Vec<u8>,
    work: impl FnOnce(&mut Vec<u8>) -> Result<(), SrtpError>,
) -> Result<(), SrtpError> {
    out.clear();
    let done = work(out);
    if done.is_err() {
        out.clear();
    }
    done
}

/// What of an RTP header is needed here.
#[derive(Clone, Copy)]
struct Header {
    ssrc: u32,
    sequence: u16,
    /// Bytes before the payload, sources and extension included: what stays readable.
    length: usize,
}

impl Header {
    fn read(packet: &[u8]) -> Result<Self, SrtpError> {
        let fixed: &[u8; 12] = packet.first_chunk().ok_or(SrtpError::Truncated)?;
        let [first, _, high, low, _, _, _, _, s0, s1, s2, s3] = *fixed;
        let mut length = 12 + usize::from(first & 0x0f) * 4;
        if first & 0x10 != 0 {
            let words = packet.get(length + 2..length + 4).ok_or(SrtpError::Truncated)?;
            let words = words.iter().fold(0, |sum, byte| (sum << 8) | usize::from(*byte));
            length += 4 + words * 4;
        }
        if length > packet.len() {
            return Err(SrtpError::Truncated);
        }
        Ok(Self {
            ssrc: u32::from_be_bytes([s0, s1, s2, s3]),
            sequence: u16::from_be_bytes([high, low]),
            length,
        })
    }
}

/// Who sends a report: the second word of its first packet.
fn report_source(packet: &[u8]) -> Result<u32, SrtpError> {
    let start: &[u8; 8] = packet.first_chunk().ok_or(SrtpError::Truncated)?;
    let [_, _, _, _, s0, s1, s2, s3] = *start;
    Ok(u32::from_be_bytes([s0, s1, s2, s3]))
}

#[cfg(test)]
mod tests;

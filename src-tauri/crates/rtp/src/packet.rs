//! One RTP packet on the wire (RFC 3550, 5.1): reading within limits, writing without allocation once warm.
//!
//! The fixed header goes through `rtc-rtp`. Header extensions are stepped over by their length and not read: audio
//! here uses none, and an odd one must not cost the packet.

use rtc_rtp::header::Header;
use rtc_shared::marshal::{Marshal, Unmarshal};

/// The fixed part of an RTP header.
const FIXED_HEADER: usize = 12;
/// A header with the most contributing sources, without extensions.
const LONGEST_HEADER: usize = FIXED_HEADER + 15 * 4;
/// The longest payload that is accepted, in bytes: 120 ms of 16 bit linear sound at 48 kHz would be more, but no
/// codec of ours comes near an Ethernet frame.
const MAX_PAYLOAD: usize = 1_500;

/// Why bytes are not an acceptable RTP packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PacketError {
    /// Shorter than its header says.
    #[error("truncated packet")]
    Truncated,
    /// Not version 2.
    #[error("not RTP version 2")]
    Version,
    /// An RTCP packet (RFC 5761, 4: payload types 64 to 95).
    #[error("an RTCP packet")]
    Rtcp,
    /// The padding count is zero or longer than the payload.
    #[error("bad padding")]
    Padding,
    /// Longer than any audio packet.
    #[error("payload too long")]
    TooLong,
}

/// The header fields a phone needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RtpHeader {
    /// Start of a talk spurt.
    pub marker: bool,
    /// Payload type, 0 to 127.
    pub payload_type: u8,
    /// Sequence number.
    pub sequence: u16,
    /// Sampling instant of the first sample, in units of the payload type's clock rate.
    pub timestamp: u32,
    /// Synchronisation source.
    pub ssrc: u32,
}

/// A packet read in place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RtpPacket<'a> {
    /// The header.
    pub header: RtpHeader,
    /// The payload without padding.
    pub payload: &'a [u8],
}

impl<'a> RtpPacket<'a> {
    /// Reads one datagram.
    ///
    /// # Errors
    /// [`PacketError`]: the datagram is then to be dropped and counted (RFC 3550, A.1).
    pub fn parse(bytes: &'a [u8]) -> Result<Self, PacketError> {
        let (&[first, second], _) = bytes.split_first_chunk::<2>().ok_or(PacketError::Truncated)?;
        if first >> 6 != 2 {
            return Err(PacketError::Version);
        }
        if is_rtcp(bytes) || (64..96).contains(&(second & 0x7f)) {
            return Err(PacketError::Rtcp);
        }
        let header_length = FIXED_HEADER + usize::from(first & 0x0f) * 4;
        let header_bytes = bytes.get(..header_length).ok_or(PacketError::Truncated)?;
        let mut rest = bytes.get(header_length..).ok_or(PacketError::Truncated)?;
        if first & 0x10 != 0 {
            rest = after_extension(rest)?;
        }
        if first & 0x20 != 0 {
            let padding = usize::from(*rest.last().ok_or(PacketError::Padding)?);
            let kept = rest.len().checked_sub(padding).ok_or(PacketError::Padding)?;
            rest = rest.get(..kept).filter(|_| padding > 0).ok_or(PacketError::Padding)?;
        }
        if rest.len() > MAX_PAYLOAD {
            return Err(PacketError::TooLong);
        }
        Ok(Self { header: read_fixed(header_bytes)?, payload: rest })
    }

    /// Writes the packet into `out`, replacing what is there.
    pub fn write(&self, out: &mut Vec<u8>) {
        let header = Header {
            version: 2,
            marker: self.header.marker,
            payload_type: self.header.payload_type & 0x7f,
            sequence_number: self.header.sequence,
            timestamp: self.header.timestamp,
            ssrc: self.header.ssrc,
            ..Header::default()
        };
        out.clear();
        out.resize(FIXED_HEADER, 0);
        // The buffer is as long as a header without sources and extensions, so this cannot fail.
        let _ = header.marshal_to(out);
        out.extend_from_slice(self.payload);
    }
}

/// Whether a datagram on a shared port is RTCP rather than RTP (RFC 5761, 4).
pub fn is_rtcp(bytes: &[u8]) -> bool {
    matches!(bytes, [first, 192..=223, ..] if first >> 6 == 2)
}

/// Steps over a header extension.
fn after_extension(bytes: &[u8]) -> Result<&[u8], PacketError> {
    let (&[_, _, high, low], rest) =
        bytes.split_first_chunk::<4>().ok_or(PacketError::Truncated)?;
    rest.get(usize::from(u16::from_be_bytes([high, low])) * 4..).ok_or(PacketError::Truncated)
}

/// Reads the fixed header and its sources with the extension and padding bits off.
fn read_fixed(bytes: &[u8]) -> Result<RtpHeader, PacketError> {
    let mut copy = [0_u8; LONGEST_HEADER];
    let header = copy.get_mut(..bytes.len()).ok_or(PacketError::Truncated)?;
    header.copy_from_slice(bytes);
    if let Some(first) = header.first_mut() {
        // No sources either: they are not used, and reading them would allocate.
        *first &= 0xc0;
    }
    let read = Header::unmarshal(&mut &*header).map_err(|_| PacketError::Truncated)?;
    Ok(RtpHeader {
        marker: read.marker,
        payload_type: read.payload_type,
        sequence: read.sequence_number,
        timestamp: read.timestamp,
        ssrc: read.ssrc,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn header() -> impl Strategy<Value = RtpHeader> {
        (any::<bool>(), prop_oneof![0_u8..64, 96_u8..128], any::<u16>(), any::<u32>(), any::<u32>())
            .prop_map(|(marker, payload_type, sequence, timestamp, ssrc)| RtpHeader {
                marker,
                payload_type,
                sequence,
                timestamp,
                ssrc,
            })
    }

    #[test]
    fn sources_extension_and_padding_are_stepped_over() {
        let mut bytes = vec![0xb1, 0x88, 0, 7, 0, 0, 0, 9, 0, 0, 0, 1];
        bytes.extend([0, 0, 0, 2]); // one contributing source
        bytes.extend([0xbe, 0xde, 0, 1, 0xf0, 1, 2, 3]); // an extension with the reserved id
        bytes.extend([0xaa, 0xbb, 0, 2]); // payload and two bytes of padding
        let packet = RtpPacket::parse(&bytes).unwrap();
        assert_eq!(packet.payload, [0xaa, 0xbb]);
        let header = packet.header;
        assert_eq!((header.marker, header.payload_type, header.sequence), (true, 8, 7));
        assert_eq!((header.timestamp, header.ssrc), (9, 1));
    }

    #[test]
    fn what_is_not_rtp_is_refused() {
        assert_eq!(RtpPacket::parse(&[]), Err(PacketError::Truncated));
        assert_eq!(RtpPacket::parse(&[0x80; 8]), Err(PacketError::Truncated));
        assert_eq!(RtpPacket::parse(&[0x40; 20]), Err(PacketError::Version));
        assert_eq!(RtpPacket::parse(&[0x80, 200, 0, 6]), Err(PacketError::Rtcp));
        let padded = [0xa0, 8, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 9];
        assert_eq!(RtpPacket::parse(&padded), Err(PacketError::Padding));
        let mut long = vec![0x80, 8];
        long.resize(2_000, 0);
        assert_eq!(RtpPacket::parse(&long), Err(PacketError::TooLong));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]

        #[test]
        fn what_is_written_reads_the_same(header in header(), payload in proptest::collection::vec(any::<u8>(), 0..200)) {
            let packet = RtpPacket { header, payload: &payload };
            let mut bytes = Vec::new();
            packet.write(&mut bytes);
            prop_assert_eq!(RtpPacket::parse(&bytes), Ok(packet));
        }

        #[test]
        fn arbitrary_bytes_never_panic(mut bytes in proptest::collection::vec(any::<u8>(), 0..100), first in 0x80_u8..0xc0) {
            let _ = RtpPacket::parse(&bytes);
            if let Some(byte) = bytes.first_mut() {
                *byte = first;
            }
            let _ = RtpPacket::parse(&bytes);
        }
    }
}

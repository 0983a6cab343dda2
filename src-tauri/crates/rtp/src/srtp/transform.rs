//! One direction's cipher with its session keys: sealing and opening a packet whose number is known.

use rtc_crypto::providers::RingCrypto;
use rtc_crypto::{
    AeadAlgorithm, AeadCipher, HmacAlgorithm, Mac, RTCCrypto as _, StreamCipher,
    StreamCipherAlgorithm, constant_time_eq,
};
use sdp::{CryptoSuite, MasterKey};
use secrecy::zeroize::Zeroizing;

use super::{ENCRYPTED, SrtpError};

/// Bytes of an HMAC-SHA1.
const HMAC: usize = 20;
/// Bytes of the proof in Galois/counter mode (RFC 7714, 5.2).
const GCM_TAG: usize = 16;
/// Bytes of a report that stay readable: the header of its first packet and who sends it.
const REPORT_HEADER: usize = 8;
/// Bytes of the word with the number of a report.
const WORD: usize = 4;

/// What the keys of a packet are derived for (RFC 3711, 4.3.2).
#[derive(Clone, Copy)]
pub(super) enum Purpose {
    Rtp,
    Rtcp,
}

impl Purpose {
    /// The labels of cipher key, proof key and salt.
    const fn labels(self) -> [u8; 3] {
        match self {
            Self::Rtp => [0, 1, 2],
            Self::Rtcp => [3, 4, 5],
        }
    }
}

enum Cipher {
    /// Counter mode, with a proof of so many bytes of an HMAC-SHA1.
    Counter {
        cipher: Box<dyn StreamCipher>,
        mac: Box<dyn Mac>,
        tag: usize,
    },
    Gcm(Box<dyn AeadCipher>),
}

/// The keys of one stream of packets, derived from the master key.
pub(super) struct SessionKeys {
    pub(super) cipher: Zeroizing<[u8; 32]>,
    pub(super) proof: Zeroizing<[u8; HMAC]>,
    pub(super) salt: [u8; 14],
}

impl SessionKeys {
    /// The pseudo-random function of RFC 3711, 4.3.3 with a derivation rate of zero; with AES-256 for the suites of
    /// 256 bits (RFC 6188, 3). A salt of 96 bits is filled up with zeros (RFC 7714, 11).
    pub(super) fn derive(key: &MasterKey, purpose: Purpose) -> Result<Self, SrtpError> {
        let mut keys = Self {
            cipher: Zeroizing::new([0; 32]),
            proof: Zeroizing::new([0; HMAC]),
            salt: [0; 14],
        };
        let mut cipher = counter_mode(key.suite(), key.key())?;
        let mut fill = |label: u8, out: &mut [u8]| {
            let mut iv = [0; 16];
            for (to, from) in iv.iter_mut().zip(key.salt()) {
                *to = *from;
            }
            iv[7] ^= label;
            cipher.apply_keystream(&iv, out)
        };
        let [cipher_label, proof_label, salt_label] = purpose.labels();
        let (key_length, salt_length) = (key.suite().key_length(), key.suite().salt_length());
        fill(cipher_label, keys.cipher.get_mut(..key_length).unwrap_or_default())?;
        fill(proof_label, keys.proof.as_mut_slice())?;
        fill(salt_label, keys.salt.get_mut(..salt_length).unwrap_or_default())?;
        Ok(keys)
    }
}

fn counter_mode(suite: CryptoSuite, key: &[u8]) -> Result<Box<dyn StreamCipher>, SrtpError> {
    let algorithm = match suite.key_length() {
        32 => StreamCipherAlgorithm::Aes256Ctr,
        _ => StreamCipherAlgorithm::Aes128Ctr,
    };
    Ok(RingCrypto.new_stream_cipher(algorithm, key)?)
}

/// Seals and opens.
pub(super) struct Transform {
    cipher: Cipher,
    salt: [u8; 14],
    mki: Vec<u8>,
}

impl Transform {
    pub(super) fn rtp(key: &MasterKey) -> Result<Self, SrtpError> {
        let keys = SessionKeys::derive(key, Purpose::Rtp)?;
        let tag = if key.suite() == CryptoSuite::AesCm128HmacSha1_32 { 4 } else { 10 };
        Self::new(key.suite(), &keys, tag, key.mki())
    }

    /// Reports have the long proof whatever the suite (RFC 4568, 6.2.2).
    pub(super) fn rtcp(key: &MasterKey) -> Result<Self, SrtpError> {
        let keys = SessionKeys::derive(key, Purpose::Rtcp)?;
        Self::new(key.suite(), &keys, 10, key.mki())
    }

    pub(super) fn new(
        suite: CryptoSuite,
        keys: &SessionKeys,
        tag: usize,
        mki: &[u8],
    ) -> Result<Self, SrtpError> {
        let key = keys.cipher.get(..suite.key_length()).unwrap_or_default();
        let cipher = match suite {
            CryptoSuite::AeadAes256Gcm => {
                Cipher::Gcm(RingCrypto.new_aead(AeadAlgorithm::Aes256Gcm, key)?)
            }
            CryptoSuite::AeadAes128Gcm => {
                Cipher::Gcm(RingCrypto.new_aead(AeadAlgorithm::Aes128Gcm, key)?)
            }
            CryptoSuite::AesCm256HmacSha1_80
            | CryptoSuite::AesCm128HmacSha1_80
            | CryptoSuite::AesCm128HmacSha1_32 => Cipher::Counter {
                cipher: counter_mode(suite, key)?,
                mac: RingCrypto.new_hmac(HmacAlgorithm::Sha1, keys.proof.as_slice())?,
                tag,
            },
        };
        Ok(Self { cipher, salt: keys.salt, mki: mki.to_vec() })
    }

    pub(super) fn seal_rtp(
        &mut self,
        ssrc: u32,
        index: u64,
        header: usize,
        packet: &mut Vec<u8>,
    ) -> Result<(), SrtpError> {
        let iv = Iv::new(&self.salt, ssrc, index);
        match &mut self.cipher {
            Cipher::Counter { cipher, mac, tag } => {
                cipher
                    .apply_keystream(&iv.counter, packet.get_mut(header..).unwrap_or_default())?;
                let proof = sign(mac.as_mut(), packet, &round(index))?;
                packet.extend_from_slice(&self.mki);
                packet.extend_from_slice(proof.get(..*tag).unwrap_or_default());
            }
            Cipher::Gcm(cipher) => {
                seal(cipher.as_mut(), &iv.nonce, header, None, packet)?;
                packet.extend_from_slice(&self.mki);
            }
        }
        Ok(())
    }

    /// Writes the packet in clear behind what `out` holds, which is nothing.
    pub(super) fn open_rtp(
        &mut self,
        ssrc: u32,
        index: u64,
        header: usize,
        datagram: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), SrtpError> {
        let iv = Iv::new(&self.salt, ssrc, index);
        match &mut self.cipher {
            Cipher::Counter { cipher, mac, tag } => {
                let (rest, proof) = cut(datagram, *tag)?;
                let (packet, mki) = cut(rest, self.mki.len())?;
                verify(mac.as_mut(), packet, &round(index), proof)?;
                known(mki, &self.mki)?;
                out.extend_from_slice(packet);
                let payload = out.get_mut(header..).ok_or(SrtpError::Truncated)?;
                cipher.apply_keystream(&iv.counter, payload)?;
            }
            Cipher::Gcm(cipher) => {
                let (sealed, mki) = cut(datagram, self.mki.len())?;
                known(mki, &self.mki)?;
                let (packet, proof) = cut(sealed, GCM_TAG)?;
                out.extend_from_slice(packet);
                let (aad, payload) =
                    out.split_at_mut_checked(header).ok_or(SrtpError::Truncated)?;
                cipher.open_in_place(&iv.nonce, aad, payload, proof)?;
            }
        }
        Ok(())
    }

    pub(super) fn seal_rtcp(
        &mut self,
        ssrc: u32,
        index: u32,
        packet: &mut Vec<u8>,
    ) -> Result<(), SrtpError> {
        let iv = Iv::report(&self.salt, ssrc, index);
        let word = (index | ENCRYPTED).to_be_bytes();
        match &mut self.cipher {
            Cipher::Counter { cipher, mac, tag } => {
                let body = packet.get_mut(REPORT_HEADER..).ok_or(SrtpError::Truncated)?;
                cipher.apply_keystream(&iv.counter, body)?;
                let proof = sign(mac.as_mut(), packet, &word)?;
                packet.extend_from_slice(&word);
                packet.extend_from_slice(&self.mki);
                packet.extend_from_slice(proof.get(..*tag).unwrap_or_default());
            }
            Cipher::Gcm(cipher) => {
                seal(cipher.as_mut(), &iv.nonce, REPORT_HEADER, Some(word), packet)?;
                packet.extend_from_slice(&word);
                packet.extend_from_slice(&self.mki);
            }
        }
        Ok(())
    }

    /// The word with the number of a report and whether it is encrypted; not proven yet.
    pub(super) fn report_word(&self, datagram: &[u8]) -> Result<u32, SrtpError> {
        let proof = match &self.cipher {
            Cipher::Counter { tag, .. } => *tag,
            Cipher::Gcm(_) => 0,
        };
        let (rest, _) = cut(datagram, proof + self.mki.len())?;
        let word = rest.last_chunk::<WORD>().ok_or(SrtpError::Truncated)?;
        Ok(u32::from_be_bytes(*word))
    }

    /// Writes the report in clear behind what `out` holds, which is nothing.
    pub(super) fn open_rtcp(
        &mut self,
        ssrc: u32,
        word: u32,
        datagram: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), SrtpError> {
        let iv = Iv::report(&self.salt, ssrc, word & !ENCRYPTED);
        match &mut self.cipher {
            Cipher::Counter { cipher, mac, tag } => {
                let (rest, proof) = cut(datagram, *tag)?;
                let (numbered, mki) = cut(rest, self.mki.len())?;
                verify(mac.as_mut(), numbered, &[], proof)?;
                known(mki, &self.mki)?;
                let (packet, _) = cut(numbered, WORD)?;
                out.extend_from_slice(packet);
                let body = out.get_mut(REPORT_HEADER..).ok_or(SrtpError::Truncated)?;
                cipher.apply_keystream(&iv.counter, body)?;
            }
            Cipher::Gcm(cipher) => {
                let (numbered, mki) = cut(datagram, self.mki.len())?;
                known(mki, &self.mki)?;
                let (sealed, word) = cut(numbered, WORD)?;
                let (packet, proof) = cut(sealed, GCM_TAG)?;
                out.extend_from_slice(packet);
                let (header, body) =
                    out.split_at_mut_checked(REPORT_HEADER).ok_or(SrtpError::Truncated)?;
                let aad = report_aad(header, word);
                cipher.open_in_place(&iv.nonce, &aad, body, proof)?;
            }
        }
        Ok(())
    }
}

/// The starting points of both kinds of cipher.
struct Iv {
    /// RFC 3711, 4.1.1.
    counter: [u8; 16],
    /// RFC 7714, 8.1 and 9.1.
    nonce: [u8; 12],
}

impl Iv {
    /// Of an RTP packet: its number in 48 bits.
    fn new(salt: &[u8; 14], ssrc: u32, index: u64) -> Self {
        let [_, _, number @ ..] = index.to_be_bytes();
        Self::of(salt, ssrc, number)
    }

    /// Of a report: its number in 31 bits.
    fn report(salt: &[u8; 14], ssrc: u32, index: u32) -> Self {
        let [a, b, c, d] = index.to_be_bytes();
        Self::of(salt, ssrc, [0, 0, a, b, c, d])
    }

    fn of(salt: &[u8; 14], ssrc: u32, number: [u8; 6]) -> Self {
        let mut block = [0; 12];
        let source = ssrc.to_be_bytes();
        let parts = [0, 0].into_iter().chain(source).chain(number);
        for (to, from) in block.iter_mut().zip(parts) {
            *to = from;
        }
        let (mut counter, mut nonce) = ([0; 16], [0; 12]);
        for (to, from) in nonce.iter_mut().zip(block.iter().zip(salt)) {
            *to = from.0 ^ from.1;
        }
        // The same two bytes further right, under the whole salt.
        for (to, from) in counter.iter_mut().skip(2).zip(block) {
            *to = from;
        }
        for (to, from) in counter.iter_mut().zip(salt) {
            *to ^= *from;
        }
        Self { counter, nonce }
    }
}

/// The round of the sequence number, which the proof covers though it is not sent.
fn round(index: u64) -> [u8; 4] {
    let [_, _, a, b, c, d, _, _] = index.to_be_bytes();
    [a, b, c, d]
}

fn sign(mac: &mut dyn Mac, packet: &[u8], behind: &[u8; 4]) -> Result<[u8; HMAC], SrtpError> {
    let mut proof = [0; HMAC];
    mac.sign(&[packet, behind], &mut proof)?;
    Ok(proof)
}

fn verify(mac: &mut dyn Mac, packet: &[u8], behind: &[u8], proof: &[u8]) -> Result<(), SrtpError> {
    let mut right = [0; HMAC];
    mac.sign(&[packet, behind], &mut right)?;
    let right = right.get(..proof.len()).unwrap_or_default();
    if !proof.is_empty() && constant_time_eq(right, proof) {
        Ok(())
    } else {
        Err(SrtpError::Unproven)
    }
}

/// Seals all behind the header and appends the proof. `word`: what the proof of a report covers besides.
fn seal(
    cipher: &mut dyn AeadCipher,
    nonce: &[u8; 12],
    header: usize,
    word: Option<[u8; WORD]>,
    packet: &mut Vec<u8>,
) -> Result<(), SrtpError> {
    let mut proof = [0; GCM_TAG];
    let (aad, body) = packet.split_at_mut_checked(header).ok_or(SrtpError::Truncated)?;
    match word {
        Some(word) => {
            let aad = report_aad(aad, &word);
            cipher.seal_in_place(nonce, &aad, body, &mut proof)?;
        }
        None => cipher.seal_in_place(nonce, aad, body, &mut proof)?,
    }
    packet.extend_from_slice(&proof);
    Ok(())
}

/// What the proof of a report covers in clear (RFC 7714, 9.2).
fn report_aad(header: &[u8], word: &[u8]) -> [u8; REPORT_HEADER + WORD] {
    let mut aad = [0; REPORT_HEADER + WORD];
    for (to, from) in aad.iter_mut().zip(header.iter().chain(word)) {
        *to = *from;
    }
    aad
}

/// The last bytes of a packet apart.
fn cut(bytes: &[u8], last: usize) -> Result<(&[u8], &[u8]), SrtpError> {
    let at = bytes.len().checked_sub(last).ok_or(SrtpError::Truncated)?;
    Ok(bytes.split_at(at))
}

/// The packet names the key that we have.
fn known(mki: &[u8], ours: &[u8]) -> Result<(), SrtpError> {
    if mki == ours { Ok(()) } else { Err(SrtpError::Unproven) }
}

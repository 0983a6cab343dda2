//! The published vectors, `rtc-srtp` as the other side, and what a network may do to packets.

use proptest::prelude::*;
use rtc_crypto::providers::RingCrypto;
use rtc_srtp::context::Context;
use rtc_srtp::option::{srtcp_replay_protection, srtp_replay_protection};
use rtc_srtp::protection_profile::ProtectionProfile;
use sdp::{CryptoAttribute, CryptoSuite};
use secrecy::zeroize::Zeroizing;

use super::transform::{Purpose, SessionKeys};
use super::*;

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
    let pairs = digits.chunks(2).map(|pair| std::str::from_utf8(pair).unwrap());
    pairs.map(|pair| u8::from_str_radix(pair, 16).unwrap()).collect()
}

fn master(suite: CryptoSuite, seed: u8) -> MasterKey {
    let length = suite.key_length() + suite.salt_length();
    let byte = |n: usize| u8::try_from(n).unwrap().wrapping_mul(37).wrapping_add(seed);
    MasterKey::new(suite, (0..length).map(byte).collect()).unwrap()
}

fn packet(ssrc: u32, sequence: u16) -> Vec<u8> {
    let header = crate::RtpHeader {
        payload_type: 8,
        sequence,
        timestamp: u32::from(sequence) * 160,
        ssrc,
        ..crate::RtpHeader::default()
    };
    let mut bytes = Vec::new();
    crate::RtpPacket { header, payload: &[0x5a; 160] }.write(&mut bytes);
    bytes
}

/// A receiver report, empty.
fn report(ssrc: u32) -> Vec<u8> {
    let mut bytes = vec![0x80, 201, 0, 1];
    bytes.extend(ssrc.to_be_bytes());
    bytes
}

struct Pair {
    sender: Protector,
    receiver: Unprotector,
}

impl Pair {
    fn new(suite: CryptoSuite) -> Self {
        let key = master(suite, 7);
        Self { sender: Protector::new(&key).unwrap(), receiver: Unprotector::new(&key).unwrap() }
    }

    fn sealed(&mut self, ssrc: u32, sequence: u16) -> Vec<u8> {
        let mut bytes = packet(ssrc, sequence);
        self.sender.protect_rtp(&mut bytes).unwrap();
        bytes
    }

    fn opened(&mut self, datagram: &[u8]) -> Result<Vec<u8>, SrtpError> {
        let mut out = vec![1, 2, 3];
        let done = self.receiver.unprotect_rtp(datagram, &mut out);
        assert!(done.is_ok() || out.is_empty(), "nothing is left of a refused packet");
        done.map(|()| out)
    }
}

#[test]
fn session_keys_of_rfc_3711_b3_and_rfc_6188_7() {
    for (suite, key, salt, cipher, session_salt, proof) in [
        (
            CryptoSuite::AesCm128HmacSha1_80,
            "E1F97A0D3E018BE0D64FA32C06DE4139",
            "0EC675AD498AFEEBB6960B3AABE6",
            "C61E7A93744F39EE10734AFE3FF7A087",
            "30CBBC08863D8C85D49DB34A9AE1",
            "CEBE321F6FF7716B6FD4AB49AF256A156D38BAA4",
        ),
        (
            CryptoSuite::AesCm256HmacSha1_80,
            "f0f04914b513f2763a1b1fa130f10e2998f6f6e43e4309d1e622a0e332b9f1b6",
            "3b04803de51ee7c96423ab5b78d2",
            "5ba1064e30ec51613cad926c5a28ef731ec7fb397f70a960653caf06554cd8c4",
            "fa31791685ca444a9e07c6c64e93",
            "fd9c32d39ed5fbb5a9dc96b30818454d1313dc05",
        ),
    ] {
        let key = MasterKey::new(suite, [hex(key), hex(salt)].concat()).unwrap();
        let keys = SessionKeys::derive(&key, Purpose::Rtp).unwrap();
        assert_eq!(keys.cipher[..suite.key_length()], hex(cipher));
        assert_eq!(keys.salt[..], hex(session_salt));
        assert_eq!(keys.proof[..], hex(proof));
    }
}

/// The key stream of RFC 3711, B.2 and RFC 6188, 7.1: a payload of zeros shows it. The number and the source are zero.
#[test]
fn key_streams_of_rfc_3711_b2_and_rfc_6188_7() {
    for (suite, key, stream) in [
        (
            CryptoSuite::AesCm128HmacSha1_80,
            "2B7E151628AED2A6ABF7158809CF4F3C",
            "E03EAD0935C95E80E166B16DD92B4EB4D23513162B02D0F72A43A2FE4A5F97AB
             41E95B3BB0A2E8DD477901E4FCA894C0",
        ),
        (
            CryptoSuite::AesCm256HmacSha1_80,
            "57f82fe3613fd170a85ec93c40b1f0922ec4cb0dc025b58272147cc438944a98",
            "92bdd28a93c3f52511c677d08b5515a49da71b2378a854f67050756ded165bac",
        ),
    ] {
        let stream = hex(stream);
        let mut keys = SessionKeys {
            cipher: Zeroizing::new([0; 32]),
            proof: Zeroizing::new([0; 20]),
            salt: hex("F0F1F2F3F4F5F6F7F8F9FAFBFCFD").try_into().unwrap(),
        };
        keys.cipher[..suite.key_length()].copy_from_slice(&hex(key));
        let mut transform = Transform::new(suite, &keys, 10, &[]).unwrap();
        let mut bytes = [vec![0x80; 12], vec![0; stream.len()]].concat();
        transform.seal_rtp(0, 0, 12, &mut bytes).unwrap();
        assert_eq!(bytes[12..12 + stream.len()], stream);
    }
}

/// RFC 7714, 16 and 17: session keys are given, not master keys.
#[test]
fn packets_of_rfc_7714() {
    let rtp = hex("8040f17b 8041f8d3 5501a0b2 47616c6c69612065737420 6f6d6e69732064697669736120 \
                   696e207061727465732074726573");
    let rtcp = hex("81c8000d4d6172734e5450314e545032525450200000042a0000e9304c756e61\
                    deadbeefdeadbeefdeadbeefdeadbeefdeadbeef");
    for (suite, srtp, srtcp) in [
        (
            CryptoSuite::AeadAes128Gcm,
            "8040f17b8041f8d35501a0b2f24de3a3fb34de6cacba861c9d7e4bcabe633bd50d294e6f42a5f47a\
             51c7d19b36de3adf8833899d7f27beb16a9152cf765ee4390cce",
            "81c8000d4d61727363e94885dcdab67ca727d7662f6b7e997ff5c0f76c06f32dc676a5f1730d6fda\
             4ce09b4686303ded0bb9275bc84aa45896cf4d2fc5abf87245d9eade800005d4",
        ),
        (
            CryptoSuite::AeadAes256Gcm,
            "8040f17b8041f8d35501a0b232b1de78a822fe12ef9f78fa332e33aab18012389a58e2f3b50b2a02\
             76ffae0f1ba63799b87b7aa3db36dfffd6b0f9bb7878d7a76c13",
            "81c8000d4d617273d50ae4d1f5ce5d304ba297e47d470c282c3ece5dbffe0a50a2eaa5c1110555be\
             8415f658c61de0476f1b6fad1d1eb30c4446839f57ff6f6cb26ac3be800005d4",
        ),
    ] {
        let mut keys = SessionKeys {
            cipher: Zeroizing::new([0; 32]),
            proof: Zeroizing::new([0; 20]),
            salt: [0; 14],
        };
        for (n, byte) in (0..).zip(keys.cipher.iter_mut()) {
            *byte = n;
        }
        keys.salt[..12].copy_from_slice(b"Quid pro quo");
        let mut transform = Transform::new(suite, &keys, 10, &[]).unwrap();

        let mut sealed = rtp.clone();
        transform.seal_rtp(0x5501_a0b2, 0xf17b, 12, &mut sealed).unwrap();
        assert_eq!(sealed, hex(srtp));
        let mut open = Vec::new();
        transform.open_rtp(0x5501_a0b2, 0xf17b, 12, &sealed, &mut open).unwrap();
        assert_eq!(open, rtp);

        let mut sealed = rtcp.clone();
        transform.seal_rtcp(0x4d61_7273, 0x5d4, &mut sealed).unwrap();
        assert_eq!(sealed, hex(srtcp));
        let word = transform.report_word(&sealed).unwrap();
        assert_eq!(word, 0x8000_05d4);
        let mut open = Vec::new();
        transform.open_rtcp(0x4d61_7273, word, &sealed, &mut open).unwrap();
        assert_eq!(open, rtcp);
    }
}

/// A whole packet of AES-CM with its HMAC, as libsrtp's own check has it.
#[test]
fn a_known_packet_with_its_proof() {
    let secret = hex("E1F97A0D3E018BE0D64FA32C06DE41390EC675AD498AFEEBB6960B3AABE6");
    let key = MasterKey::new(CryptoSuite::AesCm128HmacSha1_80, secret).unwrap();
    let clear = [hex("800f1234decafbadcafebabe"), vec![0xab; 16]].concat();
    let mut sealed = clear.clone();
    Protector::new(&key).unwrap().protect_rtp(&mut sealed).unwrap();
    let known = "800f1234decafbadcafebabe4e55dc4ce79978d88ca4d215949d2402b78d6acc99ea179b8dbb";
    assert_eq!(sealed, hex(known));
    let mut open = Vec::new();
    Unprotector::new(&key).unwrap().unprotect_rtp(&sealed, &mut open).unwrap();
    assert_eq!(open, clear);
}

fn profile(suite: CryptoSuite) -> ProtectionProfile {
    match suite {
        CryptoSuite::AeadAes256Gcm => ProtectionProfile::AeadAes256Gcm,
        CryptoSuite::AeadAes128Gcm => ProtectionProfile::AeadAes128Gcm,
        CryptoSuite::AesCm256HmacSha1_80 => ProtectionProfile::Aes256CmHmacSha1_80,
        CryptoSuite::AesCm128HmacSha1_80 => ProtectionProfile::Aes128CmHmacSha1_80,
        CryptoSuite::AesCm128HmacSha1_32 => ProtectionProfile::Aes128CmHmacSha1_32,
    }
}

fn other_side(key: &MasterKey) -> Context {
    let window = (Some(srtp_replay_protection(64)), Some(srtcp_replay_protection(64)));
    let suite = profile(key.suite());
    Context::new(key.key(), key.salt(), suite, window.0, window.1, &RingCrypto).unwrap()
}

#[test]
fn the_other_side_reads_what_we_write_and_we_read_what_it_writes() {
    for suite in CryptoSuite::ALL {
        let key = master(suite, 3);
        let mut ours = Protector::new(&key).unwrap();
        let mut theirs = other_side(&key);
        let mut reads_ours = other_side(&key);
        let mut reads_theirs = Unprotector::new(&key).unwrap();
        let mut out = Vec::new();
        // Over the end of the sequence numbers.
        for n in 0..2_000_u16 {
            let clear = packet(9, 64_000_u16.wrapping_add(n));
            let mut sealed = clear.clone();
            ours.protect_rtp(&mut sealed).unwrap();
            assert_eq!(sealed[..], theirs.encrypt_rtp(&clear).unwrap()[..], "{suite} {n}");
            assert_eq!(reads_ours.decrypt_rtp(&sealed).unwrap()[..], clear[..]);
            reads_theirs.unprotect_rtp(&sealed, &mut out).unwrap();
            assert_eq!(out, clear);
            if n % 100 == 0 {
                let clear = [report(9), report(9)].concat();
                let mut sealed = clear.clone();
                ours.protect_rtcp(&mut sealed).unwrap();
                assert_eq!(sealed[..], theirs.encrypt_rtcp(&clear).unwrap()[..], "{suite} {n}");
                reads_theirs.unprotect_rtcp(&sealed, &mut out).unwrap();
                assert_eq!(out, clear);
            }
        }
    }
}

#[test]
fn whatever_is_changed_is_noticed() {
    for suite in CryptoSuite::ALL {
        let mut pair = Pair::new(suite);
        let sealed = pair.sealed(1, 100);
        for at in 0..sealed.len() {
            let mut forged = sealed.clone();
            forged[at] ^= 0x04;
            assert!(pair.opened(&forged).is_err(), "{suite}, byte {at}");
            assert!(pair.opened(&sealed[..at]).is_err(), "{suite}, {at} bytes");
        }
        assert_eq!(pair.opened(&sealed), Ok(packet(1, 100)), "and nothing of it did harm");

        let mut sealed = [report(1), report(1)].concat();
        pair.sender.protect_rtcp(&mut sealed).unwrap();
        let mut out = Vec::new();
        for at in 0..sealed.len() {
            let mut forged = sealed.clone();
            forged[at] ^= 0x80;
            assert!(pair.receiver.unprotect_rtcp(&forged, &mut out).is_err(), "{suite}, byte {at}");
            assert!(pair.receiver.unprotect_rtcp(&sealed[..at], &mut out).is_err());
        }
        assert_eq!(pair.receiver.unprotect_rtcp(&sealed, &mut out), Ok(()));
        let again = pair.receiver.unprotect_rtcp(&sealed, &mut out);
        assert_eq!(again, Err(SrtpError::Replayed));
    }
}

#[test]
fn a_packet_is_taken_once_in_any_order() {
    let mut pair = Pair::new(CryptoSuite::AeadAes128Gcm);
    let sealed: Vec<_> = (0..20).map(|n| pair.sealed(1, 65_530_u16.wrapping_add(n))).collect();
    for at in [0, 3, 1, 2, 8, 7, 19, 10] {
        assert!(pair.opened(&sealed[at]).is_ok(), "{at}");
        assert_eq!(pair.opened(&sealed[at]), Err(SrtpError::Replayed), "{at}");
    }
}

#[test]
fn the_round_goes_on_over_many_ends_of_the_numbers() {
    let mut pair = Pair::new(CryptoSuite::AesCm128HmacSha1_80);
    let mut sequence = 30_000_u16;
    for n in 0..30 {
        let sealed = pair.sealed(1, sequence);
        assert_eq!(pair.opened(&sealed), Ok(packet(1, sequence)), "{n}");
        // Long losses: each just under half of the numbers.
        sequence = sequence.wrapping_add(30_000);
    }
}

#[test]
fn a_source_whose_first_packets_were_lost_over_the_end_is_found() {
    let mut pair = Pair::new(CryptoSuite::AesCm128HmacSha1_32);
    pair.sealed(1, 65_535);
    let sealed = pair.sealed(1, 2);
    assert_eq!(pair.opened(&sealed), Ok(packet(1, 2)));
    let sealed = pair.sealed(1, 3);
    assert_eq!(pair.opened(&sealed), Ok(packet(1, 3)));
}

#[test]
fn another_source_of_the_peer_is_judged_by_itself() {
    let key = master(CryptoSuite::AesCm256HmacSha1_80, 7);
    let (mut first, mut second) = (Protector::new(&key).unwrap(), Protector::new(&key).unwrap());
    let mut receiver = Unprotector::new(&key).unwrap();
    let mut out = Vec::new();
    for n in 0..10 {
        for (sender, ssrc) in [(&mut first, 1), (&mut second, 2)] {
            let mut sealed = packet(ssrc, n);
            sender.protect_rtp(&mut sealed).unwrap();
            receiver.unprotect_rtp(&sealed, &mut out).unwrap();
            assert_eq!(out, packet(ssrc, n));
        }
    }
    // Ours is one source: a second one could meet its numbers.
    assert_eq!(first.protect_rtp(&mut packet(2, 11)), Err(SrtpError::SecondSource));
}

#[test]
fn packets_under_a_named_key_carry_its_name() {
    let inline = "inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj";
    let line = format!("1 AES_CM_128_HMAC_SHA1_80 {inline}|2^20|1:4");
    let named = CryptoAttribute::parse(&line).unwrap().key;
    let plain = line.replace("|2^20|1:4", "");
    let bare = CryptoAttribute::parse(&plain).unwrap().key;
    let mut receiver = Unprotector::new(&named).unwrap();
    let mut sealed = packet(1, 5);
    Protector::new(&named).unwrap().protect_rtp(&mut sealed).unwrap();
    assert_eq!(sealed.len(), 172 + 4 + 10);
    assert_eq!(sealed[172..176], [0, 0, 0, 1]);
    let mut out = Vec::new();
    assert_eq!(receiver.unprotect_rtp(&sealed, &mut out), Ok(()));
    assert_eq!(out, packet(1, 5));
    let mut unnamed = packet(1, 6);
    Protector::new(&bare).unwrap().protect_rtp(&mut unnamed).unwrap();
    assert!(receiver.unprotect_rtp(&unnamed, &mut out).is_err());
}

#[test]
fn extensions_and_sources_stay_readable_and_are_proven() {
    let mut clear = vec![0x91, 0x88, 0, 7, 0, 0, 0, 9, 0, 0, 0, 1];
    clear.extend([0, 0, 0, 2]);
    clear.extend([0xbe, 0xde, 0, 1, 0x10, 1, 0, 0]);
    clear.extend([0xaa; 20]);
    for suite in CryptoSuite::ALL {
        let key = master(suite, 1);
        let mut sealed = clear.clone();
        Protector::new(&key).unwrap().protect_rtp(&mut sealed).unwrap();
        assert_eq!(sealed[..24], clear[..24]);
        assert_ne!(sealed[24..44], clear[24..44]);
        let mut out = Vec::new();
        Unprotector::new(&key).unwrap().unprotect_rtp(&sealed, &mut out).unwrap();
        assert_eq!(out, clear);
    }
}

#[test]
fn a_report_in_clear_is_refused() {
    let key = master(CryptoSuite::AesCm128HmacSha1_80, 1);
    let mut sealed = report(4);
    Protector::new(&key).unwrap().protect_rtcp(&mut sealed).unwrap();
    let word = sealed.len() - 14;
    sealed[word] &= 0x7f;
    let mut out = Vec::new();
    let judged = Unprotector::new(&key).unwrap().unprotect_rtcp(&sealed, &mut out);
    assert_eq!(judged, Err(SrtpError::Unencrypted));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn arbitrary_datagrams_never_panic(
        mut bytes in proptest::collection::vec(any::<u8>(), 0..120),
        first in 0x80_u8..0xc0,
        suite in 0_usize..5,
    ) {
        let key = master(CryptoSuite::ALL[suite], 1);
        let mut receiver = Unprotector::new(&key).unwrap();
        let mut out = Vec::new();
        for _ in 0..2 {
            prop_assert!(receiver.unprotect_rtp(&bytes, &mut out).is_err());
            prop_assert!(receiver.unprotect_rtcp(&bytes, &mut out).is_err());
            if let Some(byte) = bytes.first_mut() {
                *byte = first;
            }
        }
        let mut sender = Protector::new(&key).unwrap();
        let _ = sender.protect_rtcp(&mut bytes.clone());
        let _ = sender.protect_rtp(&mut bytes);
    }
}

//! Keys for encrypted sound in a description: the crypto attribute (RFC 4568).
//!
//! A line that asks for what is not spoken here (another suite, sound without encryption or proof, several keys,
//! keys that change on the way) is left out as RFC 4568, 7.1.2 has it, so that a weaker protection is never agreed on
//! by accident. Nothing here ever prints a key.

use std::fmt;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig, general_purpose};
use secrecy::{ExposeSecret, SecretSlice};

/// The longest tag, RFC 4568, 9.1: nine digits.
const MAX_TAG: u32 = 999_999_999;
/// The longest key indicator in bytes (RFC 4568, 6.1).
const MAX_MKI: usize = 128;
/// The most packets that one key may protect (RFC 3711, 9.2).
const MAX_LIFETIME: u64 = 1 << 48;

/// Keys as they come: some leave out the padding.
const TOLERANT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// How packets are encrypted and proved (RFC 4568, 6.2; RFC 6188; RFC 7714).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CryptoSuite {
    /// AES-256 in Galois/counter mode, a proof of 16 bytes (RFC 7714).
    AeadAes256Gcm,
    /// AES-128 in Galois/counter mode, a proof of 16 bytes (RFC 7714).
    AeadAes128Gcm,
    /// AES-256 in counter mode with HMAC-SHA1, a proof of 10 bytes (RFC 6188).
    AesCm256HmacSha1_80,
    /// AES-128 in counter mode with HMAC-SHA1, a proof of 10 bytes (RFC 3711): the one that everybody has.
    AesCm128HmacSha1_80,
    /// The same with a proof of 4 bytes on sound; reports keep 10.
    AesCm128HmacSha1_32,
}

impl CryptoSuite {
    /// All that are spoken.
    pub const ALL: [Self; 5] = [
        Self::AeadAes256Gcm,
        Self::AeadAes128Gcm,
        Self::AesCm256HmacSha1_80,
        Self::AesCm128HmacSha1_80,
        Self::AesCm128HmacSha1_32,
    ];

    /// Those that Balie offers, best first. The short proof is taken from those who want it and not offered: every
    /// peer must have the long one (RFC 4568, 6.2), and each line makes requests longer.
    pub const OFFERED: [Self; 4] = [
        Self::AeadAes256Gcm,
        Self::AeadAes128Gcm,
        Self::AesCm256HmacSha1_80,
        Self::AesCm128HmacSha1_80,
    ];

    /// The registered name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AeadAes256Gcm => "AEAD_AES_256_GCM",
            Self::AeadAes128Gcm => "AEAD_AES_128_GCM",
            Self::AesCm256HmacSha1_80 => "AES_256_CM_HMAC_SHA1_80",
            Self::AesCm128HmacSha1_80 => "AES_CM_128_HMAC_SHA1_80",
            Self::AesCm128HmacSha1_32 => "AES_CM_128_HMAC_SHA1_32",
        }
    }

    /// The suite with that name, in any case. `AES_CM_256_…` is what drafts of RFC 6188 and phones after them write.
    pub fn from_name(name: &str) -> Option<Self> {
        if name.eq_ignore_ascii_case("AES_CM_256_HMAC_SHA1_80") {
            return Some(Self::AesCm256HmacSha1_80);
        }
        Self::ALL.into_iter().find(|suite| suite.as_str().eq_ignore_ascii_case(name))
    }

    /// Bytes of the master key.
    pub const fn key_length(self) -> usize {
        match self {
            Self::AeadAes256Gcm | Self::AesCm256HmacSha1_80 => 32,
            Self::AeadAes128Gcm | Self::AesCm128HmacSha1_80 | Self::AesCm128HmacSha1_32 => 16,
        }
    }

    /// Bytes of the master salt.
    pub const fn salt_length(self) -> usize {
        match self {
            Self::AeadAes256Gcm | Self::AeadAes128Gcm => 12,
            Self::AesCm256HmacSha1_80 | Self::AesCm128HmacSha1_80 | Self::AesCm128HmacSha1_32 => 14,
        }
    }
}

impl fmt::Display for CryptoSuite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A master key with its salt; whoever sends with it made it. Never printed, wiped when dropped.
#[derive(Clone)]
pub struct MasterKey {
    suite: CryptoSuite,
    secret: SecretSlice<u8>,
    mki: Vec<u8>,
}

impl MasterKey {
    /// From the key and the salt after it; none when that is not as long as the suite wants.
    pub fn new(suite: CryptoSuite, secret: Vec<u8>) -> Option<Self> {
        let wanted = suite.key_length() + suite.salt_length();
        (secret.len() == wanted).then(|| Self { suite, secret: secret.into(), mki: Vec::new() })
    }

    /// What it is for.
    pub const fn suite(&self) -> CryptoSuite {
        self.suite
    }

    /// The key without the salt.
    pub fn key(&self) -> &[u8] {
        self.secret.expose_secret().get(..self.suite.key_length()).unwrap_or_default()
    }

    /// The salt.
    pub fn salt(&self) -> &[u8] {
        self.secret.expose_secret().get(self.suite.key_length()..).unwrap_or_default()
    }

    /// What every packet under this key carries to name it (RFC 3711, 3.1); empty for none.
    pub fn mki(&self) -> &[u8] {
        &self.mki
    }
}

impl PartialEq for MasterKey {
    fn eq(&self, other: &Self) -> bool {
        self.suite == other.suite
            && self.mki == other.mki
            && self.secret.expose_secret() == other.secret.expose_secret()
    }
}

impl Eq for MasterKey {}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MasterKey({}, …)", self.suite)
    }
}

/// The keys of one encrypted stream: each side makes the one it sends with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SrtpKeys {
    /// Ours.
    pub send: MasterKey,
    /// The peer's.
    pub receive: MasterKey,
}

/// Whether sound is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SrtpPolicy {
    /// It is not, and what can only be had encrypted is refused.
    #[default]
    Off,
    /// It is where the peer does it too: keys are offered on RTP/AVP (RFC 8643), and taken on any profile.
    Optional,
    /// It is, or there is no sound: RTP/SAVP is offered (UDP/TLS/RTP/SAVPF where keys come by DTLS only), and nothing is
    /// taken without keys.
    Required,
}

/// The ways to agree on keys that are open to this side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keying {
    /// Keys in the descriptions (RFC 4568).
    pub sdes: bool,
    /// Keys from a handshake in the media (RFC 5763).
    pub dtls: bool,
}

impl Keying {
    /// In the descriptions only.
    pub const SDES: Self = Self { sdes: true, dtls: false };
}

/// Why a crypto attribute cannot be used. Holds nothing of the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CryptoError {
    /// Not of the form of RFC 4568, 9.1.
    #[error("unreadable crypto attribute: {0}")]
    Malformed(&'static str),
    /// A suite that is not spoken here.
    #[error("unknown crypto suite")]
    UnknownSuite,
    /// It asks for something that is not done here.
    #[error("a crypto attribute asks for {0}")]
    Unsupported(&'static str),
}

/// One usable `a=crypto`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CryptoAttribute {
    /// Its number among the others; an answer repeats it.
    pub tag: u32,
    /// The suite as the peer spells it; an answer repeats that too.
    pub name: String,
    /// The key.
    pub key: MasterKey,
}

impl CryptoAttribute {
    /// Reads the value of the attribute: `<tag> <suite> inline:<key and salt>[|lifetime][|mki:length] [parameters]`.
    ///
    /// # Errors
    /// [`CryptoError`]: the line is then to be passed over.
    pub fn parse(value: &str) -> Result<Self, CryptoError> {
        let mut fields = value.split_ascii_whitespace();
        let mut next = |what| fields.next().ok_or(CryptoError::Malformed(what));
        let tag = next("no tag")?;
        let name = next("no suite")?;
        let keys = next("no key")?;
        let tag = digits(tag)
            .and_then(|tag| u32::try_from(tag).ok())
            .filter(|tag| *tag <= MAX_TAG)
            .ok_or(CryptoError::Malformed("tag"))?;
        let suite = CryptoSuite::from_name(name).ok_or(CryptoError::UnknownSuite)?;
        let key = key(suite, keys)?;
        fields.try_for_each(session_parameter)?;
        Ok(Self { tag, name: name.to_owned(), key })
    }

    /// The value as it is written.
    pub(crate) fn to_value(&self) -> String {
        let secret = general_purpose::STANDARD.encode(self.key.secret.expose_secret());
        format!("{} {} inline:{secret}", self.tag, self.name)
    }
}

/// `inline:<key and salt>[|lifetime][|mki:length]`
fn key(suite: CryptoSuite, text: &str) -> Result<MasterKey, CryptoError> {
    if text.contains(';') {
        return Err(CryptoError::Unsupported("several keys"));
    }
    let (method, rest) = text.split_once(':').ok_or(CryptoError::Malformed("key method"))?;
    if !method.eq_ignore_ascii_case("inline") {
        return Err(CryptoError::Unsupported("another way to tell the key"));
    }
    let mut parts = rest.split('|');
    let secret = TOLERANT
        .decode(parts.next().unwrap_or_default())
        .map_err(|_| CryptoError::Malformed("key"))?;
    let mut key = MasterKey::new(suite, secret).ok_or(CryptoError::Malformed("key length"))?;
    let mut lifetime_seen = false;
    for part in parts {
        match part.split_once(':') {
            Some((mki, length)) if key.mki.is_empty() => key.mki = indicator(mki, length)?,
            None if !lifetime_seen && key.mki.is_empty() => {
                lifetime_seen = true;
                lifetime(part)?;
            }
            _ => return Err(CryptoError::Malformed("key parameters")),
        }
    }
    Ok(key)
}

/// How long the key is good for: a number of packets, or a power of two. What the peer makes of it is up to the peer:
/// it makes a new one in time.
fn lifetime(text: &str) -> Result<(), CryptoError> {
    let packets = match text.strip_prefix("2^") {
        Some(power) => digits(power)
            .and_then(|power| u32::try_from(power).ok())
            .and_then(|power| 1_u64.checked_shl(power)),
        None => digits(text),
    };
    match packets {
        Some(1..=MAX_LIFETIME) => Ok(()),
        _ => Err(CryptoError::Malformed("lifetime")),
    }
}

/// The key indicator: a number in so many bytes.
fn indicator(value: &str, length: &str) -> Result<Vec<u8>, CryptoError> {
    let length = digits(length)
        .and_then(|length| usize::try_from(length).ok())
        .filter(|length| (1..=MAX_MKI).contains(length))
        .ok_or(CryptoError::Malformed("MKI length"))?;
    let value = digits(value).ok_or(CryptoError::Malformed("MKI"))?.to_be_bytes();
    let mut mki = vec![0; length];
    for (to, from) in mki.iter_mut().rev().zip(value.iter().rev()) {
        *to = *from;
    }
    let cut = value.len().saturating_sub(length);
    if value.iter().take(cut).any(|byte| *byte != 0) {
        return Err(CryptoError::Malformed("MKI"));
    }
    Ok(mki)
}

/// What a session parameter asks for. Those that begin with a hyphen may be passed over (RFC 4568, 6.3.7).
fn session_parameter(text: &str) -> Result<(), CryptoError> {
    let (name, value) = text.split_once('=').unwrap_or((text, ""));
    match name.to_ascii_uppercase().as_str() {
        // A hint about the replay window; ours is longer than the least of 64.
        "WSH" => digits(value).map(drop).ok_or(CryptoError::Malformed("WSH")),
        "KDR" if digits(value) == Some(0) => Ok(()),
        "KDR" => Err(CryptoError::Unsupported("keys that change on the way")),
        "UNENCRYPTED_SRTP" => Err(CryptoError::Unsupported("sound without encryption")),
        "UNENCRYPTED_SRTCP" => Err(CryptoError::Unsupported("reports without encryption")),
        "UNAUTHENTICATED_SRTP" => Err(CryptoError::Unsupported("sound without proof")),
        "FEC_ORDER" | "FEC_KEY" => Err(CryptoError::Unsupported("protected error correction")),
        other if other.starts_with('-') => Ok(()),
        _ => Err(CryptoError::Unsupported("an unknown parameter")),
    }
}

/// Digits only: no sign, no blanks.
fn digits(text: &str) -> Option<u64> {
    (!text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()))
        .then(|| text.parse().ok())
        .flatten()
}

/// A text with every key and password in it replaced: what of a description may be shown or logged.
pub fn redacted(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for line in text.split_inclusive(['\r', '\n']) {
        let tidy = line.trim_start().to_ascii_lowercase().replace([' ', '\t'], "");
        // `k=` is the old way of RFC 4566 to write a key.
        let secrets = [("a=crypto", "a=crypto:"), ("a=ice-pwd", "a=ice-pwd:"), ("k=", "k=")];
        if let Some((_, kind)) = secrets.iter().find(|(start, _)| tidy.starts_with(start)) {
            shown.push_str(kind);
            shown.push('…');
            shown.push_str(line.trim_start_matches(|c| c != '\r' && c != '\n'));
        } else {
            shown.push_str(line);
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The key of the example in RFC 4568, 6.1 is 30 bytes of text.
    const KEY: &str = "d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj";

    fn parse(value: &str) -> Result<CryptoAttribute, CryptoError> {
        CryptoAttribute::parse(value)
    }

    #[test]
    fn the_examples_of_the_standard_are_read() {
        let line = parse(&format!("1 AES_CM_128_HMAC_SHA1_80 inline:{KEY}|2^20|1:4")).unwrap();
        assert_eq!((line.tag, line.key.suite()), (1, CryptoSuite::AesCm128HmacSha1_80));
        assert_eq!((line.key.key().len(), line.key.salt().len()), (16, 14));
        assert_eq!(line.key.mki(), [0, 0, 0, 1]);
        let short = parse(&format!("2 aes_cm_128_hmac_sha1_32  inline:{KEY}|1066:4 -x=y WSH=128"));
        let short = short.unwrap();
        assert_eq!(short.key.suite(), CryptoSuite::AesCm128HmacSha1_32);
        assert_eq!(short.key.mki(), [0, 0, 4, 42]);
    }

    #[test]
    fn what_is_written_is_read_again_for_every_suite() {
        for (tag, suite) in (1..).zip(CryptoSuite::ALL) {
            let length = suite.key_length() + suite.salt_length();
            let secret: Vec<u8> = (0..length).map(|n| u8::try_from(n).unwrap() ^ 0xa5).collect();
            let key = MasterKey::new(suite, secret).unwrap();
            let line = CryptoAttribute { tag, name: suite.as_str().to_owned(), key };
            assert_eq!(parse(&line.to_value()), Ok(line.clone()));
            let bare = line.to_value();
            assert_eq!(parse(bare.trim_end_matches('=')), Ok(line));
        }
        let drafts = CryptoSuite::from_name("AES_CM_256_HMAC_SHA1_80");
        assert_eq!(drafts, Some(CryptoSuite::AesCm256HmacSha1_80));
    }

    #[test]
    fn what_would_weaken_the_protection_is_refused() {
        for (parameter, allowed) in [
            ("UNENCRYPTED_SRTP", false),
            ("UNENCRYPTED_SRTCP", false),
            ("UNAUTHENTICATED_SRTP", false),
            ("unencrypted_srtp", false),
            ("KDR=1", false),
            ("KDR=0", true),
            ("FEC_ORDER=FEC_SRTP", false),
            ("SOMETHING=1", false),
            ("-SOMETHING=1", true),
            ("WSH=64", true),
            ("WSH=x", false),
        ] {
            let line = parse(&format!("1 AES_CM_128_HMAC_SHA1_80 inline:{KEY} {parameter}"));
            assert_eq!(line.is_ok(), allowed, "{parameter}: {line:?}");
        }
    }

    #[test]
    fn malformed_lines_are_passed_over() {
        let suite = "AES_CM_128_HMAC_SHA1_80";
        for (value, why) in [
            (String::new(), CryptoError::Malformed("no tag")),
            ("1".to_owned(), CryptoError::Malformed("no suite")),
            (format!("1 {suite}"), CryptoError::Malformed("no key")),
            (format!("x {suite} inline:{KEY}"), CryptoError::Malformed("tag")),
            (format!("1234567890 {suite} inline:{KEY}"), CryptoError::Malformed("tag")),
            (format!("1 F8_128_HMAC_SHA1_80 inline:{KEY}"), CryptoError::UnknownSuite),
            (format!("1 {suite} {KEY}"), CryptoError::Malformed("key method")),
            (format!("1 {suite} inline:!!!!"), CryptoError::Malformed("key")),
            (format!("1 {suite} inline:AAAA"), CryptoError::Malformed("key length")),
            (format!("1 AEAD_AES_256_GCM inline:{KEY}"), CryptoError::Malformed("key length")),
            (format!("1 {suite} inline:{KEY}|2^49"), CryptoError::Malformed("lifetime")),
            (format!("1 {suite} inline:{KEY}|0"), CryptoError::Malformed("lifetime")),
            (format!("1 {suite} inline:{KEY}|1:129"), CryptoError::Malformed("MKI length")),
            (format!("1 {suite} inline:{KEY}|256:1"), CryptoError::Malformed("MKI")),
            (format!("1 {suite} inline:{KEY}|1:4|2^20"), CryptoError::Malformed("key parameters")),
            (
                format!("1 {suite} inline:{KEY}|2^20|1:4;inline:{KEY}|2^20|2:4"),
                CryptoError::Unsupported("several keys"),
            ),
        ] {
            assert_eq!(parse(&value).map(drop), Err(why), "{value}");
        }
    }

    #[test]
    fn a_key_is_never_shown() {
        let line = parse(&format!("1 AES_CM_128_HMAC_SHA1_80 inline:{KEY}")).unwrap();
        let shown = format!("{line:?} {:?}", line.key);
        assert!(!shown.contains(KEY) && !shown.contains("119"), "{shown}");
        let text = format!("v=0\r\na=crypto:1 X inline:{KEY}|2^20\r\na=sendrecv\r\n");
        assert_eq!(redacted(&text), "v=0\r\na=crypto:…\r\na=sendrecv\r\n");
        for odd in [
            "A = Crypto : 1 X inline:",
            "a=crypto inline:",
            " \ta=crypto:",
            "k=base64:",
            "a=ice-pwd:",
            "A=ICE-PWD ",
        ] {
            assert!(!redacted(&format!("{odd}{KEY}\n")).contains(KEY), "{odd}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]

        #[test]
        fn hostile_lines_never_panic(value in "[ -~]{0,120}", tail in "[ -~|:;=^0-9]{0,40}") {
            let _ = parse(&value);
            let _ = parse(&format!("1 AES_CM_128_HMAC_SHA1_80 inline:{KEY}{tail}"));
            let _ = redacted(&value);
        }
    }
}

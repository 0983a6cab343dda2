//! Keys that are agreed in the media itself: the fingerprint of a certificate (RFC 8122) and who begins the handshake
//! (RFC 4145, RFC 8842).
//!
//! The description carries no key, but it carries whom to believe: whoever can change it can put himself between.

use std::fmt;

/// The most fingerprints of a line that are looked at.
pub(crate) const MAX_FINGERPRINTS: usize = 8;

/// The hash a fingerprint was made with. MD5 and SHA-1 are not among them (RFC 8122, 5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum HashFunction {
    /// SHA-256, which everybody has.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

impl HashFunction {
    /// The name as it is written.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sha256 => "sha-256",
            Self::Sha384 => "sha-384",
            Self::Sha512 => "sha-512",
        }
    }

    /// The one with that name, in any case.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Sha256, Self::Sha384, Self::Sha512]
            .into_iter()
            .find(|function| function.as_str().eq_ignore_ascii_case(name))
    }

    /// Bytes of a digest.
    pub const fn length(self) -> usize {
        match self {
            Self::Sha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }
}

/// What a certificate hashes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fingerprint {
    function: HashFunction,
    digest: Vec<u8>,
}

impl Fingerprint {
    /// From a digest; none when it is not as long as the function makes it.
    pub fn new(function: HashFunction, digest: Vec<u8>) -> Option<Self> {
        (digest.len() == function.length()).then_some(Self { function, digest })
    }

    /// Reads the value of `a=fingerprint`: `<function> <hex>:<hex>:…`; none when it is malformed or of a function that
    /// is not trusted.
    pub fn parse(value: &str) -> Option<Self> {
        let (name, digest) = value.trim().split_once([' ', '\t'])?;
        let function = HashFunction::from_name(name)?;
        let byte = |pair: &str| {
            let hex = pair.len() == 2 && pair.bytes().all(|digit| digit.is_ascii_hexdigit());
            hex.then(|| u8::from_str_radix(pair, 16).ok()).flatten()
        };
        let digest: Option<Vec<u8>> =
            digest.trim().split(':').take(function.length() + 1).map(byte).collect();
        Self::new(function, digest?)
    }

    /// The hash it was made with.
    pub const fn function(&self) -> HashFunction {
        self.function
    }

    /// The digest.
    pub fn digest(&self) -> &[u8] {
        &self.digest
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.function.as_str())?;
        for (n, byte) in self.digest.iter().enumerate() {
            write!(f, "{}{byte:02X}", if n == 0 { ' ' } else { ':' })?;
        }
        Ok(())
    }
}

/// Who begins the handshake, as one side writes it of itself (RFC 4145, 4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Setup {
    /// The writer does.
    Active,
    /// The other does.
    Passive,
    /// The other may choose: what an offer says.
    Actpass,
    /// Nobody, for now.
    Holdconn,
}

impl Setup {
    /// The word as it is written.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Passive => "passive",
            Self::Actpass => "actpass",
            Self::Holdconn => "holdconn",
        }
    }

    /// The one with that word, in any case.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Active, Self::Passive, Self::Actpass, Self::Holdconn]
            .into_iter()
            .find(|setup| setup.as_str().eq_ignore_ascii_case(name))
    }
}

/// What this side is in the handshake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DtlsRole {
    /// It begins: `active`.
    Client,
    /// It waits: `passive`.
    Server,
}

impl DtlsRole {
    /// What an answer writes.
    pub(crate) const fn setup(self) -> Setup {
        match self {
            Self::Client => Setup::Active,
            Self::Server => Setup::Passive,
        }
    }
}

/// What was agreed about the handshake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DtlsParameters {
    /// What we are.
    pub role: DtlsRole,
    /// The peer's certificate must hash to one of these; there is at least one.
    pub fingerprints: Vec<Fingerprint>,
}

/// What a line of the peer's says of the handshake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RemoteDtls {
    pub(crate) fingerprints: Vec<Fingerprint>,
    pub(crate) setup: Option<Setup>,
}

impl RemoteDtls {
    /// Our part when this is an offer. With checks we begin, which saves half a round trip. Without them the peer does:
    /// some exchanges (Asterisk) drop the association with every description that changes and only begin anew where that
    /// is their part. Parts that are given stay (RFC 5763, 5; RFC 8842, 5.3). None: no handshake is wanted.
    pub(crate) fn answer(
        &self,
        ice: bool,
        before: Option<&DtlsParameters>,
    ) -> Option<DtlsParameters> {
        let same = before.filter(|before| before.fingerprints == self.fingerprints);
        let usual = if ice { DtlsRole::Client } else { DtlsRole::Server };
        let role = match self.setup {
            Some(Setup::Holdconn) => return None,
            Some(Setup::Actpass) => same.map_or(usual, |before| before.role),
            Some(Setup::Passive) => DtlsRole::Client,
            // An offer that says nothing is active (RFC 4145, 4).
            Some(Setup::Active) | None => DtlsRole::Server,
        };
        Some(DtlsParameters { role, fingerprints: self.fingerprints.clone() })
    }

    /// Our part when this is the answer to our actpass. An answer must choose; one that does not, or leaves the word
    /// out, waits for us.
    pub(crate) fn accept(&self) -> Option<DtlsParameters> {
        let role = match self.setup {
            Some(Setup::Holdconn) => return None,
            Some(Setup::Active) => DtlsRole::Server,
            Some(Setup::Passive | Setup::Actpass) | None => DtlsRole::Client,
        };
        Some(DtlsParameters { role, fingerprints: self.fingerprints.clone() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_fingerprint_is_read_in_any_case_and_written_in_capitals() {
        let hex = (0..32).map(|n| format!("{n:02x}")).collect::<Vec<_>>().join(":");
        let read = Fingerprint::parse(&format!(" SHA-256  {hex} ")).unwrap();
        assert_eq!(read.digest()[31], 31);
        assert_eq!(read.to_string(), format!("sha-256 {}", hex.to_uppercase()));
        for bad in [
            format!("sha-256 {}", &hex[3..]),
            format!("sha-256 {hex}:20"),
            format!("sha-512 {hex}"),
            format!("sha-1 {hex}"),
            format!("sha-256{hex}"),
            hex.replace(':', ""),
            format!("sha-256 {}", hex.replacen("00", "0", 1)),
            format!("sha-256 {}", hex.replacen("00", "+0", 1)),
        ] {
            assert_eq!(Fingerprint::parse(&bad), None, "{bad}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]

        #[test]
        fn hostile_values_never_panic(value in "[ -~é]{0,220}", digest in "[0-9a-fA-F:]{0,200}") {
            let _ = Fingerprint::parse(&value);
            if let Some(read) = Fingerprint::parse(&format!("sha-512 {digest}")) {
                prop_assert_eq!(Fingerprint::parse(&read.to_string()), Some(read));
            }
        }
    }
}

//! Reading and writing session descriptions (RFC 8866).
//!
//! Reading is in two steps: [`clean`] brings the text into the strict form (what carriers get wrong is corrected or
//! left out, see its notes), then `sdp-types` parses it.

use std::fmt;

use sdp_types::Session;

use crate::crypto::redacted;
use crate::error::ParseError;

/// The most bytes that are looked at.
const MAX_LENGTH: usize = 64 * 1024;
/// The most media lines that are accepted.
const MAX_MEDIA: usize = 64;

/// A session description, read kindly and written strictly. Shown without its keys.
#[derive(Clone, PartialEq, Eq)]
pub struct SessionDescription {
    pub(crate) session: Session,
}

impl SessionDescription {
    /// Reads a description. Missing or unreadable `v=`, `o=`, `s=` and `t=` are replaced, unknown and malformed
    /// lines left out, line ends and spaces tidied, bytes that are not UTF-8 replaced.
    ///
    /// # Errors
    /// When there is neither a `v=` nor an `m=` line, a media line has no port or protocol (its place among the
    /// others matters too much to guess), or the text is absurdly long.
    pub fn parse(bytes: &[u8]) -> Result<Self, ParseError> {
        if bytes.len() > MAX_LENGTH {
            return Err(ParseError { reason: format!("{} bytes", bytes.len()) });
        }
        let text = clean(&String::from_utf8_lossy(bytes))?;
        let session = Session::parse(text.as_bytes())
            .map_err(|error| ParseError { reason: error.to_string() })?;
        Ok(Self { session })
    }

    /// The description as bytes: CRLF line ends, all mandatory lines present.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(512);
        // Writing to memory cannot fail.
        let _ = self.session.write(&mut bytes);
        bytes
    }
}

impl fmt::Debug for SessionDescription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = String::from_utf8_lossy(&self.to_bytes()).into_owned();
        f.debug_tuple("SessionDescription").field(&redacted(&text)).finish()
    }
}

/// The lines of one section, tidied.
#[derive(Default)]
struct Section {
    media: Option<String>,
    origin: Option<String>,
    name: Option<String>,
    connections: Vec<String>,
    bandwidths: Vec<String>,
    times: Vec<String>,
    attributes: Vec<String>,
}

/// Brings a description into the strict form: one order of lines, CRLF, no blanks at either end, no line that says
/// nothing to an audio phone (`i= u= e= p= r= z= k=` and letters that do not exist).
fn clean(text: &str) -> Result<String, ParseError> {
    let mut sections = vec![Section::default()];
    let mut recognised = false;
    for line in text.split(['\r', '\n', '\0']).map(str::trim).filter(|line| !line.is_empty()) {
        let Some((kind, value)) = split_line(line) else { continue };
        recognised |= matches!(kind, 'v' | 'm');
        if kind == 'm' {
            let media = Some(media_line(value)?);
            sections.push(Section { media, ..Section::default() });
        } else if let Some(section) = sections.last_mut() {
            section.take(kind, value);
        }
    }
    if !recognised {
        return Err(ParseError { reason: "neither v= nor m= line".into() });
    }
    if sections.len() > MAX_MEDIA {
        return Err(ParseError { reason: format!("{} media lines", sections.len()) });
    }
    Ok(sections.iter().map(Section::to_text).collect())
}

/// The letter and the value of a line; blanks around `=` are forgiven.
fn split_line(line: &str) -> Option<(char, &str)> {
    let (letter, value) = line.split_once('=')?;
    let mut letters = letter.trim().chars();
    let kind = letters.next()?.to_ascii_lowercase();
    letters.next().is_none().then(|| (kind, value.trim()))
}

/// A media line with single blanks and a lower-case media type.
fn media_line(value: &str) -> Result<String, ParseError> {
    let broken = || ParseError { reason: format!("media line {value:?}") };
    let mut fields = value.split_ascii_whitespace();
    let (media, port, protocol) = fields
        .next()
        .zip(fields.next())
        .zip(fields.next())
        .map(|((media, port), protocol)| (media.to_ascii_lowercase(), port, protocol))
        .ok_or_else(broken)?;
    let port: u16 = port.split('/').next().and_then(|port| port.parse().ok()).ok_or_else(broken)?;
    let mut line = format!("{media} {port} {}", protocol.to_ascii_uppercase());
    let formats: Vec<_> = fields.collect();
    line.push(' ');
    // A line without formats describes nothing; "0" keeps it readable, and a rejected line says "0" anyway.
    line.push_str(&if formats.is_empty() { "0".to_owned() } else { formats.join(" ") });
    Ok(line)
}

impl Section {
    /// Keeps a line if it is of use.
    fn take(&mut self, kind: char, value: &str) {
        let session = self.media.is_none();
        match kind {
            'o' if session && self.origin.is_none() => self.origin = origin_line(value),
            's' if session && self.name.is_none() && !value.is_empty() => {
                self.name = Some(value.to_owned());
            }
            'c' if self.connections.is_empty() => self.connections.extend(connection_line(value)),
            'b' => self.bandwidths.extend(bandwidth_line(value)),
            't' if session => self.times.extend(time_line(value)),
            'a' if !value.is_empty() && !value.starts_with(':') => {
                self.attributes.push(value.to_owned());
            }
            _ => {}
        }
    }

    fn to_text(&self) -> String {
        let mut text = String::new();
        let mut line = |kind: char, value: &str| {
            text.push(kind);
            text.push('=');
            text.push_str(value);
            text.push_str("\r\n");
        };
        if let Some(media) = &self.media {
            line('m', media);
        } else {
            line('v', "0");
            line('o', self.origin.as_deref().unwrap_or("- 0 0 IN IP4 0.0.0.0"));
            line('s', self.name.as_deref().unwrap_or("-"));
        }
        self.connections.iter().for_each(|value| line('c', value));
        self.bandwidths.iter().for_each(|value| line('b', value));
        if self.media.is_none() {
            if self.times.is_empty() {
                line('t', "0 0");
            }
            self.times.iter().for_each(|value| line('t', value));
        }
        self.attributes.iter().for_each(|value| line('a', value));
        text
    }
}

/// `<username> <sess-id> <sess-version> IN <addrtype> <address>`; session ids that are no numbers are kept, a
/// version that is none becomes 0.
fn origin_line(value: &str) -> Option<String> {
    let fields: Vec<_> = value.split_ascii_whitespace().collect();
    let [user, id, version, net, kind, address] = fields.as_slice() else { return None };
    let version: u64 = version.parse().unwrap_or(0);
    let (net, kind) = (network_token(net)?, network_token(kind)?);
    Some(format!("{user} {id} {version} {net} {kind} {address}"))
}

/// `IN IP4|IP6 <address>[/ttl[/count]]`
fn connection_line(value: &str) -> Option<String> {
    let mut fields = value.split_ascii_whitespace();
    let (net, kind) = (network_token(fields.next()?)?, network_token(fields.next()?)?);
    let address = fields.next()?;
    Some(format!("{net} {kind} {address}"))
}

/// `IN`, `IP4`, `IP6` in upper case; anything but letters and digits is refused.
fn network_token(token: &str) -> Option<String> {
    token.chars().all(|c| c.is_ascii_alphanumeric()).then(|| token.to_ascii_uppercase())
}

/// `<type>:<kilobits>`
fn bandwidth_line(value: &str) -> Option<String> {
    let (kind, rate) = value.split_once(':')?;
    let rate: u64 = rate.trim().parse().ok()?;
    let kind = kind.trim();
    let readable = kind.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
    (readable && !kind.is_empty()).then(|| format!("{kind}:{rate}"))
}

/// `<start> <stop>`
fn time_line(value: &str) -> Option<String> {
    let mut fields = value.split_ascii_whitespace();
    let start: u64 = fields.next()?.parse().ok()?;
    let stop: u64 = fields.next()?.parse().ok()?;
    Some(format!("{start} {stop}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn tidy(text: &str) -> String {
        let description = SessionDescription::parse(text.as_bytes()).unwrap();
        String::from_utf8(description.to_bytes()).unwrap()
    }

    #[test]
    fn missing_lines_are_put_in() {
        insta::assert_snapshot!(tidy("m=AUDIO 4000 rtp/avp 8  0 \nc = in ip4 192.0.2.1\n"), @r"
        v=0
        o=- 0 0 IN IP4 0.0.0.0
        s=-
        t=0 0
        m=audio 4000 RTP/AVP 8 0
        c=IN IP4 192.0.2.1
        ");
    }

    #[test]
    fn odd_lines_are_left_out() {
        let text = "v=0\no=user with blanks 1 2 IN IP4 x\ns= \nq=what\nnonsense\n=x\nb=AS\nt=now\n\
                    i=info\nc=IN IP4 10.0.0.1  \na=\nm=audio 4000/2 RTP/AVP\na=sendrecv \n\n";
        insta::assert_snapshot!(tidy(text), @r"
        v=0
        o=- 0 0 IN IP4 0.0.0.0
        s=-
        c=IN IP4 10.0.0.1
        t=0 0
        m=audio 4000 RTP/AVP 0
        a=sendrecv
        ");
    }

    #[test]
    fn a_media_line_without_port_is_refused() {
        assert!(SessionDescription::parse(b"v=0\r\nm=audio\r\n").is_err());
        assert!(SessionDescription::parse(b"v=0\r\nm=audio 70000 RTP/AVP 0\r\n").is_err());
        assert!(SessionDescription::parse(b"hello").is_err());
        assert!(SessionDescription::parse(b"").is_err());
    }

    #[test]
    fn keys_are_not_shown() {
        let text = "v=0\r\nm=audio 4000 RTP/SAVP 8\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:secret\r\n";
        let description = SessionDescription::parse(text.as_bytes()).unwrap();
        assert!(String::from_utf8(description.to_bytes()).unwrap().contains("inline:secret"));
        let shown = format!("{description:?}");
        assert!(shown.contains("m=audio 4000") && !shown.contains("secret"), "{shown}");
    }

    /// Lines as they come, made of pieces that mean something.
    fn lines() -> impl Strategy<Value = String> {
        let piece = prop_oneof![
            Just("m=audio 4000 RTP/AVP 0 8 101".to_owned()),
            Just("c=IN IP6 2001:db8::1".to_owned()),
            Just("o=- 1 1 IN IP4 192.0.2.1".to_owned()),
            Just("v=0".to_owned()),
            "a=[ -~]{0,20}",
            "[a-z]=[ -~]{0,20}",
            "m=[a-z]{1,8} [0-9]{1,4} [A-Z/]{1,8}( [0-9]{1,3}){0,4}",
        ];
        proptest::collection::vec(piece, 0..20).prop_map(|lines| lines.join("\r\n"))
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]

        #[test]
        fn what_is_written_reads_the_same(text in lines()) {
            if let Ok(first) = SessionDescription::parse(text.as_bytes()) {
                let second = SessionDescription::parse(&first.to_bytes()).unwrap();
                prop_assert_eq!(first, second);
            }
        }

        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let _ = SessionDescription::parse(&bytes);
        }
    }
}

//! Owns the one thing read of a `message/sipfrag` body (RFC 3420): the status line that tells how a
//! referred call stands (RFC 3515 section 2.4.5).

use crate::StatusCode;

/// The status of a fragment's first line, `SIP/2.0 180 Ringing`. `None` if there is no such line:
/// the fragment may hold a request or headers alone.
pub fn sipfrag_status(body: &[u8]) -> Option<StatusCode> {
    let line = body.trim_ascii_start().split(|byte| matches!(byte, b'\r' | b'\n')).next()?;
    let mut words = line.split(|byte| matches!(byte, b' ' | b'\t')).filter(|word| !word.is_empty());
    let version = words.next()?;
    if !version.get(..4)?.eq_ignore_ascii_case(b"SIP/") {
        return None;
    }
    let code = std::str::from_utf8(words.next()?).ok()?;
    let digits = code.len() == 3 && code.bytes().all(|byte| byte.is_ascii_digit());
    StatusCode::new(code.parse().ok().filter(|_| digits)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_status_line_and_nothing_else() {
        let code = |text: &str| sipfrag_status(text.as_bytes()).map(StatusCode::code);
        assert_eq!(code("SIP/2.0 180 Ringing\r\nContact: <sip:a@h>\r\n"), Some(180));
        assert_eq!(code("\r\nsip/2.0  486\r\n"), Some(486));
        for text in [
            "",
            "SIP",
            "SIP/2.0",
            "SIP/2.0 1",
            "SIP/2.0 +20 OK",
            "SIP/2.0 999 x",
            "BYE sip:a@h SIP/2.0",
        ] {
            assert_eq!(code(text), None, "{text}");
        }
    }
}

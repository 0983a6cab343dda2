//! Owns the support view of a message: what `balie-cli sip-parse` prints.

use crate::parse::Reading;
use crate::{Message, validate, validate_response};

/// What a message is and whether it would be taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inspection {
    /// Whether it was read and is valid.
    pub ok: bool,
    /// Why not: the reason word of a fault in reading, or the status that refuses it, then a sentence.
    pub error: Option<String>,
    /// The first line, as received.
    pub start_line: String,
    /// How many header rows there are.
    pub headers: usize,
    /// How many bytes the body has.
    pub body: usize,
}

/// Reads and judges one message as if it had come in.
pub fn inspect(bytes: &[u8]) -> Inspection {
    let Reading { headers, body, .. } = Reading::of(bytes);
    let error = match Message::parse(bytes) {
        Ok(message) => verdict(&message),
        Err(error) => Some(error.to_string()),
    };
    let start_line = start_line(bytes);
    Inspection { ok: error.is_none(), error, start_line, headers: headers.len(), body: body.len() }
}

fn verdict(message: &Message) -> Option<String> {
    match message {
        Message::Request(request) => validate(request).err().map(|e| e.to_string()),
        Message::Response(response) => validate_response(response).err().map(|e| e.to_string()),
    }
}

fn start_line(bytes: &[u8]) -> String {
    let line = bytes.split(|b| *b == b'\n').map(<[u8]>::trim_ascii).find(|line| !line.is_empty());
    crate::header_value::decode(line.unwrap_or_default()).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_what_there_is_even_of_what_is_refused() {
        let bytes = b"\r\nOPTIONS sip:a@h SIP/2.0\r\nTo: <sip:a@h>\r\nl: 2\r\n\r\nabc";
        let seen = inspect(bytes);
        assert!(!seen.ok);
        assert_eq!(seen.error.as_deref(), Some("400: Via: the header is missing"));
        assert_eq!(
            (seen.start_line.as_str(), seen.headers, seen.body),
            ("OPTIONS sip:a@h SIP/2.0", 2, 2)
        );
        assert!(inspect(b"\r\n\r\n").error.unwrap().starts_with("empty"));
    }
}

//! Owns the support view of a message: what `balie-cli sip-parse` prints.

use crate::{Message, validate, validate_response};

/// What a message is and whether it would be taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inspection {
    /// Whether it was read and is valid.
    pub ok: bool,
    /// Why not: a reason word, a colon, a sentence.
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
    let start_line = start_line(bytes);
    let (message, error) = match Message::parse(bytes) {
        Ok(message) => {
            let error = verdict(&message);
            (Some(message), error)
        }
        Err(error) => (error.partial.as_deref().cloned(), Some(error.to_string())),
    };
    Inspection {
        ok: error.is_none(),
        error,
        start_line,
        headers: message.as_ref().map_or(0, |m| m.headers().len()),
        body: message.as_ref().map_or(0, |m| m.body().len()),
    }
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

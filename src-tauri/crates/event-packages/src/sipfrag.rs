//! `message/sipfrag`: a piece of a SIP message (RFC 3420), which tells how a transfer goes (RFC 3515).

use std::fmt;

use crate::{DocumentError, limits};

/// A piece of a response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sipfrag {
    /// The status, 100 to 699.
    pub code: u16,
    /// The reason phrase, as written.
    pub reason: String,
    /// Headers, as written, names and values.
    pub headers: Vec<(String, String)>,
}

impl Sipfrag {
    /// Reads a piece that begins with a status line.
    ///
    /// # Errors
    /// When it does not: pieces of requests tell nothing of a transfer.
    pub fn read(bytes: &[u8]) -> Result<Self, DocumentError> {
        let head = bytes.get(..bytes.len().min(65_536)).unwrap_or_default();
        let text = String::from_utf8_lossy(head);
        let mut lines = text.trim_start().lines();
        let status = lines.next().unwrap_or_default();
        let rest = status.get(..8).filter(|start| start.eq_ignore_ascii_case("SIP/2.0 "));
        let rest = rest.and_then(|_| status.get(8..)).ok_or(DocumentError::Malformed)?;
        let (code, reason) = rest.trim_start().split_once(' ').unwrap_or((rest.trim(), ""));
        let code = code.parse::<u16>().map_err(|_| DocumentError::Malformed)?;
        if !(100..=699).contains(&code) {
            return Err(DocumentError::Malformed);
        }
        let mut headers: Vec<(String, String)> = Vec::new();
        for line in lines.take(limits::LINES).take_while(|line| !line.trim().is_empty()) {
            match (line.strip_prefix([' ', '\t']), headers.last_mut()) {
                (Some(more), Some((_, value))) => {
                    value.push(' ');
                    value.push_str(more.trim());
                }
                _ => headers.extend(header(line)),
            }
        }
        Ok(Self { code, reason: reason.trim().to_owned(), headers })
    }
}

fn header(line: &str) -> Option<(String, String)> {
    let (name, value) = line.split_once(':')?;
    Some((name.trim().to_owned(), value.trim().to_owned()))
}

impl fmt::Display for Sipfrag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SIP/2.0 {} {}\r\n", self.code, self.reason)?;
        for (name, value) in &self.headers {
            write!(f, "{name}: {value}\r\n")?;
        }
        Ok(())
    }
}

//! Cutting a byte stream into SIP messages (RFC 3261 section 18.3) and keep-alives (RFC 5626).

use thiserror::Error;

/// How much a peer may make us buffer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FramingLimits {
    /// Most bytes of a start line with its headers.
    pub head: usize,
    /// Most bytes of a body.
    pub body: usize,
}

/// One piece of the stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Frame {
    /// A whole message: head and exactly the body its Content-Length tells.
    Message(Vec<u8>),
    /// CRLF CRLF: answer with a single CRLF (RFC 5626 section 4.4.1).
    KeepAlivePing,
    /// The single CRLF that [`StreamFramer::expect_pong`] waits for.
    KeepAlivePong,
}

/// Why a stream can no longer be cut: the connection must be closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum FramingError {
    /// The headers go on for longer than allowed.
    #[error("the header block is longer than {0} bytes")]
    HeadTooLong(usize),
    /// Content-Length announces more than allowed.
    #[error("the body is longer than {0} bytes")]
    BodyTooLong(usize),
    /// No Content-Length, which a stream needs (RFC 3261 section 18.3).
    #[error("there is no Content-Length")]
    NoContentLength,
    /// Content-Length is no number, or there are several that differ.
    #[error("the Content-Length makes no sense")]
    BadContentLength,
}

/// Cuts what one connection received into [`Frame`]s, whatever the borders of the chunks.
#[derive(Debug)]
pub struct StreamFramer {
    limits: FramingLimits,
    buffer: Vec<u8>,
    /// Bytes of `buffer` already searched for the end of the head.
    searched: usize,
    pong_expected: bool,
    failed: Option<FramingError>,
}

impl Default for FramingLimits {
    fn default() -> Self {
        Self { head: 64 * 1024, body: 512 * 1024 }
    }
}

impl StreamFramer {
    /// An empty framer for a new connection.
    pub fn new(limits: FramingLimits) -> Self {
        Self { limits, buffer: Vec::new(), searched: 0, pong_expected: false, failed: None }
    }

    /// Takes what was read. Drain [`next`](Self::next) after each chunk: that bounds the buffer.
    pub fn push(&mut self, bytes: &[u8]) {
        if self.failed.is_none() {
            self.buffer.extend_from_slice(bytes);
        }
    }

    /// Tells that a ping was sent, so that a CRLF which stands alone is its pong.
    ///
    /// Without this a lone CRLF is held as the possible first half of a ping, and skipped when a
    /// message follows it, so that frames do not depend on how the stream was cut into chunks.
    pub fn expect_pong(&mut self) {
        self.pong_expected = true;
    }

    /// The next piece; `None` when more bytes are needed. An error is given once more on every
    /// later call: the stream cannot be found back into.
    #[expect(
        clippy::should_implement_trait,
        reason = "more may come after None, unlike an iterator"
    )]
    pub fn next(&mut self) -> Option<Result<Frame, FramingError>> {
        if let Some(error) = self.failed {
            return Some(Err(error));
        }
        let outcome = self.cut().transpose();
        if let Some(Err(error)) = outcome {
            self.failed = Some(error);
            self.buffer = Vec::new();
        }
        outcome
    }

    /// Bytes held back because the piece they belong to is not complete.
    pub fn buffered(&self) -> usize {
        self.buffer.len()
    }

    fn cut(&mut self) -> Result<Option<Frame>, FramingError> {
        while let Some(rest) = self.buffer.strip_prefix(b"\r\n") {
            match rest {
                [b'\r', b'\n', ..] => {
                    self.buffer.drain(..4);
                    return Ok(Some(Frame::KeepAlivePing));
                }
                [b'\r'] => return Ok(None),
                _ if self.pong_expected => {
                    self.pong_expected = false;
                    self.buffer.drain(..2);
                    return Ok(Some(Frame::KeepAlivePong));
                }
                [] => return Ok(None),
                _ => self.buffer.drain(..2),
            };
        }
        self.cut_message()
    }

    fn cut_message(&mut self) -> Result<Option<Frame>, FramingError> {
        let Some(head_len) = self.head_length()? else { return Ok(None) };
        let head = self.buffer.get(..head_len).unwrap_or_default();
        let body_len = content_length(head)?;
        if body_len > self.limits.body {
            return Err(FramingError::BodyTooLong(self.limits.body));
        }
        if self.buffer.len() < head_len + body_len {
            return Ok(None);
        }
        let rest = self.buffer.split_off(head_len + body_len);
        self.searched = 0;
        Ok(Some(Frame::Message(std::mem::replace(&mut self.buffer, rest))))
    }

    /// The length of the head with its empty line, once that has arrived. A line may end in a bare
    /// LF: only the empty line matters here, the parser judges the rest.
    fn head_length(&mut self) -> Result<Option<usize>, FramingError> {
        let end =
            (self.searched..self.buffer.len()).find_map(|at| match self.buffer.get(at..)? {
                [b'\n', b'\n', ..] => Some(at + 2),
                [b'\n', b'\r', b'\n', ..] => Some(at + 3),
                _ => None,
            });
        match end {
            Some(end) if end <= self.limits.head => {
                self.searched = end.saturating_sub(3);
                Ok(Some(end))
            }
            None if self.buffer.len() <= self.limits.head => {
                self.searched = self.buffer.len().saturating_sub(2);
                Ok(None)
            }
            _ => Err(FramingError::HeadTooLong(self.limits.head)),
        }
    }
}

/// What Content-Length says. Reads compact names, LWS before the colon and folded values; several
/// equal ones count as one.
fn content_length(head: &[u8]) -> Result<usize, FramingError> {
    let mut found: Option<usize> = None;
    for line in header_lines(head) {
        let Some(colon) = line.iter().position(|&byte| byte == b':') else { continue };
        let (name, value) = line.split_at(colon);
        let name = name.trim_ascii_end();
        if !name.eq_ignore_ascii_case(b"content-length") && !name.eq_ignore_ascii_case(b"l") {
            continue;
        }
        let length = number(value.get(1..).unwrap_or_default())?;
        if found.is_some_and(|earlier| earlier != length) {
            return Err(FramingError::BadContentLength);
        }
        found = Some(length);
    }
    found.ok_or(FramingError::NoContentLength)
}

/// The header lines after the start line, folded ones joined.
fn header_lines(head: &[u8]) -> Vec<Vec<u8>> {
    let mut lines: Vec<Vec<u8>> = Vec::new();
    for line in head.split(|&byte| byte == b'\n').skip(1) {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        match (line.first(), lines.last_mut()) {
            (Some(b' ' | b'\t'), Some(unfolded)) => unfolded.extend_from_slice(line),
            _ => lines.push(line.to_vec()),
        }
    }
    lines
}

fn number(value: &[u8]) -> Result<usize, FramingError> {
    let digits = value.trim_ascii();
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return Err(FramingError::BadContentLength);
    }
    std::str::from_utf8(digits)
        .ok()
        .and_then(|digits| digits.parse().ok())
        .ok_or(FramingError::BadContentLength)
}

#[cfg(test)]
mod tests;

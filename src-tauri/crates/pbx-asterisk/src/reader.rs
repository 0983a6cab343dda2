//! The lines of the manager interface, from a stream cut anywhere.
//!
//! Input: bytes. A message ends with an empty line; the first line of all is the greeting and stands alone.
//! A line or a message that is too large is passed over as a whole, and said; a message that does not end at
//! all is an error.

use std::collections::VecDeque;

use thiserror::Error;

use crate::Message;

/// Longest line that is read, in bytes without its end.
pub const LONGEST_LINE: usize = 8 * 1024;

/// Most lines of one message.
pub const MOST_LINES: usize = 256;

/// A message that is passed over may go on for this many bytes; one that is longer never ends.
pub const ENDLESS: usize = 1024 * 1024;

/// What was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Item {
    /// The line that the exchange says first: `Asterisk Call Manager/11.0.0`.
    Greeting(String),
    /// A message.
    Message(Message),
    /// A message was passed over because a line was too long or there were too many.
    TooLarge,
}

/// The stream cannot be read on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the exchange sends a message that does not end")]
pub struct Endless;

/// Reads messages from a stream.
#[derive(Debug, Default)]
pub struct Reader {
    greeted: bool,
    line: Vec<u8>,
    message: Message,
    lines: usize,
    /// Bytes of the present message that is passed over.
    passed_over: Option<usize>,
    ready: VecDeque<Item>,
    endless: bool,
}

impl Reader {
    /// A reader at the beginning of a connection.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes in what came. After an error nothing is taken in any more.
    ///
    /// # Errors
    /// [`Endless`], when a message goes on and on. What was complete before can still be taken.
    pub fn push(&mut self, bytes: &[u8]) -> Result<(), Endless> {
        for &byte in bytes {
            if self.endless {
                break;
            }
            if byte == b'\n' {
                self.end_line();
            } else {
                self.add(byte);
            }
        }
        if self.endless { Err(Endless) } else { Ok(()) }
    }

    /// The next thing that is complete.
    pub fn next_item(&mut self) -> Option<Item> {
        self.ready.pop_front()
    }

    /// How many bytes of an unfinished message are held.
    #[must_use]
    pub fn held(&self) -> usize {
        let fields = self.message.fields().map(|(name, value)| name.len() + value.len());
        self.line.len() + fields.sum::<usize>()
    }

    fn add(&mut self, byte: u8) {
        if let Some(passed) = &mut self.passed_over {
            *passed += 1;
            self.endless = *passed > ENDLESS;
            // The first byte is enough to tell an empty line.
            if self.line.is_empty() {
                self.line.push(byte);
            }
            return;
        }
        if self.line.len() > LONGEST_LINE || (self.line.len() == LONGEST_LINE && byte != b'\r') {
            self.pass_over();
        } else {
            self.line.push(byte);
        }
    }

    fn pass_over(&mut self) {
        self.passed_over = Some(0);
        self.line.truncate(1);
        self.message = Message::default();
    }

    fn end_line(&mut self) {
        let mut line = std::mem::take(&mut self.line);
        if line.last() == Some(&b'\r') {
            line.pop();
        }
        if !self.greeted {
            self.end_greeting(&line);
        } else if line.is_empty() {
            self.end_message();
        } else if let Some(passed) = &mut self.passed_over {
            *passed += 1;
            self.endless = *passed > ENDLESS;
        } else if self.lines == MOST_LINES {
            self.pass_over();
        } else {
            self.lines += 1;
            self.message.add_line(&String::from_utf8_lossy(&line));
        }
    }

    fn end_greeting(&mut self, line: &[u8]) {
        self.greeted = true;
        if self.passed_over.take().is_some() {
            self.ready.push_back(Item::TooLarge);
        } else {
            self.ready.push_back(Item::Greeting(String::from_utf8_lossy(line).into_owned()));
        }
    }

    fn end_message(&mut self) {
        let message = std::mem::take(&mut self.message);
        self.lines = 0;
        if self.passed_over.take().is_some() {
            self.ready.push_back(Item::TooLarge);
        } else if !message.is_empty() {
            self.ready.push_back(Item::Message(message));
        }
    }
}

#[cfg(test)]
mod tests;

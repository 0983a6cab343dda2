//! Digits in INFO bodies, read and written in one place: `application/dtmf-relay` with its `Signal`
//! and `Duration` lines, and `application/dtmf`, which is the bare digit.

use std::time::Duration;

use crate::{Body, message::media_type};

/// The body of a digit with a duration.
const RELAY: &str = "application/dtmf-relay";
/// The body of a bare digit.
const BARE: &str = "application/dtmf";

/// Bodies of INFO that carry digits.
pub(crate) const BODIES: [&str; 2] = [RELAY, BARE];

/// The shortest and longest time a digit is taken to last.
const BOUNDS: (u64, u64) = (40, 10_000);

/// One key of a telephone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Digit {
    /// `0` to `9`, `*`, `#`, `A` to `D`, or `!` for the hook flash.
    pub signal: char,
    /// How long it lasts, 40 ms to 10 s; `None` if not said.
    pub duration: Option<Duration>,
}

impl Digit {
    /// Reads an INFO's body. `None`: it holds no digit.
    #[must_use]
    pub fn read(body: &Body) -> Option<Self> {
        let text = std::str::from_utf8(&body.bytes).ok()?;
        match media_type(&body.content_type).as_str() {
            RELAY => {
                let line = |name: &str| {
                    text.lines().find_map(|line| {
                        let (key, value) = line.split_once(['=', ':'])?;
                        key.trim().eq_ignore_ascii_case(name).then(|| value.trim())
                    })
                };
                let duration = line("Duration").and_then(|value| value.parse().ok());
                let duration = duration.map(|ms: u64| ms.clamp(BOUNDS.0, BOUNDS.1));
                let duration = duration.map(Duration::from_millis);
                Some(Self { signal: signal(line("Signal")?)?, duration })
            }
            BARE => Some(Self { signal: signal(text.trim())?, duration: None }),
            _ => None,
        }
    }

    /// The digit as `application/dtmf-relay`, 160 ms long if nothing else is said.
    #[must_use]
    pub fn to_body(self) -> Body {
        let milliseconds = self.duration.unwrap_or(Duration::from_millis(160)).as_millis();
        let text = format!("Signal={}\r\nDuration={milliseconds}\r\n", self.signal);
        Body { content_type: RELAY.to_owned(), bytes: text.into_bytes() }
    }
}

/// A key by its sign, or by its event number (RFC 4733 section 3.2: 10 is `*`, 11 is `#`, 16 flash).
fn signal(text: &str) -> Option<char> {
    let mut chars = text.chars();
    if let (Some(sign), None) = (chars.next(), chars.next()) {
        let sign = sign.to_ascii_uppercase();
        return "0123456789*#ABCD!".contains(sign).then_some(sign);
    }
    match text {
        "10" => Some('*'),
        "11" => Some('#'),
        "12" => Some('A'),
        "13" => Some('B'),
        "14" => Some('C'),
        "15" => Some('D'),
        "16" => Some('!'),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(content_type: &str, text: &str) -> Option<(char, Option<u128>)> {
        let body = Body { content_type: content_type.to_owned(), bytes: text.as_bytes().to_vec() };
        Digit::read(&body).map(|digit| (digit.signal, digit.duration.map(|d| d.as_millis())))
    }

    #[test]
    fn digits_are_read_in_both_forms() {
        assert_eq!(read(RELAY, "Signal=5\r\nDuration=160\r\n"), Some(('5', Some(160))));
        assert_eq!(
            read("Application/DTMF-Relay;x=y", "signal= 11\nduration= 1"),
            Some(('#', Some(40)))
        );
        assert_eq!(read(RELAY, "Signal=a"), Some(('A', None)));
        assert_eq!(read(BARE, " * "), Some(('*', None)));
        for (kind, text) in [
            (RELAY, "5"),
            (RELAY, "Signal=17"),
            (RELAY, "Signal="),
            (BARE, "55"),
            ("text/plain", "5"),
        ] {
            assert_eq!(read(kind, text), None, "{kind} {text}");
        }
    }

    #[test]
    fn what_is_written_is_read_back() {
        for signal in "0123456789*#ABCD!".chars() {
            let digit = Digit { signal, duration: Some(Duration::from_millis(250)) };
            assert_eq!(Digit::read(&digit.to_body()), Some(digit));
        }
    }
}

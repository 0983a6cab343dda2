//! Recordings of greetings: read from what a front end sends, and shown to it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use pbx::centre::{GreetingKind, Recorded};

use crate::code::Code;
use crate::control::ErrorReply;
use crate::view::service::{GreetingOf, GreetingRecording};

/// Longest file, bytes: written as text it must fit into one document of the exchange.
const FILE: usize = 2_500_000;
/// Longest name, characters.
const NAME: usize = 80;

pub(super) fn kind(greeting: GreetingOf) -> GreetingKind {
    match greeting {
        GreetingOf::Busy => GreetingKind::Busy,
        GreetingOf::NoAnswer => GreetingKind::NoAnswer,
    }
}

pub(super) fn shown(recorded: &Recorded) -> GreetingRecording {
    GreetingRecording { name: recorded.name.clone(), wav: STANDARD.encode(&recorded.wav) }
}

/// The recording that a front end sent.
///
/// # Errors
/// It has no usable name, or is no WAV file that exchanges play.
pub(super) fn recorded(name: &str, text: &str) -> Result<Recorded, ErrorReply> {
    let bad = |text: &str| Err(ErrorReply::new(Code::BadValue, text));
    let name = name.trim();
    let length = name.chars().count();
    if length == 0 || length > NAME || name.chars().any(char::is_control) {
        return bad("a recording has a name of 1 to 80 characters");
    }
    if text.len() > FILE.div_ceil(3) * 4 {
        return bad("the recording is longer than 2.5 MB");
    }
    let Ok(wav) = STANDARD.decode(text.trim()) else {
        return bad("the recording is not base64");
    };
    match is_played(&wav) {
        true => Ok(Recorded { name: name.to_owned(), wav }),
        false => bad("the recording is no WAV file with one channel, 8 or 16 kHz, 16 bit or G.711"),
    }
}

/// Whether it is a WAV file with sound of a form that exchanges play: PCM of 16 bit, A-law or µ-law.
fn is_played(wav: &[u8]) -> bool {
    let Some((b"RIFF", rest)) = wav.split_first_chunk::<4>() else { return false };
    let Some(b"WAVE") = rest.get(4..8) else { return false };
    let mut chunks = rest.get(8..).unwrap_or_default();
    let mut format = None;
    while let Some((name, after)) = chunks.split_first_chunk::<4>() {
        let Some((length, after)) = after.split_first_chunk::<4>() else { return false };
        let length = usize::try_from(u32::from_le_bytes(*length)).unwrap_or(usize::MAX);
        let body = after.get(..length).unwrap_or(after);
        match name {
            b"fmt " => format = Some(is_played_format(body)),
            b"data" => return format == Some(true) && !body.is_empty(),
            _ => {}
        }
        // Chunks begin at even places.
        chunks = after.get(length.saturating_add(length % 2)..).unwrap_or_default();
    }
    false
}

fn is_played_format(body: &[u8]) -> bool {
    let word = |at: usize| match body.get(at..at + 2) {
        Some(&[low, high]) => u16::from_le_bytes([low, high]),
        _ => 0,
    };
    let rate = u32::from(word(4)) | u32::from(word(6)) << 16;
    let coded = matches!((word(0), word(14)), (1, 16) | (6 | 7, 8));
    coded && word(2) == 1 && matches!(rate, 8000 | 16_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wav(code: u16, channels: u16, rate: u32, bits: u16) -> Vec<u8> {
        let mut file = b"RIFF\x2c\0\0\0WAVEfmt \x10\0\0\0".to_vec();
        file.extend(code.to_le_bytes());
        file.extend(channels.to_le_bytes());
        file.extend(rate.to_le_bytes());
        file.extend([0; 6]);
        file.extend(bits.to_le_bytes());
        file.extend(b"LIST\x03\0\0\0abc\0data\x04\0\0\0\x01\x02\x03\x04");
        file
    }

    fn is_taken(file: &[u8]) -> bool {
        recorded("Vakantie", &STANDARD.encode(file)).is_ok()
    }

    #[test]
    fn files_that_exchanges_play_are_taken() {
        assert!(is_taken(&wav(1, 1, 8000, 16)) && is_taken(&wav(6, 1, 8000, 8)));
        assert!(is_taken(&wav(7, 1, 16_000, 8)));
        for odd in
            [wav(1, 2, 8000, 16), wav(1, 1, 44_100, 16), wav(3, 1, 8000, 32), wav(1, 1, 8000, 8)]
        {
            assert!(!is_taken(&odd));
        }
        let whole = wav(1, 1, 8000, 16);
        for end in 0..whole.len() - 4 {
            assert!(!is_taken(&whole[..end]), "cut at {end}");
        }
        let read = recorded(" Vakantie ", &STANDARD.encode(&whole)).unwrap();
        assert_eq!(read.name, "Vakantie");
        assert_eq!(STANDARD.decode(shown(&read).wav).unwrap(), whole);
    }

    #[test]
    fn names_and_texts_are_checked() {
        let text = STANDARD.encode(wav(1, 1, 8000, 16));
        for name in ["", " ", "a\nb", &"a".repeat(81)] {
            assert_eq!(recorded(name, &text).unwrap_err().code, Code::BadValue, "{name:?}");
        }
        assert!(recorded("a", "no base64!").is_err());
        assert!(recorded("a", &"A".repeat(4_000_000)).is_err());
    }
}

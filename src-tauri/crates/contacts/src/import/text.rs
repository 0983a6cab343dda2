//! What a file is written in.

use encoding_rs::{UTF_16BE, UTF_16LE, WINDOWS_1252};

use super::{ImportError, MAX_FILE};

/// What a file is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// UTF-8, with or without a mark.
    Utf8,
    /// UTF-16, told by its mark.
    Utf16,
    /// What Windows writes in Western Europe.
    Windows1252,
}

/// The text of a file: by its mark, else UTF-8, and what is no UTF-8 is Windows-1252.
///
/// # Errors
/// When it is empty, too large or no text.
pub fn decode(bytes: &[u8]) -> Result<(String, Encoding), ImportError> {
    if bytes.len() > MAX_FILE {
        return Err(ImportError::TooLarge);
    }
    let (text, encoding) = match bytes {
        [0xff, 0xfe, rest @ ..] => (UTF_16LE.decode_without_bom_handling(rest).0, Encoding::Utf16),
        [0xfe, 0xff, rest @ ..] => (UTF_16BE.decode_without_bom_handling(rest).0, Encoding::Utf16),
        [0xef, 0xbb, 0xbf, rest @ ..] => (String::from_utf8_lossy(rest), Encoding::Utf8),
        bytes => match std::str::from_utf8(bytes) {
            Ok(text) => (text.into(), Encoding::Utf8),
            Err(_) => (WINDOWS_1252.decode_without_bom_handling(bytes).0, Encoding::Windows1252),
        },
    };
    match text {
        text if text.contains('\0') => Err(ImportError::NotText),
        text if text.trim().is_empty() => Err(ImportError::Empty),
        text => Ok((text.into_owned(), encoding)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_file_is_written_in_is_seen() {
        let of = |bytes: &[u8]| decode(bytes).unwrap();
        assert_eq!(of("Noël".as_bytes()), ("Noël".to_owned(), Encoding::Utf8));
        assert_eq!(of(b"\xef\xbb\xbfNo\xc3\xabl"), ("Noël".to_owned(), Encoding::Utf8));
        assert_eq!(of(b"No\xebl \x80"), ("Noël €".to_owned(), Encoding::Windows1252));
        assert_eq!(of(b"\xff\xfeN\0o\0\xeb\0l\0"), ("Noël".to_owned(), Encoding::Utf16));
        assert_eq!(decode(b" \r\n"), Err(ImportError::Empty));
        assert_eq!(decode(b"PK\x03\x04\0\0"), Err(ImportError::NotText));
        assert_eq!(decode(&vec![b'a'; MAX_FILE + 1]), Err(ImportError::TooLarge));
    }
}

//! Bytes into text, by what the document and its Content-Type say (reference, section 2, "charset").

use std::borrow::Cow;

use encoding_rs::{Encoding, UTF_8, WINDOWS_1252};

use crate::DocumentError;

/// The text of a document. A byte-order mark comes first, then the document's own declaration, then the
/// charset of its Content-Type, then UTF-8. Where the two contradict each other and the bytes are UTF-8,
/// they are; where bytes that should be UTF-8 are not, they are those of Western Europe, which old servers
/// send.
///
/// # Errors
/// [`DocumentError::Charset`]: the charset is unknown or the bytes are not in it.
pub fn decode<'a>(
    bytes: &'a [u8],
    content_type: Option<&str>,
) -> Result<Cow<'a, str>, DocumentError> {
    if let Some((encoding, length)) = Encoding::for_bom(bytes) {
        return exactly(encoding, bytes.get(length..).unwrap_or_default());
    }
    // A declaration that can be read byte by byte is in no charset of wider characters.
    let declared = declaration(bytes).filter(|label| !needs_decoding(Some(label)));
    let transported = content_type.and_then(charset_of);
    let labels = [declared.as_deref(), transported.as_deref()];
    let utf_8 = std::str::from_utf8(bytes).ok();
    let says_utf_8 = |label: &&str| Encoding::for_label(label.as_bytes()) == Some(UTF_8);
    let label = labels.into_iter().flatten().next();
    if let Some(text) = utf_8 {
        let plain = text.is_ascii() && !needs_decoding(label);
        if plain || label.is_none() || labels.iter().flatten().any(says_utf_8) {
            return Ok(Cow::Borrowed(text));
        }
    }
    match label.map(|label| Encoding::for_label(label.as_bytes())) {
        None => exactly(WINDOWS_1252, bytes),
        Some(Some(encoding)) if encoding == UTF_8 => exactly(WINDOWS_1252, bytes),
        Some(Some(encoding)) => exactly(encoding, bytes),
        Some(None) => utf_8.map(Cow::Borrowed).ok_or(DocumentError::Charset),
    }
}

/// ASCII bytes mean themselves in all charsets but those with shifts or wide characters.
fn needs_decoding(label: Option<&str>) -> bool {
    let encoding = label.and_then(|label| Encoding::for_label(label.as_bytes()));
    encoding.is_some_and(|encoding| !encoding.is_ascii_compatible())
}

fn exactly<'a>(
    encoding: &'static Encoding,
    bytes: &'a [u8],
) -> Result<Cow<'a, str>, DocumentError> {
    let (text, wrong) = encoding.decode_without_bom_handling(bytes);
    if wrong { Err(DocumentError::Charset) } else { Ok(text) }
}

/// The `encoding` of `<?xml … ?>`.
fn declaration(bytes: &[u8]) -> Option<String> {
    let start = bytes.iter().position(|byte| !byte.is_ascii_whitespace())?;
    let head = bytes.get(start..bytes.len().min(start + 200))?;
    let head = head.strip_prefix(b"<?xml")?;
    let end = head.windows(2).position(|two| two == b"?>")?;
    let text = String::from_utf8_lossy(head.get(..end)?).into_owned();
    let value = text.split_once("encoding")?.1.trim_start().strip_prefix('=')?.trim_start();
    let quote = value.chars().next().filter(|first| matches!(first, '"' | '\''))?;
    let (label, _) = value.get(1..)?.split_once(quote)?;
    Some(label.trim().to_owned())
}

/// The `charset` of a Content-Type.
fn charset_of(content_type: &str) -> Option<String> {
    content_type.split(';').skip(1).find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        let value = value.trim().trim_matches('"');
        (name.trim().eq_ignore_ascii_case("charset") && !value.is_empty()).then(|| value.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::decode;
    use crate::DocumentError;

    fn text(bytes: &[u8], content_type: &str) -> Result<String, DocumentError> {
        decode(bytes, Some(content_type)).map(std::borrow::Cow::into_owned)
    }

    #[test]
    fn the_declaration_then_the_content_type_then_utf_8() {
        let latin = b"<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><a>Ren\xe9</a>";
        assert!(text(latin, "application/xml").unwrap().contains("Ren\u{e9}"));
        assert!(text(latin, "application/xml; charset=UTF-8").unwrap().contains("Ren\u{e9}"));
        let greek = text(b"<a>\xe1</a>", "text/xml;Charset=\"windows-1253\"").unwrap();
        assert_eq!(greek, "<a>\u{3b1}</a>");
        let polish = b"<?xml version='1.0' encoding='windows-1250'?><a>\xb9</a>";
        assert!(text(polish, "").unwrap().contains('\u{105}'));
        assert_eq!(text("<a>\u{20ac}</a>".as_bytes(), "text/xml").unwrap(), "<a>\u{20ac}</a>");
    }

    #[test]
    fn a_contradiction_is_settled_by_the_bytes() {
        let both = "<?xml version='1.0' encoding='ISO-8859-1'?><a>\u{e9}</a>";
        assert_eq!(text(both.as_bytes(), "text/xml; charset=utf-8").unwrap(), both);
        let wrong = b"<?xml version='1.0' encoding='UTF-8'?><a>\xe9</a>";
        assert!(text(wrong, "text/xml").unwrap().contains('\u{e9}'));
        assert_eq!(text(b"\xe9", "").unwrap(), "\u{e9}");
    }

    #[test]
    fn marks_say_the_charset() {
        let wide: Vec<u8> =
            "\u{feff}<a>\u{e9}</a>".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(text(&wide, "text/xml").unwrap(), "<a>\u{e9}</a>");
        assert_eq!(text(b"\xef\xbb\xbf<a/>", "text/xml; charset=latin1").unwrap(), "<a/>");
    }

    #[test]
    fn what_cannot_be_decoded_is_refused() {
        assert_eq!(text(b"<a>\xe9</a>", "text/xml; charset=klingon"), Err(DocumentError::Charset));
        assert_eq!(
            text(b"<a>\xff\xff\xff</a>", "text/xml; charset=shift_jis"),
            Err(DocumentError::Charset)
        );
        assert_eq!(text(b"<a/>", "text/xml; charset=klingon").unwrap(), "<a/>");
        let wide = "<?xml version='1.0' encoding='utf-16'?><a/>";
        assert_eq!(text(wide.as_bytes(), "text/xml").unwrap(), wide);
    }
}

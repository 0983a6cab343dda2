//! How a call wants to ring and be answered: Alert-Info, Call-Info `answer-after` and Answer-Mode
//! (RFC 3261 section 20.4, RFC 7462, RFC 5373). What exchanges send here is often no URI at all.

use sip_types::{HeaderName, Headers};

use crate::AnswerMode;

/// The longest ringing name that is passed on.
const LONGEST: usize = 128;

/// Words of exchanges that ask to be answered at once.
const AUTOMATIC: [&str; 4] = ["alert-autoanswer", "auto answer", "auto-answer", "autoanswer"];

/// The ringing asked for by the first Alert-Info that names one.
pub(crate) fn ring(headers: &Headers) -> Option<String> {
    let rows = headers.get_all(&HeaderName::AlertInfo);
    let mut names = rows.filter_map(|row| name_of(&row));
    names.find(|name| !AUTOMATIC.contains(&name.to_ascii_lowercase().as_str()))
}

/// Seconds to wait before answering unasked, the least of all that are said.
pub(crate) fn answer_after(headers: &Headers) -> Option<u32> {
    let calls = headers.call_info().unwrap_or_default();
    let said = calls.iter().filter_map(|info| info.params.value("answer-after")?.parse().ok());
    let alerts = headers.get_all(&HeaderName::AlertInfo).filter_map(|row| {
        let name = name_of(&row)?.to_ascii_lowercase();
        if !AUTOMATIC.contains(&name.as_str()) {
            return None;
        }
        Some(param(&row, "delay").and_then(|delay| delay.parse().ok()).unwrap_or(0))
    });
    said.chain(alerts).min()
}

/// Answer-Mode, or Priv-Answer-Mode where that stands alone.
pub(crate) fn answer_mode(headers: &Headers) -> Option<AnswerMode> {
    let plain = headers.get(&HeaderName::AnswerMode);
    let text = plain.or_else(|| headers.get(&HeaderName::Other("Priv-Answer-Mode".to_owned())))?;
    let mut parts = text.split(';').map(str::trim);
    let automatic = match parts.next()?.to_ascii_lowercase().as_str() {
        "auto" => true,
        "manual" => false,
        _ => return None,
    };
    let required = parts.any(|part| part.eq_ignore_ascii_case("require"));
    Some(AnswerMode { automatic, required })
}

/// `info`, else what stands between the brackets: an alert URN without its `urn:`, the file of a
/// sound, or a bare word.
fn name_of(row: &str) -> Option<String> {
    let name = match param(row, "info") {
        Some(info) => info,
        None => {
            let text = row.trim().trim_start_matches('<');
            let text = text.split(['>', ';', ',']).next().unwrap_or_default().trim();
            let text = text.strip_prefix("urn:").unwrap_or(text);
            // An address of the exchange itself says nothing.
            let path = text.split_once("://").map(|(_, rest)| rest.split_once('/'));
            match path {
                Some(Some((_, path))) => path.rsplit('/').next().unwrap_or_default().to_owned(),
                Some(None) => return None,
                None => text.to_owned(),
            }
        }
    };
    let clean = !name.is_empty() && !name.chars().any(char::is_control);
    clean.then(|| name.chars().take(LONGEST).collect())
}

/// A parameter of a value that may be no URI.
fn param(row: &str, name: &str) -> Option<String> {
    let mut params = row.split(';').skip(1);
    params.find_map(|param| {
        let (key, value) = param.split_once('=')?;
        let value = value.split(',').next().unwrap_or_default().trim().trim_matches('"');
        key.trim().eq_ignore_ascii_case(name).then(|| value.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: HeaderName, value: &str) -> Headers {
        let mut headers = Headers::new();
        headers.push(name, value.to_owned());
        headers
    }

    #[test]
    fn ringing_is_named_in_many_ways() {
        for (value, name) in [
            ("<urn:alert:source:internal>", Some("alert:source:internal")),
            ("<http://127.0.0.1/Bellcore-dr2>", Some("Bellcore-dr2")),
            ("Bellcore-dr3", Some("Bellcore-dr3")),
            ("<http://pbx.example>;info=\"alert-group\";x=y", Some("alert-group")),
            (";info=Ring2", Some("Ring2")),
            ("<http://127.0.0.1>", None),
            ("info=alert-autoanswer;delay=0", Some("info=alert-autoanswer")),
            ("", None),
        ] {
            assert_eq!(ring(&headers(HeaderName::AlertInfo, value)).as_deref(), name, "{value}");
        }
        let long = "x".repeat(5000);
        let kept = ring(&headers(HeaderName::AlertInfo, &long)).unwrap();
        assert_eq!(kept.len(), LONGEST);
    }

    #[test]
    fn answering_unasked_is_wished_in_many_ways() {
        for (name, value, after) in [
            (HeaderName::CallInfo, "<sip:pbx.example>;answer-after=3", Some(3)),
            (HeaderName::CallInfo, "<sip:pbx.example>;answer-after=soon", None),
            (HeaderName::AlertInfo, "<http://127.0.0.1>;info=alert-autoanswer;delay=2", Some(2)),
            (HeaderName::AlertInfo, "<sip:x>;info=Auto Answer", Some(0)),
            (HeaderName::AlertInfo, "<urn:alert:service:normal>", None),
        ] {
            let headers = headers(name, value);
            assert_eq!(answer_after(&headers), after, "{value}");
        }
    }

    #[test]
    fn answer_modes() {
        let mode = |value: &str| answer_mode(&headers(HeaderName::AnswerMode, value));
        assert_eq!(mode("Auto"), Some(AnswerMode { automatic: true, required: false }));
        assert_eq!(mode("manual ; Require"), Some(AnswerMode { automatic: false, required: true }));
        assert_eq!(mode("later"), None);
        let private = headers(HeaderName::new("Priv-Answer-Mode"), "Auto;require");
        assert_eq!(answer_mode(&private), Some(AnswerMode { automatic: true, required: true }));
    }
}

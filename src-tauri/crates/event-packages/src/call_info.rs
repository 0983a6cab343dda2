//! The Call-Info header where it speaks of shared lines (packages `call-info` and `line-seize`) and of
//! calls to be answered without being asked.

/// One appearance of a shared line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Appearance {
    /// The line: a URI.
    pub uri: String,
    /// Its number; `None` stands for all that are not named (`*`).
    pub index: Option<u32>,
    /// How it stands.
    pub state: AppearanceState,
    /// Who is at the other end, as written: a name-addr or a URI.
    pub peer: Option<String>,
}

/// How an appearance stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AppearanceState {
    /// Free.
    Idle,
    /// Somebody is about to dial.
    Seized,
    /// It calls.
    Progressing,
    /// It is being called.
    Alerting,
    /// Somebody talks.
    Active,
    /// On hold, for anybody to take.
    Held,
    /// On hold, for its holder only.
    HeldPrivate,
    /// Several talk.
    BridgeActive,
    /// Several talked and are on hold.
    BridgeHeld,
    /// Another word, in lower case.
    Other(String),
}

/// Entries of a Call-Info header that tell of appearances; others are passed over. At most 256.
#[must_use]
pub fn appearances(value: &str) -> Vec<Appearance> {
    split(value, ',').into_iter().filter_map(appearance).take(256).collect()
}

/// Seconds after which a call wants to be answered by itself: the parameter `answer-after` of a
/// Call-Info or Alert-Info header, and no other that looks like it. Whether to obey is the owner's
/// choice.
#[must_use]
pub fn answer_after(value: &str) -> Option<u32> {
    let mut entries = split(value, ',').into_iter();
    entries.find_map(|entry| parameter(&split(entry, ';'), "answer-after")?.parse().ok())
}

fn appearance(entry: &str) -> Option<Appearance> {
    let pieces = split(entry, ';');
    let uri = pieces.first()?.trim().trim_matches(['<', '>']).to_owned();
    let index = parameter(&pieces, "appearance-index")?;
    let word = parameter(&pieces, "appearance-state").unwrap_or("idle").to_ascii_lowercase();
    Some(Appearance {
        uri,
        index: match index {
            "*" => None,
            number => Some(number.parse().ok()?),
        },
        state: match word.as_str() {
            "idle" => AppearanceState::Idle,
            "seized" => AppearanceState::Seized,
            "progressing" => AppearanceState::Progressing,
            "alerting" => AppearanceState::Alerting,
            "active" => AppearanceState::Active,
            "held" => AppearanceState::Held,
            "held-private" => AppearanceState::HeldPrivate,
            "bridge-active" => AppearanceState::BridgeActive,
            "bridge-held" => AppearanceState::BridgeHeld,
            _ => AppearanceState::Other(word),
        },
        peer: parameter(&pieces, "appearance-uri").map(|text| text.replace('\\', "")),
    })
}

/// The value of a parameter, without quotes.
fn parameter<'a>(pieces: &[&'a str], name: &str) -> Option<&'a str> {
    pieces.iter().skip(1).find_map(|piece| {
        let (key, value) = piece.split_once('=')?;
        let value = value.trim();
        let quoted = value.strip_prefix('"').and_then(|value| value.strip_suffix('"'));
        key.trim().eq_ignore_ascii_case(name).then(|| quoted.unwrap_or(value))
    })
}

/// Splits outside of quotes and angle brackets.
fn split(text: &str, at: char) -> Vec<&str> {
    let (mut quoted, mut angled, mut escaped) = (false, false, false);
    let pieces = text.split(|c: char| {
        let literal = std::mem::take(&mut escaped);
        match c {
            _ if literal => {}
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            '<' if !quoted => angled = true,
            '>' if !quoted => angled = false,
            _ => return c == at && !quoted && !angled,
        }
        false
    });
    pieces.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn appearances_are_read() {
        let value = "<sip:as.example>;appearance-index=1;appearance-state=Active;\
                     appearance-uri=\"\\\"Jan, jr.\\\" <sip:4605@as.example>\", \
                     <sip:as.example;x=\"a,b\">;appearance-index=*;appearance-state=idle, \
                     <http://www.example>;purpose=icon";
        let read = appearances(value);
        assert_eq!(read.len(), 2);
        assert_eq!((read[0].index, &read[0].state), (Some(1), &AppearanceState::Active));
        assert_eq!(read[0].peer.as_deref(), Some("\"Jan, jr.\" <sip:4605@as.example>"));
        assert_eq!((read[1].index, &read[1].state), (None, &AppearanceState::Idle));
    }

    #[test]
    fn only_the_exact_parameter_answers_by_itself() {
        assert_eq!(answer_after("<sip:x>;Answer-After=0"), Some(0));
        assert_eq!(answer_after("<sip:x>;purpose=icon, <sip:y>; answer-after = 5"), Some(5));
        for value in ["<sip:x;answer-after=0>", "<sip:x>;no-answer-after=0", "<sip:x>;answer-after"]
        {
            assert_eq!(answer_after(value), None, "{value}");
        }
    }
}

//! The few words that stand outside the pages: the tray and its menu, notifications, answers to the command line.

use app::Tray;
use app::view::{Language, PeerView};

use crate::arguments::Word;

/// Words of the tray in one language.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Texts {
    pub(crate) open: &'static str,
    pub(crate) quit: &'static str,
    offline: &'static str,
    trouble: &'static str,
    ready: &'static str,
    in_call: &'static str,
    ringing: &'static str,
    missed: &'static str,
    pub(crate) notices: Notices,
    pub(crate) words: Words,
    /// What keys that work everywhere do, in the order of `Hotkeys`.
    pub(crate) keys: [&'static str; 6],
}

/// Words of notifications.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Notices {
    pub(crate) answer: &'static str,
    pub(crate) refuse: &'static str,
    pub(crate) call_back: &'static str,
    pub(crate) missed: &'static str,
    /// What a key that answers says during a conversation.
    pub(crate) again: &'static str,
    withheld: &'static str,
    calls: &'static str,
    by: &'static str,
}

impl Notices {
    /// Who it is.
    pub(crate) fn who(self, peer: &PeerView) -> String {
        let known = [&peer.name, &peer.number].into_iter().find(|text| !text.is_empty());
        known.cloned().unwrap_or_else(|| self.withheld.to_owned())
    }

    /// That somebody calls.
    pub(crate) fn calling(self, peer: &PeerView) -> String {
        format!("{} {}", self.who(peer), self.calls)
    }

    /// That somebody calls of whom this much is known: a name or a number, or nothing.
    pub(crate) fn calls_again(self, who: &str) -> String {
        format!("{} {}", if who.is_empty() { self.withheld } else { who }, self.calls)
    }

    /// The number, where the name stands above it, and what was dialled.
    pub(crate) fn more(self, peer: &PeerView, via: Option<&str>) -> String {
        let number =
            Some(peer.number.clone()).filter(|number| !peer.name.is_empty() && !number.is_empty());
        let via = via.map(|via| format!("{} {via}", self.by));
        number.into_iter().chain(via).collect::<Vec<_>>().join(" · ")
    }
}

/// What a word of the command line is answered with.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Words {
    pub(crate) not_running: &'static str,
    answer: &'static str,
    hangup: &'static str,
    hold: &'static str,
    mute: &'static str,
    dial: &'static str,
    failed: &'static str,
}

impl Words {
    /// Why a word was not obeyed. `code`: the stable word of the reason.
    pub(crate) fn refusal(self, word: &Word, code: &str) -> String {
        let known = match (word, code) {
            (Word::Answer, "wrong_state") => self.answer,
            (Word::Hangup, "wrong_state") => self.hangup,
            (Word::Hold, "wrong_state") => self.hold,
            (Word::Mute, "wrong_state") => self.mute,
            (Word::Dial { .. }, "bad_target") => self.dial,
            _ => return format!("{} ({code})", self.failed),
        };
        known.to_owned()
    }
}

const NL: Texts = Texts {
    open: "Balie openen",
    quit: "Afsluiten",
    offline: "Afgemeld",
    trouble: "Niet bereikbaar voor collega’s en klanten",
    ready: "Bereikbaar",
    in_call: "In gesprek",
    ringing: "Er belt iemand",
    missed: "gemist",
    notices: Notices {
        answer: "Opnemen",
        refuse: "Weigeren",
        call_back: "Terugbellen",
        missed: "Gemiste oproep",
        again: "Niet opgenomen: u bent in gesprek. Druk nog eens om het in de wacht te zetten en op te nemen.",
        withheld: "Nummer afgeschermd",
        calls: "belt",
        by: "via",
    },
    words: Words {
        not_running: "Balie draait niet.",
        answer: "Er is geen gesprek om op te nemen.",
        hangup: "Er is geen gesprek om op te hangen.",
        hold: "Er is geen gesprek om in de wacht te zetten of terug te halen.",
        mute: "Er is geen gesprek om te dempen.",
        dial: "Dat is geen nummer, adres of naam.",
        failed: "Dat is niet gelukt.",
    },
    keys: [
        "Opnemen, de langst wachtende",
        "Ophangen of stoppen met bellen",
        "In de wacht, of terughalen",
        "Microfoon dempen of weer aan",
        "Balie naar voren halen",
        "Geselecteerd of gekopieerd nummer klaarzetten",
    ],
};

const EN: Texts = Texts {
    open: "Open Balie",
    quit: "Quit",
    offline: "Signed out",
    trouble: "Colleagues and customers cannot reach you",
    ready: "Reachable",
    in_call: "In conversation",
    ringing: "Somebody is calling",
    missed: "missed",
    notices: Notices {
        answer: "Answer",
        refuse: "Refuse",
        call_back: "Call back",
        missed: "Missed call",
        again: "Not answered: you are in a call. Press again to put it on hold and to answer.",
        withheld: "Number withheld",
        calls: "is calling",
        by: "via",
    },
    words: Words {
        not_running: "Balie is not running.",
        answer: "There is no call to answer.",
        hangup: "There is no call to hang up.",
        hold: "There is no call to hold or to take back.",
        mute: "There is no call to mute.",
        dial: "That is no number, address or name.",
        failed: "That was not done.",
    },
    keys: [
        "Answer the longest waiting",
        "Hang up, or stop dialling",
        "Hold, or take back",
        "Mute the microphone, or no longer",
        "Bring Balie up",
        "Lay the selected or copied number ready",
    ],
};

impl Texts {
    /// The words for a choice; "system" is English where the system says so, Dutch otherwise.
    pub(crate) fn of(language: Language) -> Texts {
        match language {
            Language::Nl => NL,
            Language::En => EN,
            Language::System if system_is_english() => EN,
            Language::System => NL,
        }
    }

    /// What the tray says when pointed at.
    pub(crate) fn tooltip(self, tray: Tray, missed: u32) -> String {
        let state = match tray {
            Tray::Offline => self.offline,
            Tray::Trouble => self.trouble,
            Tray::Ready => self.ready,
            Tray::InCall => self.in_call,
            Tray::Ringing => self.ringing,
        };
        match missed {
            0 => format!("Balie: {state}"),
            missed => format!("Balie: {state}, {missed} {}", self.missed),
        }
    }
}

fn system_is_english() -> bool {
    ["LC_ALL", "LC_MESSAGES", "LANG"]
        .iter()
        .find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()))
        .is_some_and(|value| value.starts_with("en"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tray_says_its_state_and_what_was_missed() {
        assert_eq!(Texts::of(Language::Nl).tooltip(Tray::Ready, 0), "Balie: Bereikbaar");
        assert_eq!(
            Texts::of(Language::En).tooltip(Tray::Ringing, 2),
            "Balie: Somebody is calling, 2 missed"
        );
    }

    #[test]
    fn a_notification_says_who_calls_and_how_he_came() {
        let peer = |name: &str, number: &str| PeerView {
            name: name.into(),
            number: number.into(),
            ..PeerView::default()
        };
        let t = Texts::of(Language::Nl).notices;
        assert_eq!(t.calling(&peer("Mevrouw De Vries", "030 231 88 00")), "Mevrouw De Vries belt");
        let more = t.more(&peer("Mevrouw De Vries", "030 231 88 00"), Some("Verkoop"));
        assert_eq!(more, "030 231 88 00 · via Verkoop");
        assert_eq!(t.calling(&peer("", "")), "Nummer afgeschermd belt");
        assert_eq!(t.more(&peer("", "030 231 88 00"), None), "");
    }

    #[test]
    fn a_word_that_was_not_obeyed_says_why() {
        let t = Texts::of(Language::En).words;
        assert_eq!(t.refusal(&Word::Answer, "wrong_state"), "There is no call to answer.");
        let dial = Word::Dial { number: "?".into() };
        assert_eq!(t.refusal(&dial, "bad_target"), "That is no number, address or name.");
        assert_eq!(t.refusal(&Word::Mute, "internal"), "That was not done. (internal)");
    }
}

//! The few words that stand outside the pages: tray and its menu.

use app::Tray;
use app::view::Language;

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
}

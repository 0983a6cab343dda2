//! The command line: how the window is started, what a running one is told to do, and where the settings file is.

use std::path::PathBuf;

use ::desktop::hail::Place;
use app::config::Sound;
use app::control::{Command, DeskKey};
use clap::{Parser, Subcommand};
use tauri::{AppHandle, Manager};

/// How the window is started.
#[derive(Debug, Parser)]
#[command(
    name = "balie",
    version,
    about = "Softphone, receptionist console and call-centre agent client",
    args_conflicts_with_subcommands = true
)]
pub(crate) struct Arguments {
    /// Start on the embedded exchange with its demo company.
    #[arg(long)]
    pub(crate) demo: bool,
    /// In the demo, let a first customer ring after so many seconds.
    #[arg(long, value_name = "SECONDS", requires = "demo")]
    pub(crate) first_customer: Option<u16>,
    /// Keep the settings in this folder instead of the user's own.
    #[arg(long, value_name = "DIR")]
    pub(crate) config_dir: Option<PathBuf>,
    /// Where sound comes from and goes to: system, null, none or wav:IN.wav,OUT.wav[,loop].
    #[arg(long, value_name = "SPEC", default_value = "system")]
    pub(crate) audio: Sound,
    /// Start in the tray, without the window.
    #[arg(long)]
    pub(crate) hidden: bool,
    /// A link that was clicked, tel:, sip:, sips: or callto:; it is laid ready and dialled by hand.
    #[arg(value_name = "LINK")]
    pub(crate) link: Option<String>,
    /// What the running program is told to do.
    #[command(subcommand)]
    pub(crate) word: Option<Word>,
}

/// A word for the running program, so that any desktop can bind it to a key.
#[derive(Debug, Clone, PartialEq, Eq, Subcommand)]
pub(crate) enum Word {
    /// Answer the call that has waited longest.
    Answer,
    /// End the conversation, or stop dialling.
    Hangup,
    /// Put the conversation on hold, or take back the only one on hold.
    Hold,
    /// Mute the microphone, or no longer.
    Mute,
    /// Lay a number ready, to be dialled by hand.
    Dial {
        /// Number, address or name.
        #[arg(allow_hyphen_values = true)]
        number: String,
    },
}

impl Word {
    /// What the program is asked.
    fn command(self) -> Command {
        let key = match self {
            Word::Answer => DeskKey::Answer,
            Word::Hangup => DeskKey::Hangup,
            Word::Hold => DeskKey::Hold,
            Word::Mute => DeskKey::Mute,
            Word::Dial { number } => return Command::DeskPrepare { text: number },
        };
        Command::DeskKey { key, guarded: false }
    }
}

/// The schemes of links that are ours (RFC 3966, RFC 3261 section 19.1; callto is a custom of older programs).
const SCHEMES: [&str; 4] = ["tel", "sip", "sips", "callto"];

/// Whether a word is a link of ours; anything else that a desktop hands over is none of our business.
fn is_ours(link: &str) -> bool {
    let scheme = link.split_once(':').map(|(scheme, _)| scheme);
    scheme.is_some_and(|scheme| SCHEMES.iter().any(|ours| scheme.eq_ignore_ascii_case(ours)))
}

/// The identifier of the program, as in `tauri.conf.json`.
const IDENTIFIER: &str = "eu.balie.desk";

/// Where the running program of this user hears words: it is one for each session, whatever its settings are.
pub(crate) fn place() -> Option<Place> {
    session_folder().map(|folder| Place::of(&folder))
}

/// What the program keeps while it runs, of this user's session and of nobody else.
pub(crate) fn session_folder() -> Option<PathBuf> {
    let folder =
        |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    match () {
        () if cfg!(windows) => folder("LOCALAPPDATA").map(|data| data.join(IDENTIFIER)),
        () if cfg!(target_os = "macos") => {
            folder("HOME").map(|home| home.join("Library/Application Support").join(IDENTIFIER))
        }
        () => folder("XDG_RUNTIME_DIR").map(|runtime| runtime.join(IDENTIFIER)),
    }
}

impl Arguments {
    /// What a running program is asked by this command line; none: to come up.
    pub(crate) fn wish(self) -> Option<Command> {
        let link = self.link.filter(|link| is_ours(link));
        self.word.map(Word::command).or(link.map(|text| Command::DeskPrepare { text }))
    }

    /// Whether the wish makes sense only to a program that runs already.
    pub(crate) fn needs_a_running_program(&self) -> bool {
        self.word.as_ref().is_some_and(|word| !matches!(word, Word::Dial { .. }))
    }

    /// The settings file: in the folder that was named, else in the user's own.
    pub(crate) fn settings_file(&self, handle: &AppHandle) -> tauri::Result<PathBuf> {
        let folder = match &self.config_dir {
            Some(folder) => folder.clone(),
            None => handle.path().app_config_dir()?,
        };
        Ok(folder.join("settings.toml"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wish(words: &[&str]) -> Option<String> {
        let words = [&["balie"], words].concat();
        Arguments::try_parse_from(words).ok()?.wish().map(|command| format!("{command:?}"))
    }

    #[test]
    fn a_word_is_a_wish() {
        assert_eq!(wish(&["answer"]).as_deref(), Some("DeskKey { key: Answer, guarded: false }"));
        assert_eq!(wish(&["mute"]).as_deref(), Some("DeskKey { key: Mute, guarded: false }"));
        let dial = wish(&["dial", "+31 30 123 45 67"]);
        assert_eq!(dial.as_deref(), Some("DeskPrepare { text: \"+31 30 123 45 67\" }"));
    }

    #[test]
    fn links_of_ours_are_laid_ready_and_others_left() {
        let link = wish(&["tel:+31301234567"]);
        assert_eq!(link.as_deref(), Some("DeskPrepare { text: \"tel:+31301234567\" }"));
        assert!(wish(&["SIP:piet@example.nl"]).is_some());
        assert_eq!(wish(&["file:///etc/passwd"]), None);
        assert_eq!(wish(&["https://example.nl"]), None);
        assert_eq!(wish(&[]), None);
    }

    #[test]
    fn only_a_running_program_has_calls() {
        let read =
            |words: &[&str]| Arguments::try_parse_from([&["balie"], words].concat()).unwrap();
        assert!(read(&["hangup"]).needs_a_running_program());
        assert!(!read(&["dial", "112"]).needs_a_running_program());
        assert!(!read(&["--hidden"]).needs_a_running_program());
    }
}

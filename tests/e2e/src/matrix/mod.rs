//! The matrix: every peer against every feature. A cell that does not pass says why; none is left out in silence.

mod asterisk;
mod baresip;
mod kamailio;
mod linphone;
mod shared;
mod telephone;

use std::path::Path;

use anyhow::Result;

use crate::corners::CORNERS;

/// What became of a cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It works.
    Pass,
    /// It does not, and why.
    Fail(String),
    /// The peer has no such thing, and why that is so.
    NotApplicable(&'static str),
}

/// A peer and what is done with it.
pub struct Column {
    /// Its name and version.
    pub peer: &'static str,
    /// Plays all its cells.
    run: fn(&mut Recorder) -> Result<()>,
}

/// Every peer. SIPp has a table of its own: it is told what to do by scenarios.
pub const COLUMNS: &[Column] = &[
    Column { peer: "Asterisk 22", run: asterisk::run },
    Column { peer: "Kamailio 5.6", run: kamailio::run },
    Column { peer: "baresip 1.0", run: baresip::run },
    Column { peer: "linphone 5.1", run: linphone::run },
];

/// The rows, in the order they are printed.
pub const FEATURES: &[&str] = &[
    "register over UDP",
    "register over TCP",
    "register over TLS",
    "register over WSS",
    "register over IPv6",
    "call out, sound both ways",
    "call in, sound both ways",
    "refusal and cancel",
    "sound before the answer",
    "hold and resume",
    "held by the peer",
    "digits, RFC 4733",
    "digits, INFO",
    "blind transfer",
    "attended transfer",
    "transferred by the peer",
    "pickup",
    "park and retrieve",
    "several phones ring",
    "lamps (dialog events)",
    "resource list",
    "presence",
    "message lamp, asked for",
    "message lamp, unasked",
    "SRTP, keys in SDP",
    "SRTP, keys by DTLS",
    "DTLS, ICE and WSS (as a browser)",
    "outbound and path",
    "peer restarts",
];

/// Takes down what became of the cells of one peer.
pub struct Recorder<'a> {
    /// Where files go.
    folder: &'a Path,
    only: Option<&'a str>,
    told: &'a mut dyn FnMut(&str),
    cells: Vec<(&'static str, Outcome)>,
}

impl Recorder<'_> {
    /// Plays one cell.
    fn cell(&mut self, feature: &'static str, play: impl FnOnce(&Path) -> Result<()>) {
        if self.only.is_some_and(|only| !feature.contains(only)) {
            return;
        }
        let outcome = match self.own_folder(feature).and_then(|folder| play(&folder)) {
            Ok(()) => Outcome::Pass,
            Err(error) => Outcome::Fail(reason(&error)),
        };
        self.note(feature, outcome);
    }

    /// Says why there is no such cell.
    fn none(&mut self, features: &[&'static str], why: &'static str) {
        for feature in features {
            self.note(feature, Outcome::NotApplicable(why));
        }
    }

    fn note(&mut self, feature: &'static str, outcome: Outcome) {
        (self.told)(&format!("{feature}: {outcome:?}"));
        self.cells.push((feature, outcome));
    }

    fn own_folder(&self, feature: &str) -> Result<std::path::PathBuf> {
        let name: String =
            feature.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
        let folder = self.folder.join(name);
        std::fs::create_dir_all(&folder)?;
        Ok(folder)
    }
}

/// The first line of an error and its cause, short enough for a table.
fn reason(error: &anyhow::Error) -> String {
    let mut text = format!("{error:#}").replace(['\n', '|', '\r'], " ");
    if let Some((at, _)) = text.char_indices().nth(220) {
        text.truncate(at);
        text.push('…');
    }
    text
}

/// All cells of one peer. A feature that the peer's file says nothing about is a failure of that file.
///
/// `only`: a part of the names of the features that are wanted.
pub fn play(
    column: &Column,
    folder: &Path,
    only: Option<&str>,
    told: &mut dyn FnMut(&str),
) -> Vec<(&'static str, Outcome)> {
    let mut recorder = Recorder { folder, only, told, cells: Vec::new() };
    let ran = (column.run)(&mut recorder);
    let mut cells = recorder.cells;
    let wanted = FEATURES.iter().filter(|feature| only.is_none_or(|only| feature.contains(only)));
    for feature in wanted {
        if !cells.iter().any(|(name, _)| name == feature) {
            let why = match &ran {
                Err(error) => reason(error),
                Ok(()) => "nobody wrote this cell".to_owned(),
            };
            cells.push((feature, Outcome::Fail(why)));
        }
    }
    cells
}

/// Plays every corner with SIPp.
pub fn corners(
    folder: &Path,
    only: Option<&str>,
    told: &mut dyn FnMut(&str),
) -> Vec<(&'static str, Outcome)> {
    let mut cells = Vec::new();
    for corner in CORNERS.iter().filter(|corner| only.is_none_or(|only| corner.name.contains(only)))
    {
        let own = folder.join(corner.name);
        let played =
            std::fs::create_dir_all(&own).map_err(Into::into).and_then(|()| corner.run(&own));
        let outcome = played.map_or_else(|error| Outcome::Fail(reason(&error)), |()| Outcome::Pass);
        told(&format!("{}: {outcome:?}", corner.name));
        cells.push((corner.name, outcome));
    }
    cells
}

/// One column's cells.
pub type Cells = Vec<(&'static str, Outcome)>;

/// The matrix as a markdown table, and below it the reason of each cell that does not pass.
#[must_use]
pub fn table(columns: &[(&str, Cells)]) -> String {
    let mut text = String::from("| |");
    let mut reasons = Vec::new();
    for (peer, _) in columns {
        text.push_str(&format!(" {peer} |"));
    }
    text.push_str(&format!("\n|---|{}\n", "---|".repeat(columns.len())));
    for feature in FEATURES {
        let row: Vec<_> = columns
            .iter()
            .map(|(peer, cells)| (peer, cells.iter().find(|(name, _)| name == feature)))
            .collect();
        if row.iter().all(|(_, cell)| cell.is_none()) {
            continue;
        }
        text.push_str(&format!("| {feature} |"));
        for (peer, cell) in row {
            let word = match cell.map(|(_, outcome)| outcome) {
                Some(Outcome::Pass) => "yes".to_owned(),
                Some(Outcome::Fail(why)) => {
                    reasons.push(format!("- {peer}, {feature}: **fails**: {why}"));
                    "**no**".to_owned()
                }
                Some(Outcome::NotApplicable(why)) => {
                    reasons.push(format!("- {peer}, {feature}: does not apply: {why}"));
                    "–".to_owned()
                }
                None => "not run".to_owned(),
            };
            text.push_str(&format!(" {word} |"));
        }
        text.push('\n');
    }
    // What does not apply for one reason is said once.
    text.push('\n');
    text.push_str(&grouped(&reasons));
    text
}

/// Reasons with the same ending are put together.
fn grouped(reasons: &[String]) -> String {
    let mut lines: Vec<(String, String, String)> = Vec::new();
    for line in reasons {
        let Some((head, why)) = line.split_once(": ") else { continue };
        let (peer, feature) = head.split_once(", ").unwrap_or((head, ""));
        match lines.iter_mut().find(|(p, _, w)| p == peer && w == why) {
            Some((_, features, _)) => {
                features.push_str("; ");
                features.push_str(feature);
            }
            None => lines.push((peer.to_owned(), feature.to_owned(), why.to_owned())),
        }
    }
    lines.iter().map(|(peer, features, why)| format!("{peer}, {features}: {why}\n")).collect()
}

/// The corners as a markdown table.
#[must_use]
pub fn corner_table(cells: &Cells) -> String {
    let mut text = String::from("| scenario | what SIPp does and must see | |\n|---|---|---|\n");
    for (name, outcome) in cells {
        let corner = CORNERS.iter().find(|corner| corner.name == *name);
        let about = corner.and_then(|corner| corner.about().ok()).unwrap_or_default();
        let word = match outcome {
            Outcome::Pass => "yes".to_owned(),
            Outcome::Fail(why) => format!("**no**: {why}"),
            Outcome::NotApplicable(why) => format!("–: {why}"),
        };
        text.push_str(&format!("| `{name}` | {about} | {word} |\n"));
    }
    text
}

/// How many pass, fail and do not apply.
#[must_use]
pub fn tally(cells: &Cells) -> (usize, usize, usize) {
    cells.iter().fold((0, 0, 0), |(pass, fail, none), (_, outcome)| match outcome {
        Outcome::Pass => (pass + 1, fail, none),
        Outcome::Fail(_) => (pass, fail + 1, none),
        Outcome::NotApplicable(_) => (pass, fail, none + 1),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_that_does_not_pass_says_why() {
        let cells = vec![
            ("register over UDP", Outcome::Pass),
            ("register over TCP", Outcome::Fail("no answer".to_owned())),
            ("register over TLS", Outcome::NotApplicable("it has none")),
            ("register over WSS", Outcome::NotApplicable("it has none")),
        ];
        let text = table(&[("Peer", cells)]);
        assert!(text.contains("| register over UDP | yes |"), "{text}");
        assert!(text.contains("| register over TCP | **no** |"), "{text}");
        assert!(text.contains("- Peer, register over TCP: **fails**: no answer\n"), "{text}");
        let both = "- Peer, register over TLS; register over WSS: does not apply: it has none\n";
        assert!(text.contains(both), "{text}");
        assert!(!text.contains("not run"), "rows that nobody ran are left out: {text}");
    }

    #[test]
    fn every_corner_has_its_file_and_every_file_its_corner() {
        let mut files: Vec<String> = std::fs::read_dir(crate::sipp::scenarios())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
            .collect();
        for corner in CORNERS {
            assert!(corner.about().unwrap().contains(' '), "{} says nothing", corner.name);
            files.retain(|file| *file != format!("{}.xml", corner.scenario()));
        }
        // The call that another takes the place of.
        assert_eq!(files, ["caller-kept.xml"]);
    }
}

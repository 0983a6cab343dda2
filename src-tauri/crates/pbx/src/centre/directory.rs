//! The directory of the exchange: told in parts, shown whole.
//!
//! Inputs: the binding tells parts, and how its reading ended; whoever keeps it between runs tells what was known.
//!
//! | state | input | next |
//! |---|---|---|
//! | any | the first part | coming, with these entries; what is shown stays |
//! | coming | a further part | coming, with more entries |
//! | coming | the end, well | shown is what came |
//! | coming | the end, badly | shown stays, with why |
//! | nothing shown | what an earlier run knew | shown, until the exchange has told its own |

use tracing::debug;

use super::exchange::{Centre, Change};
use super::model::DirectoryEntry;
use super::port::Refusal;

/// Most entries.
const ENTRIES: usize = 100_000;

/// The directory.
#[derive(Clone, Debug, Default)]
pub(super) struct Directory {
    shown: Vec<DirectoryEntry>,
    /// What has been told since a reading began, and how many there will be where that was told.
    coming: Option<(Vec<DirectoryEntry>, Option<u32>)>,
    trouble: Option<Refusal>,
}

impl Directory {
    pub(super) fn part(&mut self, first: bool, entries: Vec<DirectoryEntry>, total: Option<u32>) {
        if first {
            self.coming = Some((Vec::new(), None));
        }
        let Some((come, of)) = &mut self.coming else { return };
        *of = total.or(*of);
        let room = ENTRIES.saturating_sub(come.len());
        come.extend(entries.into_iter().take(room));
    }

    /// What is to be shown anew.
    pub(super) fn end(&mut self, outcome: Result<(), Refusal>) -> Change {
        let come = self.coming.take();
        match outcome {
            Ok(()) => {
                self.shown = come.unwrap_or_default().0;
                self.trouble = None;
                debug!("directory: coming, end -> {} shown", self.shown.len());
                Change::Directory
            }
            Err(refusal) => {
                debug!("directory: coming, {refusal:?} -> {} shown as before", self.shown.len());
                self.trouble = Some(refusal);
                Change::DirectoryFailed
            }
        }
    }
}

impl Centre {
    /// The directory as it was last told whole.
    pub fn directory(&self) -> &[DirectoryEntry] {
        &self.directory.shown
    }

    /// How many entries have come, and of how many where that is told, while it is read.
    pub fn directory_progress(&self) -> Option<(usize, Option<u32>)> {
        self.directory.coming.as_ref().map(|(entries, total)| (entries.len(), *total))
    }

    /// Why the last reading of it came to nothing; none: it did not.
    pub fn directory_trouble(&self) -> Option<&Refusal> {
        self.directory.trouble.as_ref()
    }

    /// What an earlier run knew of it: it holds until the exchange has told its own. False: it has.
    pub fn recall_directory(&mut self, entries: Vec<DirectoryEntry>) -> bool {
        let is_empty = self.directory.shown.is_empty();
        if is_empty {
            self.directory.shown = entries;
        }
        is_empty
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(names: &[&str]) -> Vec<DirectoryEntry> {
        let entry = |name: &&str| DirectoryEntry {
            last_name: (*name).to_owned(),
            ..DirectoryEntry::default()
        };
        names.iter().map(entry).collect()
    }

    fn shown(directory: &Directory) -> Vec<&str> {
        directory.shown.iter().map(|entry| entry.last_name.as_str()).collect()
    }

    #[test]
    fn a_reading_counts_when_it_is_whole() {
        let mut directory = Directory::default();
        directory.part(true, entries(&["a", "b"]), Some(3));
        assert!(shown(&directory).is_empty());
        directory.part(false, entries(&["c"]), None);
        assert_eq!(directory.coming.as_ref().map(|(all, of)| (all.len(), *of)), Some((3, Some(3))));
        assert_eq!(directory.end(Ok(())), Change::Directory);
        assert_eq!(shown(&directory), ["a", "b", "c"]);
        // The server dies in the middle.
        directory.part(true, entries(&["a"]), Some(2));
        assert_eq!(directory.end(Err(Refusal::Unavailable)), Change::DirectoryFailed);
        assert_eq!(shown(&directory), ["a", "b", "c"]);
        assert_eq!(directory.trouble, Some(Refusal::Unavailable));
        // A part of a reading that has ended is nobody.
        directory.part(false, entries(&["x"]), None);
        // Everybody but one has left.
        directory.part(true, entries(&["b"]), Some(1));
        directory.end(Ok(()));
        assert_eq!(shown(&directory), ["b"]);
        assert_eq!(directory.trouble, None);
    }

    #[test]
    fn more_than_is_taken_is_left_out() {
        let mut directory = Directory::default();
        directory.part(true, vec![DirectoryEntry::default(); ENTRIES + 5], None);
        directory.part(false, entries(&["one more"]), None);
        directory.end(Ok(()));
        assert_eq!(directory.shown.len(), ENTRIES);
    }
}

//! Customer-originated trace: where the last call of each line came from, and those that were reported.

use std::collections::{BTreeMap, VecDeque};

/// Reports that are kept.
const KEPT: usize = 100;

/// The last caller of each line, and the reports.
#[derive(Debug, Default)]
pub(super) struct Traces {
    last: BTreeMap<String, String>,
    reported: VecDeque<(String, String)>,
}

impl Traces {
    /// A call rings at a line. Its number counts even where it is not shown.
    pub(super) fn rang(&mut self, line: &str, caller: &str) {
        self.last.insert(line.to_owned(), caller.to_owned());
    }

    /// Reports the last call of a line. False: there was none.
    pub(super) fn report(&mut self, line: &str) -> bool {
        let Some(caller) = self.last.get(line) else { return false };
        tracing::info!(%line, %caller, "a call is traced");
        if self.reported.len() >= KEPT {
            self.reported.pop_front();
        }
        self.reported.push_back((line.to_owned(), caller.clone()));
        true
    }

    /// Line and caller of each report, oldest first.
    pub(super) fn all(&self) -> Vec<(String, String)> {
        self.reported.iter().cloned().collect()
    }
}

//! The calls that one document stream tells of, with its versions.

use crate::{Call, CallState, LineDocument};

/// Calls of one line that are kept; a server that tells of more is not believed.
const MAX_CALLS: usize = 64;

/// What a document did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Applied {
    /// All is known now.
    InStep,
    /// Something is missing in between.
    Gap,
    /// It tells of the past.
    Old,
}

/// The calls of one document stream.
#[derive(Debug, Default)]
pub(crate) struct Calls {
    version: Option<u32>,
    known: bool,
    calls: Vec<Call>,
    /// A document is missing; only a full one heals that.
    pub gap: bool,
}

impl Calls {
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Call> {
        self.calls.iter()
    }

    /// Whether anything has been told yet.
    pub(crate) fn is_known(&self) -> bool {
        self.known
    }

    /// Whether a document of a stream not heard of before is the next one of this: whole, and with the next number,
    /// which is never the first.
    pub(crate) fn goes_on_with(&self, document: &LineDocument) -> bool {
        let next = self.version.map(|last| last.wrapping_add(1));
        document.full && document.version != 0 && next == Some(document.version)
    }

    /// The stream starts anew: its next document is full.
    pub(crate) fn restart(&mut self) {
        self.version = None;
        self.gap = false;
    }

    pub(crate) fn apply(&mut self, document: LineDocument) -> Applied {
        let applied = judge(self.version, document.version, document.full);
        if applied == Applied::Old {
            return applied;
        }
        self.version = Some(document.version);
        self.known = true;
        self.gap = !document.full && (self.gap || applied == Applied::Gap);
        if document.full {
            self.calls.clear();
        }
        for call in document.calls {
            let known = self.calls.iter().position(|known| known.id == call.id);
            match (known, call.state) {
                (Some(at), CallState::Over) => {
                    self.calls.swap_remove(at);
                }
                (Some(at), _) => self.calls[at] = call,
                (None, CallState::Over) => {}
                (None, _) if self.calls.len() < MAX_CALLS => self.calls.push(call),
                (None, _) => {}
            }
        }
        applied
    }
}

/// What a document of this version means after one of version `last`. A full one with version 0
/// begins a new count.
pub(crate) fn judge(last: Option<u32>, version: u32, full: bool) -> Applied {
    match last {
        None if full => Applied::InStep,
        None => Applied::Gap,
        Some(_) if full && version == 0 => Applied::InStep,
        Some(last) if version <= last => Applied::Old,
        Some(last) if full || version == last.wrapping_add(1) => Applied::InStep,
        Some(_) => Applied::Gap,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_judged() {
        let cases = [
            (None, 5, true, Applied::InStep),
            (None, 5, false, Applied::Gap),
            (Some(5), 6, false, Applied::InStep),
            (Some(5), 7, false, Applied::Gap),
            (Some(5), 9, true, Applied::InStep),
            (Some(5), 5, false, Applied::Old),
            (Some(5), 3, true, Applied::Old),
            (Some(5), 0, true, Applied::InStep),
        ];
        for (last, version, full, expected) in cases {
            assert_eq!(judge(last, version, full), expected, "{last:?} {version} {full}");
        }
    }
}

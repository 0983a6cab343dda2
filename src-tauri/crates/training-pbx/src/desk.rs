//! What is set on the lines of the company: do not disturb, forwarding, call waiting, what may be called, and states
//! that are forced for practice.
//!
//! Values only; changed by feature codes, telephones (as-feature-event), web services and the control port.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use serde::{Deserialize, Serialize};
use sip_types::StatusCode;

/// A state that a line is made to show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LineState {
    /// Free, whatever the line does.
    Idle,
    /// Rings.
    Ringing,
    /// Talks.
    Busy,
    /// Talks, and is on hold.
    Held,
    /// Is not to be disturbed: calls are refused with 486.
    DoNotDisturb,
    /// Has no phone: calls are refused with 480.
    Unreachable,
}

/// Which calls are forwarded.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum ForwardWhen {
    /// All.
    #[default]
    Always,
    /// Those that come while the line is busy.
    Busy,
    /// Those nobody answers.
    NoAnswer,
}

impl ForwardWhen {
    /// All.
    pub const ALL: [Self; 3] = [Self::Always, Self::Busy, Self::NoAnswer];

    /// The reason in a Diversion header (RFC 5806).
    pub(crate) const fn reason(self) -> &'static str {
        match self {
            Self::Always => "unconditional",
            Self::Busy => "user-busy",
            Self::NoAnswer => "no-answer",
        }
    }
}

/// A forwarding as it is set.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Forwarding {
    /// On or off.
    pub active: bool,
    /// Where to; kept while it is off.
    pub to: Option<String>,
    /// How often it rings before, for [`ForwardWhen::NoAnswer`].
    pub rings: Option<u32>,
}

/// What a line may not call.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Barred {
    /// Nothing is barred.
    #[default]
    Nothing,
    /// Other countries.
    International,
    /// Everything outside the company.
    Outside,
}

/// Which calls of a line are recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum RecordingMode {
    /// None.
    #[default]
    Never,
    /// All.
    Always,
    /// All, but for what their user leaves out.
    AlwaysPauseResume,
    /// Those whose user wants it, from then on.
    OnDemand,
}

/// What happens with a line's calls besides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LineRules {
    /// Where calls go when no phone is registered.
    pub(crate) unreachable: Option<String>,
    /// All calls go to voicemail.
    pub(crate) voicemail_always: bool,
    /// Calls go to voicemail when the line is busy.
    pub(crate) voicemail_busy: bool,
    /// Calls go to voicemail when nobody answers.
    pub(crate) voicemail_no_answer: bool,
    /// The line's number is not shown.
    pub(crate) hide_number: bool,
    /// Calls without a number are refused.
    pub(crate) refuse_anonymous: bool,
    /// Whose lamps the line's list has; everybody's if left out.
    pub(crate) monitored: Option<Vec<String>>,
    /// Which calls are recorded.
    pub(crate) recording: RecordingMode,
    /// Numbers that ring together with the line.
    pub(crate) ring_too: Vec<String>,
    /// They do not while the line has a call.
    pub(crate) ring_too_if_free: bool,
    /// Who rings one after the other.
    pub(crate) sequence: Sequence,
    /// The number that rings instead of the line's telephones.
    pub(crate) remote_office: Option<String>,
    /// Whose telephones the line's user has for a while.
    pub(crate) guest: Option<Guest>,
}

/// Somebody who works at another line's telephones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Guest {
    /// That line.
    pub(crate) host: String,
    /// When it ends by itself.
    pub(crate) until: Option<Instant>,
}

/// Numbers that ring one after the other for a line.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Sequence {
    /// How often the line itself rings before them; `None`: not at all.
    pub(crate) own_rings: Option<u32>,
    /// They ring also when the line is busy.
    pub(crate) past_busy: bool,
    /// The numbers, and how often each rings. Nobody is looked for where there are none.
    pub(crate) places: Vec<(String, u32)>,
}

impl Default for LineRules {
    fn default() -> Self {
        Self {
            unreachable: None,
            voicemail_always: false,
            voicemail_busy: false,
            voicemail_no_answer: true,
            hide_number: false,
            refuse_anonymous: false,
            monitored: None,
            recording: RecordingMode::Never,
            ring_too: Vec::new(),
            ring_too_if_free: false,
            sequence: Sequence::default(),
            remote_office: None,
            guest: None,
        }
    }
}

/// The settings of all lines.
#[derive(Debug, Default)]
pub(crate) struct Desk {
    do_not_disturb: BTreeSet<String>,
    forwards: BTreeMap<(String, ForwardWhen), Forwarding>,
    /// Lines that take no second call.
    one_call: BTreeSet<String>,
    barred: BTreeMap<String, Barred>,
    forced: BTreeMap<String, LineState>,
    rules: BTreeMap<String, LineRules>,
    /// Those of a line of which nothing is set.
    usual: LineRules,
}

impl Desk {
    /// Where the line's calls go instead.
    pub(crate) fn forward(&self, line: &str, when: ForwardWhen) -> Option<(String, Option<u32>)> {
        let forwarding = self.forwards.get(&(line.to_owned(), when))?;
        let to = forwarding.to.clone().filter(|_| forwarding.active)?;
        Some((to, forwarding.rings))
    }

    /// A forwarding as it is set.
    pub(crate) fn forwarding(&self, line: &str, when: ForwardWhen) -> Forwarding {
        self.forwards.get(&(line.to_owned(), when)).cloned().unwrap_or_default()
    }

    /// What calls to the line are refused with.
    pub(crate) fn refusal(&self, line: &str) -> Option<StatusCode> {
        match self.forced.get(line) {
            Some(LineState::Unreachable) => Some(StatusCode::TEMPORARILY_UNAVAILABLE),
            Some(LineState::Idle) => None,
            Some(_) => Some(StatusCode::BUSY_HERE),
            None => self.do_not_disturb.contains(line).then_some(StatusCode::BUSY_HERE),
        }
    }

    /// The state the line is made to show.
    pub(crate) fn forced(&self, line: &str) -> Option<LineState> {
        self.forced.get(line).copied()
    }

    /// All lines whose state is forced.
    pub(crate) fn all_forced(&self) -> impl Iterator<Item = (&str, LineState)> {
        self.forced.iter().map(|(line, state)| (line.as_str(), *state))
    }

    /// Forces a state, or no longer.
    pub(crate) fn force(&mut self, line: &str, state: Option<LineState>) {
        match state {
            Some(state) => self.forced.insert(line.to_owned(), state),
            None => self.forced.remove(line),
        };
    }

    /// Sets or clears do-not-disturb.
    pub(crate) fn set_do_not_disturb(&mut self, line: &str, on: bool) {
        set(&mut self.do_not_disturb, line, on);
    }

    /// Whether the line is not to be disturbed.
    pub(crate) fn do_not_disturb(&self, line: &str) -> bool {
        self.do_not_disturb.contains(line) || self.forced(line) == Some(LineState::DoNotDisturb)
    }

    /// What happens with the line's calls besides.
    pub(crate) fn rules(&self, line: &str) -> &LineRules {
        self.rules.get(line).unwrap_or(&self.usual)
    }

    /// All who work at another line's telephones.
    pub(crate) fn guests(&self) -> impl Iterator<Item = (&str, &Guest)> {
        self.rules.iter().filter_map(|(line, rules)| Some((line.as_str(), rules.guest.as_ref()?)))
    }

    /// Changes what happens with the line's calls besides.
    pub(crate) fn change_rules(&mut self, line: &str, change: impl FnOnce(&mut LineRules)) {
        change(self.rules.entry(line.to_owned()).or_default());
    }

    /// Sets where all calls go, or that they do not.
    pub(crate) fn set_forward(&mut self, line: &str, to: Option<String>) {
        let active = to.is_some();
        self.set_forwarding(line, ForwardWhen::Always, Forwarding { active, to, rings: None });
    }

    /// Sets a forwarding; a number or a count that is left out stays as it was. Nothing is active without a number.
    pub(crate) fn set_forwarding(&mut self, line: &str, when: ForwardWhen, wish: Forwarding) {
        let forwarding = self.forwards.entry((line.to_owned(), when)).or_default();
        forwarding.to = wish.to.or(forwarding.to.take());
        forwarding.rings = wish.rings.or(forwarding.rings);
        forwarding.active = wish.active && forwarding.to.is_some();
    }

    /// Whether the line takes a call while it has another.
    pub(crate) fn call_waiting(&self, line: &str) -> bool {
        !self.one_call.contains(line)
    }

    /// Sets or clears call waiting.
    pub(crate) fn set_call_waiting(&mut self, line: &str, on: bool) {
        set(&mut self.one_call, line, !on);
    }

    /// What the line may not call.
    pub(crate) fn barred(&self, line: &str) -> Barred {
        self.barred.get(line).copied().unwrap_or_default()
    }

    /// Sets what the line may not call.
    pub(crate) fn bar(&mut self, line: &str, barred: Barred) {
        self.barred.insert(line.to_owned(), barred);
    }
}

fn set(lines: &mut BTreeSet<String>, line: &str, on: bool) {
    if on {
        lines.insert(line.to_owned());
    } else {
        lines.remove(line);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_forwarding_that_is_off_remembers_where_to() {
        let mut desk = Desk::default();
        let set = |active, to: Option<&str>, rings| Forwarding {
            active,
            to: to.map(str::to_owned),
            rings,
        };
        desk.set_forwarding("101", ForwardWhen::NoAnswer, set(true, None, None));
        assert_eq!(desk.forward("101", ForwardWhen::NoAnswer), None);
        desk.set_forwarding("101", ForwardWhen::NoAnswer, set(true, Some("102"), Some(4)));
        assert_eq!(desk.forward("101", ForwardWhen::NoAnswer), Some(("102".into(), Some(4))));
        desk.set_forwarding("101", ForwardWhen::NoAnswer, set(false, None, None));
        assert_eq!(desk.forward("101", ForwardWhen::NoAnswer), None);
        desk.set_forwarding("101", ForwardWhen::NoAnswer, set(true, None, None));
        assert_eq!(desk.forward("101", ForwardWhen::NoAnswer), Some(("102".into(), Some(4))));
        assert_eq!(desk.forward("101", ForwardWhen::Always), None);
    }
}

//! What is told of a call when it changes, and what is remembered of it when it is over.

use std::time::{Duration, Instant};

use call_control::{Call, CallId, Party};

use super::desk::Desk;
use super::tones;
use crate::cause;
use crate::code::Code;
use crate::view::{HistoryEntry, PeerView};

/// How long a call that is over stays visible.
const SHOWN: Duration = Duration::from_secs(5);

impl Desk {
    pub(super) fn call_changed(&mut self, now: Instant, call: &Call) {
        self.publisher.changed();
        let Some(line) = self.lines.get_mut(&call.id()) else { return };
        let reason = call.end().and_then(|end| {
            let answered = call.answered().is_some();
            let known = line.trouble.filter(|_| end.by == Party::Network);
            let known = known.or_else(|| line.refused_encryption(end));
            known.or_else(|| cause::of_end(end, call.direction(), answered, line.rang))
        });
        let reason = self.why_refused(call, reason);
        let Some(line) = self.lines.get_mut(&call.id()) else { return };
        let event = line.event(call, reason);
        if line.told.as_ref() != Some(&event) {
            line.told = Some(event.clone());
            self.event(now, crate::event::Event::CallState(Box::new(event)));
        }
        self.pop_screen(now, call);
        self.call_for_centre(now, call);
        self.report_errand(now, call);
        self.watch_returned(now, call);
        self.watch_retrieved(now, call);
        self.watch_asked(call);
        if call.end().is_some() {
            self.bury(now, call, reason);
        }
    }

    fn bury(&mut self, now: Instant, call: &Call, reason: Option<Code>) {
        let view = self.call_view(call, reason);
        let Some(line) = self.lines.remove(&call.id()) else { return };
        if let Some(media) = &line.media {
            self.sounds.engine.close(media.stream);
        }
        if let Some(tone) = tones::farewell(call.direction(), call.answered().is_some(), reason) {
            self.sounds.farewell(now, tone);
        }
        self.forget_recordings();
        let talked = call.answered().map(|at| now.saturating_duration_since(at).as_secs());
        let outcome = cause::outcome_view(call.outcome());
        if outcome == crate::view::CallOutcome::Missed {
            self.missed += 1;
        }
        let entry = HistoryEntry {
            id: call.id().0,
            account: line.account,
            direction: super::line::direction_view(call.direction()),
            peer: PeerView { known: Vec::new(), known_more: 0, ..line.peer },
            started_ms: self.clock.ms(call.started()),
            seconds: u32::try_from(talked.unwrap_or(0)).unwrap_or(u32::MAX),
            outcome,
            reason,
            called_back: None,
            elsewhere: false,
        };
        self.remember(now, entry);
        self.over.push_back((view, now + SHOWN));
    }

    /// Tells news of a call that is not news of its state (its codec).
    pub(super) fn tell_call(&mut self, now: Instant, id: CallId) {
        self.publisher.changed();
        if let Some(call) = self.calls.get(id).cloned()
            && self.lines.get(&id).is_some_and(|line| line.told.is_some())
        {
            self.call_changed(now, &call);
        }
    }
}

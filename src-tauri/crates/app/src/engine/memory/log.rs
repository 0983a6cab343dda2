//! The log of calls that an exchange keeps, merged into the history: what rang while the program did not run, and what was dialled
//! or answered on another telephone.
//!
//! Input: the model of the exchange tells that the log was read. It is when the exchange is connected and after every call.

use std::time::Instant;

use pbx::centre::{LogEntry, LogKind};
use store::{LoggedCall, PastCall, SAME_CALL_MS, Tables};
use tracing::debug;

use super::super::desk::Desk;
use super::{HISTORY, words};
use crate::view::{CallDirection, CallOutcome, HistoryEntry, PeerView};

/// Who withholds his number (RFC 3323 section 4.1.1.3).
const ANONYMOUS: &str = "sip:anonymous@anonymous.invalid";

impl Desk {
    /// The exchange of an account has told its log.
    pub(in crate::engine) fn log_told(&mut self, now: Instant, account: &str) {
        let real = self.account(account).is_some_and(|known| !known.demo);
        if !real || !self.memory.as_ref().is_some_and(|memory| memory.keeps) {
            return;
        }
        let Some(running) = self.centres.get(account) else { return };
        // A call that is going on is kept when it is over; until then the log must not tell it.
        let until_ms =
            self.first_present_ms(account).map_or(u64::MAX, |at| at.saturating_sub(SAME_CALL_MS));
        let told = running.centre.call_log().iter();
        let told: Vec<LogEntry> = told
            .filter(|entry| !entry.id.is_empty() && entry.at > 0 && entry.at < until_ms)
            .cloned()
            .collect();
        let log: Vec<LoggedCall> =
            told.into_iter().map(|entry| self.logged(account, entry)).collect();
        let oldest = self.settings.config.privacy.oldest_ms(self.clock.ms(now));
        let merge = move |tables: &Tables<'_>| tables.merge_log(&log, oldest);
        self.remembering(merge, move |desk, now, merged| match merged {
            Ok(new) if new.is_empty() => {}
            Ok(new) => {
                desk.tell_untold(now);
                desk.take_logged(new);
            }
            Err(error) => desk.memory_failed(now, &error),
        });
    }

    /// When the oldest of the calls that an account has now began.
    fn first_present_ms(&self, account: &str) -> Option<u64> {
        let lines = self.lines.iter().filter(|(_, line)| line.account == account);
        let lines = lines.filter_map(|(id, _)| Some(self.clock.ms(self.calls.get(*id)?.started())));
        lines.chain(self.remotes.begun_ms(account)).min()
    }

    fn logged(&self, account: &str, entry: LogEntry) -> LoggedCall {
        let (direction, outcome) = match entry.kind {
            LogKind::Placed => (CallDirection::Out, CallOutcome::Placed),
            LogKind::Received => (CallDirection::In, CallOutcome::Answered),
            LogKind::Missed => (CallDirection::In, CallOutcome::Missed),
        };
        let number = match contacts::NumberKey::of(&entry.party.number) {
            Some(_) => contacts::show(&entry.party.number),
            None => contacts::plain(&entry.party.number),
        };
        let uri = if number.is_empty() { ANONYMOUS } else { "" };
        let name = match &*self.contact_names(&entry.party.number) {
            [name] => name.clone(),
            _ => contacts::plain(&entry.party.name),
        };
        let past = HistoryEntry {
            id: 0,
            account: account.to_owned(),
            direction,
            peer: PeerView { uri: uri.to_owned(), name, number, ..PeerView::default() },
            started_ms: entry.at,
            seconds: 0,
            outcome,
            reason: None,
            called_back: None,
            elsewhere: true,
        };
        let by = self.called_by(&past).unwrap_or_default();
        LoggedCall { entry: entry.id, call: words::new_call(&past, by) }
    }

    /// Shows what is new among the calls that were known; oldest first.
    fn take_logged(&mut self, new: Vec<PastCall>) {
        debug!(calls = new.len(), "the log of the exchange has calls that ran elsewhere");
        for past in new {
            self.missed += u32::from(!past.seen);
            let entry = words::entry(past);
            if entry.outcome == CallOutcome::Answered {
                self.settle_missed(&entry);
            }
            let place = self.history.partition_point(|one| one.started_ms > entry.started_ms);
            self.history.insert(place, entry);
        }
        self.history.truncate(HISTORY);
        self.people_are_near();
        self.publisher.changed();
    }
}

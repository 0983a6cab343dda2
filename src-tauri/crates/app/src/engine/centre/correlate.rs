//! Which call of this program is which call of the exchange, and which queue it came through.
//!
//! In this order: the SIP Call-ID, where the exchange tells it; the other side's number and the time; the
//! number that sent the call on (Diversion) or that was called; the caller who rings at the user in a queue.
//! What has been found stays with the call to its end. Only calls that came in can have come through a queue.

use std::time::Instant;

use call_control::{Call, CallId, Direction};
use pbx::centre::{
    CalledBack, Centre, EntryEnd, EntryState, ExchangeCall, ExchangeCallState, Left, Party,
    Priority, QueueEntry, QueueId,
};

use super::super::desk::Desk;
use super::TOGETHER;
use super::own::queue_name;
use crate::event::CallQueueEvent;
use crate::view::PeerView;

/// The queue that a call came through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) struct LineQueue {
    pub(super) id: QueueId,
    pub(super) name: String,
    /// Seconds that the caller waited.
    pub(super) waited: Option<u32>,
    /// How soon his turn was to come.
    pub(super) priority: Option<Priority>,
    pub(super) digits: Option<String>,
    pub(super) monitored: bool,
    /// The exchange's own name of the call.
    pub(super) exchange_call: Option<String>,
    pub(super) disposition: Option<String>,
}

impl LineQueue {
    /// What an event of the call tells.
    pub(in super::super) fn event(&self) -> CallQueueEvent {
        CallQueueEvent {
            queue: self.id.0.clone(),
            name: self.name.clone(),
            waited: self.waited,
            digits: self.digits.clone(),
        }
    }
}

/// What a call is known by.
struct Known {
    id: CallId,
    incoming: bool,
    sip_call_id: Option<String>,
    number: String,
    diverted: Vec<String>,
    began_ms: u64,
    ringing: bool,
    exchange_call: Option<String>,
    found: Option<LineQueue>,
}

impl Desk {
    /// Finds the calls of an account at the exchange, and the queues of those that came in.
    pub(in super::super) fn correlate(&mut self, now: Instant, account: &str) {
        if self.centres.get(account).is_none() {
            return;
        }
        self.apply_thresholds(now, account);
        let calls: Vec<Known> = self
            .calls
            .iter()
            .filter(|call| call.end().is_none())
            .filter_map(|call| self.known(account, call))
            .collect();
        let (mut changed, mut named) = (Vec::new(), Vec::new());
        let mut taken: Vec<String> =
            calls.iter().filter_map(|known| known.exchange_call.clone()).collect();
        let Some(running) = self.centres.get(account) else { return };
        let now_ms = self.clock.ms(now);
        for known in calls {
            let call = exchange_call(&running.centre, &known, &taken);
            let found = match known.incoming {
                true => find(&running.centre, &known, call, now_ms),
                false => None,
            };
            if let Some(call) = call.filter(|call| known.exchange_call.as_ref() != Some(&call.id)) {
                taken.push(call.id.clone());
                named.push((known.id, call.id.clone()));
            }
            if found != known.found {
                changed.push((known.id, found));
            }
        }
        for (id, call) in named {
            if let Some(line) = self.lines.get_mut(&id) {
                line.exchange_call = Some(call);
            }
            self.publisher.changed();
        }
        for (id, found) in changed {
            if let Some(line) = self.lines.get_mut(&id) {
                line.queue = found;
            }
            self.tell_call(now, id);
        }
        self.note_personal_call(account);
    }

    fn known(&self, account: &str, call: &Call) -> Option<Known> {
        let line = self.lines.get(&call.id()).filter(|line| line.account == account)?;
        Some(Known {
            id: call.id(),
            incoming: call.direction() == Direction::In,
            sip_call_id: line.sip_call_id.clone(),
            number: number_of(&line.peer),
            diverted: line.sent_on_by.clone(),
            began_ms: self.clock.ms(call.started()),
            ringing: call.answered().is_none(),
            exchange_call: line.exchange_call.clone(),
            found: line.queue.clone(),
        })
    }

    /// Tells the model whether a call runs that came through no queue.
    pub(in super::super) fn note_personal_call(&mut self, account: &str) {
        let personal = self.calls.iter().any(|call| {
            let line = self.lines.get(&call.id()).filter(|line| line.account == account);
            call.end().is_none()
                && line.is_some_and(|line| line.queue.is_none())
                && (call.direction() == Direction::Out || call.answered().is_some())
        });
        if let Some(running) = self.centres.running.get_mut(account) {
            running.centre.set_personal_call(personal);
        }
    }

    /// A call of this program began, was answered, or changed.
    pub(in super::super) fn call_for_centre(&mut self, now: Instant, call: &Call) {
        let Some(line) = self.lines.get(&call.id()) else { return };
        let account = line.account.clone();
        if call.end().is_none() {
            let unknown = call.direction() == Direction::In && line.queue.is_none();
            if unknown || line.exchange_call.is_none() {
                self.correlate(now, &account);
            } else {
                self.note_personal_call(&account);
            }
            if call.direction() == Direction::Out && call.answered().is_some() {
                self.called_somebody(now, call, true);
            }
            return;
        }
        let (queue, peer) = (line.queue.clone(), line.peer.clone());
        if call.direction() == Direction::Out {
            self.called_somebody(now, call, call.answered().is_some());
        }
        let Some(queue) = queue.filter(|_| call.answered().is_some()) else { return };
        if queue.disposition.is_some() {
            return;
        }
        let party = Party { name: peer.name.clone(), number: number_of(&peer) };
        if let Some(running) = self.centres.running.get_mut(&account) {
            let (call, local) = (queue.exchange_call, Some(call.id().0));
            running.centre.call_over(now, call, local, &queue.id, party);
        }
    }

    /// The user called somebody who may have waited for that.
    fn called_somebody(&mut self, now: Instant, call: &Call, reached: bool) {
        let Some(line) = self.lines.get(&call.id()) else { return };
        let number = number_of(&line.peer);
        let at = self.clock.ms(call.answered().unwrap_or(now));
        for running in self.centres.running.values_mut() {
            let by = running.centre.name().to_owned();
            running.centre.called(&number, &CalledBack { by, me: true, at, reached });
        }
    }

    /// Somebody left a queue: if the user answered him, his call came through it.
    pub(super) fn caller_left(&mut self, account: &str, left: &Left) {
        let Some(running) = self.centres.get(account) else { return };
        let mine = match &left.end {
            EntryEnd::Answered(Some(by)) => running.centre.me() == Some(by),
            _ => false,
        };
        if !mine {
            return;
        }
        let name = queue_name(&running.centre, &left.queue);
        let waited = u32::try_from(left.at.saturating_sub(left.entry.since) / 1000).ok();
        let number = &left.entry.caller.number;
        let calls = self
            .calls
            .iter()
            .filter(|call| call.direction() == Direction::In && call.end().is_none());
        let ids: Vec<CallId> = calls.map(Call::id).collect();
        for id in ids {
            let Some(line) = self.lines.get_mut(&id) else { continue };
            let his =
                line.account == account && contacts::same_number(&number_of(&line.peer), number);
            if his && line.queue.is_none() {
                line.queue = Some(LineQueue {
                    id: left.queue.clone(),
                    name: name.clone(),
                    waited,
                    priority: left.entry.priority,
                    digits: None,
                    monitored: false,
                    exchange_call: None,
                    disposition: None,
                });
                self.publisher.changed();
            }
        }
    }

    /// The exchange tells that a call is over. Its own news of it are in the model already.
    pub(super) fn exchange_call_over(&mut self, account: &str, call: &ExchangeCall) {
        tracing::debug!(%account, call = call.id, "over at the exchange");
        self.note_personal_call(account);
    }
}

/// The number of somebody, as it was signalled.
fn number_of(peer: &PeerView) -> String {
    let user = sip_types::Uri::parse(&peer.uri).ok().and_then(|uri| uri.user());
    user.filter(|user| !user.is_empty()).unwrap_or_else(|| peer.number.clone())
}

/// `call`: the exchange's call that this one is.
fn find(
    centre: &Centre,
    known: &Known,
    call: Option<&ExchangeCall>,
    now_ms: u64,
) -> Option<LineQueue> {
    let before = known.found.clone();
    let queue = before
        .as_ref()
        .map(|found| found.id.clone())
        .or_else(|| call.and_then(|call| call.queue.clone()))
        .or_else(|| sent_on_by(centre, known))
        .or_else(|| offered(centre, known))?;
    let before = before.unwrap_or_else(|| LineQueue {
        name: queue_name(centre, &queue),
        waited: waited(centre, &queue, known, now_ms),
        priority: entry_of(centre, &queue, known).and_then(|entry| entry.priority),
        id: queue,
        digits: None,
        monitored: false,
        exchange_call: None,
        disposition: None,
    });
    Some(LineQueue {
        waited: call.and_then(|call| call.waited).or(before.waited),
        digits: call.and_then(|call| call.digits.clone()).or(before.digits),
        monitored: call.is_some_and(|call| call.monitored),
        exchange_call: call.map(|call| call.id.clone()).or(before.exchange_call),
        ..before
    })
}

/// The exchange's call that this one is.
fn exchange_call<'a>(
    centre: &'a Centre,
    known: &Known,
    taken: &[String],
) -> Option<&'a ExchangeCall> {
    if let Some(mine) = known.exchange_call.as_ref() {
        return centre.calls().find(|call| call.id == *mine);
    }
    let by_id = centre
        .calls()
        .find(|call| call.sip_call_id.is_some() && call.sip_call_id == known.sip_call_id);
    let by_party = || {
        centre.calls().find(|call| {
            let near = call
                .since
                .is_none_or(|since| since.abs_diff(known.began_ms) <= TOGETHER.as_millis() as u64);
            let fits = !known.ringing || call.state == ExchangeCallState::Alerting;
            call.incoming == known.incoming
                && near
                && fits
                && !taken.contains(&call.id)
                // Another call's Call-ID was told.
                && (call.sip_call_id.is_none() || known.sip_call_id.is_none())
                && same_party(&call.party.number, &known.number)
        })
    };
    by_id.or_else(by_party)
}

/// Both unknown is the same: who withholds the number does so on both sides.
fn same_party(a: &str, b: &str) -> bool {
    let plain = |number: &str| number.is_empty() || number.eq_ignore_ascii_case("anonymous");
    plain(a) && plain(b) || contacts::same_number(a, b) || !plain(a) && a == b
}

fn sent_on_by(centre: &Centre, known: &Known) -> Option<QueueId> {
    let is = |number: &str, by: &str| !number.is_empty() && same_party(number, by);
    let found = centre.queues().find(|state| {
        let queue = &state.queue;
        known
            .diverted
            .iter()
            .any(|by| is(&queue.number, by) || queue.name == *by || queue.id.0 == *by)
    });
    found.map(|state| state.queue.id.clone())
}

/// The queue in which this caller rings at the user.
fn offered(centre: &Centre, known: &Known) -> Option<QueueId> {
    let me = centre.me()?;
    let found = centre.queues().find(|state| {
        state.queue.entries.iter().any(|entry| {
            let at = match &entry.state {
                EntryState::Offered(Some(agent)) | EntryState::Whisper(Some(agent)) => agent == me,
                _ => false,
            };
            at && same_party(&entry.caller.number, &known.number)
        })
    });
    found.map(|state| state.queue.id.clone())
}

/// The caller in the queue, while he is still told there.
fn entry_of<'a>(centre: &'a Centre, queue: &QueueId, known: &Known) -> Option<&'a QueueEntry> {
    let entries = &centre.queue(queue)?.queue.entries;
    entries.iter().find(|entry| same_party(&entry.caller.number, &known.number))
}

/// How long the caller has waited in the queue, while he is still told there.
fn waited(centre: &Centre, queue: &QueueId, known: &Known, now_ms: u64) -> Option<u32> {
    let entry = entry_of(centre, queue, known)?;
    u32::try_from(now_ms.saturating_sub(entry.since) / 1000).ok()
}

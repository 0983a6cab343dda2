//! The last transfers: who was sent to whom, what became of it, and how to call him back.

use std::time::Instant;

use call_control::{Call, CallId, Plan, State};
use sip_types::Uri;

use super::accounts::Account;
use super::codes::own_number;
use super::commands::Outcome;
use super::desk::Desk;
use super::line::Dialled;
use super::transfers::Reference;
use crate::code::Code;
use crate::control::ErrorReply;
use crate::event::{Event, TransferState};
use crate::view::{ParkState, PeerView, TransferEntry, TransferKind};

/// Transfers remembered.
const KEPT: usize = 20;

impl Desk {
    /// A transfer has begun.
    pub(super) fn log_transfer(&mut self, now: Instant, call: CallId, plan: &Plan) {
        let Some(line) = self.lines.get(&call) else { return };
        let asked = plan.with.and_then(|with| self.calls.get(with));
        let kind = match asked {
            _ if line.parking.is_some() => TransferKind::Park,
            Some(with) if !Call::is_rung_for_another(with) => TransferKind::Warm,
            _ => TransferKind::Cold,
        };
        self.last_transfer += 1;
        let entry = TransferEntry {
            id: self.last_transfer,
            call: call.0,
            account: line.account.clone(),
            at_ms: self.clock.ms(now),
            caller: line.peer.clone(),
            to: self.plan_peer(&line.account, &plan.to),
            kind,
            state: TransferState::Trying,
            reason: None,
            status: None,
            lost: false,
            call_back: way_back(&line.peer),
            parked: None,
        };
        self.transfers.push_front(entry.clone());
        self.transfers.truncate(KEPT);
        self.tell_transfer(now, entry);
    }

    /// The latest transfer of a call went on. `gone`: the caller is neither there nor here.
    pub(super) fn log_outcome(
        &mut self,
        now: Instant,
        call: u64,
        (state, status, reason): (TransferState, Option<u16>, Option<Code>),
        gone: bool,
    ) {
        self.change_transfer(now, call, |entry| {
            (entry.state, entry.status, entry.reason) = (state, status, reason);
            entry.lost = gone;
            let parked = entry.kind == TransferKind::Park && state == TransferState::Done;
            // He may have been fetched before the exchange said that he was parked.
            entry.parked = parked.then(|| entry.parked.unwrap_or(ParkState::Waiting));
        });
    }

    /// The caller, who had come back, is gone after all.
    pub(super) fn log_lost(&mut self, now: Instant, call: u64) {
        self.change_transfer(now, call, |entry| entry.lost = true);
    }

    // --- parked callers ---

    /// The latest transfer that parked somebody where `slot` is; an empty one is the own line. None where the exchange
    /// chooses the place and has not said which it was.
    pub(super) fn parked_there(&self, account: &Account, slot: &str) -> Option<u64> {
        if !Desk::parks_at_lines(account) {
            return None;
        }
        let wanted = place(account, slot);
        let there = |entry: &&TransferEntry| {
            entry.account == account.settings.id
                && may_be_parked(entry)
                && is_same_place(&place(account, &entry.to.number), &wanted)
        };
        self.transfers.iter().find(there).map(|entry| entry.id)
    }

    /// A call that fetches somebody went on. Once it is answered he is fetched, and where nothing is parked he is gone.
    pub(super) fn watch_retrieved(&mut self, now: Instant, call: &Call) {
        let Some(line) = self.lines.get(&call.id()).filter(|line| line.retrieves.is_some()) else {
            return;
        };
        let (known, peer) = (line.retrieves.flatten(), line.peer.clone());
        let account = line.account.clone();
        let status = call.end().and_then(|end| end.status);
        let state = match call.state() {
            State::Active | State::Held | State::HeldByPeer => ParkState::Retrieved,
            State::Ended if matches!(status, Some(404 | 410)) => ParkState::Gone,
            _ => return,
        };
        // Of one who was parked where the exchange chose, only his number tells which he is.
        let same = |entry: &TransferEntry| {
            entry.account == account
                && may_be_parked(entry)
                && !peer.number.is_empty()
                && contacts::same_number(&entry.caller.number, &peer.number)
        };
        let by_number = || {
            let fetched = state == ParkState::Retrieved && peer.target.is_none();
            self.transfers.iter().find(|entry| fetched && same(entry)).map(|entry| entry.id)
        };
        let Some(id) = known.or_else(by_number) else { return };
        if let Some(line) = self.lines.get_mut(&call.id()) {
            line.retrieves = None;
        }
        self.close_parked(now, id, state);
    }

    /// The exchange tells that nobody is parked there any more; `slot` empty: at the own line.
    pub(super) fn no_longer_parked(&mut self, now: Instant, account: &str, slot: &str) {
        let there = self.account(account).and_then(|account| self.parked_there(account, slot));
        // One who is only on his way there is not the one who left.
        let waits = |entry: &TransferEntry| entry.parked == Some(ParkState::Waiting);
        let known = |id: &u64| self.transfers.iter().any(|entry| entry.id == *id && waits(entry));
        if let Some(id) = there.filter(known) {
            self.close_parked(now, id, ParkState::Gone);
        }
    }

    /// One who was parked is not any more, nor is who was parked there before him.
    fn close_parked(&mut self, now: Instant, id: u64, state: ParkState) {
        let Some(at) = self.transfers.iter().position(|entry| entry.id == id) else { return };
        let Some(closed) = self.transfers.get(at).cloned() else { return };
        for place in at..self.transfers.len() {
            let Some(entry) = self.transfers.get_mut(place) else { return };
            let before = place > at
                && entry.account == closed.account
                && entry.parked == Some(ParkState::Waiting)
                && !closed.to.number.is_empty()
                && entry.to.number == closed.to.number;
            if place == at || before {
                entry.parked = Some(if place == at { state } else { ParkState::Gone });
                let entry = entry.clone();
                self.tell_transfer(now, entry);
            }
        }
    }

    fn change_transfer(
        &mut self,
        now: Instant,
        call: u64,
        change: impl FnOnce(&mut TransferEntry),
    ) {
        let Some(entry) = self.transfers.iter_mut().find(|entry| entry.call == call) else {
            return;
        };
        let before = entry.clone();
        change(entry);
        if *entry != before {
            let entry = entry.clone();
            self.tell_transfer(now, entry);
        }
    }

    fn tell_transfer(&mut self, now: Instant, entry: TransferEntry) {
        self.publisher.changed();
        self.event(now, Event::TransferChanged(Box::new(entry)));
    }

    /// Calls somebody back who was sent on, with the account he had called.
    pub(super) fn call_back(&mut self, now: Instant, transfer: u64) -> Outcome {
        let entry = self.transfers.iter().find(|entry| entry.id == transfer);
        let entry = entry.ok_or_else(|| {
            ErrorReply::new(Code::UnknownCall, format!("there is no transfer {transfer}"))
        })?;
        let hidden = || ErrorReply::new(Code::BadTarget, "the caller withheld his number");
        let text = entry.call_back.as_ref().ok_or_else(hidden)?;
        let uri = Uri::parse(text)
            .map_err(|error| ErrorReply::new(Code::BadTarget, error.to_string()))?;
        let (account, peer) = (entry.account.clone(), entry.caller.clone());
        let dialled = Dialled { uri, withhold: false, reference: Reference::default() };
        self.place(now, &account, dialled, peer)
    }
}

/// Whether somebody may still be where a transfer parked him.
fn may_be_parked(entry: &TransferEntry) -> bool {
    entry.kind == TransferKind::Park
        && entry.state != TransferState::Failed
        && matches!(entry.parked, None | Some(ParkState::Waiting))
}

/// A place to park at; one that is not named is the own line.
fn place(account: &Account, slot: &str) -> String {
    match slot {
        "" => own_number(account).unwrap_or_default(),
        slot => slot.to_owned(),
    }
}

fn is_same_place(one: &str, other: &str) -> bool {
    one == other || contacts::same_number(one, other)
}

/// What a caller can be called back by: his address, unless he withheld his number.
fn way_back(peer: &PeerView) -> Option<String> {
    let uri = Uri::parse(&peer.uri).ok()?;
    let user = uri.user().filter(|user| !user.is_empty() && user != "anonymous")?;
    let host = uri.host().map(ToString::to_string).unwrap_or_default();
    let known = !peer.number.is_empty() && !user.is_empty();
    (known && host != "anonymous.invalid").then(|| peer.uri.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_withheld_his_number_cannot_be_called_back() {
        let peer = |uri: &str, number: &str| PeerView {
            uri: uri.into(),
            number: number.into(),
            ..PeerView::default()
        };
        let known = peer("sip:0302318800@pbx.example", "030 231 88 00");
        assert_eq!(way_back(&known).as_deref(), Some("sip:0302318800@pbx.example"));
        assert_eq!(way_back(&peer("sip:anonymous@anonymous.invalid", "anonymous")), None);
        assert_eq!(way_back(&peer("sip:0302318800@pbx.example", "")), None);
        assert_eq!(way_back(&peer("", "1")), None);
    }
}

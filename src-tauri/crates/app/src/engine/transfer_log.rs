//! The last transfers: who was sent to whom, what became of it, and how to call him back.

use std::time::Instant;

use call_control::{Call, CallId, Plan};
use sip_types::Uri;

use super::commands::Outcome;
use super::desk::Desk;
use super::line::Dialled;
use super::transfers::Reference;
use crate::code::Code;
use crate::control::ErrorReply;
use crate::event::{Event, TransferState};
use crate::view::{PeerView, TransferEntry, TransferKind};

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
        });
    }

    /// The caller, who had come back, is gone after all.
    pub(super) fn log_lost(&mut self, now: Instant, call: u64) {
        self.change_transfer(now, call, |entry| entry.lost = true);
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

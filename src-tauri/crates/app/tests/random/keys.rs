//! The keys of the desk, as the window sends them.

use app::view::{AppView, CallAction, CallState, CallView, TransferKind};
use serde_json::{Value, json};
use sip_core::Random;

use crate::oracle::slot_of;
use crate::town::{COLLEAGUES, CUSTOMERS, digits};

/// Whom a caller is sent to: colleagues who answer, decline and let it ring; a voicemail, a simulated colleague, a busy
/// one, a number outside, and none that exists.
const TARGETS: [&str; 12] =
    ["102", "102", "105", "105", "103", "104", "*55102", "201", "603", "0612345678", "999", "105"];
/// Places to park at.
const SLOTS: [&str; 2] = ["101", "105"];

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Key {
    Answer(u64),
    Reject(u64),
    Redirect(u64, &'static str),
    Hold(u64),
    Resume(u64),
    Mute(u64, bool),
    Digits(u64),
    HangUp(u64),
    Cold(u64, &'static str),
    Consult(u64, &'static str),
    Complete(u64),
    /// Esc.
    Back(u64),
    Park(u64, Option<&'static str>),
    Retrieve(&'static str),
    PickUp(&'static str),
    Confer(Vec<u64>),
    Dial(&'static str),
    CallBack(u64),
}

impl Key {
    pub(crate) fn command(&self) -> Value {
        match self {
            Key::Answer(call) => json!({"cmd": "call.answer", "call": call}),
            Key::Reject(call) => json!({"cmd": "call.reject", "call": call}),
            Key::Redirect(call, to) => json!({"cmd": "call.redirect", "call": call, "to": to}),
            Key::Hold(call) => json!({"cmd": "call.hold", "call": call}),
            Key::Resume(call) => json!({"cmd": "call.resume", "call": call}),
            Key::Mute(call, on) => json!({"cmd": "call.mute", "call": call, "on": on}),
            Key::Digits(call) => json!({"cmd": "call.dtmf", "call": call, "digits": "1"}),
            Key::HangUp(call) => json!({"cmd": "call.hangup", "call": call}),
            Key::Cold(call, to) => json!({"cmd": "call.transfer.blind", "call": call, "to": to}),
            Key::Consult(call, to) => {
                json!({"cmd": "call.transfer.consult", "call": call, "to": to})
            }
            Key::Complete(call) => json!({"cmd": "call.transfer.complete", "call": call}),
            Key::Back(call) => json!({"cmd": "call.transfer.cancel", "call": call}),
            Key::Park(call, None) => json!({"cmd": "call.park", "call": call}),
            Key::Park(call, Some(slot)) => json!({"cmd": "call.park", "call": call, "slot": slot}),
            Key::Retrieve(slot) => json!({"cmd": "call.retrieve", "slot": slot}),
            Key::PickUp(line) => json!({"cmd": "call.pickup", "target": line}),
            Key::Confer(calls) => json!({"cmd": "call.conference", "calls": calls}),
            Key::Dial(to) => json!({"cmd": "call.dial", "to": to}),
            Key::CallBack(transfer) => json!({"cmd": "transfer.call_back", "transfer": transfer}),
        }
    }

    /// The call that it ends for good, by the user's own wish.
    pub(crate) fn sends_away(&self) -> Option<u64> {
        match self {
            Key::Reject(call) | Key::HangUp(call) | Key::Redirect(call, _) => Some(*call),
            _ => None,
        }
    }
}

/// A key that the user might press now; now and then one that makes no sense.
pub(crate) fn choose(random: &mut Random, view: &AppView, ringing_elsewhere: bool) -> Key {
    let live: Vec<&CallView> =
        view.calls.iter().filter(|call| call.state != CallState::Ended).collect();
    let mut keys: Vec<(u64, Key)> = Vec::new();
    for call in &live {
        let customer = CUSTOMERS.contains(&digits(&call.peer.number).as_str());
        for action in &call.actions {
            keys.extend(of_action(random, call, *action, customer));
        }
    }
    let ids: Vec<u64> = live.iter().map(|call| call.id).collect();
    if ids.len() >= 2 {
        keys.push((1, Key::Confer(ids.clone())));
    }
    let parked = view.transfers.iter().filter(|row| row.kind == TransferKind::Park).take(3);
    keys.extend(parked.filter_map(|row| {
        let slot = SLOTS.into_iter().find(|slot| slot_of(row) == *slot)?;
        Some((6, Key::Retrieve(slot)))
    }));
    keys.push((1, Key::Retrieve(pick(random, &SLOTS))));
    keys.push((if ringing_elsewhere { 14 } else { 1 }, Key::PickUp("104")));
    keys.push((1, Key::Dial(pick(random, &TARGETS))));
    let failed = view.transfers.iter().find(|row| row.reason.is_some() && row.call_back.is_some());
    keys.extend(failed.map(|row| (1, Key::CallBack(row.id))));
    keys.push((1, nonsense(random, &ids)));
    weighted(random, keys)
}

fn of_action(
    random: &mut Random,
    call: &CallView,
    action: CallAction,
    customer: bool,
) -> Vec<(u64, Key)> {
    let id = call.id;
    match action {
        CallAction::Answer => vec![(30, Key::Answer(id)), (1, Key::Redirect(id, "105"))],
        CallAction::Reject => vec![(1, Key::Reject(id))],
        CallAction::Hold => vec![(3, Key::Hold(id))],
        CallAction::Resume => vec![(6, Key::Resume(id))],
        CallAction::Mute => vec![(1, Key::Mute(id, true))],
        CallAction::Unmute => vec![(1, Key::Mute(id, false))],
        CallAction::Dtmf => vec![(1, Key::Digits(id))],
        CallAction::Transfer => vec![(8, Key::Cold(id, pick(random, &TARGETS)))],
        CallAction::Consult => {
            let (to, _) = COLLEAGUES[index(random, COLLEAGUES.len())];
            vec![(8, Key::Consult(id, to))]
        }
        CallAction::CompleteTransfer => vec![(12, Key::Complete(id))],
        CallAction::CancelTransfer => vec![(6, Key::Back(id))],
        CallAction::Park => {
            let slot = Some(pick(random, &SLOTS)).filter(|_| random.between(0, 2) > 0);
            vec![(5, Key::Park(id, slot))]
        }
        CallAction::Hangup => vec![(if customer { 1 } else { 4 }, Key::HangUp(id))],
        CallAction::Conference => Vec::new(),
    }
}

/// A key for a call that may not be there, or not in that state.
fn nonsense(random: &mut Random, ids: &[u64]) -> Key {
    let id = match ids {
        [] => 1,
        _ if random.between(0, 3) == 0 => random.between(1, 12),
        _ => ids[index(random, ids.len())],
    };
    let to = pick(random, &TARGETS);
    match random.between(0, 8) {
        0 => Key::Answer(id),
        1 => Key::Hold(id),
        2 => Key::Resume(id),
        3 => Key::Cold(id, to),
        4 => Key::Consult(id, "102"),
        5 => Key::Complete(id),
        6 => Key::Back(id),
        7 => Key::Park(id, None),
        _ => Key::CallBack(id),
    }
}

fn weighted(random: &mut Random, keys: Vec<(u64, Key)>) -> Key {
    let all: u64 = keys.iter().map(|(weight, _)| weight).sum();
    let mut at = random.between(1, all);
    for (weight, key) in keys {
        if at <= weight {
            return key;
        }
        at -= weight;
    }
    Key::PickUp("104")
}

fn pick(random: &mut Random, of: &[&'static str]) -> &'static str {
    of[index(random, of.len())]
}

fn index(random: &mut Random, count: usize) -> usize {
    usize::try_from(random.between(0, count as u64 - 1)).unwrap_or(0)
}

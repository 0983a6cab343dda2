//! Tests of transfers: each course that a transfer takes, and any course.

use std::collections::BTreeMap;
use std::time::Duration;

use super::*;
use crate::transfer::{Failure, Plan, Progress};

const TO: &str = "sip:102@example.test";

fn news(calls: &mut CallControl) -> Vec<Progress> {
    drain(calls)
        .into_iter()
        .filter_map(|output| match output {
            Output::Transfer { progress, .. } => Some(progress),
            _ => None,
        })
        .collect()
}

fn refer() -> Action {
    Action::Refer { to: TO.into() }
}

fn hold(on: bool) -> Action {
    Action::Offer { hold: on }
}

impl Desk {
    /// A call that was asked to be transferred, cold, and whose peer has been asked.
    fn sent(&mut self) -> CallId {
        let id = self.talking();
        self.ask(id, Command::TransferBlind(TO.into())).unwrap();
        self.tell(id, Signal::OfferAccepted);
        assert_eq!(actions(&mut self.calls), [(id.0, hold(true)), (id.0, refer())]);
        id
    }

    /// A caller on hold and an answered consultation.
    fn consulting(&mut self) -> (CallId, CallId) {
        let caller = self.talking();
        let consult = self.calls.consult(self.now, caller, TO.into()).unwrap();
        self.tell(caller, Signal::OfferAccepted);
        self.tell(consult, Signal::Answered);
        drain(&mut self.calls);
        (caller, consult)
    }

    /// The same, with the peer asked to take over.
    fn completing(&mut self) -> (CallId, CallId) {
        let (caller, consult) = self.consulting();
        self.ask(consult, Command::TransferComplete).unwrap();
        let asked = Action::ReferReplacing { other: consult };
        assert_eq!(actions(&mut self.calls), [(caller.0, asked)]);
        (caller, consult)
    }

    fn returned(&self, id: CallId) -> Option<Failure> {
        self.calls.get(id).and_then(|call| call.transfer().returned())
    }

    fn pass(&mut self, seconds: u64) {
        self.now += Duration::from_secs(seconds);
        while self.calls.poll_timeout().is_some_and(|due| due <= self.now) {
            self.calls.handle_timeout(self.now);
        }
    }

    fn progress(&self, id: CallId) -> Option<Progress> {
        self.calls.get(id).and_then(|call| call.transfer().progress())
    }
}

#[test]
fn a_cold_transfer_holds_asks_and_lets_go() {
    let mut desk = Desk::new();
    let id = desk.talking();
    desk.ask(id, Command::TransferBlind(TO.into())).unwrap();
    assert_eq!(desk.state(id), State::Transferring);
    assert_eq!(actions(&mut desk.calls), [(1, hold(true))]);
    desk.tell(id, Signal::OfferAccepted);
    assert_eq!(actions(&mut desk.calls), [(1, refer())]);
    desk.tell(id, Signal::TransferAccepted);
    desk.tell(id, Signal::TransferRinging);
    assert_eq!(news(&mut desk.calls), [Progress::Ringing]);
    desk.tell(id, Signal::TransferDone);
    let outputs = drain(&mut desk.calls);
    assert_eq!(outputs[0], Output::Action(id, Action::HandOver));
    let plan = Plan { to: TO.into(), with: None };
    let done = Output::Transfer { call: id, plan, progress: Progress::Done { confirmed: true } };
    assert_eq!(outputs[1], done);
    assert_eq!(desk.state(id), State::Ended);
}

#[test]
fn a_held_caller_is_sent_at_once_and_a_refused_hold_stops_nothing() {
    let mut desk = Desk::new();
    let id = desk.talking();
    desk.ask(id, Command::Hold).unwrap();
    desk.tell(id, Signal::OfferAccepted);
    drain(&mut desk.calls);
    desk.ask(id, Command::TransferBlind(TO.into())).unwrap();
    assert_eq!(actions(&mut desk.calls), [(1, refer())]);

    let other = desk.talking();
    desk.ask(other, Command::TransferBlind(TO.into())).unwrap();
    desk.tell(other, Signal::OfferRefused);
    assert_eq!(actions(&mut desk.calls), [(2, hold(true)), (2, refer())]);
    // Two at once, each for itself.
    desk.tell(other, Signal::TransferDone);
    assert_eq!((desk.state(id), desk.state(other)), (State::Transferring, State::Ended));
    desk.tell(id, Signal::TransferDone);
    assert_eq!(desk.state(id), State::Ended);
}

#[test]
fn a_failed_cold_transfer_returns_the_caller_held_with_the_reason() {
    let table = [
        (Signal::TransferFailed { status: Some(486) }, Failure::NotReached(Some(486))),
        (Signal::TransferFailed { status: Some(408) }, Failure::NotReached(Some(408))),
        (Signal::TransferFailed { status: None }, Failure::NotReached(None)),
        (Signal::TransferRefused { status: Some(405) }, Failure::Refused(Some(405))),
    ];
    for (signal, failure) in table {
        let mut desk = Desk::new();
        let id = desk.sent();
        desk.tell(id, signal);
        assert_eq!(news(&mut desk.calls), [Progress::Failed(failure)]);
        assert_eq!((desk.state(id), desk.returned(id)), (State::Held, Some(failure)));
        desk.ask(id, Command::Resume).unwrap();
        desk.tell(id, Signal::OfferAccepted);
        assert_eq!((desk.state(id), desk.returned(id)), (State::Active, None));
    }
}

#[test]
fn a_caller_who_was_given_back_is_looked_after() {
    let mut desk = Desk::new();
    let id = desk.sent();
    desk.tell(id, Signal::TransferAccepted);
    desk.tell(id, Signal::TransferFailed { status: Some(486) });
    assert_eq!(actions(&mut desk.calls), []);
    desk.pass(2);
    assert_eq!(actions(&mut desk.calls), [(1, hold(true))]);
    desk.tell(id, Signal::OfferAccepted);
    assert_eq!(desk.state(id), State::Held);
    assert_eq!(desk.returned(id), Some(Failure::NotReached(Some(486))));
    // Once is enough.
    desk.pass(600);
    assert_eq!(actions(&mut desk.calls), []);
}

#[test]
fn taking_back_works_in_every_stage() {
    let stages: [&[Signal]; 5] = [
        &[],
        &[Signal::OfferAccepted],
        &[Signal::OfferAccepted, Signal::TransferAccepted],
        &[Signal::OfferAccepted, Signal::TransferAccepted, Signal::TransferRinging],
        &[Signal::OfferAccepted, Signal::TransferUnknown],
    ];
    for signals in stages {
        let mut desk = Desk::new();
        let id = desk.talking();
        desk.ask(id, Command::TransferBlind(TO.into())).unwrap();
        for signal in signals {
            desk.tell(id, signal.clone());
        }
        assert_eq!(desk.state(id), State::Transferring, "{signals:?}");
        drain(&mut desk.calls);
        desk.ask(id, Command::TransferCancel).unwrap();
        assert_eq!(desk.progress(id), Some(Progress::Failed(Failure::TakenBack)));
        desk.tell(id, Signal::OfferAccepted);
        desk.tell(id, Signal::OfferAccepted);
        assert_eq!(desk.state(id), State::Active, "{signals:?}");
        let refers = actions(&mut desk.calls).into_iter().filter(|(_, a)| *a == refer()).count();
        assert_eq!(refers, 0, "{signals:?}");
        // He hangs up a minute later: that is no transfer.
        desk.tell(id, Signal::Ended(End::new(Party::Remote, None)));
        assert_eq!(news(&mut desk.calls), []);
    }
}

#[test]
fn taken_back_too_late_is_still_a_transfer() {
    let mut desk = Desk::new();
    let id = desk.sent();
    desk.tell(id, Signal::TransferAccepted);
    desk.ask(id, Command::TransferCancel).unwrap();
    drain(&mut desk.calls);
    desk.tell(id, Signal::TransferDone);
    assert_eq!(desk.state(id), State::Ended);
    assert_eq!(news(&mut desk.calls), [Progress::Done { confirmed: true }]);
}

#[test]
fn after_taking_back_the_caller_can_be_sent_elsewhere_at_once() {
    let mut desk = Desk::new();
    let id = desk.sent();
    desk.ask(id, Command::TransferCancel).unwrap();
    desk.tell(id, Signal::OfferAccepted);
    drain(&mut desk.calls);
    desk.ask(id, Command::TransferBlind("sip:103@example.test".into())).unwrap();
    desk.tell(id, Signal::OfferAccepted);
    let asked = Action::Refer { to: "sip:103@example.test".into() };
    assert_eq!(actions(&mut desk.calls), [(1, hold(true)), (1, asked)]);
}

#[test]
fn the_callers_end_is_his_own_before_and_a_transfer_after_the_peer_agreed() {
    let mut desk = Desk::new();
    let id = desk.sent();
    desk.tell(id, Signal::Ended(End::new(Party::Remote, None)));
    assert_eq!(news(&mut desk.calls), [Progress::Failed(Failure::CallerGone)]);

    let id = desk.sent();
    desk.tell(id, Signal::TransferAccepted);
    desk.tell(id, Signal::Ended(End::new(Party::Remote, None)));
    assert_eq!(news(&mut desk.calls), [Progress::Done { confirmed: false }]);

    let id = desk.sent();
    desk.tell(id, Signal::TransferAccepted);
    desk.tell(id, Signal::Ended(End::new(Party::Network, None)));
    assert_eq!(news(&mut desk.calls), [Progress::Failed(Failure::LineLost)]);
}

#[test]
fn without_reports_the_callers_line_decides() {
    let mut desk = Desk::new();
    // It still answers: he is ours.
    let id = desk.sent();
    desk.tell(id, Signal::TransferAccepted);
    desk.tell(id, Signal::TransferUnknown);
    desk.pass(19);
    assert_eq!(actions(&mut desk.calls), []);
    desk.pass(1);
    assert_eq!(actions(&mut desk.calls), [(1, hold(true))]);
    desk.tell(id, Signal::OfferAccepted);
    assert_eq!((desk.state(id), desk.returned(id)), (State::Held, Some(Failure::Unknown)));
    // It is gone: he was handed over.
    let id = desk.sent();
    desk.tell(id, Signal::TransferUnknown);
    desk.pass(20);
    desk.tell(id, Signal::Ended(End::new(Party::Remote, Some(481))));
    assert_eq!(desk.state(id), State::Ended);
    assert!(news(&mut desk.calls).contains(&Progress::Done { confirmed: false }));
}

#[test]
fn silence_ends_in_the_callers_return() {
    for signals in [&[][..], &[Signal::TransferAccepted], &[Signal::TransferRinging]] {
        let mut desk = Desk::new();
        let id = desk.sent();
        for signal in signals {
            desk.tell(id, signal.clone());
        }
        desk.pass(180);
        desk.pass(40);
        assert_eq!((desk.state(id), desk.returned(id)), (State::Held, Some(Failure::Unknown)));
    }
}

#[test]
fn a_warm_transfer_connects_and_lets_both_go() {
    let mut desk = Desk::new();
    let (caller, consult) = desk.consulting();
    assert_eq!(desk.calls.get(consult).unwrap().consult_of(), Some(caller));
    assert_eq!((desk.state(caller), desk.state(consult)), (State::Held, State::Active));
    desk.ask(consult, Command::TransferComplete).unwrap();
    assert_eq!(desk.state(caller), State::Transferring);
    // The user and the consulted party may go on talking until it happens.
    assert_eq!(desk.state(consult), State::Active);
    drain(&mut desk.calls);
    desk.tell(caller, Signal::TransferDone);
    let passed_on = [(caller.0, Action::HandOver), (consult.0, Action::HandOver)];
    assert_eq!(actions(&mut desk.calls), passed_on);
    assert_eq!(desk.calls.iter().count(), 0);
}

#[test]
fn a_consulted_party_that_was_replaced_first_changes_nothing() {
    let mut desk = Desk::new();
    let (caller, consult) = desk.completing();
    desk.tell(consult, Signal::Ended(End::new(Party::Remote, None)));
    assert_eq!(desk.state(caller), State::Transferring);
    desk.tell(caller, Signal::TransferDone);
    assert_eq!(actions(&mut desk.calls), [(caller.0, Action::HandOver)]);
}

#[test]
fn a_refused_warm_transfer_keeps_both_and_can_be_tried_again() {
    let mut desk = Desk::new();
    let (caller, consult) = desk.completing();
    desk.tell(caller, Signal::TransferRefused { status: Some(501) });
    assert_eq!((desk.state(caller), desk.state(consult)), (State::Held, State::Active));
    assert_eq!(desk.returned(caller), Some(Failure::Refused(Some(501))));
    desk.ask(caller, Command::TransferComplete).unwrap();
    assert_eq!(desk.state(caller), State::Transferring);
    desk.tell(caller, Signal::TransferFailed { status: Some(603) });
    drain(&mut desk.calls);
    desk.ask(caller, Command::TransferCancel).unwrap();
    assert_eq!(actions(&mut desk.calls), [(consult.0, Action::Hangup), (caller.0, hold(false))]);
    desk.tell(caller, Signal::OfferAccepted);
    assert_eq!((desk.state(caller), desk.state(consult)), (State::Active, State::Ended));
}

#[test]
fn completing_while_it_rings_sends_the_caller_there_himself() {
    let mut desk = Desk::new();
    let caller = desk.talking();
    let consult = desk.calls.consult(desk.now, caller, TO.into()).unwrap();
    desk.tell(caller, Signal::OfferAccepted);
    desk.tell(consult, Signal::Ringing);
    drain(&mut desk.calls);
    desk.ask(consult, Command::TransferComplete).unwrap();
    assert_eq!(actions(&mut desk.calls), [(consult.0, Action::Hangup), (caller.0, refer())]);
    assert_eq!((desk.state(caller), desk.state(consult)), (State::Transferring, State::Ended));
    desk.tell(caller, Signal::TransferFailed { status: Some(480) });
    assert_eq!(desk.returned(caller), Some(Failure::NotReached(Some(480))));
}

#[test]
fn a_consultation_that_fails_leaves_the_caller_on_hold_with_the_reason() {
    let mut desk = Desk::new();
    let caller = desk.talking();
    let consult = desk.calls.consult(desk.now, caller, TO.into()).unwrap();
    desk.tell(caller, Signal::OfferAccepted);
    desk.tell(consult, Signal::Ended(End::new(Party::Remote, Some(486))));
    assert_eq!(desk.state(caller), State::Held);
    assert_eq!(desk.returned(caller), Some(Failure::ConsultOver(Some(486))));
    desk.ask(caller, Command::TransferCancel).unwrap();
    desk.tell(caller, Signal::OfferAccepted);
    assert_eq!((desk.state(caller), desk.returned(caller)), (State::Active, None));
}

#[test]
fn a_caller_who_leaves_makes_the_consultation_a_call_like_any() {
    let mut desk = Desk::new();
    let (caller, consult) = desk.consulting();
    desk.tell(caller, Signal::Ended(End::new(Party::Remote, None)));
    assert_eq!(desk.calls.get(consult).unwrap().consult_of(), None);
    assert_eq!(
        desk.ask(consult, Command::TransferComplete),
        Err(Refusal::WrongState(State::Active))
    );
    desk.ask(consult, Command::TransferBlind(TO.into())).unwrap();
}

#[test]
fn an_unconfirmed_transfer_ends_no_conversation() {
    let mut desk = Desk::new();
    let (caller, consult) = desk.completing();
    desk.tell(caller, Signal::TransferAccepted);
    desk.tell(caller, Signal::Ended(End::new(Party::Remote, None)));
    assert_eq!(desk.state(consult), State::Active);
    assert_eq!(desk.calls.get(consult).unwrap().consult_of(), None);
}

#[test]
fn the_user_swaps_between_caller_and_consulted_party() {
    let mut desk = Desk::new();
    let (caller, consult) = desk.consulting();
    desk.ask(caller, Command::Resume).unwrap();
    desk.tell(caller, Signal::OfferAccepted);
    desk.tell(consult, Signal::OfferAccepted);
    assert_eq!((desk.state(caller), desk.state(consult)), (State::Active, State::Held));
    drain(&mut desk.calls);
    desk.ask(caller, Command::TransferComplete).unwrap();
    assert_eq!(actions(&mut desk.calls), [(caller.0, hold(true))]);
    desk.tell(caller, Signal::OfferAccepted);
    let asked = Action::ReferReplacing { other: consult };
    assert_eq!(actions(&mut desk.calls), [(caller.0, asked)]);
}

#[test]
fn what_is_not_possible_is_refused() {
    let mut desk = Desk::new();
    let ringing = desk.calls.incoming(desk.now);
    let blind = || Command::TransferBlind(TO.into());
    assert_eq!(desk.ask(ringing, blind()), Err(Refusal::WrongState(State::Ringing)));
    assert_eq!(
        desk.ask(ringing, Command::TransferCancel),
        Err(Refusal::WrongState(State::Ringing))
    );
    let id = desk.talking();
    assert_eq!(desk.ask(id, Command::TransferBlind(String::new())), Err(Refusal::NoTarget));
    assert_eq!(desk.calls.consult(desk.now, id, String::new()), Err(Refusal::NoTarget));
    assert_eq!(desk.state(id), State::Active);
    assert_eq!(desk.ask(CallId(9), Command::TransferComplete), Err(Refusal::UnknownCall));
    desk.ask(id, blind()).unwrap();
    let wrong = Err(Refusal::WrongState(State::Transferring));
    for command in [blind(), Command::Hold, Command::Resume, Command::TransferComplete] {
        assert_eq!(desk.ask(id, command), wrong);
    }
    let other = desk.talking();
    let consult = desk.calls.consult(desk.now, other, TO.into()).unwrap();
    desk.tell(consult, Signal::Answered);
    assert_eq!(desk.ask(other, blind()), Err(Refusal::WrongState(State::Held)));
    assert_eq!(desk.ask(consult, blind()), Err(Refusal::WrongState(State::Active)));
    assert!(desk.calls.consult(desk.now, consult, TO.into()).is_err());
}

#[test]
fn a_peer_whose_place_is_taken_goes_on_as_the_same_call() {
    let mut desk = Desk::new();
    let id = desk.talking();
    desk.ask(id, Command::Hold).unwrap();
    desk.tell(id, Signal::OfferAccepted);
    drain(&mut desk.calls);
    desk.tell(id, Signal::Replaced);
    // The user's wish goes on: the newcomer is answered with hold.
    assert_eq!((desk.state(id), actions(&mut desk.calls)), (State::Held, Vec::new()));
    let ringing = desk.calls.dial(desk.now);
    desk.tell(ringing, Signal::Ringing);
    desk.tell(ringing, Signal::Replaced);
    assert_eq!(desk.state(ringing), State::Active);
    let incoming = desk.calls.incoming(desk.now);
    desk.tell(incoming, Signal::Replaced);
    assert_eq!(desk.state(incoming), State::Ringing);
}

#[test]
fn a_refused_refresh_does_not_undo_a_wish() {
    let mut desk = Desk::new();
    let id = desk.talking();
    desk.ask(id, Command::Refresh).unwrap();
    desk.ask(id, Command::TransferBlind(TO.into())).unwrap();
    desk.tell(id, Signal::OfferRefused);
    desk.tell(id, Signal::OfferAccepted);
    let expected = [(1, hold(false)), (1, hold(true)), (1, refer())];
    assert_eq!(actions(&mut desk.calls), expected);
}

// --- supervised ---

impl Desk {
    /// A caller on hold and the new party that we ring for him.
    fn supervising(&mut self) -> (CallId, CallId) {
        let caller = self.talking();
        let target = self.calls.send_supervised(self.now, caller, TO.into()).unwrap();
        assert_eq!(actions(&mut self.calls), [(caller.0, hold(true)), (target.0, Action::Invite)]);
        assert_eq!((self.state(caller), self.state(target)), (State::Transferring, State::Dialing));
        (caller, target)
    }
}

#[test]
fn a_supervised_transfer_asks_the_peer_once_the_new_party_has_answered() {
    let mut desk = Desk::new();
    let (caller, target) = desk.supervising();
    desk.tell(target, Signal::Ringing);
    assert_eq!(news(&mut desk.calls), [Progress::Ringing]);
    desk.tell(caller, Signal::OfferAccepted);
    assert_eq!(actions(&mut desk.calls), []);
    desk.tell(target, Signal::Answered);
    assert!(desk.calls.get(target).unwrap().muted());
    let asked = Action::ReferReplacing { other: target };
    assert_eq!(actions(&mut desk.calls), [(caller.0, asked)]);
    desk.tell(caller, Signal::TransferAccepted);
    desk.tell(caller, Signal::TransferDone);
    let passed_on = [(caller.0, Action::HandOver), (target.0, Action::HandOver)];
    assert_eq!(actions(&mut desk.calls), passed_on);
    assert_eq!(desk.calls.iter().count(), 0);
}

#[test]
fn an_answer_before_the_hold_waits_for_it() {
    let mut desk = Desk::new();
    let (caller, target) = desk.supervising();
    desk.tell(target, Signal::Answered);
    assert_eq!(actions(&mut desk.calls), []);
    desk.tell(caller, Signal::OfferAccepted);
    let asked = Action::ReferReplacing { other: target };
    assert_eq!(actions(&mut desk.calls), [(caller.0, asked)]);
}

#[test]
fn a_new_party_that_declines_or_lets_it_ring_gives_the_caller_back() {
    let mut desk = Desk::new();
    let (caller, target) = desk.supervising();
    desk.tell(caller, Signal::OfferAccepted);
    desk.tell(target, Signal::Ended(End::new(Party::Remote, Some(603))));
    let failure = Failure::NotReached(Some(603));
    assert_eq!(news(&mut desk.calls), [Progress::Failed(failure)]);
    assert_eq!((desk.state(caller), desk.returned(caller)), (State::Held, Some(failure)));

    let (caller, target) = desk.supervising();
    desk.tell(caller, Signal::OfferAccepted);
    desk.tell(target, Signal::Ringing);
    drain(&mut desk.calls);
    desk.pass(59);
    assert_eq!(desk.state(target), State::Ringing);
    desk.pass(1);
    assert_eq!(actions(&mut desk.calls), [(target.0, Action::Hangup)]);
    assert_eq!(desk.returned(caller), Some(Failure::NotReached(Some(408))));
    assert_eq!((desk.state(caller), desk.state(target)), (State::Held, State::Ended));
}

#[test]
fn taking_back_a_supervised_transfer_stops_the_ringing() {
    for by_target in [false, true] {
        let mut desk = Desk::new();
        let (caller, target) = desk.supervising();
        desk.tell(target, Signal::Ringing);
        drain(&mut desk.calls);
        desk.ask(if by_target { target } else { caller }, Command::TransferCancel).unwrap();
        assert_eq!(actions(&mut desk.calls), [(target.0, Action::Hangup)]);
        desk.tell(caller, Signal::OfferAccepted);
        desk.tell(caller, Signal::OfferAccepted);
        assert_eq!((desk.state(caller), desk.returned(caller)), (State::Active, None));
    }
}

#[test]
fn a_caller_who_leaves_stops_the_ringing() {
    let mut desk = Desk::new();
    let (caller, target) = desk.supervising();
    desk.tell(target, Signal::Ringing);
    drain(&mut desk.calls);
    desk.tell(caller, Signal::Ended(End::new(Party::Remote, None)));
    let outputs = drain(&mut desk.calls);
    assert!(outputs.contains(&Output::Action(target, Action::Hangup)), "{outputs:?}");
    assert_eq!(desk.calls.iter().count(), 0);
}

#[test]
fn a_new_party_that_the_caller_cannot_be_given_to_is_the_users() {
    let mut desk = Desk::new();
    let (caller, target) = desk.supervising();
    desk.tell(caller, Signal::OfferAccepted);
    desk.tell(target, Signal::Answered);
    drain(&mut desk.calls);
    desk.tell(caller, Signal::TransferRefused { status: Some(501) });
    assert_eq!(actions(&mut desk.calls), [(target.0, Action::Mute(false))]);
    assert_eq!((desk.state(caller), desk.state(target)), (State::Held, State::Active));
    assert_eq!(desk.returned(caller), Some(Failure::Refused(Some(501))));
    // As after any consultation it can be tried again.
    desk.ask(target, Command::TransferComplete).unwrap();
    assert_eq!(desk.state(caller), State::Transferring);
}

#[test]
fn a_consultation_that_rings_may_go_on_ringing_for_the_caller() {
    let mut desk = Desk::new();
    let caller = desk.talking();
    let consult = desk.calls.consult(desk.now, caller, TO.into()).unwrap();
    desk.tell(caller, Signal::OfferAccepted);
    desk.tell(consult, Signal::Ringing);
    drain(&mut desk.calls);
    desk.calls.complete_supervised(desk.now, consult).unwrap();
    let outputs = drain(&mut desk.calls);
    let told = |output: &Output| match output {
        Output::Transfer { progress, .. } => Some(*progress),
        _ => None,
    };
    let told: Vec<_> = outputs.iter().filter_map(told).collect();
    assert_eq!(told, [Progress::Trying, Progress::Ringing]);
    assert!(!outputs.iter().any(|output| matches!(output, Output::Action(_, Action::Hangup))));
    desk.tell(consult, Signal::Answered);
    let asked = Action::ReferReplacing { other: consult };
    assert_eq!(actions(&mut desk.calls), [(caller.0, asked)]);
}

#[test]
fn a_caller_on_the_way_is_waited_for() {
    let mut desk = Desk::new();
    let (caller, target) = desk.supervising();
    desk.tell(caller, Signal::OfferAccepted);
    desk.tell(target, Signal::Answered);
    desk.tell(caller, Signal::TransferAccepted);
    desk.tell(caller, Signal::Ended(End::new(Party::Remote, None)));
    assert_eq!(desk.state(target), State::Active);
    assert_eq!(desk.calls.get(target).unwrap().consult_of(), None);
}

#[test]
fn a_supervised_transfer_leaves_the_users_talk_alone() {
    let mut desk = Desk::new();
    let caller = desk.talking();
    let talk = desk.talking();
    desk.tell(caller, Signal::OfferAccepted);
    drain(&mut desk.calls);
    let target = desk.calls.send_supervised(desk.now, caller, TO.into()).unwrap();
    desk.tell(target, Signal::Answered);
    assert_eq!((desk.state(talk), desk.state(target)), (State::Active, State::Held));
    let asked = Action::ReferReplacing { other: target };
    assert!(actions(&mut desk.calls).contains(&(caller.0, asked)));
}

// --- any course ---

#[derive(Debug, Clone)]
enum Move {
    Dial,
    Incoming,
    Consult(usize),
    Supervise(usize),
    Complete(usize),
    Confer(usize, usize),
    Ask(usize, Command),
    Tell(usize, Signal),
    Pass(u64),
}

fn moves() -> impl Strategy<Value = Move> {
    let command = prop_oneof![
        2 => Just(Command::Answer),
        1 => Just(Command::Hangup),
        1 => Just(Command::Hold),
        2 => Just(Command::Resume),
        1 => Just(Command::Refresh),
        1 => Just(Command::Update),
        1 => Just(Command::Reject(486)),
        5 => Just(Command::TransferBlind(TO.into())),
        5 => Just(Command::TransferComplete),
        3 => Just(Command::TransferCancel),
    ];
    let status = prop_oneof![Just(None), Just(Some(486)), Just(Some(603))];
    let end = prop_oneof![
        Just(Signal::Ended(End::new(Party::Remote, None))),
        Just(Signal::Ended(End::new(Party::Network, Some(408)))),
    ];
    let signal = prop_oneof![
        1 => Just(Signal::Ringing),
        6 => Just(Signal::Answered),
        1 => any::<bool>().prop_map(Signal::HeldByPeer),
        8 => Just(Signal::OfferAccepted),
        2 => Just(Signal::OfferRefused),
        1 => Just(Signal::Replaced),
        3 => Just(Signal::TransferAccepted),
        2 => Just(Signal::TransferRinging),
        2 => Just(Signal::TransferDone),
        2 => status.clone().prop_map(|status| Signal::TransferFailed { status }),
        1 => status.prop_map(|status| Signal::TransferRefused { status }),
        2 => Just(Signal::TransferUnknown),
        1 => end,
    ];
    prop_oneof![
        1 => Just(Move::Dial),
        1 => Just(Move::Incoming),
        3 => (0usize..5).prop_map(Move::Consult),
        3 => (0usize..5).prop_map(Move::Supervise),
        2 => (0usize..5).prop_map(Move::Complete),
        1 => (0usize..5, 0usize..5).prop_map(|(one, other)| Move::Confer(one, other)),
        6 => (0usize..5, command).prop_map(|(call, command)| Move::Ask(call, command)),
        9 => (0usize..5, signal).prop_map(|(call, signal)| Move::Tell(call, signal)),
        1 => (1u64..200).prop_map(Move::Pass),
    ]
}

/// What became of the calls, as the outside saw it.
#[derive(Default)]
struct Course {
    desk_ids: Vec<CallId>,
    /// Calls that may end now, for a reason that somebody knows of.
    released: BTreeSet<CallId>,
    ended: BTreeSet<CallId>,
    /// Transfers told to be under way.
    open: BTreeMap<CallId, Plan>,
    /// New parties that are rung for a caller, and nobody's consultation.
    rung: BTreeMap<CallId, CallId>,
}

impl Course {
    fn play(&mut self, desk: &mut Desk, step: Move) {
        match step {
            Move::Dial => self.desk_ids.push(desk.calls.dial(desk.now)),
            Move::Incoming => self.desk_ids.push(desk.calls.incoming(desk.now)),
            Move::Consult(index) => {
                let Some(id) = self.desk_ids.get(index) else { return };
                let command = Command::TransferConsult(TO.into());
                let allowed = desk.calls.allows(*id, &command);
                let consult = desk.calls.consult(desk.now, *id, TO.into());
                assert_eq!(consult.is_ok(), allowed);
                self.desk_ids.extend(consult);
            }
            Move::Supervise(index) => {
                let Some(id) = self.desk_ids.get(index).copied() else { return };
                let allowed = desk.calls.allows(id, &Command::TransferBlind(TO.into()));
                let target = desk.calls.send_supervised(desk.now, id, TO.into());
                assert_eq!(target.is_ok(), allowed);
                if let Ok(target) = target {
                    self.desk_ids.push(target);
                    self.rung.insert(target, id);
                }
            }
            Move::Confer(one, other) => {
                let ids = [one, other].map(|index| self.desk_ids.get(index).copied());
                let [Some(one), Some(other)] = ids else { return };
                let joined = desk.calls.conference(desk.now, &[one, other]).is_ok();
                assert!(!joined || desk.calls.get(one).is_some_and(Call::in_conference));
            }
            Move::Complete(index) => {
                let Some(id) = self.desk_ids.get(index).copied() else { return };
                let caller = desk.calls.get(id).and_then(Call::consult_of).unwrap_or(id);
                let consult = desk.calls.get(caller).and_then(|call| call.transfer().consult());
                let rings = consult.filter(|id| desk.calls.get(*id).is_some_and(|c| !c.is_up()));
                let allowed = desk.calls.allows(id, &Command::TransferComplete);
                let done = desk.calls.complete_supervised(desk.now, id);
                assert_eq!(done.is_ok(), allowed);
                self.rung.extend(rings.filter(|_| allowed).map(|rings| (rings, caller)));
            }
            Move::Ask(index, command) => {
                let Some(id) = self.desk_ids.get(index).copied() else { return };
                self.ask(desk, id, &command);
            }
            Move::Tell(index, signal) => {
                let Some(id) = self.desk_ids.get(index).copied() else { return };
                self.tell(desk, id, signal);
            }
            Move::Pass(seconds) => desk.pass(seconds),
        }
    }

    fn ask(&mut self, desk: &mut Desk, id: CallId, command: &Command) {
        let before = desk.calls.clone();
        let allowed = before.allows(id, command);
        let caller = before.get(id).and_then(Call::consult_of).unwrap_or(id);
        let consult = before.get(caller).and_then(|call| call.transfer().consult());
        let result = desk.ask(id, command.clone());
        assert_eq!(result.is_ok(), allowed, "{command:?}");
        match command {
            // Nothing is ignored silently.
            _ if result.is_err() => assert!(drain(&mut desk.calls).is_empty()),
            Command::Hangup | Command::Reject(_) => self.released.extend([id]),
            // The user gave the consultation up.
            Command::TransferCancel | Command::TransferComplete => {
                let unanswered = |id: &CallId| before.get(*id).is_some_and(|c| !c.is_up());
                let given_up = *command == Command::TransferCancel;
                self.released.extend(consult.filter(|id| given_up || unanswered(id)));
            }
            _ => {}
        }
    }

    fn tell(&mut self, desk: &mut Desk, id: CallId, signal: Signal) {
        let call = desk.calls.get(id).cloned();
        match (&signal, call) {
            (Signal::Ended(_), Some(_)) => self.released.extend([id]),
            (Signal::TransferDone, Some(call)) => {
                self.released.extend([id]);
                self.released.extend(call.transfer().plan().and_then(|plan| plan.with));
            }
            _ => {}
        }
        desk.tell(id, signal);
    }

    /// Whether a call may end now: somebody wished or told so, or nobody wants the one that is rung.
    fn may_end(&self, id: CallId) -> bool {
        let unwanted =
            |caller: &CallId| self.ended.contains(caller) || !self.open.contains_key(caller);
        self.released.contains(&id) || self.rung.get(&id).is_some_and(unwanted)
    }

    /// Nobody's call ends without a reason that somebody knows; each transfer is told to its end.
    fn watch(&mut self, outputs: Vec<Output>) {
        for output in outputs {
            match output {
                Output::Changed(call) if call.end().is_some() => {
                    assert!(self.may_end(call.id()), "lost: {call:?}");
                    assert!(self.ended.insert(call.id()));
                    assert!(!self.open.contains_key(&call.id()), "not told to its end: {call:?}");
                }
                Output::Action(id, Action::Hangup | Action::HandOver | Action::Reject(_)) => {
                    assert!(self.may_end(id), "hung up on {id}");
                }
                // From here on the user talks to it.
                Output::Action(id, Action::Mute(false)) => {
                    self.rung.remove(&id);
                }
                Output::Transfer { call, plan, progress } => match progress {
                    Progress::Trying => assert!(self.open.insert(call, plan).is_none()),
                    Progress::Ringing => assert!(self.open.contains_key(&call)),
                    Progress::Done { .. } | Progress::Failed(_) => {
                        // Done may also follow a failure.
                        let was_open = self.open.remove(&call).is_some();
                        assert!(was_open || matches!(progress, Progress::Done { .. }));
                    }
                },
                _ => {}
            }
        }
    }

    /// Each caller is talking, on hold, or being transferred, and can be brought back.
    fn check(&self, desk: &Desk) {
        for call in desk.calls.iter().filter(|call| call.answered().is_some()) {
            let id = call.id();
            let under_way = call.transfer().is_under_way();
            assert_eq!(under_way, call.state() == State::Transferring);
            assert_eq!(under_way, self.open.contains_key(&id), "{call:?}");
            assert!(!under_way || call.hold().wanted, "both ears: {call:?}");
            let command = match call.state() {
                State::Transferring => Command::TransferCancel,
                State::Held if call.hold().wanted => Command::Resume,
                State::Active | State::HeldByPeer | State::Held => continue,
                state => panic!("limbo: {state:?}"),
            };
            let mut then = Desk { calls: desk.calls.clone(), now: desk.now };
            then.ask(id, command).expect("a way back");
            assert!(then.calls.get(id).is_some_and(Call::is_live));
            for _ in 0..3 {
                then.tell(id, Signal::OfferAccepted);
            }
            let state = then.state(id);
            assert!(matches!(state, State::Active | State::HeldByPeer), "{state:?}");
        }
        self.check_silence(desk);
        for (target, caller) in &self.rung {
            let wanted = desk.calls.get(*caller).is_some_and(|c| c.transfer().is_under_way());
            assert!(wanted || desk.calls.get(*target).is_none(), "{target} rings for nobody");
        }
        for call in desk.calls.iter() {
            let linked = |id| desk.calls.get(id).is_some();
            assert!(call.consult_of().is_none_or(linked), "{call:?}");
            assert!(call.transfer().consult().is_none_or(linked), "{call:?}");
        }
    }

    /// When nobody says anything any more, no caller stays in a transfer, once hold is answered.
    fn check_silence(&self, desk: &Desk) {
        if self.open.is_empty() {
            return;
        }
        let mut then = Desk { calls: desk.calls.clone(), now: desk.now };
        let ids: Vec<CallId> = self.open.keys().copied().collect();
        for id in &ids {
            for _ in 0..3 {
                then.tell(*id, Signal::OfferAccepted);
            }
        }
        for _ in 0..3 {
            then.pass(200);
        }
        for id in ids {
            assert_eq!(then.state(id), State::Held);
            assert!(then.returned(id).is_some());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { max_shrink_iters: 4096, ..ProptestConfig::with_cases(12_000) })]

    #[test]
    fn no_caller_is_ever_lost(steps in prop::collection::vec(moves(), 1..40)) {
        let mut desk = Desk::new();
        let mut course = Course::default();
        for step in steps {
            course.play(&mut desk, step);
            let outputs = drain(&mut desk.calls);
            course.watch(outputs);
            course.check(&desk);
            check(&desk, &course.ended, u64::try_from(course.desk_ids.len()).unwrap());
        }
    }
}

#[test]
fn hanging_up_after_the_peer_has_agreed_lets_the_caller_go_on() {
    for (agreed, progress) in
        [(true, Progress::Done { confirmed: false }), (false, Progress::Failed(Failure::HungUp))]
    {
        let mut desk = Desk::new();
        let id = desk.sent();
        if agreed {
            desk.tell(id, Signal::TransferAccepted);
        }
        drain(&mut desk.calls);
        desk.ask(id, Command::Hangup).unwrap();
        assert_eq!(news(&mut desk.calls), [progress]);
    }
}

#[test]
fn a_peer_that_answers_nothing_is_told_at_once_and_looked_after() {
    let mut desk = Desk::new();
    let id = desk.sent();
    desk.tell(id, Signal::TransferRefused { status: Some(408) });
    let failure = Failure::Refused(Some(408));
    assert_eq!(news(&mut desk.calls), [Progress::Failed(failure)]);
    assert_eq!(desk.returned(id), Some(failure));
    // Perhaps it is gone, and the caller with it.
    desk.pass(3);
    assert_eq!(actions(&mut desk.calls), [(id.0, hold(true))]);
    let end = End { by: Party::Network, status: Some(408), text: String::new(), elsewhere: false };
    desk.tell(id, Signal::Ended(end));
    assert_eq!(desk.state(id), State::Ended);
    // Or it has done it, and only its answers were lost: then it lets the caller's line go.
    for looked in [false, true] {
        let id = desk.sent();
        desk.tell(id, Signal::TransferRefused { status: Some(408) });
        if looked {
            desk.pass(3);
        }
        drain(&mut desk.calls);
        desk.tell(id, Signal::Ended(End::new(Party::Remote, None)));
        assert_eq!(news(&mut desk.calls), [Progress::Done { confirmed: false }], "{looked}");
    }
    // Once it has answered anything on that line it is there, and later goes for good.
    let id = desk.sent();
    desk.tell(id, Signal::TransferRefused { status: Some(408) });
    desk.pass(3);
    desk.tell(id, Signal::OfferAccepted);
    drain(&mut desk.calls);
    desk.tell(id, Signal::Ended(End::new(Party::Remote, None)));
    assert_eq!(news(&mut desk.calls), []);
    // One that refuses is there.
    let id = desk.sent();
    desk.tell(id, Signal::TransferRefused { status: Some(403) });
    desk.pass(3);
    assert_eq!(actions(&mut desk.calls), []);
}

//! Tests of conferences.

use super::*;

fn together(outputs: &[Output]) -> Option<Vec<CallId>> {
    outputs.iter().rev().find_map(|output| match output {
        Output::Conference(members) => Some(members.clone()),
        _ => None,
    })
}

impl Desk {
    /// Calls that are all in a conference.
    fn conferring(&mut self, count: usize) -> Vec<CallId> {
        let ids: Vec<CallId> = (0..count).map(|_| self.talking()).collect();
        for id in &ids {
            self.tell(*id, Signal::OfferAccepted);
        }
        drain(&mut self.calls);
        self.calls.conference(self.now, &ids).unwrap();
        let outputs = drain(&mut self.calls);
        assert_eq!(together(&outputs), Some(ids.clone()));
        for id in &ids {
            self.tell(*id, Signal::OfferAccepted);
            assert_eq!(self.state(*id), State::Active);
        }
        drain(&mut self.calls);
        ids
    }
}

#[test]
fn calls_are_put_together_and_the_held_one_is_taken_back() {
    let mut desk = Desk::new();
    let first = desk.talking();
    let second = desk.talking();
    desk.tell(first, Signal::OfferAccepted);
    assert_eq!((desk.state(first), desk.state(second)), (State::Held, State::Active));
    drain(&mut desk.calls);
    desk.calls.conference(desk.now, &[first, second]).unwrap();
    let outputs = drain(&mut desk.calls);
    let offers = outputs.iter().filter(|o| matches!(o, Output::Action(_, Action::Offer { .. })));
    assert_eq!(
        offers.cloned().collect::<Vec<_>>(),
        [Output::Action(first, Action::Offer { hold: false })]
    );
    assert_eq!(together(&outputs), Some(vec![first, second]));
}

#[test]
fn one_that_is_held_or_gone_leaves_the_rest_together() {
    let mut desk = Desk::new();
    let ids = desk.conferring(3);
    desk.ask(ids[0], Command::Hold).unwrap();
    assert_eq!(together(&drain(&mut desk.calls)), Some(vec![ids[1], ids[2]]));
    desk.tell(ids[0], Signal::OfferAccepted);
    assert!(desk.calls.get(ids[0]).unwrap().in_conference());
    desk.ask(ids[0], Command::Resume).unwrap();
    assert_eq!(together(&drain(&mut desk.calls)), Some(ids.clone()));
    desk.tell(ids[0], Signal::OfferAccepted);
    desk.ask(ids[1], Command::Hangup).unwrap();
    assert_eq!(together(&drain(&mut desk.calls)), Some(vec![ids[0], ids[2]]));
    desk.tell(ids[2], Signal::Ended(End::new(Party::Remote, None)));
    // The last is a call like any.
    assert_eq!(together(&drain(&mut desk.calls)), Some(Vec::new()));
    assert_eq!(desk.state(ids[0]), State::Active);
    assert!(!desk.calls.get(ids[0]).unwrap().in_conference());
}

#[test]
fn another_call_holds_all_of_them() {
    let mut desk = Desk::new();
    let ids = desk.conferring(2);
    let incoming = desk.calls.incoming(desk.now);
    desk.ask(incoming, Command::Answer).unwrap();
    for id in &ids {
        desk.tell(*id, Signal::OfferAccepted);
        assert_eq!(desk.state(*id), State::Held);
    }
    // One after the other they come back, the stranger gives way.
    desk.ask(ids[0], Command::Resume).unwrap();
    assert_eq!((desk.state(incoming), desk.calls.live()), (State::Held, Some(ids[0])));
    desk.ask(ids[1], Command::Resume).unwrap();
    assert_eq!(desk.calls.iter().filter(|call| call.is_live()).count(), 2);
}

#[test]
fn who_is_sent_on_leaves_and_the_others_talk_on() {
    let mut desk = Desk::new();
    let ids = desk.conferring(3);
    desk.ask(ids[0], Command::TransferBlind("sip:x@y".into())).unwrap();
    assert_eq!(together(&drain(&mut desk.calls)), Some(vec![ids[1], ids[2]]));
    assert!(!desk.calls.get(ids[0]).unwrap().in_conference());
    assert_eq!((desk.state(ids[1]), desk.state(ids[2])), (State::Active, State::Active));
}

#[test]
fn a_caller_and_the_one_consulted_may_be_put_together() {
    let mut desk = Desk::new();
    let caller = desk.talking();
    let consult = desk.calls.consult(desk.now, caller, "sip:x@y".into()).unwrap();
    desk.tell(caller, Signal::OfferAccepted);
    desk.tell(consult, Signal::Answered);
    desk.calls.conference(desk.now, &[caller, consult]).unwrap();
    desk.tell(caller, Signal::OfferAccepted);
    assert_eq!((desk.state(caller), desk.state(consult)), (State::Active, State::Active));
    assert_eq!(desk.calls.get(consult).unwrap().consult_of(), None);
    desk.ask(consult, Command::Hangup).unwrap();
    assert_eq!(desk.state(caller), State::Active);
}

#[test]
fn a_conference_of_others_holds_who_is_not_in_it() {
    let mut desk = Desk::new();
    let ids = desk.conferring(2);
    let third = desk.talking();
    for id in &ids {
        desk.tell(*id, Signal::OfferAccepted);
    }
    desk.calls.conference(desk.now, &[ids[1], third]).unwrap();
    assert!(!desk.calls.get(ids[0]).unwrap().in_conference());
    assert_eq!(desk.state(ids[0]), State::Held);
    let live: Vec<CallId> = desk.calls.iter().filter(|call| call.is_live()).map(Call::id).collect();
    assert_eq!(live, [ids[1], third]);
}

#[test]
fn what_cannot_be_put_together_is_refused() {
    let mut desk = Desk::new();
    let first = desk.talking();
    let ringing = desk.calls.incoming(desk.now);
    drain(&mut desk.calls);
    assert_eq!(desk.calls.conference(desk.now, &[first, first]), Err(Refusal::TooFew));
    let unknown = desk.calls.conference(desk.now, &[first, CallId(9)]);
    assert_eq!(unknown, Err(Refusal::UnknownCall));
    let unanswered = desk.calls.conference(desk.now, &[first, ringing]);
    assert_eq!(unanswered, Err(Refusal::WrongState(State::Ringing)));
    assert!(drain(&mut desk.calls).is_empty());
}

//! Tests of the set of calls: the usual courses, and any course.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::call::{End, Outcome, Party, State};

mod conference;
mod transfers;

#[expect(clippy::disallowed_methods, reason = "one base for virtual time")]
fn base() -> Instant {
    Instant::now()
}

fn drain(calls: &mut CallControl) -> Vec<Output> {
    std::iter::from_fn(|| calls.poll_output()).collect()
}

fn actions(calls: &mut CallControl) -> Vec<(u64, Action)> {
    drain(calls)
        .into_iter()
        .filter_map(|output| match output {
            Output::Action(id, action) => Some((id.0, action)),
            _ => None,
        })
        .collect()
}

struct Desk {
    calls: CallControl,
    now: Instant,
}

impl Desk {
    fn new() -> Desk {
        Desk { calls: CallControl::new(), now: base() }
    }

    fn ask(&mut self, id: CallId, command: Command) -> Result<(), Refusal> {
        self.calls.handle_input(self.now, Input::Command(id, command))
    }

    fn tell(&mut self, id: CallId, signal: Signal) {
        self.calls.handle_input(self.now, Input::Signal(id, signal)).unwrap();
    }

    fn talking(&mut self) -> CallId {
        let id = self.calls.dial(self.now);
        self.tell(id, Signal::Answered);
        drain(&mut self.calls);
        id
    }

    fn state(&self, id: CallId) -> State {
        self.calls.get(id).map_or(State::Ended, Call::state)
    }
}

#[test]
fn an_outgoing_call_rings_sounds_and_is_answered() {
    let mut desk = Desk::new();
    let id = desk.calls.dial(desk.now);
    assert_eq!(actions(&mut desk.calls), [(1, Action::Invite)]);
    assert_eq!(desk.state(id), State::Dialing);
    desk.tell(id, Signal::Ringing);
    assert_eq!(desk.state(id), State::Ringing);
    desk.tell(id, Signal::EarlyMedia);
    desk.tell(id, Signal::Ringing);
    assert_eq!(desk.state(id), State::Early);
    desk.tell(id, Signal::Answered);
    assert_eq!(desk.state(id), State::Active);
    assert!(drain(&mut desk.calls).contains(&Output::Sound(Some(id))));
}

#[test]
fn answering_a_second_call_holds_the_first_before() {
    let mut desk = Desk::new();
    let first = desk.talking();
    let second = desk.calls.incoming(desk.now);
    assert_eq!(actions(&mut desk.calls), [(2, Action::Ring)]);
    assert_eq!(desk.state(first), State::Active);
    desk.ask(second, Command::Answer).unwrap();
    assert_eq!(actions(&mut desk.calls), [(1, Action::Offer { hold: true }), (2, Action::Accept)]);
    assert_eq!((desk.state(first), desk.state(second)), (State::Held, State::Active));
    desk.tell(first, Signal::OfferAccepted);
    desk.ask(first, Command::Resume).unwrap();
    assert_eq!(
        actions(&mut desk.calls),
        [(2, Action::Offer { hold: true }), (1, Action::Offer { hold: false })]
    );
    desk.tell(first, Signal::OfferAccepted);
    assert_eq!((desk.state(first), desk.state(second)), (State::Active, State::Held));
}

#[test]
fn a_command_during_an_offer_is_kept() {
    let mut desk = Desk::new();
    let id = desk.talking();
    desk.ask(id, Command::Hold).unwrap();
    desk.ask(id, Command::Resume).unwrap();
    assert_eq!(actions(&mut desk.calls), [(1, Action::Offer { hold: true })]);
    // Held until the peer has heard of the resume too: nobody sees it flicker.
    assert_eq!(desk.state(id), State::Held);
    desk.tell(id, Signal::OfferAccepted);
    assert_eq!(desk.state(id), State::Held);
    assert_eq!(actions(&mut desk.calls), [(1, Action::Offer { hold: false })]);
    desk.tell(id, Signal::OfferAccepted);
    assert_eq!(desk.state(id), State::Active);
}

#[test]
fn an_update_offers_what_stands_and_waits_for_its_answer() {
    let mut desk = Desk::new();
    let id = desk.talking();
    desk.ask(id, Command::Update).unwrap();
    assert_eq!(actions(&mut desk.calls), [(1, Action::Update { hold: false })]);
    assert_eq!(desk.ask(id, Command::Update), Err(Refusal::WrongState(State::Active)));
    // A wish meanwhile is kept.
    desk.ask(id, Command::Hold).unwrap();
    desk.tell(id, Signal::OfferAccepted);
    assert_eq!(actions(&mut desk.calls), [(1, Action::Offer { hold: true })]);
    desk.tell(id, Signal::OfferAccepted);
    desk.ask(id, Command::Update).unwrap();
    assert_eq!(actions(&mut desk.calls), [(1, Action::Update { hold: true })]);
    desk.tell(id, Signal::OfferRefused);
    assert_eq!(desk.state(id), State::Held);
}

#[test]
fn a_refused_hold_gives_the_call_back_unless_another_is_live() {
    let mut desk = Desk::new();
    let first = desk.talking();
    desk.ask(first, Command::Hold).unwrap();
    desk.tell(first, Signal::OfferRefused);
    assert_eq!(desk.state(first), State::Active);
    let second = desk.calls.incoming(desk.now);
    desk.ask(second, Command::Answer).unwrap();
    desk.tell(first, Signal::OfferRefused);
    assert_eq!((desk.state(first), desk.state(second)), (State::Held, State::Active));
}

#[test]
fn a_call_answered_there_while_another_is_live_waits() {
    let mut desk = Desk::new();
    let ringing = desk.calls.dial(desk.now);
    let live = desk.talking();
    desk.tell(ringing, Signal::Answered);
    assert_eq!((desk.state(ringing), desk.state(live)), (State::Held, State::Active));
    assert_eq!(actions(&mut desk.calls), [(1, Action::Offer { hold: true })]);
}

#[test]
fn held_by_peer_shows_and_goes() {
    let mut desk = Desk::new();
    let id = desk.talking();
    desk.tell(id, Signal::HeldByPeer(true));
    assert_eq!(desk.state(id), State::HeldByPeer);
    desk.ask(id, Command::Hold).unwrap();
    assert_eq!(desk.state(id), State::Held);
    desk.tell(id, Signal::HeldByPeer(false));
    assert_eq!(desk.state(id), State::Held);
}

#[test]
fn wrong_commands_are_refused_and_change_nothing() {
    let mut desk = Desk::new();
    let live = desk.talking();
    assert_eq!(desk.ask(live, Command::Answer), Err(Refusal::WrongState(State::Active)));
    assert_eq!(desk.ask(live, Command::Resume), Err(Refusal::WrongState(State::Active)));
    assert_eq!(desk.ask(live, Command::Dtmf("1x".into())), Err(Refusal::BadDigits));
    assert_eq!(desk.ask(CallId(99), Command::Hangup), Err(Refusal::UnknownCall));
    let ringing = desk.calls.incoming(desk.now);
    assert_eq!(desk.ask(ringing, Command::Reject(200)), Err(Refusal::BadStatus));
    assert_eq!(desk.ask(ringing, Command::Hold), Err(Refusal::WrongState(State::Ringing)));
    assert_eq!(actions(&mut desk.calls), [(2, Action::Ring)]);
    assert_eq!(desk.state(live), State::Active);
}

#[test]
fn an_answer_that_crosses_giving_up_leaves_the_caller_on_hold() {
    let mut desk = Desk::new();
    let id = desk.calls.dial(desk.now);
    desk.tell(id, Signal::Ringing);
    drain(&mut desk.calls);
    desk.ask(id, Command::GiveUp).unwrap();
    desk.ask(id, Command::GiveUp).unwrap();
    assert_eq!(actions(&mut desk.calls), [(1, Action::GiveUp)], "once is enough");
    desk.tell(id, Signal::Ringing);
    assert_eq!(desk.state(id), State::Dialing, "nothing rings any more");
    desk.tell(id, Signal::Answered);
    assert_eq!(actions(&mut desk.calls), [(1, Action::Offer { hold: true })]);
    assert_eq!(desk.state(id), State::Held);
    assert_eq!(desk.ask(id, Command::GiveUp), Err(Refusal::WrongState(State::Held)));
    desk.ask(id, Command::Resume).unwrap();
}

#[test]
fn a_call_that_was_given_up_is_over_by_the_users_wish_once_the_line_says_so() {
    let mut desk = Desk::new();
    let id = desk.calls.dial(desk.now);
    desk.ask(id, Command::GiveUp).unwrap();
    drain(&mut desk.calls);
    desk.tell(id, Signal::Ended(End::new(Party::Remote, Some(487))));
    let ended = drain(&mut desk.calls).into_iter().find_map(|output| match output {
        Output::Changed(call) => call.end().cloned(),
        _ => None,
    });
    assert_eq!(ended, Some(End::new(Party::Local, None)));
    // Somebody who rings here is declined, not given up.
    let ringing = desk.calls.incoming(desk.now);
    assert_eq!(desk.ask(ringing, Command::GiveUp), Err(Refusal::WrongState(State::Ringing)));
}

#[test]
fn outcomes_tell_how_it_went() {
    let mut desk = Desk::new();
    let ended = |desk: &mut Desk| {
        drain(&mut desk.calls)
            .into_iter()
            .find_map(|output| match output {
                Output::Changed(call) if call.end().is_some() => Some(call.outcome()),
                _ => None,
            })
            .unwrap()
    };
    let cases = [
        (Some(486), Outcome::Busy),
        (Some(603), Outcome::Busy),
        (Some(480), Outcome::NoAnswer),
        (Some(404), Outcome::Failed),
        (None, Outcome::Failed),
    ];
    for (status, outcome) in cases {
        let id = desk.calls.dial(desk.now);
        desk.tell(id, Signal::Ended(End::new(Party::Remote, status)));
        assert_eq!(ended(&mut desk), outcome, "{status:?}");
    }
    let id = desk.calls.incoming(desk.now);
    desk.tell(id, Signal::Ended(End::new(Party::Remote, Some(487))));
    assert_eq!(ended(&mut desk), Outcome::Missed);
    let id = desk.calls.incoming(desk.now);
    desk.ask(id, Command::Reject(486)).unwrap();
    assert_eq!(ended(&mut desk), Outcome::Declined);
}

#[derive(Debug, Clone)]
enum Step {
    Confer(Vec<usize>),
    Dial,
    Incoming,
    Ask(usize, Command),
    Tell(usize, Signal),
}

fn step() -> impl Strategy<Value = Step> {
    let command = prop_oneof![
        Just(Command::Answer),
        Just(Command::Ring),
        Just(Command::Progress),
        Just(Command::Reject(486)),
        Just(Command::Redirect("sip:x@y".into())),
        Just(Command::Hangup),
        Just(Command::GiveUp),
        Just(Command::Hold),
        Just(Command::Resume),
        any::<bool>().prop_map(Command::Mute),
        Just(Command::Dtmf("1".into())),
        Just(Command::Refresh),
        Just(Command::Update),
    ];
    let signal = prop_oneof![
        1 => Just(Signal::Ringing),
        1 => Just(Signal::EarlyMedia),
        4 => Just(Signal::Answered),
        1 => any::<bool>().prop_map(Signal::HeldByPeer),
        3 => Just(Signal::OfferAccepted),
        1 => Just(Signal::OfferRefused),
        1 => Just(Signal::Ended(End::new(Party::Remote, Some(480)))),
    ];
    prop_oneof![
        1 => Just(Step::Dial),
        1 => Just(Step::Incoming),
        2 => prop::collection::vec(0usize..6, 1..4).prop_map(Step::Confer),
        5 => (0usize..6, command).prop_map(|(call, command)| Step::Ask(call, command)),
        5 => (0usize..6, signal).prop_map(|(call, signal)| Step::Tell(call, signal)),
    ]
}

/// Everything that must hold after any step.
fn check(desk: &Desk, ended: &BTreeSet<CallId>, created: u64) {
    let live: Vec<&Call> = desk.calls.iter().filter(|call| call.is_live()).collect();
    let together = live.iter().all(|call| call.in_conference());
    assert!(live.len() <= 1 || together, "{} live calls", live.len());
    let members = desk.calls.iter().filter(|call| call.in_conference());
    assert_ne!(members.count(), 1, "a conference of one");
    let open: BTreeSet<CallId> = desk.calls.iter().map(Call::id).collect();
    assert!(open.is_disjoint(ended));
    assert_eq!(open.len() + ended.len(), usize::try_from(created).unwrap(), "a call was lost");
    for call in desk.calls.iter() {
        assert!(call.allows(&Command::Hangup), "no way on: {call:?}");
        let hold = call.hold();
        let talking = call.answered().is_some();
        assert!(talking || hold == crate::HoldState::default(), "{call:?}");
        // Wish and agreement differ only while an offer is under way.
        assert!(hold.wanted == hold.agreed || hold.offering.is_some(), "{call:?}");
        if talking {
            let other = [Command::Hold, Command::Resume, Command::TransferCancel];
            assert!(other.iter().any(|command| call.allows(command)), "no way on: {call:?}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn any_order_of_commands_and_signals_is_survived(steps in prop::collection::vec(step(), 0..80)) {
        let mut desk = Desk::new();
        let mut ids = Vec::new();
        let mut ended = BTreeSet::new();
        for step in steps {
            match step {
                Step::Dial => ids.push(desk.calls.dial(desk.now)),
                Step::Incoming => ids.push(desk.calls.incoming(desk.now)),
                Step::Confer(indices) => {
                    let named: Option<Vec<CallId>> =
                        indices.iter().map(|index| ids.get(*index).copied()).collect();
                    let Some(named) = named else { continue };
                    let joined = desk.calls.conference(desk.now, &named).is_ok();
                    let heard = |id: &CallId| {
                        desk.calls.get(*id).is_some_and(|c| c.is_live() && c.in_conference())
                    };
                    prop_assert!(!joined || named.iter().all(heard));
                }
                Step::Ask(index, command) => {
                    let Some(id) = ids.get(index) else { continue };
                    let allowed = desk.calls.get(*id).is_some_and(|call| call.allows(&command));
                    prop_assert_eq!(desk.ask(*id, command).is_ok(), allowed);
                }
                Step::Tell(index, signal) => {
                    let Some(id) = ids.get(index) else { continue };
                    desk.tell(*id, signal);
                }
            }
            for output in drain(&mut desk.calls) {
                match output {
                    Output::Changed(call) if call.end().is_some() => {
                        prop_assert!(ended.insert(call.id()), "ended twice");
                    }
                    Output::Action(id, _) | Output::Sound(Some(id)) => {
                        prop_assert!(ids.contains(&id));
                    }
                    _ => {}
                }
            }
            check(&desk, &ended, u64::try_from(ids.len()).unwrap());
        }
    }
}

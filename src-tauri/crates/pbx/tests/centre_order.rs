//! Whatever comes in whatever order: places without gaps, nobody twice, everybody leaves once, and drift is
//! shown when, and only when, wanted and actual differ for longer than the limit.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]
#![allow(clippy::disallowed_methods, reason = "virtual time needs a beginning")]

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use pbx::centre::{
    AgentState, AgentStatus, Answer, Centre, DRIFT_AFTER, EntryEnd, EntryState, Input, LinkState,
    Output, Party, QueueChange, QueueEntry, QueueId, QueuedCallId, Refusal, Request, RequestId,
    Role, UserId, WantedState,
};
use proptest::prelude::*;

#[derive(Clone, Debug)]
enum Step {
    Entry { call: u8, position: Option<u32>, since: u64, offered: bool, bounced: bool },
    Left { call: u8, end: u8 },
    Snapshot(Vec<(u8, u64)>),
    Queues(bool),
    Me,
    Status(u8),
    Wish(u8),
    Done(bool),
    Accept,
    Pass(u64),
}

fn step() -> impl Strategy<Value = Step> {
    let call = 0..6_u8;
    prop_oneof![
        4 => (call.clone(), proptest::option::of(0..9_u32), 0..3_u64, any::<bool>(), any::<bool>())
            .prop_map(|(call, position, since, offered, bounced)| {
                Step::Entry { call, position, since, offered, bounced }
            }),
        3 => (call.clone(), 0..7_u8).prop_map(|(call, end)| Step::Left { call, end }),
        1 => proptest::collection::vec((call, 0..3_u64), 0..8).prop_map(Step::Snapshot),
        1 => any::<bool>().prop_map(Step::Queues),
        1 => Just(Step::Me),
        3 => (0..5_u8).prop_map(Step::Status),
        3 => (0..5_u8).prop_map(Step::Wish),
        3 => any::<bool>().prop_map(Step::Done),
        1 => Just(Step::Accept),
        3 => (0..9_000_u64).prop_map(Step::Pass),
    ]
}

fn state(n: u8) -> (AgentState, Option<String>) {
    match n {
        0 => (AgentState::SignedOut, None),
        1 => (AgentState::Available, None),
        2 => (AgentState::Unavailable, Some("LUNCH".into())),
        3 => (AgentState::Unavailable, None),
        _ => (AgentState::WrapUp, None),
    }
}

fn entry(call: u8, since: u64) -> QueueEntry {
    QueueEntry {
        call: QueuedCallId(call.to_string()),
        caller: Party::default(),
        since,
        priority: None,
        state: EntryState::Queued,
        bounced: false,
        reordered: false,
        entrance: false,
    }
}

struct World {
    now: Instant,
    centre: Centre,
    open: Vec<RequestId>,
    /// Since when, by the test's own reckoning, wanted and actual differ, and what was wanted then.
    unlike: Option<(Instant, WantedState, Option<AgentStatus>)>,
}

impl World {
    fn queue() -> QueueId {
        QueueId("q".into())
    }

    fn callers(&self) -> Vec<String> {
        let state = self.centre.queue(&World::queue());
        let entries = state.into_iter().flat_map(|state| &state.queue.entries);
        entries.map(|entry| entry.call.0.clone()).collect()
    }

    fn input(&mut self, input: Input) {
        self.centre.handle_input(self.now, input);
    }

    fn step(&mut self, step: Step) {
        let queue = World::queue();
        let me = UserId("me".into());
        match step {
            Step::Entry { call, position, since, offered, bounced } => {
                let state = if offered { EntryState::Offered(None) } else { EntryState::Queued };
                let entry = QueueEntry { state, bounced, ..entry(call, since) };
                self.input(Input::QueueChange {
                    queue,
                    change: QueueChange::Entry { entry, position },
                });
            }
            Step::Left { call, end } => {
                let end = match end {
                    0 => EntryEnd::Answered(None),
                    1 => EntryEnd::Abandoned,
                    2 => EntryEnd::Transferred,
                    3 => EntryEnd::Overflowed,
                    4 => EntryEnd::Stranded,
                    5 => EntryEnd::Escaped,
                    _ => EntryEnd::Released,
                };
                let call = QueuedCallId(call.to_string());
                let change = QueueChange::Left { call, end, at: None };
                self.input(Input::QueueChange { queue, change });
            }
            Step::Snapshot(entries) => {
                let entries = entries.into_iter().map(|(call, since)| entry(call, since)).collect();
                self.input(Input::QueueSnapshot { queue, entries });
            }
            Step::Queues(there) => {
                let queues = there.then_some((queue, "Q".to_owned(), Role::Agent));
                self.input(Input::Queues(queues.into_iter().collect()));
            }
            Step::Me => self.input(Input::Me { user: me, name: "Me".into() }),
            Step::Status(n) => {
                let (state, code) = state(n);
                let status = AgentStatus { state, code, ..AgentStatus::default() };
                self.input(Input::AgentStatus { agent: me, status });
            }
            Step::Wish(n) => {
                let (state, code) = state(n);
                let request = Request::SetAgentState { agent: None, state, code, validate: false };
                self.centre.ask(self.now, request);
                // A new wish is given its time.
                self.unlike = None;
            }
            Step::Done(taken) => {
                if let Some(request) = self.open.pop() {
                    let result =
                        if taken { Ok(Answer::Accepted) } else { Err(Refusal::NotAllowed) };
                    self.input(Input::Done { request, result });
                }
            }
            Step::Accept => self.centre.accept_drift(),
            Step::Pass(ms) => self.pass(Duration::from_millis(ms)),
        }
    }

    fn pass(&mut self, time: Duration) {
        let end = self.now + time;
        let mut turns = 0;
        while let Some(due) = self.centre.poll_timeout().filter(|due| *due <= end) {
            self.now = self.now.max(due);
            self.centre.handle_timeout(self.now);
            self.drain();
            turns += 1;
            assert!(turns < 100, "time stands still");
        }
        self.now = end;
    }

    /// Takes what is to be done; who left.
    fn drain(&mut self) -> Vec<String> {
        let mut left = Vec::new();
        let mut turns = 0;
        while let Some(output) = self.centre.poll_output() {
            match output {
                Output::Request { id, .. } => self.open.push(id),
                Output::Left(gone) => left.push(gone.entry.call.0),
                _ => {}
            }
            turns += 1;
            assert!(turns < 1000, "no end of outputs");
        }
        left
    }

    fn check_drift(&mut self) {
        let wish = self.centre.own().wish();
        let differs = match (wish.wanted(), self.centre.status()) {
            (Some(wanted), Some(actual)) => !wanted.is_like(actual),
            (Some(_), None) => true,
            (None, _) => false,
        };
        let key = wish.wanted().cloned().zip(Some(self.centre.status().cloned()));
        match (&self.unlike, key) {
            _ if !differs => self.unlike = None,
            // Wanted stays the same: the clock goes on, whatever other state it differs from.
            (Some((_, wanted, _)), Some((now_wanted, _))) if *wanted == now_wanted => {}
            (_, Some((wanted, actual))) => self.unlike = Some((self.now, wanted, actual)),
            (_, None) => self.unlike = None,
        }
        let expected =
            self.unlike.as_ref().is_some_and(|(since, ..)| self.now >= *since + DRIFT_AFTER);
        assert_eq!(wish.is_drift(), expected, "differs {differs}, wish {wish:?}");
    }
}

proptest! {
    #[test]
    fn any_order(steps in proptest::collection::vec(step(), 1..60)) {
        let now = Instant::now();
        let centre = Centre::new(now, 1000);
        let mut world = World { now, centre, open: Vec::new(), unlike: None };
        world.input(Input::Link(LinkState::Live));
        for step in steps {
            let before: BTreeSet<String> = world.callers().into_iter().collect();
            let fits = !matches!(step, Step::Snapshot(_));
            let told = format!("{step:?}");
            world.step(step);
            let left = world.drain();
            let after = world.callers();
            let now_there: BTreeSet<String> = after.iter().cloned().collect();
            prop_assert_eq!(now_there.len(), after.len(), "twice in the queue after {}", told);
            let gone: Vec<String> = before.difference(&now_there).cloned().collect();
            let mut sorted = left.clone();
            sorted.sort();
            prop_assert_eq!(&sorted, &gone, "who is gone has left once: {}", told);
            prop_assert!(!fits || left.len() <= before.len());
            world.check_drift();
        }
    }
}

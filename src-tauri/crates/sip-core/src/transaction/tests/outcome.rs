//! Whatever arrives in whatever order, each client transaction has exactly one outcome.

use proptest::prelude::*;
use sip_types::{Message, Method, Transport};

use super::{Ladder, response};
use crate::ClientKey;
use crate::transaction::{Event, Input, Output};

#[derive(Debug, Clone)]
enum Step {
    Answer(u16, u8),
    Wait(u64),
    Cancel,
    TransportFails,
}

fn step() -> impl Strategy<Value = Step> {
    let statuses = vec![100, 180, 183, 200, 202, 302, 401, 408, 486, 487, 503, 603];
    prop_oneof![
        6 => (prop::sample::select(statuses), 0_u8..3).prop_map(|(status, tag)| Step::Answer(status, tag)),
        4 => (1_u64..40_000).prop_map(Step::Wait),
        1 => Just(Step::Cancel),
        1 => Just(Step::TransportFails),
    ]
}

/// What the TU was told about one key.
#[derive(Debug, Default)]
struct Told {
    finals: usize,
    further_successes: usize,
    failures: usize,
    ends: usize,
    after_end: usize,
}

impl Told {
    fn note(&mut self, event: &Event) {
        if self.ends + self.failures > 0 {
            self.after_end += 1;
        }
        match event {
            Event::Response { response, .. } if response.status.is_provisional() => {
                self.after_end += self.finals;
            }
            Event::Response { response, .. } if self.finals > 0 && response.status.is_success() => {
                self.further_successes += 1;
            }
            Event::Response { .. } => self.finals += 1,
            Event::Failed { .. } => self.failures += 1,
            Event::ClientTerminated { .. } => self.ends += 1,
            _ => {}
        }
    }
}

fn key_of(event: &Event) -> Option<ClientKey> {
    match event {
        Event::Response { key, .. }
        | Event::Failed { key, .. }
        | Event::ClientTerminated { key } => Some(*key),
        _ => None,
    }
}

struct Run {
    ladder: Ladder,
    told: std::collections::BTreeMap<ClientKey, Told>,
}

impl Run {
    fn drain(&mut self) {
        while let Some(output) = self.ladder.layer.poll_output() {
            if let Output::Event(event) = output
                && let Some(key) = key_of(&event)
            {
                self.told.entry(key).or_default().note(&event);
            }
        }
    }

    fn wait(&mut self, until: Option<std::time::Instant>) -> std::time::Instant {
        let mut now = self.ladder.now();
        while let Some(due) = self.ladder.layer.poll_timeout() {
            if until.is_some_and(|until| due > until) {
                break;
            }
            now = now.max(due);
            self.ladder.layer.handle_timeout(now);
            self.drain();
        }
        until.unwrap_or(now)
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn exactly_one_outcome(
        invite in any::<bool>(),
        stream in any::<bool>(),
        steps in prop::collection::vec(step(), 0..25),
    ) {
        let transport = if stream { Transport::Tcp } else { Transport::Udp };
        let method = if invite { Method::Invite } else { Method::Options };
        let mut ladder = Ladder::new(transport);
        let key = ladder.request(method);
        let Message::Request(sent) = ladder.sent[0].clone() else { panic!() };
        let mut run = Run { ladder, told: std::collections::BTreeMap::new() };
        run.told.entry(key).or_default();
        let mut cancel = None;
        let mut now = run.ladder.now();
        for step in steps {
            match step {
                Step::Answer(status, tag) => {
                    let message = Message::Response(response(&sent, status, &format!("t{tag}")));
                    let source = run.ladder.source();
                    run.ladder.layer.handle_input(now, Input::Received { source, message });
                }
                Step::Wait(milliseconds) => {
                    let until = now + std::time::Duration::from_millis(milliseconds);
                    now = run.wait(Some(until));
                }
                Step::Cancel => cancel = cancel.or(run.ladder.layer.cancel(now, &key)),
                Step::TransportFails => {
                    let (target, reason) = (run.ladder.route().target, "gone".to_owned());
                    run.ladder.layer.handle_input(now, Input::TransportFailed { target, reason });
                }
            }
            run.drain();
        }
        // An INVITE in progress waits for ever: its user gives up.
        if let Some(held) = run.ladder.layer.cancel(now, &key) {
            cancel = Some(held);
        }
        run.drain();
        run.wait(None);
        prop_assert_eq!(run.ladder.layer.under_way(), (0, 0));
        for (told_key, told) in &run.told {
            prop_assert_eq!(told.finals + told.failures, 1, "{} {:?}", told_key, told);
            prop_assert_eq!(told.ends, told.finals, "{} {:?}", told_key, told);
            prop_assert_eq!(told.after_end, 0, "{} {:?}", told_key, told);
        }
        prop_assert_eq!(run.told.len(), 1 + usize::from(cancel.is_some()));
    }
}

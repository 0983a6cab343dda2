//! Random reports and calls: nothing panics, nobody is answered who was not, and at rest the lamps are as the calls are.

use proptest::prelude::*;

use super::tests::start;
use super::*;
use crate::simulated::families::{self, Family};

#[derive(Debug, Clone)]
enum Step {
    Report(Vec<u8>),
    Keys(Vec<usize>),
    Calls(Calls),
    Wait(u64),
}

fn calls() -> impl Strategy<Value = Calls> {
    let talk = prop_oneof![Just(Talk::None), Just(Talk::Live), Just(Talk::Held)];
    (any::<bool>(), talk, any::<bool>(), any::<bool>()).prop_map(|(ringing, talk, muted, other)| {
        Calls {
            ringing,
            talk,
            muted: muted && talk != Talk::None,
            other_held: other && talk == Talk::Live,
        }
    })
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        1 => proptest::collection::vec(any::<u8>(), 0..5).prop_map(Step::Report),
        4 => proptest::collection::vec(0..6usize, 0..3).prop_map(Step::Keys),
        3 => calls().prop_map(Step::Calls),
        2 => (0..6000u64).prop_map(Step::Wait),
    ]
}

fn lamps(calls: Calls, lamp: Lamp) -> bool {
    let live = calls.talk == Talk::Live;
    match lamp {
        Lamp::OffHook => live,
        Lamp::Mute => live && calls.muted,
        Lamp::Ring | Lamp::Ringer => calls.ringing,
        Lamp::Hold => calls.talk == Talk::Held,
        Lamp::OnLine => calls.talk != Talk::None,
        // There is a mute lamp beside it in every family.
        Lamp::Microphone => false,
    }
}

/// Whether a control is on in a report, by the family's own notes and not by what is tested; none: it is not in there.
fn is_on(family: &Family, key: Key, report: &[u8]) -> Option<bool> {
    let (place, rest) = (family.report(&[key]), family.report(&[]));
    // Where reports have numbers, the first byte is one.
    let numbered = place.len() == rest.len() && place[0] != 0 && rest.iter().any(|byte| *byte != 0);
    if numbered && report.first() != place.first() {
        return None;
    }
    let at = (usize::from(numbered)..place.len()).find(|at| place[*at] != 0)?;
    Some(report.get(at)? & place[at] != 0)
}

proptest! {
    #[test]
    fn whatever_comes(which in 0..families::ALL.len(), steps in proptest::collection::vec(step(), 1..60)) {
        let family = families::ALL[which];
        let names: Vec<Key> = family.keys().collect();
        let mut core = Core::new(family.descriptor).unwrap();
        let mut now = start();
        let mut stands = Calls::default();
        let (mut hook, mut line) = (false, false);
        let mut written: Vec<Vec<u8>> = Vec::new();
        for step in steps {
            let mut lifted = false;
            match step {
                Step::Wait(millis) => {
                    let until = now + Duration::from_millis(millis);
                    while let Some(due) = core.poll_timeout().filter(|due| *due <= until) {
                        now = now.max(due);
                        core.handle_timeout(now);
                    }
                    now = until;
                }
                Step::Calls(calls) => {
                    stands = calls;
                    core.handle_input(now, Input::Calls(calls));
                }
                step @ (Step::Report(_) | Step::Keys(_)) => {
                    let report = match step {
                        Step::Report(report) => report,
                        Step::Keys(keys) => {
                            let on: Vec<Key> = keys.iter().filter_map(|at| names.get(*at).copied()).collect();
                            family.report(&on)
                        }
                        _ => Vec::new(),
                    };
                    if let Some(on) = is_on(&family, Key::Hook, &report) {
                        lifted = on && (!hook || !family.hook_has_level);
                        hook = on;
                    }
                    if let Some(on) = is_on(&family, Key::Line, &report).filter(|_| family.has(Key::Line)) {
                        lifted |= on && !line;
                        line = on;
                    }
                    core.handle_input(now, Input::Report(&report));
                }
            }
            while let Some(output) = core.poll_output() {
                match output {
                    Output::Write(report) => written.push(report),
                    Output::Gesture(Gesture::Answer) => {
                        prop_assert!(lifted && stands.ringing, "answered by itself");
                    }
                    _ => {}
                }
            }
        }
        // At rest: everything that was granted or said has had its time.
        while let Some(due) = core.poll_timeout() {
            now = now.max(due);
            core.handle_timeout(now);
        }
        while let Some(output) = core.poll_output() {
            if let Output::Write(report) = output {
                written.push(report);
            }
        }
        for lamp in family.lamps() {
            prop_assert_eq!(family.is_lit(&written, lamp), lamps(stands, lamp), "{:?}", lamp);
        }
    }
}

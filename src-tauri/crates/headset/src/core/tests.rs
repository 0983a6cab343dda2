//! Scripts in virtual time, for every family.

use super::*;
use crate::simulated::families::{self, Family};

/// A headset, who wears it, and the program's calls.
struct Rig {
    family: Family,
    core: Core,
    now: Instant,
    /// What the device sends for the hook of its own.
    hook: bool,
    written: Vec<Vec<u8>>,
    gestures: Vec<Gesture>,
    foreign: Vec<bool>,
    noted: bool,
    /// The device answers our off-hook lamp with its hook.
    echoes: bool,
}

const IDLE: Calls = Calls { ringing: false, talk: Talk::None, muted: false, other_held: false };
const RINGING: Calls = Calls { ringing: true, ..IDLE };
const TALKING: Calls = Calls { talk: Talk::Live, ..IDLE };
const MUTED: Calls = Calls { muted: true, ..TALKING };
const HELD: Calls = Calls { talk: Talk::Held, ..IDLE };
const WAITING: Calls = Calls { ringing: true, ..TALKING };

#[expect(clippy::disallowed_methods, reason = "a beginning for virtual time")]
pub(super) fn start() -> Instant {
    Instant::now()
}

impl Rig {
    fn new(family: Family) -> Rig {
        Rig {
            core: Core::new(family.descriptor).unwrap(),
            family,
            now: start(),
            hook: false,
            written: Vec::new(),
            gestures: Vec::new(),
            foreign: Vec::new(),
            noted: false,
            echoes: true,
        }
    }

    fn drain(&mut self) {
        let mut echoed = Vec::new();
        while let Some(output) = self.core.poll_output() {
            match output {
                Output::Write(report) => {
                    assert!(self.noted, "written without being noted first");
                    self.written.push(report);
                    echoed.push(self.family.is_lit(&self.written, Lamp::OffHook));
                }
                Output::Gesture(gesture) => self.gestures.push(gesture),
                Output::Foreign(on) => self.foreign.push(on),
                Output::Lit(on) => self.noted = on,
            }
        }
        for level in echoed {
            if self.echoes && self.family.hook_has_level && level != self.hook {
                self.hook = level;
                self.send(&[]);
            }
        }
    }

    /// The device sends a report with these controls on, beside its hook.
    fn send(&mut self, keys: &[Key]) {
        let mut on = keys.to_vec();
        if self.hook {
            on.push(Key::Hook);
        }
        let report = self.family.report(&on);
        self.core.handle_input(self.now, Input::Report(&report));
        self.drain();
    }

    fn press(&mut self, key: Key) {
        self.send(&[key]);
        self.after(50);
        self.send(&[]);
    }

    /// The user presses the key for answering and hanging up.
    fn press_hook(&mut self) {
        if self.family.hook_has_level {
            self.hook = !self.hook;
            self.send(&[]);
        } else {
            self.press(Key::Hook);
        }
    }

    fn calls(&mut self, calls: Calls) {
        self.core.handle_input(self.now, Input::Calls(calls));
        self.drain();
    }

    /// The clock goes on, with everything that is due on the way.
    fn after(&mut self, millis: u64) {
        let until = self.now + Duration::from_millis(millis);
        while let Some(due) = self.core.poll_timeout().filter(|due| *due <= until) {
            self.now = self.now.max(due);
            self.core.handle_timeout(self.now);
            self.drain();
        }
        self.now = until;
    }

    /// Those of these keys that the headset has.
    fn of(&self, keys: &[Key]) -> Vec<Key> {
        keys.iter().copied().filter(|key| self.family.has(*key)).collect()
    }

    fn lit(&self) -> Vec<Lamp> {
        self.family.lamps().filter(|lamp| self.family.is_lit(&self.written, *lamp)).collect()
    }

    fn is_lit(&self, lamp: Lamp) -> bool {
        self.family.is_lit(&self.written, lamp)
    }

    fn asked(&mut self) -> Vec<Gesture> {
        std::mem::take(&mut self.gestures)
    }
}

fn every_family(script: impl Fn(&mut Rig)) {
    for family in families::ALL {
        // The name shows in what a failed test prints.
        println!("{}", family.name);
        script(&mut Rig::new(*family));
    }
}

#[test]
fn nothing_is_written_without_a_call() {
    every_family(|rig| {
        rig.calls(IDLE);
        rig.press_hook();
        rig.press(Key::Mute);
        rig.press_hook();
        rig.after(60_000);
        assert_eq!(rig.written, Vec::<Vec<u8>>::new());
        assert_eq!(rig.asked(), []);
    });
}

#[test]
fn a_call_rings_is_answered_and_hung_up_on_the_headset() {
    every_family(|rig| {
        rig.calls(RINGING);
        assert!(rig.is_lit(Lamp::Ring) && !rig.is_lit(Lamp::OffHook));
        rig.after(4000);
        rig.press_hook();
        assert_eq!(rig.asked(), [Gesture::Answer]);
        assert!(rig.is_lit(Lamp::OffHook), "acknowledged at once");
        assert!(!rig.is_lit(Lamp::Ring));
        rig.after(200);
        rig.calls(TALKING);
        rig.after(30_000);
        assert_eq!(rig.asked(), []);
        assert!(rig.is_lit(Lamp::OffHook));
        rig.press_hook();
        assert_eq!(rig.asked(), [Gesture::HangUp]);
        assert!(!rig.is_lit(Lamp::OffHook), "acknowledged at once");
        rig.calls(IDLE);
        assert_eq!(rig.lit(), []);
        assert!(!rig.noted);
        rig.after(60_000);
        assert_eq!(rig.asked(), []);
        assert_eq!(rig.foreign, []);
    });
}

#[test]
fn the_echo_of_our_own_off_hook_answers_nobody() {
    every_family(|rig| {
        rig.calls(TALKING);
        assert_eq!(rig.asked(), []);
        // The echo comes late: the call is over, and another one rings.
        let mut late = Rig::new(rig.family);
        late.echoes = false;
        late.calls(TALKING);
        late.after(100);
        late.calls(IDLE);
        late.calls(RINGING);
        if late.family.hook_has_level {
            late.hook = true;
            late.send(&[]);
            late.hook = false;
            late.send(&[]);
        } else {
            late.press(Key::Hook);
        }
        assert_eq!(late.asked(), []);
        // Who then lifts does answer.
        late.after(3000);
        late.press_hook();
        assert_eq!(late.asked(), [Gesture::Answer]);
    });
}

#[test]
fn a_headset_that_never_echoes_is_told_twice_and_still_hangs_up() {
    every_family(|rig| {
        rig.echoes = false;
        rig.calls(TALKING);
        let once = rig.written.len();
        rig.after(10_000);
        if rig.family.hook_has_level {
            assert!(rig.written.len() > once, "said again");
            // Another key tells of the hook as well, which it never took up: that is nobody who hangs up.
            rig.press(Key::Mute);
            assert_eq!(rig.asked(), [Gesture::Mute(true)]);
            // It lifts, which we knew, and puts down.
            rig.press(Key::Hook);
        } else {
            rig.press(Key::Hook);
        }
        assert_eq!(rig.asked(), [Gesture::HangUp]);
        rig.calls(IDLE);
        rig.after(10_000);
        assert_eq!(rig.lit(), []);
    });
}

#[test]
fn an_answer_that_comes_to_nothing_gives_the_lamps_back() {
    every_family(|rig| {
        rig.calls(RINGING);
        rig.press_hook();
        assert_eq!(rig.asked(), [Gesture::Answer]);
        // The program does nothing with it.
        rig.after(6000);
        assert!(rig.is_lit(Lamp::Ring) && !rig.is_lit(Lamp::OffHook));
        // Or the caller is gone.
        rig.press_hook();
        rig.calls(IDLE);
        assert_eq!(rig.lit(), []);
    });
}

#[test]
fn muting_goes_both_ways() {
    every_family(|rig| {
        rig.calls(TALKING);
        rig.after(1000);
        rig.press(Key::Mute);
        assert_eq!(rig.asked(), [Gesture::Mute(true)]);
        assert!(rig.is_lit(Lamp::Mute), "acknowledged at once");
        rig.calls(MUTED);
        rig.after(1000);
        rig.press(Key::Mute);
        assert_eq!(rig.asked(), [Gesture::Mute(false)]);
        rig.calls(TALKING);
        assert!(!rig.is_lit(Lamp::Mute));
        // In the window, and taken back on the headset.
        rig.after(1000);
        rig.calls(MUTED);
        assert!(rig.is_lit(Lamp::Mute));
        rig.after(1000);
        rig.press(Key::Mute);
        assert_eq!(rig.asked(), [Gesture::Mute(false)]);
        // A mute that the program does not follow is not shown for long.
        rig.after(6000);
        assert!(rig.is_lit(Lamp::Mute));
    });
}

#[test]
fn two_quick_presses_of_mute_are_two() {
    every_family(|rig| {
        rig.calls(TALKING);
        rig.after(1000);
        rig.press(Key::Mute);
        rig.press(Key::Mute);
        assert_eq!(rig.asked(), [Gesture::Mute(true), Gesture::Mute(false)]);
        if rig.core.layout().keys().iter().any(|field| field.key == Key::Mute && field.repeats) {
            // A one-shot key may leave the zero out.
            rig.send(&[Key::Mute]);
            rig.send(&[Key::Mute]);
            assert_eq!(rig.asked(), [Gesture::Mute(true), Gesture::Mute(false)]);
        }
    });
}

#[test]
fn mute_outside_a_conversation_is_nothing() {
    every_family(|rig| {
        for calls in [IDLE, RINGING, HELD] {
            rig.calls(calls);
            rig.press(Key::Mute);
            assert_eq!(rig.asked(), []);
            assert!(!rig.is_lit(Lamp::Mute));
        }
    });
}

#[test]
fn the_echo_of_our_own_mute_is_no_press() {
    every_family(|rig| {
        rig.calls(TALKING);
        rig.after(1000);
        rig.calls(MUTED);
        rig.after(100);
        rig.send(&[Key::Mute]);
        assert_eq!(rig.asked(), []);
    });
}

#[test]
fn a_mute_switch_is_believed_once_it_shows_that_it_is_one() {
    for family in [families::EPOS, families::YEALINK] {
        let mut rig = Rig::new(family);
        rig.calls(TALKING);
        rig.after(1000);
        rig.send(&[Key::Mute]);
        assert_eq!(rig.asked(), [Gesture::Mute(true)]);
        rig.calls(MUTED);
        rig.after(5000);
        rig.send(&[]);
        assert_eq!(rig.asked(), [Gesture::Mute(false)]);
        rig.calls(TALKING);
        rig.after(1000);
        // Muted in the window meanwhile, the switch says the same: nothing changes.
        rig.calls(MUTED);
        rig.after(1000);
        rig.send(&[Key::Mute]);
        assert_eq!(rig.asked(), []);
    }
}

#[test]
fn a_second_call_waits_while_the_first_goes_on() {
    every_family(|rig| {
        rig.calls(TALKING);
        rig.after(1000);
        rig.calls(WAITING);
        assert!(rig.is_lit(Lamp::Ring) && rig.is_lit(Lamp::OffHook));
        for key in rig.of(&[Key::Flash, Key::Hold, Key::Line]) {
            rig.press(key);
            assert_eq!(rig.asked(), [Gesture::Swap]);
        }
        if rig.family.has(Key::Reject) {
            rig.press(Key::Reject);
            assert_eq!(rig.asked(), [Gesture::Reject]);
        }
        // Hanging up ends the first; the second rings on and is answered with the next press.
        rig.press_hook();
        assert_eq!(rig.asked(), [Gesture::HangUp]);
        rig.calls(RINGING);
        assert!(rig.is_lit(Lamp::Ring) && !rig.is_lit(Lamp::OffHook));
        rig.after(1000);
        rig.press_hook();
        assert_eq!(rig.asked(), [Gesture::Answer]);
    });
}

#[test]
fn the_line_key_takes_who_calls_and_the_lamps_say_so_at_once() {
    let mut rig = Rig::new(families::JABRA);
    for (stands, waits) in [(IDLE, RINGING), (HELD, Calls { ringing: true, ..HELD })] {
        rig.calls(stands);
        rig.press(Key::Line);
        assert_eq!(rig.asked(), if stands == HELD { vec![Gesture::Resume] } else { vec![] });
        rig.calls(stands);
        rig.after(10_000);
        rig.calls(waits);
        rig.press(Key::Line);
        assert_eq!(rig.asked(), [Gesture::Answer]);
        assert!(rig.is_lit(Lamp::OffHook) && !rig.is_lit(Lamp::Ring));
        rig.calls(TALKING);
        assert_eq!(rig.asked(), [], "the hook follows our lamp");
        rig.after(5_000);
        rig.press(Key::Line);
        assert_eq!(rig.asked(), [Gesture::Hold]);
        rig.calls(IDLE);
        rig.after(10_000);
        assert_eq!(rig.asked(), []);
    }
}

#[test]
fn a_call_on_hold_rests_and_is_taken_back() {
    every_family(|rig| {
        rig.calls(TALKING);
        rig.after(1000);
        for key in rig.of(&[Key::Flash, Key::Hold, Key::Line]) {
            rig.press(key);
            assert_eq!(rig.asked(), [Gesture::Hold]);
        }
        rig.calls(HELD);
        assert_eq!(rig.asked(), [], "the hook follows our lamp, and nobody hung up");
        assert!(!rig.is_lit(Lamp::OffHook));
        assert!(!rig.family.lamps().any(|lamp| lamp == Lamp::Hold) || rig.is_lit(Lamp::Hold));
        rig.after(10_000);
        rig.press_hook();
        assert_eq!(rig.asked(), [Gesture::Resume]);
        rig.calls(TALKING);
        assert!(rig.is_lit(Lamp::OffHook) && !rig.is_lit(Lamp::Hold));
        rig.after(1000);
        let two = Calls { other_held: true, ..TALKING };
        rig.calls(two);
        for key in rig.of(&[Key::Flash, Key::Hold, Key::Line]) {
            rig.press(key);
            assert_eq!(rig.asked(), [Gesture::Swap]);
        }
    });
}

#[test]
fn calls_are_declined_dropped_and_dialled_again() {
    every_family(|rig| {
        rig.calls(RINGING);
        for key in rig.of(&[Key::Reject, Key::Drop]) {
            rig.press(key);
            assert_eq!(rig.asked(), [Gesture::Reject]);
        }
        rig.calls(IDLE);
        if rig.family.has(Key::Redial) {
            rig.press(Key::Redial);
            assert_eq!(rig.asked(), [Gesture::Redial]);
        }
        rig.calls(TALKING);
        rig.after(1000);
        if rig.family.has(Key::Redial) {
            rig.press(Key::Redial);
            assert_eq!(rig.asked(), []);
        }
        if rig.family.has(Key::Drop) {
            rig.press(Key::Drop);
            assert_eq!(rig.asked(), [Gesture::HangUp]);
            assert!(!rig.is_lit(Lamp::OffHook));
        }
    });
}

#[test]
fn lamps_left_on_by_a_crash_are_put_out() {
    every_family(|rig| {
        rig.core.handle_input(rig.now, Input::LeftLit);
        rig.noted = true;
        rig.drain();
        let numbers: Vec<u8> = rig.written.iter().map(|report| report[0]).collect();
        let all: std::collections::BTreeSet<u8> =
            rig.family.lamps().filter_map(|lamp| rig.family.place(lamp)).map(|it| it.0).collect();
        assert_eq!(numbers, all.into_iter().collect::<Vec<u8>>(), "every report with lamps");
        assert_eq!(rig.lit(), []);
        assert!(!rig.noted);
    });
}

#[test]
fn at_the_end_and_in_another_headset_all_is_right() {
    every_family(|rig| {
        rig.calls(MUTED);
        rig.core.handle_input(rig.now, Input::Release);
        rig.drain();
        assert_eq!(rig.lit(), []);
        rig.press_hook();
        rig.press(Key::Mute);
        rig.calls(WAITING);
        rig.after(60_000);
        assert_eq!(rig.lit(), [], "left alone");
        assert_eq!(rig.asked(), []);
        // Pulled out and plugged in again in the middle of the call.
        let mut again = Rig::new(rig.family);
        again.calls(MUTED);
        assert!(again.is_lit(Lamp::OffHook) && again.is_lit(Lamp::Mute));
        again.after(5000);
        assert_eq!(again.asked(), []);
        again.press_hook();
        assert_eq!(again.asked(), [Gesture::HangUp]);
    });
}

#[test]
fn another_program_that_has_the_headset_is_named() {
    for family in families::ALL.iter().filter(|family| family.hook_has_level) {
        let mut rig = Rig::new(*family);
        // Lifted by mistake: nobody answers it, and it falls back.
        rig.press_hook();
        rig.after(1000);
        rig.press_hook();
        rig.after(10_000);
        assert_eq!(rig.foreign, []);
        // Somebody answered it.
        rig.press_hook();
        rig.after(4000);
        assert_eq!(rig.foreign, [true]);
        assert_eq!(rig.written, Vec::<Vec<u8>>::new(), "not in the other's call");
        rig.press_hook();
        assert_eq!(rig.foreign, [true, false]);
        if family.has(Key::Busy) {
            rig.send(&[Key::Busy]);
            rig.after(4000);
            rig.send(&[]);
            assert_eq!(rig.foreign, [true, false, true, false]);
        }
    }
}

#[test]
fn a_microphone_lamp_stands_in_for_a_mute_lamp_only() {
    // Hook switch in, microphone lamp out.
    let descriptor = [
        0x05, 0x0B, 0x09, 0x05, 0xA1, 0x01, 0x85, 0x01, 0x15, 0x00, 0x25, 0x01, 0x75, 0x01, 0x95,
        0x01, 0x09, 0x20, 0x81, 0x22, 0x95, 0x07, 0x81, 0x01, 0x05, 0x08, 0x09, 0x21, 0x95, 0x01,
        0x91, 0x22, 0x95, 0x07, 0x91, 0x01, 0xC0,
    ];
    let mut core = Core::new(&descriptor).unwrap();
    core.handle_input(start(), Input::Calls(TALKING));
    assert_eq!(core.poll_output(), Some(Output::Lit(true)));
    assert_eq!(core.poll_output(), Some(Output::Write(vec![1, 1])));
    core.handle_input(start(), Input::Calls(MUTED));
    assert_eq!(core.poll_output(), Some(Output::Write(vec![1, 0])));
    let mut rig = Rig::new(families::JABRA);
    rig.calls(TALKING);
    assert!(!rig.is_lit(Lamp::Microphone));
    assert!(rig.is_lit(Lamp::OnLine));
}

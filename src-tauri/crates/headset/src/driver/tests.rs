//! The threads with devices that are not there.

use super::*;
use crate::core::Talk;
use crate::simulated::families::JABRA;
use crate::simulated::{Echo, Machine};

const PATIENCE: Duration = Duration::from_secs(30);
const RING: [u8; 3] = [2, 0b0100_0100, 0];
const DARK: [u8; 3] = [2, 0, 0];
/// Off-hook and on-line.
const TALKING: [u8; 3] = [2, 0b0010_0001, 0];

fn machine() -> Machine {
    let machine = Machine::default();
    let echo = Echo { lamp: (1, 0), on: vec![2, 1, 0], off: vec![2, 0, 0] };
    machine.plug("a", "Jabra Evolve2", JABRA.descriptor, Some(echo));
    machine
}

fn next(events: &mut Events) -> Event {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime
        .block_on(async { tokio::time::timeout(PATIENCE, events.recv()).await.unwrap().unwrap() })
}

fn device() -> KnownDevice {
    KnownDevice { id: "a".to_owned(), name: "Jabra Evolve2".to_owned() }
}

fn on() -> Choice {
    Choice { headset: true, device: None, light: true }
}

fn state(ringing: bool, talk: Talk) -> State {
    State { calls: Calls { ringing, talk, ..Calls::default() }, mood: Mood::Busy }
}

#[test]
fn a_call_is_answered_and_everything_is_dark_at_the_end() {
    let machine = machine();
    let kept = tempfile::tempdir().unwrap();
    let note = kept.path().join("lit");
    let (driver, mut events) = Driver::start(Arc::new(machine.clone()), Some(note.clone()));
    driver.choose(on());
    assert_eq!(next(&mut events), Event::Devices(vec![device()]));
    assert_eq!(next(&mut events), Event::Headset(Some(device())));
    assert_eq!(machine.written("a"), Vec::<Vec<u8>>::new(), "no call, nothing written");
    driver.tell(state(true, Talk::None));
    machine.wait_for("a", &RING);
    assert_eq!(std::fs::read_to_string(&note).unwrap(), "a");
    machine.send("a", &JABRA.report(&[crate::Key::Hook]));
    assert_eq!(next(&mut events), Event::Gesture(Gesture::Answer));
    driver.tell(state(false, Talk::Live));
    machine.wait_for("a", &TALKING);
    drop(driver);
    assert_eq!(machine.written("a").last().unwrap(), &DARK);
    assert!(!note.exists());
}

#[test]
fn lamps_of_a_run_that_crashed_are_put_out_on_that_device_only() {
    let machine = machine();
    machine.plug("b", "Another", JABRA.descriptor, None);
    let kept = tempfile::tempdir().unwrap();
    let note = kept.path().join("lit");
    std::fs::write(&note, "b").unwrap();
    let (driver, mut events) = Driver::start(Arc::new(machine.clone()), Some(note.clone()));
    driver.choose(on());
    assert!(matches!(next(&mut events), Event::Devices(list) if list.len() == 2));
    assert_eq!(next(&mut events), Event::Headset(Some(device())));
    driver.choose(Choice { device: Some("b".to_owned()), ..on() });
    machine.wait_for("b", &DARK);
    assert_eq!(machine.written("a"), Vec::<Vec<u8>>::new());
    drop(driver);
    assert!(!note.exists());
}

#[test]
fn a_headset_may_come_and_go() {
    let machine = machine();
    let (driver, mut events) = Driver::start(Arc::new(machine.clone()), None);
    driver.choose(on());
    driver.tell(state(false, Talk::Live));
    assert_eq!(next(&mut events), Event::Devices(vec![device()]));
    assert_eq!(next(&mut events), Event::Headset(Some(device())));
    machine.wait_for("a", &TALKING);
    machine.unplug("a");
    assert_eq!(next(&mut events), Event::Headset(None));
    machine.plug("b", "Another", JABRA.descriptor, None);
    let other = KnownDevice { id: "b".to_owned(), name: "Another".to_owned() };
    loop {
        match next(&mut events) {
            Event::Headset(Some(device)) => break assert_eq!(device, other),
            Event::Devices(_) => {}
            event => panic!("{event:?}"),
        }
    }
    machine.wait_for("b", &TALKING);
    driver.choose(Choice::default());
    machine.wait_for("b", &DARK);
    assert_eq!(next(&mut events), Event::Headset(None));
    assert_eq!(next(&mut events), Event::Devices(Vec::new()));
}

#[test]
fn a_headset_that_cannot_be_opened_is_told_once_and_tried_again() {
    let machine = machine();
    machine.refuse("a", Some(OpenError::Denied));
    let (driver, mut events) = Driver::start(Arc::new(machine.clone()), None);
    driver.choose(on());
    assert_eq!(next(&mut events), Event::Devices(vec![device()]));
    let reason = OpenError::Denied;
    assert_eq!(next(&mut events), Event::Unusable { device: device(), reason });
    machine.refuse("a", None);
    assert_eq!(next(&mut events), Event::Headset(Some(device())));
    drop(driver);
}

#[test]
fn a_busy_light_tells_how_things_stand_and_goes_out() {
    let machine = Machine::default();
    machine.plug_light("l", "Luxafor Flag", 0x04D8, 0xF372);
    let (driver, mut events) = Driver::start(Arc::new(machine.clone()), None);
    driver.choose(Choice { light: true, ..Choice::default() });
    assert_eq!(next(&mut events), Event::Light(Some("Luxafor Flag".to_owned())));
    driver.tell(state(false, Talk::Live));
    machine.wait_for("l", &[0, 1, 0xFF, 100, 0, 0, 0, 0, 0]);
    drop(driver);
    assert_eq!(machine.written("l").last().unwrap(), &[0, 1, 0xFF, 0, 0, 0, 0, 0, 0]);
}

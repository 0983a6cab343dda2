//! Which call a key from anywhere means.

use super::*;
use crate::view::quality::{CallDelay, CallFigures};
use crate::view::{CallDirection, Encryption, PeerView, QualityLevel};

fn call(id: u64, state: CallState, actions: &[CallAction]) -> CallView {
    CallView {
        id,
        account: "main".to_owned(),
        direction: CallDirection::In,
        state,
        peer: PeerView::default(),
        vip: false,
        via: None,
        diverted_from: None,
        started_ms: 0,
        answered_ms: None,
        since_ms: 0,
        muted: false,
        secure: false,
        encryption: Encryption::None,
        codec: None,
        quality: QualityLevel::Unknown,
        quality_cause: None,
        delay: CallDelay::default(),
        figures: CallFigures::default(),
        no_sound: false,
        reason: None,
        status: None,
        consult_of: None,
        conference: false,
        transfer: None,
        queue: None,
        recording: None,
        actions: actions.to_vec(),
    }
}

fn ringing(id: u64) -> CallView {
    call(id, CallState::Ringing, &[CallAction::Answer, CallAction::Reject])
}

fn talking(id: u64) -> CallView {
    call(id, CallState::Active, &[CallAction::Hangup, CallAction::Hold, CallAction::Mute])
}

fn held(id: u64) -> CallView {
    call(id, CallState::Held, &[CallAction::Hangup, CallAction::Resume])
}

fn words(calls: &[CallView], key: DeskKey) -> String {
    meant(calls, key).map_or_else(|| "nothing".to_owned(), |command| format!("{command:?}"))
}

#[test]
fn a_key_means_the_conversation_and_never_who_waits() {
    let calls = [ringing(1), ringing(2), talking(3), held(4)];
    assert_eq!(words(&calls, DeskKey::Answer), "Answer { call: 1 }");
    assert_eq!(words(&calls, DeskKey::Hangup), "Hangup { call: 3 }");
    assert_eq!(words(&calls, DeskKey::Hold), "Hold { call: 3 }");
    assert_eq!(words(&calls, DeskKey::Mute), "Mute { call: 3, on: true }");
}

#[test]
fn who_is_on_hold_is_not_hung_up_and_comes_back_when_alone() {
    assert_eq!(words(&[held(4)], DeskKey::Hangup), "nothing");
    assert_eq!(words(&[held(4)], DeskKey::Hold), "Resume { call: 4 }");
    assert_eq!(words(&[held(4), held(5)], DeskKey::Hold), "nothing");
    assert_eq!(words(&[ringing(1)], DeskKey::Hangup), "nothing");
    assert_eq!(words(&[], DeskKey::Answer), "nothing");
}

#[test]
fn a_muted_microphone_is_switched_on_again() {
    let muted = call(3, CallState::Active, &[CallAction::Hangup, CallAction::Unmute]);
    assert_eq!(words(&[muted], DeskKey::Mute), "Mute { call: 3, on: false }");
}

#[test]
fn a_call_on_its_way_can_be_given_up() {
    let dialling = call(7, CallState::Dialing, &[CallAction::Hangup]);
    assert_eq!(words(&[dialling, held(4)], DeskKey::Hangup), "Hangup { call: 7 }");
}

#[test]
#[expect(clippy::disallowed_methods, reason = "one base for virtual time")]
fn a_key_puts_a_conversation_on_hold_only_when_pressed_twice() {
    let start = Instant::now();
    let at = |ms: u64| start + Duration::from_millis(ms);
    let mut key = WaitingKey::default();
    assert!(!key.press(at(0), 1));
    assert!(key.press(at(1_000), 1));
    // The next call is another question, and so is the same one much later.
    assert!(!key.press(at(2_000), 2));
    assert!(!key.press(at(7_000), 2));
    assert!(!key.press(at(8_000), 3));
    assert!(!key.press(at(9_000), 2));
    assert!(key.press(at(10_000), 2));
    // A key that is held repeats itself, first after a while.
    assert!(!key.press(at(20_000), 4));
    for repeat in 0..100 {
        assert!(!key.press(at(20_660 + 33 * repeat), 4), "{repeat}");
    }
}

#[test]
fn who_is_on_hold_or_over_is_no_conversation() {
    let answered = |state| CallView { answered_ms: Some(1), ..call(1, state, &[]) };
    for (state, talks) in [
        (CallState::Active, true),
        (CallState::HeldByPeer, true),
        (CallState::Held, false),
        (CallState::Transferring, false),
        (CallState::Ended, false),
    ] {
        assert_eq!(somebody_talks(&[ringing(2), answered(state)]), talks, "{state:?}");
    }
    assert!(!somebody_talks(&[call(1, CallState::Dialing, &[])]));
}

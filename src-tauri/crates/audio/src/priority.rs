//! Asks the system to run the threads that sound passes through before others: on a busy machine a loudspeaker would run
//! dry otherwise. Refusal is common (nobody to ask, no rights) and only means that a busy machine may be heard.
//!
//! Linux lets some users do it themselves (`RLIMIT_RTPRIO`, which sound servers raise for the users of a desktop), and for
//! all others rtkit does it where it runs. Windows has its multimedia class scheduler. macOS raises the threads of devices
//! itself, and others like Windows does.

use audio_thread_priority::promote_current_thread_to_real_time;

use crate::{BLOCK, SAMPLE_RATE};

#[expect(clippy::cast_possible_truncation, reason = "480")]
const FRAMES: u32 = BLOCK as u32;

/// Raises the calling thread for the rest of its life; tells whether the system agreed. May wait for another process, so
/// never in a device callback.
pub fn raise_priority() -> bool {
    if raised_by_itself() {
        return true;
    }
    match promote_current_thread_to_real_time(FRAMES, SAMPLE_RATE) {
        Ok(_for_good) => true,
        Err(error) => {
            tracing::info!(%error, "sound runs at normal priority");
            false
        }
    }
}

/// A thread of the sound system's that wants to be raised by somebody who may wait for it.
#[cfg(target_os = "linux")]
pub(crate) use audio_thread_priority::RtPriorityThreadInfo as Waiting;
/// Nobody has to wait elsewhere.
#[cfg(not(target_os = "linux"))]
pub(crate) enum Waiting {}

/// In the first callback of a device's thread: raises it where that takes one system call. Else what [`raise_for`] needs.
pub(crate) fn raise_callback() -> Option<Waiting> {
    #[cfg(target_os = "linux")]
    if !raised_by_itself() {
        return audio_thread_priority::get_current_thread_info().ok();
    }
    #[cfg(target_os = "windows")]
    let _for_good = promote_current_thread_to_real_time(FRAMES, SAMPLE_RATE);
    None
}

/// Asks whoever may raise another thread to do it.
pub(crate) fn raise_for(thread: Waiting) {
    #[cfg(target_os = "linux")]
    if let Err(error) =
        audio_thread_priority::promote_thread_to_real_time(thread, FRAMES, SAMPLE_RATE)
    {
        tracing::info!(%error, "a device runs at normal priority");
    }
    #[cfg(not(target_os = "linux"))]
    match thread {}
}

/// Above everything that is not real time, below what the kernel does.
#[cfg(target_os = "linux")]
const PRIORITY: u8 = 10;

#[cfg(target_os = "linux")]
fn raised_by_itself() -> bool {
    use thread_priority::{
        RealtimeThreadSchedulePolicy, ThreadPriority, ThreadPriorityValue, ThreadSchedulePolicy,
        set_thread_priority_and_policy, thread_native_id,
    };
    let policy = ThreadSchedulePolicy::Realtime(RealtimeThreadSchedulePolicy::RoundRobin);
    ThreadPriorityValue::try_from(PRIORITY).is_ok_and(|value| {
        let priority = ThreadPriority::Crossplatform(value);
        set_thread_priority_and_policy(thread_native_id(), priority, policy).is_ok()
    })
}

#[cfg(not(target_os = "linux"))]
const fn raised_by_itself() -> bool {
    false
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use thread_priority::{ThreadSchedulePolicy, thread_schedule_policy};

    use super::*;

    fn runs_before_others() -> bool {
        matches!(thread_schedule_policy(), Ok(ThreadSchedulePolicy::Realtime(_)))
    }

    #[test]
    fn what_is_told_of_the_priority_is_what_the_system_did() {
        let before_and_after =
            std::thread::spawn(|| (runs_before_others(), raise_priority(), runs_before_others()));
        let (before, told, after) = before_and_after.join().unwrap();
        assert!(!before);
        assert_eq!(told, after);
    }

    #[test]
    fn a_callback_is_raised_at_once_or_left_to_somebody_who_may_wait() {
        let (waits, raised) =
            std::thread::spawn(|| (raise_callback().is_some(), runs_before_others()))
                .join()
                .unwrap();
        assert_eq!(waits, !raised);
    }
}

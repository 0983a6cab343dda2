//! Tones of our own making: call progress for the user, and ringing.

use std::path::PathBuf;

/// Call progress tones as Dutch networks play them (ITU-T E.180 list), made here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tone {
    /// Silence.
    #[default]
    None,
    /// 425 Hz, 1 s on, 4 s off: it rings there.
    Ringback,
    /// 425 Hz, 0.5 s on, 0.5 s off.
    Busy,
    /// 425 Hz, 0.25 s on, 0.25 s off: no way through.
    Congestion,
    /// 425 Hz, two short beeps every ten seconds over a running call.
    CallWaiting,
}

/// What plays on the ringer device.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum RingTone {
    /// The built-in two-tone bell.
    #[default]
    Bell,
    /// A softer built-in chime, for internal calls.
    Chime,
    /// A short built-in beep pair, for a door phone or intercom.
    Door,
    /// A WAV file, repeated.
    File(PathBuf),
}

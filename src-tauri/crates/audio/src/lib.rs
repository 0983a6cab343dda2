//! Sound devices and their stand-ins: real devices through cpal, WAV files, silence.
//!
//! One shape for all of them: [`open`] gives two ends of a sound path, [`Capture`] (what the
//! microphone heard) and [`Playback`] (what the speaker plays), both 48 kHz mono `f32` in blocks
//! of [`BLOCK`] samples (10 ms), plus a [`Playback`] for each device that rings and one for alerts, a
//! [`Control`] to change devices, and a queue of [`AudioEvent`]s. Whoever holds the two ends is the DSP thread; the
//! device callbacks on the other side of the rings never allocate, lock, log or call the system, but for the first, whose
//! thread is put before others then.
//!
//! Sample-rate conversion and clock-drift correction happen inside `Capture` and `Playback`, on
//! the DSP thread, never in a callback.

pub mod bluetooth;
mod callback;
mod defaults;
mod device;
mod error;
mod ports;
mod priority;
mod properties;
mod resample;
mod simulated;
mod spec;
mod stream;
mod system;
mod wav;

pub use device::{Device, DeviceId, DeviceKind, devices};
pub use error::AudioError;
pub use ports::{Capture, Playback, PlaybackStats};
pub use priority::raise_priority;
pub use resample::Resampler;
pub use spec::{AudioSpec, DeviceChoice};
pub use wav::{WavSource, decode_wav, encode_wav, read_wav, wav_length};

use std::sync::mpsc::Receiver;

/// Ends the test process when something allocates where nothing may. Optimised tests measure and do not ask.
#[cfg(all(test, debug_assertions))]
#[global_allocator]
static ALLOCATOR: assert_no_alloc::AllocDisabler = assert_no_alloc::AllocDisabler;

/// The one sample rate inside Balie, in samples per second.
pub const SAMPLE_RATE: u32 = 48_000;

/// Samples in one block: 10 ms at [`SAMPLE_RATE`].
pub const BLOCK: usize = 480;

/// So many devices can ring at once.
pub const RINGERS: usize = 4;

/// An open sound path. Dropping it stops the devices, ends its threads and completes any WAV
/// file being written.
pub struct Audio {
    /// What the microphone hears.
    pub capture: Capture,
    /// What the speaker or headset plays.
    pub playback: Playback,
    /// What the devices that ring play, each the same; silent back ends throw it away.
    pub ringers: [Playback; RINGERS],
    /// What the device for alerts plays; silent back ends throw it away.
    pub alerts: Playback,
    /// Changes devices while open.
    pub control: Control,
    /// Losses, returns and changes of devices, in the order they happened.
    pub events: Receiver<AudioEvent>,
}

/// Opens the sound path that `spec` describes and starts it.
///
/// [`AudioSpec::System`] opens even when no device is there: the path then runs on a timer with
/// silence, and [`AudioEvent::NoDevice`] says so; a device plugged in later is taken into use.
///
/// # Errors
/// [`AudioError::ControlOnly`] for [`AudioSpec::None`]; [`AudioError::Wav`] when a file cannot be
/// read or made; [`AudioError::Thread`] when the system refuses a thread.
pub fn open(spec: &AudioSpec) -> Result<Audio, AudioError> {
    match spec {
        AudioSpec::System(choice) => system::open(choice.clone()),
        AudioSpec::Null => simulated::open_null(),
        AudioSpec::Wav { input, output, looped } => simulated::open_wav(input, output, *looped),
        AudioSpec::None => Err(AudioError::ControlOnly),
    }
}

/// Handle to an open sound path's supervisor. Cheap to use from any thread.
pub struct Control {
    inner: ControlInner,
}

enum ControlInner {
    System(system::Supervisor),
    Simulated(simulated::Pacer),
}

impl Control {
    /// Changes to other devices while running; the sound is interrupted for one device start.
    /// Back ends without devices ignore it.
    pub fn set_devices(&self, choice: DeviceChoice) {
        if let ControlInner::System(supervisor) = &self.inner {
            supervisor.set_devices(choice);
        }
    }

    /// Starts the sound path (a call, a tone or a level display wants it) or lets it rest: devices
    /// are closed then, so that nothing listens and nothing is computed while the desk is idle.
    /// A path is opened resting. The WAV file for the speaker begins at the first start and then
    /// runs on.
    pub fn set_active(&self, on: bool) {
        match &self.inner {
            ControlInner::System(supervisor) => supervisor.set_active(on),
            ControlInner::Simulated(pacer) => pacer.set_active(on),
        }
    }

    /// Lets a WAV file that stands in for the microphone begin (silence came from it until now), so
    /// that nothing of it is lost while the call is being set up. Later calls change nothing.
    pub fn start_microphone(&self) {
        if let ControlInner::Simulated(pacer) = &self.inner {
            pacer.start_microphone();
        }
    }

    /// Starts or stops the output streams of what rings, which are opened only while something rings.
    pub fn set_ringing(&self, on: bool) {
        if let ControlInner::System(supervisor) = &self.inner {
            supervisor.set_ringing(on);
        }
    }

    /// Starts or stops the output stream for alerts, which is opened only while there is one.
    pub fn set_alerting(&self, on: bool) {
        if let ControlInner::System(supervisor) = &self.inner {
            supervisor.set_alerting(on);
        }
    }

    /// Whether a real device, its stand-in or a timer moves the capture side.
    #[must_use]
    pub fn is_simulated(&self) -> bool {
        matches!(self.inner, ControlInner::Simulated(_))
    }
}

/// What happened to the devices of an open sound path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AudioEvent {
    /// A device in use went away or stopped; its side is silent until [`AudioEvent::Started`].
    Lost {
        /// Which side.
        kind: DeviceKind,
        /// Its name as shown to people.
        name: String,
        /// Why, in words.
        reason: String,
    },
    /// A device is in use, for the first time or again.
    Started {
        /// Which side.
        kind: DeviceKind,
        /// Its name as shown to people.
        name: String,
    },
    /// No device for this side: it runs on silence.
    NoDevice {
        /// Which side.
        kind: DeviceKind,
        /// Why.
        error: AudioError,
    },
    /// The list that [`devices`] gives, or the system's default, is not what it was.
    DevicesChanged,
}

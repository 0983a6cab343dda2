//! The computer's devices: one supervisor thread owns every stream, follows defaults and
//! replaces what stops.
//!
//! Inputs of a side (microphone, speaker, ringer):
//! - from the program: wanted or not, which device
//! - from the device: an error flag, callbacks (counted; none for 250 ms is a loss)
//! - from the system, polled every 1.5 s, and several times a second while a side is used where that costs little: the
//!   list of devices and which is the default
//!
//! States: Off, Running, Waiting (nothing to open; tried again at the next poll or after a pause).

use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use cpal::traits::{DeviceTrait as _, HostTrait as _};

use crate::ports::{CaptureLine, PlaybackLine};
use crate::stream::{DeviceStream, find, id_of, in_words, name_of, open_input, open_output};
use crate::{
    Audio, AudioError, AudioEvent, Capture, Control, ControlInner, Device, DeviceChoice, DeviceId,
    DeviceKind, Playback,
};

/// How often the list of devices is looked at.
const POLL: Duration = Duration::from_millis(1_500);
/// How often it is while somebody talks, so that sound is back within half a second after another device became the
/// default. A look may take a twentieth of the time between two at most: some systems open every device for it. Most of it is
/// waiting for the sound server, so that a busy machine, where it takes longer, must not make looks rare.
const QUICK_POLL: Duration = Duration::from_millis(120);
const POLL_SHARE: u32 = 20;
/// How often running streams are looked at.
const WATCH: Duration = Duration::from_millis(50);
/// A running stream without a callback for this long is lost.
const SILENT: Duration = Duration::from_millis(250);
/// A new stream may take this long to its first callback.
const START: Duration = Duration::from_secs(2);
/// Pause before a failed device is tried again; doubles up to the longest.
const RETRY: Duration = Duration::from_millis(250);
const LONGEST_RETRY: Duration = Duration::from_secs(4);
/// How long closing may hang in the sound system before it is left behind.
const CLOSE: Duration = Duration::from_secs(1);

enum Command {
    Devices(DeviceChoice),
    Active(bool),
    Ringing(bool),
}

/// Handle to the supervisor thread; dropping it closes all streams.
pub(crate) struct Supervisor {
    commands: Option<Sender<Command>>,
    ended: Receiver<()>,
}

impl Supervisor {
    pub(crate) fn set_devices(&self, choice: DeviceChoice) {
        self.send(Command::Devices(choice));
    }

    pub(crate) fn set_active(&self, on: bool) {
        self.send(Command::Active(on));
    }

    pub(crate) fn set_ringing(&self, on: bool) {
        self.send(Command::Ringing(on));
    }

    fn send(&self, command: Command) {
        if self.commands.as_ref().is_none_or(|c| c.send(command).is_err()) {
            tracing::warn!("sound supervisor has ended");
        }
    }
}

impl Drop for Supervisor {
    fn drop(&mut self) {
        self.commands = None;
        if self.ended.recv_timeout(CLOSE) == Err(RecvTimeoutError::Timeout) {
            tracing::warn!("the sound system does not answer; leaving its thread behind");
        }
    }
}

pub(crate) fn open(choice: DeviceChoice) -> Result<Audio, AudioError> {
    let (capture_lines, capture) = Capture::new();
    let (playback_lines, playback) = Playback::new();
    let (ringer_lines, ringer) = Playback::new();
    let (event_sender, events) = channel();
    let (commands, inbox) = channel();
    let (end, ended) = channel();
    let spawned = std::thread::Builder::new().name("balie-devices".to_owned()).spawn(move || {
        let mut watch = Watch {
            host: None,
            choice,
            input: Side::new(DeviceKind::Input, Lines::Capture(capture_lines)),
            output: Side::new(DeviceKind::Output, Lines::Playback(playback_lines)),
            ringer: Side::new(DeviceKind::Ringer, Lines::Playback(ringer_lines)),
            known: None,
            events: event_sender,
        };
        watch.run(&inbox);
        drop(watch);
        let _ = end.send(());
    });
    spawned.map_err(|e| AudioError::Thread(e.to_string()))?;
    let control =
        Control { inner: ControlInner::System(Supervisor { commands: Some(commands), ended }) };
    Ok(Audio { capture, playback, ringer, control, events })
}

/// The devices there are now.
pub(crate) fn list() -> Result<Vec<Device>, AudioError> {
    let host = cpal::default_host();
    let default_input = host.default_input_device().as_ref().and_then(id_of);
    let default_output = host.default_output_device().as_ref().and_then(id_of);
    let found = host.devices().map_err(|e| in_words("the sound system", &e))?;
    let mut devices = Vec::new();
    for device in found {
        let Some(id) = id_of(&device) else { continue };
        let name = name_of(&device);
        if device.supports_input() && !is_monitor(&id) {
            let is_default = default_input.as_ref() == Some(&id);
            let (id, name) = (id.clone(), name.clone());
            devices.push(Device { id, name, kind: DeviceKind::Input, is_default });
        }
        if device.supports_output() {
            let is_default = default_output.as_ref() == Some(&id);
            devices.push(Device { id, name, kind: DeviceKind::Output, is_default });
        }
    }
    leave_out_plugins(&mut devices);
    devices.sort_by_key(|d| d.kind == DeviceKind::Output);
    Ok(devices)
}

/// ALSA alone lists its plugins too (`null`, `jack`, rate converters), on a machine without sound nothing
/// else. Nobody talks into those: what stands on a card stays, and the default one where there is a card.
fn leave_out_plugins(devices: &mut Vec<Device>) {
    let on_card = |device: &Device| device.id.0.contains("CARD=");
    let any_card = devices.iter().any(on_card);
    devices.retain(|device| match device.id.0.strip_prefix("alsa:") {
        Some(name) => on_card(device) || (any_card && name == "default"),
        None => true,
    });
}

/// PulseAudio and PipeWire list what each speaker plays as a microphone; nobody talks into that.
fn is_monitor(id: &DeviceId) -> bool {
    id.0.ends_with(".monitor")
}

/// Which devices there were at the last poll, to see changes.
#[derive(Debug, PartialEq)]
struct Known {
    ids: Vec<DeviceId>,
    input: Option<DeviceId>,
    output: Option<DeviceId>,
}

struct Watch {
    host: Option<cpal::Host>,
    choice: DeviceChoice,
    input: Side,
    output: Side,
    ringer: Side,
    known: Option<Known>,
    events: Sender<AudioEvent>,
}

#[expect(clippy::disallowed_methods, reason = "the device watchdog asks the time")]
fn clock() -> Instant {
    Instant::now()
}

impl Watch {
    fn run(&mut self, inbox: &Receiver<Command>) {
        let mut poll_at = self.poll(clock());
        loop {
            let wait = if self.sides().iter().any(|s| s.wanted) { WATCH } else { POLL };
            match inbox.recv_timeout(wait) {
                Ok(command) => {
                    self.obey(command);
                    poll_at = poll_at.min(clock() + QUICK_POLL);
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            let now = clock();
            if now >= poll_at {
                poll_at = self.poll(now);
            }
            self.tend(clock());
        }
    }

    fn sides(&mut self) -> [&mut Side; 3] {
        [&mut self.input, &mut self.output, &mut self.ringer]
    }

    fn obey(&mut self, command: Command) {
        match command {
            Command::Devices(choice) => {
                self.choice = choice;
                // The next look finds which sides run on another device than is wanted now.
                self.follow();
            }
            Command::Active(on) => {
                self.input.wanted = on;
                self.output.wanted = on;
            }
            Command::Ringing(on) => self.ringer.wanted = on,
        }
        for side in self.sides() {
            side.retry_at = None;
        }
    }

    /// Looks at the list of devices; when to look again.
    fn poll(&mut self, now: Instant) -> Instant {
        self.look(now);
        let end = clock();
        let cost = end.saturating_duration_since(now) * POLL_SHARE;
        let used = self.sides().iter().any(|side| side.wanted);
        end + if used { cost.clamp(QUICK_POLL, POLL) } else { POLL }
    }

    fn look(&mut self, now: Instant) {
        let host = self.host.get_or_insert_with(cpal::default_host);
        let Ok(devices) = host.devices() else {
            self.host = None;
            return;
        };
        let mut ids: Vec<DeviceId> = devices.filter_map(|d| id_of(&d)).collect();
        ids.sort();
        let input = host.default_input_device().as_ref().and_then(id_of);
        let output = host.default_output_device().as_ref().and_then(id_of);
        let known = Known { ids, input, output };
        if self.known.as_ref().is_some_and(|k| *k != known) {
            tracing::debug!(?known, "sound devices changed");
            let _ = self.events.send(AudioEvent::DevicesChanged);
            for side in self.sides() {
                side.retry_at = Some(now);
                side.retry = RETRY;
            }
        }
        self.known = Some(known);
        self.follow();
    }

    /// Stops a stream whose device is no longer the one to use.
    fn follow(&mut self) {
        let Some(known) = &self.known else { return };
        let pick = |wanted: &Option<DeviceId>, default: &Option<DeviceId>| {
            wanted.clone().filter(|id| known.ids.contains(id)).or_else(|| default.clone())
        };
        let input = pick(&self.choice.input, &known.input);
        let output = pick(&self.choice.output, &known.output);
        let ringer = pick(&self.choice.ringer, &known.output);
        let targets = [input, output, ringer];
        for (side, target) in self.sides().into_iter().zip(targets) {
            let current = side.stream.as_ref().and_then(|s| s.id.clone());
            if target.is_some() && current.is_some() && current != target {
                side.stop("another device is to be used");
            }
        }
    }

    /// Opens what is wanted, closes what is not, replaces what stopped.
    fn tend(&mut self, now: Instant) {
        let choice = self.choice.clone();
        let wanted = [&choice.input, &choice.output, &choice.ringer];
        let Self { host, input, output, ringer, events, .. } = self;
        for (side, wanted) in [input, output, ringer].into_iter().zip(wanted) {
            side.check(now, events);
            if side.wanted && side.stream.is_none() && side.retry_at.is_none_or(|at| now >= at) {
                if side.reported.is_some() || side.lost {
                    // A sound server that was restarted needs a new connection.
                    *host = None;
                }
                let host = host.get_or_insert_with(cpal::default_host);
                side.start(host, wanted.as_ref(), now, events);
            }
        }
    }
}

enum Lines {
    Capture(Sender<Option<CaptureLine>>),
    Playback(Sender<Option<PlaybackLine>>),
}

/// One side and its stream.
struct Side {
    kind: DeviceKind,
    lines: Lines,
    wanted: bool,
    stream: Option<DeviceStream>,
    beats: u64,
    deadline: Option<Instant>,
    retry_at: Option<Instant>,
    retry: Duration,
    reported: Option<String>,
    /// The last stream ended by itself.
    lost: bool,
}

impl Side {
    fn new(kind: DeviceKind, lines: Lines) -> Self {
        Self {
            kind,
            lines,
            wanted: false,
            stream: None,
            beats: 0,
            deadline: None,
            retry_at: None,
            retry: RETRY,
            reported: None,
            lost: false,
        }
    }

    fn start(
        &mut self,
        host: &cpal::Host,
        wanted: Option<&DeviceId>,
        now: Instant,
        events: &Sender<AudioEvent>,
    ) {
        let kind = self.kind;
        let opened = find(host, kind, wanted).and_then(|device| match &self.lines {
            Lines::Capture(lines) => open_input(&device).map(|(stream, line)| {
                let _ = lines.send(Some(line));
                stream
            }),
            Lines::Playback(lines) => open_output(&device).map(|(stream, line)| {
                let _ = lines.send(Some(line));
                stream
            }),
        });
        match opened {
            Ok(stream) => {
                tracing::debug!(%kind, device = stream.name, "Waiting, opened -> Running");
                let name = stream.name.clone();
                let _ = events.send(AudioEvent::Started { kind, name });
                self.stream = Some(stream);
                self.beats = 0;
                self.deadline = Some(now + START);
                self.reported = None;
                self.retry = RETRY;
                self.lost = false;
            }
            Err(error) => {
                self.retry_at = Some(now + self.retry);
                self.retry = (self.retry * 2).min(LONGEST_RETRY);
                let reason = error.to_string();
                if self.reported.as_ref() != Some(&reason) {
                    tracing::debug!(%kind, reason, "Off, cannot open -> Waiting");
                    self.reported = Some(reason.clone());
                    let _ = events.send(AudioEvent::NoDevice { kind, reason });
                }
            }
        }
    }

    /// The watchdog.
    fn check(&mut self, now: Instant, events: &Sender<AudioEvent>) {
        if !self.wanted {
            self.stop("not wanted");
            return;
        }
        let Some(stream) = &self.stream else { return };
        let beats = stream.pulse.beats.load(Ordering::Relaxed);
        if beats != self.beats {
            self.beats = beats;
            self.deadline = Some(now + SILENT);
        }
        let failed = stream.pulse.failed.load(Ordering::Relaxed);
        let silent = self.deadline.is_some_and(|at| now >= at);
        if !failed && !silent {
            return;
        }
        let reason = if failed { "the device reported an error" } else { "the device stopped" };
        let (kind, name, reason) = (self.kind, stream.name.clone(), reason.to_owned());
        self.stop(&reason);
        self.lost = true;
        let _ = events.send(AudioEvent::Lost { kind, name, reason });
    }

    fn stop(&mut self, why: &str) {
        let Some(stream) = self.stream.take() else { return };
        tracing::debug!(kind = %self.kind, device = stream.name, why, "Running -> Off");
        match &self.lines {
            Lines::Capture(lines) => drop(lines.send(None)),
            Lines::Playback(lines) => drop(lines.send(None)),
        }
        self.deadline = None;
        self.retry_at = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plugins_are_no_devices() {
        let left = |ids: &[&str]| {
            let device = |id: &&str| Device {
                id: DeviceId((*id).to_owned()),
                name: (*id).to_owned(),
                kind: DeviceKind::Output,
                is_default: false,
            };
            let mut devices: Vec<Device> = ids.iter().map(device).collect();
            leave_out_plugins(&mut devices);
            devices.into_iter().map(|device| device.id.0).collect::<Vec<_>>()
        };
        assert!(left(&["alsa:null", "alsa:default", "alsa:jack"]).is_empty());
        let card = ["alsa:null", "alsa:default", "alsa:plughw:CARD=PCH,DEV=0"];
        assert_eq!(left(&card), card[1..]);
        assert_eq!(left(&["pulseaudio:headset", "wasapi:x"]).len(), 2);
    }
}

//! The computer's devices: one supervisor thread owns every stream, follows defaults and
//! replaces what stops.
//!
//! Inputs of a side (microphone, speaker, each device that rings, alerts):
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

use crate::bluetooth::{Facts, Wireless};
use crate::defaults;
use crate::ports::{CaptureLine, PlaybackLine};
use crate::priority::raise_for;
use crate::stream::{
    DeviceStream, Period, find, id_of, in_words, name_of, open_input, open_output,
};
use crate::{
    Audio, AudioError, AudioEvent, Capture, Control, ControlInner, Device, DeviceChoice, DeviceId,
    DeviceKind, Playback, RINGERS,
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
/// A new stream may take this long until it runs: sound servers prepare up to two seconds of silence for a speaker at rest.
const START: Duration = Duration::from_secs(3);
/// Pause before a failed device is tried again; doubles up to the longest.
const RETRY: Duration = Duration::from_millis(250);
const LONGEST_RETRY: Duration = Duration::from_secs(4);
/// How long closing may hang in the sound system before it is left behind.
const CLOSE: Duration = Duration::from_secs(1);

/// In so many seconds of the last minute the speaker ran dry because it was asked late: it gets longer buffers. A machine that
/// stands still once does not do that again soon.
const DRY_SECONDS: usize = 4;
const DRY_MEMORY: Duration = Duration::from_secs(60);

enum Command {
    Devices(DeviceChoice),
    Active(bool),
    Ringing(bool),
    Alerting(bool),
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

    pub(crate) fn set_alerting(&self, on: bool) {
        self.send(Command::Alerting(on));
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
    let (alert_lines, alerts) = Playback::new();
    let mut ringer_lines = Vec::with_capacity(RINGERS);
    let ringers = std::array::from_fn(|_| {
        let (lines, ringer) = Playback::new();
        ringer_lines.push(lines);
        ringer
    });
    let (event_sender, events) = channel();
    let (commands, inbox) = channel();
    let (end, ended) = channel();
    let spawned = std::thread::Builder::new().name("balie-devices".to_owned()).spawn(move || {
        // One is opened after the other: the loudspeaker first, since what comes meanwhile waits for it.
        let mut sides = vec![
            Side::new(Role::Output, Lines::Playback(playback_lines)),
            Side::new(Role::Input, Lines::Capture(capture_lines)),
            Side::new(Role::Alerts, Lines::Playback(alert_lines)),
        ];
        let ringers = ringer_lines.into_iter().enumerate();
        sides.extend(ringers.map(|(n, lines)| Side::new(Role::Ringer(n), Lines::Playback(lines))));
        let mut watch = Watch { host: None, choice, sides, known: None, events: event_sender };
        watch.run(&inbox);
        drop(watch);
        let _ = end.send(());
    });
    spawned.map_err(|e| AudioError::Thread(e.to_string()))?;
    let control =
        Control { inner: ControlInner::System(Supervisor { commands: Some(commands), ended }) };
    Ok(Audio { capture, playback, ringers, alerts, control, events })
}

/// The devices there are now.
pub(crate) fn list() -> Result<Vec<Device>, AudioError> {
    let host = cpal::default_host();
    let default_input = defaults::microphone(&host).as_ref().and_then(id_of);
    let default_output = defaults::speaker(&host).as_ref().and_then(id_of);
    let found = host.devices().map_err(|e| in_words("the sound system", &e))?;
    let facts = crate::properties::facts();
    let mut devices = Vec::new();
    for device in found {
        let Some(id) = id_of(&device) else { continue };
        let name = name_of(&device);
        let wireless = wireless(&facts, &id, &name);
        if device.supports_input() && !is_monitor(&id) {
            let is_default = default_input.as_ref() == Some(&id);
            let (id, name, wireless) = (id.clone(), name.clone(), wireless.clone());
            devices.push(Device { id, name, kind: DeviceKind::Input, is_default, wireless });
        }
        if device.supports_output() {
            let is_default = default_output.as_ref() == Some(&id);
            devices.push(Device { id, name, kind: DeviceKind::Output, is_default, wireless });
        }
    }
    leave_out_plugins(&mut devices);
    devices.sort_by_key(|d| d.kind == DeviceKind::Output);
    Ok(devices)
}

/// How a device is connected, if by Bluetooth: by what the server says of it, else by its names.
fn wireless(facts: &[Facts], id: &DeviceId, name: &str) -> Option<Wireless> {
    let own = id.0.split_once(':').map_or(id.0.as_str(), |(_, own)| own);
    let known = facts.iter().find(|facts| facts.name == own);
    let named = || Facts { name: own.to_owned(), shown: name.to_owned(), ..Facts::default() };
    known.cloned().unwrap_or_else(named).wireless()
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
    /// What rings where nothing is chosen for it.
    ringer: Option<DeviceId>,
}

/// What a side is for; of those that ring, which of the devices chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    Input,
    Output,
    Alerts,
    Ringer(usize),
}

impl Role {
    const fn kind(self) -> DeviceKind {
        match self {
            Self::Input => DeviceKind::Input,
            Self::Output => DeviceKind::Output,
            Self::Alerts => DeviceKind::Alerts,
            Self::Ringer(_) => DeviceKind::Ringer,
        }
    }
}

/// What a side is to use.
#[derive(Debug, PartialEq, Eq)]
enum Target {
    /// Nothing: another device rings already.
    Nothing,
    /// The system's default, or, where that is unknown, whatever the system gives.
    Default(Option<DeviceId>),
    /// What was chosen, and is there.
    Chosen(DeviceId),
}

impl Target {
    const fn device(&self) -> Option<&DeviceId> {
        match self {
            Self::Nothing => None,
            Self::Default(id) => id.as_ref(),
            Self::Chosen(id) => Some(id),
        }
    }
}

/// The device of a side: the one chosen, or the default one where that is not there. What rings keeps to the devices
/// chosen as long as one of them is there, each once.
fn target(role: Role, choice: &DeviceChoice, known: &Known) -> Target {
    let there = |id: &&DeviceId| known.ids.contains(id);
    let pick = |wanted: &Option<DeviceId>, default: &Option<DeviceId>| {
        let chosen = wanted.as_ref().filter(there).cloned();
        chosen.map_or_else(|| Target::Default(default.clone()), Target::Chosen)
    };
    match role {
        Role::Input => pick(&choice.input, &known.input),
        Role::Output => pick(&choice.output, &known.output),
        Role::Alerts => pick(&choice.alerts, &known.output),
        Role::Ringer(n) => {
            let before = choice.ringers.get(..n).unwrap_or(&choice.ringers);
            let own = choice.ringers.get(n).filter(|id| !before.contains(id)).filter(there);
            match own {
                Some(id) => Target::Chosen(id.clone()),
                None if n == 0 && !choice.ringers.iter().any(|id| there(&id)) => {
                    Target::Default(known.ringer.clone())
                }
                None => Target::Nothing,
            }
        }
    }
}

struct Watch {
    host: Option<cpal::Host>,
    choice: DeviceChoice,
    sides: Vec<Side>,
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
            let wait = if self.sides.iter().any(|s| s.wanted) { WATCH } else { POLL };
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

    fn obey(&mut self, command: Command) {
        match command {
            Command::Devices(choice) => {
                self.choice = choice;
                // The next look finds which sides run on another device than is wanted now.
                self.follow();
            }
            Command::Active(on) => {
                self.want(on, |role| matches!(role, Role::Input | Role::Output));
            }
            Command::Ringing(on) => self.want(on, |role| matches!(role, Role::Ringer(_))),
            Command::Alerting(on) => self.want(on, |role| role == Role::Alerts),
        }
        for side in &mut self.sides {
            side.retry_at = None;
        }
    }

    fn want(&mut self, on: bool, which: impl Fn(Role) -> bool) {
        for side in self.sides.iter_mut().filter(|side| which(side.role)) {
            side.wanted = on;
        }
    }

    /// Looks at the list of devices; when to look again.
    fn poll(&mut self, now: Instant) -> Instant {
        self.look(now);
        let end = clock();
        let cost = end.saturating_duration_since(now) * POLL_SHARE;
        let used = self.sides.iter().any(|side| side.wanted);
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
        let input = defaults::microphone(host).as_ref().and_then(id_of);
        let output = defaults::speaker(host).as_ref().and_then(id_of);
        let ringer = defaults::ringer(host).as_ref().and_then(id_of);
        let known = Known { ids, input, output, ringer };
        if self.known.as_ref().is_some_and(|k| *k != known) {
            tracing::debug!(?known, "sound devices changed");
            let _ = self.events.send(AudioEvent::DevicesChanged);
            for side in &mut self.sides {
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
        for side in &mut self.sides {
            let target = target(side.role, &self.choice, known);
            let current = side.stream.as_ref().and_then(|s| s.id.clone());
            if target == Target::Nothing {
                side.stop("another device rings");
            } else if target.device().is_some()
                && current.is_some()
                && current.as_ref() != target.device()
            {
                side.stop("another device is to be used");
            }
        }
    }

    /// Opens what is wanted, closes what is not, replaces what stopped.
    fn tend(&mut self, now: Instant) {
        let Self { host, choice, sides, known, events } = self;
        for side in sides {
            side.check(now, events);
            if !side.wanted || side.stream.is_some() || side.retry_at.is_some_and(|at| now < at) {
                continue;
            }
            let wanted = match (side.role, known.as_ref()) {
                (Role::Input, _) => choice.input.as_ref(),
                (Role::Output, _) => choice.output.as_ref(),
                (Role::Alerts, _) => choice.alerts.as_ref(),
                (Role::Ringer(0), None) => choice.ringers.first(),
                (Role::Ringer(_), None) => continue,
                (Role::Ringer(n), Some(known)) => match target(side.role, choice, known) {
                    Target::Nothing => continue,
                    Target::Default(_) => None,
                    Target::Chosen(_) => choice.ringers.get(n),
                },
            };
            if side.reported.is_some() || side.lost {
                // A sound server that was restarted needs a new connection.
                *host = None;
            }
            let host = host.get_or_insert_with(cpal::default_host);
            side.start(host, wanted, now, events);
        }
    }
}

enum Lines {
    Capture(Sender<Option<CaptureLine>>),
    Playback(Sender<Option<PlaybackLine>>),
}

/// One side and its stream.
struct Side {
    role: Role,
    lines: Lines,
    wanted: bool,
    stream: Option<DeviceStream>,
    beats: u64,
    deadline: Option<Instant>,
    retry_at: Option<Instant>,
    retry: Duration,
    reported: Option<AudioError>,
    /// The last stream ended by itself.
    lost: bool,
    dryness: Dryness,
    /// Speakers that need longer buffers.
    slow: Vec<Option<DeviceId>>,
}

/// When a speaker ran dry lately.
#[derive(Debug, Default)]
struct Dryness {
    stalls: u32,
    /// Moments, at least a second apart, oldest first.
    times: Vec<Instant>,
}

impl Dryness {
    /// Takes how often it ran dry in all. Whether that is too often.
    fn note(&mut self, now: Instant, stalls: u32) -> bool {
        let news = stalls != std::mem::replace(&mut self.stalls, stalls);
        let since = |at: &Instant| now.saturating_duration_since(*at);
        if news && self.times.last().is_none_or(|at| since(at) >= Duration::from_secs(1)) {
            self.times.retain(|at| since(at) < DRY_MEMORY);
            self.times.push(now);
        }
        self.times.len() >= DRY_SECONDS
    }
}

impl Side {
    fn new(role: Role, lines: Lines) -> Self {
        Self {
            role,
            lines,
            wanted: false,
            stream: None,
            beats: 0,
            deadline: None,
            retry_at: None,
            retry: RETRY,
            reported: None,
            lost: false,
            dryness: Dryness::default(),
            slow: Vec::new(),
        }
    }

    fn start(
        &mut self,
        host: &cpal::Host,
        wanted: Option<&DeviceId>,
        now: Instant,
        events: &Sender<AudioEvent>,
    ) {
        let kind = self.role.kind();
        let opened = find(host, kind, wanted).and_then(|device| match &self.lines {
            Lines::Capture(lines) => open_input(&device).map(|(stream, line)| {
                let _ = lines.send(Some(line));
                stream
            }),
            Lines::Playback(lines) => {
                open_output(&device, self.period(&device)).map(|(stream, line)| {
                    let _ = lines.send(Some(line));
                    stream
                })
            }
        });
        match opened {
            Ok(stream) => {
                tracing::debug!(%kind, device = stream.name, "Waiting, opened -> Running");
                let name = stream.name.clone();
                let _ = events.send(AudioEvent::Started { kind, name });
                self.stream = Some(stream);
                self.beats = 0;
                self.dryness = Dryness::default();
                self.deadline = Some(now + START);
                self.reported = None;
                self.retry = RETRY;
                self.lost = false;
            }
            Err(error) => {
                self.retry_at = Some(now + self.retry);
                self.retry = (self.retry * 2).min(LONGEST_RETRY);
                if self.reported.as_ref() != Some(&error) {
                    tracing::debug!(%kind, %error, "Off, cannot open -> Waiting");
                    self.reported = Some(error.clone());
                    let _ = events.send(AudioEvent::NoDevice { kind, error });
                }
            }
        }
    }

    /// The speaker for talking has short buffers, unless it ran dry with them.
    fn period(&self, device: &cpal::Device) -> Period {
        match self.role == Role::Output && !self.slow.contains(&id_of(device)) {
            true => Period::Short,
            false => Period::Usual,
        }
    }

    /// Opens a speaker that runs dry again and again anew, with longer buffers, as long as the program runs.
    fn lengthen(&mut self, now: Instant) {
        let Some(stream) = &self.stream else { return };
        let stalls = stream.pulse.stalls.load(Ordering::Relaxed);
        let runs_dry = self.dryness.note(now, stalls);
        if self.role != Role::Output || !runs_dry || self.slow.contains(&stream.id) {
            return;
        }
        tracing::info!(device = stream.name, stalls, "the speaker runs dry: longer buffers");
        self.slow.push(stream.id.clone());
        self.stop("longer buffers are needed");
    }

    /// The watchdog.
    fn check(&mut self, now: Instant, events: &Sender<AudioEvent>) {
        if !self.wanted {
            self.stop("not wanted");
            return;
        }
        let Some(stream) = &self.stream else { return };
        if let Ok(mut raise) = stream.pulse.raise.try_lock()
            && let Some(thread) = raise.take()
        {
            raise_for(thread);
        }
        let beats = stream.pulse.beats.load(Ordering::Relaxed);
        if beats != self.beats {
            self.beats = beats;
            // What it fills its buffer with at the start says nothing yet: a sound server may take that and then
            // nothing for longer than a stopped device is waited for. Opened anew it would do the same again.
            if stream.pulse.has_begun() {
                self.deadline = Some(now + SILENT);
            }
        }
        let failed = stream.pulse.failed.load(Ordering::Relaxed);
        let silent = self.deadline.is_some_and(|at| now >= at);
        if !failed && !silent {
            self.lengthen(now);
            return;
        }
        let reason = if failed { "the device reported an error" } else { "the device stopped" };
        let (kind, name, reason) = (self.role.kind(), stream.name.clone(), reason.to_owned());
        self.stop(&reason);
        self.lost = true;
        let _ = events.send(AudioEvent::Lost { kind, name, reason });
    }

    fn stop(&mut self, why: &str) {
        let Some(stream) = self.stream.take() else { return };
        tracing::debug!(role = ?self.role, device = stream.name, why, "Running -> Off");
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
    fn a_speaker_that_runs_dry_in_several_seconds_of_a_minute_is_told_from_one_bad_second() {
        let start = clock();
        let mut stalls = 0;
        let mut dry_at = |dryness: &mut Dryness, ms: u64| {
            stalls += 1;
            dryness.note(start + Duration::from_millis(ms), stalls)
        };
        let mut once = Dryness::default();
        assert!(!(0..50).any(|n| dry_at(&mut once, n * 15)));
        assert!(!once.note(start + Duration::from_secs(30), 50), "nothing new");
        let mut seldom = Dryness::default();
        assert!(!(0..20).any(|n| dry_at(&mut seldom, n * 21_000)));
        let mut often = Dryness::default();
        let verdicts: Vec<bool> = (0..4).map(|n| dry_at(&mut often, n * 5_000)).collect();
        assert_eq!(verdicts, [false, false, false, true]);
    }

    #[test]
    fn plugins_are_no_devices() {
        let left = |ids: &[&str]| {
            let device = |id: &&str| Device {
                id: DeviceId((*id).to_owned()),
                name: (*id).to_owned(),
                kind: DeviceKind::Output,
                is_default: false,
                wireless: None,
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

    fn known(ids: &[&str]) -> Known {
        let ids = ids.iter().map(|id| DeviceId((*id).to_owned())).collect();
        let output = Some(DeviceId("headset".to_owned()));
        let ringer = Some(DeviceId("default".to_owned()));
        Known { ids, input: None, output, ringer }
    }

    #[test]
    fn what_was_chosen_rings_as_far_as_it_is_there_and_each_once() {
        let id = |name: &str| DeviceId(name.to_owned());
        let targets = |chosen: &[&str], there: &[&str]| {
            let ringers = chosen.iter().map(|name| id(name)).collect();
            let choice = DeviceChoice { ringers, ..DeviceChoice::default() };
            let role = |n| target(Role::Ringer(n), &choice, &known(there));
            [role(0), role(1), role(2)]
        };
        let usual = || Target::Default(Some(id("default")));
        let chosen = |name: &str| Target::Chosen(id(name));
        assert_eq!(targets(&[], &["a"]), [usual(), Target::Nothing, Target::Nothing]);
        assert_eq!(targets(&["a", "b"], &["a", "b"]), [chosen("a"), chosen("b"), Target::Nothing]);
        // One is unplugged: the other rings alone, and nothing else begins to.
        assert_eq!(targets(&["a", "b"], &["b"]), [Target::Nothing, chosen("b"), Target::Nothing]);
        assert_eq!(targets(&["a", "b"], &["c"]), [usual(), Target::Nothing, Target::Nothing]);
        assert_eq!(
            targets(&["a", "a", "b"], &["a", "b"]),
            [chosen("a"), Target::Nothing, chosen("b")]
        );
    }

    #[test]
    fn alerts_have_their_own_device_and_the_default_one_without_it() {
        let id = |name: &str| DeviceId(name.to_owned());
        let choice = DeviceChoice { alerts: Some(id("a")), ..DeviceChoice::default() };
        assert_eq!(target(Role::Alerts, &choice, &known(&["a"])), Target::Chosen(id("a")));
        assert_eq!(
            target(Role::Alerts, &choice, &known(&[])),
            Target::Default(Some(id("headset")))
        );
    }
}

//! The DSP thread: every 10 ms, from the microphone to the network and from the network to the
//! speaker.
//!
//! Inputs: commands of the [`Engine`](crate::Engine) (between ticks), microphone blocks, datagrams,
//! device events, the clock. While nothing is open, rings or is watched, the sound path rests and
//! the thread sleeps.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, TryRecvError};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use audio::{Audio, AudioEvent, AudioSpec, BLOCK, DeviceChoice, DeviceId, DeviceKind, Playback};
use tokio::sync::mpsc::Sender;

use crate::attention::{Alert, Attention};
use crate::diagnosis::{MachineWatch, Surroundings};
use crate::limiter::Limiter;
use crate::microphone::{ClippingWatch, Listener, SilenceWatch, Trial};
use crate::pace::{Due, Pace};
use crate::processing::{Processing, Processor};
use crate::recorder::{Sign, Tap};
use crate::speaker_start::SpeakerStart;
use crate::stream::{Opening, Setup, Stream};
use crate::summons::{Alerts, Rings};
use crate::tone::{Ringing, TonePlayer};
use crate::{DeviceGaps, MediaEvent, StreamId, Tone, TonePlan};

/// How late a device may be before the timer takes over.
const DEVICE_PATIENCE: Duration = Duration::from_millis(60);
/// How late a stand-in may be: it never stops, the machine is only busy.
const FILE_PATIENCE: Duration = Duration::from_secs(2);
/// How long the sound path stays on after its last use.
const LINGER: Duration = Duration::from_secs(2);
/// How often a sleeping thread looks whether devices changed.
const IDLE_LOOK: Duration = Duration::from_millis(500);
/// Ticks between two publications of figures: 50 ms.
const PUBLISH_EVERY: u64 = 5;
/// Ticks between two level events: 70 ms, about 15 a second.
const LEVELS_EVERY: u64 = 7;

/// By so much less than its devices hold an echo is looked for: it may come a little earlier, and may not be missed.
const ECHO_MARGIN: Duration = Duration::from_millis(10);

/// What the engine's handle asks for.
pub(crate) enum Command {
    Open(Box<Opening>),
    Configure(StreamId, Box<Setup>),
    Muted(StreamId, bool),
    Held(StreamId, bool),
    Keys(StreamId, String),
    Conference(Vec<StreamId>),
    Record(StreamId, Option<Box<Tap>>),
    RecordingPaused(StreamId, bool),
    Close(StreamId),
    Tone(Tone),
    Alert(Alert),
    TonePlan(TonePlan),
    Trial(Option<Vec<f32>>),
    Ring(Option<Box<Ringing>>),
    Devices(DeviceChoice),
    Processing(Processing),
}

/// What the handle and the thread share.
#[derive(Default)]
pub(crate) struct Shared {
    pub(crate) watching: AtomicBool,
    pub(crate) levels: Mutex<(f32, f32)>,
    pub(crate) gaps: Mutex<DeviceGaps>,
}

pub(crate) struct Dsp {
    audio: Audio,
    commands: Receiver<Command>,
    events: Sender<MediaEvent>,
    shared: Arc<Shared>,
    streams: Vec<Stream>,
    /// One block per stream, what it contributes to the speaker.
    blocks: Vec<[f32; BLOCK]>,
    speaker_start: SpeakerStart,
    processor: Processor,
    /// None where silence is what is to come.
    silence: Option<SilenceWatch>,
    microphone_choice: Option<DeviceId>,
    clipping: ClippingWatch,
    machine: MachineWatch,
    trial: Trial,
    tones: TonePlayer,
    /// What asks for attention where no device for alerts was chosen.
    attention: Attention,
    /// A device for alerts was chosen.
    alerts_apart: bool,
    alerts: Alerts,
    rings: Rings,
    limiter: Limiter,
    levels: Levels,
    pending: Vec<MediaEvent>,
    ticks: u64,
    /// Files or silence instead of devices.
    simulated: bool,
    active: bool,
    rest_at: Option<Instant>,
}

#[expect(clippy::disallowed_methods, reason = "the DSP thread is the driver that tells the time")]
fn clock() -> Instant {
    Instant::now()
}

impl Dsp {
    /// `spec`: what `audio` was opened by.
    pub(crate) fn new(
        audio: Audio,
        spec: &AudioSpec,
        commands: Receiver<Command>,
        events: Sender<MediaEvent>,
        shared: Arc<Shared>,
    ) -> Self {
        let simulated = audio.control.is_simulated();
        let heard = *spec != AudioSpec::Null;
        let choice = match spec {
            AudioSpec::System(choice) => choice.clone(),
            _ => DeviceChoice::default(),
        };
        let (alerts_apart, microphone_choice) = (choice.alerts.is_some(), choice.input);
        Self {
            simulated,
            audio,
            commands,
            events,
            shared,
            streams: Vec::with_capacity(16),
            blocks: Vec::with_capacity(16),
            speaker_start: SpeakerStart::default(),
            processor: Processor::default(),
            silence: heard.then(SilenceWatch::default),
            microphone_choice,
            clipping: ClippingWatch::default(),
            machine: MachineWatch::default(),
            trial: Trial::default(),
            tones: TonePlayer::default(),
            attention: Attention::default(),
            alerts_apart: alerts_apart && !simulated,
            alerts: Alerts::default(),
            rings: Rings::default(),
            limiter: Limiter::default(),
            levels: Levels::default(),
            pending: Vec::with_capacity(64),
            ticks: 0,
            active: false,
            rest_at: None,
        }
    }

    /// Runs until the handle is dropped.
    pub(crate) fn run(mut self) {
        if !self.simulated {
            audio::raise_priority();
        }
        let mut ended = false;
        while !ended {
            ended = if self.is_wanted() { self.work() } else { self.sleep() };
        }
        let now = clock();
        for stream in self.streams.drain(..) {
            stream.close(now);
        }
    }

    /// Devices are opened as soon as a stream may come, to have sound from its first moment; a
    /// file begins with the call.
    fn uses_path(&self) -> bool {
        self.streams.iter().any(|s| !self.simulated || s.is_configured())
            || !self.tones.is_silent()
            || !self.attention.is_silent()
            || self.trial.is_on()
            || self.shared.watching.load(Ordering::Relaxed)
    }

    fn is_wanted(&self) -> bool {
        let rings = !self.rings.are_silent() && !self.simulated;
        self.uses_path() || rings || !self.alerts.is_silent() || self.active
    }

    /// Waits for something to do; true at the end.
    fn sleep(&mut self) -> bool {
        match self.commands.recv_timeout(IDLE_LOOK) {
            Ok(command) => self.obey(command),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return true,
        }
        self.report_devices();
        self.flush();
        false
    }

    /// Ticks while there is something to do; true at the end.
    fn work(&mut self) -> bool {
        let patience = if self.simulated { FILE_PATIENCE } else { DEVICE_PATIENCE };
        let mut pace = Pace::new(clock(), patience, !self.simulated);
        let mut microphone = [0.0_f32; BLOCK];
        self.machine.rest();
        loop {
            loop {
                match self.commands.try_recv() {
                    Ok(command) => self.obey(command),
                    Err(TryRecvError::Empty) => break,
                    Err(TryRecvError::Disconnected) => return true,
                }
            }
            let now = clock();
            self.rest(now);
            if !self.is_wanted() {
                return false;
            }
            if self.audio.capture.read(&mut microphone) {
                if pace.block(now) {
                    // The timer spoke for the microphone until now: only the newest is news.
                    while self.audio.capture.read(&mut microphone) {}
                }
                self.watch_silence(&microphone);
                self.clipping.observe(&microphone);
                self.tick(now, &mut microphone);
                continue;
            }
            let until = match pace.nothing(now) {
                Due::Free => {
                    microphone.fill(0.0);
                    self.tick(now, &mut microphone);
                    continue;
                }
                Due::Wait(until) => until,
            };
            match self.commands.recv_timeout(until.saturating_duration_since(clock())) {
                Ok(command) => self.obey(command),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return true,
            }
        }
    }

    /// Starts the sound path when it is used and lets it rest a while after.
    fn rest(&mut self, now: Instant) {
        if self.uses_path() {
            self.rest_at = None;
            if !self.active {
                self.active = true;
                self.speaker_start.path_opened(now);
                self.audio.control.set_active(true);
            }
        } else if self.active {
            let at = *self.rest_at.get_or_insert(now + LINGER);
            if now >= at {
                self.active = false;
                self.rest_at = None;
                self.audio.control.set_active(false);
            }
        }
    }

    fn obey(&mut self, command: Command) {
        match command {
            Command::Open(opening) => {
                // Calls come first.
                self.trial.set(None);
                self.streams.push(Stream::new(clock(), *opening));
                self.blocks.push([0.0; BLOCK]);
            }
            Command::Configure(id, setup) => {
                self.audio.control.start_microphone();
                self.with(id, |s| s.configure(*setup));
            }
            Command::Muted(id, on) => self.with(id, |s| s.muted = on),
            Command::Held(id, on) => self.with(id, |s| s.held = on),
            Command::Keys(id, digits) => self.with(id, |s| s.press(&digits)),
            Command::Conference(members) => {
                self.confer(&members);
            }
            Command::Record(id, tap) => self.with(id, |s| s.tap = tap),
            Command::RecordingPaused(id, on) => self.with(id, |s| s.pause_recording(on)),
            Command::Close(id) => {
                if let Some(at) = self.streams.iter().position(|s| s.id == id) {
                    self.streams.remove(at).close(clock());
                    self.blocks.pop();
                }
            }
            Command::Tone(tone) => self.play(tone),
            Command::Alert(alert) => self.ask_attention(alert),
            Command::TonePlan(plan) => {
                self.tones.set_plan(plan);
                self.alerts.set_plan(plan);
            }
            Command::Trial(room) => self.trial.set(room),
            Command::Ring(ringing) => {
                self.audio.control.set_ringing(ringing.is_some());
                self.rings.set(clock(), ringing);
            }
            Command::Devices(choice) => self.set_devices(choice),
            Command::Processing(wanted) => self.processor.set(wanted),
        }
    }

    /// A call's own tones go to the ear; that somebody else calls goes where alerts go.
    fn play(&mut self, tone: Tone) {
        let apart = tone == Tone::CallWaiting && self.alerts_apart;
        self.tones.set(if apart { Tone::None } else { tone });
        let alert = if apart { tone } else { Tone::None };
        let news = self.alerts.set(clock(), alert);
        self.want_alerts(news);
    }

    fn want_alerts(&self, news: Option<bool>) {
        if let Some(on) = news {
            self.audio.control.set_alerting(on);
        }
    }

    /// Somebody talks.
    fn talks(&self) -> bool {
        self.streams.iter().any(|stream| stream.is_configured() && !stream.held)
    }

    /// A file in the place of a speaker is for calls: alone it does not begin for this.
    fn ask_attention(&mut self, alert: Alert) {
        let talks = self.talks();
        if self.alerts_apart {
            let news = self.alerts.begin(clock(), alert, talks);
            self.want_alerts(news);
        } else if !self.simulated || self.uses_path() {
            self.attention.begin(alert, talks);
        }
    }

    /// Whoever comes to those who are recorded is told.
    fn confer(&mut self, members: &[StreamId]) {
        let mut joined = false;
        for stream in &mut self.streams {
            let member = members.contains(&stream.id);
            joined |= member && !stream.conferenced;
            stream.conferenced = member;
        }
        let recorded = self.streams.iter_mut().filter(|s| joined && s.conferenced);
        recorded.filter_map(|s| s.tap.as_mut()).for_each(|tap| tap.tell_again());
    }

    fn set_devices(&mut self, choice: DeviceChoice) {
        self.alerts_apart = choice.alerts.is_some() && !self.simulated;
        if choice.input != self.microphone_choice {
            self.microphone_choice.clone_from(&choice.input);
            let news = self.silence.as_mut().and_then(SilenceWatch::begin_anew);
            self.pending.extend(news.map(MediaEvent::MicrophoneSilent));
        }
        self.audio.control.set_devices(choice);
        let apart = self.alerts.tone();
        let tone = if apart == Tone::None { self.tones.tone() } else { apart };
        let news = self.alerts.end(clock());
        self.want_alerts(news);
        self.play(tone);
    }

    fn with(&mut self, id: StreamId, change: impl FnOnce(&mut Stream)) {
        match self.streams.iter_mut().find(|s| s.id == id) {
            Some(stream) => change(stream),
            None => tracing::debug!(stream = id.0, "command for a closed stream"),
        }
    }

    /// 10 ms of everything.
    fn tick(&mut self, now: Instant, microphone: &mut [f32; BLOCK]) {
        for stream in &mut self.streams {
            stream.receive(now, &mut self.pending);
        }
        let holds = self.speaker_start.holds(now, self.audio.playback.plays());
        for (stream, block) in self.streams.iter_mut().zip(&mut self.blocks) {
            stream.pull(now, block, holds);
        }
        self.processor.set_device_delay(self.device_delay());
        self.processor.clean(microphone);
        self.send(now, microphone);
        let mut speaker = sum(&self.blocks);
        self.tones.mix(&mut speaker);
        if self.talks() {
            self.attention.soften();
            self.alerts.soften();
        }
        if !holds {
            self.attention.mix(&mut speaker);
        }
        self.trial.turn(microphone, &mut speaker);
        self.limiter.limit(&mut speaker);
        let heard = self.audio.playback.write(now, &speaker);
        self.ring(now);
        let alert = self.alert(now);
        self.machine.skipped(!heard && self.audio.playback.plays());
        self.processor.played(&reference(heard.then_some(&speaker), alert.as_ref()));
        self.measure(microphone, &speaker);
        self.ticks += 1;
        self.machine.turn(now, self.audio.playback.stats().underruns, self.audio.capture.dropped());
        let publish = self.ticks.is_multiple_of(PUBLISH_EVERY);
        let surroundings = publish.then(|| self.surroundings());
        for stream in &mut self.streams {
            stream.keep(now, surroundings, &mut self.pending);
        }
        if publish {
            if let Ok(mut gaps) = self.shared.gaps.try_lock() {
                *gaps = self.machine.all();
            }
            self.report_devices();
        }
        self.pending.extend(self.trial.news().map(MediaEvent::MicrophoneTest));
        self.flush();
    }

    /// How long microphone and loudspeaker hold sound at least, together.
    fn device_delay(&self) -> Option<Duration> {
        let both = self.audio.capture.latency()? + self.audio.playback.stats().latency?;
        Some(both.saturating_sub(ECHO_MARGIN))
    }

    fn surroundings(&self) -> Surroundings {
        Surroundings {
            capture: self.audio.capture.latency().map(|device| device + self.processor.delay()),
            playback: self.audio.playback.stats().latency,
            machine_late: self.machine.is_late(),
            microphone_silent: self.silence.as_ref().is_some_and(SilenceWatch::is_silent),
            microphone_clips: self.clipping.clips(),
        }
    }

    /// The microphone to every stream; within a conference the other members too.
    fn send(&mut self, now: Instant, microphone: &[f32; BLOCK]) {
        for stream in &mut self.streams {
            stream.turn_recording();
        }
        let members = self.streams.iter().filter(|s| s.conferenced).count();
        // Who is recorded in a conference has all the others on the recording.
        let sign: Option<Sign> =
            self.streams.iter().filter(|s| s.conferenced).find_map(Stream::sign).copied();
        for n in 0..self.streams.len() {
            let conferenced = members > 1 && self.streams.get(n).is_some_and(|s| s.conferenced);
            let mut others = [0.0; BLOCK];
            if conferenced {
                let members = self.streams.iter().zip(&self.blocks).enumerate();
                for (_, (_, block)) in members.filter(|(m, (s, _))| *m != n && s.conferenced) {
                    add(&mut others, block);
                }
            }
            if let Some(stream) = self.streams.get_mut(n) {
                stream.send(now, microphone, conferenced.then_some((&others, sign.as_ref())));
            }
        }
    }

    fn watch_silence(&mut self, microphone: &[f32; BLOCK]) {
        let heard = |s: &Stream| s.is_configured() && !s.muted && !s.held;
        let listener = match (self.streams.iter().any(heard), self.trial.is_on()) {
            (true, _) => Listener::Call,
            (false, true) => Listener::Test,
            (false, false) => Listener::Nobody,
        };
        let news = self.silence.as_mut().and_then(|silence| silence.observe(microphone, listener));
        self.pending.extend(news.map(MediaEvent::MicrophoneSilent));
    }

    fn ring(&mut self, now: Instant) {
        let plays = self.audio.ringers.iter_mut().any(Playback::plays);
        if let Some(block) = self.rings.next(now, plays) {
            for ringer in &mut self.audio.ringers {
                ringer.write(now, &block);
            }
        }
    }

    /// What the device for alerts plays of it.
    fn alert(&mut self, now: Instant) -> Option<[f32; BLOCK]> {
        let block = self.alerts.next(now, self.audio.alerts.plays());
        let news = self.alerts.news(now);
        self.want_alerts(news);
        let block = block?;
        self.audio.alerts.write(now, &block).then_some(block)
    }

    fn measure(&mut self, microphone: &[f32; BLOCK], speaker: &[f32; BLOCK]) {
        if !self.shared.watching.load(Ordering::Relaxed) {
            return;
        }
        let muted = !self.streams.is_empty() && self.streams.iter().all(|s| s.muted || s.held);
        self.levels.add(if muted { &[0.0; BLOCK] } else { microphone }, speaker);
        if self.ticks.is_multiple_of(LEVELS_EVERY) {
            let (mic, speaker) = self.levels.take();
            if let Ok(mut levels) = self.shared.levels.try_lock() {
                *levels = (mic, speaker);
            }
            self.pending.push(MediaEvent::Levels { mic, speaker });
        }
    }

    fn report_devices(&mut self) {
        while let Ok(event) = self.audio.events.try_recv() {
            match &event {
                AudioEvent::NoDevice { kind: DeviceKind::Output, .. } => {
                    self.speaker_start.no_speaker();
                }
                AudioEvent::Started { kind: DeviceKind::Output, .. }
                | AudioEvent::DevicesChanged => self.speaker_start.devices_changed(),
                _ => {}
            }
            if let AudioEvent::Started { kind: DeviceKind::Input | DeviceKind::Output, .. } = &event
            {
                self.processor.expect_echo();
            }
            self.pending.push(match event {
                AudioEvent::Lost { kind, name, reason } => {
                    MediaEvent::DeviceLost { kind, name, reason }
                }
                AudioEvent::Started { kind, name } => MediaEvent::DeviceStarted { kind, name },
                AudioEvent::NoDevice { kind, error } => MediaEvent::NoAudioDevice { kind, error },
                AudioEvent::DevicesChanged => MediaEvent::DevicesChanged,
            });
        }
    }

    fn flush(&mut self) {
        for event in self.pending.drain(..) {
            if let Err(error) = self.events.try_send(event) {
                tracing::debug!(%error, "media event not delivered");
            }
        }
    }
}

/// The sum of all.
fn sum(blocks: &[[f32; BLOCK]]) -> [f32; BLOCK] {
    let mut sum = [0.0; BLOCK];
    for block in blocks {
        add(&mut sum, block);
    }
    sum
}

/// What the microphone may hear again: what the speaker plays, and what the device for alerts does. What neither takes
/// (none is there, or there is too much already) is not heard.
fn reference(speaker: Option<&[f32; BLOCK]>, alert: Option<&[f32; BLOCK]>) -> [f32; BLOCK] {
    let mut heard = speaker.copied().unwrap_or([0.0; BLOCK]);
    if let Some(alert) = alert {
        add(&mut heard, alert);
    }
    heard
}

pub(crate) fn add(sum: &mut [f32; BLOCK], block: &[f32; BLOCK]) {
    for (to, from) in sum.iter_mut().zip(block) {
        *to += from;
    }
}

/// Root mean square over the blocks since last asked.
#[derive(Default)]
struct Levels {
    microphone: f32,
    speaker: f32,
    blocks: u16,
}

impl Levels {
    fn add(&mut self, microphone: &[f32; BLOCK], speaker: &[f32; BLOCK]) {
        let power = |block: &[f32; BLOCK]| block.iter().map(|s| s * s).sum::<f32>() / 480.0;
        self.microphone += power(microphone);
        self.speaker += power(speaker);
        self.blocks += 1;
    }

    fn take(&mut self) -> (f32, f32) {
        let blocks = f32::from(self.blocks.max(1));
        let levels = ((self.microphone / blocks).sqrt(), (self.speaker / blocks).sqrt());
        *self = Self::default();
        (levels.0.min(1.0), levels.1.min(1.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_canceller_is_told_what_is_heard_and_nothing_else() {
        let (voice, alert) = ([0.25; BLOCK], [0.5; BLOCK]);
        assert_eq!(reference(Some(&voice), None), voice);
        assert_eq!(reference(Some(&voice), Some(&alert)), [0.75; BLOCK]);
        assert_eq!(reference(None, Some(&alert)), alert);
        assert_eq!(reference(None, None), [0.0; BLOCK]);
    }

    #[test]
    fn levels_are_root_mean_squares_since_last_asked() {
        let mut levels = Levels::default();
        levels.add(&[0.5; BLOCK], &[0.0; BLOCK]);
        levels.add(&[0.5; BLOCK], &[1.0; BLOCK]);
        let (microphone, speaker) = levels.take();
        assert!((microphone - 0.5).abs() < 1e-4);
        assert!((speaker - 0.5_f32.sqrt()).abs() < 1e-4);
        assert_eq!(levels.take(), (0.0, 0.0));
    }
}

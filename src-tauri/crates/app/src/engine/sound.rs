//! Sound of the whole desk: which call is heard, which tone plays, what rings, which devices are there.

use std::time::{Duration, Instant};

use call_control::{Call, CallId, Direction, State};
use media::{
    AudioSpec, Device, DeviceChoice, DeviceId, DeviceKind, Engine, EngineConfig, EngineError,
    Events, Failure, MediaEvent, Processing, RingTone, StreamId, TestStage, Tone, TonePlan,
    TrafficStats,
};
use sip_ua::{Body, SessionId};
use tracing::{debug, warn};

use super::alarm_sounds;
use super::calls::StepError;
use super::desk::Desk;
use super::device_troubles::{Changes, DeviceTroubles};
use super::line::codec_word;
use super::rings;
use super::tones::{Playing, Standing, playing};
use crate::code::Code;
use crate::config::{AudioSettings, Config, DtmfMode, Sound};
use crate::control::{Answer, CallStats, DelayStats, DirectionStats, ErrorReply};
use crate::event::Event;
use crate::view::headset::HeadsetView;
use crate::view::ring::RingSource;
use crate::view::{AudioView, DeviceView, Levels, MicrophoneTest, Update};

/// How long the tone of a failed call plays.
const FAREWELL: Duration = Duration::from_secs(3);
/// How often the quality of calls is looked at.
const MEASURE: Duration = Duration::from_secs(1);
/// How long sound may be missing before it is told; a pause between packets is no trouble.
const NO_SOUND: Duration = Duration::from_secs(2);
/// Content type of digits in SIP INFO.
const DTMF_RELAY: &str = "application/dtmf-relay";

/// The media engine and what it plays now.
pub(super) struct Sounds {
    pub(super) engine: Engine,
    /// Real devices are in use.
    system: bool,
    devices: Vec<Device>,
    troubles: DeviceTroubles,
    tone: Tone,
    /// How far a test of the microphone is.
    test: TestStage,
    /// What rings now.
    ringing: Option<RingTone>,
    /// What the user lets ring, and until when.
    pub(super) ring_trial: Option<(RingSource, Instant)>,
    farewell: Option<(Tone, Instant)>,
    measured: Option<Instant>,
}

impl Sounds {
    /// Starts the engine. Without a usable sound system the program runs in control only, and says so.
    pub(super) fn open(
        sound: &Sound,
        config: &Config,
    ) -> Result<(Sounds, Option<Events>), EngineError> {
        let system = matches!(sound, AudioSpec::System(_));
        let spec = match sound {
            AudioSpec::System(_) => AudioSpec::System(choice(&config.audio)),
            other => other.clone(),
        };
        let start = |audio| {
            let (bind, rtp_ports) = (config.network.bind, config.network.rtp_range());
            Engine::start(EngineConfig { audio, bind, rtp_ports })
        };
        let (started, no_sound_system) = match start(spec) {
            Err(error) if system => {
                warn!(%error, "no sound");
                (start(AudioSpec::None)?, true)
            }
            other => (other?, false),
        };
        let (engine, events) = started;
        engine.set_processing(processing(system, &config.audio));
        engine.set_tone_plan(TonePlan::of(&config.ui.guard.country));
        let sounds = Sounds {
            engine,
            system,
            devices: Vec::new(),
            troubles: DeviceTroubles::new(no_sound_system),
            tone: Tone::None,
            test: TestStage::Off,
            ringing: None,
            ring_trial: None,
            farewell: None,
            measured: None,
        };
        Ok((sounds, Some(events)))
    }

    pub(super) fn mute(&self, stream: Option<StreamId>, on: bool) {
        if let Some(stream) = stream {
            self.engine.set_muted(stream, on);
        }
    }

    /// Plays the tone of a call that failed, for a while.
    pub(super) fn farewell(&mut self, now: Instant, tone: Tone) {
        self.farewell = Some((tone, now + FAREWELL));
    }

    pub(super) fn due(&self) -> Option<Instant> {
        let farewell = self.farewell.map(|(_, until)| until);
        let trial = self.ring_trial.map(|(_, until)| until);
        [farewell, trial].into_iter().flatten().min()
    }

    pub(super) fn view(&self, settings: &AudioSettings) -> AudioView {
        let list = |kind: DeviceKind| {
            let fits = |device: &&Device| device.kind == kind;
            let view = |device: &Device| DeviceView {
                id: device.id.0.clone(),
                name: device.name.clone(),
                is_default: device.is_default,
            };
            self.devices.iter().filter(fits).map(view).collect()
        };
        let chosen = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
        let done = processing(self.system, settings);
        AudioView {
            inputs: list(DeviceKind::Input),
            outputs: list(DeviceKind::Output),
            input: chosen(&settings.input),
            output: chosen(&settings.output),
            ringers: settings.ringers.clone(),
            most_ringers: u32::try_from(media::RINGERS).unwrap_or(1),
            alerts: chosen(&settings.alerts),
            queue_alarms: alarm_sounds::queues_are_heard(settings),
            notice_sounds: alarm_sounds::notices_are_heard(settings),
            rings: rings::views(settings),
            ring_tried: self.ring_trial.map(|(source, _)| source),
            test: match self.test {
                TestStage::Off => MicrophoneTest::Off,
                TestStage::Listening => MicrophoneTest::Listening,
                TestStage::Playing => MicrophoneTest::Playing,
            },
            echo_cancelling: done.echo_cancelling,
            noise_suppression: done.noise_suppression,
            gain_control: done.gain_control,
            headset: HeadsetView::default(),
            problem: self.troubles.problem(),
        }
    }
}

/// What is chosen, or what suits: sound that comes from a file is passed as it is.
fn processing(system: bool, settings: &AudioSettings) -> Processing {
    Processing {
        echo_cancelling: settings.echo_cancelling.unwrap_or(system),
        noise_suppression: settings.noise_suppression.unwrap_or(system),
        gain_control: settings.gain_control.unwrap_or(system),
    }
}

fn choice(settings: &AudioSettings) -> DeviceChoice {
    let device = |text: &String| Some(DeviceId(text.clone())).filter(|id| !id.0.is_empty());
    DeviceChoice {
        input: device(&settings.input),
        output: device(&settings.output),
        ringers: settings.ringers.iter().filter_map(device).collect(),
        alerts: device(&settings.alerts),
    }
}

impl Desk {
    /// Lets the one call sound that has the user's ear, or those in the conference, who hear each other too.
    pub(super) fn apply_sound(&self) {
        let sounding = self.sounding();
        let shares = |id: CallId| {
            self.calls.get(id).is_some_and(|call| call.in_conference() && call.is_live())
        };
        let mut together = Vec::new();
        for (id, line) in &self.lines {
            if let Some(media) = &line.media {
                let shares = shares(*id);
                together.extend(shares.then_some(media.stream));
                self.sounds.engine.set_held(media.stream, !shares && Some(*id) != sounding);
            }
        }
        self.sounds.engine.set_conference(&together);
    }

    fn sounding(&self) -> Option<CallId> {
        let early = || self.calls.iter().filter(|call| call.state() == State::Early).last();
        self.calls.live().or_else(|| early().map(Call::id))
    }

    /// Rings, beeps or plays ring-back, as the calls stand.
    pub(super) fn choose_tones(&mut self, now: Instant) {
        let waiting =
            |call: &Call| call.direction() == Direction::In && call.state() == State::Ringing;
        let caller = self.calls.iter().find(|call| waiting(call)).map(Call::id);
        let incoming = caller.is_some();
        let talking = self.sounding().is_some();
        let out = self.calls.iter().filter(|call| call.direction() == Direction::Out).last();
        let rings_there = out.is_some_and(|call| call.state() == State::Ringing);
        let dialing = out.is_some_and(|call| call.answered().is_none());
        let farewell = self.sounds.farewell.filter(|(_, until)| *until > now).map(|(tone, _)| tone);
        let standing = Standing { talking, incoming, dialing, rings_there, farewell };
        let Playing { tone, rings, farewell_over } = playing(standing);
        self.sounds.farewell.take_if(|_| farewell_over);
        if tone != self.sounds.tone {
            self.sounds.tone = tone;
            self.sounds.engine.tone(tone);
        }
        if self.calls.iter().next().is_some() && self.sounds.ring_trial.take().is_some() {
            self.publisher.changed();
        }
        let ring = caller.filter(|_| rings).map(|id| self.ring_of(id));
        let ring = ring.or_else(|| self.ring_tried());
        if ring != self.sounds.ringing {
            self.sounds.ringing.clone_from(&ring);
            if let Err(error) = self.sounds.engine.ring(ring) {
                self.ring_failed(now, &error);
            }
        }
    }

    pub(super) fn sounds_on_time(&mut self, now: Instant) {
        if self.sounds.farewell.is_some_and(|(_, until)| until <= now) {
            self.sounds.farewell = None;
        }
        if self.sounds.ring_trial.is_some_and(|(_, until)| until <= now) {
            self.sounds.ring_trial = None;
            self.publisher.changed();
        }
    }

    /// Asks the system for its devices, in the background.
    pub(super) fn list_devices(&self) {
        if !self.sounds.system {
            return;
        }
        let work = tokio::task::spawn_blocking(media::devices);
        self.later(work, |desk, now, devices| {
            match devices {
                Ok(Ok(devices)) => desk.sounds.devices = devices,
                Ok(Err(error)) => {
                    debug!(%error, "no devices");
                    desk.sounds.devices.clear();
                }
                Err(error) => {
                    debug!(%error, "no devices");
                    return;
                }
            }
            let any = !desk.sounds.devices.is_empty();
            let changes = desk.sounds.troubles.listed(any);
            desk.tell_device_troubles(now, changes);
            desk.judge_wireless(now);
        });
    }

    /// The command: a test of the microphone, with nobody else on the line.
    pub(super) fn test_microphone(&mut self, on: bool) -> Result<Answer, ErrorReply> {
        if on && self.calls.iter().next().is_some() {
            return Err(ErrorReply::new(Code::WrongState, "there is a call"));
        }
        self.sounds.engine.test_microphone(on);
        Ok(Answer::done())
    }

    pub(super) fn set_devices(&mut self, now: Instant, audio: AudioSettings) {
        self.settings.config.audio = audio;
        self.sounds.engine.set_devices(choice(&self.settings.config.audio));
        self.keep_settings(now);
        let changes = self.sounds.troubles.chosen_anew();
        self.tell_device_troubles(now, changes);
        self.judge_wireless(now);
    }

    /// Whether the wireless headset that calls use is on the right way.
    fn judge_wireless(&mut self, now: Instant) {
        let DeviceChoice { input, output, .. } = choice(&self.settings.config.audio);
        let devices = &self.sounds.devices;
        let used = |kind: DeviceKind, chosen: Option<DeviceId>| {
            let there = |id: &DeviceId| devices.iter().any(|one| one.kind == kind && one.id == *id);
            let default = devices.iter().find(|one| one.kind == kind && one.is_default);
            chosen.filter(there).or_else(|| default.map(|one| one.id.clone()))
        };
        let (input, output) = (used(DeviceKind::Input, input), used(DeviceKind::Output, output));
        let trouble = audio::bluetooth::trouble(devices, input.as_ref(), output.as_ref());
        let changes = self.sounds.troubles.wireless(trouble.as_ref(), devices);
        self.tell_device_troubles(now, changes);
    }

    pub(super) fn set_processing(&mut self, now: Instant, audio: AudioSettings) {
        self.sounds.engine.set_processing(processing(self.sounds.system, &audio));
        self.settings.config.audio = audio;
        self.keep_settings(now);
        self.publisher.changed();
    }

    pub(super) fn media_event(&mut self, now: Instant, event: MediaEvent) {
        match event {
            MediaEvent::Activity { stream, rx, tx } => self.activity(now, stream, rx, tx),
            MediaEvent::Failed { stream, failure } => self.stream_failed(now, stream, failure),
            MediaEvent::Dtmf { stream, digit } => {
                if let Some(call) = self.call_with(stream) {
                    self.event(now, Event::CallDtmf { call: call.0, digit });
                }
            }
            MediaEvent::Levels { mic, speaker } => {
                // Loudness to the eye: a square root spreads speech over the meter.
                let levels = Levels { microphone: mic.sqrt(), speaker: speaker.sqrt() };
                self.shell.publish(Update::Levels(levels));
            }
            MediaEvent::RecordingFailed { stream } => self.recording_failed(now, stream),
            MediaEvent::MicrophoneTest(stage) => {
                self.sounds.test = stage;
                self.publisher.changed();
            }
            MediaEvent::MicrophoneSilent(silent) => {
                let changes = self.sounds.troubles.microphone(silent);
                self.tell_device_troubles(now, changes);
            }
            MediaEvent::DeviceLost { kind, name, reason } => {
                let changes = self.sounds.troubles.lost(kind, &name, &reason);
                self.tell_device_troubles(now, changes);
            }
            MediaEvent::NoAudioDevice { kind, error } => {
                let changes = self.sounds.troubles.missing(kind, &error);
                self.tell_device_troubles(now, changes);
            }
            MediaEvent::DeviceStarted { kind, name } => {
                debug!(%kind, name, "device in use");
                let changes = self.sounds.troubles.started(kind);
                self.tell_device_troubles(now, changes);
                // A headset goes another way when its microphone is opened, and keeps its name.
                if matches!(kind, DeviceKind::Input | DeviceKind::Output) {
                    self.list_devices();
                }
            }
            MediaEvent::DevicesChanged => self.list_devices(),
        }
    }

    fn tell_device_troubles(&mut self, now: Instant, changes: Changes) {
        for trouble in changes.over {
            self.withdraw_one(trouble.code, trouble.detail.as_deref());
        }
        for trouble in changes.begun {
            self.notice(now, trouble.code, trouble.detail, false);
        }
        self.publisher.changed();
    }

    fn activity(&mut self, now: Instant, stream: StreamId, rx: bool, tx: bool) {
        let Some(id) = self.call_with(stream) else { return };
        if let Some(line) = self.lines.get_mut(&id) {
            (line.rx_active, line.tx_active) = (rx, tx);
            line.heard |= rx && line.ice;
        }
        self.publisher.changed();
        self.event(now, Event::CallMedia { call: id.0, rx_active: rx, tx_active: tx });
    }

    /// A call without keys or without a way is over: nothing is to be heard in it, and nothing may go in clear. Only
    /// while its peer is still to be told our new address there is hope.
    fn stream_failed(&mut self, now: Instant, stream: StreamId, failure: Failure) {
        let Some(id) = self.call_with(stream) else { return };
        let lost = failure == Failure::NoPath;
        if lost && (self.is_moving(id) || self.look_for_another_way(now, id)) {
            return;
        }
        warn!(call = id.0, %failure, "a call ends");
        if let Some(session) = self.lines.get(&id).and_then(|line| line.session) {
            let hung_up = self.ua.hangup(now, session);
            debug!(?hung_up, "hung up");
        }
        let code = if lost { Code::ConnectionLost } else { Code::NoCommonEncryption };
        self.fail_call(now, id, code, &failure.to_string());
    }

    pub(super) fn call_with(&self, stream: StreamId) -> Option<CallId> {
        let fits = |line: &super::line::Line| {
            line.media.as_ref().is_some_and(|media| media.stream == stream)
        };
        self.lines.iter().find(|(_, line)| fits(line)).map(|(id, _)| *id)
    }

    // --- digits ---

    pub(super) fn send_digits(
        &mut self,
        now: Instant,
        id: CallId,
        digits: &str,
    ) -> Result<(), StepError> {
        let line = self.lines.get(&id).ok_or(StepError::Gone)?;
        let (session, stream) = (line.session.ok_or(StepError::Gone)?, self.stream(id));
        let upper = digits.to_ascii_uppercase();
        let in_sound = line.dtmf == DtmfMode::Rfc4733
            && stream.is_some_and(|stream| self.sounds.engine.dtmf(stream, &upper));
        if !in_sound {
            for digit in upper.chars() {
                let bytes = format!("Signal={digit}\r\nDuration=160\r\n").into_bytes();
                let body = Body { content_type: DTMF_RELAY.to_owned(), bytes };
                self.ua.info(now, session, body)?;
            }
        }
        Ok(())
    }

    pub(super) fn digits_by_info(&self, now: Instant, session: SessionId, body: &Body) {
        let Some(call) = self.call_of(session) else { return };
        let text = String::from_utf8_lossy(&body.bytes);
        let signal = match body.content_type.trim().to_ascii_lowercase().as_str() {
            DTMF_RELAY => text.lines().find_map(|line| {
                line.split_once('=').filter(|(name, _)| name.trim().eq_ignore_ascii_case("signal"))
            }),
            "application/dtmf" => Some(("", text.as_ref())),
            _ => None,
        };
        let digit = signal.and_then(|(_, value)| value.trim().chars().next());
        if let Some(digit) = digit.filter(|c| matches!(c, '0'..='9' | '*' | '#' | 'A'..='D')) {
            self.event(now, Event::CallDtmf { call: call.0, digit });
        }
    }

    // --- quality ---

    pub(super) fn measure_due(&self) -> Option<Instant> {
        let any = self.calls.iter().any(|call| call.answered().is_some());
        any.then_some(self.sounds.measured).flatten().map(|at| at + MEASURE)
    }

    /// Looks at the quality of every call, once a second.
    pub(super) fn measure(&mut self, now: Instant) {
        if self.sounds.measured.is_some_and(|at| now < at + MEASURE) {
            return;
        }
        self.sounds.measured = Some(now);
        for (id, line) in &mut self.lines {
            let Some(media) = &line.media else { continue };
            let talking = self.calls.get(*id).is_some_and(|call| call.state() == State::Active);
            let silent = talking && !line.rx_active;
            line.silent_since = silent.then(|| line.silent_since.unwrap_or(now));
            let for_long = |since| now.saturating_duration_since(since) >= NO_SOUND;
            let no_sound = line.silent_since.is_some_and(for_long);
            if no_sound != line.no_sound {
                line.no_sound = no_sound;
                self.publisher.changed();
            }
            let stats = self.sounds.engine.stats(media.stream);
            if stats.is_some_and(|stats| line.quality.observe(now, &stats, no_sound)) {
                self.publisher.changed();
            }
        }
    }

    pub(super) fn stats(&self, id: CallId) -> Option<CallStats> {
        let stats = self.stream(id).and_then(|stream| self.sounds.engine.stats(stream));
        let line = self.lines.get(&id)?;
        let (encryption, cause) = (line.encryption(), line.quality.cause());
        Some(stats.map_or_else(CallStats::default, |stats| CallStats {
            codec: stats.codec.map(|codec| codec_word(codec).to_owned()),
            rx: direction_stats(&stats.rx),
            tx: direction_stats(&stats.tx),
            rtt_ms: stats.rtt_ms.map(tenths),
            jitter_buffer_ms: Some(tenths(stats.jitter_buffer_ms)),
            secure: stats.suite.is_some(),
            encryption,
            suite: stats.suite.map(|suite| suite.to_string()),
            unauthenticated: stats.unauthenticated,
            packet_ms: Some(stats.packet_ms).filter(|ms| *ms > 0),
            cause,
        }))
    }
}

fn direction_stats(stats: &TrafficStats) -> DirectionStats {
    DirectionStats {
        packets: stats.packets,
        lost: stats.lost,
        jitter_ms: stats.jitter_ms.map(tenths),
        mos: stats.mos.map(|mos| (mos * 100.0).round() / 100.0),
        bytes: stats.bytes,
        mouth_to_ear_ms: stats.delay.total().map(milliseconds),
        at_least_ms: milliseconds(stats.delay.known()),
        delay: DelayStats {
            capture_ms: stats.delay.capture.map(milliseconds),
            frame_ms: stats.delay.frame.map(milliseconds),
            network_ms: stats.delay.network.map(milliseconds),
            buffer_ms: stats.delay.buffer.map(milliseconds),
            playback_ms: stats.delay.playback.map(milliseconds),
        },
    }
}

fn milliseconds(delay: Duration) -> f64 {
    tenths(delay.as_secs_f64() * 1_000.0)
}

fn tenths(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

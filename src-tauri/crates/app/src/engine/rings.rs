//! How a call rings: by where it comes from, with a sound of our own or the user's.
//!
//! A file that the user chooses is read once and kept as the ringing plays it, in a folder of the program's own; its name is
//! for people only. Pure functions, and what the desk does with them.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use call_control::CallId;
use media::RingTone;
use tokio::task::spawn_blocking;
use tracing::{debug, warn};

use super::Reply;
use super::desk::Desk;
use crate::code::Code;
use crate::config::{AudioSettings, RingFile};
use crate::control::{Answer, ErrorReply, RingSound};
use crate::view::ring::{RingSource, RingView};

/// Longest file that is read, bytes: half a minute of stereo at the highest usual rate.
const FILE: usize = 8_000_000;
/// How long a ring tone lasts.
const LENGTH: std::ops::RangeInclusive<Duration> =
    Duration::from_millis(300)..=Duration::from_secs(30);
/// As loud as the loudest of our own.
const PEAK: f32 = 0.4;
/// What is quieter is silence and no ring tone.
const SILENCE: f32 = 0.001;
/// Longest name, characters.
const NAME: usize = 80;
/// How long a ring tone is tried.
const TRIAL: Duration = Duration::from_secs(6);

/// Where a call comes from, as far as ringing goes: a door or an intercom, a queue, a colleague, anybody else. `asked`:
/// what the exchange says of it (Alert-Info, RFC 7462).
fn source_of(asked: &str, queue: bool, colleague: impl FnOnce() -> bool) -> RingSource {
    let asked = asked.to_ascii_lowercase();
    let is_internal = asked.contains("internal") && !asked.contains("external");
    if ["door", "intercom"].iter().any(|word| asked.contains(word)) {
        RingSource::Door
    } else if queue {
        RingSource::Queue
    } else if is_internal || colleague() {
        RingSource::Internal
    } else {
        RingSource::Ordinary
    }
}

/// How calls from there ring.
fn tone_of(audio: &AudioSettings, source: RingSource) -> RingTone {
    let file = &audio.rings.of(source).file;
    match source {
        _ if !file.as_os_str().is_empty() => RingTone::File(file.clone()),
        RingSource::Ordinary => RingTone::Bell,
        RingSource::Internal => RingTone::Chime,
        RingSource::Queue => RingTone::Trill,
        RingSource::Door => RingTone::Door,
    }
}

/// How calls ring, as it is shown.
pub(super) fn views(audio: &AudioSettings) -> Vec<RingView> {
    let view = |source: RingSource| {
        let RingFile { file, name, .. } = audio.rings.of(source);
        let of_file = || file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let own = !file.as_os_str().is_empty();
        let name = own.then(|| if name.is_empty() { of_file() } else { name.clone() });
        RingView { source, own: name.map(|name| contacts::plain(&name)) }
    };
    RingSource::ALL.into_iter().map(view).collect()
}

/// The ring tone in a file that a front end sent: a WAV file as the ringing plays it.
///
/// # Errors
/// [`Code::RingSize`], [`Code::RingUnreadable`], [`Code::RingLength`].
fn prepared(sound: &[u8]) -> Result<Vec<u8>, ErrorReply> {
    let unreadable = |text: String| ErrorReply::new(Code::RingUnreadable, text);
    let length = audio::wav_length(sound).map_err(|error| unreadable(error.to_string()))?;
    if !LENGTH.contains(&length) {
        return Err(ErrorReply::new(Code::RingLength, "a ring tone lasts 0.3 to 30 seconds"));
    }
    let mut samples = audio::decode_wav(sound).map_err(|error| unreadable(error.to_string()))?;
    let peak = samples.iter().fold(0.0_f32, |peak, sample| peak.max(sample.abs()));
    if !peak.is_finite() || peak < SILENCE {
        return Err(unreadable("there is nothing to hear in it".to_owned()));
    }
    samples.iter_mut().for_each(|sample| *sample *= PEAK / peak);
    audio::encode_wav(&samples).map_err(|error| unreadable(error.to_string()))
}

/// The same of what stands in a command.
fn received(text: &str) -> Result<Vec<u8>, ErrorReply> {
    if text.len() > FILE.div_ceil(3) * 4 {
        return Err(ErrorReply::new(Code::RingSize, "a ring tone is no larger than 8 MB"));
    }
    let sound = STANDARD.decode(text.trim());
    prepared(&sound.map_err(|_| ErrorReply::new(Code::RingUnreadable, "this is no base64"))?)
}

/// The file that a ring tone of the user's is kept in.
fn kept_in(data: &Path, source: RingSource) -> PathBuf {
    data.join("rings").join(format!("{}.wav", source.as_str()))
}

fn keep(path: &Path, sound: &[u8]) -> Result<(), ErrorReply> {
    let folder = path.parent().unwrap_or(path);
    let written = std::fs::create_dir_all(folder).and_then(|()| std::fs::write(path, sound));
    written.map_err(|error| ErrorReply::new(Code::ConfigUnsaved, error.to_string()))
}

impl Desk {
    /// How a call rings.
    pub(super) fn ring_of(&self, id: CallId) -> RingTone {
        let audio = &self.settings.config.audio;
        let Some(line) = self.lines.get(&id) else { return tone_of(audio, RingSource::Ordinary) };
        let asked = line.alert.as_deref().unwrap_or_default();
        let colleague = || self.is_extension(&line.peer.number);
        tone_of(audio, source_of(asked, line.queue.is_some(), colleague))
    }

    /// How the one rings that the user tries, while he does.
    pub(super) fn ring_tried(&self) -> Option<RingTone> {
        let (source, _) = self.sounds.ring_trial?;
        Some(tone_of(&self.settings.config.audio, source))
    }

    /// What rings cannot be played.
    pub(super) fn ring_failed(&mut self, now: Instant, error: &media::EngineError) {
        warn!(%error, "the ring tone cannot be played");
        self.notice(now, Code::RingUnreadable, None, false);
    }

    /// The command: another sound for calls from there; `None`: our own again.
    pub(super) fn set_ring(
        &mut self,
        now: Instant,
        source: RingSource,
        sound: Option<RingSound>,
        reply: Reply,
    ) {
        let data = self.settings.config.paths.data_dir.clone();
        let path = kept_in(&data, source);
        let Some(RingSound { name, wav }) = sound else {
            self.use_ring(now, source, RingFile::default());
            if !data.as_os_str().is_empty() {
                let removed = spawn_blocking(move || std::fs::remove_file(path));
                self.later(removed, |_, _, removed| debug!(?removed, "a ring tone of the user's"));
            }
            return reply(Ok(Answer::done()));
        };
        if data.as_os_str().is_empty() {
            let text = "there is no folder to keep it in";
            return reply(Err(ErrorReply::new(Code::ConfigUnsaved, text)));
        }
        let name: String = contacts::plain(name.trim()).chars().take(NAME).collect();
        let file = RingFile { file: path.clone(), name, ..RingFile::default() };
        let work = spawn_blocking(move || keep(&path, &received(&wav)?));
        self.later(work, move |desk, now, kept| {
            let kept = kept
                .unwrap_or_else(|error| Err(ErrorReply::new(Code::Internal, error.to_string())));
            if kept.is_ok() {
                desk.use_ring(now, source, file);
            }
            reply(kept.map(|()| Answer::done()));
        });
    }

    fn use_ring(&mut self, now: Instant, source: RingSource, file: RingFile) {
        *self.settings.config.audio.rings.of_mut(source) = file;
        self.sounds.ring_trial = None;
        self.keep_settings(now);
        self.publisher.changed();
    }

    /// The command: a ring tone is tried, or no longer. Not while there is a call.
    pub(super) fn try_ring(
        &mut self,
        now: Instant,
        source: Option<RingSource>,
    ) -> Result<Answer, ErrorReply> {
        if source.is_some() && self.calls.iter().next().is_some() {
            return Err(ErrorReply::new(Code::WrongState, "there is a call"));
        }
        self.sounds.ring_trial = source.map(|source| (source, now + TRIAL));
        self.publisher.changed();
        Ok(Answer::done())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn door_queue_colleague_and_others_ring_apart() {
        let ring = |asked: &str, queue: bool, colleague: bool| {
            tone_of(&AudioSettings::default(), source_of(asked, queue, || colleague))
        };
        assert_eq!(ring("", false, false), RingTone::Bell);
        assert_eq!(
            ring("<http://x/Bellcore-dr2>;info=alert-external", false, false),
            RingTone::Bell
        );
        assert_eq!(ring("", false, true), RingTone::Chime);
        assert_eq!(ring("<urn:alert:source:Internal>", false, false), RingTone::Chime);
        assert_eq!(ring("", true, false), RingTone::Trill);
        assert_eq!(ring("alert-internal", true, true), RingTone::Trill);
        assert_eq!(ring("info=door", true, false), RingTone::Door);
    }

    #[test]
    fn a_sound_of_the_users_rings_for_the_source_it_was_chosen_for() {
        let mut audio = AudioSettings::default();
        let file = PathBuf::from("/rings/Gong.wav");
        *audio.rings.of_mut(RingSource::Queue) =
            RingFile { file: file.clone(), ..RingFile::default() };
        assert_eq!(tone_of(&audio, RingSource::Queue), RingTone::File(file));
        assert_eq!(tone_of(&audio, RingSource::Door), RingTone::Door);
        let shown = views(&audio);
        assert_eq!(shown.iter().filter(|view| view.own.is_some()).count(), 1);
        let queue = shown.iter().find(|view| view.source == RingSource::Queue).unwrap();
        assert_eq!(queue.own.as_deref(), Some("Gong"));
        audio.rings.of_mut(RingSource::Queue).name = "De \u{202e}gong\n".to_owned();
        let queue = views(&audio).into_iter().find(|view| view.source == RingSource::Queue);
        assert_eq!(queue.unwrap().own.as_deref(), Some("De gong"));
        // It stays so in the settings file.
        let text = toml::to_string(&audio).unwrap();
        assert_eq!(toml::from_str::<AudioSettings>(&text).unwrap(), audio, "{text}");
    }

    fn sine(seconds: f32, loud: f32) -> Vec<f32> {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a length")]
        let samples = (seconds * 48_000.0) as u16;
        (0..samples).map(|n| (f32::from(n) * 0.05).sin() * loud).collect()
    }

    fn text(sound: &[f32]) -> String {
        STANDARD.encode(audio::encode_wav(sound).unwrap())
    }

    #[test]
    fn a_ring_tone_is_as_loud_as_ours_whatever_it_was() {
        for loud in [0.01, 0.4, 1.0] {
            let kept = received(&text(&sine(0.5, loud))).unwrap();
            let samples = audio::decode_wav(&kept).unwrap();
            let peak = samples.iter().fold(0.0_f32, |peak, sample| peak.max(sample.abs()));
            assert!((peak - PEAK).abs() < 0.01, "{loud}: {peak}");
            assert_eq!(samples.len(), 24_000);
        }
    }

    #[test]
    fn what_is_no_ring_tone_is_refused_with_why() {
        let code = |text: &str| received(text).unwrap_err().code;
        assert_eq!(code(&text(&sine(0.1, 0.5))), Code::RingLength);
        let mut long = audio::encode_wav(&sine(0.5, 0.5)).unwrap();
        // A header that promises more than there is.
        long[40..44].copy_from_slice(&4_000_000_u32.to_le_bytes());
        assert_eq!(code(&STANDARD.encode(&long)), Code::RingLength);
        long[40..44].copy_from_slice(&96_000_u32.to_le_bytes());
        assert_eq!(code(&STANDARD.encode(&long)), Code::RingUnreadable);
        assert_eq!(code(&text(&[0.0; 48_000])), Code::RingUnreadable);
        assert_eq!(code(&STANDARD.encode("OggS, which is no WAV file")), Code::RingUnreadable);
        assert_eq!(code("no base64!"), Code::RingUnreadable);
        assert_eq!(code(&"A".repeat(12_000_000)), Code::RingSize);
    }
}

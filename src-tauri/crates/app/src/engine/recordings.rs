//! Recordings of calls on this machine: begun by the user, told to the other side, deleted when their time is over.
//!
//! Inputs: the user's wishes, a file that can no longer be written, a call that ends, the start. States of a call: off, on,
//! paused, failed. Where the exchange records, its recording is the one that is shown and worked.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use call_control::{Call, CallId};
use media::{Recording, RecordingFormat, RecordingMark, StreamId};
use time::UtcDateTime;
use tokio::task::spawn_blocking;
use tracing::{debug, info, warn};

use super::commands::unknown_call;
use super::desk::Desk;
use super::line::Line;
use crate::code::Code;
use crate::config::{RecordingFormatName, RecordingSettings};
use crate::control::{Answer, ErrorReply};
use crate::view::recording::{RecordDo, RecordingName, RecordingSettingsView, RecordingView};

/// What the names of our files begin with; nothing else is ever deleted.
const PREFIX: &str = "balie-";
/// The longest that recordings are kept: ten years.
const MOST_DAYS: u32 = 3_650;
const DAY: Duration = Duration::from_secs(24 * 3600);

impl Desk {
    /// How calls are recorded here, as it is shown.
    pub(super) fn recording_settings_view(&self) -> RecordingSettingsView {
        let config = &self.settings.config;
        let settings = &config.recording;
        let text = |path: &Path| path.to_string_lossy().into_owned();
        RecordingSettingsView {
            enabled: settings.enabled,
            format: settings.format,
            folder: text(&settings.folder),
            folder_used: text(&settings.folder(&config.paths.data_dir)),
            announcement: text(&settings.announcement),
            keep_days: settings.keep_days,
        }
    }

    /// Changes how calls are recorded here. Where they no longer may be, those that are recorded now are so no longer.
    pub(super) fn set_recording(
        &mut self,
        now: Instant,
        wish: RecordingWish,
    ) -> Result<Answer, ErrorReply> {
        let settings = wish.over(&self.settings.config.recording)?;
        let stops = self.settings.config.recording.enabled && !settings.enabled;
        if stops {
            self.end_recordings();
        }
        debug!(from = ?self.settings.config.recording, to = ?settings, "recordings are set");
        self.settings.config.recording = settings;
        self.keep_settings(now);
        self.publisher.changed();
        Ok(Answer::done())
    }

    fn end_recordings(&mut self) {
        let recorded =
            |line: &&mut Line| matches!(line.recorded, RecordingName::On | RecordingName::Paused);
        let mut streams = Vec::new();
        for line in self.lines.values_mut().filter(recorded) {
            line.recorded = RecordingName::Off;
            streams.extend(line.stream());
        }
        streams.into_iter().for_each(|stream| self.end_recording(stream));
    }

    /// The recording of a call on this machine; none where calls are not recorded here.
    pub(super) fn local_recording_view(&self, line: &Line, talks: bool) -> Option<RecordingView> {
        if !self.settings.config.recording.enabled || line.media.is_none() {
            return None;
        }
        let may: &[RecordDo] = match (line.recorded, talks) {
            (RecordingName::Off | RecordingName::Failed, true) => &[RecordDo::Start],
            (RecordingName::Off | RecordingName::Failed, false) => &[],
            (RecordingName::On, _) => &[RecordDo::Stop, RecordDo::Pause],
            (RecordingName::Paused, _) => &[RecordDo::Stop, RecordDo::Resume],
        };
        Some(RecordingView { state: line.recorded, here: true, may: may.to_vec() })
    }

    /// Whether a call is recorded here, because its exchange does not.
    pub(super) fn records_here(&self, call: u64) -> bool {
        let line = self.lines.get(&CallId(call));
        self.settings.config.recording.enabled
            && line.is_some_and(|line| self.call_recording_view(line).is_none())
    }

    /// Does something with the recording of a call.
    pub(super) fn record_here(
        &mut self,
        now: Instant,
        call: u64,
        action: RecordDo,
    ) -> Result<Answer, ErrorReply> {
        let id = CallId(call);
        let talks = self.calls.get(id).is_some_and(talks);
        let line = self.lines.get(&id).ok_or_else(|| unknown_call(call))?;
        let view = self.local_recording_view(line, talks);
        if !view.is_some_and(|view| view.may.contains(&action)) {
            return Err(ErrorReply::new(Code::WrongState, "the call cannot be recorded so now"));
        }
        let stream = line.stream().ok_or_else(|| unknown_call(call))?;
        let recorded = match action {
            RecordDo::Start => {
                self.begin_recording(now, id, stream)?;
                RecordingName::On
            }
            RecordDo::Stop => {
                self.end_recording(stream);
                RecordingName::Off
            }
            RecordDo::Pause => {
                self.sounds.engine.pause_recording(stream, true);
                RecordingName::Paused
            }
            RecordDo::Resume => {
                self.sounds.engine.pause_recording(stream, false);
                RecordingName::On
            }
        };
        if let Some(line) = self.lines.get_mut(&id) {
            debug!(call, from = ?line.recorded, to = ?recorded, "recording");
            line.recorded = recorded;
        }
        self.publisher.changed();
        Ok(Answer::done())
    }

    fn begin_recording(
        &self,
        now: Instant,
        id: CallId,
        stream: StreamId,
    ) -> Result<(), ErrorReply> {
        self.forget_recordings();
        let settings = &self.settings.config.recording;
        let refused = |text: String| ErrorReply::new(Code::RecordingFailed, text);
        let folder = settings.folder(&self.settings.config.paths.data_dir);
        std::fs::create_dir_all(&folder).map_err(|error| refused(error.to_string()))?;
        let (format, ending) = match settings.format {
            RecordingFormatName::Opus => (RecordingFormat::Opus, "opus"),
            RecordingFormatName::Wav => (RecordingFormat::Wav, "wav"),
        };
        let mark = match settings.announcement.as_os_str().is_empty() {
            true => RecordingMark::Tone,
            false => RecordingMark::Announcement(settings.announcement.clone()),
        };
        let name = format!("{PREFIX}{}-call{}.{ending}", stamp(self.clock.ms(now)), id.0);
        let recording = Recording { path: folder.join(name), format, mark };
        let begun = self.sounds.engine.record(stream, Some(&recording));
        begun.map_err(|error| refused(error.to_string()))
    }

    fn end_recording(&self, stream: StreamId) {
        if let Err(error) = self.sounds.engine.record(stream, None) {
            debug!(%error, "the recording has ended already");
        }
    }

    /// A file can no longer be written.
    pub(super) fn recording_failed(&mut self, now: Instant, stream: StreamId) {
        self.end_recording(stream);
        if let Some(line) = self.call_with(stream).and_then(|id| self.lines.get_mut(&id)) {
            line.recorded = RecordingName::Failed;
        }
        self.notice(now, Code::RecordingFailed, None, true);
    }

    /// Deletes the recordings whose time is over, in the background.
    pub(super) fn forget_recordings(&self) {
        let settings = &self.settings.config.recording;
        let data = &self.settings.config.paths.data_dir;
        if data.as_os_str().is_empty() && settings.folder.as_os_str().is_empty() {
            return;
        }
        let (folder, age) = (settings.folder(data), DAY * settings.keep_days);
        let work = spawn_blocking(move || forget_older(&folder, age));
        self.later(work, |_, _, _| {});
    }
}

/// What is wanted of recordings here; what is left out stays.
#[derive(Debug, Default)]
pub(super) struct RecordingWish {
    pub(super) enabled: Option<bool>,
    pub(super) format: Option<RecordingFormatName>,
    pub(super) folder: Option<String>,
    pub(super) announcement: Option<String>,
    pub(super) keep_days: Option<u32>,
}

impl RecordingWish {
    /// The settings with the wish over them.
    fn over(self, settings: &RecordingSettings) -> Result<RecordingSettings, ErrorReply> {
        let bad = |text: &str| Err(ErrorReply::new(Code::BadValue, text));
        let path = |text: Option<String>, known: &PathBuf| {
            text.map_or_else(|| known.clone(), |text| PathBuf::from(text.trim()))
        };
        let wanted = RecordingSettings {
            enabled: self.enabled.unwrap_or(settings.enabled),
            format: self.format.unwrap_or(settings.format),
            folder: path(self.folder, &settings.folder),
            announcement: path(self.announcement, &settings.announcement),
            keep_days: self.keep_days.unwrap_or(settings.keep_days),
            unknown: settings.unknown.clone(),
        };
        let named = |path: &Path| !path.as_os_str().is_empty();
        if wanted.folder != settings.folder && named(&wanted.folder) && !wanted.folder.is_absolute()
        {
            return bad("the folder of recordings is named by its whole path");
        }
        let another = wanted.announcement != settings.announcement;
        if another && named(&wanted.announcement) && !is_wave(&wanted.announcement) {
            return bad("the announcement is a WAV file that is there, named by its whole path");
        }
        if !(1..=MOST_DAYS).contains(&wanted.keep_days) {
            return bad("recordings are kept for 1 to 3650 days");
        }
        Ok(wanted)
    }
}

fn is_wave(path: &Path) -> bool {
    let ending = path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("wav"));
    ending && path.is_absolute() && path.is_file()
}

/// Whether somebody talks in a call.
pub(super) fn talks(call: &Call) -> bool {
    call.answered().is_some() && call.end().is_none()
}

/// Deletes our files in a folder that are older than that.
fn forget_older(folder: &Path, age: Duration) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let ours = name.starts_with(PREFIX) && (name.ends_with(".opus") || name.ends_with(".wav"));
        let over = || {
            let written =
                entry.metadata().ok().filter(std::fs::Metadata::is_file)?.modified().ok()?;
            Some(is_over(written, age))
        };
        if ours && over() == Some(true) {
            match std::fs::remove_file(entry.path()) {
                Ok(()) => info!(%name, "a recording's time is over"),
                Err(error) => warn!(%error, %name, "a recording cannot be deleted"),
            }
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "files carry the time of day")]
fn is_over(written: SystemTime, age: Duration) -> bool {
    SystemTime::now().duration_since(written).is_ok_and(|old| old > age)
}

/// `20261127-003500` of milliseconds since 1970, in universal time.
fn stamp(ms: u64) -> String {
    let seconds = i64::try_from(ms / 1_000).unwrap_or_default();
    let at = UtcDateTime::from_unix_timestamp(seconds).unwrap_or(UtcDateTime::UNIX_EPOCH);
    let (year, month, day) = at.to_calendar_date();
    let (hour, minute, second) = at.as_hms();
    format!("{year:04}{:02}{day:02}-{hour:02}{minute:02}{second:02}", u8::from(month))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_named_by_the_time_they_began() {
        for (ms, text) in [
            (0, "19700101-000000"),
            (951_782_399_000, "20000228-235959"),
            (951_782_400_000, "20000229-000000"),
            (1_795_739_700_000, "20261127-003500"),
            (4_107_542_400_000, "21000301-000000"),
        ] {
            assert_eq!(stamp(ms), text);
        }
    }

    #[test]
    fn what_is_wished_is_laid_over_what_is_set_and_nonsense_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let wave = dir.path().join("hello.WAV");
        std::fs::write(&wave, "RIFF").unwrap();
        let text = |path: &Path| path.to_string_lossy().into_owned();
        let usual = RecordingSettings::default();
        let wish = RecordingWish {
            enabled: Some(true),
            folder: Some(format!(" {} ", text(dir.path()))),
            announcement: Some(text(&wave)),
            ..RecordingWish::default()
        };
        let set = wish.over(&usual).unwrap();
        assert_eq!((set.enabled, set.folder.as_path(), set.keep_days), (true, dir.path(), 30));
        assert_eq!(set.announcement, wave);
        let off = RecordingWish { enabled: Some(false), ..RecordingWish::default() };
        let off = off.over(&set).unwrap();
        assert_eq!(off, RecordingSettings { enabled: false, ..set.clone() });
        // What was set once may go away; it is judged when it is set, and told when a recording fails.
        std::fs::remove_file(&wave).unwrap();
        assert!(RecordingWish::default().over(&set).is_ok());
        for wrong in [
            RecordingWish { folder: Some("recordings".into()), ..RecordingWish::default() },
            RecordingWish { announcement: Some("hello.wav".into()), ..RecordingWish::default() },
            RecordingWish { announcement: Some(text(&wave)), ..RecordingWish::default() },
            RecordingWish { announcement: Some(text(dir.path())), ..RecordingWish::default() },
            RecordingWish { keep_days: Some(0), ..RecordingWish::default() },
            RecordingWish { keep_days: Some(MOST_DAYS + 1), ..RecordingWish::default() },
        ] {
            assert_eq!(wrong.over(&usual).unwrap_err().code, Code::BadValue);
        }
    }

    #[test]
    fn only_our_own_old_files_are_deleted() {
        let dir = tempfile::tempdir().unwrap();
        let make = |name: &str, days: u64| {
            let file = std::fs::File::create(dir.path().join(name)).unwrap();
            #[expect(clippy::disallowed_methods, reason = "files carry the time of day")]
            let then = SystemTime::now() - DAY * u32::try_from(days).unwrap();
            file.set_modified(then).unwrap();
        };
        for (name, days) in [
            ("balie-1.opus", 31),
            ("balie-2.wav", 31),
            ("balie-3.opus", 29),
            ("balie-4.txt", 31),
            ("holiday.wav", 31),
        ] {
            make(name, days);
        }
        forget_older(dir.path(), DAY * 30);
        let mut left: Vec<_> = std::fs::read_dir(dir.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        left.sort();
        assert_eq!(left, ["balie-3.opus", "balie-4.txt", "holiday.wav"]);
    }
}

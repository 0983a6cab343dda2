//! Recordings of calls as WAV files, written while the call goes on, by a thread of their own: the disk may be slow.
//!
//! Inputs: from the media task `open`, `push`, and the end by dropping. States of a file: being written under the name
//! `….part`, whole under its own.

use std::fs::{File, OpenOptions};
use std::io::{BufWriter, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};

use crate::acd::date_time;
use crate::endpoint::sample;
use crate::letters::wav_head;
use crate::mixer::Block;
use crate::pbx::CallNumber;

/// Blocks of 10 ms that may wait for the disk: ten seconds.
const BACKLOG: usize = 1_000;
/// Recordings at once: each has a thread.
pub(crate) const RECORDINGS: usize = 64;

/// Whose recording it is, and of when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Title {
    /// The line that records.
    pub(crate) line: String,
    /// When, seconds since 1970-01-01 0:00 local time.
    pub(crate) local_s: i64,
    /// Tells this recording from all others.
    pub(crate) token: String,
}

impl Title {
    /// The name of the file: nothing of it is anybody else's words.
    fn file_name(&self) -> String {
        let clean =
            |text: &str| -> String { text.chars().filter(char::is_ascii_alphanumeric).collect() };
        let at = date_time(self.local_s);
        format!(
            "recording-{}-{:04}{:02}{:02}-{:02}{:02}{:02}-{}.wav",
            clean(&self.line),
            at.year,
            at.month,
            at.day,
            at.hour,
            at.minute,
            at.second,
            clean(&self.token)
        )
    }
}

/// What becomes of a recording.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum RecordingNews {
    /// The file is open.
    Started,
    /// The file is whole.
    Stored(PathBuf),
    /// It cannot be written.
    Failed,
}

/// A recording that goes on; it ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Recorder {
    blocks: SyncSender<Vec<i16>>,
    pub(crate) is_paused: bool,
}

impl Recorder {
    /// Begins a recording in `folder`; `tell` hears what becomes of it, from the thread that writes.
    pub(crate) fn open(
        folder: PathBuf,
        title: Title,
        tell: impl Fn(RecordingNews) + Send + 'static,
    ) -> Self {
        let (blocks, incoming) = sync_channel(BACKLOG);
        tokio::task::spawn_blocking(move || match write(&folder, &title, &incoming, &tell) {
            Ok(file) => {
                tracing::info!(file = %file.display(), "recording stored");
                tell(RecordingNews::Stored(file));
            }
            Err(error) => {
                tracing::error!(%error, "the recording cannot be written");
                tell(RecordingNews::Failed);
            }
        });
        Self { blocks, is_paused: false }
    }

    /// Takes 10 ms. False when nobody writes any more.
    pub(crate) fn push(&self, block: &Block) -> bool {
        if self.is_paused {
            return true;
        }
        match self.blocks.try_send(block.chunks(3).map(sample).collect()) {
            Ok(()) => true,
            Err(TrySendError::Full(_)) => {
                tracing::warn!("the disk is too slow for a recording: 10 ms are missing");
                true
            }
            Err(TrySendError::Disconnected(_)) => false,
        }
    }
}

fn write(
    folder: &Path,
    title: &Title,
    blocks: &Receiver<Vec<i16>>,
    tell: &impl Fn(RecordingNews),
) -> std::io::Result<PathBuf> {
    std::fs::create_dir_all(folder)?;
    let file = folder.join(title.file_name());
    // Under another name until it is whole, for those who watch the folder.
    let part = file.with_extension("part");
    let mut out = BufWriter::new(create(&part)?);
    out.write_all(&wav_head(0))?;
    tell(RecordingNews::Started);
    let mut samples = 0;
    while let Ok(block) = blocks.recv() {
        samples += block.len();
        let bytes: Vec<u8> = block.iter().flat_map(|sample| sample.to_le_bytes()).collect();
        out.write_all(&bytes)?;
    }
    let mut out = out.into_inner().map_err(std::io::IntoInnerError::into_error)?;
    out.seek(SeekFrom::Start(0))?;
    out.write_all(&wav_head(samples))?;
    out.sync_all()?;
    std::fs::rename(&part, &file)?;
    Ok(file)
}

/// A new file that only its owner can read: it holds what people said.
fn create(path: &Path) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// What the media task is to do with the recording of a call.
#[derive(Debug)]
pub(crate) enum Record {
    /// Begin, with what is said in this room.
    Start(crate::mixer::RoomId, Box<Title>),
    /// Go on in another room.
    Move(crate::mixer::RoomId),
    /// Leave out what is said from now on.
    Pause,
    /// Take it in again.
    Resume,
    /// End.
    Stop,
}

/// News of a recording, with the call it is of.
pub(crate) type Recorded = (CallNumber, RecordingNews);

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;
    use std::time::Duration;

    use super::*;
    use crate::letters::RATE;
    use crate::speech::BLOCK;

    fn title() -> Title {
        // 2026-07-01 12:34:56.
        Title { line: "../104".into(), local_s: 1_782_909_296, token: "abc/234".into() }
    }

    #[test]
    fn a_recording_is_whole_when_it_has_its_name() {
        let folder = tempfile::tempdir().unwrap();
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let (news, told) = channel();
        let inside = runtime.enter();
        let mut recorder = Recorder::open(folder.path().join("calls"), title(), move |what| {
            news.send(what).unwrap();
        });
        let next = || told.recv_timeout(Duration::from_secs(20)).unwrap();
        assert_eq!(next(), RecordingNews::Started);
        for at in 0..200 {
            // The second second is left out.
            recorder.is_paused = at >= 100;
            assert!(recorder.push(&[0.5; BLOCK]));
        }
        drop(recorder);
        let RecordingNews::Stored(file) = next() else { panic!("not stored") };
        drop(inside);
        let name = file.file_name().unwrap().to_str().unwrap();
        assert_eq!(name, "recording-104-20260701-123456-abc234.wav");
        let mut read = hound::WavReader::open(&file).unwrap();
        assert_eq!((read.spec().sample_rate, read.duration() / RATE), (RATE, 1));
        assert!(read.samples::<i16>().all(|sample| (sample.unwrap() - 16_383).abs() < 2));
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let taken = folder.path().join("file");
        std::fs::write(&taken, b"").unwrap();
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let (news, told) = channel();
        let inside = runtime.enter();
        let _recorder = Recorder::open(taken, title(), move |what| news.send(what).unwrap());
        let first = told.recv_timeout(Duration::from_secs(20)).unwrap();
        drop(inside);
        assert_eq!(first, RecordingNews::Failed);
    }
}

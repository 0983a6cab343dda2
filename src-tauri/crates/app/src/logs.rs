//! The log of a program: JSON lines in files of bounded size, warnings on standard error.
//!
//! The newest lines stand in the file that was named, older ones in `FILE.1` to `FILE.4`; what is older still is
//! gone. Nothing secret is ever logged; who called whom is, so the files are for their owner alone.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Seek, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, fmt};

/// Bytes of one file, unless said otherwise.
pub const FILE_BYTES: u64 = 5 * 1024 * 1024;
/// Files of one log, the newest included.
const FILES: u32 = 5;
/// What may be logged, in the words of `tracing`.
const VARIABLE: &str = "BALIE_LOG";

/// Where a program logs to.
#[derive(Debug, Clone, Copy)]
pub struct LogOptions<'a> {
    /// The file; none: only standard error.
    pub file: Option<&'a Path>,
    /// Bytes of one file, at least 1024.
    pub file_bytes: u64,
    /// What the file holds unless the environment says otherwise: `debug`, `info` …
    pub level: &'a str,
    /// Warnings also go to standard error.
    pub stderr: bool,
}

/// The log of this process. Without it, the process may end in the middle of making place for a new file.
#[must_use = "the file is closed when this is dropped"]
#[derive(Debug)]
pub struct Log {
    file: Option<Lines>,
}

impl Log {
    /// Closes the file after the line that is being written; later lines only go to standard error.
    pub fn close(&self) {
        if let Some(file) = &self.file {
            *file.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
        }
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        self.close();
    }
}

/// Where lines go until the log is closed; each line is one write.
#[derive(Debug, Clone)]
struct Lines(Arc<Mutex<Option<RotatingFile>>>);

impl Lines {
    fn to(file: RotatingFile) -> Lines {
        Lines(Arc::new(Mutex::new(Some(file))))
    }
}

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut file = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        file.as_mut().map_or(Ok(bytes.len()), |file| file.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        let mut file = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        file.as_mut().map_or(Ok(()), Write::flush)
    }
}

/// Starts the log of this process; once.
///
/// # Errors
/// When the file cannot be opened, or a log was started before.
pub fn start(options: LogOptions<'_>) -> io::Result<Log> {
    let filter = |default: &str| {
        EnvFilter::try_from_env(VARIABLE).unwrap_or_else(|_| EnvFilter::new(default))
    };
    let open = |path| RotatingFile::open(path, options.file_bytes);
    let file = options.file.map(open).transpose()?.map(Lines::to);
    let lines = file.clone().map(|file| {
        let writer = move || file.clone();
        fmt::layer().json().with_writer(writer).with_filter(filter(options.level))
    });
    let errors =
        options.stderr.then(|| fmt::layer().with_writer(io::stderr).with_filter(filter("warn")));
    let started = tracing_subscriber::registry().with(lines).with(errors).try_init();
    started.map_err(|error| io::Error::other(error.to_string()))?;
    Ok(Log { file })
}

/// A file that makes place for a new one when it is full.
#[derive(Debug)]
struct RotatingFile {
    path: PathBuf,
    file: File,
    written: u64,
    limit: u64,
}

impl RotatingFile {
    /// Goes on where the last run has ended.
    fn open(path: &Path, limit: u64) -> io::Result<RotatingFile> {
        let file = open(path, false)?;
        let written = file.metadata()?.len();
        Ok(RotatingFile { path: path.to_owned(), file, written, limit: limit.max(1024) })
    }

    /// The full file becomes the first of the older ones. A number that is free, left by a process that was ended
    /// here, is filled first. A folder that allows no such thing costs what has been written, never more than the
    /// limit of one file.
    fn rotate(&mut self) -> io::Result<()> {
        self.file.flush()?;
        let name = |number: u32| match number {
            0 => self.path.clone(),
            _ => {
                let mut name = self.path.clone().into_os_string();
                name.push(format!(".{number}"));
                PathBuf::from(name)
            }
        };
        let free = (1..FILES).find(|number| !name(*number).exists()).unwrap_or(FILES - 1);
        let mut moved = Ok(());
        for number in (0..free).rev() {
            moved = moved.and_then(|()| fs::rename(name(number), name(number + 1)));
        }
        match moved.and_then(|()| open(&self.path, true)) {
            Ok(file) => self.file = file,
            Err(_) => {
                self.file.set_len(0)?;
                self.file.rewind()?;
            }
        }
        self.written = 0;
        Ok(())
    }
}

impl Write for RotatingFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        // Every write is a whole line, which is not divided.
        if self.written > 0 && self.written.saturating_add(length) > self.limit {
            self.rotate()?;
        }
        let done = self.file.write(bytes)?;
        self.written = self.written.saturating_add(u64::try_from(done).unwrap_or(u64::MAX));
        Ok(done)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

fn open(path: &Path, fresh: bool) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.create(true).append(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    let file = options.open(path)?;
    if fresh {
        file.set_len(0)?;
    }
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(number: usize) -> String {
        format!("{{\"line\":{number:04},\"text\":\"{}\"}}\n", "x".repeat(70))
    }

    /// The files of a log by age, the newest first.
    fn texts(path: &Path) -> Vec<String> {
        let older = (1..10).map(|number| PathBuf::from(format!("{}.{number}", path.display())));
        let all = std::iter::once(path.to_owned()).chain(older);
        all.map_while(|path| fs::read_to_string(path).ok()).collect()
    }

    #[test]
    fn the_newest_lines_are_kept_whole_in_five_files() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("balie.log");
        let mut log = RotatingFile::open(&path, 1024).unwrap();
        for number in 0..200 {
            log.write_all(line(number).as_bytes()).unwrap();
        }
        let files = texts(&path);
        assert_eq!(files.len(), 5);
        assert!(files.iter().all(|text| text.len() <= 1024 && text.ends_with('\n')));
        let kept: String = files.iter().rev().map(String::as_str).collect();
        let lines = kept.lines().count();
        let expected: String = (200 - lines..200).map(line).collect();
        assert_eq!(kept, expected);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 5);
    }

    #[test]
    fn a_number_left_free_is_filled_and_nothing_is_lost() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("balie.log");
        let older = |number: u32| PathBuf::from(format!("{}.{number}", path.display()));
        for number in [1, 2, 4] {
            fs::write(older(number), format!("{number}")).unwrap();
        }
        let mut log = RotatingFile::open(&path, 1024).unwrap();
        log.write_all(&[b'n'; 1024]).unwrap();
        log.write_all(b"fresh").unwrap();
        let all = texts(&path);
        assert_eq!(all[0], "fresh");
        assert_eq!(all[2..], ["1", "2", "4"]);
    }

    #[test]
    fn a_closed_log_is_left_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("balie.log");
        let mut file = Lines::to(RotatingFile::open(&path, 1024).unwrap());
        let log = Log { file: Some(file.clone()) };
        file.write_all(b"kept").unwrap();
        drop(log);
        file.write_all(b"late").unwrap();
        assert_eq!(texts(&path), ["kept"]);
    }

    #[test]
    fn another_run_goes_on_with_the_same_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("balie.log");
        for number in 0..3 {
            let mut log = RotatingFile::open(&path, 1024).unwrap();
            log.write_all(line(number).as_bytes()).unwrap();
        }
        assert_eq!(texts(&path), [(0..3).map(line).collect::<String>()]);
        let mut log = RotatingFile::open(&path, 1024).unwrap();
        for number in 3..12 {
            log.write_all(line(number).as_bytes()).unwrap();
        }
        assert_eq!(texts(&path).len(), 2);
    }

    #[test]
    fn a_long_line_is_written_all_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("balie.log");
        let mut log = RotatingFile::open(&path, 1024).unwrap();
        let long = "y".repeat(5000);
        log.write_all(b"short\n").unwrap();
        log.write_all(long.as_bytes()).unwrap();
        assert_eq!(texts(&path), [long, "short\n".to_owned()]);
    }

    #[cfg(unix)]
    #[test]
    fn the_files_are_their_owners_alone() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("balie.log");
        drop(RotatingFile::open(&path, 1024).unwrap());
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn a_folder_that_is_not_there_is_told() {
        assert!(RotatingFile::open(Path::new("/nowhere/at/all.log"), 1024).is_err());
    }
}

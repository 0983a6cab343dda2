//! Words for the running program from a second process, and what came of them.
//!
//! One line of JSON each way: the words of the command line there, [`Said`] back. The way is a socket in the folder of the
//! settings, which only its owner may write to; on Windows a pipe that is named after that folder and takes its owner only.

use std::future::Future;
use std::io::{self, BufRead as _, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::io::{
    AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _,
};
use tokio::sync::Semaphore;

/// Longest line, bytes: words of a command line are short.
const LINE: u64 = 16 * 1024;
/// How long either side waits for the other.
const PATIENCE: Duration = Duration::from_secs(10);
/// Processes that are heard at the same time.
const AT_ONCE: usize = 8;

/// What came of words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Said {
    /// It was done.
    pub done: bool,
    /// Why not, in a stable word; empty when it was done.
    #[serde(default)]
    pub code: String,
    /// The same for a log.
    #[serde(default)]
    pub message: String,
}

impl Said {
    /// It was done.
    pub fn done() -> Said {
        Said { done: true, code: String::new(), message: String::new() }
    }

    /// It was refused.
    pub fn refused(code: impl Into<String>, message: impl Into<String>) -> Said {
        Said { done: false, code: code.into(), message: message.into() }
    }
}

/// Where the running program hears words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place(PathBuf);

impl Place {
    /// The place that belongs to a folder of settings.
    pub fn of(folder: &Path) -> Place {
        Place(place_of(folder))
    }
}

/// Gives words to the running program and waits for what comes of them.
///
/// # Errors
/// When no program hears them, or it does not answer in time.
pub fn ask(place: &Place, words: &[String]) -> io::Result<Said> {
    let mut way = connect(&place.0)?;
    let mut line = serde_json::to_vec(words)?;
    line.push(b'\n');
    way.write_all(&line)?;
    way.flush()?;
    let mut answer = String::new();
    io::BufReader::new(way).take(LINE).read_line(&mut answer)?;
    Ok(serde_json::from_str(&answer)?)
}

/// Hears words from now on and answers each; returns when the place cannot be used any more.
///
/// # Errors
/// When nothing can be heard there.
pub async fn serve<Answer, Answered>(place: Place, answer: Answer) -> io::Result<()>
where
    Answer: Fn(Vec<String>) -> Answered + Clone + Send + 'static,
    Answered: Future<Output = Said> + Send,
{
    let mut listener = Listener::bind(&place.0)?;
    let room = Arc::new(Semaphore::new(AT_ONCE));
    loop {
        let way = listener.accept().await?;
        let Ok(held) = room.clone().acquire_owned().await else { return Ok(()) };
        let answer = answer.clone();
        tokio::spawn(async move {
            let heard = tokio::time::timeout(PATIENCE, hear(way, answer)).await;
            match heard {
                Ok(Ok(())) => {}
                Ok(Err(error)) => tracing::debug!(%error, "words were not understood"),
                Err(_) => tracing::debug!("somebody who wanted to say something said nothing"),
            }
            drop(held);
        });
    }
}

async fn hear<Way, Answer, Answered>(way: Way, answer: Answer) -> io::Result<()>
where
    Way: AsyncRead + AsyncWrite + Unpin,
    Answer: Fn(Vec<String>) -> Answered,
    Answered: Future<Output = Said>,
{
    let mut way = tokio::io::BufReader::new(way);
    let mut line = String::new();
    (&mut way).take(LINE).read_line(&mut line).await?;
    let said = match serde_json::from_str::<Vec<String>>(&line) {
        Ok(words) => answer(words).await,
        Err(error) => Said::refused("bad_request", error.to_string()),
    };
    let mut line = serde_json::to_vec(&said)?;
    line.push(b'\n');
    way.write_all(&line).await?;
    way.flush().await
}

#[cfg(unix)]
use self::unix::{Listener, connect, place_of};
#[cfg(windows)]
use self::windows::{Listener, connect, place_of};

#[cfg(unix)]
mod unix {
    use std::io;
    use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
    use std::os::unix::net::UnixStream as Stream;
    use std::path::{Path, PathBuf};

    use tokio::net::{UnixListener, UnixStream};

    use super::PATIENCE;

    pub(super) fn place_of(folder: &Path) -> PathBuf {
        folder.join("desk.sock")
    }

    pub(super) fn connect(place: &Path) -> io::Result<Stream> {
        let way = Stream::connect(place)?;
        way.set_read_timeout(Some(PATIENCE))?;
        way.set_write_timeout(Some(PATIENCE))?;
        Ok(way)
    }

    pub(super) struct Listener {
        socket: UnixListener,
        place: PathBuf,
    }

    impl Listener {
        pub(super) fn bind(place: &Path) -> io::Result<Listener> {
            if Stream::connect(place).is_ok() {
                return Err(io::Error::new(
                    io::ErrorKind::AddrInUse,
                    "another program hears there",
                ));
            }
            if let Some(folder) = place.parent() {
                std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
            }
            // What an earlier run left behind.
            match std::fs::remove_file(place) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
            let socket = UnixListener::bind(place)?;
            std::fs::set_permissions(place, std::fs::Permissions::from_mode(0o600))?;
            Ok(Listener { socket, place: place.to_owned() })
        }

        pub(super) async fn accept(&mut self) -> io::Result<UnixStream> {
            Ok(self.socket.accept().await?.0)
        }
    }

    impl Drop for Listener {
        fn drop(&mut self) {
            if let Err(error) = std::fs::remove_file(&self.place) {
                tracing::debug!(%error, "the place where words were heard is left behind");
            }
        }
    }
}

#[cfg(windows)]
mod windows {
    use std::fs::{File, OpenOptions};
    use std::hash::{DefaultHasher, Hash as _, Hasher as _};
    use std::io;
    use std::path::{Path, PathBuf};

    use tokio::net::windows::named_pipe::{NamedPipeServer, ServerOptions};

    pub(super) fn place_of(folder: &Path) -> PathBuf {
        let mut name = DefaultHasher::new();
        folder.to_string_lossy().to_lowercase().hash(&mut name);
        PathBuf::from(format!(r"\\.\pipe\balie-{:016x}", name.finish()))
    }

    pub(super) fn connect(place: &Path) -> io::Result<File> {
        OpenOptions::new().read(true).write(true).open(place)
    }

    pub(super) struct Listener {
        next: NamedPipeServer,
        place: PathBuf,
    }

    impl Listener {
        pub(super) fn bind(place: &Path) -> io::Result<Listener> {
            // Nobody else may have made a pipe of this name; the default rights let only its owner write.
            let next = ServerOptions::new().first_pipe_instance(true).create(place)?;
            Ok(Listener { next, place: place.to_owned() })
        }

        pub(super) async fn accept(&mut self) -> io::Result<NamedPipeServer> {
            self.next.connect().await?;
            let another = ServerOptions::new().create(&self.place)?;
            Ok(std::mem::replace(&mut self.next, another))
        }
    }
}

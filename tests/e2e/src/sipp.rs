//! SIPp with a scenario of ours: the peer that does what no well-behaved one would.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

use crate::SERVER;
use crate::process::Process;

/// Port that SIPp speaks from unless said otherwise.
pub const PORT: u16 = 5090;

/// How to run one scenario.
#[derive(Debug, Clone)]
pub struct Options {
    /// Name of the file, without its ending.
    pub scenario: String,
    /// Folder of it inside `lab`.
    pub shelf: &'static str,
    /// Its own address.
    pub host: String,
    /// Its own port.
    pub port: u16,
    /// Where it sends to; none: it waits for a request.
    pub remote: Option<String>,
    /// Words put in for `[name]` in the scenario.
    pub keys: Vec<(String, String)>,
    /// True: repetitions are shown to the scenario instead of being answered behind its back.
    pub shows_repetitions: bool,
    /// Fixed Call-ID.
    pub call_id: Option<String>,
    /// How many calls it makes or takes.
    pub calls: u32,
    /// Calls begun in ten seconds.
    pub rate: u32,
    /// Ends by itself after this many seconds.
    pub seconds: u32,
}

impl Options {
    /// A scenario that waits on the server's end of the wire.
    #[must_use]
    pub fn waiting(scenario: &str) -> Self {
        Self {
            scenario: scenario.to_owned(),
            shelf: "sipp",
            host: SERVER.to_owned(),
            port: PORT,
            remote: None,
            keys: Vec::new(),
            shows_repetitions: false,
            call_id: None,
            calls: 1,
            rate: 100,
            seconds: 90,
        }
    }

    /// A scenario that calls `user` at `remote`, host and port.
    #[must_use]
    pub fn calling(scenario: &str, user: &str, remote: &str) -> Self {
        let options = Self { remote: Some(remote.to_owned()), ..Self::waiting(scenario) };
        options.with_key("service", user)
    }

    /// The same with a word put in.
    #[must_use]
    pub fn with_key(mut self, name: &str, value: &str) -> Self {
        self.keys.push((name.to_owned(), value.to_owned()));
        self
    }

    /// SIPp takes no words of ours in the place of a status, so they are put in before it reads the scenario.
    fn command(&self, folder: &Path) -> Result<Command> {
        let shelf = crate::root().join("tests/e2e/lab").join(self.shelf);
        let file = shelf.join(format!("{}.xml", self.scenario));
        let text = std::fs::read_to_string(&file).with_context(|| file.display().to_string())?;
        let text = self
            .keys
            .iter()
            .fold(text, |text, (name, value)| text.replace(&format!("[{name}]"), value));
        let file = file_in(folder, &self.scenario, "xml");
        std::fs::write(&file, text)?;
        let mut command = Command::new("sipp");
        command.arg("-sf").arg(file).current_dir(folder);
        let (port, calls) = (self.port.to_string(), self.calls.to_string());
        command.args(["-i", &self.host, "-p", &port, "-m", &calls, "-nostdin"]);
        command.args(["-r", &self.rate.to_string(), "-rp", "10000"]);
        command.args([
            "-timeout",
            &self.seconds.to_string(),
            "-timeout_error",
            "-trace_err",
            "-trace_msg",
            "-trace_logs",
        ]);
        for (option, name) in
            [("-error_file", "errors"), ("-message_file", "messages"), ("-log_file", "logs")]
        {
            command.arg(option).arg(file_in(folder, &self.scenario, name));
        }
        if self.shows_repetitions {
            command.arg("-nr");
        }
        if let Some(call_id) = &self.call_id {
            command.args(["-cid_str", call_id]);
        }
        if let Some(remote) = &self.remote {
            command.arg(remote);
        }
        Ok(command)
    }
}

/// The folder of the scenarios.
#[must_use]
pub fn scenarios() -> PathBuf {
    crate::root().join("tests/e2e/lab/sipp")
}

fn file_in(folder: &Path, scenario: &str, kind: &str) -> PathBuf {
    folder.join(format!("{scenario}.{kind}"))
}

/// A running SIPp.
pub struct Sipp {
    process: Process,
    scenario: String,
    folder: PathBuf,
}

impl Sipp {
    /// Starts a scenario; one that waits is listening when this returns.
    ///
    /// # Errors
    /// When it cannot be started or does not listen.
    pub fn start(options: &Options, folder: &Path) -> Result<Self> {
        let name = format!("sipp-{}", options.scenario);
        let process = Process::start(&name, &mut options.command(folder)?, folder)?;
        let mut sipp =
            Self { process, scenario: options.scenario.clone(), folder: folder.to_path_buf() };
        if options.remote.is_none() {
            let heard = crate::poll("SIPp to listen", Duration::from_secs(10), || {
                (sipp.process.ended().is_some() || listens(options.port)).then_some(())
            });
            heard.with_context(|| sipp.story())?;
        }
        Ok(sipp)
    }

    /// Its process id: part of the tags it makes.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// Whether all calls are over.
    pub fn is_over(&mut self) -> bool {
        self.process.ended().is_some()
    }

    /// Waits until the scenario is over.
    ///
    /// # Errors
    /// When it did not go as written, or not in time; the error tells what SIPp saw.
    pub fn finish(&mut self, limit: Duration) -> Result<()> {
        let what = format!("{} to be over", self.scenario);
        let status =
            crate::poll(&what, limit, || self.process.ended()).with_context(|| self.story())?;
        if !status.success() {
            bail!("{}: {status}; {}", self.scenario, self.story());
        }
        Ok(())
    }

    /// Waits for a line of the scenario's own log.
    ///
    /// # Errors
    /// When none came in time.
    pub fn logged(&self, limit: Duration) -> Result<String> {
        let path = file_in(&self.folder, &self.scenario, "logs");
        crate::poll("a line in the scenario's log", limit, || {
            let text = std::fs::read_to_string(&path).ok()?;
            let line = text.lines().next()?.trim();
            // Written whole or not at all: the line ends with a break.
            (text.ends_with('\n') && !line.is_empty()).then(|| line.to_owned())
        })
        .with_context(|| self.story())
    }

    /// Its own words on what went wrong, and the last messages.
    fn story(&self) -> String {
        let read = |kind: &str, count: usize| {
            let path = file_in(&self.folder, &self.scenario, kind);
            let text = std::fs::read(path).unwrap_or_default();
            let text = String::from_utf8_lossy(&text).into_owned();
            let start = text.char_indices().rev().nth(count).map_or(0, |(at, _)| at);
            text.get(start..).unwrap_or_default().to_owned()
        };
        format!("errors: {}\nlast messages: {}", read("errors", 1_500), read("messages", 4_000))
    }
}

/// True when somebody has the UDP port.
fn listens(port: u16) -> bool {
    let ending = format!(":{port:04X}");
    ["/proc/net/udp", "/proc/net/udp6"].iter().any(|table| {
        let text = std::fs::read_to_string(table).unwrap_or_default();
        text.lines().any(|line| {
            line.split_whitespace().nth(1).is_some_and(|address| address.ends_with(&ending))
        })
    })
}

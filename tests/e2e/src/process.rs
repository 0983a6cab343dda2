//! A program that ends when its owner goes, with the programs it has started in turn.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};

/// A running program; dropping it kills it, by the id of its own group, and waits for it.
pub struct Process {
    child: Child,
    name: String,
    log: PathBuf,
}

impl Process {
    /// Starts a program with its output in a log file inside `folder`.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(name: &str, command: &mut Command, folder: &Path) -> Result<Self> {
        Self::spawn(name, command.stdin(Stdio::null()), folder)
    }

    /// The same with its standard input kept open for commands.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start_with_input(
        name: &str,
        command: &mut Command,
        folder: &Path,
    ) -> Result<(Self, ChildStdin)> {
        let mut process = Self::spawn(name, command.stdin(Stdio::piped()), folder)?;
        let stdin = process.child.stdin.take().context("no standard input")?;
        Ok((process, stdin))
    }

    fn spawn(name: &str, command: &mut Command, folder: &Path) -> Result<Self> {
        let log = folder.join(format!("{name}.log"));
        let out = File::create(&log)?;
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(command, 0);
        let child = command
            .stdout(out.try_clone()?)
            .stderr(out)
            .spawn()
            .with_context(|| format!("cannot start {name}"))?;
        Ok(Self { child, name: name.to_owned(), log })
    }

    /// Its process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Process ids of what it forked, children first.
    #[must_use]
    pub fn children(&self) -> Vec<u32> {
        let mut found = Vec::new();
        let mut open = vec![self.id()];
        while let Some(id) = open.pop() {
            let path = format!("/proc/{id}/task/{id}/children");
            let text = std::fs::read_to_string(path).unwrap_or_default();
            let children = text.split_whitespace().filter_map(|word| word.parse::<u32>().ok());
            for child in children {
                found.push(child);
                open.push(child);
            }
        }
        found
    }

    /// How it ended, once it has.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    /// What it printed so far.
    #[must_use]
    pub fn output(&self) -> String {
        let mut bytes = Vec::new();
        if let Ok(mut file) = File::open(&self.log) {
            let _ = file.read_to_end(&mut bytes);
        }
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Waits until it printed `text`.
    ///
    /// # Errors
    /// When it did not in time; the error holds the end of what it did print.
    pub fn wait_for(&self, text: &str, limit: Duration) -> Result<()> {
        crate::poll(&format!("{} to say {text:?}", self.name), limit, || {
            self.output().contains(text).then_some(())
        })
        .with_context(|| {
            let output = self.output();
            let start = output.len().saturating_sub(3_000);
            output.get(start..).unwrap_or_default().to_owned()
        })
    }

    /// It and its workers do nothing any more, and hold what they have.
    ///
    /// # Errors
    /// When they cannot be told so.
    pub fn freeze(&self) -> Result<()> {
        let group = format!("-{}", self.id());
        let status = Command::new("kill").args(["-STOP", "--", &group]).status()?;
        ensure!(status.success(), "kill -STOP: {status}");
        Ok(())
    }

    /// Kills it now, as a power cut would. A server's workers are of its group and go with it.
    pub fn kill(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            let group = format!("-{}", self.child.id());
            let _ = Command::new("kill").args(["-KILL", "--", &group]).status();
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

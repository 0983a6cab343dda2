//! A network namespace of its own: it belongs to a sleeping process and goes with it.

use std::ffi::OsStr;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, Result, bail, ensure};

/// The namespace.
pub struct Namespace {
    holder: Child,
    /// What of the system it has for itself, as `unshare` and `nsenter` say it.
    own: &'static [&'static str],
}

impl Namespace {
    /// A network of its own.
    ///
    /// # Errors
    /// When the system has no namespaces or we are not root in ours.
    pub fn build() -> Result<Self> {
        Self::unshare(&["--net"], "", OsStr::new(""))
    }

    /// A network of its own, where this file is the resolv.conf.
    ///
    /// # Errors
    /// As for [`Self::build`].
    pub fn with_names(resolv: &OsStr) -> Result<Self> {
        let mount = "mount --bind \"$0\" /etc/resolv.conf && ";
        Self::unshare(&["--net", "--mount"], mount, resolv)
    }

    fn unshare(own: &'static [&'static str], first: &str, name: &OsStr) -> Result<Self> {
        let mut holder = Command::new("unshare")
            .args(own)
            .args(["sh", "-c", &format!("{first}echo ready && exec sleep infinity")])
            .arg(name)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot unshare a namespace")?;
        let stdout = holder.stdout.take().context("no standard output")?;
        let namespace = Self { holder, own };
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line)?;
        ensure!(line.trim() == "ready", "the namespace was not built");
        namespace.ip("link set lo up")?;
        Ok(namespace)
    }

    /// The process that holds it, as `ip link … netns` takes it.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.holder.id()
    }

    /// A command that runs in it.
    #[must_use]
    pub fn enter(&self, program: &str) -> Command {
        let mut command = Command::new("nsenter");
        command.args(["-t", &self.id().to_string()]).args(self.own).args(["--", program]);
        command
    }

    /// Runs `ip` in it.
    ///
    /// # Errors
    /// When it fails.
    pub fn ip(&self, arguments: &str) -> Result<()> {
        done(self.enter("ip").args(arguments.split_whitespace()))
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        let _ = self.holder.kill();
        let _ = self.holder.wait();
    }
}

/// Runs `ip` where the program is.
///
/// # Errors
/// When it fails.
pub fn ip(arguments: &str) -> Result<()> {
    done(Command::new("ip").args(arguments.split_whitespace()))
}

/// Takes a link away that goes with a namespace in the kernel's own time: the next namespace needs its name.
pub fn forget_link(name: &str) {
    let _ = Command::new("ip").args(["link", "del", name]).stderr(Stdio::null()).status();
}

fn done(command: &mut Command) -> Result<()> {
    let output = command.output().with_context(|| format!("cannot run {command:?}"))?;
    if !output.status.success() {
        bail!("{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(())
}

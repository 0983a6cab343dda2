//! Saying what is done and how far it is, and running other programs.

use std::ffi::OsStr;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context as _, Result, bail};

/// Numbered steps of one command, each with its time.
pub(crate) struct Steps {
    total: usize,
    done: usize,
    started: Instant,
}

impl Steps {
    /// A plan of `total` steps.
    #[expect(clippy::disallowed_methods, reason = "the tool tells people how long things take")]
    pub(crate) fn new(total: usize) -> Self {
        Self { total, done: 0, started: Instant::now() }
    }

    /// Runs one step and tells its name before and its time after.
    #[expect(clippy::disallowed_methods, reason = "the tool tells people how long things take")]
    pub(crate) fn step<T>(&mut self, name: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
        self.done += 1;
        say(&format!("[{}/{}] {name}", self.done, self.total));
        let began = Instant::now();
        let result = work().with_context(|| name.to_owned())?;
        say(&format!(
            "[{}/{}] {name}: done in {:.0} s ({:.0} s in all)",
            self.done,
            self.total,
            began.elapsed().as_secs_f32(),
            self.started.elapsed().as_secs_f32(),
        ));
        Ok(result)
    }
}

/// One line for the person in front of the terminal.
#[expect(clippy::print_stderr, reason = "this is the tool's own voice")]
pub(crate) fn say(line: &str) {
    eprintln!("\u{1b}[1mxtask\u{1b}[0m {line}");
}

/// A program to run from the top of the checkout. It does not hear what cargo told this one of its own package: if it is
/// cargo, in a namespace or not, build scripts that look at it would run anew, and all that depends on them.
pub(crate) fn command(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    command.current_dir(crate::workspace::root());
    for (name, _) in std::env::vars_os() {
        let of_package = ["CARGO_PKG_", "CARGO_MANIFEST_"];
        if of_package.iter().any(|start| name.to_string_lossy().starts_with(start)) {
            command.env_remove(name);
        }
    }
    command
}

/// Cargo, the one that runs us.
pub(crate) fn cargo() -> Command {
    command(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// Runs a program with its output shown; an error names the program and how it ended.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let shown = shown(command);
    let status = command.status().with_context(|| format!("cannot start {shown}"))?;
    if !status.success() {
        bail!("{shown}: {status}");
    }
    Ok(())
}

/// Runs a program and gives back what it printed.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let shown = shown(command);
    let output = command
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("cannot start {shown}"))?;
    if !output.status.success() {
        bail!("{shown}: {}", output.status);
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// True when a program ends well; its output is not shown.
pub(crate) fn succeeds(command: &mut Command) -> bool {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// True when a program of this name can be found.
pub(crate) fn has_program(name: &str) -> bool {
    let Some(path) = std::env::var_os("PATH") else { return false };
    let endings = if cfg!(windows) { &[".exe", ".cmd", ".bat"][..] } else { &[""][..] };
    std::env::split_paths(&path)
        .chain([Path::new("/usr/sbin").to_owned(), Path::new("/sbin").to_owned()])
        .any(|dir| endings.iter().any(|ending| dir.join(format!("{name}{ending}")).is_file()))
}

/// True when we are the administrator already.
pub(crate) fn is_root() -> bool {
    output(command("id").arg("-u")).is_ok_and(|id| id.trim() == "0")
}

fn shown(command: &Command) -> String {
    let mut line = command.get_program().to_string_lossy().into_owned();
    for argument in command.get_args() {
        line.push(' ');
        line.push_str(&argument.to_string_lossy());
    }
    line
}

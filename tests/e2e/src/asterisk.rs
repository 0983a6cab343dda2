//! Asterisk 22, chrooted, on the server's end of the wire.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result};

use crate::SERVER;
use crate::process::Process;

/// Port for SIP over UDP and TCP.
pub const PORT: u16 = 5060;
/// Password of every phone.
pub const PASSWORD: &str = "geheim-van-het-lab";
/// Extension that sends back what it hears.
pub const ECHO: &str = "600";
/// Extension that is busy.
pub const BUSY: &str = "602";
/// Extension that rings for ever.
pub const NO_ANSWER: &str = "603";
/// Extension that takes digits until `#` and keeps them in the global variable DIGITS.
pub const DIGITS: &str = "604";
/// Extension that plays music before it answers.
pub const EARLY: &str = "605";

/// A running Asterisk.
pub struct Asterisk {
    process: Process,
    root: PathBuf,
    folder: PathBuf,
}

impl Asterisk {
    /// Starts it with the laboratory's settings; logs go to `folder`.
    ///
    /// # Errors
    /// When the laboratory is not installed or it does not come up.
    pub fn start(folder: &Path) -> Result<Self> {
        let root: PathBuf = std::env::var_os("BALIE_LAB_ASTERISK")
            .context("run this through `cargo xtask test peers`")?
            .into();
        write_settings(&root)?;
        let process = spawn(&root, folder)?;
        Ok(Self { process, root, folder: folder.to_path_buf() })
    }

    /// Its process id, as of the last start.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// Kills it, as a power cut would.
    pub fn kill(&mut self) {
        self.process.kill();
    }

    /// Starts it again after a kill.
    ///
    /// # Errors
    /// When it does not come up.
    pub fn restart(&mut self) -> Result<()> {
        self.process = spawn(&self.root, &self.folder)?;
        Ok(())
    }

    /// Runs a command of its console and gives back what it prints.
    ///
    /// # Errors
    /// When the console cannot be reached.
    pub fn console(&self, line: &str) -> Result<String> {
        let output = Command::new("chroot")
            .arg(&self.root)
            .args(["/usr/sbin/asterisk", "-C", "/lab/asterisk.conf", "-rx", line])
            .output()?;
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// Rings a phone; when it answers, it hears itself.
    ///
    /// # Errors
    /// When the console cannot be reached.
    pub fn ring(&self, extension: &str) -> Result<()> {
        self.console(&format!("channel originate PJSIP/{extension} extension {ECHO}@phones"))?;
        Ok(())
    }

    /// How many calls it has now.
    ///
    /// # Errors
    /// When the console cannot be reached.
    pub fn calls(&self) -> Result<usize> {
        let text = self.console("core show channels count")?;
        let line = text.lines().find(|line| line.contains("active channel")).unwrap_or("0");
        Ok(line.split_whitespace().next().and_then(|word| word.parse().ok()).unwrap_or(0))
    }
}

fn spawn(root: &Path, folder: &Path) -> Result<Process> {
    let mut command = Command::new("chroot");
    command.arg(root).args(["/usr/sbin/asterisk", "-f", "-C", "/lab/asterisk.conf"]);
    let process = Process::start("asterisk", &mut command, folder)?;
    crate::poll("Asterisk to be up", Duration::from_secs(60), || {
        let output = Command::new("chroot")
            .arg(root)
            .args(["/usr/sbin/asterisk", "-C", "/lab/asterisk.conf", "-rx", "core waitfullybooted"])
            .output()
            .ok()?;
        String::from_utf8_lossy(&output.stdout).contains("fully booted").then_some(())
    })
    .with_context(|| process.output())?;
    Ok(process)
}

fn write_settings(root: &Path) -> Result<()> {
    let lab = root.join("lab");
    std::fs::create_dir_all(lab.join("run"))?;
    for folder in ["db", "log", "spool", "keys"] {
        std::fs::create_dir_all(lab.join(folder))?;
    }
    let write = |name: &str, text: String| {
        std::fs::write(lab.join(name), text).with_context(|| format!("cannot write {name}"))
    };
    write("asterisk.conf", include_str!("../lab/asterisk.conf").to_owned())?;
    write("modules.conf", include_str!("../lab/modules.conf").to_owned())?;
    write("logger.conf", include_str!("../lab/logger.conf").to_owned())?;
    write("extensions.conf", include_str!("../lab/extensions.conf").to_owned())?;
    write("musiconhold.conf", include_str!("../lab/musiconhold.conf").to_owned())?;
    write("rtp.conf", "[general]\nrtpstart=30000\nrtpend=30999\n".to_owned())?;
    write("pjsip.conf", phones())
}

/// Phones 101 to 109 take every codec and both digests; 110 to 114 only MD5, for old programs.
fn phones() -> String {
    let mut text = include_str!("../lab/pjsip.conf")
        .replace("@SERVER@", SERVER)
        .replace("@PORT@", &PORT.to_string());
    for extension in 101..=114 {
        let algorithms = if extension >= 110 { "supported_algorithms_uas=MD5\n" } else { "" };
        text.push_str(&format!(
            "\n[{extension}](phone)\nauth={extension}\naors={extension}\n\
             callerid=\"Lab {extension}\" <{extension}>\n\
             [{extension}]\ntype=auth\nauth_type=digest\nusername={extension}\n\
             password={PASSWORD}\n{algorithms}\
             [{extension}]\ntype=aor\nmax_contacts=1\nremove_existing=yes\nminimum_expiration=30\n"
        ));
    }
    text
}

//! Asterisk 22, chrooted, on the server's end of the wire.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use anyhow::{Context as _, Result};

use crate::process::Process;
use crate::{SERVER, SERVER6, certificate};

/// Port for SIP over UDP and TCP.
pub const PORT: u16 = 5060;
/// Port for SIP over TLS.
pub const TLS_PORT: u16 = 5061;
/// Port for SIP over secure web sockets; the path is [`WEB_PATH`].
pub const WSS_PORT: u16 = 8089;
/// Port for SIP over web sockets in the clear.
pub const WS_PORT: u16 = 8088;
/// Path of both web sockets.
pub const WEB_PATH: &str = "/ws";
/// Ports of its sound, which it has when it is told no others; without the one that a way is looked for with.
pub const RTP_PORTS: [&str; 2] = ["5000-5059", "5061-31000"];
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
/// Extension that rings 101 and 102 at once.
pub const BOTH: &str = "650";
/// Extension that parks a call; slots follow it.
pub const PARK: &str = "700";
/// Before an extension that rings: takes its call.
pub const PICKUP: &str = "*8";
/// Phone with DTLS-SRTP and ICE, as a browser has them.
pub const WEB_PHONE: &str = "120";
/// Phone whose sound is encrypted with keys from the description.
pub const SDES_PHONE: &str = "121";
/// Phone whose sound is encrypted with keys by DTLS, without ICE.
pub const DTLS_PHONE: &str = "122";
/// Phone whose digits travel in INFO.
pub const INFO_PHONE: &str = "123";
/// Resource list of dialog states: 101, 102, 103 and the lamps 2001 and 2002.
pub const TEAM: &str = "team";

/// A running Asterisk with settings of its own: several may run at once, each in its own network namespace.
pub struct Asterisk {
    process: Process,
    root: PathBuf,
    /// Its folder, as seen from inside.
    lab: String,
    folder: PathBuf,
}

impl Asterisk {
    /// Starts it with the laboratory's settings; logs go to `folder`.
    ///
    /// # Errors
    /// When the laboratory is not installed or it does not come up.
    pub fn start(folder: &Path) -> Result<Self> {
        Self::start_with(folder, &[])
    }

    /// The same with more settings: each is put behind what its file holds. `@LAB@` stands for its folder.
    ///
    /// # Errors
    /// When the laboratory is not installed or it does not come up.
    pub fn start_with(folder: &Path, more: &[(&str, String)]) -> Result<Self> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let root: PathBuf = std::env::var_os("BALIE_LAB_ASTERISK")
            .context("run this through `cargo xtask test peers`")?
            .into();
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let lab = format!("/lab/{}-{number}", std::process::id());
        write_settings(&root, &lab)?;
        for (name, text) in more {
            let path = root.join(lab.trim_start_matches('/')).join(name);
            let before = std::fs::read_to_string(&path).unwrap_or_default();
            std::fs::write(&path, format!("{before}\n{}", text.replace("@LAB@", &lab)))?;
        }
        let process = spawn(&root, &lab, folder)?;
        Ok(Self { process, root, lab, folder: folder.to_path_buf() })
    }

    /// Its process id, as of the last start.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// The certificate of the authority that signed its own.
    #[must_use]
    pub fn authority(&self) -> PathBuf {
        self.inside("keys/ca.pem")
    }

    /// What it has written down of its queues: a line for each thing that happened.
    ///
    /// # Errors
    /// When nothing was written.
    pub fn queue_log(&self) -> Result<String> {
        std::fs::read_to_string(self.inside("log/queue_log")).context("queue_log")
    }

    /// What it has printed: notices, warnings and errors since the last start.
    #[must_use]
    pub fn output(&self) -> String {
        self.process.output()
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
        self.process = spawn(&self.root, &self.lab, &self.folder)?;
        Ok(())
    }

    /// Runs a command of its console and gives back what it prints.
    ///
    /// # Errors
    /// When the console cannot be reached.
    pub fn console(&self, line: &str) -> Result<String> {
        let output = console(&self.root, &self.lab, line).output()?;
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

    /// Switches a lamp (extension 2000 to 2999): NOT_INUSE, INUSE, BUSY, RINGING, ONHOLD, UNAVAILABLE.
    ///
    /// # Errors
    /// When the console cannot be reached.
    pub fn lamp(&self, extension: &str, state: &str) -> Result<()> {
        self.console(&format!("devstate change Custom:lamp{extension} {state}"))?;
        Ok(())
    }

    /// Puts a message into a mailbox, as if somebody had spoken it.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn leave_message(&self, mailbox: &str) -> Result<()> {
        let inbox = self.inside(&format!("spool/voicemail/default/{mailbox}/INBOX"));
        std::fs::create_dir_all(&inbox)?;
        std::fs::copy(crate::speech(), inbox.join("msg0000.wav"))?;
        std::fs::write(
            inbox.join("msg0000.txt"),
            format!(
                "[message]\norigmailbox={mailbox}\ncontext=phones\nexten={mailbox}\n\
                 callerid=\"Customer\" <0302318800>\norigtime=1700000000\ncategory=\n\
                 msg_id=1700000000-00000001\nflag=\nduration=10\n"
            ),
        )?;
        Ok(())
    }

    fn inside(&self, path: &str) -> PathBuf {
        self.root.join(self.lab.trim_start_matches('/')).join(path)
    }
}

impl Drop for Asterisk {
    fn drop(&mut self) {
        self.process.kill();
        // Only ever its own folder; what stays behind costs no more than space.
        let _ = std::fs::remove_dir_all(self.inside(""));
    }
}

fn console(root: &Path, lab: &str, line: &str) -> Command {
    let mut command = Command::new("chroot");
    command.arg(root).args(["/usr/sbin/asterisk", "-C", &format!("{lab}/asterisk.conf")]);
    command.args(["-rx", line]);
    command
}

fn spawn(root: &Path, lab: &str, folder: &Path) -> Result<Process> {
    let mut command = Command::new("chroot");
    command.arg(root).args(["/usr/sbin/asterisk", "-f", "-C", &format!("{lab}/asterisk.conf")]);
    let process = Process::start("asterisk", &mut command, folder)?;
    crate::poll("Asterisk to be up", Duration::from_secs(60), || {
        let output = console(root, lab, "core waitfullybooted").output().ok()?;
        String::from_utf8_lossy(&output.stdout).contains("fully booted").then_some(())
    })
    .with_context(|| process.output())?;
    Ok(process)
}

fn write_settings(root: &Path, lab: &str) -> Result<()> {
    let inside = root.join(lab.trim_start_matches('/'));
    for folder in ["run", "db", "log", "spool", "keys", "music"] {
        std::fs::create_dir_all(inside.join(folder))?;
    }
    certificate::make(&inside.join("keys"), &[SERVER, SERVER6])?;
    // 16 kHz: by the other name it is not played, and a call that hears nothing when it is parked is not
    // reported as parked.
    std::fs::copy(crate::speech(), inside.join("music/speech.wav16"))?;
    let write = |name: &str, text: &str| {
        let text = text
            .replace("@LAB@", lab)
            .replace("@SERVER@", SERVER)
            .replace("@SERVER6@", SERVER6)
            .replace("@PORT@", &PORT.to_string())
            .replace("@TLS_PORT@", &TLS_PORT.to_string());
        std::fs::write(inside.join(name), text).with_context(|| format!("cannot write {name}"))
    };
    write("asterisk.conf", include_str!("../lab/asterisk.conf"))?;
    write("modules.conf", include_str!("../lab/modules.conf"))?;
    write("logger.conf", include_str!("../lab/logger.conf"))?;
    write("extensions.conf", include_str!("../lab/extensions.conf"))?;
    write("musiconhold.conf", include_str!("../lab/musiconhold.conf"))?;
    write("res_parking.conf", include_str!("../lab/res_parking.conf"))?;
    write("voicemail.conf", include_str!("../lab/voicemail.conf"))?;
    write("http.conf", include_str!("../lab/http.conf"))?;
    write("rtp.conf", "[general]\nrtpstart=30000\nrtpend=30999\n")?;
    write("pjsip.conf", &[include_str!("../lab/pjsip.conf"), &phones()].concat())
}

/// Phones 101 to 109 take every codec and both digests; 110 to 114 only MD5, for old programs; 120 to 123 have
/// something of their own each.
fn phones() -> String {
    let mut text = String::new();
    for extension in (101..=114).chain(120..=123) {
        let algorithms =
            if (110..=114).contains(&extension) { "supported_algorithms_uas=MD5\n" } else { "" };
        let kind = match extension.to_string().as_str() {
            WEB_PHONE => "web",
            SDES_PHONE => "sdes",
            DTLS_PHONE => "dtls",
            INFO_PHONE => "info",
            _ => "phone",
        };
        // 101 asks for its messages, 102 is told of them unasked.
        let (asked, unasked) = match extension {
            101 => ("mailboxes=101@default\n", ""),
            102 => ("", "mailboxes=102@default\n"),
            _ => ("", ""),
        };
        text.push_str(&format!(
            "\n[{extension}]({kind})\nauth={extension}\naors={extension}\n{unasked}\
             callerid=\"Lab {extension}\" <{extension}>\n\
             [{extension}]\ntype=auth\nauth_type=digest\nusername={extension}\n\
             password={PASSWORD}\n{algorithms}\
             [{extension}]\ntype=aor\nmax_contacts=1\nremove_existing=yes\nminimum_expiration=30\n\
             {asked}"
        ));
    }
    text
}

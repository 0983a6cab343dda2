//! A real name server (dnsmasq) with a zone of its own, on the server's end of the wire, and programs that ask it.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::Result;

use crate::certificate::NAME;
use crate::process::Process;
use crate::{SERVER, balie};

/// The domain whose servers it tells. [`NAME`] is in it.
pub const DOMAIN: &str = "lab.test";

/// A running name server.
pub struct Zone {
    resolv: PathBuf,
    process: Process,
}

impl Zone {
    /// Starts it with services: as the name service calls them, and on which port of [`NAME`] they are.
    ///
    /// # Errors
    /// When it does not come up.
    pub fn start(folder: &Path, services: &[(&str, u16)], texts: &[(&str, &str)]) -> Result<Self> {
        let resolv = folder.join("resolv.conf");
        std::fs::write(&resolv, format!("nameserver {SERVER}\n"))?;
        let mut command = Command::new("/usr/sbin/dnsmasq");
        command
            .args(["--keep-in-foreground", "--conf-file=/dev/null", "--no-resolv", "--no-hosts"])
            .args(["--log-facility=-", "--log-queries", "--pid-file=", "--user=root"])
            .args(["--bind-interfaces", &format!("--listen-address={SERVER}")])
            .args([&format!("--local=/{DOMAIN}/"), &format!("--host-record={NAME},{SERVER}")]);
        for (service, port) in services {
            // Another, which nobody reaches, comes after it.
            command.arg(format!("--srv-host={service}.{DOMAIN},gone.{DOMAIN},{port},20"));
            command.arg(format!("--srv-host={service}.{DOMAIN},{NAME},{port},10"));
        }
        for (service, text) in texts {
            command.arg(format!("--txt-record={service}.{DOMAIN},{text}"));
        }
        let process = Process::start("dnsmasq", &mut command, folder)?;
        crate::poll("dnsmasq to listen", Duration::from_secs(10), || {
            std::net::TcpStream::connect((SERVER, 53)).ok()
        })
        .map_err(|error| error.context(process.output()))?;
        Ok(Self { resolv, process })
    }

    /// The program, asking this server.
    ///
    /// # Errors
    /// When there is no program.
    pub fn program(&self) -> Result<Command> {
        let mut command = Command::new("unshare");
        let script = "mount --bind \"$0\" /etc/resolv.conf && exec \"$@\"";
        command.args(["--mount", "sh", "-c", script]).arg(&self.resolv).arg(balie::program()?);
        Ok(command)
    }

    /// What it was asked.
    #[must_use]
    pub fn asked(&self) -> String {
        self.process.output()
    }
}

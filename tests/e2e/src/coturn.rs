//! coturn as a STUN and TURN server with long-term credentials, on the server's end of the wire.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::Result;

use crate::process::Process;
use crate::{SERVER, certificate};

/// Port over UDP and TCP.
pub const PORT: u16 = 3478;
/// Port over TLS.
pub const TLS_PORT: u16 = 5349;
/// The user.
pub const USER: &str = "balie";
/// The user's password.
pub const PASSWORD: &str = "geheim-van-de-omweg";

/// A running coturn.
pub struct Coturn {
    process: Process,
    folder: PathBuf,
}

impl Coturn {
    /// Starts it; logs, keys and users go to `folder`.
    ///
    /// # Errors
    /// When it does not come up.
    pub fn start(folder: &Path) -> Result<Self> {
        let folder = folder.join("coturn");
        std::fs::create_dir_all(&folder)?;
        certificate::make(&folder.join("keys"), &[SERVER])?;
        let path = |name: &str| folder.join(name).display().to_string();
        let mut command = Command::new("turnserver");
        command.args([
            "-n",
            "-v",
            "--no-cli",
            "--lt-cred-mech",
            "--fingerprint",
            "--realm=lab.test",
        ]);
        command.args(["--no-dtls", "--log-file=stdout", "--simple-log", "--min-port=49160"]);
        command.arg("--max-port=49360");
        command.arg(format!("--listening-ip={SERVER}")).arg(format!("--relay-ip={SERVER}"));
        command.arg(format!("--listening-port={PORT}"));
        command.arg(format!("--tls-listening-port={TLS_PORT}"));
        command.arg(format!("--cert={}", path("keys/server.pem")));
        command.arg(format!("--pkey={}", path("keys/server.key")));
        command.arg(format!("--user={USER}:{PASSWORD}"));
        command.arg(format!("--userdb={}", path("users")));
        command.arg(format!("--pidfile={}", path("pid")));
        let process = Process::start("coturn", &mut command, &folder)?;
        crate::poll("coturn to listen", Duration::from_secs(15), || {
            let open = |port| std::net::TcpStream::connect((SERVER, port)).ok();
            open(PORT).and(open(TLS_PORT))
        })
        .map_err(|error| error.context(process.output()))?;
        Ok(Self { process, folder })
    }

    /// The certificate of the authority that signed its own.
    #[must_use]
    pub fn authority(&self) -> PathBuf {
        self.folder.join("keys/ca.pem")
    }

    /// How often its log has this.
    #[must_use]
    pub fn said(&self, text: &str) -> usize {
        self.process.output().matches(text).count()
    }
}

//! Kamailio as a registrar and proxy with digest, on the server's end of the wire.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::Result;

use crate::SERVER;
use crate::process::Process;

/// Port for SIP over UDP and TCP.
pub const PORT: u16 = 5070;
/// Password of every user.
pub const PASSWORD: &str = "geheim-van-de-proxy";

/// A running Kamailio.
pub struct Kamailio {
    process: Process,
}

impl Kamailio {
    /// Starts it; logs go to `folder`.
    ///
    /// # Errors
    /// When it does not come up.
    pub fn start(folder: &Path) -> Result<Self> {
        let config = include_str!("../lab/kamailio.cfg")
            .replace("@SERVER@", SERVER)
            .replace("@PORT@", &PORT.to_string())
            .replace("@PASSWORD@", PASSWORD)
            .replace("@RUN@", &folder.display().to_string());
        let path = folder.join("kamailio.cfg");
        std::fs::write(&path, config)?;
        let mut command = Command::new("/usr/sbin/kamailio");
        command.args(["-DD", "-E", "-m", "32", "-M", "8", "-Y"]).arg(folder).arg("-f").arg(&path);
        let process = Process::start("kamailio", &mut command, folder)?;
        crate::poll("Kamailio to listen", Duration::from_secs(15), || {
            std::net::TcpStream::connect((SERVER, PORT)).ok()
        })
        .map_err(|error| error.context(process.output()))?;
        Ok(Self { process })
    }

    /// Its process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.process.id()
    }
}

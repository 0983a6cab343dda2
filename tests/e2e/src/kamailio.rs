//! Kamailio as a registrar and proxy with digest, and as a presence server, on the server's end of the wire.

use std::net::UdpSocket;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};

use crate::process::Process;
use crate::{SERVER, certificate};

/// Port for SIP over UDP and TCP.
pub const PORT: u16 = 5070;
/// Port for SIP over TLS.
pub const TLS_PORT: u16 = 5071;
/// Port for SIP over secure web sockets, at any path.
pub const WSS_PORT: u16 = 8443;
/// Password of every user.
pub const PASSWORD: &str = "geheim-van-de-proxy";
/// Resource list of 202 and 203, which 201 may subscribe to. The server tells of changes within ten seconds.
pub const LIST: &str = "team";

/// Where Debian keeps the empty tables of the text database.
const TABLES: &str = "/usr/share/kamailio/dbtext/kamailio";

/// A running Kamailio.
pub struct Kamailio {
    process: Process,
    folder: PathBuf,
}

impl Kamailio {
    /// Starts it; logs and tables go to `folder`.
    ///
    /// # Errors
    /// When it does not come up.
    pub fn start(folder: &Path) -> Result<Self> {
        let folder = folder.join("kamailio");
        std::fs::create_dir_all(&folder)?;
        certificate::make(&folder.join("keys"), &[SERVER])?;
        tables(&folder.join("db"))?;
        let process = spawn(&folder)?;
        Ok(Self { process, folder })
    }

    /// Its process id, as of the last start.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// The certificate of the authority that signed its own.
    #[must_use]
    pub fn authority(&self) -> PathBuf {
        self.folder.join("keys/ca.pem")
    }

    /// Every registration that it holds, as its own tool tells them.
    ///
    /// # Errors
    /// When the tool cannot be run.
    pub fn registrations(&self) -> Result<String> {
        let socket = format!("unix:{}", self.folder.join("ctl").display());
        let output = Command::new("/usr/sbin/kamcmd").args(["-s", &socket, "ul.dump"]).output()?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        ensure!(output.status.success(), "kamcmd: {}", String::from_utf8_lossy(&output.stderr));
        Ok(text)
    }

    /// Kills it and all that it forked, as a power cut would.
    pub fn kill(&mut self) {
        for child in self.process.children() {
            let _ = Command::new("kill").args(["-9", &child.to_string()]).status();
        }
        self.process.kill();
    }

    /// Starts it again after a kill, with fresh tables.
    ///
    /// # Errors
    /// When it does not come up.
    pub fn restart(&mut self) -> Result<()> {
        tables(&self.folder.join("db"))?;
        self.process = spawn(&self.folder)?;
        Ok(())
    }
}

impl Drop for Kamailio {
    fn drop(&mut self) {
        self.kill();
    }
}

fn spawn(folder: &Path) -> Result<Process> {
    for (name, text) in [
        ("kamailio.cfg", include_str!("../lab/kamailio.cfg")),
        ("tls.cfg", include_str!("../lab/tls.cfg")),
    ] {
        let text = text
            .replace("@SERVER@", SERVER)
            .replace("@PORT@", &PORT.to_string())
            .replace("@TLS_PORT@", &TLS_PORT.to_string())
            .replace("@WSS_PORT@", &WSS_PORT.to_string())
            .replace("@PASSWORD@", PASSWORD)
            .replace("@RUN@", &folder.display().to_string());
        std::fs::write(folder.join(name), text)?;
    }
    let mut command = Command::new("/usr/sbin/kamailio");
    command.args(["-DD", "-E", "-m", "64", "-M", "8", "-Y"]).arg(folder);
    command.arg("-f").arg(folder.join("kamailio.cfg"));
    let process = Process::start("kamailio", &mut command, folder)?;
    crate::poll("Kamailio to listen", Duration::from_secs(15), || {
        std::net::TcpStream::connect((SERVER, PORT)).ok()
    })
    .map_err(|error| error.context(process.output()))?;
    Ok(process)
}

/// Empty tables, and the resource list in the one for documents.
fn tables(folder: &Path) -> Result<()> {
    let _ = std::fs::remove_dir_all(folder);
    std::fs::create_dir_all(folder)?;
    for entry in std::fs::read_dir(TABLES).context("the tables of kamailio's text database")? {
        let entry = entry?;
        std::fs::copy(entry.path(), folder.join(entry.file_name()))?;
    }
    let list = format!("sip:{LIST}@{SERVER}");
    let entries: String =
        ["202", "203"].iter().map(|user| format!("<entry uri=\"sip:{user}@{SERVER}\"/>")).collect();
    let document = format!(
        "<?xml version=\"1.0\"?><rls-services xmlns=\"urn:ietf:params:xml:ns:rls-services\" \
         xmlns:rl=\"urn:ietf:params:xml:ns:resource-lists\"><service uri=\"{list}\"><list>{entries}</list>\
         <packages><package>dialog</package><package>presence</package></packages></service></rls-services>"
    );
    // A colon ends a field of this database.
    let field = |text: &str| text.replace(':', "\\:");
    let table = std::fs::read_to_string(folder.join("xcap"))?;
    // A list belongs to whoever subscribes to it.
    let row = format!("1:201:{SERVER}:{}:8:etag:0:{}:0\n", field(&document), field(&list));
    std::fs::write(folder.join("xcap"), format!("{}\n{row}", table.trim_end()))?;
    Ok(())
}

/// Somebody who publishes the state of a line, as a telephone would.
pub struct Publisher {
    socket: UdpSocket,
    user: &'static str,
    etag: Option<String>,
    /// Number of the present dialog: the server takes nothing more about one that was terminated.
    dialog: u32,
}

impl Publisher {
    /// For one user.
    ///
    /// # Errors
    /// When there is no port.
    pub fn new(user: &'static str) -> Result<Self> {
        let socket = UdpSocket::bind((crate::PHONES, 0))?;
        socket.set_read_timeout(Some(Duration::from_secs(5)))?;
        Ok(Self { socket, user, etag: None, dialog: 1 })
    }

    /// Publishes one dialog in this state (RFC 4235): confirmed, early, terminated.
    ///
    /// # Errors
    /// When the server refuses.
    pub fn dialog(&mut self, state: &str) -> Result<()> {
        let (user, dialog) = (self.user, self.dialog);
        let body = format!(
            "<?xml version=\"1.0\"?><dialog-info xmlns=\"urn:ietf:params:xml:ns:dialog-info\" version=\"1\" \
             state=\"full\" entity=\"sip:{user}@{SERVER}\"><dialog id=\"lab-{user}-{dialog}\" \
             direction=\"recipient\" call-id=\"lab-{user}-{dialog}\" local-tag=\"l\" remote-tag=\"r\">\
             <state>{state}</state></dialog></dialog-info>"
        );
        self.publish("dialog", "application/dialog-info+xml", &body)?;
        if state == "terminated" {
            self.etag = None;
            self.dialog += 1;
        }
        Ok(())
    }

    /// Publishes whether somebody is there (RFC 3863): open or closed.
    ///
    /// # Errors
    /// When the server refuses.
    pub fn presence(&mut self, basic: &str) -> Result<()> {
        let user = self.user;
        let body = format!(
            "<?xml version=\"1.0\"?><presence xmlns=\"urn:ietf:params:xml:ns:pidf\" \
             entity=\"sip:{user}@{SERVER}\"><tuple id=\"t\"><status><basic>{basic}</basic></status></tuple></presence>"
        );
        self.publish("presence", "application/pidf+xml", &body)
    }

    fn publish(&mut self, event: &str, kind: &str, body: &str) -> Result<()> {
        static NUMBER: AtomicU32 = AtomicU32::new(1);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let (user, own) = (self.user, self.socket.local_addr()?);
        let matched = self.etag.as_ref().map(|etag| format!("SIP-If-Match: {etag}\r\n"));
        let request = format!(
            "PUBLISH sip:{user}@{SERVER} SIP/2.0\r\nVia: SIP/2.0/UDP {own};branch=z9hG4bKp{number};rport\r\n\
             Max-Forwards: 70\r\nFrom: <sip:{user}@{SERVER}>;tag=p{number}\r\nTo: <sip:{user}@{SERVER}>\r\n\
             Call-ID: publish-{user}-{number}\r\nCSeq: {number} PUBLISH\r\nEvent: {event}\r\nExpires: 3600\r\n\
             {matched}Content-Type: {kind}\r\nContent-Length: {length}\r\n\r\n{body}",
            matched = matched.unwrap_or_default(),
            length = body.len(),
        );
        self.socket.send_to(request.as_bytes(), (SERVER, PORT))?;
        let mut buffer = vec![0; 65_536];
        let length = self.socket.recv(&mut buffer).context("the server does not answer")?;
        let answer = String::from_utf8_lossy(buffer.get(..length).unwrap_or_default()).into_owned();
        ensure!(answer.starts_with("SIP/2.0 200"), "PUBLISH: {answer}");
        let etag = answer.lines().find_map(|line| line.strip_prefix("SIP-ETag:"));
        self.etag = etag.map(|etag| etag.trim().to_owned());
        Ok(())
    }
}

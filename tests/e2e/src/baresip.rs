//! baresip, driven over its control port (JSON in netstrings).

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};

use crate::loudspeaker::Loudspeaker;
use crate::process::Process;
use crate::{deadline, is_over};

/// A running baresip with one account and files as its sound devices.
pub struct Baresip {
    process: Process,
    control: TcpStream,
    received: Vec<u8>,
    waiting: Vec<Value>,
    folder: PathBuf,
}

/// How to start one.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Extension.
    pub user: String,
    /// Password.
    pub password: String,
    /// Server, host and port.
    pub server: String,
    /// Its own SIP port.
    pub sip_port: u16,
    /// Its control port.
    pub control_port: u16,
    /// What it says: a WAV file, 16 bit mono.
    pub microphone: PathBuf,
    /// Codecs, in its own words ("opus", "G722/16000/1", "PCMA/8000/1").
    pub codecs: String,
    /// How its sound is encrypted: empty, `srtp-mand` (keys in the description) or `dtls_srtp`.
    pub encryption: String,
}

impl Baresip {
    /// Starts it and waits until it is registered.
    ///
    /// # Errors
    /// When it does not register.
    pub fn start(settings: &Settings, folder: &Path) -> Result<Self> {
        Self::start_on(settings, None, folder)
    }

    /// The same with a sound server as its loudspeaker and its microphone.
    ///
    /// # Errors
    /// When it does not register.
    pub fn start_aloud(
        settings: &Settings,
        loudspeaker: &Loudspeaker,
        folder: &Path,
    ) -> Result<Self> {
        Self::start_on(settings, Some(loudspeaker), folder)
    }

    fn start_on(
        settings: &Settings,
        loudspeaker: Option<&Loudspeaker>,
        folder: &Path,
    ) -> Result<Self> {
        let home = folder.join(format!("baresip-{}", settings.user));
        std::fs::create_dir_all(&home)?;
        std::fs::write(home.join("config"), config(settings, loudspeaker.is_some()))?;
        std::fs::write(home.join("accounts"), account(settings))?;
        std::fs::write(home.join("contacts"), "")?;
        let name = format!("baresip-{}", settings.user);
        let mut command = Command::new("baresip");
        command.arg("-f").arg(&home).current_dir(&home);
        if let Some(loudspeaker) = loudspeaker {
            let server = loudspeaker.server();
            let rc = format!("pcm.pulse {{ type pulse server \"{server}\" }}\n");
            std::fs::write(home.join(".asoundrc"), rc)?;
            command.env("HOME", &home).envs(loudspeaker.environment());
        }
        let process = Process::start(&name, &mut command, folder)?;
        let control = crate::poll("baresip's control port", Duration::from_secs(10), || {
            TcpStream::connect(("127.0.0.1", settings.control_port)).ok()
        })
        .with_context(|| process.output())?;
        control.set_read_timeout(Some(Duration::from_millis(50)))?;
        let mut baresip =
            Self { process, control, received: Vec::new(), waiting: Vec::new(), folder: home };
        if !settings.server.is_empty() {
            baresip.registered()?;
        }
        Ok(baresip)
    }

    /// Its process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// What it heard: the newest recording of its decoded side.
    #[must_use]
    pub fn heard(&self) -> Option<PathBuf> {
        let entries = std::fs::read_dir(&self.folder).ok()?;
        entries
            .flatten()
            .map(|entry| entry.path())
            .find(|path| path.to_string_lossy().ends_with("-dec.wav"))
    }

    /// Sends a command of its menu.
    ///
    /// # Errors
    /// When its control port is gone.
    pub fn command(&mut self, command: &str, parameters: &str) -> Result<()> {
        let text = json!({"command": command, "params": parameters}).to_string();
        write!(self.control, "{}:{text},", text.len())?;
        self.control.flush()?;
        Ok(())
    }

    /// Waits for an event of this type.
    ///
    /// # Errors
    /// When none comes in time; the error tells what did come.
    pub fn event(&mut self, kind: &str) -> Result<Value> {
        let end = deadline(Duration::from_secs(15));
        while !is_over(end) {
            let position = self.waiting.iter().position(|event| event["type"] == kind);
            if let Some(index) = position {
                return Ok(self.waiting.remove(index));
            }
            self.receive()?;
        }
        let came: Vec<_> = self.waiting.iter().rev().map(Value::to_string).collect();
        bail!("baresip: no {kind}; what came last: {}\n{}", came.join(" "), self.process.output())
    }

    /// Asks for its registration until it says so: it may have registered before we listened.
    fn registered(&mut self) -> Result<()> {
        let end = deadline(Duration::from_secs(15));
        while !is_over(end) {
            self.command("reginfo", "")?;
            self.receive()?;
            let said_so = self.waiting.iter().any(|event| {
                event["type"] == "REGISTER_OK"
                    || event["data"].as_str().is_some_and(|data| data.contains("OK"))
            });
            if said_so {
                self.waiting.clear();
                return Ok(());
            }
        }
        bail!("baresip did not register: {}", self.process.output())
    }

    fn receive(&mut self) -> Result<()> {
        let mut buffer = [0_u8; 4096];
        match self.control.read(&mut buffer) {
            Ok(0) => bail!("baresip closed its control port: {}", self.process.output()),
            Ok(count) => self.received.extend_from_slice(buffer.get(..count).unwrap_or_default()),
            Err(error)
                if matches!(
                    error.kind(),
                    std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut
                ) => {}
            Err(error) => return Err(error.into()),
        }
        while let Some((value, rest)) = netstring(&self.received) {
            self.waiting.push(value);
            self.received = rest;
        }
        Ok(())
    }
}

/// Takes one netstring of JSON off the front.
fn netstring(bytes: &[u8]) -> Option<(Value, Vec<u8>)> {
    let colon = bytes.iter().position(|&byte| byte == b':')?;
    let length: usize = std::str::from_utf8(bytes.get(..colon)?).ok()?.parse().ok()?;
    let text = bytes.get(colon + 1..colon + 1 + length)?;
    let rest = bytes.get(colon + 2 + length..)?.to_vec();
    Some((serde_json::from_slice(text).unwrap_or(Value::Null), rest))
}

fn account(settings: &Settings) -> String {
    let Settings { user, password, server, codecs, encryption, .. } = settings;
    let (host, mut rest) = match server.as_str() {
        "" => (crate::PHONES, ";regint=0".to_owned()),
        server => (server, format!(";auth_user={user};auth_pass={password};regint=60")),
    };
    if !encryption.is_empty() {
        rest.push_str(&format!(";mediaenc={encryption}"));
    }
    format!("<sip:{user}@{host}>{rest};audio_codecs={codecs}\n")
}

fn config(settings: &Settings, aloud: bool) -> String {
    let microphone = settings.microphone.display();
    let (player, source, alsa) = match aloud {
        true => ("alsa,pulse", "alsa,pulse".to_owned(), "module alsa.so\n"),
        false => ("aubridge,nothing", format!("aufile,{microphone}"), ""),
    };
    format!(
        "sip_listen {phones}:{port}\nnet_interface wire1\nmodule_path /usr/lib/baresip/modules\n\
         call_max_calls 4\naudio_player {player}\naudio_source {source}\n\
         audio_alert aubridge,nothing\nausrc_srate 48000\nauplay_srate 48000\nausrc_channels 1\n\
         auplay_channels 1\nrtp_ports 32000-32100\nrtcp_mux no\njitter_buffer_delay 5-10\n\
         sndfile_path .\nopus_bitrate 32000\nopus_inbandfec yes\n\
         module opus.so\nmodule g711.so\nmodule g722.so\nmodule aufile.so\nmodule aubridge.so\n\
         module sndfile.so\n{alsa}{keys}module_app account.so\nmodule_app menu.so\nmodule_app ctrl_tcp.so\n\
         ctrl_tcp_listen 127.0.0.1:{control}\n",
        phones = crate::PHONES,
        port = settings.sip_port,
        control = settings.control_port,
        // Making a certificate for DTLS costs it a quarter of a second at the start.
        keys = match settings.encryption.as_str() {
            "" => "",
            "dtls_srtp" => "module dtls_srtp.so\n",
            _ => "module srtp.so\n",
        },
    )
}

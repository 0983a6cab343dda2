//! linphonec, driven as a person would: commands on its standard input, its words read from its output.

use std::io::Write as _;
use std::path::Path;
use std::process::{ChildStdin, Command};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

use crate::PHONES;
use crate::loudspeaker::Loudspeaker;
use crate::process::Process;

/// A running linphonec that is reached directly.
pub struct Linphone {
    process: Process,
    stdin: ChildStdin,
    /// How much of its output has been looked at.
    read: usize,
}

/// How its sound is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encryption {
    /// Not at all.
    None,
    /// With keys in the description.
    Sdes,
    /// With keys by DTLS.
    Dtls,
    /// With keys by ZRTP, which Balie does not speak.
    Zrtp,
}

impl Linphone {
    /// Starts it at a port of the phones' end of the wire.
    ///
    /// # Errors
    /// When it does not come up.
    pub fn start(port: u16, encryption: Encryption, folder: &Path) -> Result<Self> {
        let mut linphone = Self::run(port, encryption, None, folder)?;
        linphone.command("soundcard use files")?;
        linphone.says("Using wav files")?;
        linphone.command(&format!("play {}", crate::speech().display()))?;
        linphone.says("linphonec>")?;
        Ok(linphone)
    }

    /// The same without encryption, with a sound server as its loudspeaker and its microphone.
    ///
    /// # Errors
    /// When it does not come up.
    pub fn start_aloud(port: u16, loudspeaker: &Loudspeaker, folder: &Path) -> Result<Self> {
        Self::run(port, Encryption::None, Some(loudspeaker), folder)
    }

    fn run(
        port: u16,
        encryption: Encryption,
        loudspeaker: Option<&Loudspeaker>,
        folder: &Path,
    ) -> Result<Self> {
        let home = folder.join("linphone");
        // It cannot make the place of its databases itself.
        std::fs::create_dir_all(home.join(".local/share/linphone"))?;
        let settings = home.join("linphonerc");
        std::fs::write(&settings, rc(port, encryption, &home))?;
        let mut command = Command::new("linphonec");
        command.arg("-c").arg(&settings).env("HOME", &home).current_dir(&home);
        if let Some(loudspeaker) = loudspeaker {
            command.envs(loudspeaker.environment());
        }
        let (process, stdin) = Process::start_with_input("linphonec", &mut command, folder)?;
        let mut linphone = Self { process, stdin, read: 0 };
        linphone.says("linphonec>")?;
        Ok(linphone)
    }

    /// Types a command.
    ///
    /// # Errors
    /// When it reads no more.
    pub fn command(&mut self, line: &str) -> Result<()> {
        writeln!(self.stdin, "{line}").context("linphonec reads no more")?;
        Ok(())
    }

    /// Waits until it says one of `words`, after everything that was waited for before.
    ///
    /// # Errors
    /// When it does not in time.
    pub fn says(&mut self, words: &str) -> Result<()> {
        let found =
            crate::poll(&format!("linphonec to say {words:?}"), Duration::from_secs(15), || {
                let output = self.process.output();
                let rest = output.get(self.read..)?;
                rest.find(words).map(|at| self.read + at + words.len())
            });
        match found {
            Ok(end) => self.read = end,
            Err(error) => bail!("{error}; it said: {}", self.process.output()),
        }
        Ok(())
    }
}

fn rc(port: u16, encryption: Encryption, home: &Path) -> String {
    let encryption = match encryption {
        Encryption::None => "none",
        Encryption::Sdes => "srtp",
        Encryption::Dtls => "dtls",
        Encryption::Zrtp => "zrtp",
    };
    format!(
        "[sip]\nsip_port={port}\nsip_tcp_port=-1\nsip_tls_port=-1\nguess_hostname=0\n\
         contact=\"Lin\" <sip:lin@{PHONES}:{port}>\ndefault_proxy=-1\nmedia_encryption={encryption}\n\
         use_info=0\nuse_rfc2833=1\nregister_only_when_network_is_up=0\nauto_net_state_mon=0\n\
         incoming_calls_early_media=0\n\
         [rtp]\naudio_rtp_port=33000-33100\n\
         rtcp_xr_enabled=1\nrtcp_xr_voip_metrics_enabled=1\nrtcp_xr_rcvr_rtt_mode=all\n\
         [net]\nmtu=1300\nfirewall_policy=0\n\
         {codecs}\
         [sound]\nremote_ring=\nlocal_ring=\nechocancellation=0\n\
         [video]\nenabled=0\ncapture=0\ndisplay=0\n\
         [misc]\nuuid=00000000-0000-0000-0000-000000000001\nhistory_max_size=0\n\
         [storage]\nuri={storage}\n",
        codecs = codecs(),
        storage = home.join("linphone.db").display(),
    )
}

/// The codecs that it takes, the dearest first. G.722 it has, and does not offer unless told to.
fn codecs() -> String {
    let all = [("opus", 48_000, 2), ("G722", 8_000, 1), ("PCMA", 8_000, 1), ("PCMU", 8_000, 1)];
    all.into_iter()
        .enumerate()
        .map(|(place, (mime, rate, channels))| {
            format!(
                "[audio_codec_{place}]\nmime={mime}\nrate={rate}\nchannels={channels}\nenabled=1\n"
            )
        })
        .collect()
}

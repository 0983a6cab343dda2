//! baresip as a telephone of the matrix.

use std::path::Path;

use anyhow::{Result, ensure};

use super::Recorder;
use super::telephone::{self, Telephone};
use crate::baresip::{Baresip, Settings};
use crate::linphone::Encryption;
use crate::sound::Signal;

pub(super) fn run(cells: &mut Recorder) -> Result<()> {
    telephone::run::<Baresip>(cells);
    Ok(())
}

impl Telephone for Baresip {
    const USER: &'static str = "110";
    const PORT: u16 = 5080;
    const LACKS: &'static [(&'static [&'static str], &'static str)] = &[
        (
            &["DTLS, ICE and WSS (as a browser)", "digits, INFO", "sound before the answer"],
            "this version has no such thing",
        ),
        (
            &["attended transfer"],
            "it knows no Replaces: it takes such a REFER with 202 and reports 400",
        ),
    ];

    fn start(encryption: Encryption, folder: &Path) -> Result<Self> {
        let microphone = folder.join("baresip-says.wav");
        Signal::read(&crate::speech())?.raised_to(48_000)?.repeated(6).write(&microphone)?;
        let encryption = match encryption {
            // It has no ZRTP, as Debian builds it.
            Encryption::None | Encryption::Zrtp => "",
            Encryption::Sdes => "srtp-mand",
            Encryption::Dtls => "dtls_srtp",
        };
        let settings = Settings {
            user: Self::USER.to_owned(),
            password: String::new(),
            server: String::new(),
            sip_port: Self::PORT,
            control_port: 4444,
            microphone,
            codecs: "opus/48000/2,G722/16000/1,PCMA/8000/1,PCMU/8000/1".to_owned(),
            encryption: encryption.to_owned(),
        };
        Self::start(&settings, folder)
    }

    fn is_called(&mut self) -> Result<()> {
        self.event("CALL_INCOMING").map(drop)
    }

    fn accept(&mut self) -> Result<()> {
        self.command("accept", "")
    }

    fn is_answered(&mut self) -> Result<()> {
        self.event("CALL_ESTABLISHED").map(drop)
    }

    fn hang_up(&mut self) -> Result<()> {
        self.command("hangup", "")
    }

    fn is_over(&mut self) -> Result<()> {
        self.event("CALL_CLOSED").map(drop)
    }

    fn dial(&mut self, to: &str) -> Result<()> {
        self.command("dial", to)
    }

    fn hold(&mut self) -> Result<()> {
        self.command("hold", "")
    }

    fn resume(&mut self) -> Result<()> {
        self.command("resume", "")
    }

    fn transfer(&mut self, to: &str) -> Result<()> {
        self.command("transfer", to)
    }

    fn press(&mut self, _: &str) -> Result<bool> {
        Ok(false)
    }

    fn hears(&mut self, digit: &str) -> Result<()> {
        let event = self.event("CALL_DTMF_START")?;
        ensure!(event["param"] == digit, "baresip heard something else: {event}");
        Ok(())
    }
}

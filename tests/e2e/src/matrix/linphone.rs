//! linphonec as a telephone of the matrix.

use std::path::Path;

use anyhow::Result;

use super::Recorder;
use super::telephone::{self, Telephone};
use crate::linphone::{Encryption, Linphone};

pub(super) fn run(cells: &mut Recorder) -> Result<()> {
    telephone::run::<Linphone>(cells);
    Ok(())
}

impl Telephone for Linphone {
    const USER: &'static str = "lin";
    const PORT: u16 = 5082;
    const LACKS: &'static [(&'static [&'static str], &'static str)] = &[(
        &["DTLS, ICE and WSS (as a browser)", "sound before the answer", "digits, INFO"],
        "its console has no way to ask for it",
    )];

    fn start(encryption: Encryption, folder: &Path) -> Result<Self> {
        Self::start(Self::PORT, encryption, folder)
    }

    fn is_called(&mut self) -> Result<()> {
        self.says("incoming call")?;
        self.says("assigned id")
    }

    fn accept(&mut self) -> Result<()> {
        self.command("answer")
    }

    fn is_answered(&mut self) -> Result<()> {
        // It takes commands at any time.
        Ok(())
    }

    fn hang_up(&mut self) -> Result<()> {
        self.command("terminate")
    }

    fn is_over(&mut self) -> Result<()> {
        self.says("ended")
    }

    fn dial(&mut self, to: &str) -> Result<()> {
        self.command(&format!("call {to}"))
    }

    fn hold(&mut self) -> Result<()> {
        self.command("pause")?;
        self.says("is now paused")
    }

    fn resume(&mut self) -> Result<()> {
        self.command("resume")
    }

    fn transfer(&mut self, to: &str) -> Result<()> {
        self.command(&format!("transfer {to}"))
    }

    fn press(&mut self, digit: &str) -> Result<bool> {
        self.command(digit)?;
        Ok(true)
    }

    fn hears(&mut self, digit: &str) -> Result<()> {
        self.says(&format!("Receiving tone {digit}"))
    }
}

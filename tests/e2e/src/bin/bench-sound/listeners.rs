//! The programs that listen: one shape for the headless program, baresip and linphone.

use std::path::Path;
use std::process::Command;

use anyhow::{Result, bail};
use e2e::PHONES;
use e2e::balie::{Account, Balie, program};
use e2e::baresip::{Baresip, Settings};
use e2e::caller::{Call, Caller};
use e2e::linphone::Linphone;
use e2e::loudspeaker::Loudspeaker;
use sdp::CodecKind;
use serde_json::{Value, json};

/// Their names, ours first.
pub(crate) const NAMES: [&str; 3] = ["balie", "baresip", "linphone"];

/// A running program that takes calls.
pub(crate) struct Listener {
    program: Program,
    /// Whom to call where.
    user: &'static str,
    peer: String,
}

enum Program {
    Balie(Box<Balie>, Value),
    Baresip(Baresip),
    Linphone(Linphone),
}

impl Listener {
    /// Starts the program of that place in [`NAMES`]; `lane` keeps several of the same apart.
    pub(crate) fn start(
        which: usize,
        lane: usize,
        loudspeaker: &Loudspeaker,
        folder: &Path,
    ) -> Result<Self> {
        let lane = u16::try_from(lane)?;
        // baresip takes the port after its own too.
        let port = 5_070 + 10 * u16::try_from(which)? + 2 * lane;
        let program = match which {
            0 => Program::Balie(Box::new(balie(port, loudspeaker, folder)?), Value::Null),
            1 => Program::Baresip(baresip(port, lane, loudspeaker, folder)?),
            2 => Program::Linphone(Linphone::start_aloud(port, loudspeaker, folder)?),
            _ => bail!("there is no such program"),
        };
        Ok(Self { program, user: ["101", "110", "lin"][which], peer: format!("{PHONES}:{port}") })
    }

    /// Calls it; it answers.
    pub(crate) fn call(&mut self, codec: CodecKind) -> Result<Call> {
        let caller = Caller::begin(self.user, &self.peer, codec)?;
        match &mut self.program {
            Program::Balie(balie, call) => {
                *call = balie.ringing()?;
                balie.request("call.answer", &json!({"call": call}))?;
            }
            Program::Baresip(baresip) => {
                baresip.event("CALL_INCOMING")?;
                baresip.command("accept", "")?;
            }
            Program::Linphone(linphone) => {
                linphone.says("incoming call")?;
                linphone.says("assigned id")?;
                linphone.command("answer")?;
            }
        }
        caller.answered()
    }

    /// Waits until it knows that the call is over.
    pub(crate) fn ended(&mut self) -> Result<()> {
        match &mut self.program {
            Program::Balie(balie, call) => balie.call_state(call, "ended").map(drop),
            Program::Baresip(baresip) => baresip.event("CALL_CLOSED").map(drop),
            Program::Linphone(linphone) => linphone.says("ended"),
        }
    }
}

fn balie(port: u16, loudspeaker: &Loudspeaker, folder: &Path) -> Result<Balie> {
    let config = Account::direct("101", PHONES, port).write(folder, PHONES)?;
    let mut command = Command::new(program()?);
    command.envs(loudspeaker.environment());
    Balie::start_by(command, &config, "system")
}

/// A baresip that listens at `port`; `lane` keeps several apart.
pub(crate) fn baresip(
    port: u16,
    lane: u16,
    loudspeaker: &Loudspeaker,
    folder: &Path,
) -> Result<Baresip> {
    std::fs::create_dir_all(folder)?;
    let settings = Settings {
        user: "110".to_owned(),
        password: String::new(),
        server: String::new(),
        sip_port: port,
        control_port: 4_444 + lane,
        microphone: "unused".into(),
        codecs: "opus/48000/2,G722/16000/1,PCMA/8000/1".to_owned(),
        encryption: String::new(),
    };
    Baresip::start_aloud(&settings, loudspeaker, folder)
}

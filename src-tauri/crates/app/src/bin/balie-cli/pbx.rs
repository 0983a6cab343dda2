//! `pbx`: the embedded exchange alone, until it is interrupted.

use std::fs;
use std::hash::{BuildHasher as _, RandomState};
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use app::code::Code;
use app::control::ErrorReply;
use training_pbx::{Company, PbxConfig, Profile};

use crate::out::{self, Failure};
use crate::setup;

pub(crate) async fn run(arguments: crate::Pbx) -> Result<(), Failure> {
    let _log = setup::log(None, app::logs::FILE_BYTES)?;
    let wrong = |message: String| Failure::usage(Code::BadRequest, message);
    let (listen, sip_port) = address(&arguments.listen).ok_or_else(|| {
        wrong(format!("--listen is an address with or without a port, not {}", arguments.listen))
    })?;
    let profile = match arguments.profile.as_str() {
        "r21" => Profile::R21,
        "2020" => Profile::R2020,
        other => return Err(wrong(format!("--profile is r21 or 2020, not {other}"))),
    };
    let company = match &arguments.company {
        None => Company::demo(),
        Some(path) => {
            let bad = |message: String| {
                Failure::usage(Code::BadConfig, format!("{}: {message}", path.display()))
            };
            let text = fs::read_to_string(path).map_err(|error| bad(error.to_string()))?;
            Company::from_toml(&text).map_err(|error| bad(error.to_string()))?
        }
    };
    // Another one each time: what starts anew must not give out the nonces and passwords of its last run.
    let seed = RandomState::new().hash_one(sip_port);
    let config = PbxConfig {
        listen,
        sip_port,
        company,
        profile,
        seed,
        voicemail_folder: folder(arguments.voicemail)?,
        recordings_folder: folder(arguments.recordings)?,
        ..PbxConfig::default()
    };
    let pbx = training_pbx::Pbx::start(config)
        .await
        .map_err(|error| Failure::failed(ErrorReply::new(Code::PortTaken, error.to_string())))?;
    // The first line is the ready line, for programs; people get it too.
    out::json(pbx.ready())?;
    if !arguments.json {
        print_ready(pbx.ready())?;
    }
    tokio::signal::ctrl_c().await?;
    pbx.stop().await;
    Ok(())
}

fn print_ready(ready: &training_pbx::Ready) -> Result<(), Failure> {
    out::text(&format!("{} listens on port {}", ready.company, ready.sip_udp))?;
    for account in &ready.accounts {
        out::text(&format!("{}  {}", account.aor, account.name))?;
    }
    Ok(())
}

/// A folder that can be made, so that what is wrong with it is said before the first call and not after.
fn folder(path: Option<PathBuf>) -> Result<Option<PathBuf>, Failure> {
    if let Some(path) = &path {
        fs::create_dir_all(path).map_err(|error| {
            Failure::usage(Code::BadRequest, format!("{}: {error}", path.display()))
        })?;
    }
    Ok(path)
}

fn address(text: &str) -> Option<(IpAddr, u16)> {
    let whole = text.parse::<SocketAddr>().map(|address| (address.ip(), address.port()));
    whole.or_else(|_| text.parse::<IpAddr>().map(|ip| (ip, 0))).ok()
}

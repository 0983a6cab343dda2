//! The line check against the embedded exchange: over a clean way, and through a router that rewrites SIP.

use std::net::{SocketAddr, UdpSocket};
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use e2e::balie::program;
use e2e::embedded::Embedded;
use e2e::relay::Relay;
use serde_json::Value;
use tempfile::tempdir;

const LOOPBACK: &str = "127.0.0.1";

/// What the check prints, and whether it found the line good.
fn check(config: &Path, more: &[&str]) -> Result<(Value, bool)> {
    let output = Command::new(program()?)
        .args(["check", "--json", "--config"])
        .arg(config)
        .args(more)
        .output()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let report: Value = serde_json::from_str(&text).with_context(|| text.clone())?;
    Ok((report["accounts"][0].clone(), output.status.success()))
}

fn step<'a>(account: &'a Value, kind: &str) -> Result<&'a Value> {
    let steps = account["steps"].as_array().context("no steps")?;
    steps.iter().find(|step| step["kind"] == kind).with_context(|| format!("no {kind}: {account}"))
}

#[test]
fn a_good_line_is_found_good_with_sound_both_ways() -> Result<()> {
    let folder = tempdir()?;
    let pbx = Embedded::start()?;
    let config = pbx.account("101")?.write(folder.path(), LOOPBACK)?;
    let (account, _) = check(&config, &["--call", &pbx.number("echo")?])?;
    ensure!(account["ok"] == true, "{account}");
    for kind in ["config", "resolve", "reach", "path", "register", "call"] {
        ensure!(step(&account, kind)?["ok"] == true, "{account}");
    }
    let way = step(&account, "path")?["detail"].as_str().unwrap_or_default().to_owned();
    ensure!(way.contains("no address translation"), "{way}");
    Ok(())
}

#[test]
fn a_router_that_rewrites_is_named() -> Result<()> {
    let folder = tempdir()?;
    let pbx = Embedded::start()?;
    let mut account = pbx.account("101")?;
    let router = rewriting_router(account.server.parse()?)?;
    account.server = format!("{LOOPBACK}:{}", router.port);
    let config = account.write(folder.path(), LOOPBACK)?;
    let (account, good) = check(&config, &[])?;
    ensure!(!good && account["ok"] == false, "{account}");
    let way = step(&account, "path")?;
    ensure!(way["code"] == "rewritten", "{account}");
    ensure!(way["detail"].as_str().unwrap_or_default().contains("Via"), "{account}");
    // The registration itself comes about, which is why nobody suspects the router.
    ensure!(step(&account, "register")?["ok"] == true, "{account}");
    Ok(())
}

#[test]
fn a_server_that_is_not_there_is_told() -> Result<()> {
    let folder = tempdir()?;
    let silent = UdpSocket::bind("127.0.0.1:0")?;
    let pbx = Embedded::start()?;
    let mut account = pbx.account("101")?;
    account.server = silent.local_addr()?.to_string();
    let (account, good) = check(&account.write(folder.path(), LOOPBACK)?, &[])?;
    ensure!(!good && step(&account, "reach")?["code"] == "timeout", "{account}");
    Ok(())
}

/// A router that puts its own port where the program's stands in what goes out, and does not undo it in what comes
/// back.
fn rewriting_router(exchange: SocketAddr) -> Result<Relay> {
    Relay::start(exchange, |datagram, ends| {
        let text = String::from_utf8_lossy(datagram);
        let inside = format!("{LOOPBACK}:{};branch", ends.program);
        text.replace(&inside, &format!("{LOOPBACK}:{};branch", ends.outside)).into_bytes()
    })
}

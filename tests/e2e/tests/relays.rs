//! Calls whose sound only comes through over a relay: coturn between two Balies in rooms that do not reach each other,
//! and between Balie and Asterisk; over UDP, TCP and TLS, and when the address changes in mid-call.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use e2e::asterisk::{self, Asterisk};
use e2e::balie::{Account, Balie, program};
use e2e::coturn::{self, Coturn};
use e2e::kamailio::{self, Kamailio};
use e2e::rooms::Room;
use e2e::sound::{Signal, likeness};
use e2e::{SERVER, pause, speech};
use serde_json::{Value, json};
use tempfile::tempdir;

/// How each kind of relay is written.
fn relays() -> [(&'static str, String); 3] {
    [
        ("udp", format!("turn:{SERVER}:{}", coturn::PORT)),
        ("tcp", format!("turn:{SERVER}:{}?transport=tcp", coturn::PORT)),
        ("tls", format!("turns:{SERVER}:{}", coturn::TLS_PORT)),
    ]
}

fn with_relay(account: Account, relay: &str) -> Account {
    account
        .with("ice = true")
        .with(&format!("turn = {relay:?}"))
        .with(&format!("turn_user = {:?}", coturn::USER))
        .with(&format!("turn_password = {:?}", coturn::PASSWORD))
}

fn start(room: &Room, account: &Account, audio: &str, folder: &Path) -> Result<Balie> {
    std::fs::create_dir_all(folder)?;
    let command = room.enter(&program()?.to_string_lossy());
    let mut balie = Balie::start_by(command, &account.write(folder, "0.0.0.0")?, audio)?;
    balie.registered()?;
    Ok(balie)
}

/// A call between two rooms through the relay.
struct Pair {
    caller: Balie,
    callee: Balie,
    outgoing: Value,
    incoming: Value,
}

fn call(rooms: &[Room; 2], account: impl Fn(&str) -> Account, folder: &Path) -> Result<Pair> {
    let file = |name: &str| folder.join(name).display().to_string();
    let speech = speech().display().to_string();
    let speaking = format!("wav:{speech},{},loop", file("own.wav"));
    let mut caller = start(&rooms[0], &account("201"), &speaking, folder)?;
    let listening = format!("wav:{speech},{}", file("heard.wav"));
    let mut callee = start(&rooms[1], &account("202"), &listening, folder)?;
    let outgoing = caller.begin("202")?;
    let incoming = callee.ringing()?;
    callee.request("call.answer", &json!({"call": incoming}))?;
    caller.call_state(&outgoing, "active")?;
    Ok(Pair { caller, callee, outgoing, incoming })
}

/// Whether the callee goes on hearing, within ten seconds.
fn sounds_on(balie: &mut Balie, call: &Value) -> Result<()> {
    let packets = |balie: &mut Balie| {
        let stats = balie.request("call.stats", &json!({"call": call})).ok()?;
        stats["rx"]["packets"].as_u64()
    };
    let before = packets(balie).unwrap_or(0);
    e2e::poll("sound", Duration::from_secs(15), || (packets(balie)? > before + 50).then_some(()))
}

#[test]
fn two_balies_that_only_reach_the_relay_hear_each_other_over_udp_tcp_and_tls() -> Result<()> {
    let folder = tempdir()?;
    let _kamailio = Kamailio::start(folder.path())?;
    let coturn = Coturn::start(folder.path())?;
    let rooms = [Room::build(1)?, Room::build(2)?];
    let sent = Signal::read(&speech())?;
    for (name, relay) in relays() {
        let folder = folder.path().join(name);
        let bound = coturn.said("CHANNEL_BIND processed, success");
        let account = |user: &str| {
            let server = format!("{SERVER}:{}", kamailio::PORT);
            let account = Account::new(user, kamailio::PASSWORD, &server)
                .with(&format!("tls_ca_file = {:?}", coturn.authority()))
                .with("srtp = \"required\"")
                .with("srtp_keying = \"dtls\"");
            with_relay(account, &relay)
        };
        let mut pair = call(&rooms, account, &folder)?;
        sounds_on(&mut pair.callee, &pair.incoming)?;
        pause(Duration::from_secs_f64(sent.seconds() + 2.0));
        let stats = pair.callee.request("call.stats", &json!({"call": pair.incoming}))?;
        ensure!(stats["secure"] == true && stats["unauthenticated"] == 0, "{name}: {stats}");
        pair.callee.hangup(&pair.incoming)?;
        pair.caller.call_state(&pair.outgoing, "ended")?;
        pair.callee.quit()?;
        pair.caller.quit()?;
        let likeness = likeness(&sent, &Signal::read(&folder.join("heard.wav"))?, 0.4)?;
        let channels = coturn.said("CHANNEL_BIND processed, success") - bound;
        println!("{name}: correlation {likeness:.3}, {channels} channels, {stats}");
        ensure!(likeness > 0.9, "{name}: the callee heard something else: {likeness}");
        ensure!(channels > 0, "{name}: the relay bound no channel");
    }
    Ok(())
}

#[test]
fn without_the_relay_the_same_call_finds_no_way_and_ends_in_words() -> Result<()> {
    let folder = tempdir()?;
    let _kamailio = Kamailio::start(folder.path())?;
    let rooms = [Room::build(3)?, Room::build(4)?];
    let account = |user: &str| {
        let server = format!("{SERVER}:{}", kamailio::PORT);
        Account::new(user, kamailio::PASSWORD, &server).with("ice = true")
    };
    let mut pair = call(&rooms, account, folder.path())?;
    // Whoever sees it first says so and hangs up; the other hears no more than that.
    let mut reasons = Vec::new();
    for (balie, call) in [(&mut pair.caller, &pair.outgoing), (&mut pair.callee, &pair.incoming)] {
        let ended = balie.wait("the end", Duration::from_secs(45), |event| {
            event["call"] == *call && event["state"] == "ended"
        });
        reasons.push(ended.context("a call without a way goes on")?["reason"].clone());
    }
    ensure!(reasons.contains(&"connection_lost".into()), "{reasons:?}");
    Ok(())
}

#[test]
fn a_call_through_the_relay_goes_on_when_an_address_changes() -> Result<()> {
    let folder = tempdir()?;
    let _kamailio = Kamailio::start(folder.path())?;
    let coturn = Coturn::start(folder.path())?;
    let rooms = [Room::build(5)?, Room::build(6)?];
    for (name, relay) in relays() {
        let folder = folder.path().join(name);
        let account = |user: &str| {
            let server = format!("{SERVER}:{}", kamailio::PORT);
            let account = Account::new(user, kamailio::PASSWORD, &server)
                .with(&format!("tls_ca_file = {:?}", coturn.authority()));
            with_relay(account, &relay)
        };
        let mut pair = call(&rooms, account, &folder)?;
        sounds_on(&mut pair.callee, &pair.incoming)?;
        rooms[0].takes_address(77)?;
        for round in 0..2 {
            sounds_on(&mut pair.callee, &pair.incoming)
                .with_context(|| format!("{name} {round}"))?;
            sounds_on(&mut pair.caller, &pair.outgoing)
                .with_context(|| format!("{name} {round}"))?;
        }
        pair.caller.hangup(&pair.outgoing)?;
        pair.callee.call_state(&pair.incoming, "ended")?;
        pair.callee.quit()?;
        pair.caller.quit()?;
        rooms[0].takes_address(2)?;
    }
    Ok(())
}

#[test]
fn a_call_that_goes_straight_finds_its_way_anew_when_an_address_changes() -> Result<()> {
    let folder = tempdir()?;
    let _kamailio = Kamailio::start(folder.path())?;
    let room = Room::build(8)?;
    let account = |user: &str| {
        let server = format!("{SERVER}:{}", kamailio::PORT);
        Account::new(user, kamailio::PASSWORD, &server).with("ice = true")
    };
    let audio = |name: &str| {
        let file = folder.path().join(name);
        format!("wav:{},{},loop", speech().display(), file.display())
    };
    let mut caller = start(&room, &account("201"), &audio("caller.wav"), folder.path())?;
    // The other one is beside the server, which the room reaches without a relay, at an address of his own: what is sent to
    // the server's is the server's to answer.
    let file = account("202").write(folder.path(), e2e::PHONES)?;
    let program = std::process::Command::new(program()?);
    let mut callee = Balie::start_by(program, &file, &audio("callee.wav"))?;
    callee.registered()?;
    let outgoing = caller.begin("202")?;
    let incoming = callee.ringing()?;
    callee.request("call.answer", &json!({"call": incoming}))?;
    caller.call_state(&outgoing, "active")?;
    sounds_on(&mut callee, &incoming)?;
    for host in [77, 78] {
        // Nothing comes from or to the old address any more: what is heard after this came by new checks.
        room.takes_address(host)?;
        for _ in 0..2 {
            sounds_on(&mut callee, &incoming).with_context(|| format!("to the callee, {host}"))?;
            sounds_on(&mut caller, &outgoing).with_context(|| format!("to the caller, {host}"))?;
        }
    }
    caller.hangup(&outgoing)?;
    callee.call_state(&incoming, "ended")?;
    callee.quit()?;
    caller.quit()?;
    Ok(())
}

#[test]
fn a_call_to_asterisk_comes_back_through_the_relay() -> Result<()> {
    let folder = tempdir()?;
    let pbx = Asterisk::start(folder.path())?;
    let coturn = Coturn::start(folder.path())?;
    let room = Room::build(7)?;
    // Asterisk's sound is barred; only the relay, which stands beside it, gets there.
    for ports in asterisk::RTP_PORTS {
        room.bars(ports)?;
    }
    let sent = Signal::read(&speech())?;
    // Both authorities in one file.
    let authorities = folder.path().join("authorities.pem");
    let both =
        [std::fs::read_to_string(pbx.authority())?, std::fs::read_to_string(coturn.authority())?];
    std::fs::write(&authorities, both.concat())?;
    for (name, relay) in relays() {
        let folder = folder.path().join(name);
        let server = format!("{SERVER}:{}", asterisk::WSS_PORT);
        let account = Account::new(asterisk::WEB_PHONE, asterisk::PASSWORD, &server)
            .over("wss")
            .with(&format!("tls_ca_file = {authorities:?}"))
            .with("srtp = \"required\"")
            .with("srtp_keying = \"dtls\"");
        let heard = folder.join("heard.wav");
        let audio = format!("wav:{},{},loop", speech().display(), heard.display());
        let mut balie = start(&room, &with_relay(account, &relay), &audio, &folder)?;
        let call = balie.begin(asterisk::ECHO)?;
        balie.call_state(&call, "active")?;
        pause(Duration::from_secs_f64(sent.seconds() + 5.0));
        let stats = balie.request("call.stats", &json!({"call": call}))?;
        balie.hangup(&call)?;
        balie.quit()?;
        let likeness = likeness(&sent, &Signal::read(&heard)?, 0.4)?;
        println!("{name}: correlation {likeness:.3}, {stats}");
        ensure!(stats["secure"] == true, "{name}: {stats}");
        ensure!(likeness > 0.9, "{name}: what came back resembles what was sent by {likeness}");
    }
    Ok(())
}

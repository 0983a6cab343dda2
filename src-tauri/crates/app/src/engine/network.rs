//! The network under the desk: what the watcher tells becomes registrations over the new way and
//! offers with the new address, until every peer has taken it.
//!
//! Inputs from the watcher or the user: the network changed. From the user agent: a session's
//! address changed, an offer was accepted, refused or unanswered. From the clock: an offer is to be
//! made again.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use call_control::{CallId, Command, Direction, Input, Signal, State};
use network_watch::{Change, Destinations};
use sip_core::Target;
use sip_transport::{Transport, Watch};
use sip_ua::SessionId;
use tracing::debug;

use super::calls::StepError;
use super::descriptions::By;
use super::desk::Desk;
use super::encryption::fresh_ice;
use crate::code::Code;
use crate::control::{Answer, ErrorReply};

/// The wait before an offer that failed is made again; it doubles.
const FIRST_WAIT: Duration = Duration::from_millis(500);
const LONGEST_WAIT: Duration = Duration::from_secs(8);
/// How long an offer may stay unanswered before it is looked after.
const UNANSWERED: Duration = Duration::from_secs(40);
/// How often an offer is made to a peer that is heard all the same.
const ATTEMPTS: u32 = 12;
/// A call without sound for this long, whose peer takes no offer, is over.
const SILENT: Duration = Duration::from_secs(90);

/// What the desk knows of the network.
pub(super) struct Network {
    destinations: Destinations,
    watched: Vec<IpAddr>,
    /// Calls whose peer has not taken our new address yet.
    moves: BTreeMap<CallId, Move>,
    /// The servers whose ways are kept open, by account.
    kept: BTreeMap<String, Vec<(Target, Watch)>>,
}

/// A call on its way to a new address.
#[derive(Clone, Copy, Debug)]
struct Move {
    since: Instant,
    attempts: u32,
    /// When to offer again.
    at: Instant,
}

impl Network {
    pub(super) fn new(destinations: Destinations) -> Network {
        Network { destinations, watched: Vec::new(), moves: BTreeMap::new(), kept: BTreeMap::new() }
    }

    /// Keeps the NAT bindings or connections to an account's servers alive, and no longer those to the
    /// servers before. `flow`: the server keeps the flow, so that it answers keep-alives (RFC 5626
    /// section 4.4). Not all do so over UDP: there it has to answer once before it is missed.
    pub(super) fn keep_alive(
        &mut self,
        transport: &Transport,
        account: &str,
        servers: &[Target],
        flow: bool,
    ) {
        let watch = |server: &Target| match server.transport.reliable() && flow {
            true => Watch::Watched,
            false => Watch::IfAnswered,
        };
        let now: Vec<_> = servers.iter().map(|server| (*server, watch(server))).collect();
        let before = self.kept.insert(account.to_owned(), now.clone()).unwrap_or_default();
        for (server, watch) in now.into_iter().filter(|kept| !before.contains(kept)) {
            transport.keep_alive(server, watch);
        }
        let wanted = |target: &Target| self.kept.values().flatten().any(|(kept, _)| kept == target);
        for (target, _) in before.iter().filter(|(target, _)| !wanted(target)) {
            transport.let_go(*target);
        }
    }

    pub(super) fn due(&self) -> Option<Instant> {
        self.moves.values().map(|moving| moving.at).min()
    }
}

impl Desk {
    /// What the watcher tells.
    pub(super) fn network_change(&mut self, now: Instant, change: &Change) {
        if !change.moved {
            return;
        }
        if change.usable() {
            self.move_everything(now);
        } else {
            self.trouble = Some(Code::ConnectionFailed);
            self.ua.network_gone(now);
        }
    }

    /// The command.
    pub(super) fn network_changed(&mut self, now: Instant) -> Result<Answer, ErrorReply> {
        self.move_everything(now);
        Ok(Answer::done())
    }

    fn move_everything(&mut self, now: Instant) {
        self.transport.network_changed();
        self.ua.network_changed(now);
        self.centres.network_changed();
        self.hurry_sources(now);
    }

    /// Tells the watcher which ways count: those to the servers.
    pub(super) fn watch_servers(&mut self) {
        let servers = self.accounts.iter().filter_map(|account| account.server);
        let mut servers: Vec<IpAddr> = servers.map(|server| server.ip().to_canonical()).collect();
        servers.sort_unstable();
        servers.dedup();
        if servers != self.network.watched {
            self.network.destinations.watch(servers.clone());
            self.network.watched = servers;
        }
    }

    /// A session stands on an address that may be gone.
    pub(super) fn address_changed(&mut self, now: Instant, session: SessionId) {
        let Some(id) = self.call_of(session) else { return };
        let Some(call) = self.calls.get(id) else { return };
        let unanswered = call.answered().is_none();
        match call.direction() {
            Direction::Out if unanswered => self.dial_again(now, id, session),
            _ => {
                let moving = Move { since: now, attempts: 0, at: now };
                self.network.moves.entry(id).or_insert(moving);
                self.move_call(now, id);
            }
        }
    }

    /// An account is registered again, so the network works: its calls need not wait.
    pub(super) fn hurry_moves(&mut self, now: Instant, account: &str) {
        let moving = self.network.moves.keys().filter_map(|id| self.lines.get(id));
        let sessions =
            moving.filter(|line| line.account == account).filter_map(|line| line.session);
        for session in sessions.collect::<Vec<_>>() {
            if let Err(error) = self.ua.hurry_offer(now, session) {
                debug!(%error, "the call is over");
            }
        }
    }

    /// The way of an answered call's sound has died: another one is looked for, once for each that worked (RFC 8445, 9).
    /// False: there is no hope.
    pub(super) fn look_for_another_way(&mut self, now: Instant, id: CallId) -> bool {
        let answered = self.calls.get(id).is_some_and(|call| call.answered().is_some());
        let Some(line) = self.lines.get_mut(&id).filter(|line| line.heard && answered) else {
            return false;
        };
        debug!(call = id.0, "talking, way lost -> looking for another");
        line.heard = false;
        self.network.moves.insert(id, Move { since: now, attempts: 0, at: now });
        self.move_call(now, id);
        true
    }

    /// Whether the peer is still to be told our new address: a failure of an offer is no refusal.
    pub(super) fn is_moving(&self, id: CallId) -> bool {
        self.network.moves.contains_key(&id)
    }

    /// The peer has taken our address.
    pub(super) fn moved(&mut self, id: CallId) {
        self.network.moves.remove(&id);
    }

    /// An offer of a moving call failed.
    pub(super) fn move_failed(&mut self, now: Instant, id: CallId) {
        if let Some(moving) = self.network.moves.get_mut(&id) {
            let wait = (FIRST_WAIT * 2u32.pow(moving.attempts.min(6))).min(LONGEST_WAIT);
            moving.attempts += 1;
            moving.at = now + wait;
        }
    }

    pub(super) fn moves_on_time(&mut self, now: Instant) {
        let due = self.network.moves.iter().filter(|(_, moving)| moving.at <= now);
        for id in due.map(|(id, _)| *id).collect::<Vec<_>>() {
            self.move_call(now, id);
        }
    }

    /// Offers the new address to the peer of an answered call; one that rings waits.
    fn move_call(&mut self, now: Instant, id: CallId) {
        let Some(moving) = self.network.moves.get(&id).copied() else { return };
        let Some(call) = self.calls.get(id).filter(|call| call.state() != State::Ended) else {
            self.network.moves.remove(&id);
            return;
        };
        let answered = call.answered().is_some();
        let Some(line) = self.lines.get(&id) else { return };
        if !answered {
            if line.media.is_none() {
                // Its sockets are opened when it is answered, on the address of that time.
                self.network.moves.remove(&id);
            } else {
                self.wait_for_move(id, now + FIRST_WAIT);
            }
            return;
        }
        if moving.attempts > 0 && !line.rx_active && now >= moving.since + SILENT {
            return self.give_up(now, id);
        }
        if moving.attempts > ATTEMPTS && line.rx_active {
            // It takes no offer, and yet it is heard: that has to do.
            self.network.moves.remove(&id);
            return self.tell(now, id, Signal::OfferRefused);
        }
        let Some(local) = self.address_towards(id) else {
            return self.move_failed(now, id);
        };
        if let Err(error) = self.take_address(id, local) {
            debug!(%error, "no sockets at the new address");
            return self.move_failed(now, id);
        }
        self.wait_for_move(id, now + UNANSWERED);
        // Places on relays stand on the old address too.
        if !self.gather(id, move |desk, now| desk.offer_move(now, id)) {
            self.offer_move(now, id);
        }
    }

    /// Offers what was found at the new address.
    fn offer_move(&mut self, now: Instant, id: CallId) {
        let Some(offering) = self.calls.get(id).map(|call| call.hold().offering) else { return };
        let Some(line) = self.lines.get_mut(&id) else { return };
        if line.negotiator.state() == sdp::State::LocalOffer {
            line.negotiator.abandon();
        }
        let sent = match offering {
            Some(_) => self.try_offer(now, id, By::Invite).is_ok(),
            None => self.calls.handle_input(now, Input::Command(id, Command::Refresh)).is_ok(),
        };
        if !sent {
            self.move_failed(now, id);
        }
    }

    /// Puts the new address into the call's description. The sockets listen on every address of their
    /// family, so only another family needs others.
    fn take_address(&mut self, id: CallId, local: IpAddr) -> Result<(), StepError> {
        let line = self.lines.get_mut(&id).ok_or(StepError::Gone)?;
        let media = line.media.as_mut().ok_or(StepError::Gone)?;
        if media.local.addr.is_ipv4() == local.is_ipv4() {
            let local_media = &mut media.local;
            local_media.addr = local;
            // Checks begin anew from the new address.
            if local_media.ice.is_some() {
                let fresh = fresh_ice(local, local_media.rtp_port, &mut self.random);
                local_media.ice = Some(fresh);
            }
            return Ok(());
        }
        self.sounds.engine.close(media.stream);
        self.open_media(id, local)
    }

    fn wait_for_move(&mut self, id: CallId, at: Instant) {
        if let Some(moving) = self.network.moves.get_mut(&id) {
            moving.at = at;
        }
    }

    /// Nothing is heard of the peer and it takes no offer: the call is over.
    fn give_up(&mut self, now: Instant, id: CallId) {
        self.network.moves.remove(&id);
        if let Some(session) = self.lines.get(&id).and_then(|line| line.session) {
            let hung_up = self.ua.hangup(now, session);
            debug!(?hung_up, "hung up");
        }
        self.fail_call(now, id, Code::ConnectionLost, "the network changed and the peer is gone");
    }

    /// An outgoing call that is not answered yet would not hear the answer, which goes to the
    /// address it was dialled from: it is taken back and dialled again from the new one.
    fn dial_again(&mut self, now: Instant, id: CallId, session: SessionId) {
        let local = self.address_towards(id);
        let Some(line) = self.lines.get(&id) else { return };
        let before = line.media.as_ref().map(|media| media.local.addr);
        if local.is_none() || local == before {
            return;
        }
        debug!(call = id.0, "dialling, address gone -> dialling");
        self.forget_attempt(id);
        let cancelled = self.ua.hangup(now, session);
        debug!(?cancelled, "the first attempt was taken back");
        if let Err(error) = self.begin_invite(now, id) {
            self.fail_call(now, id, Code::ConnectionFailed, &error.to_string());
        }
    }

    /// The address of ours that leads to a call's server, or to whoever called.
    fn address_towards(&self, id: CallId) -> Option<IpAddr> {
        let line = self.lines.get(&id)?;
        let server = self.account(&line.account).and_then(|account| account.server);
        let peer = server.map(|server| server.ip()).or(line.source)?;
        self.transport.local_address(peer)
    }
}

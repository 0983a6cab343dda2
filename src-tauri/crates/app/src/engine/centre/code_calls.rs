//! The calls that codes are dialled by: beside the user's own, without sound, and not shown.

use std::net::IpAddr;
use std::time::Instant;

use sdp::{LocalMedia, Negotiator};
use sip_types::StatusCode;
use sip_ua::{Body, Event, OutgoingCall};
use tracing::debug;

use super::super::commands::on_account;
use super::super::desk::Desk;
use super::super::encryption::{Secrets, fresh_keys};
use super::super::line::Line;
use super::super::watch::Wanted;
use super::Way;
use super::by_code::{ByCode, Out};
use crate::code::Code;
use crate::control::WatchPackage;
use crate::view::{AccountState, LineState, LineView};

/// Nobody listens there (RFC 863); nothing is sent there either, since the stream is inactive.
const DISCARD: u16 = 9;

impl Desk {
    /// Begins with codes: watches the lamps that tell what they have done.
    pub(super) fn begin_codes(&mut self, now: Instant, account: &str) {
        self.codes_registered(account);
        let lamps = self.codes_of(account).map(|codes| codes.lamps()).unwrap_or_default();
        if lamps.is_empty() {
            return;
        }
        let package = Some(WatchPackage::Dialog);
        let wanted = Wanted { uris: &lamps, list: None, package, account: Some(account) };
        if let Err(error) = self.watch_lines(now, wanted) {
            self.notice(now, Code::BadConfig, Some(error.message), true);
        }
    }

    /// Carries out one thing that codes want; false when none want anything.
    pub(super) fn codes_output(&mut self, now: Instant) -> bool {
        let next = self.centres.running.iter_mut().find_map(|(account, running)| {
            let Way::Codes(codes) = &mut running.way else { return None };
            Some((account.clone(), codes.poll_output()?))
        });
        let Some((account, out)) = next else { return false };
        match out {
            Out::Tell(input) => {
                if let Some(running) = self.centres.running.get_mut(&account) {
                    running.told(now, *input);
                }
            }
            Out::HangUp(session) => {
                if let Err(error) = self.ua.hangup(now, session) {
                    debug!(%error, "the call of a code is over already");
                }
            }
            Out::Dial(number) => {
                if let Err(why) = self.dial_code(now, &account, &number)
                    && let Some(codes) = self.codes_of(&account)
                {
                    codes.not_dialled(now, &why);
                }
            }
        }
        true
    }

    fn dial_code(&mut self, now: Instant, id: &str, number: &str) -> Result<(), String> {
        let description = self.random.u64();
        let account = self.account(id).ok_or("the account is gone")?;
        let ua = account.ua.ok_or("the account is not in use")?;
        let server = account.server.ok_or("the account is not registered")?;
        let addr = self.transport.local_address(server.ip()).ok_or("no address leads there")?;
        let uri = on_account(account, number).map_err(|error| error.message)?;
        let line = Line::new(&account.settings, description);
        let terms = line.terms_now();
        let secrets = Secrets {
            keys: fresh_keys(terms, &mut self.random),
            dtls: self.sounds.engine.fingerprint().filter(|_| terms.keying.dtls).cloned(),
            ice: None,
        };
        let offer = silent_offer(line, addr, secrets).map_err(|error| error.to_string())?;
        let call = OutgoingCall::new(uri, Some(Body::sdp(offer)));
        let session = self.ua.invite(now, ua, call).map_err(|error| error.to_string())?;
        if let Some(codes) = self.codes_of(id) {
            codes.dialled(session);
        }
        Ok(())
    }

    /// What the wire tells of a code's call. False: it is about something else.
    pub(in super::super) fn code_event(&mut self, now: Instant, event: &Event) -> bool {
        let mut codes = self.centres.running.values_mut().filter_map(|running| {
            let Way::Codes(codes) = &mut running.way else { return None };
            Some(codes)
        });
        match event {
            Event::Answered { session, .. } => codes.any(|codes| codes.answered(now, *session)),
            Event::Ended { session, cause } => {
                let status = cause.status.map(StatusCode::code);
                codes.any(|codes| codes.ended(now, *session, (status, &cause.reason)))
            }
            Event::Reoffered { session, .. } if codes.any(|codes| codes.is_at(*session)) => {
                if let Err(error) =
                    self.ua.reject_reoffer(now, *session, StatusCode::NOT_ACCEPTABLE_HERE)
                {
                    debug!(%error, "the peer's offer is gone");
                }
                true
            }
            _ => false,
        }
    }

    /// An account's registration changed.
    pub(in super::super) fn codes_registered(&mut self, account: &str) {
        let registered = self.account(account).is_some_and(|a| a.state == AccountState::Registered);
        if let Some(codes) = self.codes_of(account) {
            codes.registered(registered);
        }
    }

    /// A watched line changed.
    pub(in super::super) fn code_lamp(&mut self, view: &LineView) {
        let on = match view.state {
            LineState::Idle => false,
            LineState::Ringing | LineState::Busy | LineState::Held => true,
            LineState::Unreachable | LineState::Unknown => return,
        };
        let Some(codes) = self.codes_of(&view.account) else { return };
        let lamps = codes.lamps();
        let Some(account) = self.account(&view.account) else { return };
        let is_it = |lamp: &&String| {
            self.target(account, lamp).is_ok_and(|target| target.to_string() == view.uri)
        };
        let Some(lamp) = lamps.iter().find(is_it) else { return };
        if let Some(codes) = self.codes_of(&view.account) {
            codes.lamp(lamp, on);
        }
    }

    fn codes_of(&mut self, account: &str) -> Option<&mut ByCode> {
        match &mut self.centres.running.get_mut(account)?.way {
            Way::Codes(codes) => Some(codes),
            Way::Binding(_) | Way::Events => None,
        }
    }
}

/// An offer of sound in neither direction.
fn silent_offer(
    line: Line,
    addr: IpAddr,
    secrets: Secrets,
) -> Result<Vec<u8>, sdp::NegotiationError> {
    let media = line.local_media(addr, (DISCARD, DISCARD + 1), secrets);
    let media = LocalMedia { telephone_event: false, ..media };
    let Line { mut negotiator, .. } = line;
    Negotiator::offer(&mut negotiator, &media, sdp::Direction::Inactive)
}

//! Session timers (RFC 4028): who refreshes a session, when, and when it is given up.
//!
//! Inputs from the peer: Session-Expires, Min-SE and Supported of INVITE, UPDATE and their answers.
//! From the clock: a refresh is due, the session has expired.

use std::time::{Duration, Instant};

use sip_types::{HeaderName, Headers, Refresher, Request, Response, SessionExpires, StatusCode};

use super::{Phase, Session, peer::Peer};
use crate::{AccountConfig, EndCause, SessionTimer, message, shared::Cx};

/// The longest interval that is taken, seconds: a day.
const LONGEST: u32 = 86_400;

/// A session that lasts only as long as it is refreshed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Timer {
    /// The session interval, seconds.
    interval: u32,
    /// We refresh.
    ours: bool,
    /// When we refresh.
    refresh_at: Instant,
    /// When the session is given up.
    expires_at: Instant,
}

impl Timer {
    /// A session refreshed at `now`.
    fn start(now: Instant, interval: u32, ours: bool) -> Self {
        let whole = Duration::from_secs(u64::from(interval));
        // Section 10: BYE a little before the end, so that it still finds the dialog.
        let margin = Duration::from_secs(32).min(whole / 3);
        Self { interval, ours, refresh_at: now + whole / 2, expires_at: now + whole - margin }
    }

    pub(super) fn poll_timeout(&self) -> Instant {
        if self.ours { self.refresh_at.min(self.expires_at) } else { self.expires_at }
    }
}

/// The smallest interval an account takes, seconds.
fn least(config: &AccountConfig) -> u32 {
    config.min_se.max(1)
}

/// Session-Expires and Min-SE of an INVITE or UPDATE of ours. `floor`: the largest Min-SE a 422 has
/// named.
pub(super) fn ask(
    headers: &mut Headers,
    config: &AccountConfig,
    timer: Option<&Timer>,
    floor: u32,
) {
    if config.session_timer == SessionTimer::Off {
        return;
    }
    let floor = floor.max(least(config));
    let seconds = timer.map_or(config.session_expires, |timer| timer.interval).max(floor);
    let refresher = timer.map(|timer| if timer.ours { Refresher::Uac } else { Refresher::Uas });
    headers.set(HeaderName::SessionExpires, SessionExpires { seconds, refresher }.to_string());
    if floor > 90 {
        headers.set(HeaderName::MinSe, floor.to_string());
    }
    if config.session_timer == SessionTimer::Required {
        message::require(headers, "timer");
    }
}

/// The Min-SE of a 422, where trying again with it makes sense.
pub(super) fn wanted(response: &Response, request: &Request) -> Option<u32> {
    let asked = request.headers.session_expires().ok().flatten()?.seconds;
    let least = response.headers.min_se().ok().flatten()?;
    (response.status == StatusCode::SESSION_INTERVAL_TOO_SMALL && least > asked && least <= LONGEST)
        .then_some(least)
}

/// What is wrong with a request's timers: 422 with Min-SE, 421 with Require if it would begin a
/// session.
pub(crate) fn refusal(
    config: &AccountConfig,
    request: &Request,
    initial: bool,
) -> Option<(StatusCode, HeaderName, String)> {
    let mut peer = Peer::default();
    peer.learn(&request.headers);
    match config.session_timer {
        SessionTimer::Off => return None,
        SessionTimer::Required if initial && !peer.timer => {
            let name = HeaderName::Require;
            return Some((StatusCode::EXTENSION_REQUIRED, name, "timer".to_owned()));
        }
        _ => {}
    }
    let asked = request.headers.session_expires().ok().flatten()?;
    // Section 9: whoever does not know timers cannot act on a 422.
    (peer.timer && asked.seconds < least(config)).then(|| {
        let status = StatusCode::SESSION_INTERVAL_TOO_SMALL;
        (status, HeaderName::MinSe, least(config).to_string())
    })
}

impl Session {
    /// Settles the timer of a session whose INVITE or UPDATE we answer with 2xx, and says so in it
    /// (section 9).
    pub(super) fn grant_timer(&mut self, cx: &Cx<'_>, request: &Request, headers: &mut Headers) {
        let config = &cx.account.config;
        self.timer = None;
        if config.session_timer == SessionTimer::Off {
            return;
        }
        let asked = request.headers.session_expires().ok().flatten();
        let floor = request.headers.min_se().ok().flatten().unwrap_or(0).max(least(config));
        let own = config.session_expires.max(floor).min(LONGEST);
        let knows = self.peer.timer;
        let (interval, ours) = match &asked {
            Some(asked) => {
                let interval = asked.seconds.min(own).max(floor).min(LONGEST);
                (interval, !knows || asked.refresher == Some(Refresher::Uas))
            }
            None if knows || config.session_timer == SessionTimer::Always => (own, true),
            None => return,
        };
        if asked.is_some() || knows {
            let refresher = Some(if ours { Refresher::Uas } else { Refresher::Uac });
            let value = SessionExpires { seconds: interval, refresher };
            headers.set(HeaderName::SessionExpires, value.to_string());
            if !ours {
                message::require(headers, "timer");
            }
        }
        self.timer = Some(Timer::start(cx.now, interval, ours));
        tracing::debug!(session = %self.id, interval, ours, "session timer granted");
    }

    /// Settles the timer by a 2xx to an INVITE or UPDATE of ours (section 7.2).
    pub(super) fn take_timer(&mut self, cx: &Cx<'_>, response: &Response) {
        let config = &cx.account.config;
        if config.session_timer == SessionTimer::Off {
            self.timer = None;
            return;
        }
        let granted = response.headers.session_expires().ok().flatten();
        self.timer = match granted {
            Some(granted) => {
                let interval = granted.seconds.clamp(least(config).min(90), LONGEST);
                let ours = granted.refresher != Some(Refresher::Uas);
                Some(Timer::start(cx.now, interval, ours))
            }
            None if config.session_timer == SessionTimer::Always => {
                let own = config.session_expires.max(least(config));
                Some(Timer::start(cx.now, own, true))
            }
            None => None,
        };
        tracing::debug!(session = %self.id, timer = ?self.timer, "session timer taken");
    }

    pub(super) fn timer_poll_timeout(&self) -> Option<Instant> {
        let timer = self.timer.as_ref().filter(|_| matches!(self.phase, Phase::Established(_)));
        timer.map(Timer::poll_timeout)
    }

    /// Refreshes the session, or gives it up.
    pub(super) fn timer_timeout(&mut self, cx: &mut Cx<'_>) {
        if self.timer_poll_timeout().is_none_or(|at| at > cx.now) {
            return;
        }
        let Some(timer) = &mut self.timer else { return };
        if timer.expires_at <= cx.now {
            self.reason = Some("SIP;cause=408;text=\"session expired\"".to_owned());
            let cause = EndCause::network(Some(StatusCode::REQUEST_TIMEOUT), "the session expired");
            return self.leave(cx, cause);
        }
        // Again soon, should this refresh be refused or a change be in its way.
        let whole = Duration::from_secs(u64::from(timer.interval));
        timer.refresh_at = cx.now + (whole / 10).max(Duration::from_secs(5));
        self.refresh(cx);
    }
}

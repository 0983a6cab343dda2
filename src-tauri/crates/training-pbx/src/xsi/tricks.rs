//! What is made to go wrong: the state of the knobs, and their turning.

use std::time::{Duration, Instant};

use super::Xsi;
use super::knobs::{Answering, XsiKnob};
use super::web::{Refusal, WebReply};
use crate::pbx::PbxError;

/// Answers are kept back no longer.
const LATEST: Duration = Duration::from_secs(120);
/// A page holds so many results at most, unless a knob says otherwise.
const PAGE: usize = 100;

/// What is set.
#[derive(Debug)]
pub(crate) struct Tricks {
    answers: Vec<(Answering, u32, String)>,
    slow: Option<(Duration, String)>,
    /// Nobody may watch others.
    pub(super) own_only: bool,
    redirects: u32,
    /// Most results of a page.
    pub(super) page: usize,
}

impl Default for Tricks {
    fn default() -> Self {
        Self { answers: Vec::new(), slow: None, own_only: false, redirects: 0, page: PAGE }
    }
}

impl Tricks {
    /// How late the answer to a request is to be.
    pub(crate) fn delay(&self, target: &str) -> Duration {
        let target = target.to_ascii_lowercase();
        let fits = |slow: &&(Duration, String)| target.contains(&slow.1);
        self.slow.as_ref().filter(fits).map_or(Duration::ZERO, |slow| slow.0)
    }

    /// What a request is answered with instead; counted.
    pub(crate) fn answer(&mut self, target: &str, json: bool) -> Option<WebReply> {
        let target = target.to_ascii_lowercase();
        let at = self.answers.iter().position(|(_, _, path)| target.contains(path))?;
        let (how, count, _) = self.answers.get_mut(at)?;
        let how = *how;
        *count = count.saturating_sub(1);
        self.answers.retain(|(_, count, _)| *count > 0);
        Some(reply(how, json))
    }

    /// Whether this POST is to be sent to the other host; counted.
    pub(super) fn redirects(&mut self) -> bool {
        let now = self.redirects > 0;
        self.redirects = self.redirects.saturating_sub(1);
        now
    }
}

fn reply(how: Answering, json: bool) -> WebReply {
    let refusal = match how {
        Answering::Overload => Refusal::overload(),
        Answering::Forbidden => Refusal::forbidden("The target is out of scope"),
        Answering::Unauthorized => Refusal::unauthenticated(),
        Answering::Unknown => Refusal::not_found("There is no such resource"),
        Answering::Failure => {
            Refusal { status: 500, code: 100_500, summary: "The server has failed".to_owned() }
        }
        Answering::Html => {
            let page = "<!DOCTYPE html><html><head><title>Portal</title></head><body><p>Sign in\
                        <br></body></html>";
            let reply = WebReply { body: page.as_bytes().to_vec(), ..WebReply::empty(200) };
            return reply.header("content-type", "text/html;charset=UTF-8");
        }
        Answering::Broken => {
            let half = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Profile xmlns=\"http://schema.\
                        broadsoft.com/xsi\"><details><userId>";
            let reply = WebReply { body: half.as_bytes().to_vec(), ..WebReply::empty(200) };
            return reply.header("content-type", "application/xml;charset=UTF-8");
        }
    };
    refusal.write(json)
}

/// Turns a knob.
pub(super) fn turn(xsi: &mut Xsi, now: Instant, knob: XsiKnob) -> Result<usize, PbxError> {
    let path = |path: Option<String>| path.unwrap_or_default().to_ascii_lowercase();
    match knob {
        XsiKnob::Wire(look) => xsi.events.wire().set_look(look),
        XsiKnob::Times { event_timeout_s, ack_timeout_ms, first_delay_ms } => {
            xsi.events.set_times(
                event_timeout_s.map(|s| Duration::from_secs(s.clamp(1, 3_600))),
                ack_timeout_ms.map(|ms| Duration::from_millis(ms.clamp(10, 600_000))),
                first_delay_ms.map(|ms| Duration::from_millis(ms).min(LATEST)),
            );
        }
        XsiKnob::Limits { subscriptions, page } => {
            if let Some(limit) = subscriptions {
                xsi.events.subscription_knobs().set_limit(limit);
            }
            match page {
                Some(page) if !(1..=1_000).contains(&page) => {
                    return Err(PbxError::BadValue("a page has 1 to 1000 results".to_owned()));
                }
                Some(page) => xsi.tricks.page = page,
                None => {}
            }
        }
        XsiKnob::Lose { acks, events } => xsi.events.lose(acks, events),
        XsiKnob::Skip { count } => {
            if count > 1_000_000 {
                return Err(PbxError::BadValue("more than a million numbers".to_owned()));
            }
            xsi.events.subscription_knobs().skip(count);
        }
        XsiKnob::Answer { how, count, path: wanted } => {
            let wanted = path(wanted);
            xsi.tricks.answers.retain(|(_, _, known)| *known != wanted);
            if count > 0 && xsi.tricks.answers.len() < 100 {
                xsi.tricks.answers.push((how, count, wanted));
            }
        }
        XsiKnob::Slow { ms, path: wanted } => {
            let delay = Duration::from_millis(ms).min(LATEST);
            xsi.tricks.slow = (ms > 0).then(|| (delay, path(wanted)));
        }
        XsiKnob::Scope { own } => xsi.tricks.own_only = own,
        XsiKnob::Redirect { count } => xsi.tricks.redirects = count,
        others => return turn_users(xsi, now, others),
    }
    Ok(1)
}

/// Those knobs that may name a user.
fn turn_users(xsi: &mut Xsi, now: Instant, knob: XsiKnob) -> Result<usize, PbxError> {
    let names = xsi.names.clone();
    let known = |user: Option<String>| match user {
        None => Ok(None),
        Some(user) => match names.user(&user) {
            Some(user) => Ok(Some(user)),
            None => Err(PbxError::UnknownNumber(user)),
        },
    };
    match knob {
        XsiKnob::EndChannels { reason, user } => {
            Ok(xsi.events.terminate_channels(now, known(user)?.as_deref(), reason))
        }
        XsiKnob::Cut { how, user } => {
            let streams = xsi.events.streams(known(user)?.as_deref());
            xsi.cuts.extend(streams.iter().map(|stream| (*stream, how)));
            Ok(streams.len())
        }
        XsiKnob::EndSubscriptions { user, package } => {
            let user = known(user)?;
            Ok(xsi.events.terminate_subscriptions(now, user.as_deref(), package.as_deref()))
        }
        XsiKnob::Resync { user } => {
            let user = known(user)?;
            Ok(xsi.resync(now, user.as_deref()))
        }
        XsiKnob::Password { user, expired } => {
            let user = known(Some(user))?.unwrap_or_default();
            xsi.doors.expire(&user, expired);
            Ok(1)
        }
        _ => Ok(0),
    }
}

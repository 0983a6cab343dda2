//! The channel of the events session: one connection whose answer never ends (reference, section 4.1).
//!
//! Inputs by source: the owner begins, ends or says that the network is another one; the driver brings the
//! head, the bytes and the end of the endless answer; answers to heart-beats and renewals; the time.
//! The session reacts to what each of them [`Change`]s.

use std::time::Instant;

use super::{
    model::{ChannelNumber, Output},
    outbox::{Outbox, Purpose, redirection},
};
use crate::{
    Application, DocumentError, ErrorInfo, HttpAnswer, HttpFailure, HttpRequest, Method, Origin,
    Path, XsiError,
    backoff::Backoff,
    wire::{self, Channel as Granted, ChannelReason, Delivery},
    xml::{self, SplitError, Splitter},
};
use std::time::Duration;

/// The first wait before a channel is opened again.
const BASE: Duration = Duration::from_secs(2);
/// The longest one.
const LONGEST: Duration = Duration::from_secs(120);
/// After a channel was lost another one is opened so soon.
const SOON: (Duration, Duration) = (Duration::from_millis(100), Duration::from_millis(1_000));
/// A heart-beat that failed is tried again so soon.
const HURRIED: Duration = Duration::from_secs(3);

/// What has become of the channel.
#[derive(Debug, PartialEq)]
pub(super) enum Change {
    /// It is there.
    Up,
    /// It was there and is gone; another one is opened.
    Down,
    /// It cannot be opened at the moment.
    Failed,
    /// The server gives this account no channel.
    Forbidden,
    /// User name or password are refused.
    Refused,
    /// Another program has taken over.
    Elsewhere,
    /// It brought something.
    Delivered(Box<wire::Event>),
}

/// Why a channel is not there, or not any more.
#[derive(Debug, thiserror::Error)]
enum Why {
    #[error("the network is another one")]
    Network,
    #[error("the server ended it")]
    Ended,
    #[error(transparent)]
    Failed(HttpFailure),
    #[error("{1} was answered with status {0}")]
    Status(u16, &'static str),
    #[error(transparent)]
    Document(#[from] DocumentError),
    #[error("what came is no channel")]
    NoChannel,
    #[error("{0}")]
    Terminated(String),
    #[error("the server does not know it")]
    Unknown,
    #[error("{0}")]
    Silent(&'static str),
}

impl From<SplitError> for Why {
    fn from(error: SplitError) -> Self {
        Self::Document(match error {
            SplitError::TooLarge | SplitError::TooDeep => DocumentError::TooLarge,
            SplitError::DocumentType | SplitError::NotXml => DocumentError::Malformed,
        })
    }
}

impl Why {
    /// As the owner is told.
    fn error(self) -> XsiError {
        match self {
            Self::Network | Self::Ended | Self::Terminated(_) | Self::Unknown => {
                XsiError::Http(HttpFailure::Broken)
            }
            Self::Failed(failure) => XsiError::Http(failure),
            Self::Status(status, _) if is_overload(status) => {
                XsiError::Overloaded { retry_after: None }
            }
            Self::Status(status, _) => XsiError::Refused { status, info: ErrorInfo::default() },
            Self::Document(error) => XsiError::Document(error),
            Self::NoChannel => XsiError::Document(DocumentError::OtherKind),
            Self::Silent(_) => XsiError::Http(HttpFailure::Timeout),
        }
    }
}

fn is_overload(status: u16) -> bool {
    matches!(status, 429 | 503)
}

#[derive(Debug, Default)]
enum State {
    /// Nothing is wanted.
    #[default]
    Idle,
    /// Opens at this time.
    Waiting(Instant),
    /// Asked for.
    Opening(Opening),
    /// There.
    Live(Live),
}

#[derive(Debug)]
struct Opening {
    number: ChannelNumber,
    origin: Origin,
    until: Instant,
    redirections: u8,
    answered: bool,
}

#[derive(Debug)]
struct Live {
    number: ChannelNumber,
    origin: Origin,
    id: String,
    /// Bytes came last.
    heard: Instant,
    /// A heart-beat was answered last.
    beaten: Instant,
    beat_at: Instant,
    renew_at: Option<Instant>,
    ends_at: Option<Instant>,
}

#[derive(Debug)]
pub(super) struct Channel {
    servers: Vec<Origin>,
    /// Which server is next.
    next: usize,
    state: State,
    splitter: Splitter,
    backoff: Backoff,
}

impl Channel {
    pub(super) fn new() -> Self {
        Self {
            servers: Vec::new(),
            next: 0,
            state: State::Idle,
            splitter: Splitter::default(),
            backoff: Backoff::new(BASE, LONGEST),
        }
    }

    /// The channel that is there: its number, server and name.
    pub(super) fn live(&self) -> Option<(ChannelNumber, &Origin, &str)> {
        match &self.state {
            State::Live(live) => Some((live.number, &live.origin, &live.id)),
            _ => None,
        }
    }

    fn number(&self) -> Option<ChannelNumber> {
        match &self.state {
            State::Opening(opening) => Some(opening.number),
            State::Live(live) => Some(live.number),
            State::Idle | State::Waiting(_) => None,
        }
    }

    pub(super) fn start(&mut self, now: Instant, out: &mut Outbox, servers: Vec<Origin>) {
        self.drop_connection(out);
        self.servers = servers;
        self.next = 0;
        self.backoff.succeeded();
        self.open(now, out);
    }

    /// Ends it properly: the server is told, then the connection is dropped.
    pub(super) fn stop(&mut self, out: &mut Outbox) {
        if let State::Live(live) = &self.state
            && let Ok(path) = Path::new("channel").part(&live.id)
        {
            let http = HttpRequest::event(Method::Delete, path, None);
            out.send(Purpose::DeleteChannel, &live.origin, Some(live.number), http);
        }
        self.drop_connection(out);
    }

    /// Drops the connection and wants no other.
    pub(super) fn halt(&mut self, out: &mut Outbox) {
        self.drop_connection(out);
    }

    fn drop_connection(&mut self, out: &mut Outbox) {
        if let Some(number) = self.number() {
            out.push(Output::Close(number));
        }
        out.forget(|purpose| {
            matches!(
                purpose,
                Purpose::Heartbeat(_) | Purpose::RenewChannel(_) | Purpose::Acknowledge { .. }
            )
        });
        self.state = State::Idle;
        self.splitter = Splitter::default();
    }

    fn open(&mut self, now: Instant, out: &mut Outbox) {
        let Some(origin) = self.servers.get(self.next).or_else(|| self.servers.first()).cloned()
        else {
            self.state = State::Idle;
            return;
        };
        self.launch(now, out, origin, 0, None);
    }

    fn launch(
        &mut self,
        now: Instant,
        out: &mut Outbox,
        origin: Origin,
        redirections: u8,
        target: Option<String>,
    ) {
        let number = out.next_channel();
        let expires = u32::try_from(out.config.channel_expires.as_secs()).unwrap_or(7200);
        let body = wire::channel_request(&out.config.channel_set, &out.config.application, expires);
        let mut request = HttpRequest::event(Method::Post, Path::new("channel"), Some(body));
        request.application = Application::Channel;
        tracing::debug!("channel: opens at {origin}");
        out.push(Output::Open { channel: number, origin: origin.clone(), request, target });
        let until = now + out.config.open;
        self.splitter = Splitter::default();
        self.state =
            State::Opening(Opening { number, origin, until, redirections, answered: false });
    }

    /// It did not come into being, or is gone: the next server, or a wait.
    fn fail(
        &mut self,
        now: Instant,
        out: &mut Outbox,
        why: Why,
        asked: Option<Duration>,
    ) -> Change {
        let was_live = matches!(self.state, State::Live(_));
        tracing::debug!("channel: {} -> lost: {why}", if was_live { "live" } else { "opening" });
        self.drop_connection(out);
        if was_live {
            // The preferred server is asked first again, soon, but not by all clients at once.
            self.next = 0;
            let soon = match why {
                // That happened to this client alone.
                Why::Network => Duration::ZERO,
                _ => out.jitter(SOON.0, SOON.1),
            };
            let again = now + asked.unwrap_or_default().max(soon);
            self.state = State::Waiting(again);
            out.push(Output::Trouble { why: why.error(), again });
            return Change::Down;
        }
        self.next += 1;
        if self.next < self.servers.len() && asked.is_none() {
            self.open(now, out);
        } else {
            self.next = 0;
            let again = now + self.backoff.wait(&mut out.random, asked);
            self.state = State::Waiting(again);
            out.push(Output::Trouble { why: why.error(), again });
        }
        Change::Failed
    }

    pub(super) fn network_changed(&mut self, now: Instant, out: &mut Outbox) -> Option<Change> {
        match self.state {
            State::Idle => None,
            State::Live(_) => Some(self.fail(now, out, Why::Network, None)),
            State::Waiting(_) | State::Opening(_) => {
                self.drop_connection(out);
                self.next = 0;
                self.backoff.succeeded();
                self.open(now, out);
                None
            }
        }
    }

    /// The head of the endless answer.
    pub(super) fn answered(
        &mut self,
        now: Instant,
        out: &mut Outbox,
        number: ChannelNumber,
        answer: &HttpAnswer,
    ) -> Option<Change> {
        let State::Opening(opening) = &mut self.state else { return None };
        if opening.number != number {
            return None;
        }
        if answer.is_success() {
            opening.answered = true;
            return None;
        }
        if let Some((origin, target)) = redirection(&opening.origin, answer, opening.redirections) {
            let followed = opening.redirections + 1;
            self.drop_connection(out);
            self.launch(now, out, origin, followed, Some(target));
            return None;
        }
        Some(match answer.status {
            401 => {
                self.drop_connection(out);
                Change::Refused
            }
            403 | 404 | 405 | 501 => {
                self.drop_connection(out);
                self.state = State::Waiting(now + out.config.forbidden);
                Change::Forbidden
            }
            status => {
                let asked = answer.retry_after.filter(|_| answer.is_overload());
                self.fail(now, out, Why::Status(status, "it"), asked)
            }
        })
    }

    /// The endless answer has ended.
    pub(super) fn ended(
        &mut self,
        now: Instant,
        out: &mut Outbox,
        number: ChannelNumber,
        failure: Option<&HttpFailure>,
    ) -> Option<Change> {
        if self.number() != Some(number) {
            return None;
        }
        let why = failure.cloned().map_or(Why::Ended, Why::Failed);
        Some(self.fail(now, out, why, None))
    }

    /// More of the endless answer. Several changes may come of it; none after one that ends the channel.
    pub(super) fn bytes(
        &mut self,
        now: Instant,
        out: &mut Outbox,
        number: ChannelNumber,
        bytes: &[u8],
    ) -> Vec<Change> {
        let mut changes = Vec::new();
        if self.number() != Some(number) {
            return changes;
        }
        if let State::Live(live) = &mut self.state {
            live.heard = now;
        }
        self.splitter.handle_input(bytes);
        while let Some(document) = self.splitter.poll_output() {
            let change = match document {
                Ok(document) => self.document(now, out, &document),
                Err(error) => Some(self.fail(now, out, error.into(), None)),
            };
            let over = self.number() != Some(number);
            changes.extend(change);
            if over {
                break;
            }
        }
        changes
    }

    fn document(&mut self, now: Instant, out: &mut Outbox, bytes: &[u8]) -> Option<Change> {
        // The channel is UTF-8 whatever its header says (reference, section 2).
        let delivery = xml::read(bytes, None).and_then(|root| Delivery::read(&root));
        if matches!(self.state, State::Opening(_)) {
            return match delivery {
                Ok(Delivery::Channel(granted)) => self.granted(now, out, granted),
                Ok(Delivery::HeartBeat) => None,
                Ok(Delivery::Terminated { channel_id, reason }) => {
                    self.terminated(now, out, channel_id.as_deref(), &reason)
                }
                Ok(_) => Some(self.fail(now, out, Why::NoChannel, None)),
                Err(error) => Some(self.fail(now, out, error.into(), None)),
            };
        }
        match delivery {
            Ok(Delivery::Event(event)) => Some(Change::Delivered(event)),
            Ok(Delivery::Terminated { channel_id, reason }) => {
                self.terminated(now, out, channel_id.as_deref(), &reason)
            }
            Ok(Delivery::Error { code, .. }) => {
                tracing::debug!("channel: the server reports error {code:?}");
                None
            }
            Ok(Delivery::Channel(_) | Delivery::HeartBeat) => None,
            Ok(Delivery::Unknown(_)) => {
                tracing::debug!("channel: a document of unknown kind is passed over");
                None
            }
            Err(error) => {
                tracing::debug!("channel: a document is passed over: {error}");
                None
            }
        }
    }

    fn granted(&mut self, now: Instant, out: &mut Outbox, granted: Granted) -> Option<Change> {
        let State::Opening(opening) = &self.state else { return None };
        if Path::new("channel").part(&granted.id).is_err() {
            return Some(self.fail(now, out, Why::NoChannel, None));
        }
        tracing::debug!("channel: opening, granted -> live");
        let lifetime = granted.expires.map(|seconds| Duration::from_secs(u64::from(seconds)));
        self.state = State::Live(Live {
            number: opening.number,
            origin: opening.origin.clone(),
            id: granted.id,
            heard: now,
            beaten: now,
            beat_at: now + out.config.heartbeat,
            renew_at: lifetime.map(|lifetime| now + lifetime / 2),
            ends_at: lifetime.map(|lifetime| now + lifetime),
        });
        self.backoff.succeeded();
        Some(Change::Up)
    }

    fn terminated(
        &mut self,
        now: Instant,
        out: &mut Outbox,
        id: Option<&str>,
        reason: &ChannelReason,
    ) -> Option<Change> {
        let other = matches!((&self.state, id), (State::Live(live), Some(id)) if live.id != id);
        if other {
            return None;
        }
        if *reason == ChannelReason::DuplicateChannelSet {
            tracing::debug!("channel: live, DuplicateChannelSet -> idle");
            self.drop_connection(out);
            return Some(Change::Elsewhere);
        }
        Some(self.fail(now, out, Why::Terminated(reason.word().to_owned()), None))
    }

    /// How a heart-beat went.
    pub(super) fn beaten(
        &mut self,
        now: Instant,
        out: &mut Outbox,
        number: ChannelNumber,
        result: &Result<HttpAnswer, HttpFailure>,
    ) -> Option<Change> {
        let State::Live(live) = &mut self.state else { return None };
        if live.number != number {
            return None;
        }
        match result {
            Ok(answer) if answer.is_success() => {
                live.beaten = now;
                None
            }
            Ok(answer) if matches!(answer.status, 401 | 404 | 410) => {
                Some(self.fail(now, out, Why::Status(answer.status, "a heart-beat"), None))
            }
            _ => {
                live.beat_at = live.beat_at.min(now + HURRIED);
                None
            }
        }
    }

    /// How a renewal went.
    pub(super) fn renewed(
        &mut self,
        now: Instant,
        out: &mut Outbox,
        number: ChannelNumber,
        result: &Result<HttpAnswer, HttpFailure>,
    ) -> Option<Change> {
        let State::Live(live) = &mut self.state else { return None };
        if live.number != number {
            return None;
        }
        match result {
            Ok(answer) if answer.is_success() => {
                let document = answer.document().ok().flatten();
                let told = document.and_then(|root| root.number::<u32>("expires"));
                let lifetime = match told {
                    Some(seconds) if seconds > 0 => Duration::from_secs(u64::from(seconds)),
                    _ => out.config.channel_expires,
                };
                live.renew_at = Some(now + lifetime / 2);
                live.ends_at = Some(now + lifetime);
                None
            }
            Ok(answer) if matches!(answer.status, 401 | 404 | 410) => {
                Some(self.fail(now, out, Why::Status(answer.status, "a renewal"), None))
            }
            _ => {
                let left =
                    live.ends_at.map_or(Duration::ZERO, |end| end.saturating_duration_since(now));
                live.renew_at = Some(now + (left / 4).max(HURRIED));
                None
            }
        }
    }

    /// Another request over the channel's way was answered with the word that there is no such channel.
    pub(super) fn unknown(&mut self, now: Instant, out: &mut Outbox) -> Option<Change> {
        matches!(self.state, State::Live(_)).then(|| self.fail(now, out, Why::Unknown, None))
    }

    pub(super) fn timeout(&mut self, now: Instant, out: &mut Outbox) -> Option<Change> {
        match &self.state {
            State::Idle => None,
            State::Waiting(at) => {
                if *at <= now {
                    self.open(now, out);
                }
                None
            }
            State::Opening(opening) if opening.until <= now => {
                let why =
                    if opening.answered { "no name of the channel came" } else { "no answer came" };
                Some(self.fail(now, out, Why::Silent(why), None))
            }
            State::Opening(_) => None,
            State::Live(_) => self.tend(now, out),
        }
    }

    /// Heart-beats, renewals, and the end of a channel that has fallen silent.
    fn tend(&mut self, now: Instant, out: &mut Outbox) -> Option<Change> {
        let State::Live(live) = &mut self.state else { return None };
        let silence = out.config.event_timeout + HURRIED;
        if live.beaten + out.config.event_timeout + HURRIED <= now {
            return Some(self.fail(
                now,
                out,
                Why::Silent("no heart-beat was answered in time"),
                None,
            ));
        }
        if live.heard + silence <= now {
            return Some(self.fail(now, out, Why::Silent("nothing was heard any more"), None));
        }
        if live.ends_at.is_some_and(|end| end <= now) {
            return Some(self.fail(now, out, Why::Silent("it has expired"), None));
        }
        if live.beat_at <= now {
            live.beat_at = now + out.config.heartbeat;
            let purpose = Purpose::Heartbeat(live.number);
            if let (false, Ok(path)) =
                (out.waits_for(&purpose), Path::new("channel").part(&live.id))
            {
                let http = HttpRequest::event(Method::Put, path.word("heartbeat"), None);
                out.send(purpose, &live.origin, Some(live.number), http);
            }
        }
        if live.renew_at.is_some_and(|at| at <= now) {
            live.renew_at = None;
            let expires = u32::try_from(out.config.channel_expires.as_secs()).unwrap_or(7200);
            let body = Some(wire::channel_renewal(expires));
            if let Ok(path) = Path::new("channel").part(&live.id) {
                let http = HttpRequest::event(Method::Put, path, body);
                out.send(Purpose::RenewChannel(live.number), &live.origin, Some(live.number), http);
            }
        }
        None
    }

    pub(super) fn next_timeout(&self, out: &Outbox) -> Option<Instant> {
        match &self.state {
            State::Idle => None,
            State::Waiting(at) => Some(*at),
            State::Opening(opening) => Some(opening.until),
            State::Live(live) => {
                let silence = out.config.event_timeout + HURRIED;
                let fixed = [
                    live.beaten + out.config.event_timeout + HURRIED,
                    live.heard + silence,
                    live.beat_at,
                ];
                fixed.into_iter().chain(live.renew_at).chain(live.ends_at).min()
            }
        }
    }
}

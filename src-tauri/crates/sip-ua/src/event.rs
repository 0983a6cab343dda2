//! What goes into a user agent and what comes out of it.

use std::{fmt, net::SocketAddr, time::Instant};

use sip_core::{ClientKey, Failure, Route, ServerKey, Source, Target, Transmit};
use sip_types::{HeaderName, Headers, Message, NameAddr, ParseError, Replaces, Request, Response};
use sip_types::{Method, StatusCode, Uri};

use crate::{
    AccountId, EarlyDialogId, QueryId, ReferralId, SessionId, SubscriptionId, SubscriptionState,
};

/// A message body with its content type. Its meaning is not read here; it may hold keys and is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Body {
    /// `Content-Type`, e.g. `application/sdp`.
    pub content_type: String,
    /// The bytes as sent or received.
    pub bytes: Vec<u8>,
}

impl Body {
    /// A session description.
    #[must_use]
    pub fn sdp(bytes: impl Into<Vec<u8>>) -> Self {
        Self { content_type: "application/sdp".to_owned(), bytes: bytes.into() }
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Body({}, {} bytes)", self.content_type, self.bytes.len())
    }
}

/// What the outside tells a user agent.
#[expect(clippy::large_enum_variant, reason = "moved once or twice, never stored in numbers")]
#[derive(Clone, Debug)]
pub enum Input {
    /// A whole message came in.
    Received {
        /// Where from, and on which of our addresses.
        source: Source,
        /// The message.
        message: Message,
    },
    /// Bytes came in that are no SIP message. Answered if enough of a request is there, counted.
    Malformed {
        /// Where from.
        source: Source,
        /// What the parser found.
        error: ParseError,
    },
    /// A message could not be sent to this target, or the connection to it broke.
    TransportFailed {
        /// Where to.
        target: Target,
        /// What the transport said, for people.
        reason: String,
    },
    /// The server at this target has answered a keep-alive by STUN (RFC 5626 section 4.4.2), and
    /// will be told of as [`Input::TransportFailed`] when it no longer does.
    Mapped {
        /// Which.
        target: Target,
        /// It sees us at another address than before, so that its registration leads nowhere.
        changed: bool,
    },
    /// The answer to [`Output::Resolve`]: the routes in the order they are to be tried
    /// (RFC 3263 section 4).
    Resolved {
        /// Which question.
        query: QueryId,
        /// The routes; an empty list counts as an error.
        result: Result<Vec<Route>, ResolveError>,
    },
}

/// Why a URI could not be located.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct ResolveError {
    /// In words, for people and logs.
    pub reason: String,
}

/// What a user agent wants done.
#[derive(Debug)]
pub enum Output {
    /// Send these bytes.
    Transmit(Transmit),
    /// Locate the server for this URI (RFC 3263); answer with [`Input::Resolved`].
    Resolve {
        /// To be given back with the answer.
        query: QueryId,
        /// A sip or sips URI.
        uri: Uri,
    },
    /// Something the owner wants to know.
    Event(Event),
}

/// Something the owner wants to know.
#[derive(Clone, Debug)]
pub enum Event {
    /// An account's registration changed.
    Registration {
        /// Which account.
        account: AccountId,
        /// Its state now.
        state: RegistrationState,
        /// When the next attempt (or refresh) will be made by itself.
        retry_at: Option<Instant>,
    },
    /// Somebody calls. Answer with `ring`, `progress`, `accept`, `reject` or `redirect`.
    Incoming(Box<Incoming>),
    /// An outgoing call got a provisional response above 100.
    Provisional {
        /// Which call.
        session: SessionId,
        /// Which of the telephones that ring at once; `None` if the response has no To tag.
        early_dialog: Option<EarlyDialogId>,
        /// 180, 181, 182, 183, 199 …
        status: StatusCode,
        /// A description of early media, if any.
        body: Option<Body>,
    },
    /// An outgoing call without an offer got the callee's offer before it was answered (RFC 3262
    /// section 5). Answer with `answer_early`; until then the callee repeats itself, for 32 s.
    EarlyOffer {
        /// Which call.
        session: SessionId,
        /// Which of the telephones that ring at once.
        early_dialog: EarlyDialogId,
        /// Its offer.
        body: Body,
    },
    /// The caller's answer to the offer in our reliable `progress`. The body given to `accept` is
    /// not sent any more.
    EarlyAnswered {
        /// Which call.
        session: SessionId,
        /// The caller's answer.
        body: Body,
    },
    /// The server vouches, with a change of the session, for who is at the other end now (RFC 3325): the
    /// call may have been passed on. Comes before the change itself.
    Identified {
        /// Which call.
        session: SessionId,
        /// Who that is.
        remote: Identity,
    },
    /// An outgoing call was answered.
    Answered {
        /// Which call.
        session: SessionId,
        /// The early dialog that won, if it rang before.
        early_dialog: Option<EarlyDialogId>,
        /// The peer's description.
        body: Option<Body>,
        /// [`Role::Offer`]: the body is an offer and `provide_answer` must be called.
        role: Role,
        /// Who answered (P-Asserted-Identity if there, else To).
        remote: Identity,
    },
    /// The caller's ACK for our answer came.
    Confirmed {
        /// Which call.
        session: SessionId,
        /// The caller's answer, if the offer was ours.
        body: Option<Body>,
    },
    /// The peer wants to change the session (re-INVITE, UPDATE; before the answer UPDATE or PRACK).
    /// Answer with `answer_reoffer` or `reject_reoffer`; all but an INVITE within 24 s, or it is
    /// refused and [`Event::ReofferCancelled`] comes. An `accept` in the meantime waits for that.
    Reoffered {
        /// Which call.
        session: SessionId,
        /// Which of the telephones that ring at once, while we call. There is one offer at a time
        /// of all of them.
        early_dialog: Option<EarlyDialogId>,
        /// The peer's offer; `None` (INVITE only) asks for ours.
        body: Option<Body>,
        /// INVITE, UPDATE or PRACK.
        by: Method,
    },
    /// The session timer's re-INVITE (RFC 4028), made by itself with our description in force, was
    /// answered with another description than the peer's last.
    Refreshed {
        /// Which call.
        session: SessionId,
        /// The peer's description.
        body: Option<Body>,
    },
    /// Our re-INVITE was accepted; or, after we made an offer in the answer to an empty re-INVITE,
    /// the answer came in the ACK.
    ReofferAnswered {
        /// Which call.
        session: SessionId,
        /// The peer's description.
        body: Option<Body>,
        /// [`Role::Offer`] after `request_offer`: `provide_answer` must be called.
        role: Role,
    },
    /// Our re-INVITE was refused, or has become stale before it could leave; the session goes on as it was.
    ReofferFailed {
        /// Which call.
        session: SessionId,
        /// The refusal, if there was one.
        status: Option<StatusCode>,
        /// In the peer's words.
        reason: String,
        /// An offer of the peer's came in between, which made ours stale; it follows as
        /// [`Event::Reoffered`]. Once that is answered, build a new one and call `reoffer` again,
        /// which sends it as soon as that is allowed.
        overtaken: bool,
    },
    /// The peer took its re-INVITE back before it was answered: no answer is owed any more.
    ReofferCancelled {
        /// Which call.
        session: SessionId,
    },
    /// Our addresses have changed ([`crate::UserAgent::network_changed`]) under this session. An
    /// offer of ours that was under way has been dropped without another word. An answered session
    /// wants `reoffer` with a description of the new address; one that rings is answered with it;
    /// an outgoing call that is not answered yet will not hear its answer, since that goes to the
    /// old address, and has to be dialled again.
    ///
    /// Until the peer has accepted a new offer, an offer that gets no answer does not end the
    /// session but comes as [`Event::ReofferFailed`]: the owner goes on trying.
    AddressChanged {
        /// Which call.
        session: SessionId,
    },
    /// A session is over. Comes exactly once for every session, and last but for
    /// [`Event::ReferProgress`].
    Ended {
        /// Which call.
        session: SessionId,
        /// Why.
        cause: EndCause,
    },
    /// The peer sent an INFO (answered with 200 already): DTMF digits, usually.
    Info {
        /// Which call.
        session: SessionId,
        /// Its body.
        body: Body,
    },
    /// How a transfer goes that `refer` asked the peer for. One terminal word comes for each: after
    /// it no other. It may come after [`Event::Ended`] (and is the only one that may), up to 32 s:
    /// peers hang up as soon as the other call is under way.
    ReferProgress {
        /// The call whose peer was asked.
        session: SessionId,
        /// How it goes.
        progress: ReferProgress,
    },
    /// The peer asks us to call somebody. Answer with `accept_referral` or `reject_referral`
    /// within 24 s (3/4 of 64*T1), or it is refused with 603; then `report_referral` how it goes.
    ReferRequested(Box<ReferRequest>),
    /// The peer (a console, a headset server) has the telephone answer or hold. Already answered
    /// with 200. Only with [`crate::AccountConfig::remote_control`].
    RemoteControl {
        /// Which call.
        session: SessionId,
        /// What to do.
        action: RemoteAction,
    },
    /// A request of a [`crate::Config::pass_through`] method inside a session's dialog. Must be
    /// answered with `respond`.
    InDialog {
        /// Which call.
        session: SessionId,
        /// To be given to `respond`.
        key: ServerKey,
        /// The request.
        request: Box<Request>,
    },
    /// What became of a request sent with `send_in_session`: the final response, or why none came.
    SessionRequestDone {
        /// Which call.
        session: SessionId,
        /// Its method.
        method: Method,
        /// The final response's status, if one came.
        status: Option<StatusCode>,
    },
    /// A subscription changed.
    Subscription {
        /// Which subscription.
        id: SubscriptionId,
        /// Its state now.
        state: SubscriptionState,
    },
    /// A NOTIFY of a subscription came; it has been answered.
    Notified {
        /// Which subscription.
        id: SubscriptionId,
        /// Its event: a package and perhaps an id.
        event: String,
        /// The body's type; empty without a body.
        content_type: String,
        /// The body as received.
        body: Vec<u8>,
        /// All headers: some packages (call-info) speak through them.
        headers: Headers,
    },
    /// What became of a document sent with `change_subscription`.
    SubscriptionChangeDone {
        /// Which subscription.
        id: SubscriptionId,
        /// The final response's status, if one came.
        status: Option<StatusCode>,
    },
    /// A NOTIFY that nobody subscribed to: some exchanges send `message-summary` so. Taken only
    /// from where the account takes requests; it has been answered.
    Unsolicited {
        /// Whose.
        account: AccountId,
        /// The event package.
        event: String,
        /// The body's type; empty without a body.
        content_type: String,
        /// The body as received.
        body: Vec<u8>,
    },
    /// A request of a [`crate::Config::pass_through`] method outside any session. Must be answered
    /// with `respond`.
    OutOfDialog {
        /// To be given to `respond`.
        key: ServerKey,
        /// The request.
        request: Box<Request>,
        /// Where from.
        source: Source,
    },
    /// A response, provisional or final, to a request sent with `send_request`.
    OutOfDialogResponse {
        /// What `send_request` returned.
        key: ClientKey,
        /// The response.
        response: Box<Response>,
    },
    /// A request sent with `send_request` got no final response.
    OutOfDialogFailed {
        /// What `send_request` returned.
        key: ClientKey,
        /// Why.
        failure: Failure,
    },
}

/// A call that has come in.
#[derive(Clone, Debug)]
pub struct Incoming {
    /// The new session.
    pub session: SessionId,
    /// The account it is for.
    pub account: AccountId,
    /// Who calls.
    pub caller: Identity,
    /// Who was called: the To header, which a diversion leaves as it was dialled.
    pub called: Uri,
    /// Who diverted the call to us last (Diversion, History-Info), if anybody.
    pub diverted_from: Option<NameAddr>,
    /// The caller's offer; `None` asks for ours.
    pub body: Option<Body>,
    /// It asks for ours, and that must be in our first response (RFC 3262 section 5): ring with
    /// [`crate::UserAgent::ring_with`].
    pub offers_first: bool,
    /// All headers of the INVITE (Alert-Info, Call-Info, Authorization …).
    pub headers: Headers,
    /// The Request-URI.
    pub request_uri: Uri,
    /// Where the INVITE came from.
    pub source: Source,
    /// It came from the account's own server, whose word on ringing and answering may be taken.
    pub trusted: bool,
    /// The session whose place this call takes (RFC 3891): answer at once, without ringing.
    /// `accept` ends that session with [`EndCause::replaced_by`].
    pub replaces: Option<SessionId>,
    /// The session this call wants to be added to (RFC 3911). Only with `join` in
    /// [`crate::Config::supported`].
    pub joins: Option<SessionId>,
    /// The ringing the caller's side asks for (Alert-Info): `alert-internal`, `Bellcore-dr2`,
    /// `alert:source:external`, at most 128 characters. A name to compare, nothing to fetch.
    pub ring: Option<String>,
    /// Seconds after which to answer without being asked (Call-Info `answer-after`, or the
    /// exchanges' own words for it in Alert-Info). A wish: policy decides.
    pub answer_after: Option<u32>,
    /// How the caller wishes to be answered (RFC 5373). A wish: policy decides.
    pub answer_mode: Option<AnswerMode>,
}

/// The Answer-Mode of an INVITE (RFC 5373).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AnswerMode {
    /// Answer without asking the person called; else only by that person.
    pub automatic: bool,
    /// The call is to be refused (403) where that cannot be granted.
    pub required: bool,
}

/// What a peer's NOTIFY asks the telephone to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RemoteAction {
    /// `Event: talk`: answer, or take off hold.
    Talk,
    /// `Event: hold`: put on hold.
    Hold,
}

/// What `refer` asks the peer for (RFC 3515).
#[derive(Clone, Debug)]
pub struct Refer {
    /// Whom the peer shall call. Not read with `replaces`.
    pub to: Uri,
    /// The name that goes with it.
    pub display: Option<String>,
    /// Attended transfer: the peer shall take our place in this answered session (RFC 3891). The
    /// address called is that session's remote target.
    pub replaces: Option<SessionId>,
    /// Ask the peer not to report (RFC 4488). It may all the same.
    pub no_subscription: bool,
}

impl Refer {
    /// An unattended transfer, with reports.
    #[must_use]
    pub fn new(to: Uri) -> Self {
        Self { to, display: None, replaces: None, no_subscription: false }
    }
}

/// How a transfer goes that we asked the peer for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReferProgress {
    /// The peer will call. Terminal unless `subscribed`: then nothing more will be heard, as we
    /// wished with [`Refer::no_subscription`].
    Accepted {
        /// Whether it will tell how it goes.
        subscribed: bool,
    },
    /// The referred call got this provisional status.
    Provisional(StatusCode),
    /// The referred call was answered. Terminal.
    Succeeded(StatusCode),
    /// The referred call failed, with its final status if that was told. Terminal.
    Failed(Option<StatusCode>),
    /// The peer refused to call (503: it could not be asked; 408: it gave no answer). Terminal.
    Refused(StatusCode),
    /// The peer fell silent, or ended its reports without a result. Terminal.
    Unknown,
}

impl ReferProgress {
    /// Whether nothing follows.
    #[must_use]
    pub fn is_terminal(self) -> bool {
        !matches!(self, Self::Accepted { subscribed: true } | Self::Provisional(_))
    }
}

/// A peer's wish that we call somebody (RFC 3515).
#[derive(Clone, Debug)]
pub struct ReferRequest {
    /// The call in which it was uttered, or which its sender has shown to know of (RFC 4538);
    /// `None`: outside any.
    pub session: Option<SessionId>,
    /// The account it was uttered to.
    pub account: AccountId,
    /// To be given back with the decision and the reports.
    pub id: ReferralId,
    /// Whom to call: sip, sips or tel, without headers.
    pub to: Uri,
    /// The name that goes with it.
    pub display: Option<String>,
    /// The dialog our call shall take over: for [`OutgoingCall::replaces`].
    pub replaces: Option<Replaces>,
    /// On whose behalf (RFC 3892): for [`OutgoingCall::referred_by`]. Not verified.
    pub referred_by: Option<NameAddr>,
}

/// Somebody at the other end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The address to show and to call back: the asserted one if it is trusted, else From (or To).
    pub uri: Uri,
    /// The name that goes with it.
    pub display: Option<String>,
    /// Whether the PBX vouches for it (P-Asserted-Identity, RFC 3325, from a trusted source).
    pub asserted: bool,
    /// Whether the caller asked that it be withheld (Privacy: id, or an anonymous From).
    pub withheld: bool,
}

/// Whether a description is an offer or the answer to ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// It must be answered.
    Offer,
    /// It answers ours.
    Answer,
}

/// How an account stands with its registrar.
#[expect(clippy::large_enum_variant, reason = "moved once or twice, never stored in numbers")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RegistrationState {
    /// Not registered and not trying.
    Unregistered,
    /// An attempt is under way.
    Registering,
    /// Registered.
    Registered {
        /// Seconds the registrar granted.
        expires: u32,
        /// Our Contact as registered.
        contact: Uri,
        /// Our address as the registrar saw it (`received` and `rport`, RFC 3581).
        public_addr: Option<SocketAddr>,
        /// The server that holds the registration.
        server: Target,
        /// It keeps the flow (RFC 5626): requests come to us the way we have opened.
        outbound: bool,
        /// The servers of further flows that stand (see
        /// [`crate::AccountConfig::further_proxies`]).
        others: Vec<Target>,
        /// What that server calls itself (Server, or else User-Agent), at most 128 characters.
        software: Option<String>,
        /// The event packages that it names in Allow-Events, in lower case, at most 32.
        events: Vec<String>,
    },
    /// Refused. Nothing more is tried until `register` is called.
    Failed {
        /// The refusal; `None` if credentials are missing or were not enough to answer with.
        status: Option<StatusCode>,
        /// In words.
        cause: String,
    },
    /// The registrar cannot be reached or is in trouble. Tried again by itself.
    Unreachable {
        /// In words.
        cause: String,
    },
}

/// Who ended a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndedBy {
    /// The owner of the user agent.
    Local,
    /// The peer, or a server between.
    Remote,
    /// Nobody: a timeout, a broken transport, an unknown name.
    Network,
}

/// Why a session is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndCause {
    /// Who ended it.
    pub by: EndedBy,
    /// The final response that ended it, if one did.
    pub status: Option<StatusCode>,
    /// In words: the Reason header's text (RFC 3326), else the reason phrase, else our own.
    pub reason: String,
    /// Another telephone took the call (Reason: SIP;cause=200).
    pub answered_elsewhere: bool,
    /// The Q.850 cause of the Reason header, if any: 16 normal, 17 busy, 21 rejected …
    pub q850: Option<u16>,
    /// Where a 3xx response points, the most wished for (`q`) first. Not followed by itself. Empty
    /// for 305 and 380, which name no other address for the one called.
    pub redirect: Vec<Uri>,
    /// This session took its place (RFC 3891).
    pub replaced_by: Option<SessionId>,
}

impl fmt::Display for EndCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.by)?;
        if let Some(status) = self.status {
            write!(f, " {}", status.code())?;
        }
        write!(f, " {}", self.reason)
    }
}

/// A call to be placed.
#[derive(Clone, Debug)]
pub struct OutgoingCall {
    /// Whom: the To header, and the Request-URI unless `target` is given.
    pub to: Uri,
    /// The name in the To header.
    pub to_display: Option<String>,
    /// Our offer; `None` leaves the offer to the peer ([`Role::Offer`]).
    pub body: Option<Body>,
    /// Headers to add.
    pub headers: Vec<(HeaderName, String)>,
    /// Withhold our number: anonymous From, `Privacy: id` (RFC 3323, RFC 3325).
    pub withhold_identity: bool,
    /// The Request-URI, where it is not `to`: a registered contact.
    pub target: Option<Uri>,
    /// Send straight here (a known connection) instead of locating the next hop. All requests of
    /// the dialog follow.
    pub route: Option<Route>,
    /// Call as somebody else than the account (a server's leg).
    pub identity: Option<LocalIdentity>,
    /// `Max-Forwards`; 70 if `None`.
    pub max_forwards: Option<u8>,
    /// The Call-ID; random if `None`.
    pub call_id: Option<String>,
    /// The dialog the call shall take over at the callee's (RFC 3891).
    pub replaces: Option<Replaces>,
    /// The dialog the call shall be added to at the callee's (RFC 3911).
    pub join: Option<Replaces>,
    /// On whose behalf we call (RFC 3892).
    pub referred_by: Option<NameAddr>,
}

impl OutgoingCall {
    /// A plain call with an offer.
    #[must_use]
    pub fn new(to: Uri, body: Option<Body>) -> Self {
        Self {
            to,
            to_display: None,
            body,
            headers: Vec::new(),
            withhold_identity: false,
            target: None,
            route: None,
            identity: None,
            max_forwards: None,
            call_id: None,
            replaces: None,
            join: None,
            referred_by: None,
        }
    }
}

/// Who a session is presented as, where that is not its account.
#[derive(Clone, Debug)]
pub struct LocalIdentity {
    /// The name in From.
    pub display: Option<String>,
    /// The URI in From.
    pub uri: Uri,
    /// P-Asserted-Identity (RFC 3325) to add.
    pub asserted: Option<NameAddr>,
}

/// Why a call upon the user agent was refused. Nothing has changed then.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UaError {
    /// No account of that id.
    #[error("there is no such account")]
    UnknownAccount,
    /// No session of that id, or it has ended.
    #[error("there is no such session")]
    UnknownSession,
    /// The session's state does not allow it.
    #[error("the session's state does not allow this")]
    WrongState,
    /// No REFER of that id, or it has been dealt with.
    #[error("there is no such request for a transfer")]
    UnknownReferral,
    /// The peer does not know the method this needs.
    #[error("the other side cannot do this")]
    Unsupported,
    /// A URI that is neither sip nor sips, and no account that could take it elsewhere.
    #[error("this address cannot be called")]
    BadTarget,
    /// No subscription of that id, or it is over.
    #[error("there is no such subscription")]
    UnknownSubscription,
    /// A text that is no event package.
    #[error("this is no event package")]
    BadEvent,
    /// A limit is reached.
    #[error("there are too many already")]
    TooMany,
}

/// Figures since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Messages that could not be read.
    pub malformed: u64,
    /// Requests refused because of who sent them.
    pub strangers: u64,
    /// Requests for a dialog that does not exist.
    pub unknown_dialog: u64,
    /// Messages that belonged to nothing and were dropped.
    pub stray: u64,
}

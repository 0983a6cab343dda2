//! The user agent: the door through which everything goes in and out.

use std::{collections::BTreeMap, time::Instant};

use sip_core::{ClientKey, Random, Route, ServerKey};
use sip_types::{HeaderName, Method, NameAddr, Request, Response, StatusCode};

use crate::{
    AcceptFrom, AccountConfig, AccountId, Body, Config, Counters, EarlyDialogId, Input,
    OutgoingCall, Output, Refer, ReferralId, SessionId, SubscriptionId, UaError,
    account::Account,
    liveness,
    registration::{self, Registration},
    session::Session,
    shared::{Cx, Owner, Shared},
    subscription::{Names, Subscription},
};

/// Flows of one account besides the first.
const MORE_FLOWS: usize = 3;

/// A SIP user agent without I/O.
///
/// Give it messages and answers with [`handle_input`](Self::handle_input), the time with
/// [`handle_timeout`](Self::handle_timeout) when [`poll_timeout`](Self::poll_timeout) says so, and
/// drain [`poll_output`](Self::poll_output) after every call.
pub struct UserAgent {
    pub(crate) shared: Shared,
    pub(crate) accounts: BTreeMap<AccountId, Account>,
    pub(crate) sessions: BTreeMap<SessionId, Session>,
    pub(crate) subscriptions: BTreeMap<SubscriptionId, Subscription>,
    pub(crate) names: Names,
    next_account: u32,
    next_session: u64,
    pub(crate) next_subscription: u64,
}

#[expect(clippy::needless_pass_by_value, reason = "callers hand over what they have built")]
impl UserAgent {
    /// A user agent without accounts.
    #[must_use]
    pub fn new(config: Config, random: Random) -> Self {
        Self {
            shared: Shared::new(config, random),
            accounts: BTreeMap::new(),
            sessions: BTreeMap::new(),
            subscriptions: BTreeMap::new(),
            names: Names::default(),
            next_account: 0,
            next_session: 0,
            next_subscription: 0,
        }
    }

    /// Takes in what the outside has to tell.
    pub fn handle_input(&mut self, now: Instant, input: Input) {
        self.take_input(now, input);
        self.settle(now);
    }

    /// Lets everything happen that is due at `now`.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.shared.layer.handle_timeout(now);
        for id in self.accounts.keys().copied().collect::<Vec<_>>() {
            self.each_flow(now, id, |cx| {
                registration::handle_timeout(cx);
                liveness::handle_timeout(cx);
            });
        }
        for id in self.sessions.keys().copied().collect::<Vec<_>>() {
            self.with_session(now, id, Session::handle_timeout);
        }
        self.subscriptions_timeout(now);
        self.settle(now);
    }

    /// The next thing to do, if any.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.shared.outputs.pop_front()
    }

    /// When [`handle_timeout`](Self::handle_timeout) is to be called next.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        let flows = self.accounts.values().flat_map(Account::flows);
        let accounts = flows.flat_map(|flow| [flow.poll_timeout(), flow.liveness.poll_timeout()]);
        let sessions = self.sessions.values().filter_map(Session::poll_timeout);
        let subscriptions = self.subscriptions.values().filter_map(Subscription::poll_timeout);
        accounts
            .flatten()
            .chain(sessions)
            .chain(subscriptions)
            .chain(self.shared.layer.poll_timeout())
            .min()
    }

    // --- accounts ---

    /// Adds an account; with `register` set it begins to register at once.
    pub fn add_account(&mut self, now: Instant, config: AccountConfig) -> AccountId {
        self.next_account += 1;
        let id = AccountId(self.next_account);
        let flows = if config.instance_id.is_empty() { 0 } else { MORE_FLOWS };
        let proxies = config.further_proxies.iter().take(flows).cloned().map(Some);
        let proxies: Vec<_> =
            std::iter::once(config.outbound_proxy.clone()).chain(proxies).collect();
        let random = &mut self.shared.random;
        let mut registrations = (1u8..).zip(proxies).map(|flow| {
            let names = (random.token(24), random.token(10));
            Registration::new(names, config.expires, flow)
        });
        let registration = registrations.next();
        let spare: Vec<_> = registrations.collect();
        let Some(registration) = registration else { return id };
        // Whose requests are answered, and whose challenges: that of the account's own server.
        let guarded = config.accept_from == AcceptFrom::Registrar || config.credentials.is_some();
        let register = config.register;
        let mut account = Account::new(id, config, registration);
        account.spare = spare;
        self.accounts.insert(id, account);
        self.each_flow(now, id, |cx| match (register, guarded) {
            (true, _) => registration::register(cx),
            (false, true) => registration::locate(cx),
            (false, false) => {}
        });
        self.settle(now);
        id
    }

    /// Removes an account: its sessions and subscriptions are ended, its registration is taken back.
    pub fn remove_account(&mut self, now: Instant, account: AccountId) -> Result<(), UaError> {
        let sessions = self.sessions.iter().filter(|(_, session)| session.account == account);
        for id in sessions.map(|(id, _)| *id).collect::<Vec<_>>() {
            self.with_session(now, id, |session, cx| session.hangup(cx, None));
        }
        self.each_subscription(now, Some(account), Subscription::leave);
        self.command_account(now, account, |cx| {
            cx.account.removed = true;
            registration::unregister(cx);
        })
    }

    /// Registers now, whatever the state: after a refusal, after the network changed.
    pub fn register(&mut self, now: Instant, account: AccountId) -> Result<(), UaError> {
        self.command_account(now, account, registration::register)
    }

    /// Takes the registration back.
    pub fn unregister(&mut self, now: Instant, account: AccountId) -> Result<(), UaError> {
        self.command_account(now, account, registration::unregister)
    }

    /// Our own addresses, or the ways they lead, have changed. Registers again at once and takes
    /// the old Contact back; refreshes every subscription; looks for the way of every session anew
    /// and sends what was under way over it. [`crate::Event::AddressChanged`] then asks the owner to offer anew.
    pub fn network_changed(&mut self, now: Instant) {
        for id in self.sessions.keys().copied().collect::<Vec<_>>() {
            self.with_session(now, id, Session::network_changed);
        }
        self.for_registering(now, registration::network_changed);
        self.each_subscription(now, None, Subscription::network_changed);
        self.settle(now);
    }

    /// The network is known to work again, for a request has been answered: a session's offer that
    /// was sent after [`network_changed`](Self::network_changed), and that nothing has been heard of,
    /// need not wait for its repetition. [`crate::Event::AddressChanged`] asks for it anew.
    pub fn hurry_offer(&mut self, now: Instant, session: SessionId) -> Result<(), UaError> {
        self.command(now, session, |session, cx| {
            session.hurry_offer(cx);
            Ok(())
        })
    }

    /// No address of ours leads anywhere any more. Registrations count as lost until
    /// [`network_changed`](Self::network_changed); sessions are left as they are.
    pub fn network_gone(&mut self, now: Instant) {
        self.for_registering(now, registration::network_gone);
        self.settle(now);
    }

    fn for_registering(&mut self, now: Instant, f: impl Fn(&mut Cx<'_>)) {
        for id in self.accounts.keys().copied().collect::<Vec<_>>() {
            self.each_flow(now, id, |cx| {
                if cx.account.config.register && !cx.account.removed {
                    f(cx);
                }
            });
        }
    }

    // --- sessions ---

    /// Places a call.
    pub fn invite(
        &mut self,
        now: Instant,
        account: AccountId,
        call: OutgoingCall,
    ) -> Result<SessionId, UaError> {
        let id = self.new_session_id();
        let dialled = self.with_account(now, account, |cx| match cx.account.removed {
            true => Err(UaError::UnknownAccount),
            false => Session::dial(cx, id, &call),
        });
        let session = dialled.ok_or(UaError::UnknownAccount)??;
        self.sessions.insert(id, session);
        self.settle(now);
        Ok(id)
    }

    /// 180 Ringing.
    pub fn ring(&mut self, now: Instant, session: SessionId) -> Result<(), UaError> {
        self.command(now, session, |session, cx| session.progress(cx, StatusCode::RINGING, None))
    }

    /// 180 Ringing with our offer, for a call that wants it first ([`crate::Incoming::offers_first`]). The caller's
    /// answer comes with [`crate::Event::EarlyAnswered`].
    pub fn ring_with(
        &mut self,
        now: Instant,
        session: SessionId,
        offer: Body,
    ) -> Result<(), UaError> {
        self.command(now, session, |session, cx| {
            session.progress(cx, StatusCode::RINGING, Some(&offer))
        })
    }

    /// 183 Session Progress, with a description for early media if given.
    pub fn progress(
        &mut self,
        now: Instant,
        session: SessionId,
        body: Option<Body>,
    ) -> Result<(), UaError> {
        self.command(now, session, |session, cx| {
            session.progress(cx, StatusCode::SESSION_PROGRESS, body.as_ref())
        })
    }

    /// Answers with 200. The body is the answer to the caller's offer, or our offer if the INVITE
    /// had none (the answer then comes with [`crate::Event::Confirmed`]).
    pub fn accept(
        &mut self,
        now: Instant,
        session: SessionId,
        body: Option<Body>,
    ) -> Result<(), UaError> {
        self.command(now, session, |session, cx| session.accept(cx, body.as_ref()))
    }

    /// Refuses an incoming call with a final status from 400 up.
    pub fn reject(
        &mut self,
        now: Instant,
        session: SessionId,
        status: StatusCode,
    ) -> Result<(), UaError> {
        self.reject_with(now, session, status, Vec::new())
    }

    /// [`reject`](Self::reject) with headers besides (a challenge, a Retry-After, a Reason).
    pub fn reject_with(
        &mut self,
        now: Instant,
        session: SessionId,
        status: StatusCode,
        headers: Vec<(HeaderName, String)>,
    ) -> Result<(), UaError> {
        self.command(now, session, |session, cx| {
            if !session.is_incoming() || !status.is_failure() {
                return Err(UaError::WrongState);
            }
            session.refuse(cx, status, &headers);
            Ok(())
        })
    }

    /// Sends an incoming call elsewhere with 302.
    pub fn redirect(
        &mut self,
        now: Instant,
        session: SessionId,
        contacts: Vec<NameAddr>,
    ) -> Result<(), UaError> {
        self.command(now, session, |session, cx| {
            if !session.is_incoming() {
                return Err(UaError::WrongState);
            }
            session.redirect(cx, &contacts);
            Ok(())
        })
    }

    /// Ends a session as its state demands: CANCEL, BYE or 486. `Ended` follows at once.
    pub fn hangup(&mut self, now: Instant, session: SessionId) -> Result<(), UaError> {
        self.command(now, session, |session, cx| {
            session.hangup(cx, None);
            Ok(())
        })
    }

    /// Gives up a call that has not been answered: CANCEL, and `Ended` once the peer has confirmed it (or has been silent for
    /// 64*T1). An answer that crosses the CANCEL counts (RFC 3261 section 9.1: it then had no effect), and `Answered` follows
    /// as if nothing had been asked. [`UaError::WrongState`] for any other session.
    pub fn give_up_unless_answered(
        &mut self,
        now: Instant,
        session: SessionId,
    ) -> Result<(), UaError> {
        self.command(now, session, |session, cx| session.give_up_unless_answered(cx))
    }

    /// Ends a session whose peer has passed the call on (a transfer that succeeded): `Ended` follows
    /// at once, the BYE is left to the peer for half a second and sent then, or when the account is
    /// removed. A session that has not been answered ends as by [`hangup`](Self::hangup).
    pub fn hand_over(&mut self, now: Instant, session: SessionId) -> Result<(), UaError> {
        self.command(now, session, |session, cx| {
            session.handed_over(cx);
            Ok(())
        })
    }

    /// [`hangup`](Self::hangup) with a Reason header (RFC 3326) in the BYE, or in the response that
    /// refuses an incoming call, or in the CANCEL, e.g. `Q.850;cause=16`.
    pub fn hangup_with(
        &mut self,
        now: Instant,
        session: SessionId,
        reason: &str,
    ) -> Result<(), UaError> {
        self.command(now, session, |session, cx| {
            session.hangup(cx, Some(reason.to_owned()));
            Ok(())
        })
    }

    /// Changes an answered session by a new offer (re-INVITE). Sent when no other INVITE is in the
    /// way; glare is retried inside. [`UaError::WrongState`] while an earlier one is unfinished.
    pub fn reoffer(&mut self, now: Instant, session: SessionId, body: Body) -> Result<(), UaError> {
        self.command(now, session, |session, cx| session.reoffer(cx, Some(body)))
    }

    /// Asks the peer for an offer (re-INVITE without a body). The offer comes with
    /// [`crate::Event::ReofferAnswered`] and [`crate::Role::Offer`].
    pub fn request_offer(&mut self, now: Instant, session: SessionId) -> Result<(), UaError> {
        self.command(now, session, |session, cx| session.reoffer(cx, None))
    }

    /// Changes an answered session by UPDATE (RFC 3311); without a body it only tells the peer our
    /// Contact, and ends as [`crate::Event::SessionRequestDone`]. With one it goes as `reoffer`.
    /// [`UaError::Unsupported`]: the peer has no UPDATE.
    pub fn update(
        &mut self,
        now: Instant,
        session: SessionId,
        body: Option<Body>,
    ) -> Result<(), UaError> {
        self.command(now, session, |session, cx| session.update(cx, body))
    }

    /// Accepts the peer's re-INVITE, UPDATE or PRACK with an answer (or our offer, if it had none).
    pub fn answer_reoffer(
        &mut self,
        now: Instant,
        session: SessionId,
        body: Option<Body>,
    ) -> Result<(), UaError> {
        self.command(now, session, |session, cx| session.answer_reoffer(cx, body.as_ref()))
    }

    /// Refuses the peer's re-INVITE, UPDATE or PRACK; the session goes on as it was.
    pub fn reject_reoffer(
        &mut self,
        now: Instant,
        session: SessionId,
        status: StatusCode,
    ) -> Result<(), UaError> {
        self.command(now, session, |session, cx| session.reject_reoffer(cx, status))
    }

    /// Answers an offer that came in a 2xx ([`crate::Role::Offer`]); it travels in the ACK.
    pub fn provide_answer(
        &mut self,
        now: Instant,
        session: SessionId,
        body: Body,
    ) -> Result<(), UaError> {
        self.command(now, session, |session, cx| session.provide_answer(cx, &body))
    }

    /// Answers an offer that came before the call was answered ([`crate::Event::EarlyOffer`]); it
    /// travels in the PRACK.
    pub fn answer_early(
        &mut self,
        now: Instant,
        session: SessionId,
        early_dialog: EarlyDialogId,
        body: Body,
    ) -> Result<(), UaError> {
        self.command(now, session, |session, cx| session.answer_early(cx, early_dialog, &body))
    }

    /// Sends an INFO (DTMF where the peer has no telephone-event).
    pub fn info(&mut self, now: Instant, session: SessionId, body: Body) -> Result<(), UaError> {
        self.command(now, session, |session, cx| {
            session.send_request(cx, Method::Info, Vec::new(), Some(&body))
        })
    }

    /// Presents a session's local party from here on: P-Asserted-Identity (RFC 3325) in our responses
    /// to an INVITE (180, 183 and 200) and in our re-INVITEs and UPDATEs.
    pub fn set_identity(
        &mut self,
        session: SessionId,
        asserted: Option<NameAddr>,
    ) -> Result<(), UaError> {
        let found = self.sessions.get_mut(&session).filter(|session| !session.has_ended());
        found.ok_or(UaError::UnknownSession)?.set_asserted(asserted);
        Ok(())
    }

    /// Sends any request inside an answered session's dialog (NOTIFY, MESSAGE …), or inside the early
    /// dialog with the first telephone that rings. Its end comes as
    /// [`crate::Event::SessionRequestDone`], unless it still rings then. Not for INVITE, ACK, BYE, CANCEL.
    pub fn send_in_session(
        &mut self,
        now: Instant,
        session: SessionId,
        method: Method,
        headers: Vec<(HeaderName, String)>,
        body: Option<Body>,
    ) -> Result<(), UaError> {
        if matches!(method, Method::Invite | Method::Ack | Method::Bye | Method::Cancel) {
            return Err(UaError::WrongState);
        }
        self.command(now, session, |session, cx| {
            session.send_request(cx, method, headers, body.as_ref())
        })
    }

    // --- transfers ---

    /// Has the peer of an answered session call somebody (REFER, RFC 3515). How it goes comes as
    /// [`crate::Event::ReferProgress`]. One at a time per session: [`UaError::WrongState`] while
    /// the last one has had no terminal word.
    pub fn refer(&mut self, now: Instant, session: SessionId, refer: Refer) -> Result<(), UaError> {
        let target = match refer.replaces {
            Some(other) if other == session => return Err(UaError::WrongState),
            Some(other) => {
                let other = self.sessions.get(&other).filter(|other| !other.has_ended());
                other.ok_or(UaError::UnknownSession)?.replacement()?
            }
            None => refer.to.clone(),
        };
        self.command(now, session, |session, cx| session.refer(cx, &refer, target))
    }

    /// Accepts a peer's REFER with 202; `report_referral` is owed from here on.
    pub fn accept_referral(&mut self, now: Instant, id: ReferralId) -> Result<(), UaError> {
        self.command_referral(now, id, |session, cx| session.accept_referral(cx, id))
    }

    /// Tells the peer how the call goes that it asked for. A final status is the last word; so is
    /// the end of the 180 s that its subscription lasts.
    pub fn report_referral(
        &mut self,
        now: Instant,
        id: ReferralId,
        status: StatusCode,
    ) -> Result<(), UaError> {
        self.command_referral(now, id, |session, cx| session.report_referral(cx, id, status))
    }

    /// Refuses a peer's REFER with a final status from 300 up.
    pub fn reject_referral(
        &mut self,
        now: Instant,
        id: ReferralId,
        status: StatusCode,
    ) -> Result<(), UaError> {
        if !status.is_redirection() && !status.is_failure() {
            return Err(UaError::WrongState);
        }
        self.command_referral(now, id, |session, cx| session.reject_referral(cx, id, status))
    }

    // --- outside of sessions ---

    /// Sends a request that belongs to no session. The caller fills in every header but Via.
    /// Responses come as [`crate::Event::OutOfDialogResponse`].
    pub fn send_request(&mut self, now: Instant, request: Request, route: &Route) -> ClientKey {
        let key = self.shared.request(now, request, route, Owner::Passed);
        self.settle(now);
        key
    }

    /// Answers a request handed up as [`crate::Event::OutOfDialog`] or [`crate::Event::InDialog`].
    pub fn respond(&mut self, now: Instant, key: &ServerKey, response: Response) {
        self.shared.layer.respond(now, key, response);
        self.settle(now);
    }

    // --- for whoever watches ---

    /// Figures since the start.
    #[must_use]
    pub fn counters(&self) -> Counters {
        self.shared.counters
    }

    /// Sessions that still hold anything: also those that have Ended and wait for the end of their
    /// BYE or CANCEL.
    #[must_use]
    pub fn session_count(&self) -> usize {
        self.sessions.len()
    }

    /// Client and server transactions under way.
    #[must_use]
    pub fn transaction_count(&self) -> (usize, usize) {
        self.shared.layer.under_way()
    }

    /// Requests of ours, of any kind, that still wait for their final answer.
    #[must_use]
    pub fn unanswered_requests(&self) -> usize {
        self.shared.layer.unanswered()
    }

    // --- the ways inwards ---

    pub(crate) fn new_session_id(&mut self) -> SessionId {
        self.next_session += 1;
        SessionId(self.next_session)
    }

    /// Runs `f` on a session that has not ended.
    fn command(
        &mut self,
        now: Instant,
        id: SessionId,
        f: impl FnOnce(&mut Session, &mut Cx<'_>) -> Result<(), UaError>,
    ) -> Result<(), UaError> {
        if self.sessions.get(&id).is_none_or(Session::has_ended) {
            return Err(UaError::UnknownSession);
        }
        let result = self.with_session(now, id, f).unwrap_or(Err(UaError::UnknownSession));
        self.settle(now);
        result
    }

    /// Runs `f` on the session a REFER belongs to, also when that has ended.
    fn command_referral(
        &mut self,
        now: Instant,
        id: ReferralId,
        f: impl FnOnce(&mut Session, &mut Cx<'_>) -> Result<(), UaError>,
    ) -> Result<(), UaError> {
        let found = self.sessions.values().find(|session| session.has_referral(id));
        let session = found.map(|session| session.id).ok_or(UaError::UnknownReferral)?;
        let result = self.with_session(now, session, f).unwrap_or(Err(UaError::UnknownReferral));
        self.settle(now);
        result
    }

    fn command_account(
        &mut self,
        now: Instant,
        id: AccountId,
        f: impl FnMut(&mut Cx<'_>),
    ) -> Result<(), UaError> {
        if self.accounts.get(&id).is_none_or(|account| account.removed) {
            return Err(UaError::UnknownAccount);
        }
        self.each_flow(now, id, f);
        self.settle(now);
        Ok(())
    }

    /// Runs `f` on one flow of an account's registration.
    pub(crate) fn with_flow<R>(
        &mut self,
        now: Instant,
        id: AccountId,
        flow: u8,
        f: impl FnOnce(&mut Cx<'_>) -> R,
    ) -> Option<R> {
        let account = self.accounts.get_mut(&id)?;
        account.take_up(flow);
        let result = f(&mut Cx { now, shared: &mut self.shared, account });
        account.take_up_best();
        Some(result)
    }

    /// Runs `f` on every flow of an account's registration, the first first.
    pub(crate) fn each_flow(
        &mut self,
        now: Instant,
        id: AccountId,
        mut f: impl FnMut(&mut Cx<'_>),
    ) {
        let flows = self.accounts.get(&id).map(|account| account.flows().map(Registration::number));
        let mut flows: Vec<_> = flows.into_iter().flatten().collect();
        flows.sort_unstable();
        for flow in flows {
            self.with_flow(now, id, flow, &mut f);
        }
    }

    pub(crate) fn with_account<R>(
        &mut self,
        now: Instant,
        id: AccountId,
        f: impl FnOnce(&mut Cx<'_>) -> R,
    ) -> Option<R> {
        let account = self.accounts.get_mut(&id)?;
        Some(f(&mut Cx { now, shared: &mut self.shared, account }))
    }

    pub(crate) fn with_session<R>(
        &mut self,
        now: Instant,
        id: SessionId,
        f: impl FnOnce(&mut Session, &mut Cx<'_>) -> R,
    ) -> Option<R> {
        let session = self.sessions.get_mut(&id)?;
        let account = self.accounts.get_mut(&session.account)?;
        let result = f(session, &mut Cx { now, shared: &mut self.shared, account });
        if session.is_gone() {
            self.sessions.remove(&id);
        }
        Some(result)
    }
}

//! What all state machines of one user agent share: the transactions, the randomness, the way out
//! to the owner, and who gets which answer.

use std::{
    collections::{HashMap, VecDeque},
    time::{Duration, Instant},
};

use sip_core::{ClientKey, Random, Route, ServerKey, TransactionLayer, Transmit};
use sip_types::{Request, Response, Uri};

use crate::{
    AccountId, Config, Counters, Event, Output, QueryId, ReferralId, SessionId, SubscriptionId,
    account::Account,
};

/// Whose transaction, query or server transaction it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Owner {
    /// One flow of an account's registration.
    Registration(AccountId, u8),
    /// The watch over the server of one flow.
    Liveness(AccountId, u8),
    /// A session.
    Session(SessionId),
    /// A subscription.
    Subscription(SubscriptionId),
    /// The user agent's owner, who sent it with `send_request`.
    Passed,
}

/// The parts of a user agent that every state machine needs.
pub(crate) struct Shared {
    pub config: Config,
    pub random: Random,
    pub layer: TransactionLayer,
    pub outputs: VecDeque<Output>,
    pub clients: HashMap<ClientKey, Owner>,
    pub servers: HashMap<ServerKey, SessionId>,
    pub queries: HashMap<QueryId, Owner>,
    pub counters: Counters,
    /// 2xx of dialogs that lost a fork, with the account that called.
    pub strays: Vec<(AccountId, Response)>,
    /// Sessions that another has taken the place of, and which.
    pub replaced: Vec<(SessionId, SessionId)>,
    next_query: u64,
    next_referral: u64,
}

/// [`Shared`] with the time and the account concerned: what a session's methods are given.
pub(crate) struct Cx<'a> {
    pub now: Instant,
    pub shared: &'a mut Shared,
    pub account: &'a mut Account,
}

impl Shared {
    pub(crate) fn new(config: Config, mut random: Random) -> Self {
        let layer = TransactionLayer::new(config.timers, random.fork());
        Self {
            config,
            random,
            layer,
            outputs: VecDeque::new(),
            clients: HashMap::new(),
            servers: HashMap::new(),
            queries: HashMap::new(),
            counters: Counters::default(),
            strays: Vec::new(),
            replaced: Vec::new(),
            next_query: 0,
            next_referral: 0,
        }
    }

    /// Tells the owner.
    pub(crate) fn event(&mut self, event: Event) {
        self.outputs.push_back(Output::Event(event));
    }

    /// Sends bytes.
    pub(crate) fn transmit(&mut self, transmit: Transmit) {
        self.outputs.push_back(Output::Transmit(transmit));
    }

    /// Asks where a URI is served.
    pub(crate) fn resolve(&mut self, owner: Owner, uri: Uri) -> QueryId {
        self.next_query += 1;
        let query = QueryId(self.next_query);
        self.queries.insert(query, owner);
        self.outputs.push_back(Output::Resolve { query, uri });
        query
    }

    /// A name for a peer's REFER.
    pub(crate) fn referral(&mut self) -> ReferralId {
        self.next_referral += 1;
        ReferralId(self.next_referral)
    }

    /// Starts a client transaction on behalf of `owner`.
    pub(crate) fn request(
        &mut self,
        now: Instant,
        request: Request,
        route: &Route,
        owner: Owner,
    ) -> ClientKey {
        let key = self.layer.request(now, request, route);
        self.clients.insert(key, owner);
        key
    }

    /// A delay between `low` and `high`.
    pub(crate) fn delay(&mut self, low: Duration, high: Duration) -> Duration {
        let milliseconds = |d: Duration| u64::try_from(d.as_millis()).unwrap_or(u64::MAX);
        Duration::from_millis(self.random.between(milliseconds(low), milliseconds(high)))
    }

    /// 64*T1: how long anything is waited for.
    pub(crate) fn patience(&self) -> Duration {
        self.config.timers.t1 * 64
    }
}

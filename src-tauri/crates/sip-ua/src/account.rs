//! An account: its settings, where its server was found, what it signs with, and which requests
//! are its own.

use std::net::{IpAddr, SocketAddr};

use sip_core::{Route, Source, digest::DigestClient};
use sip_types::{Host, NameAddr, Request, Transport, Uri};

use crate::{
    AcceptFrom, AccountConfig, AccountId, RegistrationState, message::name_addr,
    registration::Registration,
};

/// One account of a user agent.
pub(crate) struct Account {
    pub id: AccountId,
    pub config: AccountConfig,
    pub digest: Option<DigestClient>,
    /// The flow that requests travel over: the first that stands. While something happens to another
    /// one, that (see [`Self::take_up`]).
    pub registration: Registration,
    /// The other flows (RFC 5626), in no order.
    pub spare: Vec<Registration>,
    /// What the owner was told last, where there are several flows.
    pub shown: Option<RegistrationState>,
    /// Addresses the server was ever located at: whose requests are answered.
    known: Vec<IpAddr>,
    /// Removed by its owner; kept until its last transaction has ended.
    pub removed: bool,
}

impl Account {
    pub(crate) fn new(id: AccountId, config: AccountConfig, registration: Registration) -> Self {
        let digest = config.credentials.clone();
        let digest = digest.map(|own| DigestClient::new(own).for_realms(config.realms.clone()));
        Self {
            id,
            config,
            digest,
            registration,
            spare: Vec::new(),
            shown: None,
            known: Vec::new(),
            removed: false,
        }
    }

    /// What locates the server of the flow at hand.
    pub(crate) fn server(&self) -> &Uri {
        self.registration.proxy().unwrap_or(&self.config.registrar)
    }

    /// Puts a flow in front, so that what follows happens to it.
    pub(crate) fn take_up(&mut self, flow: u8) {
        if let Some(other) = self.spare.iter_mut().find(|other| other.number() == flow) {
            std::mem::swap(&mut self.registration, other);
        }
    }

    /// Puts the flow in front that requests travel over: the first that stands, else the first.
    pub(crate) fn take_up_best(&mut self) {
        let best = self.flows().min_by_key(|flow| (flow.server().is_none(), flow.number()));
        if let Some(best) = best.map(Registration::number) {
            self.take_up(best);
        }
    }

    /// All flows.
    pub(crate) fn flows(&self) -> impl Iterator<Item = &Registration> {
        std::iter::once(&self.registration).chain(&self.spare)
    }

    /// Another way to the account's exchange than `failed`, which was the server of a flow: over
    /// another flow that stands. With the proxy to be named.
    pub(crate) fn other_way(&self, failed: &Route) -> Option<(Route, Option<Uri>)> {
        if !self.is_server_at(failed.target.addr) {
            return None;
        }
        let standing = |flow: &Registration| {
            let route = flow.server().filter(|route| route.target != failed.target)?;
            Some((route, flow.proxy().filter(|proxy| proxy.lr()).cloned()))
        };
        self.flows().find_map(standing)
    }

    /// Takes in where the server is now.
    pub(crate) fn located(&mut self, routes: Vec<Route>) {
        self.learn(&routes);
        self.registration.routes = routes;
    }

    /// Takes in that these too are addresses of the server.
    pub(crate) fn learn(&mut self, routes: &[Route]) {
        for route in routes {
            let ip = route.target.addr.ip().to_canonical();
            if !self.known.contains(&ip) {
                self.known.push(ip);
            }
        }
    }

    /// Whether requests from there are answered for this account.
    pub(crate) fn accepts(&self, source: &Source) -> bool {
        self.config.accept_from == AcceptFrom::Any || self.is_server(source)
    }

    /// Whether that is the account's own server, which may vouch for identities.
    pub(crate) fn is_server(&self, source: &Source) -> bool {
        self.is_server_at(source.remote)
    }

    /// [`Self::is_server`] for an address we send to.
    pub(crate) fn is_server_at(&self, addr: SocketAddr) -> bool {
        self.known.contains(&addr.ip().to_canonical())
    }

    /// Our address as seen over `transport` from `local`, with our instance: what is registered.
    pub(crate) fn address(&self, transport: Transport, local: SocketAddr) -> NameAddr {
        let user = self.config.aor.user();
        let mut uri = Uri::sip(user.as_deref(), Host::from(local.ip()), Some(local.port()));
        // RFC 7118 section 5: there is no `wss` in URIs.
        let named = if transport == Transport::Wss { Transport::Ws } else { transport };
        if transport != Transport::Udp {
            uri = uri.with_param("transport", Some(&named.to_string().to_ascii_lowercase()));
        }
        let mut contact = name_addr(None, uri);
        if !self.config.instance_id.is_empty() {
            let instance = format!("<{}>", self.config.instance_id);
            contact.params.set("+sip.instance", Some(&instance));
        }
        contact
    }

    /// Our Contact in a dialog: the GRUU where the registrar gave us one (RFC 5627 section 4.4.1),
    /// else our address, which with a flow of ours is marked (RFC 5626 section 4.3). `private`: one
    /// that does not tell who we are, where we were given such (section 3.1.2).
    pub(crate) fn contact(
        &self,
        transport: Transport,
        local: SocketAddr,
        private: bool,
    ) -> NameAddr {
        let temporary = self.registration.temporary_gruu().filter(|_| private);
        if let Some(gruu) = temporary.or_else(|| self.registration.gruu()) {
            return name_addr(None, gruu.clone());
        }
        let mut contact = self.address(transport, local);
        if self.registration.has_outbound() {
            contact.uri = contact.uri.with_param("ob", None);
        }
        contact
    }

    /// Our Contact in an answer to `source`. The request may have come in on an address that we
    /// have left since: the way to the server tells which one is ours now.
    pub(crate) fn contact_for(&self, source: &Source, private: bool) -> NameAddr {
        let way = self.registration.server().filter(|route| {
            route.target.transport == source.transport
                && route.target.addr.ip().to_canonical() == source.remote.ip().to_canonical()
        });
        let local = way.map_or(source.local, |route| route.local);
        self.contact(source.transport, local, private)
    }

    /// How well a request from outside any dialog fits this account; 0: not at all.
    pub(crate) fn fits(&self, request: &Request, source: &Source) -> u32 {
        if self.removed || !self.accepts(source) {
            return 0;
        }
        let user = self.config.aor.user();
        let uri_user = request.uri.user();
        let instance = request.uri.param("gr").flatten() == Some(self.config.instance_id.as_str())
            && !self.config.instance_id.is_empty();
        let to = request.headers.to().ok().map(|to| to.uri);
        let mut score = if instance {
            64
        } else if uri_user.is_some() && uri_user == user {
            32
        } else if user.is_some() && to.as_ref().is_some_and(|to| to.user() == user) {
            16
        } else if uri_user.is_none() {
            8
        } else if self.config.catch_all {
            1
        } else {
            return 0;
        };
        let same_host = |uri: &Uri| match (uri.host(), self.config.aor.host()) {
            (Some(a), Some(b)) => a.equivalent(b),
            _ => false,
        };
        score += u32::from(self.is_server(source)) * 4;
        score + u32::from(to.as_ref().is_some_and(same_host)) * 2
    }
}

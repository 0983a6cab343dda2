//! Where a request outside any dialog goes first (RFC 3261 section 8.1.2, RFC 3608 section 6.1).
//!
//! No state machine: whoever sends asks, and tries the routes in turn.

use sip_core::Route;
use sip_types::{NameAddr, Uri};

use crate::{account::Account, message::name_addr, target::serves};

/// The way a request outside any dialog takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FirstHop {
    /// The Route headers.
    pub routes: Vec<NameAddr>,
    /// What locates the next hop.
    pub uri: Uri,
    /// It is the account's own server, whoever is called.
    pub own: bool,
}

impl FirstHop {
    /// For a request to `uri`: Service-Route, else the outbound proxy (named if it asks for that),
    /// else the registrar if the account has one, else straight there.
    pub(crate) fn of(account: &Account, uri: &Uri) -> Self {
        let config = &account.config;
        let service = account.registration.service_route();
        if let Some(first) = service.first() {
            return Self { routes: service.to_vec(), uri: first.uri.clone(), own: true };
        }
        if let Some(proxy) = account.registration.proxy() {
            let named = proxy.lr().then(|| name_addr(None, proxy.clone()));
            return Self { routes: named.into_iter().collect(), uri: proxy.clone(), own: true };
        }
        let (hop, own) = match config.register {
            true => (&config.registrar, true),
            false => (uri, false),
        };
        Self { routes: Vec::new(), uri: hop.clone(), own }
    }
}

/// The account's own routes where they lead to `hop`, the one that holds the registration first.
pub(crate) fn known_routes(account: &Account, hop: &Uri) -> Vec<Route> {
    let Some(server) = account.registration.server() else { return Vec::new() };
    if account.server() != hop && !serves(&server, hop) {
        return Vec::new();
    }
    let others = account.registration.routes.iter().filter(|route| route.target != server.target);
    std::iter::once(server).chain(others.copied()).collect()
}

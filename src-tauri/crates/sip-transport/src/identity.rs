//! By which names each target was found: over TLS the server must prove them (RFC 5922).
//!
//! Inputs from the resolver: a target and the name that was asked for. Inputs from connections: what
//! a server has shown, and names it was not vouched for.

use std::collections::HashMap;

use sip_core::Target;
use sip_types::Host;

use crate::Anchors;
use crate::tls::{self, Chain, Identity};

/// Most targets remembered.
const MOST_TARGETS: usize = 1024;

/// Most names of one target. A further one is refused: forgetting an earlier one would let a
/// server off from proving it.
const MOST_NAMES: usize = 4;

/// What the owner knows about the servers of one domain.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Peering {
    /// Authorities that count for this domain only, besides the platform's.
    pub anchors: Anchors,
    /// Where its WebSocket servers are asked for SIP; `None` for
    /// [`TransportConfig::websocket_path`](crate::TransportConfig::websocket_path).
    pub websocket_path: Option<String>,
}

/// The names of targets.
#[derive(Debug, Default)]
pub(crate) struct Identities {
    /// Counts uses, so that the target not used for longest can be found.
    uses: u64,
    known: HashMap<Target, Known>,
    peerings: HashMap<String, Peering>,
    anchors: Anchors,
}

#[derive(Debug, Default)]
struct Known {
    used: u64,
    /// The latest first.
    names: Vec<Host>,
    /// What the open connection's server has shown.
    shown: Option<(u64, Chain)>,
}

impl Identities {
    pub(crate) fn new(anchors: Anchors) -> Self {
        Self { anchors, ..Self::default() }
    }

    pub(crate) fn set_peering(&mut self, domain: &str, peering: Peering) {
        self.peerings.insert(key(domain), peering);
    }

    /// Notes that `target` was found by `name`. `false` when the target may not be used for it:
    /// its server has shown a certificate that does not prove this name.
    pub(crate) fn note(&mut self, target: Target, name: &Host) -> bool {
        self.uses += 1;
        if !self.known.contains_key(&target) {
            self.make_room();
        }
        let identity = self.identity(name.clone());
        let known = self.known.entry(target).or_default();
        known.used = self.uses;
        if let Some(at) = known.names.iter().position(|known| known.equivalent(name)) {
            let name = known.names.remove(at);
            known.names.insert(0, name);
            return true;
        }
        let proved = known.shown.as_ref().is_none_or(|(_, chain)| tls::proves(chain, &identity));
        if !proved || known.names.len() >= MOST_NAMES {
            return false;
        }
        known.names.insert(0, name.clone());
        true
    }

    /// What the server of `target` must prove; its bare address when no name is known.
    pub(crate) fn of(&self, target: Target) -> Vec<Identity> {
        let names = self.known.get(&target).map(|known| known.names.as_slice());
        match names {
            Some(names) if !names.is_empty() => {
                names.iter().cloned().map(|name| self.identity(name)).collect()
            }
            _ => vec![self.identity(Host::from(target.addr.ip()))],
        }
    }

    /// The WebSocket path of the domain `target` was last found by.
    pub(crate) fn websocket_path(&self, target: Target) -> Option<String> {
        let Some(Host::Name(name)) = self.known.get(&target)?.names.first() else { return None };
        self.peerings.get(&key(name))?.websocket_path.clone()
    }

    /// Notes what the server of connection `id` has shown for `judged`. `false` when a name that
    /// came meanwhile is not proved by it; that name is forgotten.
    pub(crate) fn shown(
        &mut self,
        target: Target,
        id: u64,
        chain: Chain,
        judged: &[Identity],
    ) -> bool {
        let newer: Vec<Identity> =
            self.of(target).into_iter().filter(|identity| !judged.contains(identity)).collect();
        let strangers: Vec<Host> = newer
            .into_iter()
            .filter(|identity| !tls::proves(&chain, identity))
            .map(|identity| identity.host)
            .collect();
        self.forget(target, &strangers);
        if strangers.is_empty() {
            self.known.entry(target).or_default().shown = Some((id, chain));
        }
        strangers.is_empty()
    }

    /// The connection `id` is gone: the next server may be another one.
    pub(crate) fn ended(&mut self, target: Target, id: u64) {
        if let Some(known) = self.known.get_mut(&target)
            && known.shown.as_ref().is_some_and(|(shown, _)| *shown == id)
        {
            known.shown = None;
        }
    }

    /// Forgets names a server did not prove while it proved others: otherwise whoever points a
    /// name of his at a server could keep everybody from it.
    pub(crate) fn forget(&mut self, target: Target, names: &[Host]) {
        if let Some(known) = self.known.get_mut(&target) {
            known.names.retain(|name| !names.contains(name));
        }
    }

    fn identity(&self, host: Host) -> Identity {
        let mut anchors = self.anchors.clone();
        if let Some(peering) = self.peerings.get(&key(&host.to_string())) {
            anchors.add(&peering.anchors);
        }
        Identity { host, anchors }
    }

    fn make_room(&mut self) {
        if self.known.len() < MOST_TARGETS {
            return;
        }
        let closed = self.known.iter().filter(|(_, known)| known.shown.is_none());
        let oldest = closed.min_by_key(|(_, known)| known.used).map(|(target, _)| *target);
        if let Some(oldest) = oldest {
            self.known.remove(&oldest);
        }
    }
}

fn key(domain: &str) -> String {
    domain.trim_end_matches('.').to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use sip_core::Target;
    use sip_types::{Host, Transport};

    use super::{Identities, MOST_NAMES, MOST_TARGETS, Peering};

    fn target(port: u16) -> Target {
        Target { transport: Transport::Tls, addr: ([192, 0, 2, 1], port).into() }
    }

    fn name(text: &str) -> Host {
        Host::Name(text.to_owned())
    }

    fn hosts(identities: &Identities, target: Target) -> Vec<String> {
        identities.of(target).into_iter().map(|identity| identity.host.to_string()).collect()
    }

    #[test]
    fn an_unnamed_target_must_prove_its_address() {
        assert_eq!(hosts(&Identities::default(), target(1)), ["192.0.2.1"]);
    }

    #[test]
    fn names_are_kept_the_latest_first_and_never_pushed_out() {
        let mut identities = Identities::default();
        for host in ["a.example", "b.example", "A.example"] {
            assert!(identities.note(target(1), &name(host)));
        }
        assert_eq!(hosts(&identities, target(1)), ["a.example", "b.example"]);
        for i in 2..MOST_NAMES {
            assert!(identities.note(target(1), &name(&format!("{i}.example"))));
        }
        assert!(!identities.note(target(1), &name("more.example")));
        assert!(identities.note(target(1), &name("a.example")));
        identities.forget(target(1), &[name("b.example")]);
        assert!(identities.note(target(1), &name("more.example")));
    }

    #[test]
    fn memory_is_bounded() {
        let mut identities = Identities::default();
        for port in 0..2000 {
            assert!(identities.note(target(port), &name("a.example")));
        }
        assert_eq!(identities.known.len(), MOST_TARGETS);
        assert_eq!(hosts(&identities, target(1999)), ["a.example"]);
        assert_eq!(hosts(&identities, target(0)), ["192.0.2.1"]);
    }

    #[test]
    fn a_domain_has_its_path() {
        let mut identities = Identities::default();
        let peering = Peering { websocket_path: Some("/sip".to_owned()), ..Peering::default() };
        identities.set_peering("PBX.example.", peering);
        assert_eq!(identities.websocket_path(target(1)), None);
        identities.note(target(1), &name("pbx.example"));
        assert_eq!(identities.websocket_path(target(1)).as_deref(), Some("/sip"));
    }
}

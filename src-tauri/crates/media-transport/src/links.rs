//! The sockets of a stream besides its own port: further addresses of this machine, and ways to relays.
//!
//! Inputs: links were opened or closed, what came over them, the time. Told further: what came from peers, and which
//! addresses there are.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use rtc_crypto::RTCCryptoProvider;

use crate::gathering::Base;
use crate::turn::{Event, Relay};
use crate::{Carrier, LinkId, Opening, Output, RelayServer};

/// One link.
enum Link {
    /// Not open yet; for a relay, what it is to be.
    Opening(Option<(RelayServer, u16)>),
    /// A socket on that address.
    Socket(SocketAddr),
    /// A way to a relay.
    Relay(Box<OnRelay>),
}

struct OnRelay {
    server: SocketAddr,
    /// The how manieth it was to be asked.
    rank: u16,
    relay: Relay,
    /// Our place there.
    relayed: Option<SocketAddr>,
}

/// What a link has to tell.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum News {
    /// There is that address of this machine.
    Host(LinkId, SocketAddr),
    /// There is a place on a relay: where, what the relay sees us as, its rank.
    Relayed(LinkId, SocketAddr, SocketAddr, u16),
    /// A peer sent that.
    Datagram(LinkId, SocketAddr, Vec<u8>),
    /// It is no more.
    Gone(LinkId),
}

/// All links of a stream.
#[derive(Default)]
pub(crate) struct Links {
    links: BTreeMap<LinkId, Link>,
    next: LinkId,
}

impl Links {
    /// A link to be opened.
    pub(crate) fn open_socket(&mut self, ip: std::net::IpAddr) -> (LinkId, Output) {
        let link = self.insert(Link::Opening(None));
        (link, Output::Open { link, opening: Opening::Socket(ip) })
    }

    /// A way to a relay to be opened, the `rank`th.
    pub(crate) fn open_relay(&mut self, server: RelayServer, rank: u16) -> (LinkId, Output) {
        let RelayServer { address, carrier, name, .. } = server.clone();
        let link = self.insert(Link::Opening(Some((server, rank))));
        (link, Output::Open { link, opening: Opening::Relay { address, carrier, name } })
    }

    fn insert(&mut self, link: Link) -> LinkId {
        let id = self.next;
        self.next = self.next.wrapping_add(1);
        self.links.insert(id, link);
        id
    }

    /// It is open, at that address of ours.
    pub(crate) fn opened(
        &mut self,
        now: Instant,
        id: LinkId,
        own: SocketAddr,
        provider: &Arc<dyn RTCCryptoProvider>,
    ) -> Option<News> {
        let link = self.links.get_mut(&id)?;
        let Link::Opening(relay) = link else { return None };
        match relay.take() {
            None => {
                *link = Link::Socket(own);
                Some(News::Host(id, own))
            }
            Some((server, rank)) => {
                let stream = server.carrier != Carrier::Udp;
                let relay = Relay::new(now, server.login, provider, stream);
                let on = OnRelay { server: server.address, rank, relay, relayed: None };
                *link = Link::Relay(Box::new(on));
                None
            }
        }
    }

    /// It is closed, or could not be opened.
    pub(crate) fn closed(&mut self, id: LinkId) {
        self.links.remove(&id);
    }

    /// Takes what arrived on it.
    pub(crate) fn receive(
        &mut self,
        now: Instant,
        id: LinkId,
        from: SocketAddr,
        data: &[u8],
    ) -> Option<News> {
        match self.links.get_mut(&id)? {
            Link::Opening(_) => None,
            Link::Socket(_) => Some(News::Datagram(id, from, data.to_vec())),
            Link::Relay(on) => {
                if from == on.server {
                    on.relay.receive(now, data);
                }
                None
            }
        }
    }

    /// Sends a datagram of ours to a peer.
    pub(crate) fn send(
        &mut self,
        now: Instant,
        id: LinkId,
        to: SocketAddr,
        data: Vec<u8>,
    ) -> Option<Output> {
        match self.links.get_mut(&id)? {
            Link::Opening(_) => None,
            Link::Socket(_) => Some(Output::Send { link: Some(id), to, data }),
            Link::Relay(on) => {
                on.relay.send(now, to, &data);
                None
            }
        }
    }

    /// Sound goes to that peer from now on.
    pub(crate) fn prefer(&mut self, now: Instant, id: LinkId, peer: SocketAddr) {
        if let Some(Link::Relay(on)) = self.links.get_mut(&id) {
            on.relay.open_channel(now, peer);
        }
    }

    /// What relays have to send, and the next thing that they tell.
    pub(crate) fn poll(&mut self, outputs: &mut impl Extend<Output>) -> Option<News> {
        for (id, link) in &mut self.links {
            let Link::Relay(on) = link else { continue };
            while let Some(event) = on.relay.poll_event() {
                match event {
                    Event::Send(data) => {
                        let to = on.server;
                        outputs.extend([Output::Send { link: Some(*id), to, data }]);
                    }
                    Event::Allocated { relayed, mapped } => {
                        on.relayed = Some(relayed);
                        return Some(News::Relayed(*id, relayed, mapped, on.rank));
                    }
                    Event::Data { from, data } => return Some(News::Datagram(*id, from, data)),
                    Event::Over(why) => {
                        tracing::info!(server = %on.server, why, "no relay");
                        return Some(News::Gone(*id));
                    }
                }
            }
        }
        None
    }

    pub(crate) fn handle_timeout(&mut self, now: Instant) {
        for link in self.links.values_mut() {
            if let Link::Relay(on) = link {
                on.relay.handle_timeout(now);
            }
        }
    }

    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        let due = |link: &Link| match link {
            Link::Relay(on) => on.relay.poll_timeout(),
            Link::Opening(_) | Link::Socket(_) => None,
        };
        self.links.values().filter_map(due).min()
    }

    /// Our addresses that checks can go from.
    pub(crate) fn locals(&self) -> BTreeMap<SocketAddr, Base> {
        let local = |(id, link): (&LinkId, &Link)| match link {
            Link::Opening(_) => None,
            Link::Socket(own) => Some((*own, Base::Link(*id))),
            Link::Relay(on) => on.relayed.map(|relayed| (relayed, Base::Link(*id))),
        };
        self.links.iter().filter_map(local).collect()
    }

    /// Closes those that are not `kept`; relays are told.
    pub(crate) fn close(
        &mut self,
        now: Instant,
        kept: impl Fn(Base) -> bool,
        outputs: &mut impl Extend<Output>,
    ) {
        let useless = self.links.keys().copied().filter(|id| !kept(Base::Link(*id)));
        for link in useless.collect::<Vec<_>>() {
            if let Some(Link::Relay(mut on)) = self.links.remove(&link) {
                on.relay.release(now);
                while let Some(event) = on.relay.poll_event() {
                    if let Event::Send(data) = event {
                        outputs.extend([Output::Send { link: Some(link), to: on.server, data }]);
                    }
                }
            }
            outputs.extend([Output::Close(link)]);
        }
    }
}

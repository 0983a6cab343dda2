//! What the world sees a call's sound as: asked of the account's STUN server, before an offer or while a call rings.

use std::time::Instant;

use call_control::CallId;
use media::StreamId;
use sdp::{Candidate, CandidateKind};
use tracing::debug;

use super::desk::Desk;

impl Desk {
    /// Asks the account's STUN server, where it has one and the call uses checks, and goes on when it has answered or has
    /// been given up; not at all when the call has other sockets by then. False: there is nobody to ask.
    pub(super) fn gather(
        &self,
        id: CallId,
        then: impl FnOnce(&mut Desk, Instant) + Send + 'static,
    ) -> bool {
        let line = self.lines.get(&id).filter(|line| line.ice);
        let Some((media, server)) =
            line.and_then(|line| line.media.as_ref().zip(line.stun.as_ref()))
        else {
            return false;
        };
        let (stream, family) = (media.stream, media.local.addr.is_ipv4());
        let located = self.transport.resolve(server);
        self.later(located, move |desk, now, routes| {
            let addresses = routes.into_iter().flatten().map(|route| route.target.addr);
            match addresses.into_iter().find(|address| address.is_ipv4() == family) {
                Some(server) => {
                    let seen = desk.sounds.engine.seen_by(stream, server);
                    desk.later(seen, move |desk, now, seen| {
                        debug!(call = id.0, ?seen, "the STUN server was asked");
                        desk.seen_as(id, stream, seen);
                        desk.go_on(now, id, stream, then);
                    });
                }
                None => desk.go_on(now, id, stream, then),
            }
        });
        true
    }

    fn go_on(
        &mut self,
        now: Instant,
        id: CallId,
        stream: StreamId,
        then: impl FnOnce(&mut Desk, Instant),
    ) {
        if self.stream(id) == Some(stream) {
            then(self, now);
        }
    }

    /// Adds the address to what the next description tells.
    fn seen_as(&mut self, id: CallId, stream: StreamId, seen: Option<std::net::SocketAddr>) {
        let media = self.lines.get_mut(&id).and_then(|line| line.media.as_mut());
        let Some(media) = media.filter(|media| media.stream == stream) else { return };
        let own = std::net::SocketAddr::new(media.local.addr, media.local.rtp_port);
        if let (Some(ice), Some(seen)) = (&mut media.local.ice, seen.filter(|seen| *seen != own)) {
            let candidate = Candidate::new(CandidateKind::ServerReflexive, seen, Some(own));
            ice.candidates.push(candidate);
        }
    }
}

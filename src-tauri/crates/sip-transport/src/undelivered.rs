//! Datagrams that did not arrive, as the network tells (RFC 3261 section 18.4): ICMP says that a host, a network, a
//! protocol or a port is not there.
//!
//! Inputs from the system: where datagrams bounced off. Inputs from the network: who was heard of. Input from the
//! clock: the `now` of each call.
//!
//! ```text
//! nothing --bounce--> doubted --bounce within 10 s--> failed (told; and again with each further one)
//!    ^                   |                              |
//!    +--- heard of, or 10 s without another bounce -----+
//! ```
//!
//! One alone proves little: a server may be starting, anybody may have sent it. A request is repeated after half a
//! second, and by then it is certain. Only Linux tells whom an error concerns.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// How long a bounce is remembered.
const REMEMBERED: Duration = Duration::from_secs(10);

/// Most addresses remembered; of more nothing is told until there is room.
const MOST: usize = 256;

/// A datagram that did not arrive.
#[derive(Debug)]
#[cfg_attr(not(target_os = "linux"), allow(dead_code, reason = "only Linux tells of them"))]
pub(crate) struct Bounce {
    /// Where it was sent to.
    pub(crate) to: SocketAddr,
    /// What the network said.
    pub(crate) error: std::io::Error,
}

/// Which addresses datagrams bounced off lately.
#[derive(Debug, Default)]
pub(crate) struct Bounces(HashMap<SocketAddr, Instant>);

impl Bounces {
    /// A datagram to `to` bounced. True: nothing arrives there.
    pub(crate) fn bounced(&mut self, now: Instant, to: SocketAddr) -> bool {
        self.0.retain(|_, at| now < *at + REMEMBERED);
        let again = self.0.contains_key(&to);
        if again || self.0.len() < MOST {
            self.0.insert(to, now);
        }
        again
    }

    /// Something came from there.
    pub(crate) fn heard(&mut self, from: SocketAddr) {
        self.0.remove(&from);
    }
}

pub(crate) use system::{take, tell};

#[cfg(target_os = "linux")]
mod system {
    use std::io::{self, IoSliceMut};
    use std::net::{IpAddr, SocketAddr};
    use std::os::fd::{AsFd, AsRawFd};

    use nix::libc::{
        EMSGSIZE, SO_EE_ORIGIN_ICMP, SO_EE_ORIGIN_ICMP6, sock_extended_err, sockaddr_in6,
    };
    use nix::sys::socket::{
        ControlMessageOwned, MsgFlags, SockaddrStorage, recvmsg, setsockopt, sockopt,
    };

    use super::Bounce;

    /// Destination Unreachable, in ICMP and in ICMPv6.
    const UNREACHABLE: (u8, u8) = (3, 1);

    /// Has the system keep what bounces off this socket for [`take`].
    pub(crate) fn tell(socket: &impl AsFd, ip: IpAddr) -> io::Result<()> {
        match ip {
            IpAddr::V4(_) => setsockopt(socket, sockopt::Ipv4RecvErr, &true)?,
            IpAddr::V6(_) => setsockopt(socket, sockopt::Ipv6RecvErr, &true)?,
        }
        Ok(())
    }

    /// What has bounced off this socket since.
    pub(crate) fn take(socket: &impl AsRawFd) -> Vec<Bounce> {
        std::iter::from_fn(|| next(socket)).flatten().collect()
    }

    /// The next error in the queue; an inner `None` is one that says nothing about its target.
    fn next(socket: &impl AsRawFd) -> Option<Option<Bounce>> {
        // What was sent comes back with it; nobody needs it.
        let mut payload = [0; 64];
        let mut buffers = [IoSliceMut::new(&mut payload)];
        let mut control = nix::cmsg_space!(sock_extended_err, sockaddr_in6);
        let flags = MsgFlags::MSG_ERRQUEUE | MsgFlags::MSG_DONTWAIT;
        let fd = socket.as_raw_fd();
        let received =
            recvmsg::<SockaddrStorage>(fd, &mut buffers, Some(&mut control), flags).ok()?;
        let to = received.address.as_ref().and_then(socket_address);
        let told = received
            .cmsgs()
            .ok()
            .and_then(|mut messages| messages.find_map(|one| unreachable(&one)));
        Some(to.zip(told).map(|(to, error)| Bounce { to, error }))
    }

    fn unreachable(message: &ControlMessageOwned) -> Option<io::Error> {
        let (error, origin, kind) = match message {
            ControlMessageOwned::Ipv4RecvErr(error, _) => {
                (*error, SO_EE_ORIGIN_ICMP, UNREACHABLE.0)
            }
            ControlMessageOwned::Ipv6RecvErr(error, _) => {
                (*error, SO_EE_ORIGIN_ICMP6, UNREACHABLE.1)
            }
            _ => return None,
        };
        let number = i32::try_from(error.ee_errno).ok()?;
        let is_it = error.ee_origin == origin && error.ee_type == kind && number != EMSGSIZE;
        is_it.then(|| io::Error::from_raw_os_error(number))
    }

    fn socket_address(address: &SockaddrStorage) -> Option<SocketAddr> {
        let v4 = address.as_sockaddr_in().map(|address| SocketAddr::from(*address));
        v4.or_else(|| address.as_sockaddr_in6().map(|address| SocketAddr::from(*address)))
    }
}

#[cfg(not(target_os = "linux"))]
mod system {
    use std::io;
    use std::net::IpAddr;

    use super::Bounce;

    /// The system does not say whom an error concerns.
    pub(crate) fn tell<S>(_: &S, _: IpAddr) -> io::Result<()> {
        Ok(())
    }

    /// Nothing.
    pub(crate) fn take<S>(_: &S) -> Vec<Bounce> {
        Vec::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[expect(clippy::disallowed_methods, reason = "the start of a test's virtual time")]
    fn start() -> Instant {
        Instant::now()
    }

    fn peer(port: u16) -> SocketAddr {
        SocketAddr::new("192.0.2.1".parse().unwrap(), port)
    }

    #[test]
    fn one_bounce_proves_nothing_and_two_do() {
        let (now, mut bounces) = (start(), Bounces::default());
        let after = |millis| now + Duration::from_millis(millis);
        assert!(!bounces.bounced(now, peer(1)));
        assert!(!bounces.bounced(after(400), peer(2)), "another's is another's");
        assert!(bounces.bounced(after(500), peer(1)));
        assert!(bounces.bounced(after(10_400), peer(1)), "it is still gone");
        assert!(!bounces.bounced(after(20_500), peer(1)), "long ago");
    }

    #[test]
    fn who_is_heard_of_is_there() {
        let (now, mut bounces) = (start(), Bounces::default());
        assert!(!bounces.bounced(now, peer(1)));
        bounces.heard(peer(1));
        assert!(!bounces.bounced(now, peer(1)));
    }

    #[test]
    fn many_addresses_take_no_room() {
        let (now, mut bounces) = (start(), Bounces::default());
        for port in 1..=1000 {
            assert!(!bounces.bounced(now, peer(port)));
        }
        assert!(bounces.0.len() <= MOST);
        assert!(bounces.bounced(now, peer(1)));
    }
}

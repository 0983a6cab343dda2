//! Looking at the network: usable addresses, and which of them leads where.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

use if_addrs::{IfOperStatus, Interface};

use crate::Snapshot;

/// Addresses of documentation (RFC 5737, RFC 3849): the way to them is the way out of the house.
const OUTSIDE: [IpAddr; 2] = [
    IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)),
    IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1)),
];

/// Looks now. Without destinations the way out of the house is looked at.
pub(crate) fn look(destinations: &[IpAddr]) -> Snapshot {
    let interfaces = if_addrs::get_if_addrs().unwrap_or_else(|error| {
        tracing::debug!(%error, "the addresses cannot be listed");
        Vec::new()
    });
    let up: BTreeSet<IpAddr> =
        interfaces.iter().filter(|one| is_up(one)).map(Interface::ip).collect();
    let destinations = if destinations.is_empty() { &OUTSIDE[..] } else { destinations };
    // A link without a carrier keeps its routes: they lead nowhere.
    let way = |to: IpAddr| source(to).filter(|ip| interfaces.is_empty() || up.contains(ip));
    Snapshot {
        addresses: up.iter().copied().filter(|ip| is_of_use(*ip)).collect(),
        ways: destinations.iter().map(|to| (*to, way(*to))).collect(),
    }
}

/// The usable addresses of this machine, those of loopback and of the link alone left out. Looks now.
pub fn addresses() -> Vec<IpAddr> {
    look(&[IpAddr::V4(Ipv4Addr::LOCALHOST)]).addresses.into_iter().collect()
}

/// Windows has virtual links that do not know whether they are up; elsewhere unknown means that the
/// link has no carrier.
fn is_up(interface: &Interface) -> bool {
    match interface.oper_status {
        IfOperStatus::Up => true,
        IfOperStatus::Unknown => cfg!(windows) || interface.is_loopback(),
        _ => interface.is_loopback(),
    }
}

fn is_of_use(ip: IpAddr) -> bool {
    let link_local = match ip {
        IpAddr::V4(ip) => ip.is_link_local(),
        IpAddr::V6(ip) => ip.is_unicast_link_local(),
    };
    !ip.is_loopback() && !link_local
}

/// The address the system would send from. Connecting a UDP socket sends nothing.
fn source(to: IpAddr) -> Option<IpAddr> {
    let any: IpAddr = match to {
        IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let socket = UdpSocket::bind(SocketAddr::new(any, 0)).ok()?;
    socket.connect((to, 5060)).ok()?;
    socket.local_addr().ok().map(|addr| addr.ip()).filter(|ip| !ip.is_unspecified())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_leads_to_itself_and_is_no_address_of_use() {
        let here = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let seen = look(&[here]);
        assert_eq!(seen.ways.get(&here), Some(&Some(here)));
        assert!(!seen.addresses.contains(&here));
    }
}

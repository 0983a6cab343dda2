//! Calls between engines on the loopback interface whose keys come of a handshake and whose way is found by checks.

#![expect(clippy::disallowed_methods, reason = "calls take real time")]
#![expect(clippy::unwrap_used, reason = "a test program")]

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use media::{AudioSpec, Engine, EngineConfig, Events, Failure, MediaEvent, StreamId, StreamStats};
use sdp::{
    Candidate, CandidateKind, CodecKind, CryptoSuite, DtlsParameters, DtlsRole, Fingerprint,
    HashFunction, IceCredentials, IceParameters, LocalIce, Negotiated,
};

mod agreement;

const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const SIX: IpAddr = IpAddr::V6(Ipv6Addr::LOCALHOST);

fn engine(bind: IpAddr) -> (Engine, Events) {
    static NEXT: AtomicU16 = AtomicU16::new(49_500);
    let first = NEXT.fetch_add(8, Ordering::Relaxed);
    let rtp_ports = first..=first + 7;
    Engine::start(EngineConfig { audio: AudioSpec::Null, bind, rtp_ports }).unwrap()
}

fn until(ms: u64, mut done: impl FnMut() -> bool) -> bool {
    let (_keep, never) = channel::<()>();
    let end = Instant::now() + Duration::from_millis(ms);
    loop {
        if done() {
            return true;
        }
        if Instant::now() >= end {
            return false;
        }
        let _ = never.recv_timeout(Duration::from_millis(10));
    }
}

/// Two engines and a stream of each.
struct Pair {
    here: IpAddr,
    engines: [Engine; 2],
    events: [Events; 2],
    streams: [StreamId; 2],
    ports: [u16; 2],
}

impl Pair {
    fn new() -> Self {
        Self::at(HERE)
    }

    fn at(here: IpAddr) -> Self {
        let ((one, events_one), (two, events_two)) = (engine(here), engine(here));
        let ((stream_one, port_one, _), (stream_two, port_two, _)) =
            (one.open(here).unwrap(), two.open(here).unwrap());
        Self {
            here,
            engines: [one, two],
            events: [events_one, events_two],
            streams: [stream_one, stream_two],
            ports: [port_one, port_two],
        }
    }

    /// What one side agrees on; the second begins the handshake.
    fn agreed(&self, side: usize) -> Negotiated {
        let remote = SocketAddr::new(self.here, self.ports[1 - side]);
        let role = if side == 0 { DtlsRole::Server } else { DtlsRole::Client };
        let fingerprints = vec![self.engines[1 - side].fingerprint().unwrap().clone()];
        Negotiated {
            remote_rtcp: remote,
            rtcp_mux: true,
            dtls: Some(DtlsParameters { role, fingerprints }),
            ..agreement::plain(CodecKind::Pcma, remote)
        }
    }

    /// The same with checks.
    fn checked(&self, side: usize) -> Negotiated {
        let local = |side: usize| LocalIce {
            credentials: IceCredentials::from_random(&[u8::try_from(side).unwrap() + 1; 32]),
            candidates: vec![Candidate::new(
                CandidateKind::Host,
                SocketAddr::new(self.here, self.ports[side]),
                None,
            )],
        };
        let ice = IceParameters {
            local: local(side),
            remote: local(1 - side).credentials,
            candidates: local(1 - side).candidates,
            controlling: side == 0,
        };
        // Nobody is where the description says, so that only checks find him.
        let remote = SocketAddr::new(self.here, 9);
        Negotiated { ice: Some(ice), remote, remote_rtcp: remote, ..self.agreed(side) }
    }

    fn configure(&self, side: usize, agreed: Negotiated) {
        self.engines[side].configure(self.streams[side], agreed).unwrap();
    }

    fn stats(&self, side: usize) -> StreamStats {
        self.engines[side].stats(self.streams[side]).unwrap()
    }

    /// Waits until both hear the other, and says with what.
    fn sounds(&self) -> Option<CryptoSuite> {
        let heard = [0, 1].map(|side| self.stats(side).rx.packets);
        let goes_on = until(8_000, || {
            [0, 1].iter().all(|side| self.stats(*side).rx.packets > heard[*side] + 25)
        });
        assert!(goes_on, "{:?} {:?}", self.stats(0), self.stats(1));
        self.stats(0).suite
    }

    fn failure(&mut self, side: usize) -> Option<Failure> {
        while let Ok(event) = self.events[side].try_recv() {
            if let MediaEvent::Failed { stream, failure } = event {
                assert_eq!(stream, self.streams[side]);
                return Some(failure);
            }
        }
        None
    }
}

#[test]
fn two_engines_agree_on_keys_in_their_media_and_keep_them_through_hold() {
    let pair = Pair::new();
    for side in [1, 0] {
        pair.configure(side, pair.agreed(side));
    }
    assert_eq!(pair.sounds(), Some(CryptoSuite::AeadAes256Gcm));
    let held = |send| Negotiated { send, remote_held: !send, ..pair.agreed(0) };
    pair.configure(0, held(false));
    pair.configure(0, held(true));
    pair.configure(1, pair.agreed(1));
    assert_eq!(pair.sounds(), Some(CryptoSuite::AeadAes256Gcm));
    for side in [0, 1] {
        let stats = pair.stats(side);
        assert_eq!((stats.unauthenticated, stats.rejected), (0, 0), "{stats:?}");
    }
}

#[test]
fn reports_share_the_port_and_its_keys() {
    let pair = Pair::new();
    for side in [0, 1] {
        pair.configure(side, pair.agreed(side));
    }
    // A round trip is known from reports only; the first is sent within seconds.
    assert!(until(20_000, || [0, 1].iter().all(|side| pair.stats(*side).rtt_ms.is_some())));
    assert!([0, 1].iter().all(|side| pair.stats(*side).unauthenticated == 0));
}

#[test]
fn checks_find_the_peer_that_is_not_where_the_description_says() {
    let pair = Pair::new();
    for side in [0, 1] {
        pair.configure(side, pair.checked(side));
    }
    assert_eq!(pair.sounds(), Some(CryptoSuite::AeadAes256Gcm));
    assert_eq!(pair.stats(0).remote, Some(SocketAddr::new(HERE, pair.ports[1])));
}

/// Both have addresses of IPv4 to tell, where nobody is; only those of IPv6 lead to the other.
#[test]
fn checks_find_the_peer_where_only_ipv6_connects() {
    let pair = Pair::at(SIX);
    for side in [0, 1] {
        let mut agreed = pair.checked(side);
        let ice = agreed.ice.as_mut().unwrap();
        for port in [40_000, 40_002] {
            let dead = SocketAddr::from((Ipv4Addr::new(192, 0, 2, 1), port));
            ice.candidates.insert(0, Candidate::new(CandidateKind::Host, dead, None));
        }
        pair.configure(side, agreed);
    }
    assert_eq!(pair.sounds(), Some(CryptoSuite::AeadAes256Gcm));
    for side in [0, 1] {
        assert_eq!(pair.stats(side).remote, Some(SocketAddr::new(SIX, pair.ports[1 - side])));
    }
}

/// Half trickle (RFC 8838, 16), whichever end it is: one has told no address of its own and is found by its checks.
#[test]
fn a_peer_that_has_told_no_address_is_found_by_its_checks() {
    for (here, silent) in [(HERE, 0), (HERE, 1), (SIX, 0)] {
        let pair = Pair::at(here);
        for side in [0, 1] {
            let mut agreed = pair.checked(side);
            if side != silent {
                agreed.ice.as_mut().unwrap().candidates.clear();
            }
            pair.configure(side, agreed);
        }
        assert_eq!(pair.sounds(), Some(CryptoSuite::AeadAes256Gcm), "{here} {silent}");
        let found = SocketAddr::new(here, pair.ports[silent]);
        assert_eq!(pair.stats(1 - silent).remote, Some(found));
    }
}

#[test]
fn without_keys_nothing_is_sent_and_a_stranger_is_told_of() {
    let mut pair = Pair::new();
    let named = Fingerprint::new(HashFunction::Sha256, vec![7; 32]).unwrap();
    let dtls = DtlsParameters { role: DtlsRole::Server, fingerprints: vec![named] };
    pair.configure(0, Negotiated { dtls: Some(dtls), ..pair.agreed(0) });
    pair.configure(1, pair.agreed(1));
    let mut failure = None;
    assert!(until(8_000, || {
        failure = failure.or(pair.failure(0));
        failure.is_some()
    }));
    assert_eq!(failure, Some(Failure::WrongCertificate));
    for side in [0, 1] {
        let stats = pair.stats(side);
        assert_eq!((stats.rx.packets, stats.suite), (0, None), "{stats:?}");
    }
}

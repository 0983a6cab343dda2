//! Two streams that find each other in virtual time, over a network that delays, loses, changes addresses and lies.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use sdp::{
    Candidate, CandidateKind, CryptoSuite, DtlsParameters, DtlsRole, Fingerprint, HashFunction,
    IceCredentials, IceParameters, LocalIce, SrtpKeys,
};

use super::*;

const TRIP: Duration = Duration::from_millis(20);

fn at(host: u8) -> SocketAddr {
    SocketAddr::from(([192, 0, 2, host], 5000))
}

#[expect(clippy::disallowed_methods, reason = "one instant to count from")]
fn base() -> Instant {
    Instant::now()
}

/// One end: where it thinks it is, and what came of it.
struct End {
    transport: Transport,
    certificate: LocalCertificate,
    here: SocketAddr,
    gathered: Vec<Vec<Candidate>>,
    path: Option<SocketAddr>,
    keys: Vec<SrtpKeys>,
    failed: Option<Failure>,
}

impl End {
    fn new(host: u8) -> Self {
        let certificate = LocalCertificate::generate().unwrap();
        Self {
            transport: Transport::new(certificate.clone()),
            certificate,
            here: at(host),
            gathered: Vec::new(),
            path: None,
            keys: Vec::new(),
            failed: None,
        }
    }

    fn fingerprint(&self) -> Fingerprint {
        self.certificate.fingerprint().clone()
    }
}

/// Says whether a datagram is lost: who sent it, as the how manieth, and its bytes.
type Losing = Box<dyn FnMut(usize, u64, &[u8]) -> bool>;

/// Two ends and what is on its way between them.
struct Net {
    now: Instant,
    ends: [End; 2],
    /// By arrival and number: to which end, as from where, what.
    flying: BTreeMap<(Instant, u64), (usize, SocketAddr, Vec<u8>)>,
    sent: u64,
    /// Whether that datagram, sent by that end as the nth, is lost.
    loses: Losing,
    /// What the world sees an end as.
    seen_as: [SocketAddr; 2],
}

impl Net {
    fn new() -> Self {
        let ends = [End::new(1), End::new(2)];
        let seen_as = [ends[0].here, ends[1].here];
        Self {
            now: base(),
            ends,
            flying: BTreeMap::new(),
            sent: 0,
            loses: Box::new(|_, _, _| false),
            seen_as,
        }
    }

    fn agree(&mut self, end: usize, dtls: Option<DtlsParameters>, ice: Option<IceParameters>) {
        let remote = self.ends[1 - end].here;
        let agreed = Agreement { remote, dtls, ice };
        self.ends[end].transport.handle_input(self.now, Input::Agree(agreed));
        self.collect(end);
    }

    /// Both agree on a handshake that the second end begins.
    fn agree_on_keys(&mut self) {
        for (end, role) in [(0, DtlsRole::Server), (1, DtlsRole::Client)] {
            let fingerprints = vec![self.ends[1 - end].fingerprint()];
            self.agree(end, Some(DtlsParameters { role, fingerprints }), None);
        }
    }

    fn collect(&mut self, end: usize) {
        while let Some(output) = self.ends[end].transport.poll_output() {
            match output {
                Output::Send { link: None, to, data } => {
                    self.sent += 1;
                    if (self.loses)(end, self.sent, &data) {
                        continue;
                    }
                    let other = 1 - end;
                    // An address behind a translator is nobody's to the world.
                    if to == self.seen_as[other] {
                        let at = (self.now + TRIP, self.sent);
                        self.flying.insert(at, (other, self.seen_as[end], data));
                    }
                }
                Output::Gathered(found) => self.ends[end].gathered.push(found),
                Output::Path { to, linked: false } => self.ends[end].path = Some(to),
                other @ (Output::Send { .. }
                | Output::Open { .. }
                | Output::Close(_)
                | Output::Path { .. }
                | Output::Sound { .. }) => panic!("{other:?} without links"),
                Output::Keys(keys) => self.ends[end].keys.push(keys),
                Output::Failed(failure) => self.ends[end].failed = Some(failure),
            }
        }
    }

    /// Lets that much time pass.
    fn run(&mut self, time: Duration) {
        let end = self.now + time;
        loop {
            let due = |end: &mut End| end.transport.poll_timeout();
            let [one, two] = &mut self.ends;
            let arrival = self.flying.keys().next().map(|(at, _)| *at);
            let next = [arrival, due(one), due(two)].into_iter().flatten().min();
            let Some(next) = next.filter(|next| *next <= end) else { break };
            // A step even where something is overdue, so that a timer that never moves on is seen as a failure.
            self.now = next.max(self.now + Duration::from_micros(100));
            while let Some(entry) = self.flying.first_entry().filter(|e| e.key().0 <= self.now) {
                let (to, from, data) = entry.remove();
                let datagram = Input::Datagram { link: None, from, data: &data };
                self.ends[to].transport.handle_input(self.now, datagram);
                self.collect(to);
            }
            for end in 0..2 {
                self.ends[end].transport.handle_timeout(self.now);
                self.collect(end);
            }
        }
        self.now = end;
    }

    fn share_keys(&self) -> bool {
        let [one, two] = &self.ends;
        match (one.keys.last(), two.keys.last()) {
            (Some(one), Some(two)) => one.send == two.receive && one.receive == two.send,
            _ => false,
        }
    }
}

#[test]
fn datagrams_are_told_apart_by_their_first_byte() {
    for (first, kind) in [
        (0, Kind::Stun),
        (3, Kind::Stun),
        (4, Kind::Other),
        (20, Kind::Dtls),
        (63, Kind::Dtls),
        (64, Kind::Other),
        (127, Kind::Other),
        (128, Kind::Rtp),
        (191, Kind::Rtp),
        (192, Kind::Other),
    ] {
        assert_eq!(Kind::of(&[first, 0]), kind, "{first}");
    }
    assert_eq!(Kind::of(&[]), Kind::Other);
}

#[test]
fn two_ends_draw_the_same_keys_in_a_few_round_trips() {
    let mut net = Net::new();
    net.agree_on_keys();
    net.run(TRIP * 8);
    assert!(net.share_keys());
    let keys = &net.ends[0].keys[0];
    assert_eq!(keys.send.suite(), CryptoSuite::AeadAes256Gcm);
    assert_ne!(keys.send, keys.receive);
    assert!(net.ends.iter_mut().all(|end| end.transport.poll_timeout().is_none()));
}

#[test]
fn what_arrives_before_the_answer_is_not_lost() {
    let mut net = Net::new();
    let named = |end: &End| vec![end.fingerprint()];
    let (one, two) = (named(&net.ends[0]), named(&net.ends[1]));
    net.agree(1, Some(DtlsParameters { role: DtlsRole::Client, fingerprints: one }), None);
    net.run(TRIP * 2);
    net.agree(0, Some(DtlsParameters { role: DtlsRole::Server, fingerprints: two }), None);
    net.run(TRIP * 8);
    assert!(net.share_keys(), "without waiting for a repetition");
}

#[test]
fn a_certificate_that_the_description_does_not_name_is_refused() {
    for liar in [0, 1] {
        let mut net = Net::new();
        for (end, role) in [(0, DtlsRole::Server), (1, DtlsRole::Client)] {
            let named = match end == liar {
                true => Fingerprint::new(HashFunction::Sha256, vec![7; 32]).unwrap(),
                false => net.ends[1 - end].fingerprint(),
            };
            net.agree(end, Some(DtlsParameters { role, fingerprints: vec![named] }), None);
        }
        net.run(Duration::from_secs(40));
        assert_eq!(net.ends[liar].failed, Some(Failure::WrongCertificate), "{liar}");
        assert!(net.ends[liar].keys.is_empty(), "{liar}: keys with a stranger");
    }
}

#[test]
fn any_of_several_fingerprints_will_do() {
    let mut net = Net::new();
    for (end, role) in [(0, DtlsRole::Server), (1, DtlsRole::Client)] {
        let other = Fingerprint::new(HashFunction::Sha512, vec![7; 64]).unwrap();
        let fingerprints = vec![other, net.ends[1 - end].fingerprint()];
        net.agree(end, Some(DtlsParameters { role, fingerprints }), None);
    }
    net.run(TRIP * 8);
    assert!(net.share_keys());
}

#[test]
fn lost_datagrams_are_made_good() {
    // Every datagram of the handshake lost once, and then at random.
    for lost in 1..=10 {
        let mut net = Net::new();
        net.loses = Box::new(move |_, n, _| n == lost);
        net.agree_on_keys();
        net.run(Duration::from_secs(10));
        assert!(net.share_keys(), "without datagram {lost}");
    }
    for seed in 1..=20_u64 {
        let mut net = Net::new();
        let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        net.loses = Box::new(move |_, _, _| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 33) % 10 < 3
        });
        net.agree_on_keys();
        net.run(Duration::from_secs(25));
        assert!(net.share_keys(), "seed {seed}, {} datagrams", net.sent);
    }
}

#[test]
fn a_peer_that_is_silent_for_long_is_given_up_and_one_that_comes_late_is_not() {
    let mut net = Net::new();
    net.loses = Box::new(|_, _, _| true);
    net.agree_on_keys();
    net.run(Duration::from_secs(20));
    net.loses = Box::new(|_, _, _| false);
    net.run(Duration::from_secs(3));
    assert!(net.share_keys());
    let mut net = Net::new();
    net.loses = Box::new(|_, _, _| true);
    net.agree_on_keys();
    net.run(Duration::from_secs(31));
    assert!(net.ends.iter().all(|end| end.failed == Some(Failure::NoKeys)));
    assert!(net.sent < 100, "{} datagrams in vain", net.sent);
}

#[test]
fn a_peer_behind_address_translation_is_answered_where_it_is() {
    let mut net = Net::new();
    net.seen_as[1] = SocketAddr::from(([203, 0, 113, 9], 40_001));
    net.ends[1].here = SocketAddr::from(([10, 0, 0, 2], 5000));
    net.agree_on_keys();
    net.run(Duration::from_secs(2));
    assert!(net.share_keys());
}

#[test]
fn a_stranger_does_not_end_the_handshake() {
    let mut net = Net::new();
    let mut stranger = Transport::new(LocalCertificate::generate().unwrap());
    let fingerprints = vec![net.ends[0].fingerprint()];
    let dtls = Some(DtlsParameters { role: DtlsRole::Client, fingerprints });
    let named = vec![net.ends[1].fingerprint()];
    net.agree(0, Some(DtlsParameters { role: DtlsRole::Server, fingerprints: named }), None);
    let agreed = Agreement { remote: at(1), dtls, ice: None };
    stranger.handle_input(net.now, Input::Agree(agreed));
    // The stranger talks with the first end until that has seen his certificate.
    for _ in 0..10 {
        while let Some(output) = stranger.poll_output() {
            if let Output::Send { data, .. } = output {
                let datagram = Input::Datagram { link: None, from: at(66), data: &data };
                net.ends[0].transport.handle_input(net.now, datagram);
            }
        }
        while let Some(output) = net.ends[0].transport.poll_output() {
            match output {
                Output::Send { data, .. } => {
                    let datagram = Input::Datagram { link: None, from: at(1), data: &data };
                    stranger.handle_input(net.now, datagram);
                }
                other => panic!("{other:?}"),
            }
        }
    }
    let fingerprints = vec![net.ends[0].fingerprint()];
    net.agree(1, Some(DtlsParameters { role: DtlsRole::Client, fingerprints }), None);
    net.run(Duration::from_secs(5));
    assert!(net.share_keys());
}

#[test]
fn hold_changes_nothing_and_another_certificate_asks_for_other_keys() {
    let mut net = Net::new();
    net.agree_on_keys();
    net.run(TRIP * 8);
    net.agree_on_keys();
    net.run(Duration::from_secs(1));
    assert!(net.ends.iter().all(|end| end.keys.len() == 1));
    // The second end is replaced by another program, as in a transfer.
    net.ends[1] = End::new(3);
    net.seen_as[1] = at(3);
    net.agree_on_keys();
    net.run(TRIP * 8);
    assert!(net.share_keys());
    assert_eq!((net.ends[0].keys.len(), net.ends[1].keys.len()), (2, 1));
}

#[test]
fn a_peer_may_begin_anew_in_mid_call_and_the_keys_of_before_hold_until_then() {
    let mut net = Net::new();
    net.agree_on_keys();
    net.run(TRIP * 8);
    for time in 2..=12 {
        // With the certificate of before, as a server that was asked to hold the call.
        net.ends[1].transport = Transport::new(net.ends[1].certificate.clone());
        net.agree_on_keys();
        net.run(Duration::from_secs(1));
        assert!(net.share_keys(), "the {time}th time");
        assert_eq!(net.ends[0].keys.len(), time);
    }
    // What only pretends to begin costs nothing.
    let mut stranger = Transport::new(LocalCertificate::generate().unwrap());
    let fingerprints = vec![net.ends[0].fingerprint()];
    let dtls = Some(DtlsParameters { role: DtlsRole::Client, fingerprints });
    let agreed = Agreement { remote: at(1), dtls, ice: None };
    stranger.handle_input(net.now, Input::Agree(agreed));
    let Some(Output::Send { data, .. }) = stranger.poll_output() else { panic!("no beginning") };
    net.ends[0]
        .transport
        .handle_input(net.now, Input::Datagram { link: None, from: at(66), data: &data });
    net.run(Duration::from_secs(60));
    assert!(net.ends.iter().all(|end| end.failed.is_none()));
    assert_eq!(net.ends[0].keys.len(), 12);
}

fn credentials(who: u8) -> IceCredentials {
    IceCredentials::from_random(&std::array::from_fn(|n| {
        who.wrapping_mul(31) ^ u8::try_from(n).unwrap()
    }))
}

/// What both agree on: the first offered. Each has its one address, and those that are given.
fn ice(net: &Net, round: u8, more: &[Vec<Candidate>; 2]) -> [IceParameters; 2] {
    let side = |end: usize| {
        let mut candidates = vec![Candidate::new(CandidateKind::Host, net.ends[end].here, None)];
        candidates.extend(more[end].clone());
        LocalIce { credentials: credentials(u8::try_from(end).unwrap() + 2 * round), candidates }
    };
    [0, 1].map(|end| IceParameters {
        local: side(end),
        remote: side(1 - end).credentials,
        candidates: side(1 - end).candidates,
        controlling: end == 0,
    })
}

fn agree_on_all(net: &mut Net, round: u8) {
    let paths = ice(net, round, &[Vec::new(), Vec::new()]);
    for (end, role) in [(0, DtlsRole::Server), (1, DtlsRole::Client)] {
        let fingerprints = vec![net.ends[1 - end].fingerprint()];
        let dtls = Some(DtlsParameters { role, fingerprints });
        net.agree(end, dtls, Some(paths[end].clone()));
    }
}

#[test]
fn checks_find_a_path_and_the_handshake_takes_it() {
    let mut net = Net::new();
    agree_on_all(&mut net, 0);
    net.run(Duration::from_secs(1));
    assert_eq!((net.ends[0].path, net.ends[1].path), (Some(at(2)), Some(at(1))));
    assert!(net.share_keys());
    // The path is kept under watch, and nothing else happens.
    let sent = net.sent;
    net.run(Duration::from_secs(60));
    assert!((10..200).contains(&(net.sent - sent)), "{} datagrams", net.sent - sent);
    assert!(net.ends.iter().all(|end| end.failed.is_none() && end.keys.len() == 1));
}

#[test]
fn checks_that_are_lost_are_sent_again() {
    for seed in 1..=10_u64 {
        let mut net = Net::new();
        let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        net.loses = Box::new(move |_, _, _| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 33) % 10 < 3
        });
        agree_on_all(&mut net, 0);
        net.run(Duration::from_secs(25));
        assert!(net.share_keys() && net.ends.iter().all(|end| end.path.is_some()), "seed {seed}");
    }
}

#[test]
fn a_peer_whose_address_is_translated_is_found_by_its_checks() {
    for hidden in [0, 1] {
        let mut net = Net::new();
        let outside = SocketAddr::from(([203, 0, 113, 9], 40_001));
        let inside = SocketAddr::from(([10, 0, 0, 2], 5000));
        net.ends[hidden].here = inside;
        net.seen_as[hidden] = outside;
        agree_on_all(&mut net, 0);
        net.run(Duration::from_secs(3));
        assert!(net.share_keys(), "{hidden}");
        assert_eq!(net.ends[1 - hidden].path, Some(outside));
    }
}

fn agree_on_paths(net: &mut Net, paths: [IceParameters; 2]) {
    for (end, (role, paths)) in
        [DtlsRole::Server, DtlsRole::Client].into_iter().zip(paths).enumerate()
    {
        let fingerprints = vec![net.ends[1 - end].fingerprint()];
        net.agree(end, Some(DtlsParameters { role, fingerprints }), Some(paths));
    }
}

#[test]
fn where_only_ipv6_connects_that_is_the_way() {
    let mut net = Net::new();
    let six = |host: u16| SocketAddr::from(([0xfd99, 0, 0, 0, 0, 0, 0, host], 5000));
    for (end, host) in [(0, 1), (1, 2)] {
        (net.ends[end].here, net.seen_as[end]) = (six(host), six(host));
    }
    // Addresses of IPv4 are told too, of which none is there.
    let dead = |host| vec![Candidate::new(CandidateKind::Host, at(host), None)];
    let mut paths = ice(&net, 0, &[dead(1), dead(2)]);
    for path in &mut paths {
        path.candidates.reverse();
    }
    agree_on_paths(&mut net, paths);
    net.run(Duration::from_secs(1));
    assert_eq!((net.ends[0].path, net.ends[1].path), (Some(six(2)), Some(six(1))));
    assert!(net.share_keys());
}

/// An offer without candidates, the rest of which never comes (half trickle towards us, RFC 8838, 16), and an answer of
/// that kind; also behind address translation and where checks are lost.
#[test]
fn an_end_that_tells_no_address_is_found_by_its_checks() {
    for (silent, hidden, lossy) in
        [(0, false, false), (1, false, false), (0, true, false), (1, true, true)]
    {
        let mut net = Net::new();
        if hidden {
            net.ends[silent].here = SocketAddr::from(([10, 0, 0, 2], 5000));
            net.seen_as[silent] = SocketAddr::from(([203, 0, 113, 9], 40_001));
        }
        if lossy {
            net.loses = Box::new(|_, n, _| n % 3 == 0);
        }
        let mut paths = ice(&net, 0, &[Vec::new(), Vec::new()]);
        paths[1 - silent].candidates.clear();
        agree_on_paths(&mut net, paths);
        net.run(Duration::from_secs(5));
        assert_eq!(net.ends[1 - silent].path, Some(net.seen_as[silent]), "{silent} {hidden}");
        assert!(net.share_keys() && net.ends.iter().all(|end| end.failed.is_none()));
    }
}

/// Those that come later, in another description of the same session, are taken.
#[test]
fn addresses_told_later_are_taken() {
    let mut net = Net::new();
    let mut first = ice(&net, 0, &[Vec::new(), Vec::new()]);
    for path in &mut first {
        path.candidates.clear();
    }
    agree_on_paths(&mut net, first);
    net.run(Duration::from_secs(2));
    assert_eq!((net.ends[0].path, net.ends[1].path), (None, None));
    let all = ice(&net, 0, &[Vec::new(), Vec::new()]);
    agree_on_paths(&mut net, all);
    net.run(Duration::from_secs(2));
    assert_eq!((net.ends[0].path, net.ends[1].path), (Some(at(2)), Some(at(1))));
    assert!(net.share_keys());
}

/// What a STUN server answers.
fn seen(request: &[u8], from: SocketAddr) -> Vec<u8> {
    use rtc_stun::message::{BINDING_SUCCESS, Message};
    use rtc_stun::xoraddr::XorMappedAddress;
    let mut asked = Message { raw: request.to_vec(), ..Message::default() };
    asked.decode().unwrap();
    let mut answer = Message::new();
    let address = XorMappedAddress { ip: from.ip(), port: from.port() };
    let id = asked.transaction_id;
    answer.build(&[Box::new(BINDING_SUCCESS), Box::new(id), Box::new(address)]).unwrap();
    answer.raw
}

/// Asks one server what the stream's own port is seen as.
fn asks_one(here: SocketAddr) -> Input<'static> {
    let plan = Plan { here, others: Vec::new(), stun: vec![at(77)], relays: Vec::new() };
    Input::Gather(plan)
}

#[test]
fn a_server_tells_the_address_that_the_world_sees() {
    let outside = SocketAddr::from(([203, 0, 113, 9], 40_001));
    let mut net = Net::new();
    let end = &mut net.ends[0].transport;
    end.handle_input(net.now, asks_one(at(1)));
    let Some(Output::Send { to, data, .. }) = end.poll_output() else { panic!("no question") };
    assert_eq!(to, at(77));
    // From elsewhere, or to another question, it is no answer.
    let answer = seen(&data, outside);
    end.handle_input(net.now, Input::Datagram { link: None, from: at(78), data: &answer });
    let mut other = data;
    other[10] ^= 1;
    let wrong = seen(&other, outside);
    end.handle_input(net.now, Input::Datagram { link: None, from: at(77), data: &wrong });
    assert_eq!(end.poll_output(), None);
    end.handle_input(net.now, Input::Datagram { link: None, from: at(77), data: &answer });
    let found = vec![
        Candidate::new(CandidateKind::Host, at(1), None),
        Candidate::new(CandidateKind::ServerReflexive, outside, Some(at(1))),
    ];
    assert_eq!(end.poll_output(), Some(Output::Gathered(found)));
    assert_eq!(end.poll_timeout(), None);
}

#[test]
fn a_server_that_is_silent_costs_a_second() {
    let mut net = Net::new();
    net.ends[0].transport.handle_input(net.now, asks_one(at(1)));
    net.collect(0);
    net.run(Duration::from_millis(900));
    assert_eq!((net.sent, net.ends[0].gathered.len()), (4, 0));
    net.run(Duration::from_millis(200));
    let own = Candidate::new(CandidateKind::Host, at(1), None);
    assert_eq!(net.ends[0].gathered, [vec![own]]);
}

#[test]
fn without_any_path_the_call_fails() {
    let mut net = Net::new();
    net.loses = Box::new(|_, _, _| true);
    agree_on_all(&mut net, 0);
    net.run(Duration::from_secs(31));
    assert!(net.ends.iter().all(|end| end.failed == Some(Failure::NoPath)));
}

#[test]
fn a_path_that_dies_is_noticed() {
    let mut net = Net::new();
    agree_on_all(&mut net, 0);
    net.run(Duration::from_secs(5));
    net.loses = Box::new(|_, _, _| true);
    net.run(Duration::from_secs(20));
    assert!(net.ends.iter().all(|end| end.failed.is_none()), "a tunnel is not the end");
    net.run(Duration::from_secs(25));
    assert!(net.ends.iter().all(|end| end.failed == Some(Failure::NoPath)));
    // Should one of them come back from elsewhere, the keys still hold.
    net.loses = Box::new(|_, _, _| false);
    net.ends[1].here = at(9);
    net.seen_as[1] = at(9);
    agree_on_all(&mut net, 1);
    net.run(Duration::from_secs(1));
    assert_eq!(net.ends[0].path, Some(at(9)));
    assert!(net.share_keys() && net.ends.iter().all(|end| end.keys.len() == 1));
}

#[test]
fn a_restart_finds_the_new_path_and_keeps_the_keys() {
    let mut net = Net::new();
    agree_on_all(&mut net, 0);
    net.run(Duration::from_secs(1));
    net.ends[1].here = at(9);
    net.seen_as[1] = at(9);
    agree_on_all(&mut net, 1);
    net.run(Duration::from_secs(1));
    assert_eq!((net.ends[0].path, net.ends[1].path), (Some(at(9)), Some(at(1))));
    assert!(net.share_keys() && net.ends.iter().all(|end| end.keys.len() == 1));
}

#[test]
fn checks_without_proof_change_nothing() {
    let mut net = Net::new();
    agree_on_all(&mut net, 0);
    // The checks of another session reach ours, from many places.
    let mut other = Net::new();
    let kept = std::rc::Rc::new(std::cell::RefCell::new(Vec::new()));
    let keep = std::rc::Rc::clone(&kept);
    other.loses = Box::new(move |_, _, data| {
        keep.borrow_mut().push(data.to_vec());
        true
    });
    agree_on_all(&mut other, 1);
    other.run(Duration::from_millis(200));
    let forged = kept.take();
    assert!(!forged.is_empty());
    for (port, data) in (1..=1_000).zip(forged.iter().cycle()) {
        let from = SocketAddr::from(([198, 51, 100, 1], port));
        for end in &mut net.ends {
            end.transport.handle_input(net.now, Input::Datagram { link: None, from, data });
        }
    }
    for end in 0..2 {
        net.collect(end);
    }
    assert!(net.sent < 100, "{} datagrams", net.sent);
    net.run(Duration::from_secs(1));
    assert!(net.share_keys());
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(64))]

    #[test]
    fn hostile_datagrams_end_nothing(
        datagrams in proptest::collection::vec(proptest::collection::vec(proptest::num::u8::ANY, 0..200), 0..40),
        kinds in proptest::collection::vec(proptest::sample::select(vec![0_u8, 1, 20, 21, 22, 23]), 40),
    ) {
        let mut net = Net::new();
        agree_on_all(&mut net, 0);
        for (mut data, kind) in datagrams.into_iter().zip(kinds) {
            if let Some(first) = data.first_mut() {
                *first = kind;
            }
            if let Some(version) = data.get_mut(1..3).filter(|_| kind >= 20) {
                version.copy_from_slice(&[254, 253]);
            }
            for end in 0..2 {
                let from = net.ends[1 - end].here;
                net.ends[end].transport.handle_input(net.now, Input::Datagram { link: None, from, data: &data });
                net.collect(end);
            }
        }
        net.run(Duration::from_secs(2));
    }
}

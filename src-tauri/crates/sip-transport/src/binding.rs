//! Keeping NAT bindings of UDP flows open, and noticing when one is gone (RFC 5626 section 4.4.2).
//!
//! Inputs from the owner: targets to keep, supervised or not, and to let go. Inputs from the
//! network: datagrams that may be STUN. Inputs from the clock: the keep-alive interval and the
//! retransmissions of a binding request.
//!
//! ```text
//! must answer:  idle --interval--> asking --answer--> idle (address learned)
//!                ^                   |  5.5 s without answer
//!                +---- told once ----+
//! if it does:   the same once it has answered; the first time without an answer -> kept
//! kept:         idle --interval--> idle (CRLF CRLF sent)
//! ```

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use rtc_stun::attributes::ATTR_MAPPED_ADDRESS;
use rtc_stun::message::{
    BINDING_ERROR, BINDING_REQUEST, BINDING_SUCCESS, Getter, MAGIC_COOKIE, Message, TransactionId,
};
use rtc_stun::xoraddr::XorMappedAddress;
use sip_core::Random;

use crate::Watch;

/// The first wait for an answer, doubled with each further one (RFC 5389 section 7.2.1).
const RTO: Duration = Duration::from_millis(500);

/// How often a request is sent: at 0, 0.5, 1.5 and 3.5 s.
const SENDS: u32 = 4;

/// How long after the last one the flow counts as lost.
const LAST_WAIT: Duration = Duration::from_secs(2);

/// The most an interval is longer than configured, so that not all phones of a company ask at once.
const SPREAD_MILLIS: u64 = 4_000;

const CRLF_CRLF: &[u8] = b"\r\n\r\n";

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Output {
    /// Send this datagram.
    Send { to: SocketAddr, payload: Vec<u8> },
    /// The flow is gone: nothing comes back from there. Told once, until it answers again.
    Lost(SocketAddr),
}

/// The address we are seen at from a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mapped {
    pub(crate) target: SocketAddr,
    pub(crate) address: SocketAddr,
    /// What it was before; `None` the first time.
    pub(crate) before: Option<SocketAddr>,
}

/// All kept UDP flows.
#[derive(Debug)]
pub(crate) struct Bindings {
    interval: Duration,
    random: Random,
    flows: HashMap<SocketAddr, Flow>,
}

#[derive(Debug)]
struct Flow {
    watch: Watch,
    /// It is asked by STUN; otherwise it gets empty lines.
    asked: bool,
    /// It has answered.
    answers: bool,
    /// When the next keep-alive is due.
    due: Instant,
    asking: Option<Asking>,
    mapped: Option<SocketAddr>,
    lost: bool,
}

#[derive(Debug)]
struct Asking {
    id: TransactionId,
    sends: u32,
    /// When to send again or give up.
    next: Instant,
}

impl Bindings {
    pub(crate) fn new(interval: Duration, random: Random) -> Self {
        Self { interval, random, flows: HashMap::new() }
    }

    /// Keeps the flow to `target`; the first keep-alive is due at once.
    pub(crate) fn keep(&mut self, now: Instant, target: SocketAddr, watch: Watch) {
        let asked = watch != Watch::Unwatched;
        let new = Flow {
            watch,
            asked,
            answers: false,
            due: now,
            asking: None,
            mapped: None,
            lost: false,
        };
        let flow = self.flows.entry(target).or_insert(new);
        if flow.watch != watch {
            (flow.watch, flow.asked) = (watch, asked);
            flow.asking = None;
            flow.due = now;
        }
    }

    pub(crate) fn let_go(&mut self, target: SocketAddr) {
        self.flows.remove(&target);
    }

    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        let next = |flow: &Flow| flow.asking.as_ref().map_or(flow.due, |asking| asking.next);
        self.flows.values().map(next).min()
    }

    pub(crate) fn handle_timeout(&mut self, now: Instant) -> Vec<Output> {
        let mut outputs = Vec::new();
        for (target, flow) in &mut self.flows {
            let spread = Duration::from_millis(self.random.between(0, SPREAD_MILLIS));
            match &mut flow.asking {
                Some(asking)
                    if asking.next <= now
                        && asking.sends >= SENDS
                        && flow.watch == Watch::IfAnswered
                        && !flow.answers =>
                {
                    tracing::debug!("UDP:{target} asking, no answer -> kept");
                    (flow.asking, flow.asked, flow.due) = (None, false, now);
                }
                Some(asking) if asking.next <= now && asking.sends >= SENDS => {
                    flow.asking = None;
                    if !flow.lost {
                        tracing::debug!("UDP:{target} asking, no answer -> idle, lost");
                        outputs.push(Output::Lost(*target));
                    }
                    flow.lost = true;
                    flow.mapped = None;
                }
                Some(asking) if asking.next <= now => {
                    asking.sends += 1;
                    let last = asking.sends == SENDS;
                    let wait = if last { LAST_WAIT } else { RTO * (1 << (asking.sends - 1)) };
                    asking.next = now + wait;
                    outputs.extend(
                        request(asking.id).map(|payload| Output::Send { to: *target, payload }),
                    );
                }
                None if flow.due <= now && flow.asked => {
                    flow.due = now + self.interval + spread;
                    let id = transaction_id(&mut self.random);
                    flow.asking = Some(Asking { id, sends: 1, next: now + RTO });
                    outputs
                        .extend(request(id).map(|payload| Output::Send { to: *target, payload }));
                }
                None if flow.due <= now => {
                    flow.due = now + self.interval;
                    outputs.push(Output::Send { to: *target, payload: CRLF_CRLF.to_vec() });
                }
                _ => {}
            }
        }
        outputs
    }

    /// A datagram that [`is_stun`]. Only the answer to an open request of ours from whom it went to
    /// counts. Gives the address we are seen at when that is new.
    pub(crate) fn handle_input(&mut self, from: SocketAddr, bytes: &[u8]) -> Option<Mapped> {
        let flow = self.flows.get_mut(&from)?;
        let asking = flow.asking.as_ref()?;
        let (id, address) = answer(bytes)?;
        if id != asking.id {
            tracing::debug!("UDP:{from}: a STUN answer to no question was dropped");
            return None;
        }
        flow.asking = None;
        flow.lost = false;
        flow.answers = true;
        let address = address?;
        let before = flow.mapped.replace(address);
        if before == Some(address) {
            return None;
        }
        tracing::debug!("UDP:{from} asking, answer -> idle, seen at {address}");
        Some(Mapped { target: from, address, before })
    }
}

/// Whether a datagram is STUN and no SIP (RFC 5389 section 6): SIP begins with a letter.
pub(crate) fn is_stun(bytes: &[u8]) -> bool {
    let first = bytes.first().is_some_and(|first| first & 0xc0 == 0);
    first && bytes.len() >= 20 && bytes.get(4..8) == Some(&MAGIC_COOKIE.to_be_bytes()[..])
}

fn transaction_id(random: &mut Random) -> TransactionId {
    let mut id = [0; 12];
    for chunk in id.chunks_mut(4) {
        chunk.copy_from_slice(&random.u32().to_be_bytes());
    }
    TransactionId(id)
}

fn request(id: TransactionId) -> Option<Vec<u8>> {
    let mut message = Message::new();
    message.build(&[Box::new(BINDING_REQUEST), Box::new(id)]).ok()?;
    Some(message.raw)
}

/// The transaction a binding answer belongs to, and the address in it. An error answer shows that
/// the flow is alive, and no address.
fn answer(bytes: &[u8]) -> Option<(TransactionId, Option<SocketAddr>)> {
    let mut message = Message::new();
    message.unmarshal_binary(bytes).ok()?;
    match message.typ {
        BINDING_SUCCESS => {}
        BINDING_ERROR => return Some((message.transaction_id, None)),
        _ => return None,
    }
    let mut mapped = XorMappedAddress::default();
    if mapped.get_from(&message).is_ok() {
        return Some((message.transaction_id, Some(SocketAddr::new(mapped.ip, mapped.port))));
    }
    // What servers of RFC 3489 give.
    let mut plain = rtc_stun::addr::MappedAddress::default();
    let plain = message
        .contains(ATTR_MAPPED_ADDRESS)
        .then(|| plain.get_from(&message).is_ok().then_some(plain))
        .flatten();
    Some((message.transaction_id, plain.map(|plain| SocketAddr::new(plain.ip, plain.port))))
}

/// What a peer may send us as the answer to a binding request: never a panic. For the fuzz target.
#[doc(hidden)]
pub fn read_binding_answer(bytes: &[u8]) -> Option<SocketAddr> {
    if !is_stun(bytes) {
        return None;
    }
    answer(bytes).and_then(|(_, address)| address)
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;
    use std::time::{Duration, Instant};

    use rtc_stun::message::{
        BINDING_ERROR, BINDING_REQUEST, BINDING_SUCCESS, Message, MessageType, Setter,
    };
    use rtc_stun::xoraddr::XorMappedAddress;
    use sip_core::Random;

    use super::{Bindings, Mapped, Output, is_stun, read_binding_answer};
    use crate::Watch;

    const INTERVAL: Duration = Duration::from_secs(25);
    const MILLI: Duration = Duration::from_millis(1);

    #[expect(clippy::disallowed_methods, reason = "the start of a test's virtual time")]
    fn start() -> Instant {
        Instant::now()
    }

    fn server() -> SocketAddr {
        "192.0.2.1:5060".parse().unwrap()
    }

    fn seen(last: u16) -> SocketAddr {
        SocketAddr::new("203.0.113.9".parse().unwrap(), last)
    }

    fn kept(now: Instant) -> Bindings {
        let mut bindings = Bindings::new(INTERVAL, Random::from_seed([5; 32]));
        bindings.keep(now, server(), Watch::Watched);
        bindings
    }

    fn request_in(outputs: &[Output]) -> Message {
        let [Output::Send { to, payload }] = outputs else { panic!("{outputs:?}") };
        assert_eq!(*to, server());
        assert!(is_stun(payload));
        let mut message = Message::new();
        message.unmarshal_binary(payload).unwrap();
        assert_eq!(message.typ, BINDING_REQUEST);
        message
    }

    fn answer_to(request: &Message, typ: MessageType, address: Option<SocketAddr>) -> Vec<u8> {
        let mut message = Message::new();
        message.build(&[Box::new(typ), Box::new(request.transaction_id)]).unwrap();
        if let Some(address) = address {
            XorMappedAddress { ip: address.ip(), port: address.port() }
                .add_to(&mut message)
                .unwrap();
        }
        message.raw
    }

    #[test]
    fn our_address_is_learned_and_a_change_is_told() {
        let mut now = start();
        let mut bindings = kept(now);
        let mut told = Vec::new();
        for port in [4000, 4000, 4001] {
            let request = request_in(&bindings.handle_timeout(now));
            let answer = answer_to(&request, BINDING_SUCCESS, Some(seen(port)));
            told.extend(bindings.handle_input(server(), &answer));
            assert_eq!(bindings.handle_input(server(), &answer), None, "a repeated answer");
            let next = bindings.poll_timeout().unwrap();
            assert!(next >= now + INTERVAL && next <= now + INTERVAL + Duration::from_secs(4));
            now = next;
        }
        let target = server();
        let first = Mapped { target, address: seen(4000), before: None };
        let second = Mapped { target, address: seen(4001), before: Some(seen(4000)) };
        assert_eq!(told, [first, second]);
    }

    #[test]
    fn a_silent_flow_is_lost_within_seconds_and_told_once() {
        let begin = start();
        let mut bindings = kept(begin);
        let (mut sent, mut lost) = (Vec::new(), Vec::new());
        let mut now = begin;
        while now < begin + Duration::from_secs(60) {
            for output in bindings.handle_timeout(now) {
                match output {
                    Output::Send { .. } => sent.push(now.duration_since(begin).as_millis()),
                    Output::Lost(target) => lost.push((target, now.duration_since(begin))),
                }
            }
            now = bindings.poll_timeout().unwrap();
        }
        assert_eq!(sent.get(..4), Some(&[0, 500, 1500, 3500][..]));
        assert_eq!(lost, [(server(), Duration::from_millis(5500))]);
        // It answers again, and is lost again: told again.
        let request = request_in(&bindings.handle_timeout(now));
        bindings.handle_input(server(), &answer_to(&request, BINDING_ERROR, None));
        let mut again = 0;
        let end = now + Duration::from_secs(60);
        while now < end {
            let outputs = bindings.handle_timeout(now);
            again += outputs.iter().filter(|output| matches!(output, Output::Lost(_))).count();
            now = bindings.poll_timeout().unwrap();
        }
        assert_eq!(again, 1);
    }

    #[test]
    fn only_the_answer_to_our_question_counts() {
        let now = start();
        let mut bindings = kept(now);
        let request = request_in(&bindings.handle_timeout(now));
        let good = answer_to(&request, BINDING_SUCCESS, Some(seen(1)));
        assert_eq!(bindings.handle_input(seen(9), &good), None, "from elsewhere");
        assert_eq!(bindings.handle_input(server(), &request.raw), None, "a request");
        let mut other = good.clone();
        other[19] ^= 1;
        assert_eq!(bindings.handle_input(server(), &other), None, "another transaction");
        for len in 0..good.len() {
            assert_eq!(bindings.handle_input(server(), &good[..len]), None, "cut at {len}");
        }
        assert!(bindings.handle_input(server(), &good).is_some());
        assert_eq!(read_binding_answer(&good), Some(seen(1)));
    }

    /// What happens within a minute: what is sent as STUN, as empty lines, and how often it is lost.
    fn minute(bindings: &mut Bindings, now: &mut Instant) -> (usize, usize, usize) {
        let end = *now + Duration::from_secs(60);
        let (mut stun, mut lines, mut lost) = (0, 0, 0);
        while *now < end {
            for output in bindings.handle_timeout(*now) {
                match output {
                    Output::Send { payload, .. } if is_stun(&payload) => stun += 1,
                    Output::Send { .. } => lines += 1,
                    Output::Lost(_) => lost += 1,
                }
            }
            *now = bindings.poll_timeout().unwrap();
        }
        (stun, lines, lost)
    }

    #[test]
    fn whoever_has_answered_must_go_on_answering_and_nobody_else() {
        let mut now = start();
        let mut bindings = Bindings::new(INTERVAL, Random::from_seed([6; 32]));
        bindings.keep(now, server(), Watch::IfAnswered);
        // It knows no STUN: it is asked once and then only kept.
        let (stun, lines, lost) = minute(&mut bindings, &mut now);
        assert_eq!((stun, lost), (4, 0));
        assert!(lines >= 2, "{lines}");
        bindings.keep(now, server(), Watch::IfAnswered);
        assert_eq!(minute(&mut bindings, &mut now).0, 0, "not asked again for no reason");
        // The same kind of server, but one that answers.
        bindings.let_go(server());
        bindings.keep(now, server(), Watch::IfAnswered);
        let request = request_in(&bindings.handle_timeout(now));
        let answer = answer_to(&request, BINDING_SUCCESS, Some(seen(7)));
        assert!(bindings.handle_input(server(), &answer).is_some());
        assert_eq!(minute(&mut bindings, &mut now).2, 1, "told once that it fell silent");
    }

    #[test]
    fn an_unsupervised_flow_gets_empty_lines() {
        let now = start();
        let mut bindings = Bindings::new(INTERVAL, Random::from_seed([5; 32]));
        bindings.keep(now, server(), Watch::Unwatched);
        let empty = Output::Send { to: server(), payload: b"\r\n\r\n".to_vec() };
        assert_eq!(bindings.handle_timeout(now), std::slice::from_ref(&empty));
        assert_eq!(bindings.poll_timeout(), Some(now + INTERVAL));
        assert_eq!(bindings.handle_timeout(now + INTERVAL - MILLI), []);
        assert_eq!(bindings.handle_timeout(now + INTERVAL), [empty]);
        bindings.let_go(server());
        assert_eq!(bindings.poll_timeout(), None);
    }

    #[test]
    fn sip_is_not_taken_for_stun() {
        assert!(!is_stun(b"OPTIONS sip:a@example.com SIP/2.0\r\n\r\n"));
        assert!(!is_stun(b"\r\n\r\n"));
        assert!(!is_stun(&[0; 40]));
    }
}

//! Turns, overload and failover in virtual time.

use std::time::{Duration, Instant};

use sip_core::Random;

use super::{Lane, QueueOutput, RequestQueue, Ticket};
use crate::{
    HttpAnswer, HttpFailure, HttpRequest, Method, Origin, Path, XsiError, limits,
    session::RequestNumber,
};

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn request(method: Method, word: &'static str) -> HttpRequest {
    HttpRequest::action(method, Path::new("user").word(word))
}

fn answer(status: u16) -> HttpAnswer {
    HttpAnswer { status, ..HttpAnswer::default() }
}

struct Pair {
    queue: RequestQueue,
    now: Instant,
    sent: Vec<(RequestNumber, String, String)>,
    done: Vec<(u64, Result<u16, XsiError>)>,
    tickets: u64,
}

impl Pair {
    fn new(servers: usize) -> Self {
        let mut queue = RequestQueue::new(Random::from_seed([9; 32]));
        queue.set_servers(
            (1..=servers).map(|n| Origin::secure(&format!("xsp{n}.pbx.example"), 443)).collect(),
        );
        #[expect(clippy::disallowed_methods, reason = "the origin of virtual time")]
        let now = Instant::now();
        Self { queue, now, sent: Vec::new(), done: Vec::new(), tickets: 0 }
    }

    fn drain(&mut self) {
        self.queue.advance(self.now, usize::MAX);
        while let Some(output) = self.queue.poll_output() {
            match output {
                QueueOutput::Send { request, origin, http, .. } => {
                    self.sent.push((request, origin.host, http.path.as_str().to_owned()));
                }
                QueueOutput::Done { ticket, result } => {
                    self.done.push((ticket.0, result.map(|answer| answer.status)));
                }
            }
        }
    }

    fn submit(&mut self, lane: Lane, http: HttpRequest) {
        self.tickets += 1;
        self.queue.submit(self.now, Ticket(self.tickets), lane, http);
        self.drain();
    }

    fn answer(&mut self, index: usize, result: Result<HttpAnswer, HttpFailure>) {
        let (request, ..) = self.sent.remove(index);
        self.queue.answered(self.now, request, result);
        self.drain();
    }

    fn pass(&mut self, time: Duration) {
        self.now += time;
        self.drain();
    }

    fn words(&self) -> Vec<&str> {
        self.sent.iter().map(|(_, _, path)| path.rsplit('/').next().unwrap()).collect()
    }
}

#[test]
fn a_person_goes_before_the_background_and_few_are_under_way() {
    let mut pair = Pair::new(1);
    for _ in 0..5 {
        pair.submit(Lane::Background, request(Method::Get, "slow"));
    }
    assert_eq!(pair.words(), ["slow", "slow"]);
    for _ in 0..3 {
        pair.submit(Lane::Interactive, request(Method::Put, "now"));
    }
    assert_eq!(pair.words(), ["slow", "slow", "now", "now"]);
    pair.answer(0, Ok(answer(200)));
    assert_eq!(pair.words(), ["slow", "now", "now", "now"]);
    pair.answer(1, Ok(answer(404)));
    assert_eq!(pair.words(), ["slow", "now", "now", "slow"]);
    assert_eq!(pair.done, [(1, Ok(200)), (6, Ok(404))]);
}

#[test]
fn an_overloaded_server_gets_nothing_until_it_asks_for_it_and_then_one_at_a_time() {
    let mut pair = Pair::new(1);
    pair.submit(Lane::Background, request(Method::Get, "page"));
    let busy = HttpAnswer { retry_after: Some(seconds(10)), ..answer(503) };
    pair.answer(0, Ok(busy));
    pair.submit(Lane::Background, request(Method::Get, "next"));
    // A change is not kept for a time when nobody expects it any more.
    pair.submit(Lane::Interactive, request(Method::Post, "call"));
    assert!(matches!(pair.done.as_slice(), [(3, Err(XsiError::Overloaded { .. }))]));
    pair.pass(seconds(9));
    assert!(pair.sent.is_empty());
    pair.pass(seconds(2));
    assert_eq!(pair.words(), ["page"]);
    pair.answer(0, Ok(answer(200)));
    assert_eq!(pair.words(), ["next"]);
}

#[test]
fn repeated_overload_waits_ever_longer_and_ends_in_an_error() {
    let mut pair = Pair::new(1);
    pair.submit(Lane::Background, request(Method::Get, "page"));
    let start = pair.now;
    let mut sent = 0;
    while pair.done.is_empty() {
        if pair.sent.is_empty() {
            let at = pair.queue.poll_timeout().unwrap();
            pair.pass(at - pair.now);
        } else {
            sent += 1;
            pair.answer(0, Ok(answer(503)));
        }
        assert!(sent < 20, "not a storm");
    }
    assert!(matches!(pair.done[0], (1, Err(XsiError::Overloaded { .. }))), "{:?}", pair.done);
    assert!(pair.now - start > seconds(60) && sent >= 5, "{sent} in {:?}", pair.now - start);
}

#[test]
fn a_change_that_meets_overload_is_told_or_repeated_at_once() {
    let mut pair = Pair::new(1);
    pair.submit(Lane::Interactive, request(Method::Post, "call"));
    pair.answer(0, Ok(answer(503)));
    pair.pass(seconds(2));
    assert_eq!(pair.words(), ["call"], "a second of waiting is no harm");
    let busy = HttpAnswer { retry_after: Some(seconds(30)), ..answer(503) };
    pair.answer(0, Ok(busy));
    let (1, Err(XsiError::Overloaded { retry_after: Some(wait) })) = &pair.done[0] else {
        panic!("{:?}", pair.done);
    };
    assert!(*wait >= seconds(30));
}

#[test]
fn the_next_server_is_asked_when_one_cannot_be_reached() {
    let mut pair = Pair::new(2);
    pair.submit(Lane::Interactive, request(Method::Post, "call"));
    assert_eq!(pair.sent[0].1, "xsp1.pbx.example");
    pair.answer(0, Err(HttpFailure::Unreachable));
    assert_eq!(pair.sent[0].1, "xsp2.pbx.example", "it was never sent, so it may be sent again");
    pair.answer(0, Ok(answer(201)));
    pair.submit(Lane::Interactive, request(Method::Get, "calls"));
    assert_eq!(pair.sent[0].1, "xsp2.pbx.example");
    pair.answer(0, Err(HttpFailure::Unreachable));
    pair.answer(0, Err(HttpFailure::Unreachable));
    assert_eq!(pair.done[1], (2, Err(XsiError::Http(HttpFailure::Unreachable))));
}

#[test]
fn a_change_whose_fate_is_unknown_is_never_sent_again() {
    let mut pair = Pair::new(2);
    pair.submit(Lane::Interactive, request(Method::Post, "call"));
    pair.answer(0, Err(HttpFailure::Timeout));
    assert_eq!(pair.done, [(1, Err(XsiError::Http(HttpFailure::Timeout)))]);
    pair.submit(Lane::Interactive, request(Method::Get, "calls"));
    pair.answer(0, Err(HttpFailure::Broken));
    assert_eq!(pair.words(), ["calls"], "reading once more does no harm");
    pair.answer(0, Err(HttpFailure::Broken));
    assert_eq!(pair.done.len(), 2);
}

#[test]
fn redirections_end() {
    let mut pair = Pair::new(1);
    pair.submit(Lane::Interactive, request(Method::Get, "calls"));
    for _ in 0..4 {
        let location = Some("https://xsp9.pbx.example/round".to_owned());
        pair.answer(0, Ok(HttpAnswer { location, ..answer(302) }));
    }
    assert_eq!(pair.done, [(1, Ok(302))]);
}

#[test]
fn the_queue_is_bounded_and_waiting_ends() {
    let mut pair = Pair::new(0);
    for _ in 0..=limits::REQUESTS {
        pair.submit(Lane::Interactive, request(Method::Get, "calls"));
    }
    assert_eq!(pair.done, [(pair.tickets, Err(XsiError::Full))]);
    pair.done.clear();
    pair.pass(seconds(20));
    assert_eq!(pair.done.len(), limits::REQUESTS);
    assert!(pair.done.iter().all(|(_, result)| *result == Err(XsiError::Expired)));
}

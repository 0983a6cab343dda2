//! Whatever users do and the network loses, delays or reorders: every session ends with exactly
//! one `Ended`, and nothing is left over.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]

mod net;

use net::{Net, sdp};
use proptest::prelude::*;
use sip_types::StatusCode;
use sip_ua::{Event, SessionId, UaError, UserAgent};

#[derive(Clone, Debug)]
enum Action {
    Dial(bool),
    Ring,
    Progress,
    Accept,
    Reject,
    Hangup(usize),
    Reoffer(usize),
    RequestOffer(usize),
    AnswerReoffer(usize),
    RejectReoffer(usize),
    ProvideAnswer(usize),
    Info(usize),
    Partition(bool),
}

fn action() -> impl Strategy<Value = Action> {
    prop_oneof![
        3 => any::<bool>().prop_map(Action::Dial),
        2 => Just(Action::Ring),
        1 => Just(Action::Progress),
        4 => Just(Action::Accept),
        1 => Just(Action::Reject),
        2 => (0..2usize).prop_map(Action::Hangup),
        3 => (0..2usize).prop_map(Action::Reoffer),
        1 => (0..2usize).prop_map(Action::RequestOffer),
        4 => (0..2usize).prop_map(Action::AnswerReoffer),
        1 => (0..2usize).prop_map(Action::RejectReoffer),
        2 => (0..2usize).prop_map(Action::ProvideAnswer),
        1 => (0..2usize).prop_map(Action::Info),
        1 => any::<bool>().prop_map(Action::Partition),
    ]
}

/// Sessions of a node that have begun and not ended.
fn open(net: &Net, node: usize, dialled: &[SessionId]) -> Vec<SessionId> {
    let history = &net.nodes[node].history;
    let incoming = history.iter().filter_map(|event| match event {
        Event::Incoming(incoming) => Some(incoming.session),
        _ => None,
    });
    let ended = |id: &SessionId| {
        history.iter().any(|e| matches!(e, Event::Ended { session, .. } if session == id))
    };
    let own = if node == 0 { dialled } else { &[] };
    own.iter().copied().chain(incoming).filter(|id| !ended(id)).collect()
}

fn each(
    net: &mut Net,
    node: usize,
    dialled: &[SessionId],
    f: impl Fn(&mut UserAgent, std::time::Instant, SessionId) -> Result<(), UaError>,
) {
    for id in open(net, node, dialled) {
        // Refused where the state does not allow it: that is part of the game.
        let _ = net.act(node, |ua, now| f(ua, now, id));
    }
}

fn perform(net: &mut Net, dialled: &mut Vec<SessionId>, action: &Action) {
    match action {
        Action::Dial(offer) => {
            let body = offer.then(|| sdp("offer"));
            let id = net.dial(0, 1, body);
            dialled.push(id);
        }
        Action::Ring => each(net, 1, dialled, |ua, now, id| ua.ring(now, id)),
        Action::Progress => each(net, 1, dialled, |ua, now, id| ua.progress(now, id, None)),
        Action::Accept => {
            each(net, 1, dialled, |ua, now, id| ua.accept(now, id, Some(sdp("answer"))));
        }
        Action::Reject => {
            each(net, 1, dialled, |ua, now, id| ua.reject(now, id, StatusCode::BUSY_HERE));
        }
        Action::Hangup(node) => each(net, *node, dialled, |ua, now, id| ua.hangup(now, id)),
        Action::Reoffer(node) => {
            each(net, *node, dialled, |ua, now, id| ua.reoffer(now, id, sdp("change")));
        }
        Action::RequestOffer(node) => {
            each(net, *node, dialled, |ua, now, id| ua.request_offer(now, id));
        }
        Action::AnswerReoffer(node) => each(net, *node, dialled, |ua, now, id| {
            ua.answer_reoffer(now, id, Some(sdp("changed")))
        }),
        Action::RejectReoffer(node) => each(net, *node, dialled, |ua, now, id| {
            ua.reject_reoffer(now, id, StatusCode::NOT_ACCEPTABLE_HERE)
        }),
        Action::ProvideAnswer(node) => {
            each(net, *node, dialled, |ua, now, id| ua.provide_answer(now, id, sdp("late")));
        }
        Action::Info(node) => each(net, *node, dialled, |ua, now, id| {
            let content_type = "application/dtmf-relay".to_owned();
            let body = sip_ua::Body { content_type, bytes: b"Signal=1".to_vec() };
            ua.info(now, id, body)
        }),
        Action::Partition(on) => {
            net.filter = on.then(|| Box::new(|_, _: &sip_types::Message| true) as _);
        }
    }
}

/// Everybody hangs up until everybody has.
fn wind_up(net: &mut Net, dialled: &[SessionId]) {
    net.filter = None;
    net.loss = 0;
    for _ in 0..4 {
        for node in 0..2 {
            each(net, node, dialled, |ua, now, id| ua.hangup(now, id));
        }
        net.run(70_000);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn every_session_ends_once(
        actions in prop::collection::vec((0..3000u64, action()), 1..40),
        loss in 0..50u64,
        latency in 1..900u64,
        seed in any::<u8>(),
    ) {
        let mut net = Net::pair(seed);
        net.loss = loss;
        net.latency = (1, latency);
        let mut dialled = Vec::new();
        for (pause, action) in &actions {
            perform(&mut net, &mut dialled, action);
            net.run(*pause);
        }
        wind_up(&mut net, &dialled);
        net.assert_quiet();
        for node in 0..2 {
            prop_assert!(open(&net, node, &dialled).is_empty(), "{} has open calls", node);
            let history = &net.nodes[node].history;
            for (at, event) in history.iter().enumerate() {
                if let Event::Ended { session, .. } = event {
                    let after = format!("{:?}", &history[at + 1..]);
                    let name = format!("session: {session:?},");
                    prop_assert!(!after.contains(&name), "{session} goes on after its end");
                }
            }
        }
    }
}

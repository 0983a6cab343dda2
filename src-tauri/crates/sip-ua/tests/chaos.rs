//! Whatever users do and the network loses, delays or reorders: every session ends with exactly
//! one `Ended`, and nothing is left over.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]

mod net;

use std::collections::BTreeMap;

use net::{Net, sdp};
use proptest::prelude::*;
use sip_types::StatusCode;
use sip_ua::{Event, Refer, ReferralId, Reliable, SessionId, SessionTimer, UaError, UserAgent};

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
    Early,
    AnswerEarly,
    Update(usize, bool),
    Refer(usize, bool),
    AcceptReferral(usize),
    RejectReferral(usize),
    Report(usize, u16),
    Wait(u64),
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
        2 => Just(Action::Early),
        2 => Just(Action::AnswerEarly),
        2 => (0..2usize, any::<bool>()).prop_map(|(node, body)| Action::Update(node, body)),
        2 => (0..2usize, any::<bool>()).prop_map(|(node, silent)| Action::Refer(node, silent)),
        2 => (0..2usize).prop_map(Action::AcceptReferral),
        1 => (0..2usize).prop_map(Action::RejectReferral),
        2 => (0..2usize, prop_oneof![Just(180), Just(200), Just(486)])
            .prop_map(|(node, code)| Action::Report(node, code)),
        1 => (1..200u64).prop_map(Action::Wait),
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

fn perform_early(net: &mut Net, world: &World, action: &Action) {
    let dialled = &world.dialled;
    match action {
        Action::Early => {
            each(net, 1, dialled, |ua, now, id| ua.progress(now, id, Some(sdp("early"))));
        }
        Action::AnswerEarly => answer_early(net, dialled),
        Action::Update(node, body) => {
            each(net, *node, dialled, |ua, now, id| {
                ua.update(now, id, body.then(|| sdp("update")))
            });
        }
        Action::Wait(seconds) => net.run(seconds * 1000),
        _ => {}
    }
}

/// What the test itself has begun.
#[derive(Default)]
struct World {
    dialled: Vec<SessionId>,
    /// How many REFERs were sent in each session of each node.
    referred: BTreeMap<(usize, SessionId), usize>,
}

fn perform(net: &mut Net, world: &mut World, action: &Action) {
    let dialled = &mut world.dialled;
    match action {
        Action::Early | Action::AnswerEarly | Action::Update(..) | Action::Wait(_) => {
            perform_early(net, world, action);
        }
        Action::Refer(node, silent) => transfer(net, world, *node, *silent),
        Action::AcceptReferral(node) => {
            each_referral(net, *node, |ua, now, id| ua.accept_referral(now, id));
        }
        Action::RejectReferral(node) => {
            let status = StatusCode::FORBIDDEN;
            each_referral(net, *node, |ua, now, id| ua.reject_referral(now, id, status));
        }
        Action::Report(node, code) => {
            let status = StatusCode::new(*code).unwrap();
            each_referral(net, *node, |ua, now, id| ua.report_referral(now, id, status));
        }
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

/// REFERs that have come to a node, whatever became of them.
fn referrals(net: &Net, node: usize) -> Vec<ReferralId> {
    let history = net.nodes[node].history.iter();
    let asked = history.filter_map(|event| match event {
        Event::ReferRequested(request) => Some(request.id),
        _ => None,
    });
    asked.collect()
}

fn each_referral(
    net: &mut Net,
    node: usize,
    f: impl Fn(&mut UserAgent, std::time::Instant, ReferralId) -> Result<(), UaError>,
) {
    for id in referrals(net, node) {
        let _ = net.act(node, |ua, now| f(ua, now, id));
    }
}

fn transfer(net: &mut Net, world: &mut World, node: usize, silent: bool) {
    let target = net::uri("sip:carol@192.0.2.9");
    for id in open(net, node, &world.dialled) {
        let refer = Refer { no_subscription: silent, ..Refer::new(target.clone()) };
        if net.act(node, |ua, now| ua.refer(now, id, refer)).is_ok() {
            *world.referred.entry((node, id)).or_default() += 1;
        }
    }
}

fn answer_early(net: &mut Net, dialled: &[SessionId]) {
    let offers: Vec<_> = net.nodes[0]
        .history
        .iter()
        .filter_map(|event| match event {
            Event::EarlyOffer { session, early_dialog, .. } => Some((*session, *early_dialog)),
            _ => None,
        })
        .filter(|(session, _)| dialled.contains(session))
        .collect();
    for (session, early) in offers {
        let _ = net.act(0, |ua, now| ua.answer_early(now, session, early, sdp("early answer")));
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
        net.run(250_000);
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
        settings in (0..9usize, 0..9usize),
    ) {
        let mut net = Net::new(seed);
        let reliable = [Reliable::Off, Reliable::Supported, Reliable::Required];
        let timers = [SessionTimer::Off, SessionTimer::Supported, SessionTimer::Always];
        for (name, pick) in [("alice", settings.0), ("bob", settings.1)] {
            net.add_agent(name, |config| {
                config.reliable = reliable[pick % 3];
                config.session_timer = timers[pick / 3];
                config.session_expires = 90;
            });
        }
        net.loss = loss;
        net.latency = (1, latency);
        let mut world = World::default();
        for (pause, action) in &actions {
            perform(&mut net, &mut world, action);
            net.run(*pause);
        }
        let World { dialled, referred } = world;
        wind_up(&mut net, &dialled);
        for ((node, id), count) in &referred {
            let terminal = net.nodes[*node].history.iter().filter(|event| matches!(
                event,
                Event::ReferProgress { session, progress } if session == id && progress.is_terminal()
            ));
            prop_assert_eq!(terminal.count(), *count, "each transfer has one end");
        }
        net.assert_quiet();
        for node in 0..2 {
            prop_assert!(open(&net, node, &dialled).is_empty(), "{} has open calls", node);
            let history = &net.nodes[node].history;
            for (at, event) in history.iter().enumerate() {
                if let Event::Ended { session, .. } = event {
                    let after = history[at + 1..].iter();
                    let told = |event: &&Event| !matches!(event, Event::ReferProgress { .. });
                    let after = format!("{:?}", after.filter(told).collect::<Vec<_>>());
                    let name = format!("session: {session:?},");
                    prop_assert!(!after.contains(&name), "{session} goes on after its end");
                }
            }
        }
    }
}

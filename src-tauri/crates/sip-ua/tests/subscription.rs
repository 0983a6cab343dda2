//! Subscriptions against a scripted notifier.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]

mod net;

use net::{Net, uri};
use secrecy::SecretString;
use sip_core::digest::Credentials;
use sip_types::{HeaderName, Message, Request, Response, StatusCode};
use sip_ua::{
    AcceptFrom, Body, Event, Subscribe, SubscriptionCause, SubscriptionId, SubscriptionState,
    UaError,
};

const PHONE: usize = 0;
const PBX: usize = 1;

/// A telephone at 192.0.2.1 and a notifier at 192.0.2.2.
fn setting(seed: u8) -> Net {
    let mut net = Net::new(seed);
    net.add_agent("phone", |config| {
        config.registrar = uri("sip:192.0.2.2");
        config.credentials = Some(Credentials {
            username: "101".to_owned(),
            password: SecretString::from("secret".to_owned()),
        });
    });
    net.add_script("pbx");
    net
}

fn wish() -> Subscribe {
    Subscribe::new(uri("sip:102@192.0.2.2"), "dialog", &["application/dialog-info+xml"])
}

fn subscribe(net: &mut Net, wish: Subscribe) -> SubscriptionId {
    let account = net.nodes[PHONE].account;
    net.act(PHONE, |ua, now| ua.subscribe(now, account, wish)).unwrap()
}

fn next_request(net: &mut Net) -> Request {
    net.run(100);
    net.requests(PBX).pop().expect("a request")
}

fn reply(net: &mut Net, request: &Request, code: u16, headers: &[(HeaderName, &str)]) {
    let mut response = Response::to_request(request, StatusCode::new(code).unwrap());
    response.set_to_tag("pbx");
    for (name, value) in headers {
        response.headers.push(name.clone(), *value);
    }
    net.send_response(PBX, PHONE, response);
}

fn grant(net: &mut Net, request: &Request, seconds: &str) {
    reply(net, request, 200, &[(HeaderName::Expires, seconds)]);
}

/// A NOTIFY for the subscription that `request` asked for, from the notifier with this tag.
fn notify(net: &mut Net, request: &Request, tag: &str, seq: u32, state: &str, more: &str) {
    let headers = &request.headers;
    let local = headers.from().unwrap();
    let mut to = headers.to().unwrap();
    to.params.remove("tag");
    let text = format!(
        "NOTIFY sip:phone@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.2;branch=z9hG4bK{tag}{seq}\r\n\
         Max-Forwards: 70\r\nFrom: {to};tag={tag}\r\nTo: {local}\r\nCall-ID: {}\r\n\
         CSeq: {seq} NOTIFY\r\nContact: <sip:192.0.2.2>\r\nEvent: {}\r\n\
         Subscription-State: {state}\r\n{more}",
        headers.call_id().unwrap(),
        headers.get(&HeaderName::Event).unwrap(),
    );
    let text = if more.contains("\r\n\r\n") { text } else { text + "\r\n" };
    net.send(PBX, PHONE, text.into_bytes());
    net.run(100);
}

fn answers(net: &mut Net) -> Vec<u16> {
    net.run(100);
    net.responses(PBX).iter().map(|response| response.status.code()).collect()
}

fn states(net: &mut Net) -> Vec<SubscriptionState> {
    let events = net.events(PHONE).into_iter().filter_map(|event| match event {
        Event::Subscription { state, .. } => Some(state),
        _ => None,
    });
    events.collect()
}

/// Subscribed, granted and active.
fn active(net: &mut Net, wish: Subscribe) -> (SubscriptionId, Request) {
    let id = subscribe(net, wish);
    let request = next_request(net);
    grant(net, &request, "600");
    notify(net, &request, "pbx", 1, "active;expires=600", "");
    assert_eq!(answers(net), [200]);
    let active = SubscriptionState::Active { expires: 600 };
    assert_eq!(states(net), [SubscriptionState::Pending, active]);
    (id, request)
}

const CHALLENGE: (HeaderName, &str) = (
    HeaderName::WwwAuthenticate,
    "Digest realm=\"example.test\", nonce=\"n1\", algorithm=MD5, qop=\"auth\"",
);

#[test]
fn subscribed_refreshed_and_left() {
    let mut net = setting(1);
    let id = subscribe(&mut net, wish());
    let first = next_request(&mut net);
    reply(&mut net, &first, 401, &[CHALLENGE]);
    let signed = next_request(&mut net);
    assert!(signed.headers.contains(&HeaderName::Authorization));
    grant(&mut net, &signed, "600");
    let body = "Content-Type: application/dialog-info+xml\r\nContent-Length: 2\r\n\r\nhi";
    notify(&mut net, &signed, "pbx", 1, "active;expires=600", body);
    let seen = net.events(PHONE);
    assert!(seen.iter().any(|event| matches!(
        event,
        Event::Notified { id: told, event, content_type, body, .. }
            if *told == id && event == "dialog" && content_type == "application/dialog-info+xml"
                && body == b"hi"
    )));
    net.requests(PBX);
    net.run(450_000);
    assert!(net.requests(PBX).is_empty(), "refreshed too early");
    net.run(52_000);
    let refresh = net.requests(PBX).pop().expect("a refresh");
    assert_eq!(refresh.headers.to().unwrap().tag(), Some("pbx"), "inside the dialog");
    assert_eq!(refresh.uri.as_str(), "sip:192.0.2.2");
    grant(&mut net, &refresh, "600");
    notify(&mut net, &signed, "pbx", 2, "active;expires=600", "");
    assert!(states(&mut net).is_empty(), "a refresh is no news");
    net.requests(PBX);
    net.act(PHONE, |ua, now| ua.unsubscribe(now, id)).unwrap();
    let last = next_request(&mut net);
    assert_eq!(last.headers.expires().unwrap(), Some(0));
    grant(&mut net, &last, "0");
    notify(&mut net, &signed, "pbx", 3, "terminated;reason=timeout", "");
    let cause = SubscriptionCause::Unsubscribed;
    assert_eq!(states(&mut net), [SubscriptionState::Ended { cause }]);
    insta::assert_snapshot!("subscribed_refreshed_and_left", net.ladder());
    net.run(100_000);
    net.assert_quiet();
}

#[test]
fn the_notify_may_come_before_the_answer() {
    let mut net = setting(2);
    subscribe(&mut net, wish());
    let request = next_request(&mut net);
    notify(&mut net, &request, "pbx", 1, "active;expires=90", "");
    assert_eq!(answers(&mut net), [200]);
    assert_eq!(states(&mut net).pop(), Some(SubscriptionState::Active { expires: 90 }));
    grant(&mut net, &request, "600");
    net.run(80_000);
    let refresh = net.requests(PBX).pop().expect("refreshed by what the NOTIFY granted");
    assert_eq!(refresh.headers.to().unwrap().tag(), Some("pbx"));
}

#[test]
fn a_fork_is_refused_or_kept() {
    let mut net = setting(3);
    let (_, request) = active(&mut net, wish());
    notify(&mut net, &request, "other", 1, "active;expires=600", "");
    assert_eq!(answers(&mut net), [481]);
    let mut net = setting(3);
    let wish = Subscribe { all_forks: true, ..wish() };
    let (id, request) = active(&mut net, wish);
    notify(&mut net, &request, "other", 1, "active;expires=600", "");
    assert_eq!(answers(&mut net), [200]);
    assert!(
        net.history_has(PHONE, |e| matches!(e, Event::Notified { id: told, .. } if *told == id))
    );
    net.act(PHONE, |ua, now| ua.unsubscribe(now, id)).unwrap();
    net.run(100);
    let leaving = net.requests(PBX);
    let tag = |request: &Request| request.headers.to().unwrap().tag().unwrap().to_owned();
    let mut tags: Vec<String> = leaving.iter().map(tag).collect();
    tags.sort();
    assert_eq!(tags, ["other", "pbx"], "both are taken back");
    net.run(40_000);
    assert_eq!(net.nodes[PHONE].agent.as_ref().unwrap().subscription_count(), 0);
}

#[test]
fn each_reason_of_a_termination_has_its_way() {
    // (Subscription-State, seconds after which another SUBSCRIBE comes at the earliest and latest)
    let again: [(&str, u64, u64); 6] = [
        ("terminated;reason=deactivated", 0, 1),
        ("terminated;reason=timeout", 0, 1),
        ("terminated;reason=probation;retry-after=60", 60, 62),
        ("terminated;reason=giveup;retry-after=20", 20, 22),
        ("terminated;reason=giveup", 1, 4),
        ("terminated", 1, 4),
    ];
    for (state, least, most) in again {
        let mut net = setting(4);
        let (_, request) = active(&mut net, wish());
        net.run(61_000);
        notify(&mut net, &request, "pbx", 2, state, "");
        assert_eq!(answers(&mut net), [200], "{state}");
        assert!(
            matches!(states(&mut net).pop(), Some(SubscriptionState::Retrying { .. })),
            "{state}"
        );
        net.run((least * 1000).saturating_sub(300));
        assert!(least == 0 || net.requests(PBX).is_empty(), "{state}: too early");
        net.run((most - least) * 1000 + 300);
        let anew = net.requests(PBX).pop().unwrap_or_else(|| panic!("{state}: never again"));
        assert!(anew.headers.to().unwrap().tag().is_none());
        assert_ne!(anew.headers.call_id().unwrap(), request.headers.call_id().unwrap());
    }
    for reason in ["rejected", "noresource", "invariant"] {
        let mut net = setting(5);
        let (id, request) = active(&mut net, wish());
        let state = format!("terminated;reason={reason}");
        notify(&mut net, &request, "pbx", 2, &state, "");
        let cause = SubscriptionCause::Terminated { reason: Some(reason.to_owned()) };
        assert_eq!(states(&mut net), [SubscriptionState::Ended { cause }]);
        net.run(600_000);
        assert!(net.requests(PBX).is_empty(), "{reason}");
        let gone = net.act(PHONE, |ua, now| ua.refresh_subscription(now, id));
        assert_eq!(gone, Err(UaError::UnknownSubscription));
    }
}

#[test]
fn a_server_that_deactivates_for_ever_is_not_hammered() {
    let mut net = setting(6);
    subscribe(&mut net, wish());
    let mut asked = 0;
    for _ in 0..6000 {
        net.run(100);
        for request in net.requests(PBX) {
            asked += 1;
            grant(&mut net, &request, "600");
            notify(&mut net, &request, "pbx", 1, "terminated;reason=deactivated", "");
        }
    }
    assert!((5..15).contains(&asked), "{asked} in ten minutes");
}

#[test]
fn refusals_are_final_and_trouble_is_not() {
    for (code, ends) in [(489, true), (403, true), (404, true), (480, false), (500, false)] {
        let mut net = setting(7);
        subscribe(&mut net, wish());
        let request = next_request(&mut net);
        reply(&mut net, &request, code, &[]);
        net.run(100);
        let state = states(&mut net).pop().unwrap();
        assert_eq!(matches!(state, SubscriptionState::Ended { .. }), ends, "{code}: {state:?}");
        net.run(10_000);
        assert_eq!(net.requests(PBX).is_empty(), ends, "{code}");
    }
}

#[test]
fn min_expires_and_retry_after_are_obeyed() {
    let mut net = setting(8);
    subscribe(&mut net, wish());
    let request = next_request(&mut net);
    reply(&mut net, &request, 423, &[(HeaderName::MinExpires, "1800")]);
    let again = next_request(&mut net);
    assert_eq!(again.headers.expires().unwrap(), Some(1800));
    reply(&mut net, &again, 503, &[(HeaderName::RetryAfter, "40")]);
    net.run(39_900);
    assert!(net.requests(PBX).is_empty(), "too early");
    net.run(2_000);
    assert!(!net.requests(PBX).is_empty());
}

#[test]
fn a_refresh_that_fails_spares_the_subscription_until_it_expires() {
    let mut net = setting(9);
    let (id, _) = active(&mut net, wish());
    net.act(PHONE, |ua, now| ua.refresh_subscription(now, id)).unwrap();
    let request = next_request(&mut net);
    reply(&mut net, &request, 500, &[]);
    net.run(100);
    assert!(states(&mut net).is_empty(), "it still stands");
    net.run(590_000);
    assert!(states(&mut net).is_empty());
    net.run(10_000);
    let seen = states(&mut net);
    let cause = SubscriptionCause::Expired;
    assert!(
        matches!(&seen[0], SubscriptionState::Retrying { cause: c, .. } if *c == cause),
        "{seen:?}"
    );
}

#[test]
fn a_server_that_forgot_us_is_asked_anew() {
    let mut net = setting(10);
    let (id, first) = active(&mut net, wish());
    net.run(61_000);
    net.act(PHONE, |ua, now| ua.refresh_subscription(now, id)).unwrap();
    let refresh = next_request(&mut net);
    reply(&mut net, &refresh, 481, &[]);
    net.run(1000);
    let anew = net.requests(PBX).pop().expect("a new subscription");
    assert_ne!(anew.headers.call_id().unwrap(), first.headers.call_id().unwrap());
    notify(&mut net, &first, "pbx", 9, "active", "");
    assert_eq!(answers(&mut net), [481], "the old dialog is gone");
}

#[test]
fn silence_after_the_answer_is_noticed() {
    let mut net = setting(11);
    subscribe(&mut net, wish());
    let request = next_request(&mut net);
    grant(&mut net, &request, "600");
    net.run(33_000);
    let cause = SubscriptionCause::NoNotify;
    assert!(matches!(
        states(&mut net).pop(),
        Some(SubscriptionState::Retrying { cause: c, .. }) if c == cause
    ));
}

#[test]
fn notifies_that_do_not_fit_are_refused() {
    let mut net = setting(12);
    let (_, request) = active(&mut net, wish());
    let mut other = request.clone();
    other.headers.set(HeaderName::Event, "presence");
    notify(&mut net, &other, "pbx", 2, "active", "");
    assert_eq!(answers(&mut net), [489]);
    notify(&mut net, &request, "pbx", 3, "active", "Require: eventlist\r\n");
    assert_eq!(answers(&mut net), [420]);
    notify(&mut net, &request, "pbx", 5, "active", "");
    notify(&mut net, &request, "pbx", 4, "terminated;reason=rejected", "");
    assert_eq!(answers(&mut net), [200, 500], "an older NOTIFY is late");
    let mut spoofed = request.clone();
    spoofed.headers.set(HeaderName::CallId, "guessed");
    notify(&mut net, &spoofed, "pbx", 6, "terminated;reason=rejected", "");
    assert_eq!(answers(&mut net), [481]);
    assert!(states(&mut net).is_empty());
}

#[test]
fn a_list_may_be_required() {
    let mut net = setting(13);
    let (_, request) = active(&mut net, Subscribe { event_list: true, ..wish() });
    assert_eq!(request.headers.supported(), ["eventlist"]);
    notify(&mut net, &request, "pbx", 2, "active", "Require: eventlist\r\n");
    assert_eq!(answers(&mut net), [200]);
}

#[test]
fn changes_go_one_after_the_other() {
    let mut net = setting(14);
    let (id, _) = active(&mut net, wish());
    for text in ["one", "two"] {
        let content_type = "application/x-as-feature-event+xml".to_owned();
        let body = Body { content_type, bytes: text.into() };
        net.act(PHONE, |ua, now| ua.change_subscription(now, id, body)).unwrap();
    }
    let first = next_request(&mut net);
    assert_eq!(first.body, b"one");
    grant(&mut net, &first, "600");
    let second = next_request(&mut net);
    assert_eq!(second.body, b"two");
    reply(&mut net, &second, 403, &[]);
    net.run(100);
    let done = net.events(PHONE).into_iter().filter_map(|event| match event {
        Event::SubscriptionChangeDone { status, .. } => status.map(StatusCode::code),
        _ => None,
    });
    assert_eq!(done.collect::<Vec<_>>(), [200, 403]);
}

#[test]
fn a_new_network_refreshes() {
    let mut net = setting(15);
    let (_, request) = active(&mut net, wish());
    net.act(PHONE, sip_ua::UserAgent::network_changed);
    net.run(600);
    let refresh = net.requests(PBX).pop().expect("a refresh");
    assert_eq!(refresh.headers.call_id().unwrap(), request.headers.call_id().unwrap());
}

#[test]
fn a_subscription_left_before_its_answer_is_taken_back() {
    let mut net = setting(16);
    let id = subscribe(&mut net, wish());
    let request = next_request(&mut net);
    net.act(PHONE, |ua, now| ua.unsubscribe(now, id)).unwrap();
    grant(&mut net, &request, "600");
    notify(&mut net, &request, "pbx", 1, "active;expires=600", "");
    let last = next_request(&mut net);
    assert_eq!(last.headers.expires().unwrap(), Some(0));
    net.run(70_000);
    assert_eq!(net.nodes[PHONE].agent.as_ref().unwrap().subscription_count(), 0);
    net.assert_quiet();
}

#[test]
fn unsolicited_summaries_are_taken_from_the_accounts_server_only() {
    let mut net = Net::new(17);
    let phone = net.add_agent("phone", |config| {
        config.registrar = uri("sip:192.0.2.2");
        config.accept_from = AcceptFrom::Registrar;
    });
    net.add_script("pbx");
    net.add_script("stranger");
    for (from, event) in [(1, "message-summary"), (1, "dialog"), (2, "message-summary")] {
        let text = format!(
            "NOTIFY sip:phone@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.{};branch=z9hG4bK{event}\r\n\
             Max-Forwards: 70\r\nFrom: <sip:vm@192.0.2.2>;tag=vm\r\nTo: <sip:phone@192.0.2.1>\r\n\
             Call-ID: u{event}{from}\r\nCSeq: 1 NOTIFY\r\nEvent: {event}\r\n\
             Content-Type: application/simple-message-summary\r\nContent-Length: 23\r\n\r\n\
             Messages-Waiting: yes\r\n",
            from + 1
        );
        net.send(from, phone, text.into_bytes());
        net.run(100);
    }
    let codes = |net: &mut Net, node| -> Vec<u16> {
        net.responses(node).iter().map(|response| response.status.code()).collect()
    };
    assert_eq!(codes(&mut net, 1), [200, 481]);
    assert_eq!(codes(&mut net, 2), [403]);
    let told = net.events(phone).into_iter().filter(|e| matches!(e, Event::Unsolicited { .. }));
    assert_eq!(told.count(), 1);
}

#[test]
fn what_cannot_be_subscribed_to_is_refused_at_once() {
    let mut net = setting(18);
    let account = net.nodes[PHONE].account;
    let tel = Subscribe { uri: uri("tel:102"), ..wish() };
    let odd = Subscribe { event: "two words".to_owned(), ..wish() };
    for (wish, error) in [(tel, UaError::BadTarget), (odd, UaError::BadEvent)] {
        let result = net.act(PHONE, |ua, now| ua.subscribe(now, account, wish));
        assert_eq!(result, Err(error));
    }
}

/// Whatever the network loses and the notifier answers: every subscription that is left ends once,
/// and nothing is left over.
#[test]
fn chaos_ends_every_subscription_once() {
    for seed in 0..60u8 {
        let mut net = setting(seed);
        net.loss = u64::from(seed % 40);
        net.latency = (1, 700);
        let mut open = Vec::new();
        let mut seq = 10;
        for turn in 0..60u32 {
            let drawn = net.random.between(0, 9);
            match drawn {
                0 | 1 => {
                    open.push(subscribe(&mut net, Subscribe { all_forks: drawn == 0, ..wish() }));
                }
                2 => drop(open.pop().map(|id| net.act(PHONE, |ua, now| ua.unsubscribe(now, id)))),
                3 => {
                    for id in &open {
                        let _ = net.act(PHONE, |ua, now| ua.refresh_subscription(now, *id));
                    }
                }
                4 => net.act(PHONE, sip_ua::UserAgent::network_changed),
                _ => {}
            }
            net.run(u64::from(turn % 7) * 300);
            for message in net.nodes[PBX].inbox.drain(..).collect::<Vec<_>>() {
                let Message::Request(request) = message else { continue };
                let codes = [200, 200, 200, 202, 401, 403, 423, 481, 489, 500, 503];
                let code = codes[usize::try_from(net.random.between(0, 10)).unwrap()];
                reply(&mut net, &request, code, &[(HeaderName::MinExpires, "900")]);
                let states =
                    ["active;expires=60", "pending", "active", "terminated;reason=timeout"];
                let state = states[usize::try_from(net.random.between(0, 3)).unwrap()];
                seq += 1;
                let tag = if net.random.between(0, 3) == 0 { "fork" } else { "pbx" };
                notify(&mut net, &request, tag, seq, state, "");
            }
        }
        net.loss = 0;
        let account = net.nodes[PHONE].account;
        net.act(PHONE, |ua, now| ua.remove_account(now, account)).unwrap();
        net.run(200_000);
        net.assert_quiet();
        assert_eq!(net.nodes[PHONE].agent.as_ref().unwrap().subscription_count(), 0, "seed {seed}");
        let history = &net.nodes[PHONE].history;
        let mut ended = std::collections::BTreeSet::new();
        for event in history {
            if let Event::Subscription { id, state } = event {
                assert!(!ended.contains(id), "{id} goes on after its end");
                if matches!(state, SubscriptionState::Ended { .. }) {
                    ended.insert(*id);
                }
            }
        }
        let begun = history
            .iter()
            .filter(|e| matches!(e, Event::Subscription { state: SubscriptionState::Pending, .. }));
        assert!(begun.count() >= ended.len());
    }
}

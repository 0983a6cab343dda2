//! Every rule of sections 4.1 and 4.2 in virtual time.

mod resent;

use std::time::{Duration, Instant};

use proptest::prelude::*;
use sip_core::Random;

use super::{
    ChannelNumber, Input, Output, Package, RequestNumber, Session, SessionConfig, SessionState,
    Standing, Subject,
};
use crate::{HttpAnswer, HttpFailure, HttpRequest, Method, Origin, XsiError, wire::EventData};

const NS: &str = "xmlns=\"http://schema.broadsoft.com/xsi\"";

/// A session and the server at its other side.
struct Pair {
    session: Session,
    start: Instant,
    now: Instant,
    outputs: Vec<Output>,
}

type Sent = (RequestNumber, Origin, Option<ChannelNumber>, HttpRequest, Option<String>);

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn servers() -> Vec<Origin> {
    ["xsp1.pbx.example", "xsp2.pbx.example"].iter().map(|host| Origin::secure(host, 443)).collect()
}

fn queue() -> Subject {
    Subject::user("support@pbx.example", Package::CallCenterQueue)
}

fn agent() -> Subject {
    Subject::user("jan@pbx.example", Package::CallCenterAgent)
}

fn answer(status: u16, body: &str) -> HttpAnswer {
    HttpAnswer { status, body: body.into(), ..HttpAnswer::default() }
}

/// An event of a queue, or its snapshot when there is no call.
fn event(id: &str, sequence: u32, subscription: &str, call: Option<&str>) -> String {
    let data = match call {
        Some(call) => format!(
            "<xsi:eventData xsi1:type=\"xsi:ACDCallAddedEvent\"><xsi:queueEntry><xsi:callId>{call}</xsi:callId>\
             </xsi:queueEntry><xsi:position>1</xsi:position></xsi:eventData>"
        ),
        None => "<xsi:eventData xsi1:type=\"xsi:ACDSubscriptionEvent\"/>".to_owned(),
    };
    envelope(id, sequence, subscription, &data)
}

fn envelope(id: &str, sequence: u32, subscription: &str, data: &str) -> String {
    format!(
        "<xsi:Event xsi1:type=\"xsi:SubscriptionEvent\" xmlns:xsi=\"http://schema.broadsoft.com/xsi\" \
         xmlns:xsi1=\"http://www.w3.org/2001/XMLSchema-instance\"><xsi:eventID>{id}</xsi:eventID>\
         <xsi:sequenceNumber>{sequence}</xsi:sequenceNumber><xsi:subscriptionId>{subscription}</xsi:subscriptionId>\
         <xsi:targetId>support@pbx.example</xsi:targetId>{data}</xsi:Event>"
    )
}

fn terminated(reason: &str) -> String {
    format!(
        "<xsi:Event xsi1:type=\"xsi:ChannelTerminatedEvent\" xmlns:xsi=\"http://schema.broadsoft.com/xsi\" \
         xmlns:xsi1=\"http://www.w3.org/2001/XMLSchema-instance\"><xsi:channelId>c1</xsi:channelId>\
         <xsi:reason>{reason}</xsi:reason></xsi:Event>"
    )
}

impl Pair {
    fn new() -> Self {
        let config = SessionConfig::new("jan@pbx.example", "set-1", "balie");
        #[expect(clippy::disallowed_methods, reason = "the origin of virtual time")]
        let now = Instant::now();
        let session = Session::new(config, Random::from_seed([5; 32]));
        Self { session, start: now, now, outputs: Vec::new() }
    }

    fn input(&mut self, input: Input) {
        self.session.handle_input(self.now, input);
        self.outputs.extend(std::iter::from_fn(|| self.session.poll_output()));
    }

    /// Time passes, timer by timer; with heart-beats answered and their echo on the channel if `alive`.
    fn pass(&mut self, time: Duration, alive: bool) {
        let end = self.now + time;
        while let Some(at) = self.session.poll_timeout().filter(|&at| at <= end) {
            self.now = self.now.max(at);
            self.session.handle_timeout(self.now);
            self.outputs.extend(std::iter::from_fn(|| self.session.poll_output()));
            if alive {
                self.beat();
            }
        }
        self.now = end;
    }

    fn beat(&mut self) {
        for (request, _, pinned, http, _) in self.sent() {
            if http.target().ends_with("/heartbeat") {
                self.reply(request, 200, "");
                if let Some(channel) = pinned {
                    self.bytes(channel, &format!("<ChannelHeartBeat {NS}/>"));
                }
            } else {
                self.put_back(request, &http, pinned);
            }
        }
    }

    fn put_back(
        &mut self,
        request: RequestNumber,
        http: &HttpRequest,
        pinned: Option<ChannelNumber>,
    ) {
        let origin = Origin::secure("xsp1.pbx.example", 443);
        self.outputs.push(Output::Send {
            request,
            origin,
            pinned,
            http: http.clone(),
            target: None,
        });
    }

    /// Why there was no channel.
    fn troubles(&self) -> Vec<XsiError> {
        let why = |output: &Output| match output {
            Output::Trouble { why, .. } => Some(why.clone()),
            _ => None,
        };
        self.outputs.iter().filter_map(why).collect()
    }

    /// Takes the requests out of what has been put out.
    fn sent(&mut self) -> Vec<Sent> {
        let mut sent = Vec::new();
        self.outputs.retain(|output| match output {
            Output::Send { request, origin, pinned, http, target } => {
                sent.push((*request, origin.clone(), *pinned, http.clone(), target.clone()));
                false
            }
            _ => true,
        });
        sent
    }

    /// Takes the one request whose path ends so.
    fn one(&mut self, method: Method, end: &str) -> Sent {
        let mut found = Vec::new();
        for sent in self.sent() {
            let path = sent.3.path.as_str();
            if sent.3.method == method && (path.ends_with(end) || path.contains(end)) {
                found.push(sent);
            } else {
                self.put_back(sent.0, &sent.3, sent.2);
            }
        }
        assert_eq!(found.len(), 1, "{method:?} {end}: {found:?}, {:?}", self.outputs);
        found.remove(0)
    }

    fn reply(&mut self, request: RequestNumber, status: u16, body: &str) {
        self.input(Input::Answered { request, result: Ok(answer(status, body)) });
    }

    fn bytes(&mut self, channel: ChannelNumber, text: &str) {
        self.input(Input::ChannelBytes { channel, bytes: text.into() });
    }

    fn opened(&mut self) -> Vec<(ChannelNumber, Origin, Option<String>)> {
        let mut opened = Vec::new();
        self.outputs.retain(|output| match output {
            Output::Open { channel, origin, target, .. } => {
                opened.push((*channel, origin.clone(), target.clone()));
                false
            }
            _ => true,
        });
        opened
    }

    fn open(&mut self) -> (ChannelNumber, Origin) {
        let opened = self.opened();
        assert_eq!(opened.len(), 1, "{opened:?}");
        (opened[0].0, opened[0].1.clone())
    }

    fn grant(&mut self, channel: ChannelNumber, id: &str, expires: u32) {
        self.input(Input::ChannelAnswered { channel, answer: answer(200, "") });
        self.bytes(
            channel,
            &format!("<?xml version=\"1.0\"?><Channel {NS}><channelId>{id}</channelId><expires>{expires}</expires></Channel>"),
        );
    }

    /// A live session with these subjects, nothing of which existed before.
    fn live(subjects: &[Subject]) -> (Self, ChannelNumber) {
        Self::live_for(subjects, 7200)
    }

    fn live_for(subjects: &[Subject], expires: u32) -> (Self, ChannelNumber) {
        let mut pair = Self::new();
        for subject in subjects {
            pair.input(Input::Watch(subject.clone()));
        }
        pair.input(Input::Start(servers()));
        let (channel, _) = pair.open();
        pair.grant(channel, "c1", expires);
        let list = pair.one(Method::Get, "subscription");
        pair.reply(list.0, 200, &format!("<SubscriptionList {NS}/>"));
        for (n, create) in pair.sent().into_iter().enumerate() {
            pair.created(create.0, &format!("s{}", n + 1));
        }
        pair.outputs.retain(|output| matches!(output, Output::Send { .. }));
        (pair, channel)
    }

    /// Another channel, on which the subscription to the queue still exists.
    fn reopened(&mut self) -> (ChannelNumber, Origin) {
        let (channel, origin) = self.open();
        self.grant(channel, "c2", 7200);
        let list = self.one(Method::Get, "subscription");
        let body = format!(
            "<SubscriptionList {NS}><subscription><subscriptionId>s1</subscriptionId><targetId>support@pbx.example</targetId>\
             <event>Call Center Queue</event><channelSetId>set-1</channelSetId></subscription></SubscriptionList>"
        );
        self.reply(list.0, 200, &body);
        (channel, origin)
    }

    fn created(&mut self, request: RequestNumber, id: &str) {
        let body = format!(
            "<Subscription {NS}><subscriptionId>{id}</subscriptionId><expires>86400</expires></Subscription>"
        );
        self.reply(request, 200, &body);
    }

    fn acknowledged(&mut self) -> Vec<String> {
        let mut bodies = Vec::new();
        for (request, _, pinned, http, _) in self.sent() {
            if http.path.as_str() == "channel/eventresponse" {
                assert!(pinned.is_some(), "acknowledgements reach the host of the stream");
                bodies.push(http.body.clone().unwrap());
                self.reply(request, 200, "");
            } else {
                self.put_back(request, &http, pinned);
            }
        }
        bodies
    }

    fn told(&mut self) -> Vec<EventData> {
        let mut told = Vec::new();
        self.outputs.retain(|output| match output {
            Output::Told { data, .. } => {
                told.push(data.clone());
                false
            }
            _ => true,
        });
        told
    }

    fn states(&self) -> Vec<SessionState> {
        let state = |output: &Output| match output {
            Output::State(state) => Some(*state),
            _ => None,
        };
        self.outputs.iter().filter_map(state).collect()
    }

    fn standings(&self) -> Vec<Standing> {
        let standing = |output: &Output| match output {
            Output::Standing { standing, .. } => Some(*standing),
            _ => None,
        };
        self.outputs.iter().filter_map(standing).collect()
    }
}

#[test]
fn the_channel_comes_first_and_what_exists_is_listed_before_anything_is_created() {
    let mut pair = Pair::new();
    pair.input(Input::Watch(queue()));
    pair.input(Input::Start(servers()));
    assert!(pair.sent().is_empty(), "nothing is sent without a channel");
    let open = pair.outputs.iter().find_map(|output| match output {
        Output::Open { request, .. } => Some(request.clone()),
        _ => None,
    });
    let open = open.unwrap();
    assert_eq!((open.method, open.target().as_str()), (Method::Post, "/v2.0/channel"));
    let body = open.body.unwrap();
    for part in [
        "<channelSetId>set-1</channelSetId>",
        "<priority>1</priority>",
        "<weight>50</weight>",
        "<expires>7200</expires>",
        "<applicationId>balie</applicationId>",
    ] {
        assert!(body.contains(part), "{body}");
    }
    let (channel, origin) = pair.open();
    assert_eq!(origin.host, "xsp1.pbx.example");
    pair.grant(channel, "c1", 7200);
    let list = pair.one(Method::Get, "subscription");
    assert_eq!(list.3.target(), "/v2.0/subscription?subscriberId=jan%40pbx.example&extAppId=balie");
    pair.reply(list.0, 200, &format!("<SubscriptionList {NS}/>"));
    let create = pair.one(Method::Post, "user/support@pbx.example");
    let body = create.3.body.unwrap();
    assert!(body.contains(
        "<event>Call Center Queue</event><expires>86400</expires><channelSetId>set-1</channelSetId>"
    ));
    pair.created(create.0, "s1");
    assert_eq!(pair.states(), [SessionState::Connecting, SessionState::Live]);
    assert_eq!(pair.standings(), [Standing::Subscribed]);
}

#[test]
fn subscriptions_that_exist_are_taken_over_and_unwanted_ones_end() {
    let mut pair = Pair::new();
    pair.input(Input::Watch(queue()));
    pair.input(Input::Start(servers()));
    let (channel, _) = pair.open();
    pair.grant(channel, "c1", 7200);
    let list = pair.one(Method::Get, "subscription");
    let one = |id: &str, set: &str, package: &str| {
        format!(
            "<subscription><subscriptionId>{id}</subscriptionId><targetIdType>User</targetIdType>\
             <targetId>Support@pbx.example</targetId><event>{package}</event><expires>100</expires>\
             <channelSetId>{set}</channelSetId><applicationId>balie</applicationId></subscription>"
        )
    };
    let all = [
        one("mine", "set-1", "Call Center Queue"),
        one("old", "set-1", "Call Center Monitoring"),
        one("left", "set-2", "Call Center Queue"),
        one("others", "set-3", "Call Center Queue").replace(">balie<", ">lamps<"),
    ];
    pair.reply(list.0, 200, &format!("<SubscriptionList {NS}>{}</SubscriptionList>", all.concat()));
    let delete = pair.one(Method::Delete, "subscription/old");
    assert_eq!(delete.3.target(), "/v2.0/subscription/old");
    // What this program left there when it ended without a word; no two of it live at a time.
    pair.one(Method::Delete, "subscription/left");
    // Taken over, and asked to tell all of its state again.
    let renew = pair.one(Method::Put, "subscription/mine");
    assert!(renew.3.body.unwrap().contains("<expires>86400</expires>"));
    assert!(pair.sent().is_empty(), "nothing is created, and others' are left alone");
    pair.bytes(channel, &event("e1", 9, "mine", None));
    assert_eq!(pair.told().len(), 1);
}

#[test]
fn a_server_that_cannot_list_is_no_hindrance() {
    let mut pair = Pair::new();
    pair.input(Input::Watch(queue()));
    pair.input(Input::Start(servers()));
    let (channel, _) = pair.open();
    pair.grant(channel, "c1", 7200);
    let list = pair.one(Method::Get, "subscription");
    pair.reply(list.0, 404, "");
    pair.one(Method::Post, "user/support@pbx.example");
}

#[test]
fn every_event_is_acknowledged_and_those_of_unknown_subscriptions_with_481() {
    let (mut pair, channel) = Pair::live(&[queue()]);
    pair.bytes(channel, &event("e1", 1, "s1", None));
    pair.bytes(channel, &event("e2", 2, "s1", Some("callhalf-1:0")));
    let unreadable =
        envelope("e3", 3, "s1", "<xsi:eventData xsi1:type=\"xsi:ACDCallAddedEvent\"/>");
    pair.bytes(channel, &unreadable);
    pair.bytes(channel, &event("e4", 1, "nobodys", None));
    let bodies = pair.acknowledged();
    assert_eq!(bodies.len(), 4);
    for (body, (id, status)) in
        bodies.iter().zip([("e1", 200), ("e2", 200), ("e3", 200), ("e4", 481)])
    {
        let expected = format!("<eventID>{id}</eventID><statusCode>{status}</statusCode>");
        assert!(body.contains(&expected), "{body}");
    }
    assert_eq!(pair.told().len(), 2);
    // What could not be read is lost, so all is asked for.
    pair.one(Method::Put, "subscription/s1");
}

#[test]
fn acknowledgements_are_few_at_a_time_and_sent_again() {
    let (mut pair, channel) = Pair::live(&[queue()]);
    let many: String = (1..=10).map(|n| event(&format!("e{n}"), n, "s1", Some("c:0"))).collect();
    pair.bytes(channel, &many);
    let sent = pair.sent();
    assert_eq!(sent.len(), 8);
    let request = sent[0].0;
    pair.input(Input::Answered { request, result: Err(HttpFailure::Timeout) });
    assert!(pair.sent().is_empty());
    pair.pass(seconds(1), true);
    let again = pair.sent();
    assert_eq!(again.len(), 1, "{again:?}");
    assert!(again[0].3.body.as_ref().unwrap().contains("<eventID>e1</eventID>"));
}

#[test]
fn an_event_that_overtakes_the_answer_to_its_subscription_is_kept() {
    let mut pair = Pair::new();
    pair.input(Input::Watch(queue()));
    pair.input(Input::Start(servers()));
    let (channel, _) = pair.open();
    pair.grant(channel, "c1", 7200);
    let list = pair.one(Method::Get, "subscription");
    pair.reply(list.0, 200, &format!("<SubscriptionList {NS}/>"));
    let create = pair.one(Method::Post, "user/");
    pair.bytes(channel, &event("e1", 1, "s1", None));
    assert!(pair.acknowledged().is_empty() && pair.told().is_empty());
    pair.created(create.0, "s1");
    assert_eq!(pair.told().len(), 1);
    assert!(pair.acknowledged()[0].contains("<statusCode>200</statusCode>"));
}

#[test]
fn heart_beats_go_to_the_host_of_the_stream_in_time() {
    let (mut pair, channel) = Pair::live(&[]);
    let mut last = pair.now;
    for _ in 0..8 {
        while pair.outputs.is_empty() {
            let at = pair.session.poll_timeout().unwrap();
            pair.pass(at - pair.now, false);
        }
        let beat = pair.one(Method::Put, "channel/c1/heartbeat");
        assert_eq!(
            (beat.1.host.as_str(), beat.2, &beat.3.body),
            ("xsp1.pbx.example", Some(channel), &None)
        );
        assert!(pair.now - last <= seconds(15), "{:?}", pair.now - last);
        last = pair.now;
        pair.reply(beat.0, 200, "");
        pair.bytes(channel, "<ChannelHeartbeat/>\n");
        pair.outputs.clear();
    }
    assert_eq!(pair.session.state(), SessionState::Live);
}

#[test]
fn a_heart_beat_that_fails_is_tried_again_soon_and_then_the_channel_is_given_up() {
    let (mut pair, channel) = Pair::live(&[]);
    pair.pass(seconds(14), false);
    let beat = pair.one(Method::Put, "heartbeat");
    pair.input(Input::Answered { request: beat.0, result: Err(HttpFailure::Timeout) });
    pair.pass(seconds(3), false);
    let beat = pair.one(Method::Put, "heartbeat");
    pair.reply(beat.0, 500, "");
    let before = pair.now;
    pair.pass(seconds(20), false);
    assert!(pair.outputs.contains(&Output::Close(channel)));
    assert!(pair.states().contains(&SessionState::Lost));
    assert_eq!(pair.opened().len(), 1, "another one is opened within {:?}", pair.now - before);
}

#[test]
fn a_channel_that_the_server_does_not_know_is_opened_anew_and_told_all() {
    for status in [401, 404] {
        let (mut pair, channel) = Pair::live(&[queue()]);
        pair.pass(seconds(14), false);
        let beat = pair.one(Method::Put, "heartbeat");
        pair.reply(beat.0, status, "");
        assert!(pair.outputs.contains(&Output::Close(channel)));
        pair.pass(seconds(2), false);
        let (_, origin) = pair.reopened();
        assert_eq!(origin.host, "xsp1.pbx.example");
        pair.one(Method::Put, "subscription/s1");
        // What the old channel still brings is nobody's.
        pair.bytes(channel, &event("e9", 9, "s1", None));
        assert!(pair.told().is_empty());
    }
}

#[test]
fn a_channel_that_falls_silent_is_given_up_although_heart_beats_are_answered() {
    let (mut pair, channel) = Pair::live(&[]);
    let mut silent = Duration::ZERO;
    while !pair.outputs.contains(&Output::Close(channel)) {
        pair.pass(seconds(1), false);
        silent += seconds(1);
        for (request, _, _, http, _) in pair.sent() {
            if http.target().ends_with("heartbeat") {
                pair.reply(request, 200, "");
            }
        }
        assert!(silent <= seconds(60), "a dead stream is noticed within a minute");
    }
    // Two heart-beats have been answered without their echo.
    assert!(silent >= seconds(30), "{silent:?}");
    assert!(pair.troubles() == [XsiError::Http(HttpFailure::Timeout)]);
}

#[test]
fn a_channel_is_renewed_at_half_of_its_life_and_a_channel_for_ever_never() {
    let (mut pair, _) = Pair::live(&[]);
    pair.pass(seconds(3599), true);
    let renewed = |pair: &mut Pair| {
        let sent = pair.sent();
        sent.iter()
            .filter(|one| one.3.path.as_str() == "channel/c1")
            .map(|one| one.0)
            .collect::<Vec<_>>()
    };
    assert!(renewed(&mut pair).is_empty());
    pair.pass(seconds(2), true);
    let requests = renewed(&mut pair);
    assert_eq!(requests.len(), 1);
    pair.reply(requests[0], 200, &format!("<Channel {NS}><expires>3600</expires></Channel>"));
    pair.pass(seconds(1790), true);
    assert!(renewed(&mut pair).is_empty());
    pair.pass(seconds(20), true);
    assert_eq!(renewed(&mut pair).len(), 1, "the granted time counts");

    let mut pair = Pair::new();
    pair.input(Input::Start(servers()));
    let (channel, _) = pair.open();
    pair.grant(channel, "c1", 2_147_483_647);
    pair.pass(seconds(100_000), true);
    assert!(renewed(&mut pair).is_empty());
    assert_eq!(pair.session.state(), SessionState::Live);
}

#[test]
fn a_subscription_is_renewed_at_half_of_its_life() {
    let (mut pair, _) = Pair::live_for(&[queue()], 2_147_483_647);
    let renewals = |pair: &mut Pair| {
        let sent = pair.sent();
        let fits = |one: &&Sent| one.3.path.as_str() == "subscription/s1";
        sent.iter().filter(fits).map(|one| one.0).collect::<Vec<_>>()
    };
    for _ in 0..3 {
        pair.pass(seconds(43_190), true);
        assert!(renewals(&mut pair).is_empty());
        pair.pass(seconds(20), true);
        let requests = renewals(&mut pair);
        assert_eq!(requests.len(), 1);
        pair.reply(requests[0], 200, "");
    }
}

#[test]
fn another_program_with_the_same_user_ends_the_session_for_good() {
    let (mut pair, channel) = Pair::live(&[queue()]);
    pair.bytes(channel, &terminated("DuplicateChannelSet"));
    assert_eq!(pair.session.state(), SessionState::Elsewhere);
    assert!(pair.acknowledged().is_empty(), "the end of a channel is never acknowledged");
    pair.pass(seconds(100_000), false);
    assert!(pair.opened().is_empty() && pair.sent().is_empty(), "no loop");
    // The user may take the place back.
    pair.input(Input::Start(servers()));
    assert_eq!(pair.opened().len(), 1);
}

#[test]
fn the_end_of_a_channel_for_other_reasons_opens_another_one() {
    for reason in
        ["NonResponsiveChannel", "Expired", "UnknownChannel", "UserDeleted", "SomethingNew"]
    {
        let (mut pair, channel) = Pair::live(&[]);
        pair.bytes(channel, &terminated(reason));
        assert_eq!(pair.session.state(), SessionState::Lost, "{reason}");
        pair.pass(seconds(2), false);
        assert_eq!(pair.opened().len(), 1, "{reason}");
    }
    let (mut pair, channel) = Pair::live(&[]);
    pair.bytes(channel, &terminated("Expired").replace("c1", "another"));
    assert_eq!(pair.session.state(), SessionState::Live, "the end of another channel is not ours");
}

#[test]
fn servers_are_tried_in_turn_and_then_ever_less_often() {
    let mut pair = Pair::new();
    pair.input(Input::Start(servers()));
    let mut tried = Vec::new();
    let mut rounds = Vec::new();
    for _ in 0..8 {
        let (channel, origin) = loop {
            let opened = pair.opened();
            if let Some((channel, origin, _)) = opened.into_iter().next() {
                break (channel, origin);
            }
            let at = pair.session.poll_timeout().unwrap();
            pair.pass(at - pair.now, false);
        };
        if origin.host == "xsp1.pbx.example" {
            rounds.push(pair.now - pair.start);
        }
        tried.push(origin.host);
        pair.input(Input::ChannelEnded { channel, failure: Some(HttpFailure::Unreachable) });
    }
    let expected: Vec<_> = (0..8).map(|n| format!("xsp{}.pbx.example", n % 2 + 1)).collect();
    assert_eq!(tried, expected);
    let waits: Vec<Duration> = rounds.windows(2).map(|two| two[1] - two[0]).collect();
    for (wait, most) in waits.iter().zip([2, 4, 8]) {
        assert!(*wait >= seconds(most) / 2 && *wait <= seconds(most), "{waits:?}");
    }
    assert_eq!(pair.session.state(), SessionState::Lost);
}

#[test]
fn an_overloaded_server_is_left_alone_for_as_long_as_it_asks() {
    let mut pair = Pair::new();
    pair.input(Input::Start(servers()));
    let (channel, _) = pair.open();
    let busy = HttpAnswer { retry_after: Some(seconds(90)), ..answer(503, "") };
    pair.input(Input::ChannelAnswered { channel, answer: busy });
    pair.pass(seconds(89), false);
    assert!(pair.opened().is_empty());
    pair.pass(seconds(5), false);
    assert_eq!(pair.opened().len(), 1);
}

#[test]
fn a_redirection_of_the_channel_is_followed_to_a_neighbour_only() {
    let mut pair = Pair::new();
    pair.input(Input::Start(servers()));
    let (channel, _) = pair.open();
    let moved = |to: &str| HttpAnswer { location: Some(to.to_owned()), ..answer(302, "") };
    let to = "https://xsp7.pbx.example/com.broadsoft.async/x/v2.0/channel?n=1";
    pair.input(Input::ChannelAnswered { channel, answer: moved(to) });
    let opened = pair.opened();
    assert_eq!(opened[0].1.host, "xsp7.pbx.example");
    assert_eq!(opened[0].2.as_deref(), Some("/com.broadsoft.async/x/v2.0/channel?n=1"));
    let channel = opened[0].0;
    pair.grant(channel, "c1", 7200);
    pair.pass(seconds(14), false);
    let beat = pair.one(Method::Put, "heartbeat");
    assert_eq!(beat.2, Some(channel));

    let mut pair = Pair::new();
    pair.input(Input::Start(servers()));
    let (channel, _) = pair.open();
    pair.input(Input::ChannelAnswered { channel, answer: moved("https://evil.example/channel") });
    assert_eq!(pair.open().1.host, "xsp2.pbx.example", "credentials do not follow a stranger");

    // Nor in circles.
    let mut pair = Pair::new();
    pair.input(Input::Start(servers()[..1].to_vec()));
    for _ in 0..3 {
        let (channel, _) = pair.open();
        pair.input(Input::ChannelAnswered { channel, answer: moved("/round") });
    }
    let (channel, _) = pair.open();
    pair.input(Input::ChannelAnswered { channel, answer: moved("/round") });
    assert!(pair.opened().is_empty());
}

#[test]
fn a_redirection_of_a_subscription_is_followed() {
    let mut pair = Pair::new();
    pair.input(Input::Watch(queue()));
    pair.input(Input::Start(servers()));
    let (channel, _) = pair.open();
    pair.grant(channel, "c1", 7200);
    let list = pair.one(Method::Get, "subscription");
    pair.reply(list.0, 200, "");
    let create = pair.one(Method::Post, "user/");
    let location = Some("https://xsp2.pbx.example/elsewhere".to_owned());
    let result = Ok(HttpAnswer { location, ..answer(302, "") });
    pair.input(Input::Answered { request: create.0, result });
    let again = pair.sent();
    assert_eq!(again.len(), 1);
    assert_eq!(
        (again[0].1.host.as_str(), again[0].4.as_deref()),
        ("xsp2.pbx.example", Some("/elsewhere"))
    );
    assert_eq!(again[0].3.body, create.3.body);
    pair.created(again[0].0, "s1");
    assert_eq!(pair.standings(), [Standing::Subscribed]);
}

#[test]
fn what_is_not_allowed_is_read_at_intervals_and_asked_for_again_later() {
    let mut pair = Pair::new();
    pair.input(Input::Watch(queue()));
    pair.input(Input::Start(servers()));
    let (channel, _) = pair.open();
    pair.grant(channel, "c1", 7200);
    let list = pair.one(Method::Get, "subscription");
    pair.reply(list.0, 200, "");
    let create = pair.one(Method::Post, "user/");
    pair.reply(create.0, 403, "");
    assert_eq!(pair.standings(), [Standing::Polled]);
    assert_eq!(pair.session.state(), SessionState::Live);
    pair.pass(seconds(119), true);
    let polls = pair.outputs.iter().filter(|one| matches!(one, Output::PollDue(_))).count();
    assert_eq!(polls, 6, "at once and every 20 seconds");
    pair.pass(seconds(500), true);
    let again = pair.one(Method::Post, "user/");
    pair.reply(again.0, 403, "");
    // The owner asks for all of it: it is asked for at once.
    pair.input(Input::Resync(queue()));
    let again = pair.one(Method::Post, "user/");
    pair.created(again.0, "s1");
    pair.outputs.clear();
    pair.pass(seconds(100), true);
    assert!(!pair.outputs.iter().any(|one| matches!(one, Output::PollDue(_))));
}

#[test]
fn an_account_without_events_is_read_at_intervals_altogether() {
    let mut pair = Pair::new();
    pair.input(Input::Watch(queue()));
    pair.input(Input::Watch(agent()));
    pair.input(Input::Start(servers()));
    let (channel, _) = pair.open();
    pair.input(Input::ChannelAnswered { channel, answer: answer(403, "") });
    assert_eq!(pair.session.state(), SessionState::Unavailable);
    pair.pass(seconds(1), false);
    let polls = pair.outputs.iter().filter(|one| matches!(one, Output::PollDue(_))).count();
    assert_eq!(polls, 2);
    pair.outputs.clear();
    pair.pass(seconds(605), false);
    let (channel, _) = pair.open();
    pair.outputs.clear();
    pair.input(Input::ChannelAnswered { channel, answer: answer(403, "") });
    assert!(pair.states().is_empty() && pair.standings().is_empty(), "it stays as it was");
    pair.pass(seconds(605), false);
    let (channel, _) = pair.open();
    pair.grant(channel, "c1", 7200);
    assert_eq!(pair.session.state(), SessionState::Live);
}

#[test]
fn refused_credentials_are_not_tried_again() {
    let mut pair = Pair::new();
    pair.input(Input::Watch(queue()));
    pair.input(Input::Start(servers()));
    let (channel, _) = pair.open();
    pair.input(Input::ChannelAnswered { channel, answer: answer(401, "") });
    assert_eq!(pair.session.state(), SessionState::Refused);
    pair.pass(seconds(100_000), false);
    assert!(pair.opened().is_empty() && pair.sent().is_empty());
}

#[test]
fn a_gap_in_the_numbers_asks_for_everything_and_what_came_twice_is_told_once() {
    let (mut pair, channel) = Pair::live(&[queue()]);
    pair.bytes(channel, &event("e1", 1, "s1", None));
    pair.bytes(channel, &event("e2", 2, "s1", Some("a:0")));
    assert_eq!(pair.told().len(), 2);
    assert!(!pair.sent().iter().any(|one| one.3.method == Method::Put));
    pair.bytes(channel, &event("e4", 4, "s1", Some("b:0")));
    let renew = pair.one(Method::Put, "subscription/s1");
    assert_eq!(pair.told().len(), 1, "what came is told all the same");
    pair.bytes(channel, &event("e6", 6, "s1", Some("c:0")));
    assert!(!pair.sent().iter().any(|one| one.3.method == Method::Put), "one request at a time");
    pair.reply(renew.0, 200, "");
    pair.told();
    pair.bytes(channel, &event("e7", 7, "s1", None));
    pair.bytes(channel, &event("e6", 6, "s1", Some("c:0")));
    pair.bytes(channel, &event("e7", 7, "s1", None));
    assert_eq!(pair.told().len(), 1);
}

#[test]
fn numbers_begin_again_after_the_highest_and_after_a_restart() {
    let (mut pair, channel) = Pair::live(&[queue()]);
    pair.bytes(channel, &event("e1", 2_147_483_647, "s1", None));
    pair.bytes(channel, &event("e2", 1, "s1", Some("a:0")));
    assert_eq!(pair.told().len(), 2);
    assert!(!pair.sent().iter().any(|one| one.3.method == Method::Put));
    pair.bytes(channel, &event("e3", 900, "s1", None));
    let resync =
        envelope("e4", 1, "s1", "<xsi:eventData xsi1:type=\"xsi:ACDSubscriptionResyncEvent\"/>");
    pair.bytes(channel, &resync);
    pair.bytes(channel, &event("e5", 2, "s1", Some("b:0")));
    let told = pair.told();
    assert_eq!(told.len(), 3);
    assert!(matches!(told[1], EventData::Queue { resync: true, .. }));
    assert!(!pair.sent().iter().any(|one| one.3.method == Method::Put), "a restart is no gap");
}

#[test]
fn a_subscription_that_the_server_ends_is_created_again_ever_less_often() {
    let (mut pair, channel) = Pair::live(&[queue()]);
    let over = |n: u32| {
        envelope(
            &format!("x{n}"),
            n,
            &format!("s{n}"),
            "<xsi:eventData xsi1:type=\"xsi:SubscriptionTerminatedEvent\"/>",
        )
    };
    let mut waits = Vec::new();
    for n in 1..5 {
        pair.bytes(channel, &over(n));
        assert_eq!(pair.acknowledged().len(), 1);
        let from = pair.now;
        let create = loop {
            let at = pair.session.poll_timeout().unwrap();
            pair.pass(at - pair.now, true);
            let mut sent = pair.sent();
            sent.retain(|one| one.3.method == Method::Post);
            if let Some(create) = sent.pop() {
                break create;
            }
        };
        waits.push(pair.now - from);
        let body = format!(
            "<Subscription {NS}><subscriptionId>s{}</subscriptionId></Subscription>",
            n + 1
        );
        pair.reply(create.0, 200, &body);
    }
    for (wait, grown) in waits.iter().zip([2, 4, 8, 16]) {
        assert!(*wait >= seconds(grown) / 2 && *wait <= seconds(grown), "{waits:?}");
    }
}

#[test]
fn a_refused_renewal_creates_the_subscription_anew() {
    for status in [404, 481] {
        let (mut pair, _) = Pair::live(&[queue()]);
        pair.input(Input::Resync(queue()));
        let renew = pair.one(Method::Put, "subscription/s1");
        pair.reply(renew.0, status, "");
        pair.one(Method::Post, "user/support@pbx.example");
    }
}

#[test]
fn the_owner_ends_the_channel_properly() {
    let (mut pair, channel) = Pair::live(&[queue()]);
    pair.input(Input::Stop);
    let delete = pair.one(Method::Delete, "channel/c1");
    assert_eq!(delete.2, Some(channel));
    assert_eq!(delete.3.target(), "/v2.0/channel/c1");
    assert!(pair.outputs.contains(&Output::Close(channel)));
    pair.pass(seconds(100_000), false);
    assert!(pair.opened().is_empty());
}

#[test]
fn a_watch_that_ends_ends_its_subscription() {
    let (mut pair, _) = Pair::live(&[queue()]);
    pair.input(Input::Unwatch(queue()));
    pair.one(Method::Delete, "subscription/s1");
}

#[test]
fn another_network_opens_another_channel_at_once() {
    let (mut pair, channel) = Pair::live(&[]);
    pair.input(Input::NetworkChanged);
    assert!(pair.outputs.contains(&Output::Close(channel)));
    pair.pass(Duration::ZERO, false);
    assert_eq!(pair.opened().len(), 1);
    // While one is being opened, a new one takes its place without waiting.
    pair.input(Input::NetworkChanged);
    assert_eq!(pair.opened().len(), 1);
}

#[test]
fn a_channel_that_never_gets_a_name_is_given_up() {
    let bodies = [
        "<html><body>Sign in to the hotel</body></html>",
        "<!DOCTYPE html><html>",
        "Service Unavailable, please come back later. ",
        "<ErrorInfo><errorCode>1</errorCode></ErrorInfo>",
        "<Channel><channelId>../../x</channelId></Channel>",
    ];
    for body in bodies {
        let mut pair = Pair::new();
        pair.input(Input::Start(servers()));
        let (channel, _) = pair.open();
        pair.input(Input::ChannelAnswered { channel, answer: answer(200, "") });
        pair.bytes(channel, &body.repeat(if body.starts_with('S') { 20 } else { 1 }));
        assert_eq!(pair.open().1.host, "xsp2.pbx.example", "{body}");
    }
    let mut pair = Pair::new();
    pair.input(Input::Start(servers()));
    let (channel, _) = pair.open();
    pair.input(Input::ChannelAnswered { channel, answer: answer(200, "") });
    pair.pass(seconds(21), false);
    assert_eq!(pair.open().1.host, "xsp2.pbx.example");
}

#[test]
fn a_stream_that_goes_wrong_costs_the_channel_and_nothing_else() {
    let (mut pair, channel) = Pair::live(&[]);
    pair.bytes(channel, &"<a>".repeat(100));
    assert_eq!(pair.session.state(), SessionState::Lost);
    pair.pass(seconds(2), false);
    assert_eq!(pair.opened().len(), 1);
    // A document that is well-formed but no event is passed over.
    let (mut pair, channel) = Pair::live(&[]);
    pair.bytes(channel, "<Surprise/><xsi:Event/><Event><eventID>1</eventID></Event>");
    assert_eq!(pair.session.state(), SessionState::Live);
}

proptest! {
    /// Whatever the server does, the session keeps its promises and its time.
    #[test]
    fn nothing_a_server_says_breaks_the_session(steps in prop::collection::vec((0u8..9, 0u16..600, 1u32..40), 1..60)) {
        let mut pair = Pair::new();
        pair.input(Input::Watch(queue()));
        pair.input(Input::Watch(agent()));
        pair.input(Input::Start(servers()));
        let mut channel = ChannelNumber(0);
        for (what, status, number) in steps {
            if let Some((opened, _, _)) = pair.opened().into_iter().next_back() {
                channel = opened;
            }
            match what {
                0 => pair.input(Input::ChannelAnswered { channel, answer: answer(status, "") }),
                1 => pair.grant(channel, "c1", number * 100),
                2 => pair.bytes(channel, &event(&number.to_string(), number, "s1", None)),
                3 => pair.bytes(channel, "<a></b>"),
                4 => pair.input(Input::ChannelEnded { channel, failure: None }),
                5 => {
                    for (request, ..) in pair.sent() {
                        pair.reply(request, status, &format!("<Subscription><subscriptionId>s{number}</subscriptionId></Subscription>"));
                    }
                }
                6 => pair.bytes(channel, &terminated("Expired")),
                7 => pair.input(Input::NetworkChanged),
                _ => pair.pass(seconds(u64::from(number) * 7), false),
            }
            let next = pair.session.poll_timeout();
            prop_assert!(next.is_none_or(|at| at + seconds(1) > pair.start));
        }
        // Left alone, it neither spins nor dies.
        pair.sent();
        let mut turns = 0;
        let end = pair.now + seconds(600);
        while let Some(at) = pair.session.poll_timeout().filter(|&at| at <= end) {
            pair.now = pair.now.max(at);
            pair.session.handle_timeout(pair.now);
            while pair.session.poll_output().is_some() {}
            turns += 1;
            prop_assert!(turns < 2000, "it spins");
        }
    }
}

#[test]
fn a_thousand_subscriptions_are_told_anew_as_fast_as_the_server_answers() {
    let subjects: Vec<Subject> = (0..1_000)
        .map(|n| Subject::user(&format!("a{n}@pbx.example"), Package::CallCenterAgent))
        .collect();
    let (mut pair, _) = Pair::live(&subjects);
    let mut named = 6;
    loop {
        let sent = pair.sent();
        if sent.is_empty() {
            break;
        }
        for (request, ..) in sent {
            named += 1;
            pair.created(request, &format!("s{named}"));
        }
    }
    assert_eq!(named, 1_000);
    for subject in subjects {
        pair.input(Input::Resync(subject));
    }
    let start = pair.now;
    let mut renewed = 0;
    while renewed < 1_000 {
        let sent = pair.sent();
        assert!(sent.len() <= 6, "{} at a time", sent.len());
        for (request, _, _, http, _) in sent {
            if http.target().contains("subscription/") {
                renewed += 1;
            }
            pair.reply(request, 200, "");
        }
        // Each answer takes its time.
        pair.pass(Duration::from_millis(5), false);
    }
    assert!(pair.now - start < seconds(2), "{:?}", pair.now - start);
}

//! The web services on an exchange in virtual time, without sockets.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::*;
use crate::exchange::Settings as ExchangeSettings;
use crate::life::Pace;

const ACTIONS: &str = "/com.broadsoft.xsi-actions/v2.0";
const EVENTS: &str = "/com.broadsoft.xsi-events/v2.0";

struct World {
    now: Instant,
    exchange: Exchange,
    xsi: Xsi,
}

impl World {
    fn new(profile: Profile) -> Self {
        #[expect(clippy::disallowed_methods, reason = "one base for virtual time")]
        let now = Instant::now();
        let company = Company::demo();
        let passwords = |text: &str| -> BTreeMap<String, SecretString> {
            let accounts = company.accounts.iter();
            accounts.map(|a| (a.extension.clone(), SecretString::from(text))).collect()
        };
        let settings = XsiSettings {
            company: company.clone(),
            profile,
            web: passwords("web"),
            sip: passwords("sip"),
            hosts: vec!["http://one".into(), "http://two".into()],
            sip_host: "127.0.0.1:5060".into(),
            epoch_ms: 1_763_700_000_000,
            records: true,
        };
        let exchange = ExchangeSettings {
            passwords: passwords("sip"),
            company,
            address: [127, 0, 0, 1].into(),
            port: 5060,
            ring_time: Duration::from_secs(30),
            pace: Pace::default(),
            calendar: crate::acd::Calendar { told_at: now, local_s: 6 * 86_400 + 12 * 3600 },
            records: true,
        };
        let exchange = Exchange::new(now, exchange, Random::from_seed([1; 32]));
        Self { now, exchange, xsi: Xsi::new(now, settings, Random::from_seed([2; 32])) }
    }

    fn send(&mut self, user: &str, method: &str, target: &str, body: &str) -> (u16, String) {
        self.send_to(0, user, method, target, body)
    }

    fn send_to(
        &mut self,
        host: usize,
        user: &str,
        method: &str,
        target: &str,
        body: &str,
    ) -> (u16, String) {
        let secret = STANDARD.encode(format!("{user}@lindeboom.example:web"));
        let request = WebRequest {
            host,
            method: method.to_owned(),
            target: target.to_owned(),
            headers: vec![("authorization".to_owned(), format!("Basic {secret}"))],
            body: body.as_bytes().to_vec(),
        };
        let reply = self.xsi.handle_request(self.now, &mut self.exchange, &request);
        (reply.status, reply.body.iter().map(|&byte| char::from(byte)).collect())
    }

    fn subscribe(&mut self, user: &str, target: &str, package: &str) -> u16 {
        let body = format!(
            "<Subscription xmlns=\"http://schema.broadsoft.com/xsi\"><event>{package}</event>\
             <expires>3600</expires><channelSetId>s-{user}</channelSetId>\
             <applicationId>a</applicationId></Subscription>"
        );
        self.send(user, "POST", &format!("{EVENTS}/user/{target}"), &body).0
    }

    /// The documents of all channels.
    fn documents(&mut self) -> Vec<String> {
        let outputs = std::iter::from_fn(|| self.xsi.poll_output());
        outputs
            .filter_map(|output| match output {
                Output::Chunk(_, bytes) => Some(String::from_utf8(bytes).unwrap()),
                _ => None,
            })
            .collect()
    }
}

fn own(rest: &str) -> String {
    format!("{ACTIONS}/user/101@lindeboom.example/{rest}")
}

#[test]
fn a_user_sees_himself_and_nobody_else() {
    let mut world = World::new(Profile::R21);
    assert_eq!(world.send("101", "GET", &own("profile"), "").0, 200);
    assert_eq!(world.send("102", "GET", &own("profile"), "").0, 403);
    let unknown = format!("{ACTIONS}/user/999@lindeboom.example/profile");
    assert_eq!(world.send("101", "GET", &unknown, "").0, 404);
    let shouted = own("PROFILE/fac").replace("v2.0/user", "V2.0/USER");
    assert_eq!(world.send("101", "GET", &shouted, "").0, 200);
}

#[test]
fn do_not_disturb_is_told_to_those_who_watch_however_it_was_set() {
    let mut world = World::new(Profile::R21);
    let channel = "<Channel xmlns=\"http://schema.broadsoft.com/xsi\"><channelSetId>s-101\
        </channelSetId><applicationId>a</applicationId></Channel>";
    let path = "/com.broadsoft.async/com.broadsoft.xsi-events/v2.0/channel";
    assert_eq!(world.send("101", "POST", path, channel).0, 200);
    assert_eq!(world.subscribe("101", "101@lindeboom.example", "Do Not Disturb"), 200);
    let begin = world.documents();
    assert!(begin.iter().any(|text| text.contains("<xsi:active>false</xsi:active>")), "{begin:?}");
    let body = "<DoNotDisturb xmlns=\"http://schema.broadsoft.com/xsi\"><active>true</active>\
        </DoNotDisturb>";
    assert_eq!(world.send("101", "PUT", &own("services/DoNotDisturb"), body).0, 200);
    let told = world.documents();
    assert!(told.iter().any(|text| text.contains("<xsi:active>true</xsi:active>")), "{told:?}");
    let knob = crate::Knob::DoNotDisturb { line: "101".into(), on: false };
    world.exchange.turn(world.now, knob).unwrap();
    world.xsi.observe(world.now, &mut world.exchange);
    let told = world.documents();
    assert!(told.iter().any(|text| text.contains("<xsi:active>false</xsi:active>")), "{told:?}");
}

#[test]
fn the_releases_differ() {
    let mut old = World::new(Profile::R21);
    let mut new = World::new(Profile::R2020);
    let secondary = own("services/CallForwardingAlwaysSecondary");
    assert_eq!(old.send("101", "GET", &secondary, "").0, 404);
    assert_eq!(new.send("101", "GET", &secondary, "").0, 200);
    let device = own("profile/Device/101@lindeboom.example");
    assert_eq!(old.send("101", "GET", &device, "").0, 404);
    assert_eq!(new.send("101", "GET", &device, "").0, 200);
    let monitor = own("calls/CoachAgent?address=102");
    assert_eq!(old.send("101", "POST", &monitor, "").0, 404);
    let versions =
        |world: &mut World| world.send("101", "GET", &format!("{ACTIONS}/versions"), "").1;
    assert!(versions(&mut old).contains("<baseline>21.0</baseline>"));
    assert!(!versions(&mut new).contains("<baseline>21.0</baseline>"));
}

#[test]
fn the_limit_of_subscriptions_is_each_users_own() {
    let mut world = World::new(Profile::R2020);
    let knob = XsiKnob::Limits { subscriptions: Some(2), page: None };
    world.xsi.turn(world.now, knob).unwrap();
    let target = "101@lindeboom.example";
    assert_eq!(world.subscribe("101", target, "Basic Call"), 200);
    assert_eq!(world.subscribe("101", target, "Advanced Call"), 200);
    assert_eq!(world.subscribe("101", target, "Standard Call"), 403);
    assert_eq!(world.subscribe("102", target, "Standard Call"), 200);
    assert_eq!(world.subscribe("102", target, "Attendant Console"), 403);
}

#[test]
fn the_scope_can_be_narrowed() {
    let mut world = World::new(Profile::R2020);
    assert_eq!(world.subscribe("101", "102@lindeboom.example", "Basic Call"), 200);
    assert_eq!(world.subscribe("102", "101@lindeboom.example", "Do Not Disturb"), 403);
    world.xsi.turn(world.now, XsiKnob::Scope { own: true }).unwrap();
    assert_eq!(world.subscribe("101", "102@lindeboom.example", "Basic Call"), 403);
    assert_eq!(world.subscribe("101", "101@lindeboom.example", "Basic Call"), 200);
}

#[test]
fn requests_can_be_answered_wrongly_on_purpose() {
    use crate::xsi::knobs::Answering;
    let mut world = World::new(Profile::R2020);
    let mut turn = |how, count, path: &str| {
        let path = Some(path.to_owned());
        world.xsi.turn(world.now, XsiKnob::Answer { how, count, path }).unwrap();
    };
    turn(Answering::Overload, 1, "/PROFILE");
    turn(Answering::Html, 2, "/calls");
    assert_eq!(world.send("101", "GET", &own("services"), "").0, 200);
    let (status, body) = world.send("101", "GET", &own("profile"), "");
    assert_eq!((status, body.contains("<ErrorInfo")), (503, true));
    assert_eq!(world.send("101", "GET", &own("profile"), "").0, 200);
    for _ in 0..2 {
        assert!(world.send("101", "GET", &own("calls"), "").1.contains("<html>"));
    }
    assert!(world.send("101", "GET", &own("calls"), "").1.contains("<Calls"));
}

#[test]
fn an_expired_password_lets_only_itself_be_changed() {
    let mut world = World::new(Profile::R2020);
    let knob = XsiKnob::Password { user: "101".into(), expired: true };
    world.xsi.turn(world.now, knob).unwrap();
    assert_eq!(world.send("101", "GET", &own("profile"), "").0, 401);
    let body = |old: &str| {
        format!(
            "<Portal xmlns=\"http://schema.broadsoft.com/xsi\"><oldPassword>{old}</oldPassword>\
             <newPassword>web-anew</newPassword></Portal>"
        )
    };
    assert_eq!(world.send("101", "PUT", &own("profile/Password/Portal"), &body("no")).0, 403);
    assert_eq!(world.send("101", "PUT", &own("profile/Password/Portal"), &body("web")).0, 200);
    assert_eq!(world.send("101", "GET", &own("profile"), "").0, 401);
}

#[test]
fn rubbish_is_answered_and_changes_nothing() {
    let mut world = World::new(Profile::R2020);
    for (method, path) in [
        ("GET", "/".to_owned()),
        ("GET", "/com.broadsoft.xsi-actions".to_owned()),
        ("GET", "/com.broadsoft.xsi-actions/v1.0/versions".to_owned()),
        ("PATCH", own("profile")),
        ("PUT", own("services/DoNotDisturb")),
        ("POST", own("calls/New?address=jan")),
        ("POST", own("calls/New")),
        ("PUT", own("calls/nothing/Talk")),
        ("GET", own("directories/Enterprise?start=0")),
        ("POST", format!("{EVENTS}/channel/eventresponse")),
        ("PUT", format!("{EVENTS}/channel/x/heartbeat")),
    ] {
        let (status, body) = world.send("101", method, &path, "<a");
        assert!((400..500).contains(&status), "{method} {path}: {status}");
        assert!(body.contains("<ErrorInfo") && body.contains("<errorCode>"), "{path}: {body}");
    }
}

#[test]
fn what_happens_in_the_call_centre_reaches_those_who_watch_the_group() {
    use crate::acd::{AcdEvent, News, QueueId};
    let mut world = World::new(Profile::R2020);
    let channel = "<Channel xmlns=\"http://schema.broadsoft.com/xsi\"><channelSetId>s</channelSetId>\
        <applicationId>a</applicationId></Channel>";
    let path = "/com.broadsoft.async/com.broadsoft.xsi-events/v2.0/channel";
    assert_eq!(world.send("106", "POST", path, channel).0, 200);
    let body = "<Subscription xmlns=\"http://schema.broadsoft.com/xsi\"><event>Call Center \
        Configuration</event><channelSetId>s</channelSetId><applicationId>a</applicationId>\
        </Subscription>";
    let group = format!("{EVENTS}/serviceprovider/Lindeboom%20Installatietechniek/group/lindeboom");
    assert_eq!(world.send("106", "POST", &group, body).0, 200);
    let queue = QueueId("195".to_owned());
    let news = News::NightService { queue, active: true, forced: false };
    world.xsi.hear_centre(AcdEvent { at: world.now, news });
    world.xsi.observe(world.now, &mut world.exchange);
    let told = world.documents();
    let night = told.iter().find(|text| text.contains("ACDNightServiceEvent"));
    let night = night.unwrap_or_else(|| panic!("{told:?}"));
    assert!(night.contains("<xsi:targetId>195@lindeboom.example</xsi:targetId>"), "{night}");
}

/// A channel of 101, and his subscription to one package about himself.
fn watching(package: &str) -> World {
    let mut world = World::new(Profile::R2020);
    let channel = "<Channel xmlns=\"http://schema.broadsoft.com/xsi\"><channelSetId>s-101\
        </channelSetId><applicationId>a</applicationId></Channel>";
    let path = "/com.broadsoft.async/com.broadsoft.xsi-events/v2.0/channel";
    assert_eq!(world.send("101", "POST", path, channel).0, 200);
    assert_eq!(world.subscribe("101", "101@lindeboom.example", package), 200);
    world.documents();
    world
}

fn guest(inside: &str) -> String {
    format!("<HotelingGuest xmlns=\"http://schema.broadsoft.com/xsi\">{inside}</HotelingGuest>")
}

#[test]
fn a_guest_takes_a_free_host_and_is_told_when_his_time_is_up() {
    let mut world = watching("Hoteling Guest");
    let path = own("services/HotelingGuest");
    let hosts = own("directories/HotelingHosts");
    assert!(world.send("101", "GET", &hosts, "").1.contains("<userId>103@lindeboom.example<"));
    let take = |id: &str| guest(&format!("<active>true</active><hostUserId>{id}</hostUserId>"));
    for (id, status) in [("999@lindeboom.example", 400), ("201", 400), ("101", 409), ("103", 200)] {
        assert_eq!(world.send("101", "PUT", &path, &take(id)).0, status, "{id}");
    }
    let told = world.documents();
    assert!(told.iter().any(|text| text.contains("<xsi:hostUserId>103<")), "{told:?}");
    // Nobody else can have it, nor see it among those that are free.
    let other = path.replace("101@", "102@");
    assert_eq!(world.send("102", "PUT", &other, &take("103")).0, 409);
    let free = world.send("102", "GET", &hosts.replace("101@", "102@"), "").1;
    assert!(!free.contains("103@") && free.contains("101@"), "{free}");
    // The term is the shorter of both sides'.
    let until = world.exchange.desk().rules("101").guest.clone().unwrap().until;
    assert_eq!(until, Some(world.now + Duration::from_secs(12 * 3_600)));
    world.now += Duration::from_secs(12 * 3_600);
    world.exchange.handle_timeout(world.now);
    world.xsi.observe(world.now, &mut world.exchange);
    let told = world.documents();
    let over = told.iter().find(|text| text.contains("HotelingGuestEvent"));
    let over = over.unwrap_or_else(|| panic!("{told:?}"));
    assert!(!over.contains("hostUserId"), "{over}");
    assert_eq!(world.send("102", "PUT", &other, &take("103")).0, 200);
    // Without a limit of the guest's it is the host's.
    let unlimited = guest(
        "<active>true</active><hostUserId>104</hostUserId>\
         <enableAssociationLimit>false</enableAssociationLimit>",
    );
    assert_eq!(world.send("101", "PUT", &path, &unlimited).0, 200);
    let until = world.exchange.desk().rules("101").guest.clone().unwrap().until;
    assert_eq!(until, Some(world.now + Duration::from_secs(24 * 3_600)));
    assert_eq!(world.send("101", "PUT", &path, &guest("<active>false</active>")).0, 200);
    assert_eq!(world.exchange.guest_of("104"), None);
}

#[test]
fn a_telephone_that_is_no_host_is_not_to_be_had() {
    let mut world = World::new(Profile::R2020);
    let host = own("services/HotelingHost").replace("101@", "103@");
    let off = "<HotelingHost xmlns=\"http://schema.broadsoft.com/xsi\"><active>false</active>\
        </HotelingHost>";
    assert_eq!(world.send("103", "PUT", &host, off).0, 200);
    let take = guest("<active>true</active><hostUserId>103@lindeboom.example</hostUserId>");
    assert_eq!(world.send("101", "PUT", &own("services/HotelingGuest"), &take).0, 409);
    let document = world.send("101", "GET", &own("services/HotelingGuest"), "").1;
    assert!(document.contains("<active>false</active>"), "nothing has changed: {document}");
}

#[test]
fn the_first_change_after_the_first_subscription_is_told() {
    let mut world = watching("Do Not Disturb");
    let knob = crate::Knob::DoNotDisturb { line: "101".into(), on: true };
    world.exchange.turn(world.now, knob).unwrap();
    world.xsi.observe(world.now, &mut world.exchange);
    let told = world.documents();
    assert_eq!(told.iter().filter(|text| text.contains("DoNotDisturbEvent")).count(), 1);
    // Of those nobody watches nothing is kept.
    let users: std::collections::BTreeSet<&String> =
        world.xsi.told.keys().map(|(user, _)| user).collect();
    assert_eq!(users.into_iter().collect::<Vec<_>>(), ["101"]);
}

#[test]
fn events_do_not_copy_the_call_centre_and_questions_see_it_as_it_is() {
    use crate::acd::{AgentId, AgentState, Request};
    let mut world = World::new(Profile::R2020);
    world.send("106", "GET", &own("services").replace("101@", "106@"), "");
    let set = |world: &mut World, state| {
        let agent = AgentId("104".to_owned());
        let request = Request::SetState { agent, state, code: None, validate: false };
        world.exchange.ask_centre(world.now, request).unwrap();
        while let Some(output) = world.exchange.poll_output() {
            if let crate::exchange::Output::Acd(event) = output {
                world.xsi.hear_centre(*event);
            }
        }
        world.xsi.observe(world.now, &mut world.exchange);
    };
    let seen = |world: &World| {
        let agent = AgentId("104".to_owned());
        world.xsi.centre.agent(&agent).unwrap().status.state
    };
    set(&mut world, AgentState::SignOut);
    let before = seen(&world);
    set(&mut world, AgentState::WrapUp);
    assert_eq!(seen(&world), before, "nobody has asked");
    let path = own("services/CallCenter").replace("101@", "104@");
    assert!(world.send("104", "GET", &path, "").1.contains("Wrap-Up"));
    assert_eq!(seen(&world), AgentState::WrapUp);
}

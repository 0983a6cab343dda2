//! The whole way over real sockets: sign-in, readings, a channel, events, requests; and automatic set-up.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on fails")]

mod support;

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use pbx::centre::{
    AgentState, Answer, Capability, Input, LinkState, QueueChange, Refusal, Request as Wish,
    RequestId,
};
use pbx_broadworks::{
    Actions, Anchors, Binding, Client, ClientConfig, ConfigPaths, Credentials, Origin, Release,
    Service, fetch_setup, locate, session::SessionConfig,
};
use secrecy::{ExposeSecret, SecretString};
use sip_core::Random;
use support::{Reply, Request, Server, chunk};
use tokio::{net::UdpSocket, sync::mpsc, time::timeout};

/// What a test waits for at most; far more than is needed.
const PATIENCE: Duration = Duration::from_secs(30);
const USER: &str = "/v2.0/user/jan@pbx.example";

/// A server with one user, one queue, and a channel that the test writes on.
#[derive(Clone, Default)]
struct Exchange {
    channel: Arc<Mutex<Option<mpsc::Sender<Vec<u8>>>>>,
    state: Arc<Mutex<String>>,
    subscriptions: Arc<Mutex<usize>>,
}

fn ns(text: &str) -> String {
    text.replacen('>', " xmlns=\"http://schema.broadsoft.com/xsi\">", 1)
}

impl Exchange {
    fn answer(&self, request: &Request) -> Reply {
        let path = request.target.split('?').next().unwrap();
        if let Some(path) = path.strip_prefix("/com.broadsoft.async/com.broadsoft.xsi-events") {
            assert_eq!(path, "/v2.0/channel");
            let (sender, pieces) = mpsc::channel(64);
            let name = ns("<Channel><channelId>c1</channelId><expires>7200</expires></Channel>");
            sender.try_send(chunk(name)).unwrap();
            *self.channel.lock().unwrap() = Some(sender);
            return Reply::channel(pieces);
        }
        if let Some(path) = path.strip_prefix("/com.broadsoft.xsi-events/v2.0") {
            return self.events(request, path);
        }
        match path.strip_prefix("/com.broadsoft.xsi-actions") {
            Some(path) => self.actions(request, path),
            None => Reply::new(404, "text/plain", ""),
        }
    }

    fn events(&self, request: &Request, path: &str) -> Reply {
        match (request.method.as_str(), path) {
            ("GET", "/subscription") => Reply::xml(&ns("<SubscriptionList></SubscriptionList>")),
            ("POST", "/channel/eventresponse")
            | ("PUT", "/channel/c1/heartbeat")
            | ("DELETE", _) => Reply::xml(""),
            ("POST", path) if path.starts_with("/user/") => {
                if request.body.contains("Call Center Monitoring") {
                    return Reply::xml_status(
                        403,
                        &ns("<ErrorInfo><errorCode>1</errorCode></ErrorInfo>"),
                    );
                }
                let mut count = self.subscriptions.lock().unwrap();
                *count += 1;
                let id = if request.body.contains("Call Center Queue") {
                    "queue".to_owned()
                } else {
                    format!("s{count}")
                };
                Reply::xml(&ns(&format!(
                    "<Subscription><subscriptionId>{id}</subscriptionId></Subscription>"
                )))
            }
            _ => Reply::xml(""),
        }
    }

    fn actions(&self, request: &Request, path: &str) -> Reply {
        let user = path.strip_prefix(USER);
        let get = request.method == "GET";
        match user.unwrap_or(path) {
            "/v2.0/versions" => Reply::xml(&ns("<Versions><commands><baseline>21.0</baseline></commands></Versions>")),
            "/profile" => Reply::new(
                200,
                "application/xml;charset=ISO-8859-1",
                [&b"<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><Profile xmlns=\"http://schema.broadsoft.com/xsi\"><details>\
                   <userId>jan@pbx.example</userId><firstName>Ren\xe9</firstName><lastName>Smit</lastName><groupId>g</groupId>\
                   <serviceProvider>sp</serviceProvider></details></Profile>"[..]]
                .concat(),
            ),
            "/services" => Reply::xml(&ns(
                "<Services><service><name>Do Not Disturb</name></service><service><name>Call Center - Standard</name></service></Services>",
            )),
            "/services/DoNotDisturb" => Reply::xml(&ns("<DoNotDisturb><active>false</active></DoNotDisturb>")),
            "/services/CallCenter" if get => Reply::xml(&ns(&format!(
                "<CallCenter><agentACDState>{}</agentACDState><callCenterList><callCenterDetails><serviceUserId>support@pbx.example\
                 </serviceUserId><available>true</available><isLogOffAllowed>false</isLogOffAllowed></callCenterDetails></callCenterList></CallCenter>",
                self.state.lock().unwrap()
            ))),
            "/services/CallCenter" => {
                if request.target.contains("validateSignOut=true") {
                    return Reply::xml_status(409, &ns("<ErrorInfo><summary>[Error 9] Nee</summary><errorCode>9</errorCode></ErrorInfo>"));
                }
                let (_, rest) = request.body.split_once("<agentACDState>").unwrap();
                *self.state.lock().unwrap() = rest.split('<').next().unwrap().to_owned();
                Reply::xml("")
            }
            "/directories/CallCenters" if request.target.contains("Supervisor") => {
                Reply::xml(&ns("<CallCenters></CallCenters>"))
            }
            "/directories/CallCenters" => Reply::xml(&ns(
                "<CallCenters><callCenter><serviceUserID>support@pbx.example</serviceUserID><numberCallsInQueue>2</numberCallsInQueue></callCenter></CallCenters>",
            )),
            "/directories/Enterprise" => {
                let from: u32 = if request.target.contains("start=1&") { 1 } else { 2 };
                Reply::xml(&ns(&format!(
                    "<Enterprise><startIndex>{from}</startIndex><numberOfRecords>1</numberOfRecords><totalAvailableRecords>2</totalAvailableRecords>\
                     <enterpriseDirectory><directoryDetails><userId>u{from}@pbx.example</userId></directoryDetails></enterpriseDirectory></Enterprise>"
                )))
            }
            "/v2.0/callcenter/support@pbx.example/profile" => {
                Reply::xml(&ns("<ACDProfile><serviceInstanceProfile><name>Support</name></serviceInstanceProfile></ACDProfile>"))
            }
            "/profile/Device" => Reply::xml(&ns(
                "<AccessDevices><accessDevice><deviceName>d</deviceName><deviceType>Business Communicator - PC</deviceType>\
                 <deviceLinePort>101@pbx.example</deviceLinePort><deviceUserNamePassword><userName>device</userName>\
                 <password>toestel</password></deviceUserNamePassword></accessDevice></AccessDevices>",
            )),
            _ => Reply::xml_status(404, ""),
        }
    }

    async fn say(&self, text: &str) {
        let sender = self.channel.lock().unwrap().clone().unwrap();
        sender.send(chunk(text)).await.unwrap();
    }
}

trait XmlStatus {
    fn xml_status(status: u16, body: &str) -> Reply;
}

impl XmlStatus for Reply {
    fn xml_status(status: u16, body: &str) -> Reply {
        Reply::new(status, "application/xml", body)
    }
}

fn config(url: &str) -> ClientConfig {
    ClientConfig {
        session: SessionConfig::new("jan@pbx.example", "set-1", "balie"),
        service: Service::from_addresses(url, url).unwrap(),
        anchors: Anchors::default(),
        proxies: false,
    }
}

fn password() -> Credentials {
    let password = SecretString::from("geheim".to_owned());
    Credentials::Basic { user: "jan@pbx.example".to_owned(), password }
}

/// Reads inputs until one fits, and gives back all of them.
async fn until(inputs: &mut mpsc::Receiver<Input>, fits: impl Fn(&Input) -> bool) -> Vec<Input> {
    let mut seen = Vec::new();
    loop {
        let next = timeout(PATIENCE, inputs.recv()).await;
        let input = next.unwrap_or_else(|_| panic!("it did not come: {seen:#?}")).unwrap();
        let last = fits(&input);
        seen.push(input);
        if last {
            return seen;
        }
    }
}

async fn start() -> (Binding, mpsc::Receiver<Input>, Exchange, Server) {
    let exchange = Exchange::default();
    "Sign-Out".clone_into(&mut exchange.state.lock().unwrap());
    let other = exchange.clone();
    let server = Server::start(move |request| other.answer(request)).await;
    let (binding, inputs) =
        Binding::start(config(&server.url()), Random::from_seed([6; 32])).unwrap();
    (binding, inputs, exchange, server)
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "one story from the sign-in to the close")]
async fn an_agent_signs_in_sees_his_queue_and_asks_for_things() {
    let (binding, mut inputs, exchange, server) = start().await;
    binding.sign_in(password()).await;
    let is_directory = |input: &Input| matches!(input, Input::Directory { entries, .. } if entries.iter().filter_map(|one| one.user.as_ref()).any(|user| user.0 == "u2@pbx.example"));
    let mut seen = until(&mut inputs, is_directory).await;
    if !seen.contains(&Input::Link(LinkState::Polling)) {
        // The figures of the queue are refused, so they are read at intervals.
        seen.extend(until(&mut inputs, |input| *input == Input::Link(LinkState::Polling)).await);
    }
    assert!(
        seen.iter()
            .any(|input| matches!(input, Input::Me { name, .. } if name == "Ren\u{e9} Smit"))
    );
    assert!(
        seen.iter().any(|input| matches!(input, Input::Queues(queues) if queues[0].1 == "Support"))
    );
    assert!(seen.iter().any(|input| matches!(input, Input::AgentStatus { status, .. } if status.state == AgentState::SignedOut)));
    assert!(seen.iter().any(|input| matches!(input, Input::Capabilities { present, .. } if present.contains(&Capability::Agent))));

    // An event, cut in the middle of a letter, under another prefix than its neighbours.
    let event = "<q:Event xmlns:q=\"http://schema.broadsoft.com/xsi\" xmlns:i=\"http://www.w3.org/2001/XMLSchema-instance\" \
        i:type=\"q:SubscriptionEvent\"><q:eventID>e1</q:eventID><q:sequenceNumber>1</q:sequenceNumber><q:subscriptionId>queue</q:subscriptionId>\
        <q:targetId>support@pbx.example</q:targetId><q:eventData i:type=\"q:ACDCallAddedEvent\"><q:queueEntry><q:callId>c:0</q:callId>\
        <q:remoteParty><q:name>Ren\u{e9}</q:name></q:remoteParty></q:queueEntry><q:position>1</q:position></q:eventData></q:Event>";
    let cut = event.find('\u{e9}').unwrap() + 1;
    let sender = exchange.channel.lock().unwrap().clone().unwrap();
    sender.send(chunk(&event.as_bytes()[..cut])).await.unwrap();
    sender.send(chunk(&event.as_bytes()[cut..])).await.unwrap();
    exchange.say("\n<ChannelHeartBeat/>\n").await;
    let seen = until(&mut inputs, |input| matches!(input, Input::QueueChange { .. })).await;
    let Some(Input::QueueChange { change: QueueChange::Entry { entry, .. }, .. }) = seen.last()
    else {
        panic!()
    };
    assert_eq!(entry.caller.name, "Ren\u{e9}");

    let state = |state, validate| Wish::SetAgentState { agent: None, state, code: None, validate };
    binding.request(RequestId(1), state(AgentState::Available, false)).await;
    until(&mut inputs, |input| {
        *input == Input::Done { request: RequestId(1), result: Ok(Answer::Accepted) }
    })
    .await;
    assert_eq!(*exchange.state.lock().unwrap(), "Available");
    binding.request(RequestId(2), state(AgentState::SignedOut, true)).await;
    let last =
        until(&mut inputs, |input| matches!(input, Input::Done { request: RequestId(2), .. }))
            .await;
    assert!(
        matches!(last.last(), Some(Input::Done { result: Err(Refusal::LastStaffed(queues)), .. }) if queues.len() == 1)
    );

    binding.close().await;
    let requests = server.requests();
    assert!(
        requests.iter().all(|one| one
            .header("authorization")
            .is_some_and(|value| value.starts_with("Basic ")))
    );
    let with_cookie = |end: &str| {
        let one = requests.iter().find(|one| one.target.ends_with(end));
        one.unwrap_or_else(|| panic!("{end} was not asked")).header("cookie")
            == Some("JSESSIONID=channel")
    };
    assert!(with_cookie("/eventresponse"), "acknowledgements carry the cookie of the channel");
    assert!(with_cookie("/channel/c1"), "the channel is ended at the close");
    assert!(requests[0].target.ends_with("/profile"), "a plain request proves the password");
    let channels = requests.iter().filter(|one| one.target.ends_with("/v2.0/channel")).count();
    assert_eq!(channels, 1);
}

#[tokio::test]
async fn a_taken_seat_is_told_and_not_fought_over() {
    let (binding, mut inputs, exchange, server) = start().await;
    binding.sign_in(password()).await;
    until(&mut inputs, |input| *input == Input::Link(LinkState::Polling)).await;
    exchange
        .say(
            "<xsi:Event xsi1:type=\"xsi:ChannelTerminatedEvent\" xmlns:xsi=\"http://schema.broadsoft.com/xsi\" \
             xmlns:xsi1=\"http://www.w3.org/2001/XMLSchema-instance\"><xsi:reason>DuplicateChannelSet</xsi:reason></xsi:Event>",
        )
        .await;
    until(&mut inputs, |input| *input == Input::Link(LinkState::Elsewhere)).await;
    // Requests still work; the user may take the seat back.
    binding.request(RequestId(1), Wish::Refresh).await;
    until(&mut inputs, |input| *input == Input::Link(LinkState::Polling)).await;
    let channels =
        server.requests().iter().filter(|one| one.target.ends_with("/v2.0/channel")).count();
    assert_eq!(channels, 2);
}

#[tokio::test]
async fn the_account_of_a_soft_phone_is_set_up_from_one_password() {
    let exchange = Exchange::default();
    let server = Server::start(move |request| match request.target.as_str() {
        "/dms/bc/pc/config.xml" => match request.header("authorization") {
            Some(value) if value.starts_with("Digest username=\"device\"") && value.contains("uri=\"/dms/bc/pc/config.xml\"") => {
                Reply::xml("<config><sip><domain>pbx.example</domain><secret>geheim2</secret></sip></config>")
            }
            Some(_) => Reply::new(403, "text/plain", ""),
            None => Reply::with(401, "text/plain", "WWW-Authenticate: Digest realm=\"dms\", nonce=\"n\", qop=\"auth\"\r\n", ""),
        },
        _ => exchange.answer(request),
    })
    .await;
    let (client, _notices) =
        Client::start(config(&server.url()), Random::from_seed([6; 32])).unwrap();
    client.sign_in(password()).await;
    let actions = Actions::new("jan@pbx.example", Release::R21).unwrap();
    let (origin, _) = Origin::parse(&server.url()).unwrap();
    let paths = ConfigPaths {
        domain: vec!["sip/domain".to_owned()],
        auth_password: vec!["secret".to_owned()],
        ..ConfigPaths::default()
    };
    let (anchors, mut random) = (Anchors::default(), Random::from_seed([1; 32]));
    let setup = fetch_setup(&client, &actions, &origin, &anchors, None, &paths, &mut random);
    let setup = timeout(PATIENCE, setup).await.unwrap().unwrap();
    assert!(setup.is_complete());
    assert_eq!(setup.line_port.as_deref(), Some("101@pbx.example"));
    assert_eq!(setup.auth_password.unwrap().expose_secret(), "geheim2");
}

/// A name server that knows two servers of one domain.
#[tokio::test]
async fn servers_are_found_by_the_name_service() {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    tokio::spawn(async move {
        let mut packet = [0; 512];
        while let Ok((length, from)) = socket.recv_from(&mut packet).await {
            let answer = srv_answer(&packet[..length]);
            socket.send_to(&answer, from).await.unwrap();
        }
    });
    let mut random = Random::from_seed([2; 32]);
    let service =
        timeout(PATIENCE, locate("pbx.example", &[address], &mut random)).await.unwrap().unwrap();
    let hosts: Vec<String> = service.events.iter().map(ToString::to_string).collect();
    assert_eq!(hosts, ["https://a.pbx.example:443", "https://b.pbx.example:8443"]);
}

/// The question again, with two SRV records.
fn srv_answer(question: &[u8]) -> Vec<u8> {
    let end = 12 + question[12..].iter().position(|&byte| byte == 0).unwrap() + 5;
    let mut answer = question[..2].to_vec();
    answer.extend_from_slice(&[0x85, 0x80, 0, 1, 0, 2, 0, 0, 0, 0]);
    answer.extend_from_slice(&question[12..end]);
    for (priority, port, host) in [(20u16, 8443u16, b'b'), (10, 443, b'a')] {
        let mut name = vec![1, host];
        for label in ["pbx", "example"] {
            name.push(u8::try_from(label.len()).unwrap());
            name.extend_from_slice(label.as_bytes());
        }
        name.push(0);
        answer.extend_from_slice(&[0xc0, 12, 0, 33, 0, 1, 0, 0, 0, 60]);
        answer.extend_from_slice(&u16::try_from(6 + name.len()).unwrap().to_be_bytes());
        answer.extend_from_slice(&priority.to_be_bytes());
        answer.extend_from_slice(&[0, 0]);
        answer.extend_from_slice(&port.to_be_bytes());
        answer.extend_from_slice(&name);
    }
    answer
}

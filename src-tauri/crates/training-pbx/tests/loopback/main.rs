//! The embedded PBX over real sockets on loopback: what a telephone, a flood of rubbish and the control port see.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "the helpers are part of the test")]

mod phone;
mod sound;

use std::net::SocketAddr;
use std::time::Duration;

use base64::Engine as _;
use phone::{PATIENCE, Phone};
use sip_types::{HeaderName, Method};
use sip_ua::{Event, RegistrationState, SessionId};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpStream, UdpSocket};
use training_pbx::acd::{News, QueueNews, Request};
use training_pbx::{CustomerCall, Pbx, PbxConfig, PbxError, PbxHandle, ReadyAccount};

fn account<'a>(pbx: &'a PbxHandle, extension: &str) -> &'a ReadyAccount {
    pbx.ready().accounts.iter().find(|account| account.extension == extension).unwrap()
}

async fn start() -> PbxHandle {
    Pbx::start(PbxConfig::default()).await.unwrap()
}

async fn registered(pbx: &PbxHandle, extension: &str, transport: &str) -> Phone {
    let account = account(pbx, extension);
    let mut phone = Phone::start(account, &account.password, transport).await;
    let state = phone.until("registration", outcome).await;
    assert!(matches!(state, RegistrationState::Registered { .. }), "{state:?}");
    phone
}

fn outcome(event: &Event) -> Option<RegistrationState> {
    match event {
        Event::Registration { state: RegistrationState::Registering, .. } => None,
        Event::Registration { state, .. } => Some(state.clone()),
        _ => None,
    }
}

fn end_of(session: SessionId) -> impl FnMut(&Event) -> Option<Option<u16>> {
    move |event| match event {
        Event::Ended { session: ended, cause } if *ended == session => {
            Some(cause.status.map(|status| status.code()))
        }
        _ => None,
    }
}

fn incoming(event: &Event) -> Option<sip_ua::Incoming> {
    match event {
        Event::Incoming(incoming) => Some((**incoming).clone()),
        _ => None,
    }
}

/// Calls a number and returns where its sound comes from.
async fn talk(pbx: &PbxHandle, phone: &mut Phone, number: &str, rtp: &UdpSocket) -> SocketAddr {
    let offer = sound::offer(rtp.local_addr().unwrap().port());
    phone.call(&account(pbx, "101").aor, number, &offer);
    let answer = |event: &Event| match event {
        Event::Answered { body, .. } => Some(body.clone().unwrap()),
        _ => None,
    };
    let body = phone.until("answer", answer).await;
    sound::address(&body.bytes)
}

#[tokio::test]
async fn phones_register_over_udp_and_tcp_and_strangers_do_not() {
    let pbx = start().await;
    let _desk = registered(&pbx, "101", "udp").await;
    let _joris = registered(&pbx, "102", "tcp").await;
    let mut thief = Phone::start(account(&pbx, "103"), "fout", "udp").await;
    let state = thief.until("refusal", outcome).await;
    assert!(matches!(state, RegistrationState::Failed { .. }), "{state:?}");
    let users: Vec<String> =
        pbx.status().await.unwrap().registrations.into_iter().map(|(user, _)| user).collect();
    assert_eq!(users, ["101", "102"]);
    pbx.restart().await.unwrap();
    assert!(pbx.status().await.unwrap().registrations.is_empty());
    pbx.stop().await;
}

#[tokio::test]
async fn busy_is_486_and_rubbish_changes_nothing() {
    let pbx = start().await;
    let mut phone = registered(&pbx, "101", "udp").await;
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let to = ("127.0.0.1", pbx.ready().sip_udp);
    for rubbish in [&b"\0"[..], b"INVITE", b"INVITE sip:600 SIP/2.0\r\n\r\n", &[0xff; 1400]] {
        socket.send_to(rubbish, to).await.unwrap();
    }
    let mut stream = TcpStream::connect(("127.0.0.1", pbx.ready().sip_tcp)).await.unwrap();
    stream.write_all(b"REGISTER nonsense\r\nContent-Length: -1\r\n\r\n").await.unwrap();
    let call =
        phone.call(&account(&pbx, "101").aor, &pbx.ready().numbers.busy, &sound::offer(30_000));
    assert_eq!(phone.until("busy", end_of(call)).await, Some(486));
    pbx.stop().await;
}

#[tokio::test]
async fn the_test_speech_is_heard() {
    let pbx = start().await;
    let mut phone = registered(&pbx, "101", "udp").await;
    let rtp = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    talk(&pbx, &mut phone, &pbx.ready().numbers.speech, &rtp).await;
    let heard = sound::record(&rtp, 100).await;
    let said = sound::test_speech();
    let likeness = sound::likeness(&said[2_000..6_000], &heard);
    assert!(likeness > 0.9, "{likeness}");
    pbx.stop().await;
}

#[tokio::test]
async fn the_echo_line_sends_back_what_is_said() {
    let pbx = start().await;
    let mut phone = registered(&pbx, "101", "tcp").await;
    let rtp = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let far = talk(&pbx, &mut phone, &pbx.ready().numbers.echo, &rtp).await;
    let said = sound::test_speech();
    // The introduction and the beep last four seconds.
    let heard = sound::converse(&rtp, far, &said, 400).await;
    let spoken = &said[5 * 8_000..5 * 8_000 + 3_200];
    let likeness = sound::likeness(spoken, &heard);
    assert!(likeness > 0.8, "{likeness}");
    pbx.stop().await;
}

#[tokio::test]
async fn a_customer_rings_the_phone_and_is_cut_off_when_the_pbx_stops() {
    let pbx = start().await;
    let mut phone = registered(&pbx, "101", "udp").await;
    pbx.customer_call(CustomerCall::to("101")).await.unwrap();
    let call = phone.until("customer", incoming).await;
    assert_eq!(call.caller.display.as_deref(), Some("Garage Jansen"));
    let rtp = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let answer = sound::offer(rtp.local_addr().unwrap().port());
    phone.ua.accept(phone::now(), call.session, Some(sip_ua::Body::sdp(answer))).unwrap();
    let confirmed = |event: &Event| matches!(event, Event::Confirmed { .. }).then_some(());
    phone.until("ACK", confirmed).await;
    let heard = sound::record(&rtp, 150).await;
    assert!(heard.iter().any(|sample| sample.abs() > 0.1), "the customer says nothing");
    let stop = tokio::spawn(pbx.stop());
    phone.until("goodbye", end_of(call.session)).await;
    tokio::time::timeout(PATIENCE, stop).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_customer_is_passed_on_and_the_phone_hears_that_it_worked() {
    let pbx = start().await;
    let mut phone = registered(&pbx, "101", "udp").await;
    pbx.customer_call(CustomerCall::to("101")).await.unwrap();
    let call = phone.until("customer", incoming).await;
    let rtp = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let answer = sound::offer(rtp.local_addr().unwrap().port());
    phone.ua.accept(phone::now(), call.session, Some(sip_ua::Body::sdp(answer))).unwrap();
    let confirmed = |event: &Event| matches!(event, Event::Confirmed { .. }).then_some(());
    phone.until("ACK", confirmed).await;
    let (_, host) = account(&pbx, "101").aor.split_once('@').unwrap();
    let headers = vec![(HeaderName::ReferTo, format!("<sip:201@{host}>"))];
    phone.ua.send_in_session(phone::now(), call.session, Method::Refer, headers, None).unwrap();
    let report = |event: &Event| match event {
        Event::InDialog { request, .. } if request.method == Method::Notify => {
            let line = String::from_utf8_lossy(&request.body).trim_end().to_owned();
            (line != "SIP/2.0 100 Trying" && line != "SIP/2.0 180 Ringing").then_some(line)
        }
        _ => None,
    };
    assert_eq!(phone.until("report", report).await, "SIP/2.0 200 OK");
    phone.until("goodbye", end_of(call.session)).await;
    assert_eq!(pbx.status().await.unwrap().calls, 0);
    pbx.stop().await;
}

#[tokio::test]
async fn simulated_parties_send_reports() {
    let pbx = start().await;
    let mut phone = registered(&pbx, "101", "udp").await;
    let (rtp, rtcp) = sound::pair().await;
    let far = talk(&pbx, &mut phone, &pbx.ready().numbers.music, &rtp).await;
    let mut report = [0; 1_500];
    let received = tokio::time::timeout(PATIENCE, rtcp.recv_from(&mut report)).await;
    let (length, from) = received.expect("no report").unwrap();
    assert_eq!(from.port(), far.port() + 1);
    // Version 2, a sender report.
    assert!(length >= 28 && report[0] >> 6 == 2 && report[1] == 200);
    pbx.stop().await;
}

#[tokio::test]
async fn a_restart_drops_connections_and_comes_back_on_the_same_ports() {
    let pbx = start().await;
    let _phone = registered(&pbx, "101", "tcp").await;
    let port = pbx.ready().sip_tcp;
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    stream.write_all(b"\r\n\r\n").await.unwrap();
    let mut pong = [0; 2];
    tokio::time::timeout(PATIENCE, stream.read_exact(&mut pong)).await.unwrap().unwrap();
    pbx.restart_after(Duration::from_millis(300)).await.unwrap();
    let end = tokio::time::timeout(PATIENCE, stream.read(&mut pong)).await.unwrap();
    assert!(matches!(end, Ok(0) | Err(_)), "{end:?}");
    assert!(pbx.status().await.unwrap().registrations.is_empty());
    let _again = registered(&pbx, "101", "tcp").await;
    let _other = registered(&pbx, "102", "udp").await;
    assert_eq!(pbx.status().await.unwrap().registrations.len(), 2);
    pbx.stop().await;
}

#[tokio::test]
async fn the_control_port_answers_every_line() {
    let pbx = start().await;
    let mut stream = TcpStream::connect(("127.0.0.1", pbx.ready().control)).await.unwrap();
    let long = format!("{}\n", "x".repeat(100_000));
    let lines = [
        ("{\"id\":1,\"cmd\":\"help\"}\n", "\"id\":1"),
        ("rubbish\n", "bad_line"),
        ("{\"cmd\":\"fly\"}\n", "unknown_command"),
        (&long, "bad_line"),
        ("{\"cmd\":\"customer.call\",\"to\":\"101\"}\n", "not_registered"),
        ("{\"cmd\":\"line.set\",\"line\":\"201\",\"state\":\"busy\"}\n", "\"touched\":1"),
        ("{\"cmd\":\"line.set\",\"line\":\"999\"}\n", "bad_target"),
        ("{\"cmd\":\"notify.loss\",\"lost\":80,\"reordered\":30}\n", "bad_arguments"),
        ("{\"cmd\":\"transfer.fail\",\"status\":200}\n", "bad_arguments"),
        ("{\"cmd\":\"agent.state\",\"agent\":\"104\",\"state\":\"unavailable\"}\n", "\"ok\":{}"),
        ("{\"cmd\":\"agent.list\",\"agent\":\"104\"}\n", "\"code\":\"PAUZE\""),
        ("{\"cmd\":\"agent.state\",\"agent\":\"9\",\"state\":\"available\"}\n", "refused"),
        ("{\"cmd\":\"queue.list\",\"queue\":\"195\"}\n", "\"unavailable\":1"),
        ("{\"cmd\":\"queue.night\",\"queue\":\"195\",\"mode\":\"on\"}\n", "\"ok\":{}"),
        ("{\"cmd\":\"queue.release\",\"call\":77}\n", "does not wait"),
        ("{\"cmd\":\"clock.set\",\"local_s\":1000000}\n", "\"ok\":{}"),
        ("{\"cmd\":\"callers.set\",\"rate\":0.0}\n", "\"touched\":1"),
        ("{\"cmd\":\"restart\"}\n", "\"ok\":{}"),
        ("{\"cmd\":\"status\"}\n", "\"registrations\":[]"),
    ];
    let (read, mut write) = stream.split();
    let mut answers = BufReader::new(read).lines();
    for (line, expected) in lines {
        write.write_all(line.as_bytes()).await.unwrap();
        let answer = tokio::time::timeout(PATIENCE, answers.next_line()).await.unwrap();
        let answer = answer.unwrap().unwrap();
        assert!(answer.contains(expected), "{answer}");
    }
    pbx.stop().await;
}

#[tokio::test]
async fn a_caller_of_the_queue_rings_an_agent_and_all_is_told() {
    let pbx = start().await;
    let mut events = pbx.centre_events();
    let mut phone = registered(&pbx, "104", "tcp").await;
    let call = CustomerCall { patience_s: Some(60), ..CustomerCall::to("195") };
    let number = pbx.customer_call(call).await.unwrap();
    let rung = phone.until("caller", incoming).await;
    let diversion = rung.headers.get(&HeaderName::Diversion).unwrap_or_default().into_owned();
    assert!(diversion.contains("Klantenservice"), "{diversion}");
    let rtp = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let answer = sound::offer(rtp.local_addr().unwrap().port());
    phone.ua.accept(phone::now(), rung.session, Some(sip_ua::Body::sdp(answer))).unwrap();
    let confirmed = |event: &Event| matches!(event, Event::Confirmed { .. }).then_some(());
    phone.until("ACK", confirmed).await;
    let answered = async {
        loop {
            let event = events.recv().await.unwrap();
            if let News::Queue(QueueNews::AnsweredByAgent(agent), entry) = &event.news {
                return (agent.0.clone(), entry.call, pbx.clock().unix_ms(event.at));
            }
        }
    };
    let (agent, told, at) = tokio::time::timeout(PATIENCE, answered).await.unwrap();
    assert_eq!((agent.as_str(), told), ("104", number));
    // After 2020, whatever the clock of this machine says.
    assert!(at > 1_577_836_800_000);
    let (view, _) = pbx.centre().await.unwrap();
    assert_eq!(view.agent(&"104".into()).unwrap().calls, [number]);
    let refused = Request::Join { agent: "104".into(), queue: "999".into(), joined: true };
    assert!(matches!(pbx.centre_request(refused).await, Err(PbxError::Centre(_))));
    pbx.stop().await;
}

#[tokio::test]
async fn a_message_becomes_a_mail_with_its_sound() {
    let folder = tempfile::tempdir().unwrap();
    let letters = folder.path().join("mails");
    let voicemail_folder = Some(letters.clone());
    let pbx = Pbx::start(PbxConfig { voicemail_folder, ..PbxConfig::default() }).await.unwrap();
    let mut phone = registered(&pbx, "101", "udp").await;
    let rtp = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let far = talk(&pbx, &mut phone, "*55103", &rtp).await;
    // The greeting lasts nine seconds, the beep follows; then some seconds of speech.
    let said = sound::test_speech().repeat(2);
    sound::converse(&rtp, far, &said, 700).await;
    phone.hang_up_all();
    let mut waited = Duration::ZERO;
    let file = loop {
        phone.idle(Duration::from_millis(100)).await;
        let files = std::fs::read_dir(&letters).into_iter().flatten().flatten();
        let mail = |file: &std::path::PathBuf| file.extension().is_some_and(|end| end == "eml");
        if let Some(file) = files.map(|file| file.path()).find(mail) {
            break file;
        }
        waited += Duration::from_millis(100);
        assert!(waited < PATIENCE, "no mail");
    };
    let mail = std::fs::read_to_string(file).unwrap();
    assert!(mail.contains("103@lindeboom.example"), "{}", &mail[..400]);
    let body = mail.rsplit_once("base64\r\n\r\n").unwrap().1;
    let text: String = body.split("--part").next().unwrap().split_whitespace().collect();
    let wav = base64::engine::general_purpose::STANDARD.decode(text).unwrap();
    let samples: Vec<i16> =
        hound::WavReader::new(wav.as_slice()).unwrap().samples().map(Result::unwrap).collect();
    assert!(samples.len() > 2 * 16_000, "{}", samples.len());
    let loud = samples.iter().filter(|sample| sample.abs() > 1_000).count();
    assert!(loud > 4_000, "only silence was recorded: {loud}");
    pbx.stop().await;
}

//! The embedded PBX over real sockets on loopback: what a telephone, a flood of rubbish and the control port see.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "the helpers are part of the test")]

mod phone;
mod sound;

use std::net::SocketAddr;

use phone::{PATIENCE, Phone};
use sip_ua::{Event, RegistrationState, SessionId};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpStream, UdpSocket};
use training_pbx::{CustomerCall, Pbx, PbxConfig, PbxHandle, ReadyAccount};

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

//! Server location against a name server of the test, and the flows to what was found.

#![expect(clippy::unwrap_used, reason = "in a test a panic is the message")]

mod common;
#[path = "common/names.rs"]
mod names;

use std::net::SocketAddr;

use common::{LOCALHOST, Peer, bind, config, expect_cause, next, within};
use names::Names;
use rtc_stun::message::{BINDING_SUCCESS, Message, Setter};
use rtc_stun::xoraddr::XorMappedAddress;
use sip_core::Target;
use sip_transport::{FailureCause, Incoming, ResolveError, TransportConfig, Watch};
use sip_types::{Transport as Protocol, Uri};
use tokio::net::UdpSocket;

async fn phone(names: &Names) -> Peer {
    bind(TransportConfig { name_servers: vec![names.serve().await], ..config() }).await
}

async fn locate(peer: &Peer, uri: &str) -> Result<Vec<String>, ResolveError> {
    let located = within(peer.transport.locate(&Uri::parse(uri).unwrap())).await?;
    Ok(located.iter().map(|one| format!("{} of {}", one.route.target, one.host)).collect())
}

#[tokio::test]
async fn records_are_followed_from_the_domain_to_addresses() {
    let names = Names::with_ttl(60)
        .naptr("example.com", 10, "SIP+D2T", "_sip._tcp.example.com.")
        .naptr("example.com", 20, "SIP+D2U", "_sip._udp.example.com.")
        .srv("_sip._tcp.example.com", 2, 5070, "Backup.example.com.")
        .srv("_sip._tcp.example.com", 1, 5060, "main.example.com.")
        .address("main.example.com", "127.0.0.1")
        .address("main.example.com", "127.0.0.2")
        .address("backup.example.com", "127.0.0.3");
    let phone = phone(&names).await;
    let expected = [
        "TCP:127.0.0.1:5060 of main.example.com",
        "TCP:127.0.0.2:5060 of main.example.com",
        "TCP:127.0.0.3:5070 of backup.example.com",
    ];
    let mut found = locate(&phone, "sip:example.com").await.unwrap();
    found.sort();
    assert_eq!(found, expected);
    // Asked once, known for as long as the records say.
    let asked = names.asked();
    locate(&phone, "sip:example.com").await.unwrap();
    assert_eq!(names.asked(), asked);
    names.fall_silent();
    locate(&phone, "sip:example.com").await.unwrap();
    // Another network may know other servers; the old answers stand in for one that is silent.
    phone.transport.network_changed();
    let mut found = locate(&phone, "sip:example.com").await.unwrap();
    found.sort();
    assert_eq!(found, expected);
    assert!(names.asked() > asked);
}

#[tokio::test]
async fn records_that_run_out_at_once_are_asked_again() {
    let names = Names::with_ttl(0).address("pbx.example.com", "127.0.0.1");
    let phone = phone(&names).await;
    locate(&phone, "sip:pbx.example.com:5060").await.unwrap();
    let asked = names.asked();
    locate(&phone, "sip:pbx.example.com:5060").await.unwrap();
    assert!(names.asked() > asked);
}

#[tokio::test]
async fn why_a_name_leads_nowhere_is_told_apart() {
    let names = Names::with_ttl(60).srv("_sip._udp.closed.example", 0, 0, ".");
    let phone = phone(&names).await;
    let outcome = locate(&phone, "sip:nowhere.example").await;
    assert_eq!(outcome, Err(ResolveError::UnknownName("nowhere.example".to_owned())));
    let outcome = locate(&phone, "sip:closed.example").await;
    assert_eq!(outcome, Err(ResolveError::NotOffered("closed.example".to_owned())));
    names.fall_silent();
    let outcome = locate(&phone, "sip:silent.example:5060").await;
    match outcome {
        Err(ResolveError::NameService { name, reason }) => {
            assert_eq!(
                (name.as_str(), reason.as_str()),
                ("silent.example", "no name server answers")
            );
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_supervised_flow_learns_our_address_and_notices_silence() {
    let server = UdpSocket::bind((LOCALHOST, 0)).await.unwrap();
    let addr = server.local_addr().unwrap();
    let mut phone = bind(config()).await;
    let target = Target { transport: Protocol::Udp, addr };
    phone.transport.keep_alive(target, Watch::Watched);
    let mut buffer = [0; 1500];
    let (len, from) = within(server.recv_from(&mut buffer)).await.unwrap();
    assert_eq!(from, SocketAddr::new(LOCALHOST, phone.port()));
    let mut request = Message::new();
    request.unmarshal_binary(&buffer[..len]).unwrap();
    let mut answer = Message::new();
    answer.build(&[Box::new(BINDING_SUCCESS), Box::new(request.transaction_id)]).unwrap();
    let seen: SocketAddr = "203.0.113.9:40000".parse().unwrap();
    XorMappedAddress { ip: seen.ip(), port: seen.port() }.add_to(&mut answer).unwrap();
    server.send_to(&answer.raw, from).await.unwrap();
    match next(&mut phone).await {
        Incoming::Mapped { target: told, address, before } => {
            assert_eq!((told, address, before), (target, seen, None));
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_flow_that_never_answers_is_lost() {
    let server = UdpSocket::bind((LOCALHOST, 0)).await.unwrap();
    let target = Target { transport: Protocol::Udp, addr: server.local_addr().unwrap() };
    let mut phone = bind(config()).await;
    phone.transport.keep_alive(target, Watch::Watched);
    assert_eq!(expect_cause(&mut phone).await, (target, FailureCause::Timeout));
}

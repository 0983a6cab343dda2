//! The rules of server location, each fed with answers of a name service that is not there.

use std::net::IpAddr;

use sip_core::Random;
use sip_types::Uri;

use super::{Answer, Answers, Destination, Naptr, Question, Srv, Step, locate};
use crate::ResolveError;

fn naptr(order: u16, preference: u16, services: &str, replacement: &str) -> Naptr {
    let (flags, services) = ("s".to_owned(), services.to_owned());
    Naptr { order, preference, flags, services, replacement: replacement.to_owned() }
}

fn srv(priority: u16, port: u16, host: &str) -> Srv {
    Srv { priority, weight: 1, port, host: host.to_owned() }
}

/// A name service with the records of one test.
#[derive(Default)]
struct Zone(Answers);

impl Zone {
    fn naptr(mut self, name: &str, records: &[Naptr]) -> Self {
        self.0.insert(Question::Naptr(name.to_owned()), Answer::Naptr(records.to_vec()));
        self
    }

    fn srv(mut self, name: &str, records: &[Srv]) -> Self {
        self.0.insert(Question::Srv(name.to_owned()), Answer::Srv(records.to_vec()));
        self
    }

    fn addresses(mut self, name: &str, addresses: &[&str]) -> Self {
        let addresses = addresses.iter().map(|ip| ip.parse::<IpAddr>().unwrap()).collect();
        self.0.insert(Question::Addresses(name.to_owned()), Answer::Addresses(addresses));
        self
    }

    fn fails(mut self, question: Question) -> Self {
        self.0.insert(question, Answer::Failed("no answer".to_owned()));
        self
    }

    /// Asks until there is an outcome; also tells what was asked.
    fn run(&self, uri: &str) -> (Result<Vec<String>, ResolveError>, Vec<Question>) {
        let destination = match Destination::of(&Uri::parse(uri).unwrap()) {
            Ok(destination) => destination,
            Err(error) => return (Err(error), Vec::new()),
        };
        let (mut known, mut asked) = (Answers::new(), Vec::new());
        loop {
            match locate(&destination, &known, &mut Random::from_seed([1; 32])) {
                Step::Ask(questions) => {
                    assert!(!questions.is_empty());
                    for question in questions {
                        let answer = self.0.get(&question).cloned().unwrap_or(Answer::Nothing);
                        assert_eq!(known.insert(question.clone(), answer), None, "asked twice");
                        asked.push(question);
                    }
                }
                Step::Done(found) => {
                    let found = found.iter().map(|found| found.target.to_string()).collect();
                    return (Ok(found), asked);
                }
                Step::Failed(error) => return (Err(error), asked),
            }
        }
    }

    fn targets(&self, uri: &str) -> Vec<String> {
        self.run(uri).0.unwrap()
    }
}

/// The domain of RFC 3263 section 4.2, with addresses.
fn example() -> Zone {
    let records = [
        naptr(50, 50, "SIPS+D2T", "_sips._tcp.example.com."),
        naptr(90, 50, "SIP+D2T", "_sip._tcp.example.com."),
        naptr(100, 50, "SIP+D2U", "_sip._udp.example.com."),
    ];
    Zone::default()
        .naptr("example.com", &records)
        .srv("_sips._tcp.example.com", &[srv(0, 5061, "s1.example.com.")])
        .srv(
            "_sip._tcp.example.com",
            &[srv(0, 5060, "s1.example.com."), srv(1, 5070, "s2.example.com")],
        )
        .srv("_sip._udp.example.com", &[srv(0, 5060, "S2.example.com.")])
        .addresses("s1.example.com", &["192.0.2.1", "192.0.2.2", "2001:db8::1"])
        .addresses("s2.example.com", &["192.0.2.3"])
        .addresses("example.com", &["192.0.2.9"])
}

#[test]
fn an_address_is_asked_of_nobody() {
    for (uri, target) in [
        ("sip:192.0.2.7", "UDP:192.0.2.7:5060"),
        ("sip:a@192.0.2.7:5070", "UDP:192.0.2.7:5070"),
        ("sip:192.0.2.7;transport=tcp", "TCP:192.0.2.7:5060"),
        ("sip:192.0.2.7;transport=tls", "TLS:192.0.2.7:5061"),
        ("sip:192.0.2.7;transport=wss", "WSS:192.0.2.7:443"),
        ("sip:192.0.2.7:8088;transport=ws", "WS:192.0.2.7:8088"),
        ("sips:192.0.2.7", "TLS:192.0.2.7:5061"),
        ("sips:192.0.2.7;transport=tcp", "TLS:192.0.2.7:5061"),
        ("sips:192.0.2.7;transport=ws", "WSS:192.0.2.7:443"),
        ("sip:[2001:db8::7]", "UDP:[2001:db8::7]:5060"),
        ("sip:example.com;maddr=192.0.2.8", "UDP:192.0.2.8:5060"),
    ] {
        let (found, asked) = Zone::default().run(uri);
        assert_eq!((found, asked), (Ok(vec![target.to_owned()]), vec![]), "{uri}");
    }
}

#[test]
fn a_port_means_no_records_but_addresses() {
    let (found, asked) = example().run("sip:example.com:5080");
    assert_eq!(found.unwrap(), ["UDP:192.0.2.9:5080"]);
    assert_eq!(asked, [Question::Addresses("example.com".to_owned())]);
    assert_eq!(example().targets("sips:example.com:5080"), ["TLS:192.0.2.9:5080"]);
    assert_eq!(example().targets("sip:example.com:5080;transport=tcp"), ["TCP:192.0.2.9:5080"]);
}

#[test]
fn the_lowest_order_we_can_speak_is_taken() {
    let tls = ["TLS:192.0.2.1:5061", "TLS:[2001:db8::1]:5061", "TLS:192.0.2.2:5061"];
    assert_eq!(example().targets("sip:example.com"), tls);
    assert_eq!(example().targets("sips:EXAMPLE.com."), tls);
    let zone = example().naptr(
        "example.com",
        &[
            naptr(1, 1, "SIP+D2S", "_sip._sctp.example.com"),
            naptr(2, 1, "sip+d2u", "_sip._udp.example.com"),
            naptr(3, 1, "SIP+D2T", "_sip._tcp.example.com"),
        ],
    );
    assert_eq!(zone.targets("sip:example.com"), ["UDP:192.0.2.3:5060"]);
}

#[test]
fn preference_orders_within_an_order() {
    let zone = example().naptr(
        "example.com",
        &[
            naptr(1, 20, "SIP+D2U", "_sip._udp.example.com"),
            naptr(1, 10, "SIPS+D2T", "_sips._tcp.example.com"),
        ],
    );
    let found = zone.targets("sip:example.com");
    assert_eq!(found.first().map(String::as_str), Some("TLS:192.0.2.1:5061"));
    assert_eq!(found.last().map(String::as_str), Some("UDP:192.0.2.3:5060"));
}

#[test]
fn records_that_are_no_pointers_to_srv_do_not_count() {
    let regexp = Naptr { flags: "u".to_owned(), ..naptr(1, 1, "SIP+D2U", "_sip._udp.example.com") };
    let zone = example().naptr("example.com", &[regexp, naptr(2, 1, "E2U+sip", "x.example.com")]);
    let (_, asked) = zone.run("sip:example.com");
    assert!(asked.contains(&Question::Srv("_sip._tcp.example.com".to_owned())), "{asked:?}");
}

#[test]
fn websocket_services_are_found() {
    let zone = Zone::default()
        .naptr(
            "example.com",
            &[
                naptr(1, 1, "SIPS+D2W", "_sips._ws.example.com"),
                naptr(1, 2, "SIP+D2W", "_sip._ws.example.com"),
            ],
        )
        .srv("_sips._ws.example.com", &[srv(1, 8089, "edge.example.com")])
        .srv("_sip._ws.example.com", &[srv(1, 8088, "edge.example.com")])
        .addresses("edge.example.com", &["192.0.2.4"]);
    assert_eq!(zone.targets("sip:example.com"), ["WSS:192.0.2.4:8089", "WS:192.0.2.4:8088"]);
    assert_eq!(zone.targets("sips:example.com"), ["WSS:192.0.2.4:8089"]);
}

#[test]
fn a_sips_uri_never_leads_to_an_open_transport() {
    let zone = Zone::default()
        .naptr("example.com", &[naptr(1, 1, "SIP+D2U", "_sip._udp.example.com")])
        .srv("_sip._udp.example.com", &[srv(1, 5060, "s1.example.com")])
        .addresses("s1.example.com", &["192.0.2.1"])
        .addresses("example.com", &["192.0.2.9"]);
    assert_eq!(zone.targets("sips:example.com"), ["TLS:192.0.2.9:5061"]);
    assert!(matches!(
        zone.run("sips:example.com;transport=udp").0,
        Err(ResolveError::Unsupported(_))
    ));
}

#[test]
fn a_transport_skips_naptr() {
    let (found, asked) = example().run("sip:example.com;transport=tcp");
    let expected = [
        "TCP:192.0.2.1:5060",
        "TCP:[2001:db8::1]:5060",
        "TCP:192.0.2.2:5060",
        "TCP:192.0.2.3:5070",
    ];
    assert_eq!(found.unwrap(), expected);
    assert!(!asked.contains(&Question::Naptr("example.com".to_owned())));
    let found = example().targets("sip:example.com;transport=tls");
    assert_eq!(found.first().map(String::as_str), Some("TLS:192.0.2.1:5061"));
    let unknown = example().run("sip:example.com;transport=sctp").0;
    assert_eq!(unknown, Err(ResolveError::Unsupported("sctp".to_owned())));
}

#[test]
fn without_naptr_the_services_are_looked_for() {
    let mut zone = example();
    zone.0.remove(&Question::Naptr("example.com".to_owned()));
    let found = zone.targets("sip:example.com");
    assert_eq!(found.first().map(String::as_str), Some("UDP:192.0.2.3:5060"));
    assert_eq!(found.get(1).map(String::as_str), Some("TCP:192.0.2.1:5060"));
    assert!(found.last().is_some_and(|last| last.starts_with("TLS:")));
    let failing = example().fails(Question::Naptr("example.com".to_owned()));
    assert_eq!(failing.targets("sip:example.com"), found);
}

#[test]
fn without_any_record_the_address_with_the_default_port() {
    let zone = Zone::default().addresses("pbx", &["2001:db8::9", "192.0.2.9"]);
    assert_eq!(zone.targets("sip:pbx"), ["UDP:192.0.2.9:5060", "UDP:[2001:db8::9]:5060"]);
    assert_eq!(zone.targets("sips:pbx").first().map(String::as_str), Some("TLS:192.0.2.9:5061"));
    let wss = zone.targets("sip:pbx;transport=wss");
    assert_eq!(wss.first().map(String::as_str), Some("WSS:192.0.2.9:443"));
}

#[test]
fn a_service_that_is_decidedly_not_there_is_not_tried() {
    let zone = Zone::default()
        .srv("_sip._udp.example.com", &[srv(0, 0, "")])
        .addresses("example.com", &["192.0.2.9"]);
    let outcome = zone.run("sip:example.com").0;
    assert_eq!(outcome, Err(ResolveError::NotOffered("example.com".to_owned())));
    let zone = zone
        .srv("_sip._tcp.example.com", &[srv(0, 5060, "s1.example.com")])
        .addresses("s1.example.com", &["192.0.2.1"]);
    assert_eq!(zone.targets("sip:example.com"), ["TCP:192.0.2.1:5060"]);
}

#[test]
fn a_host_without_an_address_is_passed_over() {
    let zone = example().srv(
        "_sip._udp.example.com",
        &[srv(0, 5060, "gone.example.com"), srv(1, 5060, "s2.example.com")],
    );
    assert_eq!(zone.targets("sip:example.com;transport=udp"), ["UDP:192.0.2.3:5060"]);
}

#[test]
fn why_there_is_no_way_is_told() {
    let outcome = Zone::default().run("sip:nowhere.example").0;
    assert_eq!(outcome, Err(ResolveError::UnknownName("nowhere.example".to_owned())));
    let question = Question::Addresses("nowhere.example".to_owned());
    let outcome = Zone::default().fails(question).run("sip:nowhere.example").0;
    assert!(matches!(outcome, Err(ResolveError::NameService { .. })), "{outcome:?}");
    assert!(matches!(Zone::default().run("tel:+31201234567").0, Err(ResolveError::NoHost(_))));
}

#[test]
fn the_number_of_targets_is_bounded() {
    let addresses: Vec<String> = (0..200).map(|i| format!("192.0.2.{i}")).collect();
    let addresses: Vec<&str> = addresses.iter().map(String::as_str).collect();
    let records: Vec<Srv> = (0..200).map(|i| srv(1, 5000 + i, "s1.example.com")).collect();
    let zone = Zone::default()
        .srv("_sip._udp.example.com", &records)
        .addresses("s1.example.com", &addresses);
    assert_eq!(zone.targets("sip:example.com").len(), 32);
}

//! A name server on the loopback interface, with the records of one test.
#![allow(
    dead_code,
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    reason = "each test file uses a part; in a test a panic is the message"
)]

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex};

use hickory_resolver::proto::op::{Message, MessageType, ResponseCode};
use hickory_resolver::proto::rr::rdata::{A, AAAA, NAPTR, SRV};
use hickory_resolver::proto::rr::{Name, RData, Record, RecordType};
use tokio::net::UdpSocket;

type Zone = HashMap<(String, RecordType), Vec<RData>>;

/// What is asked and what is answered.
#[derive(Clone, Default)]
pub struct Names {
    zone: Arc<Mutex<Zone>>,
    asked: Arc<Mutex<Vec<(String, RecordType)>>>,
    ttl: u32,
    /// Asked for anything below this, it says nothing at all.
    silent: Arc<Mutex<bool>>,
}

impl Names {
    pub fn with_ttl(ttl: u32) -> Self {
        Self { ttl, ..Self::default() }
    }

    fn add(self, name: &str, data: RData) -> Self {
        let key = (name.to_owned(), data.record_type());
        self.zone.lock().unwrap().entry(key).or_default().push(data);
        self
    }

    pub fn address(self, name: &str, ip: &str) -> Self {
        let data = match ip.parse().unwrap() {
            IpAddr::V4(ip) => RData::A(A(ip)),
            IpAddr::V6(ip) => RData::AAAA(AAAA(ip)),
        };
        self.add(name, data)
    }

    pub fn srv(self, name: &str, priority: u16, port: u16, host: &str) -> Self {
        let host = Name::from_ascii(host).unwrap();
        self.add(name, RData::SRV(SRV::new(priority, 1, port, host)))
    }

    pub fn naptr(self, name: &str, order: u16, services: &str, replacement: &str) -> Self {
        let replacement = Name::from_ascii(replacement).unwrap();
        let (flags, services) = (Box::from(&b"s"[..]), Box::from(services.as_bytes()));
        let data = NAPTR::new(order, 1, flags, services, Box::default(), replacement);
        self.add(name, RData::NAPTR(data))
    }

    pub fn asked(&self) -> usize {
        self.asked.lock().unwrap().len()
    }

    pub fn fall_silent(&self) {
        *self.silent.lock().unwrap() = true;
    }

    /// Serves for as long as the test's runtime lives; the address to ask at.
    pub async fn serve(&self) -> SocketAddr {
        let socket = UdpSocket::bind(("127.0.0.1", 0)).await.unwrap();
        let addr = socket.local_addr().unwrap();
        let names = self.clone();
        tokio::spawn(async move {
            let mut buffer = [0; 4096];
            while let Ok((len, from)) = socket.recv_from(&mut buffer).await {
                if let Some(answer) = names.answer(&buffer[..len]) {
                    socket.send_to(&answer, from).await.unwrap();
                }
            }
        });
        addr
    }

    fn answer(&self, bytes: &[u8]) -> Option<Vec<u8>> {
        let question = Message::from_vec(bytes).unwrap();
        let query = question.queries.first()?.clone();
        let name = query.name().to_ascii().trim_end_matches('.').to_ascii_lowercase();
        self.asked.lock().unwrap().push((name.clone(), query.query_type()));
        if *self.silent.lock().unwrap() {
            return None;
        }
        let zone = self.zone.lock().unwrap();
        let mut answer = Message::response(question.metadata.id, question.metadata.op_code);
        answer.metadata.recursion_available = true;
        answer.metadata.message_type = MessageType::Response;
        if !zone.keys().any(|(known, _)| *known == name) {
            answer.metadata.response_code = ResponseCode::NXDomain;
        }
        for data in zone.get(&(name, query.query_type())).into_iter().flatten() {
            answer.answers.push(Record::from_rdata(query.name().clone(), self.ttl, data.clone()));
        }
        answer.queries.push(query);
        Some(answer.to_vec().unwrap())
    }
}

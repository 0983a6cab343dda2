//! Ten thousand exchanges in virtual time leave nothing behind.

use sip_types::{HeaderName, Message, Method, Request, Transport};

use super::{Ladder, arriving, request, response};
use crate::ServerKey;
use crate::transaction::{Event, Input, Output};

/// Gives each exchange an outcome by its number: answered, refused, cancelled or ignored.
struct Soak {
    ladder: Ladder,
}

impl Soak {
    fn drain(&mut self) -> (Option<Request>, Option<ServerKey>) {
        let (mut sent, mut shown) = (None, None);
        while let Some(output) = self.ladder.layer.poll_output() {
            match output {
                Output::Transmit(transmit) => {
                    if let Ok(Message::Request(request)) = Message::parse(&transmit.payload) {
                        sent = Some(request);
                    }
                }
                Output::Event(Event::Request { key, .. }) => shown = Some(key),
                Output::Event(_) => {}
            }
        }
        (sent, shown)
    }

    fn receive(&mut self, message: Message) -> (Option<Request>, Option<ServerKey>) {
        let (now, source) = (self.ladder.now(), self.ladder.source());
        self.ladder.layer.handle_input(now, Input::Received { source, message });
        self.drain()
    }

    fn client(&mut self, number: u32, method: &Method) {
        let (now, route) = (self.ladder.now(), self.ladder.route());
        self.ladder.layer.request(now, request(method.clone()), &route);
        let sent = self.drain().0.unwrap();
        let statuses: &[u16] = match number % 5 {
            0 => &[200],
            1 => &[100, 180, 200, 200],
            2 => &[180, 486, 486],
            3 => &[503],
            _ => &[],
        };
        for status in statuses {
            self.receive(Message::Response(response(&sent, *status, "b")));
        }
    }

    fn server(&mut self, number: u32, method: &Method) {
        let mut request = arriving(method.clone(), &format!("z9hG4bK{number}"));
        request.headers.set(HeaderName::CallId, format!("call-{number}"));
        let key = self.receive(Message::Request(request.clone())).1.unwrap();
        let statuses: &[u16] = match number % 4 {
            0 => &[200],
            1 => &[180, 200],
            2 => &[100, 486],
            _ => &[],
        };
        let now = self.ladder.now();
        for status in statuses {
            self.ladder.layer.respond(now, &key, response(&request, *status, "us"));
        }
        self.drain();
        if *method == Method::Invite && number % 4 == 3 {
            let mut cancel = arriving(Method::Cancel, &format!("z9hG4bK{number}"));
            cancel.headers.set(HeaderName::CallId, format!("call-{number}"));
            self.receive(Message::Request(cancel));
            self.ladder.layer.respond(now, &key, response(&request, 487, "us"));
            self.drain();
        }
    }
}

#[test]
fn ten_thousand_transactions_leave_nothing_behind() {
    let mut soak = Soak { ladder: Ladder::new(Transport::Udp) };
    let methods = [Method::Invite, Method::Options, Method::Bye];
    for number in 0..5_000 {
        let method = methods.get(number as usize % methods.len()).unwrap();
        soak.client(number, method);
        soak.server(number, method);
        if number % 10 == 0 {
            let now = soak.ladder.now();
            soak.ladder.layer.handle_timeout(now);
            soak.drain();
            soak.ladder.pass(100);
        }
    }
    let (clients, servers) = soak.ladder.layer.under_way();
    assert!(clients > 1_000 && servers > 1_000, "the load is real: {clients} and {servers}");
    soak.ladder.finish();
}

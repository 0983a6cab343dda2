//! Hunt groups, night mode, forwarding, call waiting, barred calls, the attendant, callers of a busy day.

use super::*;
use crate::acd::{Night, Policy};
use crate::company::{Attendant, HuntGroup, Key};
use crate::desk::{Barred, ForwardWhen};
use crate::knob::Knob;
use crate::rush::Rush;

impl World {
    fn group(&mut self, policy: Policy, weights: &[(&str, u8)]) {
        let group = HuntGroup {
            number: "191".into(),
            name: "Verkoop".into(),
            members: ["101", "102", "103"].map(str::to_owned).to_vec(),
            ring_s: 15,
            policy,
            weights: weights.iter().map(|(line, share)| ((*line).to_owned(), *share)).collect(),
        };
        self.exchange.company.groups = vec![group];
    }

    /// Which of these phones rings.
    fn rings(&self, phones: &[usize]) -> Vec<usize> {
        let rings = |phone: &&usize| {
            let session = self.incoming(**phone).map(|incoming| incoming.session);
            session.is_some_and(|session| self.ended(**phone, session).is_none())
        };
        phones.iter().filter(rings).copied().collect()
    }

    fn forward(&mut self, line: &str, when: ForwardWhen, to: &str, rings: Option<u32>) {
        let (line, to) = (line.to_owned(), Some(to.to_owned()));
        self.turn(Knob::Forwarding { line, when, active: true, to, rings });
    }

    fn diversion(&self, phone: usize) -> String {
        let incoming = self.incoming(phone).unwrap();
        incoming.headers.get(&HeaderName::Diversion).unwrap_or_default().into_owned()
    }

    fn hang_up(&mut self, phone: usize, session: SessionId) {
        self.phones[phone].ua.hangup(self.now, session).unwrap();
        self.settle();
    }
}

#[test]
fn a_group_rings_its_members_in_the_order_of_its_policy() {
    let first_of = |policy, weights: &[(&str, u8)]| {
        let mut world = World::new();
        world.group(policy, weights);
        let all = ["101", "102", "103"].map(|user| world.automatic(user));
        let caller = world.automatic("104");
        let mut first = Vec::new();
        for _ in 0..4 {
            let call = world.dial(caller, "191");
            let rung = world.rings(&all);
            first.push(rung.iter().map(|phone| phone + 101).collect::<Vec<_>>());
            // The first who rings has a talk, and has been idle shortest then.
            if let Some(phone) = rung.first() {
                world.lift(*phone);
                assert!(world.talk(*phone, caller));
                world.pass(Duration::from_secs(5));
            }
            world.hang_up(caller, call);
        }
        world.assert_nothing_left();
        first
    };
    assert_eq!(first_of(Policy::Regular, &[]), [[101], [101], [101], [101]]);
    assert_eq!(first_of(Policy::Circular, &[]), [[101], [102], [103], [101]]);
    assert_eq!(first_of(Policy::Uniform, &[]), [[101], [102], [103], [101]]);
    assert_eq!(first_of(Policy::Weighted, &[("103", 100)]), [[103], [103], [103], [103]]);
    let all = vec![101, 102, 103];
    assert_eq!(first_of(Policy::Simultaneous, &[]), vec![all; 4]);
}

#[test]
fn a_group_that_rings_all_at_once_tells_who_answered() {
    let mut world = World::new();
    world.group(Policy::Simultaneous, &[]);
    let [joris, samira, caller] = ["102", "103", "104"].map(|user| world.automatic(user));
    let call = world.dial(caller, "191");
    let ringing = world.incoming(joris).unwrap().session;
    world.phones[joris].ua.ring(world.now, ringing).unwrap();
    world.settle();
    world.lift(samira);
    assert!(world.ended(joris, ringing).unwrap().answered_elsewhere);
    assert_eq!(world.lamps("103"), [Stage::Confirmed]);
    assert!(world.lamps("102").is_empty());
    world.hang_up(caller, call);
    world.assert_nothing_left();
}

#[test]
fn at_night_the_companys_calls_go_elsewhere() {
    let mut world = World::new();
    let [desk, samira, caller] = ["101", "103", "104"].map(|user| world.automatic(user));
    world.exchange.company.night.business_hours = Some(crate::acd::Schedule::working_days(8, 17));
    world.turn(Knob::CompanyNight { mode: Night::Automatic, to: Some("103".into()) });
    let by_day = world.dial(caller, "100");
    assert_eq!(world.rings(&[desk, samira]), [desk]);
    let ringing = world.incoming(desk).unwrap().session;
    world.phones[desk].ua.ring(world.now, ringing).unwrap();
    world.settle();
    world.hang_up(caller, by_day);
    let evening = Calendar { told_at: world.now, local_s: 6 * 86_400 + 20 * 3_600 };
    world.exchange.set_calendar(world.now, evening);
    let late = world.dial(caller, "100");
    assert_eq!(world.rings(&[desk, samira]), [samira]);
    assert!(world.diversion(samira).contains("reason=time-of-day"), "{}", world.diversion(samira));
    world.hang_up(caller, late);
    world.turn(Knob::CompanyNight { mode: Night::Off, to: None });
    let open = world.dial(caller, "190");
    assert_eq!(world.rings(&[desk]), [desk]);
    world.hang_up(caller, open);
    world.assert_nothing_left();
}

#[test]
fn busy_lines_and_silent_ones_are_forwarded_with_a_reason() {
    let mut world = World::new();
    let [desk, joris, samira] = ["101", "102", "103"].map(|user| world.automatic(user));
    world.forward("102", ForwardWhen::NoAnswer, "103", Some(2));
    let call = world.dial(desk, "102");
    let ringing = world.incoming(joris).unwrap().session;
    world.phones[joris].ua.ring(world.now, ringing).unwrap();
    world.pass(Duration::from_secs(9));
    assert_eq!(world.rings(&[joris, samira]), [joris]);
    world.pass(Duration::from_secs(1));
    assert_eq!(world.rings(&[joris, samira]), [samira]);
    assert!(world.diversion(samira).contains("102@"), "{}", world.diversion(samira));
    assert!(world.diversion(samira).contains("reason=no-answer"));
    world.hang_up(desk, call);
    // The phone says that it is busy.
    world.forward("102", ForwardWhen::Busy, "103", None);
    let call = world.dial(desk, "102");
    let ringing = world.incoming(joris).unwrap().session;
    world.phones[joris].ua.reject(world.now, ringing, StatusCode::BUSY_HERE).unwrap();
    world.settle();
    assert!(world.diversion(samira).contains("reason=user-busy"));
    world.hang_up(desk, call);
    // So does the exchange, with do-not-disturb.
    world.turn(Knob::DoNotDisturb { line: "102".into(), on: true });
    let call = world.dial(desk, "102");
    assert_eq!(world.rings(&[samira]), [samira]);
    world.hang_up(desk, call);
    world.assert_nothing_left();
}

#[test]
fn forwarding_in_a_circle_ends() {
    let mut world = World::new();
    let desk = world.automatic("101");
    world.forward("102", ForwardWhen::Always, "103", None);
    world.forward("103", ForwardWhen::Always, "102", None);
    let call = world.dial(desk, "102");
    assert_eq!(world.status_of(desk, call), Some(482));
    world.assert_nothing_left();
}

#[test]
fn a_line_without_call_waiting_takes_one_call() {
    let mut world = World::new();
    let [desk, joris, samira] = ["101", "102", "103"].map(|user| world.automatic(user));
    world.turn(Knob::CallWaiting { line: "102".into(), on: false });
    let first = world.dial(desk, "102");
    world.lift(joris);
    let second = world.dial(samira, "102");
    assert_eq!(world.status_of(samira, second), Some(486));
    world.turn(Knob::CallWaiting { line: "102".into(), on: true });
    let third = world.dial(samira, "102");
    assert_eq!(world.status_of(samira, third), None);
    world.hang_up(samira, third);
    world.hang_up(desk, first);
    world.assert_nothing_left();
}

#[test]
fn a_barred_line_hears_why() {
    let mut world = World::new();
    let desk = world.automatic("101");
    let bar = |barred| Knob::Bar { line: "101".into(), barred };
    world.turn(bar(Barred::International));
    let abroad = world.dial(desk, "+49301234567");
    let cause = world.ended(desk, abroad).unwrap();
    assert_eq!(cause.status, Some(StatusCode::FORBIDDEN));
    let home = world.dial(desk, "0205550199");
    assert_eq!(world.status_of(desk, home), None);
    world.hang_up(desk, home);
    world.turn(bar(Barred::Outside));
    let home = world.dial(desk, "0205550199");
    assert_eq!(world.status_of(desk, home), Some(403));
    let inside = world.dial(desk, "600");
    assert!(world.answered(desk, inside).is_some());
    world.hang_up(desk, inside);
    world.assert_nothing_left();
}

impl World {
    fn attendant(&mut self) {
        let keys =
            [('0', Key::Number("102".into())), ('1', Key::Number("603".into())), ('3', Key::Name)];
        self.exchange.company.attendant =
            Some(Attendant { number: "180".into(), keys: keys.into(), operator: "102".into() });
    }

    fn key(&mut self, digits: &str) {
        let talking = |call: &&Call| call.attending.is_some();
        for digit in digits.chars() {
            let mut calls = self.exchange.calls.values_mut();
            let call = calls.find(|call| talking(&&**call));
            let endpoint = call.and_then(Call::local).unwrap().endpoint;
            let what = Happened::Digit(digit);
            self.exchange.handle_input(self.now, Input::Happened { endpoint, what });
            self.settle();
        }
    }
}

#[test]
fn the_attendant_connects_by_key_and_by_name() {
    let mut world = World::new();
    world.attendant();
    let [desk, joris, samira] = ["101", "102", "103"].map(|user| world.automatic(user));
    let call = world.dial(desk, "180");
    assert!(matches!(world.played(), Some([Step::Pause(_), Step::Say(_), Step::Listen])));
    world.key("0");
    world.lift(joris);
    assert!(world.talk(desk, joris));
    world.hang_up(desk, call);
    let call = world.dial(desk, "180");
    // Aziz: nobody else begins so.
    world.key("3294");
    assert_eq!(world.rings(&[samira]), [samira]);
    world.lift(samira);
    assert!(world.talk(desk, samira));
    world.hang_up(desk, call);
    world.assert_nothing_left();
}

#[test]
fn the_attendant_takes_back_who_is_not_wanted_and_helps_who_does_nothing() {
    let mut world = World::new();
    world.attendant();
    let [desk, joris] = ["101", "102"].map(|user| world.automatic(user));
    let call = world.dial(desk, "180");
    for keys in ["9", "1", "3999#", "3*"] {
        world.key(keys);
        assert!(world.ended(desk, call).is_none(), "{keys}");
        assert_eq!(world.exchange.calls.len(), 1, "{keys}");
        assert!(matches!(world.played(), Some([Step::Pause(_), .., Step::Listen])), "{keys}");
    }
    assert_eq!(world.rings(&[joris]), Vec::<usize>::new());
    world.pass(Duration::from_secs(31));
    assert_eq!(world.rings(&[joris]), [joris]);
    world.hang_up(desk, call);
    world.assert_nothing_left();
}

#[test]
fn a_message_is_recorded_and_sent() {
    let mut world = World::new();
    let desk = world.automatic("101");
    let call = world.dial(desk, "*55103");
    world.pass(Duration::from_secs(10));
    world.hang_up(desk, call);
    let letter = world.media.iter().find_map(|command| match command {
        MediaCommand::Keep(_, letter) => Some(letter.clone()),
        _ => None,
    });
    let letter = letter.unwrap();
    assert_eq!((letter.line.as_str(), letter.owner.as_str()), ("103", "Samira Aziz"));
    assert_eq!((letter.number.as_str(), letter.to.as_str()), ("101", "103@lindeboom.example"));
    assert_eq!(letter.caller.as_deref(), Some("Maud Vermeulen"));
    world.assert_nothing_left();
}

#[test]
fn a_busy_hour_fills_the_queues_and_leaves_nothing_behind() {
    let mut world = World::new();
    world.exchange.turn(world.now, Knob::Callers(Rush { rate: 2.0, ..Rush::default() })).unwrap();
    world.pass(Duration::from_secs(600));
    let view = world.exchange.centre(world.now);
    let received: u32 = view.queues.iter().map(|queue| queue.counts.received).sum();
    let answered: u32 = view.queues.iter().map(|queue| queue.counts.answered).sum();
    let abandoned: u32 = view.queues.iter().map(|queue| queue.counts.abandoned).sum();
    // Three hundred an hour.
    assert!((30..80).contains(&received), "{received}");
    assert!(answered > 10, "{answered}");
    assert!(abandoned > 3, "nobody serves the first queue: {abandoned}");
    world.exchange.turn(world.now, Knob::Callers(Rush::default())).unwrap();
    world.pass(Duration::from_secs(600));
    let view = world.exchange.centre(world.now);
    assert!(view.conversations.is_empty());
    assert!(view.queues.iter().all(|queue| queue.entries.is_empty()));
    world.assert_nothing_left();
}

#[test]
fn a_phone_that_rings_may_send_the_call_elsewhere() {
    for (to, reached) in [("103", true), ("999", false)] {
        let mut world = World::new();
        let [desk, joris, samira] = ["101", "102", "103"].map(|user| world.automatic(user));
        let call = world.dial(joris, "101");
        let ringing = world.incoming(desk).unwrap().session;
        let contact = Uri::parse(&format!("sip:{to}@{PBX}")).unwrap();
        world.phones[desk].ua.redirect(world.now, ringing, vec![NameAddr::new(contact)]).unwrap();
        world.settle();
        match reached {
            true => {
                let diverted = world.incoming(samira).unwrap().diverted_from.unwrap();
                assert_eq!(diverted.uri.user().as_deref(), Some("101"));
                world.lift(samira);
                assert!(world.talk(joris, samira));
                world.phones[joris].ua.hangup(world.now, call).unwrap();
            }
            // The caller is told, and does not hear it ring for ever.
            false => assert_eq!(world.status_of(joris, call), Some(404)),
        }
        world.assert_nothing_left();
    }
}

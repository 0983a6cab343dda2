//! Channels, subscriptions and deliveries in virtual time.

use super::subscription::Target;
use super::*;

const SECOND: Duration = Duration::from_secs(1);

struct World {
    now: Instant,
    events: Events,
}

impl World {
    fn new() -> Self {
        #[expect(clippy::disallowed_methods, reason = "one base for virtual time")]
        let now = Instant::now();
        Self { now, events: Events::new("x.example", Random::from_seed([3; 32])) }
    }

    fn open(&mut self, set: &str, priority: u32, host: usize) -> StreamId {
        let wish = ChannelWish {
            user: "101".into(),
            set: set.into(),
            application: "app".into(),
            priority,
            weight: 50,
            expires: 7_200,
            host,
        };
        self.events.open(self.now, wish).unwrap().0
    }

    fn subscribe(&mut self, set: &str) -> String {
        let wish = SubscriptionWish {
            owner: "101".into(),
            target: Target::User("102".into()),
            target_id: "102@x.example".into(),
            packages: vec!["Basic Call"],
            is_list: false,
            set: set.into(),
            application: "app".into(),
            expires: 3_600,
        };
        self.events.subscribe(self.now, wish).unwrap().0
    }

    fn publish(&mut self) {
        let data = Element::new("eventData").typed("CallReceivedEvent");
        self.events.publish(self.now, "102", &["Basic Call"], &data);
    }

    /// What has been written, by stream.
    fn texts(&mut self) -> Vec<(StreamId, String)> {
        let pieces = std::iter::from_fn(|| self.events.poll_output());
        pieces
            .map(|piece| match piece {
                Piece::Chunk(stream, bytes) => (stream, String::from_utf8(bytes).unwrap()),
                Piece::End(stream) => (stream, "end".to_owned()),
            })
            .collect()
    }

    fn pass(&mut self, by: Duration) {
        let end = self.now + by;
        while let Some(at) = self.events.poll_timeout().filter(|at| *at <= end) {
            self.now = at;
            self.events.handle_timeout(at);
        }
        self.now = end;
    }
}

fn value<'a>(text: &'a str, name: &str) -> &'a str {
    let (_, rest) = text.split_once(&format!("{name}>")).unwrap();
    rest.split_once("</").unwrap().0
}

#[test]
fn an_event_is_sent_until_it_is_answered_at_the_right_host() {
    let mut world = World::new();
    let stream = world.open("s", 1, 1);
    world.subscribe("s");
    world.texts();
    world.publish();
    let texts = world.texts();
    assert_eq!(texts.len(), 1);
    assert_eq!(texts[0].0, stream);
    assert_eq!(value(&texts[0].1, "xsi:targetId"), "102@x.example");
    assert_eq!(value(&texts[0].1, "xsi:userId"), "101@x.example");
    let event = value(&texts[0].1, "xsi:eventID").to_owned();
    let ack =
        |world: &mut World, host| world.events.acked(world.now, "101", host, &event, Ack::Done);
    assert_eq!(ack(&mut world, 0), Err(No::Unknown));
    assert_eq!(ack(&mut world, 1), Ok(()));
    assert_eq!(ack(&mut world, 1), Ok(()), "an answer may come twice");
    world.pass(20 * SECOND);
    assert!(world.texts().is_empty());
}

#[test]
fn subscriptions_outlive_channels_and_events_wait_for_the_next() {
    let mut world = World::new();
    let first = world.open("s", 1, 0);
    world.subscribe("s");
    world.pass(31 * SECOND);
    let texts = world.texts();
    assert!(texts.iter().any(|(_, text)| text.contains("NonResponsiveChannel")), "{texts:?}");
    assert_eq!(texts.last(), Some(&(first, "end".to_owned())));
    world.publish();
    assert!(world.texts().is_empty());
    let second = world.open("s", 1, 0);
    let texts = world.texts();
    assert_eq!(texts.len(), 2, "{texts:?}");
    assert!(texts[0].1.contains("<channelId>"));
    assert_eq!(texts[1].0, second);
    assert_eq!(value(&texts[1].1, "xsi:sequenceNumber"), "1");
}

#[test]
fn a_second_set_of_the_same_application_ends_the_first() {
    let mut world = World::new();
    let first = world.open("s", 1, 0);
    world.subscribe("s");
    world.open("s", 2, 1);
    world.texts();
    world.open("t", 1, 0);
    let texts = world.texts();
    let duplicate = |(_, text): &&(StreamId, String)| text.contains("DuplicateChannelSet");
    assert_eq!(texts.iter().filter(duplicate).count(), 2);
    assert!(texts.contains(&(first, "end".to_owned())));
    assert_eq!(world.events.subscriptions().count(), 0);
}

#[test]
fn an_answer_of_404_moves_events_to_the_next_channel() {
    let mut world = World::new();
    world.open("s", 1, 0);
    let second = world.open("s", 2, 0);
    world.subscribe("s");
    world.texts();
    world.publish();
    let texts = world.texts();
    let event = value(&texts[0].1, "xsi:eventID").to_owned();
    world.events.acked(world.now, "101", 0, &event, Ack::NoChannel).unwrap();
    let texts = world.texts();
    assert!(texts[0].1.contains("UnknownChannel"), "{texts:?}");
    let again = texts.iter().find(|(stream, _)| *stream == second).unwrap();
    assert_eq!(value(&again.1, "xsi:eventID"), event);
}

#[test]
fn lost_answers_and_gaps_can_be_had_on_purpose() {
    let mut world = World::new();
    world.open("s", 1, 0);
    world.subscribe("s");
    world.texts();
    world.events.lose(1, 0);
    world.publish();
    let event = value(&world.texts()[0].1, "xsi:eventID").to_owned();
    world.events.acked(world.now, "101", 0, &event, Ack::Done).unwrap();
    world.pass(10 * SECOND);
    let again = world.texts();
    assert_eq!(value(&again[0].1, "xsi:eventID"), event);
    world.events.acked(world.now, "101", 0, &event, Ack::Done).unwrap();
    world.events.lose(0, 1);
    world.publish();
    world.publish();
    let texts = world.texts();
    assert_eq!(texts.len(), 1);
    assert_eq!(value(&texts[0].1, "xsi:sequenceNumber"), "3");
}

#[test]
fn a_subscription_that_runs_out_says_so() {
    let mut world = World::new();
    let id = world.subscribe("s");
    for _ in 0..180 {
        world.pass(20 * SECOND);
    }
    assert_eq!(world.events.subscriptions().count(), 0);
    world.open("s", 1, 0);
    let texts = world.texts();
    assert!(
        texts.iter().any(|(_, text)| text.contains("SubscriptionTerminatedEvent")),
        "{texts:?}"
    );
    assert_eq!(world.events.refresh(world.now, &id, "101", 3_600), Err(No::Unknown));
}

#[test]
fn ids_are_uuids() {
    let mut world = World::new();
    let (one, other) = (world.events.uuid(), world.events.uuid());
    assert_ne!(one, other);
    let lengths: Vec<usize> = one.split('-').map(str::len).collect();
    assert_eq!(lengths, [8, 4, 4, 4, 12]);
    assert_eq!(one.as_bytes()[14], b'4');
}

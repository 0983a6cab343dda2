//! When to look at the network and what of it is news, without I/O.
//!
//! Inputs from the system: something changed, sleep begins, woken. From the owner: which
//! destinations matter. From whoever looks: what was seen. From the clock: settled, time to look
//! anyway, the heartbeat that finds out about a sleep nobody told of.
//!
//! ```text
//! quiet --sign--> settling --250 ms without another--> looking --seen--> quiet
//!   ^                 |  at most 1 s after the first       |
//!   +-----------------+------------------------------------+-- told, if it is news
//! ```

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::IpAddr;
use std::time::{Duration, Instant};

/// How long the system must be silent before it is looked at.
const QUIET: Duration = Duration::from_millis(250);
/// It is looked at in any case this long after the first sign.
const IMPATIENCE: Duration = Duration::from_secs(1);
/// How often it is looked at without a sign: some systems are silent.
const ANYWAY: Duration = Duration::from_secs(10);
/// How often the clocks are compared.
const BEAT: Duration = Duration::from_secs(1);
/// A beat this late, or clocks this far apart, mean that the machine slept.
const JUMP: Duration = Duration::from_secs(5);

/// The wall clock: time since the Unix epoch.
pub type Wall = Duration;

/// What the outside tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// The system changed a link, an address or a route.
    Changed,
    /// The machine is about to sleep.
    Sleeping,
    /// The machine has woken.
    Woken,
    /// The owner wants the way to these addresses watched; none: the way out of the house.
    Destinations(Vec<IpAddr>),
    /// The answer to [`Output::Look`].
    Seen(Snapshot),
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Look at the network and give [`Input::Seen`]: which addresses are usable, and from which of
    /// them the system would send to each of these destinations.
    Look(Vec<IpAddr>),
    /// Something changed for good.
    Changed(Change),
}

/// The network as it was seen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// Addresses of interfaces that are up, without loopback and link-local ones.
    pub addresses: BTreeSet<IpAddr>,
    /// For each destination the address of ours that leads there, if any.
    pub ways: BTreeMap<IpAddr, Option<IpAddr>>,
}

/// What has changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The network as it is now.
    pub now: Snapshot,
    /// The way to a destination is another one, has gone or has come. Otherwise only the set of
    /// addresses is another one.
    pub moved: bool,
    /// The machine has slept: whatever others knew about it may be forgotten.
    pub woken: bool,
}

impl Change {
    /// Whether any destination can be reached.
    #[must_use]
    pub fn usable(&self) -> bool {
        self.now.ways.values().any(Option::is_some)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Quiet,
    Settling { first: Instant, last: Instant },
    Looking { again: bool },
}

/// The core.
#[derive(Debug)]
pub struct Settle {
    state: State,
    destinations: Vec<IpAddr>,
    /// What was told last; none: the first look is no news.
    told: Option<Snapshot>,
    woken: bool,
    asleep: bool,
    look_at: Instant,
    beat: Beat,
    outputs: VecDeque<Output>,
}

#[derive(Clone, Copy, Debug)]
struct Beat {
    at: Instant,
    wall: Wall,
}

impl Settle {
    /// Begins, and looks at once to know what it compares with.
    #[must_use]
    pub fn new(now: Instant, wall: Wall) -> Self {
        let mut settle = Self {
            state: State::Quiet,
            destinations: Vec::new(),
            told: None,
            woken: false,
            asleep: false,
            look_at: now + ANYWAY,
            beat: Beat { at: now, wall },
            outputs: VecDeque::new(),
        };
        settle.look("begin");
        settle
    }

    /// Takes in what the outside tells.
    pub fn handle_input(&mut self, now: Instant, input: Input) {
        match input {
            Input::Changed => self.sign(now, "change"),
            Input::Sleeping => self.asleep = true,
            Input::Woken => self.wake(now, "woken"),
            Input::Destinations(mut destinations) => {
                destinations.sort_unstable();
                destinations.dedup();
                if destinations != self.destinations {
                    self.destinations = destinations;
                    self.sign(now, "other destinations");
                }
            }
            Input::Seen(seen) => self.seen(now, seen),
        }
    }

    /// Does what is due.
    pub fn handle_timeout(&mut self, now: Instant, wall: Wall) {
        self.beat(now, wall);
        match self.state {
            State::Settling { first, last } if due(first, last) <= now => self.look("settled"),
            State::Quiet if self.look_at <= now => self.look("look anyway"),
            _ => {}
        }
    }

    /// When [`handle_timeout`](Self::handle_timeout) is to be called next.
    #[must_use]
    pub fn poll_timeout(&self) -> Instant {
        let state = match self.state {
            State::Settling { first, last } => due(first, last),
            State::Quiet => self.look_at,
            State::Looking { .. } => self.beat.at + BEAT,
        };
        state.min(self.beat.at + BEAT)
    }

    /// The next thing to do, if any.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// Compares the clocks: one that stood still, or a beat that comes late, tells of a sleep.
    fn beat(&mut self, now: Instant, wall: Wall) {
        if now < self.beat.at + BEAT {
            return;
        }
        let passed = now.saturating_duration_since(self.beat.at);
        let on_wall = wall.saturating_sub(self.beat.wall);
        self.beat = Beat { at: now, wall };
        if passed > BEAT + JUMP || on_wall > passed + JUMP {
            self.wake(now, "clock jumped");
        }
    }

    fn wake(&mut self, now: Instant, event: &str) {
        self.woken = true;
        self.asleep = false;
        self.sign(now, event);
    }

    fn sign(&mut self, now: Instant, event: &str) {
        let next = match self.state {
            State::Quiet => State::Settling { first: now, last: now },
            State::Settling { first, .. } => State::Settling { first, last: now },
            State::Looking { .. } => State::Looking { again: true },
        };
        self.enter(next, event);
    }

    fn look(&mut self, event: &str) {
        self.enter(State::Looking { again: false }, event);
        self.outputs.push_back(Output::Look(self.destinations.clone()));
    }

    fn seen(&mut self, now: Instant, seen: Snapshot) {
        let State::Looking { again } = self.state else { return };
        self.look_at = now + ANYWAY;
        let next = match again {
            true => State::Settling { first: now, last: now },
            false => State::Quiet,
        };
        self.enter(next, "seen");
        if self.asleep {
            return;
        }
        let Some(told) = &self.told else {
            self.told = Some(seen);
            return;
        };
        // A destination that was not asked for before has no way that could have changed.
        let differs = |(to, way): (&IpAddr, &Option<IpAddr>)| {
            told.ways.get(to).is_some_and(|before| before != way)
        };
        let usable = seen.ways.values().any(Option::is_some);
        let woken = self.woken && usable;
        let moved = woken || seen.ways.iter().any(differs);
        if moved || seen.addresses != told.addresses {
            self.woken &= !woken;
            self.outputs.push_back(Output::Changed(Change { now: seen.clone(), moved, woken }));
        }
        self.told = Some(seen);
    }

    fn enter(&mut self, state: State, event: &str) {
        if std::mem::discriminant(&state) != std::mem::discriminant(&self.state) {
            tracing::debug!("{:?}, {event} -> {state:?}", self.state);
        }
        self.state = state;
    }
}

fn due(first: Instant, last: Instant) -> Instant {
    (last + QUIET).min(first + IMPATIENCE)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SERVER: &str = "192.0.2.1";

    /// The core on a virtual machine whose network a test changes.
    struct Machine {
        settle: Settle,
        now: Instant,
        wall: Wall,
        network: Snapshot,
        told: Vec<(Duration, Change)>,
        looks: usize,
        start: Instant,
    }

    #[expect(clippy::disallowed_methods, reason = "any moment will do as the first")]
    fn machine(address: &str) -> Machine {
        let start = Instant::now();
        let wall = Duration::from_secs(1_700_000_000);
        let mut machine = Machine {
            settle: Settle::new(start, wall),
            now: start,
            wall,
            network: Snapshot::default(),
            told: Vec::new(),
            looks: 0,
            start,
        };
        machine.at(Some(address));
        machine.input(Input::Destinations(vec![ip(SERVER)]));
        machine.run(2_000);
        assert!(machine.told.is_empty(), "the first look is no news");
        machine
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    impl Machine {
        /// Gives the machine one address, or none.
        fn at(&mut self, address: Option<&str>) {
            let address = address.map(ip);
            self.network.addresses = address.into_iter().collect();
            self.network.ways = [(ip(SERVER), address)].into();
        }

        fn input(&mut self, input: Input) {
            self.settle.handle_input(self.now, input);
            self.drain();
        }

        fn drain(&mut self) {
            while let Some(output) = self.settle.poll_output() {
                match output {
                    Output::Look(to) => {
                        self.looks += 1;
                        let mut seen = self.network.clone();
                        seen.ways.retain(|way, _| to.contains(way));
                        self.settle.handle_input(self.now, Input::Seen(seen));
                    }
                    Output::Changed(change) => {
                        self.told.push((self.now - self.start, change));
                    }
                }
            }
        }

        fn run(&mut self, milliseconds: u64) {
            let until = self.now + Duration::from_millis(milliseconds);
            while self.settle.poll_timeout() <= until {
                let next = self.settle.poll_timeout().max(self.now);
                self.wall += next - self.now;
                self.now = next;
                self.settle.handle_timeout(self.now, self.wall);
                self.drain();
            }
            self.wall += until - self.now;
            self.now = until;
        }
    }

    #[test]
    fn a_new_address_is_told_when_it_has_settled() {
        let mut machine = machine("10.0.0.1");
        let before = machine.now - machine.start;
        machine.at(None);
        machine.input(Input::Changed);
        machine.run(100);
        machine.at(Some("10.0.1.1"));
        machine.input(Input::Changed);
        machine.run(249);
        assert!(machine.told.is_empty(), "it has not settled");
        machine.run(10);
        let (at, change) = machine.told.pop().unwrap();
        assert_eq!(at - before, Duration::from_millis(350));
        assert!(change.moved && change.usable() && !change.woken);
        assert_eq!(change.now.ways[&ip(SERVER)], Some(ip("10.0.1.1")));
    }

    #[test]
    fn what_changes_back_is_no_news() {
        let mut machine = machine("10.0.0.1");
        machine.at(None);
        machine.input(Input::Changed);
        machine.run(200);
        machine.at(Some("10.0.0.1"));
        machine.input(Input::Changed);
        machine.run(20_000);
        assert!(machine.told.is_empty());
    }

    #[test]
    fn a_system_that_never_rests_is_looked_at_all_the_same() {
        let mut machine = machine("10.0.0.1");
        machine.at(Some("10.0.0.2"));
        for _ in 0..30 {
            machine.input(Input::Changed);
            machine.run(100);
        }
        let (at, _) = machine.told[0].clone();
        assert!(at <= Duration::from_millis(3_010), "{at:?}");
        assert_eq!(machine.told.len(), 1);
    }

    #[test]
    fn a_lost_network_and_its_return_are_told_both() {
        let mut machine = machine("10.0.0.1");
        machine.at(None);
        machine.input(Input::Changed);
        machine.run(5_000);
        machine.at(Some("10.0.0.1"));
        machine.input(Input::Changed);
        machine.run(5_000);
        let usable: Vec<bool> = machine.told.iter().map(|(_, change)| change.usable()).collect();
        assert_eq!(usable, [false, true]);
    }

    #[test]
    fn another_address_that_leads_nowhere_new_does_not_move_anything() {
        let mut machine = machine("10.0.0.1");
        machine.network.addresses.insert(ip("10.9.9.9"));
        machine.input(Input::Changed);
        machine.run(1_000);
        let (_, change) = machine.told.pop().unwrap();
        assert!(!change.moved);
    }

    #[test]
    fn a_silent_system_is_looked_at_by_and_by() {
        let mut machine = machine("10.0.0.1");
        machine.at(Some("10.0.0.2"));
        machine.run(11_000);
        assert_eq!(machine.told.len(), 1);
        let looks = machine.looks;
        machine.run(60_000);
        assert!((5..=7).contains(&(machine.looks - looks)), "{}", machine.looks - looks);
    }

    #[test]
    fn a_sleep_is_noticed_by_either_clock() {
        // Linux and macOS: the monotonic clock stands still.
        let mut machine = machine("10.0.0.1");
        machine.wall += Duration::from_secs(3_600);
        machine.run(2_000);
        assert!(machine.told.pop().unwrap().1.woken);
        // Windows: it goes on, and the beat is late.
        machine.wall += Duration::from_secs(3_600);
        machine.now += Duration::from_secs(3_600);
        machine.run(2_000);
        assert!(machine.told.pop().unwrap().1.woken);
        machine.run(60_000);
        assert!(machine.told.is_empty(), "told once");
    }

    #[test]
    fn waking_without_a_network_is_told_when_it_is_back() {
        let mut machine = machine("10.0.0.1");
        machine.input(Input::Sleeping);
        machine.at(None);
        machine.input(Input::Changed);
        machine.run(400);
        assert!(machine.told.is_empty(), "nobody is told who is about to sleep");
        machine.input(Input::Woken);
        machine.run(4_000);
        assert!(machine.told.iter().all(|(_, change)| !change.woken));
        machine.at(Some("10.0.0.1"));
        machine.input(Input::Changed);
        machine.run(300);
        let (_, change) = machine.told.pop().unwrap();
        assert!(change.woken && change.usable());
    }

    #[test]
    fn a_clock_that_is_set_back_is_no_sleep() {
        let mut machine = machine("10.0.0.1");
        machine.wall -= Duration::from_secs(7_200);
        machine.run(20_000);
        assert!(machine.told.is_empty());
    }

    #[test]
    fn a_further_destination_is_no_news() {
        let mut machine = machine("10.0.0.1");
        machine.network.ways.insert(ip("192.0.2.2"), Some(ip("10.0.0.1")));
        machine.input(Input::Destinations(vec![ip(SERVER), ip("192.0.2.2")]));
        machine.run(1_000);
        assert!(machine.told.is_empty());
    }
}

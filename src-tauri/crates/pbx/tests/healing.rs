//! A fifth of the notifications is lost and another part comes late, in virtual time: no lamp is wrong for
//! more than a minute without being shown as stale, and when the losses end all lamps come right.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]

use std::{
    collections::{BTreeMap, HashMap},
    time::{Duration, Instant},
};

use pbx::{
    Call, CallState, Input, Instance, InstanceState, Lamps, LineDocument, LineId, LineState,
    ListDocument, Output, Policy, Resource, SourceId, Watch,
};
use proptest::prelude::*;

const LINES: usize = 40;
const STATES: [LineState; 4] =
    [LineState::Idle, LineState::Ringing, LineState::Busy, LineState::Held];
const TICK: Duration = Duration::from_millis(500);

/// Numbers from a seed (splitmix64).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % sides
    }
}

/// What the exchange knows of one line.
#[derive(Clone, Copy, Default)]
struct Truth {
    state: u8,
    version: u32,
}

impl Truth {
    fn shown(self) -> LineState {
        STATES[self.state as usize]
    }

    fn document(self, full: bool) -> LineDocument {
        let states = [CallState::Over, CallState::Ringing, CallState::Busy, CallState::Held];
        let state = states[self.state as usize];
        let call = Call { id: "1".to_owned(), state, incoming: None, peer: None };
        let calls = if full && self.state == 0 { Vec::new() } else { vec![call] };
        LineDocument { version: self.version, full, calls }
    }
}

/// An exchange, a network that loses, and lamps.
struct World {
    now: Instant,
    dice: Dice,
    loss: u64,
    list: bool,
    partial: bool,
    lines: Vec<Truth>,
    list_version: u32,
    /// Number of the notification sent last, and of the one taken last, by source.
    sent: HashMap<SourceId, u64>,
    taken: HashMap<SourceId, u64>,
    wire: BTreeMap<(Instant, u64), (SourceId, u64, Input)>,
    serial: u64,
    lamps: Lamps,
    ids: HashMap<LineId, usize>,
    /// When each state of each line was last true.
    last_true: Vec<[Option<Instant>; 4]>,
    /// The longest time that a lamp went on showing what was no longer true.
    longest_wrong: Duration,
    stale_ticks: u64,
    refreshes: u64,
}

impl World {
    #[expect(clippy::disallowed_methods, reason = "the one base that virtual time counts from")]
    fn new(seed: u64, list: bool, partial: bool, loss: u64) -> Self {
        let now = Instant::now();
        let mut world = Self {
            now,
            dice: Dice(seed),
            loss,
            list,
            partial,
            lines: vec![Truth::default(); LINES],
            list_version: 0,
            sent: HashMap::new(),
            taken: HashMap::new(),
            wire: BTreeMap::new(),
            serial: 0,
            lamps: Lamps::new(Policy::default()),
            ids: HashMap::new(),
            last_true: vec![[Some(now), None, None, None]; LINES],
            longest_wrong: Duration::ZERO,
            stale_ticks: 0,
            refreshes: 0,
        };
        let sources = if list { 1 } else { LINES };
        for source in 0..sources {
            let id = SourceId(source as u64);
            let watch = if list { Watch::List } else { Watch::Line(source.to_string()) };
            world.lamps.handle_input(now, Input::Watch { source: id, watch });
            let expires = Duration::from_secs(3600);
            world.lamps.handle_input(now, Input::Up { source: id, expires, reliable: false });
            world.notify_full(id);
        }
        world
    }

    fn send(&mut self, source: SourceId, input: Input) {
        let number = self.sent.entry(source).or_default();
        *number += 1;
        let number = *number;
        if self.dice.roll(100) < self.loss {
            return;
        }
        let late = self.loss > 0 && self.dice.roll(100) < 20;
        // What loses nothing reorders nothing either.
        let delay = if self.loss == 0 {
            50
        } else if late {
            200 + self.dice.roll(3000)
        } else {
            20 + self.dice.roll(100)
        };
        self.serial += 1;
        let at = self.now + Duration::from_millis(delay);
        self.wire.insert((at, self.serial), (source, number, input));
    }

    fn notify_full(&mut self, source: SourceId) {
        let input = match self.list {
            true => {
                self.list_version += 1;
                let all: Vec<usize> = (0..LINES).collect();
                self.list_input(source, &all, true)
            }
            false => {
                let line = &mut self.lines[source.0 as usize];
                line.version += 1;
                Input::Line { source, document: line.document(true) }
            }
        };
        self.send(source, input);
    }

    fn list_input(&mut self, source: SourceId, lines: &[usize], full: bool) -> Input {
        let partial = self.partial && !full;
        let resources = lines.iter().map(|&line| {
            self.lines[line].version += 1;
            let document = Some(self.lines[line].document(!partial));
            let (state, presence) = (InstanceState::Active, None);
            let instance = Instance { id: "i".to_owned(), state, document, presence };
            Resource { uri: line.to_string(), name: None, instances: vec![instance] }
        });
        let resources = resources.collect();
        Input::List {
            source,
            document: ListDocument { version: self.list_version, full, resources },
        }
    }

    fn change(&mut self) {
        let at = self.dice.roll(LINES as u64) as usize;
        self.lines[at].state = self.dice.roll(4) as u8;
        if self.list {
            self.list_version += 1;
            let input = self.list_input(SourceId(0), &[at], false);
            self.send(SourceId(0), input);
        } else {
            self.lines[at].version += 1;
            let source = SourceId(at as u64);
            let document = self.lines[at].document(!self.partial);
            self.send(source, Input::Line { source, document });
        }
    }

    /// Half a second passes.
    fn tick(&mut self) {
        for (line, truth) in self.lines.iter().enumerate() {
            self.last_true[line][truth.state as usize] = Some(self.now);
        }
        self.now += TICK;
        while let Some(entry) = self.wire.first_entry().filter(|entry| entry.key().0 <= self.now) {
            let (source, number, input) = entry.remove();
            // The user agent refuses what is older than what it has taken (CSeq).
            let taken = self.taken.entry(source).or_default();
            if number > *taken {
                *taken = number;
                self.lamps.handle_input(self.now, input);
            }
        }
        if self.lamps.poll_timeout().is_some_and(|at| at <= self.now) {
            self.lamps.handle_timeout(self.now);
        }
        while let Some(output) = self.lamps.poll_output() {
            match output {
                Output::Refresh { source } => {
                    self.refreshes += 1;
                    self.notify_full(source);
                }
                Output::Appeared { line, uri, .. } => {
                    self.ids.insert(line, uri.parse().unwrap());
                }
                Output::Changed { .. } => {}
                Output::Vanished { line } => panic!("{line:?} is still in the list"),
            }
        }
        self.compare();
    }

    fn compare(&mut self) {
        for (line, truth) in self.lines.iter().enumerate() {
            self.last_true[line][truth.state as usize] = Some(self.now);
        }
        for (id, &line) in &self.ids {
            let lamp = self.lamps.lamp(*id).unwrap();
            self.stale_ticks += u64::from(lamp.stale_since.is_some());
            let shown = STATES.iter().position(|state| *state == lamp.state);
            if lamp.stale_since.is_none() {
                let shown = shown.expect("a lamp that is not stale shows a state of the line");
                let was_true = self.last_true[line][shown].expect("it shows what was once true");
                self.longest_wrong = self.longest_wrong.max(self.now - was_true);
            }
        }
    }

    fn all_right(&self) -> bool {
        let right = |(id, line): (&LineId, &usize)| {
            let lamp = self.lamps.lamp(*id).unwrap();
            lamp.stale_since.is_none() && lamp.state == self.lines[*line].shown()
        };
        self.ids.len() == LINES && self.ids.iter().all(right)
    }

    /// Minutes with losses, with a change every so many ticks.
    fn live(&mut self, minutes: u64, every: u64) {
        for tick in 0..minutes * 120 {
            if tick % every == 0 {
                self.change();
            }
            self.tick();
        }
    }

    fn heal(&mut self) {
        self.loss = 0;
        for _ in 0..120 {
            self.tick();
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn no_lamp_is_wrong_for_a_minute(
        seed in any::<u64>(),
        list in any::<bool>(),
        partial in any::<bool>(),
        every in 1..40u64,
    ) {
        let mut world = World::new(seed, list, partial, 20);
        world.live(10, every);
        prop_assert!(world.longest_wrong <= Duration::from_secs(60), "{:?}", world.longest_wrong);
        world.heal();
        prop_assert!(world.longest_wrong <= Duration::from_secs(60), "{:?}", world.longest_wrong);
        prop_assert!(world.all_right(), "not healed after a minute without losses");
    }
}

#[test]
fn staleness_is_shown_where_it_must_and_not_everywhere() {
    for (list, partial) in [(false, false), (false, true), (true, false), (true, true)] {
        let mut world = World::new(7, list, partial, 20);
        world.live(30, 10);
        let shown = LINES as u64 * 30 * 120;
        let stale = world.stale_ticks * 100 / shown;
        println!(
            "list {list}, partial {partial}: longest wrong {:.1} s, stale {stale} % of the time, {} refreshes in 30 minutes",
            world.longest_wrong.as_secs_f64(),
            world.refreshes
        );
        assert!(stale < 50, "{stale} % of the time stale");
    }
}

#[test]
fn without_losses_nothing_is_ever_wrong_or_stale() {
    for (list, partial) in [(false, true), (true, true)] {
        let mut world = World::new(3, list, partial, 0);
        world.live(1, 3);
        world.stale_ticks = 0;
        world.live(20, 3);
        assert_eq!(world.stale_ticks, 0, "list {list}");
        assert!(world.longest_wrong <= Duration::from_secs(1), "{:?}", world.longest_wrong);
    }
}

#[test]
fn a_silent_exchange_is_shown_as_stale_within_a_minute() {
    let mut world = World::new(5, false, true, 0);
    world.live(2, 5);
    world.loss = 100;
    for _ in 0..120 {
        world.tick();
    }
    for id in world.ids.keys() {
        assert!(world.lamps.lamp(*id).unwrap().stale_since.is_some(), "{id:?} is still trusted");
    }
}

//! One sequence: customers ring, keys are pressed, the wire does what it likes; then everything is made whole, what has
//! become of everybody is judged, and everybody who is held or parked is fetched back.

use std::collections::BTreeSet;
use std::time::Duration;

use app::event::TransferState;
use app::view::targets::TargetKind;
use app::view::{AppView, CallAction, CallState, CallView, TransferKind};
use sip_core::Random;

use crate::keys::{Key, choose};
use crate::oracle::{self, Tracks, With};
use crate::phone::Stage;
use crate::town::{CUSTOMERS, DESK, Town, digits, now, seed_of};
use crate::wire::Weather;

/// After this long no timer of a transfer or of a session runs any more that has to do with what was lost.
const SETTLED: Duration = Duration::from_secs(260);
/// Where customers ring who are to be picked up.
const ELSEWHERE: &str = "104";

/// What was seen to happen, as the outside saw it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) keys: u64,
    pub(crate) cold: u64,
    pub(crate) warm: u64,
    pub(crate) brought_back: u64,
    pub(crate) parked: u64,
    pub(crate) retrieved: u64,
    pub(crate) picked_up: u64,
    pub(crate) returned: u64,
    pub(crate) cuts: u64,
    pub(crate) swallowed: u64,
}

impl Seen {
    pub(crate) fn add(&mut self, other: Seen) {
        self.keys += other.keys;
        self.cold += other.cold;
        self.warm += other.warm;
        self.brought_back += other.brought_back;
        self.parked += other.parked;
        self.retrieved += other.retrieved;
        self.picked_up += other.picked_up;
        self.returned += other.returned;
        self.cuts += other.cuts;
        self.swallowed += other.swallowed;
    }
}

struct Sequence {
    town: Town,
    random: Random,
    tracks: Tracks,
    seen: Seen,
    /// Transfers that were counted.
    counted: BTreeSet<u64>,
    /// The keys, for whoever looks for the reason.
    log: Vec<String>,
    calm: bool,
}

/// Runs a sequence; what was seen, or what went wrong and after which keys.
pub(crate) async fn run(seed: u64) -> Result<Seen, String> {
    let mut random = Random::from_seed(seed_of(seed ^ 0xDE5C));
    let weather = Weather::of(&mut random);
    let cuts = random.between(0, 3) == 0;
    let town = Town::start(seed, weather).await?;
    let calm = weather.lost == 0 && !cuts;
    let mut sequence = Sequence {
        town,
        random,
        tracks: oracle::tracks(),
        seen: Seen::default(),
        counted: BTreeSet::new(),
        log: vec![format!("{weather:?}, cuts: {cuts}")],
        calm,
    };
    let done = sequence.play(cuts).await;
    let Sequence { town, seen, log, .. } = sequence;
    let why = |why: String| format!("{why}\n{}", log.join("\n"));
    done.map_err(why)?;
    town.close().await.map_err(why)?;
    Ok(seen)
}

impl Sequence {
    async fn play(&mut self, cuts: bool) -> Result<(), String> {
        let keys = self.random.between(8, 28);
        let mut customers: Vec<&'static str> = CUSTOMERS.to_vec();
        for at in 0..keys {
            let rings = at == 0 || self.random.between(0, 3) == 0;
            if let Some(number) = customers.pop_if(|_| rings) {
                self.customer(number);
            }
            if cuts && self.random.between(0, 7) == 0 {
                let lasts = self.town.wire.cut(now());
                self.seen.cuts += 1;
                self.note(&format!("the link is away for {lasts:?}"));
            }
            let pause = match self.random.between(0, 9) {
                0..=2 => self.random.between(20, 300),
                3..=7 => self.random.between(500, 4_000),
                _ => self.random.between(4_000, 20_000),
            };
            self.wait(pause).await?;
            self.key().await?;
        }
        self.wait(3_000).await?;
        self.town.wire.mend();
        self.note("the wire is whole");
        for _ in 0..26 {
            self.wait(SETTLED.as_secs() * 1_000 / 26).await?;
        }
        self.seen.swallowed += self.town.wire.swallowed;
        self.settled().await?;
        self.fetch_all().await
    }

    fn note(&mut self, what: &str) {
        self.log.push(format!("{:>8.3} {what}", self.town.age().as_secs_f64()));
    }

    /// A customer rings at the desk, or at a colleague who lets it ring. Some do not wait for ever.
    fn customer(&mut self, number: &'static str) {
        let to = if self.random.between(0, 3) == 0 { ELSEWHERE } else { DESK };
        let leaves = self.random.between(0, 3) == 0;
        let after = Duration::from_millis(self.random.between(5_000, 90_000));
        let at = now();
        let phone = self.town.phone_mut(number);
        phone.dial(at, to);
        phone.leaves_at = leaves.then_some(at + after);
        self.note(&format!("{number} rings {to}{}", if leaves { " and will leave" } else { "" }));
    }

    /// Lets time pass and looks where everybody is.
    async fn wait(&mut self, ms: u64) -> Result<(), String> {
        let mut left = ms;
        while left > 0 {
            let now = left.min(1_000);
            left -= now;
            self.town.pass(Duration::from_millis(now)).await;
            self.look().await?;
        }
        if self.calm && ms >= 1_500 {
            self.consistent().await?;
        }
        Ok(())
    }

    async fn look(&mut self) -> Result<(), String> {
        let books = self.town.books().await?;
        let before = self.tracks.clone();
        oracle::follow(&mut self.tracks, &books);
        for (number, track) in &self.tracks {
            let was = before.get(number).map(|track| &track.with);
            if was != Some(&track.with) {
                let line = format!("{number}: {was:?} -> {:?}", track.with);
                self.log.push(format!("{:>8.3}   {line}", self.town.age().as_secs_f64()));
            }
            if matches!(track.with, With::Parked(_)) && was != Some(&track.with) {
                self.seen.parked += 1;
            }
        }
        Ok(())
    }

    /// On a good wire the desk is right at any time, but for the moment that a word takes.
    async fn consistent(&mut self) -> Result<(), String> {
        let mut verdict = Ok(());
        for _ in 0..4 {
            let (view, books) = (self.town.view().await?, self.town.books().await?);
            verdict = oracle::compare(&view, &books);
            if verdict.is_ok() {
                return self.count(&view);
            }
            self.town.pass(Duration::from_millis(300)).await;
        }
        verdict
    }

    /// Presses a key.
    async fn key(&mut self) -> Result<(), String> {
        let view = self.town.view().await?;
        self.count(&view)?;
        let elsewhere =
            self.tracks.values().any(|track| track.with == With::Rings(ELSEWHERE.to_owned()));
        let key = choose(&mut self.random, &view, elsewhere);
        self.press(&view, key).await
    }

    async fn press(&mut self, view: &AppView, key: Key) -> Result<(), String> {
        self.seen.keys += 1;
        let of = |call: u64| {
            let known = view.calls.iter().find(|one| one.id == call);
            known.map(|one| digits(&one.peer.number)).unwrap_or_default()
        };
        let answer = self.town.ask(key.command()).await;
        let word = answer.as_ref().err().map(|error| error.code);
        self.note(&format!(
            "{key:?} {}",
            word.map_or(String::new(), |code| format!("-> {code:?}"))
        ));
        if answer.is_err() {
            return Ok(());
        }
        if let Some(id) = key.sends_away() {
            if let Some(track) = self.tracks.get_mut(of(id).as_str()) {
                track.sent_away = true;
            }
            let got = view.calls.iter().find(|one| one.id == id && is_answered(one));
            self.let_go(got.and_then(place_of).as_ref());
        }
        if let Key::CallBack(id) = key {
            let row = view.transfers.iter().find(|row| row.id == id);
            let number = row.map(|row| digits(&row.caller.number)).unwrap_or_default();
            if let Some(track) = self.tracks.get_mut(number.as_str()) {
                track.called_back = true;
            }
        }
        match key {
            Key::Back(call) => self.comes_back(&of(call)).await,
            Key::PickUp(line) => self.is_fetched(&With::Rings(line.to_owned())).await,
            Key::Retrieve(slot) => self.is_fetched(&With::Parked(slot.to_owned())).await,
            _ => Ok(()),
        }
    }

    /// The user hangs up on whoever was got from there, and is not named yet. Before he is got nobody is let go.
    fn let_go(&mut self, place: Option<&With>) {
        let Some(place) = place else { return };
        for track in self.tracks.values_mut() {
            track.sent_away |= track.with == With::Desk && track.before == *place;
        }
    }

    /// Counts a caller who was taken back, if that is what became of it.
    async fn comes_back(&mut self, number: &str) -> Result<(), String> {
        self.wait(1_000).await?;
        let back = self.tracks.get(number).is_some_and(|track| track.with == With::Desk);
        self.seen.brought_back += u64::from(back);
        Ok(())
    }

    /// Counts a caller who was fetched from there, likewise.
    async fn is_fetched(&mut self, from: &With) -> Result<(), String> {
        let there = |tracks: &Tracks| -> Vec<&'static str> {
            let those = tracks.iter().filter(|(_, track)| track.with == *from);
            those.map(|(number, _)| *number).collect()
        };
        let before = there(&self.tracks);
        self.wait(1_000).await?;
        let fetched = before
            .into_iter()
            .filter(|number| self.tracks.get(number).is_some_and(|track| track.with == With::Desk));
        let count = fetched.count() as u64;
        match from {
            With::Parked(_) => self.seen.retrieved += count,
            _ => self.seen.picked_up += count,
        }
        Ok(())
    }

    /// Counts transfers that have come to an end; those that went well count when the books agree.
    fn count(&mut self, view: &AppView) -> Result<(), String> {
        for row in &view.transfers {
            let over = matches!(row.state, TransferState::Done | TransferState::Failed);
            let number = digits(&row.caller.number);
            let Some(track) = self.tracks.get(number.as_str()) else { continue };
            if !over || !self.counted.insert(row.id) {
                continue;
            }
            let there = matches!(track.with, With::Phone(_) | With::Played(_));
            match (row.state, row.kind) {
                (TransferState::Done, TransferKind::Cold) => self.seen.cold += u64::from(there),
                (TransferState::Done, TransferKind::Warm) => self.seen.warm += u64::from(there),
                (TransferState::Failed, _) => self.seen.returned += u64::from(row.status.is_some()),
                _ => {}
            }
        }
        Ok(())
    }

    /// Everything is whole and nothing is under way: what has become of everybody?
    async fn settled(&mut self) -> Result<(), String> {
        let cut = self.seen.cuts > 0;
        let mut verdict = Ok(());
        // A call may just be on its way.
        for _ in 0..6 {
            self.look().await?;
            let (view, books) = (self.town.view().await?, self.town.books().await?);
            self.count(&view)?;
            verdict = oracle::judge(&self.town, &self.tracks, (&view, &books), cut);
            if verdict.is_ok() {
                break;
            }
            self.town.pass(Duration::from_millis(700)).await;
        }
        verdict
    }

    /// The way back is one: everybody who is with the desk, rings there or is parked can be talked to.
    async fn fetch_all(&mut self) -> Result<(), String> {
        for number in CUSTOMERS {
            if self.town.phone(number).leg().is_none_or(|leg| leg.stage == Stage::Over) {
                continue;
            }
            let view = self.town.view().await?;
            let books = self.town.books().await?;
            oracle::follow(&mut self.tracks, &books);
            let with = oracle::whereabouts(&books, number);
            // Somebody who was called back has two: one is with his voicemail.
            let of_him = |call: &&CallView| digits(&call.peer.number) == number;
            let calls: Vec<CallView> = oracle::live(&view).filter(of_him).cloned().collect();
            let keys = match &with {
                With::Parked(slot) => {
                    let known = ["101", "105"].into_iter().find(|known| known == slot);
                    vec![known.map(Key::Retrieve)]
                }
                With::Desk if calls.is_empty() => {
                    return Err(format!("{number} is with the desk unseen"));
                }
                With::Desk | With::Sent | With::Rings(_) => {
                    calls.iter().map(way_back).collect::<Result<Vec<_>, String>>()?
                }
                _ => continue,
            };
            let mut verdict = Ok(());
            for key in keys {
                if let Some(key) = key {
                    let answer = self.town.ask(key.command()).await;
                    self.note(&format!("fetched: {key:?} {answer:?}"));
                    self.town.pass(Duration::from_secs(2)).await;
                }
                verdict = self.talks(number).await;
                if verdict.is_ok() {
                    break;
                }
            }
            verdict?;
        }
        Ok(())
    }

    async fn talks(&mut self, number: &str) -> Result<(), String> {
        let mut verdict = Ok(());
        for _ in 0..4 {
            let (view, books) = (self.town.view().await?, self.town.books().await?);
            // He may leave by himself meanwhile.
            if self.town.phone(number).leg().is_none() {
                return Ok(());
            }
            verdict = oracle::talks(&self.town, number, &view, &books);
            if verdict.is_ok() {
                return verdict;
            }
            self.town.pass(Duration::from_secs(1)).await;
        }
        verdict
    }
}

fn is_answered(call: &CallView) -> bool {
    !matches!(call.state, CallState::Dialing | CallState::Ringing | CallState::Early)
}

/// Where a call fetches somebody from whom nobody is named for yet.
fn place_of(call: &CallView) -> Option<With> {
    let user = call.peer.uri.strip_prefix("sip:")?.split('@').next()?;
    let place = user.trim_start_matches("*88").trim_start_matches("*97").to_owned();
    match call.peer.target? {
        TargetKind::Retrieved => Some(With::Parked(place)),
        TargetKind::PickedUp => Some(With::Rings(place)),
        _ => None,
    }
}

/// The key that brings a caller back; none where he is there.
fn way_back(call: &CallView) -> Result<Option<Key>, String> {
    let can = |action| call.actions.contains(&action);
    if can(CallAction::Answer) {
        Ok(Some(Key::Answer(call.id)))
    } else if can(CallAction::CancelTransfer) {
        Ok(Some(Key::Back(call.id)))
    } else if can(CallAction::Resume) {
        Ok(Some(Key::Resume(call.id)))
    } else if matches!(call.state, CallState::Active | CallState::HeldByPeer) {
        Ok(None)
    } else {
        Err(format!("no key brings him back: {call:?}"))
    }
}

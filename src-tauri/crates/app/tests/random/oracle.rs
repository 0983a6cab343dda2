//! What became of everybody, seen from outside: by the customers' own telephones and the exchange's books. The desk's
//! word is held against that, never the other way round.

use std::collections::BTreeMap;

use app::event::TransferState;
use app::view::{AppView, CallOutcome, CallState, CallView, TransferEntry, TransferKind};
use training_pbx::books::{CallRecord, Side, Stage};

use crate::phone;
use crate::town::{CUSTOMERS, DESK, Town, digits};

/// Ports of the desk's sound.
const DESK_PORTS: std::ops::RangeInclusive<u16> = 44_000..=45_999;

/// With whom a customer is, by the exchange's books.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum With {
    /// In no call.
    Nobody,
    /// It rings there for him, who waits for the first time.
    Rings(String),
    /// He is connected with the desk.
    Desk,
    /// With somebody's telephone.
    Phone(String),
    /// With a voicemail, or somebody simulated.
    Played(String),
    /// Parked there.
    Parked(String),
    /// He waits for what becomes of his transfer.
    Sent,
    /// Alone, and nothing is under way.
    Limbo,
}

/// Where a customer is.
pub(crate) fn whereabouts(books: &[CallRecord], number: &str) -> With {
    let found = books.iter().find_map(|record| {
        let here = |side: &Side| side.number == number && !side.phones.is_empty();
        match (here(&record.caller), here(&record.called), record.stage) {
            (true, _, _) => Some((record, &record.called)),
            (_, true, Stage::Talking) => Some((record, &record.caller)),
            _ => None,
        }
    });
    let Some((record, other)) = found else { return With::Nobody };
    if let Some(slot) = &record.parked {
        return With::Parked(slot.clone());
    }
    match record.stage {
        Stage::Opening | Stage::Ringing => With::Rings(other.number.clone()),
        Stage::Talking if other.simulated || record.voicemail.is_some() => {
            With::Played(other.number.clone())
        }
        Stage::Talking if other.number == DESK => With::Desk,
        Stage::Talking => With::Phone(other.number.clone()),
        Stage::Alone if record.transfer.is_some() => With::Sent,
        Stage::Alone => With::Limbo,
    }
}

/// What the outside remembers of a customer.
#[derive(Debug, Clone)]
pub(crate) struct Track {
    pub(crate) with: With,
    /// Where he was before that.
    pub(crate) before: With,
    /// The user sent him away: hung up, declined, redirected.
    pub(crate) sent_away: bool,
    /// He was with the desk at some time, or rang there.
    pub(crate) known: bool,
    /// The user called him back while he may have been in a call: he can be in two, and what the desk says of him last
    /// may be of the other.
    pub(crate) called_back: bool,
}

pub(crate) type Tracks = BTreeMap<&'static str, Track>;

pub(crate) fn tracks() -> Tracks {
    let fresh = Track {
        with: With::Nobody,
        before: With::Nobody,
        sent_away: false,
        known: false,
        called_back: false,
    };
    CUSTOMERS.into_iter().map(|number| (number, fresh.clone())).collect()
}

/// Looks where everybody is.
pub(crate) fn follow(tracks: &mut Tracks, books: &[CallRecord]) {
    for (number, track) in tracks {
        let with = whereabouts(books, number);
        if with != track.with {
            track.before = std::mem::replace(&mut track.with, with);
        }
        track.known |= matches!(&track.with, With::Desk)
            || matches!(&track.with, With::Rings(line) if line == DESK);
    }
}

/// The desk's legs by the books: the number at the other side of each.
fn legs(books: &[CallRecord]) -> Vec<&str> {
    let mut legs = Vec::new();
    for record in books {
        for (own, other) in [(&record.caller, &record.called), (&record.called, &record.caller)] {
            if own.number == DESK {
                legs.extend(own.phones.iter().map(|_| other.number.as_str()));
            }
        }
    }
    legs
}

pub(crate) fn live(view: &AppView) -> impl Iterator<Item = &CallView> {
    view.calls.iter().filter(|call| call.state != CallState::Ended)
}

/// Every call that the desk shows has a leg at the exchange, and every leg is shown; with the right customer each.
pub(crate) fn compare(view: &AppView, books: &[CallRecord]) -> Result<(), String> {
    let legs = legs(books);
    let shown: Vec<String> = live(view).map(|call| digits(&call.peer.number)).collect();
    let there = customers(legs.iter().copied());
    let here = customers(shown.iter().map(String::as_str));
    if legs.len() == shown.len() && there == here {
        return Ok(());
    }
    Err(format!("the exchange connects the desk with {legs:?}, the desk shows {shown:?}"))
}

/// The customers among these numbers.
fn customers<'a>(numbers: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut known: Vec<String> =
        numbers.filter(|number| CUSTOMERS.contains(number)).map(str::to_owned).collect();
    known.sort();
    known
}

/// Where a caller was parked: at the desk's own line unless another is named.
pub(crate) fn slot_of(row: &TransferEntry) -> &str {
    if row.to.number.is_empty() { DESK } else { &row.to.number }
}

/// The latest transfer of a customer that the desk remembers.
fn latest<'a>(view: &'a AppView, number: &str) -> Option<&'a TransferEntry> {
    view.transfers.iter().find(|row| digits(&row.caller.number) == number)
}

/// Nobody is lost, and nobody is somewhere without a visible way back. `cut`: the link was away for a while.
pub(crate) fn judge(
    town: &Town,
    tracks: &Tracks,
    (view, books): (&AppView, &[CallRecord]),
    cut: bool,
) -> Result<(), String> {
    compare(view, books)?;
    for call in live(view) {
        if call.actions.is_empty() {
            return Err(format!("nothing can be done with {call:?}"));
        }
    }
    for (number, track) in tracks {
        let phone = town.phone(number);
        let verdict = match phone.leg() {
            Some(leg) => present(town, number, (leg, track), (view, books), cut),
            None => absent(phone, track, view, cut),
        };
        verdict.map_err(|why| format!("customer {number}: {why}; {track:?}"))?;
    }
    Ok(())
}

/// A customer whose telephone is in a call.
fn present(
    town: &Town,
    number: &str,
    (leg, track): (&phone::Leg, &Track),
    (view, books): (&AppView, &[CallRecord]),
    cut: bool,
) -> Result<(), String> {
    let row = latest(view, number);
    match whereabouts(books, number) {
        With::Nobody => Err("his telephone talks, and the exchange knows nothing of it".to_owned()),
        With::Limbo => Err("he waits alone, and nothing is under way".to_owned()),
        With::Rings(_) | With::Desk => Ok(()),
        With::Sent => match row {
            Some(row) if !row.lost => Ok(()),
            other => Err(format!("he is being sent, and the desk says {other:?}")),
        },
        With::Parked(slot) => {
            let tile = town.parked_tiles().iter().any(|(at, who)| *at == slot && who == number);
            let told = |row: &&TransferEntry| {
                row.kind == TransferKind::Park && slot_of(row) == slot && !row.lost
            };
            let known = view.transfers.iter().filter(|row| digits(&row.caller.number) == number);
            // Of one who has two calls any may be the one.
            let rows = if track.called_back { usize::MAX } else { 1 };
            // Where the link was away the desk may only know that he was sent there, or that it has lost him.
            let guessed = |row: &TransferEntry| cut && (row.lost || slot_of(row) == slot);
            let told = known.take(rows).any(|row| told(&row)) || row.is_some_and(guessed);
            match tile || told {
                true => Ok(()),
                false => Err(format!("he is parked at {slot}, and nothing shows it: {row:?}")),
            }
        }
        With::Phone(other) => {
            let peer = town.phone(&other);
            let hears = peer.legs.values().any(|one| {
                one.stage == phone::Stage::Talking
                    && one.sends_to == Some(town.phone(number).port)
                    && !one.held
            });
            if !hears || leg.sends_to != Some(peer.port) || leg.held {
                return Err(format!(
                    "he is with {other}, and they do not hear each other: {leg:?}"
                ));
            }
            honest(row, track, cut)
        }
        With::Played(_) => honest(row, track, cut),
    }
}

/// Where no link was lost the desk knows of a transfer that went well, unless the user hung up before it had. Nothing is
/// said of who was called back.
fn honest(row: Option<&TransferEntry>, track: &Track, cut: bool) -> Result<(), String> {
    let knows = !cut && !track.sent_away && !track.called_back;
    match row {
        Some(row) if knows && (row.lost || row.state != TransferState::Done) => {
            Err(format!("he is in other hands, and the desk says {row:?}"))
        }
        _ => Ok(()),
    }
}

/// A customer whose telephone is in no call (any more).
fn absent(phone: &phone::Phone, track: &Track, view: &AppView, cut: bool) -> Result<(), String> {
    let Some(leg) = phone.placed() else { return Ok(()) };
    let last = if track.with == With::Nobody { &track.before } else { &track.with };
    if leg.own_end || track.sent_away || matches!(last, With::Played(_)) {
        return Ok(());
    }
    let row = latest(view, &phone.number);
    let told = row.is_some_and(|row| row.lost);
    let past = view.history.iter().filter(|past| digits(&past.peer.number) == phone.number);
    let shown = past.clone().any(|past| past.reason.is_some());
    // Whom he was fetched for by a call that came to nothing; he is not named in that.
    let missed =
        view.history.iter().any(|past| past.peer.target.is_some() && past.reason.is_some());
    // Nobody has answered him: that is shown as a call missed.
    if leg.sends_to.is_none() && (shown || !track.known) {
        return Ok(());
    }
    // Who was connected goes only when the link has gone, and then the desk says so. When the exchange has given him up
    // by then, that is all it says: the call is over.
    let over = past.clone().any(|past| past.outcome == CallOutcome::Answered);
    if cut && (told || shown || over || missed) {
        return Ok(());
    }
    let past: Vec<_> = past.collect();
    Err(format!("he is lost ({}): {row:?} {past:?}", leg.end))
}

/// The customer and the desk hear each other, and the desk says that it is he.
pub(crate) fn talks(
    town: &Town,
    number: &str,
    view: &AppView,
    books: &[CallRecord],
) -> Result<(), String> {
    let shown = live(view).any(|call| {
        digits(&call.peer.number) == number
            && matches!(call.state, CallState::Active | CallState::HeldByPeer)
    });
    let with = whereabouts(books, number);
    let leg = town.phone(number).leg();
    let hears = leg.is_some_and(|leg| {
        !leg.held && leg.sends_to.is_some_and(|port| DESK_PORTS.contains(&port))
    });
    if shown && with == With::Desk && hears {
        return Ok(());
    }
    let calls: Vec<_> =
        live(view).map(|call| (call.id, call.state, &call.peer.number, &call.transfer)).collect();
    Err(format!("{number} cannot be talked to: {with:?}, {leg:?}, the desk shows {calls:?}"))
}

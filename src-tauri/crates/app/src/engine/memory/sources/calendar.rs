//! When colleagues are free, by the calendars of the organisation: asked when somebody looks at them, kept for a moment. Times
//! only; what an appointment is about never comes here.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use contact_sources::{Availability, Period, SourceError, Standing};
use contacts::NumberKey;
use store::Tables;

use super::super::super::Reply;
use super::super::super::desk::Desk;
use super::super::refused;
use super::apart;
use super::form::{self, open};
use super::sign_in::Held;
use crate::control::{Answer, ErrorReply, SourcePlace};
use crate::view::people::{AvailabilityKind, AvailabilityView};

/// So long an answer holds.
const FRESH: Duration = Duration::from_secs(120);
/// So far is looked ahead, milliseconds: twelve hours.
const AHEAD: u64 = 12 * 3_600_000;
/// Most people of one question.
const PEOPLE: usize = 100;
/// Most answers that are kept.
const KEPT: usize = 5_000;

/// What was told of calendars lately, by address.
#[derive(Default)]
pub(super) struct Calendars {
    told: HashMap<String, (Instant, Availability)>,
}

impl Calendars {
    fn get(&self, address: &str, now: Instant) -> Option<&Availability> {
        let (at, told) = self.told.get(address)?;
        (now.saturating_duration_since(*at) < FRESH).then_some(told)
    }

    fn keep(&mut self, now: Instant, told: Vec<Availability>) {
        self.told.retain(|_, (at, _)| now.saturating_duration_since(*at) < FRESH);
        for one in told {
            if self.told.len() < KEPT {
                self.told.insert(one.address.clone(), (now, one));
            }
        }
    }
}

/// Numbers, and by which address whoever has them has a calendar.
type Addresses = Vec<(String, String)>;

impl Desk {
    /// Tells who of these is free, as far as the lists of contacts know their addresses.
    pub(in crate::engine::memory) fn ask_availability(
        &mut self,
        now: Instant,
        numbers: Vec<String>,
        reply: Reply,
    ) {
        if !self.feeds.all.iter().any(|feed| has_calendars(&feed.settings.place)) {
            return reply(Ok(Answer::Availability(Vec::new())));
        }
        let keys = numbers.into_iter().take(PEOPLE);
        let keys: Vec<_> =
            keys.filter_map(|number| Some((NumberKey::of(&number)?, number))).collect();
        let read = move |tables: &Tables<'_>| {
            let mut found = Addresses::new();
            for (key, number) in keys {
                // Two people with one number have no common calendar.
                let mut emails: Vec<String> = tables
                    .people_with(&key)?
                    .into_iter()
                    .map(|person| person.email.trim().to_lowercase())
                    .filter(|email| email.contains('@'))
                    .collect();
                emails.sort_unstable();
                emails.dedup();
                if let [email] = emails.as_slice() {
                    found.push((number, email.clone()));
                }
            }
            Ok(found)
        };
        self.remembering(read, move |desk, _, found| match found {
            Ok(found) => desk.ask_calendars(now, found, reply),
            Err(error) => reply(Err(refused(&error))),
        });
    }

    fn ask_calendars(&mut self, now: Instant, wanted: Addresses, reply: Reply) {
        let calendars = &self.feeds.calendars;
        let mut missing: Vec<String> = wanted
            .iter()
            .filter(|(_, email)| calendars.get(email, now).is_none())
            .map(|(_, email)| email.clone())
            .collect();
        missing.sort_unstable();
        missing.dedup();
        let feed = self
            .feeds
            .all
            .iter()
            .find(|feed| has_calendars(&feed.settings.place) && feed.password.is_some());
        let Some(feed) = feed.filter(|_| !missing.is_empty()) else {
            return reply(Ok(self.availability(now, &wanted)));
        };
        let (id, settings, password) = (feed.id, feed.settings.clone(), feed.password.clone());
        let held = Held::new(Some((id, self.settings.secrets.clone())));
        let (access, random) = (held.access(password), self.random.fork());
        let from_ms = self.clock.ms(now);
        let period = Period { from_ms, to_ms: from_ms.saturating_add(AHEAD) };
        let server = form::server_of(&settings);
        let work = apart(move |runtime| {
            let source = open(&settings, access, random)?;
            runtime.block_on(source.free_busy(&missing, period))
        });
        self.later(work, move |desk, now, told: Result<Vec<Availability>, SourceError>| {
            desk.secret_renewed(Some(id), None, &server, &held);
            match told {
                Ok(told) => {
                    desk.feeds.calendars.keep(now, told);
                    reply(Ok(desk.availability(now, &wanted)));
                }
                Err(error) => {
                    reply(Err(ErrorReply::new(form::code_of(&error), error.to_string())));
                }
            }
        });
    }

    fn availability(&self, now: Instant, wanted: &Addresses) -> Answer {
        let now_ms = self.clock.ms(now);
        let one = |(number, email): &(String, String)| {
            let told = self.feeds.calendars.get(email, now)?.at(now_ms)?;
            Some(AvailabilityView {
                number: number.clone(),
                kind: kind_of(told.standing),
                until_ms: told.until_ms,
                free_ms: told.free_ms,
            })
        };
        Answer::Availability(wanted.iter().filter_map(one).collect())
    }
}

fn has_calendars(place: &SourcePlace) -> bool {
    matches!(place, SourcePlace::Microsoft { calendars: true, .. })
}

fn kind_of(standing: Standing) -> AvailabilityKind {
    match standing {
        Standing::Free => AvailabilityKind::Free,
        Standing::Tentative => AvailabilityKind::Tentative,
        Standing::Busy => AvailabilityKind::Busy,
        Standing::Away => AvailabilityKind::Away,
        Standing::Elsewhere => AvailabilityKind::Elsewhere,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[expect(clippy::disallowed_methods, reason = "virtual time begins anywhere")]
    fn start() -> Instant {
        Instant::now()
    }

    #[test]
    fn what_was_told_holds_for_a_moment_and_never_grows_without_end() {
        let (start, mut calendars) = (start(), Calendars::default());
        let told = |n: usize| Availability { address: format!("a{n}@b.nl"), spans: Vec::new() };
        calendars.keep(start, vec![told(1)]);
        assert!(calendars.get("a1@b.nl", start + FRESH / 2).is_some());
        assert!(calendars.get("a1@b.nl", start + FRESH).is_none());
        calendars.keep(start, (0..2 * KEPT).map(told).collect());
        assert_eq!(calendars.told.len(), KEPT);
        calendars.keep(start + FRESH, Vec::new());
        assert!(calendars.told.is_empty());
    }
}

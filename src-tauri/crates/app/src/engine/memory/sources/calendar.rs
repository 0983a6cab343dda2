//! When colleagues are free, by the calendars of the organisation: asked when somebody looks at them, and every few minutes for
//! those whose lines are watched. Times only; what an appointment is about never comes here.

mod own;
mod rounds;

use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, Instant};

use contact_sources::{Availability, Period, Source, SourceError, Standing};
use contacts::NumberKey;
use pbx::LineId;
use pbx::centre::{Capability, Phase, Service, ServiceKind};
use store::Tables;
use tokio::runtime::Handle;
use tracing::{debug, info};

use super::super::super::Reply;
use super::super::super::desk::Desk;
use super::super::super::watch::WatchedLine;
use super::super::refused;
use super::apart;
use super::form::{self, open};
use super::sign_in::Held;
use crate::control::{Answer, CentreCommand, ErrorReply, SourcePlace, SourceSettings};
use crate::view::CalendarView;
use crate::view::people::{AvailabilityKind, AvailabilityView};
use crate::view::service::{ServiceName, ServiceValues};
use own::OwnCalendar;
use rounds::Rounds;

/// So long an answer holds before it is asked for again.
const FRESH: Duration = Duration::from_secs(120);
/// So long it is shown while there is no other: calendars change, and who is asked about seldom is one of many.
const SHOWN: Duration = Duration::from_secs(900);
/// So far is looked ahead, milliseconds: twelve hours.
const AHEAD: u64 = 12 * 3_600_000;
/// Most people of one question, or one round.
const PEOPLE: usize = 100;
/// Of these so many at once.
const AT_ONCE: usize = 20;
/// Most answers that are kept.
const KEPT: usize = 5_000;
/// The address of whoever signs in.
const OWN: &str = "";
/// Accounts whose do not disturb was switched on by the calendar, as they are remembered.
const CLOSED: &str = "calendar.closed";

/// What was told of calendars lately, by address.
#[derive(Default)]
pub(super) struct Calendars {
    told: HashMap<String, (Instant, Availability)>,
    rounds: Rounds,
    /// By which address whoever has a watched line has a calendar.
    lines: BTreeMap<LineId, String>,
    own: OwnCalendar,
}

impl Calendars {
    /// When something is to be asked, or to be shown otherwise.
    pub(super) fn due(&self) -> Option<Instant> {
        self.rounds.due()
    }

    fn get(&self, address: &str, now: Instant) -> Option<&Availability> {
        let (at, told) = self.told.get(address)?;
        (now.saturating_duration_since(*at) < SHOWN).then_some(told)
    }

    /// Those of whom nothing fresh is known, who were asked about longest ago first; each once.
    fn missing(&self, now: Instant, wanted: impl Iterator<Item = String>) -> Vec<String> {
        let known = |address: &String| self.told.get(address).map(|(at, _)| *at);
        let mut missing: Vec<String> = wanted
            .filter(|address| {
                known(address).is_none_or(|at| now.saturating_duration_since(at) >= FRESH)
            })
            .collect();
        missing.sort_unstable();
        missing.dedup();
        missing.sort_by_key(known);
        missing.truncate(PEOPLE);
        missing
    }

    fn keep(&mut self, now: Instant, told: Vec<Availability>) {
        // One's own is known as far as it was told: nothing is switched because a server is away.
        self.told.retain(|address, (at, _)| {
            address == OWN || now.saturating_duration_since(*at) < SHOWN
        });
        for one in told {
            if self.told.len() < KEPT || self.told.contains_key(&one.address) {
                self.told.insert(one.address.clone(), (now, one));
            }
        }
    }
}

/// Numbers, and by which address whoever has them has a calendar.
type Addresses = Vec<(String, String)>;

// --- asked by somebody who looks ---

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
                if let Some(email) = address_of(tables, &[key])? {
                    found.push((number, email));
                }
            }
            Ok(found)
        };
        self.remembering(read, move |desk, now, found| match found {
            Ok(found) => desk.answer_availability(now, found, reply),
            Err(error) => reply(Err(refused(&error))),
        });
        debug!(at = self.clock.ms(now), "calendars are looked at");
    }

    fn answer_availability(&mut self, now: Instant, wanted: Addresses, reply: Reply) {
        let calendars = &self.feeds.calendars;
        let missing = calendars.missing(now, wanted.iter().map(|(_, email)| email.clone()));
        // A password that was refused is not tried again because somebody looks.
        if missing.is_empty() || calendars.rounds.rests() {
            return reply(Ok(self.availability(now, &wanted)));
        }
        self.ask_calendars(now, missing, move |desk, now, error| {
            match (desk.availability(now, &wanted), error) {
                (Answer::Availability(told), Some(error)) if told.is_empty() => {
                    reply(Err(ErrorReply::new(form::code_of(&error), error.to_string())));
                }
                (answer, _) => reply(Ok(answer)),
            }
        });
    }

    fn availability(&self, now: Instant, wanted: &Addresses) -> Answer {
        let one = |(number, email): &(String, String)| {
            let CalendarView { kind, until_ms, free_ms } = self.calendar_of(now, email)?;
            Some(AvailabilityView { number: number.clone(), kind, until_ms, free_ms })
        };
        Answer::Availability(wanted.iter().filter_map(one).collect())
    }

    fn calendar_of(&self, now: Instant, email: &str) -> Option<CalendarView> {
        let told = self.feeds.calendars.get(email, now)?.at(self.clock.ms(now))?;
        let kind = kind_of(told.standing);
        Some(CalendarView { kind, until_ms: told.until_ms, free_ms: told.free_ms })
    }
}

/// By which address whoever has one of these numbers has a calendar; the first number that somebody has counts.
fn address_of(
    tables: &Tables<'_>,
    keys: &[NumberKey],
) -> Result<Option<String>, store::StoreError> {
    for key in keys {
        // Two people with one number have no common calendar.
        let mut emails: Vec<String> = tables
            .people_with(key)?
            .into_iter()
            .map(|person| person.email.trim().to_lowercase())
            .filter(|email| email.contains('@'))
            .collect();
        emails.sort_unstable();
        emails.dedup();
        match emails.as_slice() {
            [] => {}
            [email] => return Ok(Some(email.clone())),
            _ => return Ok(None),
        }
    }
    Ok(None)
}

// --- asking the sources ---

impl Desk {
    /// Asks the sources about these, one source after the other while something is not told. `then` hears what went wrong.
    fn ask_calendars(
        &mut self,
        now: Instant,
        missing: Vec<String>,
        then: impl FnOnce(&mut Desk, Instant, Option<SourceError>) + Send + 'static,
    ) {
        let from_ms = self.clock.ms(now);
        let period = Period { from_ms, to_ms: from_ms.saturating_add(AHEAD) };
        let (mut feeds, mut held) = (Vec::new(), Vec::new());
        for feed in &self.feeds.all {
            let opens = feed.ready && (feed.password.is_some() || !form::has_user(&feed.settings));
            if tells(&feed.settings) && opens {
                let hold = Held::new(Some((feed.id, self.settings.secrets.clone())));
                let access = hold.access(feed.password.clone());
                feeds.push((feed.settings.clone(), access, self.random.fork()));
                held.push((feed.id, form::server_of(&feed.settings), hold));
            }
        }
        let nobody = feeds.is_empty();
        let work = apart(move |runtime| {
            let mut asked = Asked { missing, told: Vec::new(), error: None };
            for (settings, access, random) in feeds {
                match open(&settings, access, random) {
                    Ok(source) => asked.ask(runtime, &*source, &settings, period),
                    Err(error) => asked.error = asked.error.or(Some(error)),
                }
            }
            Ok(asked)
        });
        self.later(work, move |desk, now, asked: Result<Asked, SourceError>| {
            for (id, server, hold) in &held {
                desk.secret_renewed(Some(*id), None, server, hold);
            }
            let Asked { missing, mut told, error } = asked.unwrap_or_else(Asked::failed);
            if error.is_none() && !nobody {
                // That nothing is told is an answer, too.
                let nothing = |address| Availability { address, spans: Vec::new() };
                told.extend(missing.into_iter().map(nothing));
            }
            desk.feeds.calendars.keep(now, told);
            then(desk, now, error);
        });
    }
}

/// What is asked of one source after the other.
struct Asked {
    /// Of whom nothing is told yet.
    missing: Vec<String>,
    told: Vec<Availability>,
    error: Option<SourceError>,
}

impl Asked {
    fn failed(error: SourceError) -> Asked {
        Asked { missing: Vec::new(), told: Vec::new(), error: Some(error) }
    }

    fn ask(
        &mut self,
        runtime: &Handle,
        source: &dyn Source,
        settings: &SourceSettings,
        period: Period,
    ) {
        let (missing, others): (Vec<String>, Vec<String>) = std::mem::take(&mut self.missing)
            .into_iter()
            .partition(|address| match address == OWN {
                true => settings.own_dnd,
                false => has_calendars(&settings.place),
            });
        self.missing = others;
        for (at, some) in missing.chunks(AT_ONCE).enumerate() {
            match runtime.block_on(source.free_busy(some, period)) {
                Ok(told) => {
                    let (told, not): (Vec<_>, Vec<_>) =
                        told.into_iter().partition(|one| !one.spans.is_empty());
                    self.told.extend(told);
                    self.missing.extend(not.into_iter().map(|one| one.address));
                }
                Err(error) => {
                    info!(%error, "calendars could not be read");
                    self.error.get_or_insert(error);
                    let rest = missing.get(at * AT_ONCE..).unwrap_or_default();
                    return self.missing.extend(rest.iter().cloned());
                }
            }
        }
    }
}

// --- those who are watched ---

impl Desk {
    /// The sources are other ones, or one of them has its password.
    pub(super) fn begin_calendars(&mut self, now: Instant) {
        let tells = self.feeds.all.iter().any(|feed| feed.ready && tells(&feed.settings));
        self.feeds.calendars.rounds.begin(now, tells, &mut self.random);
        // Whom one source knows nothing of, another may know.
        let told = &mut self.feeds.calendars.told;
        told.retain(|_, (_, one)| tells && !one.spans.is_empty());
        self.show_calendars(now);
    }

    /// A line is watched from now on.
    pub(in crate::engine) fn somebody_is_watched(&mut self, now: Instant) {
        self.feeds.calendars.rounds.hurry(now);
    }

    /// Begins a round when it is time, and shows what time has made of what is known.
    pub(super) fn calendars_on_time(&mut self, now: Instant) {
        if self.feeds.calendars.rounds.border.is_some_and(|border| border <= now) {
            self.show_calendars(now);
        }
        if !self.feeds.calendars.rounds.take(now) {
            return;
        }
        let lines: Vec<(LineId, Option<String>, Vec<NumberKey>)> = self
            .watches
            .watched_lines()
            .map(|line| (line.line, self.told_address(&line), self.keys_of(&line)))
            .collect();
        let read = move |tables: &Tables<'_>| {
            let mut found = BTreeMap::new();
            for (line, told, keys) in lines {
                let email = match told {
                    Some(email) => Some(email),
                    None => address_of(tables, &keys)?,
                };
                found.extend(email.map(|email| (line, email)));
            }
            Ok(found)
        };
        self.remembering(read, |desk, now, found| match found {
            Ok(found) => desk.round(now, found),
            Err(error) => {
                debug!(%error, "whose calendars to ask for is not known");
                desk.feeds.calendars.rounds.ended(now, None, &mut desk.random);
            }
        });
    }

    fn round(&mut self, now: Instant, lines: BTreeMap<LineId, String>) {
        let own = self.feeds.all.iter().any(|feed| feed.settings.own_dnd);
        let calendars = &mut self.feeds.calendars;
        calendars.lines = lines;
        let wanted = own.then(|| OWN.to_owned()).into_iter();
        let missing = calendars.missing(now, wanted.chain(calendars.lines.values().cloned()));
        if missing.is_empty() {
            calendars.rounds.ended(now, None, &mut self.random);
            return self.show_calendars(now);
        }
        debug!(people = missing.len(), "calendars: waiting, due -> asking");
        self.ask_calendars(now, missing, |desk, now, error| {
            desk.feeds.calendars.rounds.ended(now, error.as_ref(), &mut desk.random);
            desk.show_calendars(now);
        });
    }

    /// Shows beside each line what is known now, and notes when that becomes something else.
    fn show_calendars(&mut self, now: Instant) {
        let now_ms = self.clock.ms(now);
        let lines: Vec<LineId> = self.watches.watched_lines().map(|line| line.line).collect();
        let mut border: Option<u64> = None;
        for line in lines {
            let email = self.feeds.calendars.lines.get(&line).cloned();
            let shown = email.and_then(|email| self.calendar_of(now, &email));
            let until = shown.as_ref().and_then(|shown| shown.until_ms);
            border = border.into_iter().chain(until).min();
            self.show_calendar(now, line, shown);
        }
        let own = self.own_standing(now_ms).and_then(|(_, until)| until);
        border = border.into_iter().chain(own).min();
        let wait = border.map(|at| Duration::from_millis(at.saturating_sub(now_ms).max(1)));
        self.feeds.calendars.rounds.border = wait.map(|wait| now + wait);
        self.close_by_calendar(now);
    }

    /// The address that the exchange's directory tells of whoever has a line.
    fn told_address(&self, line: &WatchedLine) -> Option<String> {
        let running = self.centres.get(&line.account)?;
        let entries = running.centre.directory().iter();
        let mut found = entries.filter(|entry| entry.extension == line.extension);
        let email = found.next()?.email.trim().to_lowercase();
        let alone = found.next().is_none();
        Some(email).filter(|email| alone && email.contains('@'))
    }

    /// Numbers by which whoever has a line is found in the lists of contacts.
    fn keys_of(&self, line: &WatchedLine) -> Vec<NumberKey> {
        let colleague = self.colleagues_at(&line.extension).find(|who| who.account == line.account);
        let mobile = colleague.map(|who| who.mobile.as_str()).filter(|mobile| !mobile.is_empty());
        let numbers = [Some(line.extension.as_str()), mobile];
        numbers.into_iter().flatten().filter_map(NumberKey::of).collect()
    }
}

// --- one's own ---

impl Desk {
    /// Reads which accounts an earlier run has left closed.
    pub(super) fn recall_closed(&mut self) {
        let read = |tables: &Tables<'_>| tables.preference(CLOSED);
        self.remembering(read, |desk, now, kept| {
            let kept = kept.ok().flatten().unwrap_or_default();
            let accounts = serde_json::from_str(&kept).unwrap_or_default();
            desk.feeds.calendars.own = OwnCalendar::restored(accounts);
            desk.close_by_calendar(now);
        });
    }

    /// Do not disturb is on because of the calendar.
    pub(in crate::engine) fn is_closed_by_calendar(&self, account: &str) -> bool {
        self.feeds.calendars.own.is_why(account)
    }

    /// What one's own calendar says now, and until when.
    fn own_standing(&self, now_ms: u64) -> Option<(Standing, Option<u64>)> {
        let (_, told) = self.feeds.calendars.told.get(OWN)?;
        told.at(now_ms).map(|now| (now.standing, now.until_ms))
    }

    /// Switches do not disturb on and off by one's own calendar, where a source was asked for it.
    pub(in crate::engine) fn close_by_calendar(&mut self, now: Instant) {
        let wanted = self.feeds.all.iter().any(|feed| feed.settings.own_dnd);
        let before = self.feeds.calendars.own.ours();
        if !self.feeds.opened || (!wanted && before.is_empty()) {
            return;
        }
        let standing = self.own_standing(self.clock.ms(now)).filter(|_| wanted);
        let taken = matches!(standing, Some((Standing::Busy | Standing::Away, _)));
        let accounts: Vec<(String, bool, bool)> = self
            .accounts
            .iter()
            .filter_map(|account| self.own_service(&account.settings.id))
            .collect();
        for (account, on, refused) in accounts {
            let own = &mut self.feeds.calendars.own;
            if refused {
                own.refused(&account);
            }
            if let Some(active) = own.step(&account, taken, Some(on)) {
                let values = ServiceValues { active: Some(active), ..ServiceValues::default() };
                let (account, service) = (Some(account), ServiceName::DoNotDisturb);
                let command = CentreCommand::ServiceSet { account, service, values };
                self.ask_centre(now, command, Box::new(|answer| {
                    if let Err(error) = answer {
                        info!(message = %error.message, "do not disturb does not follow the calendar");
                    }
                }));
            }
        }
        let after = self.feeds.calendars.own.ours();
        if after != before {
            let kept = serde_json::to_string(&after).unwrap_or_default();
            let keep = move |tables: &Tables<'_>| tables.set_preference(CLOSED, &kept);
            self.remembering(keep, |desk, now, kept| {
                if let Err(error) = kept {
                    desk.memory_failed(now, &error);
                }
            });
        }
    }

    /// Whether do not disturb of an account is on, and whether the last wish was refused; none: it cannot be switched now.
    fn own_service(&self, account: &str) -> Option<(String, bool, bool)> {
        let centre = &self.centres.get(account)?.centre;
        let state = centre.service(ServiceKind::DoNotDisturb)?;
        let Some(Service::DoNotDisturb { active }) = state.actual else { return None };
        let may = centre.can(Capability::Service(ServiceKind::DoNotDisturb));
        let refused = state.wish.phase() == Phase::Refused;
        (may && centre.link().is_up()).then(|| (account.to_owned(), active, refused))
    }
}

/// Somebody has asked for calendars of this source: of others, or one's own.
pub(super) fn tells(settings: &SourceSettings) -> bool {
    has_calendars(&settings.place) || settings.own_dnd
}

pub(super) fn has_calendars(place: &SourcePlace) -> bool {
    match place {
        SourcePlace::Microsoft { calendars, .. } | SourcePlace::Carddav { calendars, .. } => {
            *calendars
        }
        SourcePlace::Ldap { .. } | SourcePlace::Outlook {} | SourcePlace::Exchange { .. } => false,
    }
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
        assert!(calendars.get("a1@b.nl", start + SHOWN / 2).is_some());
        assert!(calendars.get("a1@b.nl", start + SHOWN).is_none());
        calendars.keep(start, (0..2 * KEPT).map(told).collect());
        assert_eq!(calendars.told.len(), KEPT);
        calendars.keep(start + SHOWN, Vec::new());
        assert!(calendars.told.is_empty());
    }

    #[test]
    fn who_was_asked_about_longest_ago_comes_first_and_nobody_twice() {
        let (start, mut calendars) = (start(), Calendars::default());
        let told = |address: &str| Availability { address: address.into(), spans: Vec::new() };
        calendars.keep(start, vec![told("old@b.nl")]);
        calendars.keep(start + FRESH / 2, vec![told("older@b.nl"), told("fresh@b.nl")]);
        calendars.keep(start + FRESH, vec![told("fresh@b.nl")]);
        let wanted = ["older@b.nl", "fresh@b.nl", "old@b.nl", "new@b.nl", "new@b.nl"];
        let now = start + 2 * FRESH - Duration::from_millis(1);
        let missing = calendars.missing(now, wanted.iter().map(|one| (*one).to_owned()));
        assert_eq!(missing, ["new@b.nl", "old@b.nl", "older@b.nl"]);
        let crowd = (0..3 * PEOPLE).map(|n| format!("c{n}@b.nl"));
        assert_eq!(calendars.missing(now, crowd).len(), PEOPLE);
    }
}

//! Users who work elsewhere: their calls ring at the number of their remote office, or at the telephones of the host whose
//! guest they are (hoteling). A host's telephones are the guest's meanwhile: what is dialled there he calls.
//!
//! Inputs: from `setup` a line that is rung (`telephones`, `far_telephone`) and its time being up (`far_answers`), a
//! telephone that calls (`who_is_at`); from the web services `be_guest`; from the control port `guest_ends`; from time
//! `guests_due`. A guest is one until he leaves, takes another host, or his time is up.

use std::time::{Duration, Instant};

use sip_types::StatusCode;

use super::Exchange;
use super::script::{greeting, hello, service_steps};
use crate::call::{Call, Party, State};
use crate::company::{Behaviour, Voice};
use crate::desk::Guest;
use crate::dial_plan::{Destination, destination};
use crate::endpoint::Step;
use crate::pbx::CallNumber;
use crate::registrar::Binding;

/// Where a line rings.
enum Station {
    /// At its own telephones.
    Own,
    /// At those of another line.
    Line(String),
    /// At a number without telephones of ours.
    Far(String),
}

impl Exchange {
    fn station(&self, line: &str) -> Station {
        let rules = self.desk.rules(line);
        match (&rules.remote_office, &rules.guest) {
            (Some(to), _) => match destination(&self.company, to) {
                Destination::Account(other) if other == line => Station::Own,
                Destination::Account(other) => Station::Line(other),
                _ => Station::Far(to.clone()),
            },
            (None, Some(guest)) => Station::Line(guest.host.clone()),
            (None, None) => Station::Own,
        }
    }

    /// The telephones that ring for a line.
    pub(super) fn telephones(&self, line: &str) -> &[Binding] {
        match self.station(line) {
            Station::Own => self.registrar.bindings(line),
            Station::Line(other) => self.registrar.bindings(&other),
            Station::Far(_) => &[],
        }
    }

    /// The telephones that a line's user calls with.
    pub(super) fn telephones_at_hand(&self, line: &str) -> &[Binding] {
        match self.station(line) {
            Station::Far(_) => self.registrar.bindings(line),
            Station::Own | Station::Line(_) => self.telephones(line),
        }
    }

    /// Whether there is anything that rings for a line.
    pub(crate) fn can_ring(&self, line: &str) -> bool {
        matches!(self.station(line), Station::Far(_)) || !self.telephones(line).is_empty()
    }

    /// Who calls when somebody calls with a line's telephone: its guest, if it has one.
    pub(super) fn who_is_at(&self, line: String) -> String {
        let mut guests = self.desk.guests().filter(|(_, guest)| guest.host == line);
        guests.next().map_or(line, |(guest, _)| guest.to_owned())
    }

    /// The number outside where a line rings, and after how long it is answered there, if it is.
    pub(super) fn far_telephone(&mut self, line: &str) -> Option<(String, Option<Duration>)> {
        let Station::Far(to) = self.station(line) else { return None };
        let answers = match destination(&self.company, &to) {
            Destination::Person(person) => person.behaviour == Behaviour::Answers,
            Destination::Outside(_) | Destination::Service(_) => true,
            _ => false,
        };
        let after = answers.then(|| Duration::from_millis(self.random.between(2_000, 5_000)));
        Some((to, after))
    }

    /// The called answers where he works.
    pub(super) fn far_answers(&mut self, now: Instant, number: CallNumber, to: &str) {
        let steps = self.steps_at(to);
        let Some(call) = self.calls.get_mut(&number) else { return };
        tracing::debug!(call = number.0, %to, "ringing, answered at the remote office -> answering");
        call.state = State::Alone;
        call.due = None;
        if matches!(call, Call { near: Party::Local(_), .. }) {
            return self.leave_to_life(now, number);
        }
        self.lift(now, number, steps);
    }

    fn steps_at(&self, number: &str) -> Vec<Step> {
        match destination(&self.company, number) {
            Destination::Person(person) => greeting(&person),
            Destination::Service(service) => service_steps(service),
            _ => hello(Voice::Woman),
        }
    }

    /// Whose guest somebody is, and until when.
    pub(crate) fn guest_of(&self, host: &str) -> Option<&str> {
        self.desk.guests().find(|(_, guest)| guest.host == host).map(|(line, _)| line)
    }

    /// Somebody has a host's telephones from now on, for so long; or his own again.
    pub(crate) fn be_guest(
        &mut self,
        now: Instant,
        line: &str,
        at: Option<(String, Option<Duration>)>,
    ) {
        tracing::debug!(%line, ?at, "guest");
        let guest = at.map(|(host, limit)| Guest { host, until: limit.map(|limit| now + limit) });
        self.change_desk(now, |desk| desk.change_rules(line, |rules| rules.guest = guest));
    }

    /// When somebody who is a guest stops being one. False if he is none.
    pub(super) fn guest_ends(&mut self, line: &str, until: Instant) -> bool {
        let is_guest = self.desk.rules(line).guest.is_some();
        self.desk.change_rules(line, |rules| {
            if let Some(guest) = &mut rules.guest {
                guest.until = Some(until);
            }
        });
        is_guest
    }

    /// When the next guest's time is up.
    pub(super) fn guest_until(&self) -> Option<Instant> {
        self.desk.guests().filter_map(|(_, guest)| guest.until).min()
    }

    /// Guests whose time is up have their own telephones again. Calls that have begun go on.
    pub(super) fn guests_due(&mut self, now: Instant) {
        let is_over = |guest: &Guest| guest.until.is_some_and(|until| until <= now);
        let over = self.desk.guests().filter(|(_, guest)| is_over(guest));
        let over: Vec<String> = over.map(|(line, _)| line.to_owned()).collect();
        for line in over {
            tracing::debug!(%line, "guest, time is up -> at home");
            self.desk.change_rules(&line, |rules| rules.guest = None);
            self.changed = true;
        }
    }

    /// A call of a far telephone that does not answer: what its line would have said.
    pub(super) fn far_refusal(&self, line: &str) -> Option<StatusCode> {
        let Station::Far(to) = self.station(line) else { return None };
        match destination(&self.company, &to) {
            Destination::Busy => Some(StatusCode::BUSY_HERE),
            Destination::Declines => Some(StatusCode::DECLINE),
            Destination::Person(person) => match person.behaviour {
                Behaviour::Busy => Some(StatusCode::BUSY_HERE),
                Behaviour::Declines => Some(StatusCode::DECLINE),
                Behaviour::Answers | Behaviour::NoAnswer => None,
            },
            Destination::Unknown => Some(StatusCode::TEMPORARILY_UNAVAILABLE),
            _ => None,
        }
    }
}

//! Hunt groups: their members are rung in the order of the group's policy, or all at once; at night the company's calls
//! go elsewhere.
//!
//! Inputs: from the dial plan `hunt`; from calls that end `rested`; from the control port the night mode.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use sip_core::Random;
use sip_types::StatusCode;
use sip_ua::SessionId;

use super::Exchange;
use crate::acd::policy::{Candidate, choose};
use crate::acd::{Calendar, Night, Policy};
use crate::call::{Call, Overflow, Party, State};
use crate::company::HuntGroup;
use crate::pbx::CallNumber;

/// What the groups remember.
#[derive(Debug, Default)]
pub(super) struct Hunts {
    /// Place of the member of a group who was rung first last time.
    last: BTreeMap<String, usize>,
    /// Since when a line is without a call.
    idle: BTreeMap<String, Instant>,
}

impl Hunts {
    /// The members in the order they are rung.
    fn order(&mut self, now: Instant, group: &HuntGroup, random: &mut Random) -> Vec<String> {
        let candidate = |(place, id): (usize, &'_ String)| {
            let weight = group.weights.get(id).copied().unwrap_or(0);
            // Who has never had a call has been idle longest.
            let longest = now.checked_sub(Duration::from_secs(365 * 86_400)).unwrap_or(now);
            let idle_since = self.idle.get(id).copied().unwrap_or(longest);
            (id.clone(), place, weight, idle_since)
        };
        let mut left: Vec<_> = group.members.iter().enumerate().map(candidate).collect();
        let mut last = self.last.get(&group.number).copied();
        let mut order = Vec::new();
        while !left.is_empty() {
            let candidates: Vec<Candidate<'_>> = left
                .iter()
                .map(|(id, place, weight, idle_since)| Candidate {
                    id,
                    place: *place,
                    skill: 1,
                    weight: *weight,
                    idle_since: *idle_since,
                })
                .collect();
            let chosen = choose(group.policy, &candidates, last, random);
            let Some(at) = left.iter().position(|member| chosen.contains(&member.0)) else { break };
            let (id, place, ..) = left.remove(at);
            if order.is_empty() {
                self.last.insert(group.number.clone(), place);
            }
            last = Some(place);
            order.push(id);
        }
        order
    }
}

impl Exchange {
    /// A call to a hunt group.
    pub(super) fn hunt(&mut self, now: Instant, number: CallNumber, group: &HuntGroup) {
        if let Some(to) = self.night_target(now) {
            let Some(call) = self.calls.get(&number) else { return };
            let main = call.called.clone();
            return self.divert_to(now, number, (main, "time-of-day"), &to);
        }
        let mut random = self.random.fork();
        let order = self.hunts.order(now, group, &mut random);
        let Some(call) = self.calls.get_mut(&number) else { return };
        call.hunting = true;
        call.hunt_ring = Some(Duration::from_secs(group.ring_s));
        if group.policy == Policy::Simultaneous {
            return self.ring_all(now, number, order);
        }
        call.hunt = order.into();
        self.give_up(now, number, StatusCode::TEMPORARILY_UNAVAILABLE);
    }

    /// Rings the phones of all members at once; simulated members come after, one by one.
    fn ring_all(&mut self, now: Instant, number: CallNumber, members: Vec<String>) {
        let (phones, others): (Vec<String>, Vec<String>) =
            members.into_iter().partition(|line| !self.telephones(line).is_empty());
        let fresh = self.offer_of_transferee(number);
        let Some(call) = self.calls.get_mut(&number) else { return };
        if fresh.is_some() {
            call.offer = fresh;
        }
        let simulated = others.into_iter().filter(|line| self.company.person(line).is_some());
        call.hunt = simulated.collect();
        let mut willing = phones;
        willing.retain(|line| self.desk.refusal(line).is_none());
        let mut forks: Vec<(SessionId, String)> = Vec::new();
        for line in willing {
            let rung = self.invite_phones(now, number, &line);
            forks.extend(rung.into_iter().map(|session| (session, line.clone())));
        }
        if forks.is_empty() {
            return self.give_up(now, number, StatusCode::TEMPORARILY_UNAVAILABLE);
        }
        let Some(call) = self.calls.get_mut(&number) else { return };
        tracing::debug!(
            call = number.0,
            phones = forks.len(),
            "setting up, all at once -> ringing"
        );
        let sessions = forks.iter().map(|(session, _)| *session).collect();
        call.fork_lines = forks;
        call.state =
            State::Ringing { forks: sessions, refusal: None, overflow: Overflow::Unavailable };
        call.due = Some(now + call.hunt_ring.unwrap_or(self.ring_time));
    }

    /// One of several members has answered: the caller learns who.
    pub(super) fn member_answered(&mut self, number: CallNumber, session: SessionId) {
        let Some(call) = self.calls.get(&number) else { return };
        let line = call.fork_lines.iter().find(|(fork, _)| *fork == session);
        let Some(line) = line.map(|(_, line)| line.clone()) else { return };
        let (called, identity) = (self.who(&line), self.identity(&line));
        let Some(call) = self.calls.get_mut(&number) else { return };
        call.called = called;
        call.fork_lines.clear();
        if let Party::Phone(near) = call.near {
            let _ = self.ua.set_identity(near, Some(identity));
        }
    }

    /// A call is over: its lines have nothing to do from now on.
    pub(super) fn rested(&mut self, now: Instant, call: &Call) {
        if call.answered_at.is_some() {
            let lines =
                [&call.caller, &call.called].into_iter().filter_map(|who| who.extension.clone());
            self.hunts.idle.extend(lines.map(|line| (line, now)));
        }
    }

    /// Where the company's calls go at night; `None` by day.
    fn night_target(&self, now: Instant) -> Option<String> {
        self.is_night(now).then(|| self.company.night.to.clone()).filter(|to| !to.is_empty())
    }

    /// Whether night mode is on.
    pub(crate) fn is_night(&self, now: Instant) -> bool {
        let night = &self.company.night;
        match night.mode {
            Night::Off => false,
            Night::On => true,
            Night::Automatic => {
                let hours = night.business_hours.as_ref();
                night.is_holiday(self.calendar.local(now))
                    || hours.is_some_and(|hours| !hours.is_open(self.calendar.second_of_week(now)))
            }
        }
    }

    /// Sets the clock on the company's wall.
    pub(crate) fn set_calendar(&mut self, now: Instant, calendar: Calendar) {
        self.calendar = calendar;
        self.acd.set_calendar(now, calendar);
        self.settle(now);
    }
}

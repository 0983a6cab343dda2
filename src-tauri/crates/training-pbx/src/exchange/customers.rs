//! Customers who ring from outside.

use std::time::{Duration, Instant};

use super::script::story_steps;
use super::{CALLS, Exchange};
use crate::call::{Call, Party, State, Who};
use crate::company::Voice;
use crate::dial_plan::{Destination, destination};
use crate::pbx::{CallNumber, CustomerCall, PbxError};

/// How long a customer waits for an answer, when the call does not say.
const PATIENCE_S: u64 = 25;
/// Likewise, for the number of a queue.
const PATIENCE_IN_QUEUE_S: u64 = 300;
/// Nobody is more patient.
const LONGEST_PATIENCE_S: u64 = 3_600;
/// How long a customer stays on the line after the story, likewise.
const TALK_S: u64 = 30;

impl Exchange {
    /// Somebody of the demo's customers rings a user's phones.
    pub(crate) fn customer_call(
        &mut self,
        now: Instant,
        wish: &CustomerCall,
    ) -> Result<CallNumber, PbxError> {
        if self.calls.len() >= CALLS {
            return Err(PbxError::TooManyCalls);
        }
        let reachable = match destination(&self.company, &wish.to) {
            Destination::Account(user) => self.can_ring(&user),
            Destination::Hunt(_) if self.is_night(now) => true,
            Destination::Hunt(group) => group.members.iter().any(|member| self.can_ring(member)),
            // Who waits in a queue needs nobody yet.
            Destination::Queue(_) => true,
            _ => return Err(PbxError::UnknownNumber(wish.to.clone())),
        };
        if !reachable {
            return Err(PbxError::NotRegistered(wish.to.clone()));
        }
        let (caller, voice, story) = self.customer(wish);
        let steps = story_steps(voice, story, wish.talk_s.unwrap_or(TALK_S));
        let number = self.next_call();
        let local = self.open_line(number, steps);
        let queued = matches!(destination(&self.company, &wish.to), Destination::Queue(_));
        let usual = if queued { PATIENCE_IN_QUEUE_S } else { PATIENCE_S };
        let patience =
            Duration::from_secs(wish.patience_s.unwrap_or(usual).min(LONGEST_PATIENCE_S));
        tracing::debug!(call = number.0, to = %wish.to, "none, customer calls -> opening");
        let mut call = Call::new(Party::Local(local), caller, None);
        call.state = State::Opening { to: wish.to.clone() };
        call.patience = Some(now + patience);
        self.calls.insert(number, call);
        self.changed = true;
        Ok(number)
    }

    /// Those who call by the curve of the day.
    pub(super) fn callers_due(&mut self, now: Instant) {
        let second = self.calendar.second_of_day(now);
        if self.callers.poll_timeout().is_none_or(|at| at > now) {
            return;
        }
        let queues: Vec<String> = self.queue_names.keys().map(|queue| queue.0.clone()).collect();
        if let Some((call, _)) = self.callers.due(now, second, &queues)
            && let Err(error) = self.customer_call(now, &call)
        {
            tracing::debug!(to = %call.to, %error, "nobody can call");
        }
    }

    /// Who calls: as asked for, or the next customer of the company.
    fn customer(&mut self, wish: &CustomerCall) -> (Who, Voice, usize) {
        let index = self.last_customer;
        self.last_customer += 1;
        let count = self.company.customers.len().max(1);
        let next = self.company.customers.get(index % count).cloned();
        let named = wish.name.is_some() || wish.number.is_some();
        let usual = next.as_ref().filter(|_| !named);
        let number = wish.number.clone().or_else(|| usual.map(|c| c.number.clone()));
        let display = wish.name.clone().or_else(|| usual.map(|c| c.name.clone()));
        let withheld = number.is_none();
        let uri = self.uri(number.as_deref().unwrap_or("anonymous"));
        let who = Who { display, uri, withheld, extension: None };
        (who, next.map(|c| c.voice).unwrap_or_default(), index % count)
    }
}

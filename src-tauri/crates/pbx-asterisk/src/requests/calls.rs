//! Calls of the user: begun from his telephone, given away, parked, taken.

use pbx::centre::{CallVerb, Refusal, Supervision};

use super::{Ending, Job, Planner, dialable};
use crate::view::OwnCall;
use crate::{Action, Feature};

/// How long the user's telephone rings before the call is given up, in milliseconds.
const RINGS_FOR: &str = "30000";

impl Planner<'_> {
    pub(super) fn dial(&mut self, number: &str) -> Result<Job, Refusal> {
        let number = dialable(number)?;
        Ok(self.originate(number))
    }

    /// Rings the user's telephone and, when he answers, dials.
    fn originate(&self, number: &str) -> Job {
        let action = self
            .ring()
            .with("Context", &self.config.context)
            .with("Exten", number)
            .with("Priority", "1")
            .with("CallerID", number);
        Job::of([action]).ending(Ending::Originated)
    }

    fn ring(&self) -> Action {
        Action::new("Originate")
            .with("Channel", &self.config.interface)
            .with("Timeout", RINGS_FOR)
            .with("Async", "true")
    }

    pub(super) fn control(&mut self, call: &str, verb: CallVerb) -> Result<Job, Refusal> {
        let own = self.view.calls.get(call).ok_or(Refusal::Gone)?;
        match verb {
            CallVerb::Release => Ok(hang_up(own, "16")),
            CallVerb::Decline(true) => Ok(hang_up(own, "17")),
            CallVerb::Decline(false) => Ok(hang_up(own, "19")),
            CallVerb::BlindTransfer(number) => self.transfer(own, &number),
            CallVerb::ConsultTransfer(other) => self.connect(call, &other),
            CallVerb::Park(at) => self.park(call, own, at.as_deref()),
            // Hold and keys are the telephone's; the rest the exchange has no action for.
            _ => Err(Refusal::NotAllowed),
        }
    }

    fn transfer(&self, own: &OwnCall, number: &str) -> Result<Job, Refusal> {
        let action = Action::new("BlindTransfer")
            .with("Channel", &own.channel)
            .with("Context", &self.config.context)
            .with("Exten", dialable(number)?);
        Ok(Job::of([action]))
    }

    /// The parties of two calls of the user talk to each other.
    fn connect(&self, one: &str, other: &str) -> Result<Job, Refusal> {
        self.view.calls.get(other).ok_or(Refusal::Gone)?;
        let party = |call: &str| self.view.calls.other_side(call).ok_or(Refusal::Unavailable);
        let (first, second) = (party(one)?, party(other)?);
        if first == second {
            return Err(Refusal::BadValue(other.to_owned()));
        }
        let action = Action::new("Bridge").with("Channel1", first).with("Channel2", second);
        Ok(Job::of([action]))
    }

    fn park(&self, call: &str, own: &OwnCall, at: Option<&str>) -> Result<Job, Refusal> {
        let party = self.view.calls.other_side(call).ok_or(Refusal::Unavailable)?;
        let mut action =
            Action::new("Park").with("Channel", party).with("TimeoutChannel", &own.channel);
        if let Some(at) = at {
            action = action.with("ParkingSpace", dialable(at)?);
        }
        Ok(Job::of([action]).ending(Ending::Parked(party.to_owned())))
    }

    /// Takes a parked call: that of a place, or the one that the user parked himself.
    pub(super) fn retrieve(&mut self, at: Option<&str>) -> Result<Job, Refusal> {
        let own = || {
            let parked = self.view.parked.iter();
            let mut mine = parked.filter(|(_, parker)| **parker == self.config.interface);
            mine.next().map(|(space, _)| space.clone())
        };
        let space = at.map(str::to_owned).or_else(own).ok_or(Refusal::Gone)?;
        Ok(self.originate(dialable(&space)?))
    }

    /// Takes a call that rings elsewhere, by the codes of the dial plan.
    pub(super) fn pickup(&mut self, at: Option<&str>) -> Result<Job, Refusal> {
        let feature = if at.is_some() { Feature::DirectedPickup } else { Feature::GroupPickup };
        let extension = at.unwrap_or_default();
        if at.is_some() {
            dialable(extension)?;
        }
        let number = self.config.codes.dial(feature, extension).ok_or(Refusal::NotAllowed)?;
        Ok(self.originate(&number))
    }

    /// Rings the user's telephone and puts him into the calls of an agent.
    pub(super) fn supervise(&mut self, agent: &str, how: Supervision) -> Result<Job, Refusal> {
        if !self.config.supervisor {
            return Err(Refusal::NotAllowed);
        }
        let device = self.device_of(agent).ok_or(Refusal::Gone)?;
        let options = match how {
            Supervision::Listen => "q",
            Supervision::Coach => "qw",
            Supervision::BargeIn => "qB",
        };
        let action =
            self.ring().with("Application", "ChanSpy").with("Data", &format!("{device},{options}"));
        Ok(Job::of([action]).ending(Ending::Originated))
    }

    /// The device whose channels are an agent's: the one whose state counts for his queues. Only names without
    /// signs that mean something to the application.
    fn device_of(&self, agent: &str) -> Option<String> {
        let (_, member) = self.view.memberships(agent).next()?;
        let device =
            [member.state_interface.as_str(), agent].into_iter().find(|name| is_device(name))?;
        Some(device.to_owned())
    }
}

fn is_device(name: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '-' | '_' | '.');
    let technology = name.split_once('/').map(|(technology, _)| technology);
    matches!(technology, Some("PJSIP" | "SIP" | "IAX2" | "DAHDI")) && name.chars().all(fits)
}

/// Ends the user's side with a cause of Q.850.
fn hang_up(own: &OwnCall, cause: &str) -> Job {
    Job::of([Action::new("Hangup").with("Channel", &own.channel).with("Cause", cause)])
}

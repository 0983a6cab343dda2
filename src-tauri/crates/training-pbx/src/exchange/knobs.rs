//! What the control port makes go wrong on purpose, for a counted number of times.

use std::time::{Duration, Instant};

use event_packages::ContactEvent;
use serde::{Deserialize, Serialize};
use sip_types::StatusCode;

use super::Exchange;
use crate::acd::{Night, check_number};
use crate::call::Who;
use crate::desk::Forwarding;
use crate::knob::{DropReason, Knob, RemovalEvent};
use crate::pbx::PbxError;

/// NOTIFYs are kept back no longer.
const LATEST: Duration = Duration::from_secs(60);

/// Calls that are to be refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnswerStatus {
    /// The dialled number; any if left out.
    #[serde(default)]
    pub to: Option<String>,
    /// The status, 400 to 699.
    pub status: u16,
    /// How many calls; 1 if left out.
    #[serde(default = "once")]
    pub count: u32,
}

/// Transfers that are to fail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TransferFail {
    /// The status, 400 to 699: reported in the NOTIFY.
    pub status: u16,
    /// How many transfers; 1 if left out.
    #[serde(default = "once")]
    pub count: u32,
    /// Refuse the REFER itself with the status.
    #[serde(default)]
    pub refuse: bool,
}

fn once() -> u32 {
    1
}

/// How a transfer is made to fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Forced {
    pub(crate) status: StatusCode,
    pub(crate) refuse: bool,
}

/// What is set.
#[derive(Debug, Default)]
pub(crate) struct Knobs {
    answers: Vec<AnswerStatus>,
    transfers: Option<TransferFail>,
}

/// A status that refuses, 400 to 699.
pub(crate) fn refusing(status: u16) -> Option<StatusCode> {
    StatusCode::new(status).filter(|status| status.is_failure() && !status.is_redirection())
}

impl Knobs {
    /// Sets what calls are refused with.
    pub(crate) fn set_answer(&mut self, wish: AnswerStatus) {
        self.answers.retain(|answer| answer.to != wish.to);
        if wish.count > 0 {
            self.answers.push(wish);
        }
    }

    /// Sets how transfers fail.
    pub(crate) fn set_transfer(&mut self, wish: TransferFail) {
        self.transfers = Some(wish).filter(|wish| wish.count > 0);
    }

    /// What this call is to be refused with; counted.
    pub(crate) fn answer_of(&mut self, dialled: &str) -> Option<StatusCode> {
        let fits = |answer: &&mut AnswerStatus| answer.to.as_deref().is_none_or(|to| to == dialled);
        let answer = self.answers.iter_mut().find(fits)?;
        answer.count = answer.count.saturating_sub(1);
        let status = refusing(answer.status);
        self.answers.retain(|answer| answer.count > 0);
        status
    }

    /// How this transfer is to fail; counted.
    pub(crate) fn transfer(&mut self) -> Option<Forced> {
        let wish = self.transfers.as_mut()?;
        wish.count = wish.count.saturating_sub(1);
        let forced = refusing(wish.status).map(|status| Forced { status, refuse: wish.refuse });
        self.transfers.take_if(|wish| wish.count == 0);
        forced
    }
}

impl Exchange {
    /// Turns a knob; the number of subscriptions, calls or lines it touched.
    ///
    /// # Errors
    /// [`PbxError::UnknownNumber`] for a line that does not exist, [`PbxError::BadValue`] for a value out of range.
    pub(crate) fn turn(&mut self, now: Instant, knob: Knob) -> Result<usize, PbxError> {
        let touched = match knob {
            Knob::DropSubscriptions { user, reason } => {
                let reason = reason.map(DropReason::word);
                self.notifier.drop_all(now, user.as_deref(), reason, &self.mailboxes)
            }
            Knob::Packages { packages } => {
                if !self.notifier.set_packages(packages) {
                    return Err(PbxError::BadValue("there is no such event package".to_owned()));
                }
                1
            }
            Knob::RemoveRegistration { user, event } => {
                let event = match event {
                    RemovalEvent::Deactivated => ContactEvent::Deactivated,
                    RemovalEvent::Rejected => ContactEvent::Rejected,
                };
                let user = self.known(user)?;
                self.registrar.remove(&user, event)
            }
            Knob::NotifyLoss(loss) => {
                if u16::from(loss.lost) + u16::from(loss.reordered) > 100 {
                    return Err(PbxError::BadValue("more than 100 percent".to_owned()));
                }
                self.notifier.set_loss(loss);
                1
            }
            Knob::NotifyDelay { ms } => {
                self.notifier.set_delay(Duration::from_millis(ms).min(LATEST));
                1
            }
            Knob::TransferFail(wish) => {
                check(wish.status)?;
                self.knobs.set_transfer(wish);
                1
            }
            Knob::AnswerStatus(wish) => {
                check(wish.status)?;
                self.knobs.set_answer(wish);
                1
            }
            Knob::Life(pace) => {
                self.life.set_pace(now, pace);
                1
            }
            Knob::Callers(rush) => {
                let second = self.calendar.second_of_day(now);
                self.callers.set(now, rush, second);
                1
            }
            Knob::Look(look) => self.set_look(look)?,
            Knob::CompanyNight { mode, to } => self.set_night(mode, to)?,
            line => self.turn_line(now, line)?,
        };
        self.changed = true;
        self.settle(now);
        Ok(touched)
    }

    fn set_night(&mut self, mode: Night, to: Option<String>) -> Result<usize, PbxError> {
        if let Some(to) = to {
            checked(&to)?;
            self.company.night.to = to;
        }
        self.company.night.mode = mode;
        Ok(1)
    }

    fn turn_line(&mut self, now: Instant, knob: Knob) -> Result<usize, PbxError> {
        match knob {
            Knob::Line { line, state } => self.desk.force(&self.known(line)?, state),
            Knob::DoNotDisturb { line, on } => {
                self.desk.set_do_not_disturb(&self.known(line)?, on);
            }
            Knob::Forward { line, to } => self.desk.set_forward(&self.known(line)?, to),
            Knob::Forwarding { line, when, active, to, rings } => {
                if let Some(to) = &to {
                    checked(to)?;
                }
                let rings = rings.map(|rings| rings.clamp(1, 20));
                let line = self.known(line)?;
                self.desk.set_forwarding(&line, when, Forwarding { active, to, rings });
            }
            Knob::CallWaiting { line, on } => self.desk.set_call_waiting(&self.known(line)?, on),
            Knob::GuestEnds { line, after_s } => {
                let line = self.known(line)?;
                let until = now + Duration::from_secs(after_s.min(86_400));
                return Ok(usize::from(self.guest_ends(&line, until)));
            }
            Knob::Bar { line, barred } => self.desk.bar(&self.known(line)?, barred),
            Knob::Deposit { line } => {
                let line = self.known(line)?;
                let caller = self.company.customers.first().cloned();
                let caller = caller.map(|customer| Who {
                    display: Some(customer.name),
                    uri: self.uri(&customer.number),
                    withheld: false,
                    extension: None,
                });
                self.mailboxes.deposit(now, &line, caller);
            }
            _ => return Ok(0),
        }
        Ok(1)
    }

    fn known(&self, line: String) -> Result<String, PbxError> {
        match self.who(&line).extension {
            Some(line) => Ok(line),
            None => Err(PbxError::UnknownNumber(line)),
        }
    }
}

fn checked(number: &str) -> Result<(), PbxError> {
    check_number(number).map_err(|refusal| PbxError::BadValue(refusal.to_string()))
}

fn check(status: u16) -> Result<(), PbxError> {
    match refusing(status) {
        Some(_) => Ok(()),
        None => Err(PbxError::BadValue(format!("{status} is no status that refuses"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_are_counted() {
        let mut knobs = Knobs::default();
        knobs.set_answer(AnswerStatus { to: Some("201".into()), status: 503, count: 2 });
        assert_eq!(knobs.answer_of("202"), None);
        assert_eq!(knobs.answer_of("201"), Some(StatusCode::SERVICE_UNAVAILABLE));
        assert_eq!(knobs.answer_of("201"), Some(StatusCode::SERVICE_UNAVAILABLE));
        assert_eq!(knobs.answer_of("201"), None);
        knobs.set_transfer(TransferFail { status: 603, count: 1, refuse: true });
        let forced = Forced { status: StatusCode::DECLINE, refuse: true };
        assert_eq!((knobs.transfer(), knobs.transfer()), (Some(forced), None));
        assert_eq!(refusing(200), None);
    }
}

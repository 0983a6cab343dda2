//! `user/{id}/calls…`: what a user's calls are, and what is done with them. The verbs move the calls of the exchange.

use sip_types::StatusCode;

use super::Cx;
use crate::acd;
use crate::exchange::{Exchange, Goal, RecordingVerb, UserCall, VerbError};
use crate::pbx::Profile;
use crate::xsi::Xsi;
use crate::xsi::element::Element;
use crate::xsi::names::dialled;
use crate::xsi::payload::call;
use crate::xsi::watch::{Logged, Record};
use crate::xsi::web::{Answer, Outcome, Refusal};

impl From<VerbError> for Refusal {
    fn from(error: VerbError) -> Self {
        match error {
            VerbError::NoSuchCall => Self::not_found(error.to_string()),
            VerbError::WrongState | VerbError::NothingThere => Self::conflict(error.to_string()),
            VerbError::Unreachable | VerbError::NoControl | VerbError::NotAssigned => {
                Self::forbidden(error.to_string())
            }
            VerbError::TooManyCalls => Self::overload(),
        }
    }
}

impl Xsi {
    pub(super) fn call_request(
        &mut self,
        exchange: &mut Exchange,
        cx: &Cx<'_>,
        user: &str,
    ) -> Outcome {
        let words = cx.rest(3);
        match (cx.method(), words.as_slice()) {
            ("GET", []) => Ok(self.call_list(user)),
            ("GET", ["hookstatus"]) => {
                let status = if self.watch.off_hook(user) { "Off-Hook" } else { "On-Hook" };
                Ok(Answer::call(Element::new("HookStatus").field("hookStatus", status)))
            }
            ("GET", ["messagesummary"]) => Ok(summary(exchange, user)),
            ("DELETE", ["messagesummary"]) => {
                exchange.clear_messages(cx.now, user);
                Ok(Answer::done())
            }
            (_, ["conference", rest @ ..]) => self.conference_request(exchange, cx, (user, rest)),
            ("POST", ["escalate"]) => self.escalate(exchange, cx, user),
            ("POST", [id, "emergencyescalate"]) => self.emergency(exchange, cx, (user, id)),
            ("POST", ["automaticcallback"]) => {
                let line = self.last_number(user, Logged::Placed)?;
                exchange.ring_back(cx.now, user, &line)?;
                Ok(Answer::done())
            }
            ("POST", [verb]) => self.new_call(exchange, cx, user, verb),
            ("PUT", ["dispositioncode", _]) => disposition(exchange, cx, user, None, cx.part(4)),
            ("GET", [id]) => {
                let record = self.record(user, id)?;
                let mut document = call::call(record, &self.names);
                document.name = "Call";
                Ok(Answer::call(document))
            }
            ("DELETE", [id]) => {
                let decline = self.decline(cx)?;
                let call = self.record(user, id)?.call.clone();
                exchange.release_call(cx.now, &call, decline)?;
                Ok(Answer::done())
            }
            ("PUT", [id, "dispositioncode", _]) => {
                // It is given when the call is over, too.
                let conversation = self.watch.conversation(user, id);
                let conversation = conversation
                    .ok_or_else(|| Refusal::not_found(format!("There is no call {id}")))?;
                disposition(exchange, cx, user, Some(conversation), cx.part(5))
            }
            ("PUT", [id, verb, rest @ ..]) => {
                let call = self.record(user, id)?.call.clone();
                self.move_call(exchange, cx, (user, &call), verb, rest)
            }
            _ => Err(Refusal::not_found("There is no such resource")),
        }
    }

    pub(super) fn record(&self, user: &str, id: &str) -> Result<&Record, Refusal> {
        let found = self.watch.get(user, id);
        found.ok_or_else(|| Refusal::not_found(format!("There is no call {id}")))
    }

    fn call_list(&self, user: &str) -> Answer {
        let own = self.names.user_id(user);
        let one = |record: &&Record| {
            let uri = format!("/v2.0/user/{own}/calls/{}", record.id);
            let call = Element::new("call").field("callId", &record.id).field("uri", uri);
            match self.watch.is_in_conference(user, &record.id) {
                true => call.attribute("inConference", true),
                false => call,
            }
        };
        let records = self.watch.of(user);
        Answer::call(Element::new("Calls").all(records.iter().map(one)))
    }

    /// What a call that rings is refused with.
    fn decline(&self, cx: &Cx<'_>) -> Result<StatusCode, Refusal> {
        let reason = cx.address.value("declineReason").filter(|_| self.profile == Profile::R2020);
        match reason {
            None if cx.address.is("decline") => Ok(StatusCode::BUSY_HERE),
            None => Ok(StatusCode::TEMPORARILY_UNAVAILABLE),
            Some("Busy") => Ok(StatusCode::BUSY_HERE),
            Some("TemporarilyUnavailable") => Ok(StatusCode::TEMPORARILY_UNAVAILABLE),
            Some(other) => Err(Refusal::bad(format!("Invalid declineReason {other}"))),
        }
    }

    /// A verb that begins a call: the own phone rings first.
    fn new_call(
        &mut self,
        exchange: &mut Exchange,
        cx: &Cx<'_>,
        user: &str,
        verb: &str,
    ) -> Outcome {
        let goal = match verb {
            "new" => Goal::Dial(number(cx, "address")?),
            "pushtotalk" => Goal::Dial(format!("*50{}", self.colleague(cx)?)),
            "lastnumberredial" => Goal::Dial(self.last_number(user, Logged::Placed)?),
            "callreturn" => Goal::Dial(self.last_number(user, Logged::Received)?),
            "directedcallpickup" => Goal::PickUp(self.colleague(cx)?),
            "callpickup" => Goal::PickUp(self.ringing_colleague(user)?),
            "parkretrieve" => Goal::Retrieve(match cx.address.value("address") {
                Some(_) => self.colleague(cx)?,
                None => user.to_owned(),
            }),
            "callretrieve" => Goal::Pull,
            "directedcallpickupbargein" | "silentmonitor" | "silentmonitornext" => {
                self.supervision(exchange, cx, (user, verb))?
            }
            "coachagent" if self.profile == Profile::R2020 => {
                self.supervision(exchange, cx, (user, verb))?
            }
            _ => return Err(Refusal::not_found("There is no such resource")),
        };
        exchange.click(cx.now, user, goal)?;
        self.observe(cx.now, exchange);
        self.started(user)
    }

    /// `CallStartInfo` of the user's latest call.
    pub(super) fn started(&self, user: &str) -> Outcome {
        let records = self.watch.of(user);
        let newest = records.last().ok_or_else(|| Refusal::conflict("The call is over already"))?;
        let info = Element::new("CallStartInfo")
            .field("callId", &newest.id)
            .field("externalTrackingId", &newest.tracking);
        let host = self.hosts.first().cloned().unwrap_or_default();
        let own = self.names.user_id(user);
        let location =
            format!("{host}/com.broadsoft.xsi-actions/v2.0/user/{own}/calls/{}", newest.id);
        Ok(Answer::call(info).status(201).header("location", location))
    }

    /// The colleague who is named, or the user's own line.
    fn line_meant(&self, cx: &Cx<'_>, user: &str) -> Result<String, Refusal> {
        match cx.address.value("address") {
            Some(_) => self.colleague(cx),
            None => Ok(user.to_owned()),
        }
    }

    /// A verb that moves a call.
    fn move_call(
        &mut self,
        exchange: &mut Exchange,
        cx: &Cx<'_>,
        (user, call): (&str, &UserCall),
        verb: &str,
        rest: &[&str],
    ) -> Outcome {
        match (verb, rest) {
            ("talk", []) => exchange.talk(cx.now, call)?,
            ("hold", []) => exchange.hold(cx.now, call)?,
            ("reconnect", []) => {
                self.release_others(exchange, cx, call)?;
                exchange.talk(cx.now, call)?;
            }
            ("blindtransfer", []) => {
                let to = number(cx, "address")?;
                exchange.transfer(cx.now, call, (&to, cx.address.is("toFront")))?;
            }
            ("clientsessioninfo", []) => {
                let info = cx.address.value("info").unwrap_or_default();
                if info.len() > 256 || info.chars().any(char::is_control) {
                    return Err(Refusal::bad("Invalid info"));
                }
                self.watch.set_info(call, Some(info).filter(|info| !info.is_empty()));
            }
            ("consulttransfer", [other]) => {
                let other = self.record(user, other)?.call.clone();
                exchange.consult_transfer(cx.now, call, &other)?;
            }
            ("mutetransfer", []) => {
                exchange.transfer(cx.now, call, (&number(cx, "address")?, false))?;
                self.observe(cx.now, exchange);
                let info = Element::new("CallStartInfo")
                    .field("callId", cx.part(3))
                    .field("externalTrackingId", format!("{}:1", call.conversation));
                return Ok(Answer::call(info));
            }
            ("vmtransfer", []) => {
                let line = self.line_meant(cx, user)?;
                exchange.transfer(cx.now, call, (&format!("*55{line}"), false))?;
            }
            ("park", []) => {
                let line = self.line_meant(cx, user)?;
                exchange.transfer(cx.now, call, (&format!("*68{line}"), false))?;
            }
            ("groupcallpark", []) => return self.group_park(exchange, cx, (user, call)),
            ("transmitdtmf", []) => {
                let digits = cx.address.value("playdtmf").unwrap_or_default();
                let ok = |c: char| c.is_ascii_digit() || "*#,ABCDabcd".contains(c);
                if digits.is_empty() || digits.len() > 80 || !digits.chars().all(ok) {
                    return Err(Refusal::bad("Invalid playdtmf"));
                }
                exchange.play_digits(cx.now, call, digits)?;
            }
            ("record", []) => exchange.record(cx.now, call, RecordingVerb::Record)?,
            ("pauserecording", []) => exchange.record(cx.now, call, RecordingVerb::Pause)?,
            ("resumerecording", []) => exchange.record(cx.now, call, RecordingVerb::Resume)?,
            ("stoprecording", []) => exchange.record(cx.now, call, RecordingVerb::Stop)?,
            _ => return Err(Refusal::not_found("There is no such resource")),
        }
        Ok(Answer::done())
    }

    fn release_others(
        &self,
        exchange: &mut Exchange,
        cx: &Cx<'_>,
        call: &UserCall,
    ) -> Result<(), Refusal> {
        let all = self.calls_of(&call.user);
        for other in all.iter().filter(|other| *other != call) {
            exchange.release_call(cx.now, other, StatusCode::TEMPORARILY_UNAVAILABLE)?;
        }
        Ok(())
    }

    /// Parks at the first colleague against whom nobody is parked, and says where.
    fn group_park(
        &self,
        exchange: &mut Exchange,
        cx: &Cx<'_>,
        (user, call): (&str, &UserCall),
    ) -> Outcome {
        let mut lines = vec![user.to_owned()];
        lines.extend(self.names.company.accounts.iter().map(|account| account.extension.clone()));
        let free = lines.into_iter().find(|line| exchange.parked(line).is_none());
        let line = free.ok_or_else(|| Refusal::conflict("There is no free place to park"))?;
        exchange.transfer(cx.now, call, (&format!("*68{line}"), false))?;
        let place = format!("/v2.0/user/{}/calls", self.names.user_id(&line));
        Ok(Answer::done().header("content-location", place))
    }

    /// The colleague whom `address` names.
    pub(super) fn colleague(&self, cx: &Cx<'_>) -> Result<String, Refusal> {
        let number = number(cx, "address")?;
        let known = self.names.user(&number);
        known.ok_or_else(|| Refusal::not_found(format!("There is no user {number}")))
    }

    /// A colleague at whom a call rings: the group's oldest.
    fn ringing_colleague(&self, user: &str) -> Result<String, Refusal> {
        let accounts = self.names.company.accounts.iter().map(|account| &account.extension);
        let ringing = accounts.filter(|line| *line != user).find(|line| {
            let rings = |record: &&Record| {
                record.personality() == "Terminator"
                    && record.state == crate::xsi::watch::State::Alerting
            };
            self.watch.of(line).iter().any(rings)
        });
        ringing.cloned().ok_or_else(|| Refusal::conflict("There is no call to take"))
    }

    fn last_number(&self, user: &str, kind: Logged) -> Result<String, Refusal> {
        let back = |logged: Logged| match kind {
            Logged::Placed => logged == Logged::Placed,
            _ => logged != Logged::Placed,
        };
        let entry = self.watch.log(user).find(|entry| back(entry.kind) && !entry.remote.withheld);
        let number = entry.map(|entry| crate::xsi::names::Names::number(&entry.remote));
        number.ok_or_else(|| Refusal::conflict("There is no number to call"))
    }
}

/// The number in a parameter.
fn number(cx: &Cx<'_>, name: &str) -> Result<String, Refusal> {
    let value = cx.address.value(name);
    let value = value.ok_or_else(|| Refusal::bad(format!("The parameter {name} is missing")))?;
    dialled(value).ok_or_else(|| Refusal::bad(format!("Invalid {name}: {value}")))
}

fn summary(exchange: &Exchange, user: &str) -> Answer {
    let mailbox = exchange.mailbox(user);
    let summary = Element::new("summary")
        .field("newMessages", mailbox.new)
        .field("oldMessages", mailbox.old)
        .field("newUrgentMessages", 0)
        .field("oldUrgentMessages", 0);
    Answer::call(Element::new("VoiceMailMessageSummary").with(summary))
}

fn disposition(
    exchange: &mut Exchange,
    cx: &Cx<'_>,
    user: &str,
    conversation: Option<u64>,
    code: &str,
) -> Outcome {
    if code.is_empty() || code.chars().count() > 10 {
        return Err(Refusal::bad("A code has one to ten characters"));
    }
    let call = conversation.map(crate::pbx::CallNumber);
    let agent = acd::AgentId(user.to_owned());
    let request = acd::Request::Disposition { agent, call, code: code.to_owned() };
    exchange.ask_centre(cx.now, request)?;
    Ok(Answer::done())
}

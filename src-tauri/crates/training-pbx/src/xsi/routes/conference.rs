//! `user/{id}/calls/Conference…` and the verbs with which supervisors are in on calls.

use super::Cx;
use crate::acd::QueueId;
use crate::exchange::{
    ConferenceVerb, Exchange, Goal, Manner, ParticipantVerb, SupervisionWish, UserCall,
};
use crate::pbx::Profile;
use crate::xsi::Xsi;
use crate::xsi::names::dialled;
use crate::xsi::read::read;
use crate::xsi::settings;
use crate::xsi::watch::State;
use crate::xsi::web::{Answer, Outcome, Refusal};

impl Xsi {
    /// `calls/Conference…`; `rest` is what follows.
    pub(super) fn conference_request(
        &mut self,
        exchange: &mut Exchange,
        cx: &Cx<'_>,
        (user, rest): (&str, &[&str]),
    ) -> Outcome {
        match (cx.method(), rest) {
            ("GET", []) => Ok(match self.watch.conference(user, "Conference") {
                Some(document) => Answer::call(document),
                None => Answer::done(),
            }),
            ("POST", []) => self.start_conference(exchange, cx, user),
            ("DELETE", []) => {
                exchange.end_conference(cx.now, user)?;
                Ok(Answer::done())
            }
            ("PUT", [verb @ ("bargein" | "silentmonitor" | "supervisorcoach")])
                if self.profile == Profile::R2020 =>
            {
                self.change_manner(exchange, cx, (user, verb))
            }
            ("PUT", [verb @ ("hold" | "talk")]) => whole(exchange, cx, (user, verb)),
            ("PUT", [verb @ ("mute" | "unmute")]) if self.profile == Profile::R2020 => {
                whole(exchange, cx, (user, verb))
            }
            ("PUT", [id]) => self.participant(exchange, cx, (user, id), ParticipantVerb::Add),
            ("PUT", [id, verb]) => {
                let verb = match *verb {
                    "mute" => ParticipantVerb::Mute,
                    "unmute" => ParticipantVerb::Unmute,
                    "deaf" => ParticipantVerb::Deaf,
                    "undeaf" => ParticipantVerb::Undeaf,
                    _ => return Err(Refusal::not_found("There is no such resource")),
                };
                self.participant(exchange, cx, (user, id), verb)
            }
            _ => Err(Refusal::not_found("There is no such resource")),
        }
    }

    fn start_conference(&self, exchange: &mut Exchange, cx: &Cx<'_>, user: &str) -> Outcome {
        let body = read(&cx.request.body, "Conference")?;
        let list = body.child("conferenceParticipantList");
        let list = list.ok_or_else(|| Refusal::bad("conferenceParticipantList is needed"))?;
        list.in_order(&["conferenceParticipant*"])?;
        let mut calls = Vec::new();
        for participant in list.all("conferenceParticipant") {
            let id = participant.value("callId").unwrap_or_default();
            calls.push(self.record(user, id)?.call.clone());
        }
        if calls.len() < 2 {
            return Err(Refusal::bad("A conference has two calls or more"));
        }
        exchange.start_conference(cx.now, user, &calls)?;
        Ok(Answer::done())
    }

    fn participant(
        &self,
        exchange: &mut Exchange,
        cx: &Cx<'_>,
        (user, id): (&str, &str),
        verb: ParticipantVerb,
    ) -> Outcome {
        let call = self.record(user, id)?.call.clone();
        exchange.control_participant(cx.now, user, (&call, verb))?;
        Ok(Answer::done())
    }

    /// A supervisor changes how he is in on a call. The path names him, or the agent; `userId` names him.
    fn change_manner(
        &self,
        exchange: &mut Exchange,
        cx: &Cx<'_>,
        (user, verb): (&str, &str),
    ) -> Outcome {
        let named = cx.address.value("userId").and_then(|id| self.names.user(id));
        if named.is_some_and(|named| named != cx.user) {
            return Err(Refusal::forbidden("Only supervisors themselves change it"));
        }
        let manner = match verb {
            "bargein" => Manner::BargeIn,
            "supervisorcoach" => Manner::Coach,
            _ => Manner::Listen,
        };
        tracing::debug!(%user, ?manner, "another manner");
        exchange.change_manner(cx.now, &cx.user, manner)?;
        Ok(Answer::done())
    }

    /// What a verb that lets a user into somebody's call rings his phone for.
    pub(super) fn supervision(
        &self,
        exchange: &Exchange,
        cx: &Cx<'_>,
        (user, verb): (&str, &str),
    ) -> Result<Goal, Refusal> {
        let address = cx.address.value("address");
        let address = address.ok_or_else(|| Refusal::bad("The parameter address is missing"))?;
        let target = dialled(address);
        let target = target.ok_or_else(|| Refusal::bad(format!("Invalid address: {address}")))?;
        let known = self.names.user(&target);
        let assigned = |path: &str| {
            let service =
                settings::find(path, self.profile).filter(|service| self.has(user, service));
            service.ok_or_else(|| Refusal::forbidden(format!("{path} is not assigned")))
        };
        let on = |service: &'static settings::Service, name: &str| {
            let field = service.fields.iter().find(|field| field.name == name);
            let value =
                field.and_then(|field| self.settings.value(exchange.desk(), user, service, field));
            value.as_deref() == Some("true")
        };
        let barge = assigned("DirectedCallPickupWithBargeIn")?;
        if verb == "directedcallpickupbargein" {
            let target =
                known.ok_or_else(|| Refusal::not_found(format!("There is no user {target}")))?;
            // What only rings is picked up.
            if self.rings_at(&target) {
                return Ok(Goal::PickUp(target));
            }
            let tone = on(barge, "enableBargeInWarningTone");
            let wish = SupervisionWish { target, manner: Manner::BargeIn, next: false, tone };
            return Ok(Goal::Supervise(wish));
        }
        let monitoring = assigned("CallCenterMonitoring")?;
        let next = verb == "silentmonitornext";
        let queue = self.centre.queue(&QueueId(target.clone())).filter(|_| next);
        match (&known, queue) {
            (Some(agent), _) if self.supervises(user, agent) => {}
            (None, Some(queue)) if queue.config.supervisors.iter().any(|id| id.0 == user) => {
                super::centre::premium(queue)?;
            }
            (None, None) => {
                return Err(Refusal::not_found(format!("There is no user {target}")));
            }
            _ => return Err(Refusal::forbidden(format!("{target} is out of scope"))),
        }
        let manner = if verb == "coachagent" { Manner::Coach } else { Manner::Listen };
        let tone = on(monitoring, "playToneToAgentForSilentMonitoring");
        Ok(Goal::Supervise(SupervisionWish { target, manner, next, tone }))
    }

    /// An agent asks a supervisor: the agent's phone calls one, and the caller waits.
    pub(super) fn escalate(&mut self, exchange: &mut Exchange, cx: &Cx<'_>, user: &str) -> Outcome {
        let to = self.supervisor_for(exchange, cx, user)?;
        exchange.click(cx.now, user, Goal::Dial(to))?;
        self.observe(cx.now, exchange);
        self.started(user)
    }

    /// Likewise, and the supervisor is in on the call when he answers.
    pub(super) fn emergency(
        &mut self,
        exchange: &mut Exchange,
        cx: &Cx<'_>,
        (user, id): (&str, &str),
    ) -> Outcome {
        let call = self.record(user, id)?.call.clone();
        let to = self.supervisor_for(exchange, cx, user)?;
        let into = exchange.conferrable(user, &call)?;
        exchange.click(cx.now, user, Goal::DialInto { to, into })?;
        self.observe(cx.now, exchange);
        self.started(user)
    }

    /// The supervisor who is named, or one of the agent's queues who can be reached and does not talk.
    fn supervisor_for(
        &self,
        exchange: &Exchange,
        cx: &Cx<'_>,
        user: &str,
    ) -> Result<String, Refusal> {
        if !self.is_agent(user) {
            return Err(Refusal::forbidden("Call Center is not assigned"));
        }
        let named = match cx.address.value("address") {
            Some(_) => Some(self.colleague(cx)?),
            None => None,
        };
        if let Some(named) = named {
            return match self.supervises(&named, user) {
                true => Ok(named),
                false => Err(Refusal::forbidden(format!("{named} does not supervise you"))),
            };
        }
        let queues = self.centre.queues.iter().map(|queue| &queue.config);
        let supervisors = queues.flat_map(|queue| &queue.supervisors).map(|id| id.0.as_str());
        let mut mine = supervisors.filter(|id| *id != user && self.supervises(id, user));
        let free = |line: &&str| exchange.can_ring(line) && self.watch.of(line).is_empty();
        let found = mine.clone().find(free).or_else(|| mine.next()).map(str::to_owned);
        found.ok_or_else(|| Refusal::conflict("There is no supervisor"))
    }

    /// Whether a call rings at a user and none is answered.
    pub(super) fn rings_at(&self, user: &str) -> bool {
        let records = self.watch.of(user);
        let rings =
            records.iter().any(|r| r.state == State::Alerting && r.personality() == "Terminator");
        rings && !records.iter().any(|r| matches!(r.state, State::Active | State::Held))
    }

    /// The calls of a user.
    pub(super) fn calls_of(&self, user: &str) -> Vec<UserCall> {
        self.watch.of(user).iter().map(|record| record.call.clone()).collect()
    }
}

fn whole(exchange: &mut Exchange, cx: &Cx<'_>, (user, verb): (&str, &str)) -> Outcome {
    let verb = match verb {
        "hold" => ConferenceVerb::Hold,
        "talk" => ConferenceVerb::Talk,
        "mute" => ConferenceVerb::Mute,
        _ => ConferenceVerb::Unmute,
    };
    exchange.control_conference(cx.now, user, verb)?;
    Ok(Answer::done())
}

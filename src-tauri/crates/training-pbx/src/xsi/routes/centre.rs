//! The call centre: an agent's state and queues, the calls of a queue, its profile, codes and policies.

use super::Cx;
use crate::acd::{
    AgentId, AgentState, Code, Done, Kind, Level, Night, Policy, QueueId, QueueView, Refusal as No,
    Request, Treatment,
};
use crate::exchange::Exchange;
use crate::xsi::Xsi;
use crate::xsi::element::Element;
use crate::xsi::names::dialled;
use crate::xsi::payload::acd::{call_of, entries, priority_of, state_of, state_word};
use crate::xsi::read::{Node, read};
use crate::xsi::web::{Answer, Outcome, Refusal};

/// The elements of `CallCenter`, in order.
const AGENT_ELEMENTS: &[&str] = &[
    "agentACDState",
    "agentUnavailableCode",
    "useDefaultGuardTimer",
    "enableGuardTimer",
    "guardTimerSeconds",
    "useSystemDefaultUnavailableSettings",
    "forceAgentUnavailableOnDNDActivation",
    "forceUnavailableOnPersonalCalls",
    "forceAgentUnavailableOnBouncedCallLimit",
    "numberConsecutiveBouncedCallsToForceAgentUnavailable",
    "makeOutgoingCallsAsCallCenter",
    "outgoingCallDNIS",
    "callCenterList",
];
const QUEUE_ELEMENTS: &[&str] = &[
    "serviceUserId",
    "available",
    "phoneNumber",
    "extension",
    "type",
    "priority",
    "isLogOffAllowed",
    "skillLevel",
];

impl From<No> for Refusal {
    fn from(error: No) -> Self {
        let summary = error.to_string();
        match error {
            No::UnknownAgent(_) | No::UnknownQueue(_) | No::NotWaiting(_) | No::NoCall(_) => {
                Self::not_found(summary)
            }
            No::NotAMember(..)
            | No::MayNotLeave(..)
            | No::NotOffered(_)
            | No::LastAgent { .. }
            | No::CannotMove
            | No::NotHigher => Self::forbidden(summary),
            No::NotWrappingUp(_) | No::OutcomeNeeded(_) => Self::conflict(summary),
            No::NoSuchState | No::BadCode(_) | No::BadNumber(_) | No::BadValue(_) => {
                Self::bad(summary)
            }
        }
    }
}

impl Xsi {
    /// `user/{id}/services/CallCenter`.
    pub(super) fn agent_request(
        &mut self,
        exchange: &mut Exchange,
        cx: &Cx<'_>,
        user: &str,
    ) -> Outcome {
        if !self.is_agent(user) {
            return Err(Refusal::not_found("Call Center is not assigned"));
        }
        match cx.method() {
            "GET" => Ok(Answer::local(self.agent_document(user)?)),
            "PUT" => {
                let body = read(&cx.request.body, "CallCenter")?;
                let requests = self.agent_changes(&body, user, cx.address.is("validateSignOut"))?;
                for request in requests {
                    exchange.ask_centre(cx.now, request)?;
                }
                Ok(Answer::done())
            }
            _ => Err(Refusal::not_allowed()),
        }
    }

    fn agent_document(&self, user: &str) -> Result<Element, Refusal> {
        let id = AgentId(user.to_owned());
        let agent = self.centre.agent(&id);
        let agent = agent.ok_or_else(|| Refusal::not_found("Call Center is not assigned"))?;
        let detail = |join: &crate::acd::JoinInfo| {
            let queue = self.centre.queue(&join.queue);
            let number = queue.map(|queue| queue.config.number.clone());
            Element::new("callCenterDetails")
                .field("serviceUserId", self.names.user_id(&join.queue.0))
                .field("available", join.joined)
                .maybe("phoneNumber", number.filter(|number| !number.is_empty()))
                .field("extension", &join.queue)
                .maybe("type", queue.map(|queue| kind_word(queue.config.kind)))
                .field("isLogOffAllowed", join.may_leave)
                .maybe("skillLevel", join.skill)
        };
        Ok(Element::new("CallCenter")
            .field("agentACDState", state_word(agent.status.state))
            .maybe("agentUnavailableCode", agent.status.code.as_deref())
            .field("useDefaultGuardTimer", true)
            .field("enableGuardTimer", false)
            .field("guardTimerSeconds", 5)
            .with(Element::new("callCenterList").all(agent.queues.iter().map(detail))))
    }

    /// What a document asks of an agent; all of it is checked before any of it is done.
    fn agent_changes(
        &self,
        body: &Node,
        user: &str,
        validate: bool,
    ) -> Result<Vec<Request>, Refusal> {
        body.in_order(AGENT_ELEMENTS)?;
        body.number("guardTimerSeconds", 1..=25)?;
        body.number("numberConsecutiveBouncedCallsToForceAgentUnavailable", 1..=5)?;
        let agent = AgentId(user.to_owned());
        let mut requests = Vec::new();
        if let Some(list) = body.child("callCenterList") {
            list.in_order(&["callCenterDetails*"])?;
            for details in list.all("callCenterDetails") {
                requests.extend(self.join_change(details, &agent)?);
            }
        }
        let code = body.clearable("agentUnavailableCode").flatten();
        if code.as_ref().is_some_and(|code| code.chars().count() > 10) {
            return Err(Refusal::bad("A code has one to ten characters"));
        }
        match body.value("agentACDState") {
            Some(word) => {
                let state = state_of(word);
                let state = state.ok_or_else(|| Refusal::bad(format!("Invalid state {word}")))?;
                if code.is_some() && state != AgentState::Unavailable {
                    return Err(Refusal::bad("A code needs the state Unavailable"));
                }
                if validate && body.children.len() > 1 {
                    return Err(Refusal::bad("validateSignOut goes with agentACDState alone"));
                }
                requests.push(Request::SetState { agent, state, code, validate });
            }
            None if code.is_some() => {
                return Err(Refusal::bad("A code needs the state Unavailable"));
            }
            None => {}
        }
        Ok(requests)
    }

    fn join_change(&self, details: &Node, agent: &AgentId) -> Result<Option<Request>, Refusal> {
        details.in_order(QUEUE_ELEMENTS)?;
        let id = details.value("serviceUserId").unwrap_or_default();
        let queue = QueueId(self.names.local(id).unwrap_or_default().to_owned());
        let view = self.centre.agent(agent);
        let mut own = view.into_iter().flat_map(|view| &view.queues);
        let join = own.find(|join| join.queue == queue);
        let join = join.ok_or_else(|| Refusal::bad(format!("Invalid serviceUserId {id}")))?;
        let Some(joined) = details.bool("available")? else { return Ok(None) };
        if !joined && join.joined && !join.may_leave {
            return Err(No::MayNotLeave(agent.clone(), queue).into());
        }
        let changes = joined != join.joined;
        Ok(changes.then(|| Request::Join { agent: agent.clone(), queue, joined }))
    }

    /// `agentCallCenterAssignedStatus`.
    pub(super) fn assigned(&self, user: &str) -> Answer {
        let id = AgentId(user.to_owned());
        let has = |kind: Kind| {
            self.centre.queues.iter().any(|queue| {
                queue.config.kind == kind && queue.config.members.iter().any(|m| m.agent == id)
            })
        };
        Answer::local(
            Element::new("agentCallCenterAssignedStatus")
                .field("isCallCenterBasicAssigned", has(Kind::Basic))
                .field("isCallCenterStandardAssigned", has(Kind::Standard))
                .field("isCallCenterPremiumAssigned", has(Kind::Premium)),
        )
    }

    /// `callcenter/{id}/…`.
    pub(super) fn centre_request(&mut self, exchange: &mut Exchange, cx: &Cx<'_>) -> Outcome {
        let id = QueueId(self.names.local(cx.part(1)).unwrap_or_default().to_owned());
        let queue = self.centre.queue(&id).cloned();
        let queue = queue.ok_or_else(|| Refusal::not_found("There is no such call center"))?;
        let who = AgentId(cx.user.clone());
        let supervises = queue.config.supervisors.contains(&who);
        let works = queue.config.members.iter().any(|member| member.agent == who);
        if !supervises && !works {
            return Err(Refusal::forbidden("The call center is out of scope"));
        }
        let words = cx.rest(2);
        match (cx.method(), words.as_slice()) {
            ("GET", ["calls"]) => {
                let list = entries(&queue, &self.centre, self.clock, &self.names);
                Ok(Answer::call(Element::new("ACDQueue").all(list)))
            }
            ("GET", ["profile"]) => Ok(Answer::local(profile(&queue))),
            ("GET", ["profile", "dispositioncodes"]) => {
                premium(&queue)?;
                Ok(Answer::local(dispositions(&queue, &self.centre.dispositions)))
            }
            ("GET", ["profile", "policies", "nightservice"]) => {
                premium(&queue)?;
                Ok(Answer::local(night_service(&queue)))
            }
            ("GET", ["profile", "policies", "forcedforwarding"]) => {
                premium(&queue)?;
                Ok(Answer::local(forced_forwarding(&queue)))
            }
            ("PUT", ["profile", "policies", policy @ ("nightservice" | "forcedforwarding")]) => {
                premium(&queue)?;
                if !supervises {
                    return Err(Refusal::forbidden("Only supervisors change policies"));
                }
                exchange.ask_centre(cx.now, policy_change(cx, policy, id)?)?;
                Ok(Answer::done())
            }
            (_, ["calls", _, ..]) => queued_call(exchange, cx, &queue),
            _ => Err(Refusal::not_found("There is no such resource")),
        }
    }

    /// `group/{id}/services/CallCenter/UnavailableCodes`.
    pub(super) fn codes(&self, cx: &Cx<'_>) -> Outcome {
        let of = cx.address.value("serviceProviderId").or(cx.address.value("enterpriseId"));
        match of {
            None => return Err(Refusal::bad("serviceProviderId or enterpriseId is needed")),
            Some(id) if id != self.names.enterprise() || cx.part(1) != self.names.group() => {
                return Err(Refusal::not_found("There is no such group"));
            }
            Some(_) => {}
        }
        if cx.method() != "GET" {
            return Err(Refusal::not_allowed());
        }
        let all = &self.centre.unavailable_codes;
        let one = |code: &Code| {
            Element::new("unavailableCodeDetail")
                .attribute("isDefault", code.default)
                .field("active", code.active)
                .field("code", &code.code)
                .field("description", &code.description)
        };
        let document = Element::new("ACDAgentUnavailableCodes")
            .field("enableAgentUnavailableCodes", all.enabled)
            .maybe("defaultAgentUnavailableCodeOnDND", all.on_do_not_disturb.as_deref())
            .maybe("defaultAgentUnavailableCodeOnPersonalCalls", all.on_personal_call.as_deref())
            .maybe("defaultAgentUnavailableCodeOnConsecutiveBounces", all.on_bounces.as_deref())
            .field("forceUseOfAgentUnavailableCodes", all.forced)
            .with(Element::new("unavailableCodes").all(all.codes.iter().map(one)));
        Ok(Answer::local(document))
    }
}

pub(super) fn premium(queue: &QueueView) -> Result<(), Refusal> {
    match queue.config.kind {
        Kind::Premium => Ok(()),
        _ => Err(Refusal::forbidden("The call center is not a premium one")),
    }
}

/// `callcenter/{id}/calls/{callId}…`.
fn queued_call(exchange: &mut Exchange, cx: &Cx<'_>, queue: &QueueView) -> Outcome {
    let id = cx.part(3);
    let call = call_of(id).filter(|call| queue.entries.iter().any(|entry| entry.call == *call));
    let call = call.ok_or_else(|| Refusal::not_found(format!("There is no call {id}")))?;
    let words = cx.rest(4);
    let request = match (cx.method(), words.as_slice()) {
        ("DELETE", []) => Request::Release { call },
        ("PUT", ["blindtransfer"]) => {
            let number = cx.address.value("phoneno").and_then(dialled);
            let to = number.ok_or_else(|| Refusal::bad("The parameter phoneno is missing"))?;
            Request::Transfer { call, to }
        }
        ("PUT", ["reorder"]) => {
            let index = cx.address.value("index").and_then(|index| index.parse().ok());
            let index = index.ok_or_else(|| Refusal::bad("The parameter index is missing"))?;
            Request::Reorder { call, index }
        }
        ("PUT", ["promote"]) => {
            let body = read(&cx.request.body, "ACDPromote")?;
            body.in_order(&["priority"])?;
            let priority = body.value("priority").and_then(priority_of);
            let priority = priority.ok_or_else(|| Refusal::bad("Invalid priority"))?;
            Request::Promote { call, priority }
        }
        _ => return Err(Refusal::not_found("There is no such resource")),
    };
    match exchange.ask_centre(cx.now, request)? {
        Done::Position(position) => {
            Ok(Answer::call(Element::new("QueueCallOrder").field("position", position)))
        }
        Done::Done => Ok(Answer::done()),
    }
}

fn policy_change(cx: &Cx<'_>, policy: &str, queue: QueueId) -> Result<Request, Refusal> {
    if policy == "nightservice" {
        let body = read(&cx.request.body, "ACDNightService")?;
        body.in_order(&[
            "action",
            "businessHours",
            "forceNightService",
            "allowManualOverrideViaFAC",
            "transferPhoneNumber",
        ])?;
        let to = body.clearable("transferPhoneNumber").flatten();
        let to = to.map(|to| dialled(&to).ok_or_else(|| Refusal::bad("Invalid number")));
        let action = match (body.value("action"), to.transpose()?) {
            (None, _) => None,
            (Some("None"), _) => Some(Treatment::Leave),
            (Some("Busy"), _) => Some(Treatment::Busy),
            (Some("Transfer"), Some(to)) => Some(Treatment::Transfer(to)),
            (Some("Transfer"), None) => {
                return Err(Refusal::bad("transferPhoneNumber is needed"));
            }
            (Some(other), _) => return Err(Refusal::bad(format!("Invalid action {other}"))),
        };
        let forced = body.bool("forceNightService")?;
        let mode = if forced == Some(true) { Night::On } else { Night::Automatic };
        return Ok(Request::Night { queue, mode, action });
    }
    let body = read(&cx.request.body, "ACDForcedForwarding")?;
    body.in_order(&["active", "forwardToPhoneNumber", "allowEnableViaFAC"])?;
    let to = body.clearable("forwardToPhoneNumber").flatten();
    let to = to.map(|to| dialled(&to).ok_or_else(|| Refusal::bad("Invalid number")));
    let active = body.bool("active")?;
    let active = active.ok_or_else(|| Refusal::bad("The element active is needed"))?;
    Ok(Request::ForcedForwarding { queue, active, to: to.transpose()? })
}

const fn kind_word(kind: Kind) -> &'static str {
    match kind {
        Kind::Basic => "Basic",
        Kind::Standard => "Standard",
        Kind::Premium => "Premium",
    }
}

fn profile(queue: &QueueView) -> Element {
    let config = &queue.config;
    let policy = match config.policy {
        Policy::Circular => "Circular",
        Policy::Regular => "Regular",
        Policy::Simultaneous => "Simultaneous",
        Policy::Uniform => "Uniform",
        Policy::Weighted => "Weighted",
    };
    let number = Some(&config.number).filter(|number| !number.is_empty());
    let instance = Element::new("serviceInstanceProfile")
        .field("name", &config.name)
        .maybe("phoneNumber", number)
        .field("extension", &config.id)
        .field("timeZone", "Europe/Amsterdam");
    let after = config.post_call.as_ref();
    Element::new("ACDProfile")
        .with(instance)
        .field("type", kind_word(config.kind))
        .field("routingType", if config.skill_based { "Skill Based" } else { "Priority Based" })
        .field("policy", policy)
        .field("queueLength", config.length)
        .field("allowAgentLogoff", config.allow_leave)
        .field("allowCallWaitingForAgents", config.allow_call_waiting)
        .field("allowCallsToAgentsInWrapUp", config.allow_calls_in_wrap_up)
        .field("overrideAgentWrapUpTime", after.is_some_and(|after| after.wrap_up_s.is_some()))
        .maybe("wrapUpSeconds", after.and_then(|after| after.wrap_up_s))
        .field("forceDeliveryOfCalls", false)
        .field("enableAutomaticStateChangeForAgents", after.is_some())
        .maybe("agentStateAfterCall", after.map(|after| state_word(after.state)))
        .maybe("agentUnavailableCode", after.and_then(|after| after.code.as_deref()))
}

/// The codes of a queue, with those of the organisation where it takes them in.
fn dispositions(queue: &QueueView, organisation: &[Code]) -> Element {
    let all = &queue.config.dispositions;
    let level = |level: Level| match level {
        Level::Enterprise => "Enterprise",
        Level::Group => "Group",
        Level::Queue => "Queue",
    };
    let one = |code: &Code| {
        Element::new("dispositionCodeDetail")
            .attribute("isDefault", code.default)
            .field("code", &code.code)
            .field("description", &code.description)
            .field("level", level(code.level))
    };
    let codes = all.codes.iter().chain(organisation.iter().filter(|_| all.with_organization));
    let codes = codes.filter(|code| code.active).map(one);
    // Misspelt in the vendor's schema, and so on the wire.
    Element::new("ACDCallDispostionCodes")
        .field("enableCallDispositionCodes", all.enabled)
        .field("includeOrganizationCodes", all.with_organization)
        .field("forceUseOfCallDispositionCodes", all.forced)
        .with(Element::new("dispositionCodes").all(codes))
}

fn night_service(queue: &QueueView) -> Element {
    let (action, to) = match &queue.config.night.action {
        Treatment::Transfer(to) => ("Transfer", Some(to)),
        Treatment::Busy => ("Busy", None),
        Treatment::Leave | Treatment::Ring => ("None", None),
    };
    Element::new("ACDNightService")
        .field("action", action)
        .field("forceNightService", queue.night_forced)
        .field("allowManualOverrideViaFAC", false)
        .maybe("transferPhoneNumber", to)
}

fn forced_forwarding(queue: &QueueView) -> Element {
    let forwarding = &queue.config.forced_forwarding;
    Element::new("ACDForcedForwarding")
        .field("active", forwarding.active)
        .maybe("forwardToPhoneNumber", Some(&forwarding.to).filter(|to| !to.is_empty()))
        .field("allowEnableViaFAC", false)
}

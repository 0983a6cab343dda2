//! Events of the call centre: queues, agents, measures, policies; and what their subscriptions begin with.

use std::time::Instant;

use crate::acd::{
    Acd, AcdEvent, AcdView, AgentCounts, AgentId, AgentState, AgentStatus, AgentView, Caller,
    JoinInfo, Kind, Left, Measure, Monitoring, News, Policed, Priority, QueueConfig, QueueEntry,
    QueueId, QueueNews, QueueView, Redirection, Severity, Treatment, TurnedAway,
};
use crate::exchange::{End, UserCall};
use crate::pbx::CallNumber;
use crate::xsi::clock::Clock;
use crate::xsi::element::Element;
use crate::xsi::names::{COUNTRY, Names, dialled, tel};
use crate::xsi::watch::Shown;

const QUEUE: &[&str] = &["Call Center Queue"];
const AGENT: &[&str] = &["Call Center Agent"];
const AGENT_MONITORING: &[&str] = &["Call Center Agent Monitoring"];
const MONITORING: &[&str] = &["Call Center Monitoring"];
const CONFIGURATION: &[&str] = &["Call Center Configuration"];
/// The packages of the call centre.
pub(crate) const PACKAGES: &[&str] = &[
    "Call Center Queue",
    "Call Center Agent",
    "Call Center Agent Monitoring",
    "Call Center Monitoring",
    "Call Center Configuration",
];

/// The first number of a queued call's id; calls of users count from below.
const FIRST: u64 = 1_000_000;

/// The id of a queued call.
pub(crate) fn call_id(call: CallNumber) -> String {
    format!("callhalf-{}:0", FIRST + call.0)
}

/// The call with this id.
pub(crate) fn call_of(id: &str) -> Option<CallNumber> {
    let number = id.strip_prefix("callhalf-")?.split(':').next()?;
    number.parse::<u64>().ok()?.checked_sub(FIRST).map(CallNumber)
}

/// As documents have it.
pub(crate) const fn state_word(state: AgentState) -> &'static str {
    match state {
        AgentState::SignIn => "Sign-In",
        AgentState::Available => "Available",
        AgentState::Unavailable => "Unavailable",
        AgentState::WrapUp => "Wrap-Up",
        AgentState::SignOut => "Sign-Out",
    }
}

/// The state of this word.
pub(crate) fn state_of(word: &str) -> Option<AgentState> {
    let all = [
        AgentState::SignIn,
        AgentState::Available,
        AgentState::Unavailable,
        AgentState::WrapUp,
        AgentState::SignOut,
    ];
    all.into_iter().find(|state| state_word(*state) == word)
}

/// As documents have it.
pub(crate) const fn priority_word(priority: Priority) -> &'static str {
    match priority {
        Priority::Highest => "0-Highest",
        Priority::High => "1-High",
        Priority::Medium => "2-Medium",
        Priority::Low => "3-Low",
    }
}

/// The priority of this word.
pub(crate) fn priority_of(word: &str) -> Option<Priority> {
    Priority::ALL.into_iter().find(|priority| priority_word(*priority) == word)
}

/// Where writing looks things up.
pub(crate) trait Facts {
    /// The set-up of a queue.
    fn config(&self, id: &QueueId) -> Option<&QueueConfig>;
    /// What an agent has done so far.
    fn counts(&self, id: &AgentId) -> AgentCounts;
}

impl Facts for AcdView {
    fn config(&self, id: &QueueId) -> Option<&QueueConfig> {
        self.queue(id).map(|queue| &queue.config)
    }

    fn counts(&self, id: &AgentId) -> AgentCounts {
        self.agent(id).map(|agent| agent.counts).unwrap_or_default()
    }
}

impl Facts for Acd {
    fn config(&self, id: &QueueId) -> Option<&QueueConfig> {
        self.queue_config(id)
    }

    fn counts(&self, id: &AgentId) -> AgentCounts {
        self.counts_of(id).unwrap_or_default()
    }
}

/// What writing needs to know.
struct Writer<'a> {
    facts: &'a dyn Facts,
    clock: Clock,
    names: &'a Names,
}

impl Writer<'_> {
    fn queue(&self, id: &QueueId) -> Option<&QueueConfig> {
        self.facts.config(id)
    }

    fn acd_number(&self, id: &QueueId) -> Element {
        let outside = self.queue(id).map(|queue| queue.number.clone());
        match outside.filter(|number| !number.is_empty()) {
            Some(number) => {
                Element::leaf("acdNumber", tel(&number)).attribute("countryCode", COUNTRY)
            }
            None => Element::leaf("acdNumber", tel(&id.0)).attribute("countryCode", COUNTRY),
        }
    }

    fn acd_name(&self, id: &QueueId) -> String {
        self.queue(id).map_or_else(|| id.0.clone(), |queue| queue.name.clone())
    }

    fn caller(&self, caller: &Caller) -> Element {
        let party = Element::new("remoteParty");
        if caller.withheld {
            return party.flag("privacy", true).field("callType", "Network");
        }
        let mut address = Element::leaf("address", tel(&caller.number));
        if caller.line.is_none() {
            address = address.attribute("countryCode", COUNTRY);
        }
        party
            .maybe("name", caller.name.as_deref())
            .with(address)
            .maybe("userId", caller.line.as_deref().map(|line| self.names.user_id(line)))
            .field("callType", if caller.line.is_some() { "Group" } else { "Network" })
    }

    /// One call in a queue.
    fn entry(&self, entry: &QueueEntry) -> Element {
        let premium = self.queue(&entry.queue).is_none_or(|queue| queue.kind == Kind::Premium);
        let waited = u64::try_from(entry.waited_before.as_millis()).unwrap_or(u64::MAX);
        let waited = Some(waited).filter(|waited| *waited > 0);
        let element = Element::new("queueEntry")
            .field("callId", call_id(entry.call))
            .field("extTrackingId", format!("{}:1", entry.call.0))
            .with(self.caller(&entry.caller))
            .field("addTime", self.clock.ms(entry.added_at))
            .maybe("removeTime", entry.removed_at.map(|at| self.clock.ms(at)))
            .flag("mandatoryEntrance", entry.mandatory_entrance)
            .flag("bounced", entry.bounced)
            .flag("reordered", entry.reordered)
            .maybe("preservedWaitTime", waited)
            .field("acdName", self.acd_name(&entry.queue))
            .with(self.acd_number(&entry.queue));
        let element = if premium {
            element
                .field("acdPriority", priority_word(entry.priority))
                .field("addTimeInPriorityBucket", self.clock.ms(entry.in_priority_since))
        } else {
            element
        };
        element.maybe(
            "answeringUserId",
            entry.answered_by.as_ref().map(|agent| self.names.user_id(&agent.0)),
        )
    }

    fn redirect(&self, at: Instant, to: &str, reason: &str) -> Element {
        let number = dialled(to).unwrap_or_default();
        Element::new("redirect")
            .field("address", tel(&number))
            .field("reason", reason)
            .field("redirectTime", self.clock.ms(at))
    }

    /// Where a treatment sends a call, or that something is played to it.
    fn treatment(&self, at: Instant, treatment: &Treatment) -> Option<Element> {
        match treatment {
            Treatment::Transfer(to) => Some(self.redirect(at, to, "call-center")),
            Treatment::Busy | Treatment::Ring => Some(Element::new("treatmentStarted")),
            Treatment::Leave => None,
        }
    }

    fn redirections(&self, all: &[Redirection]) -> Option<Element> {
        let one = |redirection: &Redirection| {
            let party = Element::new("party")
                .maybe("name", redirection.name.as_deref())
                .field("address", tel(&redirection.number));
            Element::new("redirection").with(party).field("reason", &redirection.reason)
        };
        (!all.is_empty()).then(|| Element::new("redirections").all(all.iter().map(one)))
    }

    fn queue_event(&self, at: Instant, news: &QueueNews, entry: &QueueEntry) -> Element {
        let data =
            |kind: &'static str| Element::new("eventData").typed(kind).with(self.entry(entry));
        match news {
            QueueNews::Added { position, redirections } => data("ACDCallAddedEvent")
                .field("position", position)
                .all(self.redirections(redirections)),
            QueueNews::OfferedToAgent(_) => data("ACDCallOfferedToAgentEvent"),
            QueueNews::Bounced { position, .. } => {
                data("ACDCallBouncedEvent").field("position", position)
            }
            QueueNews::AnsweredByAgent(_) => data("ACDCallAnsweredByAgentEvent"),
            QueueNews::Abandoned { entrance_playing } => {
                data("ACDCallAbandonedEvent").flag("entrancePlaying", *entrance_playing)
            }
            QueueNews::Released => data("ACDCallReleasedEvent"),
            QueueNews::Transferred { to } => {
                data("ACDCallTransferredEvent").with(self.redirect(at, to, "transfer"))
            }
            QueueNews::Overflowed { time, treatment } => data("ACDCallOverflowedEvent")
                .field("overflowReason", if *time { "time" } else { "size" })
                .all(self.treatment(at, treatment)),
            QueueNews::Stranded { unavailable: false, treatment } => {
                data("ACDCallStrandedEvent").all(self.treatment(at, treatment))
            }
            QueueNews::Stranded { unavailable: true, treatment } => {
                data("ACDCallStrandedUnavailableEvent").all(self.treatment(at, treatment))
            }
            QueueNews::Escaped { .. } => data("ACDCallEscapedEvent"),
            QueueNews::Reordered { position } => {
                data("ACDCallReorderedEvent").field("position", position)
            }
            QueueNews::Promoted { position } => {
                data("ACDCallPromotedEvent").field("position", position)
            }
            QueueNews::Updated => data("ACDCallUpdatedEvent"),
        }
    }

    fn turned_away(&self, at: Instant, call: &TurnedAway) -> Element {
        let kind = match call.why {
            Policed::Forwarded => "ACDCallForwardedEvent",
            Policed::Night => "ACDNightPolicyAppliedEvent",
            Policed::Holiday => "ACDHolidayPolicyAppliedEvent",
        };
        Element::new("eventData")
            .typed(kind)
            .field("callId", call_id(call.call))
            .field("extTrackingId", format!("{}:1", call.call.0))
            .field("acdName", self.acd_name(&call.queue))
            .with(self.acd_number(&call.queue))
            .with(self.caller(&call.caller))
            .all(self.treatment(at, &call.treatment))
    }

    fn completed(&self, why: Left, entry: &QueueEntry) -> Element {
        // Two of the names are misspelt in the vendor's schema, and so on the wire.
        let kind = match why {
            Left::OverflowSize | Left::OverflowTime => "ACDCallOverflowedTreatmentCompletedEvent",
            Left::Stranded => "ACDCallStrandedTreatementCompletedEvent",
            Left::StrandedUnavailable => "ACDCallStrandedUnavailableTreatementCompletedEvent",
            Left::Night => "ACDNightPolicyAppliedTreatmentCompletedEvent",
            Left::Holiday => "ACDHolidayPolicyAppliedTreatmentCompletedEvent",
        };
        let data = Element::new("eventData").typed(kind);
        data.with(self.entry(entry)).field("reason", "EOF")
    }

    fn status(&self, name: &'static str, status: &AgentStatus) -> Element {
        let stamp = Element::new("stateTimestamp").field("value", self.clock.ms(status.since));
        let seconds = |duration: std::time::Duration| duration.as_secs();
        let wrap_up = Element::new("averageWrapUpTime");
        Element::new(name)
            .field("state", state_word(status.state))
            .with(severities(stamp, &status.severity))
            .maybe("unavailableCode", status.code.as_deref())
            .maybe("wrapUpCallId", status.wrap_up_call.map(call_id))
            .maybe("signInTimestamp", status.signed_in_at.map(|at| self.clock.ms(at)))
            .field("totalAvailableTime", seconds(status.total_available))
            .with(wrap_up.field("value", seconds(status.average_wrap_up)))
            .maybe(
                "wrapUpCallCenterUserId",
                status.wrap_up_queue.as_ref().map(|queue| self.names.user_id(&queue.0)),
            )
    }

    fn join(&self, join: &JoinInfo) -> Element {
        Element::new("joinInfo")
            .field("acdUserId", self.names.user_id(&join.queue.0))
            .flag("joined", join.joined)
            .maybe("skillLevel", join.skill)
    }

    fn agent_monitoring(&self, kind: &'static str, agent: &AgentId) -> Element {
        let counts = self.facts.counts(agent);
        let average = counts.talk_s.checked_div(u64::from(counts.answered));
        let status = Element::new("monitoringStatus").maybe("averageACDCallTime", average);
        Element::new("eventData").typed(kind).with(status)
    }
}

fn severity_word(severity: Severity) -> Option<&'static str> {
    match severity {
        Severity::Normal => None,
        Severity::Yellow => Some("Yellow"),
        Severity::Red => Some("Red"),
    }
}

fn severities<T>(element: Element, measure: &Measure<T>) -> Element {
    element
        .maybe("severity", severity_word(measure.severity))
        .maybe("prevSeverity", severity_word(measure.previous))
        .maybe("threshold", measure.threshold)
}

fn measure<T: ToString>(name: &'static str, measure: &Measure<T>) -> Element {
    severities(Element::new(name).field("value", measure.value.to_string()), measure)
}

/// `eventData` of the measures of a queue.
pub(crate) fn monitoring(of: &Monitoring) -> Element {
    let status = Element::new("monitoringStatus")
        .with(measure("averageHandlingTime", &of.average_handling_time))
        .with(measure("expectedWaitTime", &of.expected_wait))
        .with(measure("averageSpeedOfAnswer", &of.average_speed_of_answer))
        .with(measure("longestWaitTime", &of.longest_wait))
        .with(measure("numCallsInQueue", &of.calls))
        .field("numAgentsAssigned", of.assigned)
        .field("numAgentsStaffed", of.staffed)
        .field("numStaffedAgentsIdle", of.idle)
        .field("numStaffedAgentsUnavailable", of.unavailable);
    Element::new("eventData").typed("CallCenterMonitoringEvent").with(status)
}

/// What an agent's own call, by his line, in a conversation is called.
type PartOf<'a> = &'a dyn Fn(&str, u64) -> Option<String>;

/// What an event of the call centre is for those who watch. `part`: what an agent's own call in a conversation is
/// called.
pub(crate) fn events(
    event: &AcdEvent,
    facts: &dyn Facts,
    clock: Clock,
    (names, part): (&Names, PartOf<'_>),
) -> Vec<Shown> {
    let writer = Writer { facts, clock, names };
    let one = |user: &str, packages: &'static [&'static str], data: Element| {
        vec![Shown { user: user.to_owned(), packages, data }]
    };
    let data = |kind: &'static str| Element::new("eventData").typed(kind);
    match &event.news {
        News::Queue(news, entry) => {
            one(&entry.queue.0, QUEUE, writer.queue_event(event.at, news, entry))
        }
        News::TurnedAway(call) => one(&call.queue.0, QUEUE, writer.turned_away(event.at, call)),
        News::TreatmentCompleted { why, entry } => {
            one(&entry.queue.0, QUEUE, writer.completed(*why, entry))
        }
        News::AgentState { agent, status } => {
            let info = writer.status("agentStateInfo", status);
            one(&agent.0, AGENT, data("AgentStateEvent").with(info))
        }
        News::AgentJoin { agent, join } => {
            let update = Element::new("ccAgentJoinUpdateData").with(writer.join(join));
            one(&agent.0, AGENT, data("ACDAgentJoinUpdateEvent").with(update))
        }
        News::Disposition { agent, call, code, .. } => one(
            &agent.0,
            AGENT,
            data("AgentDispositionCodeAddedEvent")
                .field("dispositionCode", code)
                .field("callId", part(&agent.0, call.0).unwrap_or_else(|| call_id(*call))),
        ),
        News::AgentAlert { agent, on_call, since } => {
            let alert = Element::new("alertInfo")
                .field("alertEvent", if *on_call { "OnCallTime" } else { "IdleTime" })
                .field("timestamp", clock.ms(*since));
            let kind = "CallCenterAgentMonitoringOnCallAlertEvent";
            one(&agent.0, AGENT_MONITORING, data(kind).with(alert))
        }
        News::ConversationEnded { agent, .. } => {
            let kind = "CallCenterAgentMonitoringEvent";
            one(&agent.0, AGENT_MONITORING, writer.agent_monitoring(kind, agent))
        }
        News::Monitoring { queue, monitoring: of } => one(&queue.0, MONITORING, monitoring(of)),
        News::NightService { queue, active, forced } => one(
            &queue.0,
            CONFIGURATION,
            data("ACDNightServiceEvent").field("active", active).field("forceNightService", forced),
        ),
        News::HolidayService { queue, active } => {
            one(&queue.0, CONFIGURATION, data("ACDHolidayServiceEvent").field("active", active))
        }
        News::ForcedForwarding { queue, active } => {
            one(&queue.0, CONFIGURATION, data("ACDForcedForwardingEvent").field("active", active))
        }
        News::Configured { .. } => Vec::new(),
    }
}

/// `acdCallInfo` of a user's call that comes from a queue.
pub(crate) fn call_info(
    now: Instant,
    call: &UserCall,
    centre: &Acd,
    names: &Names,
) -> Option<Element> {
    if call.end != End::Called {
        return None;
    }
    let (number, agent) = (Names::number(&call.remote), AgentId(call.user.clone()));
    let is = |entry: &&QueueEntry| {
        let agents =
            entry.offered_to.contains(&agent) || entry.answered_by.as_ref() == Some(&agent);
        agents && (entry.caller.number == number || entry.caller.withheld)
    };
    let entry = centre.entries().find(is)?;
    let queue = centre.queue_config(&entry.queue)?;
    let measures = centre.monitoring(now, &entry.queue)?;
    let until = entry.removed_at.unwrap_or(now);
    let calling = Element::new("callingPartyInfo")
        .maybe("name", entry.caller.name.as_deref())
        .maybe("address", (!entry.caller.withheld).then(|| tel(&entry.caller.number)));
    let outside = Some(&queue.number).filter(|number| !number.is_empty());
    Some(
        Element::new("acdCallInfo")
            .field("acdUserId", names.user_id(&entry.queue.0))
            .field("acdName", &queue.name)
            .field("acdNumber", tel(outside.unwrap_or(&entry.queue.0)))
            .field("numCallsInQueue", measures.calls.value)
            .field("waitTime", until.saturating_duration_since(entry.added_at).as_secs())
            .field("longestWaitTime", measures.longest_wait.value)
            .with(calling),
    )
}

/// All calls of a queue, as `queueEntries`; `None` if there are none.
pub(crate) fn entries(
    queue: &QueueView,
    view: &AcdView,
    clock: Clock,
    names: &Names,
) -> Option<Element> {
    let writer = Writer { facts: view, clock, names };
    let entries = queue.entries.iter().map(|entry| writer.entry(entry));
    (!queue.entries.is_empty()).then(|| Element::new("queueEntries").all(entries))
}

/// What a subscription to a queue begins with.
pub(crate) fn queue(
    kind: &'static str,
    queue: &str,
    view: &AcdView,
    clock: Clock,
    names: &Names,
) -> Option<Element> {
    let queue = view.queue(&QueueId(queue.to_owned()))?;
    let data = Element::new("eventData").typed(kind);
    Some(data.all(entries(queue, view, clock, names)))
}

/// What a subscription of a package to a queue or an agent begins with; `None` for another package or nobody.
pub(crate) fn initial(
    package: &str,
    target: &str,
    view: &AcdView,
    clock: Clock,
    names: &Names,
) -> Option<Element> {
    let writer = Writer { facts: view, clock, names };
    let found_queue = || view.queue(&QueueId(target.to_owned()));
    match package {
        "Call Center Queue" => queue("ACDSubscriptionEvent", target, view, clock, names),
        "Call Center Monitoring" => Some(monitoring(&found_queue()?.monitoring)),
        "Call Center Configuration" => {
            let queue = found_queue()?;
            let active = |name, on: bool| Element::new(name).field("active", on);
            Some(
                Element::new("eventData")
                    .typed("ACDConfigurationSubscriptionEvent")
                    .with(active("forcedForwarding", queue.config.forced_forwarding.active))
                    .with(active("holidayService", queue.holiday))
                    .with(active("nightService", queue.night))
                    .field("forceNightService", queue.night_forced),
            )
        }
        "Call Center Agent" => {
            let agent = view.agent(&AgentId(target.to_owned()))?;
            Some(writer.agent_begins(agent))
        }
        "Call Center Agent Monitoring" => {
            let agent = view.agent(&AgentId(target.to_owned()))?;
            let kind = "CallCenterAgentMonitoringSubscriptionEvent";
            Some(writer.agent_monitoring(kind, &agent.agent))
        }
        _ => None,
    }
}

impl Writer<'_> {
    fn agent_begins(&self, agent: &AgentView) -> Element {
        let infos = agent.queues.iter().map(|join| self.join(join));
        let mut data = Element::new("joinData");
        if !agent.queues.is_empty() {
            data = data.with(Element::new("joinInfos").all(infos));
        }
        Element::new("eventData")
            .typed("AgentSubscriptionEvent")
            .with(data)
            .with(self.status("stateInfo", &agent.status))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_lead_back_to_what_they_stand_for() {
        for state in ["Sign-In", "Available", "Unavailable", "Wrap-Up", "Sign-Out"] {
            assert_eq!(state_of(state).map(state_word), Some(state));
        }
        for priority in ["0-Highest", "1-High", "2-Medium", "3-Low"] {
            assert_eq!(priority_of(priority).map(priority_word), Some(priority));
        }
        assert_eq!(call_of(&call_id(CallNumber(7))), Some(CallNumber(7)));
        assert_eq!((call_of("callhalf-501:0"), call_of("x")), (None, None));
    }
}

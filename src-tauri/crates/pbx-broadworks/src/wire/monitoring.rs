//! Figures and policies of queues (reference, section 4.5, packages "Call Center Monitoring" and "Call
//! Center Configuration").

use crate::xml::Element;

/// A figure with its judgement.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Monitored {
    /// The figure.
    pub value: u32,
    /// How bad it is, in the server's word.
    pub severity: Option<String>,
}

impl Monitored {
    fn of(element: &Element, name: &str) -> Option<Self> {
        let one = element.child(name)?;
        let plain = || one.words().and_then(|text| text.parse().ok());
        let value = one.number("value").or_else(plain)?;
        Some(Self { value, severity: one.text_of("severity") })
    }
}

/// Figures of a queue. Times are in the server's unit: seconds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct QueueFigures {
    /// Average length of a call and its wrap-up.
    pub average_handling: Option<Monitored>,
    /// Expected wait of the next caller.
    pub expected_wait: Option<Monitored>,
    /// Average time until answer.
    pub average_answer: Option<Monitored>,
    /// Longest wait.
    pub longest_wait: Option<Monitored>,
    /// Callers that wait.
    pub waiting: Option<Monitored>,
    /// Agents that belong to the queue.
    pub assigned: Option<u32>,
    /// Agents that are signed in and joined.
    pub staffed: Option<u32>,
    /// Staffed ones that wait for a call.
    pub idle: Option<u32>,
    /// Staffed ones that take no calls.
    pub unavailable: Option<u32>,
}

impl QueueFigures {
    pub(super) fn read(data: &Element) -> Option<Self> {
        let status = data.child("monitoringStatus")?;
        Some(Self {
            average_handling: Monitored::of(status, "averageHandlingTime"),
            expected_wait: Monitored::of(status, "expectedWaitTime"),
            average_answer: Monitored::of(status, "averageSpeedOfAnswer"),
            longest_wait: Monitored::of(status, "longestWaitTime"),
            waiting: Monitored::of(status, "numCallsInQueue"),
            assigned: status.number("numAgentsAssigned"),
            staffed: status.number("numAgentsStaffed"),
            idle: status.number("numStaffedAgentsIdle"),
            unavailable: status.number("numStaffedAgentsUnavailable"),
        })
    }
}

/// What a queue does with all its callers. `None`: not told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PolicyEvent {
    /// Forwarding of every caller is on.
    pub forced_forwarding: Option<bool>,
    /// A holiday is in force.
    pub holiday: Option<bool>,
    /// Night is in force.
    pub night: Option<bool>,
    /// Night was switched on by hand.
    pub force_night: Option<bool>,
}

impl PolicyEvent {
    /// An absent `active` means no: markers are told by presence (reference, section 2).
    pub(super) fn read(name: &str, data: &Element) -> Option<Self> {
        let nothing = Self::default();
        Some(match name {
            "ACDForcedForwardingEvent" => {
                Self { forced_forwarding: Some(data.flag("active")), ..nothing }
            }
            "ACDHolidayServiceEvent" => Self { holiday: Some(data.flag("active")), ..nothing },
            "ACDNightServiceEvent" => Self {
                night: Some(data.flag("active")),
                force_night: Some(data.flag("forceNightService")),
                ..nothing
            },
            "ACDConfigurationSubscriptionEvent" => {
                let active = |name: &str| data.child(name).map(|one| one.flag("active"));
                let inside =
                    data.child("nightService").is_some_and(|one| one.flag("forceNightService"));
                Self {
                    forced_forwarding: active("forcedForwarding"),
                    holiday: active("holidayService"),
                    night: active("nightService"),
                    force_night: active("nightService")
                        .map(|_| data.flag("forceNightService") || inside),
                }
            }
            _ => return None,
        })
    }
}

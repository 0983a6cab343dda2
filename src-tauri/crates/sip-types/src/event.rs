//! Owns the values of event notification: Event and Subscription-State (RFC 6665).

use std::fmt;
use std::str::FromStr;

use crate::scan::{delta_seconds, is_token};
use crate::session::value_and_params;
use crate::{Params, ValueError};

/// `Event: dialog;id=…`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// The package with its templates, in lower case: `dialog`, `presence.winfo`.
    pub package: String,
    /// `id` and others.
    pub params: Params,
}

impl Event {
    /// An event without parameters.
    pub fn new(package: &str) -> Self {
        Self { package: package.to_ascii_lowercase(), params: Params::new() }
    }

    /// The `id` parameter.
    pub fn id(&self) -> Option<&str> {
        self.params.value("id")
    }

    /// Whether both name the same subscription's event (RFC 6665 section 8.2.1).
    pub fn matches(&self, other: &Self) -> bool {
        self.package == other.package && self.id() == other.id()
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.package, self.params)
    }
}

impl FromStr for Event {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        let (package, params) = value_and_params(text)?;
        if !is_token(package) {
            return Err(ValueError(format!("'{package}' is not an event package")));
        }
        Ok(Self { params, ..Self::new(package) })
    }
}

/// The state a NOTIFY says the subscription is in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SubscriptionPhase {
    /// `active`.
    Active,
    /// `pending`: not yet authorised.
    Pending,
    /// `terminated`.
    Terminated,
    /// Any other token, in lower case.
    Other(String),
}

/// `Subscription-State: active;expires=600`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubscriptionState {
    /// The state.
    pub phase: SubscriptionPhase,
    /// `expires`, `reason`, `retry-after`.
    pub params: Params,
}

impl SubscriptionState {
    /// A state without parameters.
    pub fn new(phase: SubscriptionPhase) -> Self {
        Self { phase, params: Params::new() }
    }

    /// `expires`: seconds the subscription has left.
    pub fn expires(&self) -> Option<u32> {
        self.params.value("expires").and_then(delta_seconds)
    }

    /// `reason` of a termination: `deactivated`, `probation`, `rejected`, `timeout`, `giveup`, `noresource`, `invariant`.
    pub fn reason(&self) -> Option<&str> {
        self.params.value("reason")
    }

    /// `retry-after`: seconds to wait before subscribing again.
    pub fn retry_after(&self) -> Option<u32> {
        self.params.value("retry-after").and_then(delta_seconds)
    }
}

impl fmt::Display for SubscriptionState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let phase = match &self.phase {
            SubscriptionPhase::Active => "active",
            SubscriptionPhase::Pending => "pending",
            SubscriptionPhase::Terminated => "terminated",
            SubscriptionPhase::Other(name) => name,
        };
        write!(f, "{phase}{}", self.params)
    }
}

impl FromStr for SubscriptionState {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        let (phase, params) = value_and_params(text)?;
        if !is_token(phase) {
            return Err(ValueError(format!("'{phase}' is not a subscription's state")));
        }
        let phase = match phase.to_ascii_lowercase().as_str() {
            "active" => SubscriptionPhase::Active,
            "pending" => SubscriptionPhase::Pending,
            "terminated" => SubscriptionPhase::Terminated,
            other => SubscriptionPhase::Other(other.to_owned()),
        };
        Ok(Self { phase, params })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_match_by_package_and_id() {
        let event: Event = "Dialog ; id=7;sla".parse().unwrap();
        assert_eq!(event.to_string(), "dialog;id=7;sla");
        assert!(event.matches(&"dialog;id=7".parse().unwrap()));
        assert!(!event.matches(&"dialog".parse().unwrap()));
        assert!("".parse::<Event>().is_err());
    }

    #[test]
    fn subscription_states() {
        let state: SubscriptionState =
            "Terminated;reason=probation;retry-after=30".parse().unwrap();
        assert_eq!(state.phase, SubscriptionPhase::Terminated);
        assert_eq!(
            (state.reason(), state.retry_after(), state.expires()),
            (Some("probation"), Some(30), None)
        );
        assert_eq!("active;expires=600".parse::<SubscriptionState>().unwrap().expires(), Some(600));
    }
}

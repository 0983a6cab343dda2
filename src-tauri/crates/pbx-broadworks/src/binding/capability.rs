//! What the account may do, from the services that are assigned to it (reference, section 3.4: "drive UI
//! capability from this list").

use pbx::centre::{Capability, Input};

use super::service;
use crate::{
    Release,
    wire::{Assigned, FeatureCode, ServiceState},
};

/// Services that begin calls, by their names.
const CALL_RETURN: &str = "Call Return";
const REDIAL: &str = "Last Number Redial";
/// The service that reports where the last call came from.
const TRACE: &str = "Customer Originated Trace";

/// What was read about the account. `None`: it could not be read.
#[derive(Clone, Debug, Default)]
pub(super) struct Account {
    pub release: Release,
    pub services: Option<Vec<Assigned>>,
    pub codes: Option<Vec<FeatureCode>>,
    /// The user is an agent of some queue.
    pub is_agent: bool,
    /// The user watches over some queue.
    pub is_supervisor: bool,
}

/// Letters and digits only, in lower case: names and paths are compared by these.
fn plain(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

impl Account {
    /// Whether a service is assigned, by its name or by the end of its address. Unknown counts as yes: the
    /// server still refuses.
    pub(super) fn has(&self, name: &str) -> bool {
        let wanted = plain(name);
        let Some(services) = &self.services else { return true };
        services.iter().any(|one| {
            let uri = one.uri.as_deref().map(|uri| uri.trim_end_matches('/'));
            let last = uri.and_then(|uri| uri.rsplit('/').next()).map(plain);
            let name = plain(&one.name);
            // `Voice Messaging User` is `VoiceMessaging`, but a longer name may be a service of its own.
            let other = || ServiceState::paths().iter().any(|path| plain(path) == name);
            name == wanted
                || last.as_deref() == Some(wanted.as_str())
                || (name.starts_with(&wanted) && !other())
        })
    }

    fn has_exactly(&self, name: &str) -> bool {
        let wanted = plain(name);
        self.services
            .as_ref()
            .is_none_or(|services| services.iter().any(|one| plain(&one.name) == wanted))
    }

    /// Whether the group has a feature that is not assigned to users: its code tells.
    fn has_code(&self, part: &str) -> bool {
        let wanted = plain(part);
        self.codes
            .as_ref()
            .is_none_or(|codes| codes.iter().any(|one| plain(&one.name).contains(&wanted)))
    }

    /// Whether calls can be traced: the service is assigned, and its code is known.
    fn can_trace(&self) -> bool {
        let code = self.codes.as_ref().is_none_or(|codes| trace_code(codes).is_some());
        code && self.has_exactly(TRACE)
    }

    /// Paths of the services that are assigned and understood.
    pub(super) fn service_paths(&self) -> Vec<&'static str> {
        let shown = ServiceState::paths().iter().filter(|path| service::kind(path).is_some());
        shown.filter(|path| self.has(path)).copied().collect()
    }

    /// Each capability, whether it is present, and what would bring it.
    fn table(&self) -> Vec<(Capability, bool, &'static str)> {
        let centre = self.has("Call Center");
        let premium = self.has("Call Center - Premium");
        let monitoring = self.has("Call Center Monitoring") && self.is_supervisor;
        let barge = self.has("Directed Call Pickup with Barge-in");
        let supervisor = self.is_supervisor;
        vec![
            (Capability::Agent, centre && self.is_agent, "Call Center"),
            (Capability::JoinQueues, centre && self.is_agent, "Call Center"),
            (Capability::QueueView, self.is_agent || supervisor, "Call Center - Standard"),
            (Capability::QueueControl, supervisor, "Call Center Supervisor"),
            (Capability::Supervise, supervisor, "Call Center Supervisor"),
            (Capability::SilentMonitor, monitoring && barge, "Call Center Monitoring"),
            (
                Capability::Coach,
                monitoring && barge && self.release.has_coaching(),
                "Call Center Monitoring",
            ),
            (Capability::BargeIn, barge, "Directed Call Pickup with Barge-in"),
            (Capability::Disposition, self.is_agent && premium, "Call Center - Premium"),
            (Capability::Escalate, self.is_agent && centre, "Call Center"),
            (Capability::QueuePolicy, supervisor, "Call Center Supervisor"),
            (Capability::CallControl, true, ""),
            (
                Capability::Conference,
                self.has("Three-Way Call") || self.has("N-Way Call"),
                "Three-Way Call",
            ),
            (Capability::Park, self.has_code("Call Park"), "Call Park"),
            (Capability::Pickup, self.has_code("Call Pickup"), "Call Pickup"),
            (Capability::PullCall, self.has_code("Call Retrieve"), "Call Retrieve"),
            (Capability::RingBack, self.has_exactly("Automatic Callback"), "Automatic Callback"),
            (Capability::CallReturn, self.has_exactly(CALL_RETURN), CALL_RETURN),
            (Capability::Redial, self.has_exactly(REDIAL), REDIAL),
            (Capability::CallTrace, self.can_trace(), TRACE),
            (Capability::Recording, self.has_exactly("Call Recording"), "Call Recording"),
            (Capability::Directory, true, ""),
            (Capability::CallLog, true, ""),
            (Capability::VoiceMessages, self.has("Voice Messaging"), "Voice Messaging"),
            (Capability::PersonalNumbers, true, ""),
        ]
    }

    /// What is told of it.
    pub(super) fn told(&self) -> Input {
        let (mut present, mut missing) = (Vec::new(), Vec::new());
        for (capability, is_there, licence) in self.table() {
            match is_there {
                true => present.push(capability),
                false => missing.push((capability, licence.to_owned())),
            }
        }
        for path in ServiceState::paths() {
            let Some(kind) = service::kind(path) else { continue };
            match self.has(path) {
                true => present.push(Capability::Service(kind)),
                false => missing.push((Capability::Service(kind), spaced(path))),
            }
        }
        Input::Capabilities { present, missing }
    }
}

/// The code that has the last call traced.
pub(super) fn trace_code(codes: &[FeatureCode]) -> Option<&str> {
    let wanted = plain(TRACE);
    let found = codes.iter().find(|one| plain(&one.name) == wanted);
    found.map(|one| one.code.as_str()).filter(|code| !code.is_empty())
}

/// `CallForwardingBusy` as people name it: a space before each capital that follows a small letter.
fn spaced(path: &str) -> String {
    let mut name = String::new();
    let mut small = false;
    for letter in path.chars() {
        if small && letter.is_uppercase() {
            name.push(' ');
        }
        small = letter.is_lowercase();
        name.push(letter);
    }
    name
}

#[cfg(test)]
mod tests {
    use pbx::centre::{Capability, Input, ServiceKind};

    use super::{Account, trace_code};
    use crate::{
        Release,
        wire::{Assigned, FeatureCode},
    };

    fn account(names: &[(&str, Option<&str>)]) -> Account {
        let assigned = |(name, uri): &(&str, Option<&str>)| Assigned {
            name: (*name).to_owned(),
            uri: uri.map(str::to_owned),
        };
        Account { services: Some(names.iter().map(assigned).collect()), ..Account::default() }
    }

    fn split(account: &Account) -> (Vec<Capability>, Vec<(Capability, String)>) {
        match account.told() {
            Input::Capabilities { present, missing } => (present, missing),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn services_are_found_by_name_and_by_address() {
        let account = account(&[
            ("Call Forwarding Always", None),
            ("Niet storen", Some("/v2.0/user/a@b/services/DoNotDisturb")),
            ("Voice Messaging User", None),
        ]);
        assert_eq!(
            account.service_paths(),
            ["DoNotDisturb", "CallForwardingAlways", "VoiceMessaging"]
        );
        let (present, missing) = split(&account);
        assert!(present.contains(&Capability::Service(ServiceKind::DoNotDisturb)));
        let busy = Capability::Service(ServiceKind::ForwardBusy);
        assert!(missing.contains(&(busy, "Call Forwarding Busy".to_owned())));
        assert!(missing.contains(&(Capability::Agent, "Call Center".to_owned())));
    }

    #[test]
    fn a_call_is_traced_where_the_service_and_its_code_are_there() {
        let mut account = account(&[
            ("Call Return", None),
            ("Last Number Redial", None),
            ("Customer Originated Trace", None),
        ]);
        account.codes = Some(Vec::new());
        let (present, missing) = split(&account);
        assert!(present.contains(&Capability::CallReturn) && present.contains(&Capability::Redial));
        let trace = (Capability::CallTrace, "Customer Originated Trace".to_owned());
        assert!(missing.contains(&trace), "without a code there is nothing to dial");
        let code = |name: &str, code: &str| FeatureCode {
            name: name.to_owned(),
            code: code.to_owned(),
            alternate: None,
        };
        let codes = vec![code("Call Return", "*69"), code("Customer Originated Trace", "*57")];
        assert_eq!(trace_code(&codes), Some("*57"));
        account.codes = Some(codes);
        assert!(split(&account).0.contains(&Capability::CallTrace));
        account.services = Some(Vec::new());
        let (present, missing) = split(&account);
        assert!(missing.contains(&trace) && !present.contains(&Capability::CallTrace));
        assert!(missing.contains(&(Capability::Redial, "Last Number Redial".to_owned())));
    }

    #[test]
    fn coaching_wants_licences_and_a_later_release() {
        let mut account = account(&[
            ("Call Center - Premium", None),
            ("Call Center Monitoring", None),
            ("Directed Call Pickup with Barge-in", None),
        ]);
        account.is_supervisor = true;
        account.codes = Some(vec![FeatureCode {
            name: "Call Park Retrieve".to_owned(),
            code: "*88".to_owned(),
            alternate: None,
        }]);
        let (present, _) = split(&account);
        assert!(
            present.contains(&Capability::SilentMonitor) && !present.contains(&Capability::Coach)
        );
        assert!(present.contains(&Capability::Park) && !present.contains(&Capability::Pickup));
        account.release = Release::R2020;
        assert!(split(&account).0.contains(&Capability::Coach));
    }
}

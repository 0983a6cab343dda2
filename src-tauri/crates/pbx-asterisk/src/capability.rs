//! What the account may do: the exchange lists exactly the actions that a manager user has the rights for.

use std::collections::BTreeSet;

use pbx::centre::Capability;

use crate::{Config, Feature, Message};

/// The actions that the account may use. Before they are told all are taken as allowed: the exchange refuses.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Commands(Option<BTreeSet<String>>);

impl Commands {
    /// Reads the answer to `ListCommands`: one name a line.
    pub(crate) fn read(message: &Message) -> Self {
        let names = message.fields().map(|(name, _)| name.to_ascii_lowercase());
        Self(Some(names.collect()))
    }

    /// Whether the account may use an action.
    pub(crate) fn allow(&self, action: &str) -> bool {
        self.0.as_ref().is_none_or(|names| names.contains(&action.to_ascii_lowercase()))
    }
}

/// What each capability needs, with the manager's class of rights that brings it.
const NEEDS: &[(Capability, &[&str], &str)] = &[
    (Capability::Agent, &["QueueStatus", "QueuePause"], "agent"),
    (Capability::JoinQueues, &["QueueAdd", "QueueRemove"], "agent"),
    (Capability::QueueView, &["QueueStatus"], "app_queue"),
    (Capability::CallControl, &["Hangup", "BlindTransfer", "Originate"], "call, originate"),
    (Capability::Park, &["Park", "ParkedCalls", "Originate"], "call, originate"),
];

/// The same for those who watch over queues.
const SUPERVISORS: &[(Capability, &[&str], &str)] = &[
    (Capability::QueueControl, &["Redirect", "QueueChangePriorityCaller"], "call"),
    (Capability::Supervise, &["QueuePause"], "agent"),
    (Capability::SilentMonitor, &["Originate"], "originate"),
    (Capability::Coach, &["Originate"], "originate"),
    (Capability::BargeIn, &["Originate"], "originate"),
];

/// Present, and missing with what would bring it.
pub(crate) type Judged = (Vec<Capability>, Vec<(Capability, String)>);

/// Judges what the account may do.
pub(crate) fn capabilities(commands: &Commands, config: &Config) -> Judged {
    let (mut present, mut missing) = (Vec::new(), Vec::new());
    let supervisors = if config.supervisor { SUPERVISORS } else { &[] };
    for &(capability, needs, right) in NEEDS.iter().chain(supervisors) {
        if needs.iter().all(|action| commands.allow(action)) {
            present.push(capability);
        } else {
            missing.push((capability, right.to_owned()));
        }
    }
    let has_code = |feature| config.codes.all().iter().any(|code| code.feature == feature);
    if has_code(Feature::DirectedPickup) || has_code(Feature::GroupPickup) {
        if commands.allow("Originate") {
            present.push(Capability::Pickup);
        } else {
            missing.push((Capability::Pickup, "originate".to_owned()));
        }
    }
    (present, missing)
}

#[cfg(test)]
mod tests {
    use pbx::centre::Capability;
    use secrecy::SecretString;

    use super::{Commands, capabilities};
    use crate::{Config, FeatureCodes, Message};

    fn commands(names: &[&str]) -> Commands {
        let mut message = Message::default();
        for name in names {
            message.add_line(&format!("{name}: Does something.  (Priv: agent,all)"));
        }
        Commands::read(&message)
    }

    fn config() -> Config {
        Config::new("balie", SecretString::from("geheim"), "PJSIP/101")
    }

    #[test]
    fn an_account_without_rights_only_looks() {
        let (present, missing) = capabilities(&commands(&["QueueStatus", "Ping"]), &config());
        assert_eq!(present, [Capability::QueueView]);
        assert!(missing.contains(&(Capability::Agent, "agent".to_owned())), "{missing:?}");
        assert!(!missing.iter().any(|(capability, _)| *capability == Capability::Supervise));
    }

    #[test]
    fn an_agent_is_no_supervisor_by_rights_alone() {
        let all = Commands::default();
        let (present, missing) = capabilities(&all, &config());
        assert!(!present.contains(&Capability::QueueControl) && missing.is_empty());
        let (present, _) = capabilities(&all, &Config { supervisor: true, ..config() });
        assert!(
            present.contains(&Capability::QueueControl) && present.contains(&Capability::Coach)
        );
    }

    #[test]
    fn pickup_needs_a_code() {
        let none = Config { codes: FeatureCodes::none(), ..config() };
        assert!(!capabilities(&Commands::default(), &none).0.contains(&Capability::Pickup));
        assert!(capabilities(&Commands::default(), &config()).0.contains(&Capability::Pickup));
    }
}

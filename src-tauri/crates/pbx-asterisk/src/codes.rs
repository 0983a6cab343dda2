//! Codes that are dialled where there is no manager interface: what a telephone alone can do.
//!
//! An exchange's codes are data. The defaults of FreePBX are known (its feature codes module); they can be
//! changed there, so all of them can be set.

/// What can be dialled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Feature {
    /// Join the queue, or leave it; followed by the queue's number.
    QueueToggle,
    /// Pause in the queue, or go on; followed by the queue's number, all queues without one.
    PauseToggle,
    /// Hear how many wait; followed by the queue's number.
    QueueCallers,
    /// Take the call that rings at somebody; followed by the extension.
    DirectedPickup,
    /// Take the call that rings in the own group.
    GroupPickup,
    /// Park the call: the number that calls are given to.
    Park,
    /// Hear the own messages.
    OwnMessages,
    /// Hear somebody's messages; followed by the extension.
    Messages,
    /// Every call goes elsewhere; followed by the number.
    ForwardAlwaysOn,
    /// No longer.
    ForwardAlwaysOff,
    /// Calls go elsewhere while the user talks; followed by the number.
    ForwardBusyOn,
    /// No longer.
    ForwardBusyOff,
    /// Calls that are not answered go elsewhere; followed by the number.
    ForwardNoAnswerOn,
    /// No longer.
    ForwardNoAnswerOff,
    /// No calls at all.
    DoNotDisturbOn,
    /// Calls again.
    DoNotDisturbOff,
    /// In a call: give it away without asking; followed by the number. Sent as digits.
    BlindTransfer,
    /// In a call: give it away after asking; followed by the number. Sent as digits.
    AttendedTransfer,
    /// In a call: begin or end recording. Sent as digits.
    RecordToggle,
}

/// One code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeatureCode {
    /// What it does.
    pub feature: Feature,
    /// The digits.
    pub digits: String,
}

/// The codes of one exchange.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FeatureCodes(Vec<FeatureCode>);

/// FreePBX as it comes.
const FREEPBX: &[(Feature, &str)] = &[
    (Feature::QueueToggle, "*45"),
    (Feature::PauseToggle, "*46"),
    (Feature::QueueCallers, "*47"),
    (Feature::DirectedPickup, "**"),
    (Feature::GroupPickup, "*8"),
    (Feature::Park, "70"),
    (Feature::OwnMessages, "*97"),
    (Feature::Messages, "*98"),
    (Feature::ForwardAlwaysOn, "*72"),
    (Feature::ForwardAlwaysOff, "*73"),
    (Feature::ForwardBusyOn, "*90"),
    (Feature::ForwardBusyOff, "*91"),
    (Feature::ForwardNoAnswerOn, "*52"),
    (Feature::ForwardNoAnswerOff, "*53"),
    (Feature::DoNotDisturbOn, "*78"),
    (Feature::DoNotDisturbOff, "*79"),
    (Feature::BlindTransfer, "##"),
    (Feature::AttendedTransfer, "*2"),
    (Feature::RecordToggle, "*1"),
];

impl FeatureCodes {
    /// No codes: nothing can be dialled.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// The codes of FreePBX as it comes.
    #[must_use]
    pub fn freepbx() -> Self {
        let code = |&(feature, digits): &(Feature, &str)| FeatureCode {
            feature,
            digits: digits.to_owned(),
        };
        Self(FREEPBX.iter().map(code).collect())
    }

    /// The same with another code for a feature; without one when `digits` cannot be dialled.
    #[must_use]
    pub fn with(mut self, feature: Feature, digits: &str) -> Self {
        self.0.retain(|code| code.feature != feature);
        if is_dialable(digits) {
            self.0.push(FeatureCode { feature, digits: digits.to_owned() });
        }
        self
    }

    /// All codes.
    #[must_use]
    pub fn all(&self) -> &[FeatureCode] {
        &self.0
    }

    /// What is dialled for a feature, with what follows the code (an extension, a queue, a number; may be
    /// empty). `None`: the exchange has no code for it, or what follows cannot be dialled.
    #[must_use]
    pub fn dial(&self, feature: Feature, argument: &str) -> Option<String> {
        let code = self.0.iter().find(|code| code.feature == feature)?;
        (argument.is_empty() || is_dialable(argument)).then(|| format!("{}{argument}", code.digits))
    }
}

/// Longest number or code that is dialled.
const LONGEST_NUMBER: usize = 80;

/// Whether this is a number, a code or the plain name of an extension: letters, digits, and `*#+-_.`.
#[must_use]
pub fn is_dialable(number: &str) -> bool {
    let fits =
        |c: char| c.is_ascii_alphanumeric() || matches!(c, '*' | '#' | '+' | '-' | '_' | '.');
    !number.is_empty() && number.len() <= LONGEST_NUMBER && number.chars().all(fits)
}

#[cfg(test)]
mod tests {
    use super::{Feature, FeatureCodes};

    #[test]
    fn codes_are_dialled_with_what_follows() {
        let codes = FeatureCodes::freepbx();
        assert_eq!(codes.dial(Feature::QueueToggle, "400").as_deref(), Some("*45400"));
        assert_eq!(codes.dial(Feature::PauseToggle, "").as_deref(), Some("*46"));
        assert_eq!(codes.dial(Feature::DirectedPickup, "101").as_deref(), Some("**101"));
        assert_eq!(codes.dial(Feature::DirectedPickup, "101,1\n"), None);
    }

    #[test]
    fn codes_can_be_changed_and_taken_away() {
        let codes =
            FeatureCodes::freepbx().with(Feature::Park, "700").with(Feature::GroupPickup, "");
        assert_eq!(codes.dial(Feature::Park, "").as_deref(), Some("700"));
        assert_eq!(codes.dial(Feature::GroupPickup, ""), None);
        assert_eq!(FeatureCodes::none().dial(Feature::Park, ""), None);
    }

    #[test]
    fn every_feature_has_a_code_of_its_own() {
        let codes = FeatureCodes::freepbx();
        let mut digits: Vec<&str> = codes.all().iter().map(|code| code.digits.as_str()).collect();
        digits.sort_unstable();
        let count = digits.len();
        digits.dedup();
        assert_eq!(digits.len(), count, "two features have one code");
    }
}

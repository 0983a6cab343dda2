//! Agents' settings, queues' profiles, codes and policies (reference, section 3.5).

use super::{AgentStateWord, number_of};
use crate::{
    DocumentError,
    xml::{Element, Writer},
};

/// An agent in a queue, as `services/CallCenter` tells and takes it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct QueueDetails {
    /// The call center's user id.
    pub id: String,
    /// The agent takes its calls.
    pub available: bool,
    /// Number; empty when not told.
    pub number: String,
    /// Extension; empty when not told.
    pub extension: String,
    /// The agent may leave.
    pub may_leave: bool,
    /// Level of skill.
    pub skill: Option<u32>,
}

/// `services/CallCenter`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AgentSettings {
    /// State of the agent.
    pub state: Option<AgentStateWord>,
    /// Why he is unavailable.
    pub unavailable_code: Option<String>,
    /// Seconds between two calls, where a guard time is set.
    pub guard_seconds: Option<u32>,
    /// Goes unavailable with do not disturb.
    pub unavailable_on_do_not_disturb: Option<bool>,
    /// Goes unavailable with personal calls.
    pub unavailable_on_personal_calls: Option<bool>,
    /// Goes unavailable after calls that he let ring.
    pub unavailable_on_bounces: Option<bool>,
    /// The queues.
    pub queues: Vec<QueueDetails>,
}

impl AgentSettings {
    /// Reads the settings.
    ///
    /// # Errors
    /// The document is another one.
    pub fn read(root: &Element) -> Result<Self, DocumentError> {
        if root.name != "CallCenter" {
            return Err(DocumentError::OtherKind);
        }
        let queue = |one: &Element| {
            Some(QueueDetails {
                id: one.text_of("serviceUserId").or_else(|| one.text_of("serviceUserID"))?,
                available: one.boolean("available").unwrap_or_default(),
                number: number_of(&one.string("phoneNumber")).to_owned(),
                extension: one.string("extension"),
                may_leave: one.boolean("isLogOffAllowed").unwrap_or(true),
                skill: one.number("skillLevel"),
            })
        };
        let guarded = root.boolean("enableGuardTimer") == Some(true);
        Ok(Self {
            state: root.text_of("agentACDState").map(|word| AgentStateWord::of(&word)),
            unavailable_code: root.text_of("agentUnavailableCode"),
            guard_seconds: root.number("guardTimerSeconds").filter(|_| guarded),
            unavailable_on_do_not_disturb: root.boolean("forceAgentUnavailableOnDNDActivation"),
            unavailable_on_personal_calls: root.boolean("forceUnavailableOnPersonalCalls"),
            unavailable_on_bounces: root.boolean("forceAgentUnavailableOnBouncedCallLimit"),
            queues: root.listed("callCenterList", "callCenterDetails").filter_map(queue).collect(),
        })
    }

    /// The document that changes the state and nothing else.
    pub fn write_state(state: &AgentStateWord, code: Option<&str>) -> String {
        let mut writer = Writer::new("CallCenter");
        writer.leaf("agentACDState", state);
        if *state == AgentStateWord::Unavailable {
            writer.leaf_some("agentUnavailableCode", code);
        }
        writer.finish()
    }

    /// The document that joins and leaves queues: all of them, since it is uncertain what becomes of those
    /// that are left out (reference, section 3.5).
    pub fn write_queues(queues: &[QueueDetails]) -> String {
        let mut writer = Writer::new("CallCenter");
        writer.start("callCenterList");
        for queue in queues {
            writer.start("callCenterDetails").leaf("serviceUserId", &queue.id);
            writer.leaf("available", queue.available).end();
        }
        writer.end();
        writer.finish()
    }
}

/// `callcenter/…/profile`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct QueueProfile {
    /// Name for people.
    pub name: String,
    /// Number.
    pub number: String,
    /// Extension.
    pub extension: String,
    /// `Basic`, `Standard` or `Premium`.
    pub kind: String,
    /// Agents may leave it.
    pub may_leave: Option<bool>,
    /// Wrap-up ends after so many seconds, where it does.
    pub wrap_up_seconds: Option<u32>,
    /// State of an agent after a call, in the server's word.
    pub state_after_call: Option<String>,
}

impl QueueProfile {
    /// Reads a profile.
    pub fn read(root: &Element) -> Self {
        let nothing = Element::default();
        let instance = root.child("serviceInstanceProfile").unwrap_or(&nothing);
        let overrides = root.boolean("overrideAgentWrapUpTime") != Some(false);
        Self {
            name: instance.string("name"),
            number: number_of(&instance.string("phoneNumber")).to_owned(),
            extension: instance.string("extension"),
            kind: root.string("type"),
            may_leave: root.boolean("allowAgentLogoff"),
            wrap_up_seconds: root.number("wrapUpSeconds").filter(|_| overrides),
            state_after_call: root.text_of("agentStateAfterCall"),
        }
    }
}

/// A reason or outcome.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CodeDetail {
    /// What is sent.
    pub code: String,
    /// What people read.
    pub description: String,
    /// Chosen when nothing is said.
    pub is_default: bool,
}

fn code(one: &Element) -> Option<CodeDetail> {
    Some(CodeDetail {
        code: one.text_of("code")?,
        description: one.string("description"),
        is_default: one.attribute("isDefault") == Some("true"),
    })
}

/// Reasons to be unavailable.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UnavailableCodes {
    /// They are in use.
    pub enabled: bool,
    /// One must be given.
    pub forced: bool,
    /// Those in use.
    pub codes: Vec<CodeDetail>,
    /// What the server itself gives with do not disturb; empty: nothing, as the two below.
    pub on_do_not_disturb: String,
    /// With a call that came through no queue.
    pub on_personal_call: String,
    /// After calls that were let ring.
    pub on_bounces: String,
}

impl UnavailableCodes {
    /// Reads `group/…/services/CallCenter/UnavailableCodes`.
    pub fn read(root: &Element) -> Self {
        let listed = root.listed("unavailableCodes", "unavailableCodeDetail");
        Self {
            enabled: root.boolean("enableAgentUnavailableCodes").unwrap_or(true),
            forced: root.boolean("forceUseOfAgentUnavailableCodes").unwrap_or_default(),
            codes: listed
                .filter(|one| one.boolean("active") != Some(false))
                .filter_map(code)
                .collect(),
            on_do_not_disturb: root.string("defaultAgentUnavailableCodeOnDND"),
            on_personal_call: root.string("defaultAgentUnavailableCodeOnPersonalCalls"),
            on_bounces: root.string("defaultAgentUnavailableCodeOnConsecutiveBounces"),
        }
    }
}

/// Outcomes of calls.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dispositions {
    /// They are in use.
    pub enabled: bool,
    /// One must be given.
    pub forced: bool,
    /// The outcomes.
    pub codes: Vec<CodeDetail>,
}

impl Dispositions {
    /// Reads `callcenter/…/profile/DispositionCodes`, with the schema's own spelling and without.
    pub fn read(root: &Element) -> Self {
        let told = |names: [&str; 2]| names.iter().find_map(|name| root.boolean(name));
        let listed = root.listed("dispositionCodes", "dispositionCodeDetail");
        Self {
            enabled: told(["enableCallDispositionCodes", "enableCallDispostionCodes"])
                .unwrap_or(true),
            forced: told(["forceUseOfCallDispositionCodes", "forceUseOfCallDispostionCodes"])
                .unwrap_or_default(),
            codes: listed
                .filter(|one| one.boolean("active") != Some(false))
                .filter_map(code)
                .collect(),
        }
    }
}

/// `callcenter/…/profile/policies/NightService`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Night {
    /// `None`, `Busy` or `Transfer`, in the server's word.
    pub action: String,
    /// Schedule of business hours.
    pub business_hours: Option<String>,
    /// Switched on by hand.
    pub forced: bool,
}

impl Night {
    /// Reads the policy.
    pub fn read(root: &Element) -> Self {
        let hours = root.child("businessHours");
        Self {
            action: root.string("action"),
            business_hours: hours
                .and_then(|one| one.text_of("name").or_else(|| one.words().map(str::to_owned))),
            forced: root.boolean("forceNightService").unwrap_or_default(),
        }
    }

    /// The document that switches night on or off by hand.
    pub fn write_forced(forced: bool) -> String {
        let mut writer = Writer::new("ACDNightService");
        writer.leaf("forceNightService", forced);
        writer.finish()
    }
}

/// `callcenter/…/profile/policies/ForcedForwarding`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ForcedForwarding {
    /// On.
    pub active: bool,
    /// Where to; empty when no number is set.
    pub number: String,
}

impl ForcedForwarding {
    /// Reads the policy.
    pub fn read(root: &Element) -> Self {
        Self {
            active: root.boolean("active").unwrap_or_default(),
            number: number_of(&root.string("forwardToPhoneNumber")).to_owned(),
        }
    }

    /// The document that forwards every caller, or no longer.
    pub fn write(to: Option<&str>) -> String {
        let mut writer = Writer::new("ACDForcedForwarding");
        writer.leaf("active", to.is_some()).leaf_some("forwardToPhoneNumber", to);
        writer.finish()
    }
}

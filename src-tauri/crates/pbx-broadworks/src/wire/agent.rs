//! Agents: their state and their queues (reference, section 4.5, package "Call Center Agent").

use super::words;
use crate::{DocumentError, xml::Element};

words! {
    /// State of an agent, for all queues at once.
    AgentStateWord {
        SignIn = "Sign-In", Available = "Available", Unavailable = "Unavailable",
        WrapUp = "Wrap-Up", SignOut = "Sign-Out",
    }
}

/// An agent's state and what belongs to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgentStateInfo {
    /// The state.
    pub state: AgentStateWord,
    /// Since when, in milliseconds since the Unix epoch, as are all times.
    pub since: Option<u64>,
    /// How bad the length of the state is, in the server's word.
    pub severity: Option<String>,
    /// Why he is unavailable.
    pub unavailable_code: Option<String>,
    /// The call he wraps up.
    pub wrap_up_call: Option<String>,
    /// The queue it came from.
    pub wrap_up_queue: Option<String>,
    /// When he signed in.
    pub signed_in_at: Option<u64>,
}

impl AgentStateInfo {
    fn read(element: &Element) -> Result<Self, DocumentError> {
        let stamp = element.child("stateTimestamp");
        let value = |stamp: &Element| {
            stamp.number("value").or_else(|| stamp.words().and_then(|text| text.parse().ok()))
        };
        Ok(Self {
            state: AgentStateWord::of(&element.needed("state")?),
            since: stamp.and_then(value),
            severity: stamp.and_then(|stamp| stamp.text_of("severity")),
            unavailable_code: element.text_of("unavailableCode"),
            wrap_up_call: element.text_of("wrapUpCallId"),
            wrap_up_queue: element.text_of("wrapUpCallCenterUserId"),
            signed_in_at: element.number("signInTimestamp"),
        })
    }
}

/// An agent in a queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JoinInfo {
    /// The call center's user id.
    pub queue: String,
    /// Takes its calls. An absent element means no (reference, section 4.5).
    pub joined: bool,
    /// Level of skill.
    pub skill: Option<u32>,
}

impl JoinInfo {
    fn read(element: &Element) -> Result<Self, DocumentError> {
        Ok(Self {
            queue: element.needed("acdUserId")?,
            joined: element.flag("joined"),
            skill: element.number("skillLevel"),
        })
    }
}

/// What is told about an agent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AgentEvent {
    /// All of it.
    Snapshot {
        /// The queues; `None`: not told.
        joins: Option<Vec<JoinInfo>>,
        /// The state, where told.
        state: Option<AgentStateInfo>,
    },
    /// The state, or only how bad its length is.
    State(AgentStateInfo),
    /// One queue.
    Join(Option<JoinInfo>),
    /// An outcome was given to a call.
    Disposition {
        /// The outcome.
        code: String,
        /// The call.
        call: Option<String>,
    },
}

impl AgentEvent {
    pub(super) fn read(name: &str, data: &Element) -> Result<Option<Self>, DocumentError> {
        Ok(Some(match name {
            "AgentSubscriptionEvent" => {
                let joins = data
                    .child("joinData")
                    .map(|data| data.listed("joinInfos", "joinInfo").map(JoinInfo::read).collect());
                let state = data.child("stateInfo").map(AgentStateInfo::read);
                Self::Snapshot { joins: joins.transpose()?, state: state.transpose()? }
            }
            "AgentStateEvent" => {
                let info = data.child("agentStateInfo");
                let info = info.ok_or(DocumentError::Missing("agentStateInfo"))?;
                Self::State(AgentStateInfo::read(info)?)
            }
            "ACDAgentJoinUpdateEvent" => {
                let info =
                    data.child("ccAgentJoinUpdateData").and_then(|one| one.child("joinInfo"));
                Self::Join(info.map(JoinInfo::read).transpose()?)
            }
            "AgentDispositionCodeAddedEvent" => Self::Disposition {
                code: data.string("dispositionCode"),
                call: data.text_of("callId"),
            },
            _ => return Ok(None),
        }))
    }
}

//! The call centre as it is at one moment, for those who begin to watch. Values only.

use super::config::{Code, QueueConfig, UnavailableCodes};
use super::model::{AgentId, AgentView, Monitoring, QueueCounts, QueueEntry, QueueId};

/// One queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueView {
    /// How it is set up.
    pub config: QueueConfig,
    /// Who waits, in order.
    pub entries: Vec<QueueEntry>,
    /// The measures.
    pub monitoring: Monitoring,
    /// What happened so far.
    pub counts: QueueCounts,
    /// Night service is on.
    pub night: bool,
    /// By hand.
    pub night_forced: bool,
    /// Holiday service is on.
    pub holiday: bool,
}

/// The whole call centre.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AcdView {
    /// All queues.
    pub queues: Vec<QueueView>,
    /// All agents.
    pub agents: Vec<AgentView>,
    /// Calls that agents talk in, as they were answered.
    pub conversations: Vec<QueueEntry>,
    /// Codes for unavailable agents.
    pub unavailable_codes: UnavailableCodes,
    /// Disposition codes of the organisation.
    pub dispositions: Vec<Code>,
}

impl AcdView {
    /// The queue of this number.
    pub fn queue(&self, id: &QueueId) -> Option<&QueueView> {
        self.queues.iter().find(|queue| queue.config.id == *id)
    }

    /// The agent of this line.
    pub fn agent(&self, id: &AgentId) -> Option<&AgentView> {
        self.agents.iter().find(|agent| agent.agent == *id)
    }

    /// The queues that nobody would staff if this agent signed out.
    pub fn last_staffed_by(&self, id: &AgentId) -> Vec<QueueId> {
        let staffs = |agent: &AgentView, queue: &QueueId| {
            let joined = agent.queues.iter().any(|join| join.queue == *queue && join.joined);
            joined && agent.status.state.is_signed_in()
        };
        let alone = |queue: &&QueueView| {
            let queue = &queue.config.id;
            let mut staff = self.agents.iter().filter(|agent| staffs(agent, queue));
            staff.next().is_some_and(|agent| agent.agent == *id) && staff.next().is_none()
        };
        self.queues.iter().filter(alone).map(|queue| queue.config.id.clone()).collect()
    }
}

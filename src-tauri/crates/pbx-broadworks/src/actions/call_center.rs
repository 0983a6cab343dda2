//! Actions of agents and on queues (reference, section 3.5).

use super::{Actions, Built, done};
use crate::{
    Action, HttpRequest, Method, Path, XsiError,
    wire::{
        AgentSettings, AgentStateWord, Dispositions, ForcedForwarding, Night, Profile,
        QueueDetails, QueueProfile, QueuedCall, UnavailableCodes, read_queue,
    },
    xml::Writer,
};

fn queue(id: &str, words: &'static str) -> Result<Path, XsiError> {
    Ok(Path::new("callcenter").part(id)?.word(words))
}

fn queued(id: &str, call: &str) -> Result<Path, XsiError> {
    queue(id, "calls")?.part(call)
}

/// The place a caller has got, where the server tells; 0 means the first one.
fn placed(request: HttpRequest) -> Action<Option<u32>> {
    Action::new(request, |reply| {
        let position = reply.document.as_ref().and_then(|root| root.number::<u32>("position"));
        Ok(position.map(|position| position.max(1)))
    })
}

impl Actions {
    /// State and queues of the agent.
    ///
    /// # Errors
    /// See [`Self::profile`].
    pub fn agent(&self) -> Built<AgentSettings> {
        let request = self.request(Method::Get, "services/CallCenter")?;
        Ok(Action::new(request, |reply| Ok(AgentSettings::read(reply.root()?)?)))
    }

    /// Changes the agent's state. `validate`: signing out is refused when a queue would be without agents.
    ///
    /// # Errors
    /// See [`Self::profile`]; codes have 1 to 10 characters.
    pub fn set_agent_state(
        &self,
        state: &AgentStateWord,
        code: Option<&str>,
        validate: bool,
    ) -> Built<()> {
        if code.is_some_and(|code| !(1..=10).contains(&code.chars().count())) {
            return Err(XsiError::BadValue("a code without or with more than 10 characters"));
        }
        let mut request = self.request(Method::Put, "services/CallCenter")?;
        if validate && *state == AgentStateWord::SignOut {
            request = request.with("validateSignOut", "true")?;
        }
        request.body = Some(AgentSettings::write_state(state, code));
        Ok(done(request))
    }

    /// Joins and leaves queues: all queues of the agent with what they shall be.
    ///
    /// # Errors
    /// See [`Self::profile`].
    pub fn set_agent_queues(&self, queues: &[QueueDetails]) -> Built<()> {
        let mut request = self.request(Method::Put, "services/CallCenter")?;
        request.body = Some(AgentSettings::write_queues(queues));
        Ok(done(request))
    }

    /// The callers of a queue, the next one first.
    ///
    /// # Errors
    /// See [`Self::profile`].
    pub fn queue_calls(&self, id: &str) -> Built<Vec<QueuedCall>> {
        let request = HttpRequest::action(Method::Get, queue(id, "calls")?);
        Ok(Action::new(request, |reply| Ok(read_queue(reply.root()?)?)))
    }

    /// Ends a caller's call.
    ///
    /// # Errors
    /// See [`Self::profile`].
    pub fn release_queued(&self, id: &str, call: &str) -> Built<()> {
        Ok(done(HttpRequest::action(Method::Delete, queued(id, call)?)))
    }

    /// Sends a caller to a number.
    ///
    /// # Errors
    /// See [`Self::profile`].
    pub fn transfer_queued(&self, id: &str, call: &str, number: &str) -> Built<()> {
        let path = queued(id, call)?.word("BlindTransfer");
        Ok(done(HttpRequest::action(Method::Put, path).with("phoneno", number)?))
    }

    /// Gives a caller another place, 0 next.
    ///
    /// # Errors
    /// See [`Self::profile`].
    pub fn reorder(&self, id: &str, call: &str, index: u32) -> Built<Option<u32>> {
        let path = queued(id, call)?.word("Reorder");
        Ok(placed(HttpRequest::action(Method::Put, path).with("index", &index.to_string())?))
    }

    /// Gives a caller a higher priority, in the server's word.
    ///
    /// # Errors
    /// See [`Self::profile`].
    pub fn promote(&self, id: &str, call: &str, priority: &str) -> Built<Option<u32>> {
        let mut writer = Writer::new("ACDPromote");
        writer.leaf("priority", priority);
        let mut request = HttpRequest::action(Method::Put, queued(id, call)?.word("Promote"));
        request.body = Some(writer.finish());
        Ok(placed(request))
    }

    /// Name and rules of a queue.
    ///
    /// # Errors
    /// See [`Self::profile`].
    pub fn queue_profile(&self, id: &str) -> Built<QueueProfile> {
        let request = HttpRequest::action(Method::Get, queue(id, "profile")?);
        Ok(Action::new(request, |reply| Ok(QueueProfile::read(reply.root()?))))
    }

    /// Outcomes of calls of a queue.
    ///
    /// # Errors
    /// See [`Self::profile`].
    pub fn dispositions(&self, id: &str) -> Built<Dispositions> {
        let request = HttpRequest::action(Method::Get, queue(id, "profile/DispositionCodes")?);
        Ok(Action::new(request, |reply| Ok(Dispositions::read(reply.root()?))))
    }

    /// Night of a queue.
    ///
    /// # Errors
    /// See [`Self::profile`].
    pub fn night(&self, id: &str) -> Built<Night> {
        let request = HttpRequest::action(Method::Get, queue(id, "profile/policies/NightService")?);
        Ok(Action::new(request, |reply| Ok(Night::read(reply.root()?))))
    }

    /// Switches night on or off by hand.
    ///
    /// # Errors
    /// See [`Self::profile`].
    pub fn force_night(&self, id: &str, forced: bool) -> Built<()> {
        let path = queue(id, "profile/policies/NightService")?;
        let mut request = HttpRequest::action(Method::Put, path);
        request.body = Some(Night::write_forced(forced));
        Ok(done(request))
    }

    /// Forwarding of every caller of a queue.
    ///
    /// # Errors
    /// See [`Self::profile`].
    pub fn forced_forwarding(&self, id: &str) -> Built<ForcedForwarding> {
        let path = queue(id, "profile/policies/ForcedForwarding")?;
        let request = HttpRequest::action(Method::Get, path);
        Ok(Action::new(request, |reply| Ok(ForcedForwarding::read(reply.root()?))))
    }

    /// Forwards every caller of a queue, or no longer.
    ///
    /// # Errors
    /// See [`Self::profile`].
    pub fn set_forced_forwarding(&self, id: &str, to: Option<&str>) -> Built<()> {
        let path = queue(id, "profile/policies/ForcedForwarding")?;
        let mut request = HttpRequest::action(Method::Put, path);
        request.body = Some(ForcedForwarding::write(to));
        Ok(done(request))
    }

    /// Reasons to be unavailable; which group asks is in the profile.
    ///
    /// # Errors
    /// See [`Self::profile`].
    pub fn unavailable_codes(profile: &Profile) -> Built<UnavailableCodes> {
        let path = Path::new("group").part(&profile.group_id)?;
        let path = path.word("services/CallCenter/UnavailableCodes");
        let name = if profile.is_enterprise { "enterpriseId" } else { "serviceProviderId" };
        let request =
            HttpRequest::action(Method::Get, path).with(name, &profile.service_provider)?;
        Ok(Action::new(request, |reply| Ok(UnavailableCodes::read(reply.root()?))))
    }
}

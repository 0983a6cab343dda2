//! Actions on directories and the call log (reference, section 3.3).

use super::{Actions, Built, done};
use crate::{
    Action, HttpRequest, Method, XsiError,
    wire::{
        AgentList, CommonEntry, Contact, DirectoryKind, LogEntry, LogList, Page, PersonEntry,
        QueueRef, read_agents, read_common, read_custom, read_custom_names, read_enhanced_log,
        read_log, read_people, read_personal, read_queues,
    },
    xml::Writer,
};

/// Entries that are asked for at once. Operators allow up to 1,000 and may give less.
const PAGE: u32 = 500;

/// What a directory is searched for. Empty fields are not looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Search {
    /// Begins of the first name.
    pub first_name: String,
    /// Begins of the last name.
    pub last_name: String,
    /// Begins of the number.
    pub number: String,
    /// Begins of the extension.
    pub extension: String,
    /// Begins of the department.
    pub department: String,
    /// Parts of any name, all of which must occur; not in older releases.
    pub any_name: Vec<String>,
    /// One of them is enough.
    pub any: bool,
}

/// What a person typed as the begin of something, without regard to case: `/` is escaped, and his own
/// wildcards count as letters that occur nowhere.
fn begins(text: &str) -> String {
    format!("{}*/i", text.trim().replace('*', "").replace('/', "\\/"))
}

impl Search {
    fn apply(&self, mut request: HttpRequest, names: bool) -> Result<HttpRequest, XsiError> {
        for (name, value) in [
            ("firstName", &self.first_name),
            ("lastName", &self.last_name),
            ("number", &self.number),
            ("extension", &self.extension),
            ("department", &self.department),
        ] {
            if !value.trim().is_empty() {
                request = request.with(name, &begins(value))?;
            }
        }
        for part in &self.any_name {
            if !names {
                return Err(XsiError::NotInRelease);
            }
            request = request.with("mpName", &format!("*{}", begins(part)))?;
        }
        if self.any { request.with("searchCriteriaModeOr", "true") } else { Ok(request) }
    }
}

fn paged(request: HttpRequest, start: u32) -> Result<HttpRequest, XsiError> {
    request.with("start", &start.to_string())?.with("results", &PAGE.to_string())
}

impl Actions {
    /// A page of people, from place `start` (the first is 1).
    ///
    /// # Errors
    /// See [`Self::profile`].
    pub fn people(
        &self,
        kind: DirectoryKind,
        search: &Search,
        start: u32,
    ) -> Built<Page<PersonEntry>> {
        let path = self.path("directories")?.word(kind.path());
        let request = paged(HttpRequest::action(Method::Get, path), start)?;
        let request = search.apply(request, self.release().has_name_search())?;
        Ok(Action::new(request, move |reply| Ok(read_people(kind, reply.root()?))))
    }

    /// A page of the common numbers of the enterprise or the group.
    ///
    /// # Errors
    /// See [`Self::profile`].
    pub fn common_numbers(&self, kind: DirectoryKind, start: u32) -> Built<Page<CommonEntry>> {
        let words = match kind {
            DirectoryKind::Enterprise => "directories/EnterpriseCommon",
            DirectoryKind::Group => "directories/GroupCommon",
        };
        let request = paged(self.request(Method::Get, words)?, start)?;
        Ok(Action::new(request, |reply| Ok(read_common(reply.root()?))))
    }

    /// A page of the user's own numbers.
    ///
    /// # Errors
    /// See [`Self::profile`].
    pub fn personal_numbers(&self, start: u32) -> Built<Page<CommonEntry>> {
        let request = paged(self.request(Method::Get, "directories/Personal")?, start)?;
        Ok(Action::new(request, |reply| Ok(read_personal(reply.root()?))))
    }

    /// Adds a number of the user's own.
    ///
    /// # Errors
    /// See [`Self::profile`].
    pub fn add_personal_number(&self, name: &str, number: &str) -> Built<()> {
        let mut writer = Writer::new("Personal");
        writer.start("entry").leaf("name", name).leaf("number", number).end();
        let mut request = self.request(Method::Post, "directories/Personal")?;
        request.body = Some(writer.finish());
        Ok(done(request))
    }

    /// Removes a number of the user's own.
    ///
    /// # Errors
    /// See [`Self::profile`].
    pub fn remove_personal_number(&self, name: &str) -> Built<()> {
        let path = self.path("directories/Personal")?.part(name)?;
        Ok(done(HttpRequest::action(Method::Delete, path)))
    }

    /// Names of the contact lists that the operator made.
    ///
    /// # Errors
    /// See [`Self::profile`].
    pub fn custom_directories(&self) -> Built<Vec<String>> {
        let request = self.request(Method::Get, "directories/CustomContact")?;
        Ok(Action::new(request, |reply| Ok(read_custom_names(reply.root()?))))
    }

    /// A page of such a list.
    ///
    /// # Errors
    /// See [`Self::profile`].
    pub fn custom_directory(&self, name: &str, start: u32) -> Built<Page<Contact>> {
        let path = self.path("directories/CustomContact")?.part(name)?;
        let request = paged(HttpRequest::action(Method::Get, path), start)?;
        Ok(Action::new(request, |reply| Ok(read_custom(reply.root()?))))
    }

    /// The short log of the user's calls.
    ///
    /// # Errors
    /// See [`Self::profile`].
    pub fn call_log(&self) -> Built<Vec<LogEntry>> {
        let request = self.request(Method::Get, "directories/CallLogs")?;
        Ok(Action::new(request, |reply| Ok(read_log(reply.root()?))))
    }

    /// The long log of the user's calls, where the operator has it.
    ///
    /// # Errors
    /// See [`Self::profile`].
    pub fn enhanced_call_log(&self, start: u32) -> Built<Vec<LogEntry>> {
        let request = paged(self.request(Method::Get, "directories/EnhancedCallLogs")?, start)?;
        Ok(Action::new(request, |reply| Ok(read_enhanced_log(reply.root()?))))
    }

    /// Removes one call from the log.
    ///
    /// # Errors
    /// See [`Self::profile`].
    pub fn forget_call(&self, list: LogList, id: &str) -> Built<()> {
        let path = self.path("directories/CallLogs")?.word(list.path()).part(id)?;
        Ok(done(HttpRequest::action(Method::Delete, path)))
    }

    /// The queues of the user as an agent or as a supervisor.
    ///
    /// # Errors
    /// See [`Self::profile`].
    pub fn queues(&self, supervised: bool) -> Built<Vec<QueueRef>> {
        let role = if supervised { "Supervisor" } else { "Agent" };
        let request = self.request(Method::Get, "directories/CallCenters")?.with("user", role)?;
        Ok(Action::new(request, |reply| Ok(read_queues(reply.root()?))))
    }

    /// The queues that would be without agents if the user signed out.
    ///
    /// # Errors
    /// See [`Self::profile`].
    pub fn last_staffed_queues(&self) -> Built<Vec<QueueRef>> {
        let request = self.request(Method::Get, "directories/CallCenters")?;
        let request = request.with("user", "Agent")?.with("onlyLastStaffing", "true")?;
        Ok(Action::new(request, |reply| Ok(read_queues(reply.root()?))))
    }

    /// The agents of the queues that the user supervises.
    ///
    /// # Errors
    /// See [`Self::profile`].
    pub fn agents(&self) -> Built<Vec<AgentList>> {
        let request = self.request(Method::Get, "directories/Agents")?;
        Ok(Action::new(request, |reply| Ok(read_agents(reply.root()?)?)))
    }

    /// The supervisors of a queue.
    ///
    /// # Errors
    /// See [`Self::profile`].
    pub fn supervisors(&self, queue: &str) -> Built<Vec<AgentList>> {
        let request = self.request(Method::Get, "directories/Supervisors")?;
        let request = request.with("type", "CallCenter")?.with("callCenterId", queue)?;
        Ok(Action::new(request, |reply| Ok(read_agents(reply.root()?)?)))
    }
}

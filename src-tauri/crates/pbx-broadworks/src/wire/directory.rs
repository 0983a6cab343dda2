//! Directories (reference, section 3.3).

use super::{number_of, words};
use crate::{DocumentError, xml::Element};

/// Which directory of people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DirectoryKind {
    /// Everybody of the enterprise.
    Enterprise,
    /// Everybody of the group, and what the group has besides people.
    Group,
}

impl DirectoryKind {
    /// Its path below `directories/`.
    pub fn path(self) -> &'static str {
        match self {
            Self::Enterprise => "Enterprise",
            Self::Group => "Group",
        }
    }

    fn list(self) -> &'static str {
        match self {
            Self::Enterprise => "enterpriseDirectory",
            Self::Group => "groupDirectory",
        }
    }
}

/// A part of a list that is read page by page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    /// Place of the first entry, from 1.
    pub start: u32,
    /// How many there are in all, where told.
    pub total: Option<u32>,
    /// The entries.
    pub entries: Vec<T>,
}

impl<T> Page<T> {
    fn of(root: &Element, entries: Vec<T>) -> Self {
        Self {
            start: root.number("startIndex").unwrap_or(1).max(1),
            total: root.number("totalAvailableRecords"),
            entries,
        }
    }

    /// Where the next page starts; `None`: this was the last one. A page without entries is the last one
    /// whatever the total says, so that reading ends.
    pub fn next_start(&self, asked: u32) -> Option<u32> {
        let count = u32::try_from(self.entries.len()).ok().filter(|&count| count > 0)?;
        let next = asked.checked_add(count)?;
        self.total.is_some_and(|total| next <= total).then_some(next)
    }
}

words! {
    /// First names that mark what is no person (reference, section 3.3).
    VirtualUser {
        CallCenter = "Call Center", HuntGroup = "Hunt Group", AutoAttendant = "Auto Attendant",
        VoiceMail = "Voice Messaging Group", MeetMe = "Meet-Me Conferencing",
        RoutePoint = "Route Point", Paging = "Group Paging",
    }
}

/// A user in a directory or a list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PersonEntry {
    /// The user's name at the exchange.
    pub user_id: String,
    /// First name.
    pub first_name: String,
    /// Last name.
    pub last_name: String,
    /// The group.
    pub group_id: String,
    /// Full number.
    pub number: String,
    /// Extension.
    pub extension: String,
    /// Mobile number.
    pub mobile: String,
    /// Mail address.
    pub email: String,
    /// Department.
    pub department: String,
    /// Title.
    pub title: String,
    /// Address for messages and presence.
    pub im_address: String,
}

impl PersonEntry {
    pub(crate) fn read(one: &Element) -> Self {
        let nothing = Element::default();
        let more = one.child("additionalDetails").unwrap_or(&nothing);
        // Some lists have these beside the name instead of inside the details.
        let extra =
            |name: &str| more.text_of(name).or_else(|| one.text_of(name)).unwrap_or_default();
        Self {
            user_id: one.string("userId"),
            first_name: one.string("firstName"),
            last_name: one.string("lastName"),
            group_id: one.string("groupId"),
            number: number_of(&one.string("number")).to_owned(),
            extension: number_of(&one.string("extension")).to_owned(),
            mobile: number_of(&extra("mobile")).to_owned(),
            email: extra("emailAddress"),
            department: extra("department"),
            title: extra("title"),
            im_address: extra("impId"),
        }
    }

    /// Not a person but something of the group's: a queue, a menu, a hunt group.
    pub fn is_virtual(&self) -> bool {
        !matches!(VirtualUser::of(&self.first_name), VirtualUser::Other(_))
    }

    /// The name for people.
    pub fn name(&self) -> String {
        format!("{} {}", self.first_name, self.last_name).trim().to_owned()
    }
}

/// Reads a page of people.
pub fn read_people(kind: DirectoryKind, root: &Element) -> Page<PersonEntry> {
    let listed = root.listed(kind.list(), "directoryDetails").chain(root.all("directoryDetails"));
    Page::of(root, listed.map(PersonEntry::read).collect())
}

/// A name and a number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommonEntry {
    /// Name.
    pub name: String,
    /// Number.
    pub number: String,
}

fn pair(one: &Element) -> CommonEntry {
    let number = number_of(&one.string("number")).to_owned();
    CommonEntry { name: one.string("name"), number }
}

/// Reads a page of the enterprise's or group's common numbers.
pub fn read_common(root: &Element) -> Page<CommonEntry> {
    let inside = root.children.iter().flat_map(|list| list.all("commonPhoneEntry"));
    Page::of(root, root.all("commonPhoneEntry").chain(inside).map(pair).collect())
}

/// Reads the user's own numbers.
pub fn read_personal(root: &Element) -> Page<CommonEntry> {
    Page::of(root, root.all("entry").map(pair).collect())
}

/// Somebody in a contact list that the operator made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Contact {
    /// As in the other directories.
    pub person: PersonEntry,
    /// The whole name, where there are no parts.
    pub name: String,
}

/// Names of the contact lists that the operator made.
pub fn read_custom_names(root: &Element) -> Vec<String> {
    let named = |one: &Element| one.text_of("name").or_else(|| one.words().map(str::to_owned));
    let all =
        root.all("directory").chain(root.all("customContactDirectory")).chain(root.all("name"));
    all.filter_map(named).collect()
}

/// Reads a page of such a list.
pub fn read_custom(root: &Element) -> Page<Contact> {
    let read = |one: &Element| Contact { person: PersonEntry::read(one), name: one.string("name") };
    Page::of(
        root,
        root.listed("contacts", "contact").chain(root.all("contact")).map(read).collect(),
    )
}

/// A queue of the user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueueRef {
    /// The call center's user id.
    pub id: String,
    /// Callers that wait.
    pub waiting: Option<u32>,
}

/// Servers have been seen to write the id with a capital `ID` and without.
fn service_user(one: &Element) -> Option<String> {
    one.text_of("serviceUserID").or_else(|| one.text_of("serviceUserId"))
}

/// Reads `directories/CallCenters`.
pub fn read_queues(root: &Element) -> Vec<QueueRef> {
    let read = |one: &Element| {
        service_user(one).map(|id| QueueRef { id, waiting: one.number("numberCallsInQueue") })
    };
    root.all("callCenter").filter_map(read).collect()
}

/// Agents or supervisors of a queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgentList {
    /// The call center's user id.
    pub queue: String,
    /// Who.
    pub people: Vec<PersonEntry>,
}

/// Reads `directories/Agents` and `directories/Supervisors`.
///
/// # Errors
/// The document is another one.
pub fn read_agents(root: &Element) -> Result<Vec<AgentList>, DocumentError> {
    if !matches!(root.name.as_str(), "CallCenterAgents" | "Supervisors") {
        return Err(DocumentError::OtherKind);
    }
    let read = |one: &Element| {
        let people = one.listed("agentList", "userDetails");
        let people = people.chain(one.listed("supervisorList", "userDetails"));
        Some(AgentList {
            queue: service_user(one)?,
            people: people.map(PersonEntry::read).collect(),
        })
    };
    let all = root.all("callCenter").chain(root.listed("callCenters", "callCenter"));
    Ok(all.filter_map(read).collect())
}

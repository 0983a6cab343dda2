//! `user/{id}/directories/…`: colleagues, common numbers, own numbers, call logs, call centres and who works there.

use super::{Cx, paged};
use crate::call::Who;
use crate::xsi::Xsi;
use crate::xsi::clock::iso;
use crate::xsi::element::Element;
use crate::xsi::names::{COUNTRY, Names};
use crate::xsi::query::is_wanted;
use crate::xsi::read::read;
use crate::xsi::watch::{LogEntry, Logged};
use crate::xsi::web::{Answer, Outcome, Refusal};

/// Entries of a personal directory.
const PERSONAL: usize = 250;
/// Entries of each basic call log.
const BASIC_LOG: usize = 20;
/// The one custom directory there is.
const CUSTOM: &str = "Customers";

/// One row of a directory.
struct Row {
    user: String,
    first: String,
    last: String,
    extension: String,
    department: String,
    /// People have details; virtual users none.
    is_person: bool,
}

impl Xsi {
    pub(super) fn directory_request(
        &mut self,
        exchange: &crate::exchange::Exchange,
        cx: &Cx<'_>,
        user: &str,
    ) -> Outcome {
        let words = cx.rest(3);
        match (cx.method(), words.as_slice()) {
            ("GET", ["enterprise"]) => self.colleagues(cx, "Enterprise", "enterpriseDirectory"),
            ("GET", ["group"]) => self.colleagues(cx, "Group", "groupDirectory"),
            ("GET", ["enterprisecommon"]) => self.common(exchange, cx, "EnterpriseCommon"),
            ("GET", ["groupcommon"]) => self.common(exchange, cx, "GroupCommon"),
            ("GET", ["personal"]) => self.personal(cx, user),
            ("POST", ["personal"]) => self.add_personal(cx, user),
            ("DELETE", ["personal", _]) => self.remove_personal(user, cx.part(4)),
            ("GET", ["customcontact"]) => {
                let directory = Element::new("directory").field("name", CUSTOM);
                Ok(Answer::local(Element::new("CustomContactDirectories").with(directory)))
            }
            ("GET", ["customcontact", _]) if cx.part(4) == CUSTOM => Ok(self.customers(cx)),
            ("GET" | "DELETE", ["calllogs" | "enhancedcalllogs", ..]) => self.logs(cx, user),
            ("GET", ["callcenters"]) => self.call_centres(cx, user),
            ("GET", ["agents"]) => self.agents(cx, user),
            ("GET", ["supervisors"]) => Ok(self.supervisors(cx, user)),
            ("GET", ["hotelinghosts"]) => Ok(self.hoteling_hosts(exchange, user)),
            ("GET", ["flexibleseatinghosts"]) => {
                Ok(Answer::local(Element::new("FlexibleSeatingHosts")))
            }
            _ => Err(Refusal::not_found("There is no such resource")),
        }
    }

    /// Everybody, and the virtual users that the directories of a group list too.
    fn rows(&self) -> Vec<Row> {
        let people = self.names.company.people().into_iter().map(|person| {
            let (first, last) = Names::first_and_last(&person.name);
            Row {
                user: self.names.user_id(&person.extension),
                first: first.to_owned(),
                last: last.to_owned(),
                extension: person.extension.clone(),
                department: person.department.clone(),
                is_person: true,
            }
        });
        let numbers = &self.names.company.numbers;
        let virtual_user = |kind: &str, name: &str, number: &str| Row {
            user: self.names.user_id(number),
            first: kind.to_owned(),
            last: name.to_owned(),
            extension: number.to_owned(),
            department: String::new(),
            is_person: false,
        };
        let mut rows: Vec<Row> = people.collect();
        let queues = self
            .centre
            .queues
            .iter()
            .map(|queue| virtual_user("Call Center", &queue.config.name, &queue.config.id.0));
        rows.extend(queues);
        rows.push(virtual_user("Hunt Group", &self.names.company.name, &numbers.hunt_group));
        let groups = self.names.company.groups.iter();
        rows.extend(groups.map(|group| virtual_user("Hunt Group", &group.name, &group.number)));
        let attendant = self.names.company.attendant.iter();
        let name = &self.names.company.name;
        rows.extend(attendant.map(|menu| virtual_user("Auto Attendant", name, &menu.number)));
        rows.push(virtual_user("Voice Messaging Group", "Voice Portal", &numbers.voicemail));
        rows
    }

    fn colleagues(&self, cx: &Cx<'_>, root: &'static str, list: &'static str) -> Outcome {
        let page = cx.page(self.tricks.page)?;
        let group = self.names.group();
        let mut rows: Vec<Row> = self
            .rows()
            .into_iter()
            .filter(|row| {
                let name = format!("{} {}", row.first, row.last);
                let fields = [
                    ("userId", row.user.as_str()),
                    ("firstName", row.first.as_str()),
                    ("lastName", row.last.as_str()),
                    ("name", name.as_str()),
                    ("groupId", group.as_str()),
                    ("extension", row.extension.as_str()),
                    ("number", row.extension.as_str()),
                    ("department", row.department.as_str()),
                    ("impId", row.user.as_str()),
                    ("mobileNo", ""),
                    ("emailAddress", ""),
                ];
                is_wanted(cx.address, &fields) && self.is_named(cx, &name)
            })
            .collect();
        sort(cx, &mut rows)?;
        let total = rows.len();
        let shown = page.cut(rows);
        let count = shown.len();
        let details = shown.into_iter().map(|row| self.directory_details(&row));
        let directory = Element::new(list).all(details);
        Ok(Answer::local(paged(root, page, total, count).with(directory)))
    }

    /// `mpName` (since 2020): every given piece is part of the name.
    fn is_named(&self, cx: &Cx<'_>, name: &str) -> bool {
        let name = name.to_lowercase();
        let known = self.profile == crate::pbx::Profile::R2020;
        !known
            || cx.address.values("mpName").all(|piece| {
                let piece = piece.to_lowercase().replace('*', "");
                name.contains(piece.trim_end_matches("/i"))
            })
    }

    fn directory_details(&self, row: &Row) -> Element {
        if row.is_person {
            let additional = self.additional(&row.extension);
            return self.details("directoryDetails", &row.extension, Some(additional));
        }
        Element::new("directoryDetails")
            .field("userId", &row.user)
            .field("firstName", &row.first)
            .field("lastName", &row.last)
            .field("groupId", self.names.group())
            .field("extension", &row.extension)
    }

    /// Numbers that belong to nobody: those of customers and those with a function.
    fn common(
        &self,
        exchange: &crate::exchange::Exchange,
        cx: &Cx<'_>,
        root: &'static str,
    ) -> Outcome {
        let page = cx.page(self.tricks.page)?;
        let company = exchange.company();
        let mut entries: Vec<(String, String)> = match root {
            "GroupCommon" => vec![(company.name.clone(), company.main_number.clone())],
            _ => company.customers.iter().map(|c| (c.name.clone(), c.number.clone())).collect(),
        };
        entries.retain(|(name, number)| {
            is_wanted(cx.address, &[("name", name.as_str()), ("number", number.as_str())])
        });
        let column = cx.address.value("sortColumn").unwrap_or("name").to_ascii_lowercase();
        if column.starts_with("number") {
            entries.sort_by(|a, b| a.1.cmp(&b.1));
        } else {
            entries.sort_by_key(|(name, _)| name.to_lowercase());
        }
        if column.ends_with("/desc") {
            entries.reverse();
        }
        let total = entries.len();
        let shown = page.cut(entries);
        let count = shown.len();
        let one = |(name, number): (String, String)| {
            Element::new("commonPhoneEntry").field("name", name).field("number", number)
        };
        Ok(Answer::local(paged(root, page, total, count).all(shown.into_iter().map(one))))
    }

    fn personal(&self, cx: &Cx<'_>, user: &str) -> Outcome {
        let page = cx.page(self.tricks.page)?;
        let mut entries = self.lists.personal.get(user).cloned().unwrap_or_default();
        entries.retain(|(name, number)| {
            is_wanted(cx.address, &[("name", name.as_str()), ("number", number.as_str())])
        });
        let total = entries.len();
        let shown = page.cut(entries);
        let count = shown.len();
        let one = |(name, number): (String, String)| {
            Element::new("entry").field("name", name).field("number", number)
        };
        Ok(Answer::local(paged("Personal", page, total, count).all(shown.into_iter().map(one))))
    }

    fn add_personal(&mut self, cx: &Cx<'_>, user: &str) -> Outcome {
        let body = read(&cx.request.body, "Personal")?;
        body.in_order(&["entry*"])?;
        let own = self.lists.personal.entry(user.to_owned()).or_default();
        let mut added = Vec::new();
        for entry in body.all("entry") {
            entry.in_order(&["name", "number"])?;
            let name = entry.value("name").unwrap_or_default();
            let number = entry.value("number").unwrap_or_default();
            if !(1..=30).contains(&name.chars().count()) || !(1..=30).contains(&number.len()) {
                return Err(Refusal::bad(
                    "A name and a number of at most 30 characters are needed",
                ));
            }
            let known = own.iter().chain(&added).any(|(other, _)| other == name);
            if known {
                return Err(Refusal::conflict(format!("There is an entry {name} already")));
            }
            added.push((name.to_owned(), number.to_owned()));
        }
        if added.is_empty() || own.len() + added.len() > PERSONAL {
            return Err(Refusal::bad("There must be an entry, and not more than 250"));
        }
        own.extend(added);
        own.sort();
        Ok(Answer::done().status(201))
    }

    fn remove_personal(&mut self, user: &str, name: &str) -> Outcome {
        let own = self.lists.personal.entry(user.to_owned()).or_default();
        let before = own.len();
        own.retain(|(other, _)| other != name);
        match own.len() < before {
            true => Ok(Answer::done()),
            false => Err(Refusal::not_found(format!("There is no entry {name}"))),
        }
    }

    fn customers(&self, cx: &Cx<'_>) -> Answer {
        let all = self.names.company.customers.iter().filter(|customer| {
            is_wanted(
                cx.address,
                &[("name", customer.name.as_str()), ("number", customer.number.as_str())],
            )
        });
        let one = |customer: &crate::company::Customer| {
            let (first, last) = Names::first_and_last(&customer.name);
            Element::new("contact")
                .field("firstName", first)
                .field("lastName", last)
                .field("number", &customer.number)
                .field("name", &customer.name)
        };
        let contacts = Element::new("contacts").all(all.map(one));
        Answer::local(Element::new("Directory").with(contacts))
    }

    fn logs(&mut self, cx: &Cx<'_>, user: &str) -> Outcome {
        let words = cx.rest(3);
        let enhanced = words.first() == Some(&"enhancedcalllogs");
        let kind = match words.get(1) {
            None => None,
            Some(&"placed") => Some(Logged::Placed),
            Some(&"received") => Some(Logged::Received),
            Some(&"missed") => Some(Logged::Missed),
            Some(_) => return Err(Refusal::not_found("There is no such call log")),
        };
        let id = words.get(2).map(|_| cx.part(5));
        if cx.method() == "DELETE" {
            let gone = self.watch.forget_log(user, kind, id);
            return match (id, gone) {
                (Some(id), 0) => Err(Refusal::not_found(format!("There is no entry {id}"))),
                _ => Ok(Answer::done()),
            };
        }
        if enhanced {
            self.enhanced_log(cx, user, kind, id)
        } else {
            Ok(self.basic_log(user, kind, id))
        }
    }

    fn basic_log(&self, user: &str, kind: Option<Logged>, id: Option<&str>) -> Answer {
        let list = |name: &'static str, of: Logged| {
            let entries = self.watch.log(user).filter(|entry| entry.kind == of);
            let entries = entries.filter(|entry| id.is_none_or(|id| entry.id == id));
            Element::new(name).all(entries.take(BASIC_LOG).map(basic_entry))
        };
        // One list alone is a fragment of the whole, and shown as one.
        match kind {
            Some(Logged::Placed) => Answer::fragment(list("placed", Logged::Placed)),
            Some(Logged::Received) => Answer::fragment(list("received", Logged::Received)),
            Some(Logged::Missed) => Answer::fragment(list("missed", Logged::Missed)),
            None => Answer::local(
                Element::new("CallLogs")
                    .with(list("placed", Logged::Placed))
                    .with(list("received", Logged::Received))
                    .with(list("missed", Logged::Missed)),
            ),
        }
    }

    fn enhanced_log(
        &self,
        cx: &Cx<'_>,
        user: &str,
        kind: Option<Logged>,
        id: Option<&str>,
    ) -> Outcome {
        let page = cx.page(self.tricks.page)?;
        let list = |name: &'static str, of: Logged| {
            let entries: Vec<&LogEntry> = self
                .watch
                .log(user)
                .filter(|entry| entry.kind == of && id.is_none_or(|id| entry.id == id))
                .collect();
            let entries = page.cut(entries).into_iter();
            Element::new(name).all(entries.map(|entry| enhanced_entry(user, entry)))
        };
        Ok(match kind {
            Some(Logged::Placed) => Answer::fragment(list("placed", Logged::Placed)),
            Some(Logged::Received) => Answer::fragment(list("received", Logged::Received)),
            Some(Logged::Missed) => Answer::fragment(list("missed", Logged::Missed)),
            None => Answer::local(
                Element::new("EnhancedCallLogs")
                    .with(list("placed", Logged::Placed))
                    .with(list("received", Logged::Received))
                    .with(list("missed", Logged::Missed)),
            ),
        })
    }

    fn call_centres(&self, cx: &Cx<'_>, user: &str) -> Outcome {
        let as_agent = match cx.address.value("user") {
            Some("Agent") => true,
            Some("Supervisor") => false,
            _ => return Err(Refusal::bad("The parameter user is Agent or Supervisor")),
        };
        let agent = crate::acd::AgentId(user.to_owned());
        let last = self.centre.last_staffed_by(&agent);
        let only_last = cx.address.is("onlyLastStaffing");
        let mine = self.centre.queues.iter().filter(|queue| match as_agent {
            true => {
                let member = queue.config.members.iter().any(|member| member.agent == agent);
                member && (!only_last || last.contains(&queue.config.id))
            }
            false => queue.config.supervisors.contains(&agent),
        });
        let one = |queue: &crate::acd::QueueView| {
            Element::new("callCenter")
                .field("serviceUserID", self.names.user_id(&queue.config.id.0))
                .field("numberCallsInQueue", queue.entries.len())
        };
        Ok(Answer::local(Element::new("CallCenters").all(mine.map(one))))
    }

    fn agents(&self, cx: &Cx<'_>, user: &str) -> Outcome {
        if !self.is_supervisor(user) {
            return Err(Refusal::forbidden("Only supervisors have agents"));
        }
        let supervisor = crate::acd::AgentId(user.to_owned());
        let wanted = cx.address.value("callcenter");
        let mine = self.centre.queues.iter().filter(|queue| {
            let named =
                wanted.is_none_or(|id| self.names.local(id) == Some(queue.config.id.0.as_str()));
            queue.config.supervisors.contains(&supervisor) && named
        });
        let one = |queue: &crate::acd::QueueView| {
            let members = queue.config.members.iter().map(|member| member.agent.0.as_str());
            let members = members.filter(|agent| self.is_searched(cx, agent));
            let agents = members.map(|agent| self.user_details(agent));
            Element::new("callCenter")
                .field("serviceUserID", self.names.user_id(&queue.config.id.0))
                .with(Element::new("agentList").all(agents))
        };
        Ok(Answer::local(Element::new("CallCenterAgents").all(mine.map(one))))
    }

    fn is_searched(&self, cx: &Cx<'_>, user: &str) -> bool {
        let full = self.names.person(user).map(|person| person.name).unwrap_or_default();
        let (first, last) = Names::first_and_last(&full);
        let id = self.names.user_id(user);
        let fields = [
            ("firstName", first),
            ("lastName", last),
            ("userId", id.as_str()),
            ("extension", user),
        ];
        is_wanted(cx.address, &fields)
    }

    fn supervisors(&self, cx: &Cx<'_>, user: &str) -> Answer {
        let agent = crate::acd::AgentId(user.to_owned());
        let wanted = cx.address.value("callCenterId");
        let mine = self.centre.queues.iter().filter(|queue| {
            let named =
                wanted.is_none_or(|id| self.names.local(id) == Some(queue.config.id.0.as_str()));
            let member = queue.config.members.iter().any(|member| member.agent == agent);
            named && (member || queue.config.supervisors.contains(&agent))
        });
        let one = |queue: &crate::acd::QueueView| {
            let list = queue.config.supervisors.iter().map(|id| self.user_details(&id.0));
            Element::new("callCenter")
                .field("serviceUserID", self.names.user_id(&queue.config.id.0))
                .with(Element::new("supervisorList").all(list))
        };
        let centres = Element::new("callCenters").all(mine.map(one));
        Answer::local(Element::new("Supervisors").with(centres))
    }

    /// A person in a list of users.
    pub(super) fn user_details(&self, user: &str) -> Element {
        self.details("userDetails", user, Some(self.additional(user)))
    }
}

fn sort(cx: &Cx<'_>, rows: &mut [Row]) -> Result<(), Refusal> {
    let column = cx.address.value("sortColumn").unwrap_or("lastName").to_ascii_lowercase();
    let (column, descending) = match column.strip_suffix("/desc") {
        Some(column) => (column.to_owned(), true),
        None => (column, false),
    };
    match column.trim_end_matches("/i") {
        "lastname" => rows.sort_by_key(|row| (row.last.to_lowercase(), row.first.to_lowercase())),
        "firstname" => rows.sort_by_key(|row| (row.first.to_lowercase(), row.last.to_lowercase())),
        "department" => {
            rows.sort_by_key(|row| (row.department.to_lowercase(), row.last.to_lowercase()));
        }
        other => return Err(Refusal::bad(format!("Invalid sortColumn {other}"))),
    }
    if descending {
        rows.reverse();
    }
    Ok(())
}

fn presented(who: &Who) -> (String, Option<String>) {
    if who.withheld {
        return ("Unavailable".to_owned(), None);
    }
    (Names::number(who), who.display.clone())
}

fn basic_entry(entry: &LogEntry) -> Element {
    let (number, name) = presented(&entry.remote);
    Element::new("callLogsEntry")
        .maybe("countryCode", entry.remote.extension.is_none().then_some(COUNTRY))
        .field("phoneNumber", number)
        .field("name", name.unwrap_or_else(|| "Unavailable".to_owned()))
        .field("time", iso(entry.started_ms))
        .field("callLogId", &entry.id)
}

fn enhanced_entry(user: &str, entry: &LogEntry) -> Element {
    let (number, name) = presented(&entry.remote);
    let placed = entry.kind == Logged::Placed;
    let calling = if placed { user.to_owned() } else { number.clone() };
    let called = if placed { number.clone() } else { user.to_owned() };
    let connected = (placed && entry.answered_ms.is_some()).then_some(&number);
    let from = entry.diversions.first();
    Element::new("callLogsEntry")
        .typed("enhancedCallLogsExtendedEntry")
        .field("callLogId", &entry.id)
        .field("callId", &entry.call_id)
        .field("subscriberType", "User")
        .maybe("dialedNumber", placed.then_some(&number))
        .field("calledNumber", called)
        .field("callingPresentationNumber", calling)
        .maybe("callingPresentationName", name.clone().filter(|_| !placed))
        .field(
            "callingPresentationIndicator",
            if entry.remote.withheld { "Anonymous" } else { "Public" },
        )
        .maybe("connectedNumber", connected)
        .maybe("connectedName", name.filter(|_| connected.is_some()))
        .field("basicCallType", if entry.remote.extension.is_some() { "Group" } else { "Network" })
        .field("time", iso(entry.started_ms))
        .field("startTime", entry.started_ms)
        .maybe("answerTime", entry.answered_ms)
        .field("releaseTime", entry.released_ms)
        .maybe("redirectingNumber", from.map(|(who, _)| Names::number(who)))
        .maybe("redirectingName", from.and_then(|(who, _)| who.display.clone()))
        .maybe("redirectingReason", from.map(|(_, reason)| *reason))
}

//! `user/{id}/services/…`: the list of what a user has, the plain services, and those with lists of their own.

use super::Cx;
use crate::company::Role;
use crate::exchange::Exchange;
use crate::notifier::LIST;
use crate::pbx::Profile;
use crate::xsi::Xsi;
use crate::xsi::element::Element;
use crate::xsi::names::dialled;
use crate::xsi::read::{Node, read};
use crate::xsi::settings::{self, SERVICES, Service};
use crate::xsi::web::{Answer, Outcome, Refusal};

/// Users in a list of lamps.
const MONITORED: usize = 200;
/// Numbers that ring too.
const NUMBERS: usize = 10;

/// Simultaneous ring.
#[derive(Debug, Clone, Default)]
pub(crate) struct RingToo {
    active: bool,
    not_on_a_call: bool,
    numbers: Vec<(String, bool)>,
}

/// One number of BroadWorks Anywhere.
#[derive(Debug, Clone)]
pub(crate) struct Location {
    number: String,
    active: bool,
    description: String,
}

impl Xsi {
    pub(super) fn service_request(
        &mut self,
        exchange: &mut Exchange,
        cx: &Cx<'_>,
        user: &str,
    ) -> Outcome {
        let words = cx.rest(3);
        match (cx.method(), words.as_slice()) {
            ("GET", []) => Ok(self.service_list(user)),
            (_, ["busylampfield", rest @ ..]) => self.lamps(exchange, cx, user, rest),
            (_, ["bwreceptionist", rest @ ..]) => self.receptionist(cx, user, rest),
            (_, ["simultaneousringpersonal"]) => self.ring_too(exchange, cx, user),
            (_, ["sequentialring"]) => self.sequential(exchange, cx, user),
            (_, ["broadworksanywhere"]) => self.anywhere(cx, user),
            ("GET", ["callpark"]) => Ok(self.call_park()),
            ("GET", ["groupnightforwarding"]) => {
                Ok(Answer::local(super::schedules::night_forwarding(exchange)))
            }
            ("PUT", ["hotelingguest"]) => self.be_guest(exchange, cx, user),
            (_, ["callcenter"]) => self.agent_request(exchange, cx, user),
            ("GET", ["agentcallcenterassignedstatus"]) => Ok(self.assigned(user)),
            (method, [word]) => {
                let service = settings::find(word, self.profile).filter(|s| self.has(user, s));
                let service =
                    service.ok_or_else(|| Refusal::not_found("There is no such service"))?;
                self.plain_service(exchange, cx, user, (method, service))
            }
            _ => Err(Refusal::not_found("There is no such resource")),
        }
    }

    /// Whether a user has a service: some belong to a role.
    pub(super) fn has(&self, user: &str, service: &Service) -> bool {
        let role = self.names.company.account(user).map(|account| account.role);
        match service.path {
            "CallCenterMonitoring" => self.is_supervisor(user),
            "DirectedCallPickupWithBargeIn" => {
                role == Some(Role::Receptionist) || self.is_supervisor(user)
            }
            "CallRecording" => self.records,
            _ => true,
        }
    }

    fn plain_service(
        &mut self,
        exchange: &mut Exchange,
        cx: &Cx<'_>,
        user: &str,
        (method, service): (&str, &'static Service),
    ) -> Outcome {
        match method {
            "GET" => {
                let document = self.settings.document(exchange.desk(), user, service, service.path);
                Ok(Answer::local(document))
            }
            "PUT" if !service.read_only => {
                let body = read(&cx.request.body, service.path)?;
                let settings = &mut self.settings;
                let mut outcome = Ok(());
                exchange.change_desk(cx.now, |desk| {
                    outcome = settings.change(desk, user, service, &body);
                });
                outcome?;
                Ok(Answer::done())
            }
            _ => Err(Refusal::not_allowed()),
        }
    }

    fn service_list(&self, user: &str) -> Answer {
        let id = self.names.user_id(user);
        let one = |name: &str, path: &str| {
            let uri = format!("/v2.0/user/{id}/services/{path}");
            Element::new("service").field("name", name).field("uri", uri)
        };
        let known = |service: &&Service| {
            (self.profile == Profile::R2020 || !service.since_2020) && self.has(user, service)
        };
        let mut all: Vec<Element> =
            SERVICES.iter().filter(known).map(|service| one(service.name, service.path)).collect();
        all.push(one("Busy Lamp Field", "BusyLampField"));
        all.push(one("Simultaneous Ring Personal", "SimultaneousRingPersonal"));
        all.push(one("Sequential Ring", "SequentialRing"));
        all.push(one("BroadWorks Anywhere", "BroadWorksAnywhere"));
        all.push(one("Call Park", "CallPark"));
        // Nothing of these can be set.
        for name in ["N-Way Call", "Automatic Callback", "Call Return", "Last Number Redial"] {
            all.push(Element::new("service").field("name", name));
        }
        all.push(Element::new("service").field("name", "Customer Originated Trace"));
        let role = self.names.company.account(user).map(|account| account.role);
        if role == Some(Role::Receptionist) {
            all.push(one("BroadWorks Receptionist - Enterprise", "BwReceptionist"));
        }
        if self.is_agent(user) {
            all.push(one("Call Center - Premium", "CallCenter"));
        }
        Answer::local(Element::new("Services").all(all))
    }

    /// Whether a user works in a call centre.
    pub(super) fn is_agent(&self, user: &str) -> bool {
        self.centre.agents.iter().any(|agent| agent.agent.0 == user)
    }

    /// All others, as users that can be watched.
    fn others(&self, user: &str) -> Vec<String> {
        let people = self.names.company.people().into_iter().map(|person| person.extension);
        people.filter(|extension| extension != user).collect()
    }

    fn lamps(
        &mut self,
        exchange: &mut Exchange,
        cx: &Cx<'_>,
        user: &str,
        rest: &[&str],
    ) -> Outcome {
        let monitored = exchange.desk().rules(user).monitored.clone();
        let monitored = monitored.unwrap_or_else(|| self.others(user));
        let list = |name: &'static str, users: &[String]| {
            Element::new(name).all(users.iter().map(|user| self.user_details(user)))
        };
        match (cx.method(), rest) {
            ("GET", []) => Ok(Answer::local(
                Element::new("BusyLampField")
                    .field("listURI", format!("sip:{LIST}{user}@{}", self.sip_host))
                    .with(list("monitoredUserList", &monitored)),
            )),
            ("GET", ["monitoreduserlist"]) => {
                Ok(Answer::fragment(list("monitoredUserList", &monitored)))
            }
            ("GET", ["availableusers"]) => {
                let mut rest = self.others(user);
                rest.retain(|other| !monitored.contains(other));
                Ok(Answer::fragment(list("availableUserList", &rest)))
            }
            ("PUT", []) => {
                let body = read(&cx.request.body, "BusyLampField")?;
                body.in_order(&["listURI", "monitoredUserList"])?;
                let Some(given) = body.child("monitoredUserList") else {
                    return Ok(Answer::done());
                };
                let users = self.users_of(given, user)?;
                exchange.change_desk(cx.now, |desk| {
                    desk.change_rules(user, |rules| rules.monitored = Some(users));
                });
                Ok(Answer::done())
            }
            _ => Err(Refusal::not_allowed()),
        }
    }

    /// The users of a list; their ids suffice.
    fn users_of(&self, list: &Node, owner: &str) -> Result<Vec<String>, Refusal> {
        list.in_order(&["userDetails*"])?;
        let mut users = Vec::new();
        for details in list.all("userDetails") {
            let id = details.value("userId").unwrap_or_default();
            let user = self.names.user(id).filter(|user| user != owner);
            let user = user.ok_or_else(|| Refusal::bad(format!("Invalid userId {id}")))?;
            if !users.contains(&user) {
                users.push(user);
            }
        }
        match users.len() {
            0..=MONITORED => Ok(users),
            _ => Err(Refusal::bad("There are too many users in the list")),
        }
    }

    fn receptionist(&mut self, cx: &Cx<'_>, user: &str, rest: &[&str]) -> Outcome {
        let role = self.names.company.account(user).map(|account| account.role);
        if role != Some(Role::Receptionist) {
            return Err(Refusal::not_found("There is no such service"));
        }
        let kind = cx.address.value("receptionistType").unwrap_or("enterprise");
        if !["enterprise", "office", "smallbusiness"].contains(&kind.to_ascii_lowercase().as_str())
        {
            return Err(Refusal::bad(format!("Invalid receptionistType {kind}")));
        }
        let others = self.others(user);
        let monitored = self.lists.receptionist.get(user).cloned().unwrap_or(others);
        let list = |name: &'static str, users: &[String]| {
            Element::new(name).all(users.iter().map(|user| self.user_details(user)))
        };
        match (cx.method(), rest) {
            ("GET", []) => Ok(Answer::local(
                Element::new("BroadWorksReceptionist").with(list("monitoredUsers", &monitored)),
            )),
            ("GET", ["monitoredusers"]) => Ok(Answer::fragment(list("monitoredUsers", &monitored))),
            ("GET", ["availableusers"]) => {
                let mut rest = self.others(user);
                rest.retain(|other| !monitored.contains(other));
                Ok(Answer::fragment(list("availableUsers", &rest)))
            }
            ("PUT", []) => {
                let body = read(&cx.request.body, "BroadWorksReceptionist")?;
                body.in_order(&["monitoredUsers"])?;
                if let Some(given) = body.child("monitoredUsers") {
                    let users = self.users_of(given, user)?;
                    self.lists.receptionist.insert(user.to_owned(), users);
                }
                Ok(Answer::done())
            }
            _ => Err(Refusal::not_allowed()),
        }
    }

    fn ring_too(&mut self, exchange: &mut Exchange, cx: &Cx<'_>, user: &str) -> Outcome {
        match cx.method() {
            "GET" => Ok(Answer::local(self.ring_too_info(user, "SimultaneousRingPersonal"))),
            "PUT" => {
                let body = read(&cx.request.body, "SimultaneousRingPersonal")?;
                let mut set = self.lists.ring_too.get(user).cloned().unwrap_or_default();
                change_ring_too(&mut set, &body)?;
                let numbers = set.numbers.iter().map(|(number, _)| number.clone());
                let numbers: Vec<String> = numbers.filter(|_| set.active).collect();
                let if_free = set.not_on_a_call;
                exchange.change_desk(cx.now, |desk| {
                    desk.change_rules(user, |rules| {
                        rules.ring_too = numbers;
                        rules.ring_too_if_free = if_free;
                    });
                });
                self.lists.ring_too.insert(user.to_owned(), set);
                Ok(Answer::done())
            }
            _ => Err(Refusal::not_allowed()),
        }
    }

    /// Simultaneous ring as it is set.
    pub(in crate::xsi) fn ring_too_info(&self, user: &str, root: &'static str) -> Element {
        let set = self.lists.ring_too.get(user).cloned().unwrap_or_default();
        let numbers = set.numbers.iter().map(|(number, confirmed)| {
            Element::new("simRingLocation")
                .field("address", number)
                .field("answerConfirmationRequired", confirmed)
        });
        Element::new(root)
            .field("active", set.active)
            .field("incomingCalls", ring_word(set.not_on_a_call))
            .with(Element::new("simRingLocations").all(numbers))
    }

    /// The numbers of BroadWorks Anywhere as they are set.
    pub(in crate::xsi) fn anywhere_info(&self, user: &str, root: &'static str) -> Element {
        let own = self.names.user_id(user);
        let one = |location: &Location| {
            let uri = format!(
                "/v2.0/user/{own}/services/BroadWorksAnywhere/Location/{}",
                location.number
            );
            Element::new("location")
                .field("locationUri", uri)
                .field("phoneNumber", &location.number)
                .field("active", location.active)
                .field("description", &location.description)
        };
        let all = self.lists.locations.get(user).into_iter().flatten().map(one);
        Element::new(root).with(Element::new("locations").all(all))
    }

    fn anywhere(&mut self, cx: &Cx<'_>, user: &str) -> Outcome {
        match cx.method() {
            "GET" => Ok(Answer::local(self.anywhere_info(user, "BroadWorksAnywhere"))),
            "PUT" => {
                let body = read(&cx.request.body, "BroadWorksAnywhere")?;
                body.in_order(&["locations"])?;
                if let Some(list) = body.child("locations") {
                    let locations = read_locations(list)?;
                    self.lists.locations.insert(user.to_owned(), locations);
                }
                Ok(Answer::done())
            }
            _ => Err(Refusal::not_allowed()),
        }
    }

    fn call_park(&self) -> Answer {
        let accounts = self.names.company.accounts.iter();
        let users = accounts.map(|account| self.user_details(&account.extension));
        let document = Element::new("CallPark")
            .field("callParkGroup", self.names.group())
            .with(Element::new("userDetailsList").all(users));
        Answer::local(document)
    }
}

fn ring_word(not_on_a_call: bool) -> &'static str {
    if not_on_a_call { "Do not Ring if on a Call" } else { "Ring for all Incoming Calls" }
}

fn change_ring_too(set: &mut RingToo, body: &Node) -> Result<(), Refusal> {
    body.in_order(&["active", "incomingCalls", "simRingLocations", "criteriaActivationList"])?;
    let active = body.bool("active")?;
    let calls = match body.value("incomingCalls") {
        None => None,
        Some(word) if word == ring_word(true) => Some(true),
        Some(word) if word == ring_word(false) => Some(false),
        Some(word) => return Err(Refusal::bad(format!("Invalid incomingCalls {word}"))),
    };
    let mut numbers = None;
    if let Some(list) = body.child("simRingLocations") {
        list.in_order(&["simRingLocation*"])?;
        let mut given = Vec::new();
        for location in list.all("simRingLocation") {
            location.in_order(&["address", "answerConfirmationRequired"])?;
            let address = location.value("address").unwrap_or_default();
            let number = dialled(address)
                .ok_or_else(|| Refusal::bad(format!("Invalid address {address:?}")))?;
            given.push((number, location.bool("answerConfirmationRequired")?.unwrap_or(false)));
        }
        if given.len() > NUMBERS {
            return Err(Refusal::bad("There are more than ten numbers"));
        }
        numbers = Some(given);
    }
    set.active = active.unwrap_or(set.active);
    set.not_on_a_call = calls.unwrap_or(set.not_on_a_call);
    set.numbers = numbers.unwrap_or_else(|| std::mem::take(&mut set.numbers));
    Ok(())
}

fn read_locations(list: &Node) -> Result<Vec<Location>, Refusal> {
    list.in_order(&["location*"])?;
    let mut locations = Vec::new();
    for location in list.all("location") {
        location.in_order(&["locationUri", "phoneNumber", "active", "description"])?;
        let address = location.value("phoneNumber").unwrap_or_default();
        let number =
            dialled(address).ok_or_else(|| Refusal::bad(format!("Invalid number {address:?}")))?;
        locations.push(Location {
            number,
            active: location.bool("active")?.unwrap_or(false),
            description: location
                .value("description")
                .unwrap_or_default()
                .chars()
                .take(80)
                .collect(),
        });
    }
    match locations.len() {
        0..=NUMBERS => Ok(locations),
        _ => Err(Refusal::bad("There are more than ten numbers")),
    }
}

//! Which resource a request is for.

mod calls;
mod centre;
mod conference;
mod directories;
mod events;
mod hoteling;
mod messages;
mod profile;
mod schedules;
mod sequential;
mod services;

use std::collections::BTreeMap;
use std::time::Instant;

use super::Xsi;
use super::element::Element;
use super::query::{Address, Page};
use super::web::{Answer, Outcome, Refusal, WebRequest};
use crate::exchange::Exchange;
use crate::pbx::Profile;

/// Which part of the interface a path belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Context {
    /// Xsi-Actions.
    Actions,
    /// Xsi-Events.
    Events,
    /// The open answers of Xsi-Events.
    Async,
    /// Files of devices.
    Files,
}

impl Context {
    /// The context of a path, and how many of its words that takes.
    pub(super) fn of(words: &[String]) -> Result<(Self, usize), Refusal> {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        match words.as_slice() {
            ["com.broadsoft.xsi-actions", "v2.0", ..] => Ok((Self::Actions, 2)),
            ["com.broadsoft.xsi-events", "v2.0", ..] => Ok((Self::Events, 2)),
            ["com.broadsoft.async", "com.broadsoft.xsi-events", "v2.0", ..] => Ok((Self::Async, 3)),
            ["dms", ..] => Ok((Self::Files, 1)),
            _ => Err(Refusal::not_found("There is no such resource")),
        }
    }
}

/// One request on its way.
#[derive(Debug)]
pub(crate) struct Cx<'a> {
    pub(crate) now: Instant,
    /// Extension of who asks.
    pub(crate) user: String,
    pub(crate) request: &'a WebRequest,
    pub(crate) address: &'a Address,
    /// Words of the path before the version's end.
    pub(crate) skip: usize,
    /// The words after it, in lower case.
    pub(crate) words: Vec<String>,
}

impl Cx<'_> {
    /// In upper case.
    pub(super) fn method(&self) -> &str {
        &self.request.method
    }

    /// A word after the version, as written.
    pub(super) fn part(&self, at: usize) -> &str {
        self.address.parts.get(self.skip + at).map(String::as_str).unwrap_or_default()
    }

    /// The words from there on, in lower case.
    pub(super) fn rest(&self, from: usize) -> Vec<&str> {
        self.words.iter().skip(from).map(String::as_str).collect()
    }

    /// The page that is asked for.
    pub(super) fn page(&self, cap: usize) -> Result<Page, Refusal> {
        Page::read(self.address, cap).ok_or_else(|| Refusal::bad("Invalid paging parameters"))
    }
}

/// What users keep in lists of their own.
#[derive(Debug, Default)]
pub(crate) struct Lists {
    /// Personal directories: names and numbers.
    pub(super) personal: BTreeMap<String, Vec<(String, String)>>,
    /// Whom a receptionist watches; all others until it is set.
    pub(super) receptionist: BTreeMap<String, Vec<String>>,
    /// Further numbers that ring: address, and whether the answer is confirmed.
    pub(super) ring_too: BTreeMap<String, services::RingToo>,
    /// Places at which users are looked for, one after the other.
    pub(super) sequential: BTreeMap<String, sequential::Sequential>,
    /// Numbers of BroadWorks Anywhere.
    pub(super) locations: BTreeMap<String, Vec<services::Location>>,
}

/// The release of a profile, as version headers have it.
pub(super) const fn release(profile: Profile) -> u32 {
    match profile {
        Profile::R21 => 21,
        // The releases since 2020 go on counting from 24.
        Profile::R2020 => 24,
    }
}

/// A client of more than two releases ago is not served.
pub(super) fn check_version(request: &WebRequest, profile: Profile) -> Result<(), Refusal> {
    let Some(wanted) = request.header("x-broadworks-protocol-version") else { return Ok(()) };
    let major = wanted.trim().split('.').next().and_then(|major| major.parse::<u32>().ok());
    match major {
        Some(major) if major + 2 >= release(profile) => Ok(()),
        Some(_) => Err(Refusal::not_allowed()),
        None => Err(Refusal::bad("Invalid protocol version")),
    }
}

fn versions(profile: Profile) -> Answer {
    let baseline = format!("{}.0", release(profile));
    let commands = Element::new("commands").field("baseline", baseline);
    Answer::call(Element::new("Versions").with(commands))
}

impl Xsi {
    /// A request to Xsi-Actions.
    pub(super) fn actions(&mut self, exchange: &mut Exchange, cx: &Cx<'_>) -> Outcome {
        let words = cx.rest(0);
        match words.as_slice() {
            ["versions"] if cx.method() == "GET" => Ok(versions(self.profile)),
            ["user", _, resource, ..] => {
                let target = self.target(cx, resource)?;
                match *resource {
                    "profile" => self.profile_request(exchange, cx, &target),
                    "calls" => self.call_request(exchange, cx, &target),
                    "directories" => self.directory_request(exchange, cx, &target),
                    "services" => self.service_request(exchange, cx, &target),
                    "voicemessagingmessages" => self.message_request(exchange, cx, &target),
                    _ => Err(Refusal::not_found("There is no such resource")),
                }
            }
            ["callcenter", _, ..] => self.centre_request(exchange, cx),
            ["group", _, "services", "callcenter", "unavailablecodes"] => self.codes(cx),
            _ => Err(Refusal::not_found("There is no such resource")),
        }
    }

    /// The user that a path is about, if who asks may.
    fn target(&self, cx: &Cx<'_>, resource: &str) -> Result<String, Refusal> {
        let id = cx.part(1);
        let target = self.names.user(id);
        let target = target.ok_or_else(|| Refusal::not_found(format!("User not found: {id}")))?;
        let services = cx.rest(2);
        let agents = matches!(services.as_slice(), ["services", "callcenter"]);
        let supervises = agents && self.supervises(&cx.user, &target);
        if target == cx.user || supervises {
            return Ok(target);
        }
        tracing::debug!(user = %cx.user, %target, %resource, "out of scope");
        Err(Refusal::forbidden(format!("User {id} is out of scope")))
    }

    /// Whether somebody looks after a queue.
    pub(super) fn is_supervisor(&self, user: &str) -> bool {
        let mut queues = self.centre.queues.iter();
        queues.any(|queue| queue.config.supervisors.iter().any(|id| id.0 == user))
    }

    /// Whether somebody may look after an agent.
    pub(super) fn supervises(&self, supervisor: &str, agent: &str) -> bool {
        let is = |id: &crate::acd::AgentId, extension: &str| id.0 == extension;
        let queues = self.centre.queues.iter().map(|queue| &queue.config);
        let mut shared = queues.filter(|queue| {
            let watched = queue.supervisors.iter().any(|id| is(id, supervisor));
            watched && queue.members.iter().any(|member| is(&member.agent, agent))
        });
        shared.next().is_some()
    }
}

/// `startIndex`, `numberOfRecords`, `totalAvailableRecords` of a page.
fn paged(root: &'static str, page: Page, total: usize, shown: usize) -> Element {
    Element::new(root)
        .field("startIndex", page.start)
        .field("numberOfRecords", shown)
        .field("totalAvailableRecords", total)
}

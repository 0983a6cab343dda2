//! One subscription: its dialog, what it is to, and what its watcher has been told.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use event_packages::{FeatureDocument, ParkedIdentity};
use sip_core::{ClientKey, Route, Source};
use sip_types::{HeaderName, Method, NameAddr, Request, StatusCode, Uri};

use super::{CALL_INFO, FEATURES, HOTELING, Hosted, Names, documents};
use crate::company::Company;
use crate::exchange::Line;
use crate::mailboxes::{Mailbox, Mailboxes};
use crate::registrar::Gone;

/// The user part of a list's address: this and the extension of its owner.
pub(crate) const LIST: &str = "blf-";

/// Nobody has the telephone.
const NOBODY: Hosted = Hosted { guest: None, nonce: None };

/// What is watched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Resource {
    /// One line.
    Line(String),
    /// All lines but the owner's own.
    List(String),
    /// A line's messages.
    Mailbox(String),
    /// Whether somebody is there.
    Presence(String),
    /// The phones of a line.
    Registrations(String),
    /// A line's features.
    Features(String),
    /// Who is parked at a line.
    CallPark(String),
    /// Which guest has a line's telephone.
    Guest(String),
}

/// What there is to tell of.
#[derive(Clone, Copy)]
pub(super) struct State<'a> {
    pub(super) lines: &'a BTreeMap<String, Line>,
    pub(super) features: &'a BTreeMap<String, Vec<FeatureDocument>>,
    pub(super) parked: &'a BTreeMap<String, ParkedIdentity>,
    pub(super) hosted: &'a BTreeMap<String, Hosted>,
    pub(super) mailboxes: &'a Mailboxes,
    /// Contacts by user.
    pub(super) registrations: &'a BTreeMap<String, Vec<String>>,
}

impl Resource {
    /// What a SUBSCRIBE of `user` is to, if he may.
    pub(super) fn read(
        request: &Request,
        user: &str,
        company: &Company,
        packages: &[String],
    ) -> Result<Self, StatusCode> {
        let event = request.headers.event().ok().flatten().ok_or(StatusCode::BAD_EVENT)?;
        if !packages.contains(&event.package) {
            return Err(StatusCode::BAD_EVENT);
        }
        let target = request.uri.user().unwrap_or_default();
        let known = |line: &str| company.account(line).is_some() || company.person(line).is_some();
        match (event.package.as_str(), target.strip_prefix(LIST)) {
            ("dialog", Some(owner)) if owner != user => Err(StatusCode::FORBIDDEN),
            ("dialog", Some(owner)) => {
                let lists = request.headers.supported().iter().any(|tag| tag == "eventlist");
                if !lists {
                    return Err(StatusCode::EXTENSION_REQUIRED);
                }
                accepts(request, "application", "rlmi+xml")?;
                Ok(Self::List(owner.to_owned()))
            }
            ("dialog", None) if known(&target) => {
                accepts(request, "application", "dialog-info+xml")?;
                Ok(Self::Line(target.clone()))
            }
            ("message-summary", None) if known(&target) && target != user => {
                Err(StatusCode::FORBIDDEN)
            }
            ("message-summary", None) if known(&target) => Ok(Self::Mailbox(target.clone())),
            ("presence", None) if known(&target) => {
                accepts(request, "application", "pidf+xml")?;
                Ok(Self::Presence(target.clone()))
            }
            ("reg" | FEATURES | CALL_INFO | HOTELING, None) if known(&target) && target != user => {
                Err(StatusCode::FORBIDDEN)
            }
            ("reg", None) if known(&target) => Ok(Self::Registrations(target.clone())),
            (FEATURES, None) if known(&target) => {
                accepts(request, "application", "x-as-feature-event+xml")?;
                Ok(Self::Features(target.clone()))
            }
            (CALL_INFO, None) if known(&target) => {
                accepts(request, "application", "x-broadworks-callpark-info+xml")?;
                Ok(Self::CallPark(target.clone()))
            }
            (HOTELING, None) if known(&target) => {
                accepts(request, "application", "x-broadworks-hoteling+xml")?;
                Ok(Self::Guest(target.clone()))
            }
            (known, _) if super::PACKAGES.contains(&known) => Err(StatusCode::NOT_FOUND),
            _ => Err(StatusCode::BAD_EVENT),
        }
    }
}

/// Whether the watcher can read the document; nothing said means yes.
fn accepts(request: &Request, kind: &str, subtype: &str) -> Result<(), StatusCode> {
    let accepted = request.headers.accept().map_err(|_| StatusCode::BAD_REQUEST)?;
    let wanted = sip_types::MediaType::new(kind, subtype);
    if accepted.is_empty() || accepted.iter().any(|range| range.accepts(&wanted)) {
        return Ok(());
    }
    Err(StatusCode::NOT_ACCEPTABLE)
}

/// One subscription.
#[derive(Debug)]
pub(super) struct Subscription {
    pub(super) user: String,
    pub(super) resource: Resource,
    pub(super) call_id: String,
    pub(super) route: Route,
    pub(super) expires_at: Instant,
    /// A NOTIFY is to be written.
    pub(super) due: bool,
    /// The one that waits for its answer.
    pub(super) under_way: Option<ClientKey>,
    /// Why the next NOTIFY is the last.
    pub(super) over: Option<&'static str>,
    event: String,
    local: NameAddr,
    remote: NameAddr,
    target: Uri,
    route_set: Vec<NameAddr>,
    local_seq: u32,
    remote_seq: u32,
    /// Version of the next document.
    version: u32,
    /// All is to be told, not only what has changed.
    pub(super) full: bool,
    /// What has changed since the last document.
    changed: BTreeSet<String>,
    messages: Option<Mailbox>,
    /// Phones that went since the last document.
    gone: Vec<Gone>,
    /// What was told of the features.
    features: Option<Vec<FeatureDocument>>,
    /// Who was told to be parked.
    parked: Option<Option<ParkedIdentity>>,
    /// Who was told to have the telephone.
    hosted: Option<Hosted>,
}

impl Subscription {
    pub(super) fn new(
        user: &str,
        resource: Resource,
        request: &Request,
        source: Source,
        (tag, expires_at): (&str, Instant),
    ) -> Result<Self, StatusCode> {
        let bad = |_| StatusCode::BAD_REQUEST;
        let headers = &request.headers;
        let contact = headers.contact().map_err(bad)?.ok_or(StatusCode::BAD_REQUEST)?;
        let event = headers.get(&HeaderName::Event).unwrap_or_default().trim().to_owned();
        Ok(Self {
            user: user.to_owned(),
            resource,
            call_id: headers.call_id().map_err(bad)?,
            route: Route { target: source.back(), local: source.local },
            expires_at,
            due: true,
            under_way: None,
            over: None,
            event,
            local: headers.to().map_err(bad)?.with_tag(tag),
            remote: headers.from().map_err(bad)?,
            target: contact.uri,
            route_set: headers.record_routes().map_err(bad)?,
            local_seq: 0,
            remote_seq: headers.cseq().map_err(bad)?.number,
            version: 0,
            full: true,
            changed: BTreeSet::new(),
            messages: None,
            gone: Vec::new(),
            features: None,
            parked: None,
            hosted: None,
        })
    }

    /// Our tag.
    pub(super) fn tag(&self) -> &str {
        self.local.tag().unwrap_or_default()
    }

    /// The watcher refreshes (or, with nothing left, ends) the subscription: he gets everything anew.
    pub(super) fn refresh(
        &mut self,
        request: &Request,
        source: Source,
        expires_at: Instant,
    ) -> Result<(), StatusCode> {
        let seq = request.headers.cseq().map_err(|_| StatusCode::BAD_REQUEST)?.number;
        if seq < self.remote_seq {
            return Err(StatusCode::SERVER_INTERNAL_ERROR);
        }
        self.remote_seq = seq;
        if let Ok(Some(contact)) = request.headers.contact() {
            self.target = contact.uri;
        }
        self.route = Route { target: source.back(), local: source.local };
        self.expires_at = expires_at;
        // Who asks for a change of features is told what has changed by it, if anything has.
        self.full = !matches!(self.resource, Resource::Features(_)) || request.body.is_empty();
        self.due = true;
        Ok(())
    }

    /// A line has changed: is that told?
    pub(super) fn line_changed(&mut self, line: &str) {
        if self.over.is_some() {
            return;
        }
        match &self.resource {
            Resource::Line(own) | Resource::Presence(own) if own == line => self.due = true,
            Resource::List(owner) if owner != line => {
                self.changed.insert(line.to_owned());
                self.due = true;
            }
            _ => {}
        }
    }

    /// Messages may have come or been heard.
    pub(super) fn mailbox_changed(&mut self, mailboxes: &Mailboxes) {
        if let Resource::Mailbox(line) = &self.resource
            && self.over.is_none()
            && self.messages.is_some_and(|told| told != mailboxes.of(line))
        {
            self.due = true;
        }
    }

    /// Phones may have come or gone.
    pub(super) fn registrations_changed(&mut self, gone: Vec<Gone>, changed: bool) {
        if self.over.is_none() {
            self.due |= changed || !gone.is_empty();
            self.gone.extend(gone);
        }
    }

    /// Features may be set in another way.
    pub(super) fn features_changed(&mut self, known: &BTreeMap<String, Vec<FeatureDocument>>) {
        if let Resource::Features(line) = &self.resource
            && self.over.is_none()
            && self.features.is_some()
            && self.features.as_ref() != known.get(line)
        {
            self.due = true;
        }
    }

    /// Somebody may be parked, or somebody else, or nobody any more.
    pub(super) fn parked_changed(&mut self, known: &BTreeMap<String, ParkedIdentity>) {
        if let Resource::CallPark(line) = &self.resource
            && self.over.is_none()
            && self.parked.as_ref().is_some_and(|told| told.as_ref() != known.get(line))
        {
            self.due = true;
        }
    }

    /// Somebody may have the telephone, or must prove that he may.
    pub(super) fn hosted_changed(&mut self, known: &BTreeMap<String, Hosted>) {
        if let Resource::Guest(line) = &self.resource
            && self.over.is_none()
            && self.hosted.as_ref().is_some_and(|told| told != known.get(line).unwrap_or(&NOBODY))
        {
            self.due = true;
        }
    }

    /// Writes the next NOTIFY.
    pub(super) fn notify(&mut self, now: Instant, names: &Names, state: State<'_>) -> Request {
        self.due = false;
        self.local_seq += 1;
        let mut request = Request::new(Method::Notify, self.target.clone());
        let headers = &mut request.headers;
        for route in &self.route_set {
            headers.push(HeaderName::Route, route.to_string());
        }
        headers.push(HeaderName::MaxForwards, "70");
        headers.push(HeaderName::From, self.local.to_string());
        headers.push(HeaderName::To, self.remote.to_string());
        headers.push(HeaderName::CallId, self.call_id.clone());
        headers.push(HeaderName::CSeq, format!("{} NOTIFY", self.local_seq));
        headers.push(HeaderName::Contact, format!("<{}>", names.own()));
        headers.push(HeaderName::UserAgent, names.user_agent.clone());
        headers.push(HeaderName::Event, self.event.clone());
        let left = self.expires_at.saturating_duration_since(now).as_secs();
        let standing = match self.over {
            Some(reason @ ("probation" | "giveup")) => {
                format!("terminated;reason={reason};retry-after=5")
            }
            Some(reason) => format!("terminated;reason={reason}"),
            None => format!("active;expires={left}"),
        };
        headers.push(HeaderName::SubscriptionState, standing);
        let (content_type, body) = self.document(now, names, state);
        if let Resource::List(_) = self.resource {
            request.headers.push(HeaderName::Require, "eventlist");
        }
        request.set_body(&content_type, body);
        request
    }

    fn document(&mut self, now: Instant, names: &Names, state: State<'_>) -> (String, Vec<u8>) {
        let State { lines, features, parked, hosted, mailboxes, registrations } = state;
        let version = self.version;
        self.version = self.version.wrapping_add(1);
        let changed = std::mem::take(&mut self.changed);
        let full = std::mem::take(&mut self.full);
        match &self.resource {
            Resource::Line(line) => documents::line(names, line, version, lines.get(line)),
            Resource::Mailbox(line) => {
                let messages = mailboxes.of(line);
                self.messages = Some(messages);
                documents::messages(names, line, messages)
            }
            Resource::Presence(line) => documents::presence(names, line, lines.get(line)),
            Resource::Registrations(line) => {
                let contacts = registrations.get(line).map(Vec::as_slice).unwrap_or_default();
                let gone = std::mem::take(&mut self.gone);
                documents::registrations(names, line, version, contacts, &gone)
            }
            Resource::Features(line) => {
                let now = features.get(line).cloned().unwrap_or_default();
                let before = self.features.replace(now.clone());
                let before = before.filter(|_| !full).unwrap_or_default();
                let news: Vec<_> =
                    now.iter().filter(|document| !before.contains(document)).cloned().collect();
                let told = if news.is_empty() { now } else { news };
                let boundary = format!("{}-{version}", self.local.tag().unwrap_or_default());
                event_packages::write_features(&told, &boundary)
            }
            Resource::CallPark(line) => {
                let who = parked.get(line).cloned();
                let document = documents::call_park(who.as_ref());
                self.parked = Some(who);
                document
            }
            Resource::Guest(line) => {
                let hosted = hosted.get(line).cloned().unwrap_or(NOBODY);
                let document = documents::hoteling(now, names, &hosted);
                self.hosted = Some(hosted);
                document
            }
            Resource::List(owner) => {
                let people: Vec<_> = names
                    .listed(owner)
                    .into_iter()
                    .filter(|person| full || changed.contains(&person.extension))
                    .collect();
                let mark = self.local.tag().unwrap_or_default();
                documents::list(names, (owner, mark), (version, full), &people, lines)
            }
        }
    }
}

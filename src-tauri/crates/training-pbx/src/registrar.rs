//! Where the users' phones are: bindings with an expiry (RFC 3261 section 10.3).
//!
//! Inputs: from phones `handle_register` (already authenticated); from transports `handle_failure`; from time
//! `handle_timeout`; from the owner `remove`, `forget`.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use event_packages::ContactEvent;
use sip_core::{Route, Source, Target};
use sip_types::{ContactValue, HeaderName, NameAddr, Request, Response, StatusCode, Uri};

/// Shorter registrations are refused with 423.
const LEAST: u32 = 60;
/// Longer ones are cut to this.
const MOST: u32 = 3600;
/// When nothing is said.
const USUAL: u32 = 300;
/// Phones per user.
const CONTACTS: usize = 10;

/// One phone of a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Binding {
    /// The address the phone gave.
    pub(crate) contact: Uri,
    /// Where it really sent from: where calls go.
    pub(crate) source: Source,
    /// What the phone calls itself.
    pub(crate) user_agent: Option<String>,
    pub(crate) expires_at: Instant,
    call_id: String,
    cseq: u32,
}

impl Binding {
    /// The way to the phone: back to where it registered from.
    pub(crate) fn route(&self) -> Route {
        Route { target: self.source.back(), local: self.source.local }
    }
}

/// A phone that is registered no longer, and what brought that about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Gone {
    pub(crate) user: String,
    pub(crate) contact: String,
    pub(crate) event: ContactEvent,
}

/// The bindings of all users.
#[derive(Debug, Default)]
pub(crate) struct Registrar {
    bindings: BTreeMap<String, Vec<Binding>>,
    /// Phones that went and of which nobody has been told.
    gone: Vec<Gone>,
}

/// What one REGISTER asks for.
struct Wish {
    contact: Uri,
    expires: u32,
}

impl Registrar {
    /// Answers a REGISTER of the authenticated user `extension`.
    pub(crate) fn handle_register(
        &mut self,
        now: Instant,
        extension: &str,
        request: &Request,
        source: Source,
    ) -> Response {
        self.handle_timeout(now);
        match self.update(now, extension, request, source) {
            Ok(()) => self.listing(now, extension, request),
            Err(StatusCode::INTERVAL_TOO_BRIEF) => {
                let mut response = Response::to_request(request, StatusCode::INTERVAL_TOO_BRIEF);
                response.headers.push(HeaderName::MinExpires, LEAST.to_string());
                response
            }
            Err(status) => Response::to_request(request, status),
        }
    }

    /// The phones of a user, the latest registered first.
    pub(crate) fn bindings(&self, extension: &str) -> &[Binding] {
        self.bindings.get(extension).map(Vec::as_slice).unwrap_or_default()
    }

    /// All bindings, with their users.
    pub(crate) fn all(&self) -> impl Iterator<Item = (&str, &Binding)> {
        let of = |(user, list)| std::iter::repeat(user).zip(list);
        self.bindings.iter().map(|(user, list)| (user.as_str(), list.iter())).flat_map(of)
    }

    /// A connection broke: phones that registered over it cannot be reached any more.
    pub(crate) fn handle_failure(&mut self, target: Target) {
        if target.transport.reliable() {
            self.retain(|binding| binding.source.back() != target);
        }
    }

    /// Drops what has run out.
    pub(crate) fn handle_timeout(&mut self, now: Instant) {
        self.retain(|binding| binding.expires_at > now);
    }

    /// When the next binding runs out.
    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        self.bindings.values().flatten().map(|binding| binding.expires_at).min()
    }

    /// Forgets everything.
    pub(crate) fn forget(&mut self) {
        self.bindings.clear();
        self.gone.clear();
    }

    /// Takes all phones of a user away, as an administrator would; how many.
    pub(crate) fn remove(&mut self, user: &str, event: ContactEvent) -> usize {
        let taken = self.bindings.remove(user).unwrap_or_default();
        taken.iter().for_each(|binding| self.went(user, binding, event));
        taken.len()
    }

    /// The phones that went since this was asked last.
    pub(crate) fn take_gone(&mut self) -> Vec<Gone> {
        std::mem::take(&mut self.gone)
    }

    /// Whether phones went of which nobody has been told.
    pub(crate) fn has_gone(&self) -> bool {
        !self.gone.is_empty()
    }

    fn went(&mut self, user: &str, binding: &Binding, event: ContactEvent) {
        let contact = binding.contact.to_string();
        self.gone.push(Gone { user: user.to_owned(), contact, event });
    }

    fn retain(&mut self, mut keep: impl FnMut(&Binding) -> bool) {
        let gone = &mut self.gone;
        self.bindings.retain(|user, list| {
            list.retain(|binding| {
                let kept = keep(binding);
                if !kept {
                    tracing::debug!(%user, contact = %binding.contact, "bound, expired -> gone");
                    let contact = binding.contact.to_string();
                    gone.push(Gone { user: user.clone(), contact, event: ContactEvent::Expired });
                }
                kept
            });
            !list.is_empty()
        });
    }

    /// All or nothing, as section 10.3 step 7 demands.
    fn update(
        &mut self,
        now: Instant,
        extension: &str,
        request: &Request,
        source: Source,
    ) -> Result<(), StatusCode> {
        let bad = |_| StatusCode::BAD_REQUEST;
        let call_id = request.headers.call_id().map_err(bad)?;
        let cseq = request.headers.cseq().map_err(bad)?.number;
        let user_agent = request.headers.get(&HeaderName::UserAgent).map(|name| name.into_owned());
        let old = self.bindings(extension);
        if old.iter().any(|binding| binding.call_id == call_id && binding.cseq >= cseq) {
            return Err(StatusCode::SERVER_INTERNAL_ERROR);
        }
        let mut list = old.to_vec();
        match wishes(request)? {
            None => list.clear(),
            Some(wishes) => {
                for Wish { contact, expires } in wishes {
                    list.retain(|binding| !binding.contact.equivalent(&contact));
                    if expires > 0 {
                        let expires_at = now + Duration::from_secs(expires.into());
                        let (call_id, user_agent) = (call_id.clone(), user_agent.clone());
                        let binding =
                            Binding { contact, source, user_agent, expires_at, call_id, cseq };
                        list.insert(0, binding);
                    }
                }
            }
        }
        if list.len() > CONTACTS {
            return Err(StatusCode::FORBIDDEN);
        }
        tracing::debug!(extension, phones = list.len(), "REGISTER -> bound");
        let left = |old: &&Binding| !list.iter().any(|new| new.contact.equivalent(&old.contact));
        let left: Vec<Binding> = self.bindings(extension).iter().filter(left).cloned().collect();
        left.iter().for_each(|binding| self.went(extension, binding, ContactEvent::Unregistered));
        if list.is_empty() {
            self.bindings.remove(extension);
        } else {
            self.bindings.insert(extension.to_owned(), list);
        }
        Ok(())
    }

    fn listing(&self, now: Instant, extension: &str, request: &Request) -> Response {
        let mut response = Response::to_request(request, StatusCode::OK);
        for binding in self.bindings(extension) {
            let left = binding.expires_at.saturating_duration_since(now).as_secs();
            let mut contact = NameAddr::new(binding.contact.clone());
            contact.params.set("expires", Some(&left.to_string()));
            response.headers.push(HeaderName::Contact, contact.to_string());
        }
        response
    }
}

/// The contacts of a REGISTER with their expiry; `None` is `*`, all of them with expiry 0.
fn wishes(request: &Request) -> Result<Option<Vec<Wish>>, StatusCode> {
    let general =
        request.headers.get(&HeaderName::Expires).and_then(|value| value.trim().parse().ok());
    let contacts = request.headers.contacts().map_err(|_| StatusCode::BAD_REQUEST)?;
    if contacts.iter().any(|contact| matches!(contact, ContactValue::Star)) {
        let alone = contacts.len() == 1 && general == Some(0);
        return if alone { Ok(None) } else { Err(StatusCode::BAD_REQUEST) };
    }
    let mut wishes = Vec::new();
    for address in contacts.iter().filter_map(ContactValue::address) {
        let own = address.params.value("expires").and_then(|value| value.parse().ok());
        let expires: u32 = own.or(general).unwrap_or(USUAL);
        if (1..LEAST).contains(&expires) {
            return Err(StatusCode::INTERVAL_TOO_BRIEF);
        }
        if !address.uri.is_sip() && !address.uri.is_sips() {
            return Err(StatusCode::BAD_REQUEST);
        }
        wishes.push(Wish { contact: address.uri.clone(), expires: expires.min(MOST) });
    }
    Ok(Some(wishes))
}

#[cfg(test)]
mod tests;

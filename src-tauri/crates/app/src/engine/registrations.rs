//! What the registrar holds of an account's own address (RFC 3680): the user's other devices, and whether ours
//! is still there.
//!
//! A device of ours that the registrar took away is registered again, at once or when the registrar says so, but
//! never more often than every [`PACE`]: a registrar that keeps taking it away is not to be flooded.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use event_packages::{Contact, ContactEvent, RegistrationInfo, RegistrationPhase};
use sip_types::Uri;
use sip_ua::SubscriptionId;
use tracing::debug;

use super::desk::Desk;
use crate::event::Event;
use crate::view::{AccountState, RegisteredDevice};

/// Least time between two registrations that the registrar brought about.
const PACE: Duration = Duration::from_secs(30);
/// Longest wait that the registrar can impose; after it the registration would have to be refreshed anyway.
const LONGEST_WAIT: Duration = Duration::from_secs(600);
/// Devices of one address that are kept.
const DEVICES: usize = 32;
/// Longest text of a device, characters.
const TEXT: usize = 200;

/// What the registrar of one account tells.
#[derive(Default)]
pub(super) struct Registrations {
    pub(super) subscription: Option<SubscriptionId>,
    /// Version of the document told last.
    version: Option<u32>,
    /// The contacts by their name in the documents.
    contacts: BTreeMap<String, Contact>,
    told: Vec<RegisteredDevice>,
    /// When the registrar last brought a registration about.
    hurried: Option<Instant>,
}

/// What became of our own contact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// To be registered again, after this time.
    Again(Duration),
    /// Not allowed any more.
    Rejected,
}

impl Registrations {
    /// A subscription has begun: its first document tells all.
    pub(super) fn begin(&mut self, subscription: SubscriptionId) {
        self.subscription = Some(subscription);
        self.version = None;
    }

    /// Takes a document in; what became of `own`, our contact. An old document is passed over.
    fn take(&mut self, info: &RegistrationInfo, own: Option<&Uri>) -> Option<Fate> {
        if self.version.is_some_and(|last| info.version <= last && info.version != 0) {
            return None;
        }
        self.version = Some(info.version);
        if info.full {
            self.contacts.clear();
        }
        let mut fate = None;
        for contact in info.registrations.iter().flat_map(|record| &record.contacts) {
            if contact.phase == RegistrationPhase::Terminated {
                self.contacts.remove(&contact.id);
            } else if self.contacts.len() < DEVICES || self.contacts.contains_key(&contact.id) {
                self.contacts.insert(contact.id.clone(), contact.clone());
            }
            if own.is_some_and(|own| is_same(own, &contact.uri)) {
                fate = fate_of(contact);
            }
        }
        fate
    }

    fn devices(&self, own: Option<&Uri>) -> Vec<RegisteredDevice> {
        let text = |text: &str| text.chars().filter(|c| !c.is_control()).take(TEXT).collect();
        let device = |contact: &Contact| RegisteredDevice {
            contact: text(&contact.uri),
            name: contact.display.as_deref().map(text).unwrap_or_default(),
            own: own.is_some_and(|own| is_same(own, &contact.uri)),
        };
        let mut devices: Vec<_> = self.contacts.values().map(device).collect();
        devices.sort_by(|a, b| (b.own, &a.contact).cmp(&(a.own, &b.contact)));
        devices
    }
}

#[expect(clippy::disallowed_methods, reason = "the registrar says when it may be asked again")]
async fn after(wait: Duration) {
    tokio::time::sleep(wait).await;
}

/// What a contact's end means for the device it belongs to (RFC 3680 section 5.1).
fn fate_of(contact: &Contact) -> Option<Fate> {
    let wait = Duration::from_secs(contact.retry_after.unwrap_or(0).into());
    match (contact.phase, contact.event) {
        (RegistrationPhase::Terminated, ContactEvent::Rejected) => Some(Fate::Rejected),
        (RegistrationPhase::Terminated, ContactEvent::Probation) => {
            Some(Fate::Again(wait.min(LONGEST_WAIT)))
        }
        // Whoever took it back, it was not this device: it wants to be reached.
        (RegistrationPhase::Terminated, _) | (_, ContactEvent::Shortened) => {
            Some(Fate::Again(Duration::ZERO))
        }
        _ => None,
    }
}

/// The same device: registrars write parameters anew, but where it is stays.
fn is_same(own: &Uri, told: &str) -> bool {
    let place = |uri: &Uri| (uri.user(), uri.host().cloned(), uri.port());
    Uri::parse(told).is_ok_and(|told| place(&told) == place(own))
}

impl Desk {
    /// The registrar tells what it holds.
    pub(super) fn registrations_told(&mut self, now: Instant, id: &str, body: &[u8]) {
        let info = match RegistrationInfo::read(body) {
            Ok(info) => info,
            Err(error) => return debug!(%error, "a registration document cannot be read"),
        };
        let own = self.account(id).and_then(|account| account.contact());
        let Some(held) = self.watches.registrations.get_mut(id) else { return };
        let fate = held.take(&info, own.as_ref());
        self.tell_devices(now, id, own.as_ref());
        match fate {
            Some(Fate::Again(wait)) => self.register_again(now, id, wait),
            Some(Fate::Rejected) => self.deny(now, id),
            None => {}
        }
    }

    /// The registrar does not tell (any more).
    pub(super) fn registrations_untold(&mut self, now: Instant, id: &str) {
        if let Some(held) = self.watches.registrations.get_mut(id) {
            held.subscription = None;
            held.contacts.clear();
        }
        self.tell_devices(now, id, None);
    }

    /// The devices of an account, ours first.
    pub(super) fn devices(&self, id: &str) -> Vec<RegisteredDevice> {
        self.watches.registrations.get(id).map(|held| held.told.clone()).unwrap_or_default()
    }

    fn tell_devices(&mut self, now: Instant, id: &str, own: Option<&Uri>) {
        let Some(held) = self.watches.registrations.get_mut(id) else { return };
        let devices = held.devices(own);
        if held.told == devices {
            return;
        }
        held.told.clone_from(&devices);
        self.publisher.changed();
        self.event(now, Event::AccountDevices { account: id.to_owned(), devices });
    }

    /// Registers again, once the wait is over and the last time was long enough ago.
    fn register_again(&mut self, now: Instant, id: &str, wait: Duration) {
        let registered =
            self.account(id).is_some_and(|account| account.state == AccountState::Registered);
        let Some(held) = self.watches.registrations.get_mut(id).filter(|_| registered) else {
            return;
        };
        let rest = held
            .hurried
            .map_or(Duration::ZERO, |last| (last + PACE).saturating_duration_since(now));
        let wait = wait.max(rest);
        if held.hurried.is_some_and(|last| last > now) {
            // That is planned already.
            return;
        }
        held.hurried = Some(now + wait);
        debug!(account = id, ?wait, "taken away by the registrar, registered again");
        if wait.is_zero() {
            return self.register_now(now, id);
        }
        let id = id.to_owned();
        self.later(after(wait), move |desk, now, ()| desk.register_now(now, &id));
    }

    fn register_now(&mut self, now: Instant, id: &str) {
        let wanted = self.account(id).is_some_and(|account| {
            account.state == AccountState::Registered && account.settings.register
        });
        if wanted
            && !self.is_quitting()
            && let Err(refusal) = self.register(now, id)
        {
            debug!(account = id, %refusal, "not registered again");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contact(id: &str, uri: &str, phase: RegistrationPhase, event: ContactEvent) -> Contact {
        Contact {
            id: id.into(),
            uri: uri.into(),
            phase,
            event,
            expires: None,
            retry_after: Some(5),
            display: None,
        }
    }

    fn info(version: u32, full: bool, contacts: Vec<Contact>) -> RegistrationInfo {
        let record = event_packages::RegistrationRecord {
            aor: "sip:101@x".into(),
            id: "r".into(),
            phase: RegistrationPhase::Active,
            contacts,
        };
        RegistrationInfo { version, full, registrations: vec![record] }
    }

    #[test]
    fn devices_come_and_go_and_ours_is_known() {
        use RegistrationPhase::{Active, Terminated};
        let own = Uri::parse("sip:101@192.0.2.1:5066;transport=tcp").unwrap();
        let mut held = Registrations::default();
        let desk = contact("a", "sip:101@192.0.2.9", Active, ContactEvent::Registered);
        let ours = contact("b", "sip:101@192.0.2.1:5066;ob", Active, ContactEvent::Registered);
        assert_eq!(held.take(&info(0, true, vec![desk, ours]), Some(&own)), None);
        let devices = held.devices(Some(&own));
        assert_eq!(devices.iter().map(|d| d.own).collect::<Vec<_>>(), [true, false]);
        let gone = contact("a", "sip:101@192.0.2.9", Terminated, ContactEvent::Unregistered);
        assert_eq!(held.take(&info(1, false, vec![gone]), Some(&own)), None);
        assert_eq!(held.devices(Some(&own)).len(), 1);
        // Told twice, or late: passed over.
        let back = contact("a", "sip:101@192.0.2.9", Active, ContactEvent::Registered);
        assert_eq!(held.take(&info(1, false, vec![back]), Some(&own)), None);
        assert_eq!(held.devices(Some(&own)).len(), 1);
    }

    #[test]
    fn what_becomes_of_ours_decides() {
        let own = Uri::parse("sip:101@192.0.2.1:5066").unwrap();
        let table = [
            (ContactEvent::Deactivated, Some(Fate::Again(Duration::ZERO))),
            (ContactEvent::Expired, Some(Fate::Again(Duration::ZERO))),
            (ContactEvent::Unregistered, Some(Fate::Again(Duration::ZERO))),
            (ContactEvent::Probation, Some(Fate::Again(Duration::from_secs(5)))),
            (ContactEvent::Rejected, Some(Fate::Rejected)),
        ];
        for (event, fate) in table {
            let ours = contact("b", "sip:101@192.0.2.1:5066", RegistrationPhase::Terminated, event);
            let mut held = Registrations::default();
            assert_eq!(held.take(&info(3, true, vec![ours]), Some(&own)), fate, "{event:?}");
        }
    }

    #[test]
    fn a_registrar_cannot_fill_the_memory() {
        let many = (0..100).map(|n| {
            let (id, uri) = (n.to_string(), format!("sip:101@192.0.2.1:{}", 6000 + n));
            contact(&id, &uri, RegistrationPhase::Active, ContactEvent::Registered)
        });
        let mut held = Registrations::default();
        held.take(&info(0, true, many.collect()), None);
        assert_eq!(held.devices(None).len(), DEVICES);
    }
}

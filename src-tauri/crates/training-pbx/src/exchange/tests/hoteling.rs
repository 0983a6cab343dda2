//! A telephone is given to a guest who signs in at it.

use event_packages::{HotelingEvent, SetHoteling};
use secrecy::SecretString;
use sip_core::digest::nonce_response;

use super::*;

const PACKAGE: &str = "x-broadworks-hoteling";
const DOCUMENT: &str = "application/x-broadworks-hoteling+xml";

impl World {
    fn host_told(&self, watcher: usize) -> HotelingEvent {
        HotelingEvent::read(&self.watchers[watcher].notifies.last().unwrap().body).unwrap()
    }

    fn wants_guest(
        &mut self,
        watcher: usize,
        line: &str,
        guest: Option<&str>,
        proof: Option<(String, String)>,
    ) -> HotelingEvent {
        let guest = guest.map(|guest| format!("sip:{guest}@{PBX}"));
        let wish = SetHoteling { guest, proof }.write().into_bytes();
        self.watchers[watcher].body = Some((DOCUMENT.to_owned(), wish));
        assert_eq!(self.subscribe(watcher, line, PACKAGE, 600), 200);
        self.host_told(watcher)
    }

    fn proof(&self, user: &str, nonce: &str) -> (String, String) {
        let secret = self.exchange.gate.password(user).unwrap();
        (nonce.to_owned(), nonce_response(nonce, secret))
    }
}

fn number(event: &HotelingEvent) -> Option<String> {
    event.guest.as_ref().map(|guest| Uri::parse(guest).unwrap().user().unwrap())
}

#[test]
fn a_guest_proves_himself_has_the_telephone_and_leaves() {
    let mut world = World::new();
    let w = world.watcher("103");
    assert_eq!(world.subscribe(w, "103", PACKAGE, 600), 200);
    assert_eq!(world.host_told(w), HotelingEvent::default());
    let asked = world.wants_guest(w, "103", Some("102"), None);
    let nonce = asked.nonce.clone().unwrap();
    assert_eq!(asked.guest, None);
    let proof = Some(world.proof("102", &nonce));
    let there = world.wants_guest(w, "103", Some("102"), proof.clone());
    assert_eq!((number(&there).as_deref(), there.nonce.clone()), (Some("102"), None));
    assert!(there.expires.is_some_and(|left| (86_390..=86_400).contains(&left)), "{there:?}");
    assert_eq!(world.exchange.guest_of("103"), Some("102"));
    // It is the telephone of one guest at a time.
    let other = world.wants_guest(w, "103", Some("104"), None);
    assert_eq!((number(&other).as_deref(), other.nonce), (Some("102"), None));
    assert_eq!(world.wants_guest(w, "103", None, None), HotelingEvent::default());
    assert_eq!(world.exchange.guest_of("103"), None);
    // What was proved once proves nothing again.
    let again = world.wants_guest(w, "103", Some("102"), proof);
    assert!(again.guest.is_none() && again.nonce.is_some_and(|new| new != nonce));
}

#[test]
fn a_wrong_secret_gets_another_question_and_nobody_else_an_answer() {
    let mut world = World::new();
    let w = world.watcher("103");
    world.subscribe(w, "103", PACKAGE, 600);
    let nonce = world.wants_guest(w, "103", Some("102"), None).nonce.unwrap();
    let wrong = nonce_response(&nonce, &SecretString::from("wrong".to_owned()));
    let refused = world.wants_guest(w, "103", Some("102"), Some((nonce.clone(), wrong)));
    assert!(refused.guest.is_none() && refused.nonce.as_ref().is_some_and(|new| *new != nonce));
    // The guest of the question before, with the right secret for it: too late.
    let late = Some(world.proof("102", &nonce));
    assert!(world.wants_guest(w, "103", Some("102"), late).guest.is_none());
    for nobody in ["103", "999", ""] {
        let told = world.wants_guest(w, "103", Some(nobody).filter(|n| !n.is_empty()), None);
        assert_eq!((told.guest, told.nonce), (None, None), "{nobody}");
    }
    let thief = world.watcher("104");
    assert_eq!(world.subscribe(thief, "103", PACKAGE, 600), 403);
    world.watchers[w].body = Some((DOCUMENT.to_owned(), b"<SetHoteling>".to_vec()));
    assert_eq!(world.subscribe(w, "103", PACKAGE, 600), 400);
}

#[test]
fn who_comes_or_goes_in_another_way_is_told_at_the_telephone() {
    let mut world = World::new();
    let w = world.watcher("103");
    world.subscribe(w, "103", PACKAGE, 600);
    let (now, term) = (world.now, Duration::from_secs(600));
    world.exchange.be_guest(now, "102", Some(("103".to_owned(), Some(term))));
    world.settle();
    assert_eq!(number(&world.host_told(w)).as_deref(), Some("102"));
    let told = world.watchers[w].notifies.len();
    world.settle();
    assert_eq!(world.watchers[w].notifies.len(), told, "nothing has changed");
    world.subscribe(w, "103", PACKAGE, 3600);
    world.pass(Duration::from_secs(601));
    let last = world.watchers[w].notifies.iter().rev();
    let guests: Vec<_> =
        last.map(|told| number(&HotelingEvent::read(&told.body).unwrap())).collect();
    assert_eq!(guests.first(), Some(&None), "{guests:?}");
}

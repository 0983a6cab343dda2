//! What Graph answers is read: pages, deltas, what was taken away, and nonsense.

use serde_json::{Value, json};

use super::super::{GraphSettings, place};
use super::*;

const BASE: &str = "https://graph.microsoft.com/v1.0";

/// A service that answers from a table: what is asked (path and mark) gives what is answered.
struct Fake(Vec<(String, Answer)>);

impl Fake {
    fn new(rows: &[(&str, Value)]) -> Fake {
        let rows = rows.iter().map(|(path, page)| ((*path).to_owned(), ok(page)));
        Fake(rows.collect())
    }

    fn set(&mut self, path: &str, answer: Answer) {
        self.0.retain(|(known, _)| known != path);
        self.0.push((path.to_owned(), answer));
    }

    fn answer(&self, ask: &Ask) -> Answer {
        let mark = ask.url.query_pairs().find(|(name, _)| name == "$mark");
        let path = ask.url.path().strip_prefix("/v1.0").unwrap();
        let path = match mark {
            Some((_, mark)) => format!("{path}?{mark}"),
            None => path.to_owned(),
        };
        let found = self.0.iter().find(|(known, _)| *known == path);
        found.unwrap_or_else(|| panic!("nobody asks for {path}")).1.clone()
    }

    fn read(&self, place: &Place, cursor: &str, known: &Known) -> Result<Synced, SourceError> {
        let mut reading = Reading::new(place, cursor, known);
        let mut step = reading.begin()?;
        for _ in 0..10_000 {
            step = match step {
                Step::Ask(ask) => reading.answered(&self.answer(&ask))?,
                Step::Wait(_) => reading.again(),
                Step::Done(synced) => return Ok(synced),
            };
        }
        panic!("it never ends");
    }
}

fn ok(page: &Value) -> Answer {
    Answer { status: 200, body: page.to_string().into_bytes(), ..Answer::default() }
}

fn fault(status: u16, code: &str) -> Answer {
    Answer { status, ..ok(&json!({"error": {"code": code, "message": "x"}})) }
}

fn mark(name: &str) -> String {
    format!("{BASE}/x?$mark={name}")
}

fn person(id: &str, name: &str) -> Value {
    json!({"id": id, "displayName": name, "businessPhones": ["101"], "mobilePhone": "06 12345678"})
}

fn contacts_only() -> Place {
    let settings = GraphSettings { client: "a".into(), contacts: true, ..GraphSettings::default() };
    Place::new(&settings).unwrap()
}

fn users_only() -> Place {
    let settings = GraphSettings { client: "a".into(), users: true, ..GraphSettings::default() };
    Place::new(&settings).unwrap()
}

/// What is kept after a reading.
fn kept(mut known: Known, synced: &Synced) -> Known {
    for record in &synced.put {
        known.insert(record.id.clone(), record.tag.clone());
    }
    for id in &synced.gone {
        assert!(known.remove(id).is_some(), "{id} was never there");
    }
    known
}

fn names(synced: &Synced) -> Vec<&str> {
    synced.put.iter().filter_map(|record| Some(record.contact.as_ref()?.name.as_str())).collect()
}

fn mailbox() -> Fake {
    Fake::new(&[
        (
            "/me/contacts/delta",
            json!({"value": [person("a", "Jan")], "@odata.nextLink": mark("2")}),
        ),
        ("/x?2", json!({"value": [], "@odata.nextLink": mark("3")})),
        ("/x?3", json!({"value": [person("b", "Piet")], "@odata.deltaLink": mark("me-1")})),
        ("/me/contactFolders", json!({"value": [{"id": "F/1", "displayName": "Klanten"}]})),
        (
            "/me/contactFolders/F%2F1/childFolders",
            json!({"value": [{"id": "F2", "displayName": "Oud"}]}),
        ),
        ("/me/contactFolders/F2/childFolders", json!({"value": []})),
        (
            "/me/contactFolders/F%2F1/contacts/delta",
            json!({"value": [person("e", "Els")], "@odata.deltaLink": mark("f1-1")}),
        ),
        (
            "/me/contactFolders/F2/contacts/delta",
            json!({"value": [person("c", "Kees")], "@odata.deltaLink": mark("f2-1")}),
        ),
    ])
}

#[test]
fn all_pages_of_all_folders_are_read_and_then_only_what_has_changed() {
    let (place, mut fake) = (contacts_only(), mailbox());
    let first = fake.read(&place, "", &Known::new()).unwrap();
    let mut found = names(&first);
    found.sort_unstable();
    assert_eq!((found, first.full), (vec!["Els", "Jan", "Kees", "Piet"], true));
    let known = kept(Known::new(), &first);
    assert_eq!(known.len(), 4);
    // Nothing has changed.
    for (link, next) in [("/x?me-1", "me-1"), ("/x?f1-1", "f1-1"), ("/x?f2-1", "f2-1")] {
        fake.set(link, ok(&json!({"value": [], "@odata.deltaLink": mark(next)})));
    }
    let nothing = fake.read(&place, &first.cursor, &known).unwrap();
    assert!(!nothing.full && nothing.put.is_empty() && nothing.gone.is_empty());
    // One changed, told twice; one gone; one that was never here; one folder less.
    let changed = json!({"value": [person("b", "Piet B"), person("b", "Piet Bakker"), {"id": "a", "@removed": {"reason": "deleted"}},
        {"id": "never", "@removed": {"reason": "deleted"}}], "@odata.deltaLink": mark("me-2")});
    fake.set("/x?me-1", ok(&changed));
    fake.set("/me/contactFolders/F%2F1/childFolders", ok(&json!({"value": []})));
    let delta = fake.read(&place, &first.cursor, &known).unwrap();
    assert_eq!(names(&delta), ["Piet Bakker"]);
    assert_eq!(delta.gone.len(), 2, "Jan and Kees: {:?}", delta.gone);
    let known = kept(known, &delta);
    assert_eq!(known.len(), 2);
    // The folder comes back and is read from its beginning.
    fake.set("/x?me-2", ok(&json!({"value": [], "@odata.deltaLink": mark("me-2")})));
    fake.set("/me/contactFolders/F%2F1/childFolders", ok(&json!({"value": [{"id": "F2"}]})));
    let back = fake.read(&place, &delta.cursor, &known).unwrap();
    assert_eq!(names(&back), ["Kees"]);
}

#[test]
fn the_usual_folder_that_is_listed_among_the_others_is_nobody_twice() {
    let (place, mut fake) = (contacts_only(), mailbox());
    let usual = json!({"value": [person("a", "Jan"), person("b", "Piet")], "@odata.deltaLink": mark("f1-1")});
    fake.set("/me/contactFolders/F%2F1/contacts/delta", ok(&usual));
    let first = fake.read(&place, "", &Known::new()).unwrap();
    let mut found = names(&first);
    found.sort_unstable();
    assert_eq!(found, ["Jan", "Kees", "Piet"]);
    let known = kept(Known::new(), &first);
    // A change and a removal are told by both.
    let changed = |next: &str| {
        json!({"value": [person("b", "Piet Bakker"), {"id": "a", "@removed": {"reason": "deleted"}}],
            "@odata.deltaLink": mark(next)})
    };
    fake.set("/x?me-1", ok(&changed("me-2")));
    fake.set("/x?f1-1", ok(&changed("f1-2")));
    fake.set("/x?f2-1", ok(&json!({"value": [], "@odata.deltaLink": mark("f2-1")})));
    let delta = fake.read(&place, &first.cursor, &known).unwrap();
    assert_eq!((names(&delta), delta.gone.len()), (vec!["Piet Bakker"], 1));
    let known = kept(known, &delta);
    // One of both is read from its beginning, and the other has nothing to tell.
    fake.set("/x?me-2", ok(&json!({"value": [], "@odata.deltaLink": mark("me-2")})));
    fake.set("/x?f1-2", fault(410, "syncStateNotFound"));
    let anew = json!({"value": [person("b", "Piet Bakker")], "@odata.deltaLink": mark("f1-3")});
    fake.set("/me/contactFolders/F%2F1/contacts/delta", ok(&anew));
    let again = fake.read(&place, &delta.cursor, &known).unwrap();
    assert!(again.put.is_empty() && again.gone.is_empty(), "{again:?}");
    // Whoever is moved out of it is in the other folder.
    let out = json!({"value": [{"id": "b", "@removed": {"reason": "deleted"}}], "@odata.deltaLink": mark("me-3")});
    fake.set("/x?me-2", ok(&out));
    let into = json!({"value": [person("b", "Piet Bakker")], "@odata.deltaLink": mark("f2-2")});
    fake.set("/x?f2-1", ok(&into));
    fake.set("/x?f1-3", ok(&out));
    let moved = fake.read(&place, &again.cursor, &known).unwrap();
    assert_eq!((names(&moved), moved.gone.len()), (vec!["Piet Bakker"], 1));
    assert_eq!(kept(known, &moved).len(), 2);
}

#[test]
fn everything_that_can_be_read_is_read() {
    let place = place();
    let mut fake = mailbox();
    let box_of = |rest: &str| format!("/users/verkoop@zilver.example/{rest}");
    fake.set(
        &box_of("contacts/delta"),
        ok(&json!({"value": [person("a", "Klant")], "@odata.deltaLink": mark("box")})),
    );
    fake.set(&box_of("contactFolders"), ok(&json!({"value": []})));
    fake.set("/users/delta", ok(&json!({"value": [person("u", "Collega"), {"id": "v", "displayName": "Weg", "accountEnabled": false}],
        "@odata.deltaLink": mark("u")})));
    fake.set("/me/people", ok(&json!({"value": [{"id": "p", "displayName": "Kennis"}]})));
    let first = fake.read(&place, "", &Known::new()).unwrap();
    let mut found = names(&first);
    found.sort_unstable();
    assert_eq!(found, ["Collega", "Els", "Jan", "Kees", "Kennis", "Klant", "Piet"]);
    let known = kept(Known::new(), &first);
    // The list without changes is compared; the others are not asked for anew.
    for name in ["me-1", "f1-1", "f2-1", "box", "u"] {
        fake.set(&format!("/x?{name}"), ok(&json!({"value": [], "@odata.deltaLink": mark(name)})));
    }
    fake.set("/me/people", ok(&json!({"value": [{"id": "q", "displayName": "Ander"}]})));
    let delta = fake.read(&place, &first.cursor, &known).unwrap();
    assert_eq!((names(&delta), delta.gone.len(), delta.full), (vec!["Ander"], 1, false));
    // Less is to be read: the rest goes.
    let users = fake.read(&users_only(), &delta.cursor, &kept(known, &delta)).unwrap();
    assert_eq!((users.put.len(), users.gone.len()), (0, 6));
}

#[test]
fn a_mark_that_is_too_old_begins_that_collection_anew() {
    let place = users_only();
    let page = |people: &[Value]| json!({"value": people, "@odata.deltaLink": mark("1")});
    let mut fake = Fake::new(&[("/users/delta", page(&[person("a", "Jan"), person("b", "Piet")]))]);
    let first = fake.read(&place, "", &Known::new()).unwrap();
    let known = kept(Known::new(), &first);
    fake.set("/users/delta", ok(&page(&[person("a", "Jan"), person("c", "Els")])));
    for gone in [fault(410, "syncStateNotFound"), fault(400, "SyncStateInvalid"), fault(410, "")] {
        fake.set("/x?1", gone);
        let again = fake.read(&place, &first.cursor, &known).unwrap();
        assert_eq!((names(&again), again.gone.len()), (vec!["Els"], 1), "Jan is as he was");
    }
    // It is never begun anew twice.
    fake.set("/users/delta", fault(410, "syncStateNotFound"));
    assert_eq!(fake.read(&place, &first.cursor, &known), Err(SourceError::NotFound));
    fake.set("/x?1", fault(400, "BadRequest"));
    assert_eq!(fake.read(&place, &first.cursor, &known), Err(SourceError::Server(400)));
    // A cursor that was lost, or written by something else, is a new beginning in which nobody is there twice.
    fake.set("/users/delta", ok(&page(&[person("a", "Jan")])));
    for cursor in [
        "",
        "{}",
        "x",
        "{\"places\":{\"users\":{\"number\":9,\"link\":\"https://evil.example/\"}}}",
    ] {
        let known = kept(known.clone(), &fake.read(&place, cursor, &known).unwrap());
        assert_eq!(known.len(), 1, "{cursor}: {known:?}");
    }
}

#[test]
fn a_busy_service_is_waited_for_within_reason() {
    let (place, known) = (users_only(), Known::new());
    let mut reading = Reading::new(&place, "", &known);
    let busy = |seconds: Option<u64>| Answer {
        status: 429,
        retry_after: seconds.map(Duration::from_secs),
        ..Answer::default()
    };
    let Step::Ask(first) = reading.begin().unwrap() else { panic!() };
    let wait = |step: Step| match step {
        Step::Wait(time) => time.as_secs(),
        other => panic!("{other:?}"),
    };
    assert_eq!(wait(reading.answered(&busy(Some(17))).unwrap()), 17);
    let Step::Ask(again) = reading.again() else { panic!() };
    assert_eq!(again, first);
    assert_eq!(wait(reading.answered(&busy(Some(0))).unwrap()), 1, "no storm");
    assert_eq!(wait(reading.answered(&busy(None)).unwrap()), 8);
    let page = json!({"value": [person("a", "Jan")], "@odata.nextLink": mark("2")});
    assert!(matches!(reading.answered(&ok(&page)), Ok(Step::Ask(_))));
    assert_eq!(wait(reading.answered(&busy(None)).unwrap()), 2, "an answer forgets them");
    assert_eq!(reading.progress().done, 1);
    // Longer than anybody waits: the schedule takes it from here.
    let hour = Some(Duration::from_secs(3600));
    assert_eq!(
        reading.answered(&busy(Some(3600))).unwrap_err(),
        SourceError::Overloaded { retry_after: hour }
    );
    let mut reading = Reading::new(&place, "", &known);
    reading.begin().unwrap();
    let rounds = (0..100).take_while(|_| reading.answered(&busy(Some(1))).is_ok()).count();
    assert_eq!(rounds, 6);
}

#[test]
fn a_hostile_service_ends_in_a_clear_error() {
    let place = users_only();
    let known = Known::new();
    let page = |next: &str| json!({"value": [], "@odata.nextLink": next});
    for (answer, meant) in [
        (ok(&page("https://evil.example/v1.0/users/delta")), SourceError::Elsewhere),
        (ok(&page("http://graph.microsoft.com/v1.0/users/delta")), SourceError::Elsewhere),
        (ok(&page("file:///etc/passwd")), SourceError::Elsewhere),
        (ok(&page("")), SourceError::Malformed),
        (ok(&json!({"value": []})), SourceError::Malformed),
        (ok(&json!({"value": {}})), SourceError::Malformed),
        (ok(&json!([])), SourceError::Malformed),
        (
            Answer { status: 200, body: b"<html>".to_vec(), ..Answer::default() },
            SourceError::Malformed,
        ),
        (
            Answer { status: 200, body: "[".repeat(100_000).into_bytes(), ..Answer::default() },
            SourceError::Malformed,
        ),
        (fault(403, "Authorization_RequestDenied"), SourceError::Forbidden),
        (fault(404, "ResourceNotFound"), SourceError::NotFound),
        (
            Answer {
                status: 302,
                location: Some("https://evil.example".into()),
                ..Answer::default()
            },
            SourceError::NotASource,
        ),
        (fault(500, "x"), SourceError::Server(500)),
    ] {
        let fake = Fake(vec![("/users/delta".to_owned(), answer)]);
        assert_eq!(fake.read(&place, "", &known), Err(meant));
    }
    // Pages that lead to each other, and one that leads to itself.
    let mut fake = Fake::new(&[
        ("/users/delta", page(&mark("a"))),
        ("/x?a", page(&mark("b"))),
        ("/x?b", page(&mark("a"))),
    ]);
    assert_eq!(fake.read(&place, "", &known), Err(SourceError::Excess(Excess::Pages)));
    fake.set("/x?a", ok(&page(&mark("a"))));
    assert_eq!(fake.read(&place, "", &known), Err(SourceError::Excess(Excess::Pages)));
    // Folders in each other, and folders without end.
    let mut fake = mailbox();
    fake.set(
        "/me/contactFolders/F2/childFolders",
        ok(&json!({"value": [{"id": "F2"}, {"id": "F/1"}]})),
    );
    assert_eq!(fake.read(&contacts_only(), "", &known).unwrap().put.len(), 4);
    let many: Vec<Value> = (0..=FOLDERS).map(|n| json!({"id": format!("n{n}")})).collect();
    fake.set("/me/contactFolders", ok(&json!({"value": many})));
    assert_eq!(fake.read(&contacts_only(), "", &known), Err(SourceError::Excess(Excess::Books)));
    // Records without a name for themselves are left out, the rest is read.
    let odd = json!({"value": [null, 5, {}, {"id": 5}, {"id": ""}, {"id": "x".repeat(10_000)}, person("a", "Jan")],
        "@odata.deltaLink": mark("1")});
    assert_eq!(Fake::new(&[("/users/delta", odd)]).read(&place, "", &known).unwrap().put.len(), 1);
}

#[test]
fn a_folder_that_goes_while_it_is_read_takes_its_contacts_along() {
    let (place, mut fake) = (contacts_only(), mailbox());
    let first = fake.read(&place, "", &Known::new()).unwrap();
    let known = kept(Known::new(), &first);
    for name in ["me-1", "f1-1"] {
        fake.set(&format!("/x?{name}"), ok(&json!({"value": [], "@odata.deltaLink": mark(name)})));
    }
    fake.set("/x?f2-1", fault(404, "ErrorItemNotFound"));
    let delta = fake.read(&place, &first.cursor, &known).unwrap();
    assert_eq!((delta.put.len(), delta.gone.len()), (0, 1));
    // The mailbox itself does not just go.
    fake.set("/x?me-1", fault(404, "MailboxNotFound"));
    assert_eq!(fake.read(&place, &first.cursor, &known), Err(SourceError::NotFound));
}

//! Notifications and the portal for keys, against services that the test plays, on a session bus of its own.
//!
//! Each test runs itself again in a session that was made for it; a person's own desktop is never touched.

#![cfg(target_os = "linux")]
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    missing_docs,
    reason = "helpers of tests fail as tests do"
)]

use std::collections::HashMap;
use std::process::{Command, Stdio};
use std::time::Duration;

use desktop::notices::{Notice, Notices};
use desktop::shortcuts::{Shortcuts, Standing, Wish};
use tokio::sync::mpsc;
use zbus::object_server::SignalEmitter;
use zbus::zvariant::{OwnedObjectPath, OwnedValue, Value};
use zbus::{Connection, interface};

/// Longest wait for something that must come.
const PATIENCE: Duration = Duration::from_secs(30);
/// Set inside of a session only.
const INSIDE: &str = "BALIE_TEST_SESSION";

/// True inside a session of the test's own. Outside: runs the test in one.
fn in_session(test: &str) -> bool {
    if std::env::var_os(INSIDE).is_some() {
        return true;
    }
    let mut command = Command::new("dbus-run-session");
    let status = command
        .arg("--")
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture"])
        .env(INSIDE, "1")
        .stdin(Stdio::null())
        .status();
    match status {
        Ok(status) => assert!(status.success(), "the test failed in its session"),
        Err(error) => {
            assert!(std::env::var_os("BALIE_LAB").is_none(), "dbus-run-session: {error}");
            println!("skipped, dbus-run-session is not installed");
        }
    }
    false
}

async fn next<T>(told: &mut mpsc::UnboundedReceiver<T>) -> T {
    tokio::time::timeout(PATIENCE, told.recv()).await.expect("nothing came").expect("it ended")
}

// --- notifications ---

#[derive(Debug, PartialEq, Eq)]
enum Asked {
    Notify {
        id: u32,
        replaces: u32,
        summary: String,
        body: String,
        actions: Vec<String>,
        urgency: u8,
    },
    Close(u32),
}

struct Service {
    last: u32,
    asked: mpsc::UnboundedSender<Asked>,
}

#[interface(name = "org.freedesktop.Notifications")]
impl Service {
    fn get_capabilities(&self) -> Vec<String> {
        ["actions", "body", "body-markup"].map(str::to_owned).to_vec()
    }

    #[expect(
        clippy::too_many_arguments,
        clippy::needless_pass_by_value,
        reason = "the specification has them"
    )]
    fn notify(
        &mut self,
        _name: String,
        replaces: u32,
        _icon: String,
        summary: String,
        body: String,
        actions: Vec<String>,
        hints: HashMap<String, OwnedValue>,
        _expires: i32,
    ) -> u32 {
        self.last += 1;
        let id = if replaces == 0 { self.last } else { replaces };
        let urgency = u8::try_from(hints.get("urgency").unwrap()).unwrap();
        self.asked.send(Asked::Notify { id, replaces, summary, body, actions, urgency }).unwrap();
        id
    }

    fn close_notification(&mut self, id: u32) {
        self.asked.send(Asked::Close(id)).unwrap();
    }

    #[zbus(signal)]
    async fn action_invoked(emitter: &SignalEmitter<'_>, id: u32, action: &str)
    -> zbus::Result<()>;

    #[zbus(signal)]
    async fn notification_closed(
        emitter: &SignalEmitter<'_>,
        id: u32,
        why: u32,
    ) -> zbus::Result<()>;
}

fn call(key: u64, summary: &str) -> Notice {
    Notice {
        key,
        summary: summary.to_owned(),
        body: "<b>030</b> & meer".to_owned(),
        category: "call.incoming",
        urgent: true,
        actions: vec![("answer".into(), "Opnemen".into()), ("refuse".into(), "Weigeren".into())],
    }
}

#[tokio::test]
async fn a_notification_is_shown_changed_answered_and_taken_away() {
    if !in_session("a_notification_is_shown_changed_answered_and_taken_away") {
        return;
    }
    let (asked, mut heard) = mpsc::unbounded_channel();
    let path = "/org/freedesktop/Notifications";
    let service = zbus::connection::Builder::session()
        .unwrap()
        .name("org.freedesktop.Notifications")
        .unwrap()
        .serve_at(path, Service { last: 0, asked })
        .unwrap()
        .build()
        .await
        .unwrap();
    let (press, mut pressed) = mpsc::unbounded_channel();
    let notices = Notices::start("balie", move |key, action| press.send((key, action)).unwrap());
    notices.show(call(7, "Jan belt"));
    let Asked::Notify { id, replaces, summary, body, actions, urgency } = next(&mut heard).await
    else {
        panic!("not shown");
    };
    assert_eq!((replaces, summary.as_str(), urgency), (0, "Jan belt", 2));
    assert_eq!(body, "&lt;b&gt;030&lt;/b&gt; &amp; meer", "no markup of a caller's own");
    assert_eq!(actions, ["answer", "Opnemen", "refuse", "Weigeren"]);

    notices.show(call(7, "Jan de Wit belt"));
    let Asked::Notify { replaces, .. } = next(&mut heard).await else { panic!("not changed") };
    assert_eq!(replaces, id, "the same one");

    let emitter = SignalEmitter::new(&service, path).unwrap();
    Service::action_invoked(&emitter, id + 100, "answer").await.unwrap();
    Service::action_invoked(&emitter, id, "answer").await.unwrap();
    assert_eq!(next(&mut pressed).await, (7, "answer".to_owned()), "and nothing of the stranger's");

    notices.close(7);
    assert_eq!(next(&mut heard).await, Asked::Close(id));
    // What the user put away is not taken away again.
    notices.show(call(8, "Piet belt"));
    let Asked::Notify { id, .. } = next(&mut heard).await else { panic!("not shown") };
    Service::notification_closed(&emitter, id, 2).await.unwrap();
    Service::action_invoked(&emitter, id, "answer").await.unwrap();
    notices.show(call(9, "Kim belt"));
    assert!(matches!(next(&mut heard).await, Asked::Notify { replaces: 0, .. }));
    assert!(pressed.try_recv().is_err(), "what is gone cannot be pressed");
}

// --- keys ---

type Options = HashMap<String, OwnedValue>;

struct KeysPortal {
    bound: mpsc::UnboundedSender<Vec<(String, String)>>,
    /// What the user says: 0 yes, 1 no.
    says: u32,
}

fn text(options: &Options, name: &str) -> String {
    String::try_from(options.get(name).unwrap().try_clone().unwrap()).unwrap()
}

/// The path at which a request of this caller is answered.
fn request(sender: &str, token: &str) -> String {
    let sender = sender.trim_start_matches(':').replace('.', "_");
    format!("/org/freedesktop/portal/desktop/request/{sender}/{token}")
}

async fn respond(bus: &Connection, path: &str, code: u32, results: HashMap<&str, Value<'_>>) {
    let interface = "org.freedesktop.portal.Request";
    bus.emit_signal(None::<&str>, path, interface, "Response", &(code, results)).await.unwrap();
}

#[interface(name = "org.freedesktop.portal.GlobalShortcuts")]
impl KeysPortal {
    #[zbus(property, name = "version")]
    fn version(&self) -> u32 {
        1
    }

    async fn create_session(
        &self,
        options: Options,
        #[zbus(header)] header: zbus::message::Header<'_>,
        #[zbus(connection)] bus: &Connection,
    ) -> OwnedObjectPath {
        let sender = header.sender().unwrap().to_string();
        let path = request(&sender, &text(&options, "handle_token"));
        let session = format!(
            "/org/freedesktop/portal/desktop/session/x/{}",
            text(&options, "session_handle_token")
        );
        // As a quick desktop does: answered before the call returns.
        respond(bus, &path, 0, HashMap::from([("session_handle", Value::from(session))])).await;
        OwnedObjectPath::try_from(path).unwrap()
    }

    async fn bind_shortcuts(
        &self,
        _session: OwnedObjectPath,
        shortcuts: Vec<(String, Options)>,
        _parent: String,
        options: Options,
        #[zbus(header)] header: zbus::message::Header<'_>,
        #[zbus(connection)] bus: &Connection,
    ) -> OwnedObjectPath {
        let sender = header.sender().unwrap().to_string();
        let path = request(&sender, &text(&options, "handle_token"));
        let wished =
            shortcuts.iter().map(|(id, what)| (id.clone(), text(what, "preferred_trigger")));
        self.bound.send(wished.collect()).unwrap();
        // The desktop gives the first key only, and another one than was wished for.
        let given: Vec<(String, HashMap<String, Value<'_>>)> = shortcuts
            .iter()
            .take(1)
            .map(|(id, _)| {
                (
                    id.clone(),
                    HashMap::from([("trigger_description".to_owned(), Value::from("Super+A"))]),
                )
            })
            .collect();
        respond(bus, &path, self.says, HashMap::from([("shortcuts", Value::from(given))])).await;
        OwnedObjectPath::try_from(path).unwrap()
    }

    #[zbus(signal)]
    async fn activated(
        emitter: &SignalEmitter<'_>,
        session: OwnedObjectPath,
        id: &str,
        at: u64,
        options: HashMap<&str, Value<'_>>,
    ) -> zbus::Result<()>;
}

fn wish(id: &str, key: &str) -> Wish {
    Wish { id: id.into(), words: format!("does {id}"), key: key.into() }
}

async fn portal(says: u32) -> (Connection, mpsc::UnboundedReceiver<Vec<(String, String)>>) {
    let (bound, wished) = mpsc::unbounded_channel();
    let bus = zbus::connection::Builder::session()
        .unwrap()
        .name("org.freedesktop.portal.Desktop")
        .unwrap()
        .serve_at("/org/freedesktop/portal/desktop", KeysPortal { bound, says })
        .unwrap()
        .build()
        .await
        .unwrap();
    (bus, wished)
}

async fn until(keys: &mut Shortcuts, fits: impl FnMut(&Standing) -> bool) -> Standing {
    tokio::time::timeout(PATIENCE, keys.until(fits)).await.expect("never").expect("it ended")
}

#[tokio::test]
async fn the_desktop_gives_keys_says_which_and_tells_when_they_are_pressed() {
    if !in_session("the_desktop_gives_keys_says_which_and_tells_when_they_are_pressed") {
        return;
    }
    let (bus, mut wished) = portal(0).await;
    let (press, mut pressed) = mpsc::unbounded_channel();
    let mut keys = Shortcuts::start(move |id| press.send(id).unwrap());
    until(&mut keys, |standing| *standing == Standing::Ready).await;
    keys.wish(vec![wish("answer", "Ctrl+Alt+K"), wish("hold", "Shift+F9")]);
    let asked = [("answer", "CTRL+ALT+k"), ("hold", "SHIFT+F9")]
        .map(|(id, key)| (id.to_owned(), key.to_owned()));
    assert_eq!(next(&mut wished).await, asked);
    let given = until(&mut keys, |standing| matches!(standing, Standing::Given(_))).await;
    assert_eq!(given, Standing::Given(vec![("answer".to_owned(), "Super+A".to_owned())]));

    let emitter = SignalEmitter::new(&bus, "/org/freedesktop/portal/desktop").unwrap();
    let session = |name: &str| {
        OwnedObjectPath::try_from(format!("/org/freedesktop/portal/desktop/session/x/{name}"))
            .unwrap()
    };
    KeysPortal::activated(&emitter, session("of_another"), "hangup", 1, HashMap::new())
        .await
        .unwrap();
    KeysPortal::activated(&emitter, session("balie_1"), "answer", 2, HashMap::new()).await.unwrap();
    assert_eq!(next(&mut pressed).await, "answer", "and nothing of another session");

    // Other wishes are another session; the keys of the first mean nothing any more.
    keys.wish(vec![wish("mute", "Pause")]);
    assert_eq!(next(&mut wished).await, [("mute".to_owned(), "Pause".to_owned())]);
    until(&mut keys, |standing| matches!(standing, Standing::Given(given) if given[0].0 == "mute"))
        .await;
    KeysPortal::activated(&emitter, session("balie_1"), "answer", 3, HashMap::new()).await.unwrap();
    KeysPortal::activated(&emitter, session("balie_2"), "mute", 4, HashMap::new()).await.unwrap();
    assert_eq!(next(&mut pressed).await, "mute");
    keys.wish(Vec::new());
    until(&mut keys, |standing| *standing == Standing::Ready).await;
}

#[tokio::test]
async fn a_user_who_says_no_has_said_no() {
    if !in_session("a_user_who_says_no_has_said_no") {
        return;
    }
    let (_bus, mut wished) = portal(1).await;
    let mut keys = Shortcuts::start(|_| {});
    // Wished for before the portal was found.
    keys.wish(vec![wish("answer", "Ctrl+Alt+K")]);
    next(&mut wished).await;
    until(&mut keys, |standing| *standing == Standing::Refused).await;
}

#[tokio::test]
async fn a_desktop_without_a_portal_is_known_as_such() {
    if !in_session("a_desktop_without_a_portal_is_known_as_such") {
        return;
    }
    let mut keys = Shortcuts::start(|_| {});
    until(&mut keys, |standing| *standing == Standing::Absent).await;
    keys.wish(vec![wish("answer", "Ctrl+Alt+K")]);
    assert_eq!(keys.standing(), Standing::Absent);
}

//! Passwords in a real Secret Service, and what happens where there is none.
//!
//! A program of its own (`harness = false`): each case is this program run again, in a session that a
//! script or a bus daemon made for it, since where the keyring is can only be said by the environment.
//! Without the programs nothing is run and that is said, unless `BALIE_LAB` is set: then it is a failure.

#![expect(clippy::disallowed_methods, reason = "proves that a real service is waited for so long")]
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a test program")]

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use secrecy::{ExposeSecret, SecretString};
use store::{Kept, Secrets, SecretsError};

const SERVICE: &str = "Balie test";
/// Not the time-out of the keyring (10 s): trouble that can be known at once is told at once.
const SOON: Duration = Duration::from_secs(8);

/// What a case is run in.
enum Session {
    /// A session with an unlocked keyring; the second run is the next login of the same person.
    Keyring(&'static [fn()]),
    /// A login that keeps a password, then one whose keyring nobody unlocks.
    Locked,
    /// A bus on which nobody keeps secrets.
    BareBus,
    /// An address that nothing listens on.
    DeadBus,
    /// No address of a bus at all.
    NoBus,
    /// A bus that takes connections and never says a word.
    SilentBus,
}

const CASES: &[(&str, Session)] = &[
    ("a_password_outlives_process_and_login", Session::Keyring(&[writes, reads, is_gone])),
    ("a_locked_keyring_is_told", Session::Locked),
    ("a_bus_without_keyring_is_told", Session::BareBus),
    ("a_dead_bus_is_told", Session::DeadBus),
    ("no_bus_is_told", Session::NoBus),
    ("a_silent_bus_is_given_up", Session::SilentBus),
];

fn main() {
    if let Ok(case) = std::env::var("LAB_CASE") {
        return bounded(&case);
    }
    if !cfg!(target_os = "linux") {
        return println!("skipped, the Secret Service is there on Linux only");
    }
    if let Some(missing) = ["dbus-run-session", "gnome-keyring-daemon"].into_iter().find(absent) {
        assert!(std::env::var_os("BALIE_LAB").is_none(), "{missing} is not installed");
        return println!("skipped, {missing} is not installed");
    }
    let mut failed = 0;
    for (name, session) in CASES {
        let folder = tempfile::tempdir().unwrap();
        let passed = run(name, session, folder.path());
        println!("{name} ... {}", if passed { "ok" } else { "FAILED" });
        failed += u32::from(!passed);
    }
    println!("{} passed, {failed} failed", CASES.len() as u32 - failed);
    assert_eq!(failed, 0, "see above");
}

fn absent(program: &&str) -> bool {
    let version = Command::new(program).arg("--version").stdout(Stdio::null()).status();
    !version.is_ok_and(|status| status.success())
}

fn run(name: &str, session: &Session, folder: &Path) -> bool {
    let this = std::env::current_exe().unwrap();
    let succeeds = |command: &mut Command, step: usize| {
        let case = format!("{name} {step}");
        command.arg(&this).env("LAB_CASE", case).status().unwrap().success()
    };
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/with-keyring.sh");
    match session {
        Session::Keyring(steps) => {
            let login = |step| succeeds(Command::new(&script).arg(folder), step);
            (0..steps.len()).all(login)
        }
        Session::Locked => {
            succeeds(Command::new(&script).arg(folder), 0)
                && succeeds(alone(folder, "dbus-run-session").arg("--"), 1)
        }
        Session::BareBus => {
            let config = folder.join("bus.conf");
            let listen = format!("<listen>unix:dir={}</listen>", folder.display());
            let rules = "<allow send_destination='*'/><allow eavesdrop='true'/><allow own='*'/>";
            let policy = format!("<policy context='default'>{rules}</policy>");
            let text = format!("<busconfig><type>session</type>{listen}{policy}</busconfig>");
            std::fs::write(&config, text).unwrap();
            let mut command = alone(folder, "dbus-run-session");
            succeeds(command.arg("--config-file").arg(&config).arg("--"), 0)
        }
        Session::DeadBus => {
            let address = format!("unix:path={}/nobody", folder.display());
            succeeds(alone(folder, "env").env("DBUS_SESSION_BUS_ADDRESS", address), 0)
        }
        Session::NoBus => succeeds(&mut alone(folder, "env"), 0),
        Session::SilentBus => silent(folder, |command| succeeds(command, 0)),
    }
}

/// A command in an environment that knows no session but what is in the folder.
fn alone(folder: &Path, program: &str) -> Command {
    let mut command = Command::new(program);
    for name in ["DISPLAY", "WAYLAND_DISPLAY", "DBUS_SESSION_BUS_ADDRESS"] {
        command.env_remove(name);
    }
    command
        .env("HOME", folder)
        .env("XDG_RUNTIME_DIR", folder.join("run"))
        .env("XDG_DATA_HOME", folder.join("data"))
        .env("XDG_CONFIG_HOME", folder.join("config"));
    command
}

#[cfg(unix)]
fn silent(folder: &Path, run: impl FnOnce(&mut Command) -> bool) -> bool {
    let path = folder.join("silent");
    // Connections are taken by the system and wait there for an answer.
    let _listener = std::os::unix::net::UnixListener::bind(&path).unwrap();
    let address = format!("unix:path={}", path.display());
    run(alone(folder, "env").env("DBUS_SESSION_BUS_ADDRESS", address))
}

#[cfg(not(unix))]
fn silent(_: &Path, _: impl FnOnce(&mut Command) -> bool) -> bool {
    true
}

/// Runs one step of a case; one that hangs fails.
fn bounded(case: &str) {
    let (name, step) = case.split_once(' ').unwrap();
    let (_, session) = CASES.iter().find(|(known, _)| *known == name).unwrap();
    let work = match session {
        Session::Keyring(steps) => steps[step.parse::<usize>().unwrap()],
        Session::Locked if step == "0" => writes,
        Session::SilentBus => gives_up,
        _ => falls_back,
    };
    let (done, finished) = channel();
    std::thread::spawn(move || {
        work();
        done.send(()).unwrap();
    });
    finished.recv_timeout(Duration::from_secs(60)).unwrap();
}

/// What the keyring itself holds: a new program remembers nothing.
fn kept(name: &str) -> Result<Option<String>, SecretsError> {
    let found = Secrets::keyring(SERVICE).get(name)?;
    Ok(found.map(|secret| secret.expose_secret().to_owned()))
}

fn set(name: &str, password: &str) -> Kept {
    Secrets::keyring(SERVICE).set(name, &SecretString::from(password))
}

fn writes() {
    assert_eq!(kept("main").unwrap(), None);
    assert_eq!(set("main", "first"), Kept::Keyring);
    assert_eq!(kept("main").unwrap().unwrap(), "first");
    assert_eq!(set("main", "pässwörd \"2\""), Kept::Keyring);
    assert_eq!(kept("main").unwrap().unwrap(), "pässwörd \"2\"");
    assert_eq!(set("other", "leaves"), Kept::Keyring);
    Secrets::keyring(SERVICE).remove("other");
    Secrets::keyring(SERVICE).remove("never there");
    assert_eq!(set("sign-in", &long()), Kept::Keyring);
    assert_eq!(kept("sign-in").unwrap().unwrap(), long());
    assert_eq!(kept("other").unwrap(), None);
}

/// As long as what signing in gives, and longer than one entry takes on Windows.
fn long() -> String {
    "refresh-é".repeat(500)
}

fn reads() {
    assert_eq!(kept("sign-in").unwrap().unwrap(), long());
    Secrets::keyring(SERVICE).remove("sign-in");
    assert_eq!(kept("sign-in#0").unwrap(), None, "its parts are gone, too");
    assert_eq!(kept("main").unwrap().unwrap(), "pässwörd \"2\"");
    assert_eq!(kept("other").unwrap(), None);
    Secrets::keyring(SERVICE).remove("main");
}

fn is_gone() {
    assert_eq!(kept("sign-in").unwrap(), None);
    assert_eq!(kept("main").unwrap(), None);
}

/// There is no keyring to be had: told within seconds, and the session goes on from memory.
fn falls_back() {
    let begin = Instant::now();
    let unread = kept("main");
    assert!(matches!(unread, Err(SecretsError::Unavailable(_))), "{unread:?}");
    println!("told after {:?}: {}", begin.elapsed(), unread.unwrap_err());
    remembers(&Secrets::keyring(SERVICE));
    assert!(begin.elapsed() < SOON, "{:?}", begin.elapsed());
}

fn gives_up() {
    let patience = Duration::from_millis(200);
    let impatient = || Secrets::keyring(SERVICE).with_patience(patience);
    let begin = Instant::now();
    let unread = impatient().get("main");
    assert!(matches!(unread, Err(SecretsError::Timeout)), "{unread:?}");
    println!("given up after {:?}", begin.elapsed());
    remembers(&impatient());
    assert!(begin.elapsed() < SOON, "{:?}", begin.elapsed());
}

fn remembers(secrets: &Secrets) {
    assert_eq!(secrets.set("main", &SecretString::from("pw")), Kept::Session);
    assert_eq!(secrets.get("main").unwrap().unwrap().expose_secret(), "pw");
    secrets.remove("main");
    assert!(!matches!(secrets.get("main"), Ok(Some(_))));
}

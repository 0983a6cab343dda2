//! No password and no digest response leaves the headless program but on the wire (H4).
//!
//! A relay between program and exchange reads the responses off the wire, so that the very values are
//! looked for in everything that both programs print and write at their most talkative.
#![cfg(unix)]

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use e2e::balie::{PATIENCE, program};
use e2e::relay::Relay;
use e2e::{deadline, is_over};
use serde_json::{Value, json};
use tempfile::tempdir;

/// What the program under test is given its password in.
const VARIABLE: &str = "BALIE_TEST_PASSWORD";
/// A password that is wrong, and unlike anything that is printed by chance.
const WRONG: &str = "zeer-geheim-9x7k2q";

#[test]
fn a_day_at_the_desk_tells_no_secret() -> Result<()> {
    let folder = tempdir()?;
    let pbx = Pbx::start()?;
    let right = pbx.password.clone();
    for (name, password) in [("right", right.as_str()), ("wrong", WRONG)] {
        let home = folder.path().join(name);
        let seen = pbx.responses().len();
        let config = settings(&home, pbx.relay.port, &format!("password_env = \"{VARIABLE}\""))?;
        let mut balie = run(&config, Command::new(program()?), Some(password))?;
        if password == right {
            balie.until("registered", |line| line["state"] == "registered")?;
            a_call(&mut balie, &pbx)?;
        } else {
            balie.until("the refusal", |line| line["reason"] == "auth_failed")?;
        }
        say_everywhere(&mut balie, &pbx, password)?;
        let printed = balie.quit()?;
        let sent = pbx.responses();
        ensure!(sent.len() > seen, "digests were seen on the wire: {sent:?}");
        let log = fs::read_to_string(home.join("balie.log"))?;
        ensure!(log.contains("\"TRACE\"") || log.contains("\"DEBUG\""), "the log is talkative");
        let mut places = files(&home)?;
        places.push(("printed".into(), printed));
        judge(&places, &[&right, WRONG], &sent)?;
    }
    one_shots(folder.path(), &pbx)?;
    let sent = pbx.responses();
    let told = pbx.stop()?;
    ensure!(told.contains("DEBUG"), "the exchange is talkative");
    judge(&[("the exchange".into(), told)], &[&right, WRONG], &sent)
}

#[test]
fn the_older_files_of_a_log_tell_no_secret_either() -> Result<()> {
    const BYTES: usize = 4_000;
    let folder = tempdir()?;
    let home = folder.path().join("home");
    let pbx = Pbx::start()?;
    let config = settings(&home, pbx.relay.port, &format!("password_env = \"{VARIABLE}\""))?;
    let size = BYTES.to_string();
    let more = ["--log-size", size.as_str()];
    let mut balie = run_with(&config, Command::new(program()?), Some(&pbx.password), &more)?;
    balie.until("registered", |line| line["state"] == "registered")?;
    a_call(&mut balie, &pbx)?;
    say_everywhere(&mut balie, &pbx, &pbx.password.clone())?;
    balie.quit()?;
    let logs: Vec<_> =
        files(&home)?.into_iter().filter(|(name, _)| name.contains("balie.log")).collect();
    ensure!(
        logs.len() == 5,
        "five files: {:?}",
        logs.iter().map(|(name, _)| name).collect::<Vec<_>>()
    );
    for (name, text) in &logs {
        ensure!(text.len() <= BYTES, "{name} holds {} bytes", text.len());
        let whole = |line: &str| serde_json::from_str::<Value>(line).is_ok();
        ensure!(text.lines().all(whole), "{name} holds lines that are not whole");
    }
    judge(&logs, &[&pbx.password], &pbx.responses())
}

#[test]
fn the_way_to_the_keyring_tells_no_secret() -> Result<()> {
    let missing = ["dbus-run-session", "gnome-keyring-daemon"].into_iter().find(|name| {
        let version = Command::new(name).arg("--version").stdout(Stdio::null()).status();
        !version.is_ok_and(|status| status.success())
    });
    if let Some(missing) = missing {
        ensure!(std::env::var_os("BALIE_LAB").is_none(), "{missing} is not installed");
        return Ok(());
    }
    let folder = tempdir()?;
    let home = folder.path().join("home");
    let pbx = Pbx::start()?;
    let config = settings(&home, pbx.relay.port, "keyring = true")?;
    let script = e2e::root().join("src-tauri/crates/store/tests/with-keyring.sh");
    let login = || -> Result<Command> {
        let mut command = Command::new(&script);
        command.arg(&home).arg(program()?);
        Ok(command)
    };
    let mut balie = run(&config, login()?, None)?;
    balie.until("the question", |line| line["reason"] == "password_needed")?;
    balie.say(&json!({"id": "kept", "cmd": "account.password", "account": "main",
        "password": pbx.password}))?;
    balie.until("registered", |line| line["state"] == "registered")?;
    // Answered once the keyring has it, which is later.
    balie.until("the reply", |line| line["id"] == "kept")?;
    let first = balie.quit()?;
    let log = fs::read_to_string(home.join("balie.log"))?;
    ensure!(log.contains("keyring_core") && log.contains("zbus"), "the way there is talked about");
    fs::rename(home.join("balie.log"), home.join("first.log"))?;
    // The next login knows it.
    let mut balie = run(&config, login()?, None)?;
    let state = |line: &Value| line["event"] == "account.state" && line["state"] != "registering";
    let known = balie.until("a registration", state)?;
    ensure!(known["state"] == "registered", "{known}");
    let second = balie.quit()?;
    let mut places = files(&home)?;
    places.extend([("first run".into(), first), ("second run".into(), second)]);
    judge(&places, &[&pbx.password], &pbx.responses())
}

#[test]
fn a_secret_would_be_found() {
    let heard = BTreeSet::from(["0123456789abcdef0123456789abcdef".to_owned()]);
    let finds = |text: &str| judge(&[("here".into(), text.into())], &["hunter2"], &heard).is_err();
    for leak in [
        "first\n{\"password\":\"hunter2\"}",
        "key 68756e74657232",
        "bytes: [104, 117, 110, 116, 101, 114, 50]",
        "0123456789abcdef0123456789abcdef",
        "Digest nc=1, response=\"ffffffffffffffffffffffffffffffff\"",
        r#"{"sent": "response=\"ffffffffffffffffffffffffffffffff\""}"#,
    ] {
        assert!(finds(leak), "{leak}");
    }
    assert!(!finds("response=\"<redacted>\", response=200, response=\"…\""));
}

/// Says the password in every command that takes one, rightly and in ways that are refused.
fn say_everywhere(balie: &mut Talk, pbx: &Pbx, password: &str) -> Result<()> {
    let server = format!("127.0.0.1:{}", pbx.relay.port);
    let form = json!({"id": "main", "user": "101", "server": server, "password": password});
    let say = |account: Value, password: Value| json!({"cmd": "account.password", "account": account, "password": password});
    balie.say(&say(json!("nobody"), json!(password)))?;
    balie.say(&say(json!(1), json!(password)))?;
    balie.say(&say(json!("main"), json!([password])))?;
    balie.say(&json!({"cmd": "no.such", "password": password}))?;
    balie.say(&json!({"cmd": "account.save", "form": {"password": password}}))?;
    balie.say_text(&format!("{{\"cmd\": \"account.password\", \"password\": \"{password}"))?;
    for (id, command) in [
        ("trial", json!({"cmd": "account.test", "form": form})),
        ("saved", json!({"cmd": "account.save", "form": form})),
        ("typed", say(json!("main"), json!(password))),
    ] {
        let mut command = command;
        command["id"] = json!(id);
        balie.say(&command)?;
        let reply = balie.until(id, |line| line["id"] == id)?;
        ensure!(reply.get("ok").is_some(), "{id}: {reply}");
    }
    Ok(())
}

fn a_call(balie: &mut Talk, pbx: &Pbx) -> Result<()> {
    let to = pbx.ready["numbers"]["music"].as_str().context("no music")?;
    balie.say(&json!({"id": "call", "cmd": "call.dial", "to": to}))?;
    let call = balie.until("the call", |line| line["id"] == "call")?["ok"]["call"].clone();
    let is = |state: &'static str| move |line: &Value| line["state"] == state;
    balie.until("an answer", is("active"))?;
    balie.say(&json!({"cmd": "call.hold", "call": call}))?;
    balie.until("held", is("held"))?;
    balie.say(&json!({"cmd": "call.resume", "call": call}))?;
    balie.until("resumed", is("active"))?;
    balie.say(&json!({"cmd": "call.dtmf", "call": call, "digits": "12"}))?;
    balie.say(&json!({"cmd": "call.hangup", "call": call}))?;
    balie.until("the end", is("ended"))?;
    Ok(())
}

/// `call` and `check`, with both passwords, their log on standard error.
fn one_shots(folder: &Path, pbx: &Pbx) -> Result<()> {
    let line = format!("password_env = \"{VARIABLE}\"");
    let config = settings(&folder.join("shots"), pbx.relay.port, &line)?;
    let busy = pbx.ready["numbers"]["busy"].as_str().context("no busy number")?;
    let shots: [&[&str]; 2] = [&["check", "--json"], &["call", "--audio", "none", "--to", busy]];
    for (password, shot) in [pbx.password.as_str(), WRONG].iter().zip(shots).chain(
        // Every pairing counts: a refused call and a good check say different things.
        [WRONG, pbx.password.as_str()].iter().zip(shots),
    ) {
        let output = Command::new(program()?)
            .args(shot)
            .arg("--config")
            .arg(&config)
            .env(VARIABLE, password)
            .env("BALIE_LOG", "trace")
            .output()?;
        let text = [output.stdout, output.stderr].concat();
        let text = String::from_utf8_lossy(&text).into_owned();
        ensure!(text.contains("DEBUG"), "{shot:?} is talkative: {text}");
        judge(&[(shot.join(" "), text)], &[&pbx.password, WRONG], &pbx.responses())?;
    }
    Ok(())
}

/// Fails where a secret stands in clear, as hexadecimal digits or as a list of bytes.
fn judge(
    places: &[(String, String)],
    passwords: &[&str],
    responses: &BTreeSet<String>,
) -> Result<()> {
    let mut forms: Vec<String> = responses.iter().cloned().collect();
    for password in passwords {
        let hex: String = password.bytes().map(|byte| format!("{byte:02x}")).collect();
        let list = format!("{:?}", password.as_bytes());
        let list = list.trim_matches(['[', ']']).to_owned();
        forms.extend([(*password).to_owned(), hex, list]);
    }
    for (place, text) in places {
        for form in &forms {
            let at = text.find(form.as_str());
            ensure!(at.is_none(), "{place} holds {form}: {}", line_at(text, at));
        }
        let quoted = text.match_indices("response=").find(|(at, word)| {
            let value = text.get(at + word.len()..).unwrap_or_default();
            let value = value.trim_start_matches(['\\', '"', ' ']);
            value.bytes().take(32).filter(u8::is_ascii_hexdigit).count() == 32
        });
        ensure!(quoted.is_none(), "{place}: {}", line_at(text, quoted.map(|(at, _)| at)));
    }
    Ok(())
}

fn line_at(text: &str, at: Option<usize>) -> &str {
    let (before, after) = text.split_at_checked(at.unwrap_or_default()).unwrap_or_default();
    let begin = before.rfind('\n').map_or(0, |end| end + 1);
    let end = before.len() + after.find('\n').unwrap_or(after.len());
    text.get(begin..end).unwrap_or_default()
}

/// Every file under a folder, with its text.
fn files(folder: &Path) -> Result<Vec<(String, String)>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let kind = entry.file_type()?;
        if kind.is_dir() {
            found.extend(files(&entry.path())?);
        } else if kind.is_file() {
            let text = String::from_utf8_lossy(&fs::read(entry.path())?).into_owned();
            found.push((entry.path().display().to_string(), text));
        }
    }
    Ok(found)
}

fn settings(home: &Path, port: u16, password: &str) -> Result<PathBuf> {
    fs::create_dir_all(home)?;
    let text = format!(
        "[[account]]\nid = \"main\"\naor = \"sip:101@127.0.0.1\"\nauth_user = \"101\"\n\
         registrar = \"sip:127.0.0.1:{port};transport=udp\"\n{password}\n\
         [network]\nbind = \"127.0.0.1\"\nrtp_ports = [43000, 43999]\n\
         [paths]\ndata_dir = {data:?}\n",
        data = home.join("kept"),
    );
    let path = home.join("settings.toml");
    fs::write(&path, text)?;
    Ok(path)
}

/// Starts `balie-cli run` behind a command, with everything logged beside its settings.
fn run(config: &Path, command: Command, password: Option<&str>) -> Result<Talk> {
    run_with(config, command, password, &[])
}

fn run_with(
    config: &Path,
    mut command: Command,
    password: Option<&str>,
    more: &[&str],
) -> Result<Talk> {
    let log = config.with_file_name("balie.log");
    let flight = config.with_file_name("flight");
    command.args([OsStr::new("run"), "--audio".as_ref(), "null".as_ref(), "--config".as_ref()]);
    command.arg(config).arg("--log").arg(log).arg("--flight-dir").arg(flight).args(more);
    if let Some(password) = password {
        command.env(VARIABLE, password);
    }
    Talk::start(command)
}

/// A program whose every line is kept.
struct Talk {
    child: Child,
    lines: Receiver<Value>,
    /// Replies that came while an event was waited for: either may come first.
    replies: Vec<Value>,
    printed: Arc<Mutex<String>>,
    readers: Vec<std::thread::JoinHandle<()>>,
}

impl Talk {
    fn start(mut command: Command) -> Result<Self> {
        command.env("BALIE_LOG", "trace").env("RUST_BACKTRACE", "full");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn()?;
        let stdout = child.stdout.take().context("no standard output")?;
        let stderr = child.stderr.take().context("no standard error")?;
        let printed = Arc::new(Mutex::new(String::new()));
        let (sender, lines) = channel();
        let keep = |from: Box<dyn Read + Send>, told: Option<std::sync::mpsc::Sender<Value>>| {
            let printed = Arc::clone(&printed);
            std::thread::spawn(move || {
                for line in BufReader::new(from).lines().map_while(Result::ok) {
                    if let Some(told) = &told {
                        // Nobody waits any more at the end.
                        let _ = told.send(serde_json::from_str(&line).unwrap_or_default());
                    }
                    let mut printed = printed.lock().unwrap_or_else(PoisonError::into_inner);
                    printed.push_str(&line);
                    printed.push('\n');
                }
            })
        };
        let readers = vec![keep(Box::new(stdout), Some(sender)), keep(Box::new(stderr), None)];
        Ok(Self { child, lines, replies: Vec::new(), printed, readers })
    }

    fn say(&mut self, line: &Value) -> Result<()> {
        self.say_text(&line.to_string())
    }

    fn say_text(&mut self, line: &str) -> Result<()> {
        let stdin = self.child.stdin.as_mut().context("it reads no more")?;
        Ok(writeln!(stdin, "{line}")?)
    }

    /// Waits for a line; events before it are passed over, replies are kept for whoever asks later.
    fn until(&mut self, what: &str, fits: impl Fn(&Value) -> bool) -> Result<Value> {
        if let Some(index) = self.replies.iter().position(&fits) {
            return Ok(self.replies.remove(index));
        }
        let end = deadline(PATIENCE);
        while !is_over(end) {
            match self.lines.recv_timeout(Duration::from_millis(100)) {
                Ok(line) if fits(&line) => return Ok(line),
                Ok(line) if line.get("id").is_some() => self.replies.push(line),
                Ok(_) | Err(std::sync::mpsc::RecvTimeoutError::Timeout) => {}
                Err(error) => return Err(error).with_context(|| self.so_far(what)),
            }
        }
        anyhow::bail!("{}", self.so_far(what))
    }

    fn so_far(&self, what: &str) -> String {
        let printed = self.printed.lock().unwrap_or_else(PoisonError::into_inner);
        format!("waited for {what}; printed so far:\n{printed}")
    }

    /// Ends it and gives back all it printed.
    fn quit(mut self) -> Result<String> {
        self.say(&json!({"cmd": "quit"}))?;
        drop(self.child.stdin.take());
        let status =
            e2e::poll("balie-cli to end", PATIENCE, || self.child.try_wait().ok().flatten())?;
        ensure!(status.success(), "{status}: {}", self.so_far("a good end"));
        self.rest()
    }

    /// Everything it printed, once its output has ended.
    fn rest(&mut self) -> Result<String> {
        for reader in self.readers.drain(..) {
            reader.join().map_err(|_| anyhow::anyhow!("a reader failed"))?;
        }
        Ok(self.printed.lock().unwrap_or_else(PoisonError::into_inner).clone())
    }
}

impl Drop for Talk {
    fn drop(&mut self) {
        // A session around the program is put away by its own end, not by being killed.
        drop(self.child.stdin.take());
        let _ = e2e::poll("the end", PATIENCE, || self.child.try_wait().ok().flatten());
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The exchange, and the relay before it.
struct Pbx {
    talk: Talk,
    ready: Value,
    password: String,
    relay: Relay,
    heard: Heard,
}

impl Pbx {
    fn start() -> Result<Self> {
        let mut command = Command::new(program()?);
        command.args(["pbx", "--listen", "127.0.0.1", "--json"]);
        let mut talk = Talk::start(command)?;
        let ready = talk.until("ready", |line| line["event"] == "ready")?;
        let accounts = ready["accounts"].as_array().context("no accounts")?;
        let account = accounts.iter().find(|account| account["extension"] == "101");
        let password = account.and_then(|account| account["password"].as_str());
        let password = password.context("no password")?.to_owned();
        let port = ready["sip_udp"].as_u64().context("no port")?;
        let exchange = SocketAddr::from(([127, 0, 0, 1], u16::try_from(port)?));
        let heard = Heard::default();
        let ear = heard.clone();
        let relay = Relay::start(exchange, move |datagram, _| {
            ear.read(datagram);
            datagram.to_vec()
        })?;
        Ok(Self { talk, ready, password, relay, heard })
    }

    /// Digest responses that the program has sent so far.
    fn responses(&self) -> BTreeSet<String> {
        self.heard.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// All it printed but its ready line, which is there to tell the passwords.
    fn stop(mut self) -> Result<String> {
        self.talk.child.kill()?;
        self.talk.child.wait()?;
        let told = self.talk.rest()?;
        Ok(told
            .lines()
            .filter(|line| !line.contains("\"event\":\"ready\""))
            .fold(String::new(), |text, line| text + line + "\n"))
    }
}

impl Drop for Pbx {
    fn drop(&mut self) {
        let _ = self.talk.child.kill();
    }
}

/// Digest responses that have gone by.
#[derive(Clone, Default)]
struct Heard(Arc<Mutex<BTreeSet<String>>>);

impl Heard {
    fn read(&self, datagram: &[u8]) {
        let text = String::from_utf8_lossy(datagram);
        let values = text.split("response=\"").skip(1).filter_map(|rest| rest.split('"').next());
        let mut heard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        heard.extend(values.map(str::to_owned));
    }
}

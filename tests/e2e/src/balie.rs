//! `balie-cli run` on the other end of its JSON lines.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};

use crate::{deadline, is_over};

/// How long an answer or an event may take in these tests unless said otherwise.
pub const PATIENCE: Duration = Duration::from_secs(15);

/// The headless program under test.
pub struct Balie {
    child: Child,
    stdin: Option<ChildStdin>,
    lines: Receiver<Value>,
    /// Events that came while something else was waited for.
    waiting: Vec<Value>,
    next_id: u64,
    /// The program's zero of time.
    started: Instant,
}

/// The program's path.
///
/// # Errors
/// When neither the environment nor the target folder has it.
pub fn program() -> Result<PathBuf> {
    if let Some(path) = std::env::var_os("BALIE_CLI") {
        return Ok(path.into());
    }
    let here = std::env::current_exe()?;
    let name = format!("balie-cli{}", std::env::consts::EXE_SUFFIX);
    here.ancestors()
        .map(|folder| folder.join(&name))
        .find(|path| path.is_file())
        .context("balie-cli is not built: `cargo build -p app --bin balie-cli`")
}

/// One account in the form of a settings file.
#[derive(Debug, Clone)]
pub struct Account {
    /// Extension; user of the address and of the digest.
    pub user: String,
    /// Password.
    pub password: String,
    /// Host and port of the registrar.
    pub server: String,
    /// udp or tcp.
    pub transport: String,
    /// Codecs in order of preference.
    pub codecs: Vec<String>,
    /// False: calls go straight to and from this address.
    pub register: bool,
    /// Its own SIP port; 0: any.
    pub sip_port: u16,
    /// Further lines of the account's table.
    pub lines: Vec<String>,
}

impl Account {
    /// An account over UDP with every codec.
    #[must_use]
    pub fn new(user: &str, password: &str, server: &str) -> Self {
        let codecs = ["opus", "g722", "pcma", "pcmu"];
        Self {
            user: user.to_owned(),
            password: password.to_owned(),
            server: server.to_owned(),
            transport: "udp".to_owned(),
            codecs: codecs.iter().map(|&codec| codec.to_owned()).collect(),
            register: true,
            sip_port: 0,
            lines: Vec::new(),
        }
    }

    /// An account without a registrar, at a port that peers know.
    #[must_use]
    pub fn direct(user: &str, host: &str, port: u16) -> Self {
        let account = Self::new(user, "no-password", &format!("{host}:{port}"));
        Self { register: false, sip_port: port, ..account }
    }

    /// The same with one more line in its table.
    #[must_use]
    pub fn with(mut self, line: &str) -> Self {
        self.lines.push(line.to_owned());
        self
    }

    /// The same over TCP.
    #[must_use]
    pub fn over_tcp(self) -> Self {
        self.over("tcp")
    }

    /// The same over another transport: udp, tcp, tls, ws, wss.
    #[must_use]
    pub fn over(mut self, transport: &str) -> Self {
        self.transport = transport.to_owned();
        self
    }

    /// The same with one codec.
    #[must_use]
    pub fn with_codec(mut self, codec: &str) -> Self {
        self.codecs = vec![codec.to_owned()];
        self
    }

    /// Writes a settings file for it.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write(&self, folder: &Path, bind: &str) -> Result<PathBuf> {
        let host = self.server.rsplit_once(':').map_or(self.server.as_str(), |(host, _)| host);
        let text = format!(
            "[[account]]\nid = \"main\"\ndisplay_name = \"Test {user}\"\naor = \"sip:{user}@{host}\"\n\
             registrar = \"sip:{server};transport={transport}\"\nauth_user = \"{user}\"\n\
             password = \"{password}\"\nregister = {register}\nexpires = 120\n\
             codecs = {codecs:?}\n{lines}\n\
             [network]\nbind = \"{bind}\"\nsip_port = {port}\nrtp_ports = [41000, 41999]\n\
             [paths]\ndata_dir = {data:?}\n",
            user = self.user,
            server = self.server,
            transport = self.transport,
            password = self.password,
            codecs = self.codecs,
            register = self.register,
            lines = self.lines.join("\n"),
            port = self.sip_port,
            data = folder.join(format!("data-{}", self.user)),
        );
        let path = folder.join(format!("balie-{}.toml", self.user));
        std::fs::write(&path, text)?;
        Ok(path)
    }
}

impl Balie {
    /// Starts `balie-cli run` on a settings file and waits for its hello.
    ///
    /// # Errors
    /// When it cannot be started or does not greet.
    pub fn start(config: &Path, audio: &str) -> Result<Self> {
        Self::start_by(Command::new(program()?), config, audio)
    }

    /// The same with a command that runs the program elsewhere (in a namespace).
    ///
    /// # Errors
    /// When it cannot be started or does not greet.
    pub fn start_by(mut command: Command, config: &Path, audio: &str) -> Result<Self> {
        let log = config.with_extension("log");
        let mut child = command
            .args(["run", "--audio", audio, "--config"])
            .arg(config)
            .arg("--log")
            .arg(&log)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .context("cannot start balie-cli")?;
        let stdout = child.stdout.take().context("no standard output")?;
        let stdin = child.stdin.take();
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                let value = serde_json::from_str(&line).unwrap_or(Value::String(line));
                if sender.send(value).is_err() {
                    return;
                }
            }
        });
        let started = deadline(Duration::ZERO);
        let mut balie = Self { child, stdin, lines, waiting: Vec::new(), next_id: 0, started };
        let hello = balie.event("hello", |_| true)?;
        let age = Duration::from_secs_f64(hello["t"].as_f64().unwrap_or(0.0));
        balie.started = deadline(Duration::ZERO).checked_sub(age).unwrap_or(started);
        Ok(balie)
    }

    /// Its process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends a command and gives back its `ok`, or the error as `Err`.
    ///
    /// # Errors
    /// With the code and message of a refused command.
    pub fn request(&mut self, cmd: &str, arguments: &Value) -> Result<Value> {
        self.request_within(cmd, arguments, PATIENCE)
    }

    /// The same with a patience of one's own.
    ///
    /// # Errors
    /// With the code and message of a refused command.
    pub fn request_within(
        &mut self,
        cmd: &str,
        arguments: &Value,
        patience: Duration,
    ) -> Result<Value> {
        self.next_id += 1;
        let id = self.next_id;
        let mut line = arguments.clone();
        if !line.is_object() {
            line = json!({});
        }
        if let Some(object) = line.as_object_mut() {
            object.insert("id".to_owned(), json!(id));
            object.insert("cmd".to_owned(), json!(cmd));
        }
        self.send_line(&line.to_string())?;
        let reply =
            self.wait(&format!("the reply to {cmd}"), patience, |value| value["id"] == id)?;
        if let Some(error) = reply.get("error") {
            bail!("{cmd}: {} ({})", error["code"].as_str().unwrap_or("?"), error["message"]);
        }
        Ok(reply["ok"].clone())
    }

    /// Writes one line to the program.
    ///
    /// # Errors
    /// When it reads no more.
    pub fn send_line(&mut self, line: &str) -> Result<()> {
        let stdin = self.stdin.as_mut().context("the program reads no more")?;
        writeln!(stdin, "{line}")?;
        stdin.flush()?;
        Ok(())
    }

    /// Waits for an event of this name that fits; earlier events that do not are kept.
    ///
    /// # Errors
    /// When none came in time; the error tells what did come.
    pub fn event(&mut self, name: &str, fits: impl Fn(&Value) -> bool) -> Result<Value> {
        self.event_within(name, PATIENCE, fits)
    }

    /// The same with its own patience.
    ///
    /// # Errors
    /// When none came in time.
    pub fn event_within(
        &mut self,
        name: &str,
        limit: Duration,
        fits: impl Fn(&Value) -> bool,
    ) -> Result<Value> {
        self.wait(name, limit, |value| value["event"] == name && fits(value))
    }

    /// Waits for any line that fits.
    ///
    /// # Errors
    /// When none came in time or the program ended.
    pub fn wait(
        &mut self,
        what: &str,
        limit: Duration,
        fits: impl Fn(&Value) -> bool,
    ) -> Result<Value> {
        if let Some(index) = self.waiting.iter().position(&fits) {
            return Ok(self.waiting.remove(index));
        }
        let end = deadline(limit);
        while !is_over(end) {
            match self.lines.recv_timeout(left(end)) {
                Ok(value) if fits(&value) => return Ok(value),
                Ok(value) => self.waiting.push(value),
                Err(RecvTimeoutError::Timeout) => break,
                Err(RecvTimeoutError::Disconnected) => {
                    bail!("balie-cli ended while waiting for {what}; it said {}", self.told())
                }
            }
        }
        bail!("no {what} within {limit:?}; what came last: {}", self.told())
    }

    /// The last lines that nobody took, newest first.
    fn told(&self) -> String {
        let lines = self.waiting.iter().rev().take(8).map(Value::to_string);
        lines.collect::<Vec<_>>().join(" ")
    }

    /// The next event of this name, if one comes in time; others are kept.
    ///
    /// # Errors
    /// When the program ended.
    pub fn next_event(&mut self, name: &str, limit: Duration) -> Result<Option<Value>> {
        let is_it = |value: &Value| value["event"] == name;
        if let Some(index) = self.waiting.iter().position(is_it) {
            return Ok(Some(self.waiting.remove(index)));
        }
        let end = deadline(limit);
        loop {
            match self.lines.recv_timeout(left(end)) {
                Ok(value) if is_it(&value) => return Ok(Some(value)),
                Ok(value) => self.waiting.push(value),
                Err(RecvTimeoutError::Timeout) => return Ok(None),
                Err(RecvTimeoutError::Disconnected) => bail!("balie-cli ended"),
            }
        }
    }

    /// Throws away the events of this name that have come and that nobody took.
    pub fn forget(&mut self, name: &str) {
        while let Ok(value) = self.lines.try_recv() {
            self.waiting.push(value);
        }
        self.waiting.retain(|event| event["event"] != name);
    }

    /// True when such an event has come and nobody has taken it. Asks without waiting.
    #[must_use]
    pub fn has_come(&self, name: &str) -> bool {
        self.waiting.iter().any(|event| event["event"] == name)
    }

    /// Waits until the account is registered.
    ///
    /// # Errors
    /// When it is not in time.
    pub fn registered(&mut self) -> Result<()> {
        self.event("account.state", |event| event["state"] == "registered")?;
        Ok(())
    }

    /// When the program started, by its own account.
    #[must_use]
    pub fn started(&self) -> Instant {
        self.started
    }

    /// Waits until the account is registered, not counting what was before `since`; tells when.
    ///
    /// # Errors
    /// When it is not in time.
    pub fn registered_since(&mut self, since: Instant, limit: Duration) -> Result<Instant> {
        let started = self.started;
        let at = move |event: &Value| {
            started + Duration::from_secs_f64(event["t"].as_f64().unwrap_or(0.0))
        };
        let event = self.event_within("account.state", limit, |event| {
            event["state"] == "registered" && at(event) >= since
        })?;
        Ok(at(&event))
    }

    /// An event that has come already, if one fits. It is not taken.
    pub fn seen(&mut self, name: &str, fits: impl Fn(&Value) -> bool) -> Option<Value> {
        while let Ok(value) = self.lines.try_recv() {
            self.waiting.push(value);
        }
        self.waiting.iter().find(|value| value["event"] == name && fits(value)).cloned()
    }

    /// Waits for a state of a call.
    ///
    /// # Errors
    /// When it does not come in time.
    pub fn call_state(&mut self, call: &Value, state: &str) -> Result<Value> {
        self.event("call.state", |event| event["call"] == *call && event["state"] == state)
    }

    /// Dials and waits until somebody answers; gives back the call's id.
    ///
    /// # Errors
    /// When it is not answered.
    pub fn dial(&mut self, to: &str) -> Result<Value> {
        let call = self.begin(to)?;
        self.call_state(&call, "active")?;
        Ok(call)
    }

    /// Dials and gives back the call's id.
    ///
    /// # Errors
    /// When the command is refused.
    pub fn begin(&mut self, to: &str) -> Result<Value> {
        let ok = self.request("call.dial", &json!({"to": to}))?;
        call_id(&ok)
    }

    /// Waits for an incoming call that rings and gives back its id.
    ///
    /// # Errors
    /// When none rings in time.
    pub fn ringing(&mut self) -> Result<Value> {
        let event = self.event("call.state", |event| {
            event["direction"] == "in" && event["state"] == "ringing"
        })?;
        Ok(event["call"].clone())
    }

    /// Hangs up and waits for the end.
    ///
    /// # Errors
    /// When the call does not end.
    pub fn hangup(&mut self, call: &Value) -> Result<()> {
        self.request("call.hangup", &json!({"call": call}))?;
        self.call_state(call, "ended")?;
        Ok(())
    }

    /// Ends the program orderly and tells how it ended.
    ///
    /// # Errors
    /// When it does not end in time.
    pub fn quit(mut self) -> Result<i32> {
        self.request("quit", &json!({}))?;
        drop(self.stdin.take());
        let status = crate::poll("balie-cli to end", Duration::from_secs(6), || {
            self.child.try_wait().ok().flatten()
        })?;
        Ok(status.code().unwrap_or(-1))
    }
}

impl Drop for Balie {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[expect(clippy::disallowed_methods, reason = "tests of real programs wait with a deadline")]
fn left(end: Instant) -> Duration {
    end.saturating_duration_since(Instant::now()).max(Duration::from_millis(1))
}

/// The call of a reply: its id alone, or an object that holds it.
fn call_id(ok: &Value) -> Result<Value> {
    let id = ok.get("call").unwrap_or(ok);
    if id.is_number() || id.is_string() {
        return Ok(id.clone());
    }
    bail!("the reply holds no call: {ok}")
}

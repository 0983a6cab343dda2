//! The control port: JSON lines over TCP on loopback. The crate's documentation lists the commands.

mod centre;

use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::task::JoinSet;

use crate::acd::{AgentId, QueueId, Request};
use crate::knob::{self, Knob};
use crate::pbx::{Ask, CustomerCall, PbxError};
use crate::xsi::knobs::{self, XsiKnob};

/// Longest line.
const LINE: u64 = 64 * 1024;
/// Connections at once.
const CONNECTIONS: usize = 16;
/// A restart takes no longer.
const LONGEST_DOWN_S: u64 = 600;
const COMMANDS: [&str; 8] = [
    "customer.call",
    "restart",
    "status",
    "call.list",
    "help",
    "agent.list",
    "queue.list",
    "clock.set",
];
/// What can be asked of the call centre.
const CENTRE: [&str; 11] = [
    "agent.state",
    "agent.join",
    "agent.extend",
    "agent.disposition",
    "queue.reorder",
    "queue.promote",
    "queue.transfer",
    "queue.release",
    "queue.night",
    "queue.forward",
    "queue.configure",
];

/// What a line may ask for.
#[derive(Debug, PartialEq, Deserialize)]
#[serde(tag = "cmd")]
enum Command {
    #[serde(rename = "customer.call")]
    CustomerCall(CustomerCall),
    #[serde(rename = "restart")]
    Restart {
        #[serde(default)]
        down_s: u64,
    },
    #[serde(rename = "status")]
    Status,
    #[serde(rename = "call.list")]
    Calls,
    #[serde(rename = "help")]
    Help,
    #[serde(rename = "agent.list")]
    Agents {
        #[serde(default)]
        agent: Option<AgentId>,
    },
    #[serde(rename = "queue.list")]
    Queues {
        #[serde(default)]
        queue: Option<QueueId>,
    },
    /// Seconds since 1970-01-01 0:00 local time.
    #[serde(rename = "clock.set")]
    Clock { local_s: i64 },
    #[serde(skip)]
    Centre(Box<Request>),
    /// All others.
    #[serde(skip)]
    Turn(Knob),
}

/// Why a line is not obeyed: a stable word and a sentence.
#[derive(Debug, PartialEq)]
struct Refusal {
    code: &'static str,
    message: String,
}

impl Refusal {
    fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }
}

impl From<PbxError> for Refusal {
    fn from(error: PbxError) -> Self {
        let code = match error {
            PbxError::UnknownNumber(_) => "bad_target",
            PbxError::NotRegistered(_) => "not_registered",
            PbxError::TooManyCalls => "busy",
            PbxError::BadValue(_) => "bad_arguments",
            PbxError::Centre(_) => "refused",
            PbxError::Stopped | PbxError::Listen { .. } => "stopped",
        };
        Self::new(code, error.to_string())
    }
}

/// Serves connections for ever.
pub(crate) async fn serve(listener: TcpListener, asks: mpsc::Sender<Ask>) {
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    let mut connections = JoinSet::new();
    while let Ok(place) = Arc::clone(&places).acquire_owned().await {
        match listener.accept().await {
            Ok((stream, _)) => {
                let asks = asks.clone();
                connections.spawn(async move {
                    if let Err(error) = connection(stream, &asks).await {
                        tracing::debug!(%error, "control connection");
                    }
                    drop(place);
                });
            }
            Err(error) => tracing::warn!(%error, "control port"),
        }
        while connections.try_join_next().is_some() {}
    }
}

async fn connection(mut stream: TcpStream, asks: &mpsc::Sender<Ask>) -> std::io::Result<()> {
    let (read, mut write) = stream.split();
    let mut lines = BufReader::new(read);
    let mut line = Vec::new();
    loop {
        line.clear();
        let length = (&mut lines).take(LINE).read_until(b'\n', &mut line).await?;
        if length == 0 {
            return Ok(());
        }
        let answer = if line.ends_with(b"\n") || (length as u64) < LINE {
            obey(&line, asks).await
        } else {
            skip_line(&mut lines).await?;
            answer(None, Err(Refusal::new("bad_line", "the line is too long")))
        };
        write.write_all(format!("{answer}\n").as_bytes()).await?;
    }
}

async fn skip_line(lines: &mut (impl AsyncBufReadExt + Unpin)) -> std::io::Result<()> {
    loop {
        let held = lines.fill_buf().await?;
        let end = held.iter().position(|&byte| byte == b'\n');
        let used = end.map_or(held.len(), |at| at + 1);
        let over = end.is_some() || held.is_empty();
        lines.consume(used);
        if over {
            return Ok(());
        }
    }
}

async fn obey(line: &[u8], asks: &mpsc::Sender<Ask>) -> Value {
    match parse(line) {
        Err((id, refusal)) => answer(id, Err(refusal)),
        Ok((id, command)) => answer(id, run(command, asks).await),
    }
}

/// The line's id and command.
fn parse(line: &[u8]) -> Result<(Option<Value>, Command), (Option<Value>, Refusal)> {
    let value: Value = serde_json::from_slice(line)
        .map_err(|error| (None, Refusal::new("bad_line", error.to_string())))?;
    let id = value.get("id").cloned();
    let named = value.get("cmd").and_then(Value::as_str).map(str::to_owned);
    let is_knob = named.as_deref().is_some_and(|name| knob::NAMES.contains(&name));
    let is_centre = named.as_deref().is_some_and(|name| CENTRE.contains(&name));
    let is_xsi = named.as_deref().is_some_and(|name| knobs::NAMES.contains(&name));
    let command = if is_knob {
        Knob::deserialize(value).map(Command::Turn)
    } else if is_centre {
        Request::deserialize(value).map(|request| Command::Centre(Box::new(request)))
    } else if is_xsi {
        XsiKnob::deserialize(value).map(|knob| Command::Turn(Knob::Xsi(knob)))
    } else {
        Command::deserialize(value)
    };
    let known = |name: &str| is_knob || is_centre || is_xsi || COMMANDS.contains(&name);
    match (named, command) {
        (_, Ok(command)) => Ok((id, command)),
        (Some(name), Err(error)) if known(&name) => {
            Err((id, Refusal::new("bad_arguments", error.to_string())))
        }
        (Some(name), Err(_)) => {
            Err((id, Refusal::new("unknown_command", format!("there is no command {name}"))))
        }
        (None, Err(_)) => Err((id, Refusal::new("bad_line", "there is no cmd"))),
    }
}

async fn run(command: Command, asks: &mpsc::Sender<Ask>) -> Result<Value, Refusal> {
    match command {
        Command::Help => {
            let names = COMMANDS.into_iter().chain(CENTRE).chain(knob::NAMES);
            let all: Vec<&str> = names.chain(knobs::NAMES).collect();
            Ok(json!({ "commands": all }))
        }
        Command::Restart { down_s } => {
            let down = Duration::from_secs(down_s.min(LONGEST_DOWN_S));
            ask(asks, |reply| Ask::Restart(down, reply)).await?;
            Ok(json!({}))
        }
        Command::Turn(knob) => {
            let touched = ask(asks, |reply| Ask::Turn(knob, reply)).await??;
            Ok(json!({ "touched": touched }))
        }
        Command::Centre(request) => {
            let done = ask(asks, |reply| Ask::Centre(request, reply)).await?;
            Ok(centre::done(done.map_err(PbxError::Centre)?))
        }
        Command::Agents { agent } => {
            let (mut view, now) = ask(asks, Ask::CentreView).await?;
            if let Some(id) = agent {
                view.agents.retain(|agent| agent.agent == id);
            }
            Ok(centre::agents(&view, now))
        }
        Command::Queues { queue } => {
            let (mut view, now) = ask(asks, Ask::CentreView).await?;
            if let Some(id) = queue {
                view.queues.retain(|queue| queue.config.id == id);
            }
            Ok(centre::queues(&view, now))
        }
        Command::Clock { local_s } => {
            ask(asks, |reply| Ask::SetClock(local_s, reply)).await?;
            Ok(json!({}))
        }
        Command::Status => {
            let status = ask(asks, Ask::Status).await?;
            Ok(serde_json::to_value(status).unwrap_or_default())
        }
        Command::Calls => {
            let calls = ask(asks, Ask::Calls).await?;
            Ok(json!({ "calls": calls }))
        }
        Command::CustomerCall(call) => {
            let number = ask(asks, |reply| Ask::CustomerCall(call, reply)).await??;
            Ok(json!({ "call": number }))
        }
    }
}

async fn ask<T>(
    asks: &mpsc::Sender<Ask>,
    make: impl FnOnce(oneshot::Sender<T>) -> Ask,
) -> Result<T, PbxError> {
    let (reply, answer) = oneshot::channel();
    asks.send(make(reply)).await.map_err(|_| PbxError::Stopped)?;
    answer.await.map_err(|_| PbxError::Stopped)
}

fn answer(id: Option<Value>, outcome: Result<Value, Refusal>) -> Value {
    let mut line = match outcome {
        Ok(value) => json!({ "ok": value }),
        Err(Refusal { code, message }) => json!({ "error": { "code": code, "message": message } }),
    };
    if let (Some(id), Some(object)) = (id, line.as_object_mut()) {
        object.insert("id".to_owned(), id);
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_read() {
        let (id, command) = parse(br#"{"id":7,"cmd":"customer.call","to":"101"}"#).unwrap();
        assert_eq!(id, Some(json!(7)));
        assert_eq!(command, Command::CustomerCall(CustomerCall::to("101")));
        let restart = parse(br#"{"cmd":"restart"}"#).unwrap().1;
        assert_eq!(restart, Command::Restart { down_s: 0 });
    }

    #[test]
    fn every_knob_is_read_by_its_name() {
        let turn = |line: &str| match parse(line.as_bytes()).unwrap().1 {
            Command::Turn(knob) => knob,
            other => panic!("{other:?}"),
        };
        let line = |state| Knob::Line { line: "201".into(), state };
        assert_eq!(
            turn(r#"{"cmd":"line.set","line":"201","state":"do_not_disturb"}"#),
            line(Some(crate::LineState::DoNotDisturb))
        );
        assert_eq!(turn(r#"{"cmd":"line.set","line":"201","state":null}"#), line(None));
        let all = [
            r#"{"cmd":"subscriptions.drop","reason":"probation"}"#,
            r#"{"cmd":"notify.loss","lost":20}"#,
            r#"{"cmd":"notify.delay","ms":500}"#,
            r#"{"cmd":"line.dnd","line":"201","on":true}"#,
            r#"{"cmd":"line.forward","line":"201","to":"202"}"#,
            r#"{"cmd":"transfer.fail","status":503}"#,
            r#"{"cmd":"answer.status","status":486,"to":"201","count":3}"#,
            r#"{"cmd":"life.set","per_minute":12.5}"#,
            r#"{"cmd":"voicemail.deposit","line":"101"}"#,
            r#"{"cmd":"callers.set","rate":2.5,"by_clock":true}"#,
            r#"{"cmd":"line.forwarding","line":"201","when":"no_answer","active":true,"to":"202"}"#,
            r#"{"cmd":"line.call_waiting","line":"201","on":false}"#,
            r#"{"cmd":"line.guest_ends","line":"101","after_s":2}"#,
            r#"{"cmd":"line.bar","line":"201","barred":"international"}"#,
            r#"{"cmd":"company.night","mode":"automatic","to":"606"}"#,
        ];
        for text in all {
            let name =
                serde_json::to_value(turn(text)).unwrap()["cmd"].as_str().unwrap().to_owned();
            assert!(knob::NAMES.contains(&name.as_str()), "{name}");
        }
    }

    #[test]
    fn every_request_to_the_call_centre_is_read_by_its_name() {
        let request = |line: &str| match parse(line.as_bytes()).unwrap().1 {
            Command::Centre(request) => *request,
            other => panic!("{other:?}"),
        };
        assert_eq!(
            request(r#"{"cmd":"agent.state","agent":"104","state":"unavailable","code":"LUNCH"}"#),
            Request::SetState {
                agent: "104".into(),
                state: crate::acd::AgentState::Unavailable,
                code: Some("LUNCH".into()),
                validate: false,
            }
        );
        let all = [
            r#"{"cmd":"agent.join","agent":"104","queue":"195","joined":false}"#,
            r#"{"cmd":"agent.extend","agent":"104","by_s":30}"#,
            r#"{"cmd":"agent.disposition","agent":"104","code":"SALE"}"#,
            r#"{"cmd":"queue.reorder","call":7,"index":0}"#,
            r#"{"cmd":"queue.promote","call":7,"priority":"highest"}"#,
            r#"{"cmd":"queue.transfer","call":7,"to":"101"}"#,
            r#"{"cmd":"queue.release","call":7}"#,
            r#"{"cmd":"queue.night","queue":"195","mode":"on","action":{"transfer":"101"}}"#,
            r#"{"cmd":"queue.forward","queue":"195","active":true,"to":"101"}"#,
            r#"{"cmd":"queue.configure","config":{"id":"195","policy":"weighted"}}"#,
        ];
        for text in all {
            let name = serde_json::to_value(request(text)).unwrap()["cmd"].clone();
            assert!(CENTRE.contains(&name.as_str().unwrap()), "{name}");
        }
        let refused = parse(br#"{"cmd":"agent.state","agent":"104","state":"asleep"}"#);
        assert_eq!(refused.unwrap_err().1.code, "bad_arguments");
    }

    #[test]
    fn bad_lines_are_named() {
        let code = |line: &[u8]| parse(line).unwrap_err().1.code;
        assert_eq!(code(b"hello"), "bad_line");
        assert_eq!(code(b"[1]"), "bad_line");
        assert_eq!(code(br#"{"cmd":"fly"}"#), "unknown_command");
        assert_eq!(code(br#"{"cmd":"customer.call"}"#), "bad_arguments");
        assert_eq!(code(br#"{"cmd":"line.set","line":"201","state":"asleep"}"#), "bad_arguments");
    }
}

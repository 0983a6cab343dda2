//! `run`: requests from standard input, replies and events to standard output, in the order they happen.

use std::sync::Arc;

use app::control::{Command, PROTOCOL, Reply, Request};
use app::event::{Event, EventLine};
use app::view::{CallView, Update};
use app::{App, Handle, Headsets, Shell, StartOptions, Surface, TrayState};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, BufReader};
use tokio::sync::mpsc;

use crate::out::{self, Failure};
use crate::{Run, setup};

/// Longest request line.
const LINE: u64 = 256 * 1024;

/// A line on its way out.
pub(crate) enum Line {
    /// An answer.
    Reply(Reply),
    /// News.
    Event(Box<EventLine>),
}

pub(crate) async fn run(arguments: Run) -> Result<(), Failure> {
    let _log = setup::log(arguments.log.as_deref(), arguments.log_size)?;
    let config = setup::config(&arguments.config)?;
    if let Some(folder) = &arguments.flight_dir {
        tracing::info!(folder = %folder.display(), "the flight recorder is not there yet");
    }
    let (sender, lines) = mpsc::unbounded_channel();
    // A headset is for whoever wears it: without a person before it, it is used when the file says so.
    let headsets = match config.audio.headset.on {
        Some(true) => Headsets::System,
        _ => Headsets::None,
    };
    let options =
        StartOptions { config, sound: arguments.audio, headsets, ..StartOptions::default() };
    let started = App::start(options, Arc::new(Lines(sender.clone()))).await;
    // Whoever has read it may call: the sockets are open.
    out::json(&EventLine { event: hello(), t: 0.0 })?;
    let app = started?;
    let reader = tokio::spawn(read(tokio::io::stdin(), app.handle(), sender));
    let writer = tokio::task::spawn_blocking(move || write(lines));
    app.finished().await;
    reader.abort();
    // Senders are gone now: the writer prints what is left and ends.
    let _ = reader.await;
    writer.await.map_err(|error| std::io::Error::other(error.to_string()))?
}

pub(crate) fn hello() -> Event {
    Event::Hello { protocol: PROTOCOL, version: app::VERSION.to_owned() }
}

/// Reads requests until there are no more, then ends the program.
async fn read(input: impl AsyncRead + Unpin, handle: Handle, out: mpsc::UnboundedSender<Line>) {
    let mut input = BufReader::new(input);
    let mut line = Vec::new();
    loop {
        line.clear();
        match (&mut input).take(LINE).read_until(b'\n', &mut line).await {
            Ok(0) | Err(_) => break,
            Ok(_) => {}
        }
        let text = String::from_utf8_lossy(&line);
        if text.trim().is_empty() {
            continue;
        }
        match Request::parse(text.trim()) {
            Ok(Request { id, command }) => {
                let out = out.clone();
                let reply = move |result| {
                    // The writer is gone only at the very end.
                    let _ = out.send(Line::Reply(Reply::new(id, result)));
                };
                handle.submit(command, reply).await;
            }
            Err(refusal) => {
                let _ = out.send(Line::Reply(refusal));
            }
        }
    }
    let ended = handle.request(Command::Quit {}).await;
    tracing::debug!(?ended, "end of input");
}

fn write(mut lines: mpsc::UnboundedReceiver<Line>) -> Result<(), Failure> {
    while let Some(line) = lines.blocking_recv() {
        match line {
            Line::Reply(reply) => out::json(&reply)?,
            Line::Event(event) => out::json(&event)?,
        }
    }
    Ok(())
}

/// Sends every event to the writer.
pub(crate) struct Lines(pub(crate) mpsc::UnboundedSender<Line>);

impl Shell for Lines {
    fn publish(&self, _: Update) {}
    fn incoming(&self, _: &[CallView]) {}
    fn tray(&self, _: TrayState) {}
    fn open(&self, _: Surface) {}
    fn event(&self, line: &EventLine) {
        // The writer is gone only at the very end.
        let _ = self.0.send(Line::Event(Box::new(line.clone())));
    }
}

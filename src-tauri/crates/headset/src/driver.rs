//! Finds devices, opens the chosen ones and keeps them company: two threads, and one more for each headset that is read.
//!
//! One thread lists the devices every couple of seconds, since a listing may take long. The other one owns the state
//! machines: it takes listings, reports, the program's words and the clock. What is lit is noted in a file, so that a run
//! that comes after one that did not end in order puts that device's lamps out; no other device is written to while there
//! is no call.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;
use tracing::{debug, warn};

use crate::core::{Calls, Core, Gesture, Input, Output};
use crate::light::{Light, Model, Mood};
use crate::transport::{Found, OpenError, Opened, Reader, Transport, Writer};

/// How often devices are listed.
const LISTING: Duration = Duration::from_secs(2);
/// A reader looks this often whether it is still wanted.
const READING: Duration = Duration::from_millis(500);
/// How long the end may take: a device that hangs is not waited for.
const FAREWELL: Duration = Duration::from_secs(1);

/// A headset that can be chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownDevice {
    /// What it is chosen by.
    pub id: String,
    /// What it calls itself.
    pub name: String,
}

/// What the program wants of devices.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Choice {
    /// A headset's keys and lamps are used.
    pub headset: bool,
    /// Which one; none: the first there is.
    pub device: Option<String>,
    /// A busy light is used.
    pub light: bool,
}

/// How things stand with the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct State {
    /// Its calls.
    pub calls: Calls,
    /// What a busy light tells.
    pub mood: Mood,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The headsets that are connected, whenever there are others than before.
    Devices(Vec<KnownDevice>),
    /// A headset is in use, or none any more.
    Headset(Option<KnownDevice>),
    /// The wanted headset cannot be used; it is tried again with every listing.
    Unusable {
        /// Which one.
        device: KnownDevice,
        /// Why.
        reason: OpenError,
    },
    /// Another program has the headset, or no longer.
    Foreign(bool),
    /// The user asks for this with the headset.
    Gesture(Gesture),
    /// The name of the busy light in use, or none any more.
    Light(Option<String>),
}

/// What a [`Driver`] tells.
pub type Events = mpsc::UnboundedReceiver<Event>;

/// What the thread is told.
enum Message {
    Choice(Choice),
    State(State),
    Listed(Vec<Found>),
    Report(u64, Vec<u8>),
    Gone(u64),
    End,
}

/// The running threads. When it is dropped all lamps go out and the threads end.
#[derive(Debug)]
pub struct Driver {
    messages: Sender<Message>,
    ended: Receiver<()>,
}

impl Driver {
    /// Starts, with nothing wanted yet. `note`: the file that notes which device has lamps of ours lit; none: a run that
    /// does not end in order leaves them so.
    pub fn start(transport: Arc<dyn Transport>, note: Option<PathBuf>) -> (Driver, Events) {
        let (messages, received) = channel();
        let (told, events) = mpsc::unbounded_channel();
        let (end, ended) = channel();
        let sender = messages.clone();
        thread::spawn(move || {
            let (wanted, wants) = channel();
            let lister = (transport.clone(), sender.clone());
            thread::spawn(move || list(&*lister.0, &wants, &lister.1));
            let mut desk = Desk::new(transport, sender, told, note, wanted);
            desk.run(&received);
            // Whoever waits for the end may have stopped waiting.
            let _ = end.send(());
        });
        (Driver { messages, ended }, events)
    }

    /// What is wanted from now on.
    pub fn choose(&self, choice: Choice) {
        self.say(Message::Choice(choice));
    }

    /// How things stand from now on.
    pub fn tell(&self, state: State) {
        self.say(Message::State(state));
    }

    fn say(&self, message: Message) {
        if self.messages.send(message).is_err() {
            warn!("the thread of the headset has ended");
        }
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        self.say(Message::End);
        if self.ended.recv_timeout(FAREWELL) == Err(RecvTimeoutError::Timeout) {
            warn!("a headset does not take its last report");
        }
    }
}

/// Lists the devices every couple of seconds while that is wanted, and tells when there are others.
fn list(transport: &dyn Transport, wants: &Receiver<bool>, told: &Sender<Message>) {
    let mut wanted = false;
    let mut known: Option<Vec<Found>> = None;
    loop {
        let word = match wanted {
            true => wants.recv_timeout(LISTING),
            false => wants.recv().map_err(|_| RecvTimeoutError::Disconnected),
        };
        match word {
            Ok(on) => (wanted, known) = (on, None),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
        if !wanted {
            continue;
        }
        let listed = transport.list().unwrap_or_else(|error| {
            debug!(%error, "the devices are not listed");
            Vec::new()
        });
        // The same list is told as well: what could not be opened is tried again.
        if known.as_ref() != Some(&listed) || !listed.is_empty() {
            known = Some(listed.clone());
            if told.send(Message::Listed(listed)).is_err() {
                return;
            }
        }
    }
}

/// Hands on the reports of one device until it is gone or not wanted any more.
fn read(mut reader: Box<dyn Reader>, run: u64, told: &Sender<Message>, wanted: &AtomicBool) {
    while wanted.load(Ordering::Relaxed) {
        let message = match reader.read(READING) {
            Ok(Some(report)) => Message::Report(run, report),
            Ok(None) => continue,
            Err(error) => {
                debug!(%error, "a headset is gone");
                Message::Gone(run)
            }
        };
        let gone = matches!(message, Message::Gone(_));
        if told.send(message).is_err() || gone {
            return;
        }
    }
}

/// A headset in use.
struct Headset {
    device: KnownDevice,
    run: u64,
    core: Core,
    writer: Box<dyn Writer>,
    reading: Arc<AtomicBool>,
}

impl Drop for Headset {
    fn drop(&mut self) {
        self.reading.store(false, Ordering::Relaxed);
    }
}

/// A busy light in use.
struct Lamp {
    id: String,
    light: Light,
    writer: Box<dyn Writer>,
}

/// What the thread knows.
struct Desk {
    transport: Arc<dyn Transport>,
    messages: Sender<Message>,
    told: mpsc::UnboundedSender<Event>,
    note: Option<PathBuf>,
    listing: Sender<bool>,
    choice: Choice,
    state: State,
    listed: Vec<KnownDevice>,
    headset: Option<Headset>,
    lamp: Option<Lamp>,
    /// What could not be used and was told.
    unusable: Option<(String, OpenError)>,
    runs: u64,
}

impl Desk {
    fn new(
        transport: Arc<dyn Transport>,
        messages: Sender<Message>,
        told: mpsc::UnboundedSender<Event>,
        note: Option<PathBuf>,
        listing: Sender<bool>,
    ) -> Desk {
        Desk {
            transport,
            messages,
            told,
            note,
            listing,
            choice: Choice::default(),
            state: State::default(),
            listed: Vec::new(),
            headset: None,
            lamp: None,
            unusable: None,
            runs: 0,
        }
    }

    fn run(&mut self, received: &Receiver<Message>) {
        loop {
            let message = match self.poll_timeout() {
                Some(due) => received.recv_timeout(due.saturating_duration_since(now())),
                None => received.recv().map_err(|_| RecvTimeoutError::Disconnected),
            };
            match message {
                Ok(Message::End) | Err(RecvTimeoutError::Disconnected) => break,
                Ok(message) => self.handle(now(), message),
                Err(RecvTimeoutError::Timeout) => {}
            }
            self.on_time(now());
        }
        self.leave_headset(now());
        self.leave_lamp(now());
    }

    fn poll_timeout(&self) -> Option<Instant> {
        let headset = self.headset.as_ref().and_then(|headset| headset.core.poll_timeout());
        let lamp = self.lamp.as_ref().and_then(|lamp| lamp.light.poll_timeout());
        headset.into_iter().chain(lamp).min()
    }

    fn handle(&mut self, now: Instant, message: Message) {
        match message {
            Message::Choice(choice) => self.choose(now, choice),
            Message::State(state) => {
                self.state = state;
                self.give_headset(now, Input::Calls(state.calls));
                if let Some(lamp) = &mut self.lamp {
                    lamp.light.set(now, state.mood);
                }
            }
            Message::Listed(listed) => self.listed(now, &listed),
            Message::Report(run, report) => {
                if self.headset.as_ref().is_some_and(|headset| headset.run == run) {
                    self.give_headset(now, Input::Report(&report));
                }
            }
            Message::Gone(run) => {
                if self.headset.take_if(|headset| headset.run == run).is_some() {
                    self.tell(Event::Headset(None));
                }
            }
            Message::End => {}
        }
    }

    fn on_time(&mut self, now: Instant) {
        if let Some(headset) = &mut self.headset {
            headset.core.handle_timeout(now);
            self.carry_out();
        }
        let Some(lamp) = &mut self.lamp else { return };
        lamp.light.handle_timeout(now);
        if let Some(report) = lamp.light.poll_output()
            && let Err(error) = lamp.writer.write(&report)
        {
            debug!(%error, "a busy light is gone");
            self.lamp = None;
            self.tell(Event::Light(None));
        }
    }

    fn choose(&mut self, now: Instant, choice: Choice) {
        if !choice.headset || choice.device != self.choice.device {
            self.leave_headset(now);
        }
        if !choice.light {
            self.leave_lamp(now);
        }
        if !choice.headset && !self.listed.is_empty() {
            self.listed.clear();
            self.tell(Event::Devices(Vec::new()));
        }
        self.unusable = None;
        let wanted = choice.headset || choice.light;
        self.choice = choice;
        // The lister ends with this thread only.
        let _ = self.listing.send(wanted);
    }

    fn listed(&mut self, now: Instant, found: &[Found]) {
        if self.choice.headset {
            self.find_headset(now, found);
        }
        if self.choice.light {
            self.find_lamp(now, found);
        }
    }

    fn find_headset(&mut self, now: Instant, found: &[Found]) {
        let headsets: Vec<&Found> = found.iter().filter(|device| device.telephony).collect();
        let known: Vec<KnownDevice> = headsets.iter().map(|device| known(device)).collect();
        if known != self.listed {
            self.listed.clone_from(&known);
            self.tell(Event::Devices(known));
        }
        let is_there =
            |headset: &Headset| headsets.iter().any(|found| found.id == headset.device.id);
        if self.headset.take_if(|headset| !is_there(headset)).is_some() {
            self.tell(Event::Headset(None));
        }
        let wanted = self.choice.device.as_deref();
        if self.headset.is_none()
            && let Some(device) =
                headsets.into_iter().find(|device| wanted.is_none_or(|id| id == device.id))
        {
            self.open_headset(now, device);
        }
    }

    fn open_headset(&mut self, now: Instant, device: &Found) {
        let opened = self.transport.open(device).and_then(|opened| {
            let core = Core::new(&opened.descriptor);
            core.map(|core| (core, opened)).map_err(|error| OpenError::Other(error.to_string()))
        });
        match opened {
            Ok((core, Opened { reader, writer, .. })) => {
                self.runs += 1;
                let (run, told) = (self.runs, self.messages.clone());
                let reading = Arc::new(AtomicBool::new(true));
                let wanted = reading.clone();
                thread::spawn(move || read(reader, run, &told, &wanted));
                let device = known(device);
                debug!(name = device.name, "headset in use");
                let left_lit = self.noted().is_some_and(|id| id == device.id);
                self.tell(Event::Headset(Some(device.clone())));
                self.headset = Some(Headset { device, run, core, writer, reading });
                self.unusable = None;
                if left_lit {
                    self.give_headset(now, Input::LeftLit);
                }
                self.give_headset(now, Input::Calls(self.state.calls));
            }
            Err(reason) => {
                let told = Some((device.id.clone(), reason.clone()));
                if told != self.unusable {
                    warn!(name = device.name, %reason, "a headset cannot be used");
                    self.unusable = told;
                    self.tell(Event::Unusable { device: known(device), reason });
                }
            }
        }
    }

    fn find_lamp(&mut self, now: Instant, found: &[Found]) {
        let is_there = |lamp: &Lamp| found.iter().any(|device| device.id == lamp.id);
        if self.lamp.take_if(|lamp| !is_there(lamp)).is_some() {
            self.tell(Event::Light(None));
        }
        if self.lamp.is_some() {
            return;
        }
        let lights = found.iter().filter_map(|device| {
            Model::of(device.vendor, device.product).map(|model| (device, model))
        });
        for (device, model) in lights {
            match self.transport.open(device) {
                Ok(opened) => {
                    let mut light = Light::new(model);
                    light.set(now, self.state.mood);
                    self.lamp = Some(Lamp { id: device.id.clone(), light, writer: opened.writer });
                    self.tell(Event::Light(Some(device.name.clone())));
                    return;
                }
                Err(error) => debug!(%error, name = device.name, "a busy light cannot be used"),
            }
        }
    }

    fn leave_headset(&mut self, now: Instant) {
        if self.headset.is_some() {
            self.give_headset(now, Input::Release);
            self.headset = None;
            self.tell(Event::Headset(None));
        }
    }

    fn leave_lamp(&mut self, now: Instant) {
        let Some(mut lamp) = self.lamp.take() else { return };
        lamp.light.set(now, Mood::Off);
        if let Some(report) = lamp.light.poll_output()
            && let Err(error) = lamp.writer.write(&report)
        {
            debug!(%error, "a busy light is gone");
        }
        self.tell(Event::Light(None));
    }

    fn give_headset(&mut self, now: Instant, input: Input<'_>) {
        if let Some(headset) = &mut self.headset {
            headset.core.handle_input(now, input);
            self.carry_out();
        }
    }

    fn carry_out(&mut self) {
        while let Some(headset) = &mut self.headset
            && let Some(output) = headset.core.poll_output()
        {
            match output {
                Output::Write(report) => {
                    if let Err(error) = headset.writer.write(&report) {
                        debug!(%error, "a headset is gone");
                        self.headset = None;
                        self.tell(Event::Headset(None));
                    }
                }
                Output::Gesture(gesture) => self.tell(Event::Gesture(gesture)),
                Output::Foreign(on) => self.tell(Event::Foreign(on)),
                Output::Lit(on) => {
                    let id = headset.device.id.clone();
                    self.put_down(on.then_some(id));
                }
            }
        }
    }

    /// The device whose lamps were left lit.
    fn noted(&self) -> Option<String> {
        std::fs::read_to_string(self.note.as_ref()?).ok()
    }

    fn put_down(&self, lit: Option<String>) {
        let Some(note) = &self.note else { return };
        let done = match lit {
            Some(id) => std::fs::write(note, id),
            None => std::fs::remove_file(note),
        };
        if let Err(error) = done {
            debug!(%error, "what is lit is not noted");
        }
    }

    fn tell(&self, event: Event) {
        if self.told.send(event).is_err() {
            debug!("nobody listens to the headset any more");
        }
    }
}

fn known(device: &Found) -> KnownDevice {
    KnownDevice { id: device.id.clone(), name: device.name.clone() }
}

#[expect(clippy::disallowed_methods, reason = "the driver of the state machines")]
fn now() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests;

//! The headset's keys and lamps and the busy light: what a key asks for becomes the same commands as elsewhere, and the
//! lamps are told how the calls stand whenever that is another thing than before.

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use call_control::{Call, CallId, Direction, State as CallState};
use headset::{
    Calls, Choice, Driver, Event as Told, Events, Gesture, KnownDevice, Mood, OpenError, State,
    Talk, Transport,
};
use pbx::centre::{Service, ServiceKind};
use tracing::debug;

use super::Ask;
use super::commands::Outcome;
use super::desk::Desk;
use crate::code::Code;
use crate::control::{Answer, Command};
use crate::event::Event;
use crate::view::headset::{HeadsetDeviceView, HeadsetView};
use crate::view::{AccountState, CallDirection};

/// Beside the settings: which headset has lamps of ours lit, for the run after one that did not end in order.
const NOTE: &str = "headset-lit";

/// Where headsets come from.
#[derive(Clone, Default)]
pub enum Headsets {
    /// There are none.
    #[default]
    None,
    /// Those of this machine.
    System,
    /// Those of this one: for tests.
    Given(Arc<dyn Transport>),
}

impl fmt::Debug for Headsets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Headsets::None => "None",
            Headsets::System => "System",
            Headsets::Given(_) => "Given",
        })
    }
}

/// The headset and the light in use.
#[derive(Debug, Default)]
pub(super) struct Headset {
    driver: Option<Driver>,
    shown: Option<State>,
    devices: Vec<KnownDevice>,
    used: Option<KnownDevice>,
    light: Option<String>,
    trouble: Option<Code>,
}

impl Headset {
    /// Starts its threads where there is a way to headsets. `settings`: the file that settings are kept in.
    pub(super) fn open(headsets: &Headsets, settings: Option<&Path>) -> (Headset, Option<Events>) {
        let transport = match headsets {
            Headsets::None => None,
            Headsets::System => headset::system(),
            Headsets::Given(transport) => Some(transport.clone()),
        };
        let Some(transport) = transport else { return (Headset::default(), None) };
        let note = settings.map(|settings| settings.with_file_name(NOTE));
        let (driver, events) = Driver::start(transport, note);
        (Headset { driver: Some(driver), ..Headset::default() }, Some(events))
    }
}

impl Desk {
    /// Has the chosen devices used.
    pub(super) fn use_headset(&self) {
        let settings = &self.settings.config.audio.headset;
        let on = settings.on.unwrap_or(true);
        if let Some(driver) = &self.headset.driver {
            driver.choose(Choice {
                headset: on,
                device: Some(settings.device.clone()).filter(|id| !id.is_empty()),
                light: settings.light.unwrap_or(on),
            });
        }
    }

    /// The command: what is used of headsets.
    pub(super) fn set_headset(
        &mut self,
        now: Instant,
        on: Option<bool>,
        device: Option<String>,
        light: Option<bool>,
    ) -> Outcome {
        let settings = &mut self.settings.config.audio.headset;
        settings.on = on.or(settings.on);
        settings.device = device.unwrap_or_else(|| settings.device.clone());
        settings.light = light.or(settings.light);
        self.headset_trouble(now, None, None);
        self.use_headset();
        self.keep_settings(now);
        self.publisher.changed();
        Ok(Answer::done())
    }

    /// All lamps out; waits until that is done, or has taken too long.
    pub(super) async fn leave_headset(&mut self) {
        let driver = self.headset.driver.take();
        if let Err(error) = tokio::task::spawn_blocking(move || drop(driver)).await {
            debug!(%error, "the headset's thread failed");
        }
    }

    pub(super) fn headset_view(&self) -> HeadsetView {
        let settings = &self.settings.config.audio.headset;
        let (headset, on) = (&self.headset, settings.on.unwrap_or(true));
        let device = |known: &KnownDevice| HeadsetDeviceView {
            id: known.id.clone(),
            name: known.name.clone(),
        };
        HeadsetView {
            available: headset.driver.is_some(),
            on,
            light_on: settings.light.unwrap_or(on),
            devices: headset.devices.iter().map(device).collect(),
            device: Some(settings.device.clone()).filter(|id| !id.is_empty()),
            used: headset.used.as_ref().map(|used| used.name.clone()),
            light: headset.light.clone(),
            trouble: headset.trouble,
        }
    }

    // --- how things stand, for the lamps ---

    pub(super) fn show_on_headset(&mut self) {
        let Some(driver) = &self.headset.driver else { return };
        let calls = self.calls_for_headset();
        let state = State { calls, mood: self.mood(calls) };
        if self.headset.shown != Some(state) {
            driver.tell(state);
            self.headset.shown = Some(state);
        }
    }

    fn calls_for_headset(&self) -> Calls {
        let live = self.calls.live().or_else(|| self.dialled_call());
        let held = self.calls.iter().any(|call| call.state() == CallState::Held);
        let talks = |call: &Call| call.answered().is_some() && call.state() != CallState::Ended;
        let talk = match live {
            Some(_) => Talk::Live,
            None if self.calls.iter().any(talks) => Talk::Held,
            None => Talk::None,
        };
        let muted = live.and_then(|id| self.calls.get(id)).is_some_and(Call::muted);
        let other_held = live.is_some() && held;
        Calls { ringing: self.waiting_call().is_some(), talk, muted, other_held }
    }

    fn mood(&self, calls: Calls) -> Mood {
        let is_there =
            self.accounts.iter().any(|account| account.state == AccountState::Registered);
        match calls {
            Calls { talk: Talk::None, ringing: true, .. } => Mood::Ringing,
            Calls { talk: Talk::None, .. } if !is_there => Mood::Off,
            Calls { talk: Talk::None, .. } if self.wants_no_calls() => Mood::DoNotDisturb,
            Calls { talk: Talk::None, .. } => Mood::Free,
            _ => Mood::Busy,
        }
    }

    /// An exchange has been told that the user wants no calls.
    fn wants_no_calls(&self) -> bool {
        self.accounts.iter().any(|account| {
            let running = self.centres.get(&account.settings.id);
            let state =
                running.and_then(|running| running.centre.service(ServiceKind::DoNotDisturb));
            let actual = state.and_then(|state| state.actual.as_ref());
            matches!(actual, Some(Service::DoNotDisturb { active: true }))
        })
    }

    /// Who calls and has waited longest.
    fn waiting_call(&self) -> Option<CallId> {
        let waits =
            |call: &&Call| call.direction() == Direction::In && call.state() == CallState::Ringing;
        self.calls.iter().find(waits).map(Call::id)
    }

    fn dialled_call(&self) -> Option<CallId> {
        let begun = |call: &&Call| {
            let state = call.state();
            let early = matches!(state, CallState::Dialing | CallState::Ringing | CallState::Early);
            call.direction() == Direction::Out && early
        };
        self.calls.iter().filter(begun).last().map(Call::id)
    }

    // --- what the headset tells ---

    pub(super) fn headset_event(&mut self, now: Instant, event: Told) {
        match event {
            Told::Gesture(gesture) => return self.gesture(now, gesture),
            Told::Devices(devices) => self.headset.devices = devices,
            Told::Headset(used) => {
                self.headset.used = used;
                self.headset_trouble(now, None, None);
            }
            Told::Unusable { device, reason } => {
                let code = match reason {
                    OpenError::Denied => Code::HeadsetDenied,
                    OpenError::InUse => Code::HeadsetInUse,
                    OpenError::Other(_) => Code::HeadsetFailed,
                };
                self.headset_trouble(now, Some(code), Some(format!("{}: {reason}", device.name)));
            }
            Told::Foreign(on) => {
                let name = self.headset.used.as_ref().map(|used| used.name.clone());
                self.headset_trouble(now, on.then_some(Code::HeadsetInUse), name);
            }
            Told::Light(light) => self.headset.light = light,
        }
        self.publisher.changed();
        let Headset { used, light, trouble, .. } = &self.headset;
        let used = used.as_ref().map(|used| used.name.clone());
        let (light, trouble) = (light.clone(), *trouble);
        self.event(now, Event::HeadsetState { used, light, trouble });
    }

    /// That there is trouble now, or none any more.
    fn headset_trouble(&mut self, now: Instant, code: Option<Code>, detail: Option<String>) {
        let before = std::mem::replace(&mut self.headset.trouble, code);
        if before == code {
            return;
        }
        if let Some(before) = before {
            self.withdraw(before);
        }
        if let Some(code) = code {
            self.notice(now, code, detail, false);
        }
    }

    fn gesture(&mut self, now: Instant, gesture: Gesture) {
        let Some(command) = self.meaning(gesture) else {
            debug!(?gesture, "there is no call that it could mean");
            return;
        };
        if let Command::Dial { to, .. } = &command {
            return self.redial(now, to.clone(), command);
        }
        self.ask(
            now,
            Ask {
                command,
                reply: Box::new(move |result| {
                    if let Err(error) = result {
                        debug!(?gesture, %error, "the headset's wish is refused");
                    }
                }),
            },
        );
    }

    /// The command that a gesture stands for.
    fn meaning(&self, gesture: Gesture) -> Option<Command> {
        let live = || self.calls.live().or_else(|| self.dialled_call()).map(|id| id.0);
        let held = || {
            let mut held = self.calls.iter().filter(|call| call.state() == CallState::Held);
            held.next().map(|call| call.id().0)
        };
        let waiting = || self.waiting_call().map(|id| id.0);
        match gesture {
            Gesture::Answer => waiting().map(|call| Command::Answer { call }),
            Gesture::HangUp => live().map(|call| Command::Hangup { call }),
            Gesture::Mute(on) => live().map(|call| Command::Mute { call, on }),
            Gesture::Hold => live().map(|call| Command::Hold { call }),
            Gesture::Resume => held().map(|call| Command::Resume { call }),
            // The conversation is put on hold by what is taken instead.
            Gesture::Swap => waiting()
                .map(|call| Command::Answer { call })
                .or_else(|| held().map(|call| Command::Resume { call })),
            Gesture::Reject => waiting().map(|call| Command::Reject { call, status: None }),
            Gesture::Redial => self.last_dialled(),
        }
    }

    /// A call to the number that was called last. What costs more than people expect is asked about first.
    fn last_dialled(&self) -> Option<Command> {
        let past = self.history.iter().find(|past| past.direction == CallDirection::Out)?;
        let uri = sip_types::Uri::parse(&past.peer.uri).ok();
        let number = uri.and_then(|uri| uri.user());
        let number = number.filter(|user| contacts::NumberKey::of(user).is_some());
        let to = number.unwrap_or_else(|| past.peer.uri.clone());
        let account = self.account(&past.account).map(|account| account.settings.id.clone());
        Some(Command::Dial { to, account, withhold: false, guarded: true })
    }

    /// Dials; where that is to be asked about, the number is laid ready in the window instead.
    fn redial(&mut self, now: Instant, to: String, command: Command) {
        let work = self.later_refused(move |desk, code| {
            if code == Code::AsksFirst
                && let Err(error) = desk.prepare(&to)
            {
                debug!(%error, "the number is not laid ready");
            }
        });
        self.ask(now, Ask { command, reply: work });
    }

    /// A reply that comes back into the loop when it is a refusal.
    fn later_refused(&self, then: impl FnOnce(&mut Desk, Code) + Send + 'static) -> super::Reply {
        let (sender, refused) = tokio::sync::oneshot::channel();
        self.later(refused, move |desk, _, code| {
            if let Ok(Some(code)) = code {
                then(desk, code);
            }
        });
        Box::new(move |result| {
            // The loop may have ended.
            let _ = sender.send(result.err().map(|error| error.code));
        })
    }
}

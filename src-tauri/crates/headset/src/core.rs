//! The state machine of one headset. Told the time, it never asks.
//!
//! Inputs from the device: its reports. From the program: how its calls stand, that the device was found with lamps of
//! ours left on, that it is to be left alone. From the clock: that an answer is late, or that a hook stays off.
//! Outputs: reports to be written, what the user asks for, whether another program has the headset, whether lamps of ours
//! are lit.
//!
//! What devices tell are signals and no key presses: a hook that goes off may be somebody who answers, or the echo of our
//! own word that there is a conversation. Each side's word wants an answer from the other, or it is dropped. So a change of
//! the hook is first looked for among what we said and was not echoed yet; what is left is the user's, and is answered with
//! our lamps at once, before the call has got so far. Lamps are ours only while there is a call; nothing is written
//! otherwise, since another program may be using the headset.
//!
//! On hold the off-hook lamp is out: the headset rests, and lifting takes the call back. Muting is the program's state; of
//! a mute key every press counts that falls into a conversation. Some devices tell with the same key how a switch stands:
//! one whose echo or whose long off-time shows that is believed from then on. The on-line lamp says that there is a call; the
//! microphone lamp, which makers read in opposite ways, is used only where there is no mute lamp.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use tracing::debug;

use crate::layout::{Key, Lamp, Layout, LayoutError};

/// How long a device may take to echo our word before it is said again, and then before it is taken as heard.
const ECHO: Duration = Duration::from_secs(2);
/// How long a call may take to do what the device asked for before the lamps follow the call again.
const GRANT: Duration = Duration::from_secs(5);
/// A mute key that changes this soon after our own word is the echo of it.
const MUTE_ECHO: Duration = Duration::from_millis(300);
/// A hook that stays off this long outside our calls was answered by another program.
const FOREIGN: Duration = Duration::from_secs(3);
/// A mute key that is down for longer is a switch.
const SWITCH: Duration = Duration::from_secs(2);

/// The user's conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Talk {
    /// There is none.
    #[default]
    None,
    /// Dialling or talking.
    Live,
    /// All that there are wait on hold.
    Held,
}

/// How the program's calls stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Calls {
    /// Somebody calls and was not answered yet.
    pub ringing: bool,
    /// The conversation.
    pub talk: Talk,
    /// The microphone is not sent.
    pub muted: bool,
    /// Another call waits on hold beside the conversation.
    pub other_held: bool,
}

/// What the user asks for with the headset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gesture {
    /// Answer who calls.
    Answer,
    /// End the conversation.
    HangUp,
    /// Stop sending the microphone, or send it again.
    Mute(bool),
    /// Put the conversation on hold.
    Hold,
    /// Take the held one back.
    Resume,
    /// Put the conversation on hold and talk with who calls, or with who is on hold.
    Swap,
    /// Decline who calls.
    Reject,
    /// Call the last number again.
    Redial,
}

/// What comes in.
#[derive(Debug, Clone, Copy)]
pub enum Input<'a> {
    /// A report of the device, as it was read.
    Report(&'a [u8]),
    /// How the calls stand from now on.
    Calls(Calls),
    /// Lamps of ours may be on from a run that did not end in order.
    LeftLit,
    /// All lamps out: the program ends, or leaves the headset alone.
    Release,
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// Write this report.
    Write(Vec<u8>),
    /// The user asks for this.
    Gesture(Gesture),
    /// Another program has the headset, or no longer.
    Foreign(bool),
    /// Lamps of ours are about to be lit, or all are out.
    Lit(bool),
}

/// Something that was said and lasts until then.
type Until<T> = Option<(T, Instant)>;

/// The state machine. See the module's words.
#[derive(Debug)]
pub struct Core {
    layout: Layout,
    calls: Calls,
    /// Last values of the controls, in the order of the layout.
    values: Vec<bool>,
    /// How the hook of the device stands, as far as is known.
    hook: bool,
    busy: bool,
    /// What we said of the hook and was not echoed: the level, when that is late, and whether it was said twice.
    said: VecDeque<(bool, Instant, bool)>,
    /// A wish of the device for the hook that is granted until the call follows.
    granted: Until<bool>,
    /// The same for muting.
    muting: Until<bool>,
    /// Our own word about muting, which may be echoed.
    mute_said: Until<bool>,
    mute_down: Option<Instant>,
    mute_is_switch: bool,
    /// Since when the device is in a call that is not ours.
    foreign_since: Option<Instant>,
    foreign: bool,
    released: bool,
    lit: bool,
    written: Vec<Vec<u8>>,
    outputs: VecDeque<Output>,
}

impl Core {
    /// A headset that describes itself so.
    ///
    /// # Errors
    /// See [`Layout::read`].
    pub fn new(descriptor: &[u8]) -> Result<Core, LayoutError> {
        let layout = Layout::read(descriptor)?;
        let dark = layout.reports(|_| false);
        Ok(Core {
            values: vec![false; layout.keys().len()],
            layout,
            calls: Calls::default(),
            hook: false,
            busy: false,
            said: VecDeque::new(),
            granted: None,
            muting: None,
            mute_said: None,
            mute_down: None,
            mute_is_switch: false,
            foreign_since: None,
            foreign: false,
            released: false,
            lit: false,
            written: dark,
            outputs: VecDeque::new(),
        })
    }

    /// Takes an input.
    pub fn handle_input(&mut self, now: Instant, input: Input<'_>) {
        match input {
            Input::Report(report) => self.report(now, report),
            Input::Calls(calls) => self.calls(now, calls),
            Input::LeftLit => {
                // As long as we have nothing to say, all lamps are out: that is written though nothing changed.
                self.lit = true;
                self.outputs.extend(self.written.iter().cloned().map(Output::Write));
            }
            Input::Release => {
                self.released = true;
                (self.granted, self.muting) = (None, None);
            }
        }
        self.show(now);
        if self.released {
            // Whether it is heard does not matter any more.
            self.said.clear();
        }
    }

    /// The clock has reached what [`Core::poll_timeout`] said.
    pub fn handle_timeout(&mut self, now: Instant) {
        let over = |until: &Until<bool>| until.is_some_and(|(_, until)| until <= now);
        if over(&self.granted) {
            debug!("granted, not followed -> as the calls are");
            self.granted = None;
        }
        if over(&self.muting) {
            self.muting = None;
        }
        if over(&self.mute_said) {
            self.mute_said = None;
        }
        while let Some((level, _, twice)) = self.said.front().copied().filter(|said| said.1 <= now)
        {
            self.said.pop_front();
            let still = self.off_hook() == level && self.hook != level;
            if still && !twice {
                debug!(level, "said, not echoed -> said again");
                self.outputs.extend(self.written.iter().cloned().map(Output::Write));
                self.said.push_front((level, now + ECHO, true));
            } else if still {
                debug!(level, "said twice, not echoed -> heard");
                self.hook = level;
            }
        }
        if self.foreign_since.is_some_and(|since| since + FOREIGN <= now) && !self.foreign {
            self.foreign = true;
            self.outputs.push_back(Output::Foreign(true));
        }
        self.show(now);
    }

    /// When [`Core::handle_timeout`] is wanted.
    pub fn poll_timeout(&self) -> Option<Instant> {
        let foreign = self.foreign_since.filter(|_| !self.foreign).map(|since| since + FOREIGN);
        let said = self.said.front().map(|said| said.1);
        let until =
            [self.granted, self.muting, self.mute_said].into_iter().flatten().map(|it| it.1);
        until.chain(foreign).chain(said).min()
    }

    /// What is to be done next.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// The layout of the device.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    // --- the program's side ---

    fn calls(&mut self, now: Instant, calls: Calls) {
        let before = std::mem::replace(&mut self.calls, calls);
        if before != calls {
            debug!(?before, ?calls, "calls");
        }
        let live = calls.talk == Talk::Live;
        if let Some((level, _)) = self.granted {
            let nobody = level && !calls.ringing && calls.talk == Talk::None;
            if level == live || nobody {
                self.granted = None;
            }
        }
        if self.muting.is_some_and(|(on, _)| on == calls.muted) || !live {
            self.muting = None;
        } else if live && self.muting.is_none() && before.muted != calls.muted {
            self.mute_said = Some((calls.muted, now + MUTE_ECHO));
        }
        self.look_for_others(now);
    }

    /// The hook as our lamps say it.
    fn off_hook(&self) -> bool {
        let live = self.calls.talk == Talk::Live && !self.released;
        self.granted.map_or(live, |(level, _)| level)
    }

    fn is_lit(&self, lamp: Lamp) -> bool {
        if self.released {
            return false;
        }
        let calls = &self.calls;
        let live = calls.talk == Talk::Live;
        let off_hook = self.off_hook();
        let muted = live && self.muting.map_or(calls.muted, |(on, _)| on);
        match lamp {
            Lamp::OffHook => off_hook,
            Lamp::Mute => muted,
            // Who has been answered on the device does not ring on until the call has got so far.
            Lamp::Ring | Lamp::Ringer => {
                calls.ringing && (live || self.granted.is_none_or(|(level, _)| !level))
            }
            Lamp::Hold => calls.talk == Talk::Held && !off_hook,
            Lamp::Microphone => live && !muted && !self.layout.has_lamp(Lamp::Mute),
            Lamp::OnLine => calls.talk != Talk::None,
        }
    }

    /// Writes what the lamps are to show and do not.
    fn show(&mut self, now: Instant) {
        let reports = self.layout.reports(|lamp| self.is_lit(lamp));
        let level = self.off_hook();
        let dark = self.layout.reports(|_| false);
        let lit = reports != dark;
        if lit && !self.lit {
            self.lit = true;
            self.outputs.push_back(Output::Lit(true));
        }
        let before = std::mem::take(&mut self.written);
        for (report, before) in reports.iter().zip(&before) {
            if report != before {
                self.outputs.push_back(Output::Write(report.clone()));
            }
        }
        let expected = self.said.back().map_or(self.hook, |said| said.0);
        if reports != before && level != expected && self.layout.has_lamp(Lamp::OffHook) {
            let hook = self.layout.keys().iter().find(|field| field.key == Key::Hook);
            match hook.map(|field| field.relative) {
                Some(false) => self.said.push_back((level, now + ECHO, false)),
                // Its next press may be the user's, so it is given little time and no second one.
                Some(true) => self.said.push_back((level, now + MUTE_ECHO, true)),
                None => {}
            }
        }
        self.written = reports;
        if !lit && self.lit {
            self.lit = false;
            self.outputs.push_back(Output::Lit(false));
        }
    }

    // --- the device's side ---

    fn report(&mut self, now: Instant, report: &[u8]) {
        let values = self.layout.values(report);
        let before = self.values.clone();
        let mut changes = Vec::new();
        // A relative control that is on in two reports was pressed twice, unless the second one tells something else.
        let other = |at: usize| {
            values.iter().zip(&before).enumerate().any(|(index, (value, before))| {
                index != at && value.is_some_and(|value| value != *before)
            })
        };
        for (at, field) in self.layout.keys().iter().enumerate() {
            let (Some(value), Some(before)) = (values.get(at).copied().flatten(), before.get(at))
            else {
                continue;
            };
            let again = field.repeats && value && *before && !other(at);
            if value != *before || again {
                changes.push((field.key, field.relative, value));
            }
            if let Some(kept) = self.values.get_mut(at) {
                *kept = value;
            }
        }
        // The hook comes last: with it in one report, a button tells what kind of change it is.
        changes.sort_by_key(|(key, ..)| *key == Key::Hook);
        for (key, relative, value) in changes {
            self.change(now, key, relative, value);
        }
        self.look_for_others(now);
    }

    fn change(&mut self, now: Instant, key: Key, relative: bool, on: bool) {
        if self.released {
            if key == Key::Hook && !relative {
                self.hook = on;
            }
            return;
        }
        match key {
            // A relative control that is off tells nothing.
            _ if relative && !on => {}
            Key::Hook if relative => self.hook_pressed(now),
            Key::Hook => self.hook_moved(now, on),
            Key::Busy if relative => {}
            Key::Busy => self.busy = on,
            Key::Mute if relative => self.mute_pressed(now),
            Key::Mute => self.mute_moved(now, on),
            key if on => self.pressed(now, key),
            _ => {}
        }
    }

    /// A hook that tells only that it was pressed.
    fn hook_pressed(&mut self, now: Instant) {
        if self.said.pop_front().is_some() {
            debug!("hook pressed -> echo");
            self.hook = self.off_hook();
            return;
        }
        self.hook = !self.off_hook();
        self.hook_asks(now, self.hook);
        // It keeps no level of its own: it is where our lamps are.
        self.hook = self.off_hook();
    }

    fn hook_moved(&mut self, now: Instant, level: bool) {
        self.hook = level;
        if let Some(at) = self.said.iter().position(|said| said.0 == level) {
            debug!(level, "hook -> echo");
            self.said.drain(..=at);
        } else if level != self.off_hook() {
            self.hook_asks(now, level);
        }
    }

    /// The device wants the hook so, and we do not have it so.
    fn hook_asks(&mut self, now: Instant, level: bool) {
        let gesture = match (level, self.calls) {
            (true, Calls { ringing: true, .. }) => Gesture::Answer,
            (true, Calls { talk: Talk::Held, .. }) => Gesture::Resume,
            (true, _) => {
                debug!("hook off, no call -> nothing");
                return;
            }
            (false, _) => Gesture::HangUp,
        };
        debug!(level, ?gesture, "hook -> granted");
        self.granted = Some((level, now + GRANT));
        self.said.clear();
        self.outputs.push_back(Output::Gesture(gesture));
    }

    fn mute_pressed(&mut self, now: Instant) {
        if self.mute_said.take().is_some() {
            debug!("mute -> echo");
            return;
        }
        let muted = self.muting.map_or(self.calls.muted, |(on, _)| on);
        self.ask_mute(now, !muted);
    }

    /// A mute key with a level: a button that is pressed, or a switch.
    fn mute_moved(&mut self, now: Instant, level: bool) {
        if self.mute_said.take_if(|(on, _)| *on == level).is_some() {
            debug!("mute -> echo of a switch");
            self.mute_is_switch = true;
            return;
        }
        if !level && self.mute_down.is_some_and(|since| since + SWITCH <= now) {
            self.mute_is_switch = true;
        }
        self.mute_down = level.then_some(now);
        if self.mute_is_switch {
            self.ask_mute(now, level);
        } else if level {
            self.mute_pressed(now);
        }
    }

    fn ask_mute(&mut self, now: Instant, on: bool) {
        let muted = self.muting.map_or(self.calls.muted, |(on, _)| on);
        if self.calls.talk != Talk::Live || muted == on {
            return;
        }
        debug!(on, "mute -> granted");
        self.muting = Some((on, now + GRANT));
        self.mute_said = None;
        self.outputs.push_back(Output::Gesture(Gesture::Mute(on)));
    }

    fn pressed(&mut self, now: Instant, key: Key) {
        let Calls { ringing, talk, other_held, .. } = self.calls;
        let gesture = match (key, talk) {
            (Key::Line, Talk::None | Talk::Held) if ringing => {
                // The lamps say so at once, as when the hook is lifted; the device follows them.
                self.granted = Some((true, now + GRANT));
                Gesture::Answer
            }
            (Key::Flash | Key::Hold | Key::Line, Talk::Live) if ringing || other_held => {
                Gesture::Swap
            }
            (Key::Flash | Key::Hold | Key::Line, Talk::Live) => Gesture::Hold,
            (Key::Flash | Key::Hold | Key::Line, Talk::Held) => Gesture::Resume,
            (Key::Drop | Key::Reject, _) if ringing => Gesture::Reject,
            (Key::Drop, Talk::Live) => {
                self.granted = Some((false, now + GRANT));
                Gesture::HangUp
            }
            (Key::Redial, Talk::None) if !ringing => Gesture::Redial,
            _ => return,
        };
        debug!(?key, ?gesture, "pressed");
        self.outputs.push_back(Output::Gesture(gesture));
    }

    /// A device in a call while we have none is in somebody else's.
    fn look_for_others(&mut self, now: Instant) {
        let ours = self.calls != Calls { muted: self.calls.muted, ..Calls::default() }
            || self.granted.is_some()
            || !self.said.is_empty();
        if ours || !(self.hook || self.busy) {
            self.foreign_since = None;
            if std::mem::take(&mut self.foreign) {
                self.outputs.push_back(Output::Foreign(false));
            }
        } else {
            self.foreign_since.get_or_insert(now);
        }
    }
}

#[cfg(test)]
mod random;
#[cfg(test)]
mod tests;

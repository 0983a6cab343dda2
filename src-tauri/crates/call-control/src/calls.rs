//! The set of calls: which exist, which one has the user's ear, which one sounds.
//!
//! Answering, dialling and resuming make the live call give way first, so at most one call is live; but for the
//! members of a conference, which are live together.

use std::collections::{BTreeMap, VecDeque};
use std::time::Instant;

use crate::call::{Action, Call, CallId, Command, Direction, Refusal, Signal};
use crate::transfer::{Plan, Progress};

mod conference;
mod transfers;

/// Something for the set of calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// The user asks.
    Command(CallId, Command),
    /// The line tells.
    Signal(CallId, Signal),
}

/// Something the set of calls wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// Do this on the line.
    Action(CallId, Action),
    /// The call changed. With [`Call::end`] set this is the last word about it, said once.
    Changed(Box<Call>),
    /// The call that microphone and loudspeaker belong to: the live one, or else the newest with
    /// early media.
    Sound(Option<CallId>),
    /// The calls that hear each other and the user: the members of the conference that are not on hold. Fewer
    /// than two are none.
    Conference(Vec<CallId>),
    /// A transfer went on.
    Transfer {
        /// The call that is transferred.
        call: CallId,
        /// Where to.
        plan: Plan,
        /// How far it is. After [`Progress::Done`] and [`Progress::Failed`] comes no more, but that a
        /// failed one may be done after all.
        progress: Progress,
    },
}

/// All calls.
#[derive(Debug, Clone, Default)]
pub struct CallControl {
    calls: BTreeMap<CallId, Call>,
    last_id: u64,
    sounding: Option<CallId>,
    /// Members that hear each other, as told last.
    together: Vec<CallId>,
    outputs: VecDeque<Output>,
    /// Calls that are over and whose consequences are not drawn yet.
    ended: Vec<Ended>,
}

#[derive(Debug, Clone)]
struct Ended {
    id: CallId,
    /// SIP status, when it ended unanswered.
    status: Option<u16>,
    /// The consultation that the caller has taken over.
    partner: Option<CallId>,
    /// Whoever was its peer has agreed to go elsewhere, and may be on the way.
    on_the_way: bool,
}

impl CallControl {
    /// No calls.
    pub fn new() -> CallControl {
        CallControl::default()
    }

    /// The user dials: the live call gives way, then [`Action::Invite`].
    pub fn dial(&mut self, now: Instant) -> CallId {
        self.give_way_to(now, None);
        let id = self.create(now, Direction::Out);
        self.outputs.push_back(Output::Action(id, Action::Invite));
        id
    }

    /// Somebody calls: it rings, here and for the caller ([`Action::Ring`]).
    pub fn incoming(&mut self, now: Instant) -> CallId {
        let id = self.create(now, Direction::In);
        self.outputs.push_back(Output::Action(id, Action::Ring));
        id
    }

    /// Takes a command or a signal.
    ///
    /// # Errors
    /// A command that is not possible now; nothing has changed then. A signal is never refused: what
    /// does not fit is ignored.
    pub fn handle_input(&mut self, now: Instant, input: Input) -> Result<(), Refusal> {
        match input {
            Input::Command(id, command) => self.command(now, id, command),
            Input::Signal(id, signal) => {
                self.signal(now, id, signal);
                Ok(())
            }
        }
    }

    /// Can this be asked of that call now? Arguments are not looked at.
    pub fn allows(&self, id: CallId, command: &Command) -> bool {
        match command {
            Command::TransferComplete | Command::TransferCancel => {
                self.allows_transfer(id, command)
            }
            _ => self.calls.get(&id).is_some_and(|call| call.allows(command)),
        }
    }

    /// Looks after transfers that nobody reports about.
    pub fn handle_timeout(&mut self, now: Instant) {
        let due = |call: &&Call| call.transfer().due().is_some_and(|due| due <= now);
        for id in self.calls.values().filter(due).map(Call::id).collect::<Vec<_>>() {
            let rung = self.calls.get(&id).and_then(|call| call.transfer().rung());
            self.change(id, |call, actions| call.overdue(now, actions));
            if let Some(rung) = rung {
                self.hang_up(now, rung);
            }
        }
        self.settle(now);
    }

    /// When [`CallControl::handle_timeout`] is to be called.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.calls.values().filter_map(|call| call.transfer().due()).min()
    }

    /// The next thing wanted, in order.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// A call that is not over.
    pub fn get(&self, id: CallId) -> Option<&Call> {
        self.calls.get(&id)
    }

    /// Calls that are not over, oldest first.
    pub fn iter(&self) -> impl Iterator<Item = &Call> {
        self.calls.values()
    }

    /// The live call.
    pub fn live(&self) -> Option<CallId> {
        self.calls.values().find(|call| call.is_live()).map(Call::id)
    }

    fn create(&mut self, now: Instant, direction: Direction) -> CallId {
        let id = self.new_id();
        self.add(Call::new(id, direction, now));
        id
    }

    fn new_id(&mut self) -> CallId {
        self.last_id += 1;
        CallId(self.last_id)
    }

    fn add(&mut self, call: Call) {
        self.outputs.push_back(Output::Changed(Box::new(call.clone())));
        self.calls.insert(call.id(), call);
    }

    fn command(&mut self, now: Instant, id: CallId, command: Command) -> Result<(), Refusal> {
        match command {
            Command::TransferConsult(to) => return self.consult(now, id, to).map(|_| ()),
            Command::TransferComplete => return self.complete(now, id),
            Command::TransferCancel => return self.cancel(now, id),
            _ => {}
        }
        let call = self.calls.get(&id).ok_or(Refusal::UnknownCall)?;
        let allowed = call.allows(&command);
        if allowed && matches!(command, Command::Answer | Command::Resume) {
            self.give_way_to(now, Some(id));
        }
        let obeyed = self
            .change(id, |call, actions| call.command(now, command, actions))
            .unwrap_or(Err(Refusal::UnknownCall));
        self.settle(now);
        obeyed
    }

    fn signal(&mut self, now: Instant, id: CallId, signal: Signal) {
        let contended = self.rivals(Some(id)).next().is_some();
        self.change(id, |call, actions| call.signal(now, signal, contended, actions));
        self.follow(now, id);
        self.settle(now);
    }

    fn give_way_to(&mut self, now: Instant, id: Option<CallId>) {
        for live in self.rivals(id).collect::<Vec<_>>() {
            self.change(live, |call, actions| call.make_way(now, actions));
        }
    }

    /// The live calls that cannot be so together with `id`.
    fn rivals(&self, id: Option<CallId>) -> impl Iterator<Item = CallId> {
        let member = id.and_then(|id| self.calls.get(&id)).is_some_and(Call::in_conference);
        let live = self.calls.values().filter(move |call| call.is_live() && Some(call.id()) != id);
        live.filter(move |call| !(member && call.in_conference())).map(Call::id)
    }

    /// Changes one call and tells what came of it.
    fn change<T>(
        &mut self,
        id: CallId,
        change: impl FnOnce(&mut Call, &mut Vec<Action>) -> T,
    ) -> Option<T> {
        let call = self.calls.get_mut(&id)?;
        let before = call.clone();
        let mut actions = Vec::new();
        let result = change(call, &mut actions);
        let changed = (*call != before).then(|| Box::new(call.clone()));
        let news = transfer_news(&before, call);
        let over = call.is_over();
        self.ended.extend(over.then(|| transfers::ended(call)));
        self.outputs.extend(actions.into_iter().map(|action| Output::Action(id, action)));
        self.outputs.extend(news);
        self.outputs.extend(changed.map(Output::Changed));
        if over {
            self.calls.remove(&id);
        }
        self.update_sound();
        Some(result)
    }

    fn update_sound(&mut self) {
        let early = || self.calls.values().rev().find(|call| call.is_early()).map(Call::id);
        let sounding = self.live().or_else(early);
        if sounding != self.sounding {
            self.sounding = sounding;
            self.outputs.push_back(Output::Sound(sounding));
        }
        self.update_conference();
    }
}

/// What is to be told about a call's transfer.
fn transfer_news(before: &Call, after: &Call) -> Option<Output> {
    let (before, transfer) = (before.transfer(), after.transfer());
    let same = (before.number(), before.progress()) == (transfer.number(), transfer.progress());
    let (plan, progress) = (transfer.plan()?.clone(), transfer.progress()?);
    (!same).then_some(Output::Transfer { call: after.id(), plan, progress })
}

#[cfg(test)]
mod tests;

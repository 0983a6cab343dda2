//! Recording at the exchange: how far it is for each call, and what the user wants with it.
//!
//! The exchange's word is the state: that it took a command says nothing, its news of the call do.

use std::time::Instant;

use pbx::centre::{CallVerb, Capability, Recording, RecordingState, Request};

use super::super::commands::unknown_call;
use super::super::desk::Desk;
use super::super::line::Line;
use super::commands::Step;
use crate::code::Code;
use crate::control::ErrorReply;
use crate::view::recording::{RecordDo, RecordingName, RecordingView};

impl Desk {
    /// The recording of a call of this program.
    pub(in super::super) fn call_recording_view(&self, line: &Line) -> Option<RecordingView> {
        self.recording_view(&line.account, line.exchange_call.as_deref()?)
    }

    /// The recording of a call by the exchange's own name; `None` where the exchange offers none.
    pub(in super::super) fn recording_view(
        &self,
        account: &str,
        call: &str,
    ) -> Option<RecordingView> {
        let centre = &self.centres.get(account)?.centre;
        let call = centre.calls().find(|known| known.id == call)?;
        if !centre.can(Capability::Recording) {
            return None;
        }
        let may = match centre.link().is_up() {
            true => call.may_record(),
            false => Vec::new(),
        };
        Some(RecordingView {
            state: name(call.recording_state()),
            here: false,
            may: may.into_iter().map(shown).collect(),
        })
    }

    pub(super) fn record_call(
        &mut self,
        now: Instant,
        call: u64,
        action: RecordDo,
    ) -> Result<(String, Step), ErrorReply> {
        if self.records_here(call) {
            return Ok((String::new(), Step::Done(self.record_here(now, call, action)?)));
        }
        let (account, name) = match self.remote_name(call) {
            Some((account, name)) => (account.to_owned(), Some(name.to_owned())),
            None => {
                let line = self.lines.get(&call_control::CallId(call));
                let line = line.ok_or_else(|| unknown_call(call))?;
                (line.account.clone(), line.exchange_call.clone())
            }
        };
        let running = self.running(&account)?;
        running.need(Capability::Recording)?;
        let wrong = |text| ErrorReply::new(Code::WrongState, text);
        let centre = &running.centre;
        let known = centre.calls().find(|known| Some(&known.id) == name.as_ref());
        let known = known.ok_or_else(|| wrong("the exchange does not tell of this call"))?;
        let verb = meant(action);
        if !known.may_record().contains(&verb) {
            return Err(wrong("the exchange does not allow this with the recording now"));
        }
        let request = Request::Control { call: known.id.clone(), verb: CallVerb::Record(verb) };
        Ok((account, Step::Asked(running.centre.ask(now, request))))
    }
}

fn name(state: RecordingState) -> RecordingName {
    match state {
        RecordingState::Off => RecordingName::Off,
        RecordingState::On => RecordingName::On,
        RecordingState::Paused => RecordingName::Paused,
        RecordingState::Failed => RecordingName::Failed,
    }
}

fn shown(verb: Recording) -> RecordDo {
    match verb {
        Recording::Start => RecordDo::Start,
        Recording::Stop => RecordDo::Stop,
        Recording::Pause => RecordDo::Pause,
        Recording::Resume => RecordDo::Resume,
    }
}

fn meant(action: RecordDo) -> Recording {
    match action {
        RecordDo::Start => Recording::Start,
        RecordDo::Stop => Recording::Stop,
        RecordDo::Pause => Recording::Pause,
        RecordDo::Resume => Recording::Resume,
    }
}

//! Recording of calls: by themselves or when their user asks, paused and resumed, as the line's service is set.
//!
//! Inputs: from the web services `record`; from the rooms `recordings_due`; from the media task `recording_news`; from
//! whoever ends a call `recording_over`. A recording is `Pending` (the phones are on their way into the room, the file is
//! being opened) -> `Started` <-> `Paused` -> `Stopped`.

use std::time::Instant;

use super::{Exchange, UserCall, VerbError};
use crate::call::{Call, State};
use crate::desk::RecordingMode;
use crate::media_task::MediaCommand;
use crate::pbx::CallNumber;
use crate::recorder::{Record, RecordingNews, Title};

/// How far a recording is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RecordingState {
    Pending,
    Started,
    Paused,
    Stopped { failed: bool },
}

/// The recording of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Recording {
    /// Extension of whose recording it is.
    pub(super) user: String,
    pub(super) state: RecordingState,
    /// The media task has been told.
    asked: bool,
    title: Title,
}

/// What a user wants with a recording.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RecordingVerb {
    Record,
    Pause,
    Resume,
    Stop,
}

/// A user's call as to its recording.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct UserRecording {
    pub(crate) state: Option<RecordingState>,
    /// In the words of the interface.
    pub(crate) controls: &'static str,
}

impl Exchange {
    /// Does something with the recording of a user's call.
    ///
    /// # Errors
    /// [`VerbError::NotAssigned`] where nothing is recorded, [`VerbError::WrongState`].
    pub(crate) fn record(
        &mut self,
        now: Instant,
        call: &UserCall,
        verb: RecordingVerb,
    ) -> Result<(), VerbError> {
        let number = self.number_of(call)?;
        let mode = self.desk.rules(&call.user).recording;
        if !self.records || mode == RecordingMode::Never {
            return Err(VerbError::NotAssigned);
        }
        let allowed = controls(mode, self.recording_state(number, &call.user)?);
        let word = match verb {
            RecordingVerb::Record => "record",
            RecordingVerb::Pause => "pause",
            RecordingVerb::Resume => "resume",
            RecordingVerb::Stop => "stop",
        };
        if !allowed.split('-').any(|one| one == word) {
            return Err(VerbError::WrongState);
        }
        if verb == RecordingVerb::Record {
            self.begin_recording(now, number, &call.user)?;
        } else if let Some(recording) = self.recordings.get_mut(&number) {
            let (state, record) = match verb {
                RecordingVerb::Pause => (RecordingState::Paused, Record::Pause),
                RecordingVerb::Resume => (RecordingState::Started, Record::Resume),
                _ => (RecordingState::Stopped { failed: false }, Record::Stop),
            };
            tracing::debug!(call = number.0, "{:?}, {verb:?} -> {state:?}", recording.state);
            recording.state = state;
            self.media(MediaCommand::Record(number, record));
        }
        self.changed = true;
        self.settle(now);
        Ok(())
    }

    /// How far the recording of a call is that this user may control.
    fn recording_state(
        &self,
        number: CallNumber,
        user: &str,
    ) -> Result<Option<RecordingState>, VerbError> {
        match self.recordings.get(&number) {
            None => Ok(None),
            Some(recording) if recording.user == user => Ok(Some(recording.state)),
            Some(_) => Err(VerbError::WrongState),
        }
    }

    fn begin_recording(
        &mut self,
        now: Instant,
        number: CallNumber,
        user: &str,
    ) -> Result<(), VerbError> {
        let talks = self.calls.get(&number).is_some_and(|call| {
            let free = call.transfer.is_none() && !call.waits();
            matches!(call.state, State::Talking { .. }) && free
        });
        if !talks {
            return Err(VerbError::WrongState);
        }
        let title = Title {
            line: user.to_owned(),
            local_s: self.calendar.local(now),
            token: self.random.token(12),
        };
        let state = RecordingState::Pending;
        tracing::debug!(call = number.0, %user, "none, record -> {state:?}");
        let recording = Recording { user: user.to_owned(), state, asked: false, title };
        self.recordings.insert(number, recording);
        self.room_of(now, number);
        Ok(())
    }

    /// Calls of lines that record everything.
    pub(super) fn record_by_itself(&mut self, now: Instant) {
        if !self.records {
            return;
        }
        let wants = |call: &Call| {
            if !matches!(call.state, State::Talking { .. })
                || call.waits()
                || call.mailbox.is_some()
                || call.supervises.is_some()
            {
                return None;
            }
            let lines = [&call.called, &call.caller];
            lines.into_iter().filter_map(|who| who.extension.clone()).find(|line| {
                let mode = self.desk.rules(line).recording;
                self.company.account(line).is_some()
                    && matches!(mode, RecordingMode::Always | RecordingMode::AlwaysPauseResume)
            })
        };
        let new = self.calls.iter().filter(|(number, _)| !self.recordings.contains_key(number));
        let new: Vec<(CallNumber, String)> =
            new.filter_map(|(number, call)| Some((*number, wants(call)?))).collect();
        for (number, line) in new {
            if let Err(error) = self.begin_recording(now, number, &line) {
                tracing::debug!(call = number.0, %error, "not recorded yet");
            }
        }
    }

    /// Begins recordings whose phones are all there.
    pub(super) fn recordings_due(&mut self) {
        let rooms = &self.rooms;
        let ready = self.recordings.iter_mut().filter_map(|(number, recording)| {
            let pending = recording.state == RecordingState::Pending && !recording.asked;
            let room = *rooms.of.get(number).filter(|_| pending && rooms.is_set(*number))?;
            recording.asked = true;
            Some((*number, room, recording.title.clone()))
        });
        for (number, room, title) in ready.collect::<Vec<_>>() {
            self.media(MediaCommand::Record(number, Record::Start(room, Box::new(title))));
        }
    }

    /// Something became of a recording.
    pub(super) fn recording_news(&mut self, number: CallNumber, news: &RecordingNews) {
        let Some(recording) = self.recordings.get_mut(&number) else { return };
        let state = match (news, recording.state) {
            (RecordingNews::Started, RecordingState::Pending) => RecordingState::Started,
            (RecordingNews::Failed, RecordingState::Stopped { .. }) => return,
            (RecordingNews::Failed, _) => RecordingState::Stopped { failed: true },
            _ => return,
        };
        tracing::debug!(call = number.0, "{:?}, {news:?} -> {state:?}", recording.state);
        recording.state = state;
        self.changed = true;
    }

    /// A call is over, or goes elsewhere.
    pub(super) fn recording_over(&mut self, number: CallNumber) {
        if self.recordings.remove(&number).is_some() {
            self.media(MediaCommand::Record(number, Record::Stop));
        }
    }

    /// A user's call as to its recording; `None` if his line does not record.
    pub(super) fn user_recording(&self, number: CallNumber, user: &str) -> Option<UserRecording> {
        let mode = self.desk.rules(user).recording;
        if !self.records || mode == RecordingMode::Never {
            return None;
        }
        let talks = self.calls.get(&number).is_some_and(|call| {
            matches!(call.state, State::Talking { .. }) && call.supervises.is_none()
        });
        let (state, controls) = match self.recording_state(number, user) {
            Ok(state) if talks => (state, controls(mode, state)),
            _ => (None, "none"),
        };
        Some(UserRecording { state, controls })
    }
}

/// What a user may do with a recording.
fn controls(mode: RecordingMode, state: Option<RecordingState>) -> &'static str {
    use RecordingState::{Paused, Pending, Started, Stopped};
    match (mode, state) {
        (RecordingMode::Never | RecordingMode::Always, _) | (_, Some(Pending)) => "none",
        (RecordingMode::AlwaysPauseResume, Some(Started)) => "pause",
        (RecordingMode::AlwaysPauseResume, Some(Paused)) => "resume",
        (RecordingMode::AlwaysPauseResume, _) => "none",
        (RecordingMode::OnDemand, None | Some(Stopped { .. })) => "record",
        (RecordingMode::OnDemand, Some(Started)) => "pause-stop",
        (RecordingMode::OnDemand, Some(Paused)) => "resume-stop",
    }
}

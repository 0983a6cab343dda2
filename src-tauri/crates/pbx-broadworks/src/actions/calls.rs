//! Actions on calls (reference, section 3.2).

use super::{Actions, Built, done, starts};
use crate::{
    Action, HttpRequest, Method, Path, XsiError,
    wire::{Call, CallRef, CallStarted, Conference, MailCounts, conference_request, read_calls},
};

/// What is done with a recording. Success only says that it was asked for; an event tells the outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordingVerb {
    /// Begin.
    Record,
    /// Pause.
    Pause,
    /// Go on.
    Resume,
    /// Stop.
    Stop,
}

/// What is done with the user's own leg of a conference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConferenceVerb {
    /// Hold.
    Hold,
    /// Take back.
    Talk,
    /// Not be heard.
    Mute,
    /// Be heard again.
    Unmute,
}

/// What is done with somebody in a conference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParticipantVerb {
    /// Take him in.
    Add,
    /// Not let him be heard.
    Mute,
    /// Let him be heard again.
    Unmute,
    /// Not let him hear.
    Deaf,
    /// Let him hear again.
    Undeaf,
}

/// How to be in on somebody's call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SupervisionVerb {
    /// Hear the present call.
    Listen,
    /// Hear the next call.
    ListenNext,
    /// Be heard by the agent alone.
    Coach,
    /// Be heard by both.
    BargeIn,
}

impl Actions {
    fn call(&self, call: &str) -> Result<Path, XsiError> {
        self.path("calls")?.part(call)
    }

    fn verb(&self, call: &str, words: &'static str) -> Result<HttpRequest, XsiError> {
        Ok(HttpRequest::action(Method::Put, self.call(call)?.word(words)))
    }

    /// The user's calls.
    ///
    /// # Errors
    /// See [`Self::profile`].
    pub fn calls(&self) -> Built<Vec<CallRef>> {
        let request = self.request(Method::Get, "calls")?;
        Ok(Action::new(request, |reply| Ok(read_calls(reply.root()?))))
    }

    /// One call.
    ///
    /// # Errors
    /// See [`Self::profile`].
    pub fn one_call(&self, call: &str) -> Built<Call> {
        let request = HttpRequest::action(Method::Get, self.call(call)?);
        Ok(Action::new(request, |reply| Ok(Call::read(reply.root()?)?)))
    }

    /// A call from the user's own phone, which rings first.
    ///
    /// # Errors
    /// See [`Self::profile`].
    pub fn dial(&self, address: &str) -> Built<CallStarted> {
        Ok(starts(self.request(Method::Post, "calls/New")?.with("address", address)?))
    }

    /// Ends a call.
    ///
    /// # Errors
    /// See [`Self::profile`].
    pub fn release_call(&self, call: &str) -> Built<()> {
        Ok(done(HttpRequest::action(Method::Delete, self.call(call)?)))
    }

    /// Refuses a call that rings. Older releases cannot say why.
    ///
    /// # Errors
    /// See [`Self::profile`].
    pub fn decline(&self, call: &str, busy: bool) -> Built<()> {
        let request =
            HttpRequest::action(Method::Delete, self.call(call)?).with("decline", "true")?;
        if !self.release().has_decline_reason() {
            return Ok(done(request));
        }
        let reason = if busy { "Busy" } else { "TemporarilyUnavailable" };
        Ok(done(request.with("declineReason", reason)?))
    }

    /// Answers a call that rings, or takes it back from hold.
    ///
    /// # Errors
    /// See [`Self::profile`].
    pub fn talk(&self, call: &str) -> Built<()> {
        Ok(done(self.verb(call, "Talk")?))
    }

    /// Holds a call.
    ///
    /// # Errors
    /// See [`Self::profile`].
    pub fn hold(&self, call: &str) -> Built<()> {
        Ok(done(self.verb(call, "Hold")?))
    }

    /// Takes a call back and ends all others.
    ///
    /// # Errors
    /// See [`Self::profile`].
    pub fn reconnect(&self, call: &str) -> Built<()> {
        Ok(done(self.verb(call, "Reconnect")?))
    }

    /// Gives a call away without asking; `front`: to the front of a queue.
    ///
    /// # Errors
    /// See [`Self::profile`].
    pub fn blind_transfer(&self, call: &str, address: &str, front: bool) -> Built<()> {
        let request = self.verb(call, "BlindTransfer")?.with("address", address)?;
        Ok(done(if front { request.with("toFront", "true")? } else { request }))
    }

    /// Gives the other side of `call` to that of `consulted`.
    ///
    /// # Errors
    /// See [`Self::profile`].
    pub fn consult_transfer(&self, call: &str, consulted: &str) -> Built<()> {
        let path = self.call(call)?.word("ConsultTransfer").part(consulted)?;
        Ok(done(HttpRequest::action(Method::Put, path)))
    }

    /// Gives a call away as soon as it rings there.
    ///
    /// # Errors
    /// See [`Self::profile`].
    pub fn mute_transfer(&self, call: &str, address: &str) -> Built<CallStarted> {
        Ok(starts(self.verb(call, "MuteTransfer")?.with("address", address)?))
    }

    /// Gives a call to voicemail: somebody's, or the user's own.
    ///
    /// # Errors
    /// See [`Self::profile`].
    pub fn voice_mail_transfer(&self, call: &str, address: Option<&str>) -> Built<()> {
        let request = self.verb(call, "VmTransfer")?;
        Ok(done(with_address(request, address)?))
    }

    /// Parks a call at somebody, or at the user himself.
    ///
    /// # Errors
    /// See [`Self::profile`].
    pub fn park(&self, call: &str, address: Option<&str>) -> Built<()> {
        let request = self.verb(call, "Park")?;
        Ok(done(with_address(request, address)?))
    }

    /// Parks a call at the first free place of the group and tells where, if the server does.
    ///
    /// # Errors
    /// See [`Self::profile`].
    pub fn group_park(&self, call: &str) -> Built<Option<String>> {
        let request = self.verb(call, "GroupCallPark")?;
        Ok(Action::new(request, |reply| {
            let place = reply.content_location.as_deref().or(reply.location.as_deref());
            let last =
                place.and_then(|place| place.trim_end_matches('/').rsplit(['/', '=']).next());
            let text =
                last.map(|last| percent_encoding::percent_decode_str(last).decode_utf8_lossy());
            Ok(text.map(std::borrow::Cow::into_owned))
        }))
    }

    /// Takes a parked call.
    ///
    /// # Errors
    /// See [`Self::profile`].
    pub fn park_retrieve(&self, address: Option<&str>) -> Built<CallStarted> {
        let request = self.request(Method::Post, "calls/ParkRetrieve")?;
        Ok(starts(with_address(request, address)?))
    }

    /// Takes a call that rings in the group.
    ///
    /// # Errors
    /// See [`Self::profile`].
    pub fn group_pickup(&self) -> Built<CallStarted> {
        Ok(starts(self.request(Method::Post, "calls/CallPickup")?))
    }

    /// Takes a call that rings at somebody.
    ///
    /// # Errors
    /// See [`Self::profile`].
    pub fn directed_pickup(&self, address: &str) -> Built<CallStarted> {
        let request = self.request(Method::Post, "calls/DirectedCallPickup")?;
        Ok(starts(request.with("address", address)?))
    }

    /// Is in on somebody's call.
    ///
    /// # Errors
    /// See [`Self::profile`].
    pub fn supervise(&self, address: &str, how: SupervisionVerb) -> Built<CallStarted> {
        let words = match how {
            SupervisionVerb::Listen => "calls/SilentMonitor",
            SupervisionVerb::ListenNext => "calls/SilentMonitorNext",
            SupervisionVerb::Coach if self.release().has_coaching() => "calls/CoachAgent",
            SupervisionVerb::Coach => return Err(XsiError::NotInRelease),
            SupervisionVerb::BargeIn => "calls/DirectedCallPickupBargeIn",
        };
        Ok(starts(self.request(Method::Post, words)?.with("address", address)?))
    }

    /// Changes how the user is in on a call that he is in on already.
    ///
    /// # Errors
    /// See [`Self::profile`].
    pub fn change_supervision(&self, how: SupervisionVerb) -> Built<()> {
        if !self.release().has_coaching() {
            return Err(XsiError::NotInRelease);
        }
        let words = match how {
            SupervisionVerb::Listen | SupervisionVerb::ListenNext => {
                "calls/conference/SilentMonitor"
            }
            SupervisionVerb::Coach => "calls/conference/SupervisorCoach",
            SupervisionVerb::BargeIn => "calls/conference/BargeIn",
        };
        let user = self.user().to_owned();
        Ok(done(self.request(Method::Put, words)?.with("userId", &user)?))
    }

    /// Pulls the call from the user's other phone.
    ///
    /// # Errors
    /// See [`Self::profile`].
    pub fn retrieve_from_other_phone(&self) -> Built<CallStarted> {
        Ok(starts(self.request(Method::Post, "calls/CallRetrieve")?))
    }

    /// Has the user rung when the line that he called last is free.
    ///
    /// # Errors
    /// See [`Self::profile`].
    pub fn automatic_callback(&self) -> Built<CallStarted> {
        Ok(starts(self.request(Method::Post, "calls/AutomaticCallback")?))
    }

    /// Calls whoever called the user last.
    ///
    /// # Errors
    /// See [`Self::profile`].
    pub fn call_return(&self) -> Built<CallStarted> {
        Ok(starts(self.request(Method::Post, "calls/CallReturn")?))
    }

    /// Calls whom the user called last.
    ///
    /// # Errors
    /// See [`Self::profile`].
    pub fn last_number_redial(&self) -> Built<CallStarted> {
        Ok(starts(self.request(Method::Post, "calls/LastNumberRedial")?))
    }

    /// The conference, if there is one.
    ///
    /// # Errors
    /// See [`Self::profile`].
    pub fn conference(&self) -> Built<Option<Conference>> {
        let request = self.request(Method::Get, "calls/Conference")?;
        Ok(Action::new(request, |reply| Ok(reply.document.as_ref().map(Conference::read))))
    }

    /// Makes one conference of calls.
    ///
    /// # Errors
    /// See [`Self::profile`]; less than two calls are no conference.
    pub fn start_conference(&self, calls: &[String]) -> Built<()> {
        if calls.len() < 2 {
            return Err(XsiError::BadValue("a conference of less than two calls"));
        }
        let mut request = self.request(Method::Post, "calls/Conference")?;
        request.body = Some(conference_request(calls));
        Ok(done(request))
    }

    /// Ends the conference with all its calls.
    ///
    /// # Errors
    /// See [`Self::profile`].
    pub fn end_conference(&self) -> Built<()> {
        Ok(done(self.request(Method::Delete, "calls/Conference")?))
    }

    /// Does something with the own leg of the conference.
    ///
    /// # Errors
    /// See [`Self::profile`].
    pub fn control_conference(&self, verb: ConferenceVerb) -> Built<()> {
        let words = match verb {
            ConferenceVerb::Hold => "calls/Conference/Hold",
            ConferenceVerb::Talk => "calls/Conference/Talk",
            _ if !self.release().has_own_mute() => return Err(XsiError::NotInRelease),
            ConferenceVerb::Mute => "calls/Conference/Mute",
            ConferenceVerb::Unmute => "calls/Conference/Unmute",
        };
        Ok(done(self.request(Method::Put, words)?))
    }

    /// Does something with somebody in the conference.
    ///
    /// # Errors
    /// See [`Self::profile`].
    pub fn control_participant(&self, call: &str, verb: ParticipantVerb) -> Built<()> {
        let path = self.path("calls/Conference")?.part(call)?;
        let path = match verb {
            ParticipantVerb::Add => path,
            ParticipantVerb::Mute => path.word("Mute"),
            ParticipantVerb::Unmute => path.word("UnMute"),
            ParticipantVerb::Deaf => path.word("Deaf"),
            ParticipantVerb::Undeaf => path.word("UnDeaf"),
        };
        Ok(done(HttpRequest::action(Method::Put, path)))
    }

    /// Does something with the recording of a call.
    ///
    /// # Errors
    /// See [`Self::profile`].
    pub fn record(&self, call: &str, verb: RecordingVerb) -> Built<()> {
        let words = match verb {
            RecordingVerb::Record => "Record",
            RecordingVerb::Pause => "PauseRecording",
            RecordingVerb::Resume => "ResumeRecording",
            RecordingVerb::Stop => "StopRecording",
        };
        Ok(done(self.verb(call, words)?))
    }

    /// Presses keys; a comma waits.
    ///
    /// # Errors
    /// See [`Self::profile`]; other signs are refused.
    pub fn press(&self, call: &str, keys: &str) -> Built<()> {
        let fits = |key: char| matches!(key, '0'..='9' | '*' | '#' | 'A'..='D' | 'a'..='d' | ',');
        if keys.is_empty() || !keys.chars().all(fits) {
            return Err(XsiError::BadValue("a key that no phone has"));
        }
        Ok(done(self.verb(call, "TransmitDTMF")?.with("playdtmf", keys)?))
    }

    /// A note that both sides see.
    ///
    /// # Errors
    /// See [`Self::profile`].
    pub fn client_info(&self, call: &str, info: &str) -> Built<()> {
        Ok(done(self.verb(call, "ClientSessionInfo")?.with("info", info)?))
    }

    /// Asks a supervisor in, or hands the call over in an emergency. An emergency names its call, any other
    /// escalation is about the present one.
    ///
    /// # Errors
    /// See [`Self::profile`].
    pub fn escalate(&self, call: Option<&str>, to: Option<&str>) -> Built<CallStarted> {
        let request = match call {
            Some(call) => {
                HttpRequest::action(Method::Post, self.call(call)?.word("EmergencyEscalate"))
            }
            None => self.request(Method::Post, "calls/Escalate")?,
        };
        Ok(starts(with_address(request, to)?))
    }

    /// Gives a call of a queue an outcome; `None`: the last one.
    ///
    /// # Errors
    /// See [`Self::profile`]; codes have at most 10 characters.
    pub fn disposition(&self, call: Option<&str>, code: &str) -> Built<()> {
        if code.chars().count() > 10 {
            return Err(XsiError::BadValue("a code of more than 10 characters"));
        }
        let path = match call {
            Some(call) => self.call(call)?,
            None => self.path("calls")?,
        };
        Ok(done(HttpRequest::action(Method::Put, path.word("DispositionCode").part(code)?)))
    }

    /// Whether the phone is off the hook.
    ///
    /// # Errors
    /// See [`Self::profile`].
    pub fn hook(&self) -> Built<Option<String>> {
        let request = self.request(Method::Get, "calls/HookStatus")?;
        Ok(Action::new(request, |reply| Ok(reply.root()?.text_of("hookStatus"))))
    }

    /// How many messages there are.
    ///
    /// # Errors
    /// See [`Self::profile`].
    pub fn mail_counts(&self) -> Built<MailCounts> {
        let request = self.request(Method::Get, "calls/MessageSummary")?;
        Ok(Action::new(request, |reply| Ok(MailCounts::read(reply.root()?))))
    }
}

fn with_address(request: HttpRequest, address: Option<&str>) -> Result<HttpRequest, XsiError> {
    match address {
        Some(address) => request.with("address", address),
        None => Ok(request),
    }
}

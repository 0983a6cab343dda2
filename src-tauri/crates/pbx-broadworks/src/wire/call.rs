//! Calls of a user (reference, section 4.4) and what happens to them.

use super::{Conference, words};
use crate::{DocumentError, xml::Element};

words! {
    /// Who began a call.
    Personality { Originator = "Originator", Terminator = "Terminator", ClickToDial = "Click-to-Dial" }
}

words! {
    /// How a call stands.
    CallState {
        Alerting = "Alerting", Active = "Active", Held = "Held", RemoteHeld = "Remote Held",
        Detached = "Detached", Released = "Released", Idle = "Idle",
    }
}

/// The other side.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RemoteParty {
    /// Name.
    pub name: Option<String>,
    /// Address, `tel:` or `sip:`.
    pub address: Option<String>,
    /// Country code of the address.
    pub country_code: Option<String>,
    /// The user, where it is one of the same company.
    pub user_id: Option<String>,
    /// The user's number.
    pub user_number: Option<String>,
    /// Does not want to be named.
    pub private: bool,
    /// Kind of connection: `Group`, `Network`, and others.
    pub call_type: Option<String>,
}

impl RemoteParty {
    pub(super) fn read(element: &Element) -> Self {
        let address = element.child("address");
        Self {
            name: element.text_of("name"),
            address: address.and_then(Element::words).map(str::to_owned),
            country_code: address.and_then(|one| one.attribute("countryCode")).map(str::to_owned),
            user_id: element.text_of("userId"),
            user_number: element.text_of("userDN"),
            private: element.flag("privacy"),
            call_type: element.text_of("callType"),
        }
    }

    pub(super) fn of(element: &Element, name: &str) -> Self {
        element.child(name).map(Self::read).unwrap_or_default()
    }
}

/// A place that sent the call on before it came here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Redirection {
    /// Who sent it on.
    pub party: RemoteParty,
    /// Why, in the server's word: `no-answer`, `call-center`, and others.
    pub reason: Option<String>,
}

/// Where a call was sent on to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Redirect {
    /// Where to.
    pub address: Option<String>,
    /// Why, in the server's word.
    pub reason: Option<String>,
    /// When, in milliseconds since the Unix epoch.
    pub at: Option<u64>,
}

impl Redirect {
    pub(super) fn of(element: &Element) -> Option<Self> {
        element.child("redirect").map(|redirect| Self {
            address: redirect.text_of("address"),
            reason: redirect.text_of("reason"),
            at: redirect.number("redirectTime"),
        })
    }
}

/// The queue that a call came through.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AcdCallInfo {
    /// The call center's user id.
    pub queue: String,
    /// Its name.
    pub name: String,
    /// Its number.
    pub number: String,
    /// Calls in the queue at that time.
    pub waiting: Option<u32>,
    /// How long this one waited, in seconds.
    pub wait_time: Option<u32>,
    /// The longest wait of all, in seconds.
    pub longest_wait: Option<u32>,
    /// Outcome that was given.
    pub disposition: Option<String>,
}

impl AcdCallInfo {
    fn of(element: &Element, name: &str) -> Option<Self> {
        element.child(name).map(|info| Self {
            queue: info.string("acdUserId"),
            name: info.string("acdName"),
            number: info.string("acdNumber"),
            waiting: info.number("numCallsInQueue"),
            wait_time: info.number("waitTime"),
            longest_wait: info.number("longestWaitTime"),
            disposition: info.text_of("dispositionCode"),
        })
    }
}

/// A call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// The server's name for this side of it.
    pub id: String,
    /// The server's name for the whole call; may change with a transfer.
    pub tracking_id: Option<String>,
    /// SIP Call-ID, for calls over the network.
    pub network_call_id: Option<String>,
    /// Who began it.
    pub personality: Personality,
    /// How it stands.
    pub state: CallState,
    /// Why it ended, in the server's word.
    pub release_cause: Option<String>,
    /// `localRelease` or `remoteRelease`.
    pub releasing_party: Option<String>,
    /// The other side.
    pub remote: RemoteParty,
    /// Who sent it here, the last one first.
    pub redirections: Vec<Redirection>,
    /// Where it was sent on to.
    pub redirect: Option<Redirect>,
    /// Address of the phone it is on.
    pub endpoint: Option<String>,
    /// Number of the call on the phone.
    pub appearance: Option<u32>,
    /// The server may answer it.
    pub allow_answer: bool,
    /// The server may take it back.
    pub allow_retrieve: bool,
    /// Why it came back.
    pub recall: Option<String>,
    /// Began, in milliseconds since the Unix epoch, as are all times.
    pub start_time: Option<u64>,
    /// Answered.
    pub answer_time: Option<u64>,
    /// Held since.
    pub held_time: Option<u64>,
    /// Ended.
    pub release_time: Option<u64>,
    /// Queue it came through.
    pub acd: Option<AcdCallInfo>,
    /// Queue it was made for.
    pub acd_outgoing: Option<AcdCallInfo>,
    /// Where it was parked in the group.
    pub park_location: Option<String>,
    /// It is recorded.
    pub recorded: bool,
    /// What may be done with the recording: `record`, `pause-stop`, and others.
    pub recording_controls: Option<String>,
    /// How the recording stands: `Started`, and others.
    pub recording_state: Option<String>,
    /// A note that both sides see.
    pub client_info: Option<String>,
}

impl Call {
    /// Reads a call.
    ///
    /// # Errors
    /// It has no `callId`.
    pub fn read(element: &Element) -> Result<Self, DocumentError> {
        let word = |name: &str| element.string(name);
        Ok(Self {
            id: element.needed("callId")?,
            tracking_id: element.text_of("extTrackingId"),
            network_call_id: element.text_of("networkCallId"),
            personality: Personality::of(&word("personality")),
            state: CallState::of(&word("state")),
            release_cause: element.child("releaseCause").and_then(release_cause),
            releasing_party: element.text_of("releasingParty"),
            remote: RemoteParty::of(element, "remoteParty"),
            redirections: read_redirections(element),
            redirect: Redirect::of(element),
            endpoint: element.child("endpoint").and_then(|one| one.text_of("addressOfRecord")),
            appearance: element.number("appearance"),
            allow_answer: element.flag("allowAnswer"),
            allow_retrieve: element.flag("allowRetrieve"),
            recall: element.text_of("recallType"),
            start_time: element.number("startTime"),
            answer_time: element.number("answerTime"),
            held_time: element.number("heldTime"),
            release_time: element.number("releaseTime"),
            acd: AcdCallInfo::of(element, "acdCallInfo"),
            acd_outgoing: AcdCallInfo::of(element, "acdOutgoingCallInfo"),
            park_location: element.text_of("groupCallParkLocationSelected"),
            recorded: element.flag("recorded"),
            recording_controls: element.text_of("allowedRecordingControls"),
            recording_state: element.text_of("recordingState"),
            client_info: element.text_of("clientSessionInfo"),
        })
    }
}

fn release_cause(element: &Element) -> Option<String> {
    ["internalReleaseCause", "sipStatus", "q850Cause", "cdrTerminationCause"]
        .iter()
        .find_map(|name| element.text_of(name))
        .or_else(|| element.words().map(str::to_owned))
}

pub(super) fn read_redirections(element: &Element) -> Vec<Redirection> {
    let read = |one: &Element| Redirection {
        party: RemoteParty::of(one, "party"),
        reason: one.text_of("reason"),
    };
    element.listed("redirections", "redirection").map(read).collect()
}

/// What happened to a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallEventKind {
    /// Click-to-dial was accepted: the own phone rings.
    Originating,
    /// An outgoing call was set up.
    Originated,
    /// Comes in.
    Received,
    /// Was answered.
    Answered,
    /// Was put on hold, by either side.
    Held,
    /// Was taken back, by either side.
    Retrieved,
    /// Something changed, but not its state.
    Updated,
    /// The other side is another one.
    Transferred,
    /// The user sent it on.
    Redirected,
    /// Can be controlled no longer.
    Detached,
    /// The other side hears why there is no call.
    Releasing,
    /// Ended.
    Released,
    /// A supervisor listens to it, or is in on it.
    Monitored,
    /// Its recording has begun, or goes on.
    RecordingStarted,
    /// Its recording waits.
    RecordingPaused,
    /// Its recording has ended.
    RecordingStopped,
    /// Anything else that is told about it: pick-up, digits.
    Other,
}

impl CallEventKind {
    fn of(kind: &str) -> Option<Self> {
        Some(match kind {
            "CallOriginatingEvent" => Self::Originating,
            "CallOriginatedEvent" => Self::Originated,
            "CallReceivedEvent" => Self::Received,
            "CallAnsweredEvent" => Self::Answered,
            "CallHeldEvent" => Self::Held,
            "CallRetrievedEvent" => Self::Retrieved,
            "CallUpdatedEvent" => Self::Updated,
            "CallTransferredEvent" => Self::Transferred,
            "CallRedirectedEvent" => Self::Redirected,
            "CallDetachedEvent" => Self::Detached,
            "CallReleasingEvent" => Self::Releasing,
            "CallReleasedEvent" => Self::Released,
            "CallMonitoredEvent" | "CallBargedInEvent" => Self::Monitored,
            "CallRecordingStartedEvent" | "CallRecordingResumedEvent" => Self::RecordingStarted,
            "CallRecordingPausedEvent" => Self::RecordingPaused,
            "CallRecordingStoppedEvent" => Self::RecordingStopped,
            "CallCollectingEvent"
            | "CallForwardedEvent"
            | "CallPickedUpEvent"
            | "CallParkRetrievedEvent"
            | "CallRecordingStartingEvent"
            | "CallClientSessionInfoUpdatedEvent"
            | "CallSecurityClassificationUpdatedEvent"
            | "PlayMusicOnHoldFailureEvent" => Self::Other,
            _ => return None,
        })
    }
}

/// Something happened to calls of the user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallEvent {
    /// What.
    pub kind: CallEventKind,
    /// The server's name of the event.
    pub name: String,
    /// The calls as they stand now; mostly one.
    pub calls: Vec<Call>,
    /// What ended did so because it failed: the reason of a recording that stopped.
    pub failed: bool,
}

impl CallEvent {
    pub(super) fn read(name: &str, data: &Element) -> Result<Option<Self>, DocumentError> {
        let Some(kind) = CallEventKind::of(name) else { return Ok(None) };
        let calls = data.all("call").chain(data.listed("calls", "call"));
        let calls: Vec<Call> = calls.map(Call::read).collect::<Result<_, _>>()?;
        if calls.is_empty() {
            return Err(DocumentError::Missing("call"));
        }
        let failed = data.text_of("reason").is_some_and(|reason| reason == "Failure");
        Ok(Some(Self { kind, name: name.to_owned(), calls, failed }))
    }
}

/// All calls of the user, as an initial event, a refresh or a resync tells them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CallSnapshot {
    /// The calls.
    pub calls: Vec<Call>,
    /// The conference, if there is one.
    pub conference: Option<Conference>,
    /// The phone is off the hook.
    pub off_hook: Option<bool>,
}

impl CallSnapshot {
    pub(super) fn read(data: &Element) -> Result<Self, DocumentError> {
        Ok(Self {
            calls: data.listed("calls", "call").map(Call::read).collect::<Result<_, _>>()?,
            conference: data.child("conference").map(Conference::read),
            off_hook: off_hook(data),
        })
    }
}

pub(super) fn off_hook(element: &Element) -> Option<bool> {
    element.text_of("hookStatus").map(|word| word.eq_ignore_ascii_case("Off-Hook"))
}

/// A call in the list of calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallRef {
    /// Its name.
    pub id: String,
    /// It is part of a conference.
    pub in_conference: bool,
}

/// Reads the answer of `GET calls`.
pub fn read_calls(root: &Element) -> Vec<CallRef> {
    let read = |call: &Element| {
        let in_conference = call.attribute("inConference") == Some("true");
        call.text_of("callId").map(|id| CallRef { id, in_conference })
    };
    root.all("call").filter_map(read).collect()
}

/// A call that an action began.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CallStarted {
    /// Its name.
    pub call_id: String,
    /// The name of the whole call.
    pub tracking_id: Option<String>,
}

impl CallStarted {
    /// Reads `CallStartInfo`; without one the name stands in the address of the new call (`Location`).
    pub fn read(root: Option<&Element>, location: Option<&str>) -> Self {
        let info = root.filter(|root| root.name == "CallStartInfo");
        let by_location = || {
            let path = location?.split(['?', '#']).next()?.trim_end_matches('/');
            let last = path.rsplit('/').next()?;
            Some(percent_encoding::percent_decode_str(last).decode_utf8_lossy().into_owned())
        };
        let call_id = info.and_then(|info| info.text_of("callId")).or_else(by_location);
        Self {
            call_id: call_id.unwrap_or_default(),
            tracking_id: info.and_then(|info| info.text_of("externalTrackingId")),
        }
    }
}

//! The words of the model as those of the interface, and back.

use pbx::centre::{
    AgentState, Capability, Cause, Code as Choice, EntryState, FactKind, HuntPolicy, LinkFault,
    LinkState, MeasureKind, NightOverride, Phase, Priority, Refusal, ServiceKind, Severity,
};

use crate::code::Code;
use crate::control::ErrorReply;
use crate::view::centre::{
    AgentStateName, AgentWish, CapabilityName, CodeView, DriftCause, LinkName,
};
use crate::view::queue::{EntryStateName, MeasureName, PriorityName, SeverityName};
use crate::view::service::{FactName, HuntPolicyName, NightChoice, ServiceName, WishState};

/// Two enumerations whose members have the same names.
macro_rules! same_words {
    ($into:ident, $from:ident: $a:ident = $b:ident { $($word:ident),+ $(,)? }) => {
        pub(super) fn $into(word: $a) -> $b {
            match word { $($a::$word => $b::$word),+ }
        }
        #[allow(dead_code, reason = "some words only go one way")]
        pub(super) fn $from(word: $b) -> $a {
            match word { $($b::$word => $a::$word),+ }
        }
    };
}

same_words!(link_name, link_of: LinkState = LinkName {
    Absent, Connecting, Live, Polling, Lost, Refused, Elsewhere,
});
same_words!(state_name, state_of: AgentState = AgentStateName {
    SignedOut, SigningIn, Available, Unavailable, WrapUp,
});
same_words!(priority_name, priority_of: Priority = PriorityName { Highest, High, Medium, Low });
same_words!(severity_name, severity_of: Severity = SeverityName { Normal, Yellow, Red });
same_words!(measure_name, measure_of: MeasureKind = MeasureName {
    Waiting, LongestWait, ExpectedWait, AverageAnswer, AverageHandling, ServiceLevel, Answered,
    Abandoned, AgentsAssigned, AgentsStaffed, AgentsIdle, AgentsBusy, AgentsUnavailable,
});
same_words!(service_name, service_of: ServiceKind = ServiceName {
    DoNotDisturb, ForwardAlways, ForwardBusy, ForwardNoAnswer, ForwardNotReachable, CallWaiting,
    WithholdNumber, RejectAnonymous, SimultaneousRing, SequentialRing, RemoteOffice,
    VoiceMail, Night, Hoteling,
});
same_words!(phase_name, phase_of: Phase = WishState {
    Told, Pending, Reading, Verified, Drift, Refused,
});
same_words!(hunt_policy_name, hunt_policy_of: HuntPolicy = HuntPolicyName {
    Circular, Regular, Simultaneous, Uniform, Weighted,
});
same_words!(fact_name, fact_of: FactKind = FactName {
    Schedule, OutgoingBlock, CompanyName, NumberPresentation, Menu,
});

pub(super) fn wished_state(wish: AgentWish) -> AgentState {
    match wish {
        AgentWish::SignIn => AgentState::SigningIn,
        AgentWish::Available => AgentState::Available,
        AgentWish::Unavailable => AgentState::Unavailable,
        AgentWish::WrapUp => AgentState::WrapUp,
        AgentWish::SignOut => AgentState::SignedOut,
    }
}

pub(super) fn night_choice(night: NightOverride) -> NightChoice {
    match night {
        NightOverride::Automatic => NightChoice::Automatic,
        NightOverride::ForcedOn => NightChoice::On,
        NightOverride::ForcedOff => NightChoice::Off,
    }
}

pub(super) fn night_override(choice: NightChoice) -> NightOverride {
    match choice {
        NightChoice::Automatic => NightOverride::Automatic,
        NightChoice::On => NightOverride::ForcedOn,
        NightChoice::Off => NightOverride::ForcedOff,
    }
}

pub(super) fn entry_state(state: &EntryState) -> EntryStateName {
    match state {
        EntryState::Queued => EntryStateName::Queued,
        EntryState::Offered(_) => EntryStateName::Offered,
        EntryState::Whisper(_) => EntryStateName::Whisper,
    }
}

pub(super) fn cause_name(cause: Option<Cause>) -> DriftCause {
    match cause {
        Some(Cause::DoNotDisturb) => DriftCause::Dnd,
        Some(Cause::Forwarding) => DriftCause::Forwarding,
        Some(Cause::PersonalCall) => DriftCause::PersonalCall,
        Some(Cause::Bounces) => DriftCause::Bounces,
        Some(Cause::Supervisor) => DriftCause::Supervisor,
        None => DriftCause::Unknown,
    }
}

pub(super) fn capability_name(capability: Capability) -> (CapabilityName, Option<ServiceName>) {
    let name = match capability {
        Capability::Agent => CapabilityName::Agent,
        Capability::JoinQueues => CapabilityName::JoinQueues,
        Capability::QueueView => CapabilityName::QueueView,
        Capability::QueueControl => CapabilityName::QueueControl,
        Capability::Supervise => CapabilityName::Supervise,
        Capability::SilentMonitor => CapabilityName::SilentMonitor,
        Capability::Coach => CapabilityName::Coach,
        Capability::BargeIn => CapabilityName::BargeIn,
        Capability::Disposition => CapabilityName::Disposition,
        Capability::Escalate => CapabilityName::Escalate,
        Capability::QueuePolicy => CapabilityName::QueuePolicy,
        Capability::CallControl => CapabilityName::CallControl,
        Capability::Conference => CapabilityName::Conference,
        Capability::Park => CapabilityName::Park,
        Capability::Pickup => CapabilityName::Pickup,
        Capability::PullCall => CapabilityName::PullCall,
        Capability::RingBack => CapabilityName::RingBack,
        Capability::CallReturn => CapabilityName::CallReturn,
        Capability::Redial => CapabilityName::Redial,
        Capability::CallTrace => CapabilityName::CallTrace,
        Capability::Recording => CapabilityName::Recording,
        Capability::Directory => CapabilityName::Directory,
        Capability::CallLog => CapabilityName::CallLog,
        Capability::VoiceMessages => CapabilityName::VoiceMessages,
        Capability::PersonalNumbers => CapabilityName::PersonalNumbers,
        Capability::Service(kind) => return (CapabilityName::Service, Some(service_name(kind))),
    };
    (name, None)
}

pub(super) fn code_views(codes: &[Choice]) -> Vec<CodeView> {
    let view = |choice: &Choice| CodeView {
        code: choice.code.clone(),
        text: Some(&choice.description)
            .filter(|text| !text.is_empty())
            .unwrap_or(&choice.code)
            .clone(),
        is_default: choice.is_default,
    };
    codes.iter().map(view).collect()
}

/// The words of a code; empty when there are none.
pub(super) fn text_of(codes: &[Choice], code: &str) -> String {
    let found = codes.iter().find(|choice| choice.code == code);
    found.map(|choice| choice.description.clone()).unwrap_or_default()
}

/// Why the view of an exchange is not there, in a stable word.
pub(super) fn fault_code(fault: LinkFault) -> Code {
    match fault {
        LinkFault::Credentials => Code::AuthFailed,
        LinkFault::Forbidden => Code::Forbidden,
        LinkFault::Name => Code::DnsFailure,
        LinkFault::Unreachable => Code::ConnectionFailed,
        LinkFault::Untrusted => Code::TlsFailure,
        LinkFault::Timeout => Code::Timeout,
        LinkFault::Broken => Code::ConnectionLost,
        LinkFault::Overloaded => Code::Unavailable,
        LinkFault::Answer => Code::ServerError,
    }
}

/// A refusal of the exchange in a stable word, and what it said.
pub(super) fn refusal_code(refusal: &Refusal) -> (Code, Option<String>) {
    match refusal {
        Refusal::NotAllowed => (Code::Forbidden, None),
        Refusal::LastStaffed(_) => (Code::LastStaffed, None),
        Refusal::Gone => (Code::NotFound, None),
        Refusal::BadValue(what) => (Code::BadValue, Some(what.clone())),
        Refusal::Unavailable => (Code::Unavailable, None),
        Refusal::Exchange { code: 0, words } => (Code::ServerError, Some(words.clone())),
        Refusal::Exchange { code, words } => (Code::ServerError, Some(format!("{code} {words}"))),
    }
}

pub(super) fn error_reply(refusal: &Refusal) -> ErrorReply {
    let (code, detail) = refusal_code(refusal);
    let said = match refusal {
        Refusal::NotAllowed => "the exchange does not allow this".to_owned(),
        Refusal::LastStaffed(queues) => {
            let names: Vec<&str> = queues.iter().map(|queue| queue.0.as_str()).collect();
            format!("the last agent of {}: say force to sign out all the same", names.join(", "))
        }
        Refusal::Gone => "it is gone".to_owned(),
        Refusal::BadValue(_) => "the exchange does not take this value".to_owned(),
        Refusal::Unavailable => "the exchange cannot be asked now".to_owned(),
        Refusal::Exchange { .. } => "the exchange refused".to_owned(),
    };
    let text = detail.map_or(said.clone(), |detail| format!("{said}: {detail}"));
    ErrorReply::new(code, text)
}

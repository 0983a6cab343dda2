//! From what SIP and the system say to the program's stable words. One table for each direction.

use call_control::{Direction, End, Outcome, Party};
use media::EngineError;
use sip_transport::{FailureCause, ResolveError};

use crate::code::Code;
use crate::view::CallOutcome;

/// What a final SIP status means for a call. `rang`: it rang there before.
pub(crate) fn of_call_status(status: u16, rang: bool) -> Code {
    match status {
        401 | 407 => Code::AuthFailed,
        403 => Code::Forbidden,
        404 | 410 | 604 => Code::NotFound,
        416 | 484 | 485 => Code::BadTarget,
        408 | 480 | 487 if rang => Code::NoAnswer,
        408 | 504 => Code::Timeout,
        480 | 430 => Code::Unavailable,
        487 => Code::Cancelled,
        486 | 600 => Code::BusyHere,
        603 | 607 | 608 => Code::Declined,
        415 | 488 | 606 => Code::NoCommonCodec,
        _ => Code::ServerError,
    }
}

/// What a final SIP status means for a registration. `signed`: we had a password to answer with.
pub(crate) fn of_registration_status(status: u16, signed: bool) -> Code {
    match status {
        401 | 403 | 407 if signed => Code::AuthFailed,
        401 | 407 => Code::PasswordNeeded,
        403 | 404 | 410 | 604 => Code::Forbidden,
        408 | 504 => Code::Timeout,
        _ => Code::ServerError,
    }
}

/// Why a server cannot be sent to.
pub(crate) fn of_transport(cause: FailureCause) -> Code {
    match cause {
        FailureCause::Tls(_) => Code::TlsFailure,
        FailureCause::Timeout => Code::Timeout,
        FailureCause::WebSocket => Code::NotSupported,
        FailureCause::Refused
        | FailureCause::Unreachable
        | FailureCause::Closed
        | FailureCause::Nonsense
        | FailureCause::Other => Code::ConnectionFailed,
    }
}

/// Why a name could not be located.
pub(crate) fn of_resolve_error(error: &ResolveError) -> Code {
    match error {
        ResolveError::UnknownName(_) | ResolveError::NameService { .. } => Code::DnsFailure,
        ResolveError::NoHost(_) => Code::BadTarget,
        ResolveError::NoRoute(_) | ResolveError::OtherIdentity(_) => Code::ConnectionFailed,
        ResolveError::NotOffered(_) | ResolveError::Unsupported(_) => Code::NotSupported,
    }
}

/// Why sound could not be made ready.
pub(crate) fn of_media_error(error: &EngineError) -> Code {
    match error {
        EngineError::PortTaken { .. } => Code::PortTaken,
        EngineError::Socket { .. } => Code::ConnectionFailed,
        EngineError::Codec(_) => Code::NoCommonCodec,
        EngineError::Audio(_) | EngineError::RingTone(_) => Code::AudioDeviceFailed,
        EngineError::Recording(_) => Code::RecordingFailed,
        EngineError::UnknownStream | EngineError::Srtp(_) | EngineError::Thread(_) => {
            Code::Internal
        }
    }
}

/// Why a call is over; none when it simply ended.
pub(crate) fn of_end(end: &End, direction: Direction, answered: bool, rang: bool) -> Option<Code> {
    if end.elsewhere {
        return Some(Code::AnsweredElsewhere);
    }
    match (end.by, answered) {
        (Party::Network, true) => Some(Code::ConnectionLost),
        (Party::Network, false) => Some(Code::Timeout),
        (_, true) => end.status.map(|status| of_call_status(status, true)),
        (Party::Local, false) if direction == Direction::In => Some(Code::Declined),
        (Party::Local, false) => Some(Code::Cancelled),
        (Party::Remote, false) if direction == Direction::In => Some(Code::Cancelled),
        (Party::Remote, false) => {
            Some(end.status.map_or(Code::ServerError, |status| of_call_status(status, rang)))
        }
    }
}

pub(crate) fn outcome_view(outcome: Outcome) -> CallOutcome {
    match outcome {
        Outcome::Answered => CallOutcome::Answered,
        Outcome::Missed => CallOutcome::Missed,
        Outcome::Declined => CallOutcome::Declined,
        Outcome::NoAnswer => CallOutcome::NoAnswer,
        Outcome::Busy => CallOutcome::Busy,
        Outcome::Failed => CallOutcome::Failed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_have_their_words() {
        let table = [
            (404, false, Code::NotFound),
            (484, false, Code::BadTarget),
            (486, true, Code::BusyHere),
            (600, false, Code::BusyHere),
            (603, true, Code::Declined),
            (480, true, Code::NoAnswer),
            (480, false, Code::Unavailable),
            (408, false, Code::Timeout),
            (488, false, Code::NoCommonCodec),
            (503, false, Code::ServerError),
            (403, false, Code::Forbidden),
        ];
        for (status, rang, code) in table {
            assert_eq!(of_call_status(status, rang), code, "{status}");
        }
        assert_eq!(of_registration_status(403, true), Code::AuthFailed);
        assert_eq!(of_registration_status(401, false), Code::PasswordNeeded);
        assert_eq!(of_registration_status(404, true), Code::Forbidden);
    }

    #[test]
    fn ends_have_their_reason() {
        let end = |by, status| End::new(by, status);
        let of = |end: &End, direction, answered| of_end(end, direction, answered, false);
        assert_eq!(of(&end(Party::Local, None), Direction::Out, true), None);
        assert_eq!(of(&end(Party::Remote, None), Direction::Out, true), None);
        assert_eq!(
            of(&end(Party::Network, None), Direction::Out, true),
            Some(Code::ConnectionLost)
        );
        assert_eq!(of(&end(Party::Local, None), Direction::Out, false), Some(Code::Cancelled));
        assert_eq!(of(&end(Party::Local, Some(486)), Direction::In, false), Some(Code::Declined));
        assert_eq!(of(&end(Party::Remote, Some(487)), Direction::In, false), Some(Code::Cancelled));
        assert_eq!(of(&end(Party::Network, None), Direction::Out, false), Some(Code::Timeout));
    }
}

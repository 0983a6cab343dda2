//! Which tone plays and whether it rings, by how the calls stand. No state of its own.

use call_control::Direction;
use media::Tone;

use crate::code::Code;

/// How the calls stand, as far as tones go.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Standing {
    /// A call has the user's ear, be it early sound of the network.
    pub(super) talking: bool,
    /// Somebody calls and waits for an answer.
    pub(super) incoming: bool,
    /// A call of ours is not answered yet.
    pub(super) dialing: bool,
    /// It rings at the other side.
    pub(super) rings_there: bool,
    /// The tone of a call that failed a moment ago.
    pub(super) farewell: Option<Tone>,
}

/// What plays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Playing {
    pub(super) tone: Tone,
    /// It rings here.
    pub(super) rings: bool,
    /// The call that failed is no longer what matters.
    pub(super) farewell_over: bool,
}

pub(super) fn playing(calls: Standing) -> Playing {
    let farewell_over = calls.talking || calls.dialing || calls.incoming;
    let farewell = calls.farewell.filter(|_| !farewell_over).unwrap_or_default();
    let tone = match (calls.talking, calls.incoming, calls.rings_there) {
        (true, true, _) => Tone::CallWaiting,
        (true, false, _) => Tone::None,
        (false, _, true) => Tone::Ringback,
        (false, _, false) => farewell,
    };
    Playing { tone, rings: calls.incoming && !calls.talking, farewell_over }
}

/// The tone of a call that is over. Only one of ours that nobody answered has one: busy where somebody is there and does
/// not talk to us, congestion where nobody could be reached; none where it rang in vain or we gave up.
pub(super) fn farewell(direction: Direction, answered: bool, reason: Option<Code>) -> Option<Tone> {
    if direction != Direction::Out || answered {
        return None;
    }
    match reason? {
        Code::BusyHere | Code::Declined => Some(Tone::Busy),
        Code::Cancelled | Code::NoAnswer => None,
        _ => Some(Tone::Congestion),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_standing_of_calls_has_its_tone() {
        let (yes, no, busy) = (true, false, Some(Tone::Busy));
        // talking, incoming, dialing, rings there, farewell -> tone, rings here, farewell over
        let table = [
            (no, no, no, no, None, Tone::None, no, no),
            (no, no, no, no, busy, Tone::Busy, no, no),
            (no, no, yes, no, busy, Tone::None, no, yes),
            (no, no, yes, yes, None, Tone::Ringback, no, yes),
            (no, yes, no, no, None, Tone::None, yes, yes),
            (no, yes, no, no, busy, Tone::None, yes, yes),
            (no, yes, yes, no, None, Tone::None, yes, yes),
            (no, yes, yes, yes, None, Tone::Ringback, yes, yes),
            (yes, no, no, no, busy, Tone::None, no, yes),
            (yes, no, yes, no, None, Tone::None, no, yes),
            // Early sound of the network is the ring-back then.
            (yes, no, yes, yes, None, Tone::None, no, yes),
            (yes, yes, no, no, busy, Tone::CallWaiting, no, yes),
            (yes, yes, yes, yes, None, Tone::CallWaiting, no, yes),
        ];
        for (talking, incoming, dialing, rings_there, farewell, tone, rings, farewell_over) in table
        {
            let calls = Standing { talking, incoming, dialing, rings_there, farewell };
            assert_eq!(playing(calls), Playing { tone, rings, farewell_over }, "{calls:?}");
        }
    }

    #[test]
    fn a_call_that_failed_says_how() {
        let table = [
            (Direction::Out, false, Some(Code::BusyHere), Some(Tone::Busy)),
            (Direction::Out, false, Some(Code::Declined), Some(Tone::Busy)),
            (Direction::Out, false, Some(Code::NotFound), Some(Tone::Congestion)),
            (Direction::Out, false, Some(Code::Unavailable), Some(Tone::Congestion)),
            (Direction::Out, false, Some(Code::ConnectionLost), Some(Tone::Congestion)),
            (Direction::Out, false, Some(Code::NoAnswer), None),
            (Direction::Out, false, Some(Code::Cancelled), None),
            (Direction::Out, false, None, None),
            (Direction::Out, true, Some(Code::BusyHere), None),
            (Direction::In, false, Some(Code::BusyHere), None),
            (Direction::In, false, Some(Code::NotFound), None),
        ];
        for (direction, answered, reason, tone) in table {
            assert_eq!(farewell(direction, answered, reason), tone, "{direction:?} {reason:?}");
        }
    }
}

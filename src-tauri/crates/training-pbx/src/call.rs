//! One call as the exchange sees it: who calls, whom, and how far it is. Values only; `exchange` moves them.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::time::Instant;

use sdp::{CodecKind, LocalMedia, Negotiator};
use sip_types::{NameAddr, StatusCode, Uri};
use sip_ua::{Body, SessionId};

use crate::endpoint::Step;
use crate::media_task::EndpointId;

/// One side of a call.
#[derive(Debug)]
pub(crate) enum Party {
    /// A phone.
    Phone(SessionId),
    /// Somebody simulated.
    Local(Box<Local>),
}

/// A simulated party's line.
#[derive(Debug)]
pub(crate) struct Local {
    pub(crate) endpoint: EndpointId,
    pub(crate) negotiator: Negotiator,
    /// The address the peer sends to.
    pub(crate) address: IpAddr,
    /// The RTP port, once it is open.
    pub(crate) port: Option<u16>,
    /// What is done after the answer; taken then.
    pub(crate) steps: Vec<Step>,
}

impl Local {
    /// What this line can do; `None` before its port is open.
    pub(crate) fn media(&self) -> Option<LocalMedia> {
        let rtp_port = self.port?;
        Some(LocalMedia {
            addr: self.address,
            rtp_port,
            rtcp_port: rtp_port.saturating_add(1),
            codecs: CodecKind::ALL.to_vec(),
            telephone_event: true,
            comfort_noise: false,
            ptime_ms: 20,
        })
    }
}

/// Who is shown to the called.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    pub(crate) display: Option<String>,
    pub(crate) uri: Uri,
    /// The number is not to be shown.
    pub(crate) withheld: bool,
}

impl Caller {
    /// As it stands in P-Asserted-Identity.
    pub(crate) fn asserted(&self) -> NameAddr {
        let address = NameAddr::new(self.uri.clone());
        match &self.display {
            Some(name) => address.with_display(name),
            None => address,
        }
    }
}

/// What a simulated party does when its time has come.
#[derive(Debug)]
pub(crate) enum Then {
    /// Answers and does these steps.
    Answer(Vec<Step>),
    /// Refuses.
    Refuse(StatusCode),
}

/// What happens when nobody answers in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Overflow {
    /// Voicemail answers.
    Voicemail,
    /// 480.
    Unavailable,
}

/// How far a call is.
#[derive(Debug)]
pub(crate) enum State {
    /// The customer's line is being opened; then `to` is rung.
    Opening { to: String },
    /// A simulated party is rung, until `due`.
    Simulated(Then),
    /// A simulated party has lifted; its line is being opened.
    Answering(Box<Local>),
    /// Phones ring, until `due`.
    Ringing {
        /// Those that have not refused.
        forks: Vec<SessionId>,
        /// The most telling refusal so far.
        refusal: Option<StatusCode>,
        overflow: Overflow,
    },
    /// Both sides talk.
    Talking {
        far: Party,
        /// The phone whose re-INVITE is on its way to the other.
        asking: Option<SessionId>,
    },
}

impl State {
    /// For the log.
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::Opening { .. } => "opening",
            Self::Simulated(_) => "simulated",
            Self::Answering(_) => "answering",
            Self::Ringing { .. } => "ringing",
            Self::Talking { .. } => "talking",
        }
    }
}

/// One call.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) near: Party,
    pub(crate) caller: Caller,
    /// The near side's offer; `None` leaves the offer to the far side.
    pub(crate) offer: Option<Body>,
    /// Members of the hunt group still to be rung.
    pub(crate) hunt: VecDeque<String>,
    /// Whether it is a hunt group that is rung.
    pub(crate) hunting: bool,
    /// The simulated person on the phone.
    pub(crate) person: Option<String>,
    /// Whether the caller was told that it rings.
    pub(crate) rang: bool,
    pub(crate) state: State,
    /// When the state's time is up.
    pub(crate) due: Option<Instant>,
    /// When the caller gives up, if nobody answered.
    pub(crate) patience: Option<Instant>,
}

impl Call {
    /// The phone that calls, if it is one.
    pub(crate) fn near_phone(&self) -> Option<SessionId> {
        match self.near {
            Party::Phone(session) => Some(session),
            Party::Local(_) => None,
        }
    }

    /// The other phone of a talk between two.
    pub(crate) fn other_phone(&self, session: SessionId) -> Option<SessionId> {
        let State::Talking { far: Party::Phone(far), .. } = self.state else { return None };
        match self.near_phone() {
            Some(near) if near == session => Some(far),
            Some(near) if far == session => Some(near),
            _ => None,
        }
    }

    /// The simulated party of this call, whichever side it is.
    pub(crate) fn local(&mut self) -> Option<&mut Local> {
        if let Party::Local(local) = &mut self.near {
            return Some(local);
        }
        match &mut self.state {
            State::Answering(local) | State::Talking { far: Party::Local(local), .. } => {
                Some(local)
            }
            _ => None,
        }
    }

    /// All phones in the call.
    pub(crate) fn phones(&self) -> Vec<SessionId> {
        let mut phones: Vec<SessionId> = self.near_phone().into_iter().collect();
        match &self.state {
            State::Ringing { forks, .. } => phones.extend(forks),
            State::Talking { far: Party::Phone(far), .. } => phones.push(*far),
            _ => {}
        }
        phones
    }
}

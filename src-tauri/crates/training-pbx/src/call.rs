//! One call as the exchange sees it: who calls, whom, and how far it is. Values only; `exchange` moves them.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use sdp::{CodecKind, Direction, LocalMedia, Negotiator, SrtpPolicy};
use sip_types::{HeaderName, NameAddr, StatusCode, Uri};
use sip_ua::{Body, SessionId};

use crate::acd::{AgentId, QueueId};
use crate::endpoint::Step;
use crate::media_task::EndpointId;
use crate::pbx::CallNumber;

/// One side of a call.
#[derive(Debug)]
pub(crate) enum Party {
    /// A phone.
    Phone(SessionId),
    /// Somebody simulated.
    Local(Box<Local>),
    /// Who is being transferred, and still is a party of that call. Only ever the near side.
    Transferee(CallNumber),
}

/// A simulated party's line.
#[derive(Debug)]
pub(crate) struct Local {
    pub(crate) endpoint: EndpointId,
    pub(crate) negotiator: Negotiator,
    /// What negotiates with the one the party is being transferred to; takes over when that succeeds.
    pub(crate) fresh: Option<Negotiator>,
    /// The address the peer sends to.
    pub(crate) address: IpAddr,
    /// The RTP port, once it is open.
    pub(crate) port: Option<u16>,
    /// What is done after the answer; taken then.
    pub(crate) steps: Vec<Step>,
}

impl Local {
    /// A line whose port is still being opened. `session_id` is random, for the `o=` line.
    pub(crate) fn new(endpoint: EndpointId, address: IpAddr, session_id: u64) -> Self {
        let negotiator = Negotiator::new(session_id);
        Self { endpoint, negotiator, fresh: None, address, port: None, steps: Vec::new() }
    }

    /// An offer to somebody new, who takes the present peer's place when [`Self::renew`] is called.
    pub(crate) fn offer_anew(&mut self, session_id: u64) -> Option<Body> {
        let media = self.media()?;
        let mut fresh = Negotiator::new(session_id);
        let offer = fresh.offer(&media, Direction::SendRecv).ok()?;
        self.fresh = Some(fresh);
        Some(Body::sdp(offer))
    }

    /// The present peer is gone; whoever was offered anew has its place.
    pub(crate) fn renew(&mut self) {
        if let Some(fresh) = self.fresh.take() {
            self.negotiator = fresh;
        }
    }

    /// What this line can do; `None` before its port is open.
    pub(crate) fn media(&self) -> Option<LocalMedia> {
        let rtp_port = self.port?;
        Some(LocalMedia {
            addr: self.address,
            rtp_port,
            rtcp_port: rtp_port.saturating_add(1),
            codecs: CodecKind::ALL.to_vec(),
            telephone_event: true,
            silence_suppression: false,
            ptime_ms: 20,
            srtp: SrtpPolicy::Off,
            keys: Vec::new(),
            dtls: None,
            feedback: false,
            ice: None,
        })
    }
}

/// Who one side of a call is.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Who {
    pub(crate) display: Option<String>,
    pub(crate) uri: Uri,
    /// The number is not to be shown.
    pub(crate) withheld: bool,
    /// The line of the company that this is, if it is one.
    pub(crate) extension: Option<String>,
}

impl Who {
    /// As it stands in P-Asserted-Identity, Diversion and Referred-By.
    pub(crate) fn address(&self) -> NameAddr {
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
    /// Leaves it to the voicemail.
    Voicemail,
    /// Leaves it to where the line forwards to.
    Forward,
}

/// How far somebody is with the auto attendant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Attending {
    /// Hears the menu.
    Menu,
    /// Spells a name: the keys so far.
    Name(String),
}

/// What happens when nobody answers in time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Overflow {
    /// Somebody simulated at this number, which rings too, does.
    Elsewhere(String),
    /// The called does, at this number outside, where he works.
    Remote(String),
    /// Voicemail answers.
    Voicemail,
    /// 480.
    Unavailable,
}

/// What is under way between the two sides of an answered call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asking {
    /// Nothing.
    Nothing,
    /// This phone's re-INVITE is with the other.
    Relay(SessionId),
    /// `from` was asked for an offer, which will go to `to`.
    Pull { from: SessionId, to: SessionId },
    /// The offer `owed` made in a 2xx is with `asked`; the answer goes back in an ACK.
    Owed { owed: SessionId, asked: SessionId },
    /// The offer of `calling`'s INVITE is with `asked`; the answer accepts the INVITE.
    Entering { calling: SessionId, asked: SessionId },
    /// The simulated party's offer is with this phone.
    Serve(SessionId),
}

impl Asking {
    /// For the log.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::Relay(_) => "relay",
            Self::Pull { .. } => "pull",
            Self::Owed { .. } => "owed",
            Self::Entering { .. } => "entering",
            Self::Serve(_) => "serve",
        }
    }
}

/// A step of bringing two sides together that could not be sent yet.
#[derive(Debug)]
pub(crate) struct Again {
    pub(crate) at: Instant,
    pub(crate) asking: Asking,
    pub(crate) offer: Option<Body>,
    pub(crate) tries: u8,
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
    Talking { far: Party, asking: Asking },
    /// The transferor has hung up; the near side waits for what becomes of its transfer.
    Alone,
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
            Self::Alone => "alone",
        }
    }
}

/// One call.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) near: Party,
    pub(crate) caller: Who,
    /// Who is called, or has answered.
    pub(crate) called: Who,
    /// The near side's offer; `None` leaves the offer to the far side.
    pub(crate) offer: Option<Body>,
    /// Members of the hunt group still to be rung.
    pub(crate) hunt: VecDeque<String>,
    /// Whether it is a hunt group that is rung.
    pub(crate) hunting: bool,
    /// How long each of the hunt group is rung.
    pub(crate) hunt_ring: Option<Duration>,
    /// The line that is looked for at several places, one after the other.
    pub(crate) looked_for: Option<String>,
    /// The places that are left, and how long each rings.
    pub(crate) places: VecDeque<(String, Duration)>,
    /// The line itself rings before them.
    pub(crate) own_rings: bool,
    /// Whose phones ring, when they are of several lines.
    pub(crate) fork_lines: Vec<(SessionId, String)>,
    /// How far the near side is with the auto attendant.
    pub(crate) attending: Option<Attending>,
    /// The simulated person on the phone.
    pub(crate) person: Option<String>,
    /// Who sent the call here, latest first, with the reason: Diversion headers (RFC 5806).
    pub(crate) diversions: Vec<(Who, &'static str)>,
    /// The near phone was rung first and waits for the one it wants to call.
    pub(crate) clicked: bool,
    /// Headers besides for the phones that are rung: Alert-Info, Call-Info.
    pub(crate) extra: Vec<(HeaderName, String)>,
    /// The call that transfers one side of this one.
    pub(crate) transfer: Option<CallNumber>,
    /// Who transferred: his phone and his line.
    pub(crate) by: Option<(SessionId, Who)>,
    /// The queue in which the near side waits.
    pub(crate) queue: Option<QueueId>,
    /// The near side has left a queue for somewhere else and has nowhere to go back to.
    pub(crate) sent_on: bool,
    /// The waiting call that this one rings an agent for.
    pub(crate) offered: Option<(CallNumber, AgentId)>,
    /// The number under which the near side waited before an agent took it.
    pub(crate) conversation: Option<CallNumber>,
    /// Against which line the near side is parked.
    pub(crate) parked: Option<String>,
    /// Whose voicemail answers.
    pub(crate) mailbox: Option<String>,
    /// In a queue it stands before all others.
    pub(crate) to_front: bool,
    /// When it is answered it becomes part of a conference with this call.
    pub(crate) joins: Option<CallNumber>,
    /// The near side is a supervisor who is in on a call of this line (or waits for one of this queue).
    pub(crate) supervises: Option<String>,
    /// When the far side answered.
    pub(crate) answered_at: Option<Instant>,
    /// The phones that have put the call on hold.
    pub(crate) held: Vec<SessionId>,
    /// What has to be tried again.
    pub(crate) again: Option<Again>,
    /// The offer of the step of a joining that is under way, and how often it was put off.
    pub(crate) joining: Option<(Body, u8)>,
    /// The near phone's INVITE has been answered.
    pub(crate) answered: bool,
    /// Whether the caller was told that it rings.
    pub(crate) rang: bool,
    pub(crate) state: State,
    /// When the state's time is up.
    pub(crate) due: Option<Instant>,
    /// When the caller gives up, if nobody answered.
    pub(crate) patience: Option<Instant>,
}

impl Call {
    /// A call that has not got anywhere.
    pub(crate) fn new(near: Party, caller: Who, offer: Option<Body>) -> Self {
        Self {
            near,
            called: caller.clone(),
            caller,
            offer,
            hunt: VecDeque::new(),
            hunting: false,
            hunt_ring: None,
            looked_for: None,
            places: VecDeque::new(),
            own_rings: false,
            fork_lines: Vec::new(),
            attending: None,
            person: None,
            diversions: Vec::new(),
            clicked: false,
            extra: Vec::new(),
            transfer: None,
            by: None,
            queue: None,
            sent_on: false,
            offered: None,
            conversation: None,
            parked: None,
            mailbox: None,
            to_front: false,
            joins: None,
            supervises: None,
            answered_at: None,
            held: Vec::new(),
            again: None,
            joining: None,
            answered: false,
            rang: false,
            state: State::Opening { to: String::new() },
            due: None,
            patience: None,
        }
    }

    /// The phone that calls, if it is one.
    pub(crate) fn near_phone(&self) -> Option<SessionId> {
        match self.near {
            Party::Phone(session) => Some(session),
            Party::Local(_) | Party::Transferee(_) => None,
        }
    }

    /// The phone that was called and has answered, if it is one.
    pub(crate) fn far_phone(&self) -> Option<SessionId> {
        match self.state {
            State::Talking { far: Party::Phone(session), .. } => Some(session),
            _ => None,
        }
    }

    /// Who is at this phone.
    pub(crate) fn who(&self, session: SessionId) -> &Who {
        if self.near_phone() == Some(session) { &self.caller } else { &self.called }
    }

    /// Who is at the other side of this phone's call.
    pub(crate) fn peer(&self, session: SessionId) -> &Who {
        if self.near_phone() == Some(session) { &self.called } else { &self.caller }
    }

    /// The party this phone talks with, and who that is; or the one that waits alone.
    pub(crate) fn into_peer(self, session: Option<SessionId>) -> Option<(Party, Who)> {
        let calls = session.is_some() && self.near_phone() == session;
        match self.state {
            State::Talking { far, .. } if calls => Some((far, self.called)),
            State::Talking { .. } | State::Alone => Some((self.near, self.caller)),
            _ => None,
        }
    }

    /// What is under way between the two sides.
    pub(crate) fn asking(&self) -> Asking {
        match self.state {
            State::Talking { asking, .. } => asking,
            _ => Asking::Nothing,
        }
    }

    /// Sets what is under way between the two sides.
    pub(crate) fn set_asking(&mut self, now: Asking) {
        if let State::Talking { asking, .. } = &mut self.state {
            *asking = now;
        }
    }

    /// The other phone of a talk between two phones.
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

    /// Whether the near side waits, parked or in the queue, and hears music if it can.
    pub(crate) fn waits(&self) -> bool {
        self.parked.is_some() || self.queue.is_some() || self.sent_on || self.attending.is_some()
    }

    /// Whether it has nothing to do with a queue, for the agents who take part in it.
    pub(crate) fn is_personal(&self) -> bool {
        self.offered.is_none() && self.conversation.is_none()
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

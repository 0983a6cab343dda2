//! Rooms: calls whose sound goes through the exchange, so that more than two hear each other, somebody listens in, or it
//! is recorded.
//!
//! Inputs: from `conference`, `supervision` and `recording` the calls that are brought in (`room_of`, `merge`); from the
//! media sockets `port_opened`; from phones what they say to our re-INVITEs (`leg_answered`, `leg_failed`) and their own
//! (`leg_reoffered`, `leg_confirmed`); from time `legs_due`; from whoever moves a party `take_out`.
//!
//! Two phones that talk directly each get a leg to a port of the exchange: `Opening` (the port) -> `Wanted` -> `Asked` (our
//! re-INVITE is under way) -> `Set`. A simulated party's line is the port of the phone it talks with already; what it plays
//! is the voice of its own. The room stays until its calls end or go elsewhere.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use sdp::Direction;
use sip_types::StatusCode;
use sip_ua::{Body, SessionId};

use super::Exchange;
use super::conference::Conference;
use super::supervision::{Guest, Manner, Watched};
use super::talk::note_hold;
use crate::call::{Asking, Call, Local, Party, State, Who};
use crate::media_task::{EndpointId, MediaCommand};
use crate::mixer::{Face, HeardBy, Member, PersonId, Plan, RoomId, Voice};
use crate::pbx::CallNumber;
use crate::recorder::Record;

/// How long to wait until an earlier change of a phone's is through.
const AGAIN: Duration = Duration::from_millis(100);
const TRIES: u8 = 100;
/// The owner of a conference, whichever of the calls it is.
const OWNER: PersonId = PersonId(0);

/// How far a phone is on its way into the room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LegState {
    Opening,
    Wanted { at: Instant, tries: u8 },
    Asked { tries: u8 },
    Set,
}

/// A phone that exchanges its sound with a port of ours.
#[derive(Debug)]
struct Leg {
    call: CallNumber,
    local: Box<Local>,
    state: LegState,
}

/// One room.
#[derive(Debug, Default)]
pub(super) struct Room {
    pub(super) calls: BTreeSet<CallNumber>,
    pub(super) conference: Option<Conference>,
    /// As the media task was told last.
    plan: Plan,
}

/// All rooms.
#[derive(Debug, Default)]
pub(super) struct Rooms {
    pub(super) all: BTreeMap<RoomId, Room>,
    /// Where a call is.
    pub(super) of: BTreeMap<CallNumber, RoomId>,
    legs: BTreeMap<SessionId, Leg>,
    ports: BTreeMap<EndpointId, SessionId>,
    last: u64,
}

impl Rooms {
    /// The room that a call is in.
    pub(super) fn get(&self, call: CallNumber) -> Option<&Room> {
        self.all.get(self.of.get(&call)?)
    }

    /// The conference of a user.
    pub(super) fn conference_of(&self, user: &str) -> Option<(RoomId, &Conference)> {
        self.all.iter().find_map(|(id, room)| {
            let conference = room.conference.as_ref().filter(|c| c.owner == user)?;
            Some((*id, conference))
        })
    }

    /// Whether both phones of a call, as far as it has any, send to us.
    pub(super) fn is_set(&self, call: CallNumber) -> bool {
        let mut legs = self.legs.values().filter(|leg| leg.call == call);
        self.of.contains_key(&call) && legs.all(|leg| leg.state == LegState::Set)
    }

    /// When the next leg is to be tried again.
    pub(super) fn due(&self) -> Option<Instant> {
        let at = |leg: &Leg| match leg.state {
            LegState::Wanted { at, .. } => Some(at),
            _ => None,
        };
        self.legs.values().filter_map(at).min()
    }

    /// Ports that exist.
    pub(super) fn ports(&self) -> usize {
        self.ports.len()
    }

    /// Forgets everything; the ports are to be closed.
    pub(super) fn forget(&mut self) -> Vec<EndpointId> {
        let ports = self.ports.keys().copied().collect();
        *self = Self { last: self.last, ..Self::default() };
        ports
    }

    /// A room without calls.
    pub(super) fn make(&mut self) -> RoomId {
        self.last += 1;
        let id = RoomId(self.last);
        self.all.insert(id, Room::default());
        id
    }
}

impl Exchange {
    /// The room of a call, which is brought into one if it is in none.
    pub(super) fn room_of(&mut self, now: Instant, number: CallNumber) -> RoomId {
        if let Some(room) = self.rooms.of.get(&number) {
            return *room;
        }
        let room = self.rooms.make();
        self.bring_in(now, number, room);
        room
    }

    fn bring_in(&mut self, now: Instant, number: CallNumber, room: RoomId) {
        let Some(call) = self.calls.get(&number) else { return };
        tracing::debug!(call = number.0, room = room.0, "talking, brought in -> in a room");
        let phones = (call.near_phone(), call.far_phone());
        self.rooms.of.insert(number, room);
        if let Some(room) = self.rooms.all.get_mut(&room) {
            room.calls.insert(number);
        }
        if let (Some(near), Some(far)) = phones {
            for session in [near, far] {
                let local = self.new_line();
                self.rooms.ports.insert(local.endpoint, session);
                let leg = Leg { call: number, local, state: LegState::Opening };
                self.rooms.legs.insert(session, leg);
            }
        }
        self.changed = true;
        self.legs_due(now);
    }

    /// Brings calls into one room.
    pub(super) fn merge(&mut self, now: Instant, calls: &[CallNumber]) -> Option<RoomId> {
        let first = *calls.first()?;
        let into = self.room_of(now, first);
        for &number in calls {
            let from = self.room_of(now, number);
            if from == into {
                continue;
            }
            let Room { calls, conference, .. } = self.rooms.all.remove(&from).unwrap_or_default();
            self.media(MediaCommand::Mix(from, None));
            if let Some(room) = self.rooms.all.get_mut(&into) {
                room.conference = room.conference.take().or(conference);
            }
            for call in calls {
                self.rooms.of.insert(call, into);
                if let Some(room) = self.rooms.all.get_mut(&into) {
                    room.calls.insert(call);
                }
                self.media(MediaCommand::Record(call, Record::Move(into)));
            }
        }
        self.changed = true;
        Some(into)
    }

    /// A call leaves its room: its sides are to be joined anew, or it is over.
    pub(super) fn take_out(&mut self, number: CallNumber) {
        let Some(room) = self.rooms.of.remove(&number) else { return };
        tracing::debug!(call = number.0, room = room.0, "in a room, taken out -> talking");
        if let Some(room) = self.rooms.all.get_mut(&room) {
            room.calls.remove(&number);
        }
        let legs = self.rooms.legs.extract_if(.., |_, leg| leg.call == number);
        let ports: Vec<EndpointId> = legs.map(|(_, leg)| leg.local.endpoint).collect();
        for port in ports {
            self.rooms.ports.remove(&port);
            self.media(MediaCommand::Close(port));
        }
        self.recording_over(number);
        self.changed = true;
    }

    /// The port of a leg is open, or cannot be. False if it is none.
    pub(super) fn port_opened(
        &mut self,
        now: Instant,
        endpoint: EndpointId,
        port: Option<u16>,
    ) -> bool {
        let Some(&session) = self.rooms.ports.get(&endpoint) else { return false };
        let Some(leg) = self.rooms.legs.get_mut(&session) else { return true };
        leg.local.port = port;
        leg.state = LegState::Wanted { at: now, tries: 0 };
        match port {
            Some(_) => self.try_leg(now, session),
            None => self.leg_lost(now, session, "no media port is free"),
        }
        true
    }

    /// Legs that are to be tried again.
    pub(super) fn legs_due(&mut self, now: Instant) {
        let due = |leg: &Leg| matches!(leg.state, LegState::Wanted { at, .. } if at <= now);
        let sessions = self.rooms.legs.iter().filter(|(_, leg)| due(leg));
        for session in sessions.map(|(session, _)| *session).collect::<Vec<_>>() {
            self.try_leg(now, session);
        }
    }

    /// Offers a phone its port.
    fn try_leg(&mut self, now: Instant, session: SessionId) {
        let Some(leg) = self.rooms.legs.get_mut(&session) else { return };
        let LegState::Wanted { tries, .. } = leg.state else { return };
        let busy = |call: &Call| call.asking() != Asking::Nothing || call.again.is_some();
        if self.calls.get(&leg.call).is_none_or(busy) {
            return self.put_off(now, session, tries);
        }
        let offer = leg.local.media().and_then(|media| {
            leg.local.negotiator.offer(&media, Direction::SendRecv).ok().map(Body::sdp)
        });
        let Some(offer) = offer else {
            return self.leg_lost(now, session, "nothing to offer");
        };
        leg.state = LegState::Asked { tries };
        if self.ua.reoffer(now, session, offer).is_err() {
            if let Some(leg) = self.rooms.legs.get_mut(&session) {
                leg.local.negotiator.abandon();
            }
            self.put_off(now, session, tries);
        }
    }

    fn put_off(&mut self, now: Instant, session: SessionId, tries: u8) {
        if tries >= TRIES {
            return self.leg_lost(now, session, "the phone changes its session all the time");
        }
        if let Some(leg) = self.rooms.legs.get_mut(&session) {
            leg.state = LegState::Wanted { at: now + AGAIN, tries: tries + 1 };
        }
    }

    /// A phone has answered our re-INVITE. False if it was not for its leg.
    pub(super) fn leg_answered(
        &mut self,
        now: Instant,
        session: SessionId,
        body: Option<&Body>,
    ) -> bool {
        let Some(leg) = self.rooms.legs.get_mut(&session) else { return false };
        if !matches!(leg.state, LegState::Asked { .. }) {
            return false;
        }
        let agreed = body.and_then(|body| leg.local.negotiator.receive_answer(&body.bytes).ok());
        let Some(agreed) = agreed else {
            self.leg_lost(now, session, "no usable answer");
            return true;
        };
        leg.state = LegState::Set;
        let (call, endpoint) = (leg.call, leg.local.endpoint);
        tracing::debug!(call = call.0, %session, "asked, answered -> set");
        self.media(MediaCommand::Configure(endpoint, Box::new(agreed)));
        true
    }

    /// A phone has refused our re-INVITE. False if it was not for its leg.
    pub(super) fn leg_failed(
        &mut self,
        now: Instant,
        session: SessionId,
        status: Option<StatusCode>,
    ) -> bool {
        let Some(leg) = self.rooms.legs.get_mut(&session) else { return false };
        let LegState::Asked { tries } = leg.state else { return false };
        leg.local.negotiator.abandon();
        // Both changed at once, or an offer of the phone came in between.
        match status.is_none_or(|status| status == StatusCode::REQUEST_PENDING) {
            true => self.put_off(now, session, tries),
            false => self.leg_lost(now, session, "the phone refused"),
        }
        true
    }

    /// A phone in a room changes its session: hold, resume, another address. False if it has no leg.
    pub(super) fn leg_reoffered(
        &mut self,
        now: Instant,
        session: SessionId,
        body: Option<&Body>,
    ) -> bool {
        let Some(leg) = self.rooms.legs.get_mut(&session) else { return false };
        let media = leg.local.media().filter(|_| leg.state == LegState::Set);
        let Some(media) = media else {
            let _ = self.ua.reject_reoffer(now, session, StatusCode::REQUEST_PENDING);
            return true;
        };
        let (call, endpoint) = (leg.call, leg.local.endpoint);
        let outcome = match body {
            Some(offer) => leg
                .local
                .negotiator
                .answer(&offer.bytes, &media, Direction::SendRecv)
                .map(|(answer, agreed)| (answer, Some(agreed))),
            None => {
                leg.local.negotiator.offer(&media, Direction::SendRecv).map(|offer| (offer, None))
            }
        };
        match outcome {
            Ok((answer, agreed)) => {
                let _ = self.ua.answer_reoffer(now, session, Some(Body::sdp(answer)));
                if let Some(call) = self.calls.get_mut(&call) {
                    note_hold(call, session, body);
                }
                if let Some(agreed) = agreed {
                    self.media(MediaCommand::Configure(endpoint, Box::new(agreed)));
                }
            }
            Err(error) => {
                let status = StatusCode::new(error.status());
                let status = status.unwrap_or(StatusCode::NOT_ACCEPTABLE_HERE);
                let _ = self.ua.reject_reoffer(now, session, status);
            }
        }
        true
    }

    /// A phone in a room has pressed a key: the phone it talks with learns it by INFO.
    pub(super) fn leg_digit(&mut self, now: Instant, port: EndpointId, digit: char) {
        let Some(session) = self.rooms.ports.get(&port).copied() else { return };
        let leg = self.rooms.legs.get(&session);
        let call = leg.and_then(|leg| self.calls.get(&leg.call));
        if let Some(other) = call.and_then(|call| call.other_phone(session)) {
            let _ = self.ua.info(now, other, dtmf(digit));
        }
    }

    /// A phone in a room answers in its ACK. False if it has no leg.
    pub(super) fn leg_confirmed(&mut self, session: SessionId, body: &Body) -> bool {
        let Some(leg) = self.rooms.legs.get_mut(&session) else { return false };
        if leg.state != LegState::Set {
            return false;
        }
        let endpoint = leg.local.endpoint;
        if let Ok(agreed) = leg.local.negotiator.receive_answer(&body.bytes) {
            self.media(MediaCommand::Configure(endpoint, Box::new(agreed)));
        }
        true
    }

    /// A phone cannot come into the room: its call goes on without.
    fn leg_lost(&mut self, now: Instant, session: SessionId, why: &str) {
        let Some(number) = self.rooms.legs.get(&session).map(|leg| leg.call) else { return };
        tracing::info!(call = number.0, why, "a call cannot be brought into its room");
        self.take_out(number);
        self.connect(now, number);
    }

    /// Puts the rooms in order after something has happened, and tells the media task. True if a call has ended by that.
    pub(super) fn tend_rooms(&mut self, now: Instant) -> bool {
        let gone = |number: &CallNumber| {
            let call = self.calls.get(number);
            call.is_none_or(|call| !matches!(call.state, State::Talking { .. }))
        };
        let inside = self.rooms.all.values().flat_map(|room| &room.calls);
        for number in inside.copied().filter(gone).collect::<Vec<_>>() {
            self.take_out(number);
        }
        self.confer_by_itself(now);
        self.record_by_itself(now);
        self.recordings_due();
        if self.tend_guests(now) {
            return true;
        }
        for room in self.rooms.all.values_mut() {
            // Two who are left have a call and no conference.
            if room.calls.len() < 2 {
                room.conference = None;
            }
        }
        let ids: Vec<RoomId> = self.rooms.all.keys().copied().collect();
        for id in ids {
            self.tell_plan(id);
        }
        false
    }

    fn tell_plan(&mut self, id: RoomId) {
        let Some(room) = self.rooms.all.get(&id) else { return };
        let is_watched = self.guests.keys().any(|guest| self.rooms.of.get(guest) == Some(&id));
        if room.calls.is_empty() && !is_watched {
            self.rooms.all.remove(&id);
            return self.media(MediaCommand::Mix(id, None));
        }
        let plan = self.plan(id, room);
        if plan == room.plan {
            return;
        }
        tracing::debug!(room = id.0, voices = plan.members.len(), "mixed anew");
        if let Some(room) = self.rooms.all.get_mut(&id) {
            room.plan = plan.clone();
        }
        self.media(MediaCommand::Mix(id, Some(Box::new(plan))));
    }

    /// Who hears whom.
    fn plan(&self, id: RoomId, room: &Room) -> Plan {
        let mut members = Vec::new();
        let mut last = OWNER.0;
        let mut next = || {
            last += 1;
            PersonId(last)
        };
        let conference = room.conference.as_ref();
        // Who is who, for those who are heard by one only.
        let mut persons: Vec<(CallNumber, Option<&str>, PersonId)> = Vec::new();
        for &number in &room.calls {
            let Some(call) = self.calls.get(&number) else { continue };
            let State::Talking { far, .. } = &call.state else { continue };
            for (who, party, other) in
                [(&call.caller, &call.near, far), (&call.called, far, &call.near)]
            {
                let line = who.extension.as_deref();
                let owns =
                    conference.is_some_and(|conference| line == Some(conference.owner.as_str()));
                let person = if owns { OWNER } else { next() };
                persons.push((number, line, person));
                let (is_muted, deaf) = conference.map_or((false, false), |c| c.ears(number, owns));
                let heard_by = if is_muted { HeardBy::Nobody } else { HeardBy::All };
                if let Some(voice) = self.voice(party, other) {
                    members.push(Member { voice, person, heard_by, deaf });
                }
            }
        }
        let mut is_conference = conference.is_some();
        for (number, guest) in &self.guests {
            let watches_here = match guest.watched {
                Watched::Call(call) => room.calls.contains(&call),
                Watched::Talk(_) => self.rooms.of.get(number) == Some(&id),
                Watched::Next { .. } => false,
            };
            if !watches_here {
                continue;
            }
            let agent = persons.iter().find(|(call, line, _)| {
                guest.watched == Watched::Call(*call) && *line == Some(guest.agent.as_str())
            });
            let agent = agent.map(|(_, _, person)| *person);
            is_conference |= guest.manner == Manner::BargeIn;
            if let Some(endpoint) = self.port_of_guest(*number) {
                members.extend(guest_members(guest, endpoint, agent, (next(), next())));
            }
        }
        Plan { members, is_conference }
    }

    /// The voice of a party: the port its phone sends to, or what it plays itself.
    fn voice(&self, party: &Party, other: &Party) -> Option<Voice> {
        match (party, other) {
            (Party::Local(local), _) => {
                Some(Voice { endpoint: local.endpoint, face: Face::Script })
            }
            (Party::Phone(_), Party::Local(local)) => {
                Some(Voice { endpoint: local.endpoint, face: Face::Line })
            }
            (Party::Phone(session), _) => {
                let leg = self.rooms.legs.get(session)?;
                let set = leg.state == LegState::Set;
                set.then_some(Voice { endpoint: leg.local.endpoint, face: Face::Line })
            }
            (Party::Transferee(_), _) => None,
        }
    }

    fn port_of_guest(&self, number: CallNumber) -> Option<EndpointId> {
        match &self.calls.get(&number)?.state {
            State::Talking { far: Party::Local(local), .. } => Some(local.endpoint),
            _ => None,
        }
    }

    /// Whether a call is part of a conference.
    pub(super) fn is_in_conference(&self, number: CallNumber) -> bool {
        self.rooms.get(number).is_some_and(|room| room.conference.is_some())
    }

    /// The call's stage for who is in a conference: it is on hold for its owner only, and all of it at once.
    pub(super) fn is_held_conference(&self, number: CallNumber, who: &Who) -> Option<bool> {
        let conference = self.rooms.get(number)?.conference.as_ref()?;
        let owns = who.extension.as_deref() == Some(conference.owner.as_str());
        owns.then_some(conference.is_held)
    }
}

/// A key, as an INFO carries it.
pub(super) fn dtmf(digit: char) -> Body {
    Body {
        content_type: "application/dtmf-relay".to_owned(),
        bytes: format!("Signal={digit}\r\nDuration=160\r\n").into_bytes(),
    }
}

/// The voices of somebody who is in on a call: himself, and the tone that tells of him.
fn guest_members(
    guest: &Guest,
    endpoint: EndpointId,
    agent: Option<PersonId>,
    (himself, tone): (PersonId, PersonId),
) -> [Member; 2] {
    let agent: Vec<PersonId> = agent.into_iter().collect();
    let (speaks_to, tone_for) = match guest.manner {
        // What is watched there is played by the tone's voice.
        _ if matches!(guest.watched, Watched::Talk(_)) => (HeardBy::Nobody, HeardBy::All),
        Manner::Listen => (HeardBy::Nobody, HeardBy::Only(agent)),
        Manner::Coach => (HeardBy::Only(agent.clone()), HeardBy::Only(agent)),
        Manner::BargeIn => (HeardBy::All, HeardBy::All),
    };
    let voice = |face| Voice { endpoint, face };
    [
        Member { voice: voice(Face::Line), person: himself, heard_by: speaks_to, deaf: false },
        Member { voice: voice(Face::Script), person: tone, heard_by: tone_for, deaf: true },
    ]
}

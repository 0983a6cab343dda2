//! Simulated parties: their lines are opened, negotiated and set to work.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use sdp::{Direction, Negotiator};
use sip_types::StatusCode;
use sip_ua::{Body, SessionId};

use super::{Exchange, LONGEST_CALL, Output};
use crate::call::{Asking, Call, Local, Party, State};
use crate::endpoint::{Step, StreamSeed};
use crate::media_task::{EndpointId, MediaCommand};
use crate::pbx::CallNumber;

/// How long opening a socket may take.
pub(super) const OPENING: Duration = Duration::from_secs(5);

impl Exchange {
    /// A simulated party rings for a while, then does what is in `state`; a customer does not call simulated parties.
    pub(super) fn simulate(
        &mut self,
        now: Instant,
        number: CallNumber,
        after: Duration,
        state: State,
    ) {
        let Some(call) = self.calls.get_mut(&number) else { return };
        if matches!(call.near, Party::Local(_)) {
            return self.give_up(now, number, StatusCode::TEMPORARILY_UNAVAILABLE);
        }
        tracing::debug!(call = number.0, "{}, simulated party -> simulated", call.state.name());
        call.state = state;
        call.due = Some(now + after);
        self.tell_ringing(now, number);
    }

    /// A simulated party lifts: first its line is opened.
    pub(super) fn lift(&mut self, now: Instant, number: CallNumber, steps: Vec<Step>) {
        let Some(call) = self.calls.get(&number) else { return };
        if matches!(call.near, Party::Local(_)) {
            return self.give_up(now, number, StatusCode::TEMPORARILY_UNAVAILABLE);
        }
        if self.transferee_line(number).is_some() {
            return self.both_simulated(now, number);
        }
        let local = self.open_line(number, steps);
        let Some(call) = self.calls.get_mut(&number) else { return };
        tracing::debug!(call = number.0, "{}, lifts -> answering", call.state.name());
        call.state = State::Answering(local);
        call.due = Some(now + OPENING);
    }

    pub(super) fn open_line(&mut self, number: CallNumber, steps: Vec<Step>) -> Box<Local> {
        let mut local = self.new_line();
        self.endpoints.insert(local.endpoint, number);
        local.steps = steps;
        local
    }

    /// A line that is being opened, and belongs to nothing yet.
    pub(super) fn new_line(&mut self) -> Box<Local> {
        self.last_endpoint += 1;
        let endpoint = EndpointId(self.last_endpoint);
        let [low, high, ..] = self.random.u32().to_be_bytes();
        let seed = StreamSeed {
            ssrc: self.random.u32(),
            sequence: u16::from_be_bytes([low, high]),
            timestamp: self.random.u32(),
        };
        self.outputs.push_back(Output::OpenEndpoint(endpoint, seed));
        Box::new(Local::new(endpoint, self.address, self.session_id()))
    }

    /// A random session id for an `o=` line.
    pub(super) fn session_id(&mut self) -> u64 {
        self.random.u64() >> 1
    }

    /// A simulated party's line is open, or cannot be.
    pub(super) fn endpoint_opened(
        &mut self,
        now: Instant,
        endpoint: EndpointId,
        port: Option<u16>,
    ) {
        if self.port_opened(now, endpoint, port) {
            return;
        }
        let Some(&number) = self.endpoints.get(&endpoint) else {
            return self.media(MediaCommand::Close(endpoint));
        };
        let Some(call) = self.calls.get_mut(&number) else { return };
        if port.is_none() {
            tracing::warn!(call = number.0, "no media port is free");
            return self.give_up_for_good(now, number, StatusCode::SERVICE_UNAVAILABLE);
        }
        if let Some(local) = call.local() {
            local.port = port;
        }
        match &call.state {
            State::Opening { to } => {
                let to = to.clone();
                self.offer_and_ring(now, number, &to);
            }
            State::Answering(_) => self.answer_locally(now, number),
            _ => {}
        }
    }

    /// Refuses without trying the rest of a hunt group.
    fn give_up_for_good(&mut self, now: Instant, number: CallNumber, status: StatusCode) {
        if let Some(call) = self.calls.get_mut(&number) {
            call.hunt = VecDeque::new();
        }
        self.give_up(now, number, status);
    }

    fn offer_and_ring(&mut self, now: Instant, number: CallNumber, to: &str) {
        let Some(call) = self.calls.get_mut(&number) else { return };
        let offer = call.local().and_then(|local| {
            let media = local.media()?;
            local.negotiator.offer(&media, Direction::SendRecv).ok()
        });
        call.offer = offer.map(Body::sdp);
        self.go_to(now, number, to);
    }

    /// The line is open: the caller gets his answer, or a re-INVITE if he has been answered before.
    fn answer_locally(&mut self, now: Instant, number: CallNumber) {
        if matches!(self.calls.get(&number), Some(Call { near: Party::Transferee(_), .. })) {
            self.take_over(now, number);
        }
        let Some(call) = self.calls.get_mut(&number) else { return };
        let Some(session) = call.near_phone() else { return };
        if call.answered {
            return self.serve(now, number, session);
        }
        let outcome = match (call.offer.take(), call.local()) {
            (offer, Some(local)) => answer_or_offer(local, offer.as_ref()),
            (_, None) => return,
        };
        match outcome {
            Ok((endpoint, body, agreed)) => {
                self.now_talking(now, number, "answering, line open -> talking");
                let _ = self.ua.accept(now, session, Some(body));
                if let Some(agreed) = agreed {
                    self.media(MediaCommand::Configure(endpoint, agreed));
                    self.begin_steps(number);
                }
            }
            Err(status) => self.give_up_for_good(now, number, status),
        }
    }

    /// The party that lifted becomes the far side.
    fn now_talking(&mut self, now: Instant, number: CallNumber, log: &str) {
        let Some(call) = self.calls.get_mut(&number) else { return };
        match std::mem::replace(&mut call.state, State::Alone) {
            State::Answering(local) => {
                tracing::debug!(call = number.0, "{log}");
                call.state = State::Talking { far: Party::Local(local), asking: Asking::Nothing };
                call.answered = true;
                if call.attending.is_some() {
                    call.due = Some(Self::attendant_patience(now));
                } else if call.parked.is_none() {
                    call.due = Some(now + LONGEST_CALL);
                }
                self.voicemail_answered(now, number);
            }
            other => call.state = other,
        }
    }

    /// Offers the simulated party's line to a phone whose call has been answered before.
    fn serve(&mut self, now: Instant, number: CallNumber, phone: SessionId) {
        self.now_talking(now, number, "answering, line open -> joining");
        self.serve_again(now, number, phone);
    }

    /// [`Self::serve`] once the call is in state talking.
    pub(super) fn serve_again(&mut self, now: Instant, number: CallNumber, phone: SessionId) {
        let id = self.session_id();
        let offer = self.calls.get_mut(&number).and_then(Call::local).and_then(|local| {
            let offer = local.offer_anew(id);
            local.renew();
            offer
        });
        match offer {
            Some(offer) => self.join(now, number, Asking::Serve(phone), Some(offer)),
            None => self.end(now, number, "nothing to offer"),
        }
    }

    /// The simulated party begins with what it has to say, once.
    pub(super) fn begin_steps(&mut self, number: CallNumber) {
        let local = self.calls.get_mut(&number).and_then(Call::local);
        let Some((endpoint, steps)) =
            local.map(|local| (local.endpoint, std::mem::take(&mut local.steps)))
        else {
            return;
        };
        if !steps.is_empty() {
            self.media(MediaCommand::Play(endpoint, steps));
        }
    }

    /// A phone's offer for a simulated party that gets a new peer: the answer, which is set to work at once.
    pub(super) fn answer_anew(&mut self, number: CallNumber, offer: &Body) -> Option<Body> {
        let id = self.session_id();
        let local = self.calls.get_mut(&number).and_then(Call::local)?;
        local.negotiator = Negotiator::new(id);
        let (endpoint, body, agreed) = answer_or_offer(local, Some(offer)).ok()?;
        self.media(MediaCommand::Configure(endpoint, agreed?));
        self.begin_steps(number);
        Some(body)
    }

    /// An answer that keeps a phone quiet until it is told where to send.
    pub(super) fn quiet_answer(&mut self, offer: &Body) -> Option<Body> {
        let mut nobody = Local::new(EndpointId(0), self.address, self.session_id());
        // The discard port: nothing is sent to it while the stream is inactive.
        nobody.port = Some(9);
        let media = nobody.media()?;
        let answer = nobody.negotiator.answer(&offer.bytes, &media, Direction::Inactive).ok()?;
        Some(Body::sdp(answer.0))
    }
}

type Answered = (EndpointId, Body, Option<Box<sdp::Negotiated>>);

fn answer_or_offer(local: &mut Local, offer: Option<&Body>) -> Result<Answered, StatusCode> {
    let media = local.media().ok_or(StatusCode::SERVER_INTERNAL_ERROR)?;
    let (body, agreed) = match offer {
        Some(offer) => local
            .negotiator
            .answer(&offer.bytes, &media, Direction::SendRecv)
            .map(|(answer, agreed)| (answer, Some(Box::new(agreed))))
            .map_err(|error| {
                tracing::info!(%error, "unusable offer");
                StatusCode::new(error.status()).unwrap_or(StatusCode::NOT_ACCEPTABLE_HERE)
            })?,
        None => local
            .negotiator
            .offer(&media, Direction::SendRecv)
            .map(|offer| (offer, None))
            .map_err(|_| StatusCode::SERVER_INTERNAL_ERROR)?,
    };
    Ok((local.endpoint, Body::sdp(body), agreed))
}

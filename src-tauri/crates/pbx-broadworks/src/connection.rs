//! One sign-in at BroadWorks: the gate that guards the password, the queue of requests and the events
//! session behind it, without I/O.
//!
//! Inputs by source: the owner gives credentials and servers, submits requests and says what it wants to be
//! told; the driver brings answers and the endless answer of the channel; the time. The credentials
//! themselves stay in the driver.
//!
//! A wrong password is tried once. Operators lock accounts after a few attempts (reference, section 2,
//! "401"), so until the first success only one request is under way, and after a refusal none until new
//! credentials come. A refused heart-beat may only mean that the server has forgotten the channel: then one
//! single request finds out.

use std::{collections::VecDeque, time::Instant};

use sip_core::Random;

use crate::{
    ErrorInfo, HttpAnswer, HttpFailure, HttpRequest, Lane, Origin, RequestQueue, Ticket, XsiError,
    queue::QueueOutput,
    session::{
        ChannelNumber, Input as SessionInput, Output as SessionOutput, RequestNumber, Session,
        SessionConfig, SessionState, Standing, Subject,
    },
    wire::EventData,
};

/// Whom an answer belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Owner {
    /// The events session.
    Session,
    /// The queue of requests.
    Queue,
}

/// Names a request towards the driver.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WireId {
    /// Whose.
    pub owner: Owner,
    /// Which.
    pub number: RequestNumber,
}

/// How the sign-in stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Gate {
    /// There are no credentials.
    #[default]
    Closed,
    /// There are, but they have not been proved: one request at a time.
    Unproved,
    /// The server has taken them.
    Proved,
    /// The server has refused them: nothing is sent.
    Refused,
}

/// What the outside tells.
#[derive(Clone, Debug)]
pub enum Input {
    /// The owner has given (other) credentials to the driver.
    Credentials,
    /// The owner has taken the credentials back.
    SignOut,
    /// The servers, for requests and for events.
    Servers {
        /// For requests, the best one first.
        actions: Vec<Origin>,
        /// For events, the best one first.
        events: Vec<Origin>,
    },
    /// The owner wants something done.
    Submit {
        /// Its name.
        ticket: Ticket,
        /// Who waits for it.
        lane: Lane,
        /// What.
        http: HttpRequest,
    },
    /// The owner wants events, or no longer.
    Events(bool),
    /// The owner wants to be told about this.
    Watch(Subject),
    /// The owner has enough of this.
    Unwatch(Subject),
    /// The owner doubts what it knows of this.
    Resync(Subject),
    /// The network is another one.
    NetworkChanged,
    /// The driver: how a request went.
    Answered {
        /// Which.
        id: WireId,
        /// How.
        result: Result<HttpAnswer, HttpFailure>,
    },
    /// The driver: the head of the endless answer.
    ChannelAnswered {
        /// Which.
        channel: ChannelNumber,
        /// Status and header.
        answer: HttpAnswer,
    },
    /// The driver: more of the endless answer.
    ChannelBytes {
        /// Which.
        channel: ChannelNumber,
        /// As they came.
        bytes: Vec<u8>,
    },
    /// The driver: the endless answer has ended, or there was none.
    ChannelEnded {
        /// Which.
        channel: ChannelNumber,
        /// Why.
        failure: Option<HttpFailure>,
    },
}

/// What is wanted and told.
#[derive(Clone, Debug, PartialEq)]
pub enum Output {
    /// Send this.
    Send {
        /// Which.
        id: WireId,
        /// The server.
        origin: Origin,
        /// To the same address as this channel, with its cookies.
        pinned: Option<ChannelNumber>,
        /// What is sent.
        http: HttpRequest,
        /// Asked instead of the request's own path.
        target: Option<String>,
    },
    /// Open a connection of its own, send this, and bring the answer piece by piece.
    Open {
        /// Which.
        channel: ChannelNumber,
        /// The server.
        origin: Origin,
        /// What is sent.
        http: HttpRequest,
        /// Asked instead of the request's own path.
        target: Option<String>,
    },
    /// Drop that connection.
    Close(ChannelNumber),
    /// How a request of the owner went.
    Done {
        /// Which.
        ticket: Ticket,
        /// How.
        result: Result<HttpAnswer, XsiError>,
    },
    /// How the sign-in stands has changed.
    Gate(Gate),
    /// What the server said when it refused the credentials, before [`Output::Gate`] tells that it did.
    Refusal(ErrorInfo),
    /// How the events session stands has changed.
    Session(SessionState),
    /// There is no channel.
    Trouble {
        /// Why.
        why: XsiError,
        /// When another one is opened.
        again: Instant,
    },
    /// How a subscription stands has changed.
    Standing {
        /// Which.
        subject: Subject,
        /// How.
        standing: Standing,
    },
    /// The server tells something.
    Told {
        /// About what.
        subject: Subject,
        /// What.
        data: EventData,
    },
    /// Read this by an action.
    PollDue(Subject),
}

/// See the module.
#[derive(Debug)]
pub struct Connection {
    gate: Gate,
    queue: RequestQueue,
    session: Session,
    events: Vec<Origin>,
    wants_events: bool,
    /// The channel whose opening is under way.
    opening: Option<ChannelNumber>,
    /// An opening that waits for the gate.
    held: Option<Output>,
    outputs: VecDeque<Output>,
}

impl Connection {
    /// A connection that does nothing yet.
    pub fn new(config: SessionConfig, mut random: Random) -> Self {
        Self {
            gate: Gate::Closed,
            queue: RequestQueue::new(random.fork()),
            session: Session::new(config, random),
            events: Vec::new(),
            wants_events: false,
            opening: None,
            held: None,
            outputs: VecDeque::new(),
        }
    }

    /// How the sign-in stands.
    pub fn gate(&self) -> Gate {
        self.gate
    }

    /// What is wanted and told, oldest first.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When [`Self::handle_timeout`] must be called.
    pub fn poll_timeout(&self) -> Option<Instant> {
        [self.queue.poll_timeout(), self.session.poll_timeout()].into_iter().flatten().min()
    }

    /// Time has passed.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.session.handle_timeout(now);
        self.drain(now);
    }

    /// Something happened.
    pub fn handle_input(&mut self, now: Instant, input: Input) {
        match input {
            Input::Credentials => self.credentials(now),
            Input::SignOut => {
                self.queue.fail_all(&XsiError::NotSignedIn);
                self.session.handle_input(now, SessionInput::Stop);
                self.show(Gate::Closed);
            }
            Input::Servers { actions, events } => {
                self.queue.set_servers(actions);
                self.events = events;
                self.begin_events(now);
            }
            Input::Submit { ticket, lane, http } => self.submit(now, ticket, lane, http),
            Input::Events(wanted) => {
                self.wants_events = wanted;
                match wanted {
                    true => self.begin_events(now),
                    false => self.session.handle_input(now, SessionInput::Stop),
                }
            }
            Input::Watch(subject) => self.session.handle_input(now, SessionInput::Watch(subject)),
            Input::Unwatch(subject) => {
                self.session.handle_input(now, SessionInput::Unwatch(subject));
            }
            Input::Resync(subject) => self.session.handle_input(now, SessionInput::Resync(subject)),
            Input::NetworkChanged => self.session.handle_input(now, SessionInput::NetworkChanged),
            Input::Answered { id, result } => self.answered(now, id, result),
            Input::ChannelAnswered { channel, answer } => {
                self.judge(now, &answer, true);
                self.opened(channel);
                self.session.handle_input(now, SessionInput::ChannelAnswered { channel, answer });
            }
            Input::ChannelBytes { channel, bytes } => {
                self.session.handle_input(now, SessionInput::ChannelBytes { channel, bytes });
            }
            Input::ChannelEnded { channel, failure } => {
                self.opened(channel);
                self.session.handle_input(now, SessionInput::ChannelEnded { channel, failure });
            }
        }
        self.drain(now);
    }

    fn credentials(&mut self, now: Instant) {
        // What is under way was signed with the old ones; its answer says nothing about the new ones.
        self.queue.fail_all(&XsiError::CredentialsRefused);
        self.session.handle_input(now, SessionInput::Halt(SessionState::Stopped));
        self.discard_openings();
        self.show(Gate::Unproved);
        self.begin_events(now);
    }

    fn begin_events(&mut self, now: Instant) {
        let open = matches!(self.gate, Gate::Unproved | Gate::Proved);
        if self.wants_events && open && !self.events.is_empty() {
            self.session.handle_input(now, SessionInput::Start(self.events.clone()));
        }
    }

    fn submit(&mut self, now: Instant, ticket: Ticket, lane: Lane, http: HttpRequest) {
        let error = match self.gate {
            Gate::Refused => XsiError::CredentialsRefused,
            Gate::Closed => XsiError::NotSignedIn,
            Gate::Unproved | Gate::Proved => return self.queue.submit(now, ticket, lane, http),
        };
        self.outputs.push_back(Output::Done { ticket, result: Err(error) });
    }

    fn answered(&mut self, now: Instant, id: WireId, result: Result<HttpAnswer, HttpFailure>) {
        if let Ok(answer) = &result {
            self.judge(now, answer, id.owner == Owner::Queue);
        }
        let WireId { owner, number } = id;
        match owner {
            Owner::Queue => self.queue.answered(now, number, result),
            Owner::Session => {
                self.session.handle_input(now, SessionInput::Answered { request: number, result });
            }
        }
    }

    /// What an answer says about the credentials. `plain`: the request proves nothing but them.
    fn judge(&mut self, now: Instant, answer: &HttpAnswer, plain: bool) {
        match (answer.status, self.gate) {
            (_, Gate::Closed | Gate::Refused) => {}
            (401, _) if plain => {
                self.outputs.push_back(Output::Refusal(answer.error_info()));
                self.queue.fail_all(&XsiError::CredentialsRefused);
                self.session.handle_input(now, SessionInput::Halt(SessionState::Refused));
                self.discard_openings();
                self.show(Gate::Refused);
            }
            (401, Gate::Proved) => self.show(Gate::Unproved),
            // Whatever else comes may come from somebody who has not looked at them.
            (200..=299 | 403, Gate::Unproved) => self.show(Gate::Proved),
            _ => {}
        }
    }

    fn discard_openings(&mut self) {
        self.opening = None;
        self.held = None;
    }

    fn opened(&mut self, channel: ChannelNumber) {
        if self.opening == Some(channel) {
            self.opening = None;
        }
    }

    /// How many requests of the queue may be under way.
    fn permitted(&self) -> usize {
        match self.gate {
            Gate::Closed | Gate::Refused => 0,
            Gate::Unproved => usize::from(self.opening.is_none()),
            Gate::Proved => usize::MAX,
        }
    }

    /// Whether a channel may be opened now.
    fn may_open(&self) -> bool {
        match self.gate {
            Gate::Closed | Gate::Refused => false,
            Gate::Unproved => self.queue.under_way() == 0 && self.opening.is_none(),
            Gate::Proved => true,
        }
    }

    fn drain(&mut self, now: Instant) {
        while let Some(output) = self.session.poll_output() {
            self.pass(output);
        }
        if self.may_open()
            && let Some(held) = self.held.take()
        {
            if let Output::Open { channel, .. } = &held {
                self.opening = Some(*channel);
            }
            self.outputs.push_back(held);
        }
        self.queue.advance(now, self.permitted());
        while let Some(output) = self.queue.poll_output() {
            self.outputs.push_back(match output {
                QueueOutput::Send { request, origin, http, target } => {
                    let id = WireId { owner: Owner::Queue, number: request };
                    Output::Send { id, origin, pinned: None, http, target }
                }
                QueueOutput::Done { ticket, result } => Output::Done { ticket, result },
            });
        }
    }

    fn pass(&mut self, output: SessionOutput) {
        let output = match output {
            SessionOutput::Open { channel, origin, request, target } => {
                self.held = Some(Output::Open { channel, origin, http: request, target });
                return;
            }
            SessionOutput::Close(channel) => {
                self.opened(channel);
                let is_held = matches!(&self.held, Some(Output::Open { channel: held, .. }) if *held == channel);
                if is_held {
                    // It was never opened.
                    self.held = None;
                    return;
                }
                Output::Close(channel)
            }
            SessionOutput::Send { request, origin, pinned, http, target } => {
                let id = WireId { owner: Owner::Session, number: request };
                Output::Send { id, origin, pinned, http, target }
            }
            SessionOutput::State(state) => Output::Session(state),
            SessionOutput::Trouble { why, again } => Output::Trouble { why, again },
            SessionOutput::Standing { subject, standing } => Output::Standing { subject, standing },
            SessionOutput::Told { subject, data } => Output::Told { subject, data },
            SessionOutput::PollDue(subject) => Output::PollDue(subject),
        };
        self.outputs.push_back(output);
    }

    fn show(&mut self, gate: Gate) {
        if self.gate != gate {
            tracing::debug!("sign-in: {:?} -> {gate:?}", self.gate);
            self.gate = gate;
            self.outputs.push_back(Output::Gate(gate));
        }
    }
}

#[cfg(test)]
mod tests;

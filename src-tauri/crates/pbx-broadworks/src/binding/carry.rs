//! Requests of the model as actions, and their answers and refusals.

use pbx::centre::{
    Answer, CallVerb, GreetingKind, NightOverride, QueueId, Recorded, Recording, Refusal, Request,
    Service, ServiceKind, Supervision, UserId, VoiceMail,
};

use super::{capability::trace_code, map, read::Reader, service};
use crate::{
    Action, Actions, Built, Lane, RecordingVerb, SupervisionVerb, XsiError,
    session::{Package, Subject},
    wire::{AgentStateWord, CallStarted},
};

/// Carries out requests, one at a time; several carriers work beside each other.
pub(super) struct Carrier {
    pub reader: Reader,
}

/// What a request leaves behind besides its answer.
#[derive(Debug, Default)]
pub(super) struct Aftermath {
    /// Read these unless events tell of them.
    pub subjects: Vec<Subject>,
    /// The directory is another one now.
    pub directory: bool,
}

pub(super) fn refusal(error: XsiError) -> Refusal {
    match error {
        XsiError::Forbidden(info) if info.words().is_empty() => Refusal::NotAllowed,
        XsiError::Forbidden(info) => {
            Refusal::Exchange { code: info.code, words: info.words().to_owned() }
        }
        XsiError::NotInRelease => Refusal::NotAllowed,
        XsiError::NotFound(info) if info.words().is_empty() => Refusal::Gone,
        XsiError::NotFound(info) => {
            Refusal::Exchange { code: info.code, words: info.words().to_owned() }
        }
        XsiError::Refused { info, .. } => {
            Refusal::Exchange { code: info.code, words: info.words().to_owned() }
        }
        XsiError::BadValue(what) => Refusal::BadValue(what.to_owned()),
        XsiError::CredentialsRefused
        | XsiError::NotSignedIn
        | XsiError::Overloaded { .. }
        | XsiError::Http(_)
        | XsiError::Document(_)
        | XsiError::Full
        | XsiError::Expired
        | XsiError::Closed => Refusal::Unavailable,
    }
}

pub(super) type Outcome = Result<Answer, Refusal>;

impl Carrier {
    pub(super) fn actions(&self) -> &Actions {
        &self.reader.actions
    }

    pub(super) async fn run<T>(&self, action: Built<T>) -> Result<T, Refusal> {
        let action: Action<T> = action.map_err(refusal)?;
        self.reader.client.run(action, Lane::Interactive).await.map_err(refusal)
    }

    pub(super) async fn accept<T>(&self, action: Built<T>) -> Outcome {
        self.run(action).await.map(|_| Answer::Accepted)
    }

    async fn start(&self, action: Built<CallStarted>) -> Outcome {
        let started = self.run(action).await?;
        Ok(if started.call_id.is_empty() {
            Answer::Accepted
        } else {
            Answer::Call(started.call_id)
        })
    }

    async fn place(&self, action: Built<Option<u32>>) -> Outcome {
        Ok(self.run(action).await?.map_or(Answer::Accepted, Answer::Position))
    }

    fn of(&self, agent: Option<&UserId>) -> Result<Actions, Refusal> {
        match agent {
            Some(agent) => self.actions().of(&agent.0).map_err(refusal),
            None => Ok(self.actions().clone()),
        }
    }

    /// Carries a request out.
    pub(super) async fn carry(&self, request: Request) -> (Outcome, Aftermath) {
        let mut after = Aftermath::default();
        let outcome = match request {
            Request::SetAgentState { .. }
            | Request::Join { .. }
            | Request::SetDisposition { .. } => self.agent(request, &mut after).await,
            Request::MoveToNumber { .. }
            | Request::Reorder { .. }
            | Request::Promote { .. }
            | Request::ReleaseQueued { .. }
            | Request::SetNight { .. }
            | Request::SetForcedForwarding { .. } => self.queue(request, &mut after).await,
            Request::SetService(service) => self.service(&service).await,
            Request::ReadService(kind) => {
                let read = self.reader.service(service::path(kind)).await;
                read.map(|()| Answer::Accepted).map_err(refusal)
            }
            Request::ReadGreeting(kind) => self.greeting(kind).await,
            Request::SetGreeting { kind, recorded } => self.own_greeting(kind, recorded).await,
            Request::ReadPolicy(queue) => {
                let read = self.reader.policy(&queue, true).await;
                read.map(|()| Answer::Accepted).map_err(refusal)
            }
            Request::ReadMessages
            | Request::ReadMessage(_)
            | Request::MarkMessage { .. }
            | Request::DeleteMessage(_)
            | Request::ReadPersonalNumbers
            | Request::AddPersonalNumber(_)
            | Request::ChangePersonalNumber { .. }
            | Request::RemovePersonalNumber(_) => self.kept(request, &mut after).await,
            other => self.call(other, &mut after).await,
        };
        (outcome, after)
    }

    async fn agent(&self, request: Request, after: &mut Aftermath) -> Outcome {
        match request {
            Request::SetAgentState { agent, state, code, validate } => {
                let actions = self.of(agent.as_ref())?;
                let word = map::agent_word(state);
                let code = code.filter(|_| word == AgentStateWord::Unavailable);
                let outcome =
                    self.accept(actions.set_agent_state(&word, code.as_deref(), validate)).await;
                after.subjects.push(Subject::user(actions.user(), Package::CallCenterAgent));
                match outcome {
                    Err(refused @ (Refusal::Exchange { .. } | Refusal::NotAllowed))
                        if validate && word == AgentStateWord::SignOut =>
                    {
                        Err(self.last_staffed(&actions, refused).await)
                    }
                    outcome => outcome,
                }
            }
            Request::Join { agent, queue, joined } => {
                let actions = self.of(agent.as_ref())?;
                let mut queues = self.run(actions.agent()).await?.queues;
                let one = queues.iter_mut().find(|one| one.id.eq_ignore_ascii_case(&queue.0));
                let one = one.ok_or(Refusal::Gone)?;
                if !joined && !one.may_leave {
                    return Err(Refusal::NotAllowed);
                }
                one.available = joined;
                after.subjects.push(Subject::user(actions.user(), Package::CallCenterAgent));
                self.accept(actions.set_agent_queues(&queues)).await
            }
            Request::SetDisposition { call, code, last } => {
                self.outcome(call.as_deref(), &code, last).await
            }
            _ => Err(Refusal::NotAllowed),
        }
    }

    /// A server that has forgotten the call still knows which one was the last.
    async fn outcome(&self, call: Option<&str>, code: &str, last: bool) -> Outcome {
        let actions = self.actions();
        let action = actions.disposition(call, code).map_err(refusal)?;
        match self.reader.client.run(action, Lane::Interactive).await {
            Err(XsiError::NotFound(_)) if last && call.is_some() => {
                self.accept(actions.disposition(None, code)).await
            }
            outcome => outcome.map(|()| Answer::Accepted).map_err(refusal),
        }
    }

    /// In which words the server says that a queue would be without agents is not known; so after a refused
    /// sign-out the queues are asked for.
    async fn last_staffed(&self, actions: &Actions, refused: Refusal) -> Refusal {
        match self.run(actions.last_staffed_queues()).await {
            Ok(queues) if !queues.is_empty() => {
                Refusal::LastStaffed(queues.into_iter().map(|one| QueueId(one.id)).collect())
            }
            _ => refused,
        }
    }

    async fn queue(&self, request: Request, after: &mut Aftermath) -> Outcome {
        let actions = self.actions();
        match request {
            Request::MoveToNumber { queue, call, number } => {
                after.subjects.push(Subject::user(&queue.0, Package::CallCenterQueue));
                self.accept(actions.transfer_queued(&queue.0, &call.0, &number)).await
            }
            Request::Reorder { queue, call, index } => {
                after.subjects.push(Subject::user(&queue.0, Package::CallCenterQueue));
                self.place(actions.reorder(&queue.0, &call.0, index)).await
            }
            Request::Promote { queue, call, priority } => {
                after.subjects.push(Subject::user(&queue.0, Package::CallCenterQueue));
                let word = map::priority_word(priority);
                self.place(actions.promote(&queue.0, &call.0, word)).await
            }
            Request::ReleaseQueued { queue, call } => {
                after.subjects.push(Subject::user(&queue.0, Package::CallCenterQueue));
                self.accept(actions.release_queued(&queue.0, &call.0)).await
            }
            Request::SetNight { queue, night } => {
                let forced = match night {
                    NightOverride::ForcedOn => true,
                    NightOverride::Automatic => false,
                    // The exchange can force night, but not day.
                    NightOverride::ForcedOff => return Err(Refusal::NotAllowed),
                };
                self.accept(actions.force_night(&queue.0, forced)).await?;
                self.read_policy(&queue).await
            }
            Request::SetForcedForwarding { queue, to } => {
                self.accept(actions.set_forced_forwarding(&queue.0, to.as_deref())).await?;
                self.read_policy(&queue).await
            }
            _ => Err(Refusal::NotAllowed),
        }
    }

    /// What was set is read back, to be sure.
    async fn read_policy(&self, queue: &QueueId) -> Outcome {
        self.reader.policy(queue, true).await.map_err(refusal)?;
        Ok(Answer::Accepted)
    }

    async fn service(&self, wanted: &Service) -> Outcome {
        let state = service::wanted(wanted).ok_or(Refusal::NotAllowed)?;
        self.accept(self.actions().set_service(&state)).await?;
        let greetings = match wanted {
            Service::VoiceMail(mail) => self.set_greetings(mail).await,
            _ => Ok(()),
        };
        let read = self.reader.service(service::path(wanted.kind())).await.map_err(refusal);
        greetings.and(read).map(|()| Answer::Accepted)
    }

    /// Sets what is to be another one at the greetings of a voicemail.
    async fn set_greetings(&self, wanted: &VoiceMail) -> Result<(), Refusal> {
        if wanted.greetings.is_none() && wanted.rings.is_none() {
            return Ok(());
        }
        let so = self.run(self.actions().greetings()).await?;
        let change = service::greetings_to_set(wanted, &so);
        match change.is_empty() {
            true => Ok(()),
            false => self.run(self.actions().set_greetings(&change)).await,
        }
    }

    /// The user's own recording of a greeting.
    async fn greeting(&self, kind: GreetingKind) -> Outcome {
        let greetings = self.run(self.actions().greetings()).await?;
        let file = match kind {
            GreetingKind::Busy => greetings.busy_file,
            GreetingKind::NoAnswer => greetings.no_answer_file,
        };
        let file = file.ok_or(Refusal::Gone)?;
        // Some servers only tell what it is called.
        let wav = file.content.ok_or(Refusal::NotAllowed)?;
        Ok(Answer::Recorded(Recorded { name: file.description, wav }))
    }

    async fn own_greeting(&self, kind: GreetingKind, recorded: Recorded) -> Outcome {
        let greetings = service::own_greeting(kind, recorded);
        self.accept(self.actions().set_greetings(&greetings)).await?;
        let read = self.reader.service(service::path(ServiceKind::VoiceMail)).await;
        read.map(|()| Answer::Accepted).map_err(refusal)
    }

    async fn call(&self, request: Request, after: &mut Aftermath) -> Outcome {
        let actions = self.actions();
        after.subjects.push(Subject::user(actions.user(), Package::StandardCall));
        match request {
            Request::Dial { number } => self.start(actions.dial(&number)).await,
            Request::Control { call, verb } => self.control(&call, verb).await,
            Request::Conference { calls } => self.accept(actions.start_conference(&calls)).await,
            Request::Retrieve { at } => self.start(actions.park_retrieve(at.as_deref())).await,
            Request::Pickup { at: Some(at) } => self.start(actions.directed_pickup(&at)).await,
            Request::Pickup { at: None } => self.start(actions.group_pickup()).await,
            Request::PullCall => self.start(actions.retrieve_from_other_phone()).await,
            Request::RingBack => self.start(actions.automatic_callback()).await,
            Request::ReturnCall => self.start(actions.call_return()).await,
            Request::Redial => self.start(actions.last_number_redial()).await,
            Request::TraceCall => self.trace().await,
            Request::Supervise { agent, how } => {
                let verb = match how {
                    Supervision::Listen => SupervisionVerb::Listen,
                    Supervision::Coach => SupervisionVerb::Coach,
                    Supervision::BargeIn => SupervisionVerb::BargeIn,
                };
                self.start(actions.supervise(&agent, verb)).await
            }
            Request::Escalate { call, emergency, to } => {
                let call = Some(call.as_str()).filter(|_| emergency);
                self.start(actions.escalate(call, to.as_deref())).await
            }
            _ => Err(Refusal::NotAllowed),
        }
    }

    /// There is no resource for it: its code is dialled, as the group has it.
    async fn trace(&self) -> Outcome {
        let codes = self.run(self.actions().feature_codes()).await?;
        let code = trace_code(&codes).ok_or(Refusal::NotAllowed)?;
        self.start(self.actions().dial(code)).await
    }

    async fn control(&self, call: &str, verb: CallVerb) -> Outcome {
        let actions = self.actions();
        match verb {
            CallVerb::Talk => self.accept(actions.talk(call)).await,
            CallVerb::Hold => self.accept(actions.hold(call)).await,
            CallVerb::Reconnect => self.accept(actions.reconnect(call)).await,
            CallVerb::Release => self.accept(actions.release_call(call)).await,
            CallVerb::Decline(busy) => self.accept(actions.decline(call, busy)).await,
            CallVerb::BlindTransfer(to) => {
                self.accept(actions.blind_transfer(call, &to, false)).await
            }
            CallVerb::ConsultTransfer(other) => {
                self.accept(actions.consult_transfer(call, &other)).await
            }
            CallVerb::MuteTransfer(to) => self.start(actions.mute_transfer(call, &to)).await,
            CallVerb::ToVoiceMail(whose) => {
                self.accept(actions.voice_mail_transfer(call, whose.as_deref())).await
            }
            CallVerb::Park(Some(at)) => {
                self.accept(actions.park(call, Some(&at))).await?;
                Ok(Answer::Parked(at))
            }
            CallVerb::Park(None) => {
                let place = self.run(actions.group_park(call)).await?;
                Ok(place.map_or(Answer::Accepted, Answer::Parked))
            }
            CallVerb::Dtmf(keys) => self.accept(actions.press(call, &keys)).await,
            CallVerb::Record(recording) => {
                let verb = match recording {
                    Recording::Start => RecordingVerb::Record,
                    Recording::Pause => RecordingVerb::Pause,
                    Recording::Resume => RecordingVerb::Resume,
                    Recording::Stop => RecordingVerb::Stop,
                };
                self.accept(actions.record(call, verb)).await
            }
        }
    }
}

//! Accounts without a telephone of their own: calls of the user's other telephone, as the exchange tells them,
//! are shown like own ones and controlled over its web services.
//!
//! Inputs: the calls that the model of the exchange knows; commands about calls whose number is from here;
//! answers of the exchange. States of a call: ringing, active, held, held by peer, ended. The exchange's word is the
//! state: a command changes nothing before the exchange tells that it did.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use pbx::centre::{
    Answer as Told, CallVerb, Capability, ExchangeCall, ExchangeCallState, LinkState, Refusal,
    Request,
};
use tracing::debug;

use super::Reply;
use super::commands::{Outcome, unknown_call};
use super::desk::Desk;
use crate::code::Code;
use crate::control::{Answer, CallCreated, Command, ConsultCreated, ErrorReply, Parked};
use crate::event::{CallEvent, CallQueueEvent, Event};
use crate::view::quality::{CallDelay, CallFigures};
use crate::view::queue::CallQueueView;
use crate::view::{
    AccountState, CallAction, CallDirection, CallOutcome, CallState, CallView, Encryption,
    HistoryEntry, QualityLevel,
};

/// Numbers of these calls begin here; those of own ones count from 1.
const FIRST: u64 = 1 << 40;
/// Most calls that are shown, and most that were begun and are not told yet.
const CALLS: usize = 50;
/// How long a call that is over stays visible.
const SHOWN: Duration = Duration::from_secs(5);

/// The calls of other telephones.
#[derive(Default)]
pub(super) struct Remotes {
    calls: BTreeMap<u64, Remote>,
    /// Calls that the exchange has named and not told yet: account, its name, our number, whom it is about.
    begun: VecDeque<(String, String, u64, Option<u64>)>,
    last: u64,
}

/// One call.
struct Remote {
    account: String,
    call: ExchangeCall,
    state: CallState,
    started_ms: u64,
    since_ms: u64,
    answered_ms: Option<u64>,
    consult_of: Option<u64>,
}

/// What follows when the exchange has carried a request out.
pub(super) enum Then {
    /// The command is answered.
    Tell,
    /// A call was begun; `of`: to consult about that call.
    Dialled {
        /// The call it is about.
        of: Option<u64>,
    },
    /// Now a call is begun.
    Dial {
        /// Whom.
        number: String,
        /// The call it is about.
        of: Option<u64>,
    },
    /// Now this is done with another call.
    Control {
        /// The exchange's name of the call.
        call: String,
        /// What.
        verb: CallVerb,
    },
    /// A call was parked there.
    Parked {
        /// Where.
        slot: Option<String>,
    },
}

/// A request of a command, and what follows.
struct Step {
    account: String,
    request: Request,
    then: Then,
}

impl Remotes {
    /// When the calls of an account began.
    pub(super) fn begun_ms(&self, account: &str) -> impl Iterator<Item = u64> {
        let of = self.calls.values().filter(move |remote| remote.account == account);
        of.map(|remote| remote.started_ms)
    }

    fn of(&self, account: &str, call: &str) -> Option<u64> {
        let same = |remote: &Remote| remote.account == account && remote.call.id == call;
        self.calls.iter().find(|(_, remote)| same(remote)).map(|(id, _)| *id)
    }

    /// The number of a call that the exchange has named, and the call that it is about.
    fn named(&mut self, account: &str, call: &str) -> (u64, Option<u64>) {
        if let Some(id) = self.of(account, call) {
            return (id, self.calls.get(&id).and_then(|remote| remote.consult_of));
        }
        let known = self.begun.iter().position(|(a, c, ..)| a == account && c == call);
        if let Some((_, _, id, of)) = known.and_then(|at| self.begun.get(at)) {
            return (*id, *of);
        }
        self.last += 1;
        (FIRST + self.last, None)
    }

    /// The exchange has named a call that we asked for.
    fn begin(&mut self, account: &str, call: &str, of: Option<u64>) -> u64 {
        let (id, _) = self.named(account, call);
        match self.calls.get_mut(&id) {
            Some(remote) => remote.consult_of = of,
            None => {
                self.begun.retain(|(_, _, known, _)| *known != id);
                self.begun.push_back((account.to_owned(), call.to_owned(), id, of));
                if self.begun.len() > CALLS {
                    self.begun.pop_front();
                }
            }
        }
        id
    }

    /// The consultation about a call.
    fn consult(&self, of: u64) -> Option<u64> {
        self.calls.iter().find(|(_, remote)| remote.consult_of == Some(of)).map(|(id, _)| *id)
    }

    /// An account is gone.
    pub(super) fn forget(&mut self, account: &str) {
        self.calls.retain(|_, remote| remote.account != account);
        self.begun.retain(|(of, ..)| of != account);
    }
}

fn state_of(call: &ExchangeCall) -> Option<CallState> {
    Some(match call.state {
        ExchangeCallState::Alerting => CallState::Ringing,
        ExchangeCallState::Active => CallState::Active,
        ExchangeCallState::Held => CallState::Held,
        ExchangeCallState::RemoteHeld => CallState::HeldByPeer,
        ExchangeCallState::Detached | ExchangeCallState::Released => return None,
    })
}

fn direction(call: &ExchangeCall) -> CallDirection {
    if call.incoming { CallDirection::In } else { CallDirection::Out }
}

/// How an account stands whose telephone is another one: as its exchange does.
fn account_state(link: LinkState) -> (AccountState, Option<Code>) {
    match link {
        LinkState::Live | LinkState::Polling => (AccountState::Registered, None),
        LinkState::Absent | LinkState::Connecting => (AccountState::Registering, None),
        LinkState::Lost => (AccountState::Unreachable, Some(Code::ConnectionLost)),
        LinkState::Elsewhere => (AccountState::Unreachable, Some(Code::Unavailable)),
        LinkState::Refused => (AccountState::Failed, Some(Code::AuthFailed)),
    }
}

impl Desk {
    fn is_control_only(&self, account: &str) -> bool {
        self.account(account).is_some_and(|account| account.settings.control_only)
    }

    /// The view of the exchange changed: for an account without a telephone that is its state.
    pub(super) fn remote_link_changed(&mut self, now: Instant, account: &str) {
        if !self.is_control_only(account) {
            return;
        }
        let Some(link) = self.centres.get(account).map(|running| running.centre.link().state())
        else {
            return;
        };
        let (state, reason) = account_state(link);
        self.remote_account(now, account, state, reason);
    }

    /// Takes in the calls that the exchange tells of an account without a telephone.
    pub(super) fn remote_calls_changed(&mut self, now: Instant, account: &str) {
        if !self.is_control_only(account) {
            return;
        }
        let Some(running) = self.centres.get(account) else { return };
        let told: Vec<(ExchangeCall, CallState)> = running
            .centre
            .calls()
            .filter_map(|call| Some((call.clone(), state_of(call)?)))
            .take(CALLS)
            .collect();
        let gone: Vec<u64> = self
            .remotes
            .calls
            .iter()
            .filter(|(_, remote)| {
                remote.account == account && !told.iter().any(|(call, _)| call.id == remote.call.id)
            })
            .map(|(id, _)| *id)
            .collect();
        for id in gone {
            self.remote_over(now, id);
        }
        for (call, state) in told {
            self.remote_told(now, account, call, state);
        }
    }

    fn remote_told(&mut self, now: Instant, account: &str, call: ExchangeCall, state: CallState) {
        let now_ms = self.clock.ms(now);
        let (id, consult_of) = self.remotes.named(account, &call.id);
        let known = self.remotes.calls.get(&id);
        if known.is_some_and(|known| known.call == call && known.state == state) {
            return;
        }
        let before = known.map(|known| known.state);
        debug!(call = id, "{before:?}, exchange -> {state:?}");
        let answered = matches!(state, CallState::Active | CallState::Held | CallState::HeldByPeer);
        let remote = Remote {
            account: account.to_owned(),
            started_ms: known.map_or(now_ms, |known| known.started_ms),
            since_ms: match known {
                Some(known) if known.state == state => known.since_ms,
                _ => now_ms,
            },
            answered_ms: known
                .and_then(|known| known.answered_ms)
                .or_else(|| answered.then_some(call.since.unwrap_or(now_ms).min(now_ms))),
            consult_of: known.map_or(consult_of, |known| known.consult_of),
            call,
            state,
        };
        self.remotes.begun.retain(|(_, _, known, _)| *known != id);
        self.remotes.calls.insert(id, remote);
        self.publisher.changed();
        if before != Some(state) {
            self.tell_remote(now, id, None);
        }
    }

    fn remote_over(&mut self, now: Instant, id: u64) {
        let Some(remote) = self.remotes.calls.get_mut(&id) else { return };
        debug!(call = id, "{:?}, exchange -> ended", remote.state);
        (remote.state, remote.since_ms) = (CallState::Ended, self.clock.ms(now));
        self.tell_remote(now, id, None);
        let Some(view) = self.remote_view(id) else { return };
        let Some(remote) = self.remotes.calls.remove(&id) else { return };
        let outcome = match (remote.answered_ms, remote.call.incoming) {
            (Some(_), _) => CallOutcome::Answered,
            (None, true) => CallOutcome::Missed,
            (None, false) => CallOutcome::NoAnswer,
        };
        let talked = remote.answered_ms.map_or(0, |at| view.since_ms.saturating_sub(at) / 1000);
        if outcome == CallOutcome::Missed {
            self.missed += 1;
        }
        let entry = HistoryEntry {
            id,
            account: remote.account,
            direction: view.direction,
            peer: view.peer.clone(),
            started_ms: remote.started_ms,
            seconds: u32::try_from(talked).unwrap_or(u32::MAX),
            outcome,
            reason: None,
            called_back: None,
            elsewhere: false,
        };
        self.remember(now, entry);
        self.over.push_back((view, now + SHOWN));
        self.publisher.changed();
    }

    fn tell_remote(&self, now: Instant, id: u64, reason: Option<Code>) {
        let Some(view) = self.remote_view(id) else { return };
        let event = CallEvent {
            call: id,
            account: view.account,
            direction: view.direction,
            state: view.state,
            peer: view.peer,
            diverted_from: None,
            via: None,
            status: None,
            reason,
            consult_of: view.consult_of,
            conference: false,
            queue: view.queue.map(|queue| CallQueueEvent {
                queue: queue.queue,
                name: queue.name,
                waited: queue.waited,
                digits: queue.digits,
            }),
            secure: false,
            encryption: Encryption::Unknown,
            codec: None,
        };
        self.event(now, Event::CallState(Box::new(event)));
    }

    /// The account of a call of another telephone, and the exchange's name of it.
    pub(super) fn remote_name(&self, id: u64) -> Option<(&str, &str)> {
        let remote = self.remotes.calls.get(&id)?;
        Some((&remote.account, &remote.call.id))
    }

    /// Every call of other telephones.
    pub(super) fn remote_views(&self) -> Vec<CallView> {
        self.remotes.calls.keys().filter_map(|id| self.remote_view(*id)).collect()
    }

    fn remote_view(&self, id: u64) -> Option<CallView> {
        let remote = self.remotes.calls.get(&id)?;
        let peer = self.peer_of_party(&remote.call.party);
        let peer = if peer.number.is_empty() { peer } else { self.recognised(peer) };
        let vip = self.is_vip(&peer);
        Some(CallView {
            id,
            account: remote.account.clone(),
            direction: direction(&remote.call),
            state: remote.state,
            peer,
            vip,
            via: None,
            diverted_from: None,
            started_ms: remote.started_ms,
            answered_ms: remote.answered_ms,
            since_ms: remote.since_ms,
            muted: false,
            secure: false,
            encryption: Encryption::Unknown,
            codec: None,
            quality: QualityLevel::Unknown,
            quality_cause: None,
            delay: CallDelay::default(),
            figures: CallFigures::default(),
            no_sound: false,
            reason: None,
            status: None,
            consult_of: remote.consult_of,
            conference: false,
            transfer: None,
            queue: self.remote_queue(remote),
            recording: self.recording_view(&remote.account, &remote.call.id),
            actions: self.remote_actions(id, remote),
        })
    }

    fn remote_queue(&self, remote: &Remote) -> Option<CallQueueView> {
        let queue = remote.call.queue.as_ref()?;
        let centre = &self.centres.get(&remote.account)?.centre;
        Some(CallQueueView {
            queue: queue.0.clone(),
            name: super::centre::queue_name(centre, queue),
            waited: remote.call.waited,
            priority: None,
            digits: remote.call.digits.clone(),
            monitored: remote.call.monitored,
            may_escalate: false,
            codes: Vec::new(),
            disposition: None,
        })
    }

    /// What the exchange can be asked to do with a call. Whether the telephone obeys it decides.
    fn remote_actions(&self, id: u64, remote: &Remote) -> Vec<CallAction> {
        let Some(running) = self.centres.get(&remote.account) else { return Vec::new() };
        let can = |capability| running.centre.can(capability);
        if !can(Capability::CallControl) || !running.centre.link().is_up() {
            return Vec::new();
        }
        let mut actions = match (remote.state, remote.call.incoming) {
            (CallState::Ringing, true) => vec![CallAction::Answer, CallAction::Reject],
            (CallState::Active, _) => vec![CallAction::Hold, CallAction::Dtmf],
            (CallState::Held, _) => vec![CallAction::Resume],
            (CallState::Ended, _) => return Vec::new(),
            _ => Vec::new(),
        };
        let talks = !matches!(remote.state, CallState::Ringing);
        let consulting = remote.consult_of.or_else(|| self.remotes.consult(id));
        if talks && consulting.is_none() {
            actions.extend([CallAction::Transfer, CallAction::Consult]);
            actions.extend(Some(CallAction::Park).filter(|_| can(Capability::Park)));
        }
        if consulting.is_some() {
            actions.extend([CallAction::CompleteTransfer, CallAction::CancelTransfer]);
        }
        if !(remote.call.incoming && remote.state == CallState::Ringing) {
            actions.push(CallAction::Hangup);
        }
        actions
    }

    // --- commands ---

    /// Obeys a command if it is about a call of another telephone, or begins one; else gives it back.
    pub(super) fn obey_remote(
        &mut self,
        now: Instant,
        command: Command,
        reply: Reply,
    ) -> Option<(Command, Reply)> {
        let step = match self.remote_step(&command) {
            Some(step) => step,
            None => return Some((command, reply)),
        };
        match step {
            Ok(step) => self.take_step(now, step, reply),
            Err(refusal) => reply(Err(refusal)),
        }
        None
    }

    fn take_step(&mut self, now: Instant, step: Step, reply: Reply) {
        let Step { account, request, then } = step;
        let Some(running) = self.centres.running_mut(&account) else {
            let text = "the account has no exchange";
            return reply(Err(ErrorReply::new(Code::NoExchange, text)));
        };
        let id = running.centre.ask(now, request);
        running.wait_for(id, reply, then);
    }

    fn remote_step(&self, command: &Command) -> Option<Result<Step, ErrorReply>> {
        let begins = |account: Option<&str>| {
            let account = self.named_account(account).ok()?;
            account.settings.control_only.then(|| account.settings.id.clone())
        };
        let step = |account, request, then| Ok(Step { account, request, then });
        match command {
            Command::Dial { to, account, .. } => {
                let account = begins(account.as_deref())?;
                Some(self.remote_number(&account, to).and_then(|number| {
                    step(account, Request::Dial { number }, Then::Dialled { of: None })
                }))
            }
            Command::Retrieve { slot, account } => {
                let account = begins(account.as_deref())?;
                let request = Request::Retrieve { at: slot.clone() };
                Some(step(account, request, Then::Dialled { of: None }))
            }
            Command::Pickup { target, account } => {
                let account = begins(account.as_deref())?;
                Some(self.remote_number(&account, target).and_then(|number| {
                    let request = Request::Pickup { at: Some(number) };
                    step(account, request, Then::Dialled { of: None })
                }))
            }
            Command::Conference { calls } if calls.iter().all(|call| *call > FIRST) => {
                Some(self.remote_conference(calls))
            }
            other => {
                let call = call_of(other).filter(|call| *call > FIRST)?;
                Some(match self.remotes.calls.get(&call) {
                    Some(remote) => self.control_step(call, remote, other),
                    None => Err(unknown_call(call)),
                })
            }
        }
    }

    fn remote_conference(&self, calls: &[u64]) -> Result<Step, ErrorReply> {
        let mut names = Vec::new();
        let mut account = String::new();
        for call in calls {
            let remote = self.remotes.calls.get(call).ok_or_else(|| unknown_call(*call))?;
            names.push(remote.call.id.clone());
            account.clone_from(&remote.account);
        }
        let request = Request::Conference { calls: names };
        Ok(Step { account, request, then: Then::Tell })
    }

    fn control_step(
        &self,
        id: u64,
        remote: &Remote,
        command: &Command,
    ) -> Result<Step, ErrorReply> {
        let call = remote.call.id.clone();
        let account = remote.account.clone();
        let (mut verb, mut then) = (CallVerb::Talk, Then::Tell);
        match command {
            Command::Answer { .. } | Command::Resume { .. } => {}
            Command::Hold { .. } => verb = CallVerb::Hold,
            Command::Hangup { .. } => verb = CallVerb::Release,
            Command::Reject { status, .. } => {
                verb = CallVerb::Decline(status.is_none_or(|status| status == 486));
            }
            Command::Dtmf { digits, .. } => verb = CallVerb::Dtmf(digits.clone()),
            Command::Redirect { to, .. } | Command::TransferBlind { to, .. } => {
                let number = self.remote_number(&account, to)?;
                let of = self.named_account(Some(&account))?;
                verb = match Desk::voicemail_owner(of, &number) {
                    Some(whose) => CallVerb::ToVoiceMail(Some(whose)),
                    None => CallVerb::BlindTransfer(number),
                };
            }
            Command::Park { slot, .. } => {
                verb = CallVerb::Park(slot.clone());
                then = Then::Parked { slot: slot.clone() };
            }
            Command::TransferConsult { to, .. } => {
                let number = self.remote_number(&account, to)?;
                if remote.state != CallState::Active {
                    let then = Then::Dialled { of: Some(id) };
                    return Ok(Step { account, request: Request::Dial { number }, then });
                }
                // The telephone has one conversation: this one waits first.
                verb = CallVerb::Hold;
                then = Then::Dial { number, of: Some(id) };
            }
            Command::TransferComplete { .. } | Command::TransferCancel { .. } => {
                let (caller, consult) = self.consultation(id, remote)?;
                let (caller, consult) = (caller.call.id.clone(), consult.call.id.clone());
                let complete = matches!(command, Command::TransferComplete { .. });
                let (call, verb, then) = match complete {
                    true => (caller, CallVerb::ConsultTransfer(consult), Then::Tell),
                    false => {
                        let then = Then::Control { call: caller, verb: CallVerb::Talk };
                        (consult, CallVerb::Release, then)
                    }
                };
                return Ok(Step { account, request: Request::Control { call, verb }, then });
            }
            _ => {
                let text = "the exchange cannot do this with a call of another telephone";
                return Err(ErrorReply::new(Code::NotSupported, text));
            }
        }
        Ok(Step { account, request: Request::Control { call, verb }, then })
    }

    /// The two calls of a consultation of which one is this.
    fn consultation<'a>(
        &'a self,
        id: u64,
        remote: &'a Remote,
    ) -> Result<(&'a Remote, &'a Remote), ErrorReply> {
        let call = |id: u64| self.remotes.calls.get(&id);
        let found = match remote.consult_of {
            Some(of) => call(of).map(|caller| (caller, remote)),
            None => self.remotes.consult(id).and_then(call).map(|consult| (remote, consult)),
        };
        found.ok_or_else(|| ErrorReply::new(Code::WrongState, "nobody is consulted"))
    }

    fn remote_number(&self, account: &str, to: &str) -> Result<String, ErrorReply> {
        let account = self.named_account(Some(account))?;
        let uri = self.target(account, to)?;
        Ok(uri.user().unwrap_or_else(|| uri.to_string()))
    }

    /// The exchange has carried out, or refused, what a command asked for.
    pub(super) fn exchange_answered(
        &mut self,
        now: Instant,
        account: &str,
        (reply, then): (Reply, Then),
        result: Result<Told, Refusal>,
    ) {
        let told = match (then, result) {
            (Then::Tell, result) => return reply(super::centre::outcome(result.as_ref())),
            (_, Err(refusal)) => return reply(super::centre::outcome(Err(&refusal))),
            (Then::Dial { number, of }, Ok(_)) => {
                let (request, then) = (Request::Dial { number }, Then::Dialled { of });
                let step = Step { account: account.to_owned(), request, then };
                return self.take_step(now, step, reply);
            }
            (Then::Control { call, verb }, Ok(_)) => {
                let request = Request::Control { call, verb };
                let step = Step { account: account.to_owned(), request, then: Then::Tell };
                return self.take_step(now, step, reply);
            }
            (Then::Parked { slot }, Ok(Told::Parked(at))) => {
                return reply(Ok(Answer::Parked(Parked { slot: Some(at).or(slot) })));
            }
            (Then::Parked { slot }, Ok(_)) => {
                return reply(Ok(Answer::Parked(Parked { slot })));
            }
            (Then::Dialled { of }, Ok(told)) => (told, of),
        };
        reply(self.dialled_remotely(account, told));
    }

    fn dialled_remotely(&mut self, account: &str, (told, of): (Told, Option<u64>)) -> Outcome {
        let Told::Call(name) = told else { return Ok(Answer::done()) };
        let call = self.remotes.begin(account, &name, of);
        self.publisher.changed();
        Ok(match of {
            Some(_) => Answer::Consult(ConsultCreated { call, consult: call }),
            None => Answer::Call(CallCreated { call }),
        })
    }
}

/// The call that a command is about.
fn call_of(command: &Command) -> Option<u64> {
    match command {
        Command::Answer { call }
        | Command::Ring { call }
        | Command::Progress { call }
        | Command::Reject { call, .. }
        | Command::Redirect { call, .. }
        | Command::Hangup { call }
        | Command::Hold { call }
        | Command::Resume { call }
        | Command::Mute { call, .. }
        | Command::Dtmf { call, .. }
        | Command::Reinvite { call }
        | Command::Update { call }
        | Command::Stats { call }
        | Command::Park { call, .. }
        | Command::TransferBlind { call, .. }
        | Command::TransferConsult { call, .. }
        | Command::TransferComplete { call }
        | Command::TransferCancel { call } => Some(*call),
        _ => None,
    }
}

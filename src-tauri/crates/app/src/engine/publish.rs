//! The visible state: made from what the desk knows, sent on change, at most twenty times a second.

use std::time::{Duration, Instant};

use call_control::{Call, Command, Direction};

use super::accounts::{Account, form_view};
use super::desk::Desk;
use super::exchange_form::exchange_view;
use super::line::{direction_view, state_view};
use super::media_form::media_view;
use super::memory::PAGE;
use super::safety::can_reach_help;
use crate::code::Code;
use crate::shell::{Tray, TrayState};
use crate::view::{
    AccountState, AccountView, AppView, AudioView, CallAction, CallDirection, CallState, CallView,
    KnownView, PeerView, SearchHit, Update,
};

/// Least time between two views.
const PACE: Duration = Duration::from_millis(50);

/// Of those who have a caller's number, so many are named.
const KNOWN: usize = 3;

/// What was published, and whether it is out of date.
#[derive(Default)]
pub(super) struct Publisher {
    changed: bool,
    last: Option<Instant>,
    ringing: Vec<CallView>,
    tray: TrayState,
}

impl Publisher {
    /// Something visible changed.
    pub(super) fn changed(&mut self) {
        self.changed = true;
    }

    /// When the next view is to be published. `news`: lines have changed.
    pub(super) fn due(&self, news: bool) -> Option<Instant> {
        (self.changed || news).then_some(self.last).flatten().map(|last| last + PACE)
    }
}

impl Desk {
    /// Publishes what changed, when it is time.
    pub(super) fn publish(&mut self, now: Instant) {
        let due = self.publisher.last.is_none_or(|last| now >= last + PACE);
        if !due {
            return;
        }
        if self.centres.has_news() {
            self.close_by_calendar(now);
            self.publisher.last = Some(now);
            self.publish_centres(now);
        }
        let lines = self.watches.take_changed();
        if !lines.is_empty() {
            self.publisher.last = Some(now);
            self.shell.publish(Update::Lines(lines));
        }
        if self.feeds.has_news() {
            self.publisher.last = Some(now);
            self.publish_sources();
        }
        if self.publisher.changed {
            self.publisher.changed = false;
            self.publisher.last = Some(now);
            self.publish_view();
        }
    }

    fn publish_view(&mut self) {
        let view = self.view();
        let waiting = |call: &&CallView| {
            call.direction == CallDirection::In && call.state == CallState::Ringing
        };
        let ringing: Vec<CallView> = view.calls.iter().filter(waiting).cloned().collect();
        if ringing != self.publisher.ringing {
            self.shell.incoming(&ringing);
            self.publisher.ringing = ringing;
        }
        let tray = tray(&view);
        if tray != self.publisher.tray {
            self.shell.tray(tray);
            self.publisher.tray = tray;
        }
        self.shell.publish(Update::View(Box::new(view)));
    }

    /// The whole visible state.
    pub(super) fn view(&self) -> AppView {
        let live = self.calls.iter().map(|call| self.call_view(call, self.lost(call)));
        let mut calls: Vec<CallView> =
            live.chain(self.over.iter().map(|(view, _)| view.clone())).collect();
        calls.extend(self.remote_views());
        calls.sort_by_key(|call| (rank(call), call.started_ms, call.id));
        AppView {
            version: crate::VERSION.to_owned(),
            needs_setup: self.accounts.is_empty(),
            accounts: self.accounts.iter().map(|account| self.account_view(account)).collect(),
            calls,
            history: self.history.iter().take(PAGE).cloned().collect(),
            missed: self.missed,
            transfers: self.transfers.iter().cloned().collect(),
            audio: AudioView {
                headset: self.headset_view(),
                ..self.sounds.view(&self.settings.config.audio)
            },
            recording: self.recording_settings_view(),
            demo: self.demo.as_ref().map(|demo| demo.view.clone()),
            colleagues: self.colleagues().cloned().collect(),
            notices: self.notices.iter().cloned().collect(),
            prepared: self.prepared.clone(),
            help: self.help_view(),
            settings: self.settings.config.ui.clone(),
        }
    }

    /// A call whose sound stopped while its exchange is out of reach.
    fn lost(&self, call: &Call) -> Option<Code> {
        let line = self.lines.get(&call.id())?;
        let account = self.account(&line.account)?;
        let silent = call.is_live() && !line.rx_active;
        (silent && is_cut_off(account.state, account.reason)).then_some(Code::ConnectionLost)
    }

    pub(super) fn call_view(&self, call: &Call, reason: Option<Code>) -> CallView {
        let line = self.lines.get(&call.id());
        let encryption = line.map(super::line::Line::encryption).unwrap_or_default();
        CallView {
            id: call.id().0,
            account: line.map(|line| line.account.clone()).unwrap_or_default(),
            direction: direction_view(call.direction()),
            state: state_view(call.state()),
            peer: line.map(|line| line.peer.clone()).unwrap_or_default(),
            vip: line.is_some_and(|line| self.is_vip(&line.peer)),
            via: line.and_then(|line| Some(self.with_name(&line.account, line.via.as_ref()?))),
            diverted_from: line
                .and_then(|line| Some(self.with_name(&line.account, line.diverted_from.as_ref()?))),
            started_ms: self.clock.ms(call.started()),
            answered_ms: call.answered().map(|at| self.clock.ms(at)),
            since_ms: self.clock.ms(call.since()),
            muted: call.muted(),
            secure: encryption.is_on(),
            encryption,
            codec: line.and_then(super::line::Line::codec),
            quality: line.map(|line| line.quality.level()).unwrap_or_default(),
            quality_cause: line.and_then(|line| line.quality.cause()),
            delay: line.map(|line| line.quality.delay()).unwrap_or_default(),
            figures: line.map(|line| line.quality.figures()).unwrap_or_default(),
            no_sound: line.is_some_and(|line| line.no_sound),
            reason,
            status: call.end().and_then(|end| end.status),
            consult_of: call.consult_of().map(|of| of.0),
            conference: call.in_conference(),
            transfer: self.transfer_view(call),
            queue: line.and_then(|line| self.call_queue_view(line)),
            recording: line.and_then(|line| {
                let here = || self.local_recording_view(line, super::recordings::talks(call));
                self.call_recording_view(line).or_else(here)
            }),
            actions: self.actions(call),
        }
    }

    /// What the user may do with a call now.
    fn actions(&self, call: &Call) -> Vec<CallAction> {
        let allows = |command: &Command| self.calls.allows(call.id(), command);
        let incoming = call.direction() == Direction::In && allows(&Command::Answer);
        let table = [
            (CallAction::Answer, Command::Answer),
            (CallAction::Reject, Command::Reject(486)),
            (CallAction::Hold, Command::Hold),
            (CallAction::Resume, Command::Resume),
            (if call.muted() { CallAction::Unmute } else { CallAction::Mute }, Command::Mute(true)),
            (CallAction::Dtmf, Command::Dtmf(String::new())),
            (CallAction::Transfer, Command::TransferBlind(String::new())),
            (CallAction::Consult, Command::TransferConsult(String::new())),
            (CallAction::CompleteTransfer, Command::TransferComplete),
            (CallAction::CancelTransfer, Command::TransferCancel),
            (CallAction::Park, Command::TransferBlind(String::new())),
        ];
        let allowed = table.into_iter().filter(|(_, command)| allows(command));
        let mut actions: Vec<CallAction> = allowed.map(|(action, _)| action).collect();
        if self.calls.may_confer(call.id()) {
            actions.push(CallAction::Conference);
        }
        if !incoming && allows(&Command::Hangup) {
            actions.push(CallAction::Hangup);
        }
        actions
    }

    fn account_view(&self, account: &Account) -> AccountView {
        let settings = &account.settings;
        let user = sip_types::Uri::parse(&settings.aor).ok().and_then(|aor| aor.user());
        let user = user.unwrap_or_default();
        let (server, transport) = form_view(settings);
        let auth_user = Some(&settings.auth_user).filter(|name| **name != user);
        AccountView {
            id: settings.id.clone(),
            display_name: settings.display_name.clone(),
            aor: settings.aor.clone(),
            number: contacts::show(&user),
            state: account.state,
            reason: account.reason,
            detail: account.detail.clone(),
            since_ms: self.clock.ms(account.since),
            retry_at_ms: account
                .retry_at
                .filter(|_| account.state == AccountState::Unreachable)
                .map(|at| self.clock.ms(at)),
            demo: account.demo,
            control_only: settings.control_only,
            password_needed: account.password_needed,
            server,
            auth_user: auth_user.cloned().unwrap_or_default(),
            emergency: can_reach_help(account),
            outbound_proxy: settings.outbound_proxy.first().trim_start_matches("sip:").to_owned(),
            transport,
            exchange: exchange_view(settings),
            media: media_view(settings),
            devices: self.devices(&settings.id),
        }
    }

    /// The peer with the name that the directory knows, when there is exactly one.
    pub(super) fn named(&self, peer: PeerView) -> PeerView {
        let number = if peer.number.is_empty() { &peer.uri } else { &peer.number };
        match self.lookup_names(number).as_slice() {
            [name] => PeerView { name: name.clone(), ..peer },
            _ => peer,
        }
    }

    /// The peer of a call: named, with everybody who is known to have his number.
    pub(super) fn recognised(&self, peer: PeerView) -> PeerView {
        let number = if peer.number.is_empty() { &peer.uri } else { &peer.number };
        let mut known: Vec<KnownView> = self.lookup_colleagues(number).map(known_of).collect();
        if known.is_empty() {
            known = self.known_contacts(number);
        }
        known.sort_unstable_by(|a, b| (&a.name, &a.of).cmp(&(&b.name, &b.of)));
        known.dedup();
        let known_more = u32::try_from(known.len().saturating_sub(KNOWN)).unwrap_or(u32::MAX);
        known.truncate(KNOWN);
        PeerView { known, known_more, ..self.named(peer) }
    }
}

/// Somebody of an exchange, with his department.
fn known_of(hit: &SearchHit) -> KnownView {
    KnownView { name: hit.name.clone(), of: hit.detail.clone() }
}

/// Ringing first, then what sounds, then what is held, then what is over.
fn rank(call: &CallView) -> u8 {
    match call.state {
        CallState::Ringing if call.direction == CallDirection::In => 0,
        CallState::Held => 2,
        CallState::Ended => 3,
        _ => 1,
    }
}

/// Out of reach of its server, also while it is tried again.
fn is_cut_off(state: AccountState, reason: Option<Code>) -> bool {
    match state {
        AccountState::Unreachable => true,
        AccountState::Registering => reason.is_some(),
        _ => false,
    }
}

fn tray(view: &AppView) -> TrayState {
    let any = |state: CallState, direction: Option<CallDirection>| {
        view.calls
            .iter()
            .any(|call| call.state == state && direction.is_none_or(|d| d == call.direction))
    };
    let in_call = view.calls.iter().any(|call| call.state != CallState::Ended);
    let trouble = |account: &AccountView| {
        account.state == AccountState::Failed || is_cut_off(account.state, account.reason)
    };
    let tray = if any(CallState::Ringing, Some(CallDirection::In)) {
        Tray::Ringing
    } else if in_call {
        Tray::InCall
    } else if view.accounts.iter().any(trouble) {
        Tray::Trouble
    } else if view.accounts.iter().any(|a| a.state == AccountState::Registered) {
        Tray::Ready
    } else {
        Tray::Offline
    };
    TrayState { tray, missed: view.missed }
}

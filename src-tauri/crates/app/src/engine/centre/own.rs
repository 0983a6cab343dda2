//! The view of an account's exchange: the agent's bar, lists, warnings.

use std::time::Instant;

use pbx::centre::{
    AbandonedCaller, AgentState, Capability, Centre, LinkState, Main, ParkedCall, Party, Phase,
    Question, QueueId, Refusal, ServiceKind, WantedState,
};

use super::super::desk::Desk;
use super::Running;
use super::words::{
    capability_name, cause_name, code_views, fault_code, link_name, refusal_code, state_name,
    text_of,
};
use crate::view::PeerView;
use crate::view::centre::{
    AbandonedView, AgentBarView, AgentDriftView, AgentStateName, AgentWish, AgentWishView,
    CalledBackView, CapabilityName, CentreView, CentreWarning, DispositionView, JoinView, LinkView,
    MessagesView, MissingView, ParkedView, RefusalView, WrapUpView,
};

impl Desk {
    /// Everything of an account's exchange but its queues. The version is not set.
    pub(super) fn centre_view(&self, now: Instant, account: &str) -> Option<CentreView> {
        let running = self.centres.get(account)?;
        let centre = &running.centre;
        let name = self.account(account).map(|account| {
            let settings = &account.settings;
            let name = Some(&settings.display_name).filter(|name| !name.is_empty());
            name.unwrap_or(&settings.aor).clone()
        });
        let mut view = CentreView {
            account: account.to_owned(),
            account_name: name.unwrap_or_default(),
            me: centre.name().to_owned(),
            link: self.link_view(centre),
            agent: self.bar_view(now, running),
            queues: queue_order(centre),
            capabilities: present(centre),
            missing: missing(centre),
            services: self.service_views(account, running),
            hunt_groups: super::services::hunt_group_views(centre),
            facts: super::services::fact_views(centre, self.blocks_of(account)),
            nights: self.night_views(running),
            emergency: self.emergency_views(running),
            abandoned: centre.abandoned().iter().map(|c| self.abandoned_view(centre, c)).collect(),
            dispositions: centre.questions().map(|q| self.disposition_view(centre, q)).collect(),
            parked: centre.parked().iter().map(|call| self.parked_view(centre, call)).collect(),
            messages: centre.messages().map(|(new, old)| MessagesView { new, old }),
            seat: self.seat_view(running),
            warnings: Vec::new(),
            version: 0,
        };
        view.warnings = warnings(centre, &view);
        Some(view)
    }

    fn link_view(&self, centre: &Centre) -> LinkView {
        let link = centre.link();
        let fault = link.fault();
        LinkView {
            state: link_name(link.state()),
            since_ms: centre.ms(link.since()),
            reason: fault.map(|(fault, _)| fault_code(fault)),
            detail: fault.map(|(_, detail)| detail.to_owned()).filter(|text| !text.is_empty()),
            retry_at_ms: link.retry_at(),
            stale_since_ms: link.stale_since().map(|at| centre.ms(at)),
        }
    }

    fn bar_view(&self, now: Instant, running: &Running) -> Option<AgentBarView> {
        let centre = &running.centre;
        let agent = centre.own_agent();
        if !centre.can(Capability::Agent) && agent.is_none_or(|a| a.memberships.is_empty()) {
            return None;
        }
        let status = centre.status();
        let state = status.map(|status| status.state);
        let (codes, forced) = centre.reasons();
        let reason = status.and_then(|status| status.code.clone()).unwrap_or_default();
        let monitored = centre.calls().any(|call| call.monitored);
        let up = centre.link().is_up() && centre.can(Capability::Agent);
        Some(AgentBarView {
            state: state.map(state_name),
            reason_text: text_of(codes, &reason),
            reason,
            since_ms: status.and_then(|status| status.since),
            signed_in_at_ms: status.and_then(|status| status.signed_in_at),
            on_call: agent.and_then(|agent| agent.on_call).or_else(|| centre.talks()),
            monitored,
            cause: centre.no_calls_cause(now).map(|cause| cause_name(Some(cause))),
            allowed: match state {
                Some(state) if up => allowed(centre, state),
                // Whoever can only dial may begin with anything.
                None if up && running.is_by_code() => vec![
                    AgentWish::SignIn,
                    AgentWish::Available,
                    AgentWish::Unavailable,
                    AgentWish::SignOut,
                ],
                _ => Vec::new(),
            },
            reasons: code_views(codes),
            reason_forced: forced,
            wrap_up: wrap_up_view(centre),
            needs_outcome: centre.needed_outcome().map(|question| question.id),
            queues: self.join_views(centre),
            pending: pending(centre),
            drift: drift(centre, now),
            refused: centre
                .own()
                .wish()
                .refused()
                .map(|(refusal, at)| self.refusal_view(centre, refusal, *at)),
        })
    }

    fn join_views(&self, centre: &Centre) -> Vec<JoinView> {
        let memberships = centre.own_agent().map(|agent| agent.memberships.as_slice());
        let view = |membership: &pbx::centre::Membership| {
            let wish = centre.join(&membership.queue);
            let of = |phases: &[Phase]| {
                let wish = wish.filter(|wish| phases.contains(&wish.phase()))?;
                wish.wanted().copied()
            };
            JoinView {
                queue: membership.queue.0.clone(),
                name: queue_name(centre, &membership.queue),
                joined: membership.joined,
                may_leave: membership.may_leave
                    && centre.can(Capability::JoinQueues)
                    && centre.link().is_up(),
                skill: membership.skill,
                pending: of(&[Phase::Pending, Phase::Reading]),
                drift: of(&[Phase::Drift]),
            }
        };
        let mut views: Vec<JoinView> = memberships.unwrap_or_default().iter().map(view).collect();
        views.sort_by_key(|view| contacts::fold(&view.name));
        views
    }

    /// Why something did not happen.
    pub(super) fn refusal_view(
        &self,
        centre: &Centre,
        refusal: &Refusal,
        at: Instant,
    ) -> RefusalView {
        let (code, detail) = refusal_code(refusal);
        let queues = match refusal {
            Refusal::LastStaffed(queues) => {
                queues.iter().map(|queue| queue_name(centre, queue)).collect()
            }
            _ => Vec::new(),
        };
        RefusalView { code, detail, queues, at_ms: centre.ms(at) }
    }

    fn abandoned_view(&self, centre: &Centre, caller: &AbandonedCaller) -> AbandonedView {
        AbandonedView {
            id: caller.id,
            queue: caller.queue.0.clone(),
            queue_name: queue_name(centre, &caller.queue),
            peer: self.peer_of_party(&caller.caller),
            since_ms: caller.since,
            at_ms: caller.at,
            times: caller.times,
            called_back: caller.called_back.as_ref().map(|back| CalledBackView {
                by: back.by.clone(),
                me: back.me,
                at_ms: back.at,
                reached: back.reached,
            }),
        }
    }

    fn parked_view(&self, centre: &Centre, call: &ParkedCall) -> ParkedView {
        ParkedView {
            slot: call.number.clone(),
            name: call.name.clone(),
            own: centre.me() == Some(&call.line),
            peer: self.peer_of_party(&call.party),
            since_ms: call.since,
        }
    }

    fn disposition_view(&self, centre: &Centre, question: &Question) -> DispositionView {
        DispositionView {
            id: question.id,
            call: question.local,
            queue: question.queue.0.clone(),
            queue_name: queue_name(centre, &question.queue),
            peer: self.peer_of_party(&question.party),
            ended_ms: centre.ms(question.ended),
            codes: code_views(&question.codes),
            forced: question.forced,
            pending: question.chosen.as_ref().map(|(_, code)| code.clone()),
            refused: question
                .refused
                .as_ref()
                .map(|(refusal, at)| self.refusal_view(centre, refusal, *at)),
        }
    }

    /// Somebody that the exchange names, with the name that the directory knows.
    pub(in super::super) fn peer_of_party(&self, party: &Party) -> PeerView {
        let number = contacts::plain(&contacts::show(&party.number));
        let name = contacts::plain(&party.name);
        let peer = PeerView { name, number, ..PeerView::default() };
        if party.number.is_empty() { peer } else { self.named(peer) }
    }
}

/// Name of a queue for people; its id when it has none.
pub(in super::super) fn queue_name(centre: &Centre, queue: &QueueId) -> String {
    let name = centre.queue(queue).map(|state| state.queue.name.clone());
    name.filter(|name| !name.is_empty()).unwrap_or_else(|| queue.0.clone())
}

/// Own queues first, then the others, each by name.
fn queue_order(centre: &Centre) -> Vec<String> {
    let mut order: Vec<(bool, String, String)> = centre
        .queues()
        .map(|state| {
            let id = &state.queue.id;
            (!state.own, contacts::fold(&queue_name(centre, id)), id.0.clone())
        })
        .collect();
    order.sort();
    order.into_iter().map(|(_, _, id)| id).collect()
}

fn present(centre: &Centre) -> Vec<CapabilityName> {
    let mut names: Vec<CapabilityName> =
        centre.capabilities().map(|capability| capability_name(capability).0).collect();
    names.sort();
    names.dedup();
    names
}

fn missing(centre: &Centre) -> Vec<MissingView> {
    let view = |(capability, licence): (Capability, &str)| {
        let (capability, service) = capability_name(capability);
        MissingView { capability, service, licence: licence.to_owned() }
    };
    centre.missing().map(view).collect()
}

/// What can be asked for. Who must give an outcome gets no calls before he has.
fn allowed(centre: &Centre, state: AgentState) -> Vec<AgentWish> {
    use AgentWish::{Available, SignIn, SignOut, Unavailable, WrapUp};
    let mut wishes = match state {
        AgentState::SignedOut => vec![SignIn, Available, Unavailable],
        AgentState::SigningIn => vec![Available, Unavailable, SignOut],
        AgentState::Available => vec![Unavailable, WrapUp, SignOut],
        AgentState::Unavailable => vec![Available, Unavailable, SignOut],
        AgentState::WrapUp => vec![Available, Unavailable, WrapUp, SignOut],
    };
    if centre.needed_outcome().is_some() {
        wishes.retain(|wish| *wish != Available);
    }
    wishes
}

fn wrap_up_view(centre: &Centre) -> Option<WrapUpView> {
    let status = centre.status().filter(|status| status.state == AgentState::WrapUp)?;
    let wrap_up = status.wrap_up.clone().unwrap_or_default();
    let (extended, held) = (centre.own().extended_until(), centre.own().is_held());
    let until = extended.map(|at| centre.ms(at)).or(wrap_up.until).filter(|_| !held);
    Some(WrapUpView {
        queue: wrap_up.queue.map(|queue| queue_name(centre, &queue)).unwrap_or_default(),
        until_ms: until,
        extended: extended.is_some(),
        may_extend: centre.link().is_up() && !held,
        held,
    })
}

fn wanted(wish: &WantedState) -> (AgentStateName, String) {
    (state_name(wish.state), wish.code.clone().unwrap_or_default())
}

fn pending(centre: &Centre) -> Option<AgentWishView> {
    let wish = centre.own().wish();
    let asked = wish.asked().filter(|_| wish.is_open() && wish.unlike_since().is_some())?;
    let (state, reason) = wanted(wish.wanted()?);
    Some(AgentWishView { state, reason, since_ms: centre.ms(asked) })
}

fn drift(centre: &Centre, now: Instant) -> Option<AgentDriftView> {
    let wish = centre.own().wish();
    let since = wish.unlike_since().filter(|_| wish.is_drift())?;
    let (wanted, wanted_reason) = wanted(wish.wanted()?);
    let status = centre.status()?;
    Some(AgentDriftView {
        wanted,
        wanted_reason,
        actual: state_name(status.state),
        actual_reason: status.code.clone().unwrap_or_default(),
        cause: cause_name(centre.cause(now)),
        since_ms: centre.ms(since),
    })
}

fn warnings(centre: &Centre, view: &CentreView) -> Vec<CentreWarning> {
    use crate::view::service::WishState;
    let link = centre.link();
    let available = centre.status().is_some_and(|status| status.state == AgentState::Available);
    let active = |kind: ServiceKind| {
        let state = centre.service(kind).and_then(|state| state.actual.as_ref());
        match state {
            Some(pbx::centre::Service::DoNotDisturb { active }) => *active,
            Some(pbx::centre::Service::Forwarding { forwarding, .. }) => forwarding.active,
            _ => false,
        }
    };
    let mains = || {
        let queues = centre.queues().map(|state| Main::Queue(state.queue.id.clone()));
        std::iter::once(Main::Line).chain(queues).map(|main| centre.emergency(&main))
    };
    let asked_for = |emergency: &pbx::centre::Emergency| {
        emergency.is_active() && emergency.wanted.as_ref().is_some_and(|to| !to.is_empty())
    };
    let table = [
        (CentreWarning::LinkLost, link.state() == LinkState::Lost),
        (CentreWarning::LinkRefused, link.state() == LinkState::Refused),
        (CentreWarning::LinkElsewhere, link.state() == LinkState::Elsewhere),
        (CentreWarning::Delayed, link.state() == LinkState::Polling),
        (CentreWarning::AgentDrift, view.agent.as_ref().is_some_and(|bar| bar.drift.is_some())),
        (
            CentreWarning::ServiceDrift,
            view.services.iter().any(|service| service.state == WishState::Drift),
        ),
        (CentreWarning::EmergencyFailed, mains().any(|main| main.has_failed())),
        (CentreWarning::EmergencyActive, mains().any(|main| asked_for(&main))),
        (CentreWarning::NightDrift, view.nights.iter().any(|n| n.state == WishState::Drift)),
        (CentreWarning::DispositionNeeded, view.dispositions.iter().any(|d| d.forced)),
        (CentreWarning::DoNotDisturbAvailable, available && active(ServiceKind::DoNotDisturb)),
        (CentreWarning::ForwardedAvailable, available && active(ServiceKind::ForwardAlways)),
    ];
    table.into_iter().filter(|(_, holds)| *holds).map(|(warning, _)| warning).collect()
}

//! The user's services: as the exchange told them, and what was asked for.
//!
//! Inputs: the user asks for values; the exchange takes or refuses them; it tells what is so; time. After
//! each change the service is read back, and a service that was not told back as it was wanted shows.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::port::{Refusal, RequestId};
use super::queue::same_target;
use super::service::{
    Forwarding, Greetings, HuntGroup, RingPlace, SequentialRing, Service, ServiceKind, VoiceMail,
};
use super::wish::Wish;

/// How long a service may differ from what was asked for.
pub(super) const LIMIT: Duration = Duration::from_secs(10);

/// A service and what is wanted of it.
#[derive(Clone, Debug)]
pub struct ServiceState {
    /// As it was told last.
    pub actual: Option<Service>,
    /// When that was.
    pub told: Option<Instant>,
    /// The wish.
    pub wish: Wish<Service>,
}

impl Default for ServiceState {
    fn default() -> ServiceState {
        ServiceState { actual: None, told: None, wish: Wish::new(LIMIT, false) }
    }
}

/// All services that were told or asked for.
#[derive(Clone, Debug, Default)]
pub(super) struct Services {
    known: BTreeMap<ServiceKind, ServiceState>,
}

impl Services {
    pub(super) fn get(&self, kind: ServiceKind) -> Option<&ServiceState> {
        self.known.get(&kind)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (ServiceKind, &ServiceState)> {
        self.known.iter().map(|(kind, state)| (*kind, state))
    }

    /// It is told as it is.
    pub(super) fn told(&mut self, now: Instant, so: Service) {
        let state = self.known.entry(so.kind()).or_default();
        let so = with_known(state.actual.take(), so);
        let like = state.wish.wanted().is_some_and(|wanted| is_like(wanted, &so));
        state.wish.told(now, like);
        state.told = Some(now);
        state.actual = Some(so);
    }

    /// The account does not have it.
    pub(super) fn absent(&mut self, kind: ServiceKind) -> bool {
        self.known.remove(&kind).is_some()
    }

    pub(super) fn ask(&mut self, now: Instant, request: RequestId, wanted: Service) {
        let state = self.known.entry(wanted.kind()).or_default();
        let like = state.actual.as_ref().is_some_and(|so| is_like(&wanted, so));
        state.wish.ask(now, request, wanted, like);
    }

    /// The outcome of a request: the service, and whether it has yet to be read back.
    pub(super) fn done(
        &mut self,
        now: Instant,
        request: RequestId,
        refusal: Option<&Refusal>,
    ) -> Option<(ServiceKind, bool)> {
        self.known.iter_mut().find_map(|(kind, state)| {
            let mine = state.wish.done(now, request, refusal);
            mine.then_some((*kind, refusal.is_none() && state.wish.is_open()))
        })
    }

    pub(super) fn due(&self) -> Option<Instant> {
        self.known.values().filter_map(|state| state.wish.due()).min()
    }

    pub(super) fn on_time(&mut self, now: Instant) -> Vec<ServiceKind> {
        let late = self.known.iter_mut().filter(|(_, state)| state.wish.due().is_some());
        late.filter_map(|(kind, state)| state.wish.on_time(now).then_some(*kind)).collect()
    }

    /// Night as the schedules say; false: nothing changed.
    pub(super) fn night_is(&mut self, active: Option<bool>, until: Option<u64>) -> bool {
        let state = self.known.get_mut(&ServiceKind::Night);
        let Some(Service::Night(night)) = state.and_then(|state| state.actual.as_mut()) else {
            return false;
        };
        let changed = (night.active, night.until) != (active, until);
        (night.active, night.until) = (active, until);
        changed
    }

    /// Something takes all calls away from the user's phone.
    pub(super) fn is_active(&self, kind: ServiceKind) -> bool {
        match self.get(kind).and_then(|state| state.actual.as_ref()) {
            Some(Service::DoNotDisturb { active } | Service::Switch { active, .. }) => *active,
            Some(Service::Forwarding { forwarding, .. }) => forwarding.active,
            _ => false,
        }
    }
}

/// What is told of a voicemail without its greetings leaves those as they were.
fn with_known(before: Option<Service>, so: Service) -> Service {
    match (before, so) {
        (Some(Service::VoiceMail(known)), Service::VoiceMail(told)) => {
            let greetings = told.greetings.is_some();
            Service::VoiceMail(VoiceMail {
                rings: if greetings { told.rings } else { told.rings.or(known.rings) },
                copy: told.copy.or(known.copy),
                greetings: told.greetings.or(known.greetings),
                ..told
            })
        }
        (_, so) => so,
    }
}

fn is_like_greetings(wanted: Option<&Greetings>, so: Option<&Greetings>) -> bool {
    let Some(wanted) = wanted else { return true };
    so.is_some_and(|so| {
        let then = !wanted.no_message || same_target(&wanted.then, &so.then);
        // What recordings are called is no wish.
        (wanted.busy.choice, wanted.no_answer.choice, wanted.no_message)
            == (so.busy.choice, so.no_answer.choice, so.no_message)
            && then
    })
}

/// Whether a service is as wanted. Numbers are compared in any notation, and what can only be read is left
/// out.
pub(super) fn is_like(wanted: &Service, so: &Service) -> bool {
    match (wanted, so) {
        (
            Service::Forwarding { kind, forwarding: wanted },
            Service::Forwarding { kind: other, forwarding: so },
        ) => kind == other && is_like_forwarding(wanted, so),
        (
            Service::SimultaneousRing { active, not_while_busy, numbers },
            Service::SimultaneousRing { active: on, not_while_busy: quiet, numbers: others },
        ) => {
            let same =
                |(a, b): (&(String, bool), &(String, bool))| same_target(&a.0, &b.0) && a.1 == b.1;
            active == on
                && not_while_busy == quiet
                && numbers.len() == others.len()
                && numbers.iter().zip(others).all(same)
        }
        (Service::SequentialRing(wanted), Service::SequentialRing(so)) => {
            is_like_places(wanted, so)
        }
        (
            Service::RemoteOffice { active, number },
            Service::RemoteOffice { active: on, number: other },
        ) => active == on && same_target(number, other),
        (Service::VoiceMail(wanted), Service::VoiceMail(so)) => {
            let rings = wanted.rings.is_none() || wanted.rings == so.rings;
            (wanted.active, wanted.always, wanted.busy, wanted.no_answer, &wanted.email)
                == (so.active, so.always, so.busy, so.no_answer, &so.email)
                && rings
                && (wanted.copy.is_none() || wanted.copy == so.copy)
                && is_like_greetings(wanted.greetings.as_ref(), so.greetings.as_ref())
        }
        (Service::Night(wanted), Service::Night(so)) => wanted.mode == so.mode,
        (wanted, so) => wanted == so,
    }
}

fn is_like_places(wanted: &SequentialRing, so: &SequentialRing) -> bool {
    let same = |(wanted, so): (&RingPlace, &RingPlace)| {
        let rings = wanted.rings.is_none() || wanted.rings == so.rings;
        same_target(&wanted.number, &so.number) && wanted.confirm == so.confirm && rings
    };
    (wanted.own_first, wanted.own_rings, wanted.past_busy)
        == (so.own_first, so.own_rings, so.past_busy)
        && wanted.places.len() == so.places.len()
        && wanted.places.iter().zip(&so.places).all(same)
}

fn is_like_forwarding(wanted: &Forwarding, so: &Forwarding) -> bool {
    // Where forwarding that is off would go is the exchange's affair when nobody said.
    let to = wanted.to.is_empty() && !wanted.active || same_target(&wanted.to, &so.to);
    let rings = wanted.rings.is_none() || wanted.rings == so.rings;
    wanted.active == so.active && to && rings
}

/// A hunt group and what is wanted of it.
#[derive(Clone, Debug)]
pub struct HuntGroupState {
    /// As the exchange tells it.
    pub group: HuntGroup,
    /// The wish.
    pub wish: Wish<bool>,
}

impl HuntGroupState {
    pub(super) fn new(group: HuntGroup) -> HuntGroupState {
        HuntGroupState { group, wish: Wish::new(LIMIT, false) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn always(active: bool, to: &str) -> Service {
        let forwarding = Forwarding { active, to: to.into(), rings: None };
        Service::Forwarding { kind: ServiceKind::ForwardAlways, forwarding }
    }

    #[test]
    fn what_is_told_without_greetings_leaves_them_as_they_were() {
        #[expect(clippy::disallowed_methods, reason = "virtual time needs a beginning")]
        let now = Instant::now();
        let mut services = Services::default();
        let greetings = Greetings { no_message: true, ..Greetings::default() };
        let whole =
            VoiceMail { rings: Some(3), greetings: Some(greetings), ..VoiceMail::default() };
        services.told(now, Service::VoiceMail(whole.clone()));
        services.told(now, Service::VoiceMail(VoiceMail { active: true, ..VoiceMail::default() }));
        let known = services.get(ServiceKind::VoiceMail).unwrap().actual.clone();
        assert_eq!(known, Some(Service::VoiceMail(VoiceMail { active: true, ..whole.clone() })));
        let mut other = whole.clone();
        other.greetings = Some(Greetings::default());
        assert!(!is_like(&Service::VoiceMail(whole), &Service::VoiceMail(other)));
    }

    #[test]
    fn numbers_are_told_back_in_other_notations() {
        assert!(is_like(&always(true, "0612345678"), &always(true, "tel:+31612345678")));
        assert!(!is_like(&always(true, "0612345678"), &always(true, "0612345679")));
        assert!(!is_like(&always(true, "0612345678"), &always(false, "0612345678")));
        assert!(is_like(&always(false, ""), &always(false, "0612345678")));
    }
}

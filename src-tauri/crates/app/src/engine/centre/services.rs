//! The views of services, nights, emergency forwarding, hunt groups and facts; and the service that changed
//! values mean.

use pbx::centre::{
    Capability, Centre, Forwarding, GreetingChoice, Greetings, Main, NightService, Opening, Phase,
    Recurrence, RingPlace, SequentialRing, Service, ServiceKind, VoiceMail,
};

use super::super::desk::Desk;
use super::Running;
use super::own::queue_name;
use super::words::{
    fact_name, hunt_policy_name, night_choice, phase_name, refusal_code, service_name,
};
use crate::code::Code;
use crate::config::BlockSettings;
use crate::control::ErrorReply;
use crate::view::centre::RefusalView;
use crate::view::service::{
    EmergencyView, FactName, FactView, GreetingName, HuntGroupView, NightChoice, NightView,
    OpeningView, RecursName, RingNumber, ServiceValues, ServiceView,
};

/// The order in which services are shown.
const ORDER: [ServiceKind; 14] = [
    ServiceKind::DoNotDisturb,
    ServiceKind::ForwardAlways,
    ServiceKind::ForwardBusy,
    ServiceKind::ForwardNoAnswer,
    ServiceKind::ForwardNotReachable,
    ServiceKind::VoiceMail,
    ServiceKind::Night,
    ServiceKind::SimultaneousRing,
    ServiceKind::SequentialRing,
    ServiceKind::RemoteOffice,
    ServiceKind::CallWaiting,
    ServiceKind::WithholdNumber,
    ServiceKind::RejectAnonymous,
    ServiceKind::Hoteling,
];

/// Longest number, and most numbers of simultaneous ring.
const NUMBER: usize = 80;
const NUMBERS: usize = 10;
/// Most numbers of sequential ring.
const PLACES: usize = 5;
/// Most openings of a schedule that are shown.
const OPENINGS: usize = 100;

impl Desk {
    pub(super) fn service_views(&self, account: &str, running: &Running) -> Vec<ServiceView> {
        let centre = &running.centre;
        let shown = ORDER.into_iter().filter(|kind| {
            centre.can(Capability::Service(*kind)) || centre.service(*kind).is_some()
        });
        let why = self.is_closed_by_calendar(account);
        shown.map(|kind| self.service_view(centre, kind, why)).collect()
    }

    fn service_view(&self, centre: &Centre, kind: ServiceKind, calendar: bool) -> ServiceView {
        let state = centre.service(kind);
        let actual = state.and_then(|state| state.actual.as_ref());
        let wish = state.map(|state| &state.wish);
        let phase = wish.map_or(Phase::Told, pbx::centre::Wish::phase);
        let open = !matches!(phase, Phase::Told | Phase::Verified | Phase::Refused);
        let wanted = wish.filter(|_| open).and_then(pbx::centre::Wish::wanted);
        let locked = matches!(actual, Some(Service::Night(night)) if !night.may_change);
        ServiceView {
            service: service_name(kind),
            actual: actual.map(values_of),
            wanted: wanted.map(values_of),
            state: phase_name(phase),
            editable: centre.can(Capability::Service(kind)) && centre.link().is_up() && !locked,
            refused: wish
                .and_then(pbx::centre::Wish::refused)
                .map(|(refusal, at)| self.refusal_view(centre, refusal, *at)),
            told_ms: state.and_then(|state| state.told).map(|at| centre.ms(at)),
            by_calendar: calendar && kind == ServiceKind::DoNotDisturb,
        }
    }

    pub(super) fn night_views(&self, running: &Running) -> Vec<NightView> {
        let centre = &running.centre;
        let mut views: Vec<NightView> = self.company_night(centre).into_iter().collect();
        for state in centre.queues() {
            let policy = &state.queue.policy;
            if policy.night.is_none() && policy.night_override.is_none() {
                continue;
            }
            let phase = state.night.phase();
            let wanted = state.night.wanted().filter(|_| phase != Phase::Verified);
            views.push(NightView {
                queue: Some(state.queue.id.0.clone()),
                name: queue_name(centre, &state.queue.id),
                active: policy.night,
                choice: policy.night_override.map(night_choice),
                wanted: wanted.copied().map(night_choice),
                state: phase_name(phase),
                until_ms: policy.night_until,
                schedule: String::new(),
                may_change: policy.may_change
                    && centre.can(Capability::QueuePolicy)
                    && centre.link().is_up(),
                refused: state
                    .night
                    .refused()
                    .map(|(refusal, at)| self.refusal_view(centre, refusal, *at)),
            });
        }
        views
    }

    fn company_night(&self, centre: &Centre) -> Option<NightView> {
        let state = centre.service(ServiceKind::Night)?;
        let Some(Service::Night(night)) = &state.actual else { return None };
        let phase = state.wish.phase();
        let wanted = match state.wish.wanted().filter(|_| phase != Phase::Verified) {
            Some(Service::Night(wanted)) => Some(choice_of(wanted.mode)),
            _ => None,
        };
        Some(NightView {
            queue: None,
            name: String::new(),
            active: night.active,
            choice: Some(choice_of(night.mode)),
            wanted,
            state: phase_name(phase),
            until_ms: night.until,
            schedule: night.schedule.clone(),
            may_change: night.may_change
                && centre.can(Capability::Service(ServiceKind::Night))
                && centre.link().is_up(),
            refused: state
                .wish
                .refused()
                .map(|(refusal, at)| self.refusal_view(centre, refusal, *at)),
        })
    }

    pub(super) fn emergency_views(&self, running: &Running) -> Vec<EmergencyView> {
        let centre = &running.centre;
        let line = centre.can(Capability::Service(ServiceKind::ForwardAlways))
            && running.reads_forwarding_back();
        let queues = centre
            .queues()
            .filter(|state| state.queue.policy.may_change && centre.can(Capability::QueuePolicy));
        let queues = queues.map(|state| Main::Queue(state.queue.id.clone()));
        let mains = line.then_some(Main::Line).into_iter().chain(queues);
        mains.map(|main| emergency_view(centre, &main)).collect()
    }
}

fn emergency_view(centre: &Centre, main: &Main) -> EmergencyView {
    let emergency = centre.emergency(main);
    let there = |to: Option<String>| to.filter(|to| !to.is_empty());
    let (queue, name, since) = match main {
        Main::Line => {
            let told = centre.service(ServiceKind::ForwardAlways).and_then(|state| state.told);
            (None, String::new(), told)
        }
        Main::Queue(queue) => {
            let asked = centre.queue(queue).and_then(|state| state.forwarding.asked());
            (Some(queue.0.clone()), queue_name(centre, queue), asked)
        }
    };
    EmergencyView {
        queue,
        name,
        state: phase_name(emergency.phase),
        refused: emergency.refused.as_ref().map(|refusal| {
            let (code, detail) = refusal_code(refusal);
            let at_ms = since.map(|at| centre.ms(at)).unwrap_or_default();
            RefusalView { code, detail, queues: Vec::new(), at_ms }
        }),
        wanted: there(emergency.wanted),
        actual: there(emergency.actual),
        since_ms: since.map(|at| centre.ms(at)),
    }
}

pub(super) fn hunt_group_views(centre: &Centre) -> Vec<HuntGroupView> {
    let mut views: Vec<HuntGroupView> = centre
        .hunt_groups()
        .iter()
        .map(|state| {
            let group = &state.group;
            let phase = state.wish.phase();
            let name = Some(&group.name).filter(|name| !name.is_empty()).unwrap_or(&group.id);
            HuntGroupView {
                group: group.id.clone(),
                name: name.clone(),
                number: contacts::show(&group.number),
                policy: group.policy.map(hunt_policy_name),
                members: group.members.clone(),
                next: group.next.clone(),
                told: group.told,
                joined: group.joined,
                may_leave: group.may_leave && centre.link().is_up(),
                wanted: state.wish.wanted().copied().filter(|_| phase != Phase::Verified),
                state: phase_name(phase),
            }
        })
        .collect();
    views.sort_by_key(|view| contacts::fold(&view.name));
    views
}

/// What can only be read, and what the settings say of calls that are not let out.
pub(super) fn fact_views(centre: &Centre, blocks: &[BlockSettings]) -> Vec<FactView> {
    let mut facts: Vec<FactView> = centre
        .facts()
        .iter()
        .map(|fact| FactView {
            fact: fact_name(fact.kind),
            name: fact.name.clone(),
            value: fact.value.clone(),
            in_force: fact.in_force,
            until_ms: fact.until,
            holidays: fact.schedule.as_ref().is_some_and(|schedule| schedule.holidays),
            openings: fact
                .schedule
                .iter()
                .flat_map(|schedule| schedule.openings.iter().take(OPENINGS).map(opening_view))
                .collect(),
        })
        .collect();
    facts.extend(blocks.iter().map(|block| FactView {
        fact: FactName::OutgoingBlock,
        name: block.name.clone(),
        value: block.numbers.join(", "),
        in_force: Some(true),
        until_ms: None,
        holidays: false,
        openings: Vec::new(),
    }));
    facts.sort_by_key(|fact| (fact.fact, contacts::fold(&fact.name)));
    facts
}

fn opening_view(opening: &Opening) -> OpeningView {
    let (year, month, day) = opening.day.date();
    let (recurs, every) = match &opening.recurs {
        Recurrence::Once => (RecursName::Once, 1),
        Recurrence::Daily { every } => (RecursName::Daily, *every),
        Recurrence::Weekly { every, .. } => (RecursName::Weekly, *every),
        Recurrence::Monthly { every, .. } => (RecursName::Monthly, *every),
        Recurrence::Yearly { every, .. } => (RecursName::Yearly, *every),
    };
    let weekdays = match &opening.recurs {
        Recurrence::Weekly { days, .. } => {
            (1_u8..).zip(days).filter(|(_, on)| **on).map(|(day, _)| day).collect()
        }
        _ => Vec::new(),
    };
    OpeningView {
        name: opening.name.clone(),
        day: format!("{year:04}-{month:02}-{day:02}"),
        from: u32::from(opening.from),
        lasts: opening.lasts,
        recurs,
        weekdays,
        every,
    }
}

fn greeting_name(choice: GreetingChoice) -> GreetingName {
    match choice {
        GreetingChoice::Standard => GreetingName::Standard,
        GreetingChoice::Own => GreetingName::Own,
        GreetingChoice::Alternate(1) => GreetingName::First,
        GreetingChoice::Alternate(2) => GreetingName::Second,
        GreetingChoice::Alternate(_) => GreetingName::Third,
    }
}

fn greeting_choice(name: GreetingName) -> GreetingChoice {
    match name {
        GreetingName::Standard => GreetingChoice::Standard,
        GreetingName::Own => GreetingChoice::Own,
        GreetingName::First => GreetingChoice::Alternate(1),
        GreetingName::Second => GreetingChoice::Alternate(2),
        GreetingName::Third => GreetingChoice::Alternate(3),
    }
}

fn choice_of(mode: Option<bool>) -> NightChoice {
    match mode {
        None => NightChoice::Automatic,
        Some(true) => NightChoice::On,
        Some(false) => NightChoice::Off,
    }
}

fn mode_of(choice: NightChoice) -> Option<bool> {
    match choice {
        NightChoice::Automatic => None,
        NightChoice::On => Some(true),
        NightChoice::Off => Some(false),
    }
}

/// The values that a service has.
fn values_of(service: &Service) -> ServiceValues {
    let none = ServiceValues::default();
    match service {
        Service::DoNotDisturb { active } | Service::Switch { active, .. } => {
            ServiceValues { active: Some(*active), ..none }
        }
        Service::Forwarding { forwarding, .. } => ServiceValues {
            active: Some(forwarding.active),
            to: Some(forwarding.to.clone()),
            rings: forwarding.rings,
            ..none
        },
        Service::SimultaneousRing { active, not_while_busy, numbers } => {
            let number = |(number, confirm): &(String, bool)| RingNumber {
                number: number.clone(),
                confirm: *confirm,
                rings: None,
            };
            ServiceValues {
                active: Some(*active),
                not_while_busy: Some(*not_while_busy),
                numbers: Some(numbers.iter().map(number).collect()),
                ..none
            }
        }
        Service::SequentialRing(ring) => {
            let number = |place: &RingPlace| RingNumber {
                number: place.number.clone(),
                confirm: place.confirm,
                rings: place.rings,
            };
            ServiceValues {
                rings: Some(ring.own_rings),
                own_first: Some(ring.own_first),
                past_busy: Some(ring.past_busy),
                numbers: Some(ring.places.iter().map(number).collect()),
                ..none
            }
        }
        Service::RemoteOffice { active, number: to } | Service::Hoteling { active, host: to } => {
            ServiceValues { active: Some(*active), to: Some(to.clone()), ..none }
        }
        Service::VoiceMail(mail) => voice_mail_values(mail),
        Service::Night(night) => ServiceValues {
            active: night.active,
            night: Some(choice_of(night.mode)),
            schedule: Some(night.schedule.clone()),
            ..none
        },
    }
}

fn voice_mail_values(mail: &VoiceMail) -> ServiceValues {
    let greetings = mail.greetings.as_ref();
    let name = |greeting: fn(&Greetings) -> &pbx::centre::Greeting| {
        greetings.map(greeting).map(|greeting| greeting.recording.clone())
    };
    ServiceValues {
        active: Some(mail.active),
        always: Some(mail.always),
        busy: Some(mail.busy),
        no_answer: Some(mail.no_answer),
        rings: mail.rings,
        email: Some(mail.email.clone()),
        copy: mail.copy.clone(),
        has_mailbox: Some(mail.has_mailbox),
        greeting_busy: greetings.map(|all| greeting_name(all.busy.choice)),
        greeting_no_answer: greetings.map(|all| greeting_name(all.no_answer.choice)),
        recording_busy: name(|all| &all.busy),
        recording_no_answer: name(|all| &all.no_answer),
        no_message: greetings.map(|all| all.no_message),
        to: greetings.map(|all| all.then.clone()),
        ..ServiceValues::default()
    }
}

/// The service with the values that are to change.
///
/// # Errors
/// When a value is impossible, or forwarding is to be on and leads nowhere.
pub(super) fn service_with(
    kind: ServiceKind,
    actual: Option<&Service>,
    values: ServiceValues,
) -> Result<Service, ErrorReply> {
    let bad = |text: &str| Err(ErrorReply::new(Code::BadValue, text));
    let long = |text: &Option<String>| text.as_ref().is_some_and(|text| text.len() > NUMBER);
    let numbers = values.numbers.as_deref().unwrap_or_default();
    if long(&values.to)
        || long(&values.email)
        || long(&values.copy)
        || numbers.iter().any(|n| n.number.len() > NUMBER)
    {
        return bad("a number or address is too long");
    }
    if numbers.len() > NUMBERS {
        return bad("at most ten numbers can ring too");
    }
    if values.rings.is_some_and(|rings| rings > 20) {
        return bad("at most 20 rings");
    }
    if kind == ServiceKind::SequentialRing {
        let once = |rings: Option<u32>| rings.is_some_and(|rings| rings == 1 || rings > 20);
        if once(values.rings) || numbers.iter().any(|number| once(number.rings)) {
            return bad("no rings, or 2 to 20");
        }
        if numbers.len() > PLACES {
            return bad("at most five numbers can ring one after the other");
        }
        if numbers.iter().any(|number| number.number.trim().is_empty()) {
            return bad("a number is needed");
        }
    }
    greeting_fits(kind, actual, &values)?;
    let service = apply(kind, actual, values);
    let nowhere = match &service {
        Service::Forwarding { forwarding, .. } => forwarding.active && forwarding.to.is_empty(),
        Service::RemoteOffice { active, number } => *active && number.is_empty(),
        _ => false,
    };
    if nowhere {
        return bad("a number is needed");
    }
    Ok(service)
}

/// A recording can be chosen when there is one, and rings once is no number of rings at a voicemail.
fn greeting_fits(
    kind: ServiceKind,
    actual: Option<&Service>,
    values: &ServiceValues,
) -> Result<(), ErrorReply> {
    let bad = |text: &str| Err(ErrorReply::new(Code::BadValue, text));
    if kind != ServiceKind::VoiceMail {
        return Ok(());
    }
    if values.rings == Some(1) {
        return bad("no rings, or 2 to 20");
    }
    let further = |name: Option<GreetingName>| {
        matches!(name, Some(GreetingName::First | GreetingName::Second | GreetingName::Third))
    };
    if further(values.greeting_busy) {
        return bad("further recordings are for calls that nobody answers");
    }
    let greetings = match actual {
        Some(Service::VoiceMail(mail)) => mail.greetings.clone().unwrap_or_default(),
        _ => Greetings::default(),
    };
    let missing = |name: Option<GreetingName>, greeting: &pbx::centre::Greeting| {
        name == Some(GreetingName::Own) && greeting.recording.is_empty()
    };
    match missing(values.greeting_busy, &greetings.busy)
        || missing(values.greeting_no_answer, &greetings.no_answer)
    {
        true => bad("there is no recording of your own yet"),
        false => Ok(()),
    }
}

fn apply(kind: ServiceKind, actual: Option<&Service>, values: ServiceValues) -> Service {
    match kind {
        ServiceKind::DoNotDisturb => {
            let before = matches!(actual, Some(Service::DoNotDisturb { active: true }));
            Service::DoNotDisturb { active: values.active.unwrap_or(before) }
        }
        ServiceKind::CallWaiting | ServiceKind::WithholdNumber | ServiceKind::RejectAnonymous => {
            let before = matches!(actual, Some(Service::Switch { active: true, .. }));
            Service::Switch { kind, active: values.active.unwrap_or(before) }
        }
        ServiceKind::SimultaneousRing => simultaneous_ring(actual, values),
        ServiceKind::SequentialRing => sequential_ring(actual, values),
        ServiceKind::VoiceMail => voice_mail(actual, values),
        ServiceKind::Night => {
            let before = match actual {
                Some(Service::Night(night)) => night.clone(),
                _ => NightService::default(),
            };
            let mode = values.night.map_or(before.mode, mode_of);
            Service::Night(NightService { mode, ..before })
        }
        _ => elsewhere(kind, actual, values),
    }
}

/// Services that are on or off and lead to one place.
fn elsewhere(kind: ServiceKind, actual: Option<&Service>, values: ServiceValues) -> Service {
    let before = match actual {
        Some(Service::Forwarding { forwarding, .. }) => forwarding.clone(),
        Some(
            Service::RemoteOffice { active, number: to } | Service::Hoteling { active, host: to },
        ) => Forwarding { active: *active, to: to.clone(), rings: None },
        _ => Forwarding::default(),
    };
    let forwarding = Forwarding {
        active: values.active.unwrap_or(before.active),
        to: values.to.map_or(before.to, |to| to.trim().to_owned()),
        rings: values.rings.or(before.rings),
    };
    let Forwarding { active, to, .. } = forwarding.clone();
    match kind {
        ServiceKind::RemoteOffice => Service::RemoteOffice { active, number: to },
        ServiceKind::Hoteling => Service::Hoteling { active, host: to },
        _ => Service::Forwarding { kind, forwarding },
    }
}

fn simultaneous_ring(actual: Option<&Service>, values: ServiceValues) -> Service {
    let (before, quiet, known) = match actual {
        Some(Service::SimultaneousRing { active, not_while_busy, numbers }) => {
            (*active, *not_while_busy, numbers.clone())
        }
        _ => (false, false, Vec::new()),
    };
    let told = values.numbers.map(|numbers| {
        numbers.into_iter().map(|n| (n.number.trim().to_owned(), n.confirm)).collect()
    });
    Service::SimultaneousRing {
        active: values.active.unwrap_or(before),
        not_while_busy: values.not_while_busy.unwrap_or(quiet),
        numbers: told.unwrap_or(known),
    }
}

fn sequential_ring(actual: Option<&Service>, values: ServiceValues) -> Service {
    let before = match actual {
        Some(Service::SequentialRing(ring)) => ring.clone(),
        _ => SequentialRing::default(),
    };
    let place = |number: RingNumber| RingPlace {
        number: number.number.trim().to_owned(),
        rings: number.rings,
        confirm: number.confirm,
    };
    let told = values.numbers.map(|numbers| numbers.into_iter().map(place).collect());
    Service::SequentialRing(SequentialRing {
        own_first: values.own_first.unwrap_or(before.own_first),
        own_rings: values.rings.unwrap_or(before.own_rings),
        past_busy: values.past_busy.unwrap_or(before.past_busy),
        places: told.unwrap_or(before.places),
    })
}

fn voice_mail(actual: Option<&Service>, values: ServiceValues) -> Service {
    let before = match actual {
        Some(Service::VoiceMail(mail)) => mail.clone(),
        _ => VoiceMail::default(),
    };
    let mut greetings = before.greetings.clone();
    let changed = values.greeting_busy.is_some()
        || values.greeting_no_answer.is_some()
        || values.no_message.is_some()
        || values.to.is_some();
    if changed {
        let all = greetings.get_or_insert_default();
        all.busy.choice = values.greeting_busy.map_or(all.busy.choice, greeting_choice);
        all.no_answer.choice =
            values.greeting_no_answer.map_or(all.no_answer.choice, greeting_choice);
        all.no_message = values.no_message.unwrap_or(all.no_message);
        all.then = values.to.map_or(std::mem::take(&mut all.then), |to| to.trim().to_owned());
    }
    Service::VoiceMail(VoiceMail {
        active: values.active.unwrap_or(before.active),
        always: values.always.unwrap_or(before.always),
        busy: values.busy.unwrap_or(before.busy),
        no_answer: values.no_answer.unwrap_or(before.no_answer),
        rings: values.rings.or(before.rings),
        email: values.email.unwrap_or(before.email),
        copy: values.copy.or(before.copy),
        has_mailbox: before.has_mailbox,
        greetings,
    })
}

/// The night service switched to a choice.
pub(super) fn night_with(actual: Option<&Service>, choice: NightChoice) -> Service {
    let values = ServiceValues { night: Some(choice), ..ServiceValues::default() };
    apply(ServiceKind::Night, actual, values)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_out_stays() {
        let forwarding = Forwarding { active: false, to: "0612345678".into(), rings: Some(4) };
        let actual = Service::Forwarding { kind: ServiceKind::ForwardNoAnswer, forwarding };
        let values = ServiceValues { active: Some(true), ..ServiceValues::default() };
        let service = service_with(ServiceKind::ForwardNoAnswer, Some(&actual), values).unwrap();
        let Service::Forwarding { forwarding, .. } = &service else { panic!("{service:?}") };
        assert!(forwarding.active);
        assert_eq!((forwarding.to.as_str(), forwarding.rings), ("0612345678", Some(4)));
        let shown = values_of(&service);
        assert_eq!((shown.active, shown.rings), (Some(true), Some(4)));
    }

    #[test]
    fn forwarding_leads_somewhere() {
        let values = ServiceValues { active: Some(true), ..ServiceValues::default() };
        let refused = service_with(ServiceKind::ForwardAlways, None, values).unwrap_err();
        assert_eq!(refused.code, Code::BadValue);
    }

    #[test]
    fn night_follows_or_is_forced() {
        for choice in [NightChoice::Automatic, NightChoice::On, NightChoice::Off] {
            let night = night_with(None, choice);
            assert_eq!(values_of(&night).night, Some(choice));
        }
    }
}

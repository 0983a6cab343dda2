//! Services of the user in both directions.

use pbx::centre::{
    Forwarding, Greeting, GreetingChoice, GreetingKind, Greetings, NightService, Recorded,
    RingPlace, SequentialRing, Service, ServiceKind, VoiceMail,
};

use crate::wire::{
    self, Common, Hoteling, MediaFile, RingLocation, ServiceState, SimultaneousRing, VoiceMessaging,
};

/// What the server says when the user does not want a second ring while he talks.
const NOT_WHILE_BUSY: &str = "Do not Ring if on a Call";
/// What it says otherwise.
const ALWAYS: &str = "Ring for all Incoming Calls";

/// The kind of service at a path below `services/`; `None`: it is not shown.
pub(super) fn kind(path: &str) -> Option<ServiceKind> {
    Some(match path {
        "DoNotDisturb" => ServiceKind::DoNotDisturb,
        "CallForwardingAlways" => ServiceKind::ForwardAlways,
        "CallForwardingBusy" => ServiceKind::ForwardBusy,
        "CallForwardingNoAnswer" => ServiceKind::ForwardNoAnswer,
        "CallForwardingNotReachable" => ServiceKind::ForwardNotReachable,
        "CallWaiting" => ServiceKind::CallWaiting,
        "CallingLineIDDeliveryBlocking" => ServiceKind::WithholdNumber,
        "AnonymousCallRejection" => ServiceKind::RejectAnonymous,
        "SimultaneousRingPersonal" => ServiceKind::SimultaneousRing,
        "SequentialRing" => ServiceKind::SequentialRing,
        "RemoteOffice" => ServiceKind::RemoteOffice,
        "VoiceMessaging" => ServiceKind::VoiceMail,
        "GroupNightForwarding" => ServiceKind::Night,
        "HotelingGuest" => ServiceKind::Hoteling,
        _ => return None,
    })
}

/// The path of a kind.
pub(super) fn path(kind: ServiceKind) -> &'static str {
    match kind {
        ServiceKind::DoNotDisturb => "DoNotDisturb",
        ServiceKind::ForwardAlways => "CallForwardingAlways",
        ServiceKind::ForwardBusy => "CallForwardingBusy",
        ServiceKind::ForwardNoAnswer => "CallForwardingNoAnswer",
        ServiceKind::ForwardNotReachable => "CallForwardingNotReachable",
        ServiceKind::CallWaiting => "CallWaiting",
        ServiceKind::WithholdNumber => "CallingLineIDDeliveryBlocking",
        ServiceKind::RejectAnonymous => "AnonymousCallRejection",
        ServiceKind::SimultaneousRing => "SimultaneousRingPersonal",
        ServiceKind::SequentialRing => "SequentialRing",
        ServiceKind::RemoteOffice => "RemoteOffice",
        ServiceKind::VoiceMail => "VoiceMessaging",
        ServiceKind::Night => "GroupNightForwarding",
        ServiceKind::Hoteling => "HotelingGuest",
    }
}

/// A service as the exchange told it; `None`: it is not shown.
pub(super) fn told(state: &ServiceState) -> Option<Service> {
    let kind = kind(state.path())?;
    Some(match state {
        ServiceState::DoNotDisturb(common) => {
            Service::DoNotDisturb { active: is_on(common.active) }
        }
        ServiceState::ForwardAlways(common)
        | ServiceState::ForwardBusy(common)
        | ServiceState::ForwardNoAnswer(common)
        | ServiceState::ForwardNotReachable(common) => Service::Forwarding {
            kind,
            forwarding: Forwarding {
                active: is_on(common.active),
                to: common.number.clone().unwrap_or_default(),
                rings: common.rings,
            },
        },
        ServiceState::CallWaiting(common)
        | ServiceState::WithholdNumber(common)
        | ServiceState::RejectAnonymous(common) => {
            Service::Switch { kind, active: is_on(common.active) }
        }
        ServiceState::RemoteOffice(common) => Service::RemoteOffice {
            active: is_on(common.active),
            number: common.number.clone().unwrap_or_default(),
        },
        ServiceState::SimultaneousRing(ring) => simultaneous(ring),
        ServiceState::SequentialRing(ring) => Service::SequentialRing(sequential(ring)),
        ServiceState::VoiceMessaging(mail) => Service::VoiceMail(voice_mail(mail)),
        ServiceState::Night(night) => Service::Night(NightService {
            // `Automatic On`, `Always On` and `Off` in the schema; `Use Group` has been seen.
            mode: match night.mode.as_deref() {
                Some("Always On" | "On") => Some(true),
                Some("Off") => Some(false),
                _ => None,
            },
            schedule: night.business_hours.clone().unwrap_or_default(),
            holidays: night.holidays.clone().unwrap_or_default(),
            active: None,
            until: None,
            may_change: false,
        }),
        ServiceState::HotelingGuest(hoteling) => Service::Hoteling {
            active: is_on(hoteling.active),
            host: hoteling.host.clone().unwrap_or_default(),
        },
        ServiceState::ForwardAlwaysSecondary(_) | ServiceState::FlexibleSeating(_) => return None,
    })
}

fn is_on(active: Option<bool>) -> bool {
    active.unwrap_or_default()
}

fn simultaneous(ring: &SimultaneousRing) -> Service {
    let locations = ring.locations.iter().flatten();
    Service::SimultaneousRing {
        active: is_on(ring.active),
        not_while_busy: ring
            .incoming
            .as_deref()
            .is_some_and(|word| word.eq_ignore_ascii_case(NOT_WHILE_BUSY)),
        numbers: locations.map(|one| (one.address.clone(), one.confirm)).collect(),
    }
}

fn sequential(ring: &wire::SequentialRing) -> SequentialRing {
    let place = |one: &wire::RingPlace| RingPlace {
        number: one.address.clone(),
        rings: one.rings,
        confirm: one.confirm,
    };
    SequentialRing {
        own_first: is_on(ring.own_first),
        own_rings: ring.own_rings.unwrap_or_default(),
        past_busy: is_on(ring.past_busy),
        places: ring.places.iter().flatten().map(place).collect(),
    }
}

fn voice_mail(mail: &VoiceMessaging) -> VoiceMail {
    let only_mailed =
        mail.processing.as_deref().is_some_and(|word| word.contains("Email Address Only"));
    VoiceMail {
        active: is_on(mail.active),
        always: is_on(mail.always),
        busy: is_on(mail.busy),
        no_answer: is_on(mail.no_answer),
        rings: None,
        email: mail.email.clone().unwrap_or_default(),
        copy: match (mail.copied, &mail.copy) {
            (Some(false), _) => Some(String::new()),
            (_, copy) => copy.clone(),
        },
        has_mailbox: !only_mailed,
        greetings: None,
    }
}

fn choice(word: Option<&str>) -> GreetingChoice {
    match word {
        Some("Personal") => GreetingChoice::Own,
        Some("Alternate01") => GreetingChoice::Alternate(1),
        Some("Alternate02") => GreetingChoice::Alternate(2),
        Some("Alternate03") => GreetingChoice::Alternate(3),
        _ => GreetingChoice::Standard,
    }
}

fn choice_word(choice: GreetingChoice) -> Option<&'static str> {
    Some(match choice {
        GreetingChoice::Standard => "Default",
        GreetingChoice::Own => "Personal",
        GreetingChoice::Alternate(1) => "Alternate01",
        GreetingChoice::Alternate(2) => "Alternate02",
        GreetingChoice::Alternate(3) => "Alternate03",
        GreetingChoice::Alternate(_) => return None,
    })
}

/// A voicemail with what its greetings tell.
pub(super) fn with_greetings(mail: VoiceMail, told: &wire::Greetings) -> VoiceMail {
    let name = |file: Option<&MediaFile>| file.map(|file| file.description.clone());
    let greeting = |word: Option<&str>, file: Option<&MediaFile>| Greeting {
        choice: choice(word),
        recording: name(file).unwrap_or_default(),
    };
    let sent_on = told.then.as_deref() == Some("Forward");
    VoiceMail {
        rings: told.rings,
        greetings: Some(Greetings {
            busy: greeting(told.busy.as_deref(), told.busy_file.as_ref()),
            no_answer: greeting(told.no_answer.as_deref(), told.no_answer_file.as_ref()),
            no_message: told.no_message.unwrap_or_default(),
            then: told.forward.clone().filter(|_| sent_on).unwrap_or_default(),
        }),
        ..mail
    }
}

/// What of a wanted voicemail is to be set at its greetings, as they are now.
pub(super) fn greetings_to_set(wanted: &VoiceMail, so: &wire::Greetings) -> wire::Greetings {
    let known = with_greetings(VoiceMail::default(), so).greetings.unwrap_or_default();
    let mut change = wire::Greetings {
        rings: wanted.rings.filter(|rings| Some(*rings) != so.rings),
        ..wire::Greetings::default()
    };
    let Some(greetings) = &wanted.greetings else { return change };
    let word = |wanted: GreetingChoice, known: GreetingChoice| {
        choice_word(wanted).filter(|_| wanted != known).map(str::to_owned)
    };
    change.busy = word(greetings.busy.choice, known.busy.choice);
    change.no_answer = word(greetings.no_answer.choice, known.no_answer.choice);
    if greetings.no_message != known.no_message {
        change.no_message = Some(greetings.no_message);
    }
    if greetings.no_message && (greetings.then != known.then || !known.no_message) {
        let action = if greetings.then.is_empty() { "Disconnect" } else { "Forward" };
        change.then = Some(action.to_owned());
        change.forward = Some(greetings.then.clone()).filter(|to| !to.is_empty());
    }
    change
}

/// A recording of the user's that is played from now on.
pub(super) fn own_greeting(kind: GreetingKind, recorded: Recorded) -> wire::Greetings {
    let Recorded { name, wav } = recorded;
    let file = MediaFile { description: name, kind: "WAV".to_owned(), content: Some(wav) };
    let own = choice_word(GreetingChoice::Own).map(str::to_owned);
    match kind {
        GreetingKind::Busy => {
            wire::Greetings { busy: own, busy_file: Some(file), ..wire::Greetings::default() }
        }
        GreetingKind::NoAnswer => wire::Greetings {
            no_answer: own,
            no_answer_file: Some(file),
            ..wire::Greetings::default()
        },
    }
}

/// A service as the user wants it; `None`: it cannot be set.
pub(super) fn wanted(service: &Service) -> Option<ServiceState> {
    let common = |active| Common { active: Some(active), ..Common::default() };
    Some(match service {
        Service::DoNotDisturb { active } => ServiceState::DoNotDisturb(common(*active)),
        Service::Forwarding { kind, forwarding } => forwarded(*kind, forwarding)?,
        Service::Switch { kind, active } => match kind {
            ServiceKind::CallWaiting => ServiceState::CallWaiting(common(*active)),
            ServiceKind::WithholdNumber => ServiceState::WithholdNumber(common(*active)),
            ServiceKind::RejectAnonymous => ServiceState::RejectAnonymous(common(*active)),
            _ => return None,
        },
        Service::SimultaneousRing { active, not_while_busy, numbers } => {
            let location = |(address, confirm): &(String, bool)| RingLocation {
                address: address.clone(),
                confirm: *confirm,
            };
            ServiceState::SimultaneousRing(SimultaneousRing {
                active: Some(*active),
                incoming: Some(if *not_while_busy { NOT_WHILE_BUSY } else { ALWAYS }.to_owned()),
                locations: Some(numbers.iter().map(location).collect()),
            })
        }
        Service::SequentialRing(ring) => {
            let place = |place: &RingPlace| wire::RingPlace {
                address: place.number.clone(),
                rings: place.rings,
                confirm: place.confirm,
            };
            ServiceState::SequentialRing(wire::SequentialRing {
                own_first: Some(ring.own_first),
                own_rings: Some(ring.own_rings),
                past_busy: Some(ring.past_busy),
                places: Some(ring.places.iter().map(place).collect()),
            })
        }
        Service::RemoteOffice { active, number } => {
            ServiceState::RemoteOffice(Common { number: Some(number.clone()), ..common(*active) })
        }
        Service::VoiceMail(mail) => ServiceState::VoiceMessaging(VoiceMessaging {
            active: Some(mail.active),
            email: Some(mail.email.clone()),
            copied: mail.copy.as_ref().map(|copy| !copy.is_empty()),
            copy: mail.copy.clone().filter(|copy| !copy.is_empty()),
            always: Some(mail.always),
            busy: Some(mail.busy),
            no_answer: Some(mail.no_answer),
            ..VoiceMessaging::default()
        }),
        Service::Hoteling { active, host } => ServiceState::HotelingGuest(Hoteling {
            active: Some(*active),
            host: Some(host.clone()),
        }),
        Service::Night(_) => return None,
    })
}

fn forwarded(kind: ServiceKind, forwarding: &Forwarding) -> Option<ServiceState> {
    let common = Common {
        active: Some(forwarding.active),
        number: Some(forwarding.to.clone()),
        rings: forwarding.rings.filter(|_| kind == ServiceKind::ForwardNoAnswer),
        splash: None,
    };
    Some(match kind {
        ServiceKind::ForwardAlways => ServiceState::ForwardAlways(common),
        ServiceKind::ForwardBusy => ServiceState::ForwardBusy(common),
        ServiceKind::ForwardNoAnswer => ServiceState::ForwardNoAnswer(common),
        ServiceKind::ForwardNotReachable => ServiceState::ForwardNotReachable(common),
        _ => return None,
    })
}

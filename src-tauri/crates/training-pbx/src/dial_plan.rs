//! What a dialled number means.

use crate::acd::QueueId;
use crate::company::{Behaviour, Company, HuntGroup, Person};

/// Where a call goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Destination {
    /// A service that answers by itself.
    Service(Service),
    /// Always busy.
    Busy,
    /// Rings and never answers; no voicemail.
    NoAnswer,
    /// Rings shortly and declines.
    Declines,
    /// A simulated person.
    Person(Person),
    /// The phones of an account.
    Account(String),
    /// A hunt group.
    Hunt(HuntGroup),
    /// The auto attendant.
    Attendant,
    /// A queue.
    Queue(QueueId),
    /// A line's voicemail; the caller's own, or that of who sends him there, if none is named.
    Voicemail(Option<String>),
    /// Somebody outside.
    Outside(String),
    /// Parks a call against a line; the caller's own if none is named.
    Park(Option<String>),
    /// Takes back the call that is parked against a line, likewise.
    Retrieve(Option<String>),
    /// Takes the call that rings at a line.
    PickUp(String),
    /// Takes the call that the caller has at another of his phones.
    Pull,
    /// The phones of an account, which are asked to answer by themselves.
    Intercom(String),
    /// Sets the caller's do-not-disturb.
    DoNotDisturb(bool),
    /// Sets where all of the caller's calls are forwarded to, or that they are not.
    Forward(Option<String>),
    /// Reports where the caller's last call came from.
    Trace,
    /// Nothing.
    Unknown,
}

/// What a service does once it has answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Service {
    /// Sends back what it hears.
    Echo,
    /// Plays music.
    Music,
    /// Plays the test speech.
    Speech,
    /// Takes a message.
    Voicemail,
}

/// Digits of the shortest number outside.
const OUTSIDE: usize = 9;

/// Finds the destination of `dialled`, the user part of a Request-URI.
pub(crate) fn destination(company: &Company, dialled: &str) -> Destination {
    let dialled: String = dialled.chars().filter(|c| !" -.()/".contains(*c)).collect();
    let numbers = &company.numbers;
    let is = |number: &str| !number.is_empty() && dialled == number;
    if is(&numbers.main) || is(&numbers.hunt_group) || is_main_number(company, &dialled) {
        Destination::Hunt(company.main_group())
    } else if let Some(group) = company.groups.iter().find(|group| is(&group.number)) {
        Destination::Hunt(group.clone())
    } else if company.attendant.as_ref().is_some_and(|menu| is(&menu.number)) {
        Destination::Attendant
    } else if let Some(queue) = company.queue_at(&dialled) {
        Destination::Queue(queue)
    } else if is(&numbers.echo) || dialled == "*43" {
        Destination::Service(Service::Echo)
    } else if is(&numbers.music) {
        Destination::Service(Service::Music)
    } else if is(&numbers.speech) {
        Destination::Service(Service::Speech)
    } else if is(&numbers.voicemail) {
        Destination::Voicemail(None)
    } else if is(&numbers.busy) {
        Destination::Busy
    } else if is(&numbers.no_answer) {
        Destination::NoAnswer
    } else if is(&numbers.declines) {
        Destination::Declines
    } else if company.account(&dialled).is_some() {
        Destination::Account(dialled)
    } else {
        let busy = |person: &Person| person.behaviour == Behaviour::Busy;
        match company.person(&dialled) {
            Some(person) if busy(person) => Destination::Busy,
            Some(person) => Destination::Person(person.clone()),
            None => feature(company, &dialled)
                .or_else(|| outside(&dialled))
                .unwrap_or(Destination::Unknown),
        }
    }
}

/// Feature access codes, as hosted exchanges have them by default.
fn feature(company: &Company, dialled: &str) -> Option<Destination> {
    let (code, rest) = dialled.split_at_checked(3)?;
    let line = Some(rest.to_owned()).filter(|rest| !rest.is_empty());
    let known = |line: &String| company.account(line).is_some() || company.person(line).is_some();
    if !matches!(code, "*72") && line.as_ref().is_some_and(|line| !known(line)) {
        return None;
    }
    match (code, line) {
        ("*55", Some(line)) => Some(Destination::Voicemail(Some(line))),
        ("*86", None) => Some(Destination::Voicemail(None)),
        ("*68", line) => Some(Destination::Park(line)),
        ("*88", line) => Some(Destination::Retrieve(line)),
        ("*11", None) => Some(Destination::Pull),
        ("*97", Some(line)) => Some(Destination::PickUp(line)),
        ("*50", Some(line)) => Some(Destination::Intercom(line)),
        ("*57", None) => Some(Destination::Trace),
        ("*78", None) => Some(Destination::DoNotDisturb(true)),
        ("*79", None) => Some(Destination::DoNotDisturb(false)),
        ("*72", Some(to)) => Some(Destination::Forward(Some(to))),
        ("*73", None) => Some(Destination::Forward(None)),
        _ => None,
    }
}

/// A number outside: international, or national with its leading zero.
fn outside(dialled: &str) -> Option<Destination> {
    let digits = dialled.strip_prefix('+').unwrap_or(dialled);
    let is_number = digits.len() >= OUTSIDE && digits.bytes().all(|b| b.is_ascii_digit());
    let prefixed = dialled.starts_with('+') || dialled.starts_with('0');
    (is_number && prefixed).then(|| Destination::Outside(dialled.to_owned()))
}

/// The main number as people dial it: `+31…`, `0031…`, `0…`.
fn is_main_number(company: &Company, dialled: &str) -> bool {
    let Some(national) = company.main_number.strip_prefix("+31").filter(|n| !n.is_empty()) else {
        return false;
    };
    ["+31", "0031", "31", "0"]
        .iter()
        .any(|prefix| dialled.strip_prefix(prefix).is_some_and(|rest| rest == national))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(dialled: &str) -> Destination {
        destination(&Company::demo(), dialled)
    }

    #[test]
    fn every_number_leads_somewhere() {
        let company = Company::demo();
        let numbers = company.numbers.all().map(str::to_owned);
        let people = company.people().into_iter().map(|person| person.extension);
        for number in numbers.into_iter().chain(people) {
            assert_ne!(of(&number), Destination::Unknown, "{number}");
        }
    }

    #[test]
    fn the_main_number_is_known_in_every_notation() {
        for number in ["100", "+31887654000", "0887654000", "088 765 40 00", "0031-88-7654000"] {
            assert!(matches!(of(number), Destination::Hunt(_)), "{number}");
        }
    }

    #[test]
    fn people_accounts_and_strangers_are_told_apart() {
        assert_eq!(of("101"), Destination::Account("101".into()));
        assert!(matches!(of("201"), Destination::Person(p) if p.name == "Sanne Visser"));
        assert_eq!(of("221"), Destination::Busy);
        assert_eq!(of("*43"), Destination::Service(Service::Echo));
        assert_eq!(of("999"), Destination::Unknown);
        assert_eq!(of(""), Destination::Unknown);
        assert_eq!(of("+31 20 555 0199"), Destination::Outside("+31205550199".into()));
        assert_eq!(of("112"), Destination::Unknown);
    }

    #[test]
    fn feature_codes_name_a_line_that_exists() {
        assert_eq!(of("*68"), Destination::Park(None));
        assert_eq!(of("*88101"), Destination::Retrieve(Some("101".into())));
        assert_eq!(of("*97201"), Destination::PickUp("201".into()));
        assert_eq!(of("*55102"), Destination::Voicemail(Some("102".into())));
        assert_eq!((of("*57"), of("*57101")), (Destination::Trace, Destination::Unknown));
        assert_eq!(of("*72+31612345678"), Destination::Forward(Some("+31612345678".into())));
        for unknown in ["*97", "*97999", "*68999", "*99", "*é", "*7"] {
            assert_eq!(of(unknown), Destination::Unknown, "{unknown}");
        }
    }
}

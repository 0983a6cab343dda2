//! What a dialled number means.

use crate::company::{Behaviour, Company, Person};

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
    /// These accounts and people, one after the other.
    Hunt(Vec<String>),
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

/// Finds the destination of `dialled`, the user part of a Request-URI.
pub(crate) fn destination(company: &Company, dialled: &str) -> Destination {
    let dialled: String = dialled.chars().filter(|c| !" -.()/".contains(*c)).collect();
    let numbers = &company.numbers;
    let is = |number: &str| !number.is_empty() && dialled == number;
    if is(&numbers.main) || is(&numbers.hunt_group) || is_main_number(company, &dialled) {
        Destination::Hunt(company.hunt.members.clone())
    } else if is(&numbers.echo) || dialled == "*43" {
        Destination::Service(Service::Echo)
    } else if is(&numbers.music) {
        Destination::Service(Service::Music)
    } else if is(&numbers.speech) {
        Destination::Service(Service::Speech)
    } else if is(&numbers.voicemail) {
        Destination::Service(Service::Voicemail)
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
            None => Destination::Unknown,
        }
    }
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
    }
}

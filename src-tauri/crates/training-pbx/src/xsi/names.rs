//! The names by which the web services know people: user ids, groups, numbers as addresses.

use crate::call::Who;
use crate::company::{Company, Person};

/// The country code that numbers of the company have.
pub(crate) const COUNTRY: &str = "31";

/// The company as the web services name it.
#[derive(Debug, Clone)]
pub(crate) struct Names {
    pub(crate) company: Company,
}

impl Names {
    /// `101@lindeboom.example`.
    pub(crate) fn user_id(&self, extension: &str) -> String {
        format!("{extension}@{}", self.company.domain)
    }

    /// The user part of a user id of this company; the domain may be left out.
    pub(crate) fn local<'a>(&self, id: &'a str) -> Option<&'a str> {
        match id.split_once('@') {
            None => Some(id),
            Some((local, domain)) => {
                domain.eq_ignore_ascii_case(&self.company.domain).then_some(local)
            }
        }
    }

    /// The extension of a user id, if there is such a user.
    pub(crate) fn user(&self, id: &str) -> Option<String> {
        let local = self.local(id)?;
        let known = self.company.account(local).is_some() || self.company.person(local).is_some();
        known.then(|| local.to_owned())
    }

    /// The group that everybody is in.
    pub(crate) fn group(&self) -> String {
        self.company.domain.split('.').next().unwrap_or_default().to_owned()
    }

    /// The enterprise that the group belongs to.
    pub(crate) fn enterprise(&self) -> &str {
        &self.company.name
    }

    /// The person with this extension.
    pub(crate) fn person(&self, extension: &str) -> Option<Person> {
        self.company.people().into_iter().find(|person| person.extension == extension)
    }

    /// First and last name; everything after the first word is the last name.
    pub(crate) fn first_and_last(name: &str) -> (&str, &str) {
        name.split_once(' ').unwrap_or((name, ""))
    }

    /// The number of somebody, digits as they are dialled.
    pub(crate) fn number(who: &Who) -> String {
        who.extension.clone().or_else(|| who.uri.user()).unwrap_or_default()
    }
}

/// The number in an address as clients give it: `tel:…`, `sip:…@…`, a user id, or plain digits.
pub(crate) fn dialled(address: &str) -> Option<String> {
    let address = address.trim();
    let lower = address.to_ascii_lowercase();
    let schemes = ["tel:", "sip:", "sips:"];
    let scheme = schemes.iter().find(|scheme| lower.starts_with(*scheme));
    let rest = address.get(scheme.map_or(0, |scheme| scheme.len())..).unwrap_or_default();
    let number = rest.split(['@', ';', '?']).next().unwrap_or_default();
    let number: String = number.chars().filter(|c| !" -.()".contains(*c)).collect();
    let ok = |c: char| c.is_ascii_digit() || "+*#".contains(c);
    let digits = number.chars().filter(char::is_ascii_digit).count();
    let fits = number.len() <= 64 && number.chars().all(ok) && (digits > 0 || number.contains('*'));
    fits.then_some(number)
}

/// A number as an address: `tel:+31…`, `tel:201`.
pub(crate) fn tel(number: &str) -> String {
    format!("tel:{number}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_in_every_form() {
        for (address, number) in [
            ("tel:+31 20-123", "+3120123"),
            ("TEL:201", "201"),
            ("sip:201@x.example;user=phone", "201"),
            ("201@x.example", "201"),
            ("*97201", "*97201"),
            ("+31201234567;ext=201", "+31201234567"),
        ] {
            assert_eq!(dialled(address).as_deref(), Some(number), "{address}");
        }
        for wrong in ["", "tel:", "jan", "sip:@x", "+", &"1".repeat(65)] {
            assert_eq!(dialled(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn user_ids_carry_the_domain() {
        let names = Names { company: Company::demo() };
        assert_eq!(names.user("101@Lindeboom.example").as_deref(), Some("101"));
        assert_eq!(names.user("101").as_deref(), Some("101"));
        assert_eq!((names.user("101@other.example"), names.user("999")), (None, None));
        assert_eq!(Names::first_and_last("Nynke de Jong"), ("Nynke", "de Jong"));
    }
}

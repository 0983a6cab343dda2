//! The records of Graph as contacts. A value of the wrong kind is none; the rest of the record is kept.

use std::fmt::Write as _;

use contacts::import::{Contact, Label, Numbered};
use serde_json::Value;
use sha2::{Digest, Sha256};

/// Longest value, characters.
const TEXT: usize = 1_000;
/// Most numbers of one contact.
const NUMBERS: usize = 20;

/// What kind of record it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `contact`: of a folder.
    Contact,
    /// `user`: somebody of the organisation.
    User,
    /// `person`: whom one works with.
    Person,
}

impl Kind {
    /// The members that are asked for.
    pub(crate) fn members(self) -> &'static str {
        match self {
            Kind::Contact => {
                "displayName,givenName,surname,fileAs,companyName,department,jobTitle,emailAddresses,\
                 businessPhones,homePhones,mobilePhone,personalNotes"
            }
            Kind::User => {
                "displayName,givenName,surname,companyName,department,jobTitle,mail,businessPhones,mobilePhone,\
                 faxNumber,accountEnabled"
            }
            Kind::Person => {
                "displayName,givenName,surname,companyName,department,jobTitle,scoredEmailAddresses,phones,personType"
            }
        }
    }
}

/// One line of text, not too long.
fn text(item: &Value, name: &str) -> String {
    line(item.get(name).and_then(Value::as_str).unwrap_or_default())
}

fn line(text: &str) -> String {
    contacts::tidy(text, TEXT)
}

fn list<'a>(item: &'a Value, name: &str) -> impl Iterator<Item = &'a Value> {
    item.get(name).and_then(Value::as_array).into_iter().flatten()
}

/// Who a record is; none: nobody that can be shown.
pub(crate) fn contact(kind: Kind, item: &Value) -> Option<Contact> {
    if item.get("accountEnabled") == Some(&Value::Bool(false)) {
        return None;
    }
    let class = item.get("personType").and_then(|kind| kind.get("class")).and_then(Value::as_str);
    if class.is_some_and(|class| !class.eq_ignore_ascii_case("Person")) {
        return None;
    }
    let whole = [text(item, "givenName"), text(item, "surname")].join(" ").trim().to_owned();
    let company = text(item, "companyName");
    let names = [text(item, "displayName"), whole, text(item, "fileAs"), company.clone()];
    let name = names.into_iter().find(|name| !name.is_empty())?;
    Some(Contact {
        uid: String::new(),
        name,
        company,
        department: text(item, "department"),
        job_title: text(item, "jobTitle"),
        email: email(kind, item),
        remark: text(item, "personalNotes"),
        numbers: numbers(kind, item),
    })
}

fn email(kind: Kind, item: &Value) -> String {
    let first =
        |name| list(item, name).map(|one| text(one, "address")).find(|text| !text.is_empty());
    match kind {
        Kind::Contact => first("emailAddresses").unwrap_or_default(),
        Kind::User => text(item, "mail"),
        Kind::Person => first("scoredEmailAddresses").unwrap_or_default(),
    }
}

fn numbers(kind: Kind, item: &Value) -> Vec<Numbered> {
    let all = |name, label| {
        list(item, name).filter_map(Value::as_str).map(move |number| (label, line(number)))
    };
    let one = |name, label| std::iter::once((label, text(item, name)));
    let found: Vec<(Label, String)> = match kind {
        Kind::Contact | Kind::User => all("businessPhones", Label::Work)
            .chain(one("mobilePhone", Label::Mobile))
            .chain(all("homePhones", Label::Home))
            .chain(one("faxNumber", Label::Fax))
            .collect(),
        Kind::Person => list(item, "phones")
            .map(|phone| (label(&text(phone, "type")), text(phone, "number")))
            .collect(),
    };
    let found =
        found.into_iter().filter(|(_, number)| number.chars().any(|char| char.is_ascii_digit()));
    found.take(NUMBERS).map(|(label, number)| Numbered { label, number }).collect()
}

/// The kinds of `phone` of Graph.
fn label(word: &str) -> Label {
    match word.to_ascii_lowercase().as_str() {
        "business" => Label::Work,
        "mobile" => Label::Mobile,
        "home" => Label::Home,
        "assistant" => Label::Assistant,
        "pager" => Label::Pager,
        "homefax" | "businessfax" | "otherfax" => Label::Fax,
        _ => Label::Other,
    }
}

/// A mark that is another when anything of a contact is another.
pub(crate) fn mark(contact: Option<&Contact>) -> String {
    let Some(contact) = contact else { return "-".to_owned() };
    let mut hash = Sha256::new();
    let Contact { uid: _, name, company, department, job_title, email, remark, numbers } = contact;
    let texts = [name, company, department, job_title, email, remark];
    let numbers = numbers.iter().flat_map(|number| [number.label.as_str(), &number.number]);
    for text in texts.into_iter().map(String::as_str).chain(numbers) {
        hash.update(text.as_bytes());
        // No text holds it: where one ends and the next begins counts.
        hash.update([0]);
    }
    let mut mark = String::new();
    for byte in hash.finalize().iter().take(8) {
        // Writing to a string does not fail.
        let _ = write!(mark, "{byte:02x}");
    }
    mark
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn number(label: Label, number: &str) -> Numbered {
        Numbered { label, number: number.to_owned() }
    }

    #[test]
    fn records_of_each_kind_are_contacts() {
        let of_folder = contact(
            Kind::Contact,
            &json!({"displayName": "Zoë de Wit", "companyName": "Café Zilver", "department": "Inkoop",
                "jobTitle": "Inkoper", "emailAddresses": [{"name": "Zoë", "address": "zoe@zilver.example"}],
                "businessPhones": ["030 231 88 00"], "mobilePhone": "+31 6 12345678", "homePhones": [],
                "personalNotes": "belt\r\nmaandag"}),
        )
        .unwrap();
        assert_eq!(
            of_folder.numbers,
            [number(Label::Work, "030 231 88 00"), number(Label::Mobile, "+31 6 12345678")]
        );
        assert_eq!(
            (of_folder.email.as_str(), of_folder.remark.as_str()),
            ("zoe@zilver.example", "belt maandag")
        );
        let user = contact(
            Kind::User,
            &json!({"displayName": null, "givenName": "Piet", "surname": "Bakker", "mail": "p@x.nl",
                "businessPhones": ["101"], "faxNumber": "102", "accountEnabled": true}),
        )
        .unwrap();
        assert_eq!((user.name.as_str(), user.email.as_str()), ("Piet Bakker", "p@x.nl"));
        assert_eq!(user.numbers, [number(Label::Work, "101"), number(Label::Fax, "102")]);
        let person = contact(
            Kind::Person,
            &json!({"displayName": "Els", "phones": [{"type": "business", "number": "103"}, {"type": "otherFax", "number": "104"}],
                "scoredEmailAddresses": [{"address": "els@x.nl", "relevanceScore": 3.0}], "personType": {"class": "Person"}}),
        )
        .unwrap();
        assert_eq!((person.email.as_str(), person.numbers[1].label), ("els@x.nl", Label::Fax));
    }

    #[test]
    fn nobody_and_nonsense_are_nobody() {
        for (kind, item) in [
            (Kind::User, json!({"displayName": "Oud", "accountEnabled": false})),
            (Kind::Person, json!({"displayName": "Iedereen", "personType": {"class": "Group"}})),
            (Kind::Contact, json!({"displayName": "  ", "businessPhones": ["1"]})),
            (Kind::Contact, json!([1, 2])),
            (Kind::Contact, json!("x")),
        ] {
            assert_eq!(contact(kind, &item), None, "{item}");
        }
        let odd = contact(
            Kind::Contact,
            &json!({"displayName": "\u{202e}Jan\u{0}\n", "businessPhones": "101", "mobilePhone": 5, "homePhones": [null, {}, "geen", "020 1"],
                "emailAddresses": {"address": "x"}, "department": ["a"]}),
        )
        .unwrap();
        assert_eq!(
            (odd.name.as_str(), odd.department.as_str(), odd.email.as_str()),
            ("Jan", "", "")
        );
        assert_eq!(odd.numbers, [number(Label::Home, "020 1")]);
        let many = contact(
            Kind::User,
            &json!({"displayName": "x".repeat(5000), "businessPhones": vec!["1"; 500]}),
        )
        .unwrap();
        assert_eq!((many.name.len(), many.numbers.len()), (TEXT, NUMBERS));
    }

    #[test]
    fn a_mark_changes_with_the_contact_and_with_nothing_else() {
        let jan = Contact { name: "Jan".into(), company: "A".into(), ..Contact::default() };
        let same = mark(Some(&jan));
        assert_eq!(same, mark(Some(&Contact { uid: "u".into(), ..jan.clone() })));
        assert_eq!(same.len(), 16);
        for other in [
            Contact { name: "JanA".into(), company: String::new(), ..jan.clone() },
            Contact { numbers: vec![number(Label::Work, "1")], ..jan },
        ] {
            assert_ne!(same, mark(Some(&other)));
        }
        assert_eq!(mark(None), "-");
    }
}

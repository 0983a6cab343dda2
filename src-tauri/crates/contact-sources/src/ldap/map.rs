//! What an entry of a directory says, as a contact. Names of attributes have no case.

use std::collections::HashMap;

use contacts::NumberKey;
use contacts::import::{Contact, Label, Numbered};
use ldap3::SearchEntry;

use super::DirectoryField::{self, Company, Department, Email, JobTitle, Name, Number, Remark};
use crate::{SourceError, limits};

/// Where the usual directories keep what (RFC 4519, RFC 2798, and the schema of Active Directory).
const USUAL: &[(DirectoryField, &[&str])] = &[
    (Name, &["displayName", "cn"]),
    (Company, &["company", "o"]),
    (Department, &["department", "ou"]),
    (JobTitle, &["title"]),
    (Email, &["mail"]),
    (Remark, &["info", "description"]),
    (Number(Label::Work), &["telephoneNumber", "otherTelephone", "ipPhone"]),
    (Number(Label::Mobile), &["mobile", "otherMobile"]),
    (Number(Label::Home), &["homePhone"]),
    (Number(Label::Fax), &["facsimileTelephoneNumber"]),
    (Number(Label::Pager), &["pager"]),
];

/// What tells one entry from all others for as long as it exists, the best first.
const IDS: [&str; 2] = ["entryuuid", "objectguid"];
/// What tells that an entry has changed.
const MARKS: [&str; 2] = ["usnchanged", "modifytimestamp"];
/// Longest value, characters.
const LONGEST: usize = 1_000;

/// Which attributes are read as what.
#[derive(Debug, Clone)]
pub(crate) struct Map(Vec<(DirectoryField, Vec<String>)>);

impl Map {
    /// The usual, but for the fields that `chosen` names.
    pub(crate) fn new(chosen: &[(DirectoryField, Vec<String>)]) -> Result<Map, SourceError> {
        let good = |name: &String| {
            let rest = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | ';');
            !name.is_empty() && name.len() <= 64 && name.chars().all(rest)
        };
        if !chosen.iter().all(|(_, names)| names.len() <= limits::VALUES && names.iter().all(good))
        {
            return Err(SourceError::BadSetting("attributes"));
        }
        let usual =
            USUAL.iter().filter(|(field, _)| !chosen.iter().any(|(other, _)| other == field));
        let usual = usual
            .map(|(field, names)| (*field, names.iter().map(|name| (*name).to_owned()).collect()));
        Ok(Map(chosen.iter().cloned().chain(usual).collect()))
    }

    /// Everything that is to be asked for.
    pub(crate) fn attributes(&self) -> Vec<String> {
        let of_map = self.0.iter().flat_map(|(_, names)| names.iter().cloned());
        of_map.chain(IDS.iter().chain(&MARKS).map(|name| (*name).to_owned())).collect()
    }

    /// The contact of an entry; none without a name.
    pub(crate) fn contact(&self, entry: &Entry) -> Option<Contact> {
        let mut contact = Contact::default();
        for (field, names) in &self.0 {
            let mut values = names.iter().flat_map(|name| entry.texts(name));
            let place = match field {
                Name => &mut contact.name,
                Company => &mut contact.company,
                Department => &mut contact.department,
                JobTitle => &mut contact.job_title,
                Email => &mut contact.email,
                Remark => &mut contact.remark,
                Number(label) => {
                    for number in values {
                        add_number(&mut contact.numbers, *label, number);
                    }
                    continue;
                }
            };
            *place = values.next().unwrap_or_default();
        }
        if contact.name.is_empty() {
            contact.name.clone_from(&contact.company);
        }
        Some(contact).filter(|contact| !contact.name.is_empty())
    }
}

fn add_number(numbers: &mut Vec<Numbered>, label: Label, number: String) {
    let Some(key) = NumberKey::of(&number) else { return };
    let known = |other: &Numbered| NumberKey::of(&other.number).as_ref() == Some(&key);
    if numbers.len() < limits::VALUES && !numbers.iter().any(known) {
        numbers.push(Numbered { label, number });
    }
}

/// The attributes that ids and marks are made of.
pub(crate) fn id_attributes() -> Vec<String> {
    IDS.iter().map(|name| (*name).to_owned()).collect()
}

/// An entry with the names of its attributes in small letters.
#[derive(Debug, Clone, Default)]
pub(crate) struct Entry {
    dn: String,
    texts: HashMap<String, Vec<String>>,
    bytes: HashMap<String, Vec<Vec<u8>>>,
}

impl Entry {
    pub(crate) fn new(entry: SearchEntry) -> Entry {
        let small = |name: String| name.to_ascii_lowercase();
        Entry {
            dn: entry.dn,
            texts: entry.attrs.into_iter().map(|(name, values)| (small(name), values)).collect(),
            bytes: entry
                .bin_attrs
                .into_iter()
                .map(|(name, values)| (small(name), values))
                .collect(),
        }
    }

    /// Values as they are kept: one line, not too long, empty ones left out.
    fn texts(&self, name: &str) -> Vec<String> {
        let values = self.texts.get(&name.to_ascii_lowercase()).into_iter().flatten();
        let tidy = values.take(limits::VALUES).map(|value| contacts::tidy(value, LONGEST));
        tidy.filter(|value| !value.is_empty()).collect()
    }

    /// The first value, as it is.
    pub(crate) fn first(&self, name: &str) -> Option<&str> {
        self.texts.get(name)?.first().map(String::as_str)
    }

    /// All values, as they are.
    pub(crate) fn all(&self, name: &str) -> &[String] {
        self.texts.get(name).map(Vec::as_slice).unwrap_or_default()
    }

    /// What it is called: the server's own id, or else where it is.
    pub(crate) fn id(&self) -> String {
        for name in IDS {
            if let Some(text) =
                self.first(name).filter(|text| name == "entryuuid" && !text.is_empty())
            {
                return text.to_ascii_lowercase();
            }
            // Sixteen bytes in no order that matters here; as text where they happen to be one.
            let text = self.first(name).map(|text| text.as_bytes().to_vec());
            let bytes = self.bytes.get(name).and_then(|values| values.first().cloned()).or(text);
            if let Some(bytes) = bytes.filter(|bytes| !bytes.is_empty() && bytes.len() <= 64) {
                return bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            }
        }
        self.dn.to_lowercase()
    }
}

#[cfg(test)]
pub(crate) fn entry(dn: &str, attributes: &[(&str, &str)]) -> Entry {
    let mut attrs: HashMap<String, Vec<String>> = HashMap::new();
    for (name, value) in attributes {
        attrs.entry((*name).to_owned()).or_default().push((*value).to_owned());
    }
    Entry::new(SearchEntry { dn: dn.to_owned(), attrs, bin_attrs: HashMap::new() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_becomes_a_contact_by_the_usual_attributes() {
        let jan = entry(
            "cn=Jan,dc=x",
            &[
                ("DisplayName", "Jan  de\nWit"),
                ("cn", "jan"),
                ("company", "Zilver"),
                ("telephoneNumber", "030 231 88 00"),
                ("otherTelephone", "+31 30 2318800"),
                ("ipPhone", "201"),
                ("mobile", "geen"),
                ("entryUUID", "AB-1"),
            ],
        );
        let map = Map::new(&[]).unwrap();
        let contact = map.contact(&jan).unwrap();
        assert_eq!((contact.name.as_str(), contact.company.as_str()), ("Jan de Wit", "Zilver"));
        let numbers: Vec<&str> = contact.numbers.iter().map(|one| one.number.as_str()).collect();
        assert_eq!(numbers, ["030 231 88 00", "201"], "one number once, and no words");
        assert_eq!(jan.id(), "ab-1");
        assert!(map.contact(&entry("cn=x", &[("mail", "a@b")])).is_none(), "no name");
        assert_eq!(entry("CN=X", &[]).id(), "cn=x");
    }

    #[test]
    fn what_is_chosen_takes_the_place_of_the_usual() {
        let chosen = [(Number(Label::Work), vec!["extensionAttribute1".to_owned()])];
        let map = Map::new(&chosen).unwrap();
        let one = entry(
            "cn=x",
            &[("cn", "X"), ("telephoneNumber", "101"), ("ExtensionAttribute1", "202")],
        );
        let contact = map.contact(&one).unwrap();
        assert_eq!(contact.numbers.len(), 1);
        assert_eq!(contact.numbers[0].number, "202");
        assert!(map.attributes().contains(&"extensionAttribute1".to_owned()));
        for bad in ["", "a b", "a)(b=*"] {
            let chosen = [(Name, vec![bad.to_owned()])];
            assert!(Map::new(&chosen).is_err(), "{bad}");
        }
    }

    #[test]
    fn an_id_of_bytes_is_written_out() {
        let mut one = Entry::default();
        one.bytes.insert("objectguid".into(), vec![vec![0x00, 0xff, 0x10]]);
        assert_eq!(one.id(), "00ff10");
    }
}

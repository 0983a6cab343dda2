//! Who is the same person in several lists, and what is told of him then: which list's word counts for each field.
//!
//! Two are the same when they are called the same (accents and case aside) and share a number or an e-mail address: a name
//! alone is two people, and so is the number of a company. A person's own decision goes before that, in both ways.

use std::collections::{HashMap, HashSet};

use crate::NumberKey;
use crate::fold::fold;
use crate::import::Contact;

/// Most entries that are taken for one person; more is a list that is broken.
const MOST: usize = 32;

/// Looks for the same person among many.
#[derive(Debug, Default)]
pub struct Sameness {
    /// Who is where; ids only grow.
    ids: Vec<u64>,
    /// Who was met first with a name and a number, or a name and an address.
    seen: HashMap<u64, u32>,
    /// Of which group each is: the place of its first member.
    group: Vec<u32>,
    /// Groups of more than one.
    members: HashMap<u32, Vec<u32>>,
    /// Who was said to be two people, by id.
    apart: HashSet<(u64, u64)>,
}

impl Sameness {
    /// Begins with who was said to be two people, by id.
    pub fn new(apart: impl IntoIterator<Item = (u64, u64)>) -> Sameness {
        let pairs = apart.into_iter().map(|(one, other)| (one.min(other), one.max(other)));
        Sameness { apart: pairs.collect(), ..Sameness::default() }
    }

    /// Enters the next one; ids grow from one to the next.
    pub fn push(&mut self, id: u64, name: &str, email: &str, numbers: &[NumberKey]) {
        let Ok(here) = u32::try_from(self.group.len()) else { return };
        self.group.push(here);
        self.ids.push(id);
        let name = fold(name.trim());
        if name.is_empty() {
            return;
        }
        let email = Some(email.trim().to_lowercase()).filter(|email| email.contains('@'));
        // Nobody is told apart by an extension: every company has a 101.
        let numbers = numbers.iter().map(NumberKey::as_str).filter(|key| key.starts_with('+'));
        for mark in numbers.chain(email.as_deref()) {
            match self.seen.entry(hash(&name, mark)) {
                std::collections::hash_map::Entry::Occupied(first) => {
                    let first = *first.get();
                    self.join(first, here);
                }
                std::collections::hash_map::Entry::Vacant(free) => {
                    free.insert(here);
                }
            }
        }
    }

    /// Somebody has said that these are the same, by id. Said when everybody has been entered.
    pub fn together(&mut self, one: u64, other: u64) {
        let place = |id: u64| u32::try_from(self.ids.binary_search(&id).ok()?).ok();
        if let (Some(one), Some(other)) = (place(one), place(other)) {
            self.join(one, other);
        }
    }

    fn is_apart(&self, one: u32, other: u32) -> bool {
        let id = |place: u32| self.ids.get(place as usize).copied().unwrap_or_default();
        let (one, other) = (id(one), id(other));
        self.apart.contains(&(one.min(other), one.max(other)))
    }

    fn join(&mut self, one: u32, other: u32) {
        let of = |place: u32| self.group.get(place as usize).copied();
        let (Some(one), Some(other)) = (of(one), of(other)) else { return };
        if one == other {
            return;
        }
        let (first, second) = ordered(one, other);
        let list = |place: u32| self.members.get(&place).cloned().unwrap_or_else(|| vec![place]);
        let (mut all, joining) = (list(first), list(second));
        let forbidden =
            all.iter().any(|one| joining.iter().any(|other| self.is_apart(*one, *other)));
        if forbidden || all.len() + joining.len() > MOST {
            return;
        }
        for place in &joining {
            if let Some(group) = self.group.get_mut(*place as usize) {
                *group = first;
            }
        }
        all.extend(joining);
        all.sort_unstable();
        self.members.remove(&second);
        self.members.insert(first, all);
    }

    /// Everybody who is there more than once: the places of each.
    pub fn groups(self) -> Vec<Vec<usize>> {
        let mut groups: Vec<Vec<usize>> = self
            .members
            .into_values()
            .map(|places| places.into_iter().map(|place| place as usize).collect())
            .collect();
        groups.sort_unstable();
        groups
    }
}

fn ordered(one: u32, other: u32) -> (u32, u32) {
    (one.min(other), one.max(other))
}

/// FNV-1a over both, so that many are never held as texts. Of a million marks two are the same once in 40 million lists.
fn hash(name: &str, mark: &str) -> u64 {
    let bytes = name.bytes().chain([0]).chain(mark.bytes());
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// What somebody is told of by, of several entries.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Merged {
    /// What is told. Its `uid` is empty.
    pub contact: Contact,
    /// The entry each field came from, by place: name, company, department, function, e-mail address, remark. None: nobody
    /// tells it.
    pub from: [Option<usize>; 6],
    /// The entry each number came from.
    pub numbers_from: Vec<usize>,
}

/// Puts the entries of one person together: the first that tells a field counts, numbers are told once each.
pub fn merge(entries: &[Contact]) -> Merged {
    let mut merged = Merged::default();
    for (place, entry) in entries.iter().enumerate() {
        let Contact { uid: _, name, company, department, job_title, email, remark, numbers } =
            entry;
        let told = [name, company, department, job_title, email, remark];
        let contact = &mut merged.contact;
        let into = [
            &mut contact.name,
            &mut contact.company,
            &mut contact.department,
            &mut contact.job_title,
            &mut contact.email,
            &mut contact.remark,
        ];
        for ((text, into), from) in told.into_iter().zip(into).zip(&mut merged.from) {
            if from.is_none() && !text.trim().is_empty() {
                text.clone_into(into);
                *from = Some(place);
            }
        }
        for number in numbers {
            let same = |known: &crate::import::Numbered| {
                known.number == number.number || crate::same_number(&known.number, &number.number)
            };
            if !contact.numbers.iter().any(same) {
                contact.numbers.push(number.clone());
                merged.numbers_from.push(place);
            }
        }
    }
    merged
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::{Label, Numbered};

    fn keys(numbers: &[&str]) -> Vec<NumberKey> {
        numbers.iter().filter_map(|number| NumberKey::of(number)).collect()
    }

    fn groups(
        people: &[(&str, &str, &[&str])],
        apart: &[(u64, u64)],
        together: &[(u64, u64)],
    ) -> Vec<Vec<usize>> {
        let mut sameness = Sameness::new(apart.iter().copied());
        for (id, (name, email, numbers)) in (0..).zip(people) {
            sameness.push(id, name, email, &keys(numbers));
        }
        for (one, other) in together {
            sameness.together(*one, *other);
        }
        sameness.groups()
    }

    #[test]
    fn a_name_and_a_number_or_an_address_make_the_same_person() {
        let people: &[(&str, &str, &[&str])] = &[
            ("Zoë de Wit", "", &["06 12345678"]),
            ("ZOE DE WIT", "zoe@zilver.nl", &["+31612345678"]),
            ("Zoe de Wit", "Zoe@Zilver.nl", &["030 2318800"]),
            // The same number and another name: two people at one desk.
            ("Piet Bakker", "", &["0612345678"]),
            // The same name and nothing else.
            ("Zoë de Wit", "", &["0201234567"]),
            ("Zoë de Wit", "", &[]),
            // The same extension: another company.
            ("Jan", "", &["101"]),
            ("Jan", "", &["101"]),
            ("", "a@b.nl", &["0612345678"]),
            ("", "a@b.nl", &["0612345678"]),
        ];
        assert_eq!(groups(people, &[], &[]), [vec![0, 1, 2]]);
        // What a person says counts, in both ways, and against what would follow.
        assert_eq!(groups(people, &[(2, 0)], &[]), [vec![0, 1]]);
        assert_eq!(groups(people, &[(0, 1), (0, 2)], &[(4, 5)]), [vec![1, 2], vec![4, 5]]);
        assert_eq!(groups(people, &[(0, 1), (0, 2), (1, 2)], &[]), Vec::<Vec<usize>>::new());
        assert_eq!(groups(people, &[], &[(3, 0), (77, 0), (5, 5)]), [vec![0, 1, 2, 3]]);
    }

    #[test]
    fn a_broken_list_does_not_become_one_person() {
        let people: Vec<(&str, &str, &[&str])> = vec![("Balie", "info@zilver.nl", &[]); 1000];
        let groups = groups(&people, &[], &[]);
        assert!(groups.iter().all(|group| group.len() <= MOST), "{}", groups.len());
    }

    #[test]
    fn the_first_that_tells_a_field_counts() {
        let number = |label, number: &str| Numbered { label, number: number.into() };
        let first = Contact {
            uid: "u".into(),
            name: "Zoë".into(),
            company: " ".into(),
            numbers: vec![number(Label::Mobile, "06 12345678")],
            ..Contact::default()
        };
        let second = Contact {
            name: "Z. de Wit".into(),
            company: "Zilver".into(),
            email: "zoe@zilver.nl".into(),
            numbers: vec![number(Label::Work, "+31 6 1234 5678"), number(Label::Work, "101")],
            ..Contact::default()
        };
        let merged = merge(&[first.clone(), second.clone()]);
        assert_eq!(
            (merged.contact.name.as_str(), merged.contact.company.as_str()),
            ("Zoë", "Zilver")
        );
        assert_eq!(merged.from, [Some(0), Some(1), None, None, Some(1), None]);
        assert_eq!(
            merged.contact.numbers,
            [number(Label::Mobile, "06 12345678"), number(Label::Work, "101")]
        );
        assert_eq!(merged.numbers_from, [0, 1]);
        // Another order, another winner.
        let other = merge(&[second, first]);
        assert_eq!(
            (other.contact.name.as_str(), other.contact.numbers[0].label),
            ("Z. de Wit", Label::Work)
        );
        assert_eq!(merge(&[]), Merged::default());
    }
}

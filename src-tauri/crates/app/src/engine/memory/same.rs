//! Who is in several lists: found when the lists are read, shown as one, and told apart or put together as a person says.

use std::collections::HashMap;

use contacts::import::{Contact, Label, Numbered};
use contacts::{NumberKey, Sameness};
use store::{Person, Source, StoreError, Tables};

use super::super::Reply;
use super::super::desk::Desk;
use super::people::{People, no_entry};
use super::{refused, words};
use crate::code::Code;
use crate::control::{Answer, ErrorReply};
use crate::view::people::{ContactPart, ContactView, ImportField};

/// Under which name it is kept whose word counts.
const ORDER: &str = "contacts.source_order";
/// Most entries that are put together at once.
const MOST: usize = 32;

/// Groups of entries that are one person, by where they are in the roll.
#[derive(Default)]
pub(super) struct Same {
    /// Where the group of an entry is.
    of: HashMap<usize, usize>,
    /// The groups, whoever counts first.
    groups: Vec<Vec<usize>>,
}

/// The same while the lists are read.
pub(super) struct Finding {
    sameness: Sameness,
    together: Vec<(u64, u64)>,
    order: Vec<u64>,
    /// The list of each entry.
    sources: Vec<u64>,
}

impl Same {
    pub(super) fn begin(tables: &Tables<'_>) -> Result<Finding, StoreError> {
        let (together, apart): (Vec<_>, Vec<_>) =
            tables.said_same()?.into_iter().partition(|said| said.together);
        Ok(Finding {
            sameness: Sameness::new(apart.into_iter().map(|said| (said.one, said.other))),
            together: together.into_iter().map(|said| (said.one, said.other)).collect(),
            order: order(tables)?,
            sources: Vec::new(),
        })
    }

    /// The entries of the same person, whoever counts first; empty: there is this one only.
    pub(super) fn group(&self, position: usize) -> &[usize] {
        let group = self.of.get(&position).and_then(|at| self.groups.get(*at));
        group.map_or(&[], Vec::as_slice)
    }

    /// The entry that stands for the person.
    pub(super) fn leader(&self, position: usize) -> usize {
        self.group(position).first().copied().unwrap_or(position)
    }
}

impl Finding {
    pub(super) fn push(&mut self, person: &Person, keys: &[NumberKey]) {
        self.sameness.push(person.id, &person.name, &person.email, keys);
        self.sources.push(person.source);
    }

    pub(super) fn end(mut self) -> Same {
        for (one, other) in self.together {
            self.sameness.together(one, other);
        }
        let source = |position: &usize| self.sources.get(*position).copied().unwrap_or_default();
        let mut groups = self.sameness.groups();
        for group in &mut groups {
            group.sort_by_key(|position| (rank(&self.order, source(position)), *position));
        }
        let of = groups.iter().enumerate();
        let of = of.flat_map(|(at, group)| group.iter().map(move |position| (*position, at)));
        Same { of: of.collect(), groups }
    }
}

/// Whose word counts, as it was chosen.
fn order(tables: &Tables<'_>) -> Result<Vec<u64>, StoreError> {
    let kept = tables.preference(ORDER)?.unwrap_or_default();
    Ok(serde_json::from_str(&kept).unwrap_or_default())
}

/// The place of a list in that order; who was not chosen comes after, oldest first.
fn rank(order: &[u64], source: u64) -> (usize, u64) {
    (order.iter().position(|id| *id == source).unwrap_or(usize::MAX), source)
}

/// Lists in the order in which they count.
pub(super) fn sorted(tables: &Tables<'_>) -> Result<Vec<Source>, StoreError> {
    let order = order(tables)?;
    let mut sources = tables.sources()?;
    // Whom an exchange knows is a colleague and no contact of a list.
    sources.retain(|source| source.source.kind != store::EXCHANGE);
    sources.sort_by_key(|source| rank(&order, source.id));
    Ok(sources)
}

fn as_contact(person: &Person) -> Contact {
    let label = |word: &str| LABELS.iter().find(|(label, _)| label.as_str() == word);
    let number = |number: &store::PersonNumber| Numbered {
        label: label(&number.label).map_or(Label::Other, |(label, _)| *label),
        number: number.number.clone(),
    };
    Contact {
        uid: String::new(),
        name: person.name.clone(),
        company: person.company.clone(),
        department: person.department.clone(),
        job_title: person.job_title.clone(),
        email: person.email.clone(),
        remark: person.remark.clone(),
        numbers: person.numbers.iter().map(number).collect(),
    }
}

const LABELS: [(Label, ImportField); 8] = [
    (Label::Work, ImportField::Work),
    (Label::Mobile, ImportField::Mobile),
    (Label::Home, ImportField::Home),
    (Label::Main, ImportField::Main),
    (Label::Assistant, ImportField::Assistant),
    (Label::Fax, ImportField::Fax),
    (Label::Pager, ImportField::Pager),
    (Label::Other, ImportField::Other),
];

const FIELDS: [ImportField; 6] = [
    ImportField::Name,
    ImportField::Company,
    ImportField::Department,
    ImportField::JobTitle,
    ImportField::Email,
    ImportField::Remark,
];

/// One person of several entries, and what each of them gives. None: there is nobody.
fn put_together(people: &[Person], sources: &[Source]) -> Option<ContactView> {
    let (first, rest) = people.split_first()?;
    if rest.is_empty() {
        return Some(words::contact(first));
    }
    let entries: Vec<Contact> = people.iter().map(as_contact).collect();
    let merged = contacts::merge(&entries);
    let mut parts: Vec<ContactPart> = people
        .iter()
        .map(|person| ContactPart {
            contact: person.id,
            source: person.source,
            source_name: sources
                .iter()
                .find(|source| source.id == person.source)
                .map(|source| source.source.name.clone())
                .unwrap_or_default(),
            name: person.name.clone(),
            gives: Vec::new(),
        })
        .collect();
    let fields =
        FIELDS.into_iter().zip(merged.from).filter_map(|(field, from)| Some((field, from?)));
    let numbers = merged.contact.numbers.iter().zip(&merged.numbers_from);
    let numbers = numbers.filter_map(|(number, from)| {
        let (_, field) = LABELS.iter().find(|(label, _)| *label == number.label)?;
        Some((*field, *from))
    });
    for (field, from) in fields.chain(numbers) {
        if let Some(part) = parts.get_mut(from)
            && !part.gives.contains(&field)
        {
            part.gives.push(field);
        }
    }
    let whole = Person { id: first.id, source: first.source, ..words::person(0, merged.contact) };
    let favourite = people.iter().any(|person| person.favourite);
    Some(ContactView { parts, ..words::contact(&Person { favourite, ..whole }) })
}

// --- commands ---

impl Desk {
    pub(super) fn contact(&mut self, id: u64, reply: Reply) {
        let ids = self.entries_of(id);
        let read = move |tables: &Tables<'_>| {
            let people = ids.iter().filter_map(|id| tables.person(*id).transpose());
            Ok((people.collect::<Result<Vec<_>, _>>()?, tables.sources()?))
        };
        self.remembering(read, move |_, _, found| {
            reply(match found {
                Ok((people, sources)) => match put_together(&people, &sources) {
                    Some(view) => Ok(Answer::Contact(Box::new(view))),
                    None => Err(no_entry()),
                },
                Err(error) => Err(refused(&error)),
            });
        });
    }

    /// Changes who is the same, and reads everybody again. False of the work: there is nobody to change.
    fn regroup(
        &mut self,
        work: impl FnOnce(&Tables<'_>) -> Result<bool, StoreError> + Send + 'static,
        reply: Reply,
        then: impl FnOnce(&mut Desk, Reply) + Send + 'static,
    ) {
        let change = move |tables: &Tables<'_>| match work(tables)? {
            true => Ok(Some(People::read(tables)?)),
            false => Ok(None),
        };
        self.remembering(change, move |desk, _, result| match result {
            Ok(Some(people)) => {
                desk.take_people(people);
                then(desk, reply);
            }
            Ok(None) => reply(Err(no_entry())),
            Err(error) => reply(Err(refused(&error))),
        });
    }

    pub(super) fn merge(&mut self, contacts: &[u64], reply: Reply) {
        let mut all: Vec<u64> = contacts.iter().flat_map(|id| self.entries_of(*id)).collect();
        all.sort_unstable();
        all.dedup();
        if all.len() < 2 || all.len() > MOST {
            let message = format!("two to {MOST} contacts are put together");
            return reply(Err(ErrorReply::new(Code::BadValue, message)));
        }
        let first = contacts.first().copied().unwrap_or_default();
        let say = move |tables: &Tables<'_>| {
            for id in &all {
                if tables.person(*id)?.is_none() {
                    return Ok(false);
                }
            }
            tables.say_same(&all, true)?;
            Ok(true)
        };
        self.regroup(say, reply, move |desk, reply| desk.contact(first, reply));
    }

    pub(super) fn split(&mut self, contact: u64, reply: Reply) {
        let mut others = self.entries_of(contact);
        others.retain(|id| *id != contact);
        if others.is_empty() {
            return reply(Err(no_entry()));
        }
        let say = move |tables: &Tables<'_>| {
            tables.say_apart(contact, &others)?;
            Ok(true)
        };
        self.regroup(say, reply, |_, reply| reply(Ok(Answer::done())));
    }

    pub(super) fn order_sources(&mut self, order: Vec<u64>, reply: Reply) {
        let keep = move |tables: &Tables<'_>| {
            let known = tables.sources()?;
            let mut wanted: Vec<u64> = Vec::new();
            for id in order {
                if known.iter().any(|source| source.id == id) && !wanted.contains(&id) {
                    wanted.push(id);
                }
            }
            // Ids have one form.
            tables.set_preference(ORDER, &serde_json::to_string(&wanted).unwrap_or_default())?;
            Ok(true)
        };
        self.regroup(keep, reply, |_, reply| reply(Ok(Answer::done())));
    }
}

#[cfg(test)]
mod tests {
    use store::{NewSource, PersonNumber};

    use super::*;

    fn person(id: u64, source: u64, name: &str, email: &str, numbers: &[(&str, &str)]) -> Person {
        let number = |(label, number): &(&str, &str)| PersonNumber {
            label: (*label).into(),
            number: (*number).into(),
        };
        let numbers = numbers.iter().map(number).collect();
        Person { id, source, name: name.into(), email: email.into(), numbers, ..Person::default() }
    }

    fn source(id: u64, name: &str) -> Source {
        let source = NewSource { kind: "csv".into(), name: name.into(), synced_ms: 1 };
        Source { id, source, people: 1 }
    }

    #[test]
    fn it_is_told_which_list_gave_what() {
        let people = [
            person(7, 2, "Zoë de Wit", "", &[("mobile", "06 12345678")]),
            person(
                3,
                1,
                "Zoe de Wit",
                "zoe@zilver.nl",
                &[("work", "+31612345678"), ("work", "101")],
            ),
        ];
        let sources = [source(1, "Gids"), source(2, "Zaak")];
        let view = put_together(&people, &sources).unwrap();
        assert_eq!(
            (view.id, view.name.as_str(), view.email.as_str()),
            (7, "Zoë de Wit", "zoe@zilver.nl")
        );
        let numbers: Vec<&str> = view.numbers.iter().map(|number| number.number.as_str()).collect();
        assert_eq!(numbers, ["06 12345678", "101"]);
        let [zaak, gids] = view.parts.as_slice() else { panic!("{view:?}") };
        assert_eq!((zaak.contact, zaak.source_name.as_str()), (7, "Zaak"));
        assert_eq!(zaak.gives, [ImportField::Name, ImportField::Mobile]);
        assert_eq!(gids.gives, [ImportField::Email, ImportField::Work]);
        assert!(put_together(&people[..1], &sources).unwrap().parts.is_empty());
        assert!(put_together(&[], &sources).is_none());
    }

    #[test]
    fn the_chosen_order_decides_who_stands_for_the_person() {
        let find = |order: &[u64]| {
            let mut finding = Finding {
                sameness: Sameness::default(),
                together: vec![(1, 3)],
                order: order.to_vec(),
                sources: Vec::new(),
            };
            for (id, source) in [(1, 10), (2, 20), (3, 30)] {
                finding.push(&person(id, source, "Jan", "", &[]), &[]);
            }
            finding.end()
        };
        let same = find(&[]);
        assert_eq!((same.group(2), same.leader(2), same.leader(1)), (&[0, 2][..], 0, 1));
        assert!(same.group(1).is_empty());
        assert_eq!(find(&[30]).group(0), [2, 0]);
        assert_eq!(find(&[20, 99]).leader(2), 0);
    }
}

//! Everybody in the lists of contacts: as little of each as a search shows, in one text.
//!
//! A hundred thousand people with ten texts each would be a million allocations; here they are two. Everything else
//! that is kept of somebody is read from the database when it is asked for.

use store::Person;

/// Between the texts of somebody.
const END: char = '\n';
/// Between what a number is for and the number.
const AND: char = '\t';

/// Who is where in the text.
struct Place {
    id: u64,
    start: u32,
    favourite: bool,
}

/// Everybody, in the order of their ids.
#[derive(Default)]
pub(super) struct Roll {
    text: String,
    places: Vec<Place>,
}

/// What is shown of somebody.
pub(super) struct Entry<'a> {
    pub(super) id: u64,
    pub(super) name: &'a str,
    pub(super) company: &'a str,
    pub(super) department: &'a str,
    /// What each number is for, and the number.
    pub(super) numbers: Vec<(&'a str, &'a str)>,
}

impl Roll {
    /// Enters somebody; ids only grow. False for whoever no longer fits (four gigabytes of text).
    pub(super) fn push(&mut self, person: &Person) -> bool {
        let Ok(start) = u32::try_from(self.text.len()) else { return false };
        self.write(&person.name);
        for text in [&person.company, &person.department] {
            self.text.push(END);
            self.write(text);
        }
        for number in &person.numbers {
            self.text.push(END);
            self.write(&number.label);
            self.text.push(AND);
            self.write(&number.number);
        }
        self.places.push(Place { id: person.id, start, favourite: person.favourite });
        true
    }

    /// Gives back what was taken to grow.
    pub(super) fn shrink(&mut self) {
        self.text.shrink_to_fit();
        self.places.shrink_to_fit();
    }

    /// Bytes of memory that it takes.
    pub(super) fn bytes(&self) -> usize {
        self.text.capacity() + self.places.capacity() * size_of::<Place>()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.places.len()
    }

    pub(super) fn entry(&self, position: usize) -> Option<Entry<'_>> {
        let place = self.places.get(position)?;
        let end = self.places.get(position + 1).map_or(self.text.len(), |next| next.start as usize);
        let mut texts = self.text.get(place.start as usize..end)?.split(END);
        Some(Entry {
            id: place.id,
            name: texts.next()?,
            company: texts.next()?,
            department: texts.next()?,
            numbers: texts.filter_map(|number| number.split_once(AND)).collect(),
        })
    }

    pub(super) fn is_favourite(&self, position: usize) -> bool {
        self.places.get(position).is_some_and(|place| place.favourite)
    }

    /// Where somebody is.
    pub(super) fn position(&self, id: u64) -> Option<usize> {
        self.places.binary_search_by_key(&id, |place| place.id).ok()
    }

    /// Makes somebody a favourite, or no longer.
    pub(super) fn favour(&mut self, id: u64, on: bool) {
        if let Some(place) = self.position(id).and_then(|at| self.places.get_mut(at)) {
            place.favourite = on;
        }
    }

    /// A text without what stands between texts.
    fn write(&mut self, text: &str) {
        self.text.extend(text.chars().map(|char| if char.is_control() { ' ' } else { char }));
    }
}

#[cfg(test)]
mod tests {
    use store::PersonNumber;

    use super::*;

    #[test]
    fn everybody_is_read_as_entered_and_no_text_runs_into_the_next() {
        let number =
            |label: &str, number: &str| PersonNumber { label: label.into(), number: number.into() };
        let mut roll = Roll::default();
        let numbers = vec![number("work", "030 231 88 00"), number("fax", "101")];
        let jan = Person {
            id: 3,
            name: "Jan\nde\tWit".into(),
            company: "Zilver".into(),
            numbers,
            ..Person::default()
        };
        assert!(roll.push(&jan));
        assert!(roll.push(&Person { id: 8, name: "Zoë".into(), ..Person::default() }));
        roll.shrink();
        let entry = roll.entry(0).unwrap();
        assert_eq!((entry.id, entry.name, entry.company), (3, "Jan de Wit", "Zilver"));
        assert_eq!(entry.numbers, [("work", "030 231 88 00"), ("fax", "101")]);
        let last = roll.entry(1).unwrap();
        assert_eq!((last.name, last.department, last.numbers.len()), ("Zoë", "", 0));
        assert!(roll.entry(2).is_none());
        roll.favour(8, true);
        roll.favour(9, true);
        assert_eq!((roll.is_favourite(0), roll.is_favourite(1)), (false, true));
    }
}

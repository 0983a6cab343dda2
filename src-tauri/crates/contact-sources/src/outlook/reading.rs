//! What is asked of Outlook by the names of its object model, and what comes of it. Items that are no contacts are passed by; of a
//! contact that has not changed nothing but its name and its mark is asked for.

use std::collections::HashSet;

use contacts::import::{Contact, Label, Numbered};

use super::{Argument, Automation, Told};
use crate::{Excess, Known, Progress, Record, SourceError, Synced, Tested, limits};

/// `olFolderContacts`.
const CONTACTS: i32 = 10;
/// `olContact`.
const CONTACT: i64 = 40;
/// Contacts that trying out shows.
const SAMPLES: usize = 3;
/// Members that hold numbers, the most useful first.
const NUMBERS: [(&str, Label); 11] = [
    ("BusinessTelephoneNumber", Label::Work),
    ("Business2TelephoneNumber", Label::Work),
    ("MobileTelephoneNumber", Label::Mobile),
    ("CompanyMainTelephoneNumber", Label::Main),
    ("PrimaryTelephoneNumber", Label::Main),
    ("HomeTelephoneNumber", Label::Home),
    ("Home2TelephoneNumber", Label::Home),
    ("AssistantTelephoneNumber", Label::Assistant),
    ("OtherTelephoneNumber", Label::Other),
    ("CarTelephoneNumber", Label::Other),
    ("PagerNumber", Label::Pager),
];

/// Tries it out: names of some contacts.
pub(super) fn test<A: Automation>(outlook: &mut A) -> Result<Tested, SourceError> {
    let folder = contacts_folder(outlook)?;
    let mut names = vec![text(outlook, &folder, "Name")?];
    let mut walk = Walk { outlook, left: vec![(folder, 0)] };
    walk.each(|outlook, item| {
        names.extend(contact(outlook, item)?.map(|contact| contact.name));
        Ok(names.len() <= SAMPLES)
    })?;
    Ok(Tested { names, takes_contacts: false })
}

/// Reads what is another one than what is known. `first`: nothing was read before.
pub(super) fn read<A: Automation>(
    outlook: &mut A,
    first: bool,
    known: &Known,
    tell: &dyn Fn(Progress),
) -> Result<Synced, SourceError> {
    let folder = contacts_folder(outlook)?;
    let (mut seen, mut put) = (HashSet::new(), Vec::new());
    let mut walk = Walk { outlook, left: vec![(folder, 0)] };
    walk.each(|outlook, item| {
        let id = text(outlook, item, "EntryID")?;
        let tag = match outlook.ask(item, "LastModificationTime", &[])? {
            Told::Time(time) => format!("{time}"),
            _ => String::new(),
        };
        if id.is_empty() || !seen.insert(id.clone()) {
            return Ok(true);
        }
        if seen.len() > limits::RECORDS {
            return Err(SourceError::Excess(Excess::Records));
        }
        if tag.is_empty() || known.get(&id) != Some(&tag) {
            put.push(Record { contact: contact(outlook, item)?, id, tag });
        }
        tell(Progress { done: seen.len(), of: seen.len() });
        Ok(true)
    })?;
    let mut gone: Vec<String> = known.keys().filter(|id| !seen.contains(*id)).cloned().collect();
    gone.sort_unstable();
    Ok(Synced { full: first, put, gone, cursor: "outlook".to_owned() })
}

/// `Application.GetNamespace("MAPI").GetDefaultFolder(olFolderContacts)`.
fn contacts_folder<A: Automation>(outlook: &mut A) -> Result<A::Object, SourceError> {
    let session = session(outlook)?;
    object(outlook, &session, "GetDefaultFolder", &[Argument::Number(CONTACTS)])
}

/// Where the folders of whoever is signed in to Windows are.
pub(super) fn session<A: Automation>(outlook: &mut A) -> Result<A::Object, SourceError> {
    let application = outlook.application()?;
    object(outlook, &application, "GetNamespace", &[Argument::Text("MAPI")])
}

/// All contacts of a folder and of those below it.
struct Walk<'a, A: Automation> {
    outlook: &'a mut A,
    left: Vec<(A::Object, usize)>,
}

impl<A: Automation> Walk<'_, A> {
    /// Until `take` wants no more.
    fn each(
        &mut self,
        mut take: impl FnMut(&mut A, &A::Object) -> Result<bool, SourceError>,
    ) -> Result<(), SourceError> {
        let mut folders = 0;
        while let Some((folder, depth)) = self.left.pop() {
            folders += 1;
            if folders > limits::BOOKS {
                return Err(SourceError::Excess(Excess::Books));
            }
            let items = object(self.outlook, &folder, "Items", &[])?;
            for at in 1..=count(self.outlook, &items)? {
                let item = object(self.outlook, &items, "Item", &[Argument::Number(at)])?;
                let class = self.outlook.ask(&item, "Class", &[])?;
                if matches!(class, Told::Number(CONTACT)) && !take(self.outlook, &item)? {
                    return Ok(());
                }
            }
            if depth >= limits::DEPTH {
                continue;
            }
            let below = object(self.outlook, &folder, "Folders", &[])?;
            for at in 1..=count(self.outlook, &below)? {
                let folder = object(self.outlook, &below, "Item", &[Argument::Number(at)])?;
                self.left.push((folder, depth + 1));
            }
        }
        Ok(())
    }
}

/// The contact; none: it has no name.
fn contact<A: Automation>(
    outlook: &mut A,
    item: &A::Object,
) -> Result<Option<Contact>, SourceError> {
    let mut get = |member: &str| text(outlook, item, member);
    let company = get("CompanyName")?;
    let full = get("FullName")?;
    let name = if full.is_empty() { company.clone() } else { full };
    let mut numbers: Vec<Numbered> = Vec::new();
    for (member, label) in NUMBERS {
        let number = get(member)?;
        if !number.is_empty() && numbers.iter().all(|known| known.number != number) {
            numbers.push(Numbered { label, number });
        }
    }
    // Of people of the same Exchange this is their place in its directory.
    let email = Some(get("Email1Address")?).filter(|email| email.contains('@'));
    Ok((!name.is_empty()).then_some(Contact {
        uid: String::new(),
        name,
        company,
        department: get("Department")?,
        job_title: get("JobTitle")?,
        email: email.unwrap_or_default(),
        remark: String::new(),
        numbers,
    }))
}

/// A member that is an object.
pub(super) fn object<A: Automation>(
    outlook: &mut A,
    of: &A::Object,
    member: &str,
    arguments: &[Argument<'_>],
) -> Result<A::Object, SourceError> {
    match outlook.ask(of, member, arguments)? {
        Told::Object(object) => Ok(object),
        _ => Err(SourceError::NotASource),
    }
}

fn count<A: Automation>(outlook: &mut A, of: &A::Object) -> Result<i32, SourceError> {
    match outlook.ask(of, "Count", &[])? {
        Told::Number(count) => i32::try_from(count).map_err(|_| SourceError::Malformed),
        _ => Err(SourceError::Malformed),
    }
}

/// A text, cut where it is too long to be one.
fn text<A: Automation>(
    outlook: &mut A,
    of: &A::Object,
    member: &str,
) -> Result<String, SourceError> {
    match outlook.ask(of, member, &[])? {
        Told::Text(text) => Ok(contacts::tidy(&text, limits::TEXT)),
        _ => Ok(String::new()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An Outlook that answers from a script: objects by their paths, members by their names, as its object model has them.
    struct Script {
        items: Vec<(&'static str, Vec<Item>)>,
        asked: usize,
    }

    #[derive(Clone)]
    struct Item {
        class: i64,
        members: Vec<(&'static str, &'static str)>,
        changed: f64,
    }

    fn item(id: &'static str, name: &'static str, changed: f64) -> Item {
        let members = vec![
            ("EntryID", id),
            ("FullName", name),
            ("CompanyName", "Bakkerij Zilver"),
            ("MobileTelephoneNumber", " 06 12345678 "),
            ("CarTelephoneNumber", "06 12345678"),
            ("BusinessTelephoneNumber", "030 7654321"),
            ("Email1Address", "/o=ExchangeLabs/cn=jan"),
        ];
        Item { class: CONTACT, members, changed }
    }

    impl Automation for Script {
        type Object = Vec<String>;

        fn application(&mut self) -> Result<Self::Object, SourceError> {
            Ok(vec!["app".to_owned()])
        }

        fn ask(
            &mut self,
            of: &Self::Object,
            member: &str,
            arguments: &[Argument<'_>],
        ) -> Result<Told<Self::Object>, SourceError> {
            self.asked += 1;
            let down = |part: String| Ok(Told::Object([of.clone(), vec![part]].concat()));
            let folder = |at: &str| at.parse::<usize>().ok().and_then(|at| self.items.get(at));
            let count = |n: usize| Ok(Told::Number(i64::try_from(n).unwrap_or(0)));
            let path: Vec<&str> = of.iter().map(String::as_str).collect();
            match (path.as_slice(), member, arguments) {
                (["app"], "GetNamespace", [Argument::Text("MAPI")]) => down("mapi".into()),
                (["app", "mapi"], "GetDefaultFolder", [Argument::Number(10)]) => {
                    Ok(Told::Object(vec!["0".into()]))
                }
                ([at], "Name", []) => {
                    Ok(Told::Text(folder(at).ok_or(SourceError::Broken)?.0.to_owned()))
                }
                ([_], "Items" | "Folders", []) => down(member.to_owned()),
                ([at, "Items"], "Count", []) => count(folder(at).map_or(0, |(_, all)| all.len())),
                ([at, "Folders"], "Count", []) => {
                    count(if *at == "0" { self.items.len() - 1 } else { 0 })
                }
                (["0", "Folders"], "Item", [Argument::Number(n)]) => {
                    Ok(Told::Object(vec![n.to_string()]))
                }
                ([_, "Items"], "Item", [Argument::Number(n)]) => down((n - 1).to_string()),
                ([at, "Items", n], member, []) => {
                    let all = &folder(at).ok_or(SourceError::Broken)?.1;
                    let item = n.parse::<usize>().ok().and_then(|n| all.get(n));
                    let item = item.ok_or(SourceError::Broken)?;
                    let text = item.members.iter().find(|(name, _)| *name == member);
                    Ok(match (member, text) {
                        ("Class", _) => Told::Number(item.class),
                        ("LastModificationTime", _) => Told::Time(item.changed),
                        (_, Some((_, text))) => Told::Text((*text).to_owned()),
                        _ => Told::Nothing,
                    })
                }
                _ => Err(SourceError::NotASource),
            }
        }

        fn put(&mut self, _: &Vec<String>, _: &str, _: Argument<'_>) -> Result<(), SourceError> {
            Err(SourceError::ReadOnly)
        }
    }

    fn script() -> Script {
        let list = Item { class: 69, ..item("l", "Lijst", 1.0) };
        let nobody = Item { members: vec![("EntryID", "n")], ..item("", "", 1.0) };
        let items = vec![
            ("Contactpersonen", vec![item("a", "Jan\u{202e} de\r\nWit", 46_000.5), list]),
            ("Klanten", vec![item("b", "Café Zilver", 46_001.25), nobody]),
        ];
        Script { items, asked: 0 }
    }

    #[test]
    fn contacts_of_all_folders_are_read_and_then_only_what_has_changed() {
        let mut outlook = script();
        let first = read(&mut outlook, true, &Known::new(), &|_| {}).unwrap();
        let ids: Vec<&str> = first.put.iter().map(|record| record.id.as_str()).collect();
        assert_eq!((ids, first.full), (vec!["a", "b", "n"], true), "a list is no contact");
        let jan = first.put[0].contact.clone().unwrap();
        assert_eq!((jan.name.as_str(), jan.company.as_str()), ("Jan de Wit", "Bakkerij Zilver"));
        let numbers: Vec<(Label, &str)> =
            jan.numbers.iter().map(|one| (one.label, one.number.as_str())).collect();
        assert_eq!(numbers, [(Label::Work, "030 7654321"), (Label::Mobile, "06 12345678")]);
        assert_eq!(jan.email, "", "a place in a directory is no address");
        assert_eq!(first.put[2].contact, None);

        let known: Known =
            first.put.iter().map(|record| (record.id.clone(), record.tag.clone())).collect();
        let asked = outlook.asked;
        let nothing = read(&mut outlook, false, &known, &|_| {}).unwrap();
        assert!(nothing.put.is_empty() && nothing.gone.is_empty() && !nothing.full);
        assert!(outlook.asked - asked < asked, "what has not changed costs less");
        outlook.items[0].1.remove(0);
        outlook.items[1].1[0].changed += 1.0;
        let delta = read(&mut outlook, false, &known, &|_| {}).unwrap();
        assert_eq!((delta.put.len(), delta.gone.as_slice()), (1, &["a".to_owned()][..]));
    }

    #[test]
    fn trying_out_shows_the_folder_and_some_of_its_contacts() {
        let tested = test(&mut script()).unwrap();
        assert_eq!(tested.names, ["Contactpersonen", "Jan de Wit", "Café Zilver"]);
        assert!(!tested.takes_contacts);
    }

    #[test]
    fn an_outlook_that_is_none_ends_in_a_clear_error() {
        let mut empty = Script { items: Vec::new(), asked: 0 };
        assert_eq!(test(&mut empty).unwrap_err(), SourceError::Broken);
        let many = vec![("x", Vec::new()); limits::BOOKS + 2];
        let error = read(&mut Script { items: many, asked: 0 }, true, &Known::new(), &|_| {});
        assert_eq!(error.unwrap_err(), SourceError::Excess(Excess::Books));
    }
}

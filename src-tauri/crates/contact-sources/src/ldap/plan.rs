//! What is asked of a directory, and what comes of the answers. Without a connection.
//!
//! Entries carry the time of their last change (`modifyTimestamp`, RFC 4512 section 3.4.2) or, in Active Directory, a number that
//! grows with every change at one server (`uSNChanged`). Neither tells of what is gone or has come into sight, so all ids are
//! gone through besides; where they show somebody who is not known, everything is read.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use super::map::{Entry, Map};
use crate::{Excess, Known, Record, SourceError, Synced, limits};

/// After so many readings of changes everything is read once: clocks of several servers differ, and numbers are of one
/// server only.
const DELTAS: u32 = 100;
/// People and contacts. What is switched off in Active Directory is nobody's colleague any more.
const PEOPLE: &str = "(|(objectClass=inetOrgPerson)(objectClass=person)(objectClass=contact))";
const AD_PEOPLE: &str = "(&(objectCategory=person)(|(objectClass=user)(objectClass=contact))\
    (!(userAccountControl:1.2.840.113556.1.4.803:=2)))";

/// What a server says of itself in its root entry.
#[derive(Debug, Clone, Default)]
pub(crate) struct Root {
    /// Active Directory, or what does as it does.
    pub(crate) is_ad: bool,
    /// The server's own name, where numbers of changes are its own.
    pub(crate) server: String,
    /// The last change there.
    pub(crate) usn: Option<u64>,
    /// Where its entries begin.
    pub(crate) contexts: Vec<String>,
    /// It gives lists in pages.
    pub(crate) pages: bool,
}

/// The control of RFC 2696.
const PAGES: &str = "1.2.840.113556.1.4.319";

impl Root {
    pub(crate) fn read(entry: &Entry) -> Root {
        let usn = entry.first("highestcommittedusn").and_then(|text| text.parse().ok());
        let mut contexts: Vec<String> = entry.all("defaultnamingcontext").to_vec();
        contexts.extend(entry.all("namingcontexts").iter().cloned());
        Root {
            is_ad: usn.is_some(),
            server: entry.first("dsservicename").unwrap_or_default().to_owned(),
            usn,
            contexts,
            pages: entry.all("supportedcontrol").iter().any(|control| control == PAGES),
        }
    }
}

/// Where the next reading begins.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Cursor {
    #[serde(default)]
    server: String,
    #[serde(default)]
    usn: Option<u64>,
    /// The latest change that was seen.
    #[serde(default)]
    time: Option<String>,
    /// Readings of changes since everything was read.
    #[serde(default)]
    deltas: u32,
    /// What was asked for; another question makes another answer.
    #[serde(default)]
    question: String,
}

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Plan {
    pub(crate) base: String,
    /// Whose ids are gone through.
    pub(crate) everybody: String,
    /// Who has changed; none: everybody is read.
    pub(crate) changed: Option<String>,
    cursor: Cursor,
}

impl Plan {
    pub(crate) fn new(
        base: &str,
        filter: &str,
        map: &Map,
        root: &Root,
        cursor: &str,
    ) -> Result<Plan, SourceError> {
        let base = match base.trim() {
            "" => root.contexts.first().cloned().ok_or(SourceError::NotASource)?,
            base => base.to_owned(),
        };
        let everybody = match (filter.trim(), root.is_ad) {
            ("", true) => AD_PEOPLE.to_owned(),
            ("", false) => PEOPLE.to_owned(),
            (filter, _) if filter.starts_with('(') => filter.to_owned(),
            (filter, _) => format!("({filter})"),
        };
        let before: Cursor = serde_json::from_str(cursor).unwrap_or_default();
        let question = format!("{base}\n{everybody}\n{}", map.attributes().join(","));
        let mark = match (root.usn, before.usn) {
            (Some(_), Some(usn)) if root.server == before.server => {
                Some(format!("(uSNChanged>={})", usn.saturating_add(1)))
            }
            (Some(_), _) => None,
            (None, _) => before.time.as_deref().filter(|time| is_time(time)).map(|time| {
                // Also that moment itself: more may have been written within it.
                format!("(modifyTimestamp>={time})")
            }),
        };
        let goes_on = question == before.question && before.deltas < DELTAS;
        let changed = mark.filter(|_| goes_on).map(|mark| format!("(&{everybody}{mark})"));
        let cursor = Cursor {
            server: root.server.clone(),
            usn: root.usn,
            time: before.time.filter(|_| changed.is_some()),
            deltas: if changed.is_some() { before.deltas + 1 } else { 0 },
            question,
        };
        Ok(Plan { base, everybody, changed, cursor })
    }

    /// The same, reading everybody.
    pub(crate) fn full(mut self) -> Plan {
        self.changed = None;
        self.cursor.time = None;
        self.cursor.deltas = 0;
        self
    }

    /// What comes of the entries that were read, and of the ids of all (none when everybody was read). None: somebody is
    /// there who is not known; everybody must be read.
    pub(crate) fn outcome(
        mut self,
        map: &Map,
        entries: &[Entry],
        ids: Option<HashSet<String>>,
        known: &Known,
    ) -> Result<Option<Synced>, SourceError> {
        let mut put: Vec<Record> = Vec::with_capacity(entries.len());
        let mut seen = HashSet::with_capacity(entries.len());
        for entry in entries {
            let id = entry.id();
            let time = entry.first("modifytimestamp").filter(|time| is_time(time));
            if let Some(time) = time
                && self.cursor.time.as_deref().is_none_or(|latest| latest < time)
            {
                self.cursor.time = Some(time.to_owned());
            }
            let tag = entry.first("usnchanged").or(time).unwrap_or_default().to_owned();
            if seen.insert(id.clone()) {
                put.push(Record { id, tag, contact: map.contact(entry) });
            }
        }
        let full = self.changed.is_none();
        let present = match ids {
            None => seen,
            Some(ids) => {
                if ids.iter().any(|id| !known.contains_key(id) && !seen.contains(id)) {
                    return Ok(None);
                }
                put.retain(|record| ids.contains(&record.id));
                // The moment itself is asked for again each time: what is the same is not told again.
                put.retain(|record| {
                    record.tag.is_empty()
                        || known.get(&record.id) != Some(&record.tag)
                        || is_recent(&record.tag, &self.cursor)
                });
                ids
            }
        };
        if present.len() > limits::RECORDS {
            return Err(SourceError::Excess(Excess::Records));
        }
        let mut gone: Vec<String> =
            known.keys().filter(|id| !present.contains(*id)).cloned().collect();
        gone.sort_unstable();
        let cursor = serde_json::to_string(&self.cursor).unwrap_or_default();
        Ok(Some(Synced { full, put, gone, cursor }))
    }
}

/// Within the last moment an entry may have been changed twice, under one and the same time.
fn is_recent(tag: &str, cursor: &Cursor) -> bool {
    cursor.time.as_deref() == Some(tag)
}

/// Generalized time in the one form that sorts as it reads: `20261126161608Z`.
fn is_time(text: &str) -> bool {
    let digits = text.strip_suffix('Z').unwrap_or_default();
    let digits = digits.strip_suffix(".0").unwrap_or(digits);
    digits.len() == 14 && digits.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::super::map::entry;
    use super::*;

    fn root() -> Root {
        Root { contexts: vec!["dc=x".into()], ..Root::default() }
    }

    fn person(id: &str, time: &str) -> Entry {
        entry(&format!("cn={id}"), &[("cn", id), ("entryUUID", id), ("modifyTimestamp", time)])
    }

    fn known(ids: &[(&str, &str)]) -> Known {
        ids.iter().map(|(id, tag)| ((*id).to_owned(), (*tag).to_owned())).collect()
    }

    fn ids(ids: &[&str]) -> Option<HashSet<String>> {
        Some(ids.iter().map(|id| (*id).to_owned()).collect())
    }

    #[test]
    fn everybody_first_then_who_has_changed_and_who_is_gone() {
        let map = Map::new(&[]).unwrap();
        let first = Plan::new("", "", &map, &root(), "").unwrap();
        assert_eq!((first.base.as_str(), &first.changed), ("dc=x", &None));
        let people = [person("a", "20260101000000Z"), person("b", "20260102000000Z")];
        let synced = first.outcome(&map, &people, None, &known(&[("old", "")])).unwrap().unwrap();
        assert!(synced.full);
        assert_eq!((synced.put.len(), synced.gone.as_slice()), (2, &["old".to_owned()][..]));

        let next = Plan::new("", "", &map, &root(), &synced.cursor).unwrap();
        let changed = next.changed.clone().unwrap();
        assert!(changed.ends_with("(modifyTimestamp>=20260102000000Z))"), "{changed}");
        let known = known(&[("a", "20260101000000Z"), ("b", "20260102000000Z"), ("c", "")]);
        let delta = [person("b", "20260103000000Z")];
        let synced = next.outcome(&map, &delta, ids(&["a", "b"]), &known).unwrap().unwrap();
        assert!(!synced.full);
        assert_eq!((synced.put.len(), synced.gone.as_slice()), (1, &["c".to_owned()][..]));
        let again = Plan::new("", "", &map, &root(), &synced.cursor).unwrap();
        assert!(again.changed.unwrap().contains("20260103000000Z"));
    }

    #[test]
    fn somebody_who_comes_into_sight_has_everybody_read() {
        let map = Map::new(&[]).unwrap();
        let cursor = Plan::new("", "", &map, &root(), "").unwrap();
        let cursor = cursor.outcome(&map, &[person("a", "20260101000000Z")], None, &Known::new());
        let cursor = cursor.unwrap().unwrap().cursor;
        let plan = Plan::new("", "", &map, &root(), &cursor).unwrap();
        let known = known(&[("a", "20260101000000Z")]);
        assert_eq!(plan.clone().outcome(&map, &[], ids(&["a", "z"]), &known).unwrap(), None);
        let full = plan.full();
        assert!(full.changed.is_none());
        let all = [person("a", "20260101000000Z"), person("z", "20200101000000Z")];
        assert_eq!(full.outcome(&map, &all, None, &known).unwrap().unwrap().put.len(), 2);
    }

    #[test]
    fn numbers_of_changes_count_at_their_own_server_only() {
        let map = Map::new(&[]).unwrap();
        let ad = |server: &str, usn| Root {
            is_ad: true,
            server: server.into(),
            usn: Some(usn),
            ..root()
        };
        let first = Plan::new("", "", &map, &ad("one", 10), "").unwrap();
        assert!(first.everybody.contains("userAccountControl"));
        let cursor = first.outcome(&map, &[], None, &Known::new()).unwrap().unwrap().cursor;
        let same = Plan::new("", "", &map, &ad("one", 12), &cursor).unwrap();
        assert!(same.changed.unwrap().ends_with("(uSNChanged>=11))"));
        assert_eq!(Plan::new("", "", &map, &ad("two", 99), &cursor).unwrap().changed, None);
        let asked = Plan::new("", "(cn=*)", &map, &ad("one", 12), &cursor).unwrap();
        assert_eq!(asked.changed, None, "another question");
    }

    #[test]
    fn everything_is_read_again_after_many_changes_and_where_there_are_no_times() {
        let map = Map::new(&[]).unwrap();
        let mut cursor = String::new();
        let mut full = 0;
        for _ in 0..=DELTAS + 1 {
            let plan = Plan::new("", "", &map, &root(), &cursor).unwrap();
            full += u32::from(plan.changed.is_none());
            let entries = [person("a", "20260101000000Z")];
            let ids = plan.changed.is_some().then(|| ids(&["a"]).unwrap());
            cursor =
                plan.outcome(&map, &entries, ids, &known(&[("a", "x")])).unwrap().unwrap().cursor;
        }
        assert_eq!(full, 2);
        let plan = Plan::new("", "", &map, &root(), "").unwrap();
        let nameless = [entry("cn=a", &[("cn", "a"), ("modifyTimestamp", "yesterday)(cn=*")])];
        let cursor = plan.outcome(&map, &nameless, None, &Known::new()).unwrap().unwrap().cursor;
        assert_eq!(Plan::new("", "", &map, &root(), &cursor).unwrap().changed, None);
    }
}

//! Colleagues: whoever is called by an extension of an exchange, with everybody else whom an exchange's directory names.
//!
//! Gathered from what the desk holds: the demo company, the lists of lamps of an exchange, its directory, and the lists of
//! contacts as far as they hold extensions. The first that knows a number says who has it; the others add what it left out.
//!
//! Inputs: an account came or went; a directory, a list of lamps or the lists of contacts changed; time.

use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, Instant};

use contacts::{Index, IndexBuilder, NumberClass, NumberKey, classify};
use pbx::centre::DirectoryEntry;
use sip_types::Uri;

use super::accounts::Account;
use super::codes::own_number;
use super::desk::Desk;
use super::watch::Wanted;
use crate::view::{ColleagueView, HitKind, SearchHit};

/// Most colleagues that are shown. The others of a directory are found by searching.
const SHOWN: usize = 2_000;
/// Most people of directories that are found.
const FOUND: usize = 20_000;
/// A directory comes in many parts: they are gathered no more often than this.
const PACE: Duration = Duration::from_millis(500);
/// Most characters of a name.
const NAME: usize = 200;

/// Who was gathered.
#[derive(Default)]
pub(super) struct Colleagues {
    shown: Vec<ColleagueView>,
    /// Places in `shown` by extension.
    extensions: HashMap<String, Vec<usize>>,
    /// Everybody who is found: those who are shown, in their order, then the others of the directories.
    hits: Vec<SearchHit>,
    index: Index,
    changed: bool,
    last: Option<Instant>,
}

impl Colleagues {
    /// Something that colleagues are gathered from changed.
    pub(super) fn changed(&mut self) {
        self.changed = true;
    }

    /// An account came or went: they are gathered without a wait.
    pub(super) fn accounts_changed(&mut self) {
        (self.changed, self.last) = (true, None);
    }

    /// When they are to be gathered anew.
    pub(super) fn due(&self) -> Option<Instant> {
        self.last.map(|last| last + PACE).filter(|_| self.changed)
    }
}

/// What is gathered; the first word about a number counts.
#[derive(Default)]
struct Gathering {
    shown: Vec<ColleagueView>,
    places: HashMap<(String, String), usize>,
    /// Full numbers by which those who are shown are found, too.
    more: BTreeMap<usize, Vec<String>>,
    others: Vec<(SearchHit, Vec<String>)>,
}

impl Gathering {
    fn add(&mut self, who: ColleagueView, numbers: Vec<String>) {
        let key = (who.account.clone(), who.number.clone());
        let place = match self.places.get(&key) {
            Some(place) => *place,
            None if self.shown.len() < SHOWN => {
                self.places.insert(key, self.shown.len());
                self.shown.push(who.clone());
                self.shown.len() - 1
            }
            None => return self.add_other(HitKind::Colleague, who, numbers),
        };
        if let Some(known) = self.shown.get_mut(place) {
            for (known, told) in [
                (&mut known.name, who.name),
                (&mut known.department, who.department),
                (&mut known.mobile, who.mobile),
            ] {
                if known.is_empty() {
                    *known = told;
                }
            }
        }
        self.more.entry(place).or_default().extend(numbers);
    }

    fn add_other(&mut self, kind: HitKind, who: ColleagueView, mut numbers: Vec<String>) {
        if who.number.is_empty() || self.shown.len() + self.others.len() >= FOUND {
            return;
        }
        let hit = SearchHit { kind, ..hit_of(&who) };
        numbers.extend([who.number, who.mobile]);
        self.others.push((hit, numbers));
    }

    fn done(self) -> Colleagues {
        let Gathering { shown, more, others, .. } = self;
        let mut shown: Vec<(ColleagueView, Vec<String>)> = (0..)
            .zip(shown)
            .map(|(place, who)| (who, more.get(&place).cloned().unwrap_or_default()))
            .collect();
        shown.sort_by_cached_key(|(who, _)| contacts::fold(&who.name));
        let (mut index, mut hits) = (IndexBuilder::default(), Vec::new());
        let mut enter = |hit: SearchHit, numbers: Vec<String>| {
            let mut keys: Vec<NumberKey> =
                numbers.iter().filter_map(|number| NumberKey::of(number)).collect();
            keys.sort_unstable();
            keys.dedup();
            index.push(&hit.name, &hit.detail, &keys);
            hits.push(hit);
        };
        for (who, more) in &shown {
            let numbers = [vec![who.number.clone(), who.mobile.clone()], more.clone()].concat();
            enter(hit_of(who), numbers);
        }
        others.into_iter().for_each(|(hit, numbers)| enter(hit, numbers));
        let shown: Vec<ColleagueView> = shown.into_iter().map(|(who, _)| who).collect();
        let mut extensions: HashMap<String, Vec<usize>> = HashMap::new();
        for (place, who) in shown.iter().enumerate() {
            extensions.entry(who.number.clone()).or_default().push(place);
        }
        let index = index.build();
        Colleagues { shown, extensions, hits, index, changed: false, last: None }
    }
}

fn hit_of(who: &ColleagueView) -> SearchHit {
    SearchHit {
        kind: HitKind::Colleague,
        name: who.name.clone(),
        target: who.number.clone(),
        detail: who.department.clone(),
        contact: None,
        account: Some(who.account.clone()),
    }
}

// --- gathering ---

impl Desk {
    /// Gathers colleagues anew when something has changed and it is time.
    pub(super) fn gather_colleagues(&mut self, now: Instant) {
        let known = &self.colleagues;
        if !known.changed || known.due().is_some_and(|due| now < due) {
            return;
        }
        let mut gathering = Gathering::default();
        for account in &self.accounts {
            match (&self.demo, account.demo) {
                (Some(demo), true) => {
                    demo.colleagues.iter().for_each(|who| gathering.add(who.clone(), Vec::new()));
                }
                (None, true) => {}
                (_, false) => {
                    self.gather_lists(account, &mut gathering);
                    self.gather_directory(account, &mut gathering);
                }
            }
        }
        self.gather_contacts(&mut gathering);
        let before = std::mem::take(&mut self.colleagues.shown);
        self.colleagues = Colleagues { last: Some(now), ..gathering.done() };
        if before != self.colleagues.shown {
            self.publisher.changed();
        }
    }

    /// Those whose lamps a list of the exchange brings.
    fn gather_lists(&self, account: &Account, gathering: &mut Gathering) {
        let own = own_number(account);
        for (uri, name) in self.watches.listed(&account.settings.id) {
            let Some(uri) = Uri::parse(uri).ok() else { continue };
            let Some(number) = uri.user().filter(|user| Some(user) != own.as_ref()) else {
                continue;
            };
            if self.is_of_the_exchange(account, &uri, &number) {
                continue;
            }
            let name = if name.is_empty() { number.clone() } else { name.to_owned() };
            let named = ColleagueView { name, number, ..self.nobody(account) };
            gathering.add(ColleagueView { watch: false, ..named }, Vec::new());
        }
    }

    /// A lamp that is nobody's: a place to park at, a queue, what a code does.
    fn is_of_the_exchange(&self, account: &Account, uri: &Uri, number: &str) -> bool {
        let queue = self.centres.get(&account.settings.id).is_some_and(|running| {
            running.centre.queues().any(|state| state.queue.number == number)
        });
        queue
            || Desk::is_parking_lot(account, uri)
            || Desk::lamp_beside(account, number).is_some()
            || classify(number, false) == NumberClass::FeatureCode
    }

    fn gather_directory(&self, account: &Account, gathering: &mut Gathering) {
        let Some(running) = self.centres.get(&account.settings.id) else { return };
        let own = own_number(account).unwrap_or_default();
        let me = running.centre.me();
        for entry in running.centre.directory() {
            let DirectoryEntry { extension, number, .. } = entry;
            let dialled = if extension.is_empty() { number } else { extension };
            let who = ColleagueView {
                name: name_of(entry),
                number: dialled.clone(),
                department: entry.department.clone(),
                mobile: entry.mobile.clone(),
                ..self.nobody(account)
            };
            let numbers = vec![number.clone()];
            if entry.user.as_ref().is_some_and(|user| Some(user) == me) || *dialled == own {
                continue;
            }
            match entry {
                // A queue, a menu, a group: called, and nobody's line.
                DirectoryEntry { is_virtual: true, .. } => {
                    gathering.add_other(HitKind::Colleague, who, numbers);
                }
                DirectoryEntry { extension, .. } if !extension.is_empty() => {
                    gathering.add(who, numbers);
                }
                DirectoryEntry { user: Some(_), .. } => {
                    gathering.add_other(HitKind::Colleague, who, numbers);
                }
                _ => gathering.add_other(HitKind::Contact, who, numbers),
            }
        }
    }

    /// Extensions in the lists of contacts are of the exchange that is called with.
    fn gather_contacts(&self, gathering: &mut Gathering) {
        let Ok(account) = self.calling_account() else { return };
        if account.demo {
            return;
        }
        let own = own_number(account).unwrap_or_default();
        for inside in self.inside_contacts().filter(|inside| inside.number != own) {
            let who = ColleagueView {
                name: inside.name.clone(),
                number: inside.number.clone(),
                department: inside.department.clone(),
                mobile: inside.mobile.clone(),
                ..self.nobody(account)
            };
            gathering.add(who, Vec::new());
        }
    }

    /// Somebody of whom only the account is known.
    fn nobody(&self, account: &Account) -> ColleagueView {
        ColleagueView {
            name: String::new(),
            number: String::new(),
            department: String::new(),
            mobile: String::new(),
            account: account.settings.id.clone(),
            // BroadWorks tells of lines by the list of the user, and not of each by itself.
            watch: account.settings.xsi.is_none(),
        }
    }

    /// Watches the list of lamps that the settings name, or else the one that the exchange told.
    pub(super) fn watch_own_list(&mut self, now: Instant, id: &str) {
        let Some(account) = self.account(id).filter(|account| !account.demo) else { return };
        let told = self.centres.get(id).and_then(|running| running.centre.line_list());
        let list = match account.settings.blf_list.trim() {
            "" => told.map(str::to_owned),
            list => Some(list.to_owned()),
        };
        let Some(list) = list else { return };
        let wanted = Wanted { uris: &[], list: Some(&list), package: None, account: Some(id) };
        if let Err(error) = self.watch_lines(now, wanted) {
            tracing::warn!(account = id, message = %error.message, "the list of lamps is no address");
        }
    }
}

pub(super) fn name_of(entry: &DirectoryEntry) -> String {
    let name = contacts::tidy(&format!("{} {}", entry.first_name, entry.last_name), NAME);
    match &*name {
        "" if entry.extension.is_empty() => entry.number.clone(),
        "" => entry.extension.clone(),
        name => name.to_owned(),
    }
}

// --- finding ---

impl Desk {
    /// Colleagues of all exchanges that tell them, by name.
    pub(super) fn colleagues(&self) -> impl Iterator<Item = &ColleagueView> {
        self.colleagues.shown.iter()
    }

    /// Colleagues with that extension: two companies may both have one.
    pub(super) fn colleagues_at(&self, extension: &str) -> impl Iterator<Item = &ColleagueView> {
        let places = self.colleagues.extensions.get(extension).into_iter().flatten();
        places.filter_map(|place| self.colleagues.shown.get(*place))
    }

    /// Whether an exchange is known to have this number itself.
    pub(super) fn is_extension(&self, number: &str) -> bool {
        self.colleagues.extensions.contains_key(number)
    }

    /// Those who fit, with the cost of the match.
    pub(super) fn search_colleagues(&self, text: &str, limit: usize) -> Vec<(u32, SearchHit)> {
        let Colleagues { hits, index, .. } = &self.colleagues;
        let found = index.matches(text, limit).into_iter();
        found.filter_map(|found| Some((found.cost, hits.get(found.position)?.clone()))).collect()
    }

    /// Everybody of the exchanges with this number, in any notation.
    pub(super) fn lookup_colleagues(&self, number: &str) -> impl Iterator<Item = &SearchHit> {
        let found = self.colleagues.index.lookup(number).into_iter();
        found.filter_map(|at| self.colleagues.hits.get(at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn who(name: &str, number: &str, mobile: &str) -> ColleagueView {
        ColleagueView {
            name: name.into(),
            number: number.into(),
            department: String::new(),
            mobile: mobile.into(),
            account: "main".into(),
            watch: true,
        }
    }

    #[test]
    fn the_first_word_counts_and_later_ones_add_what_was_left_out() {
        let mut gathering = Gathering::default();
        gathering.add(who("Zoë", "102", ""), vec!["0302318802".into()]);
        gathering.add(who("Zoe de Wit", "102", "0612345678"), Vec::new());
        gathering.add(who("Anna", "101", ""), Vec::new());
        gathering.add_other(HitKind::Colleague, who("Receptie", "200", ""), Vec::new());
        let all = gathering.done();
        let names: Vec<&str> = all.shown.iter().map(|one| one.name.as_str()).collect();
        assert_eq!(names, ["Anna", "Zoë"]);
        assert_eq!(all.shown[1].mobile, "0612345678");
        let by = |number: &str| -> Vec<&str> {
            all.index.lookup(number).into_iter().map(|at| all.hits[at].name.as_str()).collect()
        };
        assert_eq!(by("+31 30 231 88 02"), ["Zoë"]);
        assert_eq!(by("06-12345678"), ["Zoë"]);
        assert_eq!(by("200"), ["Receptie"]);
    }

    #[test]
    fn a_huge_directory_is_found_and_not_all_shown() {
        let mut gathering = Gathering::default();
        for number in 0..FOUND + 10 {
            gathering.add(who("Iemand", &format!("{number:05}"), ""), Vec::new());
        }
        let all = gathering.done();
        assert_eq!((all.shown.len(), all.hits.len()), (SHOWN, FOUND));
    }
}

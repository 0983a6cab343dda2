//! Readings against a server of paper: its books are in memory, and it refuses, cuts and lies as told.

use std::collections::BTreeMap;

use super::*;

/// A server with one home, and what it cannot do.
#[derive(Default, Clone)]
struct Paper {
    /// Path of the card, mark, card.
    cards: BTreeMap<String, (String, String)>,
    books: Vec<&'static str>,
    token: u32,
    /// What has changed since each token; none: the token is refused.
    changes: BTreeMap<u32, Vec<String>>,
    no_changes: bool,
    no_multiget: bool,
    /// Most members of one list of changes.
    cut: Option<usize>,
    lost_in_multiget: Option<&'static str>,
    asked: Vec<(String, String)>,
}

const REPORTS: &str = "<supported-report-set><supported-report><report><sync-collection/></report></supported-report></supported-report-set>";

fn card(name: &str) -> String {
    format!("BEGIN:VCARD\r\nVERSION:3.0\r\nFN:{name}\r\nTEL:101\r\nEND:VCARD\r\n")
}

impl Paper {
    fn of(names: &[&str]) -> Paper {
        let cards =
            names.iter().map(|name| (format!("/h/b/{name}.vcf"), ("1".to_owned(), card(name))));
        Paper { cards: cards.collect(), books: vec!["/h/b/"], token: 1, ..Paper::default() }
    }

    fn change(&mut self, name: &str, card_of: Option<&str>) {
        let path = format!("/h/b/{name}.vcf");
        for changed in self.changes.values_mut() {
            changed.push(path.clone());
        }
        self.changes.entry(self.token).or_insert_with(|| vec![path.clone()]);
        self.token += 1;
        match card_of {
            Some(text) => {
                self.cards.insert(path, (format!("{}", self.token), card(text)));
            }
            None => {
                self.cards.remove(&path);
            }
        }
    }

    fn answer(&mut self, ask: &Ask) -> Answer {
        self.asked.push((ask.method.to_owned(), ask.url.path().to_owned()));
        let body = &ask.body;
        if ask.method == "GET" {
            let found = self.cards.get(ask.url.path());
            return found.map_or_else(
                || status(404),
                |(tag, card)| Answer {
                    status: 200,
                    etag: Some(tag.clone()),
                    body: card.clone().into_bytes(),
                    ..Answer::default()
                },
            );
        }
        if body.contains("sync-collection ") {
            return self.listed(ask);
        }
        if body.contains("addressbook-multiget") {
            return self.multiget(ask);
        }
        if body.contains("displayname") {
            let books = self.books.iter().map(|path| {
                let marks = match (body.contains("getctag"), self.no_changes) {
                    (false, false) => REPORTS.to_owned(),
                    (false, true) => String::new(),
                    (true, true) => format!("<S:getctag>c{}</S:getctag>", self.token),
                    (true, false) => {
                        format!("<sync-token>t{}</sync-token>{REPORTS}", self.token)
                    }
                };
                found(
                    path,
                    &format!("<resourcetype><collection/><C:addressbook/></resourcetype>{marks}"),
                )
            });
            return several(&books.collect::<String>());
        }
        let members = self.cards.iter().filter(|(path, _)| path.starts_with(ask.url.path()));
        let own = found(ask.url.path(), "<resourcetype><collection/></resourcetype>");
        let members =
            members.map(|(path, (tag, _))| found(path, &format!("<getetag>{tag}</getetag>")));
        several(&(own + &members.collect::<String>()))
    }

    fn listed(&mut self, ask: &Ask) -> Answer {
        if self.no_changes {
            return status(403);
        }
        let token = between(&ask.body, "<D:sync-token>", "</D:sync-token>");
        let (since, offset) = token.split_once('-').unwrap_or((token, "0"));
        let offset: usize = offset.parse().unwrap_or(0);
        let all: Vec<String> = if since.is_empty() || since == "all" {
            self.cards.keys().cloned().collect()
        } else {
            let since: u32 = since.trim_start_matches('t').parse().unwrap();
            match (since == self.token, self.changes.get(&since)) {
                (true, _) => Vec::new(),
                (false, Some(changed)) => changed.clone(),
                (false, None) => return status(403),
            }
        };
        let cut = self.cut.unwrap_or(usize::MAX);
        let mut inside = String::new();
        for path in all.iter().skip(offset).take(cut) {
            inside += &match self.cards.get(path) {
                Some((tag, _)) => found(path, &format!("<getetag>{tag}</getetag>")),
                None => format!(
                    "<response><href>{path}</href><status>HTTP/1.1 404 Not Found</status></response>"
                ),
            };
        }
        let next = match all.len() > offset.saturating_add(cut) {
            true => {
                inside += "<response><href>/h/b/</href><status>HTTP/1.1 507 Insufficient Storage</status></response>";
                let since = if since.is_empty() { "all" } else { since };
                format!("{since}-{}", offset + cut)
            }
            false => format!("t{}", self.token),
        };
        several(&format!("{inside}<sync-token>{next}</sync-token>"))
    }

    fn multiget(&self, ask: &Ask) -> Answer {
        if self.no_multiget {
            return status(501);
        }
        let paths = ask.body.split("<D:href>").skip(1).filter_map(|rest| rest.split('<').next());
        let answers = paths.filter(|path| Some(*path) != self.lost_in_multiget).map(|path| match self.cards.get(path) {
            Some((tag, card)) => {
                found(path, &format!("<getetag>{tag}</getetag><C:address-data>{card}</C:address-data>"))
            }
            None => format!("<response><href>{path}</href><status>HTTP/1.1 404 Not Found</status></response>"),
        });
        several(&answers.collect::<String>())
    }
}

fn between<'a>(text: &'a str, open: &str, close: &str) -> &'a str {
    text.split(open).nth(1).and_then(|rest| rest.split(close).next()).unwrap_or_default()
}

fn status(status: u16) -> Answer {
    Answer { status, ..Answer::default() }
}

fn found(path: &str, props: &str) -> String {
    format!(
        "<response><href>{path}</href><propstat><prop>{props}</prop><status>HTTP/1.1 200 OK</status></propstat></response>"
    )
}

fn several(inside: &str) -> Answer {
    let body = format!(
        "<multistatus xmlns=\"DAV:\" xmlns:C=\"urn:ietf:params:xml:ns:carddav\" \
         xmlns:S=\"http://calendarserver.org/ns/\">{inside}</multistatus>"
    );
    Answer { status: 207, body: body.into_bytes(), ..Answer::default() }
}

/// A cache, as the store keeps it.
#[derive(Default)]
struct Cache {
    known: Known,
    names: BTreeMap<String, String>,
    cursor: String,
}

impl Cache {
    fn sync(&mut self, paper: &mut Paper) -> Result<Synced, SourceError> {
        paper.asked.clear();
        let mut cursor = Cursor::read(&self.cursor);
        cursor.homes = vec!["https://x.nl/h/".to_owned()];
        let mut reading = Reading::new(cursor, &self.known)?;
        let mut step = reading.begin()?;
        let synced = loop {
            match step {
                Step::Ask(ask) => step = reading.answered(Ok(paper.answer(&ask)))?,
                Step::Done(synced) => break synced,
            }
        };
        assert_eq!(reading.progress().done, reading.progress().of);
        for id in &synced.gone {
            self.known.remove(id);
            self.names.remove(id);
        }
        for record in &synced.put {
            self.known.insert(record.id.clone(), record.tag.clone());
            let name = record.contact.as_ref().map(|contact| contact.name.clone());
            self.names.insert(record.id.clone(), name.unwrap_or_default());
        }
        self.cursor.clone_from(&synced.cursor);
        Ok(synced)
    }

    fn is_equal(&self, paper: &Paper) {
        let there: BTreeMap<String, String> = paper
            .cards
            .iter()
            .map(|(path, (_, text))| (path.clone(), between(text, "FN:", "\r").to_owned()))
            .collect();
        assert_eq!(self.names, there);
    }
}

#[test]
fn everything_then_only_what_has_changed_then_nothing() {
    let mut paper = Paper::of(&["jan", "piet", "zoe"]);
    let mut cache = Cache::default();
    let first = cache.sync(&mut paper).unwrap();
    assert!(first.full && first.put.len() == 3);
    cache.is_equal(&paper);
    assert!(cache.sync(&mut paper).unwrap().put.is_empty());
    assert_eq!(paper.asked.len(), 2, "the books, and that nothing has changed: {:?}", paper.asked);
    paper.change("jan", Some("Jan de Wit"));
    paper.change("piet", None);
    paper.change("els", Some("Els"));
    let delta = cache.sync(&mut paper).unwrap();
    assert!(!delta.full);
    assert_eq!((delta.put.len(), delta.gone.len()), (2, 1));
    assert_eq!(paper.asked.len(), 3, "the books, the changes, the cards: {:?}", paper.asked);
    cache.is_equal(&paper);
}

#[test]
fn a_server_that_has_forgotten_how_to_tell_changes_is_compared_by_marks_from_then_on() {
    let mut paper = Paper::of(&["jan", "piet"]);
    let mut cache = Cache::default();
    cache.sync(&mut paper).unwrap();
    paper.no_changes = true;
    paper.change("piet", Some("Piet de Wit"));
    assert_eq!(cache.sync(&mut paper).unwrap().put.len(), 1);
    cache.is_equal(&paper);
    // Its mark is not known yet: that costs one list more.
    assert!(cache.sync(&mut paper).unwrap().put.is_empty());
    assert!(cache.sync(&mut paper).unwrap().put.is_empty());
    assert_eq!(paper.asked.len(), 1, "its mark is the same: {:?}", paper.asked);
    paper.change("jan", None);
    assert_eq!(cache.sync(&mut paper).unwrap().gone.len(), 1);
    cache.is_equal(&paper);
}

#[test]
fn a_token_that_is_refused_costs_a_list_and_only_the_cards_that_differ() {
    let mut paper = Paper::of(&["jan", "piet", "zoe"]);
    let mut cache = Cache::default();
    cache.sync(&mut paper).unwrap();
    paper.change("jan", Some("Jan de Wit"));
    paper.change("zoe", None);
    paper.changes.clear();
    let again = cache.sync(&mut paper).unwrap();
    assert_eq!((again.put.len(), again.gone.len()), (1, 1));
    cache.is_equal(&paper);
}

#[test]
fn a_server_without_changes_is_compared_by_marks() {
    let mut paper = Paper { no_changes: true, ..Paper::of(&["jan", "piet"]) };
    let mut cache = Cache::default();
    cache.sync(&mut paper).unwrap();
    cache.is_equal(&paper);
    cache.sync(&mut paper).unwrap();
    assert_eq!(paper.asked.len(), 1, "its mark is the same");
    paper.change("piet", None);
    paper.change("els", Some("Els"));
    let delta = cache.sync(&mut paper).unwrap();
    assert_eq!((delta.put.len(), delta.gone.len()), (1, 1));
    cache.is_equal(&paper);
}

#[test]
fn lists_in_parts_are_put_together_and_endless_ones_end() {
    let names: Vec<String> = (0..250).map(|n| format!("n{n}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut paper = Paper { cut: Some(40), ..Paper::of(&names) };
    let mut cache = Cache::default();
    assert_eq!(cache.sync(&mut paper).unwrap().put.len(), 250);
    cache.is_equal(&paper);
    let gets = paper.asked.iter().filter(|(method, _)| method == "REPORT").count();
    assert_eq!(gets, 7 + 3, "seven parts of the list, three times a hundred cards");
    // A part that leads to itself.
    let mut reading = Reading::new(
        Cursor { homes: vec!["https://x.nl/h/".into()], ..Cursor::default() },
        &cache.known,
    )
    .unwrap();
    reading.begin().unwrap();
    let home = paper.answer(&words::books(Url::parse("https://x.nl/h/").unwrap(), '1', true));
    reading.answered(Ok(home)).unwrap();
    let same = several(
        "<response><href>/h/b/</href><status>HTTP/1.1 507 x</status></response><sync-token>a</sync-token>",
    );
    reading.answered(Ok(same.clone())).unwrap();
    assert_eq!(reading.answered(Ok(same)).unwrap_err(), SourceError::Excess(Excess::Pages));
}

#[test]
fn cards_that_a_server_gives_only_one_by_one_or_forgets_are_fetched_so() {
    let mut paper = Paper { no_multiget: true, ..Paper::of(&["jan", "piet"]) };
    let mut cache = Cache::default();
    cache.sync(&mut paper).unwrap();
    cache.is_equal(&paper);
    let mut paper =
        Paper { lost_in_multiget: Some("/h/b/piet.vcf"), ..Paper::of(&["jan", "piet"]) };
    let mut cache = Cache::default();
    cache.sync(&mut paper).unwrap();
    cache.is_equal(&paper);
}

#[test]
fn a_book_that_is_gone_takes_its_cards_with_it() {
    let mut paper = Paper::of(&["jan"]);
    paper.books.push("/h/c/");
    paper.cards.insert("/h/c/x.vcf".into(), ("1".into(), card("x")));
    let mut cache = Cache::default();
    cache.known.insert("/h/old/y.vcf".into(), "1".into());
    // The paper lists all cards of the home for both books; those that lie elsewhere are nobody's.
    let first = cache.sync(&mut paper).unwrap();
    assert_eq!((first.put.len(), first.gone.as_slice()), (2, &["/h/old/y.vcf".to_owned()][..]));
    paper.books.pop();
    paper.cards.remove("/h/c/x.vcf");
    let second = cache.sync(&mut paper).unwrap();
    assert_eq!(second.gone, ["/h/c/x.vcf"]);
    cache.is_equal(&paper);
}

#[test]
fn pictures_too_large_for_one_answer_are_asked_for_in_fewer_at_once() {
    let mut paper = Paper::of(&["a", "b", "c", "d"]);
    let known = Known::new();
    let cursor = Cursor { homes: vec!["https://x.nl/h/".into()], ..Cursor::default() };
    let mut reading = Reading::new(cursor, &known).unwrap();
    let mut step = reading.begin().unwrap();
    let synced = loop {
        match step {
            Step::Ask(ask) => {
                let many = ask.body.matches("<D:href>").count();
                let huge = (ask.method == "REPORT" && many > 1)
                    || ask.url.path().ends_with("d.vcf")
                    || ask.body.contains("/d.vcf");
                let answer = paper.answer(&ask);
                step = reading
                    .answered(if huge {
                        Err(SourceError::Excess(Excess::Bytes))
                    } else {
                        Ok(answer)
                    })
                    .unwrap();
            }
            Step::Done(synced) => break synced,
        }
    };
    assert_eq!(synced.put.len(), 4);
    let unread: Vec<&Record> =
        synced.put.iter().filter(|record| record.contact.is_none()).collect();
    assert_eq!(unread.len(), 1);
    assert!(unread[0].id.ends_with("d.vcf"));
}

#[test]
fn a_failure_in_the_middle_is_told_and_nothing_else() {
    let mut paper = Paper::of(&["jan"]);
    let known = Known::new();
    let cursor = Cursor { homes: vec!["https://x.nl/h/".into()], ..Cursor::default() };
    let mut reading = Reading::new(cursor, &known).unwrap();
    let Ok(Step::Ask(ask)) = reading.begin() else { panic!() };
    reading.answered(Ok(paper.answer(&ask))).unwrap();
    assert_eq!(reading.answered(Err(SourceError::Broken)).unwrap_err(), SourceError::Broken);
    assert_eq!(
        Answer { status: 503, ..Answer::default() }.fault(),
        Some(SourceError::Overloaded { retry_after: None })
    );
}

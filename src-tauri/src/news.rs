//! The news of the pages. They wait here until a page asks for them, the latest of each kind once, so that a page that
//! does not ask for long takes no more room than one that does.
//!
//! A page asks and is answered; nothing is pushed into it. What is pushed is a script of its own each time, which the web
//! engine compiles and keeps.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use app::view::centre::CentreView;
use app::view::changes::ViewChanges;
use app::view::queue::QueueView;
use app::view::sources::SourceView;
use app::view::{AppView, Levels, LineView, Update};
use tokio::sync::Notify;

/// All pages and the state that was told last.
#[derive(Debug, Default)]
pub(crate) struct News {
    pages: HashMap<String, Page>,
    latest: Arc<AppView>,
    /// Pages so far; each has a number of its own, also after it was loaded anew.
    count: u64,
}

/// What is to be told to one page.
#[derive(Debug, Default)]
struct Page {
    number: u64,
    /// The state that it knows; none: nothing yet.
    known: Option<Arc<AppView>>,
    /// The state has changed.
    changed: bool,
    lines: BTreeMap<(String, String), LineView>,
    centres: BTreeMap<String, CentreView>,
    queues: BTreeMap<(String, String), QueueView>,
    sources: Option<Vec<SourceView>>,
    levels: Option<Levels>,
    wake: Arc<Notify>,
}

/// What a page gets when it asks.
#[derive(Debug)]
pub(crate) enum Told {
    /// There is some.
    News(Vec<Update>),
    /// There will be some once this is notified.
    Later(Arc<Notify>),
    /// The page was closed or loaded anew: whoever asks is gone.
    Gone,
}

impl News {
    /// A page is there, perhaps in the place of a former one of that name; its number.
    pub(crate) fn open(&mut self, name: &str) -> u64 {
        self.close(name);
        self.count += 1;
        self.pages.insert(name.to_owned(), Page { number: self.count, ..Page::default() });
        self.count
    }

    /// The page of that name is gone.
    pub(crate) fn close(&mut self, name: &str) {
        if let Some(page) = self.pages.remove(name) {
            page.wake.notify_one();
        }
    }

    /// Notes an update for the pages that want it.
    pub(crate) fn add(&mut self, update: &Update, wants: impl Fn(&str) -> bool) {
        if let Update::View(view) = update {
            self.latest = Arc::new((**view).clone());
        }
        for (_, page) in self.pages.iter_mut().filter(|(name, _)| wants(name)) {
            page.add(update);
            page.wake.notify_one();
        }
    }

    /// What is new for a page, which then counts as told.
    pub(crate) fn take(&mut self, name: &str, number: u64) -> Told {
        let Some(page) = self.pages.get_mut(name).filter(|page| page.number == number) else {
            return Told::Gone;
        };
        let news = page.take(&self.latest);
        match news.is_empty() {
            true => Told::Later(Arc::clone(&page.wake)),
            false => Told::News(news),
        }
    }
}

impl Page {
    fn add(&mut self, update: &Update) {
        match update {
            // The state is kept whole beside the pages; changes are made of it when it is told.
            Update::View(_) | Update::Changed(_) => self.changed = true,
            Update::Levels(levels) => self.levels = Some(*levels),
            Update::Lines(lines) => {
                let named = |line: &LineView| (line.account.clone(), line.uri.clone());
                self.lines.extend(lines.iter().map(|line| (named(line), line.clone())));
            }
            Update::Centre(centre) => {
                self.centres.insert(centre.account.clone(), (**centre).clone());
            }
            Update::Queues(queues) => {
                let named = |queue: &QueueView| (queue.account.clone(), queue.queue.clone());
                self.queues.extend(queues.iter().map(|queue| (named(queue), queue.clone())));
            }
            Update::Sources(sources) => self.sources = Some(sources.clone()),
        }
    }

    fn take(&mut self, latest: &Arc<AppView>) -> Vec<Update> {
        let mut news = Vec::new();
        if std::mem::take(&mut self.changed) {
            news.push(match self.known.replace(Arc::clone(latest)) {
                Some(known) => Update::Changed(Box::new(ViewChanges::between(&known, latest))),
                None => Update::View(Box::new((**latest).clone())),
            });
        }
        if !self.lines.is_empty() {
            news.push(Update::Lines(std::mem::take(&mut self.lines).into_values().collect()));
        }
        let centres = std::mem::take(&mut self.centres).into_values();
        news.extend(centres.map(|centre| Update::Centre(Box::new(centre))));
        if !self.queues.is_empty() {
            news.push(Update::Queues(std::mem::take(&mut self.queues).into_values().collect()));
        }
        news.extend(self.sources.take().map(Update::Sources));
        news.extend(self.levels.take().map(Update::Levels));
        news
    }
}

#[cfg(test)]
mod tests {
    use app::view::{LineState, LineView};

    use super::*;

    fn everybody(_: &str) -> bool {
        true
    }

    fn view(missed: u32) -> Update {
        Update::View(Box::new(AppView { missed, ..AppView::default() }))
    }

    fn lines(states: &[(&str, LineState)]) -> Update {
        let line = |(uri, state): &(&str, LineState)| LineView {
            uri: (*uri).to_owned(),
            account: "main".to_owned(),
            name: String::new(),
            state: *state,
            peer: None,
            direction: None,
            presence: None,
            do_not_disturb: false,
            forwarded: None,
            calendar: None,
            stale_since: None,
            stale_since_ms: None,
            version: 1,
            gone: false,
        };
        Update::Lines(states.iter().map(line).collect())
    }

    fn told(news: &mut News, name: &str, number: u64) -> Vec<Update> {
        match news.take(name, number) {
            Told::News(updates) => updates,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_page_is_told_the_whole_state_once_and_changes_from_then_on() {
        let mut news = News::default();
        news.add(&view(1), everybody);
        let page = news.open("main");
        assert!(matches!(news.take("main", page), Told::Later(_)));
        news.add(&view(2), everybody);
        news.add(&view(3), everybody);
        assert_eq!(told(&mut news, "main", page), [view(3)]);
        news.add(&view(4), everybody);
        news.add(&view(5), everybody);
        let before = AppView { missed: 3, ..AppView::default() };
        let now = AppView { missed: 5, ..AppView::default() };
        let changes = Update::Changed(Box::new(ViewChanges::between(&before, &now)));
        assert_eq!(told(&mut news, "main", page), [changes]);
        assert!(matches!(news.take("main", page), Told::Later(_)));
    }

    #[test]
    fn of_each_line_the_latest_waits() {
        let mut news = News::default();
        let page = news.open("main");
        news.add(&lines(&[("a", LineState::Busy), ("b", LineState::Ringing)]), everybody);
        news.add(&lines(&[("b", LineState::Idle)]), everybody);
        let expected = lines(&[("a", LineState::Busy), ("b", LineState::Idle)]);
        assert_eq!(told(&mut news, "main", page), [expected]);
    }

    #[test]
    fn who_wants_nothing_of_a_kind_is_not_woken() {
        let mut news = News::default();
        let (main, popup) = (news.open("main"), news.open("incoming"));
        news.add(&lines(&[("a", LineState::Busy)]), |name| name == "main");
        assert_eq!(told(&mut news, "main", main).len(), 1);
        assert!(matches!(news.take("incoming", popup), Told::Later(_)));
    }

    #[tokio::test]
    async fn a_page_that_was_loaded_anew_ends_the_waiting_of_the_former_one() {
        let mut news = News::default();
        let former = news.open("main");
        let Told::Later(wake) = news.take("main", former) else { panic!("nothing has happened") };
        let present = news.open("main");
        wake.notified().await;
        assert!(matches!(news.take("main", former), Told::Gone));
        news.add(&view(1), everybody);
        assert_eq!(told(&mut news, "main", present), [view(1)]);
        news.close("main");
        assert!(matches!(news.take("main", present), Told::Gone));
    }
}

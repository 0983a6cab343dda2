//! The answer to `QueueStatus`: one queue or all, with callers and members.
//!
//! While the view is live, an answer brings figures and order and what was missed, but ends no caller at once:
//! the event that says how he left may still be on its way.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use pbx::centre::EntryEnd;

use super::callers::{Caller, Gone};
use super::queue::{Figures, MOST_CALLERS, MOST_MEMBERS, Queue};
use super::{MOST_QUEUES, Member, View};
use crate::{Config, Message};

/// How long an event that explains a missing caller may take.
const EXPLAINED_WITHIN: Duration = Duration::from_secs(1);

/// One answer, as its items come.
#[derive(Debug, Default)]
pub(crate) struct StatusList {
    queues: BTreeMap<String, Listed>,
}

#[derive(Debug, Default)]
struct Listed {
    figures: Figures,
    callers: Vec<Caller>,
    members: BTreeMap<String, Member>,
}

impl StatusList {
    /// Takes in one item; what is no item of this list is passed over.
    pub(crate) fn add(&mut self, view: &View, now: Instant, message: &Message, config: &Config) {
        let Some(name) = message.get("Queue").filter(|name| config.shows(name)) else { return };
        if self.queues.len() >= MOST_QUEUES && !self.queues.contains_key(name) {
            return;
        }
        match message.event() {
            Some("QueueParams") => {
                self.queues.entry(name.to_owned()).or_default().figures = Figures::read(message);
            }
            Some("QueueMember") => {
                let Some(listed) = self.queues.get_mut(name) else { return };
                if let Some((interface, member)) = Member::read(message)
                    && listed.members.len() < MOST_MEMBERS
                {
                    listed.members.insert(interface, member);
                }
            }
            Some("QueueEntry") => {
                let Some(listed) = self.queues.get_mut(name) else { return };
                let waited = message.number("Wait").unwrap_or(0).saturating_mul(1_000);
                let since = view.clock.at(now).saturating_sub(waited);
                if let Some(mut caller) = Caller::read(message, since)
                    && listed.callers.len() < MOST_CALLERS
                {
                    caller.priority = priority(message);
                    listed.callers.push(caller);
                }
            }
            _ => {}
        }
    }
}

impl View {
    /// Takes in a whole answer; `all`: of all queues, so that others are gone. `fresh`: what was known before is
    /// not so any more, as after a lost connection.
    pub(crate) fn apply_status(
        &mut self,
        now: Instant,
        list: StatusList,
        (all, fresh): (bool, bool),
        config: &Config,
    ) {
        if fresh {
            for queue in self.queues.values_mut() {
                queue.callers.clear();
            }
        }
        if all {
            self.queues.retain(|name, _| list.queues.contains_key(name));
        }
        let names: Vec<String> = list.queues.keys().cloned().collect();
        for (name, listed) in list.queues {
            if self.queues.len() < MOST_QUEUES || self.queues.contains_key(&name) {
                self.queues.entry(name).or_default().take(now, listed);
            }
        }
        self.tell_queues(config);
        self.touch_all(config);
        self.tell_agents(now, config);
        for name in names {
            let changed = self
                .queues
                .get_mut(&name)
                .is_some_and(|queue| std::mem::take(&mut queue.callers_changed) || fresh);
            if changed {
                self.tell_callers(&name);
            }
        }
        self.tell_measures(now, config);
    }
}

impl Queue {
    fn take(&mut self, now: Instant, listed: Listed) {
        self.figures = listed.figures;
        self.members = listed.members;
        let old = std::mem::take(&mut self.callers);
        let mut known: BTreeMap<String, Caller> = BTreeMap::new();
        let before: Vec<Caller> = old.clone();
        for caller in old {
            known.insert(caller.id.clone(), caller);
        }
        let mut now_waiting: Vec<Caller> = Vec::new();
        for caller in listed.callers {
            now_waiting.push(match known.remove(&caller.id) {
                Some(old) => Caller {
                    channel: caller.channel,
                    priority: caller.priority,
                    party: caller.party,
                    gone: None,
                    ..old
                },
                None => caller,
            });
        }
        // Those that are not waiting any more were at the front, most likely.
        let missing = before.iter().filter(|caller| known.contains_key(&caller.id)).cloned();
        self.callers = missing.map(|caller| leaving(now, caller)).collect();
        self.callers.extend(now_waiting);
        self.callers_changed =
            self.callers.iter().map(Caller::entry).ne(before.iter().map(Caller::entry));
    }
}

/// Marks a caller as gone without a reason told yet.
fn leaving(now: Instant, mut caller: Caller) -> Caller {
    caller.gone.get_or_insert(Gone { until: now + EXPLAINED_WITHIN, end: EntryEnd::Unseen });
    caller
}

fn priority(message: &Message) -> i64 {
    message.get("Priority").and_then(|text| text.trim().parse().ok()).unwrap_or(0)
}

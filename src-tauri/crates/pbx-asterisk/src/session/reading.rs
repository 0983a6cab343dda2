//! What is read and when: everything after signing in, single queues after changes, all of them at intervals.

use std::time::{Duration, Instant};

use pbx::centre::{Answer, Input as Told, LinkState};

use super::answers::Purpose;
use super::{ASK_AGAIN, Phase, READ_EVERY, Session};
use crate::capability::{Commands, capabilities};
use crate::view::StatusList;
use crate::{Action, Message};

/// More queues than this are read together.
const READ_SINGLY: usize = 3;

impl Session {
    /// After signing in: nothing of before counts.
    pub(super) fn read_everything(&mut self, now: Instant) {
        self.view.forget_told();
        self.read_at = Some(now + READ_EVERY);
        self.send(now, &Action::new("Ping"), Purpose::Ping);
        self.send(now, &Action::new("ListCommands"), Purpose::Commands);
    }

    /// The rights are known: reads what they allow.
    pub(super) fn commands_told(&mut self, now: Instant, message: &Message) {
        if message.get("Response") == Some("Success") {
            self.commands = Commands::read(message);
        }
        let (present, missing) = capabilities(&self.commands, &self.config);
        let (user, name) = (self.config.own_id(), self.config.name.clone());
        self.tell(Told::Me { user, name });
        self.tell(Told::Capabilities { present, missing });
        let codes = self.config.reasons.clone();
        self.tell(Told::UnavailableCodes { codes, forced: false });
        for (name, purpose) in
            [("ParkedCalls", Purpose::Parked), ("CoreShowChannels", Purpose::Channels)]
        {
            if self.commands.allow(name) {
                self.send(now, &Action::new(name), purpose);
            }
        }
        self.send(now, &Action::new("QueueStatus"), Purpose::Status { all: true, fresh: true });
    }

    /// The state of queues was told.
    pub(super) fn status_told(
        &mut self,
        now: Instant,
        list: StatusList,
        (all, fresh): (bool, bool),
    ) {
        self.starting = false;
        self.view.apply_status(now, list, (all, fresh), &self.config);
        self.find_settings();
        if all {
            for id in std::mem::take(&mut self.refreshing) {
                self.finish(id, Ok(Answer::Accepted));
            }
        }
    }

    /// An exchange that is starting does not know its queues yet.
    pub(super) fn status_refused(&mut self, now: Instant, message: &Message) {
        let words = message.get("Message").unwrap_or_default();
        tracing::debug!("the state of the queues is not told: {words}");
        if self.phase == Phase::Reading && words.to_ascii_lowercase().contains("unknown command") {
            self.starting = true;
            self.read_at = Some(now + ASK_AGAIN);
        }
    }

    fn find_settings(&mut self) {
        if !self.commands.allow("GetConfig") {
            return;
        }
        for queue in self.view.queues.keys() {
            if self.known_settings.insert(queue.clone()) {
                self.unread_settings.push_back(queue.clone());
            }
        }
    }

    /// Settings of a queue: lines `Line-000000-000004: wrapuptime=20`. The last one counts.
    pub(super) fn settings_told(&mut self, queue: &str, message: &Message) {
        let settings = message.fields().filter(|(name, _)| name.starts_with("Line-"));
        let seconds = settings
            .filter_map(|(_, line)| line.split_once('='))
            .filter(|(name, _)| name.trim().eq_ignore_ascii_case("wrapuptime"))
            .filter_map(|(_, value)| value.trim_start_matches('>').trim().parse::<u64>().ok())
            .last();
        if message.get("Response") == Some("Success") {
            let wrap_up = Duration::from_secs(seconds.unwrap_or(0).min(86_400));
            self.view.set_wrap_up(queue, wrap_up);
        }
    }

    /// After an answer: goes on reading, or lives when everything was told.
    pub(super) fn after_reading(&mut self, now: Instant) {
        if !matches!(self.phase, Phase::Reading | Phase::Live) {
            return;
        }
        self.ask_call_ids(now);
        let reads_settings =
            self.pending.values().any(|pending| matches!(pending.purpose, Purpose::Settings(_)));
        if !reads_settings {
            if let Some(queue) = self.unread_settings.pop_front() {
                let action = Action::new("GetConfig")
                    .with("Filename", "queues.conf")
                    .with("Category", &queue);
                self.send(now, &action, Purpose::Settings(queue));
            } else if self.phase == Phase::Reading && self.has_read() {
                self.view.handle_timeout(now, &self.config);
                self.failures = 0;
                self.to(Phase::Live, "everything was told");
                self.tell_link(LinkState::Live);
            }
        }
    }

    /// Everything was told.
    fn has_read(&self) -> bool {
        let reads = |purpose: &Purpose| {
            matches!(
                purpose,
                Purpose::Commands | Purpose::Status { .. } | Purpose::Channels | Purpose::Parked
            )
        };
        !self.pending.values().any(|pending| reads(&pending.purpose)) && !self.starting
    }

    /// Reads again what is due: single queues, or all of them.
    pub(super) fn read_due(&mut self, now: Instant) {
        let reads =
            self.pending.values().any(|pending| matches!(pending.purpose, Purpose::Status { .. }));
        if reads || self.is_asking(&Purpose::Commands) {
            // The next answer brings us here again.
            self.postpone(now);
            return;
        }
        if self.read_at.is_some_and(|at| at <= now) {
            self.read_all(now);
            return;
        }
        let due = self.view.take_due(now);
        if due.len() > READ_SINGLY {
            self.read_all(now);
            return;
        }
        for queue in due {
            self.read_queue(now, &queue);
        }
    }

    pub(super) fn read_all(&mut self, now: Instant) {
        self.read_at = Some(now + READ_EVERY);
        let fresh = self.phase == Phase::Reading;
        self.send(now, &Action::new("QueueStatus"), Purpose::Status { all: true, fresh });
    }

    pub(super) fn read_queue(&mut self, now: Instant, queue: &str) {
        let action = Action::new("QueueStatus").with("Queue", queue);
        self.send(now, &action, Purpose::Status { all: false, fresh: false });
    }

    /// What is due while something is being read is done a little later.
    fn postpone(&mut self, now: Instant) {
        let later = now + Duration::from_millis(100);
        if self.read_at.is_some_and(|at| at <= now) {
            self.read_at = Some(later);
        }
        self.view.postpone(now, later);
    }

    /// Asks for the SIP Call-IDs of new calls, so that they are known as those of the telephone.
    pub(super) fn ask_call_ids(&mut self, now: Instant) {
        for (id, channel) in std::mem::take(&mut self.view.calls.unnamed) {
            if self.commands.allow("Getvar") {
                let action = Action::new("Getvar")
                    .with("Channel", &channel)
                    .with("Variable", "CHANNEL(pjsip,call-id)");
                self.send(now, &action, Purpose::CallId(id));
            }
        }
    }
}

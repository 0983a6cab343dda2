//! Reading by actions: everything at the beginning, and later what gives no events.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use pbx::centre::{
    Input, Measure, Measures, NightOverride, QueueId, QueuePolicy, Role, Service, UserId,
};
use tokio::sync::{Mutex, mpsc};

use super::{capability::Account, carry, map, service};
use crate::{
    Actions, Client, Lane, Search, XsiError, limits,
    session::{Package, Subject, Target},
    wire::{AgentList, AgentSettings, DirectoryKind, Profile},
};

/// Most lines of a group that parks together.
const PARK_LINES: usize = 50;

/// Reads and tells; a clone for each reading that goes on beside others.
#[derive(Clone, Debug)]
pub(super) struct Reader {
    pub client: Client,
    pub actions: Actions,
    pub inputs: mpsc::Sender<Input>,
    /// The queues that are watched over: their night and forwarding may be changed.
    pub supervised: Vec<QueueId>,
    pub directories: Arc<Directories>,
}

/// Readings of the directory: one at a time, and no more of them than are needed.
#[derive(Debug, Default)]
pub(super) struct Directories {
    begun: AtomicU64,
    /// The last one that was read to its end.
    whole: AtomicU64,
    turn: Mutex<()>,
}

impl Directories {
    /// Whoever waits for a reading after this one takes also what is being read now.
    pub(super) fn last_whole(&self) -> u64 {
        self.whole.load(Ordering::SeqCst)
    }

    /// Whoever waits for a reading after this one wants one that has not begun yet.
    pub(super) fn last_begun(&self) -> u64 {
        self.begun.load(Ordering::SeqCst)
    }
}

/// What was learnt at the beginning.
#[derive(Clone, Debug)]
pub(super) struct Learnt {
    pub actions: Actions,
    pub profile: Profile,
    pub account: Account,
    /// Seconds after which a queue ends a wrap-up by itself.
    pub wrap_ups: Vec<(QueueId, u32)>,
    pub memberships: Vec<pbx::centre::Membership>,
    /// The queues that are watched over.
    pub supervised: Vec<QueueId>,
    /// Lines at which calls are parked: by user id the owner's name and the extension.
    pub park_lines: HashMap<String, (String, String)>,
    /// What is to be told from now on.
    pub subjects: Vec<Subject>,
}

/// Why reading stops: the rest would fail as well.
fn is_fatal(error: &XsiError) -> bool {
    matches!(
        error,
        XsiError::CredentialsRefused | XsiError::NotSignedIn | XsiError::Closed | XsiError::Http(_)
    )
}

impl Reader {
    pub(super) async fn tell(&self, input: Input) {
        // The owner of the model has gone: there is nobody left to be told.
        let _ = self.inputs.send(input).await;
    }

    async fn run<T>(&self, action: crate::Built<T>) -> Result<T, XsiError> {
        self.client.run(action?, Lane::Background).await
    }

    /// As [`Self::run`], but what the account may not have is `None`.
    pub(super) async fn optional<T>(&self, action: crate::Built<T>) -> Result<Option<T>, XsiError> {
        match self.run(action).await {
            Ok(value) => Ok(Some(value)),
            Err(error) if is_fatal(&error) => Err(error),
            Err(error) => {
                tracing::debug!("reading: passed over, {error}");
                Ok(None)
            }
        }
    }

    /// Everything about the account, in the order in which a person wants to see it.
    pub(super) async fn begin(mut self) -> Result<Learnt, XsiError> {
        // The first request proves the password.
        let profile = self.run(self.actions.profile()).await?;
        let me = UserId(self.actions.user().to_owned());
        self.tell(Input::Me { user: me.clone(), name: profile.name() }).await;
        // Callers of a queue are sent there when the user takes them, be he an agent or not.
        let number = match profile.extension.is_empty() {
            true => profile.number.clone(),
            false => profile.extension.clone(),
        };
        self.tell(Input::AgentKnown { agent: me.clone(), name: profile.name(), number }).await;
        if let Some(Some(release)) = self.optional(Ok(Actions::versions())).await? {
            self.actions = Actions::new(self.actions.user(), release)?;
        }
        let mut account = Account {
            release: self.actions.release(),
            services: self.optional(self.actions.assigned_services()).await?,
            codes: self.optional(self.actions.feature_codes()).await?,
            ..Account::default()
        };
        let settings = match account.has("Call Center") {
            true => self.optional(self.actions.agent()).await?,
            false => None,
        };
        let mut learnt = Learnt {
            actions: self.actions.clone(),
            profile,
            account: Account::default(),
            wrap_ups: Vec::new(),
            memberships: Vec::new(),
            supervised: Vec::new(),
            park_lines: HashMap::new(),
            subjects: vec![Subject::user(&me.0, Package::StandardCall)],
        };
        self.queues(&mut learnt, &mut account, settings.as_ref()).await?;
        self.tell(account.told()).await;
        if let Some(settings) = &settings {
            learnt.memberships = settings.queues.iter().map(map::settings_membership).collect();
            self.agent(&me, settings).await;
            learnt.subjects.push(Subject::user(&me.0, Package::CallCenterAgent));
        }
        for path in account.service_paths() {
            self.service(path).await?;
            learnt.subjects.extend(package_of(path).map(|package| Subject::user(&me.0, package)));
        }
        if account.has("Voice Messaging") {
            learnt.subjects.push(Subject::user(&me.0, Package::MailSummary));
        }
        if account.has("Call Park") {
            self.park_lines(&mut learnt).await?;
        }
        self.supervised_agents(&mut learnt).await?;
        self.line_list(&account).await?;
        learnt.account = account;
        Ok(learnt)
    }

    /// Where the lamps of those whom the user watches are told.
    async fn line_list(&self, account: &Account) -> Result<(), XsiError> {
        if !account.has("Busy Lamp Field") {
            return Ok(());
        }
        let lamps = self.optional(self.actions.busy_lamps()).await?;
        // A user who watches nobody has a list all the same; without an address there is none.
        if let Some(list) = lamps.and_then(|lamps| lamps.list_uri) {
            let list = if list.contains(':') { list } else { format!("sip:{list}") };
            self.tell(Input::LineList(list)).await;
        }
        Ok(())
    }

    async fn agent(&self, agent: &UserId, settings: &AgentSettings) {
        if let Some(status) = map::settings_status(settings) {
            self.tell(Input::AgentStatus { agent: agent.clone(), status }).await;
        }
        let memberships = settings.queues.iter().map(map::settings_membership).collect();
        self.tell(Input::Memberships { agent: agent.clone(), full: true, memberships }).await;
    }

    async fn queues(
        &self,
        learnt: &mut Learnt,
        account: &mut Account,
        settings: Option<&AgentSettings>,
    ) -> Result<(), XsiError> {
        let own = self.optional(self.actions.queues(false)).await?.unwrap_or_default();
        let watched = self.optional(self.actions.queues(true)).await?.unwrap_or_default();
        let mut all: Vec<(QueueId, Role)> = Vec::new();
        let supervised = watched.iter().map(|one| (&one.id, Role::Supervisor));
        let joined = settings.iter().flat_map(|settings| settings.queues.iter().map(|one| &one.id));
        let agents = joined.chain(own.iter().map(|one| &one.id)).map(|id| (id, Role::Agent));
        for (id, role) in supervised.chain(agents) {
            if !all.iter().any(|(known, _)| known.0.eq_ignore_ascii_case(id)) {
                all.push((QueueId(id.clone()), role));
            }
        }
        account.is_agent =
            settings.is_some_and(|settings| !settings.queues.is_empty()) || !own.is_empty();
        account.is_supervisor = !watched.is_empty();
        if all.is_empty() {
            self.tell(Input::Queues(Vec::new())).await;
            return Ok(());
        }
        let mut named = Vec::new();
        for (queue, role) in &all {
            let profile =
                self.optional(self.actions.queue_profile(&queue.0)).await?.unwrap_or_default();
            if let Some(seconds) = profile.wrap_up_seconds {
                learnt.wrap_ups.push((queue.clone(), seconds));
            }
            let name = match profile.name.is_empty() {
                true => crate::wire::user_only(&queue.0).to_owned(),
                false => profile.name,
            };
            named.push((queue.clone(), name, *role));
        }
        self.tell(Input::Queues(named)).await;
        for waiting in own.iter().chain(&watched) {
            self.waiting(&QueueId(waiting.id.clone()), waiting.waiting).await;
        }
        self.codes(learnt, &all).await?;
        for (queue, role) in all {
            for package in [
                Package::CallCenterQueue,
                Package::CallCenterMonitoring,
                Package::CallCenterConfiguration,
            ] {
                learnt.subjects.push(Subject::user(&queue.0, package));
            }
            if role == Role::Supervisor {
                self.policy(&queue, true).await?;
                learnt.supervised.push(queue);
            }
        }
        Ok(())
    }

    async fn waiting(&self, queue: &QueueId, waiting: Option<u32>) {
        if let Some(value) = waiting {
            let waiting = Some(Measure { value, severity: None });
            let measures = Measures { waiting, ..Measures::default() };
            self.tell(Input::Measures { queue: queue.clone(), measures }).await;
        }
    }

    async fn codes(&self, learnt: &Learnt, queues: &[(QueueId, Role)]) -> Result<(), XsiError> {
        let reasons = self.optional(Actions::unavailable_codes(&learnt.profile)).await?;
        if let Some(reasons) = reasons.filter(|reasons| reasons.enabled) {
            let codes = reasons.codes.iter().map(map::code).collect();
            self.tell(Input::UnavailableCodes { codes, forced: reasons.forced }).await;
            let automatic = Input::AutomaticCodes {
                do_not_disturb: reasons.on_do_not_disturb,
                personal_call: reasons.on_personal_call,
                bounces: reasons.on_bounces,
            };
            self.tell(automatic).await;
        }
        for (queue, _) in queues {
            let outcomes = self.optional(self.actions.dispositions(&queue.0)).await?;
            let Some(outcomes) = outcomes.filter(|outcomes| outcomes.enabled) else { continue };
            let codes = outcomes.codes.iter().map(map::code).collect();
            let (queue, forced) = (queue.clone(), outcomes.forced);
            self.tell(Input::DispositionCodes { queue, codes, forced }).await;
        }
        Ok(())
    }

    /// Night and forwarding of a queue.
    pub(super) async fn policy(&self, queue: &QueueId, may_change: bool) -> Result<(), XsiError> {
        let night = self.optional(self.actions.night(&queue.0)).await?;
        let forwarding = self.optional(self.actions.forced_forwarding(&queue.0)).await?;
        if night.is_none() && forwarding.is_none() {
            return Ok(());
        }
        let forced =
            |forced| if forced { NightOverride::ForcedOn } else { NightOverride::Automatic };
        let policy = QueuePolicy {
            night_override: night.map(|night| forced(night.forced)),
            forced_forwarding: forwarding
                .map(|one| if one.active { one.number } else { String::new() }),
            may_change,
            ..QueuePolicy::default()
        };
        self.tell(Input::Policy { queue: queue.clone(), policy }).await;
        Ok(())
    }

    /// One service.
    pub(super) async fn service(&self, path: &'static str) -> Result<(), XsiError> {
        let Some(kind) = service::kind(path) else { return Ok(()) };
        match self.run(self.actions.service(path)).await {
            Ok(state) => {
                if let Some(service) = service::told(&state) {
                    let service = self.whole(service).await?;
                    self.tell(Input::Service(service)).await;
                }
                Ok(())
            }
            Err(XsiError::NotFound(_) | XsiError::Forbidden(_)) => {
                self.tell(Input::ServiceAbsent(kind)).await;
                Ok(())
            }
            Err(error) if is_fatal(&error) => Err(error),
            Err(_) => Ok(()),
        }
    }

    /// The own line and those of the group that parks together.
    async fn park_lines(&self, learnt: &mut Learnt) -> Result<(), XsiError> {
        let me = self.actions.user().to_owned();
        let own = (learnt.profile.name(), learnt.profile.extension.clone());
        learnt.park_lines.insert(me.clone(), own);
        let group = self.optional(self.actions.park_group()).await?.unwrap_or_default();
        for one in group.into_iter().filter(|one| !one.user_id.is_empty()).take(PARK_LINES) {
            let line = (one.name(), one.extension);
            learnt.park_lines.entry(one.user_id).or_insert(line);
        }
        let lines = learnt.park_lines.keys();
        learnt.subjects.extend(lines.map(|line| Subject::user(line, Package::CallPark)));
        Ok(())
    }

    /// A voicemail has its greetings elsewhere.
    async fn whole(&self, service: Service) -> Result<Service, XsiError> {
        let Service::VoiceMail(mail) = service else { return Ok(service) };
        let greetings = self.optional(self.actions.greetings()).await?;
        Ok(Service::VoiceMail(match greetings {
            Some(greetings) => service::with_greetings(mail, &greetings),
            None => mail,
        }))
    }

    async fn supervised_agents(&self, learnt: &mut Learnt) -> Result<(), XsiError> {
        if learnt.supervised.is_empty() {
            return Ok(());
        }
        let lists: Vec<AgentList> = self.optional(self.actions.agents()).await?.unwrap_or_default();
        let mut known: Vec<&str> = Vec::new();
        for person in lists.iter().flat_map(|list| &list.people) {
            let again = known.iter().any(|id| id.eq_ignore_ascii_case(&person.user_id));
            if again || person.user_id.is_empty() || known.len() >= limits::AGENTS {
                continue;
            }
            known.push(&person.user_id);
            let number = match person.extension.is_empty() {
                true => &person.number,
                false => &person.extension,
            };
            let agent = UserId(person.user_id.clone());
            let input = Input::AgentKnown { agent, name: person.name(), number: number.clone() };
            self.tell(input).await;
            let subject = Subject::user(&person.user_id, Package::CallCenterAgent);
            if !learnt.subjects.contains(&subject) {
                learnt.subjects.push(subject);
            }
            let calls = Subject::user(&person.user_id, Package::BasicCall);
            if !person.user_id.eq_ignore_ascii_case(self.actions.user()) {
                learnt.subjects.push(calls);
            }
        }
        Ok(())
    }

    /// What an event would have told.
    pub(super) async fn poll(&self, subject: &Subject) -> Result<(), XsiError> {
        let Target::User(user) = &subject.target else { return Ok(()) };
        let queue = QueueId(user.clone());
        match &subject.package {
            Package::CallCenterQueue => {
                let calls = self.run(self.actions.queue_calls(user)).await?;
                self.tell(Input::QueueSnapshot { queue, entries: map::entries(&calls) }).await;
            }
            Package::CallCenterMonitoring => {
                for supervised in [false, true] {
                    let all =
                        self.optional(self.actions.queues(supervised)).await?.unwrap_or_default();
                    for one in all.iter().filter(|one| one.id.eq_ignore_ascii_case(user)) {
                        self.waiting(&queue, one.waiting).await;
                    }
                }
            }
            Package::CallCenterConfiguration => {
                self.policy(&queue, self.supervised.contains(&queue)).await?;
            }
            Package::CallCenterAgent => {
                let settings = self.run(self.actions.of(user)?.agent()).await?;
                self.agent(&UserId(user.clone()), &settings).await;
            }
            Package::StandardCall => self.calls().await?,
            Package::BasicCall => {
                let calls = self.run(self.actions.of(user)?.calls()).await?;
                let on_call = !calls.is_empty();
                self.tell(Input::AgentOnCall { agent: UserId(user.clone()), on_call }).await;
            }
            Package::MailSummary => {
                let counts = self.run(self.actions.mail_counts()).await?;
                self.tell(Input::Messages { new: counts.new, old: counts.old }).await;
            }
            package => {
                if let Some(path) = path_of(package) {
                    self.service(path).await?;
                }
            }
        }
        Ok(())
    }

    async fn calls(&self) -> Result<(), XsiError> {
        let mut calls = Vec::new();
        for one in self.run(self.actions.calls()).await? {
            // It may have ended since.
            let call = self.optional(self.actions.one_call(&one.id)).await?;
            calls.extend(call.as_ref().and_then(map::call));
        }
        self.tell(Input::Calls(calls)).await;
        Ok(())
    }

    /// The call log: the long one where the operator has it, else the short one.
    pub(super) async fn call_log(&self) -> Result<(), XsiError> {
        let log = match self.optional(self.actions.enhanced_call_log(1)).await? {
            Some(log) if !log.is_empty() => log,
            _ => self.run(self.actions.call_log()).await?,
        };
        self.tell(Input::CallLog(map::log(&log))).await;
        Ok(())
    }

    /// Reads the directory, unless somebody else has read it to its end after the reading `after`.
    pub(super) async fn directory(&self, after: u64) -> Result<(), XsiError> {
        let directories = &self.directories;
        let _turn = directories.turn.lock().await;
        if directories.last_whole() > after {
            return Ok(());
        }
        let number = directories.begun.fetch_add(1, Ordering::SeqCst) + 1;
        let outcome = self.whole_directory().await;
        if outcome.is_ok() {
            directories.whole.store(number, Ordering::SeqCst);
        }
        self.tell(Input::DirectoryEnd(outcome.clone().map_err(carry::refusal))).await;
        outcome
    }

    /// The directory: the enterprise's, else the group's; then the common and the personal numbers and the
    /// lists of the operator.
    async fn whole_directory(&self) -> Result<(), XsiError> {
        let mut first = true;
        // That it is read is told before its first page is there.
        self.part(&mut first, Vec::new(), None).await;
        let enterprise = self.people(DirectoryKind::Enterprise, &mut first).await;
        match enterprise {
            Ok(()) => {}
            Err(error) if is_fatal(&error) => return Err(error),
            Err(_) => self.people(DirectoryKind::Group, &mut first).await?,
        }
        for kind in [DirectoryKind::Enterprise, DirectoryKind::Group] {
            let mut start = Some(1);
            while let Some(from) = start {
                let Some(page) = self.optional(self.actions.common_numbers(kind, from)).await?
                else {
                    break;
                };
                start = next(page.next_start(from));
                self.part(&mut first, page.entries.iter().map(map::common).collect(), None).await;
            }
        }
        let mut start = Some(1);
        while let Some(from) = start {
            let Some(page) = self.optional(self.actions.personal_numbers(from)).await? else {
                break;
            };
            start = next(page.next_start(from));
            self.part(&mut first, page.entries.iter().map(map::common).collect(), None).await;
        }
        let lists = self.optional(self.actions.custom_directories()).await?.unwrap_or_default();
        for list in lists.iter().take(64) {
            let mut start = Some(1);
            while let Some(from) = start {
                let page = self.optional(self.actions.custom_directory(list, from)).await?;
                let Some(page) = page else { break };
                start = next(page.next_start(from));
                self.part(&mut first, page.entries.iter().map(map::contact).collect(), None).await;
            }
        }
        Ok(())
    }

    async fn people(&self, kind: DirectoryKind, first: &mut bool) -> Result<(), XsiError> {
        let search = Search::default();
        let mut start = Some(1);
        while let Some(from) = start {
            let page = self.run(self.actions.people(kind, &search, from)).await?;
            start = next(page.next_start(from));
            self.part(first, page.entries.iter().map(map::person).collect(), page.total).await;
        }
        Ok(())
    }

    async fn part(
        &self,
        first: &mut bool,
        entries: Vec<pbx::centre::DirectoryEntry>,
        total: Option<u32>,
    ) {
        if entries.is_empty() && !*first {
            return;
        }
        self.tell(Input::Directory { first: std::mem::take(first), entries, total }).await;
    }
}

/// No directory is read beyond the limit, whatever the server says of its size.
fn next(start: Option<u32>) -> Option<u32> {
    start.filter(|&start| (start as usize) <= limits::DIRECTORY)
}

/// The event package that tells of the service at a path.
fn package_of(path: &str) -> Option<Package> {
    Some(match path {
        "DoNotDisturb" => Package::DoNotDisturb,
        "CallForwardingAlways" => Package::ForwardAlways,
        "CallForwardingBusy" => Package::ForwardBusy,
        "CallForwardingNoAnswer" => Package::ForwardNoAnswer,
        "CallWaiting" => Package::CallWaiting,
        "RemoteOffice" => Package::RemoteOffice,
        "SimultaneousRingPersonal" => Package::SimultaneousRing,
        "SequentialRing" => Package::SequentialRing,
        "VoiceMessaging" => Package::VoiceMessaging,
        "HotelingGuest" => Package::HotelingGuest,
        _ => return None,
    })
}

/// The other way round.
fn path_of(package: &Package) -> Option<&'static str> {
    let all = crate::wire::ServiceState::paths();
    all.iter().find(|path| package_of(path).as_ref() == Some(package)).copied()
}

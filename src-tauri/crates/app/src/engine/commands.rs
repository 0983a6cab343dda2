//! What every command does. A refusal is a stable word and a sentence; nothing has changed then.

use std::time::Instant;

use call_control::{CallId, Command as CallCommand, Input, Refusal};
use contacts::{Dialled as Typed, Entry, Index, dialled};
use sip_types::Uri;

use super::accounts::{Account, internal, unknown_account};
use super::desk::Desk;
use super::line::{Dialled, Line, peer_of_uri};
use super::recordings::RecordingWish;
use super::transfers::Reference;
use super::watch::Wanted;
use super::{Ask, Reply, line_check};
use crate::code::Code;
use crate::config::AudioSettings;
use crate::control::{Answer, CallCreated, Command, ErrorReply, TargetCommand};
use crate::view::desktop::{Hotkeys, NoticeSettings};
use crate::view::safety::GuardSettings;
use crate::view::{AccountState, HitKind, Language, PeerView, SearchHit, Theme};

pub(super) type Outcome = Result<Answer, ErrorReply>;

/// Search results when no limit is given.
const HITS: usize = 20;

impl Desk {
    /// Obeys a command; its answer goes out before the events that it causes.
    pub(super) fn ask(&mut self, now: Instant, ask: Ask) {
        let Some(Ask { command, reply }) = self.ask_memory(now, ask) else { return };
        let command = match self.made_safe(command) {
            Ok(command) => command,
            Err(refusal) => return reply(Err(refusal)),
        };
        let Some((command, reply)) = self.obey_remote(now, command, reply) else { return };
        match command {
            Command::AccountTest { form } => self.test_account(&form, reply),
            Command::AccountDiscover { user, password, server } => {
                self.discover_account(&user, &password, &server, reply);
            }
            Command::AccountSave { form } => self.save_account(now, &form, reply),
            Command::AccountPassword { account, password, relay: true, .. } => {
                self.set_relay_password(now, &account, &password, reply);
            }
            Command::AccountPassword { account, password, exchange: false, .. } => {
                self.set_password(now, &account, &password, reply);
            }
            Command::AccountPassword { account, password, exchange: true, .. } => {
                self.set_exchange_password(now, &account, &password, reply);
            }
            Command::RingSet { source, sound } => self.set_ring(now, source, sound, reply),
            Command::DemoStart {} => self.start_demo(reply),
            Command::DemoStop {} => self.stop_demo(now, reply),
            Command::DemoCustomer { queue } => self.demo_customer(queue, reply),
            Command::DeskKey { key, guarded } => self.desk_key(now, key, guarded, reply),
            Command::Centre(command) => self.ask_centre(now, command, reply),
            Command::Quit {} => self.quit(now, reply),
            other => {
                let outcome = self.obey(now, other);
                reply(outcome);
            }
        }
    }

    fn obey(&mut self, now: Instant, command: Command) -> Outcome {
        match command {
            Command::AccountRegister { account } => self.register(now, &account),
            Command::AccountUnregister { account } => self.unregister(now, &account),
            Command::AccountRemove { account } => self.remove_account(now, &account),
            Command::Dial { to, account, withhold, .. } => {
                self.dial(now, &to, account.as_deref(), withhold)
            }
            Command::Stats { call } => {
                let stats = self.stats(CallId(call)).ok_or_else(|| unknown_call(call))?;
                Ok(Answer::Stats(Box::new(stats)))
            }
            Command::ContactsSearch { text, limit } => Ok(self.search(&text, limit)),
            Command::ContactsLookup { number, limit } => Ok(self.lookup(&number, limit)),
            Command::HistoryList { limit, .. } => {
                let limit = limit.map_or(usize::MAX, |limit| limit as usize);
                Ok(Answer::History(self.history.iter().take(limit).cloned().collect()))
            }
            Command::HistorySeen {} => {
                self.see_missed();
                Ok(Answer::done())
            }
            Command::NetworkChanged {} => self.network_changed(now),
            Command::ViewGet {} => Ok(Answer::View(Box::new(self.view()))),
            Command::SettingsSet { language, theme, hotkeys, guard, notices } => {
                self.set_choices(now, (language, theme, notices), hotkeys, guard)
            }
            Command::DeskPrepare { text } => self.prepare(&text),
            Command::DeskPreparedTaken {} => self.prepared_taken(),
            Command::DevicesSet { input, output, ringer, alerts } => {
                let mut audio = self.settings.config.audio.clone();
                audio.input = input.unwrap_or_default();
                audio.output = output.unwrap_or_default();
                audio.ringers = ringer;
                audio.alerts = alerts.unwrap_or_default();
                self.choose_devices(now, audio)
            }
            Command::NoticeDismiss { id } => {
                self.notices.retain(|notice| notice.id != id);
                self.publisher.changed();
                Ok(Answer::done())
            }
            other => self.obey_for_sound(now, other),
        }
    }

    /// What is done with sound and its devices, but for which they are.
    fn obey_for_sound(&mut self, now: Instant, command: Command) -> Outcome {
        match command {
            Command::ProcessingSet { echo_cancelling, noise_suppression, gain_control } => {
                let mut audio = self.settings.config.audio.clone();
                audio.echo_cancelling = echo_cancelling.or(audio.echo_cancelling);
                audio.noise_suppression = noise_suppression.or(audio.noise_suppression);
                audio.gain_control = gain_control.or(audio.gain_control);
                self.set_processing(now, audio);
                Ok(Answer::done())
            }
            Command::HeadsetSet { on, device, light } => self.set_headset(now, on, device, light),
            Command::RecordingSet { enabled, format, folder, announcement, keep_days } => {
                let wish = RecordingWish { enabled, format, folder, announcement, keep_days };
                self.set_recording(now, wish)
            }
            Command::AudioTest { on } => self.test_microphone(on),
            Command::AlertsSet { queues, notices } => self.set_alert_sounds(now, queues, notices),
            Command::RingTry { source } => self.try_ring(now, source),
            Command::LevelsWatch { on } => {
                self.sounds.engine.watch_levels(on);
                Ok(Answer::done())
            }
            other => self.obey_for_lines(now, other),
        }
    }

    /// What is asked about the lines of others, and where a caller could be sent.
    fn obey_for_lines(&mut self, now: Instant, command: Command) -> Outcome {
        match command {
            Command::LineWatch { uris, list, package, account } => {
                let (list, account) = (list.as_deref(), account.as_deref());
                self.watch_lines(now, Wanted { uris: &uris, list, package, account })
            }
            Command::LineUnwatch { uris, list, package, account } => {
                let (list, account) = (list.as_deref(), account.as_deref());
                self.unwatch_lines(now, Wanted { uris: &uris, list, package, account })
            }
            Command::LineList {} => Ok(self.list_lines()),
            Command::Target(TargetCommand::List { target, account }) => {
                self.list_targets(&target, account.as_deref())
            }
            other => self.obey_for_calls(now, other),
        }
    }

    /// What is done with calls by more than one step, or by dialling.
    fn obey_for_calls(&mut self, now: Instant, command: Command) -> Outcome {
        match command {
            Command::Conference { calls } => {
                let ids: Vec<CallId> = calls.into_iter().map(CallId).collect();
                self.confer(now, &ids)
            }
            Command::Park { call, slot } => self.park(now, call, slot.as_deref()),
            Command::Retrieve { slot, account } => {
                self.retrieve(now, slot.as_deref(), account.as_deref())
            }
            Command::Pickup { target, account } => self.pick_up(now, &target, account.as_deref()),
            Command::TransferList {} => {
                Ok(Answer::Transfers(self.transfers.iter().cloned().collect()))
            }
            Command::TransferCallBack { transfer } => self.call_back(now, transfer),
            Command::TransferBlind { call, to, .. } => self.transfer_blind(now, call, &to),
            Command::TransferConsult { call, to, .. } => self.transfer_consult(now, call, &to),
            Command::TransferComplete { call } => self.transfer_complete(now, call),
            other => self.obey_for_call(now, other),
        }
    }

    fn obey_for_call(&mut self, now: Instant, command: Command) -> Outcome {
        let (call, command) = match command {
            Command::Answer { call } => (call, CallCommand::Answer),
            Command::Ring { call } => (call, CallCommand::Ring),
            Command::Progress { call } => (call, CallCommand::Progress),
            Command::Reject { call, status } => (call, CallCommand::Reject(status.unwrap_or(486))),
            Command::Redirect { call, to, .. } => {
                let line = self.lines.get(&CallId(call)).ok_or_else(|| unknown_call(call))?;
                let account = self.account(&line.account).ok_or_else(|| unknown_account(""))?;
                let target = self.target(account, &to)?;
                (call, CallCommand::Redirect(target.to_string()))
            }
            Command::Hangup { call } => (call, self.end_of(CallId(call))),
            Command::Hold { call } => (call, CallCommand::Hold),
            Command::Resume { call } => (call, CallCommand::Resume),
            Command::Mute { call, on } => (call, CallCommand::Mute(on)),
            Command::Dtmf { call, digits } => (call, CallCommand::Dtmf(digits)),
            Command::Reinvite { call } => (call, CallCommand::Refresh),
            Command::Update { call } => (call, CallCommand::Update),
            Command::TransferCancel { call } => (call, CallCommand::TransferCancel),
            _ => return Err(ErrorReply::new(Code::UnknownCommand, "no such command")),
        };
        let asked = self.calls.handle_input(now, Input::Command(CallId(call), command));
        asked.map(|()| Answer::done()).map_err(|refusal| refused(call, refusal))
    }

    fn dial(&mut self, now: Instant, to: &str, account: Option<&str>, withhold: bool) -> Outcome {
        let account = self.named_account(account)?;
        let uri = self.target(account, to)?;
        let id = account.settings.id.clone();
        let code = self.fetched(account, &uri);
        let fetches = code.is_some();
        let peer = code.unwrap_or_else(|| self.recognised(peer_of_uri(&uri.to_string(), None)));
        let dialled = Dialled { uri, withhold, reference: Reference::default() };
        match fetches {
            true => self.fetch(now, &id, dialled, peer),
            false => self.place(now, &id, dialled, peer),
        }
    }

    fn confer(&mut self, now: Instant, ids: &[CallId]) -> Outcome {
        let joined = self.calls.conference(now, ids);
        let named = ids.iter().find(|id| self.calls.get(**id).is_none());
        let done = joined.map(|()| Answer::done());
        done.map_err(|refusal| refused(named.map_or(0, |id| id.0), refusal))
    }

    /// Places a call that `peer` is shown for.
    pub(super) fn place(
        &mut self,
        now: Instant,
        account: &str,
        dialled: Dialled,
        peer: PeerView,
    ) -> Outcome {
        if self.is_quitting() {
            return Err(ErrorReply::new(Code::WrongState, "the program is ending"));
        }
        let account = self.account(account).ok_or_else(|| unknown_account(account))?;
        if account.ua.is_none() {
            return Err(ErrorReply::new(Code::NotRegistered, "the account has no password yet"));
        }
        let mut line = Line::new(&account.settings.clone(), self.random.u64());
        line.peer = peer;
        self.dials(&mut line, dialled);
        let id = self.calls.dial(now);
        self.lines.insert(id, line);
        Ok(Answer::Call(CallCreated { call: id.0 }))
    }

    /// What a line dials. Help must not fail for want of encryption.
    pub(super) fn dials(&self, line: &mut Line, dialled: Dialled) {
        if dialled.uri.user().is_some_and(|number| self.is_emergency(&number)) {
            line.terms.for_help();
        }
        line.dialled = Some(dialled);
    }

    /// The account of that id; the one to call from when none is named.
    pub(super) fn named_account(&self, id: Option<&str>) -> Result<&Account, ErrorReply> {
        match id {
            Some(id) => self.account(id).ok_or_else(|| unknown_account(id)),
            None => self.calling_account(),
        }
    }

    /// The account to call from when none is named: a registered one, or else any.
    pub(super) fn calling_account(&self) -> Result<&Account, ErrorReply> {
        let usable = || {
            let works = |account: &&Account| account.ua.is_some() || account.settings.control_only;
            self.accounts.iter().filter(works)
        };
        usable()
            .find(|account| account.state == AccountState::Registered)
            .or_else(|| usable().next())
            .or_else(|| self.accounts.first())
            .ok_or_else(|| ErrorReply::new(Code::UnknownAccount, "there is no account"))
    }

    /// The address that typed text means on an account.
    pub(super) fn target(&self, account: &Account, text: &str) -> Result<Uri, ErrorReply> {
        let bad = |message: String| ErrorReply::new(Code::BadTarget, message);
        match dialled(text).map_err(|error| bad(error.to_string()))? {
            Typed::Number(number) => on_account(account, &number),
            Typed::Address(address) => Uri::parse(&address).map_err(|error| bad(error.to_string())),
            Typed::Name(name) => {
                let people = self.people();
                let index = Index::new(people.iter().map(|person| &person.entry));
                let mut found: Vec<String> = self
                    .search_colleagues(&name, 2)
                    .into_iter()
                    .map(|(_, hit)| hit.target)
                    .collect();
                let earlier = index.search(&name, 2).into_iter().filter_map(|at| people.get(at));
                found.extend(earlier.map(|person| person.hit.target.clone()));
                match found.as_slice() {
                    [target] => self.target(account, target),
                    [] => Err(bad(format!("nobody is called {name:?}"))),
                    _ => Err(bad(format!("several people are called {name:?}"))),
                }
            }
        }
    }

    fn set_choices(
        &mut self,
        now: Instant,
        (language, theme, notices): (Option<Language>, Option<Theme>, Option<NoticeSettings>),
        hotkeys: Option<Hotkeys>,
        guard: Option<GuardSettings>,
    ) -> Outcome {
        if let Some(guard) = guard {
            self.set_guard(guard)?;
        }
        if let Some(hotkeys) = hotkeys {
            self.set_hotkeys(hotkeys)?;
        }
        let choices = &mut self.settings.config.ui;
        choices.language = language.unwrap_or(choices.language);
        choices.theme = theme.unwrap_or(choices.theme);
        choices.notices = notices.unwrap_or(choices.notices);
        self.keep_settings(now);
        self.publisher.changed();
        Ok(Answer::done())
    }

    fn choose_devices(&mut self, now: Instant, audio: AudioSettings) -> Outcome {
        if audio.ringers.len() > media::RINGERS {
            return Err(ErrorReply::new(Code::BadRequest, "too many devices to ring on"));
        }
        self.set_devices(now, audio);
        Ok(Answer::done())
    }

    fn test_account(&self, form: &crate::control::AccountForm, reply: Reply) {
        let mut settings = match self.settings_of(form) {
            Ok(settings) => settings,
            Err(error) => return reply(Err(error)),
        };
        settings.keyring = false;
        // The telephone is tried; the exchange's web services would be signed in to a second time.
        (settings.xsi, settings.asterisk, settings.control_only) = (None, None, false);
        let found = settings.password.get();
        let config = self.settings.config.clone();
        let (secrets, id) = (self.settings.secrets.clone(), settings.id.clone());
        let typed = Some(form.password.secret().clone()).filter(|_| !form.password.is_empty());
        let typed = typed.or(found.filter(|_| form.discovered.is_some()));
        let work = async move {
            let known = match typed {
                Some(typed) => Some(typed),
                None => tokio::task::spawn_blocking(move || secrets.get(&id).ok().flatten())
                    .await
                    .unwrap_or(None),
            };
            if let Some(password) = known {
                settings.password = password.into();
            }
            line_check(config, settings).await
        };
        self.later(work, move |_, _, report| reply(Ok(Answer::Test(report))));
    }

    // --- people ---

    fn search(&self, text: &str, limit: Option<u32>) -> Answer {
        let limit = limit.map_or(HITS, |limit| limit as usize);
        let people = self.people();
        let index = Index::new(people.iter().map(|person| &person.entry));
        let found = index.matches(text, limit).into_iter();
        let mut ranked = self.search_colleagues(text, limit);
        ranked.extend(
            found.filter_map(|found| Some((found.cost, people.get(found.position)?.hit.clone()))),
        );
        ranked.extend(self.search_contacts(text, limit));
        // Who was found as typed drives out who was guessed at; of equals, colleagues come first.
        ranked.sort_by_key(|(cost, hit)| (*cost, hit.kind != HitKind::Colleague));
        let least = ranked.first().map_or(0, |(cost, _)| *cost);
        ranked.retain(|(cost, _)| cost / contacts::Match::GUESS == least / contacts::Match::GUESS);
        let mut hits: Vec<SearchHit> = ranked.into_iter().map(|(_, hit)| hit).collect();
        without_doubles(&mut hits);
        if let Ok(Typed::Number(target) | Typed::Address(target)) = dialled(text) {
            let known = hits.iter().any(|hit| hit.target == target);
            if !known {
                let name = contacts::show(&target);
                let (detail, contact) = (String::new(), None);
                hits.insert(
                    0,
                    SearchHit { kind: HitKind::Dial, name, target, detail, contact, account: None },
                );
            }
        }
        hits.truncate(limit);
        Answer::Hits(hits)
    }

    fn lookup(&self, number: &str, limit: Option<u32>) -> Answer {
        let people = self.people();
        let index = Index::new(people.iter().map(|person| &person.entry));
        let found = index.lookup(number).into_iter().filter_map(|at| people.get(at));
        let limit = limit.map_or(HITS, |limit| limit as usize);
        let mut hits: Vec<SearchHit> = self.lookup_colleagues(number).cloned().collect();
        hits.extend(found.map(|person| person.hit.clone()));
        let contacts = self.lookup_contacts(number);
        // Whom a list of contacts knows is not somebody who only called once.
        hits.retain(|hit| hit.kind != HitKind::History || contacts.is_empty());
        hits.extend(contacts);
        hits.truncate(limit);
        Answer::Hits(hits)
    }

    /// Names of the people with this number: those of the exchange, or else those of the lists of contacts.
    pub(super) fn lookup_names(&self, number: &str) -> Vec<String> {
        let mut names: Vec<String> =
            self.lookup_colleagues(number).map(|who| who.name.clone()).collect();
        // Two lists may both know somebody.
        names.sort_unstable();
        names.dedup();
        if names.is_empty() { self.contact_names(number) } else { names }
    }

    /// Those of the history whom no exchange names.
    fn people(&self) -> Vec<Person> {
        let mut people: Vec<Person> = Vec::new();
        for past in &self.history {
            let PeerView { uri, name, number, .. } = &past.peer;
            let target = Uri::parse(uri).ok().and_then(|uri| uri.user());
            let target = target.filter(|user| contacts::NumberKey::of(user).is_some());
            let target = target.unwrap_or_else(|| uri.clone());
            let known = |person: &Person| {
                person.hit.target == target || contacts::same_number(&person.hit.target, &target)
            };
            let named = self.lookup_colleagues(&target).next().is_some();
            if !target.is_empty() && !named && !people.iter().any(known) {
                let shown = if name.is_empty() { number } else { name };
                people.push(Person::new(shown, &target, number.clone()));
            }
        }
        people
    }
}

/// Somebody who can be found, and how that is shown.
struct Person {
    entry: Entry,
    hit: SearchHit,
}

impl Person {
    fn new(name: &str, target: &str, detail: String) -> Person {
        let entry =
            Entry { name: name.to_owned(), numbers: vec![target.to_owned()], words: String::new() };
        let (kind, name, target) = (HitKind::History, name.to_owned(), target.to_owned());
        Person {
            entry,
            hit: SearchHit { kind, name, target, detail, contact: None, account: None },
        }
    }
}

/// Whoever called once and is in a list of contacts, too, is shown as a contact.
fn without_doubles(hits: &mut Vec<SearchHit>) {
    let known: Vec<String> = hits
        .iter()
        .filter(|hit| hit.kind == HitKind::Contact)
        .map(|hit| hit.target.clone())
        .collect();
    hits.retain(|hit| {
        hit.kind != HitKind::History
            || !known.iter().any(|target| contacts::same_number(target, &hit.target))
    });
}

/// A number as an address on the account's domain.
pub(super) fn on_account(account: &Account, number: &str) -> Result<Uri, ErrorReply> {
    let aor = Uri::parse(&account.settings.aor).map_err(|error| internal(&error))?;
    let host = aor.host().cloned();
    let host = host.ok_or_else(|| ErrorReply::new(Code::BadConfig, "the account has no domain"))?;
    Ok(Uri::sip(Some(number), host, aor.port()))
}

pub(super) fn unknown_call(call: u64) -> ErrorReply {
    ErrorReply::new(Code::UnknownCall, format!("there is no call {call}"))
}

pub(super) fn refused(call: u64, refusal: Refusal) -> ErrorReply {
    match refusal {
        Refusal::UnknownCall => unknown_call(call),
        Refusal::WrongState(_) => ErrorReply::new(Code::WrongState, refusal.to_string()),
        Refusal::NoTarget => ErrorReply::new(Code::BadTarget, refusal.to_string()),
        Refusal::BadDigits | Refusal::BadStatus | Refusal::TooFew => {
            ErrorReply::new(Code::BadRequest, refusal.to_string())
        }
    }
}

//! Accounts: from the settings to the user agent, and what their registrations tell.

use std::path::Path;
use std::time::{Duration, Instant};

use secrecy::SecretString;
use sip_core::digest::Credentials;
use sip_transport::{Anchors, Peering};
use sip_types::{Host, Uri};
use sip_ua::SessionTimer as UaTimer;
use sip_ua::{AcceptFrom as UaAccept, AccountConfig, AccountId, RegistrationState};
use store::SecretsError;
use tracing::debug;

use super::Reply;
use super::desk::Desk;
use super::exchange_form::{apply_exchange, complete_exchange, exchange_view};
use super::media_form::apply_media;
use crate::cause;
use crate::code::Code;
use crate::config::{AcceptFrom, AccountSettings, SessionTimer};
use crate::control::{
    AccountForm, AccountSaved, Answer, ErrorReply, ExchangeForm, MediaForm, Password,
    TransportChoice,
};
use crate::event::{AccountEvent, Event};
use crate::view::AccountState;

/// One account while the program runs.
pub(super) struct Account {
    pub(super) settings: AccountSettings,
    /// Its id in the user agent, once it is there.
    pub(super) ua: Option<AccountId>,
    pub(super) state: AccountState,
    pub(super) reason: Option<Code>,
    pub(super) detail: Option<String>,
    pub(super) since: Instant,
    pub(super) retry_at: Option<Instant>,
    pub(super) demo: bool,
    pub(super) password_needed: bool,
    /// The password at its relays, where it is known.
    pub(super) relay_password: Option<SecretString>,
    /// The registrar has taken the registration away for good (RFC 3680 `rejected`).
    denied: bool,
    /// The server that holds the registration.
    pub(super) server: Option<std::net::SocketAddr>,
    /// The way to that server loses nothing without breaking.
    reliable: bool,
    /// The way to that server is encrypted.
    secret: bool,
    /// What that server calls itself.
    software: Option<String>,
    /// The event packages that it offers.
    events: Vec<String>,
    signed: bool,
    expires: Option<u32>,
    contact: Option<String>,
}

impl Account {
    fn new(settings: AccountSettings, demo: bool, now: Instant) -> Account {
        Account {
            settings,
            ua: None,
            state: AccountState::Unregistered,
            reason: None,
            detail: None,
            since: now,
            retry_at: None,
            demo,
            password_needed: false,
            relay_password: None,
            denied: false,
            server: None,
            reliable: false,
            secret: false,
            software: None,
            events: Vec::new(),
            signed: false,
            expires: None,
            contact: None,
        }
    }

    /// Whether the way to its server loses nothing without breaking.
    pub(super) fn is_reliable(&self) -> bool {
        self.reliable
    }

    /// Whether the way to its server is encrypted, so that keys may go over it.
    pub(super) fn relay_login(&self) -> Option<media::RelayLogin> {
        let password = self.relay_password.as_ref()?;
        Some(super::gather::login(&self.settings, password))
    }

    pub(super) fn is_secret(&self) -> bool {
        self.secret
    }

    /// Whether its exchange is Asterisk, by what the exchange calls itself: `Asterisk PBX 22.1.0`,
    /// `FPBX-17.0.19(21.5.0)`.
    pub(super) fn is_asterisk(&self) -> bool {
        let software = self.software.as_deref().unwrap_or_default().to_ascii_lowercase();
        ["asterisk", "fpbx", "freepbx"].iter().any(|name| software.contains(name))
    }

    /// Whether its registrar offers this event package.
    pub(super) fn offers(&self, package: &str) -> bool {
        self.events.iter().any(|event| event == package)
    }

    /// Our contact as the registrar holds it.
    pub(super) fn contact(&self) -> Option<Uri> {
        self.contact.as_deref().and_then(|contact| Uri::parse(contact).ok())
    }

    /// The next hop of its requests.
    pub(super) fn next_hop(&self) -> Option<Uri> {
        let settings = &self.settings;
        [settings.outbound_proxy.first(), &settings.registrar, &settings.aor]
            .into_iter()
            .find(|text| !text.is_empty())
            .and_then(|text| Uri::parse(text).ok())
    }
}

impl Desk {
    /// Starts every account of the settings.
    pub(super) fn begin_accounts(&mut self, now: Instant) {
        for settings in self.settings.config.accounts.clone() {
            self.begin_account(now, settings, false);
        }
    }

    /// Adds an account, with its password wherever that is.
    pub(super) fn begin_account(&mut self, now: Instant, settings: AccountSettings, demo: bool) {
        let id = settings.id.clone();
        let exchange = settings.clone();
        let known = settings.password.get();
        let variable = settings.password_env.clone();
        let keyring = settings.keyring;
        self.accounts.push(Account::new(settings, demo, now));
        self.publisher.changed();
        self.colleagues.accounts_changed();
        self.begin_exchange(now, &exchange);
        self.begin_relays(&exchange);
        self.watch_own_list(now, &id);
        if exchange.control_only {
            return;
        }
        if let Some(password) = known {
            self.enter_account(now, &id, Some(password));
        } else if !variable.is_empty() {
            match std::env::var(&variable) {
                Ok(password) => self.enter_account(now, &id, Some(password.into())),
                Err(_) => self.need_password(now, &id, format!("{variable} is not set")),
            }
        } else if keyring {
            self.fetch_password(id);
        } else {
            self.enter_account(now, &id, None);
        }
    }

    fn fetch_password(&self, id: String) {
        let (secrets, name) = (self.settings.secrets.clone(), id.clone());
        let work = tokio::task::spawn_blocking(move || secrets.get(&name));
        self.later(work, move |desk, now, result| match result {
            Ok(Ok(Some(password))) => desk.enter_account(now, &id, Some(password)),
            Ok(Ok(None)) => desk.need_password(now, &id, "no password is known".to_owned()),
            Ok(Err(error)) => {
                desk.no_keyring(now, &error);
                desk.need_password(now, &id, error.to_string());
            }
            Err(error) => desk.need_password(now, &id, error.to_string()),
        });
    }

    fn no_keyring(&mut self, now: Instant, error: &SecretsError) {
        self.notice(now, Code::NoKeyring, Some(error.to_string()), false);
    }

    fn need_password(&mut self, now: Instant, id: &str, detail: String) {
        let Some(account) = self.account_mut(id) else { return };
        account.password_needed = true;
        account.state = AccountState::Failed;
        account.reason = Some(Code::PasswordNeeded);
        account.detail = Some(detail);
        account.since = now;
        self.account_changed(now, id);
    }

    /// Gives the account to the user agent, which begins to register.
    fn enter_account(&mut self, now: Instant, id: &str, password: Option<SecretString>) {
        self.leave_account(now, id);
        let instance = self.instance_id();
        let Some(account) = self.accounts.iter_mut().find(|account| account.settings.id == id)
        else {
            return;
        };
        account.password_needed = false;
        account.signed = password.is_some();
        let ready = ua_config(&account.settings, password, instance)
            .and_then(|config| Ok((config, peering(&account.settings)?)));
        match ready {
            Ok((config, (domains, peering))) => {
                for domain in domains {
                    self.transport.set_peering(&domain, peering.clone());
                }
                account.reason = None;
                let ua = self.ua.add_account(now, config);
                account.ua = Some(ua);
            }
            Err(detail) => {
                account.state = AccountState::Failed;
                account.reason = Some(Code::BadConfig);
                account.detail = Some(detail);
                account.since = now;
                self.account_changed(now, id);
            }
        }
    }

    /// Takes the account out of the user agent; its calls end, its registration is taken back.
    fn leave_account(&mut self, now: Instant, id: &str) {
        let taken = self.account_mut(id).and_then(|account| account.ua.take());
        if let Some(ua) = taken
            && let Err(error) = self.ua.remove_account(now, ua)
        {
            debug!(%error, "account already gone");
        }
    }

    /// RFC 5626 section 4.1: one per run, since nothing of the machine is to be told.
    fn instance_id(&mut self) -> String {
        format!("urn:uuid:{}", self.random.uuid())
    }

    /// What the user agent tells about a registration.
    pub(super) fn registration_event(
        &mut self,
        now: Instant,
        ua: AccountId,
        state: RegistrationState,
        retry_at: Option<Instant>,
    ) {
        let trouble = self.trouble;
        let Some(account) = self.accounts.iter_mut().find(|account| account.ua == Some(ua)) else {
            return;
        };
        let held = match &state {
            RegistrationState::Registered { server, outbound, others, .. } => {
                let mut servers = vec![*server];
                servers.extend(others);
                Some((servers, *outbound))
            }
            _ => None,
        };
        let before = (account.state, account.reason);
        account.retry_at = retry_at;
        account.denied &= matches!(state, RegistrationState::Unregistered);
        let view = match account.denied {
            true => (AccountState::Failed, Some(Code::Forbidden), None),
            false => registration_view(&state, account.signed, trouble),
        };
        account.state = view.0;
        // A try that follows a failure is trouble still: its reason stands until the outcome is known.
        if account.state != AccountState::Registering || before.1.is_none() {
            (account.reason, account.detail) = (view.1, view.2);
        }
        if let RegistrationState::Registered {
            expires, contact, server, software, events, ..
        } = state
        {
            account.software = software.or(account.software.take());
            account.events = events;
            account.expires = Some(expires);
            account.contact = Some(contact.to_string());
            account.server = Some(server.addr);
            account.reliable = server.transport.reliable();
            account.secret = server.transport.secure();
        } else {
            (account.expires, account.contact) = (None, None);
        }
        let goes_on = before.1.is_some() && account.reason.is_some();
        if account.state != before.0 && !goes_on {
            account.since = now;
        }
        account.password_needed = account.reason == Some(Code::PasswordNeeded);
        let (id, registered) =
            (account.settings.id.clone(), account.state == AccountState::Registered);
        self.account_changed(now, &id);
        self.codes_registered(&id);
        self.features_registered(&id);
        if let Some((servers, flow)) = held {
            self.network.keep_alive(&self.transport, &id, &servers, flow);
        }
        if registered && before.0 != AccountState::Registered {
            self.subscribe_watches(now, &id);
            self.hurry_moves(now, &id);
        }
    }

    /// An account without a telephone stands as its exchange does.
    pub(super) fn remote_account(
        &mut self,
        now: Instant,
        id: &str,
        state: AccountState,
        reason: Option<Code>,
    ) {
        let Some(account) = self.account_mut(id) else { return };
        if (account.state, account.reason) == (state, reason) {
            return;
        }
        if account.state != state {
            account.since = now;
        }
        (account.state, account.reason) = (state, reason);
        account.password_needed = reason == Some(Code::AuthFailed);
        self.account_changed(now, id);
    }

    fn account_changed(&mut self, now: Instant, id: &str) {
        self.publisher.changed();
        let Some(account) = self.account(id) else { return };
        let event = AccountEvent {
            account: id.to_owned(),
            state: account.state,
            reason: account.reason,
            detail: account.detail.clone(),
            expires: account.expires,
            contact: account.contact.clone(),
        };
        self.event(now, Event::AccountState(event));
    }

    // --- commands ---

    pub(super) fn register(&mut self, now: Instant, id: &str) -> Result<Answer, ErrorReply> {
        let account = self.account(id).ok_or_else(|| unknown_account(id))?;
        let Some(ua) = account.ua else {
            return Err(ErrorReply::new(Code::PasswordNeeded, "the account has no password yet"));
        };
        self.ua.register(now, ua).map_err(|error| internal(&error))?;
        Ok(Answer::done())
    }

    /// The registrar allows this device no longer: it is not to try again by itself, and the user must know
    /// that nobody reaches him.
    pub(super) fn deny(&mut self, now: Instant, id: &str) {
        debug!(account = id, "the registrar allows this device no longer");
        if let Some(account) = self.account_mut(id) {
            account.denied = true;
        }
        if let Err(refusal) = self.unregister(now, id) {
            debug!(account = id, %refusal, "not unregistered");
        }
        self.notice(now, Code::Forbidden, Some(id.to_owned()), true);
    }

    pub(super) fn unregister(&mut self, now: Instant, id: &str) -> Result<Answer, ErrorReply> {
        let account = self.account(id).ok_or_else(|| unknown_account(id))?;
        if let Some(ua) = account.ua {
            self.ua.unregister(now, ua).map_err(|error| internal(&error))?;
        }
        Ok(Answer::done())
    }

    pub(super) fn unregister_all(&mut self, now: Instant) {
        for ua in self.accounts.iter().filter_map(|account| account.ua).collect::<Vec<_>>() {
            if let Err(error) = self.ua.unregister(now, ua) {
                debug!(%error, "not unregistered");
            }
        }
    }

    /// True when no server holds a registration of ours any more, as far as we can tell.
    pub(super) fn is_unregistered(&self) -> bool {
        self.accounts.iter().all(|account| {
            account.ua.is_none() || !account.settings.register || account.contact.is_none()
        }) && self.ua.unanswered_requests() == 0
    }

    /// Keeps a filled-in account. The answer comes when the keyring has answered.
    pub(super) fn save_account(&mut self, now: Instant, form: &AccountForm, reply: Reply) {
        let mut settings = match self.settings_of(form) {
            Ok(settings) => settings,
            Err(error) => return reply(Err(error)),
        };
        let id = settings.id.clone();
        let before = self.account(&id).map(|account| exchange_view(&account.settings));
        let another = before.is_none_or(|before| before != exchange_view(&settings));
        if another {
            // Another exchange, or none: the next one begins anew.
            self.end_exchange(now, &id);
            self.forget_directory(&id);
        }
        let (password, exchange) = self.given_passwords(form, &settings);
        self.leave_account(now, &id);
        if password.is_some() {
            settings.use_keyring();
        }
        if exchange.is_some() {
            settings.keep_exchange_password();
        }
        let relay = form.media.as_ref().and_then(MediaForm::typed_password);
        if relay.is_some() {
            settings.keep_relay_password();
        }
        let had_relay = self.account(&id).is_some_and(|known| known.settings.turn_keyring);
        if had_relay && !settings.turn_keyring {
            self.forget_secrets(vec![super::gather::relay_secret(&id)]);
        }
        self.put_settings(now, &settings);
        self.name_directory(&id);
        self.publisher.changed();
        match exchange {
            Some(secret) => self.keep_exchange_secret(now, &settings, secret),
            None if another && password.is_some() => self.begin_exchange(now, &settings),
            // It goes on as it is, or begins with its account.
            None => {}
        }
        match password {
            Some(password) => {
                self.keep_relays(&settings, relay);
                self.enter_account(now, &id, Some(password.clone()));
                self.keep_secret(id.clone(), password, move |_, session_only| {
                    reply(Ok(Answer::Account(AccountSaved { account: id, session_only })));
                });
            }
            None => {
                self.accounts.retain(|account| account.settings.id != id);
                self.begin_account(now, settings.clone(), false);
                self.keep_relays(&settings, relay);
                reply(Ok(Answer::Account(AccountSaved { account: id, session_only: false })));
            }
        }
    }

    /// The passwords of the telephone and of the exchange that a form brings: typed, or found by automatic set-up.
    fn given_passwords(
        &mut self,
        form: &AccountForm,
        settings: &AccountSettings,
    ) -> (Option<SecretString>, Option<SecretString>) {
        let mut password =
            Some(form.password.secret().clone()).filter(|_| !form.password.is_empty());
        let mut exchange = form.exchange.as_ref().and_then(ExchangeForm::typed_password);
        if let Some(token) = &form.discovered {
            // What was found is in the settings, its passwords too.
            password = password.or(settings.password.get());
            exchange =
                exchange.or_else(|| settings.xsi.as_ref().and_then(|xsi| xsi.password.get()));
            self.discoveries.forget(token);
        }
        (password.filter(|_| !settings.control_only), exchange)
    }

    /// Puts the settings of an account in the place of those before, written and running.
    fn put_settings(&mut self, now: Instant, settings: &AccountSettings) {
        let written = &mut self.settings.config.accounts;
        match written.iter_mut().find(|known| known.id == settings.id) {
            Some(known) => *known = settings.clone(),
            None => written.push(settings.clone()),
        }
        self.keep_settings(now);
        match self.account_mut(&settings.id) {
            Some(account) => account.settings = settings.clone(),
            None => self.accounts.push(Account::new(settings.clone(), false, now)),
        }
    }

    /// A password for an account: used at once, and kept where passwords are kept.
    pub(super) fn set_password(
        &mut self,
        now: Instant,
        id: &str,
        password: &Password,
        reply: Reply,
    ) {
        if self.account(id).is_none() {
            return reply(Err(unknown_account(id)));
        }
        self.enter_account(now, id, Some(password.secret().clone()));
        let kept = (id.to_owned(), password.secret().clone());
        self.keep_given_secret(now, id, AccountSettings::use_keyring, kept, reply);
    }

    pub(super) fn remove_account(&mut self, now: Instant, id: &str) -> Result<Answer, ErrorReply> {
        if self.account(id).is_none() {
            return Err(unknown_account(id));
        }
        self.forget_account(now, id);
        self.forget_directory(id);
        self.settings.config.accounts.retain(|account| account.id != id);
        self.keep_settings(now);
        let exchange = super::centre::secret_name(id);
        let relay = super::gather::relay_secret(id);
        self.forget_secrets(vec![exchange, relay, id.to_owned()]);
        Ok(Answer::done())
    }

    /// Takes an account away without touching the settings.
    pub(super) fn forget_account(&mut self, now: Instant, id: &str) {
        self.forget_watches(now, id);
        self.end_exchange(now, id);
        self.remotes.forget(id);
        self.leave_account(now, id);
        self.accounts.retain(|account| account.settings.id != id);
        self.colleagues.accounts_changed();
        self.publisher.changed();
    }

    pub(super) fn account(&self, id: &str) -> Option<&Account> {
        self.accounts.iter().find(|account| account.settings.id == id)
    }

    fn account_mut(&mut self, id: &str) -> Option<&mut Account> {
        self.accounts.iter_mut().find(|account| account.settings.id == id)
    }

    /// The settings that a form means: those of the account it changes, with the form's values.
    pub(super) fn settings_of(&self, form: &AccountForm) -> Result<AccountSettings, ErrorReply> {
        let known = form.id.as_deref().and_then(|id| self.account(id));
        let base = known.map(|account| account.settings.clone());
        let base = match form.discovered.as_deref() {
            Some(token) => {
                let found = self.discoveries.get(token).ok_or_else(|| {
                    ErrorReply::new(Code::NotFound, "what was found is not kept any more")
                })?;
                let id = base.map(|base| base.id).unwrap_or_default();
                Some(AccountSettings { id, ..found.clone() })
            }
            None => base,
        };
        let taken = |id: &str| self.account(id).is_some();
        apply_form(form, base, taken)
    }
}

/// What a registration's state means to people.
fn registration_view(
    state: &RegistrationState,
    signed: bool,
    trouble: Option<Code>,
) -> (AccountState, Option<Code>, Option<String>) {
    match state {
        RegistrationState::Unregistered => (AccountState::Unregistered, None, None),
        RegistrationState::Registering => (AccountState::Registering, None, None),
        RegistrationState::Registered { .. } => (AccountState::Registered, None, None),
        RegistrationState::Failed { status, cause } => {
            let code = match status {
                Some(status) => cause::of_registration_status(status.code(), signed),
                None if signed => Code::AuthFailed,
                None => Code::PasswordNeeded,
            };
            (AccountState::Failed, Some(code), Some(cause.clone()))
        }
        RegistrationState::Unreachable { cause } => {
            let code = trouble.unwrap_or(Code::ServerError);
            (AccountState::Unreachable, Some(code), Some(cause.clone()))
        }
    }
}

fn ua_config(
    settings: &AccountSettings,
    password: Option<SecretString>,
    instance_id: String,
) -> Result<AccountConfig, String> {
    settings.check().map_err(|(_, message)| message)?;
    let uri = |text: &str| Uri::parse(text).map_err(|error| format!("{text}: {error}"));
    let aor = uri(&settings.aor)?;
    let registrar = match settings.registrar.as_str() {
        "" => {
            let host = aor.host().cloned().ok_or("the address has no host")?;
            Uri::sip(None, host, aor.port())
        }
        text => uri(text)?,
    };
    let mut proxies = settings.outbound_proxy.all();
    let proxy = proxies.next();
    let username = match settings.auth_user.as_str() {
        "" => aor.user().unwrap_or_default(),
        name => name.to_owned(),
    };
    Ok(AccountConfig {
        display_name: Some(settings.display_name.clone()).filter(|name| !name.is_empty()),
        outbound_proxy: proxy.map(uri).transpose()?,
        further_proxies: proxies.map(uri).collect::<Result<_, _>>()?,
        credentials: password.map(|password| Credentials { username, password }),
        expires: settings.expires,
        instance_id,
        gruu: settings.gruu,
        ping: (settings.ping > 0).then(|| Duration::from_secs(u64::from(settings.ping))),
        register: settings.register,
        remote_control: settings.remote_control,
        accept_from: match settings.accepts() {
            AcceptFrom::Registrar => UaAccept::Registrar,
            AcceptFrom::Any => UaAccept::Any,
        },
        session_timer: match settings.session_timer {
            SessionTimer::Off => UaTimer::Off,
            SessionTimer::Supported => UaTimer::Supported,
            SessionTimer::Required => UaTimer::Required,
            SessionTimer::Always => UaTimer::Always,
        },
        session_expires: settings.session_expires,
        min_se: settings.min_se,
        ..AccountConfig::new(aor, registrar)
    })
}

/// The domains of an account's servers, and which authorities may vouch for them besides the system's.
pub(super) fn peering(settings: &AccountSettings) -> Result<(Vec<String>, Peering), String> {
    let hop = [settings.outbound_proxy.first(), &settings.registrar, &settings.aor];
    let hop = hop.into_iter().find(|text| !text.is_empty()).ok_or("no server is named")?;
    let domain = |hop: &str| {
        let host = Uri::parse(hop).ok().and_then(|uri| uri.host().cloned());
        host.map(|host| host.to_string()).ok_or_else(|| "the server is no address".to_owned())
    };
    let further = settings.outbound_proxy.all().skip(1);
    let domains = std::iter::once(hop).chain(further).map(domain).collect::<Result<_, _>>()?;
    Ok((domains, Peering { anchors: anchors(settings)?, websocket_path: None }))
}

/// Which authorities may vouch for an account's servers besides the system's.
pub(super) fn anchors(settings: &AccountSettings) -> Result<Anchors, String> {
    match settings.tls_ca_file.as_str() {
        "" => Ok(Anchors::default()),
        path => Anchors::from_pem_file(Path::new(path)).map_err(|error| error.to_string()),
    }
}

/// Puts a form's values over settings; a new account gets an id of its own.
fn apply_form(
    form: &AccountForm,
    base: Option<AccountSettings>,
    taken: impl Fn(&str) -> bool,
) -> Result<AccountSettings, ErrorReply> {
    let bad = |message: &str| ErrorReply::new(Code::BadRequest, message);
    let mut settings = base.unwrap_or_default();
    settings.control_only = form.control_only.unwrap_or(settings.control_only);
    if let Some(exchange) = &form.exchange {
        apply_exchange(exchange, &mut settings)?;
    }
    // Whose telephone is another one has his name at the exchange for an address.
    let at_exchange = settings.xsi.as_ref().filter(|_| settings.control_only);
    let at_exchange = at_exchange.map(|xsi| xsi.user.clone()).unwrap_or_default();
    let user = Some(form.user.trim()).filter(|user| !user.is_empty()).unwrap_or(&at_exchange);
    let address = strip_scheme(user);
    let (user, domain) = address.split_once('@').unwrap_or((address, ""));
    let server = strip_scheme(form.server.trim());
    let host_of_server = server.split(';').next().unwrap_or_default();
    let domain = if domain.is_empty() { host_of_server } else { domain };
    if user.is_empty() || domain.is_empty() {
        return Err(bad("an account needs a user name and a server"));
    }
    if user.contains(':') {
        return Err(bad("a user name has no colon: the password has its own field"));
    }
    let host: Host = {
        let probe = Uri::parse(&format!("sip:{domain}")).map_err(|_| bad("no usable domain"))?;
        probe.host().cloned().ok_or_else(|| bad("no usable domain"))?
    };
    if settings.id.is_empty() {
        settings.id = free_id(user, taken);
    }
    settings.display_name = form.display_name.trim().to_owned();
    settings.aor = Uri::sip(Some(user), host, None).to_string();
    let hop = if host_of_server.is_empty() { domain } else { host_of_server };
    settings.registrar = match form.transport {
        TransportChoice::Auto => format!("sip:{hop}"),
        TransportChoice::Udp => format!("sip:{hop};transport=udp"),
        TransportChoice::Tcp => format!("sip:{hop};transport=tcp"),
        TransportChoice::Tls => format!("sip:{hop};transport=tls"),
        TransportChoice::Wss => format!("sips:{hop};transport=ws"),
    };
    settings.auth_user = form.auth_user.trim().to_owned();
    settings.outbound_proxy =
        settings.outbound_proxy.with_first(match form.outbound_proxy.trim() {
            "" => String::new(),
            proxy => format!("sip:{}", strip_scheme(proxy)),
        });
    Uri::parse(&settings.registrar).map_err(|_| bad("the server is no address"))?;
    complete_exchange(&mut settings, user);
    if let Some(media) = &form.media {
        apply_media(media, &mut settings)?;
    }
    settings.check().map_err(|(_, message)| ErrorReply::new(Code::BadRequest, message))?;
    Ok(settings)
}

fn strip_scheme(text: &str) -> &str {
    text.strip_prefix("sip:").unwrap_or(text)
}

fn free_id(user: &str, taken: impl Fn(&str) -> bool) -> String {
    let word: String = user.chars().filter(char::is_ascii_alphanumeric).take(24).collect();
    let word = if word.is_empty() { "account".to_owned() } else { word };
    let numbered = (2..).map(|n: u32| format!("{word}-{n}"));
    std::iter::once(word.clone()).chain(numbered).find(|id| !taken(id)).unwrap_or(word)
}

pub(super) fn unknown_account(id: &str) -> ErrorReply {
    ErrorReply::new(Code::UnknownAccount, format!("there is no account {id:?}"))
}

pub(super) fn internal(error: &dyn std::error::Error) -> ErrorReply {
    ErrorReply::new(Code::Internal, error.to_string())
}

/// How the form shows an account: server, transport.
pub(super) fn form_view(settings: &AccountSettings) -> (String, TransportChoice) {
    let Ok(uri) = Uri::parse(match settings.registrar.as_str() {
        "" => &settings.aor,
        registrar => registrar,
    }) else {
        return (String::new(), TransportChoice::Auto);
    };
    let transport = match uri.transport() {
        Some(sip_types::Transport::Udp) => TransportChoice::Udp,
        Some(sip_types::Transport::Ws | sip_types::Transport::Wss) if uri.is_sips() => {
            TransportChoice::Wss
        }
        Some(sip_types::Transport::Wss) => TransportChoice::Wss,
        Some(sip_types::Transport::Tls) => TransportChoice::Tls,
        Some(sip_types::Transport::Tcp) => TransportChoice::Tcp,
        _ => TransportChoice::Auto,
    };
    let host = uri.host().map(ToString::to_string).unwrap_or_default();
    let server = uri.port().map_or(host.clone(), |port| format!("{host}:{port}"));
    (server, transport)
}

/// Patience for one try of an account form.
pub(super) const TRIAL: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests {
    use super::*;

    fn form(user: &str, server: &str) -> AccountForm {
        AccountForm { user: user.into(), server: server.into(), ..AccountForm::default() }
    }

    fn settings(form: &AccountForm) -> AccountSettings {
        apply_form(form, None, |id| id == "101").unwrap()
    }

    #[test]
    fn a_form_becomes_an_account() {
        let plain = settings(&form("jan", "pbx.example"));
        assert_eq!((plain.id.as_str(), plain.aor.as_str()), ("jan", "sip:jan@pbx.example"));
        assert_eq!(plain.registrar, "sip:pbx.example");
        let whole = settings(&form("sip:101@pbx.example", "10.0.0.1:5080"));
        assert_eq!((whole.id.as_str(), whole.aor.as_str()), ("101-2", "sip:101@pbx.example"));
        assert_eq!(whole.registrar, "sip:10.0.0.1:5080");
        let mut tcp = form("101@pbx.example", "");
        tcp.transport = TransportChoice::Tcp;
        let tcp = settings(&tcp);
        assert_eq!(tcp.registrar, "sip:pbx.example;transport=tcp");
        assert_eq!(form_view(&tcp), ("pbx.example".to_owned(), TransportChoice::Tcp));
        for (user, server) in [("", "x"), ("101", ""), ("101", "b c"), ("101:pw@b", "")] {
            let error = apply_form(&form(user, server), None, |_| false).unwrap_err();
            assert_eq!(error.code, Code::BadRequest, "{user} {server}");
        }
    }

    #[test]
    fn a_refused_password_is_told_apart_from_a_missing_one() {
        let state = RegistrationState::Failed { status: None, cause: String::new() };
        assert_eq!(registration_view(&state, true, None).1, Some(Code::AuthFailed));
        assert_eq!(registration_view(&state, false, None).1, Some(Code::PasswordNeeded));
        let state = RegistrationState::Unreachable { cause: String::new() };
        let view = registration_view(&state, true, Some(Code::DnsFailure));
        assert_eq!((view.0, view.1), (AccountState::Unreachable, Some(Code::DnsFailure)));
    }
}

//! Automatic set-up: from the user name and password of the exchange's web services to an account.
//!
//! The password is tried once. What was found is kept for a while under a token, its passwords with it, so that
//! a front end can show the form and give it back without ever having seen them.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use pbx_broadworks::session::SessionConfig;
use pbx_broadworks::{
    Actions, AddressError, Anchors, Client, ClientConfig, Credentials, HttpFailure, Lane, Release,
    Service, SetupError, XsiError, fetch_setup, locate, wire::Profile,
};
use secrecy::SecretString;
use sip_core::Random;
use sip_types::Uri;

use super::Reply;
use super::accounts::form_view;
use super::desk::Desk;
use crate::code::Code;
use crate::config::{AccountSettings, Proxies, SetupSettings, XsiSettings};
use crate::control::{Answer, DiscoveredAccount, ErrorReply, Password};

/// How long one search may take.
const PATIENCE: Duration = Duration::from_secs(40);
/// How long what was found is kept, and how much of it.
const KEPT: Duration = Duration::from_secs(15 * 60);
const MOST: usize = 4;

/// What was found and has not been saved yet.
#[derive(Default)]
pub(super) struct Discoveries {
    found: BTreeMap<String, (Instant, AccountSettings)>,
    running: bool,
}

/// What to look for.
struct Wish {
    user: String,
    password: SecretString,
    server: String,
    setup: SetupSettings,
    random: Random,
}

/// An account that was found: what it is set up with, and why it has no telephone of its own.
struct Found {
    settings: AccountSettings,
    profile: Profile,
    missing: Option<SetupError>,
}

impl Discoveries {
    /// What was found under that token.
    pub(super) fn get(&self, token: &str) -> Option<&AccountSettings> {
        self.found.get(token).map(|(_, settings)| settings)
    }

    /// It has been saved.
    pub(super) fn forget(&mut self, token: &str) {
        self.found.remove(token);
    }

    fn keep(&mut self, now: Instant, token: String, settings: AccountSettings) {
        self.found.retain(|_, (since, _)| now.duration_since(*since) < KEPT);
        while self.found.len() >= MOST {
            let oldest = self.found.iter().min_by_key(|(_, (since, _))| *since);
            let Some(oldest) = oldest.map(|(token, _)| token.clone()) else { break };
            self.found.remove(&oldest);
        }
        self.found.insert(token, (now, settings));
    }
}

impl Desk {
    /// Looks for the account that belongs to this user name and password.
    pub(super) fn discover_account(
        &mut self,
        user: &str,
        password: &Password,
        server: &str,
        reply: Reply,
    ) {
        let user = user.trim().to_owned();
        if user.is_empty() || password.is_empty() {
            let text = "user name and password are needed";
            return reply(Err(ErrorReply::new(Code::BadRequest, text)));
        }
        // Wrong passwords in a row lock users out: one search at a time, one try each.
        if std::mem::replace(&mut self.discoveries.running, true) {
            let text = "an account is being looked for already";
            return reply(Err(ErrorReply::new(Code::WrongState, text)));
        }
        let wish = Wish {
            user,
            password: password.secret().clone(),
            server: server.trim().to_owned(),
            setup: self.settings.config.setup.clone(),
            random: self.random.fork(),
        };
        let token = self.random.token(24);
        let search = async move {
            let late = || ErrorReply::new(Code::Timeout, "the exchange does not answer");
            tokio::time::timeout(PATIENCE, find(wish)).await.unwrap_or_else(|_| Err(late()))
        };
        self.later(search, move |desk, now, found| {
            desk.discoveries.running = false;
            reply(found.map(|found| {
                let answer = shown(&found, token.clone());
                desk.discoveries.keep(now, token, found.settings);
                Answer::Discovered(Box::new(answer))
            }));
        });
    }
}

/// The form of what was found, without its passwords.
fn shown(found: &Found, token: String) -> DiscoveredAccount {
    let Found { settings, profile, missing } = found;
    let (server, transport) = form_view(settings);
    let telephone = missing.is_none();
    let text = |text: &str| if telephone { text.to_owned() } else { String::new() };
    DiscoveredAccount {
        token,
        display_name: settings.display_name.clone(),
        user: text(settings.aor.trim_start_matches("sip:")),
        server: text(&server),
        auth_user: settings.auth_user.clone(),
        outbound_proxy: settings.outbound_proxy.first().trim_start_matches("sip:").to_owned(),
        transport,
        has_password: settings.password.get().is_some(),
        number: contacts::show(&profile.number),
        extension: profile.extension.clone(),
        exchange_user: settings.xsi.as_ref().map(|xsi| xsi.user.clone()).unwrap_or_default(),
        missing: missing.as_ref().map(|error| match error {
            SetupError::NoDevice | SetupError::NoCredentials => Code::SetupUnavailable,
            SetupError::Http(failure) => of_http(failure),
            SetupError::InClear => Code::TlsFailure,
            _ => Code::ServerError,
        }),
        detail: missing.as_ref().map(ToString::to_string),
    }
}

async fn find(wish: Wish) -> Result<Found, ErrorReply> {
    let Wish { user, password, server, setup, mut random } = wish;
    let service = service_of(&user, &server, &mut random).await?;
    let channels = format!("setup-{:016x}", random.u64());
    let config = ClientConfig {
        session: SessionConfig::new(&user, &channels, "balie-setup"),
        service: service.clone(),
        anchors: Anchors::default(),
        proxies: true,
    };
    let (client, notices) =
        Client::start(config, random.fork()).map_err(|error| refused(&XsiError::Http(error)))?;
    // Nobody is told of anything here; an unread notice would stop the client.
    tokio::spawn(drain(notices));
    client.sign_in(Credentials::Basic { user: user.clone(), password: password.clone() }).await;
    let found = look(&client, &user, &service, &setup, &mut random).await;
    client.close().await;
    let (profile, telephone) = found?;
    let xsi = XsiSettings {
        actions_url: address(&service, &server, false),
        events_url: address(&service, &server, true),
        user: user.clone(),
        password: password.into(),
        ..XsiSettings::default()
    };
    let base = AccountSettings {
        display_name: profile.name(),
        aor: format!("sip:{user}"),
        xsi: Some(xsi),
        ..AccountSettings::default()
    };
    Ok(match telephone {
        Ok(telephone) => {
            let settings =
                AccountSettings { display_name: base.display_name, xsi: base.xsi, ..telephone };
            Found { settings, profile, missing: None }
        }
        Err(missing) => Found { settings: base, profile, missing: Some(missing) },
    })
}

async fn drain(mut notices: tokio::sync::mpsc::Receiver<pbx_broadworks::Notice>) {
    while notices.recv().await.is_some() {}
}

/// Where the web services are: at the named server, or where the name service says.
async fn service_of(user: &str, server: &str, random: &mut Random) -> Result<Service, ErrorReply> {
    if server.is_empty() {
        let domain = user.rsplit_once('@').map(|(_, domain)| domain).unwrap_or_default();
        if domain.is_empty() {
            let text = "the user name has no domain: name the server";
            return Err(ErrorReply::new(Code::BadTarget, text));
        }
        return locate(domain, &[], random)
            .await
            .map_err(|error| ErrorReply::new(Code::DnsFailure, error.to_string()));
    }
    let address = match server.contains("://") {
        true => server.to_owned(),
        false => format!("https://{server}"),
    };
    Service::from_addresses(&address, &address).map_err(|error| {
        let code = match error {
            AddressError::InClear => Code::TlsFailure,
            AddressError::NoAddress | AddressError::TooMuch => Code::BadTarget,
        };
        ErrorReply::new(code, error.to_string())
    })
}

/// The address that is written into the settings; empty where the name service is to be asked again.
fn address(service: &Service, server: &str, events: bool) -> String {
    if server.is_empty() {
        return String::new();
    }
    let servers = if events { &service.events } else { &service.actions };
    servers.first().map(ToString::to_string).unwrap_or_default()
}

type Telephone = Result<AccountSettings, SetupError>;

/// The first request proves the password; the rest asks for the telephone.
async fn look(
    client: &Client,
    user: &str,
    service: &Service,
    setup: &SetupSettings,
    random: &mut Random,
) -> Result<(Profile, Telephone), ErrorReply> {
    let actions = Actions::new(user, Release::default()).map_err(|error| refused(&error))?;
    let profile =
        client.run(actions.profile().map_err(|error| refused(&error))?, Lane::Interactive);
    let profile = profile.await.map_err(|error| refused(&error))?;
    let Some(server) = service.actions.first() else {
        return Err(ErrorReply::new(Code::DnsFailure, "no server is known"));
    };
    let (anchors, paths) = (Anchors::default(), setup.paths());
    let kind = Some(setup.device_type.as_str()).filter(|kind| !kind.is_empty());
    let config = fetch_setup(client, &actions, server, &anchors, kind, &paths, random).await;
    let telephone = config.and_then(|config| {
        if !config.is_complete() {
            return Err(SetupError::NoCredentials);
        }
        let line = config.line_port.unwrap_or_default();
        let settings = AccountSettings {
            aor: format!("sip:{line}"),
            registrar: registrar(&line, config.domain.as_deref()),
            outbound_proxy: proxies(config.proxy.map(|proxy| format!("sip:{proxy}"))),
            auth_user: config.auth_user.unwrap_or_default(),
            password: config.auth_password.unwrap_or_else(|| String::new().into()).into(),
            ..AccountSettings::default()
        };
        // What the file says is a stranger's word: an address that is none is no account.
        let settings = without_detour(settings);
        settings.check().map(|()| settings).map_err(|_| SetupError::NoCredentials)
    });
    Ok((profile, telephone))
}

fn proxies(one: Option<String>) -> Proxies {
    Proxies::default().with_first(one.unwrap_or_default())
}

/// Where an address registers: at its own domain, or at the one of the file when it has none.
fn registrar(line: &str, domain: Option<&str>) -> String {
    let own = line.rsplit_once('@').map(|(_, domain)| domain);
    own.or(domain).map(|domain| format!("sip:{domain}")).unwrap_or_default()
}

/// A proxy that is the registrar itself is none.
fn without_detour(settings: AccountSettings) -> AccountSettings {
    let place = |text: &str| Uri::parse(text).ok().map(|uri| (uri.host().cloned(), uri.port()));
    let same = place(settings.outbound_proxy.first()) == place(&settings.registrar);
    match same {
        true => AccountSettings { outbound_proxy: Proxies::default(), ..settings },
        false => settings,
    }
}

fn of_http(failure: &HttpFailure) -> Code {
    match failure {
        HttpFailure::Unreachable | HttpFailure::Broken => Code::ConnectionFailed,
        HttpFailure::Tls(_) => Code::TlsFailure,
        HttpFailure::Timeout => Code::Timeout,
        HttpFailure::TooLarge => Code::ServerError,
    }
}

fn refused(error: &XsiError) -> ErrorReply {
    let code = match error {
        XsiError::CredentialsRefused | XsiError::NotSignedIn => Code::AuthFailed,
        XsiError::Forbidden(_) => Code::Forbidden,
        XsiError::NotFound(_) => Code::NotFound,
        XsiError::BadValue(_) => Code::BadRequest,
        XsiError::Http(failure) => of_http(failure),
        XsiError::Overloaded { .. } | XsiError::Full | XsiError::Expired => Code::Unavailable,
        _ => Code::ServerError,
    };
    ErrorReply::new(code, error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_that_is_the_registrar_is_left_out() {
        let settings = |proxy: &str| AccountSettings {
            registrar: registrar("101@pbx.example", Some("other.example")),
            outbound_proxy: proxies(Some(proxy.to_owned())),
            ..AccountSettings::default()
        };
        assert_eq!(without_detour(settings("sip:pbx.example")).outbound_proxy.first(), "");
        let elsewhere = without_detour(settings("sip:sbc.pbx.example:5080"));
        assert_eq!(elsewhere.outbound_proxy.first(), "sip:sbc.pbx.example:5080");
        assert_eq!(elsewhere.registrar, "sip:pbx.example");
        assert_eq!(registrar("101", Some("other.example")), "sip:other.example");
    }

    #[test]
    fn what_was_found_is_kept_for_a_while() {
        let now = super::super::desk::now();
        let mut discoveries = Discoveries::default();
        for n in 0..9 {
            let at = now + Duration::from_secs(n);
            discoveries.keep(at, format!("token{n}"), AccountSettings::default());
        }
        assert!(discoveries.get("token8").is_some() && discoveries.get("token4").is_none());
        discoveries.keep(now + KEPT * 2, "late".into(), AccountSettings::default());
        assert!(discoveries.get("token8").is_none() && discoveries.get("late").is_some());
        discoveries.forget("late");
        assert!(discoveries.get("late").is_none());
    }
}

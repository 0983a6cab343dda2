//! The exchange of an account in the account form: its settings as the form shows them, and the settings that a
//! filled-in form means. Pure functions.

use sip_types::Uri;

use crate::code::Code;
use crate::config::{AccountSettings, AsteriskSettings, XsiSettings};
use crate::control::{ErrorReply, ExchangeForm};
use crate::view::ExchangeSettingsView;

/// Where the actions are, unless an operator has put them elsewhere.
const ACTIONS: &str = "/com.broadsoft.xsi-actions";

/// How the form shows the exchange of an account.
pub(super) fn exchange_view(settings: &AccountSettings) -> Option<ExchangeSettingsView> {
    let broadworks = |xsi: &XsiSettings| ExchangeSettingsView::Broadworks {
        server: server_of(xsi),
        user: xsi.user.clone(),
    };
    let asterisk = |ami: &AsteriskSettings| ExchangeSettingsView::Asterisk {
        host: ami.host.clone(),
        port: ami.port,
        tls: ami.tls,
        user: ami.user.clone(),
        interface: ami.interface.clone(),
    };
    settings.xsi.as_ref().map(broadworks).or_else(|| settings.asterisk.as_ref().map(asterisk))
}

/// The server alone where both addresses follow from it.
fn server_of(xsi: &XsiSettings) -> String {
    let base = xsi.events_url.trim_end_matches('/');
    match xsi.actions_url == format!("{base}{ACTIONS}") {
        true => base.strip_prefix("https://").unwrap_or(base).to_owned(),
        false => xsi.actions_url.clone(),
    }
}

/// Puts what a form says of the exchange over settings, but for its password.
///
/// # Errors
/// [`Code::BadRequest`] when a field that is needed is empty or no address.
pub(super) fn apply_exchange(
    form: &ExchangeForm,
    settings: &mut AccountSettings,
) -> Result<(), ErrorReply> {
    let bad = |message: &str| ErrorReply::new(Code::BadRequest, message);
    match form {
        ExchangeForm::None => (settings.xsi, settings.asterisk) = (None, None),
        ExchangeForm::Broadworks { server, user, .. } => {
            let before = settings.xsi.take().unwrap_or_default();
            let (server, user) = (server.trim(), user.trim());
            if server.is_empty() || user.is_empty() {
                return Err(bad("the web services need a server and a user name"));
            }
            let addresses = match server == server_of(&before) {
                true => (before.actions_url.clone(), before.events_url.clone()),
                false => addresses(server).ok_or_else(|| bad("the server is no address"))?,
            };
            settings.asterisk = None;
            settings.xsi = Some(XsiSettings {
                actions_url: addresses.0,
                events_url: addresses.1,
                user: user.to_owned(),
                ..before
            });
        }
        ExchangeForm::Asterisk { host, port, tls, user, interface, .. } => {
            let before = settings.asterisk.take().unwrap_or_default();
            let (host, user) = (host.trim(), user.trim());
            if host.is_empty() || user.is_empty() {
                return Err(bad("the manager interface needs a host and a user name"));
            }
            settings.xsi = None;
            settings.asterisk = Some(AsteriskSettings {
                host: host.to_owned(),
                port: *port,
                tls: *tls,
                user: user.to_owned(),
                interface: interface.trim().to_owned(),
                ..before
            });
        }
    }
    Ok(())
}

/// Who gave no telephone for the manager interface has the usual one.
pub(super) fn complete_exchange(settings: &mut AccountSettings, user: &str) {
    if let Some(ami) = settings.asterisk.as_mut().filter(|ami| ami.interface.is_empty()) {
        ami.interface = format!("PJSIP/{user}");
    }
}

/// The addresses of the actions and of the events at a server, which is a host or an address.
fn addresses(server: &str) -> Option<(String, String)> {
    let (scheme, rest) = server.split_once("://").unwrap_or(("https", server));
    if !matches!(scheme, "https" | "http") {
        return None;
    }
    let (host, path) = rest.split_once('/').map_or((rest, ""), |(host, path)| (host, path));
    Uri::parse(&format!("sip:{host}")).ok().filter(|uri| uri.user().is_none())?;
    let base = format!("{scheme}://{host}");
    let actions = match path.trim_end_matches('/') {
        "" => format!("{base}{ACTIONS}"),
        path => format!("{base}/{path}"),
    };
    Some((actions, base))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn broadworks(server: &str) -> ExchangeForm {
        let (server, user) = (server.to_owned(), "jan@pbx.example".to_owned());
        ExchangeForm::Broadworks { server, user, password: Default::default() }
    }

    #[test]
    fn a_server_becomes_the_two_addresses_and_back() {
        for (typed, actions, shown) in [
            ("xsp.example", "https://xsp.example/com.broadsoft.xsi-actions", "xsp.example"),
            (
                "http://127.0.0.1:8080/",
                "http://127.0.0.1:8080/com.broadsoft.xsi-actions",
                "http://127.0.0.1:8080",
            ),
            ("https://xsp.example/other", "https://xsp.example/other", "https://xsp.example/other"),
        ] {
            let mut settings = AccountSettings::default();
            apply_exchange(&broadworks(typed), &mut settings).unwrap();
            assert_eq!(settings.xsi.as_ref().unwrap().actions_url, actions);
            let view = exchange_view(&settings).unwrap();
            let user = "jan@pbx.example".to_owned();
            let server = shown.to_owned();
            assert_eq!(view, ExchangeSettingsView::Broadworks { server, user });
            // What was shown and is sent back changes nothing.
            let before = settings.clone();
            apply_exchange(&broadworks(shown), &mut settings).unwrap();
            assert_eq!(settings, before);
        }
        for wrong in ["", "ftp://xsp.example", "jan@xsp.example", "xsp example"] {
            let refused = apply_exchange(&broadworks(wrong), &mut AccountSettings::default());
            assert_eq!(refused.unwrap_err().code, Code::BadRequest, "{wrong}");
        }
    }

    #[test]
    fn one_exchange_takes_the_place_of_the_other() {
        let mut settings = AccountSettings::default();
        apply_exchange(&broadworks("xsp.example"), &mut settings).unwrap();
        let asterisk = ExchangeForm::Asterisk {
            host: "pbx.example".to_owned(),
            port: 0,
            tls: true,
            user: "balie".to_owned(),
            password: crate::control::Password::new("geheim".to_owned()),
            interface: String::new(),
        };
        apply_exchange(&asterisk, &mut settings).unwrap();
        complete_exchange(&mut settings, "101");
        assert!(asterisk.typed_password().is_some() && settings.xsi.is_none());
        let ami = settings.asterisk.as_ref().unwrap();
        assert_eq!((ami.interface.as_str(), ami.tls), ("PJSIP/101", true));
        apply_exchange(&ExchangeForm::None, &mut settings).unwrap();
        assert_eq!(exchange_view(&settings), None);
    }
}

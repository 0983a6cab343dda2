//! Who calls and who is called: what we say of ourselves, and whom we believe
//! (RFC 3261 From and To, RFC 3323, RFC 3325, RFC 5806, RFC 7044).

use sip_types::{HeaderName, Headers, Host, NameAddr, Uri};

use crate::{Identity, OutgoingCall, account::Account, message::name_addr};

/// From of a new call, with our tag, and the headers that go with it.
pub(crate) fn originator(
    account: &Account,
    call: &OutgoingCall,
    tag: &str,
) -> (NameAddr, Vec<(HeaderName, String)>) {
    let mut headers = Vec::new();
    let own = match &call.identity {
        Some(identity) => {
            if let Some(asserted) = &identity.asserted {
                headers.push((HeaderName::PAssertedIdentity, asserted.to_string()));
            }
            name_addr(identity.display.clone(), identity.uri.clone())
        }
        None => name_addr(account.config.display_name.clone(), account.config.aor.clone()),
    };
    if !call.withhold_identity {
        return (own.with_tag(tag), headers);
    }
    // The server still has to know who calls (RFC 3325 section 9.2); it keeps that to itself.
    headers.push((HeaderName::Privacy, "id".to_owned()));
    if call.identity.is_none() {
        headers.push((HeaderName::PPreferredIdentity, own.to_string()));
    }
    (anonymous().with_tag(tag), headers)
}

/// Who sent an INVITE. `trusted`: the sender's word for others is taken (RFC 3325 section 5).
pub(crate) fn caller(headers: &Headers, trusted: bool) -> Identity {
    let from = headers.from().unwrap_or_else(|_| anonymous());
    let hidden = headers.get(&HeaderName::Privacy).is_some_and(|value| {
        value.split([';', ',']).any(|word| {
            let word = word.trim().to_ascii_lowercase();
            matches!(word.as_str(), "id" | "user" | "header")
        })
    });
    identity(headers, from, trusted, hidden)
}

/// Who answered our INVITE.
pub(crate) fn callee(headers: &Headers, trusted: bool) -> Identity {
    let to = headers.to().unwrap_or_else(|_| anonymous());
    identity(headers, to, trusted, false)
}

/// Who sent the call on to us last.
pub(crate) fn diverted_from(headers: &Headers) -> Option<NameAddr> {
    let diversions = headers.diversions().unwrap_or_default();
    if let Some(latest) = diversions.into_iter().next() {
        return Some(latest);
    }
    // The entry before the last is who was tried before us; why it was left stands on the last
    // (RFC 4458 cause) or on itself (Reason).
    let mut entries = headers.history_info().unwrap_or_default();
    let last = entries.pop()?;
    let before = entries.pop()?;
    let diverted = last.address.uri.param("cause").is_some() || before.reason().is_some();
    diverted.then(|| NameAddr { uri: before.address.uri.without_headers(), ..before.address })
}

fn identity(headers: &Headers, shown: NameAddr, trusted: bool, hidden: bool) -> Identity {
    let withheld = hidden || is_anonymous(&shown.uri);
    let asserted = if trusted { asserted(headers) } else { None };
    match asserted {
        // The server vouches that nobody is to be shown: that is not whom was called.
        Some(address) if is_anonymous(&address.uri) => {
            Identity { uri: address.uri, display: None, asserted: true, withheld: true }
        }
        Some(address) => Identity {
            display: address.display.or(shown.display.filter(|_| !withheld)),
            uri: address.uri,
            asserted: true,
            withheld,
        },
        None => Identity { uri: shown.uri, display: shown.display, asserted: false, withheld },
    }
}

/// The first sip identity, else whatever comes first (a tel URI).
fn asserted(headers: &Headers) -> Option<NameAddr> {
    let list = headers.asserted_identities().unwrap_or_default();
    let sip = list.iter().find(|address| address.uri.is_sip()).cloned();
    sip.or_else(|| list.into_iter().next())
}

fn is_anonymous(uri: &Uri) -> bool {
    let user = uri.user().is_some_and(|user| user.eq_ignore_ascii_case("anonymous"));
    let host = matches!(uri.host(), Some(Host::Name(name)) if name.eq_ignore_ascii_case("anonymous.invalid"));
    user || host
}

fn anonymous() -> NameAddr {
    let host = Host::Name("anonymous.invalid".to_owned());
    name_addr(Some("Anonymous".to_owned()), Uri::sip(Some("anonymous"), host, None))
}

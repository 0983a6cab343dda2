//! Sources of contacts as people fill them in, and what they mean.

use std::path::Path;

use contact_sources::{
    Access, Anchors, CardDavSettings, DirectoryField, Encryption, GraphSettings, LdapSettings,
    OutlookSettings, Settings, Source, SourceError,
};
use contacts::NumberKey;
use contacts::import::{Contact, Label, Numbered};
use sip_core::Random;
use store::NewReading;

use crate::code::Code;
use crate::control::{
    ErrorReply, NewContact, SourceEncryption, SourceForm, SourcePlace, SourceSettings,
};
use crate::view::sources::{SourceField, SourceTrouble};

/// Longest text of a form, characters.
const TEXT: usize = 1_000;
/// Most numbers of a contact that is added.
const NUMBERS: usize = 20;

/// What a form is kept as.
pub(super) fn reading_of(form: &SourceForm) -> Result<NewReading, ErrorReply> {
    let bad = |error: &SourceError| ErrorReply::new(Code::BadValue, error.to_string());
    let settings = &form.settings;
    let text = serde_json::to_string(settings)
        .map_err(|error| ErrorReply::new(Code::Internal, error.to_string()))?;
    if text.len() > 16 * TEXT {
        return Err(ErrorReply::new(Code::BadValue, "that is too long"));
    }
    // Whether it can be used at all; the file with authorities may yet come.
    let tried = meaning(settings, Anchors::default()).and_then(|meant| {
        contact_sources::open(&meant, Access::with(None), Random::from_seed([0; 32]))
    });
    if let Err(error) = tried {
        return Err(bad(&error));
    }
    let (microsoft, outlook) = ("Microsoft 365".to_owned(), "Outlook".to_owned());
    let (kind, server) = match &settings.place {
        SourcePlace::Carddav { address, .. } => ("carddav", address),
        SourcePlace::Ldap { host, .. } => ("ldap", host),
        SourcePlace::Microsoft { .. } => ("microsoft", &microsoft),
        SourcePlace::Outlook {} => ("outlook", &outlook),
        SourcePlace::Exchange { account } => (store::EXCHANGE, account),
    };
    let name = if form.name.trim().is_empty() { server.trim() } else { form.name.trim() };
    Ok(NewReading { kind: kind.to_owned(), name: short(name), settings: text })
}

/// And back; none for what another version wrote.
pub(super) fn settings_of(reading: &NewReading) -> Option<SourceSettings> {
    serde_json::from_str(&reading.settings).ok()
}

/// The source with these settings. Reads the file with authorities.
pub(super) fn open(
    settings: &SourceSettings,
    access: Access,
    random: Random,
) -> Result<Box<dyn Source>, SourceError> {
    contact_sources::open(&meaning(settings, anchors_of(settings)?)?, access, random)
}

/// What somebody signs in to; none: there is no such thing there. Reads the file with authorities.
pub(super) fn account_of(settings: &SourceSettings) -> Result<Option<GraphSettings>, SourceError> {
    Ok(match meaning(settings, anchors_of(settings)?)? {
        Settings::Graph(graph) => Some(graph),
        Settings::CardDav(_) | Settings::Ldap(_) | Settings::Outlook(_) => None,
    })
}

fn anchors_of(settings: &SourceSettings) -> Result<Anchors, SourceError> {
    let file = settings.tls_ca_file.trim();
    match file.is_empty() {
        true => Ok(Anchors::default()),
        false => Anchors::from_pem_file(Path::new(file))
            .map_err(|_| SourceError::BadSetting("certificate file")),
    }
}

fn meaning(settings: &SourceSettings, anchors: Anchors) -> Result<Settings, SourceError> {
    let (own, notes) = (settings.own_dnd, settings.call_notes);
    Ok(match settings.place.clone() {
        SourcePlace::Carddav { address, user, calendars } => {
            let user = user.trim().to_owned();
            let calendars = calendars || own;
            Settings::CardDav(CardDavSettings { address, user, calendars, notes, anchors })
        }
        SourcePlace::Microsoft {
            tenant,
            client,
            contacts,
            users,
            people,
            calendars,
            mailboxes,
            login,
            service,
        } => {
            let parts = mailboxes.split([',', ';', ' ', '\n']);
            let mailboxes = parts.map(|part| part.trim().to_owned());
            let mailboxes = mailboxes.filter(|part| !part.is_empty()).collect();
            Settings::Graph(GraphSettings {
                tenant,
                client,
                contacts,
                users,
                people,
                calendars: calendars || own,
                notes,
                mailboxes,
                login,
                service,
                anchors,
            })
        }
        SourcePlace::Outlook {} => Settings::Outlook(OutlookSettings {}),
        // Its account reads it, and nobody fills it in.
        SourcePlace::Exchange { .. } => return Err(SourceError::BadSetting("kind")),
        SourcePlace::Ldap { host, port, encryption, user, base, filter, attributes } => {
            let names = |text: &str| -> Vec<String> {
                let names = text.split(',').map(|name| name.trim().to_owned());
                names.filter(|name| !name.is_empty()).collect()
            };
            let attributes = attributes.iter().map(|(field, text)| (field_of(*field), names(text)));
            Settings::Ldap(LdapSettings {
                host,
                port,
                encryption: match encryption {
                    SourceEncryption::Tls => Encryption::Tls,
                    SourceEncryption::StartTls => Encryption::StartTls,
                    SourceEncryption::None => Encryption::None,
                },
                user,
                base,
                filter,
                attributes: attributes.filter(|(_, names)| !names.is_empty()).collect(),
                anchors,
            })
        }
    })
}

fn field_of(field: SourceField) -> DirectoryField {
    match field {
        SourceField::Name => DirectoryField::Name,
        SourceField::Company => DirectoryField::Company,
        SourceField::Department => DirectoryField::Department,
        SourceField::JobTitle => DirectoryField::JobTitle,
        SourceField::Email => DirectoryField::Email,
        SourceField::Remark => DirectoryField::Remark,
        SourceField::Work => DirectoryField::Number(Label::Work),
        SourceField::Mobile => DirectoryField::Number(Label::Mobile),
        SourceField::Home => DirectoryField::Number(Label::Home),
        SourceField::Main => DirectoryField::Number(Label::Main),
        SourceField::Assistant => DirectoryField::Number(Label::Assistant),
        SourceField::Fax => DirectoryField::Number(Label::Fax),
        SourceField::Pager => DirectoryField::Number(Label::Pager),
        SourceField::Other => DirectoryField::Number(Label::Other),
    }
}

/// Somebody signs in there, so that a password is needed.
pub(super) fn has_user(settings: &SourceSettings) -> bool {
    match &settings.place {
        SourcePlace::Carddav { address, user, .. } => {
            !user.trim().is_empty() || address.contains('@')
        }
        SourcePlace::Ldap { user, .. } => !user.trim().is_empty(),
        SourcePlace::Microsoft { .. } => true,
        SourcePlace::Outlook {} | SourcePlace::Exchange { .. } => false,
    }
}

/// What is missing where the secret is.
pub(super) fn lack_of(settings: &SourceSettings) -> SourceTrouble {
    match &settings.place {
        SourcePlace::Microsoft { .. } => SourceTrouble::SignIn,
        SourcePlace::Carddav { .. }
        | SourcePlace::Ldap { .. }
        | SourcePlace::Outlook {}
        | SourcePlace::Exchange { .. } => SourceTrouble::PasswordNeeded,
    }
}

pub(super) fn takes_contacts(settings: &SourceSettings) -> bool {
    matches!(settings.place, SourcePlace::Carddav { .. })
}

/// Whom a password is for: the server and the way to it, and the user.
pub(super) fn server_of(settings: &SourceSettings) -> String {
    match &settings.place {
        SourcePlace::Carddav { address, user, .. } => {
            format!("{}\n{}", address.trim(), user.trim())
        }
        SourcePlace::Ldap { host, port, encryption, user, .. } => {
            format!("{}\n{port}\n{encryption:?}\n{}", host.trim(), user.trim())
        }
        SourcePlace::Outlook {} => "outlook".to_owned(),
        SourcePlace::Exchange { account } => format!("exchange\n{account}"),
        SourcePlace::Microsoft { tenant, client, login, service, .. } => {
            let parts = [tenant, client, login, service].map(|part| part.trim());
            format!("microsoft\n{}", parts.join("\n"))
        }
    }
}

/// Whom to add, with numbers that are some.
pub(super) fn contact_of(new: NewContact) -> Result<Contact, ErrorReply> {
    let bad = |text: String| Err(ErrorReply::new(Code::BadValue, text));
    let mut numbers = Vec::new();
    for number in new.numbers {
        if NumberKey::of(&number.number).is_none() || numbers.len() >= NUMBERS {
            return bad(format!("{:?} is no number", number.number));
        }
        let labels = [
            Label::Work,
            Label::Mobile,
            Label::Home,
            Label::Main,
            Label::Assistant,
            Label::Fax,
            Label::Pager,
            Label::Other,
        ];
        let word = if number.label.is_empty() { "work" } else { &number.label };
        let Some(label) = labels.into_iter().find(|label| label.as_str() == word) else {
            return bad(format!("{word:?} is no kind of number"));
        };
        numbers.push(Numbered { label, number: number.number });
    }
    let text = |text: String| short(text.trim());
    let contact = Contact {
        name: text(new.name),
        company: text(new.company),
        email: text(new.email),
        remark: text(new.remark),
        numbers,
        ..Contact::default()
    };
    match contact.name.is_empty() {
        true => bad("a contact has a name".to_owned()),
        false => Ok(contact),
    }
}

/// One line, not too long.
pub(super) fn short(text: &str) -> String {
    text.chars().filter(|char| !char.is_control()).take(TEXT).collect()
}

pub(super) fn trouble_of(error: &SourceError) -> SourceTrouble {
    match error {
        SourceError::BadAddress => SourceTrouble::BadAddress,
        SourceError::BadSetting(_) => SourceTrouble::BadSetting,
        SourceError::UnknownHost => SourceTrouble::UnknownHost,
        SourceError::Unreachable => SourceTrouble::Unreachable,
        SourceError::Tls(_) => SourceTrouble::Tls,
        SourceError::Timeout => SourceTrouble::Timeout,
        SourceError::Broken => SourceTrouble::Broken,
        SourceError::Refused => SourceTrouble::Refused,
        SourceError::SignIn => SourceTrouble::SignIn,
        SourceError::Consent => SourceTrouble::Consent,
        SourceError::Declined => SourceTrouble::Declined,
        SourceError::AuthMethod => SourceTrouble::AuthMethod,
        SourceError::Forbidden => SourceTrouble::Forbidden,
        SourceError::NotFound => SourceTrouble::NotFound,
        SourceError::NotASource => SourceTrouble::NotASource,
        SourceError::Elsewhere => SourceTrouble::Elsewhere,
        SourceError::Overloaded { .. } => SourceTrouble::Overloaded,
        SourceError::Server(_) => SourceTrouble::Server,
        SourceError::Malformed => SourceTrouble::Malformed,
        SourceError::Excess(_) => SourceTrouble::TooMuch,
        SourceError::ReadOnly => SourceTrouble::ReadOnly,
    }
}

pub(super) fn code_of(error: &SourceError) -> Code {
    match error {
        SourceError::BadAddress | SourceError::BadSetting(_) => Code::BadValue,
        SourceError::UnknownHost => Code::DnsFailure,
        SourceError::Unreachable => Code::ConnectionFailed,
        SourceError::Tls(_) => Code::TlsFailure,
        SourceError::Timeout => Code::Timeout,
        SourceError::Broken => Code::ConnectionLost,
        SourceError::Refused | SourceError::SignIn | SourceError::Declined => Code::AuthFailed,
        SourceError::Consent | SourceError::Forbidden | SourceError::Elsewhere => Code::Forbidden,
        SourceError::NotFound | SourceError::NotASource => Code::UnknownEntry,
        SourceError::AuthMethod | SourceError::ReadOnly => Code::NotSupported,
        SourceError::Overloaded { .. }
        | SourceError::Server(_)
        | SourceError::Malformed
        | SourceError::Excess(_) => Code::ServerError,
    }
}

/// The stable word of a trouble.
pub(super) fn word_of(trouble: SourceTrouble) -> String {
    let value = serde_json::to_value(trouble).unwrap_or_default();
    value.as_str().unwrap_or_default().to_owned()
}

/// And back; none for a word of another version.
pub(super) fn trouble_word(word: &str) -> Option<SourceTrouble> {
    serde_json::from_value(serde_json::Value::String(word.to_owned())).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control::NewNumber;

    fn form(place: &str) -> SourceForm {
        serde_json::from_str(&format!("{{\"settings\":{{\"place\":{place}}}}}")).unwrap()
    }

    #[test]
    fn a_form_is_kept_without_its_password_and_read_back() {
        let mut dav = form(r#"{"kind":"carddav","address":"dav.example.nl"}"#);
        dav.password = crate::control::Password::new("hunter2");
        let kept = reading_of(&dav).unwrap();
        assert_eq!((kept.kind.as_str(), kept.name.as_str()), ("carddav", "dav.example.nl"));
        assert!(!format!("{kept:?} {dav:?}").contains("hunter2"));
        let settings = settings_of(&kept).unwrap();
        assert_eq!(settings, dav.settings);
        assert_eq!(settings.every_minutes, 15);
        assert!(!has_user(&settings) && takes_contacts(&settings));
        let ldap =
            form(r#"{"kind":"ldap","host":"ad","user":"jan","attributes":{"work":"ipPhone, x"}}"#);
        assert_eq!(reading_of(&ldap).unwrap().kind, "ldap");
        assert!(has_user(&ldap.settings) && !takes_contacts(&ldap.settings));
        let Ok(Settings::Ldap(meant)) = meaning(&ldap.settings, Anchors::default()) else {
            panic!()
        };
        assert_eq!(
            meant.attributes,
            [(DirectoryField::Number(Label::Work), vec!["ipPhone".into(), "x".into()])]
        );
    }

    #[test]
    fn an_account_is_signed_in_to_and_has_no_password() {
        let text =
            r#"{"kind":"microsoft","client":"app","users":true,"mailboxes":"a@b.nl, c@d.nl;"}"#;
        let graph = form(text);
        let kept = reading_of(&graph).unwrap();
        assert_eq!((kept.kind.as_str(), kept.name.as_str()), ("microsoft", "Microsoft 365"));
        assert!(has_user(&graph.settings) && !takes_contacts(&graph.settings));
        assert_eq!(lack_of(&graph.settings), SourceTrouble::SignIn);
        let account = account_of(&graph.settings).unwrap().unwrap();
        assert_eq!(account.mailboxes, ["a@b.nl", "c@d.nl"]);
        let less = form(r#"{"kind":"microsoft","client":"app","contacts":true}"#);
        assert_eq!(server_of(&graph.settings), server_of(&less.settings));
        let other = form(r#"{"kind":"microsoft","client":"app","login":"https://evil.example"}"#);
        assert_ne!(server_of(&graph.settings), server_of(&other.settings));
        let dav = form(r#"{"kind":"carddav","address":"dav.example.nl"}"#);
        assert!(account_of(&dav.settings).unwrap().is_none());
    }

    #[test]
    fn what_cannot_be_used_is_refused_at_once() {
        for place in [
            r#"{"kind":"carddav","address":""}"#,
            r#"{"kind":"carddav","address":"https://jan:pw@x.nl/"}"#,
            r#"{"kind":"ldap","host":"a b"}"#,
            r#"{"kind":"microsoft","client":"app"}"#,
            r#"{"kind":"microsoft","client":"a b","users":true}"#,
            r#"{"kind":"microsoft","client":"app","users":true,"service":"http://a"}"#,
            r#"{"kind":"ldap","host":"a","filter":"(x"}"#,
            r#"{"kind":"ldap","host":"a","attributes":{"name":"a b"}}"#,
        ] {
            assert_eq!(reading_of(&form(place)).unwrap_err().code, Code::BadValue, "{place}");
        }
    }

    #[test]
    fn a_password_stays_with_its_server() {
        let settings = |place: &str| server_of(&form(place).settings);
        let here = settings(r#"{"kind":"ldap","host":"a","user":"jan"}"#);
        assert_eq!(here, settings(r#"{"kind":"ldap","host":"a","user":"jan","filter":"(a=b)"}"#));
        for other in [
            r#"{"kind":"ldap","host":"b","user":"jan"}"#,
            r#"{"kind":"ldap","host":"a","user":"jan","encryption":"none"}"#,
            r#"{"kind":"carddav","address":"a","user":"jan"}"#,
        ] {
            assert_ne!(here, settings(other));
        }
    }

    #[test]
    fn a_contact_to_add_has_a_name_and_real_numbers() {
        let number =
            |label: &str, number: &str| NewNumber { label: label.into(), number: number.into() };
        let new = |name: &str, numbers| NewContact {
            name: name.into(),
            numbers,
            ..NewContact::default()
        };
        let jan = contact_of(new(" Jan ", vec![number("", "06 12345678"), number("home", "101")]))
            .unwrap();
        assert_eq!((jan.name.as_str(), jan.numbers[0].label), ("Jan", Label::Work));
        for bad in [
            new(" ", vec![]),
            new("Jan", vec![number("", "geen")]),
            new("Jan", vec![number("x", "101")]),
        ] {
            assert_eq!(contact_of(bad).unwrap_err().code, Code::BadValue);
        }
    }

    #[test]
    fn words_of_troubles_are_read_back() {
        assert_eq!(
            trouble_word(&word_of(SourceTrouble::NotASource)),
            Some(SourceTrouble::NotASource)
        );
        assert_eq!(trouble_word("of another version"), None);
    }
}

//! Encryption and the ways of sound in the account form: the settings as the form shows them, and the settings that a
//! filled-in form means. Pure functions.

use crate::code::Code;
use crate::config::{AccountSettings, Secret, Srtp, SrtpKeying};
use crate::control::{EncryptionChoice, ErrorReply, KeyingChoice, MediaForm};
use crate::view::media::MediaSettingsView;

/// How the form shows them.
pub(super) fn media_view(settings: &AccountSettings) -> MediaSettingsView {
    MediaSettingsView {
        encryption: match settings.srtp {
            Srtp::Off => EncryptionChoice::Off,
            Srtp::Optional => EncryptionChoice::WhenPossible,
            Srtp::Required => EncryptionChoice::Always,
        },
        keying: match settings.srtp_keying {
            SrtpKeying::Sdes => KeyingChoice::Sdes,
            SrtpKeying::Dtls => KeyingChoice::Dtls,
            SrtpKeying::Both => KeyingChoice::Both,
        },
        silence_suppression: settings.silence_suppression,
        ice: settings.ice,
        stun: settings.stun.clone(),
        turn: settings.turn.first().to_owned(),
        turn_user: settings.turn_user.clone(),
        turn_password_known: knows_relay_password(settings),
    }
}

fn knows_relay_password(settings: &AccountSettings) -> bool {
    settings.turn_keyring
        || !settings.turn_password_env.is_empty()
        || settings.turn_password.get().is_some()
}

/// Puts what a form says of them over settings, but for the password at the relays.
///
/// # Errors
/// [`Code::BadRequest`] when a server is none, or when the name or the password at the relay is missing.
pub(super) fn apply_media(
    form: &MediaForm,
    settings: &mut AccountSettings,
) -> Result<(), ErrorReply> {
    let bad = |message: &str| Err(ErrorReply::new(Code::BadRequest, message));
    settings.srtp = match form.encryption {
        EncryptionChoice::Off => Srtp::Off,
        EncryptionChoice::WhenPossible => Srtp::Optional,
        EncryptionChoice::Always => Srtp::Required,
    };
    settings.srtp_keying = match form.keying {
        KeyingChoice::Sdes => SrtpKeying::Sdes,
        KeyingChoice::Dtls => SrtpKeying::Dtls,
        KeyingChoice::Both => SrtpKeying::Both,
    };
    settings.silence_suppression = form.silence_suppression;
    settings.ice = form.ice;
    if !form.ice {
        return Ok(());
    }
    settings.stun = form.stun.trim().to_owned();
    if !settings.stun.is_empty() && settings.stun_server().is_none() {
        return bad("the STUN server is no host and port");
    }
    settings.turn = settings.turn.with_first(form.turn.trim().to_owned());
    settings.turn_user = form.turn_user.trim().to_owned();
    if settings.turn.first().is_empty() {
        settings.forget_relay_password();
        settings.turn_user.clear();
        return Ok(());
    }
    if settings.relays().len() != settings.turn.all().count() {
        return bad("the relay is no host and port");
    }
    if settings.turn_user.is_empty() {
        return bad("the relay needs a user name");
    }
    if form.typed_password().is_none() && !knows_relay_password(settings) {
        return bad("the relay needs a password");
    }
    Ok(())
}

impl AccountSettings {
    /// From now on the password of the relays is in the keyring, and what a file or the environment says is void.
    pub(super) fn keep_relay_password(&mut self) {
        self.forget_relay_password();
        self.turn_keyring = true;
    }

    fn forget_relay_password(&mut self) {
        self.turn_keyring = false;
        self.turn_password_env.clear();
        self.turn_password = Secret::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control::Password;

    fn form() -> MediaForm {
        MediaForm {
            encryption: EncryptionChoice::Always,
            keying: KeyingChoice::Both,
            silence_suppression: true,
            ice: true,
            stun: " stun.example:3479 ".to_owned(),
            turn: "turns:turn.example".to_owned(),
            turn_user: "jan".to_owned(),
            turn_password: Password::new("geheim"),
        }
    }

    fn shown(view: &MediaSettingsView) -> MediaForm {
        let MediaSettingsView {
            encryption,
            keying,
            silence_suppression,
            ice,
            stun,
            turn,
            turn_user,
            ..
        } = view.clone();
        let turn_password = Password::default();
        MediaForm {
            encryption,
            keying,
            silence_suppression,
            ice,
            stun,
            turn,
            turn_user,
            turn_password,
        }
    }

    #[test]
    fn what_a_form_says_is_what_it_shows_again() {
        use {EncryptionChoice as E, KeyingChoice as K};
        for (encryption, srtp) in
            [(E::Off, Srtp::Off), (E::WhenPossible, Srtp::Optional), (E::Always, Srtp::Required)]
        {
            for (keying, srtp_keying) in [
                (K::Sdes, SrtpKeying::Sdes),
                (K::Dtls, SrtpKeying::Dtls),
                (K::Both, SrtpKeying::Both),
            ] {
                let mut settings = AccountSettings::default();
                apply_media(&MediaForm { encryption, keying, ..form() }, &mut settings).unwrap();
                assert_eq!((settings.srtp, settings.srtp_keying), (srtp, srtp_keying));
                assert_eq!(settings.stun, "stun.example:3479");
                settings.keep_relay_password();
                let view = media_view(&settings);
                assert_eq!((view.encryption, view.keying), (encryption, keying));
                assert_eq!((view.ice, view.turn_password_known), (true, true));
                // What was shown and is sent back changes nothing.
                let before = settings.clone();
                apply_media(&shown(&view), &mut settings).unwrap();
                assert_eq!(settings, before);
            }
        }
    }

    #[test]
    fn a_password_of_a_relay_never_stands_in_the_settings() {
        let mut settings = AccountSettings::default();
        apply_media(&form(), &mut settings).unwrap();
        settings.keep_relay_password();
        assert!(settings.turn_password.get().is_none());
        assert!(!toml::to_string(&settings).unwrap().contains("geheim"));
        assert!(!format!("{:?}", form()).contains("geheim"));
    }

    #[test]
    fn without_a_relay_there_is_no_password_and_without_checks_nothing_is_touched() {
        let mut settings = AccountSettings::default();
        apply_media(&form(), &mut settings).unwrap();
        settings.keep_relay_password();
        let nothing = MediaForm::default();
        apply_media(&nothing, &mut settings).unwrap();
        assert_eq!((settings.ice, settings.turn.first()), (false, "turns:turn.example"));
        assert!(settings.turn_keyring);
        let none = MediaForm { turn: String::new(), ..form() };
        assert!(none.typed_password().is_none());
        apply_media(&none, &mut settings).unwrap();
        assert_eq!((settings.turn_user.as_str(), settings.turn_keyring), ("", false));
        assert!(!media_view(&settings).turn_password_known);
    }

    #[test]
    fn what_is_no_server_or_lacks_its_name_or_password_is_refused() {
        for wrong in [
            MediaForm { stun: "stun example".to_owned(), ..form() },
            MediaForm { turn: "jan@turn.example".to_owned(), ..form() },
            MediaForm { turn: "turn:turn.example?transport=sctp".to_owned(), ..form() },
            MediaForm { turn_user: " ".to_owned(), ..form() },
            MediaForm { turn_password: Password::default(), ..form() },
        ] {
            let refused = apply_media(&wrong, &mut AccountSettings::default());
            assert_eq!(refused.unwrap_err().code, Code::BadRequest, "{wrong:?}");
        }
    }
}

//! Signing in at the web services (reference, section 2).

use base64::{Engine as _, engine::general_purpose::STANDARD};
use secrecy::{ExposeSecret, SecretString};

/// What a user signs in with. Never printed.
#[derive(Clone, Debug)]
pub enum Credentials {
    /// The password of the web portal, or number and voice-portal PIN.
    Basic {
        /// `user@domain`, or the number.
        user: String,
        /// Password or PIN.
        password: SecretString,
    },
    /// The password of the SIP account, in later releases.
    Sip {
        /// `user@domain`.
        user: String,
        /// User name of the SIP account.
        sip_user: String,
        /// Password of the SIP account.
        password: SecretString,
    },
    /// A token of `profile/LoginToken`, which lives for a minute.
    Sso(SecretString),
    /// A token of the operator's own sign-in.
    Bearer {
        /// The token.
        token: SecretString,
        /// Version that such services want to be told (`X-BroadWorks-Protocol-Version`).
        protocol: Option<String>,
    },
}

impl Credentials {
    /// The value of `Authorization`.
    pub(crate) fn authorization(&self) -> SecretString {
        let value = match self {
            Self::Basic { user, password } => format!("Basic {}", pair(user, password)),
            Self::Sip { user, sip_user, password } => format!(
                "BroadWorksSIP basic=\"{}\",sipUser=\"{}\"",
                pair(user, password),
                STANDARD.encode(sip_user)
            ),
            Self::Sso(token) => format!("BroadWorksSSO {}", token.expose_secret()),
            Self::Bearer { token, .. } => format!("Bearer {}", token.expose_secret()),
        };
        SecretString::from(value)
    }

    /// The version that is told besides.
    pub(crate) fn protocol(&self) -> Option<&str> {
        match self {
            Self::Bearer { protocol, .. } => protocol.as_deref(),
            _ => None,
        }
    }
}

fn pair(user: &str, password: &SecretString) -> String {
    STANDARD.encode(format!("{user}:{}", password.expose_secret()))
}

#[cfg(test)]
mod tests {
    use secrecy::{ExposeSecret, SecretString};

    use super::Credentials;

    fn header(credentials: &Credentials) -> String {
        credentials.authorization().expose_secret().to_owned()
    }

    #[test]
    fn every_way_to_sign_in_has_its_header() {
        let password = SecretString::from("geheim".to_owned());
        let basic =
            Credentials::Basic { user: "jan@pbx.example".to_owned(), password: password.clone() };
        assert_eq!(header(&basic), "Basic amFuQHBieC5leGFtcGxlOmdlaGVpbQ==");
        let sip = Credentials::Sip {
            user: "jan@pbx.example".to_owned(),
            sip_user: "101".to_owned(),
            password,
        };
        assert_eq!(
            header(&sip),
            "BroadWorksSIP basic=\"amFuQHBieC5leGFtcGxlOmdlaGVpbQ==\",sipUser=\"MTAx\""
        );
        let token = SecretString::from("abc".to_owned());
        assert_eq!(header(&Credentials::Sso(token.clone())), "BroadWorksSSO abc");
        let bearer = Credentials::Bearer { token, protocol: Some("25.0".to_owned()) };
        assert_eq!((header(&bearer).as_str(), bearer.protocol()), ("Bearer abc", Some("25.0")));
        assert!(!format!("{basic:?} {sip:?} {bearer:?}").contains("geheim"));
        assert!(!format!("{bearer:?}").contains("abc"));
    }
}

//! Who the user is and what phones he has (reference, section 3.1).

use secrecy::SecretString;

use super::number_of;
use crate::{DocumentError, xml::Element};

/// Who the user is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Profile {
    /// The user's name at the exchange.
    pub user_id: String,
    /// First name.
    pub first_name: String,
    /// Last name.
    pub last_name: String,
    /// The group.
    pub group_id: String,
    /// The enterprise or service provider.
    pub service_provider: String,
    /// It is an enterprise.
    pub is_enterprise: bool,
    /// Full number; empty when there is none.
    pub number: String,
    /// Extension; empty when there is none.
    pub extension: String,
    /// Mobile number; empty when not told.
    pub mobile: String,
    /// Mail address; empty when not told.
    pub email: String,
    /// Department; empty when not told.
    pub department: String,
    /// Days until the password ends.
    pub password_expires_days: Option<i32>,
    /// Country code.
    pub country_code: Option<String>,
    /// What national numbers begin with.
    pub national_prefix: Option<String>,
    /// Time zone.
    pub time_zone: Option<String>,
}

impl Profile {
    /// Reads a profile.
    ///
    /// # Errors
    /// It does not say who the user is.
    pub fn read(root: &Element) -> Result<Self, DocumentError> {
        let details = root.child("details").ok_or(DocumentError::Missing("details"))?;
        let nothing = Element::default();
        let more = root.child("additionalDetails").unwrap_or(&nothing);
        let provider = details.child("serviceProvider").or_else(|| details.child("enterprise"));
        Ok(Self {
            user_id: details.needed("userId")?,
            first_name: details.string("firstName"),
            last_name: details.string("lastName"),
            group_id: details.string("groupId"),
            service_provider: provider.and_then(Element::words).unwrap_or_default().to_owned(),
            is_enterprise: provider.is_some_and(|one| {
                one.name == "enterprise" || one.attribute("isEnterprise") == Some("true")
            }),
            number: number_of(&details.string("number")).to_owned(),
            extension: number_of(&details.string("extension")).to_owned(),
            mobile: number_of(&more.string("mobile")).to_owned(),
            email: more.string("emailAddress"),
            department: more.string("department"),
            password_expires_days: root.number("passwordExpiresDays"),
            country_code: root.text_of("countryCode"),
            national_prefix: root.text_of("nationalPrefix"),
            time_zone: root.text_of("timeZone"),
        })
    }

    /// The name for people.
    pub fn name(&self) -> String {
        format!("{} {}", self.first_name, self.last_name).trim().to_owned()
    }
}

/// A feature code that can be dialled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeatureCode {
    /// The feature, in the server's word.
    pub name: String,
    /// The code.
    pub code: String,
    /// Another code for the same.
    pub alternate: Option<String>,
}

/// Reads `profile/Fac`.
pub fn read_codes(root: &Element) -> Vec<FeatureCode> {
    let read = |one: &Element| {
        Some(FeatureCode {
            name: one.text_of("codeName")?,
            code: one.text_of("code")?,
            alternate: one.text_of("alternateCode"),
        })
    };
    root.all("featureAccessCode").filter_map(read).collect()
}

/// A phone of the user that is registered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registration {
    /// Its address.
    pub uri: Option<String>,
    /// The line it registered for.
    pub line_port: Option<String>,
    /// What it calls itself.
    pub user_agent: Option<String>,
    /// Until when, in the server's words.
    pub expiration: Option<String>,
}

/// Reads `profile/Registrations`.
pub fn read_registrations(root: &Element) -> Vec<Registration> {
    let read = |one: &Element| Registration {
        uri: one.text_of("uri"),
        line_port: one.text_of("linePort"),
        user_agent: one.text_of("userAgent"),
        expiration: one.text_of("expiration"),
    };
    root.all("registration").map(read).collect()
}

/// User name and password of a phone's own.
#[derive(Clone, Debug)]
pub struct DeviceCredentials {
    /// User name.
    pub user: String,
    /// Password.
    pub password: SecretString,
}

/// A phone that the exchange knows.
#[derive(Clone, Debug)]
pub struct AccessDevice {
    /// Its name.
    pub name: String,
    /// `System`, `Service Provider` or `Group`.
    pub level: String,
    /// Its kind: `Business Communicator - PC`, and others.
    pub kind: String,
    /// The line on it.
    pub line_port: Option<String>,
    /// Where its configuration is fetched.
    pub kind_url: Option<String>,
    /// How it fetches it, where the operator tells (reference, section 6).
    pub credentials: Option<DeviceCredentials>,
    /// It may be called.
    pub allow_termination: Option<bool>,
    /// How it is connected.
    pub endpoint: Option<String>,
}

/// Reads `profile/Device`.
pub fn read_devices(root: &Element) -> Vec<AccessDevice> {
    root.all("accessDevice").map(read_device).collect()
}

fn read_device(one: &Element) -> AccessDevice {
    let credentials = one.child("deviceUserNamePassword").and_then(|pair| {
        Some(DeviceCredentials {
            user: pair.text_of("userName")?,
            password: SecretString::from(pair.string("password")),
        })
    });
    AccessDevice {
        name: one.string("deviceName"),
        level: one.string("deviceLevel"),
        kind: one.string("deviceType"),
        line_port: one.text_of("deviceLinePort"),
        kind_url: one.text_of("deviceTypeUrl"),
        credentials,
        allow_termination: one.boolean("allowTermination"),
        endpoint: one.text_of("endpointType"),
    }
}

/// Reads `LoginToken` and `DeviceToken`, which live for a minute.
///
/// # Errors
/// There is no token.
pub fn read_token(root: &Element) -> Result<SecretString, DocumentError> {
    root.needed("token").map(SecretString::from)
}

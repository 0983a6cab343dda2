//! Automatic set-up: from the user's own password to the account of his soft phone (reference, section 6).
//!
//! The exchange names a device and its credentials, the device-management server gives its configuration
//! behind Digest. How that configuration is laid out is the operator's choice and not known in general, so
//! where its values stand is configured as paths of element names.

use std::time::Duration;

use reqwest::header::{AUTHORIZATION, HeaderValue, WWW_AUTHENTICATE};
use secrecy::{ExposeSecret, SecretString};
use sip_core::Random;
use trust::Anchors;

use crate::{
    Actions, Client, DocumentError, HttpFailure, Lane, Origin, XsiError,
    digest::Challenge,
    driver::Web,
    wire::{AccessDevice, DeviceCredentials},
    xml::{self, Element},
};

/// The kind of device that stands for a soft phone on a computer, where nothing else is configured.
const KIND: &str = "Business Communicator - PC";
/// Where its configuration is, where the exchange does not say.
const PATH: &str = "/dms/bc/pc/config.xml";
/// The name of the file, where the exchange says only the folder.
const FILE: &str = "config.xml";

/// Why there is no automatic set-up.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// The exchange refuses or cannot be reached.
    #[error(transparent)]
    Exchange(#[from] XsiError),
    /// No device of a soft phone is assigned to the user.
    #[error("no device of a soft phone is assigned to this user")]
    NoDevice,
    /// The operator does not let out how the device signs in.
    #[error("the operator does not tell how the device signs in")]
    NoCredentials,
    /// The configuration would come over a connection that everybody can read.
    #[error("the configuration is offered over an unsafe connection only")]
    InClear,
    /// The device-management server refuses the device's credentials.
    #[error("the device's own credentials are refused")]
    Refused,
    /// The device-management server answers with this status.
    #[error("the configuration is not there (status {0})")]
    Status(u16),
    /// No answer.
    #[error(transparent)]
    Http(#[from] HttpFailure),
    /// The configuration cannot be read.
    #[error(transparent)]
    Document(#[from] DocumentError),
}

/// Where the values stand in the configuration: several paths for each, the first that leads somewhere
/// counts. A path is a row of element names, `*` stands for any, and an attribute comes last behind `@`:
/// `protocols/sip/*/domain`, `account/@user`. A single name is looked for everywhere.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConfigPaths {
    /// The SIP domain or registrar.
    pub domain: Vec<String>,
    /// The outbound proxy.
    pub proxy: Vec<String>,
    /// The address of the account: line and port in BroadWorks' words.
    pub line_port: Vec<String>,
    /// The user name for authentication.
    pub auth_user: Vec<String>,
    /// The password for authentication.
    pub auth_password: Vec<String>,
    /// The address of the list of watched lines.
    pub lamp_list: Vec<String>,
}

/// What the configuration says of the account.
#[derive(Clone, Debug, Default)]
pub struct DeviceConfig {
    /// The SIP domain or registrar.
    pub domain: Option<String>,
    /// The outbound proxy.
    pub proxy: Option<String>,
    /// The address of the account.
    pub line_port: Option<String>,
    /// The user name for authentication.
    pub auth_user: Option<String>,
    /// The password for authentication.
    pub auth_password: Option<SecretString>,
    /// The address of the list of watched lines.
    pub lamp_list: Option<String>,
}

impl DeviceConfig {
    /// Reads a configuration.
    ///
    /// # Errors
    /// It is no document of XML.
    pub fn read(
        bytes: &[u8],
        content_type: Option<&str>,
        paths: &ConfigPaths,
    ) -> Result<Self, DocumentError> {
        let root = xml::read(bytes, content_type)?;
        let get = |paths: &[String]| paths.iter().find_map(|path| find(&root, path));
        Ok(Self {
            domain: get(&paths.domain),
            proxy: get(&paths.proxy),
            line_port: get(&paths.line_port),
            auth_user: get(&paths.auth_user),
            auth_password: get(&paths.auth_password).map(SecretString::from),
            lamp_list: get(&paths.lamp_list),
        })
    }

    /// Enough for an account: whom to register as, where, and how to prove it.
    pub fn is_complete(&self) -> bool {
        self.line_port.is_some()
            && self.auth_password.is_some()
            && (self.domain.is_some() || self.proxy.is_some())
    }
}

/// The value at a path; operators' templates that were not filled in (`%TAG%`) are no values.
fn find(root: &Element, path: &str) -> Option<String> {
    let steps: Vec<&str> = path.split('/').filter(|step| !step.is_empty()).collect();
    let value = match steps.as_slice() {
        [] => None,
        [name] if !name.starts_with('@') => {
            root.anywhere(name).and_then(Element::words).map(str::to_owned)
        }
        steps => walk(root, steps),
    };
    value.filter(|value| !(value.len() > 1 && value.starts_with('%') && value.ends_with('%')))
}

fn walk(element: &Element, steps: &[&str]) -> Option<String> {
    let Some((step, rest)) = steps.split_first() else {
        return element.words().map(str::to_owned);
    };
    if let Some(name) = step.strip_prefix('@') {
        return element.attribute(name).filter(|value| !value.is_empty()).map(str::to_owned);
    }
    let fits = |child: &&Element| *step == "*" || child.name == *step;
    element.children.iter().filter(fits).find_map(|child| walk(child, rest))
}

/// The device to set up: the one of the wanted kind with credentials, else any soft phone with credentials.
///
/// # Errors
/// There is none, or none with credentials.
pub fn select_device<'a>(
    devices: &'a [AccessDevice],
    kind: Option<&str>,
) -> Result<(&'a AccessDevice, &'a DeviceCredentials), SetupError> {
    let kind = kind.unwrap_or(KIND);
    let with = |device: &'a AccessDevice| Some((device, device.credentials.as_ref()?));
    let wanted = devices.iter().filter(|device| device.kind.eq_ignore_ascii_case(kind));
    let found = wanted.clone().find_map(with).or_else(|| devices.iter().find_map(with));
    match (found, devices.is_empty()) {
        (Some(found), _) => Ok(found),
        (None, true) => Err(SetupError::NoDevice),
        (None, false) => Err(SetupError::NoCredentials),
    }
}

/// Where the configuration of a device is.
fn location(device: &AccessDevice, server: &Origin) -> Result<(Origin, String), SetupError> {
    let Some(url) = &device.kind_url else { return Ok((server.clone(), PATH.to_owned())) };
    let (origin, path) = Origin::parse(url).map_err(|_| SetupError::InClear)?;
    let is_file = path.rsplit('/').next().is_some_and(|last| last.contains('.'));
    Ok((origin, if is_file { path } else { format!("{path}/{FILE}") }))
}

/// Asks the exchange for the device of the user's soft phone, and fetches its configuration.
///
/// # Errors
/// See [`SetupError`].
pub async fn fetch_setup(
    client: &Client,
    actions: &Actions,
    server: &Origin,
    anchors: &Anchors,
    kind: Option<&str>,
    paths: &ConfigPaths,
    random: &mut Random,
) -> Result<DeviceConfig, SetupError> {
    let devices = client.run(actions.devices(None, true)?, Lane::Interactive).await?;
    let (device, credentials) = select_device(&devices, kind)?;
    let (origin, path) = location(device, server)?;
    let cnonce = random.token(24);
    let mut config = download(&origin, &path, credentials, anchors, &cnonce, paths).await?;
    if config.line_port.is_none() {
        config.line_port.clone_from(&device.line_port);
    }
    Ok(config)
}

async fn download(
    origin: &Origin,
    path: &str,
    credentials: &DeviceCredentials,
    anchors: &Anchors,
    cnonce: &str,
    paths: &ConfigPaths,
) -> Result<DeviceConfig, SetupError> {
    let http = Web::new(anchors, true)?.build(origin, None)?;
    let url = format!("{origin}{path}");
    let patience = Duration::from_secs(15);
    let first = http.get(&url).timeout(patience).send().await;
    let first = first.map_err(|error| crate::driver::failure(&error))?;
    let answer = if first.status().as_u16() == 401 {
        let values = first.headers().get_all(WWW_AUTHENTICATE);
        let values = values.iter().filter_map(|value| value.to_str().ok());
        let challenge = Challenge::strongest(values).ok_or(SetupError::Refused)?;
        let DeviceCredentials { user, password } = credentials;
        let header = SecretString::from(challenge.answer(user, password, "GET", path, cnonce));
        let mut value =
            HeaderValue::from_str(header.expose_secret()).map_err(|_| SetupError::Refused)?;
        value.set_sensitive(true);
        let second = http.get(&url).timeout(patience).header(AUTHORIZATION, value).send().await;
        second.map_err(|error| crate::driver::failure(&error))?
    } else {
        first
    };
    let answer = crate::driver::read(answer).await?;
    match answer.status {
        200..=299 => Ok(DeviceConfig::read(&answer.body, answer.content_type.as_deref(), paths)?),
        401 | 403 => Err(SetupError::Refused),
        status => Err(SetupError::Status(status)),
    }
}

#[cfg(test)]
mod tests {
    use secrecy::{ExposeSecret, SecretString};

    use super::{ConfigPaths, DeviceConfig, SetupError, find, location, select_device};
    use crate::{
        Origin,
        wire::{AccessDevice, DeviceCredentials},
        xml,
    };

    fn device(kind: &str, credentials: bool) -> AccessDevice {
        let password = SecretString::from("geheim".to_owned());
        AccessDevice {
            name: kind.to_owned(),
            level: "Group".to_owned(),
            kind: kind.to_owned(),
            line_port: None,
            kind_url: None,
            credentials: credentials.then(|| DeviceCredentials { user: "d".to_owned(), password }),
            allow_termination: None,
            endpoint: None,
        }
    }

    #[test]
    fn the_wanted_device_with_credentials_is_taken() {
        let devices = [device("Desk", true), device("Business Communicator - PC", true)];
        assert_eq!(select_device(&devices, None).unwrap().0.kind, "Business Communicator - PC");
        assert_eq!(select_device(&devices, Some("desk")).unwrap().0.kind, "Desk");
        assert_eq!(select_device(&devices[..1], None).unwrap().0.kind, "Desk");
        assert!(matches!(select_device(&[], None), Err(SetupError::NoDevice)));
        let mute = [device("Desk", false)];
        assert!(matches!(select_device(&mute, None), Err(SetupError::NoCredentials)));
    }

    #[test]
    fn the_configuration_is_where_the_exchange_says() {
        let server = Origin::secure("xsp.example", 443);
        let mut one = device("x", true);
        assert_eq!(
            location(&one, &server).unwrap(),
            (server.clone(), "/dms/bc/pc/config.xml".to_owned())
        );
        one.kind_url = Some("https://dms.example/dms/bc/mobile/".to_owned());
        let (origin, path) = location(&one, &server).unwrap();
        assert_eq!(
            (origin.host.as_str(), path.as_str()),
            ("dms.example", "/dms/bc/mobile/config.xml")
        );
        one.kind_url = Some("http://dms.example/dms/bc/mobile/".to_owned());
        assert!(matches!(location(&one, &server), Err(SetupError::InClear)));
    }

    #[test]
    fn values_are_found_by_paths_of_any_layout() {
        let text = "<config><a><line n='1'><user>101@pbx</user></line><line><domain>pbx.example</domain></line></a>\
                    <secret>geheim</secret><proxy>%SBC%</proxy><blf uri='sip:blf@pbx'/></config>";
        let root = xml::read(text.as_bytes(), None).unwrap();
        assert_eq!(find(&root, "a/line/domain").as_deref(), Some("pbx.example"));
        assert_eq!(find(&root, "*/*/user").as_deref(), Some("101@pbx"));
        assert_eq!(find(&root, "secret").as_deref(), Some("geheim"));
        assert_eq!(find(&root, "blf/@uri").as_deref(), Some("sip:blf@pbx"));
        for nothing in ["proxy", "a/line/none", "", "/", "@x"] {
            assert_eq!(find(&root, nothing), None, "{nothing}");
        }
        let paths = ConfigPaths {
            domain: vec!["proxy".to_owned(), "a/line/domain".to_owned()],
            line_port: vec!["user".to_owned()],
            auth_password: vec!["secret".to_owned()],
            ..ConfigPaths::default()
        };
        let config = DeviceConfig::read(text.as_bytes(), None, &paths).unwrap();
        assert!(config.is_complete());
        assert_eq!(config.auth_password.as_ref().unwrap().expose_secret(), "geheim");
        assert!(!format!("{config:?}").contains("geheim"));
    }
}

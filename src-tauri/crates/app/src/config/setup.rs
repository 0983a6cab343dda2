//! Where the values of an account stand in the configuration of a soft phone's device.
//!
//! How an operator lays that file out is his choice and known of none in general, so it can be said here.

use pbx_broadworks::ConfigPaths;
use serde::{Deserialize, Serialize};

use super::Unknown;

/// Automatic set-up: several paths for each value, the first that leads somewhere counts. A path is a row of element
/// names, `*` stands for any, and an attribute comes last behind `@`: `protocols/sip/*/domain`, `account/@user`. A
/// single name is looked for everywhere. Empty lists: the names that are usual.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct SetupSettings {
    /// Kind of device that stands for a soft phone; empty: `Business Communicator - PC`.
    pub device_type: String,
    /// The SIP domain or registrar.
    pub domain: Vec<String>,
    /// The outbound proxy.
    pub proxy: Vec<String>,
    /// The address of the account.
    pub line_port: Vec<String>,
    /// The user name for authentication.
    pub auth_user: Vec<String>,
    /// The password for authentication.
    pub auth_password: Vec<String>,
    #[serde(flatten, skip_serializing)]
    pub(crate) unknown: Unknown,
}

impl SetupSettings {
    /// True when nothing is said.
    pub fn is_usual(&self) -> bool {
        *self == SetupSettings::default()
    }

    /// The paths, with the usual ones where none are given.
    pub fn paths(&self) -> ConfigPaths {
        let or = |given: &[String], usual: &[&str]| match given {
            [] => usual.iter().map(|path| (*path).to_owned()).collect(),
            given => given.to_vec(),
        };
        ConfigPaths {
            domain: or(&self.domain, &["sip/domain", "protocols/sip/domain", "sip-domain"]),
            proxy: or(&self.proxy, &["sip/server", "outbound-proxy", "outboundProxy"]),
            line_port: or(&self.line_port, &["line-port", "linePort", "lineport"]),
            auth_user: or(&self.auth_user, &["auth-user", "authUser"]),
            auth_password: or(&self.auth_password, &["auth-password", "authPassword"]),
            lamp_list: Vec::new(),
        }
    }
}

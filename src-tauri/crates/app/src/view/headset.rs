//! Keys and lamps of headsets.

use serde::Serialize;
use ts_rs::TS;

use crate::code::Code;

/// Headsets whose keys and lamps are used, and busy lights.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, TS)]
pub struct HeadsetView {
    /// False: this program has no way to headsets on this system; there is nothing to choose.
    pub available: bool,
    /// Their keys and lamps are to be used.
    pub on: bool,
    /// A busy light is to be used.
    pub light_on: bool,
    /// Headsets that are connected.
    pub devices: Vec<HeadsetDeviceView>,
    /// Id of the chosen one; null: the first there is.
    pub device: Option<String>,
    /// Name of the one in use.
    pub used: Option<String>,
    /// Name of the busy light in use.
    pub light: Option<String>,
    /// Why the headset cannot be used now, or not with us.
    pub trouble: Option<Code>,
}

/// A headset that can be chosen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct HeadsetDeviceView {
    /// Id, the same after it was unplugged.
    pub id: String,
    /// What it calls itself.
    pub name: String,
}

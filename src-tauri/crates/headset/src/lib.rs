//! Headsets and busy lights by USB HID: what their keys ask for and what their lamps show.
//!
//! [`Driver`] is what a program uses: it finds devices, opens the chosen one, tells what its user asks for
//! ([`Gesture`]) and shows on it how things stand ([`State`]). Below it, [`Core`] is the state machine of one headset and
//! [`Light`] that of one busy light, both without devices and without a clock; [`Layout`] says where a device's keys and
//! lamps stand in its reports. Devices are reached through the trait [`Transport`], on Linux and Windows by `hidapi`.
//! On macOS there is none: that library's part for macOS is C, and no way in Rust has been tried.
//!
//! Nothing of a device is known beforehand: keys and lamps are located by the usages of its report descriptor (HID Usage
//! Tables: Telephony page `0x0B`, LED page `0x08`). The state machine is tested with the descriptors of
//! `simulated::families`, which are written after public descriptions of how these families lay them out. They were not
//! read from devices, and no real headset has been connected to this code.

mod core;
mod driver;
mod layout;
mod light;
mod platform;
#[cfg(any(test, feature = "simulated"))]
pub mod simulated;
mod transport;

pub use crate::core::{Calls, Core, Gesture, Input, Output, Talk};
pub use driver::{Choice, Driver, Event, Events, KnownDevice, State};
pub use layout::{Key, Lamp, Layout, LayoutError};
pub use light::{Light, Model, Mood};
pub use platform::system;
pub use transport::{Found, OpenError, Opened, Reader, Transport, Writer};

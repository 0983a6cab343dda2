//! The desktop around the program, as far as no window is needed for it.
//!
//! - [`hail`]: a second process gives words to the running program and hears what came of them.
//! - [`notices`]: notifications with buttons, by the desktop's own service.
//! - [`shortcuts`]: keys that work everywhere where only the desktop itself may give them (Wayland), by its portal.
//!
//! Each is an adapter of its own; none decides anything.

pub mod hail;
pub mod notices;
pub mod shortcuts;

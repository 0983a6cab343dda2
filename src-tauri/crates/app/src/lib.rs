//! The program without a window: one event loop, view models, commands and error codes.

mod bindings;
mod cause;
pub mod code;
pub mod config;
pub mod control;
mod engine;
pub mod event;
pub mod exchange;
pub mod logs;
pub mod shell;
pub mod view;

pub use bindings::bindings;
pub use engine::{App, Handle, Headsets, StartError, StartOptions, line_check};
pub use shell::{NoShell, Shell, Surface, Tray, TrayState};

/// Version of the program.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

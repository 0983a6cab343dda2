//! The program without a window: one event loop, view models, commands and error codes.

pub mod code;
pub mod view;

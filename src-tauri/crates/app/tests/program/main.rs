//! The whole program without a window, against the embedded exchange in the same process.

mod accounts;
mod calls;
mod centre;
mod codes;
mod colleagues;
mod demo;
mod desk;
mod directory;
mod discover;
mod exchange;
mod exchange_transfers;
mod features;
mod first;
mod headset;
#[cfg(target_os = "linux")]
mod keyring;
mod memory;
mod network;
mod peer;
mod presence;
mod recording;
mod rings;
mod safety;
mod supervised;
mod targets;
mod told;
mod transfers;

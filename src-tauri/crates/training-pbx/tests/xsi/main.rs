//! The web services of the embedded exchange over real sockets on loopback, seen by a client that shares nothing with
//! them: its own HTTP, its own reader of documents, its own tables.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "the helpers are part of the test")]

mod calls;
mod client;
mod document;
mod events;
mod knobs;
#[expect(dead_code, reason = "the calls over loopback need more of it")]
#[path = "../loopback/phone.rs"]
mod phone;
mod rooms;
mod tables;
mod telephone;
mod transport;

use client::Client;
use training_pbx::{Pbx, PbxConfig, PbxHandle, Profile};

/// Both releases.
const PROFILES: [Profile; 2] = [Profile::R21, Profile::R2020];

async fn start(profile: Profile) -> PbxHandle {
    // Made by the first recording, of which there is none.
    let recordings_folder = Some(std::env::temp_dir().join("training-pbx-recordings"));
    let config = PbxConfig { profile, recordings_folder, ..PbxConfig::default() };
    Pbx::start(config).await.unwrap()
}

/// The exchange of the newer release, and its receptionist.
async fn desk() -> (PbxHandle, Client) {
    let pbx = start(Profile::R2020).await;
    let client = Client::new(&pbx, "101");
    (pbx, client)
}

//! The command line, and where the settings file is.

use std::path::PathBuf;

use app::config::Sound;
use clap::Parser;
use tauri::{AppHandle, Manager};

/// How the window is started.
#[derive(Debug, Parser)]
#[command(
    name = "balie",
    version,
    about = "Softphone, receptionist console and call-centre agent client"
)]
pub(crate) struct Arguments {
    /// Start on the embedded exchange with its demo company.
    #[arg(long)]
    pub(crate) demo: bool,
    /// In the demo, let a first customer ring after so many seconds.
    #[arg(long, value_name = "SECONDS", requires = "demo")]
    pub(crate) first_customer: Option<u16>,
    /// Keep the settings in this folder instead of the user's own.
    #[arg(long, value_name = "DIR")]
    pub(crate) config_dir: Option<PathBuf>,
    /// Where sound comes from and goes to: system, null, none or wav:IN.wav,OUT.wav[,loop].
    #[arg(long, value_name = "SPEC", default_value = "system")]
    pub(crate) audio: Sound,
}

impl Arguments {
    /// The settings file: in the folder that was named, else in the user's own.
    pub(crate) fn settings_file(&self, handle: &AppHandle) -> tauri::Result<PathBuf> {
        let folder = match &self.config_dir {
            Some(folder) => folder.clone(),
            None => handle.path().app_config_dir()?,
        };
        Ok(folder.join("settings.toml"))
    }
}

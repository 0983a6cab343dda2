//! A sound server with a loudspeaker that nobody hears, and what came out of it, each sample with its moment; and with a
//! mouth that speaks into its microphone.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};

use crate::process::Process;

#[path = "../../../src-tauri/crates/audio/tests/sound_server/mod.rs"]
mod sound_server;

/// Rate of the loudspeaker, Hz.
pub const RATE: u32 = 48_000;

/// A running server (PulseAudio) with a loudspeaker and a microphone, both the default.
pub struct Loudspeaker {
    _process: Process,
    folder: PathBuf,
}

impl Loudspeaker {
    /// Starts one with its files in `folder` and a silent microphone.
    ///
    /// # Errors
    /// When it does not come up.
    pub fn start(folder: &Path) -> Result<Self> {
        Self::run(folder, &["module-null-source source_name=mic rate=48000 channels=1"])
    }

    /// The same with a microphone that hears what [`Self::speak`] says.
    ///
    /// # Errors
    /// When it does not come up.
    pub fn with_mouth(folder: &Path) -> Result<Self> {
        let mouth = "module-null-sink sink_name=mouth rate=48000 channels=1";
        Self::run(folder, &[mouth, "module-remap-source source_name=mic master=mouth.monitor"])
    }

    fn run(folder: &Path, microphone: &[&str]) -> Result<Self> {
        std::fs::create_dir_all(folder)?;
        // Without that it takes nothing of a new stream until the two seconds are over that it has prepared.
        let mut modules = vec!["module-null-sink sink_name=spk rate=48000 channels=1 norewinds=1"];
        modules.extend(microphone);
        let mut command = sound_server::server(folder, &modules);
        let process = Process::start("pulseaudio", &mut command, folder)?;
        let socket = sound_server::socket(folder);
        let there = || socket.exists().then_some(());
        crate::poll("the sound server", Duration::from_secs(5), there)
            .with_context(|| process.output())?;
        Ok(Self { _process: process, folder: folder.to_path_buf() })
    }

    /// Where it is, as `PULSE_SERVER` says it.
    #[must_use]
    pub fn server(&self) -> String {
        let [(_, server), _] = self.environment();
        server
    }

    /// What lets a program find it.
    #[must_use]
    pub fn environment(&self) -> [(&'static str, String); 2] {
        sound_server::environment(&self.folder)
    }

    /// Says what is in a file, until it is over or the process is dropped.
    ///
    /// # Errors
    /// When the player does not start.
    pub fn speak(&self, file: &Path) -> Result<Process> {
        let mut command = Command::new("paplay");
        command.args(["--device=mouth", "--latency-msec=20"]).arg(file);
        Process::start("paplay", command.envs(self.environment()), &self.folder)
    }

    /// Begins to listen to the loudspeaker.
    ///
    /// # Errors
    /// When the recorder does not start.
    pub fn listen(&self) -> Result<Listening> {
        self.listen_to("spk")
    }

    /// Begins to listen to what is said into the microphone.
    ///
    /// # Errors
    /// When the recorder does not start.
    pub fn overhear(&self) -> Result<Listening> {
        self.listen_to("mouth")
    }

    fn listen_to(&self, sink: &str) -> Result<Listening> {
        let mut child = sound_server::recorder(sink, 1)
            .envs(self.environment())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .context("cannot start parec")?;
        let mut out = child.stdout.take().context("no standard output")?;
        let thread = std::thread::spawn(move || {
            let (mut samples, mut begin, mut buffer) = (Vec::<f32>::new(), None, [0_u8; 19_200]);
            let mut bytes = Vec::new();
            while let Ok(length @ 1..) = out.read(&mut buffer) {
                let now = now();
                bytes.extend(buffer.iter().copied().take(length));
                let whole = bytes.len() / 4 * 4;
                let (sound, _) = bytes.as_chunks::<4>();
                samples.extend(sound.iter().map(|bytes| f32::from_le_bytes(*bytes)));
                bytes.drain(..whole);
                let length = Duration::from_secs_f64(samples.len() as f64 / f64::from(RATE));
                // The reader may be late, never early: the earliest beginning is the true one.
                let here = now.checked_sub(length).unwrap_or(now);
                begin = Some(begin.map_or(here, |before: Instant| before.min(here)));
            }
            (samples, begin)
        });
        Ok(Listening { child, thread: Some(thread) })
    }
}

/// A recording that goes on.
pub struct Listening {
    child: Child,
    thread: Option<JoinHandle<(Vec<f32>, Option<Instant>)>>,
}

impl Listening {
    /// What was heard from `start` on, `length` samples of it; silence where there is nothing.
    ///
    /// # Errors
    /// When nothing was recorded.
    pub fn stop(mut self, start: Instant, length: usize) -> Result<Vec<f32>> {
        self.end();
        let thread = self.thread.take().context("recorded before")?;
        let (samples, begin) = thread.join().ok().context("the recorder failed")?;
        let begin = begin.context("nothing was recorded")?;
        let count = |time: Duration| (time.as_secs_f64() * f64::from(RATE)).round() as usize;
        let missing = count(begin.saturating_duration_since(start));
        let before = count(start.saturating_duration_since(begin));
        let heard = samples.into_iter().skip(before);
        let mut all: Vec<f32> = std::iter::repeat_n(0.0, missing).chain(heard).collect();
        all.resize(length, 0.0);
        Ok(all)
    }

    fn end(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.end();
    }
}

#[expect(clippy::disallowed_methods, reason = "the moment sound comes out is what is measured")]
fn now() -> Instant {
    Instant::now()
}

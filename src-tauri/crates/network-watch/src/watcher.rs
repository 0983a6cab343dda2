//! The driver of the core: one task that listens, looks and tells.

use std::net::IpAddr;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::look::look;
use crate::platform::{Platform, Sign, Signs, System};
use crate::{Change, Input, Output, Settle, Wall};

/// Signs, and changes, that may wait.
const QUEUE: usize = 64;

/// Watches the network. Ends when it is dropped.
#[derive(Debug)]
pub struct Watcher {
    changes: mpsc::Receiver<Change>,
    destinations: mpsc::UnboundedSender<Vec<IpAddr>>,
    task: JoinHandle<()>,
}

impl Watcher {
    /// Starts on the current tokio runtime. A system that gives no signs is looked at every few
    /// seconds instead.
    #[must_use]
    pub fn start() -> Self {
        Self::on(System::start)
    }

    /// [`start`](Self::start) on another platform than the one underneath.
    pub fn on<P: Platform>(platform: impl FnOnce(Signs) -> std::io::Result<P>) -> Self {
        let (sender, signs) = mpsc::channel(QUEUE);
        let (told, changes) = mpsc::channel(QUEUE);
        let (destinations, wanted) = mpsc::unbounded_channel();
        let platform = platform(Signs::new(sender.clone()));
        if let Err(error) = &platform {
            tracing::warn!(%error, "the system gives no signs of network changes");
        }
        let task = tokio::spawn(async move {
            // The sender keeps the channel open when there is no platform to do so.
            let _kept = (platform, sender);
            run(signs, wanted, told).await;
        });
        Self { changes, destinations, task }
    }

    /// The next change; `None` when the watcher has ended.
    pub async fn changed(&mut self) -> Option<Change> {
        self.changes.recv().await
    }

    /// The other end: who says what is to be watched.
    #[must_use]
    pub fn destinations(&self) -> Destinations {
        Destinations(self.destinations.clone())
    }
}

/// Says what a [`Watcher`] watches; cheap to clone.
#[derive(Clone, Debug)]
pub struct Destinations(mpsc::UnboundedSender<Vec<IpAddr>>);

impl Destinations {
    /// From now on the ways to these addresses count; with none, the way out of the house.
    pub fn watch(&self, destinations: Vec<IpAddr>) {
        // A watcher that has ended watches nothing.
        let _ = self.0.send(destinations);
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn run(
    mut signs: mpsc::Receiver<Sign>,
    mut wanted: mpsc::UnboundedReceiver<Vec<IpAddr>>,
    told: mpsc::Sender<Change>,
) {
    let mut settle = Settle::new(now(), wall());
    loop {
        while let Some(output) = settle.poll_output() {
            match output {
                Output::Look(destinations) => {
                    let seen = look(&destinations);
                    settle.handle_input(now(), Input::Seen(seen));
                }
                Output::Changed(change) => {
                    tracing::debug!(?change, "the network changed");
                    if told.send(change).await.is_err() {
                        return;
                    }
                }
            }
        }
        let wake = tokio::time::Instant::from_std(settle.poll_timeout());
        tokio::select! {
            Some(sign) = signs.recv() => settle.handle_input(now(), match sign {
                Sign::Changed => Input::Changed,
                Sign::Sleeping => Input::Sleeping,
                Sign::Woken => Input::Woken,
            }),
            destinations = wanted.recv() => match destinations {
                Some(destinations) => {
                    settle.handle_input(now(), Input::Destinations(destinations));
                }
                None => return,
            },
            () = tokio::time::sleep_until(wake) => settle.handle_timeout(now(), wall()),
        }
    }
}

/// The runtime's clock, by which it sleeps as well.
fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}

#[expect(clippy::disallowed_methods, reason = "a sleep shows in the wall clock")]
fn wall() -> Wall {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO)
}

//! The port by which a binding of an exchange is plugged in: what it tells goes in, what is asked goes out.
//!
//! A binding runs by itself and owns its connection. The program starts one per account that has an
//! exchange, and ends it by closing its orders.

mod asterisk;
mod broadworks;

use std::fmt;
use std::sync::Arc;

use pbx::centre::{Input, Refusal, Request, RequestId};
use secrecy::SecretString;
use tokio::sync::mpsc;

use crate::config::AccountSettings;

/// Something told by a binding, with the name of the account and of the run of its binding.
pub(crate) type Told = (Arc<str>, u64, Input);

/// The two ends that a binding is given.
#[derive(Debug)]
pub struct Port {
    /// What the exchange tells.
    pub feed: Feed,
    /// What is asked of it; closed when the binding is to end.
    pub orders: mpsc::Receiver<Order>,
    /// For random values.
    pub seed: [u8; 32],
}

/// What a binding is asked to do.
#[derive(Debug)]
pub enum Order {
    /// Carry this out and answer with [`Input::Done`].
    Request(RequestId, Request),
    /// Sign in with this password from now on.
    Secret(SecretString),
    /// The network is another one: connect anew rather than wait for the old way to time out.
    NetworkChanged,
}

/// Where a binding tells what the exchange said.
#[derive(Debug, Clone)]
pub struct Feed {
    account: Arc<str>,
    run: u64,
    told: mpsc::Sender<Told>,
}

impl Feed {
    pub(crate) fn new(account: &str, run: u64, told: mpsc::Sender<Told>) -> Feed {
        Feed { account: account.into(), run, told }
    }

    /// Tells it; waits while the program is busy. False: the program has ended.
    pub async fn tell(&self, input: Input) -> bool {
        self.told.send((self.account.clone(), self.run, input)).await.is_ok()
    }
}

/// Connects an account with its exchange.
pub trait Binding: Send + 'static {
    /// Begins to run on the current tokio runtime, and returns at once.
    fn start(self: Box<Self>, port: Port);
}

/// What came of making a binding: none, when the account has no exchange; words, when its settings cannot be
/// used.
pub type Made = Result<Option<Box<dyn Binding>>, String>;

/// How a binding is made for an account, with the password of its exchange.
pub type MakeBinding = dyn Fn(&AccountSettings, Option<SecretString>) -> Made + Send + Sync;

/// Which bindings there are; by default those of the program.
#[derive(Clone, Default)]
pub struct Exchanges(Option<Arc<MakeBinding>>);

impl Exchanges {
    /// Bindings of somebody's own.
    pub fn new(
        make: impl Fn(&AccountSettings, Option<SecretString>) -> Made + Send + Sync + 'static,
    ) -> Exchanges {
        Exchanges(Some(Arc::new(make)))
    }

    pub(crate) fn make(&self, settings: &AccountSettings, secret: Option<SecretString>) -> Made {
        match &self.0 {
            Some(make) => make(settings, secret),
            None => of(settings, secret),
        }
    }
}

/// The program's own bindings. One account stands for one user of one exchange.
fn of(settings: &AccountSettings, secret: Option<SecretString>) -> Made {
    match (&settings.xsi, &settings.asterisk) {
        (Some(_), Some(_)) => Err(format!(
            "account {:?} has both xsi and asterisk, but one exchange only: take one of them out",
            settings.id
        )),
        (Some(_), None) => broadworks::of(settings, secret),
        (None, _) => asterisk::of(settings, secret),
    }
}

/// Passes on what a client tells, until either side ends.
async fn tell_all(mut inputs: mpsc::Receiver<Input>, feed: Feed) {
    while let Some(input) = inputs.recv().await {
        if !feed.tell(input).await {
            return;
        }
    }
}

/// Nothing can be asked of an exchange that is not there.
async fn refuse(feed: &Feed, order: Order) {
    if let Order::Request(request, _) = order {
        feed.tell(Input::Done { request, result: Err(Refusal::Unavailable) }).await;
    }
}

impl fmt::Debug for Exchanges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Exchanges").field(&self.0.is_some()).finish()
    }
}

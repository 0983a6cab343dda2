//! BroadWorks' web services as a binding.

use std::path::Path;
use std::time::Duration;

use pbx::centre::{Input, LinkFault, LinkState};
use pbx_broadworks::session::SessionConfig;
use pbx_broadworks::{Anchors, Binding as Client, ClientConfig, Credentials, Service, locate};
use secrecy::SecretString;
use sip_core::Random;
use tokio::sync::mpsc;
use tracing::{debug, warn};

use super::{Binding, Feed, Made, Order, Port, refuse, tell_all};
use crate::config::AccountSettings;

/// Name of the program at the exchange.
const APPLICATION: &str = "balie";
/// The first wait before the name service is asked again.
const FIRST_WAIT: Duration = Duration::from_secs(2);
/// The longest one.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// An account's web services.
struct BroadWorks {
    user: String,
    secret: Option<SecretString>,
    /// Where they are; none: the name service of the user's domain tells.
    service: Option<Service>,
    anchors: Anchors,
}

/// The binding of an account that has web services.
pub(super) fn of(settings: &AccountSettings, secret: Option<SecretString>) -> Made {
    let Some(xsi) = &settings.xsi else { return Ok(None) };
    if xsi.user.is_empty() {
        return Err(format!("xsi.user of account {:?} is missing", settings.id));
    }
    let service =
        match xsi.actions_url.is_empty() {
            true => None,
            false => Some(Service::from_addresses(&xsi.actions_url, &xsi.events_url).map_err(
                |error| format!("actions_url or events_url of account {:?}: {error}", settings.id),
            )?),
        };
    let anchors = match settings.tls_ca_file.is_empty() {
        true => Anchors::default(),
        false => Anchors::from_pem_file(Path::new(&settings.tls_ca_file))
            .map_err(|error| format!("tls_ca_file: {error}"))?,
    };
    let user = xsi.user.clone();
    Ok(Some(Box::new(BroadWorks { user, secret, service, anchors })))
}

impl Binding for BroadWorks {
    fn start(self: Box<Self>, port: Port) {
        tokio::spawn(self.run(port));
    }
}

impl BroadWorks {
    async fn run(mut self, port: Port) {
        let Port { feed, mut orders, seed } = port;
        let mut random = Random::from_seed(seed);
        let Some(service) = self.located(&feed, &mut orders, &mut random).await else { return };
        let config = ClientConfig {
            session: SessionConfig::new(&self.user, &random.uuid(), APPLICATION),
            service,
            anchors: self.anchors.clone(),
            proxies: true,
        };
        let (client, inputs) = match Client::start(config, random) {
            Ok(started) => started,
            Err(error) => {
                warn!(%error, "no connection to the web services");
                feed.tell(Input::Link(LinkState::Lost)).await;
                let (fault, detail) = (LinkFault::Untrusted, error.to_string());
                feed.tell(Input::LinkFault { fault, detail }).await;
                while let Some(order) = orders.recv().await {
                    refuse(&feed, order).await;
                }
                return;
            }
        };
        // By themselves, so that neither side waits for the other.
        tokio::spawn(tell_all(inputs, feed.clone()));
        match self.secret.clone() {
            Some(secret) => client.sign_in(self.credentials(secret)).await,
            None => {
                feed.tell(Input::Link(LinkState::Refused)).await;
                let detail = "there is no password".to_owned();
                feed.tell(Input::LinkFault { fault: LinkFault::Credentials, detail }).await;
            }
        }
        while let Some(order) = orders.recv().await {
            match order {
                Order::Request(id, request) => client.request(id, request).await,
                Order::Secret(secret) => client.sign_in(self.credentials(secret)).await,
                Order::NetworkChanged => client.network_changed().await,
            }
        }
        client.close().await;
    }

    /// Where the web services are: as the settings say, or as the name service does, which is asked until it
    /// knows. None: the program has let go meanwhile.
    async fn located(
        &mut self,
        feed: &Feed,
        orders: &mut mpsc::Receiver<Order>,
        random: &mut Random,
    ) -> Option<Service> {
        if let Some(service) = self.service.clone() {
            return Some(service);
        }
        let domain = self.user.rsplit_once('@').map(|(_, domain)| domain.to_owned());
        let domain = domain.unwrap_or_default();
        let mut wait = FIRST_WAIT;
        loop {
            let why = match locate(&domain, &[], random).await {
                Ok(service) => return Some(service),
                Err(error) => error.to_string(),
            };
            debug!(why, ?wait, "the web services are not found");
            feed.tell(Input::Link(LinkState::Lost)).await;
            feed.tell(Input::LinkFault { fault: LinkFault::Name, detail: why }).await;
            let until = tokio::time::Instant::now() + wait;
            while let Ok(order) = tokio::time::timeout_at(until, orders.recv()).await {
                match order? {
                    order @ Order::Request(..) => refuse(feed, order).await,
                    Order::Secret(secret) => self.secret = Some(secret),
                    Order::NetworkChanged => {
                        wait = FIRST_WAIT / 2;
                        break;
                    }
                }
            }
            wait = (wait * 2).min(LONGEST_WAIT);
        }
    }

    fn credentials(&self, password: SecretString) -> Credentials {
        Credentials::Basic { user: self.user.clone(), password }
    }
}

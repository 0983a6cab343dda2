//! BroadWorks' web services as a binding.

use std::path::Path;

use pbx::centre::{Input, LinkState};
use pbx_broadworks::session::SessionConfig;
use pbx_broadworks::{Anchors, Binding as Client, ClientConfig, Credentials, Service, locate};
use secrecy::SecretString;
use sip_core::Random;
use tracing::warn;

use super::{Binding, Made, Order, Port, refuse, tell_all};
use crate::config::AccountSettings;

/// Name of the program at the exchange.
const APPLICATION: &str = "balie";

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
    async fn run(self, port: Port) {
        let Port { feed, mut orders, seed } = port;
        let mut random = Random::from_seed(seed);
        let domain = self.user.rsplit_once('@').map(|(_, domain)| domain.to_owned());
        let service = match self.service.clone() {
            Some(service) => Ok(service),
            None => locate(&domain.unwrap_or_default(), &[], &mut random)
                .await
                .map_err(|error| error.to_string()),
        };
        let started = service.and_then(|service| {
            let channels = uuid(&mut random);
            let config = ClientConfig {
                session: SessionConfig::new(&self.user, &channels, APPLICATION),
                service,
                anchors: self.anchors.clone(),
                proxies: true,
            };
            Client::start(config, random).map_err(|error| error.to_string())
        });
        let (client, inputs) = match started {
            Ok(started) => started,
            Err(why) => {
                warn!(why, "no connection to the web services");
                feed.tell(Input::Link(LinkState::Lost)).await;
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

    fn credentials(&self, password: SecretString) -> Credentials {
        Credentials::Basic { user: self.user.clone(), password }
    }
}

/// RFC 9562 section 5.4.
fn uuid(random: &mut Random) -> String {
    let (a, b) = (random.u64(), random.u64());
    format!(
        "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
        a >> 32,
        (a >> 16) & 0xffff,
        a & 0xfff,
        0x8000 | ((b >> 48) & 0x3fff),
        b & 0xffff_ffff_ffff
    )
}

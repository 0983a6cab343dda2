//! Asterisk's manager interface as a binding.

use std::path::Path;
use std::time::Duration;

use pbx::centre::{Code, Input, LinkState};
use pbx_asterisk::{Anchors, Client, ClientClosed, Config, FeatureCodes, Server};
use secrecy::SecretString;
use tracing::warn;

use super::{Binding, Feed, Made, Order, Port, refuse, tell_all};
use crate::config::{AccountSettings, AsteriskSettings};

/// Ports of the manager interface: in the clear, and over TLS.
const PORTS: (u16, u16) = (5038, 5039);

/// An account's manager interface.
struct Asterisk {
    user: Config,
    server: Server,
    secret: Option<SecretString>,
}

/// The binding of an account that has a manager interface.
pub(super) fn of(account: &AccountSettings, secret: Option<SecretString>) -> Made {
    let Some(settings) = &account.asterisk else { return Ok(None) };
    let needed =
        [("host", &settings.host), ("user", &settings.user), ("interface", &settings.interface)];
    if let Some((key, _)) = needed.iter().find(|(_, value)| value.is_empty()) {
        return Err(format!("asterisk.{key} of account {:?} is missing", account.id));
    }
    for (key, device) in [("interface", &settings.interface), ("member", &settings.member)] {
        if !device.is_empty() && !device.contains('/') {
            return Err(format!(
                "asterisk.{key} of account {:?} is no device: {device:?} should be like PJSIP/101",
                account.id
            ));
        }
    }
    let server = server(account, settings)?;
    Ok(Some(Box::new(Asterisk { user: user(account, settings), server, secret })))
}

fn server(account: &AccountSettings, settings: &AsteriskSettings) -> Result<Server, String> {
    let usual = if settings.tls { PORTS.1 } else { PORTS.0 };
    let mut anchors = Anchors::default();
    for file in [&account.tls_ca_file, &settings.tls_ca_file] {
        if settings.tls && !file.is_empty() {
            let own = Anchors::from_pem_file(Path::new(file));
            anchors.add(&own.map_err(|error| format!("tls_ca_file: {error}"))?);
        }
    }
    Ok(Server {
        host: settings.host.clone(),
        port: if settings.port == 0 { usual } else { settings.port },
        tls: settings.tls,
        anchors,
    })
}

/// The user at the exchange; his secret comes later.
fn user(account: &AccountSettings, settings: &AsteriskSettings) -> Config {
    let given = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
    let reason =
        |word: &String| Code { code: word.clone(), description: word.clone(), is_default: false };
    let usual = Config::new(&settings.user, SecretString::default(), &settings.interface);
    Config {
        member: given(&settings.member),
        state_interface: given(&settings.state_interface),
        name: given(&settings.name).unwrap_or_else(|| account.display_name.clone()),
        queues: settings.queues.clone(),
        sign_in: settings.sign_in.clone(),
        context: given(&settings.context).unwrap_or(usual.context),
        reasons: settings.reasons.iter().map(reason).collect(),
        wrap_up_reason: given(&settings.wrap_up_reason).unwrap_or(usual.wrap_up_reason),
        wrap_up: Duration::from_secs(u64::from(settings.wrap_up)),
        supervisor: settings.supervisor,
        // Codes are dialled by the telephone, which is this program.
        codes: FeatureCodes::none(),
        ..usual
    }
}

impl Binding for Asterisk {
    fn start(self: Box<Self>, port: Port) {
        tokio::spawn(self.run(port));
    }
}

impl Asterisk {
    async fn run(mut self, port: Port) {
        let Port { feed, mut orders, seed } = port;
        let mut client = self.secret.take().map(|secret| self.connect(secret, &feed, seed));
        if client.is_none() {
            feed.tell(Input::Link(LinkState::Refused)).await;
        }
        while let Some(order) = orders.recv().await {
            let Some(running) = &client else {
                match order {
                    Order::Secret(secret) => client = Some(self.connect(secret, &feed, seed)),
                    order => refuse(&feed, order).await,
                }
                continue;
            };
            if let Err(error) = pass_on(running, order) {
                // Only a task that was ended from outside does this.
                warn!(%error, "the manager interface is let go");
                feed.tell(Input::Link(LinkState::Lost)).await;
                client = None;
            }
        }
        if let Some(client) = client {
            client.stop().await;
        }
    }

    fn connect(&self, secret: SecretString, feed: &Feed, seed: [u8; 32]) -> Client {
        let config = Config { secret, ..self.user.clone() };
        let (client, told) = Client::start(config, self.server.clone(), seed);
        // By itself, so that neither side waits for the other.
        tokio::spawn(tell_all(told, feed.clone()));
        client
    }
}

fn pass_on(client: &Client, order: Order) -> Result<(), ClientClosed> {
    match order {
        Order::Request(id, request) => client.request(id, request),
        Order::Secret(secret) => client.secret(secret),
        Order::NetworkChanged => client.reconnect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(lines: &str) -> AccountSettings {
        let text =
            format!("[[account]]\naor = \"sip:101@pbx.example\"\n[account.asterisk]\n{lines}");
        crate::config::Config::parse(&text).unwrap().accounts.remove(0)
    }

    fn refused(lines: &str) -> String {
        match of(&settings(lines), None) {
            Err(words) => words,
            Ok(made) => panic!("made: {}", made.is_some()),
        }
    }

    const LEAST: &str = "host = \"pbx.example\"\nuser = \"balie\"\ninterface = \"PJSIP/101\"\n";

    #[test]
    fn little_is_enough() {
        let account = AccountSettings { display_name: "Anna".into(), ..settings(LEAST) };
        let own = account.asterisk.as_ref().unwrap();
        let user = user(&account, own);
        assert_eq!((user.member(), user.name.as_str()), ("PJSIP/101", "Anna"));
        assert_eq!(
            (user.context.as_str(), user.wrap_up_reason.as_str()),
            ("from-internal", "Wrap-up")
        );
        let server = server(&account, own).unwrap();
        assert_eq!((server.port, server.tls), (5038, false));
        assert!(of(&account, None).unwrap().is_some());
        assert!(of(&AccountSettings { asterisk: None, ..account }, None).unwrap().is_none());
    }

    #[test]
    fn what_is_missing_or_no_device_is_named() {
        for key in ["host", "user", "interface"] {
            let lines: String =
                LEAST.lines().filter(|line| !line.starts_with(key)).collect::<Vec<_>>().join("\n");
            assert!(refused(&lines).contains(&format!("asterisk.{key}")), "{key}");
        }
        let words = refused(&LEAST.replace("PJSIP/101", "101"));
        assert!(words.contains("interface") && words.contains("PJSIP/101"), "{words}");
        let words = refused(&format!("{LEAST}tls = true\ntls_ca_file = \"/nowhere/ca.pem\""));
        assert!(words.contains("/nowhere/ca.pem"), "{words}");
    }

    #[test]
    fn over_tls_the_port_is_another_one() {
        let port = |lines: &str| {
            let account = settings(&format!("{LEAST}{lines}"));
            server(&account, account.asterisk.as_ref().unwrap()).unwrap().port
        };
        assert_eq!((port("tls = true"), port("tls = true\nport = 5038")), (5039, 5038));
    }

    #[test]
    fn one_account_has_one_exchange() {
        let account = settings(&format!("{LEAST}[account.xsi]\nuser = \"anna@pbx.example\"\n"));
        let Err(words) = super::super::of(&account, None) else { panic!("both were taken") };
        assert!(words.contains("xsi") && words.contains("asterisk"), "{words}");
    }
}

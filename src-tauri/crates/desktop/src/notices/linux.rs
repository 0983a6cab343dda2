//! The service of the session's bus. It may come, go and be another one: it is looked for with each notification until it
//! is there.

use std::collections::HashMap;

use futures_util::StreamExt as _;
use tokio::sync::mpsc;
use zbus::zvariant::Value;
use zbus::{Connection, Message, Proxy};

use super::{Notice, Order, escaped};

const NAME: &str = "org.freedesktop.Notifications";
const PATH: &str = "/org/freedesktop/Notifications";
/// Whose icon is shown, and who shows it.
const PROGRAM: &str = "balie";

/// The service, with what it can and what it shows for us.
struct Service {
    proxy: Proxy<'static>,
    markup: bool,
    buttons: bool,
    shown: HashMap<u64, u32>,
}

pub(super) async fn run(
    mut orders: mpsc::Receiver<Order>,
    pressed: impl Fn(u64, String) + Send + Sync + 'static,
) {
    while let Some(order) = orders.recv().await {
        match Service::find().await {
            Ok(mut service) => match service.serve(order, &mut orders, &pressed).await {
                Ok(()) => return,
                Err(error) => tracing::debug!(%error, "notifications are not shown any more"),
            },
            Err(error) => tracing::debug!(%error, "nothing shows notifications here"),
        }
    }
}

impl Service {
    async fn find() -> zbus::Result<Service> {
        let bus = Connection::session().await?;
        let proxy = Proxy::new(&bus, NAME, PATH, NAME).await?;
        let can: Vec<String> = proxy.call("GetCapabilities", &()).await?;
        let has = |what: &str| can.iter().any(|one| one == what);
        let (markup, buttons) = (has("body-markup"), has("actions"));
        Ok(Service { proxy, markup, buttons, shown: HashMap::new() })
    }

    /// Carries out orders until nobody gives any more.
    async fn serve(
        &mut self,
        first: Order,
        orders: &mut mpsc::Receiver<Order>,
        pressed: &(impl Fn(u64, String) + Send + Sync),
    ) -> zbus::Result<()> {
        // Both signals by one stream: a press is told before the notification goes because of it.
        let mut signals = self.proxy.receive_all_signals().await?;
        self.carry_out(first).await?;
        loop {
            tokio::select! {
                order = orders.recv() => match order {
                    Some(order) => self.carry_out(order).await?,
                    None => return Ok(()),
                },
                signal = signals.next() => match signal {
                    Some(signal) => self.told(&signal, pressed),
                    None => return Err(zbus::Error::InvalidReply),
                },
            }
        }
    }

    async fn carry_out(&mut self, order: Order) -> zbus::Result<()> {
        match order {
            Order::Show(notice) => {
                let key = notice.key;
                let id = self.notify(notice).await?;
                self.shown.insert(key, id);
            }
            Order::Close(key) => {
                if let Some(id) = self.shown.remove(&key)
                    && let Err(error) = self.proxy.call::<_, _, ()>("CloseNotification", &id).await
                {
                    // The user was faster.
                    tracing::debug!(%error, "the notification was gone");
                }
            }
        }
        Ok(())
    }

    async fn notify(&self, notice: Notice) -> zbus::Result<u32> {
        let Notice { key, summary, body, category, urgent, actions } = notice;
        let replaces = self.shown.get(&key).copied().unwrap_or(0);
        let body = if self.markup { escaped(&body) } else { body };
        let actions: Vec<&str> = actions
            .iter()
            .filter(|_| self.buttons)
            .flat_map(|(name, words)| [name.as_str(), words.as_str()])
            .collect();
        let hints = HashMap::from([
            ("category", Value::from(category)),
            ("urgency", Value::from(if urgent { 2_u8 } else { 1_u8 })),
            // The program rings itself.
            ("suppress-sound", Value::from(true)),
            ("desktop-entry", Value::from(PROGRAM)),
        ]);
        // Urgent ones never go by themselves, the others when the service thinks so.
        let expires = if urgent { 0_i32 } else { -1_i32 };
        let what =
            (PROGRAM, replaces, PROGRAM, summary.as_str(), body.as_str(), actions, hints, expires);
        self.proxy.call("Notify", &what).await
    }

    fn told(&mut self, signal: &Message, pressed: &(impl Fn(u64, String) + Send + Sync)) {
        let header = signal.header();
        let member = header.member().map(|member| member.as_str().to_owned());
        let of = |id: u32| self.shown.iter().find(|(_, shown)| **shown == id).map(|(key, _)| *key);
        match member.as_deref() {
            Some("ActionInvoked") => {
                if let Ok((id, action)) = signal.body().deserialize::<(u32, String)>()
                    && let Some(key) = of(id)
                {
                    pressed(key, action);
                }
            }
            Some("NotificationClosed") => {
                if let Ok((id, _)) = signal.body().deserialize::<(u32, u32)>()
                    && let Some(key) = of(id)
                {
                    self.shown.remove(&key);
                }
            }
            _ => {}
        }
    }
}

//! The portal on the session's bus: one session for all keys, made anew for other wishes.

use std::collections::HashMap;

use futures_util::StreamExt as _;
use tokio::sync::{mpsc, watch};
use zbus::zvariant::{ObjectPath, OwnedObjectPath, OwnedValue, Value};
use zbus::{Connection, Message, Proxy};

use super::{Standing, Wish, trigger};

const NAME: &str = "org.freedesktop.portal.Desktop";
const PATH: &str = "/org/freedesktop/portal/desktop";
const KEYS: &str = "org.freedesktop.portal.GlobalShortcuts";
const REQUEST: &str = "org.freedesktop.portal.Request";
const SESSION: &str = "org.freedesktop.portal.Session";
const REGISTRY: &str = "org.freedesktop.host.portal.Registry";
/// The program as its desktop file names it.
const PROGRAM: &str = "balie";

type Results = HashMap<String, OwnedValue>;

pub(super) async fn run(
    mut wishes: mpsc::Receiver<Vec<Wish>>,
    tell: watch::Sender<Standing>,
    pressed: impl Fn(String) + Send + Sync + 'static,
) {
    match Portal::find().await {
        Ok(portal) => {
            // What was wished for meanwhile is on its way.
            tell.send_if_modified(|standing| {
                let first = *standing == Standing::Unknown;
                if first {
                    *standing = Standing::Ready;
                }
                first
            });
            if let Err(error) = portal.serve(&mut wishes, &tell, &pressed).await {
                tracing::debug!(%error, "the portal for keys is gone");
                tell.send_replace(Standing::Absent);
            }
        }
        Err(error) => {
            tracing::debug!(%error, "no portal gives keys");
            tell.send_replace(Standing::Absent);
        }
    }
}

struct Portal {
    bus: Connection,
    keys: Proxy<'static>,
}

impl Portal {
    async fn find() -> zbus::Result<Portal> {
        let bus = Connection::session().await?;
        // Where the desktop wants to know whose the keys are; older ones find out by themselves.
        let registry = Proxy::new(&bus, NAME, PATH, REGISTRY).await?;
        let options: HashMap<&str, Value<'_>> = HashMap::new();
        if let Err(error) = registry.call::<_, _, ()>("Register", &(PROGRAM, options)).await {
            tracing::debug!(%error, "the portal does not ask for a name");
        }
        let keys = Proxy::new(&bus, NAME, PATH, KEYS).await?;
        let version: u32 = keys.get_property("version").await?;
        tracing::debug!(version, "a portal gives keys");
        Ok(Portal { bus, keys })
    }

    async fn serve(
        &self,
        wishes: &mut mpsc::Receiver<Vec<Wish>>,
        tell: &watch::Sender<Standing>,
        pressed: &(impl Fn(String) + Send + Sync),
    ) -> zbus::Result<()> {
        let mut activated = self.keys.receive_signal("Activated").await?;
        let mut session: Option<OwnedObjectPath> = None;
        let mut turn = 0_u32;
        loop {
            tokio::select! {
                wanted = wishes.recv() => {
                    let Some(wanted) = wanted else { return Ok(()) };
                    if let Some(old) = session.take() {
                        self.close(&old).await;
                    }
                    turn = turn.wrapping_add(1);
                    let given = match wanted.is_empty() {
                        true => Standing::Ready,
                        false => match self.bind(turn, &wanted).await {
                            Ok((begun, given)) => {
                                session = Some(begun);
                                Standing::Given(given)
                            }
                            Err(error) => {
                                tracing::debug!(%error, "the keys were not given");
                                Standing::Refused
                            }
                        },
                    };
                    tell.send_replace(given);
                }
                message = activated.next() => match message {
                    Some(message) => {
                        if let Some(id) = of_session(&message, session.as_ref()) {
                            pressed(id);
                        }
                    }
                    None => return Err(zbus::Error::InvalidReply),
                },
            }
        }
    }

    /// Begins a session and wishes for its keys.
    async fn bind(
        &self,
        turn: u32,
        wanted: &[Wish],
    ) -> zbus::Result<(OwnedObjectPath, Vec<(String, String)>)> {
        let token = format!("balie_begin_{turn}");
        let name = format!("balie_{turn}");
        let options = HashMap::from([
            ("handle_token", Value::from(token.as_str())),
            ("session_handle_token", Value::from(name.as_str())),
        ]);
        let results = self.answered(&token, "CreateSession", &(options,)).await?;
        let handle = results.get("session_handle").ok_or(zbus::Error::InvalidReply)?;
        let session = match &**handle {
            Value::Str(text) => OwnedObjectPath::try_from(text.as_str())?,
            Value::ObjectPath(path) => OwnedObjectPath::from(path.to_owned()),
            _ => return Err(zbus::Error::InvalidReply),
        };
        let wishes: Vec<(&str, HashMap<&str, Value<'_>>)> = wanted
            .iter()
            .map(|wish| {
                let what = HashMap::from([
                    ("description", Value::from(wish.words.as_str())),
                    ("preferred_trigger", Value::from(trigger(&wish.key))),
                ]);
                (wish.id.as_str(), what)
            })
            .collect();
        let token = format!("balie_bind_{turn}");
        let options = HashMap::from([("handle_token", Value::from(token.as_str()))]);
        let asked = (ObjectPath::from(&session), wishes, "", options);
        let results = self.answered(&token, "BindShortcuts", &asked).await?;
        Ok((session, given(&results)))
    }

    /// Asks and waits for the answer of the desktop, which may ask its user first.
    async fn answered<Body>(&self, token: &str, method: &str, body: &Body) -> zbus::Result<Results>
    where
        Body: serde::ser::Serialize + zbus::zvariant::DynamicType,
    {
        let me = self.bus.unique_name().map(|name| name.trim_start_matches(':').replace('.', "_"));
        let path = format!("{PATH}/request/{}/{token}", me.unwrap_or_default());
        // Heard before it is asked: the answer may come before the call returns.
        let request = Proxy::new(&self.bus, NAME, path, REQUEST).await?;
        let mut responses = request.receive_signal("Response").await?;
        let _: OwnedObjectPath = self.keys.call(method, body).await?;
        let response = responses.next().await.ok_or(zbus::Error::InvalidReply)?;
        let (code, results) = response.body().deserialize::<(u32, Results)>()?;
        match code {
            0 => Ok(results),
            // 1: the user said no; 2: it ended in another way.
            other => Err(zbus::Error::Failure(format!("the portal answered {other}"))),
        }
    }

    async fn close(&self, session: &OwnedObjectPath) {
        let closed = async {
            let proxy = Proxy::new(&self.bus, NAME, session.as_ref(), SESSION).await?;
            proxy.call::<_, _, ()>("Close", &()).await
        };
        if let Err(error) = closed.await {
            tracing::debug!(%error, "the old keys were gone");
        }
    }
}

/// What the pressed key does, if it is one of this session.
fn of_session(message: &Message, session: Option<&OwnedObjectPath>) -> Option<String> {
    type Activated = (OwnedObjectPath, String, u64, Results);
    let (of, id, _, _) = message.body().deserialize::<Activated>().ok()?;
    (Some(&of) == session).then_some(id)
}

/// What was given for each wish.
fn given(results: &Results) -> Vec<(String, String)> {
    let Some(told) = results.get("shortcuts").and_then(|told| told.try_clone().ok()) else {
        return Vec::new();
    };
    let Ok(told) = Vec::<(String, Results)>::try_from(told) else { return Vec::new() };
    let key = |what: &Results| match what.get("trigger_description").map(|value| &**value) {
        Some(Value::Str(text)) => text.to_string(),
        _ => String::new(),
    };
    told.into_iter().map(|(id, what)| (id, key(&what))).collect()
}

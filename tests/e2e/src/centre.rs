//! The call centre and the services end to end: the headless program at the web services of the embedded
//! exchange, and whether both say the same.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::balie::Balie;
use crate::embedded::Embedded;
use crate::lamps::now;
use crate::{deadline, is_over, pause};

/// How long something may take that takes far less.
pub const LIMIT: Duration = Duration::from_secs(20);
/// Queue of the demo company: ends in a wrap-up of 20 s, outcomes may be given.
pub const SERVICE: &str = "Klantenservice";
/// Queue of the demo company: ends in a wrap-up of 15 s, an outcome must be given.
pub const FAULTS: &str = "Storingsdienst";

/// An exchange of one's own, and a folder.
pub struct Scene {
    /// The exchange.
    pub pbx: Embedded,
    /// For settings and logs.
    pub folder: TempDir,
}

impl Scene {
    /// Starts an exchange with the demo company.
    ///
    /// # Errors
    /// When it does not start.
    pub fn start() -> Result<Self> {
        Ok(Self { pbx: Embedded::start()?, folder: tempfile::tempdir()? })
    }

    /// Somebody with a telephone and the web services, whose view of the exchange is complete.
    ///
    /// # Errors
    /// When that does not come about.
    pub fn user(&self, extension: &str) -> Result<User> {
        let mut user = self.begin(extension)?;
        user.balie.registered()?;
        user.live()?;
        Ok(user)
    }

    /// Somebody with a telephone alone, who is told of services over SIP.
    ///
    /// # Errors
    /// When that does not come about.
    pub fn plain(&self, extension: &str) -> Result<User> {
        let account = self.pbx.account(extension)?;
        let mut user = User::start(&account.write(self.folder.path(), "127.0.0.1")?)?;
        user.balie.registered()?;
        let what = "features over SIP";
        let live = |views: &Value| views[0]["link"]["state"] == "live";
        let end = deadline(LIMIT);
        while !live(&user.balie.request("centre.get", &json!({}))?) {
            anyhow::ensure!(!is_over(end), "no {what} within {LIMIT:?}");
            pause(Duration::from_millis(50));
        }
        Ok(user)
    }

    /// Somebody with the web services alone.
    ///
    /// # Errors
    /// When that does not come about.
    pub fn watcher(&self, extension: &str) -> Result<User> {
        let mut user = self.begin_watching(extension)?;
        user.live()?;
        Ok(user)
    }

    /// The same without waiting for anything.
    ///
    /// # Errors
    /// When the program does not start.
    pub fn begin_watching(&self, extension: &str) -> Result<User> {
        let mut account = self.pbx.account_with_services(extension, None)?;
        account.register = false;
        User::start(&account.write(self.folder.path(), "127.0.0.1")?)
    }

    /// Starts somebody and waits for nothing.
    ///
    /// # Errors
    /// When the program does not start.
    pub fn begin(&self, extension: &str) -> Result<User> {
        let account = self.pbx.account_with_services(extension, None)?;
        User::start(&account.write(self.folder.path(), "127.0.0.1")?)
    }

    /// Somebody with a telephone, the web services, and a microphone that says this again and again; what is heard goes
    /// into the other file.
    ///
    /// # Errors
    /// When that does not come about.
    pub fn speaker(&self, extension: &str, (says, hears): (&Path, &Path)) -> Result<User> {
        let account = self.pbx.account_with_services(extension, None)?;
        let config = account.write(self.folder.path(), "127.0.0.1")?;
        let audio = format!("wav:{},{},loop", says.display(), hears.display());
        let log = config.with_extension("log");
        let mut user = User { balie: Balie::start(&config, &audio)?, log };
        user.balie.registered()?;
        user.live()?;
        Ok(user)
    }

    /// The desk telephone of somebody, which knows nothing of the web services and does what the exchange wants.
    ///
    /// # Errors
    /// When that does not come about.
    pub fn telephone(&self, extension: &str) -> Result<Balie> {
        let folder = self.folder.path().join(format!("telephone-{extension}"));
        std::fs::create_dir_all(&folder)?;
        let account = self.pbx.account(extension)?.with("remote_control = true");
        let mut phone = Balie::start(&account.write(&folder, "127.0.0.1")?, "null")?;
        phone.registered()?;
        Ok(phone)
    }

    /// Somebody whose telephone is another one, controlled over the web services.
    ///
    /// # Errors
    /// When that does not come about.
    pub fn controller(&self, extension: &str) -> Result<User> {
        let account = self.pbx.account_with_services(extension, None)?;
        let (services, lines) = account.lines.split_last().context("no web services")?;
        let mut lines = lines.to_vec();
        lines.extend(["control_only = true".to_owned(), services.clone()]);
        let account = crate::balie::Account { lines, register: false, ..account };
        let mut user = User::start(&account.write(self.folder.path(), "127.0.0.1")?)?;
        user.live()?;
        Ok(user)
    }

    /// A customer rings, and waits or talks for long.
    ///
    /// # Errors
    /// When the exchange refuses.
    pub fn customer(&self, to: &str, number: &str) -> Result<u64> {
        let call = json!({
            "cmd": "customer.call", "to": to, "name": format!("Klant {number}"), "number": number,
            "patience_s": 600, "talk_s": 600,
        });
        self.pbx.turn(&call)?["call"].as_u64().context("no number of the call")
    }

    /// An agent as the exchange has him.
    ///
    /// # Errors
    /// When there is none.
    pub fn agent(&self, extension: &str) -> Result<Value> {
        let told = self.pbx.turn(&json!({"cmd": "agent.list", "agent": extension}))?;
        told["agents"].get(0).cloned().with_context(|| format!("no agent {extension}"))
    }

    /// Waits until the exchange has an agent so.
    ///
    /// # Errors
    /// When it does not in time.
    pub fn until_agent(&self, extension: &str, fits: impl Fn(&Value) -> bool) -> Result<Value> {
        let end = deadline(LIMIT);
        loop {
            let agent = self.agent(extension)?;
            if fits(&agent) {
                return Ok(agent);
            }
            anyhow::ensure!(!is_over(end), "the exchange has {agent}");
            pause(Duration::from_millis(50));
        }
    }

    /// Waits until a supervisor sees what the exchange says; how long that took.
    ///
    /// # Errors
    /// With the differences when it does not come about.
    pub fn same(&self, user: &mut User, limit: Duration) -> Result<Duration> {
        self.same_though(user, limit, "live")
    }

    /// The same where the link stands so.
    ///
    /// # Errors
    /// With the differences when it does not come about.
    pub fn same_though(&self, user: &mut User, limit: Duration, link: &str) -> Result<Duration> {
        let (start, end) = (now(), deadline(limit));
        loop {
            let differences = self.differences(user, link)?;
            if differences.is_empty() {
                return Ok(start.elapsed());
            }
            if is_over(end) {
                bail!("after {limit:?}: {differences:#?}");
            }
            pause(Duration::from_millis(50));
        }
    }

    fn differences(&self, user: &mut User, wanted: &str) -> Result<Vec<String>> {
        let told = self.pbx.turn(&json!({"cmd": "queue.list"}))?;
        let agents = self.pbx.turn(&json!({"cmd": "agent.list"}))?;
        let shown = user.balie.request("queue.list", &json!({}))?;
        let link = user.view()?["link"]["state"].clone();
        let mut wrong = Vec::new();
        if link != wanted {
            wrong.push(format!("the link is {link}"));
        }
        for queue in told["queues"].as_array().into_iter().flatten() {
            let name = &queue["name"];
            let found = shown.as_array().into_iter().flatten().find(|view| view["name"] == *name);
            let Some(view) = found else {
                wrong.push(format!("{name} is not shown"));
                continue;
            };
            compare(name, &entries_told(queue), &entries_shown(view), &mut wrong);
            compare(name, &agents_told(&agents, queue), &agents_shown(view), &mut wrong);
        }
        Ok(wrong)
    }
}

fn compare<T: PartialEq + std::fmt::Debug>(
    name: &Value,
    told: &T,
    shown: &T,
    wrong: &mut Vec<String>,
) {
    if told != shown {
        wrong.push(format!("{name}: the exchange says {told:?}, shown is {shown:?}"));
    }
}

/// A caller who waits: the end of the number, priority, whether he came back, whether he rings somewhere.
type Waiting = (String, String, bool, bool);

/// Digits at the end of a number, which are the same in every notation.
#[must_use]
pub fn tail(number: &Value) -> String {
    let digits: Vec<char> =
        number.as_str().unwrap_or_default().chars().filter(char::is_ascii_digit).collect();
    digits.iter().skip(digits.len().saturating_sub(8)).collect()
}

fn entries_told(queue: &Value) -> Vec<Waiting> {
    let told = queue["entries"].as_array().into_iter().flatten().map(|entry| {
        let rings = entry["offered_to"].as_array().is_some_and(|agents| !agents.is_empty());
        (tail(&entry["number"]), entry["priority"].to_string(), entry["bounced"] == true, rings)
    });
    told.collect()
}

fn entries_shown(view: &Value) -> Vec<Waiting> {
    let shown = view["entries"].as_array().into_iter().flatten().map(|entry| {
        let rings = entry["state"] != "queued";
        let number = tail(&entry["peer"]["number"]);
        (number, entry["priority"].to_string(), entry["bounced"] == true, rings)
    });
    shown.collect()
}

/// State, reason, and whether he takes calls of the queue, by the extension.
type Agents = BTreeMap<String, (String, String, bool)>;

fn agents_told(agents: &Value, queue: &Value) -> Agents {
    let mut all = Agents::new();
    for agent in agents["agents"].as_array().into_iter().flatten() {
        let mut places = agent["queues"].as_array().into_iter().flatten();
        let Some(place) = places.find(|place| place["queue"] == queue["queue"]) else {
            continue;
        };
        let state = match agent["state"].as_str().unwrap_or_default() {
            "sign_out" => "signed_out",
            "sign_in" => "signing_in",
            other => other,
        };
        let code = agent["code"].as_str().unwrap_or_default();
        let name = agent["agent"].as_str().unwrap_or_default();
        let one = (state.to_owned(), code.to_owned(), place["joined"] == true);
        all.insert(name.to_owned(), one);
    }
    all
}

fn agents_shown(view: &Value) -> Agents {
    let shown = view["agents"].as_array().into_iter().flatten().map(|agent| {
        let text = |name: &str| agent[name].as_str().unwrap_or_default().to_owned();
        let extension = text("agent").split('@').next().unwrap_or_default().to_owned();
        (extension, (text("state"), text("reason"), agent["joined"] == true))
    });
    shown.collect()
}

/// Somebody at the headless program.
pub struct User {
    /// The program.
    pub balie: Balie,
    /// Its log.
    pub log: std::path::PathBuf,
}

impl User {
    /// Starts the program on a settings file.
    ///
    /// # Errors
    /// When it does not start.
    pub fn start(config: &Path) -> Result<Self> {
        Ok(Self { balie: Balie::start(config, "null")?, log: config.with_extension("log") })
    }

    /// The exchange as this user sees it.
    ///
    /// # Errors
    /// When there is none.
    pub fn view(&mut self) -> Result<Value> {
        let views = self.balie.request("centre.get", &json!({}))?;
        views.get(0).cloned().context("no account has an exchange")
    }

    /// Waits until the exchange is shown so.
    ///
    /// # Errors
    /// When it is not in time; the error holds what is shown.
    pub fn until(&mut self, what: &str, fits: impl Fn(&Value) -> bool) -> Result<Value> {
        self.until_within(what, LIMIT, fits)
    }

    /// The same within a time of one's own.
    ///
    /// # Errors
    /// When it is not in time.
    pub fn until_within(
        &mut self,
        what: &str,
        limit: Duration,
        fits: impl Fn(&Value) -> bool,
    ) -> Result<Value> {
        let end = deadline(limit);
        loop {
            let view = self.view()?;
            if fits(&view) {
                return Ok(view);
            }
            if is_over(end) {
                bail!("no {what} within {limit:?}; shown is {view:#}");
            }
            pause(Duration::from_millis(50));
        }
    }

    /// Waits until the view is complete.
    ///
    /// # Errors
    /// When it does not get so.
    pub fn live(&mut self) -> Result<Value> {
        self.until("complete view", |view| view["link"]["state"] == "live")
    }

    /// Waits until a queue is shown so.
    ///
    /// # Errors
    /// When it is not in time.
    pub fn queue(
        &mut self,
        name: &str,
        what: &str,
        fits: impl Fn(&Value) -> bool,
    ) -> Result<Value> {
        let end = deadline(LIMIT);
        loop {
            let shown = self.balie.request("queue.list", &json!({"queue": name}))?;
            let view = shown.get(0).cloned().context("no such queue")?;
            if fits(&view) {
                return Ok(view);
            }
            if is_over(end) {
                bail!("no {what} within {LIMIT:?}; shown is {view:#}");
            }
            pause(Duration::from_millis(50));
        }
    }

    /// Waits until the agent's bar is so.
    ///
    /// # Errors
    /// When it is not in time.
    pub fn agent(&mut self, what: &str, fits: impl Fn(&Value) -> bool) -> Result<Value> {
        Ok(self.until(what, |view| !view["agent"].is_null() && fits(&view["agent"]))?["agent"]
            .clone())
    }

    /// Waits until a service is so.
    ///
    /// # Errors
    /// When it is not in time.
    pub fn service(&mut self, name: &str, fits: impl Fn(&Value) -> bool) -> Result<Value> {
        let of = |view: &Value| {
            let mut all = view["services"].as_array().into_iter().flatten();
            all.find(|service| service["service"] == name).cloned()
        };
        let what = format!("{name} as it should be");
        let view = self.until(&what, |view| of(view).is_some_and(|service| fits(&service)))?;
        of(&view).context("no such service")
    }

    /// Asks, and expects this refusal.
    ///
    /// # Errors
    /// When it is taken, or refused for another reason.
    pub fn refused(&mut self, cmd: &str, arguments: &Value, code: &str) -> Result<String> {
        match self.balie.request(cmd, arguments) {
            Ok(answer) => bail!("{cmd} {arguments} was taken: {answer}"),
            Err(error) => {
                let text = error.to_string();
                anyhow::ensure!(text.starts_with(&format!("{cmd}: {code} ")), "{text}");
                Ok(text)
            }
        }
    }
}

//! What a user's day does to a telephone's network, with a call each way, and how long it takes until colleagues can
//! reach the telephone again and both sides hear each other.

use std::fmt;
use std::net::Ipv4Addr;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::asterisk::{self, Asterisk};
use crate::balie::{Account, Balie};
use crate::names::{DOMAIN, Names};
use crate::tap::Tap;
use crate::uplinks::{House, OUTAGE, Uplink};
use crate::{SERVER, pause, speech};

/// What may take at most this long in 95 of 100 cases.
pub const GOAL: Duration = Duration::from_secs(3);
/// After this a call without sound counts as lost, a telephone as unreachable.
const LOST: Duration = Duration::from_secs(30);

/// What happens to the network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scenario {
    /// The Wi-Fi gives another address.
    Address,
    /// The link goes down and comes back with the same address.
    Link,
    /// The Wi-Fi goes and the mobile network comes, and the other way round.
    Switch,
    /// A tunnel takes the way to the server over, and gives it back.
    Tunnel,
}

/// All of them.
pub const SCENARIOS: [Scenario; 4] =
    [Scenario::Address, Scenario::Link, Scenario::Switch, Scenario::Tunnel];

/// What was measured in one scenario.
#[derive(Debug, Default)]
pub struct Figures {
    /// From the network's return to registered, of both telephones.
    pub registered: Vec<Duration>,
    /// From the network's return to sound both ways.
    pub sound: Vec<Duration>,
    /// Calls up when the network changed.
    pub calls: usize,
    /// Those that were over, or without sound both ways for 30 s.
    pub lost: usize,
    /// What was lost, for people.
    pub remarks: Vec<String>,
}

impl Figures {
    /// Whether the goals are met: nothing lost, 95 of 100 within three seconds.
    #[must_use]
    pub fn are_good(&self) -> bool {
        let quick = |times: &[Duration]| within(times, 95) <= GOAL;
        self.lost == 0 && quick(&self.registered) && quick(&self.sound)
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, times) in [("registered", &self.registered), ("sound", &self.sound)] {
            let (median, late) = (within(times, 50), within(times, 95));
            let worst = times.iter().max().copied().unwrap_or_default();
            write!(
                f,
                "{name} n={} median {:.2} s p95 {:.2} s worst {:.2} s; ",
                times.len(),
                median.as_secs_f64(),
                late.as_secs_f64(),
                worst.as_secs_f64()
            )?;
        }
        write!(f, "lost {} of {} calls", self.lost, self.calls)
    }
}

/// The time within which this share of a hundred lies; zero of nothing.
#[must_use]
pub fn within(times: &[Duration], percent: usize) -> Duration {
    let mut times = times.to_vec();
    times.sort_unstable();
    let rank = (times.len() * percent).div_ceil(100).max(1);
    times.get(rank - 1).copied().unwrap_or_default()
}

/// A server, a house with uplinks, and two telephones in it: one calls over UDP, one is called over TCP.
pub struct Day {
    asterisk: Asterisk,
    house: House,
    tap: Tap,
    caller: Balie,
    called: Balie,
    /// The uplink in use, and the host part of its address.
    here: (Uplink, u8),
    tunnel: bool,
    _names: Names,
    folder: TempDir,
}

fn config(account: &Account, folder: &Path) -> Result<std::path::PathBuf> {
    account.clone().with_codec("pcma").write(folder, "0.0.0.0")
}

fn sound(folder: &Path, user: &str) -> String {
    format!("wav:{},{},loop", speech().display(), folder.join(format!("{user}.wav")).display())
}

impl Day {
    /// Builds all of it and registers both telephones.
    ///
    /// # Errors
    /// When something does not start.
    pub fn begin() -> Result<Self> {
        let folder = TempDir::new()?;
        let asterisk = Asterisk::start(folder.path())?;
        let names = Names::start(asterisk::PORT)?;
        let house = House::build(folder.path(), &format!("nameserver {SERVER}\n"))?;
        house.up(Uplink::Wifi, 2)?;
        let server = format!("{SERVER}:{}", asterisk::PORT);
        let start = |account: Account| {
            let user = account.user.clone();
            let file = config(&account, folder.path())?;
            let program = crate::balie::program()?;
            let command = house.enter(&program.to_string_lossy());
            Balie::start_by(command, &file, &sound(folder.path(), &user))
        };
        let mut caller = start(Account::new("101", asterisk::PASSWORD, &server))?;
        let mut called = start(Account::new("102", asterisk::PASSWORD, &server).over_tcp())?;
        caller.registered()?;
        called.registered()?;
        let (tap, here) = (Tap::open()?, (Uplink::Wifi, 2));
        Ok(Self {
            asterisk,
            house,
            tap,
            caller,
            called,
            here,
            tunnel: false,
            _names: names,
            folder,
        })
    }

    /// Runs a scenario this often, with a new pair of calls each time.
    ///
    /// # Errors
    /// When the laboratory itself fails; what the telephones fail at is in the figures.
    pub fn run(&mut self, scenario: Scenario, rounds: usize) -> Result<Figures> {
        let mut figures = Figures::default();
        for round in 0..rounds {
            self.round(scenario, &mut figures)
                .with_context(|| format!("{scenario:?}, round {round}"))?;
        }
        Ok(figures)
    }

    fn round(&mut self, scenario: Scenario, figures: &mut Figures) -> Result<()> {
        self.tap.clear();
        let outgoing = self.caller.dial(asterisk::ECHO)?;
        self.asterisk.ring("102")?;
        let incoming = self.called.ringing()?;
        self.called.request("call.answer", &json!({"call": incoming}))?;
        self.called.call_state(&incoming, "active")?;
        let ports = crate::poll("sound both ways in both calls", Duration::from_secs(10), || {
            Some(self.tap.alive(now() - Duration::from_millis(500)))
                .filter(|ports| ports.len() == 2)
        })?;
        // Long enough for the telephones' own set-up to be over.
        pause(Duration::from_millis(500));
        figures.calls += ports.len();
        let since = self.change(scenario)?;
        let phone: Ipv4Addr = self.address().parse()?;
        for port in ports {
            match crate::poll("sound", LOST, || self.tap.back(port, since, phone)) {
                Ok(at) => figures.sound.push(at.saturating_duration_since(since)),
                Err(_) => {
                    figures.lost += 1;
                    figures.remarks.push(format!("{scenario:?}: no sound at port {port}"));
                }
            }
        }
        for (balie, call) in [(&mut self.caller, &outgoing), (&mut self.called, &incoming)] {
            match balie.registered_since(since, LOST) {
                Ok(at) => figures.registered.push(at.saturating_duration_since(since)),
                Err(error) => {
                    figures.registered.push(LOST);
                    figures.remarks.push(format!("{scenario:?}: not registered: {error}"));
                }
            }
            if let Some(ended) = balie
                .seen("call.state", |event| event["call"] == *call && event["state"] == "ended")
            {
                figures.lost += 1;
                figures.remarks.push(format!("{scenario:?}: {ended}"));
            } else {
                balie.hangup(call)?;
            }
        }
        crate::poll("the server to be free", Duration::from_secs(40), || {
            self.asterisk.calls().ok().filter(|calls| *calls == 0)
        })?;
        Ok(())
    }

    /// Changes the network; the moment it was usable again.
    fn change(&mut self, scenario: Scenario) -> Result<Instant> {
        let (uplink, host) = self.here;
        match scenario {
            Scenario::Address => {
                let next = if host >= 200 { 2 } else { host + 1 };
                self.house.ip(&format!("addr flush dev {}", uplink.name()))?;
                self.house.up(uplink, next)?;
                self.here = (uplink, next);
            }
            Scenario::Link => {
                self.house.down(uplink)?;
                pause(OUTAGE);
                self.house.up(uplink, host)?;
            }
            Scenario::Switch => {
                let next = if uplink == Uplink::Wifi { Uplink::Mobile } else { Uplink::Wifi };
                self.house.down(uplink)?;
                self.house.up(next, host)?;
                self.here = (next, host);
            }
            Scenario::Tunnel => {
                let (name, address) = (Uplink::Vpn.name(), Uplink::Vpn.address(2));
                if self.tunnel {
                    self.house.down(Uplink::Vpn)?;
                } else {
                    self.house.ip(&format!("link set {name} up"))?;
                    self.house.ip(&format!("addr replace {address}/24 dev {name}"))?;
                    let router = Uplink::Vpn.router();
                    self.house.ip(&format!(
                        "route replace {SERVER}/32 via {router} dev {name} src {address}"
                    ))?;
                }
                self.tunnel = !self.tunnel;
            }
        }
        Ok(now())
    }

    fn address(&self) -> String {
        match self.tunnel {
            true => Uplink::Vpn.address(2),
            false => self.here.0.address(self.here.1),
        }
    }

    /// The server is killed and started again, this often: the time from its being up to the telephone on a
    /// connection being registered, and to sound both ways in a new call.
    ///
    /// # Errors
    /// When the laboratory itself fails.
    pub fn restart(&mut self, rounds: usize) -> Result<Figures> {
        let mut figures = Figures::default();
        for _ in 0..rounds {
            self.asterisk.kill();
            self.called
                .event_within("account.state", LOST, |event| event["state"] == "unreachable")?;
            let gone = now();
            pause(OUTAGE);
            self.asterisk.restart()?;
            let since = now();
            let at = self.called.registered_since(gone, LOST)?;
            figures.registered.push(at.saturating_duration_since(since));
            self.tap.clear();
            figures.calls += 1;
            let call = self.called.dial(asterisk::ECHO)?;
            let phone: Ipv4Addr = self.address().parse()?;
            let heard = crate::poll("sound", LOST, || {
                let ports = self.tap.alive(since);
                ports.first().and_then(|port| self.tap.back(*port, since, phone))
            })?;
            figures.sound.push(heard.saturating_duration_since(since));
            self.called.hangup(&call)?;
        }
        Ok(figures)
    }

    /// A telephone starts whose server's first address is dead: the time to registered.
    ///
    /// # Errors
    /// When the laboratory itself fails.
    pub fn dead_server(&mut self, rounds: usize) -> Result<Figures> {
        let mut figures = Figures::default();
        for _ in 0..rounds {
            let account = Account::new("103", asterisk::PASSWORD, DOMAIN);
            let file = config(&account, self.folder.path())?;
            let program = crate::balie::program()?;
            let command = self.house.enter(&program.to_string_lossy());
            let mut balie = Balie::start_by(command, &file, &sound(self.folder.path(), "103"))?;
            let since = balie.started();
            let at = balie.registered_since(since, LOST)?;
            figures.registered.push(at.saturating_duration_since(since));
            self.tap.clear();
            figures.calls += 1;
            let dialled = now();
            let call = balie.dial(asterisk::ECHO)?;
            let phone: Ipv4Addr = self.address().parse()?;
            let heard = crate::poll("sound", LOST, || {
                let ports = self.tap.alive(dialled);
                ports.first().and_then(|port| self.tap.back(*port, dialled, phone))
            })?;
            figures.sound.push(heard.saturating_duration_since(dialled));
            balie.hangup(&call)?;
            ensure!(balie.quit()? == 0, "an orderly end");
        }
        Ok(figures)
    }

    /// Ends both telephones.
    ///
    /// # Errors
    /// When one does not end in good order.
    pub fn end(self) -> Result<()> {
        ensure!(self.caller.quit()? == 0 && self.called.quit()? == 0, "an orderly end");
        Ok(())
    }
}

#[expect(clippy::disallowed_methods, reason = "real time is what is measured")]
fn now() -> Instant {
    Instant::now()
}

/// One line for a table.
#[must_use]
pub fn line(name: &str, figures: &Figures) -> String {
    let remarks: Vec<Value> = figures.remarks.iter().map(|remark| json!(remark)).collect();
    let remarks = if remarks.is_empty() { String::new() } else { format!(" {remarks:?}") };
    format!("{name:16} {figures}{remarks}")
}

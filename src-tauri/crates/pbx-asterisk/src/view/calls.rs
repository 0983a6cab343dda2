//! The user's own calls: the channels of his telephone, and who is at their other side.
//!
//! A channel is the user's when its name begins with his interface. Its other side is the channel in the same
//! bridge.

use std::collections::BTreeMap;

use pbx::centre::{CallRecording, ExchangeCall, ExchangeCallState, Input as Told, Party, QueueId};

use super::View;
use crate::{Config, Message};

/// Most calls of the user at one time.
const MOST_CALLS: usize = 64;

/// Most channels in bridges that the user may be in.
const MOST_BRIDGED: usize = 4_096;

/// One call of the user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OwnCall {
    pub(crate) channel: String,
    linked: String,
    incoming: bool,
    state: ExchangeCallState,
    party: Party,
    queue: Option<QueueId>,
    waited: Option<u32>,
    sip_call_id: Option<String>,
    since: Option<u64>,
}

/// All calls of the user, by the exchange's name (`Uniqueid`).
#[derive(Debug, Default)]
pub(crate) struct OwnCalls {
    calls: BTreeMap<String, OwnCall>,
    /// Channel to bridge.
    bridged: BTreeMap<String, String>,
    /// Queue and waiting time of what is offered to the user, by the caller's `Linkedid`.
    offered: BTreeMap<String, (String, Option<u32>)>,
    /// Calls whose SIP Call-ID is to be asked for.
    pub(crate) unnamed: Vec<(String, String)>,
}

impl OwnCalls {
    /// The call of this name.
    pub(crate) fn get(&self, id: &str) -> Option<&OwnCall> {
        self.calls.get(id)
    }

    /// The channel at the other side of a call.
    pub(crate) fn other_side(&self, id: &str) -> Option<&str> {
        let own = &self.calls.get(id)?.channel;
        let bridge = self.bridged.get(own)?;
        let mut others = self.bridged.iter().filter(|(name, of)| *of == bridge && *name != own);
        let first = others.next()?;
        // Three in one bridge are a conference; which one would be meant is not clear.
        others.next().is_none().then_some(first.0.as_str())
    }

    fn all(&self) -> Vec<ExchangeCall> {
        self.calls.iter().map(|(id, call)| call.told(id)).collect()
    }

    /// Puts a channel into a bridge, or takes it out.
    fn bridge(&mut self, message: &Message, inside: bool) {
        let (Some(channel), Some(bridge)) = (message.get("Channel"), message.get("BridgeUniqueid"))
        else {
            return;
        };
        if !inside {
            self.bridged.remove(channel);
        } else if self.bridged.len() < MOST_BRIDGED {
            self.bridged.insert(channel.to_owned(), bridge.to_owned());
        }
    }
}

impl OwnCall {
    fn told(&self, id: &str) -> ExchangeCall {
        ExchangeCall {
            id: id.to_owned(),
            party: self.party.clone(),
            incoming: self.incoming,
            state: self.state,
            queue: self.queue.clone(),
            waited: self.waited,
            sip_call_id: self.sip_call_id.clone(),
            digits: None,
            monitored: false,
            recording: CallRecording::default(),
            since: self.since,
        }
    }

    /// Takes in what a message about the channel says of it. True: it is another call to the eye.
    fn update(&mut self, message: &Message) -> bool {
        let before = self.clone();
        self.channel = message.get("Channel").unwrap_or(&self.channel).to_owned();
        self.linked = message.get("Linkedid").unwrap_or(&self.linked).to_owned();
        if let Some(state) = message.number("ChannelState") {
            self.state = match (state, self.state) {
                (6, ExchangeCallState::Held) => ExchangeCallState::Held,
                (6, _) => ExchangeCallState::Active,
                (_, state) => state,
            };
        }
        let (name, number) = (message.text("ConnectedLineName"), message.text("ConnectedLineNum"));
        if !number.is_empty() || !name.is_empty() {
            self.party = Party { name: name.to_owned(), number: number.to_owned() };
        } else if !self.incoming && self.party.number.is_empty() {
            // Nobody has answered yet: the number that was dialled.
            self.party.number = dialled(message);
        }
        *self != before
    }
}

/// `s` is where calls begin that nobody dialled a number for.
fn dialled(message: &Message) -> String {
    let number = message.text("Exten");
    if number == "s" { String::new() } else { number.to_owned() }
}

impl View {
    /// Something about a channel: `Newchannel`, `Newstate`, `NewConnectedLine`, or an item of the list of channels.
    pub(crate) fn channel_told(&mut self, message: &Message, since: Option<u64>, config: &Config) {
        let (Some(channel), Some(id)) = (message.get("Channel"), message.get("Uniqueid")) else {
            return;
        };
        if !is_own(channel, config) {
            return;
        }
        let new = !self.calls.calls.contains_key(id);
        if new
            && (self.calls.calls.len() >= MOST_CALLS || message.event() == Some("NewConnectedLine"))
        {
            return;
        }
        let linked = message.get("Linkedid").unwrap_or(id);
        let offered = self.calls.offered.get(linked).cloned();
        let call = self.calls.calls.entry(id.to_owned()).or_insert_with(|| OwnCall {
            channel: channel.to_owned(),
            linked: linked.to_owned(),
            incoming: is_incoming(message),
            state: ExchangeCallState::Alerting,
            party: Party::default(),
            queue: None,
            waited: None,
            sip_call_id: None,
            since,
        });
        let mut changed = call.update(message) || new;
        if let Some((queue, waited)) = offered
            && (call.queue.is_none() || call.waited != waited)
        {
            (call.queue, call.waited) = (Some(QueueId(queue)), waited);
            changed = true;
        }
        // A channel that is down has no name on the wire yet.
        let named = call.sip_call_id.is_some() || message.number("ChannelState") == Some(0);
        if changed && !named && channel.starts_with("PJSIP/") {
            self.calls.unnamed.push((id.to_owned(), channel.to_owned()));
        }
        self.tell_call(id, changed);
    }

    /// A telephone holds (`Hold`) or takes back (`Unhold`).
    pub(crate) fn channel_held(&mut self, message: &Message, held: bool) {
        let Some(id) = message.get("Uniqueid") else { return };
        let Some(call) = self.calls.calls.get_mut(id) else { return };
        let state = if held { ExchangeCallState::Held } else { ExchangeCallState::Active };
        let changed = std::mem::replace(&mut call.state, state) != state;
        self.tell_call(id, changed);
    }

    /// A channel is gone: `Hangup`.
    pub(crate) fn channel_ends(&mut self, message: &Message) {
        if let Some(channel) = message.get("Channel") {
            self.calls.bridged.remove(channel);
        }
        let Some(id) = message.get("Uniqueid") else { return };
        if let Some(call) = self.calls.calls.remove(id) {
            self.calls.offered.remove(&call.linked);
            let ended = ExchangeCall { state: ExchangeCallState::Released, ..call.told(id) };
            self.tell(Told::Call(ended));
        }
    }

    /// A channel enters or leaves a bridge.
    pub(crate) fn channel_bridged(&mut self, message: &Message, inside: bool) {
        self.calls.bridge(message, inside);
    }

    /// A queue rings at the user, or he has answered it after the caller waited for so long.
    pub(crate) fn queue_rings(&mut self, message: &Message, config: &Config) {
        let (Some(queue), Some(linked)) = (message.get("Queue"), message.get("Linkedid")) else {
            return;
        };
        if message.get("Interface") != Some(config.member()) {
            return;
        }
        let waited = message.number("HoldTime").and_then(|time| time.try_into().ok());
        if self.calls.offered.len() < MOST_CALLS || self.calls.offered.contains_key(linked) {
            self.calls.offered.insert(linked.to_owned(), (queue.to_owned(), waited));
        }
        let of_it = self.calls.calls.iter_mut().filter(|(_, call)| call.linked == linked);
        let mut changed = Vec::new();
        for (id, call) in of_it {
            (call.queue, call.waited) = (Some(QueueId(queue.to_owned())), waited.or(call.waited));
            changed.push(id.clone());
        }
        for id in changed {
            self.tell_call(&id, true);
        }
    }

    /// The queue stopped ringing at the user.
    pub(crate) fn queue_rings_no_more(&mut self, message: &Message, config: &Config) {
        if message.get("Interface") == Some(config.member())
            && let Some(linked) = message.get("Linkedid")
        {
            self.calls.offered.remove(linked);
        }
    }

    /// The SIP Call-ID of a call was told.
    pub(crate) fn call_named(&mut self, id: &str, sip_call_id: &str) {
        let Some(call) = self.calls.calls.get_mut(id) else { return };
        call.sip_call_id = Some(sip_call_id.to_owned());
        self.tell_call(id, true);
    }

    /// All channels were told: what is not among them is over.
    pub(crate) fn apply_channels(&mut self, channels: &[Message], at: u64, config: &Config) {
        let here = |id: &String| {
            channels.iter().any(|message| message.get("Uniqueid") == Some(id.as_str()))
        };
        self.calls.calls.retain(|id, _| here(id));
        self.calls.bridged.clear();
        for message in channels {
            if message.get("BridgeID").is_some() {
                self.calls.bridge_listed(message);
            }
            let lasted = message.get("Duration").and_then(duration).unwrap_or(0);
            self.channel_told(message, Some(at.saturating_sub(lasted)), config);
        }
        // One telling of all takes the place of those of each.
        self.out.retain(|told| !matches!(told, Told::Call(_)));
        let all = self.calls.all();
        self.tell(Told::Calls(all));
    }

    fn tell_call(&mut self, id: &str, changed: bool) {
        if changed && let Some(call) = self.calls.calls.get(id) {
            let told = call.told(id);
            self.tell(Told::Call(told));
        }
    }
}

impl OwnCalls {
    fn bridge_listed(&mut self, message: &Message) {
        if let (Some(channel), Some(bridge)) = (message.get("Channel"), message.get("BridgeID"))
            && self.bridged.len() < MOST_BRIDGED
        {
            self.bridged.insert(channel.to_owned(), bridge.to_owned());
        }
    }
}

/// `PJSIP/101-0000002a` belongs to `PJSIP/101`; `PJSIP/101-home-0000002b` does not.
fn is_own(channel: &str, config: &Config) -> bool {
    let rest = channel.strip_prefix(&config.interface).and_then(|rest| rest.strip_prefix('-'));
    rest.is_some_and(|number| !number.is_empty() && number.chars().all(|c| c.is_ascii_hexdigit()))
}

/// The exchange calls the telephone: the channel begins down, or runs the part of an application that dials.
fn is_incoming(message: &Message) -> bool {
    match message.get("Application") {
        Some(application) => application.starts_with("App"),
        None => matches!(message.number("ChannelState"), Some(0..=3 | 5)),
    }
}

/// `00:01:07` in milliseconds.
fn duration(text: &str) -> Option<u64> {
    let mut seconds = 0_u64;
    for part in text.split(':') {
        seconds = seconds.checked_mul(60)?.checked_add(part.trim().parse().ok()?)?;
    }
    seconds.checked_mul(1_000)
}

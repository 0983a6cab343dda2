//! Which event means what.

use std::time::Instant;

use super::queue::MOST_MEMBERS;
use super::{Member, View};
use crate::{Config, Message};

/// Most parked calls that are remembered.
const MOST_PARKED: usize = 1_000;

impl View {
    /// Takes in one event that belongs to no list. What has no meaning here is passed over.
    pub(crate) fn handle_event(&mut self, now: Instant, message: &Message, config: &Config) {
        match message.event().unwrap_or_default() {
            "QueueMemberAdded"
            | "QueueMemberPause"
            | "QueueMemberStatus"
            | "QueueMemberPenalty"
            | "QueueMemberRinginuse" => self.member_told(message),
            "QueueMemberRemoved" => self.member_leaves(message),
            "QueueCallerJoin" => self.caller_joins(now, message),
            "QueueCallerLeave" => self.caller_leaves(now, message),
            "QueueCallerAbandon" => self.caller_abandons(now, message),
            name if name.starts_with("Agent") => self.handle_agent_event(now, message, config),
            _ => self.handle_channel_event(now, message, config),
        }
        self.tell_agents(now, config);
        self.tell_measures(now, config);
    }

    fn handle_agent_event(&mut self, now: Instant, message: &Message, config: &Config) {
        match message.event().unwrap_or_default() {
            "AgentCalled" => {
                self.caller_offered(message);
                self.queue_rings(message, config);
            }
            "AgentConnect" => {
                self.caller_answered(now, message);
                self.queue_rings(message, config);
                self.talk(message, true);
            }
            "AgentRingNoAnswer" => {
                self.caller_bounces(message);
                self.queue_rings_no_more(message, config);
            }
            "AgentDump" => {
                self.caller_bounces(message);
                self.talk(message, false);
            }
            "AgentComplete" => {
                self.talk(message, false);
                self.finish(now, message);
            }
            _ => {}
        }
    }

    fn handle_channel_event(&mut self, now: Instant, message: &Message, config: &Config) {
        match message.event().unwrap_or_default() {
            "Newchannel" | "Newstate" | "NewConnectedLine" => {
                let since = Some(self.clock.at(now));
                self.channel_told(message, since, config);
            }
            "Hold" => self.channel_held(message, true),
            "Unhold" => self.channel_held(message, false),
            "BridgeEnter" => self.channel_bridged(message, true),
            "BridgeLeave" => self.channel_bridged(message, false),
            "Hangup" => self.channel_ends(message),
            "ParkedCall" => self.call_parked(message),
            "UnParkedCall" | "ParkedCallGiveUp" | "ParkedCallTimeOut" => {
                self.parked.remove(message.text("ParkingSpace"));
            }
            _ => {}
        }
    }

    /// A call was parked: an event, or the item of a list.
    pub(crate) fn call_parked(&mut self, message: &Message) {
        let (Some(space), parker) = (message.get("ParkingSpace"), message.text("ParkerDialString"))
        else {
            return;
        };
        if self.parked.len() < MOST_PARKED {
            self.parked.insert(space.to_owned(), parker.to_owned());
        }
    }

    fn member_told(&mut self, message: &Message) {
        let (Some(queue), Some((interface, member))) =
            (message.get("Queue"), Member::read(message))
        else {
            return;
        };
        let Some(queue) = self.queues.get_mut(queue) else { return };
        if queue.members.len() >= MOST_MEMBERS && !queue.members.contains_key(&interface) {
            return;
        }
        queue.members.insert(interface.clone(), member);
        self.touch(&interface);
    }

    fn member_leaves(&mut self, message: &Message) {
        let (Some(queue), Some(interface)) = (message.get("Queue"), message.get("Interface"))
        else {
            return;
        };
        if let Some(queue) = self.queues.get_mut(queue) {
            queue.members.remove(interface);
        }
        self.touch(interface);
    }

    /// An agent talks with a caller of a queue, or no longer.
    fn talk(&mut self, message: &Message, talks: bool) {
        self.change_member(message, |member| member.in_call = talks);
    }

    /// An agent has finished: the time to finish it off begins. The exchange says so itself a moment later.
    fn finish(&mut self, now: Instant, message: &Message) {
        let seconds = self.clock.at(now) / 1_000;
        self.change_member(message, |member| member.last_call = seconds);
        if let Some(queue) = message.get("Queue") {
            self.read_soon(now, queue);
        }
    }

    fn change_member(&mut self, message: &Message, change: impl FnOnce(&mut Member)) {
        let (Some(queue), Some(interface)) = (message.get("Queue"), message.get("Interface"))
        else {
            return;
        };
        let queue = self.queues.get_mut(queue);
        if let Some(member) = queue.and_then(|queue| queue.members.get_mut(interface)) {
            change(member);
            self.touch(interface);
        }
    }
}

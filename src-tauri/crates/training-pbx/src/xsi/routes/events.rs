//! Xsi-Events: channels and subscriptions.

use super::{Cx, versions};
use crate::acd::{AgentId, QueueId};
use crate::company::Role;
use crate::exchange::Exchange;
use crate::pbx::Profile;
use crate::xsi::Xsi;
use crate::xsi::element::Element;
use crate::xsi::events::No;
use crate::xsi::events::channel::{Channel, ChannelWish, LEAST_EXPIRES, NEVER};
use crate::xsi::events::delivery::Ack;
use crate::xsi::events::subscription::{Subscription, SubscriptionWish, Target};
use crate::xsi::payload::{acd, call};
use crate::xsi::read::{Node, read};
use crate::xsi::web::{Answer, Outcome, Refusal};

/// The packages that can be subscribed to here.
const PACKAGES: &[&str] = &[
    "Advanced Call",
    "Basic Call",
    "Standard Call",
    "BroadWorks Anywhere",
    "Call Center Agent",
    "Call Center Agent Monitoring",
    "Call Center Configuration",
    "Call Center Monitoring",
    "Call Center Queue",
    "Call Forwarding Always",
    "Call Forwarding Always Secondary",
    "Call Forwarding Busy",
    "Call Forwarding No Answer",
    "Call Park",
    "Call Waiting",
    "Do Not Disturb",
    "Flexible Seating Guest",
    "Hoteling Guest",
    "Remote Office",
    "Simultaneous Ring Personal",
    "Voice Mail Message Summary",
    "Voice Messaging",
];
/// Packages about a queue.
const OF_QUEUES: &[&str] =
    &["Call Center Configuration", "Call Center Monitoring", "Call Center Queue"];
/// Packages about an agent.
const OF_AGENTS: &[&str] = &["Call Center Agent", "Call Center Agent Monitoring"];
const SUBSCRIPTION: &[&str] = &[
    "subscriptionId",
    "sharedSubscriptionId",
    "subscriberId",
    "clientId",
    "targetIdType",
    "targetGrpParentId",
    "targetId",
    "targetSubId",
    "event",
    "eventPackageList",
    "expires",
    "httpContact",
    "channelSetId",
    "applicationId",
];

impl From<No> for Refusal {
    fn from(no: No) -> Self {
        match no {
            No::Unknown => Self::not_found("There is no such channel or subscription here"),
            No::TooMany => Self::forbidden("The limit is reached"),
        }
    }
}

impl Xsi {
    /// A request to Xsi-Events.
    pub(in crate::xsi) fn event_requests(
        &mut self,
        exchange: &mut Exchange,
        cx: &Cx<'_>,
    ) -> Outcome {
        let words = cx.rest(0);
        let host = cx.request.host;
        match (cx.method(), words.as_slice()) {
            ("GET", ["versions"]) => Ok(versions(self.profile)),
            ("POST", ["channel", "eventresponse"]) => self.event_response(cx),
            ("PUT", ["channel", _, "heartbeat"]) => {
                self.events.heartbeat(cx.now, cx.part(1), &cx.user, host)?;
                Ok(Answer::done())
            }
            ("PUT", ["channel", _]) => {
                let body = read(&cx.request.body, "Channel")?;
                let expires = expires(&body)?;
                let id = (cx.part(1), cx.user.as_str(), host);
                let granted = self.events.renew(cx.now, id, expires)?;
                let document = Element::new("Channel").field("channelId", cx.part(1));
                Ok(Answer::call(document.field("expires", granted)))
            }
            ("DELETE", ["channel", _]) => {
                self.events.close(cx.now, cx.part(1), &cx.user, host)?;
                Ok(Answer::done())
            }
            ("GET", ["channelset", _]) => self.channel_set(cx),
            ("GET", ["subscription"]) => Ok(self.subscription_list(cx)),
            ("GET", ["subscription", _]) => {
                let own = self.events.own(cx.part(1), &cx.user).ok_or(No::Unknown)?;
                Ok(Answer::call(self.subscription_document(own)))
            }
            ("PUT", ["subscription", _]) => self.refresh(exchange, cx),
            ("DELETE", ["subscription", _]) => {
                self.events.unsubscribe(cx.part(1), &cx.user)?;
                Ok(Answer::done())
            }
            ("POST", ["user", _] | ["user", _, "subscription"]) => {
                let target = self.event_target(cx.part(1))?;
                self.subscribe(exchange, cx, Target::User(target), cx.part(1))
            }
            ("POST", ["system"]) => self.subscribe(exchange, cx, Target::System, "system"),
            ("POST", ["serviceprovider" | "enterprise", rest @ ..]) => {
                self.subscribe_collection(exchange, cx, rest)
            }
            (_, ["channel"]) => Err(Refusal::not_allowed()),
            _ => Err(Refusal::not_found("There is no such resource")),
        }
    }

    /// Opens a channel: the answer never ends.
    pub(in crate::xsi) fn open_channel(
        &mut self,
        _exchange: &mut Exchange,
        cx: &Cx<'_>,
    ) -> Outcome {
        if (cx.method(), cx.rest(0).as_slice()) != ("POST", &["channel"][..]) {
            return Err(Refusal::not_found("There is no such resource"));
        }
        let body = read(&cx.request.body, "Channel")?;
        body.in_order(&["channelSetId", "priority", "weight", "expires", "applicationId"])?;
        let text = |name: &str| {
            let value = body.value(name).filter(|value| (1..=256).contains(&value.len()));
            value.map(str::to_owned).ok_or_else(|| Refusal::bad(format!("{name} is needed")))
        };
        if let Some(elsewhere) = self.elsewhere(cx) {
            return Ok(elsewhere);
        }
        let wish = ChannelWish {
            user: cx.user.clone(),
            set: text("channelSetId")?,
            application: text("applicationId")?,
            priority: body.number("priority", 0..=1_000)?.unwrap_or(1),
            weight: body.number("weight", 0..=1_000)?.unwrap_or(50),
            expires: expires(&body)?,
            host: cx.request.host,
        };
        let foreign = |channel: &&Channel| channel.wish.user != wish.user;
        if self.events.channels_of(&wish.set).iter().any(foreign) {
            return Err(Refusal::forbidden("The channel set is another user's"));
        }
        let (stream, _) = self.events.open(cx.now, wish)?;
        let answer = Answer { stream: Some(stream), ..Answer::done() };
        Ok(answer.header("content-type", "application/xml;charset=UTF-8"))
    }

    /// A redirection to the other host, if a knob wants one.
    fn elsewhere(&mut self, cx: &Cx<'_>) -> Option<Answer> {
        let other = self.hosts.get((cx.request.host + 1) % self.hosts.len().max(1)).cloned()?;
        let location = format!("{other}{}", cx.request.target);
        self.tricks.redirects().then(|| Answer::done().status(302).header("location", location))
    }

    fn event_response(&mut self, cx: &Cx<'_>) -> Outcome {
        let body = read(&cx.request.body, "EventResponse")?;
        body.in_order(&["eventID", "statusCode", "reason"])?;
        let event = body.value("eventID").unwrap_or_default();
        let status = body.number("statusCode", 100..=699)?;
        let answer = status.and_then(Ack::read);
        let answer = answer.ok_or_else(|| Refusal::bad("Invalid statusCode"))?;
        self.events.acked(cx.now, &cx.user, cx.request.host, event, answer)?;
        Ok(Answer::done())
    }

    fn channel_set(&self, cx: &Cx<'_>) -> Outcome {
        let channels = self.events.set_of(cx.part(1), &cx.user);
        if channels.is_empty() {
            return Err(No::Unknown.into());
        }
        let one = |channel: &&Channel| {
            Element::new("channel")
                .field("channelId", &channel.id)
                .field("channelSetId", &channel.wish.set)
                .field("priority", channel.wish.priority)
                .field("weight", channel.wish.weight)
                .field("expires", channel.expires)
        };
        Ok(Answer::call(Element::new("ChannelSet").all(channels.iter().map(one))))
    }

    /// The user part of a user or call centre that can be watched.
    fn event_target(&self, id: &str) -> Result<String, Refusal> {
        let queue = || {
            let id = QueueId(self.names.local(id)?.to_owned());
            self.centre.queue(&id).map(|queue| queue.config.id.0.clone())
        };
        let found = self.names.user(id).or_else(queue);
        found.ok_or_else(|| Refusal::not_found(format!("User not found: {id}")))
    }

    fn subscribe_collection(
        &mut self,
        exchange: &mut Exchange,
        cx: &Cx<'_>,
        rest: &[&str],
    ) -> Outcome {
        let enterprise = cx.part(1).to_owned();
        if enterprise != self.names.enterprise() {
            return Err(Refusal::not_found(format!("There is no enterprise {enterprise}")));
        }
        match rest {
            [_] => {
                self.subscribe(exchange, cx, Target::Enterprise(enterprise.clone()), &enterprise)
            }
            [_, "group", _] => {
                let group = cx.part(3).to_owned();
                if group != self.names.group() {
                    return Err(Refusal::not_found(format!("There is no group {group}")));
                }
                self.subscribe(exchange, cx, Target::Group(group.clone()), &group)
            }
            _ => Err(Refusal::not_found("There is no such resource")),
        }
    }

    fn subscribe(
        &mut self,
        exchange: &mut Exchange,
        cx: &Cx<'_>,
        target: Target,
        target_id: &str,
    ) -> Outcome {
        let body = read(&cx.request.body, "Subscription")?;
        body.in_order(SUBSCRIPTION)?;
        if let Some(elsewhere) = self.elsewhere(cx) {
            return Ok(elsewhere);
        }
        let (packages, is_list) = self.packages(&body)?;
        self.in_scope(&cx.user, &target, &packages)?;
        if body.child("httpContact").is_some() {
            return Err(Refusal::forbidden("Delivery by HTTP contact is not allowed"));
        }
        let text = |name: &str| {
            let value = body.value(name).filter(|value| (1..=256).contains(&value.len()));
            value.map(str::to_owned).ok_or_else(|| Refusal::bad(format!("{name} is needed")))
        };
        let watched = match &target {
            Target::User(user) => Some(user.clone()),
            _ => None,
        };
        let target_id = match &watched {
            Some(user) => self.names.user_id(user),
            None => target_id.to_owned(),
        };
        let wish = SubscriptionWish {
            owner: cx.user.clone(),
            target,
            target_id,
            packages: packages.clone(),
            is_list,
            set: text("channelSetId")?,
            application: text("applicationId")?,
            expires: expires(&body)?,
        };
        let (id, granted) = self.events.subscribe(cx.now, wish)?;
        if let Some(user) = watched {
            self.begin(exchange, cx, &id, &user, &packages);
        }
        let document = Element::new("Subscription").field("subscriptionId", id);
        Ok(Answer::call(document.field("expires", granted)))
    }

    /// The packages of a subscription, and whether they came as a list.
    fn packages(&self, body: &Node) -> Result<(Vec<&'static str>, bool), Refusal> {
        let list = body.child("eventPackageList");
        if list.is_some() && self.profile == Profile::R21 {
            return Err(Refusal::bad("Subscription has no element eventPackageList"));
        }
        let named: Vec<&str> = match list {
            Some(list) => list.all("event").map(Node::words).collect(),
            None => body.value("event").into_iter().collect(),
        };
        let find = |name: &&str| {
            let known = PACKAGES.iter().find(|package| *package == name);
            let newer = *name == "Call Forwarding Always Secondary";
            let known = known.filter(|_| !newer || self.profile == Profile::R2020);
            known.copied().ok_or_else(|| Refusal::forbidden(format!("Unsupported event {name}")))
        };
        let packages = named.iter().map(find).collect::<Result<Vec<_>, _>>()?;
        match packages.is_empty() {
            true => Err(Refusal::bad("The element event is needed")),
            false => Ok((packages, list.is_some())),
        }
    }

    /// Whether somebody may watch this with these packages.
    fn in_scope(
        &self,
        user: &str,
        target: &Target,
        packages: &[&'static str],
    ) -> Result<(), Refusal> {
        let no = || Err(Refusal::forbidden("The target is out of scope"));
        let Target::User(target) = target else {
            return if self.tricks.own_only { no() } else { Ok(()) };
        };
        if self.tricks.own_only && target != user {
            return no();
        }
        let queue = self.centre.queue(&QueueId(target.clone()));
        for package in packages {
            let allowed = match queue {
                // The calls of a queue are no user's calls.
                Some(queue) if OF_QUEUES.contains(package) => {
                    let id = AgentId(user.to_owned());
                    let works = queue.config.members.iter().any(|member| member.agent == id);
                    works || queue.config.supervisors.contains(&id)
                }
                Some(_) => false,
                None if OF_QUEUES.contains(package) => false,
                None if OF_AGENTS.contains(package) => {
                    self.is_agent(target) && (target == user || self.supervises(user, target))
                }
                // Settings are the user's own; whether somebody is on the phone is for all to see.
                None if call::BSA.contains(package) => true,
                None => target == user || self.is_receptionist(user),
            };
            if !allowed {
                return no();
            }
        }
        Ok(())
    }

    fn is_receptionist(&self, user: &str) -> bool {
        let account = self.names.company.account(user);
        account.is_some_and(|account| account.role == Role::Receptionist)
    }

    /// The initial events of a subscription: everything as it is now.
    fn begin(
        &mut self,
        exchange: &mut Exchange,
        cx: &Cx<'_>,
        id: &str,
        user: &str,
        packages: &[&'static str],
    ) {
        self.observe(cx.now, exchange);
        self.look(cx.now, exchange);
        self.tell_services(cx.now, exchange);
        let services = self.service_states(exchange, user);
        for package in packages {
            let data = if call::BSA.contains(package) {
                let records = self.watch.of(user);
                let off = self.watch.off_hook(user);
                let state = (self.watch.conference(user, "conference"), off);
                Some(call::everything("CallSubscriptionEvent", &records, state, &self.names))
            } else {
                let centre = || acd::initial(package, user, &self.centre, self.clock, &self.names);
                let service = services.iter().find(|(known, _)| known == package);
                service.map(|(_, data)| data.clone()).or_else(centre)
            };
            if let Some(data) = data {
                self.events.tell(cx.now, id, user, data);
            }
        }
    }

    fn refresh(&mut self, exchange: &mut Exchange, cx: &Cx<'_>) -> Outcome {
        let body = read(&cx.request.body, "Subscription")?;
        body.in_order(SUBSCRIPTION)?;
        let id = cx.part(1);
        let granted = self.events.refresh(cx.now, id, &cx.user, expires(&body)?)?;
        let own = self.events.own(id, &cx.user).cloned().ok_or(No::Unknown)?;
        if let Target::User(user) = &own.target {
            self.begin(exchange, cx, id, user, &own.packages);
        }
        let document = Element::new("Subscription").field("subscriptionId", id);
        Ok(Answer::call(document.field("expires", granted)))
    }

    fn subscription_list(&self, cx: &Cx<'_>) -> Answer {
        let is =
            |name: &str, value: &str| cx.address.value(name).is_none_or(|wanted| wanted == value);
        let owner = self.names.user_id(&cx.user);
        let fits = |subscription: &&Subscription| {
            let kind = match subscription.target {
                Target::User(_) => "User",
                Target::Group(_) => "Group",
                Target::Enterprise(_) => "ServiceProvider",
                Target::System => "System",
            };
            let event = cx.address.value("event");
            subscription.owner == cx.user
                && event.is_none_or(|event| subscription.packages.contains(&event))
                && is("subscriberId", &owner)
                && is("extAppId", &subscription.application)
                && is("targetId", &subscription.target_id)
                && is("targetEntityType", kind)
        };
        let all = self.events.subscriptions().filter(fits);
        let documents = all.map(|subscription| {
            let mut document = self.subscription_document(subscription);
            document.name = "subscription";
            document
        });
        Answer::call(Element::new("SubscriptionList").all(documents))
    }

    fn subscription_document(&self, subscription: &Subscription) -> Element {
        let kind = match subscription.target {
            Target::User(_) => "User",
            Target::Group(_) => "Group",
            Target::Enterprise(_) => "ServiceProvider",
            Target::System => "System",
        };
        let parent = matches!(subscription.target, Target::Group(_));
        let document = Element::new("Subscription")
            .field("subscriptionId", &subscription.id)
            .field("subscriberId", self.names.user_id(&subscription.owner))
            .field("targetIdType", kind)
            .maybe("targetGrpParentId", parent.then(|| self.names.enterprise()))
            .field("targetId", &subscription.target_id);
        let events = subscription.packages.iter().map(|package| Element::leaf("event", package));
        let document = match subscription.packages.len() {
            1 => document.all(events),
            _ => document.with(Element::new("eventPackageList").all(events)),
        };
        document
            .field("expires", subscription.expires)
            .field("channelSetId", &subscription.set)
            .field("applicationId", &subscription.application)
    }
}

/// The term that is asked for, seconds.
fn expires(body: &Node) -> Result<u32, Refusal> {
    Ok(body.number("expires", 0..=NEVER)?.unwrap_or(LEAST_EXPIRES))
}

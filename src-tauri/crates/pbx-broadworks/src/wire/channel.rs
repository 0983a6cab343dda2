//! Channels and subscriptions (reference, sections 4.1 and 4.2).

use super::words;
use crate::{
    DocumentError,
    xml::{Element, Writer},
};

/// An expiry that never comes.
const NEVER: u32 = 2_147_483_647;

words! {
    /// Why a channel ended.
    ChannelReason {
        DuplicateChannelSet = "DuplicateChannelSet", UserDeleted = "UserDeleted",
        NonResponsiveChannel = "NonResponsiveChannel", ExplicitDelete = "ExplicitDelete",
        Expired = "Expired", UnknownChannel = "UnknownChannel",
    }
}

/// A channel as granted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Channel {
    /// Its name.
    pub id: String,
    /// How long it lives without a renewal, in seconds; `None`: for ever, or not told.
    pub expires: Option<u32>,
}

impl Channel {
    pub(super) fn read(root: &Element) -> Result<Self, DocumentError> {
        Ok(Self { id: root.needed("channelId")?, expires: read_expires(root) })
    }
}

fn read_expires(root: &Element) -> Option<u32> {
    root.number("expires").filter(|&seconds| seconds > 0 && seconds < NEVER)
}

/// A subscription as granted, or as listed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Subscription {
    /// Its name.
    pub id: String,
    /// How long it lives without a renewal, in seconds; `None`: for ever, or not told.
    pub expires: Option<u32>,
    /// Whom it is about.
    pub target: Option<String>,
    /// Names of its event packages.
    pub packages: Vec<String>,
    /// The set of channels it is delivered on.
    pub channel_set: Option<String>,
    /// The program it belongs to.
    pub application: Option<String>,
}

impl Subscription {
    /// Reads a subscription.
    ///
    /// # Errors
    /// It has no `subscriptionId`.
    pub fn read(root: &Element) -> Result<Self, DocumentError> {
        let words = |one: &Element| one.words().map(str::to_owned);
        let listed = root.listed("eventPackageList", "event").filter_map(words);
        Ok(Self {
            id: root.needed("subscriptionId")?,
            expires: read_expires(root),
            target: root.text_of("targetId"),
            packages: root.all("event").filter_map(words).chain(listed).collect(),
            channel_set: root.text_of("channelSetId"),
            application: root
                .text_of("applicationId")
                .or_else(|| root.text_of("externalApplicationId")),
        })
    }
}

/// Reads the answer of `GET subscription`. What has no name is passed over.
pub fn read_subscriptions(root: &Element) -> Vec<Subscription> {
    let all = root.all("subscription").chain(root.all("Subscription"));
    all.filter_map(|one| Subscription::read(one).ok()).collect()
}

/// The document that creates a channel.
pub fn channel_request(channel_set: &str, application: &str, expires: u32) -> String {
    let mut writer = Writer::new("Channel");
    writer.leaf("channelSetId", channel_set).leaf("priority", 1).leaf("weight", 50);
    writer.leaf("expires", expires).leaf("applicationId", application);
    writer.finish()
}

/// The document that renews a channel.
pub fn channel_renewal(expires: u32) -> String {
    let mut writer = Writer::new("Channel");
    writer.leaf("expires", expires);
    writer.finish()
}

/// The document that creates a subscription of one package.
pub fn subscription_request(
    package: &str,
    expires: u32,
    channel_set: &str,
    application: &str,
) -> String {
    let mut writer = Writer::new("Subscription");
    writer.leaf("event", package).leaf("expires", expires);
    writer.leaf("channelSetId", channel_set).leaf("applicationId", application);
    writer.finish()
}

/// The document that renews a subscription, or asks for all of its state.
pub fn subscription_renewal(expires: u32) -> String {
    let mut writer = Writer::new("Subscription");
    writer.leaf("expires", expires);
    writer.finish()
}

/// The document that acknowledges an event.
pub fn event_response(event_id: &str, status: u16, reason: &str) -> String {
    let mut writer = Writer::new("EventResponse");
    writer.leaf("eventID", event_id).leaf("statusCode", status).leaf("reason", reason);
    writer.finish()
}

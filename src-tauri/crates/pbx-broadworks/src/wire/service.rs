//! Services of a user: read from actions and events alike, written in the schema's order (reference,
//! sections 3.4 and 4.7).

use super::number_of;
use crate::{
    release::Release,
    xml::{Element, Writer},
};

/// A service that is assigned to the user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assigned {
    /// Its name: `Do Not Disturb`, `Call Center - Premium`.
    pub name: String,
    /// Where its settings are, if it has some.
    pub uri: Option<String>,
}

/// Reads the answer of `GET services`.
pub fn read_assigned(root: &Element) -> Vec<Assigned> {
    let read =
        |one: &Element| one.text_of("name").map(|name| Assigned { name, uri: one.text_of("uri") });
    root.all("service").filter_map(read).collect()
}

/// Values that most services have. `None`: not told, and left as it is when written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Common {
    /// On.
    pub active: Option<bool>,
    /// Number that calls go to; empty: none is set, and cleared when written.
    pub number: Option<String>,
    /// Rings before that, for no answer.
    pub rings: Option<u32>,
    /// A short ring reminds of it.
    pub splash: Option<bool>,
}

/// A phone that rings at the same time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RingLocation {
    /// Its number.
    pub address: String,
    /// Who answers must press a key first.
    pub confirm: bool,
}

/// `SimultaneousRingPersonal`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SimultaneousRing {
    /// On.
    pub active: Option<bool>,
    /// `Do not Ring if on a Call`, or another word.
    pub incoming: Option<String>,
    /// The phones; `None`: left as they are when written.
    pub locations: Option<Vec<RingLocation>>,
}

/// `SequentialRing`. It has no switch of its own: criteria, which can only be read here, decide on calls.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SequentialRing {
    /// The own phone rings first.
    pub own_first: Option<bool>,
    /// How often: 0, or 2 to 20.
    pub own_rings: Option<u32>,
    /// It goes on when the own phone is busy.
    pub past_busy: Option<bool>,
    /// The phones, at most five; `None`: left as they are when written.
    pub places: Option<Vec<RingPlace>>,
}

/// A phone that rings after others.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RingPlace {
    /// Its number.
    pub address: String,
    /// How often: 0, or 2 to 20.
    pub rings: Option<u32>,
    /// Who answers must press a key first.
    pub confirm: bool,
}

/// The elements of the phones, in order.
const PLACES: [&str; 5] = ["location1", "location2", "location3", "location4", "location5"];

/// `VoiceMessaging`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VoiceMessaging {
    /// On.
    pub active: Option<bool>,
    /// What becomes of messages, in the server's words.
    pub processing: Option<String>,
    /// Messages are mailed here; empty: nowhere.
    pub email: Option<String>,
    /// The phone's lamp tells of messages.
    pub lamp: Option<bool>,
    /// A copy of each message is mailed.
    pub copied: Option<bool>,
    /// Where that is mailed to; empty: nowhere, and cleared when written.
    pub copy: Option<String>,
    /// Every call goes there.
    pub always: Option<bool>,
    /// Calls while the user talks.
    pub busy: Option<bool>,
    /// Calls that are not answered.
    pub no_answer: Option<bool>,
}

/// Sitting at somebody else's phone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hoteling {
    /// On.
    pub active: Option<bool>,
    /// Whose phone; empty: nobody's, and cleared when written.
    pub host: Option<String>,
}

/// `GroupNightForwarding`, which a user can only read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GroupNight {
    /// `Use Group`, `On`, `Off`, in the server's words.
    pub mode: Option<String>,
    /// Schedule of business hours.
    pub business_hours: Option<String>,
    /// Schedule of holidays.
    pub holidays: Option<String>,
}

/// `BusyLampField`: whose lamps the user watches.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BusyLampField {
    /// The SIP address to subscribe to.
    pub list_uri: Option<String>,
    /// The watched users.
    pub users: Vec<String>,
}

/// `CallCenterMonitoring`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Monitoring {
    /// The agent hears a tone when somebody listens.
    pub tone: Option<bool>,
}

/// A service as it is, by its path below `services/`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ServiceState {
    /// `DoNotDisturb`.
    DoNotDisturb(Common),
    /// `CallForwardingAlways`.
    ForwardAlways(Common),
    /// `CallForwardingBusy`.
    ForwardBusy(Common),
    /// `CallForwardingNoAnswer`.
    ForwardNoAnswer(Common),
    /// `CallForwardingNotReachable`.
    ForwardNotReachable(Common),
    /// `CallForwardingAlwaysSecondary`.
    ForwardAlwaysSecondary(Common),
    /// `CallWaiting`.
    CallWaiting(Common),
    /// `CallingLineIDDeliveryBlocking`.
    WithholdNumber(Common),
    /// `AnonymousCallRejection`.
    RejectAnonymous(Common),
    /// `RemoteOffice`.
    RemoteOffice(Common),
    /// `SimultaneousRingPersonal`.
    SimultaneousRing(SimultaneousRing),
    /// `SequentialRing`.
    SequentialRing(SequentialRing),
    /// `VoiceMessaging`.
    VoiceMessaging(VoiceMessaging),
    /// `HotelingGuest`.
    HotelingGuest(Hoteling),
    /// `FlexibleSeatingGuest`.
    FlexibleSeating(Hoteling),
    /// `GroupNightForwarding`.
    Night(GroupNight),
}

/// The paths, which are also the names of the documents and, with `Event` behind, of the events.
const PATHS: &[&str] = &[
    "DoNotDisturb",
    "CallForwardingAlways",
    "CallForwardingBusy",
    "CallForwardingNoAnswer",
    "CallForwardingNotReachable",
    "CallForwardingAlwaysSecondary",
    "CallWaiting",
    "CallingLineIDDeliveryBlocking",
    "AnonymousCallRejection",
    "RemoteOffice",
    "SimultaneousRingPersonal",
    "SequentialRing",
    "VoiceMessaging",
    "HotelingGuest",
    "FlexibleSeatingGuest",
    "GroupNightForwarding",
];

impl ServiceState {
    /// Paths of all services that are read and understood.
    pub fn paths() -> &'static [&'static str] {
        PATHS
    }

    /// Reads the service at `path`; `None` if it is none of ours.
    pub fn read(path: &str, element: &Element) -> Option<Self> {
        let common = || Common::read(element);
        Some(match path {
            "DoNotDisturb" => Self::DoNotDisturb(common()),
            "CallForwardingAlways" => Self::ForwardAlways(common()),
            "CallForwardingBusy" => Self::ForwardBusy(common()),
            "CallForwardingNoAnswer" => Self::ForwardNoAnswer(common()),
            "CallForwardingNotReachable" => Self::ForwardNotReachable(common()),
            "CallForwardingAlwaysSecondary" => Self::ForwardAlwaysSecondary(common()),
            "CallWaiting" => Self::CallWaiting(common()),
            "CallingLineIDDeliveryBlocking" => Self::WithholdNumber(common()),
            "AnonymousCallRejection" => Self::RejectAnonymous(common()),
            "RemoteOffice" => Self::RemoteOffice(common()),
            "SimultaneousRingPersonal" => Self::SimultaneousRing(SimultaneousRing::read(element)),
            "SequentialRing" => Self::SequentialRing(SequentialRing::read(element)),
            "VoiceMessaging" => Self::VoiceMessaging(VoiceMessaging::read(element)),
            "HotelingGuest" => Self::HotelingGuest(Hoteling::read(element)),
            "FlexibleSeatingGuest" => Self::FlexibleSeating(Hoteling::read(element)),
            "GroupNightForwarding" => Self::Night(GroupNight::read(element)),
            _ => return None,
        })
    }

    /// Its path below `services/`.
    pub fn path(&self) -> &'static str {
        match self {
            Self::DoNotDisturb(_) => "DoNotDisturb",
            Self::ForwardAlways(_) => "CallForwardingAlways",
            Self::ForwardBusy(_) => "CallForwardingBusy",
            Self::ForwardNoAnswer(_) => "CallForwardingNoAnswer",
            Self::ForwardNotReachable(_) => "CallForwardingNotReachable",
            Self::ForwardAlwaysSecondary(_) => "CallForwardingAlwaysSecondary",
            Self::CallWaiting(_) => "CallWaiting",
            Self::WithholdNumber(_) => "CallingLineIDDeliveryBlocking",
            Self::RejectAnonymous(_) => "AnonymousCallRejection",
            Self::RemoteOffice(_) => "RemoteOffice",
            Self::SimultaneousRing(_) => "SimultaneousRingPersonal",
            Self::SequentialRing(_) => "SequentialRing",
            Self::VoiceMessaging(_) => "VoiceMessaging",
            Self::HotelingGuest(_) => "HotelingGuest",
            Self::FlexibleSeating(_) => "FlexibleSeatingGuest",
            Self::Night(_) => "GroupNightForwarding",
        }
    }

    /// Whether this release has it.
    pub fn is_in(&self, release: Release) -> bool {
        !matches!(self, Self::ForwardAlwaysSecondary(_)) || release.has_secondary_forwarding()
    }

    /// The document that sets it; `None`: it can only be read.
    pub fn write(&self) -> Option<String> {
        let mut writer = Writer::new(self.path());
        match self {
            Self::RemoteOffice(common) => {
                writer.leaf_some("active", common.active);
                number(&mut writer, "remoteOfficeNumber", common.number.as_deref());
            }
            Self::DoNotDisturb(common)
            | Self::CallWaiting(common)
            | Self::WithholdNumber(common)
            | Self::RejectAnonymous(common) => {
                writer.leaf_some("active", common.active).leaf_some("ringSplash", common.splash);
            }
            Self::ForwardAlways(common)
            | Self::ForwardBusy(common)
            | Self::ForwardNoAnswer(common)
            | Self::ForwardNotReachable(common)
            | Self::ForwardAlwaysSecondary(common) => {
                writer.leaf_some("active", common.active);
                number(&mut writer, "forwardToPhoneNumber", common.number.as_deref());
                writer.leaf_some("ringSplash", common.splash);
                writer.leaf_some("numberOfRings", common.rings);
            }
            Self::SimultaneousRing(ring) => ring.write(&mut writer),
            Self::SequentialRing(ring) => ring.write(&mut writer),
            Self::VoiceMessaging(mail) => mail.write(&mut writer),
            Self::HotelingGuest(hoteling) | Self::FlexibleSeating(hoteling) => {
                writer.leaf_some("active", hoteling.active);
                number(&mut writer, "hostUserId", hoteling.host.as_deref());
            }
            Self::Night(_) => return None,
        }
        Some(writer.finish())
    }
}

/// A value that an empty text clears.
fn number(writer: &mut Writer, name: &'static str, value: Option<&str>) {
    if let Some(value) = value {
        writer.leaf_or_nil(name, value);
    }
}

impl Common {
    fn read(element: &Element) -> Self {
        // The number is left out when none is set; a service that can have one then has none.
        let told = |name: &str| element.child(name).map(|one| number_of(&one.text).to_owned());
        Self {
            active: element.boolean("active"),
            number: told("forwardToPhoneNumber").or_else(|| told("remoteOfficeNumber")),
            rings: element.number("numberOfRings"),
            splash: element.boolean("ringSplash"),
        }
    }
}

impl SimultaneousRing {
    fn read(element: &Element) -> Self {
        let location = |one: &Element| RingLocation {
            address: number_of(&one.string("address")).to_owned(),
            confirm: one.boolean("answerConfirmationRequired").unwrap_or_default(),
        };
        Self {
            active: element.boolean("active"),
            incoming: element.text_of("incomingCalls"),
            locations: Some(
                element.listed("simRingLocations", "simRingLocation").map(location).collect(),
            ),
        }
    }

    fn write(&self, writer: &mut Writer) {
        writer.leaf_some("active", self.active).leaf_some("incomingCalls", self.incoming.as_ref());
        if let Some(locations) = &self.locations {
            writer.start("simRingLocations");
            for location in locations {
                writer.start("simRingLocation").leaf("address", &location.address);
                writer.leaf("answerConfirmationRequired", location.confirm).end();
            }
            writer.end();
        }
    }
}

impl SequentialRing {
    fn read(element: &Element) -> Self {
        let place = |name: &&str| {
            let one = element.child(name)?;
            let address = number_of(&one.string("address")).to_owned();
            (!address.is_empty()).then(|| RingPlace {
                address,
                rings: one.number("numberOfRings"),
                confirm: one.boolean("answerConfirmationRequired").unwrap_or_default(),
            })
        };
        Self {
            own_first: element.boolean("ringBaseLocationFirst"),
            own_rings: element.number("baseLocationNumberOfRings"),
            past_busy: element.boolean("continueIfBaseLocationIsBusy"),
            places: Some(PLACES.iter().filter_map(place).collect()),
        }
    }

    fn write(&self, writer: &mut Writer) {
        writer.leaf_some("ringBaseLocationFirst", self.own_first);
        writer.leaf_some("baseLocationNumberOfRings", self.own_rings);
        writer.leaf_some("continueIfBaseLocationIsBusy", self.past_busy);
        let Some(places) = &self.places else { return };
        for (at, name) in PLACES.into_iter().enumerate() {
            writer.start(name);
            match places.get(at) {
                Some(place) => {
                    writer.leaf("address", &place.address);
                    writer.leaf_some("numberOfRings", place.rings);
                    writer.leaf("answerConfirmationRequired", place.confirm);
                }
                None => {
                    writer.leaf_or_nil("address", "");
                }
            }
            writer.end();
        }
    }
}

impl VoiceMessaging {
    fn read(element: &Element) -> Self {
        Self {
            active: element.boolean("active"),
            processing: element.text_of("processing"),
            email: element
                .child("voiceMessageDeliveryEmailAddress")
                .map(|one| one.text.trim().to_owned()),
            lamp: element.boolean("usePhoneMessageWaitingIndicator"),
            copied: element.boolean("sendCarbonCopyVoiceMessage"),
            copy: element
                .child("voiceMessageCarbonCopyEmailAddress")
                .map(|one| one.text.trim().to_owned()),
            always: element.boolean("alwaysRedirectToVoiceMail"),
            busy: element.boolean("busyRedirectToVoiceMail"),
            no_answer: element.boolean("noAnswerRedirectToVoiceMail"),
        }
    }

    fn write(&self, writer: &mut Writer) {
        writer.leaf_some("active", self.active).leaf_some("processing", self.processing.as_ref());
        number(writer, "voiceMessageDeliveryEmailAddress", self.email.as_deref());
        writer.leaf_some("usePhoneMessageWaitingIndicator", self.lamp);
        writer.leaf_some("sendCarbonCopyVoiceMessage", self.copied);
        number(writer, "voiceMessageCarbonCopyEmailAddress", self.copy.as_deref());
        writer.leaf_some("alwaysRedirectToVoiceMail", self.always);
        writer.leaf_some("busyRedirectToVoiceMail", self.busy);
        writer.leaf_some("noAnswerRedirectToVoiceMail", self.no_answer);
    }
}

impl Hoteling {
    fn read(element: &Element) -> Self {
        Self {
            active: element.boolean("active"),
            host: element.child("hostUserId").map(|one| one.text.trim().to_owned()),
        }
    }
}

impl GroupNight {
    fn read(element: &Element) -> Self {
        let named = |name: &str| {
            let one = element.child(name)?;
            one.text_of("name").or_else(|| one.words().map(str::to_owned))
        };
        Self {
            mode: element.text_of("userNightForwardingMode"),
            business_hours: named("businessHours"),
            holidays: named("holidaySchedule"),
        }
    }
}

impl BusyLampField {
    /// Reads the whole service, or only its address (`BusyLampField/listURI`).
    pub fn read(root: &Element) -> Self {
        let own = || (root.name == "listURI").then(|| root.words().map(str::to_owned)).flatten();
        Self {
            list_uri: root.text_of("listURI").or_else(own),
            users: root
                .listed("monitoredUserList", "userDetails")
                .chain(root.all("userDetails"))
                .filter_map(|one| one.text_of("userId"))
                .collect(),
        }
    }

    /// The document that replaces the watched users.
    pub fn write_users(users: &[String]) -> String {
        let mut writer = Writer::new("BusyLampField");
        writer.start("monitoredUserList");
        for user in users {
            writer.start("userDetails").leaf("userId", user).end();
        }
        writer.end();
        writer.finish()
    }
}

impl Monitoring {
    /// Reads `CallCenterMonitoring`.
    pub fn read(root: &Element) -> Self {
        Self { tone: root.boolean("playToneToAgentForSilentMonitoring") }
    }
}

/// A service as an event tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ServiceEvent {
    /// As it is now.
    State(ServiceState),
    /// The user does not have it any more: the path of the service.
    Unassigned(&'static str),
}

impl ServiceEvent {
    pub(super) fn read(name: &str, data: &Element) -> Option<Self> {
        let path = name.strip_suffix("Event")?;
        let path = PATHS.iter().find(|known| **known == path)?;
        if data.flag("unassigned") {
            return Some(Self::Unassigned(path));
        }
        ServiceState::read(path, data.child("info").unwrap_or(data)).map(Self::State)
    }
}

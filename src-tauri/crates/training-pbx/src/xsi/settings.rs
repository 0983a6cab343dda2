//! The users' services: which elements each has, in which order, and what they are set to.
//!
//! Plain services are rows of one table; those with lists (lamps, call centre, locations) have routes of their own. Where
//! the exchange has the feature, the desk holds the truth and this reads it and writes it.

use std::collections::BTreeMap;

use super::element::Element;
use super::names::dialled;
use super::read::{BadBody, Node};
use crate::desk::{Desk, ForwardWhen, Forwarding, RecordingMode};
use crate::pbx::Profile;

/// What an element may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `true` or `false`.
    Flag,
    /// A number of this range.
    Number(u32, u32),
    /// Text of at most so many characters.
    Text(usize),
    /// A number that can be dialled.
    Phone,
    /// One of these words.
    Choice(&'static [&'static str]),
}

/// One element.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Field {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    /// What it is at first; left out of the document if there is nothing.
    pub(crate) usual: Option<&'static str>,
}

/// One service.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Service {
    /// The last word of its path, which is the root of its document too.
    pub(crate) path: &'static str,
    /// As the list of services has it.
    pub(crate) name: &'static str,
    pub(crate) fields: &'static [Field],
    /// The package that tells of it and the event's type.
    pub(crate) event: Option<(&'static str, &'static str)>,
    /// Not before the releases of 2020.
    pub(crate) since_2020: bool,
    /// Cannot be changed by its user.
    pub(crate) read_only: bool,
}

const fn flag(name: &'static str, usual: &'static str) -> Field {
    Field { name, kind: Kind::Flag, usual: Some(usual) }
}

const fn phone(name: &'static str) -> Field {
    Field { name, kind: Kind::Phone, usual: None }
}

const fn service(
    path: &'static str,
    name: &'static str,
    fields: &'static [Field],
    event: Option<(&'static str, &'static str)>,
) -> Service {
    Service { path, name, fields, event, since_2020: false, read_only: false }
}

const ACTIVE: Field = flag("active", "false");
const TO: Field = phone("forwardToPhoneNumber");

/// All plain services.
pub(crate) const SERVICES: &[Service] = &[
    service(
        "DoNotDisturb",
        "Do Not Disturb",
        &[ACTIVE, flag("ringSplash", "false")],
        Some(("Do Not Disturb", "DoNotDisturbEvent")),
    ),
    service(
        "CallForwardingAlways",
        "Call Forwarding Always",
        &[ACTIVE, TO, flag("ringSplash", "false")],
        Some(("Call Forwarding Always", "CallForwardingAlwaysEvent")),
    ),
    Service {
        since_2020: true,
        ..service(
            "CallForwardingAlwaysSecondary",
            "Call Forwarding Always Secondary",
            &[ACTIVE, TO, flag("ringSplash", "false")],
            Some(("Call Forwarding Always Secondary", "CallForwardingAlwaysSecondaryEvent")),
        )
    },
    service(
        "CallForwardingBusy",
        "Call Forwarding Busy",
        &[ACTIVE, TO],
        Some(("Call Forwarding Busy", "CallForwardingBusyEvent")),
    ),
    service(
        "CallForwardingNoAnswer",
        "Call Forwarding No Answer",
        &[ACTIVE, TO, Field { name: "numberOfRings", kind: Kind::Number(2, 20), usual: Some("3") }],
        Some(("Call Forwarding No Answer", "CallForwardingNoAnswerEvent")),
    ),
    service("CallForwardingNotReachable", "Call Forwarding Not Reachable", &[ACTIVE, TO], None),
    service(
        "CallWaiting",
        "Call Waiting",
        &[flag("active", "true")],
        Some(("Call Waiting", "CallWaitingEvent")),
    ),
    service("CallingLineIDDeliveryBlocking", "Calling Line ID Delivery Blocking", &[ACTIVE], None),
    service("AnonymousCallRejection", "Anonymous Call Rejection", &[ACTIVE], None),
    service(
        "RemoteOffice",
        "Remote Office",
        &[ACTIVE, phone("remoteOfficeNumber")],
        Some(("Remote Office", "RemoteOfficeEvent")),
    ),
    service(
        "VoiceMessaging",
        "Voice Messaging User",
        &[
            flag("active", "true"),
            Field {
                name: "processing",
                kind: Kind::Choice(&[
                    "Unified Voice and Email Messaging",
                    "Deliver To Email Address Only",
                ]),
                usual: Some("Unified Voice and Email Messaging"),
            },
            Field { name: "voiceMessageDeliveryEmailAddress", kind: Kind::Text(80), usual: None },
            flag("usePhoneMessageWaitingIndicator", "true"),
            flag("alwaysRedirectToVoiceMail", "false"),
            flag("busyRedirectToVoiceMail", "false"),
            flag("noAnswerRedirectToVoiceMail", "true"),
        ],
        Some(("Voice Messaging", "VoiceMessagingEvent")),
    ),
    service(
        "CallRecording",
        "Call Recording",
        &[
            Field {
                name: "recordingMode",
                kind: Kind::Choice(&[
                    "always",
                    "always-pause-resume",
                    "on-demand",
                    "on-demand-user-start",
                    "never",
                ]),
                usual: Some("never"),
            },
            Field {
                name: "pauseResumeNotifyMethod",
                kind: Kind::Choice(&["None", "Beep", "Play Announcement"]),
                usual: Some("None"),
            },
        ],
        None,
    ),
    service(
        "HotelingGuest",
        "Hoteling Guest",
        &[
            ACTIVE,
            Field { name: "hostUserId", kind: Kind::Text(161), usual: None },
            flag("enableAssociationLimit", "true"),
            Field { name: "associationLimitHours", kind: Kind::Number(1, 999), usual: Some("12") },
        ],
        Some(("Hoteling Guest", "HotelingGuestEvent")),
    ),
    service(
        "HotelingHost",
        "Hoteling Host",
        &[
            // Telephones here are for whoever comes.
            flag("active", "true"),
            flag("enableAssociationLimit", "true"),
            Field { name: "associationLimitHours", kind: Kind::Number(1, 999), usual: Some("24") },
        ],
        None,
    ),
    service(
        "FlexibleSeatingGuest",
        "Flexible Seating Guest",
        &[
            ACTIVE,
            Field { name: "hostUserId", kind: Kind::Text(161), usual: None },
            flag("enableAssociationLimit", "true"),
            Field { name: "associationLimitHours", kind: Kind::Number(1, 999), usual: Some("12") },
        ],
        Some(("Flexible Seating Guest", "FlexibleSeatingGuestEvent")),
    ),
    Service {
        read_only: true,
        ..service(
            "GroupNightForwarding",
            "Group Night Forwarding",
            &[Field {
                name: "userNightForwardingMode",
                kind: Kind::Choice(&["Use Group", "On", "Off"]),
                usual: Some("Use Group"),
            }],
            None,
        )
    },
    service(
        "CallCenterMonitoring",
        "Call Center Monitoring",
        // Whoever is listened to knows it, unless somebody wants otherwise.
        &[flag("playToneToAgentForSilentMonitoring", "true")],
        None,
    ),
    service(
        "DirectedCallPickupWithBargeIn",
        "Directed Call Pickup with Barge-in",
        &[
            flag("enableBargeInWarningTone", "true"),
            flag("enableAutomaticTargetSelection", "false"),
        ],
        None,
    ),
];

/// The service of a path's word, in any case, if this release has it.
pub(crate) fn find(word: &str, profile: Profile) -> Option<&'static Service> {
    let has = |service: &&Service| profile == Profile::R2020 || !service.since_2020;
    SERVICES.iter().filter(has).find(|service| service.path.eq_ignore_ascii_case(word))
}

/// What users have set, beyond what the desk knows.
#[derive(Debug, Default)]
pub(crate) struct Settings(
    BTreeMap<(String, &'static str), BTreeMap<&'static str, Option<String>>>,
);

impl Settings {
    /// What an element of a user's service is set to.
    pub(crate) fn value(
        &self,
        desk: &Desk,
        user: &str,
        service: &Service,
        field: &Field,
    ) -> Option<String> {
        if let Some(real) = real(desk, user, service.path, field.name) {
            return real;
        }
        let set = self.0.get(&(user.to_owned(), service.path)).and_then(|set| set.get(field.name));
        set.cloned().unwrap_or_else(|| field.usual.map(str::to_owned))
    }

    /// The document; `info` of an event with that name.
    pub(crate) fn document(
        &self,
        desk: &Desk,
        user: &str,
        service: &'static Service,
        root: &'static str,
    ) -> Element {
        let fields = service.fields.iter();
        fields.fold(Element::new(root), |document, field| {
            document.maybe(field.name, self.value(desk, user, service, field))
        })
    }

    /// Checks a change and takes it over: what is left out stays, what is nil is cleared.
    pub(crate) fn change(
        &mut self,
        desk: &mut Desk,
        user: &str,
        service: &'static Service,
        body: &Node,
    ) -> Result<(), BadBody> {
        let names: Vec<&str> = service.fields.iter().map(|field| field.name).collect();
        body.in_order(&names)?;
        let mut changes = Vec::new();
        for field in service.fields {
            if let Some(value) = checked(body, field)? {
                changes.push((field.name, value));
            }
        }
        let wants =
            |name: &str| changes.iter().find(|(known, _)| *known == name).map(|c| c.1.clone());
        let active = wants("active").flatten().as_deref() == Some("true");
        let number = service.fields.iter().find(|field| field.kind == Kind::Phone);
        if let (true, Some(number)) = (active, number) {
            let known = || self.value(desk, user, service, number);
            if wants(number.name).unwrap_or_else(known).is_none() {
                return Err(BadBody(format!("{} is needed to activate this", number.name)));
            }
        }
        let set = self.0.entry((user.to_owned(), service.path)).or_default();
        for field in service.fields {
            if let Some(real) = real(desk, user, service.path, field.name) {
                set.insert(field.name, real);
            }
        }
        set.extend(changes);
        self.apply(desk, user, service);
        Ok(())
    }

    /// Lets the exchange do what is set.
    fn apply(&self, desk: &mut Desk, user: &str, service: &'static Service) {
        let stored = self.0.get(&(user.to_owned(), service.path));
        let value = |name: &str| -> Option<String> {
            let set = stored.and_then(|set| set.get(name)).cloned();
            let usual = || {
                let field = service.fields.iter().find(|field| field.name == name)?;
                field.usual.map(str::to_owned)
            };
            set.unwrap_or_else(usual)
        };
        let on = |name: &str| value(name).as_deref() == Some("true");
        let to = || value(TO.name).filter(|_| on("active"));
        match service.path {
            "DoNotDisturb" => desk.set_do_not_disturb(user, on("active")),
            "CallForwardingAlways" => desk.set_forward(user, to()),
            "CallForwardingBusy" => {
                let wish = Forwarding { active: to().is_some(), to: to(), rings: None };
                desk.set_forwarding(user, ForwardWhen::Busy, wish);
            }
            "CallForwardingNotReachable" => {
                desk.change_rules(user, |rules| rules.unreachable = to());
            }
            "CallForwardingNoAnswer" => {
                let rings = value("numberOfRings").and_then(|rings| rings.parse().ok());
                let wish = Forwarding { active: to().is_some(), to: to(), rings };
                desk.set_forwarding(user, ForwardWhen::NoAnswer, wish);
            }
            "CallWaiting" => desk.set_call_waiting(user, on("active")),
            "RemoteOffice" => {
                let to = value("remoteOfficeNumber").filter(|_| on("active"));
                desk.change_rules(user, |rules| rules.remote_office = to);
            }
            "CallingLineIDDeliveryBlocking" => {
                desk.change_rules(user, |rules| rules.hide_number = on("active"));
            }
            "AnonymousCallRejection" => {
                desk.change_rules(user, |rules| rules.refuse_anonymous = on("active"));
            }
            "VoiceMessaging" => desk.change_rules(user, |rules| {
                let works = on("active");
                rules.voicemail_always = works && on("alwaysRedirectToVoiceMail");
                rules.voicemail_busy = works && on("busyRedirectToVoiceMail");
                rules.voicemail_no_answer = works && on("noAnswerRedirectToVoiceMail");
            }),
            "CallRecording" => desk.change_rules(user, |rules| {
                rules.recording = match value("recordingMode").as_deref() {
                    Some("always") => RecordingMode::Always,
                    Some("always-pause-resume") => RecordingMode::AlwaysPauseResume,
                    Some("on-demand" | "on-demand-user-start") => RecordingMode::OnDemand,
                    _ => RecordingMode::Never,
                };
            }),
            _ => {}
        }
    }
}

/// What the desk knows better: it changes by feature codes and from the control port too.
fn real(desk: &Desk, user: &str, path: &str, field: &str) -> Option<Option<String>> {
    match (path, field) {
        ("DoNotDisturb", "active") => Some(Some(desk.do_not_disturb(user).to_string())),
        ("CallForwardingAlways", "active") => forwards(desk, user, ForwardWhen::Always),
        // A number that is set and not active is remembered here only.
        ("CallForwardingAlways", "forwardToPhoneNumber") => {
            desk.forward(user, ForwardWhen::Always).map(|(to, _)| Some(to))
        }
        ("CallForwardingBusy", "active") => forwards(desk, user, ForwardWhen::Busy),
        ("CallForwardingBusy", "forwardToPhoneNumber") => {
            desk.forward(user, ForwardWhen::Busy).map(|(to, _)| Some(to))
        }
        ("CallForwardingNotReachable", "active") => {
            Some(Some(desk.rules(user).unreachable.is_some().to_string()))
        }
        ("CallForwardingNotReachable", "forwardToPhoneNumber") => {
            desk.rules(user).unreachable.clone().map(Some)
        }
        ("CallForwardingNoAnswer", "active") => forwards(desk, user, ForwardWhen::NoAnswer),
        ("CallForwardingNoAnswer", "forwardToPhoneNumber") => {
            desk.forward(user, ForwardWhen::NoAnswer).map(|(to, _)| Some(to))
        }
        ("CallForwardingNoAnswer", "numberOfRings") => {
            let (_, rings) = desk.forward(user, ForwardWhen::NoAnswer)?;
            rings.map(|rings| Some(rings.to_string()))
        }
        // It ends by itself, too.
        ("HotelingGuest", "hostUserId") if desk.rules(user).guest.is_none() => Some(None),
        ("CallWaiting", "active") => Some(Some(desk.call_waiting(user).to_string())),
        _ => None,
    }
}

fn forwards(desk: &Desk, user: &str, when: ForwardWhen) -> Option<Option<String>> {
    Some(Some(desk.forward(user, when).is_some().to_string()))
}

/// The new value of an element: `None` where it is left out, `Some(None)` where it is cleared.
fn checked(body: &Node, field: &Field) -> Result<Option<Option<String>>, BadBody> {
    let bad = |text: &str| Err(BadBody(format!("{} cannot be {text:?}", field.name)));
    match field.kind {
        Kind::Flag => Ok(body.bool(field.name)?.map(|on| Some(on.to_string()))),
        Kind::Number(low, high) => {
            Ok(body.number(field.name, low..=high)?.map(|number| Some(number.to_string())))
        }
        Kind::Choice(words) => match body.value(field.name) {
            None => Ok(None),
            Some(text) if words.contains(&text) => Ok(Some(Some(text.to_owned()))),
            Some(text) => bad(text),
        },
        Kind::Text(most) => match body.clearable(field.name) {
            Some(Some(text)) if text.chars().count() > most => bad(&text),
            other => Ok(other),
        },
        Kind::Phone => match body.clearable(field.name) {
            Some(Some(text)) => match dialled(&text) {
                Some(number) => Ok(Some(Some(number))),
                None => bad(&text),
            },
            other => Ok(other),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xsi::read::read;

    fn put(
        settings: &mut Settings,
        desk: &mut Desk,
        path: &str,
        inside: &str,
    ) -> Result<(), BadBody> {
        let service = find(path, Profile::R2020).unwrap();
        let text = format!(
            "<{path} xmlns=\"http://schema.broadsoft.com/xsi\" \
             xmlns:i=\"http://www.w3.org/2001/XMLSchema-instance\">{inside}</{path}>"
        );
        settings.change(desk, "101", service, &read(text.as_bytes(), path)?)
    }

    fn document(settings: &Settings, desk: &Desk, path: &str) -> Vec<(&'static str, String)> {
        let service = find(path, Profile::R2020).unwrap();
        let document = settings.document(desk, "101", service, service.path);
        document.children.into_iter().map(|c| (c.name, c.text.unwrap_or_default())).collect()
    }

    #[test]
    fn what_is_left_out_stays_and_nil_clears() {
        let (mut settings, mut desk) = (Settings::default(), Desk::default());
        let path = "CallForwardingBusy";
        let number = "<forwardToPhoneNumber>tel:102</forwardToPhoneNumber>";
        assert!(put(&mut settings, &mut desk, path, "<active>true</active>").is_err());
        put(&mut settings, &mut desk, path, &format!("<active>true</active>{number}")).unwrap();
        let busy = |desk: &Desk| desk.forward("101", ForwardWhen::Busy).map(|(to, _)| to);
        assert_eq!(busy(&desk).as_deref(), Some("102"));
        put(&mut settings, &mut desk, path, "<active>false</active>").unwrap();
        assert_eq!(busy(&desk), None);
        let shown = document(&settings, &desk, path);
        assert_eq!(shown, [("active", "false".into()), ("forwardToPhoneNumber", "102".into())]);
        put(&mut settings, &mut desk, path, "<forwardToPhoneNumber i:nil=\"true\"/>").unwrap();
        assert_eq!(document(&settings, &desk, path), [("active", "false".into())]);
    }

    #[test]
    fn a_change_is_checked_before_any_of_it_is_made() {
        let (mut settings, mut desk) = (Settings::default(), Desk::default());
        for (path, inside) in [
            ("DoNotDisturb", "<ringSplash>true</ringSplash><active>true</active>"),
            ("DoNotDisturb", "<active>yes</active>"),
            ("DoNotDisturb", "<active>true</active><colour>red</colour>"),
            ("CallForwardingNoAnswer", "<numberOfRings>21</numberOfRings>"),
            ("CallForwardingAlways", "<forwardToPhoneNumber>jan</forwardToPhoneNumber>"),
            ("CallRecording", "<recordingMode>sometimes</recordingMode>"),
        ] {
            assert!(put(&mut settings, &mut desk, path, inside).is_err(), "{path} {inside}");
        }
        assert!(!desk.do_not_disturb("101"));
    }

    #[test]
    fn the_desk_has_the_truth() {
        let (mut settings, mut desk) = (Settings::default(), Desk::default());
        put(&mut settings, &mut desk, "DoNotDisturb", "<active>true</active>").unwrap();
        assert!(desk.do_not_disturb("101"));
        desk.set_do_not_disturb("101", false);
        assert_eq!(document(&settings, &desk, "DoNotDisturb")[0], ("active", "false".into()));
        put(&mut settings, &mut desk, "DoNotDisturb", "<ringSplash>true</ringSplash>").unwrap();
        assert_eq!(document(&settings, &desk, "DoNotDisturb")[1], ("ringSplash", "true".into()));
    }

    #[test]
    fn a_forwarding_set_elsewhere_is_told_whole() {
        let (mut settings, mut desk) = (Settings::default(), Desk::default());
        let wish = Forwarding { active: true, to: Some("201".to_owned()), rings: Some(4) };
        desk.set_forwarding("101", ForwardWhen::NoAnswer, wish.clone());
        desk.set_forwarding("101", ForwardWhen::Busy, wish);
        desk.change_rules("101", |rules| rules.unreachable = Some("202".to_owned()));
        let values = |settings: &Settings, desk: &Desk, path: &str| -> Vec<String> {
            document(settings, desk, path).into_iter().map(|(_, value)| value).collect()
        };
        assert_eq!(values(&settings, &desk, "CallForwardingNoAnswer"), ["true", "201", "4"]);
        assert_eq!(values(&settings, &desk, "CallForwardingBusy"), ["true", "201"]);
        assert_eq!(values(&settings, &desk, "CallForwardingNotReachable"), ["true", "202"]);
        // What is not named in a change stays as it was set elsewhere, also once it is off.
        let off = "<active>false</active>";
        put(&mut settings, &mut desk, "CallForwardingNoAnswer", off).unwrap();
        assert_eq!(values(&settings, &desk, "CallForwardingNoAnswer"), ["false", "201", "4"]);
    }

    #[test]
    fn the_secondary_forwarding_came_with_2020() {
        assert!(find("callforwardingalwayssecondary", Profile::R2020).is_some());
        assert!(find("CallForwardingAlwaysSecondary", Profile::R21).is_none());
    }
}

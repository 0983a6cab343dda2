//! Calls as the call packages and `calls/{id}` show them; the order of the elements is that of the interface.

use crate::call::Who;
use crate::exchange::{RecordingState, UserRecording};
use crate::xsi::element::Element;
use crate::xsi::names::{COUNTRY, Names, tel};
use crate::xsi::watch::{Record, Release, Shown};

/// Packages that carry an event: all three, those that show features, the most detailed.
pub(crate) const BSA: &[&str] = &["Basic Call", "Standard Call", "Advanced Call"];
pub(crate) const SA: &[&str] = &["Standard Call", "Advanced Call"];
pub(crate) const A: &[&str] = &["Advanced Call"];

/// Somebody: `remoteParty`, `party`, `parkedParty`.
pub(crate) fn party(name: &'static str, who: &Who, names: &Names) -> Element {
    let element = Element::new(name);
    if who.withheld {
        return element.flag("privacy", true).field("callType", "Network");
    }
    let number = Names::number(who);
    let display = who.display.clone().filter(|name| !name.is_empty());
    let mut address = Element::leaf("address", tel(&number));
    if who.extension.is_none() {
        address = address.attribute("countryCode", COUNTRY);
    }
    element
        .maybe("name", display)
        .with(address)
        .maybe("userId", who.extension.as_deref().map(|user| names.user_id(user)))
        .field("callType", if who.extension.is_some() { "Group" } else { "Network" })
}

/// A reason of RFC 5806 in the words of the interface.
fn reason(word: &str, by: &Who, names: &Names) -> &'static str {
    let queue = Names::number(by) == names.company.numbers.queue;
    match word {
        "unconditional" => "unconditional",
        "user-busy" => "user-busy",
        "no-answer" => "no-answer",
        "unavailable" => "unavailable",
        "deflection" => "deflection",
        "do-not-disturb" => "do-not-disturb",
        "transfer" => "transfer",
        "follow-me" => "follow-me",
        _ if queue => "call-center",
        _ => "unknown",
    }
}

fn redirections(record: &Record, names: &Names) -> Option<Element> {
    let all = &record.call.diversions;
    let one = |(who, word): &(Who, &'static str)| {
        Element::new("redirection")
            .with(party("party", who, names))
            .field("reason", reason(word, who, names))
            .field("counter", 1)
    };
    (!all.is_empty()).then(|| Element::new("redirections").all(all.iter().map(one)))
}

fn release_cause(release: &Release) -> Option<Element> {
    let status = release.status?;
    let cause = match status {
        486 | 600 => "Busy",
        403 | 603 => "Forbidden",
        404 | 604 => "User Not Found",
        408 => "Request Timeout",
        480 => "Temporarily Unavailable",
        484 => "Translation Failure",
        400..=499 => "Request Failure",
        500..=599 => "Server Failure",
        _ => "Global Failure",
    };
    let cause = Element::new("releaseCause").field("internalReleaseCause", cause);
    Some(cause.field("sipStatus", status))
}

/// One call.
pub(crate) fn call(record: &Record, names: &Names) -> Element {
    let network =
        record.call.network_id.as_ref().filter(|_| record.call.remote.extension.is_none());
    let mut element = Element::new("call")
        .field("callId", &record.id)
        .field("extTrackingId", &record.tracking)
        .maybe("networkCallId", network)
        .field("personality", record.personality())
        .field("state", record.state.word());
    if let Some(release) = &record.release {
        element = element.all(release_cause(release));
        element = element.maybe("releasingParty", release.party);
    }
    element = element.with(party("remoteParty", &record.call.remote, names));
    element = element.all(redirections(record, names));
    if let Some((to, word, at)) = &record.redirect {
        element = element.with(
            Element::new("redirect")
                .field("address", tel(&Names::number(to)))
                .field("reason", reason(word, to, names))
                .field("redirectTime", at),
        );
    }
    let aor = format!("sip:{}", names.user_id(&record.call.user));
    element
        .with(Element::new("endpoint").typed("AccessEndpoint").field("addressOfRecord", aor))
        .field("appearance", record.appearance)
        .field("startTime", record.started_ms)
        .maybe("answerTime", record.answered_ms)
        .maybe("heldTime", record.held_ms)
        .maybe("totalHeldTime", Some(record.total_held_ms).filter(|ms| *ms > 0))
        .maybe("detachedTime", record.detached_ms)
        .maybe("releaseTime", record.released_ms)
        .all(record.acd.clone())
        .flag("recorded", record.recorded)
        .maybe("allowedRecordingControls", record.call.recording.map(|own| own.controls))
        .maybe("recordingState", record.call.recording.and_then(recording_word))
        .maybe("clientSessionInfo", record.info.as_deref())
}

fn recording_word(recording: UserRecording) -> Option<&'static str> {
    match recording.state? {
        RecordingState::Pending => Some("Pending"),
        RecordingState::Started => Some("Started"),
        RecordingState::Paused => Some("Paused"),
        RecordingState::Stopped { failed } => failed.then_some("Failed"),
    }
}

/// `eventData` of an event about one call.
pub(crate) fn event(kind: &'static str, record: &Record, names: &Names) -> Element {
    Element::new("eventData").typed(kind).with(call(record, names))
}

/// `eventData` of an event about calls that were sent on.
pub(crate) fn redirected(record: &Record, names: &Names) -> Element {
    let calls = Element::new("calls").with(call(record, names));
    Element::new("eventData").typed("CallRedirectedEvent").with(calls)
}

/// `eventData` about the hook.
pub(crate) fn hook(off: bool) -> Element {
    let status = if off { "Off-Hook" } else { "On-Hook" };
    Element::new("eventData").typed("HookStatusEvent").field("hookStatus", status)
}

/// `eventData` with everything, after a subscription (or a crash, by its kind).
pub(crate) fn everything(
    kind: &'static str,
    records: &[&Record],
    (conference, off): (Option<Element>, bool),
    names: &Names,
) -> Element {
    let mut data = Element::new("eventData").typed(kind);
    if !records.is_empty() {
        data = data.with(Element::new("calls").all(records.iter().map(|r| call(r, names))));
    }
    data.all(conference).field("hookStatus", if off { "Off-Hook" } else { "On-Hook" })
}

/// An event for those who watch `user`.
pub(crate) fn shown(user: &str, packages: &'static [&'static str], data: Element) -> Shown {
    Shown { user: user.to_owned(), packages, data }
}

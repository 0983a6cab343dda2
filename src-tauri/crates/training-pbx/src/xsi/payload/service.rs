//! Events of services, of the mailbox and of parked calls.

use super::call::party;
use crate::call::Who;
use crate::mailboxes::Mailbox;
use crate::xsi::element::Element;
use crate::xsi::names::{Names, tel};

/// Numbers in settings are addresses in events.
const NUMBERS: [&str; 2] = ["forwardToPhoneNumber", "remoteOfficeNumber"];

/// `eventData` of a service whose settings are `info`.
pub(crate) fn event(kind: &'static str, mut info: Element) -> Element {
    for child in &mut info.children {
        if let Some(number) = child.text.take_if(|_| NUMBERS.contains(&child.name)) {
            child.text = Some(tel(&number));
        }
    }
    Element::new("eventData").typed(kind).with(info)
}

/// `eventData` of the mailbox; a counter that is left out is zero.
pub(crate) fn messages(mailbox: Mailbox) -> Element {
    let count = |count: u32| Some(count).filter(|count| *count > 0);
    let summary = Element::new("messageSummary")
        .maybe("newMessages", count(mailbox.new))
        .maybe("oldMessages", count(mailbox.old));
    Element::new("eventData").typed("VoiceMailMessageSummaryEvent").with(summary)
}

/// `eventData` of who is parked against a user; nobody if it is empty.
pub(crate) fn parked(who: Option<&Who>, names: &Names) -> Element {
    let data = Element::new("eventData").typed("CallParkedAgainstEvent");
    data.all(who.map(|who| party("parkedParty", who, names)))
}

//! Who is parked at the user's own line, told over SIP where no web services tell it.

use std::collections::BTreeSet;
use std::time::Instant;

use event_packages::{ParkedIdentity, read_call_park};
use pbx::centre::{Input, Party, UserId};
use sip_types::Uri;
use tracing::debug;

use super::super::desk::Desk;
use super::Way;
use super::by_event::{number_of, plain};

/// The event package, and the document that it carries.
const PACKAGE: &str = "call-info";
const DOCUMENT: &str = "application/x-broadworks-callpark-info+xml";
/// Longest name that is taken in, characters.
const NAME: usize = 80;

impl Desk {
    /// Subscribes to it, where the exchange offers that and nobody else tells.
    pub(super) fn begin_call_park(&mut self, now: Instant, id: &str) {
        let offered = self.account(id).is_some_and(|account| account.offers(PACKAGE));
        let wanted = |way: &Way| !matches!(way, Way::Binding(_));
        let idle = self
            .centres
            .get(id)
            .is_some_and(|running| wanted(&running.way) && running.park_id.is_none());
        if !offered || !idle {
            return;
        }
        let subscription = self.subscribe_call_park(now, id, (PACKAGE, DOCUMENT));
        if let Ok(running) = self.running(id) {
            running.park_id = subscription;
        }
    }

    /// A notification.
    pub(in super::super) fn call_park_told(&mut self, now: Instant, id: &str, body: &[u8]) {
        if body.is_empty() {
            return;
        }
        match read_call_park(body) {
            Ok(parked) => self.show_parked(now, id, parked.as_ref().map(party_of)),
            Err(error) => debug!(%error, "who is parked cannot be read"),
        }
    }

    /// Nothing is told any more; the next registration is another try.
    pub(in super::super) fn call_park_ended(&mut self, now: Instant, id: &str) {
        if let Ok(running) = self.running(id) {
            running.park_id = None;
            // That nothing is told is not that nobody is parked.
            running.parked_at.clear();
        }
        self.show_parked(now, id, None);
    }

    /// Who was parked and is not any more cannot be fetched, by whichever way the exchange tells it.
    pub(super) fn parked_changed(&mut self, now: Instant, id: &str) {
        let Ok(running) = self.running(id) else { return };
        let centre = &running.centre;
        let parked =
            centre.parked().into_iter().map(|call| match centre.me() == Some(&call.line) {
                true => String::new(),
                false => call.number.clone(),
            });
        let parked: BTreeSet<String> = parked.collect();
        let before = std::mem::replace(&mut running.parked_at, parked.clone());
        for slot in before.difference(&parked) {
            self.no_longer_parked(now, id, slot);
        }
    }

    fn show_parked(&mut self, now: Instant, id: &str, party: Option<Party>) {
        let Some(aor) = self.account(id).map(|account| account.settings.aor.clone()) else {
            return;
        };
        let number = Uri::parse(&aor).ok().and_then(|uri| uri.user()).unwrap_or_default();
        if let Ok(running) = self.running(id) {
            let line = running.centre.me().cloned().unwrap_or(UserId(aor));
            let input = Input::Parked { line, name: String::new(), number, party };
            running.centre.handle_input(now, input);
        }
    }
}

fn party_of(parked: &ParkedIdentity) -> Party {
    let number = number_of(&parked.uri);
    if number.eq_ignore_ascii_case("anonymous") {
        return Party::default();
    }
    Party { name: plain(parked.display.as_deref().unwrap_or_default(), NAME), number }
}

//! What is done by dialling: parking a call, taking it back, taking one that rings elsewhere. Which code does it is
//! a setting of the account, or what its exchange usually has.

use std::time::Instant;

use call_control::{CallId, Command, Input};
use sip_types::Uri;

use super::accounts::{Account, unknown_account};
use super::commands::{Outcome, on_account, refused, unknown_call};
use super::desk::Desk;
use super::line::Dialled;
use super::transfers::Reference;
use crate::code::Code;
use crate::config::CodeSettings;
use crate::control::{Answer, ErrorReply, Parked};
use crate::view::PeerView;
use crate::view::targets::TargetKind;

/// What a lamp beside a line tells of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Beside {
    /// He wants no calls.
    DoNotDisturb,
    /// All his calls go elsewhere.
    Forwarded,
}

/// The codes of one account, with what its exchange usually has filled in.
#[derive(Debug, PartialEq, Eq)]
struct Codes<'a> {
    park: &'a str,
    retrieve: &'a str,
    pickup: &'a str,
    /// Empty: there is none.
    voicemail: &'a str,
}

impl<'a> Codes<'a> {
    fn of(settings: &'a CodeSettings, asterisk: bool) -> Codes<'a> {
        let usual = match asterisk {
            true => Codes { park: "700", retrieve: "{slot}", pickup: "*8{target}", voicemail: "" },
            false => Codes {
                park: "*68{slot}",
                retrieve: "*88{slot}",
                pickup: "*97{target}",
                voicemail: "*55{target}",
            },
        };
        let own = |own: &'a str, usual| if own.is_empty() { usual } else { own };
        Codes {
            park: own(&settings.park, usual.park),
            retrieve: own(&settings.retrieve, usual.retrieve),
            pickup: own(&settings.pickup, usual.pickup),
            voicemail: own(&settings.voicemail, usual.voicemail),
        }
    }
}

/// A code with what it is about in place. What others may have written becomes no code of its own.
pub(super) fn filled(code: &str, name: &str, value: &str) -> Result<String, ErrorReply> {
    let plain = |c: char| c.is_alphanumeric() || "+-._".contains(c);
    if !value.chars().all(plain) {
        return Err(ErrorReply::new(Code::BadTarget, format!("{value:?} is no {name}")));
    }
    let place = format!("{{{name}}}");
    if !code.contains(&place) && !value.is_empty() {
        let text = format!("the code {code:?} leaves no choice of the {name}");
        return Err(ErrorReply::new(Code::BadRequest, text));
    }
    let number = code.replace(&place, value);
    if number.is_empty() {
        return Err(ErrorReply::new(Code::BadTarget, format!("which {name}?")));
    }
    Ok(number)
}

impl Desk {
    /// Sends a call to the parking lot. Always by asking the exchange (REFER), whatever the policy for other
    /// transfers is: only the exchange can park.
    pub(super) fn park(&mut self, now: Instant, call: u64, slot: Option<&str>) -> Outcome {
        let line = self.lines.get(&CallId(call)).ok_or_else(|| unknown_call(call))?;
        let account = self.account(&line.account).ok_or_else(|| unknown_account(""))?;
        let codes = codes(account);
        let number = filled(codes.park, "slot", slot.unwrap_or_default())?;
        let known = codes.park.contains("{slot}");
        let slot = slot.map(str::to_owned).or_else(|| own_number(account).filter(|_| known));
        let target = on_account(account, &number)?;
        let command = Command::TransferBlind(target.to_string());
        let asked = self.calls.handle_input(now, Input::Command(CallId(call), command));
        asked.map_err(|refusal| refused(call, refusal))?;
        if let Some(line) = self.lines.get_mut(&CallId(call)) {
            line.parking = Some(slot.clone());
        }
        Ok(Answer::Parked(Parked { slot }))
    }

    /// Takes a parked call back.
    pub(super) fn retrieve(
        &mut self,
        now: Instant,
        slot: Option<&str>,
        account: Option<&str>,
    ) -> Outcome {
        let account = self.named_account(account)?;
        let number = filled(codes(account).retrieve, "slot", slot.unwrap_or_default())?;
        let uri = on_account(account, &number)?;
        let id = account.settings.id.clone();
        let peer = self.place_of(TargetKind::Retrieved, slot.unwrap_or_default(), &uri);
        let dialled = Dialled { uri, withhold: false, reference: Reference::default() };
        self.fetch(now, &id, dialled, peer)
    }

    /// Places a call that fetches another: `peer` is shown until the exchange says who that is.
    pub(super) fn fetch(
        &mut self,
        now: Instant,
        account: &str,
        dialled: Dialled,
        peer: PeerView,
    ) -> Outcome {
        let retrieves = (peer.target == Some(TargetKind::Retrieved))
            .then(|| self.parked_by_code(account, &dialled.uri));
        let placed = self.place(now, account, dialled, peer)?;
        if let Answer::Call(created) = &placed
            && let Some(line) = self.lines.get_mut(&CallId(created.call))
        {
            (line.fetches, line.retrieves) = (true, retrieves);
        }
        Ok(placed)
    }

    /// The transfer that parked whom this number fetches.
    fn parked_by_code(&self, account: &str, uri: &Uri) -> Option<u64> {
        let account = self.account(account)?;
        let user = uri.user()?;
        let slot = named_in(codes(account).retrieve, "slot", &user).unwrap_or_default();
        self.parked_there(account, slot)
    }

    /// What ends a call: one that fetches somebody who waits is only given up, since he may be on his way here.
    pub(super) fn end_of(&self, id: CallId) -> Command {
        let fetches =
            self.lines.get(&id).is_some_and(|line| line.fetches && line.session.is_some());
        match fetches && self.calls.allows(id, &Command::GiveUp) {
            true => Command::GiveUp,
            false => Command::Hangup,
        }
    }

    /// What is known of whom a code fetches, before the exchange tells: where he waits or rings, and nothing of himself.
    pub(super) fn fetched(&self, account: &Account, uri: &Uri) -> Option<PeerView> {
        let user = uri.user().unwrap_or_default();
        let codes = codes(account);
        let at = |code, name| named_in(code, name, &user);
        let (kind, place) = match (at(codes.pickup, "target"), at(codes.retrieve, "slot")) {
            (Some(line), _) => (TargetKind::PickedUp, line),
            (None, Some(slot)) => (TargetKind::Retrieved, slot),
            // The own place, or the only one.
            (None, None) if user == codes.retrieve.replace("{slot}", "") => {
                (TargetKind::Retrieved, "")
            }
            (None, None) => return None,
        };
        Some(self.place_of(kind, place, uri))
    }

    fn place_of(&self, kind: TargetKind, place: &str, uri: &Uri) -> PeerView {
        let named = if place.is_empty() { Vec::new() } else { self.lookup_names(place) };
        let name = named.into_iter().next().unwrap_or_else(|| place.to_owned());
        PeerView { uri: uri.to_string(), name, target: Some(kind), ..PeerView::default() }
    }

    /// Takes a call that rings at `target`: the very call by Replaces (RFC 3891), when the exchange has told
    /// of it, else whichever rings there by the code.
    pub(super) fn pick_up(&mut self, now: Instant, target: &str, account: Option<&str>) -> Outcome {
        let account = self.named_account(account)?;
        let line = self.target(account, target)?;
        let id = account.settings.id.clone();
        let (uri, reference) = match self.watches.ringing_at(&id, &line) {
            Some(ringing) => {
                // Asked of the exchange, at the line itself: an exchange that does not know Replaces rings
                // the colleague, and nobody outside.
                let replaces = Some(ringing.replaces.clone());
                (line.clone(), Reference { replaces, ..Reference::default() })
            }
            None => {
                let extension = line.user().unwrap_or_default();
                let number = filled(codes(account).pickup, "target", &extension)?;
                (on_account(account, &number)?, Reference::default())
            }
        };
        let place = line.user().unwrap_or_default();
        let peer = self.place_of(TargetKind::PickedUp, &place, &line);
        self.fetch(now, &id, Dialled { uri, withhold: false, reference }, peer)
    }

    /// Whether a transfer there parks the caller.
    pub(super) fn is_parking_lot(account: &Account, target: &Uri) -> bool {
        let code = codes(account).park;
        let fixed = code.split('{').next().unwrap_or_default();
        let user = target.user().unwrap_or_default();
        match fixed.len() == code.len() {
            true => user == code,
            false => !fixed.is_empty() && user.starts_with(fixed),
        }
    }

    /// Where a transfer there parks the caller, where the number says it; empty: at the own line.
    pub(super) fn parking_slot(account: &Account, target: &Uri) -> String {
        let user = target.user().unwrap_or_default();
        named_in(codes(account).park, "slot", &user).unwrap_or_default().to_owned()
    }

    /// What is dialled for somebody's voicemail; none where the exchange has no code for that.
    pub(super) fn voicemail_of(account: &Account, extension: &str) -> Option<String> {
        let code = codes(account).voicemail;
        let possible = code.contains("{target}") && !extension.is_empty();
        possible.then(|| filled(code, "target", extension).ok()).flatten()
    }

    /// Whose voicemail a number is.
    pub(super) fn voicemail_owner(account: &Account, number: &str) -> Option<String> {
        named_in(codes(account).voicemail, "target", number).map(str::to_owned)
    }

    /// The lamps that tell what a colleague has set for his line.
    pub(super) fn lamps_beside(account: &Account, extension: &str) -> Vec<String> {
        let codes = &account.settings.codes;
        let lamps = [&codes.colleague_dnd_lamp, &codes.colleague_forward_lamp];
        let named = lamps.into_iter().filter(|lamp| lamp.contains("{target}"));
        named.filter_map(|lamp| filled(lamp, "target", extension).ok()).collect()
    }

    /// Of whom and what a lamp tells, if it is one of those.
    pub(super) fn lamp_beside(account: &Account, lamp: &str) -> Option<(String, Beside)> {
        let codes = &account.settings.codes;
        let told = [
            (&codes.colleague_dnd_lamp, Beside::DoNotDisturb),
            (&codes.colleague_forward_lamp, Beside::Forwarded),
        ];
        let mut told = told.into_iter().filter_map(|(code, what)| {
            named_in(code, "target", lamp).map(|whose| (whose.to_owned(), what))
        });
        told.next()
    }

    /// Whether a slot can be chosen when parking.
    pub(super) fn parks_at_lines(account: &Account) -> bool {
        codes(account).park.contains("{slot}")
    }
}

/// What stands in the place of a code, if the number is one of it: `102` of `*55102`.
fn named_in<'a>(code: &str, name: &str, number: &'a str) -> Option<&'a str> {
    let (before, after) = code.split_once(&format!("{{{name}}}"))?;
    if before.is_empty() && after.is_empty() {
        // Any number would be one of it.
        return None;
    }
    let inner = number.strip_prefix(before)?.strip_suffix(after)?;
    Some(inner).filter(|inner| !inner.is_empty())
}

fn codes(account: &Account) -> Codes<'_> {
    Codes::of(&account.settings.codes, account.is_asterisk())
}

/// The number that others call the account by.
pub(super) fn own_number(account: &Account) -> Option<String> {
    Uri::parse(&account.settings.aor).ok().and_then(|aor| aor.user())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_the_accounts_own_or_what_the_exchange_usually_has() {
        let own = CodeSettings { park: "70".into(), ..CodeSettings::default() };
        let asterisk =
            Codes { park: "70", retrieve: "{slot}", pickup: "*8{target}", voicemail: "" };
        assert_eq!(Codes::of(&own, true), asterisk);
        let other = Codes {
            park: "*68{slot}",
            retrieve: "*88{slot}",
            pickup: "*97{target}",
            voicemail: "*55{target}",
        };
        assert_eq!(Codes::of(&CodeSettings::default(), false), other);
    }

    #[test]
    fn a_number_of_a_code_says_what_it_is_about() {
        assert_eq!(named_in("*55{target}", "target", "*55102"), Some("102"));
        assert_eq!(named_in("8{target}#", "target", "8102#"), Some("102"));
        for (code, number) in
            [("*55{target}", "*55"), ("*55{target}", "102"), ("{target}", "102"), ("", "102")]
        {
            assert_eq!(named_in(code, "target", number), None, "{code} {number}");
        }
    }

    #[test]
    fn what_a_code_is_about_is_put_into_its_place() {
        let ok = |code, value| filled(code, "slot", value).unwrap();
        assert_eq!(ok("*68{slot}", "101"), "*68101");
        assert_eq!(ok("*68{slot}", ""), "*68");
        assert_eq!(ok("{slot}", "701"), "701");
        assert_eq!(ok("700", ""), "700");
        let code = |code, value| filled(code, "slot", value).unwrap_err().code;
        assert_eq!(code("700", "701"), Code::BadRequest);
        assert_eq!(code("{slot}", ""), Code::BadTarget);
        for evil in ["7;x=1", "*72+31900", "7 1", "a@b", "<x>"] {
            assert_eq!(code("{slot}", evil), Code::BadTarget, "{evil}");
        }
    }
}

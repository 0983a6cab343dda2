//! Where a caller can be sent: every number of somebody, and what a number is of somebody.

use contacts::{NumberClass, NumberKey, same_number};
use sip_types::Uri;

use super::accounts::Account;
use super::centre::queue_name;
use super::commands::Outcome;
use super::desk::Desk;
use super::line::peer_of_uri;
use crate::control::Answer;
use crate::view::PeerView;
use crate::view::targets::{TargetKind, TargetView, TargetWay};

/// Most ways to reach somebody that are given out: each has a number key.
const MOST: usize = 9;

impl Desk {
    /// Every way to reach whoever has a number, the number itself first.
    pub(super) fn list_targets(&self, target: &str, account: Option<&str>) -> Outcome {
        let account = self.named_account(account)?;
        let uri = self.target(account, target)?;
        let own = uri.user().unwrap_or_else(|| uri.to_string());
        let kind = self.target_peer(Some(account), &uri).target.unwrap_or(TargetKind::Outside);
        let mut found = vec![ask(kind, own.clone())];
        if kind == TargetKind::Voicemail {
            found = vec![send(kind, own)];
            return Ok(Answer::Targets(found));
        }
        found.extend(self.other_numbers(account, &own));
        let line = self.colleagues().find(|who| {
            who.account == account.settings.id
                && (who.number == own || (!who.mobile.is_empty() && same_number(&who.mobile, &own)))
        });
        if let Some(line) = line {
            if line.number != own {
                found.push(ask(TargetKind::Line, line.number.clone()));
            }
            if let Some(number) = Desk::voicemail_of(account, &line.number) {
                found.push(TargetView {
                    shown: line.number.clone(),
                    ..send(TargetKind::Voicemail, number)
                });
            }
            if Desk::parks_at_lines(account) {
                let (kind, way) = (TargetKind::Park, TargetWay::Park);
                let (to, shown) = (line.number.clone(), line.number.clone());
                found.push(TargetView { kind, to, shown, way });
            }
        }
        found.truncate(MOST);
        Ok(Answer::Targets(found))
    }

    /// Other numbers of whoever has this one: of the directory of the exchange and of the lists of contacts. Each once,
    /// faxes not at all.
    fn other_numbers(&self, account: &Account, own: &str) -> Vec<TargetView> {
        let mut found: Vec<TargetView> = Vec::new();
        let mut add = |kind: TargetKind, number: String| {
            let known = |to: &str| to == number || same_number(to, &number);
            if !number.is_empty() && !known(own) && !found.iter().any(|one| known(&one.to)) {
                found.push(ask(kind, number));
            }
        };
        for who in self.colleagues_at(own).filter(|who| who.account == account.settings.id) {
            add(TargetKind::Mobile, dial_string(&who.mobile));
        }
        let directory = self.centres.get(&account.settings.id).map(|one| one.centre.directory());
        for entry in directory.into_iter().flatten().filter(|entry| !entry.is_virtual) {
            if entry.extension == own || is_same(&entry.number, own) {
                add(TargetKind::Mobile, dial_string(&entry.mobile));
            }
        }
        for (label, number) in self.numbers_beside(own) {
            if let Some(kind) = kind_of(&label, &number) {
                add(kind, number);
            }
        }
        found.sort_by_key(|one| one.kind != TargetKind::Mobile);
        found
    }

    /// Whom a transfer goes to, and what the number is of him.
    pub(super) fn target_peer(&self, account: Option<&Account>, uri: &Uri) -> PeerView {
        let peer = peer_of_uri(&uri.to_string(), None);
        let user = uri.user().unwrap_or_default();
        let Some(account) = account else { return self.named(peer) };
        let at = |extension: &str| {
            let named = self.lookup_names(extension);
            named.into_iter().next().unwrap_or_else(|| extension.to_owned())
        };
        let with = |name: String, kind| PeerView { name, target: Some(kind), ..peer.clone() };
        if let Some(whose) = Desk::voicemail_owner(account, &user) {
            return with(at(&whose), TargetKind::Voicemail);
        }
        if Desk::is_parking_lot(account, uri) {
            // The number is the place: that is what a caller is fetched from.
            let number = Desk::parking_slot(account, uri);
            let name = if number.is_empty() { String::new() } else { at(&number) };
            return PeerView { number, ..with(name, TargetKind::Park) };
        }
        if let Some(name) = self.queue_called(account, &user) {
            return with(name, TargetKind::Queue);
        }
        let mut colleagues = self.colleagues();
        if let Some(who) = colleagues.find(|who| who.number == user || is_same(&who.mobile, &user))
        {
            let kind = if who.number == user { TargetKind::Line } else { TargetKind::Mobile };
            return with(who.name.clone(), kind);
        }
        let named = self.named(peer.clone());
        let known = self.numbers_beside(&user);
        let kind = known
            .iter()
            .find(|(_, number)| same_number(number, &user))
            .and_then(|(label, number)| kind_of(label, number));
        let class = contacts::classify(&user, false);
        let inside = matches!(class, NumberClass::Extension | NumberClass::FeatureCode);
        let kind = kind
            .or_else(|| (!inside && NumberKey::of(&user).is_some()).then_some(TargetKind::Outside));
        PeerView { target: kind, ..named }
    }

    /// The same of the address that a plan has.
    pub(super) fn plan_peer(&self, account: &str, to: &str) -> PeerView {
        match Uri::parse(to) {
            Ok(uri) => self.target_peer(self.account(account), &uri),
            Err(_) => self.named(peer_of_uri(to, None)),
        }
    }

    /// The queue that has a number.
    fn queue_called(&self, account: &Account, number: &str) -> Option<String> {
        let running = self.centres.get(&account.settings.id)?;
        let mut queues = running.centre.queues().map(|state| &state.queue);
        let queue = queues.find(|queue| !queue.number.is_empty() && queue.number == number)?;
        Some(queue_name(&running.centre, &queue.id))
    }

    /// A number that a caller came by, with whose it is where the exchange has told that: a queue, a group that rings, a menu,
    /// a colleague. What is no number stays as it is.
    pub(super) fn with_name(&self, account: &str, number: &str) -> String {
        match self.name_called(account, number) {
            Some(name) if name != number => format!("{name} ({number})"),
            _ => number.to_owned(),
        }
    }

    fn name_called(&self, account: &str, number: &str) -> Option<String> {
        NumberKey::of(number)?;
        let groups = self.centres.get(account).map(|running| running.centre.hunt_groups());
        let mut groups = groups.unwrap_or_default().iter().map(|state| &state.group);
        if let Some(group) = groups.find(|group| is_same(&group.number, number)) {
            return Some(contacts::plain(&group.name)).filter(|name| !name.is_empty());
        }
        let queue = self.account(account).and_then(|account| self.queue_called(account, number));
        queue.or_else(|| {
            let mut known = self.lookup_colleagues(number);
            let here = known.find(|hit| hit.account.as_deref() == Some(account));
            here.map(|hit| hit.name.clone())
        })
    }

    /// Somebody who is to be helped first.
    pub(super) fn is_vip(&self, peer: &PeerView) -> bool {
        let number = if peer.number.is_empty() { &peer.uri } else { &peer.number };
        self.is_favourite_number(number)
    }
}

fn ask(kind: TargetKind, to: String) -> TargetView {
    TargetView { kind, shown: contacts::show(&to), to, way: TargetWay::Ask }
}

fn send(kind: TargetKind, to: String) -> TargetView {
    TargetView { way: TargetWay::Send, ..ask(kind, to) }
}

/// Whether two numbers are one; cheap for most that are not.
fn is_same(one: &str, other: &str) -> bool {
    fn end(text: &str) -> impl Iterator<Item = u8> {
        text.bytes().rev().filter(u8::is_ascii_digit).take(4)
    }
    !one.is_empty() && (one == other || (end(one).eq(end(other)) && same_number(one, other)))
}

/// A kept number as it is dialled.
fn dial_string(number: &str) -> String {
    match contacts::dialled(number) {
        Ok(contacts::Dialled::Number(dial)) => dial,
        _ => String::new(),
    }
}

/// What a number with this label is; none for what takes no calls.
fn kind_of(label: &str, number: &str) -> Option<TargetKind> {
    match label {
        "fax" | "pager" => None,
        "mobile" => Some(TargetKind::Mobile),
        "home" => Some(TargetKind::Home),
        "main" => Some(TargetKind::Main),
        "assistant" => Some(TargetKind::Assistant),
        _ if contacts::classify(number, false) == NumberClass::Mobile => Some(TargetKind::Mobile),
        "work" => Some(TargetKind::Work),
        _ => Some(TargetKind::Other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_number_is_for_and_a_fax_for_nothing() {
        let table = [
            ("work", "0334551290", Some(TargetKind::Work)),
            ("work", "0612345678", Some(TargetKind::Mobile)),
            ("mobile", "0612345678", Some(TargetKind::Mobile)),
            ("assistant", "215", Some(TargetKind::Assistant)),
            ("other", "0334551290", Some(TargetKind::Other)),
            ("fax", "0334551291", None),
            ("pager", "0661234567", None),
        ];
        for (label, number, kind) in table {
            assert_eq!(kind_of(label, number), kind, "{label} {number}");
        }
    }
}

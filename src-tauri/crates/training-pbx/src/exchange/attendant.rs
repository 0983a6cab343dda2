//! The auto attendant: a greeting, a menu of digits (RFC 4733), and dialling by name.
//!
//! Inputs: from the dial plan `attend`; from the caller's phone `attendant_digit`; from time `attendant_due`; from the call
//! made for the caller its failure (`attend_again`). States: the menu; spelling a name.

use std::time::{Duration, Instant};

use super::Exchange;
use crate::call::{Attending, Call, Party, State};
use crate::company::{Company, Key};
use crate::endpoint::Step;
use crate::media_task::MediaCommand;
use crate::names::fold;
use crate::pbx::CallNumber;
use crate::speech::Clip;

/// Without a key for so long the caller is helped by a person.
const PATIENCE: Duration = Duration::from_secs(30);
/// Nobody's name is longer.
const LONGEST_NAME: usize = 20;

impl Exchange {
    /// The attendant answers.
    pub(super) fn attend(&mut self, now: Instant, number: CallNumber) {
        if let Some(call) = self.calls.get_mut(&number) {
            call.attending = Some(Attending::Menu);
        }
        self.lift(now, number, greeting(None));
        // From here on the attendant waits, not the line.
        self.wait_for_key(now, number);
    }

    /// The caller pressed a key.
    pub(super) fn attendant_digit(&mut self, now: Instant, number: CallNumber, digit: char) {
        let Some(call) = self.calls.get_mut(&number) else { return };
        if call.transfer.is_some() {
            return;
        }
        match call.attending.take() {
            Some(Attending::Menu) => self.menu(now, number, digit),
            Some(Attending::Name(mut digits)) => {
                match digit {
                    '*' => return self.attend_again(now, number, None),
                    '#' => {}
                    digit => digits.push(digit),
                }
                self.spell(now, number, digits, digit == '#');
            }
            None => {}
        }
    }

    fn menu(&mut self, now: Instant, number: CallNumber, digit: char) {
        let key = self.company.attendant.as_ref().and_then(|menu| menu.keys.get(&digit)).cloned();
        match key {
            Some(Key::Number(to)) => self.pass_on(now, number, &to),
            Some(Key::Name) => {
                if let Some(call) = self.calls.get_mut(&number) {
                    call.attending = Some(Attending::Name(String::new()));
                }
                self.say(number, words("attendant-name"));
                self.wait_for_key(now, number);
            }
            None => self.attend_again(now, number, Some("attendant-unknown")),
        }
    }

    fn spell(&mut self, now: Instant, number: CallNumber, digits: String, done: bool) {
        let mut found = named(&self.company, &digits);
        let sure = done || (digits.len() >= 3 && found.len() == 1);
        if found.is_empty() || (done && found.len() > 1) || digits.len() > LONGEST_NAME {
            self.attend_again(now, number, Some("attendant-unknown"));
        } else if let Some(to) = found.pop().filter(|_| sure) {
            self.pass_on(now, number, &to);
        } else {
            if let Some(call) = self.calls.get_mut(&number) {
                call.attending = Some(Attending::Name(digits));
            }
            self.wait_for_key(now, number);
        }
    }

    /// The caller goes to a number; the attendant takes the caller back if nobody is there.
    fn pass_on(&mut self, now: Instant, number: CallNumber, to: &str) {
        let second = self.next_call();
        let Some(first) = self.calls.get_mut(&number) else { return };
        first.attending = Some(Attending::Menu);
        first.transfer = Some(second);
        first.due = None;
        let mut call = Call::new(Party::Transferee(number), first.caller.clone(), None);
        call.diversions = vec![(first.called.clone(), "unknown")];
        tracing::debug!(call = second.0, of = number.0, %to, "none, attendant -> setting up");
        self.calls.insert(second, call);
        self.say(number, vec![Step::Music]);
        self.go_to(now, second, to);
    }

    /// The menu from the beginning, after a word about what went wrong.
    pub(super) fn attend_again(&mut self, now: Instant, number: CallNumber, why: Option<&str>) {
        if let Some(call) = self.calls.get_mut(&number) {
            call.attending = Some(Attending::Menu);
        }
        self.say(number, greeting(why));
        self.wait_for_key(now, number);
    }

    /// The caller does nothing: somebody else helps.
    pub(super) fn attendant_due(&mut self, now: Instant, number: CallNumber) {
        let operator = self.company.attendant.as_ref().map(|menu| menu.operator.clone());
        match operator.filter(|operator| !operator.is_empty()) {
            Some(operator) => self.pass_on(now, number, &operator),
            None => self.end(now, number, "no choice"),
        }
    }

    fn wait_for_key(&mut self, now: Instant, number: CallNumber) {
        if let Some(call) = self.calls.get_mut(&number)
            && matches!(call.state, State::Talking { .. })
        {
            call.due = Some(now + PATIENCE);
        }
    }

    fn say(&mut self, number: CallNumber, steps: Vec<Step>) {
        let Some(call) = self.calls.get_mut(&number) else { return };
        let endpoint = call.local().map(|local| local.endpoint);
        if let Some(endpoint) = endpoint {
            self.media(MediaCommand::Play(endpoint, steps));
        }
    }

    /// How long the attendant waits for the first key, once the line is open.
    pub(super) fn attendant_patience(now: Instant) -> Instant {
        now + PATIENCE
    }
}

fn words(clip: &str) -> Vec<Step> {
    Clip::stored(clip).map(Step::Say).into_iter().chain([Step::Listen]).collect()
}

fn greeting(before: Option<&str>) -> Vec<Step> {
    let before = before.and_then(Clip::stored).map(Step::Say);
    let menu = Clip::stored("attendant-greeting").map(Step::Say);
    [Some(Step::Pause(300)), before, menu, Some(Step::Listen)].into_iter().flatten().collect()
}

/// The lines of those whose family name begins with these keys.
fn named(company: &Company, keys: &str) -> Vec<String> {
    let fits = |name: &str| family_names(name).iter().any(|name| keys_of(name).starts_with(keys));
    let people =
        company.people().into_iter().filter(|person| !keys.is_empty() && fits(&person.name));
    people.map(|person| person.extension).collect()
}

/// The family name with and without what stands before it: `de Boer`, `Boer`.
fn family_names(name: &str) -> Vec<&str> {
    let Some((_, family)) = name.split_once(' ') else { return vec![name] };
    let last = family.rsplit(' ').next().unwrap_or(family);
    if last == family { vec![family] } else { vec![family, last] }
}

/// A name on the keys of a telephone (ITU-T E.161), without accents; what is on no key is left out.
fn keys_of(name: &str) -> String {
    let key = |letter: char| match fold(letter) {
        'a'..='c' => Some('2'),
        'd'..='f' => Some('3'),
        'g'..='i' => Some('4'),
        'j'..='l' => Some('5'),
        'm'..='o' => Some('6'),
        'p'..='s' => Some('7'),
        't'..='v' => Some('8'),
        'w'..='z' => Some('9'),
        _ => None,
    };
    name.chars().filter_map(key).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_spelt_on_the_keys_without_accents_and_prefixes() {
        assert_eq!(keys_of("Yıldız"), "945349");
        assert_eq!(keys_of("de Wit"), "33948");
        let company = Company::demo();
        // Vermeulen.
        assert_eq!(named(&company, "837638536"), ["101"]);
        // Jan Willem Kok.
        assert!(named(&company, "565").contains(&"204".to_owned()));
        // De Boer, with and without "de".
        assert_eq!(named(&company, "2637"), ["202"]);
        assert_eq!(named(&company, "332637"), ["202"]);
        assert!(named(&company, "").is_empty() && named(&company, "1").is_empty());
    }
}

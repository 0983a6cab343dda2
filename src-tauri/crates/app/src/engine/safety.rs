//! What keeps people safe when they dial. Numbers that reach help are dialled at once, as typed, by an account that reaches
//! help, with the own number visible. What costs more than people expect is asked about once, as the user's rules say, by
//! front ends that ask to be stopped (`guarded`). What the exchange refuses because of the number is named.

use call_control::{Call, Direction};
use contacts::{Dialled as Typed, NumberClass, classify, dialled};
use pbx::centre::FactKind;
use sip_types::Uri;

use super::accounts::Account;
use super::desk::Desk;
use crate::code::Code;
use crate::config::BlockSettings;
use crate::control::{Command, ErrorReply};
use crate::view::AccountState;
use crate::view::safety::{GuardSettings, HelpView, HelpWarning};

/// Whether an account reaches help: the embedded exchange reaches nobody outside this computer.
pub(super) fn can_reach_help(account: &Account) -> bool {
    account.settings.emergency && !account.demo
}

impl Desk {
    /// The command as it is carried out: one that calls for help is not in its way any more, and one that costs is refused
    /// where that was wanted.
    pub(super) fn made_safe(&self, command: Command) -> Result<Command, ErrorReply> {
        match command {
            Command::Dial { to, account, withhold, guarded } => match self.help_number(&to) {
                Some(number) => {
                    let account = self.help_account(account.as_deref()).or(account);
                    Ok(Command::Dial { to: number, account, withhold: false, guarded: false })
                }
                None => {
                    self.ask_about(&to, guarded, self.named_account(account.as_deref()).ok())?;
                    Ok(Command::Dial { to, account, withhold, guarded })
                }
            },
            Command::Redirect { call, ref to, guarded }
            | Command::TransferBlind { call, ref to, guarded }
            | Command::TransferConsult { call, ref to, guarded } => {
                self.ask_about(to, guarded, self.account_of(call))?;
                Ok(command)
            }
            command => Ok(command),
        }
    }

    fn account_of(&self, call: u64) -> Option<&Account> {
        let own = self.lines.get(&call_control::CallId(call)).map(|line| line.account.as_str());
        self.account(own.or_else(|| self.remote_name(call).map(|(account, _)| account))?)
    }

    fn ask_about(
        &self,
        to: &str,
        guarded: bool,
        account: Option<&Account>,
    ) -> Result<(), ErrorReply> {
        let Some(account) = account.filter(|_| guarded) else { return Ok(()) };
        // Whoever cannot be called is refused where he would be called.
        let Ok(uri) = self.target(account, to) else { return Ok(()) };
        let number = uri.user().unwrap_or_default();
        if self.is_blocked(account, &number) {
            let text = format!("calls to {number} are not let out by the company or the operator");
            return Err(ErrorReply::new(Code::NumberBlocked, text));
        }
        match self.asks_about(&number) {
            true => Err(ErrorReply::new(Code::AsksFirst, format!("{number} may be expensive"))),
            false => Ok(()),
        }
    }

    /// Whether the user's rules want to be asked about a number.
    pub(super) fn asks_about(&self, number: &str) -> bool {
        if self.is_emergency(number) || self.is_extension(number) {
            return false;
        }
        asks(&self.settings.config.ui.guard, number)
    }

    /// Keeps what is asked about.
    pub(super) fn set_guard(&mut self, guard: GuardSettings) -> Result<(), ErrorReply> {
        if !guard.is_possible() {
            let text = "a country has two letters, and a rule digits".to_owned();
            return Err(ErrorReply::new(Code::BadValue, text));
        }
        self.sounds.engine.set_tone_plan(media::TonePlan::of(&guard.country));
        self.settings.config.ui.guard = guard;
        Ok(())
    }

    // --- help ---

    pub(super) fn is_emergency(&self, number: &str) -> bool {
        let country = &self.settings.config.ui.guard.country;
        contacts::is_emergency(number, country, self.is_extension(number))
    }

    /// The emergency number that a text is, as it is dialled.
    fn help_number(&self, text: &str) -> Option<String> {
        let number = match dialled(text).ok()? {
            Typed::Number(number) => number,
            // A link may carry it as an address.
            Typed::Address(address) => Uri::parse(&address).ok()?.user()?,
            Typed::Name(_) => return None,
        };
        Some(number).filter(|number| self.is_emergency(number))
    }

    /// The account to call for help with: the named one if it can, else the first that can, registered ones before the
    /// others. None can: the named one, or any.
    fn help_account(&self, named: Option<&str>) -> Option<String> {
        let able = |account: &&Account| can_reach_help(account) && has_telephone(account);
        let registered = |account: &&Account| account.state == AccountState::Registered;
        let named = named.and_then(|id| self.account(id));
        let mut accounts = self.accounts.iter();
        named
            .filter(able)
            .filter(registered)
            .or_else(|| accounts.clone().find(|one| able(one) && registered(one)))
            .or_else(|| named.filter(able))
            .or_else(|| accounts.find(able))
            .or(named)
            .or_else(|| self.calling_account().ok())
            .map(|account| account.settings.id.clone())
    }

    /// How help is called now.
    pub(super) fn help_view(&self) -> HelpView {
        let country = &self.settings.config.ui.guard.country;
        let numbers = contacts::emergency_numbers(country).iter();
        let account = self.help_account(None);
        let used = account.as_deref().and_then(|id| self.account(id));
        let warning = match used {
            None => Some(HelpWarning::NoAccount),
            Some(account) if !can_reach_help(account) => Some(HelpWarning::CannotCall),
            Some(account) if account.state != AccountState::Registered => {
                Some(HelpWarning::NotRegistered)
            }
            Some(_) => None,
        };
        let here = |number: &&&str| self.is_emergency(number);
        let numbers = numbers.filter(here).map(|number| (*number).to_owned()).collect();
        HelpView { numbers, account, warning }
    }

    // --- refusals ---

    /// What the settings of an account say of calls that are not let out.
    pub(super) fn blocks_of(&self, account: &str) -> &[BlockSettings] {
        self.account(account).map(|account| account.settings.blocks.as_slice()).unwrap_or_default()
    }

    /// Whether calls there are known not to be let out: the settings say so, or one was refused in this run.
    fn is_blocked(&self, account: &Account, number: &str) -> bool {
        if self.is_emergency(number) || self.is_extension(number) {
            return false;
        }
        let settings = &account.settings;
        let mut starts = settings.blocks.iter().flat_map(|block| &block.numbers);
        starts.any(|start| begins_with(number, start))
            || self.refused.contains(&(settings.id.clone(), classify(number, false)))
    }

    /// Why a call came to nothing, where the number is the reason: an exchange that forbids a call of this kind, or says
    /// that it blocks some.
    pub(super) fn why_refused(&mut self, call: &Call, reason: Option<Code>) -> Option<Code> {
        let refused = reason == Some(Code::Forbidden) && call.direction() == Direction::Out;
        let line = self.lines.get(&call.id()).filter(|_| refused && call.answered().is_none());
        let Some(line) = line else { return reason };
        let dialled = line.dialled.as_ref().and_then(|dialled| dialled.uri.user());
        let number = dialled.unwrap_or_default();
        let account = line.account.clone();
        let reason = self.why_forbidden(&account, &number, reason);
        if reason == Some(Code::NumberBlocked) && classify(&number, false).asks_first() {
            // The next one is explained before it is dialled.
            self.refused.insert((account, classify(&number, false)));
        }
        reason
    }

    /// The same of a transfer that was refused.
    pub(super) fn why_forbidden(
        &self,
        account: &str,
        number: &str,
        reason: Option<Code>,
    ) -> Option<Code> {
        if reason != Some(Code::Forbidden) {
            return reason;
        }
        let dear = classify(number, false).asks_first();
        let named = self.account(account).is_some_and(|account| self.is_blocked(account, number));
        let blocks = self.centres.get(account).is_some_and(|running| {
            let mut facts = running.centre.facts().iter();
            facts.any(|fact| fact.kind == FactKind::OutgoingBlock && fact.in_force != Some(false))
        });
        let outside = !self.is_extension(number);
        if dear || named || (blocks && outside) { Some(Code::NumberBlocked) } else { reason }
    }
}

fn has_telephone(account: &Account) -> bool {
    account.ua.is_some() || account.settings.control_only
}

/// Whether rules want to be asked about a number.
fn asks(rules: &GuardSettings, number: &str) -> bool {
    let class = classify(number, false);
    let wanted = match class {
        NumberClass::International => rules.foreign,
        class if class.asks_first() => rules.premium,
        _ => false,
    };
    wanted && !rules.never.iter().any(|start| begins_with(number, start))
}

/// Whether a number begins with what a rule names, in whichever of the two ways the international form is written.
fn begins_with(number: &str, start: &str) -> bool {
    let plain = |text: &str| {
        let digits = text.replace("(0)", "");
        let digits: String = digits.chars().filter(|c| c.is_ascii_digit() || *c == '+').collect();
        match digits.strip_prefix("00") {
            Some(rest) => format!("+{rest}"),
            None => digits,
        }
    };
    let start = plain(start);
    !start.is_empty() && plain(number).starts_with(&start)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_ask_about_what_they_name_and_nothing_else() {
        let rules = GuardSettings::default();
        for number in ["09008844", "1888", "0841234567", "+32471234567", "004930123456"] {
            assert!(asks(&rules, number), "{number}");
        }
        for number in ["0302318800", "0612345678", "08001234", "0887654000", "101", "113", "*55102"]
        {
            assert!(!asks(&rules, number), "{number}");
        }
        let foreign = GuardSettings { premium: false, ..GuardSettings::default() };
        assert!(!asks(&foreign, "09008844"));
        assert!(asks(&foreign, "+32471234567"));
        let premium = GuardSettings { foreign: false, ..GuardSettings::default() };
        assert!(!asks(&premium, "+32471234567"));
        assert!(asks(&premium, "+449098790000"), "premium abroad is premium");
    }

    #[test]
    fn numbers_that_are_called_every_day_are_not_asked_about() {
        let rules = GuardSettings {
            never: vec!["+32".into(), "0900-8844".into(), "00 49 (0)30".into()],
            ..GuardSettings::default()
        };
        for number in ["+32471234567", "0032471234567", "09008844", "+493012345678"] {
            assert!(!asks(&rules, number), "{number}");
        }
        for number in ["+33123456789", "09008845", "+498912345678"] {
            assert!(asks(&rules, number), "{number}");
        }
    }
}

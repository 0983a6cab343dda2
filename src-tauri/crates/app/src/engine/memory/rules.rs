//! The rules of what is kept and of what is opened for callers: read and changed while the program runs.

use std::time::Instant;

use store::Tables;

use super::super::Reply;
use super::super::desk::Desk;
use super::refused;
use crate::code::Code;
use crate::config::{Caller, PopWhen, ScreenPopSettings};
use crate::control::{Answer, ErrorReply};
use crate::view::people::{PrivacyView, ScreenPopView};

/// Longest time that is kept, days: ten years.
const DAYS: u32 = 3_660;
/// Longest text of a rule, characters.
const TEXT: usize = 2_000;
/// Most parts of a command.
const PARTS: usize = 50;

impl Desk {
    pub(super) fn kept_for(&self) -> Answer {
        Answer::Kept(PrivacyView { history_days: self.settings.config.privacy.history_days })
    }

    /// Keeps things so long from now on; what is older goes before this is answered.
    pub(super) fn keep_for(&mut self, now: Instant, history_days: u32, reply: Reply) {
        if history_days > DAYS {
            let message = format!("at most {DAYS} days");
            return reply(Err(ErrorReply::new(Code::BadValue, message)));
        }
        self.settings.config.privacy.history_days = history_days;
        self.keep_settings(now);
        let Some(memory) = &mut self.memory else { return reply(Ok(self.kept_for())) };
        memory.keeps = history_days > 0;
        let oldest = self.settings.config.privacy.oldest_ms(self.clock.ms(now));
        self.history.retain(|entry| history_days == 0 || entry.started_ms >= oldest);
        self.publisher.changed();
        let forget = move |tables: &Tables<'_>| tables.forget_before(oldest);
        self.remembering(forget, |desk, _, forgotten| {
            reply(match forgotten {
                Ok(_) => Ok(desk.kept_for()),
                Err(error) => Err(refused(&error)),
            });
        });
    }

    pub(super) fn opened_for_callers(&self) -> Answer {
        Answer::ScreenPop(Box::new(shown(&self.settings.config.screen_pop)))
    }

    pub(super) fn open_for_callers(
        &mut self,
        now: Instant,
        url: &str,
        command: Vec<String>,
        answered: bool,
    ) -> Result<Answer, ErrorReply> {
        let before = &self.settings.config.screen_pop;
        self.settings.config.screen_pop = changed(before, url, command, answered)?;
        self.keep_settings(now);
        Ok(self.opened_for_callers())
    }
}

/// The rule with these values, if they can be used.
fn changed(
    before: &ScreenPopSettings,
    url: &str,
    command: Vec<String>,
    answered: bool,
) -> Result<ScreenPopSettings, ErrorReply> {
    let bad = |text: String| ErrorReply::new(Code::BadValue, text);
    let lengths = command.iter().map(String::as_str).chain([url]).map(|text| text.chars().count());
    if command.len() > PARTS || lengths.sum::<usize>() > TEXT {
        return Err(bad("that is too long".to_owned()));
    }
    if command.iter().map(String::as_str).chain([url]).any(|text| text.contains(char::is_control)) {
        return Err(bad("a rule is one line".to_owned()));
    }
    let when = if answered { PopWhen::Answered } else { PopWhen::Ringing };
    let url = url.trim().to_owned();
    let new = ScreenPopSettings { url, command, when, ..before.clone() };
    new.check().map_err(|(_, why)| bad(why))?;
    Ok(new)
}

fn shown(rule: &ScreenPopSettings) -> ScreenPopView {
    let example = Caller {
        number: "+31612345678".to_owned(),
        name: "Jan \"<b>\" & $(Zn)".to_owned(),
        dialled: "101".to_owned(),
    };
    ScreenPopView {
        url: rule.url.clone(),
        command: rule.command.clone(),
        answered: rule.when == PopWhen::Answered,
        example: rule.address(&example).unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(url: &str, command: &[&str]) -> Result<ScreenPopSettings, ErrorReply> {
        let command = command.iter().map(|part| (*part).to_owned()).collect();
        changed(&ScreenPopSettings::default(), url, command, true)
    }

    #[test]
    fn a_rule_that_would_open_something_else_is_refused() {
        for url in [
            "file:///etc/passwd",
            "javascript:alert({name})",
            "https://{name}.example/",
            "https://crm.example/\n{number}",
            "https://crm.example/{telephone}",
            "data:text/html,<b>",
        ] {
            assert_eq!(rule(url, &[]).unwrap_err().code, Code::BadValue, "{url}");
        }
        for command in [&["{name}"][..], &[""], &["crm", "a\u{0}b"], &["crm", "{id}"], &["x"; 51]] {
            assert_eq!(rule("", command).unwrap_err().code, Code::BadValue, "{command:?}");
        }
        assert!(rule("", &[]).unwrap().is_off());
        assert!(rule(&"x".repeat(5000), &[]).is_err());
    }

    #[test]
    fn no_name_of_a_caller_is_more_than_a_value() {
        let rule =
            rule("https://crm.example/?n={name}", &["crm", "{name}", "--who={name}"]).unwrap();
        for name in [
            "$(touch x)",
            "`id`",
            "'; rm -rf ~; '",
            "\" onmouseover=\"alert(1)",
            "<script>alert(1)</script>",
            "a\r\nSet-Cookie: x=y",
            "\u{202e}gpj.exe",
            "&admin=1#",
            "--help",
            "../../etc/passwd",
            "%00%0a",
        ] {
            let caller = Caller { name: name.to_owned(), ..Caller::default() };
            let page = rule.address(&caller).unwrap();
            let value = page.strip_prefix("https://crm.example/?n=").unwrap();
            let plain = |char: char| char.is_ascii_alphanumeric() || "-._~%".contains(char);
            assert!(value.chars().all(plain), "{page}");
            let (program, arguments) = rule.start(&caller).unwrap();
            assert_eq!((program.as_str(), arguments.len()), ("crm", 2), "{name}");
            assert!(!arguments[0].starts_with('-') && arguments[1].starts_with("--who="));
            let hidden = |char: char| char.is_control() || char == '\u{202e}';
            assert!(arguments.iter().all(|argument| !argument.contains(hidden)));
        }
    }

    #[test]
    fn what_is_shown_is_what_would_be_opened() {
        let view = shown(&rule("https://crm.example/{number}?n={name}", &[]).unwrap());
        assert_eq!(
            view.example,
            "https://crm.example/%2B31612345678?n=Jan%20%22%3Cb%3E%22%20%26%20%24%28Zn%29"
        );
        assert!(view.answered && view.command.is_empty());
    }
}

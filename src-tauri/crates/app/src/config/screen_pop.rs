//! What is opened for a caller: a page or a program of the company's own. Off until something is filled in.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Serialize};

use super::Unknown;

/// What stays as it is in an address (RFC 3986, 2.3).
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
/// Longest value that is filled in, characters.
const MAX_VALUE: usize = 200;
/// What can be filled in.
const NAMES: [&str; 3] = ["number", "name", "dialled"];

/// When it is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PopWhen {
    /// When it rings.
    #[default]
    Ringing,
    /// When the call is answered here.
    Answered,
}

/// Opened for a caller, once for each call: `{number}` (international where it is known, else as signalled), `{name}` and
/// `{dialled}` (what was called) are filled in.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ScreenPopSettings {
    /// Page to open in the browser, `https://crm.example/?caller={number}`; values are percent-encoded.
    pub url: String,
    /// Program to start and its arguments. It is started itself, never through a shell; a value is always one argument
    /// or a part of one.
    pub command: Vec<String>,
    /// When.
    pub when: PopWhen,
    #[serde(flatten, skip_serializing)]
    pub(crate) unknown: Unknown,
}

/// Of whom it is opened. Nothing of it is trusted.
#[derive(Debug, Clone, Default)]
pub(crate) struct Caller {
    pub(crate) number: String,
    pub(crate) name: String,
    pub(crate) dialled: String,
}

impl Caller {
    fn value(&self, name: &str) -> String {
        let text = match name {
            "number" => &self.number,
            "name" => &self.name,
            _ => &self.dialled,
        };
        contacts::plain(text).chars().take(MAX_VALUE).collect()
    }
}

impl ScreenPopSettings {
    /// True when nothing is opened.
    pub fn is_off(&self) -> bool {
        self.url.is_empty() && self.command.is_empty()
    }

    /// The key that is wrong and why.
    pub(crate) fn check(&self) -> Result<(), (&'static str, String)> {
        let web = ["https://", "http://"].into_iter().find_map(|web| self.url.strip_prefix(web));
        let host = web.and_then(|rest| rest.split(['/', '?', '#']).next()).unwrap_or_default();
        if !self.url.is_empty() && (host.is_empty() || host.contains(['{', '}', '@'])) {
            let why = "url of screen_pop begins with https:// and a fixed server";
            return Err(("url", why.to_owned()));
        }
        if self.command.first().is_some_and(|program| program.is_empty() || program.contains('{')) {
            return Err((
                "command",
                "command of screen_pop begins with a fixed program".to_owned(),
            ));
        }
        for (key, text) in [("url", &self.url)]
            .into_iter()
            .chain(self.command.iter().map(|part| ("command", part)))
        {
            if let Some(name) = pieces(text).find_map(|piece| match piece {
                Piece::Value(name) if !NAMES.contains(&name) => Some(name),
                _ => None,
            }) {
                return Err((key, format!("{key} of screen_pop knows no {{{name}}}")));
            }
        }
        Ok(())
    }

    /// The page of a caller; none when none is opened.
    pub(crate) fn address(&self, caller: &Caller) -> Option<String> {
        let fill = |name: &str| utf8_percent_encode(&caller.value(name), ESCAPED).to_string();
        Some(filled(&self.url, fill)).filter(|url| !url.is_empty())
    }

    /// The program of a caller and its arguments; none when none is started.
    pub(crate) fn start(&self, caller: &Caller) -> Option<(String, Vec<String>)> {
        let (program, arguments) = self.command.split_first()?;
        let argument = |template: &String| {
            let text = filled(template, |name| caller.value(name));
            // A name must not become an option.
            match template.starts_with('{') {
                true => text.trim_start_matches('-').to_owned(),
                false => text,
            }
        };
        Some((program.clone(), arguments.iter().map(argument).collect()))
    }
}

enum Piece<'a> {
    Text(&'a str),
    Value(&'a str),
}

/// A template in its pieces; a brace that is not closed is text.
fn pieces(template: &str) -> impl Iterator<Item = Piece<'_>> {
    let mut rest = template;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let value = rest.strip_prefix('{').and_then(|inside| inside.split_once('}'));
        if let Some((name, after)) = value {
            rest = after;
            return Some(Piece::Value(name));
        }
        // What was read is not empty: it is a brace or what comes before one.
        let from = rest.char_indices().skip(1).find(|(_, char)| *char == '{');
        let (text, after) = rest.split_at(from.map_or(rest.len(), |(at, _)| at));
        rest = after;
        Some(Piece::Text(text))
    })
}

fn filled(template: &str, fill: impl Fn(&str) -> String) -> String {
    let one = |piece| match piece {
        Piece::Text(text) => text.to_owned(),
        Piece::Value(name) => fill(name),
    };
    pieces(template).map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(url: &str, command: &[&str]) -> ScreenPopSettings {
        let command = command.iter().map(|part| (*part).to_owned()).collect();
        ScreenPopSettings { url: url.to_owned(), command, ..ScreenPopSettings::default() }
    }

    fn caller(name: &str) -> Caller {
        Caller { number: "+31612345678".into(), name: name.into(), dialled: "101".into() }
    }

    #[test]
    fn a_value_is_no_part_of_the_address_but_a_value() {
        let pop = settings("https://crm.example/find?n={number}&who={name}#{dialled", &[]);
        pop.check().unwrap();
        assert_eq!(
            pop.address(&caller("Zoë & Zn/../?x=<b>\r\n")).unwrap(),
            "https://crm.example/find?n=%2B31612345678&who=Zo%C3%AB%20%26%20Zn%2F..%2F%3Fx%3D%3Cb%3E#{dialled"
        );
        assert!(pop.start(&caller("Jan")).is_none());
    }

    #[test]
    fn a_value_is_one_argument_and_never_an_option() {
        let pop = settings("", &["crm", "--call={number}", "{name}", "{dialled}x{name}"]);
        pop.check().unwrap();
        let (program, arguments) = pop.start(&caller("--rm $(id); {number}\n")).unwrap();
        assert_eq!(program, "crm");
        let name = "--rm $(id); {number}";
        let expected =
            ["--call=+31612345678".to_owned(), name[2..].to_owned(), format!("101x{name}")];
        assert_eq!(arguments, expected);
        assert!(pop.address(&caller("Jan")).is_none());
    }

    #[test]
    fn what_would_open_something_else_is_refused() {
        let key = |url: &str, command: &[&str]| settings(url, command).check().unwrap_err().0;
        for url in [
            "file:///etc/passwd",
            "https://{name}/",
            "javascript:{name}",
            "https://",
            "https://a@b/",
        ] {
            assert_eq!(key(url, &[]), "url", "{url}");
        }
        assert_eq!(key("https://a/{phone}", &[]), "url");
        assert_eq!(key("", &["{name}"]), "command");
        assert_eq!(key("", &["crm", "{phone}"]), "command");
        assert!(ScreenPopSettings::default().check().is_ok());
        assert!(ScreenPopSettings::default().is_off());
    }
}

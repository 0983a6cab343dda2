//! What went over the wire, in a form that stays the same from run to run.

use std::{collections::BTreeMap, fmt::Write, time::Duration};

use sip_types::{HeaderName, Message};

use super::Net;

pub struct Entry {
    pub at: Duration,
    pub from: &'static str,
    pub to: &'static str,
    pub message: Message,
    pub lost: bool,
}

impl Net {
    /// One line per message: when, who to whom, what.
    pub fn ladder(&self) -> String {
        let mut text = String::new();
        for entry in &self.log {
            let arrow = if entry.lost { "-x" } else { "->" };
            let line = summary(&entry.message);
            let at = entry.at.as_secs_f64();
            writeln!(text, "{at:7.3} {:>5} {arrow} {:<5} {line}", entry.from, entry.to).unwrap();
        }
        text
    }

    /// All messages whole, with the random parts numbered in the order they show up.
    pub fn transcript(&self) -> String {
        let mut names = BTreeMap::new();
        let mut text = String::new();
        for entry in &self.log {
            writeln!(text, "== {} -> {}", entry.from, entry.to).unwrap();
            let bytes = entry.message.to_bytes();
            for line in String::from_utf8_lossy(&bytes).lines() {
                writeln!(text, "{}", normalise(line, &mut names)).unwrap();
            }
        }
        text
    }
}

fn summary(message: &Message) -> String {
    let (start, headers, body) = match message {
        Message::Request(r) => (r.method.as_str().to_owned(), &r.headers, &r.body),
        Message::Response(r) => (format!("{} {}", r.status, r.reason), &r.headers, &r.body),
    };
    let cseq = headers.get(&HeaderName::CSeq).unwrap_or_default();
    let body = String::from_utf8_lossy(body);
    let body = body.trim().strip_prefix("v=0 ").map(|b| format!(" [{b}]")).unwrap_or_default();
    format!("{start} ({cseq}){body}")
}

fn normalise(line: &str, names: &mut BTreeMap<String, String>) -> String {
    let mut line = line.to_owned();
    for (mark, kind) in [
        ("branch=", "branch"),
        ("tag=", "tag"),
        ("Call-ID: ", "call"),
        ("cnonce=\"", "cnonce"),
        ("response=\"", "digest"),
    ] {
        let Some(at) = line.find(mark).map(|at| at + mark.len()) else { continue };
        let end = line[at..].find([';', '>', '"', ',']).map_or(line.len(), |len| at + len);
        let value = line[at..end].to_owned();
        let next = names.values().filter(|name| name.starts_with(kind)).count() + 1;
        let name = names.entry(value).or_insert_with(|| format!("{kind}-{next}"));
        line.replace_range(at..end, name);
    }
    line
}

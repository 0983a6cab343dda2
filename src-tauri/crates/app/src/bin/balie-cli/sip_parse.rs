//! `sip-parse`: what our parser makes of messages, one JSON line each.

use std::fs;
use std::io::{self, Read};
use std::path::PathBuf;

use serde_json::json;

use crate::out::{self, Failure};

pub(crate) fn run(files: &[PathBuf]) -> Result<(), Failure> {
    let mut all_good = true;
    if files.is_empty() {
        let mut bytes = Vec::new();
        io::stdin().lock().read_to_end(&mut bytes)?;
        all_good = judge("-", &bytes)?;
    }
    for file in files {
        let name = file.display().to_string();
        all_good &= match fs::read(file) {
            Ok(bytes) => judge(&name, &bytes)?,
            Err(error) => unreadable(&name, &error)?,
        };
    }
    if all_good { Ok(()) } else { Err(Failure::told()) }
}

fn judge(name: &str, bytes: &[u8]) -> Result<bool, Failure> {
    let seen = sip_types::inspect(bytes);
    let mut line = json!({
        "file": name,
        "ok": seen.ok,
        "start_line": seen.start_line,
        "headers": seen.headers,
        "body": seen.body,
    });
    if let (Some(error), Some(object)) = (seen.error, line.as_object_mut()) {
        object.insert("error".to_owned(), json!(error));
    }
    out::json(&line)?;
    Ok(seen.ok)
}

fn unreadable(name: &str, error: &io::Error) -> Result<bool, Failure> {
    out::json(&json!({
        "file": name, "ok": false, "error": error.to_string(),
        "start_line": "", "headers": 0, "body": 0,
    }))?;
    Ok(false)
}

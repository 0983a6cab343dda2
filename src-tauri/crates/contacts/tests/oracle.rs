//! Numbers in many notations against the PyPI package `phonenumbers`: every one must get the key that the package says,
//! and must be dialled as it was typed.
//!
//! `BALIE_LAB_PYTHON` is a Python that has the package; without it nothing is compared and that is said, unless
//! `BALIE_LAB` is set: then it is a failure.
//! `BALIE_NUMBERS` says how many; 3,000 when it is not set.

use std::process::Command;

use contacts::{Dialled, NumberKey, dialled};

#[test]
fn every_notation_has_the_key_that_the_package_says_and_is_dialled_as_typed() {
    let Some(python) = std::env::var_os("BALIE_LAB_PYTHON") else {
        assert!(std::env::var_os("BALIE_LAB").is_none(), "BALIE_LAB_PYTHON is not set");
        return println!("skipped, BALIE_LAB_PYTHON is not set");
    };
    let count = std::env::var("BALIE_NUMBERS").unwrap_or_else(|_| "3000".to_owned());
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/oracle.py");
    let output = Command::new(python).args([script, &count, "7"]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let mut wrong = Vec::new();
    for line in text.lines() {
        let [text, key, dial] = line.split('\t').collect::<Vec<_>>()[..] else {
            panic!("{line:?}")
        };
        let found = NumberKey::of(text);
        if found.as_ref().map(NumberKey::as_str) != Some(key) {
            wrong.push(format!("{text:?} is taken for {found:?}, not {key}"));
        }
        match dialled(text) {
            Ok(Dialled::Number(number)) if number == dial => {}
            Ok(Dialled::Address(address)) if dial == "-" && address == text => {}
            other => wrong.push(format!("{text:?} is dialled as {other:?}, not {dial}")),
        }
    }
    assert_eq!(text.lines().count().to_string(), count);
    println!("{count} numbers, {} wrong", wrong.len());
    wrong.truncate(40);
    assert!(wrong.is_empty(), "{wrong:#?}");
}

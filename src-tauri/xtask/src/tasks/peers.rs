//! The tests against real servers, each program in a network namespace of its own, two of them at a time: they wait for
//! timers and for sound most of the time.

use std::collections::VecDeque;
use std::process::{Command, Output};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};

use crate::console::{cargo, run, say};
use crate::tasks::test::has_laboratory;
use crate::{lab, workspace};

/// Programs at a time. More than two would keep a machine with two cores from hearing sound as it is.
const LANES: usize = 2;

/// What takes longest, so that it is begun first and neither lane ends long after the other.
const LONG: &[&str] = &["encryption_peers", "transfers", "relays", "agents", "queues"];

/// The packages and features that the tests are built with; the same everywhere, so that nothing is built twice.
const FROM: &[&str] = &["--locked", "--features", "e2e/lab"];

/// Built outside, run inside namespaces without a way out: no test packet can reach a real network.
pub(crate) fn peers() -> Result<()> {
    if !has_laboratory() {
        say("left out: the laboratory of real servers needs Debian or Ubuntu");
        return Ok(());
    }
    let names = longest_first(laboratory_tests()?);
    let chosen = names.iter().flat_map(|name| ["--test", name]);
    run(cargo().arg("build").args(FROM).args(["--bin", "balie-cli"]).args(chosen))?;
    let failed = side_by_side(names);
    ensure!(failed.is_empty(), "failed: {}", failed.join(", "));
    Ok(())
}

/// The tests that want real servers; all others have run with the crates.
fn laboratory_tests() -> Result<Vec<String>> {
    let manifest = std::fs::read_to_string(workspace::root().join("tests/e2e/Cargo.toml"))?;
    let name = |table: &str| {
        let line = table.lines().find_map(|line| line.strip_prefix("name = "))?;
        table.contains("required-features").then(|| line.trim_matches('"').to_owned())
    };
    let tables = manifest.split("[[test]]").skip(1).map(|rest| rest.split("[[").next());
    Ok(tables.flatten().filter_map(name).collect())
}

fn longest_first(mut names: Vec<String>) -> Vec<String> {
    names.sort_by_key(|name| LONG.iter().position(|long| long == name).unwrap_or(LONG.len()));
    names
}

/// Runs every program, whatever became of the others; the names of those that failed.
fn side_by_side(names: Vec<String>) -> Vec<String> {
    let waiting = Mutex::new(VecDeque::from(names));
    let failed = Mutex::new(Vec::new());
    let lane = || {
        let next = || locked(&waiting).pop_front();
        while let Some(name) = next() {
            if let Err(error) = tell_of(&name) {
                say(&format!("{name}: {error:#}"));
                locked(&failed).push(name);
            }
        }
    };
    thread::scope(|lanes| {
        for _ in 0..LANES {
            lanes.spawn(lane);
        }
    });
    failed.into_inner().unwrap_or_else(PoisonError::into_inner)
}

fn locked<T>(of: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Runs one program and shows what it printed once it has ended, so that two do not speak at once.
#[expect(clippy::disallowed_methods, reason = "the tool tells people how long things take")]
fn tell_of(name: &str) -> Result<()> {
    say(&format!("{name}: begun"));
    let began = Instant::now();
    let Output { status, stdout, stderr } = program(name).output().context("cannot be started")?;
    say(&format!(
        "{name}: ended after {:.0} s\n{}{}",
        began.elapsed().as_secs_f32(),
        String::from_utf8_lossy(&stderr),
        String::from_utf8_lossy(&stdout),
    ));
    ensure!(status.success(), "{status}");
    Ok(())
}

/// The tests of one program, one after the other.
fn program(name: &str) -> Command {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let test = [&["test", "--quiet", "--offline"], FROM].concat();
    let arguments = [&test[..], &["--test", name, "--", "--test-threads=1"]].concat();
    let mut inside = lab::inside_namespace(&cargo, &arguments);
    inside.env("BALIE_CLI", workspace::built("debug", "balie-cli"));
    inside
}

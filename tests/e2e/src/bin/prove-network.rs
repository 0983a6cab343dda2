//! The long proof that the line is never lost: every change of network with calls up both ways, a server that
//! restarts, a server that is dead. Prints a table; ends with an error when a goal is missed.

use anyhow::{Result, ensure};
use e2e::roaming::{Day, Figures, SCENARIOS, line};

/// Rounds of each scenario; with two calls each, two hundred calls in all.
const ROUNDS: usize = 25;
/// Restarts of the server, and starts with a dead one.
const RESTARTS: usize = 20;

fn main() -> Result<()> {
    let rounds = std::env::args().nth(1).map_or(Ok(ROUNDS), |text| text.parse())?;
    let mut day = Day::begin()?;
    let mut missed = Vec::new();
    let mut tell = |name: &str, figures: &Figures| {
        say(&line(name, figures));
        if !figures.are_good() {
            missed.push(name.to_owned());
        }
    };
    let (mut calls, mut lost) = (0, 0);
    for scenario in SCENARIOS {
        let figures = day.run(scenario, rounds)?;
        tell(&format!("{scenario:?}"), &figures);
        calls += figures.calls;
        lost += figures.lost;
    }
    tell("Dead server", &day.dead_server(rounds.min(RESTARTS))?);
    tell("Server restart", &day.restart(rounds.min(RESTARTS))?);
    say(&format!("lost {lost} of {calls} calls"));
    day.end()?;
    ensure!(missed.is_empty(), "the goal was missed: {missed:?}");
    Ok(())
}

#[expect(clippy::print_stdout, reason = "the table is what this program is for")]
fn say(line: &str) {
    println!("{line}");
}

//! A short day on the move: every change of network with calls up both ways, a server that restarts, one that is dead.

use anyhow::{Result, ensure};
use e2e::roaming::{Day, SCENARIOS, line};

#[test]
fn a_telephone_on_the_move_keeps_its_line_and_its_calls() -> Result<()> {
    let mut day = Day::begin()?;
    let mut bad = Vec::new();
    for scenario in SCENARIOS {
        let figures = day.run(scenario, 2)?;
        println!("{}", line(&format!("{scenario:?}"), &figures));
        if !figures.are_good() {
            bad.push(line(&format!("{scenario:?}"), &figures));
        }
    }
    for (name, figures) in [("dead", day.dead_server(1)?), ("restart", day.restart(1)?)] {
        println!("{}", line(name, &figures));
        if !figures.are_good() {
            bad.push(line(name, &figures));
        }
    }
    day.end()?;
    ensure!(bad.is_empty(), "{bad:#?}");
    Ok(())
}

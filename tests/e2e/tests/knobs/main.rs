//! Everything that the embedded exchange can do by itself or be made to get wrong, one scenario per knob of its
//! control port: what the program does about it, that nothing is lost (what it shows is what the exchange says), and
//! how long that takes.

#![expect(clippy::print_stdout, reason = "how long each took is part of what is proved")]

mod lines;
mod requests;
mod ward;
mod web;

use std::collections::BTreeSet;

use anyhow::{Context as _, Result, ensure};
use e2e::embedded::Embedded;
use serde_json::json;

/// A scenario and the knob that it turns.
struct Scenario {
    name: &'static str,
    knob: &'static str,
    play: fn() -> Result<()>,
}

/// One test for each scenario, and the list of all.
macro_rules! scenarios {
    ($($knob:literal => $module:ident :: $name:ident),+ $(,)?) => {
        const SCENARIOS: &[Scenario] =
            &[$(Scenario { name: stringify!($name), knob: $knob, play: $module::$name }),+];
        $(
            #[test]
            fn $name() -> Result<()> {
                play(stringify!($name))
            }
        )+
    };
}

scenarios! {
    "xsi.wire" => web::documents_in_pieces_and_in_company,
    "xsi.times" => web::a_server_in_a_hurry_and_a_slow_first_word,
    "xsi.limits" => web::a_limit_of_subscriptions,
    "xsi.lose" => web::answers_and_events_get_lost,
    "xsi.skip" => web::numbers_are_left_out,
    "xsi.channel.end" => web::channels_end_for_every_reason,
    "xsi.channel.end" => web::another_program_takes_over,
    "xsi.channel.cut" => web::connections_break_and_end,
    "xsi.channel.cut" => web::a_connection_falls_silent,
    "xsi.subscription.end" => web::subscriptions_are_ended,
    "xsi.resync" => web::everything_is_told_anew,
    "xsi.answer" => web::every_wrong_answer,
    "xsi.slow" => web::answers_come_late,
    "xsi.scope" => web::nobody_else_may_be_watched,
    "xsi.redirect" => web::requests_are_sent_to_the_other_host,
    "xsi.password" => web::the_password_expires,
    "restart" => web::the_exchange_starts_anew,
    "clock.set" => requests::the_night_falls,
    "customer.call" => requests::customers_come,
    "callers.set" => requests::many_customers_come,
    "agent.state" => requests::agents_change_their_states,
    "agent.join" => requests::agents_join_and_leave,
    "agent.extend" => requests::a_wrap_up_is_extended,
    "agent.disposition" => requests::an_outcome_is_given_at_the_exchange,
    "queue.reorder" => requests::callers_are_reordered,
    "queue.promote" => requests::callers_are_promoted,
    "queue.transfer" => requests::callers_are_sent_on,
    "queue.release" => requests::callers_are_released,
    "queue.night" => requests::a_queue_goes_to_bed,
    "queue.forward" => requests::a_queue_is_forwarded,
    "queue.configure" => requests::a_queue_is_set_up_anew,
    "subscriptions.drop" => lines::subscriptions_are_dropped,
    "packages.set" => lines::a_package_is_taken_away,
    "registration.remove" => lines::a_registration_is_taken_away,
    "notify.loss" => lines::notifications_get_lost,
    "notify.delay" => lines::notifications_come_late,
    "line.set" => lines::a_line_shows_every_state,
    "line.dnd" => lines::a_line_is_not_to_be_disturbed,
    "line.forward" => lines::a_line_is_forwarded,
    "line.forwarding" => lines::a_forwarding_is_set_at_the_exchange,
    "line.call_waiting" => lines::a_second_call_is_refused,
    "line.bar" => lines::a_number_is_barred,
    "line.guest_ends" => lines::a_guests_time_is_up,
    "company.night" => lines::the_company_goes_to_bed,
    "transfer.fail" => lines::a_transfer_fails,
    "answer.status" => lines::a_call_is_refused,
    "life.set" => lines::colleagues_call_each_other,
    "voicemail.deposit" => lines::a_message_is_left,
    "sip.look" => lines::messages_look_otherwise,
}

fn play(name: &str) -> Result<()> {
    let scenario = SCENARIOS.iter().find(|one| one.name == name).context("no such scenario")?;
    let start = e2e::lamps::now();
    let outcome = (scenario.play)();
    println!("{}: {name}: {:.1} s in all", scenario.knob, start.elapsed().as_secs_f64());
    outcome
}

/// Commands that only tell.
const TELLING: [&str; 5] = ["status", "help", "agent.list", "call.list", "queue.list"];

#[test]
fn every_knob_has_a_scenario() -> Result<()> {
    let pbx = Embedded::start()?;
    let told = pbx.turn(&json!({"cmd": "help"}))?;
    let all = told["commands"].as_array().into_iter().flatten();
    let all: BTreeSet<&str> = all.filter_map(serde_json::Value::as_str).collect();
    let turned: BTreeSet<&str> = SCENARIOS.iter().map(|scenario| scenario.knob).collect();
    let missing: Vec<_> = all.difference(&turned).filter(|name| !TELLING.contains(name)).collect();
    ensure!(missing.is_empty(), "without a scenario: {missing:?}");
    let unknown: Vec<_> = turned.difference(&all).collect();
    ensure!(unknown.is_empty(), "no such knobs: {unknown:?}");
    Ok(())
}

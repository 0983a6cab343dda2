//! Which scenario proves which row of the requirements on call centres (E) and services (F): none may be missing.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Result, ensure};

use crate::{agent, causes, control, listening, queue, recording, services, settings, supervisor};

/// A row and a scenario that proves a part of it.
struct Proof {
    row: &'static str,
    what: &'static str,
    scenario: fn() -> Result<()>,
}

/// The rows, each with what is proved and by which test.
macro_rules! proofs {
    ($($row:literal, $what:literal => $module:ident :: $name:ident),+ $(,)?) => {
        &[$(Proof { row: $row, what: $what, scenario: $module::$name }),+]
    };
}

const PROOFS: &[Proof] = proofs! {
    "E1", "states and reasons" => agent::an_agent_signs_in_goes_to_lunch_and_signs_out,
    "E1", "queues one by one" => agent::queues_are_joined_and_left_one_by_one,
    "E1", "the last one of a queue" => agent::the_last_agent_of_a_queue_must_insist_on_leaving,
    "E1", "drift" => agent::a_state_changed_behind_his_back_is_shown_and_corrected,
    "E1", "wrap-up" => agent::a_wrap_up_counts_down_and_lasts_longer_when_asked,
    "E2", "callers, measures, thresholds" =>
        queue::those_who_wait_are_shown_with_place_wait_priority_and_name,
    "E3", "queue of a call, outcome" => queue::a_call_names_its_queue_to_the_end_and_gets_an_outcome,
    "E3", "forced outcome" => queue::an_outcome_that_is_forced_cannot_be_left_out,
    "E3", "wrap-up until the outcome" => queue::who_owes_an_outcome_is_kept_in_wrap_up,
    "E3", "escalate" => listening::an_agent_asks_a_supervisor_while_the_caller_waits,
    "E3", "emergency" => listening::in_an_emergency_the_supervisor_is_in_on_the_call,
    "E4", "agents and their states" => supervisor::agents_are_seen_and_their_states_and_queues_changed,
    "E4", "queued calls" => supervisor::those_who_wait_are_reordered_promoted_sent_on_and_released,
    "E4", "taking a queued call" => supervisor::a_supervisor_takes_a_caller_at_his_own_telephone,
    "E4", "night and forwarding" => supervisor::night_and_forwarding_of_a_queue_are_set_and_read_back,
    "E4", "listen, coach, barge in" => listening::who_hears_the_supervisor_is_as_he_wants_it,
    "E5", "call back" => queue::who_gave_up_is_called_back,
    "E6", "do not disturb" => causes::do_not_disturb_takes_an_agent_out_and_is_named,
    "E6", "forwarding" => causes::forwarding_while_available_is_warned_of,
    "E6", "personal call" => causes::a_personal_call_takes_an_agent_out_for_its_length,
    "E6", "calls let ring" => causes::who_lets_calls_ring_is_taken_out_and_told_so,
    "F1", "do not disturb, number withheld" => services::do_not_disturb_and_refused_callers,
    "F1", "forwarding, call waiting" => services::every_forwarding_leads_where_it_says,
    "F1", "simultaneous ring" => settings::other_telephones_ring_together,
    "F1", "sequential ring" => settings::other_telephones_ring_one_after_the_other,
    "F1", "remote office, hoteling" => settings::remote_office_and_hoteling_are_set_and_read_back,
    "F1", "remote office, acting" => settings::calls_ring_at_the_remote_office,
    "F1", "hoteling, acting" => settings::a_guest_has_his_hosts_telephone_for_a_while,
    "F1", "night" => settings::what_can_only_be_seen_says_what_it_means_now,
    "F2", "voicemail" => services::voicemail_answers_and_its_lamp_lights,
    "F3", "hunt groups" => settings::a_hunt_group_is_shown_and_rings_its_members_in_turn,
    "F4", "schedules, blocks, number, menus" => settings::what_can_only_be_seen_says_what_it_means_now,
    "F5", "licences" => services::what_is_not_there_is_not_offered_and_its_licence_named,
    "F5", "another telephone" => control::another_telephone_dials_and_answers_for_us,
    "F5", "recording" => recording::calls_are_recorded_by_the_exchange_on_demand,
    "F5", "recording, another telephone" => recording::calls_of_another_telephone_are_recorded_too,
    "F5", "recording, not offered" => recording::where_nothing_is_recorded_it_is_not_offered,
};

/// All rows of both groups.
const ROWS: [&str; 11] = ["E1", "E2", "E3", "E4", "E5", "E6", "F1", "F2", "F3", "F4", "F5"];

#[test]
fn every_row_has_a_scenario() -> Result<()> {
    let mut by_row: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let mut named = BTreeSet::new();
    for proof in PROOFS {
        by_row.entry(proof.row).or_default().push(proof.what);
        ensure!(named.insert((proof.row, proof.what)), "{}: {} twice", proof.row, proof.what);
        ensure!(!std::ptr::fn_addr_eq(
            proof.scenario,
            every_row_has_a_scenario as fn() -> Result<()>
        ));
    }
    let missing: Vec<_> = ROWS.iter().filter(|row| !by_row.contains_key(**row)).collect();
    ensure!(missing.is_empty(), "without a scenario: {missing:?}");
    let unknown: Vec<_> = by_row.keys().filter(|row| !ROWS.contains(row)).collect();
    ensure!(unknown.is_empty(), "no such rows: {unknown:?}");
    Ok(())
}

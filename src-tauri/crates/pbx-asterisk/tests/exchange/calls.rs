//! The user's own calls.

use pbx::centre::{ExchangeCall, ExchangeCallState, Input as Told, QueueId};

use crate::lab::{ANNA, CLOCK, Lab, caller_event, config, quiet_queues};

/// An event about the channel `PJSIP/101-0000000N`.
pub(crate) fn channel(event: &str, number: u32, rest: &str) -> String {
    format!(
        "Event: {event}\nPrivilege: call,all\nChannel: PJSIP/101-{number:08x}\nUniqueid: own.{number}\n\
         Linkedid: 061.1\n{rest}\n\n"
    )
}

/// The user rings and answers; he talks to `PJSIP/trunk-061`.
pub(crate) fn talks(lab: &mut Lab, number: u32, bridge: &str, party: &str) {
    let connected = format!("ConnectedLineNum: {party}\nConnectedLineName: Klant");
    lab.say(&channel("Newchannel", number, "ChannelState: 0"));
    lab.say(&channel("Newstate", number, &format!("ChannelState: 5\n{connected}")));
    lab.say(&channel("Newstate", number, &format!("ChannelState: 6\n{connected}")));
    lab.say(&channel("BridgeEnter", number, &format!("BridgeUniqueid: {bridge}\nChannelState: 6")));
    lab.say(&format!(
        "Event: BridgeEnter\nChannel: PJSIP/trunk-{party}\nUniqueid: {party}.1\n\
         BridgeUniqueid: {bridge}\n\n"
    ));
}

fn calls(lab: &mut Lab) -> Vec<ExchangeCall> {
    let call = |told: Told| if let Told::Call(call) = told { Some(call) } else { None };
    lab.take().into_iter().filter_map(call).collect()
}

#[test]
fn a_call_of_a_queue_rings_is_answered_held_and_ends() {
    let mut lab = Lab::live(config());
    lab.say(&caller_event("AgentCalled", "support", "061", &format!("Interface: {ANNA}")));
    talks(&mut lab, 1, "b-1", "061");
    lab.say(&caller_event(
        "AgentConnect",
        "support",
        "061",
        &format!("Interface: {ANNA}\nHoldTime: 9"),
    ));
    lab.answer("Getvar", "Variable: CHANNEL(pjsip,call-id)\nValue: abc@10.0.0.1");
    lab.say(&channel("Hold", 1, ""));
    lab.say(&channel("Unhold", 1, ""));
    lab.say(&channel("Hangup", 1, "Cause: 16"));
    let seen = calls(&mut lab);
    let states: Vec<ExchangeCallState> = seen.iter().map(|call| call.state).collect();
    use ExchangeCallState::{Active, Alerting, Held, Released};
    assert_eq!(states, [Alerting, Alerting, Active, Active, Active, Held, Active, Released]);
    let last = seen.last().unwrap();
    assert_eq!(last.id, "own.1");
    assert!(last.incoming);
    assert_eq!(last.party.number, "061");
    assert_eq!(last.queue, Some(QueueId("support".to_owned())));
    assert_eq!(last.waited, Some(9));
    assert_eq!(last.sip_call_id.as_deref(), Some("abc@10.0.0.1"));
    assert_eq!(last.since, Some(CLOCK));
}

#[test]
fn a_call_that_the_user_makes_shows_what_was_dialled_until_somebody_answers() {
    let mut lab = Lab::live(config());
    lab.say(&channel("Newchannel", 1, "ChannelState: 4\nExten: 102\nConnectedLineNum: <unknown>"));
    lab.say(&channel("Newstate", 1, "ChannelState: 6\nExten: 102\nConnectedLineNum: 112"));
    let seen = calls(&mut lab);
    let numbers: Vec<&str> = seen.iter().map(|call| call.party.number.as_str()).collect();
    assert_eq!(numbers, ["102", "112"]);
    assert!(seen.iter().all(|call| !call.incoming));
}

#[test]
fn channels_of_others_are_not_the_users() {
    let mut lab = Lab::live(config());
    for name in
        ["PJSIP/1011-00000001", "PJSIP/101-home-00000001", "PJSIP/101", "Local/101@phones-0001;1"]
    {
        lab.say(&format!("Event: Newchannel\nChannel: {name}\nUniqueid: 1.1\nChannelState: 5\n\n"));
    }
    lab.say("Event: Newchannel\n\n");
    assert_eq!(lab.take(), []);
}

#[test]
fn calls_that_were_there_before_are_read() {
    let mut lab = Lab::new(config());
    lab.sign_in();
    lab.answer("Ping", &format!("Timestamp: {}.0", CLOCK / 1_000));
    lab.answer("ListCommands", "QueueStatus: x\nCoreShowChannels: x");
    let channels = "Event: CoreShowChannel\nChannel: PJSIP/101-00000007\nChannelState: 6\nUniqueid: own.7\n\
                    ConnectedLineNum: 061\nLinkedid: 061.1\nApplication: AppQueue\nDuration: 00:01:10\n\
                    BridgeID: b-1\n\n\
                    Event: CoreShowChannel\nChannel: PJSIP/trunk-061\nChannelState: 6\nUniqueid: 061.1\n\
                    Application: Queue\nDuration: 00:01:30\nBridgeID: b-1";
    lab.list("CoreShowChannels", channels);
    lab.list("QueueStatus", &quiet_queues());
    let all = lab.take().into_iter().find_map(|told| match told {
        Told::Calls(calls) => Some(calls),
        _ => None,
    });
    let all = all.unwrap();
    assert_eq!(all.len(), 1);
    assert_eq!((all[0].incoming, all[0].state), (true, ExchangeCallState::Active));
    assert_eq!(all[0].since, Some(CLOCK - 70_000));
}

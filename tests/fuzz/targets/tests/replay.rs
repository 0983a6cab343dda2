//! Every file of every committed corpus runs through its target, and every target has a corpus.

use std::collections::BTreeSet;
use std::path::Path;

use pbx_broadworks::wire::{Delivery, EventData};
use pbx_broadworks::xml::{self, Splitter};

#[test]
fn corpora_pass() {
    let corpora = Path::new(env!("CARGO_MANIFEST_DIR")).join("../corpus");
    for (name, target) in fuzz_targets::TARGETS {
        let mut files = 0;
        for entry in std::fs::read_dir(corpora.join(name)).unwrap() {
            target(&std::fs::read(entry.unwrap().path()).unwrap());
            files += 1;
        }
        assert!(files > 0, "{name} has no corpus");
    }
}

/// A corpus whose files are all refused at the door would prove nothing.
#[test]
fn the_corpus_of_events_holds_every_kind_that_is_read() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../corpus/xsi_stream");
    let mut kinds = BTreeSet::new();
    for entry in std::fs::read_dir(corpus).unwrap() {
        let mut splitter = Splitter::default();
        splitter.handle_input(&std::fs::read(entry.unwrap().path()).unwrap());
        while let Some(Ok(document)) = splitter.poll_output() {
            let Ok(root) = xml::read(&document, None) else { continue };
            kinds.extend(Delivery::read(&root).ok().map(|delivery| kind(&delivery)));
        }
    }
    let all = [
        "agent",
        "call",
        "calls",
        "channel",
        "end",
        "figures",
        "heart-beat",
        "mail",
        "other",
        "parked",
        "policy",
        "queue",
        "queued",
        "service",
        "terminated",
        "unknown",
    ];
    assert_eq!(kinds.into_iter().collect::<Vec<_>>(), all);
}

fn kind(delivery: &Delivery) -> &'static str {
    let event = match delivery {
        Delivery::Channel(_) => return "channel",
        Delivery::HeartBeat => return "heart-beat",
        Delivery::Terminated { .. } => return "terminated",
        Delivery::Error { .. } => return "error",
        Delivery::Unknown(_) => return "unknown",
        Delivery::Event(event) => event,
    };
    let Ok(data) = &event.data else { return "unreadable" };
    match data {
        EventData::Calls { .. } => "calls",
        EventData::Call(_) => "call",
        EventData::Conference(_) => "conference",
        EventData::Hook(_) => "hook",
        EventData::Queue { .. } => "queue",
        EventData::Queued(_) => "queued",
        EventData::Agent(_) => "agent",
        EventData::Figures(_) => "figures",
        EventData::Policy(_) => "policy",
        EventData::Service(_) => "service",
        EventData::Mail(_) => "mail",
        EventData::Parked(_) => "parked",
        EventData::SubscriptionTerminated => "end",
        EventData::Other(_) => "other",
    }
}

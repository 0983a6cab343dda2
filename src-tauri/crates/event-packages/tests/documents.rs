//! Documents as servers write them.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]

use event_packages::*;

const LIST_TYPE: &str =
    "multipart/related;type=\"application/rlmi+xml\";start=\"<list@10.99.0.1>\";boundary=\"3a5f\"";

#[test]
fn a_line_that_rings() {
    let read = DialogInfo::read(include_bytes!("samples/asterisk-ringing.xml")).unwrap();
    assert_eq!((read.version, read.full, read.entity.as_str()), (3, true, "sip:102@10.99.0.1"));
    let dialog = &read.dialogs[0];
    assert_eq!(dialog.state, DialogState::Early);
    assert_eq!(dialog.name.as_ref().unwrap().call_id, "pbx-77c1");
    let call = line_calls(&read).next().unwrap();
    assert_eq!((call.state, call.incoming), (LineCallState::Ringing, Some(true)));
    assert_eq!(call.peer.as_deref(), Some("sip:101@10.99.0.1"));
    assert_eq!(call.peer_name.as_deref(), Some("Jan & Jansen"));
}

#[test]
fn a_line_on_hold() {
    let read = DialogInfo::read(include_bytes!("samples/asterisk-hold.xml")).unwrap();
    let call = line_calls(&read).next().unwrap();
    assert_eq!((call.state, call.incoming), (LineCallState::Held, Some(false)));
    assert_eq!(call.peer, None);
}

#[test]
fn a_partial_document_with_extras() {
    let read = DialogInfo::read(include_bytes!("samples/broadworks-partial.xml")).unwrap();
    assert_eq!((read.version, read.full, read.dialogs.len()), (7, false, 2));
    let over = &read.dialogs[0];
    assert_eq!((over.event.as_deref(), over.code), (Some("remote-busy"), Some(486)));
    assert_eq!(
        (over.duration, over.replaces.as_ref().unwrap().call_id.as_str()),
        (Some(12), "BW99")
    );
    let states: Vec<_> = line_calls(&read).map(|call| call.state).collect();
    assert_eq!(states, [LineCallState::Over, LineCallState::Busy]);
}

#[test]
fn presence_with_activities() {
    let read = Presence::read(include_bytes!("samples/presence.xml")).unwrap();
    assert_eq!(read.basic(), Some(Basic::Open));
    assert_eq!(read.activities, ["busy", "on-the-phone"]);
    assert_eq!(read.notes, ["On the phone", "Back at two"]);
    assert_eq!(read.tuples[0].contact.as_deref(), Some("sip:102@10.99.0.1"));
    assert_eq!(read.tuples[1].basic, Some(Basic::Closed));
}

#[test]
fn registrations() {
    let read = RegistrationInfo::read(include_bytes!("samples/registration.xml")).unwrap();
    assert!(!read.full);
    let record = &read.registrations[0];
    assert_eq!(
        (record.aor.as_str(), record.phase),
        ("sip:joe@example.test", RegistrationPhase::Active)
    );
    assert_eq!(record.contacts.len(), 2, "one has no address");
    assert_eq!(record.contacts[0].event, ContactEvent::Registered);
    assert_eq!(record.contacts[1].retry_after, Some(36));
}

#[test]
fn a_list_and_its_parts() {
    let body = include_bytes!("samples/list.multipart");
    let list = EventList::read(LIST_TYPE, body).unwrap();
    assert_eq!((list.list.version, list.list.full), (0, true));
    assert!(list.has_dangling(), "the last resource's part is missing");
    let mut seen: Vec<(String, Option<Vec<LineCallState>>)> = Vec::new();
    list.each(&mut |resource, list| {
        for instance in &resource.instances {
            let state = list.state(instance).map(|(kind, body)| {
                assert_eq!(kind, "application/dialog-info+xml");
                line_calls(&DialogInfo::read(body).unwrap()).map(|call| call.state).collect()
            });
            seen.push((resource.uri.clone(), state));
        }
    });
    let line = |number: u32| format!("sip:{number}@10.99.0.1");
    let expected: Vec<(String, Option<Vec<LineCallState>>)> = vec![
        (line(101), Some(vec![])),
        (line(102), Some(vec![LineCallState::Ringing])),
        (line(102), Some(vec![LineCallState::Busy])),
        (line(103), None),
        (line(104), None),
    ];
    assert_eq!(seen, expected);
    let gone = &list.list.resources[3].instances[0];
    assert_eq!(gone.state, InstanceState::Terminated);
    assert_eq!(gone.reason.as_deref(), Some("noresource"));
}

#[test]
fn a_list_inside_a_list_is_unfolded() {
    let inner = include_bytes!("samples/list.multipart");
    let outer = ResourceList {
        uri: "sip:all@10.99.0.1".to_owned(),
        version: 0,
        full: true,
        resources: vec![Resource {
            uri: "sip:team@10.99.0.1".to_owned(),
            name: None,
            instances: vec![Instance {
                id: "1".to_owned(),
                state: InstanceState::Active,
                reason: None,
                cid: Some("inner@x".to_owned()),
            }],
        }],
    };
    let text = outer.write();
    let parts = [
        ("application/rlmi+xml", "outer@x", text.as_bytes()),
        (LIST_TYPE, "inner@x", inner.as_slice()),
    ];
    let (kind, body) = write_related(&parts, "outer-boundary");
    let mut count = 0;
    EventList::read(&kind, &body).unwrap().each(&mut |_, _| count += 1);
    assert_eq!(count, 5);
}

#[test]
fn a_mailbox() {
    let text =
        b"Messages-Waiting: yes\r\nMessage-Account: sip:101@pbx\r\nVoice-Message: 2/8 (0/2)\r\n\
                 Fax-Message: 1/0\r\n\r\nTo: <sip:101@pbx>\r\nMessages-Waiting: no\r\n";
    let read = MessageSummary::read(text).unwrap();
    assert!(read.waiting);
    assert_eq!(read.voice(), Count { new: 2, old: 8, urgent_new: 0, urgent_old: 2 });
    assert_eq!(read.counts.len(), 2);
    let none = Err(DocumentError::Missing("Messages-Waiting"));
    assert_eq!(MessageSummary::read(b"Voice-Message: 1/1\r\n"), none);
}

#[test]
fn features_in_several_parts() {
    let old_space = "http://www.ecmainternational.org/standards/ecma-323/csta/ed3";
    let body = format!(
        "--b\r\nContent-Type: application/x-as-feature-event+xml\r\n\r\n\
         <DoNotDisturbEvent xmlns=\"{old_space}\"><device/><doNotDisturbOn> true </doNotDisturbOn></DoNotDisturbEvent>\r\n\
         --b\r\nContent-Type: application/x-as-feature-event+xml\r\n\r\n\
         <ForwardingEvent><forwardTo>0201234567</forwardTo><forwardStatus>false</forwardStatus><ringCount>3</ringCount>\
         <forwardingType>forwardNoAns</forwardingType></ForwardingEvent>\r\n\
         --b\r\nContent-Type: application/x-as-feature-event+xml\r\n\r\n<CallRecordingModeEvent/>\r\n--b--\r\n"
    );
    let read = read_features("multipart/mixed;boundary=b", body.as_bytes()).unwrap();
    assert_eq!(
        read,
        [
            FeatureDocument::DoNotDisturb(true),
            FeatureDocument::Forwarding {
                kind: ForwardKind::NoAnswer,
                active: false,
                to: Some("0201234567".to_owned()),
                rings: Some(3),
            }
        ]
    );
    let agent = b"<AgentNotReadyEvent><device/><agentID>a1</agentID><extensions><privateData>\
        <private xmlns:p='http://schema.broadsoft.com/CSTAPrivateData'><p:AgentNotReadyReasonValue>7</p:AgentNotReadyReasonValue>\
        </private></privateData></extensions></AgentNotReadyEvent>";
    let read = read_features("application/x-as-feature-event+xml", agent).unwrap();
    let reason = Some("7".to_owned());
    let agent = Some("a1".to_owned());
    assert_eq!(read, [FeatureDocument::Agent { state: AgentState::NotReady, reason, agent }]);
}

#[test]
fn a_transfers_progress() {
    let read =
        Sipfrag::read(b"SIP/2.0 486 Busy Here\r\nReason: Q.850\r\n ;cause=17\r\n\r\nbody").unwrap();
    assert_eq!((read.code, read.reason.as_str()), (486, "Busy Here"));
    assert_eq!(read.headers, [("Reason".to_owned(), "Q.850 ;cause=17".to_owned())]);
    assert_eq!(Sipfrag::read(b"SIP/2.0 100").unwrap().code, 100);
    for bad in
        ["", "INVITE sip:x SIP/2.0", "SIP/2.0 99 x", "SIP/2.0 abc", "SIP/2.0 700 x", "SIP/2.\u{e9}"]
    {
        assert_eq!(Sipfrag::read(bad.as_bytes()), Err(DocumentError::Malformed), "{bad}");
    }
}

#[test]
fn other_documents_are_told_apart() {
    let list = ResourceList::read(include_bytes!("samples/presence.xml"));
    assert_eq!(list, Err(DocumentError::OtherKind));
    let foreign = b"<dialog-info xmlns='urn:other'/>";
    assert_eq!(DialogInfo::read(foreign), Err(DocumentError::OtherKind));
}

#[test]
fn a_guest_is_asked_for_proved_and_told() {
    let told = "<?xml version=\"1.0\"?><h:HotelingEvent xmlns:h=\"http://schema.broadsoft.com/hoteling\">\
        <h:expires>86400</h:expires><h:guestAddress>sip:103@pbx.example</h:guestAddress></h:HotelingEvent>";
    let guest = Some("sip:103@pbx.example".to_owned());
    let taken = HotelingEvent { guest: guest.clone(), expires: Some(86_400), nonce: None };
    assert_eq!(HotelingEvent::read(told.as_bytes()), Ok(taken.clone()));
    assert_eq!(HotelingEvent::read(taken.write().as_bytes()), Ok(taken));
    let asks = "<HotelingEvent><guestAddress/><authenticationData><nonce>n &lt; 1</nonce><algorithm>md5</algorithm>\
        </authenticationData></HotelingEvent>";
    let asks_for = HotelingEvent { nonce: Some("n < 1".to_owned()), ..HotelingEvent::default() };
    assert_eq!(HotelingEvent::read(asks.as_bytes()), Ok(asks_for.clone()));
    assert_eq!(HotelingEvent::read(asks_for.write().as_bytes()), Ok(asks_for));
    let proof = Some(("n < 1".to_owned(), "d41d8cd98f00b204e9800998ecf8427e".to_owned()));
    for wish in [SetHoteling { guest, proof }, SetHoteling::default()] {
        assert_eq!(SetHoteling::read(wish.write().as_bytes()), Ok(wish));
    }
    for (odd, error) in [
        ("<HotelingEvent/>", DocumentError::Missing("guestAddress")),
        ("<SetHoteling><guestAddress/></SetHoteling>", DocumentError::OtherKind),
        ("<HotelingEvent><guestAddress>", DocumentError::Malformed),
        (
            "<HotelingEvent><guestAddress/><authenticationData/></HotelingEvent>",
            DocumentError::Missing("nonce"),
        ),
        (
            "<HotelingEvent><guestAddress/><authenticationData><nonce>1</nonce><algorithm>SHA-0</algorithm>\
             </authenticationData></HotelingEvent>",
            DocumentError::Missing("algorithm"),
        ),
    ] {
        assert_eq!(HotelingEvent::read(odd.as_bytes()), Err(error), "{odd}");
    }
}

#[test]
fn who_is_parked_is_told_by_name_and_address_or_is_nobody() {
    let told = "<?xml version=\"1.0\"?><x-broadworks-callpark-info xmlns=\"http://schema.broadsoft.com/callpark\">\
        <callpark><parked><identity display=\"Jansen &amp; zn\">sip:0612345678@pbx.example</identity>\
        </parked></callpark></x-broadworks-callpark-info>";
    let parked = ParkedIdentity {
        display: Some("Jansen & zn".to_owned()),
        uri: "sip:0612345678@pbx.example".to_owned(),
    };
    assert_eq!(read_call_park(told.as_bytes()), Ok(Some(parked.clone())));
    assert_eq!(read_call_park(write_call_park(Some(&parked)).as_bytes()), Ok(Some(parked)));
    let nobody = "<x-broadworks-callpark-info><callpark/></x-broadworks-callpark-info>";
    assert_eq!(read_call_park(nobody.as_bytes()), Ok(None));
    assert_eq!(read_call_park(write_call_park(None).as_bytes()), Ok(None));
    for (odd, error) in [
        ("<x-broadworks-callpark-info/>", DocumentError::Missing("callpark")),
        ("<dialog-info><callpark/></dialog-info>", DocumentError::OtherKind),
        ("<x-broadworks-callpark-info><callpark>", DocumentError::Malformed),
    ] {
        assert_eq!(read_call_park(odd.as_bytes()), Err(error), "{odd}");
    }
}

//! What is written reads back the same, and nothing that is read panics.

use event_packages::*;
use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;

/// Any text that survives trimming, markup and quotes included.
fn text() -> impl Strategy<Value = String> {
    "[a-z<>&\"':;=@é漢]([ a-z<>&\"':;=@é漢]{0,12}[a-z<>&\"':;=@é漢])?"
}

fn name() -> impl Strategy<Value = DialogName> {
    (text(), text(), text()).prop_map(|(call_id, local_tag, remote_tag)| DialogName {
        call_id,
        local_tag,
        remote_tag,
    })
}

fn party() -> impl Strategy<Value = Party> {
    (of((text(), of(text()))), of((text(), vec((text(), text()), 0..3)))).prop_map(
        |(identity, target)| {
            let (identity, display) = identity.map_or((None, None), |(i, d)| (Some(i), d));
            let (target, params) = target.map_or((None, Vec::new()), |(t, p)| (Some(t), p));
            Party { identity, display, target, params }
        },
    )
}

fn dialog_state() -> impl Strategy<Value = DialogState> {
    prop_oneof![
        Just(DialogState::Trying),
        Just(DialogState::Proceeding),
        Just(DialogState::Early),
        Just(DialogState::Confirmed),
        Just(DialogState::Terminated),
        "x-[a-z]{1,8}".prop_map(DialogState::Other),
    ]
}

fn dialog() -> impl Strategy<Value = Dialog> {
    let direction = of(prop_oneof![Just(Direction::Incoming), Just(Direction::Outgoing)]);
    let head = (text(), of(name()), direction, dialog_state(), of(text()));
    let rest = (of(100..700u16), of(any::<u32>()), of(name()), of(party()), of(party()));
    (head, rest).prop_map(
        |((id, name, direction, state, event), (code, duration, replaces, local, remote))| Dialog {
            id,
            name,
            direction,
            state,
            event,
            code,
            duration,
            replaces,
            local,
            remote,
        },
    )
}

fn instance() -> impl Strategy<Value = Instance> {
    let state = prop_oneof![
        Just(InstanceState::Active),
        Just(InstanceState::Pending),
        Just(InstanceState::Terminated),
        "x-[a-z]{1,8}".prop_map(InstanceState::Other),
    ];
    (text(), state, of(text()), of("[a-z0-9@.]{1,20}"))
        .prop_map(|(id, state, reason, cid)| Instance { id, state, reason, cid })
}

fn feature() -> impl Strategy<Value = FeatureDocument> {
    use FeatureDocument as F;
    let kind = || {
        prop_oneof![Just(ForwardKind::Always), Just(ForwardKind::Busy), Just(ForwardKind::NoAnswer)]
    };
    let state = || {
        prop_oneof![
            Just(AgentState::LoggedOn),
            Just(AgentState::LoggedOff),
            Just(AgentState::Ready),
            Just(AgentState::NotReady),
            Just(AgentState::WrapUp),
        ]
    };
    let forwarding = || (kind(), any::<bool>(), of(text()), of(any::<u32>()));
    prop_oneof![
        any::<bool>().prop_map(F::SetDoNotDisturb),
        any::<bool>().prop_map(F::DoNotDisturb),
        forwarding().prop_map(|(kind, active, to, rings)| F::SetForwarding {
            kind,
            active,
            to,
            rings
        }),
        forwarding().prop_map(|(kind, active, to, rings)| F::Forwarding {
            kind,
            active,
            to,
            rings
        }),
        (state(), of(text())).prop_map(|(state, reason)| F::SetAgentState { state, reason }),
        (state(), of(text()), of(text())).prop_map(|(state, reason, agent)| F::Agent {
            state,
            reason,
            agent
        }),
    ]
}

fn summary() -> impl Strategy<Value = MessageSummary> {
    let count = (any::<u32>(), any::<u32>(), any::<u32>(), any::<u32>())
        .prop_map(|(new, old, urgent_new, urgent_old)| Count { new, old, urgent_new, urgent_old });
    let class = prop_oneof!["voice-message", "fax-message", "x-[a-z]{1,6}"];
    (any::<bool>(), of(text()), vec((class, count), 0..4))
        .prop_map(|(waiting, account, counts)| MessageSummary { waiting, account, counts })
}

proptest! {
    #[test]
    fn dialog_info(
        version in any::<u32>(),
        full in any::<bool>(),
        entity in text(),
        dialogs in vec(dialog(), 0..4),
    ) {
        let document = DialogInfo { version, full, entity, dialogs };
        let written = document.write();
        prop_assert_eq!(DialogInfo::read(written.as_bytes()), Ok(document), "{}", written);
    }

    #[test]
    fn resource_lists(
        version in any::<u32>(),
        full in any::<bool>(),
        uri in text(),
        resources in vec((text(), of(text()), vec(instance(), 0..3)), 0..5),
    ) {
        let resources = resources
            .into_iter()
            .map(|(uri, name, instances)| Resource { uri, name, instances })
            .collect();
        let document = ResourceList { uri, version, full, resources };
        let written = document.write();
        prop_assert_eq!(ResourceList::read(written.as_bytes()), Ok(document), "{}", written);
    }

    #[test]
    fn summaries(document in summary()) {
        let written = document.write();
        prop_assert_eq!(MessageSummary::read(written.as_bytes()), Ok(document), "{}", written);
    }

    #[test]
    fn features(documents in vec(feature(), 0..4)) {
        let (kind, body) = write_features(&documents, "boundary-7f");
        prop_assert_eq!(read_features(&kind, &body), Ok(documents));
    }

    #[test]
    fn related_parts(bodies in vec(vec(any::<u8>(), 0..60), 1..5)) {
        let ids: Vec<String> = (0..bodies.len()).map(|id| format!("part{id}@x")).collect();
        let parts: Vec<_> = bodies
            .iter()
            .zip(&ids)
            .map(|(body, id)| ("application/octet-stream", id.as_str(), body.as_slice()))
            .collect();
        let (kind, body) = write_related(&parts, "a-long-boundary-that-is-not-in-there");
        let read = read_parts(&kind, &body).unwrap_or_default();
        prop_assert_eq!(read.len(), bodies.len());
        for (part, body) in read.iter().zip(&bodies) {
            prop_assert_eq!(part.body, body.as_slice());
        }
    }

    #[test]
    fn sipfrags(code in 100..700u16, reason in "[A-Za-z]{0,8}") {
        let fragment = Sipfrag { code, reason, headers: vec![("To".to_owned(), "x".to_owned())] };
        prop_assert_eq!(Sipfrag::read(fragment.to_string().as_bytes()), Ok(fragment));
    }

    #[test]
    fn nothing_panics(bytes in vec(any::<u8>(), 0..300), kind in "[ -~]{0,40}") {
        read_all(&kind, &bytes);
    }

    #[test]
    fn broken_documents_do_not_panic(cut in 0..2000usize, flip in 0..2000usize, byte in any::<u8>()) {
        let samples: [&[u8]; 4] = [
            include_bytes!("samples/broadworks-partial.xml"),
            include_bytes!("samples/list.multipart"),
            include_bytes!("samples/presence.xml"),
            include_bytes!("samples/registration.xml"),
        ];
        for sample in samples {
            let mut bytes = sample.to_vec();
            bytes.truncate(cut.max(1));
            let at = flip % bytes.len();
            bytes[at] = byte;
            read_all("multipart/related;boundary=3a5f", &bytes);
        }
    }
}

fn read_all(kind: &str, bytes: &[u8]) {
    let _ = (DialogInfo::read(bytes), Presence::read(bytes), RegistrationInfo::read(bytes));
    let _ = (ResourceList::read(bytes), MessageSummary::read(bytes), Sipfrag::read(bytes));
    let _ = (read_features(kind, bytes), read_parts(kind, bytes));
    if let Ok(list) = EventList::read(kind, bytes) {
        list.each(&mut |resource, list| {
            for instance in &resource.instances {
                let _ = list.state(instance);
            }
        });
    }
    let text = String::from_utf8_lossy(bytes);
    let _ = (appearances(&text), answer_after(&text));
}

#[test]
fn presence_and_registrations_read_back_as_written() {
    let presence = Presence {
        entity: "sip:203@example.test".into(),
        tuples: vec![Tuple {
            id: "t".into(),
            basic: Some(Basic::Open),
            contact: Some("sip:203@192.0.2.1".into()),
            note: Some("desk <1>".into()),
            timestamp: None,
        }],
        activities: vec!["away".into(), "on-the-phone".into()],
        notes: vec!["Back at two".into()],
    };
    assert_eq!(Presence::read(presence.write().as_bytes()).unwrap(), presence);
    let contact = |id: &str, phase, event| Contact {
        id: id.into(),
        uri: format!("sip:{id}@192.0.2.1"),
        phase,
        event,
        expires: Some(60),
        retry_after: None,
        display: Some("Desk & co".into()),
    };
    let info = RegistrationInfo {
        version: 3,
        full: false,
        registrations: vec![RegistrationRecord {
            aor: "sip:203@example.test".into(),
            id: "r".into(),
            phase: RegistrationPhase::Active,
            contacts: vec![
                contact("a", RegistrationPhase::Active, ContactEvent::Registered),
                contact("b", RegistrationPhase::Terminated, ContactEvent::Deactivated),
            ],
        }],
    };
    assert_eq!(RegistrationInfo::read(info.write().as_bytes()).unwrap(), info);
}

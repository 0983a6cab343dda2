//! Offer/answer: golden texts, carriers' oddities, and what must hold for any sequence of calls.

mod encrypted;
mod handshake;

use std::net::{IpAddr, Ipv4Addr};

use proptest::prelude::*;

use super::*;

fn local() -> LocalMedia {
    LocalMedia {
        addr: IpAddr::V4(Ipv4Addr::new(192, 0, 2, 10)),
        rtp_port: 40_000,
        rtcp_port: 40_001,
        codecs: CodecKind::ALL.to_vec(),
        telephone_event: true,
        silence_suppression: true,
        ptime_ms: 20,
        srtp: SrtpPolicy::Off,
        keys: Vec::new(),
        dtls: None,
        feedback: false,
        ice: None,
    }
}

fn narrow(codecs: &[CodecKind]) -> LocalMedia {
    LocalMedia { codecs: codecs.to_vec(), rtp_port: 50_000, rtcp_port: 50_001, ..local() }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn answer(offer: &str) -> (String, Negotiated) {
    let mut negotiator = Negotiator::new(9);
    let (bytes, negotiated) =
        negotiator.answer(offer.as_bytes(), &local(), Direction::SendRecv).unwrap();
    (text(&bytes), negotiated)
}

fn refusal(offer: &str) -> NegotiationError {
    let mut negotiator = Negotiator::new(9);
    let error = negotiator.answer(offer.as_bytes(), &local(), Direction::SendRecv).unwrap_err();
    assert_eq!(negotiator.state(), State::Stable);
    error
}

#[test]
fn first_offer() {
    let offer = Negotiator::new(8).offer(&local(), Direction::SendRecv).unwrap();
    insta::assert_snapshot!(text(&offer), @r"
    v=0
    o=- 4 1 IN IP4 192.0.2.10
    s=-
    c=IN IP4 192.0.2.10
    t=0 0
    m=audio 40000 RTP/AVP 96 9 8 0 13 102 101
    a=rtpmap:96 opus/48000/2
    a=fmtp:96 useinbandfec=1;usedtx=1
    a=rtpmap:9 G722/8000
    a=rtpmap:8 PCMA/8000
    a=rtpmap:0 PCMU/8000
    a=rtpmap:102 telephone-event/48000
    a=fmtp:102 0-15
    a=rtpmap:101 telephone-event/8000
    a=fmtp:101 0-15
    a=ptime:20
    a=rtcp-xr:voip-metrics
    a=sendrecv
    ");
}

#[test]
fn two_of_ours_agree_on_opus() {
    let (mut alice, mut bob) = (Negotiator::new(1), Negotiator::new(2));
    let offer = alice.offer(&local(), Direction::SendRecv).unwrap();
    let (answer, at_bob) =
        bob.answer(&offer, &narrow(&CodecKind::ALL), Direction::SendRecv).unwrap();
    let at_alice = alice.receive_answer(&answer).unwrap();
    for side in [&at_alice, &at_bob] {
        assert_eq!(side.codec.kind, CodecKind::Opus);
        assert!(side.codec.wants_fec() && side.codec.wants_dtx());
        assert_eq!(
            side.telephone_event,
            Some(TelephoneEvent { payload_type: 102, clock_rate: 48_000 })
        );
        assert!(side.send && side.receive_active && !side.remote_held);
    }
    assert_eq!(at_alice.remote.port(), 50_000);
    assert_eq!(at_alice.remote_rtcp.port(), 50_001);
    assert_eq!(at_bob.remote.port(), 40_000);
    assert_eq!(at_bob.comfort_noise_pt, None, "comfort noise has no clock of 48 kHz");
}

#[test]
fn answer_keeps_the_offerers_numbers_and_refuses_the_rest() {
    let (answer, negotiated) = answer(
        "v=0\r\no=pbx 7 7 IN IP4 198.51.100.1\r\ns=x\r\nc=IN IP4 198.51.100.1\r\nt=0 0\r\n\
         m=video 6000 RTP/AVP 99\r\na=rtpmap:99 H264/90000\r\n\
         m=audio 5000 RTP/AVP 18 8 111 97\r\na=rtpmap:18 G729/8000\r\na=rtpmap:111 OPUS/48000\r\n\
         a=rtpmap:97 Telephone-Event/8000\r\na=ptime:30\r\n\
         m=audio 5002 RTP/AVP 0\r\nm=image 0 udptl t38\r\n",
    );
    insta::assert_snapshot!(answer, @r"
    v=0
    o=- 4 1 IN IP4 192.0.2.10
    s=-
    c=IN IP4 192.0.2.10
    t=0 0
    m=video 0 RTP/AVP 99
    m=audio 40000 RTP/AVP 8 111 97
    a=rtpmap:8 PCMA/8000
    a=rtpmap:111 opus/48000/2
    a=fmtp:111 useinbandfec=1;usedtx=1
    a=rtpmap:97 telephone-event/8000
    a=fmtp:97 0-15
    a=ptime:20
    a=sendrecv
    m=audio 0 RTP/AVP 0
    m=image 0 UDPTL t38
    ");
    assert_eq!(negotiated.codec.kind, CodecKind::Pcma);
    assert_eq!(negotiated.ptime_ms, 30);
    assert_eq!(negotiated.telephone_event.map(|e| e.payload_type), Some(97));
}

#[test]
fn hold_and_resume_keep_lines_and_numbers() {
    let offer = "v=0\r\nc=IN IP4 198.51.100.1\r\nm=video 9 RTP/AVP 99\r\n\
                 m=audio 5000 RTP/AVP 111 120\r\na=rtpmap:111 opus/48000/2\r\n\
                 a=rtpmap:120 telephone-event/48000\r\n";
    let mut negotiator = Negotiator::new(8);
    negotiator.answer(offer.as_bytes(), &local(), Direction::SendRecv).unwrap();
    let hold = text(&negotiator.offer(&local(), Direction::SendOnly).unwrap());
    insta::assert_snapshot!(hold, @r"
    v=0
    o=- 4 2 IN IP4 192.0.2.10
    s=-
    c=IN IP4 192.0.2.10
    t=0 0
    m=video 0 RTP/AVP 99
    m=audio 40000 RTP/AVP 111 9 8 0 13 120 101
    a=rtpmap:111 opus/48000/2
    a=fmtp:111 useinbandfec=1;usedtx=1
    a=rtpmap:9 G722/8000
    a=rtpmap:8 PCMA/8000
    a=rtpmap:0 PCMU/8000
    a=rtpmap:120 telephone-event/48000
    a=fmtp:120 0-15
    a=rtpmap:101 telephone-event/8000
    a=fmtp:101 0-15
    a=ptime:20
    a=rtcp-xr:voip-metrics
    a=sendonly
    ");
    let held = "v=0\r\nc=IN IP4 198.51.100.1\r\nm=video 0 RTP/AVP 99\r\n\
                m=audio 5000 RTP/AVP 111\r\na=rtpmap:111 opus/48000/2\r\na=recvonly\r\n";
    let negotiated = negotiator.receive_answer(held.as_bytes()).unwrap();
    assert!(negotiated.send && !negotiated.receive_active && !negotiated.remote_held);
    let resume = text(&negotiator.offer(&local(), Direction::SendRecv).unwrap());
    assert!(resume.contains("o=- 4 3 ") && resume.contains("a=sendrecv"), "{resume}");
}

#[test]
fn version_stays_while_nothing_changes() {
    let mut negotiator = Negotiator::new(2);
    let first = negotiator.offer(&local(), Direction::SendRecv).unwrap();
    negotiator.abandon();
    let second = negotiator.offer(&local(), Direction::SendRecv).unwrap();
    assert_eq!(first, second);
}

#[test]
fn hold_by_the_peer_is_seen_in_every_form() {
    for (lines, held_by_direction) in [
        ("c=IN IP4 198.51.100.1\r\nm=audio 5000 RTP/AVP 8\r\na=sendonly\r\n", Direction::SendOnly),
        ("c=IN IP4 198.51.100.1\r\na=inactive\r\nm=audio 5000 RTP/AVP 8\r\n", Direction::Inactive),
        ("c=IN IP4 0.0.0.0\r\nm=audio 5000 RTP/AVP 8\r\n", Direction::SendRecv),
    ] {
        let (_, negotiated) = answer(&format!("v=0\r\n{lines}"));
        assert!(negotiated.remote_held && !negotiated.send, "{lines}");
        assert_eq!(negotiated.remote_direction, held_by_direction);
    }
    let (text, negotiated) =
        answer("v=0\r\nc=IN IP4 198.51.100.1\r\nm=audio 5000 RTP/AVP 8\r\na=sendonly\r\n");
    assert!(text.contains("a=recvonly"));
    assert!(negotiated.receive_active);
}

#[test]
fn oddities_of_carriers() {
    let (_, v6) = answer("v=0\nm=audio 5000 RTP/AVP 8 \nc=IN IP6 2001:db8::1\na=rtcp:5555\n");
    assert_eq!(v6.remote, "[2001:db8::1]:5000".parse().unwrap());
    assert_eq!(v6.remote_rtcp, "[2001:db8::1]:5555".parse().unwrap());
    let (_, wide) =
        answer("v=0\nc=IN IP4 10.0.0.1\nm=audio 5000 RTP/AVP 9\na=rtpmap:9 g722/16000/1\n");
    assert_eq!(wide.codec.kind, CodecKind::G722);
    let (_, slow) =
        answer("v=0\nc=IN IP4 10.0.0.1\nm=audio 5000 RTP/AVP 8\na=ptime:200\na=maxptime:40\n");
    assert_eq!((slow.ptime_ms, slow.max_ptime_ms), (40, Some(40)));
    let (_, noise) = answer(
        "v=0\nc=IN IP4 10.0.0.1\nm=audio 5000 RTP/AVP 8 13 101\na=rtpmap:101 telephone-event/8000/1\n",
    );
    assert_eq!(noise.comfort_noise_pt, Some(13));
    assert_eq!(noise.telephone_event.map(|e| e.payload_type), Some(101));
}

/// Who does not ask for it gets no pauses, and asks for none: neither in Opus nor by comfort noise.
#[test]
fn pauses_are_agreed_only_where_they_are_wanted() {
    let whole = || LocalMedia { silence_suppression: false, ..local() };
    for (kind, clock) in [(CodecKind::Opus, 48_000), (CodecKind::Pcma, 8_000)] {
        let only = |side: LocalMedia| LocalMedia { codecs: vec![kind], ..side };
        for (here, there) in [(true, true), (true, false), (false, true), (false, false)] {
            let side = |asks| only(if asks { local() } else { whole() });
            let (mut alice, mut bob) = (Negotiator::new(1), Negotiator::new(2));
            let offer = alice.offer(&side(here), Direction::SendRecv).unwrap();
            assert_eq!(text(&offer).contains(" 13 "), here, "{}", text(&offer));
            let (answer, at_bob) = bob.answer(&offer, &side(there), Direction::SendRecv).unwrap();
            assert_eq!(text(&answer).contains(" 13 "), here && there, "{}", text(&answer));
            let at_alice = alice.receive_answer(&answer).unwrap();
            // Each sends gaps in Opus when the other asks for them, and comfort noise when both have it.
            let opus = kind == CodecKind::Opus;
            assert_eq!(at_alice.codec.wants_dtx(), opus && there);
            assert_eq!(at_bob.codec.wants_dtx(), opus && here);
            let noise = (clock == 8_000 && here && there).then_some(13);
            assert_eq!((at_alice.comfort_noise_pt, at_bob.comfort_noise_pt), (noise, noise));
        }
    }
}

#[test]
fn metrics_are_asked_of_everybody_and_again_of_those_who_ask_for_ours() {
    let line = "c=IN IP4 10.0.0.1\nm=audio 5000 RTP/AVP 8\n";
    let (silent, plain) = answer(&format!("v=0\n{line}"));
    assert!(!plain.voip_metrics && !silent.contains("rtcp-xr"));
    assert_eq!(plain.max_ptime_ms, None);
    for offer in [
        format!("v=0\n{line}a=rtcp-xr:rcvr-rtt=all:10000 stat-summary=loss,dup VoIP-Metrics\n"),
        format!("v=0\na=rtcp-xr:voip-metrics\n{line}"),
    ] {
        let (text, negotiated) = answer(&offer);
        assert!(negotiated.voip_metrics && text.contains("a=rtcp-xr:voip-metrics\r\n"), "{text}");
    }
    let (_, other) = answer(&format!("v=0\n{line}a=rtcp-xr:pkt-loss-rle=100 x-voip-metrics\n"));
    assert!(!other.voip_metrics);
    let (mut alice, mut bob) = (Negotiator::new(1), Negotiator::new(2));
    let offer = alice.offer(&local(), Direction::SendRecv).unwrap();
    let (answer, at_bob) = bob.answer(&offer, &local(), Direction::SendRecv).unwrap();
    assert!(at_bob.voip_metrics && alice.receive_answer(&answer).unwrap().voip_metrics);
}

#[test]
fn hopeless_offers_are_refused_with_488() {
    for (lines, wanted) in [
        ("c=IN IP4 10.0.0.1\nm=audio 5000 RTP/AVP 18\n", NegotiationError::NoCommonCodec),
        ("c=IN IP4 10.0.0.1\nm=audio 5000 RTP/SAVP 8\n", NegotiationError::SecureOnly),
        ("c=IN IP4 10.0.0.1\nm=audio 0 RTP/AVP 8\n", NegotiationError::Refused),
        ("c=IN IP4 10.0.0.1\nm=video 5000 RTP/AVP 99\n", NegotiationError::NoAudio),
        (
            "c=IN IP4 media.example\nm=audio 5000 RTP/AVP 8\n",
            NegotiationError::UnusableAddress("media.example".into()),
        ),
    ] {
        let error = refusal(&format!("v=0\n{lines}"));
        assert_eq!(error, wanted);
        assert_eq!(error.status(), 488);
    }
    assert_eq!(refusal("rubbish").status(), 400);
}

#[test]
fn a_plain_line_is_taken_beside_a_secure_one() {
    let (text, _) =
        answer("v=0\nc=IN IP4 10.0.0.1\nm=audio 5000 RTP/SAVP 8\nm=audio 5002 RTP/AVP 8\n");
    assert!(text.contains("m=audio 0 RTP/SAVP 8\r\nm=audio 40000 RTP/AVP 8"), "{text}");
}

#[test]
fn glare_keeps_our_offer() {
    let mut negotiator = Negotiator::new(1);
    let offer = negotiator.offer(&local(), Direction::SendRecv).unwrap();
    let error = negotiator.answer(&offer, &local(), Direction::SendRecv).unwrap_err();
    assert_eq!((error.status(), negotiator.state()), (491, State::LocalOffer));
}

#[test]
fn a_second_answer_to_the_same_offer_is_taken() {
    let mut negotiator = Negotiator::new(1);
    negotiator.offer(&local(), Direction::SendRecv).unwrap();
    let early = "v=0\nc=IN IP4 10.0.0.1\nm=audio 5000 RTP/AVP 8\n";
    let last = "v=0\nc=IN IP4 10.0.0.2\nm=audio 6000 RTP/AVP 0\n";
    assert_eq!(negotiator.receive_answer(early.as_bytes()).unwrap().codec.kind, CodecKind::Pcma);
    assert_eq!(negotiator.receive_answer(last.as_bytes()).unwrap().codec.kind, CodecKind::Pcmu);
    assert_eq!(negotiator.current().unwrap().remote, "10.0.0.2:6000".parse().unwrap());
}

#[test]
fn an_answer_with_other_numbers_is_used_both_ways() {
    let mut negotiator = Negotiator::new(1);
    negotiator.offer(&local(), Direction::SendRecv).unwrap();
    let answer = "v=0\nc=IN IP4 10.0.0.1\nm=audio 5000 RTP/AVP 120 121\na=rtpmap:120 opus/48000/2\n\
                  a=rtpmap:121 telephone-event/8000\n";
    let negotiated = negotiator.receive_answer(answer.as_bytes()).unwrap();
    assert_eq!(negotiated.codec.payload_type, 120);
    let opus: Vec<_> = negotiated.receive.iter().filter(|c| c.kind == CodecKind::Opus).collect();
    assert_eq!(opus.iter().map(|c| c.payload_type).collect::<Vec<_>>(), [96, 120]);
    assert_eq!(negotiated.telephone_event.map(|e| e.payload_type), Some(121));
}

#[test]
fn a_refused_stream_leaves_the_one_before() {
    let mut negotiator = Negotiator::new(1);
    negotiator.offer(&local(), Direction::SendRecv).unwrap();
    let good = "v=0\nc=IN IP4 10.0.0.1\nm=audio 5000 RTP/AVP 8\n";
    let before = negotiator.receive_answer(good.as_bytes()).unwrap();
    negotiator.offer(&local(), Direction::SendOnly).unwrap();
    let refused = "v=0\nc=IN IP4 10.0.0.1\nm=audio 0 RTP/AVP 8\n";
    assert_eq!(negotiator.receive_answer(refused.as_bytes()), Err(NegotiationError::Refused));
    assert_eq!(negotiator.current(), Some(&before));
}

/// One call on a negotiator.
#[derive(Debug, Clone)]
enum Step {
    Offer(Direction),
    Receive(String),
    Answer(String),
    Pending(String),
    AnswerPending,
    Abandon,
}

fn description() -> impl Strategy<Value = String> {
    let direction =
        prop_oneof![Just("sendrecv"), Just("sendonly"), Just("recvonly"), Just("inactive")];
    let formats = proptest::collection::vec(0_u8..=127, 0..6);
    (formats, direction, 0_u16..3, any::<bool>()).prop_map(|(formats, direction, port, secure)| {
        let formats: Vec<_> = formats.iter().map(u8::to_string).collect();
        let profile = if secure { "RTP/SAVP" } else { "RTP/AVP" };
        format!(
            "v=0\nc=IN IP4 10.0.0.1\nm=audio {} {profile} {}\na=rtpmap:100 opus/48000\na={direction}\n",
            port * 5_000,
            formats.join(" ")
        )
    })
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        prop_oneof![Just(Direction::SendRecv), Just(Direction::SendOnly)].prop_map(Step::Offer),
        description().prop_map(Step::Receive),
        description().prop_map(Step::Answer),
        description().prop_map(Step::Pending),
        Just(Step::AnswerPending),
        Just(Step::Abandon),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn one_offer_at_a_time(steps in proptest::collection::vec(step(), 0..30)) {
        let mut negotiator = Negotiator::new(3);
        let local = local();
        for step in steps {
            let before = negotiator.state();
            match step {
                Step::Offer(direction) => {
                    let made = negotiator.offer(&local, direction).is_ok();
                    prop_assert_eq!(made, before == State::Stable);
                }
                Step::Receive(answer) => {
                    let taken = negotiator.receive_answer(answer.as_bytes());
                    prop_assert!(taken.is_err() || before != State::RemoteOffer);
                }
                Step::Answer(offer) => {
                    if let Ok((bytes, negotiated)) = negotiator.answer(offer.as_bytes(), &local, Direction::SendRecv) {
                        prop_assert!(SessionDescription::parse(&bytes).is_ok());
                        prop_assert!(!negotiated.send || negotiated.remote_direction.receives());
                        prop_assert_eq!(negotiator.state(), State::Stable);
                    }
                }
                Step::Pending(offer) => { let _ = negotiator.receive_offer(offer.as_bytes(), &local.codecs, local.srtp, local.keying()); }
                Step::AnswerPending => { let _ = negotiator.answer_pending(&local, Direction::SendRecv); }
                Step::Abandon => negotiator.abandon(),
            }
            prop_assert_eq!(negotiator.pending.is_some(), negotiator.state() == State::RemoteOffer);
        }
    }

    #[test]
    fn hostile_descriptions_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200), tail in ".{0,200}") {
        let mut negotiator = Negotiator::new(3);
        let _ = negotiator.answer(&bytes, &local(), Direction::SendRecv);
        let offer = format!("v=0\nc=IN IP4 10.0.0.1\nm=audio 5000 RTP/AVP 8\na={tail}");
        let _ = negotiator.answer(offer.as_bytes(), &local(), Direction::SendRecv);
    }
}

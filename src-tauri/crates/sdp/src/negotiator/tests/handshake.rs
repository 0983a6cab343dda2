//! Offers and answers of handshakes in the media (RFC 5763), ICE (RFC 8839) and one port for all (RFC 5761).

use super::*;
use crate::dtls::{DtlsParameters, DtlsRole, Fingerprint, HashFunction};
use crate::ice::{Candidate, CandidateKind, IceCredentials, LocalIce};

fn fingerprint(who: u8) -> Fingerprint {
    Fingerprint::new(HashFunction::Sha256, vec![who; 32]).unwrap()
}

fn ice(who: u8) -> LocalIce {
    let address = SocketAddr::from(([192, 0, 2, 10], 50_000));
    LocalIce {
        credentials: IceCredentials::from_random(&[who; 32]),
        candidates: vec![Candidate::new(CandidateKind::Host, address, None)],
    }
}

fn with(srtp: SrtpPolicy, who: u8) -> LocalMedia {
    LocalMedia { srtp, dtls: Some(fingerprint(who)), ..narrow(&[CodecKind::Pcma]) }
}

fn web(who: u8) -> LocalMedia {
    LocalMedia { ice: Some(ice(who)), feedback: true, ..with(SrtpPolicy::Required, who) }
}

/// Also keys in the description.
fn both(srtp: SrtpPolicy, who: u8) -> LocalMedia {
    let suite = crate::CryptoSuite::AesCm128HmacSha1_80;
    let keys = vec![crate::MasterKey::new(suite, vec![who; 30]).unwrap()];
    LocalMedia { keys, ..with(srtp, who) }
}

/// What comes of an offer of the one that meets the other: at the caller's, at the callee's.
fn meet(
    caller: &LocalMedia,
    callee: &LocalMedia,
) -> Result<(Negotiated, Negotiated), NegotiationError> {
    let (mut alice, mut bob) = (Negotiator::new(1), Negotiator::new(2));
    let offer = alice.offer(caller, Direction::SendRecv)?;
    let (answer, at_bob) = bob.answer(&offer, callee, Direction::SendRecv)?;
    Ok((alice.receive_answer(&answer)?, at_bob))
}

#[test]
fn an_offer_as_browsers_make_it() {
    let offer = Negotiator::new(8).offer(&web(0), Direction::SendRecv).unwrap();
    insta::assert_snapshot!(text(&offer), @r"
    v=0
    o=- 4 1 IN IP4 192.0.2.10
    s=-
    c=IN IP4 192.0.2.10
    t=0 0
    a=ice-options:ice2
    m=audio 50000 UDP/TLS/RTP/SAVPF 8 13 101
    a=rtpmap:8 PCMA/8000
    a=rtpmap:101 telephone-event/8000
    a=fmtp:101 0-15
    a=fingerprint:sha-256 00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00
    a=setup:actpass
    a=ice-ufrag:AAAAAAAA
    a=ice-pwd:AAAAAAAAAAAAAAAAAAAAAAAA
    a=candidate:1 1 udp 2130706431 192.0.2.10 50000 typ host
    a=ptime:20
    a=rtcp-xr:voip-metrics
    a=end-of-candidates
    a=rtcp-mux
    a=sendrecv
    ");
    let without = Negotiator::new(8).offer(&with(SrtpPolicy::Required, 0), Direction::SendRecv);
    assert!(text(&without.unwrap()).contains("m=audio 50000 UDP/TLS/RTP/SAVP 8"));
    let wish = Negotiator::new(8).offer(&both(SrtpPolicy::Optional, 0), Direction::SendRecv);
    let wish = text(&wish.unwrap());
    assert!(wish.contains("RTP/AVP 8") && wish.contains("a=crypto:1 "), "{wish}");
    assert!(wish.contains("a=setup:actpass") && !wish.contains("ice"), "{wish}");
    let clear = Negotiator::new(8).offer(&with(SrtpPolicy::Off, 0), Direction::SendRecv).unwrap();
    assert!(!text(&clear).contains("fingerprint") && !text(&clear).contains("rtcp-mux"));
}

#[test]
fn policies_and_ways_to_agree_meet_or_are_refused() {
    use SrtpPolicy::{Off, Optional, Required};
    for (caller, callee) in
        [(Required, Required), (Required, Optional), (Optional, Required), (Optional, Optional)]
    {
        let (alice, bob) = meet(&with(caller, 1), &with(callee, 2)).unwrap();
        let parameters =
            |role, who| Some(DtlsParameters { role, fingerprints: vec![fingerprint(who)] });
        assert_eq!(alice.dtls, parameters(DtlsRole::Client, 2), "{caller:?} {callee:?}");
        assert_eq!(bob.dtls, parameters(DtlsRole::Server, 1));
        assert!(alice.srtp.is_none() && alice.rtcp_mux && alice.remote_rtcp == alice.remote);
        // Where both have both, no key is written down.
        let (alice, bob) = meet(&both(caller, 1), &both(callee, 2)).unwrap();
        assert!(alice.dtls.is_some() && alice.srtp.is_none() && bob.dtls.is_some());
    }
    let sdes = |srtp, who| LocalMedia { dtls: None, ..both(srtp, who) };
    for (caller, callee) in
        [(both(Required, 1), sdes(Required, 2)), (sdes(Optional, 1), both(Required, 2))]
    {
        let (alice, bob) = meet(&caller, &callee).unwrap();
        assert!(alice.srtp.is_some() && alice.dtls.is_none() && bob.dtls.is_none());
    }
    for (caller, callee) in [(Off, Optional), (Optional, Off), (Off, Off)] {
        let (alice, bob) = meet(&with(caller, 1), &with(callee, 2)).unwrap();
        assert!(!alice.is_encrypted() && !bob.is_encrypted(), "{caller:?} {callee:?}");
    }
    let refused = [
        (with(Required, 1), with(Off, 2), NegotiationError::SecureOnly),
        (with(Required, 1), sdes(Required, 2), NegotiationError::SecureOnly),
        (sdes(Required, 1), with(Required, 2), NegotiationError::SecureOnly),
        (with(Off, 1), with(Required, 2), NegotiationError::NotEncrypted),
        (sdes(Optional, 1), with(Required, 2), NegotiationError::NotEncrypted),
    ];
    for (caller, callee, why) in refused {
        assert_eq!(meet(&caller, &callee).map(drop), Err(why), "{caller:?} {callee:?}");
    }
}

/// An offer with those lines on that profile.
fn offer(profile: &str, lines: &str) -> String {
    format!("v=0\nc=IN IP4 192.0.2.7\nm=audio 5000 {profile} 8\n{lines}")
}

#[test]
fn the_setup_of_the_peer_decides_who_begins() {
    for (setup, ours, role) in [
        ("a=setup:actpass\n", "passive", Some(DtlsRole::Server)),
        ("a=setup:passive\n", "active", Some(DtlsRole::Client)),
        ("a=setup:active\n", "passive", Some(DtlsRole::Server)),
        ("", "passive", Some(DtlsRole::Server)),
        ("a=setup:holdconn\n", "", None),
    ] {
        let offer = offer("RTP/SAVPF", &format!("{setup}a=fingerprint:{}\n", fingerprint(3)));
        let mut bob = Negotiator::new(2);
        let done =
            bob.answer(offer.as_bytes(), &with(SrtpPolicy::Required, 2), Direction::SendRecv);
        let Some(role) = role else {
            assert_eq!(done.map(drop), Err(NegotiationError::SecureOnly));
            continue;
        };
        let (answer, agreed) = done.unwrap();
        assert_eq!(agreed.dtls.unwrap().role, role, "{setup}");
        assert!(text(&answer).contains(&format!("a=setup:{ours}\r\n")), "{}", text(&answer));
        // Without one port for all, reports have no keys.
        assert_eq!((agreed.rtcp_mux, agreed.remote_rtcp.port()), (false, 0));
        assert!(!text(&answer).contains("rtcp-mux"));
    }
    for (setup, role) in [
        ("a=setup:active\n", DtlsRole::Server),
        ("a=setup:passive\n", DtlsRole::Client),
        ("a=setup:actpass\n", DtlsRole::Client),
        ("", DtlsRole::Client),
    ] {
        let mut alice = Negotiator::new(1);
        alice.offer(&with(SrtpPolicy::Required, 1), Direction::SendRecv).unwrap();
        let lines = format!("{setup}a=rtcp-mux\na=fingerprint:{}\n", fingerprint(3));
        let answer = offer("UDP/TLS/RTP/SAVPF", &lines);
        let agreed = alice.receive_answer(answer.as_bytes()).unwrap();
        assert_eq!(agreed.dtls.unwrap().role, role, "{setup}");
    }
}

#[test]
fn hold_keeps_the_parts_though_the_offer_leaves_them_open() {
    let (mut alice, mut bob) = (Negotiator::new(1), Negotiator::new(2));
    let (at_alice, at_bob) = (both(SrtpPolicy::Required, 1), with(SrtpPolicy::Required, 2));
    let first = alice.offer(&at_alice, Direction::SendRecv).unwrap();
    let (answer, _) = bob.answer(&first, &at_bob, Direction::SendRecv).unwrap();
    let before = alice.receive_answer(&answer).unwrap();
    assert_eq!(before.dtls.as_ref().unwrap().role, DtlsRole::Client);
    let hold = bob.offer(&at_bob, Direction::SendOnly).unwrap();
    assert!(text(&hold).contains("a=setup:actpass"));
    let (answer, held) = alice.answer(&hold, &at_alice, Direction::SendRecv).unwrap();
    assert_eq!(held.dtls, before.dtls);
    let at_bob_now = bob.receive_answer(&answer).unwrap();
    assert_eq!(at_bob_now.dtls.unwrap().role, DtlsRole::Server);
    // What was agreed by handshake is not offered with keys in the description again.
    let again = text(&alice.offer(&at_alice, Direction::SendRecv).unwrap());
    assert!(!again.contains("crypto") && again.contains("fingerprint"), "{again}");
}

#[test]
fn ice_is_agreed_with_roles_and_kept_through_hold() {
    let (mut alice, mut bob) = (Negotiator::new(1), Negotiator::new(2));
    let first = alice.offer(&web(1), Direction::SendRecv).unwrap();
    let (answer, at_bob) = bob.answer(&first, &web(2), Direction::SendRecv).unwrap();
    let at_alice = alice.receive_answer(&answer).unwrap();
    let (a, b) = (at_alice.ice.unwrap(), at_bob.ice.clone().unwrap());
    assert!(a.controlling && !b.controlling);
    // With checks the one who answers begins.
    assert_eq!(at_bob.dtls.unwrap().role, DtlsRole::Client);
    assert_eq!((&a.remote, &b.remote), (&ice(2).credentials, &ice(1).credentials));
    assert_eq!(a.candidates, ice(2).candidates);
    // The callee offers: the parts stay, and nothing restarts.
    let hold = bob.offer(&web(2), Direction::SendOnly).unwrap();
    alice.receive_offer(&hold, &CodecKind::ALL, SrtpPolicy::Required, web(1).keying()).unwrap();
    assert!(!alice.is_ice_restart());
    let (answer, held) = alice.answer_pending(&web(1), Direction::SendRecv).unwrap();
    let held = held.ice.unwrap();
    assert!(held.controlling && !held.restarts(&a));
    assert!(!bob.receive_answer(&answer).unwrap().ice.unwrap().controlling);
    // He comes from elsewhere: with new credentials, which ask for new ones of ours.
    let moved = LocalMedia { ice: Some(ice(4)), ..web(2) };
    let restart = bob.offer(&moved, Direction::SendRecv).unwrap();
    alice.receive_offer(&restart, &CodecKind::ALL, SrtpPolicy::Required, web(1).keying()).unwrap();
    assert!(alice.is_ice_restart());
    let renewed = LocalMedia { ice: Some(ice(3)), ..web(1) };
    let (_, agreed) = alice.answer_pending(&renewed, Direction::SendRecv).unwrap();
    let agreed = agreed.ice.unwrap();
    assert!(agreed.restarts(&a) && !agreed.controlling, "the one that restarts controls");
}

#[test]
fn a_server_that_only_answers_checks_is_controlled() {
    let lines = format!(
        "a=fingerprint:{}\na=setup:actpass\na=rtcp-mux\na=ice-ufrag:abcd\n\
         a=ice-pwd:0123456789012345678901\na=candidate:1 1 udp 1 192.0.2.7 5000 typ host\n\
         a=candidate:1 2 udp 1 192.0.2.7 5001 typ host\n",
        fingerprint(3)
    );
    let text =
        format!("v=0\na=ice-lite\nc=IN IP4 192.0.2.7\nm=audio 5000 UDP/TLS/RTP/SAVPF 8\n{lines}");
    let mut bob = Negotiator::new(2);
    let (_, agreed) = bob.answer(text.as_bytes(), &web(2), Direction::SendRecv).unwrap();
    let agreed = agreed.ice.unwrap();
    assert!(agreed.controlling);
    assert_eq!(agreed.candidates.len(), 1, "those for reports are not needed");
}

/// Trickle (RFC 8840): we do not speak it, say so by not naming it, and tell all of ours at once; the call goes on.
#[test]
fn an_offer_whose_addresses_are_to_come_is_answered_with_all_of_ours() {
    let lines = format!(
        "a=ice-options:trickle ice2\na=fingerprint:{}\na=setup:actpass\na=rtcp-mux\na=ice-ufrag:abcd\n\
         a=ice-pwd:0123456789012345678901\n",
        fingerprint(3)
    );
    let text_of = |address: &str, port: u16| {
        offer("UDP/TLS/RTP/SAVPF", &lines)
            .replace("192.0.2.7", address)
            .replace("audio 5000", &format!("audio {port}"))
    };
    for open in [text_of("0.0.0.0", 9), text_of("192.0.2.7", 5000)] {
        let mut bob = Negotiator::new(2);
        let (answer, agreed) = bob.answer(open.as_bytes(), &web(2), Direction::SendRecv).unwrap();
        let ice = agreed.ice.unwrap();
        assert!(ice.candidates.is_empty() && !ice.controlling, "{ice:?}");
        assert!(agreed.send && agreed.receive_active && !agreed.remote_held);
        let answer = text(&answer);
        assert!(
            answer.contains("a=candidate:") && answer.contains("a=end-of-candidates"),
            "{answer}"
        );
        assert!(
            answer.contains("a=ice-options:ice2\r\n") && !answer.contains("trickle"),
            "{answer}"
        );
    }
}

#[test]
fn media_that_must_come_by_another_way_is_not_checked_around_it() {
    let lines = format!(
        "a=fingerprint:{}\na=setup:actpass\na=ice-ufrag:abcd\n\
         a=ice-pwd:0123456789012345678901\na=candidate:1 1 udp 1 198.51.100.1 5000 typ host\n",
        fingerprint(3)
    );
    let changed = offer("UDP/TLS/RTP/SAVPF", &lines);
    let mut bob = Negotiator::new(2);
    let (answer, agreed) = bob.answer(changed.as_bytes(), &web(2), Direction::SendRecv).unwrap();
    assert_eq!(agreed.ice, None);
    let answer = text(&answer);
    assert!(answer.contains("a=ice-mismatch") && !answer.contains("ice-ufrag"), "{answer}");
    // The one whose offer was changed hears of it.
    let mut alice = Negotiator::new(1);
    alice.offer(&web(1), Direction::SendRecv).unwrap();
    let told = format!("{}a=ice-mismatch\n", offer("UDP/TLS/RTP/SAVPF", &lines));
    assert_eq!(alice.receive_answer(told.as_bytes()).unwrap().ice, None);
    // No address yet is no change, and no hold.
    let open = changed.replace("192.0.2.7", "0.0.0.0").replace("audio 5000", "audio 9");
    let (_, agreed) = bob.answer(open.as_bytes(), &web(2), Direction::SendRecv).unwrap();
    assert!(agreed.ice.is_some() && agreed.send && !agreed.remote_held);
}

#[test]
fn the_name_of_a_bundled_line_is_repeated() {
    let lines = format!(
        "a=mid:audio-0\na=rtcp-mux\na=setup:actpass\na=fingerprint:{}\nm=video 5002 UDP/TLS/RTP/SAVPF 96\na=mid:v\n",
        fingerprint(3)
    );
    let line = offer("UDP/TLS/RTP/SAVPF", &lines);
    let bundle = line.replace("v=0\n", "v=0\na=group:BUNDLE audio-0 v\n");
    let mut bob = Negotiator::new(2);
    let local = with(SrtpPolicy::Required, 2);
    let (answer, _) = bob.answer(bundle.as_bytes(), &local, Direction::SendRecv).unwrap();
    let answer = text(&answer);
    assert!(answer.contains("a=group:BUNDLE audio-0\r\n"), "{answer}");
    assert!(answer.contains("a=mid:audio-0\r\n") && answer.contains("m=video 0 "), "{answer}");
    let (answer, _) =
        Negotiator::new(2).answer(line.as_bytes(), &local, Direction::SendRecv).unwrap();
    assert!(!text(&answer).contains("group"), "{}", text(&answer));
}

#[test]
fn no_password_is_shown() {
    let mut negotiator = Negotiator::new(1);
    let offer = text(&negotiator.offer(&web(7), Direction::SendRecv).unwrap());
    let password = ice(7).credentials.password().to_owned();
    assert!(offer.contains(&password));
    let shown = format!("{negotiator:?} {:?}", web(7));
    assert!(!shown.contains(&password) && !crate::redacted(&offer).contains(&password), "{shown}");
}

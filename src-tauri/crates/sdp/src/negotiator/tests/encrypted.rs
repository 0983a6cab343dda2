//! Offers and answers of encrypted sound: which policies meet, and which keys come of it.

use super::*;
use crate::crypto::{CryptoSuite, MasterKey, SrtpKeys};

/// A key of one suite: distinct for each `who`.
fn key(suite: CryptoSuite, who: u8) -> MasterKey {
    MasterKey::new(suite, vec![who; suite.key_length() + suite.salt_length()]).unwrap()
}

fn with(srtp: SrtpPolicy, who: u8) -> LocalMedia {
    let keys = CryptoSuite::ALL.into_iter().map(|suite| key(suite, who)).collect();
    LocalMedia { srtp, keys, ..narrow(&[CodecKind::Pcma]) }
}

fn keys(side: &Negotiated) -> &SrtpKeys {
    side.srtp.as_ref().expect("keys")
}

/// What comes of an offer under one policy that meets another: both sides' keys, or why not.
fn meet(
    caller: SrtpPolicy,
    callee: SrtpPolicy,
) -> Result<(Option<SrtpKeys>, Option<SrtpKeys>), NegotiationError> {
    let (mut alice, mut bob) = (Negotiator::new(1), Negotiator::new(2));
    let offer = alice.offer(&with(caller, 1), Direction::SendRecv)?;
    let (answer, at_bob) = bob.answer(&offer, &with(callee, 2), Direction::SendRecv)?;
    let at_alice = alice.receive_answer(&answer)?;
    Ok((at_alice.srtp, at_bob.srtp))
}

#[test]
fn an_offer_that_must_be_encrypted() {
    let offer = Negotiator::new(8).offer(&with(SrtpPolicy::Required, 0), Direction::SendRecv);
    insta::assert_snapshot!(text(&offer.unwrap()), @r"
    v=0
    o=- 4 1 IN IP4 192.0.2.10
    s=-
    c=IN IP4 192.0.2.10
    t=0 0
    m=audio 50000 RTP/SAVP 8 13 101
    a=rtpmap:8 PCMA/8000
    a=rtpmap:101 telephone-event/8000
    a=fmtp:101 0-15
    a=crypto:1 AEAD_AES_256_GCM inline:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=
    a=crypto:2 AEAD_AES_128_GCM inline:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==
    a=crypto:3 AES_256_CM_HMAC_SHA1_80 inline:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==
    a=crypto:4 AES_CM_128_HMAC_SHA1_80 inline:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA
    a=ptime:20
    a=rtcp-xr:voip-metrics
    a=sendrecv
    ");
    let wish = Negotiator::new(8).offer(&with(SrtpPolicy::Optional, 0), Direction::SendRecv);
    let wish = text(&wish.unwrap());
    assert!(wish.contains("RTP/AVP 8") && wish.contains("a=crypto:1 "), "{wish}");
    let clear = Negotiator::new(8).offer(&with(SrtpPolicy::Off, 0), Direction::SendRecv);
    assert!(!text(&clear.unwrap()).contains("crypto"));
}

#[test]
fn sound_is_encrypted_where_both_may_and_refused_where_one_must_and_the_other_may_not() {
    use SrtpPolicy::{Off, Optional, Required};
    for (caller, callee) in
        [(Required, Required), (Required, Optional), (Optional, Required), (Optional, Optional)]
    {
        let (at_alice, at_bob) = meet(caller, callee).unwrap();
        let (at_alice, at_bob) = (at_alice.unwrap(), at_bob.unwrap());
        assert_eq!(at_alice.send, at_bob.receive, "{caller:?} {callee:?}");
        assert_eq!(at_alice.receive, at_bob.send);
        assert_eq!(at_alice.send, key(CryptoSuite::AeadAes256Gcm, 1));
        assert_eq!(at_alice.receive, key(CryptoSuite::AeadAes256Gcm, 2));
    }
    for (caller, callee) in [(Off, Optional), (Optional, Off), (Off, Off)] {
        assert_eq!(meet(caller, callee), Ok((None, None)), "{caller:?} {callee:?}");
    }
    assert_eq!(meet(Required, Off), Err(NegotiationError::SecureOnly));
    assert_eq!(meet(Off, Required), Err(NegotiationError::NotEncrypted));
    assert_eq!(NegotiationError::NotEncrypted.status(), 488);
}

#[test]
fn an_answer_repeats_number_and_spelling_and_skips_what_is_not_spoken() {
    let offer = "v=0\nc=IN IP4 10.0.0.1\nm=audio 5000 RTP/SAVP 8\n\
        a=crypto:3 F8_128_HMAC_SHA1_80 inline:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n\
        a=crypto:5 AES_CM_128_HMAC_SHA1_80 inline:AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA UNENCRYPTED_SRTCP\n\
        a=crypto:7 AES_cm_128_hmac_SHA1_32 inline:AgAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA|2^31\n\
        a=crypto:9 AES_CM_128_HMAC_SHA1_80 inline:AwAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n";
    let mut negotiator = Negotiator::new(9);
    let local = with(SrtpPolicy::Required, 0);
    let (answer, negotiated) =
        negotiator.answer(offer.as_bytes(), &local, Direction::SendRecv).unwrap();
    let answer = text(&answer);
    let line =
        "a=crypto:7 AES_cm_128_hmac_SHA1_32 inline:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\r\n";
    assert!(answer.contains(line) && answer.matches("crypto").count() == 1, "{answer}");
    assert!(answer.contains("RTP/SAVP"), "{answer}");
    assert_eq!(keys(&negotiated).receive.key()[0], 2);
    // What was in use is offered first from then on, though it is not offered of our own accord.
    let again = text(&negotiator.offer(&local, Direction::SendOnly).unwrap());
    assert!(again.contains("a=crypto:1 AES_CM_128_HMAC_SHA1_32"), "{again}");
    assert!(again.contains("a=crypto:5 AES_CM_128_HMAC_SHA1_80"), "{again}");
}

#[test]
fn an_answer_without_our_keys_is_no_agreement() {
    let key = "inline:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    let plain = "m=audio 5000 RTP/AVP 8\n".to_owned();
    let unasked = format!("m=audio 5000 RTP/SAVP 8\na=crypto:1 AES_CM_128_HMAC_SHA1_32 {key}\n");
    let keyless = "m=audio 5000 RTP/SAVP 8\n".to_owned();
    let mismatch = NegotiationError::Mismatch("another transport protocol");
    for (policy, lines, wanted) in [
        (SrtpPolicy::Required, &plain, NegotiationError::NotEncrypted),
        (SrtpPolicy::Required, &unasked, mismatch.clone()),
        (SrtpPolicy::Required, &keyless, mismatch.clone()),
        (SrtpPolicy::Optional, &keyless, mismatch.clone()),
        (SrtpPolicy::Off, &unasked, mismatch),
    ] {
        let mut negotiator = Negotiator::new(1);
        negotiator.offer(&with(policy, 1), Direction::SendRecv).unwrap();
        let answer = format!("v=0\nc=IN IP4 10.0.0.1\n{lines}");
        assert_eq!(negotiator.receive_answer(answer.as_bytes()), Err(wanted), "{lines}");
    }
}

#[test]
fn an_answer_on_the_other_profile_or_with_another_number_is_taken() {
    for profile in ["RTP/AVP", "RTP/SAVP", "RTP/SAVPF"] {
        let mut negotiator = Negotiator::new(1);
        let local = with(SrtpPolicy::Optional, 1);
        negotiator.offer(&local, Direction::SendRecv).unwrap();
        let answer = format!(
            "v=0\nc=IN IP4 10.0.0.1\nm=audio 5000 {profile} 8\n\
             a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n"
        );
        let negotiated = negotiator.receive_answer(answer.as_bytes()).unwrap();
        assert_eq!(keys(&negotiated).send, key(CryptoSuite::AesCm128HmacSha1_80, 1));
        let again = text(&negotiator.offer(&local, Direction::SendOnly).unwrap());
        assert!(again.contains(&format!("m=audio 50000 {profile} 8")), "{again}");
    }
}

#[test]
fn hold_keeps_the_keys_and_the_peer_may_renew_its_own() {
    let (mut alice, mut bob) = (Negotiator::new(1), Negotiator::new(2));
    let (at_alice, at_bob) = (with(SrtpPolicy::Required, 1), with(SrtpPolicy::Required, 2));
    let offer = alice.offer(&at_alice, Direction::SendRecv).unwrap();
    let (answer, _) = bob.answer(&offer, &at_bob, Direction::SendRecv).unwrap();
    let first = alice.receive_answer(&answer).unwrap();
    // Bob holds: the same keys from both sides.
    let hold = bob.offer(&at_bob, Direction::SendOnly).unwrap();
    let (answer, held) = alice.answer(&hold, &at_alice, Direction::SendRecv).unwrap();
    assert_eq!(held.srtp, first.srtp);
    assert!(held.remote_held);
    bob.receive_answer(&answer).unwrap();
    // Bob resumes with new keys.
    let resume = bob.offer(&with(SrtpPolicy::Required, 3), Direction::SendRecv).unwrap();
    let (answer, renewed) = alice.answer(&resume, &at_alice, Direction::SendRecv).unwrap();
    assert_eq!(keys(&renewed).receive, key(CryptoSuite::AeadAes256Gcm, 3));
    assert_eq!(keys(&renewed).send, keys(&first).send);
    assert_eq!(bob.receive_answer(&answer).unwrap().srtp.unwrap().send, keys(&renewed).receive);
}

#[test]
fn of_two_lines_the_encrypted_one_is_taken_unless_encryption_is_off() {
    let offer = "v=0\nc=IN IP4 10.0.0.1\nm=audio 5002 RTP/AVP 8\nm=audio 5000 RTP/SAVP 8\n\
        a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n";
    for (policy, port) in
        [(SrtpPolicy::Off, 5002), (SrtpPolicy::Optional, 5000), (SrtpPolicy::Required, 5000)]
    {
        let mut negotiator = Negotiator::new(9);
        let local = with(policy, 1);
        let (_, negotiated) =
            negotiator.answer(offer.as_bytes(), &local, Direction::SendRecv).unwrap();
        assert_eq!(negotiated.remote.port(), port, "{policy:?}");
        assert_eq!(negotiated.srtp.is_some(), policy != SrtpPolicy::Off);
    }
}

#[test]
fn nothing_that_is_kept_shows_a_key() {
    let mut negotiator = Negotiator::new(1);
    let local = with(SrtpPolicy::Required, 0x41);
    let offer = text(&negotiator.offer(&local, Direction::SendRecv).unwrap());
    let secret = offer.split("inline:").nth(1).unwrap().split('\r').next().unwrap().to_owned();
    assert_eq!(secret.len(), 60);
    let shown = format!("{negotiator:?} {local:?}");
    assert!(!shown.contains(&secret) && !shown.contains("65, 65, 65"), "{shown}");
}

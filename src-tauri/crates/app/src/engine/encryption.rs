//! What a call is encrypted with: the account's wish, what is offered when the exchange refuses the first offer, and the
//! secrets that go into a description.

use std::net::{IpAddr, SocketAddr};

use sdp::{
    Candidate, CandidateKind, CryptoSuite, Fingerprint, IceCredentials, Keying, LocalIce,
    MasterKey, SrtpPolicy,
};
use sip_core::Random;

use crate::config::{AccountSettings, Srtp, SrtpKeying};

/// The account's wish, and how often it was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Terms {
    pub(super) policy: SrtpPolicy,
    pub(super) keying: Keying,
    /// As browsers have it.
    feedback: bool,
    refused: usize,
}

/// What one description says about encryption.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) policy: SrtpPolicy,
    pub(super) keying: Keying,
    /// The profile of a handshake has feedback.
    pub(super) feedback: bool,
}

impl Terms {
    pub(super) fn of(settings: &AccountSettings) -> Self {
        let policy = match settings.srtp {
            Srtp::Off => SrtpPolicy::Off,
            Srtp::Optional => SrtpPolicy::Optional,
            Srtp::Required => SrtpPolicy::Required,
        };
        let keying = match settings.srtp_keying {
            SrtpKeying::Sdes => Keying::SDES,
            SrtpKeying::Dtls => Keying { sdes: false, dtls: true },
            SrtpKeying::Both => Keying { sdes: true, dtls: true },
        };
        Self { policy, keying, feedback: settings.ice, refused: 0 }
    }

    /// A call for help is not to fail for want of encryption: it is wished for, and no longer required.
    pub(super) fn for_help(&mut self) {
        if self.policy == SrtpPolicy::Required {
            self.policy = SrtpPolicy::Optional;
        }
    }

    /// What an offer of ours says, one after the other as long as the peer refuses them. Exchanges that insist on
    /// encryption refuse what only wishes for it (RTP/AVP), and all but the one profile they are set for: that of keys in
    /// the description, or one of the two of handshakes, with feedback where it serves browsers. Keys by handshake come
    /// first: the servers between never see them.
    fn ladder(self) -> Vec<Wanted> {
        let Self { policy, keying, feedback, .. } = self;
        let must = |keying, feedback| Wanted { policy: SrtpPolicy::Required, keying, feedback };
        let handshake = Keying { sdes: false, dtls: true };
        let rungs = [
            (policy != SrtpPolicy::Required, Wanted { policy, keying, feedback }),
            (keying.dtls, must(handshake, feedback)),
            (keying.dtls, must(handshake, !feedback)),
            (keying.sdes, must(Keying::SDES, feedback)),
        ];
        let most = if policy == SrtpPolicy::Off { 1 } else { rungs.len() };
        rungs.into_iter().take(most).filter(|(has, _)| *has).map(|(_, wanted)| wanted).collect()
    }

    /// What the next description of an outgoing call says; an incoming one is open to all that the account allows.
    pub(super) fn now(self, outgoing: bool) -> Wanted {
        let Self { policy, keying, feedback, refused } = self;
        let rung = outgoing.then(|| self.ladder().get(refused).copied()).flatten();
        rung.unwrap_or(Wanted { policy, keying, feedback })
    }

    /// The peer refused that. Whether there is something else to offer.
    pub(super) fn refused(&mut self) -> bool {
        let more = self.refused + 1 < self.ladder().len();
        self.refused += usize::from(more);
        more
    }
}

/// What goes into a description and is nobody else's.
#[derive(Debug, Clone, Default)]
pub(super) struct Secrets {
    pub(super) keys: Vec<MasterKey>,
    pub(super) dtls: Option<Fingerprint>,
    pub(super) ice: Option<LocalIce>,
}

/// Keys to send with, one for each suite; none where sound is not encrypted with them.
pub(super) fn fresh_keys(wanted: Wanted, random: &mut Random) -> Vec<MasterKey> {
    if wanted.policy == SrtpPolicy::Off || !wanted.keying.sdes {
        return Vec::new();
    }
    CryptoSuite::ALL.into_iter().filter_map(|suite| fresh_key(suite, random)).collect()
}

fn fresh_key(suite: CryptoSuite, random: &mut Random) -> Option<MasterKey> {
    let mut secret = vec![0; suite.key_length() + suite.salt_length()];
    random.fill(&mut secret);
    MasterKey::new(suite, secret)
}

/// A key that was in use and is no longer never comes back: packets would be numbered under it anew.
pub(super) fn renew_key(spent: &MasterKey, keys: &mut [MasterKey], random: &mut Random) {
    for key in keys.iter_mut().filter(|key| *key == spent) {
        if let Some(fresh) = fresh_key(spent.suite(), random) {
            *key = fresh;
        }
    }
}

/// Credentials for checks, and the address that leads to the exchange.
pub(super) fn fresh_ice(addr: IpAddr, rtp_port: u16, random: &mut Random) -> LocalIce {
    let mut bytes = [0; 32];
    random.fill(&mut bytes);
    let address = SocketAddr::new(addr, rtp_port);
    LocalIce {
        credentials: IceCredentials::from_random(&bytes),
        candidates: vec![Candidate::new(CandidateKind::Host, address, None)],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DTLS: Keying = Keying { sdes: false, dtls: true };
    const BOTH: Keying = Keying { sdes: true, dtls: true };

    fn wanted(policy: SrtpPolicy, keying: Keying, feedback: bool) -> Wanted {
        Wanted { policy, keying, feedback }
    }

    #[test]
    fn every_suite_has_a_key_of_its_own_and_a_spent_one_is_replaced() {
        let mut random = Random::from_seed([3; 32]);
        let mut fresh = |policy, keying| fresh_keys(wanted(policy, keying, false), &mut random);
        assert!(fresh(SrtpPolicy::Off, Keying::SDES).is_empty());
        assert!(fresh(SrtpPolicy::Required, DTLS).is_empty());
        let first = fresh(SrtpPolicy::Required, Keying::SDES);
        let second = fresh(SrtpPolicy::Optional, BOTH);
        assert_eq!(first.len(), CryptoSuite::ALL.len());
        assert!(first.iter().zip(&second).all(|(a, b)| a.suite() == b.suite() && a != b));
        let mut keys = first.clone();
        renew_key(&first[2], &mut keys, &mut random);
        let changed: Vec<_> = (0..5).filter(|n| keys[*n] != first[*n]).collect();
        assert_eq!(changed, [2]);
        assert_eq!(keys[2].suite(), first[2].suite());
    }

    #[test]
    fn credentials_are_new_every_time() {
        let mut random = Random::from_seed([3; 32]);
        let mut fresh = || fresh_ice(IpAddr::from([192, 0, 2, 1]), 4000, &mut random);
        let (one, two) = (fresh(), fresh());
        assert_ne!(one.credentials, two.credentials);
        assert_eq!(one.candidates, two.candidates);
    }

    #[test]
    fn a_call_for_help_asks_for_encryption_and_does_without() {
        let of = |srtp| Terms::of(&AccountSettings { srtp, ..AccountSettings::default() });
        for (srtp, policy) in [
            (Srtp::Off, SrtpPolicy::Off),
            (Srtp::Optional, SrtpPolicy::Optional),
            (Srtp::Required, SrtpPolicy::Optional),
        ] {
            let mut terms = of(srtp);
            terms.for_help();
            assert_eq!(terms.now(true).policy, policy, "{srtp:?}");
            // Exchanges that insist on encryption are asked once more, as ever.
            assert_eq!(terms.refused(), srtp != Srtp::Off);
        }
    }

    #[test]
    fn what_is_refused_is_followed_by_what_the_account_allows_and_never_by_less() {
        use SrtpPolicy::{Off, Optional, Required};
        const SDES: Keying = Keying::SDES;
        let ladders = [
            (Srtp::Off, SrtpKeying::Both, false, vec![wanted(Off, BOTH, false)]),
            (
                Srtp::Optional,
                SrtpKeying::Sdes,
                false,
                vec![wanted(Optional, SDES, false), wanted(Required, SDES, false)],
            ),
            (
                Srtp::Optional,
                SrtpKeying::Both,
                false,
                vec![
                    wanted(Optional, BOTH, false),
                    wanted(Required, DTLS, false),
                    wanted(Required, DTLS, true),
                    wanted(Required, SDES, false),
                ],
            ),
            (Srtp::Required, SrtpKeying::Sdes, false, vec![wanted(Required, SDES, false)]),
            (
                Srtp::Required,
                SrtpKeying::Dtls,
                true,
                vec![wanted(Required, DTLS, true), wanted(Required, DTLS, false)],
            ),
        ];
        for (srtp, srtp_keying, ice, steps) in ladders {
            let settings = AccountSettings { srtp, srtp_keying, ice, ..AccountSettings::default() };
            let mut terms = Terms::of(&settings);
            let mut offered = vec![terms.now(true)];
            while terms.refused() {
                offered.push(terms.now(true));
            }
            assert_eq!(offered, steps, "{srtp:?} {srtp_keying:?}");
            assert_eq!(terms.now(false), wanted(terms.policy, terms.keying, ice));
        }
    }
}

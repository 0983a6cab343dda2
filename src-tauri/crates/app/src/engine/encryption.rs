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
    refused: usize,
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
        Self { policy, keying, refused: 0 }
    }

    /// What an offer of ours says, one after the other as long as the peer refuses them. Exchanges that insist on
    /// encryption refuse what only wishes for it (RTP/AVP), and those that insist on one way to agree on keys refuse
    /// the profile of the other. Keys by handshake come first: the servers between never see them.
    fn ladder(self) -> Vec<(SrtpPolicy, Keying)> {
        let wish = (self.policy == SrtpPolicy::Optional).then_some((self.policy, self.keying));
        let handshake = self.keying.dtls.then_some(Keying { sdes: false, dtls: true });
        let keys = self.keying.sdes.then_some(Keying::SDES);
        let must = handshake.into_iter().chain(keys).map(|keying| (SrtpPolicy::Required, keying));
        match self.policy {
            SrtpPolicy::Off => vec![(SrtpPolicy::Off, self.keying)],
            SrtpPolicy::Optional | SrtpPolicy::Required => wish.into_iter().chain(must).collect(),
        }
    }

    /// What the next description of an outgoing call says; an incoming one is open to all that the account allows.
    pub(super) fn now(self, outgoing: bool) -> (SrtpPolicy, Keying) {
        let all = (self.policy, self.keying);
        if outgoing { self.ladder().get(self.refused).copied().unwrap_or(all) } else { all }
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
pub(super) fn fresh_keys(terms: (SrtpPolicy, Keying), random: &mut Random) -> Vec<MasterKey> {
    match terms {
        (SrtpPolicy::Off, _) | (_, Keying { sdes: false, .. }) => Vec::new(),
        (SrtpPolicy::Optional | SrtpPolicy::Required, _) => {
            CryptoSuite::ALL.into_iter().filter_map(|suite| fresh_key(suite, random)).collect()
        }
    }
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

    #[test]
    fn every_suite_has_a_key_of_its_own_and_a_spent_one_is_replaced() {
        let mut random = Random::from_seed([3; 32]);
        assert!(fresh_keys((SrtpPolicy::Off, Keying::SDES), &mut random).is_empty());
        assert!(fresh_keys((SrtpPolicy::Required, DTLS), &mut random).is_empty());
        let first = fresh_keys((SrtpPolicy::Required, Keying::SDES), &mut random);
        let second = fresh_keys((SrtpPolicy::Optional, BOTH), &mut random);
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
    fn what_is_refused_is_followed_by_what_the_account_allows_and_never_by_less() {
        use SrtpPolicy::{Off, Optional, Required};
        let ladders = [
            (Srtp::Off, SrtpKeying::Both, vec![(Off, BOTH)]),
            (
                Srtp::Optional,
                SrtpKeying::Sdes,
                vec![(Optional, Keying::SDES), (Required, Keying::SDES)],
            ),
            (Srtp::Optional, SrtpKeying::Dtls, vec![(Optional, DTLS), (Required, DTLS)]),
            (
                Srtp::Optional,
                SrtpKeying::Both,
                vec![(Optional, BOTH), (Required, DTLS), (Required, Keying::SDES)],
            ),
            (Srtp::Required, SrtpKeying::Sdes, vec![(Required, Keying::SDES)]),
            (Srtp::Required, SrtpKeying::Dtls, vec![(Required, DTLS)]),
            (Srtp::Required, SrtpKeying::Both, vec![(Required, DTLS), (Required, Keying::SDES)]),
        ];
        for (srtp, srtp_keying, wanted) in ladders {
            let settings = AccountSettings { srtp, srtp_keying, ..AccountSettings::default() };
            let mut terms = Terms::of(&settings);
            let mut offered = vec![terms.now(true)];
            while terms.refused() {
                offered.push(terms.now(true));
            }
            assert_eq!(offered, wanted, "{srtp:?} {srtp_keying:?}");
            assert_eq!(terms.now(false), (terms.policy, terms.keying));
        }
    }
}

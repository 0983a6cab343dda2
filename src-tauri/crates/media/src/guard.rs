//! The encryption of one stream: what its keys protect on the way out and prove on the way in.
//!
//! Made off the DSP thread, used on it. A stream keeps its guard as long as its keys stay the same, because the
//! numbers of packets go on; where the peer changes its key, what is still on the way under the old one is taken until
//! the first packet under the new one.

use rtp::{Protector, SrtpError, Unprotector};
use sdp::SrtpKeys;

/// The ciphers for one agreement.
pub(crate) struct Guard {
    keys: SrtpKeys,
    protector: Protector,
    unprotector: Unprotector,
    /// For the peer's key before this one.
    before: Option<Unprotector>,
}

impl Guard {
    pub(crate) fn new(keys: &SrtpKeys) -> Result<Box<Self>, SrtpError> {
        Ok(Box::new(Self {
            protector: Protector::new(&keys.send)?,
            unprotector: Unprotector::new(&keys.receive)?,
            before: None,
            keys: keys.clone(),
        }))
    }

    pub(crate) fn suite(&self) -> sdp::CryptoSuite {
        self.keys.send.suite()
    }

    /// The guard after an agreement: what keeps its key keeps its state.
    pub(crate) fn renewed(old: Option<Box<Self>>, new: Option<Box<Self>>) -> Option<Box<Self>> {
        let (mut old, mut new) = match (old, new) {
            (Some(old), Some(new)) => (old, new),
            (_, new) => return new,
        };
        if old.keys.send == new.keys.send {
            std::mem::swap(&mut old.protector, &mut new.protector);
        }
        if old.keys.receive == new.keys.receive {
            std::mem::swap(&mut old.unprotector, &mut new.unprotector);
            new.before = old.before;
        } else {
            new.before = Some(old.unprotector);
        }
        Some(new)
    }

    /// Protects a packet in place.
    pub(crate) fn protect(&mut self, report: bool, packet: &mut Vec<u8>) -> Result<(), SrtpError> {
        if report {
            self.protector.protect_rtcp(packet)
        } else {
            self.protector.protect_rtp(packet)
        }
    }

    /// Writes what a datagram holds in clear to `out`.
    pub(crate) fn unprotect(
        &mut self,
        report: bool,
        datagram: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), SrtpError> {
        let open = |with: &mut Unprotector, out: &mut Vec<u8>| match report {
            true => with.unprotect_rtcp(datagram, out),
            false => with.unprotect_rtp(datagram, out),
        };
        match (open(&mut self.unprotector, out), &mut self.before) {
            (Ok(()), before) => {
                if !report {
                    *before = None;
                }
                Ok(())
            }
            (Err(SrtpError::Unproven), Some(before)) => open(before, out),
            (Err(error), _) => Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sdp::{CryptoSuite, MasterKey};

    const SUITE: CryptoSuite = CryptoSuite::AesCm128HmacSha1_80;

    fn key(who: u8) -> MasterKey {
        MasterKey::new(SUITE, vec![who; 30]).unwrap()
    }

    fn guard(send: u8, receive: u8) -> Box<Guard> {
        Guard::new(&SrtpKeys { send: key(send), receive: key(receive) }).unwrap()
    }

    fn packet(sequence: u16) -> Vec<u8> {
        let [high, low] = sequence.to_be_bytes();
        [vec![0x80, 8, high, low], vec![0; 4], vec![0, 0, 0, 1], vec![0x55; 20]].concat()
    }

    fn sent(guard: &mut Guard, sequence: u16) -> Vec<u8> {
        let mut bytes = packet(sequence);
        guard.protect(false, &mut bytes).unwrap();
        bytes
    }

    #[test]
    fn the_same_keys_go_on_counting() {
        let (mut ours, mut theirs) = (guard(1, 2), guard(2, 1));
        let mut out = Vec::new();
        for sequence in [65_535, 0] {
            let bytes = sent(&mut theirs, sequence);
            ours.unprotect(false, &bytes, &mut out).unwrap();
        }
        let replay = sent(&mut theirs, 1);
        ours.unprotect(false, &replay, &mut out).unwrap();
        let mut ours = Guard::renewed(Some(ours), Some(guard(1, 2))).unwrap();
        let mut theirs = Guard::renewed(Some(theirs), Some(guard(2, 1))).unwrap();
        assert_eq!(ours.unprotect(false, &replay, &mut out), Err(SrtpError::Replayed));
        let bytes = sent(&mut theirs, 2);
        ours.unprotect(false, &bytes, &mut out).unwrap();
        assert_eq!(out, packet(2));
    }

    #[test]
    fn what_is_on_the_way_under_the_old_key_is_still_heard() {
        let (ours, mut theirs) = (guard(1, 2), guard(2, 1));
        let (early, late) = (sent(&mut theirs, 10), sent(&mut theirs, 12));
        let mut ours = Guard::renewed(Some(ours), Some(guard(1, 3))).unwrap();
        let mut theirs = Guard::renewed(Some(theirs), Some(guard(3, 1))).unwrap();
        let mut out = Vec::new();
        ours.unprotect(false, &early, &mut out).unwrap();
        let bytes = sent(&mut theirs, 11);
        ours.unprotect(false, &bytes, &mut out).unwrap();
        assert_eq!(out, packet(11));
        assert_eq!(ours.unprotect(false, &late, &mut out), Err(SrtpError::Unproven));
    }

    #[test]
    fn reports_are_protected_too() {
        let (mut ours, mut theirs) = (guard(1, 2), guard(2, 1));
        let report = vec![0x80, 201, 0, 1, 0, 0, 0, 1];
        let mut bytes = report.clone();
        theirs.protect(true, &mut bytes).unwrap();
        let mut out = Vec::new();
        assert!(ours.unprotect(false, &bytes, &mut out).is_err());
        ours.unprotect(true, &bytes, &mut out).unwrap();
        assert_eq!(out, report);
    }
}

//! What a call is made of on the wire: its SIP session, its offer/answer state, its media stream.

use std::net::IpAddr;
use std::time::Instant;

use call_control::{Call, Direction, End, HoldState, Party, State};
use media::StreamId;
use sdp::{CodecKind, LocalMedia, Negotiated, Negotiator, SrtpPolicy};
use sip_types::Uri;
use sip_ua::{Identity, SessionId};

use super::calls::refuses_description;
use super::encryption::{Secrets, Terms, Wanted};
use super::gather::Waits;
use super::quality::QualityWatch;
use super::transfers::{Errand, ReferTo, Reference};
use crate::code::Code;
use crate::config::{AccountSettings, CodecName, DtmfMode, Turn};
use crate::event::CallEvent;
use crate::view::recording::RecordingName;
use crate::view::{CallDirection, CallState, Encryption, PeerView};

/// Milliseconds of sound in a packet.
const PTIME_MS: u8 = 20;

/// The wire side of one call.
pub(super) struct Line {
    pub(super) account: String,
    pub(super) peer: PeerView,
    pub(super) via: Option<String>,
    pub(super) diverted_from: Option<String>,
    /// Numbers and names that sent the call on, or that were called, as signalled.
    pub(super) sent_on_by: Vec<String>,
    pub(super) sip_call_id: Option<String>,
    /// The exchange's own name of the call, once it is found there.
    pub(super) exchange_call: Option<String>,
    /// The queue it came through.
    pub(super) queue: Option<super::centre::LineQueue>,
    pub(super) session: Option<SessionId>,
    pub(super) negotiator: Negotiator,
    pub(super) media: Option<Media>,
    pub(super) codecs: Vec<CodecKind>,
    /// Little is sent in pauses of speech, where the peer wants that too.
    pub(super) silence_suppression: bool,
    /// What its sound may be encrypted with.
    pub(super) terms: Terms,
    /// The way of its sound is found by checks.
    pub(super) ice: bool,
    /// Who tells what the world sees us as.
    pub(super) stun: Option<Uri>,
    /// What else comes through where nothing does.
    pub(super) relays: Vec<Turn>,
    /// The stream that ways are looked for.
    pub(super) gathering: Option<StreamId>,
    /// The answer that waits for that.
    pub(super) waits: Option<Waits>,
    /// The ringing that the caller's side asks for.
    pub(super) alert: Option<String>,
    /// How far its recording here is.
    pub(super) recorded: RecordingName,
    /// Its sound was heard since its way was looked for last.
    pub(super) heard: bool,
    /// Descriptions go over an encrypted way.
    pub(super) secret: bool,
    pub(super) dtmf: DtmfMode,
    /// What is dialled, for an outgoing call.
    pub(super) dialled: Option<Dialled>,
    /// What was dialled fetches a call: who is in it is for the exchange to say.
    pub(super) fetches: bool,
    /// What was dialled takes a parked call: the transfer that parked it, where that is known.
    pub(super) retrieves: Option<Option<u64>>,
    /// An offer of ours was overtaken by the peer's, and is made anew once that is answered.
    pub(super) overtaken: bool,
    /// A peer asked for this call, and is told how it goes.
    pub(super) errand: Option<Errand>,
    /// The peer was asked for a transfer and still reports.
    pub(super) reports: bool,
    /// Why the latest wish for a transfer never reached the peer.
    pub(super) unreached: Option<Code>,
    /// What the peer is to be asked when he has reported to the end.
    pub(super) next_wish: Option<ReferTo>,
    /// The transfer under way parks the peer, there if that is known.
    pub(super) parking: Option<Option<String>>,
    /// The peer waits here again after a transfer that failed.
    pub(super) returned: bool,
    /// Where an incoming call came from.
    pub(super) source: Option<IpAddr>,
    /// The caller made an offer that waits for our answer.
    pub(super) offered: bool,
    /// The caller wants our offer in the first response.
    pub(super) offers_first: bool,
    /// The answer that was given already (183), to be given again; or the offer of our 180.
    pub(super) answer: Option<Vec<u8>>,
    /// It rang at the other side.
    pub(super) rang: bool,
    pub(super) rx_active: bool,
    pub(super) tx_active: bool,
    pub(super) quality: QualityWatch,
    /// Since when no sound arrives that should.
    pub(super) silent_since: Option<Instant>,
    /// That has lasted long enough to be told.
    pub(super) no_sound: bool,
    /// What went wrong, when the network or we ended the call.
    pub(super) trouble: Option<Code>,
    /// What was told last about it, so that only news is told.
    pub(super) told: Option<CallEvent>,
    /// What the company has of the caller was opened.
    pub(super) popped: bool,
}

/// Whom to call, and how.
#[derive(Debug, Clone)]
pub(super) struct Dialled {
    pub(super) uri: Uri,
    pub(super) withhold: bool,
    pub(super) reference: Reference,
}

/// The sockets of a call's sound and what was agreed about it.
pub(super) struct Media {
    pub(super) stream: StreamId,
    pub(super) local: LocalMedia,
    pub(super) agreed: Option<Negotiated>,
}

impl Line {
    pub(super) fn new(account: &AccountSettings, session_id: u64) -> Line {
        Line {
            account: account.id.clone(),
            peer: PeerView::default(),
            via: None,
            diverted_from: None,
            sent_on_by: Vec::new(),
            sip_call_id: None,
            exchange_call: None,
            queue: None,
            session: None,
            // The session id in o= is a positive 63 bit number for the sake of strict peers.
            negotiator: Negotiator::new(session_id >> 1),
            media: None,
            codecs: account.codecs.iter().map(|codec| codec_kind(*codec)).collect(),
            silence_suppression: account.silence_suppression,
            terms: Terms::of(account),
            ice: account.ice,
            stun: account.stun_server(),
            relays: account.relays(),
            gathering: None,
            waits: None,
            alert: None,
            recorded: RecordingName::Off,
            heard: false,
            secret: false,
            dtmf: account.dtmf,
            dialled: None,
            fetches: false,
            retrieves: None,
            overtaken: false,
            errand: None,
            reports: false,
            unreached: None,
            next_wish: None,
            parking: None,
            returned: false,
            source: None,
            offered: false,
            offers_first: false,
            answer: None,
            rang: false,
            rx_active: false,
            tx_active: false,
            quality: QualityWatch::default(),
            silent_since: None,
            no_sound: false,
            trouble: None,
            told: None,
            popped: false,
        }
    }

    pub(super) fn stream(&self) -> Option<StreamId> {
        self.media.as_ref().map(|media| media.stream)
    }

    /// What the next description says about encryption.
    pub(super) fn terms_now(&self) -> Wanted {
        self.terms.now(self.dialled.is_some())
    }

    /// What we offer and answer with, on these ports (RTP, RTCP) and with these secrets.
    pub(super) fn local_media(
        &self,
        addr: IpAddr,
        ports: (u16, u16),
        secrets: Secrets,
    ) -> LocalMedia {
        let Secrets { keys, dtls, ice } = secrets;
        let wanted = self.terms_now();
        LocalMedia {
            addr,
            rtp_port: ports.0,
            rtcp_port: ports.1,
            codecs: self.codecs.clone(),
            telephone_event: true,
            silence_suppression: self.silence_suppression,
            ptime_ms: PTIME_MS,
            srtp: wanted.policy,
            keys,
            dtls,
            feedback: wanted.feedback,
            ice,
        }
    }

    /// How its sound is kept from others.
    pub(super) fn encryption(&self) -> Encryption {
        let agreed = self.media.as_ref().and_then(|media| media.agreed.as_ref());
        match agreed.filter(|agreed| agreed.is_encrypted()) {
            None => Encryption::None,
            Some(_) if !self.secret => Encryption::KeysExposed,
            Some(agreed) if agreed.dtls.is_some() => Encryption::Ends,
            Some(_) => Encryption::Exchange,
        }
    }

    /// The reason when a peer refused the description of a call that must be encrypted: most likely that.
    pub(super) fn refused_encryption(&self, end: &End) -> Option<Code> {
        let must = self.dialled.is_some() && self.terms.policy == SrtpPolicy::Required;
        let refused = end.by == Party::Remote && end.status.is_some_and(refuses_description);
        (must && refused).then_some(Code::NoCommonEncryption)
    }

    /// The codec in use.
    pub(super) fn codec(&self) -> Option<String> {
        let agreed = self.media.as_ref()?.agreed.as_ref()?;
        Some(codec_word(agreed.codec.kind).to_owned())
    }

    /// The event that tells about this call now.
    pub(super) fn event(&self, call: &Call, end: Option<Code>) -> CallEvent {
        CallEvent {
            call: call.id().0,
            account: self.account.clone(),
            direction: direction_view(call.direction()),
            state: self.told_state(call),
            peer: self.peer.clone(),
            diverted_from: self.diverted_from.clone(),
            via: self.via.clone(),
            status: call.end().and_then(|end| end.status),
            reason: end,
            consult_of: call.consult_of().map(|of| of.0),
            conference: call.in_conference(),
            queue: self.queue.as_ref().map(super::centre::LineQueue::event),
            secure: self.encryption().is_on(),
            encryption: self.encryption(),
            codec: self.codec(),
        }
    }

    /// The state to be told. The peer is on hold once it has agreed to that; until then the call is
    /// what it was, though nothing is said into it any more.
    fn told_state(&self, call: &Call) -> CallState {
        match (call.state(), self.told.as_ref().map(|told| told.state)) {
            (State::Held, Some(CallState::Held)) => CallState::Held,
            (State::Held, Some(CallState::HeldByPeer)) if !call.hold().agreed => {
                CallState::HeldByPeer
            }
            (State::Held, _) if !call.hold().agreed => CallState::Active,
            (state, _) => state_view(state),
        }
    }
}

/// Which way sound flows when hold stands so.
pub(super) fn media_direction(hold: HoldState) -> sdp::Direction {
    if hold.wanted { sdp::Direction::SendOnly } else { sdp::Direction::SendRecv }
}

/// Who is at the other end, before the directory has been asked.
pub(super) fn peer_of(identity: &Identity) -> PeerView {
    let user = identity.uri.user().unwrap_or_default();
    let hidden = !identity.asserted || user.eq_ignore_ascii_case("anonymous");
    if identity.withheld && hidden {
        return PeerView { uri: identity.uri.to_string(), ..PeerView::default() };
    }
    let number = match contacts::NumberKey::of(&user) {
        Some(_) => contacts::show(&user),
        None => contacts::plain(&user),
    };
    PeerView {
        uri: identity.uri.to_string(),
        name: contacts::plain(identity.display.as_deref().unwrap_or_default()),
        number,
        ..PeerView::default()
    }
}

/// The same of an address alone.
pub(super) fn peer_of_uri(uri: &str, name: Option<String>) -> PeerView {
    let user = Uri::parse(uri).ok().and_then(|uri| uri.user()).unwrap_or_default();
    let number = match contacts::NumberKey::of(&user) {
        Some(_) => contacts::show(&user),
        None => contacts::plain(&user),
    };
    PeerView {
        uri: uri.to_owned(),
        name: contacts::plain(&name.unwrap_or_default()),
        number,
        ..PeerView::default()
    }
}

pub(super) fn direction_view(direction: Direction) -> CallDirection {
    match direction {
        Direction::In => CallDirection::In,
        Direction::Out => CallDirection::Out,
    }
}

pub(super) fn state_view(state: State) -> CallState {
    match state {
        State::Dialing => CallState::Dialing,
        State::Ringing => CallState::Ringing,
        State::Early => CallState::Early,
        State::Active => CallState::Active,
        State::Held => CallState::Held,
        State::HeldByPeer => CallState::HeldByPeer,
        State::Transferring => CallState::Transferring,
        State::Ended => CallState::Ended,
    }
}

fn codec_kind(name: CodecName) -> CodecKind {
    match name {
        CodecName::Opus => CodecKind::Opus,
        CodecName::G722 => CodecKind::G722,
        CodecName::Pcma => CodecKind::Pcma,
        CodecName::Pcmu => CodecKind::Pcmu,
    }
}

/// The word of the configuration for a codec.
pub(super) fn codec_word(kind: CodecKind) -> &'static str {
    match kind {
        CodecKind::Opus => "opus",
        CodecKind::G722 => "g722",
        CodecKind::Pcma => "pcma",
        CodecKind::Pcmu => "pcmu",
    }
}

#[cfg(test)]
mod tests {
    use call_control::{CallControl, Command, Input, Signal};
    use sdp::{Fingerprint, HashFunction};
    use sip_core::Random;

    use super::*;
    use crate::config::{Srtp, SrtpKeying};
    use crate::engine::encryption::fresh_keys;

    #[expect(clippy::disallowed_methods, reason = "one instant to count from")]
    fn base() -> Instant {
        Instant::now()
    }

    #[test]
    fn a_name_turns_no_text_around_and_breaks_no_line() {
        let name = "Jan\u{202e}gpj.exe\u{2066}\r\n<b>\u{7}".to_owned();
        let peer = peer_of_uri("sip:x%E2%80%AEy@pbx.example", Some(name));
        assert_eq!((peer.name.as_str(), peer.number.as_str()), ("Jangpj.exe<b>", "xy"));
        let display = Some("\u{202d}020 1234567 (de bank)".to_owned());
        let uri = Uri::parse("sip:0612345678@pbx.example").unwrap();
        let peer = peer_of(&Identity { uri, display, asserted: false, withheld: false });
        assert_eq!(
            (peer.name.as_str(), peer.number.as_str()),
            ("020 1234567 (de bank)", "06 1234 5678")
        );
    }

    #[test]
    fn pauses_are_asked_for_where_the_account_says_so() {
        for silence_suppression in [false, true] {
            let settings = AccountSettings { silence_suppression, ..AccountSettings::default() };
            let mut line = Line::new(&settings, 1);
            let secrets = Secrets { keys: Vec::new(), dtls: None, ice: None };
            let local = line.local_media(IpAddr::from([192, 0, 2, 1]), (4000, 4001), secrets);
            let offer = line.negotiator.offer(&local, sdp::Direction::SendRecv).unwrap();
            let offer = String::from_utf8(offer).unwrap();
            assert_eq!(offer.contains("usedtx=1"), silence_suppression, "{offer}");
            assert_eq!(offer.contains(" 0 13 "), silence_suppression, "{offer}");
        }
    }

    #[test]
    fn who_can_listen_follows_from_how_the_keys_came_and_over_what() {
        let agreed = |srtp, srtp_keying| {
            let settings = AccountSettings { srtp, srtp_keying, ..AccountSettings::default() };
            let mut line = Line::new(&settings, 1);
            let wanted = line.terms_now();
            let fingerprint = || Fingerprint::new(HashFunction::Sha256, vec![7; 32]);
            let described = |seed| {
                let keys = fresh_keys(wanted, &mut Random::from_seed([seed; 32]));
                let dtls = wanted.keying.dtls.then(fingerprint).flatten();
                let secrets = Secrets { keys, dtls, ice: None };
                line.local_media(IpAddr::from([192, 0, 2, seed]), (4000, 4001), secrets)
            };
            let (local, there) = (described(1), described(2));
            let offer = line.negotiator.offer(&local, sdp::Direction::SendRecv).unwrap();
            let answer =
                Negotiator::new(2).answer(&offer, &there, sdp::Direction::SendRecv).unwrap().0;
            let agreed = line.negotiator.receive_answer(&answer).unwrap();
            line.media = Some(Media { stream: StreamId(1), local, agreed: Some(agreed) });
            line
        };
        for (srtp, keying, secret, seen) in [
            (Srtp::Off, SrtpKeying::Sdes, true, Encryption::None),
            (Srtp::Required, SrtpKeying::Sdes, false, Encryption::KeysExposed),
            (Srtp::Required, SrtpKeying::Dtls, false, Encryption::KeysExposed),
            (Srtp::Required, SrtpKeying::Sdes, true, Encryption::Exchange),
            (Srtp::Required, SrtpKeying::Dtls, true, Encryption::Ends),
        ] {
            let mut line = agreed(srtp, keying);
            line.secret = secret;
            assert_eq!(line.encryption(), seen, "{srtp:?} {keying:?} {secret}");
        }
    }

    #[test]
    fn a_call_is_told_as_held_once_the_peer_has_agreed() {
        let (mut calls, now) = (CallControl::new(), base());
        let mut line = Line::new(&AccountSettings::default(), 1);
        let id = calls.dial(now);
        let mut tell = |input| {
            calls.handle_input(now, input).unwrap();
            let event = line.event(calls.get(id).unwrap(), None);
            line.told = Some(event.clone());
            event.state
        };
        assert_eq!(tell(Input::Signal(id, Signal::Answered)), CallState::Active);
        assert_eq!(tell(Input::Command(id, Command::Hold)), CallState::Active);
        assert_eq!(tell(Input::Signal(id, Signal::OfferAccepted)), CallState::Held);
        // And until it has agreed to talk again.
        assert_eq!(tell(Input::Command(id, Command::Resume)), CallState::Held);
        assert_eq!(tell(Input::Signal(id, Signal::OfferAccepted)), CallState::Active);
        // A peer that would not be held never was.
        assert_eq!(tell(Input::Signal(id, Signal::HeldByPeer(true))), CallState::HeldByPeer);
        assert_eq!(tell(Input::Command(id, Command::Hold)), CallState::HeldByPeer);
        assert_eq!(tell(Input::Signal(id, Signal::OfferRefused)), CallState::HeldByPeer);
    }
}

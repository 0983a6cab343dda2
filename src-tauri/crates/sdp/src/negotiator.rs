//! The offer/answer state of one dialog (RFC 3264).
//!
//! Inputs: from the call's owner `offer`, `answer`, `answer_pending`, `abandon`; from the peer `receive_offer`,
//! `receive_answer`. States: `Stable`, `LocalOffer` (ours waits for an answer), `RemoteOffer` (the peer's waits for
//! ours); [`State`] is one value, so both cannot be open at once.

mod keying;

use std::net::SocketAddr;

use self::keying::Protection;
use crate::codec::{Codec, CodecKind};
use crate::crypto::{CryptoAttribute, Keying, SrtpPolicy};
use crate::description::SessionDescription;
use crate::dtls::Setup;
use crate::error::NegotiationError;
use crate::ice::IceParameters;
use crate::local::{Ice, LocalDescription, Numbering, Offering, Slot};
use crate::media::{Direction, LocalMedia, Negotiated, TelephoneEvent};
use crate::stream::{AudioStream, Profile};

/// Where an exchange stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum State {
    /// No offer is open.
    #[default]
    Stable,
    /// Our offer waits for an answer.
    LocalOffer,
    /// The peer's offer waits for ours.
    RemoteOffer,
}

/// Our offer, until another exchange begins.
#[derive(Debug, Clone)]
struct Offered {
    media: LocalMedia,
    direction: Direction,
    slots: Vec<Slot>,
    codecs: Vec<Codec>,
    events: Vec<TelephoneEvent>,
    crypto: Vec<CryptoAttribute>,
    /// A handshake was asked for.
    handshake: bool,
    ice: Ice,
}

/// The peer's offer, while it is open.
#[derive(Debug, Clone)]
struct Pending {
    slots: Vec<Slot>,
    stream: AudioStream,
}

/// Offer/answer for one dialog and its one audio stream.
#[derive(Debug, Clone)]
pub struct Negotiator {
    state: State,
    current: Option<Negotiated>,
    /// The media lines of the dialog as last agreed.
    slots: Vec<Slot>,
    numbering: Numbering,
    written: LocalDescription,
    offered: Option<Offered>,
    pending: Option<Pending>,
}

impl Negotiator {
    /// A fresh dialog; `session_id` (random, from the caller's source) becomes the session id in `o=`.
    pub fn new(session_id: u64) -> Self {
        Self {
            state: State::Stable,
            current: None,
            slots: Vec::new(),
            numbering: Numbering::default(),
            written: LocalDescription::new(session_id),
            offered: None,
            pending: None,
        }
    }

    /// Where the exchange stands.
    pub const fn state(&self) -> State {
        self.state
    }

    /// The stream as last agreed.
    pub const fn current(&self) -> Option<&Negotiated> {
        self.current.as_ref()
    }

    /// Makes an offer, first or later (hold = [`Direction::SendOnly`], resume = [`Direction::SendRecv`]). Later
    /// offers keep the media lines and payload types; the version in `o=` grows only when something changed.
    ///
    /// # Errors
    /// [`NegotiationError::WrongState`] while an offer is open on either side.
    pub fn offer(
        &mut self,
        local: &LocalMedia,
        direction: Direction,
    ) -> Result<Vec<u8>, NegotiationError> {
        if self.state != State::Stable {
            return Err(NegotiationError::WrongState(self.state));
        }
        let mut slots = self.slots.clone();
        if !slots.iter().any(|slot| slot.active) {
            slots.push(Slot::audio(keying::first_profile(local)));
        }
        let (codecs, events) = self.numbering.offer(local);
        let current = self.current.as_ref();
        let crypto = keying::offered_keys(local, current);
        let handshake = keying::offers_handshake(local, current);
        let without = current.is_some_and(|current| current.ice.is_none());
        let ice = if local.ice.is_some() && !without { Ice::Ours } else { Ice::Silent };
        let muxed = current.is_some_and(|current| current.rtcp_mux);
        let offering = Offering {
            codecs: &codecs,
            events: &events,
            comfort_noise: true,
            crypto: &crypto,
            setup: handshake.then_some(Setup::Actpass),
            ice,
            rtcp_mux: muxed || handshake || ice == Ice::Ours,
            voip_metrics: true,
        };
        let bytes = self.written.write(local, direction, &slots, offering);
        let media = local.clone();
        self.offered =
            Some(Offered { media, direction, slots, codecs, events, crypto, handshake, ice });
        self.state = State::LocalOffer;
        Ok(bytes)
    }

    /// Takes the peer's answer to our open offer. A further answer to the same offer (183 and then 200, or another
    /// fork) is taken too, until the next exchange begins.
    ///
    /// # Errors
    /// When there is no offer to answer, or the answer is unreadable, refuses the audio, or has no codec we offered.
    /// The offer is closed and the stream stays as it was before.
    pub fn receive_answer(&mut self, answer: &[u8]) -> Result<Negotiated, NegotiationError> {
        let Some(offered) = self.offered.clone().filter(|_| self.state != State::RemoteOffer)
        else {
            return Err(NegotiationError::WrongState(self.state));
        };
        self.state = State::Stable;
        let session = SessionDescription::parse(answer)?.session;
        let index = offered.slots.iter().position(|slot| slot.active).unwrap_or_default();
        let stream = answered_stream(AudioStream::all(&session), index)?;
        let negotiated = agree_on_answer(&offered, &stream, self.current.as_ref())?;
        self.slots = offered.slots;
        if let Some(slot) = self.slots.get_mut(index) {
            slot.carried_by(&stream.protocol);
        }
        self.current = Some(negotiated.clone());
        Ok(negotiated)
    }

    /// Takes the peer's offer and keeps it open, to be answered later (while ringing). Checks that there is a codec
    /// in common and that the policy of encryption can be met, so that a hopeless call is refused (488) before anyone
    /// is disturbed.
    ///
    /// # Errors
    /// [`NegotiationError`], whose `status()` is the answer to give: `WrongState` while our own offer is open, which
    /// stays open. After the others no offer is open.
    pub fn receive_offer(
        &mut self,
        offer: &[u8],
        codecs: &[CodecKind],
        srtp: SrtpPolicy,
        keying: Keying,
    ) -> Result<(), NegotiationError> {
        if self.state == State::LocalOffer {
            return Err(NegotiationError::WrongState(self.state));
        }
        self.abandon();
        let session = SessionDescription::parse(offer)?.session;
        let stream = pick(AudioStream::all(&session), codecs, srtp, keying)?;
        stream.address()?;
        let mut slots: Vec<_> = session.medias.iter().map(Slot::refused).collect();
        if let Some(slot) = slots.get_mut(stream.index) {
            slot.accept(stream.mid.clone());
        }
        self.offered = None;
        self.pending = Some(Pending { slots, stream });
        self.state = State::RemoteOffer;
        Ok(())
    }

    /// The offer kept by [`Self::receive_offer`] begins ICE anew: the answer must come with new credentials of ours too
    /// (RFC 8839, 4.4.1.1.1).
    pub fn is_ice_restart(&self) -> bool {
        let before = self.current.as_ref().and_then(|current| current.ice.as_ref());
        let offered = self.pending.as_ref().and_then(|pending| pending.stream.ice.as_ref());
        before.zip(offered).is_some_and(|(before, now)| before.remote != now.credentials)
    }

    /// Answers the offer kept by [`Self::receive_offer`].
    ///
    /// # Errors
    /// As [`Self::answer`].
    pub fn answer_pending(
        &mut self,
        local: &LocalMedia,
        direction: Direction,
    ) -> Result<(Vec<u8>, Negotiated), NegotiationError> {
        let Some(Pending { slots, stream }) = self.pending.take() else {
            return Err(NegotiationError::WrongState(self.state));
        };
        self.state = State::Stable;
        let codecs = accepted_codecs(&stream, local);
        let Some(first) = codecs.first() else { return Err(NegotiationError::NoCommonCodec) };
        let events = if local.telephone_event { stream.events.clone() } else { Vec::new() };
        let direction = direction.and(stream.effective_direction().reversed());
        let protection = keying::answered(&stream, local, self.current.as_ref())?;
        let (written, ice) = answered_ice(&stream, local, self.current.as_ref());
        let (srtp, dtls) = protection.agreed();
        let negotiated = Negotiated {
            codec: sending(&stream, first.kind).unwrap_or_else(|| first.clone()),
            receive: codecs.clone(),
            telephone_event: event_for(&events, first.clock_rate),
            telephone_event_receive: events.clone(),
            comfort_noise_pt: noise(local, &stream, first),
            remote_held: !stream.effective_direction().receives(),
            srtp,
            dtls,
            ..base(&stream, local, direction, first.kind, ice)?
        }
        .with_one_port(stream.rtcp_mux);
        self.numbering.learn(&codecs, &events);
        let (crypto, setup) = match protection {
            Protection::Clear => (None, None),
            Protection::Keys(line, _) => (Some(line), None),
            Protection::Handshake(agreed) => (None, Some(agreed.role.setup())),
        };
        let offering = Offering {
            codecs: &codecs,
            events: &events,
            comfort_noise: stream.comfort_noise,
            crypto: crypto.as_slice(),
            setup,
            ice: written,
            rtcp_mux: negotiated.rtcp_mux,
            voip_metrics: stream.voip_metrics,
        };
        let bytes = self.written.write(local, direction, &slots, offering);
        self.slots = slots;
        self.current = Some(negotiated.clone());
        Ok((bytes, negotiated))
    }

    /// Answers an offer at once: [`Self::receive_offer`] and [`Self::answer_pending`] in one (an offer kept by
    /// `receive_offer` is replaced).
    ///
    /// # Errors
    /// [`NegotiationError::WrongState`] while our own offer is open; [`NegotiationError::NoCommonCodec`] and the
    /// others as their `status()` says. The state is then `Stable`, the stream as before.
    pub fn answer(
        &mut self,
        offer: &[u8],
        local: &LocalMedia,
        direction: Direction,
    ) -> Result<(Vec<u8>, Negotiated), NegotiationError> {
        self.receive_offer(offer, &local.codecs, local.srtp, local.keying())?;
        self.answer_pending(local, direction)
    }

    /// Drops an open offer of either side (its request failed or was refused); the stream stays as last agreed.
    pub fn abandon(&mut self) {
        if self.state == State::LocalOffer {
            self.offered = None;
        }
        self.pending = None;
        self.state = State::Stable;
    }
}

/// The offered audio line to use, among those that are enabled and have a codec of ours: the first with usable keys
/// where sound is to be encrypted, else the first plain one.
fn pick(
    streams: Vec<AudioStream>,
    codecs: &[CodecKind],
    srtp: SrtpPolicy,
    keying: Keying,
) -> Result<AudioStream, NegotiationError> {
    let common = |stream: &AudioStream| stream.codecs.iter().any(|c| codecs.contains(&c.kind));
    let mut verdict = NegotiationError::NoAudio;
    let mut plain = None;
    for stream in streams {
        let keys = keying::can_protect(&stream, srtp, keying);
        verdict = match stream.profile {
            _ if stream.port == 0 => NegotiationError::Refused,
            Profile::Unknown => NegotiationError::NoAudio,
            Profile::Plain | Profile::Secure if !common(&stream) => NegotiationError::NoCommonCodec,
            Profile::Plain | Profile::Secure if keys => return Ok(stream),
            Profile::Plain if srtp == SrtpPolicy::Required => NegotiationError::NotEncrypted,
            Profile::Plain => {
                plain = plain.or(Some(stream));
                continue;
            }
            Profile::Secure => NegotiationError::SecureOnly,
        };
    }
    plain.ok_or(verdict)
}

/// The line of the answer that answers ours. Peers that leave out refused lines or reorder them are forgiven as long
/// as there is one audio line only.
fn answered_stream(
    mut streams: Vec<AudioStream>,
    index: usize,
) -> Result<AudioStream, NegotiationError> {
    let stream = match streams.iter().position(|stream| stream.index == index) {
        Some(position) => streams.swap_remove(position),
        None if streams.len() == 1 => streams.swap_remove(0),
        None if streams.is_empty() => return Err(NegotiationError::NoAudio),
        None => return Err(NegotiationError::Mismatch("no audio in the place of ours")),
    };
    match stream.profile {
        _ if stream.port == 0 => Err(NegotiationError::Refused),
        Profile::Plain | Profile::Secure => Ok(stream),
        Profile::Unknown => Err(NegotiationError::Mismatch("another transport protocol")),
    }
}

/// The stream after the peer's answer to our offer.
fn agree_on_answer(
    offered: &Offered,
    stream: &AudioStream,
    current: Option<&Negotiated>,
) -> Result<Negotiated, NegotiationError> {
    let ours = |kind| offered.codecs.iter().any(|codec: &Codec| codec.kind == kind);
    let codec = stream
        .codecs
        .iter()
        .find(|codec| ours(codec.kind))
        .cloned()
        .ok_or(NegotiationError::NoCommonCodec)?;
    let events = if offered.events.is_empty() { &[] } else { stream.events.as_slice() };
    let direction = offered.direction.and(stream.effective_direction().reversed());
    let remote_held = offered.direction.sends() && !stream.effective_direction().receives();
    let Offered { crypto, handshake, media, .. } = offered;
    let (srtp, dtls) = keying::accepted(crypto, *handshake, media.srtp, stream)?.agreed();
    Ok(Negotiated {
        receive: received(&offered.codecs, &stream.codecs),
        telephone_event: event_for(events, codec.clock_rate),
        telephone_event_receive: received_events(&offered.events, events),
        comfort_noise_pt: noise(&offered.media, stream, &codec),
        remote_held,
        srtp,
        dtls,
        ..base(stream, media, direction, codec.kind, accepted_ice(offered, stream, current))?
    }
    .with_codec(codec)
    .with_one_port(stream.rtcp_mux))
}

/// What our answer writes of ICE, and what comes of it.
fn answered_ice(
    stream: &AudioStream,
    local: &LocalMedia,
    current: Option<&Negotiated>,
) -> (Ice, Option<IceParameters>) {
    let Some((theirs, ours)) = stream.ice.as_ref().zip(local.ice.as_ref()) else {
        return (Ice::Silent, None);
    };
    if theirs.is_changed_by_others(stream.default_address()) {
        return (Ice::Mismatch, None);
    }
    let before = current.and_then(|current| current.ice.as_ref());
    (Ice::Ours, Some(theirs.agree(ours, false, before)))
}

/// What comes of ICE with the answer to our offer.
fn accepted_ice(
    offered: &Offered,
    stream: &AudioStream,
    current: Option<&Negotiated>,
) -> Option<IceParameters> {
    let ours = offered.media.ice.as_ref().filter(|_| offered.ice == Ice::Ours)?;
    let theirs = stream.ice.as_ref().filter(|theirs| !theirs.mismatch)?;
    if theirs.is_changed_by_others(stream.default_address()) {
        return None;
    }
    let before = current.and_then(|current| current.ice.as_ref());
    Some(theirs.agree(ours, true, before))
}

impl Negotiated {
    fn with_codec(self, codec: Codec) -> Self {
        Self { codec, ..self }
    }

    /// With reports on the RTP port where the peer has that too. Keys and ways are found for that port only, so without
    /// it there are no reports.
    fn with_one_port(self, mux: bool) -> Self {
        let lost = !mux && (self.dtls.is_some() || self.ice.is_some());
        let remote_rtcp = match (mux, lost) {
            (true, _) => self.remote,
            (_, true) => SocketAddr::new(self.remote_rtcp.ip(), 0),
            _ => self.remote_rtcp,
        };
        Self { rtcp_mux: mux, remote_rtcp, ..self }
    }
}

/// The part that is the same for both roles.
fn base(
    stream: &AudioStream,
    local: &LocalMedia,
    direction: Direction,
    kind: CodecKind,
    ice: Option<IceParameters>,
) -> Result<Negotiated, NegotiationError> {
    let address = stream.address()?;
    let (rtcp_address, rtcp_port) = stream.rtcp_address(address);
    Ok(Negotiated {
        remote: SocketAddr::new(address, stream.port),
        remote_rtcp: SocketAddr::new(rtcp_address, rtcp_port),
        codec: crate::local::codec(kind, 0, local.silence_suppression),
        receive: Vec::new(),
        telephone_event: None,
        telephone_event_receive: Vec::new(),
        comfort_noise_pt: None,
        ptime_ms: packet_time(stream, local, kind),
        max_ptime_ms: stream.max_ptime_ms,
        voip_metrics: stream.voip_metrics,
        send: direction.sends() && (ice.is_some() || !address.is_unspecified()),
        receive_active: direction.receives(),
        remote_direction: stream.direction,
        remote_held: false,
        rtcp_mux: false,
        srtp: None,
        dtls: None,
        ice,
    })
}

/// The common codecs in the offerer's order (RFC 3264, 6.1), with the offerer's numbers and our parameters.
fn accepted_codecs(stream: &AudioStream, local: &LocalMedia) -> Vec<Codec> {
    stream
        .codecs
        .iter()
        .filter(|codec| local.codecs.contains(&codec.kind))
        .map(|codec| crate::local::codec(codec.kind, codec.payload_type, local.silence_suppression))
        .collect()
}

/// A codec as the peer described it.
fn sending(stream: &AudioStream, kind: CodecKind) -> Option<Codec> {
    stream.codecs.iter().find(|codec| codec.kind == kind).cloned()
}

/// What may arrive: all we offered, by our numbers, and the peer's own numbers where they are free (some peers send
/// with the numbers of their own description).
fn received(ours: &[Codec], theirs: &[Codec]) -> Vec<Codec> {
    let mut receive = ours.to_vec();
    for codec in theirs {
        let known = ours.iter().any(|our| our.kind == codec.kind);
        let free = !receive.iter().any(|our| our.payload_type == codec.payload_type);
        if known && free {
            receive.push(codec.clone());
        }
    }
    receive
}

/// The same for telephone-event.
fn received_events(ours: &[TelephoneEvent], theirs: &[TelephoneEvent]) -> Vec<TelephoneEvent> {
    let mut receive = ours.to_vec();
    for event in theirs {
        if !receive.iter().any(|our| our.payload_type == event.payload_type) {
            receive.push(*event);
        }
    }
    receive
}

/// The numbering on the codec's clock, or else any (RFC 4733, 2.1 wants one clock per stream).
fn event_for(events: &[TelephoneEvent], clock_rate: u32) -> Option<TelephoneEvent> {
    events.iter().find(|event| event.clock_rate == clock_rate).or(events.first()).copied()
}

/// Comfort noise, if both have it and the codec has its clock.
fn noise(local: &LocalMedia, stream: &AudioStream, codec: &Codec) -> Option<u8> {
    (local.silence_suppression && stream.comfort_noise && codec.clock_rate == 8_000).then_some(13)
}

/// Milliseconds per packet: the peer's wish, else ours, within 10 to 60, within the peer's maximum, in tens; Opus
/// has no frames of 30 and 50 ms.
fn packet_time(stream: &AudioStream, local: &LocalMedia, kind: CodecKind) -> u8 {
    let wish = stream.ptime_ms.unwrap_or(local.ptime_ms);
    let most = stream.max_ptime_ms.unwrap_or(60).clamp(10, 60);
    let tens = wish.min(most).clamp(10, 60) / 10 * 10;
    match (kind, tens) {
        (CodecKind::Opus, 30) => 20,
        (CodecKind::Opus, 50) => 40,
        (_, tens) => tens,
    }
}

#[cfg(test)]
mod tests;

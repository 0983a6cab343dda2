//! The offer/answer state of one dialog (RFC 3264).
//!
//! Inputs: from the call's owner `offer`, `answer`, `abandon`; from the peer `receive_offer`, `receive_answer`.

use crate::codec::CodecKind;
use crate::error::NegotiationError;
use crate::media::{Direction, LocalMedia, Negotiated};

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

/// Offer/answer for one dialog and its one audio stream.
#[derive(Debug, Clone)]
pub struct Negotiator {
    state: State,
    current: Option<Negotiated>,
}

impl Negotiator {
    /// A fresh dialog; `session_id` (random, from the caller's source) becomes the session id in `o=`.
    pub fn new(session_id: u64) -> Self {
        let _ = session_id;
        Self { state: State::Stable, current: None }
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
        let _ = (local, direction);
        Err(NegotiationError::WrongState(self.state))
    }

    /// Takes the peer's answer to our open offer. A further answer to the same offer (183 and then 200, or another
    /// fork) is taken too, until the next exchange begins.
    ///
    /// # Errors
    /// When there is no offer to answer, or the answer is unreadable, refuses the audio, or has no codec we offered.
    /// The offer is closed and the stream stays as it was before.
    pub fn receive_answer(&mut self, answer: &[u8]) -> Result<Negotiated, NegotiationError> {
        let _ = answer;
        Err(NegotiationError::WrongState(self.state))
    }

    /// Takes the peer's offer and keeps it open, to be answered later (while ringing). Checks that there is a codec
    /// in common, so that a hopeless call is refused (488) before anyone is disturbed.
    ///
    /// # Errors
    /// [`NegotiationError`], whose `status()` is the answer to give; the state is then as before.
    pub fn receive_offer(
        &mut self,
        offer: &[u8],
        codecs: &[CodecKind],
    ) -> Result<(), NegotiationError> {
        let _ = (offer, codecs);
        Err(NegotiationError::WrongState(self.state))
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
        let _ = (local, direction);
        Err(NegotiationError::WrongState(self.state))
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
        self.receive_offer(offer, &local.codecs)?;
        self.answer_pending(local, direction)
    }

    /// Drops an open offer of either side (its request failed or was refused); the stream stays as last agreed.
    pub fn abandon(&mut self) {
        self.state = State::Stable;
    }
}

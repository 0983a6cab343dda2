//! Descriptions of sound: ours and the peer's, and the stream that comes of them.

use std::net::IpAddr;
use std::time::Instant;

use call_control::{Call, CallId, Signal};
use sip_ua::{Body, SessionId, UaError};

use super::calls::StepError;
use super::desk::Desk;
use super::encryption::{Secrets, fresh_ice, fresh_keys, renew_key};
use super::line::{Media, media_direction};

/// How an offer travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum By {
    /// In a re-INVITE.
    Invite,
    /// In an UPDATE (RFC 3311) where the peer takes one, else in a re-INVITE.
    Update,
}

impl Desk {
    /// Our answer to the offer in the INVITE; none when it had no offer.
    pub(super) fn answer_offer(
        &mut self,
        now: Instant,
        id: CallId,
        direction: sdp::Direction,
    ) -> Result<Option<Vec<u8>>, StepError> {
        let line = self.lines.get(&id).ok_or(StepError::Gone)?;
        if !line.offered {
            return Ok(line.answer.clone());
        }
        self.open_media_towards_caller(id)?;
        let line = self.lines.get_mut(&id).ok_or(StepError::Gone)?;
        let media = line.media.as_ref().ok_or(StepError::Gone)?;
        let (answer, agreed) = line.negotiator.answer_pending(&media.local, direction)?;
        line.offered = false;
        line.answer = Some(answer.clone());
        self.agree(now, id, agreed)?;
        Ok(Some(answer))
    }

    pub(super) fn offer_in_answer(
        &mut self,
        id: CallId,
        direction: sdp::Direction,
    ) -> Result<Vec<u8>, StepError> {
        self.open_media_towards_caller(id)?;
        let line = self.lines.get_mut(&id).ok_or(StepError::Gone)?;
        let media = line.media.as_ref().ok_or(StepError::Gone)?;
        Ok(line.negotiator.offer(&media.local, direction)?)
    }

    pub(super) fn open_media_towards_caller(&mut self, id: CallId) -> Result<(), StepError> {
        let line = self.lines.get(&id).ok_or(StepError::Gone)?;
        if line.media.is_some() {
            return Ok(());
        }
        let source = line.source.ok_or(StepError::NoRoute)?;
        let local = self.transport.local_address(source).ok_or(StepError::NoRoute)?;
        self.open_media(id, local)
    }

    /// Offers what hold stands at now.
    pub(super) fn offer(&mut self, now: Instant, id: CallId, by: By) -> Result<(), StepError> {
        let sent = self.try_offer(now, id, by);
        if sent.is_err() && self.is_moving(id) {
            self.move_failed(now, id);
        } else if sent.is_err() {
            self.tell(now, id, Signal::OfferRefused);
        }
        sent
    }

    pub(super) fn try_offer(&mut self, now: Instant, id: CallId, by: By) -> Result<(), StepError> {
        let hold = self.calls.get(id).map(Call::hold).ok_or(StepError::Gone)?;
        let wanted = hold.offering.unwrap_or(hold.wanted);
        let direction = media_direction(call_control::HoldState { wanted, ..hold });
        let line = self.lines.get_mut(&id).ok_or(StepError::Gone)?;
        let session = line.session.ok_or(StepError::Gone)?;
        let media = line.media.as_ref().ok_or(StepError::Gone)?;
        let offer = Body::sdp(line.negotiator.offer(&media.local, direction)?);
        let updated = match by {
            By::Update => self.ua.update(now, session, Some(offer.clone())),
            By::Invite => Err(UaError::Unsupported),
        };
        let sent = match updated {
            Err(UaError::Unsupported) => self.ua.reoffer(now, session, offer),
            other => other,
        };
        if let Err(error) = sent {
            if let Some(line) = self.lines.get_mut(&id) {
                line.negotiator.abandon();
            }
            return Err(error.into());
        }
        Ok(())
    }

    pub(super) fn answer_late_offer(
        &mut self,
        now: Instant,
        id: CallId,
        session: SessionId,
        body: &Body,
    ) -> Result<bool, StepError> {
        let (answer, held) = self.answer_now(now, id, body)?;
        self.ua.provide_answer(now, session, Body::sdp(answer))?;
        Ok(held)
    }

    /// Answers the peer's offer as hold stands: the answer, and whether the peer holds us.
    pub(super) fn answer_now(
        &mut self,
        now: Instant,
        id: CallId,
        body: &Body,
    ) -> Result<(Vec<u8>, bool), StepError> {
        let hold = self.calls.get(id).map(Call::hold).unwrap_or_default();
        let line = self.lines.get_mut(&id).ok_or(StepError::Gone)?;
        if line.negotiator.state() == sdp::State::LocalOffer {
            // Ours has been overtaken; it is made anew once this is answered.
            line.negotiator.abandon();
        }
        let media = line.media.as_mut().ok_or(StepError::Gone)?;
        let local = &mut media.local;
        line.negotiator.receive_offer(&body.bytes, &local.codecs, local.srtp, local.keying())?;
        if line.negotiator.is_ice_restart()
            && let Some(ice) = &mut local.ice
        {
            // The ways to us are what they were.
            let fresh = fresh_ice(local.addr, local.rtp_port, &mut self.random);
            ice.credentials = fresh.credentials;
        }
        let (answer, agreed) = line.negotiator.answer_pending(local, media_direction(hold))?;
        let held = agreed.remote_held;
        self.agree(now, id, agreed)?;
        Ok((answer, held))
    }

    pub(super) fn offer_on_request(&mut self, id: CallId) -> Result<Vec<u8>, StepError> {
        let hold = self.calls.get(id).map(Call::hold).unwrap_or_default();
        let line = self.lines.get_mut(&id).ok_or(StepError::Gone)?;
        line.negotiator.abandon();
        let media = line.media.as_ref().ok_or(StepError::Gone)?;
        Ok(line.negotiator.offer(&media.local, media_direction(hold))?)
    }

    pub(super) fn open_media(&mut self, id: CallId, local: IpAddr) -> Result<(), StepError> {
        let (stream, rtp_port, rtcp_port) = self.sounds.engine.open(local)?;
        let line = self.lines.get_mut(&id).ok_or(StepError::Gone)?;
        let terms = line.terms_now();
        let secrets = Secrets {
            keys: fresh_keys(terms, &mut self.random),
            dtls: self.sounds.engine.fingerprint().filter(|_| terms.keying.dtls).cloned(),
            ice: line.ice.then(|| fresh_ice(local, rtp_port, &mut self.random)),
        };
        let local = line.local_media(local, (rtp_port, rtcp_port), secrets);
        line.media = Some(Media { stream, local, agreed: None });
        Ok(())
    }

    /// Takes the peer's answer; whether the peer holds us.
    pub(super) fn take_answer(
        &mut self,
        now: Instant,
        id: CallId,
        body: &Body,
    ) -> Result<bool, StepError> {
        let line = self.lines.get_mut(&id).ok_or(StepError::Gone)?;
        let agreed = line.negotiator.receive_answer(&body.bytes)?;
        let held = agreed.remote_held;
        self.agree(now, id, agreed)?;
        Ok(held)
    }

    fn agree(
        &mut self,
        now: Instant,
        id: CallId,
        agreed: sdp::Negotiated,
    ) -> Result<(), StepError> {
        let line = self.lines.get_mut(&id).ok_or(StepError::Gone)?;
        let media = line.media.as_mut().ok_or(StepError::Gone)?;
        let before = media.agreed.replace(agreed.clone()).and_then(|before| before.srtp);
        if let Some(spent) = before.map(|keys| keys.send)
            && agreed.srtp.as_ref().is_none_or(|keys| keys.send != spent)
        {
            renew_key(&spent, &mut media.local.keys, &mut self.random);
        }
        let stream = media.stream;
        self.sounds.engine.configure(stream, agreed)?;
        if let Some(call) = self.calls.get(id) {
            self.sounds.engine.set_muted(stream, call.muted());
        }
        self.apply_sound();
        self.tell_call(now, id);
        Ok(())
    }
}

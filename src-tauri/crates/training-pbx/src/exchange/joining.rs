//! Bringing two sides together that have not negotiated with each other: after a transfer, a pickup, a retrieval.
//!
//! Inputs: from those who have two sides `connect`, `join`; from phones the outcome of the re-INVITEs (`joined`,
//! `not_joined`); from time `try_join`. As RFC 3725 has it: the offer of one side goes to the other in a re-INVITE, the
//! answer back in the ACK.

use std::time::{Duration, Instant};

use sip_types::StatusCode;
use sip_ua::{Body, Role, SessionId};

use super::Exchange;
use super::services::shown;
use crate::call::{Again, Asking, Call, Party, State};
use crate::pbx::CallNumber;

/// How long to wait until an earlier change is through.
const AGAIN: Duration = Duration::from_millis(100);
const TRIES: u8 = 100;

impl Exchange {
    /// Both sides of the call are in answered dialogs of their own: makes one conversation of them.
    pub(super) fn connect(&mut self, now: Instant, number: CallNumber) {
        let Some(call) = self.calls.get(&number) else { return };
        match (call.near_phone(), call.far_phone()) {
            (Some(from), Some(to)) => self.join(now, number, Asking::Pull { from, to }, None),
            (Some(phone), None) | (None, Some(phone)) => self.serve_again(now, number, phone),
            (None, None) => self.leave_to_life(now, number),
        }
    }

    /// Begins a step.
    pub(super) fn join(
        &mut self,
        now: Instant,
        number: CallNumber,
        asking: Asking,
        offer: Option<Body>,
    ) {
        self.try_join(now, number, Again { at: now, asking, offer, tries: 0 });
    }

    /// Begins a step, or puts it off while an earlier change is under way.
    pub(super) fn try_join(&mut self, now: Instant, number: CallNumber, step: Again) {
        self.tell_whom(number, step.asking);
        let sent = match (step.asking, step.offer.clone()) {
            (Asking::Pull { from, .. }, _) => self.ua.request_offer(now, from).is_ok(),
            (
                Asking::Owed { asked, .. } | Asking::Entering { asked, .. } | Asking::Serve(asked),
                Some(offer),
            ) => self.ua.reoffer(now, asked, offer).is_ok(),
            _ => return self.end(now, number, "no offer"),
        };
        let Some(call) = self.calls.get_mut(&number) else { return };
        tracing::debug!(call = number.0, sent, "joining, {} -> joining", step.asking.name());
        call.set_asking(step.asking);
        call.joining = step.offer.clone().map(|offer| (offer, step.tries));
        if sent {
            return;
        }
        if step.tries >= TRIES {
            return self.end(now, number, "the sides cannot be joined");
        }
        call.again = Some(Again { at: now + AGAIN, tries: step.tries + 1, ..step });
    }

    /// Whoever is asked learns with that whom he talks to (RFC 3325).
    fn tell_whom(&mut self, number: CallNumber, asking: Asking) {
        let (Asking::Pull { from: asked, .. }
        | Asking::Owed { asked, .. }
        | Asking::Entering { asked, .. }) = asking
        else {
            return;
        };
        let Some(call) = self.calls.get(&number) else { return };
        let whom = shown(call.peer(asked));
        let _ = self.ua.set_identity(asked, Some(whom));
    }

    /// A phone has answered what it was asked. False if that was not part of a joining.
    pub(super) fn joined(
        &mut self,
        now: Instant,
        number: CallNumber,
        session: SessionId,
        body: Option<&Body>,
        role: Role,
    ) -> bool {
        let Some(call) = self.calls.get_mut(&number) else { return false };
        if call.again.is_some() {
            // Of an earlier change: the step itself has not been sent.
            return true;
        }
        match (call.asking(), body.cloned()) {
            (Asking::Nothing | Asking::Relay(_), _) => return false,
            (Asking::Pull { from, to }, offer @ Some(_))
                if session == from && role == Role::Offer =>
            {
                self.join(now, number, Asking::Owed { owed: from, asked: to }, offer);
            }
            (Asking::Owed { owed, asked }, Some(answer)) if session == asked => {
                call.set_asking(Asking::Nothing);
                let _ = self.ua.provide_answer(now, owed, answer);
            }
            (Asking::Entering { calling, asked }, answer) if session == asked => {
                call.set_asking(Asking::Nothing);
                call.answered = true;
                if self.ua.accept(now, calling, answer).is_err() {
                    self.end(now, number, "the caller is gone");
                }
            }
            (Asking::Serve(phone), Some(answer)) if session == phone => {
                call.set_asking(Asking::Nothing);
                if self.take_answer(number, &answer) {
                    self.begin_steps(number);
                } else {
                    self.end(now, number, "no usable answer");
                }
            }
            _ => {}
        }
        true
    }

    /// A phone refused what it was asked. False if that was not part of a joining.
    pub(super) fn not_joined(
        &mut self,
        now: Instant,
        number: CallNumber,
        status: Option<StatusCode>,
    ) -> bool {
        let Some(call) = self.calls.get_mut(&number) else { return false };
        if call.again.is_some() {
            return true;
        }
        match call.asking() {
            Asking::Nothing | Asking::Relay(_) => return false,
            // The peer was faster with a change of its own: once more.
            Asking::Pull { .. } if status == Some(StatusCode::REQUEST_PENDING) => {
                self.connect(now, number);
            }
            Asking::Serve(phone) if status == Some(StatusCode::REQUEST_PENDING) => {
                self.serve_again(now, number, phone);
            }
            // Likewise, with the same offer: whoever made it waits for the answer.
            asking @ (Asking::Entering { .. } | Asking::Owed { .. })
                if status == Some(StatusCode::REQUEST_PENDING)
                    && call.joining.as_ref().is_some_and(|(_, tries)| *tries < TRIES) =>
            {
                let (offer, tries) = call.joining.take().unzip();
                let tries = tries.unwrap_or(TRIES) + 1;
                call.again = Some(Again { at: now + AGAIN, asking, offer, tries });
            }
            Asking::Entering { calling, .. } => {
                let status = status.unwrap_or(StatusCode::NOT_ACCEPTABLE_HERE);
                let _ = self.ua.reject(now, calling, status);
                self.end(now, number, "the sides cannot be joined");
            }
            _ => self.end(now, number, "the sides cannot be joined"),
        }
        true
    }

    /// Two simulated parties need no exchange to talk.
    pub(super) fn leave_to_life(&mut self, now: Instant, number: CallNumber) {
        let Some(call) = self.calls.remove(&number) else { return };
        tracing::debug!(call = number.0, "{}, both simulated -> on their own", call.state.name());
        if let Party::Local(near) = &call.near {
            self.close(near.endpoint);
        }
        if let State::Talking { far: Party::Local(far), .. } | State::Answering(far) = &call.state {
            self.close(far.endpoint);
        }
        let Call { caller, called, mailbox, conversation, .. } = call;
        match mailbox {
            Some(mailbox) => {
                self.mailboxes.deposit(now, &mailbox, Some(caller));
            }
            None => self.life.begin_talk(now, caller, called, conversation),
        }
        self.changed = true;
    }

    /// A simulated party is sent on to another: they do without the exchange.
    pub(super) fn both_simulated(&mut self, now: Instant, number: CallNumber) {
        self.take_over(now, number);
        self.leave_to_life(now, number);
    }
}

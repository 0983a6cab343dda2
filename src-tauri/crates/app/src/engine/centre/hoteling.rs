//! Signing guests in and out at the account's telephone: the subscription, the commands and what is shown of
//! [`GuestSeat`].

use std::time::Instant;

use secrecy::ExposeSecret;
use sip_types::{StatusCode, Uri};
use sip_ua::{Body, SubscriptionState};
use tracing::debug;

use super::super::Reply;
use super::super::accounts::unknown_account;
use super::super::desk::Desk;
use super::Running;
use super::by_event::number_of;
use super::guest::{DOCUMENT, Failure, GuestSeat, Out, PACKAGE};
use crate::code::Code;
use crate::control::{Answer, CentreCommand, ErrorReply, Password};
use crate::view::PeerView;
use crate::view::centre::GuestSeatView;

/// Longest secret that is hashed, bytes.
const SECRET: usize = 128;

impl Desk {
    /// Follows who has the telephone, where the registrar offers that.
    pub(super) fn begin_hoteling(&mut self, id: &str) {
        let offered = self.account(id).is_some_and(|account| account.offers(PACKAGE));
        if let Ok(running) = self.running(id)
            && offered
            && running.seat.is_none()
        {
            running.seat = Some(Box::new(GuestSeat::new()));
        }
    }

    /// How the subscription stands. When it is over the next registration is another try.
    pub(in super::super) fn hoteling_state(&mut self, id: &str, state: &SubscriptionState) {
        if let SubscriptionState::Ended { .. } = state
            && let Ok(running) = self.running(id)
        {
            running.end_seat();
        }
    }

    /// A notification.
    pub(in super::super) fn hoteling_told(&mut self, now: Instant, id: &str, body: &[u8]) {
        if let Some(seat) = self.seat_of(id) {
            seat.notified(now, body);
        }
    }

    /// What became of a wish that was sent.
    pub(in super::super) fn hoteling_changed(&mut self, id: &str, status: Option<StatusCode>) {
        if let Some(seat) = self.seat_of(id) {
            seat.answered(status);
        }
    }

    /// Obeys `guest.sign_in` and `guest.sign_out`; answered when the exchange has told what came of it.
    pub(super) fn ask_guest(&mut self, now: Instant, command: CentreCommand, reply: Reply) {
        let wish = match command {
            CentreCommand::GuestSignIn { guest, secret, account } => self
                .guest_account(account.as_deref())
                .and_then(|id| Ok((self.guest_uri(&id, &guest, &secret)?, id)))
                .map(|(uri, id)| (id, Some((uri, secret.secret().clone())))),
            CentreCommand::GuestSignOut { account } => {
                self.guest_account(account.as_deref()).map(|id| (id, None))
            }
            _ => Err(ErrorReply::new(Code::UnknownCommand, "no such command")),
        };
        let (id, guest) = match wish {
            Ok(wish) => wish,
            Err(refusal) => return reply(Err(refusal)),
        };
        let Ok(running) = self.running(&id) else { return };
        match &mut running.seat {
            Some(seat) if !seat.is_busy() => {
                running.seat_reply = Some(reply);
                seat.sign(now, guest);
            }
            Some(_) => reply(refused(Failure::Busy)),
            None => reply(refused(Failure::Unavailable)),
        }
    }

    /// The account whose telephone takes guests: the named one, or the first that does.
    fn guest_account(&self, named: Option<&str>) -> Result<String, ErrorReply> {
        let takes = |id: &String| self.centres.get(id).is_some_and(Running::takes_guests);
        let all = self.accounts.iter().map(|account| account.settings.id.clone());
        let mut all = all.filter(|id| named.is_none_or(|named| named == id)).peekable();
        if let (Some(named), None) = (named, all.peek()) {
            return Err(unknown_account(named));
        }
        let none = || ErrorReply::new(Code::NotSupported, "no guest can sign in at this telephone");
        all.find(takes).ok_or_else(none)
    }

    fn guest_uri(&self, id: &str, guest: &str, secret: &Password) -> Result<Uri, ErrorReply> {
        if secret.is_empty() {
            return Err(ErrorReply::new(Code::PasswordNeeded, "a guest has a password or a PIN"));
        }
        if secret.secret().expose_secret().len() > SECRET {
            return Err(ErrorReply::new(Code::BadValue, "the password is too long"));
        }
        let account = self.account(id).ok_or_else(|| unknown_account(id))?;
        self.target(account, guest.trim())
    }

    /// Carries out one thing that a telephone's guest wants; false when none want anything.
    pub(super) fn seats_output(&mut self, now: Instant) -> bool {
        let next = self.centres.running.iter_mut().find_map(|(account, running)| {
            Some((account.clone(), running.seat.as_mut()?.poll_output()?))
        });
        let Some((account, out)) = next else { return false };
        match out {
            Out::Subscribe => {
                let subscription = self.subscribe_hoteling(now, &account, (PACKAGE, DOCUMENT));
                if let Ok(running) = self.running(&account) {
                    running.seat_id = subscription;
                    if subscription.is_none() {
                        running.end_seat();
                    }
                }
            }
            Out::Send(wish) => {
                let body =
                    Body { content_type: DOCUMENT.to_owned(), bytes: wish.write().into_bytes() };
                let id = self.centres.get(&account).and_then(|running| running.seat_id);
                let sent = id.is_some_and(|id| {
                    let sent = self.ua.change_subscription(now, id, body);
                    sent.inspect_err(|error| debug!(%error, "a guest is not asked for")).is_ok()
                });
                if let Some(seat) = self.seat_of(&account).filter(|_| !sent) {
                    seat.not_sent();
                }
            }
            Out::Done(result) => {
                if let Ok(running) = self.running(&account)
                    && let Some(reply) = running.seat_reply.take()
                {
                    reply(result.map_or_else(refused, |()| Ok(Answer::done())));
                }
            }
            Out::Changed => {
                if let Ok(running) = self.running(&account) {
                    running.centre_changed = true;
                }
            }
        }
        true
    }

    fn seat_of(&mut self, account: &str) -> Option<&mut GuestSeat> {
        self.centres.running.get_mut(account)?.seat.as_deref_mut()
    }

    /// Who has the telephone, as it is shown; `None` where no guest can have it.
    pub(super) fn seat_view(&self, running: &Running) -> Option<GuestSeatView> {
        let seat = running.seat.as_ref().filter(|seat| seat.is_known())?;
        let view = |guest: &super::guest::Guest| {
            let number = number_of(&guest.address);
            let peer = PeerView { number: contacts::show(&number), ..PeerView::default() };
            self.named(peer)
        };
        Some(GuestSeatView {
            guest: seat.guest().map(view),
            until_ms: seat.guest().and_then(|guest| guest.until).map(|until| self.clock.ms(until)),
            busy: seat.is_busy(),
        })
    }
}

impl Running {
    fn takes_guests(&self) -> bool {
        self.seat.as_ref().is_some_and(|seat| seat.is_known())
    }

    /// Nothing is told any more. What waits is refused.
    fn end_seat(&mut self) {
        self.seat_id = None;
        if self.seat.take().is_some() {
            self.centre_changed = true;
        }
        self.refuse_guest();
    }

    /// Whoever waits for a guest to be signed in or out waits no longer.
    pub(super) fn refuse_guest(&mut self) {
        if let Some(reply) = self.seat_reply.take() {
            reply(refused(Failure::Unavailable));
        }
    }
}

fn refused(failure: Failure) -> Result<Answer, ErrorReply> {
    Err(match failure {
        Failure::Unavailable => {
            ErrorReply::new(Code::Unavailable, "the exchange cannot be asked at the moment")
        }
        Failure::Busy => ErrorReply::new(Code::WrongState, "a guest is being signed in or out"),
        Failure::WrongSecret => ErrorReply::new(
            Code::AuthFailed,
            "the guest's number and password do not belong together",
        ),
        Failure::Refused => {
            ErrorReply::new(Code::Forbidden, "the exchange takes no such guest here")
        }
        Failure::Status(status) => ErrorReply::new(
            crate::cause::of_registration_status(status, false),
            format!("status {status}"),
        ),
    })
}

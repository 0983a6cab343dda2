//! How messages look on the wire, and mailboxes that phones are told of unasked.
//!
//! Inputs: from the control port `set_look`; from whatever changes a mailbox `tell_mailboxes`.

use std::time::Instant;

use sip_core::Transmit;
use sip_types::{HeaderName, Method, Request};

use super::{Exchange, Output};
use crate::pbx::PbxError;
use crate::sip_look::SipLook;

impl Exchange {
    /// Sets how messages look.
    ///
    /// # Errors
    /// [`PbxError::BadValue`] for more padding than a message can have.
    pub(super) fn set_look(&mut self, look: SipLook) -> Result<usize, PbxError> {
        if look.pad > 32_000 {
            return Err(PbxError::BadValue("an INVITE is padded with 32000 bytes at most".into()));
        }
        self.look = look;
        self.told_mailboxes.clear();
        Ok(1)
    }

    /// Sends a message, as it is to look.
    pub(super) fn transmit(&mut self, transmit: Transmit) {
        let payload = self.look.dress(transmit.payload);
        self.outputs.push_back(Output::Transmit(Transmit { payload, ..transmit }));
    }

    /// Phones whose line's mailbox is another than they were told hear so (RFC 3842), where that is wanted. True if there
    /// were any.
    pub(super) fn tell_mailboxes(&mut self, now: Instant) -> bool {
        let mut any = false;
        if !self.look.unsolicited {
            return any;
        }
        let lines: Vec<String> =
            self.company.accounts.iter().map(|account| account.extension.clone()).collect();
        for line in lines {
            let (new, old) = (self.mailboxes.of(&line).new, self.mailboxes.of(&line).old);
            let routes: Vec<_> = self
                .registrar
                .bindings(&line)
                .iter()
                .map(|binding| (binding.contact.clone(), binding.route()))
                .collect();
            let state = (new, old, routes.len());
            if routes.is_empty() || self.told_mailboxes.get(&line) == Some(&state) {
                continue;
            }
            self.told_mailboxes.insert(line.clone(), state);
            any = true;
            for (contact, route) in routes {
                let request = self.mailbox_notice(&line, contact, (new, old));
                self.ua.send_request(now, request, &route);
            }
        }
        any
    }

    fn mailbox_notice(
        &mut self,
        line: &str,
        contact: sip_types::Uri,
        (new, old): (u32, u32),
    ) -> Request {
        let waiting = if new > 0 { "yes" } else { "no" };
        let body = format!("Messages-Waiting: {waiting}\r\nVoice-Message: {new}/{old} (0/0)\r\n");
        let (from, to, own) = (self.own_uri(), self.uri(line), self.own_uri());
        Request::new(Method::Notify, contact)
            .header(HeaderName::MaxForwards, "70")
            .header(HeaderName::From, format!("<{from}>;tag={}", self.random.token(10)))
            .header(HeaderName::To, format!("<{to}>"))
            .header(HeaderName::CallId, format!("BW{}@{}", self.random.token(20), self.address))
            .header(HeaderName::CSeq, "1 NOTIFY")
            .header(HeaderName::Contact, format!("<{own}>"))
            .header(HeaderName::Event, "message-summary")
            .header(HeaderName::SubscriptionState, "terminated")
            .with_body("application/simple-message-summary", body)
    }
}

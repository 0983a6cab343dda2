//! A telephone that guests sign in at (x-broadworks-hoteling): the guest's number and his password, proved without being
//! sent. What becomes of the telephone then is in `elsewhere`.
//!
//! Inputs: from phones the documents in a SUBSCRIBE (`subscribe_hoteling`). A guest who comes or goes in another way is told
//! as well, since the notifier compares what is with what was told.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use event_packages::{DocumentError, SetHoteling};
use sip_core::digest::nonce_response;
use sip_types::{Request, StatusCode, Uri};

use super::Exchange;
use crate::notifier::{HOTELING, Hosted};

/// How long a guest has a telephone, unless it is said otherwise.
const TERM: Duration = Duration::from_secs(24 * 3_600);

impl Exchange {
    /// A SUBSCRIBE that may carry a wish: it is granted, or a proof asked for, before its state is told.
    pub(super) fn subscribe_hoteling(
        &mut self,
        now: Instant,
        user: &str,
        request: &Request,
    ) -> Result<(), StatusCode> {
        let package = request.headers.event().ok().flatten().map(|event| event.package);
        if package.as_deref() != Some(HOTELING) {
            return Ok(());
        }
        self.notifier.admits(user, request)?;
        // A nonce is good for one try.
        let asked = self.challenges.remove(user);
        if !request.body.is_empty() {
            let wish = SetHoteling::read(&request.body).map_err(|error| match error {
                DocumentError::OtherKind => StatusCode::UNSUPPORTED_MEDIA_TYPE,
                _ => StatusCode::BAD_REQUEST,
            })?;
            match &wish.guest {
                Some(guest) => self.guest_comes(now, user, guest, wish.proof, asked.as_deref()),
                None => self.guest_leaves(now, user),
            }
            self.changed = true;
        }
        self.notifier.know_hosted(self.hosted());
        Ok(())
    }

    fn guest_leaves(&mut self, now: Instant, host: &str) {
        if let Some(guest) = self.guest_of(host).map(str::to_owned) {
            self.be_guest(now, &guest, None);
        }
    }

    /// A guest that there cannot be is refused without a question: the telephone is told who has it.
    fn guest_comes(
        &mut self,
        now: Instant,
        host: &str,
        address: &str,
        proof: Option<(String, String)>,
        asked: Option<&str>,
    ) {
        let user = Uri::parse(address).ok().and_then(|uri| uri.user());
        let guest = user.unwrap_or_default();
        let has_one = self.guest_of(host).is_some_and(|there| there != guest);
        let Some(secret) = self.gate.password(&guest).filter(|_| guest != host && !has_one) else {
            return tracing::info!(%host, %guest, "a guest that there cannot be");
        };
        let is_proved = proof.is_some_and(|(nonce, response)| {
            asked == Some(nonce.as_str())
                && response.eq_ignore_ascii_case(&nonce_response(&nonce, secret))
        });
        match is_proved {
            true => self.be_guest(now, &guest, Some((host.to_owned(), Some(TERM)))),
            false => {
                let nonce = format!("BroadWorksH{}", self.random.token(16));
                self.challenges.insert(host.to_owned(), nonce);
            }
        }
    }

    /// Guests and open questions, by the line whose telephone it is.
    pub(super) fn hosted(&self) -> BTreeMap<String, Hosted> {
        let mut hosted: BTreeMap<String, Hosted> = BTreeMap::new();
        for (guest, at) in self.desk.guests() {
            hosted.entry(at.host.clone()).or_default().guest = Some((guest.to_owned(), at.until));
        }
        for (host, nonce) in &self.challenges {
            hosted.entry(host.clone()).or_default().nonce = Some(nonce.clone());
        }
        hosted
    }
}

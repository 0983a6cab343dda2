//! The client side: remembers each realm's nonce and counts its uses.

use sip_types::{Request, Response};

use super::{AuthError, Credentials};
use crate::Random;

/// Answers challenges with one set of credentials, and signs later requests in advance with the
/// nonces it has learned.
#[derive(Debug)]
pub struct DigestClient {
    credentials: Credentials,
}

impl DigestClient {
    /// A client that has seen no challenge yet.
    pub fn new(credentials: Credentials) -> Self {
        Self { credentials }
    }

    /// Signs a request with every nonce learned so far, replacing what it carries. Without any
    /// nonce the request stays as it is.
    pub fn authorize(&mut self, request: &mut Request, random: &mut Random) {
        let _ = (&self.credentials, request, random);
    }

    /// Learns the challenges of a 401 or 407 and signs the request to be sent again. `request` is
    /// the refused one (its old Authorization headers tell what was refused) with a new CSeq.
    ///
    /// # Errors
    /// When sending it again would be pointless: the user must be asked or told.
    pub fn answer(
        &mut self,
        request: &mut Request,
        refusal: &Response,
        random: &mut Random,
    ) -> Result<(), AuthError> {
        let _ = (request, refusal, random);
        Err(AuthError::NoChallenge)
    }

    /// Learns the `nextnonce` of an Authentication-Info header (RFC 7616 section 3.5). Call it with
    /// final answers that accept a signed request.
    pub fn accepted(&mut self, response: &Response) {
        let _ = response;
    }

    /// Forgets all nonces, for example after the password changed.
    pub fn forget(&mut self) {}
}

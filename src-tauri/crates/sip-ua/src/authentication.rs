//! Answering digest challenges (RFC 3261 section 22) on behalf of an account, and of its own server
//! only: whoever else could make us sign a challenge would have something to guess the password by.

use sip_core::{Route, digest::AuthError};
use sip_types::{HeaderName, Request, Response, StatusCode};

use crate::shared::Cx;

/// How often one request is sent again with credentials: once per proxy on the way, and once more
/// for a stale nonce.
pub(crate) const TRIES: u8 = 4;

/// Why a challenge stays unanswered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unanswered {
    /// The account has no credentials.
    #[error("a user name and a password are needed")]
    Missing,
    /// It was asked for on the way to somebody who is not the account's server.
    #[error("somebody who is not the account's server asks for a sign-in")]
    Foreign,
    /// The challenge itself.
    #[error(transparent)]
    Challenge(#[from] AuthError),
}

impl Unanswered {
    /// Whether the server is at fault and the credentials are not refused.
    pub(crate) fn is_trouble(&self) -> bool {
        matches!(self, Self::Challenge(AuthError::StaleLoop { .. }))
    }
}

/// Whether a response asks for credentials.
pub(crate) fn is_challenge(response: &Response) -> bool {
    matches!(response.status, StatusCode::UNAUTHORIZED | StatusCode::PROXY_AUTHENTICATION_REQUIRED)
}

/// Signs a request that travels over `route` with what earlier challenges taught, saving a round
/// trip. One that goes elsewhere than to the account's server carries no credentials.
pub(crate) fn sign(cx: &mut Cx<'_>, request: &mut Request, route: &Route) {
    let own = cx.account.is_server_at(route.target.addr);
    match &mut cx.account.digest {
        Some(digest) if own => digest.authorize(request, &mut cx.shared.random),
        _ => strip(request),
    }
}

fn strip(request: &mut Request) {
    request.headers.remove(&HeaderName::Authorization);
    request.headers.remove(&HeaderName::ProxyAuthorization);
}

/// Makes the `request` that was refused over `route` ready to be sent again with the CSeq `seq`.
pub(crate) fn answer(
    cx: &mut Cx<'_>,
    request: &mut Request,
    refusal: &Response,
    (seq, route): (u32, &Route),
) -> Result<(), Unanswered> {
    let own = cx.account.is_server_at(route.target.addr);
    let answered = match &mut cx.account.digest {
        None => Err(Unanswered::Missing),
        Some(_) if !own => Err(Unanswered::Foreign),
        Some(digest) => {
            let cseq = format!("{seq} {}", request.method.as_str());
            request.headers.set(HeaderName::CSeq, cseq);
            digest.answer(request, refusal, &mut cx.shared.random).map_err(Unanswered::from)
        }
    };
    if let Err(error) = &answered {
        tracing::debug!(method = request.method.as_str(), %error, "the challenge stays unanswered");
    }
    answered
}

/// Learns from the acceptance of a request that was signed.
pub(crate) fn accepted(cx: &mut Cx<'_>, request: &Request, response: &Response) {
    if response.status.is_success()
        && let Some(digest) = &mut cx.account.digest
    {
        digest.accepted(request, response);
    }
}

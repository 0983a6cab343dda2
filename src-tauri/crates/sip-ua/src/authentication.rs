//! Answering digest challenges (RFC 3261 section 22) on behalf of an account.

use sip_types::{HeaderName, Request, Response, StatusCode};

use crate::shared::Cx;

/// How often one request is sent again with credentials: once per proxy on the way, and once more
/// for a stale nonce.
pub(crate) const TRIES: u8 = 4;

/// Whether a response asks for credentials.
pub(crate) fn is_challenge(response: &Response) -> bool {
    matches!(response.status, StatusCode::UNAUTHORIZED | StatusCode::PROXY_AUTHENTICATION_REQUIRED)
}

/// Signs a request with what earlier challenges taught, saving a round trip.
pub(crate) fn sign(cx: &mut Cx<'_>, request: &mut Request) {
    if let Some(digest) = &mut cx.account.digest {
        digest.authorize(request, &mut cx.shared.random);
    }
}

/// Makes the refused `request` ready to be sent again with the CSeq `seq`. `false`: there are no
/// credentials, or these have been refused.
pub(crate) fn answer(cx: &mut Cx<'_>, request: &mut Request, refusal: &Response, seq: u32) -> bool {
    let Some(digest) = &mut cx.account.digest else { return false };
    let cseq = format!("{seq} {}", request.method.as_str());
    request.headers.set(HeaderName::CSeq, cseq);
    match digest.answer(request, refusal, &mut cx.shared.random) {
        Ok(()) => true,
        Err(error) => {
            tracing::debug!(method = request.method.as_str(), %error, "the challenge stays unanswered");
            false
        }
    }
}

/// Learns from the acceptance of a signed request.
pub(crate) fn accepted(cx: &mut Cx<'_>, response: &Response) {
    if response.status.is_success()
        && let Some(digest) = &mut cx.account.digest
    {
        digest.accepted(response);
    }
}

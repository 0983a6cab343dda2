//! Targets that read SIP: one message, and a byte stream of them.

use sip_core::framing::{Frame, FramingError, FramingLimits, StreamFramer};
use sip_types::{
    HeaderName, Headers, Message, Response, StatusCode, Uri, inspect, validate, validate_response,
};

/// One datagram: read, judged, answered, every header looked at, and written to bytes that read back the same.
///
/// # Panics
/// When a promise of `sip-types` is broken.
pub fn sip_message(data: &[u8]) {
    let seen = inspect(data);
    let parsed = Message::parse(data);
    assert!(parsed.is_ok() || !seen.ok, "what cannot be read cannot be valid");
    let message = match parsed {
        Ok(message) => message,
        Err(error) => {
            let answerable = error.status().is_some();
            let Some(partial) = error.partial else { return };
            assert!(
                answerable
                    || !matches!(*partial, Message::Request(ref r) if r.method.as_str() != "ACK")
            );
            *partial
        }
    };
    read_headers(message.headers());
    read_uri(&message);
    answer(&message);
    if seen.ok {
        reads_back(&message);
    }
}

/// A stream, cut in chunks whose size its first byte gives: the frames must be those of the stream in one piece.
///
/// # Panics
/// When they are not, or the framer holds back more than its limits allow.
pub fn stream_framing(data: &[u8]) {
    let Some((&first, stream)) = data.split_first() else { return };
    let limits = FramingLimits { head: 2048, body: 4096 };
    let whole = frames(stream, usize::MAX, limits);
    let cut = frames(stream, usize::from(first % 32) + 1, limits);
    assert_eq!(whole, cut, "frames do not depend on the borders of chunks");
    for frame in whole.into_iter().flatten() {
        if let Frame::Message(bytes) = frame {
            sip_message(&bytes);
        }
    }
}

fn frames(stream: &[u8], chunk: usize, limits: FramingLimits) -> Vec<Result<Frame, FramingError>> {
    let mut framer = StreamFramer::new(limits);
    let mut out = Vec::new();
    for part in stream.chunks(chunk.clamp(1, stream.len().max(1))) {
        framer.push(part);
        while let Some(frame) = framer.next() {
            let failed = frame.is_err();
            out.push(frame);
            if failed {
                return out;
            }
        }
        assert!(
            framer.buffered() <= limits.head + limits.body + part.len(),
            "the buffer is bounded"
        );
    }
    out
}

fn reads_back(message: &Message) {
    let bytes = message.to_bytes();
    let Ok(mut again) = Message::parse(&bytes) else {
        panic!("what was written does not read: {}", String::from_utf8_lossy(&bytes));
    };
    assert_eq!(again.to_bytes(), bytes, "writing is stable");
    let mut message = message.clone();
    message.headers_mut().remove(&HeaderName::ContentLength);
    again.headers_mut().remove(&HeaderName::ContentLength);
    assert_eq!(again, message, "what is written reads back");
}

fn answer(message: &Message) {
    match message {
        Message::Request(request) => {
            let _ = validate(request);
            let mut response = Response::to_request(request, StatusCode::TRYING);
            response.set_to_tag("fuzz");
            let _ = Message::parse(&response.to_bytes());
        }
        Message::Response(response) => {
            let _ = (validate_response(response), response.is_misrouted());
        }
    }
}

fn read_uri(message: &Message) {
    let Message::Request(request) = message else { return };
    let uri = &request.uri;
    let _ = (uri.user(), uri.host(), uri.headers(), uri.transport(), uri.equivalent(uri));
    let changed = uri.clone().with_param("lr", None).without_param("transport").without_headers();
    if uri.is_sip() {
        assert!(Uri::parse(changed.as_str()).is_ok(), "{changed} is no URI any more");
    }
}

fn read_headers(headers: &Headers) {
    let _ = (headers.vias(), headers.from(), headers.to(), headers.call_id(), headers.cseq());
    let _ = (headers.contacts(), headers.routes(), headers.record_routes(), headers.paths());
    let _ = (headers.service_routes(), headers.asserted_identities(), headers.diversions());
    let _ = (headers.history_info(), headers.refer_to(), headers.referred_by());
    let _ = (headers.replaces(), headers.session_expires(), headers.min_se(), headers.rack());
    let _ = (headers.rseq(), headers.event(), headers.subscription_state(), headers.reasons());
    let _ = (headers.warnings(), headers.retry_after(), headers.alert_info(), headers.accept());
    let _ = (headers.require(), headers.supported(), headers.allow(), headers.content_type());
    let _ = headers.challenges(&HeaderName::WwwAuthenticate);
    let _ = headers.credentials(&HeaderName::Authorization);
    let mut copy = headers.clone();
    if let (Ok(via), Ok(before)) = (copy.via_top(), copy.vias()) {
        copy.set_via_top(&via);
        assert_eq!(copy.vias().as_ref(), Ok(&before), "putting the top Via back changes nothing");
        assert!(copy.remove_via_top());
        assert_eq!(copy.vias().map_or(0, |vias| vias.len()) + 1, before.len());
    }
}

/// A datagram that comes back on a flow kept alive by STUN: read for the address in it.
///
/// # Panics
/// When a promise of `sip-transport` is broken.
pub fn stun_answer(data: &[u8]) {
    let address = sip_transport::read_binding_answer(data);
    let is_answer = matches!(data.get(..2), Some([0x01, 0x01]));
    assert!(address.is_none() || is_answer, "an address was read from no answer: {address:?}");
}

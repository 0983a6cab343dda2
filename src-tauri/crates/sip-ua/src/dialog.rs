//! A dialog (RFC 3261 section 12): its tags, sequence numbers, route set and remote target.
//!
//! No state machine: what it is used for decides when it begins and ends.

use sip_types::{HeaderName, Headers, Method, NameAddr, Request, Response, Uri};

/// One dialog, early or confirmed.
#[derive(Clone, Debug)]
pub(crate) struct Dialog {
    pub call_id: String,
    /// Our side: From in our requests, To in the peer's. With our tag.
    pub local: NameAddr,
    /// The peer's side. Its tag may be missing where the peer is older than RFC 3261.
    pub remote: NameAddr,
    /// The peer's Contact.
    pub remote_target: Uri,
    /// Route values in the order they are to be sent.
    pub route_set: Vec<NameAddr>,
    /// CSeq of our latest request.
    pub local_seq: u32,
    /// CSeq of the peer's latest request.
    pub remote_seq: Option<u32>,
}

/// The name of a dialog (section 12): Call-ID and both tags, as seen from our side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DialogId {
    pub call_id: String,
    pub local_tag: Option<String>,
    pub remote_tag: Option<String>,
}

impl DialogId {
    /// The dialog a request of the peer belongs to.
    pub(crate) fn of_request(headers: &Headers) -> Option<Self> {
        let (from, to) = (headers.from().ok()?, headers.to().ok()?);
        Some(Self {
            call_id: headers.call_id().ok()?,
            local_tag: to.tag().map(str::to_owned),
            remote_tag: from.tag().map(str::to_owned),
        })
    }

    /// The dialog a response to a request of ours belongs to.
    pub(crate) fn of_response(headers: &Headers) -> Option<Self> {
        let Self { call_id, local_tag, remote_tag } = Self::of_request(headers)?;
        Some(Self { call_id, local_tag: remote_tag, remote_tag: local_tag })
    }
}

/// A message that cannot found a dialog.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the message cannot begin a dialog")]
pub(crate) struct NoDialog;

impl Dialog {
    /// The dialog that a response to our INVITE founds (section 12.1.2). `None` Contact in a
    /// careless 2xx leaves the Request-URI as the target.
    pub(crate) fn from_response(response: &Response, fallback: &Uri) -> Result<Self, NoDialog> {
        let headers = &response.headers;
        let mut route_set = headers.record_routes().map_err(|_| NoDialog)?;
        route_set.reverse();
        Ok(Self {
            call_id: headers.call_id().map_err(|_| NoDialog)?,
            local: headers.from().map_err(|_| NoDialog)?,
            remote: headers.to().map_err(|_| NoDialog)?,
            remote_target: contact_uri(headers).unwrap_or_else(|| fallback.clone()),
            route_set,
            local_seq: headers.cseq().map_err(|_| NoDialog)?.number,
            remote_seq: None,
        })
    }

    /// The dialog that an INVITE of the peer founds with `tag` as ours (section 12.1.1).
    pub(crate) fn from_request(
        request: &Request,
        tag: &str,
        first_seq: u32,
    ) -> Result<Self, NoDialog> {
        let headers = &request.headers;
        let remote = headers.from().map_err(|_| NoDialog)?;
        // RFC 2543 demanded no Contact; the caller is then where it says it is from.
        let target = contact_uri(headers).unwrap_or_else(|| remote.uri.clone());
        Ok(Self {
            call_id: headers.call_id().map_err(|_| NoDialog)?,
            local: headers.to().map_err(|_| NoDialog)?.with_tag(tag),
            remote,
            remote_target: target,
            route_set: headers.record_routes().map_err(|_| NoDialog)?,
            local_seq: first_seq,
            remote_seq: Some(headers.cseq().map_err(|_| NoDialog)?.number),
        })
    }

    /// This dialog's name.
    pub(crate) fn name(&self) -> DialogId {
        let tag = |side: &NameAddr| side.tag().map(str::to_owned);
        let (local_tag, remote_tag) = (tag(&self.local), tag(&self.remote));
        DialogId { call_id: self.call_id.clone(), local_tag, remote_tag }
    }

    /// Whether that is this dialog's name.
    pub(crate) fn is_named(&self, id: &DialogId) -> bool {
        id.call_id == self.call_id
            && id.local_tag.as_deref() == self.local.tag()
            && id.remote_tag.as_deref() == self.remote.tag()
    }

    /// The next request of ours in this dialog (section 12.2.1.1), without Via and Contact.
    pub(crate) fn request(&mut self, method: Method) -> Request {
        self.local_seq = self.local_seq.wrapping_add(1);
        self.request_with_seq(method, self.local_seq)
    }

    /// The ACK for a 2xx to our INVITE with this CSeq (section 13.2.2.4).
    pub(crate) fn ack(&self, invite_seq: u32) -> Request {
        self.request_with_seq(Method::Ack, invite_seq)
    }

    fn request_with_seq(&self, method: Method, seq: u32) -> Request {
        let mut routes = self.route_set.clone();
        let strict = routes.first().is_some_and(|first| !first.uri.lr());
        let mut uri = self.remote_target.clone();
        if strict {
            // A strict router wants itself as Request-URI and the target as the last Route.
            let first = routes.remove(0);
            routes.push(NameAddr::new(uri));
            uri = first.uri;
        }
        let cseq = format!("{seq} {}", method.as_str());
        let mut request = Request::new(method, uri);
        let headers = &mut request.headers;
        for route in &routes {
            headers.push(HeaderName::Route, route.to_string());
        }
        headers.push(HeaderName::MaxForwards, "70");
        headers.push(HeaderName::From, self.local.to_string());
        headers.push(HeaderName::To, self.remote.to_string());
        headers.push(HeaderName::CallId, self.call_id.clone());
        headers.push(HeaderName::CSeq, cseq);
        request
    }

    /// Where our requests go first (section 8.1.2).
    pub(crate) fn next_hop(&self) -> &Uri {
        self.route_set.first().map_or(&self.remote_target, |first| &first.uri)
    }

    /// Takes over the peer's CSeq; `false` if it is lower than the last, which is answered with
    /// 500 (section 12.2.2). An ACK or CANCEL carries its INVITE's and is not asked here.
    pub(crate) fn advance_remote(&mut self, seq: u32) -> bool {
        if self.remote_seq.is_some_and(|last| seq < last) {
            return false;
        }
        self.remote_seq = Some(seq);
        true
    }

    /// The 2xx that confirms this early dialog decides on target and route set (section 13.2.2.4);
    /// the sequence numbers go on.
    pub(crate) fn confirm(&mut self, by: Self) {
        let (local_seq, remote_seq) = (self.local_seq.max(by.local_seq), self.remote_seq);
        *self = Self { local_seq, remote_seq, ..by };
    }

    /// Takes over the peer's Contact from a target refresh (re-INVITE or its 2xx).
    pub(crate) fn refresh_target(&mut self, headers: &Headers) {
        if let Some(uri) = contact_uri(headers) {
            self.remote_target = uri;
        }
    }
}

/// The URI of the one Contact of a request or response within INVITE.
pub(crate) fn contact_uri(headers: &Headers) -> Option<Uri> {
    let contacts = headers.contacts().ok()?;
    contacts.into_iter().find_map(|contact| match contact {
        sip_types::ContactValue::Address(address) if address.uri.is_sip() => Some(address.uri),
        _ => None,
    })
}

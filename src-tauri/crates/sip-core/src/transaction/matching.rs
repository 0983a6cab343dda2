//! Which transaction a message belongs to (RFC 3261 sections 17.1.3, 17.2.3, 8.2.2.2 and 9.2).

use sip_types::{Headers, Method, Request, Response, Via};

/// What a response is matched by: the branch of its only Via and the method of its CSeq.
///
/// The sent-by is not compared, although section 18.1.2 asks for it: the branch is random and ours
/// alone, and routers that rewrite addresses in SIP often forget the way back.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct ClientMatch {
    pub(super) branch: String,
    pub(super) method: Method,
}

/// What a request is matched by.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum ServerMatch {
    /// The branch identifies the transaction, together with who made it.
    Branch { branch: String, host: String, port: u16, method: Method },
    /// An RFC 2543 client: everything that stays the same in its retransmissions and its ACK. The
    /// To tag is not here, since an ACK carries the one of our answer.
    Legacy {
        uri: String,
        from_tag: String,
        call_id: String,
        cseq: u32,
        via: String,
        method: Method,
    },
}

/// What two copies of one request have in common that reached us on different ways.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct MergeKey {
    from_tag: String,
    call_id: String,
    cseq: u32,
    method: Method,
}

impl ClientMatch {
    /// `None` when the response has no readable Via and CSeq, or more than one Via: that one has
    /// gone astray (section 8.1.3.3).
    pub(super) fn of(response: &Response) -> Option<Self> {
        let vias = response.headers.vias().ok()?;
        let [via] = vias.as_slice() else { return None };
        let branch = via.branch()?.to_owned();
        Some(Self { branch, method: response.headers.cseq().ok()?.method })
    }
}

impl ServerMatch {
    /// The key of the transaction `request` starts, repeats or (as ACK or CANCEL) refers to.
    pub(super) fn of(request: &Request, via: &Via) -> Option<Self> {
        let method = match &request.method {
            Method::Ack | Method::Cancel => Method::Invite,
            other => other.clone(),
        };
        match via.branch() {
            Some(branch) if via.has_rfc3261_branch() => Some(Self::Branch {
                branch: branch.to_owned(),
                host: via.host.to_string().to_ascii_lowercase(),
                port: via.port.unwrap_or(5060),
                method,
            }),
            _ => Some(Self::Legacy {
                uri: request.uri.as_str().to_owned(),
                from_tag: from_tag(&request.headers),
                call_id: request.headers.call_id().ok()?,
                cseq: request.headers.cseq().ok()?.number,
                via: via.to_string(),
                method,
            }),
        }
    }

    /// The same transaction's CANCEL, which is a transaction of its own.
    pub(super) fn cancelling(self) -> Self {
        let cancel = Method::Cancel;
        match self {
            Self::Branch { branch, host, port, .. } => {
                Self::Branch { branch, host, port, method: cancel }
            }
            Self::Legacy { uri, from_tag, call_id, cseq, via, .. } => {
                Self::Legacy { uri, from_tag, call_id, cseq, via, method: cancel }
            }
        }
    }

    pub(super) fn is_legacy(&self) -> bool {
        matches!(self, Self::Legacy { .. })
    }
}

impl MergeKey {
    /// `None` for a request within a dialog: only one without a To tag can have been forked.
    pub(super) fn of(request: &Request) -> Option<Self> {
        if to_tag(&request.headers).is_some() {
            return None;
        }
        Some(Self {
            from_tag: from_tag(&request.headers),
            call_id: request.headers.call_id().ok()?,
            cseq: request.headers.cseq().ok()?.number,
            method: request.method.clone(),
        })
    }
}

/// The To tag, if there is one.
pub(super) fn to_tag(headers: &Headers) -> Option<String> {
    headers.to().ok()?.tag().map(str::to_owned)
}

fn from_tag(headers: &Headers) -> String {
    headers.from().ok().and_then(|from| from.tag().map(str::to_owned)).unwrap_or_default()
}

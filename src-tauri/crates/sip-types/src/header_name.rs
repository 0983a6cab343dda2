//! Owns header names: canonical spellings and compact forms (RFC 3261 section 7.3.3 and the IANA register).

use std::fmt;
use std::hash::{Hash, Hasher};

macro_rules! names {
    ($($variant:ident = $canonical:literal $(, $compact:literal)?;)*) => {
        /// A header's name. Known names compare whatever case or compact form they were written in;
        /// others keep their spelling and compare without regard to case.
        #[derive(Debug, Clone)]
        pub enum HeaderName {
            $(#[doc = concat!("`", $canonical, "`", $(", compact `", $compact, "`")?)] $variant,)*
            /// Any other name, as written.
            Other(String),
        }

        impl HeaderName {
            /// The name in its canonical long form.
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $canonical,)*
                    Self::Other(name) => name,
                }
            }

            fn known(name: &str) -> Option<Self> {
                $(if name.eq_ignore_ascii_case($canonical) $(|| name.eq_ignore_ascii_case($compact))? {
                    return Some(Self::$variant);
                })*
                None
            }

            #[cfg(test)]
            const ALL: &'static [(&'static str, &'static [&'static str])] =
                &[$(($canonical, &[$($compact)?]),)*];
        }
    };
}

names! {
    Via = "Via", "v";
    From = "From", "f";
    To = "To", "t";
    CallId = "Call-ID", "i";
    CSeq = "CSeq";
    Contact = "Contact", "m";
    ContentLength = "Content-Length", "l";
    ContentType = "Content-Type", "c";
    ContentEncoding = "Content-Encoding", "e";
    ContentDisposition = "Content-Disposition";
    ContentLanguage = "Content-Language";
    ContentId = "Content-ID";
    MaxForwards = "Max-Forwards";
    Route = "Route";
    RecordRoute = "Record-Route";
    Path = "Path";
    ServiceRoute = "Service-Route";
    Expires = "Expires";
    MinExpires = "Min-Expires";
    Require = "Require";
    ProxyRequire = "Proxy-Require";
    Supported = "Supported", "k";
    Unsupported = "Unsupported";
    Allow = "Allow";
    AllowEvents = "Allow-Events", "u";
    Accept = "Accept";
    AcceptEncoding = "Accept-Encoding";
    AcceptLanguage = "Accept-Language";
    Authorization = "Authorization";
    ProxyAuthorization = "Proxy-Authorization";
    WwwAuthenticate = "WWW-Authenticate";
    ProxyAuthenticate = "Proxy-Authenticate";
    AuthenticationInfo = "Authentication-Info";
    UserAgent = "User-Agent";
    Server = "Server";
    Subject = "Subject", "s";
    Organization = "Organization";
    Priority = "Priority";
    Privacy = "Privacy";
    Date = "Date";
    Timestamp = "Timestamp";
    MimeVersion = "MIME-Version";
    RetryAfter = "Retry-After";
    Reason = "Reason";
    Warning = "Warning";
    ErrorInfo = "Error-Info";
    AlertInfo = "Alert-Info";
    CallInfo = "Call-Info";
    PAssertedIdentity = "P-Asserted-Identity";
    PPreferredIdentity = "P-Preferred-Identity";
    PCalledPartyId = "P-Called-Party-ID";
    PAssociatedUri = "P-Associated-URI";
    PAccessNetworkInfo = "P-Access-Network-Info";
    RemotePartyId = "Remote-Party-ID";
    Diversion = "Diversion";
    HistoryInfo = "History-Info";
    ReferTo = "Refer-To", "r";
    ReferredBy = "Referred-By", "b";
    ReferSub = "Refer-Sub";
    TargetDialog = "Target-Dialog";
    Replaces = "Replaces";
    Join = "Join";
    Event = "Event", "o";
    SubscriptionState = "Subscription-State";
    SipETag = "SIP-ETag";
    SipIfMatch = "SIP-If-Match";
    SessionExpires = "Session-Expires", "x";
    MinSe = "Min-SE";
    RAck = "RAck";
    RSeq = "RSeq";
    AnswerMode = "Answer-Mode";
    InfoPackage = "Info-Package";
    RecvInfo = "Recv-Info";
    FlowTimer = "Flow-Timer";
    InReplyTo = "In-Reply-To";
    ReplyTo = "Reply-To";
    RequestDisposition = "Request-Disposition", "d";
    AcceptContact = "Accept-Contact", "a";
    RejectContact = "Reject-Contact", "j";
    Identity = "Identity", "y";
    SecurityClient = "Security-Client";
    SecurityServer = "Security-Server";
    SecurityVerify = "Security-Verify";
}

impl HeaderName {
    /// The name for a spelling, whatever its case, compact or long. No check that it is a token.
    pub fn new(name: &str) -> Self {
        Self::known(name).unwrap_or_else(|| Self::Other(name.to_owned()))
    }

    /// Whether the header holds a list, so that several rows and one row with commas mean the same
    /// (RFC 3261 section 7.3.1). Credentials and challenges are not lists in that sense.
    pub fn is_list(&self) -> bool {
        matches!(
            self,
            Self::Via
                | Self::Contact
                | Self::Route
                | Self::RecordRoute
                | Self::Path
                | Self::ServiceRoute
                | Self::Require
                | Self::ProxyRequire
                | Self::Supported
                | Self::Unsupported
                | Self::Allow
                | Self::AllowEvents
                | Self::Accept
                | Self::AcceptEncoding
                | Self::AcceptLanguage
                | Self::ContentEncoding
                | Self::ContentLanguage
                | Self::Reason
                | Self::Warning
                | Self::ErrorInfo
                | Self::AlertInfo
                | Self::CallInfo
                | Self::PAssertedIdentity
                | Self::PPreferredIdentity
                | Self::PAssociatedUri
                | Self::RemotePartyId
                | Self::Diversion
                | Self::HistoryInfo
                | Self::InReplyTo
                | Self::RecvInfo
        )
    }
}

impl PartialEq for HeaderName {
    fn eq(&self, other: &Self) -> bool {
        self.as_str().eq_ignore_ascii_case(other.as_str())
    }
}

impl Eq for HeaderName {}

impl Hash for HeaderName {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_str().to_ascii_lowercase().hash(state);
    }
}

impl fmt::Display for HeaderName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl From<&str> for HeaderName {
    fn from(name: &str) -> Self {
        Self::new(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_reads_in_any_case_and_compact() {
        for (canonical, compact) in HeaderName::ALL {
            let name = HeaderName::new(&canonical.to_ascii_uppercase());
            assert_eq!(name.as_str(), *canonical);
            for short in *compact {
                assert_eq!(HeaderName::new(short), name);
                assert_eq!(HeaderName::new(&short.to_uppercase()), name);
            }
        }
    }

    #[test]
    fn unknown_names_keep_their_spelling() {
        let name = HeaderName::new("X-Custom");
        assert_eq!(name.as_str(), "X-Custom");
        assert_eq!(name, HeaderName::new("x-CUSTOM"));
        assert_ne!(name, HeaderName::new("x-other"));
    }
}

//! Owns status codes and their default phrases.

use std::fmt;

use rsip::StatusCode as Known;

/// A status code from 100 to 699 (RFC 3261 section 21).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StatusCode(u16);

macro_rules! codes {
    ($($name:ident = $code:literal, $known:ident, $phrase:literal;)*) => {
        impl StatusCode {
            $(#[doc = $phrase] pub const $name: StatusCode = StatusCode($code);)*

            /// The default phrase: the one the RFC gives, or the name of the code's class.
            pub fn reason(self) -> &'static str {
                // The vocabulary has 201 here; SIP's is 202 (RFC 6665).
                if self == Self::ACCEPTED {
                    return "Accepted";
                }
                match Known::from(self.0) {
                    $(Known::$known => $phrase,)*
                    _ => self.class_phrase(),
                }
            }
        }

        #[cfg(test)]
        const TABLE: &[(StatusCode, Known, &str)] =
            &[$((StatusCode::$name, Known::$known, $phrase),)*];
    };
}

codes! {
    TRYING = 100, Trying, "Trying";
    RINGING = 180, Ringing, "Ringing";
    CALL_IS_BEING_FORWARDED = 181, CallIsBeingForwarded, "Call Is Being Forwarded";
    QUEUED = 182, Queued, "Queued";
    SESSION_PROGRESS = 183, SessionProgress, "Session Progress";
    EARLY_DIALOG_TERMINATED = 199, EarlyDialogTerminated, "Early Dialog Terminated";
    OK = 200, OK, "OK";
    ACCEPTED = 202, Accepted, "Accepted";
    NO_NOTIFICATION = 204, NoNotification, "No Notification";
    MULTIPLE_CHOICES = 300, MultipleChoices, "Multiple Choices";
    MOVED_PERMANENTLY = 301, MovedPermanently, "Moved Permanently";
    MOVED_TEMPORARILY = 302, MovedTemporarily, "Moved Temporarily";
    USE_PROXY = 305, UseProxy, "Use Proxy";
    ALTERNATIVE_SERVICE = 380, AlternativeService, "Alternative Service";
    BAD_REQUEST = 400, BadRequest, "Bad Request";
    UNAUTHORIZED = 401, Unauthorized, "Unauthorized";
    PAYMENT_REQUIRED = 402, PaymentRequired, "Payment Required";
    FORBIDDEN = 403, Forbidden, "Forbidden";
    NOT_FOUND = 404, NotFound, "Not Found";
    METHOD_NOT_ALLOWED = 405, MethodNotAllowed, "Method Not Allowed";
    NOT_ACCEPTABLE = 406, NotAcceptable, "Not Acceptable";
    PROXY_AUTHENTICATION_REQUIRED = 407, ProxyAuthenticationRequired, "Proxy Authentication Required";
    REQUEST_TIMEOUT = 408, RequestTimeout, "Request Timeout";
    GONE = 410, Gone, "Gone";
    CONDITIONAL_REQUEST_FAILED = 412, ConditionalRequestFailed, "Conditional Request Failed";
    REQUEST_ENTITY_TOO_LARGE = 413, RequestEntityTooLarge, "Request Entity Too Large";
    REQUEST_URI_TOO_LONG = 414, RequestUriTooLong, "Request-URI Too Long";
    UNSUPPORTED_MEDIA_TYPE = 415, UnsupportedMediaType, "Unsupported Media Type";
    UNSUPPORTED_URI_SCHEME = 416, UnsupportedUriScheme, "Unsupported URI Scheme";
    BAD_EXTENSION = 420, BadExtension, "Bad Extension";
    EXTENSION_REQUIRED = 421, ExtensionRequired, "Extension Required";
    SESSION_INTERVAL_TOO_SMALL = 422, SessionIntervalTooSmall, "Session Interval Too Small";
    INTERVAL_TOO_BRIEF = 423, IntervalTooBrief, "Interval Too Brief";
    ANONYMITY_DISALLOWED = 433, AnonymityDisallowed, "Anonymity Disallowed";
    FIRST_HOP_LACKS_OUTBOUND_SUPPORT = 439, FirstHopLacksOutboundSupport, "First Hop Lacks Outbound Support";
    BAD_INFO_PACKAGE = 469, BadInfoPackage, "Bad Info Package";
    TEMPORARILY_UNAVAILABLE = 480, TemporarilyUnavailable, "Temporarily Unavailable";
    CALL_TRANSACTION_DOES_NOT_EXIST = 481, CallTransactionDoesNotExist, "Call/Transaction Does Not Exist";
    LOOP_DETECTED = 482, LoopDetected, "Loop Detected";
    TOO_MANY_HOPS = 483, TooManyHops, "Too Many Hops";
    ADDRESS_INCOMPLETE = 484, AddressIncomplete, "Address Incomplete";
    AMBIGUOUS = 485, Ambiguous, "Ambiguous";
    BUSY_HERE = 486, BusyHere, "Busy Here";
    REQUEST_TERMINATED = 487, RequestTerminated, "Request Terminated";
    NOT_ACCEPTABLE_HERE = 488, NotAcceptableHere, "Not Acceptable Here";
    BAD_EVENT = 489, BadEvent, "Bad Event";
    REQUEST_PENDING = 491, RequestPending, "Request Pending";
    UNDECIPHERABLE = 493, Undecipherable, "Undecipherable";
    SECURITY_AGREEMENT_REQUIRED = 494, SecurityAgreementRequired, "Security Agreement Required";
    SERVER_INTERNAL_ERROR = 500, ServerInternalError, "Server Internal Error";
    NOT_IMPLEMENTED = 501, NotImplemented, "Not Implemented";
    BAD_GATEWAY = 502, BadGateway, "Bad Gateway";
    SERVICE_UNAVAILABLE = 503, ServiceUnavailable, "Service Unavailable";
    SERVER_TIMEOUT = 504, ServerTimeOut, "Server Time-out";
    VERSION_NOT_SUPPORTED = 505, VersionNotSupported, "Version Not Supported";
    MESSAGE_TOO_LARGE = 513, MessageTooLarge, "Message Too Large";
    PRECONDITION_FAILURE = 580, PreconditionFailure, "Precondition Failure";
    BUSY_EVERYWHERE = 600, BusyEverywhere, "Busy Everywhere";
    DECLINE = 603, Decline, "Decline";
    DOES_NOT_EXIST_ANYWHERE = 604, DoesNotExistAnywhere, "Does Not Exist Anywhere";
    NOT_ACCEPTABLE_ANYWHERE = 606, NotAcceptableGlobal, "Not Acceptable";
    UNWANTED = 607, Unwanted, "Unwanted";
}

impl StatusCode {
    /// A code from 100 to 699; `None` outside.
    pub fn new(code: u16) -> Option<Self> {
        (100..=699).contains(&code).then_some(Self(code))
    }

    /// The number.
    pub fn code(self) -> u16 {
        self.0
    }

    /// 1xx.
    pub fn is_provisional(self) -> bool {
        self.0 < 200
    }

    /// 2xx.
    pub fn is_success(self) -> bool {
        (200..300).contains(&self.0)
    }

    /// 3xx.
    pub fn is_redirection(self) -> bool {
        (300..400).contains(&self.0)
    }

    /// 4xx.
    pub fn is_client_error(self) -> bool {
        (400..500).contains(&self.0)
    }

    /// 5xx.
    pub fn is_server_error(self) -> bool {
        (500..600).contains(&self.0)
    }

    /// 6xx.
    pub fn is_global_failure(self) -> bool {
        self.0 >= 600
    }

    /// 2xx to 6xx.
    pub fn is_final(self) -> bool {
        self.0 >= 200
    }

    /// 4xx to 6xx.
    pub fn is_failure(self) -> bool {
        self.0 >= 400
    }

    /// What a code nobody knows is treated as: x00 of its class, 183 for a provisional one (RFC 3261 section 8.1.3.2).
    fn class_phrase(self) -> &'static str {
        match self.0 / 100 {
            1 => "Session Progress",
            2 => "OK",
            3 => "Redirection",
            4 => "Bad Request",
            5 => "Server Internal Error",
            _ => "Global Failure",
        }
    }
}

impl fmt::Display for StatusCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl TryFrom<u16> for StatusCode {
    type Error = crate::ValueError;

    fn try_from(code: u16) -> Result<Self, Self::Error> {
        Self::new(code).ok_or_else(|| format!("{code} is not a status code").into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_vocabulary_agrees() {
        for (status, known, phrase) in TABLE {
            if *status != StatusCode::ACCEPTED {
                assert_eq!(known.code(), status.code(), "{phrase}");
            }
            assert_eq!(status.reason(), *phrase);
        }
    }

    #[test]
    fn classes_and_bounds() {
        assert!(StatusCode::new(99).is_none() && StatusCode::new(700).is_none());
        let odd = StatusCode::new(499).unwrap();
        assert!(odd.is_client_error() && odd.is_final() && odd.is_failure());
        assert_eq!(odd.reason(), "Bad Request");
        assert!(StatusCode::RINGING.is_provisional() && !StatusCode::RINGING.is_final());
        assert!(StatusCode::OK.is_success() && StatusCode::MOVED_TEMPORARILY.is_redirection());
        assert!(
            StatusCode::DECLINE.is_global_failure() && StatusCode::BAD_GATEWAY.is_server_error()
        );
    }
}

//! Owns the typed views of headers: each reads its rows anew and says what is wrong with them.

use std::str::FromStr;

use super::Headers;
use crate::scan::{comma_list, delta_seconds, digits, trim};
use crate::{
    AlertInfo, Authorization, CSeq, Challenge, ContactValue, Event, HeaderError, HeaderName,
    HistoryEntry, MediaType, Method, NameAddr, RAck, Reason, Replaces, RetryAfter, SessionExpires,
    SubscriptionState, TargetDialog, ValueError, Via, Warning,
};

type Read<T> = Result<T, HeaderError>;

impl Headers {
    /// All Via values, topmost first.
    ///
    /// # Errors
    /// Missing or malformed.
    pub fn vias(&self) -> Read<Vec<Via>> {
        self.list(&HeaderName::Via, Via::parse_list).and_then(|list| present(list, HeaderName::Via))
    }

    /// The topmost Via; those below it are not looked at.
    ///
    /// # Errors
    /// Missing or malformed.
    pub fn via_top(&self) -> Read<Via> {
        let name = HeaderName::Via;
        let text = self.get(&name).ok_or_else(|| HeaderError::missing(HeaderName::Via))?;
        let parts = crate::scan::split_outside(&text, ',')
            .map_err(|reason| HeaderError::malformed(HeaderName::Via, reason))?;
        let first = parts.first().copied().unwrap_or_default();
        Via::parse(first).map_err(|e| HeaderError::malformed(name, e.0))
    }

    /// From.
    ///
    /// # Errors
    /// Missing, twice or malformed.
    pub fn from(&self) -> Read<NameAddr> {
        self.required(HeaderName::From)
    }

    /// To.
    ///
    /// # Errors
    /// Missing, twice or malformed.
    pub fn to(&self) -> Read<NameAddr> {
        self.required(HeaderName::To)
    }

    /// Call-ID, byte for byte (it compares with regard to case).
    ///
    /// # Errors
    /// Missing, twice, empty or with white space in it.
    pub fn call_id(&self) -> Read<String> {
        let name = HeaderName::CallId;
        let text = self.one(&name)?.ok_or_else(|| HeaderError::missing(HeaderName::CallId))?;
        if text.is_empty() || text.contains(crate::scan::is_lws) {
            return Err(HeaderError::malformed(name, "the Call-ID is empty or has spaces"));
        }
        Ok(text)
    }

    /// CSeq.
    ///
    /// # Errors
    /// Missing, twice or malformed.
    pub fn cseq(&self) -> Read<CSeq> {
        self.required(HeaderName::CSeq)
    }

    /// Max-Forwards, 0 to 255.
    ///
    /// # Errors
    /// Twice or malformed.
    pub fn max_forwards(&self) -> Read<Option<u8>> {
        self.number(&HeaderName::MaxForwards, digits)
    }

    /// Content-Length, bytes.
    ///
    /// # Errors
    /// Twice or malformed.
    pub fn content_length(&self) -> Read<Option<usize>> {
        self.number(&HeaderName::ContentLength, digits)
    }

    /// Content-Type.
    ///
    /// # Errors
    /// Twice or malformed.
    pub fn content_type(&self) -> Read<Option<MediaType>> {
        self.optional(HeaderName::ContentType)
    }

    /// Accept: the media types with their parameters.
    ///
    /// # Errors
    /// Malformed.
    pub fn accept(&self) -> Read<Vec<MediaType>> {
        self.each(&HeaderName::Accept)
    }

    /// All Contact values.
    ///
    /// # Errors
    /// Malformed, or `*` beside others.
    pub fn contacts(&self) -> Read<Vec<ContactValue>> {
        let list = self.list(&HeaderName::Contact, ContactValue::parse_list)?;
        if list.len() > 1 && list.contains(&ContactValue::Star) {
            return Err(HeaderError::malformed(
                HeaderName::Contact,
                "'*' stands beside other contacts",
            ));
        }
        Ok(list)
    }

    /// The first Contact that is an address: the remote target of a dialog.
    ///
    /// # Errors
    /// Malformed.
    pub fn contact(&self) -> Read<Option<NameAddr>> {
        Ok(self.contacts()?.into_iter().find_map(|c| c.address().cloned()))
    }

    /// Route, topmost first.
    ///
    /// # Errors
    /// Malformed.
    pub fn routes(&self) -> Read<Vec<NameAddr>> {
        self.addresses(&HeaderName::Route)
    }

    /// Record-Route, topmost first.
    ///
    /// # Errors
    /// Malformed.
    pub fn record_routes(&self) -> Read<Vec<NameAddr>> {
        self.addresses(&HeaderName::RecordRoute)
    }

    /// Path (RFC 3327), topmost first.
    ///
    /// # Errors
    /// Malformed.
    pub fn paths(&self) -> Read<Vec<NameAddr>> {
        self.addresses(&HeaderName::Path)
    }

    /// Service-Route (RFC 3608), topmost first.
    ///
    /// # Errors
    /// Malformed.
    pub fn service_routes(&self) -> Read<Vec<NameAddr>> {
        self.addresses(&HeaderName::ServiceRoute)
    }

    /// P-Asserted-Identity (RFC 3325).
    ///
    /// # Errors
    /// Malformed.
    pub fn asserted_identities(&self) -> Read<Vec<NameAddr>> {
        self.addresses(&HeaderName::PAssertedIdentity)
    }

    /// Diversion (RFC 5806), the latest first; `reason`, `counter` are parameters.
    ///
    /// # Errors
    /// Malformed.
    pub fn diversions(&self) -> Read<Vec<NameAddr>> {
        self.addresses(&HeaderName::Diversion)
    }

    /// P-Associated-URI (RFC 7315).
    ///
    /// # Errors
    /// Malformed.
    pub fn associated_uris(&self) -> Read<Vec<NameAddr>> {
        self.addresses(&HeaderName::PAssociatedUri)
    }

    /// History-Info (RFC 7044), the oldest first.
    ///
    /// # Errors
    /// Malformed.
    pub fn history_info(&self) -> Read<Vec<HistoryEntry>> {
        self.each(&HeaderName::HistoryInfo)
    }

    /// Refer-To (RFC 3515).
    ///
    /// # Errors
    /// Twice or malformed.
    pub fn refer_to(&self) -> Read<Option<NameAddr>> {
        self.optional(HeaderName::ReferTo)
    }

    /// Referred-By (RFC 3892).
    ///
    /// # Errors
    /// Twice or malformed.
    pub fn referred_by(&self) -> Read<Option<NameAddr>> {
        self.optional(HeaderName::ReferredBy)
    }

    /// Replaces (RFC 3891).
    ///
    /// # Errors
    /// Twice or malformed.
    pub fn replaces(&self) -> Read<Option<Replaces>> {
        self.optional(HeaderName::Replaces)
    }

    /// Join (RFC 3911), which has the form of a Replaces.
    ///
    /// # Errors
    /// Twice or malformed.
    pub fn join(&self) -> Read<Option<Replaces>> {
        self.optional(HeaderName::Join)
    }

    /// Target-Dialog (RFC 4538).
    ///
    /// # Errors
    /// Twice or malformed.
    pub fn target_dialog(&self) -> Read<Option<TargetDialog>> {
        self.optional(HeaderName::TargetDialog)
    }

    /// Refer-Sub (RFC 4488): whether a REFER asks for (or its answer makes) a subscription.
    /// `None`: not said, which means yes.
    pub fn refer_sub(&self) -> Option<bool> {
        let text = self.get(&HeaderName::ReferSub)?;
        let word = trim(text.split(';').next().unwrap_or_default()).to_ascii_lowercase();
        match word.as_str() {
            "true" => Some(true),
            "false" => Some(false),
            _ => None,
        }
    }

    /// Expires, seconds; a number beyond 32 bits is read as the largest one.
    ///
    /// # Errors
    /// Twice or malformed.
    pub fn expires(&self) -> Read<Option<u32>> {
        self.number(&HeaderName::Expires, delta_seconds)
    }

    /// Min-Expires, seconds.
    ///
    /// # Errors
    /// Twice or malformed.
    pub fn min_expires(&self) -> Read<Option<u32>> {
        self.number(&HeaderName::MinExpires, delta_seconds)
    }

    /// Flow-Timer (RFC 5626), seconds.
    ///
    /// # Errors
    /// Twice or malformed.
    pub fn flow_timer(&self) -> Read<Option<u32>> {
        self.number(&HeaderName::FlowTimer, delta_seconds)
    }

    /// Session-Expires (RFC 4028).
    ///
    /// # Errors
    /// Twice or malformed.
    pub fn session_expires(&self) -> Read<Option<SessionExpires>> {
        self.optional(HeaderName::SessionExpires)
    }

    /// Min-SE (RFC 4028), seconds; parameters are passed over.
    ///
    /// # Errors
    /// Twice or malformed.
    pub fn min_se(&self) -> Read<Option<u32>> {
        self.number(&HeaderName::MinSe, |text| delta_seconds(trim(text.split(';').next()?)))
    }

    /// RAck (RFC 3262).
    ///
    /// # Errors
    /// Twice or malformed.
    pub fn rack(&self) -> Read<Option<RAck>> {
        self.optional(HeaderName::RAck)
    }

    /// RSeq (RFC 3262).
    ///
    /// # Errors
    /// Twice or malformed.
    pub fn rseq(&self) -> Read<Option<u32>> {
        self.number(&HeaderName::RSeq, digits)
    }

    /// Event (RFC 6665).
    ///
    /// # Errors
    /// Twice or malformed.
    pub fn event(&self) -> Read<Option<Event>> {
        self.optional(HeaderName::Event)
    }

    /// Subscription-State (RFC 6665).
    ///
    /// # Errors
    /// Twice or malformed.
    pub fn subscription_state(&self) -> Read<Option<SubscriptionState>> {
        self.optional(HeaderName::SubscriptionState)
    }

    /// Retry-After.
    ///
    /// # Errors
    /// Twice or malformed.
    pub fn retry_after(&self) -> Read<Option<RetryAfter>> {
        self.optional(HeaderName::RetryAfter)
    }

    /// Reason values (RFC 3326).
    ///
    /// # Errors
    /// Malformed.
    pub fn reasons(&self) -> Read<Vec<Reason>> {
        self.each(&HeaderName::Reason)
    }

    /// Warning values.
    ///
    /// # Errors
    /// Malformed.
    pub fn warnings(&self) -> Read<Vec<Warning>> {
        self.each(&HeaderName::Warning)
    }

    /// Alert-Info values.
    ///
    /// # Errors
    /// Malformed.
    pub fn alert_info(&self) -> Read<Vec<AlertInfo>> {
        self.each(&HeaderName::AlertInfo)
    }

    /// Call-Info values.
    ///
    /// # Errors
    /// Malformed.
    pub fn call_info(&self) -> Read<Vec<AlertInfo>> {
        self.each(&HeaderName::CallInfo)
    }

    /// Require: option tags in lower case.
    pub fn require(&self) -> Vec<String> {
        self.tokens(&HeaderName::Require)
    }

    /// Proxy-Require: option tags in lower case.
    pub fn proxy_require(&self) -> Vec<String> {
        self.tokens(&HeaderName::ProxyRequire)
    }

    /// Supported: option tags in lower case.
    pub fn supported(&self) -> Vec<String> {
        self.tokens(&HeaderName::Supported)
    }

    /// Unsupported: option tags in lower case.
    pub fn unsupported(&self) -> Vec<String> {
        self.tokens(&HeaderName::Unsupported)
    }

    /// Allow-Events: event packages in lower case.
    pub fn allow_events(&self) -> Vec<String> {
        self.tokens(&HeaderName::AllowEvents)
    }

    /// Allow: `None` when the header is not there (which is not the same as allowing nothing).
    pub fn allow(&self) -> Option<Vec<Method>> {
        if !self.contains(&HeaderName::Allow) {
            return None;
        }
        Some(self.raw_tokens(&HeaderName::Allow).iter().filter_map(|m| m.parse().ok()).collect())
    }

    /// All challenges of WWW-Authenticate or Proxy-Authenticate (pass the name).
    ///
    /// # Errors
    /// Malformed.
    pub fn challenges(&self, name: &HeaderName) -> Read<Vec<Challenge>> {
        self.list(name, Challenge::parse_list)
    }

    /// All credentials of Authorization or Proxy-Authorization (pass the name), one per row.
    ///
    /// # Errors
    /// Malformed.
    pub fn credentials(&self, name: &HeaderName) -> Read<Vec<Authorization>> {
        self.list(name, |text| Ok(vec![text.parse()?]))
    }

    /// A list of addresses in any header that holds one.
    ///
    /// # Errors
    /// Malformed.
    pub fn addresses(&self, name: &HeaderName) -> Read<Vec<NameAddr>> {
        self.list(name, NameAddr::parse_list)
    }

    fn list<T>(
        &self,
        name: &HeaderName,
        read: impl Fn(&str) -> Result<Vec<T>, ValueError>,
    ) -> Read<Vec<T>> {
        let mut all = Vec::new();
        for text in self.get_all(name) {
            all.extend(read(&text).map_err(|e| HeaderError::malformed(name.clone(), e.0))?);
        }
        Ok(all)
    }

    fn each<T: FromStr<Err = ValueError>>(&self, name: &HeaderName) -> Read<Vec<T>> {
        self.list(name, |text| comma_list(text)?.into_iter().map(T::from_str).collect())
    }

    /// The text of a header that may stand once only.
    fn one(&self, name: &HeaderName) -> Read<Option<String>> {
        let mut rows = self.get_all(name);
        let first = rows.next();
        match rows.next() {
            Some(_) => Err(HeaderError::duplicate(name.clone())),
            None => Ok(first.map(|text| trim(&text).to_owned())),
        }
    }

    fn optional<T: FromStr<Err = ValueError>>(&self, name: HeaderName) -> Read<Option<T>> {
        let text = self.one(&name)?;
        text.map(|text| text.parse().map_err(|e: ValueError| HeaderError::malformed(name, e.0)))
            .transpose()
    }

    fn required<T: FromStr<Err = ValueError>>(&self, name: HeaderName) -> Read<T> {
        self.optional(name.clone())?.ok_or_else(|| HeaderError::missing(name))
    }

    fn number<T>(&self, name: &HeaderName, read: impl Fn(&str) -> Option<T>) -> Read<Option<T>> {
        let Some(text) = self.one(name)? else { return Ok(None) };
        let fault = || {
            HeaderError::malformed(name.clone(), format!("'{text}' is not a number it may have"))
        };
        read(&text).map(Some).ok_or_else(fault)
    }

    /// Option tags compare without regard to case.
    fn tokens(&self, name: &HeaderName) -> Vec<String> {
        self.raw_tokens(name).iter().map(|tag| tag.to_ascii_lowercase()).collect()
    }

    /// Token lists are read past gaps and stray commas: nothing in them can be mistaken for anything else.
    fn raw_tokens(&self, name: &HeaderName) -> Vec<String> {
        let rows = self.get_all(name);
        rows.flat_map(|text| text.split(',').map(|t| trim(t).to_owned()).collect::<Vec<_>>())
            .filter(|token| !token.is_empty())
            .collect()
    }
}

fn present<T>(list: Vec<T>, name: HeaderName) -> Read<Vec<T>> {
    if list.is_empty() { Err(HeaderError::missing(name)) } else { Ok(list) }
}

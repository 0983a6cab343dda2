//! Addresses: what a person writes, where a server may send us, and what a record is called by its path.

use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};
use url::{Host, Url};

use crate::{SourceError, limits};

/// What must be written otherwise in a path (RFC 3986 section 3.3).
const PATH: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'[')
    .add(b']')
    .add(b'`')
    .add(b'{')
    .add(b'}')
    .add(b'|')
    .add(b'\\')
    .add(b'^');

/// Where to begin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Start {
    /// At this address.
    Url(Url),
    /// At whatever the name service says of this domain, else at the domain itself.
    Domain(String),
}

/// Takes what a person wrote apart. The user name is given back where the address holds one.
pub(crate) fn parse(address: &str) -> Result<(Start, Option<String>), SourceError> {
    let address = address.trim();
    if address.is_empty() || address.len() > limits::TEXT || address.contains(char::is_whitespace) {
        return Err(SourceError::BadAddress);
    }
    if let Some((scheme, _)) = address.split_once("://") {
        let known = ["https", "http", "carddavs", "carddav"];
        if !known.iter().any(|known| scheme.eq_ignore_ascii_case(known)) {
            return Err(SourceError::BadAddress);
        }
        let text = match scheme.to_ascii_lowercase().as_str() {
            "carddavs" => address.replacen(scheme, "https", 1),
            "carddav" => address.replacen(scheme, "http", 1),
            _ => address.to_owned(),
        };
        return url(&text).map(|(url, user)| (Start::Url(url), user));
    }
    match address.split_once('@') {
        // An e-mail address: RFC 6764 section 6, step 1.
        Some((user, domain)) if !user.is_empty() && !domain.contains('/') => {
            url(&format!("https://{domain}"))?;
            Ok((Start::Domain(domain.to_owned()), Some(address.to_owned())))
        }
        _ => {
            let (url, user) = url(&format!("https://{address}"))?;
            let bare = url.path() == "/" && url.port().is_none() && url.domain().is_some();
            match url.domain() {
                Some(domain) if bare => Ok((Start::Domain(domain.to_owned()), user)),
                _ => Ok((Start::Url(url), user)),
            }
        }
    }
}

/// A password in an address would end up where addresses are shown.
fn url(text: &str) -> Result<(Url, Option<String>), SourceError> {
    let mut url = Url::parse(text).map_err(|_| SourceError::BadAddress)?;
    if url.password().is_some() || url.host_str().is_none_or(str::is_empty) {
        return Err(SourceError::BadAddress);
    }
    let user = percent_decode_str(url.username()).decode_utf8_lossy().into_owned();
    url.set_username("").map_err(|()| SourceError::BadAddress)?;
    url.set_fragment(None);
    Ok((url, Some(user).filter(|user| !user.is_empty())))
}

/// Where a server sends us, if the password may go there: never out of TLS, and only to a host of the same owner.
pub(crate) fn follow(from: &Url, to: &str) -> Result<Url, SourceError> {
    let mut to = from.join(to.trim()).map_err(|_| SourceError::Malformed)?;
    to.set_fragment(None);
    let safe = to.scheme() == "https" || (to.scheme() == "http" && from.scheme() == "http");
    if !safe || !to.username().is_empty() || to.password().is_some() || !is_one_owner(from, &to) {
        return Err(SourceError::Elsewhere);
    }
    Ok(to)
}

/// The same host, one inside the other, or neighbours in a domain of somebody's own.
fn is_one_owner(a: &Url, b: &Url) -> bool {
    match (a.host(), b.host()) {
        (Some(Host::Domain(a)), Some(Host::Domain(b))) => {
            let inside =
                |a: &str, b: &str| a.strip_suffix(b).is_some_and(|rest| rest.ends_with('.'));
            let several = |name: &str| name.contains('.');
            a == b
                || (inside(a, b) && several(b))
                || (inside(b, a) && several(a))
                || are_neighbours(a, b)
        }
        (a, b) => a == b,
    }
}

/// `contacts.example.com` and `p01.example.com`; not `a.co.uk` and `b.co.uk`.
fn are_neighbours(a: &str, b: &str) -> bool {
    let parent = |name: &str| name.split_once('.').map(|(_, parent)| parent.to_owned());
    let (Some(a), Some(b)) = (parent(a), parent(b)) else { return false };
    // A second level of a few letters is often a country's own (`co.uk`, `com.au`).
    let owned = a.split_once('.').is_some_and(|(name, rest)| name.len() > 3 || rest.contains('.'));
    a == b && owned
}

/// The address of something that an answer names. It must be on the same server.
pub(crate) fn member(base: &Url, href: &str) -> Result<Url, SourceError> {
    let url = follow(base, href)?;
    if url.origin() == base.origin() { Ok(url) } else { Err(SourceError::Elsewhere) }
}

/// Members are named relative to a folder; its address ends so.
pub(crate) fn as_folder(mut url: Url) -> Url {
    if !url.path().ends_with('/') {
        let path = format!("{}/", url.path());
        url.set_path(&path);
    }
    url.set_query(None);
    url
}

/// What a record is called: its path, in one spelling whatever the server writes otherwise.
pub(crate) fn id(url: &Url) -> String {
    let decoded: Vec<u8> = percent_decode_str(url.path()).collect();
    match std::str::from_utf8(&decoded) {
        Ok(text) => utf8_percent_encode(text, PATH).to_string(),
        Err(_) => url.path().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn start(address: &str) -> Option<(Start, Option<String>)> {
        parse(address).ok()
    }

    #[test]
    fn what_people_write_is_understood() {
        let url = |text: &str| Start::Url(Url::parse(text).unwrap());
        let domain = |text: &str| Start::Domain(text.to_owned());
        let user = |text: &str| Some(text.to_owned());
        assert_eq!(start(" jan@example.nl "), Some((domain("example.nl"), user("jan@example.nl"))));
        assert_eq!(start("dav.example.nl"), Some((domain("dav.example.nl"), None)));
        assert_eq!(start("dav.example.nl:8443"), Some((url("https://dav.example.nl:8443/"), None)));
        assert_eq!(start("10.0.0.1"), Some((url("https://10.0.0.1/"), None)));
        assert_eq!(start("dav.example.nl/jan/"), Some((url("https://dav.example.nl/jan/"), None)));
        assert_eq!(start("http://10.0.0.1/a"), Some((url("http://10.0.0.1/a"), None)));
        assert_eq!(start("carddavs://x.nl/a"), Some((url("https://x.nl/a"), None)));
        assert_eq!(
            start("https://jan%40x.nl@x.nl/"),
            Some((url("https://x.nl/"), user("jan@x.nl")))
        );
        for bad in ["", "ftp://x.nl", "https://jan:geheim@x.nl/", "a b", "https://", "file:///etc"]
        {
            assert_eq!(parse(bad), Err(SourceError::BadAddress), "{bad}");
        }
    }

    #[test]
    fn a_password_never_goes_to_a_stranger_or_into_the_clear() {
        let from = Url::parse("https://contacts.example.com/a/").unwrap();
        for good in [
            "../b",
            "https://p01.example.com/",
            "https://example.com/",
            "//contacts.example.com:8443/x",
        ] {
            assert!(follow(&from, good).is_ok(), "{good}");
        }
        for bad in [
            "http://contacts.example.com/",
            "https://evil.net/",
            "https://x@contacts.example.com/",
            "javascript:1",
        ] {
            assert_eq!(follow(&from, bad), Err(SourceError::Elsewhere), "{bad}");
        }
        let uk = Url::parse("https://a.co.uk/").unwrap();
        assert_eq!(follow(&uk, "https://b.co.uk/"), Err(SourceError::Elsewhere));
        assert!(follow(&uk, "https://dav.a.co.uk/").is_ok());
        let address = Url::parse("http://10.0.0.1/").unwrap();
        assert_eq!(follow(&address, "http://10.0.0.2/"), Err(SourceError::Elsewhere));
        assert_eq!(member(&from, "https://p01.example.com/"), Err(SourceError::Elsewhere));
    }

    #[test]
    fn one_record_has_one_name_however_it_is_spelled() {
        let base = Url::parse("https://x.nl/").unwrap();
        let id = |href: &str| id(&member(&base, href).unwrap());
        assert_eq!(id("/jan%40x.nl/a%20b.vcf"), id("https://x.nl/jan@x.nl/a b.vcf"));
        assert_eq!(id("/a%2fb"), id("/a/b"));
        assert_eq!(id("/%ff"), "/%ff");
    }
}

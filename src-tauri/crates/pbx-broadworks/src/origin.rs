//! Which servers there are and where on them the web applications are (reference, section 2).

use url::{Host, Url};

use crate::{Application, HttpRequest, limits};

/// Why an address of the web services is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// It is no address of the form `https://host`.
    #[error("this is no web address")]
    NoAddress,
    /// Passwords go over it in clear; only the own machine may be spoken to without TLS.
    #[error("the web services must be reached over https")]
    InClear,
    /// It carries a user name, a password, a query or a fragment.
    #[error("the address of the web services must hold nothing but a host and a path")]
    TooMuch,
}

/// One server: `https://xsp1.example:443`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Origin {
    /// Over TLS.
    pub secure: bool,
    /// Name or address, without brackets.
    pub host: String,
    /// TCP port.
    pub port: u16,
}

impl Origin {
    /// A server that the name service told of.
    pub fn secure(host: &str, port: u16) -> Self {
        let host = host.trim_end_matches('.').to_ascii_lowercase();
        Self { secure: true, host, port }
    }

    /// The server in an address, and the path behind it without a `/` at its end.
    ///
    /// # Errors
    /// See [`AddressError`].
    pub fn parse(address: &str) -> Result<(Self, String), AddressError> {
        let url = Url::parse(address.trim()).map_err(|_| AddressError::NoAddress)?;
        let origin = Self::of(&url)?;
        let more = !url.username().is_empty() || url.password().is_some();
        if more || url.query().is_some() || url.fragment().is_some() {
            return Err(AddressError::TooMuch);
        }
        Ok((origin, url.path().trim_end_matches('/').to_owned()))
    }

    fn of(url: &Url) -> Result<Self, AddressError> {
        let host = url.host().ok_or(AddressError::NoAddress)?;
        let secure = match url.scheme() {
            "https" => true,
            "http" if is_own_machine(&host) => false,
            "http" => return Err(AddressError::InClear),
            _ => return Err(AddressError::NoAddress),
        };
        let port = url.port_or_known_default().ok_or(AddressError::NoAddress)?;
        let host = match host {
            Host::Domain(name) => name.trim_end_matches('.').to_owned(),
            Host::Ipv4(ip) => ip.to_string(),
            Host::Ipv6(ip) => ip.to_string(),
        };
        Ok(Self { secure, host, port })
    }

    /// Where a redirection of this server leads: the server and what is asked of it. Credentials only follow
    /// to the same host or one beside it, and never from TLS into the clear.
    pub fn redirected(&self, location: &str) -> Option<(Self, String)> {
        let url = Url::parse(&format!("{self}/")).ok()?.join(location).ok()?;
        let origin = Self::of(&url).ok()?;
        let allowed = origin.secure == self.secure && self.is_beside(&origin);
        let query = url.query().map(|query| format!("?{query}")).unwrap_or_default();
        allowed.then(|| (origin, format!("{}{query}", url.path())))
    }

    /// The same host, or another one under the same domain of at least two labels.
    fn is_beside(&self, other: &Self) -> bool {
        let domain = |host: &str| match host.parse::<std::net::IpAddr>() {
            Ok(_) => None,
            Err(_) => host.split_once('.').map(|(_, domain)| domain.to_owned()),
        };
        let beside = match (domain(&self.host), domain(&other.host)) {
            (Some(one), Some(two)) => one == two && one.contains('.'),
            _ => false,
        };
        self.host == other.host || beside
    }
}

impl std::fmt::Display for Origin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let scheme = if self.secure { "https" } else { "http" };
        match self.host.contains(':') {
            true => write!(f, "{scheme}://[{}]:{}", self.host, self.port),
            false => write!(f, "{scheme}://{}:{}", self.host, self.port),
        }
    }
}

fn is_own_machine(host: &Host<&str>) -> bool {
    match host {
        Host::Domain(name) => *name == "localhost",
        Host::Ipv4(ip) => ip.is_loopback(),
        Host::Ipv6(ip) => ip.is_loopback(),
    }
}

/// Paths of the web applications, which operators may change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paths {
    /// Xsi-Actions.
    pub actions: String,
    /// Xsi-Events.
    pub events: String,
    /// What stands before the path of Xsi-Events where channels are created.
    pub channel: String,
}

impl Default for Paths {
    fn default() -> Self {
        Self {
            actions: "/com.broadsoft.xsi-actions".to_owned(),
            events: "/com.broadsoft.xsi-events".to_owned(),
            channel: "/com.broadsoft.async".to_owned(),
        }
    }
}

/// The service as configured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    /// Servers for actions, the best one first.
    pub actions: Vec<Origin>,
    /// Servers for events, the best one first.
    pub events: Vec<Origin>,
    /// Where on them.
    pub paths: Paths,
}

impl Service {
    /// From the two addresses that can be configured; without a path the usual one is taken.
    ///
    /// # Errors
    /// See [`AddressError`].
    pub fn from_addresses(actions: &str, events: &str) -> Result<Self, AddressError> {
        let mut paths = Paths::default();
        let (actions, actions_path) = Origin::parse(actions)?;
        if !actions_path.is_empty() {
            paths.actions = actions_path;
        }
        let events = if events.trim().is_empty() {
            actions.clone()
        } else {
            let (events, events_path) = Origin::parse(events)?;
            if !events_path.is_empty() {
                paths.events = events_path;
            }
            events
        };
        Ok(Self { actions: vec![actions], events: vec![events], paths })
    }

    /// From the servers that the name service lists for `_xsi-client._tcp`: the ones of lowest priority
    /// first, those of equal priority by weight. `draws` are random numbers, one for each.
    pub fn from_records(records: &[Record], draws: &[u32]) -> Self {
        let mut servers: Vec<(u16, u64, Origin)> = records
            .iter()
            .zip(draws)
            .filter(|(record, _)| !record.host.trim_end_matches('.').is_empty())
            .map(|(record, draw)| {
                // A heavy one draws the greatest of many numbers, so it mostly comes first.
                let luck = (u64::from(*draw) + 1) * (u64::from(record.weight) + 1);
                (record.priority, luck, Origin::secure(&record.host, record.port))
            })
            .collect();
        servers.sort_by(|one, other| one.0.cmp(&other.0).then(other.1.cmp(&one.1)));
        let mut order: Vec<Origin> = Vec::new();
        for (_, _, server) in servers {
            if !order.contains(&server) && order.len() < limits::SERVERS {
                order.push(server);
            }
        }
        Self { actions: order.clone(), events: order, paths: Paths::default() }
    }

    /// Path and query of a request on any of the servers.
    pub fn target(&self, request: &HttpRequest) -> String {
        let target = request.target();
        match request.application {
            Application::Actions => format!("{}{target}", self.paths.actions),
            Application::Events => format!("{}{target}", self.paths.events),
            Application::Channel => format!("{}{}{target}", self.paths.channel, self.paths.events),
        }
    }
}

/// One SRV record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Lowest first.
    pub priority: u16,
    /// How often it comes first among its equals.
    pub weight: u16,
    /// TCP port.
    pub port: u16,
    /// Name of the server.
    pub host: String,
}

#[cfg(test)]
mod tests {
    use super::{AddressError, Origin, Record, Service};
    use crate::{Application, HttpRequest, Method, Path};

    #[test]
    fn addresses_are_read_and_clear_ones_refused() {
        let (origin, path) =
            Origin::parse("https://XSP.example.nl/com.broadsoft.xsi-actions/").unwrap();
        assert_eq!(origin.to_string(), "https://xsp.example.nl:443");
        assert_eq!(path, "/com.broadsoft.xsi-actions");
        assert_eq!(Origin::parse("http://[::1]:8080").unwrap().0.to_string(), "http://[::1]:8080");
        assert!(Origin::parse("http://127.0.0.1:8080").is_ok());
        for (address, error) in [
            ("http://xsp.example.nl", AddressError::InClear),
            ("http://127.0.0.1.example.nl", AddressError::InClear),
            ("ftp://xsp.example.nl", AddressError::NoAddress),
            ("xsp.example.nl", AddressError::NoAddress),
            ("https://jan:geheim@xsp.example.nl", AddressError::TooMuch),
            ("https://xsp.example.nl/?a=b", AddressError::TooMuch),
        ] {
            assert_eq!(Origin::parse(address), Err(error), "{address}");
        }
    }

    #[test]
    fn credentials_follow_redirections_only_to_neighbours() {
        let origin = Origin::secure("xsp1.pbx.example", 443);
        let to = |location: &str| {
            origin.redirected(location).map(|(to, target)| format!("{to}{target}"))
        };
        assert_eq!(to("/a?b=c").unwrap(), "https://xsp1.pbx.example:443/a?b=c");
        assert_eq!(
            to("https://xsp2.pbx.example:8443/a").unwrap(),
            "https://xsp2.pbx.example:8443/a"
        );
        for away in [
            "http://xsp1.pbx.example/a",
            "https://evil.example/a",
            "https://pbx.example.evil.nl/a",
            "mailto:x",
        ] {
            assert_eq!(to(away), None, "{away}");
        }
        let short = Origin::secure("a.nl", 443);
        assert_eq!(short.redirected("https://b.nl/"), None);
        let address = Origin { secure: false, host: "127.0.0.1".to_owned(), port: 80 };
        assert!(address.redirected("http://127.0.0.1:81/x").is_some());
        assert_eq!(address.redirected("http://127.0.0.2:81/x"), None);
    }

    #[test]
    fn records_are_ordered_by_priority_then_weight() {
        let record = |priority, weight, host: &str| Record {
            priority,
            weight,
            port: 443,
            host: host.to_owned(),
        };
        let records = [
            record(20, 0, "c.x."),
            record(10, 1, "b.x"),
            record(10, 50, "a.x"),
            record(10, 1, "."),
        ];
        let service = Service::from_records(&records, &[7, 7, 7, 7]);
        let hosts: Vec<_> = service.events.iter().map(|one| one.host.as_str()).collect();
        assert_eq!(hosts, ["a.x", "b.x", "c.x"]);
    }

    #[test]
    fn each_application_has_its_path() {
        let service = Service::from_addresses("https://x.example/xa", "https://x.example").unwrap();
        let mut request = HttpRequest::event(Method::Post, Path::new("channel"), None);
        assert_eq!(service.target(&request), "/com.broadsoft.xsi-events/v2.0/channel");
        request.application = Application::Channel;
        assert_eq!(
            service.target(&request),
            "/com.broadsoft.async/com.broadsoft.xsi-events/v2.0/channel"
        );
        request.application = Application::Actions;
        assert_eq!(service.target(&request), "/xa/v2.0/channel");
    }
}

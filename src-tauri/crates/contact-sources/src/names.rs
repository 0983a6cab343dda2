//! Which servers a domain names for a service (RFC 2782), and what it says beside them (RFC 6764 section 4).

use std::cmp::Reverse;
use std::time::Duration;

use hickory_resolver::TokioResolver;
use hickory_resolver::proto::rr::{RData, RecordType};

/// How long the name service may take.
const PATIENCE: Duration = Duration::from_secs(3);
/// Most servers of a domain.
const SERVERS: usize = 8;

/// A server of a domain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Server {
    pub(crate) host: String,
    pub(crate) port: u16,
}

/// A service of a domain, as the name service calls it: `_ldap._tcp.example.nl`.
#[derive(Debug, Clone)]
pub(crate) struct Service(String);

impl Service {
    pub(crate) fn new(service: &str, domain: &str) -> Service {
        Service(format!("{service}._tcp.{}.", domain.trim_end_matches('.')))
    }

    /// Its servers, in the order in which they are to be tried; none: the name service knows none, or does not answer.
    pub(crate) async fn servers(&self) -> Vec<Server> {
        tokio::time::timeout(PATIENCE, self.ask_servers()).await.ok().flatten().unwrap_or_default()
    }

    async fn ask_servers(&self) -> Option<Vec<Server>> {
        let resolver = TokioResolver::builder_tokio().ok()?.build().ok()?;
        let told = resolver.lookup(self.0.clone(), RecordType::SRV).await.ok()?;
        let records = told.answers().iter().filter_map(|record| match &record.data {
            // A single dot says that there is no such service.
            RData::SRV(srv) if !srv.target.is_root() => {
                let host = srv.target.to_ascii().trim_end_matches('.').to_ascii_lowercase();
                Some((srv.priority, srv.weight, Server { host, port: srv.port }))
            }
            _ => None,
        });
        Some(ordered(records.collect()))
    }

    /// Where on its servers one begins; none: nothing is said of that.
    pub(crate) async fn path(&self) -> Option<String> {
        tokio::time::timeout(PATIENCE, self.ask_path()).await.ok().flatten()
    }

    async fn ask_path(&self) -> Option<String> {
        let resolver = TokioResolver::builder_tokio().ok()?.build().ok()?;
        let told = resolver.lookup(self.0.clone(), RecordType::TXT).await.ok()?;
        let path = told.answers().iter().find_map(|record| match &record.data {
            RData::TXT(text) => text.to_string().strip_prefix("path=").map(str::to_owned),
            _ => None,
        });
        path.filter(|path| path.starts_with('/'))
    }
}

/// The least priority first, of these the heaviest.
fn ordered(mut records: Vec<(u16, u16, Server)>) -> Vec<Server> {
    records.sort_by_key(|(priority, weight, _)| (*priority, Reverse(*weight)));
    records.into_iter().take(SERVERS).map(|(_, _, server)| server).collect()
}

/// A server that belongs to the domain by its name: only there a password that is meant for the domain may go.
pub(crate) fn is_inside(server: &str, domain: &str) -> bool {
    let domain = domain.trim_end_matches('.').to_ascii_lowercase();
    let inside = server.strip_suffix(domain.as_str()).is_some_and(|rest| rest.ends_with('.'));
    domain.contains('.') && (server == domain || inside)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_are_tried_by_priority_and_weight() {
        let server = |host: &str| Server { host: host.into(), port: 389 };
        let told =
            vec![(20, 0, server("last")), (10, 5, server("light")), (10, 60, server("heavy"))];
        let hosts: Vec<String> = ordered(told).into_iter().map(|one| one.host).collect();
        assert_eq!(hosts, ["heavy", "light", "last"]);
        assert_eq!(ordered(vec![(0, 0, server("x")); 50]).len(), SERVERS);
    }

    #[test]
    fn a_password_for_a_domain_goes_to_servers_of_the_domain() {
        assert!(
            is_inside("dc1.example.nl", "Example.nl") && is_inside("example.nl", "example.nl.")
        );
        for bad in ["evil.net", "badexample.nl", "nl", ""] {
            assert!(!is_inside(bad, "example.nl"), "{bad}");
        }
        assert!(!is_inside("example.nl", "nl"));
    }
}

//! Asking the name service. Knows how to ask and nothing of what the answers mean.

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use hickory_resolver::config::{
    ConnectionConfig, LookupIpStrategy, NameServerConfig, ResolveHosts, ResolverConfig,
};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::op::ResponseCode;
use hickory_resolver::proto::rr::{Name, RData, RecordType};
use hickory_resolver::{Resolver, TokioResolver};

use crate::locate::{Answer, Naptr, Question, Srv};
use crate::resolve::NO_TTL;

/// How long one name server may take; there are usually two, and each is asked twice.
const NAME_SERVER_TIMEOUT: Duration = Duration::from_secs(2);

/// How long "nothing" serves when the answer does not say.
const NOTHING_TTL: Duration = Duration::from_secs(10);

/// How long the system's own answer serves, which tells no time.
const SYSTEM_TTL: Duration = Duration::from_secs(30);

/// Asks name servers.
#[derive(Debug)]
pub(crate) struct Asker {
    /// Empty: those of the system.
    servers: Vec<SocketAddr>,
}

impl Asker {
    pub(crate) fn new(servers: Vec<SocketAddr>) -> Self {
        Self { servers }
    }

    /// Asks one question; the answer and how long it holds.
    pub(crate) async fn ask(&self, question: &Question) -> (Answer, Duration) {
        let resolver = match self.resolver() {
            Ok(resolver) => resolver,
            Err(reason) => {
                tracing::debug!("name server settings unreadable ({reason}): asking the system");
                return ask_system(question).await;
            }
        };
        match question {
            Question::Addresses(name) => addresses(&resolver, name).await,
            Question::Naptr(name) => records(&resolver, name, RecordType::NAPTR).await,
            Question::Srv(name) => records(&resolver, name, RecordType::SRV).await,
        }
    }

    /// The system's settings are read each time: they change when a laptop changes networks, and a
    /// question that must leave the machine is rare compared to that reading.
    fn resolver(&self) -> Result<TokioResolver, String> {
        let mut builder = if self.servers.is_empty() {
            TokioResolver::builder_tokio().map_err(|error| error.to_string())?
        } else {
            let servers = self.servers.iter().map(|server| name_server(*server)).collect();
            let config = ResolverConfig::from_parts(None, Vec::new(), servers);
            Resolver::builder_with_config(config, TokioRuntimeProvider::default())
        };
        let options = builder.options_mut();
        options.ip_strategy = LookupIpStrategy::Ipv4AndIpv6;
        options.use_hosts_file = ResolveHosts::Always;
        options.timeout = NAME_SERVER_TIMEOUT;
        options.cache_size = 0;
        builder.build().map_err(|error| error.to_string())
    }
}

fn name_server(addr: SocketAddr) -> NameServerConfig {
    let connections = [ConnectionConfig::udp(), ConnectionConfig::tcp()];
    let on_port = connections.into_iter().map(|mut connection| {
        connection.port = addr.port();
        connection
    });
    NameServerConfig::new(addr.ip(), true, on_port.collect())
}

/// A name of several labels is whole; a single label is looked for where the system's search list
/// says.
async fn addresses(resolver: &TokioResolver, name: &str) -> (Answer, Duration) {
    let whole = if name.contains('.') { format!("{name}.") } else { name.to_owned() };
    match resolver.lookup_ip(whole).await {
        Ok(found) => {
            let ttl = time_left(found.valid_until());
            (Answer::Addresses(found.iter().collect()), ttl)
        }
        Err(error) => failed(&error),
    }
}

async fn records(
    resolver: &TokioResolver,
    name: &str,
    record_type: RecordType,
) -> (Answer, Duration) {
    let found = match resolver.lookup(format!("{name}."), record_type).await {
        Ok(found) => found,
        Err(error) => return failed(&error),
    };
    let ttl = time_left(found.valid_until());
    let data = found.answers().iter().map(|record| &record.data);
    let answer = if record_type == RecordType::NAPTR {
        Answer::Naptr(data.filter_map(naptr).collect())
    } else {
        Answer::Srv(data.filter_map(srv).collect())
    };
    (answer, ttl)
}

fn naptr(data: &RData) -> Option<Naptr> {
    let RData::NAPTR(record) = data else { return None };
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Some(Naptr {
        order: record.order,
        preference: record.preference,
        flags: text(&record.flags),
        services: text(&record.services),
        replacement: plain(&record.replacement),
    })
}

fn srv(data: &RData) -> Option<Srv> {
    let RData::SRV(record) = data else { return None };
    let (priority, weight, port) = (record.priority, record.weight, record.port);
    Some(Srv { priority, weight, port, host: plain(&record.target) })
}

/// A name without its final dot; the root is empty.
fn plain(name: &Name) -> String {
    name.to_ascii().trim_end_matches('.').to_owned()
}

fn failed(error: &NetError) -> (Answer, Duration) {
    match error {
        NetError::Dns(DnsError::NoRecordsFound(nothing))
            if matches!(nothing.response_code, ResponseCode::NXDomain | ResponseCode::NoError) =>
        {
            let ttl = nothing.negative_ttl.map(|ttl| Duration::from_secs(ttl.into()));
            (Answer::Nothing, ttl.unwrap_or(NOTHING_TTL))
        }
        NetError::Dns(DnsError::NoRecordsFound(nothing)) => {
            let said = nothing.response_code;
            (Answer::Failed(format!("the name server says \"{said}\"")), NO_TTL)
        }
        NetError::Timeout => (Answer::Failed("no name server answers".to_owned()), NO_TTL),
        other => (Answer::Failed(other.to_string()), NO_TTL),
    }
}

/// Without readable settings only addresses can be asked for, through the system.
async fn ask_system(question: &Question) -> (Answer, Duration) {
    let Question::Addresses(name) = question else { return (Answer::Nothing, SYSTEM_TTL) };
    match tokio::net::lookup_host((name.as_str(), 0)).await {
        Ok(found) => {
            let addresses: Vec<IpAddr> = found.map(|addr| addr.ip()).collect();
            (Answer::Addresses(addresses), SYSTEM_TTL)
        }
        Err(error) => (Answer::Failed(error.to_string()), NO_TTL),
    }
}

#[expect(clippy::disallowed_methods, reason = "the name server's time to live is counted from now")]
fn time_left(until: Instant) -> Duration {
    until.saturating_duration_since(Instant::now())
}

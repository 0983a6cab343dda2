//! Which servers a domain has: SRV records of `_xsi-client._tcp` (reference, section 2, "host discovery").

use std::{net::SocketAddr, time::Duration};

use hickory_resolver::{
    Resolver, TokioResolver,
    config::{ConnectionConfig, NameServerConfig, ResolverConfig},
    net::runtime::TokioRuntimeProvider,
    proto::rr::{RData, RecordType},
};
use sip_core::Random;

use crate::{Record, Service, limits};

/// How long one name server may take.
const PATIENCE: Duration = Duration::from_secs(2);

/// Why no servers were found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LocateError {
    /// The settings of the name service cannot be used.
    #[error("the name service cannot be used")]
    NoNameService,
    /// The domain tells of none.
    #[error("this domain tells of no web services of BroadWorks")]
    Nothing,
}

/// Asks for the servers of `domain`: these name servers, or without any those of the system.
///
/// # Errors
/// See [`LocateError`].
pub async fn locate(
    domain: &str,
    name_servers: &[SocketAddr],
    random: &mut Random,
) -> Result<Service, LocateError> {
    let resolver = resolver(name_servers).ok_or(LocateError::NoNameService)?;
    let name = format!("_xsi-client._tcp.{}.", domain.trim_end_matches('.'));
    let answer = resolver.lookup(name, RecordType::SRV).await.map_err(|_| LocateError::Nothing)?;
    let read = |data: &RData| match data {
        RData::SRV(srv) => Some(Record {
            priority: srv.priority,
            weight: srv.weight,
            port: srv.port,
            host: srv.target.to_ascii(),
        }),
        _ => None,
    };
    let records = answer.answers().iter().filter_map(|record| read(&record.data));
    let records: Vec<Record> = records.take(limits::SERVERS * 4).collect();
    let draws: Vec<u32> = records.iter().map(|_| random.u32()).collect();
    let service = Service::from_records(&records, &draws);
    if service.events.is_empty() { Err(LocateError::Nothing) } else { Ok(service) }
}

fn resolver(name_servers: &[SocketAddr]) -> Option<TokioResolver> {
    let mut builder = if name_servers.is_empty() {
        TokioResolver::builder_tokio().ok()?
    } else {
        let servers = name_servers.iter().map(|server| {
            let connections = [ConnectionConfig::udp(), ConnectionConfig::tcp()];
            let on_port = connections.into_iter().map(|mut connection| {
                connection.port = server.port();
                connection
            });
            NameServerConfig::new(server.ip(), true, on_port.collect())
        });
        let config = ResolverConfig::from_parts(None, Vec::new(), servers.collect());
        Resolver::builder_with_config(config, TokioRuntimeProvider::default())
    };
    let options = builder.options_mut();
    options.timeout = PATIENCE;
    options.cache_size = 0;
    builder.build().ok()
}

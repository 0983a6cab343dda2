//! A web server behind TLS whose certificate has run out, and what it heard of those who came all the same.

use std::io::Read as _;
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::Result;
use rcgen::{CertificateParams, KeyPair};
use rustls::pki_types::PrivateKeyDer;

/// See the module. It ends with the test.
pub(crate) struct Stale {
    /// Where it listens on loopback.
    pub(crate) port: u16,
    /// Its certificate, to be trusted but for its age.
    pub(crate) pem: String,
    heard: Arc<AtomicUsize>,
}

impl Stale {
    pub(crate) fn start(name: &str) -> Result<Self> {
        let key = KeyPair::generate()?;
        let mut wish = CertificateParams::new(vec![name.to_owned()])?;
        wish.not_before = rcgen::date_time_ymd(2020, 1, 1);
        wish.not_after = rcgen::date_time_ymd(2021, 1, 1);
        let made = wish.self_signed(&key)?;
        let private = PrivateKeyDer::try_from(key.serialize_der()).map_err(anyhow::Error::msg)?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(vec![made.der().clone()], private)?;
        let (config, heard) = (Arc::new(config), Arc::new(AtomicUsize::new(0)));
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let port = listener.local_addr()?.port();
        let count = Arc::clone(&heard);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(std::result::Result::ok) {
                let Ok(connection) = rustls::ServerConnection::new(Arc::clone(&config)) else {
                    return;
                };
                let mut stream = rustls::StreamOwned::new(connection, stream);
                let mut request = [0; 1024];
                if let Ok(length) = stream.read(&mut request) {
                    count.fetch_add(length, Ordering::SeqCst);
                }
            }
        });
        Ok(Self { port, pem: made.pem(), heard })
    }

    /// Bytes that somebody said to it.
    pub(crate) fn heard(&self) -> usize {
        self.heard.load(Ordering::SeqCst)
    }
}

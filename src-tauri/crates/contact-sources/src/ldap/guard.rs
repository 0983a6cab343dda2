//! What stands between the server and `ldap3`: the way there, encrypted as the rest of the program does it, and limits. The library
//! holds whatever length a message announces; here a message that is too long, or is none, ends the connection before it
//! gets there. The two ends meet on loopback, since the library takes a socket of the system and nothing else.

use std::net::{Ipv4Addr, SocketAddr, TcpStream as StdStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, Error as TlsError};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, copy, split};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tracing::debug;

use super::Encryption;
use crate::http::tls_words;
use crate::{Excess, SourceError, limits};

/// `ExtendedRequest` with the name of StartTLS (RFC 4511 section 4.14.1), message 1.
const START_TLS: &[u8] = b"\x30\x1d\x02\x01\x01\x77\x18\x80\x161.3.6.1.4.1.1466.20037";
/// The answer to it is short.
const START_TLS_ANSWER: usize = 4_096;

/// Why the guard ended a connection, for whoever finds it broken.
#[derive(Debug, Clone, Default)]
pub(super) struct Verdict(Arc<AtomicU8>);

impl Verdict {
    /// What is wrong instead of `error`, if the guard knows it better.
    pub(super) fn over(&self, error: SourceError) -> SourceError {
        match self.0.load(Ordering::Relaxed) {
            1 => SourceError::Excess(Excess::Bytes),
            2 => SourceError::Malformed,
            _ => error,
        }
    }

    fn set(&self, error: &SourceError) {
        let mark = if *error == SourceError::Malformed { 2 } else { 1 };
        self.0.store(mark, Ordering::Relaxed);
    }
}

/// Connects, and gives back this end of it.
pub(super) async fn connect(
    (host, port): (&str, u16),
    encryption: Encryption,
    tls: ClientConfig,
) -> Result<(StdStream, Verdict), SourceError> {
    let bounded = timeout(limits::CONNECT, reach(host, port, encryption, tls));
    let server = bounded.await.map_err(|_| SourceError::Timeout)??;
    let (ours, theirs) = pair().await.map_err(|error| failure(&error))?;
    let verdict = Verdict::default();
    let shared = verdict.clone();
    tokio::spawn(async move {
        if let Err(error) = pump(server, theirs, &shared).await {
            debug!(%error, "the directory is heard no further");
        }
    });
    Ok((ours, verdict))
}

/// A stream of either kind.
trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

async fn reach(
    host: &str,
    port: u16,
    encryption: Encryption,
    tls: ClientConfig,
) -> Result<Box<dyn Stream>, SourceError> {
    let mut stream = TcpStream::connect((host, port)).await.map_err(|error| failure(&error))?;
    match encryption {
        Encryption::None => return Ok(Box::new(stream)),
        Encryption::StartTls => start_tls(&mut stream).await?,
        Encryption::Tls => {}
    }
    let name = ServerName::try_from(host.to_owned()).map_err(|_| SourceError::BadAddress)?;
    let stream = TlsConnector::from(Arc::new(tls)).connect(name, stream).await;
    stream.map(|stream| Box::new(stream) as Box<dyn Stream>).map_err(|error| failure(&error))
}

/// Asks for TLS, and reads not a byte more than the answer: what comes after it is TLS, or an intruder's.
async fn start_tls(stream: &mut TcpStream) -> Result<(), SourceError> {
    stream.write_all(START_TLS).await.map_err(|error| failure(&error))?;
    let mut head = [0; 2];
    stream.read_exact(&mut head).await.map_err(|error| failure(&error))?;
    let length = match head {
        [0x30, short @ 0..=0x7f] => usize::from(short),
        [0x30, long @ 0x81..=0x84] => {
            let mut bytes = [0; 4];
            let Some(bytes) = bytes.get_mut(..usize::from(long - 0x80)) else {
                return Err(SourceError::Malformed);
            };
            stream.read_exact(bytes).await.map_err(|error| failure(&error))?;
            bytes.iter().fold(0, |length, byte| length << 8 | usize::from(*byte))
        }
        _ => return Err(SourceError::Malformed),
    };
    if length > START_TLS_ANSWER {
        return Err(SourceError::Excess(Excess::Bytes));
    }
    let mut answer = vec![0; length];
    stream.read_exact(&mut answer).await.map_err(|error| failure(&error))?;
    // Message 1, an ExtendedResponse, and its result.
    match answer.get(..) {
        Some([0x02, 0x01, 0x01, 0x78, _, 0x0a, 0x01, 0x00, ..]) => Ok(()),
        Some([0x02, 0x01, 0x01, 0x78, ..]) => Err(SourceError::AuthMethod),
        _ => Err(SourceError::Malformed),
    }
}

/// Two ends of one connection on loopback. Who else finds the port in that moment is not let in.
async fn pair() -> std::io::Result<(StdStream, TcpStream)> {
    let listener = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await?;
    let ours = TcpStream::connect(listener.local_addr()?).await?;
    let own = ours.local_addr()?;
    loop {
        let (theirs, from) = listener.accept().await?;
        if from == own {
            return Ok((ours.into_std()?, theirs));
        }
    }
}

/// Carries everything on, and what the server says within limits.
async fn pump(
    server: Box<dyn Stream>,
    client: TcpStream,
    verdict: &Verdict,
) -> Result<(), SourceError> {
    let (mut from_server, mut to_server) = split(server);
    let (mut from_client, mut to_client) = client.into_split();
    let up = async {
        let done = copy(&mut from_client, &mut to_server).await;
        let closed = to_server.shutdown().await;
        done.map(drop).and(closed).map_err(|_| SourceError::Broken)
    };
    let down = async {
        let (mut messages, mut buffer) = (Messages::default(), vec![0; 32 * 1024]);
        loop {
            let read = from_server.read(&mut buffer).await.map_err(|_| SourceError::Broken)?;
            let Some(bytes) = buffer.get(..read).filter(|bytes| !bytes.is_empty()) else {
                return Ok(());
            };
            // Before the connection goes: whoever finds it broken asks why.
            messages.take(bytes).inspect_err(|error| verdict.set(error))?;
            to_client.write_all(bytes).await.map_err(|_| SourceError::Broken)?;
        }
    };
    // Whoever goes first takes the other way with it.
    tokio::select! {
        ended = down => ended,
        ended = up => ended,
    }
}

/// Where messages begin and end (RFC 4511 section 5.1: a SEQUENCE each, of definite length).
#[derive(Debug, Default)]
struct Messages {
    /// Bytes of the present message that are still to come.
    left: usize,
    /// The beginning of the next one.
    head: Vec<u8>,
    all: usize,
}

impl Messages {
    fn take(&mut self, mut bytes: &[u8]) -> Result<(), SourceError> {
        self.all = self.all.saturating_add(bytes.len());
        if self.all > limits::READING {
            return Err(SourceError::Excess(Excess::Bytes));
        }
        while let Some((first, rest)) = bytes.split_first() {
            if self.left > 0 {
                let inside = self.left.min(bytes.len());
                self.left -= inside;
                bytes = bytes.get(inside..).unwrap_or_default();
                continue;
            }
            bytes = rest;
            self.head.push(*first);
            let length = match self.head.as_slice() {
                [0x30] | [0x30, 0x81..=0x84] => continue,
                [0x30, short @ 0..=0x7f] => usize::from(*short),
                [0x30, long @ 0x81..=0x84, length @ ..]
                    if length.len() <= usize::from(long - 0x80) =>
                {
                    if length.len() < usize::from(long - 0x80) {
                        continue;
                    }
                    length.iter().fold(0, |length, byte| length << 8 | usize::from(*byte))
                }
                _ => return Err(SourceError::Malformed),
            };
            if length > limits::MESSAGE {
                return Err(SourceError::Excess(Excess::Bytes));
            }
            (self.left, self.head) = (length, Vec::new());
        }
        Ok(())
    }
}

/// The kind of a failure to connect.
fn failure(error: &std::io::Error) -> SourceError {
    use std::io::ErrorKind;

    if let Some(tls) = error.get_ref().and_then(|inner| inner.downcast_ref::<TlsError>()) {
        return SourceError::Tls(tls_words(tls));
    }
    match error.kind() {
        ErrorKind::ConnectionRefused
        | ErrorKind::HostUnreachable
        | ErrorKind::NetworkUnreachable => SourceError::Unreachable,
        ErrorKind::TimedOut => SourceError::Timeout,
        // What the name service says has no kind of its own.
        _ if error.to_string().contains("lookup address") => SourceError::UnknownHost,
        _ => SourceError::Broken,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_followed_however_they_are_cut() {
        let mut wire = vec![0x30, 0x03, 1, 2, 3, 0x30, 0x81, 0x80];
        wire.extend([7; 0x80]);
        wire.extend([0x30, 0x00, 0x30, 0x84, 0, 0, 1, 0]);
        wire.extend([7; 0x100]);
        for size in [1, 2, 3, 7, 1000] {
            let mut messages = Messages::default();
            for part in wire.chunks(size) {
                messages.take(part).unwrap();
            }
            assert!(messages.left == 0 && messages.head.is_empty(), "{size}");
        }
    }

    #[test]
    fn what_is_too_long_or_no_message_is_not_heard() {
        let take = |bytes: &[u8]| Messages::default().take(bytes);
        assert_eq!(take(&[0x30, 0x84, 0x7f, 0, 0, 0]), Err(SourceError::Excess(Excess::Bytes)));
        for bad in [&b"HTTP/1.1 400"[..], &[0x30, 0x80], &[0x30, 0x85, 1, 1, 1, 1, 1]] {
            assert_eq!(take(bad), Err(SourceError::Malformed), "{bad:?}");
        }
        let mut many = Messages { all: limits::READING, ..Messages::default() };
        assert_eq!(many.take(&[0x30]), Err(SourceError::Excess(Excess::Bytes)));
    }

    /// A server that says this to whoever connects, whatever it is asked.
    async fn server(says: &'static [u8]) -> u16 {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut heard = [0; 64];
            assert!(stream.read(&mut heard).await.is_ok());
            stream.write_all(says).await.unwrap();
            // Stays, so that only what was said ends it.
            while stream.read(&mut heard).await.is_ok_and(|read| read > 0) {}
        });
        port
    }

    async fn bind(port: u16, encryption: Encryption) -> SourceError {
        let settings = super::super::LdapSettings {
            host: "127.0.0.1".into(),
            port,
            encryption,
            user: "cn=x".into(),
            ..Default::default()
        };
        let password = Some(secrecy::SecretString::from("geheim"));
        let ldap = super::super::Ldap::new(&settings, password).unwrap();
        crate::Source::test(&ldap).await.unwrap_err()
    }

    #[tokio::test]
    async fn a_hostile_directory_ends_in_a_clear_error() {
        let endless = server(&[0x30, 0x84, 0x7f, 0xff, 0xff, 0xff, 1, 2, 3]).await;
        assert_eq!(bind(endless, Encryption::None).await, SourceError::Excess(Excess::Bytes));
        let page = server(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
        assert_eq!(bind(page, Encryption::None).await, SourceError::Malformed);
        let unwilling = server(b"\x30\x0c\x02\x01\x01\x78\x07\x0a\x01\x35\x04\x00\x04\x00").await;
        assert_eq!(bind(unwilling, Encryption::StartTls).await, SourceError::AuthMethod);
        let willing =
            server(b"\x30\x0c\x02\x01\x01\x78\x07\x0a\x01\x00\x04\x00\x04\x00not TLS").await;
        assert!(matches!(bind(willing, Encryption::StartTls).await, SourceError::Tls(_)));
        let nobody = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
        assert_eq!(bind(nobody, Encryption::Tls).await, SourceError::Unreachable);
        // The password was refused (RFC 4511 section 4.2.2).
        let refusing = server(b"\x30\x0c\x02\x01\x01\x61\x07\x0a\x01\x31\x04\x00\x04\x00").await;
        assert_eq!(bind(refusing, Encryption::None).await, SourceError::Refused);
    }
}

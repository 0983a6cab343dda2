//! A small HTTP server on loopback that says exactly what a test tells it to say.

#![allow(dead_code, reason = "each test program uses its own part")]

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpListener,
    sync::mpsc,
};

/// A request as it came.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    /// The connection it came over, counted from 1.
    pub(crate) connection: usize,
    /// `GET`.
    pub(crate) method: String,
    /// Path and query.
    pub(crate) target: String,
    /// Names in lower case, and values.
    pub(crate) headers: Vec<(String, String)>,
    /// Body.
    pub(crate) body: String,
}

impl Request {
    /// The value of a header.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// What the server says.
pub(crate) enum Reply {
    /// These bytes, then the next request.
    Bytes(Vec<u8>),
    /// These bytes, then the end.
    Last(Vec<u8>),
    /// These bytes, then the end of the server's half, while it goes on reading.
    Half(Vec<u8>),
    /// These bytes, and then what comes, until the sender is dropped.
    Stream(Vec<u8>, mpsc::Receiver<Vec<u8>>),
    /// These bytes again and again, until the client has enough.
    Endless(Vec<u8>, Vec<u8>),
    /// Nothing, while the connection stays.
    Silence,
}

impl Reply {
    /// A whole answer.
    pub(crate) fn new(status: u16, kind: &str, body: impl AsRef<[u8]>) -> Self {
        Self::with(status, kind, "", body)
    }

    /// A whole answer with more header lines, each with its end.
    pub(crate) fn with(status: u16, kind: &str, more: &str, body: impl AsRef<[u8]>) -> Self {
        let body = body.as_ref();
        let mut bytes = format!(
            "HTTP/1.1 {status} X\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n{more}\r\n",
            body.len()
        )
        .into_bytes();
        bytes.extend_from_slice(body);
        Self::Bytes(bytes)
    }

    /// A document of XML.
    pub(crate) fn xml(body: &str) -> Self {
        Self::new(200, "application/xml; charset=UTF-8", body)
    }

    /// The beginning of an endless answer, and what comes of it as chunks.
    pub(crate) fn channel(pieces: mpsc::Receiver<Vec<u8>>) -> Self {
        let head = "HTTP/1.1 200 OK\r\nContent-Type: application/xml\r\nTransfer-Encoding: chunked\r\n\
                    Set-Cookie: JSESSIONID=channel; Path=/\r\n\r\n";
        Self::Stream(head.into(), pieces)
    }
}

/// One chunk.
pub(crate) fn chunk(text: impl AsRef<[u8]>) -> Vec<u8> {
    let text = text.as_ref();
    let mut bytes = format!("{:x}\r\n", text.len()).into_bytes();
    bytes.extend_from_slice(text);
    bytes.extend_from_slice(b"\r\n");
    bytes
}

/// The server. It ends with the runtime of its test.
pub(crate) struct Server {
    /// Where it listens.
    pub(crate) address: SocketAddr,
    log: Arc<Mutex<Vec<Request>>>,
}

impl Server {
    /// Starts it. `answer` says what to say.
    pub(crate) async fn start(answer: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let log = Arc::new(Mutex::new(Vec::new()));
        let (answer, seen) = (Arc::new(answer), Arc::clone(&log));
        tokio::spawn(async move {
            let mut connection = 0;
            while let Ok((socket, _)) = listener.accept().await {
                connection += 1;
                let (answer, seen) = (Arc::clone(&answer), Arc::clone(&seen));
                tokio::spawn(async move { serve(socket, connection, &*answer, &seen).await });
            }
        });
        Self { address, log }
    }

    /// `http://127.0.0.1:…`.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What has been asked so far.
    pub(crate) fn requests(&self) -> Vec<Request> {
        self.log.lock().unwrap().clone()
    }
}

/// Serves one connection.
pub(crate) async fn serve<S: AsyncRead + AsyncWrite + Unpin>(
    mut socket: S,
    connection: usize,
    answer: &(dyn Fn(&Request) -> Reply + Send + Sync),
    log: &Mutex<Vec<Request>>,
) {
    let mut buffer = Vec::new();
    while let Some(request) = read(&mut socket, &mut buffer, connection).await {
        log.lock().unwrap().push(request.clone());
        let keep = match answer(&request) {
            Reply::Bytes(bytes) => socket.write_all(&bytes).await.is_ok(),
            Reply::Last(bytes) => {
                let _ = socket.write_all(&bytes).await;
                false
            }
            Reply::Half(bytes) => {
                let _ = socket.write_all(&bytes).await;
                let _ = socket.shutdown().await;
                until_closed(&mut socket).await;
                false
            }
            Reply::Stream(head, mut pieces) => {
                let mut open = socket.write_all(&head).await.is_ok();
                while open {
                    match pieces.recv().await {
                        Some(piece) => open = socket.write_all(&piece).await.is_ok(),
                        None => break,
                    }
                }
                false
            }
            Reply::Endless(head, piece) => {
                let mut open = socket.write_all(&head).await.is_ok();
                while open {
                    open = socket.write_all(&piece).await.is_ok();
                }
                false
            }
            Reply::Silence => {
                until_closed(&mut socket).await;
                false
            }
        };
        if !keep {
            return;
        }
    }
}

/// Reads until the client has enough.
async fn until_closed<S: AsyncRead + Unpin>(socket: &mut S) {
    let mut rest = [0; 64];
    while socket.read(&mut rest).await.is_ok_and(|length| length > 0) {}
}

async fn read<S: AsyncRead + Unpin>(
    socket: &mut S,
    buffer: &mut Vec<u8>,
    connection: usize,
) -> Option<Request> {
    let end = loop {
        if let Some(end) = buffer.windows(4).position(|four| four == b"\r\n\r\n") {
            break end + 4;
        }
        if socket.read_buf(buffer).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8_lossy(&buffer[..end]).into_owned();
    let mut lines = head.lines();
    let mut first = lines.next()?.split(' ');
    let (method, target) = (first.next()?.to_owned(), first.next()?.to_owned());
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let length = headers.iter().find(|(name, _)| name == "content-length");
    let length = length.and_then(|(_, value)| value.parse().ok()).unwrap_or(0);
    while buffer.len() < end + length {
        if socket.read_buf(buffer).await.ok()? == 0 {
            return None;
        }
    }
    let body = String::from_utf8_lossy(&buffer[end..end + length]).into_owned();
    buffer.drain(..end + length);
    Some(Request { connection, method, target, headers, body })
}

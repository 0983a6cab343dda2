//! The driver of the web services: HTTP/1.1 over sockets. It decides nothing; requests go to the core and its answers come
//! back, and what the core writes to channels goes out as chunks.

use std::collections::HashMap;
use std::convert::Infallible;
use std::net::{Shutdown, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Limited};
use hyper::body::{Body, Frame, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::task::JoinSet;

use super::knobs::Cut;
use super::web::{StreamId, WebReply, WebRequest};

/// Longest body of a request.
const BODY: usize = 256 * 1024;
/// Connections at once, of one listener.
const CONNECTIONS: usize = 1_000;
/// How long the head of a request may take.
const HEAD: Duration = Duration::from_secs(30);
/// Chunks that a slow reader may leave waiting; beyond that its channel breaks.
const CHUNKS: usize = 2_000;

/// A request with the way back.
#[derive(Debug)]
pub(crate) struct WebAsk {
    pub(crate) request: WebRequest,
    pub(crate) reply: oneshot::Sender<WebAnswer>,
}

/// The core's answer, with the chunks of a channel.
#[derive(Debug)]
pub(crate) struct WebAnswer {
    pub(crate) reply: WebReply,
    pub(crate) chunks: Option<Chunks>,
}

/// What goes to the body of a channel.
#[derive(Debug)]
pub(crate) enum Chunk {
    Data(Vec<u8>),
    Cut(Cut),
}

/// The body of a channel.
#[derive(Debug)]
pub(crate) struct Chunks {
    stream: StreamId,
    chunks: mpsc::Receiver<Chunk>,
    gone: mpsc::UnboundedSender<StreamId>,
    /// The connection, to close half of it.
    socket: Option<Arc<std::net::TcpStream>>,
    silent: bool,
}

impl Drop for Chunks {
    fn drop(&mut self) {
        let _ = self.gone.send(self.stream);
    }
}

/// The senders of all open channels.
#[derive(Debug)]
pub(crate) struct Streams {
    open: HashMap<StreamId, mpsc::Sender<Chunk>>,
    gone: mpsc::UnboundedSender<StreamId>,
}

impl Streams {
    /// None; what ends by itself is told to `gone`.
    pub(crate) fn new(gone: mpsc::UnboundedSender<StreamId>) -> Self {
        Self { open: HashMap::new(), gone }
    }

    /// Opens a stream: its body.
    pub(crate) fn open(&mut self, stream: StreamId) -> Chunks {
        let (sender, chunks) = mpsc::channel(CHUNKS);
        self.open.insert(stream, sender);
        Chunks { stream, chunks, gone: self.gone.clone(), socket: None, silent: false }
    }

    /// Writes to a stream; one whose reader is too slow breaks.
    pub(crate) fn write(&mut self, stream: StreamId, chunk: Chunk) {
        let over = matches!(chunk, Chunk::Cut(Cut::Break | Cut::End));
        let written = match self.open.get(&stream) {
            Some(sender) => sender.try_send(chunk).is_ok(),
            None => return,
        };
        if over || !written {
            self.open.remove(&stream);
        }
    }

    /// Ends a stream as it should.
    pub(crate) fn end(&mut self, stream: StreamId) {
        self.open.remove(&stream);
    }

    /// Forgets all streams, whose bodies break off with their connections.
    pub(crate) fn clear(&mut self) {
        self.open.clear();
    }
}

/// The body of an answer.
enum Content {
    Full(Option<Bytes>),
    Channel(Chunks),
}

/// The body of a channel was broken off on purpose.
#[derive(Debug, thiserror::Error)]
#[error("the channel was cut")]
struct WasCut;

impl Body for Content {
    type Data = Bytes;
    type Error = WasCut;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, WasCut>>> {
        let chunks = match &mut *self {
            Self::Full(bytes) => {
                return Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes))));
            }
            Self::Channel(chunks) => chunks,
        };
        loop {
            match chunks.chunks.poll_recv(context) {
                Poll::Pending => return Poll::Pending,
                // Nobody wakes this any more; the connection's own end does.
                Poll::Ready(None) if chunks.silent => return Poll::Pending,
                Poll::Ready(Some(Chunk::Data(_))) if chunks.silent => {}
                Poll::Ready(None) => return Poll::Ready(None),
                Poll::Ready(Some(Chunk::Data(bytes))) => {
                    return Poll::Ready(Some(Ok(Frame::data(Bytes::from(bytes)))));
                }
                Poll::Ready(Some(Chunk::Cut(Cut::Break))) => return Poll::Ready(Some(Err(WasCut))),
                Poll::Ready(Some(Chunk::Cut(Cut::End))) => return Poll::Ready(None),
                Poll::Ready(Some(Chunk::Cut(Cut::Silent))) => chunks.silent = true,
                Poll::Ready(Some(Chunk::Cut(Cut::Half))) => {
                    chunks.silent = true;
                    if let Some(socket) = &chunks.socket {
                        let _ = socket.shutdown(Shutdown::Write);
                    }
                }
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self, Self::Full(None))
    }

    fn size_hint(&self) -> hyper::body::SizeHint {
        match self {
            Self::Full(bytes) => {
                let length = bytes.as_ref().map_or(0, Bytes::len);
                hyper::body::SizeHint::with_exact(u64::try_from(length).unwrap_or(0))
            }
            Self::Channel(_) => hyper::body::SizeHint::default(),
        }
    }
}

/// Serves one listener for ever; dropping the future drops all its connections.
pub(crate) async fn serve(listener: TcpListener, host: usize, asks: mpsc::Sender<WebAsk>) {
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    let mut connections = JoinSet::new();
    while let Ok(place) = Arc::clone(&places).acquire_owned().await {
        match listener.accept().await {
            Ok((stream, from)) => {
                let asks = asks.clone();
                connections.spawn(async move {
                    connection(stream, from, host, asks).await;
                    drop(place);
                });
            }
            Err(error) => tracing::warn!(%error, "web port"),
        }
        while connections.try_join_next().is_some() {}
    }
}

async fn connection(stream: TcpStream, from: SocketAddr, host: usize, asks: mpsc::Sender<WebAsk>) {
    let _ = stream.set_nodelay(true);
    let (stream, socket) = twin(stream);
    let Some(stream) = stream else { return };
    let service = service_fn(move |request| {
        let (asks, socket) = (asks.clone(), socket.clone());
        async move { Ok::<_, Infallible>(answer(request, host, &asks, socket).await) }
    });
    let served = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .serve_connection(TokioIo::new(stream), service)
        .await;
    if let Err(error) = served {
        tracing::debug!(%error, %from, "web connection");
    }
}

/// The stream, and a second handle of its socket.
fn twin(stream: TcpStream) -> (Option<TcpStream>, Option<Arc<std::net::TcpStream>>) {
    let Ok(stream) = stream.into_std() else { return (None, None) };
    let socket = stream.try_clone().ok().map(Arc::new);
    (TcpStream::from_std(stream).ok(), socket)
}

async fn answer(
    request: Request<Incoming>,
    host: usize,
    asks: &mpsc::Sender<WebAsk>,
    socket: Option<Arc<std::net::TcpStream>>,
) -> Response<Content> {
    let (head, body) = request.into_parts();
    let Ok(body) = Limited::new(body, BODY).collect().await else {
        return plain(413);
    };
    let text = |value: &hyper::header::HeaderValue| {
        value.as_bytes().iter().map(|&byte| char::from(byte)).collect::<String>()
    };
    let request = WebRequest {
        host,
        method: head.method.as_str().to_owned(),
        target: head.uri.path_and_query().map_or("/", |target| target.as_str()).to_owned(),
        headers: head
            .headers
            .iter()
            .map(|(name, value)| (name.as_str().to_owned(), text(value)))
            .collect(),
        body: body.to_bytes().to_vec(),
    };
    let (reply, answer) = oneshot::channel();
    if asks.send(WebAsk { request, reply }).await.is_err() {
        return plain(503);
    }
    let Ok(answer) = answer.await else { return plain(503) };
    if !answer.reply.delay.is_zero() {
        late(answer.reply.delay).await;
    }
    response(answer, socket)
}

#[expect(clippy::disallowed_methods, reason = "an answer that is to come late")]
async fn late(delay: Duration) {
    tokio::time::sleep(delay).await;
}

fn response(answer: WebAnswer, socket: Option<Arc<std::net::TcpStream>>) -> Response<Content> {
    let WebAnswer { reply, chunks } = answer;
    let content = match chunks {
        Some(mut chunks) => {
            chunks.socket = socket;
            Content::Channel(chunks)
        }
        None => Content::Full(Some(Bytes::from(reply.body)).filter(|bytes| !bytes.is_empty())),
    };
    let mut builder = Response::builder().status(reply.status);
    for (name, value) in &reply.headers {
        builder = builder.header(*name, value);
    }
    builder.body(content).unwrap_or_else(|error| {
        tracing::warn!(%error, "an answer that cannot be sent");
        plain(500)
    })
}

fn plain(status: u16) -> Response<Content> {
    let mut response = Response::new(Content::Full(None));
    if let Ok(status) = hyper::StatusCode::from_u16(status) {
        *response.status_mut() = status;
    }
    response
}

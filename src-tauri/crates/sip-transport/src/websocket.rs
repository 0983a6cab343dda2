//! SIP over WebSocket, as a client (RFC 7118).
//!
//! Each WebSocket message is one SIP message, as a datagram is. Signs of life are WebSocket pings
//! of ours; CRLF CRLF from the other side is answered as on a plain stream (RFC 7118 section 6).

use futures_util::{Sink, SinkExt, Stream, StreamExt};
use sip_core::framing::FramingLimits;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::mpsc;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::http::header::SEC_WEBSOCKET_PROTOCOL;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error as WsError, Message};

use crate::FailureCause;
use crate::connection::{Connection, Order, closed_by_peer, closing};
use crate::failure::Failure;

/// The subprotocol's name (RFC 7118 section 4.1).
const PROTOCOL: &str = "sip";

const READ_BUFFER: usize = 16 * 1024;

/// Agrees on SIP with a server. `authority` is the host it is asked as, with the port unless that
/// is the scheme's own.
pub(crate) async fn open<S>(
    stream: S,
    secure: bool,
    authority: &str,
    path: &str,
    limits: FramingLimits,
) -> Result<WebSocketStream<S>, Failure>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let scheme = if secure { "wss" } else { "ws" };
    let slash = if path.starts_with('/') { "" } else { "/" };
    let request = format!("{scheme}://{authority}{slash}{path}").into_client_request();
    let mut request = request.map_err(|error| failed("opening the WebSocket", &error))?;
    request.headers_mut().insert(SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(PROTOCOL));
    let most = limits.head.saturating_add(limits.body);
    let config = WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(0)
        .max_message_size(Some(most))
        .max_frame_size(Some(most));
    let opened = tokio_tungstenite::client_async_with_config(request, stream, Some(config)).await;
    let (stream, response) = opened.map_err(|error| failed("opening the WebSocket", &error))?;
    // A server that knows the subprotocol repeats it.
    let agreed = response.headers().get(SEC_WEBSOCKET_PROTOCOL).map(HeaderValue::as_bytes);
    if agreed != Some(PROTOCOL.as_bytes()) {
        let reason = "the WebSocket server does not offer SIP";
        return Err(Failure::new(FailureCause::WebSocket, reason));
    }
    Ok(stream)
}

impl Connection {
    /// Runs an open WebSocket to its end.
    pub(crate) async fn run_websocket<S>(
        &self,
        stream: WebSocketStream<S>,
        orders: mpsc::Receiver<Order>,
    ) -> Failure
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        tracing::debug!("{} opening, connected -> open", self.target);
        let (writer, reader) = stream.split();
        let ended = tokio::select! {
            ended = self.read_messages(reader) => ended,
            ended = self.write_messages(writer, orders) => ended,
            ended = self.watch() => ended,
        };
        tracing::debug!("{} open, {ended} -> ended", self.target);
        ended
    }

    async fn read_messages(
        &self,
        mut reader: impl Stream<Item = Result<Message, WsError>> + Unpin,
    ) -> Failure {
        while let Some(message) = reader.next().await {
            let message = match message {
                Ok(message) => message,
                Err(error) => return failed("receiving", &error),
            };
            self.pulse.on_bytes();
            let bytes = match &message {
                Message::Text(text) => text.as_bytes(),
                Message::Binary(bytes) => bytes.as_ref(),
                Message::Pong(_) => {
                    self.pulse.on_pong();
                    continue;
                }
                Message::Close(_) => return closed_by_peer(),
                Message::Ping(_) | Message::Frame(_) => continue,
            };
            match bytes {
                b"" => {}
                b"\r\n" => self.pulse.on_pong(),
                b"\r\n\r\n" => self.order(Order::Pong),
                bytes => {
                    if let Err(ended) = self.deliver(bytes).await {
                        return ended;
                    }
                }
            }
        }
        closed_by_peer()
    }

    async fn write_messages(
        &self,
        mut writer: impl Sink<Message, Error = WsError> + Unpin,
        mut orders: mpsc::Receiver<Order>,
    ) -> Failure {
        while let Some(order) = orders.recv().await {
            let message = match order {
                Order::Write(bytes) => message(bytes),
                Order::Ping => Message::Ping(Vec::new().into()),
                Order::Pong => Message::text("\r\n"),
                Order::Close(reason) => {
                    let _ = writer.send(Message::Close(None)).await;
                    return Failure::new(FailureCause::Closed, reason);
                }
            };
            if let Err(error) = writer.send(message).await {
                return failed("sending", &error);
            }
            self.pulse.on_written();
        }
        closing()
    }
}

/// A body may be of any bytes; a text message may not.
fn message(bytes: Vec<u8>) -> Message {
    match String::from_utf8(bytes) {
        Ok(text) => Message::text(text),
        Err(error) => Message::binary(error.into_bytes()),
    }
}

fn failed(doing: &str, error: &WsError) -> Failure {
    let cause = match error {
        WsError::Io(error) => return Failure::io(doing, error),
        WsError::ConnectionClosed | WsError::AlreadyClosed => FailureCause::Closed,
        WsError::Http(_) | WsError::Protocol(_) | WsError::Url(_) | WsError::HttpFormat(_) => {
            FailureCause::WebSocket
        }
        WsError::Capacity(_) | WsError::Utf8(_) | WsError::AttackAttempt => FailureCause::Nonsense,
        _ => FailureCause::Other,
    };
    Failure::new(cause, format!("{doing}: {error}"))
}

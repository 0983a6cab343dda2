//! A web client of the tests' own: HTTP/1.1 over plain TCP, and what it takes to open a channel. Shares nothing with what
//! it tests.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use training_pbx::{PbxHandle, ReadyAccount};

use crate::document::Node;

/// How long anything may take.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);
pub(crate) const ACTIONS: &str = "/com.broadsoft.xsi-actions/v2.0";
pub(crate) const EVENTS: &str = "/com.broadsoft.xsi-events/v2.0";
const ASYNC: &str = "/com.broadsoft.async/com.broadsoft.xsi-events/v2.0/channel";
const SPACE: &str = "xmlns=\"http://schema.broadsoft.com/xsi\"";

/// An answer.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    /// Names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Reply {
    pub(crate) fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str()).unwrap_or_default()
    }

    /// The body as a document, in the charset that the header names.
    pub(crate) fn document(&self) -> Node {
        Node::read(&self.text())
    }

    pub(crate) fn text(&self) -> String {
        match self.header("content-type").contains("ISO-8859-1") {
            true => self.body.iter().map(|&byte| char::from(byte)).collect(),
            false => String::from_utf8(self.body.clone()).unwrap(),
        }
    }

    /// The status, and the number in the `ErrorInfo`.
    pub(crate) fn error(&self) -> (u16, bool) {
        let document = self.document();
        let complete = document.name == "ErrorInfo"
            && document.is_bound
            && document.value("summaryEnglish").is_some()
            && document.value("errorCode").is_some_and(|code| code.parse::<u32>().is_ok());
        (self.status, complete)
    }
}

/// Somebody at the web services.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    /// `host:port` of the first listener, and of the second.
    pub(crate) hosts: Vec<String>,
    pub(crate) id: String,
    pub(crate) authorization: String,
}

impl Client {
    pub(crate) fn new(pbx: &PbxHandle, extension: &str) -> Self {
        let ready = pbx.ready();
        let account = account(pbx, extension);
        let host = |url: &String| url.trim_start_matches("http://").to_owned();
        let secret = format!("{}:{}", account.xsi_user, account.xsi_password);
        Self {
            hosts: ready.xsi_hosts.iter().map(host).collect(),
            id: account.xsi_user.clone(),
            authorization: format!("Basic {}", STANDARD.encode(secret)),
        }
    }

    /// A path of the user's own, `…/user/{id}/{rest}`.
    pub(crate) fn own(&self, rest: &str) -> String {
        format!("{ACTIONS}/user/{}/{rest}", self.id)
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        self.send("GET", path, "").await
    }

    pub(crate) async fn put(&self, path: &str, body: &str) -> Reply {
        self.send("PUT", path, body).await
    }

    pub(crate) async fn post(&self, path: &str, body: &str) -> Reply {
        self.send("POST", path, body).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Reply {
        self.send("DELETE", path, "").await
    }

    pub(crate) async fn send(&self, method: &str, path: &str, body: &str) -> Reply {
        self.send_to(0, method, path, &[("Authorization", &self.authorization)], body).await
    }

    /// Sends a request to one of the hosts, on a connection of its own.
    pub(crate) async fn send_to(
        &self,
        host: usize,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Reply {
        let exchange = async {
            let mut stream = TcpStream::connect(&self.hosts[host]).await.unwrap();
            let mut request = format!("{method} {path} HTTP/1.1\r\nHost: {}\r\n", self.hosts[host]);
            for (name, value) in headers {
                request.push_str(&format!("{name}: {value}\r\n"));
            }
            request
                .push_str(&format!("Connection: close\r\nContent-Length: {}\r\n\r\n", body.len()));
            request.push_str(body);
            stream.write_all(request.as_bytes()).await.unwrap();
            let mut bytes = Vec::new();
            stream.read_to_end(&mut bytes).await.unwrap();
            parse(&bytes)
        };
        tokio::time::timeout(PATIENCE, exchange).await.unwrap_or_else(|_| panic!("{method} {path}"))
    }

    /// Opens a channel at one of the hosts.
    pub(crate) async fn channel(&self, host: usize, set: &str, priority: u32) -> Channel {
        let body = format!(
            "<Channel {SPACE}><channelSetId>{set}</channelSetId><priority>{priority}</priority>\
             <weight>50</weight><expires>3600</expires><applicationId>test</applicationId></Channel>"
        );
        let mut channel = Channel::open(self, host, &body).await;
        let first = channel.next().await;
        assert_eq!((first.name.as_str(), first.names()), ("Channel", vec!["channelId", "expires"]));
        channel.id = first.value("channelId").unwrap().to_owned();
        channel
    }

    /// Subscribes to a package of a user, for a channel set; the id.
    pub(crate) async fn subscribe(&self, target: &str, package: &str, set: &str) -> String {
        let reply = self.try_subscribe(&format!("user/{target}"), package, set).await;
        assert_eq!(reply.status, 200, "{package}: {}", reply.text());
        reply.document().value("subscriptionId").unwrap().to_owned()
    }

    pub(crate) async fn try_subscribe(&self, target: &str, package: &str, set: &str) -> Reply {
        let body = format!(
            "<Subscription {SPACE}><event>{package}</event><expires>3600</expires>\
             <channelSetId>{set}</channelSetId><applicationId>test</applicationId></Subscription>"
        );
        self.post(&format!("{EVENTS}/{target}"), &body).await
    }
}

pub(crate) fn account<'a>(pbx: &'a PbxHandle, extension: &str) -> &'a ReadyAccount {
    pbx.ready().accounts.iter().find(|account| account.extension == extension).unwrap()
}

/// An open channel.
pub(crate) struct Channel {
    stream: TcpStream,
    pub(crate) id: String,
    host: usize,
    client: Client,
    /// Bytes that are no chunk yet.
    raw: Vec<u8>,
    /// Text of chunks that is no document yet.
    text: Vec<u8>,
    /// The chunks as they came.
    pub(crate) chunks: Vec<Vec<u8>>,
    pub(crate) over: bool,
}

impl Channel {
    /// Sends the request and reads the head of the answer.
    pub(crate) async fn open(client: &Client, host: usize, body: &str) -> Self {
        let mut stream = TcpStream::connect(&client.hosts[host]).await.unwrap();
        let request = format!(
            "POST {ASYNC} HTTP/1.1\r\nHost: {}\r\nAuthorization: {}\r\nContent-Length: {}\r\n\r\n{body}",
            client.hosts[host],
            client.authorization,
            body.len()
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut channel = Self {
            stream,
            id: String::new(),
            host,
            client: client.clone(),
            raw: Vec::new(),
            text: Vec::new(),
            chunks: Vec::new(),
            over: false,
        };
        let end = loop {
            let found = channel.raw.windows(4).position(|window| window == b"\r\n\r\n");
            match found {
                Some(at) => break at + 4,
                None => channel.more().await,
            }
        };
        let head: Vec<u8> = channel.raw.drain(..end).collect();
        let head = String::from_utf8(head).unwrap().to_ascii_lowercase();
        assert!(head.starts_with("http/1.1 200"), "{head}");
        assert!(head.contains("transfer-encoding: chunked"), "{head}");
        channel
    }

    async fn more(&mut self) {
        let mut buffer = [0; 4096];
        let read = tokio::time::timeout(PATIENCE, self.stream.read(&mut buffer)).await;
        match read.expect("nothing comes on the channel") {
            Ok(0) | Err(_) => self.over = true,
            Ok(length) => self.raw.extend_from_slice(&buffer[..length]),
        }
    }

    /// The next document, or none if the stream ends.
    pub(crate) async fn next_or_end(&mut self) -> Option<Node> {
        loop {
            if let Some(length) = Node::complete(&self.text) {
                let document: Vec<u8> = self.text.drain(..length).collect();
                return Some(Node::read(std::str::from_utf8(&document).unwrap()));
            }
            if !self.take_chunk() {
                if self.over {
                    return None;
                }
                self.more().await;
            }
        }
    }

    fn take_chunk(&mut self) -> bool {
        let Some(line) = self.raw.windows(2).position(|window| window == b"\r\n") else {
            return false;
        };
        let size = std::str::from_utf8(&self.raw[..line]).unwrap();
        let size = usize::from_str_radix(size.trim(), 16).unwrap();
        if self.raw.len() < line + 2 + size + 2 {
            return false;
        }
        let chunk = self.raw[line + 2..line + 2 + size].to_vec();
        self.raw.drain(..line + 2 + size + 2);
        self.over |= size == 0;
        if size > 0 {
            self.text.extend_from_slice(&chunk);
            self.chunks.push(chunk);
        }
        size > 0
    }

    pub(crate) async fn next(&mut self) -> Node {
        self.next_or_end().await.expect("the channel has ended")
    }

    /// The next event of this type, answered; all before it are answered too.
    pub(crate) async fn event(&mut self, kind: &str) -> Node {
        loop {
            let event = self.any_event().await;
            let data = event.child("eventData").unwrap_or_else(|| panic!("{event:?}"));
            if data.kind.as_deref() == Some(kind) {
                return event;
            }
        }
    }

    /// The next event, answered.
    pub(crate) async fn any_event(&mut self) -> Node {
        loop {
            let document = self.next().await;
            if document.kind.as_deref() == Some("SubscriptionEvent") {
                let reply = self.ack(document.value("eventID").unwrap(), 200).await;
                assert_eq!(reply.status, 200, "{}", reply.text());
                return document;
            }
        }
    }

    /// Answers an event.
    pub(crate) async fn ack(&self, event: &str, status: u16) -> Reply {
        let body = format!(
            "<EventResponse {SPACE}><eventID>{event}</eventID><statusCode>{status}</statusCode>\
             <reason>OK</reason></EventResponse>"
        );
        let path = format!("{EVENTS}/channel/eventresponse");
        let headers = [("Authorization", self.client.authorization.as_str())];
        self.client.send_to(self.host, "POST", &path, &headers, &body).await
    }

    /// Says that the client is there, to one of the hosts.
    pub(crate) async fn heartbeat(&self, host: usize) -> Reply {
        let path = format!("{EVENTS}/channel/{}/heartbeat", self.id);
        let headers = [("Authorization", self.client.authorization.as_str())];
        self.client.send_to(host, "PUT", &path, &headers, "").await
    }
}

fn parse(bytes: &[u8]) -> Reply {
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n").expect("an answer");
    let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
    let mut lines = head.split("\r\n");
    let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    let header = |line: &str| {
        let (name, value) = line.split_once(':').unwrap();
        (name.to_ascii_lowercase(), value.trim().to_owned())
    };
    Reply { status, headers: lines.map(header).collect(), body: bytes[end + 4..].to_vec() }
}

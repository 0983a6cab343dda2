//! Linux: rtnetlink tells of links, addresses and routes; logind of sleep, over the system bus.

use std::io;

use futures_util::StreamExt as _;
use netlink_sys::{AsyncSocket as _, AsyncSocketExt as _, SocketAddr, TokioSocket, protocols};
use tokio::task::JoinHandle;

use super::{Platform, Sign, Signs};

/// Groups of rtnetlink (linux/rtnetlink.h): link, IPv4 and IPv6 address and route.
const GROUPS: u32 = 0x1 | 0x10 | 0x40 | 0x100 | 0x400;
/// One message is a few hundred bytes; several come at once.
const BUFFER: usize = 64 * 1024;

/// The two listeners.
#[derive(Debug)]
pub(crate) struct System {
    tasks: [JoinHandle<()>; 2],
}

impl Platform for System {
    fn start(signs: Signs) -> io::Result<Self> {
        let mut socket = TokioSocket::new(protocols::NETLINK_ROUTE)?;
        socket.socket_mut().bind(&SocketAddr::new(0, GROUPS))?;
        let network = tokio::spawn(listen(socket, signs.clone()));
        let sleep = tokio::spawn(async move {
            if let Err(error) = listen_to_logind(&signs).await {
                // No bus or no logind: a jump of the clock tells as well.
                tracing::debug!(%error, "sleep is not announced");
            }
        });
        Ok(Self { tasks: [network, sleep] })
    }
}

impl Drop for System {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

/// What a message says does not matter: everything is looked at anyway.
async fn listen(socket: TokioSocket, signs: Signs) {
    let mut buffer = bytes::BytesMut::with_capacity(BUFFER);
    loop {
        buffer.clear();
        match socket.recv(&mut buffer).await {
            Ok(()) => {}
            // So much changed at once that messages were lost: a change all the same.
            Err(error) if error.raw_os_error() == Some(NO_BUFFER_SPACE) => {}
            Err(error) => {
                tracing::warn!(%error, "network changes are not announced any more");
                return;
            }
        }
        if !signs.give(Sign::Changed) {
            return;
        }
    }
}

/// ENOBUFS.
const NO_BUFFER_SPACE: i32 = 105;

async fn listen_to_logind(signs: &Signs) -> zbus::Result<()> {
    let bus = zbus::Connection::system().await?;
    let manager = zbus::Proxy::new(
        &bus,
        "org.freedesktop.login1",
        "/org/freedesktop/login1",
        "org.freedesktop.login1.Manager",
    )
    .await?;
    let mut announcements = manager.receive_signal("PrepareForSleep").await?;
    while let Some(message) = announcements.next().await {
        let sign = match message.body().deserialize::<bool>()? {
            true => Sign::Sleeping,
            false => Sign::Woken,
        };
        if !signs.give(sign) {
            break;
        }
    }
    Ok(())
}

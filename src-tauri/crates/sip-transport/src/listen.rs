//! Accepting connections.

use std::sync::Arc;
use std::time::Duration;

use sip_core::Target;
use sip_types::Transport as Protocol;
use tokio::net::TcpListener;

use crate::router::Router;

/// How long to wait after accepting failed, which mostly means that the system is out of files.
const AFTER_ERROR: Duration = Duration::from_millis(100);

/// Accepts for as long as the task lives.
pub(crate) async fn accept(listener: TcpListener, router: Arc<Router>) {
    loop {
        match listener.accept().await {
            Ok((stream, remote)) => {
                let target = Target { transport: Protocol::Tcp, addr: remote };
                router.accepted(target, stream);
            }
            Err(error) => {
                tracing::warn!("accepting a connection: {error}");
                tokio::time::sleep_until(tokio::time::Instant::now() + AFTER_ERROR).await;
            }
        }
    }
}

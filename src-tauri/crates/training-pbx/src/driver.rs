//! The tokio driver: sockets, timers, the handle's questions.

use crate::pbx::{PbxConfig, PbxError, PbxHandle};

/// Opens the ports and spawns the loop.
pub(crate) async fn start(_config: PbxConfig) -> Result<PbxHandle, PbxError> {
    Err(PbxError::Stopped)
}

//! What the four machines tell the layer to do.

use super::{Failure, ServerFailure};

/// An effect of a client machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ClientAction {
    /// Send the request (again).
    Send,
    /// Send the ACK for the refusal at hand.
    Acknowledge,
    /// Hand the answer at hand to the TU.
    Deliver,
    /// Tell the TU there will be no answer, and drop the transaction.
    Fail(Failure),
    /// Drop the transaction; its outcome was told.
    Terminate,
}

/// An effect of a server machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ServerAction {
    /// Send the latest answer (again).
    Send,
    /// Answer `100 Trying` for the TU, which is slow.
    SendTrying,
    /// Hand the ACK at hand to the TU.
    DeliverAck,
    /// Tell the TU its answer may be lost, and drop the transaction.
    Fail(ServerFailure),
    /// Drop the transaction.
    Terminate,
}

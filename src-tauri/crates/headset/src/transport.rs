//! How devices are reached: a system that lists them, and the two ends of one that is open.

use std::io;
use std::time::Duration;

/// A device that is connected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// What it is chosen by, the same after it was unplugged.
    pub id: String,
    /// Where it is opened.
    pub path: String,
    /// What it calls itself.
    pub name: String,
    /// Number of the vendor.
    pub vendor: u16,
    /// Number of the product.
    pub product: u16,
    /// It says that it is a telephone, a handset or a headset.
    pub telephony: bool,
}

/// Why a device cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// The system does not let this user.
    #[error("the system does not allow it")]
    Denied,
    /// Another program has it for itself.
    #[error("another program uses it")]
    InUse,
    /// Anything else.
    #[error("{0}")]
    Other(String),
}

/// An open device: what it says of itself, and an end for each direction.
pub struct Opened {
    /// The report descriptor.
    pub descriptor: Vec<u8>,
    /// Reads its reports.
    pub reader: Box<dyn Reader>,
    /// Writes to it.
    pub writer: Box<dyn Writer>,
}

/// Reads reports, on a thread of its own.
pub trait Reader: Send {
    /// The next report, its number first where reports have numbers; none when there was none for so long.
    ///
    /// # Errors
    /// When the device is gone.
    fn read(&mut self, patience: Duration) -> io::Result<Option<Vec<u8>>>;
}

/// Writes reports.
pub trait Writer: Send {
    /// Writes a report, which begins with its number, or with zero where reports have none.
    ///
    /// # Errors
    /// When the device is gone or refuses.
    fn write(&mut self, report: &[u8]) -> io::Result<()>;
}

/// A system with devices.
pub trait Transport: Send + Sync {
    /// What is connected now.
    ///
    /// # Errors
    /// When the system does not say.
    fn list(&self) -> io::Result<Vec<Found>>;

    /// Opens a device that was listed, without taking it from others.
    ///
    /// # Errors
    /// When it cannot be opened.
    fn open(&self, device: &Found) -> Result<Opened, OpenError>;
}

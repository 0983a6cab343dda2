//! Devices by `hidapi`: hidraw on Linux, the HID class driver on Windows; both let several programs open one device.

use std::ffi::CString;
use std::io;
use std::time::Duration;

use hidapi::{DeviceInfo, HidApi, HidDevice, MAX_REPORT_DESCRIPTOR_SIZE};

use crate::light::Model;
use crate::transport::{Found, OpenError, Opened, Reader, Transport, Writer};

const TELEPHONY: u16 = 0x0B;
/// No report of a device of low, full or high speed is longer in one piece.
const LONGEST: usize = 1024;

/// The devices of this machine.
pub(super) struct System;

impl System {
    pub(super) fn start() -> Option<System> {
        Some(System)
    }
}

impl Transport for System {
    fn list(&self) -> io::Result<Vec<Found>> {
        let api = HidApi::new().map_err(io::Error::other)?;
        let mut all: Vec<Found> = Vec::new();
        for info in api.device_list() {
            let Some(found) = found(info) else { continue };
            // A device with several uses is listed once for each, in one place on Linux.
            if !all.iter().any(|known| known.path == found.path) {
                all.push(found);
            }
        }
        Ok(all)
    }

    fn open(&self, device: &Found) -> Result<Opened, OpenError> {
        let other = |error: hidapi::HidError| OpenError::Other(error.to_string());
        let api = HidApi::new().map_err(other)?;
        let path = CString::new(device.path.as_str())
            .map_err(|error| OpenError::Other(error.to_string()))?;
        may_open(&device.path)?;
        // An end for each direction: the library's device belongs to one thread.
        let open = || api.open_path(&path).map_err(|error| refused(&error));
        let (reader, writer) = (open()?, open()?);
        let mut descriptor = vec![0; MAX_REPORT_DESCRIPTOR_SIZE];
        let length = reader.get_report_descriptor(&mut descriptor).map_err(other)?;
        descriptor.truncate(length);
        Ok(Opened { descriptor, reader: Box::new(End(reader)), writer: Box::new(End(writer)) })
    }
}

/// A headset or a light that is known; nothing else is of interest.
fn found(info: &DeviceInfo) -> Option<Found> {
    let (vendor, product) = (info.vendor_id(), info.product_id());
    let telephony = info.usage_page() == TELEPHONY;
    if !telephony && Model::of(vendor, product).is_none() {
        return None;
    }
    let serial = info.serial_number().unwrap_or_default();
    let name = info.product_string().unwrap_or_default().trim();
    let name =
        if name.is_empty() { format!("{vendor:04x}:{product:04x}") } else { name.to_owned() };
    Some(Found {
        id: format!("{vendor:04x}:{product:04x}:{serial}"),
        path: info.path().to_str().ok()?.to_owned(),
        name,
        vendor,
        product,
        telephony,
    })
}

/// The library says only in words why it could not open; the system says it in a number.
#[cfg(target_os = "linux")]
fn may_open(path: &str) -> Result<(), OpenError> {
    match std::fs::OpenOptions::new().read(true).write(true).open(path) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Err(OpenError::Denied),
        Err(error) if error.kind() == io::ErrorKind::ResourceBusy => Err(OpenError::InUse),
        Err(error) => Err(OpenError::Other(error.to_string())),
    }
}

#[cfg(windows)]
fn may_open(_: &str) -> Result<(), OpenError> {
    Ok(())
}

/// Windows refuses a device only to those who come after somebody that wants it for himself.
fn refused(error: &hidapi::HidError) -> OpenError {
    if cfg!(windows) { OpenError::InUse } else { OpenError::Other(error.to_string()) }
}

/// One end of an open device.
struct End(HidDevice);

impl Reader for End {
    fn read(&mut self, patience: Duration) -> io::Result<Option<Vec<u8>>> {
        let mut report = vec![0; LONGEST];
        let patience = i32::try_from(patience.as_millis()).unwrap_or(i32::MAX);
        let length = self.0.read_timeout(&mut report, patience).map_err(io::Error::other)?;
        report.truncate(length);
        Ok(Some(report).filter(|report| !report.is_empty()))
    }
}

impl Writer for End {
    fn write(&mut self, report: &[u8]) -> io::Result<()> {
        self.0.write(report).map(|_| ()).map_err(io::Error::other)
    }
}

//! Devices that are not there, for tests: they are plugged in and out, pressed, and remember what was written to them.

#![expect(clippy::unwrap_used, reason = "a test whose other thread failed fails as well")]

pub mod families;

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::Duration;

use crate::transport::{Found, OpenError, Opened, Reader, Transport, Writer};

/// A machine whose devices a test holds; cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Machine(Arc<(Mutex<Devices>, Condvar)>);

#[derive(Debug, Default)]
struct Devices {
    all: Vec<Device>,
    plugged: u64,
}

#[derive(Debug)]
struct Device {
    found: Found,
    descriptor: Vec<u8>,
    refused: Option<OpenError>,
    /// Answers what is written with reports of its own.
    echo: Option<Echo>,
    /// Which plugging-in this is.
    run: u64,
    reports: VecDeque<Vec<u8>>,
    written: Vec<Vec<u8>>,
}

/// A device that follows the program's hook: when this bit of what is written changes, it sends this report.
#[derive(Debug, Clone)]
pub struct Echo {
    /// Byte and bit of the off-hook lamp.
    pub lamp: (usize, u8),
    /// Sent when the lamp goes on.
    pub on: Vec<u8>,
    /// Sent when it goes out.
    pub off: Vec<u8>,
}

impl Machine {
    /// Plugs a headset in that describes itself so.
    pub fn plug(&self, id: &str, name: &str, descriptor: &[u8], echo: Option<Echo>) {
        self.plug_device(Found { telephony: true, ..found(id, name) }, descriptor, echo);
    }

    /// Plugs a busy light in.
    pub fn plug_light(&self, id: &str, name: &str, vendor: u16, product: u16) {
        self.plug_device(Found { vendor, product, ..found(id, name) }, &[], None);
    }

    fn plug_device(&self, found: Found, descriptor: &[u8], echo: Option<Echo>) {
        let mut devices = self.lock();
        devices.plugged += 1;
        let run = devices.plugged;
        devices.all.push(Device {
            found,
            descriptor: descriptor.to_vec(),
            refused: None,
            echo,
            run,
            reports: VecDeque::new(),
            written: Vec::new(),
        });
    }

    /// Pulls a device out.
    pub fn unplug(&self, id: &str) {
        self.lock().all.retain(|device| device.found.id != id);
        self.0.1.notify_all();
    }

    /// From now on the device cannot be opened, or can again.
    pub fn refuse(&self, id: &str, why: Option<OpenError>) {
        self.on(id, |device| device.refused = why);
    }

    /// The device sends a report.
    pub fn send(&self, id: &str, report: &[u8]) {
        self.on(id, |device| device.reports.push_back(report.to_vec()));
        self.0.1.notify_all();
    }

    /// What was written to the device so far.
    pub fn written(&self, id: &str) -> Vec<Vec<u8>> {
        let mut written = Vec::new();
        self.on(id, |device| written.clone_from(&device.written));
        written
    }

    /// Waits until what was written last to the device is this.
    ///
    /// # Panics
    /// After half a minute.
    pub fn wait_for(&self, id: &str, report: &[u8]) {
        let is_last = |devices: &Devices| {
            let device = devices.all.iter().find(|device| device.found.id == id);
            device.is_some_and(|device| device.written.last().is_some_and(|last| last == report))
        };
        let (mutex, changed) = &*self.0;
        let devices = mutex.lock().unwrap();
        let (devices, late) = changed
            .wait_timeout_while(devices, Duration::from_secs(30), |devices| !is_last(devices))
            .unwrap();
        assert!(!late.timed_out(), "{report:02x?} was not written: {devices:02x?}");
    }

    fn wait_while(
        &self,
        patience: Duration,
        holds: impl FnMut(&mut Devices) -> bool,
    ) -> MutexGuard<'_, Devices> {
        let (mutex, changed) = &*self.0;
        let devices = mutex.lock().unwrap();
        changed.wait_timeout_while(devices, patience, holds).unwrap().0
    }

    fn lock(&self) -> MutexGuard<'_, Devices> {
        self.0.0.lock().unwrap()
    }

    fn on(&self, id: &str, act: impl FnOnce(&mut Device)) {
        if let Some(device) = self.lock().all.iter_mut().find(|device| device.found.id == id) {
            act(device);
        }
    }
}

fn found(id: &str, name: &str) -> Found {
    let (id, name) = (id.to_owned(), name.to_owned());
    Found { path: id.clone(), id, name, vendor: 0, product: 0, telephony: false }
}

impl Transport for Machine {
    fn list(&self) -> io::Result<Vec<Found>> {
        Ok(self.lock().all.iter().map(|device| device.found.clone()).collect())
    }

    fn open(&self, wanted: &Found) -> Result<Opened, OpenError> {
        let mut devices = self.lock();
        let device = devices.all.iter_mut().find(|device| device.found.id == wanted.id);
        let device = device.ok_or_else(|| OpenError::Other("it is gone".to_owned()))?;
        if let Some(why) = &device.refused {
            return Err(why.clone());
        }
        let end = End { machine: self.clone(), run: device.run };
        Ok(Opened {
            descriptor: device.descriptor.clone(),
            reader: Box::new(end.clone()),
            writer: Box::new(end),
        })
    }
}

/// One end of an open device.
#[derive(Debug, Clone)]
struct End {
    machine: Machine,
    run: u64,
}

fn gone() -> io::Error {
    io::Error::new(io::ErrorKind::NotConnected, "it was pulled out")
}

impl Reader for End {
    fn read(&mut self, patience: Duration) -> io::Result<Option<Vec<u8>>> {
        let nothing = |devices: &mut Devices| {
            let device = devices.all.iter().find(|device| device.run == self.run);
            device.is_some_and(|device| device.reports.is_empty())
        };
        let mut devices = self.machine.wait_while(patience, nothing);
        let device = devices.all.iter_mut().find(|device| device.run == self.run);
        Ok(device.ok_or_else(gone)?.reports.pop_front())
    }
}

impl Writer for End {
    fn write(&mut self, report: &[u8]) -> io::Result<()> {
        let mut devices = self.machine.lock();
        let device =
            devices.all.iter_mut().find(|device| device.run == self.run).ok_or_else(gone)?;
        if let Some(echo) = &device.echo {
            let (byte, bit) = echo.lamp;
            let is_on =
                |report: &Vec<u8>| report.get(byte).is_some_and(|byte| byte >> bit & 1 == 1);
            let before = device.written.last().is_some_and(is_on);
            let on = is_on(&report.to_vec());
            if on != before {
                device.reports.push_back(if on { echo.on.clone() } else { echo.off.clone() });
            }
        }
        device.written.push(report.to_vec());
        drop(devices);
        self.machine.0.1.notify_all();
        Ok(())
    }
}

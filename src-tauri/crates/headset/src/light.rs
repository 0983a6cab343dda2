//! A busy light: a lamp on the desk or the door that tells colleagues how things stand.
//!
//! Inputs: what it is to tell; from the clock, that it is to blink or to be told again. Output: reports. Colours: green is
//! free, blinking blue a call that comes in, red a conversation, purple that no calls are wanted. The words of the two makers
//! are public: <https://docs.rs/luxafor> and the descriptions of the project `busylight` on GitHub. No light was connected.

use std::time::{Duration, Instant};

/// One half of a blink.
const BLINK: Duration = Duration::from_millis(500);
/// A Busylight goes out by itself when it hears nothing for half a minute.
const REMIND: Duration = Duration::from_secs(10);

/// A kind of light.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Model {
    /// Kuando Busylight Alpha and Omega: 64 bytes, seven steps and a sum.
    Busylight,
    /// Luxafor Flag, Mute, Orb and Bluetooth: eight bytes.
    Luxafor,
}

impl Model {
    /// The model by the numbers of vendor and product.
    pub fn of(vendor: u16, product: u16) -> Option<Model> {
        match (vendor, product) {
            (0x27BB, 0x3BCA | 0x3BCB | 0x3BCD | 0x3BCE | 0x3BCF) | (0x04D8, 0xF848) => {
                Some(Model::Busylight)
            }
            (0x04D8, 0xF372) => Some(Model::Luxafor),
            _ => None,
        }
    }

    /// The report for a colour of red, green and blue, each from 0 to 100. It begins with the number zero, as a report
    /// without a number is written.
    fn report(self, [red, green, blue]: [u8; 3]) -> Vec<u8> {
        match self {
            // A static colour (1) on all lamps (0xFF).
            Model::Luxafor => vec![0, 0x01, 0xFF, red, green, blue, 0, 0, 0],
            Model::Busylight => {
                let mut report = vec![0; 65];
                // The first step jumps (1) to itself (0): it lasts. Last comes that the sound changes, to none.
                report[1..9].copy_from_slice(&[0x10, 1, red, green, blue, 0, 0, 0x80]);
                report[60..63].fill(0xFF);
                let sum: u16 = report[1..63].iter().map(|byte| u16::from(*byte)).sum();
                report[63..65].copy_from_slice(&sum.to_be_bytes());
                report
            }
        }
    }
}

/// What a light tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mood {
    /// Nothing: it is out.
    #[default]
    Off,
    /// Free.
    Free,
    /// A call comes in.
    Ringing,
    /// In conversation.
    Busy,
    /// No calls are wanted.
    DoNotDisturb,
}

impl Mood {
    fn colour(self) -> [u8; 3] {
        match self {
            Mood::Off => [0, 0, 0],
            Mood::Free => [0, 100, 0],
            Mood::Ringing => [0, 0, 100],
            Mood::Busy => [100, 0, 0],
            Mood::DoNotDisturb => [60, 0, 60],
        }
    }
}

/// One light.
#[derive(Debug)]
pub struct Light {
    model: Model,
    mood: Mood,
    on: bool,
    due: Option<Instant>,
    pending: Option<Vec<u8>>,
}

impl Light {
    /// A light that tells nothing yet.
    pub fn new(model: Model) -> Light {
        Light { model, mood: Mood::Off, on: false, due: None, pending: None }
    }

    /// What it is to tell from now on.
    pub fn set(&mut self, now: Instant, mood: Mood) {
        if mood != self.mood {
            self.mood = mood;
            self.on = true;
            self.tell(now);
        }
    }

    /// The clock has reached what [`Light::poll_timeout`] said.
    pub fn handle_timeout(&mut self, now: Instant) {
        if self.due.is_some_and(|due| due <= now) {
            self.on = self.mood != Mood::Ringing || !self.on;
            self.tell(now);
        }
    }

    /// When [`Light::handle_timeout`] is wanted.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.due
    }

    /// The report to be written.
    pub fn poll_output(&mut self) -> Option<Vec<u8>> {
        self.pending.take()
    }

    fn tell(&mut self, now: Instant) {
        let colour = if self.on { self.mood.colour() } else { [0, 0, 0] };
        self.pending = Some(self.model.report(colour));
        self.due = match (self.mood, self.model) {
            (Mood::Ringing, _) => Some(now + BLINK),
            (Mood::Off, _) | (_, Model::Luxafor) => None,
            _ => Some(now + REMIND),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[expect(clippy::disallowed_methods, reason = "a beginning for virtual time")]
    fn start() -> Instant {
        Instant::now()
    }

    #[test]
    fn a_luxafor_is_told_a_static_colour() {
        let mut light = Light::new(Model::Luxafor);
        light.set(start(), Mood::Busy);
        assert_eq!(light.poll_output().unwrap(), [0, 1, 0xFF, 100, 0, 0, 0, 0, 0]);
        assert_eq!(light.poll_output(), None);
        assert_eq!(light.poll_timeout(), None, "it stays as it is");
    }

    #[test]
    fn a_busylight_is_told_again_before_it_goes_out_and_its_sum_is_right() {
        let now = start();
        let mut light = Light::new(Model::Busylight);
        light.set(now, Mood::Free);
        let report = light.poll_output().unwrap();
        assert_eq!(report.len(), 65);
        assert_eq!(report[1..9], [0x10, 1, 0, 100, 0, 0, 0, 0x80]);
        // 0x10 + 1 + 100 + 0x80 + 3 * 0xFF
        assert_eq!(u16::from_be_bytes([report[63], report[64]]), 1010);
        let due = light.poll_timeout().unwrap();
        assert!(due <= now + Duration::from_secs(15));
        light.handle_timeout(due);
        assert_eq!(light.poll_output().unwrap(), report);
    }

    #[test]
    fn a_call_blinks_until_it_is_answered() {
        let mut now = start();
        for model in [Model::Luxafor, Model::Busylight] {
            let mut light = Light::new(model);
            light.set(now, Mood::Ringing);
            let on = light.poll_output().unwrap();
            now = light.poll_timeout().unwrap();
            light.handle_timeout(now);
            let off = light.poll_output().unwrap();
            assert_ne!(on, off);
            now = light.poll_timeout().unwrap();
            light.handle_timeout(now);
            assert_eq!(light.poll_output().unwrap(), on);
            light.set(now, Mood::Off);
            assert_eq!(light.poll_output().unwrap(), off, "out");
            assert_eq!(light.poll_timeout(), None);
        }
    }
}

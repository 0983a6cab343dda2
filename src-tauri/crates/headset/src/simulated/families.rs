//! Descriptors in the manner of the usual families of headsets.
//!
//! They are written after public descriptions (makers' developer pages, descriptors that owners published, open firmware of
//! chips that such devices are made with), and were not read from devices: they show how families differ in what
//! matters here, and say nothing of any one product. What differs: numbers of reports, controls marked as constant, mute keys
//! that tell presses or levels, hooks that tell levels or presses, lamps in several reports, no numbers at all.

use crate::layout::{Key, Lamp};

/// A family: its descriptor, and where its controls and lamps are, written down a second time by hand.
#[derive(Debug, Clone, Copy)]
pub struct Family {
    /// Whose manner it is.
    pub name: &'static str,
    /// The report descriptor.
    pub descriptor: &'static [u8],
    /// Number of the report with the controls; 0: reports have no numbers.
    number: u8,
    /// Bytes of that report, the number not counted.
    length: usize,
    /// Controls and their bits, counted from after the number.
    keys: &'static [(Key, usize)],
    /// Lamps, the number of their report and their bits, counted from after the number.
    lamps: &'static [(Lamp, u8, usize)],
    /// The hook tells how it stands; false: that it was pressed.
    pub hook_has_level: bool,
}

impl Family {
    /// The controls.
    pub fn keys(&self) -> impl Iterator<Item = Key> + use<> {
        let keys = self.keys;
        keys.iter().map(|(key, _)| *key)
    }

    /// The lamps.
    pub fn lamps(&self) -> impl Iterator<Item = Lamp> + use<> {
        let lamps = self.lamps;
        lamps.iter().map(|(lamp, ..)| *lamp)
    }

    /// Whether it has the control.
    pub fn has(&self, key: Key) -> bool {
        self.keys().any(|own| own == key)
    }

    /// The report in which these controls are on and all others off, as it is read from the device.
    pub fn report(&self, on: &[Key]) -> Vec<u8> {
        let ahead = usize::from(self.number != 0);
        let mut report = vec![0; self.length + ahead];
        if let Some(first) = report.first_mut().filter(|_| ahead == 1) {
            *first = self.number;
        }
        for (_, bit) in self.keys.iter().filter(|(key, _)| on.contains(key)) {
            if let Some(byte) = report.get_mut(bit / 8 + ahead) {
                *byte |= 1 << (bit % 8);
            }
        }
        report
    }

    /// Number of the report that holds a lamp, its byte there counted from the number on, and its bit.
    pub fn place(&self, lamp: Lamp) -> Option<(u8, usize, u8)> {
        let (_, report, bit) = self.lamps.iter().find(|(own, ..)| *own == lamp)?;
        Some((*report, bit / 8 + 1, u8::try_from(bit % 8).ok()?))
    }

    /// Whether a lamp is lit when these reports were the last ones written.
    pub fn is_lit(&self, reports: &[Vec<u8>], lamp: Lamp) -> bool {
        let Some((number, byte, bit)) = self.place(lamp) else { return false };
        let last = reports.iter().rev().find(|report| report.first() == Some(&number));
        last.and_then(|report| report.get(byte)).is_some_and(|byte| byte >> bit & 1 == 1)
    }
}

/// All of them.
pub const ALL: &[Family] = &[JABRA, POLY, EPOS, YEALINK, LOGITECH];

/// One report both ways, the hook marked as constant, the rest one-shot, a keypad between, "reject" as button 7.
pub const JABRA: Family = Family {
    name: "Jabra",
    descriptor: &[
        0x05, 0x0C, 0x09, 0x01, 0xA1, 0x01, 0x85, 0x01, 0x15, 0x00, 0x25, 0x01, 0x09, 0xEA, 0x09,
        0xE9, 0x09, 0xE2, 0x75, 0x01, 0x95, 0x03, 0x81, 0x02, 0x95, 0x05, 0x81, 0x01,
        0xC0, // volume keys, report 1
        0x05, 0x0B, 0x09, 0x05, 0xA1, 0x01, 0x85, 0x02, 0x15, 0x00, 0x25,
        0x01, // headset, report 2
        0x09, 0x20, 0x09, 0x97, 0x09, 0x2A, 0x75, 0x01, 0x95, 0x03, 0x81,
        0x23, // hook, busy, line
        0x09, 0x2F, 0x09, 0x21, 0x09, 0x24, 0x09, 0x50, 0x95, 0x04, 0x81,
        0x07, // mute, flash, redial, speed dial
        0x09, 0x06, 0xA1, 0x02, 0x19, 0xB0, 0x29, 0xBB, 0x15, 0x01, 0x25, 0x0C, 0x75, 0x04, 0x95,
        0x01, 0x81, 0x40, 0xC0, // keypad
        0x05, 0x09, 0x09, 0x07, 0x15, 0x00, 0x25, 0x01, 0x75, 0x01, 0x95, 0x01, 0x81,
        0x02, // button 7
        0x95, 0x04, 0x81, 0x01, // filling
        0x05, 0x08, 0x09, 0x17, 0x09, 0x09, 0x09, 0x18, 0x09, 0x20, 0x09, 0x21, 0x09, 0x2A, 0x95,
        0x06, 0x91, 0x22, // off-hook, mute, ring, hold, microphone, on-line
        0x05, 0x0B, 0x09, 0x9E, 0x95, 0x01, 0x91, 0x22, 0x95, 0x09, 0x91, 0x01,
        0xC0, // ringer
    ],
    number: 2,
    length: 2,
    keys: &[
        (Key::Hook, 0),
        (Key::Busy, 1),
        (Key::Line, 2),
        (Key::Mute, 3),
        (Key::Flash, 4),
        (Key::Redial, 5),
        (Key::Reject, 11),
    ],
    lamps: &[
        (Lamp::OffHook, 2, 0),
        (Lamp::Mute, 2, 1),
        (Lamp::Ring, 2, 2),
        (Lamp::Hold, 2, 3),
        (Lamp::Microphone, 2, 4),
        (Lamp::OnLine, 2, 5),
        (Lamp::Ringer, 2, 6),
    ],
    hook_has_level: true,
};

/// Controls and lamps in reports of different numbers, beside a page of the maker's own.
pub const POLY: Family = Family {
    name: "Poly",
    descriptor: &[
        0x06, 0xA0, 0xFF, 0x09, 0x01, 0xA1, 0x01, 0x85, 0x03, 0x15, 0x00, 0x25, 0x01, 0x09, 0xB1,
        0x75, 0x01, 0x95, 0x08, 0x81, 0x02, 0xC0, // the maker's own
        0x05, 0x0B, 0x09, 0x05, 0xA1, 0x01, 0x85, 0x08, 0x15, 0x00, 0x25,
        0x01, // headset, report 8
        0x09, 0x20, 0x75, 0x01, 0x95, 0x01, 0x81, 0x22, // hook
        0x09, 0x2F, 0x09, 0x21, 0x09, 0x24, 0x95, 0x03, 0x81, 0x06, 0x95, 0x04, 0x81,
        0x01, // mute, flash, redial
        0x85, 0x09, 0x05, 0x08, 0x09, 0x17, 0x09, 0x18, 0x09, 0x09, 0x09, 0x20, 0x09, 0x21, 0x95,
        0x05, 0x91, 0x22, 0x95, 0x03, 0x91, 0x01,
        0xC0, // report 9: off-hook, ring, mute, hold, microphone
    ],
    number: 8,
    length: 1,
    keys: &[(Key::Hook, 0), (Key::Mute, 1), (Key::Flash, 2), (Key::Redial, 3)],
    lamps: &[
        (Lamp::OffHook, 9, 0),
        (Lamp::Ring, 9, 1),
        (Lamp::Mute, 9, 2),
        (Lamp::Hold, 9, 3),
        (Lamp::Microphone, 9, 4),
    ],
    hook_has_level: true,
};

/// Everything absolute with a preferred state, "drop" for ending, the mute lamp in a report of its own.
pub const EPOS: Family = Family {
    name: "EPOS",
    descriptor: &[
        0x05, 0x0B, 0x09, 0x05, 0xA1, 0x01, 0x85, 0x05, 0x15, 0x00, 0x25, 0x01, 0x75,
        0x01, // headset, report 5
        0x09, 0x20, 0x09, 0x21, 0x09, 0x26, 0x09, 0x2F, 0x95, 0x04, 0x81, 0x02, 0x95, 0x04, 0x81,
        0x01, // hook, flash, drop, mute
        0x05, 0x08, 0x09, 0x17, 0x09, 0x18, 0x09, 0x20, 0x95, 0x03, 0x91, 0x02, 0x95, 0x05, 0x91,
        0x01, // off-hook, ring, hold
        0x85, 0x06, 0x09, 0x09, 0x95, 0x01, 0x91, 0x02, 0x95, 0x07, 0x91, 0x01,
        0xC0, // report 6: mute
    ],
    number: 5,
    length: 1,
    keys: &[(Key::Hook, 0), (Key::Flash, 1), (Key::Drop, 2), (Key::Mute, 3)],
    lamps: &[(Lamp::OffHook, 5, 0), (Lamp::Ring, 5, 1), (Lamp::Hold, 5, 2), (Lamp::Mute, 6, 0)],
    hook_has_level: true,
};

/// Mute and hold keys that are pressed but stand in one group with the hook, all marked as constant.
pub const YEALINK: Family = Family {
    name: "Yealink",
    descriptor: &[
        0x05, 0x0B, 0x09, 0x05, 0xA1, 0x01, 0x85, 0x04, 0x15, 0x00, 0x25, 0x01, 0x75,
        0x01, // headset, report 4
        0x09, 0x20, 0x09, 0x97, 0x09, 0x2F, 0x09, 0x23, 0x95, 0x04, 0x81,
        0x23, // hook, busy, mute, hold
        0x09, 0x24, 0x09, 0x50, 0x95, 0x02, 0x81, 0x07, // redial, speed dial
        0x05, 0x09, 0x09, 0x07, 0x95, 0x01, 0x81, 0x02, 0x95, 0x01, 0x81, 0x01, // button 7
        0x05, 0x08, 0x09, 0x17, 0x09, 0x09, 0x09, 0x18, 0x09, 0x20, 0x95, 0x04, 0x91, 0x22, 0x95,
        0x04, 0x91, 0x01, 0xC0, // off-hook, mute, ring, hold
    ],
    number: 4,
    length: 1,
    keys: &[
        (Key::Hook, 0),
        (Key::Busy, 1),
        (Key::Mute, 2),
        (Key::Hold, 3),
        (Key::Redial, 4),
        (Key::Reject, 6),
    ],
    lamps: &[(Lamp::OffHook, 4, 0), (Lamp::Mute, 4, 1), (Lamp::Ring, 4, 2), (Lamp::Hold, 4, 3)],
    hook_has_level: true,
};

/// Reports without numbers; the hook tells presses.
pub const LOGITECH: Family = Family {
    name: "Logitech",
    descriptor: &[
        0x05, 0x0B, 0x09, 0x05, 0xA1, 0x01, 0x15, 0x00, 0x25, 0x01, 0x75, 0x01, // headset
        0x09, 0x20, 0x09, 0x2F, 0x95, 0x02, 0x81, 0x06, 0x95, 0x06, 0x81, 0x01, // hook, mute
        0x05, 0x08, 0x09, 0x17, 0x09, 0x09, 0x09, 0x18, 0x95, 0x03, 0x91, 0x22, 0x95, 0x05, 0x91,
        0x01, 0xC0, // off-hook, mute, ring
    ],
    number: 0,
    length: 1,
    keys: &[(Key::Hook, 0), (Key::Mute, 1)],
    lamps: &[(Lamp::OffHook, 0, 0), (Lamp::Mute, 0, 1), (Lamp::Ring, 0, 2)],
    hook_has_level: false,
};

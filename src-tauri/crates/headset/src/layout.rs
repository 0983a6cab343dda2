//! Where the keys and lamps of a device stand in its reports, read from its report descriptor.
//!
//! A descriptor comes from a device and need not be sound: its items are looked through for what would make the library
//! that reads it take all memory or fail. Several makers mark the hook switch and the mute key as constant, which they are
//! not; such a mark is taken off again wherever a control is named.

use std::collections::BTreeMap;
use std::ops::Range;

use hidreport::hid::{
    GlobalItem, Item as _, ItemType, LocalItem, MainDataItem as _, MainItem, ReportDescriptorItems,
};
use hidreport::{Field, FieldAttributes as _, Report as _, ReportDescriptor, Usage};

const TELEPHONY: u16 = 0x0B;
const LED: u16 = 0x08;
const BUTTON: u16 = 0x09;
/// No descriptor of a HID device is longer.
const LONGEST: usize = 4096;
/// Controls that one item may describe, and bits that one of them may have.
const MOST: usize = 4096;

/// A control of a headset, by its usage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Key {
    /// Telephony, hook switch.
    Hook,
    /// Telephony, flash: from one call to the other.
    Flash,
    /// Telephony, hold.
    Hold,
    /// Telephony, redial.
    Redial,
    /// Telephony, line: takes the other call, or the one that rings.
    Line,
    /// Telephony, drop: ends or declines.
    Drop,
    /// Telephony, phone mute.
    Mute,
    /// Telephony, programmable button, or the buttons 7 and 1 inside a telephony collection: declines.
    Reject,
    /// Telephony, line busy tone: the headset is in a call.
    Busy,
}

/// A lamp, or what rings, on a headset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lamp {
    /// LED, off-hook: there is a conversation.
    OffHook,
    /// LED, mute.
    Mute,
    /// LED, ring.
    Ring,
    /// LED, hold.
    Hold,
    /// LED, microphone.
    Microphone,
    /// LED, on-line.
    OnLine,
    /// Telephony, ringer.
    Ringer,
}

/// Why a descriptor is of no use.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LayoutError {
    /// It is too long, or describes too much.
    #[error("the device describes more than a headset has")]
    TooMuch,
    /// It cannot be read.
    #[error("the device does not describe itself well: {0}")]
    Malformed(String),
    /// It has neither a hook switch nor a mute key.
    #[error("the device has no keys for calls")]
    NoKeys,
}

/// A control and where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct KeyField {
    pub(crate) key: Key,
    /// A one tells that it was pressed, or changed, and not how it stands.
    pub(crate) relative: bool,
    /// A one that comes twice was pressed twice.
    pub(crate) repeats: bool,
    report: Option<u8>,
    place: Place,
}

/// Where the value of a control is.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Place {
    /// Its own bits.
    Bits(Range<usize>),
    /// One of several numbers, of these bits each, that tell which controls are pressed.
    Among { slots: Vec<Range<usize>>, number: u32 },
}

/// A lamp and where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
struct LampField {
    lamp: Lamp,
    report: u8,
    bits: Range<usize>,
}

/// The controls and lamps of a device.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Layout {
    keys: Vec<KeyField>,
    lamps: Vec<LampField>,
    /// Bytes of each report that has lamps, the leading number included.
    lengths: BTreeMap<u8, usize>,
}

impl Layout {
    /// Reads a report descriptor in the form that a device gives it.
    ///
    /// # Errors
    /// When it cannot be read, describes more than is reasonable, or has no keys for calls.
    pub fn read(descriptor: &[u8]) -> Result<Layout, LayoutError> {
        let descriptor = sound(descriptor)?;
        let read = ReportDescriptor::try_from(descriptor.as_slice())
            .map_err(|error| LayoutError::Malformed(error.to_string()))?;
        let mut layout = Layout::default();
        for report in read.input_reports() {
            let number = report.report_id().as_ref().map(u8::from);
            report.fields().iter().for_each(|field| layout.add_keys(number, field));
        }
        for report in read.output_reports() {
            let number = report.report_id().as_ref().map(u8::from);
            let before = layout.lamps.len();
            report.fields().iter().for_each(|field| layout.add_lamp(number, field));
            if layout.lamps.len() > before {
                // A report without a number is written with a zero in its place.
                let bytes = report.size_in_bytes() + usize::from(number.is_none());
                layout.lengths.insert(number.unwrap_or(0), bytes);
            }
        }
        if layout.has(Key::Hook) || layout.has(Key::Mute) {
            Ok(layout)
        } else {
            Err(LayoutError::NoKeys)
        }
    }

    /// Whether the device has this control.
    pub fn has(&self, key: Key) -> bool {
        self.keys.iter().any(|field| field.key == key)
    }

    /// Whether the device has this lamp.
    pub fn has_lamp(&self, lamp: Lamp) -> bool {
        self.lamps.iter().any(|field| field.lamp == lamp)
    }

    /// The controls, in the order of [`Layout::values`].
    pub(crate) fn keys(&self) -> &[KeyField] {
        &self.keys
    }

    /// How each control stands by this report, as it was read from the device; none where it is not in the report, or
    /// the report too short.
    pub(crate) fn values(&self, report: &[u8]) -> Vec<Option<bool>> {
        self.keys.iter().map(|field| field.value(report)).collect()
    }

    /// Every report that has lamps, ready to be written, with those lit that `lit` says.
    pub fn reports(&self, lit: impl Fn(Lamp) -> bool) -> Vec<Vec<u8>> {
        let mut reports: BTreeMap<u8, Vec<u8>> = BTreeMap::new();
        for (number, length) in &self.lengths {
            let mut bytes = vec![0; (*length).max(1)];
            bytes[0] = *number;
            reports.insert(*number, bytes);
        }
        for field in self.lamps.iter().filter(|field| lit(field.lamp)) {
            let Some(bytes) = reports.get_mut(&field.report) else { continue };
            if let Some(byte) = bytes.get_mut(field.bits.start / 8) {
                *byte |= 1 << (field.bits.start % 8);
            }
        }
        reports.into_values().collect()
    }

    fn add_keys(&mut self, report: Option<u8>, field: &Field) {
        if !is_telephony(field) {
            return;
        }
        match field {
            Field::Variable(field) => {
                if let Some(key) = key_of(&field.usage) {
                    let place = Place::Bits(field.bits.clone());
                    let relative = field.is_relative();
                    self.add_key(KeyField { key, relative, repeats: relative, report, place });
                }
            }
            // A number that names what is pressed says of nothing how it stands.
            Field::Array(field) => {
                let count = usize::from(field.report_count).max(1);
                let each = field.bits.len() / count;
                let slot =
                    |at: usize| field.bits.start + at * each..field.bits.start + (at + 1) * each;
                let least = i64::from(i32::from(field.logical_minimum));
                for (index, usage) in field.usages().iter().enumerate() {
                    let number = i64::try_from(index).ok().map(|index| index + least);
                    let number = number.and_then(|number| u32::try_from(number).ok());
                    let (Some(key), Some(number)) = (key_of(usage), number) else { continue };
                    let slots = (0..count).map(slot).collect();
                    let place = Place::Among { slots, number };
                    let repeats = field.is_relative();
                    self.add_key(KeyField { key, relative: true, repeats, report, place });
                }
            }
            Field::Constant(_) => {}
        }
    }

    /// The first of its kind counts: an item with more places than usages repeats its last one.
    fn add_key(&mut self, field: KeyField) {
        if !self.has(field.key) {
            self.keys.push(field);
        }
    }

    fn add_lamp(&mut self, report: Option<u8>, field: &Field) {
        let Field::Variable(variable) = field else { return };
        let Some(lamp) = lamp_of(&variable.usage).filter(|_| is_telephony(field)) else { return };
        if self.has_lamp(lamp) {
            return;
        }
        // What is written begins with the report's number, also where reports have none.
        let ahead = if report.is_none() { 8 } else { 0 };
        let bits = variable.bits.start + ahead..variable.bits.end + ahead;
        self.lamps.push(LampField { lamp, report: report.unwrap_or(0), bits });
    }
}

impl KeyField {
    fn value(&self, report: &[u8]) -> Option<bool> {
        if self.report.is_some_and(|number| report.first() != Some(&number)) {
            return None;
        }
        match &self.place {
            Place::Bits(bits) => number_in(report, bits).map(|value| value & 1 == 1),
            Place::Among { slots, number } => {
                let values: Option<Vec<u32>> =
                    slots.iter().map(|bits| number_in(report, bits)).collect();
                values.map(|values| values.contains(number))
            }
        }
    }
}

/// The number in these bits, the lowest first; none when the report ends before.
fn number_in(report: &[u8], bits: &Range<usize>) -> Option<u32> {
    let mut number = 0;
    for (at, bit) in bits.clone().take(32).enumerate() {
        number |= u32::from(report.get(bit / 8)? >> (bit % 8) & 1) << at;
    }
    Some(number)
}

fn is_telephony(field: &Field) -> bool {
    let outermost = field.collections().first().and_then(|outer| outer.usages().first());
    outermost.is_some_and(|usage| u16::from(usage.usage_page) == TELEPHONY)
}

fn key_of(usage: &Usage) -> Option<Key> {
    match (u16::from(usage.usage_page), u16::from(usage.usage_id)) {
        (TELEPHONY, 0x20) => Some(Key::Hook),
        (TELEPHONY, 0x21) => Some(Key::Flash),
        (TELEPHONY, 0x23) => Some(Key::Hold),
        (TELEPHONY, 0x24) => Some(Key::Redial),
        (TELEPHONY, 0x26) => Some(Key::Drop),
        (TELEPHONY, 0x2A) => Some(Key::Line),
        (TELEPHONY, 0x2F) => Some(Key::Mute),
        (TELEPHONY, 0x07) | (BUTTON, 0x07 | 0x01) => Some(Key::Reject),
        (TELEPHONY, 0x97) => Some(Key::Busy),
        _ => None,
    }
}

fn lamp_of(usage: &Usage) -> Option<Lamp> {
    match (u16::from(usage.usage_page), u16::from(usage.usage_id)) {
        (LED, 0x09) => Some(Lamp::Mute),
        (LED, 0x17) => Some(Lamp::OffHook),
        (LED, 0x18) => Some(Lamp::Ring),
        (LED, 0x20) => Some(Lamp::Hold),
        (LED, 0x21) => Some(Lamp::Microphone),
        (LED, 0x2A) => Some(Lamp::OnLine),
        (TELEPHONY, 0x9E) => Some(Lamp::Ringer),
        _ => None,
    }
}

/// The descriptor as it may be given to the library: of a reasonable size in all that it multiplies, with a page before
/// every usage, and with no named control marked as constant.
fn sound(descriptor: &[u8]) -> Result<Vec<u8>, LayoutError> {
    if descriptor.is_empty() || descriptor.len() > LONGEST {
        return Err(LayoutError::TooMuch);
    }
    let items = ReportDescriptorItems::try_from(descriptor)
        .map_err(|error| LayoutError::Malformed(error.to_string()))?;
    let mut bytes = descriptor.to_vec();
    let mut state = Scan::default();
    for item in items.iter() {
        let constant = state.take(item.item().item_type())?;
        if let Some(flags) = bytes.get_mut(item.offset() + 1).filter(|_| constant) {
            *flags &= !1;
        }
    }
    Ok(bytes)
}

/// What has been read so far of a descriptor.
#[derive(Default)]
struct Scan {
    page: Option<u16>,
    size: usize,
    count: usize,
    least: Option<u32>,
    usages: usize,
    bits: usize,
}

impl Scan {
    /// Takes the next item. True: it describes controls that have names and is marked as constant.
    fn take(&mut self, item: ItemType) -> Result<bool, LayoutError> {
        match item {
            ItemType::Global(GlobalItem::UsagePage(page)) => self.page = Some(u16::from(page)),
            ItemType::Global(GlobalItem::ReportSize(size)) => self.size = usize::from(size),
            ItemType::Global(GlobalItem::ReportCount(count)) => self.count = usize::from(count),
            // No headset stacks its state, and what it means for usages is not settled.
            ItemType::Global(GlobalItem::Push | GlobalItem::Pop) => {
                return Err(LayoutError::Malformed("it stacks its state".to_owned()));
            }
            ItemType::Local(LocalItem::UsageId(_)) if self.page.is_none() => {
                return Err(LayoutError::Malformed("a usage without a page".to_owned()));
            }
            ItemType::Local(LocalItem::UsageId(_) | LocalItem::Usage(..)) => self.usages += 1,
            ItemType::Local(LocalItem::UsageMinimum(least)) => self.least = Some(u32::from(least)),
            ItemType::Local(LocalItem::UsageMaximum(most)) => {
                let span = u32::from(most).saturating_sub(self.least.unwrap_or(0));
                if usize::try_from(span).map_or(true, |span| span >= MOST) {
                    return Err(LayoutError::TooMuch);
                }
                self.usages += 1;
            }
            ItemType::Main(main) => return self.close(main),
            _ => {}
        }
        Ok(false)
    }

    fn close(&mut self, main: MainItem) -> Result<bool, LayoutError> {
        let named = self.usages > 0 && self.page == Some(TELEPHONY);
        (self.usages, self.least) = (0, None);
        if matches!(main, MainItem::Collection(_) | MainItem::EndCollection) {
            return Ok(false);
        }
        self.bits = self.bits.saturating_add(self.size.saturating_mul(self.count));
        if self.size > MOST || self.count > MOST || self.bits > 16 * MOST {
            return Err(LayoutError::TooMuch);
        }
        Ok(match main {
            MainItem::Input(input) => named && input.is_constant(),
            MainItem::Output(output) => named && output.is_constant(),
            _ => false,
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::simulated::families;

    #[test]
    fn the_keys_of_every_family_are_found_where_they_are() {
        for family in families::ALL {
            let layout = Layout::read(family.descriptor).unwrap();
            for key in family.keys() {
                let pressed = layout.values(&family.report(&[key]));
                for (field, value) in layout.keys().iter().zip(pressed) {
                    assert_eq!(
                        value,
                        Some(field.key == key),
                        "{}: {key:?}, {field:?}",
                        family.name
                    );
                }
                assert!(layout.has(key), "{}: {key:?}", family.name);
            }
            assert_eq!(layout.keys().len(), family.keys().count(), "{}", family.name);
        }
    }

    #[test]
    fn the_lamps_of_every_family_are_lit_where_they_are() {
        for family in families::ALL {
            let layout = Layout::read(family.descriptor).unwrap();
            for lamp in family.lamps() {
                let reports = layout.reports(|other| other == lamp);
                for other in family.lamps() {
                    let lit = family.is_lit(&reports, other);
                    assert_eq!(lit, other == lamp, "{}: {lamp:?}, {reports:02x?}", family.name);
                }
            }
            assert_eq!(layout.lamps.len(), family.lamps().count(), "{}", family.name);
        }
    }

    #[test]
    fn a_number_may_name_what_is_pressed() {
        // Hook switch, phone mute, flash and drop as the numbers 1 to 4 of one byte, in report 3.
        let selector = [
            0x05, 0x0B, 0x09, 0x05, 0xA1, 0x01, 0x85, 0x03, 0x15, 0x01, 0x25, 0x04, 0x09, 0x20,
            0x09, 0x2F, 0x09, 0x21, 0x09, 0x26, 0x75, 0x08, 0x95, 0x01, 0x81, 0x00, 0xC0,
        ];
        let layout = Layout::read(&selector).unwrap();
        let pressed = |report: &[u8]| {
            let values = layout.values(report);
            let named = layout.keys().iter().zip(values).filter(|(_, value)| *value == Some(true));
            named.map(|(field, _)| field.key).collect::<Vec<Key>>()
        };
        assert_eq!(pressed(&[3, 2]), [Key::Mute]);
        assert_eq!(pressed(&[3, 4]), [Key::Drop]);
        assert_eq!(pressed(&[3, 0]), []);
        assert_eq!(pressed(&[2, 1]), []);
        assert_eq!(pressed(&[3]), []);
    }

    #[test]
    fn a_keyboard_is_no_headset() {
        let keyboard = [
            0x05, 0x01, 0x09, 0x06, 0xA1, 0x01, 0x05, 0x07, 0x19, 0xE0, 0x29, 0xE7, 0x15, 0x00,
            0x25, 0x01, 0x75, 0x01, 0x95, 0x08, 0x81, 0x02, 0xC0,
        ];
        assert_eq!(Layout::read(&keyboard), Err(LayoutError::NoKeys));
    }

    #[test]
    fn what_would_take_all_memory_is_refused() {
        // Four thousand million hook switches.
        let many = [
            0x05, 0x0B, 0x09, 0x05, 0xA1, 0x01, 0x09, 0x20, 0x75, 0x01, 0x97, 0xFF, 0xFF, 0xFF,
            0xFF, 0x81, 0x02, 0xC0,
        ];
        assert_eq!(Layout::read(&many), Err(LayoutError::TooMuch));
        let range = [
            0x05, 0x0B, 0x09, 0x05, 0xA1, 0x01, 0x19, 0x00, 0x2B, 0xFF, 0xFF, 0xFF, 0xFF, 0x75,
            0x01, 0x95, 0x01, 0x81, 0x02, 0xC0,
        ];
        assert_eq!(Layout::read(&range), Err(LayoutError::TooMuch));
        assert!(matches!(Layout::read(&[0x09, 0x20, 0x81, 0x02]), Err(LayoutError::Malformed(_))));
        assert_eq!(Layout::read(&[]), Err(LayoutError::TooMuch));
    }

    proptest! {
        #[test]
        fn no_descriptor_is_too_strange(
            which in 0..families::ALL.len(),
            changes in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 0..8),
            cut in any::<proptest::sample::Index>(),
            noise in proptest::collection::vec(any::<u8>(), 0..64),
        ) {
            let mut descriptor = families::ALL[which].descriptor.to_vec();
            for (at, byte) in changes {
                let at = at.index(descriptor.len());
                descriptor[at] = byte;
            }
            descriptor.truncate(cut.index(descriptor.len()) + 1);
            for descriptor in [descriptor, noise.clone()] {
                if let Ok(layout) = Layout::read(&descriptor) {
                    layout.values(&noise);
                    layout.reports(|_| true);
                }
            }
        }
    }
}

//! What is wrong with the sound devices, and what of it is to be told.
//!
//! Inputs: a side's device is lost, cannot be had, is in use; devices are listed or none is; the microphone is silent or
//! not; other devices are chosen; a wireless headset is on another way than it should be. Each side has its own trouble, which ends when a device of that side is in use. Outputs:
//! the one that weighs most, and which notices begin and end by an input.

use audio::bluetooth::WirelessTrouble;
use media::{AudioError, Device, DeviceKind};

use crate::code::Code;

/// One trouble as it is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Trouble {
    pub(super) code: Code,
    pub(super) detail: Option<String>,
}

/// What an input changes in the notices.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Changes {
    pub(super) over: Vec<Trouble>,
    pub(super) begun: Vec<Trouble>,
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct DeviceTroubles {
    /// The sound system could not be used when the program began: there is no sound in this run.
    no_sound_system: bool,
    /// The system lists no device.
    none_listed: bool,
    microphone_silent: bool,
    wireless: Option<Trouble>,
    sides: Vec<(DeviceKind, Trouble)>,
}

/// How trouble with a device of a call is told, and the device where that is what is to be named.
fn told(error: &AudioError) -> (Code, Option<&str>) {
    match error {
        AudioError::Denied(device) => (Code::AudioDenied, Some(device)),
        AudioError::Busy(device) => (Code::AudioInUse, Some(device)),
        AudioError::NoDevice { .. }
        | AudioError::NotConnected(_)
        | AudioError::NoSoundSystem(_) => (Code::NoAudioDevice, None),
        _ => (Code::AudioDeviceFailed, None),
    }
}

/// The code of a side where calls go on without it; they do not without the other two.
const fn of_bystander(kind: DeviceKind) -> Option<Code> {
    match kind {
        DeviceKind::Input | DeviceKind::Output => None,
        DeviceKind::Ringer => Some(Code::RingerFailed),
        DeviceKind::Alerts => Some(Code::AlertsFailed),
    }
}

impl DeviceTroubles {
    /// `no_sound_system`: there is no sound in this run, whatever is plugged in later.
    pub(super) fn new(no_sound_system: bool) -> Self {
        Self { no_sound_system, ..Self::default() }
    }

    /// A device in use went away; `reason` in words.
    pub(super) fn lost(&mut self, kind: DeviceKind, name: &str, reason: &str) -> Changes {
        let code = of_bystander(kind).unwrap_or(Code::AudioDeviceFailed);
        let detail = Some(format!("{kind} {name}: {reason}"));
        self.change(|now| now.set(kind, Some(Trouble { code, detail })))
    }

    /// No device can be had for that side.
    pub(super) fn missing(&mut self, kind: DeviceKind, error: &AudioError) -> Changes {
        let (code, device) = told(error);
        let code = of_bystander(kind).unwrap_or(code);
        let detail = device.filter(|_| of_bystander(kind).is_none());
        let detail = Some(detail.map_or_else(|| format!("{kind}: {error}"), str::to_owned));
        self.change(|now| now.set(kind, Some(Trouble { code, detail })))
    }

    /// A device of that side is in use.
    pub(super) fn started(&mut self, kind: DeviceKind) -> Changes {
        self.change(|now| {
            now.none_listed = false;
            now.set(kind, None);
        })
    }

    /// Other devices were chosen. What rings and alerts is opened only when it is needed, which is when it is known how the
    /// new choice does.
    pub(super) fn chosen_anew(&mut self) -> Changes {
        self.change(|now| {
            now.set(DeviceKind::Ringer, None);
            now.set(DeviceKind::Alerts, None);
        })
    }

    /// The system's devices were listed; `any`: there are some.
    pub(super) fn listed(&mut self, any: bool) -> Changes {
        self.change(|now| now.none_listed = !any)
    }

    /// The microphone gives nothing although somebody listens, or it does again.
    pub(super) fn microphone(&mut self, silent: bool) -> Changes {
        self.change(|now| now.microphone_silent = silent)
    }

    /// How the wireless headset in use stands; `devices`: all there are, for its name.
    pub(super) fn wireless(
        &mut self,
        trouble: Option<&WirelessTrouble>,
        devices: &[Device],
    ) -> Changes {
        let trouble = trouble.map(|trouble| {
            let (code, id) = match trouble {
                WirelessTrouble::HandsFree(id) => (Code::BluetoothCalls, id),
                WirelessTrouble::NoMicrophone(id) => (Code::BluetoothNoMicrophone, id),
            };
            let name = devices.iter().find(|device| device.id == *id).map(|found| &found.name);
            Trouble { code, detail: name.map(|name| contacts::plain(name)) }
        });
        self.change(|now| now.wireless = trouble)
    }

    /// What weighs most: what a call needs before what it does not.
    pub(super) fn problem(&self) -> Option<Code> {
        let side = |kind: DeviceKind| {
            self.sides.iter().find(|(of, _)| *of == kind).map(|(_, trouble)| trouble.code)
        };
        (self.no_sound_system.then_some(Code::AudioDeviceFailed))
            .or_else(|| side(DeviceKind::Input))
            .or_else(|| side(DeviceKind::Output))
            .or(self.none_listed.then_some(Code::NoAudioDevice))
            .or(self.microphone_silent.then_some(Code::MicrophoneSilent))
            .or_else(|| side(DeviceKind::Ringer))
            .or_else(|| side(DeviceKind::Alerts))
            .or_else(|| self.wireless.as_ref().map(|trouble| trouble.code))
    }

    fn set(&mut self, kind: DeviceKind, trouble: Option<Trouble>) {
        self.sides.retain(|(of, _)| *of != kind);
        self.sides.extend(trouble.map(|trouble| (kind, trouble)));
    }

    /// What is to stand among the notices.
    fn notices(&self) -> Vec<Trouble> {
        let silent = Trouble { code: Code::MicrophoneSilent, detail: None };
        let mut all: Vec<Trouble> = self.sides.iter().map(|(_, trouble)| trouble.clone()).collect();
        all.extend(self.microphone_silent.then_some(silent));
        all.extend(self.wireless.clone());
        all
    }

    fn change(&mut self, change: impl FnOnce(&mut Self)) -> Changes {
        let mut before = self.notices();
        change(self);
        let mut after = self.notices();
        let stands = after.clone();
        after.retain(|trouble| !before.contains(trouble));
        before.retain(|trouble| !stands.contains(trouble));
        Changes { over: before, begun: after }
    }
}

#[cfg(test)]
mod tests {
    use DeviceKind::{Alerts, Input, Output, Ringer};

    use super::*;

    fn none(kind: DeviceKind) -> AudioError {
        AudioError::NoDevice { kind, wanted: None }
    }

    fn codes(troubles: &[Trouble]) -> Vec<Code> {
        troubles.iter().map(|trouble| trouble.code).collect()
    }

    #[test]
    fn a_lost_device_is_over_when_another_is_in_use() {
        let mut troubles = DeviceTroubles::default();
        let begun = troubles.lost(Output, "Jabra", "the device stopped").begun;
        let detail = Some("output Jabra: the device stopped".to_owned());
        assert_eq!(begun, [Trouble { code: Code::AudioDeviceFailed, detail }]);
        assert_eq!(troubles.problem(), Some(Code::AudioDeviceFailed));
        // Its loss is no longer what is wrong once it is known that there is no other.
        let changes = troubles.missing(Output, &none(Output));
        assert_eq!((changes.over, codes(&changes.begun)), (begun, vec![Code::NoAudioDevice]));
        let begun = changes.begun;
        assert_eq!(troubles.missing(Output, &none(Output)), Changes::default(), "told once");
        assert_eq!(troubles.started(Output), Changes { over: begun, begun: vec![] });
        assert_eq!(troubles.problem(), None);
        assert_eq!(troubles.started(Output), Changes::default());
    }

    #[test]
    fn each_side_has_a_trouble_of_its_own() {
        let mut troubles = DeviceTroubles::default();
        troubles.missing(Input, &none(Input));
        troubles.lost(Output, "Jabra", "gone");
        assert_eq!(troubles.problem(), Some(Code::NoAudioDevice));
        assert_eq!(codes(&troubles.started(Input).over), [Code::NoAudioDevice]);
        assert_eq!(troubles.problem(), Some(Code::AudioDeviceFailed));
        assert_eq!(codes(&troubles.started(Output).over), [Code::AudioDeviceFailed]);
        assert_eq!(troubles.problem(), None);
        // Both sides of one headset that is taken: one notice, until neither is.
        let busy = AudioError::Busy("Jabra".to_owned());
        assert_eq!(codes(&troubles.missing(Input, &busy).begun), [Code::AudioInUse]);
        assert_eq!(troubles.missing(Output, &busy), Changes::default());
        assert_eq!(troubles.started(Input), Changes::default());
        assert_eq!(troubles.problem(), Some(Code::AudioInUse));
        assert_eq!(codes(&troubles.started(Output).over), [Code::AudioInUse]);
    }

    #[test]
    fn a_silent_microphone_stays_so_whatever_else_starts() {
        let mut troubles = DeviceTroubles::default();
        assert_eq!(codes(&troubles.microphone(true).begun), [Code::MicrophoneSilent]);
        for kind in [Output, Ringer, Alerts] {
            assert_eq!(troubles.started(kind), Changes::default());
            assert_eq!(troubles.problem(), Some(Code::MicrophoneSilent));
        }
        assert_eq!(codes(&troubles.microphone(false).over), [Code::MicrophoneSilent]);
        assert_eq!(troubles.problem(), None);
    }

    #[test]
    fn a_wireless_headset_on_the_wrong_way_is_named_until_it_is_on_the_right_one() {
        let ear = Device {
            id: media::DeviceId("ear".to_owned()),
            name: "WH-1000XM4\u{202e}".to_owned(),
            kind: Output,
            is_default: true,
            wireless: None,
        };
        let mut troubles = DeviceTroubles::default();
        let calls = WirelessTrouble::HandsFree(ear.id.clone());
        let begun = troubles.wireless(Some(&calls), std::slice::from_ref(&ear)).begun;
        let detail = Some("WH-1000XM4".to_owned());
        assert_eq!(begun, [Trouble { code: Code::BluetoothCalls, detail }]);
        assert_eq!(troubles.problem(), Some(Code::BluetoothCalls));
        assert_eq!(troubles.wireless(Some(&calls), std::slice::from_ref(&ear)), Changes::default());
        // What a call cannot do without weighs more.
        troubles.missing(Input, &none(Input));
        assert_eq!(troubles.problem(), Some(Code::NoAudioDevice));
        troubles.started(Input);
        let music = WirelessTrouble::NoMicrophone(ear.id.clone());
        let changes = troubles.wireless(Some(&music), std::slice::from_ref(&ear));
        assert_eq!(
            (changes.over, codes(&changes.begun)),
            (begun, vec![Code::BluetoothNoMicrophone])
        );
        assert_eq!(codes(&troubles.wireless(None, &[]).over), [Code::BluetoothNoMicrophone]);
        assert_eq!(troubles.problem(), None);
    }

    #[test]
    fn an_empty_list_is_over_with_the_next_one() {
        let mut troubles = DeviceTroubles::default();
        troubles.listed(false);
        assert_eq!(troubles.problem(), Some(Code::NoAudioDevice));
        troubles.listed(true);
        assert_eq!(troubles.problem(), None);
        let mut troubles = DeviceTroubles::new(true);
        troubles.listed(true);
        assert_eq!(troubles.problem(), Some(Code::AudioDeviceFailed), "not in this run");
    }

    #[test]
    fn what_rings_and_alerts_is_not_taken_for_the_sound_of_the_call() {
        let mut troubles = DeviceTroubles::default();
        let begun = troubles.lost(Ringer, "Desk", "gone").begun;
        assert_eq!(codes(&begun), [Code::RingerFailed]);
        assert_eq!(codes(&troubles.missing(Alerts, &none(Alerts)).begun), [Code::AlertsFailed]);
        assert_eq!(troubles.problem(), Some(Code::RingerFailed));
        // A call needs its microphone more.
        troubles.lost(Input, "Jabra", "gone");
        assert_eq!(troubles.problem(), Some(Code::AudioDeviceFailed));
        assert_eq!(codes(&troubles.started(Input).over), [Code::AudioDeviceFailed]);
        // Another choice is yet to be tried.
        assert_eq!(troubles.chosen_anew().over.len(), 2);
        assert_eq!(troubles.problem(), None);
        let busy = AudioError::Busy("Desk".to_owned());
        assert_eq!(codes(&troubles.missing(Ringer, &busy).begun), [Code::RingerFailed]);
    }

    #[test]
    fn a_device_that_is_kept_from_us_is_no_missing_one() {
        let busy = AudioError::Busy("Jabra".to_owned());
        assert_eq!(told(&busy), (Code::AudioInUse, Some("Jabra")));
        let denied = AudioError::Denied("Webcam".to_owned());
        assert_eq!(told(&denied), (Code::AudioDenied, Some("Webcam")));
        assert_eq!(told(&none(Input)), (Code::NoAudioDevice, None));
        let unplugged = AudioError::NotConnected("Default Audio Device".to_owned());
        assert_eq!(told(&unplugged), (Code::NoAudioDevice, None));
        let failed = AudioError::Failed { name: "Jabra".to_owned(), reason: "I/O".to_owned() };
        assert_eq!(told(&failed), (Code::AudioDeviceFailed, None));
    }
}

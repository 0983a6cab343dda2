//! How a wireless headset is connected, told from what the sound system says of its devices. Pure functions.
//!
//! Bluetooth has one way for music (A2DP: good sound, no microphone) and one for calls (HSP and HFP: a microphone, and sound
//! like that of a telephone, both ways). A headset is on one of them at a time; which, is seen from the properties of
//! PulseAudio and PipeWire, or from the device's name.

use crate::{Device, DeviceId, DeviceKind};

/// How a Bluetooth device is connected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Bluetooth {
    /// For music: nothing is heard from its microphone.
    Music,
    /// For calls.
    HandsFree {
        /// Sound up to 3.4 kHz only (CVSD), as on an old telephone.
        narrow: bool,
    },
}

/// A Bluetooth device and its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wireless {
    /// Its way.
    pub way: Bluetooth,
    /// Which device it is, the same for its microphone and its speaker; empty where that is not told.
    pub address: String,
    /// It has no microphone: a loudspeaker.
    pub deaf: bool,
}

/// What is wrong with a wireless headset in use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WirelessTrouble {
    /// It is on its way for calls and sounds like a telephone, for less than it could: its microphone is not used, or
    /// the sound is narrow.
    HandsFree(DeviceId),
    /// It is on its way for music, its microphone is not there, and there is no other.
    NoMicrophone(DeviceId),
}

/// What the sound system says of one device.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Facts {
    /// The name that programs use.
    pub(crate) name: String,
    /// The name that people see.
    pub(crate) shown: String,
    /// Its properties.
    pub(crate) properties: Vec<(String, String)>,
    /// Samples a second that it runs on; 0: unknown.
    pub(crate) rate: u32,
}

impl Facts {
    fn property(&self, names: &[&str]) -> Option<&str> {
        let of = |name: &&str| {
            let found = self.properties.iter().find(|(key, _)| key == name);
            found.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
        };
        names.iter().find_map(of)
    }

    /// How the device is connected; `None`: not by Bluetooth, or in a way that is neither of the two.
    pub(crate) fn wireless(&self) -> Option<Wireless> {
        let api = self.property(&["device.api", "device.bus"]).unwrap_or_default();
        let is_bluetooth = api.starts_with("bluez")
            || self.property(&["device.bus"]) == Some("bluetooth")
            || self.name.starts_with("bluez_");
        // Windows calls its way for calls so, in every language.
        let by_name = self.shown.to_ascii_lowercase().contains("hands-free");
        if !is_bluetooth && !by_name {
            return None;
        }
        let last = self.name.rsplit('.').next().unwrap_or_default();
        let profile = self.property(&["api.bluez5.profile", "bluetooth.protocol"]).unwrap_or(last);
        let profile = profile.to_ascii_lowercase().replace('_', "-");
        let calls = ["headset", "handsfree", "hfp", "hsp"];
        let way = if profile.contains("a2dp") {
            Bluetooth::Music
        } else if by_name || calls.iter().any(|word| profile.contains(word)) {
            Bluetooth::HandsFree { narrow: self.is_narrow(&profile) }
        } else {
            return None;
        };
        let form = self.property(&["device.form_factor"]).unwrap_or_default();
        let deaf = matches!(form, "speaker" | "portable" | "hifi" | "tv" | "car");
        Some(Wireless { way, address: self.address(), deaf })
    }

    fn is_narrow(&self, profile: &str) -> bool {
        match self.property(&["api.bluez5.codec", "bluetooth.codec"]) {
            Some(codec) => codec.eq_ignore_ascii_case("cvsd"),
            None => profile.contains("cvsd") || (1..=8_000).contains(&self.rate),
        }
    }

    /// `AA:BB:…`, from the properties or from `bluez_sink.AA_BB_….profile`.
    fn address(&self) -> String {
        let told = self.property(&["api.bluez5.address", "device.string"]);
        let named = self.name.split('.').nth(1).unwrap_or_default();
        told.unwrap_or(named).to_ascii_uppercase().replace('_', ":")
    }
}

/// What is wrong with the wireless headset that calls use, of all the devices: `input` and `output` are those in use.
#[must_use]
pub fn trouble(
    devices: &[Device],
    input: Option<&DeviceId>,
    output: Option<&DeviceId>,
) -> Option<WirelessTrouble> {
    let used = |kind: DeviceKind, id: Option<&DeviceId>| {
        devices.iter().find(|device| device.kind == kind && Some(&device.id) == id)
    };
    let (microphone, speaker) = (used(DeviceKind::Input, input), used(DeviceKind::Output, output));
    let wireless = |device: Option<&Device>| device.and_then(|device| device.wireless.clone());
    let speaker_way = wireless(speaker);
    match speaker_way {
        Some(Wireless { way: Bluetooth::HandsFree { narrow }, address, .. }) => {
            let own = wireless(microphone).is_some_and(|own| own.address == address);
            (narrow || !own).then(|| output.cloned().map(WirelessTrouble::HandsFree))?
        }
        Some(Wireless { way: Bluetooth::Music, deaf: false, .. }) if microphone.is_none() => {
            output.cloned().map(WirelessTrouble::NoMicrophone)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A device as `pactl list` shows it: its name, its rate, then its properties, one a line.
    fn facts(name: &str, rate: u32, properties: &str) -> Facts {
        let pairs = properties.lines().filter_map(|line| line.split_once(" = "));
        let plain = |text: &str| text.trim().trim_matches('"').to_owned();
        Facts {
            name: name.to_owned(),
            shown: "Headset".to_owned(),
            properties: pairs.map(|(key, value)| (plain(key), plain(value))).collect(),
            rate,
        }
    }

    const PULSE_CALLS: &str = "bluetooth.protocol = \"handsfree_head_unit\"
        bluetooth.codec = \"CVSD\"
        device.description = \"WH-1000XM4\"
        device.string = \"38:18:4C:AE:2D:E3\"
        device.api = \"bluez\"
        device.class = \"sound\"
        device.bus = \"bluetooth\"
        device.form_factor = \"headphone\"
        bluez.path = \"/org/bluez/hci0/dev_38_18_4C_AE_2D_E3\"
        bluez.class = \"0x240404\"";
    const PULSE_MUSIC: &str = "bluetooth.protocol = \"a2dp_sink\"
        bluetooth.codec = \"sbc\"
        device.string = \"38:18:4C:AE:2D:E3\"
        device.api = \"bluez\"
        device.bus = \"bluetooth\"
        device.form_factor = \"headphone\"";
    const PIPEWIRE_CALLS: &str = "api.bluez5.address = \"58:FC:C6:0D:62:0D\"
        api.bluez5.codec = \"msbc\"
        api.bluez5.profile = \"headset-head-unit\"
        api.bluez5.transport = \"\"
        card.profile.device = \"0\"
        device.api = \"bluez5\"
        media.class = \"Audio/Sink\"
        node.name = \"bluez_output.58_FC_C6_0D_62_0D.1\"";
    const PIPEWIRE_MUSIC: &str = "api.bluez5.address = \"58:FC:C6:0D:62:0D\"
        api.bluez5.codec = \"aac\"
        api.bluez5.profile = \"a2dp-sink\"
        device.api = \"bluez5\"
        device.bus = \"bluetooth\"
        device.form_factor = \"headset\"";
    const CARD: &str = "device.api = \"alsa\"
        device.bus = \"pci\"
        device.string = \"front:0\"
        device.form_factor = \"internal\"";

    const SONY: &str = "38:18:4C:AE:2D:E3";
    const TOZO: &str = "58:FC:C6:0D:62:0D";

    fn way(facts: &Facts) -> Option<(Bluetooth, String)> {
        facts.wireless().map(|wireless| (wireless.way, wireless.address))
    }

    #[test]
    fn the_way_is_told_from_what_pulseaudio_and_pipewire_say() {
        let (calls, wide) =
            (Bluetooth::HandsFree { narrow: true }, Bluetooth::HandsFree { narrow: false });
        for (name, rate, properties, told) in [
            (
                "bluez_sink.38_18_4C_AE_2D_E3.handsfree_head_unit",
                8_000,
                PULSE_CALLS,
                Some((calls, SONY)),
            ),
            (
                "bluez_sink.38_18_4C_AE_2D_E3.a2dp_sink",
                44_100,
                PULSE_MUSIC,
                Some((Bluetooth::Music, SONY)),
            ),
            ("bluez_output.58_FC_C6_0D_62_0D.1", 16_000, PIPEWIRE_CALLS, Some((wide, TOZO))),
            (
                "bluez_output.58_FC_C6_0D_62_0D.1",
                48_000,
                PIPEWIRE_MUSIC,
                Some((Bluetooth::Music, TOZO)),
            ),
            // Where only the name is known.
            ("bluez_source.38_18_4C_AE_2D_E3.headset_head_unit", 8_000, "", Some((calls, SONY))),
            (
                "bluez_input.58_FC_C6_0D_62_0D.headset-head-unit-msbc",
                16_000,
                "",
                Some((wide, TOZO)),
            ),
            ("bluez_output.58_FC_C6_0D_62_0D.a2dp-sink", 0, "", Some((Bluetooth::Music, TOZO))),
            ("bluez_output.58_FC_C6_0D_62_0D.headset-head-unit-cvsd", 0, "", Some((calls, TOZO))),
            // A number tells nothing, nor does a way that has both good sound and a microphone.
            ("bluez_output.58_FC_C6_0D_62_0D.1", 48_000, "", None),
            (
                "bluez_output.58_FC_C6_0D_62_0D.1",
                32_000,
                "api.bluez5.profile = \"bap-duplex\"",
                None,
            ),
            ("alsa_output.pci-0000_00_1f.3.analog-stereo", 48_000, CARD, None),
            ("headset", 48_000, "", None),
        ] {
            let told = told.map(|(way, address)| (way, address.to_owned()));
            assert_eq!(way(&facts(name, rate, properties)), told, "{name}");
        }
    }

    #[test]
    fn windows_tells_by_the_name() {
        let shown = "Headset (WH-1000XM4 Hands-Free AG Audio)".to_owned();
        let facts = Facts { name: "{0.0.0.1}".to_owned(), shown, ..Facts::default() };
        assert_eq!(facts.wireless().unwrap().way, Bluetooth::HandsFree { narrow: false });
    }

    #[test]
    fn a_loudspeaker_has_no_microphone_to_miss() {
        let speaker = PULSE_MUSIC.replace("headphone", "portable");
        assert!(
            facts("bluez_sink.38_18_4C_AE_2D_E3.a2dp_sink", 44_100, &speaker)
                .wireless()
                .unwrap()
                .deaf
        );
        assert!(!facts("x", 44_100, PULSE_MUSIC).wireless().unwrap().deaf);
    }

    fn device(id: &str, kind: DeviceKind, facts: &Facts) -> Device {
        Device {
            id: DeviceId(id.to_owned()),
            name: id.to_owned(),
            kind,
            is_default: false,
            wireless: facts.wireless(),
        }
    }

    #[test]
    fn what_is_wrong_depends_on_what_is_used() {
        use DeviceKind::{Input, Output};
        let webcam = device("webcam", Input, &Facts::default());
        let own = |properties| device("own", Input, &facts("bluez_input.x", 16_000, properties));
        let ear = |properties| device("ear", Output, &facts("bluez_output.x", 16_000, properties));
        let id = |name: &str| DeviceId(name.to_owned());
        let judged = |devices: &[Device], input: Option<&str>, output: &str| {
            trouble(devices, input.map(id).as_ref(), Some(&id(output)))
        };
        let hands_free = || Some(WirelessTrouble::HandsFree(id("ear")));
        // Its own microphone in a call, with good sound: as it should be.
        let wide = [own(PIPEWIRE_CALLS), ear(PIPEWIRE_CALLS), webcam.clone()];
        assert_eq!(judged(&wide, Some("own"), "ear"), None);
        // Another microphone: it sounds like a telephone for nothing.
        assert_eq!(judged(&wide, Some("webcam"), "ear"), hands_free());
        assert_eq!(judged(&wide, None, "ear"), hands_free());
        let narrow = [own(PULSE_CALLS), ear(PULSE_CALLS)];
        assert_eq!(judged(&narrow, Some("own"), "ear"), hands_free());
        // For music another microphone is what is wanted, and none is not.
        let music = [ear(PIPEWIRE_MUSIC), webcam];
        assert_eq!(judged(&music, Some("webcam"), "ear"), None);
        let missing = Some(WirelessTrouble::NoMicrophone(id("ear")));
        assert_eq!(judged(&music[..1], None, "ear"), missing);
        assert_eq!(judged(&music, None, "no such"), None);
        let loudspeaker = PULSE_MUSIC.replace("headphone", "speaker");
        assert_eq!(judged(&[ear(&loudspeaker)], None, "ear"), None);
    }
}

//! Which devices are used where none is chosen.
//!
//! Windows keeps two defaults: one for everything, and one for communication, the headset where there is one (role
//! `eCommunications`). Calls use the latter; what rings is to be heard by whoever has put it down, and uses the former. Other
//! systems have one. cpal tells and follows the one for everything only, so the other is opened by its name, and the
//! supervisor sees when it is another.

use cpal::traits::HostTrait as _;

/// The microphone of calls.
pub(crate) fn microphone(host: &cpal::Host) -> Option<cpal::Device> {
    for_calls(host, Flow::Capture).or_else(|| host.default_input_device())
}

/// The speaker of calls.
pub(crate) fn speaker(host: &cpal::Host) -> Option<cpal::Device> {
    for_calls(host, Flow::Render).or_else(|| host.default_output_device())
}

/// What rings.
pub(crate) fn ringer(host: &cpal::Host) -> Option<cpal::Device> {
    host.default_output_device()
}

/// Which way sound goes.
#[derive(Clone, Copy)]
enum Flow {
    Capture,
    Render,
}

#[cfg(not(windows))]
fn for_calls(_: &cpal::Host, _: Flow) -> Option<cpal::Device> {
    None
}

#[cfg(windows)]
fn for_calls(host: &cpal::Host, flow: Flow) -> Option<cpal::Device> {
    let id = endpoint(flow).inspect_err(|error| tracing::debug!(%error, "no default for calls"));
    host.device_by_id(&cpal::DeviceId::new(cpal::HostId::Wasapi, id.ok()?))
}

/// The name of the default device for communication.
#[cfg(windows)]
#[expect(unsafe_code, reason = "Windows is asked through COM")]
fn endpoint(flow: Flow) -> windows::core::Result<String> {
    use windows::Win32::Media::Audio::{
        IMMDeviceEnumerator, MMDeviceEnumerator, eCapture, eCommunications, eRender,
    };
    use windows::Win32::System::Com::{
        CLSCTX_ALL, COINIT_MULTITHREADED, CoCreateInstance, CoInitializeEx, CoTaskMemFree,
    };
    let flow = match flow {
        Flow::Capture => eCapture,
        Flow::Render => eRender,
    };
    // SAFETY: COM is made ready on this thread before it is used, which may have been done already; the text is ours, ends
    // with a null, and is given back once it is copied.
    unsafe {
        let _ = CoInitializeEx(None, COINIT_MULTITHREADED);
        let devices: IMMDeviceEnumerator = CoCreateInstance(&MMDeviceEnumerator, None, CLSCTX_ALL)?;
        let id = devices.GetDefaultAudioEndpoint(flow, eCommunications)?.GetId()?;
        let text = id.to_string();
        CoTaskMemFree(Some(id.as_ptr().cast()));
        Ok(text?)
    }
}

//! Windows: the IP helper tells of interfaces, addresses and routes; the power manager of sleep.
#![expect(unsafe_code, reason = "the system calls back into functions of ours")]

use std::ffi::c_void;
use std::io;

use windows::Win32::Foundation::{HANDLE, WIN32_ERROR};
use windows::Win32::NetworkManagement::IpHelper::{
    CancelMibChangeNotify2, MIB_IPFORWARD_ROW2, MIB_IPINTERFACE_ROW, MIB_NOTIFICATION_TYPE,
    MIB_UNICASTIPADDRESS_ROW, NotifyIpInterfaceChange, NotifyRouteChange2,
    NotifyUnicastIpAddressChange,
};
use windows::Win32::Networking::WinSock::AF_UNSPEC;
use windows::Win32::System::Power::{
    DEVICE_NOTIFY_SUBSCRIBE_PARAMETERS, HPOWERNOTIFY, PowerRegisterSuspendResumeNotification,
    PowerUnregisterSuspendResumeNotification,
};
use windows::Win32::UI::WindowsAndMessaging::{
    DEVICE_NOTIFY_CALLBACK, PBT_APMRESUMEAUTOMATIC, PBT_APMRESUMESUSPEND, PBT_APMSUSPEND,
};

use super::{Platform, Sign, Signs};

/// The registrations with the system, and what they point to.
pub(crate) struct System {
    network: Vec<HANDLE>,
    power: Option<HPOWERNOTIFY>,
    /// Given to the system as a pointer; must outlive the registrations.
    signs: *mut Signs,
}

// SAFETY: the handles may be used from any thread, and `Signs` is shared by reference only.
unsafe impl Send for System {}

impl Platform for System {
    fn start(signs: Signs) -> io::Result<Self> {
        let signs = Box::into_raw(Box::new(signs));
        let mut system = Self { network: Vec::new(), power: None, signs };
        let context: *const c_void = signs.cast_const().cast();
        let mut handle = HANDLE::default();
        // SAFETY: `context` is valid until `drop` has cancelled the notifications, which waits for
        // callbacks under way; `handle` is a place to write to.
        unsafe {
            done(NotifyIpInterfaceChange(
                AF_UNSPEC,
                Some(interface_changed),
                Some(context),
                false,
                &mut handle,
            ))?;
            system.network.push(handle);
            done(NotifyUnicastIpAddressChange(
                AF_UNSPEC,
                Some(address_changed),
                Some(context),
                false,
                &mut handle,
            ))?;
            system.network.push(handle);
            done(NotifyRouteChange2(AF_UNSPEC, Some(route_changed), context, false, &mut handle))?;
            system.network.push(handle);
        }
        system.power = watch_power(signs);
        Ok(system)
    }
}

impl Drop for System {
    fn drop(&mut self) {
        // SAFETY: each handle came from its registration and is given back once; after that
        // nobody holds the pointer any more.
        unsafe {
            for handle in self.network.drain(..) {
                let _ = CancelMibChangeNotify2(handle);
            }
            if let Some(power) = self.power.take() {
                let _ = PowerUnregisterSuspendResumeNotification(power);
            }
            drop(Box::from_raw(self.signs));
        }
    }
}

fn watch_power(signs: *mut Signs) -> Option<HPOWERNOTIFY> {
    let parameters =
        DEVICE_NOTIFY_SUBSCRIBE_PARAMETERS { Callback: Some(power_changed), Context: signs.cast() };
    let mut handle = std::ptr::null_mut();
    // SAFETY: the parameters are read during the call; their context lives as above.
    let result = unsafe {
        let recipient = HANDLE((&raw const parameters).cast_mut().cast());
        PowerRegisterSuspendResumeNotification(DEVICE_NOTIFY_CALLBACK, recipient, &mut handle)
    };
    match done(result) {
        Ok(()) => Some(HPOWERNOTIFY(handle as isize)),
        Err(error) => {
            tracing::debug!(%error, "sleep is not announced");
            None
        }
    }
}

fn done(result: WIN32_ERROR) -> io::Result<()> {
    match result.0 {
        0 => Ok(()),
        code => Err(io::Error::from_raw_os_error(code as i32)),
    }
}

/// # Safety
/// `context` must come from [`System::start`].
unsafe fn give(context: *const c_void, sign: Sign) {
    // SAFETY: as above; the pointer is valid while the registration is.
    if let Some(signs) = unsafe { context.cast::<Signs>().as_ref() } {
        let _ = signs.give(sign);
    }
}

unsafe extern "system" fn interface_changed(
    context: *const c_void,
    _row: *const MIB_IPINTERFACE_ROW,
    _kind: MIB_NOTIFICATION_TYPE,
) {
    // SAFETY: the system hands back what it was given.
    unsafe { give(context, Sign::Changed) }
}

unsafe extern "system" fn address_changed(
    context: *const c_void,
    _row: *const MIB_UNICASTIPADDRESS_ROW,
    _kind: MIB_NOTIFICATION_TYPE,
) {
    // SAFETY: the system hands back what it was given.
    unsafe { give(context, Sign::Changed) }
}

unsafe extern "system" fn route_changed(
    context: *const c_void,
    _row: *const MIB_IPFORWARD_ROW2,
    _kind: MIB_NOTIFICATION_TYPE,
) {
    // SAFETY: the system hands back what it was given.
    unsafe { give(context, Sign::Changed) }
}

unsafe extern "system" fn power_changed(
    context: *const c_void,
    kind: u32,
    _setting: *const c_void,
) -> u32 {
    let sign = match kind {
        PBT_APMSUSPEND => Some(Sign::Sleeping),
        PBT_APMRESUMEAUTOMATIC | PBT_APMRESUMESUSPEND => Some(Sign::Woken),
        _ => None,
    };
    if let Some(sign) = sign {
        // SAFETY: the system hands back what it was given.
        unsafe { give(context, sign) }
    }
    0
}

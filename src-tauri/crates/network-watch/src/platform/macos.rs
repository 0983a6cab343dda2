//! macOS: the dynamic store tells of interfaces, addresses and routes; IOKit of sleep. Both call
//! back on a run loop, which has a thread of its own.
#![expect(unsafe_code, reason = "IOKit calls back into a function of ours")]

use std::ffi::c_void;
use std::io;
use std::sync::mpsc;

use core_foundation::array::CFArray;
use core_foundation::base::TCFType as _;
use core_foundation::runloop::{
    CFRunLoop, CFRunLoopSource, CFRunLoopSourceRef, kCFRunLoopDefaultMode,
};
use core_foundation::string::CFString;
use system_configuration::dynamic_store::{
    SCDynamicStore, SCDynamicStoreBuilder, SCDynamicStoreCallBackContext,
};

use super::{Platform, Sign, Signs};

/// Keys of the dynamic store that tell of a change: the services' addresses and the primary one.
const PATTERNS: [&str; 3] = [
    "State:/Network/Global/IPv[46]",
    "State:/Network/Interface/.*/IPv[46]",
    "State:/Network/Interface/.*/Link",
];

// IOKit/IOMessage.h
const CAN_SYSTEM_SLEEP: u32 = 0xe000_0270;
const SYSTEM_WILL_SLEEP: u32 = 0xe000_0280;
const SYSTEM_HAS_POWERED_ON: u32 = 0xe000_0300;

type Port = u32;
type NotificationPort = *mut c_void;
type Interest =
    unsafe extern "C" fn(context: *mut c_void, service: Port, kind: u32, argument: *mut c_void);

#[link(name = "IOKit", kind = "framework")]
unsafe extern "C" {
    fn IORegisterForSystemPower(
        context: *mut c_void,
        port: *mut NotificationPort,
        callback: Interest,
        notifier: *mut Port,
    ) -> Port;
    fn IODeregisterForSystemPower(notifier: *mut Port) -> i32;
    fn IOAllowPowerChange(root: Port, notification: isize) -> i32;
    fn IONotificationPortGetRunLoopSource(port: NotificationPort) -> CFRunLoopSourceRef;
    fn IONotificationPortDestroy(port: NotificationPort);
    fn IOServiceClose(root: Port) -> i32;
}

/// The run loop's thread.
pub(crate) struct System {
    run_loop: CFRunLoop,
}

// SAFETY: a run loop may be stopped from any thread, and nothing else is done with it here.
unsafe impl Send for System {}

/// A run loop on its way from its thread to its owner.
struct Carried(CFRunLoop);

// SAFETY: as for `System`.
unsafe impl Send for Carried {}

impl Platform for System {
    fn start(signs: Signs) -> io::Result<Self> {
        let (sender, begun) = mpsc::channel();
        std::thread::Builder::new()
            .name("balie-network".to_owned())
            .spawn(move || run(signs, &sender))?;
        let ended = |_| io::Error::other("the network thread ended");
        let Carried(run_loop) = begun.recv().map_err(ended)??;
        Ok(Self { run_loop })
    }
}

impl Drop for System {
    fn drop(&mut self) {
        self.run_loop.stop();
    }
}

fn run(signs: Signs, begun: &mpsc::Sender<io::Result<Carried>>) {
    let run_loop = CFRunLoop::get_current();
    let store = match watch_store(signs.clone(), &run_loop) {
        Ok(store) => store,
        Err(error) => {
            let _ = begun.send(Err(error));
            return;
        }
    };
    let power = Power::watch(signs, &run_loop);
    if begun.send(Ok(Carried(run_loop))).is_ok() {
        CFRunLoop::run_current();
    }
    drop((store, power));
}

fn watch_store(signs: Signs, run_loop: &CFRunLoop) -> io::Result<SCDynamicStore> {
    let failed = || io::Error::other("the dynamic store cannot be watched");
    let context = SCDynamicStoreCallBackContext { callout: store_changed, info: signs };
    let store = SCDynamicStoreBuilder::new("balie").callback_context(context).build();
    let store = store.ok_or_else(failed)?;
    let keys: CFArray<CFString> = CFArray::from_CFTypes(&[]);
    let patterns = CFArray::from_CFTypes(&PATTERNS.map(CFString::new));
    if !store.set_notification_keys(&keys, &patterns) {
        return Err(failed());
    }
    let source = store.create_run_loop_source().ok_or_else(failed)?;
    // SAFETY: the mode's name is a constant of the framework.
    run_loop.add_source(&source, unsafe { kCFRunLoopDefaultMode });
    Ok(store)
}

fn store_changed(_store: SCDynamicStore, _keys: CFArray<CFString>, signs: &mut Signs) {
    if !signs.give(Sign::Changed) {
        CFRunLoop::get_current().stop();
    }
}

/// The registration for sleep and wake.
struct Power {
    root: Port,
    port: NotificationPort,
    notifier: Port,
    context: *mut Context,
}

/// What the callback is given.
struct Context {
    signs: Signs,
    root: Port,
}

impl Power {
    fn watch(signs: Signs, run_loop: &CFRunLoop) -> Option<Self> {
        let context = Box::into_raw(Box::new(Context { signs, root: 0 }));
        let (mut port, mut notifier) = (std::ptr::null_mut(), 0);
        // SAFETY: the context lives until `drop` has taken the registration back; the callback
        // runs on this very thread's run loop, so nothing touches the context at the same time.
        unsafe {
            let root =
                IORegisterForSystemPower(context.cast(), &mut port, power_changed, &mut notifier);
            if root == 0 {
                drop(Box::from_raw(context));
                tracing::debug!("sleep is not announced");
                return None;
            }
            (*context).root = root;
            let source = IONotificationPortGetRunLoopSource(port);
            let source = CFRunLoopSource::wrap_under_get_rule(source);
            run_loop.add_source(&source, kCFRunLoopDefaultMode);
            Some(Self { root, port, notifier, context })
        }
    }
}

impl Drop for Power {
    fn drop(&mut self) {
        // SAFETY: everything came from `watch` and is given back once.
        unsafe {
            IODeregisterForSystemPower(&mut self.notifier);
            IOServiceClose(self.root);
            IONotificationPortDestroy(self.port);
            drop(Box::from_raw(self.context));
        }
    }
}

unsafe extern "C" fn power_changed(
    context: *mut c_void,
    _service: Port,
    kind: u32,
    argument: *mut c_void,
) {
    // SAFETY: the system hands back what `watch` gave it.
    let Some(context) = (unsafe { context.cast::<Context>().as_ref() }) else { return };
    match kind {
        CAN_SYSTEM_SLEEP | SYSTEM_WILL_SLEEP => {
            if kind == SYSTEM_WILL_SLEEP {
                context.signs.give(Sign::Sleeping);
            }
            // SAFETY: the argument is the notification to be answered; the machine waits for it.
            unsafe { IOAllowPowerChange(context.root, argument as isize) };
        }
        SYSTEM_HAS_POWERED_ON => {
            context.signs.give(Sign::Woken);
        }
        _ => {}
    }
}

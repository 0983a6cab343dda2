//! What the program asks of its window. Decisions are made here in `app`; a shell only shows.

use crate::event::EventLine;
use crate::view::{CallView, HistoryEntry, Update};

/// Name in the environment by which the window says to its own web engine (WebKitGTK) whether it compiles scripts.
pub const WEB_ENGINE_COMPILES: &str = "JSC_useJIT";
/// By which it says that pages are not put together by the graphics processor.
pub const WEB_ENGINE_PLAIN: &str = "WEBKIT_DISABLE_COMPOSITING_MODE";
/// By which it says that pictures are not handed over in the graphics processor's memory.
pub const WEB_ENGINE_COPIES: &str = "WEBKIT_DISABLE_DMABUF_RENDERER";
/// By which it says on which device the web engine draws, so that none is looked for.
pub const WEB_ENGINE_DEVICE: &str = "WEBKIT_WEB_RENDER_DEVICE_FILE";
/// By which it says to its toolkit (GTK) whether it may draw by GL.
pub const TOOLKIT_GL: &str = "GDK_GL";
/// By which it says where the loader of EGL (libglvnd) finds what draws.
pub const WEB_ENGINE_EGL: &str = "__EGL_VENDOR_LIBRARY_DIRS";
/// What the window's web engine and toolkit alone are to hear of, and nothing that the program starts.
pub const WEB_ENGINE_OPTIONS: [&str; 6] = [
    WEB_ENGINE_COMPILES,
    WEB_ENGINE_PLAIN,
    WEB_ENGINE_COPIES,
    WEB_ENGINE_DEVICE,
    TOOLKIT_GL,
    WEB_ENGINE_EGL,
];

/// State of the tray icon.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Tray {
    /// No account, or none is meant to be registered.
    #[default]
    Offline,
    /// At least one account cannot be reached by colleagues.
    Trouble,
    /// Reachable.
    Ready,
    /// In a call.
    InCall,
    /// It rings.
    Ringing,
}

/// What the tray shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TrayState {
    /// Icon.
    pub tray: Tray,
    /// Missed calls not looked at.
    pub missed: u32,
}

/// A window the program wants to be visible.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Surface {
    /// The main window.
    Main,
    /// The account form, since there is no account or a password is missing.
    Setup,
}

/// A front end. Every method returns at once; calls come from the program's loop, in order.
pub trait Shell: Send + Sync + 'static {
    /// New visible state or levels.
    fn publish(&self, update: Update);
    /// The calls that ring now, oldest first; empty: take the pop-up away. Called on change only.
    fn incoming(&self, ringing: &[CallView]);
    /// A call was missed, just now.
    fn missed(&self, call: &HistoryEntry) {
        let _ = call;
    }
    /// The tray icon changed.
    fn tray(&self, state: TrayState);
    /// Bring a window up. Never called for an incoming call: that must not take the focus.
    fn open(&self, surface: Surface);
    /// Something happened; only the headless program needs it.
    fn event(&self, line: &EventLine) {
        let _ = line;
    }
}

/// A shell that shows nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoShell;

impl Shell for NoShell {
    fn publish(&self, _: Update) {}
    fn incoming(&self, _: &[CallView]) {}
    fn tray(&self, _: TrayState) {}
    fn open(&self, _: Surface) {}
}

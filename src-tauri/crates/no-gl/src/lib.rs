//! An EGL that draws nothing. On a machine without a graphics processor pages are painted without GL; yet the processes of
//! the web engine (WebKitGTK) do not start without a display of EGL, and where that is Mesa's it brings software GL with a
//! whole compiler, 30 MB in each process, for nothing. Here is a display, and nothing can be drawn with it.
//!
//! It is loaded by the loader that distributions have as libEGL (libglvnd), which asks every implementation for
//! `__egl_Main`; `web_engine` in the shell names it to the web engine. Elsewhere than on Linux it is empty.

#[cfg(target_os = "linux")]
mod entry;

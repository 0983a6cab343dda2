//! How the web engine runs where it is WebKitGTK, which takes its options from the environment of its processes.

use app::shell::WEB_ENGINE_COMPILES;

/// Leaves the compiler of scripts out, unless whoever started the program has chosen already. The pages decide nothing and
/// do little by script; compiling it takes 16 MB at the start and some 40 MB more within the first calls, slows the first
/// paint, and wants memory that is both written and run.
///
/// To be called first of all.
#[expect(unsafe_code, reason = "the environment is the only way to say it")]
pub(crate) fn configure() {
    if cfg!(target_os = "linux") && std::env::var_os(WEB_ENGINE_COMPILES).is_none() {
        // SAFETY: the program begins with this, when there is no other thread that could read the environment.
        unsafe { std::env::set_var(WEB_ENGINE_COMPILES, "false") };
    }
}

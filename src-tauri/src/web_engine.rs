//! How the web engine runs where it is WebKitGTK, which takes its options from the environment of its processes.

use std::fs;
use std::path::Path;

use app::shell::{WEB_ENGINE_COMPILES, WEB_ENGINE_COPIES, WEB_ENGINE_PLAIN};

/// Where Linux shows graphics processors that draw.
const RENDERERS: &str = "/dev/dri";
/// Graphics processors that do not show there: NVIDIA's own driver without mode setting, and Windows below.
const OTHERS: [&str; 2] = ["/dev/nvidia0", "/dev/dxg"];

/// Leaves out what costs more than it gives, unless whoever started the program has chosen already:
///
/// - The compiler of scripts. The pages decide nothing and do little by script; compiling it takes 16 MB at the start and
///   some 40 MB more within the first calls, slows the first paint, and wants memory that is both written and run.
/// - Putting pages together in layers, on a machine without a graphics processor (a terminal server, a virtual desk). The
///   layers would be drawn by software GL, the whole window for each letter; painted plainly it is only what changed.
///
/// To be called first of all.
pub(crate) fn configure() {
    if !cfg!(target_os = "linux") {
        return;
    }
    choose(WEB_ENGINE_COMPILES, "false");
    if !has_graphics_processor(Path::new(RENDERERS)) {
        choose(WEB_ENGINE_PLAIN, "1");
        choose(WEB_ENGINE_COPIES, "1");
    }
}

#[expect(unsafe_code, reason = "the environment is the only way to say it")]
fn choose(option: &str, value: &str) {
    if std::env::var_os(option).is_none() {
        // SAFETY: the program begins with this, when there is no other thread that could read the environment.
        unsafe { std::env::set_var(option, value) };
    }
}

/// Whether something on this machine draws by itself: a render node in `renderers`, or one of [`OTHERS`].
fn has_graphics_processor(renderers: &Path) -> bool {
    let nodes = fs::read_dir(renderers).into_iter().flatten().flatten();
    let draws = |name: &str| name.starts_with("renderD");
    nodes.into_iter().any(|node| node.file_name().to_str().is_some_and(draws))
        || OTHERS.iter().any(|other| Path::new(other).exists())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_graphics_processor_is_one_that_draws() {
        let machine = tempfile::tempdir().expect("a folder");
        let others = OTHERS.iter().any(|other| Path::new(other).exists());
        assert_eq!(has_graphics_processor(&machine.path().join("dri")), others, "no folder at all");
        // A card that only shows, as servers have.
        fs::write(machine.path().join("card0"), "").expect("a file");
        assert_eq!(has_graphics_processor(machine.path()), others);
        fs::write(machine.path().join("renderD128"), "").expect("a file");
        assert!(has_graphics_processor(machine.path()));
    }
}

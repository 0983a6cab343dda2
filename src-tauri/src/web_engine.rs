//! How the web engine runs where it is WebKitGTK, which takes its options from the environment of its processes.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::path::Path;

use app::shell::{
    TOOLKIT_GL, WEB_ENGINE_COMPILES, WEB_ENGINE_COPIES, WEB_ENGINE_DEVICE, WEB_ENGINE_EGL,
    WEB_ENGINE_PLAIN,
};

use crate::arguments;

/// Where Linux shows graphics processors that draw.
const RENDERERS: &str = "/dev/dri";
/// Graphics processors that do not show there: NVIDIA's own driver without mode setting, and Windows below.
const OTHERS: [&str; 2] = ["/dev/nvidia0", "/dev/dxg"];
/// A device that is named is not looked for, which would take GL. Where pages are painted plainly nothing opens it.
const NO_DEVICE: &str = "/dev/dri/none";
/// The EGL that draws nothing (crate `no-gl`): beside the program where it was built, and as installers lay it.
const NO_GL: [&str; 2] = ["libbalie_no_gl.so", "../lib/balie/libbalie_no_gl.so"];
/// How it is named to the loader of EGL, which reads it from a folder.
const NAMED: &str = "no-gl.json";
/// By which somebody else may have named an EGL already.
const NAMED_BY_OTHERS: &str = "__EGL_VENDOR_LIBRARY_FILENAMES";
/// Where the loader looks by itself. What it finds there draws where the EGL that draws nothing is gone or does not load.
const OTHER_EGLS: &str = "/etc/glvnd/egl_vendor.d:/usr/share/glvnd/egl_vendor.d";

/// Leaves out what costs more than it gives, unless whoever started the program has chosen already:
///
/// - The compiler of scripts. The pages decide nothing and do little by script; compiling it takes 16 MB at the start and
///   some 40 MB more within the first calls, slows the first paint, and wants memory that is both written and run.
/// - Putting pages together in layers, on a machine without a graphics processor (a terminal server, a virtual desk). The
///   layers would be drawn by software GL, the whole window for each letter; painted plainly it is only what changed.
/// - GL in the program's own process, where pages are painted plainly. Toolkit and web engine would both load it only to ask
///   what it can do: with software GL comes a compiler, together 18 MB that nothing is drawn with.
/// - GL in the processes of the web engine, there too. They do not start without an EGL, so they get one that draws nothing
///   and spares them 31 MB.
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
    if [WEB_ENGINE_PLAIN, WEB_ENGINE_COPIES]
        .into_iter()
        .all(|option| is_on(std::env::var_os(option)))
    {
        choose(TOOLKIT_GL, "disable");
        choose(WEB_ENGINE_DEVICE, NO_DEVICE);
        if std::env::var_os(NAMED_BY_OTHERS).is_none()
            && let Some(folders) = without_gl()
        {
            choose(WEB_ENGINE_EGL, folders);
        }
    }
}

/// The folders in which the loader of EGL is to look. None where the EGL that draws nothing is not there or there is no
/// place to name it: then the system's own is loaded.
fn without_gl() -> Option<OsString> {
    let program = std::env::current_exe().ok()?;
    let library =
        NO_GL.iter().map(|place| program.with_file_name(place)).find(|file| file.is_file())?;
    let folder = arguments::session_folder()?.join("egl");
    name(&library, &folder).ok()?;
    let folders =
        format!("{}:{OTHER_EGLS}", folder.to_str().filter(|folder| !folder.contains(':'))?);
    Some(folders.into())
}

/// Names the EGL that draws nothing in a folder. Another start of the program may do the same at this moment, and web
/// engines may be reading: it is there whole or not at all.
///
/// # Errors
/// When the folder cannot be written to or the path has no text.
fn name(library: &Path, folder: &Path) -> io::Result<()> {
    let path = library.canonicalize()?;
    let path = path.to_str().ok_or(io::ErrorKind::InvalidFilename)?;
    let text =
        serde_json::json!({ "file_format_version": "1.0.0", "ICD": { "library_path": path } })
            .to_string();
    let file = folder.join(NAMED);
    if fs::read_to_string(&file).is_ok_and(|known| known == text) {
        return Ok(());
    }
    let mut maker = fs::DirBuilder::new();
    maker.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut maker, 0o700);
    maker.create(folder)?;
    // Of another ending: the loader passes it over.
    let whole = folder.join(format!("{}.new", std::process::id()));
    fs::write(&whole, text)?;
    fs::rename(whole, file)
}

/// As the web engine reads its options: on with any value but 0.
fn is_on(option: Option<OsString>) -> bool {
    option.is_some_and(|value| value != "0")
}

#[expect(unsafe_code, reason = "the environment is the only way to say it")]
fn choose(option: &str, value: impl AsRef<OsStr>) {
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
    fn an_option_of_the_web_engine_is_on_with_any_value_but_0() {
        let on = |value: &str| is_on(Some(value.into()));
        assert!(on("1") && on("true") && on(""));
        assert!(!on("0") && !is_on(None));
    }

    #[test]
    fn an_egl_is_named_by_its_whole_path_and_anew_when_it_is_elsewhere() {
        let machine = tempfile::tempdir().expect("a folder");
        let folder = machine.path().join("run/egl");
        let named = || -> serde_json::Value {
            let text = fs::read(folder.join(NAMED)).expect("a file");
            serde_json::from_slice(&text).expect("JSON")
        };
        for place in ["one \"quoted\".so", "another.so"] {
            let library = machine.path().join("bin/..").join(place);
            fs::create_dir_all(machine.path().join("bin")).expect("a folder");
            fs::write(&library, "").expect("a file");
            name(&library, &folder).expect("it is named");
            let whole = library.canonicalize().expect("it is there");
            assert_eq!(named()["ICD"]["library_path"].as_str(), whole.to_str());
            assert_eq!(named()["file_format_version"], "1.0.0");
        }
        let left: Vec<_> = fs::read_dir(&folder).expect("a folder").flatten().collect();
        assert_eq!(left.len(), 1, "nothing else is left: {left:?}");
        assert!(name(&machine.path().join("gone.so"), &folder).is_err());
    }

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

//! Where things are in the checkout.

use std::path::PathBuf;

/// Top of the checkout.
pub(crate) fn root() -> PathBuf {
    let here = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).map_or_else(|| here.clone(), PathBuf::from)
}

/// The web side.
pub(crate) fn ui() -> PathBuf {
    root().join("ui")
}

/// Cargo's target folder, as the environment may have moved it.
pub(crate) fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}

/// Tools of the repository's own that no system package holds; shared by all checkouts of a user.
pub(crate) fn tools() -> PathBuf {
    cache().join("tools")
}

/// The laboratory: real servers that tests run against.
pub(crate) fn lab() -> PathBuf {
    cache().join("lab")
}

fn cache() -> PathBuf {
    let base = std::env::var_os("BALIE_CACHE_DIR")
        .map(PathBuf::from)
        .or_else(|| std::env::var_os("XDG_CACHE_HOME").map(|dir| PathBuf::from(dir).join("balie")))
        .or_else(|| {
            let home = std::env::var_os("HOME").or_else(|| std::env::var_os("USERPROFILE"))?;
            Some(PathBuf::from(home).join(".cache").join("balie"))
        });
    base.unwrap_or_else(|| target().join("balie-cache"))
}

/// A built program of ours, with the system's ending for programs.
pub(crate) fn built(profile: &str, name: &str) -> PathBuf {
    target().join(profile).join(format!("{name}{}", std::env::consts::EXE_SUFFIX))
}

/// A built library of ours that is loaded by its name, with the system's prefix and ending for such.
pub(crate) fn built_library(profile: &str, name: &str) -> PathBuf {
    use std::env::consts::{DLL_PREFIX, DLL_SUFFIX};
    target().join(profile).join(format!("{DLL_PREFIX}{name}{DLL_SUFFIX}"))
}

//! A crate depends only downwards; the lower layers know no clock, no socket and no runtime; only the shell knows Tauri.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, Result};
use cargo_metadata::{DependencyKind, Metadata, MetadataCommand};

/// The layers of ARCHITECTURE.md, bottom first.
const LAYERS: &[&[&str]] = &[
    &["sip-types", "sdp", "contacts", "event-packages"],
    &["sip-core", "rtp"],
    &["sip-ua"],
    &["call-control", "pbx"],
    &[
        "trust",
        "sip-transport",
        "network-watch",
        "audio",
        "media-transport",
        "media",
        "store",
        "pbx-broadworks",
        "pbx-asterisk",
        "contact-sources",
        "desktop",
        "headset",
    ],
    &["training-pbx", "app"],
    &["balie", "no-gl"],
];

/// Layers up to this one do no input or output.
const SANS_IO: usize = 3;

/// Crates that stand for a runtime, a socket or a clock of their own.
const RUNTIMES: &[&str] =
    &["tokio", "async-std", "smol", "mio", "socket2", "hickory-resolver", "cpal", "futures"];

/// Where a crate of the same layer may still be used: a base for its neighbours.
const BESIDE: &[(&str, &str)] = &[
    ("media", "audio"),
    ("media", "media-transport"),
    ("media", "trust"),
    ("sip-transport", "trust"),
    ("pbx-broadworks", "trust"),
    ("pbx-asterisk", "trust"),
    ("contact-sources", "trust"),
    ("app", "training-pbx"),
];

fn metadata() -> Result<Metadata> {
    Ok(MetadataCommand::new().no_deps().exec()?)
}

fn layer_of(name: &str) -> Option<usize> {
    LAYERS.iter().position(|layer| layer.contains(&name))
}

fn dependencies(metadata: &Metadata) -> BTreeMap<String, BTreeSet<String>> {
    metadata
        .workspace_packages()
        .into_iter()
        .map(|package| {
            let normal = package
                .dependencies
                .iter()
                .filter(|dependency| dependency.kind == DependencyKind::Normal)
                .map(|dependency| dependency.name.clone())
                .collect();
            (package.name.to_string(), normal)
        })
        .collect()
}

#[test]
fn crates_depend_only_downwards() -> Result<()> {
    let mut wrong = Vec::new();
    for (name, dependencies) in dependencies(&metadata()?) {
        let Some(own) = layer_of(&name) else { continue };
        for dependency in dependencies {
            let Some(other) = layer_of(&dependency) else { continue };
            let beside = BESIDE.contains(&(name.as_str(), dependency.as_str()));
            if other > own || (other == own && !beside) {
                wrong.push(format!("{name} -> {dependency}"));
            }
        }
    }
    assert!(wrong.is_empty(), "these edges do not point downwards: {wrong:?}");
    Ok(())
}

#[test]
fn every_crate_has_a_layer() -> Result<()> {
    let crates = metadata()?.workspace_root.join("src-tauri/crates");
    for entry in std::fs::read_dir(crates)? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        assert!(layer_of(&name).is_some(), "{name} stands in no layer of this test");
    }
    Ok(())
}

#[test]
fn the_lower_layers_know_no_runtime() -> Result<()> {
    let graph = dependencies(&metadata()?);
    for name in LAYERS.iter().take(SANS_IO + 1).flat_map(|layer| layer.iter()) {
        let Some(dependencies) = graph.get(*name) else { continue };
        let runtimes: Vec<_> =
            dependencies.iter().filter(|name| RUNTIMES.contains(&name.as_str())).collect();
        assert!(runtimes.is_empty(), "{name} is sans-IO but depends on {runtimes:?}");
    }
    Ok(())
}

#[test]
fn the_lower_layers_share_nothing_and_never_ask_the_time() -> Result<()> {
    let root = metadata()?.workspace_root;
    let banned = [
        "Instant::now",
        "SystemTime::now",
        "std::sync::",
        "Mutex<",
        "Arc<",
        "async fn",
        "std::net::UdpSocket",
    ];
    let mut wrong = Vec::new();
    for name in LAYERS.iter().take(SANS_IO + 1).flat_map(|layer| layer.iter()) {
        let source = root.join("src-tauri/crates").join(name).join("src");
        if !source.is_dir() {
            // A room that is planned and not built yet.
            continue;
        }
        for (path, text) in rust_files(source.as_std_path())? {
            let is_test = path.contains("tests");
            let code = text.split("#[cfg(test)]").next().unwrap_or_default();
            for word in banned {
                if !is_test && code.lines().any(|line| is_code(line) && line.contains(word)) {
                    wrong.push(format!("{path}: {word}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "sans-IO code is told the time and owns its state: {wrong:#?}");
    Ok(())
}

fn is_code(line: &str) -> bool {
    !line.trim_start().starts_with("//")
}

#[test]
fn nothing_but_the_shell_knows_tauri() -> Result<()> {
    for (name, dependencies) in dependencies(&metadata()?) {
        let tauri: Vec<_> = dependencies.iter().filter(|name| name.starts_with("tauri")).collect();
        assert!(name == "balie" || tauri.is_empty(), "{name} depends on {tauri:?}");
    }
    Ok(())
}

#[test]
fn only_sip_types_names_rsip() -> Result<()> {
    for (name, dependencies) in dependencies(&metadata()?) {
        assert!(name == "sip-types" || !dependencies.contains("rsip"), "{name} depends on rsip");
    }
    Ok(())
}

#[test]
fn the_map_names_every_crate() -> Result<()> {
    let root = metadata()?.workspace_root;
    let map = std::fs::read_to_string(root.join("src-tauri/ARCHITECTURE.md"))
        .context("src-tauri/ARCHITECTURE.md is the map of the house")?;
    for entry in std::fs::read_dir(root.join("src-tauri/crates"))? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        assert!(map.contains(&format!("`{name}`")), "ARCHITECTURE.md does not name `{name}`");
    }
    Ok(())
}

fn rust_files(folder: &std::path::Path) -> Result<Vec<(String, String)>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let path = entry?.path();
        if path.is_dir() {
            files.extend(rust_files(&path)?);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            files.push((path.display().to_string(), std::fs::read_to_string(&path)?));
        }
    }
    Ok(files)
}

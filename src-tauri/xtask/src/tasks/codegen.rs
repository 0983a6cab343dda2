//! `cargo xtask codegen`: TypeScript forms of the view models and commands.

use std::fs;

use anyhow::{Context as _, Result, bail};

use crate::console::{cargo, output, say};
use crate::workspace;

/// Writes the bindings; with `check`, only tells whether the committed ones are fresh.
pub(crate) fn codegen(check: bool) -> Result<()> {
    let fresh = output(
        cargo()
            .args(["run", "--locked", "--quiet", "--package", "app"])
            .args(["--bin", "export-bindings"]),
    )?;
    let path = workspace::ui().join("src").join("bindings").join("index.ts");
    let committed = fs::read_to_string(&path).unwrap_or_default();
    if committed == fresh {
        say("bindings: fresh");
        return Ok(());
    }
    if check {
        bail!("{} is out of date: run `cargo xtask codegen` and commit it", path.display());
    }
    fs::write(&path, fresh).with_context(|| format!("cannot write {}", path.display()))?;
    say(&format!("bindings: written to {}", path.display()));
    Ok(())
}

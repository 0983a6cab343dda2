//! Windows: a clear list of what to install, since nothing may be installed behind the user's back.

use anyhow::{Result, bail};

use crate::console::{self, say};

const TOOLS: &[(&str, &str)] = &[
    ("cmake", "CMake: winget install Kitware.CMake"),
    ("npm", "Node.js 22: winget install OpenJS.NodeJS.LTS"),
];

/// Says what is missing; installs nothing.
pub(super) fn check() -> Result<()> {
    let missing: Vec<&str> = TOOLS
        .iter()
        .filter(|(program, _)| !console::has_program(program))
        .map(|(_, advice)| *advice)
        .collect();
    if missing.is_empty() {
        say("system tools: nothing is missing");
        return Ok(());
    }
    bail!(
        "install these, open a new terminal and try again:\n  {}\n  Visual Studio Build Tools with \
         \"Desktop development with C++\": winget install Microsoft.VisualStudio.2022.BuildTools\n  \
         WebView2 is part of Windows 10 and 11.",
        missing.join("\n  ")
    )
}

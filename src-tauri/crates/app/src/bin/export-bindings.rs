//! Prints the TypeScript declarations of the control interface.

use std::io::Write;

fn main() -> std::io::Result<()> {
    std::io::stdout().write_all(app::bindings().as_bytes())
}

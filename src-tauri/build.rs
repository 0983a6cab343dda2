//! Generates what the window runtime needs at compile time: the checked configuration, permissions and icons.

fn main() {
    tauri_build::build();
}

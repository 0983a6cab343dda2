//! The repository's one tool.
fn main() {}

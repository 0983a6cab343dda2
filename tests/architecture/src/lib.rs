//! Tests that hold the shape of the repository: layers, sans-IO crates, top level, file sizes, fresh bindings.

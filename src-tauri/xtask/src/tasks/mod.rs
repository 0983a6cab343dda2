//! One file for each command.

pub(crate) mod bench;
pub(crate) mod check_cross;
pub(crate) mod ci;
pub(crate) mod codegen;
pub(crate) mod dist;
pub(crate) mod fuzz;
pub(crate) mod matrix;
pub(crate) mod peers;
pub(crate) mod prove;
pub(crate) mod run;
pub(crate) mod screenshots;
pub(crate) mod test;

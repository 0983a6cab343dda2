//! What events carry, package by package.

pub(crate) mod acd;
pub(crate) mod call;
pub(crate) mod service;

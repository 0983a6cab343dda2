//! The session against a scripted exchange, in virtual time; and the client on loopback.

mod agents;
mod callers;
mod calls;
mod lab;
mod loopback;
mod recovery;
mod requests;
mod sign_in;

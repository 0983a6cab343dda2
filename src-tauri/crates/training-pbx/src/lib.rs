//! The embedded PBX: registrar, exchange and simulated people of a demo company.
//!
//! [`Pbx::start`] opens the SIP ports (UDP and TCP), the media sockets and the control port, and returns a
//! [`PbxHandle`]. Everything stays on loopback unless [`PbxConfig::listen`] says otherwise.
//!
//! # Numbers
//! See [`Numbers`]: echo, music, speech and so on; the extensions of the simulated people
//! ([`Company::people`]); the extensions of the real accounts ([`Ready::accounts`]).
//!
//! # Control port
//! JSON lines over TCP on loopback. Every line is a command and gets one line back, with the same `id` if it had one:
//! `{"id":1,"ok":{…}}` or `{"id":1,"error":{"code":"…","message":"…"}}`. A line that is not JSON, is too long or names an unknown
//! command is answered with an error and the connection goes on.
//!
//! | cmd | arguments | ok |
//! |---|---|---|
//! | `customer.call` | `to`, `name`?, `number`?, `patience_s`?, `talk_s`? | `{"call": n}` |
//! | `restart` | | `{}`: forgets registrations, ends calls without a word, as a power cut does |
//! | `status` | | [`Status`] |
//! | `help` | | `{"commands": […]}` |

mod call;
mod company;
mod control;
mod dial_plan;
mod driver;
mod endpoint;
mod exchange;
mod gate;
mod media_task;
mod music;
mod pbx;
mod ready;
mod registrar;
mod speech;
mod wav;

pub use company::{Account, Behaviour, Company, CompanyError, Customer, Hunt, Person, Role, Voice};
pub use pbx::{CallNumber, CustomerCall, Pbx, PbxConfig, PbxError, PbxHandle, Profile, Status};
pub use ready::{Numbers, Ready, ReadyAccount};

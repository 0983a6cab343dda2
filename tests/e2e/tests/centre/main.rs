//! The call centre and the services of a hosted exchange, end to end: `balie-cli run` with `[account.xsi]` against
//! the embedded exchange, each scenario on an exchange of its own.

mod agent;
mod causes;
mod control;
mod faults;
mod kept;
mod listening;
mod over_sip;
mod queue;
mod recording;
mod rows;
mod services;
mod settings;
mod stale;
mod supervisor;

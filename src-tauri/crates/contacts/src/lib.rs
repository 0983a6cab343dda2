//! People and their numbers: what was typed and what is dialled, numbers for show, equality of numbers in
//! any notation, search by name. Pure functions and one in-memory index; Dutch numbering rules.

mod dial;
mod key;
mod search;
mod show;

pub use dial::{Dialled, NotDiallable, dialled};
pub use key::{NumberKey, same_number};
pub use search::{Entry, Index, fold};
pub use show::show;

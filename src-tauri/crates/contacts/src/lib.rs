//! People and their numbers: what was typed and what is dialled, what kind of number it is, numbers for show, equality
//! of numbers in any notation, search as you type, lists of contacts from files. Pure functions and one in-memory index;
//! Dutch numbering rules.

mod dial;
mod emergency;
mod fold;
pub mod import;
mod index;
mod key;
mod plain;
mod plan;
mod same;
mod show;
mod world;

pub use dial::{Dialled, NotDiallable, dialled, extension};
pub use emergency::{emergency_numbers, is_emergency};
pub use fold::fold;
pub use index::{Entry, Index, IndexBuilder, Match};
pub use key::{NumberKey, same_number};
pub use plain::{is_direction, is_invisible, plain, tidy};
pub use plan::{NumberClass, classify};
pub use same::{Merged, Sameness, merge};
pub use show::show;

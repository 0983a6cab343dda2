//! The names under which the user agent's parts are known to its owner.

use std::fmt;

/// One account (an address of record) of a [`crate::UserAgent`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountId(pub u32);

/// One INVITE session, incoming or outgoing. Never used twice by one user agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionId(pub u64);

/// One subscription to somebody's events. Never used twice by one user agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SubscriptionId(pub u64);

/// One question to the resolver ([`crate::Output::Resolve`], [`crate::Input::Resolved`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct QueryId(pub u64);

/// One early dialog of an outgoing session: a forking proxy lets several ring at once, and each
/// may have early media of its own. Counted from 0 within its session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EarlyDialogId(pub u32);

/// One REFER of a peer that asks us to call somebody. Never used twice by one user agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReferralId(pub u64);

macro_rules! display_number {
    ($($name:ident $prefix:literal),*) => {$(
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($prefix, "{}"), self.0)
            }
        }
    )*};
}
display_number!(AccountId "account-", SessionId "session-", SubscriptionId "subscription-", QueryId "query-", EarlyDialogId "early-", ReferralId "referral-");

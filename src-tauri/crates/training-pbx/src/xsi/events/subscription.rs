//! Subscriptions: who is told what about whom.
//!
//! Inputs: from clients `create`, `refresh`, `delete`; from acks `delete` (481); from the owner `remove`, `skip`; from
//! time `handle_timeout`. A subscription is `active` until one of these ends it; the death of a channel does not.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use super::channel::{end_of, granted};

/// Who is watched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Target {
    /// A user by extension, or a call centre by its user part: gets an initial event.
    User(String),
    /// All users of a group.
    Group(String),
    /// All users of an enterprise or service provider.
    Enterprise(String),
    /// All users of the system.
    System,
}

impl Target {
    /// The one user who is watched.
    fn user(&self) -> Option<String> {
        match self {
            Self::User(target) => Some(target.clone()),
            Self::Group(_) | Self::Enterprise(_) | Self::System => None,
        }
    }
}

/// Everybody who is watched.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Targets {
    users: BTreeSet<String>,
    /// A group or more.
    all: bool,
}

impl Targets {
    /// Whether a user is one of them.
    pub(crate) fn covers(&self, user: &str) -> bool {
        self.all || self.users.contains(user)
    }
}

/// One subscription.
#[derive(Debug, Clone)]
pub(crate) struct Subscription {
    pub(crate) id: String,
    /// Extension of the owner.
    pub(crate) owner: String,
    pub(crate) target: Target,
    /// The target as the client named it.
    pub(crate) target_id: String,
    pub(crate) packages: Vec<&'static str>,
    pub(crate) set: String,
    pub(crate) application: String,
    /// Seconds granted last.
    pub(crate) expires: u32,
    expires_at: Option<Instant>,
    /// Of the last event.
    sequence: u32,
}

/// What a client asks for.
#[derive(Debug, Clone)]
pub(crate) struct SubscriptionWish {
    pub(crate) owner: String,
    pub(crate) target: Target,
    pub(crate) target_id: String,
    pub(crate) packages: Vec<&'static str>,
    /// The packages came as a list, of which there is one for each target and owner.
    pub(crate) is_list: bool,
    pub(crate) set: String,
    pub(crate) application: String,
    pub(crate) expires: u32,
}

/// All subscriptions.
#[derive(Debug)]
pub(crate) struct Subscriptions {
    all: BTreeMap<String, (bool, Subscription)>,
    /// Their ids by the user who is watched; those of groups without one.
    by_user: BTreeMap<Option<String>, BTreeSet<String>>,
    /// Counts what comes and goes.
    revision: u64,
    /// Of one user.
    limit: usize,
    /// Sequence numbers the next event leaves out.
    skip: u32,
}

impl Subscriptions {
    /// None, and each user may have so many.
    pub(crate) fn new(limit: usize) -> Self {
        Self { all: BTreeMap::new(), by_user: BTreeMap::new(), revision: 1, limit, skip: 0 }
    }

    /// How many a user may have from now on.
    pub(crate) fn set_limit(&mut self, limit: usize) {
        self.limit = limit;
    }

    /// The next event leaves out so many sequence numbers, as if others had been lost.
    pub(crate) fn skip(&mut self, count: u32) {
        self.skip = count;
    }

    /// Begins a subscription. `None` when the owner has too many. A list replaces the list before.
    pub(crate) fn create(
        &mut self,
        now: Instant,
        id: String,
        wish: SubscriptionWish,
    ) -> Option<&Subscription> {
        if wish.is_list {
            self.delete_where(|(is_list, old)| {
                *is_list && old.owner == wish.owner && old.target == wish.target
            });
        }
        let own = self.all.values().filter(|(_, old)| old.owner == wish.owner).count();
        if own >= self.limit {
            return None;
        }
        let expires = granted(wish.expires);
        tracing::debug!(%id, owner = %wish.owner, target = %wish.target_id, packages = ?wish.packages, "none, POST -> active");
        let subscription = Subscription {
            id: id.clone(),
            owner: wish.owner,
            target: wish.target,
            target_id: wish.target_id,
            packages: wish.packages,
            set: wish.set,
            application: wish.application,
            expires,
            expires_at: end_of(now, expires),
            sequence: 0,
        };
        self.revision += 1;
        let user = subscription.target.user();
        self.by_user.entry(user).or_default().insert(id.clone());
        Some(&self.all.entry(id).or_insert((wish.is_list, subscription)).1)
    }

    /// A new term; the subscription.
    pub(crate) fn refresh(
        &mut self,
        now: Instant,
        id: &str,
        expires: u32,
    ) -> Option<&Subscription> {
        let (_, subscription) = self.all.get_mut(id)?;
        subscription.expires = granted(expires);
        subscription.expires_at = end_of(now, subscription.expires);
        tracing::debug!(%id, expires = subscription.expires, "active, PUT -> active");
        Some(subscription)
    }

    /// Ends one.
    pub(crate) fn delete(&mut self, id: &str, why: &str) -> Option<Subscription> {
        let (_, subscription) = self.all.remove(id)?;
        self.revision += 1;
        let user = subscription.target.user();
        if let Some(ids) = self.by_user.get_mut(&user) {
            ids.remove(id);
            if ids.is_empty() {
                self.by_user.remove(&user);
            }
        }
        tracing::debug!(%id, "active, {why} -> gone");
        Some(subscription)
    }

    fn delete_where(&mut self, fits: impl Fn(&(bool, Subscription)) -> bool) {
        let ids: Vec<String> =
            self.all.iter().filter(|(_, one)| fits(one)).map(|(id, _)| id.clone()).collect();
        for id in ids {
            self.delete(&id, "replaced");
        }
    }

    /// Another number after every change of who watches what.
    pub(crate) fn revision(&self) -> u64 {
        self.revision
    }

    /// Whom those watch who watch one of these packages.
    pub(crate) fn targets(&self, fits: impl Fn(&&'static str) -> bool) -> Targets {
        let mut targets = Targets::default();
        for one in self.all().filter(|one| one.packages.iter().any(&fits)) {
            match one.target.user() {
                Some(user) => {
                    targets.users.insert(user);
                }
                None => targets.all = true,
            }
        }
        targets
    }

    /// Ends all of a channel set.
    pub(crate) fn delete_set(&mut self, set: &str) {
        self.delete_where(|(_, subscription)| subscription.set == set);
    }

    /// One by its id.
    pub(crate) fn get(&self, id: &str) -> Option<&Subscription> {
        self.all.get(id).map(|(_, subscription)| subscription)
    }

    /// All of them.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Subscription> {
        self.all.values().map(|(_, subscription)| subscription)
    }

    /// Those that an event of one of these packages about this user is for.
    pub(crate) fn matching(&self, user: &str, packages: &[&str]) -> Vec<String> {
        let fits = |id: &&String| {
            let packages_of = self.get(id).map(|subscription| &subscription.packages);
            packages_of.is_some_and(|all| all.iter().any(|package| packages.contains(package)))
        };
        // There is one company here, and everybody is in it: groups cover all users.
        let keys = [Some(user.to_owned()), None];
        let ids = keys.iter().filter_map(|key| self.by_user.get(key)).flatten();
        ids.filter(fits).cloned().collect()
    }

    /// The number of the next event: from 1, and after the largest 1 again.
    pub(crate) fn next_sequence(&mut self, id: &str) -> Option<u32> {
        let skip = std::mem::take(&mut self.skip);
        let (_, subscription) = self.all.get_mut(id)?;
        for _ in 0..=skip {
            let at_end = subscription.sequence >= super::channel::NEVER;
            subscription.sequence = if at_end { 1 } else { subscription.sequence + 1 };
        }
        Some(subscription.sequence)
    }

    /// Those whose term is over.
    pub(crate) fn handle_timeout(&self, now: Instant) -> Vec<String> {
        let over = |s: &&Subscription| s.expires_at.is_some_and(|at| at <= now);
        self.all().filter(over).map(|subscription| subscription.id.clone()).collect()
    }

    /// When the next term is over.
    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        self.all().filter_map(|subscription| subscription.expires_at).min()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn wish(owner: &str, target: &str, package: &'static str, is_list: bool) -> SubscriptionWish {
        SubscriptionWish {
            owner: owner.to_owned(),
            target: Target::User(target.to_owned()),
            target_id: target.to_owned(),
            packages: vec![package],
            is_list,
            set: "s".to_owned(),
            application: "app".to_owned(),
            expires: 1,
        }
    }

    fn start() -> Instant {
        #[expect(clippy::disallowed_methods, reason = "one base for virtual time")]
        Instant::now()
    }

    #[test]
    fn each_user_has_a_limit_of_his_own() {
        let mut all = Subscriptions::new(2);
        let mut create = |id: &str, owner: &str| {
            all.create(start(), id.into(), wish(owner, "101", "Basic Call", false)).is_some()
        };
        assert!(create("a", "101") && create("b", "101") && !create("c", "101"));
        assert!(create("d", "102"));
        all.delete("a", "DELETE");
        assert!(all.create(start(), "c".into(), wish("101", "101", "Basic Call", false)).is_some());
    }

    #[test]
    fn a_list_replaces_the_list_of_the_same_owner_and_target() {
        let mut all = Subscriptions::new(10);
        all.create(start(), "a".into(), wish("101", "101", "Basic Call", false));
        all.create(start(), "b".into(), wish("101", "101", "Basic Call", true));
        all.create(start(), "c".into(), wish("101", "101", "Advanced Call", true));
        let ids: Vec<&str> = all.all().map(|s| s.id.as_str()).collect();
        assert_eq!(ids, ["a", "c"]);
    }

    #[test]
    fn numbers_are_counted_for_each_subscription_and_can_be_left_out() {
        let mut all = Subscriptions::new(10);
        all.create(start(), "a".into(), wish("101", "101", "Basic Call", false));
        all.create(start(), "b".into(), wish("101", "101", "Basic Call", false));
        assert_eq!((all.next_sequence("a"), all.next_sequence("a")), (Some(1), Some(2)));
        assert_eq!(all.next_sequence("b"), Some(1));
        all.skip(3);
        assert_eq!((all.next_sequence("a"), all.next_sequence("b")), (Some(6), Some(2)));
        if let Some((_, subscription)) = all.all.get_mut("a") {
            subscription.sequence = 2_147_483_647;
        }
        assert_eq!(all.next_sequence("a"), Some(1));
        assert_eq!(all.next_sequence("c"), None);
    }

    #[test]
    fn events_reach_those_who_watch_the_user_or_his_group() {
        let mut all = Subscriptions::new(10);
        all.create(start(), "a".into(), wish("101", "102", "Basic Call", false));
        let group = SubscriptionWish {
            target: Target::Group("g".into()),
            ..wish("101", "g", "Advanced Call", false)
        };
        all.create(start(), "b".into(), group);
        assert_eq!(all.matching("102", &["Basic Call", "Advanced Call"]), ["a", "b"]);
        assert_eq!(all.matching("103", &["Basic Call", "Advanced Call"]), ["b"]);
        assert!(all.matching("102", &["Do Not Disturb"]).is_empty());
    }

    #[test]
    fn what_has_ended_is_neither_found_nor_counted_as_watched() {
        let mut all = Subscriptions::new(10);
        let group = SubscriptionWish {
            target: Target::Group("g".into()),
            ..wish("101", "g", "Do Not Disturb", false)
        };
        all.create(start(), "a".into(), wish("101", "102", "Basic Call", true));
        all.create(start(), "b".into(), group);
        let of_services = |package: &&'static str| *package == "Do Not Disturb";
        assert!(all.targets(of_services).covers("103"), "a group is everybody");
        let before = all.revision();
        all.delete("b", "DELETE");
        assert_ne!(all.revision(), before);
        assert_eq!(all.targets(of_services), Targets::default());
        // A list takes the place of the one before, also where it is looked for.
        all.create(start(), "c".into(), wish("101", "102", "Do Not Disturb", true));
        assert!(all.matching("102", &["Basic Call"]).is_empty());
        assert_eq!(all.matching("102", &["Do Not Disturb"]), ["c"]);
        assert!(all.targets(of_services).covers("102") && !all.targets(of_services).covers("103"));
        all.delete_set("s");
        assert!(all.matching("102", &["Do Not Disturb"]).is_empty() && all.by_user.is_empty());
    }

    #[test]
    fn a_term_of_an_hour_at_least() {
        let (now, hour) = (start(), Duration::from_secs(3_600));
        let mut all = Subscriptions::new(10);
        all.create(now, "a".into(), wish("101", "102", "Basic Call", false));
        assert!(all.handle_timeout(now + hour / 2).is_empty());
        all.refresh(now + hour / 2, "a", 7_200);
        assert!(all.handle_timeout(now + hour).is_empty());
        assert_eq!(all.handle_timeout(now + 3 * hour), ["a"]);
    }
}

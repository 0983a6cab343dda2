//! Whom a call is offered to: the five policies of queues and hunt groups. A pure function of who could take it.

use std::time::Instant;

use sip_core::Random;

use super::config::Policy;

/// Somebody who could take a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Candidate<'a> {
    /// Who.
    pub(crate) id: &'a str,
    /// Place in the list, from 0.
    pub(crate) place: usize,
    /// Level, 1 is the best; the same for all where skills do not count.
    pub(crate) skill: u8,
    /// Share, percent.
    pub(crate) weight: u8,
    /// Since when without a call.
    pub(crate) idle_since: Instant,
}

/// Those who are rung: several with [`Policy::Simultaneous`], one otherwise, none if there are no candidates. `last` is
/// the place of who was rung before.
pub(crate) fn choose(
    policy: Policy,
    candidates: &[Candidate<'_>],
    last: Option<usize>,
    random: &mut Random,
) -> Vec<String> {
    let best = candidates.iter().map(|candidate| candidate.skill).min();
    let mut able: Vec<&Candidate<'_>> =
        candidates.iter().filter(|candidate| Some(candidate.skill) == best).collect();
    able.sort_by_key(|candidate| candidate.place);
    let one = match policy {
        Policy::Simultaneous => {
            return able.iter().map(|candidate| candidate.id.to_owned()).collect();
        }
        Policy::Regular => able.first(),
        Policy::Circular => {
            let after =
                |candidate: &&&Candidate<'_>| last.is_none_or(|last| candidate.place > last);
            able.iter().find(after).or(able.first())
        }
        Policy::Uniform => able.iter().min_by_key(|candidate| candidate.idle_since),
        Policy::Weighted => weighted(&able, random),
    };
    one.map(|candidate| candidate.id.to_owned()).into_iter().collect()
}

fn weighted<'a, 'b>(
    able: &'b [&'a Candidate<'a>],
    random: &mut Random,
) -> Option<&'b &'a Candidate<'a>> {
    let total: u64 = able.iter().map(|candidate| u64::from(candidate.weight)).sum();
    if total == 0 {
        let count = u64::try_from(able.len()).unwrap_or(u64::MAX).saturating_sub(1);
        return able.get(usize::try_from(random.between(0, count)).unwrap_or(0));
    }
    let mut left = random.between(1, total);
    able.iter().find(|candidate| {
        let weight = u64::from(candidate.weight);
        let hit = weight >= left;
        left = left.saturating_sub(weight);
        hit
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn base() -> Instant {
        #[expect(clippy::disallowed_methods, reason = "one base for virtual time")]
        Instant::now()
    }

    fn candidate(id: &str, place: usize) -> Candidate<'_> {
        Candidate { id, place, skill: 1, weight: 0, idle_since: base() }
    }

    fn random() -> Random {
        Random::from_seed([3; 32])
    }

    #[test]
    fn nobody_is_chosen_from_nobody() {
        for policy in [
            Policy::Circular,
            Policy::Regular,
            Policy::Simultaneous,
            Policy::Uniform,
            Policy::Weighted,
        ] {
            assert!(choose(policy, &[], Some(1), &mut random()).is_empty());
        }
    }

    #[test]
    fn circular_goes_on_after_the_last_and_begins_anew() {
        let all = [candidate("a", 0), candidate("b", 1), candidate("c", 2)];
        let next = |last| choose(Policy::Circular, &all, last, &mut random());
        assert_eq!(next(None), ["a"]);
        assert_eq!(next(Some(0)), ["b"]);
        assert_eq!(next(Some(2)), ["a"]);
        // Who was rung last is not there any more.
        assert_eq!(choose(Policy::Circular, &[all[0], all[2]], Some(1), &mut random()), ["c"]);
    }

    #[test]
    fn regular_begins_at_the_top_and_simultaneous_rings_all() {
        let all = [candidate("b", 1), candidate("a", 0)];
        assert_eq!(choose(Policy::Regular, &all, Some(0), &mut random()), ["a"]);
        assert_eq!(choose(Policy::Simultaneous, &all, None, &mut random()), ["a", "b"]);
    }

    #[test]
    fn uniform_takes_who_has_been_idle_longest() {
        let mut all = [candidate("a", 0), candidate("b", 1)];
        all[0].idle_since += Duration::from_secs(60);
        assert_eq!(choose(Policy::Uniform, &all, None, &mut random()), ["b"]);
    }

    #[test]
    fn the_best_skill_goes_before_the_policy() {
        let mut all = [candidate("a", 0), candidate("b", 1), candidate("c", 2)];
        all[0].skill = 3;
        all[1].skill = 2;
        all[2].skill = 2;
        assert_eq!(choose(Policy::Regular, &all, None, &mut random()), ["b"]);
        assert_eq!(choose(Policy::Simultaneous, &all, None, &mut random()), ["b", "c"]);
    }

    #[test]
    fn weights_are_shares() {
        let mut all = [candidate("a", 0), candidate("b", 1), candidate("c", 2)];
        all[0].weight = 80;
        all[1].weight = 20;
        let mut random = random();
        let mut counts = [0_u32; 3];
        for _ in 0..2_000 {
            let chosen = choose(Policy::Weighted, &all, None, &mut random);
            counts[all.iter().position(|c| c.id == chosen[0]).unwrap()] += 1;
        }
        assert!((1_500..1_700).contains(&counts[0]), "{counts:?}");
        assert_eq!(counts[2], 0);
        let equal = [candidate("a", 0), candidate("b", 1)];
        let chosen: Vec<String> =
            (0..50).flat_map(|_| choose(Policy::Weighted, &equal, None, &mut random)).collect();
        assert!(chosen.contains(&"a".to_owned()) && chosen.contains(&"b".to_owned()));
    }
}

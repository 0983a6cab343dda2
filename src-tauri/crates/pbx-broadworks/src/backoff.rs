//! How long something waits before it is tried again: ever longer, and never all at the same moment.

use std::time::Duration;

use sip_core::Random;

/// Waits that grow.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Backoff {
    failures: u32,
    base: Duration,
    longest: Duration,
}

impl Backoff {
    /// The first wait is about `base`, none is longer than `longest`.
    pub(crate) fn new(base: Duration, longest: Duration) -> Self {
        Self { failures: 0, base, longest }
    }

    /// Everything is well again.
    pub(crate) fn succeeded(&mut self) {
        self.failures = 0;
    }

    /// The wait after another failure: between half of the grown one and all of it. `asked` is the least
    /// that the server wants, on top of which some jitter comes.
    pub(crate) fn wait(&mut self, random: &mut Random, asked: Option<Duration>) -> Duration {
        let grown = (self.base * 2u32.saturating_pow(self.failures.min(10))).min(self.longest);
        self.failures = self.failures.saturating_add(1);
        let usual = jitter(random, grown / 2, grown);
        match asked {
            Some(asked) if asked > usual => asked + jitter(random, Duration::ZERO, self.base),
            _ => usual,
        }
    }
}

/// A random time between two others.
pub(crate) fn jitter(random: &mut Random, from: Duration, to: Duration) -> Duration {
    let millis = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    Duration::from_millis(random.between(millis(from), millis(to)))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use sip_core::Random;

    use super::Backoff;

    #[test]
    fn waits_grow_to_a_bound_and_respect_what_the_server_asks() {
        let mut random = Random::from_seed([3; 32]);
        let seconds = Duration::from_secs;
        let mut backoff = Backoff::new(seconds(2), seconds(60));
        for grown in [2, 4, 8, 16, 32, 60, 60] {
            let wait = backoff.wait(&mut random, None);
            assert!(wait >= seconds(grown) / 2 && wait <= seconds(grown), "{wait:?} of {grown}");
        }
        let asked = backoff.wait(&mut random, Some(seconds(300)));
        assert!((seconds(300)..=seconds(302)).contains(&asked));
        backoff.succeeded();
        assert!(backoff.wait(&mut random, None) <= seconds(2));
    }
}

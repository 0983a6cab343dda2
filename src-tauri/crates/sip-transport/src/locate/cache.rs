//! What the name service said, for as long as it said that it holds.
//!
//! Inputs from the name service, through the one who asks: [`Cache::keep`]. Inputs from the clock:
//! the `now` of each call. An answer that has run out is kept for a day longer and used only when
//! the name service fails (RFC 8767): a phone should not lose its line because of that.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use super::{Answer, Question};

/// Most answers kept.
const MOST: usize = 512;

/// How long an answer serves at most, whatever its records say.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// How long "there is nothing" serves at most: a name may be made at any time.
const LONGEST_NOTHING: Duration = Duration::from_secs(60);

/// How long an answer that has run out may still stand in for a name service that fails.
const STALE: Duration = Duration::from_secs(24 * 60 * 60);

/// How long a failure of the name service is taken to go on.
const LATELY: Duration = Duration::from_secs(5);

/// The answers of the name service.
#[derive(Debug, Default)]
pub(crate) struct Cache {
    entries: HashMap<Question, Entry>,
    /// When the name service failed last.
    failed: Option<Instant>,
}

#[derive(Debug)]
struct Entry {
    answer: Answer,
    until: Instant,
}

impl Cache {
    /// The answer to `question`, if there is one that holds at `now`.
    pub(crate) fn fresh(&self, now: Instant, question: &Question) -> Option<Answer> {
        let entry = self.entries.get(question)?;
        (now < entry.until).then(|| entry.answer.clone())
    }

    /// The answer, run out or not, that stands in for a failure.
    pub(crate) fn stand_in(&self, now: Instant, question: &Question) -> Option<Answer> {
        let entry = self.entries.get(question)?;
        (now < entry.until + STALE).then(|| entry.answer.clone())
    }

    /// Whether the name service failed a moment ago: while answers can stand in, asking again so
    /// soon only costs time.
    pub(crate) fn failed_lately(&self, now: Instant) -> bool {
        self.failed.is_some_and(|failed| now < failed + LATELY)
    }

    /// Keeps an answer for `ttl` and gives back what to use. A failure is not kept; an earlier
    /// answer is used in its place, if there is one.
    pub(crate) fn keep(
        &mut self,
        now: Instant,
        question: &Question,
        answer: Answer,
        ttl: Duration,
    ) -> Answer {
        if matches!(answer, Answer::Failed(_)) {
            self.failed = Some(now);
            let old = self.stand_in(now, question);
            if old.is_some() {
                tracing::info!("the name service failed for {question:?}: an old answer is used");
            }
            return old.unwrap_or(answer);
        }
        let longest = if answer == Answer::Nothing { LONGEST_NOTHING } else { LONGEST };
        self.entries.retain(|_, entry| now < entry.until + STALE);
        if self.entries.len() >= MOST && !self.entries.contains_key(question) {
            let oldest = self.entries.iter().min_by_key(|(_, entry)| entry.until);
            if let Some(oldest) = oldest.map(|(question, _)| question.clone()) {
                self.entries.remove(&oldest);
            }
        }
        let entry = Entry { answer: answer.clone(), until: now + ttl.min(longest) };
        self.entries.insert(question.clone(), entry);
        answer
    }

    /// Lets all answers run out: another network may answer differently.
    pub(crate) fn expire(&mut self, now: Instant) {
        self.failed = None;
        for entry in self.entries.values_mut() {
            entry.until = entry.until.min(now);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::{Answer, Cache, MOST, Question};

    const SECOND: Duration = Duration::from_secs(1);

    #[expect(clippy::disallowed_methods, reason = "the start of a test's virtual time")]
    fn start() -> Instant {
        Instant::now()
    }

    fn question(name: &str) -> Question {
        Question::Addresses(name.to_owned())
    }

    fn answer(last: u8) -> Answer {
        Answer::Addresses(vec![[192, 0, 2, last].into()])
    }

    #[test]
    fn an_answer_holds_as_long_as_it_says() {
        let (mut cache, now, asked) = (Cache::default(), start(), question("a"));
        assert_eq!(cache.fresh(now, &asked), None);
        cache.keep(now, &asked, answer(1), 30 * SECOND);
        assert_eq!(cache.fresh(now + 29 * SECOND, &asked), Some(answer(1)));
        assert_eq!(cache.fresh(now + 30 * SECOND, &asked), None);
        cache.keep(now, &asked, Answer::Nothing, 3600 * SECOND);
        assert_eq!(cache.fresh(now + 60 * SECOND, &asked), None);
        cache.keep(now, &asked, answer(1), Duration::MAX);
        assert_eq!(cache.fresh(now + 25 * 3600 * SECOND, &asked), None);
    }

    #[test]
    fn an_old_answer_stands_in_for_a_failure_only() {
        let (mut cache, now, asked) = (Cache::default(), start(), question("a"));
        let failure = Answer::Failed("no answer".to_owned());
        assert_eq!(cache.keep(now, &asked, failure.clone(), SECOND), failure);
        cache.keep(now, &asked, answer(1), SECOND);
        let later = now + 3600 * SECOND;
        assert_eq!(cache.fresh(later, &asked), None);
        assert_eq!(cache.stand_in(later, &asked), Some(answer(1)));
        assert_eq!(cache.stand_in(later, &question("b")), None);
        assert_eq!(cache.keep(later, &asked, failure.clone(), SECOND), answer(1));
        assert!(cache.failed_lately(later) && !cache.failed_lately(later + 5 * SECOND));
        let much_later = now + 25 * 3600 * SECOND;
        assert_eq!(cache.keep(much_later, &asked, failure.clone(), SECOND), failure);
        cache.keep(now, &asked, answer(2), 3600 * SECOND);
        cache.expire(now);
        assert_eq!(cache.fresh(now, &asked), None);
        assert_eq!(cache.keep(now, &asked, failure, SECOND), answer(2));
    }

    #[test]
    fn memory_is_bounded() {
        let (mut cache, now) = (Cache::default(), start());
        for i in 0..MOST + 10 {
            cache.keep(now, &question(&i.to_string()), answer(1), SECOND);
        }
        assert_eq!(cache.entries.len(), MOST);
    }
}

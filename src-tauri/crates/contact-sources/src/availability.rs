//! When somebody is free, as a calendar tells it: times and nothing else. What an appointment is about is not asked for, and not
//! read where it is told all the same.

/// What somebody is at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Standing {
    /// Free.
    Free,
    /// Perhaps not.
    Tentative,
    /// In an appointment.
    Busy,
    /// Out of office.
    Away,
    /// At work, somewhere else.
    Elsewhere,
}

/// A time, in milliseconds since the Unix epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Period {
    /// Its beginning.
    pub from_ms: u64,
    /// Its end.
    pub to_ms: u64,
}

/// When somebody is what, one after the other, as far as was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Availability {
    /// Whose, as it was asked.
    pub address: String,
    /// None follows another of the same kind. Empty: the calendar does not tell.
    pub spans: Vec<(Standing, Period)>,
}

/// What somebody is now, and until when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Now {
    /// What he is.
    pub standing: Standing,
    /// Until when; none: as far as is known.
    pub until_ms: Option<u64>,
    /// When he is free, where he is not now; none: not in the time that is known.
    pub free_ms: Option<u64>,
}

impl Availability {
    /// What he is at a moment; none: that is not known.
    pub fn at(&self, now_ms: u64) -> Option<Now> {
        let here = self
            .spans
            .iter()
            .position(|(_, span)| span.from_ms <= now_ms && now_ms < span.to_ms)?;
        let (standing, span) = self.spans.get(here)?;
        let rest = self.spans.get(here + 1..).unwrap_or_default();
        let free = rest.iter().find(|(standing, _)| is_free(*standing));
        Some(Now {
            standing: *standing,
            until_ms: (!rest.is_empty()).then_some(span.to_ms),
            free_ms: match is_free(*standing) {
                true => None,
                false => free.map(|(_, span)| span.from_ms),
            },
        })
    }
}

/// Whoever works elsewhere, or has something that may not be, can be called.
fn is_free(standing: Standing) -> bool {
    matches!(standing, Standing::Free | Standing::Elsewhere | Standing::Tentative)
}

/// Spans of a row of equal steps, from a beginning on.
pub(crate) fn spans(
    steps: impl Iterator<Item = Standing>,
    from_ms: u64,
    step_ms: u64,
) -> Vec<(Standing, Period)> {
    let mut spans: Vec<(Standing, Period)> = Vec::new();
    let mut at = from_ms;
    for standing in steps {
        let next = at.saturating_add(step_ms);
        match spans.last_mut() {
            Some((last, span)) if *last == standing => span.to_ms = next,
            _ => spans.push((standing, Period { from_ms: at, to_ms: next })),
        }
        at = next;
    }
    spans
}

/// What counts where several hold at once: the first of these.
const RANK: [Standing; 5] =
    [Standing::Away, Standing::Busy, Standing::Tentative, Standing::Elsewhere, Standing::Free];

/// Spans that fill a period, from times that may lie over each other in any order; free where none is.
pub(crate) fn laid_out(parts: &[(Standing, Period)], whole: Period) -> Vec<(Standing, Period)> {
    let mut borders: Vec<(u64, usize, i32)> = Vec::with_capacity(2 * parts.len() + 1);
    for (standing, part) in parts {
        let from = part.from_ms.max(whole.from_ms);
        let to = part.to_ms.min(whole.to_ms);
        let rank = RANK.iter().position(|one| one == standing).unwrap_or(0);
        if from < to {
            borders.extend([(from, rank, 1), (to, rank, -1)]);
        }
    }
    borders.push((whole.to_ms, RANK.len() - 1, 0));
    borders.sort_unstable();
    let mut open = [0_i32; RANK.len()];
    let mut spans: Vec<(Standing, Period)> = Vec::new();
    let mut at = whole.from_ms;
    for (border, rank, step) in borders {
        if border > at {
            let holds = open.iter().position(|count| *count > 0);
            let standing = holds.and_then(|rank| RANK.get(rank)).copied().unwrap_or(Standing::Free);
            match spans.last_mut() {
                Some((last, span)) if *last == standing => span.to_ms = border,
                _ => spans.push((standing, Period { from_ms: at, to_ms: border })),
            }
            at = border;
        }
        if let Some(count) = open.get_mut(rank) {
            *count += step;
        }
    }
    spans
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_that_lie_over_each_other_fill_the_whole_once() {
        use Standing::{Away, Busy, Free, Tentative};
        let part = |standing, from_ms, to_ms| (standing, Period { from_ms, to_ms });
        let whole = Period { from_ms: 100, to_ms: 200 };
        assert_eq!(laid_out(&[], whole), [part(Free, 100, 200)]);
        let parts = [
            part(Busy, 120, 140),
            part(Tentative, 0, 150),
            part(Busy, 130, 145),
            part(Away, 180, 900),
            part(Free, 110, 130),
            part(Busy, 300, 400),
        ];
        let wanted = [
            part(Tentative, 100, 120),
            part(Busy, 120, 145),
            part(Tentative, 145, 150),
            part(Free, 150, 180),
            part(Away, 180, 200),
        ];
        assert_eq!(laid_out(&parts, whole), wanted);
    }

    #[test]
    fn it_is_told_when_somebody_is_free() {
        use Standing::{Away, Busy, Elsewhere, Free};
        let steps = [Busy, Busy, Away, Free, Free, Busy];
        let spans = spans(steps.into_iter(), 1000, 100);
        assert_eq!(spans.len(), 4);
        let availability = Availability { address: "a".into(), spans };
        let now = |standing, until_ms, free_ms| Some(Now { standing, until_ms, free_ms });
        assert_eq!(availability.at(1000), now(Busy, Some(1200), Some(1300)));
        assert_eq!(availability.at(1250), now(Away, Some(1300), Some(1300)));
        assert_eq!(availability.at(1300), now(Free, Some(1500), None));
        assert_eq!(availability.at(1599), now(Busy, None, None), "until when is not known");
        assert_eq!((availability.at(999), availability.at(1600)), (None, None));
        let empty = Availability { address: "a".into(), spans: Vec::new() };
        assert_eq!(empty.at(1000), None);
        assert!(is_free(Elsewhere));
    }
}

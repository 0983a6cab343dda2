//! Figures of a queue and how bad they are, by the user's thresholds or by the exchange's judgement.
//!
//! What can be counted from the callers themselves is not taken from the exchange's figures, which come at
//! intervals.

use super::model::{Measure, Measures, Severity};

/// Which figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MeasureKind {
    /// See [`Measures::waiting`].
    Waiting,
    /// See [`Measures::longest_wait`].
    LongestWait,
    /// See [`Measures::expected_wait`].
    ExpectedWait,
    /// See [`Measures::average_answer`].
    AverageAnswer,
    /// See [`Measures::average_handling`].
    AverageHandling,
    /// See [`Measures::service_level`].
    ServiceLevel,
    /// See [`Measures::answered`].
    Answered,
    /// See [`Measures::abandoned`].
    Abandoned,
    /// See [`Measures::agents_assigned`].
    AgentsAssigned,
    /// See [`Measures::agents_staffed`].
    AgentsStaffed,
    /// See [`Measures::agents_idle`].
    AgentsIdle,
    /// Staffed agents that are neither idle nor unavailable.
    AgentsBusy,
    /// See [`Measures::agents_unavailable`].
    AgentsUnavailable,
}

impl MeasureKind {
    /// Less is worse.
    pub fn is_falling(self) -> bool {
        matches!(
            self,
            MeasureKind::ServiceLevel | MeasureKind::AgentsIdle | MeasureKind::AgentsStaffed
        )
    }
}

/// From where on a figure is yellow or red; `None`: never.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Threshold {
    /// Yellow.
    pub yellow: Option<u32>,
    /// Red.
    pub red: Option<u32>,
}

impl Threshold {
    /// How bad a figure is.
    pub fn judge(&self, kind: MeasureKind, value: u32) -> Severity {
        let over = |limit: Option<u32>| {
            limit.is_some_and(|limit| match kind.is_falling() {
                true => value <= limit,
                false => value >= limit,
            })
        };
        match () {
            () if over(self.red) => Severity::Red,
            () if over(self.yellow) => Severity::Yellow,
            () => Severity::Normal,
        }
    }
}

/// The user's thresholds of a queue.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Thresholds(pub Vec<(MeasureKind, Threshold)>);

impl Thresholds {
    /// Of one figure.
    pub fn of(&self, kind: MeasureKind) -> Option<Threshold> {
        self.0.iter().find(|(of, _)| *of == kind).map(|(_, threshold)| *threshold)
    }

    /// The next wait, in seconds after this one, at which the judgement of the longest wait changes.
    pub(super) fn next_wait(&self, seconds: u64) -> Option<u64> {
        let Threshold { yellow, red } = self.of(MeasureKind::LongestWait)?;
        [yellow, red].into_iter().flatten().map(u64::from).filter(|at| *at > seconds).min()
    }
}

/// All figures that are known, with the severity that holds. `waits`: how long each known caller has
/// waited, seconds; `None`: the callers are not known.
pub(super) fn figures(
    told: &Measures,
    waits: Option<&[u64]>,
    thresholds: &Thresholds,
) -> Vec<(MeasureKind, Measure)> {
    let plain = |value: Option<u32>| value.map(|value| Measure { value, severity: None });
    let small = |value: u64| u32::try_from(value).unwrap_or(u32::MAX);
    let counted = |value: u64, told: Option<Measure>| {
        Some(Measure { value: small(value), severity: told.and_then(|told| told.severity) })
    };
    let (waiting, longest) = match waits {
        Some(waits) => (
            counted(waits.len() as u64, told.waiting),
            counted(waits.iter().copied().max().unwrap_or(0), told.longest_wait),
        ),
        None => (told.waiting, told.longest_wait),
    };
    let busy = told.agents_staffed.map(|staffed| {
        let others =
            told.agents_idle.unwrap_or(0).saturating_add(told.agents_unavailable.unwrap_or(0));
        staffed.saturating_sub(others)
    });
    let busy = busy.filter(|_| told.agents_idle.is_some() && told.agents_unavailable.is_some());
    let table = [
        (MeasureKind::Waiting, waiting),
        (MeasureKind::LongestWait, longest),
        (MeasureKind::ExpectedWait, told.expected_wait),
        (MeasureKind::AverageAnswer, told.average_answer),
        (MeasureKind::AverageHandling, told.average_handling),
        (MeasureKind::ServiceLevel, told.service_level),
        (MeasureKind::Answered, plain(told.answered)),
        (MeasureKind::Abandoned, plain(told.abandoned)),
        (MeasureKind::AgentsAssigned, plain(told.agents_assigned)),
        (MeasureKind::AgentsStaffed, plain(told.agents_staffed)),
        (MeasureKind::AgentsIdle, plain(told.agents_idle)),
        (MeasureKind::AgentsBusy, plain(busy)),
        (MeasureKind::AgentsUnavailable, plain(told.agents_unavailable)),
    ];
    let judged = |(kind, measure): (MeasureKind, Option<Measure>)| {
        let measure = measure?;
        let own = thresholds.of(kind).map(|threshold| threshold.judge(kind, measure.value));
        Some((kind, Measure { severity: own.or(measure.severity), ..measure }))
    };
    table.into_iter().filter_map(judged).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_users_thresholds_go_before_the_exchanges() {
        let red = Some(Measure { value: 9, severity: Some(Severity::Red) });
        let told = Measures { waiting: red, expected_wait: red, ..Measures::default() };
        let own = Threshold { yellow: Some(2), red: Some(4) };
        let own = Thresholds(vec![(MeasureKind::Waiting, own)]);
        let figures = figures(&told, Some(&[3, 70]), &own);
        let of = |kind| figures.iter().find(|(of, _)| *of == kind).map(|(_, measure)| *measure);
        let yellow = Measure { value: 2, severity: Some(Severity::Yellow) };
        assert_eq!(of(MeasureKind::Waiting), Some(yellow), "counted, not told");
        assert_eq!(of(MeasureKind::LongestWait).map(|m| m.value), Some(70));
        assert_eq!(of(MeasureKind::ExpectedWait), red);
        assert_eq!(of(MeasureKind::AgentsIdle), None);
    }

    #[test]
    fn of_some_figures_less_is_worse() {
        let threshold = Threshold { yellow: Some(80), red: Some(60) };
        let judge = |value| threshold.judge(MeasureKind::ServiceLevel, value);
        assert_eq!(
            [judge(90), judge(80), judge(60)],
            [Severity::Normal, Severity::Yellow, Severity::Red]
        );
    }
}

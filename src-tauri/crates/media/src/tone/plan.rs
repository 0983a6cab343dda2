//! Call progress tones by country: frequencies in hertz, then what sounds and what is silent in milliseconds, one after the
//! other, repeated. Compared with the zones of Asterisk 22 (`indications.conf`): ring-back, busy and congestion are the same
//! everywhere; call waiting differs between the operators of Austria, France and Great Britain.

use super::Tone;

/// The tones of one country's networks.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TonePlan(&'static Plan);

/// One tone.
#[derive(Debug, PartialEq)]
pub(super) struct Cadence {
    pub(super) hz: &'static [f32],
    /// Sounding and silent, in milliseconds.
    pub(super) steps: &'static [(u32, u32)],
}

#[derive(Debug, PartialEq)]
struct Plan {
    country: &'static str,
    ringback: Cadence,
    busy: Cadence,
    congestion: Cadence,
    waiting: Cadence,
}

const fn tone(hz: &'static [f32], steps: &'static [(u32, u32)]) -> Cadence {
    Cadence { hz, steps }
}

/// The first is the one of every country that is not in the list.
static PLANS: [Plan; 10] = [
    Plan {
        country: "NL",
        ringback: tone(&[425.0], &[(1_000, 4_000)]),
        busy: tone(&[425.0], &[(500, 500)]),
        congestion: tone(&[425.0], &[(250, 250)]),
        waiting: tone(&[425.0], &[(500, 9_500)]),
    },
    Plan {
        country: "AT",
        ringback: tone(&[420.0], &[(1_000, 5_000)]),
        busy: tone(&[420.0], &[(400, 400)]),
        congestion: tone(&[420.0], &[(200, 200)]),
        waiting: tone(&[420.0], &[(40, 1_950)]),
    },
    Plan {
        country: "BE",
        ringback: tone(&[425.0], &[(1_000, 3_000)]),
        busy: tone(&[425.0], &[(500, 500)]),
        congestion: tone(&[425.0], &[(167, 167)]),
        waiting: tone(&[1_400.0], &[(175, 175), (175, 3_500)]),
    },
    Plan {
        country: "CH",
        ringback: tone(&[425.0], &[(1_000, 4_000)]),
        busy: tone(&[425.0], &[(500, 500)]),
        congestion: tone(&[425.0], &[(200, 200)]),
        waiting: tone(&[425.0], &[(200, 200), (200, 4_000)]),
    },
    Plan {
        country: "DE",
        ringback: tone(&[425.0], &[(1_000, 4_000)]),
        busy: tone(&[425.0], &[(480, 480)]),
        congestion: tone(&[425.0], &[(240, 240)]),
        waiting: tone(&[425.0], &[(200, 200), (200, 5_000)]),
    },
    Plan {
        country: "ES",
        ringback: tone(&[425.0], &[(1_500, 3_000)]),
        busy: tone(&[425.0], &[(200, 200)]),
        congestion: tone(&[425.0], &[(200, 200), (200, 200), (200, 600)]),
        waiting: tone(&[425.0], &[(175, 175), (175, 3_500)]),
    },
    Plan {
        country: "FR",
        ringback: tone(&[440.0], &[(1_500, 3_500)]),
        busy: tone(&[440.0], &[(500, 500)]),
        congestion: tone(&[440.0], &[(250, 250)]),
        waiting: tone(&[440.0], &[(300, 10_000)]),
    },
    Plan {
        country: "GB",
        ringback: tone(&[400.0, 450.0], &[(400, 200), (400, 2_000)]),
        busy: tone(&[400.0], &[(375, 375)]),
        congestion: tone(&[400.0], &[(400, 350), (225, 525)]),
        waiting: tone(&[400.0], &[(100, 2_500)]),
    },
    Plan {
        country: "IT",
        ringback: tone(&[425.0], &[(1_000, 4_000)]),
        busy: tone(&[425.0], &[(500, 500)]),
        congestion: tone(&[425.0], &[(200, 200)]),
        waiting: tone(&[425.0], &[(400, 100), (250, 100), (150, 14_000)]),
    },
    Plan {
        country: "US",
        ringback: tone(&[440.0, 480.0], &[(2_000, 4_000)]),
        busy: tone(&[480.0, 620.0], &[(500, 500)]),
        congestion: tone(&[480.0, 620.0], &[(250, 250)]),
        waiting: tone(&[440.0], &[(300, 10_000)]),
    },
];

impl TonePlan {
    /// The tones of a country by its two letters (ISO 3166); the Dutch ones for a country that is not known.
    #[must_use]
    pub fn of(country: &str) -> Self {
        let [first, others @ ..] = &PLANS;
        let fits = |plan: &&Plan| plan.country.eq_ignore_ascii_case(country);
        Self(others.iter().find(fits).unwrap_or(first))
    }

    /// How a tone sounds there; none for silence.
    pub(super) fn cadence(self, tone: Tone) -> Option<&'static Cadence> {
        match tone {
            Tone::None => None,
            Tone::Ringback => Some(&self.0.ringback),
            Tone::Busy => Some(&self.0.busy),
            Tone::Congestion => Some(&self.0.congestion),
            Tone::CallWaiting => Some(&self.0.waiting),
        }
    }
}

impl Default for TonePlan {
    fn default() -> Self {
        Self::of("NL")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_country_is_found_by_its_letters_and_the_others_have_the_dutch_tones() {
        for plan in &PLANS {
            assert_eq!(TonePlan::of(plan.country).0, plan);
            assert_eq!(TonePlan::of(&plan.country.to_lowercase()).0, plan);
            let tones = [&plan.ringback, &plan.busy, &plan.congestion, &plan.waiting];
            for tone in tones {
                assert!(!tone.hz.is_empty() && tone.steps.iter().all(|(on, off)| on * off > 0));
                assert!(tone.hz.iter().all(|hz| (350.0..1_500.0).contains(hz)));
            }
        }
        assert_eq!(TonePlan::of("ZZ"), TonePlan::of("NL"));
    }
}

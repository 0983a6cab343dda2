//! Who hears whom in a room: the mix of 10 ms, for each of its members without their own voice. Values in, values out;
//! no sockets, no clock.
//!
//! Inputs: from the exchange the [`Plan`]; from the media task the sound of every voice, 10 ms at a time.

use std::collections::BTreeMap;

use crate::media_task::EndpointId;
use crate::speech::BLOCK;

/// 10 ms at 48 kHz.
pub(crate) type Block = [f32; BLOCK];

/// Beyond this level several voices are pressed together, so that they do not clip.
const KNEE: f32 = 0.8;

/// Number of a room within this run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct RoomId(pub(crate) u64);

/// Which side of an endpoint speaks and hears.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Face {
    /// The phone that it exchanges packets with.
    Line,
    /// The simulated party, or the tone, that the endpoint plays.
    Script,
}

/// One who speaks and hears.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Voice {
    pub(crate) endpoint: EndpointId,
    pub(crate) face: Face,
}

/// A person in a room; two phones of one person do not hear each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct PersonId(pub(crate) u32);

/// Who hears somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum HeardBy {
    /// All others.
    All,
    /// Nobody.
    Nobody,
    /// These only.
    Only(Vec<PersonId>),
}

/// One member of a room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Member {
    pub(crate) voice: Voice,
    pub(crate) person: PersonId,
    pub(crate) heard_by: HeardBy,
    /// Hears nobody.
    pub(crate) deaf: bool,
}

impl Member {
    fn is_heard_by(&self, other: &Self) -> bool {
        let allowed = match &self.heard_by {
            HeardBy::All => true,
            HeardBy::Nobody => false,
            HeardBy::Only(persons) => persons.contains(&other.person),
        };
        allowed && self.person != other.person && !other.deaf
    }
}

/// Who is in a room.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Plan {
    pub(crate) members: Vec<Member>,
    /// Simulated parties go on speaking while the phone at their own endpoint is on hold: others hear them.
    pub(crate) is_conference: bool,
}

impl Plan {
    /// The endpoints of the room, each once.
    pub(crate) fn endpoints(&self) -> Vec<EndpointId> {
        let mut all: Vec<EndpointId> = self.members.iter().map(|m| m.voice.endpoint).collect();
        all.sort_unstable();
        all.dedup();
        all
    }

    /// What a voice hears of the others; silence if it is not in the room.
    pub(crate) fn mix(&self, voice: Voice, sounds: &BTreeMap<Voice, Block>) -> Block {
        let mut mix = [0.0; BLOCK];
        let Some(ear) = self.members.iter().find(|member| member.voice == voice) else {
            return mix;
        };
        let heard = self.members.iter().filter(|member| member.is_heard_by(ear));
        for sound in heard.filter_map(|member| sounds.get(&member.voice)) {
            add(&mut mix, sound);
        }
        press(&mut mix);
        mix
    }

    /// What is recorded: everybody whom all others hear.
    pub(crate) fn whole(&self, sounds: &BTreeMap<Voice, Block>) -> Block {
        let mut mix = [0.0; BLOCK];
        let open = self.members.iter().filter(|member| member.heard_by == HeardBy::All);
        for sound in open.filter_map(|member| sounds.get(&member.voice)) {
            add(&mut mix, sound);
        }
        press(&mut mix);
        mix
    }
}

fn add(mix: &mut Block, sound: &Block) {
    mix.iter_mut().zip(sound).for_each(|(sum, sample)| *sum += sample);
}

/// Presses what is louder than [`KNEE`] into what is left up to full scale.
fn press(mix: &mut Block) {
    for sample in mix.iter_mut().filter(|sample| sample.abs() > KNEE) {
        let over = (sample.abs() - KNEE) / (1.0 - KNEE);
        *sample = sample.signum() * (KNEE + (1.0 - KNEE) * over.tanh());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn voice(endpoint: u64, face: Face) -> Voice {
        Voice { endpoint: EndpointId(endpoint), face }
    }

    fn member(endpoint: u64, person: u32, heard_by: HeardBy) -> Member {
        let voice = voice(endpoint, Face::Line);
        Member { voice, person: PersonId(person), heard_by, deaf: false }
    }

    /// A tone with a whole number of periods in 10 ms, so that tones of different numbers are orthogonal.
    fn tone(periods: u32, level: f32) -> Block {
        std::array::from_fn(|at| {
            let phase = at as f32 / BLOCK as f32 * periods as f32;
            level * (std::f32::consts::TAU * phase).sin()
        })
    }

    /// How much of each member's tone is in a block, 1.0 as it was spoken.
    fn parts(block: &Block, level: f32) -> Vec<f32> {
        let part = |periods| {
            let tone = tone(periods, 1.0);
            let both: f32 = block.iter().zip(&tone).map(|(a, b)| a * b).sum();
            (both / (BLOCK as f32 / 2.0) / level * 100.0).round() / 100.0
        };
        (1..=4).map(part).collect()
    }

    /// Endpoint n speaks the tone n.
    fn sounds(members: &[Member], level: f32) -> BTreeMap<Voice, Block> {
        let sound = |member: &Member| {
            let number = u32::try_from(member.voice.endpoint.0).unwrap();
            (member.voice, tone(number, level))
        };
        members.iter().map(sound).collect()
    }

    fn hears(plan: &Plan, endpoint: u64) -> Vec<f32> {
        let sounds = sounds(&plan.members, 0.1);
        parts(&plan.mix(voice(endpoint, Face::Line), &sounds), 0.1)
    }

    #[test]
    fn each_hears_all_others_and_never_himself() {
        let members = (1..=4).map(|n| member(n.into(), n, HeardBy::All)).collect();
        let plan = Plan { members, is_conference: true };
        assert_eq!(hears(&plan, 1), [0.0, 1.0, 1.0, 1.0]);
        assert_eq!(hears(&plan, 4), [1.0, 1.0, 1.0, 0.0]);
        assert_eq!(hears(&plan, 9), [0.0; 4]);
    }

    #[test]
    fn two_phones_of_one_person_do_not_hear_each_other() {
        let members = vec![
            member(1, 1, HeardBy::All),
            member(2, 1, HeardBy::All),
            member(3, 2, HeardBy::All),
        ];
        let plan = Plan { members, is_conference: true };
        assert_eq!(hears(&plan, 1), [0.0, 0.0, 1.0, 0.0]);
        assert_eq!(hears(&plan, 3), [1.0, 1.0, 0.0, 0.0]);
    }

    #[test]
    fn who_listens_in_hears_both_and_is_heard_by_nobody_or_by_the_agent() {
        let room = |heard_by| Plan {
            members: vec![
                member(1, 1, HeardBy::All),
                member(2, 2, HeardBy::All),
                member(3, 3, heard_by),
            ],
            is_conference: false,
        };
        let listens = room(HeardBy::Nobody);
        assert_eq!(hears(&listens, 3), [1.0, 1.0, 0.0, 0.0]);
        assert_eq!(hears(&listens, 1), [0.0, 1.0, 0.0, 0.0]);
        assert_eq!(hears(&listens, 2), [1.0, 0.0, 0.0, 0.0]);
        let coaches = room(HeardBy::Only(vec![PersonId(1)]));
        assert_eq!(hears(&coaches, 1), [0.0, 1.0, 1.0, 0.0]);
        assert_eq!(hears(&coaches, 2), [1.0, 0.0, 0.0, 0.0]);
        // The recording has the two who talk, not who listens.
        let whole = coaches.whole(&sounds(&coaches.members, 0.1));
        assert_eq!(parts(&whole, 0.1), [1.0, 1.0, 0.0, 0.0]);
    }

    #[test]
    fn the_muted_are_not_heard_and_the_deaf_hear_nothing() {
        let mut members: Vec<Member> = (1..=3).map(|n| member(n.into(), n, HeardBy::All)).collect();
        members[0].heard_by = HeardBy::Nobody;
        members[1].deaf = true;
        let plan = Plan { members, is_conference: true };
        assert_eq!(hears(&plan, 1), [0.0, 1.0, 1.0, 0.0]);
        assert_eq!(hears(&plan, 2), [0.0; 4]);
        assert_eq!(hears(&plan, 3), [0.0, 1.0, 0.0, 0.0]);
    }

    #[test]
    fn many_loud_voices_do_not_clip() {
        let members: Vec<Member> = (1..=4).map(|n| member(n.into(), n, HeardBy::All)).collect();
        let plan = Plan { members, is_conference: true };
        let mix = plan.mix(voice(1, Face::Line), &sounds(&plan.members, 0.9));
        let peak = mix.iter().fold(0.0_f32, |peak, sample| peak.max(sample.abs()));
        assert!((KNEE..=1.0).contains(&peak), "{peak}");
    }
}

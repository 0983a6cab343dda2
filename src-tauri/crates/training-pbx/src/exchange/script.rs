//! What simulated parties say and do, once they are connected.

use crate::acd::Sound;
use crate::call::Who;
use crate::company::{Company, Person, Voice};
use crate::dial_plan::Service;
use crate::endpoint::Step;
use crate::life::Talk;
use crate::speech::Clip;

/// Turns of two simulated parties that can be heard.
const TURNS: usize = 60;

/// What somebody outside says.
pub(super) fn hello(voice: Voice) -> Vec<Step> {
    let words = Clip::stored(hello_clip(voice)).map(Step::Say);
    [Some(Step::Pause(300)), words, Some(Step::Listen)].into_iter().flatten().collect()
}

fn hello_clip(voice: Voice) -> &'static str {
    match voice {
        Voice::Woman => "person-woman",
        Voice::Man => "person-man",
    }
}

/// What a person says.
pub(super) fn greeting(person: &Person) -> Vec<Step> {
    let own = Clip::stored(&format!("person-{}", person.extension));
    let words = own.or_else(|| Clip::stored(hello_clip(person.voice))).map(Step::Say);
    [Some(Step::Pause(300)), words, Some(Step::Listen)].into_iter().flatten().collect()
}

/// What a service does.
pub(super) fn service_steps(service: Service) -> Vec<Step> {
    let say = |name: &str| Clip::stored(name).map(Step::Say);
    let steps = match service {
        Service::Echo => {
            [Some(Step::Pause(200)), say("echo-introduction"), Some(Step::Beep), Some(Step::Echo)]
        }
        Service::Music => [Some(Step::Music), None, None, None],
        Service::Speech => [Clip::stored("test-speech").map(Step::Repeat), None, None, None],
        Service::Voicemail => [
            Some(Step::Pause(300)),
            say("voicemail-greeting"),
            Some(Step::Beep),
            Some(Step::Record),
        ],
    };
    steps.into_iter().flatten().collect()
}

/// What somebody who waits in a queue hears.
pub(super) fn sound_steps(sound: &Sound) -> Vec<Step> {
    let say = |name: &str| Clip::stored(name).map(Step::Say);
    let words = match sound {
        Sound::Music => None,
        Sound::Message(name) => say(name),
        Sound::Wait { minutes, .. } => say(&format!("wait-{}", (*minutes).clamp(1, 10))),
    };
    words.into_iter().chain([Step::Music]).collect()
}

/// What is heard of two simulated parties who talk: one after the other, over and over.
pub(super) fn watched_talk(company: &Company, talk: &Talk) -> Vec<Step> {
    let voice = |who: &Who| {
        let person = who.extension.as_deref().and_then(|line| company.person(line));
        match person {
            Some(person) => Clip::stored(&format!("person-{}", person.extension))
                .or_else(|| Clip::stored(hello_clip(person.voice))),
            None => Clip::stored(&format!("customer-{}", talk.number % 6 + 1)),
        }
    };
    let one = |who: &Who| [voice(who).map(Step::Say), Some(Step::Pause(900))];
    let turn = [one(&talk.called), one(&talk.caller)];
    let turn: Vec<Step> = turn.into_iter().flatten().flatten().collect();
    // Longer than any talk; the clips are shared.
    turn.iter().cycle().take(TURNS * turn.len()).cloned().collect()
}

/// What a customer says.
pub(super) fn story_steps(voice: Voice, story: usize, talk_s: u64) -> Vec<Step> {
    let goodbye = match voice {
        Voice::Woman => "goodbye-woman",
        Voice::Man => "goodbye-man",
    };
    let talk = u32::try_from(talk_s.min(7_000) * 1_000).unwrap_or(u32::MAX);
    let story = Clip::stored(&format!("customer-{}", story % 6 + 1)).map(Step::Say);
    let goodbye = Clip::stored(goodbye).map(Step::Say);
    let end = Some(Step::Pause(300));
    [Some(Step::Pause(1_200)), story, Some(Step::Pause(talk)), goodbye, end]
        .into_iter()
        .flatten()
        .collect()
}

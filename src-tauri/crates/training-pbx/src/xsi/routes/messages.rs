//! `user/{id}/VoiceMessagingMessages…`: what people said to a voicemail, to be listened to, marked and deleted.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::Cx;
use crate::exchange::Exchange;
use crate::letters::{RATE, wav};
use crate::mailboxes::{Message, Sound};
use crate::speech::Clip;
use crate::xsi::Xsi;
use crate::xsi::element::Element;
use crate::xsi::names::{Names, tel};
use crate::xsi::web::{Answer, Outcome, Refusal};

impl Xsi {
    pub(super) fn message_request(
        &self,
        exchange: &mut Exchange,
        cx: &Cx<'_>,
        user: &str,
    ) -> Outcome {
        let words = cx.rest(3);
        let (method, words) = (cx.method(), words.as_slice());
        if let ("GET", []) = (method, words) {
            let all = exchange.messages(user).iter().map(|message| self.info(user, message));
            let list = Element::new("messageInfoList").all(all);
            return Ok(Answer::local(Element::new("VoiceMessagingMessages").with(list)));
        }
        let unknown = || Refusal::not_found(format!("There is no message {}", cx.part(3)));
        let id: u64 = cx.part(3).parse().map_err(|_| unknown())?;
        match (method, words) {
            ("GET", [_]) => {
                let messages = exchange.messages(user);
                let message = messages.iter().find(|message| message.id == id);
                let message = message.ok_or_else(unknown)?;
                let content = Element::new("messageMediaContent")
                    .field("description", "voicemail.wav")
                    .field("mediaType", "WAV")
                    .field("content", STANDARD.encode(wav(&samples(&message.sound))));
                let document = Element::new("VoiceMessage");
                Ok(Answer::local(document.with(self.info(user, message)).with(content)))
            }
            ("PUT", [_, verb @ ("markasread" | "markasunread")]) => {
                match exchange.mark_message(cx.now, user, id, *verb == "markasread") {
                    true => Ok(Answer::done()),
                    false => Err(unknown()),
                }
            }
            ("DELETE", [_]) => match exchange.delete_message(cx.now, user, id) {
                true => Ok(Answer::done()),
                false => Err(unknown()),
            },
            _ => Err(Refusal::not_allowed()),
        }
    }

    fn info(&self, user: &str, message: &Message) -> Element {
        let own = self.names.user_id(user);
        let uri = format!("/v2.0/user/{own}/VoiceMessagingMessages/{}", message.id);
        let rate = usize::try_from(RATE).unwrap_or(1);
        let party = message.caller.as_ref().map(|who| {
            let party = Element::new("callingPartyInfo");
            if who.withheld {
                return party.flag("privacy", true);
            }
            party
                .maybe("name", who.display.as_deref())
                .maybe("userId", who.extension.as_deref().map(|line| self.names.user_id(line)))
                .field("address", tel(&Names::number(who)))
        });
        Element::new("messageInfo")
            .field("duration", samples(&message.sound).len() * 1_000 / rate)
            .all(party)
            .flag("read", message.heard)
            .field("time", self.clock.ms(message.at))
            .field("messageId", uri)
    }
}

/// The sound of a message, 16 kHz.
fn samples(sound: &Sound) -> Vec<i16> {
    match sound {
        Sound::Recorded(samples) => samples.to_vec(),
        Sound::Gone => Vec::new(),
        Sound::Story(number) => {
            let clip = Clip::stored(&format!("customer-{}", number % 6 + 1));
            clip.map(|clip| clip.samples_16k()).unwrap_or_default()
        }
    }
}

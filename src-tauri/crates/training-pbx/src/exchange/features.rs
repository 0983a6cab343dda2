//! Features that telephone and exchange keep the same (as-feature-event): do not disturb, forwarding, the agent's state.
//!
//! Inputs: from phones the documents in a SUBSCRIBE (`subscribe_features`). What is set in any other way is told as
//! well, since the notifier compares what is with what was told.

use std::time::Instant;

use event_packages::{
    AgentState as Word, DocumentError, FeatureDocument, ForwardKind, read_features,
};
use sip_types::{HeaderName, Request, StatusCode};

use super::Exchange;
use crate::acd::{self, AgentId, AgentState, check_number};
use crate::desk::{ForwardWhen, Forwarding};
use crate::notifier::FEATURES;

impl Exchange {
    /// A SUBSCRIBE that may carry wishes: they are granted before its state is told.
    pub(super) fn subscribe_features(
        &mut self,
        now: Instant,
        user: &str,
        request: &Request,
    ) -> Result<(), StatusCode> {
        let package = request.headers.event().ok().flatten().map(|event| event.package);
        if package.as_deref() != Some(FEATURES) {
            return Ok(());
        }
        self.notifier.admits(user, request)?;
        if !request.body.is_empty() {
            let kind = request.headers.get(&HeaderName::ContentType).unwrap_or_default();
            let documents = read_features(&kind, &request.body).map_err(|error| match error {
                DocumentError::OtherKind => StatusCode::UNSUPPORTED_MEDIA_TYPE,
                _ => StatusCode::BAD_REQUEST,
            })?;
            for document in documents {
                self.grant(now, user, document);
            }
            // What follows from it for the agent belongs to the same answer.
            self.tell_lines(now);
            self.changed = true;
        }
        let features = self.features(user);
        self.notifier.know(user, features);
        Ok(())
    }

    /// A wish that cannot be granted changes nothing; the phone is told what is.
    fn grant(&mut self, now: Instant, user: &str, wish: FeatureDocument) {
        match wish {
            FeatureDocument::SetDoNotDisturb(on) => self.desk.set_do_not_disturb(user, on),
            FeatureDocument::SetForwarding { kind, active, to, rings } => {
                let to = to.filter(|to| !to.is_empty()).map(|to| dialled(&to));
                if to.as_ref().is_some_and(|to| check_number(to).is_err()) {
                    return tracing::info!(%user, "a number that cannot be forwarded to");
                }
                let rings = rings.map(|rings| rings.clamp(1, 20));
                self.desk.set_forwarding(user, when(kind), Forwarding { active, to, rings });
            }
            FeatureDocument::SetAgentState { state, reason } => {
                let agent = AgentId::from(user);
                let (state, code) = (agent_state(state), reason);
                let request = acd::Request::SetState { agent, state, code, validate: false };
                if let Err(refusal) = self.acd.handle_request(now, request) {
                    tracing::info!(%user, %refusal, "agent state");
                }
            }
            // Only an exchange tells events.
            FeatureDocument::DoNotDisturb(_)
            | FeatureDocument::Forwarding { .. }
            | FeatureDocument::Agent { .. } => {}
        }
    }

    /// All features of a line as they are.
    pub(super) fn features(&self, line: &str) -> Vec<FeatureDocument> {
        let mut documents = vec![FeatureDocument::DoNotDisturb(self.desk.do_not_disturb(line))];
        for when in ForwardWhen::ALL {
            let Forwarding { active, to, rings } = self.desk.forwarding(line, when);
            let kind = match when {
                ForwardWhen::Always => ForwardKind::Always,
                ForwardWhen::Busy => ForwardKind::Busy,
                ForwardWhen::NoAnswer => ForwardKind::NoAnswer,
            };
            documents.push(FeatureDocument::Forwarding { kind, active, to, rings });
        }
        let agent = self.acd.agent(&AgentId::from(line));
        documents.extend(agent.map(|agent| FeatureDocument::Agent {
            state: word(agent.status.state),
            reason: agent.status.code,
            agent: Some(line.to_owned()),
        }));
        documents
    }
}

fn when(kind: ForwardKind) -> ForwardWhen {
    match kind {
        ForwardKind::Always => ForwardWhen::Always,
        ForwardKind::Busy => ForwardWhen::Busy,
        ForwardKind::NoAnswer => ForwardWhen::NoAnswer,
    }
}

/// Telephones write numbers as they like.
fn dialled(number: &str) -> String {
    let bare = number.strip_prefix("tel:").unwrap_or(number);
    bare.chars().filter(|c| !" -.()/".contains(*c)).collect()
}

fn agent_state(word: Word) -> AgentState {
    match word {
        Word::LoggedOn => AgentState::SignIn,
        Word::LoggedOff => AgentState::SignOut,
        Word::Ready => AgentState::Available,
        Word::NotReady => AgentState::Unavailable,
        Word::WrapUp => AgentState::WrapUp,
    }
}

fn word(state: AgentState) -> Word {
    match state {
        AgentState::SignIn => Word::LoggedOn,
        AgentState::SignOut => Word::LoggedOff,
        AgentState::Available => Word::Ready,
        AgentState::Unavailable => Word::NotReady,
        AgentState::WrapUp => Word::WrapUp,
    }
}

//! The transfer of one call: from the wish until the caller is in other hands, or ours again.
//!
//! Inputs from the user: a consultation, a transfer, taking the caller back. Inputs from the call: the
//! caller is on hold, the caller's line still stands, it is over. Inputs from the line: [`News`].
//! Input from the clock: [`Transfer::overdue`].
//!
//! Cold, the peer is asked to call the new party by itself; or, supervised, we ring the new party first and
//! ask only when it has answered: exchanges exist that lose a caller whose new party does not.
//!
//! While a transfer is under way the caller is on hold with us and the user may take him back at any
//! time. He is only let go when the peer says that he is connected, or when his line ended after
//! the peer had agreed. Everything else gives him back.

use std::time::{Duration, Instant};

use tracing::debug;

use crate::call::{CallId, Party};

/// Longest wait for an answer to the request. The line gives up before.
const ANSWER: Duration = Duration::from_secs(40);
/// Longest wait for news from a peer that has agreed.
const NEWS: Duration = Duration::from_secs(180);
/// How long a transfer that nobody reports about may go on before we look after the caller.
const GRACE: Duration = Duration::from_secs(20);
/// How long the new party of a supervised transfer may ring.
const RINGS: Duration = Duration::from_secs(60);
/// Request Timeout: what a new party that lets it ring is counted as, and what a peer that does not answer has said.
const NO_ANSWER: u16 = 408;
/// How long after a failure we look whether the exchange has really given the caller back.
const LOOK: Duration = Duration::from_secs(2);

/// Where a caller is to go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// Number or address.
    pub to: String,
    /// The answered consultation that the caller is to take over; none: he is called anew there.
    pub with: Option<CallId>,
}

/// Why a caller is ours again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// The peer would not transfer (SIP status, when there was one).
    Refused(Option<u16>),
    /// The new party was not reached (SIP status, when one was told).
    NotReached(Option<u16>),
    /// Nobody told what became of it, and the caller's line still stands.
    Unknown,
    /// The user took the caller back.
    TakenBack,
    /// The consultation is over without a transfer (SIP status, when there was one).
    ConsultOver(Option<u16>),
    /// The caller hung up before anything was agreed.
    CallerGone,
    /// The caller's line was lost.
    LineLost,
    /// The user hung up on the caller.
    HungUp,
}

/// How far the latest transfer of a call is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// Under way.
    Trying,
    /// It rings at the new party.
    Ringing,
    /// The caller is in other hands.
    Done {
        /// False: inferred, since the caller's line ended after the peer had agreed.
        confirmed: bool,
    },
    /// The caller is ours, or gone by himself.
    Failed(Failure),
}

/// What the line tells of a transfer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum News {
    /// The peer agreed.
    Accepted,
    /// It rings there.
    Ringing,
    /// The caller is connected there.
    Done,
    /// It came to nothing.
    Failed(Failure),
    /// There will be no (more) reports.
    Unknown,
}

/// Where a transfer stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Stage {
    /// None.
    #[default]
    Idle,
    /// The user asks somebody first.
    Consulting,
    /// We ring the new party; the caller is put on hold meanwhile.
    Calling,
    /// The caller is put on hold.
    Holding,
    /// The peer has been asked.
    Asked,
    /// The peer agreed.
    Accepted,
    /// It rings at the new party.
    Ringing,
    /// Nobody reports any more.
    Watching,
    /// We look whether the caller's line still stands.
    Probing,
    /// It failed; the caller waits on hold for the user.
    Returned,
    /// The user took the caller back, the peer may know of it too late.
    TakenBack,
}

/// The transfer of one call. A call has one all its life; mostly it is idle.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Transfer {
    stage: Stage,
    plan: Option<Plan>,
    consult: Option<CallId>,
    progress: Option<Progress>,
    failure: Option<Failure>,
    number: u32,
    referred: bool,
    agreed: bool,
    /// The peer has not answered the request, and nothing has been heard of his line since: he may be doing what he was asked.
    silent: bool,
    rang: bool,
    due: Option<Instant>,
}

impl Transfer {
    /// Where the caller is to go, or was to go last.
    pub fn plan(&self) -> Option<&Plan> {
        self.plan.as_ref()
    }

    /// How far the latest transfer is; none before the first.
    pub fn progress(&self) -> Option<Progress> {
        self.progress
    }

    /// Counts the transfers of this call, so that two with the same outcome can be told apart.
    pub fn number(&self) -> u32 {
        self.number
    }

    /// The consultation, while it exists.
    pub fn consult(&self) -> Option<CallId> {
        self.consult
    }

    /// Why the caller waits here again, until the user turns to him.
    pub fn returned(&self) -> Option<Failure> {
        self.failure
    }

    /// It rang at the new party, in the latest transfer.
    pub fn rang(&self) -> bool {
        self.rang
    }

    /// True from the user's word until the caller is gone or ours again.
    pub fn is_under_way(&self) -> bool {
        use Stage::{Accepted, Asked, Calling, Holding, Probing, Ringing, Watching};
        matches!(self.stage, Calling | Holding | Asked | Accepted | Ringing | Watching | Probing)
    }

    /// True when a consultation or a transfer may begin.
    pub(crate) fn may_begin(&self) -> bool {
        matches!(self.stage, Stage::Idle | Stage::Returned | Stage::TakenBack)
    }

    pub(crate) fn may_complete(&self) -> bool {
        self.stage == Stage::Consulting
    }

    pub(crate) fn may_take_back(&self) -> bool {
        self.is_under_way() || matches!(self.stage, Stage::Consulting | Stage::Returned)
    }

    /// The new party that we ring for the caller, while it has not answered.
    pub(crate) fn rung(&self) -> Option<CallId> {
        self.consult.filter(|_| self.stage == Stage::Calling)
    }

    /// True while only the hold is waited for.
    pub(crate) fn waits_for_hold(&self) -> bool {
        self.stage == Stage::Holding
    }

    pub(crate) fn due(&self) -> Option<Instant> {
        self.due
    }

    // --- the user ---

    pub(crate) fn begin_consult(&mut self, with: CallId) {
        self.enter(Stage::Consulting, "consult", None);
        self.consult = Some(with);
        self.failure = None;
    }

    /// The caller goes there without the consultation.
    pub(crate) fn leave_consult(&mut self) {
        self.consult = None;
        self.enter(Stage::Idle, "leave consultation", None);
    }

    /// We ring `with` for the caller.
    pub(crate) fn begin_supervised(&mut self, now: Instant, to: String, with: CallId) {
        self.begin(Plan { to, with: Some(with) });
        self.consult = Some(with);
        self.enter(Stage::Calling, "ring the new party", Some(now + RINGS));
    }

    pub(crate) fn begin(&mut self, plan: Plan) {
        self.enter(Stage::Holding, "transfer", None);
        self.plan = Some(plan);
        self.failure = None;
        self.agreed = false;
        self.silent = false;
        self.rang = false;
        self.number += 1;
        self.progress = Some(Progress::Trying);
    }

    /// The user wants the caller back.
    pub(crate) fn take_back(&mut self, now: Instant) {
        self.failure = None;
        match self.stage {
            Stage::Calling | Stage::Holding => {
                self.fail(Stage::Idle, "take back", Failure::TakenBack, None);
            }
            _ if self.is_under_way() => {
                let until = Some(now + NEWS);
                self.fail(Stage::TakenBack, "take back", Failure::TakenBack, until);
            }
            _ => self.enter(Stage::Idle, "take back", None),
        }
    }

    /// The user turned to the caller: there is nothing to tell any more.
    pub(crate) fn seen(&mut self) {
        self.failure = None;
        if self.stage == Stage::Returned {
            self.enter(Stage::Idle, "resume", None);
        }
    }

    // --- the call ---

    /// The caller is on hold and the peer is asked.
    pub(crate) fn ask(&mut self, now: Instant) {
        self.referred = true;
        self.enter(Stage::Asked, "held", Some(now + ANSWER));
    }

    /// The caller's line has answered.
    pub(crate) fn stands(&mut self) {
        self.silent = false;
        match self.stage {
            Stage::Probing => self.give_back("the line stands", Failure::Unknown),
            // He is with us; when he hangs up later it is for good.
            Stage::TakenBack => self.agreed = false,
            _ => {}
        }
    }

    /// It rings at the new party that we call.
    pub(crate) fn rings(&mut self) {
        if self.stage == Stage::Calling {
            self.rang = true;
            self.progress = Some(Progress::Ringing);
        }
    }

    /// The new party that we call has answered: the peer can be asked, once it is on hold.
    pub(crate) fn answered(&mut self) {
        if self.stage == Stage::Calling {
            self.enter(Stage::Holding, "answered", None);
        }
    }

    /// The consultation, or the new party that we call, is over.
    pub(crate) fn consult_over(&mut self, status: Option<u16>) {
        self.consult = None;
        if self.stage == Stage::Calling {
            self.give_back("not reached", Failure::NotReached(status));
        }
        if self.stage == Stage::Consulting {
            let failure = self.failure.unwrap_or(Failure::ConsultOver(status));
            self.failure = Some(failure);
            self.enter(Stage::Returned, "consultation over", None);
        }
    }

    /// The caller's line is over: what that means for the transfer.
    pub(crate) fn line_over(&mut self, by: Party) {
        self.failure = None;
        self.consult = None;
        let agreed = self.agreed;
        let progress = match by {
            // The answer was lost, not the request: he was let go because he is where he was to go.
            Party::Remote if std::mem::take(&mut self.silent) => {
                Some(Progress::Done { confirmed: false })
            }
            Party::Remote if agreed && (self.is_under_way() || self.stage == Stage::TakenBack) => {
                Some(Progress::Done { confirmed: false })
            }
            _ if !self.is_under_way() => None,
            // Whoever hangs up after the peer has agreed lets him go where he was sent.
            Party::Local if agreed => Some(Progress::Done { confirmed: false }),
            Party::Remote => Some(Progress::Failed(Failure::CallerGone)),
            Party::Network => Some(Progress::Failed(Failure::LineLost)),
            Party::Local => Some(Progress::Failed(Failure::HungUp)),
        };
        self.enter(Stage::Idle, "line over", None);
        self.progress = progress.or(self.progress);
    }

    /// Somebody else is at the other end now, so nobody can be given back or taken over.
    pub(crate) fn peer_changed(&mut self) {
        self.referred = false;
        // Nobody has been asked for anything yet: whoever is there now is sent on.
        if self.is_under_way() && self.stage != Stage::Calling {
            self.give_back("peer changed", Failure::Unknown);
        }
    }

    // --- the line ---

    /// Hears news. True: the caller is in other hands, his line to us can end.
    pub(crate) fn hear(&mut self, now: Instant, news: News) -> bool {
        match (self.stage, news) {
            // Even after the user took the caller back, or from an earlier transfer: it is a fact.
            (_, News::Done) if self.referred => {
                self.enter(Stage::Idle, "done", None);
                self.failure = None;
                self.progress = Some(Progress::Done { confirmed: true });
                return true;
            }
            (Stage::Asked, News::Accepted) => {
                self.agreed = true;
                self.enter(Stage::Accepted, "accepted", Some(now + NEWS));
            }
            (Stage::Asked | Stage::Accepted | Stage::Ringing | Stage::Watching, News::Ringing) => {
                self.agreed = true;
                self.rang = true;
                self.enter(Stage::Ringing, "ringing", Some(now + NEWS));
                self.progress = Some(Progress::Ringing);
            }
            (Stage::Asked | Stage::Accepted | Stage::Ringing, News::Unknown) => {
                self.agreed = true;
                self.enter(Stage::Watching, "unknown", Some(now + GRACE));
            }
            (Stage::TakenBack, News::Accepted) => self.agreed = true,
            (Stage::TakenBack, News::Failed(_)) => self.enter(Stage::Idle, "failed", None),
            // Of an earlier request, that the user has taken back.
            (Stage::Calling | Stage::Holding, News::Failed(_)) => {
                debug!("{:?}, old news -> {:?}", self.stage, self.stage);
            }
            (_, News::Failed(failure)) if self.is_under_way() => {
                self.give_back("failed", failure);
                // A peer that gave no answer at all may be gone, and the caller with it.
                self.silent = failure == Failure::Refused(Some(NO_ANSWER));
                self.due = (self.agreed || self.silent).then_some(now + LOOK);
            }
            (stage, news) => debug!("{stage:?}, {news:?} -> {stage:?}"),
        }
        false
    }

    // --- the clock ---

    /// Time is up. True: look whether the caller's line still stands.
    pub(crate) fn overdue(&mut self, now: Instant) -> bool {
        if self.due.is_none_or(|due| due > now) {
            return false;
        }
        match self.stage {
            Stage::Probing => self.give_back("no answer", Failure::Unknown),
            Stage::Calling => {
                self.consult = None;
                self.give_back("rang too long", Failure::NotReached(Some(NO_ANSWER)));
            }
            Stage::TakenBack => self.enter(Stage::Idle, "long ago", None),
            Stage::Returned | Stage::Consulting => {
                self.due = None;
                return true;
            }
            _ if self.is_under_way() => {
                self.enter(Stage::Probing, "overdue", Some(now + ANSWER));
                return true;
            }
            _ => self.due = None,
        }
        false
    }

    fn give_back(&mut self, event: &str, failure: Failure) {
        self.failure = Some(failure);
        // An answered consultation may still be there: it can be tried again, or left.
        let stage = if self.consult.is_some() { Stage::Consulting } else { Stage::Returned };
        self.fail(stage, event, failure, None);
    }

    fn fail(&mut self, stage: Stage, event: &str, failure: Failure, due: Option<Instant>) {
        self.enter(stage, event, due);
        self.progress = Some(Progress::Failed(failure));
    }

    fn enter(&mut self, stage: Stage, event: &str, due: Option<Instant>) {
        debug!("transfer {:?}, {event} -> {stage:?}", self.stage);
        self.stage = stage;
        self.due = due;
    }
}

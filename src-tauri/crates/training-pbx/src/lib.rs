//! The embedded PBX: registrar, exchange and simulated people of a demo company.
//!
//! [`Pbx::start`] opens the SIP ports (UDP and TCP), the media sockets and the control port, and returns a
//! [`PbxHandle`]. Everything stays on loopback unless [`PbxConfig::listen`] says otherwise.
//!
//! # Numbers
//! See [`Numbers`]: echo, music, speech and so on; the extensions of the simulated people
//! ([`Company::people`]); the extensions of the real accounts ([`Ready::accounts`]).
//!
//! Feature codes, as hosted exchanges have them by default; they can be dialled and be the target of a transfer where that
//! makes sense:
//!
//! | code | what it does |
//! |---|---|
//! | `*68` [line] | parks against the line (own): the transferee, or who the dialling user has on hold; rings back after 45 s |
//! | `*88` [line] | takes back the call that is parked against the line |
//! | `*97` line | takes the call that rings at the line |
//! | `*55` line | the line's voicemail |
//! | `*86`, voicemail number | own voicemail: everything in it has been heard then; transferred there, a caller leaves a message |
//! | `*50` line | rings the line with `Call-Info: …;answer-after=0` |
//! | `*78`, `*79` | do not disturb on, off |
//! | `*72` number, `*73` | forwards all calls, or no longer |
//!
//! # The company's night, groups and attendant
//! Hunt groups ring in the order of one of five policies ([`acd::Policy`]); at night ([`NightMode`]) calls to them go
//! elsewhere. The attendant ([`Attendant`]) answers with a menu of digits and connects by name. A message on a voicemail can
//! be listened to over the web services, and is put as a mail into [`PbxConfig::voicemail_folder`].
//!
//! # Users who work elsewhere
//! With Remote Office a line's calls ring at its number: at the telephones of a line of the company, or outside, where the
//! called answers after some seconds. A hoteling guest has the telephones of a host who lets them: the guest's calls ring
//! there, and what is dialled there the guest calls, until the guest leaves or the shorter of both limits is over.
//!
//! # Call centre
//! The queues of [`acd::CallCentre`]; their engine is [`acd::Acd`]. Agents are rung with the queue in Diversion. Their state
//! can be set by telephones (`as-feature-event`), the control port and [`PbxHandle::centre_request`];
//! [`PbxHandle::centre_events`] tells everything that happens. Where a queue forces an outcome the agent wraps up until it
//! is given; simulated agents give one at once.
//!
//! # More than two
//! Over the web services calls become a conference, supervisors listen in, coach and barge in (now, or at the next call of a
//! queue), and calls are recorded as WAV into [`PbxConfig::recordings_folder`]. The sound of such calls goes through the
//! exchange: their phones get a re-INVITE to a port of it, and its mixer gives each the others without himself.
//!
//! # Transfers
//! REFER inside a call, blind or with Replaces, `Refer-Sub: false` honoured. While the target is tried the other party stays
//! where he is: a transfer that fails gives him back. A transferor who has hung up by then is rung again.
//!
//! # Watching
//! `SUBSCRIBE` to `dialog` and `presence` of any line, to `message-summary`, `reg`, `as-feature-event` and `call-info` (who is parked) of the own line, and to the list `sip:blf-EXTENSION@…` of the
//! own extension (`Supported: eventlist`), which holds all other lines. Every SUBSCRIBE is authenticated.
//!
//! # Web services
//! Xsi-Actions and Xsi-Events over HTTP at two hosts ([`Ready::xsi_hosts`]), for the user ids and web passwords of
//! [`Ready::accounts`]; [`Profile`] chooses the release. What they do with calls goes through the exchange: a click to dial
//! rings the own phone with `Call-Info: …;answer-after=0`, answering and holding ask the phone with NOTIFY `talk` and
//! `hold`.
//!
//! # Control port
//! JSON lines over TCP on loopback. Every line is a command and gets one line back, with the same `id` if it had one:
//! `{"id":1,"ok":{…}}` or `{"id":1,"error":{"code":"…","message":"…"}}`. A line that is not JSON, is too long or names an unknown
//! command is answered with an error and the connection goes on.
//!
//! | cmd | arguments | ok |
//! |---|---|---|
//! | `customer.call` | `to` (a user, a group, a queue), `name`?, `number`?, `patience_s`?, `talk_s`? | `{"call": n}` |
//! | `restart` | `down_s`? (0) | `{}`, when it is back: forgets registrations, subscriptions and calls without a word and drops all connections, as a crash does |
//! | `subscriptions.drop` | `user`?, `reason`? ([`DropReason`]; without a word if left out) | `{"touched": n}` |
//! | `packages.set` | `packages`: what can be subscribed to, any of `dialog`, `message-summary`, `presence`, `reg`, `as-feature-event`, `call-info` | `{"touched": 1}` |
//! | `registration.remove` | `user`, `event`? ([`RemovalEvent`]) | `{"touched": n}` |
//! | `notify.loss` | `lost`, `reordered`: percent of the NOTIFYs of subscriptions | `{"touched": n}` |
//! | `notify.delay` | `ms` | `{"touched": n}` |
//! | `line.set` | `line`, `state`? ([`LineState`]; what is true if left out) | `{"touched": n}` |
//! | `line.dnd` | `line`, `on` | `{"touched": n}` |
//! | `line.forward` | `line`, `to`? (nowhere if left out) | `{"touched": n}` |
//! | `transfer.fail` | `status`, `count`? (1), `refuse`? (false: in the NOTIFY; true: the REFER itself) | `{"touched": n}` |
//! | `answer.status` | `status`, `to`? (any number), `count`? (1) | `{"touched": n}` |
//! | `life.set` | `per_minute`, `talk_s`? (45) | `{"touched": n}` |
//! | `sip.look` | the fields of [`SipLook`]: `broadworks`?, `pad`?, `multipart`?, `unsolicited`?; as usual what is left out | `{"touched": 1}` |
//! | `voicemail.deposit` | `line` | `{"touched": n}` |
//! | `line.forwarding` | `line`, `when` ([`ForwardWhen`]), `active`, `to`?, `rings`? | `{"touched": n}` |
//! | `line.call_waiting` | `line`, `on` | `{"touched": n}` |
//! | `line.guest_ends` | `line`, `after_s`: when a guest loses his host's telephones | `{"touched": n}` |
//! | `line.bar` | `line`, `barred` ([`Barred`]) | `{"touched": n}` |
//! | `company.night` | `mode` ([`acd::Night`]), `to`? | `{"touched": n}` |
//! | `callers.set` | `rate`, `to`?, `by_clock`?, `patience_s`?, `talk_s`? ([`Rush`]) | `{"touched": n}` |
//! | `clock.set` | `local_s`: seconds since 1970-01-01 0:00 local time | `{}` |
//! | `agent.state` | `agent`, `state` ([`acd::AgentState`]), `code`?, `validate`? | `{}` |
//! | `agent.join` | `agent`, `queue`, `joined` | `{}` |
//! | `agent.extend` | `agent`, `by_s` | `{}` |
//! | `agent.disposition` | `agent`, `call`?, `code` | `{}` |
//! | `agent.list` | `agent`? | `{"agents": […]}` |
//! | `queue.list` | `queue`? | `{"queues": […]}`, with those who wait, measures, counts and the set-up |
//! | `queue.reorder` | `call`, `index` | `{"position": n}` |
//! | `queue.promote` | `call`, `priority` ([`acd::Priority`]) | `{"position": n}` |
//! | `queue.transfer` | `call`, `to` | `{}` |
//! | `queue.release` | `call` | `{}` |
//! | `queue.night` | `queue`, `mode`, `action`? ([`acd::Treatment`]) | `{}` |
//! | `queue.forward` | `queue`, `active`, `to`? | `{}` |
//! | `queue.configure` | `config` ([`acd::QueueConfig`]) | `{}` |
//! | `xsi.…` | those of [`XsiKnob`] | `{"touched": n}` |
//! | `call.list` | | `{"calls": […]}` ([`books::CallRecord`]) |
//! | `status` | | [`Status`] |
//! | `help` | | `{"commands": […]}` |

pub mod acd;
pub mod books;
mod call;
mod company;
mod control;
mod desk;
mod dial_plan;
mod driver;
mod endpoint;
mod exchange;
mod gate;
mod generated;
mod knob;
mod letters;
mod life;
mod mailboxes;
mod media_task;
mod mixer;
mod music;
mod names;
mod notifier;
mod pbx;
mod ready;
mod recorder;
mod registrar;
mod rush;
mod sip_look;
mod speech;
mod wav;
mod web_task;
mod xsi;

pub use company::{
    Account, Attendant, Behaviour, Company, CompanyError, Customer, Holiday, Hunt, HuntGroup, Key,
    NightMode, Person, Role, Voice,
};
pub use desk::{Barred, ForwardWhen, Forwarding, LineState};
pub use exchange::{AnswerStatus, TransferFail};
pub use knob::{DropReason, Knob, RemovalEvent};
pub use life::Pace;
pub use notifier::NotifyLoss;
pub use pbx::{CallNumber, CustomerCall, Pbx, PbxConfig, PbxError, PbxHandle, Profile, Status};
pub use ready::{Numbers, Ready, ReadyAccount};
pub use rush::Rush;
pub use sip_look::SipLook;
pub use xsi::events::channel::ChannelEnd;
pub use xsi::events::wire::{Declaration, WireLook};
pub use xsi::knobs::{Answering, Cut, XsiKnob};

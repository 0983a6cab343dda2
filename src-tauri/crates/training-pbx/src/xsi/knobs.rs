//! What can be made to go wrong with the web services, from the control port or the handle.
//!
//! Every knob is a command whose name begins with `xsi.`:
//!
//! | cmd | arguments | what it does |
//! |---|---|---|
//! | `xsi.wire` | the fields of [`WireLook`] | how documents and chunks of channels look; left out: as usual |
//! | `xsi.times` | `event_timeout_s`?, `ack_timeout_ms`?, `first_delay_ms`? | heart-beats, answers to events, the first chunk |
//! | `xsi.limits` | `subscriptions`?, `page`? | subscriptions of a user; results of a page |
//! | `xsi.lose` | `acks`? (0), `events`? (0) | so many answers, or events, get lost |
//! | `xsi.skip` | `count` | the next event leaves out so many sequence numbers |
//! | `xsi.channel.end` | `reason` ([`ChannelEnd`]), `user`? | ends channels with this reason |
//! | `xsi.channel.cut` | `how` ([`Cut`]), `user`? | breaks the connections of channels |
//! | `xsi.subscription.end` | `user`?, `package`? | ends subscriptions with `SubscriptionTerminatedEvent` |
//! | `xsi.resync` | `user`? | `…ResyncEvent` with everything, as after a crash of the exchange |
//! | `xsi.answer` | `how` ([`Answering`]), `count`? (1), `path`? | the next requests (whose path holds `path`, in any case) are answered so |
//! | `xsi.slow` | `ms`, `path`? | answers come late, until set anew |
//! | `xsi.scope` | `own` | true: nobody may watch others (403), until set anew |
//! | `xsi.redirect` | `count`? (1) | the next POSTs to channels and subscriptions are sent to the other host (302) |
//! | `xsi.password` | `user`, `expired` | the web password has expired, or not |

use serde::{Deserialize, Serialize};

use super::events::channel::ChannelEnd;
use super::events::wire::WireLook;

/// One turn of a knob of the web services.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "cmd")]
pub enum XsiKnob {
    /// How documents and chunks of channels look.
    #[serde(rename = "xsi.wire")]
    Wire(WireLook),
    /// Times.
    #[serde(rename = "xsi.times")]
    Times {
        /// How long a channel lives without a heart-beat, seconds.
        #[serde(default)]
        event_timeout_s: Option<u64>,
        /// How long an answer to an event may take, milliseconds.
        #[serde(default)]
        ack_timeout_ms: Option<u64>,
        /// How long the first chunk of a channel is kept back, milliseconds.
        #[serde(default)]
        first_delay_ms: Option<u64>,
    },
    /// Limits.
    #[serde(rename = "xsi.limits")]
    Limits {
        /// Subscriptions of one user.
        #[serde(default)]
        subscriptions: Option<usize>,
        /// Results of one page, 1 to 1000.
        #[serde(default)]
        page: Option<usize>,
    },
    /// Answers and events that get lost.
    #[serde(rename = "xsi.lose")]
    Lose {
        /// So many answers to events are not heard.
        #[serde(default)]
        acks: u32,
        /// So many events are numbered and never sent.
        #[serde(default)]
        events: u32,
    },
    /// Sequence numbers that are left out.
    #[serde(rename = "xsi.skip")]
    Skip {
        /// How many.
        count: u32,
    },
    /// Ends channels.
    #[serde(rename = "xsi.channel.end")]
    EndChannels {
        /// The reason that is given.
        reason: ChannelEnd,
        /// Extension; of everybody if left out.
        #[serde(default)]
        user: Option<String>,
    },
    /// Breaks the connections of channels.
    #[serde(rename = "xsi.channel.cut")]
    Cut {
        /// How.
        how: Cut,
        /// Extension; of everybody if left out.
        #[serde(default)]
        user: Option<String>,
    },
    /// Ends subscriptions.
    #[serde(rename = "xsi.subscription.end")]
    EndSubscriptions {
        /// Extension of the owner; of everybody if left out.
        #[serde(default)]
        user: Option<String>,
        /// Of this package only.
        #[serde(default)]
        package: Option<String>,
    },
    /// Tells everything anew.
    #[serde(rename = "xsi.resync")]
    Resync {
        /// Extension of the owner; to everybody if left out.
        #[serde(default)]
        user: Option<String>,
    },
    /// How the next requests are answered.
    #[serde(rename = "xsi.answer")]
    Answer {
        /// How.
        how: Answering,
        /// How many; 1 if left out, 0 stops it.
        #[serde(default = "once")]
        count: u32,
        /// Only requests whose path holds this, in any case.
        #[serde(default)]
        path: Option<String>,
    },
    /// Answers come late.
    #[serde(rename = "xsi.slow")]
    Slow {
        /// Milliseconds, at most two minutes; 0 stops it.
        ms: u64,
        /// Only requests whose path holds this, in any case.
        #[serde(default)]
        path: Option<String>,
    },
    /// Who may be watched.
    #[serde(rename = "xsi.scope")]
    Scope {
        /// Only oneself.
        own: bool,
    },
    /// POSTs to channels and subscriptions are sent elsewhere.
    #[serde(rename = "xsi.redirect")]
    Redirect {
        /// How many; 1 if left out.
        #[serde(default = "once")]
        count: u32,
    },
    /// A password has expired.
    #[serde(rename = "xsi.password")]
    Password {
        /// Extension.
        user: String,
        /// Expired, or not.
        expired: bool,
    },
}

fn once() -> u32 {
    1
}

/// How the connection of a channel breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Cut {
    /// The body breaks off, and the connection is closed.
    Break,
    /// The server's half is closed; it still reads. The channel stays until its heart-beats fail.
    Half,
    /// Nothing is written any more, and the connection stays. The channel stays likewise.
    Silent,
    /// The body ends as a complete one.
    End,
}

/// How a request is answered instead of what it should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Answering {
    /// 503 with an `ErrorInfo`.
    Overload,
    /// 403 with an `ErrorInfo`.
    Forbidden,
    /// 401 with an `ErrorInfo`.
    Unauthorized,
    /// 404 with an `ErrorInfo`.
    Unknown,
    /// 500 with an `ErrorInfo`.
    Failure,
    /// 200 and a page of a portal.
    Html,
    /// 200 and half a document.
    Broken,
}

/// The names of all turns.
pub(crate) const NAMES: [&str; 14] = [
    "xsi.wire",
    "xsi.times",
    "xsi.limits",
    "xsi.lose",
    "xsi.skip",
    "xsi.channel.end",
    "xsi.channel.cut",
    "xsi.subscription.end",
    "xsi.resync",
    "xsi.answer",
    "xsi.slow",
    "xsi.scope",
    "xsi.redirect",
    "xsi.password",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_knob_is_read_by_its_name() {
        let lines = [
            r#"{"cmd":"xsi.wire","split":true,"declaration":"never"}"#,
            r#"{"cmd":"xsi.times","event_timeout_s":5}"#,
            r#"{"cmd":"xsi.limits","subscriptions":2}"#,
            r#"{"cmd":"xsi.lose","acks":1}"#,
            r#"{"cmd":"xsi.skip","count":2}"#,
            r#"{"cmd":"xsi.channel.end","reason":"Expired"}"#,
            r#"{"cmd":"xsi.channel.cut","how":"half","user":"101"}"#,
            r#"{"cmd":"xsi.subscription.end","package":"Advanced Call"}"#,
            r#"{"cmd":"xsi.resync"}"#,
            r#"{"cmd":"xsi.answer","how":"html","path":"/profile"}"#,
            r#"{"cmd":"xsi.slow","ms":200}"#,
            r#"{"cmd":"xsi.scope","own":true}"#,
            r#"{"cmd":"xsi.redirect"}"#,
            r#"{"cmd":"xsi.password","user":"101","expired":true}"#,
        ];
        let names: Vec<String> = lines
            .iter()
            .map(|line| {
                let knob: XsiKnob = serde_json::from_str(line).unwrap();
                serde_json::to_value(knob).unwrap()["cmd"].as_str().unwrap().to_owned()
            })
            .collect();
        assert_eq!(names, NAMES);
    }
}

//! Commands about where a caller can be sent.

use serde::Deserialize;
use ts_rs::TS;

/// Names of [`TargetCommand`].
pub(super) const NAMES: &[&str] = &["target.list"];

/// What can be asked of targets.
#[derive(Debug, Clone, Deserialize, TS)]
#[serde(tag = "cmd")]
pub enum TargetCommand {
    /// Every way to reach whoever has this number: line, mobile, voicemail, a place to park at. Answered with a list of
    /// [`crate::view::targets::TargetView`], the number itself first.
    #[serde(rename = "target.list")]
    List {
        /// Extension, number or address.
        target: String,
        /// Account by which a caller would be sent; the first usable one when left out.
        #[serde(default)]
        #[ts(optional)]
        account: Option<String>,
    },
}

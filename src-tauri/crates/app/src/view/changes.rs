//! What of the visible state is different from before: a page that knows the rest is told no more than that.

use serde::Serialize;
use ts_rs::TS;

use super::recording::RecordingSettingsView;
use super::safety::HelpView;
use super::{
    AccountView, AppView, AudioView, CallView, ColleagueView, DemoView, HistoryEntry, Notice,
    SettingsView, TransferEntry,
};

/// The parts of [`AppView`] that changed, each whole; what is left out stands as before.
#[derive(Debug, Clone, PartialEq, Default, Serialize, TS)]
pub struct ViewChanges {
    /// See [`AppView::version`].
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub version: Option<String>,
    /// See [`AppView::needs_setup`].
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub needs_setup: Option<bool>,
    /// See [`AppView::accounts`].
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub accounts: Option<Vec<AccountView>>,
    /// See [`AppView::calls`].
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub calls: Option<Vec<CallView>>,
    /// See [`AppView::history`].
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub history: Option<Vec<HistoryEntry>>,
    /// See [`AppView::missed`].
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub missed: Option<u32>,
    /// See [`AppView::transfers`].
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub transfers: Option<Vec<TransferEntry>>,
    /// See [`AppView::audio`].
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub audio: Option<AudioView>,
    /// See [`AppView::recording`].
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub recording: Option<RecordingSettingsView>,
    /// See [`AppView::demo`].
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional, type = "DemoView | null")]
    pub demo: Option<Option<DemoView>>,
    /// See [`AppView::colleagues`].
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub colleagues: Option<Vec<ColleagueView>>,
    /// See [`AppView::notices`].
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub notices: Option<Vec<Notice>>,
    /// See [`AppView::prepared`].
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional, type = "string | null")]
    pub prepared: Option<Option<String>>,
    /// See [`AppView::help`].
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub help: Option<HelpView>,
    /// See [`AppView::settings`].
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub settings: Option<SettingsView>,
}

impl ViewChanges {
    /// What makes `before` into `now`.
    pub fn between(before: &AppView, now: &AppView) -> ViewChanges {
        ViewChanges {
            version: changed(&before.version, &now.version),
            needs_setup: changed(&before.needs_setup, &now.needs_setup),
            accounts: changed(&before.accounts, &now.accounts),
            calls: changed(&before.calls, &now.calls),
            history: changed(&before.history, &now.history),
            missed: changed(&before.missed, &now.missed),
            transfers: changed(&before.transfers, &now.transfers),
            audio: changed(&before.audio, &now.audio),
            recording: changed(&before.recording, &now.recording),
            demo: changed(&before.demo, &now.demo),
            colleagues: changed(&before.colleagues, &now.colleagues),
            notices: changed(&before.notices, &now.notices),
            prepared: changed(&before.prepared, &now.prepared),
            help: changed(&before.help, &now.help),
            settings: changed(&before.settings, &now.settings),
        }
    }
}

fn changed<T: PartialEq + Clone>(before: &T, now: &T) -> Option<T> {
    (before != now).then(|| now.clone())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn view() -> AppView {
        AppView {
            version: "1".into(),
            missed: 2,
            prepared: Some("112".into()),
            ..AppView::default()
        }
    }

    #[test]
    fn only_what_changed_is_told() {
        let (before, mut now) = (view(), view());
        assert_eq!(serde_json::to_value(ViewChanges::between(&before, &now)).unwrap(), json!({}));
        now.missed = 0;
        now.prepared = None;
        let told = serde_json::to_value(ViewChanges::between(&before, &now)).unwrap();
        assert_eq!(told, json!({"missed": 0, "prepared": null}));
    }

    /// Laid over the view before, by the names that both have, the changes give the view of now.
    #[test]
    fn every_part_of_the_view_can_be_told_by_itself() {
        let empty = serde_json::to_value(AppView::default()).unwrap();
        let mut all = view();
        all.needs_setup = true;
        let none = AppView::default();
        let told = serde_json::to_value(ViewChanges::between(&none, &all)).unwrap();
        let Value::Object(mut laid) = empty else { panic!("a view is an object") };
        let Value::Object(told) = told else { panic!("changes are an object") };
        laid.extend(told);
        assert_eq!(Value::Object(laid.clone()), serde_json::to_value(all).unwrap());

        // A part that was forgotten would have no type.
        let types = ViewChanges::inline(&ts_rs::Config::new());
        for name in laid.keys() {
            assert!(types.contains(&format!("{name}?:")), "{name} is not in {types}");
        }
    }
}

//! Owns the values sessions and transfers need: Session-Expires (RFC 4028), Replaces (RFC 3891),
//! Target-Dialog (RFC 4538), History-Info (RFC 7044).

use std::fmt;
use std::str::FromStr;

use crate::scan::{delta_seconds, trim};
use crate::{NameAddr, Params, ValueError};

/// Who refreshes a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Refresher {
    /// The side that sent the request.
    Uac,
    /// The side that answered it.
    Uas,
}

/// `Session-Expires: 1800;refresher=uac`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionExpires {
    /// Seconds.
    pub seconds: u32,
    /// Who refreshes, if said.
    pub refresher: Option<Refresher>,
}

impl fmt::Display for SessionExpires {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.seconds.fmt(f)?;
        match self.refresher {
            Some(Refresher::Uac) => f.write_str(";refresher=uac"),
            Some(Refresher::Uas) => f.write_str(";refresher=uas"),
            None => Ok(()),
        }
    }
}

impl FromStr for SessionExpires {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        let (seconds, params) = value_and_params(text)?;
        let seconds = delta_seconds(seconds).ok_or("Session-Expires is not a number of seconds")?;
        let refresher = match params.value("refresher") {
            Some(who) if who.eq_ignore_ascii_case("uac") => Some(Refresher::Uac),
            Some(who) if who.eq_ignore_ascii_case("uas") => Some(Refresher::Uas),
            _ => None,
        };
        Ok(Self { seconds, refresher })
    }
}

/// `Replaces: call-id;to-tag=…;from-tag=…`: the dialog to take over, tags as its peer sees them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replaces {
    /// The dialog's Call-ID.
    pub call_id: String,
    /// The tag of the side that is asked (its local tag).
    pub to_tag: String,
    /// The tag of the other side.
    pub from_tag: String,
    /// Only if the dialog is not yet confirmed.
    pub early_only: bool,
}

impl fmt::Display for Replaces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{};to-tag={};from-tag={}", self.call_id, self.to_tag, self.from_tag)?;
        if self.early_only { f.write_str(";early-only") } else { Ok(()) }
    }
}

impl FromStr for Replaces {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        let (call_id, params) = value_and_params(text)?;
        let tag = |name: &str| {
            let value = params.value(name).filter(|tag| !tag.is_empty());
            value.map(str::to_owned).ok_or_else(|| ValueError(format!("Replaces has no {name}")))
        };
        if call_id.is_empty() || call_id.contains([' ', ',']) {
            return Err("Replaces has no Call-ID".into());
        }
        Ok(Self {
            call_id: call_id.to_owned(),
            to_tag: tag("to-tag")?,
            from_tag: tag("from-tag")?,
            early_only: params.contains("early-only"),
        })
    }
}

/// `Target-Dialog: call-id;local-tag=…;remote-tag=…`: a dialog that the sender knows of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetDialog {
    /// The dialog's Call-ID.
    pub call_id: String,
    /// The tag of one side.
    pub local_tag: String,
    /// The tag of the other.
    pub remote_tag: String,
}

impl fmt::Display for TargetDialog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { call_id, local_tag, remote_tag } = self;
        write!(f, "{call_id};local-tag={local_tag};remote-tag={remote_tag}")
    }
}

impl FromStr for TargetDialog {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        let (call_id, params) = value_and_params(text)?;
        let tag = |name: &str| {
            let value = params.value(name).filter(|tag| !tag.is_empty());
            value
                .map(str::to_owned)
                .ok_or_else(|| ValueError(format!("Target-Dialog has no {name}")))
        };
        if call_id.is_empty() || call_id.contains([' ', ',']) {
            return Err("Target-Dialog has no Call-ID".into());
        }
        let (local_tag, remote_tag) = (tag("local-tag")?, tag("remote-tag")?);
        Ok(Self { call_id: call_id.to_owned(), local_tag, remote_tag })
    }
}

/// One entry of History-Info: a target the request was sent to, and where in the tree of retargetings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryEntry {
    /// The target; its URI's headers may hold an escaped Reason and Privacy.
    pub address: NameAddr,
    /// `1.2.1` as numbers; empty if not said.
    pub index: Vec<u32>,
}

impl HistoryEntry {
    /// The escaped Reason header of the target's URI: why the request left it.
    pub fn reason(&self) -> Option<crate::Reason> {
        let headers = self.address.uri.headers();
        let (_, text) = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("Reason"))?;
        text.parse().ok()
    }
}

impl fmt::Display for HistoryEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.address.fmt(f)
    }
}

impl FromStr for HistoryEntry {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        let address = NameAddr::parse(text)?;
        let index = match address.params.value("index") {
            Some(text) => text.split('.').map(crate::scan::digits).collect::<Option<_>>(),
            None => Some(Vec::new()),
        };
        Ok(Self { address, index: index.ok_or("the index of a History-Info entry is none")? })
    }
}

/// Splits `value;params`, both trimmed and read.
pub(crate) fn value_and_params(text: &str) -> Result<(&str, Params), ValueError> {
    let at = text.find(';').unwrap_or(text.len());
    let (value, params) = text.split_at_checked(at).unwrap_or((text, ""));
    Ok((trim(value), Params::parse(params)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn session_expires() {
        let value: SessionExpires = "1800 ; Refresher = UAS".parse().unwrap();
        assert_eq!(value, SessionExpires { seconds: 1800, refresher: Some(Refresher::Uas) });
        assert_eq!(value.to_string(), "1800;refresher=uas");
        assert!("soon".parse::<SessionExpires>().is_err());
    }

    #[test]
    fn target_dialogs() {
        let text = "fa77as7dad8@host.example.com;local-tag=kkaz-;remote-tag=6544";
        let value: TargetDialog = text.parse().unwrap();
        assert_eq!((value.local_tag.as_str(), value.remote_tag.as_str()), ("kkaz-", "6544"));
        assert_eq!(value.to_string(), text);
        for bad in
            ["", "a@b;local-tag=1", "a@b;local-tag=;remote-tag=2", ";local-tag=1;remote-tag=2"]
        {
            assert!(bad.parse::<TargetDialog>().is_err(), "{bad}");
        }
    }

    #[test]
    fn replaces() {
        let text = "98732@sip.example.com;from-tag=r33th4x0r;to-tag=ff87ff;early-only";
        let value: Replaces = text.parse().unwrap();
        assert_eq!((value.from_tag.as_str(), value.to_tag.as_str()), ("r33th4x0r", "ff87ff"));
        assert_eq!(value.to_string().parse::<Replaces>().unwrap(), value);
        assert!("a@b;to-tag=1".parse::<Replaces>().is_err());
        assert!(";to-tag=1;from-tag=2".parse::<Replaces>().is_err());
    }

    #[test]
    fn history_info() {
        let text = "<sip:a@h?Reason=SIP%3Bcause%3D486%3Btext%3D%22Busy%22>;index=1.2;mp=1";
        let entry: HistoryEntry = text.parse().unwrap();
        assert_eq!(entry.index, [1, 2]);
        assert_eq!(entry.reason().unwrap().cause, Some(486));
        assert_eq!(entry.to_string(), text);
    }
}

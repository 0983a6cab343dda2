//! `ErrorInfo`: why the server refuses.

use crate::{ErrorInfo, xml::Element};

/// Reads an error from whatever document came with a failing status; `None` if it is another one.
pub fn read_error(root: &Element) -> Option<ErrorInfo> {
    (root.name == "ErrorInfo").then(|| ErrorInfo {
        code: root.number("errorCode").unwrap_or_default(),
        summary: root.string("summary"),
        summary_english: root.string("summaryEnglish"),
    })
}

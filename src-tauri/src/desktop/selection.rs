//! The text that the user has selected or copied in any program.

use arboard::Clipboard;

/// Selected text where the desktop shows it to others (X11), else what was copied last. Blocks until the program that
/// has it hands it over. None when there is none.
pub(crate) fn text() -> Option<String> {
    let read = Clipboard::new().and_then(|mut clipboard| selected(&mut clipboard));
    match read {
        Ok(text) => Some(text).filter(|text| !text.trim().is_empty()),
        Err(error) => {
            tracing::debug!(%error, "nothing is selected or copied");
            None
        }
    }
}

#[cfg(target_os = "linux")]
fn selected(clipboard: &mut Clipboard) -> Result<String, arboard::Error> {
    use arboard::{GetExtLinux as _, LinuxClipboardKind};

    let selected = clipboard.get().clipboard(LinuxClipboardKind::Primary).text();
    selected.or_else(|_| clipboard.get_text())
}

#[cfg(not(target_os = "linux"))]
fn selected(clipboard: &mut Clipboard) -> Result<String, arboard::Error> {
    clipboard.get_text()
}

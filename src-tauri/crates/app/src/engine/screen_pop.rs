//! Opens what the company has of a caller: a page in the browser, or a program. Neither is waited for, and no call waits
//! for them.

use std::process::Stdio;
use std::time::Instant;

use call_control::{Call, Direction, State};
use contacts::NumberKey;
use tokio::process::Command;
use tracing::{info, warn};

use super::desk::Desk;
use crate::code::Code;
use crate::config::{Caller, PopWhen};

/// Programs that may run at once; a flood of callers opens no more.
const MOST: usize = 8;

impl Desk {
    /// Opens it for a caller, once for each call.
    pub(super) fn pop_screen(&mut self, now: Instant, call: &Call) {
        let settings = &self.settings.config.screen_pop;
        if settings.is_off() || call.direction() != Direction::In {
            return;
        }
        let wanted = match settings.when {
            PopWhen::Ringing => call.state() == State::Ringing || call.answered().is_some(),
            PopWhen::Answered => call.answered().is_some(),
        };
        let Some(line) = self.lines.get_mut(&call.id()).filter(|line| wanted && !line.popped)
        else {
            return;
        };
        line.popped = true;
        let dialled = line.via.clone().unwrap_or_default();
        let peer = line.peer.clone();
        let key = NumberKey::of(&peer.uri).or_else(|| NumberKey::of(&peer.number));
        let peer = self.named(peer);
        let caller = Caller {
            number: key.map_or(peer.number, |key| key.as_str().to_owned()),
            name: peer.name,
            dialled,
        };
        let settings = &self.settings.config.screen_pop;
        let page = settings.address(&caller).map(browser);
        for (program, arguments) in page.into_iter().chain(settings.start(&caller)) {
            self.start_program(now, &program, &arguments);
        }
    }

    pub(in crate::engine) fn start_program(
        &mut self,
        now: Instant,
        program: &str,
        arguments: &[String],
    ) {
        if self.popped >= MOST {
            warn!("too many programs are open already for callers");
            return;
        }
        let mut command = Command::new(program);
        command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        // A browser's own web engine may be the same as the window's.
        for option in crate::shell::WEB_ENGINE_OPTIONS {
            command.env_remove(option);
        }
        // Where passwords come from the environment they are for this program alone.
        for account in &self.settings.config.accounts {
            let xsi = account.xsi.iter().map(|xsi| &xsi.password_env);
            let asterisk = account.asterisk.iter().map(|asterisk| &asterisk.password_env);
            for name in xsi.chain(asterisk).chain([&account.password_env]) {
                if !name.is_empty() {
                    command.env_remove(name);
                }
            }
        }
        match command.spawn() {
            Ok(mut child) => {
                info!(program, "opened for a caller");
                self.popped += 1;
                self.later(async move { child.wait().await }, |desk, _, _| {
                    desk.popped = desk.popped.saturating_sub(1);
                });
            }
            // The reason of the system holds no argument.
            Err(error) => {
                let detail = format!("{program}: {error}");
                self.notice(now, Code::ScreenPopFailed, Some(detail), false);
            }
        }
    }
}

/// How the system opens a page.
pub(super) fn browser(url: String) -> (String, Vec<String>) {
    if cfg!(windows) {
        ("rundll32".to_owned(), vec!["url.dll,FileProtocolHandler".to_owned(), url])
    } else if cfg!(target_os = "macos") {
        ("open".to_owned(), vec![url])
    } else {
        ("xdg-open".to_owned(), vec![url])
    }
}

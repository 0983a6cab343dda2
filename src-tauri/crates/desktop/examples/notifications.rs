//! A notification service for tests of the window: prints what is to be shown, one JSON line each, and presses what it is
//! told on standard input: `ID ACTION`. It takes the place of the desktop's own on the session bus it is started on.

#[cfg(target_os = "linux")]
mod service {
    use std::collections::HashMap;
    use std::io::Write as _;

    use tokio::io::{AsyncBufReadExt as _, BufReader};
    use zbus::interface;
    use zbus::object_server::SignalEmitter;
    use zbus::zvariant::OwnedValue;

    const NAME: &str = "org.freedesktop.Notifications";
    const PATH: &str = "/org/freedesktop/Notifications";

    struct Service {
        last: u32,
    }

    fn say(line: &serde_json::Value) {
        let mut out = std::io::stdout().lock();
        // Whoever reads may have gone.
        let _ = writeln!(out, "{line}").and_then(|()| out.flush());
    }

    #[interface(name = "org.freedesktop.Notifications")]
    impl Service {
        fn get_capabilities(&self) -> Vec<String> {
            vec!["actions".to_owned(), "body".to_owned()]
        }

        #[expect(
            clippy::too_many_arguments,
            clippy::needless_pass_by_value,
            reason = "the specification has them"
        )]
        fn notify(
            &mut self,
            _name: String,
            replaces: u32,
            _icon: String,
            summary: String,
            body: String,
            actions: Vec<String>,
            _hints: HashMap<String, OwnedValue>,
            _expires: i32,
        ) -> u32 {
            self.last += 1;
            let id = if replaces == 0 { self.last } else { replaces };
            say(
                &serde_json::json!({"id": id, "summary": summary, "body": body, "actions": actions}),
            );
            id
        }

        fn close_notification(&self, id: u32) {
            say(&serde_json::json!({"closed": id}));
        }

        #[zbus(signal)]
        async fn action_invoked(
            emitter: &SignalEmitter<'_>,
            id: u32,
            action: &str,
        ) -> zbus::Result<()>;
    }

    pub(crate) async fn run() -> zbus::Result<()> {
        let bus = zbus::connection::Builder::session()?
            .name(NAME)?
            .serve_at(PATH, Service { last: 0 })?
            .build()
            .await?;
        say(&serde_json::json!({"ready": true}));
        let emitter = SignalEmitter::new(&bus, PATH)?;
        let mut lines = BufReader::new(tokio::io::stdin()).lines();
        while let Ok(Some(line)) = lines.next_line().await {
            let pressed =
                line.split_once(' ').and_then(|(id, what)| Some((id.parse().ok()?, what)));
            if let Some((id, what)) = pressed {
                Service::action_invoked(&emitter, id, what).await?;
            }
        }
        Ok(())
    }
}

#[cfg(target_os = "linux")]
#[tokio::main(flavor = "current_thread")]
async fn main() -> zbus::Result<()> {
    service::run().await
}

#[cfg(not(target_os = "linux"))]
fn main() {}

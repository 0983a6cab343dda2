//! What the sound server says of its devices beyond their names: PulseAudio's own protocol, which PipeWire speaks too.

#[cfg(target_os = "linux")]
pub(crate) use self::server::facts;

/// Nothing more is known elsewhere.
#[cfg(not(target_os = "linux"))]
pub(crate) fn facts() -> Vec<crate::bluetooth::Facts> {
    Vec::new()
}

#[cfg(target_os = "linux")]
mod server {
    use std::ffi::{CStr, CString};
    use std::io::BufReader;
    use std::os::unix::net::UnixStream;
    use std::time::Duration;

    use pulseaudio::protocol::{
        AuthParams, AuthReply, Command, CommandReply, MAX_VERSION, Prop, Props, ProtocolError,
        SetClientNameReply, SinkInfoList, SourceInfoList, read_reply_message,
        write_command_message,
    };

    use crate::bluetooth::Facts;

    /// How long the server may take for an answer.
    const PATIENCE: Duration = Duration::from_secs(1);

    /// Of every device that the server has; none where there is no server.
    pub(crate) fn facts() -> Vec<Facts> {
        let Some(path) = pulseaudio::socket_path_from_env() else { return Vec::new() };
        let asked = UnixStream::connect(path).map_err(ProtocolError::from).and_then(ask);
        asked.unwrap_or_else(|error| {
            tracing::debug!(%error, "the sound server tells nothing of its devices");
            Vec::new()
        })
    }

    fn ask(socket: UnixStream) -> Result<Vec<Facts>, ProtocolError> {
        socket.set_read_timeout(Some(PATIENCE))?;
        socket.set_write_timeout(Some(PATIENCE))?;
        let cookie = pulseaudio::cookie_path_from_env().and_then(|path| std::fs::read(path).ok());
        let auth = AuthParams {
            version: MAX_VERSION,
            supports_shm: false,
            supports_memfd: false,
            cookie: cookie.unwrap_or_default(),
        };
        let mut server = Server { socket: BufReader::new(socket), version: MAX_VERSION, asked: 0 };
        let granted: AuthReply = server.asks(&Command::Auth(auth))?;
        server.version = granted.version.min(MAX_VERSION);
        let mut who = Props::new();
        who.set(Prop::ApplicationName, CString::from(c"Balie"));
        let _: SetClientNameReply = server.asks(&Command::SetClientName(who))?;
        let sinks: SinkInfoList = server.asks(&Command::GetSinkInfoList)?;
        let sources: SourceInfoList = server.asks(&Command::GetSourceInfoList)?;
        let sinks = sinks.iter().map(|sink| {
            told(&sink.name, sink.description.as_deref(), &sink.props, sink.sample_spec.sample_rate)
        });
        let sources = sources.iter().map(|one| {
            told(&one.name, one.description.as_deref(), &one.props, one.sample_spec.sample_rate)
        });
        Ok(sinks.chain(sources).collect())
    }

    struct Server {
        socket: BufReader<UnixStream>,
        version: u16,
        asked: u32,
    }

    impl Server {
        fn asks<T: CommandReply>(&mut self, command: &Command) -> Result<T, ProtocolError> {
            write_command_message(self.socket.get_mut(), self.asked, command, self.version)?;
            self.asked += 1;
            read_reply_message(&mut self.socket, self.version).map(|(_, reply)| reply)
        }
    }

    fn told(name: &CStr, shown: Option<&CStr>, props: &Props, rate: u32) -> Facts {
        let text = |bytes: &[u8]| {
            String::from_utf8_lossy(bytes.strip_suffix(&[0]).unwrap_or(bytes)).into_owned()
        };
        let pairs = props.iter().map(|(key, value)| (text(key.to_bytes()), text(value)));
        Facts {
            name: text(name.to_bytes()),
            shown: text(shown.unwrap_or_default().to_bytes()),
            properties: pairs.collect(),
            rate,
        }
    }
}

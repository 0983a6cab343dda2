//! Somebody else at the web services: requests over plain HTTP that share nothing with the product's client.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::embedded::Embedded;

/// Where the actions are.
const ACTIONS: &str = "/com.broadsoft.xsi-actions";

/// The lines of a settings file that give an account web services, to be put last into its table.
#[must_use]
pub fn settings(server: &str, user: &str, password: &str) -> String {
    format!(
        "[account.xsi]\nactions_url = \"{server}{ACTIONS}\"\nevents_url = \"{server}\"\n\
         user = \"{user}\"\npassword = \"{password}\""
    )
}

/// A user of the web services.
#[derive(Debug, Clone)]
pub struct Visitor {
    host: String,
    user: String,
    authorization: String,
}

impl Visitor {
    /// Who has this extension.
    ///
    /// # Errors
    /// When there is no such extension.
    pub fn new(pbx: &Embedded, extension: &str) -> Result<Self> {
        let known = pbx.known(extension)?;
        let text = |name: &str| known[name].as_str().unwrap_or_default().to_owned();
        let (user, password) = (text("xsi_user"), text("xsi_password"));
        let host = pbx.ready["xsi"].as_str().context("no web services")?;
        Ok(Self {
            host: host.trim_start_matches("http://").to_owned(),
            authorization: format!("Basic {}", STANDARD.encode(format!("{user}:{password}"))),
            user,
        })
    }

    /// Asks below the user's own path and gives back the body.
    ///
    /// # Errors
    /// When it is refused or nobody answers.
    pub fn own(&self, method: &str, path: &str, body: &str) -> Result<String> {
        let (status, text) =
            self.ask(method, &format!("{ACTIONS}/v2.0/user/{}/{path}", self.user), body)?;
        ensure!((200..300).contains(&status), "{method} {path}: {status} {text}");
        Ok(text)
    }

    /// Sets the agent's state.
    ///
    /// # Errors
    /// When it is refused.
    pub fn agent_state(&self, state: &str, code: Option<&str>) -> Result<()> {
        let code = code.map(|code| format!("<agentUnavailableCode>{code}</agentUnavailableCode>"));
        let body = format!(
            "<CallCenter xmlns=\"http://schema.broadsoft.com/xsi\"><agentACDState>{state}</agentACDState>{}\
             </CallCenter>",
            code.unwrap_or_default()
        );
        self.own("PUT", "services/CallCenter", &body).map(|_| ())
    }

    fn ask(&self, method: &str, target: &str, body: &str) -> Result<(u16, String)> {
        let mut stream = TcpStream::connect(&self.host)?;
        stream.set_read_timeout(Some(Duration::from_secs(20)))?;
        write!(
            stream,
            "{method} {target} HTTP/1.1\r\nHost: {}\r\nAuthorization: {}\r\nConnection: close\r\n\
             Content-Type: application/xml; charset=UTF-8\r\nContent-Length: {}\r\n\r\n{body}",
            self.host,
            self.authorization,
            body.len()
        )?;
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes)?;
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let (head, body) = text.split_once("\r\n\r\n").context("no answer")?;
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
        Ok((status.context("no status")?, body.to_owned()))
    }
}

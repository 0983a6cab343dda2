//! The embedded exchange as a program of its own: `balie-cli pbx`.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

use crate::balie::{Account, program};

/// A running embedded exchange.
pub struct Embedded {
    child: Child,
    /// Its ready line.
    pub ready: Value,
}

impl Embedded {
    /// Starts it on loopback with ports of its own choice.
    ///
    /// # Errors
    /// When it does not get ready.
    pub fn start() -> Result<Self> {
        Self::start_with(&[])
    }

    /// The same with more arguments: `--company FILE`, `--profile r21`.
    ///
    /// # Errors
    /// When it does not get ready.
    pub fn start_with(arguments: &[&str]) -> Result<Self> {
        let mut child = Command::new(program()?)
            .args(["pbx", "--listen", "127.0.0.1", "--json"])
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .context("cannot start balie-cli pbx")?;
        let mut line = String::new();
        BufReader::new(child.stdout.take().context("no standard output")?).read_line(&mut line)?;
        let ready: Value =
            serde_json::from_str(&line).with_context(|| format!("not JSON: {line}"))?;
        ensure!(ready["event"] == "ready", "the first line is ready: {ready}");
        Ok(Self { child, ready })
    }

    /// Settings for one of its extensions.
    ///
    /// # Errors
    /// When there is no such extension.
    pub fn account(&self, extension: &str) -> Result<Account> {
        let found = self.known(extension)?;
        let password = found["password"].as_str().unwrap_or_default();
        let server = format!("127.0.0.1:{}", self.ready["sip_udp"]);
        Ok(Account::new(extension, password, &server))
    }

    /// The same with its web services, and the web password of somebody's choice in place of the right one.
    ///
    /// # Errors
    /// When there is no such extension.
    pub fn account_with_services(
        &self,
        extension: &str,
        password: Option<&str>,
    ) -> Result<Account> {
        let known = self.known(extension)?;
        let text = |name: &str| known[name].as_str().unwrap_or_default();
        let server = self.ready["xsi"].as_str().unwrap_or_default();
        let services = crate::xsi::settings(
            server,
            text("xsi_user"),
            password.unwrap_or_else(|| text("xsi_password")),
        );
        Ok(self.account(extension)?.with(&services))
    }

    /// What the ready line says of an extension.
    ///
    /// # Errors
    /// When there is no such extension.
    pub fn known(&self, extension: &str) -> Result<&Value> {
        let accounts = self.ready["accounts"].as_array().context("no accounts")?;
        accounts
            .iter()
            .find(|account| account["extension"] == extension)
            .with_context(|| format!("no extension {extension}"))
    }

    /// Sends a command to its control port and gives back what came of it.
    ///
    /// # Errors
    /// When the port refuses or does not answer.
    pub fn turn(&self, command: &Value) -> Result<Value> {
        let reply = self.control(command)?;
        ensure!(reply.get("error").is_none(), "{command}: {reply}");
        Ok(reply["ok"].clone())
    }

    /// One of its numbers: echo, music, busy...
    ///
    /// # Errors
    /// When it has none of that kind.
    pub fn number(&self, kind: &str) -> Result<String> {
        let number = self.ready["numbers"][kind].as_str();
        number.map(str::to_owned).with_context(|| format!("no number for {kind}"))
    }

    /// Sends a command to its control port and gives back the reply.
    ///
    /// # Errors
    /// When the port does not answer.
    pub fn control(&self, command: &Value) -> Result<Value> {
        let port = self.ready["control"].as_u64().context("no control port")?;
        let mut stream = TcpStream::connect(("127.0.0.1", u16::try_from(port)?))?;
        stream.set_read_timeout(Some(Duration::from_secs(20)))?;
        writeln!(stream, "{command}")?;
        let mut line = String::new();
        BufReader::new(stream).read_line(&mut line)?;
        Ok(serde_json::from_str(&line)?)
    }

    /// Lets a customer ring an extension.
    ///
    /// # Errors
    /// When the exchange refuses.
    pub fn customer(&self, to: &str) -> Result<Value> {
        self.control(&json!({
            "cmd": "customer.call", "to": to, "name": "Mevrouw De Vries", "number": "0302318800",
        }))
    }
}

impl Drop for Embedded {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

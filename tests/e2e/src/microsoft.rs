//! A stand-in for Microsoft 365 with a real OpenID provider, and a person at a real browser.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

use crate::process::Process;
use crate::{SERVER, certificate, root};

/// Port of both.
const PORT: u16 = 8443;
/// Where orders go; this machine only.
const CONTROL: u16 = 8444;
/// JavaScript takes its time to start on a busy machine.
const STARTS: Duration = Duration::from_secs(60);

/// The running stand-in.
pub struct Microsoft {
    folder: PathBuf,
    process: Process,
}

impl Microsoft {
    /// Starts it, empty; everything goes to `folder`.
    ///
    /// # Errors
    /// When it does not come up.
    pub fn start(folder: &Path) -> Result<Self> {
        let folder = folder.join("microsoft");
        certificate::make(&folder, &[SERVER])?;
        let mut command = Command::new("node");
        command.arg(root().join("tests/e2e/lab/graph.mjs"));
        command.args([SERVER, &PORT.to_string(), &CONTROL.to_string()]).arg(&folder);
        let process = Process::start("graph", &mut command, &folder)?;
        crate::poll("the stand-in to listen", STARTS, || {
            TcpStream::connect(("127.0.0.1", CONTROL)).ok()?;
            TcpStream::connect((SERVER, PORT)).ok()
        })
        .map_err(|error| error.context(process.output()))?;
        Ok(Self { folder, process })
    }

    /// Its certificate's authority.
    #[must_use]
    pub fn authority(&self) -> PathBuf {
        self.folder.join("ca.pem")
    }

    /// What a person would fill in to read all of it.
    #[must_use]
    pub fn place(&self) -> Value {
        let server = format!("https://{SERVER}:{PORT}");
        json!({
            "kind": "microsoft", "client": "balie-test", "contacts": true, "users": true, "people": true, "calendars": true,
            "mailboxes": "verkoop@zilver.example", "login": server, "service": format!("{server}/v1.0"),
        })
    }

    /// Orders something; the answer.
    ///
    /// # Errors
    /// When the stand-in is gone.
    pub fn order(&self, order: &Value) -> Result<Value> {
        let body = order.to_string();
        let mut stream = TcpStream::connect(("127.0.0.1", CONTROL))?;
        let head = format!("POST / HTTP/1.0\r\ncontent-length: {}\r\n\r\n", body.len());
        stream.write_all(head.as_bytes())?;
        stream.write_all(body.as_bytes())?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        let (_, body) = answer.split_once("\r\n\r\n").context(self.process.output())?;
        serde_json::from_str(body).with_context(|| format!("{order}: {answer}"))
    }

    /// Everybody there, by name: the first number.
    ///
    /// # Errors
    /// When the stand-in is gone.
    pub fn everybody(&self) -> Result<BTreeMap<String, String>> {
        let all = self.order(&json!({"what": "everybody"}))?;
        let mut found = BTreeMap::new();
        for one in all.as_array().context("a list")? {
            let number =
                [&one["businessPhones"][0], &one["mobilePhone"], &one["phones"][0]["number"]]
                    .into_iter()
                    .find_map(Value::as_str)
                    .unwrap_or_default();
            found.insert(
                one["displayName"].as_str().unwrap_or_default().to_owned(),
                number.to_owned(),
            );
        }
        Ok(found)
    }

    /// A person signs in at this page; the last page that he sees.
    ///
    /// # Errors
    /// When there is no browser, or it does not come to an end.
    pub fn sign_in(&self, page: &str, code: &str) -> Result<Value> {
        let output = Command::new("node")
            .arg(root().join("tests/e2e/lab/browser.mjs"))
            .args([page, "jan", code])
            .arg(self.folder.join("browser"))
            .output()?;
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        ensure!(output.status.success(), "{said} {}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_str(&said).with_context(|| said.clone())
    }
}

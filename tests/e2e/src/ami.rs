//! A second pair of eyes at Asterisk's manager interface: reads what the exchange says, and nothing else.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

/// The words of one message.
pub type Fields = BTreeMap<String, String>;

/// A connection that is signed in.
pub struct Ami {
    lines: BufReader<TcpStream>,
    number: u32,
}

impl Ami {
    /// Connects and signs in without events.
    ///
    /// # Errors
    /// When the exchange is not there or refuses.
    pub fn connect(address: &str, user: &str, secret: &str) -> Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(Duration::from_secs(10)))?;
        let mut ami = Self { lines: BufReader::new(stream), number: 0 };
        ami.line()?;
        let fields = format!("Username: {user}\r\nSecret: {secret}\r\nEvents: off\r\n");
        ami.ask("Login", &fields)?;
        Ok(ami)
    }

    /// Sends an action and gives back its answer.
    ///
    /// # Errors
    /// When it is refused.
    pub fn ask(&mut self, action: &str, fields: &str) -> Result<Fields> {
        let id = self.send(action, fields)?;
        loop {
            let message = self.message()?;
            if message.get("ActionID") == Some(&id) && message.contains_key("Response") {
                if message["Response"] != "Success" {
                    bail!("{action}: {message:?}");
                }
                return Ok(message);
            }
        }
    }

    /// The items of a list.
    ///
    /// # Errors
    /// When it is refused.
    pub fn list(&mut self, action: &str) -> Result<Vec<Fields>> {
        let id = self.send(action, "")?;
        let mut items = Vec::new();
        loop {
            let message = self.message()?;
            if message.get("ActionID") != Some(&id) {
                continue;
            }
            match message.get("EventList").map(String::as_str) {
                Some("start") => {}
                Some(_) => return Ok(items),
                None if message.contains_key("Event") => items.push(message),
                None => bail!("{action}: {message:?}"),
            }
        }
    }

    fn send(&mut self, action: &str, fields: &str) -> Result<String> {
        self.number += 1;
        let id = format!("eyes-{}", self.number);
        write!(self.lines.get_mut(), "Action: {action}\r\nActionID: {id}\r\n{fields}\r\n")?;
        Ok(id)
    }

    fn message(&mut self) -> Result<Fields> {
        let mut fields = Fields::new();
        loop {
            let line = self.line()?;
            if line.is_empty() {
                return Ok(fields);
            }
            if let Some((name, value)) = line.split_once(':') {
                fields.insert(name.to_owned(), value.trim().to_owned());
            }
        }
    }

    fn line(&mut self) -> Result<String> {
        let mut line = String::new();
        let read = self.lines.read_line(&mut line).context("the exchange says nothing")?;
        if read == 0 {
            bail!("the exchange has closed the connection");
        }
        Ok(line.trim_end().to_owned())
    }
}

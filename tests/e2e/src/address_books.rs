//! Radicale and Xandikos: servers of address books and calendars, on the server's end of the wire, and a client that is not
//! ours.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};

use crate::process::Process;
use crate::{SERVER, certificate};

/// Who has the address book at Radicale.
pub const USER: &str = "jan";
/// The password there.
pub const PASSWORD: &str = "geheim van jan";
/// Those who have calendars at Radicale, with the same password.
pub const COLLEAGUES: [&str; 5] =
    ["jan@lab.test", "anna@lab.test", "piet@lab.test", "kees@lab.test", "dirk@lab.test"];
/// Who may read what at Radicale: everybody his own, and of others' calendars called `werk` when they are free.
const RIGHTS: &str = "[root]\nuser: .+\ncollection:\npermissions: R\n\
    [principal]\nuser: .+\ncollection: {user}\npermissions: RW\n\
    [own]\nuser: .+\ncollection: {user}/[^/]+\npermissions: rw\n\
    [others]\nuser: .+\ncollection: [^/]+\npermissions: R\n\
    [free]\nuser: .+\ncollection: [^/]+/werk\npermissions: f\n";
/// Port of Radicale, over TLS.
const RADICALE: u16 = 5232;
/// Port of Xandikos, in the clear.
const XANDIKOS: u16 = 5233;
const CALENDAR: &str = "text/calendar; charset=utf-8";
/// Servers in Python take their time to start on a busy machine.
const STARTS: Duration = Duration::from_secs(60);

/// Which server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Radicale: over TLS, with a password.
    Radicale,
    /// Xandikos: in the clear, for everybody.
    Xandikos,
}

/// A running server with one address book.
pub struct AddressBook {
    kind: Kind,
    user: String,
    folder: PathBuf,
    process: Process,
}

/// Somebody in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Card {
    /// Name of the file.
    pub file: String,
    /// Name.
    pub name: String,
    /// Number.
    pub number: String,
    /// E-mail address; empty: none.
    pub email: String,
}

/// A time in somebody's calendar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Appointment {
    /// What it is about: nobody else's business.
    pub about: String,
    /// Its beginning and end, seconds since the Unix epoch.
    pub time: (u64, u64),
    /// `CONFIRMED` or `TENTATIVE`.
    pub status: &'static str,
}

impl Appointment {
    fn text(&self, n: usize) -> Result<String> {
        Ok(format!(
            "BEGIN:VEVENT\r\nUID:afspraak-{n}\r\nDTSTAMP:20260101T000000Z\r\nSUMMARY:{}\r\nLOCATION:Kamer 3\r\n\
             DTSTART:{}\r\nDTEND:{}\r\nSTATUS:{}\r\nEND:VEVENT\r\n",
            self.about,
            written(self.time.0)?,
            written(self.time.1)?,
            self.status
        ))
    }
}

/// A time as iCalendar writes it, by a program that is not ours.
fn written(seconds: u64) -> Result<String> {
    let output = Command::new("date")
        .args(["-u", "-d", &format!("@{seconds}"), "+%Y%m%dT%H%M%SZ"])
        .output()?;
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}

fn whole(appointments: &[Appointment]) -> Result<String> {
    let inside: Result<String> = (0..).zip(appointments).map(|(n, one)| one.text(n)).collect();
    Ok(format!(
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Proef//NL\r\n{}END:VCALENDAR\r\n",
        inside?
    ))
}

impl Card {
    /// The `n`th of many.
    #[must_use]
    pub fn nth(n: usize) -> Card {
        let (file, number) = (format!("proef-{n}"), format!("06{:08}", 12_000_000 + n));
        Card { file, name: format!("Proef Persoon-{n} van Zilver"), number, email: String::new() }
    }

    fn text(&self) -> String {
        let email = match self.email.is_empty() {
            true => String::new(),
            false => format!("EMAIL:{}\r\n", self.email),
        };
        format!(
            "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:{}\r\nFN:{}\r\nN:Zilver;Proef;;;\r\nORG:Café Zilver;Inkoop\r\n\
             TEL;TYPE=CELL:{}\r\n{email}END:VCARD\r\n",
            self.file, self.name, self.number
        )
    }
}

impl AddressBook {
    /// Starts it, empty; everything goes to `folder`.
    ///
    /// # Errors
    /// When it does not come up.
    pub fn start(kind: Kind, folder: &Path) -> Result<Self> {
        Self::start_for(kind, folder, USER)
    }

    /// The same with the address book of somebody else.
    ///
    /// # Errors
    /// When it does not come up.
    pub fn start_for(kind: Kind, folder: &Path, user: &str) -> Result<Self> {
        let folder = folder.join(format!("{kind:?}"));
        std::fs::create_dir_all(folder.join("data"))?;
        certificate::make(&folder.join("keys"), &[SERVER])?;
        let process = spawn(kind, &folder)?;
        Ok(Self { kind, user: user.to_owned(), folder, process })
    }

    /// Kills it, as a power cut would.
    pub fn kill(&mut self) {
        self.process.kill();
    }

    /// Starts it again with what it had.
    ///
    /// # Errors
    /// When it does not come up.
    pub fn restart(&mut self) -> Result<()> {
        self.process.kill();
        self.process = spawn(self.kind, &self.folder)?;
        Ok(())
    }

    /// What a person would fill in.
    #[must_use]
    pub fn address(&self) -> String {
        match self.kind {
            Kind::Radicale => format!("https://{SERVER}:{RADICALE}"),
            Kind::Xandikos => format!("http://{SERVER}:{XANDIKOS}"),
        }
    }

    /// Its port.
    #[must_use]
    pub fn port(&self) -> u16 {
        match self.kind {
            Kind::Radicale => RADICALE,
            Kind::Xandikos => XANDIKOS,
        }
    }

    /// Its certificate's authority.
    #[must_use]
    pub fn authority(&self) -> PathBuf {
        self.folder.join("keys/ca.pem")
    }

    fn book(&self) -> String {
        match self.kind {
            Kind::Radicale => format!("{}/{}/zaak", self.address(), self.user),
            Kind::Xandikos => format!("{}/user/contacts/addressbook", self.address()),
        }
    }

    /// Puts these cards in: at once where the server takes them so.
    ///
    /// # Errors
    /// When it refuses.
    pub fn fill(&self, cards: &[Card]) -> Result<()> {
        if self.kind == Kind::Xandikos {
            let all = cards.iter().map(|card| (format!("{}.vcf", card.file), card.text().into()));
            let all = serde_json::Value::Object(all.collect()).to_string();
            return self.ask("MANY", &self.book(), Some(&all)).map(drop);
        }
        let all: String = cards.iter().map(Card::text).collect();
        self.ask("PUT", &format!("{}/", self.book()), Some(&all)).map(drop)
    }

    /// Adds or changes one.
    ///
    /// # Errors
    /// When the server refuses.
    pub fn put(&self, card: &Card) -> Result<()> {
        self.ask("PUT", &self.url(&card.file), Some(&card.text())).map(drop)
    }

    /// Takes one away.
    ///
    /// # Errors
    /// When the server refuses.
    pub fn remove(&self, card: &Card) -> Result<()> {
        self.ask("DELETE", &self.url(&card.file), None).map(drop)
    }

    fn url(&self, file: &str) -> String {
        format!("{}/{file}.vcf", self.book())
    }

    /// Everybody in it, by name: the number. Read by other means than those under test.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn everybody(&self) -> Result<BTreeMap<String, String>> {
        let text = match self.kind {
            Kind::Radicale => self.ask("GET", &format!("{}/", self.book()), None)?,
            Kind::Xandikos => {
                // Its files, as it keeps them.
                let folder = self.folder.join("data/user/contacts/addressbook");
                let mut text = String::new();
                for entry in std::fs::read_dir(folder)? {
                    let path = entry?.path();
                    if path.extension().is_some_and(|ending| ending == "vcf") {
                        text.push_str(&std::fs::read_to_string(path)?);
                    }
                }
                text
            }
        };
        Ok(cards(&text))
    }

    /// Gives somebody a calendar with these appointments. Xandikos has one calendar, and it is whose address this is.
    ///
    /// # Errors
    /// When the server refuses.
    pub fn calendar(&self, user: &str, name: &str, appointments: &[Appointment]) -> Result<()> {
        if self.kind == Kind::Radicale {
            let url = format!("{}/{user}/{name}/", self.address());
            return self
                .ask_as(user, "PUT", &url, Some((CALENDAR, &whole(appointments)?)))
                .map(drop);
        }
        let address = format!(
            "<D:propertyupdate xmlns:D=\"DAV:\" xmlns:C=\"urn:ietf:params:xml:ns:caldav\"><D:set><D:prop>\
             <C:calendar-user-address-set><D:href>mailto:{user}</D:href></C:calendar-user-address-set></D:prop></D:set>\
             </D:propertyupdate>"
        );
        let principal = format!("{}/user/", self.address());
        self.ask_as(user, "PROPPATCH", &principal, Some(("application/xml", &address)))?;
        for (n, one) in appointments.iter().enumerate() {
            let url = format!("{}/user/calendars/calendar/{name}-{n}.ics", self.address());
            let body = whole(std::slice::from_ref(one))?;
            self.ask_as(user, "PUT", &url, Some((CALENDAR, &body)))?;
        }
        Ok(())
    }

    /// What is in a calendar of somebody at Radicale.
    ///
    /// # Errors
    /// When the server refuses.
    pub fn calendar_text(&self, user: &str, name: &str) -> Result<String> {
        let text = self.ask_as(user, "GET", &format!("{}/{user}/{name}/", self.address()), None)?;
        Ok(text.replace("\r\n ", ""))
    }

    /// One request by a client that is not ours.
    fn ask(&self, method: &str, url: &str, body: Option<&str>) -> Result<String> {
        let body = body.map(|body| ("text/vcard; charset=utf-8", body));
        self.ask_as(&self.user, method, url, body)
    }

    fn ask_as(
        &self,
        user: &str,
        method: &str,
        url: &str,
        body: Option<(&str, &str)>,
    ) -> Result<String> {
        let mut command = Command::new(python()?);
        command.args(["-c", include_str!("../lab/dav.py"), method, url]);
        match self.kind {
            Kind::Radicale => command.arg(self.authority()).args([user, PASSWORD]),
            Kind::Xandikos => command.args(["", "", ""]),
        };
        if let Some((kind, body)) = body {
            let file = self.folder.join("body");
            std::fs::write(&file, body)?;
            command.arg(file).arg(kind);
        }
        let output = command.output()?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "{method} {url}: {said}\n{}", self.process.output());
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }
}

/// Names and numbers of cards.
fn cards(text: &str) -> BTreeMap<String, String> {
    let text = text.replace("\r\n ", "").replace("\n ", "");
    let cards = text.split("BEGIN:VCARD").skip(1).map(|card| {
        let value = |name: &str| {
            let line = card.lines().find(|line| line.starts_with(name));
            line.and_then(|line| line.split_once(':'))
                .map_or("", |(_, value)| value.trim())
                .to_owned()
        };
        (value("FN"), value("TEL"))
    });
    cards.collect()
}

fn python() -> Result<PathBuf> {
    let path = std::env::var_os("BALIE_LAB_PYTHON");
    path.map(PathBuf::from).context("the laboratory's Python is missing: cargo xtask test peers")
}

fn spawn(kind: Kind, folder: &Path) -> Result<Process> {
    let mut command = Command::new(python()?);
    let (name, port) = match kind {
        Kind::Radicale => {
            let (users, settings) = (folder.join("users"), folder.join("settings"));
            let all = std::iter::once(USER).chain(COLLEAGUES);
            let all: String = all.map(|user| format!("{user}:{PASSWORD}\n")).collect();
            std::fs::write(&users, all)?;
            let rights = folder.join("rights");
            std::fs::write(&rights, RIGHTS)?;
            let keys = folder.join("keys");
            let text = format!(
                "[server]\nhosts = {SERVER}:{RADICALE}\nssl = True\ncertificate = {keys}/server.pem\n\
                 key = {keys}/server.key\ntimeout = 120\nmax_content_length = 100000000\n\
                 [auth]\ntype = htpasswd\nhtpasswd_filename = {users}\nhtpasswd_encryption = plain\n\
                 delay = 0\n[rights]\ntype = from_file\nfile = {rights}\n[storage]\nfilesystem_folder = {data}\n[logging]\nlevel = warning\n",
                keys = keys.display(),
                users = users.display(),
                rights = rights.display(),
                data = folder.join("data").display(),
            );
            std::fs::write(&settings, text)?;
            command.args(["-m", "radicale", "--config"]).arg(&settings);
            ("radicale", RADICALE)
        }
        Kind::Xandikos => {
            command.args([
                "-m",
                "xandikos",
                "serve",
                "--defaults",
                "--current-user-principal",
                "/user/",
            ]);
            command.args(["-l", SERVER, "-p", &XANDIKOS.to_string(), "--state-dir"]);
            command.arg(folder.join("state")).arg("-d").arg(folder.join("data"));
            ("xandikos", XANDIKOS)
        }
    };
    let process = Process::start(name, &mut command, folder)?;
    crate::poll(&format!("{name} to listen"), STARTS, || {
        std::net::TcpStream::connect((SERVER, port)).ok()
    })
    .map_err(|error| error.context(process.output()))?;
    Ok(process)
}

//! slapd: a directory on the server's end of the wire, over TLS and in the clear, changed by OpenLDAP's own tools.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Result, ensure};

use crate::process::Process;
use crate::{SERVER, certificate};

/// Where its entries begin.
pub const BASE: &str = "dc=zilver,dc=test";
/// Who may read and change everything.
pub const ADMIN: &str = "cn=beheer,dc=zilver,dc=test";
/// The password for that.
pub const PASSWORD: &str = "geheim van de gids";
/// Port in the clear, and for StartTLS.
pub const PORT: u16 = 3890;
/// Port over TLS.
pub const TLS_PORT: u16 = 6360;

/// A running directory.
pub struct Directory {
    folder: PathBuf,
    process: Process,
}

/// Somebody in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// Part of the distinguished name.
    pub uid: String,
    /// Name.
    pub name: String,
    /// Number.
    pub number: String,
}

impl Person {
    /// The `n`th of many.
    #[must_use]
    pub fn nth(n: usize) -> Person {
        let (uid, number) = (format!("p{n}"), format!("+31612{:06}", 100_000 + n));
        Person { uid, name: format!("Proef Persoon-{n} van Goud"), number }
    }

    fn dn(&self) -> String {
        format!("uid={},{BASE}", self.uid)
    }

    fn entry(&self) -> String {
        format!(
            "dn: {}\nobjectClass: inetOrgPerson\nuid: {}\ncn: {}\nsn: Goud\no: Goud BV\nmobile: {}\n\n",
            self.dn(),
            self.uid,
            self.name,
            self.number
        )
    }
}

impl Directory {
    /// Starts it with these people; everything goes to `folder`. Whoever reads it must say who he is.
    ///
    /// # Errors
    /// When it does not come up.
    pub fn start(folder: &Path, people: &[Person]) -> Result<Self> {
        Self::start_for("disallow bind_anon\nrequire authc", folder, people)
    }

    /// The same, and anybody may read it.
    ///
    /// # Errors
    /// When it does not come up.
    pub fn start_open(folder: &Path, people: &[Person]) -> Result<Self> {
        Self::start_for("access to * by * read", folder, people)
    }

    fn start_for(who: &str, folder: &Path, people: &[Person]) -> Result<Self> {
        let folder = folder.join("slapd");
        std::fs::create_dir_all(folder.join("data"))?;
        certificate::make(&folder.join("keys"), &[SERVER])?;
        let settings = include_str!("../lab/slapd.conf")
            .replace("@RUN@", &folder.display().to_string())
            .replace("@WHO@", who)
            .replace("@BASE@", BASE)
            .replace("@ADMIN@", ADMIN)
            .replace("@PASSWORD@", PASSWORD);
        std::fs::write(folder.join("slapd.conf"), settings)?;
        let mut all = format!(
            "dn: {BASE}\nobjectClass: dcObject\nobjectClass: organization\no: Goud BV\ndc: zilver\n\n"
        );
        people.iter().for_each(|person| all.push_str(&person.entry()));
        std::fs::write(folder.join("people.ldif"), all)?;
        let mut fill = Command::new("/usr/sbin/slapadd");
        fill.arg("-f").arg(folder.join("slapd.conf")).arg("-l").arg(folder.join("people.ldif"));
        let output = fill.output()?;
        ensure!(output.status.success(), "slapadd: {}", String::from_utf8_lossy(&output.stderr));
        let process = spawn(&folder)?;
        Ok(Self { folder, process })
    }

    /// Its certificate's authority.
    #[must_use]
    pub fn authority(&self) -> PathBuf {
        self.folder.join("keys/ca.pem")
    }

    /// It answers nobody any more, and holds every connection.
    ///
    /// # Errors
    /// When it cannot be told so.
    pub fn freeze(&self) -> Result<()> {
        self.process.freeze()
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
        self.process = spawn(&self.folder)?;
        Ok(())
    }

    /// Adds somebody.
    ///
    /// # Errors
    /// When the directory refuses.
    pub fn add(&self, person: &Person) -> Result<()> {
        self.tool("ldapadd", &person.entry())
    }

    /// Gives somebody another name and number.
    ///
    /// # Errors
    /// When the directory refuses.
    pub fn change(&self, person: &Person) -> Result<()> {
        let text = format!(
            "dn: {}\nchangetype: modify\nreplace: cn\ncn: {}\n-\nreplace: mobile\nmobile: {}\n",
            person.dn(),
            person.name,
            person.number
        );
        self.tool("ldapmodify", &text)
    }

    /// Takes somebody away.
    ///
    /// # Errors
    /// When the directory refuses.
    pub fn remove(&self, person: &Person) -> Result<()> {
        self.tool("ldapmodify", &format!("dn: {}\nchangetype: delete\n", person.dn()))
    }

    fn tool(&self, name: &str, text: &str) -> Result<()> {
        let mut child = Command::new(name)
            .args(["-x", "-H", &format!("ldap://{SERVER}:{PORT}"), "-D", ADMIN, "-w", PASSWORD])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()?;
        if let Some(mut stdin) = child.stdin.take() {
            stdin.write_all(text.as_bytes())?;
        }
        let output = child.wait_with_output()?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "{name}: {said}\n{}", self.process.output());
        Ok(())
    }

    /// Everybody in it, by name: the number. Read by other means than those under test.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn everybody(&self) -> Result<BTreeMap<String, String>> {
        let output = Command::new("ldapsearch")
            .args(["-x", "-LLL", "-o", "ldif-wrap=no", "-E", "pr=200/noprompt"])
            .args(["-H", &format!("ldap://{SERVER}:{PORT}"), "-D", ADMIN, "-w", PASSWORD])
            .args(["-b", BASE, "(objectClass=inetOrgPerson)", "cn", "mobile"])
            .output()?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "ldapsearch: {said}");
        Ok(people(&String::from_utf8_lossy(&output.stdout), "cn:"))
    }
}

/// Everybody in an answer of OpenLDAP's tools, by what this attribute says: the number.
pub(crate) fn people(ldif: &str, name: &str) -> BTreeMap<String, String> {
    let entries = ldif.split("\n\n").filter_map(|entry| {
        let value = |name: &str| {
            let line = entry.lines().find_map(|line| line.strip_prefix(name));
            line.map(|value| value.trim().to_owned())
        };
        Some((value(name)?, value("mobile:")?))
    });
    entries.collect()
}

fn spawn(folder: &Path) -> Result<Process> {
    let mut command = Command::new("/usr/sbin/slapd");
    let listen = format!("ldap://{SERVER}:{PORT} ldaps://{SERVER}:{TLS_PORT}");
    command.args(["-d", "0", "-h", &listen, "-f"]).arg(folder.join("slapd.conf"));
    let process = Process::start("slapd", &mut command, folder)?;
    crate::poll("slapd to listen", Duration::from_secs(30), || {
        std::net::TcpStream::connect((SERVER, TLS_PORT)).ok()
    })
    .map_err(|error| error.context(process.output()))?;
    Ok(process)
}

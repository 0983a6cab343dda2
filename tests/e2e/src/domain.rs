//! Samba as a domain controller of Active Directory, on the server's end of the wire, changed by OpenLDAP's own tools. Like
//! Microsoft's it takes a name and a password over TLS only.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Result, ensure};

use crate::directory::{Person, people};
use crate::process::Process;
use crate::{SERVER, certificate};

/// The whole domain.
pub const DOMAIN: &str = "DC=zilver,DC=test";
/// Where the people are.
pub const BASE: &str = "OU=Mensen,DC=zilver,DC=test";
/// Who may read and change everything, as people write it there.
pub const ADMIN: &str = "Administrator@zilver.test";
/// The password for that.
pub const PASSWORD: &str = "Geheim-van-1-domein";
/// Port over TLS.
pub const TLS_PORT: u16 = 636;
/// Port in the clear, and for StartTLS.
pub const PORT: u16 = 389;

/// A running domain controller.
pub struct Domain {
    folder: PathBuf,
    process: Process,
}

fn dn(person: &Person) -> String {
    format!("CN={},{BASE}", person.uid)
}

fn entry(person: &Person) -> String {
    format!(
        "dn: {}\nobjectClass: contact\ndisplayName: {}\ncompany: Goud BV\nmobile: {}\n\n",
        dn(person),
        person.name,
        person.number
    )
}

impl Domain {
    /// Makes a domain with these people and starts it; everything goes to `folder`.
    ///
    /// # Errors
    /// When it cannot be made, or does not come up.
    pub fn start(folder: &Path, people: &[Person]) -> Result<Self> {
        let folder = folder.join("samba");
        std::fs::create_dir_all(folder.join("run"))?;
        let keys = folder.join("keys");
        certificate::make(&keys, &[SERVER])?;
        // Samba does not use a key that others may read.
        std::fs::set_permissions(keys.join("server.key"), std::fs::Permissions::from_mode(0o600))?;
        let output = Command::new("samba-tool")
            .args(["domain", "provision", "--realm=ZILVER.TEST", "--domain=ZILVER"])
            .args(["--server-role=dc", "--dns-backend=NONE", "--host-name=dc1"])
            .args([&format!("--host-ip={SERVER}"), &format!("--adminpass={PASSWORD}")])
            .arg(format!("--targetdir={}", folder.display()))
            .output()?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "samba-tool domain provision: {said}");
        let settings = include_str!("../lab/samba.conf")
            .replace("@RUN@", &folder.display().to_string())
            .replace("@SERVER@", SERVER);
        std::fs::write(folder.join("smb.conf"), settings)?;
        let process = spawn(&folder)?;
        let domain = Self { folder, process };
        let mut all = format!("dn: {BASE}\nobjectClass: organizationalUnit\n\n");
        people.iter().for_each(|person| all.push_str(&entry(person)));
        domain.tool("ldapadd", &all)?;
        Ok(domain)
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
    /// When the domain refuses.
    pub fn add(&self, person: &Person) -> Result<()> {
        self.tool("ldapadd", &entry(person))
    }

    /// Gives somebody another name and number.
    ///
    /// # Errors
    /// When the domain refuses.
    pub fn change(&self, person: &Person) -> Result<()> {
        let text = format!(
            "dn: {}\nchangetype: modify\nreplace: displayName\ndisplayName: {}\n-\nreplace: mobile\nmobile: {}\n",
            dn(person),
            person.name,
            person.number
        );
        self.tool("ldapmodify", &text)
    }

    /// Takes somebody away.
    ///
    /// # Errors
    /// When the domain refuses.
    pub fn remove(&self, person: &Person) -> Result<()> {
        self.tool("ldapmodify", &format!("dn: {}\nchangetype: delete\n", dn(person)))
    }

    fn command(&self, name: &str) -> Command {
        let mut command = Command::new(name);
        command
            .args([
                "-x",
                "-H",
                &format!("ldaps://{SERVER}:{TLS_PORT}"),
                "-D",
                ADMIN,
                "-w",
                PASSWORD,
            ])
            .env("LDAPTLS_CACERT", self.authority());
        command
    }

    fn tool(&self, name: &str, text: &str) -> Result<()> {
        let mut child = self
            .command(name)
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
        let output = self
            .command("ldapsearch")
            .args(["-LLL", "-o", "ldif-wrap=no", "-E", "pr=200/noprompt"])
            .args(["-b", BASE, "(objectClass=contact)", "displayName", "mobile"])
            .output()?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "ldapsearch: {said}");
        Ok(people(&String::from_utf8_lossy(&output.stdout), "displayName:"))
    }
}

fn spawn(folder: &Path) -> Result<Process> {
    let mut command = Command::new("/usr/sbin/samba");
    command.args(["-i", "-M", "single", "-s"]).arg(folder.join("smb.conf"));
    let process = Process::start("samba", &mut command, folder)?;
    crate::poll("samba to listen", Duration::from_secs(60), || {
        std::net::TcpStream::connect((SERVER, TLS_PORT)).ok()
    })
    .map_err(|error| error.context(process.output()))?;
    Ok(process)
}

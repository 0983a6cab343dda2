//! Rooms that only reach the server: network namespaces with one wire each into the namespace where the servers are.
//! Nothing is passed on there, so that two rooms reach each other through a server or not at all.
//!
//! A room's namespace belongs to a sleeping process and goes with it; nothing is left behind.

use std::io::BufRead as _;
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, Result, bail, ensure};

/// One room.
pub struct Room {
    holder: Child,
    number: u8,
}

impl Room {
    /// Builds the room with this number, 1 to 200, at its first address.
    ///
    /// # Errors
    /// When the system has no namespaces or we are not root in ours.
    pub fn build(number: u8) -> Result<Self> {
        let mut holder = Command::new("unshare")
            .args(["--net", "sh", "-c", "echo ready && exec sleep infinity"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot unshare a namespace")?;
        let mut line = String::new();
        let stdout = holder.stdout.take().context("no standard output")?;
        std::io::BufReader::new(stdout).read_line(&mut line)?;
        let room = Self { holder, number };
        ensure!(line.trim() == "ready", "the room was not built");
        let id = room.holder.id();
        ip(&format!("link add room{number} type veth peer name wire netns {id}"))?;
        ip(&format!("addr add 10.97.{number}.1/24 dev room{number}"))?;
        ip(&format!("link set room{number} up"))?;
        room.ip("link set lo up")?;
        room.ip("link set wire up")?;
        room.takes_address(2)?;
        Ok(room)
    }

    /// Gives the room another address in place of the one it has.
    ///
    /// # Errors
    /// When `ip` fails.
    pub fn takes_address(&self, host: u8) -> Result<()> {
        let net = format!("10.97.{}", self.number);
        self.ip("addr flush dev wire")?;
        self.ip(&format!("addr add {net}.{host}/24 dev wire"))?;
        self.ip(&format!("route replace default via {net}.1 dev wire src {net}.{host}"))
    }

    /// Lets no datagram out to these ports.
    ///
    /// # Errors
    /// When `ip` fails.
    pub fn bars(&self, ports: &str) -> Result<()> {
        self.ip(&format!("rule add ipproto udp dport {ports} blackhole"))
    }

    /// A command that runs in the room.
    #[must_use]
    pub fn enter(&self, program: &str) -> Command {
        let mut command = Command::new("nsenter");
        let id = self.holder.id().to_string();
        command.args(["-t", &id, "--net", "--", program]);
        command
    }

    fn ip(&self, arguments: &str) -> Result<()> {
        done(self.enter("ip").args(arguments.split_whitespace()))
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        let _ = self.holder.kill();
        let _ = self.holder.wait();
        // The far end goes with the namespace, in the kernel's own time; the next room needs its name.
        let far = format!("room{}", self.number);
        let _ = Command::new("ip").args(["link", "del", &far]).stderr(Stdio::null()).status();
    }
}

fn ip(arguments: &str) -> Result<()> {
    done(Command::new("ip").args(arguments.split_whitespace()))
}

fn done(command: &mut Command) -> Result<()> {
    let output = command.output().with_context(|| format!("cannot run {command:?}"))?;
    if !output.status.success() {
        bail!("{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(())
}

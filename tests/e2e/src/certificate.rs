//! The laboratory's own certificate authority, made anew at every start.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, ensure};

/// Name that the server's certificate holds besides its addresses.
pub const NAME: &str = "pbx.lab.test";

/// What openssl is asked for; its own settings file differs from system to system.
const SETTINGS: &str = "[req]\ndistinguished_name=name\nprompt=no\n[name]\nCN=Laboratory\n\
    [authority]\nbasicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\n\
    subjectKeyIdentifier=hash\n\
    [server]\nbasicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\n\
    extendedKeyUsage=serverAuth\nsubjectAltName=@names\n\
    [names]\n";

/// Makes an authority and a server's certificate that holds `addresses` and [`NAME`]: `ca.pem`, `server.pem` and
/// `server.key` in `folder`. Gives back the path of the authority's certificate.
///
/// # Errors
/// When openssl refuses or is missing.
pub fn make(folder: &Path, addresses: &[&str]) -> Result<PathBuf> {
    let names: String =
        addresses.iter().enumerate().map(|(at, ip)| format!("IP.{at}={ip}\n")).collect();
    std::fs::create_dir_all(folder)?;
    std::fs::write(folder.join("openssl.cnf"), format!("{SETTINGS}{names}DNS.0={NAME}\n"))?;
    let key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
    let request = [&["req", "-config", "openssl.cnf"][..], &key].concat();
    let authority =
        ["-x509", "-extensions", "authority", "-days", "2", "-keyout", "ca.key", "-out", "ca.pem"];
    openssl(folder, &[&request[..], &authority].concat())?;
    openssl(folder, &[&request[..], &["-keyout", "server.key", "-out", "server.csr"]].concat())?;
    let signed = ["x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key"];
    let with =
        ["-CAcreateserial", "-days", "2", "-extfile", "openssl.cnf", "-extensions", "server"];
    openssl(folder, &[&signed[..], &with, &["-out", "server.pem"]].concat())?;
    Ok(folder.join("ca.pem"))
}

fn openssl(folder: &Path, arguments: &[&str]) -> Result<()> {
    let output = Command::new("openssl").args(arguments).current_dir(folder).output()?;
    ensure!(
        output.status.success(),
        "openssl {arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(())
}

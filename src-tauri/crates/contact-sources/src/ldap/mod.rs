//! Directories by LDAP (RFC 4511), Active Directory among them: signed in by name and password or as nobody, over TLS,
//! StartTLS or in the clear where that is chosen; read in pages (RFC 2696). What has changed is asked for by the entries'
//! own marks; what is gone is found by going through all ids.

mod driver;
mod guard;
mod map;
mod plan;

use trust::Anchors;

pub(crate) use driver::Ldap;

/// How the way to the server is kept from others.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Encryption {
    /// TLS from the first byte (`ldaps`, port 636).
    #[default]
    Tls,
    /// TLS before anything else is said (RFC 4511 section 4.14, port 389).
    StartTls,
    /// In the clear (port 389).
    None,
}

/// What an attribute is read as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DirectoryField {
    /// Name.
    Name,
    /// Company.
    Company,
    /// Department.
    Department,
    /// Function.
    JobTitle,
    /// E-mail address.
    Email,
    /// Remark.
    Remark,
    /// A number of this kind.
    Number(contacts::import::Label),
}

/// A directory and what is read of it.
#[derive(Debug, Clone, Default)]
pub struct LdapSettings {
    /// Host name or address; or a domain, whose servers the name service tells (RFC 2782, `_ldap._tcp`).
    pub host: String,
    /// Port; 0: the usual one, or the one that the name service tells.
    pub port: u16,
    /// How the way there is kept from others.
    pub encryption: Encryption,
    /// Who signs in: a distinguished name, or what Active Directory takes (`jan@company.example`). Empty: nobody.
    pub user: String,
    /// Where the search begins; what the server names first when empty.
    pub base: String,
    /// Whom to take (RFC 4515); people and contacts when empty.
    pub filter: String,
    /// Which attributes are read as what, for those that are not read as usual; the first that an entry has counts, of numbers all.
    pub attributes: Vec<(DirectoryField, Vec<String>)>,
    /// Authorities that are trusted besides the platform's.
    pub anchors: Anchors,
}

//! `application/rlmi+xml`: which resources a list holds and where in the body their states are
//! (RFC 4662 section 5).

use crate::{
    DocumentError,
    xml::{Element, Writer},
};

const SPACE: &str = "urn:ietf:params:xml:ns:rlmi";

/// A list, or what changed in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResourceList {
    /// The list's URI.
    pub uri: String,
    /// Counts the documents of one subscription from 0.
    pub version: u32,
    /// All resources are in here (`fullState`): what is missing is no longer in the list.
    pub full: bool,
    /// The resources, in the list's order. The same URI may come several times.
    pub resources: Vec<Resource>,
}

/// One resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resource {
    /// Its URI.
    pub uri: String,
    /// What people call it: the first name, whatever its language.
    pub name: Option<String>,
    /// Its subscriptions; none as long as the server has none.
    pub instances: Vec<Instance>,
}

/// One subscription of the server's to a resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instance {
    /// Its name within the resource.
    pub id: String,
    /// How it stands.
    pub state: InstanceState,
    /// Why it was terminated.
    pub reason: Option<String>,
    /// The Content-ID of the part that holds its state, without angle brackets.
    pub cid: Option<String>,
}

/// How an instance stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InstanceState {
    /// It is told of.
    Active,
    /// Not yet.
    Pending,
    /// Not any more.
    Terminated,
    /// A word the standard does not have.
    Other(String),
}

impl ResourceList {
    /// Reads a document.
    ///
    /// # Errors
    /// When it is no well-formed `list`, or too large. A resource without a URI is passed over.
    pub fn read(bytes: &[u8]) -> Result<Self, DocumentError> {
        let root = Element::read(bytes, &[SPACE], "list")?;
        let full = root.attribute("fullState").map(str::to_ascii_lowercase);
        Ok(Self {
            uri: root.attribute("uri").unwrap_or_default().to_owned(),
            version: root.number("version").unwrap_or(0),
            full: !matches!(full.as_deref(), Some("false" | "0")),
            resources: root.all("resource").filter_map(read_resource).collect(),
        })
    }

    /// The document as text.
    #[must_use]
    pub fn write(&self) -> String {
        let mut writer = Writer::new();
        writer.start("list").with("xmlns", SPACE).with("uri", &self.uri);
        writer.with("version", self.version).with("fullState", self.full);
        for resource in &self.resources {
            writer.start("resource").with("uri", &resource.uri);
            writer.leaf_some("name", resource.name.as_ref());
            for instance in &resource.instances {
                let state = match &instance.state {
                    InstanceState::Active => "active",
                    InstanceState::Pending => "pending",
                    InstanceState::Terminated => "terminated",
                    InstanceState::Other(word) => word,
                };
                writer.start("instance").with("id", &instance.id).with("state", state);
                writer.with_some("reason", instance.reason.as_ref());
                writer.with_some("cid", instance.cid.as_ref()).end();
            }
            writer.end();
        }
        writer.finish()
    }
}

fn read_resource(element: &Element) -> Option<Resource> {
    Some(Resource {
        uri: element.attribute_text("uri")?,
        name: element.child_text("name"),
        instances: element.all("instance").map(read_instance).collect(),
    })
}

fn read_instance(element: &Element) -> Instance {
    let word = element.attribute("state").unwrap_or("active").to_ascii_lowercase();
    let cid = element.attribute_text("cid");
    Instance {
        id: element.attribute("id").unwrap_or_default().to_owned(),
        state: match word.as_str() {
            "active" => InstanceState::Active,
            "pending" => InstanceState::Pending,
            "terminated" => InstanceState::Terminated,
            _ => InstanceState::Other(word),
        },
        reason: element.attribute_text("reason"),
        cid: cid.map(|cid| cid.trim_matches(['<', '>']).to_owned()).filter(|cid| !cid.is_empty()),
    }
}

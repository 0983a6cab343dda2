//! A resource list together with the states its body holds (RFC 4662).

use std::collections::HashMap;

use crate::{
    DocumentError, Instance, Resource, ResourceList,
    multipart::{is_type, parameter, read_parts},
};

/// Lists inside lists that are followed.
const NESTED: usize = 3;

/// A `multipart/related` body with its list and the parts the list points to.
#[derive(Clone, Debug)]
pub struct EventList<'a> {
    /// The list.
    pub list: ResourceList,
    parts: HashMap<String, (String, &'a [u8])>,
}

impl<'a> EventList<'a> {
    /// Reads a body, or a bare `application/rlmi+xml` document.
    ///
    /// # Errors
    /// When it is neither, or holds no list.
    pub fn read(content_type: &str, body: &'a [u8]) -> Result<Self, DocumentError> {
        if is_type(content_type, "application/rlmi+xml") {
            return Ok(Self { list: ResourceList::read(body)?, parts: HashMap::new() });
        }
        let mut parts = read_parts(content_type, body)?;
        let start = parameter(content_type, "start");
        let start = start.map(|start| start.trim_matches(['<', '>']).to_owned());
        let named = parts.iter().position(|part| start.is_some() && part.content_id == start);
        let listed = || parts.iter().position(|part| part.is("application/rlmi+xml"));
        let at = named.or_else(listed).ok_or(DocumentError::Missing("list"))?;
        let list = ResourceList::read(parts.swap_remove(at).body)?;
        let mut found = HashMap::new();
        for part in parts {
            if let Some(id) = part.content_id {
                found.insert(id, (part.content_type, part.body));
            }
        }
        Ok(Self { list, parts: found })
    }

    /// The state that an instance points to: its type and its document. `None` if the list names no
    /// part, or one that is not there: then the state is to be asked for anew.
    #[must_use]
    pub fn state(&self, instance: &Instance) -> Option<(&str, &'a [u8])> {
        let (content_type, body) = self.parts.get(instance.cid.as_ref()?)?;
        Some((content_type, body))
    }

    /// Whether an instance points to a part that is not there.
    #[must_use]
    pub fn has_dangling(&self) -> bool {
        let instances = self.list.resources.iter().flat_map(|resource| &resource.instances);
        instances.filter(|i| i.cid.is_some()).any(|instance| self.state(instance).is_none())
    }

    /// Calls `each` for every resource, lists inside the list unfolded (three deep). A list that
    /// cannot be read counts as a resource without a state.
    pub fn each(&self, each: &mut impl FnMut(&Resource, &Self)) {
        self.each_to(NESTED, each);
    }

    fn each_to(&self, depth: usize, each: &mut impl FnMut(&Resource, &Self)) {
        for resource in &self.list.resources {
            let states = resource.instances.iter().filter_map(|instance| self.state(instance));
            let lists = states
                .filter(|(kind, _)| depth > 0 && is_type(kind, "multipart/related"))
                .filter_map(|(kind, body)| EventList::read(kind, body).ok());
            let lists: Vec<_> = lists.collect();
            match lists.is_empty() {
                true => each(resource, self),
                false => lists.iter().for_each(|list| list.each_to(depth - 1, &mut *each)),
            }
        }
    }
}

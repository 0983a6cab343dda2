//! A document on its way out, as a tree: names without prefixes, which the writer gives them.

/// One element.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Element {
    pub(crate) name: &'static str,
    /// The polymorphic type (`type` of the schema instance), without its prefix.
    pub(crate) kind: Option<&'static str>,
    /// `nil` of the schema instance.
    pub(crate) nil: bool,
    pub(crate) attributes: Vec<(&'static str, String)>,
    pub(crate) text: Option<String>,
    pub(crate) children: Vec<Element>,
}

impl Element {
    /// An empty element; as a flag its presence means true.
    pub(crate) fn new(name: &'static str) -> Self {
        Self { name, ..Self::default() }
    }

    /// An element with text.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "numbers and references alike, as callers have them"
    )]
    pub(crate) fn leaf(name: &'static str, text: impl ToString) -> Self {
        Self { name, text: Some(text.to_string()), ..Self::default() }
    }

    /// With its polymorphic type.
    pub(crate) fn typed(mut self, kind: &'static str) -> Self {
        self.kind = Some(kind);
        self
    }

    /// With an attribute.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "numbers and references alike, as callers have them"
    )]
    pub(crate) fn attribute(mut self, name: &'static str, value: impl ToString) -> Self {
        self.attributes.push((name, value.to_string()));
        self
    }

    /// With one more child.
    pub(crate) fn with(mut self, child: Element) -> Self {
        self.children.push(child);
        self
    }

    /// With more children.
    pub(crate) fn all(mut self, children: impl IntoIterator<Item = Element>) -> Self {
        self.children.extend(children);
        self
    }

    /// With a child that holds text.
    pub(crate) fn field(self, name: &'static str, text: impl ToString) -> Self {
        self.with(Self::leaf(name, text))
    }

    /// With a child that holds text, if there is any.
    pub(crate) fn maybe(self, name: &'static str, text: Option<impl ToString>) -> Self {
        match text {
            Some(text) => self.field(name, text),
            None => self,
        }
    }

    /// With a child that holds text, or is `nil`.
    #[cfg(test)]
    pub(crate) fn or_nil(self, name: &'static str, text: Option<impl ToString>) -> Self {
        match text {
            Some(text) => self.field(name, text),
            None => self.with(Self { name, nil: true, ..Self::default() }),
        }
    }

    /// With an empty child, if it is so.
    pub(crate) fn flag(self, name: &'static str, is_so: bool) -> Self {
        if is_so { self.with(Self::new(name)) } else { self }
    }

    /// Whether any element needs the schema instance's namespace.
    pub(crate) fn is_instance(&self) -> bool {
        self.kind.is_some() || self.nil || self.children.iter().any(Self::is_instance)
    }

    /// The first child of that name, at any depth.
    #[cfg(test)]
    pub(crate) fn find(&self, name: &str) -> Option<&Self> {
        let own = self.children.iter().find(|child| child.name == name);
        own.or_else(|| self.children.iter().find_map(|child| child.find(name)))
    }
}

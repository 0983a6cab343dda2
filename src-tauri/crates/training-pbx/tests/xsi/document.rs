//! Documents as the tests read them: a small reader of their own, by namespace and never by prefix.

/// The namespace that everything is in.
const SPACE: &str = "http://schema.broadsoft.com/xsi";
const INSTANCE: &str = "http://www.w3.org/2001/XMLSchema-instance";

/// One element.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Node {
    pub(crate) name: String,
    /// Whether it is in the namespace.
    pub(crate) is_bound: bool,
    /// Its polymorphic type, without prefix.
    pub(crate) kind: Option<String>,
    pub(crate) attributes: Vec<(String, String)>,
    pub(crate) text: String,
    pub(crate) children: Vec<Node>,
}

/// A tag with the prefixes that hold inside it.
type Scope = Vec<(String, String)>;

impl Node {
    /// Reads one document.
    pub(crate) fn read(text: &str) -> Self {
        let mut stack: Vec<(Node, Scope)> = vec![(Node::default(), Scope::new())];
        let mut rest = text;
        while let Some(at) = rest.find('<') {
            let inside = unescape(&rest[..at]);
            stack.last_mut().unwrap().0.text.push_str(&inside);
            let end =
                at + rest[at..].find('>').unwrap_or_else(|| panic!("no end of a tag: {text}"));
            let tag = &rest[at + 1..end];
            rest = &rest[end + 1..];
            if tag.starts_with('?') {
                continue;
            }
            if tag.starts_with('/') {
                let (node, _) = stack.pop().unwrap();
                stack.last_mut().unwrap().0.children.push(node);
                continue;
            }
            let opened = open(tag.trim_end_matches('/'), &stack.last().unwrap().1);
            match tag.ends_with('/') {
                true => stack.last_mut().unwrap().0.children.push(opened.0),
                false => stack.push(opened),
            }
        }
        assert_eq!(stack.len(), 1, "an element without an end: {text}");
        let mut all = stack.pop().unwrap().0.children;
        assert_eq!(all.len(), 1, "not one document: {text}");
        all.remove(0)
    }

    /// The length of the first complete document in a text, if there is one.
    pub(crate) fn complete(bytes: &[u8]) -> Option<usize> {
        let mut depth = 0_i32;
        let mut at = 0;
        loop {
            let start = at + bytes[at..].iter().position(|&byte| byte == b'<')?;
            let end = start + bytes[start..].iter().position(|&byte| byte == b'>')?;
            let (first, last) = (bytes[start + 1], bytes[end - 1]);
            at = end + 1;
            match (first, last) {
                (b'?', _) => continue,
                (b'/', _) => depth -= 1,
                (_, b'/') => {}
                _ => depth += 1,
            }
            if depth == 0 {
                return Some(at);
            }
        }
    }

    pub(crate) fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }

    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Self> {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// The text of a child.
    pub(crate) fn value(&self, name: &str) -> Option<&str> {
        self.child(name).map(|child| child.text.as_str())
    }

    /// The text of a descendant, by the names on the way.
    pub(crate) fn at(&self, path: &[&str]) -> Option<&str> {
        let mut node = self;
        for name in path {
            node = node.child(name)?;
        }
        Some(&node.text)
    }

    pub(crate) fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The names of the children, those that repeat once.
    pub(crate) fn names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.children.iter().map(|child| child.name.as_str()).collect();
        names.dedup();
        names
    }

    /// Whether all of it is in the namespace.
    pub(crate) fn all_bound(&self) -> bool {
        self.is_bound && self.children.iter().all(Self::all_bound)
    }
}

fn open(tag: &str, outer: &Scope) -> (Node, Scope) {
    let mut scope = outer.clone();
    let (name, mut rest) = tag.split_once(char::is_whitespace).unwrap_or((tag, ""));
    let mut given = Vec::new();
    while let Some((key, value)) = rest.split_once('=') {
        let value = value.trim_start();
        let quote = &value[..1];
        let (value, after) = value[1..].split_once(quote).unwrap();
        given.push((key.trim().to_owned(), unescape(value)));
        rest = after;
    }
    for (key, value) in &given {
        if key == "xmlns" {
            scope.push((String::new(), value.clone()));
        } else if let Some(prefix) = key.strip_prefix("xmlns:") {
            scope.push((prefix.to_owned(), value.clone()));
        }
    }
    let space = |prefix: &str| {
        let found = scope.iter().rev().find(|(known, _)| known == prefix);
        found.map(|(_, space)| space.clone()).unwrap_or_default()
    };
    let (prefix, local) = name.split_once(':').unwrap_or(("", name));
    let mut node =
        Node { name: local.to_owned(), is_bound: space(prefix) == SPACE, ..Node::default() };
    for (key, value) in given.into_iter().filter(|(key, _)| !key.starts_with("xmlns")) {
        match key.split_once(':') {
            Some((prefix, "type")) if space(prefix) == INSTANCE => {
                let (prefix, kind) = value.split_once(':').unwrap_or(("", &value));
                assert_eq!(space(prefix), SPACE, "the type {value}");
                node.kind = Some(kind.to_owned());
            }
            Some((prefix, "nil")) if space(prefix) == INSTANCE => {}
            _ => node.attributes.push((key, value)),
        }
    }
    (node, scope)
}

fn unescape(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        plain.push_str(before);
        let (entity, after) = after.split_once(';').unwrap();
        match entity {
            "amp" => plain.push('&'),
            "lt" => plain.push('<'),
            "gt" => plain.push('>'),
            "quot" => plain.push('"'),
            number => {
                let code = number.trim_start_matches('#').parse().unwrap();
                plain.push(char::from_u32(code).unwrap());
            }
        }
        rest = after;
    }
    plain.push_str(rest);
    plain
}

#[test]
fn documents_are_read_by_namespace() {
    let text = "<?xml version=\"1.0\"?>\n<a:Event b:type=\"a:X\" xmlns:a=\"http://schema.broadsoft.com/xsi\" \
        xmlns:b=\"http://www.w3.org/2001/XMLSchema-instance\"><a:x y=\"1\">&lt;&#305;</a:x><a:f/></a:Event>";
    assert_eq!(Node::complete(text.as_bytes()), Some(text.len()));
    assert_eq!(Node::complete(&text.as_bytes()[..text.len() - 1]), None);
    let node = Node::read(text);
    assert_eq!((node.name.as_str(), node.kind.as_deref()), ("Event", Some("X")));
    assert_eq!((node.value("x"), node.names()), (Some("<ı"), vec!["x", "f"]));
    assert_eq!(node.child("x").unwrap().attribute("y"), Some("1"));
    assert!(node.all_bound() && !Node::read("<a/>").is_bound);
}

//! JSON in the BadgerFish manner as the same tree as XML (reference, section 2, "JSON"): the text of an
//! element stands in `$`, attributes behind `@`; one element is an object, several of a name an array.

use serde_json::{Map, Value};

use crate::{
    DocumentError, limits,
    xml::{Attribute, Budget, Element, Space, decode},
};

/// Reads a document.
///
/// # Errors
/// What [`DocumentError`] says.
pub fn read(bytes: &[u8], content_type: Option<&str>) -> Result<Element, DocumentError> {
    if bytes.len() > limits::DOCUMENT {
        return Err(DocumentError::TooLarge);
    }
    let text = decode(bytes, content_type)?;
    let value: Value = serde_json::from_str(&text).map_err(|_| DocumentError::Malformed)?;
    let Value::Object(members) = value else { return Err(DocumentError::Malformed) };
    let mut roots = members.into_iter().filter(|(key, _)| !key.starts_with(['@', '$']));
    let (Some((key, value)), None) = (roots.next(), roots.next()) else {
        return Err(DocumentError::Malformed);
    };
    let mut holder = Element::default();
    add(&mut holder, &key, value, 0, &mut Budget::default())?;
    match (holder.children.pop(), holder.children.is_empty()) {
        (Some(root), true) => Ok(root),
        _ => Err(DocumentError::Malformed),
    }
}

/// Adds what `key` says to `parent`: one child, or several.
fn add(
    parent: &mut Element,
    key: &str,
    value: Value,
    depth: usize,
    budget: &mut Budget,
) -> Result<(), DocumentError> {
    let name = local(key).1;
    match value {
        Value::Array(values) => {
            // An array inside an array is no element.
            if values.iter().any(Value::is_array) {
                return Err(DocumentError::Malformed);
            }
            values.into_iter().try_for_each(|value| add(parent, key, value, depth, budget))
        }
        Value::Object(members) => {
            budget.spend(depth)?;
            let mut element = Element { name: name.to_owned(), ..Element::default() };
            fill(&mut element, members, depth, budget)?;
            parent.children.push(element);
            Ok(())
        }
        other => {
            budget.spend(depth)?;
            let text = plain(&other);
            parent.children.push(Element { name: name.to_owned(), text, ..Element::default() });
            Ok(())
        }
    }
}

fn fill(
    element: &mut Element,
    members: Map<String, Value>,
    depth: usize,
    budget: &mut Budget,
) -> Result<(), DocumentError> {
    for (key, value) in members {
        if key == "$" {
            element.text = plain(&value);
        } else if let Some(name) = key.strip_prefix('@') {
            if name == "xmlns" || name.starts_with("xmlns") || value.is_object() {
                continue;
            }
            if element.attributes.len() >= limits::ATTRIBUTES {
                return Err(DocumentError::TooLarge);
            }
            let (prefixed, name) = local(name);
            let space = if prefixed { Space::Instance } else { Space::Xsi };
            element.attributes.push(Attribute {
                space,
                name: name.to_owned(),
                value: plain(&value),
            });
        } else {
            add(element, &key, value, depth + 1, budget)?;
        }
    }
    Ok(())
}

/// Whether there was a prefix, and the name without it.
fn local(key: &str) -> (bool, &str) {
    key.rsplit_once([':', '.']).map_or((false, key), |(_, name)| (true, name))
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        Value::Bool(yes) => yes.to_string(),
        Value::Null | Value::Array(_) | Value::Object(_) => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::read;
    use crate::{DocumentError, limits, xml};

    #[test]
    fn one_is_an_object_and_several_are_an_array() {
        let one = br#"{"Group":{"@xmlns":{"$":"http://schema.broadsoft.com/xsi"},
            "groupDirectory":{"directoryDetails":{"userId":{"$":"a@b"},"extension":{"$":101}}}}}"#;
        let several = br#"{"Group":{"groupDirectory":{"directoryDetails":[{"userId":{"$":"a@b"}},{"userId":"c@d"}]}}}"#;
        let one = read(one, Some("application/json")).unwrap();
        let entry = one.listed("groupDirectory", "directoryDetails").next().unwrap();
        assert_eq!(
            (entry.string("userId").as_str(), entry.number("extension")),
            ("a@b", Some(101))
        );
        let several = read(several, None).unwrap();
        let ids: Vec<_> = several
            .listed("groupDirectory", "directoryDetails")
            .map(|one| one.string("userId"))
            .collect();
        assert_eq!(ids, ["a@b", "c@d"]);
    }

    #[test]
    fn it_is_the_same_tree_as_xml() {
        let json = r#"{"Calls":{"call":{"@inConference":"true","callId":{"$":"callhalf-1:0"},"gone":{"@xsi:nil":"true"}}}}"#;
        let markup = "<Calls xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance'><call inConference='true'>\
                      <callId>callhalf-1:0</callId><gone xsi:nil='true'/></call></Calls>";
        assert_eq!(read(json.as_bytes(), None), xml::read(markup.as_bytes(), None));
    }

    #[test]
    fn what_is_no_badgerfish_is_refused() {
        for text in [
            "",
            "[]",
            "1",
            "{}",
            "{\"a\":1,\"b\":2}",
            "{\"a\":[[1]]}",
            "{\"a\":[1,2]}",
            "{\"a\":[]}",
            "{\"a\":",
        ] {
            assert_eq!(read(text.as_bytes(), None), Err(DocumentError::Malformed), "{text}");
        }
        let deep = format!("{}1{}", "{\"a\":".repeat(100), "}".repeat(100));
        assert_eq!(read(deep.as_bytes(), None), Err(DocumentError::TooLarge));
        let wide = format!("{{\"a\":{{\"b\":[{}1]}}}}", "1,".repeat(limits::ELEMENTS));
        assert_eq!(read(wide.as_bytes(), None), Err(DocumentError::TooLarge));
    }
}

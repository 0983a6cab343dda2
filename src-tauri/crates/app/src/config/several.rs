//! One text, or a list of them: how a setting that once was one may become several. Empty text means "none"; what is none
//! or one is written as text, so that an older program reads it too.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Reads a text or a list of texts, without the empty ones.
///
/// # Errors
/// When it is neither.
pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Form {
        One(String),
        Several(Vec<String>),
    }
    let list = match Option::<Form>::deserialize(from) {
        Ok(None) => Vec::new(),
        Ok(Some(Form::One(one))) => vec![one],
        Ok(Some(Form::Several(several))) => several,
        Err(_) => return Err(D::Error::custom("this is a text or a list of them")),
    };
    Ok(list.into_iter().filter(|text| !text.is_empty()).collect())
}

/// Writes a text for none or one, a list for several.
///
/// # Errors
/// Those of the serializer.
pub(crate) fn serialize<S: Serializer>(list: &[String], to: S) -> Result<S::Ok, S::Error> {
    match list {
        [] => to.serialize_str(""),
        [one] => to.serialize_str(one),
        several => several.serialize(to),
    }
}

//! Values as JSON and back, with nothing lost. JSON has fewer types than the language: `VrlValue` in `values.ts` tells
//! the forms of the others.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Map, Value as Json, json};
use std::sync::Arc;
use vrl::prelude::{Bytes, NotNan, ObjectMap, Value};
use vrl::value::ValueRegex;

const BYTES: &str = "$bytes";
const DATE: &str = "$date";
const FLOAT: &str = "$float";
const INTEGER: &str = "$integer";
const OBJECT: &str = "$object";
const REGEX: &str = "$regex";
const TAGS: [&str; 6] = [BYTES, DATE, FLOAT, INTEGER, OBJECT, REGEX];

/// JavaScript's numbers hold integers up to this one exactly, and their negatives.
const MAXIMUM_EXACT: u64 = (1 << 53) - 1;

/// An error names a form that has no value.
pub fn from_json(json: Json) -> Result<Value, String> {
    Ok(match json {
        Json::Null => Value::Null,
        Json::Bool(value) => Value::Boolean(value),
        Json::String(value) => Value::Bytes(Bytes::from(value)),
        Json::Number(number) => match number.as_i64() {
            Some(value) => Value::Integer(value),
            None => {
                return Err(format!(
                    "{number} is no integer: floats are {{\"{FLOAT}\"}}"
                ));
            }
        },
        Json::Array(items) => {
            Value::Array(items.into_iter().map(from_json).collect::<Result<_, _>>()?)
        }
        Json::Object(members) => match tag(&members) {
            None => object(members)?,
            Some(tag) => {
                let content = members.into_iter().next().map(|(_, content)| content);
                tagged(tag, content.unwrap_or_default())?
            }
        },
    })
}

fn tag(members: &Map<String, Json>) -> Option<&'static str> {
    let (name, _) = members.iter().next()?;
    (members.len() == 1).then_some(())?;
    TAGS.into_iter().find(|tag| tag == name)
}

fn object(members: Map<String, Json>) -> Result<Value, String> {
    members
        .into_iter()
        .map(|(key, value)| Ok((key.into(), from_json(value)?)))
        .collect::<Result<ObjectMap, _>>()
        .map(Value::Object)
}

fn tagged(tag: &str, content: Json) -> Result<Value, String> {
    let text = match (tag, content) {
        (OBJECT, Json::Object(members)) => return object(members),
        (_, Json::String(text)) => text,
        (_, content) => return Err(format!("{content} cannot be the content of {tag}")),
    };
    let value = match tag {
        BYTES => BASE64_STANDARD
            .decode(&text)
            .ok()
            .map(|bytes| Value::Bytes(bytes.into())),
        DATE => text.parse().ok().map(Value::Timestamp),
        FLOAT => text
            .parse()
            .ok()
            .and_then(|value| NotNan::new(value).ok())
            .map(Value::Float),
        INTEGER => text.parse().ok().map(Value::Integer),
        REGEX => regex::Regex::new(&text)
            .ok()
            .map(|regex| Value::Regex(ValueRegex::new(Arc::new(regex)))),
        _ => None,
    };
    value.ok_or_else(|| format!("{text:?} cannot be the content of {tag}"))
}

pub fn to_json(value: &Value) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Boolean(value) => Json::Bool(*value),
        Value::Bytes(bytes) => match std::str::from_utf8(bytes) {
            Ok(text) => Json::String(text.to_owned()),
            Err(_) => json!({ BYTES: BASE64_STANDARD.encode(bytes) }),
        },
        Value::Regex(regex) => json!({ REGEX: regex.as_str() }),
        Value::Integer(value) if value.unsigned_abs() > MAXIMUM_EXACT => {
            json!({ INTEGER: value.to_string() })
        }
        Value::Integer(value) => Json::Number((*value).into()),
        // This format keeps the point: 1.0 is no 1.
        Value::Float(value) => json!({ FLOAT: format!("{:?}", value.into_inner()) }),
        Value::Timestamp(time) => {
            json!({ DATE: time.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true) })
        }
        Value::Array(items) => Json::Array(items.iter().map(to_json).collect()),
        Value::Object(members) => {
            let members: Map<String, Json> = members
                .iter()
                .map(|(key, value)| (key.to_string(), to_json(value)))
                .collect();
            // A field that is named like a form is told apart by one more level.
            if tag(&members).is_some() {
                json!({ OBJECT: members })
            } else {
                Json::Object(members)
            }
        }
    }
}

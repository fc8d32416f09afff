//! Values as JSON and back. JSON has no timestamps: they are `{"$date": text}` in both directions.

use serde_json::{Map, Number, Value as Json, json};
use vrl::prelude::{Bytes, NotNan, ObjectMap, Value};

const DATE: &str = "$date";

pub fn from_json(json: Json) -> Value {
    match json {
        Json::Null => Value::Null,
        Json::Bool(value) => Value::Boolean(value),
        Json::String(value) => Value::Bytes(Bytes::from(value)),
        Json::Number(number) => match number.as_i64() {
            Some(value) => Value::Integer(value),
            None => number
                .as_f64()
                .and_then(|value| NotNan::new(value).ok())
                .map_or(Value::Null, Value::Float),
        },
        Json::Array(items) => Value::Array(items.into_iter().map(from_json).collect()),
        Json::Object(members) => date(&members).unwrap_or_else(|| {
            let members = members.into_iter();
            Value::Object(
                members
                    .map(|(key, value)| (key.into(), from_json(value)))
                    .collect::<ObjectMap>(),
            )
        }),
    }
}

fn date(members: &Map<String, Json>) -> Option<Value> {
    if members.len() != 1 {
        return None;
    }
    let text = members.get(DATE)?.as_str()?;
    let time = chrono::DateTime::parse_from_rfc3339(text).ok()?;
    Some(Value::Timestamp(time.with_timezone(&chrono::Utc)))
}

pub fn to_json(value: &Value) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Boolean(value) => Json::Bool(*value),
        Value::Bytes(bytes) => Json::String(String::from_utf8_lossy(bytes).into_owned()),
        Value::Regex(regex) => Json::String(regex.as_str().to_owned()),
        Value::Integer(value) => Json::Number((*value).into()),
        Value::Float(value) => {
            Number::from_f64(value.into_inner()).map_or(Json::Null, Json::Number)
        }
        Value::Timestamp(time) => {
            json!({ DATE: time.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true) })
        }
        Value::Array(items) => Json::Array(items.iter().map(to_json).collect()),
        Value::Object(members) => Json::Object(
            members
                .iter()
                .map(|(key, value)| (key.to_string(), to_json(value)))
                .collect(),
        ),
    }
}

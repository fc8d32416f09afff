//! Kinds (the types of VRL) as JSON and back, so that they can be carried from one program to the next.
//!
//! `"any"` is any value, `"json"` any that JSON has. Everything else is `{types: [...], object?: {known, unknown?}, array?: …}`; types are
//! bytes, integer, float, boolean, timestamp, regex, null, and undefined for what may be absent.

use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::BTreeMap;
use vrl::value::Kind;
use vrl::value::kind::{Collection, Field, Index};

/// Deeper levels are taken for any value: kinds that refer to themselves have no end.
const MAXIMUM_DEPTH: usize = 12;

#[derive(Serialize, Deserialize, Clone)]
#[serde(untagged)]
pub enum KindJson {
    Endless(Endless),
    Some(SomeKind),
}

#[derive(Serialize, Deserialize, Clone)]
#[serde(rename_all = "lowercase")]
pub enum Endless {
    Any,
    Json,
}

#[derive(Serialize, Deserialize, Clone)]
pub struct SomeKind {
    types: Vec<Cow<'static, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    object: Option<Members>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    array: Option<Members>,
}

/// Members by name, or by index for arrays; `unknown` is the kind of all others, which may always be absent.
#[derive(Serialize, Deserialize, Clone)]
struct Members {
    known: BTreeMap<String, KindJson>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    unknown: Option<Box<KindJson>>,
}

pub fn to_json(kind: &Kind) -> KindJson {
    describe(kind, 0)
}

fn describe(kind: &Kind, depth: usize) -> KindJson {
    let endless = |members: Option<bool>| members.unwrap_or(true);
    let is_any = kind.is_any()
        && endless(kind.as_object().map(Collection::is_any))
        && endless(kind.as_array().map(Collection::is_any));
    if is_any || depth == MAXIMUM_DEPTH {
        return KindJson::Endless(Endless::Any);
    }
    let types = [
        ("bytes", kind.contains_bytes()),
        ("integer", kind.contains_integer()),
        ("float", kind.contains_float()),
        ("boolean", kind.contains_boolean()),
        ("timestamp", kind.contains_timestamp()),
        ("regex", kind.contains_regex()),
        ("null", kind.contains_null()),
        ("undefined", kind.contains_undefined()),
    ];
    KindJson::Some(SomeKind {
        types: types
            .into_iter()
            .filter_map(|(name, contained)| contained.then_some(Cow::Borrowed(name)))
            .collect(),
        object: kind.as_object().map(|members| {
            describe_members(members, depth, |name: &Field| name.as_str().to_owned())
        }),
        array: kind.as_array().map(|members| {
            describe_members(members, depth, |at: &Index| at.to_usize().to_string())
        }),
    })
}

fn describe_members<T: Ord + Clone>(
    members: &Collection<T>,
    depth: usize,
    name: impl Fn(&T) -> String,
) -> Members {
    let unknown = members.unknown_kind();
    let unknown = if unknown.is_json() {
        Some(KindJson::Endless(Endless::Json))
    } else if unknown.contains_any_defined() {
        // What is not exact refers to itself.
        let deeper = if members.is_unknown_exact() {
            depth + 1
        } else {
            MAXIMUM_DEPTH
        };
        Some(describe(&unknown, deeper))
    } else {
        None
    };
    Members {
        known: members
            .known()
            .iter()
            .map(|(key, kind)| (name(key), describe(kind, depth + 1)))
            .collect(),
        unknown: unknown.map(Box::new),
    }
}

pub fn from_json(json: &KindJson) -> Kind {
    let (types, object, array) = match json {
        KindJson::Endless(Endless::Any) => return Kind::any(),
        KindJson::Endless(Endless::Json) => return Kind::json(),
        KindJson::Some(SomeKind {
            types,
            object,
            array,
        }) => (types, object, array),
    };
    let mut kind = Kind::never();
    for name in types {
        match name.as_ref() {
            "bytes" => kind.add_bytes(),
            "integer" => kind.add_integer(),
            "float" => kind.add_float(),
            "boolean" => kind.add_boolean(),
            "timestamp" => kind.add_timestamp(),
            "regex" => kind.add_regex(),
            "null" => kind.add_null(),
            "undefined" => kind.add_undefined(),
            _ => return Kind::any(),
        };
    }
    if let Some(members) = object {
        kind.add_object(collection(members, |name| Some(Field::from(name))));
    }
    if let Some(members) = array {
        kind.add_array(collection(members, |at| {
            at.parse().ok().map(|at: usize| Index::from(at))
        }));
    }
    kind
}

fn collection<T: Ord + Clone>(members: &Members, key: impl Fn(&str) -> Option<T>) -> Collection<T> {
    let known: BTreeMap<T, Kind> = members
        .known
        .iter()
        .filter_map(|(name, kind)| Some((key(name)?, from_json(kind))))
        .collect();
    Collection::from_parts(
        known,
        members
            .unknown
            .as_deref()
            .map_or_else(Kind::undefined, from_json),
    )
}

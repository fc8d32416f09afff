//! What a program runs over: an event with its metadata and secrets. Those of the crate give no secrets back, and
//! Vector carries them from transform to transform.

use crate::values;
use serde::Deserialize;
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;
use vrl::compiler::{SecretTarget, Target};
use vrl::path::{OwnedTargetPath, PathPrefix};
use vrl::value::Value;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EventJson {
    value: Json,
    metadata: Option<Json>,
    #[serde(default)]
    secrets: BTreeMap<String, String>,
}

#[derive(Debug)]
pub struct Event {
    pub value: Value,
    pub metadata: Value,
    pub secrets: BTreeMap<String, String>,
}

impl TryFrom<EventJson> for Event {
    type Error = String;

    fn try_from(event: EventJson) -> Result<Self, String> {
        Ok(Self {
            value: values::from_json(event.value)?,
            metadata: values::from_json(event.metadata.unwrap_or_else(|| json!({})))?,
            secrets: event.secrets,
        })
    }
}

impl Event {
    fn part(&self, prefix: PathPrefix) -> &Value {
        match prefix {
            PathPrefix::Event => &self.value,
            PathPrefix::Metadata => &self.metadata,
        }
    }

    fn part_mut(&mut self, prefix: PathPrefix) -> &mut Value {
        match prefix {
            PathPrefix::Event => &mut self.value,
            PathPrefix::Metadata => &mut self.metadata,
        }
    }
}

impl Target for Event {
    fn target_insert(&mut self, target: &OwnedTargetPath, value: Value) -> Result<(), String> {
        self.part_mut(target.prefix).insert(&target.path, value);
        Ok(())
    }

    fn target_get(&self, target: &OwnedTargetPath) -> Result<Option<&Value>, String> {
        Ok(self.part(target.prefix).get(&target.path))
    }

    fn target_get_mut(&mut self, target: &OwnedTargetPath) -> Result<Option<&mut Value>, String> {
        Ok(self.part_mut(target.prefix).get_mut(&target.path))
    }

    fn target_remove(
        &mut self,
        target: &OwnedTargetPath,
        compact: bool,
    ) -> Result<Option<Value>, String> {
        Ok(self.part_mut(target.prefix).remove(&target.path, compact))
    }
}

impl SecretTarget for Event {
    fn get_secret(&self, key: &str) -> Option<&str> {
        self.secrets.get(key).map(String::as_str)
    }

    fn insert_secret(&mut self, key: &str, value: &str) {
        self.secrets.insert(key.to_owned(), value.to_owned());
    }

    fn remove_secret(&mut self, key: &str) {
        self.secrets.remove(key);
    }
}

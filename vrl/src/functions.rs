//! All functions that Vector registers: those of the crate, and stand-ins for Vector's own and for those that read
//! files of the host while they are compiled. Stand-ins have Vector's parameters and kinds, so that programs compile
//! here exactly when they compile there.

use crate::dnstap;
use std::collections::BTreeMap;
use std::sync::LazyLock;
use vrl::compiler::function::{EnumVariant, Error as FunctionError};
use vrl::diagnostic::Label;
use vrl::path::{OwnedTargetPath, PathPrefix};
use vrl::prelude::*;
use vrl::stdlib::{EncodeProto, ParseEtld, ParseProto, WasmUnsupportedFunction};

/// What a run says of a function that only a host's own Vector can run.
pub const NOT_HERE: &str = "the program calls a function that is not available here: it needs the host, its files or its network";

/// The enrichment tables of the configuration.
#[derive(Debug, Clone)]
pub struct Tables(pub Vec<String>);

/// The paths that were given a meaning so far.
#[derive(Debug, Clone, Default)]
pub struct Meanings(BTreeMap<String, OwnedTargetPath>);

type Compile = fn(&TypeState, &mut FunctionCompileContext, ArgumentList) -> Compiled;

#[derive(Clone, Copy)]
struct StandIn {
    name: &'static str,
    parameters: &'static [Parameter],
    returns: u16,
    compile: Compile,
}

impl fmt::Debug for StandIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

impl Function for StandIn {
    fn identifier(&self) -> &'static str {
        self.name
    }
    fn usage(&self) -> &'static str {
        ""
    }
    fn category(&self) -> &'static str {
        Category::System.as_ref()
    }
    fn return_kind(&self) -> u16 {
        self.returns
    }
    fn parameters(&self) -> &'static [Parameter] {
        self.parameters
    }
    fn examples(&self) -> &'static [Example] {
        &[]
    }
    fn compile(
        &self,
        state: &TypeState,
        context: &mut FunctionCompileContext,
        arguments: ArgumentList,
    ) -> Compiled {
        (self.compile)(state, context, arguments)
    }
}

pub fn all() -> Vec<Box<dyn Function>> {
    let own = stand_ins();
    let rest = vrl::stdlib::all().into_iter().filter(|function| {
        own.iter()
            .all(|stand_in| stand_in.name != function.identifier())
    });
    let own = own
        .iter()
        .map(|stand_in| Box::new(*stand_in) as Box<dyn Function>);
    own.chain(rest).collect()
}

/// Compiles, and cannot be run.
fn not_here(context: &FunctionCompileContext, kind: TypeDef) -> Compiled {
    Ok(WasmUnsupportedFunction::new(context.span(), kind).as_expr())
}

static NO_TAGS: LazyLock<Value> = LazyLock::new(|| Value::Object(BTreeMap::new()));
static NO: Value = Value::Boolean(false);
static YES: Value = Value::Boolean(true);

const KEY: Parameter = Parameter::required("key", kind::BYTES, "");

const SECRET: &[Parameter] = &[KEY];
const NEW_SECRET: &[Parameter] = &[KEY, Parameter::required("secret", kind::BYTES, "")];
const MEANING: &[Parameter] = &[
    Parameter::required("target", kind::ANY, ""),
    Parameter::required("meaning", kind::BYTES, ""),
];
const TABLE: &[Parameter] = &[
    Parameter::required("table", kind::BYTES, ""),
    Parameter::required("condition", kind::OBJECT, ""),
    Parameter::optional("select", kind::ARRAY, ""),
    Parameter::optional("case_sensitive", kind::BOOLEAN, "").default(&YES),
    Parameter::optional("wildcard", kind::BYTES, ""),
];
const DNSTAP: &[Parameter] = &[
    Parameter::required("value", kind::BYTES, ""),
    Parameter::optional("lowercase_hostnames", kind::BOOLEAN, "").default(&NO),
];
const AGGREGATIONS: &[EnumVariant] = &[
    EnumVariant {
        value: "sum",
        description: "",
    },
    EnumVariant {
        value: "avg",
        description: "",
    },
    EnumVariant {
        value: "min",
        description: "",
    },
    EnumVariant {
        value: "max",
        description: "",
    },
];

static METRIC: LazyLock<Vec<Parameter>> = LazyLock::new(|| {
    vec![
        KEY,
        Parameter::optional("tags", kind::OBJECT, "").default(&NO_TAGS),
    ]
});
static AGGREGATE: LazyLock<Vec<Parameter>> = LazyLock::new(|| {
    let function = Parameter::required("function", kind::BYTES, "").enum_variants(AGGREGATIONS);
    [vec![function], METRIC.clone()].concat()
});

fn stand_ins() -> Vec<StandIn> {
    let of = |name, parameters, returns, compile| StandIn {
        name,
        parameters,
        returns,
        compile,
    };
    vec![
        of(
            "get_secret",
            SECRET,
            kind::BYTES | kind::NULL,
            |_, _, arguments| {
                Ok(GetSecret {
                    key: arguments.required("key"),
                }
                .as_expr())
            },
        ),
        of("set_secret", NEW_SECRET, kind::NULL, |_, _, arguments| {
            let secret = Some(arguments.required("secret"));
            Ok(ChangeSecret {
                key: arguments.required("key"),
                secret,
            }
            .as_expr())
        }),
        of("remove_secret", SECRET, kind::NULL, |_, _, arguments| {
            Ok(ChangeSecret {
                key: arguments.required("key"),
                secret: None,
            }
            .as_expr())
        }),
        of(
            "set_semantic_meaning",
            MEANING,
            kind::NULL,
            set_semantic_meaning,
        ),
        of(
            "find_enrichment_table_records",
            TABLE,
            kind::ARRAY,
            |state, context, arguments| {
                check_table(state, context, &arguments)?;
                let rows = Collection::from_unknown(Kind::object(Collection::any()));
                not_here(context, TypeDef::array(rows).fallible())
            },
        ),
        of(
            "get_enrichment_table_record",
            TABLE,
            kind::OBJECT,
            |state, context, arguments| {
                check_table(state, context, &arguments)?;
                not_here(context, TypeDef::object(Collection::any()).fallible())
            },
        ),
        of("parse_dnstap", DNSTAP, kind::OBJECT, |_, context, _| {
            not_here(
                context,
                TypeDef::any().with_kind(dnstap::message()).fallible(),
            )
        }),
        of(
            "get_vector_metric",
            METRIC.as_slice(),
            kind::OBJECT | kind::NULL,
            |state, context, arguments| {
                check_tags(state, &arguments)?;
                not_here(context, TypeDef::object(metric()).or_null().infallible())
            },
        ),
        of(
            "find_vector_metrics",
            METRIC.as_slice(),
            kind::ARRAY,
            |state, context, arguments| {
                check_tags(state, &arguments)?;
                // Vector gives an array, but has its kind as an object of metrics.
                let metrics = Collection::from_unknown(Kind::object(metric()));
                not_here(context, TypeDef::object(metrics).infallible())
            },
        ),
        of(
            "aggregate_vector_metrics",
            AGGREGATE.as_slice(),
            kind::FLOAT | kind::NULL,
            |state, context, arguments| {
                let functions = AGGREGATIONS
                    .iter()
                    .map(|variant| Value::from(variant.value));
                arguments.required_enum("function", &functions.collect::<Vec<_>>(), state)?;
                check_tags(state, &arguments)?;
                not_here(context, TypeDef::float().or_null().infallible())
            },
        ),
        of(
            "parse_proto",
            ParseProto.parameters(),
            kind::ANY,
            |state, context, arguments| {
                arguments.required_literal("desc_file", state)?;
                arguments.required_literal("message_type", state)?;
                not_here(context, parsed_proto())
            },
        ),
        of(
            "encode_proto",
            EncodeProto.parameters(),
            kind::BYTES,
            |state, context, arguments| {
                arguments.required_literal("desc_file", state)?;
                arguments.required_literal("message_type", state)?;
                not_here(context, TypeDef::bytes().fallible())
            },
        ),
        of(
            "parse_etld",
            ParseEtld.parameters(),
            kind::OBJECT,
            |state, context, arguments| {
                if arguments.optional_literal("psl", state)?.is_none() {
                    return ParseEtld.compile(state, context, arguments);
                }
                let parts = BTreeMap::from([
                    (Field::from("etld"), Kind::bytes()),
                    (Field::from("etld_plus"), Kind::bytes()),
                    (Field::from("known_suffix"), Kind::boolean()),
                ]);
                not_here(context, TypeDef::object(parts).fallible())
            },
        ),
    ]
}

fn metric() -> BTreeMap<Field, Kind> {
    BTreeMap::from([
        (Field::from("name"), Kind::bytes()),
        (Field::from("tags"), Kind::any_object()),
        (Field::from("type"), Kind::bytes()),
        (Field::from("kind"), Kind::bytes()),
        (Field::from("value"), Kind::float() | Kind::null()),
    ])
}

fn parsed_proto() -> TypeDef {
    let scalar = Kind::null() | Kind::bytes() | Kind::integer() | Kind::float() | Kind::boolean();
    let inner = scalar.clone() | Kind::array(Collection::any()) | Kind::object(Collection::any());
    let kind = scalar
        | Kind::array(Collection::from_unknown(inner.clone()))
        | Kind::object(Collection::from_unknown(inner));
    TypeDef::any().with_kind(kind).fallible()
}

fn check_table(
    state: &TypeState,
    context: &FunctionCompileContext,
    arguments: &ArgumentList,
) -> Result<(), Box<dyn DiagnosticMessage>> {
    match context.get_external_context::<Tables>() {
        None => arguments.required_literal("table", state)?,
        Some(Tables(names)) => {
            let names: Vec<Value> = names.iter().cloned().map(Value::from).collect();
            arguments.required_enum("table", &names, state)?
        }
    };
    arguments.required_object("condition")?;
    arguments.optional_literal("case_sensitive", state)?;
    Ok(())
}

fn check_tags(
    state: &TypeState,
    arguments: &ArgumentList,
) -> Result<(), Box<dyn DiagnosticMessage>> {
    for value in arguments
        .optional_object("tags")?
        .unwrap_or_default()
        .values()
    {
        if *value.type_def(state).kind() != Kind::bytes() {
            return Err(Box::new(FunctionError::InvalidArgument {
                keyword: "tags.value",
                value: value.resolve_constant(state).unwrap_or(Value::Null),
                error: "Tag values must be strings",
            }));
        }
    }
    Ok(())
}

#[derive(Debug, Clone)]
struct GetSecret {
    key: Box<dyn Expression>,
}

impl FunctionExpression for GetSecret {
    fn resolve(&self, context: &mut Context) -> Resolved {
        let key = self.key.resolve(context)?;
        let key = key.try_bytes_utf8_lossy()?;
        Ok(context
            .target()
            .get_secret(&key)
            .map_or(Value::Null, Value::from))
    }
    fn type_def(&self, _: &TypeState) -> TypeDef {
        TypeDef::bytes().add_null().infallible()
    }
}

/// Sets a secret, or removes it.
#[derive(Debug, Clone)]
struct ChangeSecret {
    key: Box<dyn Expression>,
    secret: Option<Box<dyn Expression>>,
}

impl FunctionExpression for ChangeSecret {
    fn resolve(&self, context: &mut Context) -> Resolved {
        let key = self.key.resolve(context)?;
        let key = key.try_bytes_utf8_lossy()?;
        match &self.secret {
            None => context.target_mut().remove_secret(&key),
            Some(secret) => {
                let secret = secret.resolve(context)?;
                context
                    .target_mut()
                    .insert_secret(&key, &secret.try_bytes_utf8_lossy()?);
            }
        }
        Ok(Value::Null)
    }
    fn type_def(&self, _: &TypeState) -> TypeDef {
        TypeDef::null().infallible().impure()
    }
}

#[derive(Debug, Clone)]
struct Meaning;

impl FunctionExpression for Meaning {
    fn resolve(&self, _: &mut Context) -> Resolved {
        Ok(Value::Null)
    }
    fn type_def(&self, _: &TypeState) -> TypeDef {
        TypeDef::null().infallible().impure()
    }
}

fn refusal(message: &str, labels: Vec<Label>) -> Box<dyn DiagnosticMessage> {
    Box::new(ExpressionError::Error {
        message: message.to_owned(),
        labels,
        notes: vec![],
    })
}

fn set_semantic_meaning(
    state: &TypeState,
    context: &mut FunctionCompileContext,
    arguments: ArgumentList,
) -> Compiled {
    let span = context.span();
    let query = arguments.required_query("target")?;
    let meaning = arguments.required_literal("meaning", state)?;
    let meaning = meaning
        .try_bytes_utf8_lossy()
        .unwrap_or_default()
        .into_owned();
    let Some(path) = query.external_path() else {
        let mut labels = vec![Label::primary(
            "this path must point to an event or metadata",
            span,
        )];
        if let Some(variable) = query.as_variable() {
            let name = variable.ident();
            labels.push(Label::context(
                format!("maybe you meant \".{name}\" or \"%{name}\"?"),
                span,
            ));
        }
        return Err(refusal(
            "semantic meaning is not valid for local variables",
            labels,
        ));
    };
    let root = match path.prefix {
        PathPrefix::Event => state.external.target_kind(),
        PathPrefix::Metadata => state.external.metadata_kind(),
    };
    if !root.at_path(&path.path).contains_any_defined() {
        let labels = vec![
            Label::primary("cannot assign semantic meaning to non-existing field", span),
            Label::context(
                format!("field \".{path}\" is not known to exist for all events"),
                span,
            ),
        ];
        return Err(refusal(
            "semantic meaning defined for non-existing field",
            labels,
        ));
    }
    if let Some(Meanings(known)) = context.get_external_context_mut::<Meanings>() {
        if let Some(other) = known.get(&meaning).filter(|other| **other != path) {
            let labels = vec![
                Label::primary(
                    format!("semantic meaning \"{meaning}\" must reference a single field"),
                    span,
                ),
                Label::context(format!("already referencing field \".{other}\""), span),
            ];
            return Err(refusal(
                "semantic meaning referencing two different fields",
                labels,
            ));
        }
        known.insert(meaning, path);
    }
    Ok(Meaning.as_expr())
}

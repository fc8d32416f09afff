//! VRL as Vector compiles it: `check` tells what a program's errors and final kinds are, `run` runs it over events.
//! Everything goes in and out as JSON. The module reads no file, no environment and no network: there are none here.

mod dnstap;
mod event;
mod functions;
mod kinds;
mod pools;
mod values;

use event::{Event, EventJson};
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use vrl::compiler::runtime::{Runtime, Terminate};
use vrl::compiler::state::{ExternalEnv, LocalEnv};
use vrl::compiler::{
    CompilationResult, CompileConfig, ExpressionError, Function, Program, TimeZone, TypeState,
    compile_with_state,
};
use vrl::diagnostic::{Diagnostic, DiagnosticList, DiagnosticMessage, Formatter, Note};
use vrl::path::OwnedTargetPath;
use vrl::prelude::Kind;
use wasm_bindgen::prelude::wasm_bindgen;

#[global_allocator]
static ALLOCATOR: pools::Pools = pools::Pools::new();

/// How a program is compiled.
#[derive(Deserialize, Default)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
struct CompileOptions {
    /// A condition may change nothing and must give a boolean.
    condition: bool,
    /// A program that makes the event of a unit test may write all metadata.
    test_input: bool,
    /// The kinds that the event and its metadata may have before the program, one for each input: any object
    /// when there is none.
    target: Vec<kinds::KindJson>,
    metadata: Vec<kinds::KindJson>,
    /// The names of the enrichment tables; any name will do when they are not known.
    tables: Option<Vec<String>>,
}

#[derive(Serialize)]
struct LabelJson {
    message: String,
    primary: bool,
    /// Bytes of the program's UTF-8.
    span: [usize; 2],
}

#[derive(Serialize)]
struct DiagnosticJson {
    severity: &'static str,
    code: usize,
    message: String,
    labels: Vec<LabelJson>,
    notes: Vec<String>,
}

#[derive(Serialize)]
struct Checked {
    diagnostics: Vec<DiagnosticJson>,
    /// The errors as Vector prints them; empty when the program compiles.
    report: String,
    /// The event's kind after the program; absent when it does not compile.
    #[serde(skip_serializing_if = "Option::is_none")]
    target: Option<kinds::KindJson>,
}

thread_local! {
    static FUNCTIONS: Vec<Box<dyn Function>> = functions::all();
    static PROGRAMS: RefCell<HashMap<(String, String), Rc<Program>>> = RefCell::default();
}

/// More programs than these empty the cache.
const MAXIMUM_PROGRAMS: usize = 64;

fn compile(source: &str, options: &CompileOptions) -> Result<CompilationResult, DiagnosticList> {
    let kind = |inputs: &[kinds::KindJson]| {
        let kinds = inputs.iter().map(kinds::from_json);
        kinds
            .reduce(|all, kind| all.union(kind))
            .unwrap_or_else(Kind::any_object)
    };
    let state = TypeState {
        local: LocalEnv::default(),
        external: ExternalEnv::new_with_kind(kind(&options.target), kind(&options.metadata)),
    };
    let mut config = CompileConfig::default();
    if let Some(tables) = &options.tables {
        config.set_custom(functions::Tables(tables.clone()));
    }
    if options.condition {
        config.set_read_only();
    } else {
        config.set_custom(functions::Meanings::default());
    }
    if !options.test_input {
        // Vector keeps this part of the metadata for itself.
        let own = OwnedTargetPath::metadata(vrl::owned_value_path!("vector"));
        config.set_read_only_path(own, true);
    }
    FUNCTIONS.with(|functions| compile_with_state(source, functions, &state, config))
}

fn describe(diagnostic: &Diagnostic) -> DiagnosticJson {
    DiagnosticJson {
        severity: if diagnostic.is_problem() {
            "error"
        } else {
            "warning"
        },
        code: diagnostic.code,
        message: diagnostic.message.clone(),
        labels: diagnostic
            .labels
            .iter()
            .map(|label| LabelJson {
                message: label.message.clone(),
                primary: label.primary,
                span: [label.span.start(), label.span.end()],
            })
            .collect(),
        notes: diagnostic.notes.iter().map(ToString::to_string).collect(),
    }
}

/// Compiles a program. `options` is a CompileOptions in JSON; throws when it is none.
#[wasm_bindgen]
pub fn check(source: &str, options: &str) -> Result<String, String> {
    let options: CompileOptions =
        serde_json::from_str(options).map_err(|error| error.to_string())?;
    let checked = match compile(source, &options) {
        Err(diagnostics) => Checked {
            diagnostics: diagnostics.iter().map(describe).collect(),
            report: Formatter::new(source, diagnostics).to_string(),
            target: None,
        },
        Ok(CompilationResult {
            program, warnings, ..
        }) => {
            let info = program.final_type_info();
            let mut checked = Checked {
                diagnostics: warnings.iter().map(describe).collect(),
                report: String::new(),
                target: Some(kinds::to_json(info.state.external.target_kind())),
            };
            if options.condition && !info.result.is_boolean() {
                let message = "VRL conditions must return a boolean.";
                checked.report = message.to_owned();
                checked.diagnostics.push(DiagnosticJson {
                    severity: "error",
                    code: 0,
                    message: message.to_owned(),
                    labels: vec![],
                    notes: vec![],
                });
            }
            checked
        }
    };
    serde_json::to_string(&checked).map_err(|error| error.to_string())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RunInput {
    events: Vec<EventJson>,
    /// Of times that name none: a name of the TZ database. UTC unless told, and for Vector's `local`.
    timezone: Option<String>,
    #[serde(default)]
    compile: CompileOptionsText,
}

/// Kept as text too: it is a part of the cache's key.
#[derive(Deserialize, Default)]
#[serde(transparent)]
struct CompileOptionsText(Json);

/// The program, compiled now or before. An error is its report.
fn program(
    source: &str,
    CompileOptionsText(json): CompileOptionsText,
) -> Result<Rc<Program>, String> {
    let key = (source.to_owned(), json.to_string());
    if let Some(known) = PROGRAMS.with_borrow(|programs| programs.get(&key).cloned()) {
        return Ok(known);
    }
    let options = match json {
        Json::Null => CompileOptions::default(),
        json => serde_json::from_value(json).map_err(|error| error.to_string())?,
    };
    let compiled = compile(source, &options)
        .map_err(|diagnostics| Formatter::new(source, diagnostics).to_string())?;
    let program = Rc::new(compiled.program);
    PROGRAMS.with_borrow_mut(|programs| {
        if programs.len() >= MAXIMUM_PROGRAMS {
            programs.clear();
        }
        programs.insert(key, Rc::clone(&program));
    });
    Ok(program)
}

/// Runs a program over each of `events`. `input` is a RunInput in JSON; throws when it is none.
/// Gives `{outcomes}`, one for each event: `{kind: done, value, metadata, secrets, result}`, or
/// `{kind: error | abort, message, reason}`; or `{error}` with the report of a program that does not compile.
#[wasm_bindgen]
pub fn run(source: &str, input: &str) -> Result<String, String> {
    let input: RunInput = serde_json::from_str(input).map_err(|error| error.to_string())?;
    let timezone = time_zone(input.timezone.as_deref().unwrap_or_default())
        .ok_or("there is no such time zone")?;
    let program = match program(source, input.compile) {
        Ok(program) => program,
        Err(report) => return Ok(json!({ "error": report }).to_string()),
    };
    let outcomes = input
        .events
        .into_iter()
        .map(|event| Ok(run_once(&program, event.try_into()?, &timezone)))
        .collect::<Result<Vec<Json>, String>>()?;
    Ok(json!({ "outcomes": outcomes }).to_string())
}

fn run_once(program: &Program, mut event: Event, timezone: &TimeZone) -> Json {
    match Runtime::default().resolve(&mut event, program, timezone) {
        Ok(result) => json!({
            "kind": "done",
            "value": values::to_json(&event.value),
            "metadata": values::to_json(&event.metadata),
            "secrets": event.secrets,
            "result": values::to_json(&result),
        }),
        // Functions of the crate that have no body here abort with this text: no abort of the program's.
        Err(Terminate::Abort(ExpressionError::Abort {
            message: Some(message),
            ..
        })) if message == "This function is not supported in WebAssembly" => {
            failure("error", &functions::NOT_HERE.into())
        }
        Err(Terminate::Abort(error)) => failure("abort", &error),
        Err(Terminate::Error(error)) => failure("error", &error),
    }
}

/// `reason` is what Vector writes into an event that it drops: the program's own words, where it has some.
fn failure(kind: &str, error: &ExpressionError) -> Json {
    let message = error.to_string();
    let notes = error.notes();
    let own = notes
        .iter()
        .rfind(|note| matches!(note, Note::UserErrorMessage(_)));
    json!({ "kind": kind, "message": message, "reason": own.map_or(message.clone(), Note::to_string) })
}

/// A time zone as Vector names it; none for an unknown name. There is no local time here but UTC.
fn time_zone(name: &str) -> Option<TimeZone> {
    match TimeZone::parse(name)? {
        TimeZone::Local => TimeZone::parse("UTC"),
        named => Some(named),
    }
}

/// Whether Vector knows a time zone.
#[wasm_bindgen]
pub fn is_time_zone(name: &str) -> bool {
    time_zone(name).is_some()
}

/// The names of all functions, for completion and for tests.
#[wasm_bindgen]
pub fn function_names() -> String {
    FUNCTIONS.with(|functions| {
        let names: Vec<_> = functions
            .iter()
            .map(|function| function.identifier())
            .collect();
        json!(names).to_string()
    })
}

//! VRL as Vector compiles it: `check` tells what a program's errors and final kinds are, `run` runs it over events.
//! Everything goes in and out as JSON. The module reads no file, no environment and no network: there are none here.

mod dnstap;
mod functions;
mod kinds;
mod pools;
mod values;

use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use vrl::compiler::runtime::{Runtime, Terminate};
use vrl::compiler::state::{ExternalEnv, LocalEnv};
use vrl::compiler::{
    CompilationResult, CompileConfig, ExpressionError, Function, Program, TargetValue, TimeZone,
    TypeState, compile_with_state,
};
use vrl::diagnostic::{Diagnostic, DiagnosticList, Formatter};
use vrl::path::OwnedTargetPath;
use vrl::prelude::Kind;
use vrl::value::{Secrets, Value};
use wasm_bindgen::prelude::wasm_bindgen;

#[global_allocator]
static ALLOCATOR: pools::Pools = pools::Pools::new();

/// How a program is compiled.
#[derive(Deserialize, Default)]
#[serde(default, deny_unknown_fields)]
struct CompileOptions {
    /// A condition may change nothing and must give a boolean.
    condition: bool,
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
    /// The kinds after the program; absent when it does not compile.
    #[serde(skip_serializing_if = "Option::is_none")]
    target: Option<kinds::KindJson>,
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata: Option<kinds::KindJson>,
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
    // Vector keeps this part of the metadata for itself.
    let own = OwnedTargetPath::metadata(vrl::owned_value_path!("vector"));
    config.set_read_only_path(own, true);
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
            metadata: None,
        },
        Ok(CompilationResult {
            program, warnings, ..
        }) => {
            let info = program.final_type_info();
            let mut checked = Checked {
                diagnostics: warnings.iter().map(describe).collect(),
                report: String::new(),
                target: Some(kinds::to_json(info.state.external.target_kind())),
                metadata: Some(kinds::to_json(info.state.external.metadata_kind())),
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
struct RunInput {
    events: Vec<Json>,
    /// Read by each event's run; `{}` unless told.
    #[serde(default)]
    metadata: Option<Json>,
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
/// Gives `{outcomes}`, one for each event: `{kind: done, target, metadata, result}`, or `{kind: error | abort, message}`;
/// or `{error}` with the report of a program that does not compile.
#[wasm_bindgen]
pub fn run(source: &str, input: &str) -> Result<String, String> {
    let input: RunInput = serde_json::from_str(input).map_err(|error| error.to_string())?;
    let program = match program(source, input.compile) {
        Ok(program) => program,
        Err(report) => return Ok(json!({ "error": report }).to_string()),
    };
    let metadata = values::from_json(input.metadata.unwrap_or_else(|| json!({})));
    let outcomes: Vec<Json> = input
        .events
        .into_iter()
        .map(|event| run_once(&program, values::from_json(event), metadata.clone()))
        .collect();
    Ok(json!({ "outcomes": outcomes }).to_string())
}

fn run_once(program: &Program, value: Value, metadata: Value) -> Json {
    let mut target = TargetValue {
        value,
        metadata,
        secrets: Secrets::new(),
    };
    match Runtime::default().resolve(&mut target, program, &TimeZone::default()) {
        Ok(result) => json!({
            "kind": "done",
            "target": values::to_json(&target.value),
            "metadata": values::to_json(&target.metadata),
            "result": values::to_json(&result),
        }),
        // Functions of the crate that have no body here abort with this text: no abort of the program's.
        Err(Terminate::Abort(ExpressionError::Abort {
            message: Some(message),
            ..
        })) if message == "This function is not supported in WebAssembly" => {
            json!({ "kind": "error", "message": functions::NOT_HERE })
        }
        Err(Terminate::Abort(error)) => json!({ "kind": "abort", "message": error.to_string() }),
        Err(Terminate::Error(error)) => json!({ "kind": "error", "message": error.to_string() }),
    }
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

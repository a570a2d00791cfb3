//! Text or JSON on standard output; errors on standard error.

use super::error::CliError;
use super::progress::{Progress, ProgressMode};
use blindtier_wire::PartyName;
use serde_json::{Value, json};
use std::io::Write;

/// How a command speaks.
#[derive(Clone, Copy)]
pub struct Output {
    /// One JSON object instead of text.
    pub json: bool,
    /// How progress is shown.
    pub progress: ProgressMode,
    /// Whether the object says how much memory the process took at most.
    pub memory: bool,
}

impl Output {
    /// Prints the outcome: the JSON object, or the text.
    pub fn report(self, object: &Value, text: impl FnOnce() -> String) -> Result<(), CliError> {
        if !self.json {
            return self.line(&text());
        }
        let mut object = object.clone();
        if let (true, Some(fields)) = (self.memory, object.as_object_mut()) {
            fields.insert("peak_memory_bytes".into(), json!(blindtier_compare::peak_memory()));
        }
        self.line(&object.to_string())
    }

    /// Prints one line (or several) on standard output.
    pub fn line(self, text: &str) -> Result<(), CliError> {
        writeln!(std::io::stdout().lock(), "{text}").map_err(CliError::Output)
    }

    /// A line for people while a command works; none with `--json`.
    pub fn say(self, text: &str) {
        if !self.json {
            // A closed standard error must not stop the work.
            let _ = writeln!(std::io::stderr().lock(), "{text}");
        }
    }

    /// A line about the step that begins, on standard error, unless progress is off.
    pub fn step(self, text: &str) {
        if self.progress != ProgressMode::Off {
            // A closed standard error must not stop the work.
            let _ = writeln!(std::io::stderr().lock(), "{text}");
        }
    }

    /// Progress of work on families.
    pub fn progress(self, label: &'static str) -> Progress {
        Progress::new(label, "families", self.progress)
    }

    /// Progress of work on persons.
    pub fn progress_on_persons(self, label: &'static str) -> Progress {
        Progress::new(label, "persons", self.progress)
    }

    /// Reports an error: for people on standard error, with `--json` also an object on standard output.
    pub fn error(self, error: &CliError) {
        if self.json {
            let mut object = json!({ "error": error.to_string(), "exit_code": error.exit_code() });
            if let Some(fields) = object.as_object_mut() {
                let culprits = error.culprits();
                if let Some(first) = culprits.first() {
                    let all: Vec<&str> = culprits.iter().map(PartyName::as_str).collect();
                    fields.insert("culprit".into(), json!(first.as_str()));
                    fields.insert("culprits".into(), json!(all));
                }
                if let CliError::Dmn(blindtier_dmn::ImportError::Dmn(errors)) = error {
                    fields.insert("file".into(), json!(errors.file_name()));
                    fields.insert("errors".into(), json!(errors.errors()));
                }
                if let CliError::Policy(errors) = error {
                    fields.insert("file".into(), json!(errors.file_name()));
                    fields.insert("errors".into(), json!(errors.errors()));
                }
            }
            let _ = writeln!(std::io::stdout().lock(), "{object}");
        }
        let mut err = std::io::stderr().lock();
        if let CliError::Policy(errors) = error {
            let mut text = String::new();
            let drawn = miette::GraphicalReportHandler::new_themed(theme())
                .with_width(110)
                .render_report(&mut text, errors);
            if drawn.is_ok() {
                let _ = writeln!(err, "{text}");
                return;
            }
        }
        let _ = writeln!(err, "error: {error}");
        let mut source = std::error::Error::source(error);
        while let Some(cause) = source {
            let _ = writeln!(err, "  because: {cause}");
            source = cause.source();
        }
    }
}

/// Colours on a terminal only.
fn theme() -> miette::GraphicalTheme {
    use std::io::IsTerminal;
    if std::io::stderr().is_terminal() {
        miette::GraphicalTheme::unicode()
    } else {
        miette::GraphicalTheme::unicode_nocolor()
    }
}

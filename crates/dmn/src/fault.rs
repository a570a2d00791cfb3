//! What of a DMN file cannot be imported, and where it stands.

use blindtier_policy::PolicyErrors;
use miette::{Diagnostic, LabeledSpan, NamedSource, SourceCode, SourceSpan};
use serde::Serialize;
use std::fmt;
use std::ops::Range;

/// The most faults one run reports; more would help nobody.
const MAX_FAULTS: usize = 100;

/// Why a DMN file was not imported.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// Something in the DMN file is outside the subset, or contradicts itself.
    #[error(transparent)]
    Dmn(#[from] DmnErrors),
    /// The map of agencies is wrong.
    #[error("{file}: {message}; {help}")]
    Map {
        /// Name of the file.
        file: String,
        /// What is wrong.
        message: String,
        /// What would be right.
        help: String,
    },
    /// The tables could be read, but what they say is no valid policy.
    #[error("{file}: the tables make no valid policy: {}", list(.errors))]
    Policy {
        /// Name of the DMN file.
        file: String,
        /// What the policy checker says about the imported policy.
        errors: PolicyErrors,
    },
}

fn list(errors: &PolicyErrors) -> String {
    let one = |error: &blindtier_policy::PolicyError| format!("{} ({})", error.message, error.help);
    errors.errors().iter().map(one).collect::<Vec<_>>().join("; ")
}

/// One fault of a DMN file. Serializes as `line`, `column`, `table`, `rule`, `message`, `help`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("{message}")]
pub struct DmnError {
    /// Line, counted from 1.
    pub line: usize,
    /// Column in characters, counted from 1.
    pub column: usize,
    /// Name of the decision whose table it is; `None` for faults of the file as a whole.
    pub table: Option<String>,
    /// The rule, counted from 1.
    pub rule: Option<usize>,
    /// What is wrong, table and rule included.
    pub message: String,
    /// What would be right.
    pub help: String,
    /// The offending bytes.
    #[serde(skip)]
    pub span: SourceSpan,
}

impl Diagnostic for DmnError {
    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new(&self.help))
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        Some(Box::new(std::iter::once(LabeledSpan::underline(self.span))))
    }
}

/// All faults of one DMN file, in the order of the text.
#[derive(Debug)]
pub struct DmnErrors {
    source: NamedSource<String>,
    errors: Vec<DmnError>,
}

impl DmnErrors {
    /// The faults, in the order of the text; at least one.
    pub fn errors(&self) -> &[DmnError] {
        &self.errors
    }

    /// Name of the file, as given to [`crate::import`].
    pub fn file_name(&self) -> &str {
        self.source.name()
    }
}

impl fmt::Display for DmnErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.errors.len();
        let noun = if count == 1 { "place" } else { "places" };
        write!(f, "{}: cannot be imported because of {count} {noun}", self.file_name())?;
        for error in &self.errors {
            write!(f, "\n  {}:{}: {}; {}", error.line, error.column, error.message, error.help)?;
        }
        Ok(())
    }
}

impl std::error::Error for DmnErrors {}

impl Diagnostic for DmnErrors {
    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(&self.source)
    }

    fn related<'a>(&'a self) -> Option<Box<dyn Iterator<Item = &'a dyn Diagnostic> + 'a>> {
        Some(Box::new(self.errors.iter().map(|error| error as &dyn Diagnostic)))
    }
}

/// The table and rule that a fault is about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Place<'m> {
    pub table: Option<&'m str>,
    pub rule: Option<usize>,
}

impl<'m> Place<'m> {
    pub fn table(name: &'m str) -> Self {
        Self { table: Some(name), rule: None }
    }

    /// `rule` is counted from 0.
    pub fn rule(self, rule: usize) -> Self {
        Self { rule: Some(rule.saturating_add(1)), ..self }
    }
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(table) = self.table {
            write!(f, "table \"{table}\"")?;
            if let Some(rule) = self.rule {
                write!(f, ", rule {rule}")?;
            }
            f.write_str(": ")?;
        }
        Ok(())
    }
}

struct Fault {
    span: Range<usize>,
    table: Option<String>,
    rule: Option<usize>,
    message: String,
    help: String,
}

/// Collects the faults met so far.
#[derive(Default)]
pub(crate) struct Faults {
    found: Vec<Fault>,
}

impl Faults {
    pub fn add(
        &mut self,
        place: Place<'_>,
        span: &Range<usize>,
        message: impl fmt::Display,
        help: impl Into<String>,
    ) {
        let message = format!("{place}{message}");
        // Two outputs of one table are checked one after the other, and meet the same faults.
        let known = self.found.iter().any(|f| f.span == *span && f.message == message);
        if self.found.len() < MAX_FAULTS && !known {
            self.found.push(Fault {
                span: span.clone(),
                table: place.table.map(str::to_owned),
                rule: place.rule,
                message,
                help: help.into(),
            });
        }
    }

    pub fn is_clean(&self) -> bool {
        self.found.is_empty()
    }

    pub fn into_errors(mut self, file_name: &str, text: &str) -> DmnErrors {
        self.found.sort_by_key(|fault| fault.span.start);
        let mut errors = Vec::with_capacity(self.found.len());
        // One walk over the text for all faults, since they are sorted.
        let (mut line, mut column, mut at) = (1usize, 1usize, 0usize);
        for fault in self.found {
            let start = fault.span.start.min(text.len());
            for character in text.get(at..start).unwrap_or_default().chars() {
                if character == '\n' {
                    line = line.saturating_add(1);
                    column = 1;
                } else {
                    column = column.saturating_add(1);
                }
            }
            at = start;
            let length = fault.span.end.min(text.len()).saturating_sub(start);
            let Fault { table, rule, message, help, .. } = fault;
            let span = (start, length).into();
            errors.push(DmnError { line, column, table, rule, message, help, span });
        }
        // A file far over the size limit is not kept.
        let kept = if text.len() > crate::MAX_DMN { String::new() } else { text.to_owned() };
        DmnErrors { source: NamedSource::new(file_name, kept).with_language("xml"), errors }
    }
}

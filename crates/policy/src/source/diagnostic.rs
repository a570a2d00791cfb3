//! What is wrong with a policy file, and where.

use miette::{Diagnostic, LabeledSpan, NamedSource, SourceCode, SourceSpan};
use serde::Serialize;
use std::fmt;
use std::ops::Range;

/// One fault before its line is known.
#[derive(Debug)]
pub(super) struct Fault {
    pub span: Range<usize>,
    pub message: String,
    pub help: String,
}

/// One fault of a policy file. Serializes as `line`, `column`, `message`, `help`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("{message}")]
pub struct PolicyError {
    /// Line, counted from 1.
    pub line: usize,
    /// Column in characters, counted from 1.
    pub column: usize,
    /// What is wrong.
    pub message: String,
    /// What would be right.
    pub help: String,
    /// The offending bytes.
    #[serde(skip)]
    pub span: SourceSpan,
}

impl Diagnostic for PolicyError {
    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new(&self.help))
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        Some(Box::new(std::iter::once(LabeledSpan::underline(self.span))))
    }
}

/// All faults of one policy file, in the order of the text.
#[derive(Debug)]
pub struct PolicyErrors {
    source: NamedSource<String>,
    errors: Vec<PolicyError>,
}

impl PolicyErrors {
    pub(super) fn new(file_name: &str, text: &str, mut faults: Vec<Fault>) -> Self {
        faults.sort_by_key(|fault| fault.span.start);
        let mut errors = Vec::with_capacity(faults.len());
        // One walk over the text for all faults, since they are sorted.
        let (mut line, mut column, mut at) = (1usize, 1usize, 0usize);
        for fault in faults {
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
            let Fault { message, help, .. } = fault;
            errors.push(PolicyError { line, column, message, help, span: (start, length).into() });
        }
        // A file far over the size limit is not kept.
        let kept = if text.len() > super::MAX_SOURCE { String::new() } else { text.to_owned() };
        Self { source: NamedSource::new(file_name, kept).with_language("toml"), errors }
    }

    /// The faults, in the order of the text; at least one.
    pub fn errors(&self) -> &[PolicyError] {
        &self.errors
    }

    /// Name of the file, as given to [`crate::Policy::parse`].
    pub fn file_name(&self) -> &str {
        self.source.name()
    }
}

impl fmt::Display for PolicyErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.errors.len();
        write!(
            f,
            "{}: {count} {} in the policy",
            self.file_name(),
            if count == 1 { "fault" } else { "faults" }
        )?;
        if let Some(first) = self.errors.first() {
            write!(
                f,
                ", first at line {}, column {}: {}",
                first.line, first.column, first.message
            )?;
        }
        Ok(())
    }
}

impl std::error::Error for PolicyErrors {}

impl Diagnostic for PolicyErrors {
    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(&self.source)
    }

    fn related<'a>(&'a self) -> Option<Box<dyn Iterator<Item = &'a dyn Diagnostic> + 'a>> {
        Some(Box::new(self.errors.iter().map(|error| error as &dyn Diagnostic)))
    }
}

//! Typed access to TOML values. Every reader records a fault and returns `None` when the value is not of its kind.

use super::diagnostic::Fault;
use super::fields::Fields;
use super::suggest::suggest;
use crate::Decimal;
use std::ops::Range;
use toml::Spanned;
use toml::de::DeValue;

/// The most faults one run reports; more would help nobody.
const MAX_FAULTS: usize = 100;

/// A value and where it stands.
#[derive(Clone, Debug)]
pub(super) struct Node<'t> {
    pub value: &'t DeValue<'t>,
    pub span: Range<usize>,
}

impl<'t> Node<'t> {
    pub fn new(value: &'t Spanned<DeValue<'t>>) -> Self {
        Self { value: value.get_ref(), span: value.span() }
    }
}

/// Collects the faults met so far.
#[derive(Debug, Default)]
pub(super) struct Reader {
    faults: Vec<Fault>,
}

impl Reader {
    pub fn fault(
        &mut self,
        span: &Range<usize>,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        if self.faults.len() < MAX_FAULTS {
            self.faults.push(Fault {
                span: span.clone(),
                message: message.into(),
                help: help.into(),
            });
        }
    }

    /// A fault about a name that is not among the known ones.
    pub fn unknown<'a>(
        &mut self,
        span: &Range<usize>,
        message: impl Into<String>,
        name: &str,
        known: impl IntoIterator<Item = &'a str>,
    ) {
        // Looking for the nearest name costs time, so not for faults that nobody will see.
        if self.faults.len() < MAX_FAULTS {
            self.fault(span, message, suggest(name, known));
        }
    }

    pub fn is_clean(&self) -> bool {
        self.faults.is_empty()
    }

    pub fn into_faults(self) -> Vec<Fault> {
        self.faults
    }

    /// `what` names the value in the message: "`agency`".
    pub fn text<'t>(&mut self, node: &Node<'t>, what: &str) -> Option<&'t str> {
        match node.value {
            DeValue::String(text) => Some(text),
            _ => self.wrong_kind(node, what, "a text in quotes"),
        }
    }

    pub fn array<'t>(&mut self, node: &Node<'t>, what: &str) -> Option<Vec<Node<'t>>> {
        match node.value {
            DeValue::Array(array) => Some(array.iter().map(Node::new).collect()),
            _ => self.wrong_kind(node, what, "a list in square brackets"),
        }
    }

    pub fn table<'t>(&mut self, node: &Node<'t>, what: impl Into<String>) -> Option<Fields<'t>> {
        let what = what.into();
        match node.value {
            DeValue::Table(table) => Some(Fields::new(what, node.span.clone(), table)),
            _ => self.wrong_kind(node, &what, "a table"),
        }
    }

    pub fn decimal(&mut self, node: &Node<'_>, what: &str) -> Option<Decimal> {
        let text = match node.value {
            DeValue::Integer(number) if number.radix() == 10 => number.as_str(),
            DeValue::Float(number) => number.as_str(),
            _ => return self.wrong_kind(node, what, "a decimal number such as 12 or -0.25"),
        };
        match Decimal::parse(text) {
            Ok(number) => Some(number),
            Err(error) => {
                let help = "write it out in at most 18 digits, without an exponent";
                self.fault(&node.span, format!("{what}: `{text}` is {error}"), help);
                None
            }
        }
    }

    pub fn integer(&mut self, node: &Node<'_>, what: &str) -> Option<i64> {
        let number = match node.value {
            DeValue::Integer(_) => self.decimal(node, what)?,
            _ => return self.wrong_kind(node, what, "a whole number"),
        };
        Some(number.units)
    }

    /// A text, or a list of at least one text without repetition.
    pub fn texts<'t>(
        &mut self,
        node: &Node<'t>,
        what: &str,
    ) -> Option<Vec<(&'t str, Range<usize>)>> {
        if let DeValue::String(text) = node.value {
            return Some(vec![(text, node.span.clone())]);
        }
        let DeValue::Array(array) = node.value else {
            return self.wrong_kind(node, what, "a text in quotes or a list of them");
        };
        if array.is_empty() {
            self.fault(&node.span, format!("{what} is an empty list"), "name at least one");
            return None;
        }
        let mut texts: Vec<(&str, Range<usize>)> = Vec::with_capacity(array.len());
        let mut seen = std::collections::BTreeSet::new();
        let mut sound = true;
        for node in array.iter().map(Node::new) {
            match self.text(&node, what) {
                // Readers leave spaces around a text away.
                Some(text) if !seen.insert(text.trim()) => {
                    self.fault(
                        &node.span,
                        format!("{what} names \"{text}\" twice"),
                        "name it once",
                    );
                    sound = false;
                }
                Some(text) => texts.push((text, node.span)),
                None => sound = false,
            }
        }
        sound.then_some(texts)
    }

    fn wrong_kind<T>(&mut self, node: &Node<'_>, what: &str, right: &str) -> Option<T> {
        let message = format!("{what} should be {right}, not a TOML {}", node.value.type_str());
        self.fault(&node.span, message, format!("write {right}"));
        None
    }
}

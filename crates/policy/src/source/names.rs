//! The one name space of indicators, concepts, cuts and scores.

use super::reader::{Node, Reader};
use crate::{Class, Variable};
use std::collections::BTreeMap;
use std::ops::Range;

/// The longest identifier.
pub(super) const MAX_NAME: usize = 64;

/// Words that conditions and register files use themselves.
const RESERVED: &[&str] = &[
    "any", "all", "not", "of", "at_least", "at_most", "exactly", "opt_out", "id", "family",
    "person",
];

/// What a name stands for.
#[derive(Debug)]
pub(super) enum Meaning {
    /// Something with classes; `None` if those are faulty, which has been reported.
    Classes(Variable, Option<Vec<Class>>),
    /// An integer indicator.
    Integer(usize),
    /// A score.
    Score(usize),
    /// An indicator too faulty to tell.
    Unclear,
}

/// A name resolved to something with classes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Resolved<'n> {
    pub variable: Variable,
    pub classes: &'n [Class],
}

#[derive(Debug, Default)]
pub(super) struct Names<'t> {
    meanings: BTreeMap<&'t str, Meaning>,
}

impl<'t> Names<'t> {
    pub fn declare(
        &mut self,
        reader: &mut Reader,
        name: &'t str,
        span: &Range<usize>,
        meaning: Meaning,
    ) {
        if RESERVED.contains(&name) {
            let help = format!(
                "choose another name, such as `{name}_1`; reserved are {}",
                RESERVED.join(", ")
            );
            reader.fault(span, format!("`{name}` is a reserved word"), help);
        }
        if self.meanings.contains_key(name) {
            let help =
                "indicators, concepts, scores and cuts share one name space; rename one of the two";
            reader.fault(span, format!("the name `{name}` is taken already"), help);
        } else {
            self.meanings.insert(name, meaning);
        }
    }

    pub fn meaning(&self, name: &str) -> Option<&Meaning> {
        self.meanings.get(name)
    }

    /// The thing with classes that a name stands for. `None`: a fault was recorded, now or before.
    pub fn resolve(
        &self,
        reader: &mut Reader,
        name: &str,
        span: &Range<usize>,
    ) -> Option<Resolved<'_>> {
        match self.meanings.get(name) {
            Some(Meaning::Classes(variable, classes)) => {
                Some(Resolved { variable: *variable, classes: classes.as_deref()? })
            }
            Some(Meaning::Integer(_)) => {
                let help = "weigh it in a score, cut the score, and refer to the cut";
                reader.fault(span, format!("`{name}` is an integer and has no classes"), help);
                None
            }
            Some(Meaning::Score(_)) => {
                let help = "cut the score into classes and refer to the cut";
                reader.fault(span, format!("`{name}` is a score and has no classes"), help);
                None
            }
            Some(Meaning::Unclear) => None,
            None => {
                let known = self
                    .meanings
                    .iter()
                    .filter(|(_, meaning)| matches!(meaning, Meaning::Classes(..)));
                reader.unknown(
                    span,
                    format!("nothing is called `{name}`"),
                    name,
                    known.map(|(name, _)| *name),
                );
                None
            }
        }
    }

    /// The names of integer indicators.
    pub fn integers(&self) -> impl Iterator<Item = &str> {
        self.meanings
            .iter()
            .filter(|(_, meaning)| matches!(meaning, Meaning::Integer(_)))
            .map(|(name, _)| *name)
    }

    pub fn score(&self, reader: &mut Reader, node: &Node<'_>) -> Option<usize> {
        let name = reader.text(node, "`score`")?;
        if let Some(Meaning::Score(position)) = self.meanings.get(name) {
            return Some(*position);
        }
        let known =
            self.meanings.iter().filter(|(_, meaning)| matches!(meaning, Meaning::Score(_)));
        reader.unknown(
            &node.span,
            format!("no score is called `{name}`"),
            name,
            known.map(|(name, _)| *name),
        );
        None
    }
}

/// Small letters, digits and underscores, a letter first.
pub(super) fn check_identifier(reader: &mut Reader, name: &str, span: &Range<usize>, kind: &str) {
    let starts = name.bytes().next().is_some_and(|b| b.is_ascii_lowercase());
    let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
    if !starts || !name.bytes().all(allowed) || name.len() > MAX_NAME {
        let help = "use small letters, digits and underscores, a letter first, at most 64: income_per_head";
        reader.fault(span, format!("`{name}` cannot name this {kind}"), help);
    }
}

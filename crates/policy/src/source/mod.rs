//! TOML text → [`Policy`]: every name resolved, every rule of the language checked. And the way back.
//!
//! The document is walked by hand, so that one run reports all that is wrong, each fault where it stands.
//! A reader that meets a fault records it and returns `None`; a policy comes out only if nothing was recorded.

mod checks;
mod classes;
mod concept;
mod condition;
mod diagnostic;
mod domain;
mod fields;
mod indicator;
mod names;
mod outcome;
mod reader;
mod score;
mod suggest;
#[cfg(test)]
mod tests;
mod write;

pub use diagnostic::{PolicyError, PolicyErrors};

use crate::{MAX_TIERS, MIN_TIERS, Policy, Step, Variable};
use fields::Fields;
use names::{Meaning, Names};
use reader::{Node, Reader};
use std::ops::Range;
use toml::de::DeTable;

/// The largest policy file, in bytes.
pub const MAX_SOURCE: usize = 1 << 20;

/// The most syntax faults one run looks at.
const MAX_SYNTAX_FAULTS: usize = 10;

/// The only version of the language so far.
const FORMAT: &str = "1";

impl Policy {
    /// Reads and checks a policy. `file_name` only appears in messages. The errors say where in the text each
    /// fault stands and what would be right.
    pub fn parse(file_name: &str, text: &str) -> Result<Policy, PolicyErrors> {
        let mut reader = Reader::default();
        let policy = read(&mut reader, text);
        let faults = reader.into_faults();
        match policy {
            Some(policy) if faults.is_empty() => Ok(policy),
            _ => Err(PolicyErrors::new(file_name, text, faults)),
        }
    }
}

fn read(reader: &mut Reader, text: &str) -> Option<Policy> {
    if text.len() > MAX_SOURCE {
        reader.fault(
            &(0..0),
            "the policy file is larger than 1 MiB",
            "a policy is a few pages; is this the right file?",
        );
        return None;
    }
    let (document, faults) = DeTable::parse_recoverable(text);
    if !faults.is_empty() {
        // One slip, such as an open bracket, makes the parser stumble over every later line; the first few places tell.
        let mut last_line = None;
        for fault in faults.iter().take(MAX_SYNTAX_FAULTS) {
            let span = fault.span().unwrap_or(0..0);
            let line = text.get(..span.start).map(|before| before.matches('\n').count());
            if last_line == line {
                continue;
            }
            last_line = line;
            reader.fault(
                &span,
                format!("not valid TOML: {}", fault.message()),
                "see https://toml.io for the syntax",
            );
        }
        return None;
    }
    let root = Fields::new("the policy".to_owned(), 0..0, document.get_ref());
    let policy = policy(reader, root)?;
    if reader.is_clean() {
        checks::check_use(reader, &policy);
    }
    Some(policy.model)
}

/// A policy together with where its parts stand.
struct Located {
    model: Policy,
    agencies: Vec<Range<usize>>,
    indicators: Vec<Range<usize>>,
    concepts: Vec<Range<usize>>,
    scores: Vec<Range<usize>>,
    cuts: Vec<Range<usize>>,
}

impl Located {
    fn span(&self, step: Step) -> Range<usize> {
        let found = match step {
            Step::Concept(i) => self.concepts.get(i),
            Step::Score(i) => self.scores.get(i),
            Step::Cut(i) => self.cuts.get(i),
        };
        found.cloned().unwrap_or(0..0)
    }
}

/// One `[section.id]` table.
struct Part<'t> {
    id: &'t str,
    span: Range<usize>,
    fields: Fields<'t>,
}

fn policy(reader: &mut Reader, mut root: Fields<'_>) -> Option<Located> {
    format(reader, &mut root);
    let name = policy_name(reader, &mut root);
    let title = root.labels(reader, "title", &name);
    let tiers = classes::field(reader, &mut root, "tiers", MIN_TIERS, MAX_TIERS);

    let agency_parts = section(
        reader,
        &mut root,
        "agencies",
        "agency",
        "name at least one agency: [agencies.tax]",
    );
    let indicator_parts = section(
        reader,
        &mut root,
        "indicators",
        "indicator",
        "name at least one indicator: [indicators.income]",
    );
    let concept_parts = section(reader, &mut root, "concepts", "concept", "");
    let score_parts = section(reader, &mut root, "scores", "score", "");
    let cut_parts = section(reader, &mut root, "cuts", "cut", "");
    let spans = |parts: &[Part<'_>]| parts.iter().map(|part| part.span.clone()).collect::<Vec<_>>();
    let located = (
        spans(&agency_parts),
        spans(&indicator_parts),
        spans(&concept_parts),
        spans(&score_parts),
        spans(&cut_parts),
    );

    let agencies =
        agency_parts.into_iter().map(|part| indicator::agency(reader, part)).collect::<Vec<_>>();
    let mut names = Names::default();
    let mut indicators = Vec::new();
    for (position, part) in indicator_parts.into_iter().enumerate() {
        let (id, span) = (part.id, part.span.clone());
        let indicator = indicator::indicator(reader, part, &agencies);
        names.declare(reader, id, &span, indicator::meaning(position, indicator.as_ref()));
        indicators.push(indicator);
    }

    // Tables may refer to one another in any order: first what there is, then what it says.
    let mut concept_drafts = Vec::new();
    for (position, mut part) in concept_parts.into_iter().enumerate() {
        let classes = classes::field(reader, &mut part.fields, "classes", 2, classes::MAX_CLASSES);
        let meaning = Meaning::Classes(Variable::Concept(position), classes.clone());
        names.declare(reader, part.id, &part.span, meaning);
        concept_drafts.push((part, classes));
    }
    for (position, part) in score_parts.iter().enumerate() {
        names.declare(reader, part.id, &part.span, Meaning::Score(position));
    }
    let mut cut_drafts = Vec::new();
    for (position, mut part) in cut_parts.into_iter().enumerate() {
        let classes = classes::field(reader, &mut part.fields, "classes", 2, classes::MAX_CLASSES);
        let meaning = Meaning::Classes(Variable::Cut(position), classes.clone());
        names.declare(reader, part.id, &part.span, meaning);
        cut_drafts.push((part, classes));
    }

    let concepts = concept_drafts
        .into_iter()
        .map(|(part, classes)| concept::concept(reader, part, classes, &names))
        .collect::<Vec<_>>();
    let scores = score_parts
        .into_iter()
        .map(|part| score::score(reader, part, &names, &indicators))
        .collect::<Vec<_>>();
    let cuts = cut_drafts
        .into_iter()
        .map(|(part, classes)| score::cut(reader, part, classes, &names, &scores))
        .collect::<Vec<_>>();

    let decision = outcome::decision(reader, &mut root, &names, tiers.as_deref());
    let overrides = outcome::overrides(reader, &mut root, &names, tiers.as_deref());
    let opt_out = outcome::opt_out(reader, &mut root);
    let reasons = outcome::reasons(reader, &mut root, &names);
    root.finish(reader);

    let (agency_spans, indicator_spans, concept_spans, score_spans, cut_spans) = located;
    Some(Located {
        model: Policy {
            name,
            title,
            tiers: tiers?,
            agencies,
            indicators: indicators.into_iter().collect::<Option<_>>()?,
            concepts: concepts.into_iter().collect::<Option<_>>()?,
            scores: scores.into_iter().collect::<Option<_>>()?,
            cuts: cuts.into_iter().collect::<Option<_>>()?,
            decision: decision?,
            overrides: overrides?,
            opt_out,
            reasons: reasons?,
        },
        agencies: agency_spans,
        indicators: indicator_spans,
        concepts: concept_spans,
        scores: score_spans,
        cuts: cut_spans,
    })
}

fn format(reader: &mut Reader, root: &mut Fields<'_>) {
    let help = "the first line of a policy is: blindtier = \"1\"";
    if let Some(node) = root.require(reader, "blindtier", help)
        && let Some(version) = reader.text(&node, "the version of the language")
        && version != FORMAT
    {
        reader.fault(
            &node.span,
            format!("version \"{version}\" of the language is not known"),
            help,
        );
    }
}

fn policy_name(reader: &mut Reader, root: &mut Fields<'_>) -> String {
    let help = "a short name of small letters, digits and hyphens: name = \"family-card\"";
    let Some(node) = root.require(reader, "name", help) else { return String::new() };
    let Some(name) = reader.text(&node, "`name`") else { return String::new() };
    let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    if name.is_empty() || name.len() > names::MAX_NAME || !name.bytes().all(allowed) {
        reader.fault(&node.span, format!("\"{name}\" cannot name a policy"), help);
    }
    name.to_owned()
}

/// The tables under one heading. A heading with a non-empty `required` must be there.
fn section<'t>(
    reader: &mut Reader,
    root: &mut Fields<'t>,
    key: &'static str,
    kind: &str,
    required: &str,
) -> Vec<Part<'t>> {
    let node: Option<Node<'t>> =
        if required.is_empty() { root.get(key) } else { root.require(reader, key, required) };
    let Some(table) = node.and_then(|node| reader.table(&node, format!("`{key}`"))) else {
        return Vec::new();
    };
    let mut parts = Vec::new();
    for entry in table.into_entries() {
        names::check_identifier(reader, entry.key, &entry.key_span, kind);
        if let Some(mut fields) = reader.table(&entry.node, format!("{kind} `{}`", entry.key)) {
            fields.span = entry.key_span.clone();
            parts.push(Part { id: entry.key, span: entry.key_span, fields });
        }
    }
    if parts.is_empty() && !required.is_empty() && reader.is_clean() {
        reader.fault(&root.span_of(key), format!("`{key}` is empty"), required);
    }
    parts
}

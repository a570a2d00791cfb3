//! [`Policy`] → TOML text, the way back. What the language assumes where a file is silent is left out.

use super::FORMAT;
use super::fields::default_labels;
use super::indicator::{AGGREGATES, FACTS};
use super::outcome::{EFFECTS, OPT_OUT, override_label};
use crate::{
    Aggregate, Class, Concept, Condition, Cut, Decimal, Decision, Domain, Indicator, Labels,
    LevelRule, OptOut, Override, Policy, Score, Table, Term, UNDECIDED, Variable,
};
use std::collections::BTreeSet;

impl Policy {
    /// The policy as the text of a policy file, in which [`Policy::parse`] finds the same policy again. Comments and
    /// spacing of the file that it came from are gone. A policy built by hand that breaks a rule of the language is
    /// written all the same, and refused when it is read.
    pub fn to_toml(&self) -> String {
        let mut out = Text::default();
        out.field("blindtier", text(FORMAT));
        out.field("name", text(&self.name));
        out.field("title", label(&self.title, &self.name));
        out.field("tiers", classes(&self.tiers));
        out.heading("[agencies]");
        for agency in &self.agencies {
            out.field(&agency.id, table([("label", label(&agency.label, &agency.id))]));
        }
        for indicator in &self.indicators {
            write_indicator(&mut out, self, indicator);
        }
        for concept in &self.concepts {
            write_concept(&mut out, self, concept);
        }
        for score in &self.scores {
            write_score(&mut out, self, score);
        }
        for cut in &self.cuts {
            write_cut(&mut out, self, cut);
        }
        write_decision(&mut out, self, &self.decision);
        for rule in &self.overrides {
            write_override(&mut out, self, rule);
        }
        if self.opt_out != OptOut::NotOffered {
            out.heading("[opt_out]");
            out.field("result", text(word(OPT_OUT, self.opt_out)));
        }
        for reason in &self.reasons {
            out.heading("[[reasons]]");
            out.field("id", text(&reason.id));
            out.field("label", label(&reason.label, &reason.id));
            out.field("when", condition(self, &reason.when));
        }
        out.0
    }
}

/// The lines written so far. Keys need no quotes: identifiers and language tags are bare keys of TOML.
#[derive(Default)]
struct Text(String);

impl Text {
    fn heading(&mut self, heading: &str) {
        self.0 += &format!("\n{heading}\n");
    }

    /// A key without a value is left out.
    fn field(&mut self, key: &str, value: impl Into<Option<String>>) {
        if let Some(value) = value.into() {
            self.0 += &format!("{key} = {value}\n");
        }
    }
}

fn write_indicator(out: &mut Text, policy: &Policy, indicator: &Indicator) {
    out.heading(&format!("[indicators.{}]", indicator.id));
    out.field("label", label(&indicator.label, &indicator.id));
    let agency = policy.agencies.get(indicator.agency).map_or("", |agency| &agency.id);
    out.field("agency", text(agency));
    match indicator.columns.as_slice() {
        [only] => out.field("column", (*only != indicator.id).then(|| text(only))),
        several => out.field("columns", list(several.iter().map(|column| text(column)))),
    }
    let aggregate = indicator.aggregate;
    out.field(
        "aggregate",
        (aggregate != Aggregate::First).then(|| text(word(AGGREGATES, aggregate))),
    );
    out.field(
        "matches",
        (!indicator.matches.is_empty())
            .then(|| list(indicator.matches.iter().map(|cell| text(cell)))),
    );
    out.field("per", indicator.per.map(|fact| text(word(FACTS, fact))));
    match &indicator.domain {
        Domain::Integer { min, max, unit, missing } => {
            let missing = missing.map_or_else(|| text(UNDECIDED), |missing| missing.to_string());
            let entries = [
                ("min", Some(min.to_string())),
                ("max", Some(max.to_string())),
                ("unit", (!unit.is_empty()).then(|| text(unit))),
                ("missing", Some(missing)),
            ];
            out.field("integer", table(entries));
        }
        Domain::Levels { levels, rule, missing } => {
            // Yes or no comes with bands of its own, which a file cannot state.
            if matches!(aggregate, Aggregate::Any | Aggregate::All) {
                out.field("levels", classes(levels));
            } else {
                write_rule(out, levels, rule);
            }
            out.field("missing", text(missing.map_or(UNDECIDED, |missing| id(levels, missing))));
        }
    }
}

fn write_rule(out: &mut Text, levels: &[Class], rule: &LevelRule) {
    match rule {
        LevelRule::Bands(bands) => {
            let bands = bands.iter().map(|band| {
                table([
                    ("level", Some(text(id(levels, band.level)))),
                    ("from", band.from.map(|from| from.to_string())),
                    ("below", band.below.map(|below| below.to_string())),
                ])
            });
            out.field("bands", lines(bands));
            let labels = levels
                .iter()
                .filter_map(|level| Some((level.id.as_str(), label(&level.label, &level.id)?)));
            out.field("levels", table_unless_empty(labels.collect()));
        }
        LevelRule::Categories(categories) => {
            out.field("levels", classes(levels));
            let stated = levels
                .iter()
                .zip(categories)
                .filter(|(level, texts)| texts.as_slice() != [level.id.as_str()])
                .map(|(level, texts)| (level.id.as_str(), list(texts.iter().map(|t| text(t)))));
            out.field("categories", table_unless_empty(stated.collect()));
        }
    }
}

fn write_concept(out: &mut Text, policy: &Policy, concept: &Concept) {
    out.heading(&format!("[concepts.{}]", concept.id));
    out.field("label", label(&concept.label, &concept.id));
    out.field("inputs", list(concept.inputs.iter().map(|&input| text(name(policy, input)))));
    out.field("classes", classes(&concept.classes));
    match &concept.table {
        Table::FirstMatch(rules) => {
            let rules = rules.iter().map(|rule| {
                let when =
                    concept.inputs.iter().zip(&rule.when).filter_map(|(&input, accepted)| {
                        Some((name(policy, input), accepts(policy, input, accepted.as_ref()?)))
                    });
                table([
                    ("when", table_unless_empty(when.collect())),
                    ("then", Some(text(id(&concept.classes, rule.then)))),
                ])
            });
            out.field("rules", lines(rules));
        }
        Table::Grid(cells) => {
            let cells: Vec<String> =
                cells.iter().map(|&cell| text(id(&concept.classes, cell))).collect();
            let sizes: Vec<usize> =
                concept.inputs.iter().map(|&input| policy.classes(input).len()).collect();
            out.field("grid", lines(rows(&cells, &sizes)));
        }
    }
}

/// The entries of one nesting of a grid: one for each class of the first input.
fn rows(cells: &[String], sizes: &[usize]) -> Vec<String> {
    match sizes {
        [] | [_] => cells.to_vec(),
        [first, rest @ ..] => {
            let row = cells.len().checked_div(*first).unwrap_or(0).max(1);
            cells.chunks(row).map(|cells| list(rows(cells, rest))).collect()
        }
    }
}

fn write_score(out: &mut Text, policy: &Policy, score: &Score) {
    let amount = |units| amount(units, score.decimals);
    out.heading(&format!("[scores.{}]", score.id));
    out.field("label", label(&score.label, &score.id));
    out.field("decimals", (score.decimals != 0).then(|| score.decimals.to_string()));
    out.field("constant", (score.constant != 0).then(|| amount(score.constant)));
    for term in &score.terms {
        match term {
            Term::Points { variable, points } => {
                let classes = policy.classes(*variable).iter();
                let points = classes.zip(points).map(|(class, &p)| (class.id.as_str(), amount(p)));
                out.field(&format!("points.{}", name(policy, *variable)), table(points));
            }
            Term::Weight { indicator, weight } => {
                let indicator = name(policy, Variable::Indicator(*indicator));
                out.field(&format!("weights.{indicator}"), amount(*weight));
            }
        }
    }
    // A score has to say what it adds up, be it nothing.
    if score.terms.is_empty() {
        out.field("points", table_of_nothing());
    }
}

fn write_cut(out: &mut Text, policy: &Policy, cut: &Cut) {
    let score = policy.scores.get(cut.score);
    let decimals = score.map_or(0, |score| score.decimals);
    out.heading(&format!("[cuts.{}]", cut.id));
    out.field("label", label(&cut.label, &cut.id));
    out.field("score", text(score.map_or("", |score| &score.id)));
    out.field("classes", classes(&cut.classes));
    out.field("at", list(cut.at.iter().map(|&start| amount(start, decimals))));
}

fn write_decision(out: &mut Text, policy: &Policy, decision: &Decision) {
    out.heading("[tier]");
    out.field("from", text(name(policy, decision.from)));
    let map: Vec<(&str, &str)> = policy
        .classes(decision.from)
        .iter()
        .zip(&decision.tiers)
        .map(|(class, &tier)| (class.id.as_str(), id(&policy.tiers, tier)))
        .collect();
    if map.iter().any(|(class, tier)| class != tier) {
        out.field("map", table(map.into_iter().map(|(class, tier)| (class, text(tier)))));
    }
}

fn write_override(out: &mut Text, policy: &Policy, rule: &Override) {
    let (effect, tier) = (word(EFFECTS, rule.effect), id(&policy.tiers, rule.tier));
    out.heading("[[overrides]]");
    out.field("label", label(&rule.label, &override_label(effect, tier)));
    out.field(effect, text(tier));
    out.field("when", condition(policy, &rule.when));
}

fn condition(policy: &Policy, of: &Condition) -> String {
    let inner = |of: &[Condition]| list(of.iter().map(|of| condition(policy, of)));
    match of {
        Condition::Is { variable, classes } => {
            table([(name(policy, *variable), accepts(policy, *variable, classes))])
        }
        Condition::All(of) => match plain(policy, of) {
            Some(tests) => table(tests),
            None => table([("all", inner(of))]),
        },
        Condition::Any(of) => table([("any", inner(of))]),
        Condition::Not(of) => table([("not", condition(policy, of))]),
        Condition::Count { min, max, of } => {
            let one = min == max;
            let at_most = !one && *max != of.len();
            let at_least = !one && (*min != 0 || !at_most);
            table([
                ("of", Some(inner(of))),
                ("exactly", one.then(|| min.to_string())),
                ("at_least", at_least.then(|| min.to_string())),
                ("at_most", at_most.then(|| max.to_string())),
            ])
        }
    }
}

/// Tests of several variables that must all hold, as one table. More than shorter: where conditions nest as deep as they
/// may, there is no room for a list.
fn plain<'p>(policy: &'p Policy, of: &[Condition]) -> Option<Vec<(&'p str, String)>> {
    let mut seen = BTreeSet::new();
    let tests = of.iter().map(|of| match of {
        Condition::Is { variable, classes } if seen.insert(*variable) => {
            Some((name(policy, *variable), accepts(policy, *variable, classes)))
        }
        _ => None,
    });
    tests.collect::<Option<Vec<_>>>().filter(|tests| tests.len() > 1)
}

/// The accepted classes of a variable: one, or a list.
fn accepts(policy: &Policy, variable: Variable, accepted: &[usize]) -> String {
    let classes = policy.classes(variable);
    match accepted {
        [only] => text(id(classes, *only)),
        several => list(several.iter().map(|&class| text(id(classes, class)))),
    }
}

fn classes(classes: &[Class]) -> String {
    if classes.iter().all(|class| label(&class.label, &class.id).is_none()) {
        return list(classes.iter().map(|class| text(&class.id)));
    }
    lines(classes.iter().map(|class| {
        table([("id", Some(text(&class.id))), ("label", label(&class.label, &class.id))])
    }))
}

/// A label, unless it is the one that the language assumes.
fn label(labels: &Labels, assumed: &str) -> Option<String> {
    if *labels == default_labels(assumed) {
        return None;
    }
    Some(match labels.get("en") {
        Some(only) if labels.len() == 1 => text(only),
        _ => table(labels.iter().map(|(language, label)| (language.as_str(), text(label)))),
    })
}

fn name(policy: &Policy, variable: Variable) -> &str {
    let found = match variable {
        Variable::Indicator(i) => policy.indicators.get(i).map(|indicator| &indicator.id),
        Variable::Concept(i) => policy.concepts.get(i).map(|concept| &concept.id),
        Variable::Cut(i) => policy.cuts.get(i).map(|cut| &cut.id),
    };
    found.map_or("", String::as_str)
}

fn id(classes: &[Class], position: usize) -> &str {
    classes.get(position).map_or("", |class| &class.id)
}

fn word<T: PartialEq>(words: &[(&'static str, T)], meaning: T) -> &'static str {
    words.iter().find(|(_, known)| *known == meaning).map_or("", |(word, _)| word)
}

fn amount(units: i64, decimals: u32) -> String {
    Decimal { units, scale: decimals }.to_string()
}

/// A text in quotes.
fn text(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

fn list(items: impl IntoIterator<Item = String>) -> String {
    format!("[{}]", items.into_iter().collect::<Vec<_>>().join(", "))
}

/// A list with a line for each item.
fn lines(items: impl IntoIterator<Item = String>) -> String {
    let lines: String = items.into_iter().map(|item| format!("  {item},\n")).collect();
    format!("[\n{lines}]")
}

/// A table in one line. A key without a value is left out.
fn table<'k, V: Into<Option<String>>>(entries: impl IntoIterator<Item = (&'k str, V)>) -> String {
    let stated = entries.into_iter().filter_map(|(key, value)| Some((key, value.into()?)));
    table_unless_empty(stated.collect()).unwrap_or_else(table_of_nothing)
}

fn table_unless_empty(entries: Vec<(&str, String)>) -> Option<String> {
    let entries: Vec<String> =
        entries.into_iter().map(|(key, value)| format!("{key} = {value}")).collect();
    (!entries.is_empty()).then(|| format!("{{ {} }}", entries.join(", ")))
}

fn table_of_nothing() -> String {
    "{}".to_owned()
}

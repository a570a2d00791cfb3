//! An evaluator of decision tables straight from the XML. It shares no code with the importer: values are texts,
//! numbers are floating point, every rule is tried for every family.

use crate::register::Inputs;
use roxmltree::{Document, Node};
use std::collections::BTreeMap;

/// A model to evaluate.
pub struct Oracle<'d> {
    root: Node<'d, 'd>,
}

/// What a decision gives: for each output its name and its value, or nothing for null.
pub type Given = BTreeMap<String, Option<String>>;

impl<'d> Oracle<'d> {
    pub fn new(document: &'d Document<'d>) -> Self {
        Self { root: document.root_element() }
    }

    fn named(&self, kind: &str, name: &str) -> Option<Node<'d, 'd>> {
        children(self.root, kind).find(|node| node.attribute("name") == Some(name))
    }

    /// The values at which a test could change its answer, and their neighbours, for every input that tables read.
    pub fn samples(&self, step: fn(&str) -> f64) -> BTreeMap<String, Vec<String>> {
        let mut samples: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let mut allowed: Vec<(String, String)> = Vec::new();
        let mut aliases: Vec<(Node<'_, '_>, BTreeMap<String, String>)> = Vec::new();
        for decision in children(self.root, "decision") {
            aliases.extend(self.table(decision));
        }
        for (table, alias) in aliases {
            for (column, input) in children(table, "input").enumerate() {
                let name = bound(&alias, &text(children(input, "inputExpression").next().unwrap()));
                let first = name.split('.').next().unwrap().trim();
                if self.named("inputData", first).is_none()
                    && self.named("inputData", &name).is_none()
                {
                    continue;
                }
                let mut found: Vec<String> = Vec::new();
                let entries =
                    children(table, "rule").filter_map(|r| children(r, "inputEntry").nth(column));
                for source in entries.chain(children(input, "inputValues")) {
                    for value in literals(&text(source)) {
                        match value.parse::<f64>() {
                            Ok(number) => found
                                .extend([-step(&name), 0.0, step(&name)].map(|d| tidy(number + d))),
                            Err(_) => found.push(value),
                        }
                    }
                }
                let listed = self.listed(&name);
                if listed.is_empty() && found.iter().any(|value| value.parse::<f64>().is_err()) {
                    found.push("other".to_owned());
                }
                found.extend(listed);
                if found.iter().any(|value| value == "true" || value == "false") {
                    found = vec!["true".to_owned(), "false".to_owned()];
                }
                let values = children(input, "inputValues").next().map(text);
                allowed.extend(values.map(|values| (name.clone(), values)));
                samples.entry(name).or_default().extend(found);
            }
        }
        // What one table allows of an input holds for all.
        for (name, allowed) in allowed {
            let values = samples.get_mut(&name).unwrap();
            values.retain(|value| accepts(&allowed, &Some(value.clone())));
        }
        for values in samples.values_mut() {
            values.sort();
            values.dedup();
        }
        samples
    }

    /// The texts that the type of an input lists.
    fn listed(&self, input: &str) -> Vec<String> {
        let variable =
            self.named("inputData", input).and_then(|data| children(data, "variable").next());
        let type_ref = variable.and_then(|variable| variable.attribute("typeRef"));
        let item = type_ref.and_then(|name| self.named("itemDefinition", name));
        match item.and_then(|item| children(item, "allowedValues").next()) {
            Some(values) => literals(&text(values)),
            None => Vec::new(),
        }
    }

    /// The table of a decision, directly or invoked, and what its parameters are bound to.
    fn table(&self, decision: Node<'d, 'd>) -> Option<(Node<'d, 'd>, BTreeMap<String, String>)> {
        if let Some(table) = children(decision, "decisionTable").next() {
            return Some((table, BTreeMap::new()));
        }
        let invocation = children(decision, "invocation").next()?;
        let model = self.named(
            "businessKnowledgeModel",
            &text(children(invocation, "literalExpression").next()?),
        )?;
        let logic = children(model, "encapsulatedLogic").next()?;
        let alias = children(invocation, "binding").filter_map(|binding| {
            let parameter = children(binding, "parameter").next()?.attribute("name")?;
            Some((parameter.to_owned(), text(children(binding, "literalExpression").next()?)))
        });
        Some((children(logic, "decisionTable").next()?, alias.collect()))
    }

    /// Evaluates a decision.
    pub fn decide(&self, decision: &str, inputs: &Inputs) -> Given {
        let (table, alias) = self.table(self.named("decision", decision).unwrap()).unwrap();
        let values: Vec<Option<String>> = children(table, "input")
            .map(|input| {
                let name = bound(&alias, &text(children(input, "inputExpression").next().unwrap()));
                self.value(&name, inputs)
            })
            .collect();
        let outputs: Vec<Node<'_, '_>> = children(table, "output").collect();
        let hits: Vec<Vec<Option<String>>> = children(table, "rule")
            .filter(|rule| {
                children(*rule, "inputEntry")
                    .zip(&values)
                    .all(|(test, value)| accepts(&text(test), value))
            })
            .map(|rule| {
                children(rule, "outputEntry")
                    .map(|entry| self.output(&text(entry), inputs))
                    .collect()
            })
            .collect();
        let defaults = || -> Vec<Option<String>> {
            let default = |output: &Node<'_, '_>| {
                children(*output, "defaultOutputEntry").next().map(|entry| literal(&text(entry)))
            };
            outputs.iter().map(default).collect()
        };
        let sum = |hits: &[Vec<Option<String>>]| -> f64 {
            hits.iter().map(|hit| hit[0].as_ref().unwrap().parse::<f64>().unwrap()).sum::<f64>()
        };
        let extreme = |better: fn(f64, f64) -> f64| {
            let numbers = hits.iter().map(|hit| hit[0].as_ref().unwrap().parse::<f64>().unwrap());
            tidy(numbers.reduce(better).unwrap())
        };
        let result = match (table.attribute("hitPolicy"), table.attribute("aggregation")) {
            _ if hits.is_empty() => defaults(),
            (None | Some("UNIQUE"), _) => {
                assert_eq!(hits.len(), 1, "{decision}: {inputs:?}");
                hits[0].clone()
            }
            (Some("FIRST"), _) => hits[0].clone(),
            (Some("ANY"), _) => {
                assert!(hits.iter().all(|hit| *hit == hits[0]));
                hits[0].clone()
            }
            (Some("PRIORITY"), _) => {
                let lists: Vec<Vec<String>> = outputs
                    .iter()
                    .map(|o| {
                        children(*o, "outputValues")
                            .next()
                            .map_or(Vec::new(), |v| literals(&text(v)))
                    })
                    .collect();
                let rank = |hit: &&Vec<Option<String>>| -> Vec<usize> {
                    let place = |(list, value): (&Vec<String>, &Option<String>)| {
                        list.iter().position(|listed| Some(listed) == value.as_ref()).unwrap_or(0)
                    };
                    lists.iter().zip(hit.iter()).map(place).collect()
                };
                hits.iter().min_by_key(rank).unwrap().clone()
            }
            (Some("COLLECT"), Some("SUM")) => vec![Some(tidy(sum(&hits)))],
            (Some("COLLECT"), Some("COUNT")) => vec![Some(hits.len().to_string())],
            (Some("COLLECT"), Some("MIN")) => vec![Some(extreme(f64::min))],
            (Some("COLLECT"), Some("MAX")) => vec![Some(extreme(f64::max))],
            other => panic!("{other:?}"),
        };
        let names = outputs.iter().map(|o| o.attribute("name").unwrap_or_default().to_owned());
        names.zip(result).collect()
    }

    fn output(&self, entry: &str, inputs: &Inputs) -> Option<String> {
        match self.named("decision", entry) {
            Some(_) => self.value(entry, inputs),
            None => Some(literal(entry)),
        }
    }

    fn value(&self, name: &str, inputs: &Inputs) -> Option<String> {
        if let Some(value) = inputs.get(name) {
            return Some(value.clone());
        }
        if self.named("decision", name).is_some() {
            return self.decide(name, inputs).into_values().next().unwrap();
        }
        let (decision, output) =
            name.split_once('.').unwrap_or_else(|| panic!("no value for {name}"));
        self.decide(decision, inputs)[output].clone()
    }
}

fn children<'d>(node: Node<'d, 'd>, name: &str) -> impl Iterator<Item = Node<'d, 'd>> {
    let name = name.to_owned();
    node.children().filter(move |child| child.is_element() && child.tag_name().name() == name)
}

fn text(node: Node<'_, '_>) -> String {
    let holder = node.children().find(|child| child.tag_name().name() == "text").unwrap();
    holder.text().unwrap_or_default().trim().to_owned()
}

/// A number as people write it, without the dust of floating point.
fn tidy(number: f64) -> String {
    let text = format!("{number:.6}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" { "0".to_owned() } else { text.to_owned() }
}

fn bound(alias: &BTreeMap<String, String>, name: &str) -> String {
    alias.get(name).cloned().unwrap_or_else(|| name.to_owned())
}

fn literal(text: &str) -> String {
    text.trim().trim_matches('"').to_owned()
}

/// Parts between commas that stand outside quotes and brackets.
fn parts(text: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut quoted = false;
    for character in text.chars() {
        quoted ^= character == '"';
        if character == ',' && !quoted {
            parts.push(String::new());
        } else {
            parts.last_mut().unwrap().push(character);
        }
    }
    parts.iter().map(|part| part.trim().to_owned()).collect()
}

/// All literals in a test.
fn literals(test: &str) -> Vec<String> {
    if test == "-" || test.is_empty() {
        return Vec::new();
    }
    let inner = test.strip_prefix("not(").and_then(|rest| rest.strip_suffix(')')).unwrap_or(test);
    let mut found = Vec::new();
    let parts = parts(inner);
    for part in parts.iter().filter(|part| *part != "null") {
        if part.starts_with('"') {
            found.push(literal(part));
            continue;
        }
        let bare = part
            .trim_start_matches(['<', '>', '=', '[', ']', '('])
            .trim_end_matches(['[', ']', ')']);
        let known = |end: &&str| end.parse::<f64>().is_ok() || *end == "true" || *end == "false";
        found.extend(bare.split("..").map(str::trim).filter(known).map(str::to_owned));
    }
    found
}

fn accepts(test: &str, value: &Option<String>) -> bool {
    if test == "-" || test.is_empty() {
        return true;
    }
    let Some(value) = value else { return false };
    match test.strip_prefix("not(").and_then(|rest| rest.strip_suffix(')')) {
        Some(inner) => !parts(inner).iter().any(|part| meets(part, value)),
        None => parts(test).iter().any(|part| meets(part, value)),
    }
}

fn meets(part: &str, value: &str) -> bool {
    if part == "null" {
        return false;
    }
    if part.starts_with('"') || part == "true" || part == "false" {
        return literal(part) == value;
    }
    let number = |text: &str| -> f64 {
        text.trim().parse().unwrap_or_else(|_| panic!("`{text}` in `{part}` for {value}"))
    };
    let x = number(value);
    if let Some(bound) = part.strip_prefix("<=") {
        return x <= number(bound);
    }
    if let Some(bound) = part.strip_prefix(">=") {
        return x >= number(bound);
    }
    if let Some(bound) = part.strip_prefix('<') {
        return x < number(bound);
    }
    if let Some(bound) = part.strip_prefix('>') {
        return x > number(bound);
    }
    let Some((low, high)) = part.split_once("..") else { return x == number(part) };
    let above = match low.strip_prefix('[') {
        Some(low) => x >= number(low),
        None => x > number(&low[1..]),
    };
    let under = match high.strip_suffix(']') {
        Some(high) => x <= number(high),
        None => x < number(&high[..high.len() - 1]),
    };
    above && under
}

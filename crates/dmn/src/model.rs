//! The parts of a DMN file that decide, with where they stand: XML → [`Model`].

use crate::fault::{Faults, Place};
use roxmltree::{Document, Node, ParsingOptions};
use std::ops::Range;

/// The namespaces of DMN 1.3, 1.4 and 1.5.
const NAMESPACES: [&str; 3] = [
    "https://www.omg.org/spec/DMN/20191111/MODEL/",
    "https://www.omg.org/spec/DMN/20211108/MODEL/",
    "https://www.omg.org/spec/DMN/20230324/MODEL/",
];

/// The most XML nodes of one file.
const MAX_NODES: u32 = 500_000;

/// How deep structured types may nest.
const MAX_DEPTH: usize = 16;

/// A text and where it stands in the file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Located {
    pub text: String,
    pub span: Range<usize>,
}

/// What a DMN file says.
#[derive(Debug, Default)]
pub(crate) struct Model {
    pub name: String,
    pub inputs: Vec<InputData>,
    pub decisions: Vec<Decision>,
    pub types: Vec<ItemType>,
}

/// A value that comes from outside.
#[derive(Debug)]
pub(crate) struct InputData {
    pub id: String,
    pub name: Located,
    pub type_ref: Option<String>,
}

/// A named type, or a component of one.
#[derive(Clone, Debug)]
pub(crate) struct ItemType {
    pub name: String,
    pub type_ref: Option<String>,
    pub is_list: bool,
    pub allowed: Option<Located>,
    pub components: Vec<ItemType>,
}

#[derive(Debug)]
pub(crate) struct Decision {
    pub id: String,
    pub name: Located,
    pub type_ref: Option<String>,
    /// References to the inputs and decisions it may read, as they stand in `href`.
    pub requires: Vec<String>,
    pub logic: Logic,
}

#[derive(Debug)]
pub(crate) enum Logic {
    Table(RawTable),
    /// Another kind of expression: its XML name, and where it stands.
    Other(String, Range<usize>),
    Nothing,
}

/// A decision table before its expressions are read.
#[derive(Debug)]
pub(crate) struct RawTable {
    pub span: Range<usize>,
    pub hit_policy: Located,
    pub aggregation: Option<String>,
    pub inputs: Vec<RawInput>,
    pub outputs: Vec<RawOutput>,
    pub rules: Vec<RawRule>,
}

#[derive(Debug)]
pub(crate) struct RawInput {
    pub expression: Located,
    pub type_ref: Option<String>,
    pub values: Option<Located>,
}

#[derive(Debug)]
pub(crate) struct RawOutput {
    pub name: Option<String>,
    pub type_ref: Option<String>,
    pub values: Option<Located>,
    pub default: Option<Located>,
}

#[derive(Debug)]
pub(crate) struct RawRule {
    pub span: Range<usize>,
    pub tests: Vec<Located>,
    pub outputs: Vec<Located>,
}

/// Reads the XML. `None`: a fault was recorded.
pub(crate) fn read(faults: &mut Faults, text: &str) -> Option<Model> {
    let whole = Place::default();
    if text.len() > crate::MAX_DMN {
        let help = "a DMN file has some hundred kilobytes at most; is this the right file?";
        faults.add(whole, &(0..0), "the file is larger than 4 MiB", help);
        return None;
    }
    // Without document types there are no entities to expand.
    let options =
        ParsingOptions { allow_dtd: false, nodes_limit: MAX_NODES, ..ParsingOptions::default() };
    let document = match Document::parse_with_options(text, options) {
        Ok(document) => document,
        Err(error) => {
            let at = offset(text, error.pos());
            let help = "give the .dmn file as the modelling tool exported it";
            faults.add(whole, &(at..at), format!("not readable as XML: {error}"), help);
            return None;
        }
    };
    let root = document.root_element();
    let namespace = root.tag_name().namespace().unwrap_or_default();
    if root.tag_name().name() != "definitions" || !NAMESPACES.contains(&namespace) {
        let message = format!("<{}> of namespace \"{namespace}\"", root.tag_name().name());
        let help = "export the model as DMN 1.3, 1.4 or 1.5";
        faults.add(whole, &start(root), format!("{message} is no DMN 1.3 to 1.5"), help);
        return None;
    }
    let mut model = Model { name: attribute(root, "name"), ..Model::default() };
    let functions: Vec<Function<'_, '_>> = elements(root)
        .filter(|node| node.tag_name().name() == "businessKnowledgeModel")
        .filter_map(function)
        .collect();
    for node in elements(root) {
        match node.tag_name().name() {
            "inputData" => model.inputs.push(InputData {
                id: attribute(node, "id"),
                name: name(node),
                type_ref: variable_type(node),
            }),
            "decision" => model.decisions.push(decision(node, &functions)),
            "itemDefinition" => model.types.push(item_type(node, 0)),
            _ => {}
        }
    }
    Some(model)
}

/// Byte offset of a line and column as the XML parser counts them.
fn offset(text: &str, at: roxmltree::TextPos) -> usize {
    let line = usize::try_from(at.row).unwrap_or(1).saturating_sub(1);
    let before: usize = text.split_inclusive('\n').take(line).map(str::len).sum();
    let column = usize::try_from(at.col).unwrap_or(1).saturating_sub(1);
    let rest = text.get(before..).unwrap_or_default();
    before.saturating_add(rest.char_indices().nth(column).map_or(rest.len(), |(at, _)| at))
}

fn elements<'a, 'i>(node: Node<'a, 'i>) -> impl Iterator<Item = Node<'a, 'i>> {
    // Extensions of modelling tools have namespaces of their own.
    let namespace = node.tag_name().namespace();
    node.children()
        .filter(move |child| child.is_element() && child.tag_name().namespace() == namespace)
}

fn child<'a, 'i>(node: Node<'a, 'i>, name: &str) -> Option<Node<'a, 'i>> {
    elements(node).find(|child| child.tag_name().name() == name)
}

fn attribute(node: Node<'_, '_>, name: &str) -> String {
    node.attribute(name).unwrap_or_default().to_owned()
}

/// The opening tag, to underline no more than that.
fn start(node: Node<'_, '_>) -> Range<usize> {
    let range = node.range();
    let source = node.document().input_text().get(range.clone()).unwrap_or_default();
    let length = source.find('>').map_or(source.len(), |end| end.saturating_add(1));
    range.start..range.start.saturating_add(length)
}

/// A name with every run of white space as one space, as FEEL compares names.
pub(crate) fn normal(name: &str) -> String {
    name.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn name(node: Node<'_, '_>) -> Located {
    Located { text: normal(&attribute(node, "name")), span: start(node) }
}

/// A type without the prefix of its namespace.
fn type_name(text: &str) -> Option<String> {
    let bare = text.trim().rsplit(':').next().unwrap_or_default();
    (!bare.is_empty() && bare != "Any").then(|| bare.to_owned())
}

fn type_attribute(node: Node<'_, '_>) -> Option<String> {
    node.attribute("typeRef").and_then(type_name)
}

fn variable_type(node: Node<'_, '_>) -> Option<String> {
    child(node, "variable").and_then(type_attribute)
}

/// The text under `<text>`, and where it starts.
fn text(node: Node<'_, '_>) -> Located {
    let Some(holder) = child(node, "text") else {
        return Located { text: String::new(), span: start(node) };
    };
    let pieces: Vec<Node<'_, '_>> = holder.children().filter(|piece| piece.is_text()).collect();
    let all: String = pieces.iter().filter_map(|piece| piece.text()).collect();
    let span = match (pieces.first(), pieces.last()) {
        (Some(first), Some(last)) => first.range().start..last.range().end,
        _ => start(holder),
    };
    Located { text: all.trim().to_owned(), span }
}

/// A decision table that decisions may invoke.
struct Function<'a, 'i> {
    name: String,
    table: Node<'a, 'i>,
}

fn function<'a, 'i>(node: Node<'a, 'i>) -> Option<Function<'a, 'i>> {
    let logic = child(node, "encapsulatedLogic")?;
    Some(Function { name: normal(&attribute(node, "name")), table: child(logic, "decisionTable")? })
}

/// The table that an invocation invokes, its parameters replaced by what is bound to them.
fn invoked(node: Node<'_, '_>, functions: &[Function<'_, '_>]) -> Option<RawTable> {
    let called = normal(&text(child(node, "literalExpression")?).text);
    let function = functions.iter().find(|function| function.name == called)?;
    let bindings: Vec<(String, Located)> = elements(node)
        .filter(|part| part.tag_name().name() == "binding")
        .filter_map(|part| {
            let parameter = normal(child(part, "parameter")?.attribute("name")?);
            Some((parameter, text(child(part, "literalExpression")?)))
        })
        .collect();
    let mut table = table(function.table);
    for input in &mut table.inputs {
        // What is no parameter keeps its name, and is then refused as a variable that the decision does not require.
        let wanted = normal(&input.expression.text);
        if let Some((_, bound)) = bindings.iter().find(|(parameter, _)| *parameter == wanted) {
            input.expression = bound.clone();
        }
    }
    Some(table)
}

fn decision(node: Node<'_, '_>, functions: &[Function<'_, '_>]) -> Decision {
    const BESIDE: [&str; 14] = [
        "description",
        "extensionElements",
        "question",
        "allowedAnswers",
        "variable",
        "informationRequirement",
        "knowledgeRequirement",
        "authorityRequirement",
        "supportedObjective",
        "impactedPerformanceIndicator",
        "decisionMaker",
        "decisionOwner",
        "usingProcess",
        "usingTask",
    ];
    let logic = elements(node).find(|child| !BESIDE.contains(&child.tag_name().name())).map_or(
        Logic::Nothing,
        |found| match found.tag_name().name() {
            "decisionTable" => Logic::Table(table(found)),
            "invocation" => match invoked(found, functions) {
                Some(table) => Logic::Table(table),
                None => Logic::Other("invocation".to_owned(), start(found)),
            },
            other => Logic::Other(other.to_owned(), start(found)),
        },
    );
    let requires = elements(node)
        .filter(|child| child.tag_name().name() == "informationRequirement")
        .flat_map(elements)
        .filter_map(|required| required.attribute("href").map(str::to_owned))
        .collect();
    Decision {
        id: attribute(node, "id"),
        name: name(node),
        type_ref: variable_type(node),
        requires,
        logic,
    }
}

fn table(node: Node<'_, '_>) -> RawTable {
    let hit_policy = node.attribute("hitPolicy").unwrap_or("UNIQUE");
    let mut table = RawTable {
        span: start(node),
        hit_policy: Located { text: hit_policy.to_owned(), span: start(node) },
        aggregation: node.attribute("aggregation").map(str::to_owned),
        inputs: Vec::new(),
        outputs: Vec::new(),
        rules: Vec::new(),
    };
    for part in elements(node) {
        match part.tag_name().name() {
            "input" => {
                let expression = child(part, "inputExpression");
                table.inputs.push(RawInput {
                    expression: text(expression.unwrap_or(part)),
                    type_ref: expression.and_then(type_attribute),
                    values: child(part, "inputValues").map(text),
                });
            }
            "output" => table.outputs.push(RawOutput {
                name: part.attribute("name").map(normal),
                type_ref: type_attribute(part),
                values: child(part, "outputValues").map(text),
                default: child(part, "defaultOutputEntry").map(text),
            }),
            "rule" => {
                let entries = |kind: &str| {
                    elements(part).filter(|e| e.tag_name().name() == kind).map(text).collect()
                };
                table.rules.push(RawRule {
                    span: start(part),
                    tests: entries("inputEntry"),
                    outputs: entries("outputEntry"),
                });
            }
            _ => {}
        }
    }
    table
}

fn item_type(node: Node<'_, '_>, depth: usize) -> ItemType {
    let components = if depth < MAX_DEPTH {
        elements(node)
            .filter(|part| part.tag_name().name() == "itemComponent")
            .map(|part| item_type(part, depth.saturating_add(1)))
            .collect()
    } else {
        Vec::new()
    };
    ItemType {
        name: normal(&attribute(node, "name")),
        type_ref: child(node, "typeRef").and_then(|part| part.text()).and_then(type_name),
        is_list: node.attribute("isCollection") == Some("true"),
        allowed: child(node, "allowedValues").or_else(|| child(node, "typeConstraint")).map(text),
        components,
    }
}

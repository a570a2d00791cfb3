//! The keys of one TOML table. Whatever is never asked for is unknown, and reported as such.

use super::reader::{Node, Reader};
use crate::Labels;
use std::ops::Range;
use toml::de::DeTable;

/// One key with its value.
#[derive(Clone, Debug)]
pub(super) struct Entry<'t> {
    pub key: &'t str,
    pub key_span: Range<usize>,
    pub node: Node<'t>,
}

#[derive(Debug)]
pub(super) struct Fields<'t> {
    /// What the table describes, for messages: "indicator `income`".
    pub owner: String,
    /// Where to point when something is missing.
    pub span: Range<usize>,
    entries: Vec<Entry<'t>>,
    asked: Vec<&'static str>,
}

impl<'t> Fields<'t> {
    pub fn new(owner: String, span: Range<usize>, table: &'t DeTable<'t>) -> Self {
        let entries = table
            .iter()
            .map(|(key, value)| {
                let mut node = Node::new(value);
                // A table under its own heading has the heading as its span: point at the key in it.
                if node.span.start < key.span().end {
                    node.span = key.span();
                }
                Entry { key: key.get_ref(), key_span: key.span(), node }
            })
            .collect();
        Self { owner, span, entries, asked: Vec::new() }
    }

    pub fn entries(&self) -> &[Entry<'t>] {
        &self.entries
    }

    pub fn into_entries(self) -> Vec<Entry<'t>> {
        self.entries
    }

    pub fn has(&self, key: &str) -> bool {
        self.entries.iter().any(|entry| entry.key == key)
    }

    /// Where a key stands, or the table if it lacks it.
    pub fn span_of(&self, key: &str) -> Range<usize> {
        self.entries
            .iter()
            .find(|entry| entry.key == key)
            .map_or(&self.span, |entry| &entry.key_span)
            .clone()
    }

    pub fn get(&mut self, key: &'static str) -> Option<Node<'t>> {
        self.asked.push(key);
        self.entries.iter().find(|entry| entry.key == key).map(|entry| entry.node.clone())
    }

    pub fn require(
        &mut self,
        reader: &mut Reader,
        key: &'static str,
        help: &str,
    ) -> Option<Node<'t>> {
        let node = self.get(key);
        if node.is_none() {
            reader.fault(&self.span, format!("{} lacks `{key}`", self.owner), help);
        }
        node
    }

    /// One of a few words; `None` if absent.
    pub fn choice<T: Copy>(
        &mut self,
        reader: &mut Reader,
        key: &'static str,
        words: &[(&str, T)],
    ) -> Option<T> {
        let node = self.get(key)?;
        let word = reader.text(&node, &format!("`{key}`"))?;
        let found = words.iter().find(|(known, _)| *known == word).map(|(_, meaning)| *meaning);
        if found.is_none() {
            let known = words.iter().map(|(known, _)| *known);
            reader.unknown(&node.span, format!("`{key}` cannot be \"{word}\""), word, known);
        }
        found
    }

    /// A label: one text, taken as English, or a table of texts by language. Absent: the fallback in English.
    pub fn labels(&mut self, reader: &mut Reader, key: &'static str, fallback: &str) -> Labels {
        match self.get(key) {
            Some(node) => labels(reader, &node, key).unwrap_or_default(),
            None => default_labels(fallback),
        }
    }

    /// Reports every key that nobody asked for.
    pub fn finish(self, reader: &mut Reader) {
        for entry in &self.entries {
            if !self.asked.contains(&entry.key) {
                let message = format!("{} has no key `{}`", self.owner, entry.key);
                reader.unknown(&entry.key_span, message, entry.key, self.asked.iter().copied());
            }
        }
    }
}

pub(super) fn default_labels(fallback: &str) -> Labels {
    Labels::from([("en".to_owned(), fallback.to_owned())])
}

pub(super) fn labels(reader: &mut Reader, node: &Node<'_>, what: &str) -> Option<Labels> {
    if let toml::de::DeValue::String(text) = node.value {
        return Some(default_labels(text));
    }
    let help = "write a text, or one per language: { en = \"Low\", kk = \"Төмен\" }";
    let table = reader.table(node, format!("`{what}`"))?;
    if table.entries().is_empty() {
        reader.fault(&node.span, format!("`{what}` is empty"), help);
    }
    let mut labels = Labels::new();
    for entry in table.into_entries() {
        if !is_language(entry.key) {
            reader.fault(&entry.key_span, format!("`{}` is not a language tag", entry.key), help);
        }
        if let Some(text) = reader.text(&entry.node, &format!("`{what}`")) {
            labels.insert(entry.key.to_owned(), text.to_owned());
        }
    }
    Some(labels)
}

/// `en`, `kk`, `sr-Latn`: two or three small letters, then parts of letters and digits.
fn is_language(tag: &str) -> bool {
    let mut parts = tag.split('-');
    let language = parts.next().unwrap_or_default();
    (2..=3).contains(&language.len())
        && language.bytes().all(|b| b.is_ascii_lowercase())
        && parts.all(|part| {
            (1..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric())
        })
}

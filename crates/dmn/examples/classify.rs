//! Says of every decision of every DMN file under a folder whether it can be imported, and if not, why.
//!
//! `cargo run -p blindtier-dmn --example classify -- FOLDER [MAP.toml]`. Every decision is taken as the tier in turn.

use blindtier_dmn::{ImportError, Map, Options, import};
use std::error::Error;
use std::path::{Path, PathBuf};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().ok_or("give a folder of .dmn files")?;
    let map = match arguments.next() {
        Some(file) => Map::parse(&file, &std::fs::read_to_string(&file)?)?,
        None => Map::default(),
    };
    let mut files = Vec::new();
    collect(Path::new(&folder), &mut files)?;
    files.sort();
    for file in files {
        let text = std::fs::read_to_string(&file)?;
        let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        for tier in decisions(&text) {
            let options =
                Options { map: map.clone(), tier: Some(tier.clone()), ..Options::default() };
            match import(&name, &text, &options) {
                Ok(imported) => {
                    let roles: Vec<String> =
                        imported.parts.iter().map(|p| p.role.to_string()).collect();
                    println!("inside\t{name}\t{tier}\t{}", roles.join(" "));
                }
                Err(ImportError::Dmn(errors)) => {
                    let first = errors.errors().first().map_or("", |error| error.message.as_str());
                    println!("outside\t{name}\t{tier}\t{first}");
                }
                Err(other) => println!("outside\t{name}\t{tier}\t{other}"),
            }
        }
    }
    Ok(())
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "dmn") {
            files.push(path);
        }
    }
    Ok(())
}

/// The names of all decisions, and of all outputs of those that have several.
fn decisions(text: &str) -> Vec<String> {
    let Ok(document) = roxmltree::Document::parse(text) else { return vec![String::new()] };
    let mut names = Vec::new();
    for decision in document.root_element().children().filter(|n| n.has_tag_name_local("decision"))
    {
        let name = decision.attribute("name").unwrap_or_default();
        let outputs: Vec<&str> = decision
            .children()
            .filter(|node| node.has_tag_name_local("decisionTable"))
            .flat_map(|table| table.children())
            .filter(|node| node.has_tag_name_local("output"))
            .filter_map(|output| output.attribute("name"))
            .collect();
        match outputs.as_slice() {
            [] | [_] => names.push(name.to_owned()),
            several => names.extend(several.iter().map(|output| format!("{name}.{output}"))),
        }
    }
    names
}

trait LocalName {
    fn has_tag_name_local(&self, name: &str) -> bool;
}

impl LocalName for roxmltree::Node<'_, '_> {
    fn has_tag_name_local(&self, name: &str) -> bool {
        self.is_element() && self.tag_name().name() == name
    }
}

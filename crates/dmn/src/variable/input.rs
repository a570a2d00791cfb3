//! The classes of an input: what its type, the tables and the map say of its values.

use super::{Maker, kind};
use crate::domain::{Cell, edges, ranges, start};
use crate::fault::{Faults, Place};
use crate::feel::{Literal, Simple, Tests};
use crate::model::Located;
use crate::types::{self, Kind};

impl Maker<'_> {
    pub(super) fn input(&self, faults: &mut Faults, input: usize, path: &str) -> Option<Vec<Cell>> {
        let (place, span) = self.anywhere();
        let data = self.model.inputs.get(input)?;
        let help = "let the register give a text, a number, or true or false";
        let mut declared = match types::declared(self.model, data.type_ref.as_deref(), path) {
            Ok(declared) => declared,
            Err(what) => {
                let message = format!("`{}` has {what} which cannot be imported", self.name);
                faults.add(place, &span, message, help);
                return None;
            }
        };
        if declared.kind.is_none() {
            declared.kind = match types::declared(self.model, self.uses.type_ref, "") {
                Ok(stated) => stated.kind,
                Err(what) => {
                    let message = format!("`{}` has {what} which cannot be imported", self.name);
                    faults.add(place, &span, message, help);
                    return None;
                }
            };
        }
        let kind = declared.kind.or_else(|| self.uses.tests.iter().find_map(|u| kind(u.tests)));
        // Whatever no test looks at has no classes.
        let Some(kind) = kind else {
            return Some(vec![Cell::Range { from: None, below: None }]);
        };
        self.check_kind(faults, kind);
        let allowed = self.allowed(faults, declared.allowed.as_ref());
        match kind {
            Kind::Flag => Some([false, true].map(|flag| Cell::Point(Literal::Flag(flag))).into()),
            Kind::Text => self.texts(faults, allowed),
            Kind::Number => self.numbers(faults, allowed),
        }
    }

    /// The allowed values, from the type or else from the tables, with where they stand.
    fn allowed<'a>(
        &'a self,
        faults: &mut Faults,
        of_type: Option<&'a Located>,
    ) -> Option<(Tests, Place<'a>, &'a Located)> {
        let stated = of_type.map(|values| (values, self.anywhere().0));
        let stated: Vec<_> = stated.into_iter().chain(self.uses.values.iter().copied()).collect();
        let mut found: Option<(Tests, Place<'_>, &Located)> = None;
        for (values, place) in stated {
            match (Tests::parse_allowed(&values.text), &found) {
                (Ok(tests), None) if tests != Tests::Any => found = Some((tests, place, values)),
                (Ok(_), None) => {}
                (Ok(tests), Some((first, _, _))) if of_type.is_none() && tests != *first => {
                    let message = format!(
                        "the values of `{}` are stated differently in another table",
                        self.name
                    );
                    faults.add(
                        place,
                        &values.span,
                        message,
                        "state them once, as a type with allowed values",
                    );
                }
                (Ok(_), Some(_)) => {}
                (Err(outside), _) => {
                    let message = format!("the values of `{}`: {}", self.name, outside.message);
                    faults.add(place, &values.span, message, outside.help);
                }
            }
        }
        found
    }

    fn texts(
        &self,
        faults: &mut Faults,
        allowed: Option<(Tests, Place<'_>, &Located)>,
    ) -> Option<Vec<Cell>> {
        let tested = self.uses.tests.iter().flat_map(|used| {
            used.tests.alternatives().iter().filter_map(move |simple| match simple {
                Simple::Equals(Literal::Text(text)) => Some((used, text)),
                _ => None,
            })
        });
        let mut sound = true;
        for (used, text) in tested.clone().filter(|(_, text)| text.trim().is_empty()) {
            let help = "a register cannot tell an empty text from no value; use a word";
            faults.add(used.place, used.span, format!("\"{text}\" is an empty text"), help);
            sound = false;
        }
        let mapped = self.map.inputs.get(self.name).and_then(|input| input.values.clone());
        let declared: Option<Vec<String>> = match (mapped, allowed) {
            (Some(values), _) => Some(values),
            (None, Some((tests, place, at))) => {
                let values: Option<Vec<String>> = match &tests {
                    Tests::OneOf(list) => list
                        .iter()
                        .map(|simple| match simple {
                            Simple::Equals(Literal::Text(text)) => Some(text.clone()),
                            _ => None,
                        })
                        .collect(),
                    _ => None,
                };
                if values.is_none() {
                    let message = format!("the values of `{}` are no list of texts", self.name);
                    faults.add(place, &at.span, message, "list them: \"low\", \"high\"");
                    sound = false;
                }
                values
            }
            (None, None) => None,
        };
        let Some(values) = declared else {
            let mut found: Vec<&String> = Vec::new();
            for (_, text) in tested {
                if !found.contains(&text) {
                    found.push(text);
                }
            }
            let points = found.into_iter().map(|text| Cell::Point(Literal::Text(text.clone())));
            return sound.then(|| points.chain(std::iter::once(Cell::OtherText)).collect());
        };
        for (used, text) in tested.filter(|(_, text)| !values.contains(text)) {
            let message = format!("\"{text}\" is not among the values of `{}`", self.name);
            let help = format!("the values are {}", quoted(&values));
            faults.add(used.place, used.span, message, help);
            sound = false;
        }
        let mut points: Vec<Cell> = Vec::new();
        for text in values {
            let cell = Cell::Point(Literal::Text(text));
            if !points.contains(&cell) {
                points.push(cell);
            }
        }
        sound.then_some(points)
    }

    fn numbers(
        &self,
        faults: &mut Faults,
        allowed: Option<(Tests, Place<'_>, &Located)>,
    ) -> Option<Vec<Cell>> {
        let mapped = self.map.inputs.get(self.name).and_then(|input| input.decimals);
        let decimals = mapped.or(self.map.decimals);
        let limits = allowed.as_ref().map(|(tests, place, at)| (*place, tests, &at.span));
        let tests = self.uses.tests.iter().map(|used| (used.place, used.tests, used.span));
        let mut starts = Vec::new();
        for (place, tests, span) in tests.chain(limits) {
            for edge in edges(tests) {
                match (decimals, edge.after) {
                    (None, true) => {
                        let message = format!(
                            "a boundary of `{}` lies just after {}, and nothing says which number comes next",
                            self.name, edge.at
                        );
                        let help = format!(
                            "say how many decimals the register keeps: `decimals = 0` under [inputs.\"{}\"] in the map; or use >= and < only",
                            self.name
                        );
                        faults.add(place, span, message, help);
                    }
                    (None, false) => starts.push(edge.at),
                    (Some(decimals), _) => match start(edge, decimals) {
                        Some(next) => starts.push(next),
                        None => {
                            let message = format!("{} is too large to import", edge.at);
                            faults.add(place, span, message, "write it in fewer digits");
                        }
                    },
                }
            }
        }
        let cells = ranges(starts);
        let Some((tests, place, at)) = allowed else { return Some(cells) };
        let inside: Vec<bool> = cells.iter().map(|cell| cell.is_accepted(&tests)).collect();
        let first = inside.iter().position(|inside| *inside);
        let last = inside.iter().rposition(|inside| *inside);
        let (Some(first), Some(last)) = (first, last) else {
            let message = format!("no number is among the values of `{}`", self.name);
            faults.add(place, &at.span, message, "correct the range");
            return None;
        };
        let count = last.saturating_sub(first).saturating_add(1);
        if inside.iter().skip(first).take(count).any(|inside| !inside) {
            let message = format!("the values of `{}` are not one range", self.name);
            let help =
                "state one range, or whole numbers without a gap with `decimals = 0` in the map";
            faults.add(place, &at.span, message, help);
            return None;
        }
        Some(cells.into_iter().skip(first).take(count).collect())
    }
}

fn quoted(texts: &[String]) -> String {
    texts.iter().map(|text| format!("\"{text}\"")).collect::<Vec<_>>().join(", ")
}

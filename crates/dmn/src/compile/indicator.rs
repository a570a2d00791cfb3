//! Inputs become indicators.

use super::Compiler;
use crate::Role;
use crate::domain::Cell;
use crate::draft::{Indicator, LevelRule};
use crate::feel::Literal;
use crate::map::{DEFAULT_AGENCY, InputMap};
use crate::table::Key;
use blindtier_policy::UNDECIDED;

/// What a register may write for yes and no.
const YES: [&str; 4] = ["true", "yes", "y", "1"];
const NO: [&str; 4] = ["false", "no", "n", "0"];

impl Compiler<'_, '_> {
    pub(super) fn indicator(&mut self, key: &Key) -> Option<()> {
        let variable = self.variables.get(key)?;
        let silent = InputMap::default();
        let mapped = self.map.inputs.get(&variable.name).unwrap_or(&silent);
        let missing = match &mapped.missing {
            Some(value) if !mapped.is_required() => match variable.position(value) {
                Some(position) => variable.classes.get(position)?.clone(),
                None => {
                    let message = format!(
                        "`missing` of input \"{}\" is {value}, which it cannot be",
                        variable.name
                    );
                    let help = format!(
                        "its values are: {}",
                        variable.labels().collect::<Vec<_>>().join("; ")
                    );
                    self.map_faults.push((message, help));
                    UNDECIDED.to_owned()
                }
            },
            _ => UNDECIDED.to_owned(),
        };
        let agency = mapped.agency.clone().unwrap_or_else(|| DEFAULT_AGENCY.to_owned());
        if !self.draft.agencies.iter().any(|(id, _)| *id == agency) {
            let label = self.map.agencies.get(&agency).unwrap_or(&agency).clone();
            self.draft.agencies.push((agency.clone(), label));
        }
        let banded = variable.cells.iter().any(|cell| matches!(cell, Cell::Range { .. }));
        let rule = if banded {
            let bounds = variable.cells.iter().map(|cell| match cell {
                Cell::Range { from, below } => (*from, *below),
                _ => (None, None),
            });
            LevelRule::Bands(bounds.collect())
        } else {
            let texts =
                variable.cells.iter().zip(&variable.classes).map(|(cell, class)| match cell {
                    Cell::Point(Literal::Flag(flag)) => {
                        (if *flag { YES } else { NO }).map(str::to_owned).to_vec()
                    }
                    Cell::Point(Literal::Text(text)) => vec![text.trim().to_owned()],
                    _ => vec![class.clone()],
                });
            LevelRule::Categories(texts.collect())
        };
        let indicator = Indicator {
            id: variable.id.clone(),
            label: variable.name.clone(),
            agency,
            column: mapped.column.clone(),
            aggregate: mapped.aggregate.clone(),
            levels: self.classes(variable),
            rule,
            missing,
        };
        self.part(&variable.name, &variable.id, Role::Indicator);
        self.draft.indicators.push(indicator);
        Some(())
    }
}

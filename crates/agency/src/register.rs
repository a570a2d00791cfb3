//! An agency's register, joined to the roster row by row.

use crate::ColumnSource;
use blindtier_policy::{Accumulator, Binding, Facts, Policy, RegisterError};
use blindtier_wire::Roster;
use std::collections::HashMap;
use std::ops::Range;
use std::path::Path;

/// What the register says of the families of the roster (private), by slot.
pub struct Register<'p> {
    binding: Binding<'p>,
    families: HashMap<u32, Accumulator>,
    report: LinkageReport,
}

/// How well register and roster fit, for the agency's own staff. Never written to a file that leaves the
/// agency: it tells how many families the register knows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LinkageReport {
    /// Rows of the register.
    pub rows: usize,
    /// Persons of the register that the roster has.
    pub persons_matched: usize,
    /// Rows whose person the roster does not have; they are not looked at.
    pub persons_unmatched: usize,
    /// Families with at least one row.
    pub families_known: usize,
    /// Families without a row; they get the policy's missing values.
    pub families_unknown: usize,
}

impl<'p> Register<'p> {
    /// Reads a CSV file with a header and one row a person: a column `person` and those that the agency's
    /// indicators read. `agency` is its position in the policy.
    ///
    /// Rows are joined as they are read; only one accumulator a known family is kept.
    pub fn read(
        file: &Path,
        policy: &'p Policy,
        agency: usize,
        roster: &Roster,
    ) -> Result<Self, RegisterError> {
        let name = file.display().to_string();
        let unreadable =
            |e: csv::Error| RegisterError::Unreadable { file: name.clone(), reason: e.to_string() };
        let mut reader = csv::ReaderBuilder::new().from_path(file).map_err(unreadable)?;
        let header: Vec<String> = reader
            .headers()
            .map_err(unreadable)?
            .iter()
            .map(|cell| cell.trim().to_owned())
            .collect();
        let binding = Binding::new(policy, Some(agency), &name, &header)?;
        let mut person_columns =
            header.iter().enumerate().filter(|(_, column)| *column == "person");
        let Some((person_column, _)) = person_columns.next() else {
            let reason = "no column `person`; add it to the header and to every row".to_owned();
            return Err(RegisterError::Unreadable { file: name, reason });
        };
        if person_columns.next().is_some() {
            return Err(RegisterError::RepeatedColumn { file: name, column: "person".to_owned() });
        }

        let mut register =
            Self { binding, families: HashMap::new(), report: LinkageReport::default() };
        let mut seen = vec![false; roster.entries.len()];
        let mut row = csv::StringRecord::new();
        while reader.read_record(&mut row).map_err(unreadable)? {
            let line = row.position().map_or(0, csv::Position::line);
            register.report.rows += 1;
            let person = row.get(person_column).unwrap_or_default().trim();
            if person.is_empty() {
                return Err(RegisterError::Nameless { file: name, line, column: "person" });
            }
            let position = roster.find(person);
            let found = position.and_then(|p| roster.entries.get(p).zip(seen.get_mut(p)));
            let Some((entry, seen)) = found else {
                register.report.persons_unmatched += 1;
                continue;
            };
            if std::mem::replace(seen, true) {
                let id = person.to_owned();
                return Err(RegisterError::Repeated { file: name, line, what: "person", id });
            }
            register.report.persons_matched += 1;
            let family = register
                .families
                .entry(entry.slot)
                .or_insert_with(|| register.binding.accumulator());
            register.binding.add(family, line, |column| row.get(column))?;
        }
        register.report.families_known = register.families.len();
        register.report.families_unknown =
            (roster.slots as usize).saturating_sub(register.families.len());
        Ok(register)
    }

    /// How well register and roster fit.
    pub fn report(&self) -> LinkageReport {
        self.report
    }

    /// Positions in the policy of the agency's indicators, ascending; the order of [`Register::values`].
    pub fn indicators(&self) -> impl Iterator<Item = usize> + '_ {
        self.binding.indicators()
    }

    /// The values (private) of the agency's indicators for a slot; the missing ones for a family that the
    /// register does not know.
    pub fn values(&self, slot: u32, roster: &Roster) -> Result<Vec<i64>, RegisterError> {
        let fact = |facts: &Option<Vec<u16>>| {
            facts
                .as_ref()
                .and_then(|by_slot| by_slot.get(slot as usize))
                .map_or(0, |count| u32::from(*count))
        };
        let facts = Facts { persons: fact(&roster.persons), adults: fact(&roster.adults) };
        match self.families.get(&slot) {
            Some(family) => self.binding.finish(family, facts),
            None => self.binding.finish(&self.binding.accumulator(), facts),
        }
    }
}

/// Turns a register into the columns of a plan.
pub struct RegisterColumns<'r, F> {
    /// The register.
    pub register: &'r Register<'r>,
    /// The roster it was joined to.
    pub roster: &'r Roster,
    /// How many columns the plan wants of this agency.
    pub columns: usize,
    /// One family's indicator values, in the order of [`Register::indicators`], to its column values: the part
    /// of the circuit that the agency computes by itself.
    pub fold: F,
}

impl<F: FnMut(&[i64]) -> Vec<i64>> ColumnSource for RegisterColumns<'_, F> {
    type Error = RegisterError;

    fn columns(&self) -> usize {
        self.columns
    }

    fn values(&mut self, slots: Range<u32>) -> Result<Vec<Vec<i64>>, RegisterError> {
        let mut columns = vec![Vec::with_capacity(slots.len()); self.columns];
        for slot in slots {
            let folded = (self.fold)(&self.register.values(slot, self.roster)?);
            for (column, value) in columns.iter_mut().zip(folded) {
                column.push(value);
            }
        }
        Ok(columns)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use blindtier_policy::{
        Agency, Aggregate, Band, Class, Decimal, Decision, Domain, Fact, Indicator, Labels,
        LevelRule, OptOut, Variable,
    };
    use blindtier_wire::{Entry, PartyName, PseudonymKey};

    /// Below 12, below 20, above; the highest is the missing one.
    fn bands() -> Domain {
        let at = |units| Some(Decimal { units, scale: 0 });
        let band = |level, from, below| Band { level, from, below };
        let class = |id: &str| Class { id: id.into(), label: Labels::new() };
        Domain::Levels {
            levels: ["low", "middle", "high"].map(class).to_vec(),
            rule: LevelRule::Bands(vec![
                band(0, None, at(12)),
                band(1, at(12), at(20)),
                band(2, at(20), None),
            ]),
            missing: 2,
        }
    }

    fn policy() -> Policy {
        let whole = || Domain::Integer { min: 0, max: 100, unit: String::new(), missing: 99 };
        let indicator = |id: &str, agency, aggregate, per, domain| Indicator {
            id: id.into(),
            label: Labels::new(),
            agency,
            columns: vec![id.into()],
            aggregate,
            matches: vec![],
            per,
            domain,
        };
        Policy {
            name: "test".into(),
            title: Labels::new(),
            tiers: vec![],
            agencies: ["other", "tax"]
                .map(|id| Agency { id: id.into(), label: Labels::new() })
                .to_vec(),
            indicators: vec![
                indicator("elsewhere", 0, Aggregate::Sum, None, whole()),
                indicator("income", 1, Aggregate::Sum, Some(Fact::Persons), bands()),
                indicator("age", 1, Aggregate::Max, None, whole()),
            ],
            concepts: vec![],
            scores: vec![],
            cuts: vec![],
            decision: Decision { from: Variable::Cut(0), tiers: vec![] },
            overrides: vec![],
            opt_out: OptOut::NotOffered,
            reasons: vec![],
        }
    }

    fn roster() -> Roster {
        let key = PseudonymKey::from_bytes([7; 32]);
        let mut entries: Vec<Entry> = [("ann", 2), ("bob", 0), ("cid", 2)]
            .map(|(person, slot)| Entry { pseudonym: key.pseudonym(person), slot })
            .to_vec();
        entries.sort_unstable();
        let agency = PartyName::agency("tax").unwrap();
        Roster { agency, key, entries, slots: 3, persons: Some(vec![1, 1, 2]), adults: None }
    }

    fn read<'p>(policy: &'p Policy, text: &str) -> Result<Register<'p>, RegisterError> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("register.csv");
        std::fs::write(&file, text).unwrap();
        Register::read(&file, policy, 1, &roster())
    }

    #[test]
    fn rows_become_families_and_unknown_families_are_missing() {
        let policy = policy();
        let text = "age, person,income\n30,cid,10\n5,zoe,nonsense\n40,bob,7\n31, ann ,20\n";
        let register = read(&policy, text).unwrap();
        let roster = roster();
        assert!(register.indicators().eq([1, 2]));
        assert_eq!(register.values(0, &roster).unwrap(), [0, 40]);
        assert_eq!(register.values(1, &roster).unwrap(), [2, 99]);
        assert_eq!(register.values(2, &roster).unwrap(), [1, 31]);
        let expected = LinkageReport {
            rows: 4,
            persons_matched: 3,
            persons_unmatched: 1,
            families_known: 2,
            families_unknown: 1,
        };
        assert_eq!(register.report(), expected);

        let fold = |values: &[i64]| vec![values.iter().sum()];
        let mut source = RegisterColumns { register: &register, roster: &roster, columns: 1, fold };
        assert_eq!(ColumnSource::values(&mut source, 1..3).unwrap(), [[101, 32]]);
    }

    #[test]
    fn unusable_registers_are_refused() {
        let policy = policy();
        for text in [
            "",
            "person,income\n",
            "income,age\n",
            "person,person,income,age\n",
            "person,income,age\nann,1\n",
            "person,income,age\n ,1,2\n",
            "person,income,age\nann,1,2\nann,1,2\n",
            "person,income,age\nann,many,2\n",
        ] {
            assert!(read(&policy, text).is_err(), "{text}");
        }
    }
}

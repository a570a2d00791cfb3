//! An agency's register, joined to the roster row by row.

use crate::report::{self, Case, LinkageReport, Outcome};
use crate::rows::Rows;
use crate::{AgencyError, ColumnSource, Pseudonyms};
use blindtier_policy::{Accumulator, Binding, Facts, Policy, RegisterError};
use blindtier_wire::Roster;
use std::collections::HashMap;
use std::ops::Range;
use std::path::Path;

/// What the register says of the families of the roster (private), by slot.
pub struct Register<'p> {
    policy: &'p Policy,
    file: String,
    binding: Binding<'p>,
    families: HashMap<u32, Known>,
    report: LinkageReport,
    /// The first person (private) that has two rows, with the second row's line.
    repeated: Option<(u64, String)>,
    cases: Option<Vec<Case>>,
}

/// A family that the register knows.
struct Known {
    /// Line of its first row.
    line: u64,
    rows: Accumulator,
}

impl<'p> Register<'p> {
    /// Reads a CSV file with a header and one row a person: a column `person` and those that the agency's
    /// indicators read. `agency` is its position in the policy. With `list`, what needs attention is kept for
    /// [`Register::write_report`].
    ///
    /// Rows are joined as they are read; only one accumulator a known family is kept. A row counts for the family that the
    /// roster has for its person, wherever the row stands; a row of a person of no family is not looked at.
    pub fn read(
        file: &Path,
        policy: &'p Policy,
        agency: usize,
        pseudonyms: &Pseudonyms<'_>,
        list: bool,
    ) -> Result<Self, AgencyError> {
        let roster = pseudonyms.roster;
        let mut rows = Rows::open(file)?;
        let binding = Binding::new(policy, Some(agency), &rows.name, &rows.header)?;
        let mut register = Self {
            policy,
            file: rows.name.clone(),
            binding,
            families: HashMap::new(),
            report: LinkageReport::default(),
            repeated: None,
            cases: list.then(Vec::new),
        };
        let mut seen = vec![false; roster.entries.len()];
        while let Some(line) = rows.advance()? {
            register.report.rows += 1;
            let person = rows.person();
            let pseudonym = pseudonyms
                .of(person)
                .ok_or_else(|| AgencyError::NotAsked { file: file.to_owned(), line })?;
            let position = roster.find(pseudonym);
            let found = position.and_then(|p| roster.entries.get(p).zip(seen.get_mut(p)));
            let Some((entry, seen)) = found else {
                register.report.persons_unmatched += 1;
                register.note(Outcome::NoFamily, line, person, "");
                continue;
            };
            if std::mem::replace(seen, true) {
                register.report.persons_repeated += 1;
                register.note(Outcome::Repeated, line, person, "");
                register.repeated.get_or_insert_with(|| (line, person.to_owned()));
                continue;
            }
            register.report.persons_matched += 1;
            let family = register
                .families
                .entry(entry.slot)
                .or_insert_with(|| Known { line, rows: register.binding.accumulator() });
            register.binding.add(&mut family.rows, line, |column| rows.cell(column))?;
        }
        register.report.families_known = register.families.len();
        register.report.families_unknown =
            (roster.slots as usize).saturating_sub(register.families.len());
        register.find_undecided(roster)?;
        Ok(register)
    }

    /// Counts the families without a value that the policy needs.
    fn find_undecided(&mut self, roster: &Roster) -> Result<(), RegisterError> {
        let required: Vec<_> = self
            .indicators()
            .enumerate()
            .filter_map(|(place, i)| Some((place, self.policy.indicators.get(i)?)))
            .filter(|(_, indicator)| indicator.is_required())
            .collect();
        if required.is_empty() {
            return Ok(());
        }
        for slot in 0..roster.slots {
            let values = self.values(slot, roster)?;
            let unknown = required
                .iter()
                .find(|(place, indicator)| values.get(*place) == Some(&indicator.unknown()));
            let Some((_, indicator)) = unknown else { continue };
            self.report.families_undecided += 1;
            if let Some(line) = self.families.get(&slot).map(|family| family.line) {
                self.note(Outcome::Undecided, line, "", &indicator.id);
            }
        }
        Ok(())
    }

    fn note(&mut self, outcome: Outcome, line: u64, person: &str, indicator: &str) {
        if let Some(cases) = &mut self.cases {
            let (person, indicator) = (person.to_owned(), indicator.to_owned());
            cases.push(Case { outcome, line, person, indicator });
        }
    }

    /// How well register and roster fit (private).
    pub fn report(&self) -> LinkageReport {
        self.report
    }

    /// What needs attention (private), in the order of the register and then of the slots; empty unless the register was read
    /// to list it.
    pub fn cases(&self) -> &[Case] {
        self.cases.as_deref().unwrap_or_default()
    }

    /// Writes counts and cases (private; mode 0600) as CSV.
    pub fn write_report(&self, file: &Path) -> Result<(), AgencyError> {
        report::write(file, &self.report, self.cases())
    }

    /// Refuses a register in which a person of a family has two rows: they could be added twice or contradict each other.
    pub fn check(&self) -> Result<(), RegisterError> {
        let Some((line, person)) = &self.repeated else { return Ok(()) };
        Err(RegisterError::Repeated {
            file: self.file.clone(),
            line: *line,
            what: "person",
            id: person.clone(),
        })
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
            Some(family) => self.binding.finish(&family.rows, facts),
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
    use blindtier_wire::{Entry, PartyName, PseudonymKey, RosterLinkage};

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
            missing: Some(2),
        }
    }

    fn policy() -> Policy {
        let whole = |missing| Domain::Integer { min: 0, max: 100, unit: String::new(), missing };
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
                indicator("elsewhere", 0, Aggregate::Sum, None, whole(None)),
                indicator("income", 1, Aggregate::Sum, Some(Fact::Persons), bands()),
                indicator("age", 1, Aggregate::Max, None, whole(Some(99))),
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

    fn key() -> PseudonymKey {
        PseudonymKey::from_bytes([7; 32])
    }

    fn roster() -> Roster {
        let key = key();
        let mut entries: Vec<Entry> = [("ann", 2), ("bob", 0), ("cid", 2)]
            .map(|(person, slot)| Entry { pseudonym: key.pseudonym(person), slot })
            .to_vec();
        entries.sort_unstable();
        let agency = PartyName::agency("tax").unwrap();
        let linkage = RosterLinkage::Key(key);
        Roster { agency, linkage, entries, slots: 3, persons: Some(vec![1, 1, 2]), adults: None }
    }

    fn read_by<'p>(
        policy: &'p Policy,
        text: &str,
        pseudonyms: &Pseudonyms<'_>,
    ) -> Result<Register<'p>, AgencyError> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("register.csv");
        std::fs::write(&file, text).unwrap();
        Register::read(&file, policy, 1, pseudonyms, true)
    }

    fn read<'p>(policy: &'p Policy, text: &str) -> Result<Register<'p>, AgencyError> {
        read_by(policy, text, &Pseudonyms::keyed(&roster()))
    }

    fn case(outcome: Outcome, line: u64, person: &str, indicator: &str) -> Case {
        Case { outcome, line, person: person.into(), indicator: indicator.into() }
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
            ..LinkageReport::default()
        };
        assert_eq!(register.report(), expected);
        assert_eq!(register.cases(), [case(Outcome::NoFamily, 3, "zoe", "")]);
        register.check().unwrap();

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
            "person,income,age\nann,many,2\n",
        ] {
            assert!(read(&policy, text).is_err(), "{text}");
        }
    }

    #[test]
    fn every_outcome_is_listed_in_the_report_alone() {
        let mut policy = policy();
        // An income that is not known leaves the tier open; nobody has a row in slot 1.
        if let Domain::Levels { missing, .. } = &mut policy.indicators[1].domain {
            *missing = None;
        }
        let text = "person,income,age\nann,,40\nzoe,1,2\nbob,3,4\nann,5,6\n\"y,o\",1,2\nzoe,1,2\nann,7,8\n";
        let register = read(&policy, text).unwrap();
        let expected = LinkageReport {
            rows: 7,
            persons_matched: 2,
            persons_unmatched: 3,
            persons_repeated: 2,
            families_known: 2,
            families_unknown: 1,
            families_undecided: 2,
        };
        assert_eq!(register.report(), expected);
        let refused = register.check().unwrap_err();
        assert!(
            matches!(&refused, RegisterError::Repeated { line: 5, what: "person", id, .. } if id == "ann"),
            "{refused}"
        );

        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("report.csv");
        register.write_report(&file).unwrap();
        let expected = "outcome,count,line,person,indicator\n\
            rows,7,,,\n\
            persons_matched,2,,,\n\
            persons_unmatched,3,,,\n\
            persons_repeated,2,,,\n\
            families_known,2,,,\n\
            families_unknown,1,,,\n\
            families_undecided,2,,,\n\
            no_family,1,3,zoe,\n\
            repeated,1,5,ann,\n\
            no_family,1,6,\"y,o\",\n\
            no_family,1,7,zoe,\n\
            repeated,1,8,ann,\n\
            undecided,1,2,,income\n";
        assert_eq!(std::fs::read_to_string(&file).unwrap(), expected);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        }
    }

    #[test]
    fn answered_persons_are_found_and_others_are_not_guessed_at() {
        let (policy, key) = (policy(), key());
        let mut roster = roster();
        roster.linkage = RosterLinkage::Oblivious { public: [0; 32] };
        let persons: Vec<String> = ["ann", "bob", "zoe"].map(String::from).to_vec();
        let given = persons.iter().map(|person| key.pseudonym(person)).collect();
        let pseudonyms = Pseudonyms::given(&roster, persons, given);
        let text = "person,income,age\nzoe,1,2\nann,20,31\n";
        let register = read_by(&policy, text, &pseudonyms).unwrap();
        assert_eq!(register.values(2, &roster).unwrap(), [0, 31]);
        assert_eq!(register.report().persons_matched, 1);
        // cid has a family, but was not asked about.
        let text = "person,income,age\nann,20,31\ncid,20,31\n";
        let refused = read_by(&policy, text, &pseudonyms).map(|_| ()).unwrap_err();
        assert!(matches!(refused, AgencyError::NotAsked { line: 3, .. }), "{refused}");
        // Without an answer, an oblivious roster finds nobody.
        let refused = read_by(&policy, text, &Pseudonyms::keyed(&roster)).map(|_| ());
        assert!(matches!(refused, Err(AgencyError::NotAsked { line: 2, .. })));
    }
}

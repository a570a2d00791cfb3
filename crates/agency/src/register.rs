//! An agency's register, joined to the roster row by row.

use crate::report::{self, Case, LinkageReport, Outcome};
use crate::rows::Rows;
use crate::spool::{Kept, SLOTS, Spool, Values};
use crate::{AgencyError, ColumnSource, Pseudonyms};
use blindtier_policy::{Accumulator, Binding, Facts, Policy, RegisterError};
use blindtier_wire::{Family, RosterFile};
use std::ops::Range;
use std::path::Path;
use zeroize::Zeroizing;

/// What the register says of the families of the roster (private), by slot.
///
/// The rows that count wait in a temporary file until those of some thousand slots are added up, and the values wait in
/// another: what is in memory does not grow with the round.
pub struct Register<'p> {
    policy: &'p Policy,
    file: String,
    binding: Binding<'p>,
    families: Families<'p>,
    values: Values,
    report: LinkageReport,
    /// The first person (private) that has two rows, with the second row's line.
    repeated: Option<(u64, String)>,
    cases: Option<Vec<Case>>,
}

impl<'p> Register<'p> {
    /// Reads a CSV file with a header and one row a person: a column `person` and those that the agency's
    /// indicators read. `agency` is its position in the policy. With `list`, what needs attention is kept for
    /// [`Register::write_report`]. `folder` is one of this machine where the agency's own files are, which need not exist yet: rows
    /// and values wait there, in files without names that nobody else can open and that are gone with the register.
    ///
    /// Rows are joined as they are read. A row counts for the family that the
    /// roster has for its person, wherever the row stands; a row of a person of no family is not looked at.
    pub fn read(
        file: &Path,
        policy: &'p Policy,
        agency: usize,
        pseudonyms: &Pseudonyms<'p>,
        list: bool,
        folder: &Path,
    ) -> Result<Self, AgencyError> {
        let mut rows = Rows::open(file)?;
        let binding = Binding::new(policy, Some(agency), &rows.name, &rows.header)?;
        let mut register = Self {
            policy,
            file: rows.name.clone(),
            families: Families::new(pseudonyms.roster, &binding, folder)?,
            values: Values::new(folder, binding.indicators().count())?,
            binding,
            report: LinkageReport::default(),
            repeated: None,
            cases: list.then(Vec::new),
        };
        let joined = register.join(file, &mut rows, pseudonyms);
        // Rows that do not go together stand before one that is wrong by itself, where joining ended.
        register.add_up()?;
        joined?;
        register.find_undecided()?;
        // What is given out from here on is read from the file of values.
        register.families.loaded = None;
        Ok(register)
    }

    /// Keeps the rows of persons who have a family.
    fn join(
        &mut self,
        file: &Path,
        rows: &mut Rows,
        pseudonyms: &Pseudonyms<'_>,
    ) -> Result<(), AgencyError> {
        let mut seen = Seen::nobody(pseudonyms.roster.persons());
        let mut alone = self.binding.accumulator();
        while let Some(line) = rows.advance()? {
            self.report.rows += 1;
            let person = rows.person();
            let pseudonym = pseudonyms
                .of(person)
                .ok_or_else(|| AgencyError::NotAsked { file: file.to_owned(), line })?;
            let Some((position, slot)) = pseudonyms.roster.find(pseudonym)? else {
                self.report.persons_unmatched += 1;
                self.note(Outcome::NoFamily, line, person, "");
                continue;
            };
            if seen.before(position) {
                self.report.persons_repeated += 1;
                self.note(Outcome::Repeated, line, person, "");
                self.repeated.get_or_insert_with(|| (line, person.to_owned()));
                continue;
            }
            self.report.persons_matched += 1;
            // What is wrong with the row by itself is said here, in the order of the register.
            alone.clear();
            self.binding.add(&mut alone, line, |column| rows.cell(column))?;
            self.families.keep(slot, line, rows)?;
        }
        Ok(())
    }

    /// Adds up every family's rows. Refuses rows that cannot be added: of several families' the first in the register.
    fn add_up(&mut self) -> Result<(), AgencyError> {
        let mut first: Option<(u64, RegisterError)> = None;
        for slot in 0..self.families.roster.slots() {
            let family = self.families.gather(slot, &self.binding)?;
            self.report.families_known += usize::from(family.line.is_some());
            match family.values(&self.binding) {
                Ok(values) => self.values.push(values.ok().as_deref())?,
                Err((line, _)) if first.as_ref().is_some_and(|(before, _)| *before <= line) => {}
                Err(refused) => first = Some(refused),
            }
        }
        let slots = self.families.roster.slots() as usize;
        self.report.families_unknown = slots.saturating_sub(self.report.families_known);
        first.map_or(Ok(()), |(_, error)| Err(error.into()))
    }

    /// Counts the families without a value that the policy needs.
    fn find_undecided(&mut self) -> Result<(), AgencyError> {
        let required: Vec<_> = self
            .indicators()
            .enumerate()
            .filter_map(|(place, i)| Some((place, self.policy.indicators.get(i)?)))
            .filter(|(_, indicator)| indicator.is_required())
            .collect();
        if required.is_empty() {
            return Ok(());
        }
        for slot in 0..self.families.roster.slots() {
            let values = self.values(slot)?;
            let unknown = required
                .iter()
                .find(|(place, indicator)| values.get(*place) == Some(&indicator.unknown()));
            let Some((_, indicator)) = unknown else { continue };
            self.report.families_undecided += 1;
            if let Some(line) = self.families.gather(slot, &self.binding)?.line {
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
    pub fn values(&mut self, slot: u32) -> Result<Vec<i64>, AgencyError> {
        match self.values.get(slot)? {
            Some(values) => Ok(values),
            // Says why there are none.
            None => {
                let family = self.families.gather(slot, &self.binding)?;
                Ok(family.values(&self.binding).map_err(|(_, error)| error)??)
            }
        }
    }
}

/// The families of the roster with the rows (private) that count for them.
struct Families<'p> {
    roster: &'p RosterFile,
    /// Positions in the header of the columns that are kept.
    columns: Vec<usize>,
    spool: Spool,
    loaded: Option<Loaded>,
}

/// What is in memory: all that is known of [`SLOTS`] slots.
struct Loaded {
    start: u32,
    rows: Kept,
    facts: Zeroizing<Vec<Family>>,
}

/// A family with its rows (private).
struct Gathered {
    /// Line of its first row, if the register knows it.
    line: Option<u64>,
    facts: Facts,
    /// What the rows say together, or the first that does not go with those before it, with its line.
    rows: Result<Accumulator, (u64, RegisterError)>,
}

impl Gathered {
    /// The values of the indicators, or why there are none; the outer error is that of the rows.
    fn values(
        self,
        binding: &Binding<'_>,
    ) -> Result<Result<Vec<i64>, RegisterError>, (u64, RegisterError)> {
        Ok(binding.finish(&self.rows?, self.facts))
    }
}

impl<'p> Families<'p> {
    fn new(
        roster: &'p RosterFile,
        binding: &Binding<'_>,
        folder: &Path,
    ) -> Result<Self, AgencyError> {
        let columns = binding.columns();
        let spool = Spool::new(folder, roster.slots(), columns.len())?;
        Ok(Self { roster, columns, spool, loaded: None })
    }

    /// Keeps the row at hand for the family of a slot.
    fn keep(&mut self, slot: u32, line: u64, rows: &Rows) -> Result<(), AgencyError> {
        let cells = self.columns.iter().map(|column| rows.cell(*column).unwrap_or_default());
        self.spool.keep(slot, line, cells)
    }

    fn gather(&mut self, slot: u32, binding: &Binding<'_>) -> Result<Gathered, AgencyError> {
        let start = slot - slot % SLOTS;
        // Another one goes before the next comes.
        let loaded = match self.loaded.take().filter(|loaded| loaded.start == start) {
            Some(loaded) => loaded,
            None => self.load(start)?,
        };
        let loaded = self.loaded.insert(loaded);
        let facts = loaded.facts.get((slot - start) as usize).copied().unwrap_or_default();
        let facts = Facts { persons: facts.persons.into(), adults: facts.adults.into() };
        let (mut line, mut rows) = (None, binding.accumulator());
        for row in loaded.rows.of(slot) {
            line.get_or_insert(row.line);
            let cell = |column| {
                let place = self.columns.binary_search(&column).ok()?;
                row.cells.get(place).copied()
            };
            if let Err(error) = binding.add(&mut rows, row.line, cell) {
                return Ok(Gathered { line, facts, rows: Err((row.line, error)) });
            }
        }
        Ok(Gathered { line, facts, rows: Ok(rows) })
    }

    fn load(&mut self, start: u32) -> Result<Loaded, AgencyError> {
        let end = start.saturating_add(SLOTS).min(self.roster.slots());
        Ok(Loaded {
            start,
            rows: self.spool.read(start)?,
            facts: self.roster.families(start..end)?,
        })
    }
}

/// Whose row (private) was there before, one bit a person of the roster.
struct Seen(Vec<u8>);

impl Seen {
    fn nobody(persons: u64) -> Self {
        Self(vec![0; usize::try_from(persons.div_ceil(8)).unwrap_or(0)])
    }

    /// Whether the person at this position was seen before; is now.
    fn before(&mut self, position: u64) -> bool {
        let bit = 1 << (position % 8);
        let byte = usize::try_from(position / 8).ok().and_then(|byte| self.0.get_mut(byte));
        byte.is_some_and(|byte| {
            let before = *byte & bit != 0;
            *byte |= bit;
            before
        })
    }
}

/// Turns a register into the columns of a plan.
pub struct RegisterColumns<'r, 'p, F> {
    /// The register.
    pub register: &'r mut Register<'p>,
    /// How many columns the plan wants of this agency.
    pub columns: usize,
    /// One family's indicator values, in the order of [`Register::indicators`], to its column values: the part
    /// of the circuit that the agency computes by itself.
    pub fold: F,
}

impl<F: FnMut(&[i64]) -> Vec<i64>> ColumnSource for RegisterColumns<'_, '_, F> {
    type Error = AgencyError;

    fn columns(&self) -> usize {
        self.columns
    }

    fn values(&mut self, slots: Range<u32>) -> Result<Vec<Vec<i64>>, AgencyError> {
        let mut columns = vec![Vec::with_capacity(slots.len()); self.columns];
        for slot in slots {
            let folded = (self.fold)(&self.register.values(slot)?);
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
    use blindtier_wire::{
        Digest, Engine, Entry, Layout, Linkage, PartyName, PseudonymKey, Roster, RosterLinkage,
        Round, Sharing, SigningIdentity, TrustFile, write,
    };
    use std::collections::{BTreeMap, HashSet};
    use std::fs;

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

    /// The roster as the registrar sends it.
    fn sent(roster: &Roster) -> RosterFile {
        let persons = match &roster.linkage {
            RosterLinkage::Key(_) => Linkage::KeyedHash,
            RosterLinkage::Oblivious { .. } => Linkage::Oblivious { persons: 4 },
        };
        let registrar = PartyName::registrar();
        let round = Round {
            nonce: [5; 32],
            policy: Digest([6; 32]),
            engine: Engine { name: "clear".into(), parameters: "none".into() },
            layout: Layout::Folded,
            plan: Digest([7; 32]),
            slots: roster.slots,
            chunk: 1 << 12,
            submitters: vec![roster.agency.clone()],
            sharing: Sharing::new(3, 2).unwrap(),
            key_maker: PartyName::trustee(1),
            letter_keys: Digest([8; 32]),
            linkage: persons,
            proofs: false,
            deadline: None,
            corrects: None,
            statistics: None,
        };
        let context = round.context().unwrap();
        let identity = SigningIdentity::from_seed(registrar.clone(), &[1; 32]);
        let mut trust = TrustFile::new();
        assert!(trust.pin(registrar, &identity.public_key()));
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("roster.bt");
        write(&file, roster, &context, &identity).unwrap();
        RosterFile::open(&file, &roster.agency, &round, &context, &trust).unwrap()
    }

    fn read_by<'p>(
        policy: &'p Policy,
        text: &str,
        pseudonyms: &Pseudonyms<'p>,
    ) -> Result<Register<'p>, AgencyError> {
        let folder = tempfile::tempdir().unwrap();
        let (file, private) = (folder.path().join("register.csv"), folder.path().join("private"));
        fs::write(&file, text).unwrap();
        let register = Register::read(&file, policy, 1, pseudonyms, true, &private);
        // The file in which rows wait has no name, while it is there and afterwards.
        assert!(fs::read_dir(&private).map_or(0, Iterator::count) == 0);
        register
    }

    fn read<'p>(
        policy: &'p Policy,
        roster: &'p RosterFile,
        text: &str,
    ) -> Result<Register<'p>, AgencyError> {
        read_by(policy, text, &Pseudonyms::keyed(roster))
    }

    fn case(outcome: Outcome, line: u64, person: &str, indicator: &str) -> Case {
        Case { outcome, line, person: person.into(), indicator: indicator.into() }
    }

    #[test]
    fn rows_become_families_and_unknown_families_are_missing() {
        let policy = policy();
        let text = "age, person,income\n30,cid,10\n5,zoe,nonsense\n40,bob,7\n31, ann ,20\n";
        let roster = sent(&roster());
        let mut register = read(&policy, &roster, text).unwrap();
        assert!(register.indicators().eq([1, 2]));
        assert_eq!(register.values(0).unwrap(), [0, 40]);
        assert_eq!(register.values(1).unwrap(), [2, 99]);
        assert_eq!(register.values(2).unwrap(), [1, 31]);
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
        let mut source = RegisterColumns { register: &mut register, columns: 1, fold };
        assert_eq!(ColumnSource::values(&mut source, 1..3).unwrap(), [[101, 32]]);
    }

    #[test]
    fn unusable_registers_are_refused() {
        let (policy, roster) = (policy(), sent(&roster()));
        for text in [
            "",
            "person,income\n",
            "income,age\n",
            "person,person,income,age\n",
            "person,income,age\nann,1\n",
            "person,income,age\n ,1,2\n",
            "person,income,age\nann,many,2\n",
        ] {
            assert!(read(&policy, &roster, text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_total_out_of_range_is_said_where_the_family_is_asked_for() {
        let (policy, roster) = (policy(), sent(&roster()));
        let text = "person,income,age\nann,20,31\nbob,7,101\n";
        let mut register = read(&policy, &roster, text).unwrap();
        let refused = register.values(0).unwrap_err();
        let AgencyError::Register(RegisterError::Cell { place, .. }) = &refused else {
            panic!("{refused}")
        };
        assert_eq!((place.line, place.column.as_str()), (3, "age"));
        assert_eq!(register.values(1).unwrap(), [2, 99]);
        assert_eq!(register.values(2).unwrap(), [0, 31]);
    }

    #[test]
    fn every_outcome_is_listed_in_the_report_alone() {
        let mut policy = policy();
        // An income that is not known leaves the tier open; nobody has a row in slot 1.
        if let Domain::Levels { missing, .. } = &mut policy.indicators[1].domain {
            *missing = None;
        }
        let text = "person,income,age\nann,,40\nzoe,1,2\nbob,3,4\nann,5,6\n\"y,o\",1,2\nzoe,1,2\nann,7,8\n";
        let roster = sent(&roster());
        let register = read(&policy, &roster, text).unwrap();
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
        assert_eq!(fs::read_to_string(&file).unwrap(), expected);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        }
    }

    #[test]
    fn answered_persons_are_found_and_others_are_not_guessed_at() {
        let (policy, key) = (policy(), key());
        let mut roster = roster();
        roster.linkage = RosterLinkage::Oblivious { public: [0; 32] };
        let roster = sent(&roster);
        let persons: Vec<String> = ["ann", "bob", "zoe"].map(String::from).to_vec();
        let given = persons.iter().map(|person| key.pseudonym(person)).collect();
        let pseudonyms = Pseudonyms::given(&roster, persons, given);
        let text = "person,income,age\nzoe,1,2\nann,20,31\n";
        let mut register = read_by(&policy, text, &pseudonyms).unwrap();
        assert_eq!(register.values(2).unwrap(), [0, 31]);
        assert_eq!(register.report().persons_matched, 1);
        // cid has a family, but was not asked about.
        let text = "person,income,age\nann,20,31\ncid,20,31\n";
        let refused = read_by(&policy, text, &pseudonyms).map(|_| ()).unwrap_err();
        assert!(matches!(refused, AgencyError::NotAsked { line: 3, .. }), "{refused}");
        // Without an answer, an oblivious roster finds nobody.
        let refused = read_by(&policy, text, &Pseudonyms::keyed(&roster)).map(|_| ());
        assert!(matches!(refused, Err(AgencyError::NotAsked { line: 2, .. })));
    }

    /// So many slots that their rows wait in two parts of the file, of several blocks each.
    const MANY: u32 = SLOTS + 1000;

    /// A row of a register.
    struct Given {
        line: u64,
        person: String,
        /// Of the person's family; [`MANY`] for a stranger.
        slot: u32,
        cells: [String; 2],
    }

    /// Two persons in every slot, in no particular order, and a row of each but some; who has no row, and who two, is
    /// scattered too.
    fn scattered() -> (Roster, Vec<Given>) {
        let key = key();
        let person = |slot: u32, second| format!("p{slot}{}", if second { "b" } else { "a" });
        let mut entries: Vec<Entry> = (0..MANY)
            .flat_map(|slot| [(slot, false), (slot, true)])
            .map(|(slot, second)| Entry { pseudonym: key.pseudonym(&person(slot, second)), slot })
            .collect();
        entries.sort_unstable();
        let mut rows = Vec::new();
        for i in 0..2 * MANY {
            // Coprime with their number: every person once, from one end of the slots to the other.
            let place = (u64::from(i) * 7919 % u64::from(2 * MANY)) as u32;
            let (slot, second) = (place / 2, place % 2 == 1);
            let income = if slot % 11 == 3 { String::new() } else { (place % 23).to_string() };
            let age = format!(" {}", place % 97);
            match place % 41 {
                0 => {}
                1 => rows.push((format!("stranger{place}"), MANY, [income, age])),
                2 => {
                    rows.extend(std::iter::repeat_n((person(slot, second), slot, [income, age]), 2))
                }
                _ => rows.push((person(slot, second), slot, [income, age])),
            }
        }
        let rows = (2..).zip(rows).map(|(line, (person, slot, cells))| Given {
            line,
            person,
            slot,
            cells,
        });
        let agency = PartyName::agency("tax").unwrap();
        let persons = Some((0..MANY).map(|slot| (slot % 3) as u16).collect());
        let linkage = RosterLinkage::Key(key);
        (Roster { agency, linkage, entries, slots: MANY, persons, adults: None }, rows.collect())
    }

    fn text(rows: &[Given]) -> String {
        let rows = rows.iter().map(|Given { person, cells: [income, age], .. }| {
            format!("{person},{income},ignored,{age}\n")
        });
        std::iter::once("person,income,other,age\n".to_owned()).chain(rows).collect()
    }

    #[test]
    fn rows_of_many_slots_say_what_they_would_in_memory() {
        let mut policy = policy();
        if let Domain::Levels { missing, .. } = &mut policy.indicators[1].domain {
            *missing = None;
        }
        let (roster, rows) = scattered();
        let persons = roster.persons.clone().unwrap();
        let roster = sent(&roster);
        let mut register = read(&policy, &roster, &text(&rows)).unwrap();

        // The same with one accumulator a family.
        let binding = Binding::new(&policy, Some(1), "", &["income", "age"]).unwrap();
        let mut families = BTreeMap::new();
        let (mut expected, mut cases) = (LinkageReport::default(), Vec::new());
        let mut seen = HashSet::new();
        for Given { line, person, slot, cells } in &rows {
            expected.rows += 1;
            if *slot == MANY {
                expected.persons_unmatched += 1;
                cases.push(case(Outcome::NoFamily, *line, person, ""));
            } else if !seen.insert(person) {
                expected.persons_repeated += 1;
                cases.push(case(Outcome::Repeated, *line, person, ""));
            } else {
                expected.persons_matched += 1;
                let family = families.entry(*slot).or_insert((*line, binding.accumulator()));
                binding.add(&mut family.1, *line, |c| cells.get(c).map(String::as_str)).unwrap();
            }
        }
        expected.families_known = families.len();
        expected.families_unknown = MANY as usize - families.len();
        let nothing = binding.accumulator();
        for slot in 0..MANY {
            let facts = Facts { persons: persons[slot as usize].into(), adults: 0 };
            let rows = families.get(&slot).map_or(&nothing, |family| &family.1);
            let values = binding.finish(rows, facts).unwrap();
            assert_eq!(register.values(slot).unwrap(), values, "{slot}");
            if values[0] == policy.indicators[1].unknown() {
                expected.families_undecided += 1;
                if let Some((line, _)) = families.get(&slot) {
                    cases.push(case(Outcome::Undecided, *line, "", "income"));
                }
            }
        }
        assert_eq!(register.report(), expected);
        assert!(expected.families_undecided > 1000 && expected.persons_repeated > 100);
        assert!(register.cases() == cases);
        // Back to the beginning, as for sealing after encrypting.
        let facts = Facts { persons: persons[2].into(), adults: 0 };
        let values = binding.finish(&families[&2].1, facts).unwrap();
        assert_eq!(register.values(2).unwrap(), values);
    }

    #[test]
    fn the_first_row_that_is_wrong_is_named() {
        let policy = policy();
        // Two families so large that their sums are too large, with the row of the 171st person. The one in the last part of
        // the file stands first in the register.
        let families = [MANY - 5, 7];
        let persons: Vec<(String, u32)> = (0..180)
            .flat_map(|person| families.map(|slot| (format!("p{person}-{slot}"), slot)))
            .collect();
        let mut roster = roster();
        roster.slots = MANY;
        roster.persons = Some(vec![180; MANY as usize]);
        roster.entries = persons
            .iter()
            .map(|(person, slot)| Entry { pseudonym: key().pseudonym(person), slot: *slot })
            .collect();
        roster.entries.sort_unstable();
        let roster = sent(&roster);
        // The line that is named if the person's row at this place has no number.
        let line = |spoiled: usize| {
            let huge = "9".repeat(blindtier_policy::MAX_DIGITS);
            let mut text = "person,income,age\n".to_owned();
            for (place, (person, _)) in persons.iter().enumerate() {
                let income = if place == spoiled { "many" } else { &huge };
                text += &format!("{person},{income},1\n");
            }
            let refused = read(&policy, &roster, &text).map(|_| ()).unwrap_err();
            let AgencyError::Register(RegisterError::Cell { place, .. }) = &refused else {
                panic!("{refused}")
            };
            place.line
        };
        assert_eq!(line(persons.len()), 342);
        assert_eq!(line(343), 342);
        assert_eq!(line(341), 342);
        assert_eq!(line(100), 102);
    }
}

//! Registers and the file of families → a [`Population`].
//!
//! Files in one order of families are merged as streams, so that a nation fits into memory; others are joined in memory.

mod gather;
mod layout;
mod merge;
mod order;
mod parquet;
mod persons;
mod register;
mod roster;
mod source;

pub(crate) use self::layout::Layout;
pub(crate) use self::order::by_number;

use self::merge::{Stop, Unsorted};
use self::register::{Form, Offered, Record, Register, facts};
use self::roster::{Entry, Roster};
use self::source::Source;
use crate::SimulateError;
use crate::population::{Builder, Need, Population};
use blindtier_policy::{Fact, Policy, RegisterError};
use std::path::{Path, PathBuf};

/// Families after which progress is told.
const STEP: usize = 1 << 14;

/// What to read.
#[derive(Clone, Debug)]
pub struct Inputs<'a> {
    /// One policy, or two that are compared on the same registers.
    pub policies: Vec<&'a Policy>,
    /// A file, or a folder with one file an agency, CSV or Parquet.
    pub data: &'a Path,
    /// The file of families; without it `families.csv` or `families.parquet` of the folder, if it is there.
    pub families: Option<&'a Path>,
    /// Columns to group by; without them the usual ones that are there.
    pub by: Option<&'a [String]>,
    /// Column of the ground truth; without it `need`, if it is there.
    pub need: Option<&'a str>,
}

/// Reads all families. `progress` is told now and then how many there are so far.
///
/// # Errors
/// A file is missing or wrong, or a column that was asked for is not there.
pub fn read(
    inputs: &Inputs<'_>,
    progress: &mut dyn FnMut(u64),
) -> Result<Population, SimulateError> {
    let layout = Layout::new(&inputs.policies);
    let Prepared { registers, mut roster, mut target } = prepare(inputs, &layout, progress)?;
    let place = match merge::merge(registers, roster.as_mut(), &mut target) {
        Ok(()) => return finish(inputs, roster, target, Vec::new()),
        Err(Stop::Failed(error)) => return Err(error),
        Err(Stop::Unsorted(place)) => place,
    };
    // From the beginning again: the merge has read on by now.
    let Prepared { registers, mut roster, mut target } = prepare(inputs, &layout, progress)?;
    gather::gather(registers, roster.as_mut(), &mut target)?;
    finish(inputs, roster, target, vec![joined_in_memory(&place)])
}

fn joined_in_memory(place: &Unsorted) -> String {
    format!(
        "The files are not in one ascending order of families ({}, line {}: \"{}\" stands too late), so they were joined in memory; sort them by family for more than a few hundred thousand families.",
        place.file, place.line, place.family
    )
}

/// Open files, and where their families go.
struct Prepared<'a, 'p> {
    registers: Vec<Register<'p>>,
    roster: Option<Roster>,
    target: Target<'a>,
}

fn prepare<'a, 'p>(
    inputs: &Inputs<'p>,
    layout: &Layout,
    progress: &'a mut dyn FnMut(u64),
) -> Result<Prepared<'a, 'p>, SimulateError> {
    let registers = registers(inputs, layout)?;
    let roster = roster(inputs)?;
    let target = Target {
        missing: layout.missing(),
        divides: inputs.policies.iter().any(|p| p.indicators.iter().any(|i| i.per.is_some())),
        knows_adults: check_facts(inputs, &registers)?,
        builder: Builder::new(layout.clone(), roster.as_ref().map_or(0, Roster::columns)),
        values: Vec::new(),
        progress,
        unlisted: 0,
    };
    Ok(Prepared { registers, roster, target })
}

fn finish(
    inputs: &Inputs<'_>,
    roster: Option<Roster>,
    target: Target<'_>,
    mut notes: Vec<String>,
) -> Result<Population, SimulateError> {
    let Target { builder, unlisted, .. } = target;
    if builder.families() == 0 {
        return Err(SimulateError::NoFamilies { file: inputs.data.display().to_string() });
    }
    if let (Some(roster), true) = (&roster, unlisted > 0) {
        notes.push(format!(
            "{unlisted} families of the registers are not in {}; they are in no group and their need is not known.",
            roster.name()
        ));
    }
    let need = roster.as_ref().and_then(|roster| roster.need().map(str::to_owned));
    let columns = roster.map(Roster::into_columns).unwrap_or_default();
    Ok(builder.finish(columns, need, notes))
}

/// Where families go, one by one.
pub(crate) struct Target<'a> {
    missing: Vec<i64>,
    /// Whether some indicator divides by persons or adults.
    divides: bool,
    knows_adults: bool,
    builder: Builder,
    values: Vec<i64>,
    progress: &'a mut dyn FnMut(u64),
    /// Families that the file of families lacks.
    unlisted: u64,
}

impl Target<'_> {
    fn add(
        &mut self,
        forms: &[Form<'_>],
        records: &[Option<&Record>],
        entry: Option<&Entry>,
    ) -> Result<(), RegisterError> {
        let facts = facts(forms, records, self.divides, self.knows_adults)?;
        self.values.clear();
        self.values.extend(&self.missing);
        for (form, record) in forms.iter().zip(records) {
            if let Some(record) = record {
                form.finish(record, facts, &mut self.values)?;
            }
        }
        let need = entry.map_or(Need::Unknown, |entry| entry.need);
        self.builder.push(&self.values, entry.map(|entry| entry.groups.as_slice()), need);
        self.unlisted = self.unlisted.saturating_add(u64::from(entry.is_none()));
        if self.builder.families().is_multiple_of(STEP) {
            (self.progress)(u64::try_from(self.builder.families()).unwrap_or(u64::MAX));
        }
        Ok(())
    }
}

/// Opens the file, or those of all agencies that some indicator belongs to.
fn registers<'a>(inputs: &Inputs<'a>, layout: &Layout) -> Result<Vec<Register<'a>>, SimulateError> {
    let numbered = || inputs.policies.iter().copied().enumerate();
    if !inputs.data.is_dir() {
        let all: Vec<_> = numbered().map(|(number, policy)| (number, policy, None)).collect();
        return Ok(vec![Register::new(Source::open(inputs.data)?, &all, layout)?]);
    }
    let mut agencies: Vec<&str> = Vec::new();
    for policy in &inputs.policies {
        for (position, agency) in policy.agencies.iter().enumerate() {
            let has = policy.indicators.iter().any(|indicator| indicator.agency == position);
            if has && !agencies.contains(&agency.id.as_str()) {
                agencies.push(&agency.id);
            }
        }
    }
    let mut registers = Vec::with_capacity(agencies.len());
    for agency in agencies {
        let file = file_in(inputs.data, agency);
        if !file.is_file() {
            return Err(RegisterError::MissingFile {
                file: file.display().to_string(),
                agency: agency.to_owned(),
            }
            .into());
        }
        let readers: Vec<_> = numbered()
            .filter_map(|(number, policy)| Some((number, policy, Some(policy.agency(agency)?))))
            .collect();
        registers.push(Register::new(Source::open(&file)?, &readers, layout)?);
    }
    Ok(registers)
}

/// The Parquet file of this name in a folder if there is one, else the CSV file.
fn file_in(folder: &Path, name: &str) -> PathBuf {
    let parquet = folder.join(format!("{name}.parquet"));
    if parquet.is_file() { parquet } else { folder.join(format!("{name}.csv")) }
}

fn roster(inputs: &Inputs<'_>) -> Result<Option<Roster>, SimulateError> {
    let path = match inputs.families {
        Some(path) => path.to_owned(),
        None => {
            let folder = inputs.data.is_dir().then_some(inputs.data).or(inputs.data.parent());
            let path = file_in(folder.unwrap_or(Path::new("")), "families");
            let asked = inputs.by.and_then(|by| by.first().map(String::as_str)).or(inputs.need);
            // Beside a single file it is only looked at if something of it is asked for.
            if !path.is_file() || (asked.is_none() && !inputs.data.is_dir()) {
                return match asked {
                    None => Ok(None),
                    Some(column) => Err(SimulateError::NoFamiliesFile {
                        file: path.display().to_string(),
                        column: column.to_owned(),
                    }),
                };
            }
            path
        }
    };
    Roster::open(&path, inputs.by, inputs.need).map(Some)
}

/// Every fact that some indicator divides by must be known. Gives back whether some file tells adults apart.
fn check_facts(inputs: &Inputs<'_>, registers: &[Register<'_>]) -> Result<bool, RegisterError> {
    let mut all = Offered::default();
    for offered in registers.iter().map(|register| register.form.offered()) {
        all.persons_as_rows |= offered.persons_as_rows;
        all.adult |= offered.adult;
        for (all, stated) in all.stated.iter_mut().zip(offered.stated) {
            *all |= stated;
        }
    }
    let [persons, adults] = all.stated;
    for indicator in inputs.policies.iter().flat_map(|policy| &policy.indicators) {
        let (known, fact) = match indicator.per {
            None => continue,
            Some(Fact::Persons) => (all.persons_as_rows || persons, "persons"),
            Some(Fact::Adults) => (all.persons_as_rows || adults, "adults"),
        };
        if !known {
            let (file, indicator) = (inputs.data.display().to_string(), indicator.id.clone());
            return Err(RegisterError::MissingFact { file, indicator, fact });
        }
    }
    Ok(all.adult)
}

//! Families gathered from many rows or many files.

use super::Facts;
use super::binding::{Accumulator, Binding, yes_or_no};
use super::error::{RegisterError, fact_name};
use super::families::{CsvFile, Family, check_facts, place};
use crate::{Fact, Policy};
use csv::StringRecord;
use std::collections::{BTreeMap, HashMap};
use std::path::Path;

/// One file with one row a person.
pub(super) fn single(policy: &Policy, file: CsvFile) -> Result<Vec<Family>, RegisterError> {
    let name = file.name.clone();
    join(policy, &name, vec![(None, file)])
}

/// A folder with the file `<agency>.csv` of every agency that has indicators.
pub(super) fn folder(policy: &Policy, path: &Path) -> Result<Vec<Family>, RegisterError> {
    let mut files = Vec::new();
    for (position, agency) in policy.agencies.iter().enumerate() {
        if !policy.indicators.iter().any(|indicator| indicator.agency == position) {
            continue;
        }
        let file = path.join(format!("{}.csv", agency.id));
        if !file.is_file() {
            return Err(RegisterError::MissingFile {
                file: file.display().to_string(),
                agency: agency.id.clone(),
            });
        }
        files.push((Some(position), CsvFile::open(&file)?));
    }
    join(policy, &path.display().to_string(), files)
}

/// What the files have said of one family so far.
#[derive(Default)]
struct Gathered {
    /// How many families appeared before.
    order: usize,
    /// By number of the file, where it has a row of the family.
    accumulators: BTreeMap<usize, Accumulator>,
    persons: Vec<Person>,
    stated: [Option<u32>; 2],
}

struct Person {
    id: String,
    adult: bool,
    /// The last file with a row of this person.
    file: usize,
}

/// All families by identifier.
#[derive(Default)]
struct Table {
    families: HashMap<String, Gathered>,
}

/// What the headers of the files offer.
#[derive(Default)]
struct Offered {
    by_person: bool,
    adult: bool,
    stated: [bool; 2],
}

fn join(
    policy: &Policy,
    name: &str,
    files: Vec<(Option<usize>, CsvFile)>,
) -> Result<Vec<Family>, RegisterError> {
    let mut table = Table::default();
    let mut offered = Offered::default();
    let mut bindings = Vec::with_capacity(files.len());
    for (number, (agency, mut file)) in files.into_iter().enumerate() {
        let binding = Binding::new(policy, agency, &file.name, &file.header)?;
        if file.is_by_person()? {
            offered.by_person = true;
            by_person(&mut table, &mut offered, number, &mut file, &binding)?;
        } else {
            by_family(&mut table, &mut offered, number, &mut file, &binding)?;
        }
        bindings.push(binding);
    }
    let [persons, adults] = offered.stated;
    check_facts(policy, name, offered.by_person || persons, offered.by_person || adults)?;

    let mut families = Vec::with_capacity(table.families.len());
    for (id, gathered) in table.in_order() {
        let facts = facts(&gathered, offered.adult);
        let mut values = policy.missing_values();
        for (number, binding) in bindings.iter().enumerate() {
            if let Some(accumulator) = gathered.accumulators.get(&number) {
                place(&mut values, binding, binding.finish(accumulator, facts)?);
            }
        }
        families.push(Family { id, values });
    }
    Ok(families)
}

/// A stated number counts before the rows. Without any column `adult` everyone counts as one.
fn facts(family: &Gathered, knows_adults: bool) -> Facts {
    let count = |of: usize| u32::try_from(of).unwrap_or(u32::MAX);
    let adults = family.persons.iter().filter(|person| person.adult || !knows_adults).count();
    let [stated_persons, stated_adults] = family.stated;
    Facts {
        persons: stated_persons.unwrap_or_else(|| count(family.persons.len())),
        adults: stated_adults.unwrap_or_else(|| count(adults)),
    }
}

fn by_person(
    table: &mut Table,
    offered: &mut Offered,
    number: usize,
    file: &mut CsvFile,
    binding: &Binding<'_>,
) -> Result<(), RegisterError> {
    let (Some(family_column), Some(person_column)) =
        (file.column("family")?, file.column("person")?)
    else {
        return Ok(());
    };
    let adult_column = file.column("adult")?;
    offered.adult |= adult_column.is_some();
    let mut row = StringRecord::new();
    while let Some(line) = file.next_row(&mut row)? {
        let family = file.name_cell(&row, family_column, "family", line)?;
        let person = file.name_cell(&row, person_column, "person", line)?;
        let adult = match adult_column {
            Some(position) => adult_cell(file, row.get(position).unwrap_or_default().trim(), line)?,
            None => false,
        };
        let family = table.family(family);
        match family.persons.iter_mut().find(|known| known.id == person) {
            Some(known) if known.file == number => {
                return Err(RegisterError::Repeated {
                    file: file.name.clone(),
                    line,
                    what: "person",
                    id: person,
                });
            }
            Some(known) => {
                known.file = number;
                known.adult |= adult;
            }
            None => family.persons.push(Person { id: person, adult, file: number }),
        }
        binding.add(family.accumulator(number, binding), line, |column| row.get(column))?;
    }
    Ok(())
}

fn by_family(
    table: &mut Table,
    offered: &mut Offered,
    number: usize,
    file: &mut CsvFile,
    binding: &Binding<'_>,
) -> Result<(), RegisterError> {
    let id_column = file.column("id")?;
    let fact_columns =
        [(Fact::Persons, file.column("persons")?), (Fact::Adults, file.column("adults")?)];
    for (offered, (_, column)) in offered.stated.iter_mut().zip(fact_columns) {
        *offered |= column.is_some();
    }
    let mut row = StringRecord::new();
    while let Some(line) = file.next_row(&mut row)? {
        let id = match id_column {
            Some(position) => file.name_cell(&row, position, "id", line)?,
            None => file.rows.to_string(),
        };
        let family = table.family(id.clone());
        if family.accumulators.contains_key(&number) {
            return Err(RegisterError::Repeated {
                file: file.name.clone(),
                line,
                what: "family",
                id,
            });
        }
        for (stated, (fact, column)) in family.stated.iter_mut().zip(fact_columns) {
            let Some(found) = column
                .map(|column| file.fact_cell(&row, column, fact, line))
                .transpose()?
                .flatten()
            else {
                continue;
            };
            let expected = *stated.get_or_insert(found);
            if expected != found {
                let (file, family, fact) = (file.name.clone(), id.clone(), fact_name(fact));
                return Err(RegisterError::Disagreement {
                    file,
                    line,
                    family,
                    fact,
                    expected,
                    found,
                });
            }
        }
        binding.add(family.accumulator(number, binding), line, |column| row.get(column))?;
    }
    Ok(())
}

fn adult_cell(file: &CsvFile, text: &str, line: u64) -> Result<bool, RegisterError> {
    if text.is_empty() {
        return Ok(false);
    }
    yes_or_no(text).ok_or_else(|| RegisterError::Roster {
        file: file.name.clone(),
        line,
        column: "adult",
        text: text.to_owned(),
        right: "yes (1, true, yes, y) or no (0, false, no, n)",
    })
}

impl Gathered {
    fn accumulator(&mut self, file: usize, binding: &Binding<'_>) -> &mut Accumulator {
        self.accumulators.entry(file).or_insert_with(|| binding.accumulator())
    }
}

impl Table {
    fn family(&mut self, id: String) -> &mut Gathered {
        let order = self.families.len();
        self.families.entry(id).or_insert_with(|| Gathered { order, ..Gathered::default() })
    }

    /// All families with their identifiers, in the order in which they first appeared.
    fn in_order(self) -> Vec<(String, Gathered)> {
        let mut families: Vec<(String, Gathered)> = self.families.into_iter().collect();
        families.sort_unstable_by_key(|(_, family)| family.order);
        families
    }
}

//! One register: its rows, gathered by family.

use super::layout::Layout;
use super::persons::Persons;
use super::source::{Source, yes_or_no};
use crate::SimulateError;
use blindtier_policy::{Accumulator, Binding, Facts, Policy, RegisterError};

/// A register.
pub(crate) struct Register<'p> {
    /// Its rows.
    pub source: Source,
    /// What they say.
    pub form: Form<'p>,
}

/// How the rows of a register are read. It does not change while they are, so that one thread can read rows while another
/// one finishes families.
pub(crate) struct Form<'p> {
    /// The file, for messages.
    name: String,
    readings: Vec<Reading<'p>>,
    shape: Shape,
}

/// The indicators of one policy, and where their values go.
struct Reading<'p> {
    binding: Binding<'p>,
    places: Vec<usize>,
}

/// What a row is.
enum Shape {
    /// A person.
    Person { family: usize, person: usize, adult: Option<usize> },
    /// A family; without an identifier it is known by the number of its row.
    Family { id: Option<usize>, stated: [Option<usize>; 2] },
}

/// What the header offers to those who divide by persons or adults.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Offered {
    /// Rows are persons.
    pub persons_as_rows: bool,
    /// There is a column `adult`.
    pub adult: bool,
    /// There are columns `persons` and `adults`.
    pub stated: [bool; 2],
}

/// What a register says of one family.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    /// The family.
    pub id: String,
    /// Line of its first row.
    pub line: u64,
    /// One a reading; there are at most two, and an array needs no memory of its own.
    accumulators: [Option<Accumulator>; 2],
    persons: Persons,
    stated: [Option<u32>; 2],
}

impl<'p> Register<'p> {
    /// Opens a file. `policies` have each the position of the agency whose file it is, or none if it is the file of
    /// all; a policy that has no such agency is left out.
    pub fn new(
        source: Source,
        policies: &[(usize, &'p Policy, Option<usize>)],
        layout: &Layout,
    ) -> Result<Self, SimulateError> {
        let mut readings = Vec::new();
        let mut taken: Vec<usize> = Vec::new();
        for (number, policy, agency) in policies {
            let binding = Binding::new(policy, *agency, &source.name, &source.header)?;
            let own = layout.places(*number);
            let places: Vec<usize> =
                binding.indicators().filter_map(|indicator| own.get(indicator).copied()).collect();
            // A second policy that reads the same values needs no reading of its own.
            if places.iter().any(|place| !taken.contains(place)) {
                taken.extend(&places);
                readings.push(Reading { binding, places });
            }
        }
        let shape = match (source.column("family")?, source.column("person")?) {
            (Some(family), Some(person)) => {
                Shape::Person { family, person, adult: source.column("adult")? }
            }
            _ => Shape::Family {
                id: source.column("id")?,
                stated: [source.column("persons")?, source.column("adults")?],
            },
        };
        let form = Form { name: source.name.clone(), readings, shape };
        Ok(Self { source, form })
    }
}

impl Form<'_> {
    /// The file.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What its header offers.
    pub fn offered(&self) -> Offered {
        match &self.shape {
            Shape::Person { adult, .. } => {
                Offered { persons_as_rows: true, adult: adult.is_some(), stated: [false; 2] }
            }
            Shape::Family { stated, .. } => Offered {
                persons_as_rows: false,
                adult: false,
                stated: stated.map(|column| column.is_some()),
            },
        }
    }

    /// The family of the current row; empty where it has only a number.
    pub fn family<'s>(&self, source: &'s Source) -> Result<&'s str, RegisterError> {
        match self.shape {
            Shape::Person { family, .. } => source.name_cell(family, "family"),
            Shape::Family { id: Some(id), .. } => source.name_cell(id, "id"),
            Shape::Family { id: None, .. } => Ok(""),
        }
    }

    /// Begins a family with the current row.
    pub fn begin(&self, source: &Source) -> Result<Record, RegisterError> {
        let mut readings = self.readings.iter().map(|reading| reading.binding.accumulator());
        let accumulators = [readings.next(), readings.next()];
        let mut record = Record {
            id: String::new(),
            line: 0,
            accumulators,
            persons: Persons::default(),
            stated: [None; 2],
        };
        self.begin_again(source, &mut record)?;
        Ok(record)
    }

    /// Begins a family with the current row in the memory of another one of this register.
    pub fn begin_again(&self, source: &Source, record: &mut Record) -> Result<(), RegisterError> {
        record.id.clear();
        match self.family(source)? {
            "" => record.id.push_str(&source.count.to_string()),
            id => record.id.push_str(id),
        }
        record.line = source.line();
        record.accumulators.iter_mut().flatten().for_each(Accumulator::clear);
        record.persons.clear();
        record.stated = [None; 2];
        self.take(source, record)
    }

    /// Adds the current row to its family, which has rows already.
    pub fn add(&self, source: &Source, record: &mut Record) -> Result<(), RegisterError> {
        if let Shape::Family { .. } = self.shape {
            return Err(repeated(source, "family", &record.id));
        }
        self.take(source, record)
    }

    fn take(&self, source: &Source, record: &mut Record) -> Result<(), RegisterError> {
        match &self.shape {
            Shape::Person { person, adult, .. } => {
                let id = source.name_cell(*person, "person")?;
                if record.persons.has(id) {
                    return Err(repeated(source, "person", id));
                }
                let adult = adult.map_or(Ok(false), |column| is_adult(source, column))?;
                record.persons.push(id, adult);
            }
            Shape::Family { stated, .. } => {
                for (fact, (column, name)) in
                    record.stated.iter_mut().zip(stated.iter().zip(["persons", "adults"]))
                {
                    *fact = match column {
                        Some(column) => stated_fact(source, *column, name)?,
                        None => None,
                    };
                }
            }
        }
        let line = source.line();
        for (reading, accumulator) in
            self.readings.iter().zip(record.accumulators.iter_mut().flatten())
        {
            reading.binding.add(accumulator, line, |column| Some(source.cell(column)))?;
        }
        Ok(())
    }

    /// Puts what a record says at its places.
    pub fn finish(
        &self,
        record: &Record,
        facts: Facts,
        values: &mut [i64],
    ) -> Result<(), RegisterError> {
        for (reading, accumulator) in self.readings.iter().zip(record.accumulators.iter().flatten())
        {
            let found = reading.binding.finish(accumulator, facts)?;
            for (place, value) in reading.places.iter().zip(found) {
                if let Some(cell) = values.get_mut(*place) {
                    *cell = value;
                }
            }
        }
        Ok(())
    }
}

fn repeated(source: &Source, what: &'static str, id: &str) -> RegisterError {
    let (file, line) = (source.name.clone(), source.line());
    RegisterError::Repeated { file, line, what, id: id.to_owned() }
}

fn roster(source: &Source, column: &'static str, text: &str, right: &'static str) -> RegisterError {
    let (file, line) = (source.name.clone(), source.line());
    RegisterError::Roster { file, line, column, text: text.to_owned(), right }
}

fn is_adult(source: &Source, column: usize) -> Result<bool, RegisterError> {
    let text = source.cell(column);
    if text.is_empty() {
        return Ok(false);
    }
    let right = "yes (1, true, yes, y) or no (0, false, no, n)";
    yes_or_no(text).ok_or_else(|| roster(source, "adult", text, right))
}

/// A number of persons or adults; an empty cell says nothing.
fn stated_fact(
    source: &Source,
    column: usize,
    name: &'static str,
) -> Result<Option<u32>, RegisterError> {
    let text = source.cell(column);
    if text.is_empty() {
        return Ok(None);
    }
    // Digits only: `u32` would also take a plus sign.
    let number = text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok()).flatten();
    number.map(Some).ok_or_else(|| roster(source, name, text, "a whole number"))
}

/// Persons and adults of a family, from what all registers say of it. A stated number counts before the rows; without
/// any column `adult` everyone counts as one. Unless they are `counted` only stated numbers are looked at.
pub(crate) fn facts(
    forms: &[Form<'_>],
    records: &[Option<&Record>],
    counted: bool,
    knows_adults: bool,
) -> Result<Facts, RegisterError> {
    let mut stated: [Option<u32>; 2] = [None; 2];
    let mut persons: Vec<(&str, bool)> = Vec::with_capacity(8);
    for (form, record) in forms.iter().zip(records) {
        let Some(record) = record else { continue };
        for (name, adult) in record.persons.iter().filter(|_| counted) {
            match persons.iter_mut().find(|(known, _)| *known == name) {
                Some((_, known)) => *known |= adult,
                None => persons.push((name, adult)),
            }
        }
        for ((known, found), fact) in
            stated.iter_mut().zip(record.stated).zip(["persons", "adults"])
        {
            let Some(found) = found else { continue };
            let expected = *known.get_or_insert(found);
            if expected != found {
                let (file, line) = (form.name().to_owned(), record.line);
                let family = record.id.clone();
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
    }
    let count = |of: usize| u32::try_from(of).unwrap_or(u32::MAX);
    let adults = persons.iter().filter(|(_, adult)| *adult || !knows_adults).count();
    let [stated_persons, stated_adults] = stated;
    Ok(Facts {
        persons: stated_persons.unwrap_or_else(|| count(persons.len())),
        adults: stated_adults.unwrap_or_else(|| count(adults)),
    })
}

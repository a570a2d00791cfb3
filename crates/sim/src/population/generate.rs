//! Families in chunks, several at a time, streamed to files.

use super::cell::Cell;
use super::dice::{Dice, Purpose};
use super::dirt::{Dirt, Faults, spoil};
use super::draw;
use super::encode::{Encoded, encode};
use super::family::{Family, Person};
use super::lattice::Lattice;
use super::margins::{Figure, Margins};
use super::model::Model;
use super::need::needs_support;
use super::output::{Format, Output, write_whole};
use super::registers::{COUNT, REGISTERS, Tables, list};
use super::targets::{SOURCE, Targets};
use crate::SimError;
use crate::sheet::create_folder;
use rayon::prelude::*;
use serde::Serialize;
use std::path::Path;

/// The fewest families of a population.
pub const MIN_FAMILIES: u64 = 10;
/// The most.
pub const MAX_FAMILIES: u64 = 10_000_000;

/// Families drawn from one stream. Fixed: the bytes must not depend on the number of threads.
const CHUNK: u64 = 4096;
/// Chunks in memory at a time.
const AT_ONCE: u64 = 16;

/// Columns of the truth, one row a family.
const TRUTH: [&str; 8] =
    ["family", "region", "persons", "adults", "head_sex", "disability", "welfare", "need"];

/// What population to make.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Plan {
    /// How many families, from [`MIN_FAMILIES`] to [`MAX_FAMILIES`].
    pub families: u64,
    /// Shapes the families; never a key. The same plan gives the same bytes.
    pub seed: u64,
    /// Faults of the registers.
    pub dirt: Dirt,
}

/// What was made.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Summary {
    /// Families.
    pub families: u64,
    /// Persons.
    pub persons: u64,
    /// Families that need support.
    pub needing: u64,
    /// Shapes the families.
    pub seed: u64,
    /// Where the targets come from.
    pub source: &'static str,
    /// Figures beside their targets.
    pub figures: Vec<Figure>,
    /// Whether all figures are within the tolerance.
    pub within: bool,
    /// Rates of faults asked for.
    pub dirt: Dirt,
    /// Faults made, by register.
    pub faults: Vec<Faults>,
}

/// Writes a population: a register an agency and `families`, one row a family with its truth, in the format; and
/// `margins.json`, the summary. `progress` gets the number of families done.
///
/// # Errors
/// The plan has a number out of its range, the folder cannot be written, or it holds registers in the other format.
pub fn write(
    plan: &Plan,
    format: Format,
    folder: &Path,
    progress: impl FnMut(u64),
) -> Result<Summary, SimError> {
    plan.check()?;
    create_folder(folder)?;
    let mut outputs = Vec::with_capacity(COUNT + 1);
    for register in &REGISTERS {
        let columns = header(register.columns);
        outputs.push(Output::create(folder, register.agency, &columns, format)?);
    }
    outputs.push(Output::create(folder, "families", &TRUTH, format)?);

    let summary = plan.run(Some(format), progress, |batch| {
        let mut files: Vec<Vec<Encoded>> = outputs.iter().map(|_| Vec::new()).collect();
        for chunk in batch {
            for (file, lines) in files.iter_mut().zip(chunk) {
                file.push(lines);
            }
        }
        outputs.par_iter_mut().zip(files).try_for_each(|(output, chunks)| {
            chunks.iter().try_for_each(|lines| output.write(lines))
        })
    })?;
    outputs.into_par_iter().try_for_each(Output::finish)?;
    let path = folder.join("margins.json");
    let mut text = serde_json::to_string_pretty(&summary)
        .map_err(|error| SimError::Io { path: path.clone(), source: error.into() })?;
    text.push('\n');
    write_whole(&path, &text)?;
    Ok(summary)
}

/// Makes the families of [`write()`] and counts them, without any file.
///
/// # Errors
/// The plan has a number out of its range.
pub fn measure(plan: &Plan) -> Result<Summary, SimError> {
    plan.check()?;
    plan.run(None, |_| (), |_| Ok(()))
}

/// Columns of a register's file.
fn header(own: &[&'static str]) -> Vec<&'static str> {
    ["family", "person"].into_iter().chain(own.iter().copied()).collect()
}

/// A chunk's lines for every file, in the order of the files.
type Lines = Vec<Encoded>;

impl Plan {
    fn check(&self) -> Result<(), SimError> {
        let (min, max) = (MIN_FAMILIES, MAX_FAMILIES);
        if !(min..=max).contains(&self.families) {
            return Err(SimError::Families { found: self.families, min, max });
        }
        self.dirt.check()
    }

    /// Makes all chunks and hands their lines on in order.
    fn run(
        &self,
        format: Option<Format>,
        mut progress: impl FnMut(u64),
        mut each: impl FnMut(Vec<Lines>) -> Result<(), SimError>,
    ) -> Result<Summary, SimError> {
        let targets = Targets::PUBLISHED;
        let model = Model::solve(&targets)?;
        let lattice = Lattice::new(self.seed);
        let mut margins = Margins::default();
        let mut faults = Faults::none();
        let mut next = 0;
        progress(0);
        while next < self.chunks() {
            let end = self.chunks().min(next + AT_ONCE);
            let made: Vec<Chunk> = (next..end)
                .into_par_iter()
                .map(|number| self.chunk(&model, &lattice, number, format))
                .collect::<Result<_, _>>()?;
            let mut batch = Vec::with_capacity(made.len());
            for chunk in made {
                margins.add(&chunk.margins);
                for (all, own) in faults.iter_mut().zip(&chunk.faults) {
                    all.add(own);
                }
                batch.push(chunk.lines);
            }
            each(batch)?;
            next = end;
            progress(margins.families);
        }
        let figures = margins.compare(&targets);
        Ok(Summary {
            families: margins.families,
            persons: margins.persons,
            needing: margins.needing,
            seed: self.seed,
            source: SOURCE,
            within: figures.iter().all(|figure| figure.within),
            figures,
            dirt: self.dirt,
            faults: faults.into(),
        })
    }

    /// The last chunk takes the rest as well, so that no chunk has too few families to move between.
    fn chunks(&self) -> u64 {
        (self.families / CHUNK).max(1)
    }

    fn chunk(
        &self,
        model: &Model,
        lattice: &Lattice,
        number: u64,
        format: Option<Format>,
    ) -> Result<Chunk, SimError> {
        let families = self.families(model, lattice, number);
        let mut margins = Margins::default();
        let mut tables = Tables::default();
        let mut truth = Vec::with_capacity(families.len());
        for family in &families {
            let need = needs_support(family);
            margins.count(family, need);
            list(family, &mut tables);
            truth.push(true_cells(family, need));
        }
        let mut dice = Dice::new(self.seed, number, Purpose::Dirt);
        let faults = spoil(&families, &mut tables, &self.dirt, &mut dice);
        let mut lines = Vec::new();
        if let Some(format) = format {
            for (register, rows) in REGISTERS.iter().zip(&tables) {
                let own = register.columns.len();
                let rows = rows.iter().map(|row| row.line(own));
                lines.push(encode(format, &header(register.columns), rows)?);
            }
            lines.push(encode(format, &TRUTH, truth.into_iter().map(IntoIterator::into_iter))?);
        }
        Ok(Chunk { margins, faults, lines })
    }

    /// The families of a chunk.
    fn families(&self, model: &Model, lattice: &Lattice, number: u64) -> Vec<Family> {
        let first = number * CHUNK + 1;
        let last = if number + 1 == self.chunks() { self.families } else { (number + 1) * CHUNK };
        let mut dice = Dice::new(self.seed, number, Purpose::Families);
        (first..=last)
            .filter_map(|family| draw::family(model, lattice.point(family), family, &mut dice))
            .collect()
    }
}

/// A part of the population.
struct Chunk {
    margins: Margins,
    faults: [Faults; COUNT],
    lines: Lines,
}

fn true_cells(family: &Family, need: bool) -> [Cell; TRUTH.len()] {
    let count = |number: usize| Cell::Count(u8::try_from(number).unwrap_or(u8::MAX));
    let female = family.persons.first().is_some_and(|head: &Person| head.female);
    [
        Cell::Family(family.number),
        Cell::Word(family.region.id),
        count(family.persons.len()),
        count(family.adults().count()),
        Cell::Word(if female { "female" } else { "male" }),
        Cell::yes_or_no(family.has_disability()),
        Cell::Thousandths(family.welfare),
        Cell::yes_or_no(need),
    ]
}

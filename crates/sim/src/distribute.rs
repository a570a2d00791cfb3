//! One data set → what each party holds by itself.

use crate::dataset::{Gathered, load};
use crate::desk::Desk;
use crate::sheet::{Sheet, create_folder};
use crate::{Gaps, SimError};
use blindtier_policy::{Family, Policy, read_families};
use rand::SeedableRng;
use rand::seq::index;
use rand_chacha::ChaCha20Rng;
use std::collections::HashSet;
use std::path::{Path, PathBuf};

/// What came of a data set.
#[derive(Debug)]
pub struct Distributed {
    /// The families that were kept, in the order of the data, with the values that the policy reads from it: what a
    /// round must come to.
    pub families: Vec<Family>,
    /// The persons of each, and whether they are adults.
    persons: Vec<Vec<(String, bool)>>,
}

/// Splits a data set, in any of the shapes of [`blindtier_policy::read_families`], into `output/<agency>/register.csv`
/// for every agency of the policy. The population follows with [`Distributed::write_population`], once the families'
/// letter keys exist.
///
/// `sample` is a number of families and a seed: so many families are kept, or all if there are fewer. `gaps` are made
/// after that.
///
/// One row a family becomes as many persons as its columns `persons` and `adults` say, else one adult; what the row says
/// is put down to the first of them.
///
/// # Errors
/// The data does not fit the policy, the folder cannot be written, or the data cannot be what a round reads: identifiers
/// that are not unique, or numbers of persons that no list of persons has.
pub fn distribute(
    policy: &Policy,
    data: &Path,
    sample: Option<(u64, u64)>,
    mut gaps: Gaps,
    output: &Path,
) -> Result<Distributed, SimError> {
    let desks = Desk::all(policy, &["person"])?;
    let families: Vec<Family> = read_families(policy, data)?.collect::<Result<_, _>>()?;
    let gathered = load(&desks, data)?;
    let pairs: Vec<(Family, Gathered)> = families.into_iter().zip(gathered).collect();
    let mut pairs = sampled(pairs, sample);
    if pairs.is_empty() {
        return Err(SimError::NoFamily { path: data.to_owned() });
    }
    check(policy, &desks, data, &pairs)?;
    for (family, gathered) in &mut pairs {
        let forgotten = gaps.next(policy, &mut family.values);
        for (register, gap) in gathered.registers.iter_mut().zip(forgotten) {
            if gap {
                register.persons.clear();
                register.rows.clear();
            }
        }
    }

    for (number, desk) in desks.iter().enumerate() {
        let folder = output.join(desk.id);
        create_folder(&folder)?;
        let header: Vec<&str> =
            ["person"].into_iter().chain(desk.columns.iter().copied()).collect();
        let mut sheet = Sheet::create(folder.join("register.csv"), &header)?;
        for (_, family) in &pairs {
            let Some(register) = family.registers.get(number) else { continue };
            for (person, row) in register.persons.iter().zip(&register.rows) {
                let person = family.persons.get(*person).map(|person| person.id.as_str());
                sheet.row(person.into_iter().chain(row.iter().map(String::as_str)))?;
            }
        }
        sheet.finish()?;
    }
    let (families, persons) = pairs
        .into_iter()
        .map(|(family, gathered)| {
            let persons = gathered.persons.into_iter().map(|person| (person.id, person.adult));
            (family, persons.collect())
        })
        .unzip();
    Ok(Distributed { families, persons })
}

impl Distributed {
    /// Writes `output/population.csv`, one row a person: `person,family,adult,letter_key`. `letter_keys` has one key a
    /// family in hexadecimal digits, in the order of [`Distributed::families`]; it stands in the family's first row.
    /// Returns the path of the file.
    ///
    /// # Errors
    /// The number of keys is not that of families, or the file cannot be written.
    pub fn write_population<S: AsRef<str>>(
        &self,
        output: &Path,
        letter_keys: &[S],
    ) -> Result<PathBuf, SimError> {
        if letter_keys.len() != self.families.len() {
            let (found, expected) = (letter_keys.len(), self.families.len());
            return Err(SimError::LetterKeys { found, expected });
        }
        create_folder(output)?;
        let path = output.join("population.csv");
        let mut sheet = Sheet::create(path.clone(), &["person", "family", "adult", "letter_key"])?;
        for ((family, persons), key) in self.families.iter().zip(&self.persons).zip(letter_keys) {
            let keys = [key.as_ref()].into_iter().chain(std::iter::repeat(""));
            for ((person, adult), key) in persons.iter().zip(keys) {
                let adult = if *adult { "yes" } else { "no" };
                sheet.row([person.as_str(), &family.id, adult, key])?;
            }
        }
        sheet.finish()?;
        Ok(path)
    }
}

/// A random selection in the order of the data.
fn sampled<T>(all: Vec<T>, sample: Option<(u64, u64)>) -> Vec<T> {
    let Some((wanted, seed)) = sample else { return all };
    let wanted = usize::try_from(wanted).unwrap_or(usize::MAX).min(all.len());
    let mut rng = ChaCha20Rng::seed_from_u64(seed);
    let mut kept = vec![false; all.len()];
    for position in index::sample(&mut rng, all.len(), wanted) {
        if let Some(kept) = kept.get_mut(position) {
            *kept = true;
        }
    }
    all.into_iter().zip(kept).filter_map(|(item, kept)| kept.then_some(item)).collect()
}

/// Reads everything back as a round will, so that a difference between a round and the clear twin is the round's fault
/// and never this split's.
fn check(
    policy: &Policy,
    desks: &[Desk<'_>],
    data: &Path,
    pairs: &[(Family, Gathered)],
) -> Result<(), SimError> {
    let mut known: HashSet<&str> = HashSet::new();
    for (family, gathered) in pairs {
        for person in &gathered.persons {
            if !known.insert(&person.id) {
                let (path, person) = (data.to_owned(), person.id.clone());
                return Err(SimError::RepeatedPerson { path, person });
            }
        }
        let mut values = policy.base_values();
        for (desk, register) in desks.iter().zip(&gathered.registers) {
            desk.read(&register.rows, gathered.facts(), &mut values)?;
        }
        let read = family.values.iter().zip(&values).zip(&policy.indicators);
        for ((read, round), indicator) in read {
            if read != round {
                return Err(SimError::Facts {
                    path: data.to_owned(),
                    family: family.id.clone(),
                    indicator: indicator.id.clone(),
                    read: *read,
                    round: *round,
                });
            }
        }
    }
    Ok(())
}

//! Groups of families, such as regions, for statistics.

use crate::SimError;
use crate::sheet::Sheet;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha20Rng;
use std::path::Path;

/// Adds a column `region` to a registrar's population, whose families stand one after the other: each family is in one of
/// so many regions (`region-1`, …), seeded and each as likely. Returns each family's region by its position, in order.
///
/// # Errors
/// The file cannot be read or replaced, or has no column `family`.
pub fn add_regions(population: &Path, regions: u32, seed: u64) -> Result<Vec<u32>, SimError> {
    let csv = |source| SimError::Csv { path: population.to_owned(), source };
    let mut reader = csv::Reader::from_path(population).map_err(csv)?;
    let header = reader.headers().map_err(csv)?.clone();
    let family = header.iter().position(|name| name == "family");
    let family = family.ok_or_else(|| SimError::NoFamily { path: population.to_owned() })?;
    let columns: Vec<&str> = header.iter().chain(["region"]).collect();
    let mut sheet = Sheet::create(population.to_owned(), &columns)?;
    let mut rng = ChaCha20Rng::seed_from_u64(seed);
    rng.set_stream(3);
    let mut found: Vec<u32> = Vec::new();
    let mut last: Option<String> = None;
    for row in reader.records() {
        let row = row.map_err(csv)?;
        let name = row.get(family).unwrap_or_default();
        if last.as_deref() != Some(name) {
            last = Some(name.to_owned());
            found.push(rng.random_range(0..regions.max(1)));
        }
        let region = found.last().map_or(0, |region| region + 1);
        let region = format!("region-{region:02}");
        sheet.row(row.iter().chain([region.as_str()]))?;
    }
    sheet.finish()?;
    Ok(found)
}

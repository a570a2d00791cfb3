//! The model behind the calibrated figures, with its free constants solved for.
//!
//! docs/population.md states the formulas. Every expectation here is exact: a sum over the cells of region and size, in which
//! the logarithm of welfare is normal.

use super::region::{REGIONS, Region, Welfare};
use super::solve::{logistic, normal_below, normal_quantile, root};
use super::targets::{Target, Targets};
use crate::SimError;
use libm::{exp, sqrt};

/// Persons of the largest family.
pub(crate) const LARGEST: u8 = 10;
/// From so many persons on a household counts as large.
pub(crate) const LARGE: u8 = 5;

/// Standard deviation of the logarithm of welfare within a region and size (assumed).
const SPREAD: f64 = 0.55;
/// What a region's rank of 1 adds to the logarithm of welfare (assumed).
const RANK: f64 = 0.12;
/// What one standard deviation of standing, and living in a city region, add to the propensity to own (assumed).
const OWN_STANDING: f64 = 0.35;
const OWN_CITY: f64 = -0.45;
/// How closely an expected figure shall meet its target.
const CLOSE: f64 = 1e-9;
/// Sweeps over the unknowns; each solves one equation for one unknown.
const SWEEPS: usize = 400;

/// One region and size.
#[derive(Debug)]
struct Cell {
    region: &'static Region,
    size: u8,
    /// Share of all families.
    share: f64,
    /// Mean of the logarithm of welfare.
    level: f64,
}

impl Cell {
    fn persons(&self) -> f64 {
        self.share * f64::from(self.size)
    }

    /// Chance of a welfare below one.
    fn poor(&self) -> f64 {
        normal_below(-self.level / SPREAD)
    }
}

/// Region, size, welfare, ownership and assistance of families, such that the expected figures are the targets.
#[derive(Debug)]
pub struct Model {
    cells: Vec<Cell>,
    /// Mean and standard deviation of the logarithm of welfare over all families.
    centre: f64,
    spread: f64,
    own: f64,
    aid: f64,
    aid_slope: f64,
}

/// What the model says of one family.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Core {
    pub region: &'static Region,
    pub size: u8,
    /// True income per head over the subsistence minimum, in thousandths.
    pub welfare: u32,
    /// Standardised logarithm of welfare.
    pub standing: f64,
    pub owns: bool,
    pub assisted: bool,
}

impl Model {
    /// Solves for the free constants.
    ///
    /// # Errors
    /// No constants meet these targets.
    pub fn solve(targets: &Targets) -> Result<Self, SimError> {
        let mut cells = sizes(targets)?;
        welfare(&mut cells, targets)?;

        let centre: f64 = cells.iter().map(|cell| cell.share * cell.level).sum();
        let between: f64 = cells
            .iter()
            .map(|cell| cell.share * (cell.level - centre) * (cell.level - centre))
            .sum();
        let spread = sqrt(between + SPREAD * SPREAD);
        let mut model = Self { cells, centre, spread, own: 0.0, aid: 0.0, aid_slope: 0.0 };

        model.own = root(-8.0, 8.0, |own| model.expected_owned(own) - targets.owned.value);
        check(&targets.owned, model.expected_owned(model.own))?;
        model.solve_aid(targets)?;
        Ok(model)
    }

    /// Chance to own at a standing.
    fn owned(&self, own: f64, city: bool, standing: f64) -> f64 {
        normal_below(own + if city { OWN_CITY } else { 0.0 } + OWN_STANDING * standing)
    }

    /// The normal mean of a normal distribution function is one again.
    fn expected_owned(&self, own: f64) -> f64 {
        let within = OWN_STANDING * SPREAD / self.spread;
        let mut all = 0.0;
        for cell in &self.cells {
            let standing = (cell.level - self.centre) / self.spread;
            let city = if cell.region.city { OWN_CITY } else { 0.0 };
            let mean = own + city + OWN_STANDING * standing;
            all += cell.share * normal_below(mean / sqrt(1.0 + within * within));
        }
        all
    }

    /// Chance of a poor family of this size to get assistance.
    fn aided(aid: f64, slope: f64, size: u8) -> f64 {
        logistic(aid + slope * (f64::from(size) - f64::from(LARGE)))
    }

    /// For every slope one intercept gives the right number of families; the more the slope, the more people in them.
    fn solve_aid(&mut self, targets: &Targets) -> Result<(), SimError> {
        let expected = |aid: f64, slope: f64, weight: fn(&Cell) -> f64| -> f64 {
            self.cells.iter().map(|c| weight(c) * c.poor() * Self::aided(aid, slope, c.size)).sum()
        };
        let families = |cell: &Cell| cell.share;
        let persons: f64 = self.cells.iter().map(Cell::persons).sum();
        let intercept = |slope: f64| {
            root(-40.0, 40.0, |aid| {
                expected(aid, slope, families) - targets.assisted_families.value
            })
        };
        let people = |slope: f64| expected(intercept(slope), slope, Cell::persons) / persons;
        let slope = root(0.0, 8.0, |slope| people(slope) - targets.assisted_people.value);
        let aid = intercept(slope);
        check(&targets.assisted_families, expected(aid, slope, families))?;
        check(&targets.assisted_people, people(slope))?;
        (self.aid, self.aid_slope) = (aid, slope);
        Ok(())
    }

    /// The family at a point of the lattice. There always is one: a solved model has cells.
    pub(crate) fn family(&self, point: super::lattice::Point) -> Option<Core> {
        let mut left = point.cell;
        let found = self.cells.iter().find(|cell| {
            left -= cell.share;
            left < 0.0
        });
        // Rounding may leave a sliver at the end.
        let cell = found.or(self.cells.last())?;
        let logarithm = cell.level + SPREAD * normal_quantile(point.welfare);
        let standing = (logarithm - self.centre) / self.spread;
        let thousandths = (exp(logarithm) * 1000.0) as u32;
        let poor = thousandths < 1000;
        Some(Core {
            region: cell.region,
            size: cell.size,
            welfare: thousandths,
            standing,
            owns: point.home < self.owned(self.own, cell.region.city, standing),
            assisted: poor && point.aid < Self::aided(self.aid, self.aid_slope, cell.size),
        })
    }
}

/// An error unless the expected figure is the target.
fn check(target: &Target, reached: f64) -> Result<(), SimError> {
    if (reached / target.value - 1.0).abs() < 1e3 * CLOSE {
        return Ok(());
    }
    Err(SimError::Unreachable { figure: target.name, target: target.value, reached })
}

/// Shares of region and size. The distribution of sizes is a shifted Poisson tilted by two constants: one a person, one a
/// person in large households; this is the distribution closest to the Poisson that meets both targets.
fn sizes(targets: &Targets) -> Result<Vec<Cell>, SimError> {
    let (mut tilt, mut large_tilt) = (0.0, 0.0);
    for _ in 0..SWEEPS {
        tilt = root(-3.0, 3.0, |tilt| {
            mean_size(&size_cells(tilt, large_tilt)) - targets.persons_per_family.value
        });
        large_tilt = root(-3.0, 3.0, |large_tilt| {
            in_large(&size_cells(tilt, large_tilt)) - targets.large_households.value
        });
        let missed = mean_size(&size_cells(tilt, large_tilt)) - targets.persons_per_family.value;
        if missed.abs() < CLOSE {
            break;
        }
    }
    let cells = size_cells(tilt, large_tilt);
    check(&targets.persons_per_family, mean_size(&cells))?;
    check(&targets.large_households, in_large(&cells))?;
    Ok(cells)
}

fn mean_size(cells: &[Cell]) -> f64 {
    cells.iter().map(Cell::persons).sum()
}

fn in_large(cells: &[Cell]) -> f64 {
    let large: f64 = cells.iter().filter(|c| c.size >= LARGE).map(Cell::persons).sum();
    large / mean_size(cells)
}

fn size_cells(tilt: f64, large_tilt: f64) -> Vec<Cell> {
    let mut cells = Vec::with_capacity(REGIONS.len() * usize::from(LARGEST));
    for region in &REGIONS {
        // Poisson with mean 2, shifted by one person.
        let mut poisson = 1.0;
        let mut weights = [0.0; LARGEST as usize];
        for (size, weight) in (1..=LARGEST).zip(&mut weights) {
            let persons = f64::from(size);
            let large = if size >= LARGE { large_tilt } else { 0.0 };
            *weight = poisson * exp(persons * (tilt + large + region.size_tilt));
            poisson *= 2.0 / persons;
        }
        // People of the region over persons a family: its families.
        let persons: f64 = (1..=LARGEST).zip(weights).map(|(size, w)| f64::from(size) * w).sum();
        cells.extend((1..=LARGEST).zip(weights).map(|(size, weight)| Cell {
            region,
            size,
            share: region.people * weight / persons,
            level: 0.0,
        }));
    }
    let all: f64 = cells.iter().map(|cell| cell.share).sum();
    for cell in &mut cells {
        cell.share /= all;
    }
    cells
}

/// The unknowns of the logarithm of welfare.
#[derive(Clone, Copy, Debug)]
struct Levels {
    ordinary: f64,
    capital: f64,
    poorest: f64,
    /// What a person more takes off.
    person: f64,
}

impl Levels {
    fn of(&self, cell: &Cell) -> f64 {
        let region = match cell.region.welfare {
            Welfare::Capital => self.capital,
            Welfare::Poorest => self.poorest,
            Welfare::Rank(rank) => self.ordinary + RANK * rank,
        };
        region - self.person * (f64::from(cell.size) - 3.0)
    }

    /// Share of the poor among the persons of some cells.
    fn poverty(&self, cells: &[Cell], among: impl Fn(&Cell) -> bool) -> f64 {
        let (mut poor, mut all) = (0.0, 0.0);
        for cell in cells.iter().filter(|cell| among(cell)) {
            all += cell.persons();
            poor += cell.persons() * normal_below(-self.of(cell) / SPREAD);
        }
        poor / all
    }
}

/// Every poverty target falls with its own unknown, so the equations are solved in turn until all hold.
fn welfare(cells: &mut [Cell], targets: &Targets) -> Result<(), SimError> {
    let mut levels = Levels { ordinary: 1.0, capital: 1.0, poorest: 1.0, person: 0.0 };
    let capital = |cell: &Cell| cell.region.welfare == Welfare::Capital;
    let poorest = |cell: &Cell| cell.region.welfare == Welfare::Poorest;
    let large = |cell: &Cell| cell.size >= LARGE;
    let everybody = |_: &Cell| true;
    for _ in 0..SWEEPS {
        levels.person = root(-1.0, 1.0, |person| {
            Levels { person, ..levels }.poverty(cells, large) - targets.poverty_large.value
        });
        levels.capital = root(-4.0, 4.0, |capital_level| {
            targets.poverty_capital.value
                - Levels { capital: capital_level, ..levels }.poverty(cells, capital)
        });
        levels.poorest = root(-4.0, 4.0, |poorest_level| {
            targets.poverty_poorest.value
                - Levels { poorest: poorest_level, ..levels }.poverty(cells, poorest)
        });
        levels.ordinary = root(-4.0, 4.0, |ordinary| {
            targets.poverty.value - Levels { ordinary, ..levels }.poverty(cells, everybody)
        });
        if (levels.poverty(cells, large) - targets.poverty_large.value).abs() < CLOSE * 0.01 {
            break;
        }
    }
    check(&targets.poverty, levels.poverty(cells, everybody))?;
    check(&targets.poverty_large, levels.poverty(cells, large))?;
    check(&targets.poverty_capital, levels.poverty(cells, capital))?;
    check(&targets.poverty_poorest, levels.poverty(cells, poorest))?;
    for cell in cells.iter_mut() {
        cell.level = levels.of(cell);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn model() -> Model {
        Model::solve(&Targets::PUBLISHED).unwrap()
    }

    #[test]
    fn the_shares_of_all_cells_add_up_and_no_ordinary_region_is_poorer_than_the_poorest() {
        let model = model();
        let all: f64 = model.cells.iter().map(|cell| cell.share).sum();
        assert!((all - 1.0).abs() < 1e-12);
        for cells in model.cells.chunk_by(|a, b| a.region.id == b.region.id) {
            let persons: f64 = cells.iter().map(Cell::persons).sum();
            let poor: f64 = cells.iter().map(|cell| cell.persons() * cell.poor()).sum();
            let rate = poor / persons;
            let is_poorest = cells[0].region.welfare == Welfare::Poorest;
            assert_eq!(rate > 0.09, is_poorest, "{}: {rate}", cells[0].region.id);
        }
    }

    #[test]
    fn larger_families_are_poorer_and_assistance_goes_to_the_larger_among_the_poor() {
        let model = model();
        let levels: Vec<f64> = model.cells.iter().take(10).map(|cell| cell.level).collect();
        assert!(levels.windows(2).all(|pair| pair[0] > pair[1]), "{levels:?}");
        assert!(model.aid_slope > 0.0);
    }

    #[test]
    fn targets_that_contradict_each_other_are_refused_by_name() {
        let mut targets = Targets::PUBLISHED;
        targets.assisted_families.value = 0.5;
        let error = Model::solve(&targets).unwrap_err();
        assert!(error.to_string().contains("families on assistance"), "{error}");
    }
}

//! How cost grows: one quantity at a time, both engines, both circuits, every tier held against the clear twin.

mod fit;
mod model;

use crate::CompareError;
use crate::approach::{Approach, Measured};
use blindtier_policy::passes::Layout;
use blindtier_report::units::float;
use blindtier_report::{Point, Series, Sweep};
use model::{Size, families};
use rayon::{ThreadPool, ThreadPoolBuilder};

/// A quantity that grows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quantity {
    /// Families of a round.
    Families,
    /// Indicators of the policy.
    Indicators,
    /// Levels of each indicator.
    Levels,
    /// Values that the score can take.
    ScoreWidth,
    /// Tiers.
    Tiers,
    /// Cores.
    Cores,
}

impl Quantity {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Families,
        Self::Indicators,
        Self::Levels,
        Self::ScoreWidth,
        Self::Tiers,
        Self::Cores,
    ];

    /// The name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Families => "families",
            Self::Indicators => "indicators",
            Self::Levels => "levels",
            Self::ScoreWidth => "score_width",
            Self::Tiers => "tiers",
            Self::Cores => "cores",
        }
    }
}

/// How far to go.
#[derive(Clone, Copy, Debug)]
pub struct Extent {
    /// The largest round for the bfv engine.
    pub largest_round: u64,
    /// The largest round for the tfhe engine, whose time is proportional to the families.
    pub largest_tfhe_round: u64,
    /// Families that the tfhe engine runs where something else grows.
    pub tfhe_families: u64,
    /// How often each point is measured; the median counts.
    pub repetitions: u32,
    /// The most cores.
    pub cores: u32,
}

/// The two engines.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Engine {
    Tfhe,
    Bfv,
}

/// Measures sweeps. `say` hears what is being done.
///
/// # Errors
/// Keys cannot be made, or the clear twin refuses. A plan that an engine refuses is a point without a measurement.
pub fn scaling(
    quantities: &[Quantity],
    extent: Extent,
    say: &mut dyn FnMut(&str),
) -> Result<Vec<Sweep>, CompareError> {
    let one = threads(1)?;
    let mut sweeps = Vec::new();
    for quantity in quantities {
        let mut series = Vec::new();
        for engine in [Engine::Tfhe, Engine::Bfv] {
            for layout in [Layout::PerIndicator, Layout::Folded] {
                let id = format!("{}-{layout}", engine.name());
                let mut points = Vec::new();
                for step in quantity.steps(engine, extent) {
                    say(&format!("{} {}: {id}", quantity.name(), step.x));
                    let pool = if step.cores == 1 { &one } else { &threads(step.cores)? };
                    points.push(measure(engine, layout, &step, extent, pool)?);
                }
                let measured: Vec<(f64, f64)> = points
                    .iter()
                    .filter(|point| point.refused.is_none())
                    .map(|point| (point.x, point.seconds))
                    .collect();
                let fit = fit::power_law(quantity.name(), &measured);
                series.push(Series { id, points, fit });
            }
        }
        sweeps.push(Sweep { quantity: quantity.name().into(), fixed: quantity.fixed(), series });
    }
    Ok(sweeps)
}

/// One point of a sweep.
struct StepOfSweep {
    x: u64,
    size: Size,
    /// None: a full chunk.
    families: Option<u64>,
    cores: u32,
}

impl Quantity {
    fn steps(self, engine: Engine, extent: Extent) -> Vec<StepOfSweep> {
        let base = Size::BASE;
        let usual = match engine {
            Engine::Tfhe => Some(extent.tfhe_families),
            Engine::Bfv => None,
        };
        let step = |x: u64, size: Size| StepOfSweep { x, size, families: usual, cores: 1 };
        let sizes = |values: &[usize], size: &dyn Fn(usize) -> Size| {
            let steps =
                values.iter().map(|v| step(u64::try_from(*v).unwrap_or(u64::MAX), size(*v)));
            steps.collect()
        };
        match self {
            Self::Families => {
                let most = match engine {
                    Engine::Tfhe => extent.largest_tfhe_round,
                    Engine::Bfv => extent.largest_round,
                };
                let rounds = (2..=6).map(|exponent| 10u64.pow(exponent));
                let families = |x| StepOfSweep { families: Some(x), ..step(x, base) };
                rounds.take_while(|families| *families <= most).map(families).collect()
            }
            Self::Indicators => {
                sizes(&[4, 8, 16, 32, 64], &|indicators| Size { indicators, ..base })
            }
            Self::Levels => sizes(&[2, 4, 8, 16], &|levels| Size { levels, ..base }),
            Self::ScoreWidth => sizes(&[16, 64, 256, 1024, 4096], &|width| Size { width, ..base }),
            Self::Tiers => sizes(&[2, 4, 8, 13], &|tiers| Size { tiers, ..base }),
            Self::Cores => (1..=extent.cores)
                .map(|cores| StepOfSweep {
                    cores,
                    // Enough that no core waits long for the last one.
                    families: Some(match engine {
                        Engine::Tfhe => extent.tfhe_families.saturating_mul(2),
                        Engine::Bfv => extent.largest_round.min(100_000),
                    }),
                    ..step(u64::from(cores), base)
                })
                .collect(),
        }
    }

    /// What does not grow.
    fn fixed(self) -> String {
        let Size { indicators, levels, width, tiers } = Size::BASE;
        let parts = [
            (Self::Indicators, format!("{indicators} indicators")),
            (Self::Levels, format!("{levels} levels each")),
            (Self::ScoreWidth, format!("a score of {width} values")),
            (Self::Tiers, format!("{tiers} tiers")),
            (Self::Cores, "one core".into()),
        ];
        let parts = parts.into_iter().filter(|(quantity, _)| *quantity != self);
        parts.map(|(_, said)| said).collect::<Vec<_>>().join(", ")
    }
}

impl Engine {
    fn name(self) -> &'static str {
        match self {
            Self::Tfhe => blindtier_engine_tfhe::ENGINE,
            Self::Bfv => blindtier_engine_bfv::ENGINE,
        }
    }
}

fn threads(count: u32) -> Result<ThreadPool, CompareError> {
    let count = usize::try_from(count).unwrap_or(1);
    let pool = ThreadPoolBuilder::new().num_threads(count).build();
    pool.map_err(|error| CompareError::Approach(error.to_string()))
}

fn measure(
    engine: Engine,
    layout: Layout,
    step: &StepOfSweep,
    extent: Extent,
    pool: &ThreadPool,
) -> Result<Point, CompareError> {
    let policy = step.size.policy()?;
    let prepared = pool.install(|| match engine {
        Engine::Tfhe => Measured::tfhe(policy.clone(), layout),
        Engine::Bfv => Measured::bfv(policy.clone(), layout),
    });
    let mut point = Point {
        x: float(step.x),
        seconds: 0.0,
        families: 0,
        operations: 0,
        upload_bytes_per_family: 0.0,
        key_bytes: 0,
        disagree: 0,
        refused: None,
    };
    let measured = match prepared {
        Ok(measured) => measured,
        Err(CompareError::Engine(error)) => {
            point.refused = Some(error.to_string());
            return Ok(point);
        }
        Err(error) => return Err(error),
    };
    let ready = measured.ready();
    point.operations = ready.lookups.or(ready.multiplications).unwrap_or_default();
    point.upload_bytes_per_family = ready.upload_bytes_per_family.unwrap_or_default();
    point.key_bytes = ready.key_bytes.unwrap_or_default();
    point.families = step.families.unwrap_or(ready.chunk);
    let count = usize::try_from(point.families).unwrap_or(usize::MAX);
    let rows = families(&policy, count);
    let (seconds, disagree) = pool.install(|| measured.time(rows, extent.repetitions))?;
    (point.seconds, point.disagree) = (seconds, disagree);
    Ok(point)
}

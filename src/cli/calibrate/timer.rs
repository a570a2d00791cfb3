//! Taking times.

use super::super::error::CliError;
use blindtier_estimate::Timing;
use rayon::{ThreadPool, ThreadPoolBuilder};
use std::time::Instant;

/// Short measurements are repeated until they have taken this long, seconds.
const ENOUGH: f64 = 0.6;
/// How often at the least, unless one takes longer than all together should.
const LEAST: usize = 3;
/// How often at the most.
const MOST: usize = 25;

/// One core and all cores.
pub struct Timer {
    /// How many cores there are.
    pub cores: u32,
    one: ThreadPool,
    all: ThreadPool,
}

impl Timer {
    pub fn new(cores: u32) -> Result<Self, CliError> {
        let pool = |threads: u32| {
            let threads = usize::try_from(threads).unwrap_or(1);
            ThreadPoolBuilder::new().num_threads(threads).build().map_err(CliError::Threads)
        };
        Ok(Self { cores, one: pool(1)?, all: pool(cores)? })
    }

    /// Cores as a number of operations.
    pub fn width(&self) -> usize {
        usize::try_from(self.cores).unwrap_or(1)
    }

    /// Seconds for each of `count(cores)` operations that `work(that count)` does, on one core and on all.
    pub fn both<T>(
        &self,
        count: impl Fn(usize) -> usize,
        work: impl Fn(usize) -> Result<T, CliError> + Sync,
    ) -> Result<Timing, CliError>
    where
        T: Send,
    {
        let each = |pool: &ThreadPool, cores: usize| {
            let count = count(cores).max(1);
            let seconds = pool.install(|| median(|| work(count).map(drop)))?;
            Ok::<_, CliError>(seconds / number(count))
        };
        Ok(Timing { one_core: each(&self.one, 1)?, all_cores: each(&self.all, self.width())? })
    }

    /// Seconds of a step that does not ask for more than one core, or spreads itself.
    pub fn one<T>(&self, work: impl Fn() -> Result<T, CliError> + Sync) -> Result<f64, CliError> {
        self.all.install(|| median(|| work().map(drop)))
    }

    /// What a step gives that is done once, and the seconds that it took.
    pub fn once<T: Send>(
        &self,
        work: impl FnOnce() -> Result<T, CliError> + Send,
    ) -> Result<(T, f64), CliError> {
        self.all.install(|| {
            let start = Instant::now();
            let made = work()?;
            Ok((made, start.elapsed().as_secs_f64()))
        })
    }
}

/// The median of several runs.
fn median(work: impl Fn() -> Result<(), CliError>) -> Result<f64, CliError> {
    let begun = Instant::now();
    let mut seconds = Vec::new();
    loop {
        let start = Instant::now();
        work()?;
        seconds.push(start.elapsed().as_secs_f64());
        let (times, all) = (seconds.len(), begun.elapsed().as_secs_f64());
        if times >= MOST || (times >= LEAST && all >= ENOUGH) || all >= 10.0 * ENOUGH {
            break;
        }
    }
    seconds.sort_by(f64::total_cmp);
    Ok(seconds.get(seconds.len() / 2).copied().unwrap_or_default())
}

/// A count as a floating-point number.
#[allow(clippy::cast_precision_loss, reason = "counts here are small")]
pub fn number(count: usize) -> f64 {
    count as f64
}

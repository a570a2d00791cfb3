//! What a comparison found, as it is written to JSON and read back for charts.

use serde::{Deserialize, Serialize};

/// Version of the JSON's shape.
pub const FORMAT: u32 = 1;

/// A whole comparison. Nothing in it is private: families are synthetic or published, and keys are thrown away.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// Version of this shape, [`FORMAT`].
    pub format: u32,
    /// When the run began, in UTC, as RFC 3339 has it.
    pub started: String,
    /// The command as it was called.
    pub command: String,
    /// Version of blindtier.
    pub version: String,
    /// Where it ran.
    pub machine: Machine,
    /// Threads that each approach may use.
    pub threads: u32,
    /// What was compared; none if only scaling was measured.
    pub comparison: Option<Comparison>,
    /// How cost grows, one sweep a quantity.
    pub scaling: Vec<Sweep>,
}

/// The machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Machine {
    /// Name of the processor.
    pub processor: String,
    /// Cores that the process may use.
    pub cores: u32,
    /// Bytes of main memory.
    pub memory_bytes: u64,
    /// Operating system and architecture.
    pub system: String,
    /// What of the processor the library computes with.
    pub features: String,
}

/// One policy on the same families with every approach.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// Name of the policy.
    pub policy: String,
    /// Its hash, hexadecimal.
    pub policy_hash: String,
    /// Where the families came from.
    pub data: String,
    /// How many families were asked for.
    pub families: u64,
    /// How often each approach ran; runs of all approaches take turns.
    pub repetitions: u32,
    /// One row an approach, in the order in which they took turns.
    pub rows: Vec<Row>,
    /// Approaches that were asked for and could not run.
    pub failed: Vec<Failed>,
    /// Ratios of time a family, taken run by run.
    pub ratios: Vec<Ratio>,
}

/// An approach that could not run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failed {
    /// As in [`Row::id`].
    pub id: String,
    /// What it said.
    pub reason: String,
}

/// Whose work a row is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// No protection at all: how fast the policy is in the clear.
    Clear,
    /// tfhe as its tutorial shows it.
    Naive,
    /// An engine of this project.
    Blindtier,
    /// Another system of homomorphic encryption.
    Peer,
    /// Another system with another trust model: several servers that do not collude.
    OtherTrustModel,
}

/// Which circuit a row computes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Circuit {
    /// The policy as it is written.
    AsWritten,
    /// Every indicator by itself, as blindtier compiles it.
    PerIndicator,
    /// Agencies compute in the clear what each can compute alone.
    Folded,
}

/// One approach.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// Short name, for example `tfhe-folded`.
    pub id: String,
    /// What it is, and what was measured of it before it ran.
    #[serde(flatten)]
    pub about: About,
    /// Its runs, in order.
    pub runs: Vec<Run>,
    /// Families over all its runs; slow approaches run a sample.
    pub families_run: u64,
    /// Families whose tier is the clear twin's.
    pub agree: u64,
    /// Families whose tier is not.
    pub disagree: u64,
    /// Seconds of evaluation a family.
    pub seconds_per_family: Spread,
    /// Seconds of encryption a family.
    pub encrypt_seconds_per_family: Spread,
    /// Seconds of opening a family.
    pub open_seconds_per_family: Spread,
    /// Seconds of evaluation a slot: what a family costs when every slot of a chunk is taken.
    pub seconds_per_slot: Spread,
    /// Time of evaluation over that of as many bare operations, run by run.
    pub over_floor: Option<Spread>,
    /// Largest resident memory of its process.
    pub peak_memory_bytes: Option<u64>,
}

/// What an approach says of itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct About {
    /// Whose work it is.
    pub kind: Kind,
    /// Name for people.
    pub name: String,
    /// Version of the library behind it.
    pub version: String,
    /// Which circuit it computes.
    pub circuit: Circuit,
    /// Parameters, in one line.
    pub parameters: String,
    /// Who has to be trusted with what.
    pub trust_model: String,
    /// How often parties have to speak with one another during evaluation, each round one way; 0 where the evaluator
    /// works alone, none where the library does not tell.
    pub rounds: Option<u64>,
    /// Base-2 logarithm of a bound on the probability that a family's tier is wrong; none where nothing can fail.
    pub failure_log2: Option<f64>,
    /// Bits of security; none where security does not rest on a computation.
    pub security_bits: Option<u32>,
    /// Lookups a family.
    pub lookups: Option<u64>,
    /// Multiplications of ciphertexts a chunk.
    pub multiplications: Option<u64>,
    /// Families that are computed at once.
    pub chunk: u64,
    /// Bytes of the evaluation key.
    pub key_bytes: Option<u64>,
    /// Bytes that all agencies send a family, in a full chunk.
    pub upload_bytes_per_family: Option<f64>,
    /// Bytes of an encrypted result a family, in a full chunk.
    pub result_bytes_per_family: Option<f64>,
    /// Seconds before the first family: compiling, keys, loading of keys.
    pub setup_seconds: f64,
    /// What a reader has to know.
    pub notes: Vec<String>,
}

/// One run of an approach.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// Position of the first family.
    pub first: u64,
    /// How many families.
    pub families: u64,
    /// How many slots were paid for; at least as many.
    pub slots: u64,
    /// Evaluation.
    pub seconds: f64,
    /// Encryption.
    pub encrypt_seconds: f64,
    /// Opening.
    pub open_seconds: f64,
    /// How many tiers differ from the clear twin's.
    pub disagree: u64,
    /// What as many bare operations took right afterwards: lookups, or multiplications of two ciphertexts.
    pub floor_seconds: Option<f64>,
}

/// Median, smallest and largest of some measurements.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Spread {
    /// The middle value; of an even number the mean of the two middle ones.
    pub median: f64,
    /// Smallest.
    pub min: f64,
    /// Largest.
    pub max: f64,
}

/// How much time a family one approach takes over another.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ratio {
    /// What is compared, for people.
    pub what: String,
    /// [`Row::id`] of the dividend.
    pub slower: String,
    /// [`Row::id`] of the divisor.
    pub faster: String,
    /// Run by run: how many times as long the first one takes.
    pub times: Spread,
    /// What this project aims at.
    pub goal: Option<Goal>,
}

/// A ratio that this project aims at.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Goal {
    /// This or more.
    AtLeast(f64),
    /// This or less.
    AtMost(f64),
}

/// How cost grows with one quantity, the others being fixed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sweep {
    /// What grows: `families`, `indicators`, `levels`, `score_width`, `tiers` or `cores`.
    pub quantity: String,
    /// What is fixed, in one line.
    pub fixed: String,
    /// One series an engine and layout.
    pub series: Vec<Series>,
}

/// One line of a chart.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Series {
    /// As in [`Row::id`].
    pub id: String,
    /// Measurements by growing `x`.
    pub points: Vec<Point>,
    /// A law that was fitted to the times of evaluation of this series; none with fewer than three points.
    pub fit: Option<Fit>,
}

/// One measurement.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// The quantity.
    pub x: f64,
    /// Seconds of evaluation, of the whole run.
    pub seconds: f64,
    /// Families in it.
    pub families: u64,
    /// Lookups a family (tfhe) or multiplications a chunk (bfv).
    pub operations: u64,
    /// Bytes that all agencies send a family, in a full chunk.
    pub upload_bytes_per_family: f64,
    /// Bytes of the evaluation key.
    pub key_bytes: u64,
    /// Tiers that differ from the clear twin's.
    pub disagree: u64,
    /// Why there is no measurement, if there is none: the plan was refused.
    pub refused: Option<String>,
}

/// `seconds = factor · basis^exponent`, by least squares on logarithms.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Fit {
    /// What the law is in: the quantity itself.
    pub basis: String,
    /// Seconds at 1.
    pub factor: f64,
    /// Slope between logarithms.
    pub exponent: f64,
    /// Share of the variance of the logarithms that the law explains.
    pub r_squared: f64,
}

impl Spread {
    /// Of some measurements; all NaN if there are none.
    pub fn of(mut values: Vec<f64>) -> Self {
        values.sort_by(f64::total_cmp);
        let at = |i: usize| values.get(i).copied().unwrap_or(f64::NAN);
        let last = values.len().saturating_sub(1);
        Self { median: (at(last / 2) + at(last.div_ceil(2))) / 2.0, min: at(0), max: at(last) }
    }
}

impl Report {
    /// Whether every tier of every approach is the clear twin's.
    pub fn all_agree(&self) -> bool {
        let rows = self.comparison.iter().flat_map(|c| &c.rows);
        let points = self.scaling.iter().flat_map(|s| &s.series).flat_map(|s| &s.points);
        rows.map(|row| row.disagree).chain(points.map(|p| p.disagree)).all(|wrong| wrong == 0)
    }
}

//! Everything that is asked of a population, put together.

use crate::SimulateError;
use crate::bias::{Tally, bias, overall};
use crate::cells::{Totals, told};
use crate::decide::{counts, decide, decide_without};
use crate::flow::{Side, flow, moves};
use crate::names::label;
use crate::population::{Population, position};
use crate::sensitivity::sensitivity;
use crate::support::Support;
use blindtier_policy::{DecideError, OptOut, Policy, UNDECIDED};
use blindtier_report::{
    AnswerName, Bias, Decider, Errors, Flow, Gap, GroupCounts, Grouping, OptOuts, Sensitivity,
};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// What to find out.
#[derive(Clone, Debug)]
pub struct Task<'a> {
    /// The policy; the first one that the population was read for.
    pub policy: &'a Policy,
    /// Another one to compare with; the second one that it was read for.
    pub against: Option<&'a Policy>,
    /// The tiers that are support; none if that is not known.
    pub supported: Option<&'a [String]>,
    /// The same for the other policy.
    pub supported_against: Option<&'a [String]>,
    /// Agencies that are also taken away together.
    pub without: &'a [String],
    /// The share of families that say no, from 0 to 1; 0 leaves this out.
    pub opt_out_rate: f64,
    /// Shapes who says no; never a key.
    pub seed: u64,
    /// Cells of groups below this are not told; 0 and 1 tell all.
    pub minimum_cell: u64,
    /// Whether to change every number of the policy.
    pub sensitivity: bool,
    /// How many threads decide.
    pub threads: usize,
}

/// What was found out; the fields are those of [`blindtier_report::Simulation`].
#[derive(Clone, Debug)]
pub struct Found {
    /// The policy.
    pub policy: Decider,
    /// How many families.
    pub families: u64,
    /// How many different combinations of values they have.
    pub combinations: u64,
    /// Families by answer.
    pub counts: Vec<u64>,
    /// Answers by group.
    pub groupings: Vec<Grouping>,
    /// Against the other policy.
    pub flow: Option<Flow>,
    /// What small changes do.
    pub sensitivity: Option<Sensitivity>,
    /// Errors against a known need.
    pub bias: Option<Bias>,
    /// Without some registers.
    pub gaps: Vec<Gap>,
    /// With families that say no.
    pub opt_outs: Option<OptOuts>,
    /// What a reader has to know.
    pub notes: Vec<String>,
}

/// Simulates. The same population and task give the same figures for any number of threads.
///
/// # Errors
/// A tier or agency that does not exist, a rate that is none, or a policy that cannot decide.
pub fn simulate(population: &Population, task: &Task<'_>) -> Result<Found, SimulateError> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(task.threads.max(1)).build()?;
    pool.install(|| find(population, task))
}

fn find(population: &Population, task: &Task<'_>) -> Result<Found, SimulateError> {
    if !(0.0..=1.0).contains(&task.opt_out_rate) {
        return Err(SimulateError::NoShare { rate: task.opt_out_rate });
    }
    let policy = task.policy;
    let support = Support::new(policy, task.supported)?;
    let together = task
        .without
        .iter()
        .map(|agency| {
            policy.agency(agency).ok_or_else(|| SimulateError::NoAgency {
                policy: policy.name.clone(),
                agency: agency.clone(),
                known: policy.agencies.iter().map(|a| a.id.as_str()).collect::<Vec<_>>().join(", "),
            })
        })
        .collect::<Result<Vec<usize>, SimulateError>>()?;
    let decider = decider(policy, &support);
    let answers = decide(population, 0, policy)?;
    let by_answer = counts(population, &answers, decider.answers.len());
    let supported =
        |answers: &[u8], family: usize| support.has(answer_of(population, answers, family));
    let groupings = groupings(population, &answers, decider.answers.len(), task.minimum_cell);
    let side = Side::new(&decider, &decider, &answers, &by_answer, &support);

    let flow = match task.against {
        None => None,
        Some(other) => {
            let support = Support::new(other, task.supported_against)?;
            let to = self::decider(other, &support);
            let answers = decide(population, 1, other)?;
            let by_answer = counts(population, &answers, to.answers.len());
            let to = Side::new(&decider, &to, &answers, &by_answer, &support);
            Some(flow(population, &side, &to, &groupings, task.minimum_cell))
        }
    };
    let sensitivity = match task.sensitivity {
        true => Some(sensitivity(population, policy, &answers, &support)?),
        false => None,
    };
    let errors_known = support.known() && population.need_column.is_some();
    let bias = match errors_known {
        true => bias(population, |family| supported(&answers, family), task.minimum_cell),
        false => None,
    };
    let mut gaps = Vec::new();
    let mut absent: Vec<Vec<usize>> = (0..policy.agencies.len())
        .filter(|agency| policy.indicators.iter().any(|i| i.agency == *agency))
        .map(|agency| vec![agency])
        .collect();
    if together.len() > 1 {
        absent.push(together);
    }
    for agencies in absent {
        let answers = decide_without(population, policy, &agencies, &answers)?;
        let by_answer = counts(population, &answers, decider.answers.len());
        let to = Side::new(&decider, &decider, &answers, &by_answer, &support);
        let errors = match errors_known {
            true => overall(population, |family| supported(&answers, family)).errors(),
            false => Errors::default(),
        };
        let ids = agencies.iter().filter_map(|agency| policy.agencies.get(*agency));
        gaps.push(Gap {
            agencies: ids.map(|agency| agency.id.clone()).collect(),
            moves: moves(population, &side, &to),
            errors,
            counts: by_answer,
        });
    }
    let opt_outs = opt_outs(population, task, &answers, &support, by_answer.len(), errors_known)?;
    Ok(Found {
        families: u64::try_from(population.families()).unwrap_or(u64::MAX),
        combinations: u64::try_from(population.distinct()).unwrap_or(u64::MAX),
        counts: by_answer,
        groupings,
        flow,
        sensitivity,
        bias,
        gaps,
        opt_outs,
        notes: notes(population, &support),
        policy: decider,
    })
}

fn decider(policy: &Policy, support: &Support) -> Decider {
    let tiers = (0..).zip(&policy.tiers).map(|(number, tier)| AnswerName {
        id: tier.id.clone(),
        label: label(&tier.label, &tier.id),
        supported: support.has(number),
    });
    let can_be_undecided = policy.indicators.iter().any(|indicator| indicator.is_required());
    let undecided = can_be_undecided.then(|| AnswerName {
        id: UNDECIDED.to_owned(),
        label: "Undecided".to_owned(),
        supported: false,
    });
    Decider {
        name: policy.name.clone(),
        title: label(&policy.title, &policy.name),
        hash: policy.hash().to_string(),
        answers: tiers.chain(undecided).collect(),
        support_known: support.known(),
    }
}

fn answer_of(population: &Population, answers: &[u8], family: usize) -> u8 {
    let values = population.of.get(family).copied().unwrap_or(u32::MAX);
    answers.get(position(values)).copied().unwrap_or(u8::MAX)
}

fn groupings(population: &Population, answers: &[u8], kinds: usize, minimum: u64) -> Vec<Grouping> {
    let mut groupings = Vec::with_capacity(population.columns.len());
    for column in &population.columns {
        let mut table = vec![vec![0u64; kinds]; column.labels.len()];
        for (group, values) in column.of.iter().zip(&population.of) {
            let answer = answers.get(position(*values)).copied().unwrap_or(u8::MAX);
            let line = table.get_mut(usize::from(*group));
            if let Some(cell) = line.and_then(|line| line.get_mut(usize::from(answer))) {
                *cell = cell.saturating_add(1);
            }
        }
        let (cells, totals) = told(&table, Totals::LikeCells, minimum);
        let groups = column.labels.iter().zip(cells).zip(totals);
        groupings.push(Grouping {
            column: column.name.clone(),
            groups: groups
                .map(|((group, counts), families)| GroupCounts {
                    group: group.clone(),
                    families,
                    counts,
                })
                .collect(),
        });
    }
    groupings
}

/// Draws who says no, family by family in the order in which they were read.
fn opt_outs(
    population: &Population,
    task: &Task<'_>,
    answers: &[u8],
    support: &Support,
    kinds: usize,
    errors_known: bool,
) -> Result<Option<OptOuts>, SimulateError> {
    let rate = task.opt_out_rate;
    if rate <= 0.0 {
        return Ok(None);
    }
    if task.policy.opt_out == OptOut::NotOffered {
        return Err(DecideError::NoOptOut { policy: task.policy.name.clone() }.into());
    }
    let mut rng = ChaCha8Rng::seed_from_u64(task.seed);
    let mut counts = vec![0u64; kinds];
    let (mut opted_out, mut forgone) = (0u64, 0u64);
    let mut tally = Tally::default();
    for (family, need) in population.need.iter().enumerate() {
        let answer = answer_of(population, answers, family);
        let says_no = rng.random_bool(rate);
        tally.add(*need, support.has(answer) && !says_no);
        if says_no {
            opted_out = opted_out.saturating_add(1);
            forgone = forgone.saturating_add(u64::from(support.has(answer)));
        } else if let Some(count) = counts.get_mut(usize::from(answer)) {
            *count = count.saturating_add(1);
        }
    }
    Ok(Some(OptOuts {
        rate,
        seed: task.seed,
        opted_out,
        forgone: support.known().then_some(forgone),
        counts,
        errors: if errors_known { tally.errors() } else { Errors::default() },
    }))
}

fn notes(population: &Population, support: &Support) -> Vec<String> {
    let mut notes = population.notes.clone();
    if !support.known() {
        notes.push(
            "It is not known which tiers are support, so nothing is said of support gained or lost, or of errors; name them with --supported."
                .to_owned(),
        );
    }
    if population.need_column.is_none() {
        notes.push(
            "There is no column that says who needs support, so nothing is said of errors."
                .to_owned(),
        );
    }
    notes
}

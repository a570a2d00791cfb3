//! How long each party takes, step by step.
//!
//! A step is its costly operations, counted from the plan, times what one took in the calibration; and what is done once:
//! preparing keys, reading, signing and writing files. What a party waits for others is not counted.

use crate::bytes::{Keys, letter, levels};
use crate::calibration::{Bfv, Calibration, Common, Ring, Tfhe};
use crate::error::EstimateError;
use crate::round::{BfvPlan, Plan, Round, Submitter, Trustee};
use crate::timing::{Cores, Timing, float, rounds};

/// Seconds of every party, from its command's start to its end unless said otherwise.
#[derive(Clone, Debug, PartialEq)]
pub struct Seconds {
    /// Starting a command and planning the policy. Not in what follows, but in [`InAll`] where the demo counts it.
    pub start: f64,
    /// Making keys: the dealer's and every trustee's part.
    pub keys: Vec<(String, f64)>,
    /// Encrypting, sealing levels and handing over.
    pub submitters: Vec<Submitting>,
    /// Registering all submissions, for each trustee.
    pub register: f64,
    /// The evaluator's reading of keys and submissions, proofs included.
    pub check: f64,
    /// Evaluating.
    pub evaluate: f64,
    /// Recomputing, for each trustee that opens: checking again, and evaluating again.
    pub recompute: f64,
    /// Preparing results and computing partial decryptions, for each trustee that opens.
    pub open: f64,
    /// Adding partial decryptions up, for each.
    pub combine: f64,
    /// Sealing letters, for each.
    pub seal: f64,
    /// All parties one after the other on one machine.
    pub in_all: InAll,
}

/// Seconds of one that submits.
#[derive(Clone, Debug, PartialEq)]
pub struct Submitting {
    /// Who.
    pub party: String,
    /// Reading its register and encrypting.
    pub encrypt: f64,
    /// Sealing to every family what was used.
    pub seal: f64,
    /// Handing over what was registered.
    pub hand_over: f64,
}

/// Seconds of all parties one after the other on one machine, as `blindtier demo` counts them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct InAll {
    /// Making keys.
    pub keygen: f64,
    /// Encrypting, sealing levels, registering and handing over.
    pub encrypt: f64,
    /// Evaluating, without checking before it.
    pub evaluate: f64,
    /// Recomputing, all that open.
    pub recompute: f64,
    /// Opening, combining and sealing, all that open.
    pub open: f64,
}

/// Commands with which a trustee makes a key together with others: joining, committing, a first message, a second one,
/// and checking the published keys.
const CEREMONY_COMMANDS: u64 = 5;
/// With a dealer: joining, and checking what was dealt.
const DEALT_COMMANDS: u64 = 2;
/// How often a trustee adds partial decryptions up: before it signs the opened numbers, and before it seals.
const COMBINED: f64 = 2.0;
/// Small files that signing an entry of the ledger writes: the record, the entry, and the folder's.
const ENDORSEMENT: f64 = 2.0;
/// Families of a batch of lookups.
const BATCH: u64 = 8;
/// Values of a list of ciphertexts under one mask.
const LIST: u64 = 2_048;
/// The chunks of a batched engine that are handed to a core together.
const CHUNKS_A_CORE: u64 = 4;

/// Estimates a round on machines like the calibrated one.
pub fn seconds(round: &Round, calibration: &Calibration) -> Result<Seconds, EstimateError> {
    let engine: Box<dyn Engine + '_> = match &round.plan {
        Plan::Tfhe => {
            let missing = EstimateError::NotMeasured { engine: "tfhe" };
            Box::new(OnTfhe { round, measured: calibration.tfhe.as_ref().ok_or(missing)? })
        }
        Plan::Bfv(plan) => {
            let nearest = calibration.nearest(&plan.ring, plan.work.units(&plan.ring));
            let missing = EstimateError::NotMeasured { engine: "bfv" };
            Box::new(OnBfv { round, plan, measured: nearest.ok_or(missing)? })
        }
    };
    let cores = Cores { used: round.cores.max(1), measured: calibration.machine.cores };
    let model = Model { round, common: &calibration.common, engine: engine.as_ref(), cores };
    Ok(model.seconds())
}

/// The steps that depend on the engine, without files.
trait Engine {
    /// The dealer's work, and each trustee's.
    fn keys(&self, trustee: &Trustee, publishes: bool) -> f64;
    /// The dealer's work, if there is one.
    fn deal(&self) -> Option<f64>;
    /// Preparing the public key and encrypting everything.
    fn encrypt(&self, submitter: &Submitter, cores: Cores) -> f64;
    /// Preparing what submissions are checked with, and checking them.
    fn check(&self, cores: Cores) -> f64;
    /// Preparing the evaluation key.
    fn load_evaluation(&self) -> f64;
    /// Evaluating everything, where each chunk takes `before` seconds of a core to be read.
    fn evaluate(&self, cores: Cores, before: f64) -> f64;
    /// How many chunks are written after the last one was evaluated.
    fn written_last(&self, cores: Cores) -> u64;
    /// Preparing everything that is opened and computing the partial decryptions of so many shares.
    fn open(&self, held: u64, cores: Cores) -> f64;
    /// Adding all partial decryptions up once.
    fn combine(&self) -> f64;
}

struct Model<'m> {
    round: &'m Round,
    common: &'m Common,
    engine: &'m dyn Engine,
    cores: Cores,
}

impl Model<'_> {
    fn seconds(&self) -> Seconds {
        let Self { round, common, engine, cores } = self;
        let start = common.start + round.planning;
        let keys = self.keys();
        let submitters: Vec<Submitting> = round.submitters.iter().map(|s| self.submit(s)).collect();
        let register = common.file * (ENDORSEMENT + float(round.submitters.len() as u64));
        let check = self.check();
        let results = round.results.total(round.chunks());
        let upload: u64 = round.submitters.iter().map(|s| s.upload.full).sum();
        let evaluating = engine.evaluate(*cores, float(upload) * common.byte_read);
        let last = engine.written_last(*cores).min(round.chunks());
        let written = self.write(last, results / round.chunks().max(1) * last);
        let evaluate = evaluating + written + common.file;
        let recompute = check + evaluating + float(results) * common.byte_read;
        let held = round.trustees.iter().map(|t| t.held).max().unwrap_or_default();
        let (open, combine, seal) = (self.open(held), self.combine(held), self.seal(held));

        let openers = float(round.openers);
        let trustees = float(round.trustees.len() as u64);
        let commands = match engine.deal() {
            Some(_) => DEALT_COMMANDS * round.trustees.len() as u64 + 1,
            None => CEREMONY_COMMANDS * round.trustees.len() as u64,
        };
        let submitting: f64 =
            submitters.iter().map(|s| s.encrypt + s.seal + s.hand_over + 2.0 * start).sum();
        let in_all = InAll {
            keygen: keys.iter().map(|(_, s)| s).sum::<f64>() + float(commands) * start,
            encrypt: submitting + trustees * (register + start),
            evaluate,
            recompute: openers * recompute,
            open: openers * (open + combine + seal),
        };
        Seconds {
            start,
            keys,
            submitters,
            register,
            check,
            evaluate,
            recompute,
            open,
            combine,
            seal,
            in_all,
        }
    }

    /// Writing so many signed files with so many bytes in all.
    fn write(&self, files: u64, bytes: u64) -> f64 {
        float(files) * self.common.file + float(bytes) * self.common.byte_written
    }

    fn keys(&self) -> Vec<(String, f64)> {
        let Self { round, common, engine, .. } = self;
        let bytes = Keys::of(round);
        let public = bytes.public + bytes.evaluation + bytes.opening;
        let dealt = engine.deal();
        let dealer = dealt.map(|deal| {
            let sealed = round.trustees.len() as u64;
            ("dealer".to_owned(), deal + self.write(4 + sealed, public))
        });
        let trustees = round.trustees.iter().zip(0u32..).map(|(trustee, number)| {
            let publishes = dealt.is_none() && number == 0;
            let said = trustee.made * (bytes.first + bytes.second);
            let own = if publishes { public } else { 0 };
            // First messages are read in three commands and second messages in two.
            let heard = round.shares * (3 * bytes.first + 2 * bytes.second);
            let files = 8.0 * common.file;
            let time = engine.keys(trustee, publishes)
                + self.write(2 * u64::from(said > 0), said + own)
                + float(public + heard) * common.byte_read
                + files;
            (trustee.name.clone(), time)
        });
        dealer.into_iter().chain(trustees).collect()
    }

    fn submit(&self, submitter: &Submitter) -> Submitting {
        let Self { round, common, engine, cores } = self;
        let (chunks, families) = (round.chunks(), float(round.families));
        let upload = submitter.upload.total(chunks);
        let rows = if submitter.name.starts_with("agency:") { families } else { 0.0 };
        let sealed = round.families * levels(submitter.values);
        Submitting {
            party: submitter.name.clone(),
            encrypt: rows * common.row
                + engine.encrypt(submitter, *cores)
                + self.write(chunks + 1, upload),
            seal: common.seal.spread(families, *cores) + self.write(chunks + 1, sealed),
            hand_over: self.write(chunks + 1, upload) + float(2 * upload) * common.byte_read,
        }
    }

    fn check(&self) -> f64 {
        let Self { round, common, engine, cores } = self;
        let keys = Keys::of(round);
        let upload: u64 = round.submitters.iter().map(|s| s.upload.total(round.chunks())).sum();
        let read = float(keys.public + keys.evaluation + upload) * common.byte_read;
        read + engine.check(*cores) + engine.load_evaluation()
    }

    fn open(&self, held: u64) -> f64 {
        let Self { round, common, engine, cores } = self;
        let (chunks, families) = (round.chunks(), round.families);
        let partials = self.partial_bytes(held);
        let commitments = 32 * held * families;
        let read = Keys::of(round).opening + round.results.total(chunks);
        float(read) * common.byte_read
            + engine.open(held, *cores)
            + float(held * families) * common.pad
            // Once where they wait until everybody has committed, and once for everybody to see.
            + 2.0 * self.write(2 * chunks, partials + commitments)
            + common.file * (2.0 + ENDORSEMENT)
    }

    fn combine(&self, held: u64) -> f64 {
        let Self { round, common, engine, .. } = self;
        let (chunks, families) = (round.chunks(), round.families);
        let read = round.openers * (self.partial_bytes(held) + 32 * held * families);
        let once = float(read) * common.byte_read
            + engine.combine()
            + self.write(chunks + 1, 4 * families);
        COMBINED * once + common.file * ENDORSEMENT
    }

    fn seal(&self, held: u64) -> f64 {
        let Self { round, common, cores, .. } = self;
        let (chunks, families) = (round.chunks(), round.families);
        float(round.results.total(chunks)) * common.byte_read
            + common.seal.spread(float(families), *cores)
            + self.write(chunks + 2, families * letter(held))
    }

    fn partial_bytes(&self, held: u64) -> u64 {
        let Self { round, .. } = self;
        match &round.plan {
            Plan::Tfhe => 16 * (held + 1) * round.families,
            Plan::Bfv(plan) => (held + 1) * plan.polynomial(plan.result_bits) * round.chunks(),
        }
    }
}

struct OnTfhe<'m> {
    round: &'m Round,
    measured: &'m Tfhe,
}

impl OnTfhe<'_> {
    /// Sums over all chunks.
    fn over_chunks(&self, chunk: impl Fn(u64) -> f64) -> f64 {
        let sizes = self.round.chunk_sizes().into_iter();
        sizes.map(|(count, slots)| if count > 0 { float(count) * chunk(slots) } else { 0.0 }).sum()
    }

    /// Lists of a submitter for so many slots, and values of all of them.
    fn lists(submitter: &Submitter, slots: u64) -> (u64, u64) {
        let values = submitter.ciphertexts * slots;
        (values.div_ceil(LIST), values)
    }

    /// Proofs of lists with so many values in all: a part that every list has, and a part that grows with its bits.
    fn proofs(empty: Timing, full: Timing, lists: u64, values: u64, cores: Cores) -> f64 {
        let one = |timing: Timing| timing.spread(1.0, cores);
        let (least, most) = (one(empty), one(full));
        float(lists) * least + float(values) / float(LIST) * (most - least).max(0.0)
    }

    /// Evaluating a chunk: the families go to the cores in batches.
    fn chunk(&self, slots: u64, cores: Cores) -> f64 {
        let used = u64::from(cores.used);
        let groups = slots.div_ceil(BATCH).next_multiple_of(used);
        let batch = slots.div_ceil(groups).max(1);
        let lookups = float(self.round.operations.each);
        let latency = |busy| {
            let alone = self.measured.lookup_alone.latency(busy, cores.measured);
            let eight = float(BATCH) * self.measured.lookup_of_eight.latency(busy, cores.measured);
            let each = (eight - alone).max(0.0) / float(BATCH - 1);
            lookups * (alone + float(batch - 1) * each)
        };
        rounds(slots.div_ceil(batch), cores, latency)
    }
}

impl Engine for OnTfhe<'_> {
    fn keys(&self, _: &Trustee, _: bool) -> f64 {
        0.0
    }

    fn deal(&self) -> Option<f64> {
        let Tfhe { deal, deal_proofs, .. } = self.measured;
        Some(deal + if self.round.proofs { *deal_proofs } else { 0.0 })
    }

    fn encrypt(&self, submitter: &Submitter, cores: Cores) -> f64 {
        let measured = self.measured;
        let load = if self.round.proofs { measured.load_prover } else { 0.0 };
        load + self.over_chunks(|slots| {
            let (lists, values) = Self::lists(submitter, slots);
            match self.round.proofs {
                true => {
                    let (empty, full) = (measured.prove_empty, measured.prove_full);
                    Self::proofs(empty, full, lists, values, cores)
                }
                false => float(lists) * measured.list,
            }
        })
    }

    fn check(&self, cores: Cores) -> f64 {
        if !self.round.proofs {
            return 0.0;
        }
        let measured = self.measured;
        let submitters = self.round.submitters.iter();
        let proofs = |submitter| {
            self.over_chunks(|slots| {
                let (lists, values) = Self::lists(submitter, slots);
                Self::proofs(measured.verify_empty, measured.verify_full, lists, values, cores)
            })
        };
        measured.load_verifier + submitters.map(proofs).sum::<f64>()
    }

    fn load_evaluation(&self) -> f64 {
        self.measured.load_evaluation
    }

    fn evaluate(&self, cores: Cores, before: f64) -> f64 {
        let lists = |slots| {
            let submitters = self.round.submitters.iter();
            submitters.map(|submitter| Self::lists(submitter, slots).0).sum::<u64>()
        };
        // Every list is re-randomised, which costs as much as encrypting it.
        self.over_chunks(|slots| {
            before + float(lists(slots)) * self.measured.list + self.chunk(slots, cores)
        })
    }

    fn written_last(&self, _: Cores) -> u64 {
        1
    }

    fn open(&self, held: u64, cores: Cores) -> f64 {
        let Tfhe { load_opening, squash, partial, .. } = self.measured;
        let results = self.over_chunks(|slots| squash.whole(slots, cores));
        load_opening + results + float(held * self.round.families) * partial / f64::from(cores.used)
    }

    fn combine(&self) -> f64 {
        // A few additions a family.
        0.0
    }
}

struct OnBfv<'m> {
    round: &'m Round,
    plan: &'m BfvPlan,
    measured: &'m Bfv,
}

impl OnBfv<'_> {
    /// How many times as much a step takes here as on the measured plan.
    fn ratio(&self, size: impl Fn(&Ring) -> f64) -> f64 {
        size(&self.plan.ring) / size(&self.measured.ring)
    }

    /// For steps over the modulus.
    fn own(&self) -> f64 {
        self.ratio(|ring| ring.transforms(ring.primes))
    }

    /// For steps over a result's modulus.
    fn result(&self) -> f64 {
        self.ratio(|ring| ring.transforms(ring.result_primes))
    }

    /// For steps over the relinearisation key.
    fn key(&self) -> f64 {
        self.ratio(|ring| ring.transforms(ring.primes) * f64::from(ring.components()))
    }

    /// For sums over all shares.
    fn shares(&self) -> f64 {
        self.ratio(|ring| f64::from(ring.shares))
    }

    fn ciphertexts(&self) -> u64 {
        self.round.submitters.iter().map(|s| s.ciphertexts).sum()
    }
}

impl Engine for OnBfv<'_> {
    fn keys(&self, trustee: &Trustee, publishes: bool) -> f64 {
        let Bfv { first, second, keys, .. } = self.measured;
        let (made, held) = (float(trustee.made), float(trustee.held));
        // Whoever waits for the published keys computes its part of them twice.
        let twice = if publishes { 1.0 } else { 2.0 };
        let firsts = (2.0 * made + held) * first;
        let seconds = (made + twice * held) * second * self.shares();
        (firsts + seconds + twice * keys * self.shares()) * self.key()
    }

    fn deal(&self) -> Option<f64> {
        None
    }

    fn encrypt(&self, submitter: &Submitter, _: Cores) -> f64 {
        let columns = float(self.round.chunks() * submitter.ciphertexts);
        (self.measured.load_encryption + columns * self.measured.encrypt) * self.own()
    }

    fn check(&self, cores: Cores) -> f64 {
        let one = self.measured.check * self.own();
        // Chunks of one submitter are looked at side by side.
        let side_by_side = self.round.chunks().min(u64::from(cores.used)).max(1);
        float(self.ciphertexts() * self.round.chunks()) * one / float(side_by_side)
    }

    fn load_evaluation(&self) -> f64 {
        self.measured.load_evaluation * self.key()
    }

    fn evaluate(&self, cores: Cores, before: f64) -> f64 {
        let work = self.plan.work.units(&self.plan.ring) / self.measured.work;
        let chunk = self.measured.chunk.times(work);
        rounds(self.round.chunks(), cores, |busy| chunk.latency(busy, cores.measured) + before)
    }

    fn written_last(&self, cores: Cores) -> u64 {
        CHUNKS_A_CORE * u64::from(cores.used)
    }

    fn open(&self, held: u64, _: Cores) -> f64 {
        let read = self.measured.check * self.result();
        float(self.round.chunks()) * (read + float(held) * self.measured.partial * self.result())
    }

    fn combine(&self) -> f64 {
        let chunk = self.measured.combine * self.result() * self.shares();
        float(self.round.chunks()) * chunk
    }
}

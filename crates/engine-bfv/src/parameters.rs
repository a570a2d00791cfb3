//! Parameter sets, and the limits they come from.

use crate::counting::Counting;
use crate::noise::NoiseBound;
use crate::program::{Linear, Program};
use crate::ring::{PRIME_BITS, primes_below};
use serde::Serialize;

/// The plaintext modulus: a prime with all roots of unity that slots need, up to degree 32,768.
pub const PLAINTEXT: u64 = 65_537;

/// Largest log₂ Q for a degree at 128 bits of security against classical attacks, ternary secret: Bossuat et al.,
/// "Security Guidelines for Implementing Homomorphic Encryption" (ePrint 2024/463, IACR CiC 2025), its table for
/// the category 128 with uniform ternary secrets and error of standard deviation 3.19.
pub const SECURE: [(usize, u32); 3] = [(8_192, 214), (16_384, 430), (32_768, 868)];

/// Into how many shares a key can be cut.
pub const SHARES: std::ops::RangeInclusive<u32> = 1..=15;

/// Families of the largest round that parameters are chosen for.
pub const ROUND_FAMILIES: u64 = 6_200_000;
/// Base-2 logarithm of the largest statistical distance that the flooding noise of such a round may leave.
pub const DISTANCE: f64 = -40.0;
/// The most bits of flooding noise, so that a coefficient is a 128-bit number.
pub const MOST_FLOODING_BITS: u32 = 127;
/// The most bits of flooding noise of a count, of which a round opens few.
pub const MOST_COUNT_FLOODING_BITS: u32 = 511;
/// The most counts that are opened in a round: 64 groups, 13 tiers, and a part for every chunk of the largest round.
pub const MOST_COUNTS: u64 = 1 << 20;

/// Bits of the prime that is only there while a column is encrypted: the public key and the blinded message live
/// over Q times this prime, and dividing it out leaves rounding noise only, about 20 times less than the noise of an
/// encryption over Q (Kim, Polyakov, Zucca, ePrint 2021/204, section 4).
pub const ENCRYPTION_BITS: u32 = 30;
/// Smallest primes that are tried; below 2³⁵ there are not enough of them for degree 32,768.
const SMALLEST_PRIME: u32 = 36;
/// The most pieces that a residue is cut into.
const MOST_PIECES: u32 = 3;
/// Nanoseconds that a byte of upload is worth when plans are compared: what it takes at 400 Mbit/s.
const BYTE_PRICE: f64 = 20.0;

/// What fixes the ring and the keys of a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Parameters {
    /// N: slots of a ciphertext.
    pub degree: usize,
    /// Bits of Q.
    pub modulus_bits: u32,
    /// Primes of Q, of nearly equal size, larger ones first.
    pub primes: u32,
    /// 50-bit primes that are added while products are computed.
    pub extension: u32,
    /// Pieces that a residue is cut into for relinearisation.
    pub pieces: u32,
    /// Primes of Q that a result keeps.
    pub result_primes: u32,
    /// M: ternary shares that the secret is the sum of.
    pub shares: u32,
    /// log₂ B: every share floods its partial decryptions with noise uniform in −B..B.
    pub flooding_bits: u32,
    /// Whether it is checked while computing that submitted values are allowed.
    pub checks: bool,
    /// How counts are opened, in a plan that counts.
    pub counts: Option<CountParameters>,
}

/// How the encrypted counts of a plan are opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct CountParameters {
    /// How many groups there are.
    pub groups: u32,
    /// Primes of Q that a count keeps.
    pub primes: u32,
    /// log₂ B: every share floods its partial decryption of a count with noise uniform in −B..B.
    pub flooding_bits: u32,
}

impl Parameters {
    /// Parameters of a given ring and modulus for a program without checks; results keep the whole modulus, and the key is
    /// one share without flooding.
    pub fn fixed(program: &Program, degree: usize, bits: u32, primes: u32, pieces: u32) -> Self {
        Self {
            degree,
            modulus_bits: bits,
            primes,
            extension: extension(program, degree, bits),
            pieces,
            result_primes: primes,
            shares: 1,
            flooding_bits: 0,
            checks: false,
            counts: None,
        }
    }

    /// The same ring and key, with the modulus and the flooding of counts in the place of those of results.
    pub fn for_counts(&self) -> Option<Self> {
        let counts = self.counts?;
        Some(Self {
            result_primes: counts.primes,
            flooding_bits: counts.flooding_bits,
            ..self.clone()
        })
    }

    /// Bits of each prime of Q.
    pub fn prime_bits(&self) -> impl Iterator<Item = u32> {
        let (bits, primes) = (self.modulus_bits, self.primes.max(1));
        (0..primes).map(move |position| bits / primes + u32::from(position < bits % primes))
    }

    /// The prime that encryption adds to Q.
    pub fn encryption_prime(&self) -> Vec<u64> {
        primes_below(ENCRYPTION_BITS, self.step(), 1, &[])
    }

    fn step(&self) -> u64 {
        2 * u64::try_from(self.degree).unwrap_or(u64::MAX / 2)
    }

    /// Primes of Q, then of the extension.
    pub fn moduli(&self) -> (Vec<u64>, Vec<u64>) {
        let step = self.step();
        let mut own: Vec<u64> = Vec::new();
        for bits in self.prime_bits() {
            own.extend(primes_below(bits, step, 1, &own));
        }
        let extension = usize::try_from(self.extension).unwrap_or_default();
        let extension = primes_below(PRIME_BITS, step, extension, &own);
        (own, extension)
    }

    /// Bits of a result's modulus.
    pub fn result_bits(&self) -> u32 {
        let kept = usize::try_from(self.result_primes).unwrap_or(usize::MAX);
        self.prime_bits().take(kept).sum()
    }

    /// Bits of a piece for relinearisation.
    pub fn piece_bits(&self) -> u32 {
        self.modulus_bits.div_ceil(self.primes.max(1)).div_ceil(self.pieces.max(1))
    }

    /// Bytes of a ciphertext over a modulus of so many bits.
    pub fn ciphertext_bytes(&self, bits: u32) -> u64 {
        let words = u64::try_from(2 * self.degree).unwrap_or(u64::MAX);
        words.saturating_mul(u64::from(bits)) / 8
    }

    /// The name that every file's header carries.
    pub fn name(&self) -> String {
        let Self { degree, modulus_bits, primes, extension, pieces, shares, .. } = self;
        let counts = match (self.counts, self.for_counts()) {
            (Some(CountParameters { groups, flooding_bits, .. }), Some(counts)) => format!(
                " groups={groups} counts={} bits flooding={flooding_bits} bits",
                counts.result_bits()
            ),
            _ => String::new(),
        };
        format!(
            "BFV t={PLAINTEXT} N={degree} Q={modulus_bits} bits in {primes} P={extension}x{PRIME_BITS} pieces={pieces} result={} bits shares={shares} flooding={} bits checks={}{counts}",
            self.result_bits(),
            self.flooding_bits,
            if self.checks { "on" } else { "off" },
        )
    }
}

/// How many extension primes keep every sum of products below half the larger modulus. With operands below w·Q/2 a
/// sum of products is below N·Σw·w'·Q²/2; t/Q times that has to be below P/2, with room for an exact rounding. A check's
/// factor, whose N coefficients are below t/2, makes its product up to N·t/2 times as large.
fn extension(program: &Program, degree: usize, modulus_bits: u32) -> u32 {
    let weight = |form: &Linear| if form.is_light() { form.weight() } else { 1 };
    let sum = |products: &[(Linear, Linear)]| -> u64 {
        products.iter().map(|(a, b)| (weight(a) * weight(b)).unsigned_abs()).sum()
    };
    let size = u64::try_from(degree).unwrap_or(u64::MAX);
    let factor = size.saturating_mul(PLAINTEXT.div_ceil(2));
    let last = sum(&program.output.products) + factor.saturating_mul(sum(&program.checks));
    let nodes = program.nodes.iter().chain(&program.cells).map(|node| sum(&node.products));
    let largest = nodes.chain([last, 1]).max().unwrap_or(1);
    let bits = |n: u64| n.next_power_of_two().trailing_zeros();
    // 17 bits for t, one for P/2, one because the primes are a little below their power of two.
    let needed = modulus_bits + bits(size) + bits(largest) + 19;
    needed.div_ceil(PRIME_BITS)
}

/// The cheapest parameters at 128 bits of security for a program and what is counted, if anything, for their noise and
/// their flooding by so many shares, with so many ciphertexts to upload; with an estimate of the price, in nanoseconds a
/// slot.
pub fn choose(
    program: &Program,
    counting: Option<&Counting>,
    uploaded: usize,
    shares: u32,
) -> Option<(Parameters, f64)> {
    let mut best: Option<(Parameters, f64)> = None;
    for (degree, limit) in SECURE {
        for pieces in 1..=MOST_PIECES {
            let of = |bits, primes| {
                let fixed = Parameters::fixed(program, degree, bits, primes, pieces);
                let counted = counting.map(|counting| extension(&counting.program, degree, bits));
                let extension = fixed.extension.max(counted.unwrap_or_default());
                Parameters { shares, extension, ..fixed }
            };
            let Some(parameters) = smallest(program, counting, limit, &of) else { continue };
            let price = price(program, &parameters, uploaded);
            if best.as_ref().is_none_or(|(_, least)| price < *least) {
                best = Some((parameters, price));
            }
        }
    }
    best
}

/// The fewest primes, and of these the smallest, with which a result can be flooded enough; `of` makes parameters from
/// the bits and the number of primes.
fn smallest(
    program: &Program,
    counting: Option<&Counting>,
    limit: u32,
    of: &dyn Fn(u32, u32) -> Parameters,
) -> Option<Parameters> {
    let limit = limit.checked_sub(ENCRYPTION_BITS)?;
    (1..=limit / SMALLEST_PRIME).find_map(|primes| {
        let fits = |bits: u32| {
            let whole = of(bits, primes);
            let bound = NoiseBound::of(program, &whole);
            let parameters = (1..=primes).find_map(|result_primes| {
                let parameters = Parameters { result_primes, ..whole.clone() };
                let flooding_bits = bound.flooding_bits(&parameters, MOST_FLOODING_BITS)?;
                let parameters = Parameters { flooding_bits, ..parameters };
                (bound.distance(&parameters, ROUND_FAMILIES) <= DISTANCE).then_some(parameters)
            })?;
            let Some(counting) = counting else { return Some(parameters) };
            let bound = NoiseBound::of_cells(&counting.program, &whole);
            (1..=primes).find_map(|kept| {
                let counts = Parameters { result_primes: kept, ..whole.clone() };
                let flooding_bits = bound.flooding_bits(&counts, MOST_COUNT_FLOODING_BITS)?;
                let counts = Parameters { flooding_bits, ..counts };
                let hidden = bound.distance_of(&counts, MOST_COUNTS) <= DISTANCE;
                let counts =
                    CountParameters { groups: counting.groups, primes: kept, flooding_bits };
                hidden.then(|| Parameters { counts: Some(counts), ..parameters.clone() })
            })
        };
        let largest = limit.min(PRIME_BITS * primes);
        fits(largest)?;
        (SMALLEST_PRIME * primes..=largest).find_map(fits)
    })
}

/// Nanoseconds a slot, from the number of transforms and the like; see `docs/design.md` for the measurement
/// behind the constants.
fn price(program: &Program, parameters: &Parameters, uploaded: usize) -> f64 {
    let counts = program.counts();
    let [own, all, nodes, extensions, products, uploaded, factors] = [
        parameters.primes,
        parameters.primes + parameters.extension,
        counts.relinearisations,
        counts.extensions,
        counts.multiplications,
        u32::try_from(uploaded).unwrap_or(u32::MAX),
        u32::try_from(program.checks.len()).unwrap_or(u32::MAX),
    ]
    .map(f64::from);
    let degree = f64::from(u32::try_from(parameters.degree).unwrap_or(u32::MAX));
    let extension = all - own;
    let pieces = own * f64::from(parameters.pieces);
    let transform = 0.16 * degree.log2();
    let convert = 0.35;
    let multiply = 0.7;
    let transforms = extensions * 2.0 * all
        + nodes * (3.0 * all + pieces * own + 2.0 * own)
        + factors * (all + 1.0);
    let conversions = (extensions * 2.0 + nodes * 6.0) * own * extension;
    let point_products = products * 4.0 * all + nodes * 2.0 * pieces * own + factors * 2.0 * all;
    let upload = uploaded * f64::from(2 * parameters.modulus_bits) / 8.0 * BYTE_PRICE;
    transforms * transform + conversions * convert + point_products * multiply + upload
}

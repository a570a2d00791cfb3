//! The ring Z_Q[X]/(X^N + 1) in residues modulo several primes below 2⁵⁰.

pub mod conversion;
pub mod prime;

use prime::Prime;
use tfhe_ntt::prime64::Plan;
use zeroize::Zeroizing;

/// The largest number of bits of a prime; see [`prime`].
pub const PRIME_BITS: u32 = 50;

/// Several primes for one ring degree, each with its number-theoretic transform.
///
/// A polynomial is one run of N residues a prime, in the order of the primes. In coefficient form its order is
/// that of the powers of X. The order of the transformed form is the library's own and never leaves a process.
pub struct Basis {
    degree: usize,
    primes: Vec<Prime>,
    transforms: Vec<Plan>,
    /// 1/N, which the inverse transform leaves out.
    shrink: Vec<prime::Constant>,
}

impl Basis {
    /// Takes primes that are 1 modulo 2N; `None` if one is not.
    pub fn new(degree: usize, primes: &[u64]) -> Option<Self> {
        let transforms =
            primes.iter().map(|p| Plan::try_new(degree, *p)).collect::<Option<Vec<_>>>()?;
        let primes: Vec<Prime> = primes.iter().map(|p| Prime::new(*p)).collect();
        let size = u64::try_from(degree).ok()?;
        let shrink = primes.iter().map(|p| p.constant(p.invert(size))).collect();
        Some(Self { degree, primes, transforms, shrink })
    }

    /// N.
    pub fn degree(&self) -> usize {
        self.degree
    }

    /// The primes.
    pub fn primes(&self) -> &[Prime] {
        &self.primes
    }

    /// Words of a polynomial.
    pub fn words(&self) -> usize {
        self.degree * self.primes.len()
    }

    /// The zero polynomial.
    pub fn zero(&self) -> Vec<u64> {
        vec![0; self.words()]
    }

    /// Pairs every prime with its run of residues.
    pub fn runs<'a>(&'a self, polynomial: &'a [u64]) -> impl Iterator<Item = (Prime, &'a [u64])> {
        self.primes.iter().copied().zip(polynomial.chunks_exact(self.degree))
    }

    /// The run of one prime, by position.
    pub fn run<'a>(&self, polynomial: &'a [u64], prime: usize) -> &'a [u64] {
        polynomial.chunks_exact(self.degree).nth(prime).unwrap_or_default()
    }

    /// Pairs every prime with its run of residues.
    pub fn runs_mut<'a>(
        &'a self,
        polynomial: &'a mut [u64],
    ) -> impl Iterator<Item = (Prime, &'a mut [u64])> {
        self.primes.iter().copied().zip(polynomial.chunks_exact_mut(self.degree))
    }

    /// Coefficient form → transformed form.
    pub fn transform(&self, polynomial: &mut [u64]) {
        for (plan, run) in self.transforms.iter().zip(polynomial.chunks_exact_mut(self.degree)) {
            plan.fwd(run);
        }
    }

    /// Coefficient form → transformed form of the run of one prime.
    pub fn transform_run(&self, prime: usize, run: &mut [u64]) {
        if let Some(plan) = self.transforms.get(prime) {
            plan.fwd(run);
        }
    }

    /// Transformed form → coefficient form times N, which the caller divides out somewhere.
    pub fn invert_scaled(&self, polynomial: &mut [u64]) {
        for (plan, run) in self.transforms.iter().zip(polynomial.chunks_exact_mut(self.degree)) {
            plan.inv(run);
        }
    }

    /// Transformed form → coefficient form.
    pub fn invert(&self, polynomial: &mut [u64]) {
        self.invert_scaled(polynomial);
        for ((prime, shrink), run) in
            self.primes.iter().zip(&self.shrink).zip(polynomial.chunks_exact_mut(self.degree))
        {
            prime.scale(run, *shrink);
        }
    }

    /// `to += from`.
    pub fn add(&self, to: &mut [u64], from: &[u64]) {
        for ((prime, to), (_, from)) in self.runs_mut(to).zip(self.runs(from)) {
            prime.add(to, from);
        }
    }

    /// `to += factor · from`.
    pub fn add_scaled(&self, to: &mut [u64], from: &[u64], factor: i64) {
        for ((prime, to), (_, from)) in self.runs_mut(to).zip(self.runs(from)) {
            match factor {
                1 => prime.add(to, from),
                -1 => prime.subtract(to, from),
                _ => prime.add_scaled(to, from, prime.constant(prime.residue(factor))),
            }
        }
    }

    /// The product of two transformed polynomials, transformed.
    pub fn product(&self, a: &[u64], b: &[u64]) -> Vec<u64> {
        let mut product = self.zero();
        for (((prime, to), (_, a)), (_, b)) in
            self.runs_mut(&mut product).zip(self.runs(a)).zip(self.runs(b))
        {
            prime.set_product(to, a, b);
        }
        product
    }

    /// The product of a polynomial in coefficient form and a transformed one (private), in coefficient form.
    pub fn multiply(&self, mut a: Vec<u64>, b: &[u64]) -> Zeroizing<Vec<u64>> {
        self.transform(&mut a);
        let mut product = Zeroizing::new(self.product(&a, b));
        self.invert(&mut product);
        product
    }

    /// Small signed coefficients (private), transformed.
    pub fn transformed(&self, coefficients: &[i64]) -> Zeroizing<Vec<u64>> {
        let mut polynomial = Zeroizing::new(self.small(coefficients));
        self.transform(&mut polynomial);
        polynomial
    }

    /// The polynomial with these signed coefficients, below twice each prime in size.
    pub fn small(&self, coefficients: &[i64]) -> Vec<u64> {
        let mut polynomial = self.zero();
        for (prime, run) in self.runs_mut(&mut polynomial) {
            prime.residues(coefficients, run);
        }
        polynomial
    }
}

#[cfg(test)]
impl Basis {
    /// Q.
    pub fn modulus(&self) -> num_bigint::BigInt {
        self.primes.iter().map(|p| num_bigint::BigInt::from(p.value())).product()
    }

    /// One coefficient of a polynomial, centred.
    pub fn lift(&self, polynomial: &[u64], coefficient: usize) -> num_bigint::BigInt {
        let product = self.modulus();
        let mut sum = num_bigint::BigInt::ZERO;
        for (prime, run) in self.runs(polynomial) {
            let others = &product / prime.value();
            let rest = u64::try_from(&others % prime.value()).unwrap();
            sum += others * prime.multiply(run[coefficient], prime.invert(rest));
        }
        let value = sum % &product;
        if &value * 2 > product { value - product } else { value }
    }
}

/// The first `count` primes below 2^bits that are 1 modulo `step`, from the largest down, without those in
/// `taken`.
pub fn primes_below(bits: u32, step: u64, count: usize, taken: &[u64]) -> Vec<u64> {
    let top = (1u64 << bits) / step * step + 1;
    (1..top / step)
        .map(|k| top - k * step)
        .filter(|p| !taken.contains(p) && is_prime(*p))
        .take(count)
        .collect()
}

/// Miller's test with the bases that decide every 64-bit number (Sorenson and Webster 2015).
fn is_prime(n: u64) -> bool {
    const BASES: [u64; 12] = [2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37];
    if n < 2 || BASES.iter().any(|b| n.is_multiple_of(*b)) {
        return BASES.contains(&n);
    }
    let field = Prime::new(n);
    let twos = (n - 1).trailing_zeros();
    let odd = (n - 1) >> twos;
    BASES.iter().all(|base| {
        let mut power = field.power(*base, odd);
        if power == 1 || power == n - 1 {
            return true;
        }
        (1..twos).any(|_| {
            power = field.multiply(power, power);
            power == n - 1
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn primes_are_the_largest_ones() {
        assert_eq!(primes_below(50, 65_536, 1, &[]), [1_125_899_904_679_937]);
        assert_eq!(primes_below(44, 65_536, 1, &[]), [17_592_182_833_153]);
        let two = primes_below(44, 65_536, 2, &[]);
        assert_eq!(primes_below(44, 65_536, 1, &two[..1]), [two[1]]);
        assert!(two.iter().all(|p| p % 65_536 == 1));
        assert!(!is_prime(3_215_031_751) && is_prime(65_537));
    }

    #[test]
    fn products_are_negacyclic() {
        let basis = Basis::new(16, &primes_below(45, 32, 2, &[])).unwrap();
        let mut x = basis.small(&[0; 16].map(|_: i64| 0));
        // X^15 · X = −1.
        for (_, run) in basis.runs_mut(&mut x) {
            run[15] = 1;
        }
        let mut y = basis.zero();
        for (_, run) in basis.runs_mut(&mut y) {
            run[1] = 1;
        }
        basis.transform(&mut x);
        basis.transform(&mut y);
        let mut product = basis.product(&x, &y);
        basis.invert(&mut product);
        let mut minus_one = vec![0; 16];
        minus_one[0] = -1;
        assert_eq!(product, basis.small(&minus_one));
    }
}

//! Arithmetic modulo a prime below 2⁵⁰, on doubles.
//!
//! Residues are stored as 64-bit integers and multiplied as doubles: the high part of a product is a double
//! product, the low part its exact rounding error, which a fused multiply-add gives. Every operation below is
//! exact in the end, so results are the same bits on every machine; doubles are only the fastest multiplier
//! that ordinary vector units have. With a prime p < 2⁵⁰:
//!
//! - a quotient estimate `round(fl(a·b) · fl(1/p))` is off by at most 0.5 + 3·2⁻⁵³·2⁵⁰ < 0.88 from a·b/p, so the
//!   remainder lies in (−0.88·p, 0.88·p);
//! - `fl(a·b) − q·p` and the rounding error of `fl(a·b)` are integers whose sizes stay below 2⁵², so both
//!   subtractions are exact.

/// Runs a loop with the widest vector instructions that the processor has. The loop is a type of its own because
/// only a function that is always inlined is sure to be compiled for them; a closure is not.
macro_rules! vectorized {
    ($($name:ident: $type:ty),+ => $body:block) => {{
        struct Task<'a> {
            $($name: $type,)+
            lifetime: std::marker::PhantomData<&'a ()>,
        }
        impl pulp::NullaryFnOnce for Task<'_> {
            type Output = ();

            #[inline(always)]
            fn call(self) {
                let Self { $($name,)+ lifetime: _ } = self;
                $body
            }
        }
        pulp::Arch::new().dispatch(Task { $($name,)+ lifetime: std::marker::PhantomData })
    }};
}
pub(crate) use vectorized;

/// 2⁵²: added to an integer below 2⁵², it puts that integer into the mantissa.
const MANTISSA: f64 = 4_503_599_627_370_496.0;
const MANTISSA_BITS: u64 = 0x4330_0000_0000_0000;
const MANTISSA_MASK: u64 = (1 << 52) - 1;
/// 1.5·2⁵²: adding and subtracting it rounds a double below 2⁵¹ to the nearest integer.
const ROUND: f64 = 6_755_399_441_055_744.0;
/// How many remainders a double sum holds exactly: 7 · 0.88 · 2⁵⁰ < 2⁵³.
pub const EXACT_TERMS: usize = 7;

/// Integer below 2⁵² → double.
#[inline(always)]
pub fn wide(x: u64) -> f64 {
    f64::from_bits(x | MANTISSA_BITS) - MANTISSA
}

/// Non-negative integral double below 2⁵² → integer.
#[inline(always)]
pub fn narrow(x: f64) -> u64 {
    (x + MANTISSA).to_bits() & MANTISSA_MASK
}

/// Nearest integer of a double below 2⁵¹ in size.
#[inline(always)]
pub fn round(x: f64) -> f64 {
    (x + ROUND) - ROUND
}

/// A prime modulus below 2⁵⁰.
#[derive(Clone, Copy, Debug)]
pub struct Prime {
    value: u64,
    p: f64,
    inverse: f64,
}

/// A constant with its quotient by the prime, which saves an operation for each product.
#[derive(Clone, Copy, Debug)]
pub struct Constant {
    value: f64,
    quotient: f64,
}

impl Prime {
    /// Takes a prime below 2⁵⁰; the caller vouches for both.
    pub fn new(value: u64) -> Self {
        let p = wide(value & MANTISSA_MASK);
        Self { value, p, inverse: 1.0 / p }
    }

    /// The modulus.
    pub fn value(self) -> u64 {
        self.value
    }

    /// The modulus as a double, and its inverse.
    pub fn doubles(self) -> (f64, f64) {
        (self.p, self.inverse)
    }

    /// a·b for single values.
    pub fn multiply(self, a: u64, b: u64) -> u64 {
        let product = u128::from(a) * u128::from(b) % u128::from(self.value);
        u64::try_from(product).unwrap_or_default()
    }

    /// aᵉ.
    pub fn power(self, mut a: u64, mut e: u64) -> u64 {
        let mut result = 1;
        while e > 0 {
            if e & 1 == 1 {
                result = self.multiply(result, a);
            }
            a = self.multiply(a, a);
            e >>= 1;
        }
        result
    }

    /// 1/a for a ≠ 0.
    pub fn invert(self, a: u64) -> u64 {
        self.power(a % self.value, self.value - 2)
    }

    /// A signed integer's residue.
    pub fn residue(self, x: i64) -> u64 {
        let modulus = i64::try_from(self.value).unwrap_or(i64::MAX);
        u64::try_from(x.rem_euclid(modulus)).unwrap_or_default()
    }

    /// The residues of signed numbers below twice the prime in size. Pieces of another prime's residues may be larger than
    /// this prime: half of one can be a little more than a whole one that has a bit less.
    pub fn residues(self, from: &[i64], to: &mut [u64]) {
        let modulus = self.value;
        vectorized!(modulus: u64, from: &'a [i64], to: &'a mut [u64] => {
            for (to, small) in to.iter_mut().zip(from) {
                let word = small.cast_unsigned().wrapping_add(2 * modulus);
                let word = word.min(word.wrapping_sub(2 * modulus));
                *to = word.min(word.wrapping_sub(modulus));
            }
        });
    }

    /// −a.
    pub fn negate(self, a: u64) -> u64 {
        if a == 0 { 0 } else { self.value - a }
    }

    /// Prepares a residue as a factor.
    pub fn constant(self, value: u64) -> Constant {
        let value = wide(value);
        Constant { value, quotient: value / self.p }
    }

    /// Remainder of a·b in (−0.88·p, 0.88·p).
    #[inline(always)]
    pub fn product(self, a: f64, b: f64) -> f64 {
        let high = a * b;
        let low = a.mul_add(b, -high);
        let quotient = round(high * self.inverse);
        (-quotient).mul_add(self.p, high) + low
    }

    /// Remainder of a·c in (−0.88·p, 0.88·p).
    #[inline(always)]
    pub fn scaled(self, a: f64, c: Constant) -> f64 {
        let high = a * c.value;
        let low = a.mul_add(c.value, -high);
        let quotient = round(a * c.quotient);
        (-quotient).mul_add(self.p, high) + low
    }

    /// Remainder in about (−p/2, p/2) of an exact sum below 2⁵³ in size.
    #[inline(always)]
    pub fn reduce(self, sum: f64) -> f64 {
        let quotient = round(sum * self.inverse);
        (-quotient).mul_add(self.p, sum)
    }

    /// The residue of a remainder in (−p, p).
    #[inline(always)]
    pub fn canonical(self, remainder: f64) -> u64 {
        narrow(if remainder < 0.0 { remainder + self.p } else { remainder })
    }

    #[inline(always)]
    fn sum(self, a: u64, b: u64) -> u64 {
        let sum = a + b;
        sum.min(sum.wrapping_sub(self.value))
    }

    #[inline(always)]
    fn difference(self, a: u64, b: u64) -> u64 {
        let difference = a.wrapping_sub(b);
        difference.min(difference.wrapping_add(self.value))
    }

    /// `to += from`.
    pub fn add(self, to: &mut [u64], from: &[u64]) {
        let prime = self;
        vectorized!(prime: Prime, to: &'a mut [u64], from: &'a [u64] => {
            for (a, b) in to.iter_mut().zip(from) {
                *a = prime.sum(*a, *b);
            }
        });
    }

    /// `to += constant`, at every place.
    pub fn add_constant(self, to: &mut [u64], constant: u64) {
        let prime = self;
        vectorized!(prime: Prime, constant: u64, to: &'a mut [u64] => {
            for a in to.iter_mut() {
                *a = prime.sum(*a, constant);
            }
        });
    }

    /// `to −= from`.
    pub fn subtract(self, to: &mut [u64], from: &[u64]) {
        let prime = self;
        vectorized!(prime: Prime, to: &'a mut [u64], from: &'a [u64] => {
            for (a, b) in to.iter_mut().zip(from) {
                *a = prime.difference(*a, *b);
            }
        });
    }

    /// `to += factor · from`.
    pub fn add_scaled(self, to: &mut [u64], from: &[u64], factor: Constant) {
        let prime = self;
        vectorized!(prime: Prime, factor: Constant, to: &'a mut [u64], from: &'a [u64] => {
            for (a, b) in to.iter_mut().zip(from) {
                *a = prime.sum(*a, prime.canonical(prime.scaled(wide(*b), factor)));
            }
        });
    }

    /// `to = factor · to`.
    pub fn scale(self, to: &mut [u64], factor: Constant) {
        let prime = self;
        vectorized!(prime: Prime, factor: Constant, to: &'a mut [u64] => {
            for a in to.iter_mut() {
                *a = prime.canonical(prime.scaled(wide(*a), factor));
            }
        });
    }

    /// `to += a · b`, point by point.
    pub fn add_product(self, to: &mut [u64], a: &[u64], b: &[u64]) {
        let prime = self;
        vectorized!(prime: Prime, to: &'a mut [u64], a: &'a [u64], b: &'a [u64] => {
            for ((t, a), b) in to.iter_mut().zip(a).zip(b) {
                let sum = wide(*t) + prime.product(wide(*a), wide(*b));
                *t = prime.canonical(prime.reduce(sum));
            }
        });
    }

    /// `to = a · b`, point by point.
    pub fn set_product(self, to: &mut [u64], a: &[u64], b: &[u64]) {
        let prime = self;
        vectorized!(prime: Prime, to: &'a mut [u64], a: &'a [u64], b: &'a [u64] => {
            for ((t, a), b) in to.iter_mut().zip(a).zip(b) {
                *t = prime.canonical(prime.product(wide(*a), wide(*b)));
            }
        });
    }

    /// Adds the product of two linear polynomials a₀ + k + a₁·s and b₀ + l + b₁·s to three accumulators.
    pub fn add_tensor(self, to: [&mut [u64]; 3], a: [&[u64]; 2], b: [&[u64]; 2], kl: [u64; 2]) {
        let prime = self;
        vectorized!(
            prime: Prime, to: [&'a mut [u64]; 3], a: [&'a [u64]; 2], b: [&'a [u64]; 2], kl: [u64; 2] => {
                let ([t0, t1, t2], [a0, a1], [b0, b1], [k, l]) = (to, a, b, kl);
                let factors = a0.iter().zip(a1).zip(b0.iter().zip(b1));
                let sums = t0.iter_mut().zip(t1.iter_mut()).zip(t2.iter_mut());
                for (((a0, a1), (b0, b1)), ((t0, t1), t2)) in factors.zip(sums) {
                    let (a0, a1) = (wide(prime.sum(*a0, k)), wide(*a1));
                    let (b0, b1) = (wide(prime.sum(*b0, l)), wide(*b1));
                    prime.add_tensor_at([t0, t1, t2], [a0, a1], [b0, b1]);
                }
            }
        );
    }

    /// The same with the product multiplied by a factor, point by point.
    pub fn add_scaled_tensor(
        self,
        to: [&mut [u64]; 3],
        factor: &[u64],
        a: [&[u64]; 2],
        b: [&[u64]; 2],
        kl: [u64; 2],
    ) {
        let prime = self;
        vectorized!(
            prime: Prime, to: [&'a mut [u64]; 3], factor: &'a [u64], a: [&'a [u64]; 2],
            b: [&'a [u64]; 2], kl: [u64; 2] => {
                let ([t0, t1, t2], [a0, a1], [b0, b1], [k, l]) = (to, a, b, kl);
                let factors = a0.iter().zip(a1).zip(b0.iter().zip(b1)).zip(factor);
                let sums = t0.iter_mut().zip(t1.iter_mut()).zip(t2.iter_mut());
                for ((((a0, a1), (b0, b1)), factor), ((t0, t1), t2)) in factors.zip(sums) {
                    let (a0, a1) = (wide(prime.sum(*a0, k)), wide(*a1));
                    let (b0, b1) = (wide(prime.sum(*b0, l)), wide(*b1));
                    let a = [a0, a1].map(|a| prime.product(a, wide(*factor)));
                    prime.add_tensor_at([t0, t1, t2], a, [b0, b1]);
                }
            }
        );
    }

    #[inline(always)]
    fn add_tensor_at(self, [t0, t1, t2]: [&mut u64; 3], [a0, a1]: [f64; 2], [b0, b1]: [f64; 2]) {
        let first = wide(*t0) + self.product(a0, b0);
        let middle = wide(*t1) + self.product(a0, b1) + self.product(a1, b0);
        let last = wide(*t2) + self.product(a1, b1);
        *t0 = self.canonical(self.reduce(first));
        *t1 = self.canonical(self.reduce(middle));
        *t2 = self.canonical(self.reduce(last));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The largest prime below 2⁵⁰ that is 1 modulo 2¹⁶, and small ones.
    const PRIMES: [u64; 3] = [1_125_899_904_679_937, 65_537, 17_592_182_833_153];

    proptest! {
        #[test]
        fn doubles_give_the_exact_residue(a in any::<u64>(), b in any::<u64>(), which in 0usize..3) {
            let prime = Prime::new(PRIMES[which]);
            for (a, b) in [(a % prime.value, b % prime.value), (prime.value - 1, b % prime.value),
                (prime.value - 1, prime.value - 1), (0, b % prime.value)] {
                let expected = prime.multiply(a, b);
                prop_assert_eq!(prime.canonical(prime.product(wide(a), wide(b))), expected);
                prop_assert_eq!(prime.canonical(prime.scaled(wide(a), prime.constant(b))), expected);
                let mut sum = vec![a; 19];
                prime.add(&mut sum, &[b; 19]);
                prop_assert_eq!(sum[18], (a + b) % prime.value);
                prime.subtract(&mut sum, &[b; 19]);
                prop_assert_eq!(&sum, &vec![a; 19]);
                prime.add_product(&mut sum, &[a; 19], &[b; 19]);
                prop_assert_eq!(sum[7], (expected + a) % prime.value);
                let (mut x, mut y, mut z) = (vec![a; 9], vec![b; 9], vec![1; 9]);
                let (times, plus) = (|x, y| prime.multiply(x, y), |x, y| (x + y) % prime.value);
                let (k, l) = (plus(a, 1), prime.value - 1);
                prime.add_tensor([&mut x, &mut y, &mut z], [&[a; 9], &[b; 9]], [&[b; 9], &[a; 9]], [k, l]);
                let [first, middle, last] = [
                    times(plus(a, k), plus(b, l)),
                    plus(times(plus(a, k), a), times(b, plus(b, l))),
                    times(b, a),
                ];
                let (first, middle, last) = (plus(a, first), plus(b, middle), plus(1, last));
                prop_assert_eq!((x[8], y[8], z[8]), (first, middle, last));
                prime.add_scaled_tensor(
                    [&mut x, &mut y, &mut z], &[b; 9], [&[k; 9], &[l; 9]], [&[a; 9], &[b; 9]], [a, 0],
                );
                prop_assert_eq!(x[8], plus(first, times(b, times(plus(k, a), a))));
                let cross = plus(times(plus(k, a), b), times(l, a));
                prop_assert_eq!(y[8], plus(middle, times(b, cross)));
                prop_assert_eq!(z[8], plus(last, times(b, times(l, b))));
            }
        }
    }

    #[test]
    fn inverses_and_signed_residues() {
        for value in PRIMES {
            let prime = Prime::new(value);
            assert_eq!(prime.multiply(prime.invert(12_345), 12_345), 1);
            assert_eq!(prime.residue(-1), value - 1);
            assert_eq!(prime.negate(0), 0);
        }
    }
}

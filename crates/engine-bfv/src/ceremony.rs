//! The key ceremony without a dealer: every share speaks twice.
//!
//! Mouchet, Troncoso-Pastoriza, Bossuat, Hubaux, "Multiparty Homomorphic Encryption from Ring-Learning-with-Errors"
//! (ePrint 2020/304): the collective public key, and the relinearisation key in two rounds. With a and a_w (one for each
//! component w of the gadget g) expanded from a common seed, share j says first
//!
//! - b_j = −a·s_j + e, over Q and the encryption prime,
//! - h0_j,w = −u_j·a_w + g_w·s_j + e and h1_j,w = s_j·a_w + e, over Q, with a ternary u_j,
//!
//! and then, with the sums h0 and h1 over all shares, k_j,w = s_j·h0_w + e + (u_j − s_j)·h1_w + e. The public key is
//! (Σ b_j, a), the evaluation key (Σ k_j,w, h1_w): body + mask·s is g_w·s² + s·Σe + u·Σe + Σe.
//!
//! A message is a function of the plan, the common seed, the share and the earlier messages, so that any other holder of
//! the share can recompute it. What the ceremony cannot see is the order of things. Whoever may choose a first message
//! after seeing the others chooses the sums: then the public key can be one that only he can open, and a second message
//! shows a share that multiplies a chosen h0. So first messages have to be committed to before the first one is shown,
//! and a second message may leave its holder only after every first message has been recomputed by another holder of its
//! share, and only once for a common seed.

use crate::bytes::{append, polynomial_bytes, read};
use crate::keys::Cutting;
use crate::parameters::Parameters;
use crate::plan::{BfvPlan, basis, encryption_basis};
use crate::random::Stream;
use crate::ring::Basis;
use crate::share::Share;
use blindtier_engine::{EngineError, Plan};
use zeroize::Zeroizing;

const FIRST: &str = "first message";
const SECOND: &str = "second message";

/// What the holders of a share say first. `common` is public, `share` its seed (private).
pub fn first_message(
    plan: &BfvPlan,
    common: &[u8; 32],
    share: &[u8; 32],
) -> Result<Vec<u8>, EngineError> {
    let ceremony = Ceremony::of(plan, common)?;
    Ok(ceremony.first(&ceremony.share(share)))
}

/// What they say after all first messages (public, in the order of the shares), of which their own has to be one.
pub fn second_message(
    plan: &BfvPlan,
    common: &[u8; 32],
    share: &[u8; 32],
    firsts: &[&[u8]],
) -> Result<Vec<u8>, EngineError> {
    let ceremony = Ceremony::of(plan, common)?;
    let share = ceremony.share(share);
    if !firsts.contains(&ceremony.first(&share).as_slice()) {
        let detail = "none of them is this share's own".into();
        return Err(EngineError::Malformed { what: FIRST, detail });
    }
    ceremony.second(&share, firsts)
}

/// The public key, from all first messages.
pub fn public_key(
    plan: &BfvPlan,
    common: &[u8; 32],
    firsts: &[&[u8]],
) -> Result<Vec<u8>, EngineError> {
    Ceremony::of(plan, common)?.public_key(firsts)
}

/// The evaluation key, from all first and second messages.
pub fn evaluation_key(
    plan: &BfvPlan,
    common: &[u8; 32],
    firsts: &[&[u8]],
    seconds: &[&[u8]],
) -> Result<Vec<u8>, EngineError> {
    Ceremony::of(plan, common)?.evaluation_key(firsts, seconds)
}

/// One ceremony: its public constants.
pub(crate) struct Ceremony {
    plan: [u8; 32],
    common: [u8; 32],
    /// Q.
    narrow: Basis,
    /// Q and the encryption prime.
    wide: Basis,
    cutting: Cutting,
    shares: usize,
}

impl Ceremony {
    fn of(plan: &BfvPlan, common: &[u8; 32]) -> Result<Self, EngineError> {
        Self::new(&plan.parameters, plan.summary().hash, *common)
    }

    /// Takes parameters, what binds keys to their use, and the common seed; all public.
    pub fn new(
        parameters: &Parameters,
        plan: [u8; 32],
        common: [u8; 32],
    ) -> Result<Self, EngineError> {
        Ok(Self {
            plan,
            common,
            narrow: basis(parameters.degree, &parameters.moduli().0)?,
            wide: encryption_basis(parameters)?,
            cutting: Cutting::new(parameters),
            shares: usize::try_from(parameters.shares).unwrap_or_default(),
        })
    }

    /// A seed (private) as a share of this plan's key.
    pub fn share(&self, seed: &[u8; 32]) -> Share {
        Share::new(&self.plan, seed)
    }

    /// The gadget's components: for every prime of Q and every piece, 2^(bits·piece) modulo that prime and 0 modulo the
    /// others.
    fn components(&self) -> impl Iterator<Item = Component> {
        let pieces = self.cutting.pieces;
        (0..self.narrow.primes().len())
            .flat_map(move |position| (0..pieces).map(move |piece| (position, piece)))
            .zip(0u32..)
            .map(|((position, piece), number)| Component { position, piece, number })
    }

    /// A public polynomial of the common seed.
    fn reference(&self, context: &str, number: u32, basis: &Basis) -> Vec<u64> {
        Stream::derive(context, &[&self.plan, &self.common, &number.to_le_bytes()]).uniform(basis)
    }

    /// a.
    pub fn public_mask(&self) -> Vec<u64> {
        self.reference("blindtier bfv public key mask v1", 0, &self.wide)
    }

    /// u_j of a share, transformed.
    fn blinding(&self, share: &Share) -> Zeroizing<Vec<u64>> {
        let context = "blindtier bfv relinearisation blinding v1";
        let mut stream = share.stream(context, &[&self.common]);
        self.narrow.transformed(&stream.ternary(self.narrow.degree()))
    }

    /// Adds an error of a share to a polynomial, after which that may be shown.
    fn add_error(&self, mut stream: Stream, basis: &Basis, to: &mut [u64]) {
        basis.add(to, &Zeroizing::new(basis.small(&stream.error(basis.degree()))));
    }

    /// A share's first message.
    pub fn first(&self, share: &Share) -> Vec<u8> {
        let error = |context: &str, number: u32| {
            share.stream(context, &[&self.common, &number.to_le_bytes()])
        };
        let ternary = share.secret(self.narrow.degree());
        let minus = Zeroizing::new(ternary.iter().map(|c| -c).collect::<Vec<i64>>());
        let mut message = Vec::with_capacity(self.first_bytes());

        let mut body = self.wide.multiply(self.public_mask(), &self.wide.transformed(&minus));
        self.add_error(error("blindtier bfv public key error v1", 0), &self.wide, &mut body);
        append(&mut message, &self.wide, &body);

        let basis = &self.narrow;
        let small = Zeroizing::new(basis.small(&ternary));
        let secret = basis.transformed(&ternary);
        let blinding = self.blinding(share);
        for component in self.components() {
            let number = component.number;
            let mask = self.reference("blindtier bfv evaluation key mask v1", number, basis);
            let masked = basis.multiply(mask.clone(), &blinding);
            let mut body = Zeroizing::new(basis.zero());
            basis.add_scaled(&mut body, &masked, -1);
            let runs = basis.runs_mut(&mut body).zip(basis.runs(&small));
            for ((prime, run), (_, small)) in runs.skip(component.position).take(1) {
                let weight = prime.power(2, self.cutting.shift(component.piece));
                prime.add_scaled(run, small, prime.constant(weight));
            }
            self.add_error(error("blindtier bfv first body error v1", number), basis, &mut body);
            append(&mut message, basis, &body);
            let mut mask = basis.multiply(mask, &secret);
            self.add_error(error("blindtier bfv first mask error v1", number), basis, &mut mask);
            append(&mut message, basis, &mask);
        }
        message
    }

    /// A share's second message.
    pub fn second(&self, share: &Share, firsts: &[&[u8]]) -> Result<Vec<u8>, EngineError> {
        let firsts = self.firsts(firsts)?;
        let heard = firsts.hash();
        let error = |context: &str, number: u32| {
            share.stream(context, &[&self.common, &heard, &number.to_le_bytes()])
        };
        let basis = &self.narrow;
        let secret = basis.transformed(&share.secret(basis.degree()));
        let mut difference = self.blinding(share);
        basis.add_scaled(&mut difference, &secret, -1);
        let mut message = Vec::with_capacity(self.second_bytes());
        for component in self.components() {
            let number = component.number;
            let (h0, h1) = self.first_sums(&firsts, number)?;
            let mut body = basis.multiply(h0, &secret);
            basis.add(&mut body, &basis.multiply(h1, &difference));
            for context in
                ["blindtier bfv second body error v1", "blindtier bfv second mask error v1"]
            {
                self.add_error(error(context, number), basis, &mut body);
            }
            append(&mut message, basis, &body);
        }
        Ok(message)
    }

    /// The public key.
    pub fn public_key(&self, firsts: &[&[u8]]) -> Result<Vec<u8>, EngineError> {
        let firsts = self.firsts(firsts)?;
        let mut key = Vec::with_capacity(2 * polynomial_bytes(&self.wide));
        append(&mut key, &self.wide, &firsts.sum(&self.wide, 0)?);
        append(&mut key, &self.wide, &self.public_mask());
        Ok(key)
    }

    /// The evaluation key.
    pub fn evaluation_key(
        &self,
        firsts: &[&[u8]],
        seconds: &[&[u8]],
    ) -> Result<Vec<u8>, EngineError> {
        let firsts = self.firsts(firsts)?;
        let seconds = Messages::new(SECOND, seconds, self.shares, self.second_bytes())?;
        let size = polynomial_bytes(&self.narrow);
        let mut key = Vec::with_capacity(2 * self.second_bytes());
        for (component, place) in self.components().zip((0..).step_by(size)) {
            append(&mut key, &self.narrow, &seconds.sum(&self.narrow, place)?);
            let (_, mask) = self.first_sums(&firsts, component.number)?;
            append(&mut key, &self.narrow, &mask);
        }
        Ok(key)
    }

    /// All first messages, of shares that differ: the noise bound takes them as independent.
    fn firsts<'a>(&self, all: &'a [&'a [u8]]) -> Result<Messages<'a>, EngineError> {
        let messages = Messages::new(FIRST, all, self.shares, self.first_bytes())?;
        if all.iter().enumerate().any(|(place, one)| all.iter().skip(place + 1).any(|o| o == one)) {
            let detail = "two shares say the same".into();
            return Err(EngineError::Malformed { what: FIRST, detail });
        }
        Ok(messages)
    }

    /// h0 and h1 of a component.
    fn first_sums(
        &self,
        firsts: &Messages<'_>,
        number: u32,
    ) -> Result<(Vec<u64>, Vec<u64>), EngineError> {
        let size = polynomial_bytes(&self.narrow);
        let pair = usize::try_from(number).unwrap_or_default() * 2 * size;
        let place = polynomial_bytes(&self.wide) + pair;
        Ok((firsts.sum(&self.narrow, place)?, firsts.sum(&self.narrow, place + size)?))
    }

    fn first_bytes(&self) -> usize {
        polynomial_bytes(&self.wide) + 2 * self.second_bytes()
    }

    fn second_bytes(&self) -> usize {
        self.components().count() * polynomial_bytes(&self.narrow)
    }
}

/// A component of the gadget.
struct Component {
    position: usize,
    piece: u32,
    number: u32,
}

/// One message of every share, in the order of the shares, of the right length.
struct Messages<'a> {
    what: &'static str,
    all: &'a [&'a [u8]],
}

impl<'a> Messages<'a> {
    fn new(
        what: &'static str,
        all: &'a [&'a [u8]],
        shares: usize,
        bytes: usize,
    ) -> Result<Self, EngineError> {
        if all.len() != shares {
            let what = "messages of the key ceremony, one a share";
            return Err(EngineError::Shape { what, expected: shares, found: all.len() });
        }
        match all.iter().find(|message| message.len() != bytes) {
            None => Ok(Self { what, all }),
            Some(other) => Err(EngineError::Malformed {
                what,
                detail: format!("expected {bytes} bytes, found {}", other.len()),
            }),
        }
    }

    /// The sum of the polynomials at a place.
    fn sum(&self, basis: &Basis, place: usize) -> Result<Vec<u64>, EngineError> {
        let size = polynomial_bytes(basis);
        let mut sum = basis.zero();
        for message in self.all {
            let bytes = message.get(place..place + size).unwrap_or_default();
            for polynomial in read(self.what, basis, 1, bytes)? {
                basis.add(&mut sum, &polynomial);
            }
        }
        Ok(sum)
    }

    fn hash(&self) -> [u8; 32] {
        let mut hasher = blake3::Hasher::new_derive_key("blindtier bfv first messages v1");
        for message in self.all {
            hasher.update(message);
        }
        hasher.finalize().into()
    }
}

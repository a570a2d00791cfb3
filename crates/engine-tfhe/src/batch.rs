//! The same lookup for several families at once.
//!
//! A lookup reads two keys of 60 MB, more than a core's cache holds. Here each part of a key is read once for a batch of
//! ciphertexts instead of once for each. Every ciphertext goes through the operations of the library's own lookup in their
//! order, so the bits are the same; a test holds the two against each other.

use crate::evaluate::wrap;
use crate::parameters::COMPUTE;
use tfhe::core_crypto::algorithms::modulus_switch::ModulusSwitchedLweCiphertext;
use tfhe::core_crypto::commons::math::decomposition::SignedDecomposer;
use tfhe::core_crypto::fft_impl::fft64::crypto::bootstrap::batch_blind_rotate_assign_scratch;
use tfhe::core_crypto::fft_impl::fft64::math::fft::Fft;
use tfhe::core_crypto::prelude::{
    CiphertextCount, CiphertextModulusLog, ComputationBuffers, ContiguousEntityContainer,
    FourierLweBootstrapKeyOwned, GlweCiphertextList, LweCiphertextOwned, LweDimension,
    LweKeyswitchKeyOwned, MonomialDegree, extract_lwe_sample_from_glwe_ciphertext,
};
use tfhe::shortint::ServerKey;
use tfhe::shortint::atomic_pattern::AtomicPatternServerKey;
use tfhe::shortint::server_key::{
    LookupTableOwned, ModulusSwitchConfiguration, ShortintBootstrappingKey,
};

/// How many families go together. Their tables, 64 kB each while they are rotated, fit into a megabyte of cache; more
/// brought less than one part in a hundred (`cargo bench --bench lookups`).
const BATCH: usize = 8;

type Lwe = LweCiphertextOwned<u64>;

/// How many families are best handed to a thread at a time, so that all threads end together.
pub(crate) fn batch(families: usize) -> usize {
    let threads = rayon::current_num_threads().max(1);
    let groups = families.div_ceil(BATCH).next_multiple_of(threads);
    families.div_ceil(groups.max(1)).max(1)
}

/// Looks every ciphertext up in a table.
pub(crate) fn look_up(
    key: &ServerKey,
    table: &LookupTableOwned,
    ciphertexts: Vec<Lwe>,
) -> Vec<Lwe> {
    match Keys::of(key) {
        Some(keys) if ciphertexts.len() > 1 => keys.look_up(table, &ciphertexts),
        _ => ciphertexts
            .into_iter()
            .map(|ciphertext| {
                let mut ciphertext = wrap(ciphertext);
                key.apply_lookup_table_assign(&mut ciphertext, table);
                ciphertext.ct
            })
            .collect(),
    }
}

/// The two keys of a lookup.
struct Keys<'k> {
    switching: &'k LweKeyswitchKeyOwned<u64>,
    bootstrapping: &'k FourierLweBootstrapKeyOwned,
    modulus: &'k ModulusSwitchConfiguration<u64>,
}

impl<'k> Keys<'k> {
    /// None for a key of another kind, which only other parameters have.
    fn of(key: &'k ServerKey) -> Option<Self> {
        let AtomicPatternServerKey::Standard(key) = &key.atomic_pattern else { return None };
        let ShortintBootstrappingKey::Classic { bsk, modulus_switch_noise_reduction_key } =
            &key.bootstrapping_key
        else {
            return None;
        };
        Some(Self {
            switching: &key.key_switching_key,
            bootstrapping: bsk,
            modulus: modulus_switch_noise_reduction_key,
        })
    }

    fn look_up(&self, table: &LookupTableOwned, ciphertexts: &[Lwe]) -> Vec<Lwe> {
        let size = self.bootstrapping.polynomial_size();
        let modulus = size.to_blind_rotation_input_modulus_log();
        let switched: Vec<Switched> = self
            .switch(ciphertexts)
            .iter()
            .map(|small| {
                let switched = self.modulus.lwe_ciphertext_modulus_switch(small, modulus);
                Switched { modulus, mask: switched.mask().collect(), body: switched.body() }
            })
            .collect();
        let glwe = self.bootstrapping.glwe_size();
        let words = table.acc.as_ref().repeat(switched.len());
        let mut rotated =
            GlweCiphertextList::from_container(words, glwe, size, table.acc.ciphertext_modulus());
        let fft = Fft::new(size);
        let mut buffers = ComputationBuffers::new();
        let count = CiphertextCount(switched.len());
        let needed = batch_blind_rotate_assign_scratch::<u64>(glwe, size, count, fft.as_view());
        buffers.resize(needed.unaligned_bytes_required());
        self.bootstrapping.as_view().batch_blind_rotate_assign(
            rotated.as_mut_view(),
            &switched,
            fft.as_view(),
            buffers.stack(),
        );
        rotated
            .iter()
            .map(|rotated| {
                let mut found = crate::evaluate::empty();
                extract_lwe_sample_from_glwe_ciphertext(&rotated, &mut found, MonomialDegree(0));
                found
            })
            .collect()
    }

    /// Switches to the small key: exact arithmetic modulo 2⁶⁴, in which the order of sums does not matter.
    fn switch(&self, ciphertexts: &[Lwe]) -> Vec<Lwe> {
        let key = self.switching;
        let decomposer = SignedDecomposer::new(COMPUTE.ks_base_log, COMPUTE.ks_level);
        let mut sums: Vec<Lwe> = ciphertexts
            .iter()
            .map(|ciphertext| {
                let mut sum = Lwe::new(0, key.output_lwe_size(), key.ciphertext_modulus());
                *sum.get_mut_body().data = *ciphertext.get_body().data;
                sum
            })
            .collect();
        let arch = pulp::Arch::new();
        let masks: Vec<_> = ciphertexts.iter().map(|c| c.get_mask()).collect();
        for (position, block) in key.iter().enumerate() {
            let words = masks.iter().map(|mask| mask.as_ref().get(position).copied());
            let mut digits: Vec<_> =
                words.map(|word| decomposer.decompose(word.unwrap_or_default())).collect();
            for row in block.iter() {
                for (digits, sum) in digits.iter_mut().zip(&mut sums) {
                    let digit = digits.next().map_or(0, |digit| digit.value());
                    arch.dispatch(Subtract { digit, row: row.as_ref(), sum: sum.as_mut() });
                }
            }
        }
        sums
    }
}

/// `sum −= digit · row`, with the widest vector instructions that the processor has.
struct Subtract<'a> {
    digit: u64,
    row: &'a [u64],
    sum: &'a mut [u64],
}

impl pulp::NullaryFnOnce for Subtract<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        for (sum, word) in self.sum.iter_mut().zip(self.row) {
            *sum = sum.wrapping_sub(self.digit.wrapping_mul(*word));
        }
    }
}

/// A ciphertext after the modulus switch, of which every word is known: the library's own computes a word anew whenever
/// it is asked for, and all words before it.
struct Switched {
    modulus: CiphertextModulusLog,
    mask: Vec<usize>,
    body: usize,
}

impl ModulusSwitchedLweCiphertext<usize> for Switched {
    fn log_modulus(&self) -> CiphertextModulusLog {
        self.modulus
    }

    fn lwe_dimension(&self) -> LweDimension {
        LweDimension(self.mask.len())
    }

    fn body(&self) -> usize {
        self.body
    }

    fn mask(&self) -> impl ExactSizeIterator<Item = usize> + '_ {
        self.mask.iter().copied()
    }
}

//! Lookups of several ciphertexts at once against the library's own, one by one.

use super::KEYS;
use crate::batch::{batch, look_up};
use crate::evaluate::{bare_lookup_input, wrap};
use crate::keys::server_key;
use rayon::ThreadPoolBuilder;
use tfhe::core_crypto::prelude::LweCiphertextOwned;

/// Words as irregular as those of a real ciphertext, others for each number.
fn irregular(number: usize) -> LweCiphertextOwned<u64> {
    let mut ciphertext = bare_lookup_input().ct;
    ciphertext.as_mut().rotate_left(number);
    ciphertext
}

#[test]
fn a_batch_has_the_bits_of_the_librarys_own_lookups() {
    crate::fft::fix_plan();
    let key = server_key(&KEYS.evaluation).unwrap();
    let table = key.generate_lookup_table(|x| (7 * x + 3) % 16);
    for size in [1, 2, 3, 8, 9] {
        let mut ciphertexts: Vec<_> = (0..size).map(irregular).collect();
        // Words that the modulus switch makes 0 are passed over.
        ciphertexts[0].as_mut()[..1500].fill(0);
        let one_by_one = ciphertexts.iter().map(|ciphertext| {
            let mut found = wrap(ciphertext.clone());
            key.apply_lookup_table_assign(&mut found, &table);
            found.ct
        });
        let one_by_one: Vec<_> = one_by_one.collect();
        assert_eq!(look_up(&key, &table, ciphertexts), one_by_one, "{size}");
    }
}

#[test]
fn batches_leave_no_thread_idle_and_do_not_exceed_eight() {
    for (threads, families, expected) in
        [(1, 6, 6), (1, 8, 8), (1, 9, 5), (2, 6, 3), (2, 24, 6), (2, 1, 1), (2, 512, 8), (4, 0, 1)]
    {
        let pool = ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        assert_eq!(pool.install(|| batch(families)), expected, "{threads} {families}");
    }
}

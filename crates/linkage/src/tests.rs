use super::*;
use crate::stream::Stream;
use proptest::prelude::*;
use rand_core::{CryptoRng, RngCore};
use std::sync::LazyLock;
use voprf::{BlindedElement, EvaluationElement, Proof, VoprfClient};

fn bytes(hex: &str) -> Vec<u8> {
    hex::decode(hex).unwrap()
}

/// Gives the scalars of the RFC's test vectors: the library reduces 64 bytes, so the upper 32 are 0.
struct Scalars(Vec<Vec<u8>>);

impl RngCore for Scalars {
    fn next_u32(&mut self) -> u32 {
        unreachable!("scalars only")
    }

    fn next_u64(&mut self) -> u64 {
        unreachable!("scalars only")
    }

    fn fill_bytes(&mut self, bytes: &mut [u8]) {
        bytes.fill(0);
        bytes[..32].copy_from_slice(&self.0.remove(0));
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), rand_core::Error> {
        self.fill_bytes(bytes);
        Ok(())
    }
}

impl CryptoRng for Scalars {}

struct Vector {
    inputs: &'static [&'static str],
    blinds: &'static [&'static str],
    blinded: &'static [&'static str],
    evaluated: &'static [&'static str],
    proof: &'static str,
    random: &'static str,
    outputs: &'static [&'static str],
}

/// RFC 9497, appendix A.1.2.
const VECTORS: [Vector; 3] = [
    Vector {
        inputs: &["00"],
        blinds: &["64d37aed22a27f5191de1c1d69fadb899d8862b58eb4220029e036ec4c1f6706"],
        blinded: &["863f330cc1a1259ed5a5998a23acfd37fb4351a793a5b3c090b642ddc439b945"],
        evaluated: &["aa8fa048764d5623868679402ff6108d2521884fa138cd7f9c7669a9a014267e"],
        proof: "ddef93772692e535d1a53903db24367355cc2cc78de93b3be5a8ffcc6985dd066d4346421d17bf5117a2a1ff0fcb2a759f58a539dfbe857a40bce4cf49ec600d",
        random: "222a5e897cf59db8145db8d16e597e8facb80ae7d4e26d9881aa6f61d645fc0e",
        outputs: &[
            "b58cfbe118e0cb94d79b5fd6a6dafb98764dff49c14e1770b566e42402da1a7da4d8527693914139caee5bd03903af43a491351d23b430948dd50cde10d32b3c",
        ],
    },
    Vector {
        inputs: &["5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a"],
        blinds: &["64d37aed22a27f5191de1c1d69fadb899d8862b58eb4220029e036ec4c1f6706"],
        blinded: &["cc0b2a350101881d8a4cba4c80241d74fb7dcbfde4a61fde2f91443c2bf9ef0c"],
        evaluated: &["60a59a57208d48aca71e9e850d22674b611f752bed48b36f7a91b372bd7ad468"],
        proof: "401a0da6264f8cf45bb2f5264bc31e109155600babb3cd4e5af7d181a2c9dc0a67154fabf031fd936051dec80b0b6ae29c9503493dde7393b722eafdf5a50b02",
        random: "222a5e897cf59db8145db8d16e597e8facb80ae7d4e26d9881aa6f61d645fc0e",
        outputs: &[
            "8a9a2f3c7f085b65933594309041fc1898d42d0858e59f90814ae90571a6df60356f4610bf816f27afdd84f47719e480906d27ecd994985890e5f539e7ea74b6",
        ],
    },
    Vector {
        inputs: &["00", "5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a"],
        blinds: &[
            "64d37aed22a27f5191de1c1d69fadb899d8862b58eb4220029e036ec4c1f6706",
            "222a5e897cf59db8145db8d16e597e8facb80ae7d4e26d9881aa6f61d645fc0e",
        ],
        blinded: &[
            "863f330cc1a1259ed5a5998a23acfd37fb4351a793a5b3c090b642ddc439b945",
            "90a0145ea9da29254c3a56be4fe185465ebb3bf2a1801f7124bbbadac751e654",
        ],
        evaluated: &[
            "aa8fa048764d5623868679402ff6108d2521884fa138cd7f9c7669a9a014267e",
            "cc5ac221950a49ceaa73c8db41b82c20372a4c8d63e5dded2db920b7eee36a2a",
        ],
        proof: "cc203910175d786927eeb44ea847328047892ddf8590e723c37205cb74600b0a5ab5337c8eb4ceae0494c2cf89529dcf94572ed267473d567aeed6ab873dee08",
        random: "419c4f4f5052c53c45f3da494d2b67b220d02118e0857cdbcf037f9ea84bbe0c",
        outputs: &[
            "b58cfbe118e0cb94d79b5fd6a6dafb98764dff49c14e1770b566e42402da1a7da4d8527693914139caee5bd03903af43a491351d23b430948dd50cde10d32b3c",
            "8a9a2f3c7f085b65933594309041fc1898d42d0858e59f90814ae90571a6df60356f4610bf816f27afdd84f47719e480906d27ecd994985890e5f539e7ea74b6",
        ],
    },
];

#[test]
fn the_library_gives_the_vectors_of_the_rfc() {
    let key = LinkageKey::of_vectors([0xa3; 32], b"test key");
    let public = "c803e2cc6b05fc15064549b5920659ca4a77b2cca6f04f6b357009335476ad4e";
    assert_eq!(hex::encode(key.public()), public);
    for vector in VECTORS {
        let inputs: Vec<Vec<u8>> = vector.inputs.iter().map(|hex| bytes(hex)).collect();
        let mut blinds = Scalars(vector.blinds.iter().map(|hex| bytes(hex)).collect());
        let clients: Vec<_> = inputs
            .iter()
            .map(|input| VoprfClient::<Suite>::blind(input, &mut blinds).unwrap())
            .collect();
        let blinded: Vec<BlindedElement<Suite>> =
            clients.iter().map(|client| client.message.clone()).collect();
        let found: Vec<String> = blinded.iter().map(|b| hex::encode(b.serialize())).collect();
        assert_eq!(found, vector.blinded);
        let mut random = Scalars(vec![bytes(vector.random)]);
        let answer = key.server().batch_blind_evaluate(&mut random, &blinded).unwrap();
        let found: Vec<String> =
            answer.messages.iter().map(|m| hex::encode(m.serialize())).collect();
        assert_eq!(found, vector.evaluated);
        assert_eq!(hex::encode(answer.proof.serialize()), vector.proof);
        let states: Vec<_> = clients.into_iter().map(|client| client.state).collect();
        let outputs: Vec<String> = VoprfClient::batch_finalize(
            &inputs,
            &states,
            &answer.messages,
            &answer.proof,
            key.server().get_public_key(),
        )
        .unwrap()
        .map(|output| hex::encode(output.unwrap()))
        .collect();
        assert_eq!(outputs, vector.outputs);
        for (input, output) in inputs.iter().zip(vector.outputs) {
            assert_eq!(hex::encode(key.server().evaluate(input).unwrap()), *output);
        }
    }
}

fn nothing(_: u64, _: u64) {}

/// A key, persons, their blinding, a request of two batches and its answer, made once.
struct Case {
    key: LinkageKey,
    persons: Vec<String>,
    blinding: Blinding,
    request: Vec<[u8; 32]>,
    answer: Answer,
}

static CASE: LazyLock<Case> = LazyLock::new(|| {
    let key = LinkageKey::generate().unwrap();
    let persons: Vec<String> = (0..BATCH + 3).map(|n| format!("person {n}")).collect();
    let blinding = Blinding::generate().unwrap();
    let request = blinding.request(&persons, BATCH + 20, &nothing).unwrap();
    let answer = key.answer(&request, &nothing).unwrap();
    Case { key, persons, blinding, request, answer }
});

impl Case {
    fn finish(&self, answer: &Answer, public: &[u8; 32]) -> Result<Vec<[u8; 16]>, LinkageError> {
        self.blinding.finish(&self.persons, &self.request, answer, public, &nothing)
    }

    fn refused(&self, change: impl FnOnce(&mut Answer)) -> LinkageError {
        let mut answer = self.answer.clone();
        change(&mut answer);
        self.finish(&answer, &self.key.public()).unwrap_err()
    }
}

#[test]
fn blind_and_direct_evaluation_agree_across_batches() {
    let case = &*CASE;
    let found = case.finish(&case.answer, &case.key.public()).unwrap();
    assert_eq!(found, case.key.pseudonyms(&case.persons).unwrap());
    assert_eq!(found[7], case.key.pseudonym("person 7").unwrap());
    assert_eq!(case.answer.proofs.len(), proofs(case.request.len()));
    let most = AtomicU64::new(0);
    let count = |done, all| {
        assert_eq!(all, BATCH as u64 + 20);
        most.fetch_max(done, Ordering::Relaxed);
    };
    let other = Blinding::from_seed(case.blinding.seed());
    assert_eq!(other.request(&case.persons, BATCH + 20, &count).unwrap(), case.request);
    assert_eq!(most.into_inner(), BATCH as u64 + 20);
}

#[test]
fn pseudonyms_differ_by_key_and_person_and_survive_the_seed() {
    let (a, b) = (LinkageKey::generate().unwrap(), LinkageKey::generate().unwrap());
    assert_ne!(a.public(), b.public());
    assert_ne!(a.pseudonym("ann").unwrap(), b.pseudonym("ann").unwrap());
    assert_ne!(a.pseudonym("ann").unwrap(), a.pseudonym("bob").unwrap());
    let again = LinkageKey::from_seed(a.seed()).unwrap();
    assert_eq!(again.pseudonym("ann").unwrap(), a.pseudonym("ann").unwrap());
    // A filler is no person, whatever persons are called.
    assert_ne!(pseudonym(&a.server().evaluate(FILLER).unwrap()), a.pseudonym("filler\0").unwrap());
}

#[test]
fn a_request_has_its_size_and_says_nothing_twice() {
    let (one, two) = (Blinding::generate().unwrap(), Blinding::generate().unwrap());
    let same = vec!["ann"; 3];
    let mut all = Vec::new();
    for blinding in [&one, &two] {
        let request = blinding.request(&same, 6, &nothing).unwrap();
        assert_eq!(request.len(), 6);
        all.extend(request);
    }
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), 12, "the same person and the same filler never look the same");
    let nobody: [&str; 0] = [];
    assert_eq!(one.request(&nobody, 6, &nothing).unwrap().len(), 6);
    assert_eq!(
        one.request(&same, 2, &nothing),
        Err(LinkageError::TooManyPersons { persons: 3, size: 2 })
    );
    let long = ["ok".to_owned(), "x".repeat(MAX_IDENTIFIER + 1)];
    let refused = LinkageError::Identifier { position: 1, bytes: MAX_IDENTIFIER + 1 };
    assert_eq!(one.request(&long, 2, &nothing), Err(refused.clone()));
    let key = LinkageKey::generate().unwrap();
    assert_eq!(key.pseudonyms(&long), Err(refused));
    assert!(key.pseudonym(&"x".repeat(MAX_IDENTIFIER)).is_ok());
    assert!(key.pseudonym("").is_ok());
}

#[test]
fn blinded_persons_and_fillers_have_the_same_distribution_of_bits() {
    // No proof, but it notices an element that was not blinded: each bit of a uniform element is 1 about half the time. The
    // lowest bit is 0 (encodings are even) and the highest too.
    let blinding = Blinding::generate().unwrap();
    let request = blinding.request(&vec!["ann"; 1000], 2000, &nothing).unwrap();
    for half in request.chunks(1000) {
        for bit in 1..255 {
            let ones = half.iter().filter(|e| e[bit / 8] >> (bit % 8) & 1 == 1).count();
            // Standard deviation 15.8; eight of them.
            assert!(ones.abs_diff(500) < 127, "bit {bit}: {ones}");
        }
    }
}

#[test]
fn answers_that_are_not_to_this_request_under_this_key() {
    let case = &*CASE;
    let other = LinkageKey::generate().unwrap();
    let proof = |batch| LinkageError::Proof { batch };
    // The key of the roster is another one, and no key at all.
    assert_eq!(case.finish(&case.answer, &other.public()), Err(proof(0)));
    for public in [[0; 32], [0xff; 32]] {
        assert_eq!(case.finish(&case.answer, &public), Err(LinkageError::PublicKey));
    }
    // All, one batch or one element answered with another key.
    let wrong = other.answer(&case.request, &nothing).unwrap();
    assert_eq!(case.finish(&wrong, &case.key.public()), Err(proof(0)));
    assert_eq!(case.refused(|a| a.elements[BATCH + 19] = wrong.elements[BATCH + 19]), proof(1));
    assert_eq!(
        case.refused(|a| {
            a.elements[BATCH..].copy_from_slice(&wrong.elements[BATCH..]);
            a.proofs[1] = wrong.proofs[1];
        }),
        proof(1)
    );
    // Reordered in a batch, between batches, and proofs exchanged.
    assert_eq!(case.refused(|a| a.elements.swap(3, 4)), proof(0));
    assert_eq!(case.refused(|a| a.elements.swap(3, BATCH + 4)), proof(0));
    assert_eq!(case.refused(|a| a.proofs.swap(0, 1)), proof(0));
    // An answer to another request.
    let again = Blinding::generate().unwrap();
    let request = again.request(&case.persons, BATCH + 20, &nothing).unwrap();
    let answer = case.key.answer(&request, &nothing).unwrap();
    assert_eq!(case.finish(&answer, &case.key.public()), Err(proof(0)));
    // Another request or blinding than the answered one.
    let finish = |blinding: &Blinding, request: &[[u8; 32]]| {
        blinding.finish(&case.persons, request, &case.answer, &case.key.public(), &nothing)
    };
    assert_eq!(finish(&case.blinding, &request), Err(proof(0)));
    // With another blinding the proof holds, and what comes out is in no roster.
    let found = finish(&again, &case.request).unwrap();
    assert!(!case.key.pseudonyms(&case.persons).unwrap().contains(&found[0]));
}

#[test]
fn answers_of_another_length_or_form() {
    let case = &*CASE;
    let count = |what, expected, found| LinkageError::Count { what, expected, found };
    let size = BATCH + 20;
    assert_eq!(case.refused(|a| _ = a.elements.pop()), count("answers", size, size - 1));
    assert_eq!(case.refused(|a| a.elements.push([0; 32])), count("answers", size, size + 1));
    assert_eq!(case.refused(|a| _ = a.proofs.pop()), count("proofs", 2, 1));
    assert_eq!(case.refused(|a| a.proofs.push([0; 64])), count("proofs", 2, 3));
    assert!(
        case.blinding
            .finish(&case.persons, &[], &case.answer, &case.key.public(), &nothing)
            .is_err()
    );

    let element = |what, position| LinkageError::Element { what, position };
    for bad in malformed() {
        assert_eq!(case.refused(|a| a.elements[BATCH + 2] = bad), element("answer", BATCH + 2));
        let mut request = case.request.clone();
        request[BATCH + 2] = bad;
        let what = "element of the request";
        assert_eq!(case.key.answer(&request, &nothing), Err(element(what, BATCH + 2)));
        let public = case.key.public();
        let found = case.blinding.finish(&case.persons, &request, &case.answer, &public, &nothing);
        assert_eq!(found, Err(element(what, BATCH + 2)));
    }
    // Scalars of a proof that are 0 or not reduced.
    for bad in [[0; 64], [0xff; 64]] {
        assert_eq!(case.refused(|a| a.proofs[1] = bad), LinkageError::Proof { batch: 1 });
    }
    // An empty request has an empty answer.
    let nobody: [&str; 0] = [];
    let answer = case.key.answer(&[], &nothing).unwrap();
    assert_eq!(
        case.blinding.finish(&nobody, &[], &answer, &case.key.public(), &nothing),
        Ok(Vec::new())
    );
}

/// Encodings that RFC 9496 section 4.3.1 refuses (appendix A.3), and the neutral element.
fn malformed() -> Vec<[u8; 32]> {
    [
        "0000000000000000000000000000000000000000000000000000000000000000",
        "00ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "f3ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "01ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "ed57ffd8c914fb201471d1c3d245ce3c746fcbe63a3679d51b6a516ebebe0e20",
        "26948d35ca62e643e26a83177332e6b6afeb9d08e4268b650f1f5bbd8d81d371",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    ]
    .map(|hex| bytes(hex).try_into().unwrap())
    .to_vec()
}

#[test]
fn streams_of_other_seeds_purposes_and_batches_differ() {
    let first = |seed: [u8; 32], purpose: &[u8], batch| {
        let mut bytes = [0; 32];
        Stream::new(&seed.into(), purpose, batch).fill_bytes(&mut bytes);
        bytes
    };
    let all = [
        first([1; 32], b"blind", 0),
        first([2; 32], b"blind", 0),
        first([1; 32], b"proof", 0),
        first([1; 32], b"blind", 1),
    ];
    for (i, one) in all.iter().enumerate() {
        assert!(all.iter().skip(i + 1).all(|other| one != other));
    }
    let mut stream = Stream::new(&[1; 32].into(), b"blind", 0);
    assert_ne!(stream.next_u64(), u64::from(stream.next_u32()));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_blind_path_is_the_direct_path(persons in proptest::collection::vec(".{0,20}", 0..8), fillers in 0_usize..4) {
        let key = LinkageKey::generate().unwrap();
        let blinding = Blinding::generate().unwrap();
        let request = blinding.request(&persons, persons.len() + fillers, &nothing).unwrap();
        let answer = key.answer(&request, &nothing).unwrap();
        let found = blinding.finish(&persons, &request, &answer, &key.public(), &nothing).unwrap();
        prop_assert_eq!(found, key.pseudonyms(&persons).unwrap());
    }

    #[test]
    fn arbitrary_answers_are_refused_without_a_panic(
        element in any::<[u8; 32]>(), at in 0_usize..BATCH + 20, flip in 0_usize..512,
    ) {
        let case = &*CASE;
        prop_assert!(case.refused(|a| a.elements[at] = element) != LinkageError::PublicKey);
        let batch = at / BATCH;
        let refused = case.refused(|a| a.proofs[batch][flip / 8] ^= 1 << (flip % 8));
        prop_assert_eq!(refused, LinkageError::Proof { batch });
        // As a request: an answer or an error.
        let _ = case.key.answer(&[element], &nothing);
        let _ = EvaluationElement::<Suite>::deserialize(&element);
        let _ = Proof::<Suite>::deserialize(&element);
    }
}

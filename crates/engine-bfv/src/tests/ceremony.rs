//! The key ceremony: that its keys work, and what its messages are.

use super::*;
use crate::bytes::{append, polynomial_bytes, read};
use crate::ceremony::Ceremony;
use crate::plan::{basis, encryption_basis};
use crate::ring::Basis;
use crate::share::Share;
use crate::{evaluation_key, first_message, public_key, second_message};

const COMMON: [u8; 32] = [7; 32];
const SEEDS: [[u8; 32]; 3] = [[1; 32], [2; 32], [3; 32]];

fn nursery() -> BfvPlan {
    plan(&shipped("nursery"), Layout::Folded, Proofs::Off)
}

fn firsts(plan: &BfvPlan) -> Vec<Vec<u8>> {
    SEEDS.iter().map(|seed| first_message(plan, &COMMON, seed).unwrap()).collect()
}

fn slices(messages: &[Vec<u8>]) -> Vec<&[u8]> {
    messages.iter().map(Vec::as_slice).collect()
}

#[test]
fn keys_in_any_number_of_shares_work() {
    for (name, shares) in
        [("nursery", 1), ("nursery", 4), ("nursery", 10), ("nursery", 15), ("mpi", 10)]
    {
        let policy = shipped(name);
        let rig = Rig::with(&policy, Layout::Folded, shares, Proofs::On);
        assert_eq!((rig.plan.shares(), rig.keys.shares.len()), (shares, shares as usize));
        agrees(&policy, &sample(&policy, 1_000), &rig.session()).unwrap();
    }
    for shares in [0, 16] {
        assert!(BfvPlan::new(&shipped("mpi"), Layout::Folded, shares, Proofs::Off).is_err());
    }
}

#[test]
fn messages_are_functions_of_plan_common_seed_and_share() {
    let plan = nursery();
    let first = first_message(&plan, &COMMON, &SEEDS[0]).unwrap();
    assert_eq!(first, first_message(&plan.clone(), &COMMON, &SEEDS[0]).unwrap());
    let other_plan = BfvPlan::new(&shipped("nursery"), Layout::Folded, 4, Proofs::Off).unwrap();
    assert_ne!(first, first_message(&plan, &[8; 32], &SEEDS[0]).unwrap());
    assert_ne!(first, first_message(&plan, &COMMON, &SEEDS[1]).unwrap());
    assert_ne!(first, first_message(&other_plan, &COMMON, &SEEDS[0]).unwrap());

    // Who holds a share recomputes what another holder of it said, and another first message of anybody is seen.
    let firsts = firsts(&plan);
    let second = second_message(&plan, &COMMON, &SEEDS[0], &slices(&firsts)).unwrap();
    assert_eq!(second, second_message(&plan, &COMMON, &SEEDS[0], &slices(&firsts)).unwrap());
    let mut changed = firsts.clone();
    changed[1][100] ^= 1;
    assert_ne!(second, second_message(&plan, &COMMON, &SEEDS[0], &slices(&changed)).unwrap());
    let lacking_own = second_message(&plan, &COMMON, &SEEDS[1], &slices(&changed));
    assert!(lacking_own.unwrap_err().to_string().contains("own"));
}

#[test]
fn equations_of_different_ceremonies_share_no_error() {
    // With the same error twice, −(a − a')·s would be the difference of two public messages, and s with it.
    let plan = nursery();
    let wide = encryption_basis(&plan.parameters).unwrap();
    let secret = Share::new(&plan.summary().hash, &SEEDS[0]).secret(wide.degree());
    let secret = wide.transformed(&secret);
    let error = |common: [u8; 32]| {
        let message = first_message(&plan, &common, &SEEDS[0]).unwrap();
        let mut body = part(&wide, &message, 0);
        let ceremony = Ceremony::new(&plan.parameters, plan.summary().hash, common).unwrap();
        wide.add(&mut body, &wide.multiply(ceremony.public_mask(), &secret));
        (0..wide.degree()).map(|c| i64::try_from(wide.lift(&body, c)).unwrap()).collect::<Vec<_>>()
    };
    let (one, other) = (error([7; 32]), error([8; 32]));
    assert!(one.iter().chain(&other).all(|e| e.abs() <= 21));
    let same = one.iter().zip(&other).filter(|(a, b)| a == b).count();
    assert!(same < wide.degree() / 5, "{same}");
}

#[test]
fn malformed_messages_are_refused() {
    let plan = nursery();
    let firsts = firsts(&plan);
    let seconds: Vec<Vec<u8>> = SEEDS
        .iter()
        .map(|seed| second_message(&plan, &COMMON, seed, &slices(&firsts)).unwrap())
        .collect();
    assert!(evaluation_key(&plan, &COMMON, &slices(&firsts), &slices(&seconds)).is_ok());
    // For every message: too short, too long, a residue that is not below its prime; and too few messages, too many.
    let spoilt = |good: &[Vec<u8>], last_place: usize| {
        let mut all = vec![good[..2].to_vec(), [good, &good[..1]].concat(), Vec::new()];
        for place in 0..3 {
            let mut one = [good.to_vec(), good.to_vec(), good.to_vec(), good.to_vec()];
            one[0][place].pop();
            one[1][place].push(0);
            one[2][place].clear();
            one[3][place][last_place..last_place + 16].fill(0xff);
            all.extend(one);
        }
        all
    };
    let wide = polynomial_bytes(&encryption_basis(&plan.parameters).unwrap());
    for bad in spoilt(&firsts, 0) {
        assert!(public_key(&plan, &COMMON, &slices(&bad)).is_err());
    }
    for place in [wide, firsts[0].len() - 16] {
        for bad in spoilt(&firsts, place) {
            assert!(second_message(&plan, &COMMON, &SEEDS[0], &slices(&bad)).is_err());
        }
    }
    for bad in spoilt(&seconds, seconds[0].len() - 16) {
        assert!(evaluation_key(&plan, &COMMON, &slices(&firsts), &slices(&bad)).is_err());
    }
    assert!(evaluation_key(&plan, &COMMON, &slices(&firsts[1..]), &slices(&seconds)).is_err());
    let twice = [0, 1, 1].map(|place: usize| firsts[place].clone());
    let error = public_key(&plan, &COMMON, &slices(&twice)).unwrap_err().to_string();
    assert!(error.contains("the same"), "{error}");
}

/// The polynomial at a place of a message.
fn part(basis: &Basis, message: &[u8], place: usize) -> Vec<u64> {
    read("part", basis, 1, &message[place..place + polynomial_bytes(basis)]).unwrap().remove(0)
}

/// A message that makes the sum at a place what its author wants, said after the others.
fn rogue(basis: &Basis, wanted: &[u64], others: &[&Vec<u8>], place: usize, message: &mut [u8]) {
    let mut sum = wanted.to_vec();
    for other in others {
        basis.add_scaled(&mut sum, &part(basis, other, place), -1);
    }
    let mut bytes = Vec::new();
    append(&mut bytes, basis, &sum);
    message[place..place + bytes.len()].copy_from_slice(&bytes);
}

#[test]
fn who_speaks_last_owns_the_public_key() {
    // This is why first messages are committed to before they are shown, and recomputed by other holders of a share.
    let plan = nursery();
    let mut firsts = firsts(&plan);
    let wide = encryption_basis(&plan.parameters).unwrap();
    let own = part(&wide, &firsts[2], 0);
    let mut message = firsts[2].clone();
    rogue(&wide, &own, &[&firsts[0], &firsts[1]], 0, &mut message);
    firsts[2] = message;
    let key = public_key(&plan, &COMMON, &slices(&firsts)).unwrap();
    let encrypt = BfvEncrypt::new(plan.clone(), &key).unwrap();

    let agency = plan.inputs.submitters()[0];
    let columns: Vec<Vec<i64>> =
        plan.inputs.columns_of(agency).iter().map(|_| vec![1, 0, 1, 1, 0]).collect();
    let upload = encrypt.encrypt(agency, &columns, &BINDING).unwrap();
    let own = Share::new(&plan.summary().hash, &SEEDS[2]).secret(plan.parameters.degree);
    let own: Vec<u8> = own.iter().map(|c| (*c as i8).cast_unsigned()).collect();
    let basis = basis(plan.parameters.degree, &plan.parameters.moduli().0).unwrap();
    let size = polynomial_bytes(&basis);
    let parts = [part(&basis, &upload, 0), part(&basis, &upload, size)];
    let open = BfvOpen::over(basis, 1, &own).unwrap();
    assert_eq!(open.slots(&parts[0], &parts[1])[..5], [1, 0, 1, 1, 0]);
}

#[test]
fn who_chooses_what_is_multiplied_sees_a_share() {
    // The sum of the h0 is made 2⁴⁰ and that of the h1 zero: a second message is then 2⁴⁰·s and small errors. This is
    // why second messages wait until every first message has been recomputed by another holder of its share.
    let plan = nursery();
    let mut firsts = firsts(&plan);
    let basis = basis(plan.parameters.degree, &plan.parameters.moduli().0).unwrap();
    let size = polynomial_bytes(&basis);
    let place = polynomial_bytes(&encryption_basis(&plan.parameters).unwrap());
    let mut wanted = basis.zero();
    for (_, run) in basis.runs_mut(&mut wanted) {
        run[0] = 1 << 40;
    }
    let mut message = firsts[2].clone();
    let others = [&firsts[0], &firsts[1]];
    rogue(&basis, &wanted, &others, place, &mut message);
    rogue(&basis, &basis.zero(), &others, place + size, &mut message);
    firsts[2] = message;
    let second = second_message(&plan, &COMMON, &SEEDS[0], &slices(&firsts)).unwrap();
    let seen = part(&basis, &second, 0);
    let secret = Share::new(&plan.summary().hash, &SEEDS[0]).secret(basis.degree());
    for (coefficient, secret) in secret.iter().enumerate().take(500) {
        let seen = i64::try_from(basis.lift(&seen, coefficient)).unwrap();
        assert_eq!((seen + (1 << 39)) >> 40, *secret);
    }
}

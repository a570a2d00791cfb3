//! Checks of what is submitted.

use super::*;
use crate::kernel::Kernel;
use crate::noise::NoiseBound;
use crate::parameters::Parameters;
use crate::plaintext::slots;
use crate::plan::basis;
use crate::program::{Linear, Program, Value};
use crate::random::Stream;

/// The values that a column takes when families are anything.
fn allowed(policy: &Policy, plan: &BfvPlan, column: usize) -> Vec<i64> {
    let own: Vec<usize> = (0..policy.indicators.len())
        .filter(|i| policy.indicators[*i].agency == plan.inputs.columns[column].agency)
        .collect();
    let mut families = vec![policy.missing_values()];
    for indicator in own {
        let (min, max) = policy.indicators[indicator].range();
        let with = |family: &Vec<i64>, value| {
            let mut family = family.clone();
            family[indicator] = value;
            family
        };
        families =
            families.iter().flat_map(|f| (min..=max).map(move |value| with(f, value))).collect();
    }
    let value = |family: &Vec<i64>| plan.inputs.column_value(column, &mut |i| family[i]);
    let mut values: Vec<i64> = families.iter().map(value).collect();
    values.sort_unstable();
    values.dedup();
    values
}

/// Columns that are checked for themselves.
fn checked(plan: &BfvPlan) -> Vec<usize> {
    (0..plan.inputs.columns.len()).filter(|c| !plan.gates.contains(*c)).collect()
}

/// Columns of which at most one may be 1.
fn groups(plan: &BfvPlan) -> Vec<Vec<usize>> {
    let column = |value: &Value| match value {
        Value::Input(column) => Some(*column),
        Value::Node(_) => None,
    };
    let forms = plan.program.checks.iter().map(|(left, _)| left);
    let groups = forms.map(|form| form.terms.iter().filter_map(|(v, _)| column(v)).collect());
    groups.filter(|group: &Vec<usize>| group.len() > 1).collect()
}

#[test]
fn every_column_is_checked_for_exactly_what_families_can_have() {
    for (name, layout) in SHIPPED.into_iter().flat_map(|name| LAYOUTS.map(|l| (name, l))) {
        let policy = shipped(name);
        let plan = plan(&policy, layout, Proofs::On);
        let checks = plan.program.checks.len();
        assert_eq!(checks, checked(&plan).len() + groups(&plan).len(), "{name} {layout}");
        let mut inputs = plan.inputs.column_values(&policy.missing_values());
        inputs.resize(plan.gates.covers().end, 0);
        // Whether some check tells a value.
        let tells = |inputs: &[i64]| {
            let clear = plan.program.simulate(inputs, &vec![0; checks]);
            (0..checks).any(|check| {
                let factors: Vec<i64> = (0..checks).map(|c| i64::from(c == check)).collect();
                plan.program.simulate(inputs, &factors) != clear
            })
        };
        for column in checked(&plan) {
            let allowed = allowed(&policy, &plan, column);
            assert!(allowed.len() > 1);
            let around = -3..allowed.last().unwrap() + 4;
            for value in around.chain([-30_000, 32_768]).step_by(1 + allowed.len() / 40) {
                let honest = std::mem::replace(&mut inputs[column], value);
                assert!(
                    allowed.contains(&value) || tells(&inputs),
                    "{name} {layout}: column {column} may be {value}"
                );
                inputs[column] = honest;
            }
        }
        for group in groups(&plan) {
            let mut inputs = inputs.clone();
            group.iter().for_each(|column| inputs[*column] = 0);
            assert!(!tells(&inputs) && group.len() >= 2);
            inputs[group[0]] = 1;
            assert!(!tells(&inputs));
            inputs[group[1]] = 1;
            assert!(tells(&inputs), "{name} {layout}: two of {group:?} may be 1");
        }
    }
}

#[test]
fn a_value_that_is_not_allowed_opens_to_no_chosen_tier() {
    for policy in [shipped("nursery"), withheld::required()] {
        let rig = Rig::with(&policy, Layout::Folded, SHARES, Proofs::On);
        let count = rig.plan.parameters.degree;
        let families = sample(&policy, count);
        let tiers: Vec<u32> =
            families.iter().map(|values| policy.decide(values).unwrap().tier as u32).collect();
        let honest = rig.encrypted(&families);
        let groups = groups(&rig.plan);
        // Single columns, and two indicators of a group.
        let singles = checked(&rig.plan).into_iter().flat_map(|column| {
            let allowed = allowed(&policy, &rig.plan, column);
            let most = *allowed.last().unwrap();
            [most + 1, allowed[0] - 1, 20_000].map(|value| vec![(column, value)])
        });
        let pairs = groups.iter().map(|group| vec![(group[0], 1), (group[1], 1)]);
        assert!(policy.name != "nursery" || groups.len() == 4, "{groups:?}");
        for wrong in singles.chain(pairs).collect::<Vec<_>>() {
            // Every second family has the wrong value.
            let mut chunks = honest.clone();
            for (column, value) in &wrong {
                let mut values: Vec<i64> = (families.iter())
                    .map(|f| rig.plan.inputs.column_value(*column, &mut |i| f[i]))
                    .collect();
                values.iter_mut().step_by(2).for_each(|cell| *cell = *value);
                chunks = rig.forged(&chunks, *column, &values);
            }
            let opened = |seed| rig.open.open(count, &rig.evaluated(count, &chunks, seed)).unwrap();
            let (one, other) = (opened([3; 32]), opened([4; 32]));
            let odd = |numbers: &[u32]| numbers[1..].iter().copied().step_by(2).collect::<Vec<_>>();
            assert_eq!(odd(&one), odd(&tiers), "{wrong:?}: who has nothing wrong has its tier");
            // By chance 0.3 open to a tier, and 0.06 to the same number twice.
            let even = || one.iter().zip(&other).step_by(2);
            let tiers = even().filter(|(number, _)| **number < 5).count();
            let same = even().filter(|(one, other)| one == other).count();
            assert!(tiers <= 5 && same <= 3, "{wrong:?}: {tiers} open to a tier, {same} alike");
        }
    }
}

#[test]
fn the_seed_decides_the_bytes_but_no_honest_number() {
    let policy = shipped("eight-indicators");
    let rig = Rig::with(&policy, Layout::Folded, SHARES, Proofs::On);
    let families = sample(&policy, 1_000);
    let chunks = rig.encrypted(&families);
    let [one, again, other] = [7, 7, 8].map(|seed| rig.evaluated(1_000, &chunks, [seed; 32]));
    assert_eq!(one, again);
    assert_ne!(one, other);
    let opened = |results: &[u8]| rig.open.open(1_000, results).unwrap();
    assert_eq!(opened(&one), opened(&other));
    let off = Rig::with(&policy, Layout::Folded, SHARES, Proofs::Off);
    let chunks = off.encrypted(&families);
    let [one, other] = [7, 8].map(|seed| off.evaluated(1_000, &chunks, [seed; 32]));
    assert_eq!(one, other, "without checks there is nothing to draw");
}

#[test]
fn noise_stays_below_its_bound_with_checks() {
    for (name, layout) in [
        ("nursery", Layout::PerIndicator),
        ("digital-family-card", Layout::Folded),
        ("eight-indicators", Layout::Folded),
        ("mpi", Layout::Folded),
        ("mpi", Layout::PerIndicator),
    ] {
        let policy = shipped(name);
        let rig = Rig::with(&policy, layout, SHARES, Proofs::On);
        let allowed = rig.plan.bound().switched(&rig.plan.parameters).log2();
        let result = rig.results(&with_opt_outs(&policy, &sample(&policy, 4_000)));
        let measured = rig.noise_bits(&result);
        println!("{name} {layout}: noise of a result 2^{measured:.0}, bound 2^{allowed:.1}");
        assert!(measured <= allowed);
    }
}

#[test]
fn a_check_alone_has_the_noise_of_its_factor() {
    // Beside a deep program a check's noise is not seen. Here the result is a check and a sum, over the whole modulus.
    let of = |input| Linear::of(Value::Input(input));
    let mut minus_one = of(0);
    minus_one.add(&Linear::constant(1), -1);
    let program =
        Program { output: of(1).into(), checks: vec![(of(0), minus_one)], ..Program::default() };
    let parameters = Parameters::fixed(&program, 8_192, 172, 4, 2);
    let keys = crate::keys::generate(&parameters, [0; 32]).unwrap();
    let encryptor = Encryptor::new(&parameters, &keys.public).unwrap();
    let kernel = Kernel::new(&parameters, &keys.evaluation).unwrap();
    let basis = basis(parameters.degree, &parameters.moduli().0).unwrap();
    let open = BfvOpen::over(basis, parameters.shares, &keys.secret).unwrap();
    let slots = slots(parameters.degree).unwrap();
    let factors = Stream::derive("test", &[]).nonzero(parameters.degree);
    let columns: [Vec<i64>; 2] = [vec![0, 1, 2, 7], vec![3, 4, 5, 6]];
    let inputs = columns.iter().map(|column| encryptor.column(column, 0).unwrap()).collect();
    let (result, products) = kernel.run(&program, inputs, &|_| slots.encode(&factors, 0));
    let opened = open.slots(&result[0], &result[1]);
    let expected = [3, 4, 5 + 2 * factors[2], 6 + 42 * factors[3], 0];
    for (number, expected) in opened.iter().zip(expected) {
        assert_eq!(*number as i64, expected.rem_euclid(65_537));
    }
    assert_eq!(products, 1);
    let measured = noise_bits(kernel.basis(), &open.phase(&result[0], &result[1]));
    let plain = Program { checks: Vec::new(), ..program.clone() };
    let [bound, plain] = [&program, &plain].map(|p| NoiseBound::of(p, &parameters).result.log2());
    println!("a check: noise 2^{measured:.0}, bound 2^{bound:.1}, without it 2^{plain:.1}");
    assert!(measured <= bound && measured >= bound - 24.0 && plain < 20.0);
}

#[test]
fn plans_with_and_without_checks_are_told_apart() {
    let policy = shipped("nursery");
    let [off, on] = PROOFS.map(|proofs| plan(&policy, Layout::Folded, proofs).summary());
    assert_ne!(off.hash, on.hash);
    assert_eq!(off.operations.tier, on.operations.tier);
    assert!(off.engine.parameters.ends_with("checks=off"));
    assert!(on.engine.parameters.ends_with("checks=on"));
    // A check is part of what is hashed.
    let mut other = plan(&policy, Layout::Folded, Proofs::On);
    other.program.checks.pop();
    assert_ne!(other.summary().hash, on.hash);
}

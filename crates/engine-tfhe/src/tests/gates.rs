//! What takes a tier's place, on the torus: every tier, every code, every bit, with errors in front of every lookup.

use super::{SHARES, errors, in_the_clear, number, plan, with_required};
use crate::TfhePlan;
use crate::lower::lower;
use blindtier_engine::{Plan, Proofs};
use blindtier_policy::Policy;
use blindtier_policy::circuit::{Column, Linear, Operand, Source, Step};
use blindtier_policy::passes::Layout;

/// A policy with 13 tiers that one agency decides alone, and so many agencies beside it of which each has a value that is
/// required and decides nothing.
fn thirteen(required: usize, opt_out: bool) -> Policy {
    let names: Vec<String> = (0..13).map(|t| format!("\"t{t}\"")).collect();
    let names = names.join(", ");
    let mut source = format!(
        r#"
        blindtier = "1"
        name = "thirteen"
        title = "Thirteen"
        tiers = [{names}]
        [agencies]
        tax = {{ label = "Tax" }}
        "#
    );
    for agency in 0..required {
        source += &format!("a{agency} = {{ label = \"A\" }}\n");
    }
    source += &format!(
        "[indicators.level]\nagency = \"tax\"\nlevels = [{names}]\nmissing = \"t0\"\n[tier]\nfrom = \"level\"\n"
    );
    for agency in 0..required {
        source += &format!(
            "[indicators.i{agency}]\nagency = \"a{agency}\"\nlevels = [\"no\", \"yes\"]\nmissing = \"undecided\"\n\
             [[reasons]]\nid = \"r{agency}\"\nlabel = \"R\"\nwhen = {{ i{agency} = \"yes\" }}\n"
        );
    }
    let result = if opt_out { "neutral" } else { "not-offered" };
    source += &format!("[opt_out]\nresult = \"{result}\"\n");
    Policy::parse("thirteen.toml", &source).unwrap()
}

/// Its plan, with one lookup that gives the tier.
fn plan_of_thirteen(policy: &Policy, proofs: Proofs) -> TfhePlan {
    let mut plan = TfhePlan::new(policy, Layout::Folded, SHARES, proofs).unwrap();
    let inputs = &mut plan.circuit.inputs;
    let Source::Table { nodes, .. } = &inputs.columns[0].source else { panic!("a table") };
    let source = Source::Table { nodes: nodes.clone(), outputs: (0..13).collect() };
    let column = Column::new(&inputs.graph, source);
    inputs.columns.retain(Column::is_gate);
    inputs.columns.insert(0, column);
    let table = (0..13).map(Some).collect();
    plan.circuit.steps = vec![Step::Lookup { input: Linear::of(Operand::Column(0)), table }];
    plan.circuit.output = Linear::of(Operand::Step(0));
    plan.program = lower(&plan.circuit, proofs).unwrap();
    plan
}

/// Every tier with every choice of bits given, and every pattern of errors.
fn check(policy: &Policy, plan: &TfhePlan, unknown: &[Vec<bool>]) {
    let lookups = plan.program.lookups.len();
    let say_no: &[i64] =
        if plan.circuit.inputs.opt_out_column().is_some() { &[0, 1] } else { &[0] };
    for pattern in 0..3usize.pow(lookups as u32) {
        let pattern: Vec<i64> =
            (0..lookups).map(|l| (pattern / 3usize.pow(l as u32) % 3) as i64 - 1).collect();
        let errors = errors(&plan.program, &pattern);
        for tier in 0..13 {
            for unknown in unknown {
                for said_no in say_no {
                    let mut values = vec![tier];
                    values.extend(unknown.iter().map(|unknown| if *unknown { 2 } else { 1 }));
                    values.push(*said_no);
                    let found = in_the_clear(plan, &values, &errors);
                    assert_eq!(found, number(policy, &values), "{values:?} {pattern:?}");
                }
            }
        }
    }
}

fn all_choices(bits: usize) -> Vec<Vec<bool>> {
    (0..1usize << bits)
        .map(|choice| (0..bits).map(|bit| choice >> bit & 1 == 1).collect())
        .collect()
}

#[test]
fn gates_are_right_for_every_tier_code_and_bit() {
    for (required, opt_out, lookups) in
        [(0, false, 1), (0, true, 2), (1, false, 2), (1, true, 3), (2, false, 3), (3, true, 4)]
    {
        let policy = thirteen(required, opt_out);
        for proofs in [Proofs::Off, Proofs::On] {
            let plan = plan_of_thirteen(&policy, proofs);
            assert_eq!(plan.program.lookups.len(), lookups, "{required} {opt_out}");
            let operations = plan.summary().operations;
            assert_eq!(operations.opt_out, u32::from(opt_out));
            assert_eq!(operations.tier + operations.opt_out, lookups as u32);
            check(&policy, &plan, &all_choices(required));
        }
    }
}

#[test]
fn more_agencies_than_a_lookup_tells_apart_may_leave_a_tier_undecided() {
    let agencies = 34;
    let policy = thirteen(agencies, false);
    let plan = plan_of_thirteen(&policy, Proofs::Off);
    // Three groups, one lookup of what they say, the gate.
    assert_eq!(plan.program.lookups.len(), 1 + 3 + 1 + 1);
    let mut choices = vec![vec![false; agencies], vec![true; agencies]];
    for one in [0, 14, 15, 29, 30, 33] {
        let mut choice = vec![false; agencies];
        choice[one] = true;
        choices.push(choice);
    }
    check(&policy, &plan, &choices);
}

/// The first of two gates reads four times the tier. With many outputs in the tier that is too much noise, and one lookup
/// more makes it small again.
#[test]
fn a_noisy_tier_is_refreshed_before_its_gates() {
    let source = r#"
        blindtier = "1"
        name = "close"
        title = "Close"
        tiers = ["a", "b", "c", "d"]
        [agencies]
        tax = { label = "Tax" }
        bank = { label = "Bank" }
        [indicators.x]
        agency = "tax"
        integer = { min = 0, max = 150, missing = 0 }
        [indicators.y]
        agency = "bank"
        integer = { min = 0, max = 150, missing = 0 }
        [scores.s]
        weights = { x = 1, y = 1 }
        [cuts.c]
        score = "s"
        classes = ["a", "b", "c", "d"]
        at = [100, 101, 102]
        [tier]
        from = "c"
        [opt_out]
        result = "neutral"
    "#;
    let one_gate = Policy::parse("close.toml", source).unwrap();
    let two_gates = with_required(one_gate.clone());
    let tier = 9;
    assert_eq!(plan(&one_gate, Layout::Folded).program.lookups.len(), tier + 1);
    let plan = plan(&two_gates, Layout::Folded);
    assert_eq!(plan.program.lookups.len(), tier + 3);
    for pattern in [vec![0], vec![1], vec![-1], vec![1, -1], vec![-1, 1, 0], vec![1, 1, -1, -1]] {
        let errors = errors(&plan.program, &pattern);
        for (x, y) in [(0, 0), (50, 49), (50, 50), (1, 100), (2, 100), (150, 150), (151, 30)] {
            for said_no in [0, 1] {
                let values = [x, y, said_no];
                let found = in_the_clear(&plan, &values, &errors);
                assert_eq!(found, number(&two_gates, &values), "{values:?} {pattern:?}");
            }
        }
    }
}

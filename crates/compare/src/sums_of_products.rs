//! A bfv program as JSON, for another library that computes the same sums of products.

use blindtier_engine_bfv::{Linear, PLAINTEXT, Parameters, Program, Value};
use serde_json::{Value as Json, json};

/// A program with its clear columns and what every row has to give, in `0..t`. The program has no checks.
pub fn sums_of_products(
    name: &str,
    title: &str,
    program: &Program,
    parameters: &Parameters,
    columns: &[Vec<i64>],
) -> Json {
    let form = |form: &Linear| {
        let terms = form.terms.iter().map(|(value, coefficient)| match value {
            Value::Input(i) => json!(["input", i, coefficient]),
            Value::Node(n) => json!(["node", n, coefficient]),
        });
        json!({ "constant": form.constant, "terms": terms.collect::<Vec<_>>() })
    };
    // The last sum is a node like the others here, and the output is that node.
    let Program { nodes, output, .. } = program;
    let last = Linear::of(Value::Node(nodes.len()));
    let nodes = nodes.iter().chain([output]).map(|node| {
        let products = node.products.iter().map(|(a, b)| json!([form(a), form(b)]));
        json!({ "products": products.collect::<Vec<_>>(), "linear": form(&node.linear) })
    });
    json!({
        "name": name,
        "title": title,
        "plaintext_modulus": PLAINTEXT,
        "ring_dimension": parameters.degree,
        "modulus_bits": parameters.modulus_bits,
        "inputs": columns.len(),
        "nodes": nodes.collect::<Vec<_>>(),
        "output": form(&last),
        "columns": columns,
        "expected": expected(program, columns),
    })
}

/// What every row has to give, in `0..t`.
pub fn expected(program: &Program, columns: &[Vec<i64>]) -> Vec<i64> {
    let modulus = i64::try_from(PLAINTEXT).unwrap_or(i64::MAX);
    let rows = columns.first().map_or(0, Vec::len);
    let row = |row: usize| {
        let inputs: Vec<i64> = columns.iter().filter_map(|c| c.get(row)).copied().collect();
        program.simulate(&inputs, &[]).rem_euclid(modulus)
    };
    (0..rows).map(row).collect()
}

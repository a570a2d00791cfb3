//! What a demo ends with: agreement with the clear twin, cost, and what each party sent.

use super::super::error::CliError;
use super::super::output::Output;
use super::Stage;
use super::parties::Outcome;
use blindtier_policy::passes::Layout;
use comfy_table::Table;
use comfy_table::presets::UTF8_FULL_CONDENSED;
use serde_json::{Map, Value, json};

/// Prints the outcome, and fails when a tier differs from the clear twin's.
pub(super) fn report(stage: &Stage, outcome: &Outcome, output: Output) -> Result<(), CliError> {
    let families = outcome.expected.len();
    let tiers = &stage.policy.tiers;
    let expected: Vec<&str> = outcome
        .expected
        .iter()
        .map(|t| tiers.get(usize::from(*t)).map_or("", |tier| tier.id.as_str()))
        .collect();
    let agree = expected.iter().zip(&outcome.tiers).filter(|(e, t)| *e == t).count();
    let disagree = families - agree;
    let count = |id: &str| outcome.tiers.iter().filter(|t| *t == id).count();
    let divisor = u64::try_from(families).unwrap_or(u64::MAX).max(1);
    let lookups = if outcome.counted == "lookups" { outcome.operations / divisor } else { 0 };
    let upload = outcome.upload.div_ceil(divisor);
    let results = outcome.results.div_ceil(divisor);
    let [keygen, encrypt, evaluate, recompute, open] = outcome.seconds;
    let by_tier: Map<String, Value> =
        tiers.iter().map(|t| (t.id.clone(), json!(count(&t.id)))).collect();
    let mut object = json!({
        "policy": stage.policy.name,
        "policy_hash": stage.policy.hash().to_string(),
        "engine": stage.engine.name(),
        "layout": Layout::from(stage.layout).to_string(),
        "families": families,
        "agree": agree,
        "disagree": disagree,
        "lookups_per_family": lookups,
        "seconds": { "keygen": keygen, "encrypt": encrypt, "evaluate": evaluate, "recompute": recompute, "open": open },
        "bytes": {
            "upload_per_family": upload,
            "evaluation_key": outcome.evaluation_key,
            "result_per_family": results,
        },
        "tiers": by_tier,
        "trustees": stage.sharing.to_string(),
        "killed": outcome.killed,
        "files_audited": outcome.files_checked,
        "peak_memory_bytes": { "evaluator": outcome.evaluator_memory },
    });
    let per_chunk = outcome.operations / outcome.chunks.max(1);
    if let ("multiplications", Some(fields)) = (outcome.counted, object.as_object_mut()) {
        fields.insert("multiplications_per_chunk".into(), json!(per_chunk));
        fields.insert("chunks".into(), json!(outcome.chunks));
    }
    output.report(&object, || {
        let mut found = table(&["tier", "families", "agree with the clear twin"]);
        for tier in tiers {
            let right = expected
                .iter()
                .zip(&outcome.tiers)
                .filter(|(e, t)| **e == tier.id && *t == &tier.id)
                .count();
            let should = expected.iter().filter(|e| **e == tier.id).count();
            found.add_row(vec![
                tier.id.clone(),
                count(&tier.id).to_string(),
                format!("{right} of {should}"),
            ]);
        }
        let mut cost = table(&["cost", "a family", "in all"]);
        #[allow(clippy::cast_precision_loss, reason = "for people")]
        let each = |seconds: f64| match 1e6 * seconds / divisor as f64 {
            small if small < 1000.0 => format!("{small:.1} µs"),
            micros => format!("{:.1} ms", micros / 1000.0),
        };
        let share = match outcome.counted {
            "lookups" => lookups.to_string(),
            _ => format!("{per_chunk} a chunk"),
        };
        cost.add_row(vec![outcome.counted.to_owned(), share, outcome.operations.to_string()]);
        for (what, seconds) in [
            ("key generation", keygen),
            ("encryption", encrypt),
            ("evaluation", evaluate),
            ("recomputing, by all trustees that open", recompute),
            ("opening, by all trustees that open", open),
        ] {
            let each = if what == "key generation" { "—".to_owned() } else { each(seconds) };
            cost.add_row(vec![what.to_owned(), each, format!("{seconds:.2} s")]);
        }
        let mut sent = table(&["party", "sends", "bytes"]);
        for (party, what, bytes) in &outcome.sent {
            sent.add_row(vec![party.clone(), (*what).to_owned(), bytes.to_string()]);
        }
        let verdict = if disagree == 0 {
            format!("all {families} opened tiers are those of the clear twin")
        } else {
            format!("{disagree} of {families} opened tiers DIFFER from the clear twin")
        };
        let letter: Vec<String> = outcome.letter.iter().map(|line| format!("  {line}")).collect();
        let letter = letter.join("\n");
        format!("{found}\n{cost}\n{sent}\nthe first family's letter:\n{letter}\n{verdict}")
    })?;
    if disagree == 0 { Ok(()) } else { Err(CliError::Disagree { disagree, families }) }
}

fn table(header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(UTF8_FULL_CONDENSED).set_header(header.to_vec());
    table
}

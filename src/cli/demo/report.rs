//! What a demo ends with: agreement with the clear twin, cost, and what each party sent.

use super::super::error::CliError;
use super::super::output::Output;
use super::super::policy::english;
use super::super::round_report;
use super::Stage;
use super::parties::{Outcome, Sent};
use super::statistics::Counted;
use blindtier_engine::{Operations, Proofs};
use blindtier_policy::passes::Layout;
use blindtier_policy::{INVALID, OPTED_OUT, UNDECIDED};
use blindtier_report::RoundReport;
use blindtier_wire::{Board, Digest, TrustFile};
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
        .map(|number| stage.policy.code(*number).id(&stage.policy).unwrap_or_default())
        .collect();
    let agree = expected.iter().zip(&outcome.tiers).filter(|(e, t)| *e == t).count();
    let disagree = families - agree;
    let count = |id: &str| outcome.tiers.iter().filter(|t| *t == id).count();
    let divisor = u64::try_from(families).unwrap_or(u64::MAX).max(1);
    let Operations { opt_out, checks, .. } = stage.operations()?;
    let all_lookups = if outcome.counted == "lookups" { outcome.operations / divisor } else { 0 };
    let lookups = all_lookups.saturating_sub(u64::from(opt_out));
    let [upload, opt_out_upload] = outcome.upload.map(|bytes| bytes.div_ceil(divisor));
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
        "opt_out_lookups_per_family": opt_out,
        "proofs": stage.proofs == Proofs::On,
        "linkage": outcome.linkage,
        "seconds": { "keygen": keygen, "encrypt": encrypt, "evaluate": evaluate, "recompute": recompute, "open": open },
        "bytes": {
            "upload_per_family": upload,
            "opt_out_upload_per_family": opt_out_upload,
            "evaluation_key": outcome.evaluation_key,
            "result_per_family": results,
        },
        "tiers": by_tier,
        "opted_out": count(OPTED_OUT),
        "undecided": count(UNDECIDED),
        "invalid": count(INVALID),
        "trustees": stage.sharing.to_string(),
        "killed": outcome.killed,
        "files_audited": outcome.files_checked,
        "peak_memory_bytes": outcome.memory,
    });
    let per_chunk = (outcome.operations / outcome.chunks.max(1)).saturating_sub(u64::from(checks));
    if let ("multiplications", Some(fields)) = (outcome.counted, object.as_object_mut()) {
        fields.insert("multiplications_per_chunk".into(), json!(per_chunk));
        fields.insert("checks_per_chunk".into(), json!(checks));
        fields.insert("chunks".into(), json!(outcome.chunks));
    }
    let ids: Vec<String> = tiers.iter().map(|tier| tier.id.clone()).collect();
    let mut counts_agree = true;
    if let (Some(counted), Some(fields)) = (&outcome.statistics, object.as_object_mut()) {
        let minimum = counted.answer.get("minimum_cell").and_then(Value::as_i64).unwrap_or(0);
        counts_agree = counted.noise || counted.agrees(&ids, minimum);
        let exact: Map<String, Value> = counted
            .cells(&ids)
            .into_iter()
            .map(|(name, cells)| {
                let exact = cells.into_iter().map(|(_, exact)| json!(exact));
                (name, Value::Object(ids.iter().cloned().zip(exact).collect()))
            })
            .collect();
        let [count, answer] = counted.seconds;
        fields.insert(
            "statistics".into(),
            json!({
                "answer": counted.answer,
                "exact": exact,
                "agree": counts_agree && !counted.noise,
                "largest_distance": counted.largest_distance(&ids),
                "privacy": counted.privacy,
                "multiplications": counted.operations,
                "seconds": { "count": count, "answer": answer },
            }),
        );
    }
    output.report(&object, || {
        let mut found = table(&["tier", "families", "agree with the clear twin"]);
        let reserved = [OPTED_OUT, UNDECIDED, INVALID];
        let shown = reserved.into_iter().filter(|id| expected.contains(id) || count(id) > 0);
        for id in tiers.iter().map(|tier| tier.id.as_str()).chain(shown) {
            let right =
                expected.iter().zip(&outcome.tiers).filter(|(e, t)| **e == id && *t == id).count();
            let should = expected.iter().filter(|e| **e == id).count();
            let row = [id.to_owned(), count(id).to_string(), format!("{right} of {should}")];
            found.add_row(row.to_vec());
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
        let number = u64::from(opt_out) * divisor + u64::from(checks) * outcome.chunks;
        let tier_alone = outcome.operations.saturating_sub(number);
        cost.add_row(vec![outcome.counted.to_owned(), share, tier_alone.to_string()]);
        for (what, each, all) in [
            ("for opt-out", opt_out.to_string(), u64::from(opt_out) * divisor),
            ("for checks", format!("{checks} a chunk"), u64::from(checks) * outcome.chunks),
        ] {
            if all > 0 {
                let what = format!("{} {what}", outcome.counted);
                cost.add_row(vec![what, each, all.to_string()]);
            }
        }
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
            format!("all {families} answers are those of the clear twin")
        } else {
            format!("{disagree} of {families} answers DIFFER from the clear twin")
        };
        let letter: Vec<String> =
            outcome.letter.iter().map(|line| format!("  {line}").trim_end().to_owned()).collect();
        let letter = letter.join("\n");
        let counts = outcome.statistics.as_ref().map(|counted| counts(counted, &ids));
        let counts = counts.unwrap_or_default();
        format!("{found}\n{cost}\n{sent}\n{counts}the first family's letter:\n{letter}\n{verdict}")
    })?;
    match (disagree, counts_agree) {
        (0, true) => Ok(()),
        (0, false) => Err(CliError::DisagreeingCounts),
        _ => Err(CliError::Disagree { disagree, families }),
    }
}

/// The round as a page. A simulation knows what nobody in a round does: how many families have which tier.
pub(super) fn page(stage: &Stage, outcome: &Outcome) -> Result<RoundReport, CliError> {
    let policy = &stage.policy;
    let trust = TrustFile::read(&stage.work.join("public/trust.toml"))?;
    let board = Board::new(stage.work.join("board"));
    let shown = blindtier_auditor::show(&board, Digest(policy.hash().0), &trust)?;
    let mut page = round_report::of_board(policy, &board, &shown.round, &shown.ledger)?;
    page.simulated = true;
    let told = |id: &str| outcome.tiers.iter().filter(|tier| *tier == id).count() as u64;
    let tiers = policy.tiers.iter().map(|tier| (tier.id.as_str(), english(&tier.label)));
    let reserved = [(OPTED_OUT, "Opted out"), (UNDECIDED, "Undecided"), (INVALID, "Invalid")];
    let beside = reserved.into_iter().filter(|(id, _)| told(id) > 0);
    page.answers = tiers.chain(beside).map(|(id, label)| (label.to_owned(), told(id))).collect();
    let [keygen, encrypt, evaluate, recompute, open] = outcome.seconds;
    let mut phases = vec![
        ("key generation", keygen),
        ("encryption", encrypt),
        ("evaluation", evaluate),
        ("recomputing, by all trustees that open", recompute),
        ("opening, by all trustees that open", open),
    ];
    if let Some(counted) = &outcome.statistics {
        let [count, answer] = counted.seconds;
        phases.push(("counting", count));
        phases.push(("answering, by all trustees", answer));
        page.operations.push(("multiplications for statistics".into(), counted.operations));
    }
    page.phases = phases.into_iter().map(|(what, time)| (what.to_owned(), time)).collect();
    page.operations.insert(0, (outcome.counted.to_owned(), outcome.operations));
    let off_the_board =
        |(_, what, _): &&Sent| what.starts_with("sealed") || *what == "blinded persons";
    let more = outcome.sent.iter().filter(off_the_board);
    page.sent.extend(more.map(|(party, what, bytes)| (party.clone(), (*what).to_owned(), *bytes)));
    page.notes
        .push("The families and all parties of this round are simulated on one machine.".into());
    Ok(page)
}

/// The numbers of families of each region by tier, beside the clear twin's.
fn counts(counted: &Counted, tiers: &[String]) -> String {
    let header: Vec<&str> =
        std::iter::once("region").chain(tiers.iter().map(String::as_str)).collect();
    let mut shown = table(&header);
    for (name, cells) in counted.cells(tiers) {
        let cells = cells.into_iter().map(|(opened, exact)| match opened {
            Some(opened) if counted.noise => format!("{opened} (exactly {exact})"),
            Some(opened) => opened.to_string(),
            None => format!("not shown (exactly {exact})"),
        });
        shown.add_row(std::iter::once(name).chain(cells).collect::<Vec<_>>());
    }
    let of = |field: &str| counted.privacy.get(field).and_then(Value::as_str).unwrap_or_default();
    let budget = format!("privacy budget: {} of {} spent", of("spent"), of("budget"));
    let how = if counted.noise {
        format!("{budget}; shown numbers are at most {} off", counted.largest_distance(tiers))
    } else {
        "without noise: all numbers that are shown are the clear twin's".to_owned()
    };
    format!("{shown}\n{how}\n")
}

fn table(header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(UTF8_FULL_CONDENSED).set_header(header.to_vec());
    table
}

//! An estimate as text and as JSON.

use blindtier_estimate::{InAll, Memory, Plan, Round, Seconds, Sent, Submitting};
use blindtier_report::units::{Unit, count, float};
use comfy_table::Table;
use comfy_table::presets::UTF8_FULL_CONDENSED;
use serde_json::{Map, Value, json};

/// What is shown.
pub struct Shown {
    pub round: Round,
    pub bytes: Vec<Sent>,
    pub memory: Memory,
    pub seconds: Option<Seconds>,
}

impl Shown {
    pub fn text(&self) -> Vec<String> {
        let round = &self.round;
        let mut lines = vec![format!(
            "  a round of {} families in {} chunks, {} cores: {} {}",
            count(round.families),
            count(round.chunks()),
            round.cores,
            count(round.operations.all),
            round.operations.name,
        )];
        if let Some(seconds) = &self.seconds {
            lines.push(times(round, seconds).to_string());
        }
        let mut sent = table(&["party", "sends", "files", "bytes"]);
        for Sent { party, what, files, bytes, .. } in &self.bytes {
            let name = what.name().replace('_', " ");
            sent.add_row(vec![party.clone(), name, count(*files), count(*bytes)]);
        }
        lines.push(sent.to_string());
        let Memory { evaluator, agency, trustee } = self.memory;
        let show = |bytes| Unit::Bytes.show(float(bytes));
        lines.push(format!(
            "  peak memory, about: evaluator {}, agency {}, trustee {}",
            show(evaluator),
            show(agency),
            show(trustee)
        ));
        lines
    }

    pub fn json(&self) -> Value {
        let round = &self.round;
        let mut parties: Map<String, Value> = Map::new();
        let (mut public, mut all) = (0u64, 0u64);
        for Sent { party, what, files, bytes, payload } in &self.bytes {
            all = all.saturating_add(*bytes);
            if what.is_public() {
                public = public.saturating_add(*bytes);
            }
            let entry = parties.entry(party.clone()).or_insert_with(|| json!({}));
            if let Some(entry) = entry.as_object_mut() {
                let one = json!({ "files": files, "bytes": bytes, "payload": payload });
                entry.insert(what.name().into(), one);
            }
        }
        let Memory { evaluator, agency, trustee } = self.memory;
        json!({
            "families": round.families,
            "cores": round.cores,
            "chunks": round.chunks(),
            "trustees": round.trustees.len(),
            "opening_trustees": round.openers,
            round.operations.name: round.operations.all,
            "bytes": { "public": public, "all": all, "by_party": parties },
            "peak_memory_bytes": { "evaluator": evaluator, "agency": agency, "trustee": trustee },
            "seconds": self.seconds.as_ref().map(seconds_json),
        })
    }
}

fn seconds_json(seconds: &Seconds) -> Value {
    let Seconds { start, keys, submitters, in_all, .. } = seconds;
    let keys: Map<String, Value> = keys.iter().map(|(name, s)| (name.clone(), json!(s))).collect();
    let submitters: Map<String, Value> = submitters
        .iter()
        .map(|Submitting { party, encrypt, seal, hand_over }| {
            let times = json!({ "encrypt": encrypt, "seal_levels": seal, "hand_over": hand_over });
            (party.clone(), times)
        })
        .collect();
    let InAll { keygen, encrypt, evaluate, recompute, open } = in_all;
    json!({
        "start": start,
        "keys": keys,
        "submitters": submitters,
        "register_each_trustee": seconds.register,
        "check": seconds.check,
        "evaluate": seconds.evaluate,
        "recompute_each_trustee": seconds.recompute,
        "open_each_trustee": seconds.open,
        "combine_each_trustee": seconds.combine,
        "seal_letters_each_trustee": seconds.seal,
        "in_all": {
            "keygen": keygen,
            "encrypt": encrypt,
            "evaluate": evaluate,
            "recompute": recompute,
            "open": open,
        },
    })
}

/// Every step of every party.
fn times(round: &Round, seconds: &Seconds) -> Table {
    let show = |s: f64| Unit::Seconds.show(s);
    let mut times = table(&["step", "each party", "all, one after the other"]);
    let mut row = |step: &str, each: String, all: String| {
        times.add_row(vec![step.to_owned(), each, all]);
    };
    let InAll { keygen, encrypt, evaluate, recompute, open } = seconds.in_all;
    let longest = |times: &mut dyn Iterator<Item = f64>| times.fold(0.0, f64::max);
    let keys = longest(&mut seconds.keys.iter().map(|(_, s)| *s));
    let who = if round.plan == Plan::Tfhe { "the dealer" } else { "the slowest trustee" };
    row("key ceremony", format!("{who} {}", show(keys)), show(keygen));
    let submitters = &seconds.submitters;
    let encrypting = longest(&mut submitters.iter().map(|s| s.encrypt));
    let sealing = longest(&mut submitters.iter().map(|s| s.seal));
    let handing = longest(&mut submitters.iter().map(|s| s.hand_over));
    row("encrypting", format!("the slowest {}", show(encrypting)), String::new());
    row("sealing levels", format!("the slowest {}", show(sealing)), String::new());
    row("registering", show(seconds.register), String::new());
    row("handing over", format!("the slowest {}", show(handing)), show(encrypt));
    row("checking submissions", show(seconds.check), String::new());
    row("evaluating", show(evaluate), show(evaluate));
    row("recomputing", show(seconds.recompute), show(recompute));
    row("preparing and answering results", show(seconds.open), String::new());
    row("combining", show(seconds.combine), String::new());
    row("sealing letters", show(seconds.seal), show(open));
    row("starting a command, planning", show(seconds.start), String::new());
    times
}

fn table(header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(UTF8_FULL_CONDENSED).set_header(header.to_vec());
    table
}

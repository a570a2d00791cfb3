//! What a round's ledger says about groups of families, for people and as JSON.

use blindtier_ledger::{Ledger, thousandths};
use blindtier_policy::Policy;
use blindtier_wire::{Question, Round};
use comfy_table::presets::UTF8_FULL_CONDENSED;
use comfy_table::{CellAlignment, Table};
use serde_json::{Map, Value, json};

/// One answered question.
pub struct Answered<'a> {
    policy: &'a Policy,
    round: &'a Round,
    question: &'a Question,
    cells: &'a [Vec<i64>],
}

/// The answered questions of a ledger, in order.
pub fn answered<'a>(policy: &'a Policy, round: &'a Round, ledger: &'a Ledger) -> Vec<Answered<'a>> {
    let questions = ledger.questions().map(|(_, question)| question);
    let answers = questions.zip(ledger.answers());
    answers.map(|(question, cells)| Answered { policy, round, question, cells }).collect()
}

impl Answered<'_> {
    fn minimum(&self) -> i64 {
        self.round.statistics.as_ref().map_or(0, |s| i64::from(s.minimum_cell))
    }

    fn noise(&self) -> bool {
        self.round.statistics.as_ref().is_some_and(|statistics| statistics.noise)
    }

    /// The standard deviation of a number: every share adds two-sided geometric noise in every part.
    fn deviation(&self) -> f64 {
        if !self.noise() {
            return 0.0;
        }
        let rate = (-f64::from(self.question.epsilon) / 1000.0).exp();
        let parts = self.round.parts(self.question).map_or(1, |parts| parts.count());
        let times = f64::from(self.round.sharing.shares()) * f64::from(parts);
        (times * 2.0 * rate).sqrt() / (1.0 - rate)
    }

    /// Each group's name with its numbers; `None` for one that is too small to be shown.
    pub fn rows(&self) -> impl Iterator<Item = (&str, Vec<Option<i64>>)> {
        let names = self.round.statistics.as_ref().map_or(&[][..], |s| s.groups.as_slice());
        let name = |group: &u32| names.get(*group as usize).map_or("", String::as_str);
        let shown = |number: &i64| (*number >= self.minimum()).then_some(*number);
        let rows = self.question.groups.iter().map(name).zip(self.cells);
        rows.map(move |(name, cells)| (name, cells.iter().map(shown).collect()))
    }

    /// As JSON: for each group the number of every tier, `null` where it is not shown.
    pub fn object(&self) -> Value {
        let tiers = || self.policy.tiers.iter().map(|tier| tier.id.clone());
        let groups: Map<String, Value> = self
            .rows()
            .map(|(name, cells)| {
                let cells: Map<String, Value> =
                    tiers().zip(cells.into_iter().map(|cell| json!(cell))).collect();
                (name.to_owned(), Value::Object(cells))
            })
            .collect();
        json!({
            "groups": groups,
            "epsilon": thousandths(self.question.epsilon),
            "noise": self.noise(),
            "standard_deviation": (self.deviation() * 10.0).round() / 10.0,
            "minimum_cell": self.minimum(),
        })
    }

    /// As a table, with what has to be known to read it.
    pub fn text(&self) -> String {
        let mut table = Table::new();
        table.load_style(UTF8_FULL_CONDENSED);
        let tiers = self.policy.tiers.iter().map(|tier| tier.id.clone());
        table.set_header(std::iter::once("group".to_owned()).chain(tiers));
        for column in table.column_iter_mut().skip(1) {
            column.set_cell_alignment(CellAlignment::Right);
        }
        for (name, cells) in self.rows() {
            let cells = cells.into_iter().map(|cell| match cell {
                Some(number) => number.to_string(),
                None => format!("< {}", self.minimum()),
            });
            table.add_row(std::iter::once(name.to_owned()).chain(cells));
        }
        format!("{table}\n{}", self.description())
    }

    /// What has to be known to read the numbers.
    pub fn description(&self) -> String {
        if !self.noise() {
            return "exact numbers, of simulated families".to_owned();
        }
        format!(
            "numbers have noise with a standard deviation of {:.1} (epsilon {} from every share of the key)",
            self.deviation(),
            thousandths(self.question.epsilon)
        )
    }
}

/// What a ledger says of the privacy budget; `None` for a round without statistics.
pub fn budget(round: &Round, ledger: &Ledger) -> Option<Value> {
    let statistics = round.statistics.as_ref()?;
    Some(json!({
        "budget": thousandths(statistics.budget),
        "spent": thousandths(ledger.spent()),
        "questions": ledger.questions().count(),
    }))
}

//! Registers in any order, joined in memory.

use super::Target;
use super::register::{Form, Record, Register};
use super::roster::{Entry, Roster};
use crate::SimulateError;
use std::collections::HashMap;

/// What is known of one family so far.
#[derive(Default)]
struct Gathered {
    /// How many families appeared before.
    order: usize,
    /// One a register.
    records: Vec<Option<Record>>,
    entry: Option<Entry>,
}

/// All families by identifier.
#[derive(Default)]
struct Table {
    families: HashMap<String, Gathered>,
}

/// Reads one register after another and then the file of families into the target.
pub(crate) fn gather(
    registers: Vec<Register<'_>>,
    roster: Option<&mut Roster>,
    target: &mut Target<'_>,
) -> Result<(), SimulateError> {
    let mut table = Table::default();
    let mut forms: Vec<Form<'_>> = Vec::with_capacity(registers.len());
    let count = registers.len();
    for (number, Register { mut source, form }) in registers.into_iter().enumerate() {
        while source.advance()? {
            let row = source.count.to_string();
            let id = match form.family(&source)? {
                "" => row.as_str(),
                id => id,
            };
            let family = table.family(id);
            family.records.resize_with(count, || None);
            match family.records.get_mut(number) {
                Some(Some(record)) => form.add(&source, record)?,
                Some(place) => *place = Some(form.begin(&source)?),
                None => {}
            }
        }
        forms.push(form);
    }
    if let Some(roster) = roster {
        while let Some(entry) = roster.next()? {
            let family = table.family(&entry.id);
            if family.entry.is_some() {
                return Err(roster.repeated(&entry.id));
            }
            family.entry = Some(entry);
        }
    }
    for family in table.in_order() {
        let records: Vec<Option<&Record>> = family.records.iter().map(Option::as_ref).collect();
        target.add(&forms, &records, family.entry.as_ref())?;
    }
    Ok(())
}

impl Table {
    fn family(&mut self, id: &str) -> &mut Gathered {
        let order = self.families.len();
        self.families
            .entry(id.to_owned())
            .or_insert_with(|| Gathered { order, ..Gathered::default() })
    }

    fn in_order(self) -> Vec<Gathered> {
        let mut families: Vec<Gathered> = self.families.into_values().collect();
        families.sort_unstable_by_key(|family| family.order);
        families
    }
}

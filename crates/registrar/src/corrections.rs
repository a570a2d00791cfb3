//! A round that decides some slots of an earlier one anew.

use crate::{Population, RegistrarError};
use blindtier_wire::{Correction, LetterKeys, RoundId};
use std::collections::HashMap;
use std::path::Path;

/// Which slots of which round are decided anew.
pub struct Corrects<'a> {
    /// The earlier round.
    pub round: RoundId,
    /// Its letter keys by slot, by which the families are found again.
    pub letter_keys: &'a LetterKeys,
    /// The slots, each once.
    pub slots: &'a [u32],
}

impl Corrects<'_> {
    /// As the round file has it.
    pub(crate) fn named(&self) -> Correction {
        Correction { round: self.round, slots: self.slots.to_vec() }
    }

    /// Positions in the population of the families of the slots, in their order.
    pub(crate) fn families(
        &self,
        population: &Population,
        file: &Path,
    ) -> Result<Vec<u32>, RegistrarError> {
        let key_of = |slot: &u32| self.letter_keys.keys.get(*slot as usize);
        // Of these slots only: there are few, and many families.
        let mut found: HashMap<[u8; 32], Option<u32>> =
            self.slots.iter().filter_map(key_of).map(|key| (*key, None)).collect();
        let mut keys = population.letter_keys();
        for family in 0..population.families() {
            if let Some(place) = keys.next()?.and_then(|key| found.get_mut(&key)) {
                *place = Some(family);
            }
        }
        let family = |slot: &u32| {
            let key = key_of(slot)
                .ok_or(RegistrarError::NoSuchSlot { slot: *slot, round: self.round })?;
            found.get(key).copied().flatten().ok_or_else(|| RegistrarError::SlotWithoutFamily {
                file: file.to_owned(),
                slot: *slot,
            })
        };
        self.slots.iter().map(family).collect()
    }
}

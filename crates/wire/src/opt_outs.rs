//! Which slots' families said no.

use crate::envelope::{Context, Expect, Message, read};
use crate::error::{Fault, WireError};
use crate::identity::TrustFile;
use crate::kind::Kind;
use crate::names::PartyName;
use crate::round::Round;
use serde::{Deserialize, Serialize};
use std::path::Path;
use zeroize::ZeroizeOnDrop;

/// Which slots' families said no. Secret; never leaves the registrar, who encrypts it like an agency its indicators.
/// Wiped when dropped.
#[derive(Serialize, Deserialize, ZeroizeOnDrop)]
pub struct OptOuts {
    /// One byte a slot: 1 for a family that said no, else 0.
    #[serde(with = "serde_bytes")]
    pub slots: Vec<u8>,
}

impl Message for OptOuts {
    const KIND: Kind = Kind::OptOuts;

    fn check(&self) -> Result<(), Fault> {
        if self.slots.iter().all(|said_no| *said_no <= 1) {
            return Ok(());
        }
        Err(Fault::Content { detail: "an opt-out is neither 0 nor 1" })
    }
}

impl OptOuts {
    /// Reads the registrar's own list and checks it against the round.
    pub fn read(
        path: &Path,
        round: &Round,
        context: &Context,
        trust: &TrustFile,
    ) -> Result<Self, WireError> {
        let registrar = PartyName::registrar();
        let list = read::<Self>(path, &Expect::of(&registrar, context), trust)?.body;
        if list.slots.len() as u64 != u64::from(round.slots) {
            let detail = "the list does not have an opt-out for every slot";
            return Err(WireError::refused(path, &registrar, Fault::Content { detail }));
        }
        Ok(list)
    }

    /// Whether the family of a slot said no (private); 1 or 0.
    pub fn value(&self, slot: u32) -> i64 {
        self.slots.get(slot as usize).copied().map_or(0, i64::from)
    }
}

//! Sealing to every family the levels that the agency used: what a letter's reasons are computed from.

use crate::{AgencyError, Invitation};
use blindtier_wire::{
    ChunkWriter, Digest, Fault, Kind, LetterKeys, Levels, PartyName, Purpose, SigningIdentity,
    TrustFile, WireError, check_randomness, file_names, seal, write,
};
use rayon::prelude::*;
use std::path::Path;
use zeroize::Zeroizing;

/// Seals the values (private) of the agency's indicators to each slot's letter key, into `output`, for the families.
///
/// `values` gives a slot's values, `count` of them, in the order of the policy. Every slot gets the same size, whatever the
/// register knows of it. Returns the hash of the manifest; levels that are finished are not sealed again.
pub fn seal_levels(
    invitation: &Invitation,
    letter_keys: &Path,
    count: usize,
    mut values: impl FnMut(u32) -> Result<Vec<i64>, AgencyError>,
    output: &Path,
    identity: &SigningIdentity,
    trust: &TrustFile,
) -> Result<Digest, AgencyError> {
    let (round, context) = (&invitation.round, &invitation.context);
    let manifest = output.join(file_names::LEVELS);
    if manifest.exists() {
        return Ok(Levels::read(&manifest, identity.name(), round, context, trust)?.digest);
    }
    let keys = LetterKeys::read(letter_keys, round, context, trust)?;
    let chunking = round
        .chunking()
        .map_err(|fault| WireError::refused(&manifest, &PartyName::registrar(), fault))?;
    check_randomness()?;
    let mut writer = ChunkWriter::new(output, Kind::LevelChunk, context, identity, chunking)?;
    while let Some((chunk, start, slots)) = writer.next_chunk() {
        let own = (start..start + slots)
            .map(|slot| values(slot).map(Zeroizing::new))
            .collect::<Result<Vec<_>, AgencyError>>()?;
        if own.iter().any(|values| values.len() != count) {
            return Err(AgencyError::Shape { chunk, columns: count, slots });
        }
        let places: Vec<_> =
            (start..).zip(keys.keys.iter().skip(start as usize)).zip(own.iter()).collect();
        let sealed = places
            .into_par_iter()
            .map(|((slot, key), values)| {
                let mut plain = Zeroizing::new(Vec::with_capacity(8 * count));
                values.iter().for_each(|value| plain.extend_from_slice(&value.to_le_bytes()));
                let purpose = Purpose::Levels { slot, from: identity.name() };
                seal(key, purpose, context, &plain).ok_or_else(|| {
                    let fault = Fault::Content { detail: "nothing can be sealed to a letter key" };
                    WireError::refused(letter_keys, &PartyName::registrar(), fault).into()
                })
            })
            .collect::<Result<Vec<Vec<u8>>, AgencyError>>()?
            .concat();
        writer.push(sealed, 0)?;
    }
    let values = u32::try_from(count).unwrap_or(u32::MAX);
    let body = Levels { letter_keys: round.letter_keys, values, chunks: writer.finish()? };
    Ok(write(&manifest, &body, context, identity)?)
}

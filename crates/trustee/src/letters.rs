//! Sealing to every family the seeds that only it may know.

use crate::desk::Session;
use crate::error::TrusteeError;
use blindtier_wire::{
    ChunkWriter, Digest, Kind, LetterKeyFile, LetterText, Letters, PartyName, Purpose, Receipt,
    Received, Shares, WireError, check_randomness, file_names, seal, write,
};
use rayon::prelude::*;
use std::path::Path;

/// Seals this trustee's letters, all of one size, into `output`. Returns the hash of their manifest.
pub(crate) fn seal_letters(
    session: &Session<'_>,
    receipt: &Received<Receipt>,
    shares: &Shares,
    output: &Path,
    progress: &(dyn Fn(u64) + Sync),
) -> Result<Digest, TrusteeError> {
    let (desk, round, context) = (session.desk, &session.round, &session.context);
    let file = desk.board.letter_keys();
    let letter_keys = LetterKeyFile::open(&file, round, context, desk.trust)?;
    let results = receipt.body.chunks(&desk.board.receipt(), round, context, desk.trust)?;
    let chunking = round
        .chunking()
        .map_err(|fault| WireError::refused(&file, &PartyName::registrar(), fault))?;
    check_randomness()?;
    let mut writer = ChunkWriter::new(output, Kind::LetterChunk, context, desk.identity, chunking)?;
    let head = session.ledger.head();
    while let Some((chunk, start, count)) = writer.next_chunk() {
        let digest = Digest::of(&results.read(chunk)?.bytes);
        let slots = start..start + count;
        let keys = letter_keys.keys(slots.clone())?;
        let letters = slots
            .into_par_iter()
            .zip(&keys)
            .map(|(slot, key)| {
                let seeds = shares.shares.iter().map(|share| share.seed(&digest, slot)).collect();
                let text = LetterText { head, seeds }.to_bytes();
                let purpose = Purpose::Letter { slot, from: session.name() };
                seal(key, purpose, context, &text)
                    .ok_or_else(|| TrusteeError::Seal { file: file.clone(), slot })
            })
            .collect::<Result<Vec<Vec<u8>>, TrusteeError>>()?;
        writer.push(letters.concat(), 0)?;
        progress(u64::from(start) + u64::from(count));
    }
    let letters = Letters {
        receipt: receipt.digest,
        letter_keys: round.letter_keys,
        chunks: writer.finish()?,
    };
    Ok(write(&output.join(file_names::LETTERS), &letters, context, desk.identity)?)
}

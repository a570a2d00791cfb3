//! Two files that their sender should not both have signed.

use crate::AuditError;
use blindtier_ledger::Entry;
use blindtier_wire::{
    CeremonyMessages, Digest, Fault, Kind, PartyName, RoundId, Signed, TrustFile, storage,
};
use std::path::Path;

/// Two different things that one party signed in one place of one round.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contradiction {
    /// Who signed both.
    pub party: PartyName,
    /// The round.
    pub round: RoundId,
    /// What they are.
    pub kind: Kind,
    /// Which of its kind: the place of a ledger entry, the step of a key ceremony; 0 where a party signs one a round.
    pub place: u32,
    /// The hashes of both files.
    pub files: [Digest; 2],
}

/// The most bytes of a file.
const LIMIT: u64 = (1 << 30) + (1 << 16);

/// Checks that two files contradict each other: signed by the same party, for the same round and place, with different
/// content. Only of a kind that no honest party signs twice, not even after its machine failed.
pub fn contradiction(
    files: [&Path; 2],
    policy: Digest,
    trust: &TrustFile,
) -> Result<Contradiction, AuditError> {
    let open = |file: &Path| -> Result<(Signed, u32), AuditError> {
        let refused = |fault| AuditError::NotSigned { file: file.to_owned(), fault };
        let bytes = storage::read_own(file, LIMIT)?.ok_or_else(|| refused(Fault::Missing))?;
        let signed = Signed::open(&bytes, trust).map_err(refused)?;
        if signed.context.policy != policy {
            let (expected, found) = (policy, signed.context.policy);
            return Err(refused(Fault::Policy { expected, found }));
        }
        let place = place(&signed).map_err(refused)?;
        Ok((signed, place))
    };
    let [first, second] = files;
    let ((one, place), (other, other_place)) = (open(first)?, open(second)?);
    let differs = [
        (one.sender != other.sender, "they are signed by different parties"),
        (one.context.round != other.context.round, "they belong to different rounds"),
        (one.kind != other.kind, "they are of different kinds"),
        (place != other_place, "they are about different entries or steps"),
        (one.digest == other.digest, "they have the same content"),
    ];
    if let Some((_, why)) = differs.into_iter().find(|(holds, _)| *holds) {
        let (one, other) = (first.to_owned(), second.to_owned());
        return Err(AuditError::NoContradiction { one, other, why });
    }
    Ok(Contradiction {
        party: one.sender,
        round: one.context.round,
        kind: one.kind,
        place,
        files: [one.digest, other.digest],
    })
}

fn place(signed: &Signed) -> Result<u32, Fault> {
    match signed.kind {
        Kind::Submission
        | Kind::LetterKeys
        | Kind::ShareCommitments
        | Kind::FirstsChecked
        | Kind::Partials
        | Kind::Opened => Ok(0),
        Kind::CeremonyMessages => Ok(signed.body::<CeremonyMessages>()?.step.into()),
        Kind::Endorsement => Ok(signed.body::<Entry>()?.index),
        _ => Err(Fault::Content {
            detail: "an honest party may have to sign two files of this kind, so that they are no evidence",
        }),
    }
}

//! How far an evaluation is: a transactional store in a folder of the evaluator's own, and the lock that keeps two processes
//! from the same work.
//!
//! What it remembers can be found again on the board, with more work: losing it loses nothing.

use crate::{EvaluatorError, Shard};
use blindtier_transcript::{Look, Memory};
use blindtier_wire::{Context, Digest, storage};
use redb::{Database, DatabaseError, ReadableDatabase, TableDefinition, TableError};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Chunks of submissions that were read and found valid, by the hash of the manifest and the chunk's number.
const CHECKED: TableDefinition<Place, ()> = TableDefinition::new("checked");
/// Hash and operations of results that lie on the board, by the hash of the inputs and the chunk's number.
const FINISHED: TableDefinition<Place, (&[u8; 32], u64)> = TableDefinition::new("finished");

/// A hash and the number of a chunk.
type Place = (&'static [u8; 32], u32);

/// A result chunk that lies on the board.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Done {
    pub digest: Digest,
    pub operations: u64,
}

pub(crate) struct Progress {
    file: PathBuf,
    database: Database,
    shard: Option<Shard>,
    checked: Mutex<Checked>,
}

/// What is not in the store yet.
struct Checked {
    chunks: Vec<(Digest, u32)>,
    saved: Instant,
}

/// How long what was checked may be in memory only: syncing after each chunk would take longer than looking at it.
const UNSAVED: Duration = Duration::from_secs(1);

impl Progress {
    /// Opens the store of a round, which is made if there is none. Nobody else can open it until this one is dropped.
    pub fn open(
        folder: &Path,
        context: &Context,
        shard: Option<Shard>,
    ) -> Result<Self, EvaluatorError> {
        let round: String = context.round.to_string().chars().take(16).collect();
        let part = shard.map_or_else(String::new, |Shard { index, count }| {
            format!("-shard-{index}-of-{count}")
        });
        let file = folder.join(format!("progress-{round}{part}.redb"));
        if !storage::exists(&file)? {
            // Whoever makes one at the same moment makes the same.
            storage::make_once(&file, |unfinished| {
                Database::create(unfinished).map(drop).map_err(|e| failed(&file)(e.into()))
            })?;
        }
        let database = Database::open(&file).map_err(|error| match error {
            DatabaseError::DatabaseAlreadyOpen => EvaluatorError::Busy { file: file.clone() },
            error => failed(&file)(error.into()),
        })?;
        let checked = Mutex::new(Checked { chunks: Vec::new(), saved: Instant::now() });
        Ok(Self { file, database, shard, checked })
    }

    /// What is recorded of a result that was computed from these inputs.
    pub fn finished(&self, inputs: &[u8; 32], chunk: u32) -> Result<Option<Done>, EvaluatorError> {
        let read = || -> Result<Option<Done>, redb::Error> {
            let table = match self.database.begin_read()?.open_table(FINISHED) {
                Err(TableError::TableDoesNotExist(_)) => return Ok(None),
                table => table?,
            };
            Ok(table.get((inputs, chunk))?.map(|found| {
                let (digest, operations) = found.value();
                Done { digest: Digest(*digest), operations }
            }))
        };
        read().map_err(failed(&self.file))
    }

    /// Records results that lie on the board.
    pub fn finish(&self, inputs: &[u8; 32], done: &[(u32, Done)]) -> Result<(), EvaluatorError> {
        let write = || -> Result<(), redb::Error> {
            let transaction = self.database.begin_write()?;
            {
                let mut table = transaction.open_table(FINISHED)?;
                for (chunk, Done { digest, operations }) in done {
                    table.insert((inputs, *chunk), (&digest.0, *operations))?;
                }
            }
            Ok(transaction.commit()?)
        };
        write().map_err(failed(&self.file))
    }

    /// Saves what was checked.
    pub fn save(&self) -> Result<(), EvaluatorError> {
        let mut checked = self.checked.lock().unwrap_or_else(PoisonError::into_inner);
        self.save_checked(&mut checked).map_err(failed(&self.file))
    }

    fn save_checked(&self, checked: &mut Checked) -> Result<(), redb::Error> {
        let transaction = self.database.begin_write()?;
        {
            let mut table = transaction.open_table(CHECKED)?;
            for (manifest, chunk) in &checked.chunks {
                table.insert((&manifest.0, *chunk), ())?;
            }
        }
        transaction.commit()?;
        checked.chunks.clear();
        checked.saved = Instant::now();
        Ok(())
    }
}

impl Memory for Progress {
    fn look(&self, manifest: &Digest, chunk: u32) -> Look {
        if self.shard.is_some_and(|shard| !shard.has(chunk)) {
            return Look::Nothing;
        }
        let known = || -> Result<bool, redb::Error> {
            let table = match self.database.begin_read()?.open_table(CHECKED) {
                Err(TableError::TableDoesNotExist(_)) => return Ok(false),
                table => table?,
            };
            Ok(table.get((&manifest.0, chunk))?.is_some())
        };
        // What cannot be looked up is looked at again.
        if known().unwrap_or(false) { Look::File } else { Look::Everything }
    }

    fn passed(&self, manifest: &Digest, chunk: u32) {
        let mut checked = self.checked.lock().unwrap_or_else(PoisonError::into_inner);
        checked.chunks.push((*manifest, chunk));
        if checked.saved.elapsed() > UNSAVED {
            // `save` tries again, and says what is wrong.
            let _ = self.save_checked(&mut checked);
        }
    }
}

fn failed(file: &Path) -> impl Fn(redb::Error) -> EvaluatorError {
    let file = file.to_owned();
    move |error| EvaluatorError::Progress {
        file: file.clone(),
        source: match error {
            redb::Error::Io(source) => Box::new(source),
            other => Box::new(other),
        },
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail")]
mod tests {
    use super::*;
    use blindtier_wire::{Engine, RoundId};

    fn context() -> Context {
        let engine = Engine { name: "clear".into(), parameters: String::new() };
        Context { round: RoundId([7; 32]), policy: Digest([8; 32]), engine }
    }

    #[test]
    fn what_was_done_is_known_to_the_next_process() {
        let folder = tempfile::tempdir().unwrap();
        let (inputs, manifest) = ([1; 32], Digest([2; 32]));
        let done = Done { digest: Digest([3; 32]), operations: 12 };
        let open = || Progress::open(folder.path(), &context(), None).unwrap();
        let first = open();
        assert_eq!(first.finished(&inputs, 4).unwrap(), None);
        assert_eq!(first.look(&manifest, 4), Look::Everything);
        first.finish(&inputs, &[(4, done)]).unwrap();
        first.passed(&manifest, 4);
        first.save().unwrap();
        drop(first);
        let second = open();
        assert_eq!(second.finished(&inputs, 4).unwrap(), Some(done));
        assert_eq!(second.finished(&inputs, 5).unwrap(), None);
        assert_eq!(second.finished(&[9; 32], 4).unwrap(), None, "of other inputs");
        assert_eq!(second.look(&manifest, 4), Look::File);
        assert_eq!(second.look(&manifest, 5), Look::Everything);
        assert_eq!(second.look(&Digest([9; 32]), 4), Look::Everything, "of another submission");
    }

    #[test]
    fn two_at_once_are_refused_and_two_shards_are_not() {
        let folder = tempfile::tempdir().unwrap();
        let open = |shard| Progress::open(folder.path(), &context(), shard);
        let held = open(None).unwrap();
        assert!(matches!(open(None), Err(EvaluatorError::Busy { .. })));
        let shard = |index| Some(Shard::new(index, 2).unwrap());
        let one = open(shard(1)).unwrap();
        let two = open(shard(2)).unwrap();
        assert!(matches!(open(shard(2)), Err(EvaluatorError::Busy { .. })));
        let looks = |progress: &Progress| [0, 1, 2].map(|c| progress.look(&Digest([0; 32]), c));
        assert_eq!(looks(&one), [Look::Everything, Look::Nothing, Look::Everything]);
        assert_eq!(looks(&two), [Look::Nothing, Look::Everything, Look::Nothing]);
        drop(held);
        open(None).unwrap();
    }

    #[test]
    fn a_damaged_store_is_named() {
        let folder = tempfile::tempdir().unwrap();
        drop(Progress::open(folder.path(), &context(), None).unwrap());
        let file = std::fs::read_dir(folder.path()).unwrap().next().unwrap().unwrap().path();
        std::fs::write(&file, b"not a store").unwrap();
        let error = Progress::open(folder.path(), &context(), None).err().unwrap().to_string();
        assert!(error.contains(file.to_str().unwrap()) && error.contains("remove"), "{error}");
    }
}

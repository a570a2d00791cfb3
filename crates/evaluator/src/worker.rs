//! Computing single chunks as another machine orders them.

use crate::evaluation::{claimed, evaluate_chunk};
use crate::{Engine, EvaluatorError, Order, recorded_keys, refused_key};
use blindtier_engine::{Evaluate, Verify};
use blindtier_ledger::Ledger;
use blindtier_transcript::{Elsewhere, Inputs, Public, seed};
use blindtier_wire::{ChunkWriter, Digest, Kind, SigningIdentity};
use std::sync::{Arc, Mutex, PoisonError};

/// Computes the chunks of one round that it is told to, from any number of threads, and signs each result with the
/// evaluator's key.
///
/// It trusts an order as little as a submission: the ledger says what is computed, and every submitter's part of a chunk is
/// read and its proof checked before.
pub struct Worker<'a> {
    public: Public<'a>,
    identity: &'a SigningIdentity,
    engine: &'a (dyn Engine + Sync),
    ready: Mutex<Option<Arc<Ready<'a>>>>,
}

/// What is read once, as long as orders are about the same submissions.
struct Ready<'a> {
    id: Digest,
    inputs: Inputs<'a>,
    keys: Arc<Keys>,
    writer: ChunkWriter<'a>,
}

/// A round's keys, which are large: read once, also if submissions change.
struct Keys {
    hashes: (Digest, Digest),
    verify: Box<dyn Verify>,
    evaluate: Box<dyn Evaluate>,
}

impl<'a> Worker<'a> {
    /// For a round that was checked against the evaluator's own policy and plan. `identity` (private) is the evaluator's
    /// signing key, everything else is public. Reads nothing before the first order.
    pub fn new(
        public: Public<'a>,
        identity: &'a SigningIdentity,
        engine: &'a (dyn Engine + Sync),
    ) -> Worker<'a> {
        Self { public, identity, engine, ready: Mutex::new(None) }
    }

    /// Checks and computes a chunk, unless its result is there already, and returns the hash of the result's file.
    ///
    /// Fails on an order about other submissions than those in the ledger, or with another place for the result.
    pub fn compute(&self, order: &Order) -> Result<Digest, EvaluatorError> {
        let ready = self.ready(order)?;
        let (chunk, writer) = (order.chunk, &ready.writer);
        let refused = |reason| EvaluatorError::Order { result: order.result.clone(), reason };
        if chunk >= writer.chunking().count() {
            return Err(refused("the round has no such chunk"));
        }
        if writer.path(chunk) != order.result {
            return Err(refused("this machine has the round's board at another place"));
        }
        let results = self.public.board.results();
        if !claimed(&results, &order.inputs.0)? {
            return Err(EvaluatorError::Stale { folder: results });
        }
        if let Some((digest, _)) = writer.find(chunk, self.public.trust) {
            return Ok(digest);
        }
        ready.inputs.check(chunk, ready.keys.verify.as_ref())?;
        let done = evaluate_chunk(&ready.inputs, ready.keys.evaluate.as_ref(), chunk, &|_| ())?;
        Ok(writer.write(chunk, done.results, done.operations)?)
    }

    /// What was read for these submissions, or what the ledger has by now.
    fn ready(&self, order: &Order) -> Result<Arc<Ready<'a>>, EvaluatorError> {
        // Others wait: they need what is being read.
        let mut ready = self.ready.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(ready) = ready.as_ref().filter(|ready| ready.id == order.inputs) {
            return Ok(Arc::clone(ready));
        }
        let read = Arc::new(self.read(ready.as_ref().map(|ready| &ready.keys))?);
        if read.id != order.inputs {
            let reason = "it is about other submissions than those in the ledger";
            return Err(EvaluatorError::Order { result: order.result.clone(), reason });
        }
        *ready = Some(Arc::clone(&read));
        Ok(read)
    }

    fn read(&self, keys: Option<&Arc<Keys>>) -> Result<Ready<'a>, EvaluatorError> {
        let Public { board, round, context, trust } = self.public;
        let ledger = Ledger::read(&board.ledger(), round, context, trust)?;
        let (entries, recorded) = (ledger.submissions()?, ledger.keys()?);
        let hashes = (recorded.public_key, recorded.evaluation_key);
        let keys = match keys.filter(|keys| keys.hashes == hashes) {
            Some(keys) => Arc::clone(keys),
            None => Arc::new(self.read_keys(hashes)?),
        };
        let id = Digest(seed(context, &entries, 0));
        let positions = self.engine.submitters();
        let (nothing, memory) = (|_| None, &Elsewhere);
        let inputs =
            Inputs::read(&self.public, entries, &positions, hashes.0, &nothing, memory, &|_| ())?;
        let chunking = inputs.chunking();
        let kind = Kind::ResultChunk;
        let writer = ChunkWriter::new(&board.results(), kind, context, self.identity, chunking)?;
        Ok(Ready { id, inputs, keys, writer })
    }

    fn read_keys(&self, hashes: (Digest, Digest)) -> Result<Keys, EvaluatorError> {
        let (public, board) = (&self.public, self.public.board);
        let (key, evaluation) = recorded_keys(public, hashes.0, hashes.1)?;
        let refused = |file| move |source| refused_key(public, file, source);
        let verify = self.engine.verify(&key).map_err(refused(board.public_key()))?;
        let evaluate =
            self.engine.evaluate(&key, &evaluation).map_err(refused(board.evaluation_key()))?;
        Ok(Keys { hashes, verify, evaluate })
    }
}

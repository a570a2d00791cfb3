//! An evaluation whose chunks other machines compute: the bytes of one machine, whatever they say, lose or damage.

use crate::support::{Fake, Files, World};
use blindtier_evaluator::{
    EvaluatorError, Finished, Machines, Order, Public, Wanted, Worker, run_on,
};
use blindtier_ledger::Exclusion;
use blindtier_registrar::Announced;
use blindtier_wire::Digest;
use std::error::Error;
use std::fs;
use std::path::Path;
use std::sync::Mutex;

/// A worker, and something that happens to each order, or keeps it from being computed.
struct Workshop<'a> {
    worker: Worker<'a>,
    mishap: Box<Mishap<'a>>,
    ordered: Mutex<Vec<Vec<u32>>>,
}

/// Gets how often something was ordered before and the order; true if it is computed.
type Mishap<'a> = dyn Fn(usize, &Order) -> bool + Sync + 'a;

impl Machines for Workshop<'_> {
    fn compute(&self, wanted: &Wanted<'_>) -> Result<(), Box<dyn Error + Send + Sync>> {
        let before = self.ordered.lock().unwrap().len();
        let chunks = wanted.orders().iter().map(|order| order.chunk).collect();
        self.ordered.lock().unwrap().push(chunks);
        let there = wanted.there()?;
        for order in wanted.orders() {
            if (self.mishap)(before, order) {
                self.worker.compute(order)?;
            }
        }
        assert!(wanted.there()? >= there);
        Ok(())
    }
}

fn public<'a>(world: &'a World, files: &'a Files) -> Public<'a> {
    let Announced { round, context, .. } = &files.announced;
    Public { board: &files.board, round, context, trust: &world.trust }
}

/// Evaluates with a mishap; also says which chunks were ordered.
fn evaluate(
    world: &World,
    files: &Files,
    engine: Fake,
    mishap: Box<Mishap<'_>>,
) -> (Result<Finished, EvaluatorError>, Vec<Vec<u32>>) {
    let public = public(world, files);
    let worker = Worker::new(public, &world.evaluator, &engine);
    let workshop = Workshop { worker, mishap, ordered: Mutex::new(Vec::new()) };
    let finished = world.at_evaluation(files, |job| {
        run_on(job, &engine, &workshop, &|_, done, total| assert!(done <= total))
    });
    (finished, workshop.ordered.into_inner().unwrap())
}

fn results(files: &Files) -> Vec<(String, Vec<u8>)> {
    let read = |entry: std::io::Result<fs::DirEntry>| {
        let entry = entry.unwrap();
        (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap())
    };
    let mut found: Vec<_> = fs::read_dir(files.board.results()).unwrap().map(read).collect();
    found.sort();
    found
}

/// Takes the results away.
fn rewind(world: &World, files: &Files) {
    fs::remove_dir_all(files.board.results()).unwrap();
    fs::remove_dir_all(world.dir.path().join("evaluator")).unwrap();
}

#[test]
fn many_machines_leave_the_bytes_of_one() {
    let world = World::new();
    let files = world.submitted("round");
    let alone = world.evaluate(&files).unwrap();
    let expected = results(&files);
    let all: Vec<u32> = (0..u32::try_from(alone.receipt.chunks.len()).unwrap()).collect();
    rewind(&world, &files);

    let (done, ordered) = evaluate(&world, &files, Fake::default(), Box::new(|_, _| true));
    let done = done.unwrap();
    assert_eq!((done.digest, done.lost, ordered), (alone.digest, 0, vec![all.clone()]));
    assert_eq!(results(&files), expected);
    let (again, ordered) = evaluate(&world, &files, Fake::default(), Box::new(|_, _| false));
    assert_eq!((again.unwrap().digest, ordered.len()), (alone.digest, 0), "a finished run");
    rewind(&world, &files);

    // Chunk 1 is "computed" and not there at first; then something else lies in its place; then it comes.
    let (board, mishaps) = (files.board.results(), Mutex::new(Vec::new()));
    let mishap = |before: usize, order: &Order| {
        assert_eq!(order.result, board.join(format!("chunk-0000{}.bt", order.chunk)));
        if order.chunk != 1 || before == 2 {
            return true;
        }
        assert!(!order.result.exists(), "what is damaged was removed");
        if before == 1 {
            fs::write(&order.result, b"half of a result").unwrap();
        }
        mishaps.lock().unwrap().push(before);
        false
    };
    let (done, ordered) = evaluate(&world, &files, Fake::default(), Box::new(mishap));
    assert_eq!(done.unwrap().digest, alone.digest);
    assert_eq!((ordered, mishaps.into_inner().unwrap()), (vec![all, vec![1], vec![1]], vec![0, 1]));
    assert_eq!(results(&files), expected);
}

#[test]
fn machines_that_bring_nothing_are_given_up_and_what_is_there_is_kept() {
    let world = World::new();
    let files = world.submitted("round");
    let only_the_first = |_: usize, order: &Order| order.chunk == 0;
    let (failed, ordered) = evaluate(&world, &files, Fake::default(), Box::new(only_the_first));
    let missing = files.announced.round.chunking().unwrap().count() - 1;
    let error = failed.unwrap_err();
    assert!(
        matches!(&error, EvaluatorError::Unfinished { missing: m, .. } if *m == missing as usize),
        "{error}"
    );
    assert_eq!(ordered.len(), 6, "one order brought something, five did not");
    assert!(!files.board.receipt().exists());
    let finished = world.evaluate(&files).unwrap();
    assert_eq!(finished.resumed, 1);
}

#[test]
fn a_worker_computes_what_the_ledger_has_and_nothing_else() {
    let world = World::new();
    let files = world.submitted("round");
    let announced = &files.announced;
    let public = public(&world, &files);
    let engine = Fake::default();
    let worker = Worker::new(public, &world.evaluator, &engine);
    let orders = Mutex::new(Vec::new());
    let keep = |_: usize, order: &Order| {
        orders.lock().unwrap().push(order.clone());
        false
    };
    let (unfinished, _) = evaluate(&world, &files, Fake::default(), Box::new(keep));
    unfinished.unwrap_err();
    let order = orders.into_inner().unwrap()[0].clone();

    let refused = |order: Order, why: &str| {
        let error = worker.compute(&order).unwrap_err().to_string();
        assert!(error.contains(why), "{error}");
    };
    refused(Order { inputs: Digest([7; 32]), ..order.clone() }, "other submissions");
    refused(Order { chunk: 999, ..order.clone() }, "no such chunk");
    refused(Order { result: Path::new("/tmp/elsewhere").into(), ..order.clone() }, "another place");
    refused(Order { chunk: order.chunk + 1, ..order.clone() }, "another place");
    let first = worker.compute(&order).unwrap();
    assert_eq!(worker.compute(&order).unwrap(), first, "an order may come twice");
    assert_eq!(Digest::of(&fs::read(&order.result).unwrap()), first);

    // A submission that changed on the board is not computed on, and a result of it is not taken for another.
    let second = files.board.results().join("chunk-00001.bt");
    let next = Order { chunk: 1, result: second, ..order.clone() };
    let submitted = files.board.submission(world.agencies[0].name());
    let chunk = submitted.with_file_name("chunk-00001.bt");
    let mut bytes = fs::read(&chunk).unwrap();
    let at = bytes.len() - 70;
    bytes[at] ^= 1;
    fs::write(&chunk, &bytes).unwrap();
    refused(next.clone(), world.agencies[0].name().as_str());
    bytes[at] ^= 1;
    fs::write(&chunk, &bytes).unwrap();
    worker.compute(&next).unwrap();

    // Whoever is excluded since makes the order one about other submissions, and the next run starts from nothing.
    fs::remove_file(&chunk).unwrap();
    world.exclude_by_all(&files, 0, Exclusion::Withheld);
    let fresh = Worker::new(public, &world.evaluator, &engine);
    let error = fresh.compute(&next).unwrap_err().to_string();
    assert!(error.contains("other submissions"), "{error}");
    let (done, ordered) = evaluate(&world, &files, Fake::default(), Box::new(|_, _| true));
    assert_eq!(done.unwrap().receipt.submissions[0].manifest, None);
    assert_eq!(ordered[0].len(), announced.round.chunking().unwrap().count() as usize);
}

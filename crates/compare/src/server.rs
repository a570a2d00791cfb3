//! An approach of this program as a process: the other end of [`crate::driver`].

use crate::CompareError;
use crate::approach::{Own, prepare};
use crate::error::file;
use crate::machine::peak_memory;
use crate::protocol::{Answer, FORMAT, Order, Request};
use rayon::ThreadPoolBuilder;
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;

/// The most bytes that a request may have.
const REQUEST_LIMIT: u64 = 4 << 30;
/// The most bytes that an order may have.
const ORDER_LIMIT: u64 = 4096;

/// Makes an approach's keys and carries out orders from `orders` until it ends, one answer a line on `answers`.
///
/// # Errors
/// The request cannot be read, or an answer cannot be written. What goes wrong in the approach is an answer.
pub fn serve(
    own: Own,
    request: &Path,
    orders: impl Read,
    answers: &mut dyn Write,
) -> Result<(), CompareError> {
    let request = read(request)?;
    let threads = usize::try_from(request.threads).unwrap_or(1);
    let pool = ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()
        .map_err(|error| CompareError::Approach(error.to_string()))?;
    let mut say = |answer: &Answer| {
        let line = serde_json::to_string(answer).unwrap_or_default();
        writeln!(answers, "{line}")
            .and_then(|()| answers.flush())
            .map_err(file(Path::new("standard output"), "answer"))
    };
    let failed = |error: CompareError| Answer::Error { error: error.to_string() };
    // Orders are read outside of the pool, whose threads must not wait for anything.
    let approach = match pool.install(|| prepare(own, &request)) {
        Ok(approach) => approach,
        Err(error) => return say(&failed(error)),
    };
    say(&Answer::Ready(Box::new(approach.ready())))?;
    let mut orders = BufReader::new(orders);
    loop {
        let mut line = String::new();
        let read = orders.by_ref().take(ORDER_LIMIT).read_line(&mut line);
        if read.map_err(file(Path::new("standard input"), "read an order"))? == 0 {
            return Ok(());
        }
        let (first, families) = match serde_json::from_str(&line) {
            Ok(Order::Run { first, families }) => (first, families),
            Ok(Order::Quit(_)) => return Ok(()),
            Err(error) => return say(&failed(CompareError::Approach(error.to_string()))),
        };
        let first = usize::try_from(first).unwrap_or(usize::MAX);
        let families = usize::try_from(families).unwrap_or(usize::MAX);
        let chosen: Vec<&[i64]> =
            request.indicators.iter().skip(first).take(families).map(Vec::as_slice).collect();
        match pool.install(|| approach.run(&chosen)) {
            Ok(mut done) => {
                done.peak_memory_bytes = peak_memory();
                say(&Answer::Done(done))?;
            }
            Err(error) => return say(&failed(error)),
        }
    }
}

fn read(path: &Path) -> Result<Request, CompareError> {
    let opened = File::open(path).map_err(file(path, "open the request"))?;
    let reader = BufReader::new(opened.take(REQUEST_LIMIT));
    let refused = |detail: String| CompareError::Request { file: path.to_owned(), detail };
    let request: Request =
        serde_json::from_reader(reader).map_err(|error| refused(error.to_string()))?;
    if request.format != FORMAT {
        return Err(refused(format!("format {}", request.format)));
    }
    Ok(request)
}

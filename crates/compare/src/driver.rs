//! An approach as a process: starts it, gives it orders, and believes none of its tiers.

use crate::CompareError;
use crate::peers::Entry;
use crate::protocol::{Answer, Done, LINE_LIMIT, Order, Ready};
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// A running approach. Its process ends when this is dropped.
pub(crate) struct Running {
    child: Child,
    orders: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Running {
    /// Starts an approach and waits until its keys are made.
    pub(crate) fn start(
        entry: &Entry,
        request: &Path,
        threads: u32,
        log: std::fs::File,
    ) -> Result<(Self, Ready), CompareError> {
        let failed =
            |error| CompareError::Approach(format!("{}: {error}", entry.program.display()));
        let threads = threads.to_string();
        let mut child = Command::new(&entry.program)
            .args(&entry.arguments)
            .arg("--request")
            .arg(request)
            .envs(["OMP_NUM_THREADS", "RAYON_NUM_THREADS"].map(|name| (name, threads.as_str())))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .map_err(failed)?;
        let (Some(orders), Some(answers)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(CompareError::Approach("its pipes are missing".into()));
        };
        let mut running = Self { child, orders, answers: BufReader::new(answers) };
        match running.answer()? {
            Answer::Ready(ready) => Ok((running, *ready)),
            Answer::Error { error } => Err(CompareError::Approach(error)),
            Answer::Done(_) => Err(CompareError::Approach("it ran before it was ready".into())),
        }
    }

    /// Has it run these families.
    pub(crate) fn run(&mut self, first: u64, families: u64) -> Result<Done, CompareError> {
        let order = serde_json::to_string(&Order::Run { first, families }).unwrap_or_default();
        let sent = writeln!(self.orders, "{order}").and_then(|()| self.orders.flush());
        sent.map_err(|error| CompareError::Approach(format!("it takes no orders: {error}")))?;
        match self.answer()? {
            Answer::Done(done) => Ok(done),
            Answer::Error { error } => Err(CompareError::Approach(error)),
            Answer::Ready(_) => Err(CompareError::Approach("it answered something else".into())),
        }
    }

    fn answer(&mut self) -> Result<Answer, CompareError> {
        let mut line = Vec::new();
        let read = self.answers.by_ref().take(LINE_LIMIT).read_until(b'\n', &mut line);
        match read {
            Ok(0) => {
                let status = self.child.wait();
                let status = status.map_or_else(|e| e.to_string(), |status| status.to_string());
                Err(CompareError::Approach(format!("it ended without an answer ({status})")))
            }
            Ok(_) => serde_json::from_slice(&line).map_err(|error| {
                let start: String = String::from_utf8_lossy(&line).chars().take(200).collect();
                CompareError::Approach(format!("its answer is not understood ({error}): {start}"))
            }),
            Err(error) => Err(CompareError::Approach(format!("it cannot be heard: {error}"))),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // The process may be gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

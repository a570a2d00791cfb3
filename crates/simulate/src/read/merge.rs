//! Registers in one order of families, read side by side in constant memory.

use super::Target;
use super::order::by_number;
use super::register::{Form, Record, Register};
use super::roster::{Entry, Roster};
use super::source::Source;
use crate::SimulateError;
use std::cmp::Ordering;
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread;

/// Families that a thread hands over at once.
const BATCH: usize = 1024;

/// Batches of a register that may wait.
const WAITING: usize = 4;

/// A family that stands behind one that should come later.
#[derive(Clone, Debug)]
pub(crate) struct Unsorted {
    /// File.
    pub file: String,
    /// Line.
    pub line: u64,
    /// The family.
    pub family: String,
}

/// Why a merge stops.
pub(crate) enum Stop {
    /// Something is wrong.
    Failed(SimulateError),
    /// The files are not in one order.
    Unsorted(Unsorted),
}

impl<E: Into<SimulateError>> From<E> for Stop {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

/// What a register's thread sends.
type Batch = Result<Vec<Record>, Stop>;

/// A register's next families.
struct Head {
    batches: Receiver<Batch>,
    /// Takes back what has been read, so that its memory is used again.
    spare: Sender<Vec<Record>>,
    batch: Vec<Record>,
    /// Position of the next family in the batch.
    at: usize,
}

/// Merges the registers, each read by a thread of its own, and the file of families into the target.
pub(crate) fn merge(
    registers: Vec<Register<'_>>,
    mut roster: Option<&mut Roster>,
    target: &mut Target<'_>,
) -> Result<(), Stop> {
    let (sources, forms): (Vec<Source>, Vec<Form<'_>>) =
        registers.into_iter().map(|register| (register.source, register.form)).unzip();
    thread::scope(|scope| {
        let mut heads = Vec::with_capacity(forms.len());
        for (mut source, form) in sources.into_iter().zip(&forms) {
            let (sender, batches) = sync_channel(WAITING);
            let (spare, spares) = channel();
            scope.spawn(move || {
                if let Err(stop) = produce(&mut source, form, &sender, &spares) {
                    // Nobody listens any more when another register has stopped the merge.
                    drop(sender.send(Err(stop)));
                }
            });
            heads.push(Head { batches, spare, batch: Vec::new(), at: 0 });
        }
        for head in &mut heads {
            head.fill()?;
        }
        let mut entry = match &mut roster {
            Some(roster) => roster.next()?,
            None => None,
        };
        let mut here = Vec::with_capacity(heads.len());
        loop {
            let known = heads.iter().filter_map(|head| Some(head.next()?.id.as_str()));
            let listed = entry.as_ref().map(|entry| entry.id.as_str());
            let Some(first) = known.chain(listed).min_by(|a, b| by_number(a, b)) else {
                return Ok(());
            };
            let records: Vec<Option<&Record>> =
                heads.iter().map(|head| head.next().filter(|record| record.id == first)).collect();
            let listed = entry.as_ref().filter(|entry| entry.id == first);
            target.add(&forms, &records, listed)?;
            here.clear();
            here.extend(records.iter().map(Option::is_some));
            if let (Some(roster), Some(done)) = (&mut roster, listed) {
                entry = following(roster, done)?;
            }
            for (head, _) in heads.iter_mut().zip(&here).filter(|(_, here)| **here) {
                head.at = head.at.saturating_add(1);
                head.fill()?;
            }
        }
    })
}

impl Head {
    /// The next family; none at the end.
    fn next(&self) -> Option<&Record> {
        self.batch.get(self.at)
    }

    /// Waits for the next batch if this one is used up.
    fn fill(&mut self) -> Result<(), Stop> {
        while self.at >= self.batch.len() {
            // A closed channel is the end of the register.
            let Ok(batch) = self.batches.recv() else { return Ok(()) };
            let used = std::mem::replace(&mut self.batch, batch?);
            self.at = 0;
            if !used.is_empty() {
                // At the end of the register nobody wants it back.
                drop(self.spare.send(used));
            }
        }
        Ok(())
    }
}

/// Gathers a register's rows by family and sends them on, as long as somebody listens.
fn produce(
    source: &mut Source,
    form: &Form<'_>,
    sender: &SyncSender<Batch>,
    spares: &Receiver<Vec<Record>>,
) -> Result<(), Stop> {
    let mut batch: Vec<Record> = Vec::with_capacity(BATCH);
    let mut used = 0usize;
    while source.advance()? {
        let family = form.family(source)?;
        let current = used.checked_sub(1).and_then(|last| batch.get_mut(last));
        if let Some(record) = current.filter(|_| !family.is_empty()) {
            if record.id == family {
                form.add(source, record)?;
                continue;
            }
            if by_number(&record.id, family) == Ordering::Greater {
                return Err(Stop::Unsorted(Unsorted {
                    file: source.name.clone(),
                    line: source.line(),
                    family: family.to_owned(),
                }));
            }
        }
        if used >= BATCH {
            let next = spares.try_recv().unwrap_or_else(|_| Vec::with_capacity(BATCH));
            if sender.send(Ok(std::mem::replace(&mut batch, next))).is_err() {
                return Ok(());
            }
            used = 0;
        }
        match batch.get_mut(used) {
            Some(record) => form.begin_again(source, record)?,
            None => batch.push(form.begin(source)?),
        }
        used = used.saturating_add(1);
    }
    batch.truncate(used);
    // See above.
    drop(sender.send(Ok(batch)));
    Ok(())
}

/// The entry after this one.
fn following(roster: &mut Roster, done: &Entry) -> Result<Option<Entry>, Stop> {
    let Some(entry) = roster.next()? else { return Ok(None) };
    match by_number(&done.id, &entry.id) {
        Ordering::Less => Ok(Some(entry)),
        Ordering::Equal => Err(roster.repeated(&entry.id).into()),
        Ordering::Greater => Err(Stop::Unsorted(Unsorted {
            file: roster.name().to_owned(),
            line: roster.line(),
            family: entry.id,
        })),
    }
}

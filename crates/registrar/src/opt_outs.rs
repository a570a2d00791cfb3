//! Which families said no.

use crate::error::{OptOutFault, RegistrarError};
use crate::population::Population;
use crate::rows::{Tag, Tags, take};
use crate::sorter::{Runs, Sorter};
use blindtier_wire::{WireError, storage};
use std::io::{BufRead, BufReader};
use std::path::Path;
use zeroize::{Zeroize, Zeroizing};

/// The families that said no (private), from [`Population::opt_outs`]. Wiped when dropped.
pub struct OptOutList {
    /// Of every family of the population.
    said_no: Vec<bool>,
}

impl OptOutList {
    /// Whether the family at this position of the population said no.
    pub(crate) fn said_no(&self, family: u32) -> bool {
        usize::try_from(family).ok().and_then(|f| self.said_no.get(f)).is_some_and(|no| *no)
    }
}

impl Drop for OptOutList {
    fn drop(&mut self) {
        self.said_no.zeroize();
    }
}

/// The largest opt-out list, in bytes.
const MAX_OPT_OUTS: u64 = 1 << 30;

impl Population {
    /// Reads which families said no: a text file with one family identifier a line, as in the population's column
    /// `family`. Empty lines say nothing, and saying no twice is saying no.
    ///
    /// # Errors
    /// The file is missing, is no text or names a family that is not in the population, of which the first line is named; or
    /// nothing can be spooled.
    pub fn opt_outs(&self, file: &Path) -> Result<OptOutList, RegistrarError> {
        let wrong = |line, fault| RegistrarError::OptOutList { file: file.to_owned(), line, fault };
        let (tags, mut families) = self.tags();
        let listed = listed(file, tags, self.private())?.map_err(|fault| wrong(1, fault))?;
        let mut sorted = listed.sorted()?;
        let mut next_listed = || match sorted.next()? {
            Some(record) => Ok(Some(Listed::read(record).ok_or_else(|| listed.damaged())?)),
            None => Ok::<_, WireError>(None),
        };
        // Both ascend by family.
        let mut said_no = vec![false; self.families() as usize];
        let mut unknown: Option<u64> = None;
        let mut note_unknown =
            |line: u64| unknown = Some(unknown.map_or(line, |known| line.min(known)));
        let mut next = next_listed()?;
        for place in &mut said_no {
            let family = families.next()?.and_then(|mut tag| take::<16>(&mut tag));
            while let (Some(listed), Some(family)) = (&next, family)
                && listed.family <= family
            {
                match listed.family == family {
                    true => *place = true,
                    false => note_unknown(listed.line),
                }
                next = next_listed()?;
            }
        }
        while let Some(listed) = next {
            note_unknown(listed.line);
            next = next_listed()?;
        }
        match unknown {
            Some(line) => Err(wrong(line, OptOutFault::NoSuchFamily)),
            None => Ok(OptOutList { said_no }),
        }
    }
}

/// A line of the list (private).
struct Listed {
    family: Tag,
    /// From 1.
    line: u64,
}

impl Listed {
    fn read(mut record: &[u8]) -> Option<Self> {
        let rest = &mut record;
        Some(Self { family: take(rest)?, line: u64::from_be_bytes(take(rest)?) })
    }
}

/// The lines by family; the inner error is of the whole file.
fn listed(
    file: &Path,
    tags: &Tags,
    private: &Path,
) -> Result<Result<Runs, OptOutFault>, WireError> {
    let Some(reader) = storage::open_own(file, MAX_OPT_OUTS)? else {
        return Ok(Err(OptOutFault::Missing));
    };
    let mut reader = BufReader::new(reader);
    let mut sorter = Sorter::new(private);
    let mut bytes = Zeroizing::new(Vec::new());
    for line in 1u64.. {
        bytes.clear();
        let read = reader.read_until(b'\n', &mut bytes).map_err(|source| WireError::Io {
            file: file.to_owned(),
            action: "read",
            source,
        })?;
        if read == 0 {
            break;
        }
        let Ok(text) = std::str::from_utf8(&bytes) else { return Ok(Err(OptOutFault::Text)) };
        let family = text.trim();
        if !family.is_empty() {
            sorter.push(&[tags.of(family).as_slice(), &line.to_be_bytes()].concat())?;
        }
    }
    Ok(Ok(sorter.finish()?))
}

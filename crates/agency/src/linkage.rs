//! Which rows of the register belong to which slot.

use blindtier_wire::Roster;

/// Rows of the register by slot (private).
pub struct Linkage {
    /// Slot and row, ascending.
    rows: Vec<(u32, usize)>,
    report: LinkageReport,
}

/// How well register and roster fit, for the agency's own staff. Never written to a file that leaves the
/// agency: it tells how many families the register knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LinkageReport {
    /// Rows of the register.
    pub rows: usize,
    /// Different persons of the register that the roster has.
    pub persons_matched: usize,
    /// Rows whose person the roster does not have.
    pub rows_unmatched: usize,
    /// Families with at least one row.
    pub families_known: usize,
    /// Families without a row; they get the policy's missing levels.
    pub families_unknown: usize,
}

impl Linkage {
    /// Joins the person identifiers (private) of the register's rows, in the order of the rows.
    pub fn new<'p>(roster: &Roster, persons: impl IntoIterator<Item = &'p str>) -> Self {
        let mut rows = Vec::new();
        let mut matched = vec![false; roster.entries.len()];
        let mut total = 0;
        for (row, person) in persons.into_iter().enumerate() {
            total += 1;
            let Some(position) = roster.find(person) else { continue };
            let (Some(entry), Some(mark)) = (roster.entries.get(position), matched.get_mut(position)) else {
                continue;
            };
            *mark = true;
            rows.push((entry.slot, row));
        }
        rows.sort_unstable();
        let families_known = rows.chunk_by(|a, b| a.0 == b.0).count();
        let report = LinkageReport {
            rows: total,
            persons_matched: matched.into_iter().filter(|mark| *mark).count(),
            rows_unmatched: total - rows.len(),
            families_known,
            families_unknown: (roster.slots as usize).saturating_sub(families_known),
        };
        Self { rows, report }
    }

    /// The rows of a slot's family, in the order of the register; none if the register does not know it.
    pub fn rows(&self, slot: u32) -> impl Iterator<Item = usize> + '_ {
        let first = self.rows.partition_point(|(s, _)| *s < slot);
        self.rows.iter().skip(first).take_while(move |(s, _)| *s == slot).map(|(_, row)| *row)
    }

    /// How well register and roster fit.
    pub fn report(&self) -> LinkageReport {
        self.report
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use blindtier_wire::{Entry, PartyName, PseudonymKey};

    #[test]
    fn joins_rows_to_slots() {
        let key = PseudonymKey::from_bytes([7; 32]);
        let mut entries: Vec<Entry> = [("ann", 2), ("bob", 0), ("cid", 2)]
            .map(|(person, slot)| Entry { pseudonym: key.pseudonym(person), slot })
            .to_vec();
        entries.sort_unstable();
        let agency = PartyName::agency("tax").unwrap();
        let roster = Roster { agency, key, entries, slots: 3, persons: None, adults: None };
        let linkage = Linkage::new(&roster, ["cid", "zoe", "bob", "ann", "cid"]);
        assert_eq!(linkage.rows(0).collect::<Vec<_>>(), [2]);
        assert_eq!(linkage.rows(1).count(), 0);
        assert_eq!(linkage.rows(2).collect::<Vec<_>>(), [0, 3, 4]);
        let expected = LinkageReport {
            rows: 5,
            persons_matched: 3,
            rows_unmatched: 1,
            families_known: 2,
            families_unknown: 1,
        };
        assert_eq!(linkage.report(), expected);
    }
}

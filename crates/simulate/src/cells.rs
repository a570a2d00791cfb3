//! Cells of a table that are too small to be told.

/// Whether the totals of a table's lines are told in any case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Totals {
    /// They are told elsewhere, however small.
    Told,
    /// They are left out like cells.
    LikeCells,
}

/// A table without its small cells, and the totals of its lines without those that are too small. Totals of columns are told
/// elsewhere.
///
/// Left out is what is from 1 to `minimum` − 1. A single gap in a line or column could be filled from its total, and so
/// could several that hardly amount to anything; so more are left out, the smallest first, until at least two are, with
/// `minimum` families in them or all there are. A `minimum` of 0 or 1 leaves out nothing.
pub(crate) fn told(
    table: &[Vec<u64>],
    totals: Totals,
    minimum: u64,
) -> (Vec<Vec<Option<u64>>>, Vec<Option<u64>>) {
    let width = table.iter().map(Vec::len).max().unwrap_or(0);
    let columns = match totals {
        Totals::Told => width,
        Totals::LikeCells => width.saturating_add(1),
    };
    let mut cells: Vec<Vec<Cell>> = table.iter().map(|line| with_total(line, width)).collect();
    for cell in cells.iter_mut().flat_map(|line| line.iter_mut().take(columns)) {
        cell.hidden = cell.count > 0 && cell.count < minimum;
    }
    let mut again = minimum > 1;
    while again {
        again = false;
        for number in 0..cells.len() {
            let crossing: Vec<bool> = (0..columns).map(|column| has_gap(&cells, column)).collect();
            if let Some(line) = cells.get_mut(number) {
                again |= cover(line.iter_mut().zip(crossing).collect(), minimum);
            }
        }
        for column in 0..columns {
            let crossing: Vec<bool> =
                cells.iter().map(|line| line.iter().any(|cell| cell.hidden)).collect();
            let lines = cells.iter_mut().filter_map(|line| line.get_mut(column));
            again |= cover(lines.zip(crossing).collect(), minimum);
        }
    }
    let mut totals = Vec::with_capacity(cells.len());
    let mut told = Vec::with_capacity(cells.len());
    for (line, original) in cells.into_iter().zip(table) {
        let mut line: Vec<Option<u64>> =
            line.into_iter().map(|cell| (!cell.hidden).then_some(cell.count)).collect();
        totals.push(line.pop().flatten());
        line.truncate(original.len());
        told.push(line);
    }
    (told, totals)
}

/// A cell, or the total of a line.
#[derive(Clone, Copy)]
struct Cell {
    count: u64,
    hidden: bool,
}

fn with_total(line: &[u64], width: usize) -> Vec<Cell> {
    let cell = |count: u64| Cell { count, hidden: false };
    let mut cells: Vec<Cell> = line.iter().copied().map(cell).collect();
    cells.resize(width, cell(0));
    cells.push(cell(line.iter().sum()));
    cells
}

/// Whether a column has a hidden cell.
fn has_gap(cells: &[Vec<Cell>], column: usize) -> bool {
    cells.iter().filter_map(|line| line.get(column)).any(|cell| cell.hidden)
}

/// Hides one more cell of a line or column whose gaps can be filled. Says whether it did. With each cell comes whether there
/// is a gap in what crosses there: a cell that covers two gaps at once leaves more to be told.
fn cover(line: Vec<(&mut Cell, bool)>, minimum: u64) -> bool {
    let (mut gaps, mut families) = (0u64, 0u64);
    for (cell, _) in line.iter().filter(|(cell, _)| cell.hidden) {
        gaps = gaps.saturating_add(1);
        families = families.saturating_add(cell.count);
    }
    let all: u64 = line.iter().map(|(cell, _)| cell.count).fold(0, u64::saturating_add);
    if gaps == 0 || (gaps > 1 && families >= minimum.min(all)) {
        return false;
    }
    let shown = line.into_iter().filter(|(cell, _)| !cell.hidden);
    // Where nothing else is left a zero has to do.
    let next = shown.min_by_key(|(cell, crossing)| (cell.count == 0, !crossing, cell.count));
    match next {
        Some((cell, _)) => {
            cell.hidden = true;
            true
        }
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_left_out_of_large_cells_or_without_a_minimum() {
        let table = vec![vec![10, 0, 25], vec![40, 12, 0]];
        let all = |table: &[Vec<u64>]| -> Vec<Vec<Option<u64>>> {
            table.iter().map(|line| line.iter().map(|count| Some(*count)).collect()).collect()
        };
        assert_eq!(told(&table, Totals::LikeCells, 10), (all(&table), vec![Some(35), Some(52)]));
        let small = vec![vec![1, 2], vec![3, 4]];
        for minimum in [0, 1] {
            assert_eq!(
                told(&small, Totals::LikeCells, minimum),
                (all(&small), vec![Some(3), Some(7)])
            );
        }
    }

    #[test]
    fn a_small_cell_does_not_follow_from_the_totals_of_its_line_and_column() {
        let table = vec![vec![3, 50, 60], vec![40, 70, 80], vec![90, 20, 100]];
        let (cells, totals) = told(&table, Totals::LikeCells, 10);
        assert!(totals.iter().all(Option::is_some));
        assert_eq!(cells[0][0], None);
        for line in &cells {
            assert_ne!(line.iter().filter(|cell| cell.is_none()).count(), 1, "{cells:?}");
        }
        for column in 0..3 {
            assert_ne!(cells.iter().filter(|line| line[column].is_none()).count(), 1, "{cells:?}");
        }
        // Not more than that: a rectangle of four.
        assert_eq!(cells.iter().flatten().filter(|cell| cell.is_none()).count(), 4);
    }

    #[test]
    fn a_small_group_is_hidden_with_its_size_and_another_one_that_its_size_would_follow_from() {
        let table = vec![vec![2, 1], vec![500, 600], vec![30, 40]];
        let (cells, totals) = told(&table, Totals::LikeCells, 10);
        assert_eq!((cells[0].clone(), totals[0]), (vec![None, None], None));
        assert_eq!(totals.iter().filter(|total| total.is_none()).count(), 2);
    }

    #[test]
    fn where_totals_are_told_a_small_line_takes_no_more_than_a_rectangle_with_it() {
        let table = vec![vec![900, 0, 0], vec![70, 600, 0], vec![0, 0, 8]];
        let (cells, totals) = told(&table, Totals::Told, 10);
        assert_eq!(totals, [Some(900), Some(670), Some(8)]);
        assert_eq!(cells[2][2], None);
        let gaps: Vec<(usize, usize)> = (0..3)
            .flat_map(|line| (0..3).map(move |column| (line, column)))
            .filter(|(line, column)| cells[*line][*column].is_none())
            .collect();
        assert_eq!(gaps.len(), 4, "{cells:?}");
        for (line, column) in &gaps {
            assert_eq!(gaps.iter().filter(|gap| gap.0 == *line).count(), 2, "{cells:?}");
            assert_eq!(gaps.iter().filter(|gap| gap.1 == *column).count(), 2, "{cells:?}");
        }
    }
}

//! First-match rows over a few variables, and what they give for every combination.

/// One row: the classes it accepts of every variable, and what it gives.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub accepts: Vec<Vec<bool>>,
    pub then: usize,
    /// The rule it comes from, counted from 0; `None` for what is given when no rule matches.
    pub rule: Option<usize>,
}

impl Row {
    pub fn matches(&self, combination: &[usize]) -> bool {
        self.accepts
            .iter()
            .zip(combination)
            .all(|(accepted, class)| accepted.get(*class).copied().unwrap_or(false))
    }
}

/// How many combinations there are.
pub(crate) fn total(sizes: &[usize]) -> usize {
    sizes.iter().fold(1usize, |product, size| product.saturating_mul(*size))
}

/// The combination with this number, the last variable varying fastest.
pub(crate) fn combination(sizes: &[usize], number: usize) -> Vec<usize> {
    let mut rest = number;
    let mut classes: Vec<usize> = sizes
        .iter()
        .rev()
        .map(|&size| {
            let class = rest.checked_rem(size).unwrap_or(0);
            rest = rest.checked_div(size).unwrap_or(0);
            class
        })
        .collect();
    classes.reverse();
    classes
}

/// For every combination the first row that matches.
pub(crate) fn first_matches(sizes: &[usize], rows: &[Row]) -> Vec<Option<usize>> {
    (0..total(sizes))
        .map(|number| {
            let combination = combination(sizes, number);
            rows.iter().position(|row| row.matches(&combination))
        })
        .collect()
}

/// Takes away the variables that make no difference, then the rows that are never first. Gives the positions of the
/// variables that are left. Every combination must have a row.
pub(crate) fn simplify(sizes: &mut Vec<usize>, rows: &mut Vec<Row>) -> Vec<usize> {
    let mut left: Vec<usize> = (0..sizes.len()).collect();
    let mut position = 0;
    while position < sizes.len() {
        if makes_a_difference(sizes, rows, position) {
            position = position.saturating_add(1);
            continue;
        }
        // With the variable fixed at its first class the rows give the same for all others.
        rows.retain(|row| row.accepts.get(position).and_then(|a| a.first()) == Some(&true));
        for row in rows.iter_mut() {
            row.accepts.remove(position);
        }
        sizes.remove(position);
        left.remove(position);
    }
    let first = first_matches(sizes, rows);
    let mut reached = vec![false; rows.len()];
    for row in first.into_iter().flatten() {
        if let Some(place) = reached.get_mut(row) {
            *place = true;
        }
    }
    let mut keep = reached.into_iter();
    rows.retain(|_| keep.next().unwrap_or(false));
    left
}

fn makes_a_difference(sizes: &[usize], rows: &[Row], position: usize) -> bool {
    let gives: Vec<Option<usize>> = first_matches(sizes, rows)
        .into_iter()
        .map(|row| row.and_then(|row| rows.get(row)).map(|row| row.then))
        .collect();
    let stride = total(sizes.get(position.saturating_add(1)..).unwrap_or_default());
    (0..gives.len()).any(|number| {
        let class = number
            .checked_div(stride)
            .unwrap_or(0)
            .checked_rem(sizes.get(position).copied().unwrap_or(1))
            .unwrap_or(0);
        let base = number.saturating_sub(class.saturating_mul(stride));
        gives.get(number) != gives.get(base)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_without_influence_and_rows_never_reached_go() {
        let row = |a: &[bool], b: &[bool], then| Row {
            accepts: vec![a.to_vec(), b.to_vec()],
            then,
            rule: Some(then),
        };
        let mut sizes = vec![2, 3];
        let all = [true; 3];
        let mut rows = vec![
            row(&[true, false], &[true, false, false], 7),
            row(&[false, true], &[true, false, false], 7),
            row(&[true, true], &all, 8),
            row(&[true, true], &all, 9),
        ];
        let before: Vec<usize> =
            first_matches(&sizes, &rows).into_iter().map(|r| rows[r.unwrap()].then).collect();
        assert_eq!(before, [7, 8, 8, 7, 8, 8]);
        assert_eq!(simplify(&mut sizes, &mut rows), [1]);
        assert_eq!(sizes, [3]);
        let after: Vec<usize> =
            first_matches(&sizes, &rows).into_iter().map(|r| rows[r.unwrap()].then).collect();
        assert_eq!(after, [7, 8, 8]);
        assert_eq!(rows.len(), 2);
    }
}

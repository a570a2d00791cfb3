//! A function over a product of small domains, written out value by value.

use std::collections::HashMap;

/// `values[index]`, where `index` is the mixed-radix number of the arguments, the last one varying fastest.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Dense {
    domains: Vec<usize>,
    values: Vec<i64>,
}

/// How many combinations these domains have, or `None` above `limit`.
pub fn combinations(domains: impl IntoIterator<Item = usize>, limit: usize) -> Option<usize> {
    domains.into_iter().try_fold(1usize, |product, domain| {
        product.checked_mul(domain.max(1)).filter(|p| *p <= limit)
    })
}

impl Dense {
    /// Tabulates `function` over `domains`; arguments are positions `0..domain`.
    pub fn tabulate(domains: Vec<usize>, mut function: impl FnMut(&[usize]) -> i64) -> Self {
        let mut arguments = vec![0usize; domains.len()];
        let mut values = Vec::new();
        loop {
            values.push(function(&arguments));
            if !advance(&mut arguments, &domains) {
                break;
            }
        }
        Self { domains, values }
    }

    /// Values in index order, as [`Dense::values`] lists them.
    pub fn from_values(domains: Vec<usize>, values: Vec<i64>) -> Self {
        Self { domains, values }
    }

    /// Size of each argument's domain.
    pub fn domains(&self) -> &[usize] {
        &self.domains
    }

    /// All values in index order.
    pub fn values(&self) -> &[i64] {
        &self.values
    }

    /// The value at these argument positions; 0 for positions outside the domains.
    pub fn at(&self, arguments: &[usize]) -> i64 {
        let index = arguments.iter().zip(&self.domains).fold(0usize, |index, (a, d)| index * d + a);
        self.values.get(index).copied().unwrap_or_default()
    }

    /// For every position of the arguments in `chosen` (as one mixed-radix number, last fastest), the class
    /// of that position: two positions share a class exactly when no choice of the other arguments tells
    /// them apart. Classes are numbered by first appearance. Returns the classes and how many there are.
    pub fn classes(&self, chosen: &[usize]) -> (Vec<usize>, usize) {
        let chosen_domains: Vec<usize> =
            chosen.iter().map(|c| self.domains.get(*c).copied().unwrap_or(1)).collect();
        let rows = chosen_domains.iter().product::<usize>().max(1);
        let columns = (self.values.len() / rows).max(1);
        let mut table = vec![0i64; rows * columns];
        let mut filled = vec![0usize; rows];
        let mut arguments = vec![0usize; self.domains.len()];
        for value in &self.values {
            let row = chosen.iter().zip(&chosen_domains).fold(0usize, |row, (c, d)| {
                row * d + arguments.get(*c).copied().unwrap_or_default()
            });
            if let Some(next) = filled.get_mut(row) {
                if let Some(cell) = table.get_mut(row * columns + *next) {
                    *cell = *value;
                }
                *next += 1;
            }
            advance(&mut arguments, &self.domains);
        }
        let mut seen: HashMap<&[i64], usize> = HashMap::new();
        let classes = table
            .chunks(columns)
            .map(|row| {
                let next = seen.len();
                *seen.entry(row).or_insert(next)
            })
            .collect();
        (classes, seen.len())
    }
}

/// Steps to the next argument tuple, the last argument fastest; `false` after the last one.
pub fn advance(arguments: &mut [usize], domains: &[usize]) -> bool {
    for (argument, domain) in arguments.iter_mut().zip(domains).rev() {
        *argument += 1;
        if *argument < *domain {
            return true;
        }
        *argument = 0;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_are_the_positions_no_context_tells_apart() {
        let f = Dense::tabulate(vec![3, 2], |a| i64::from(a[0] >= 1 && a[1] == 1));
        assert_eq!(f.classes(&[0]), (vec![0, 1, 1], 2));
        assert_eq!(f.classes(&[0, 1]).1, 2);
        assert_eq!(f.at(&[2, 1]), 1);
    }

    #[test]
    fn combinations_stop_at_the_limit() {
        assert_eq!(combinations([4, 4, 4], 64), Some(64));
        assert_eq!(combinations([4, 4, 5], 64), None);
        assert_eq!(combinations([usize::MAX, 2], usize::MAX), None);
    }
}

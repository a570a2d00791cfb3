//! "Did you mean …?"

/// A sentence that helps after an unknown name: the nearest known one, or the list of all.
pub(super) fn suggest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let known: Vec<&str> = known.into_iter().collect();
    let near = known
        .iter()
        .map(|candidate| (distance(name, candidate), candidate))
        .min_by_key(|(distance, _)| *distance)
        .filter(|(distance, _)| *distance <= name.chars().count().div_ceil(3));
    if let Some((_, candidate)) = near {
        return format!("did you mean `{candidate}`?");
    }
    if known.is_empty() {
        return "nothing of this kind is declared".to_owned();
    }
    let listed =
        known.iter().take(12).map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    let more = known.len().saturating_sub(12);
    if more == 0 {
        format!("known here: {listed}")
    } else {
        format!("known here: {listed} and {more} more")
    }
}

/// How many letters must be added, removed or replaced to get from one word to the other. Long words only
/// count by their first letters, which keeps a hostile file from costing time.
fn distance(from: &str, to: &str) -> usize {
    const LONGEST: usize = 64;
    let to: Vec<char> = to.chars().take(LONGEST).collect();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (i, a) in from.chars().take(LONGEST).enumerate() {
        let mut left = i.saturating_add(1);
        let mut next = vec![left];
        for ((&b, &above), &diagonal) in to.iter().zip(row.iter().skip(1)).zip(&row) {
            let replaced = diagonal.saturating_add(usize::from(a != b));
            left = replaced.min(left.saturating_add(1)).min(above.saturating_add(1));
            next.push(left);
        }
        row = next;
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suggests_the_nearest_name_or_lists_all() {
        assert_eq!(suggest("agregate", ["agency", "aggregate"]), "did you mean `aggregate`?");
        assert_eq!(suggest("zzz", ["low", "high"]), "known here: `low`, `high`");
        assert_eq!(suggest("x", []), "nothing of this kind is declared");
        assert_eq!(
            (distance("kitten", "sitting"), distance("", "ab"), distance("ab", "")),
            (3, 2, 2)
        );
    }
}

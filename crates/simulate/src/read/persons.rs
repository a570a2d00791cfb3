//! The persons of one family in one register.

/// Persons with their names one behind the other: a nation has too many families to give every name memory of its own.
#[derive(Clone, Debug, Default)]
pub(super) struct Persons {
    names: String,
    /// Where each name ends, and whether the person is an adult.
    ends: Vec<(usize, bool)>,
}

impl Persons {
    /// Adds a person.
    pub fn push(&mut self, name: &str, adult: bool) {
        self.names.push_str(name);
        self.ends.push((self.names.len(), adult));
    }

    /// Forgets all of them, but keeps the memory.
    pub fn clear(&mut self) {
        self.names.clear();
        self.ends.clear();
    }

    /// Names, and who is an adult.
    pub fn iter(&self) -> impl Iterator<Item = (&str, bool)> {
        let starts = std::iter::once(0).chain(self.ends.iter().map(|(end, _)| *end));
        starts
            .zip(&self.ends)
            .map(|(start, (end, adult))| (self.names.get(start..*end).unwrap_or_default(), *adult))
    }

    /// Whether a person of this name is among them.
    pub fn has(&self, name: &str) -> bool {
        self.iter().any(|(known, _)| known == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_kept_apart() {
        let mut persons = Persons::default();
        for (name, adult) in [("an", true), ("na", false), ("é", true)] {
            assert!(!persons.has(name));
            persons.push(name, adult);
        }
        assert_eq!(persons.iter().collect::<Vec<_>>(), [("an", true), ("na", false), ("é", true)]);
        assert!(persons.has("na") && !persons.has("anna") && !persons.has("nn"));
    }
}

//! Names for people.

use blindtier_policy::Labels;

/// The English label, or the first one, or the identifier.
pub(crate) fn label(labels: &Labels, id: &str) -> String {
    let label = labels.get("en").or_else(|| labels.values().next());
    label.filter(|label| !label.is_empty()).map_or_else(|| id.to_owned(), Clone::clone)
}

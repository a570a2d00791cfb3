//! Where policies come from: files, and the shipped ones by name.

use super::error::CliError;
use blindtier_policy::Policy;
use std::path::Path;

/// Policies that come with the program.
pub const SHIPPED: [(&str, &str); 4] = [
    ("nursery", include_str!("../../policies/nursery.toml")),
    ("digital-family-card", include_str!("../../policies/digital-family-card.toml")),
    ("eight-indicators", include_str!("../../policies/eight-indicators.toml")),
    ("mpi", include_str!("../../policies/mpi.toml")),
];

/// A policy's text: of the file at this path, or of a shipped policy of this name.
pub fn text(path: &Path) -> Result<String, CliError> {
    if !path.exists()
        && let Some((_, text)) = SHIPPED.iter().find(|(name, _)| path.as_os_str() == *name)
    {
        return Ok((*text).to_owned());
    }
    let refused = |source| CliError::File {
        file: path.to_owned(),
        action: "read the policy",
        remedy: "give the path of a policy file, or the name of a shipped one: nursery, digital-family-card, eight-indicators, mpi",
        source,
    };
    let size = std::fs::metadata(path).map_err(refused)?.len();
    if size > blindtier_policy::MAX_SOURCE as u64 {
        let source =
            std::io::Error::new(std::io::ErrorKind::InvalidData, "it is larger than 1 MiB");
        return Err(refused(source));
    }
    std::fs::read_to_string(path).map_err(refused)
}

/// Reads and checks a policy.
pub fn load(path: &Path) -> Result<Policy, CliError> {
    Ok(Policy::parse(&path.display().to_string(), &text(path)?)?)
}

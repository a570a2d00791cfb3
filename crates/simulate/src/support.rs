//! Which answers are support.

use crate::SimulateError;
use blindtier_policy::Policy;

/// The tiers that are support, if that is known. "Undecided" never is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Support(Option<Vec<bool>>);

impl Support {
    /// From the identifiers of the tiers; `None` if nobody says.
    pub fn new(policy: &Policy, tiers: Option<&[String]>) -> Result<Self, SimulateError> {
        let Some(named) = tiers else { return Ok(Self(None)) };
        let known = || policy.tiers.iter().map(|tier| tier.id.as_str()).collect::<Vec<_>>();
        if let Some(tier) = named.iter().find(|tier| !known().contains(&tier.as_str())) {
            return Err(SimulateError::NoTier {
                policy: policy.name.clone(),
                tier: tier.clone(),
                known: known().join(", "),
            });
        }
        Ok(Self(Some(policy.tiers.iter().map(|tier| named.contains(&tier.id)).collect())))
    }

    /// Whether it is known which tiers are support.
    pub fn known(&self) -> bool {
        self.0.is_some()
    }

    /// Whether an answer is support; no if that is not known.
    pub fn has(&self, answer: u8) -> bool {
        let tiers = self.0.as_deref().unwrap_or_default();
        tiers.get(usize::from(answer)).copied().unwrap_or(false)
    }
}

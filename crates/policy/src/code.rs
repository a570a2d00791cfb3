//! What an opened number says: a tier, or one of the reserved codes.

use crate::Policy;

/// Identifier of the reserved code "opted out", which no tier may have.
pub const OPTED_OUT: &str = "opted_out";
/// Identifier of the reserved code "undecided", which no tier may have.
pub const UNDECIDED: &str = "undecided";
/// Identifier of the reserved code "invalid", which no tier may have.
pub const INVALID: &str = "invalid";
/// The number of "opted out", above all tiers.
pub const OPTED_OUT_NUMBER: u32 = 13;
/// The number of "undecided".
pub const UNDECIDED_NUMBER: u32 = 14;

/// What an opened number says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// The tier at this position.
    Tier(usize),
    /// The family said no.
    OptedOut,
    /// Something is missing that the policy needs.
    Undecided,
    /// No tier. Engines that hide a tier behind a random number leave it to the family's letter to say why: it said no,
    /// something is missing, or an agency encrypted what no family can have.
    Withheld,
}

impl Code {
    /// The identifier: of the tier, or a reserved one; `None` if the number does not say.
    pub fn id(self, policy: &Policy) -> Option<&str> {
        match self {
            Self::Tier(tier) => policy.tiers.get(tier).map(|tier| tier.id.as_str()),
            Self::OptedOut => Some(OPTED_OUT),
            Self::Undecided => Some(UNDECIDED),
            Self::Withheld => None,
        }
    }
}

impl Policy {
    /// What an opened number says under this policy.
    pub fn code(&self, number: u32) -> Code {
        match (usize::try_from(number), number) {
            (Ok(tier), _) if tier < self.tiers.len() => Code::Tier(tier),
            (_, OPTED_OUT_NUMBER) => Code::OptedOut,
            (_, UNDECIDED_NUMBER) => Code::Undecided,
            _ => Code::Withheld,
        }
    }
}

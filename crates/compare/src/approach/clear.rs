//! No encryption at all: what the policy costs whoever sees every record.

use super::Approach;
use crate::CompareError;
use crate::protocol::{Done, Ready};
use blindtier_policy::{Interpreter, Policy};
use std::time::Instant;

pub(super) struct Clear {
    policy: Policy,
}

impl Clear {
    pub(super) fn new(policy: Policy) -> Self {
        Self { policy }
    }
}

impl Approach for Clear {
    fn ready(&self) -> Ready {
        Ready {
            ready: true,
            name: "in the clear".into(),
            version: env!("CARGO_PKG_VERSION").into(),
            parameters: "the interpreter of the policy file".into(),
            security_bits: None,
            failure_log2: None,
            lookups: None,
            multiplications: None,
            rounds: Some(0),
            setup_seconds: 0.0,
            key_bytes: None,
            upload_bytes_per_family: None,
            result_bytes_per_family: None,
            chunk: 1,
            notes: Vec::new(),
        }
    }

    fn run(&self, families: &[&[i64]]) -> Result<Done, CompareError> {
        let twin = Interpreter::new(&self.policy)?;
        let start = Instant::now();
        let mut tiers = Vec::with_capacity(families.len());
        for family in families {
            let tier = twin.decide(family)?.tier;
            tiers.push(i64::try_from(tier).unwrap_or(i64::MAX));
        }
        let seconds = start.elapsed().as_secs_f64();
        Ok(Done::of(tiers, families.len(), seconds, 0.0, 0.0))
    }
}

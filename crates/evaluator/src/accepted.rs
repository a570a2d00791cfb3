//! What the evaluator accepted for a round: one record, made once.

use crate::error::EvaluatorError;
use blindtier_wire::{PartyName, WireError, storage};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

const MAX_RECORD: u64 = 1 << 20;

#[derive(Serialize, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub(crate) struct Accepted {
    pub(crate) round: String,
    pub(crate) evaluation_key: String,
    /// Agency → hash of its manifest.
    pub(crate) submissions: BTreeMap<PartyName, String>,
}

impl Accepted {
    fn path(&self, state: &Path) -> PathBuf {
        state.join(format!("accepted-{}.toml", self.round))
    }

    /// Compares with the record; whether there is one.
    pub(crate) fn check(&self, state: &Path) -> Result<bool, EvaluatorError> {
        let file = self.path(state);
        let Some(bytes) = storage::read_own(&file, MAX_RECORD)? else {
            return Ok(false);
        };
        let text = String::from_utf8_lossy(&bytes);
        let earlier: Self = toml::from_str(&text).map_err(|source| EvaluatorError::Record {
            file: file.clone(),
            source: Box::new(source),
        })?;
        for (agency, found) in &self.submissions {
            let expected = earlier.submissions.get(agency);
            if expected != Some(found) {
                return Err(EvaluatorError::SecondSubmission {
                    file,
                    agency: agency.clone(),
                    accepted: expected.cloned().unwrap_or_default(),
                    found: found.clone(),
                });
            }
        }
        if earlier != *self {
            return Err(EvaluatorError::OtherKey { file });
        }
        Ok(true)
    }

    /// Makes the record. If another process made one meanwhile, it has to be the same.
    pub(crate) fn record(&self, state: &Path) -> Result<(), EvaluatorError> {
        let file = self.path(state);
        let text = toml::to_string(self).map_err(|e| {
            EvaluatorError::Wire(WireError::Io {
                file: file.clone(),
                action: "encode the record",
                source: std::io::Error::other(e),
            })
        })?;
        if storage::create_once(&file, text.as_bytes())? {
            Ok(())
        } else {
            self.check(state).map(|_| ())
        }
    }
}

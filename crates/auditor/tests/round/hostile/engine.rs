//! The fake engine, as strict as a real one: it knows the columns of its plan and their range.

use crate::support::{AGENCIES, Fake};
use blindtier_auditor::Engine as Public;
use blindtier_engine::{Combine, Encrypt, EngineError, Evaluate, OpenShare, Prepare, Verify};
use blindtier_trustee::Engine;

/// The highest value of a column; the lowest is 0.
pub const HIGHEST: i64 = 6;

/// Positions and columns of agencies, and behind them of the registrar, whose one column says who said no.
pub const SUBMITTERS: [(usize, usize); 3] =
    [(AGENCIES[0].0, AGENCIES[0].2), (AGENCIES[1].0, AGENCIES[1].2), (3, 1)];

#[derive(Clone, Copy, Default)]
pub struct Strict {
    fake: Fake,
    /// Finds every chunk valid: the engine of a party that looks away.
    blind: bool,
}

impl Strict {
    pub fn new(blind: bool) -> Self {
        Self { blind, ..Self::default() }
    }

    pub fn encrypting(public: &[u8]) -> Result<Box<dyn Encrypt>, EngineError> {
        Ok(Box::new(Self { fake: Fake::from_key(public, 1)?, blind: false }))
    }
}

fn columns(submitter: usize) -> usize {
    SUBMITTERS.iter().find(|(position, _)| *position == submitter).unwrap().1
}

fn same(what: &'static str, expected: usize, found: usize) -> Result<(), EngineError> {
    if expected == found {
        return Ok(());
    }
    Err(EngineError::Shape { what, expected, found })
}

impl Encrypt for Strict {
    fn encrypt(
        &self,
        submitter: usize,
        values: &[Vec<i64>],
        binding: &[u8; 32],
    ) -> Result<Vec<u8>, EngineError> {
        same("columns", columns(submitter), values.len())?;
        for (column, values) in values.iter().enumerate() {
            if let Some(value) = values.iter().copied().find(|v| !(0..=HIGHEST).contains(v)) {
                return Err(EngineError::OutOfRange { column, value, min: 0, max: HIGHEST });
            }
        }
        self.fake.encrypt(submitter, values, binding)
    }
}

impl Verify for Strict {
    fn verify(
        &self,
        submitter: usize,
        families: usize,
        chunk: &[u8],
        binding: &[u8; 32],
    ) -> Result<(), EngineError> {
        if self.blind {
            return Ok(());
        }
        // The submitter, a byte for every value, the proof.
        same("bytes of a chunk", 1 + columns(submitter) * families + 32, chunk.len())?;
        Verify::verify(&self.fake, submitter, families, chunk, binding)
    }
}

impl Public for Strict {
    fn submitters(&self) -> Vec<usize> {
        SUBMITTERS.map(|(position, _)| position).to_vec()
    }

    fn verify(&self, public: &[u8]) -> Result<Box<dyn Verify>, EngineError> {
        Ok(Box::new(Self { fake: Fake::from_key(public, 1)?, ..*self }))
    }

    fn evaluate(&self, public: &[u8], key: &[u8]) -> Result<Box<dyn Evaluate>, EngineError> {
        Public::evaluate(&self.fake, public, key)
    }

    fn prepare(&self, key: &[u8], opening: Option<&[u8]>) -> Result<Box<dyn Prepare>, EngineError> {
        Public::prepare(&self.fake, key, opening)
    }

    fn combine(&self) -> Result<Box<dyn Combine>, EngineError> {
        Public::combine(&self.fake)
    }
}

impl Engine for Strict {
    fn share(&self, key: &[u8; 32], material: &[u8]) -> Result<Box<dyn OpenShare>, EngineError> {
        self.fake.share(key, material)
    }
}

//! Privacy-preserving eligibility: agencies encrypt their own indicators, an evaluator computes every family's
//! support tier on ciphertexts, and only the family learns it.
//!
//! This crate gathers the parts; each is a crate of its own, and a party's crate depends only on what that
//! party may do.
//!
//! - [`policy`]: policy files, the clear interpreter, circuits;
//! - [`engine`]: what an engine can do, and the clear engine; [`engine_tfhe`]: one family at a time;
//!   [`engine_bfv`]: thousands of families in one ciphertext;
//! - [`wire`]: the files between parties;
//! - [`store`]: boards in object stores;
//! - [`ledger`]: what a majority of the trustees signed, entry by entry;
//! - [`linkage`]: pseudonyms that an agency gets without showing whom it asks about;
//! - [`submission`]: what agencies and the registrar do to hand in encrypted columns;
//! - [`registrar`], [`agency`], [`evaluator`], [`dealer`], [`trustee`], [`family`], [`auditor`]: the parties;
//! - [`letter`]: what a family reads; [`assessment`]: a data-protection impact assessment of a policy;
//! - [`sim`]: simulated registers; [`simulate`]: what a policy does to them, in the clear;
//! - [`compare`]: approaches measured side by side; [`report`]: tables, CSV and pages with charts;
//! - [`cli`]: the command line.
#![forbid(unsafe_code)]

pub mod cli;

pub use blindtier_agency as agency;
pub use blindtier_assessment as assessment;
pub use blindtier_auditor as auditor;
pub use blindtier_compare as compare;
pub use blindtier_dealer as dealer;
pub use blindtier_engine as engine;
pub use blindtier_engine_bfv as engine_bfv;
pub use blindtier_engine_tfhe as engine_tfhe;
pub use blindtier_evaluator as evaluator;
pub use blindtier_family as family;
pub use blindtier_ledger as ledger;
pub use blindtier_letter as letter;
pub use blindtier_linkage as linkage;
pub use blindtier_policy as policy;
pub use blindtier_registrar as registrar;
pub use blindtier_report as report;
pub use blindtier_sim as sim;
pub use blindtier_simulate as simulate;
pub use blindtier_store as store;
pub use blindtier_submission as submission;
pub use blindtier_trustee as trustee;
pub use blindtier_wire as wire;

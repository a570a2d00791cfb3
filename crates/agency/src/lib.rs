//! An agency: asks for its persons' pseudonyms, joins its register to the roster, and submits its columns.
#![forbid(unsafe_code)]

mod error;
mod link;
mod register;
mod report;
mod rows;
mod spool;

pub use blindtier_submission::{ColumnSource, Destination, Invitation, SubmissionError, Submitted};
pub use error::AgencyError;
pub use link::{Link, Pseudonyms, Requested, link};
pub use register::{Register, RegisterColumns};
pub use report::{Case, LinkageReport, Outcome};

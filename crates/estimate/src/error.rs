//! What can be wrong with a calibration file.

use std::io;
use std::path::PathBuf;

/// Why there is no estimate, or no calibration.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EstimateError {
    /// The file cannot be read or written.
    #[error("{}: cannot {action}: {source}; give another file with --{option}", file.display())]
    File {
        /// Which.
        file: PathBuf,
        /// What was tried.
        action: &'static str,
        /// The option that names it.
        option: &'static str,
        /// Why.
        source: io::Error,
    },
    /// The file is no calibration.
    #[error("{}: this is no calibration: {reason}; make a new one with `blindtier calibrate`", file.display())]
    Malformed {
        /// Which.
        file: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A time in it is not a positive number.
    #[error("a time or a count in it is not a positive number")]
    NotATime,
    /// The system names no folder for what can be made again.
    #[error("there is no home folder to keep the calibration in; give a file with --{option}")]
    NoFolder {
        /// The option that names a file.
        option: &'static str,
    },
    /// The calibration lacks the engine.
    #[error(
        "the calibration has no measurements of engine {engine}; make a new one with `blindtier calibrate`"
    )]
    NotMeasured {
        /// Which engine.
        engine: &'static str,
    },
}

//! Why machines do not work together.

use crate::Address;
use ballista_core::error::BallistaError;
use datafusion::error::DataFusionError;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

/// Why machines do not work together.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClusterError {
    /// Nobody can connect to the address.
    #[error("{address}: cannot listen: {source}; choose another address with --listen")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// The system's reason.
        source: io::Error,
    },
    /// The system gives no thread or folder.
    #[error("this machine cannot take part: {0}")]
    Machine(#[source] io::Error),
    /// The distributed engine failed.
    #[error("the distributed engine failed: {0}")]
    Engine(#[source] Box<BallistaError>),
    /// A job could not be submitted, or failed.
    #[error("job at {scheduler}: {source}")]
    Job {
        /// Where it was submitted.
        scheduler: Address,
        /// The distributed engine's reason, with what an executor said.
        source: Box<DataFusionError>,
    },
    /// A job brings nothing.
    #[error("job at {scheduler}: no new result for {} s", .stall.as_secs())]
    Stalled {
        /// Where it was submitted.
        scheduler: Address,
        /// How long it was waited for.
        stall: Duration,
    },
    /// The client of the distributed engine ended.
    #[error("job at {scheduler}: the connection ended without an answer")]
    Ended {
        /// Where it was submitted.
        scheduler: Address,
    },
}

impl From<BallistaError> for ClusterError {
    fn from(error: BallistaError) -> Self {
        Self::Engine(Box::new(error))
    }
}

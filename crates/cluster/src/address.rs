//! Where the scheduler is.

use std::fmt;
use std::str::FromStr;

/// A host and a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    pub(crate) host: String,
    pub(crate) port: u16,
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

impl FromStr for Address {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parsed = text.rsplit_once(':').and_then(|(host, port)| {
            (!host.is_empty()).then_some(Self { host: host.to_owned(), port: port.parse().ok()? })
        });
        parsed.ok_or("write HOST:PORT, such as scheduler.internal:50050")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_a_host_and_a_port() {
        for text in ["", "host", ":1", "host:", "host:x", "host:65536"] {
            assert!(text.parse::<Address>().is_err(), "{text}");
        }
        for text in ["scheduler.internal:50050", "[::1]:1"] {
            assert_eq!(text.parse::<Address>().map(|address| address.to_string()), Ok(text.into()));
        }
    }
}

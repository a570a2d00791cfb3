//! The regions: seventeen, and three cities that are regions of their own.

use Welfare::{Capital, Poorest, Rank};

/// A region. People are rounded thousands; the other numbers are assumptions.
#[derive(Debug, PartialEq)]
pub(crate) struct Region {
    /// As `families.csv` writes it.
    pub id: &'static str,
    /// People, in thousands: only shares matter.
    pub people: f64,
    /// How much likelier one person more is in a family here: added to the logarithm of the odds.
    pub size_tilt: f64,
    /// How well off it is.
    pub welfare: Welfare,
    /// Whether all of it is a city.
    pub city: bool,
}

/// How well off a region is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Welfare {
    /// Solved for the published poverty of the capital.
    Capital,
    /// Solved for the published poverty of the poorest region.
    Poorest,
    /// An assumed rank from -1 (poor) to 1 (rich) among the others.
    Rank(f64),
}

const fn region(id: &'static str, people: f64, size_tilt: f64, welfare: Welfare) -> Region {
    Region { id, people, size_tilt, welfare, city: false }
}

const fn city(id: &'static str, people: f64, size_tilt: f64, welfare: Welfare) -> Region {
    Region { id, people, size_tilt, welfare, city: true }
}

/// All regions.
pub(crate) static REGIONS: [Region; 20] = [
    region("abai", 600.0, -0.10, Rank(-0.4)),
    region("almaty_region", 1560.0, 0.08, Rank(-0.2)),
    region("aqmola", 790.0, -0.15, Rank(-0.1)),
    region("aqtobe", 950.0, 0.05, Rank(0.3)),
    region("atyrau", 710.0, 0.18, Rank(0.6)),
    region("east_kazakhstan", 720.0, -0.22, Rank(0.2)),
    region("jambyl", 1220.0, 0.15, Rank(-0.3)),
    region("jetisu", 700.0, 0.03, Rank(-0.4)),
    region("karaganda", 1130.0, -0.20, Rank(0.7)),
    region("kostanay", 820.0, -0.28, Rank(0.1)),
    region("kyzylorda", 840.0, 0.22, Rank(-0.2)),
    region("mangystau", 800.0, 0.25, Rank(-0.3)),
    region("north_kazakhstan", 520.0, -0.28, Rank(-0.4)),
    region("pavlodar", 750.0, -0.20, Rank(0.3)),
    region("turkistan", 2150.0, 0.28, Poorest),
    region("ulytau", 220.0, -0.05, Rank(0.6)),
    region("west_kazakhstan", 700.0, -0.02, Rank(0.0)),
    city("almaty", 2230.0, -0.08, Rank(0.8)),
    city("astana", 1430.0, -0.05, Capital),
    city("shymkent", 1220.0, 0.18, Rank(-0.1)),
];

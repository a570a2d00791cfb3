//! The public figures that the population is calibrated to.

/// Where the figures come from.
pub const SOURCE: &str = "public figures on Kazakhstan as docs/population.md lists them";

/// A figure that the population shall reach.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Target {
    /// Short name.
    pub name: &'static str,
    /// What is counted, and out of what.
    pub definition: &'static str,
    /// The published figure: a share from 0 to 1, or persons a family.
    pub value: f64,
    /// The words of the source.
    pub published: &'static str,
}

/// All figures. The model's free constants are solved for these; see [`super::Model`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Targets {
    /// Persons a family.
    pub persons_per_family: Target,
    /// People in households of five or more.
    pub large_households: Target,
    /// Dwellings that the family in them owns.
    pub owned: Target,
    /// People below the subsistence minimum.
    pub poverty: Target,
    /// The same among people in households of five or more.
    pub poverty_large: Target,
    /// The same in the capital.
    pub poverty_capital: Target,
    /// The same in the poorest region.
    pub poverty_poorest: Target,
    /// Families on social assistance.
    pub assisted_families: Target,
    /// People in families on social assistance.
    pub assisted_people: Target,
}

const FAMILIES: f64 = 6_200_000.0;
const PERSONS_PER_FAMILY: f64 = 3.1;
const ASSISTED: &str = "411.3 thousand people in 77.6 thousand families on social assistance; 6.2 million families in all";

impl Targets {
    /// The published figures.
    pub const PUBLISHED: Targets = Targets {
        persons_per_family: Target {
            name: "persons a family",
            definition: "persons / families",
            value: PERSONS_PER_FAMILY,
            published: "3.1 persons a family",
        },
        large_households: Target {
            name: "in households of 5 or more",
            definition: "persons in families of five or more / persons",
            value: 0.26,
            published: "26 % of people in households of five or more",
        },
        owned: Target {
            name: "owned dwellings",
            definition: "families that own the dwelling they live in / families, one dwelling a family",
            value: 0.868,
            published: "86.8 % of dwellings owned",
        },
        poverty: Target {
            name: "poverty",
            definition: "persons in families with a true income per head below the subsistence minimum / persons",
            value: 0.051,
            published: "poverty 5.1 %",
        },
        poverty_large: Target {
            name: "poverty in households of 5 or more",
            definition: "poor persons in families of five or more / persons in families of five or more",
            value: 0.092,
            published: "poverty 9.2 % in households of five or more",
        },
        poverty_capital: Target {
            name: "poverty in the capital",
            definition: "poor persons in Astana / persons in Astana",
            value: 0.025,
            published: "poverty 2.5 % in the capital",
        },
        poverty_poorest: Target {
            name: "poverty in the poorest region",
            definition: "poor persons / persons in the region where that is highest (the source does not name it; here Turkistan)",
            value: 0.097,
            published: "poverty 9.7 % in the poorest region",
        },
        assisted_families: Target {
            name: "families on assistance",
            definition: "families on social assistance / families",
            value: 77_600.0 / FAMILIES,
            published: ASSISTED,
        },
        assisted_people: Target {
            name: "people on assistance",
            definition: "persons in families on social assistance / persons",
            value: 411_300.0 / (FAMILIES * PERSONS_PER_FAMILY),
            published: ASSISTED,
        },
    };
}

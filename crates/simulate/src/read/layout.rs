//! Where the values of one or two policies lie within a family's values.

use blindtier_policy::{Aggregate, Domain, Fact, Indicator, LevelRule, Policy};

/// The values that are read of every family: those of the first policy, then those of the second that the first does
/// not read the same way.
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    fields: Vec<Field>,
    /// By policy, where the value of each indicator is.
    own: Vec<Vec<usize>>,
}

/// A value and how it is stored.
#[derive(Clone, Debug)]
struct Field {
    missing: i64,
    min: i64,
    start: usize,
    bytes: usize,
}

/// All that decides which value an indicator has: two that agree in it need to be read only once.
#[derive(PartialEq)]
struct Reading<'p> {
    agency: &'p str,
    columns: &'p [String],
    aggregate: Aggregate,
    matches: &'p [String],
    per: Option<Fact>,
    rule: Option<&'p LevelRule>,
    range: (i64, i64),
    missing: i64,
}

impl Layout {
    /// The layout for these policies.
    pub fn new(policies: &[&Policy]) -> Self {
        let mut fields: Vec<Field> = Vec::new();
        let mut known: Vec<(Reading<'_>, usize)> = Vec::new();
        let mut own = Vec::new();
        for policy in policies {
            let mut positions = Vec::new();
            for indicator in &policy.indicators {
                let reading = Reading::of(policy, indicator);
                let place = match known.iter().find(|(other, _)| *other == reading) {
                    Some((_, place)) => *place,
                    None => {
                        known.push((reading, fields.len()));
                        let start = fields.last().map_or(0, Field::end);
                        fields.push(Field::of(indicator, start));
                        fields.len().saturating_sub(1)
                    }
                };
                positions.push(place);
            }
            own.push(positions);
        }
        Self { fields, own }
    }

    /// Where the values of one policy's indicators are.
    pub fn places(&self, policy: usize) -> &[usize] {
        self.own.get(policy).map_or(&[], Vec::as_slice)
    }

    /// The values of a family that no register knows.
    pub fn missing(&self) -> Vec<i64> {
        self.fields.iter().map(|field| field.missing).collect()
    }

    /// Bytes of a family's values.
    pub fn width(&self) -> usize {
        self.fields.iter().map(|field| field.bytes).sum()
    }

    /// Stores values.
    pub fn encode(&self, values: &[i64], bytes: &mut Vec<u8>) {
        bytes.clear();
        for (field, value) in self.fields.iter().zip(values) {
            let stored = value.wrapping_sub(field.min).to_le_bytes();
            bytes.extend(stored.iter().take(field.bytes));
        }
    }

    /// The values of one policy's indicators, in their order.
    pub fn decode(&self, policy: usize, bytes: &[u8], values: &mut Vec<i64>) {
        values.clear();
        values.extend(self.places(policy).iter().map(|place| self.value(*place, bytes)));
    }

    /// The value at a place.
    pub fn value(&self, place: usize, bytes: &[u8]) -> i64 {
        let Some(field) = self.fields.get(place) else { return 0 };
        let stored = bytes.get(field.start..field.end()).unwrap_or_default();
        let number = stored.iter().rev().fold(0u64, |number, byte| number << 8 | u64::from(*byte));
        field.min.wrapping_add(number.cast_signed())
    }
}

impl Field {
    fn of(indicator: &Indicator, start: usize) -> Self {
        let (min, max) = indicator.range();
        // One more than the largest stands for "not known".
        let span = max.abs_diff(min).saturating_add(1);
        let bits = u64::BITS.saturating_sub(span.leading_zeros());
        let bytes = usize::try_from(bits.div_ceil(8)).unwrap_or(8).max(1);
        Self { missing: indicator.missing(), min, start, bytes }
    }

    fn end(&self) -> usize {
        self.start.saturating_add(self.bytes)
    }
}

impl<'p> Reading<'p> {
    fn of(policy: &'p Policy, indicator: &'p Indicator) -> Self {
        Self {
            agency: policy.agencies.get(indicator.agency).map_or("", |agency| agency.id.as_str()),
            columns: &indicator.columns,
            aggregate: indicator.aggregate,
            matches: &indicator.matches,
            per: indicator.per,
            rule: match &indicator.domain {
                Domain::Levels { rule, .. } => Some(rule),
                Domain::Integer { .. } => None,
            },
            range: indicator.range(),
            missing: indicator.missing(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: &str = r#"blindtier = "1"
name = "wide"
tiers = ["low", "high"]
agencies = { tax = {} }
indicators.loan = { agency = "tax", aggregate = "any", missing = "no" }
indicators.debt = { agency = "tax", aggregate = "sum", integer = { min = -2000, max = 2000, unit = "tenge", missing = "undecided" } }
scores.s = { weights.debt = 1, points.loan = { no = 0, yes = 5 } }
cuts.c = { score = "s", classes = ["low", "high"], at = [3] }
tier = { from = "c" }
"#;

    #[test]
    fn values_come_back_and_equal_readings_share_a_place() {
        let policy = Policy::parse("wide.toml", POLICY).unwrap();
        let other =
            POLICY.replace("missing = \"no\"", "missing = \"yes\"").replace("{ no = 0", "{ no = 1");
        let other = Policy::parse("other.toml", &other).unwrap();
        let layout = Layout::new(&[&policy, &other]);
        assert_eq!((layout.places(0), layout.places(1)), (&[0, 1][..], &[2, 1][..]));
        assert_eq!(layout.width(), 1 + 2 + 1);
        assert_eq!(layout.missing(), [0, 2001, 1]);
        let (mut bytes, mut values) = (Vec::new(), Vec::new());
        for debt in [-2000, -1, 0, 1999, 2001] {
            layout.encode(&[1, debt, 0], &mut bytes);
            assert_eq!(bytes.len(), layout.width());
            layout.decode(0, &bytes, &mut values);
            assert_eq!(values, [1, debt]);
            layout.decode(1, &bytes, &mut values);
            assert_eq!(values, [0, debt]);
        }
    }
}

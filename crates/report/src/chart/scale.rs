//! Logarithmic scales and their marks.

/// Least distance between marks that stand side by side.
pub(super) const MARK: f64 = 58.0;

/// From values to places, by logarithm.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scale {
    low: f64,
    high: f64,
    pub(super) from: f64,
    pub(super) to: f64,
}

impl Scale {
    /// From the smallest to the largest positive value.
    pub(super) fn of(values: impl Iterator<Item = f64>, from: f64, to: f64) -> Self {
        let logs = values.filter(|value| *value > 0.0 && value.is_finite()).map(f64::log10);
        let (low, high) = logs.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), log| {
            (low.min(log), high.max(log))
        });
        if low > high {
            Self { low: 0.0, high: 1.0, from, to }
        } else {
            Self { low, high, from, to }
        }
    }

    /// Between whole powers of ten; the smallest value still gets a bar that can be seen.
    pub(super) fn decades(self) -> Self {
        let low = (self.low - 0.2).floor();
        Self { low, high: self.high.ceil().max(low + 1.0), ..self }
    }

    /// With a share of its length more at both ends, and some length at least.
    pub(super) fn padded(self, share: f64, least: f64) -> Self {
        let length = (self.high - self.low).max(least);
        let length = if length > 0.0 { length } else { 1.0 };
        let middle = (self.high + self.low) / 2.0;
        let half = length * (0.5 + share);
        Self { low: middle - half, high: middle + half, ..self }
    }

    pub(super) fn at(&self, value: f64) -> f64 {
        let share = (value.log10() - self.low) / (self.high - self.low);
        self.from + share * (self.to - self.from)
    }

    /// Where a value is, if it has a place.
    pub(super) fn place(&self, value: f64) -> Option<f64> {
        (value > 0.0 && value.is_finite()).then(|| self.at(value))
    }

    /// Powers of ten, all or every second one and so on, so that they have room.
    pub(super) fn decade_marks(&self, room: f64) -> Vec<f64> {
        let decades = self.high - self.low;
        let step = (room * decades / (self.to - self.from).abs()).ceil().max(1.0);
        let first = self.low.ceil();
        let all = (0..40).map(|i| first + f64::from(i) * step);
        all.take_while(|log| *log <= self.high + 1e-9).map(|log| 10f64.powf(log)).collect()
    }

    /// Powers of ten, or where these are too few 1, 2 and 5 times them.
    pub(super) fn marks(&self) -> Vec<f64> {
        let decades = self.decade_marks(30.0);
        if decades.len() > 2 {
            return decades;
        }
        let powers = (0..4).map(|i| 10f64.powf(self.low.floor() + f64::from(i)));
        let all = powers.flat_map(|power| [power, 2.0 * power, 5.0 * power]);
        all.filter(|mark| (self.low..=self.high).contains(&mark.log10())).collect()
    }

    /// The values themselves, without those that would touch the one before.
    pub(super) fn marks_at(&self, values: impl Iterator<Item = f64>) -> Vec<f64> {
        let mut values: Vec<f64> = values.filter(|value| self.place(*value).is_some()).collect();
        values.sort_by(f64::total_cmp);
        let mut kept: Vec<f64> = Vec::new();
        for value in values {
            if kept.last().is_none_or(|last| self.at(value) - self.at(*last) >= MARK) {
                kept.push(value);
            }
        }
        kept
    }
}

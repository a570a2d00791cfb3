//! Numbers for people: three significant digits and a unit that fits.

/// What a number measures, and so how it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// A time.
    Seconds,
    /// A size; a kilobyte has 1,000 bytes.
    Bytes,
    /// A plain number.
    Count,
}

impl Unit {
    /// The number with three significant digits; whole bytes and counts are exact.
    pub fn show(self, value: f64) -> String {
        let whole = value.fract() == 0.0 && value.abs() < 1e15;
        match self {
            Self::Count if whole => return thousands(value),
            Self::Bytes if whole && value.abs() < 1000.0 => return format!("{value} B"),
            _ => {}
        }
        let (scaled, suffix) = self.scale(value);
        format!("{}{suffix}", digits(scaled))
    }

    /// The number without trailing zeros, for a mark of an axis.
    pub fn mark(self, value: f64) -> String {
        let text = self.show(value);
        let (number, suffix) = text.split_once(' ').unwrap_or((&text, ""));
        let short = match number.contains('.') {
            true => number.trim_end_matches('0').trim_end_matches('.'),
            false => number,
        };
        if suffix.is_empty() { short.into() } else { format!("{short} {suffix}") }
    }

    /// Median, smallest and largest, all in the median's unit: `20.6 ms (19.1–22.0)`.
    pub fn show_spread(self, median: f64, min: f64, max: f64) -> String {
        let (scaled, suffix) = self.scale(median);
        if !scaled.is_finite() || (min == median && max == median) {
            return self.show(median);
        }
        let factor = if median == 0.0 { 1.0 } else { scaled / round(median) };
        let at = |value: f64| digits(round(value) * factor);
        format!("{}{suffix} ({}–{})", digits(scaled), at(min), at(max))
    }

    /// The rounded number in the unit that is shown, and that unit.
    fn scale(self, value: f64) -> (f64, &'static str) {
        // Rounding comes first, so that 0.9999 s is 1.00 s and not 1000 ms.
        let value = round(value);
        let size = value.abs();
        match self {
            _ if !value.is_finite() => (value, ""),
            Self::Seconds if size == 0.0 || size >= 1.0 => (value, " s"),
            Self::Seconds if size >= 1e-3 => (value * 1e3, " ms"),
            Self::Seconds if size >= 1e-6 => (value * 1e6, " µs"),
            Self::Seconds => (value * 1e9, " ns"),
            Self::Bytes if size >= 1e9 => (value / 1e9, " GB"),
            Self::Bytes if size >= 1e6 => (value / 1e6, " MB"),
            Self::Bytes if size >= 1e3 => (value / 1e3, " kB"),
            Self::Bytes => (value, " B"),
            Self::Count => (value, ""),
        }
    }
}

/// A whole number with commas between thousands.
pub fn count(value: u64) -> String {
    let digits = value.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A share from 0 to 1 in per cent, with two digits after the point below 1 % and one otherwise, without zeros at the end.
pub fn percent(share: f64) -> String {
    let value = share * 100.0;
    let text = match value.abs() {
        0.0 => "0".into(),
        size if size < 0.995 => format!("{value:.2}"),
        size if size < 99.95 => format!("{value:.1}"),
        _ => format!("{value:.0}"),
    };
    let short = match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.'),
        false => &text,
    };
    format!("{short} %")
}

/// A whole number as a floating-point one.
#[allow(clippy::cast_precision_loss, reason = "three digits are shown")]
pub fn float(value: u64) -> f64 {
    value as f64
}

/// Rounds to three significant digits; what is not finite stays as it is.
fn round(value: f64) -> f64 {
    format!("{value:.2e}").parse().unwrap_or(value)
}

fn digits(value: f64) -> String {
    if !value.is_finite() {
        return "—".into();
    }
    let size = round(value).abs();
    match size {
        0.0 => "0".into(),
        1e15.. => format!("{value:.2e}"),
        1000.0.. => thousands(value),
        // The small allowance is for what scaling leaves of a power of ten.
        99.9999999.. => format!("{value:.0}"),
        9.99999999.. => format!("{value:.1}"),
        0.99999999.. => format!("{value:.2}"),
        0.099999999.. => format!("{value:.3}"),
        0.001.. => format!("{value:.4}"),
        _ => format!("{value:.2e}"),
    }
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a cast saturates")]
fn thousands(value: f64) -> String {
    let sign = if value < 0.0 { "-" } else { "" };
    format!("{sign}{}", count(value.abs().round() as u64))
}

//! The part of S-FEEL that stands in decision tables: unary tests and literals.

use blindtier_policy::Decimal;
use std::fmt;

/// A literal value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Literal {
    Text(String),
    Number(Decimal),
    Flag(bool),
}

impl fmt::Display for Literal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => write!(f, "\"{text}\""),
            Self::Number(number) => number.fmt(f),
            Self::Flag(flag) => flag.fmt(f),
        }
    }
}

/// One end of a range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct End {
    pub at: Decimal,
    pub closed: bool,
}

/// One alternative of a test.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Simple {
    Equals(Literal),
    /// A range of numbers; an absent end is unbounded.
    Range {
        low: Option<End>,
        high: Option<End>,
    },
}

/// What an input entry asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Tests {
    Any,
    OneOf(Vec<Simple>),
    NoneOf(Vec<Simple>),
}

/// Why a text is outside the subset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Outside {
    pub message: String,
    pub help: &'static str,
}

const TESTS: &str =
    "write `-`, literals, ranges such as [1..5), comparisons such as <= 5, or not(…) of them";
const LITERAL: &str = "write a text in double quotes, a number, true or false";

impl Tests {
    /// Reads an input entry. An empty one asks nothing, as `-`.
    pub fn parse(text: &str) -> Result<Self, Outside> {
        let mut scanner = Scanner::new(text);
        if matches!(text.trim(), "" | "-") {
            return Ok(Self::Any);
        }
        if scanner.word("not") {
            scanner.expect('(')?;
            let list = list(&mut scanner)?;
            scanner.expect(')')?;
            scanner.end(TESTS)?;
            return Ok(Self::NoneOf(list));
        }
        let list = list(&mut scanner)?;
        scanner.end(TESTS)?;
        Ok(Self::OneOf(list))
    }

    /// Reads a list of allowed values. `null` among them says that the value may be missing, which the map settles.
    pub fn parse_allowed(text: &str) -> Result<Self, Outside> {
        let mut scanner = Scanner::new(text);
        if matches!(text.trim(), "" | "-") {
            return Ok(Self::Any);
        }
        let mut list = Vec::new();
        loop {
            if !scanner.word("null") {
                list.push(simple(&mut scanner)?);
            }
            if !scanner.take(',') {
                break;
            }
        }
        scanner.end(TESTS)?;
        Ok(Self::OneOf(list))
    }

    pub fn alternatives(&self) -> &[Simple] {
        match self {
            Self::Any => &[],
            Self::OneOf(list) | Self::NoneOf(list) => list,
        }
    }
}

impl Literal {
    /// Reads an output entry.
    pub fn parse(text: &str) -> Result<Self, Outside> {
        let mut scanner = Scanner::new(text);
        let literal = literal(&mut scanner)?;
        scanner.end(LITERAL)?;
        Ok(literal)
    }
}

fn list(scanner: &mut Scanner<'_>) -> Result<Vec<Simple>, Outside> {
    let mut list = vec![simple(scanner)?];
    while scanner.take(',') {
        list.push(simple(scanner)?);
    }
    Ok(list)
}

fn simple(scanner: &mut Scanner<'_>) -> Result<Simple, Outside> {
    if scanner.take('<') {
        let closed = scanner.take_now('=');
        return Ok(Simple::Range { low: None, high: Some(end(scanner, closed)?) });
    }
    if scanner.take('>') {
        let closed = scanner.take_now('=');
        return Ok(Simple::Range { low: Some(end(scanner, closed)?), high: None });
    }
    let closed = scanner.take('[');
    if closed || scanner.take('(') || scanner.take(']') {
        let low = end(scanner, closed)?;
        scanner.expect('.')?;
        scanner.expect('.')?;
        let at = scanner.number()?;
        let closed = scanner.take(']');
        if !closed && !scanner.take(')') && !scanner.take('[') {
            return Err(scanner.outside("the range is not closed", TESTS));
        }
        return Ok(Simple::Range { low: Some(low), high: Some(End { at, closed }) });
    }
    literal(scanner).map(Simple::Equals)
}

fn end(scanner: &mut Scanner<'_>, closed: bool) -> Result<End, Outside> {
    Ok(End { at: scanner.number()?, closed })
}

fn literal(scanner: &mut Scanner<'_>) -> Result<Literal, Outside> {
    match scanner.peek() {
        Some('"') => scanner.quoted().map(Literal::Text),
        Some(c) if c.is_ascii_digit() || c == '-' || c == '.' => {
            scanner.number().map(Literal::Number)
        }
        _ if scanner.word("true") => Ok(Literal::Flag(true)),
        _ if scanner.word("false") => Ok(Literal::Flag(false)),
        _ => Err(scanner.stranger()),
    }
}

/// Walks over the characters of one expression.
struct Scanner<'t> {
    whole: &'t str,
    rest: &'t str,
}

impl<'t> Scanner<'t> {
    fn new(text: &'t str) -> Self {
        Self { whole: text, rest: text }
    }

    fn peek(&mut self) -> Option<char> {
        self.rest = self.rest.trim_start();
        self.rest.chars().next()
    }

    fn take(&mut self, wanted: char) -> bool {
        self.peek() == Some(wanted) && self.take_now(wanted)
    }

    /// As `take`, but white space before it counts.
    fn take_now(&mut self, wanted: char) -> bool {
        match self.rest.strip_prefix(wanted) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn expect(&mut self, wanted: char) -> Result<(), Outside> {
        if self.take(wanted) {
            return Ok(());
        }
        Err(self.outside(&format!("`{wanted}` is missing"), TESTS))
    }

    /// A word that no other name character follows.
    fn word(&mut self, wanted: &str) -> bool {
        self.peek();
        let Some(rest) = self.rest.strip_prefix(wanted) else { return false };
        if rest.starts_with(|c: char| c.is_alphanumeric() || c == '_' || c == '.') {
            return false;
        }
        self.rest = rest;
        true
    }

    fn end(&mut self, help: &'static str) -> Result<(), Outside> {
        match self.peek() {
            None => Ok(()),
            Some(_) => {
                Err(self.outside(&format!("`{}` is not understood", brief(self.rest)), help))
            }
        }
    }

    /// A number without exponent.
    fn number(&mut self) -> Result<Decimal, Outside> {
        self.peek();
        let negative = self.take_now('-');
        self.peek();
        let digits = self.rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(self.rest.len());
        let (whole, after) = self.rest.split_at(digits);
        // Two points belong to a range.
        let fraction = after.strip_prefix('.').unwrap_or_default();
        let places = fraction.find(|c: char| !c.is_ascii_digit()).unwrap_or(fraction.len());
        let (fraction, beyond) = fraction.split_at(places);
        if whole.is_empty() && fraction.is_empty() {
            return Err(self.stranger());
        }
        self.rest = if fraction.is_empty() { after } else { beyond };
        if self.rest.starts_with(|c: char| c.is_alphanumeric() || c == '_') {
            return Err(self.stranger());
        }
        let sign = if negative { "-" } else { "" };
        let zero = |part: &str| if part.is_empty() { "0".to_owned() } else { part.to_owned() };
        let text = format!("{sign}{}.{}", zero(whole), zero(fraction));
        Decimal::parse(&text).map_err(|error| {
            self.outside(&format!("`{text}` is {error}"), "write it in at most 18 digits")
        })
    }

    fn quoted(&mut self) -> Result<String, Outside> {
        const HELP: &str = "close the quotes; known escapes are \\\" \\\\ \\n \\r \\t and \\uXXXX";
        let mut characters = self.rest.char_indices().skip(1);
        let mut found = String::new();
        while let Some((at, character)) = characters.next() {
            match character {
                '"' => {
                    self.rest = self.rest.get(at.saturating_add(1)..).unwrap_or_default();
                    return Ok(found);
                }
                '\\' => {
                    let escaped = match characters.next().map(|(_, escaped)| escaped) {
                        Some(same @ ('"' | '\\' | '\'')) => Some(same),
                        Some('n') => Some('\n'),
                        Some('r') => Some('\r'),
                        Some('t') => Some('\t'),
                        Some('u') => {
                            let code: String =
                                characters.by_ref().take(4).map(|(_, digit)| digit).collect();
                            let digits = code.len() == 4
                                && code.bytes().all(|digit| digit.is_ascii_hexdigit());
                            u32::from_str_radix(&code, 16)
                                .ok()
                                .filter(|_| digits)
                                .and_then(char::from_u32)
                        }
                        _ => None,
                    };
                    let Some(escaped) = escaped else {
                        return Err(self.outside("the text has an unknown escape", HELP));
                    };
                    found.push(escaped);
                }
                other => found.push(other),
            }
        }
        Err(self.outside("the text has no closing quotes", HELP))
    }

    /// Something that is neither literal nor range.
    fn stranger(&mut self) -> Outside {
        let next = self.peek();
        let is_date = self.rest.starts_with('@')
            || ["date(", "date and time(", "time(", "duration("]
                .iter()
                .any(|call| self.rest.starts_with(call));
        if is_date {
            let help = "let the register give a number instead, such as the age in years";
            return self.outside("dates, times and durations are not supported", help);
        }
        match next {
            None => self.outside("it ends too early", TESTS),
            Some(_) => {
                let help = "only comparisons with literals can be imported: put the computed value or the comparison's result into a register of its own";
                self.outside(&format!("`{}` is no literal", brief(self.rest)), help)
            }
        }
    }

    fn outside(&self, problem: &str, help: &'static str) -> Outside {
        Outside { message: format!("`{}`: {problem}", brief(self.whole)), help }
    }
}

/// The first characters of a long text, on one line.
pub(crate) fn brief(text: &str) -> String {
    const MOST: usize = 60;
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", line.get(..end).unwrap_or_default()),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn d(text: &str) -> Decimal {
        Decimal::parse(text).unwrap()
    }

    fn range(low: Option<(&str, bool)>, high: Option<(&str, bool)>) -> Simple {
        let end = |end: Option<(&str, bool)>| end.map(|(at, closed)| End { at: d(at), closed });
        Simple::Range { low: end(low), high: end(high) }
    }

    #[test]
    fn every_form_of_the_subset_is_read() {
        let one = |text: &str| match Tests::parse(text).unwrap() {
            Tests::OneOf(mut list) if list.len() == 1 => list.pop().unwrap(),
            other => panic!("{text}: {other:?}"),
        };
        assert_eq!(one("[1..5)"), range(Some(("1", true)), Some(("5", false))));
        assert_eq!(one("]1 .. 5]"), range(Some(("1", false)), Some(("5", true))));
        assert_eq!(one("( -1.5 .. .5 [ "), range(Some(("-1.5", false)), Some(("0.5", false))));
        assert_eq!(one("<= 5"), range(None, Some(("5", true))));
        assert_eq!(one("<5"), range(None, Some(("5", false))));
        assert_eq!(one(">=-5"), range(Some(("-5", true)), None));
        assert_eq!(one("> 5.25"), range(Some(("5.25", false)), None));
        assert_eq!(one("true"), Simple::Equals(Literal::Flag(true)));
        assert_eq!(one("-7"), Simple::Equals(Literal::Number(d("-7"))));
        assert_eq!(
            one(r#""a \"b\" \u00e9, c""#),
            Simple::Equals(Literal::Text("a \"b\" é, c".into()))
        );
        assert_eq!(Tests::parse(" - ").unwrap(), Tests::Any);
        assert_eq!(Tests::parse("").unwrap(), Tests::Any);
        let Tests::NoneOf(list) = Tests::parse("not( \"a\", [1..2] )").unwrap() else { panic!() };
        assert_eq!(list.len(), 2);
        let Tests::OneOf(list) = Tests::parse("\"a\",\"b\" , \"c\"").unwrap() else { panic!() };
        assert_eq!(list.len(), 3);
    }

    #[test]
    fn null_among_allowed_values_is_no_value() {
        let allowed = Tests::parse_allowed("[0..999], null").unwrap();
        assert_eq!(allowed, Tests::OneOf(vec![range(Some(("0", true)), Some(("999", true)))]));
        assert!(Tests::parse_allowed("not(1)").is_err());
    }

    #[test]
    fn everything_else_is_refused_with_the_offending_text() {
        for (text, part) in [
            ("date(\"2020-01-01\")", "dates"),
            ("@\"2020-01-01\"", "dates"),
            ("> other", "`other` is no literal"),
            ("? > 5", "`? > 5` is no literal"),
            ("[1..", "ends too early"),
            ("[1..2", "not closed"),
            ("\"open", "closing quotes"),
            ("\"\\x\"", "unknown escape"),
            ("\"\\u12\"", "unknown escape"),
            ("1 2", "`2` is not understood"),
            ("1e3", "no literal"),
            ("1,", "ends too early"),
            ("not(1", "`)` is missing"),
            ("null", "no literal"),
            ("trueish", "no literal"),
            ("1234567890123456789", "more than 18 digits"),
        ] {
            let outside = Tests::parse(text).unwrap_err();
            assert!(outside.message.contains(part), "{text}: {outside:?}");
        }
    }
}

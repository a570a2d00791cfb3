//! Cells of registers and their text.

/// A cell. Its text holds neither comma nor quote, so that CSV needs no quotes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cell {
    /// Says nothing.
    Empty,
    /// Identifier of a family.
    Family(u64),
    /// Identifier of a person: the family it truly belongs to, and its number there.
    Person(u64, u8),
    Word(&'static str),
    Count(u8),
    /// A number with three decimals.
    Thousandths(u32),
}

impl Cell {
    pub fn yes_or_no(yes: bool) -> Cell {
        Cell::Word(if yes { "yes" } else { "no" })
    }

    /// Appends the text.
    pub fn write(self, text: &mut Vec<u8>) {
        match self {
            Cell::Empty => {}
            Cell::Family(number) => {
                text.push(b'f');
                digits(text, number, 1);
            }
            Cell::Person(family, person) => {
                Cell::Family(family).write(text);
                text.push(b'-');
                digits(text, person.into(), 1);
            }
            Cell::Word(word) => text.extend_from_slice(word.as_bytes()),
            Cell::Count(number) => digits(text, number.into(), 1),
            Cell::Thousandths(number) => {
                digits(text, u64::from(number / 1000), 1);
                text.push(b'.');
                digits(text, u64::from(number % 1000), 3);
            }
        }
    }
}

/// At least so many digits. `format!` would take most of the time of a population.
fn digits(text: &mut Vec<u8>, number: u64, at_least: usize) {
    let mut reversed = [b'0'; 20];
    let mut rest = number;
    let mut used = 0;
    for digit in &mut reversed {
        if rest == 0 && used >= at_least {
            break;
        }
        *digit = b'0' + (rest % 10) as u8;
        rest /= 10;
        used += 1;
    }
    text.extend(reversed.iter().take(used).rev());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_have_the_text_that_registers_are_read_by() {
        let text = |cell: Cell| {
            let mut text = Vec::new();
            cell.write(&mut text);
            String::from_utf8(text).unwrap()
        };
        assert_eq!(text(Cell::Empty), "");
        assert_eq!(text(Cell::Family(10_000_000)), "f10000000");
        assert_eq!(text(Cell::Person(7, 10)), "f7-10");
        assert_eq!(text(Cell::Word("group_3")), "group_3");
        assert_eq!(text(Cell::Count(0)), "0");
        assert_eq!(text(Cell::Thousandths(4)), "0.004");
        assert_eq!(text(Cell::Thousandths(12_345)), "12.345");
        assert_eq!(text(Cell::Thousandths(u32::MAX)), "4294967.295");
    }
}

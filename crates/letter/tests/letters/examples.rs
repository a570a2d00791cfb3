//! The letters in `examples/letters`. `BLINDTIER_BLESS=1` writes them anew.

use crate::cases::{ROOT, card_in_crisis, disputed, nursery_priority, opted_out, undecided};
use blindtier_letter::{Language, Letter};

/// A case: its file name, who makes the letter, the languages it is shown in.
type Example = (&'static str, fn(Language) -> Letter, &'static [Language]);

const EXAMPLES: [Example; 5] = [
    ("digital-family-card-crisis", card_in_crisis, &Language::ALL),
    ("nursery-priority", nursery_priority, &[Language::English]),
    ("digital-family-card-opted-out", opted_out, &[Language::Russian]),
    ("winter-support-undecided", undecided, &[Language::Kazakh]),
    ("nursery-disputed", disputed, &[Language::English]),
];

#[test]
fn the_example_letters_are_what_the_program_writes() {
    let mut expected = vec!["README.md".to_owned(), "winter-support.toml".to_owned()];
    for (name, make, languages) in EXAMPLES {
        for language in languages {
            let letter = make(*language);
            let json = serde_json::to_string_pretty(&letter).unwrap() + "\n";
            for (end, found) in [("txt", letter.text()), ("html", letter.html()), ("json", json)] {
                let file = format!("{name}.{language}.{end}");
                let path = format!("{ROOT}/examples/letters/{file}");
                if std::env::var_os("BLINDTIER_BLESS").is_some() {
                    std::fs::write(&path, &found).unwrap();
                }
                let kept = std::fs::read_to_string(&path).unwrap();
                assert!(found == kept, "{path} differs; BLINDTIER_BLESS=1 writes it anew");
                expected.push(file);
            }
        }
    }
    expected.sort();
    let folder = std::fs::read_dir(format!("{ROOT}/examples/letters")).unwrap();
    let mut found: Vec<String> =
        folder.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    found.sort();
    assert_eq!(found, expected, "a file that nothing writes");
}

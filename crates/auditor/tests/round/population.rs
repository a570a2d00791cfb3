//! What the registrar accepts as a population.

use crate::support::World;
use blindtier_registrar::{PopulationFault, RegistrarError};
use std::fs;

fn refused(text: &str) -> (u64, PopulationFault) {
    let world = World::new();
    let key = world.keys[0].public_hex();
    let other = world.keys[1].public_hex();
    let file = world.dir.path().join("population.csv");
    fs::write(&file, text.replace("KEY", &key).replace("OTHER", &other)).unwrap();
    let root = world.dir.path().join("round");
    match world.announce_as(&root, &file) {
        Err(RegistrarError::Population { line, fault, .. }) => {
            assert!(!root.exists(), "nothing was written");
            (line, fault)
        }
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("accepted: {text}"),
    }
}

#[test]
fn each_fault_has_its_line() {
    use PopulationFault as F;
    let cases = [
        ("person,letter_key\na,KEY\n", 1, F::MissingColumn { column: "family" }),
        ("person,family\na,f\n", 1, F::MissingColumn { column: "letter_key" }),
        ("person,family,letter_key\n", 1, F::NoFamily),
        ("person,family,letter_key\na,f,KEY\n ,f,\n", 3, F::Empty { column: "person" }),
        ("person,family,letter_key\na,f,KEY\nb,,\n", 3, F::Empty { column: "family" }),
        ("person,family,letter_key\na,f,KEY\nb,f,\na,f,\n", 4, F::DuplicatePerson { first: 2 }),
        ("person,family,letter_key\na,f,KEY\nb,g,OTHER\na,g,\n", 4, F::TwoFamilies { first: 2 }),
        ("person,family,letter_key\na,f,KEY\nb,f,OTHER\n", 3, F::TwoLetterKeys),
        ("person,family,letter_key\na,f,KEY\nb,g,KEY\n", 3, F::SharedLetterKey),
        ("person,family,letter_key\na,f,KEY\nb,g,\n", 3, F::NoLetterKey),
        ("person,family,letter_key\na,f,xyz\n", 2, F::LetterKey),
        (
            "person,family,letter_key\na,f,0000000000000000000000000000000000000000000000000000000000000000\n",
            2,
            F::LetterKey,
        ),
        ("person,family,adult,letter_key\na,f,maybe,KEY\n", 2, F::Adult),
        ("person,family,adult,letter_key\na,f,,KEY\n", 2, F::Empty { column: "adult" }),
    ];
    for (text, line, fault) in cases {
        assert_eq!(refused(text), (line, fault), "{text}");
    }
}

#[test]
fn other_texts_are_no_csv() {
    let world = World::new();
    let file = world.dir.path().join("population.csv");
    for bytes in [&b"person,family,letter_key\na,b\n"[..], b"person,family,letter_key\n\xff,b,c\n"]
    {
        fs::write(&file, bytes).unwrap();
        let refused = world.announce_as(&world.dir.path().join("round"), &file);
        assert!(matches!(refused, Err(RegistrarError::Csv { .. })));
    }
    let refused =
        world.announce_as(&world.dir.path().join("round"), &world.dir.path().join("none"));
    assert!(matches!(refused, Err(RegistrarError::Csv { .. })));
}

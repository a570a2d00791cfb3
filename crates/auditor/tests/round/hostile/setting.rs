//! Where a case begins: a round with keys and honest registers.

use super::engine::SUBMITTERS;
use crate::support::{AGENCIES, Files, PLAN, World, clear, policy};
use blindtier_policy::*;
use blindtier_registrar::{NewRound, Population, new_round};
use blindtier_wire::{Board, Engine, Layout, Linkage};
use std::fs;

/// When submissions are too late. Trustees look at them at 0.
pub const DEADLINE: u64 = 1000;

/// Persons of every request: the thirteen of the population, rounded up.
const PERSONS: u32 = 16;

/// Announces a round whose agencies ask for pseudonyms and whose registrar submits who said no, and makes its keys.
pub fn keyed(world: &World, name: &str) -> Files {
    let root = world.dir.path().join(name);
    let board = Board::new(root.join("board"));
    let population_file = world.population();
    let population = Population::read(&population_file, &root.join("registrar")).unwrap();
    let announced = new_round(&NewRound {
        policy: &policy(),
        engine: Engine { name: "fake".into(), parameters: "one byte".into() },
        layout: Layout::Folded,
        plan: PLAN,
        chunk: world.shape.chunk,
        sharing: world.shape.sharing,
        dealer: false,
        submitters: &SUBMITTERS.map(|(position, _)| position),
        linkage: Linkage::Oblivious { persons: PERSONS },
        proofs: true,
        deadline: Some(DEADLINE),
        corrects: None,
        statistics: None,
        population: &population,
        population_file: &population_file,
        opt_outs: None,
        board: &board,
        rosters: &root.join("rosters"),
        private: &root.join("registrar"),
        identity: &world.registrar,
    })
    .unwrap();
    let files = Files { root, board, announced };
    world.make_all_keys(&files);
    for (agency, (_, id, _)) in AGENCIES.iter().enumerate() {
        fs::write(files.path(&format!("{id}.csv")), register(agency, world.shape.families))
            .unwrap();
    }
    files
}

/// The honest register of an agency: one row a family.
fn register(agency: usize, families: usize) -> String {
    let number = |column, family| clear(AGENCIES[agency].0, column, family);
    let row = |family| match agency {
        0 => format!("p{family}a,{},{}\n", number(0, family), level(number(1, family))),
        _ => format!("p{family}a,{}\n", number(0, family)),
    };
    let header = ["person,income,housing\n", "person,visits\n"][agency];
    header.to_owned() + &(0..families).map(row).collect::<String>()
}

fn level(number: i64) -> String {
    char::from(b'a' + number as u8).to_string()
}

/// The policy as agencies read their registers by it: the world's, and a column of categories.
pub fn register_policy() -> Policy {
    let mut policy = policy();
    let level = |number| Class { id: level(number), label: Labels::new() };
    let levels: Vec<Class> = (0..7).map(level).collect();
    let rule = LevelRule::Categories(levels.iter().map(|level| vec![level.id.clone()]).collect());
    policy.indicators.push(Indicator {
        id: "housing".into(),
        label: Labels::new(),
        agency: 0,
        columns: vec!["housing".into()],
        aggregate: Aggregate::First,
        matches: vec![],
        per: None,
        domain: Domain::Levels { levels, rule, missing: Some(0) },
    });
    policy
}

//! Populations of many runs, compared with what one would find who has all of it in memory.

use crate::{Corrects, NewRound, Population, PopulationFault, RegistrarError, new_round};
use blindtier_policy::Policy;
use blindtier_wire::*;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// Numbers that look drawn and are the same in every run.
struct Numbers(blake3::OutputReader);

impl Numbers {
    fn new(seed: u64) -> Self {
        Self(blake3::Hasher::new().update(&seed.to_le_bytes()).finalize_xof())
    }

    fn below(&mut self, end: usize) -> usize {
        let mut bytes = [0; 8];
        self.0.fill(&mut bytes);
        (u64::from_le_bytes(bytes) % end as u64) as usize
    }
}

#[derive(Clone)]
struct Line {
    person: String,
    family: String,
    adult: String,
    key: String,
    group: String,
}

/// So many families, of which the lines of each lie anywhere.
fn lines(families: usize, numbers: &mut Numbers) -> Vec<Line> {
    let mut lines = Vec::new();
    for family in 0..families {
        let persons = 1 + numbers.below(5);
        let with_key = numbers.below(persons);
        for person in 0..persons {
            lines.push(Line {
                person: format!("p{family}.{person}"),
                family: format!("f{family}"),
                adult: ["yes", "no"][numbers.below(2)].into(),
                key: if person == with_key { key(family) } else { String::new() },
                group: ["", ["north", "south", "east"][family % 3]][numbers.below(2)].into(),
            });
        }
    }
    for last in (1..lines.len()).rev() {
        lines.swap(last, numbers.below(last + 1));
    }
    lines
}

fn key(family: usize) -> String {
    blake3::hash(&family.to_le_bytes()).to_hex().to_string()
}

struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn population(&self, lines: &[Line]) -> PathBuf {
        let mut text = "person,family,adult,letter_key,region\n".to_owned();
        for Line { person, family, adult, key, group } in lines {
            text += &format!("{person},{family},{adult},{key},{group}\n");
        }
        let file = self.path("population.csv");
        fs::write(&file, text).unwrap();
        file
    }

    fn read(&self, lines: &[Line]) -> Result<Population, RegistrarError> {
        let private = self.path("private");
        let read = Population::read_grouped(&self.population(lines), Some("region"), &private);
        assert!(!private.exists(), "spooled files have no name");
        read
    }

    fn names(&self) -> BTreeSet<String> {
        let entries = fs::read_dir(self.0.path()).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }
}

/// A family as the lines have it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Family {
    line: u64,
    persons: BTreeSet<String>,
    adults: u16,
    key: String,
    group: String,
}

/// What one finds who reads line by line and remembers everything.
fn expected(lines: &[Line]) -> Result<BTreeMap<String, Family>, (u64, PopulationFault)> {
    use PopulationFault as F;
    let mut families: BTreeMap<String, Family> = BTreeMap::new();
    let mut seen: HashMap<&str, (u64, &str)> = HashMap::new();
    for (line, row) in (2..).zip(lines) {
        let wrong = |fault| Err((line, fault));
        if row.person.is_empty() || row.family.is_empty() {
            let column = if row.person.is_empty() { "person" } else { "family" };
            return wrong(F::Empty { column });
        }
        let (first, family) = *seen.entry(&row.person).or_insert((line, &row.family));
        if first != line {
            let same = family == row.family;
            return wrong(if same {
                F::DuplicatePerson { first }
            } else {
                F::TwoFamilies { first }
            });
        }
        let family = families.entry(row.family.clone()).or_default();
        if family.persons.is_empty() {
            family.line = line;
        }
        family.persons.insert(row.person.clone());
        match row.adult.as_str() {
            "yes" => family.adults += 1,
            "no" => {}
            "" => return wrong(F::Empty { column: "adult" }),
            _ => return wrong(F::Adult),
        }
        if !row.group.is_empty() && family.group.is_empty() {
            family.group.clone_from(&row.group);
        } else if !row.group.is_empty() && family.group != row.group {
            return wrong(F::TwoGroups);
        }
        if !row.key.is_empty() {
            if row.key.len() != 64 {
                return wrong(F::LetterKey);
            }
            if !family.key.is_empty() && family.key != row.key {
                return wrong(F::TwoLetterKeys);
            }
            family.key.clone_from(&row.key);
        }
    }
    if families.is_empty() {
        return Err((1, F::NoFamily));
    }
    let groups: BTreeSet<&str> = families.values().map(|family| family.group.as_str()).collect();
    let found = groups.iter().filter(|name| !name.is_empty()).count();
    if found == 0 || found > MAX_GROUPS {
        return Err((1, F::Groups { found }));
    }
    let mut in_order: Vec<&Family> = families.values().collect();
    in_order.sort_by_key(|family| family.line);
    let mut keys = HashSet::new();
    for family in in_order {
        if family.key.is_empty() {
            return Err((family.line, F::NoLetterKey));
        }
        if !keys.insert(&family.key) {
            return Err((family.line, F::SharedLetterKey));
        }
    }
    Ok(families)
}

/// The families of a population; their identifiers are not kept, their keys name them.
fn families(population: &Population) -> BTreeMap<String, Family> {
    let grouping = population.grouping().unwrap();
    let (mut keys, mut members) = (population.letter_keys(), population.members());
    let mut families = Vec::new();
    for position in 0..population.families() {
        let group = grouping.names.get(usize::from(grouping.families[position as usize]));
        families.push(Family {
            adults: population.size(position).adults,
            key: hex::encode(keys.next().unwrap().unwrap()),
            group: group.cloned().unwrap_or_default(),
            ..Family::default()
        });
    }
    assert!(keys.next().unwrap().is_none());
    while let Some((person, family)) = members.next().unwrap() {
        families[family as usize].persons.insert(person.to_string());
    }
    for (position, family) in (0..).zip(&families) {
        assert_eq!(usize::from(population.size(position).persons), family.persons.len());
    }
    families.into_iter().map(|family| (family.key.clone(), family)).collect()
}

#[test]
fn a_population_of_many_runs_is_read_as_one_in_memory() {
    let folder = Folder::new();
    for count in [1, 40, 900] {
        let lines = lines(count, &mut Numbers::new(count as u64));
        let known = expected(&lines).map_err(|found| panic!("{found:?}")).unwrap();
        let population = folder.read(&lines).map_err(|found| panic!("{found}")).unwrap();
        assert_eq!(population.families() as usize, count);
        assert_eq!(population.persons() as usize, lines.len());
        let by_key = known.into_values().map(|family| {
            let key = family.key.clone();
            (key, Family { line: 0, ..family })
        });
        assert!(families(&population) == by_key.collect());
        assert_eq!(folder.names(), BTreeSet::from(["population.csv".to_owned()]));
    }
}

#[test]
fn of_several_faults_the_first_is_found() {
    let folder = Folder::new();
    let mut numbers = Numbers::new(7);
    let original = lines(60, &mut numbers);
    let mut found = BTreeSet::new();
    for _ in 0..400 {
        let mut lines = original.clone();
        for _ in 0..=numbers.below(3) {
            let (at, other) = (numbers.below(lines.len()), numbers.below(lines.len()));
            match numbers.below(10) {
                0 => lines[at].person.clear(),
                1 => lines[at].family.clear(),
                2 => lines[at].person = lines[other].person.clone(),
                3 => lines[at] = lines[other].clone(),
                4 => lines[at].adult = ["", "maybe"][numbers.below(2)].into(),
                5 => lines[at].key = key(numbers.below(60)),
                6 => lines[at].key = "xyz".into(),
                7 => lines[at].group = "west".into(),
                8 => lines[at].key.clear(),
                // All of a line's faults at once.
                _ => {
                    lines[at].person = lines[other].person.clone();
                    lines[at].adult = "maybe".into();
                    lines[at].group = "west".into();
                    lines[at].key = "xyz".into();
                }
            }
        }
        match (expected(&lines), folder.read(&lines)) {
            (Err(expected), Err(RegistrarError::Population { line, fault, .. })) => {
                assert_eq!((line, &fault), (expected.0, &expected.1));
                found.insert(format!("{fault:?}").chars().take_while(|c| *c != ' ').collect());
            }
            (Ok(_), Ok(_)) => {}
            (expected, read) => panic!("{expected:?} {:?}", read.map(|_| "accepted")),
        }
    }
    let all: BTreeSet<String> = [
        "Adult",
        "DuplicatePerson",
        "Empty",
        "LetterKey",
        "NoLetterKey",
        "SharedLetterKey",
        "TwoFamilies",
        "TwoGroups",
        "TwoLetterKeys",
    ]
    .map(str::to_owned)
    .into();
    assert_eq!(found, all);
}

#[test]
fn rare_faults_are_found() {
    let folder = Folder::new();
    let refused = |lines: &[Line]| match folder.read(lines).map(|_| ()) {
        Err(RegistrarError::Population { line, fault, .. }) => (line, fault),
        other => panic!("{other:?}"),
    };
    // A family of 65,537 persons, with another fault behind it.
    let line = |person: usize| Line {
        person: person.to_string(),
        family: "f".into(),
        adult: "no".into(),
        key: key(0),
        group: "north".into(),
    };
    let mut many: Vec<Line> = (0..65_537).map(line).collect();
    many[65_536].adult.clear();
    assert_eq!(refused(&many), (65_537, PopulationFault::TooManyPersons));
    // Too many groups, and none.
    let in_group = |n: usize| Line {
        family: n.to_string(),
        key: key(n),
        group: format!("group {n}"),
        ..line(n)
    };
    let groups: Vec<Line> = (0..1000).map(in_group).collect();
    assert_eq!(refused(&groups), (1, PopulationFault::Groups { found: 1000 }));
    assert_eq!(refused(&groups[..65]), (1, PopulationFault::Groups { found: 65 }));
    assert_eq!(folder.read(&groups[..64]).unwrap().grouping().unwrap().names.len(), 64);
    let none = Line { group: String::new(), ..line(0) };
    assert_eq!(refused(&[none]), (1, PopulationFault::Groups { found: 0 }));
    // What is no CSV any more, after and before a line that contradicts another.
    let file = folder.path("population.csv");
    for (text, csv) in [("a,f,K,x\na,g,K,x\nb\n", false), ("a,f,K,x\nb\na,g,K,x\n", true)] {
        let text = text.replace('K', &key(0));
        fs::write(&file, format!("person,family,letter_key,region\n{text}")).unwrap();
        let refused = Population::read(&file, &folder.path("private")).map(|_| ()).unwrap_err();
        assert_eq!(matches!(refused, RegistrarError::Csv { .. }), csv, "{refused}");
    }
    // Persons whose lines have one number, because the file has line ends of old.
    let text = format!("person,family,letter_key\ra,f,{}\rb,f,\ra,f,\r", key(0));
    fs::write(&file, text).unwrap();
    let refused = Population::read(&file, &folder.path("private")).map(|_| ()).unwrap_err();
    let RegistrarError::Population { fault, .. } = refused else { panic!("{refused}") };
    assert!(matches!(fault, PopulationFault::DuplicatePerson { .. }), "{fault}");
}

#[test]
fn an_opt_out_list_may_be_as_long_as_the_population() {
    let folder = Folder::new();
    let lines = lines(900, &mut Numbers::new(3));
    let population = folder.read(&lines).unwrap();
    let file = folder.path("opt-outs.txt");
    let said_no = |text: String| {
        fs::write(&file, text).unwrap();
        population.opt_outs(&file).map(|list| {
            let keys = families_of(&population, |family| list.said_no(family));
            keys.into_iter().collect::<BTreeSet<_>>()
        })
    };
    let text = |of: &mut dyn Iterator<Item = usize>| of.map(|n| format!("f{n}\r\n")).collect();
    let keys = |of: &mut dyn Iterator<Item = usize>| of.map(key).collect::<BTreeSet<_>>();
    assert_eq!(said_no(String::new()).unwrap(), BTreeSet::new());
    assert_eq!(said_no(text(&mut (0..900))).unwrap(), keys(&mut (0..900)));
    let odd = text(&mut (1..900).step_by(2));
    assert_eq!(said_no(format!("{odd}\n  f1 \n{odd}")).unwrap(), keys(&mut (1..900).step_by(2)));
    for (text, unknown) in [
        (format!("{odd}f900\nf901\n{odd}"), 451),
        (format!("f2\nF2\n{odd}"), 2),
        ((0..2000).map(|n| format!("x{n}\n")).collect(), 1),
    ] {
        match said_no(text) {
            Err(RegistrarError::OptOutList { line, .. }) => assert_eq!(line, unknown),
            other => panic!("{other:?}"),
        }
    }
}

/// The letter keys of the families that are asked for by their positions.
fn families_of(population: &Population, asked: impl Fn(u32) -> bool) -> Vec<String> {
    let mut keys = population.letter_keys();
    let mut found = Vec::new();
    for family in 0..population.families() {
        let key = keys.next().unwrap().unwrap();
        if asked(family) {
            found.push(hex::encode(key));
        }
    }
    found
}

/// Registrar of a round with three agencies, which get persons, adults and nothing.
struct World {
    folder: Folder,
    registrar: SigningIdentity,
    trust: TrustFile,
    policy: Policy,
}

impl World {
    fn new() -> Self {
        let text = include_str!("../../../policies/digital-family-card.toml");
        let registrar = SigningIdentity::generate(PartyName::registrar()).unwrap();
        let mut trust = TrustFile::new();
        assert!(trust.pin(registrar.name().clone(), &registrar.public_key()));
        let policy = Policy::parse("digital-family-card.toml", text).unwrap();
        Self { folder: Folder::new(), registrar, trust, policy }
    }

    /// Announces a round; its rosters come in the order of the agencies.
    fn announce(
        &self,
        name: &str,
        population: &Population,
        opt_outs: Option<&Path>,
        corrects: Option<&Corrects<'_>>,
    ) -> (Round, Vec<Roster>, LetterKeys) {
        let root = self.folder.path(name);
        let board = match corrects {
            Some(_) => Board::new(self.folder.path("first/board")),
            None => Board::new(root.join("board")),
        };
        let grouping = population.grouping().unwrap();
        let statistics = corrects.is_none().then(|| Statistics {
            groups: grouping.names.clone(),
            budget: 1000,
            minimum_cell: 10,
            noise: true,
        });
        let list = opt_outs.map(|file| population.opt_outs(file).unwrap());
        let announced = new_round(&NewRound {
            policy: &self.policy,
            engine: Engine { name: "clear".into(), parameters: "none".into() },
            layout: Layout::Folded,
            plan: Digest([2; 32]),
            chunk: 2,
            sharing: "2-of-3".parse().unwrap(),
            dealer: false,
            submitters: &[0, 1, 2, self.policy.agencies.len()],
            linkage: Linkage::KeyedHash,
            proofs: true,
            deadline: None,
            corrects,
            statistics,
            population,
            population_file: &self.folder.path("population.csv"),
            opt_outs: list.as_ref().zip(opt_outs),
            board: &board,
            rosters: &root.join("rosters"),
            private: &root.join("private"),
            identity: &self.registrar,
        })
        .map_err(|error| panic!("{error}"))
        .unwrap();
        let (round, context) = (announced.round, announced.context);
        let keys = announced.board.letter_keys();
        let keys = LetterKeys::read(&keys, &round, &context, &self.trust).unwrap();
        let read = |(agency, path): &(PartyName, PathBuf)| {
            Roster::read(path, agency, &round, &context, &self.trust).unwrap()
        };
        let rosters: Vec<Roster> = announced.rosters.iter().map(read).collect();
        for roster in &rosters {
            assert_eq!(roster.entries.len(), announced.persons);
        }
        (round, rosters, keys)
    }
}

/// Every person is at the slot with the letter key of the family, and the facts are those of the family.
fn check(rosters: &[Roster], keys: &LetterKeys, families: &[&Family]) {
    let persons: usize = families.iter().map(|family| family.persons.len()).sum();
    let slots = keys.by_key();
    for (agency, roster) in rosters.iter().enumerate() {
        let RosterLinkage::Key(key) = &roster.linkage else { panic!("another linkage") };
        assert_eq!((roster.entries.len(), roster.slots as usize), (persons, families.len()));
        assert_eq!((roster.persons.is_some(), roster.adults.is_some()), (agency == 0, agency == 1));
        for family in families {
            let letter_key: [u8; 32] = hex::decode(&family.key).unwrap().try_into().unwrap();
            let slot = slots[&letter_key];
            for person in &family.persons {
                let entry = roster.find(key.pseudonym(person)).unwrap();
                assert_eq!(roster.entries[entry].slot, slot);
            }
            let fact = |facts: &Option<Vec<u16>>| facts.as_ref().map(|facts| facts[slot as usize]);
            assert_eq!(fact(&roster.persons), (agency == 0).then_some(family.persons.len() as u16));
            assert_eq!(fact(&roster.adults), (agency == 1).then_some(family.adults));
        }
    }
}

#[test]
fn a_round_of_many_runs_has_everybody_in_place() {
    let world = World::new();
    let lines = lines(900, &mut Numbers::new(5));
    let known = expected(&lines).unwrap();
    let families: Vec<&Family> = known.values().collect();
    let population = world.folder.read(&lines).unwrap();
    let list = world.folder.path("opt-outs.txt");
    fs::write(&list, (0..900).step_by(7).map(|n| format!("f{n}\n")).collect::<String>()).unwrap();
    let (round, rosters, keys) = world.announce("first", &population, Some(&list), None);
    check(&rosters, &keys, &families);

    let (context, private) = (round.context().unwrap(), world.folder.path("first/private"));
    let opt_outs = private.join("opt-outs.bt");
    let opt_outs = OptOuts::read(&opt_outs, &round, &context, &world.trust).unwrap();
    let groups = private.join("groups.bt");
    let groups = GroupList::read(&groups, &round, &context, &world.trust).unwrap();
    for (slot, key) in (0..).zip(&keys.keys) {
        let family = known.iter().find(|(_, family)| family.key == hex::encode(key)).unwrap();
        let number: usize = family.0[1..].parse().unwrap();
        assert_eq!(opt_outs.value(slot), i64::from(number.is_multiple_of(7)));
        for (group, name) in ["east", "north", "south"].iter().enumerate() {
            assert_eq!(groups.value(slot, group), i64::from(family.1.group == *name));
        }
    }
    let kept: BTreeSet<_> =
        fs::read_dir(&private).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(kept, BTreeSet::from(["groups.bt".into(), "opt-outs.bt".into()]));

    // Another round has another order.
    let (_, _, others) = world.announce("second", &population, None, None);
    assert_ne!(keys, others);
    let sorted = |keys: &LetterKeys| keys.keys.iter().copied().collect::<BTreeSet<_>>();
    assert_eq!(sorted(&keys), sorted(&others));

    // A correction has the families of its slots only.
    let slots = [800, 3, 77];
    let id = round.context().unwrap().round;
    let corrects = Corrects { round: id, letter_keys: &keys, slots: &slots };
    let (_, rosters, corrected) = world.announce("third", &population, None, Some(&corrects));
    assert_eq!(corrected.keys, slots.map(|slot| keys.keys[slot as usize]));
    let of_slots =
        |family: &&&Family| corrected.keys.iter().any(|key| hex::encode(key) == family.key);
    check(&rosters, &corrected, &families.iter().filter(of_slots).copied().collect::<Vec<_>>());
}

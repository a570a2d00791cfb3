//! A round between registrar and agencies, from the announcement to the joined register.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may stop at the first surprise; clippy.toml exempts only the test functions themselves"
)]

use blindtier_agency::{AgencyError, Invitation, Pseudonyms, Register, Requested};
use blindtier_policy::{OptOut, Policy};
use blindtier_registrar::{
    Answered, NewRound, OptOutFault, Population, RegistrarError, new_round, request_size,
};
use blindtier_wire::*;
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

const PLAN: Digest = Digest([2; 32]);

/// The poverty index, of which two agencies take part; families may opt out, or not.
fn policy(opt_out: OptOut) -> Policy {
    let text = include_str!("../../../policies/mpi.toml");
    let mut policy = Policy::parse("mpi.toml", text).unwrap();
    policy.opt_out = opt_out;
    policy
}

/// The agencies that take part.
const IDS: [&str; 2] = ["health_service", "education_office"];
/// Registrar, two agencies and five persons in three families.
struct World {
    dir: TempDir,
    registrar: SigningIdentity,
    health: SigningIdentity,
    school: SigningIdentity,
    trust: TrustFile,
    policy: Policy,
}

impl World {
    fn new(opt_out: OptOut) -> Self {
        let make = |name: PartyName| SigningIdentity::generate(name).unwrap();
        let registrar = make(PartyName::registrar());
        let [health, school] = IDS.map(|id| make(PartyName::agency(id).unwrap()));
        let mut trust = TrustFile::new();
        for party in [&registrar, &health, &school] {
            assert!(trust.pin(party.name().clone(), &party.public_key()));
        }
        let dir = tempfile::tempdir().unwrap();
        let world = Self { dir, registrar, health, school, trust, policy: policy(opt_out) };
        let mut text = "person,family,letter_key\n".to_owned();
        for (person, family) in
            [("ann", "f0"), ("bob", "f0"), ("cid", "f1"), ("dan", "f2"), ("eve", "f2")]
        {
            let key = match person {
                "bob" | "eve" => String::new(),
                _ => LetterKey::generate().unwrap().public_hex(),
            };
            text += &format!("{person},{family},{key}\n");
        }
        fs::write(world.path("population.csv"), text).unwrap();
        world
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn board(&self) -> Board {
        Board::new(self.path("board"))
    }

    fn hash(&self) -> Digest {
        Digest(self.policy.hash().0)
    }

    fn announce(&self, linkage: Linkage, opt_out: Option<&str>) -> Result<Round, RegistrarError> {
        let (population_file, list) = (self.path("population.csv"), self.path("opt-out.txt"));
        let population = Population::read(&population_file, &self.path("private"))?;
        let opt_outs = opt_out.map(|text| {
            fs::write(&list, text).unwrap();
            population.opt_outs(&list)
        });
        let opt_outs = opt_outs.transpose()?;
        let mut submitters = vec![0, 1];
        if self.policy.opt_out == OptOut::Neutral {
            submitters.push(self.policy.agencies.len());
        }
        let announced = new_round(&NewRound {
            policy: &self.policy,
            engine: Engine { name: "clear".into(), parameters: "none".into() },
            layout: Layout::Folded,
            plan: PLAN,
            chunk: 2,
            sharing: "2-of-3".parse().unwrap(),
            dealer: false,
            submitters: &submitters,
            linkage,
            proofs: false,
            deadline: None,
            corrects: None,
            statistics: None,
            population: &population,
            population_file: &population_file,
            opt_outs: opt_outs.as_ref().map(|read| (read, list.as_path())),
            board: &self.board(),
            rosters: &self.path("rosters"),
            private: &self.path("private"),
            identity: &self.registrar,
        })?;
        Ok(announced.round)
    }

    fn roster(&self, id: &str) -> PathBuf {
        self.path("rosters").join(id).join("roster.bt")
    }

    /// An agency makes its request from a register with these persons.
    fn ask(&self, agency: &SigningIdentity, persons: &[&str]) -> Result<Requested, AgencyError> {
        let id = agency.name().agency_id().unwrap();
        let register = self.path(&format!("{id}.csv"));
        let rows: String = persons.iter().map(|person| format!("{person},yes,no\n")).collect();
        let columns =
            if id == IDS[0] { "nutrition,child_mortality" } else { "schooling,attendance" };
        fs::write(&register, format!("person,{columns}\n{rows}")).unwrap();
        let job = blindtier_agency::Link {
            board: &self.board(),
            policy: self.hash(),
            roster: &self.roster(id),
            register: &register,
            private: &self.path(id),
            output: &self.request(id),
        };
        blindtier_agency::link(&job, agency, &self.trust, &|done, all| assert!(done <= all))
    }

    fn request(&self, id: &str) -> PathBuf {
        self.path(&format!("{id}-request.bt"))
    }

    fn answer(&self, id: &str) -> PathBuf {
        self.path(&format!("{id}-answer.bt"))
    }

    fn reply(&self, id: &str) -> Result<Answered, RegistrarError> {
        self.reply_as(&self.registrar, id, &self.path("private"))
    }

    fn reply_as(
        &self,
        identity: &SigningIdentity,
        id: &str,
        private: &Path,
    ) -> Result<Answered, RegistrarError> {
        let job = blindtier_registrar::Link {
            board: &self.board(),
            policy: self.hash(),
            request: &self.request(id),
            private,
            output: &self.answer(id),
            identity,
            trust: &self.trust,
        };
        blindtier_registrar::link(&job, &|done, all| assert!(done <= all))
    }

    fn invitation(&self, agency: &SigningIdentity) -> Invitation {
        Invitation::read(&self.board(), self.hash(), PLAN, agency, &self.trust).unwrap()
    }

    /// Joins the agency's register with the roster; the number of families that it knows.
    fn join(&self, agency: &SigningIdentity, answer: Option<&Path>) -> Result<usize, AgencyError> {
        let id = agency.name().agency_id().unwrap();
        let invitation = self.invitation(agency);
        let (round, context) = (&invitation.round, &invitation.context);
        let file = self.roster(id);
        let roster = RosterFile::open(&file, agency.name(), round, context, &self.trust)?;
        let private = self.path(id);
        let pseudonyms = Pseudonyms::obtain(
            &invitation,
            &self.board(),
            &roster,
            answer.map(|file| (private.as_path(), file)),
            agency,
            &self.trust,
            &|done, all| assert!(done <= all),
        )?;
        let position = self.policy.agency(id).unwrap();
        let file = self.path(&format!("{id}.csv"));
        let register = Register::read(&file, &self.policy, position, &pseudonyms, true, &private)?;
        Ok(register.report().families_known)
    }
}

fn oblivious(persons: u32) -> Linkage {
    Linkage::Oblivious { persons }
}

#[test]
fn agencies_find_their_own_persons_and_no_others() {
    let world = World::new(OptOut::NotOffered);
    let round = world.announce(oblivious(4), None).unwrap();
    assert_eq!(round.linkage, oblivious(4));
    let mut rosters = Vec::new();
    for (agency, persons, families) in
        [(&world.health, &["zoe", "bob", "ann", "dan"][..], 2), (&world.school, &[][..], 0)]
    {
        let id = agency.name().agency_id().unwrap();
        let asked = world.ask(agency, persons).unwrap();
        assert_eq!((asked.elements, asked.fresh), (4, true));
        let answered = world.reply(id).unwrap();
        assert_eq!((&answered.agency, answered.first), (agency.name(), true));
        assert_eq!((answered.request, answered.elements), (asked.request, 4));
        assert_eq!(world.join(agency, Some(&world.answer(id))).unwrap(), families);
        let context = world.invitation(agency).context;
        let roster = Roster::read(&world.roster(id), agency.name(), &round, &context, &world.trust);
        rosters.push(roster.unwrap());
    }
    // A request tells by its length no more than its sender's name.
    let size = |id: &str| fs::metadata(world.request(id)).unwrap().len() as usize - id.len();
    assert_eq!(size(IDS[0]), size(IDS[1]));
    let shared = rosters[0].entries.iter().any(|e| rosters[1].find(e.pseudonym).is_some());
    assert!(!shared, "each agency has pseudonyms of its own");
}

#[test]
fn one_request_a_round_is_answered() {
    let world = World::new(OptOut::NotOffered);
    world.announce(oblivious(4), None).unwrap();
    let (agency, id) = (&world.health, IDS[0]);
    let first = world.ask(agency, &["ann", "bob"]).unwrap();
    assert!(world.reply(id).unwrap().first);

    // The same request: given out again by the agency, answered again by the registrar.
    fs::remove_file(world.request(id)).unwrap();
    let again = world.ask(agency, &["bob"]).unwrap();
    assert_eq!((again.request, again.fresh), (first.request, false));
    let answered = world.reply(id).unwrap();
    assert_eq!((answered.request, answered.first), (first.request, false));
    assert_eq!(world.join(agency, Some(&world.answer(id))).unwrap(), 1);

    // Somebody new in the register: not in this round any more.
    let refused = world.ask(agency, &["bob", "cid"]).unwrap_err();
    assert!(matches!(refused, AgencyError::NotAsked { line: 3, .. }), "{refused}");
    let refused = world.join(agency, Some(&world.answer(id))).unwrap_err();
    assert!(matches!(refused, AgencyError::NotAsked { line: 3, .. }), "{refused}");

    // An agency that forgets its state to ask about others.
    fs::remove_dir_all(world.path(id)).unwrap();
    fs::remove_file(world.answer(id)).unwrap();
    let second = world.ask(agency, &["cid", "dan"]).unwrap();
    assert!(second.fresh && second.request != first.request);
    let refused = world.reply(id).unwrap_err();
    assert_eq!(refused.culprits(), [agency.name().clone()]);
    let text = refused.to_string();
    for part in [id, "one answer", &first.request.to_string(), &second.request.to_string()] {
        assert!(text.contains(part), "{text}");
    }
    assert!(!world.answer(id).exists());
    // Others are not concerned.
    world.ask(&world.school, &["cid"]).unwrap();
    assert!(world.reply(IDS[1]).unwrap().first);

    // A damaged record is no reason to answer.
    fs::write(world.path("private").join(id).join("answered.txt"), "x").unwrap();
    assert!(matches!(world.reply(id), Err(RegistrarError::Record { .. })));
}

#[test]
fn a_request_that_cannot_be_answered_does_not_count() {
    let world = World::new(OptOut::NotOffered);
    world.announce(oblivious(4), None).unwrap();
    let (agency, id) = (&world.health, IDS[0]);
    let context = world.invitation(agency).context;
    let bad = LinkageRequest { elements: vec![0xff; 4 * 32] };
    write(&world.request(id), &bad, &context, agency).unwrap();
    let refused = world.reply(id).unwrap_err();
    assert!(matches!(refused, RegistrarError::Request { .. }), "{refused}");
    assert_eq!(refused.culprits(), [agency.name().clone()]);
    let short = LinkageRequest { elements: vec![0xff; 3 * 32] };
    write(&world.request(id), &short, &context, agency).unwrap();
    let refused = world.reply(id).unwrap_err();
    assert_eq!(refused.culprits(), [agency.name().clone()]);
    world.ask(agency, &["ann"]).unwrap();
    assert!(world.reply(id).unwrap().first);

    // Neither by somebody else, nor from another private folder.
    assert!(matches!(
        world.reply_as(agency, id, &world.path("private")),
        Err(RegistrarError::NotRegistrar { .. })
    ));
    let refused = world.reply_as(&world.registrar, id, &world.path("elsewhere")).unwrap_err();
    assert!(refused.to_string().contains("linkage-key.bt"), "{refused}");
}

#[test]
fn a_register_has_to_fit_the_request() {
    let world = World::new(OptOut::NotOffered);
    world.announce(oblivious(4), None).unwrap();
    let many = ["a", "b", "c", "d", "e"];
    let refused = world.ask(&world.health, &many).unwrap_err();
    assert!(matches!(refused, AgencyError::TooManyPersons { size: 4, enough: 8, .. }), "{refused}");
    assert!(!world.request(IDS[0]).exists() && !world.path(IDS[0]).exists());
    // Two rows about one person are one person here; the register is refused when it is joined.
    let asked = world.ask(&world.health, &["a", "a", "b", "c", "d"]).unwrap();
    assert!(asked.fresh);
}

#[test]
fn answers_that_are_not_to_the_request_name_the_registrar() {
    let world = World::new(OptOut::NotOffered);
    world.announce(oblivious(4), None).unwrap();
    let (agency, id) = (&world.health, IDS[0]);
    for (agency, id) in [(&world.health, IDS[0]), (&world.school, IDS[1])] {
        world.ask(agency, &["ann", "dan"]).unwrap();
        world.reply(id).unwrap();
    }
    let refused = |answer: &Path| {
        let error = world.join(agency, Some(answer)).unwrap_err();
        assert_eq!(error.culprits(), [world.registrar.name().clone()], "{error}");
        error.to_string()
    };
    let other = refused(&world.answer(IDS[1]));
    assert!(other.contains("meant for agency:education_office"), "{other}");
    // Signed by the registrar, but made with another key, or cut short.
    let context = world.invitation(agency).context;
    let registrar = world.registrar.name();
    let expect = Expect::of(registrar, &context);
    let read =
        |id: &str| read::<LinkageAnswer>(&world.answer(id), &expect, &world.trust).unwrap().body;
    let (own, other) = (read(IDS[0]), read(IDS[1]));
    let file = world.path("changed.bt");
    let write = |change: &dyn Fn(&mut LinkageAnswer)| {
        let mut changed = own.clone();
        change(&mut changed);
        write(&file, &changed, &context, &world.registrar).unwrap();
    };
    write(&|answer| answer.elements.clone_from(&other.elements));
    assert!(refused(&file).contains("proof"));
    write(&|answer| answer.proofs.clear());
    assert!(refused(&file).contains("0 proofs instead of 1"));
    write(&|answer| answer.elements.truncate(96));
    assert!(refused(&file).contains("as many elements"));
    write(&|answer| answer.request = Digest([1; 32]));
    assert!(refused(&file).contains("request"));
    assert!(refused(&world.path("none.bt")).contains("missing"));
    assert_eq!(world.join(agency, Some(&world.answer(id))).unwrap(), 2);
    let alone = world.join(agency, None).unwrap_err();
    assert!(matches!(alone, AgencyError::NeedsAnswer { .. }));
}

#[test]
fn with_a_keyed_hash_nobody_asks() {
    let world = World::new(OptOut::NotOffered);
    world.announce(Linkage::KeyedHash, None).unwrap();
    assert_eq!(fs::read_dir(world.path("private")).unwrap().count(), 0, "nothing is kept");
    let refused = world.ask(&world.health, &["ann", "dan"]).unwrap_err();
    assert!(matches!(refused, AgencyError::NeedsNoAnswer { .. }));
    assert_eq!(world.join(&world.health, None).unwrap(), 2);
    let refused = world.join(&world.health, Some(&world.answer(IDS[0]))).unwrap_err();
    assert!(matches!(refused, AgencyError::NeedsNoAnswer { .. }));
    assert!(matches!(world.reply(IDS[0]), Err(RegistrarError::KeyedHash { .. })));
}

#[test]
fn requests_are_a_power_of_two_and_not_too_large() {
    let world = World::new(OptOut::NotOffered);
    let population = Population::read(&world.path("population.csv"), world.dir.path()).unwrap();
    assert_eq!(request_size(&population), 8, "five persons");
    let refused = world.announce(oblivious(MAX_LINKAGE_PERSONS + 1), None).unwrap_err();
    assert!(matches!(refused, RegistrarError::TooManyPersons { .. }));
    assert!(!world.path("board").exists() && !world.path("private").exists());
}

#[test]
fn another_rounds_secrets_are_not_replaced() {
    let world = World::new(OptOut::NotOffered);
    world.announce(oblivious(4), None).unwrap();
    fs::remove_dir_all(world.path("board")).unwrap();
    let refused = world.announce(oblivious(4), None).unwrap_err();
    assert!(matches!(refused, RegistrarError::PrivateExists { .. }), "{refused}");
    assert!(!world.path("board").exists());
    let offered = World::new(OptOut::Neutral);
    offered.announce(Linkage::KeyedHash, None).unwrap();
    fs::remove_dir_all(offered.path("board")).unwrap();
    let refused = offered.announce(Linkage::KeyedHash, None).unwrap_err();
    assert!(refused.to_string().contains("opt-outs.bt"), "{refused}");
}

#[test]
fn who_said_no_stands_at_their_slots() {
    let world = World::new(OptOut::Neutral);
    let round = world.announce(Linkage::KeyedHash, Some("f2\n\n f0 \nf2\n")).unwrap();
    let names: Vec<&str> = round.submitters.iter().map(PartyName::as_str).collect();
    assert_eq!(names, ["agency:health_service", "agency:education_office", "registrar"]);
    let context = round.context().unwrap();
    let file = world.path("private/opt-outs.bt");
    let list = OptOuts::read(&file, &round, &context, &world.trust).unwrap();
    let agency = world.health.name();
    let roster = Roster::read(&world.roster(IDS[0]), agency, &round, &context, &world.trust);
    let roster = roster.unwrap();
    let RosterLinkage::Key(key) = &roster.linkage else { panic!("another linkage") };
    for (person, said_no) in [("ann", 1), ("bob", 1), ("cid", 0), ("dan", 1), ("eve", 1)] {
        let entry = roster.find(key.pseudonym(person)).unwrap();
        assert_eq!(list.value(roster.entries[entry].slot), said_no, "{person}");
    }
    assert_eq!(list.slots.iter().filter(|no| **no == 1).count(), 2);
}

#[test]
fn without_a_list_nobody_said_no() {
    let world = World::new(OptOut::Neutral);
    let round = world.announce(oblivious(4), None).unwrap();
    let (context, file) = (round.context().unwrap(), world.path("private/opt-outs.bt"));
    let list = OptOuts::read(&file, &round, &context, &world.trust).unwrap();
    assert_eq!(list.slots, [0, 0, 0]);
    let invitation = world.invitation(&world.registrar);
    assert_eq!(invitation.round.submitters.last(), Some(world.registrar.name()));
}

#[test]
fn opt_out_lists_that_do_not_fit() {
    let world = World::new(OptOut::Neutral);
    let refused = world.announce(Linkage::KeyedHash, Some("f0\n\nsecret-family\n")).unwrap_err();
    let RegistrarError::OptOutList { line: 3, fault: OptOutFault::NoSuchFamily, .. } = &refused
    else {
        panic!("{refused}")
    };
    assert!(!refused.to_string().contains("secret-family"), "families are not named: {refused}");
    let population = Population::read(&world.path("population.csv"), world.dir.path()).unwrap();
    let missing = population.opt_outs(&world.path("none.txt")).map(|_| ()).unwrap_err();
    assert!(matches!(missing, RegistrarError::OptOutList { fault: OptOutFault::Missing, .. }));
    fs::write(world.path("latin.txt"), b"f\xe9\n").unwrap();
    let text = population.opt_outs(&world.path("latin.txt")).map(|_| ()).unwrap_err();
    assert!(matches!(text, RegistrarError::OptOutList { fault: OptOutFault::Text, .. }));
    // The policy does not ask.
    let world = World::new(OptOut::NotOffered);
    let refused = world.announce(Linkage::KeyedHash, Some("f0\n")).unwrap_err();
    assert!(matches!(refused, RegistrarError::NoOptOut { .. }));
    assert!(!world.path("board").exists() && !world.path("rosters").exists());
}

//! The hostile-agency kit: one wrong thing a round, as told by the files in `tests/hostile`.
//!
//! A case says what is done wrong, which step refuses it, whom the error names and what it says, and how the round goes on.
//! Everything else of the round is honest, so that a new attack is a new file. `case.rs` has what a file may say, `play.rs` the
//! steps of a round.

mod case;
mod engine;
mod forge;
mod play;
mod setting;
mod strike;

use crate::support::{Files, Shape, World, files_below};
use blindtier_wire::PartyName;
use case::{Afterwards, Case, load};
use play::{Actor, Play, Refusal, Step};
use setting::keyed;
use std::any::Any;
use std::collections::BTreeMap;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use strike::exclusion;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/hostile")
}

/// What all cases have in common.
struct Theatre {
    world: World,
    /// An honest round, as it is before each step. A case begins with a copy of one of them.
    honest: BTreeMap<Step, Files>,
    /// The round before, of the same parties, up to its evaluation.
    last: Files,
}

impl Theatre {
    fn new() -> Self {
        let mut world = World::with(Shape::of("2-of-3", false));
        // In memory, where there is such a folder: most of a round's time is waiting for the disk, after every file.
        if let Ok(dir) = tempfile::tempdir_in("/dev/shm") {
            world.dir = dir;
        }
        let [last, files] = ["last", "honest"].map(|name| keyed(&world, name));
        let play = Play::new(&world, last, &files);
        play_through(&play, Step::Link, Step::Evaluate).unwrap();
        let last = play.files;
        let play = Play::new(&world, files, &last);
        let mut honest = BTreeMap::new();
        for step in Step::ALL {
            honest.insert(step, world.copy(&play.files, &format!("before {step:?}")));
            play_through(&play, step, step).unwrap();
        }
        Self { world, honest, last }
    }
}

/// The files of a round, by their places.
type Snapshot = BTreeMap<PathBuf, Vec<u8>>;

fn snapshot(root: &Path) -> Snapshot {
    let place = |path: &PathBuf| path.strip_prefix(root).unwrap().to_owned();
    files_below(root).iter().map(|path| (place(path), fs::read(path).unwrap())).collect()
}

/// The places where two snapshots differ.
fn differences<'s>(one: &'s Snapshot, other: &'s Snapshot) -> impl Iterator<Item = &'s PathBuf> {
    let changed = one.iter().filter(|(place, bytes)| other.get(*place) != Some(bytes));
    let added = other.keys().filter(|place| !one.contains_key(*place));
    changed.map(|(place, _)| place).chain(added)
}

/// One party's part of a step. A panic is no refusal.
fn act(play: &Play<'_>, step: Step, actor: Actor) -> Result<Result<(), Refusal>, String> {
    catch_unwind(AssertUnwindSafe(|| play.act(step, actor)))
        .map_err(|panic| format!("{step:?}: {actor:?} panicked: {}", message(panic.as_ref())))
}

fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    text.or(panic.downcast_ref().map(|text: &&str| text.to_string())).unwrap_or_default()
}

/// All parties take their steps, from one to another, and nobody refuses.
fn play_through(play: &Play<'_>, from: Step, to: Step) -> Result<(), String> {
    for step in Step::ALL.into_iter().filter(|step| (from..=to).contains(step)) {
        for actor in play.actors(step) {
            act(play, step, actor)?
                .map_err(|refusal| format!("{step:?} is refused by {actor:?}: {refusal}"))?;
        }
    }
    Ok(())
}

/// Whether a party that refuses may leave this behind. Trustees note when they saw which submission, show those that are
/// registered, and keep two different ones as evidence; none of it is a signature.
fn may_stay(step: Step, place: &Path) -> bool {
    let text = place.to_string_lossy();
    step == Step::Register
        && (text.contains("/submissions-")
            || text.starts_with("board/evidence/")
            || (text.starts_with("board/submissions/") && text.ends_with("/submission.bt")))
}

/// The named step is refused as the case says, by everybody who has to, and leaves nothing. Returns what was said.
fn refused(play: &Play<'_>, case: &Case) -> Result<String, String> {
    let mut said = Vec::new();
    let actors = play.actors(case.step);
    for actor in &actors {
        let before = snapshot(&play.files.root);
        let Err(refusal) = act(play, case.step, *actor)? else { continue };
        let mut culprits = refusal.culprits.clone();
        culprits.sort();
        if culprits != case.culprits || !refusal.text.contains(&case.error) {
            return Err(format!("{actor:?} refuses otherwise: {refusal}"));
        }
        let after = snapshot(&play.files.root);
        let stays = |place: &&PathBuf| {
            may_stay(case.step, place) || case.leaves.iter().any(|left| place.ends_with(left))
        };
        if let Some(left) = differences(&before, &after).find(|place| !stays(place)) {
            return Err(format!("{actor:?} refuses and leaves {}", left.display()));
        }
        said.push(refusal.text);
    }
    let trustees = matches!(actors.first(), Some(Actor::Trustee(_)));
    match said.pop() {
        None => Err(format!("{:?} is not refused", case.step)),
        Some(_) if trustees && said.len() + 1 < actors.len() => {
            Err(format!("{:?} is refused by {} trustees only", case.step, said.len() + 1))
        }
        Some(text) => Ok(text),
    }
}

/// Puts an honest file back, or removes one that was not there.
fn put_back(path: &Path, bytes: Option<&Vec<u8>>) {
    if path.is_dir() {
        fs::remove_dir(path).unwrap();
    }
    match bytes {
        Some(bytes) => {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, bytes).unwrap();
        }
        None => fs::remove_file(path).unwrap(),
    }
}

/// What everybody made who is not to blame.
fn work_of_others(play: &Play<'_>, culprits: &[String]) -> Snapshot {
    let hostile = |actor: &Actor| match culprits {
        [] => *actor == Actor::Agency(0),
        names => names.iter().any(|name| name == play.identity(*actor).name().as_str()),
    };
    let others = play.actors(Step::Submit).into_iter().filter(|actor| !hostile(actor));
    let names: Vec<PartyName> = others.map(|actor| play.identity(actor).name().clone()).collect();
    let theirs = |place: &Path| {
        names.iter().any(|name| {
            let folder = name.submitter_folder();
            ["agencies", "board/submissions", "private"]
                .iter()
                .any(|parent| place.starts_with(Path::new(parent).join(folder)))
                || place.starts_with(Path::new("letters").join(name.file_part()))
                || place == Path::new("requests").join(format!("{folder}.bt"))
        })
    };
    let mut all = snapshot(&play.files.root);
    all.retain(|place, _| theirs(place));
    all
}

/// What trustees do about a culprit, as the error told them; the step that the round goes on with.
fn follow(play: &mut Play<'_>, advice: &str, culprit: &str) -> Result<Step, String> {
    let word = |option: &str| {
        let (_, rest) = advice.split_once(option)?;
        rest.trim_start().split([' ', ')', '\n']).next()
    };
    if let Some(submitter) = word("trustee exclude --submitter") {
        let chunk = word("--chunk").map(|chunk| chunk.parse().unwrap());
        let reason = exclusion(word("--reason").unwrap_or_default(), chunk);
        play.exclude = Some((PartyName::new(submitter).unwrap(), reason));
        return Ok(Step::Exclude);
    }
    if advice.contains("--leave-out") {
        play.leave_out.push(PartyName::new(culprit).unwrap());
        return Ok(Step::Register);
    }
    Err(format!("the error does not say how the round goes on: {advice}"))
}

/// Plays a round with one case's fault.
fn run(theatre: &Theatre, case: &Case, name: &str) -> Result<(), String> {
    let (world, before) = (&theatre.world, case.fault.before());
    let mut play = Play::new(world, world.copy(&theatre.honest[&before], name), &theatre.last);
    play.accomplices.clone_from(&case.accomplices);
    let root = play.files.root.clone();

    case.fault.prelude(&mut play);
    let honest = snapshot(&root);
    case.fault.strike(&mut play);
    let struck = snapshot(&root);
    for step in Step::ALL.into_iter().filter(|step| *step >= before && *step < case.step) {
        play_through(&play, step, step)?;
    }
    let advice = refused(&play, case)?;

    let theirs = work_of_others(&play, &case.culprits);
    let from = match case.afterwards {
        None => return Ok(()),
        Some(Afterwards::Repaired) => {
            for place in differences(&honest, &struck) {
                put_back(&root.join(place), honest.get(place));
            }
            play.amend();
            before
        }
        Some(Afterwards::Excluded) => follow(&mut play, &advice, &case.culprits[0])?,
    };
    play_through(&play, from, Step::Read).map_err(|text| format!("afterwards {text}"))?;

    let ledger = world.ledger(&play.files).unwrap();
    let out: Vec<String> = ledger.exclusions().map(|(name, _)| name.to_string()).collect();
    let excluded = case.afterwards == Some(Afterwards::Excluded);
    let expected = if excluded { case.culprits.as_slice() } else { &[] };
    if out != expected {
        return Err(format!("afterwards {out:?} are excluded"));
    }
    let now = snapshot(&root);
    match theirs.iter().find(|(place, bytes)| now.get(*place) != Some(bytes)) {
        Some((place, _)) => Err(format!("{} had to be made again", place.display())),
        None => Ok(()),
    }
}

#[test]
fn every_fault_is_refused_where_its_case_says() {
    let cases = load(&folder()).unwrap();
    let theatre = Theatre::new();
    let (next, failures) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        // More than there are cores: on a disk, a round mostly waits.
        for _ in 0..8 {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    let Some(case) = cases.get(number) else { return };
                    let name = format!("case-{number}");
                    let play = || run(&theatre, case, &name);
                    let outcome = catch_unwind(AssertUnwindSafe(play)).unwrap_or_else(|panic| {
                        Err(format!("panicked: {}", message(panic.as_ref())))
                    });
                    let _ = fs::remove_dir_all(theatre.world.dir.path().join(name));
                    if let Err(text) = outcome {
                        let failure = format!("{}\n  ({})\n  {text}", case.name, case.story);
                        failures.lock().unwrap().push(failure);
                    }
                }
            });
        }
    });
    let failures = failures.into_inner().unwrap();
    let count = failures.len();
    assert!(count == 0, "{count} of {} cases:\n{}", cases.len(), failures.join("\n"));
}

/// The files of the kit in a folder of their own.
fn copied_cases() -> tempfile::TempDir {
    let copy = tempfile::tempdir().unwrap();
    for entry in fs::read_dir(folder()).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), copy.path().join(entry.file_name())).unwrap();
    }
    copy
}

#[test]
fn cases_that_are_not_as_they_should_be_do_not_pass() {
    let copy = copied_cases();
    let refused = |text: &str, expected: &str| {
        let file = copy.path().join("zzz.toml");
        fs::write(&file, text).unwrap();
        let error = load(copy.path()).err().unwrap();
        assert!(error.contains("zzz.toml") && error.contains(expected), "{error}");
        fs::remove_file(file).unwrap();
    };
    let case = |fault: &str| {
        format!(
            "name = \"new\"\nstory = \"\"\nstep = \"submit\"\nculprits = []\nerror = \"\"\n{fault}"
        )
    };
    refused(&case("colour = \"blue\"\nfault.values.add = 1"), "unknown field `colour`");
    refused(&case("fault.values = { add = 1, colour = 2 }"), "unknown field `colour`");
    refused(&case("fault.magic.add = 1"), "unknown variant `magic`");
    refused(&case(""), "missing field `fault`");
    refused(&case("fault.levels.cut = 1"), "after the step");
    let name = load(copy.path()).unwrap()[0].name.clone();
    let twice = case("fault.values.add = 1").replace("\"new\"", &format!("{name:?}"));
    refused(&twice, &format!("has the name {name:?} already"));
    fs::write(copy.path().join("notes.txt"), "").unwrap();
    assert!(load(copy.path()).err().unwrap().contains("not a case"));
}

#[test]
fn a_kit_with_fewer_than_forty_cases_does_not_pass() {
    let copy = copied_cases();
    let mut files = files_below(copy.path());
    for file in files.drain(39..) {
        fs::remove_file(file).unwrap();
    }
    assert!(load(copy.path()).err().unwrap().contains("39 cases, fewer than 40"));
    assert!(load(&copy.path().join("nowhere")).is_err());
}

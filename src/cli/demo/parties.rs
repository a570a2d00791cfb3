//! The parties of a demo, one process each, and the couriers between them.

use super::super::error::CliError;
use super::super::output::Output;
use super::super::progress::Progress;
use super::super::registrar::LinkageName;
use super::super::round::folder_bytes;
use super::statistics::{self, Counted};
use super::{Expected, Families, Stage};
use blindtier_engine::Proofs;
use blindtier_wire::{Board, PartyName, TrustFile, file_names, storage};
use clap::ValueEnum;
use serde_json::Value;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Instant;

/// What the round gave.
pub(super) struct Outcome {
    /// What was opened about regions, if anything.
    pub statistics: Option<Counted>,
    /// The clear twin's answers, as opened numbers, in the order of the data.
    pub expected: Vec<u32>,
    /// Identifiers of tiers and reserved codes as the families read them, in the order of the data.
    pub tiers: Vec<String>,
    /// How agencies found their persons in their rosters.
    pub linkage: String,
    /// The first family's letter, line by line.
    pub letter: Vec<String>,
    /// The trustee whose process was killed while it opened, if any could be spared.
    pub killed: Option<String>,
    /// Seconds by phase: keygen, encrypt, evaluate, recompute, open; the last two of all trustees that open.
    pub seconds: [f64; 5],
    /// What the evaluator counted: lookups or multiplications.
    pub counted: &'static str,
    pub operations: u64,
    /// The most bytes of memory that a process of each kind of party held, where the system tells.
    pub memory: BTreeMap<String, u64>,
    pub chunks: u64,
    pub files_checked: u64,
    /// What each party sent.
    pub sent: Vec<Sent>,
    /// Bytes of all submissions: the agencies' and the registrar's.
    pub upload: [u64; 2],
    pub evaluation_key: u64,
    pub results: u64,
}

/// Plays a whole round.
pub(super) fn play(
    stage: &Stage,
    families: &Families,
    output: Output,
) -> Result<Outcome, CliError> {
    let table = Table::new(stage, output);
    let (work, board) = (table.work, &table.board);
    let count = families.count();
    let keys = table.run(
        "families",
        &["family", "keygen", "--families", &count.to_string()],
        &[("--out", work.join("families/letter.key"))],
    )?;
    let keys: Vec<String> = strings(&keys, "letter_keys");
    let Expected { numbers: expected, regions } = stage.prepare(families, &keys)?;
    output.say(&format!(
        "{count} families; registers of {} agencies; every party in {}",
        stage.policy.agencies.len(),
        work.display()
    ));
    table.identities(stage)?;
    let announced = table.announce(stage)?;
    output.say(&format!("registrar: {count} families shuffled into slots, one roster an agency"));

    let keygen = table.keys(stage)?;
    table.public(
        "families",
        &["family", "check"],
        &[("--key", work.join("families/letter.key"))],
    )?;
    output.say("families: every letter key is in the roster");
    let submitters = strings(&announced, "submitters")
        .into_iter()
        .map(|name| PartyName::new(name).map_err(blindtier_wire::WireError::from))
        .collect::<Result<Vec<_>, _>>()?;
    let oblivious = stage.linkage == LinkageName::Oblivious;
    let mut sent = if oblivious { table.link(&submitters)? } else { Vec::new() };
    let start = Instant::now();
    let upload = table.submit(&submitters, oblivious, &mut sent)?;
    let encrypt = start.elapsed().as_secs_f64();

    let done = table.round("evaluator", &["evaluator", "run"], &[])?;
    let evaluate = number(&done, "seconds");
    let (counted, operations) = ["lookups", "multiplications"]
        .into_iter()
        .find_map(|name| Some((name, done.get(name)?.as_u64()?)))
        .unwrap_or_default();
    output.say(&format!("evaluator: {operations} {counted} on ciphertexts in {evaluate:.1} s"));

    let Opening { killed, recompute, open } = table.open(stage)?;
    for party in &submitters {
        let from = table.folder(party.as_str()).join("levels");
        copy_folder(&from, &work.join("letters").join(party.file_part()))?;
    }
    let mail = [("--key", work.join("families/letter.key")), ("--letters", work.join("letters"))];
    let read = table.public("families", &["family", "read"], &mail)?;
    let one = table.public("families", &["family", "read", "--family", "0"], &mail)?;
    let head = text(&one, "head").to_owned();
    table.prove(stage, &mail, &strings(&read, "tiers"))?;
    let counted_families = statistics::count(&table, stage, &expected, &regions)?;
    let audit = table.audit(&["auditor", "verify", "--head", &head], &[])?;
    let files_checked = audit.get("files_checked").and_then(Value::as_u64).unwrap_or_default();
    output.say(&format!(
        "auditor: {files_checked} signed files and every hash between them checked, the round opened again"
    ));

    let size = |path: PathBuf| file_bytes(&path);
    let evaluation_key = size(board.evaluation_key());
    let results = folder_bytes(&board.results());
    let maker = if stage.needs_dealer() { "dealer" } else { "trustees" };
    sent.insert(
        0,
        ("registrar".into(), "round, letter keys", size(board.round()) + size(board.letter_keys())),
    );
    let keys = evaluation_key + size(board.public_key()) + size(board.opening_key());
    let ceremony = keys + folder_bytes(&board.folder().join("ceremony"));
    sent.insert(1, (maker.into(), "public keys and how they were made", ceremony));
    sent.push(("evaluator".into(), "encrypted results, receipt", results));
    for name in stage.sharing.names() {
        let partials = folder_bytes(&board.partials(&name));
        let letters = folder_bytes(&work.join("letters").join(name.file_part()));
        if letters > 0 {
            sent.push((name.to_string(), "partial decryptions, commitments", partials));
            sent.push((name.to_string(), "sealed letters", letters));
        }
    }
    Ok(Outcome {
        statistics: counted_families,
        expected,
        tiers: strings(&read, "tiers"),
        linkage: text(&announced, "linkage").to_owned(),
        letter: strings(&one, "letter"),
        killed,
        seconds: [keygen, encrypt, evaluate, recompute, open],
        counted,
        operations,
        memory: table.memory.into_inner(),
        chunks: count.div_ceil(announced.get("chunk").and_then(Value::as_u64).unwrap_or(1).max(1)),
        files_checked,
        sent,
        upload,
        evaluation_key,
        results,
    })
}

/// What a party sent: its name, what, bytes.
pub(super) type Sent = (String, &'static str, u64);

/// The command of a submitter.
fn side(submitter: &PartyName) -> &'static str {
    if submitter.agency_id().is_some() { "agency" } else { "registrar" }
}

/// How the trustees opened.
struct Opening {
    killed: Option<String>,
    recompute: f64,
    open: f64,
}

/// The most times that a trustee's command is repeated before a demo gives up.
pub(super) const PASSES: usize = 12;

/// Where processes are started from.
pub(super) struct Table<'a> {
    work: &'a Path,
    board: Board,
    pub output: Output,
    /// Of each kind of party.
    memory: RefCell<BTreeMap<String, u64>>,
}

impl<'a> Table<'a> {
    fn new(stage: &'a Stage, output: Output) -> Self {
        let work = stage.work.as_path();
        Self { work, board: Board::new(work.join("board")), output, memory: RefCell::default() }
    }

    fn folder(&self, party: &str) -> PathBuf {
        match party.split_once(':') {
            Some(("agency", id)) => self.work.join("agencies").join(id),
            _ => self.work.join(party.replace(':', "-")),
        }
    }

    fn signing_key(&self, party: &str) -> PathBuf {
        self.folder(party).join("signing.key")
    }

    /// Every party makes its signing key, and all pin each other's.
    fn identities(&self, stage: &Stage) -> Result<(), CliError> {
        let mut names = vec![PartyName::registrar(), PartyName::evaluator()];
        if stage.needs_dealer() {
            names.push(PartyName::dealer());
        }
        names.extend(stage.sharing.names());
        for agency in &stage.policy.agencies {
            names.push(PartyName::agency(&agency.id).map_err(blindtier_wire::WireError::from)?);
        }
        let mut trust = TrustFile::new();
        for party in names {
            let name = party.as_str();
            let made = self.run(
                name,
                &["identity", "--party", name],
                &[("--out", self.signing_key(name))],
            )?;
            let key = blindtier_wire::Digest::from_hex(text(&made, "public_key")).map(|d| d.0);
            trust.pin(party, &key.unwrap_or_default());
        }
        Ok(trust.write(&self.work.join("public/trust.toml"))?)
    }

    /// The key ceremony. Returns the seconds that it took.
    fn keys(&self, stage: &Stage) -> Result<f64, CliError> {
        let start = Instant::now();
        let sealed = self.work.join("sealed-shares");
        let names: Vec<PartyName> = stage.sharing.names().collect();
        for pass in 0..PASSES {
            let mut done = true;
            for name in &names {
                let files = [("--sealed", sealed.clone())];
                let said = self.trustee(name.as_str(), &["trustee", "keygen"], &files)?;
                done &= said.get("done").and_then(Value::as_bool).unwrap_or_default();
            }
            if done {
                let seconds = start.elapsed().as_secs_f64();
                let how =
                    if stage.needs_dealer() { "dealt" } else { "made by all, without a dealer" };
                self.output.say(&format!(
                    "trustees: {} key {how} in {seconds:.1} s; nobody has the whole one",
                    stage.sharing
                ));
                return Ok(seconds);
            }
            if pass == 0 && stage.needs_dealer() {
                self.round("dealer", &["dealer", "deal"], &[("--sealed", sealed.clone())])?;
            }
        }
        Err(self.stuck("the key ceremony"))
    }

    /// The registrar announces the round.
    fn announce(&self, stage: &Stage) -> Result<Value, CliError> {
        let mut files = vec![
            ("--policy", self.work.join("public/policy.toml")),
            ("--population", self.work.join("registrar/population.csv")),
            ("--identity", self.signing_key("registrar")),
            ("--board", self.board.folder().to_owned()),
            ("--rosters", self.work.join("registrar/rosters")),
            ("--private", self.registrar_private()),
        ];
        files.extend(stage.opt_out_file().map(|file| ("--opt-out", file)));
        files.extend(stage.chunk.map(|slots| ("--chunk", slots.to_string().into())));
        if let Some((.., noise)) = stage.statistics {
            files.push(("--statistics-by", "region".into()));
            files.push(("--statistics-noise", value_name(noise).into()));
        }
        self.run(
            "registrar",
            &[
                "registrar",
                "new-round",
                "--engine",
                stage.engine.name(),
                "--layout",
                &value_name(stage.layout),
                "--trustees",
                &stage.sharing.to_string(),
                "--proofs",
                if stage.proofs == Proofs::On { "on" } else { "off" },
                "--linkage",
                &value_name(stage.linkage),
            ],
            &files,
        )
    }

    fn registrar_private(&self) -> PathBuf {
        self.work.join("registrar/private")
    }

    /// Every agency gets its roster, asks for its persons' pseudonyms, and the registrar answers. Returns what each sent.
    fn link(&self, submitters: &[PartyName]) -> Result<Vec<Sent>, CliError> {
        let mut sent = Vec::new();
        let mut answers = 0;
        for name in submitters {
            let (Some(id), party) = (name.agency_id(), name.as_str()) else { continue };
            let folder = self.folder(party);
            self.hand_roster(id)?;
            let request = folder.join("request.bt");
            let files = [
                ("--roster", folder.join(file_names::ROSTER)),
                ("--register", folder.join("register.csv")),
                ("--private", folder.join("private")),
                ("--out", request.clone()),
            ];
            let asked = self.round(party, &["agency", "link"], &files)?;
            let answer = folder.join("answer.bt");
            let files = [
                ("--request", request.clone()),
                ("--private", self.registrar_private()),
                ("--out", answer.clone()),
            ];
            self.round("registrar", &["registrar", "link"], &files)?;
            let persons = number(&asked, "persons");
            self.output.say(&format!(
                "{party}: asked the registrar blindly about {persons} persons, its own and fillers"
            ));
            sent.push((party.to_owned(), "blinded persons", file_bytes(&request)));
            answers += file_bytes(&answer);
        }
        sent.push(("registrar".into(), "answers to agencies", answers));
        Ok(sent)
    }

    fn hand_roster(&self, id: &str) -> Result<(), CliError> {
        let from = self.work.join("registrar/rosters").join(id).join(file_names::ROSTER);
        copy(&from, &self.work.join("agencies").join(id).join(file_names::ROSTER))
    }

    /// Submitters encrypt, trustees register, submitters hand over. Adds what each sent, and returns the bytes of all
    /// submissions.
    fn submit(
        &self,
        submitters: &[PartyName],
        oblivious: bool,
        sent: &mut Vec<Sent>,
    ) -> Result<[u64; 2], CliError> {
        let manifests = self.work.join("manifests");
        let [mut agencies, mut registrar] = [0, 0];
        for name in submitters {
            let party = name.as_str();
            let folder = self.folder(party);
            let mut files =
                vec![("--out", folder.join("submission")), ("--levels", folder.join("levels"))];
            if let Some(id) = name.agency_id() {
                self.hand_roster(id)?;
                files.push(("--roster", folder.join(file_names::ROSTER)));
                files.push(("--register", folder.join("register.csv")));
                files.push(("--report", folder.join("report.csv")));
            }
            if oblivious || name.agency_id().is_none() {
                files.push(("--private", folder.join("private")));
            }
            if oblivious && name.agency_id().is_some() {
                files.push(("--answer", folder.join("answer.bt")));
            }
            let done = self.round(party, &[side(name), "submit"], &files)?;
            let bytes = folder_bytes(&folder.join("submission"));
            let sum = if name.agency_id().is_some() { &mut agencies } else { &mut registrar };
            *sum += bytes;
            let columns = done.get("columns").and_then(Value::as_u64).unwrap_or_default();
            self.output
                .say(&format!("{party}: submission of {bytes} bytes, columns a family: {columns}"));
            copy(
                &folder.join("submission").join(file_names::SUBMISSION),
                &manifests.join(name.submitter_folder()).join(file_names::SUBMISSION),
            )?;
            let levels = folder_bytes(&folder.join("levels"));
            sent.push((party.to_owned(), "submission", bytes));
            sent.push((party.to_owned(), "sealed levels", levels));
        }
        for number in 1..=self.trustees()? {
            let files = [("--manifests", manifests.clone())];
            self.trustee(&format!("trustee:{number}"), &["trustee", "register"], &files)?;
        }
        self.output.say("trustees: all submissions registered in the ledger");
        for name in submitters {
            let files = [("--submission", self.folder(name.as_str()).join("submission"))];
            self.round(name.as_str(), &[side(name), "hand-over"], &files)?;
        }
        Ok([agencies, registrar])
    }

    fn trustees(&self) -> Result<u16, CliError> {
        let folders = std::fs::read_dir(self.work).map_err(|source| CliError::File {
            file: self.work.to_owned(),
            action: "look into the folder",
            remedy: "check that nothing else writes under --work",
            source,
        })?;
        let count = folders
            .flatten()
            .filter(|entry| entry.file_name().to_string_lossy().starts_with("trustee-"))
            .count();
        Ok(u16::try_from(count).unwrap_or(u16::MAX))
    }

    /// The trustees open. If one more is there than needed, the last one's process is killed while it works.
    fn open(&self, stage: &Stage) -> Result<Opening, CliError> {
        let letters = self.work.join("letters");
        let names: Vec<String> = stage.sharing.names().map(String::from).collect();
        let majority = stage.sharing.majority().max(usize::from(stage.sharing.threshold()));
        let spared = names.len() > majority;
        let (opening, dying) = names.split_at(names.len() - usize::from(spared));
        let files = |name: &str| {
            let mut files = vec![("--letters", letters.join(name.replace(':', "-")))];
            files.extend(dying.iter().map(|absent| ("--without", PathBuf::from(absent))));
            files
        };
        if let Some(name) = dying.first() {
            self.kill(name, &self.trustee_files(name, &files(name)))?;
            self.output.say(&format!("{name}: killed while it recomputed; the others go on"));
        }
        let (mut recompute, mut open) = (0.0, 0.0);
        for pass in 0..PASSES {
            let mut done = true;
            for name in opening {
                let said = self.trustee(name, &["trustee", "open"], &files(name))?;
                open += number(&said, "seconds");
                let seconds = number(&said, "recompute_seconds");
                recompute += seconds;
                if pass == 0 {
                    self.output.say(&format!(
                        "{name}: all results recomputed in {seconds:.1} s, byte for byte the same; partial decryptions committed to"
                    ));
                }
                done &= text(&said, "stage") == "done";
            }
            if done {
                let by = opening.join(", ");
                self.output.say(&format!("{by}: opened; every family's seeds sealed to it"));
                return Ok(Opening { killed: dying.first().cloned(), recompute, open });
            }
        }
        Err(self.stuck("the opening"))
    }

    pub fn stuck(&self, what: &str) -> CliError {
        let message = format!("{what} does not end: this is a bug of blindtier, please report it");
        CliError::Party { party: "trustees".into(), message, code: 1 }
    }

    /// The first family that has a tier proves it, and somebody checks it.
    fn prove(
        &self,
        stage: &Stage,
        mail: &[(&str, PathBuf)],
        told: &[String],
    ) -> Result<(), CliError> {
        let has_tier = |id: &&String| stage.policy.tiers.iter().any(|tier| tier.id == **id);
        let Some((family, tier)) = told.iter().enumerate().find(|(_, id)| has_tier(id)) else {
            return Ok(());
        };
        let proof = self.work.join("families/proof.toml");
        let mut files = mail.to_vec();
        files.push(("--out", proof.clone()));
        self.public("families", &["family", "prove", "--family", &family.to_string()], &files)?;
        let files = [("--proof", proof)];
        self.audit(&["auditor", "check-proof", "--tier", tier], &files)?;
        self.output.say("families: one of them proved its tier to an office");
        Ok(())
    }

    /// A command on the board, given as an argument of its own.
    fn audit(&self, command: &[&str], files: &[(&str, PathBuf)]) -> Result<Value, CliError> {
        let board = self.board.folder().display().to_string();
        let mut words = command.to_vec();
        words.insert(2, &board);
        let mut all = vec![
            ("--policy", self.work.join("public/policy.toml")),
            ("--trust", self.work.join("public/trust.toml")),
        ];
        all.extend(files.iter().map(|(flag, path)| (*flag, path.clone())));
        self.run("auditor", &words, &all)
    }

    /// A command of a round that signs nothing.
    fn public(
        &self,
        party: &str,
        command: &[&str],
        files: &[(&str, PathBuf)],
    ) -> Result<Value, CliError> {
        let mut all = self.round_files();
        all.extend(files.iter().map(|(flag, path)| (*flag, path.clone())));
        self.run(party, command, &all)
    }

    /// A command of a round with a party's signing key.
    pub fn round(
        &self,
        party: &str,
        command: &[&str],
        files: &[(&str, PathBuf)],
    ) -> Result<Value, CliError> {
        let mut all = vec![("--identity", self.signing_key(party))];
        all.extend(files.iter().map(|(flag, path)| (*flag, path.clone())));
        self.public(party, command, &all)
    }

    pub fn trustee(
        &self,
        party: &str,
        command: &[&str],
        files: &[(&str, PathBuf)],
    ) -> Result<Value, CliError> {
        self.run(party, command, &self.trustee_files(party, files))
    }

    fn trustee_files<'f>(
        &self,
        party: &str,
        files: &[(&'f str, PathBuf)],
    ) -> Vec<(&'f str, PathBuf)> {
        let mut all = self.round_files();
        all.push(("--identity", self.signing_key(party)));
        all.push(("--private", self.folder(party).join("private")));
        all.extend(files.iter().map(|(flag, path)| (*flag, path.clone())));
        all
    }

    fn round_files(&self) -> Vec<(&'static str, PathBuf)> {
        vec![
            ("--policy", self.work.join("public/policy.toml")),
            ("--trust", self.work.join("public/trust.toml")),
            ("--board", self.board.folder().to_owned()),
        ]
    }

    fn process(
        &self,
        party: &str,
        command: &[&str],
        files: &[(&str, PathBuf)],
    ) -> Result<Child, CliError> {
        let failed =
            |message: String| CliError::Party { party: party.to_owned(), message, code: 1 };
        let program = std::env::current_exe().map_err(|e| failed(e.to_string()))?;
        let mut process = Command::new(program);
        process.args(command).args(["--json", "--progress", "lines", "--memory"]);
        for (flag, path) in files {
            process.arg(flag).arg(path);
        }
        process
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|e| failed(e.to_string()))
    }

    /// Starts a trustee's opening and kills it at its first sign of progress.
    fn kill(&self, party: &str, files: &[(&str, PathBuf)]) -> Result<(), CliError> {
        let failed = |e: std::io::Error| CliError::Party {
            party: party.to_owned(),
            message: e.to_string(),
            code: 1,
        };
        let mut child = self.process(party, &["trustee", "open"], files)?;
        if let Some(stream) = child.stderr.take() {
            // Ends with the process as well, should it be done before it says anything.
            BufReader::new(stream)
                .lines()
                .map_while(Result::ok)
                .find(|line| counted(line).is_some());
        }
        child.kill().map_err(failed)?;
        child.wait().map(|_| ()).map_err(failed)
    }

    /// Runs one process of a party and returns the object that it printed.
    fn run(
        &self,
        party: &str,
        command: &[&str],
        files: &[(&str, PathBuf)],
    ) -> Result<Value, CliError> {
        let failed =
            |message: String, code| CliError::Party { party: party.to_owned(), message, code };
        let mut child = self.process(party, command, files)?;
        let mut stdout = child.stdout.take();
        let printed = std::thread::spawn(move || {
            let mut text = String::new();
            if let Some(stream) = &mut stdout {
                // What is not text cannot be the object; the parser below says so.
                let _ = stream.read_to_string(&mut text);
            }
            text
        });
        let mut complaints = Vec::new();
        if let Some(stream) = child.stderr.take() {
            let mut shown: Option<(&'static str, Progress)> = None;
            for line in BufReader::new(stream).lines().map_while(Result::ok) {
                let Some((label, done, total)) = counted(&line) else {
                    complaints.push(line);
                    continue;
                };
                match &shown {
                    Some((same, progress)) if *same == label => progress.set(done, total),
                    before => {
                        if let Some((_, progress)) = before {
                            progress.finish();
                        }
                        let progress = if LINKING.contains(&label) {
                            self.output.progress_on_persons(label)
                        } else {
                            self.output.progress(label)
                        };
                        progress.set(done, total);
                        shown = Some((label, progress));
                    }
                }
            }
            if let Some((_, progress)) = shown {
                progress.finish();
            }
        }
        let status = child.wait().map_err(|e| failed(e.to_string(), 1))?;
        let text = printed.join().unwrap_or_default();
        let object: Option<Value> = serde_json::from_str(&text).ok();
        match (status.code(), object) {
            (Some(0), Some(object)) => {
                let kind = party.split_once(':').map_or(party, |(kind, _)| kind);
                let peak = object.get("peak_memory_bytes").and_then(Value::as_u64).unwrap_or(0);
                let mut memory = self.memory.borrow_mut();
                let most = memory.entry(kind.to_owned()).or_default();
                *most = peak.max(*most);
                Ok(object)
            }
            (code, object) => {
                let said = object.as_ref().and_then(|o| o.get("error")).and_then(Value::as_str);
                let message = said.map_or_else(|| complaints.join("; "), str::to_owned);
                let code = code.and_then(|c| u8::try_from(c).ok()).filter(|c| *c != 0).unwrap_or(1);
                Err(failed(message, code))
            }
        }
    }
}

/// What the parties' commands call their work.
const WORK: [&str; 8] = [
    "encrypting",
    "evaluating",
    "recomputing",
    "opening",
    "combining",
    "sealing",
    "counting",
    "recounting",
];

/// What they call their work on persons.
const LINKING: [&str; 3] = ["blinding", "answering", "linking"];

/// Reads `evaluating: 12 of 64 families` or `blinding: 12 of 64 persons`.
fn counted(line: &str) -> Option<(&'static str, u64, u64)> {
    let line = line.strip_suffix(" families").or_else(|| line.strip_suffix(" persons"))?;
    let (label, rest) = line.split_once(": ")?;
    let label = WORK.into_iter().chain(LINKING).find(|known| *known == label)?;
    let (done, total) = rest.split_once(" of ")?;
    Some((label, done.parse().ok()?, total.parse().ok()?))
}

fn value_name<T: ValueEnum>(value: T) -> String {
    value.to_possible_value().map(|v| v.get_name().to_owned()).unwrap_or_default()
}

pub(super) fn text<'v>(object: &'v Value, field: &str) -> &'v str {
    object.get(field).and_then(Value::as_str).unwrap_or_default()
}

fn number(object: &Value, field: &str) -> f64 {
    object.get(field).and_then(Value::as_f64).unwrap_or_default()
}

fn strings(object: &Value, field: &str) -> Vec<String> {
    let list = object.get(field).and_then(Value::as_array);
    list.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

fn file_bytes(file: &Path) -> u64 {
    storage::file_bytes(file).unwrap_or(0)
}

fn copy(from: &Path, to: &Path) -> Result<(), CliError> {
    if let Some(folder) = to.parent() {
        storage::create_folder(folder)?;
    }
    std::fs::copy(from, to).map(|_| ()).map_err(|source| CliError::File {
        file: from.to_owned(),
        action: "hand the file on",
        remedy: "check the space left under --work",
        source,
    })
}

fn copy_folder(from: &Path, to: &Path) -> Result<(), CliError> {
    let entries = std::fs::read_dir(from).map_err(|source| CliError::File {
        file: from.to_owned(),
        action: "hand the folder on",
        remedy: "check that nothing else writes under --work",
        source,
    })?;
    for entry in entries.flatten() {
        copy(&entry.path(), &to.join(entry.file_name()))?;
    }
    Ok(())
}

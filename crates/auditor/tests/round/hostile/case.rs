//! What a case file says.

use super::play::Step;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// One way to do wrong, and what comes of it.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Case {
    pub name: String,
    /// What happens, in a sentence.
    pub story: String,
    /// What is done wrong. It is the only thing in the round that is not honest.
    pub fault: Fault,
    /// The step that refuses it; all steps before succeed.
    pub step: Step,
    /// Parties that look away: their engines find every proof right.
    #[serde(default)]
    pub accomplices: Vec<String>,
    /// Whom the error has to name, no more and no less. Nobody, where the fault is the refusing party's own.
    pub culprits: Vec<String>,
    /// A part of the error, such as the remedy.
    pub error: String,
    /// Files that stay behind though they are of no use. Otherwise a refusal leaves everything as it was.
    #[serde(default)]
    pub leaves: Vec<String>,
    /// How the round goes on.
    pub afterwards: Option<Afterwards>,
}

/// How a round goes on after a refusal. Nobody but the culprit does anything again.
#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Afterwards {
    /// The honest files are put back.
    Repaired,
    /// The trustees do what the error says, and the round goes on without the culprit.
    Excluded,
}

/// What is done wrong. Unless a file is named, tax does it, to what is its own. Files are named by their places below the
/// round's folder, with `last/` in front those of the last round.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Fault {
    Register(Register),
    Roster(Roster),
    Request(Request),
    Answer(Answer),
    Values(Values),
    Ciphertext(Ciphertext),
    Manifest(Manifest),
    Envelope(Envelope),
    Files(Files),
    Second(Second),
    Late(Late),
    Levels(Levels),
    Exclude(Exclude),
}

/// Text, or bytes that are none.
#[derive(Deserialize)]
#[serde(untagged)]
pub enum Text {
    Text(String),
    Bytes(Vec<u8>),
}

impl Text {
    pub fn bytes(&self) -> &[u8] {
        match self {
            Self::Text(text) => text.as_bytes(),
            Self::Bytes(bytes) => bytes,
        }
    }
}

/// The agency's register is not as it should be.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Register {
    /// When it changes; before the agency looks at it at all, unless the case says otherwise.
    #[serde(default = "link")]
    pub before: Step,
    /// All of it.
    pub text: Option<Text>,
    /// A row at its end.
    pub row: Option<String>,
}

/// The registrar made a wrong roster for the agency.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Roster {
    /// The first person stands in it twice.
    #[serde(default)]
    pub repeat: bool,
    /// The slot of the first person.
    pub slot: Option<u32>,
    /// How many slots the round has.
    pub slots: Option<u32>,
    /// Whose it is.
    pub agency: Option<String>,
    /// It comes with a key to the pseudonyms, though the round has oblivious linkage.
    #[serde(default)]
    pub keyed: bool,
    /// So many slots have their number of persons.
    pub facts: Option<usize>,
}

/// The agency's request is not as it should be.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Request {
    /// So many elements are repeated at the end.
    #[serde(default)]
    pub more: usize,
    /// So many bytes are missing at the end.
    #[serde(default)]
    pub cut: usize,
    /// Every byte of the first element is this one.
    pub element: Option<u8>,
    /// It is a second one; the first was answered.
    #[serde(default)]
    pub second: bool,
}

/// The registrar answers wrongly.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Answer {
    /// With another key than that of the roster.
    #[serde(default)]
    pub key: bool,
    /// To another request.
    #[serde(default)]
    pub request: bool,
    /// For this agency.
    pub agency: Option<String>,
    /// With these two elements exchanged.
    pub swap: Option<[usize; 2]>,
    /// With so few elements.
    pub elements: Option<usize>,
    /// With so few proofs.
    pub proofs: Option<usize>,
}

/// The agency encrypts other values than its register has.
#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Values {
    /// What is added to every value.
    #[serde(default)]
    pub add: i64,
    /// Only to those of this slot.
    pub slot: Option<u32>,
    /// How many columns there are.
    pub columns: Option<usize>,
}

/// A chunk of the agency's submission holds something else, and the manifest lists it so.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Ciphertext {
    pub chunk: u32,
    /// The ciphertext is that of this chunk.
    pub copy_of: Option<String>,
    /// So many columns are encrypted.
    pub columns: Option<usize>,
    /// What the proof is made for.
    #[serde(default)]
    pub binding: Binding,
    /// The proof does not hold.
    #[serde(default)]
    pub spoiled: bool,
    /// So many bytes are missing at the end.
    #[serde(default)]
    pub cut: usize,
    /// So many bytes follow.
    #[serde(default)]
    pub extra: usize,
    /// The first slot that the chunk says it has.
    pub start: Option<u32>,
    /// The number of slots that the chunk says it has.
    pub count: Option<u32>,
}

/// What a proof is bound to, as far as it is not what it should be.
#[derive(Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Binding {
    #[serde(default)]
    pub last_round: bool,
    /// Every byte of the policy's hash.
    pub policy: Option<u8>,
    pub sender: Option<String>,
    pub start: Option<u32>,
    pub count: Option<u32>,
}

/// The agency signs another manifest.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Manifest {
    #[serde(default = "register")]
    pub before: Step,
    /// Every byte of the plan's hash.
    pub plan: Option<u8>,
    /// Every byte of the public key's hash.
    pub public_key: Option<u8>,
    pub slots: Option<u32>,
    pub columns: Option<u32>,
    /// The chunks that it lists, by their places in the honest one.
    pub chunks: Option<Vec<usize>>,
}

/// An envelope is made by hand. What is not named stays as it was, and the signature is that of the sender's key.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Envelope {
    pub before: Step,
    pub file: String,
    pub magic: Option<String>,
    pub version: Option<u16>,
    /// What it says that it is.
    pub kind: Option<String>,
    /// As what it is signed.
    pub signed_as: Option<String>,
    /// Who signs; `stranger` has a key that nobody pins.
    pub signed_by: Option<String>,
    pub header_length: Option<u32>,
    #[serde(default)]
    pub last_round: bool,
    /// Every byte of the policy's hash.
    pub policy: Option<u8>,
    pub engine: Option<String>,
    pub parameters: Option<String>,
    pub sender: Option<Text>,
    pub body_length: Option<u64>,
    /// An integer of eight bytes at a place of the body, such as how many elements follow.
    pub body_count: Option<Count>,
    /// So many bytes are missing at the end of the body.
    #[serde(default)]
    pub body_cut: usize,
    /// So many bytes follow the body, signed with it.
    #[serde(default)]
    pub body_extra: usize,
    /// So many bytes are missing at the end of the file.
    #[serde(default)]
    pub cut: usize,
    /// So many bytes follow the signature.
    #[serde(default)]
    pub extra: usize,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Count {
    pub at: usize,
    pub is: u64,
}

/// Files are lost, moved or exchanged.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Files {
    pub before: Step,
    #[serde(default)]
    pub remove: Vec<String>,
    /// From, to.
    #[serde(default)]
    pub copy: Vec<[String; 2]>,
    #[serde(default)]
    pub swap: Vec<[String; 2]>,
    /// A folder is in the place of this file.
    pub folder: Option<String>,
    /// This file is larger than any may be.
    pub huge: Option<String>,
}

/// The agency signs a second, different submission to the round.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Second {
    #[serde(default = "register")]
    pub before: Step,
}

/// The trustees see the agency's submission at this time, and the others' in time.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Late {
    pub seen: u64,
}

/// The agency seals other levels to the families.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Levels {
    /// Every byte of the hash of the letter keys.
    pub letter_keys: Option<u8>,
    /// How many values the manifest says that a slot has.
    pub values: Option<u32>,
    /// So many bytes are missing at the end of the first chunk.
    #[serde(default)]
    pub cut: usize,
    /// The first two slots are exchanged.
    #[serde(default)]
    pub swap: bool,
}

/// Trustees exclude somebody whom they may not.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Exclude {
    pub submitter: String,
    /// As `trustee exclude` takes it.
    pub reason: String,
    pub chunk: Option<u32>,
    /// A file that is missing.
    pub missing: Option<String>,
}

fn link() -> Step {
    Step::Link
}

fn register() -> Step {
    Step::Register
}

impl Fault {
    /// The step right before which it happens.
    pub fn before(&self) -> Step {
        match self {
            Self::Register(fault) => fault.before,
            Self::Roster(_) => Step::Link,
            Self::Request(_) => Step::Answer,
            // With another key, the registrar answers honestly.
            Self::Answer(fault) if fault.key => Step::Answer,
            Self::Answer(_) => Step::TakeAnswer,
            Self::Values(_) => Step::Submit,
            Self::Ciphertext(_) | Self::Late(_) => Step::Register,
            Self::Manifest(fault) => fault.before,
            Self::Envelope(fault) => fault.before,
            Self::Files(fault) => fault.before,
            Self::Second(fault) => fault.before,
            Self::Levels(_) => Step::Read,
            Self::Exclude(_) => Step::Exclude,
        }
    }
}

/// The fewest cases that a folder may have, so that a kit that is not found does not pass.
const FEWEST: usize = 40;

/// Reads all cases of a folder, ordered by file name.
pub fn load(folder: &Path) -> Result<Vec<Case>, String> {
    let list = |e: std::io::Error| format!("{}: {e}", folder.display());
    let entries = fs::read_dir(folder).map_err(list)?.collect::<Result<Vec<_>, _>>();
    let mut files: Vec<_> = entries.map_err(list)?.into_iter().map(|entry| entry.path()).collect();
    files.sort();
    let mut names: BTreeMap<String, String> = BTreeMap::new();
    let mut cases = Vec::new();
    for file in files {
        let place = file.display().to_string();
        if file.extension().is_none_or(|extension| extension != "toml") {
            return Err(format!("{place}: not a case; a case is a TOML file"));
        }
        let text = fs::read_to_string(&file).map_err(|e| format!("{place}: {e}"))?;
        let case: Case = toml::from_str(&text).map_err(|e| format!("{place}: {e}"))?;
        if let Some(other) = names.insert(case.name.clone(), place.clone()) {
            return Err(format!("{place}: {other} has the name {:?} already", case.name));
        }
        if case.fault.before() > case.step {
            return Err(format!("{place}: the fault happens after the step that refuses it"));
        }
        cases.push(case);
    }
    if cases.len() < FEWEST {
        return Err(format!("{}: {} cases, fewer than {FEWEST}", folder.display(), cases.len()));
    }
    Ok(cases)
}

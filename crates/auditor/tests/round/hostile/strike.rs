//! Doing what a case says is done wrong.

use super::case::*;
use super::forge::{AnyChunk, Unchecked, forge, sender};
use super::play::{Actor, Play, Step};
use crate::support::{Fake, copy_folder};
use blindtier_engine::Encrypt;
use blindtier_ledger::Exclusion;
use blindtier_wire::{
    Context, Digest, Expect, LinkageAnswer, LinkageKey, LinkageRequest, Message, PartyName,
    PseudonymKey, PublicKey, RosterLinkage, SigningIdentity, Submission, chunk_name, read, write,
};
use std::fs;
use std::path::{Path, PathBuf};

/// Who does wrong, unless a file of somebody else is named.
const HOSTILE: Actor = Actor::Agency(0);

fn party(name: &str) -> PartyName {
    PartyName::new(name).unwrap()
}

/// What `trustee exclude` takes as a reason.
pub fn exclusion(reason: &str, chunk: Option<u32>) -> Exclusion {
    match (reason, chunk) {
        ("late", None) => Exclusion::Late,
        ("two-submissions", None) => Exclusion::TwoSubmissions,
        ("withheld", None) => Exclusion::Withheld,
        ("invalid", Some(chunk)) => Exclusion::Invalid { chunk },
        _ => panic!("there is no reason {reason} with chunk {chunk:?}"),
    }
}

impl Fault {
    /// What happens honestly before, so that the fault is one.
    pub fn prelude(&self, play: &mut Play<'_>) {
        match self {
            Self::Request(Request { second: true, .. }) => {
                play.answer(0).unwrap_or_else(|refusal| panic!("{refusal}"));
            }
            Self::Late(_) => {
                let manifest = play.own(HOSTILE).join("submission.bt");
                let hidden = play.files.path("hidden.bt");
                fs::rename(&manifest, &hidden).unwrap();
                for number in play.world.all() {
                    let waits = play.register(number).unwrap_err();
                    assert_eq!(waits.text, "waiting for agency:tax");
                }
                fs::rename(&hidden, &manifest).unwrap();
            }
            _ => {}
        }
    }

    pub fn strike(&self, play: &mut Play<'_>) {
        match self {
            Self::Register(fault) => fault.strike(play),
            Self::Roster(fault) => fault.strike(play),
            Self::Request(fault) => fault.strike(play),
            Self::Answer(fault) => fault.strike(play),
            Self::Values(fault) => play.altered = *fault,
            Self::Ciphertext(fault) => fault.strike(play),
            Self::Manifest(fault) => fault.strike(play),
            Self::Envelope(fault) => fault.strike(play),
            Self::Files(fault) => fault.strike(play),
            Self::Second(_) => play.sign_second(),
            Self::Late(fault) => play.now = fault.seen,
            Self::Levels(fault) => fault.strike(play),
            Self::Exclude(fault) => {
                if let Some(missing) = &fault.missing {
                    fs::remove_file(play.place(missing)).unwrap();
                }
                let reason = exclusion(&fault.reason, fault.chunk);
                play.exclude = Some((party(&fault.submitter), reason));
            }
        }
    }
}

impl Play<'_> {
    /// A file named by a case.
    fn place(&self, name: &str) -> PathBuf {
        match name.strip_prefix("last/") {
            Some(rest) => self.last.root.join(rest),
            None => self.files.root.join(name),
        }
    }

    /// Changes a message and signs it again, whatever it says then.
    fn change<M: Message>(
        &self,
        file: &Path,
        identity: &SigningIdentity,
        change: impl FnOnce(&mut M),
    ) {
        let context = self.files.context();
        let expect = Expect::of(identity.name(), context);
        let mut message = read::<Unchecked<M>>(file, &expect, &self.world.trust).unwrap().body;
        change(&mut message.0);
        write(file, &message, context, identity).unwrap();
    }

    /// Lists the chunks in the manifest beside them as they are now. One that is not there stays listed as it was.
    fn list_anew(&self, folder: &Path, identity: &SigningIdentity) {
        self.change(&folder.join("submission.bt"), identity, |manifest: &mut Submission| {
            for (chunk, listed) in (0..).zip(&mut manifest.chunks) {
                if let Ok(bytes) = fs::read(folder.join(chunk_name(chunk))) {
                    *listed = Digest::of(&bytes);
                }
            }
        });
    }

    /// Who changes its own chunks before it submits lists them as they are.
    fn touched(&self, before: Step, file: &Path) {
        let (folder, name) = (file.parent().unwrap(), file.file_name().unwrap());
        if before == Step::Register && name.to_string_lossy().starts_with("chunk-") {
            let own = |actor: &Actor| self.own(*actor) == folder;
            let actor = self.actors(Step::Submit).into_iter().find(own).unwrap();
            self.list_anew(folder, self.identity(actor));
        }
    }

    /// The agency puts a second manifest onto the board, while trustees have been given the first.
    fn sign_second(&self) {
        let (first, identity) = (self.own(HOSTILE).join("submission.bt"), self.identity(HOSTILE));
        let second = self.files.board.submission(identity.name());
        fs::create_dir_all(second.parent().unwrap()).unwrap();
        fs::copy(first, &second).unwrap();
        self.change(&second, identity, |manifest: &mut Submission| manifest.columns += 1);
    }
}

impl Register {
    fn strike(&self, play: &Play<'_>) {
        let file = play.register_file(0);
        if let Some(text) = &self.text {
            fs::write(&file, text.bytes()).unwrap();
        }
        if let Some(row) = &self.row {
            let text = fs::read_to_string(&file).unwrap() + row + "\n";
            fs::write(&file, text).unwrap();
        }
    }
}

impl Roster {
    fn strike(&self, play: &Play<'_>) {
        let (file, registrar) = (&play.files.announced.rosters[0].1, &play.world.registrar);
        play.change(file, registrar, |roster: &mut blindtier_wire::Roster| {
            if let Some(slot) = self.slot {
                roster.entries[0].slot = slot;
            }
            if self.repeat {
                roster.entries.insert(0, roster.entries[0]);
            }
            if let Some(slots) = self.slots {
                roster.slots = slots;
            }
            if let Some(agency) = &self.agency {
                roster.agency = party(agency);
            }
            if self.keyed {
                roster.linkage = RosterLinkage::Key(PseudonymKey::from_bytes([1; 32]));
            }
            if let (Some(facts), Some(persons)) = (self.facts, &mut roster.persons) {
                persons.resize(facts, 1);
            }
        });
    }
}

impl Request {
    fn strike(&self, play: &Play<'_>) {
        if self.second {
            // Without its state the agency's program makes a new request, blinded anew.
            fs::remove_dir_all(play.private(0)).unwrap();
            play.link(0).unwrap_or_else(|refusal| panic!("{refusal}"));
        }
        let change = |request: &mut LinkageRequest| {
            let first: Vec<u8> = request.elements[..32].to_vec();
            request.elements.extend(first.repeat(self.more));
            request.elements.truncate(request.elements.len() - self.cut);
            if let Some(byte) = self.element {
                request.elements[..32].fill(byte);
            }
        };
        play.change(&play.request(0), play.identity(HOSTILE), change);
    }
}

impl Answer {
    fn strike(&self, play: &Play<'_>) {
        let registrar = &play.world.registrar;
        if self.key {
            let file = play.files.path("registrar/tax/linkage-key.bt");
            play.change(&file, registrar, |key: &mut LinkageKey| key.seed = [7; 32]);
            return;
        }
        play.change(&play.answered(0), registrar, |answer: &mut LinkageAnswer| {
            if self.request {
                answer.request = Digest([9; 32]);
            }
            if let Some(agency) = &self.agency {
                answer.agency = party(agency);
            }
            if let Some([one, other]) = self.swap {
                let (elements, _) = answer.elements.as_chunks_mut::<32>();
                elements.swap(one, other);
            }
            if let Some(elements) = self.elements {
                answer.elements.truncate(32 * elements);
            }
            if let Some(proofs) = self.proofs {
                answer.proofs.truncate(64 * proofs);
            }
        });
    }
}

impl Binding {
    fn bytes(&self, play: &Play<'_>, sender: &PartyName, start: u32, count: u32) -> [u8; 32] {
        let mut context: Context = play.files.context().clone();
        if self.last_round {
            context.round = play.last.context().round;
        }
        if let Some(byte) = self.policy {
            context.policy = Digest([byte; 32]);
        }
        let sender = self.sender.as_deref().map_or(sender.clone(), party);
        context.binding(&sender, self.start.unwrap_or(start), self.count.unwrap_or(count))
    }
}

impl Ciphertext {
    fn strike(&self, play: &Play<'_>) {
        let (identity, context) = (play.identity(HOSTILE), play.files.context());
        let file = play.own(HOSTILE).join(chunk_name(self.chunk));
        let expect = Expect::of(identity.name(), context);
        let mut chunk = read::<AnyChunk<false>>(&file, &expect, &play.world.trust).unwrap().body.0;
        chunk.bytes = match &self.copy_of {
            Some(other) => copied(play, other),
            None => {
                let binding = self.binding.bytes(play, identity.name(), chunk.start, chunk.count);
                self.encrypt(play, binding, chunk.start, chunk.count)
            }
        };
        chunk.bytes.truncate(chunk.bytes.len() - self.cut);
        chunk.bytes.resize(chunk.bytes.len() + self.extra, 0);
        chunk.start = self.start.unwrap_or(chunk.start);
        chunk.count = self.count.unwrap_or(chunk.count);
        write(&file, &AnyChunk::<false>(chunk), context, identity).unwrap();
        play.touched(Step::Register, &file);
    }

    /// Encrypts the agency's values, with an engine that checks nothing.
    fn encrypt(&self, play: &Play<'_>, binding: [u8; 32], start: u32, count: u32) -> Vec<u8> {
        let (maker, context) = (&play.files.round().key_maker, play.files.context());
        let file = play.files.board.public_key();
        let key = read::<PublicKey>(&file, &Expect::of(maker, context), &play.world.trust).unwrap();
        let engine = Fake {
            spoil: self.spoiled.then_some(binding),
            ..Fake::from_key(&key.body.bytes, 1).unwrap()
        };
        let mut values = play.values(0, start..start + count);
        values.resize(self.columns.unwrap_or(values.len()), vec![0; count as usize]);
        engine.encrypt(0, &values, &binding).unwrap()
    }
}

/// The ciphertext in a chunk of whomever.
fn copied(play: &Play<'_>, name: &str) -> Vec<u8> {
    let (file, round) =
        (play.place(name), if name.starts_with("last/") { play.last } else { &play.files });
    let identity = play.named(&sender(&fs::read(&file).unwrap()));
    let expect = Expect::of(identity.name(), round.context());
    read::<AnyChunk<false>>(&file, &expect, &play.world.trust).unwrap().body.0.bytes
}

impl Manifest {
    fn strike(&self, play: &Play<'_>) {
        let identity = play.identity(HOSTILE);
        let file = match self.before {
            Step::Register => play.own(HOSTILE).join("submission.bt"),
            _ => play.files.board.submission(identity.name()),
        };
        play.change(&file, identity, |manifest: &mut Submission| {
            if let Some(byte) = self.plan {
                manifest.plan = Digest([byte; 32]);
            }
            if let Some(byte) = self.public_key {
                manifest.public_key = Digest([byte; 32]);
            }
            if let Some(chunks) = &self.chunks {
                manifest.chunks = chunks.iter().map(|place| manifest.chunks[*place]).collect();
            }
            manifest.slots = self.slots.unwrap_or(manifest.slots);
            manifest.columns = self.columns.unwrap_or(manifest.columns);
        });
    }
}

impl Envelope {
    fn strike(&self, play: &Play<'_>) {
        let file = play.place(&self.file);
        let bytes = fs::read(&file).unwrap();
        let sender = sender(&bytes);
        let stranger = SigningIdentity::generate(party(&sender)).unwrap();
        let identity = match self.signed_by.as_deref() {
            Some("stranger") => &stranger,
            Some(name) => play.named(name),
            None => play.named(&sender),
        };
        let round = &play.last.context().round.0;
        fs::write(&file, forge(&bytes, self, round, identity)).unwrap();
        play.touched(self.before, &file);
    }
}

impl Files {
    fn strike(&self, play: &Play<'_>) {
        for name in &self.remove {
            let path = play.place(name);
            if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) }.unwrap();
        }
        for [from, to] in &self.copy {
            let (from, to) = (play.place(from), play.place(to));
            fs::create_dir_all(to.parent().unwrap()).unwrap();
            if from.is_dir() {
                copy_folder(&from, &to);
            } else {
                fs::copy(from, &to).unwrap();
                play.touched(self.before, &to);
            }
        }
        for [one, other] in &self.swap {
            let (one, other) = (play.place(one), play.place(other));
            let [first, second] = [&one, &other].map(|path| fs::read(path).unwrap());
            fs::write(&one, second).unwrap();
            fs::write(&other, first).unwrap();
            play.touched(self.before, &one);
        }
        if let Some(name) = &self.folder {
            let path = play.place(name);
            fs::remove_file(&path).unwrap();
            fs::create_dir(path).unwrap();
        }
        if let Some(name) = &self.huge {
            // Mostly a hole: it takes no room on the disk.
            let file = fs::OpenOptions::new().write(true).open(play.place(name)).unwrap();
            file.set_len(65 << 20).unwrap();
        }
    }
}

impl Levels {
    fn strike(&self, play: &Play<'_>) {
        let (folder, identity) = (play.letters(HOSTILE), play.identity(HOSTILE));
        let (manifest, chunk) = (folder.join("levels.bt"), folder.join(chunk_name(0)));
        let mut size = 0;
        play.change(&manifest, identity, |levels: &mut blindtier_wire::Levels| {
            size = levels.slot_bytes();
        });
        play.change(&chunk, identity, |chunk: &mut AnyChunk<true>| {
            let bytes = &mut chunk.0.bytes;
            if self.swap {
                bytes[..2 * size].rotate_left(size);
            }
            bytes.truncate(bytes.len() - self.cut);
        });
        play.change(&manifest, identity, |levels: &mut blindtier_wire::Levels| {
            levels.chunks[0] = Digest::of(&fs::read(&chunk).unwrap());
            levels.values = self.values.unwrap_or(levels.values);
            if let Some(byte) = self.letter_keys {
                levels.letter_keys = Digest([byte; 32]);
            }
        });
    }
}

//! Deterministic parties, a small round and one message of every kind. For tests only: the keys are public.

use blindtier_wire::*;
use std::path::Path;

pub fn identity(name: &str, seed: u8) -> SigningIdentity {
    SigningIdentity::from_seed(PartyName::new(name).unwrap(), &[seed; 32])
}

pub struct Parties {
    pub registrar: SigningIdentity,
    pub agency: SigningIdentity,
    pub evaluator: SigningIdentity,
    pub trustee: SigningIdentity,
    pub trust: TrustFile,
}

pub fn parties() -> Parties {
    let registrar = identity("registrar", 1);
    let agency = identity("agency:tax", 2);
    let evaluator = identity("evaluator", 3);
    let trustee = identity("trustee:1", 4);
    let mut trust = TrustFile::new();
    for party in [&registrar, &agency, &evaluator, &trustee] {
        assert!(trust.pin(party.name().clone(), &party.public_key()));
    }
    Parties { registrar, agency, evaluator, trustee, trust }
}

pub fn letter_keys() -> LetterKeys {
    LetterKeys { keys: vec![[9; 32], [10; 32], [11; 32]] }
}

pub fn sharing() -> Sharing {
    Sharing::new(3, 2).unwrap()
}

pub fn round() -> Round {
    Round {
        nonce: [5; 32],
        policy: Digest([6; 32]),
        engine: Engine { name: "clear".into(), parameters: "none".into() },
        layout: Layout::Folded,
        plan: Digest([7; 32]),
        slots: 3,
        chunk: 2,
        submitters: vec![PartyName::agency("tax").unwrap(), PartyName::registrar()],
        sharing: sharing(),
        key_maker: PartyName::trustee(1),
        letter_keys: letter_keys().digest(),
        linkage: Linkage::Oblivious { persons: 4 },
        proofs: true,
        deadline: Some(1_900_000_000),
        corrects: None,
        statistics: Some(Statistics {
            groups: vec!["north".into(), "south".into()],
            budget: 1000,
            minimum_cell: 10,
            noise: true,
        }),
    }
}

pub fn roster() -> Roster {
    let key = PseudonymKey::from_bytes([8; 32]);
    let mut entries: Vec<Entry> = [("ann", 0), ("bob", 1), ("cid", 2)]
        .map(|(p, slot)| Entry { pseudonym: key.pseudonym(p), slot })
        .to_vec();
    entries.sort_unstable();
    let agency = PartyName::agency("tax").unwrap();
    let linkage = RosterLinkage::Oblivious { public: [29; 32] };
    Roster { agency, linkage, entries, slots: 3, persons: Some(vec![1, 2, 3]), adults: None }
}

pub fn submission(chunks: Vec<Digest>) -> Submission {
    Submission { plan: Digest([7; 32]), public_key: Digest([12; 32]), slots: 3, columns: 2, chunks }
}

/// Writes a message of every kind and returns the file names.
pub fn write_all(folder: &Path) -> Vec<&'static str> {
    let p = parties();
    let round = round();
    let context = round.context().unwrap();
    let chunks = |name: &str, kind, identity: &SigningIdentity| {
        let mut writer = ChunkWriter::new(
            &folder.join(name),
            kind,
            &context,
            identity,
            round.chunking().unwrap(),
        )
        .unwrap();
        while let Some((chunk, _, count)) = writer.next_chunk() {
            writer
                .push(vec![0xc0 + chunk as u8; count as usize * 2], 3 * u64::from(chunk))
                .unwrap();
        }
        writer.finish().unwrap()
    };
    let at = |name: &str| folder.join(name);
    write(&at("round.bt"), &round, &context, &p.registrar).unwrap();
    write(&at("roster.bt"), &roster(), &context, &p.registrar).unwrap();
    write(&at("letter-keys.bt"), &letter_keys(), &context, &p.registrar).unwrap();
    write(&at("public-key.bt"), &PublicKey { bytes: vec![1, 2, 3] }, &context, &p.trustee).unwrap();
    let evaluation = EvaluationKey { public_key: Digest([12; 32]), bytes: vec![4, 5] };
    write(&at("evaluation-key.bt"), &evaluation, &context, &p.trustee).unwrap();
    let inputs = chunks("submission", Kind::SubmissionChunk, &p.agency);
    write(&at("submission/submission.bt"), &submission(inputs), &context, &p.agency).unwrap();
    let receipt = Receipt {
        plan: Digest([7; 32]),
        evaluation_key: Digest([13; 32]),
        submissions: round
            .submitters
            .iter()
            .map(|name| SubmissionEntry {
                submitter: name.clone(),
                manifest: Some(Digest([14; 32])),
            })
            .collect(),
        chunks: chunks("results", Kind::ResultChunk, &p.evaluator),
        operations: 3,
        platform: "test".into(),
    };
    write(&at("results/receipt.bt"), &receipt, &context, &p.evaluator).unwrap();
    let letters = Letters {
        receipt: Digest([15; 32]),
        letter_keys: letter_keys().digest(),
        chunks: chunks("letters", Kind::LetterChunk, &p.trustee),
    };
    write(&at("letters/letters.bt"), &letters, &context, &p.trustee).unwrap();
    write_of_trustees(folder, &p, &context, &chunks);
    write_of_linkage(folder, &p, &context);
    NAMES.to_vec()
}

/// What registrar and agency write to find the agency's persons in the roster, and who said no.
fn write_of_linkage(folder: &Path, p: &Parties, context: &Context) {
    let at = |name: &str| folder.join(name);
    let agency = || p.agency.name().clone();
    let key = LinkageKey { agency: agency(), seed: [30; 32] };
    write(&at("linkage-key.bt"), &key, context, &p.registrar).unwrap();
    let request = LinkageRequest { elements: [[31; 32], [32; 32], [33; 32], [34; 32]].concat() };
    let request = write(&at("linkage-request.bt"), &request, context, &p.agency).unwrap();
    let persons = vec!["ann".to_owned(), "bob".to_owned()];
    let state = LinkageState { request, seed: [35; 32], persons };
    write(&at("linkage-state.bt"), &state, context, &p.agency).unwrap();
    let answer = LinkageAnswer {
        agency: agency(),
        request,
        elements: [[36; 32], [37; 32], [38; 32], [39; 32]].concat(),
        proofs: vec![40; 64],
    };
    write(&at("linkage-answer.bt"), &answer, context, &p.registrar).unwrap();
    let opt_outs = OptOuts { slots: vec![0, 1, 0] };
    write(&at("opt-outs.bt"), &opt_outs, context, &p.registrar).unwrap();
    let groups = GroupList { slots: vec![1, NO_GROUP, 0] };
    write(&at("groups.bt"), &groups, context, &p.registrar).unwrap();
}

/// The hash of the request of [`write_all`].
fn request_digest(folder: &Path) -> Digest {
    Digest::of(&std::fs::read(folder.join("linkage-request.bt")).unwrap())
}

/// What trustees write, and levels.
fn write_of_trustees(
    folder: &Path,
    p: &Parties,
    context: &Context,
    chunks: &dyn Fn(&str, Kind, &SigningIdentity) -> Vec<Digest>,
) {
    let trustee = &p.trustee;
    let at = |name: &str| folder.join(name);
    let opening = OpeningKey { public_key: Digest([12; 32]), bytes: vec![6] };
    write(&at("opening-key.bt"), &opening, context, trustee).unwrap();
    let share = |share| Share { share, key: [16; 32], material: vec![17, 18] };
    let shares = Shares { shares: vec![share(1), share(2)] };
    write(&at("shares.bt"), &shares, context, trustee).unwrap();
    write(&at("trustee-key.bt"), &TrusteeKey { receiving: [9; 32] }, context, trustee).unwrap();
    let sealed = SealedShares {
        to: PartyName::trustee(2),
        shares: vec![(0, vec![19, 20].into()), (2, vec![21].into())],
    };
    write(&at("sealed.bt"), &sealed, context, trustee).unwrap();
    let commitment = |share, first| ShareCommitment { share, commitment: Digest([22; 32]), first };
    let commitments = ShareCommitments {
        shares: vec![commitment(1, None), commitment(2, Some(Digest([23; 32])))],
    };
    write(&at("commitments.bt"), &commitments, context, trustee).unwrap();
    let messages =
        CeremonyMessages { step: 1, messages: vec![(1, vec![24].into()), (2, vec![25].into())] };
    write(&at("step-1.bt"), &messages, context, trustee).unwrap();
    write(&at("checked.bt"), &FirstsChecked { firsts: Digest([26; 32]) }, context, trustee)
        .unwrap();
    let partials = Partials {
        receipt: Digest([15; 32]),
        shares: sharing().held_by(1),
        partials: chunks("partials/partials", Kind::PartialChunk, trustee),
        commitments: chunks("partials/commitments", Kind::CommitmentChunk, trustee),
    };
    write(&at("partials/partials.bt"), &partials, context, trustee).unwrap();
    let opened =
        Opened { receipt: Digest([15; 32]), chunks: chunks("opened", Kind::OpenedChunk, trustee) };
    write(&at("opened/opened.bt"), &opened, context, trustee).unwrap();
    let levels = Levels {
        letter_keys: letter_keys().digest(),
        values: 2,
        chunks: chunks("levels", Kind::LevelChunk, &p.agency),
    };
    write(&at("levels/levels.bt"), &levels, context, &p.agency).unwrap();
    let refusal = Statement::Refusal {
        culprit: Some(PartyName::evaluator()),
        reason: "another result".into(),
    };
    write(&at("refusal.bt"), &refusal, context, trustee).unwrap();
    let seeds = StateSeeds { slot: 2, sealed: vec![27, 28] };
    write(&at("state.bt"), &seeds, context, trustee).unwrap();
    let question = question();
    let mut parts = ChunkWriter::new(
        &at("statistics"),
        Kind::CountPart,
        context,
        &p.evaluator,
        round().parts(&question).unwrap(),
    )
    .unwrap();
    parts.push(vec![41, 42], 8).unwrap();
    let counts = Counts {
        plan: round().plan,
        evaluation_key: Digest([14; 32]),
        submissions: round()
            .submitters
            .into_iter()
            .map(|submitter| SubmissionEntry { submitter, manifest: Some(Digest([13; 32])) })
            .collect(),
        question,
        parts: parts.finish().unwrap(),
        operations: 8,
    };
    let counts = write(&at("statistics/counts.bt"), &counts, context, &p.evaluator).unwrap();
    let partials = vec![vec![vec![43].into()], vec![vec![44].into()]];
    let body = CountPartials { counts, shares: sharing().held_by(1), partials };
    write(&at("statistics/trustee-1.bt"), &body, context, trustee).unwrap();
}

/// A question about one of the groups.
fn question() -> Question {
    Question { groups: vec![1], epsilon: 500 }
}

/// One file of every kind, except ledger entries, which `blindtier-ledger` defines.
pub const NAMES: [&str; 36] = [
    "round.bt",
    "roster.bt",
    "letter-keys.bt",
    "public-key.bt",
    "evaluation-key.bt",
    "opening-key.bt",
    "shares.bt",
    "trustee-key.bt",
    "sealed.bt",
    "commitments.bt",
    "step-1.bt",
    "checked.bt",
    "submission/chunk-00001.bt",
    "submission/submission.bt",
    "results/chunk-00001.bt",
    "results/receipt.bt",
    "partials/partials/chunk-00001.bt",
    "partials/commitments/chunk-00001.bt",
    "partials/partials.bt",
    "opened/chunk-00001.bt",
    "opened/opened.bt",
    "letters/chunk-00001.bt",
    "letters/letters.bt",
    "levels/chunk-00001.bt",
    "levels/levels.bt",
    "refusal.bt",
    "state.bt",
    "linkage-key.bt",
    "linkage-request.bt",
    "linkage-state.bt",
    "linkage-answer.bt",
    "opt-outs.bt",
    "groups.bt",
    "statistics/chunk-00000.bt",
    "statistics/counts.bt",
    "statistics/trustee-1.bt",
];

/// Reads one of the files of [`write_all`] as its receiver would.
pub fn read_any(folder: &Path, name: &str) -> Result<(), WireError> {
    let p = parties();
    let round = round();
    let context = round.context().unwrap();
    let (agency, trustee) = (p.agency.name(), p.trustee.name());
    let path = folder.join(name);
    let nothing = |_| ();
    let reader = |kind, sender: &PartyName, digests: Vec<Digest>| {
        ChunkReader::new(
            &path,
            kind,
            sender,
            &context,
            round.chunking().unwrap(),
            digests,
            &p.trust,
        )?
        .read(1)
    };
    match name {
        "round.bt" => Round::read_with_plan(&path, &p.trust, round.policy, round.plan).map(|_| ()),
        "roster.bt" => alike(
            Roster::read(&path, agency, &round, &context, &p.trust).map(|_| ()),
            RosterFile::open(&path, agency, &round, &context, &p.trust).map(|_| ()),
        ),
        "letter-keys.bt" => alike(
            LetterKeys::read(&path, &round, &context, &p.trust).map(|_| ()),
            LetterKeyFile::open(&path, &round, &context, &p.trust).map(|_| ()),
        ),
        "public-key.bt" => message::<PublicKey>(&path),
        "evaluation-key.bt" => message::<EvaluationKey>(&path),
        "opening-key.bt" => message::<OpeningKey>(&path),
        "shares.bt" => message::<Shares>(&path),
        "trustee-key.bt" => message::<TrusteeKey>(&path),
        "sealed.bt" => message::<SealedShares>(&path),
        "commitments.bt" => message::<ShareCommitments>(&path),
        "step-1.bt" => message::<CeremonyMessages>(&path),
        "checked.bt" => message::<FirstsChecked>(&path),
        "refusal.bt" => message::<Statement>(&path),
        "state.bt" => message::<StateSeeds>(&path),
        "linkage-key.bt" => LinkageKey::read(&path, agency, &context, &p.trust).map(|_| ()),
        "linkage-request.bt" => LinkageRequest::read(&path, &round, &context, &p.trust).map(|_| ()),
        "linkage-state.bt" => LinkageState::read(&path, agency, &context, &p.trust).map(|_| ()),
        "linkage-answer.bt" => {
            let request = request_digest(folder);
            LinkageAnswer::read(&path, agency, request, &round, &context, &p.trust).map(|_| ())
        }
        "opt-outs.bt" => OptOuts::read(&path, &round, &context, &p.trust).map(|_| ()),
        "groups.bt" => GroupList::read(&path, &round, &context, &p.trust).map(|_| ()),
        "statistics/counts.bt" => Counts::read(&path, &round, &context, &p.trust).map(|_| ()),
        "statistics/chunk-00000.bt" => {
            let manifest = folder.join("statistics/counts.bt");
            let body = Counts::read(&manifest, &round, &context, &p.trust)?.body;
            body.parts(&manifest, &round, &context, &p.trust)?.read(0).map(nothing)
        }
        "statistics/trustee-1.bt" => {
            let manifest = folder.join("statistics/counts.bt");
            let about = (Digest::of(&std::fs::read(manifest).unwrap()), 1);
            CountPartials::read(&path, trustee, about, &round, &context, &p.trust).map(|_| ())
        }
        "partials/partials.bt" => {
            Partials::read(&path, trustee, &round, &context, &p.trust).map(|_| ())
        }
        "opened/opened.bt" => Opened::read(&path, trustee, &context, &p.trust).map(|_| ()),
        "levels/levels.bt" => Levels::read(&path, agency, &round, &context, &p.trust).map(|_| ()),
        "partials/partials/chunk-00001.bt" => {
            let manifest = folder.join("partials/partials.bt");
            let body = Partials::read(&manifest, trustee, &round, &context, &p.trust)?.body;
            let chunks = body.partials(&manifest, trustee, &round, &context, &p.trust)?;
            chunks.read(1).map(nothing)
        }
        "partials/commitments/chunk-00001.bt" => {
            let manifest = folder.join("partials/partials.bt");
            let body = Partials::read(&manifest, trustee, &round, &context, &p.trust)?.body;
            let chunks = body.commitments(&manifest, trustee, &round, &context, &p.trust)?;
            chunks.read(1).map(nothing)
        }
        "opened/chunk-00001.bt" => {
            let manifest = folder.join("opened/opened.bt");
            let body = Opened::read(&manifest, trustee, &context, &p.trust)?.body;
            reader(Kind::OpenedChunk, trustee, body.chunks).map(nothing)
        }
        "levels/chunk-00001.bt" => {
            let manifest = folder.join("levels/levels.bt");
            let body = Levels::read(&manifest, agency, &round, &context, &p.trust)?.body;
            reader(Kind::LevelChunk, agency, body.chunks).map(nothing)
        }
        "submission/submission.bt" => {
            Submission::read(&path, agency, &round, &context, &p.trust).map(|_| ())
        }
        "results/receipt.bt" => Receipt::read(&path, &round, &context, &p.trust).map(|_| ()),
        "letters/letters.bt" => {
            Letters::read(&path, trustee, &round, &context, &p.trust).map(|_| ())
        }
        "submission/chunk-00001.bt" => {
            let manifest = folder.join("submission/submission.bt");
            let body = Submission::read(&manifest, agency, &round, &context, &p.trust)?.body;
            reader(Kind::SubmissionChunk, agency, body.chunks).map(nothing)
        }
        "results/chunk-00001.bt" => {
            let body =
                Receipt::read(&folder.join("results/receipt.bt"), &round, &context, &p.trust)?.body;
            reader(Kind::ResultChunk, p.evaluator.name(), body.chunks).map(nothing)
        }
        "letters/chunk-00001.bt" => {
            let manifest = folder.join("letters/letters.bt");
            let body = Letters::read(&manifest, trustee, &round, &context, &p.trust)?.body;
            reader(Kind::LetterChunk, trustee, body.chunks).map(nothing)
        }
        other => panic!("no reader for {other}"),
    }
}

/// What came of reading a file; whoever reads it piece by piece is told the same as whoever reads it whole.
pub fn alike(whole: Result<(), WireError>, pieces: Result<(), WireError>) -> Result<(), WireError> {
    let text = |read: &Result<(), WireError>| read.as_ref().err().map(WireError::to_string);
    assert_eq!(text(&pieces), text(&whole));
    pieces
}

/// A trustee's message.
fn message<M: Message>(path: &Path) -> Result<(), WireError> {
    let (p, context) = (parties(), round().context().unwrap());
    read::<M>(path, &Expect::of(p.trustee.name(), &context), &p.trust).map(|_| ())
}

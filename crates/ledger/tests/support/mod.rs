//! A round of three slots in two chunks, with three agencies, the registrar and three trustees. For tests only: the keys are
//! public.

use blindtier_ledger::{Event, Registration};
use blindtier_wire::*;

pub fn trustee(number: u16) -> SigningIdentity {
    SigningIdentity::from_seed(PartyName::trustee(number), &[number as u8; 32])
}

pub fn trust() -> TrustFile {
    let mut trust = TrustFile::new();
    for number in 1..=3 {
        assert!(trust.pin(PartyName::trustee(number), &trustee(number).public_key()));
    }
    trust
}

pub fn agency(id: &str) -> PartyName {
    PartyName::agency(id).unwrap()
}

pub fn digest(byte: u8) -> Digest {
    Digest([byte; 32])
}

pub fn round() -> Round {
    Round {
        nonce: [5; 32],
        policy: digest(6),
        engine: Engine { name: "clear".into(), parameters: "none".into() },
        layout: Layout::Folded,
        plan: digest(7),
        slots: 3,
        chunk: 2,
        submitters: vec![agency("tax"), agency("health"), agency("school"), PartyName::registrar()],
        sharing: Sharing::new(3, 2).unwrap(),
        key_maker: PartyName::trustee(1),
        letter_keys: digest(8),
        linkage: Linkage::KeyedHash,
        proofs: false,
        deadline: Some(1_795_608_000),
        corrects: None,
        statistics: Some(Statistics {
            groups: ["east", "north", "west"].map(str::to_owned).to_vec(),
            budget: 1000,
            minimum_cell: 10,
            noise: true,
        }),
    }
}

pub fn keys() -> Event {
    Event::Keys {
        public_key: digest(1),
        evaluation_key: digest(2),
        opening_key: Some(digest(3)),
        shares: vec![digest(4), digest(5), digest(6)],
        letter_keys: digest(8),
    }
}

/// All submitters, with a manifest each.
pub fn registered() -> Vec<Registration> {
    let entry = |submitter| Registration { submitter, manifest: Ok(digest(9)) };
    round().submitters.into_iter().map(entry).collect()
}

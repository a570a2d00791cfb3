//! Families whose letters are looked at.

use blindtier_letter::{Correction, Language, Letter, Levels, Reading, RoundFacts};
use blindtier_policy::{OPTED_OUT_NUMBER, Policy, UNDECIDED_NUMBER};

/// The root of the repository.
pub const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

pub fn shipped(name: &str) -> Policy {
    parsed(&format!("{ROOT}/policies/{name}.toml"))
}

/// The small policy beside the example letters, with all labels in three languages and a required indicator.
pub fn winter_support() -> Policy {
    parsed(&format!("{ROOT}/examples/letters/winter-support.toml"))
}

fn parsed(file: &str) -> Policy {
    Policy::parse(file, &std::fs::read_to_string(file).unwrap()).unwrap()
}

/// The values of a family that no register knows, but for these.
pub fn values(policy: &Policy, set: &[(&str, i64)]) -> Vec<i64> {
    let mut values = policy.missing_values();
    for (id, value) in set {
        values[policy.indicators.iter().position(|i| i.id == *id).unwrap()] = *value;
    }
    values
}

/// Every agency's own values.
pub fn sealed(policy: &Policy, values: &[i64]) -> Vec<Levels> {
    let own = |agency: usize| {
        let own = policy.indicators.iter().zip(values).filter(|(i, _)| i.agency == agency);
        Levels::Sealed(own.map(|(_, value)| *value).collect())
    };
    (0..policy.agencies.len()).map(own).collect()
}

pub fn round() -> RoundFacts {
    RoundFacts {
        round: "5d0a7c1e93b2f4486e1f0b9d72c8a3554e6b1d2f7a90c3e8b4d5f60718293a4b".into(),
        slot: 17,
        head: "121dbdb61d8443a73a2b862d21a9c0aec42283755c27f30cc79c20b2af8465f0".into(),
        ..RoundFacts::default()
    }
}

/// The letter of a family whose tier is that of its values.
pub fn explained(policy: &Policy, values: &[i64], language: Language) -> Letter {
    let tier = u32::try_from(policy.decide(values).unwrap().tier).unwrap();
    let reading = Reading::new(policy, tier, &sealed(policy, values), false).unwrap();
    Letter::new(&reading, &round(), language)
}

/// A family in crisis.
pub fn card_in_crisis(language: Language) -> Letter {
    let policy = shipped("digital-family-card");
    let values = values(
        &policy,
        &[
            ("income", 2),
            ("loan", 1),
            ("arrears", 1),
            ("employed_adults", 1),
            ("children", 3),
            ("chronic_illness", 1),
            ("not_in_preschool", 1),
            ("housing", 1),
            ("settlement", 2),
        ],
    );
    let letter = explained(&policy, &values, language);
    assert_eq!(letter.result.id.as_deref(), Some("crisis"));
    letter
}

/// A family with priority.
pub fn nursery_priority(language: Language) -> Letter {
    let policy = shipped("nursery");
    let values = values(
        &policy,
        &[("form", 2), ("children", 1), ("housing", 2), ("social", 2), ("health", 1)],
    );
    let letter = explained(&policy, &values, language);
    assert_eq!(letter.result.id.as_deref(), Some("priority"));
    letter
}

/// A family that said no.
pub fn opted_out(language: Language) -> Letter {
    let policy = shipped("digital-family-card");
    let levels = sealed(&policy, &policy.missing_values());
    let reading = Reading::new(&policy, OPTED_OUT_NUMBER, &levels, true).unwrap();
    Letter::new(&reading, &round(), language)
}

/// A family of which the housing registry does not know what the policy needs.
pub fn undecided(language: Language) -> Letter {
    let policy = winter_support();
    let values = values(&policy, &[("income", 0)]);
    let reading =
        Reading::new(&policy, UNDECIDED_NUMBER, &sealed(&policy, &values), false).unwrap();
    let objections = match language {
        Language::English => "until 1 March 2027: Family office, 5 Main Street",
        Language::Russian => "до 1 марта 2027 года: Отдел по делам семьи, ул. Главная, 5",
        Language::Kazakh => "2027 жылғы 1 наурызға дейін: Отбасы істері бөлімі, Басты көше, 5",
    };
    let facts = RoundFacts { objections: Some(objections.into()), ..round() };
    Letter::new(&reading, &facts, language)
}

/// A family for which much went wrong.
pub fn disputed(language: Language) -> Letter {
    let policy = shipped("nursery");
    let values = values(&policy, &[("housing", 2), ("children", 2)]);
    let mut levels = sealed(&policy, &values);
    levels[policy.agency("employment").unwrap()] = Levels::LeftOut;
    levels[policy.agency("health_service").unwrap()] = Levels::Silent;
    let tier = u32::try_from(policy.tiers.len() - 1).unwrap();
    let reading = Reading::new(&policy, tier, &levels, false).unwrap();
    let facts = RoundFacts {
        corrected: Some(Correction { round: "0f".repeat(32), slot: 2 }),
        opened_to_state: Some("court order 17".into()),
        complaints: vec!["letters/trustee-2/letters.bt: cannot be read".into()],
        ..round()
    };
    Letter::new(&reading, &facts, language)
}

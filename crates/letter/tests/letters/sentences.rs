//! What letters say.

use crate::cases::{
    card_in_crisis, disputed, explained, opted_out, round, sealed, shipped, undecided, values,
    winter_support,
};
use blindtier_letter::{Language, Letter, Levels, NoticeKind, Reading, RoundFacts, Standing};
use blindtier_policy::arbitrary::{families, policies};
use blindtier_policy::{Domain, OPTED_OUT_NUMBER, Policy, UNDECIDED_NUMBER};
use proptest::prelude::*;

fn english(policy: &Policy, set: &[(&str, i64)]) -> String {
    explained(policy, &values(policy, set), Language::English).text()
}

#[test]
fn the_letter_of_the_nursery() {
    insta::assert_snapshot!(english(&shipped("nursery"), &[("housing", 2)]), @r"
    Your tier: Highly recommended
    Policy: Admission to nursery schools, Ljubljana

    What decided
    - Reason: Housing or means are a burden
    - Housing: Critical. Ask: Finance office. With another value: “Convenient” → Recommended
    - Parents' occupation: Usual (the same if there is no record). Ask: Employment service. With another value: “Very demanding” → Priority
    - Present care of the child: Proper (the same if there is no record). Ask: Employment service. With another value: “Critical” → Priority
    - Form of the family: Complete (the same if there is no record). Ask: Civil registry. With another value: “Completed” → Priority
    - Number of children: One (the same if there is no record). Ask: Civil registry. With another value: “Two” → Priority
    - Social conditions: Without problems (the same if there is no record). Ask: Health service. With another value: “Problematic” → Priority
    - Advice of the doctor: Recommended (the same if there is no record). Ask: Health service. With another value: “Priority” → Priority, “Not recommended” → Not recommended

    How far other tiers are
    - Nearest higher tier: Priority — Form of the family: “Complete” → “Completed”
    - Nearest lower tier: Recommended — Housing: “Critical” → “Convenient”
    These are distances and no advice: many facts are not a family's to change.

    All other values
    - Financial standing: Convenient (the same if there is no record). Ask: Finance office

    If something is wrong
    1. Compare the values in this letter with what is true of your family. If one is wrong, ask the office named beside it to correct its register.
    2. Then ask the registrar to have your slot decided anew. You get a new letter.
    3. If the result and its reasons do not agree, or an office does not answer, object with this letter and the numbers below.
    Where and by when to object: as the announcement of the round says

    Numbers to quote
    Round: 5d0a7c1e93b2f4486e1f0b9d72c8a3554e6b1d2f7a90c3e8b4d5f60718293a4b
    Slot: 17
    Ledger head: 121dbdb61d8443a73a2b862d21a9c0aec42283755c27f30cc79c20b2af8465f0
    Hash of the policy: f0a7bb49df24f3df8ef89a2b6400127c15fc4938b23b8feb7757cc45f3982bbe

    Keep this letter to yourself: whoever reads it knows your tier and your values.
    ");
}

#[test]
fn a_number_has_its_unit_and_a_score_its_decimals() {
    let text = r#"
        blindtier = "1"
        name = "means"
        title = "Means"
        tiers = ["low", "high"]
        [agencies]
        tax = { label = "Tax" }
        [indicators.income]
        agency = "tax"
        aggregate = "sum"
        integer = { min = 0, max = 6000, unit = "tenge", missing = 0 }
        [scores.means]
        decimals = 1
        weights.income = 0.3
        [cuts.level]
        score = "means"
        classes = ["low", "high"]
        at = [200]
        [tier]
        from = "level"
    "#;
    let policy = Policy::parse("means.toml", text).unwrap();
    let text = explained(&policy, &[9], Language::English).text();
    for line in [
        "- income: 9 tenge. Ask: Tax. means: +2.7. With another value: “667 tenge” → high",
        "- means: 2.7; +197.3 → high",
        "- Nearest higher tier: high — income: “9 tenge” → “667 tenge”",
    ] {
        assert!(text.lines().any(|found| found == line), "{line}\n{text}");
    }
    assert!(explained(&policy, &[9], Language::Kazakh).text().contains("+197,3 → high"));
}

#[test]
fn a_rule_that_set_the_tier_is_named() {
    let text = english(&shipped("eight-indicators"), &[("homeless", 1)]);
    for line in [
        "Your tier: Crisis",
        "- A rule set the tier: Without housing no family is better than in crisis",
        "- Tier before the rules: Satisfactory",
        "- Points of difficulty: 3; +1 → Unsatisfactory; −3 → Prosperous (before the rules)",
        "- Nearest higher tier: Prosperous — No housing: “yes” → “no”",
        "- Nearest lower tier: Emergency — A health problem: “no” → “yes”",
        "- Reason: There is no housing",
    ] {
        assert!(text.lines().any(|found| found == line), "{line}\n{text}");
    }
}

#[test]
fn points_and_offices_stand_beside_every_value() {
    let letter = card_in_crisis(Language::English);
    let decided = letter.decided.as_ref().unwrap();
    let all = || decided.values.iter().chain(&letter.other_values);
    let policy = shipped("digital-family-card");
    assert_eq!(all().count(), policy.indicators.len());
    let sum: i64 =
        all().flat_map(|fact| &fact.points).map(|p| p.points.parse::<i64>().unwrap()).sum();
    let score = letter.distance.as_ref().unwrap().score.as_ref().unwrap();
    assert_eq!(score.points, sum.to_string());
    for fact in all() {
        let id = fact.indicator.id.as_deref().unwrap();
        let indicator = policy.indicators.iter().find(|i| i.id == id).unwrap();
        let agency = &policy.agencies[indicator.agency];
        assert_eq!(fact.agency.id.as_deref(), Some(agency.id.as_str()));
    }
    assert!(decided.values.iter().all(|fact| !fact.otherwise.is_empty()));
    assert!(letter.other_values.iter().all(|fact| fact.otherwise.is_empty()));
}

#[test]
fn levels_without_a_label_are_said_in_the_letters_language() {
    let value = |letter: &Letter, id: &str| {
        let decided = letter.decided.as_ref().unwrap();
        let mut all = decided.values.iter().chain(&letter.other_values);
        let fact = all.find(|fact| fact.indicator.id.as_deref() == Some(id)).unwrap();
        (fact.value.text.clone(), fact.value.language.clone())
    };
    let said = |text: &str| (text.to_owned(), None);
    let [english, russian, kazakh] = Language::ALL.map(card_in_crisis);
    assert_eq!(value(&english, "income"), said("quarter to 1"));
    assert_eq!(value(&english, "loan"), said("yes"));
    assert_eq!(value(&russian, "income"), said("≥ 0,25, < 1"));
    assert_eq!(value(&russian, "loan"), said("да"));
    assert_eq!(value(&russian, "cars"), said("нет"));
    assert_eq!(value(&russian, "arrears"), said("Часть взрослых"));
    assert_eq!(value(&kazakh, "land_plot"), said("жоқ"));
    // Russian stands in for Kazakh, English for Russian, whatever there is for English.
    assert_eq!(value(&kazakh, "arrears"), ("Часть взрослых".into(), Some("ru".into())));
    let nursery = shipped("nursery");
    let russian = explained(&nursery, &nursery.missing_values(), Language::Russian);
    assert_eq!(value(&russian, "housing"), ("Convenient".into(), Some("en".into())));
}

#[test]
fn a_policy_with_all_labels_gives_a_letter_in_one_language() {
    let policy = winter_support();
    for language in Language::ALL {
        let letter = explained(&policy, &values(&policy, &[("heating", 2)]), language);
        let json = serde_json::to_value(&letter).unwrap();
        assert_eq!(json["language"], language.tag());
        let text = json.to_string();
        assert_eq!(text.matches("\"language\"").count(), 1, "{text}");
        if language != Language::English {
            let latin = letter
                .text()
                .lines()
                .filter(|l| !l.ends_with(|c: char| c.is_ascii_hexdigit()))
                .any(|line| line.chars().any(|c| c.is_ascii_alphabetic()));
            assert!(!latin, "{}", letter.text());
        }
    }
}

#[test]
fn a_family_that_said_no_is_told_so_and_by_whom_if_not() {
    let letter = opted_out(Language::English);
    assert_eq!(letter.standing, Standing::OptedOut);
    assert_eq!(letter.result.id.as_deref(), Some("opted_out"));
    assert!(letter.text().contains("You opted out: no tier was computed for you"));
    assert!(letter.decided.is_none() && letter.distance.is_none());

    let policy = shipped("mpi");
    let levels = sealed(&policy, &policy.missing_values());
    let reading = Reading::new(&policy, OPTED_OUT_NUMBER, &levels, false).unwrap();
    assert_eq!(reading.standing(), Standing::OptedOutNotSealed);
    let text = Letter::new(&reading, &round(), Language::English).text();
    assert!(text.contains("ask the registrar"), "{text}");
    // An engine that hides a tier behind a random number leaves it to the sealed values to say why.
    let hidden = Reading::new(&policy, 40_000, &levels, true).unwrap();
    assert_eq!((hidden.standing(), hidden.id()), (Standing::OptedOut, "opted_out"));
}

#[test]
fn what_is_missing_is_named_with_the_office_to_ask() {
    let letter = undecided(Language::English);
    assert_eq!(letter.standing, Standing::Undecided);
    assert_eq!(letter.result.id.as_deref(), Some("undecided"));
    let text = letter.text();
    assert!(text.contains("Missing: Heating — Ask: Housing registry"), "{text}");
    assert!(text.contains("- Heating: not known. Ask: Housing registry"), "{text}");
    assert!(text.contains("object: until 1 March 2027: Family office, 5 Main Street"), "{text}");
}

#[test]
fn a_tier_that_the_values_do_not_give_is_shown_as_such() {
    let letter = disputed(Language::English);
    assert_eq!(letter.standing, Standing::DoesNotHold);
    let text = letter.text();
    for part in [
        "Your tier: Special priority",
        "The reasons do not hold",
        "What the sealed values give: ",
        "This was corrected, and another letter counts: Round 0f0f",
        "opened to the state as well. Reason: court order 17",
        "as if they knew nothing of you: Employment service",
        "No letter from: Health service",
        "Note: letters/trustee-2/letters.bt: cannot be read",
        "Values that the offices sealed to you",
    ] {
        assert!(text.contains(part), "{part}\n{text}");
    }
    // Nothing is put into the mouth of an office that says nothing.
    let said: Vec<&str> =
        letter.other_values.iter().map(|fact| fact.agency.id.as_deref().unwrap()).collect();
    assert_eq!(said, ["civil_registry", "civil_registry", "finance_office", "finance_office"]);

    let policy = shipped("nursery");
    let mut levels = sealed(&policy, &policy.missing_values());
    levels[0] = Levels::Sealed(vec![99, 0]);
    let reading = Reading::new(&policy, 1, &levels, false).unwrap();
    let text = Letter::new(&reading, &round(), Language::English).text();
    assert!(text.contains("none of this policy"), "{text}");
}

#[test]
fn a_number_that_is_no_tier_and_is_not_explained_asks_to_object() {
    let policy = shipped("nursery");
    let levels = sealed(&policy, &policy.missing_values());
    for number in [UNDECIDED_NUMBER, 40_000] {
        let reading = Reading::new(&policy, number, &levels, false).unwrap();
        assert_eq!(reading.standing(), Standing::NoTier);
        let letter = Letter::new(&reading, &round(), Language::English);
        assert_eq!(letter.notices[0].kind, NoticeKind::DoesNotHold);
        assert!(letter.text().contains("Nothing was decided about you"));
    }
}

#[test]
fn an_office_that_was_left_out_or_is_silent_stands_beside_its_values() {
    let policy = shipped("nursery");
    let values = policy.missing_values();
    let tier = u32::try_from(policy.decide(&values).unwrap().tier).unwrap();
    let mut levels = sealed(&policy, &values);
    levels[0] = Levels::LeftOut;
    levels[1] = Levels::Sealed(vec![0]);
    levels.truncate(3);
    let reading = Reading::new(&policy, tier, &levels, false).unwrap();
    assert_eq!(reading.standing(), Standing::Explained);
    let letter = Letter::new(&reading, &round(), Language::English);
    let note = |agency: &str| {
        let decided = letter.decided.as_ref().unwrap();
        let mut all = decided.values.iter().chain(&letter.other_values);
        all.find(|f| f.agency.id.as_deref() == Some(agency)).unwrap().note.clone().unwrap()
    };
    assert_eq!(note("employment"), "office left out of the round");
    assert!(note("civil_registry").contains("no letter"), "too few values");
    assert_eq!(note("finance_office"), "the same if there is no record");
    assert!(note("health_service").contains("no letter"), "beyond the list");
}

#[test]
fn all_languages_say_the_same_things() {
    for make in [card_in_crisis, opted_out, undecided, disputed] {
        let [first, others @ ..] = Language::ALL.map(make);
        for other in others {
            assert_eq!(first.lines().len(), other.lines().len());
            assert_eq!(first.result.id, other.result.id);
            assert_eq!(first.quote, other.quote);
        }
    }
}

#[test]
fn an_unknown_language_is_refused_with_those_there_are() {
    let error = "sl".parse::<Language>().unwrap_err().to_string();
    assert!(error.contains("`sl`") && error.contains("en, ru, kk"), "{error}");
}

proptest! {
    #[test]
    fn every_family_of_every_policy_gets_a_letter_with_all_its_values(
        (policy, values) in policies().prop_flat_map(|policy| {
            let families = families(&policy);
            (Just(policy), families)
        }),
        number in 0u32..20,
    ) {
        for language in Language::ALL {
            let reading = Reading::new(&policy, number, &sealed(&policy, &values), false).unwrap();
            let letter = Letter::new(&reading, &RoundFacts::default(), language);
            let decided = letter.decided.as_ref().map_or(0, |decided| decided.values.len());
            prop_assert_eq!(decided + letter.other_values.len(), values.len());
            prop_assert_eq!(letter.decided.is_some(), reading.standing() == Standing::Explained);
            for indicator in &policy.indicators {
                if let Domain::Integer { .. } = indicator.domain { continue }
                prop_assert!(letter.text().contains(&indicator.id.replace('_', " ")));
            }
            prop_assert!(letter.html().ends_with("</html>"));
        }
    }
}

//! Pages are whole, safe and in the right language.

use crate::cases::{
    card_in_crisis, disputed, explained, nursery_priority, opted_out, round, sealed, shipped,
    undecided, values,
};
use blindtier_letter::{Language, Letter, Reading, RoundFacts};
use blindtier_policy::Policy;

/// Fails unless every element ends in the order in which they began; gives back all names.
fn elements(page: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut open: Vec<&str> = Vec::new();
    let mut rest = page.strip_prefix("<!DOCTYPE html>").unwrap();
    while let Some((_, after)) = rest.split_once('<') {
        let (tag, after) = after.split_once('>').unwrap();
        rest = after;
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop(), Some(name));
            continue;
        }
        let (name, attributes) = tag.split_once(' ').unwrap_or((tag, ""));
        assert!(attributes.matches('"').count().is_multiple_of(2), "{tag}");
        names.push(name.to_owned());
        if name != "meta" {
            open.push(name);
        }
    }
    assert!(open.is_empty(), "{open:?}");
    names
}

fn all() -> Vec<Letter> {
    let makers = [card_in_crisis, nursery_priority, opted_out, undecided, disputed];
    makers.iter().flat_map(|make| Language::ALL.map(make)).collect()
}

#[test]
fn a_page_is_well_formed_and_loads_nothing() {
    for letter in all() {
        let page = letter.html();
        let names = elements(&page);
        for loading in ["script", "link", "img", "iframe", "form", "table", "svg"] {
            assert!(!names.iter().any(|name| name == loading), "{loading}");
        }
        for loading in [" src=", " href=", "url(", "@import", "http://", "https://", " onclick="] {
            assert!(!page.contains(loading), "{loading}");
        }
        assert!(page.contains("default-src 'none'; style-src 'unsafe-inline'"));
        assert_eq!(names.iter().filter(|name| *name == "h1").count(), 1);
        assert!(page.contains(&format!("<html lang=\"{}\">", letter.language)));
    }
}

#[test]
fn what_decided_comes_before_everything_else_and_that_is_folded() {
    let page = card_in_crisis(Language::English).html();
    let place = |text: &str| page.find(text).unwrap_or_else(|| panic!("no {text}"));
    let places = ["Your tier", "What decided", "How far other tiers are", "If something is wrong"]
        .map(|heading| place(&format!("{heading}</")));
    assert!(places.is_sorted(), "{places:?}");
    let (folded, end) = (place("<details>"), place("</details>"));
    assert!(folded > places[3]);
    let arrears = place("Arrears over 90 days");
    let loan = page.rfind("Has a loan").unwrap();
    assert!(arrears < folded && folded < loan && loan < end);
}

#[test]
fn names_in_another_language_are_marked_as_such() {
    let page = card_in_crisis(Language::Kazakh).html();
    assert!(page.contains("<strong>Дағдарыс (D)</strong>"));
    assert!(page.contains("<span lang=\"ru\">Налоговый орган</span>"));
    let russian = nursery_priority(Language::Russian).html();
    assert!(russian.contains("<strong><span lang=\"en\">Priority</span></strong>"));
    for language in Language::ALL {
        let own = format!("<span lang=\"{language}\">");
        assert!(all().iter().filter(|l| l.language == language).all(|l| !l.html().contains(&own)));
    }
}

#[test]
fn what_a_policy_or_the_mail_says_is_text() {
    let text = std::fs::read_to_string(format!("{}/policies/nursery.toml", crate::cases::ROOT));
    let text = text.unwrap().replace("en = \"Housing\"", "en = \"<script>alert(1)</script>\"");
    let policy = Policy::parse("nursery", &text).unwrap();
    let values = values(&policy, &[("housing", 2)]);
    let page = explained(&policy, &values, Language::English).html();
    assert!(page.contains("&lt;script&gt;alert(1)&lt;/script&gt;") && !page.contains("<script"));

    let policy = shipped("nursery");
    let reading = Reading::new(&policy, 0, &sealed(&policy, &values), false).unwrap();
    let bad = "<img src=x onerror=alert(1)>".to_owned();
    let facts = RoundFacts {
        opened_to_state: Some(bad.clone()),
        complaints: vec![bad.clone()],
        objections: Some(bad.clone()),
        ..round()
    };
    assert!(!Letter::new(&reading, &facts, Language::English).html().contains("<img"));
}

#[test]
fn the_tier_is_marked_in_the_list_of_tiers() {
    for letter in all().iter().filter(|letter| letter.decided.is_some()) {
        let page = letter.html();
        let marked = page.split("<li aria-current=\"true\">").nth(1).unwrap();
        let tier = marked.split("</li>").next().unwrap();
        assert!(tier.contains(&letter.result.text), "{tier}");
        assert_eq!(page.matches("<li aria-current=\"true\">").count(), 1);
    }
}

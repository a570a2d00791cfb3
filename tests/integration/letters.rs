//! Letters as families get them from a whole round, and assessments from the command line.

use crate::rig::{Call, Party, after_opening, blindtier, succeeded};
use std::path::Path;

fn read(work: &Path, arguments: &[&str]) -> Call {
    let read = Party::family(work, "read").and("--family").and("0");
    let call = arguments.iter().fold(read, |party, argument| party.and(argument)).call();
    succeeded(&call);
    call
}

#[test]
fn a_letter_is_written_in_every_format_and_language() {
    let work = after_opening();
    let work = work.path();
    let object = read(work, &["--json"]).object();
    let contents = &object["contents"];
    assert_eq!(contents["standing"], "explained");
    assert_eq!(contents["result"]["id"], object["tiers"][0]);
    assert_eq!(contents["quote"]["slot"], object["slot"]);
    assert_eq!(contents["quote"]["head"], object["head"]);

    let text = read(work, &[]).stdout;
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(serde_json::json!(lines), object["letter"]);
    assert_eq!(read(work, &["--format", "json"]).object(), object);
    for (language, heading) in
        [("en", "Your tier"), ("ru", "Ваша категория"), ("kk", "Сіздің санатыңыз")]
    {
        let text = read(work, &["--language", language]).stdout;
        assert!(text.starts_with(&format!("{heading}: ")), "{text}");
        let page = read(work, &["--language", language, "--format", "html"]).stdout;
        assert!(page.contains(&format!("<html lang=\"{language}\">")), "{page}");
        assert!(page.contains(heading) && page.contains(object["head"].as_str().unwrap()));
    }
}

#[test]
fn a_letter_in_a_file_is_the_familys_own_and_whole() {
    let work = after_opening();
    let work = work.path();
    let file = work.join("families/letter.html");
    let out = ["--format", "html", "--objections", "until Friday, room 3", "--out"];
    let call = read(work, &[&out[..], &[file.to_str().unwrap()]].concat());
    assert!(call.stdout.contains("letter.html: the letter of slot "), "{}", call.stdout);
    let page = std::fs::read_to_string(&file).unwrap();
    assert!(page.ends_with("</html>\n") && page.contains("until Friday, room 3"));
    assert!(!call.stdout.contains("tier"), "the letter is in the file and nowhere else");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    }
    let json = work.join("families/letter.json");
    let call = read(work, &["--json", "--out", json.to_str().unwrap()]);
    assert_eq!(call.object()["file"], json.to_str().unwrap());
    let kept: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(&json).unwrap()).unwrap();
    assert_eq!(kept, read(work, &["--json"]).object());
}

#[test]
fn one_letter_at_a_time_and_in_a_language_there_is() {
    let work = after_opening();
    let many = Party::family(work.path(), "read").and("--format").and("html").call();
    assert_eq!(many.code, 2);
    assert!(many.stderr.contains("choose one with --family N"), "{}", many.stderr);
    let unknown = Party::family(work.path(), "read").and("--language").and("sl").call();
    assert_eq!(unknown.code, 2);
    assert!(unknown.stderr.contains("choose one of en, ru, kk"), "{}", unknown.stderr);
}

#[test]
fn an_assessment_is_printed_or_written_with_its_open_points() {
    let printed = blindtier(["policy", "dpia", "mpi"]);
    succeeded(&printed);
    assert!(printed.stdout.starts_with("# Data protection impact assessment: "));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("dpia.md");
    let out = file.to_str().unwrap();
    let written = blindtier(["policy", "dpia", "mpi", "--out", out, "--json"]).object();
    assert_eq!(std::fs::read_to_string(&file).unwrap(), printed.stdout);
    let points = written["open_points"].as_array().unwrap().len();
    assert_eq!(printed.stdout.matches("**[to be filled in by the controller: ").count(), points);
    let bfv = blindtier(["policy", "dpia", "mpi", "--engine", "bfv", "--json"]).object();
    assert!(!bfv["markdown"].as_str().unwrap().contains("| dealer"));
    assert_eq!(bfv["policy_hash"], written["policy_hash"]);
}

//! Oblivious linkage at the command line: one request an agency, and what is refused.

use crate::demo::agencies;
use crate::rig::{Call, Party, after_opening, succeeded};

fn refused(call: &Call, parts: &[&str]) {
    assert_eq!(call.code, 2, "{}{}", call.stdout, call.stderr);
    for part in parts {
        assert!(call.stderr.contains(part), "`{part}` is missing in: {}", call.stderr);
    }
}

#[test]
fn the_registrar_answers_one_request_of_an_agency() {
    let work = after_opening();
    let work = work.path();
    let agency = agencies(work).remove(0);
    // Once more the same: given out and answered again, and nothing that depends on the register is said.
    let again = Party::link(work, &agency).and("--json").call();
    succeeded(&again);
    assert_eq!(again.object()["fresh"], false);
    let answered = Party::answer(work, &agency).and("--json").call();
    succeeded(&answered);
    assert_eq!(answered.object()["first"], false);
    assert_eq!(answered.object()["request"], again.object()["request"]);
    assert_eq!(answered.object()["persons"], again.object()["persons"]);

    // Another one, about somebody else.
    std::fs::remove_dir_all(work.join(format!("agencies/{agency}/private"))).unwrap();
    std::fs::remove_file(work.join(format!("agencies/{agency}/answer.bt"))).unwrap();
    succeeded(&Party::link(work, &agency).call());
    let call = Party::answer(work, &agency).and("--json").call();
    refused(&call, &["request.bt", &format!("agency:{agency}"), "one answer"]);
    assert_eq!(call.object()["culprit"], format!("agency:{agency}"));
    assert!(!work.join(format!("agencies/{agency}/answer.bt")).exists());
}

#[test]
fn an_answer_to_somebody_else_or_none_at_all() {
    let work = after_opening();
    let work = work.path();
    let all = agencies(work);
    let submit = || Party::agency(work, &all[0]);
    let other = format!("agencies/{}/answer.bt", all[1]);
    let call = submit().with("--answer", &other).and("--json").call();
    refused(&call, &["answer.bt", "registrar", &all[1]]);
    assert_eq!(call.object()["culprit"], "registrar");
    let call = submit().without("--private").without("--answer").call();
    refused(&call, &["round.bt", "agency link", "answer"]);
    refused(&submit().without("--private").call(), &["--private"]);
    assert!(!work.join(format!("agencies/{}/again", all[0])).exists());
}

#[test]
fn a_register_with_more_persons_than_a_request() {
    let work = after_opening();
    let work = work.path();
    let agency = agencies(work).remove(0);
    let register = work.join(format!("agencies/{agency}/register.csv"));
    let text = std::fs::read_to_string(&register).unwrap();
    let row = text.lines().nth(1).unwrap();
    let (_, cells) = row.split_once(',').unwrap();
    let more: String = (0..200).map(|n| format!("other-{n},{cells}\n")).collect();
    std::fs::write(&register, text + &more).unwrap();
    // The request is made already: what is new in the register was not asked about.
    refused(&Party::link(work, &agency).call(), &["register.csv", "line", "no second one"]);
    refused(&Party::agency(work, &agency).call(), &["register.csv", "line", "no second one"]);
    let private = work.join("elsewhere");
    let call = Party::link(work, &agency).with("--private", private.to_str().unwrap()).call();
    refused(&call, &["register.csv", "registrar", "256 persons"]);
    assert!(!private.exists());
}

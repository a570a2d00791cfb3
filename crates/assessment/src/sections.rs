//! The sections of an assessment, in the order of Article 35 (7).

use crate::document::{Assessment, Document};
use crate::influence::Influence;
use crate::parties::{Engine, TrustTable, concerns};
use crate::words::{identified, label, quoted};
use crate::{fields, logic, rights};
use blindtier_policy::Policy;
use std::collections::BTreeSet;

pub(crate) fn all(policy: &Policy, table: &TrustTable, engine: Option<Engine>) -> Assessment {
    let mut document = Document::new();
    description(&mut document, policy, table, engine);
    document.section("2. The logic in plain words");
    document.paragraph(
        "For Art. 13 (2) f, 14 (2) g and 15 (1) h. All of it follows from the policy's text.",
    );
    logic::write(&mut document, policy);
    necessity(&mut document, policy);
    document.section("4. Automated decision, rights and how to use them");
    rights::write(&mut document, policy);
    risks(&mut document, table, engine);
    consulted(&mut document);
    document.finish(&head(policy, engine))
}

fn head(policy: &Policy, engine: Option<Engine>) -> String {
    let engine = engine.map_or("both engines".to_owned(), |engine| format!("engine {engine}"));
    format!(
        "# Data protection impact assessment: {}\n\n\
         Policy `{}`, hash `{}`, for {engine}. Written by `blindtier policy dpia` from the policy and from the trust table of \
         this release; another policy or release has another assessment. It follows Article 35 (7) of the General Data \
         Protection Regulation. It is a beginning and no legal advice: what only the controller can know is listed first and \
         marked in its place. **Nothing in blindtier has been audited; it is not for real families yet.**",
        label(&policy.title, &policy.name),
        policy.name,
        policy.hash(),
    )
}

fn description(
    document: &mut Document,
    policy: &Policy,
    table: &TrustTable,
    engine: Option<Engine>,
) {
    document.section("1. Description of the processing (Art. 35 (7) a)");
    document.part("Purpose");
    let tiers: Vec<String> = policy.tiers.iter().map(|t| quoted(&t.label, &t.id)).collect();
    document.paragraph(&format!(
        "{}. Every family of a round gets one of {} tiers, lowest first: {}. The family learns it; nobody else does, unless \
         the family shows it or trustees open it to the state with a public reason.",
        label(&policy.title, &policy.name),
        tiers.len(),
        tiers.join(", "),
    ));
    document.open_list(&[
        "purpose in the words of the law, and the legal basis (Art. 6)",
        "which fields are special categories (Art. 9) or about offences (Art. 10), and on which exception their use rests",
        "whose families, how many, in which area, how often a round takes place",
    ]);
    document.part("Controllers and parties");
    document.paragraph("The policy names these agencies; each holds its own register and encrypts on its own machine:");
    document.list(policy.agencies.iter().enumerate().map(|(position, agency)| {
        let count = policy.indicators.iter().filter(|i| i.agency == position).count();
        let noun = if count == 1 { "indicator" } else { "indicators" };
        format!("{}: {count} {noun}", identified(&agency.label, &agency.id))
    }));
    document.open_list(&[
        "controller or joint controllers (Art. 26), with addresses, and the data protection officer",
        "which body is registrar, evaluator and each trustee, that trustees do not depend on each other, and contracts with processors (Art. 28)",
        "how many trustees there are and how many open (t of n)",
        "where machines stand, and transfers to third countries",
    ]);
    document.part("How a round flows");
    document.numbered(
        [
            "The registrar shuffles the families into numbered slots and gives each agency a roster of pseudonyms.",
            "Each agency makes one value of each indicator for every slot, seals it to the family, encrypts what the policy needs, and hands over ciphertexts. A family that it does not know gets the missing value, so that nothing shows whom it knows.",
            "The evaluator computes all tiers on ciphertexts.",
            "Trustees recompute every result and open it together: a tier behind one-time pads.",
            "The family takes the pads off on its own device, and reads its tier and why.",
        ]
        .map(str::to_owned),
    );
    document.paragraph(
        "By default an agency computes in the clear what it can compute from its own values alone and encrypts only that \
         (folded layout); otherwise it encrypts every indicator.",
    );
    document.part("Data fields by agency");
    fields::write(document, policy);
    document.part("Who learns what");
    let parties = table.parties.iter().filter(|party| concerns(party.engine, engine));
    document.table(
        &["party", "holds", "learns", "must never learn"],
        parties.map(|p| vec![p.party.clone(), p.holds.clone(), p.learns.clone(), p.never.clone()]),
    );
    document.part("Retention");
    document.table(
        &["what", "where", "keep"],
        table.kept.iter().map(|k| vec![k.what.clone(), k.place.clone(), k.keep.clone()]),
    );
    document.open_list(&["length of the appeal window, and the law on retention of each row"]);
}

fn necessity(document: &mut Document, policy: &Policy) {
    document.section("3. Necessity and proportionality (Art. 35 (7) b)");
    let influence = Influence::of(policy);
    let (used, all) = (influence.tier.len(), policy.indicators.len());
    document.paragraph(&format!(
        "The tier reads {used} of the {all} indicators, and an indicator \
         that neither the tier nor a reason reads is refused. No record leaves its register: what leaves an agency is at most one \
         value for each family and indicator, encrypted, and sealed to the family's own key. The registrar knows who belongs \
         to which family; nobody gets a database of families with their values."
    ));
    let names = |positions: &BTreeSet<usize>| {
        let found = positions.iter().filter_map(|position| policy.indicators.get(*position));
        found.map(|i| quoted(&i.label, &i.id)).collect::<Vec<_>>().join(", ")
    };
    if !influence.reasons_only.is_empty() {
        let (what, mark) = (
            names(&influence.reasons_only),
            document.open("why indicators that only reasons read are collected"),
        );
        document.paragraph(&format!(
            "Only reasons read {what}: the tier does not depend on them. {mark}"
        ));
    }
    let required: Vec<String> = policy
        .indicators
        .iter()
        .filter(|indicator| indicator.is_required())
        .map(|indicator| quoted(&indicator.label, &indicator.id))
        .collect();
    document.paragraph(&if required.is_empty() {
        "No indicator is required: a family that a register does not know gets the value that the table above states, and a \
         tier."
            .to_owned()
    } else {
        format!("Without a record of {} no tier is decided.", required.join(", "))
    });
    document.open_list(&[
        "why each indicator is needed, and why no milder means serves the purpose",
        "why the value without a record is fair to families that a register does not know",
        "how the accuracy of each register is kept (Art. 5 (1) d)",
    ]);
}

fn risks(document: &mut Document, table: &TrustTable, engine: Option<Engine>) {
    document.section("5. Risks for families and measures (Art. 35 (7) c, d)");
    let only = |of: Option<Engine>| match (of, engine) {
        (Some(of), None) => format!(" (engine {of})"),
        _ => String::new(),
    };
    let risks = table.risks.iter().filter(|risk| concerns(risk.engine, engine));
    document.table(
        &["risk", "measures", "what is left"],
        risks.map(|r| {
            vec![format!("{}{}", r.risk, only(r.engine)), r.measures.clone(), r.left.clone()]
        }),
    );
    document.open_list(&[
        "likelihood and severity of each risk here, further measures, and who answers for them",
        "whether groups (by size of the family, sex of its head, disability, region) are treated worse by the policy, and how that was examined",
    ]);
    document.section("6. Residual risks");
    for (by_design, heading) in [(true, "By design"), (false, "Because it is not there yet")] {
        document.part(heading);
        let found = table.residual.iter().filter(|residual| residual.by_design == by_design);
        let found = found.filter(|residual| concerns(residual.engine, engine));
        document.list(found.map(|residual| residual.text.clone()));
    }
    document.open_list(&[
        "whether the residual risk is accepted, by whom, or the supervisory authority is consulted first (Art. 36)",
    ]);
}

fn consulted(document: &mut Document) {
    document.section("7. Advice, views and review");
    document.open_list(&[
        "advice of the data protection officer (Art. 35 (2))",
        "views of families or of those who speak for them (Art. 35 (9))",
        "when this assessment is reviewed (Art. 35 (11)); at the latest with every change of the policy's hash",
    ]);
}

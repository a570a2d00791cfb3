//! A simulation as one page with charts.

use super::view::{self, share};
use super::{Bias, Change, Decider, Errors, Flow, Grouping, Rate, Sensitivity, Simulation, text};
use crate::chart::{
    Colour, Dot, DotChart, FlowChart, Ink, Node, Section, Share, Stack, StackedChart, clip,
};
use crate::page;
use crate::units::{Unit, count, percent};
use maud::{Markup, html};

/// The longest label of a change, in characters; amounts are at its end.
const LONGEST: usize = 52;

/// Changes of the policy that are drawn; the table has all.
const CHANGES: usize = 16;

/// The simulation as a page of its own: no script, no network, readable on a phone and without seeing the charts.
pub fn page(simulation: &Simulation) -> String {
    let title = match &simulation.flow {
        Some(flow) => format!("{} and {}, simulated", simulation.policy.name, flow.to.name),
        None => format!("{}, simulated", simulation.policy.name),
    };
    let body = html! {
        (head(simulation))
        (notes(simulation))
        h2 { "Tiers" }
        (answers(simulation))
        @if let Some(flow) = &simulation.flow { (moves(simulation, flow)) }
        @if let Some(bias) = &simulation.bias { (errors(bias)) }
        @if !simulation.gaps.is_empty() { (gaps(simulation)) }
        @if let Some(found) = &simulation.sensitivity { (sensitivity(simulation, found)) }
    };
    page::page(&title, &body)
}

fn head(simulation: &Simulation) -> Markup {
    let [reading, deciding] = simulation.seconds;
    let policy = |policy: &Decider| format!("{}: {}", policy.name, policy.title);
    let mut facts = vec![
        ("Policy", policy(&simulation.policy)),
        ("Hash of the policy", simulation.policy.hash.clone()),
    ];
    if let Some(flow) = &simulation.flow {
        facts.push(("Compared with", policy(&flow.to)));
        facts.push(("Hash of that policy", flow.to.hash.clone()));
    }
    let supported: Vec<&str> = simulation
        .policy
        .answers
        .iter()
        .filter(|answer| answer.supported)
        .map(|answer| answer.label.as_str())
        .collect();
    if simulation.policy.support_known {
        facts.push(("Tiers that are support", supported.join(", ")));
    }
    facts.extend([
        ("Families", format!("{}, {}", count(simulation.families), simulation.data)),
        ("Different combinations of values", count(simulation.combinations)),
        (
            "Time",
            format!(
                "{} reading, {} simulating",
                Unit::Seconds.show(reading),
                Unit::Seconds.show(deciding)
            ),
        ),
        ("Command", simulation.command.clone()),
        ("Date", simulation.started.clone()),
        ("Version of blindtier", simulation.version.clone()),
    ]);
    page::facts(&facts)
}

fn notes(simulation: &Simulation) -> Markup {
    html! {
        @if simulation.minimum_cell > 1 || !simulation.notes.is_empty() {
            ul {
                @if simulation.minimum_cell > 1 { li { (text::hidden(simulation)) } }
                @for note in &simulation.notes { li { (note) } }
            }
        }
    }
}

fn answers(simulation: &Simulation) -> Markup {
    let all = StackedChart {
        title: "All families".into(),
        description: format!("Families by tier; {} in all.", count(simulation.families)),
        of: "families".into(),
        note: "families".into(),
        parts: parts(&simulation.policy),
        stacks: vec![Stack {
            label: "all".into(),
            note: count(simulation.families),
            shares: simulation
                .counts
                .iter()
                .map(|families| Some(share(*families, simulation.families)))
                .collect(),
        }],
        whole: true,
    };
    html! {
        (view::answers(simulation).html("Tiers"))
        div.charts {
            (all.figure())
            @for grouping in &simulation.groupings { (by_group(simulation, grouping).figure()) }
        }
        @for grouping in &simulation.groupings {
            details {
                summary { "Families by tier and " (view::name(&grouping.column)) }
                (view::grouping(simulation, grouping).html(&view::name(&grouping.column)))
            }
        }
    }
}

fn by_group(simulation: &Simulation, grouping: &Grouping) -> StackedChart {
    let name = view::name(&grouping.column);
    let stacks = grouping.groups.iter().map(|group| Stack {
        label: group.group.clone(),
        note: view::told(group.families),
        shares: group.counts.iter().map(|cell| Some(share((*cell)?, group.families?))).collect(),
    });
    StackedChart {
        title: format!("Tiers by {name}"),
        description: "Share of each group's families; on the right, how many there are.".into(),
        of: name,
        note: "families".into(),
        parts: parts(&simulation.policy),
        stacks: stacks.collect(),
        whole: true,
    }
}

/// The answers of a policy with their colours.
fn parts(policy: &Decider) -> Vec<(Ink, String)> {
    let inks = (0..).map(|number| ink(policy, number));
    inks.zip(&policy.answers).map(|(ink, answer)| (ink, answer.label.clone())).collect()
}

/// From the lowest tier to the highest; a seventh and later one is outlined.
fn ink(policy: &Decider, number: usize) -> Ink {
    const COLOURS: [Colour; 6] = [
        Colour::Vermillion,
        Colour::Orange,
        Colour::Sky,
        Colour::Blue,
        Colour::Green,
        Colour::Purple,
    ];
    if policy.answers.get(number).is_some_and(|answer| answer.id == "undecided") {
        return Ink::solid(Colour::Grey);
    }
    let colour = COLOURS.get(number % COLOURS.len()).copied().unwrap_or(Colour::Grey);
    if number < COLOURS.len() { Ink::solid(colour) } else { Ink::hollow(colour) }
}

fn moves(simulation: &Simulation, flow: &Flow) -> Markup {
    let nodes = |policy: &Decider, counts: &[u64]| -> Vec<Node> {
        let answers = policy.answers.iter().zip(counts).enumerate();
        answers
            .map(|(number, (answer, families))| Node {
                label: answer.label.clone(),
                size: *families,
                ink: ink(policy, number),
                name: answer.id.clone(),
                supported: policy.support_known.then_some(answer.supported),
            })
            .collect()
    };
    let chart = FlowChart {
        title: "Who moves".into(),
        description: "Each band is the families that have one tier with the policy on the left and another, or the same, with the one on the right.".into(),
        sides: [simulation.policy.name.clone(), flow.to.name.clone()],
        from: nodes(&simulation.policy, &simulation.counts),
        to: nodes(&flow.to, &flow.to_counts),
        bands: flow.matrix.clone(),
    };
    let known = flow.moves.gained.zip(flow.moves.lost);
    html! {
        h2 { "From " (simulation.policy.name) " to " (flow.to.name) }
        p {
            (view::told(flow.moves.changed)) " families get another tier"
            @if let Some((gained, lost)) = known {
                ", " (count(gained)) " gain support and " (count(lost)) " lose it"
            }
            "."
        }
        div.charts {
            (chart.figure())
            @if known.is_some() { (gained_and_lost(simulation, flow).figure()) }
        }
        h3 { "By group" }
        (view::moves(simulation, flow).html("Who gains and loses"))
    }
}

fn gained_and_lost(simulation: &Simulation, flow: &Flow) -> StackedChart {
    let shares = |gained: Option<u64>, lost: Option<u64>, families: Option<u64>| {
        [gained, lost].map(|cell| Some(share(cell?, families?))).to_vec()
    };
    let mut stacks = vec![Stack {
        label: "all families".into(),
        note: count(simulation.families),
        shares: shares(flow.moves.gained, flow.moves.lost, Some(simulation.families)),
    }];
    stacks.extend(flow.groups.iter().map(|group| Stack {
        label: labelled(&group.column, &group.group),
        note: view::told(group.families),
        shares: shares(group.moves.gained, group.moves.lost, group.families),
    }));
    StackedChart {
        title: "Support gained and lost".into(),
        description: "Share of each group's families; on the right, how many there are.".into(),
        of: "group".into(),
        note: "families".into(),
        parts: vec![
            (Ink::solid(Colour::Green), "gain support".into()),
            (Ink::solid(Colour::Vermillion), "lose support".into()),
        ],
        stacks,
        whole: false,
    }
}

/// A group's name where groups of several columns stand together.
fn labelled(column: &str, group: &str) -> String {
    match column {
        "persons" if group == "1" => "1 person".into(),
        "persons" => format!("{group} persons"),
        "head_sex" => format!("{group} head"),
        "disability" => format!("disability: {group}"),
        _ => group.to_owned(),
    }
}

fn errors(bias: &Bias) -> Markup {
    html! {
        h2 { "Errors" }
        p {
            "Column " code { (bias.need) } " of the file of families says who needs support. "
            strong { "Exclusion error" } ": of the families that need support, the share that does not get it. "
            strong { "Inclusion error" } ": of the families that get support, the share that does not need it. "
            "Intervals are 95 % intervals after Wilson: what a sample of this size leaves open. "
            @if bias.unknown > 0 {
                "Of " (count(bias.unknown)) " families the need is not known; they count in no error."
            }
        }
        div.charts {
            (dots(bias, "Exclusion error", Colour::Vermillion, |errors| errors.exclusion).figure())
            (dots(bias, "Inclusion error", Colour::Blue, |errors| errors.inclusion).figure())
        }
        (view::errors(bias).html("Errors"))
    }
}

fn dots(bias: &Bias, title: &str, colour: Colour, error: fn(&Errors) -> Option<Rate>) -> DotChart {
    let mut sections: Vec<Section> = Vec::new();
    for group in &bias.groups {
        let label = view::name(&group.column);
        let dot = Dot {
            label: group.group.clone(),
            share: error(&group.errors).map(|rate| Share {
                value: rate.share,
                low: rate.low,
                high: rate.high,
                of: rate.of,
            }),
        };
        match sections.last_mut().filter(|section| section.label == label) {
            Some(section) => section.dots.push(dot),
            None => sections.push(Section { label, dots: vec![dot] }),
        }
    }
    DotChart {
        title: title.to_owned(),
        description: "Share by group with its 95 % interval.".into(),
        colour,
        reference: error(&bias.overall).map(|rate| ("all families".into(), rate.share)),
        sections,
    }
}

fn gaps(simulation: &Simulation) -> Markup {
    let mut stacks: Vec<Stack> = simulation
        .gaps
        .iter()
        .map(|gap| stack(view::agencies(gap), gap.moves.changed, simulation))
        .collect();
    if let Some(no) = &simulation.opt_outs {
        stacks.push(stack(view::says_no(no), Some(no.opted_out), simulation));
    }
    let chart = StackedChart {
        title: "Families with another answer".into(),
        description: "Share of all families that would get another answer.".into(),
        of: "what is missing".into(),
        note: "families".into(),
        parts: vec![(Ink::solid(Colour::Blue), "another answer".into())],
        stacks,
        whole: false,
    };
    html! {
        h2 { "Missing registers and families that say no" }
        p {
            "Each line is a round in which a register knows nobody, so that the policy's rule for missing values takes its "
            "place. Families that say no get no tier; they are drawn at random, and one that needs support counts as excluded."
        }
        div.charts { (chart.figure()) }
        (view::gaps(simulation).html("Missing registers and families that say no"))
    }
}

fn stack(label: String, changed: Option<u64>, simulation: &Simulation) -> Stack {
    Stack {
        label,
        note: view::told(changed),
        shares: vec![changed.map(|changed| share(changed, simulation.families))],
    }
}

fn sensitivity(simulation: &Simulation, found: &Sensitivity) -> Markup {
    let shown = view::largest(found, CHANGES);
    let label = |change: &Change| {
        let amounts = format!(", {} → {}", change.from, change.to);
        let room = LONGEST.saturating_sub(amounts.chars().count());
        format!("{}{amounts}", clip(&change.place, room))
    };
    let stacks = shown.iter().map(|change| Stack {
        label: label(change),
        note: percent(share(change.changed, simulation.families)),
        shares: [change.down, change.up]
            .map(|families| Some(share(families, simulation.families)))
            .to_vec(),
    });
    let chart = StackedChart {
        title: format!("The {} changes that move most families", shown.len()),
        description: "Share of all families that would get another tier.".into(),
        of: "what is changed".into(),
        note: "another tier".into(),
        parts: vec![
            (Ink::solid(Colour::Vermillion), "a lower tier".into()),
            (Ink::solid(Colour::Blue), "a higher tier".into()),
        ],
        stacks: stacks.collect(),
        whole: false,
    };
    let name = "All changes and what they do";
    html! {
        h2 { "Sensitivity" }
        p {
            "Each of " (found.changes.len()) " numbers of the policy is changed by itself: cuts by one unit and by a twentieth "
            "of the score's range, points and weights by a tenth, one unit at least. Lower and higher are meant in the order "
            "of the policy's tiers."
        }
        div.charts { (chart.figure()) }
        details {
            summary { (name) }
            (view::changes(simulation, &found.changes).html(name))
        }
    }
}

//! From classes to the tier: the decision, overrides, opt-out and reasons.

use super::fields::Fields;
use super::names::Names;
use super::reader::Reader;
use super::{classes, condition};
use crate::{Class, Decision, Effect, OptOut, Override, Reason};
use std::collections::BTreeSet;

pub(super) const OPT_OUT: &[(&str, OptOut)] =
    &[("neutral", OptOut::Neutral), ("not-offered", OptOut::NotOffered)];

pub(super) const EFFECTS: &[(&str, Effect)] =
    &[("at_least", Effect::AtLeast), ("at_most", Effect::AtMost), ("exactly", Effect::Exactly)];

pub(super) fn decision(
    reader: &mut Reader,
    root: &mut Fields<'_>,
    names: &Names<'_>,
    tiers: Option<&[Class]>,
) -> Option<Decision> {
    let help = "say what decides: [tier] with from = \"support\"";
    let node = root.require(reader, "tier", help)?;
    let mut fields = reader.table(&node, "`tier`")?;
    let from = fields.require(reader, "from", help);
    let map = fields.get("map");
    let tier_span = fields.span_of("from");
    fields.finish(reader);
    let from = from?;
    let name = reader.text(&from, "`from`")?;
    let found = names.resolve(reader, name, &from.span)?;
    let tiers = tiers?;

    let Some(map_node) = map else {
        let position = |class: &Class| tiers.iter().position(|tier| tier.id == class.id);
        let strangers: Vec<String> = found
            .classes
            .iter()
            .filter(|class| position(class).is_none())
            .map(|class| format!("`{}`", class.id))
            .collect();
        if !strangers.is_empty() {
            let message = format!("{} of `{name}` cannot be read as tiers", strangers.join(", "));
            reader.fault(
                &tier_span,
                message,
                "name the classes after the tiers, or map every class: map = { … }",
            );
            return None;
        }
        return Some(Decision {
            from: found.variable,
            tiers: found.classes.iter().filter_map(position).collect(),
        });
    };
    let mut mapped: Vec<Option<usize>> = vec![None; found.classes.len()];
    let mut sound = true;
    for entry in reader.table(&map_node, "`map`")?.into_entries() {
        let class = classes::position(
            reader,
            found.classes,
            entry.key,
            &entry.key_span,
            &format!("`{name}`"),
        );
        let tier = reader
            .text(&entry.node, "a tier")
            .and_then(|id| classes::position(reader, tiers, id, &entry.node.span, "`tiers`"));
        sound &= class.is_some() && tier.is_some();
        if let Some(place) = class.and_then(|class| mapped.get_mut(class)) {
            *place = tier;
        }
    }
    let lacking: Vec<String> = found
        .classes
        .iter()
        .zip(&mapped)
        .filter(|(_, tier)| tier.is_none())
        .map(|(class, _)| format!("`{}`", class.id))
        .collect();
    if sound && !lacking.is_empty() {
        reader.fault(
            &map_node.span,
            format!("`map` gives no tier to {}", lacking.join(", ")),
            "map every class",
        );
    }
    let tiers = mapped.into_iter().collect::<Option<Vec<_>>>()?;
    sound.then_some(Decision { from: found.variable, tiers })
}

pub(super) fn overrides(
    reader: &mut Reader,
    root: &mut Fields<'_>,
    names: &Names<'_>,
    tiers: Option<&[Class]>,
) -> Option<Vec<Override>> {
    let Some(node) = root.get("overrides") else { return Some(Vec::new()) };
    let items = reader.array(&node, "`overrides`")?;
    let mut read = Vec::new();
    for item in items {
        let Some(fields) = reader.table(&item, "an override") else {
            read.push(None);
            continue;
        };
        read.push(one_override(reader, fields, names, tiers));
    }
    read.into_iter().collect()
}

fn one_override(
    reader: &mut Reader,
    mut fields: Fields<'_>,
    names: &Names<'_>,
    tiers: Option<&[Class]>,
) -> Option<Override> {
    let help = "write one of at_least = \"…\", at_most = \"…\" and exactly = \"…\" with a tier";
    let stated: Vec<_> = EFFECTS
        .iter()
        .filter_map(|&(key, effect)| fields.get(key).map(|node| (key, effect, node)))
        .collect();
    if stated.len() != 1 {
        let message = format!("an override names one bound, not {}", stated.len());
        reader.fault(&fields.span, message, help);
    }
    let bound = stated.into_iter().next().and_then(|(key, effect, node)| {
        let id = reader.text(&node, &format!("`{key}`"))?;
        let tier = classes::position(reader, tiers?, id, &node.span, "`tiers`")?;
        Some((effect, tier, override_label(key, id)))
    });
    let fallback = bound.as_ref().map_or("", |(_, _, text)| text.as_str());
    let label = fields.labels(reader, "label", fallback);
    let when = condition::field(reader, &mut fields, names);
    fields.finish(reader);
    let (effect, tier, _) = bound?;
    Some(Override { effect, tier, when: when?, label })
}

/// How an override is called that has no label: "at most middle".
pub(super) fn override_label(effect: &str, tier: &str) -> String {
    format!("{} {tier}", effect.replace('_', " "))
}

pub(super) fn opt_out(reader: &mut Reader, root: &mut Fields<'_>) -> OptOut {
    let Some(node) = root.get("opt_out") else { return OptOut::NotOffered };
    let Some(mut fields) = reader.table(&node, "`opt_out`") else { return OptOut::NotOffered };
    let help = "write result = \"neutral\" or \"not-offered\"";
    if !fields.has("result") {
        reader.fault(&node.span, "`opt_out` lacks `result`", help);
    }
    let result = fields.choice(reader, "result", OPT_OUT);
    fields.finish(reader);
    result.unwrap_or(OptOut::NotOffered)
}

pub(super) fn reasons(
    reader: &mut Reader,
    root: &mut Fields<'_>,
    names: &Names<'_>,
) -> Option<Vec<Reason>> {
    let Some(node) = root.get("reasons") else { return Some(Vec::new()) };
    let items = reader.array(&node, "`reasons`")?;
    let mut seen = BTreeSet::new();
    let mut read = Vec::new();
    for item in items {
        let Some(mut fields) = reader.table(&item, "a reason") else {
            read.push(None);
            continue;
        };
        let id_node = fields.require(reader, "id", "name the reason: id = \"no_income\"");
        let id = id_node.as_ref().and_then(|node| reader.text(node, "`id`"));
        if let (Some(id), Some(node)) = (id, &id_node) {
            classes::check_id(reader, id, &node.span, "reasons");
            if !seen.insert(id) {
                reader.fault(
                    &node.span,
                    format!("two reasons are called `{id}`"),
                    "every reason needs an identifier of its own",
                );
            }
        }
        let label = fields.labels(reader, "label", id.unwrap_or_default());
        let when = condition::field(reader, &mut fields, names);
        fields.finish(reader);
        read.push(id.zip(when).map(|(id, when)| Reason { id: id.to_owned(), label, when }));
    }
    read.into_iter().collect()
}

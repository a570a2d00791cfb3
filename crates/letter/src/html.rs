//! A letter as a page for a phone or a sheet of paper: one file without scripts, which loads nothing.

use crate::letter::{Change, Distance, Fact, Gap, Letter, NoticeKind};
use crate::names::Name;
use crate::reading::Standing;
use maud::{DOCTYPE, Markup, PreEscaped, html};

const STYLE: &str = include_str!("style.css");

impl Letter {
    /// The letter as one self-contained HTML page.
    pub fn html(&self) -> String {
        let words = self.language.words();
        let heading = if self.is_tier() { words.your_tier } else { words.your_result };
        html! {
            (DOCTYPE)
            html lang=(self.language.tag()) {
                head {
                    meta charset="utf-8";
                    // Data that found a way into the markup could still load nothing and run nothing.
                    meta http-equiv="Content-Security-Policy"
                        content="default-src 'none'; style-src 'unsafe-inline'";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="color-scheme" content="light dark";
                    meta name="referrer" content="no-referrer";
                    title { (heading) ": " (self.result.text) }
                    style { (PreEscaped(STYLE)) }
                }
                body { main {
                    header {
                        p.policy { (name(&self.policy)) }
                        h1 { span { (heading) } " " strong { (name(&self.result)) } }
                        @if self.is_tier() { (self.ladder()) }
                    }
                    (self.alerts())
                    (self.what_is_missing())
                    (self.what_decided())
                    @if let Some(distance) = &self.distance { (self.how_far(distance)) }
                    (self.how_to_object())
                    @if !self.other_values.is_empty() {
                        // Where the result is not explained, the values are what the family has to look at.
                        details open[!self.is_settled()] {
                            summary { h2 { (self.heading_of_other_values()) } }
                            (self.facts(&self.other_values))
                        }
                    }
                    footer { p { (words.keep_private) } }
                } }
            }
        }
        .into_string()
    }

    /// Whether the family has to do nothing but object if it wants to.
    fn is_settled(&self) -> bool {
        matches!(self.standing, Standing::Explained | Standing::OptedOut)
    }

    fn ladder(&self) -> Markup {
        html! {
            p.caption #tiers { (self.language.words().tiers) }
            ol.tiers aria-labelledby="tiers" {
                @for tier in &self.tiers {
                    li aria-current=[(tier.id == self.result.id).then_some("true")] { (name(tier)) }
                }
            }
        }
    }

    fn alerts(&self) -> Markup {
        html! {
            @for notice in &self.notices {
                @let grave = matches!(notice.kind, NoticeKind::DoesNotHold | NoticeKind::Corrected);
                p.notice.grave[grave] {
                    (notice.text)
                    @if !notice.about.is_empty() { ": " strong { (list(&notice.about)) } }
                }
            }
        }
    }

    fn what_is_missing(&self) -> Markup {
        let words = self.language.words();
        html! {
            @if !self.missing.is_empty() {
                section {
                    h2 { (words.missing) }
                    ul.facts {
                        @for missing in &self.missing {
                            li {
                                h3 { (name(&missing.indicator)) }
                                p.small { (words.ask) ": " strong { (name(&missing.agency)) } }
                            }
                        }
                    }
                }
            }
        }
    }

    fn what_decided(&self) -> Markup {
        let words = self.language.words();
        html! {
            @if let Some(decided) = &self.decided {
                section {
                    h2 { (words.what_decided) }
                    @if let Some(rule) = &decided.rule {
                        dl.pairs {
                            div { dt { (words.rule) } dd { (name(&rule.rule)) } }
                            div { dt { (words.before_rules) } dd { (name(&rule.before)) } }
                        }
                    }
                    @if !decided.reasons.is_empty() {
                        h3 { (words.reasons) }
                        ul.reasons { @for reason in &decided.reasons { li { (name(reason)) } } }
                    }
                    @if decided.values.is_empty() {
                        p { (words.none_decides) }
                    } @else {
                        h3 { (words.deciding_values) }
                        (self.facts(&decided.values))
                    }
                }
            }
        }
    }

    fn facts(&self, facts: &[Fact]) -> Markup {
        let words = self.language.words();
        html! {
            ul.facts {
                @for fact in facts {
                    li {
                        p.what {
                            (name(&fact.indicator)) ": " strong { (name(&fact.value)) }
                            @if let Some(note) = &fact.note { " " span.note { "(" (note) ")" } }
                        }
                        @for points in &fact.points {
                            p.small { (name(&points.score)) ": " (self.language.number(&points.points)) }
                        }
                        @for other in &fact.otherwise {
                            p.small {
                                (words.other_value) ": " (self.quoted_name(&other.value)) " → "
                                strong { (name(&other.tier)) }
                            }
                        }
                        p.small.ask { (words.ask) ": " (name(&fact.agency)) }
                    }
                }
            }
        }
    }

    fn how_far(&self, distance: &Distance) -> Markup {
        let words = self.language.words();
        let changes =
            [(&distance.higher, words.nearest_above), (&distance.lower, words.nearest_below)];
        if distance.score.is_none() && changes.iter().all(|(change, _)| change.is_none()) {
            return html! {};
        }
        html! {
            section {
                h2 { (words.distance) }
                dl.pairs {
                    @if let Some(score) = &distance.score {
                        div {
                            dt { (name(&score.score)) }
                            dd {
                                (self.language.number(&score.points))
                                @for gap in [&score.more, &score.fewer].into_iter().flatten() {
                                    (self.gap_line(gap))
                                }
                                @if score.before_rules { p.small { (words.points_before_rules) } }
                            }
                        }
                    }
                    @for (change, heading) in changes {
                        @if let Some(change) = change { (self.change_line(heading, change)) }
                    }
                }
                p.small { (words.distance_is_no_advice) }
            }
        }
    }

    fn change_line(&self, heading: &str, change: &Change) -> Markup {
        html! {
            div {
                dt { (heading) }
                dd {
                    (name(&change.tier))
                    p.small {
                        (name(&change.indicator)) ": " (self.quoted_name(&change.from)) " → "
                        (self.quoted_name(&change.to))
                    }
                }
            }
        }
    }

    fn gap_line(&self, gap: &Gap) -> Markup {
        html! { p.small { (self.language.number(&gap.points)) " → " (name(&gap.tier)) } }
    }

    fn how_to_object(&self) -> Markup {
        let words = self.language.words();
        html! {
            section {
                h2 { (words.if_wrong) }
                ol { @for step in &self.objection.steps { li { (step) } } }
                p { strong { (words.where_and_when) ":" } " " (self.objection.where_and_when) }
                h3 { (words.quote) }
                dl.pairs.numbers {
                    @for (what, value) in self.quoted() {
                        div { dt { (what) } dd { (value) } }
                    }
                }
            }
        }
    }

    fn quoted_name(&self, name_of: &Name) -> Markup {
        let words = self.language.words();
        html! { (words.open_quote) (name(name_of)) (words.close_quote) }
    }
}

/// A name, marked with its language where that is not the page's, so that it is read out rightly.
fn name(name: &Name) -> Markup {
    match &name.language {
        Some(language) => html! { span lang=(language) { (name.text) } },
        None => html! { (name.text) },
    }
}

fn list(names: &[Name]) -> Markup {
    html! {
        @for (position, one) in names.iter().enumerate() {
            @if position > 0 { ", " }
            (name(one))
        }
    }
}

//! The frame of a page: one file without scripts, which loads nothing.

use maud::{DOCTYPE, Markup, PreEscaped, html};

/// The whole style; colours are those of Okabe and Ito, which colour-blind people can tell apart.
const STYLE: &str = include_str!("style.css");

/// A page with its style. The body begins after the heading.
pub fn page(title: &str, body: &Markup) -> String {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                // Data that found a way into the markup could still load nothing and run nothing.
                meta http-equiv="Content-Security-Policy"
                    content="default-src 'none'; style-src 'unsafe-inline'";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) }
                style { (PreEscaped(STYLE)) }
            }
            body { main {
                h1 { (title) }
                (body)
            } }
        }
    }
    .into_string()
}

/// Names and values, for a page's head.
pub fn facts(facts: &[(&str, String)]) -> Markup {
    html! {
        dl.facts {
            @for (name, value) in facts {
                div { dt { (name) } dd { (value) } }
            }
        }
    }
}

//! Progress of long work: a bar on a terminal, plain lines elsewhere.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::IsTerminal;
use std::sync::atomic::{AtomicU64, Ordering};

/// How progress is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum ProgressMode {
    /// A bar on a terminal, lines elsewhere
    #[default]
    Auto,
    /// A bar
    Bar,
    /// A line for every tenth of the work
    Lines,
    /// Nothing
    Off,
}

/// Progress of one piece of work, counted in families or persons.
pub struct Progress {
    label: &'static str,
    unit: &'static str,
    bar: Option<ProgressBar>,
    lines: bool,
    last: AtomicU64,
}

impl Progress {
    /// Progress under a label such as `evaluating`, in a unit such as `families`.
    pub fn new(label: &'static str, unit: &'static str, mode: ProgressMode) -> Self {
        let terminal = std::io::stderr().is_terminal();
        let bar = mode == ProgressMode::Bar || (mode == ProgressMode::Auto && terminal);
        let lines = mode == ProgressMode::Lines || (mode == ProgressMode::Auto && !terminal);
        let bar = bar.then(|| new_bar(label, unit));
        Self { label, unit, bar, lines, last: AtomicU64::new(u64::MAX) }
    }

    /// `done` of `total`; may be called from any thread and out of order.
    pub fn set(&self, done: u64, total: u64) {
        if let Some(bar) = &self.bar {
            bar.set_length(total);
            bar.set_position(bar.position().max(done));
        }
        if self.lines {
            let tenth = done.saturating_mul(10) / total.max(1);
            let last = self.last.load(Ordering::Relaxed);
            let is_new = last == u64::MAX || tenth > last;
            let won = is_new
                && self
                    .last
                    .compare_exchange(last, tenth, Ordering::Relaxed, Ordering::Relaxed)
                    .is_ok();
            if won {
                eprintln!("{}: {done} of {total} {}", self.label, self.unit);
            }
        }
    }

    /// Removes the bar.
    pub fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

fn new_bar(label: &'static str, unit: &'static str) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::stderr());
    let template = format!("{{msg:12}} [{{bar:40}}] {{pos}}/{{len}} {unit}, {{eta}} left");
    let style = ProgressStyle::with_template(&template);
    if let Ok(style) = style {
        bar.set_style(style.progress_chars("=> "));
    }
    bar.set_message(label);
    bar
}

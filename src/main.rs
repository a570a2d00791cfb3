//! The blindtier command: exit codes only; see [`blindtier::cli`].

use std::process::ExitCode;

fn main() -> ExitCode {
    blindtier::cli::run(std::env::args_os())
}

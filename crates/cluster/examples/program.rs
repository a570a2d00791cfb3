//! The program with the command `cluster`, whose processes the test of this crate starts.

use std::process::ExitCode;

fn main() -> ExitCode {
    blindtier::cli::run(std::env::args_os())
}

//! The machine that is measured on.

use blindtier_report::Machine;
use std::fs;

/// Describes this machine; what the system does not tell is empty or 0.
pub fn machine() -> Machine {
    let cores = std::thread::available_parallelism().map_or(1, |cores| cores.get());
    let memory = field("/proc/meminfo", "MemTotal:").and_then(|value| kilobytes(&value));
    Machine {
        processor: field("/proc/cpuinfo", "model name")
            .map_or_else(String::new, |name| name.trim_start_matches([':', ' ', '\t']).to_owned()),
        cores: u32::try_from(cores).unwrap_or(u32::MAX),
        memory_bytes: memory.unwrap_or_default(),
        system: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
        features: blindtier_engine_tfhe::platform_features(),
    }
}

/// The time in UTC, to the second, as RFC 3339 has it.
pub fn now() -> String {
    let now = jiff::Timestamp::now();
    now.round(jiff::Unit::Second).unwrap_or(now).to_string()
}

/// The most memory that this process has held, where the system tells (Linux).
pub fn peak_memory() -> Option<u64> {
    kilobytes(&field("/proc/self/status", "VmHWM:")?)
}

/// What stands behind a name in a file of the system.
fn field(file: &str, name: &str) -> Option<String> {
    let text = fs::read_to_string(file).ok()?;
    text.lines().find_map(|line| line.strip_prefix(name)).map(|rest| rest.trim().to_owned())
}

fn kilobytes(text: &str) -> Option<u64> {
    let kilobytes: u64 = text.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes.saturating_mul(1024))
}

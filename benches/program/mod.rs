//! Calling the program in measurements.

use miette::{IntoDiagnostic, Result, miette};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A folder that goes with what is in it. The program is copied there, so that a build beside the measurement does not take
/// it away.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new(name: &str) -> Result<Self> {
        let folder = std::env::temp_dir().join(format!("blindtier-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).into_diagnostic()?;
        let folder = Self(folder);
        std::fs::copy(env!("CARGO_BIN_EXE_blindtier"), folder.program()).into_diagnostic()?;
        Ok(folder)
    }

    fn program(&self) -> PathBuf {
        self.0.join("blindtier")
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Calls the program and returns the object that it printed.
    pub fn blindtier(&self, arguments: &[String]) -> Result<Value> {
        let called = Command::new(self.program())
            .args(arguments)
            .stderr(std::process::Stdio::null())
            .output()
            .into_diagnostic()?;
        let said = String::from_utf8_lossy(&called.stdout);
        if !called.status.success() {
            return Err(miette!("blindtier {}: {said}", arguments.join(" ")));
        }
        match said.starts_with('{') {
            true => serde_json::from_str(&said).into_diagnostic(),
            false => Ok(Value::Null),
        }
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // A folder that cannot be removed is left to the system.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

//! Which approaches there are, ours and others', and how each is started.

use crate::CompareError;
use crate::approach::Own;
use blindtier_policy::passes::Layout;
use blindtier_report::{Circuit, Kind};
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// One line of the comparison before it runs.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Name in reports.
    pub id: String,
    /// Whose work it is.
    pub kind: Kind,
    /// Which circuit it computes.
    pub circuit: Circuit,
    /// The layout whose request it reads.
    pub layout: Layout,
    /// Who has to be trusted with what.
    pub trust_model: &'static str,
    /// The program, without `--request`.
    pub program: PathBuf,
    /// Its arguments.
    pub arguments: Vec<OsString>,
}

/// Another system.
struct Peer {
    name: &'static str,
    script: &'static str,
    kind: Kind,
    /// What distinguishes its rows: name, options and trust model.
    variants: &'static [Variant],
}

type Variant = (&'static str, &'static [&'static str], &'static str);

const NOBODY: &str = "nothing is hidden: the evaluator sees every record";
const ONE_KEY: &str = "one holder of the key can open everything";
const SHARED_KEY: &str = "t of n trustees together can open everything, fewer nothing";

const THREE_SERVERS: &str = "three servers, honest but curious, no two of which collude";
const TWO_SERVERS: &str =
    "two servers, honest but curious, that do not collude, and a dealer of randomness";

const PEERS: [Peer; 3] = [
    Peer {
        name: "concrete",
        script: "concrete_peer.py",
        kind: Kind::Peer,
        variants: &[
            ("concrete-default", &["--p-error", "default"], ONE_KEY),
            ("concrete-2^-128", &["--p-error", "2.938735877055719e-39"], ONE_KEY),
        ],
    },
    Peer {
        name: "openfhe",
        script: "openfhe_peer.py",
        kind: Kind::Peer,
        variants: &[("openfhe", &[], ONE_KEY)],
    },
    Peer {
        name: "spu",
        script: "spu_peer.py",
        kind: Kind::OtherTrustModel,
        variants: &[
            ("spu-aby3", &["--protocol", "aby3"], THREE_SERVERS),
            ("spu-semi2k", &["--protocol", "semi2k"], TWO_SERVERS),
        ],
    },
];

/// Which peers are asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// Those that are installed.
    Installed,
    /// All of them; one that is not installed is an error.
    All,
    /// None.
    None,
    /// These; one that is not installed is an error.
    Named(Vec<String>),
}

impl std::str::FromStr for Wanted {
    type Err = CompareError;

    fn from_str(text: &str) -> Result<Self, CompareError> {
        match text {
            "installed" => return Ok(Self::Installed),
            "all" => return Ok(Self::All),
            "none" => return Ok(Self::None),
            _ => {}
        }
        let names: Vec<String> = text.split(',').map(|name| name.trim().to_owned()).collect();
        match names.iter().find(|name| PEERS.iter().all(|peer| peer.name != name.as_str())) {
            None => Ok(Self::Named(names)),
            Some(name) => {
                let known: Vec<&str> = PEERS.iter().map(|peer| peer.name).collect();
                Err(CompareError::NoSuchPeer { name: name.clone(), known: known.join(", ") })
            }
        }
    }
}

/// Our own approaches, started as this program's hidden subcommand.
pub fn own(program: &Path) -> Vec<Entry> {
    let entry = |own: Own| {
        let (kind, circuit, layout, trust_model) = match own {
            Own::Clear => (Kind::Clear, Circuit::AsWritten, Layout::Folded, NOBODY),
            Own::Naive => (Kind::Naive, Circuit::AsWritten, Layout::Folded, ONE_KEY),
            Own::Tfhe(layout) | Own::Bfv(layout) => {
                (Kind::Blindtier, circuit(layout), layout, SHARED_KEY)
            }
        };
        let arguments = ["compare-approach", "--approach", own.id()].map(OsString::from);
        Entry {
            id: own.id().into(),
            kind,
            circuit,
            layout,
            trust_model,
            program: program.to_owned(),
            arguments: arguments.into(),
        }
    };
    Own::ALL.map(entry).into()
}

/// The peers that are asked for, each with both circuits, from the folder that holds their scripts and environments.
///
/// # Errors
/// One that was asked for by name, or by `all`, is not installed.
pub fn peers(folder: &Path, wanted: &Wanted) -> Result<Vec<Entry>, CompareError> {
    let mut entries = Vec::new();
    for peer in &PEERS {
        let named = match wanted {
            Wanted::Installed | Wanted::All => true,
            Wanted::None => false,
            Wanted::Named(names) => names.iter().any(|name| name == peer.name),
        };
        if !named {
            continue;
        }
        let python = folder.join(".venv").join(peer.name).join("bin/python");
        if !python.exists() {
            if *wanted == Wanted::Installed {
                continue;
            }
            return Err(CompareError::NotInstalled { name: peer.name, folder: folder.to_owned() });
        }
        for (id, options, trust_model) in peer.variants {
            for layout in [Layout::PerIndicator, Layout::Folded] {
                let script = folder.join(peer.script).into_os_string();
                let options = options.iter().map(OsString::from);
                entries.push(Entry {
                    id: format!("{id}-{layout}"),
                    kind: peer.kind,
                    circuit: circuit(layout),
                    layout,
                    trust_model,
                    program: python.clone(),
                    arguments: [script].into_iter().chain(options).collect(),
                });
            }
        }
    }
    Ok(entries)
}

fn circuit(layout: Layout) -> Circuit {
    match layout {
        Layout::Folded => Circuit::Folded,
        Layout::PerIndicator => Circuit::PerIndicator,
    }
}

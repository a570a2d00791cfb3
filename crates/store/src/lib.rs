//! Object stores for boards: what a path with a scheme leads to.
//!
//! `s3://`, `gs://`, `az://`, `file://` and `memory://` are the same code, that of the crate `object_store`; they differ in
//! what opens them. Settings and credentials come from the environment, under the names that the stores' own tools use
//! (`AWS_ENDPOINT`, `AWS_ACCESS_KEY_ID`, `GOOGLE_SERVICE_ACCOUNT`, `AZURE_STORAGE_ACCOUNT_NAME` …): never from an argument
//! list, and never into an error.
#![forbid(unsafe_code)]

use blindtier_wire::storage::objects::{self, Found, Objects};
use futures_util::TryStreamExt;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{Error, ObjectStore, ObjectStoreExt, parse_url_opts};
use std::io;
use std::sync::{Arc, OnceLock};
use tokio::runtime::{Builder, Runtime};

/// From now on paths with a scheme lead to object stores. Costs nothing before the first of them is used.
pub fn install() {
    objects::open_with(Box::new(|url| Ok(Arc::new(Store::open(url)?))));
}

/// A store, called from ordinary threads.
pub struct Store {
    store: Box<dyn ObjectStore>,
}

impl Store {
    /// Opens the store of a scheme and an authority, such as `s3://bucket`; of files, `file://`.
    pub fn open(url: &str) -> io::Result<Self> {
        // Whatever is wrong before anything was asked is wrong with the URL or the settings.
        fn invalid(e: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> io::Error {
            io::Error::new(io::ErrorKind::InvalidInput, e)
        }
        let url = url::Url::parse(&format!("{url}/")).map_err(invalid)?;
        if url.scheme() == "file" {
            // Files are synced before they are renamed, and folders after, as this program does with its own.
            return Ok(Self::of(Box::new(LocalFileSystem::new().with_fsync(true))));
        }
        // A second provider would only be another copy of the same.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let settings = std::env::vars().map(|(name, value)| (name.to_ascii_lowercase(), value));
        let (store, _) = parse_url_opts(&url, settings).map_err(invalid)?;
        Ok(Self::of(store))
    }

    /// This store.
    pub fn of(store: Box<dyn ObjectStore>) -> Self {
        Self { store }
    }

    async fn found(&self, name: &Path, limit: u64) -> Result<Found, Error> {
        let got = match self.store.get(name).await {
            Err(Error::NotFound { .. }) => return Ok(Found::Missing),
            got => got?,
        };
        if got.meta.size > limit {
            return Ok(Found::TooLarge(got.meta.size));
        }
        // A store that sends more than it announced is stopped at the limit.
        let mut bytes = Vec::with_capacity(usize::try_from(got.meta.size).unwrap_or(0));
        let mut parts = got.into_stream();
        while let Some(part) = parts.try_next().await? {
            bytes.extend_from_slice(&part);
            if bytes.len() as u64 > limit {
                return Ok(Found::TooLarge(bytes.len() as u64));
            }
        }
        Ok(Found::Bytes(bytes))
    }
}

impl Objects for Store {
    fn read(&self, name: &str, limit: u64) -> io::Result<Found> {
        let name = path(name)?;
        wait(self.found(&name, limit))
    }

    fn write(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let (name, bytes) = (path(name)?, bytes.to_vec());
        wait(async { self.store.put(&name, bytes.into()).await.map(|_| ()) })
    }

    fn size(&self, name: &str) -> io::Result<Option<u64>> {
        if name.is_empty() {
            return Ok(None);
        }
        let name = path(name)?;
        wait(async {
            match self.store.head(&name).await {
                Err(Error::NotFound { .. }) => Ok(None),
                found => Ok(Some(found?.size)),
            }
        })
    }

    fn list(&self, folder: &str) -> io::Result<Vec<(String, u64)>> {
        let folder = path(folder)?;
        let found: Vec<_> = wait(self.store.list(Some(&folder)).try_collect())?;
        let below = |object: object_store::ObjectMeta| {
            let parts: Vec<_> = object.location.prefix_match(&folder)?.collect();
            let name: Vec<&str> = parts.iter().map(AsRef::as_ref).collect();
            (!name.is_empty()).then(|| (name.join("/"), object.size))
        };
        Ok(found.into_iter().filter_map(below).collect())
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        let name = path(name)?;
        wait(async {
            match self.store.delete(&name).await {
                Err(Error::NotFound { .. }) => Ok(()),
                removed => removed,
            }
        })
    }
}

fn path(name: &str) -> io::Result<Path> {
    Path::parse(name).map_err(|e| io::Error::new(io::ErrorKind::InvalidInput, e))
}

/// Waits for what a store does. The threads that wait are those of the callers; one more talks to the stores.
fn wait<T>(work: impl Future<Output = Result<T, Error>>) -> io::Result<T> {
    static RUNTIME: OnceLock<io::Result<Runtime>> = OnceLock::new();
    let start = || Builder::new_multi_thread().worker_threads(1).enable_all().build();
    match RUNTIME.get_or_init(start) {
        Ok(runtime) => runtime.block_on(work).map_err(failed),
        Err(e) => Err(io::Error::new(e.kind(), e.to_string())),
    }
}

fn failed(error: Error) -> io::Error {
    let kind = match &error {
        Error::NotFound { .. } => io::ErrorKind::NotFound,
        Error::PermissionDenied { .. } | Error::Unauthenticated { .. } => {
            io::ErrorKind::PermissionDenied
        }
        Error::AlreadyExists { .. } => io::ErrorKind::AlreadyExists,
        Error::InvalidPath { .. } => io::ErrorKind::InvalidInput,
        _ => io::ErrorKind::Other,
    };
    io::Error::new(kind, error)
}

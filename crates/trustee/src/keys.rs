//! The trustee's keys at rest.

use crate::error::TrusteeError;
use blindtier_wire::{
    Context, Digest, EvaluationKey, PublicKey, SecretKey, SigningIdentity, file_names, write,
};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// What an engine's key generation gives, as opaque bytes.
pub struct Keys {
    /// Opens results (private).
    pub secret: Zeroizing<Vec<u8>>,
    /// For the agencies.
    pub public: Vec<u8>,
    /// For the evaluator.
    pub evaluation: Vec<u8>,
}

/// The files that were written.
#[derive(Clone, Debug)]
pub struct KeyFiles {
    /// Secret, mode 0600; stays here.
    pub secret: PathBuf,
    /// For the agencies.
    pub public: PathBuf,
    /// For the evaluator.
    pub evaluation: PathBuf,
    /// Hash of the public-key file, which the other two name.
    pub public_digest: Digest,
}

/// Writes the keys of a round: the secret one into `private`, the others into `public`.
///
/// Never replaces a secret key: what was encrypted for it could not be opened any more.
pub fn store_keys(
    mut keys: Keys,
    private: &Path,
    public: &Path,
    context: &Context,
    identity: &SigningIdentity,
) -> Result<KeyFiles, TrusteeError> {
    let secret_file = private.join(file_names::SECRET_KEY);
    if secret_file.exists() {
        return Err(TrusteeError::KeysExist { file: secret_file });
    }
    let public_file = public.join(file_names::PUBLIC_KEY);
    let evaluation_file = public.join(file_names::EVALUATION_KEY);
    let public_digest = write(&public_file, &PublicKey { bytes: keys.public }, context, identity)?;
    let evaluation = EvaluationKey { public_key: public_digest, bytes: keys.evaluation };
    write(&evaluation_file, &evaluation, context, identity)?;
    let secret = SecretKey { public_key: public_digest, bytes: std::mem::take(&mut *keys.secret) };
    write(&secret_file, &secret, context, identity)?;
    Ok(KeyFiles {
        secret: secret_file,
        public: public_file,
        evaluation: evaluation_file,
        public_digest,
    })
}

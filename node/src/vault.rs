//! The agency's secrets at rest.
//!
//! ```text
//!   DIR/keys/root.age       the root key: signs cards only. Move it to offline storage once the node runs.
//!   DIR/keys/recovery.age   the recovery root, committed to in the inception. Move it to another place than the root.
//!   DIR/keys/node.age       what the running node needs: agreement-signing, signing, encryption, transport, storage.
//! ```
//!
//! Each is an age file under the operator's passphrase (scrypt). The node opens `node.age` alone.

use std::fs::{self, DirBuilder};
use std::io::{Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use entente_protocol::crypto::keyfile::{self, KeyfileError};
use entente_protocol::crypto::sign::SigningKey;
use entente_protocol::crypto::wrap::EncryptionSecret;
use entente_protocol::id::Mode;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// The scrypt work factor of a live agency: 2^17 blocks, about half a second and 128 MiB.
const LIVE_LOG_N: u8 = 17;

/// The work factor of an exercise agency: its keys protect nothing, and exercises start many nodes.
const EXERCISE_LOG_N: u8 = 10;

/// The most that opening a file may cost: a stranger's file must not stall the node for minutes.
const MAX_LOG_N: u8 = 20;

/// No key file is longer: what stands beyond is not read, and the file is found damaged.
const MAX_FILE_BYTES: u64 = 64 << 10;

const ROOT_FILE: &str = "root.age";
const RECOVERY_FILE: &str = "recovery.age";
const NODE_FILE: &str = "node.age";

/// The secrets of a running node.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct NodeSecrets {
    /// The seed of the agreement-signing key.
    pub agreement: [u8; 32],
    /// The seed of the key that signs entries and statements.
    pub signing: [u8; 32],
    /// The seed of the post-quantum key that content keys are wrapped to.
    pub encryption: [u8; 32],
    /// The seed of the key that is the node's address on the network.
    pub transport: [u8; 32],
    /// The key of the index.
    pub index: [u8; 32],
    /// The key of the records.
    pub records: [u8; 32],
}

impl NodeSecrets {
    /// New secrets.
    pub fn generate() -> Self {
        use crate::clock::random;
        Self {
            agreement: random(),
            signing: random(),
            encryption: random(),
            transport: random(),
            index: random(),
            records: random(),
        }
    }

    /// The agreement-signing key.
    pub fn agreement_key(&self) -> SigningKey {
        SigningKey::from_seed(&self.agreement)
    }

    /// The key that signs entries and statements.
    pub fn signing_key(&self) -> SigningKey {
        SigningKey::from_seed(&self.signing)
    }

    /// The key that content keys are wrapped to.
    pub fn encryption_secret(&self) -> EncryptionSecret {
        EncryptionSecret::from_seed(&self.encryption)
    }

    /// The key that is the node's address on the network.
    pub fn transport_key(&self) -> SigningKey {
        SigningKey::from_seed(&self.transport)
    }

    fn parts(&self) -> [&[u8; 32]; 6] {
        [&self.agreement, &self.signing, &self.encryption, &self.transport, &self.index, &self.records]
    }

    fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let mut bytes = Zeroizing::new(Vec::with_capacity(MAGIC.len() + 6 * 32));
        bytes.extend_from_slice(MAGIC);
        for part in self.parts() {
            bytes.extend_from_slice(part);
        }
        bytes
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (parts, rest) = bytes.strip_prefix(MAGIC)?.as_chunks::<32>();
        let [agreement, signing, encryption, transport, index, records] = *<&[[u8; 32]; 6]>::try_from(parts).ok()?;
        rest.is_empty().then_some(Self { agreement, signing, encryption, transport, index, records })
    }
}

/// Names the content of a node's key file, and its version.
const MAGIC: &[u8] = b"entente node keys 1\n";

/// Why secrets cannot be written or read.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// The file system.
    #[error("{}: {error}", path.display())]
    File {
        /// Which file.
        path: PathBuf,
        /// What it said.
        error: std::io::Error,
    },
    /// The passphrase or the file.
    #[error("{}: {error}", path.display())]
    Keyfile {
        /// Which file.
        path: PathBuf,
        /// Why.
        error: KeyfileError,
    },
    /// The file opens, but holds something else.
    #[error("{}: holds no keys of a node of this version", path.display())]
    Content {
        /// Which file.
        path: PathBuf,
    },
}

/// Where an agency's secrets lie.
#[derive(Clone, Debug)]
pub struct Vault {
    dir: PathBuf,
}

impl Vault {
    /// The vault of a data directory.
    pub fn of(data: &Path) -> Self {
        Self { dir: data.join("keys") }
    }

    /// Writes the secrets of a new agency; nothing that exists is overwritten.
    pub fn create(
        &self,
        passphrase: &str,
        mode: Mode,
        root: &[u8; 32],
        recovery: &[u8; 32],
        node: &NodeSecrets,
    ) -> Result<(), VaultError> {
        let failed = |error| VaultError::File { path: self.dir.clone(), error };
        DirBuilder::new().mode(0o700).create(&self.dir).map_err(failed)?;
        self.write(ROOT_FILE, passphrase, mode, root)?;
        self.write(RECOVERY_FILE, passphrase, mode, recovery)?;
        self.write(NODE_FILE, passphrase, mode, &node.to_bytes())?;
        sync_dir(&self.dir).map_err(failed)
    }

    /// Where the root key lies, until it is moved to offline storage.
    pub fn root_file(&self) -> PathBuf {
        self.dir.join(ROOT_FILE)
    }

    /// Where the recovery root lies, until it is moved to another offline storage.
    pub fn recovery_file(&self) -> PathBuf {
        self.dir.join(RECOVERY_FILE)
    }

    /// Where the secrets of the running node lie.
    pub fn node_file(&self) -> PathBuf {
        self.dir.join(NODE_FILE)
    }

    /// Opens the secrets that the running node needs.
    pub fn open_node(&self, passphrase: &str) -> Result<NodeSecrets, VaultError> {
        let path = self.node_file();
        let failed = |error| VaultError::File { path: path.clone(), error };
        let mut file = Vec::new();
        let opened = fs::File::open(&path).map_err(failed)?;
        opened.take(MAX_FILE_BYTES).read_to_end(&mut file).map_err(failed)?;
        let plain = keyfile::unprotect(passphrase, &file, MAX_LOG_N)
            .map_err(|error| VaultError::Keyfile { path: path.clone(), error })?;
        NodeSecrets::from_bytes(&plain).ok_or(VaultError::Content { path })
    }

    fn write(&self, name: &str, passphrase: &str, mode: Mode, plain: &[u8]) -> Result<(), VaultError> {
        let path = self.dir.join(name);
        let log_n = match mode {
            Mode::Live => LIVE_LOG_N,
            Mode::Exercise => EXERCISE_LOG_N,
        };
        let file = keyfile::protect(passphrase, plain, log_n)
            .map_err(|error| VaultError::Keyfile { path: path.clone(), error })?;
        write_new(&path, &file).map_err(|error| VaultError::File { path, error })
    }
}

/// Writes a file that only its owner may read, durably, and never over another.
pub fn write_new(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Writes a file in place of an older one, so that a crash leaves the one or the other.
pub fn replace(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let fresh = path.with_extension("new");
    let mut file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&fresh)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&fresh, path)
}

/// Makes the names in a directory durable.
pub fn sync_dir(dir: &Path) -> std::io::Result<()> {
    fs::File::open(dir)?.sync_all()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn vault() -> (tempfile::TempDir, Vault, NodeSecrets) {
        let dir = tempfile::tempdir().unwrap();
        let vault = Vault::of(dir.path());
        let node = NodeSecrets::generate();
        vault.create("correct horse", Mode::Exercise, &[1; 32], &[2; 32], &node).unwrap();
        (dir, vault, node)
    }

    #[test]
    fn secrets_open_with_their_passphrase_alone() {
        let (_dir, vault, node) = vault();
        assert_eq!(vault.open_node("correct horse").unwrap().parts(), node.parts());
        let wrong = vault.open_node("correct mule").err().unwrap();
        assert!(matches!(wrong, VaultError::Keyfile { error: KeyfileError::WrongPassphrase, .. }), "{wrong}");
    }

    #[test]
    fn only_their_owner_reads_them_and_nothing_is_overwritten() {
        let (dir, vault, node) = vault();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&dir.path().join("keys")), 0o700);
        for file in [vault.root_file(), vault.recovery_file(), vault.node_file()] {
            assert_eq!(mode(&file), 0o600, "{}", file.display());
        }
        let again = vault.create("other", Mode::Exercise, &[3; 32], &[4; 32], &NodeSecrets::generate());
        assert!(matches!(again, Err(VaultError::File { .. })));
        assert_eq!(vault.open_node("correct horse").unwrap().parts(), node.parts());
    }

    #[test]
    fn a_file_that_holds_something_else_is_refused() {
        let (_dir, vault, _) = vault();
        fs::copy(vault.root_file(), vault.node_file()).unwrap();
        assert!(matches!(vault.open_node("correct horse"), Err(VaultError::Content { .. })));
        fs::write(vault.node_file(), "age-encryption.org/v1\n").unwrap();
        let damaged = vault.open_node("correct horse").err().unwrap();
        assert!(matches!(damaged, VaultError::Keyfile { error: KeyfileError::Damaged(_), .. }), "{damaged}");
    }
}

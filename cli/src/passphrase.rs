//! Where the passphrase that opens the keys comes from, in this order: `--passphrase-file`,
//! `ENTENTE_PASSPHRASE_FILE`, the systemd credential `entente-passphrase`, a prompt.
//!
//! Deliberately absent: the passphrase itself as an option or in a variable, where every process of the
//! machine could read it. It is kept in one buffer that is wiped when it is no longer needed.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, IsTerminal, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use clap::Args;
use thiserror::Error;
use zeroize::Zeroizing;

use crate::output::Output;

/// The name under which systemd's `LoadCredentialEncrypted=` passes it.
const CREDENTIAL: &str = "entente-passphrase";
/// Longer than any passphrase that a person or a generator makes.
const PASSPHRASE_BYTES: usize = 1024;

/// Where the passphrase comes from, if not from a prompt.
#[derive(Args, Debug)]
pub(crate) struct PassphraseArgs {
    /// A file whose first line is the passphrase of the keys; without it a systemd credential
    /// `entente-passphrase` is used, or it is asked for
    #[arg(long, value_name = "FILE", env = "ENTENTE_PASSPHRASE_FILE")]
    pub(crate) passphrase_file: Option<PathBuf>,
}

/// Why there is no passphrase.
#[derive(Debug, Error)]
pub(crate) enum PassphraseError {
    #[error("no passphrase is given, and there is no terminal to ask at")]
    NoSource,
    #[error("cannot read the passphrase from {}: {source}", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("the first line of {} is no passphrase: longer than {PASSPHRASE_BYTES} bytes", path.display())]
    TooLong { path: PathBuf },
    #[error("the first line of {} is not text in UTF-8", path.display())]
    NotText { path: PathBuf },
    #[error("the first line of {} is empty", path.display())]
    EmptyFile { path: PathBuf },
    #[error("the passphrase is empty")]
    Empty,
    #[error("the two passphrases differ")]
    Differ,
    #[error("cannot ask for the passphrase: {0}")]
    Prompt(io::Error),
}

impl PassphraseError {
    /// What to do about it.
    pub(crate) fn hint(&self) -> Option<&'static str> {
        match self {
            Self::NoSource => Some(
                "give --passphrase-file FILE or ENTENTE_PASSPHRASE_FILE, or the systemd credential entente-passphrase",
            ),
            _ => None,
        }
    }
}

/// Whether a passphrase is chosen (and asked for twice) or used.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Use {
    Choose,
    Open,
}

/// Takes the passphrase from the first source that is there; `key` says in the prompt what it opens.
pub(crate) fn obtain(
    args: &PassphraseArgs,
    purpose: Use,
    key: &str,
    out: &Output,
) -> Result<Zeroizing<String>, PassphraseError> {
    let credentials = std::env::var_os("CREDENTIALS_DIRECTORY");
    match source(args.passphrase_file.as_deref(), credentials.as_deref()) {
        Some(Source::File(path)) => read(&path, |mode| {
            out.warn(&format!(
                "{} can be read by other users (mode {:04o}): chmod 600 it",
                path.display(),
                mode & 0o7777
            ));
        }),
        Some(Source::Credential(path)) => read(&path, |_| {}),
        None if io::stdin().is_terminal() => ask(purpose, key),
        None => Err(PassphraseError::NoSource),
    }
}

#[derive(Debug, Eq, PartialEq)]
enum Source {
    File(PathBuf),
    /// systemd itself guards it.
    Credential(PathBuf),
}

fn source(file: Option<&Path>, credentials: Option<&OsStr>) -> Option<Source> {
    if let Some(file) = file {
        return Some(Source::File(file.to_owned()));
    }
    let credential = Path::new(credentials?).join(CREDENTIAL);
    credential.exists().then_some(Source::Credential(credential))
}

/// The first line of a file, without its line break; `exposed` is told the mode if others may read the file.
fn read(path: &Path, exposed: impl Fn(u32)) -> Result<Zeroizing<String>, PassphraseError> {
    let failed = |source| PassphraseError::Read { path: path.to_owned(), source };
    let file = File::open(path).map_err(failed)?;
    let mode = file.metadata().map_err(failed)?.mode();
    if mode & 0o077 != 0 {
        exposed(mode);
    }
    // Room for all that is read, so that growing leaves no copy behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(2 * PASSPHRASE_BYTES));
    file.take(PASSPHRASE_BYTES as u64 + 2).read_to_end(&mut bytes).map_err(failed)?;
    let line = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    if line.len() > PASSPHRASE_BYTES {
        return Err(PassphraseError::TooLong { path: path.to_owned() });
    }
    if line.is_empty() {
        return Err(PassphraseError::EmptyFile { path: path.to_owned() });
    }
    let text = std::str::from_utf8(line).map_err(|_| PassphraseError::NotText { path: path.to_owned() })?;
    Ok(Zeroizing::new(text.to_owned()))
}

fn ask(purpose: Use, key: &str) -> Result<Zeroizing<String>, PassphraseError> {
    let prompt = |text: &str| rpassword::prompt_password(text).map(Zeroizing::new).map_err(PassphraseError::Prompt);
    match purpose {
        Use::Open => {
            let given = prompt(&format!("passphrase of {key}: "))?;
            if given.is_empty() { Err(PassphraseError::Empty) } else { Ok(given) }
        }
        Use::Choose => {
            let chosen = prompt(&format!("new passphrase for {key}: "))?;
            if chosen.is_empty() {
                return Err(PassphraseError::Empty);
            }
            let again = prompt("the same again: ")?;
            if *chosen == *again { Ok(chosen) } else { Err(PassphraseError::Differ) }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt;
    use std::path::Path;

    use super::{PASSPHRASE_BYTES, PassphraseError, Source, read, source};

    fn file(bytes: &[u8], mode: u32) -> (tempfile::TempDir, std::path::PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("passphrase");
        fs::write(&path, bytes).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        (dir, path)
    }

    #[test]
    fn the_file_comes_before_the_credential() {
        let dir = tempfile::tempdir().unwrap();
        let credentials = Some(dir.path().as_os_str());
        assert_eq!(source(None, None), None);
        assert_eq!(source(None, credentials), None);
        let credential = dir.path().join("entente-passphrase");
        fs::write(&credential, "x").unwrap();
        assert_eq!(source(None, credentials), Some(Source::Credential(credential)));
        let named = Path::new("/elsewhere");
        assert_eq!(source(Some(named), credentials), Some(Source::File(named.to_owned())));
    }

    #[test]
    fn the_first_line_counts_without_its_line_break() {
        for bytes in [&b"correct horse"[..], b"correct horse\n", b"correct horse\r\n", b"correct horse\nmore\n"] {
            let (_dir, path) = file(bytes, 0o600);
            assert_eq!(*read(&path, |_| panic!("no one else can read it")).unwrap(), "correct horse");
        }
        let (_dir, path) = file(b" blanks count \n", 0o600);
        assert_eq!(*read(&path, |_| ()).unwrap(), " blanks count ");
        let (_dir, path) = file(&[b'x'; PASSPHRASE_BYTES], 0o600);
        assert_eq!(read(&path, |_| ()).unwrap().len(), PASSPHRASE_BYTES);
    }

    #[test]
    fn what_is_no_passphrase_is_refused() {
        let (_dir, path) = file(b"\nsecond line\n", 0o600);
        assert!(matches!(read(&path, |_| ()), Err(PassphraseError::EmptyFile { .. })));
        let (_dir, path) = file(&[b'x'; PASSPHRASE_BYTES + 1], 0o600);
        assert!(matches!(read(&path, |_| ()), Err(PassphraseError::TooLong { .. })));
        let (_dir, path) = file(b"\xff\n", 0o600);
        assert!(matches!(read(&path, |_| ()), Err(PassphraseError::NotText { .. })));
        assert!(matches!(read(Path::new("/nowhere/at/all"), |_| ()), Err(PassphraseError::Read { .. })));
    }

    #[test]
    fn a_file_that_others_can_read_is_told() {
        for (mode, told) in [(0o600, false), (0o400, false), (0o640, true), (0o604, true)] {
            let (_dir, path) = file(b"x", mode);
            let exposed = Cell::new(false);
            read(&path, |_| exposed.set(true)).unwrap();
            assert_eq!(exposed.get(), told, "{mode:o}");
        }
    }
}

//! Operating-system processes of this same program, and the patience to wait for what they do.
//!
//! A child stands in a process group of its own, so that Ctrl-C reaches this process alone, which then ends its
//! children in order. Whatever way the exercise ends, dropping a [`Child`] kills it: no process stays behind.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{Read, Seek, SeekFrom};
use std::os::unix::fs::DirBuilderExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use entente_node::{clock, vault};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use tokio::signal::unix::{SignalKind, signal};

use super::error::ExerciseError;

/// Between two looks at something that takes long.
const LOOK: Duration = Duration::from_millis(20);
/// How long a node may take to end after it was asked to.
const GRACE: Duration = Duration::from_secs(20);
/// How much of a log is shown: enough for its last dozen lines.
const TAIL_BYTES: u64 = 3000;

/// Where the agencies live.
pub(super) struct Site {
    dir: PathBuf,
    /// The passphrase of all their keys.
    pub(super) passphrase: PathBuf,
    /// This program.
    pub(super) program: PathBuf,
    /// Removed in the end, unless the directories are to be kept.
    _temporary: Option<TempDir>,
}

impl Site {
    /// Opens the directory to keep, which must be new or empty, or a temporary one.
    pub(super) fn open(keep: Option<&Path>) -> Result<Self, ExerciseError> {
        let program = std::env::current_exe()
            .map_err(|source| ExerciseError::System { what: "find this program's own file", source })?;
        let (dir, temporary) = if let Some(keep) = keep {
            create(keep)?;
            (keep.to_owned(), None)
        } else {
            let temporary = tempfile::Builder::new().prefix("entente-exercise-").tempdir();
            let temporary =
                temporary.map_err(|source| ExerciseError::System { what: "make a temporary directory", source })?;
            (temporary.path().to_owned(), Some(temporary))
        };
        let failed = |source| ExerciseError::File { path: dir.clone(), source };
        let dir = dir.canonicalize().map_err(failed)?;
        let passphrase = dir.join("passphrase");
        let text = format!("{:032x}\n", u128::from_be_bytes(clock::random()));
        vault::write_new(&passphrase, text.as_bytes())
            .map_err(|source| ExerciseError::File { path: passphrase.clone(), source })?;
        Ok(Self { dir, passphrase, program, _temporary: temporary })
    }

    /// The data directory of an agency.
    pub(super) fn of(&self, slug: &str) -> PathBuf {
        self.dir.join(slug)
    }
}

fn create(dir: &Path) -> Result<(), ExerciseError> {
    let failed = |source| ExerciseError::File { path: dir.to_owned(), source };
    DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(failed)?;
    if dir.read_dir().map_err(failed)?.next().is_some() {
        return Err(ExerciseError::NotEmpty { path: dir.to_owned() });
    }
    Ok(())
}

/// A running node.
pub(super) struct Child(std::process::Child);

impl Child {
    /// Starts this program with its output appended to a log.
    pub(super) fn start(mut command: Command, log: &Path) -> Result<Self, ExerciseError> {
        let failed = |source| ExerciseError::File { path: log.to_owned(), source };
        let out = OpenOptions::new().create(true).append(true).open(log).map_err(failed)?;
        let err = out.try_clone().map_err(failed)?;
        command.stdin(Stdio::null()).stdout(out).stderr(err).process_group(0);
        let child = command.spawn().map_err(|source| ExerciseError::System { what: "start a node", source })?;
        Ok(Self(child))
    }

    /// Its exit status, if it has ended.
    pub(super) fn ended(&mut self) -> Option<ExitStatus> {
        self.0.try_wait().ok().flatten()
    }

    pub(super) fn id(&self) -> u32 {
        self.0.id()
    }

    /// SIGKILL: it ends between two instructions, as in a loss of power.
    pub(super) fn kill(mut self) -> Result<(), ExerciseError> {
        self.signal(Signal::KILL)?;
        self.0.wait().map_err(|source| ExerciseError::System { what: "wait for a killed node", source })?;
        Ok(())
    }

    /// SIGTERM.
    pub(super) fn ask_to_end(&self) -> Result<(), ExerciseError> {
        self.signal(Signal::TERM)
    }

    /// Waits for its end after [`Child::ask_to_end`]; true where it came by itself. Dropping makes sure of it.
    pub(super) fn end(mut self) -> bool {
        let start = clock::monotonic();
        while start.elapsed() < GRACE {
            if let Some(status) = self.ended() {
                return status.success();
            }
            thread::sleep(LOOK);
        }
        false
    }

    fn signal(&self, signal: Signal) -> Result<(), ExerciseError> {
        let pid = Pid::from_child(&self.0);
        kill_process(pid, signal)
            .map_err(|errno| ExerciseError::System { what: "send a signal to a node", source: errno.into() })
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        if self.ended().is_none() {
            let _ = self.0.kill();
            let _ = self.0.wait();
        }
    }
}

/// The last lines of a log.
pub(super) fn tail(log: &Path) -> String {
    let read = || -> std::io::Result<Vec<u8>> {
        let mut file = File::open(log)?;
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(TAIL_BYTES)))?;
        let mut bytes = Vec::new();
        file.take(TAIL_BYTES).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    read().map_or_else(|error| error.to_string(), |bytes| String::from_utf8_lossy(&bytes).into_owned())
}

/// Whether somebody wants the exercise to end.
#[derive(Clone)]
pub(super) struct Interrupt(Arc<(Mutex<bool>, Condvar)>);

impl Interrupt {
    /// Listens for Ctrl-C, SIGTERM and the terminal's end from now on.
    pub(super) fn listen() -> Result<Self, ExerciseError> {
        let failed = |source| ExerciseError::System { what: "listen for signals", source };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
        let entered = runtime.enter();
        let mut interrupt = signal(SignalKind::interrupt()).map_err(failed)?;
        let mut terminate = signal(SignalKind::terminate()).map_err(failed)?;
        let mut hangup = signal(SignalKind::hangup()).map_err(failed)?;
        drop(entered);
        let shared = Arc::new((Mutex::new(false), Condvar::new()));
        let (told, here) = (shared.clone(), Self(shared));
        thread::spawn(move || {
            runtime.block_on(async {
                tokio::select! { _ = interrupt.recv() => {}, _ = terminate.recv() => {}, _ = hangup.recv() => {} }
            });
            *told.0.lock().unwrap_or_else(PoisonError::into_inner) = true;
            told.1.notify_all();
        });
        Ok(here)
    }

    /// Fails once an end is wanted.
    pub(super) fn check(&self) -> Result<(), ExerciseError> {
        let wanted = *self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        if wanted { Err(ExerciseError::Interrupted) } else { Ok(()) }
    }

    /// Sleeps until an end is wanted.
    pub(super) fn wait(&self) {
        let wanted = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        let _ended = self.0.1.wait_while(wanted, |wanted| !*wanted);
    }
}

/// Looks again and again until there is something, nobody has patience left, or an end is wanted.
pub(super) fn until<T>(
    what: &'static str,
    within: Duration,
    interrupt: &Interrupt,
    check: impl FnMut() -> Result<Option<T>, ExerciseError>,
) -> Result<T, ExerciseError> {
    until_at(what, within, LOOK, interrupt, check)
}

/// The same with another pause between two looks.
pub(super) fn until_at<T>(
    what: &'static str,
    within: Duration,
    pause: Duration,
    interrupt: &Interrupt,
    mut check: impl FnMut() -> Result<Option<T>, ExerciseError>,
) -> Result<T, ExerciseError> {
    let start = clock::monotonic();
    loop {
        interrupt.check()?;
        if let Some(there) = check()? {
            return Ok(there);
        }
        if start.elapsed() > within {
            return Err(ExerciseError::Late { what, seconds: within.as_secs() });
        }
        thread::sleep(pause);
    }
}

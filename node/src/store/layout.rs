//! The small files around the journals: what the store is (`layout`), who has it open (`lock`), and whether the
//! index was closed in order (`index.open`, with the machine's boot id).

use std::cmp::Ordering;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::thread;
use std::time::Duration;

use super::disk::{Disk, replace};
use super::error::{Doing, Result, StoreError};
use super::seal::salt;
use super::segment::LAYOUT;

const LAYOUT_FILE: &str = "layout";
const LOCK_FILE: &str = "lock";
const OPEN_MARK: &str = "index.open";
const TITLE: &str = "entente store";

/// Milliseconds between two tries for the lock.
const LOCK_STEP_MS: u64 = 50;

/// What a store is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Layout {
    /// Random; another one once the journal no longer is what it was.
    pub(super) incarnation: [u8; 16],
    /// Tells which records key is the right one.
    pub(super) key_check: [u8; 16],
}

impl Layout {
    /// Reads the layout of the store in this directory, or writes that of a new one.
    pub(super) fn load(disk: &dyn Disk, dir: &Path, key_check: [u8; 16]) -> Result<Layout> {
        let file = dir.join(LAYOUT_FILE);
        let text = match fs::read_to_string(&file) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                if dir.join(super::FEDERATION_DIR).exists() {
                    return Err(StoreError::Foreign { file });
                }
                let layout = Layout { incarnation: salt()?, key_check };
                layout.store(disk, dir)?;
                return Ok(layout);
            }
            Err(error) => return Err(StoreError::io("read", &file, &error)),
        };
        let layout = parse(&text)?.ok_or(StoreError::Foreign { file })?;
        if layout.key_check == key_check { Ok(layout) } else { Err(StoreError::WrongKeys) }
    }

    /// The same store, no longer what it was.
    pub(super) fn renewed(self) -> Result<Layout> {
        Ok(Layout { incarnation: salt()?, ..self })
    }

    /// Makes the layout durable.
    pub(super) fn store(&self, disk: &dyn Disk, dir: &Path) -> Result<()> {
        let file = dir.join(LAYOUT_FILE);
        let (incarnation, keys) = (hex::encode(self.incarnation), hex::encode(self.key_check));
        let text = format!("{TITLE}\nlayout {LAYOUT}\nincarnation {incarnation}\nkeys {keys}\n");
        replace(disk, &file, text.as_bytes()).doing("write", &file)
    }
}

fn parse(text: &str) -> Result<Option<Layout>> {
    let mut lines = text.lines();
    if lines.next() != Some(TITLE) {
        return Ok(None);
    }
    let Some(found) = lines.next().and_then(|l| l.strip_prefix("layout ")).and_then(|n| n.parse::<u32>().ok()) else {
        return Ok(None);
    };
    match found.cmp(&LAYOUT) {
        Ordering::Less => return Err(StoreError::Past { found, known: LAYOUT }),
        Ordering::Equal => {}
        Ordering::Greater => return Err(StoreError::Future { found, known: LAYOUT }),
    }
    let mut field = |name: &str| {
        let mut bytes = [0; 16];
        let value = lines.next()?.strip_prefix(name)?;
        hex::decode_to_slice(value, &mut bytes).ok().map(|()| bytes)
    };
    let (Some(incarnation), Some(key_check)) = (field("incarnation "), field("keys ")) else { return Ok(None) };
    Ok(Some(Layout { incarnation, key_check }))
}

/// Takes the lock on the directory (flock(2)); it goes with the file. A process that was just killed may hold it a
/// moment longer, so this waits a little.
pub(super) fn lock(dir: &Path, wait_ms: u64) -> Result<File> {
    let path = dir.join(LOCK_FILE);
    let mut options = OpenOptions::new();
    let file = options.read(true).write(true).create(true).truncate(false).mode(0o600).open(&path);
    let file = file.doing("open", &path)?;
    let mut waited = 0;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) if waited < wait_ms => {
                thread::sleep(Duration::from_millis(LOCK_STEP_MS));
                waited += LOCK_STEP_MS;
            }
            Err(TryLockError::WouldBlock) => return Err(StoreError::Locked { dir: dir.to_path_buf() }),
            Err(TryLockError::Error(error)) => return Err(StoreError::io("lock", &path, &error)),
        }
    }
}

/// Notes that the index is open, durably, before it changes. Says whether the machine stopped while it was.
pub(super) fn mark_open(disk: &dyn Disk, dir: &Path) -> Result<bool> {
    let path = dir.join(OPEN_MARK);
    let boot = fs::read("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    let stopped = fs::read(&path).is_ok_and(|before| before != boot);
    replace(disk, &path, &boot).doing("write", &path)?;
    Ok(stopped)
}

/// Notes that the index was closed in order.
pub(super) fn mark_closed(disk: &dyn Disk, dir: &Path) -> Result<()> {
    let path = dir.join(OPEN_MARK);
    disk.remove(&path).doing("remove", &path)?;
    disk.sync_dir(dir).doing("sync", dir)
}

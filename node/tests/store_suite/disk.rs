//! A disk that fills up, turns read-only, tears a write, or forgets what was never synced.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use entente_node::store::{Disk, DiskFile, Health, Item, Options, RealDisk, Store, StoreError};

use crate::support::*;

/// What the disk does from now on.
#[derive(Clone, Copy, Default)]
struct Mood {
    /// Bytes that still fit; a write that does not fit is written as far as it does.
    room: Option<usize>,
    read_only: bool,
}

#[derive(Clone, Default)]
struct FaultyDisk {
    mood: Arc<Mutex<Mood>>,
    /// For each path, the length that was synced last.
    synced: Arc<Mutex<BTreeMap<PathBuf, u64>>>,
}

struct FaultyFile {
    file: Box<dyn DiskFile>,
    path: PathBuf,
    disk: FaultyDisk,
}

impl FaultyDisk {
    fn set(&self, mood: Mood) {
        *self.mood.lock().unwrap() = mood;
    }

    fn options(&self) -> Options {
        Options { disk: Arc::new(self.clone()), segment_bytes: 1 << 20, ..options() }
    }

    fn may_write(&self) -> io::Result<()> {
        if self.mood.lock().unwrap().read_only { Err(io::ErrorKind::ReadOnlyFilesystem.into()) } else { Ok(()) }
    }

    fn wrap(&self, path: &Path, file: Box<dyn DiskFile>) -> Box<dyn DiskFile> {
        Box::new(FaultyFile { file, path: path.to_path_buf(), disk: self.clone() })
    }
}

impl Disk for FaultyDisk {
    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        self.may_write()?;
        Ok(self.wrap(path, RealDisk.create(path)?))
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        self.may_write()?;
        Ok(self.wrap(path, RealDisk.open(path)?))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.may_write()?;
        let mut synced = self.synced.lock().unwrap();
        if let Some(length) = synced.remove(from) {
            synced.insert(to.to_path_buf(), length);
        }
        RealDisk.rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.may_write()?;
        RealDisk.remove(path)
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        self.may_write()?;
        RealDisk.sync_dir(dir)
    }
}

impl DiskFile for FaultyFile {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        self.file.read_at(buffer, offset)
    }

    fn write_all_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.disk.may_write()?;
        let mut mood = self.disk.mood.lock().unwrap();
        let Some(room) = &mut mood.room else { return self.file.write_all_at(bytes, offset) };
        let fits = bytes.len().min(*room);
        *room -= fits;
        self.file.write_all_at(&bytes[..fits], offset)?;
        if fits < bytes.len() { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
    }

    fn sync(&self) -> io::Result<()> {
        self.file.sync()?;
        let path = if self.path.exists() { self.path.clone() } else { self.path.with_extension("seg") };
        self.disk.synced.lock().unwrap().insert(path, self.file.length()?);
        Ok(())
    }

    fn cut(&self, length: u64) -> io::Result<()> {
        self.disk.may_write()?;
        self.file.cut(length)
    }

    fn length(&self) -> io::Result<u64> {
        self.file.length()
    }
}

#[test]
fn a_full_disk_ends_the_handle_and_loses_nothing_that_was_acknowledged() {
    for room in [0, 1, 21, 22, 23, 200, 700] {
        let dir = tempfile::tempdir().unwrap();
        let disk = FaultyDisk::default();
        let store = open_with(dir.path(), disk.options()).unwrap();
        let a = log(1, 1);
        store.commit(vec![entry(a, 0, &[(1, 1)])]).unwrap();
        disk.set(Mood { room: Some(room), ..Mood::default() });
        let error = (1..9).find_map(|seq| store.commit(vec![entry(a, seq, &[(seq, 1)])]).err().map(|e| (seq, e)));
        let (failed, error) = error.expect("the disk fills up");
        let full = matches!(&error, StoreError::Io { doing: "write", kind: io::ErrorKind::StorageFull, .. });
        assert!(full, "{error}");
        assert_eq!(store.health(), Health::Failed { because: error.clone() });
        disk.set(Mood::default());
        let after = StoreError::Failed { because: Box::new(error) };
        assert_eq!(store.commit(vec![entry(a, failed, &[])]), Err(after), "it stays failed");
        assert_eq!(store.lookup(&indicator(1)).unwrap().len(), 1, "it still answers");
        drop(store);
        let store = open_with(dir.path(), disk.options()).unwrap();
        assert_eq!(store.head(&a).unwrap().seq, failed - 1);
        store.commit(vec![entry(a, failed, &[(failed, 1)])]).unwrap();
    }
}

#[test]
fn a_read_only_disk_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let disk = FaultyDisk::default();
    let store = open_with(dir.path(), disk.options()).unwrap();
    disk.set(Mood { read_only: true, ..Mood::default() });
    let error = store.commit(vec![entry(log(1, 1), 0, &[])]).unwrap_err();
    assert!(matches!(&error, StoreError::Io { kind: io::ErrorKind::ReadOnlyFilesystem, .. }), "{error}");
    assert!(error.to_string().starts_with("cannot write /"), "{error}");
    drop(store);
    let error = open_with(dir.path(), disk.options()).err().unwrap();
    assert!(matches!(&error, StoreError::Io { kind: io::ErrorKind::ReadOnlyFilesystem, .. }), "{error}");
}

#[test]
fn what_was_never_synced_may_vanish_and_what_was_acknowledged_does_not() {
    let dir = tempfile::tempdir().unwrap();
    let (data, disk) = (dir.path().join("data"), FaultyDisk::default());
    let store: Store = open_with(&data, disk.options()).unwrap();
    let a = log(1, 1);
    for seq in 0..10 {
        store.commit(vec![entry(a, seq, &[(seq, 1)]), local("last", &seq.to_string())]).unwrap();
        let after = dir.path().join(format!("power-loss-{seq}"));
        copy(&data, &after);
        std::fs::remove_dir_all(after.join("index")).unwrap();
        for (path, length) in disk.synced.lock().unwrap().iter() {
            let path = after.join(path.strip_prefix(&data).unwrap());
            if let Ok(file) = std::fs::OpenOptions::new().write(true).open(path) {
                file.set_len(length.min(&file.metadata().unwrap().len()).to_owned()).unwrap();
            }
        }
        let again = open(&after).unwrap();
        assert_eq!(again.head(&a).unwrap().seq, seq);
        assert_eq!(again.local(b"last").unwrap(), seq.to_string().as_bytes());
    }
}

#[test]
fn a_compaction_that_finds_the_disk_full_harms_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let disk = FaultyDisk::default();
    let store = open_with(dir.path(), disk.options()).unwrap();
    let a = log(1, 1);
    for seq in 0..30 {
        store.commit(vec![entry(a, seq, &[(seq, 1)])]).unwrap();
    }
    store.commit(vec![Item::EraseBody { log: a, seq: 2 }]).unwrap();
    let before = answers(&store, &[a]);
    disk.set(Mood { room: Some(100), ..Mood::default() });
    let error = store.compact_due(true, 10).unwrap_err();
    assert!(matches!(error, StoreError::Io { doing: "write", kind: io::ErrorKind::StorageFull, .. }), "{error}");
    disk.set(Mood::default());
    assert_eq!((store.health(), answers(&store, &[a])), (Health::Ok, before));
    store.commit(vec![entry(a, 30, &[(30, 1)])]).unwrap();
    assert!(store.compact_due(true, 10).unwrap() > 0, "it is done when there is room");
    assert!(!found_in(dir.path(), &body(2)));
}

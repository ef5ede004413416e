//! The power fails at a random moment: of what was not synced, writes are lost, torn or kept as chance will have it,
//! names come back or go, and the index beside is older, shorter or gone. What was acknowledged is there, and of what
//! was not, all or nothing.
//!
//! `ENTENTE_POWER_ROUNDS` sets how often; each round is another seed, and fails several times in a row.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use entente_node::store::{Disk, DiskFile, Item, Options, RealDisk, Store, doctor};

use crate::support::*;

const ROUNDS: u64 = 50;

/// How often the power fails in a round, one after the other on the same files.
const FAILURES: usize = 3;

/// A sequence of numbers that look random, and are the same for the same seed.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }

    fn flip(&mut self) -> bool {
        self.below(2) == 0
    }
}

/// What happened since the last sync.
#[derive(Default)]
struct Unsynced {
    /// Writes by file, in their order.
    writes: BTreeMap<PathBuf, Vec<(u64, Vec<u8>)>>,
    /// What each of those files held when it was synced last.
    before: BTreeMap<PathBuf, Vec<u8>>,
    /// Changes of names, in their order.
    names: Vec<Name>,
    /// Changes that are left until the power fails.
    fuse: Option<u64>,
}

enum Name {
    Made(PathBuf),
    Moved { from: PathBuf, to: PathBuf, over: Option<Vec<u8>> },
    Gone(PathBuf, Vec<u8>),
}

impl Name {
    fn dir(&self) -> &Path {
        let (Name::Made(path) | Name::Moved { to: path, .. } | Name::Gone(path, _)) = self;
        path.parent().unwrap()
    }
}

/// A disk whose power may fail.
#[derive(Clone, Default)]
struct Mains(Arc<Mutex<Unsynced>>);

struct Wired {
    file: Box<dyn DiskFile>,
    /// A file that is being made is renamed while it is open.
    path: PathBuf,
    disk: Mains,
}

impl Mains {
    fn burn(&self) -> io::Result<()> {
        let mut state = self.0.lock().unwrap();
        match &mut state.fuse {
            None => Ok(()),
            Some(0) => Err(io::ErrorKind::Interrupted.into()),
            Some(left) => {
                *left -= 1;
                Ok(())
            }
        }
    }

    /// Leaves on the real disk what a failure of the power may leave.
    fn fail(&self, dice: &mut Dice) {
        let mut state = self.0.lock().unwrap();
        for (path, writes) in std::mem::take(&mut state.writes) {
            let Some(mut content) = state.before.get(&path).cloned() else { continue };
            for (offset, bytes) in writes {
                let kept = match dice.below(3) {
                    0 => 0,
                    1 => usize::try_from(dice.below(bytes.len() as u64 + 1)).unwrap(),
                    _ => bytes.len(),
                };
                let (start, end) = (usize::try_from(offset).unwrap(), usize::try_from(offset).unwrap() + kept);
                if kept > 0 {
                    content.resize(content.len().max(end), 0);
                    content[start..end].copy_from_slice(&bytes[..kept]);
                }
            }
            if path.exists() {
                fs::write(&path, content).unwrap();
            }
        }
        // Names become durable in their order: from some point on, none did.
        let names = std::mem::take(&mut state.names);
        let durable = usize::try_from(dice.below(names.len() as u64 + 1)).unwrap();
        for name in names.into_iter().skip(durable).rev() {
            match name {
                Name::Made(path) => drop(fs::remove_file(path)),
                Name::Gone(path, content) => fs::write(path, content).unwrap(),
                Name::Moved { from, to, over } => {
                    if to.exists() {
                        fs::rename(&to, &from).unwrap();
                    }
                    if let Some(content) = over {
                        fs::write(&to, content).unwrap();
                    }
                }
            }
        }
        *state = Unsynced::default();
    }
}

impl Disk for Mains {
    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        self.burn()?;
        let file = RealDisk.create(path)?;
        let mut state = self.0.lock().unwrap();
        state.names.push(Name::Made(path.to_owned()));
        state.before.insert(path.to_owned(), Vec::new());
        Ok(Box::new(Wired { file, path: path.to_owned(), disk: self.clone() }))
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        let file = RealDisk.open(path)?;
        self.0.lock().unwrap().before.entry(path.to_owned()).or_insert(fs::read(path)?);
        Ok(Box::new(Wired { file, path: path.to_owned(), disk: self.clone() }))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.burn()?;
        let over = fs::read(to).ok();
        RealDisk.rename(from, to)?;
        let mut state = self.0.lock().unwrap();
        let (before, writes) = (state.before.remove(from), state.writes.remove(from));
        state.before.extend(before.map(|before| (to.to_owned(), before)));
        state.writes.extend(writes.map(|writes| (to.to_owned(), writes)));
        state.names.push(Name::Moved { from: from.to_owned(), to: to.to_owned(), over });
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.burn()?;
        let content = fs::read(path)?;
        RealDisk.remove(path)?;
        let mut state = self.0.lock().unwrap();
        let durable = state.before.remove(path).unwrap_or(content);
        state.writes.remove(path);
        state.names.push(Name::Gone(path.to_owned(), durable));
        Ok(())
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        self.burn()?;
        self.0.lock().unwrap().names.retain(|name| name.dir() != dir);
        RealDisk.sync_dir(dir)
    }
}

impl Wired {
    /// Where the file is now.
    fn now(&self) -> PathBuf {
        let renamed = self.path.with_extension("seg");
        if self.path.extension().is_some_and(|it| it == "new") && !self.path.exists() {
            renamed
        } else {
            self.path.clone()
        }
    }

    fn settle(&self) {
        let path = self.now();
        let mut state = self.disk.0.lock().unwrap();
        state.writes.remove(&path);
        if let Ok(content) = fs::read(&path) {
            state.before.insert(path, content);
        }
    }
}

impl DiskFile for Wired {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        self.file.read_at(buffer, offset)
    }

    fn write_all_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.disk.burn()?;
        self.disk.0.lock().unwrap().writes.entry(self.now()).or_default().push((offset, bytes.to_vec()));
        self.file.write_all_at(bytes, offset)
    }

    fn sync(&self) -> io::Result<()> {
        self.disk.burn()?;
        self.settle();
        Ok(())
    }

    fn cut(&self, length: u64) -> io::Result<()> {
        self.disk.burn()?;
        self.file.cut(length)?;
        self.settle();
        Ok(())
    }

    fn length(&self) -> io::Result<u64> {
        self.file.length()
    }
}

/// What is committed as number `n`: an entry, an object, a value, and at times a retraction or an erasure.
fn commit(n: u64) -> Vec<Item> {
    let small = u8::try_from(n % 250).unwrap();
    let mut items = vec![entry(log(1, 1), n, &[(n, 1)]), local(&format!("commit/{n:04}"), "done"), object(1, small)];
    if n % 5 == 4 {
        items.push(Item::EraseReport { originator: agency(1), report: report(n - 2), up_to_revision: 1 });
    }
    if n % 7 == 6 {
        items.push(Item::EraseBody { log: log(1, 1), seq: n - 3 });
    }
    items
}

/// How many commits the store holds, each of them whole.
fn held(store: &Store, seed: u64) -> u64 {
    let a = log(1, 1);
    let held = store.head(&a).map_or(0, |head| head.seq + 1);
    let retracted: BTreeSet<u64> = (0..held).filter(|n| n % 5 == 4).map(|n| n - 2).collect();
    let erased: BTreeSet<u64> = (0..held).filter(|n| n % 7 == 6).map(|n| n - 3).collect();
    for n in 0..held {
        let entry = store.entry(&a, n).unwrap().unwrap_or_else(|| panic!("seed {seed}: entry {n} of {held}"));
        assert_eq!(entry.body.is_some(), !erased.contains(&n), "seed {seed}: the body of {n}, of {held}");
        let found = store.lookup(&indicator(n)).unwrap().len();
        assert_eq!(found, usize::from(!retracted.contains(&n)), "seed {seed}: report {n}, of {held}");
    }
    let values = store.local_prefix(b"commit/").len() as u64;
    assert_eq!((values, store.objects(&hash_of(1), 0, 1000).unwrap().len() as u64), (held, held), "seed {seed}");
    assert_eq!(store.entry(&a, held).unwrap(), None);
    assert!(store.lookup(&indicator(held)).unwrap().is_empty(), "seed {seed}: half of {held}");
    held
}

fn hash_of(n: u8) -> entente_protocol::id::Hash {
    entente_protocol::id::Hash::from_bytes([n; 32])
}

/// The index is left as it is, or as it was, or cut, or gone; or the machine says that it has started anew.
fn spoil_the_index(data: &Path, older: &Path, dice: &mut Dice) {
    let index = data.join("index");
    match dice.below(5) {
        0 => {}
        1 if older.exists() => {
            drop(fs::remove_dir_all(&index));
            copy(older, &index);
        }
        2 => {
            let db = index.join("db");
            let length = fs::metadata(&db).map_or(0, |db| db.len());
            if length > 0 {
                fs::OpenOptions::new().write(true).open(&db).unwrap().set_len(dice.below(length)).unwrap();
            }
        }
        3 => drop(fs::remove_dir_all(&index)),
        _ => fs::write(data.join("index.open"), "another boot").unwrap(),
    }
}

fn round(seed: u64) {
    let mut dice = Dice(seed);
    let dir = tempfile::tempdir().unwrap();
    let (data, older) = (dir.path().join("data"), dir.path().join("older"));
    let mut acknowledged = 0;
    for _ in 0..FAILURES {
        let disk = Mains::default();
        let options = Options { disk: Arc::new(disk.clone()), checkpoint_bytes: 8 << 10, ..options() };
        disk.0.lock().unwrap().fuse = dice.flip().then(|| dice.below(400));
        let opened = Store::open(&data, &keys(), options, &mut |_| {});
        if let Ok(store) = opened {
            let first = held(&store, seed);
            assert!(first >= acknowledged, "seed {seed}: {acknowledged} were acknowledged, {first} are held");
            acknowledged = first;
            let copied = dice.below(20);
            disk.0.lock().unwrap().fuse.get_or_insert_with(|| dice.below(400));
            for n in first..first + 30 {
                if store.commit(commit(n)).is_err() {
                    break;
                }
                acknowledged = n + 1;
                if n == first + copied && data.join("index").exists() {
                    drop(fs::remove_dir_all(&older));
                    copy(&data.join("index"), &older);
                }
                if dice.below(12) == 0 && store.compact_due(dice.flip(), 3).is_err() {
                    break;
                }
            }
            drop(store);
        }
        disk.fail(&mut dice);
        spoil_the_index(&data, &older, &mut dice);
    }
    let store = open(&data).unwrap_or_else(|error| panic!("seed {seed}: {error}"));
    assert!(store.open_report().damage.is_empty(), "seed {seed}: {:?}", store.open_report().damage);
    assert!(held(&store, seed) >= acknowledged, "seed {seed}");
    store.close().unwrap();
    drop(store);
    let found = doctor(&data, &keys(), &options(), false, &mut |_| {}).unwrap();
    assert!(found.is_sound(), "seed {seed}: {found:?}");
}

#[test]
fn a_failure_of_the_power_loses_nothing_that_was_acknowledged() {
    let rounds = std::env::var("ENTENTE_POWER_ROUNDS").map_or(ROUNDS, |rounds| rounds.parse().unwrap());
    (0..rounds).for_each(round);
}

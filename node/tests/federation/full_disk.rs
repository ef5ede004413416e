//! A disk that is full: whatever a use-case wanted, the desk says what a desk that starts again would say.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use entente_node::desk::{Desk, DeskError, scope};
use entente_node::store::{Disk, DiskFile, RealDisk};
use entente_protocol::id::{AgreementId, ReportId};
use entente_protocol::statement::draft::{Draft, Field};

use crate::support::{Agency, address, agree_by_hand, introduce};

#[derive(Clone, Default)]
struct Full(Arc<AtomicBool>);

struct File {
    file: Box<dyn DiskFile>,
    disk: Full,
}

impl Full {
    fn room(&self) -> io::Result<()> {
        if self.0.load(Ordering::SeqCst) { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
    }
}

impl Disk for Full {
    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        self.room()?;
        Ok(Box::new(File { file: RealDisk.create(path)?, disk: self.clone() }))
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        Ok(Box::new(File { file: RealDisk.open(path)?, disk: self.clone() }))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        RealDisk.rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        RealDisk.remove(path)
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        RealDisk.sync_dir(dir)
    }
}

impl DiskFile for File {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        self.file.read_at(buffer, offset)
    }

    fn write_all_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.disk.room()?;
        self.file.write_all_at(bytes, offset)
    }

    fn sync(&self) -> io::Result<()> {
        self.file.sync()
    }

    fn cut(&self, length: u64) -> io::Result<()> {
        self.file.cut(length)
    }

    fn length(&self) -> io::Result<u64> {
        self.file.length()
    }
}

/// What a desk says of all that the use-cases below touch.
fn says(agency: &Agency, agreement: AgreementId, reports: &[ReportId]) -> String {
    let desk = agency.desk();
    let shown = reports.iter().map(|id| format!("{:?}", desk.report(*id, Some(agency.id)).ok()));
    let found: Vec<_> = (1..=3).map(|n| format!("{:?}", agency.lookup(&address(n)))).collect();
    let standing = desk.agreements().into_iter().map(|view| format!("{:?}", (view.state, view.open)));
    let feed = desk.feed_after(&scope::of_agreement(agreement), 0, 1000).unwrap();
    let all: Vec<String> = shown.chain(found).chain(standing).collect();
    format!("{all:#?} {:?} {:?} {} {:?}", desk.heads(), desk.forked(), desk.status().outbox, feed)
}

type UseCase = Box<dyn Fn(&Desk) -> Result<(), DeskError>>;

/// Two agencies in agreement, of which the first has published a report and has another in the outbox, and what it
/// may be asked to do.
fn world() -> (Agency, AgreementId, Vec<ReportId>, Vec<(&'static str, UseCase)>) {
    let [a, b] = ["A", "B"].map(Agency::new);
    introduce(&a, &b);
    let shared = agree_by_hand("Two of us", &a, &b);
    let waiting = agree_by_hand("Two of us, unasked", &a, &b);
    a.desk().compared(shared).unwrap();
    let published = a.file(&address(1), shared).report;
    let in_outbox = a.file_all(&[address(2), address(3)], waiting)[0].report;
    let proposed = b.propose("Another", &[&a]);
    b.learn(&a, shared);
    b.desk().issue_receipts().unwrap();
    let all = |agency: &Agency, agreement| {
        let feed = scope::of_agreement(agreement);
        let names = agency.desk().feed_after(&feed, 0, 1000).unwrap();
        names.into_iter().filter_map(|(_, _, name)| agency.desk().object(&feed, &name).unwrap()).collect::<Vec<_>>()
    };
    let (theirs, news) = (all(&b, shared), all(&b, proposed));
    let (from, place, new_place) = (b.id, scope::of_agreement(shared), scope::of_agreement(proposed));
    let change = Draft::of([(Field::Typology, "phishing")]).unwrap();
    let row = crate::support::report(&address(3));
    let cases: Vec<(&str, UseCase)> = vec![
        (
            "file",
            Box::new(move |desk| desk.file(std::slice::from_ref(&row), &[shared.to_string()], None, false).map(drop)),
        ),
        ("revise", Box::new(move |desk| desk.revise(published, &change).map(drop))),
        ("retract", Box::new(move |desk| desk.retract(published, "mistaken").map(drop))),
        ("retract what waits", Box::new(move |desk| desk.retract(in_outbox, "mistaken").map(drop))),
        ("send what waits", Box::new(move |desk| desk.compared(waiting))),
        ("take objects", Box::new(move |desk| desk.take_objects(from, place, theirs.clone()).map(drop))),
        ("take a proposal", Box::new(move |desk| desk.take_objects(from, new_place, news.clone()).map(drop))),
        ("note a restore", Box::new(move |desk| desk.restored(shared))),
        ("give receipts", Box::new(Desk::issue_receipts)),
    ];
    (a, shared, vec![published, in_outbox], cases)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_did_not_become_durable_did_not_happen() {
    let names: Vec<&str> = world().3.iter().map(|(name, _)| *name).collect();
    for (number, name) in names.into_iter().enumerate() {
        let (mut a, shared, reports, cases) = world();
        let disk = Full::default();
        a.stop().await;
        a.open_on(Arc::new(disk.clone()));
        // As after a start: nobody was asked yet, so that what is filed waits.
        let before = says(&a, shared, &reports);
        disk.0.store(true, Ordering::SeqCst);
        let _refused = cases[number].1(a.desk());
        let failed = says(&a, shared, &reports);
        disk.0.store(false, Ordering::SeqCst);
        a.stop().await;
        a.open();
        let again = says(&a, shared, &reports);
        assert_eq!(failed, again, "{name}: what the desk says, and what it says after a start");
        assert_eq!(failed, before, "{name}: nothing of it happened");
    }
}

//! The ladder from end to end, with real keys: what is permitted, and each reason why an entry or a statement is not.
//!
//! Every refusal is compared whole, and with its short name, since receipts and people see that.

#![expect(clippy::unwrap_used, reason = "the tests' helpers stand outside the functions that are marked as tests")]

#[path = "ladder/body.rs"]
mod body;
#[path = "ladder/header.rs"]
mod header;
#[path = "ladder/statements.rs"]
mod statements;
mod world;

use entente_protocol::entry::header::Header;
use entente_protocol::entry::ladder::{Envelope, Head, Judged, KnownRevision, Verified, View};
use entente_protocol::entry::publish::NewEntry;
use entente_protocol::entry::refusal::Refusal;
use entente_protocol::id::{AgencyId, ReportId};
use entente_protocol::rules::Usage;
use entente_protocol::wire::attest::Attested;
use world::{MODE, World, at, content_key, report, signing, statement, terms};

const NOW: u64 = 20;

impl World {
    /// What a node knows at an hour.
    fn view(&self, hour: u64) -> View<'_> {
        View { roll: &self.roll, agreement: &self.agreement, stands: &self.stands, now: at(hour) }
    }
}

fn nothing_known(_: AgencyId, _: ReportId, _: u32) -> KnownRevision {
    KnownRevision { same_revision: None, indicator: None }
}

fn verify(world: &World, header: &[u8], head: Option<&Head>) -> Result<Verified, Refusal> {
    Envelope::parse(header)?.verify(&world.view(NOW), head)
}

/// All rungs, by one who knows no report yet and whose log has used nothing.
fn climb(world: &World, entry: &NewEntry, head: Option<&Head>) -> Result<Judged, Refusal> {
    let verified = verify(world, entry.header.bytes(), head)?;
    let author = world.ids.iter().position(|id| *id == entry.header.author).unwrap();
    let opened = verified.open(&entry.body, &content_key(), &world.descriptor(author), &world.view(NOW))?;
    Ok(opened.judge(&world.view(NOW), Usage::default(), &mut nothing_known))
}

/// Why an entry as a whole does not climb.
fn refused(world: &World, entry: &NewEntry, head: Option<&Head>, slug: &str) -> Refusal {
    let refusal = climb(world, entry, head).err().unwrap();
    assert_eq!(refusal.reason().slug, slug);
    refusal
}

/// The same entry with another header, signed by its author.
fn with_header(entry: &NewEntry, signer: usize, change: impl FnOnce(&mut Header)) -> NewEntry {
    let mut header = entry.header.payload().clone();
    change(&mut header);
    NewEntry { header: Attested::sign(header, MODE, &signing(signer)), body: entry.body.clone() }
}

fn simple(world: &World) -> NewEntry {
    world.entry(0, None, 12, &[statement(&report(1))])
}

/// Entries 0 and 1 of a log.
fn two(world: &World) -> (NewEntry, Head, NewEntry) {
    let first = simple(world);
    let head = climb(world, &first, None).unwrap().verified.head();
    let second = world.entry(0, Some(head), 13, &[statement(&report(2))]);
    (first, head, second)
}

#[test]
fn what_the_agreement_permits_is_admitted_as_it_was_signed() {
    let world = World::new(terms());
    let (_, head, second) = two(&world);
    let judged = climb(&world, &second, Some(&head)).unwrap();
    assert!(judged.not_admitted.is_empty() && !judged.remnant && judged.opening.is_none());
    let [admitted] = judged.admitted.as_slice() else { panic!("one report") };
    assert_eq!((admitted.originator, admitted.leaf), (world.ids[0], 0));
    assert_eq!(admitted.bytes, statement(&report(2)));
    assert_eq!(admitted.report, report(2));
    let bytes = statement(&report(2)).len() as u64;
    assert_eq!(judged.usage, Usage { day: at(13).day(), statements: 1, bytes });
    let head = judged.verified.head();
    assert_eq!((head.seq, head.hash, head.version_depth), (1, second.header.hash(), 0));
}

//! The third rung: the body, its bounds, its commitment, and the signatures of its batches.

use entente_protocol::crypto::content_key::{self, ContentKey};
use entente_protocol::crypto::pack::{self, PackError};
use entente_protocol::crypto::sign::SignError;
use entente_protocol::crypto::{OpenError, merkle};
use entente_protocol::entry::body::{self, Content};
use entente_protocol::entry::opening::{Opening, Stand};
use entente_protocol::entry::publish::{NewEntry, Place};
use entente_protocol::entry::refusal::{Disposition, Refusal};
use entente_protocol::id::{AgencyId, Hash, KeyId, Mode};
use entente_protocol::keys::KeyDescriptor;
use entente_protocol::limits;
use entente_protocol::rules::{Term, Usage};
use entente_protocol::statement::batch::{Batch, BatchError, BatchRoot, Leaf, SignedBatch};
use entente_protocol::wire::attest::{Attested, ObjectError};
use entente_protocol::wire::codec::{self, CodecError, MapWriter};

use super::{NOW, climb, nothing_known, refused, simple, two, verify, with_header};
use crate::world::{MODE, World, at, content_key, report, signing, statement, terms};

/// The same entry with another body, which its header names.
fn with_body(entry: &NewEntry, file: Vec<u8>) -> NewEntry {
    let named = with_header(entry, 0, |header| {
        header.body_length = u32::try_from(file.len()).unwrap();
        header.body_hash = Hash::of(&[&file]);
    });
    NewEntry { body: file, ..named }
}

/// A body with this content: its length, the content, zeros.
fn sealed(content: &[u8]) -> Vec<u8> {
    let mut plain = u32::try_from(content.len()).unwrap().to_be_bytes().to_vec();
    plain.extend_from_slice(content);
    plain.resize(pack::padded_len(plain.len()), 0);
    content_key::seal(&content_key(), &plain).unwrap()
}

/// The content of a body with these frames: compression, length claimed, bytes.
fn content_of(frames: &[(u64, u64, Vec<u8>)]) -> Vec<u8> {
    let write = |out: &mut Vec<u8>| {
        codec::write_array(out, frames.len());
        for (how, length, packed) in frames {
            codec::write_array(out, 3);
            codec::write_uint(out, *how);
            codec::write_uint(out, *length);
            codec::write_bytes(out, packed);
        }
    };
    MapWriter::new().put(0, &[5_u8; 16]).put_with(1, write).finish()
}

fn with_frames(world: &World, frames: &[(u64, u64, Vec<u8>)]) -> NewEntry {
    with_body(&simple(world), sealed(&content_of(frames)))
}

#[test]
fn a_body_is_the_one_that_its_header_names() {
    let world = World::new(terms());
    let entry = simple(&world);
    let expected = entry.body.len();
    let longer = NewEntry { body: [entry.body.as_slice(), &[0]].concat(), ..entry.clone() };
    let refusal = Refusal::BodyLength { expected, found: expected + 1 };
    assert_eq!(refused(&world, &longer, None, "body-length"), refusal);
    let mut altered = entry.clone();
    *altered.body.last_mut().unwrap() ^= 1;
    assert_eq!(refused(&world, &altered, None, "body-hash"), Refusal::BodyHash);
    let other = world.entry(0, None, 12, &[statement(&report(2))]);
    let exchanged = NewEntry { body: other.body.clone(), ..entry.clone() };
    assert_eq!(refused(&world, &exchanged, None, "commitment"), Refusal::Commitment);
    assert_eq!(refused(&world, &with_body(&entry, other.body), None, "commitment"), Refusal::Commitment);
}

#[test]
fn a_body_opens_under_the_key_of_its_log() {
    let world = World::new(terms());
    let entry = simple(&world);
    let open = |key: &ContentKey, descriptor: &KeyDescriptor| {
        let verified = verify(&world, entry.header.bytes(), None).unwrap();
        verified.open(&entry.body, key, descriptor, &world.view(NOW)).err().unwrap()
    };
    let own = world.descriptor(0);
    let mut foreign = own.clone();
    foreign.agreement.0.0[0] ^= 1;
    let mut renamed = own.clone();
    renamed.key_id = KeyId(Hash([1; 32]));
    for descriptor in [world.descriptor(1), foreign, renamed] {
        assert_eq!(open(&content_key(), &descriptor), Refusal::ForeignContentKey);
    }
    assert_eq!(open(&ContentKey::from_bytes(&[1; 32]), &own), Refusal::ForeignContentKey);
    assert_eq!(Refusal::ForeignContentKey.reason().slug, "foreign-content-key");

    let file = content_key::seal(&ContentKey::from_bytes(&[1; 32]), &[0; 512]).unwrap();
    let refusal = Refusal::Sealed(OpenError::WrongKey);
    assert_eq!(refused(&world, &with_body(&entry, file), None, "sealed"), refusal);
    let file = b"no age file".to_vec();
    let refusal = Refusal::Sealed(OpenError::HeaderMalformed);
    assert_eq!(refused(&world, &with_body(&entry, file), None, "sealed"), refusal);
}

#[test]
fn a_body_is_padded_with_zeros_and_holds_a_map() {
    let world = World::new(terms());
    let entry = simple(&world);
    let file = |plain: &[u8]| content_key::seal(&content_key(), plain).unwrap();
    let not_zero = [&[0, 0, 0, 1, 0xa0], [1_u8; 8].as_slice()].concat();
    for plain in [&[0, 0, 0][..], &[0, 0, 0, 9, 1], &not_zero] {
        assert_eq!(refused(&world, &with_body(&entry, file(plain)), None, "padding"), Refusal::Padding);
    }
    let refusal = |content: &[u8], slug| refused(&world, &with_body(&entry, sealed(content)), None, slug);
    assert_eq!(refusal(&[0xa0], "malformed-body"), Refusal::Content(CodecError::Missing(0)));
    let newer = MapWriter::new().put(0, &[5_u8; 16]).put_with(1, |out| codec::write_array(out, 0)).put(3, &0_u64);
    assert_eq!(refusal(&newer.finish(), "newer-body"), Refusal::Content(CodecError::UnknownCritical(3)));
    let compression = content_of(&[(2, 1, vec![0])]);
    let unknown = CodecError::UnknownValue { key: 1, value: 2 };
    assert_eq!(refusal(&compression, "newer-body"), Refusal::Content(unknown));
}

#[test]
fn a_bomb_costs_no_more_than_it_may() {
    let world = World::new(terms());
    let zeros = vec![0; 64 << 20];
    let (how, bomb) = pack::compress(&zeros);
    assert!(bomb.len() < 8192);
    let how = u64::from(how.code());
    let max = limits::UNPACKED_BYTES;
    let refusal = |frames: &[(u64, u64, Vec<u8>)]| refused(&world, &with_frames(&world, frames), None, "unpacked");
    assert_eq!(refusal(&[(how, 1000, bomb.clone())]), Refusal::Packed(PackError::TooLarge { max: 1000 }));
    assert_eq!(refusal(&[(how, max as u64, bomb.clone())]), Refusal::Packed(PackError::TooLarge { max }));
    assert_eq!(refusal(&[(how, max as u64 + 1, bomb)]), Refusal::Unpacked);
    assert_eq!(refusal(&[(0, 3, vec![0; 2])]), Refusal::Unpacked);
    assert_eq!(refusal(&[(0, 1, vec![0; 2])]), Refusal::Packed(PackError::TooLarge { max: 1 }));
    assert_eq!(refusal(&[(1, 9, b"no zstd".to_vec())]), Refusal::Packed(PackError::Malformed));
    let batch = world.batch(0, &[statement(&report(1))]).write();
    let length = batch.len() as u64;
    assert_eq!(refusal(&[(0, length, batch), (0, max as u64 + 1 - length, Vec::new())]), Refusal::Unpacked);
    let frames = vec![(0, 0, Vec::new()); limits::BATCHES_PER_ENTRY + 1];
    let too_many = refused(&world, &with_frames(&world, &frames), None, "malformed-body");
    assert_eq!(too_many, Refusal::Content(CodecError::Bounds(1)));
}

/// A batch of leaves as its originator would have signed them.
fn batch_of(world: &World, leaves: Vec<Leaf>) -> SignedBatch {
    let root = Hash(merkle::root(&leaves.iter().map(Leaf::hash).collect::<Vec<_>>()));
    let root = BatchRoot { originator: world.ids[0], root, card_serial: 1, writer: 0 };
    Batch { root: Attested::sign(root, MODE, &signing(0)), leaves }
}

#[test]
fn an_entry_holds_at_most_4096_statements() {
    let world = World::new(terms());
    let leaves = |count: usize| batch_of(&world, vec![Leaf::Deleted(Hash([3; 32])); count]);
    let full = limits::STATEMENTS_PER_ENTRY;
    let entry = |batches| world.entry_of(0, &world.place(None, 12), batches, None);
    assert!(climb(&world, &entry(vec![leaves(full - 1), leaves(1)]), None).is_ok());
    let refusal = refused(&world, &entry(vec![leaves(full), leaves(1)]), None, "too-many-statements");
    assert_eq!(refusal, Refusal::TooManyStatements { found: full + 1 });
}

#[test]
fn an_opening_stands_in_entry_0_of_later_generations_and_nowhere_else() {
    let world = World::new(terms());
    let (_, head, _) = two(&world);
    let day = at(12).day();
    let opening = |generation| Opening {
        stands: vec![Stand { generation, head: Some((0, Hash([2; 32]))) }],
        quota_day: day,
        statements: 7,
        bytes: 0,
    };
    let entry = |generation, head, opening| {
        let batches = vec![world.batch(0, &[statement(&report(1)), statement(&report(2))])];
        let place = Place { generation, ..world.place(head, 12) };
        world.entry_of(0, &place, batches, opening)
    };
    let stand = |generation| Stand { generation, head: None };
    let naming =
        |generations: &[u32]| Opening { stands: generations.iter().copied().map(stand).collect(), ..opening(0) };
    let wrong = [
        (entry(1, None, None), None),
        (entry(2, None, Some(naming(&[0]))), None),
        (entry(2, None, Some(naming(&[1]))), None),
        (entry(2, None, Some(naming(&[0, 1, 2]))), None),
        (entry(0, None, Some(opening(0))), None),
        (entry(1, Some(head), Some(opening(0))), Some(head)),
        (entry(1, None, Some(opening(1))), None),
    ];
    for (entry, head) in &wrong {
        assert_eq!(refused(&world, entry, head.as_ref(), "opening"), Refusal::Opening);
    }
    let judged = climb(&world, &entry(1, None, Some(opening(0))), None).unwrap();
    assert_eq!(judged.opening, Some(opening(0)));
    assert_eq!(judged.admitted.len(), 1, "seven of eight statements were used up before");
    let used_up = Refusal::Term(Term::QuotaStatements { quota: 8 });
    assert_eq!(judged.not_admitted[0].refusal, used_up);
    assert!(climb(&world, &entry(2, None, Some(naming(&[0, 1]))), None).is_ok());
    let mut unsorted = opening(0);
    unsorted.stands.push(unsorted.stands[0]);
    let refusal = refused(&world, &entry(1, None, Some(unsorted)), None, "malformed-body");
    assert_eq!(refusal, Refusal::Content(CodecError::Bounds(2)));
}

#[test]
fn an_opening_brings_no_fresh_quota() {
    let world = World::new(terms());
    let claims = |statements| {
        let (stands, quota_day) = (vec![Stand { generation: 0, head: None }], at(12).day());
        let opening = Opening { stands, quota_day, statements, bytes: 0 };
        let batches = vec![world.batch(0, &[statement(&report(1)), statement(&report(2))])];
        world.entry_of(0, &Place { generation: 1, ..world.place(None, 12) }, batches, Some(opening))
    };
    let admitted = |claimed, known| {
        let entry = claims(claimed);
        let verified = verify(&world, entry.header.bytes(), None).unwrap();
        let opened = verified.open(&entry.body, &content_key(), &world.descriptor(0), &world.view(NOW)).unwrap();
        let usage = Usage { day: at(12).day(), statements: known, bytes: 0 };
        opened.judge(&world.view(NOW), usage, &mut nothing_known).admitted.len()
    };
    assert_eq!(admitted(0, 0), 2);
    assert_eq!(admitted(0, 7), 1, "who claims less than is known is judged by what is known");
    assert_eq!(admitted(7, 0), 1, "what is claimed counts where nothing is known");
    assert_eq!(admitted(8, 7), 0);
}

#[test]
fn a_content_key_is_for_those_who_receive_under_the_version() {
    let world = World::new(terms());
    let entry = simple(&world);
    let open = |recipients: Vec<AgencyId>| {
        let verified = verify(&world, entry.header.bytes(), None).unwrap();
        let descriptor = KeyDescriptor { recipients, ..world.descriptor(0) };
        verified.open(&entry.body, &content_key(), &descriptor, &world.view(NOW)).map(drop)
    };
    let stranger = world.ids[3];
    assert_eq!(open(vec![world.ids[0], stranger]), Err(Refusal::Recipient(stranger)));
    assert_eq!(Refusal::Recipient(stranger).reason().slug, "recipient");
    assert_eq!(open(vec![world.ids[0]]), Ok(()), "fewer than all may be meant");
}

#[test]
fn a_batch_is_signed_by_its_originator() {
    let world = World::new(terms());
    let good = world.batch(0, &[statement(&report(1))]);
    let entry = |batch| world.entry_of(0, &world.place(None, 12), vec![batch], None);
    let signed = |root: BatchRoot, mode, signer| {
        let root = Attested::sign(root, mode, &signing(signer));
        entry(Batch { root, leaves: good.leaves.clone() })
    };
    let root = *good.root.payload();
    let bad = Refusal::Batch(BatchError::Object(ObjectError::Sign(SignError::BadSignature)));
    assert_eq!(refused(&world, &signed(root, MODE, 1), None, "batch"), bad);
    assert_eq!(refused(&world, &signed(root, Mode::Live, 0), None, "mode"), Refusal::Mode);
    let stranger = BatchRoot { originator: AgencyId(Hash([1; 32])), ..root };
    let unknown = Refusal::UnknownCard { agency: stranger.originator, serial: 1 };
    assert_eq!(refused(&world, &signed(stranger, MODE, 0), None, "unknown-card"), unknown);
    let no_key = Refusal::NoKey { agency: world.ids[0], serial: 1, writer: 3 };
    assert_eq!(refused(&world, &signed(BatchRoot { writer: 3, ..root }, MODE, 0), None, "no-key"), no_key);
    let astray = BatchRoot { root: Hash([1; 32]), ..root };
    assert_eq!(refused(&world, &signed(astray, MODE, 0), None, "batch"), Refusal::Batch(BatchError::Root));

    let leaves = |out: &mut Vec<u8>| codec::write_array(out, 0);
    let frame = MapWriter::new().put_bytes(0, good.root.bytes()).put_with(1, leaves).finish();
    let empty = with_frames(&world, &[(0, frame.len() as u64, frame)]);
    let bounds = Refusal::Batch(BatchError::Codec(CodecError::Bounds(1)));
    assert_eq!(refused(&world, &empty, None, "batch"), bounds);
    let mut newer = good.write();
    newer[0] += 1;
    newer.extend_from_slice(&[2, 0]);
    let newer = refused(&world, &with_frames(&world, &[(0, newer.len() as u64, newer)]), None, "newer-body");
    assert_eq!(newer, Refusal::Batch(BatchError::Codec(CodecError::UnknownCritical(2))));
    assert_eq!(newer.disposition(), Disposition::Held);
}

#[test]
fn a_remnant_passes_with_what_is_left() {
    let world = World::new(terms());
    let batch = world.batch(0, &[statement(&report(1)), statement(&report(2))]);
    let entry = world.entry_of(0, &world.place(None, 12), vec![batch.clone()], None);
    let mut rest = batch;
    rest.leaves[0] = Leaf::Deleted(Hash(rest.leaves[0].hash()));
    let content = Content { salt: [5; 16], opening: None, batches: vec![rest.clone()] };
    let remnant = NewEntry { body: content.seal(&content_key()).unwrap().file, ..entry.clone() };
    let judged = climb(&world, &remnant, None).unwrap();
    assert!(judged.remnant);
    assert_eq!((judged.deleted, judged.admitted.len()), (1, 1));
    assert_eq!((judged.admitted[0].leaf, &judged.admitted[0].bytes), (1, &statement(&report(2))));

    let other_salt = Content { salt: [6; 16], opening: None, batches: vec![rest.clone()] };
    let body = other_salt.seal(&content_key()).unwrap().file;
    assert_eq!(refused(&world, &NewEntry { body, ..entry.clone() }, None, "commitment"), Refusal::Commitment);
    rest.leaves[1] = Leaf::Statement { salt: [2; 16], bytes: statement(&report(3)) };
    let changed = Content { salt: [5; 16], opening: None, batches: vec![rest] };
    let body = changed.seal(&content_key()).unwrap().file;
    assert!(matches!(
        climb(&world, &NewEntry { body, ..entry }, None),
        Err(Refusal::BodyHash | Refusal::BodyLength { .. })
    ));
}

#[test]
fn what_does_not_fit_is_not_published() {
    let world = World::new(terms());
    let noise = |seed: u8| -> Vec<u8> {
        (0..40_000_u32).flat_map(|i| Hash::of(&[&[seed], &i.to_be_bytes()]).0).take(60_000).collect()
    };
    let batch = |count: u8| world.batch(0, &(0..count).map(noise).collect::<Vec<_>>());
    let salt = [5; 16];
    let seal = |count| Content { salt, opening: None, batches: vec![batch(count)] }.seal(&content_key());
    let sealed = seal(16).unwrap();
    assert!(sealed.file.len() <= limits::BODY_BYTES);
    assert_eq!(sealed.content, body::commitment(&salt, None, [(world.ids[0], batch(16).root.root)].into_iter()));
    assert!(seal(18).is_none());
}

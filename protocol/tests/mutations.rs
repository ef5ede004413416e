//! Every fuzz target over the golden vectors and thousands of small changes of them: the same in every run, without a
//! fuzzer. And what a reader may cost: memory in proportion to what came, whatever it claims.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails there")]

#[expect(unreachable_pub, reason = "the fuzzer's program sees these from outside")]
#[path = "../fuzz/targets.rs"]
mod targets;

use peak_alloc::PeakAlloc;
use serde_json::Value;

#[global_allocator]
static PEAK: PeakAlloc = PeakAlloc;

/// Changes of each vector.
const CHANGES: u64 = 50;

/// Memory that a reader may need for so many bytes: a body unpacks to 4 MiB at most, and is read in parts and copies.
const fn ceiling(bytes: usize) -> usize {
    (48 << 20) + 64 * bytes
}

struct Dice(u64);

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % end.max(1)
    }
}

/// The bytes of all golden vectors.
fn vectors() -> Vec<Vec<u8>> {
    let files = [
        include_str!("vectors/wire.json"),
        include_str!("vectors/identity.json"),
        include_str!("vectors/agreements.json"),
        include_str!("vectors/cose_sign1.json"),
    ];
    let mut found = Vec::new();
    for file in files {
        gather(&serde_json::from_str(file).unwrap(), &mut found);
    }
    let bytes: Vec<Vec<u8>> =
        found.iter().map(|text| hex::decode(text).unwrap_or_else(|_| text.clone().into_bytes())).collect();
    assert!(bytes.len() > 400, "{}", bytes.len());
    bytes
}

/// All texts in a value.
fn gather(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::String(text) => found.push(text.clone()),
        Value::Array(list) => list.iter().for_each(|value| gather(value, found)),
        Value::Object(map) => map.values().for_each(|value| gather(value, found)),
        _ => {}
    }
}

/// One of the ways in which bytes go wrong.
fn change(bytes: &[u8], other: &[u8], dice: &mut Dice) -> Vec<u8> {
    let mut changed = bytes.to_vec();
    if changed.is_empty() {
        return other.to_vec();
    }
    let at = dice.below(changed.len());
    match dice.below(6) {
        0 => changed[at] ^= 1 << dice.below(8),
        1 => changed[at] = [0, 0x1b, 0x3b, 0x5b, 0x7b, 0x9b, 0xbb, 0xff][dice.below(8)],
        2 => changed.truncate(at),
        3 => changed.insert(at, u8::try_from(dice.below(256)).unwrap()),
        4 => changed.splice(at.., other.iter().skip(dice.below(other.len())).copied()).for_each(drop),
        _ => changed.extend_from_within(at..),
    }
    changed
}

/// Runs all targets; how much memory the hungriest needed.
fn run(bytes: &[u8]) -> usize {
    let mut most = 0;
    for (name, target) in targets::TARGETS {
        let before = PEAK.current_usage();
        PEAK.reset_peak_usage();
        target(bytes);
        let needed = PEAK.peak_usage().saturating_sub(before);
        assert!(needed <= ceiling(bytes.len()), "{name} needed {needed} bytes for {}", bytes.len());
        most = most.max(needed);
    }
    most
}

/// Puts the vectors where the fuzzer begins, if `ENTENTE_CORPUS` names a folder.
fn seed_the_fuzzer(vectors: &[Vec<u8>]) {
    if let Some(folder) = std::env::var_os("ENTENTE_CORPUS") {
        std::fs::create_dir_all(&folder).unwrap();
        for (number, bytes) in vectors.iter().enumerate() {
            std::fs::write(std::path::Path::new(&folder).join(format!("vector-{number}")), bytes).unwrap();
        }
    }
}

/// One test, since the allocator counts for the whole process.
#[test]
fn every_reader_survives_what_little_changes_make_of_the_vectors_and_needs_memory_in_proportion() {
    let vectors = vectors();
    seed_the_fuzzer(&vectors);
    let mut dice = Dice(2026);
    for (number, bytes) in vectors.iter().enumerate() {
        run(bytes);
        let other = &vectors[(number * 31 + 7) % vectors.len()];
        for _ in 0..CHANGES {
            let mut changed = change(bytes, other, &mut dice);
            if dice.below(3) == 0 {
                changed = change(&changed, other, &mut dice);
            }
            run(&changed);
        }
    }
    // What claims to be huge, and is not.
    for claim in [
        &[0xbb, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff][..],
        &[0x9b, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff],
        &[0x5b, 0, 0, 0, 1, 0, 0, 0, 0],
        &[0x81; 4096],
    ] {
        let needed = run(claim);
        assert!(needed < 9 << 20, "{claim:02x?}: {needed}");
    }
    // A header of age as long as half a megabyte is refused like any other, before it is read as one.
    let mut header = b"age-encryption.org/v1\n".to_vec();
    for _ in 0..9_000 {
        header.extend_from_slice(b"-> entente.content.v1 AAAAAAAAAAAAAAAAAAAAAAAAAAAA\nAAAA\n");
    }
    assert!(header.len() > 490_000);
    let before = PEAK.current_usage();
    PEAK.reset_peak_usage();
    targets::bodies(&header);
    let needed = PEAK.peak_usage().saturating_sub(before);
    assert!(needed < 256 << 10, "a header of {} bytes cost {needed}", header.len());
}

//! Every fuzz target over samples and thousands of small changes of them: the same in every run, without a fuzzer.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails there")]

#[expect(unreachable_pub, reason = "the fuzzer's program sees these from outside")]
#[path = "../fuzz/targets.rs"]
mod targets;

/// Changes of each sample for each target.
const CHANGES: u64 = 150;

/// What the field's files are made of, and what trips readers of them.
const PIECES: [&str; 14] = ["\"", "\n", ",", "{", "]", "\u{feff}", "\0", "\\", "&#x0;", "<", "'", "1e999", "null", "ÿ"];

fn samples() -> [(&'static str, &'static [u8]); 7] {
    [
        ("table.csv", include_bytes!("samples/table.csv")),
        ("list.txt", include_bytes!("samples/list.txt")),
        ("objects.json", include_bytes!("samples/objects.json")),
        ("tagpack.yaml", include_bytes!("samples/tagpack.yaml")),
        ("stix.json", include_bytes!("samples/stix.json")),
        ("misp.json", include_bytes!("samples/misp.json")),
        ("ofac.xml", include_bytes!("samples/ofac.xml")),
    ]
}

struct Dice(u64);

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % end.max(1)
    }
}

/// A sample with a byte changed, a piece put in, a part cut out or doubled.
fn changed(sample: &[u8], dice: &mut Dice) -> Vec<u8> {
    let mut bytes = sample.to_vec();
    for _ in 0..=dice.below(3) {
        let at = dice.below(bytes.len());
        let end = (at + dice.below(40)).min(bytes.len());
        match dice.below(4) {
            0 => bytes[at] = u8::try_from(dice.below(256)).unwrap(),
            1 => drop(bytes.splice(at..at, PIECES[dice.below(PIECES.len())].bytes())),
            2 => drop(bytes.drain(at..end)),
            _ => {
                let part = bytes[at..end].to_vec();
                drop(bytes.splice(at..at, part));
            }
        }
        if bytes.is_empty() {
            bytes.push(b'x');
        }
    }
    bytes
}

#[test]
fn no_reader_panics_over_samples_and_what_little_changes_make_of_them() {
    // The corpus that `.ci/weekly fuzz` begins with.
    if let Some(folder) = std::env::var_os("ENTENTE_CORPUS") {
        std::fs::create_dir_all(&folder).unwrap();
        for (name, bytes) in samples() {
            std::fs::write(std::path::Path::new(&folder).join(name), bytes).unwrap();
        }
    }
    let mut dice = Dice(7);
    for (_, sample) in samples() {
        for (_, target) in targets::TARGETS {
            target(sample);
            for _ in 0..CHANGES {
                target(&changed(sample, &mut dice));
            }
        }
    }
}

//! One program for all targets: `ENTENTE_FUZZ` names the one that it runs.

#![no_main]

use std::sync::OnceLock;

use entente_formats_fuzz::TARGETS;
use libfuzzer_sys::fuzz_target;

static CHOSEN: OnceLock<fn(&[u8])> = OnceLock::new();

fuzz_target!(|bytes: &[u8]| {
    let chosen = CHOSEN.get_or_init(|| {
        let name = std::env::var("ENTENTE_FUZZ").expect("ENTENTE_FUZZ names the target");
        TARGETS.iter().find(|(target, _)| *target == name).unwrap_or_else(|| panic!("there is no target {name}")).1
    });
    chosen(bytes);
});

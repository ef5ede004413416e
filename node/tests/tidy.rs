//! Keeps the shape of the sources: who may name which crate, what `protocol` may not know, how files begin
//! and how long they may grow, and that the code map is true. It reads text and no syntax tree: comments are
//! cut off, and a crate is named where its name begins a path. What the compiler or clippy already refuse is
//! deliberately not repeated here.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// A file reads in one sitting; tests, which stand last, do not count.
const MAX_LINES: usize = 500;

/// Files that may be longer, each with the reason: `("node/src/….rs", "because …")`.
const LONG_FILES: &[(&str, &str)] = &[];

/// A crate with its family (`utoipa_axum` too), and the only folders whose code may name it.
const CONFINED: &[(&str, &[&str])] = &[
    ("sled", &["node/src/store/"]),
    ("libp2p", &["node/src/network/"]),
    ("axum", &["node/src/api/", "node/src/console/"]),
    ("utoipa", &["node/src/api/", "node/src/console/"]),
    // In `protocol`, only encryption draws randomness, as age itself does; all else takes it as a value.
    ("getrandom", &["node/src/", "protocol/src/crypto/"]),
];

/// `protocol` takes time and bytes as values.
const NOT_IN_PROTOCOL_CRATES: &[&str] = &["tokio", "futures"];
const NOT_IN_PROTOCOL_STD: &[&str] = &["env", "fs", "net", "process", "thread"];
const NOT_IN_PROTOCOL_TYPES: &[&str] = &["Instant", "SystemTime"];

#[test]
fn a_crate_is_named_only_in_its_folder() {
    let mut wrong = Vec::new();
    for source in sources().iter().filter(|source| !source.is_test()) {
        for (name, folders) in CONFINED {
            let here = folders.iter().any(|folder| source.path.starts_with(folder));
            if !here && names_crate(&source.code, name) {
                wrong.push(format!("{}: names {name}, which belongs to {} alone", source.path, folders.join(" and ")));
            }
        }
    }
    report(&wrong);
}

#[test]
fn protocol_knows_no_clock_file_socket_or_runtime() {
    let mut wrong = Vec::new();
    for source in sources().iter().filter(|source| source.path.starts_with("protocol/src/")) {
        for name in NOT_IN_PROTOCOL_CRATES {
            if names_crate(&source.code, name) {
                wrong.push(format!("{}: names {name}; leave input and output to the node", source.path));
            }
        }
        let modules = std_modules(&source.code);
        for name in NOT_IN_PROTOCOL_STD {
            if modules.contains(*name) {
                wrong.push(format!("{}: uses std::{name}; take the value as an argument", source.path));
            }
        }
        for name in NOT_IN_PROTOCOL_TYPES {
            if words(&source.code).any(|word| word == *name) {
                wrong.push(format!("{}: uses {name}; take `now: Time` as an argument", source.path));
            }
        }
    }
    report(&wrong);
}

#[test]
fn every_file_says_first_what_it_is() {
    let silent = sources().into_iter().filter(|source| !source.text.starts_with("//!"));
    let wrong: Vec<_> = silent
        .map(|source| format!("{}: does not begin with `//!`: what it is, why it is so, what is absent", source.path))
        .collect();
    report(&wrong);
}

#[test]
fn no_file_is_too_long() {
    let mut wrong = Vec::new();
    let mut excused: BTreeSet<_> = LONG_FILES.iter().map(|(path, _)| *path).collect();
    for source in sources().iter().filter(|source| !source.is_test()) {
        let lines = source.lines_before_tests();
        if lines > MAX_LINES && !excused.remove(source.path.as_str()) {
            wrong.push(format!("{}: {lines} lines before its tests, more than {MAX_LINES}; split it", source.path));
        }
    }
    wrong.extend(excused.iter().map(|path| format!("{path}: is not too long any more; take it off LONG_FILES")));
    report(&wrong);
}

#[test]
fn the_code_map_names_what_is_there() {
    let there = modules(&root().join("node/src"));
    let map = root().join("node/README.md");
    if !map.exists() && there.len() == 1 {
        return; // nothing but lib.rs: no map is needed yet
    }
    let map = fs::read_to_string(&map).expect("node/README.md, the code map, can be read");
    let named: BTreeSet<String> = map.lines().filter_map(map_entry).collect();

    let missing = there.difference(&named);
    let gone = named.difference(&there);
    let mut wrong: Vec<_> =
        missing.map(|name| format!("node/README.md: no line \"- `{name}`\", though node/src has it")).collect();
    wrong.extend(gone.map(|name| format!("node/README.md: the line \"- `{name}`\" names nothing in node/src")));
    report(&wrong);
}

/// The rules above would pass if the walk found nothing, or if a name were never recognised.
#[test]
fn the_rules_can_fail() {
    let paths: BTreeSet<_> = sources().into_iter().map(|source| source.path).collect();
    for path in ["cli/src/main.rs", "node/src/lib.rs", "node/tests/tidy.rs", "protocol/src/lib.rs"] {
        assert!(paths.contains(path), "the walk misses {path}");
    }

    for code in ["use sled;", "use sled::Db;", "let x = ::sled::open();", "use {sled::Tree, std::fmt};", "x(sled::X)"] {
        assert!(names_crate(code, "sled"), "{code}");
    }
    for code in ["mod sled_index;", "use crate::sled::Index;", "let unsled = 1;", "\"sled=warn\""] {
        assert!(!names_crate(code, "sled"), "{code}");
    }
    assert!(names_crate("use libp2p_tls::Config;", "libp2p"), "a member of the family counts");

    let code = without_comments("use std::{collections::BTreeMap, fs::{self, File}};\nstd::net::x(); // std::env");
    assert_eq!(std_modules(&code), BTreeSet::from(["collections", "fs", "net"].map(str::to_owned)));
    assert_eq!(without_comments("a \"https://b\" // c\n//! d\n"), "a \"https://b\" \n\n");
    assert_eq!(map_entry("- `store/`: the journals"), Some("store".to_owned()));
    assert_eq!(map_entry("- `clock.rs`"), Some("clock".to_owned()));
    assert_eq!(map_entry("  - `journal`"), None);
}

struct Source {
    /// From the workspace's root, with `/`.
    path: String,
    text: String,
    /// The text less its comments.
    code: String,
}

impl Source {
    /// Tests and measures stand at the boundaries, and may name what lies behind them.
    fn is_test(&self) -> bool {
        self.path.split('/').any(|part| matches!(part, "tests" | "tests.rs" | "benches"))
    }

    fn lines_before_tests(&self) -> usize {
        let lines: Vec<_> = self.text.lines().collect();
        let tests = lines.windows(2).position(|pair| pair[0] == "#[cfg(test)]" && pair[1].starts_with("mod "));
        tests.unwrap_or(lines.len())
    }
}

fn root() -> PathBuf {
    let node = Path::new(env!("CARGO_MANIFEST_DIR"));
    node.parent().expect("the package stands in the workspace's root").to_owned()
}

/// Every Rust file of the workspace's packages.
fn sources() -> Vec<Source> {
    let mut found = Vec::new();
    for package in ["cli", "node", "protocol"] {
        walk(&root().join(package), &mut found);
    }
    found
}

fn walk(folder: &Path, found: &mut Vec<Source>) {
    for entry in fs::read_dir(folder).expect("a folder of the workspace can be listed") {
        let path = entry.expect("a folder of the workspace can be listed").path();
        if path.is_dir() && !path.ends_with("target") {
            walk(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).expect("a source file is UTF-8 text");
            let relative = path.strip_prefix(root()).expect("the walk began in the root");
            let path = relative.to_str().expect("names of source files are UTF-8").replace('\\', "/");
            found.push(Source { path, code: without_comments(&text), text });
        }
    }
}

/// Cuts line comments; `://` of an address is none.
fn without_comments(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    for line in text.lines() {
        let comment = line.match_indices("//").map(|(at, _)| at).find(|&at| !line[..at].ends_with(':'));
        code.push_str(&line[..comment.unwrap_or(line.len())]);
        code.push('\n');
    }
    code
}

/// Whether a path of the code begins with the crate, or with a crate of its family (`libp2p_tls`).
fn names_crate(code: &str, name: &str) -> bool {
    code.match_indices(name).any(|(at, _)| {
        let before = code[..at].strip_suffix("::").unwrap_or(&code[..at]);
        let begins = !before.ends_with(|c: char| is_word(c) || c == ':' || c == '"');
        let rest = code[at + name.len()..].trim_start_matches(is_word);
        let family = &code[at + name.len()..code.len() - rest.len()];
        let ends = rest.starts_with("::") || (rest.starts_with(';') && before.ends_with("use "));
        begins && ends && (family.is_empty() || family.starts_with('_'))
    })
}

/// The modules of `std` that the code reaches, in `std::name` and in `use std::{name, …}`.
fn std_modules(code: &str) -> BTreeSet<String> {
    let mut modules = BTreeSet::new();
    for (at, found) in code.match_indices("std::") {
        let rest = &code[at + found.len()..];
        if let Some(list) = rest.strip_prefix('{') {
            modules.extend(top_level(list));
        } else {
            modules.extend(words(rest).next().map(str::to_owned));
        }
    }
    modules
}

/// The first word of each item of a brace list, from behind its opening brace.
fn top_level(list: &str) -> Vec<String> {
    let mut items = vec![String::new()];
    let mut depth = 1;
    for c in list.chars() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 1 => items.push(String::new()),
            _ => {}
        }
        if depth == 0 {
            break;
        }
        items.last_mut().expect("it began with one").push(c);
    }
    items.iter().filter_map(|item| words(item).next()).map(str::to_owned).collect()
}

fn words(code: &str) -> impl Iterator<Item = &str> {
    code.split(|c: char| !is_word(c)).filter(|word| !word.is_empty())
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The modules one level deep: `store` for `store/` and for `store.rs`.
fn modules(folder: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(folder).expect("node/src can be listed");
    let names = entries.map(|entry| entry.expect("node/src can be listed").path());
    names.filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned())).collect()
}

/// The module that a line of the code map names: an outermost list item that begins with `name`.
fn map_entry(line: &str) -> Option<String> {
    let (name, _) = line.strip_prefix("- `")?.split_once('`')?;
    Some(name.trim_end_matches('/').trim_end_matches(".rs").to_owned())
}

/// Fails with all that is wrong at once, one a line.
fn report(wrong: &[String]) {
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

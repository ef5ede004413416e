//! What it costs to import a file: rows a second from the table on the disk to durable, signed, sealed entries, against
//! the store that takes the same bytes; the memory of the program that reads; and the same file a second time.
//!
//! `cargo bench --workspace --bench import`, with `ENTENTE_BENCH_REPORTS=1000000` for a million rows.

#![expect(clippy::unwrap_used, reason = "a measure that cannot go on fails there")]

#[expect(dead_code, reason = "the tests need more of it")]
#[path = "../tests/processes/agency.rs"]
mod agency;
#[expect(dead_code, reason = "its hosts are not used here")]
#[path = "../tests/processes/internet.rs"]
mod internet;

use std::fs;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use agency::{Agency, ally, now, until};
use entente_node::config::Config;
use entente_node::store::{Item, Options, Store, StoreKeys};
use entente_node::{Node, RunOptions};
use zeroize::Zeroizing;

/// Between two looks at a process' memory.
const LOOK: Duration = Duration::from_millis(20);

fn table(path: &Path, rows: usize) {
    let mut file = BufWriter::new(fs::File::create(path).unwrap());
    writeln!(file, "address,chain,scam type,date,comment").unwrap();
    for n in 0..rows {
        let address = (n as u128).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
        writeln!(
            file,
            "0x{address:040x},ethereum,phishing,2026-11-{:02},seen on a page that asks for seeds",
            n % 28 + 1
        )
        .unwrap();
    }
    file.flush().unwrap();
}

/// Imports the file; how long that took, and the most memory that the program had, megabytes.
fn import(agency: &Agency, file: &str, agreement: &str) -> (Duration, u64) {
    let begun = now();
    let mut command = agency.command(&["import", file, "--agreement", agreement, "--source", "bench", "--yes"]);
    let mut process = command.stdout(Stdio::null()).spawn().unwrap();
    let status = format!("/proc/{}/status", process.id());
    let mut peak = 0;
    loop {
        let text = fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
        peak = peak.max(line.trim().trim_end_matches(" kB").parse::<u64>().unwrap_or(0) / 1024);
        match process.try_wait().unwrap() {
            Some(ended) => {
                assert!(ended.success());
                return (begun.elapsed(), peak);
            }
            None => std::thread::sleep(LOOK),
        }
    }
}

/// The same entries and records, by the store alone.
fn floor(agency: &Agency) -> Duration {
    let data = agency.data();
    let passphrase =
        Zeroizing::new(fs::read_to_string(data.parent().unwrap().join("passphrase")).unwrap().trim().to_owned());
    let options = RunOptions { data: data.clone(), passphrase, tap: false };
    let node = Node::open(&options, Config::read(&data).unwrap()).unwrap();
    let source = node.desk().store();
    let folder = tempfile::tempdir().unwrap();
    let keys = StoreKeys { index: [1; 32], records: [2; 32] };
    let store = Store::open(folder.path(), &keys, Options::default(), &mut |_| {}).unwrap();
    let mut records = source.reports_of(&node.desk().me().agency, None, usize::MAX).unwrap();
    records.sort_by_key(|(_, record)| (record.id.log, record.id.seq, record.id.leaf));
    let mut records = records.into_iter().map(|(_, record)| record).peekable();
    let mut took = Duration::ZERO;
    while let Some(first) = records.peek() {
        let (log, seq) = (first.id.log, first.id.seq);
        let mut of_entry = Vec::new();
        while let Some(record) = records.next_if(|record| (record.id.log, record.id.seq) == (log, seq)) {
            of_entry.push(record);
        }
        let entry = source.entry(&log, seq).unwrap().unwrap();
        let (hash, header, body) = (entry.hash, entry.header, entry.body);
        let item = Item::Entry { log, seq, hash, header, body, records: of_entry };
        let begun = now();
        store.commit(vec![item]).unwrap();
        took += begun.elapsed();
    }
    took
}

fn main() {
    let rows: usize = std::env::var("ENTENTE_BENCH_REPORTS").map_or(100_000, |rows| rows.parse().unwrap());
    let [mut a, mut b] = ["Unit A", "Unit B"].map(Agency::found);
    ally(&[&a, &b]);
    // What is filed before heads were compared waits, and would be counted as not there.
    a.file_rows(rows, 1);
    until("contact", || (b.holds("reports") == 1).then_some(()));
    // Its work would be measured with ours: there are two cores.
    b.stop();
    let list = a.value(&["agreement", "list"]);
    let agreement = &list["id"].as_str().unwrap()[..8];
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rows.csv");
    table(&path, rows);
    let file = path.to_str().unwrap();
    let (first, peak) = import(&a, file, agreement);
    assert_eq!(a.holds("reports"), rows as u64 + 1);
    let node = a.resident_mb();
    let (again, peak_again) = import(&a, file, agreement);
    assert_eq!(a.holds("reports"), rows as u64 + 1);
    let began = now();
    let dry = a.command(&["import", file, "--dry-run"]).output().unwrap();
    let dry = (dry.status.success().then(|| began.elapsed())).unwrap();
    a.stop();
    let floor = floor(&a);
    #[expect(clippy::cast_precision_loss, reason = "counts of a measure are far below 2^52")]
    let rate = |took: Duration| rows as f64 / took.as_secs_f64();
    println!("{rows} rows");
    println!("journal + index, the same bytes   {:>10.0} rows/s", rate(floor));
    let ratio = floor.as_secs_f64() / first.as_secs_f64();
    println!("import                            {:>10.0} rows/s   {ratio:.2} of journal + index", rate(first));
    println!("  memory of the program, at most  {peak:>10} MiB; of the node {node} MB");
    println!("the same file again               {:>10.0} rows/s, {peak_again} MiB", rate(again));
    println!("a dry run, the rows alone         {:>10.0} rows/s", rate(dry));
}

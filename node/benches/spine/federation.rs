//! From filing to visible at two partners, and catching up, against bare libp2p.

use std::fs::File;
use std::io::Write;
use std::thread;
use std::time::Duration;

use entente_node::network::{Command, Event, REQUESTS_PER_AGENCY, RequestId};
use entente_protocol::announcement::Announcement;
use entente_protocol::id::AgreementId;
use entente_protocol::sync::message::{Request, Response};

use crate::support::{Agency, address, agree, introduce, until};
use crate::wire::Wire;
use crate::{bare, line, now, per_second, percentiles};

/// Messages that are timed, after as many that are not.
const ROUNDS: usize = 300;

/// Entries asked for together: what fits into a page of 1 MiB.
const ENTRIES_A_PAGE: u8 = 8;

/// Reports filed together.
const TOGETHER: usize = 500;

/// How often it is looked whether a report can be seen.
const LOOK_EVERY: Duration = Duration::from_micros(50);

/// Three agencies in agreement, connected.
async fn three() -> ([Agency; 3], AgreementId) {
    let mut agencies = ["A", "B", "C"].map(Agency::new);
    let [a, b, c] = &mut agencies;
    for (one, other) in [(&*a, &*b), (a, c), (b, c)] {
        introduce(one, other);
    }
    for agency in [&mut *a, b, c] {
        agency.connect().await;
    }
    let agreement = agree("Three of us", &[a, b, c]).await;
    (agencies, agreement)
}

pub(crate) async fn latency() {
    let ([a, b, c], agreement) = three().await;
    a.file(&address(0), agreement);
    until("the first is there", || b.finds(&address(0), &a) && c.finds(&address(0), &a)).await;
    let length = announced(&a, agreement);
    let ours = tokio::task::spawn_blocking(move || {
        let visible = |n: usize| b.finds(&address(n), &a) && c.finds(&address(n), &a);
        let round = |n: usize| {
            let begun = now();
            a.file(&address(n), agreement);
            while !visible(n) {
                thread::sleep(LOOK_EVERY);
            }
            begun.elapsed()
        };
        (1..=2 * ROUNDS).map(round).skip(ROUNDS).collect()
    });
    let (p50, p99) = percentiles(ours.await.unwrap());
    let gossip = bare::gossip(length, 2 * ROUNDS).await.split_off(ROUNDS);
    let (gossip, gossip_p99) = percentiles(gossip);
    let (sync, sync_p99) = percentiles(syncs(length));
    line("bare gossip to two partners", &format!("p50 {gossip:.0}, p99 {gossip_p99:.0} us"), "");
    line("a sync of as many bytes", &format!("p50 {sync:.0}, p99 {sync_p99:.0} us"), "");
    let floor = gossip + 2.0 * sync;
    let against = format!("{:.2} times gossip and two syncs", p50 / floor);
    line("filed to visible at two partners", &format!("p50 {p50:.0}, p99 {p99:.0} us"), &against);
}

/// How long the announcement of one report is.
fn announced(a: &Agency, agreement: AgreementId) -> usize {
    let entry = a.desk().store().entry(&a.log(agreement), 0).unwrap().unwrap();
    Announcement::of_entry(&entry.header, &entry.body.unwrap()).write().len()
}

/// Appends so many bytes to a file where stores lie, and makes them durable.
fn syncs(length: usize) -> Vec<Duration> {
    let dir = tempfile::tempdir().unwrap();
    let mut file = File::create(dir.path().join("log")).unwrap();
    let bytes = vec![7; length];
    let round = |_| {
        let begun = now();
        file.write_all(&bytes).unwrap();
        file.sync_data().unwrap();
        begun.elapsed()
    };
    (0..2 * ROUNDS).map(round).skip(ROUNDS).collect()
}

pub(crate) async fn catch_up(reports: usize) {
    let ([a, mut b, mut c], agreement) = three().await;
    a.file(&address(0), agreement);
    until("the key is there", || b.finds(&address(0), &a) && c.finds(&address(0), &a)).await;
    b.stop().await;
    c.stop().await;
    let addresses: Vec<String> = (1..=reports).map(address).collect();
    addresses.chunks(TOGETHER).for_each(|chunk| drop(a.file_all(chunk, agreement)));

    let (pages, took) = transfer(&a, &b, agreement).await;
    let bytes: usize = pages.iter().map(|length| *length as usize).sum();
    let bare = bare::transfer(pages, REQUESTS_PER_AGENCY).await;
    let rate = |took| per_second(bytes, took) / 1e6;
    line("pages by bare request-response", &format!("{:.0} MB/s", rate(bare)), "");
    let against = format!("{:.2} of bare request-response", rate(took) / rate(bare));
    line("pages of entries from a node", &format!("{:.0} MB/s", rate(took)), &against);

    let admitted = admit(&a, &mut c, agreement);
    let begun = now();
    b.connect().await;
    let count = reports as u64 + 1;
    until("it is caught up", || b.desk().store().counts().records == count).await;
    let took = begun.elapsed();
    line("admit the same pages, without the network", &format!("{:.0} reports/s", per_second(reports, admitted)), "");
    let against = format!("{:.2} of admitting", admitted.as_secs_f64() / took.as_secs_f64());
    line("catch up, from the start of the node", &format!("{:.0} reports/s", per_second(reports, took)), &against);
}

/// Asks a node for a whole log as a partner does; the lengths of the pages, and how long it took.
async fn transfer(a: &Agency, b: &Agency, agreement: AgreementId) -> (Vec<u32>, Duration) {
    let log = a.log(agreement);
    let end = a.desk().store().head(&log).unwrap().seq + 1;
    let mut wire = Wire::connect(b, a).await;
    let begun = now();
    let mut wanted = (0..end).step_by(ENTRIES_A_PAGE.into());
    let (mut pages, mut open, mut entries) = (Vec::new(), 0, 0);
    loop {
        while open < REQUESTS_PER_AGENCY
            && let Some(from_seq) = wanted.next()
        {
            let until_seq = (from_seq + u64::from(ENTRIES_A_PAGE)).min(end) - 1;
            let bytes = Request::Entries { log, from_seq, until_seq }.write();
            wire.network.send(Command::Request { agency: a.id, id: RequestId(from_seq), bytes }).await;
            open += 1;
        }
        if open == 0 {
            break;
        }
        if let Event::Response { result, .. } = wire.events.recv().await.unwrap() {
            open -= 1;
            let bytes = result.unwrap();
            pages.push(u32::try_from(bytes.len()).unwrap());
            let Response::Entries(page) = Response::read(&bytes).unwrap() else { panic!("entries were asked for") };
            entries += page.len() as u64;
        }
    }
    assert_eq!(entries, end, "each page came whole");
    (pages, begun.elapsed())
}

/// Hands everything to a partner's desk.
fn admit(a: &Agency, c: &mut Agency, agreement: AgreementId) -> Duration {
    c.open();
    let log = a.log(agreement);
    let (mut next, mut took) = (1, Duration::ZERO);
    loop {
        let page = a.desk().store().entries(&log, next, 1 << 20).unwrap();
        let Some(last) = page.last() else { return took };
        next = last.seq + 1;
        let page = page.into_iter().map(|entry| (entry.header, entry.body)).collect();
        let begun = now();
        let arrival = c.desk().take_entries(a.id, log, page).unwrap();
        took += begun.elapsed();
        assert!(arrival.advanced && arrival.stopped.is_none(), "{arrival:?}");
    }
}

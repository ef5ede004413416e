//! `GET /metrics`: numbers for Prometheus, in its text format 0.0.4.
//!
//! Written by hand, because nearly all of them are read from the desk when they are asked for. No label has values
//! that grow: no agency, no agreement, no address.

use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};

use super::blocking::blocking;
use super::problem::Problem;
use super::state::{Connections, Shared};
use crate::clock;
use crate::desk::{PartnerAgreement, PartnerView, StatusView};
use crate::store::Health;

/// Upper ends of the classes of durations, microseconds: from a lookup in memory to a large batch.
const CLASSES_US: [u64; 10] = [50, 100, 250, 500, 1000, 5000, 25_000, 100_000, 1_000_000, 10_000_000];
/// The first digits of the statuses counted.
const STATUSES: [u64; 4] = [2, 3, 4, 5];

/// Requests that were answered.
#[derive(Default)]
pub(super) struct Requests {
    by_status: [AtomicU64; STATUSES.len()],
    by_class: [AtomicU64; CLASSES_US.len() + 1],
    took_us: AtomicU64,
}

impl Requests {
    pub(super) fn add(&self, status: u16, took: Duration) {
        let us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let class = CLASSES_US.partition_point(|end| *end < us);
        self.by_class[class].fetch_add(1, Ordering::Relaxed);
        self.took_us.fetch_add(us, Ordering::Relaxed);
        if let Some(at) = STATUSES.iter().position(|first| *first == u64::from(status / 100)) {
            self.by_status[at].fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// Numbers for Prometheus.
///
/// Needs the token unless the configuration says otherwise.
#[utoipa::path(
    get, path = "/metrics", tag = "node", operation_id = "metrics",
    responses((status = 200, description = "Prometheus text format 0.0.4.", content_type = "text/plain", body = String))
)]
pub(super) async fn metrics(State(api): State<Shared>) -> Result<Response, Problem> {
    let (status, partners) = blocking(&api, |desk| Ok::<_, Problem>((desk.status(), desk.partners()))).await?;
    let mut page = Sheet::default();
    let uptime = clock::monotonic().saturating_duration_since(api.began);
    page.gauge("entente_uptime_seconds", "Seconds since the node started.", uptime.as_secs());
    of_desk(&mut page, &status);
    of_network(&mut page, &api.connections.now(), partners.len());
    of_partners(&mut page, &partners);
    of_api(&mut page, &api.counted);
    let kind = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    Ok(([(header::CONTENT_TYPE, kind)], page.0).into_response())
}

fn of_desk(page: &mut Sheet, status: &StatusView) {
    let counts = &status.counts;
    let healthy = u64::from(status.health == Health::Ok);
    page.gauge("entente_store_healthy", "1 while the store takes commits.", healthy);
    page.gauge(
        "entente_store_reports",
        "Admitted reports, one for each agreement they are held under.",
        counts.records,
    );
    page.gauge("entente_store_entries", "Entries of logs.", counts.entries);
    page.gauge("entente_store_objects", "Stand-alone signed objects.", counts.objects);
    page.gauge("entente_store_quarantined", "Statements refused or held.", counts.quarantined);
    page.gauge("entente_store_retracted", "Reports that were retracted.", counts.retracted);
    page.gauge("entente_store_journal_bytes", "Bytes of the federation journal.", counts.journal_bytes);
    page.gauge("entente_outbox_batches", "Batches that wait until logs were compared.", status.outbox as u64);
    page.gauge("entente_agreements_in_force", "Agreements in force.", status.in_force as u64);
    page.gauge("entente_agreements_proposed", "Agreements not in force.", status.proposed as u64);
}

fn of_network(page: &mut Sheet, connections: &Connections, partners: usize) {
    page.gauge("entente_network_partners", "Partners that there are.", partners as u64);
    page.gauge("entente_network_partners_connected", "Partners connected.", connections.connected.len() as u64);
    for (name, help, value) in &connections.counters {
        page.head(&format!("entente_network_{name}_total"), help, "counter");
        page.line(&format!("entente_network_{name}_total"), *value);
    }
}

/// How far the partners are, the farthest of them: no label names who is partner to whom.
fn of_partners(page: &mut Sheet, partners: &[PartnerView]) {
    let shared = || partners.iter().flat_map(|partner| &partner.agreements);
    let silent = shared().filter(|shared| shared.silent).count();
    let most = |of: fn(&PartnerAgreement) -> u64| shared().map(of).max().unwrap_or(0);
    page.gauge(
        "entente_partners_silent",
        "Partners, counted under each agreement, that have sent no receipt for more than a day.",
        silent as u64,
    );
    page.gauge(
        "entente_partners_lag_entries",
        "Entries that we hold and a partner has not confirmed, of the one that is farthest behind.",
        most(|shared| shared.lag),
    );
    page.gauge(
        "entente_partners_behind_entries",
        "Entries that a partner says it holds and we do not, of the one that is farthest ahead.",
        most(|shared| shared.behind),
    );
}

fn of_api(page: &mut Sheet, requests: &Requests) {
    let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
    page.head("entente_api_requests_total", "Requests answered, by the first digit of the status.", "counter");
    for (first, counter) in STATUSES.iter().zip(&requests.by_status) {
        page.line(&format!("entente_api_requests_total{{status=\"{first}xx\"}}"), read(counter));
    }
    let name = "entente_api_request_duration_seconds";
    page.head(name, "How long requests took until their answer began.", "histogram");
    let mut sum = 0;
    for (class, counter) in requests.by_class.iter().enumerate() {
        sum += read(counter);
        let end = CLASSES_US.get(class).map_or_else(|| "+Inf".to_owned(), |us| seconds(*us));
        page.line(&format!("{name}_bucket{{le=\"{end}\"}}"), sum);
    }
    page.line(&format!("{name}_sum"), seconds(read(&requests.took_us)));
    page.line(&format!("{name}_count"), sum);
}

/// Microseconds as a decimal number of seconds, without the zeros at its end.
fn seconds(us: u64) -> String {
    let text = format!("{}.{:06}", us / 1_000_000, us % 1_000_000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[derive(Default)]
struct Sheet(String);

impl Sheet {
    fn head(&mut self, name: &str, help: &str, kind: &str) {
        writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}").expect("a string takes all that is written");
    }

    fn line(&mut self, name: &str, value: impl std::fmt::Display) {
        writeln!(self.0, "{name} {value}").expect("a string takes all that is written");
    }

    fn gauge(&mut self, name: &str, help: &str, value: u64) {
        self.head(name, help, "gauge");
        self.line(name, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_are_decimal() {
        assert_eq!([seconds(50), seconds(1_000_000), seconds(0), seconds(2_500_000)], ["0.00005", "1", "0", "2.5"]);
    }

    #[test]
    fn classes_are_cumulative_and_include_their_end() {
        let requests = Requests::default();
        requests.add(200, Duration::from_micros(50));
        requests.add(503, Duration::from_micros(51));
        requests.add(404, Duration::from_mins(1));
        let mut page = Sheet::default();
        of_api(&mut page, &requests);
        for line in [
            "entente_api_requests_total{status=\"2xx\"} 1",
            "entente_api_request_duration_seconds_bucket{le=\"0.00005\"} 1",
            "entente_api_request_duration_seconds_bucket{le=\"0.0001\"} 2",
            "entente_api_request_duration_seconds_bucket{le=\"+Inf\"} 3",
            "entente_api_request_duration_seconds_count 3",
            "entente_api_request_duration_seconds_sum 60.000101",
        ] {
            assert!(page.0.lines().any(|other| other == line), "{line}\n{}", page.0);
        }
    }
}

//! Lookups over HTTP, against an empty handler and against the same answer out of a map in memory.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::{Path, State};
use axum::http::header;
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

use crate::apis::TOKEN;
use crate::world::{World, address};
use crate::{line, now, per_second, percentiles};

/// Clients at a time.
const CLIENTS: usize = 16;

/// For how long each figure is taken.
const SPAN: Duration = Duration::from_secs(4);

/// Known addresses that are asked for over and over, and as many unknown ones.
const ASKED: usize = 5000;

/// What a server does a second, and its p99.
struct Load {
    per_second: f64,
    p99_us: f64,
}

pub(crate) async fn measure(world: &World) {
    let stop = CancellationToken::new();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let node = listener.local_addr().unwrap();
    tokio::spawn(entente_node::api::serve(listener, Arc::clone(&world.b.state), stop.clone()));

    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let floor = listener.local_addr().unwrap();
    let known = |n: usize| n.wrapping_mul(7919) % world.reports;
    let hits: Vec<String> = (0..ASKED).map(|n| address(known(n))).collect();
    let misses: Vec<String> = (0..ASKED).map(|n| address(known(n) + world.reports * 10)).collect();
    let mut map: HashMap<String, Value> = HashMap::new();
    for path in hits.iter().chain(&misses) {
        map.insert(path.clone(), ask(node, &format!("/v1/addresses/{path}")).await);
    }
    let unauthorised = |headers: &axum::http::HeaderMap| {
        headers.get(header::AUTHORIZATION).is_none_or(|token| token.as_bytes() != format!("Bearer {TOKEN}").as_bytes())
    };
    let of_map = move |State(map): State<Arc<HashMap<String, Value>>>,
                       headers: axum::http::HeaderMap,
                       Path(path): Path<String>| async move {
        if unauthorised(&headers) { Json(json!({})) } else { Json(map[&path].clone()) }
    };
    let app = Router::new().route("/empty", get(|| async {})).route("/v1/addresses/{address}", get(of_map));
    tokio::spawn(async move { axum::serve(listener, app.with_state(Arc::new(map))).await });

    let empty = load(floor, &["/empty".to_owned()]).await;
    line("HTTP, an empty handler", &figure(&empty), "");
    for (what, addresses) in [("hit", &hits), ("miss", &misses)] {
        let paths: Vec<String> = addresses.iter().map(|address| format!("/v1/addresses/{address}")).collect();
        let map = load(floor, &paths).await;
        let ours = load(node, &paths).await;
        line(&format!("HTTP, a map in memory, {what}"), &figure(&map), "");
        let ratios = format!(
            "{:.2} of the map, {:.2} of the empty one",
            ours.per_second / map.per_second,
            ours.per_second / empty.per_second
        );
        line(&format!("HTTP lookup, {what}"), &figure(&ours), &ratios);
    }
    stop.cancel();
}

fn figure(load: &Load) -> String {
    format!("{:.0}/s, p99 {:.0} us", load.per_second, load.p99_us)
}

/// One answer, as JSON.
async fn ask(server: std::net::SocketAddr, path: &str) -> Value {
    let mut stream = TcpStream::connect(server).await.unwrap();
    let mut buffer = Vec::new();
    let body = exchange(&mut stream, path, &mut buffer).await;
    serde_json::from_slice(&buffer[body..]).unwrap()
}

/// Puts one request on an open connection and reads the answer whole; where in the buffer its body begins.
async fn exchange(stream: &mut TcpStream, path: &str, buffer: &mut Vec<u8>) -> usize {
    let request = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {TOKEN}\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    buffer.clear();
    loop {
        assert!(stream.read_buf(buffer).await.unwrap() > 0, "the server hung up");
        let Some(end) = buffer.windows(4).position(|four| four == b"\r\n\r\n") else { continue };
        let head = std::str::from_utf8(&buffer[..end]).unwrap();
        assert!(head.starts_with("HTTP/1.1 200"), "{head}");
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
        if buffer.len() == end + 4 + length.parse::<usize>().unwrap() {
            return end + 4;
        }
    }
}

async fn load(server: std::net::SocketAddr, paths: &[String]) -> Load {
    let until: Instant = now() + SPAN;
    let clients: Vec<_> = (0..CLIENTS)
        .map(|client| {
            let paths = paths.to_vec();
            tokio::spawn(async move {
                let mut stream = TcpStream::connect(server).await.unwrap();
                stream.set_nodelay(true).unwrap();
                let (mut took, mut buffer, mut n) = (Vec::new(), Vec::new(), client);
                while now() < until {
                    let begun = now();
                    exchange(&mut stream, &paths[n % paths.len()], &mut buffer).await;
                    took.push(begun.elapsed());
                    n += CLIENTS;
                }
                took
            })
        })
        .collect();
    let mut all = Vec::new();
    for client in clients {
        all.extend(client.await.unwrap());
    }
    Load { per_second: per_second(all.len(), SPAN), p99_us: percentiles(all).1 }
}

//! Once over a real socket: requests, and the end of the server.

use std::sync::Arc;

use entente_node::api::serve;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

use crate::support::{Node, TOKEN};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_server_answers_and_stops_when_told() {
    let a = Node::new("Cyber Unit A", 1);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let stop = CancellationToken::new();
    let server = tokio::spawn(serve(listener, Arc::clone(&a.state), stop.clone()));

    let mut client = TcpStream::connect(address).await.unwrap();
    let get = |path: &str| format!("GET {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {TOKEN}\r\n\r\n");
    for path in ["/healthz", "/v1/status"] {
        client.write_all(get(path).as_bytes()).await.unwrap();
        let mut answer = vec![0; 4096];
        let read = client.read(&mut answer).await.unwrap();
        assert!(answer[..read].starts_with(b"HTTP/1.1 200 OK"), "{path}");
    }

    stop.cancel();
    server.await.unwrap().unwrap();
    let mut rest = Vec::new();
    client.read_to_end(&mut rest).await.unwrap();
    assert_eq!(rest, b"", "an idle connection is closed");
    assert!(TcpStream::connect(address).await.is_err(), "the door is shut");
}

//! A stand-in for the local API: answers that a test lays down, and the requests that came.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::{fs, thread};

/// The token that the stand-in takes.
pub(crate) const TOKEN: &str = "a-token-of-the-test";

const NO_SUCH: &str = r#"{"type":"urn:entente:problem:not-found","title":"not found","status":404,"detail":"there is no such thing here"}"#;
const WRONG_TOKEN: &str = r#"{"type":"urn:entente:problem:unauthorized","title":"unauthorized","status":401,"detail":"the token is not valid"}"#;

/// An answer to one request line, as `GET /v1/status`.
#[derive(Clone, Debug)]
pub(crate) struct Canned {
    pub(crate) request: String,
    pub(crate) status: u16,
    /// Header lines, each with its line break.
    pub(crate) headers: String,
    pub(crate) body: String,
}

impl Canned {
    /// An answer of 200 with a body in JSON.
    pub(crate) fn json(request: &str, body: &str) -> Self {
        let headers = "content-type: application/json\r\n".to_owned();
        Self { request: request.to_owned(), status: 200, headers, body: body.to_owned() }
    }
}

/// A request that came.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    /// As `GET /v1/status`.
    pub(crate) line: String,
    pub(crate) headers: String,
    pub(crate) body: String,
}

/// A listening stand-in; it stops with the process.
pub(crate) struct Node {
    pub(crate) address: SocketAddr,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Node {
    /// Answers each request with the first answer laid down for it; the last one stays.
    pub(crate) fn start(canned: Vec<Canned>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let record = Arc::clone(&seen);
        thread::spawn(move || {
            let mut canned = VecDeque::from(canned);
            for stream in listener.incoming() {
                // A client that went away is the client's affair.
                let _ = serve(&stream.unwrap(), &mut canned, &record);
            }
        });
        Self { address, seen }
    }

    /// Makes `dir` the data directory of this node.
    pub(crate) fn write_to(&self, dir: &Path) {
        fs::create_dir_all(dir).unwrap();
        fs::write(dir.join("api"), format!("{}\n", self.address)).unwrap();
        write_token(dir, TOKEN);
    }

    /// The requests since the last call.
    pub(crate) fn take_seen(&self) -> Vec<Seen> {
        std::mem::take(&mut self.seen.lock().unwrap())
    }
}

pub(crate) fn write_token(dir: &Path, token: &str) {
    fs::write(dir.join("token"), format!("{token}\n")).unwrap();
    fs::set_permissions(dir.join("token"), fs::Permissions::from_mode(0o600)).unwrap();
}

fn serve(stream: &TcpStream, canned: &mut VecDeque<Canned>, record: &Mutex<Vec<Seen>>) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let line = line.trim_end().trim_end_matches(" HTTP/1.1").to_owned();
    let mut headers = String::new();
    while reader.read_line(&mut headers)? > 2 {}
    let headers = headers.to_lowercase();
    let length = headers.lines().find_map(|header| header.strip_prefix("content-length: ")?.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    reader.read_exact(&mut body)?;
    let body = String::from_utf8(body).unwrap();

    let authorised = headers.contains(&format!("authorization: bearer {TOKEN}\r\n"));
    record.lock().unwrap().push(Seen { line: line.clone(), headers, body });
    let problem = |status, body: &str| Canned {
        request: line.clone(),
        status,
        headers: "content-type: application/problem+json\r\n".to_owned(),
        body: body.to_owned(),
    };
    let fitting: Vec<usize> = (0..canned.len()).filter(|at| canned[*at].request == line).collect();
    let answer = match fitting[..] {
        _ if !authorised => problem(401, WRONG_TOKEN),
        [] => problem(404, NO_SUCH),
        [only] => canned[only].clone(),
        [first, ..] => canned.remove(first).unwrap(),
    };
    let length = answer.body.len();
    let mut stream = stream;
    write!(
        stream,
        "HTTP/1.1 {} x\r\nconnection: close\r\ncontent-length: {length}\r\n{}\r\n{}",
        answer.status, answer.headers, answer.body
    )
}

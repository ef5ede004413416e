//! Runs `cases/*.md`: documents that say what the commands print, and prove it.
//!
//! In them a block `http` lays down an answer of the node, a block `file NAME` makes a file, and a block `console`
//! holds commands with what must come of each: `> ` the requests that the node gets, then standard output, then
//! `! ` standard error, then `[status]` unless it is 0. A heading begins anew. `partner.card` and `words`, the fingerprint
//! of that card, are always there; the card's text is written as CARD. With `BLESS=1` the documents are written anew.

use std::fmt::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::{env, fs};

use crate::node::{Canned, Node};
use crate::partner;
use tempfile::TempDir;

#[test]
fn commands_do_what_the_documents_say() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let mut documents: Vec<_> = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect();
    documents.sort();
    let mut commands = 0;
    for path in documents {
        let written = fs::read_to_string(&path).unwrap();
        let mut document = Document::default();
        written.lines().for_each(|line| document.line(line));
        commands += document.commands;
        if env::var_os("BLESS").is_some() {
            fs::write(&path, document.actual).unwrap();
        } else {
            assert_eq!(written, document.actual, "{}", path.display());
        }
    }
    assert!(commands > 40, "only {commands} commands were run");
}

/// A document on its way through, with what its commands actually do.
#[derive(Default)]
struct Document {
    block: Option<String>,
    content: String,
    canned: Vec<Canned>,
    dir: Option<TempDir>,
    actual: String,
    commands: usize,
}

impl Document {
    fn line(&mut self, line: &str) {
        match (&self.block, line.strip_prefix("```")) {
            (None, Some(kind)) => {
                self.block = Some(kind.to_owned());
                self.content.clear();
                writeln!(self.actual, "{line}").unwrap();
            }
            (Some(_), Some("")) => {
                self.end_block();
                writeln!(self.actual, "```").unwrap();
            }
            (Some(_), _) => writeln!(self.content, "{line}").unwrap(),
            (None, None) => {
                if line.starts_with('#') {
                    self.canned.clear();
                    self.dir = None;
                }
                writeln!(self.actual, "{line}").unwrap();
            }
        }
    }

    fn end_block(&mut self) {
        let kind = self.block.take().unwrap();
        if kind == "console" {
            for line in self.content.clone().lines() {
                if let Some(command) = line.strip_prefix("$ ") {
                    self.run(command);
                }
            }
            return;
        }
        if kind == "http" {
            self.canned.push(canned(&self.content));
        } else if let Some(name) = kind.strip_prefix("file ") {
            fs::write(self.dir().join(name), &self.content).unwrap();
        }
        self.actual.push_str(&self.content);
    }

    fn dir(&mut self) -> &Path {
        let made = || {
            let dir = TempDir::new().unwrap();
            let (card, words) = partner::card();
            fs::write(dir.path().join("partner.card"), card).unwrap();
            fs::write(dir.path().join("words"), words).unwrap();
            dir
        };
        self.dir.get_or_insert_with(made).path()
    }

    fn run(&mut self, command: &str) {
        let node = Node::start(self.canned.clone());
        let dir = self.dir().to_owned();
        if !command.contains("--data") {
            node.write_to(&dir.join("node"));
        }
        let bin = Path::new(env!("CARGO_BIN_EXE_entente")).parent().unwrap();
        let output = Command::new("sh")
            .args(["-c", command])
            .current_dir(&dir)
            .env_clear()
            .env("PATH", format!("{}:{}", bin.display(), env::var("PATH").unwrap()))
            .env("ENTENTE_DATA", "node")
            .stdin(Stdio::null())
            .output()
            .unwrap();
        self.commands += 1;
        writeln!(self.actual, "$ {command}").unwrap();
        let card = partner::card().0;
        let quoted = serde_json::to_string(&card).unwrap();
        for seen in node.take_seen() {
            let body = seen.body.replace(&quoted, "\"CARD\"");
            writeln!(self.actual, "{}", format!("> {} {body}", seen.line).trim_end()).unwrap();
        }
        let port = format!("127.0.0.1:{}", node.address.port());
        let text = |bytes| {
            String::from_utf8(bytes)
                .unwrap()
                .replace(&port, "127.0.0.1:PORT")
                .replace(&quoted, "\"CARD\"")
                .replace(&card, "CARD\n")
        };
        self.actual.push_str(&text(output.stdout));
        for line in text(output.stderr).lines() {
            writeln!(self.actual, "! {line}").unwrap();
        }
        let status = output.status.code().unwrap();
        if status != 0 {
            writeln!(self.actual, "[{status}]").unwrap();
        }
    }
}

/// `METHOD PATH`, `STATUS TYPE`, and the body, which is one line where the type is JSON.
fn canned(block: &str) -> Canned {
    let mut lines = block.lines();
    let request = lines.next().unwrap().to_owned();
    let (status, media) = lines.next().unwrap().split_once(' ').unwrap();
    let body: Vec<_> = lines.map(|line| format!("{line}\n")).collect();
    Canned {
        request,
        status: status.parse().unwrap(),
        headers: format!("content-type: {media}\r\n"),
        body: body.concat(),
    }
}

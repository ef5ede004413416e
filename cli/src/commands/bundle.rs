//! `entente bundle`: what catch-up would bring, in a file, for nodes that no network joins.

use std::fs::{File, OpenOptions};
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use clap::{Args, Subcommand};
use entente_protocol::bundle::{MAGIC, MAX_SEALED_BYTES};
use serde::Deserialize;
use serde_json::json;

use crate::args::Globals;
use crate::client::Client;
use crate::error::CliError;
use crate::output::{Cell, Output};
use crate::views::{Named, Titled};

/// A head for a thousand nodes is below it.
const HEAD_BYTES: usize = 4 << 20;

/// What to do with bundles.
#[derive(Debug, Subcommand)]
pub(crate) enum BundleCommand {
    /// Write what the parties of an agreement are to have into a file that only their nodes can read
    #[command(
        after_long_help = "Examples:\n  entente bundle export --agreement 1a2b3c4d monday.bundle\n  entente bundle export --agreement 1a2b3c4d --since 1 tuesday.bundle"
    )]
    Export(ExportArgs),
    /// Take what bundles bring, by the same verification as what a connection brings
    #[command(after_long_help = "Example:\n  entente bundle import monday.bundle tuesday.bundle")]
    Import {
        /// The files, in the order in which they were made
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
}

#[derive(Args, Debug)]
pub(crate) struct ExportArgs {
    /// The agreement: its id, or the first 8 digits or more of it
    #[arg(long, value_name = "ID")]
    agreement: String,
    /// The number of an earlier bundle, to write only what came since
    #[arg(long, value_name = "NUMBER")]
    since: Option<u64>,
    /// The one agency that it is for, such as one that is asked to join; else it is for all parties
    #[arg(long, value_name = "AGENCY")]
    to: Option<String>,
    /// The file to be written; there is none yet
    file: PathBuf,
}

#[derive(Deserialize)]
struct Begun {
    number: u64,
    place: String,
}

#[derive(Deserialize)]
struct PartOut {
    head: Option<String>,
    part: String,
    next: Option<String>,
}

#[derive(Deserialize)]
struct PartDone {
    agreement: Titled,
    maker: Named,
    last: bool,
    new: u64,
    held: u64,
    refused: u64,
    entries: u64,
    early: u64,
    stopped: Vec<Stopped>,
}

#[derive(Deserialize)]
struct Stopped {
    author: Named,
    reason: String,
}

pub(crate) fn run(command: &BundleCommand, globals: &Globals, out: &Output) -> Result<(), CliError> {
    let client = Client::find(globals, out)?;
    match command {
        BundleCommand::Export(args) => export(args, &client, out),
        BundleCommand::Import { files } => import(files, &client, out),
    }
}

fn export(args: &ExportArgs, client: &Client, out: &Output) -> Result<(), CliError> {
    let failed = |source: io::Error| CliError::Write { path: args.file.clone(), source };
    let file = OpenOptions::new().write(true).create_new(true).open(&args.file).map_err(failed)?;
    let result = write(args, file, client, out);
    if result.is_err() {
        // Half a bundle is of no use to anyone.
        std::fs::remove_file(&args.file).map_err(failed)?;
    }
    let (number, parts, bytes) = result?;
    if out.is_json() {
        return out.raw(&json!({ "number": number, "parts": parts, "bytes": bytes }).to_string());
    }
    out.line(&format!("{}: {parts} parts, {bytes} bytes", args.file.display()))?;
    out.line(&format!(
        "what comes after it: entente bundle export --agreement {} --since {number} FILE",
        args.agreement
    ))
}

fn write(args: &ExportArgs, file: File, client: &Client, out: &Output) -> Result<(u64, u64, u64), CliError> {
    let failed = |source: io::Error| CliError::Write { path: args.file.clone(), source };
    let mut request = json!({});
    if let Some(since) = args.since {
        request["since"] = since.into();
    }
    if let Some(to) = &args.to {
        request["to"] = to.as_str().into();
    }
    let begun: Begun = client.write(&["v1", "agreements", &args.agreement, "bundles"], &request)?.read()?;
    let mut writer = BufWriter::new(file);
    writer.write_all(MAGIC).map_err(failed)?;
    let (mut parts, mut bytes) = (0, MAGIC.len() as u64);
    let mut place = Some(begun.place);
    while let Some(at) = place {
        let answer = client.get(&["v1", "agreements", &args.agreement, "bundles", &at], &[])?;
        let part: PartOut = answer.read()?;
        for frame in part.head.iter().chain([&part.part]) {
            let frame = STANDARD
                .decode(frame)
                .map_err(|_| CliError::Bundle { path: args.file.clone(), why: "the node sent no base64" })?;
            let length = u32::try_from(frame.len()).expect("a part is far below 4 GiB");
            writer.write_all(&length.to_be_bytes()).and_then(|()| writer.write_all(&frame)).map_err(failed)?;
            bytes += 4 + frame.len() as u64;
        }
        parts += 1;
        if parts % 50 == 0 {
            out.note(&format!("{parts} parts, {bytes} bytes"));
        }
        place = part.next;
    }
    let file = writer.into_inner().map_err(|error| failed(error.into_error()))?;
    file.sync_all().map_err(failed)?;
    Ok((begun.number, parts, bytes))
}

/// What came of a file.
#[derive(Default)]
struct Sum {
    parts: u64,
    new: u64,
    held: u64,
    refused: u64,
    entries: u64,
    early: u64,
    stopped: Vec<Stopped>,
    of: Option<(Titled, Named)>,
    whole: bool,
}

fn import(files: &[PathBuf], client: &Client, out: &Output) -> Result<(), CliError> {
    let mut rows: Vec<Vec<Cell>> = Vec::new();
    let mut cut = None;
    for path in files {
        let sum = take(path, client)?;
        if out.is_json() {
            let stopped: Vec<_> =
                sum.stopped.iter().map(|log| json!({ "author": log.author.name, "reason": log.reason })).collect();
            out.raw(&json!({
                "file": path.display().to_string(), "whole": sum.whole, "parts": sum.parts, "new": sum.new, "held": sum.held,
                "refused": sum.refused, "entries": sum.entries, "early": sum.early, "stopped": stopped,
            }).to_string())?;
        }
        for log in &sum.stopped {
            out.warn(&format!("{}: entries of {} were refused: {}", path.display(), log.author.name, log.reason));
        }
        if sum.early + sum.held > 0 {
            out.warn(&format!(
                "{}: some of it waits for an earlier bundle; import that one, and then this one again",
                path.display()
            ));
        }
        cut = cut.or((!sum.whole).then(|| path.clone()));
        let (title, maker) = sum.of.map(|(titled, maker)| (titled.title, maker.name)).unwrap_or_default();
        rows.push(vec![
            path.display().to_string().into(),
            title.into(),
            maker.into(),
            sum.entries.to_string().into(),
            sum.new.to_string().into(),
            sum.refused.to_string().into(),
        ]);
    }
    if !out.is_json() {
        out.table(&["FILE", "AGREEMENT", "MADE BY", "ENTRIES", "NEW OBJECTS", "REFUSED"], rows)?;
    }
    match cut {
        None => Ok(()),
        Some(path) => Err(CliError::Bundle {
            path,
            why: "it is cut short; what it had is kept, so fetch it again and import it again",
        }),
    }
}

fn take(path: &Path, client: &Client) -> Result<Sum, CliError> {
    let not = |why: &'static str| CliError::Bundle { path: path.to_owned(), why };
    let failed = |source: io::Error| CliError::Read { path: path.to_owned(), source };
    let mut reader = BufReader::new(File::open(path).map_err(failed)?);
    let mut magic = [0; MAGIC.len()];
    if reader.read_exact(&mut magic).is_err() || magic != *MAGIC {
        return Err(not("it is no bundle: it does not begin as one"));
    }
    let mut sum = Sum::default();
    let Some(head) = frame(&mut reader, HEAD_BYTES).map_err(failed)? else { return Ok(sum) };
    let head = STANDARD.encode(head);
    while let Some(part) = frame(&mut reader, MAX_SEALED_BYTES).map_err(failed)? {
        let request = json!({ "head": head, "part": STANDARD.encode(part) });
        let done: PartDone = client.write(&["v1", "bundles"], &request)?.read()?;
        sum.parts += 1;
        sum.new += done.new;
        sum.held = done.held;
        sum.refused += done.refused;
        sum.entries += done.entries;
        sum.early += done.early;
        sum.stopped.extend(done.stopped);
        sum.whole |= done.last;
        sum.of = Some((done.agreement, done.maker));
    }
    Ok(sum)
}

/// The next frame; nothing at the end, and where the file is cut within one.
fn frame(reader: &mut impl Read, max: usize) -> io::Result<Option<Vec<u8>>> {
    let mut length = [0; 4];
    if !whole(reader.read_exact(&mut length))? {
        return Ok(None);
    }
    let length = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
    if length > max {
        return Err(io::Error::other(format!(
            "a part of {length} bytes, where at most {max} are taken: it is damaged"
        )));
    }
    let mut bytes = vec![0; length];
    Ok(whole(reader.read_exact(&mut bytes))?.then_some(bytes))
}

fn whole(read: io::Result<()>) -> io::Result<bool> {
    match read {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}

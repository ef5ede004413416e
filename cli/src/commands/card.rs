//! `entente card`: who an agency is, and by which keys it is known.
//!
//! The words of a card that is being imported are deliberately not shown before they were entered: the
//! person is to type what the other agency reads out, and not what stands in the file that someone sent.

use std::fs::File;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use entente_protocol::identity::{CardExport, Fingerprint};
use qrcode::QrCode;
use qrcode::render::unicode::Dense1x2;
use serde_json::json;

use super::{STANDARD, agencies, read_text};
use crate::args::{Globals, Reading};
use crate::client::{Answer, Client};
use crate::error::CliError;
use crate::output::Output;
use crate::prompt;
use crate::views::{Agency, Card, CardAsWritten, Imported};

/// A card with its address records; the objects in it are bounded by the protocol.
const CARD_BYTES: u64 = 1 << 20;
/// Where a node keeps the export of its own card.
const EXPORT: &str = "agency.card";

const IMPORT_EXAMPLE: &str = "\
Example:
  entente card import b.card --fingerprint \"WORDS AS THEY WERE READ OUT\"";

/// What to do with cards.
#[derive(Debug, Subcommand)]
pub(crate) enum CardCommand {
    /// Show the own card, with its fingerprint in words and as a QR code; works also while the node is down
    #[command(after_long_help = "Example:\n  entente card show")]
    Show {
        #[command(flatten)]
        reading: Reading,
    },
    /// Write the own card to a file that partners import; works also while the node is down
    #[command(after_long_help = "Example:\n  entente card export a.card")]
    Export {
        /// The file to make, or `-` for standard output
        #[arg(default_value = STANDARD)]
        file: PathBuf,
    },
    /// Import and pin a partner's card, after comparing its fingerprint by phone
    Import(ImportArgs),
}

/// Import and pin a partner's card, after comparing its fingerprint by phone.
///
/// Call the agency on a number that you know from elsewhere and let them read out the fingerprint that
/// `entente card show` shows them. On a terminal the words are asked for, in a script give --fingerprint.
#[derive(Args, Debug)]
#[command(after_long_help = IMPORT_EXAMPLE)]
pub(crate) struct ImportArgs {
    /// The card's file, or `-` for standard input
    file: PathBuf,
    /// The words that the agency read out
    #[arg(long, value_name = "WORDS")]
    fingerprint: Option<String>,
}

pub(crate) fn run(command: &CardCommand, globals: &Globals, out: &Output) -> Result<(), CliError> {
    match command {
        CardCommand::Show { reading } => show(reading, globals, out),
        CardCommand::Export { file } => export(file, globals, out),
        CardCommand::Import(args) => import(args, globals, out),
    }
}

fn show(reading: &Reading, globals: &Globals, out: &Output) -> Result<(), CliError> {
    let card = match own_card(&reading.query(), globals, out)? {
        Own::Answered(answer) if out.is_json() => return out.raw(answer.read::<CardAsWritten>()?.agency.get()),
        Own::Answered(answer) => answer.read()?,
        Own::Kept(card) if out.is_json() => return out.value(&card.agency),
        Own::Kept(card) => *card,
    };
    agencies::show(&card.agency, out)?;
    // Light modules are drawn, on the dark ground of a terminal; a scanner reads it either way.
    if let Ok(code) = QrCode::new(card.agency.qr.as_bytes()) {
        let mut drawing = code.render::<Dense1x2>();
        let drawing = drawing.dark_color(Dense1x2::Light).light_color(Dense1x2::Dark).build();
        out.line("")?;
        out.lines(&drawing)?;
    }
    Ok(())
}

fn export(file: &Path, globals: &Globals, out: &Output) -> Result<(), CliError> {
    let export = match own_card(&[], globals, out)? {
        Own::Answered(answer) => answer.read::<Card>()?.export,
        Own::Kept(card) => card.export,
    };
    if file.as_os_str() == STANDARD {
        return if out.is_json() { out.value(&json!({ "export": export })) } else { out.bytes(export.as_bytes()) };
    }
    let written = File::create_new(file).and_then(|mut made| made.write_all(export.as_bytes()));
    written.map_err(|source| match source.kind() {
        ErrorKind::AlreadyExists => CliError::Exists { path: file.to_owned() },
        _ => CliError::Write { path: file.to_owned(), source },
    })?;
    if out.is_json() {
        return out.value(&json!({ "file": file.display().to_string() }));
    }
    out.line(&format!("exported to {}", file.display()))
}

/// The own card, as the node answered it, or as it lies in the data directory.
enum Own {
    Answered(Answer),
    Kept(Box<Card>),
}

/// Asks the node; while it is down, reads the export that it keeps in its data directory.
fn own_card(query: &[(&str, &str)], globals: &Globals, out: &Output) -> Result<Own, CliError> {
    let online = Client::find(globals, out).and_then(|client| client.get(&["v1", "card"], query));
    match (online, &globals.data) {
        (Err(error), Some(data)) if error.unreachable() && globals.url.is_none() => {
            let path = data.join(EXPORT);
            let export = read_text(&path, CARD_BYTES).map_err(|_| error)?;
            let agency = Agency::of(&parse(&path, &export)?, "self");
            Ok(Own::Kept(Box::new(Card { agency, export })))
        }
        (online, _) => Ok(Own::Answered(online?)),
    }
}

fn parse(path: &Path, card: &str) -> Result<CardExport, CliError> {
    CardExport::from_armour(card.as_bytes()).map_err(|source| CliError::Card { path: path.to_owned(), source })
}

/// The words are compared here, for a quick answer, and once more by the node, which is what counts.
fn import(args: &ImportArgs, globals: &Globals, out: &Output) -> Result<(), CliError> {
    let card = read_text(&args.file, CARD_BYTES)?;
    let export = parse(&args.file, &card)?;
    let client = Client::find(globals, out)?;
    let fingerprint = match &args.fingerprint {
        Some(words) => words.clone(),
        None if !prompt::is_interactive() => return Err(CliError::NoFingerprint),
        None if args.file.as_os_str() == STANDARD => return Err(CliError::StandardInputTaken),
        None => ask(&Agency::of(&export, "unknown"), out)?,
    };
    Fingerprint::of(export.card().agency()).matches(&fingerprint)?;
    let body = json!({ "card": card, "fingerprint": fingerprint, "vouched": false });
    let answer = client.write(&["v1", "cards"], &body)?;
    if out.is_json() {
        return out.raw(&answer.0);
    }
    let imported: Imported = answer.read()?;
    out.line(&format!("imported and pinned {}", imported.agency.name))?;
    agencies::show(&imported.agency, out)
}

/// Shows whose card it claims to be, and asks for the words that this agency read out.
fn ask(agency: &Agency, out: &Output) -> Result<String, CliError> {
    out.note("the file claims to be the card of");
    out.note_fields(agencies::fields(agency));
    out.note("call this agency on a number that you know from elsewhere, and type the words they read out");
    Some(prompt::ask("fingerprint:")?).filter(|words| !words.is_empty()).ok_or(CliError::NoFingerprint)
}

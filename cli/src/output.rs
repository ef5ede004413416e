//! What a command prints, in the one voice of the program.
//!
//! Results go to standard output, all else to standard error. A table on a terminal fits its width, has
//! colour unless `NO_COLOR` is set, and says how long ago something was; written to a file or a pipe it has one row a
//! line, no colour, and times in UTC alone, so that it does not change with the hour. With `--json` standard
//! output carries JSON only, one object a line.

use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;

use comfy_table::{Attribute, Cell as TableCell, Color, ContentArrangement, Table, presets};
use jiff::{Timestamp, Unit};
use serde::Serialize;

use crate::client::Items;
use crate::error::CliError;
use crate::text;

/// Where and how to print.
pub(crate) struct Output {
    json: bool,
    terminal: bool,
    colour: bool,
    now: Timestamp,
}

/// How a cell is to be read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Tone {
    Plain,
    Good,
    Bad,
}

/// One cell of a table.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Cell {
    text: String,
    tone: Tone,
}

impl Cell {
    /// A state to be content with.
    pub(crate) fn good(text: impl Into<String>) -> Self {
        Self { text: text.into(), tone: Tone::Good }
    }

    /// A state to look into.
    pub(crate) fn bad(text: impl Into<String>) -> Self {
        Self { text: text.into(), tone: Tone::Bad }
    }
}

impl<T: Into<String>> From<T> for Cell {
    fn from(text: T) -> Self {
        Self { text: text.into(), tone: Tone::Plain }
    }
}

#[expect(clippy::unused_self, reason = "whoever prints holds the output, also where no setting matters")]
impl Output {
    #[expect(clippy::disallowed_methods, reason = "the one reading of the clock: ages are shown to a person")]
    pub(crate) fn new(json: bool) -> Self {
        let terminal = io::stdout().is_terminal();
        let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        Self { json, terminal, colour: terminal && !set("NO_COLOR") && !dumb, now: Timestamp::now() }
    }

    /// True where `--json` was asked for.
    pub(crate) fn is_json(&self) -> bool {
        self.json
    }

    /// One line of a result.
    pub(crate) fn line(&self, line: &str) -> Result<(), CliError> {
        print(&text::line(line))
    }

    /// Several lines of a result, each made harmless by itself.
    pub(crate) fn lines(&self, lines: &str) -> Result<(), CliError> {
        lines.lines().try_for_each(|line| self.line(line))
    }

    /// A line that begins a part of the result.
    pub(crate) fn heading(&self, heading: &str) -> Result<(), CliError> {
        let heading = text::line(heading);
        if self.colour { print(&format!("\u{1b}[1m{heading}\u{1b}[0m")) } else { print(&heading) }
    }

    /// JSON that came from the node, on one line, with the order of its keys.
    pub(crate) fn raw(&self, json: &str) -> Result<(), CliError> {
        print(&text::json(json))
    }

    /// A list's items, one a line.
    pub(crate) fn raw_items(&self, items: &Items) -> Result<(), CliError> {
        items.items.iter().try_for_each(|item| self.raw(item.get()))
    }

    /// A value of our own as JSON on one line.
    pub(crate) fn value(&self, value: &impl Serialize) -> Result<(), CliError> {
        self.raw(&serde_json::to_string(value)?)
    }

    pub(crate) fn table(&self, header: &[&str], rows: Vec<Vec<Cell>>) -> Result<(), CliError> {
        print(&self.draw(Some(header), rows))
    }

    /// Names with their values, one a line.
    pub(crate) fn fields(&self, fields: Vec<(&str, Cell)>) -> Result<(), CliError> {
        let rows = fields.into_iter().map(|(name, value)| vec![name.into(), value]).collect();
        print(&self.draw(None, rows))
    }

    /// Something beside the result, on standard error; a lost note is not a failure.
    pub(crate) fn note(&self, note: &str) {
        for line in note.lines() {
            let _ = writeln!(io::stderr(), "{}", text::line(line));
        }
    }

    /// A table beside the result, such as who will receive what is about to be sent.
    pub(crate) fn note_table(&self, header: &[&str], rows: Vec<Vec<Cell>>) {
        self.note(&self.plain().draw(Some(header), rows));
    }

    /// Names with their values, beside the result.
    pub(crate) fn note_fields(&self, fields: Vec<(&str, Cell)>) {
        let rows = fields.into_iter().map(|(name, value)| vec![name.into(), value]).collect();
        self.note(&self.plain().draw(None, rows));
    }

    pub(crate) fn warn(&self, warning: &str) {
        self.note(&format!("warning: {}", text::line(warning)));
    }

    /// Tells why nothing came of it, and gives the exit status.
    pub(crate) fn fail(&self, error: &CliError) -> ExitCode {
        if error.is_closed_pipe() {
            return ExitCode::SUCCESS;
        }
        self.note(&format!("error: {}", text::line(&error.to_string())));
        if let Some(hint) = error.hint() {
            self.note(&format!("hint: {}", text::line(&hint)));
        }
        error.status()
    }

    /// A moment in UTC, on a terminal with how long ago it was.
    pub(crate) fn when(&self, time: &str) -> String {
        let Ok(moment) = time.parse::<Timestamp>() else {
            return time.to_owned();
        };
        let utc = moment.strftime("%Y-%m-%d %H:%M:%SZ").to_string();
        match self.ago(moment) {
            Some(ago) if self.terminal => format!("{utc} ({ago})"),
            _ => utc,
        }
    }

    /// The same, of something that may not have happened.
    pub(crate) fn when_or(&self, time: Option<&str>, otherwise: &str) -> String {
        time.map_or_else(|| otherwise.to_owned(), |time| self.when(time))
    }

    /// How long ago, unbroken where a column is narrow; nothing of what is yet to come.
    fn ago(&self, moment: Timestamp) -> Option<String> {
        let seconds = self.now.since((Unit::Second, moment)).ok()?.get_seconds();
        Some(match seconds {
            ..0 => return None,
            0..60 => format!("{seconds}\u{a0}s\u{a0}ago"),
            60..3_600 => format!("{}\u{a0}min\u{a0}ago", seconds / 60),
            3_600..86_400 => format!("{}\u{a0}h\u{a0}ago", seconds / 3_600),
            _ => format!("{}\u{a0}d\u{a0}ago", seconds / 86_400),
        })
    }

    /// As it would be written to a file.
    fn plain(&self) -> Self {
        Self { terminal: false, colour: false, ..*self }
    }

    fn draw(&self, header: Option<&[&str]>, rows: Vec<Vec<Cell>>) -> String {
        let mut table = Table::new();
        table.load_style(presets::NOTHING);
        if !self.terminal {
            table.force_no_tty();
        }
        // Some terminals, a serial line for one, do not know their width.
        if table.width().is_some_and(|width| width > 0) {
            table.set_content_arrangement(ContentArrangement::Dynamic);
        }
        if self.colour {
            table.enforce_styling();
        }
        if let Some(header) = header {
            let bold = |name: &&str| {
                let cell = TableCell::new(name);
                if self.colour { cell.add_attribute(Attribute::Bold) } else { cell }
            };
            table.set_header(header.iter().map(bold).collect::<Vec<_>>());
        }
        for row in rows {
            table.add_row(row.into_iter().map(|cell| self.cell(&cell)).collect::<Vec<_>>());
        }
        for column in table.column_iter_mut() {
            column.set_padding((0, 2));
        }
        table.trim_fmt()
    }

    fn cell(&self, cell: &Cell) -> TableCell {
        let drawn = TableCell::new(text::line(&cell.text));
        match cell.tone {
            Tone::Good if self.colour => drawn.fg(Color::Green),
            Tone::Bad if self.colour => drawn.fg(Color::Red),
            _ => drawn,
        }
    }

    /// Bytes as they are: a card's export, a completion script.
    pub(crate) fn bytes(&self, bytes: &[u8]) -> Result<(), CliError> {
        let mut out = io::stdout().lock();
        out.write_all(bytes).and_then(|()| out.flush()).map_err(CliError::Print)
    }
}

/// The one way of text to standard output; a closed pipe comes back as an error instead of a panic.
fn print(text: &str) -> Result<(), CliError> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| out.write_all(b"\n")).map_err(CliError::Print)
}

#[cfg(test)]
mod tests {
    use super::{Cell, Output};

    fn output(terminal: bool, colour: bool) -> Output {
        Output { json: false, terminal, colour, now: "2026-11-22T16:00:00Z".parse().unwrap() }
    }

    #[test]
    fn a_terminal_is_told_how_long_ago() {
        let out = output(true, false);
        let cases = [
            ("2026-11-22T16:00:00.000Z", "2026-11-22 16:00:00Z (0\u{a0}s\u{a0}ago)"),
            ("2026-11-22T15:59:01.000Z", "2026-11-22 15:59:01Z (59\u{a0}s\u{a0}ago)"),
            ("2026-11-22T15:58:00.000Z", "2026-11-22 15:58:00Z (2\u{a0}min\u{a0}ago)"),
            ("2026-11-22T13:00:00.000Z", "2026-11-22 13:00:00Z (3\u{a0}h\u{a0}ago)"),
            ("2025-11-22T16:00:00.000Z", "2025-11-22 16:00:00Z (365\u{a0}d\u{a0}ago)"),
            ("2026-11-22T16:00:01.000Z", "2026-11-22 16:00:01Z"),
            ("soon", "soon"),
        ];
        for (time, shown) in cases {
            assert_eq!(out.when(time), shown);
        }
        assert_eq!(output(false, false).when("2025-11-22T16:00:00.000Z"), "2025-11-22 16:00:00Z");
    }

    #[test]
    fn a_table_in_a_file_has_one_row_a_line() {
        let long = "x".repeat(300);
        let drawn =
            output(false, false).draw(Some(&["NAME", "STATE"]), vec![vec![long.as_str().into(), Cell::good("up")]]);
        assert_eq!(drawn, format!("NAME{}STATE\n{long}  up", " ".repeat(298)));
    }

    #[test]
    fn colour_is_ours_alone() {
        let cell = Cell::bad("\u{1b}[2Jdown");
        let drawn = output(true, true).draw(None, vec![vec![cell.clone()]]);
        assert!(drawn.contains("\u{1b}[38;5;9m\\u{1b}[2Jdown"), "{drawn:?}");
        assert!(!output(true, false).draw(None, vec![vec![cell]]).contains('\u{1b}'));
    }
}

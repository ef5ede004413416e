//! Tables: CSV and TSV, streamed.
//!
//! The separator is told by the header: comma, semicolon, tab or bar. A table without a header has an indicator in its
//! first line. Bytes that are no UTF-8 are replaced, and refused where they matter. A record is bounded, so that a
//! quotation mark without its end does not swallow the file.

use std::cell::Cell;
use std::io::{self, BufRead, Read};
use std::rc::Rc;

use csv::{ByteRecord, ReaderBuilder};
use entente_protocol::indicator::examine;

use crate::columns::{Columns, SAMPLE};
use crate::open::Settings;
use crate::row::{FileError, Item, Making};

/// The most that one record may have.
const RECORD_BYTES: u64 = 1 << 20;

/// A table that is being read.
pub(crate) struct Table<'a> {
    reader: csv::Reader<Metered<Box<dyn BufRead + 'a>>>,
    room: Rc<Cell<u64>>,
    /// Rows that were read to tell the columns.
    ahead: std::vec::IntoIter<ByteRecord>,
    columns: Columns,
    settings: &'a Settings,
    ended: bool,
}

/// Lets so many bytes through until more room is given.
struct Metered<R> {
    inner: R,
    room: Rc<Cell<u64>>,
}

impl<R: Read> Read for Metered<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.room.get() == 0 {
            let rule = format!("a record has more than {RECORD_BYTES} bytes: a quotation mark may lack its end");
            return Err(io::Error::new(io::ErrorKind::InvalidData, rule));
        }
        let most = buffer.len().min(usize::try_from(self.room.get()).unwrap_or(usize::MAX));
        let read = self.inner.read(&mut buffer[..most])?;
        self.room.set(self.room.get() - read as u64);
        Ok(read)
    }
}

impl<'a> Table<'a> {
    pub(crate) fn open(
        reader: Box<dyn BufRead + 'a>,
        separator: u8,
        settings: &'a Settings,
    ) -> Result<Self, FileError> {
        let room = Rc::new(Cell::new(RECORD_BYTES));
        let metered = Metered { inner: reader, room: Rc::clone(&room) };
        let mut reader =
            ReaderBuilder::new().delimiter(separator).has_headers(false).flexible(true).from_reader(metered);
        let mut next = || -> Result<Option<ByteRecord>, FileError> {
            room.set(RECORD_BYTES);
            let mut record = ByteRecord::new();
            Ok(reader.read_byte_record(&mut record).map_err(failed)?.then_some(record))
        };
        let first = next()?.ok_or_else(|| FileError::Format("the table is empty".to_owned()))?;
        let cells: Vec<String> = first.iter().map(|cell| String::from_utf8_lossy(cell).trim().to_owned()).collect();
        let has_header = !cells.iter().any(|cell| is_indicator(cell));
        let mut ahead = if has_header { Vec::new() } else { vec![first] };
        let headers = if has_header { cells } else { (1..=cells.len()).map(|n| format!("column {n}")).collect() };
        while ahead.len() < SAMPLE {
            match next()? {
                Some(record) => ahead.push(record),
                None => break,
            }
        }
        let texts =
            |record: &ByteRecord| record.iter().map(|cell| String::from_utf8_lossy(cell).into_owned()).collect();
        let sample: Vec<Vec<String>> = ahead.iter().map(texts).collect();
        let columns = Columns::tell(&headers, &sample, &settings.map).map_err(FileError::Format)?;
        if !columns.has_indicator() {
            return Err(FileError::Format(format!(
                "no column holds addresses or other indicators; there are {}: say which with --map COLUMN=indicator",
                headers.join(", ")
            )));
        }
        Ok(Self { reader, room, ahead: ahead.into_iter(), columns, settings, ended: false })
    }

    pub(crate) fn columns(&self) -> &Columns {
        &self.columns
    }

    fn next_record(&mut self) -> Option<Result<ByteRecord, FileError>> {
        if let Some(record) = self.ahead.next() {
            return Some(Ok(record));
        }
        if self.ended {
            return None;
        }
        self.room.set(RECORD_BYTES);
        let mut record = ByteRecord::new();
        match self.reader.read_byte_record(&mut record) {
            Ok(true) => Some(Ok(record)),
            Ok(false) => None,
            Err(error) => {
                self.ended = true;
                Some(Err(failed(error)))
            }
        }
    }
}

impl Iterator for Table<'_> {
    type Item = Result<Item, FileError>;

    fn next(&mut self) -> Option<Self::Item> {
        let record = match self.next_record()? {
            Ok(record) => record,
            Err(error) => return Some(Err(error)),
        };
        let line = record.position().map_or(0, csv::Position::line);
        let cells: Vec<String> = record.iter().map(|cell| String::from_utf8_lossy(cell).into_owned()).collect();
        let mut making = Making::new(&self.settings.defaults, line, "");
        self.columns.fill(&mut making, cells.iter().map(String::as_str));
        Some(Ok(making.finish()))
    }
}

fn failed(error: csv::Error) -> FileError {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => FileError::Io(error),
        other => FileError::Format(format!("it is no table: {other:?}")),
    }
}

/// Whether a cell of the first line is something that headers are not.
fn is_indicator(cell: &str) -> bool {
    let examined = examine(cell);
    examined.refused.is_none()
        && examined.readings.iter().any(|reading| reading.form != "name" && reading.form != "handle")
}

/// The separator that a header is written with: the one that parts it into most cells.
pub(crate) fn separator(line: &str) -> Option<u8> {
    let count = |separator: &u8| line.bytes().filter(|byte| byte == separator).count();
    let best = *b",;\t|".iter().max_by_key(|separator| count(separator))?;
    (count(&best) > 0).then_some(best)
}

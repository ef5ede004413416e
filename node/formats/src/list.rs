//! Plain lists: one a line. Comments and blank lines are no rows; what stands behind a `#` is told as a note. Lines of
//! a hosts file name the domain last.

use std::io::{BufRead, Read};

use crate::open::Settings;
use crate::row::{FileError, Item, Making};

/// The longest line that is read.
const LINE_BYTES: usize = 16 << 10;

/// A list that is being read.
pub(crate) struct List<'a> {
    reader: Box<dyn BufRead + 'a>,
    settings: &'a Settings,
    line: u64,
}

impl<'a> List<'a> {
    pub(crate) fn open(reader: Box<dyn BufRead + 'a>, settings: &'a Settings) -> Self {
        Self { reader, settings, line: 0 }
    }

    /// The next line; of one that is too long, its beginning.
    fn read_line(&mut self) -> std::io::Result<Option<String>> {
        let mut bytes = Vec::new();
        if self.reader.by_ref().take(LINE_BYTES as u64).read_until(b'\n', &mut bytes)? == 0 {
            return Ok(None);
        }
        self.line += 1;
        if bytes.len() == LINE_BYTES && !bytes.ends_with(b"\n") {
            self.reader.skip_until(b'\n')?;
        }
        let text = String::from_utf8_lossy(&bytes).into_owned();
        Ok(Some(if self.line == 1 { text.trim_start_matches('\u{feff}').to_owned() } else { text }))
    }
}

impl Iterator for List<'_> {
    type Item = Result<Item, FileError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let line = match self.read_line() {
                Ok(line) => line?,
                Err(error) => return Some(Err(error.into())),
            };
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') || line.starts_with("//") || line.starts_with(';') {
                continue;
            }
            let (text, comment) = match line.split_once(" #").or_else(|| line.split_once("\t#")) {
                Some((text, comment)) => (text.trim(), comment.trim()),
                None => (line, ""),
            };
            let of_hosts = ["0.0.0.0", "127.0.0.1", "::1"].iter().find_map(|start| text.strip_prefix(start));
            let text = of_hosts.filter(|rest| rest.starts_with([' ', '\t'])).map_or(text, str::trim);
            let mut making = Making::new(&self.settings.defaults, self.line, "");
            making.indicator("", text);
            making.note(comment);
            return Some(Ok(making.finish()));
        }
    }
}

//! Antelope (EOS and its kin): names of up to 13 characters, with no checksum.

use super::Fault;
use super::reading::Read;

pub(super) fn read(text: &str) -> Result<Read, Fault> {
    let unfit = text.chars().enumerate().find(|(_, found)| !matches!(found, 'a'..='z' | '1'..='5' | '.'));
    if let Some((index, found)) = unfit {
        return Err(Fault::Character { position: index + 1, found });
    }
    if !(1..=13).contains(&text.len()) {
        return Err(Fault::Length { unit: "characters", found: text.len(), expected: "1 to 13" });
    }
    if text.ends_with('.') || text.len() == 13 && !matches!(text.as_bytes()[12], b'a'..=b'j' | b'1'..=b'5') {
        return Err(Fault::Rule("a name does not end so"));
    }
    Ok(Read::new(text, "name"))
}

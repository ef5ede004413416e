//! What stands around an address where people copy it from: spaces, invisible characters, quotes, a payment URI, a page
//! of an explorer. It is taken away, and each thing taken away is told.

use super::explorers::chain_of;
use super::{Chain, ChainError};

/// What is left of a text.
#[derive(Debug, Default)]
pub(super) struct Tidied {
    /// What should be an address.
    pub(super) text: String,
    /// The chain that stood before it, as a name or a CAIP-2 id, or why what stood there is none.
    pub(super) chain: Option<Result<Chain, ChainError>>,
    /// A tag, memo or payment id that stood in a URI.
    pub(super) tag: Option<String>,
    /// What was done.
    pub(super) changed: Vec<&'static str>,
}

/// Takes debris away.
pub(super) fn tidy(text: &str) -> Tidied {
    let mut tidied = Tidied::default();
    // Most texts are nothing but an address.
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        text.clone_into(&mut tidied.text);
        return tidied;
    }
    let visible = tidied.note(text, visible(text), "invisible characters were removed");
    let ascii = tidied.note(&visible, visible.chars().map(halfwidth).collect(), "wide letters were narrowed");
    let trimmed = ascii.trim();
    tidied.told(trimmed.len() < ascii.len(), "spaces around it were removed");
    let bare =
        trimmed.trim_start_matches(is_wrapping).trim_end_matches(|found| is_wrapping(found) || ".,;".contains(found));
    tidied.told(bare.len() < trimmed.len(), "quotes, brackets or punctuation around it were removed");
    let joined: String = bare.split_whitespace().collect();
    tidied.told(joined.len() < bare.len(), "spaces within it were removed");
    tidied.unwrap(&joined);
    tidied
}

/// The CAIP-2 id or name that a text begins with, and what follows its colon.
fn chain_before(text: &str) -> Option<(Result<Chain, ChainError>, &str)> {
    let (first, rest) = text.split_once(':')?;
    if has_own_colon(first) {
        return None;
    }
    if let Some((reference, address)) = rest.split_once(':') {
        let chain = Chain::parse(&format!("{first}:{reference}"));
        let of_the_address = has_own_colon(reference) || Chain::parse(reference).is_ok();
        if chain.is_ok() || !of_the_address || Chain::parse(first).is_err() {
            return Some((chain, address));
        }
    }
    let first = first.to_ascii_lowercase();
    Some((Chain::parse(first.strip_prefix("web+").unwrap_or(&first)), rest))
}

/// Parameters of URIs that name a tag, a memo or a payment id.
const TAGS: [&str; 5] = ["dt", "tag", "memo", "memo_id", "tx_payment_id"];

/// The first of these parameters.
fn parameter(query: &str, names: &[&str]) -> Option<String> {
    let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    let found = pairs.find(|(name, _)| names.contains(&name.to_ascii_lowercase().as_str()));
    found.map(|(_, value)| value.to_owned())
}

/// Whether a colon after this belongs to the address: to a raw one of TON, before a tag of the XRP Ledger, or after the
/// kind of an account on Conflux.
fn has_own_colon(before: &str) -> bool {
    matches!(before, "0" | "-1")
        || before.len() >= 25 && before.starts_with(['r', 'X', 'T'])
        || before.get(..5).is_some_and(|start| start.eq_ignore_ascii_case("type."))
}

impl Tidied {
    fn told(&mut self, done: bool, what: &'static str) {
        if done {
            self.changed.push(what);
        }
    }

    fn note(&mut self, before: &str, after: String, what: &'static str) -> String {
        self.told(before != after, what);
        after
    }

    /// Takes away a URI around the address.
    fn unwrap(&mut self, text: &str) {
        let lower = text.to_ascii_lowercase();
        if lower.starts_with("https://") || lower.starts_with("http://") {
            let path = text.split(['?', '#']).next().unwrap_or_default();
            let last = path.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
            last.clone_into(&mut self.text);
            self.chain = chain_of(text).map(Ok);
            return self.told(true, "the page's address around it was removed");
        }
        // As CAIP-10 was first written.
        let behind = text.split_once('@').filter(|(_, chain)| chain.contains(':'));
        if let Some((address, chain)) = behind.and_then(|(address, chain)| Some((address, Chain::parse(chain).ok()?))) {
            address.clone_into(&mut self.text);
            self.chain = Some(Ok(chain));
            return;
        }
        let Some((chain, rest)) = chain_before(text) else {
            let (address, query) = text.split_once('?').unwrap_or((text, ""));
            self.told(address.len() < text.len(), "the parameters behind it were removed");
            self.tag = parameter(query, &TAGS);
            address.clone_into(&mut self.text);
            return;
        };
        let Ok(chain) = chain else {
            self.chain = Some(chain);
            return;
        };
        self.chain = Some(Ok(chain));
        let slashes = rest.trim_start_matches('/');
        let path = slashes.strip_prefix("transfer/").unwrap_or(slashes);
        let path = path.strip_prefix("pay-").unwrap_or(path);
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let is_uri = path.len() < rest.len();
        let (path, number) = path.split_once('@').map_or((path, None), |(path, number)| (path, Some(number)));
        let (path, function) = path.split_once('/').map_or((path, None), |(path, function)| (path, Some(function)));
        if let Some(number) = number.and_then(|number| number.split('/').next()?.parse().ok())
            && chain.evm_number().is_some()
        {
            self.chain = Some(Ok(Chain::evm(number).unwrap_or(chain)));
        }
        // EIP-681 names the token first and the payee as a parameter; SEP-7 only the latter.
        let payee = parameter(query, &["address", "destination"])
            .filter(|_| function.is_some() || path.is_empty() || path == "pay");
        self.told(payee.is_some(), "the payee was taken from the parameters of the URI");
        self.tag = parameter(query, &TAGS);
        self.text = payee.unwrap_or_else(|| unescaped(path));
        self.told(is_uri, "the URI around it was removed");
    }
}

/// Undoes the `%XX` with which CAIP-10 and URIs write what they do not permit, where they stand for one printable character.
fn unescaped(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let digits = tail.get(..2).filter(|_| *first == b'%').and_then(|two| std::str::from_utf8(two).ok());
        let escaped = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()).filter(u8::is_ascii_graphic);
        bytes.push(escaped.unwrap_or(*first));
        rest = if escaped.is_some() { &tail[2..] } else { tail };
    }
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
}

/// Without what no eye sees: zero-width and direction marks, soft hyphens, byte order marks, controls.
fn visible(text: &str) -> String {
    let hidden = |found: &char| {
        matches!(found, '\u{ad}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fe00}'..='\u{fe0f}')
            || found.is_control() && !found.is_whitespace()
    };
    text.chars().filter(|found| !hidden(found)).collect()
}

/// East Asian wide letters and digits stand for the plain ones.
fn halfwidth(found: char) -> char {
    match found {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(found) - 0xfee0).unwrap_or(found),
        _ => found,
    }
}

fn is_wrapping(found: char) -> bool {
    "\"'`<>()[]{}|*“”‘’«»„".contains(found)
}

//! Traces that files leave: hashes of files, applications, fingerprints of pictures, voices and videos.

use url::Url;

use super::{Fault, Read};

/// Algorithms whose hashes are hexadecimal digits, with their number.
const HASHES: &[(&str, usize)] =
    &[("md5", 32), ("sha1", 40), ("sha224", 56), ("sha256", 64), ("sha384", 96), ("sha512", 128)];

/// Perceptual hashes of hexadecimal digits, with their number where it is fixed.
const PERCEPTUAL: &[(&str, usize)] = &[("pdq", 64), ("phash", 16), ("dhash", 16), ("ahash", 16), ("whash", 16)];

pub(super) fn file_hash(text: &str) -> Result<Read, Fault> {
    let (named, digits) = match text.split_once(':') {
        Some((algorithm, digits)) => {
            (Some(algorithm.trim().to_ascii_lowercase().replace(['-', '_'], "")), digits.trim())
        }
        None => (None, text),
    };
    if let Some(fuzzy) = named.as_deref().filter(|name| matches!(*name, "ssdeep" | "tlsh")) {
        let fits = |byte: u8| byte.is_ascii_graphic();
        return if (8..=256).contains(&digits.len()) && digits.bytes().all(fits) {
            let digits = if fuzzy == "tlsh" { digits.to_ascii_uppercase() } else { digits.to_owned() };
            Ok(Read::new(format!("{fuzzy}:{digits}"), "fuzzy hash"))
        } else {
            Err("a fuzzy hash has 8 to 256 visible characters".into())
        };
    }
    if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err("a hash has hexadecimal digits only".into());
    }
    let of_length = HASHES.iter().find(|(_, length)| *length == digits.len());
    let by_name = named.as_deref().map(|named| HASHES.iter().find(|(name, _)| *name == named));
    let algorithm = match (by_name, of_length) {
        (Some(None), _) => {
            return Err("the algorithm is md5, sha1, sha224, sha256, sha384, sha512, ssdeep or tlsh".into());
        }
        (Some(Some(named)), Some(fits)) if named.0 == fits.0 => named.0,
        (Some(Some((name, length))), _) => {
            return Err(format!("{} hexadecimal digits, where {name} has {length}", digits.len()).into());
        }
        (None, Some((name, _))) => name,
        (None, None) => return Err(format!("no algorithm makes hashes of {} hexadecimal digits", digits.len()).into()),
    };
    Ok(Read::new(format!("{algorithm}:{}", digits.to_ascii_lowercase()), "file hash"))
}

pub(super) fn app(text: &str) -> Result<Read, Fault> {
    if let Some(read) = of_store(text) {
        return Ok(read);
    }
    let (store, id) = text.split_once(':').ok_or("write store:id, such as google-play:com.example.app")?;
    let store = match store.trim().to_ascii_lowercase().replace([' ', '_'], "-").as_str() {
        "play" | "googleplay" | "android" => "google-play".to_owned(),
        "appstore" | "apple" | "ios" | "itunes" => "app-store".to_owned(),
        other => other.to_owned(),
    };
    let in_store = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'.');
    if !(1..=64).contains(&store.len()) || !store.bytes().all(in_store) {
        return Err("the store has 1 to 64 letters, digits, hyphens and dots".into());
    }
    let id = id.trim();
    let id = if store == "app-store" { id.strip_prefix("id").unwrap_or(id) } else { id };
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_' | b'/');
    if !(1..=200).contains(&id.len()) || !id.bytes().all(fits) {
        return Err("the id has 1 to 200 letters, digits, dots, hyphens and slashes".into());
    }
    Ok(Read::new(format!("{store}:{id}"), "application"))
}

/// The application that a page of a store shows.
pub(super) fn of_store(text: &str) -> Option<Read> {
    let url = Url::parse(text).ok()?;
    let read = match url.host_str()? {
        "play.google.com" if url.path() == "/store/apps/details" => {
            let (_, id) = url.query_pairs().find(|(name, _)| name == "id")?;
            app(&format!("google-play:{id}")).ok()?
        }
        "apps.apple.com" | "itunes.apple.com" => {
            let id = url.path_segments()?.rfind(|segment| segment.starts_with("id"))?;
            app(&format!("app-store:{id}")).ok()?
        }
        _ => return None,
    };
    Some(read.noting(true, "taken from its page"))
}

pub(super) fn fingerprint(text: &str) -> Result<Read, Fault> {
    let (algorithm, value) = text.split_once(':').ok_or("write algorithm:value, such as pdq:f8f8…")?;
    let algorithm = algorithm.trim().to_ascii_lowercase();
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'.' | b'+');
    if !(2..=32).contains(&algorithm.len()) || !algorithm.bytes().all(fits) {
        return Err("the algorithm has 2 to 32 letters, digits and hyphens".into());
    }
    let value = value.trim();
    if !(4..=1024).contains(&value.len()) || !value.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err("the value has 4 to 1024 visible characters".into());
    }
    let Some((_, length)) = PERCEPTUAL.iter().find(|(name, _)| *name == algorithm) else {
        return Ok(Read::new(format!("{algorithm}:{value}"), "perceptual hash"));
    };
    if value.len() != *length || !value.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(format!("{algorithm} has {length} hexadecimal digits").into());
    }
    Ok(Read::new(format!("{algorithm}:{}", value.to_ascii_lowercase()), "perceptual hash"))
}

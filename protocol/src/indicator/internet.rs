//! Names and places on the internet: domains, URLs, IP addresses, e-mail.
//!
//! Police and security files write them so that nobody clicks on them by accident (`hxxps://evil[.]example`); that is
//! undone and told. An internationalised name is kept in its ASCII form, and told as people see it, and what it imitates.

use core::net::{IpAddr, Ipv6Addr};
use std::borrow::Cow;
use std::fmt::Write as _;

use unicode_security::skeleton;
use url::{Host, Url};

use super::{Fault, Read};

/// The longest domain name, bytes (RFC 1035).
const DOMAIN_BYTES: usize = 253;

/// What stands for a dot or an at sign where links are written so that they do not work.
const DEFANGED: [(&str, &str); 14] = [
    ("[.]", "."),
    ("(.)", "."),
    ("{.}", "."),
    ("[dot]", "."),
    ("(dot)", "."),
    ("[DOT]", "."),
    ("(DOT)", "."),
    ("\\.", "."),
    ("[:]", ":"),
    ("[://]", "://"),
    ("[@]", "@"),
    ("[at]", "@"),
    ("(at)", "@"),
    ("[AT]", "@"),
];

/// Makes a link work again that was written so that it does not.
pub(super) fn refanged(text: &str) -> Cow<'_, str> {
    let mut text = Cow::Borrowed(text);
    for (defanged, plain) in DEFANGED {
        if text.contains(defanged) {
            text = Cow::Owned(text.replace(defanged, plain));
        }
    }
    let scheme = |text: &str| text.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("hxxp"));
    if scheme(&text) { Cow::Owned(format!("http{}", &text[4..])) } else { text }
}

const REFANGED: &str = "the brackets that kept the link from working were removed";

pub(super) fn domain(text: &str) -> Result<Read, Fault> {
    let plain = refanged(text);
    let bare = plain.strip_prefix("*.").unwrap_or(&plain);
    let bare = bare.trim_matches('.');
    let (ascii, shown) = name(bare)?;
    let mut read = Read::new(ascii, if shown.is_some() { "internationalised domain" } else { "domain" })
        .noting(matches!(plain, Cow::Owned(_)), REFANGED)
        .noting(bare.len() < plain.len(), "a dot or wildcard around it was removed");
    read.notes.extend(shown.into_iter().flatten());
    Ok(read)
}

/// What is to be told of a name.
type Notes = Vec<Cow<'static, str>>;

/// A domain in its ASCII form, and what is to be told of it where it is not plain ASCII.
fn name(text: &str) -> Result<(String, Option<Notes>), Fault> {
    let ascii = idna::domain_to_ascii(text).map_err(|_| "it is no domain name (IDNA, UTS 46)")?;
    if ascii.is_empty() || ascii.len() > DOMAIN_BYTES {
        return Err(format!("a domain name has 1 to {DOMAIN_BYTES} characters").into());
    }
    let labels: Vec<&str> = ascii.split('.').collect();
    let fits = |label: &&str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    if !labels.iter().all(fits) {
        return Err("each part of a domain name has 1 to 63 letters, digits and inner hyphens".into());
    }
    let top = labels.last().copied().unwrap_or_default();
    if labels.len() < 2 || top.len() < 2 || !(top.starts_with("xn--") || top.bytes().all(|b| b.is_ascii_alphabetic())) {
        return Err("a domain name ends in a dot and a top-level domain".into());
    }
    if !ascii.contains("xn--") {
        return Ok((ascii, None));
    }
    let (shown, _) = idna::domain_to_unicode(&ascii);
    let mut notes: Vec<Cow<'static, str>> = vec![format!("it is shown to people as {shown}").into()];
    // Plain letters stay: the skeleton of an m is r and n.
    let alike = shown.chars().map(|found| {
        if found.is_ascii() { String::from(found) } else { skeleton(found.encode_utf8(&mut [0; 4])).collect() }
    });
    let alike: String = alike.collect();
    if alike.is_ascii() && alike != shown {
        notes.push(format!("HOMOGRAPH: it looks like {alike}").into());
    }
    Ok((ascii, Some(notes)))
}

pub(super) fn url(text: &str) -> Result<Read, Fault> {
    let plain = refanged(text);
    let with_scheme = if plain.contains("://") { plain.clone() } else { Cow::Owned(format!("https://{plain}")) };
    let url = Url::parse(&with_scheme).map_err(|error| format!("it is no URL: {error}"))?;
    if !matches!(url.scheme(), "http" | "https" | "ftp" | "ftps" | "ws" | "wss" | "ipfs" | "ipns" | "sftp") {
        return Err("the scheme is none of the web: http, https, ftp, ws, ipfs".into());
    }
    let shown = match url.host() {
        Some(Host::Domain(host)) if matches!(url.scheme(), "http" | "https" | "ftp" | "ws" | "wss") => {
            if host == "localhost" { None } else { name(host)?.1 }
        }
        Some(_) => None,
        None => return Err("it names no host".into()),
    };
    let mut read = Read::new(encoded(url.as_str()), "URL")
        .noting(matches!(plain, Cow::Owned(_)), REFANGED)
        .noting(!plain.contains("://"), "https:// was put before it");
    read.notes.extend(shown.into_iter().flatten());
    Ok(read)
}

/// Without characters that browsers bear and RFC 3986 does not.
fn encoded(url: &str) -> String {
    let mut out = String::with_capacity(url.len());
    for found in url.chars() {
        if matches!(found, '\\' | '^' | '`' | '{' | '|' | '}' | '"' | '<' | '>' | ' ') {
            let _ = write!(out, "%{:02X}", u32::from(found));
        } else {
            out.push(found);
        }
    }
    out
}

pub(super) fn ip(text: &str) -> Result<Read, Fault> {
    let plain = refanged(text);
    if let Some((address, length)) = plain.split_once('/') {
        return network(address, length);
    }
    let bare = plain.trim_matches(['[', ']']);
    let address = bare.parse::<IpAddr>().ok().map(|address| (address, false));
    let with_port = || bare.parse::<core::net::SocketAddr>().ok().map(|socket| (socket.ip(), true));
    let (address, port) = address.or_else(with_port).ok_or("it is neither an IPv4 nor an IPv6 address")?;
    let canonical = address.to_canonical();
    let form = if canonical.is_ipv4() { "IPv4" } else { "IPv6" };
    Ok(Read::new(canonical.to_string(), form)
        .noting(bare.len() < text.len() && matches!(plain, Cow::Owned(_)), REFANGED)
        .noting(port, "the port behind it was removed")
        .noting(address != canonical, "the IPv4 address within an IPv6 address was taken"))
}

/// A range of addresses (RFC 4632): the bits behind the prefix are zero.
fn network(address: &str, length: &str) -> Result<Read, Fault> {
    let rule = "a range is an address, a slash and the length of the prefix";
    let address: IpAddr = address.parse().map_err(|_| rule)?;
    let length: u32 = length.parse().map_err(|_| rule)?;
    let (bits, masked) = match address {
        IpAddr::V4(address) => {
            let mask = u32::MAX.checked_shl(32_u32.saturating_sub(length)).unwrap_or(0);
            (32, IpAddr::V4((u32::from(address) & mask).into()))
        }
        IpAddr::V6(address) => {
            let mask = u128::MAX.checked_shl(128_u32.saturating_sub(length)).unwrap_or(0);
            (128, IpAddr::V6((u128::from(address) & mask).into()))
        }
    };
    if length > bits {
        return Err(format!("a prefix has at most {bits} bits").into());
    }
    let form = if bits == 32 { "IPv4 range" } else { "IPv6 range" };
    Ok(Read::new(format!("{masked}/{length}"), form)
        .noting(masked != address, "the bits behind the prefix were cleared"))
}

/// Whether a text without a kind is an IP address.
pub(super) fn is_ip(text: &str) -> bool {
    let plain = refanged(text);
    let range = plain
        .split_once('/')
        .is_some_and(|(address, length)| address.parse::<IpAddr>().is_ok() && length.parse::<u8>().is_ok());
    if range {
        return true;
    }
    plain.parse::<IpAddr>().is_ok() || plain.trim_matches(['[', ']']).parse::<Ipv6Addr>().is_ok()
}

pub(super) fn email(text: &str) -> Result<Read, Fault> {
    let plain = refanged(text);
    let bare = plain.strip_prefix("mailto:").unwrap_or(&plain);
    let bare = bare.split('?').next().unwrap_or_default();
    let (local, domain) = bare.rsplit_once('@').ok_or("it has no at sign")?;
    let fits = |found: char| found.is_alphanumeric() || "!#$%&'*+-/=?^_`{|}~.".contains(found);
    if local.is_empty() || local.len() > 64 || !local.chars().all(fits) {
        return Err("before the at sign stand 1 to 64 letters, digits, dots and signs".into());
    }
    if local.starts_with('.') || local.ends_with('.') || local.contains("..") {
        return Err("dots before the at sign stand between other characters".into());
    }
    let (domain, shown) = name(domain)?;
    let mut read =
        Read::new(format!("{}@{domain}", local.to_lowercase()), "e-mail address").noting(plain != text, REFANGED);
    read.notes.extend(shown.into_iter().flatten());
    Ok(read)
}

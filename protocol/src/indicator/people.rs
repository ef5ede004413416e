//! Ways to reach a person: telephone numbers, accounts of messengers and social networks.

use url::Url;

use super::{Fault, Read};

/// Country codes of ITU-T E.164 (list of 15 December 2016 and its amendments): the first digits of every number.
/// One and seven stand for whole zones.
const COUNTRY_CODES: &[u16] = &[
    1, 7, 20, 211, 212, 213, 216, 218, 220, 221, 222, 223, 224, 225, 226, 227, 228, 229, 230, 231, 232, 233, 234, 235,
    236, 237, 238, 239, 240, 241, 242, 243, 244, 245, 246, 247, 248, 249, 250, 251, 252, 253, 254, 255, 256, 257, 258,
    260, 261, 262, 263, 264, 265, 266, 267, 268, 269, 27, 290, 291, 297, 298, 299, 30, 31, 32, 33, 34, 350, 351, 352,
    353, 354, 355, 356, 357, 358, 359, 36, 370, 371, 372, 373, 374, 375, 376, 377, 378, 379, 380, 381, 382, 383, 385,
    386, 387, 389, 39, 40, 41, 420, 421, 423, 43, 44, 45, 46, 47, 48, 49, 500, 501, 502, 503, 504, 505, 506, 507, 508,
    509, 51, 52, 53, 54, 55, 56, 57, 58, 590, 591, 592, 593, 594, 595, 596, 597, 598, 599, 60, 61, 62, 63, 64, 65, 66,
    670, 672, 673, 674, 675, 676, 677, 678, 679, 680, 681, 682, 683, 685, 686, 687, 688, 689, 690, 691, 692, 800, 808,
    81, 82, 84, 850, 852, 853, 855, 856, 86, 870, 878, 880, 881, 882, 883, 886, 888, 90, 91, 92, 93, 94, 95, 960, 961,
    962, 963, 964, 965, 966, 967, 968, 970, 971, 972, 973, 974, 975, 976, 977, 979, 98, 992, 993, 994, 995, 996, 998,
];

/// What people put between the digits of a telephone number.
const SEPARATORS: &[char] = &[' ', '-', '.', '/', '(', ')', '\u{a0}', '\u{202f}', '\u{2011}', '\u{2013}'];

pub(super) fn phone(text: &str) -> Result<Read, Fault> {
    let text = text.strip_prefix("tel:").unwrap_or(text);
    // A trunk zero in brackets is not dialled from abroad.
    let without_trunk = text.replace("(0)", "");
    let digits: String = without_trunk.chars().filter(|found| !SEPARATORS.contains(found)).collect();
    let number = digits.strip_prefix('+').or_else(|| digits.strip_prefix("00"));
    let number = number.ok_or("it begins with + and the country's code, such as +44")?;
    if !number.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err("a telephone number has digits only".into());
    }
    if !(7..=15).contains(&number.len()) {
        return Err(format!("{} digits, where E.164 has 7 to 15", number.len()).into());
    }
    let is_code = |length: usize| number[..length].parse().is_ok_and(|code: u16| COUNTRY_CODES.contains(&code));
    if !(1..=3).any(is_code) {
        return Err("no country has the code that it begins with".into());
    }
    let canonical = format!("+{number}");
    let changed = canonical != text;
    Ok(Read::new(canonical, "E.164").noting(changed, "written as + and digits"))
}

/// Whether a text without a kind is written as a telephone number.
pub(super) fn looks_like_phone(text: &str) -> bool {
    let starts = text.starts_with('+') || text.starts_with("00") && text.contains(SEPARATORS) && !text.contains('.');
    let fits = |found: char| found == '+' || found.is_ascii_digit() || SEPARATORS.contains(&found);
    starts && (8..=25).contains(&text.len()) && text.chars().all(fits)
}

/// A messenger or social network: its name here, other names, hosts of its pages, and whether letter case tells apart.
pub struct Platform {
    /// The name in canonical forms.
    pub name: &'static str,
    /// What else it is called.
    other_names: &'static [&'static str],
    /// Hosts whose pages show one account each.
    hosts: &'static [&'static str],
    keeps_case: bool,
}

const fn platform(
    name: &'static str,
    other_names: &'static [&'static str],
    hosts: &'static [&'static str],
    keeps_case: bool,
) -> Platform {
    Platform { name, other_names, hosts, keeps_case }
}

/// The platforms that are known by name; any other is taken as it is written.
pub const PLATFORMS: &[Platform] = &[
    platform("telegram", &["tg", "telegram-account"], &["t.me", "telegram.me"], false),
    platform("whatsapp", &["wa"], &["wa.me"], false),
    platform("signal", &[], &[], false),
    platform("x", &["twitter"], &["x.com", "twitter.com"], false),
    platform("facebook", &["fb"], &["facebook.com", "fb.com"], false),
    platform("instagram", &["ig", "insta"], &["instagram.com"], false),
    platform("tiktok", &[], &["tiktok.com"], false),
    platform("youtube", &["yt"], &["youtube.com"], false),
    platform("discord", &[], &[], false),
    platform("linkedin", &[], &["linkedin.com"], false),
    platform("reddit", &[], &["reddit.com"], false),
    platform("vk", &["vkontakte"], &["vk.com"], false),
    platform("wechat", &["weixin"], &[], true),
    platform("qq", &[], &[], false),
    platform("viber", &[], &[], false),
    platform("skype", &[], &[], false),
    platform("snapchat", &["snap"], &[], false),
    platform("kakaotalk", &["kakao"], &[], false),
    platform("zalo", &[], &[], false),
    platform("matrix", &[], &[], false),
    platform("threema", &[], &[], true),
    platform("session-messenger", &[], &[], false),
    platform("wickr", &[], &[], true),
    platform("icq", &[], &[], false),
    platform("xmpp", &["jabber"], &[], false),
    platform("github", &[], &["github.com"], false),
    platform("bluesky", &["bsky"], &[], false),
    platform("mastodon", &[], &[], false),
    platform("nostr", &[], &[], false),
    platform("ens", &[], &[], false),
    platform("keybase", &[], &["keybase.io"], false),
];

fn known_platform(word: &str) -> Option<&'static Platform> {
    PLATFORMS.iter().find(|platform| platform.name == word || platform.other_names.contains(&word))
}

/// The platform that a word before a colon names, if it is known.
pub(super) fn is_platform(word: &str) -> bool {
    known_platform(&word.to_ascii_lowercase()).is_some()
}

pub(super) fn handle(text: &str) -> Result<Read, Fault> {
    if let Some(read) = of_page(text) {
        return Ok(read);
    }
    let (word, name) = text.split_once(':').ok_or("write platform:name, such as telegram:@name")?;
    let word = word.trim().to_ascii_lowercase();
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'.');
    if !(1..=32).contains(&word.len()) || !word.bytes().all(fits) {
        return Err("the platform has 1 to 32 letters, digits, hyphens and dots".into());
    }
    let known = known_platform(&word);
    let platform = known.map_or(word.as_str(), |platform| platform.name);
    of_name(platform, name, known.is_some_and(|platform| platform.keeps_case))
}

fn of_name(platform: &str, written: &str, keeps_case: bool) -> Result<Read, Fault> {
    let name = written.trim();
    let name = name.strip_prefix('@').unwrap_or(name);
    if name.is_empty() || name.len() > 256 || name.chars().any(|found| found.is_whitespace() || found.is_control()) {
        return Err("the name has 1 to 256 bytes without spaces".into());
    }
    if platform == "whatsapp" || platform == "signal" {
        let number = if name.starts_with('+') { name.to_owned() } else { format!("+{name}") };
        if let Ok(phone) = phone(&number) {
            return Ok(Read::new(format!("{platform}:{}", phone.canonical), "handle"));
        }
    }
    let name = if keeps_case { name.to_owned() } else { name.to_lowercase() };
    let changed = name != written;
    Ok(Read::new(format!("{platform}:{name}"), "handle").noting(changed, "written without @ and in lower case"))
}

/// The account that a page of a platform shows.
pub(super) fn of_page(text: &str) -> Option<Read> {
    let url = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https"))?;
    let host = url.host_str()?;
    let host = host.strip_prefix("www.").or_else(|| host.strip_prefix("m.")).unwrap_or(host);
    let platform = PLATFORMS.iter().find(|platform| platform.hosts.contains(&host))?;
    let mut segments = url.path_segments()?.filter(|segment| !segment.is_empty());
    let first = segments.next()?;
    let name = match (platform.name, first) {
        ("linkedin", "in") | ("reddit", "user" | "u") | ("telegram", "s") => segments.next()?,
        ("youtube" | "tiktok", first) if first.starts_with('@') => first,
        ("linkedin" | "reddit" | "youtube" | "tiktok", _)
        | ("telegram", "joinchat" | "addstickers" | "proxy" | "share")
        | ("facebook", "profile.php" | "groups" | "sharer" | "pages" | "watch")
        | ("x", "i" | "home" | "search" | "intent" | "hashtag" | "share")
        | ("instagram", "p" | "reel" | "stories" | "explore") => return None,
        (_, first) => first,
    };
    // A page of something the account wrote is not the account.
    if segments.next().is_some() || name.starts_with('+') {
        return None;
    }
    of_name(platform.name, name, platform.keeps_case).ok().map(|read| read.noting(true, "taken from its page"))
}
